//! Planted violations: single faults in otherwise good objects, each told as the rule it breaks, the field, and the character at fault.

use super::draw::Draw;
use super::properties::{Presence, presence};
use crate::base::{HostName, Personal};
use crate::model::{Address, Contact, ContactRef, Domain, HostAttr, Ip, IpVersion, NameServers, PostalForm, Role, StatusValue};
use crate::policy::{Characters, FieldRules, Glue, Line, Profile, PropertyKind, PropertyOf, StatusUse};
use unicode_normalization::UnicodeNormalization as _;

/// What was planted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The number of the rule that is broken.
    pub rule: &'static str,
    /// The field, as findings name it.
    pub field: String,
    /// The character at fault in the value's NFC form, from 1.
    pub position: Option<u32>,
    /// That character.
    pub character: Option<char>,
}

impl Flaw {
    /// A fault of a field as a whole.
    #[must_use]
    pub fn of(rule: &'static str, field: impl Into<String>) -> Self {
        Self { rule, field: field.into(), position: None, character: None }
    }

    /// A fault of the character behind `before` others.
    #[must_use]
    pub fn at(rule: &'static str, field: String, before: usize, character: char) -> Self {
        Self { rule, field, position: u32::try_from(before + 1).ok(), character: Some(character) }
    }
}

type PlantContact = fn(&mut Contact, &Profile, &mut Draw) -> Option<Flaw>;
type PlantDomain = fn(&mut Domain, &Profile, &mut Draw) -> Option<Flaw>;

/// Faults of a contact. Those before [`COMMON`] fit few contacts, and are taken first where they do.
const CONTACT: &[PlantContact] = &[
    registration_code,
    nationality,
    province,
    entity_and_name,
    person_and_organisation,
    citizenship,
    dummy,
    out_of_place,
    wrong_choice,
    missing_property,
    organisation_of_organisation,
    too_many_lines,
    foreign_form,
    letter_beyond,
    ideograph,
    emoji,
    zero_width,
    no_break_space,
    capital_sharp_s,
    long_line,
    missing_voice,
    decomposed,
    country,
    postal_code,
    telephone_form,
    telephone_country,
    mailbox,
    homoglyph,
    mixed_scripts,
];

/// Where the faults begin that fit nearly every contact.
const COMMON: usize = 13;

/// Faults of a domain.
const DOMAIN: &[PlantDomain] = &[
    ordered_status,
    foreign_status,
    doubted_status,
    few_servers,
    many_servers,
    bare_glue,
    odd_host,
    reserved_address,
    needless_glue,
    two_administrators,
];

/// Plants one fault into `contact`, of those that fit it. `relay` is an address of a privacy provider's where the contact may have none.
pub(super) fn plant_contact(contact: &mut Contact, profile: &Profile, relay: Option<String>, draw: &mut Draw) -> Option<Flaw> {
    if let Some(relay) = relay.filter(|_| draw.chance(100)) {
        contact.email = Some(Personal::new(relay));
        return Some(Flaw::of("R-prop-011", "email"));
    }
    let (few, common) = CONTACT.split_at_checked(COMMON)?;
    let (first, then) = if draw.chance(500) { (few, common) } else { (common, few) };
    let (mut first, mut then) = (first.to_vec(), then.to_vec());
    draw.shuffle(&mut first);
    draw.shuffle(&mut then);
    first.append(&mut then);
    plant(contact, first, |flawed, plant| plant(flawed, profile, draw))
}

/// Plants one fault into `domain`, of those that fit it. `other` is somebody else in a role that the registrant has to have itself, where
/// there is such a role.
pub(super) fn plant_domain(domain: &mut Domain, profile: &Profile, other: Option<ContactRef>, draw: &mut Draw) -> Option<Flaw> {
    if let Some((role, other)) = other.filter(|_| draw.chance(300)).and_then(|other| Some((other.role?, other))) {
        domain.contacts.retain(|contact| contact.role != Some(role));
        domain.contacts.push(other);
        return Some(Flaw::of("R-role-002", role.as_str()));
    }
    let mut order = DOMAIN.to_vec();
    draw.shuffle(&mut order);
    if draw.chance(600) {
        // It fits so few domains that it would hardly ever come up in its turn.
        order.insert(0, two_administrators);
    }
    plant(domain, order, |flawed, plant| plant(flawed, profile, draw))
}

