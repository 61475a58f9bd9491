//! A data escrow deposit as the tables of local contacts and domains.
//!
//! A deposit tells of no registries: a domain's is the one whose zone its name ends with, and a contact is at each registry at which a
//! domain names it. What a deposit does not tell (statuses, what may be shown, other properties) is empty in these tables.

use super::config::Escrow;
use crate::base::{AtomicFile, Blame, Exit, Problem, Problems, RegistryId, Result};
use crate::dataset::{ContactColumn, ContactField, Deposit, DepositKind, DomainColumn, DomainField, Source, columns};
use crate::model::ObjectKind;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use xxhash_rust::xxh3::Xxh3Default;

/// What a contact's address has, in the two forms of it.
const ADDRESS: [(ContactColumn, ContactField, ContactField); 9] = {
    use ContactColumn as C;
    use ContactField as F;
    [
        (C::Name, F::IntName, F::LocName),
        (C::Org, F::IntOrg, F::LocOrg),
        (C::Street, F::IntStreet1, F::LocStreet1),
        (C::Street2, F::IntStreet2, F::LocStreet2),
        (C::Street3, F::IntStreet3, F::LocStreet3),
        (C::City, F::IntCity, F::LocCity),
        (C::State, F::IntSp, F::LocSp),
        (C::Zip, F::IntPc, F::LocPc),
        (C::Country, F::IntCc, F::LocCc),
    ]
};
/// What else is told of a contact.
const BESIDE: [(ContactColumn, ContactField); 3] =
    [(ContactColumn::Phone, ContactField::Voice), (ContactColumn::Fax, ContactField::Fax), (ContactColumn::Email, ContactField::Email)];
/// What is told of a domain.
const DOMAIN: [(DomainColumn, DomainField); 6] = [
    (DomainColumn::Registrant, DomainField::Registrant),
    (DomainColumn::Admin, DomainField::Admin),
    (DomainColumn::Tech, DomainField::Tech),
    (DomainColumn::Billing, DomainField::Billing),
    (DomainColumn::Ns, DomainField::Ns),
    (DomainColumn::Expires, DomainField::Expires),
];

/// Writes the tables of contacts and domains into `dir`.
///
/// # Errors
/// As [`Deposit::open`]; `E-escrow-001` where it is not a full one; `E-escrow-007` where a name ends with no zone that is configured;
/// `E-file-…`.
pub(super) fn tables(escrow: &Escrow, dir: &Path) -> Result<[Source; 2], Problems> {
    let deposit = Deposit::open(&escrow.dir)?;
    if deposit.kind != DepositKind::Full {
        let what = "the deposit has changes alone, and records are whole";
        return Err(wrong("E-escrow-001", what, "name a full deposit").file(&escrow.dir).into());
    }
    let registries: BTreeSet<&RegistryId> = escrow.zones.values().collect();
    let mut problems = Problems::default();
    let mut named: HashSet<u64> = HashSet::new();
    let mut domains = Table::create(ObjectKind::Domain, &dir.join("deposited-domains.csv"))?;
    deposit.each_domain(|(file, line, values)| {
        let value = |column: DomainColumn| values.get(column.at()).copied().flatten();
        let name = value(DomainColumn::Name).unwrap_or_default().trim().trim_end_matches('.').to_lowercase();
        let Some(registry) = registry_of(escrow, &name) else {
            let what = "the name ends with none of the zones of [records.escrow]";
            problems.push(wrong("E-escrow-007", what, "add its zone and the registry whose it is").file(file).line(line).field("domain"));
            return;
        };
        let list = |text: &str| text.split([';', ',', '|', ' ']).filter(|item| !item.is_empty()).collect::<Vec<_>>().join(";");
        let mut row = vec![String::new(); columns(ObjectKind::Domain).len()];
        for (column, field) in DOMAIN {
            let text = value(column).unwrap_or_default();
            let text = if column == DomainColumn::Expires { text.trim().to_owned() } else { list(text) };
            let is_role = !matches!(column, DomainColumn::Ns | DomainColumn::Expires);
            named.extend(text.split(';').filter(|_| is_role).map(|handle| hash(registry, handle)));
            if let Some(slot) = row.get_mut(field.at()) {
                *slot = text;
            }
        }
        domains.push(registry, &name, &row);
    })?;
    problems.or(())?;
    let mut contacts = Table::create(ObjectKind::Contact, &dir.join("deposited-contacts.csv"))?;
    deposit.each_contact(|(.., values)| {
        let value = |column: ContactColumn| values.get(column.at()).copied().flatten().unwrap_or_default().trim();
        let handle = value(ContactColumn::Handle);
        let mut row = vec![String::new(); columns(ObjectKind::Contact).len()];
        // An address in other letters than ASCII is in the form for these (RFC 5733 §2.4).
        let is_int = ADDRESS.iter().all(|(column, ..)| value(*column).is_ascii());
        let address = ADDRESS.iter().map(|(column, int, loc)| (*column, if is_int { *int } else { *loc }));
        for (column, field) in address.chain(BESIDE) {
            if let Some(slot) = row.get_mut(field.at()) {
                value(column).clone_into(slot);
            }
        }
        for registry in registries.iter().filter(|registry| named.contains(&hash(registry, handle))) {
            contacts.push(registry, handle, &row);
        }
    })?;
    Ok([contacts.end("records.escrow, handles")?, domains.end("records.escrow, domains")?])
}

