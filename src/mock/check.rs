//! What a registry refuses in an object, by the rules of its profile. The data are the client's; the code that applies them is not, so
//! that the two can be held against each other.

use super::decode::Refusal;
use super::fleet::italian;
use crate::base::Personal;
use crate::model::{Contact, Domain, NameServers, ObjectKind, Phone, PostalInfo};
use crate::policy::{
    Bounds, Characters, Check, DomainRole, FieldRules, Glue, Profile, Property, PropertyKind, PropertyOf, Rule, StatusUse, When,
};
use crate::protocol::ns::Ns;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use unicode_normalization::UnicodeNormalization as _;

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
            for (name, rules) in &self.profile.fields {
                let field = rules.field.as_deref().unwrap_or(name);
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
            if self.profile.properties.get(key).is_none_or(|p| p.value.of != PropertyOf::Contact) && !self.profile.fields.contains_key(key)
            {
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

    /// What the values of one field break.
    fn field(&self, field: &str, rules: &FieldRules, scope: &Scope<'_>, all: &mut Vec<Breach>) {
        let values = scope.get(field).map_or(&[][..], Vec::as_slice);
        let present: Vec<&str> = values.iter().copied().filter(|v| !v.is_empty()).collect();
        let code = rules.code.as_ref().or_else(|| self.profile.fields.get(field).and_then(|base| base.code.as_ref()));
        let mut told = |value: &str, why: Cow<'static, str>| {
            all.push(Breach { field: field.into(), value: value.into(), code: code.map(|c| c.value.as_str().into()), why });
        };
        if rules.required.as_ref().is_some_and(|rule| rule.value && self.holds(rule)) && present.is_empty() {
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
            if other.is_some_and(|other| other != &value) {
                told(value, "two fields that must be equal".into());
            }
            if rules.check.as_ref().is_some_and(|rule| self.holds(rule) && !passes(rule.value, &nfc)) {
                told(value, "what it says cannot be".into());
            }
        }
    }

    /// What `domain` breaks.
    pub(super) fn domain(&self, domain: &Domain) -> Vec<Breach> {
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
        for (role, rules) in &self.profile.roles {
            let count = holders(domain, *role);
            if rules.count.as_ref().is_some_and(|rule| self.holds(rule) && !fits(rule.value, count)) {
                told("contact", &count.to_string(), "too many or too few contacts in a role", answer("R-role-001"));
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
        let table = match kind {
            ObjectKind::Contact => &self.profile.statuses.contact,
            ObjectKind::Domain => &self.profile.statuses.domain,
        };
        let Some(rule) = table.get(status) else { return false };
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
        let (before, after) = (scopes(before), scopes(after));
        let value =
            |scopes: &[Scope<'_>], field: &str| scopes.iter().find_map(|s| s.get(field).and_then(|v| v.first().map(|v| (*v).to_owned())));
        rule.value.iter().find_map(|field| {
            let held = value(&before, field).filter(|held| !held.is_empty())?;
            let new = value(&after, field).unwrap_or_default();
            (new != held).then(|| Breach {
                field: field.as_str().into(),
                value: new.into(),
                code: Some("2306".into()),
                why: "it cannot be changed".into(),
            })
        })
    }
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

/// What this registry's own code finds of a value that no pattern can judge.
fn passes(check: Check, value: &str) -> bool {
    match check {
        Check::Country => value.len() == 2 && (value == "AQ" || iso3166::Country::from_alpha2(value).is_some()),
        Check::Phone => {
            let digits: Vec<u8> = value.split('x').next().unwrap_or_default().bytes().filter(u8::is_ascii_digit).collect();
            digits.len() <= 15 && digits.first().is_some_and(|first| *first != b'0')
        }
        Check::Email => is_mailbox(value),
        Check::CodiceFiscale => value.len() == 16 && italian::check_character(value).is_some_and(|check| value.ends_with(check)),
        Check::PartitaIva => {
            let check = italian::check_digit(value).and_then(|digit| char::from_digit(digit, 10));
            value.len() == 11 && check.is_some_and(|check| value.ends_with(check))
        }
        Check::NoDummy => !matches!(value.trim().to_ascii_lowercase().as_str(), "" | "-" | "--" | "." | "n/a" | "na" | "none" | "xxx"),
    }
}

/// Whether something stands before one `@`, and a name with a dot behind it.
fn is_mailbox(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else { return false };
    let words =
        local.len() <= 64 && local.split('.').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic() && b != b'"'));
    let name = idna::domain_to_ascii_strict(domain).is_ok_and(|ascii| ascii.contains('.') && !ascii.ends_with('.'));
    words && name && value.len() <= 254
}

/// Whether an address is none of those that reach nobody in public (RFC 6890).
fn is_public(text: &str) -> bool {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation() || ip.is_multicast();
            !special && !shared && a != 0 && a < 240
        }
        Ok(IpAddr::V6(ip)) => {
            let [a, b, ..] = ip.segments();
            (0x2000..0x4000).contains(&a) && !(a == 0x2001 && b == 0xdb8)
        }
        Err(_) => false,
    }
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
        PropertyKind::Integer => value.parse::<u32>().is_ok_and(|n| within(n as usize)),
        PropertyKind::Text => within(value.chars().count()),
        PropertyKind::Choice => property.choices.iter().any(|choice| choice == value),
        PropertyKind::Country => passes(Check::Country, &value.to_ascii_uppercase()),
        PropertyKind::Date => value.parse::<jiff::civil::Date>().is_ok(),
    };
    let in_form = property.pattern.as_ref().is_none_or(|pattern| pattern.matches(value));
    (!is_right || !in_form).then(|| "no value it may have".into())
}