/// The first of `plants` that fits `object`, planted; one that does not fit leaves nothing behind.
fn plant<T: Clone, P>(object: &mut T, plants: Vec<P>, mut try_one: impl FnMut(&mut T, P) -> Option<Flaw>) -> Option<Flaw> {
    plants.into_iter().find_map(|plant| {
        let mut flawed = object.clone();
        let flaw = try_one(&mut flawed, plant)?;
        *object = flawed;
        Some(flaw)
    })
}

/// The sets of characters that hold for `field` in `form`.
fn sets<'p>(profile: &'p Profile, field: &str, form: PostalForm) -> Vec<&'p Characters> {
    let fits = |rules: &&FieldRules| rules.when.iter().all(|when| when.field != "form" || when.holds(Some(form.as_str())));
    let named = profile.tables(field).filter(fits).filter_map(|rules| rules.characters.as_ref());
    named.filter_map(|rule| profile.characters.get(&rule.value)).map(|set| &set.value).collect()
}

/// The first form of the address, and the address.
fn address(contact: &mut Contact) -> Option<(PostalForm, &mut Address)> {
    contact.postal.first_mut().and_then(|info| Some((info.form, info.addr.as_mut()?)))
}

/// Puts `word` behind the city; its character number `at`, from 0, is the one at fault.
fn in_city(contact: &mut Contact, profile: &Profile, word: &str, at: usize, refused: bool, rule: &'static str) -> Option<Flaw> {
    let (form, addr) = address(contact)?;
    let character = word.nfc().nth(at)?;
    let sets = sets(profile, "city", form);
    let is_refused = sets.iter().any(|set| !set.contains(character));
    let others_fit = word.nfc().enumerate().all(|(n, c)| n == at || sets.iter().all(|set| set.contains(c)));
    if is_refused != refused || !others_fit {
        return None;
    }
    let before = addr.city.reveal().chars().count() + 1;
    addr.city = Personal::new(format!("{} {word}", addr.city.reveal()));
    Some(Flaw::at(rule, format!("{}.city", form.as_str()), before + at, character))
}

fn letter_beyond(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    // Latin, and younger than what some registries know.
    in_city(contact, profile, "Bad \u{24f}n", 4, true, "R-addr-006")
}

fn ideograph(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    in_city(contact, profile, "\u{4eac}", 0, true, "R-addr-006")
}

fn emoji(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    in_city(contact, profile, "\u{1f600}", 0, true, "R-addr-006")
}

fn zero_width(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    in_city(contact, profile, "a\u{200b}b", 1, true, "R-addr-006")
}

fn no_break_space(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    in_city(contact, profile, "a\u{a0}b", 1, true, "R-addr-006")
}

fn capital_sharp_s(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    in_city(contact, profile, "STRA\u{1e9e}E", 4, true, "R-addr-006")
}

/// A letter and its accent apart: in normal form C they are one.
fn decomposed(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    in_city(contact, profile, "Cafe\u{301}", 3, false, "R-addr-007")
}

/// A Latin word with a Cyrillic letter in it.
fn homoglyph(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    in_city(contact, profile, "P\u{430}ypal", 1, false, "R-addr-013")
}

/// A Greek beta where a sharp s belongs.
fn mixed_scripts(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    in_city(contact, profile, "Stra\u{3b2}e", 4, false, "R-addr-014")
}

/// A street line with one character more than there may be.
fn long_line(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    let most = profile.tables("street").filter_map(|rules| rules.length.as_ref()?.value.max).min()?;
    let (form, addr) = address(contact)?;
    let number = addr.street.len();
    *addr.street.last_mut()? = Personal::new("x".repeat(most as usize + 1));
    Some(Flaw::of("R-addr-002", format!("{}.street[{number}]", form.as_str())))
}

/// More lines than there may be, where the registry takes more than a table has columns.
fn too_many_lines(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    let most = profile.tables("street").filter_map(|rules| rules.occurs.as_ref()?.value.max).min().filter(|most| *most > 3)?;
    let (form, addr) = address(contact)?;
    addr.street = (1..=3).map(|n| Personal::new(format!("Line {n}"))).collect();
    for n in 4..=most + 1 {
        contact.properties.set(&format!("street.{n}"), &format!("Line {n}"));
    }
    Some(Flaw::of("R-addr-003", format!("{}.street", form.as_str())))
}

fn missing_voice(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    contact.voice.take().filter(|_| presence(profile, "voice") == Presence::Required)?;
    Some(Flaw::of("R-addr-001", "voice"))
}

