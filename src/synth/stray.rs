//! Faults of records whose objects no registry has: what could not stand at one.

use super::record::Record;
use crate::dataset::{ContactField, DomainField};
use crate::mock::fleet::{Draw, Flaw};
use crate::model::{ObjectKind, Properties};
use crate::policy::{Line, Profile};

/// Records of a thousand that get a fault.
const FLAWED_PER_MILLE: u64 = 600;
/// A property and a status that no registry has.
const NO_PROPERTY: &str = "nonesuch";
const NO_STATUS: &str = "clientNonesuch";

/// Plants a fault into a record; nothing where none fits.
type Plant = fn(&mut Record, &Profile) -> Option<Flaw>;

/// Faults of a contact's record.
const CONTACT: [Plant; 4] = [
    strange_handle,
    hidden,
    |record, profile| unknown_property(record, profile, ContactField::Properties.at()),
    |record, profile| unknown_status(record, profile, ObjectKind::Contact, ContactField::Statuses.at()),
];
/// Faults of a domain's record.
const DOMAIN: [Plant; 3] = [
    server_twice,
    |record, profile| unknown_property(record, profile, DomainField::Properties.at()),
    |record, profile| unknown_status(record, profile, ObjectKind::Domain, DomainField::Statuses.at()),
];

/// Plants one fault into some of the records, of those that fit it.
pub(super) fn plant(object: ObjectKind, record: &mut Record, profile: &Profile, draw: &mut Draw) -> Option<Flaw> {
    let mut order: Vec<Plant> = match object {
        ObjectKind::Contact => CONTACT.to_vec(),
        ObjectKind::Domain => DOMAIN.to_vec(),
    };
    draw.shuffle(&mut order);
    if draw.chance(FLAWED_PER_MILLE) { order.into_iter().find_map(|plant| plant(record, profile)) } else { None }
}

/// A handle of another form than the registry's, or with a character that its handles do not have.
fn strange_handle(record: &mut Record, profile: &Profile) -> Option<Flaw> {
    if profile.line.value == Line::Rri {
        // The line cannot ask for such a handle, so that every pull of these records would be incomplete.
        return None;
    }
    let before = record.id().chars().position(|c| c == '-')?;
    let strange = record.id().replacen('-', "_", 1);
    let rules = || profile.tables("id");
    let has_form = rules().any(|table| table.pattern.as_ref().is_some_and(|form| !form.value.matches(&strange)));
    let sets = || rules().filter_map(|table| profile.characters.get(&table.characters.as_ref()?.value));
    let flaw = match (has_form, sets().any(|set| !set.value.contains('_'))) {
        (true, false) => Flaw::of("R-addr-015", "id"),
        (false, true) => Flaw::at("R-addr-015", "id".to_owned(), before, '_'),
        _ => return None,
    };
    record.rename(strange);
    Some(flaw)
}

/// A disclose statement where the registry knows none.
fn hidden(record: &mut Record, profile: &Profile) -> Option<Flaw> {
    if profile.disclose.value {
        return None;
    }
    record.set(ContactField::Disclose.at(), "0:email,voice".to_owned());
    Some(Flaw::of("R-priv-001", "disclose"))
}

/// A property that no extension of the registry carries.
fn unknown_property(record: &mut Record, profile: &Profile, at: usize) -> Option<Flaw> {
    let mut properties = Properties::read(record.get(at)).ok().filter(|_| !profile.properties.contains_key(NO_PROPERTY))?;
    properties.set(NO_PROPERTY, "1");
    record.set(at, properties.to_text());
    Some(Flaw::of("R-prop-001", format!("properties.{NO_PROPERTY}")))
}

/// A status that the registry is not known to have.
fn unknown_status(record: &mut Record, profile: &Profile, object: ObjectKind, at: usize) -> Option<Flaw> {
    if profile.statuses.of(object).contains_key(NO_STATUS) {
        return None;
    }
    let others = record.get(at).split(';').filter(|status| !status.is_empty());
    let all: Vec<&str> = others.chain([NO_STATUS]).collect();
    record.set(at, all.join(";"));
    Some(Flaw::of("R-stat-001", format!("statuses.{NO_STATUS}")))
}

/// The first name server once more, behind the others.
fn server_twice(record: &mut Record, profile: &Profile) -> Option<Flaw> {
    let at = DomainField::Ns.at();
    let servers: Vec<&str> = record.get(at).split(';').filter(|server| !server.is_empty()).collect();
    let fits = profile.name_servers.max.as_ref().is_none_or(|most| servers.len() < usize::from(most.value));
    let first = *servers.first().filter(|_| fits)?;
    let place = servers.len() + 1;
    record.set(at, format!("{};{first}", servers.join(";")));
    Some(Flaw::of("R-ns-004", format!("ns[{place}]")))
}