/// The registry whose zone a name ends with; of several the longest.
fn registry_of<'e>(escrow: &'e Escrow, name: &str) -> Option<&'e RegistryId> {
    let ends = |zone: &str| name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'));
    escrow.zones.iter().filter(|(zone, _)| ends(zone)).max_by_key(|(zone, _)| zone.len()).map(|(_, registry)| registry)
}

fn hash(registry: &RegistryId, handle: &str) -> u64 {
    let mut hasher = Xxh3Default::new();
    hasher.update(registry.as_str().as_bytes());
    hasher.update(&[0]);
    hasher.update(handle.as_bytes());
    hasher.digest()
}

fn wrong(id: &str, what: &str, remedy: &str) -> Box<Problem> {
    Problem::new(id, Blame::Input, what, remedy).exit(Exit::InputIncomplete)
}

/// A table of ours under way.
struct Table {
    writer: csv::Writer<AtomicFile>,
    failed: Option<csv::Error>,
}

impl Table {
    fn create(kind: ObjectKind, path: &Path) -> Result<Self> {
        let mut table = Self { writer: csv::Writer::from_writer(AtomicFile::create(path)?), failed: None };
        table.write(["registry", "id"].into_iter().chain(columns(kind).iter().map(|column| column.name)));
        Ok(table)
    }

    fn push(&mut self, registry: &RegistryId, id: &str, row: &[String]) {
        self.write([registry.as_str(), id].into_iter().chain(row.iter().map(String::as_str)));
    }

    fn write<'v>(&mut self, values: impl Iterator<Item = &'v str>) {
        if self.failed.is_none() {
            self.failed = self.writer.write_record(values).err();
        }
    }

    /// Puts the file in place; the table of `setting`.
    fn end(self, setting: &str) -> Result<Source> {
        let told = |what: String| {
            let remedy = "check free space in the state directory";
            Problem::new("E-file-002", Blame::Operator, format!("cannot write a table of the deposit: {what}"), remedy).exit(Exit::Storage)
        };
        if let Some(error) = self.failed {
            return Err(told(error.to_string()));
        }
        let file = self.writer.into_inner().map_err(|e| told(e.error().to_string()))?;
        let path = file.path().to_owned();
        file.commit()?;
        Ok(Source { setting: Some(setting.to_owned()), ..Source::of(vec![path]) })
    }
}