/// The form that the registry does not take.
fn foreign_form(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    let choices = &profile.tables("form").find_map(|rules| rules.choices.as_ref())?.value;
    let other = [PostalForm::Int, PostalForm::Loc].into_iter().find(|form| !choices.iter().any(|c| c == form.as_str()))?;
    let [info] = contact.postal.as_mut_slice() else { return None };
    info.form = other;
    Some(Flaw::of("R-addr-005", "form"))
}

/// A country that there is not, where no other rule goes by the country.
fn country(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    let is_asked = profile.fields.values().any(|r| {
        r.rule.as_deref().is_some_and(|n| n.starts_with("R-prop"))
            && (r.field.as_deref() == Some("cc") || r.when.iter().any(|w| w.field == "cc"))
    });
    let (form, addr) = address(contact).filter(|_| !is_asked)?;
    addr.cc = "QQ".into();
    Some(Flaw::of("R-addr-008", format!("{}.cc", form.as_str())))
}

fn postal_code(contact: &mut Contact, _: &Profile, _: &mut Draw) -> Option<Flaw> {
    let (form, addr) = address(contact).filter(|(_, addr)| matches!(&*addr.cc, "DE" | "FR" | "IT" | "NL" | "ES" | "PL"))?;
    addr.pc = Some("AB".into());
    Some(Flaw::of("R-addr-010", format!("{}.pc", form.as_str())))
}

fn province(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    profile.tables("sp").find(|rules| rules.rule.as_deref() == Some("R-addr-009"))?;
    let (form, addr) = address(contact).filter(|(_, addr)| &*addr.cc == "IT")?;
    addr.sp = Some("ZZ".into());
    Some(Flaw::of("R-addr-009", format!("{}.sp", form.as_str())))
}

fn telephone_form(contact: &mut Contact, _: &Profile, _: &mut Draw) -> Option<Flaw> {
    contact.voice.as_mut()?.number = "+49 555 1234567".into();
    Some(Flaw::of("R-addr-004", "voice"))
}

/// A country code that was never given out, where the registry wants none in particular.
fn telephone_country(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    let voice = contact.voice.as_mut().filter(|_| profile.tables("voice").all(|rules| rules.when.is_empty()))?;
    voice.number = "+999.5551234567".into();
    Some(Flaw::of("R-addr-011", "voice"))
}

fn mailbox(contact: &mut Contact, _: &Profile, _: &mut Draw) -> Option<Flaw> {
    contact.email.take()?;
    contact.email = Some("somebody..else@mail.example".into());
    Some(Flaw::of("R-addr-012", "email"))
}

/// A registration code whose check character is another.
fn registration_code(contact: &mut Contact, _: &Profile, _: &mut Draw) -> Option<Flaw> {
    let code = contact.properties.get("regCode")?.to_owned();
    let (rule, is_there): (_, fn(char) -> char) = match (code.len(), contact.properties.get("entityType")?) {
        (16, "1") => ("R-prop-005", |last| if last == 'Z' { 'A' } else { char::from_u32(u32::from(last) + 1).unwrap_or('A') }),
        (11, "2" | "3" | "5" | "6") => {
            ("R-prop-006", |last| if last == '9' { '0' } else { char::from_u32(u32::from(last) + 1).unwrap_or('0') })
        }
        _ => return None,
    };
    let (body, last) = code.split_at_checked(code.len() - 1)?;
    contact.properties.set("regCode", &format!("{body}{}", is_there(last.chars().next()?)));
    Some(Flaw::of(rule, "properties.regCode"))
}

/// A company of a kind that is Italian, of another country.
fn nationality(contact: &mut Contact, _: &Profile, _: &mut Draw) -> Option<Flaw> {
    contact.properties.get("entityType").filter(|entity| matches!(*entity, "2" | "3" | "4" | "5" | "6"))?;
    contact.properties.set("nationalityCode", "FR");
    Some(Flaw::of("R-prop-007", "properties.nationalityCode"))
}

/// A person whose organisation is not its name.
fn entity_and_name(contact: &mut Contact, _: &Profile, _: &mut Draw) -> Option<Flaw> {
    contact.properties.get("entityType").filter(|entity| *entity == "1")?;
    let info = contact.postal.first_mut()?;
    info.org = Some("Vivaio Ligustro".into());
    Some(Flaw::of("R-prop-008", format!("{}.org", info.form.as_str())))
}

