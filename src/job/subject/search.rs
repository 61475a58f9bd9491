//! Whom somebody means, and where in records and snapshots that person is met: one pass over each, with the rows that match in memory.

use super::{NOBODY, SubjectOf, part};
use crate::base::{Blame, Personal, Problem, Problems, RegistryId, Result, StateDir, Timestamp};
use crate::compliance::access::Holding;
use crate::compliance::register::Case;
use crate::compliance::{Fingerprint, Ledger, Subject, same_mailbox};
use crate::dataset::{ContactField, DomainField, Records, Row, ServiceEnd, ServiceEnds, Snapshot, State, bucket_of};
use crate::job::config::Loaded;
use crate::job::ledgers::nobody;
use crate::model::ObjectKind;
use std::collections::{BTreeMap, HashSet};

/// The parts a person may be named by.
const PARTS: [&str; 5] = ["first", "last", "organisation", "country", "email"];
/// The roles of a domain, each with its column.
const ROLES: [(&str, DomainField); 4] = [
    ("registrant", DomainField::Registrant),
    ("admin", DomainField::Admin),
    ("tech", DomainField::Tech),
    ("billing", DomainField::Billing),
];

/// Whom somebody means.
pub(super) enum Wanted {
    /// The person of that fingerprint.
    Person(Box<Fingerprint>),
    /// Whoever is reached at that address.
    Address(Personal),
    /// The subject of that id.
    Subject(Subject),
}

/// Why a contact was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::job) enum Match {
    /// It is of the person.
    Person,
    /// It has the handle of a contact of the person, and other names or another address.
    Handle,
    /// It has the person's address, and another name: perhaps somebody else.
    Address,
}

/// A contact that was found.
pub(super) struct Held {
    pub(super) registry: RegistryId,
    pub(super) store: Holding,
    pub(super) row: Row,
    pub(super) matched: Match,
    /// Which of the persons, from 0.
    pub(super) person: Option<usize>,
}

/// A domain that names a contact of the person.
pub(super) struct Named {
    pub(super) registry: RegistryId,
    pub(super) store: Holding,
    pub(super) row: Row,
    pub(super) contact: String,
    pub(super) roles: Vec<&'static str>,
    pub(super) in_use: bool,
    pub(super) end: Option<ServiceEnd>,
    /// How many other contacts it names.
    pub(super) others: u64,
}

/// Something that was looked through.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub(in crate::job) struct Looked {
    /// What.
    place: String,
    /// How many rows it has.
    rows: u64,
    /// How many of them are of the person, or perhaps.
    found: u64,
}

/// What was found.
#[derive(Default)]
pub(super) struct Search {
    /// The persons who are meant.
    pub(super) people: Vec<Fingerprint>,
    pub(super) contacts: Vec<Held>,
    pub(super) domains: Vec<Named>,
    /// When each registry's snapshot was finished.
    pub(super) snapshots: BTreeMap<RegistryId, Timestamp>,
    pub(super) looked: Vec<Looked>,
}

/// Whom `of` means; the subject of the case `asked`, where nothing else is said.
///
/// # Errors
/// `E-subject-001` (exit 2) where nobody can be told by it, `E-subject-003` where it is said in no way or in several; what keeps a part
/// from being read.
pub(super) fn wanted(loaded: &Loaded, records: &Records, of: &SubjectOf, asked: Option<&Case>) -> Result<Wanted, Problems> {
    let ways = [of.handle.is_some(), of.subject.is_some(), !of.texts.is_empty()].into_iter().filter(|there| *there).count();
    let said = |what: &str| {
        let remedy = "give --handle with --registry, or --subject, or --text PART=FILE, or --case";
        Problem::new("E-subject-003", Blame::Operator, what, remedy)
    };
    if ways > 1 {
        return Err(said("the person is named in several ways").into());
    }
    if let Some(id) = &of.subject {
        let subject = Subject::read(id).ok_or_else(|| nobody(NOBODY, "this is no subject's id: it has 32 hexadecimal digits"))?;
        return Ok(Wanted::Subject(subject));
    }
    if let Some(handle) = &of.handle {
        return Ok(by_handle(loaded, records, of.registry.as_deref(), handle)?);
    }
    if of.texts.is_empty() {
        let subject = asked.ok_or_else(|| said("nobody is named"))?.subject;
        return Ok(Wanted::Subject(subject.ok_or_else(|| nobody(NOBODY, "the case is of nobody"))?));
    }
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    let mut problems = Problems::default();
    for (name, path) in &of.texts {
        match PARTS.iter().find(|known| *known == name) {
            Some(known) => drop(values.insert(known, part(known, path)?)),
            None => {
                let remedy = format!("known: {}", PARTS.join(", "));
                problems.push(Problem::new("E-subject-003", Blame::Operator, "a person has no such part", remedy).field(name));
            }
        }
    }
    problems.or(())?;
    let value = |name: &str| values.get(name).map_or("", String::as_str);
    let email = value("email");
    if values.keys().all(|name| *name == "email") && email.contains('@') {
        return Ok(Wanted::Address(Personal::new(email)));
    }
    let name = format!("{} {}", value("first"), value("last"));
    let person = Fingerprint::of(&name, value("organisation"), value("country"), email);
    let told = || nobody(NOBODY, "nobody can be told by these: a name or an organisation is needed, and an address");
    Ok(Wanted::Person(Box::new(person.ok_or_else(told)?)))
}

