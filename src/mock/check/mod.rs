//! What a registry refuses in an object, by the rules of its profile. The data are the client's; the code that applies them is not, so
//! that the two can be held against each other.

mod value;

use super::decode::Refusal;
use crate::base::{HostName, Personal};
use crate::model::{Contact, Domain, NameServers, ObjectKind, Phone, PostalInfo};
use crate::policy::{
    Bounds, Characters, Check, DomainRole, FieldRules, Glue, Profile, Property, PropertyKind, PropertyOf, Rule, StatusUse, When,
};
use crate::protocol::ns::Ns;
use std::borrow::Cow;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization as _;
pub(super) use value::is_host;
use value::{is_public, passes};

/// A rule that an object breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    /// The field or property.
    pub(super) field: Box<str>,
    /// The value at fault, empty where one is missing.
    pub(super) value: Box<str>,
    /// The registry's code for it, as its profile states it.
    pub(super) code: Option<Box<str>>,
    /// What the rule wants.
    pub(super) why: Cow<'static, str>,
}

impl Breach {
    /// As EPP tells it: the profile's code where it is one of EPP's, 2003 where a value is missing, else 2005 (RFC 5730 §3).
    pub(super) fn refusal(&self, ns: Ns) -> Refusal {
        let own = self.code.as_deref().and_then(|code| code.parse::<u16>().ok());
        let code = if self.value.is_empty() { 2003 } else { own.unwrap_or(2005) };
        Refusal::quoting(code, ns, self.field.to_string(), &self.value, &self.why)
    }
}

/// Which rules are enforced.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    /// The registry's profile.
    pub(super) profile: &'a Profile,
    /// Whether rules that nobody has seen are enforced too.
    pub(super) strict: bool,
    /// Whether changes may be made for which an authority's order is needed.
    pub(super) served: bool,
    /// Whether the line has a place for additional properties: what cannot be said cannot be asked for.
    pub(super) told: bool,
}

/// Values of one form of a contact's address, with what all forms share, by field.
type Scope<'a> = BTreeMap<Cow<'a, str>, Vec<&'a str>>;

/// Fields that may have further values as properties with a number.
const REPEATED: [&str; 3] = ["street", "org", "email"];