/// A natural person with an organisation.
fn person_and_organisation(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    contact.properties.get("naturalPerson").filter(|person| *person == "true")?;
    profile.tables("org").find(|rules| rules.rule.as_deref() == Some("R-prop-008"))?;
    let info = contact.postal.first_mut()?;
    info.org = Some("Privet Nurseries".into());
    Some(Flaw::of("R-prop-008", format!("{}.org", info.form.as_str())))
}

/// An organisation which has another one.
fn organisation_of_organisation(contact: &mut Contact, _: &Profile, _: &mut Draw) -> Option<Flaw> {
    contact.properties.get("type").filter(|kind| *kind == "ORG")?;
    let info = contact.postal.first_mut()?;
    info.org = Some("Privet Nurseries".into());
    Some(Flaw::of("R-prop-008", format!("{}.org", info.form.as_str())))
}

/// Somebody from beyond the EEA without a citizenship.
fn citizenship(contact: &mut Contact, _: &Profile, _: &mut Draw) -> Option<Flaw> {
    contact.properties.get("naturalPerson").filter(|person| *person == "true")?;
    contact.properties.set("countryOfCitizenship", "");
    let (_, addr) = address(contact)?;
    (addr.cc, addr.pc, addr.sp) = ("NZ".into(), Some("6011".into()), None);
    Some(Flaw::of("R-prop-009", "properties.countryOfCitizenship"))
}

/// An organisation that is none.
fn dummy(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    profile.tables("org").find(|rules| rules.check.as_ref().is_some_and(|check| check.value == crate::policy::Check::NoDummy))?;
    contact.properties.get("naturalPerson").filter(|person| *person == "false")?;
    let info = contact.postal.first_mut()?;
    info.org = Some("n/a".into());
    Some(Flaw::of("R-prop-010", format!("{}.org", info.form.as_str())))
}

/// A property of persons at an organisation.
fn out_of_place(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    profile.properties.get("countryOfCitizenship").filter(|rule| !rule.value.when.is_empty())?;
    contact.properties.get("naturalPerson").filter(|person| *person == "false")?;
    contact.properties.set("countryOfCitizenship", "DE");
    Some(Flaw::of("R-prop-004", "properties.countryOfCitizenship"))
}

/// A language that is none of the registry's.
fn wrong_choice(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    profile.properties.get("lang").filter(|rule| rule.value.kind == PropertyKind::Choice)?;
    contact.properties.set("lang", "la");
    Some(Flaw::of("R-prop-003", "properties.lang"))
}

/// A property left out that must be there, and on which no other rule rests.
fn missing_property(contact: &mut Contact, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    let rests = |key: &str| {
        let asked = profile.fields.values().flat_map(|rules| &rules.when).any(|when| when.field == key);
        asked || profile.properties.values().flat_map(|rule| &rule.value.when).any(|when| when.field == key)
    };
    let wanted = profile
        .properties
        .iter()
        .filter(|(_, rule)| rule.value.of == PropertyOf::Contact && rule.value.required && rule.value.when.is_empty());
    let key = wanted.map(|(key, _)| key).find(|key| !rests(key) && contact.properties.get(key).is_some())?;
    contact.properties.set(key, "");
    Some(Flaw::of("R-prop-002", format!("properties.{key}")))
}

fn settle(domain: &mut Domain, status: &str) {
    domain.statuses.retain(|s| s.value != StatusValue::OK);
    domain.statuses.push(StatusValue::read(status).into());
}

fn status_of_use(profile: &Profile, uses: &[StatusUse]) -> Option<String> {
    let client = |name: &&String| name.starts_with("client") && StatusValue::read(name).is_known();
    profile.statuses.domain.iter().filter(|(_, rule)| uses.contains(&rule.value)).map(|(name, _)| name).find(client).cloned()
}

/// A status that stands by an order alone.
fn ordered_status(domain: &mut Domain, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    let status = status_of_use(profile, &[StatusUse::Removable, StatusUse::Reported])?;
    settle(domain, &status);
    Some(Flaw::of("R-stat-003", format!("statuses.{status}")))
}

/// A status that the registry does not have.
fn foreign_status(domain: &mut Domain, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    if profile.line.value == Line::Rri {
        // Nor has its line a place for one.
        return None;
    }
    let status = status_of_use(profile, &[StatusUse::Never])?;
    settle(domain, &status);
    Some(Flaw::of("R-stat-002", format!("statuses.{status}")))
}

/// A status of which nobody knows whether the registry has it.
fn doubted_status(domain: &mut Domain, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    let status = status_of_use(profile, &[StatusUse::Unknown])?;
    settle(domain, &status);
    Some(Flaw::of("R-stat-001", format!("statuses.{status}")))
}