/// The person whose contact has that handle, in the records or else at the registry.
fn by_handle(loaded: &Loaded, records: &Records, registry: Option<&str>, handle: &str) -> Result<Wanted> {
    let only = registry.map(|id| loaded.config.registry(id).map(|(id, _)| id)).transpose()?;
    let state = StateDir::open(&loaded.config.state)?;
    let mut rows = Vec::new();
    for id in loaded.config.registries.keys().filter(|id| only.is_none_or(|only| only == *id)) {
        let bucket = bucket_of(id, ObjectKind::Contact, handle, records.buckets_log2());
        let mut row = records.rows(id, ObjectKind::Contact, bucket)?.into_iter().find(|row| row.id() == handle);
        if row.is_none()
            && let Some(snapshot) = Snapshot::newest(state.root(), id)?
        {
            row = observed(&snapshot, id, ObjectKind::Contact, handle)?;
        }
        rows.extend(row);
    }
    if rows.is_empty() {
        return Err(nobody(NOBODY, "neither the local records nor the newest snapshots have such a contact"));
    }
    let mut people: Vec<Fingerprint> = rows.iter().filter_map(Fingerprint::of_row).collect();
    people.dedup();
    match (people.pop(), people.is_empty()) {
        (Some(person), true) => Ok(Wanted::Person(Box::new(person))),
        (None, _) => Err(nobody(NOBODY, "nobody can be told by that contact: it has no name or no address")),
        (Some(_), false) => Err(nobody(super::MANY, "several registries have that handle, for several persons: name the registry")),
    }
}

/// An object of a snapshot, where it could be read.
fn observed(snapshot: &Snapshot, registry: &RegistryId, kind: ObjectKind, id: &str) -> Result<Option<Row>> {
    let bucket = bucket_of(registry, kind, id, snapshot.manifest().buckets_log2);
    let found = snapshot.rows(kind, bucket)?.into_iter().find(|observed| observed.state == State::Ok && observed.row.id() == id);
    Ok(found.map(|observed| observed.row))
}

impl Search {
    /// Looks through the records and the newest snapshot of every configured registry.
    ///
    /// # Errors
    /// `E-parquet-…`, `E-snapshot-…`; what keeps the ledger from being read.
    pub(super) fn run(loaded: &Loaded, records: &Records, ends: &ServiceEnds, wanted: &Wanted, ledger: &mut Ledger<'_>) -> Result<Self> {
        let mut search = Self::default();
        if let Wanted::Person(person) = wanted {
            search.people.push((**person).clone());
        }
        let state = StateDir::open(&loaded.config.state)?;
        for id in loaded.config.registries.keys() {
            let snapshot = Snapshot::newest(state.root(), id)?;
            let mut rows = 0;
            records.each(id, ObjectKind::Contact, |row| {
                rows += 1;
                search.contact(id, Holding::Records, row, wanted, ledger)
            })?;
            search.note(id, Holding::Records, rows);
            if let Some(snapshot) = &snapshot {
                search.snapshots.insert(id.clone(), snapshot.manifest().finished);
                rows = 0;
                snapshot.each(ObjectKind::Contact, |row| {
                    rows += 1;
                    search.contact(id, Holding::Registry, row, wanted, ledger)
                })?;
                search.note(id, Holding::Registry, rows);
            }
            search.domains(id, records, snapshot.as_ref(), ends)?;
        }
        Ok(search)
    }

    /// The contacts that are surely the person's.
    pub(super) fn own(&self) -> impl Iterator<Item = &Held> {
        self.contacts.iter().filter(|held| held.matched == Match::Person)
    }