impl Judge<'_> {
    fn holds<T>(&self, rule: &Rule<T>) -> bool {
        self.strict || rule.is_enforced()
    }

    /// Everything that `contact` breaks, in the order of the profile.
    pub(super) fn contact(&self, contact: &Contact) -> Vec<Breach> {
        let mut all: Vec<Breach> = Vec::new();
        for scope in scopes(contact) {
            for (field, rules) in self.profile.named_tables() {
                // A handle that the registry gives by itself is not looked at where it is sent.
                let is_given = field == "id" && self.profile.quirks.registry_assigns_handles;
                if !is_given && applies(&rules.when, &scope) {
                    self.field(field, rules, &scope, &mut all);
                }
            }
            for (name, property) in
                self.profile.properties.iter().filter(|(_, p)| self.told && p.value.of == PropertyOf::Contact && self.holds(p))
            {
                let value = contact.properties.get(name);
                if let Some(why) = property_breach(&property.value, value, applies(&property.value.when, &scope)) {
                    all.push(Breach { field: name.as_str().into(), value: value.unwrap_or_default().into(), code: None, why });
                }
            }
        }
        for (key, value) in contact.properties.iter().filter(|(key, _)| further(key).is_none()) {
            if self.profile.properties.get(key).is_none_or(|p| p.value.of != PropertyOf::Contact) {
                all.push(Breach { field: key.into(), value: value.into(), code: None, why: "there is no such property".into() });
            }
        }
        let mut once: Vec<Breach> = Vec::new();
        for breach in all {
            if !once.contains(&breach) {
                once.push(breach);
            }
        }
        once
    }

    /// What `after` breaks and `before`, where there was one, did not.
    pub(super) fn newly(&self, before: Option<&Contact>, after: &Contact) -> Vec<Breach> {
        beyond(&before.map(|before| self.contact(before)).unwrap_or_default(), self.contact(after))
    }

    /// The same of a domain, whose registrant `contact` finds.
    pub(super) fn newly_of_domain<'c>(
        &self,
        before: Option<&Domain>,
        after: &Domain,
        contact: impl Fn(&str) -> Option<Cow<'c, Contact>>,
    ) -> Vec<Breach> {
        let judged = |domain: &Domain| {
            let registrant = domain.registrant.as_ref().and_then(|handle| contact(handle.as_str()));
            self.domain(domain, registrant.as_deref())
        };
        beyond(&before.map(&judged).unwrap_or_default(), judged(after))
    }

    /// What the values of one field break.
    fn field(&self, field: &str, rules: &FieldRules, scope: &Scope<'_>, all: &mut Vec<Breach>) {
        let values = scope.get(field).map_or(&[][..], Vec::as_slice);
        let present: Vec<&str> = values.iter().copied().filter(|v| !v.is_empty()).collect();
        let code = rules.code.as_ref().or_else(|| self.profile.fields.get(field).and_then(|base| base.code.as_ref()));
        let mut told = |value: &str, why: Cow<'static, str>| {
            all.push(Breach { field: field.into(), value: value.into(), code: code.map(|c| c.value.as_str().into()), why });
        };
        let is_filled = present.iter().any(|value| !value.trim_ascii().is_empty());
        if rules.required.as_ref().is_some_and(|rule| rule.value && self.holds(rule)) && !is_filled {
            told("", "it is missing".into());
        }
        if let Some(rule) = rules.occurs.as_ref().filter(|rule| self.holds(rule))
            && !fits(rule.value, values.len())
            && !(values.is_empty() && rules.required.is_none())
        {
            told(values.last().copied().unwrap_or_default(), format!("it stands {} times", values.len()).into());
        }
        for value in present {
            let mut nfc: Cow<'_, str> = if value.is_ascii() { value.into() } else { value.nfc().collect::<String>().into() };
            if field == "id" && self.profile.quirks.handles_in_capitals {
                nfc = nfc.to_uppercase().into();
            }
            if rules.length.as_ref().is_some_and(|rule| self.holds(rule) && !fits(rule.value, nfc.chars().count())) {
                told(value, "its length".into());
            }
            if rules.pattern.as_ref().is_some_and(|rule| self.holds(rule) && !rule.value.matches(&nfc)) {
                told(value, "its form".into());
            }
            if rules.choices.as_ref().is_some_and(|rule| self.holds(rule) && !rule.value.iter().any(|choice| **choice == *nfc)) {
                told(value, "not one of the values it may have".into());
            }
            let set = rules.characters.as_ref().filter(|rule| self.holds(rule)).and_then(|rule| self.profile.characters.get(&rule.value));
            if let Some(refused) = set.and_then(|set| nfc.chars().find(|c| !in_set(&set.value, *c))) {
                told(value, format!("the character U+{:04X}", u32::from(refused)).into());
            }
            let other = rules.equals.as_ref().filter(|rule| self.holds(rule)).and_then(|rule| scope.get(rule.value.as_str())?.first());
            if other.is_some_and(|other| !other.nfc().eq(value.nfc())) {
                told(value, "two fields that must be equal".into());
            }
            if rules.check.as_ref().is_some_and(|rule| self.holds(rule) && !passes(rule.value, &nfc)) {
                told(value, "what it says cannot be".into());
            }
        }
    }

    /// What `domain` breaks, whose registrant is known.
    fn domain(&self, domain: &Domain, registrant: Option<&Contact>) -> Vec<Breach> {
        let rules = &self.profile.name_servers;
        let count = domain.ns.names().count();
        let answer = |rule: &str| self.code(rule).or(Some("2306"));
        let mut all = Vec::new();
        let mut told = |field: &str, value: &str, why: &'static str, code: Option<&str>| {
            all.push(Breach { field: field.into(), value: value.into(), code: code.map(Into::into), why: why.into() });
        };
        if count > 0 && rules.min.as_ref().is_some_and(|rule| self.holds(rule) && count < usize::from(rule.value)) {
            told("ns", &count.to_string(), "too few name servers", answer("R-ns-001"));
        }
        if rules.max.as_ref().is_some_and(|rule| self.holds(rule) && count > usize::from(rule.value)) {
            told("ns", &count.to_string(), "too many name servers", answer("R-ns-001"));
        }
        if rules.glue.value == Glue::InZone
            && self.holds(&rules.glue)
            && let NameServers::Attributes(attrs) = &domain.ns
        {
            let zone = domain.name.as_str();
            let inside = |host: &str| host.strip_suffix(zone).is_some_and(|front| front.is_empty() || front.ends_with('.'));
            for attr in attrs.iter().filter(|attr| inside(attr.name.as_str()) && attr.addrs.is_empty()) {
                told("hostName", attr.name.as_str(), "a name server in the zone needs an address", answer("R-ns-002"));
            }
        }
        if rules.public_addresses.as_ref().is_some_and(|rule| rule.value && self.holds(rule))
            && let NameServers::Attributes(attrs) = &domain.ns
        {
            for ip in attrs.iter().flat_map(|attr| &attr.addrs).filter(|ip| !is_public(&ip.text)) {
                told("hostAddr", &ip.text, "the public cannot reach this address", answer("R-ns-005"));
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        for host in domain.ns.names().map(HostName::as_str) {
            if !is_host(host) {
                told("hostName", host, "no host has such a name", Some("2005"));
            }
            if seen.contains(&host) {
                told("hostName", host, "it stands twice", Some("2306"));
            }
            seen.push(host);
        }
        for (role, rules) in &self.profile.roles {
            let count = holders(domain, *role);
            if rules.count.as_ref().is_some_and(|rule| self.holds(rule) && !fits(rule.value, count)) {
                told("contact", &count.to_string(), "too many or too few contacts in a role", answer("R-role-001"));
            }
            if let (Some(rule), Some(registrant)) = (rules.registrant.as_ref().filter(|rule| self.holds(rule)), registrant)
                && scopes(registrant).iter().any(|scope| applies(&rule.value, scope))
            {
                let mut there = domain.contacts.iter().filter(|c| c.role.is_some_and(|r| r.as_str() == role.as_str())).map(|c| &c.handle);
                if let Some(other) = there.find(|handle| **handle != registrant.id) {
                    told("contact", other.as_str(), "the registrant must have this role itself", answer("R-role-002"));
                }
            }
        }
        all
    }

    /// The registry's code where that numbered rule is broken.
    fn code(&self, rule: &str) -> Option<&str> {
        self.profile.answers.get(rule).map(|code| code.value.as_str())
    }

    /// Whether a client may add (or else remove) that status.
    pub(super) fn may_set(&self, kind: ObjectKind, status: &str, adds: bool) -> bool {
        let Some(rule) = self.profile.statuses.of(kind).get(status) else { return false };
        match rule.value {
            StatusUse::Settable => true,
            StatusUse::Removable => !adds || self.served,
            StatusUse::Reported => self.served,
            StatusUse::Never => false,
            StatusUse::Unknown => !self.strict,
        }
    }

    /// The identity field that `after` has otherwise than `before`, once it was filled.
    pub(super) fn moved_identity(&self, before: &Contact, after: &Contact) -> Option<Breach> {
        let rule = Some(&self.profile.identity_fields).filter(|rule| self.holds(rule))?;
        let next = scopes(after);
        scopes(before).iter().find_map(|scope| {
            let then = next.iter().find(|next| next.get("form") == scope.get("form"));
            rule.value.iter().find_map(|field| {
                let first =
                    |scope: &Scope<'_>| scope.get(field.as_str()).and_then(|values| values.first().map(|value| (*value).to_owned()));
                let held = first(scope).filter(|held| !held.is_empty())?;
                let new = then.and_then(first).unwrap_or_default();
                let is_moved = !new.nfc().eq(held.nfc());
                // What is taken away is told by what was there.
                let value = if new.is_empty() { held } else { new };
                is_moved.then(|| Breach {
                    field: field.as_str().into(),
                    value: value.into(),
                    code: self.code("R-ident-001").or(Some("2306")).map(Into::into),
                    why: "it cannot be changed".into(),
                })
            })
        })
    }
}