/// As many name servers as there are `count`, all outside the domain.
fn servers(domain: &mut Domain, count: usize) -> Option<()> {
    let NameServers::Attributes(attrs) = &mut domain.ns else { return None };
    let host = |n: usize| HostAttr { name: HostName::new(format!("ns{n}.dns-meadow.example")), addrs: Vec::new() };
    *attrs = (1..=count).map(host).collect();
    Some(())
}

fn few_servers(domain: &mut Domain, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    let least = profile.name_servers.min.as_ref().filter(|rule| rule.value > 1)?;
    servers(domain, usize::from(least.value) - 1)?;
    Some(Flaw::of("R-ns-001", "ns"))
}

fn many_servers(domain: &mut Domain, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    servers(domain, usize::from(profile.name_servers.max.as_ref()?.value) + 1)?;
    Some(Flaw::of("R-ns-001", "ns"))
}

/// A name server inside the domain without an address.
fn bare_glue(domain: &mut Domain, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    if profile.name_servers.glue.value != Glue::InZone {
        return None;
    }
    servers(domain, 2)?;
    let name = HostName::new(format!("ns0.{}", domain.name.as_str()));
    let NameServers::Attributes(attrs) = &mut domain.ns else { return None };
    // Rows have name servers in the order of their names.
    attrs.push(HostAttr { name, addrs: Vec::new() });
    numbered(domain, "R-ns-002", |attr| attr.name.as_str().starts_with("ns0."))
}

/// The place, from 1, of a name server in the row's order.
fn numbered(domain: &Domain, rule: &'static str, is: impl Fn(&HostAttr) -> bool) -> Option<Flaw> {
    let NameServers::Attributes(attrs) = &domain.ns else { return None };
    let mut sorted: Vec<&HostAttr> = attrs.iter().collect();
    sorted.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
    let at = sorted.iter().position(|attr| is(attr))?;
    Some(Flaw::of(rule, format!("ns[{}]", at + 1)))
}

/// A name that no host has.
fn odd_host(domain: &mut Domain, _: &Profile, _: &mut Draw) -> Option<Flaw> {
    servers(domain, 2)?;
    let NameServers::Attributes(attrs) = &mut domain.ns else { return None };
    attrs.push(HostAttr { name: HostName::new("ns_3.dns-meadow.example"), addrs: Vec::new() });
    numbered(domain, "R-ns-003", |attr| attr.name.as_str().contains('_'))
}

/// Glue that reaches nobody in public.
fn reserved_address(domain: &mut Domain, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    profile.name_servers.public_addresses.as_ref().filter(|rule| rule.value)?;
    servers(domain, 2)?;
    let name = HostName::new(format!("ns0.{}", domain.name.as_str()));
    let NameServers::Attributes(attrs) = &mut domain.ns else { return None };
    attrs.push(HostAttr { name, addrs: vec![Ip { version: IpVersion::V4, text: "192.0.2.53".into() }] });
    numbered(domain, "R-ns-005", |attr| !attr.addrs.is_empty())
}

/// Addresses of a name server elsewhere.
fn needless_glue(domain: &mut Domain, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    let is_free = profile.name_servers.public_addresses.as_ref().is_none_or(|rule| !rule.value);
    if profile.name_servers.glue.value != Glue::InZone || !is_free {
        return None;
    }
    servers(domain, 2)?;
    let NameServers::Attributes(attrs) = &mut domain.ns else { return None };
    attrs.first_mut()?.addrs.push(Ip { version: IpVersion::V4, text: "192.0.2.53".into() });
    numbered(domain, "R-ns-006", |attr| !attr.addrs.is_empty())
}

/// One administrator more than there may be.
fn two_administrators(domain: &mut Domain, profile: &Profile, _: &mut Draw) -> Option<Flaw> {
    let rules = profile.roles.iter().find(|(role, _)| role.as_str() == Role::Admin.as_str()).map(|(_, rules)| rules)?;
    rules.count.as_ref()?.value.max.filter(|most| *most == 1)?;
    // Where the registrant has to administer, the rule about that is broken as well.
    let admin = domain.contacts.iter().find(|c| c.role == Some(Role::Admin) && Some(&c.handle) != domain.registrant.as_ref())?;
    let second = ContactRef::new(admin.role?, domain.registrant.clone()?);
    domain.contacts.push(second);
    Some(Flaw::of("R-role-001", "admin"))
}