    fn note(&mut self, id: &RegistryId, store: Holding, rows: u64) {
        let found = self.contacts.iter().filter(|held| held.registry == *id && held.store == store).count() as u64;
        let place = match store {
            Holding::Records => format!("contacts of {id} in the local records"),
            Holding::Registry => format!("contacts of {id} in its newest snapshot"),
        };
        self.looked.push(Looked { place, rows, found });
    }

    /// Takes in a contact, where it is the person's or may be.
    fn contact(&mut self, id: &RegistryId, store: Holding, row: Row, wanted: &Wanted, ledger: &mut Ledger<'_>) -> Result<()> {
        let email = row.get(ContactField::Email.at()).unwrap_or_default();
        let person = Fingerprint::of_row(&row);
        let matched = match wanted {
            Wanted::Person(wanted) if person.as_ref() == Some(&**wanted) => Some(Match::Person),
            Wanted::Person(wanted) => wanted.is_reached_at(email).then_some(Match::Address),
            Wanted::Address(address) if same_mailbox(email, address.reveal()) => {
                Some(if person.is_some() { Match::Person } else { Match::Address })
            }
            Wanted::Address(_) => None,
            Wanted::Subject(subject) => {
                let of = person.as_ref().map(|person| ledger.subject_of(person)).transpose()?.flatten();
                (of == Some(*subject)).then_some(Match::Person)
            }
        };
        let has_handle = || self.own().any(|held| held.registry == *id && held.row.id() == row.id());
        let matched = match matched {
            Some(Match::Person) => Match::Person,
            // The registry's contact of that handle is what the records mean by it.
            other => match other.or_else(|| has_handle().then_some(Match::Handle)) {
                Some(_) if has_handle() => Match::Handle,
                Some(other) => other,
                None => return Ok(()),
            },
        };
        let mut place = None;
        if let Some(person) = person.filter(|_| matched == Match::Person) {
            place = Some(self.people.iter().position(|known| *known == person).unwrap_or_else(|| {
                self.people.push(person);
                self.people.len() - 1
            }));
        }
        self.contacts.push(Held { registry: id.clone(), store, row, matched, person: place });
        Ok(())
    }

    /// Takes in the domains of a registry that name contacts of the person.
    fn domains(&mut self, id: &RegistryId, records: &Records, snapshot: Option<&Snapshot>, ends: &ServiceEnds) -> Result<()> {
        let handles: HashSet<String> = self.own().filter(|held| held.registry == *id).map(|held| held.row.id().to_owned()).collect();
        if handles.is_empty() {
            return Ok(());
        }
        records.each(id, ObjectKind::Domain, |row| {
            if handles_of(&row).any(|(_, handle)| handles.contains(handle)) {
                let end = ends.of(row.id());
                let in_use = match snapshot {
                    Some(snapshot) => observed(snapshot, id, ObjectKind::Domain, row.id())?.is_some(),
                    None => end.is_none(),
                };
                self.domain(id, Holding::Records, &row, &handles, (in_use, end));
            }
            Ok(())
        })?;
        let Some(snapshot) = snapshot else { return Ok(()) };
        snapshot.each(ObjectKind::Domain, |row| {
            self.domain(id, Holding::Registry, &row, &handles, (true, None));
            Ok(())
        })
    }

    fn domain(&mut self, id: &RegistryId, store: Holding, row: &Row, handles: &HashSet<String>, life: (bool, Option<&ServiceEnd>)) {
        let all: HashSet<&str> = handles_of(row).map(|(_, handle)| handle).collect();
        let others = all.iter().filter(|handle| !handles.contains(**handle)).count() as u64;
        let mut own: Vec<&str> = all.into_iter().filter(|handle| handles.contains(*handle)).collect();
        own.sort_unstable();
        for contact in own {
            let roles = handles_of(row).filter(|(_, handle)| *handle == contact).map(|(role, _)| role).collect();
            let (registry, contact) = (id.clone(), contact.to_owned());
            let named = Named { registry, store, row: row.clone(), contact, roles, in_use: life.0, end: life.1.cloned(), others };
            self.domains.push(named);
        }
    }
}

/// The handles that a domain names, each with its role.
fn handles_of(row: &Row) -> impl Iterator<Item = (&'static str, &str)> {
    let of = |(role, field): (&'static str, DomainField)| {
        let all = row.get(field.at()).into_iter().flat_map(|all| all.split(';'));
        all.map(move |handle| (role, handle.trim())).filter(|(_, handle)| !handle.is_empty())
    };
    ROLES.into_iter().flat_map(of)
}