/// Those of `all` that are not `known`.
fn beyond(known: &[Breach], mut all: Vec<Breach>) -> Vec<Breach> {
    all.retain(|breach| !known.contains(breach));
    all
}

/// The field of which `key` is a further value.
fn further(key: &str) -> Option<&str> {
    let (field, number) = key.split_once('.')?;
    (REPEATED.contains(&field) && number.parse::<u8>().is_ok()).then_some(field)
}

/// A contact's values: one scope for each form of its address, one at least.
fn scopes(contact: &Contact) -> Vec<Scope<'_>> {
    let mut shared: Scope<'_> = Scope::from([("id".into(), vec![contact.id.as_str()])]);
    let phones = [("voice", &contact.voice), ("fax", &contact.fax)];
    let single = phones.into_iter().map(|(field, phone)| (field, phone.as_ref().map(|p: &Phone| p.number.reveal())));
    for (field, value) in single.chain([("email", contact.email.as_ref().map(Personal::reveal))]) {
        shared.entry(field.into()).or_default().extend(value);
    }
    let (mut postal, mut own): (Vec<(&str, &str)>, Scope<'_>) = (Vec::new(), Scope::new());
    for (key, value) in contact.properties.iter() {
        match further(key) {
            Some("email") => shared.entry("email".into()).or_default().push(value),
            Some(field) => postal.push((field, value)),
            None => own.entry(key.into()).or_default().push(value),
        }
    }
    shared.append(&mut own);
    if contact.postal.is_empty() {
        return vec![shared];
    }
    contact.postal.iter().map(|info| in_form(info, &postal, shared.clone())).collect()
}

/// `scope` with the values of one form of the address, and `further` ones of its fields.
fn in_form<'a>(info: &'a PostalInfo, further: &[(&'a str, &'a str)], mut scope: Scope<'a>) -> Scope<'a> {
    fn text(value: Option<&Personal>) -> Option<&str> {
        value.map(Personal::reveal)
    }
    let mut put = |field: &'static str, value: Option<&'a str>| scope.entry(field.into()).or_default().extend(value);
    put("form", Some(info.form.as_str()));
    put("name", text(info.name.as_ref()));
    put("org", text(info.org.as_ref()));
    if let Some(addr) = &info.addr {
        addr.street.iter().for_each(|line| put("street", Some(line.reveal())));
        put("city", Some(addr.city.reveal()));
        put("sp", text(addr.sp.as_ref()));
        put("pc", text(addr.pc.as_ref()));
        put("cc", Some(&*addr.cc));
    }
    for (field, value) in further {
        scope.entry((*field).into()).or_default().push(value);
    }
    scope
}

/// Whether each condition holds in `scope`.
fn applies(when: &[When], scope: &Scope<'_>) -> bool {
    when.iter().all(|c| {
        let value = scope.get(c.field.as_str()).and_then(|values| values.first()).filter(|v| !v.is_empty());
        let among = |all: &[String]| value.is_some_and(|v| all.iter().any(|one| one == v));
        let is = c.is.is_empty() || among(&c.is);
        let not = c.not.is_empty() || (value.is_some() && !among(&c.not));
        is && not && c.present.is_none_or(|wanted| wanted == value.is_some())
    })
}

const fn fits(bounds: Bounds, count: usize) -> bool {
    count >= bounds.min as usize
        && (match bounds.max {
            Some(max) => count <= max as usize,
            None => true,
        })
}

/// Whether a set has a character, range by range.
fn in_set(set: &Characters, character: char) -> bool {
    set.ranges().iter().any(|range| (range.first..=range.last).contains(&character))
}

/// How many contacts a domain has in a role.
fn holders(domain: &Domain, role: DomainRole) -> usize {
    let further = domain.properties.iter().filter(|(key, _)| key.split_once('.').is_some_and(|(field, _)| field == role.as_str())).count();
    let named = match role {
        DomainRole::Registrant => usize::from(domain.registrant.is_some()),
        DomainRole::Admin | DomainRole::Tech | DomainRole::Billing => {
            domain.contacts.iter().filter(|c| c.role.is_some_and(|r| r.as_str() == role.as_str())).count()
        }
    };
    named + further
}

/// What is wrong with a property's value, where it may stand or not.
fn property_breach(property: &Property, value: Option<&str>, may_stand: bool) -> Option<Cow<'static, str>> {
    let Some(value) = value else { return (property.required && may_stand).then(|| "it is missing".into()) };
    if !may_stand {
        return Some("it may not stand here".into());
    }
    let within = |count: usize| property.bounds.is_none_or(|bounds| fits(bounds, count));
    let is_right = match property.kind {
        PropertyKind::Boolean => matches!(value, "true" | "false"),
        PropertyKind::Integer => value.bytes().all(|b| b.is_ascii_digit()) && value.parse::<u32>().is_ok_and(|n| within(n as usize)),
        PropertyKind::Text => within(value.chars().count()),
        PropertyKind::Choice => property.choices.iter().any(|choice| choice == value),
        PropertyKind::Country => passes(Check::Country, &value.to_ascii_uppercase()),
        PropertyKind::Date => value.parse::<jiff::civil::Date>().is_ok(),
    };
    let in_form = property.pattern.as_ref().is_none_or(|pattern| pattern.matches(value));
    (!is_right || !in_form).then(|| "no value it may have".into())
}
