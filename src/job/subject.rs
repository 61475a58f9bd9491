//! `subject find|export|erase`: where a person's data stand, what they get of it, and what of it is erased here.

mod erase;
mod export;
mod files;
mod found;
mod residual;
mod search;

pub use erase::{ErasedCommitment, Erasure, ErasureStore, SubjectErased, subject_erase};
pub use export::{Audit, SubjectExported, subject_export};
pub use found::{SubjectFound, subject_find};
pub use residual::Residual;
pub(super) use residual::own_residuals;

use super::commitments::Owners;
use super::config::Loaded;
use super::ledgers::Opened;
use super::redacting::Gone;
use super::{Context, ledgers, queried};
use crate::base::{Blame, Event, Exit, ObjectRef, Problem, Problems, RegistryId, Result, Timestamp, read_capped};
use crate::compliance::register::{Book, Case, Limits, Use, register, registers};
use crate::compliance::retention::{Kept, Life, Resolution, items, resolve};
use crate::compliance::{Ledger, Record, Subject, Subjects, Token};
use crate::dataset::{ContactField, ServiceEnds};
use crate::model::ObjectKind;
use crate::plan::vault_name;
use crate::store::{Store, Table, Vault};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use search::{Match, Search, Wanted};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The most bytes of a file with one part of a person.
const MAX_PART: u64 = 1_000;
/// That nobody is meant, or more than one.
const NOBODY: &str = "E-subject-001";
const MANY: &str = "E-subject-002";

/// Who is meant.
#[derive(Clone, Debug, Default)]
pub struct SubjectOf {
    /// The registry of the handle.
    pub registry: Option<String>,
    /// The contact's handle.
    pub handle: Option<String>,
    /// The id in the ledgers.
    pub subject: Option<String>,
    /// Files with parts of the person, by part: `first`, `last`, `organisation`, `country`, `email`; `-` is standard input.
    pub texts: Vec<(String, PathBuf)>,
    /// The case in the register of requests.
    pub case: Option<String>,
}

/// All that is known of whom somebody means.
pub(super) struct Known {
    at: Timestamp,
    search: Search,
    /// The ids in the ledgers that live still.
    subjects: Vec<Subject>,
    consents: Vec<Record>,
    withdrawn: Option<Date>,
    /// The cases of the person, by register.
    cases: Vec<Case>,
    /// The keys that the vault has of the person's objects: registry, kind, id, and the random reference.
    keys: Vec<(RegistryId, ObjectKind, String, ObjectRef)>,
    /// The owners of commitments to rows about the person's objects.
    rows: Vec<[u8; 16]>,
    /// Salts of commitments to rows about the person.
    salts: u64,
    /// The case that was named, where it is the person's.
    asked: Option<Case>,
}

impl Known {
    /// Looks for whom `of` means, in everything that is here.
    ///
    /// # Errors
    /// `E-subject-001` to `-006` (exit 2) where nobody or more than one way is meant, or a part cannot be read; what is wrong with store,
    /// records and snapshots.
    fn look(opened: &mut Opened, loaded: &Loaded, ctx: &Context, of: &SubjectOf, limits: &Limits) -> Result<Self, Problems> {
        let at = ctx.clock.wall();
        let asked = of.case.as_deref().map(|case| requested(&mut opened.store, case, at, limits)).transpose()?;
        let records = opened.records(loaded, ctx)?;
        let wanted = search::wanted(loaded, &records, of, asked.as_ref())?;
        ctx.events.tell(Event::Stage { name: "subject" });
        let today = at.to_zoned(TimeZone::UTC).date();
        let ends = match &queried::records(&loaded.config, ctx)?.services {
            Some(source) => ServiceEnds::read(source, today)?,
            None => ServiceEnds::default(),
        };
        let mut ledger = Ledger::open(&mut opened.store)?;
        let search = Search::run(loaded, &records, &ends, &wanted, &mut ledger)?;
        let mut subjects: BTreeSet<Subject> = BTreeSet::new();
        for person in &search.people {
            subjects.extend(ledger.subject_of(person)?);
        }
        subjects.extend(match wanted {
            Wanted::Subject(subject) => Some(subject),
            _ => None,
        });
        let mut alive = Vec::new();
        let (mut consents, mut withdrawn) = (Vec::new(), None);
        for subject in subjects {
            consents.extend_from_slice(ledger.events(subject));
            withdrawn = withdrawn.max(ledger.withdrawn(subject, at));
            alive.push(subject);
        }
        drop(ledger);
        let mut map = Subjects::open(&mut opened.store)?;
        let mut subjects = Vec::new();
        for subject in alive {
            subjects.extend(map.key(subject)?.map(|_| subject));
        }
        // What an erased subject said is nobody's any more.
        consents.retain(|record| subjects.contains(&record.subject));
        consents.sort_by_key(|record| record.at);
        if asked.as_ref().and_then(|case| case.subject).is_some_and(|subject| !subjects.is_empty() && !subjects.contains(&subject)) {
            let what = "the case is of somebody else";
            return Err(Problem::new("E-subject-005", Blame::Operator, what, "see `privet request show --case ID`").into());
        }
        let cases = cases_of(&mut opened.store, &subjects, at, limits)?;
        let mut known = Self {
            at,
            search,
            subjects,
            consents,
            withdrawn: withdrawn.map(|at| at.to_zoned(TimeZone::UTC).date()),
            cases,
            keys: Vec::new(),
            rows: Vec::new(),
            salts: 0,
            asked,
        };
        known.keys = keys_of(&mut opened.store, &known.objects())?;
        if let Some(owners) = Owners::known(&mut opened.store)? {
            known.rows = known.objects().iter().map(|(registry, kind, id)| owners.of(registry.as_str(), *kind, id)).collect();
        }
        known.salts = salts_of(&mut opened.store, &known.owners())?;
        Ok(known)
    }

    /// How many persons are meant.
    fn persons(&self) -> usize {
        self.search.people.len().max(self.subjects.len())
    }

    /// That one person is meant and no more, as whoever gets or loses data must be.
    ///
    /// # Errors
    /// `E-subject-002` (exit 2).
    fn one(&self) -> Result<()> {
        if self.persons() <= 1 {
            return Ok(());
        }
        let what = format!("{} persons are meant by this: one address, and several names", self.persons());
        Err(Problem::new(MANY, Blame::Operator, what, "name one by the handle of a contact, or by all parts; `subject find` tells of them"))
    }

    /// The objects whose keys the vault may have: contacts of the person, and domains that they are the registrant of.
    fn objects(&self) -> Vec<(RegistryId, ObjectKind, String)> {
        let contacts = self.search.own().map(|held| (held.registry.clone(), ObjectKind::Contact, held.row.id().to_owned()));
        let owned = self.search.domains.iter().filter(|named| named.roles.contains(&"registrant"));
        let domains = owned.map(|named| (named.registry.clone(), ObjectKind::Domain, named.row.id().to_owned()));
        let all: BTreeSet<(RegistryId, &'static str, String)> =
            contacts.chain(domains).map(|(r, kind, id)| (r, kind.as_str(), id)).collect();
        let kind = |word: &str| if word == ObjectKind::Domain.as_str() { ObjectKind::Domain } else { ObjectKind::Contact };
        all.into_iter().map(|(registry, word, id)| (registry, kind(word), id)).collect()
    }

    /// Whom salted commitments are about.
    fn owners(&self) -> Vec<[u8; 16]> {
        let keys = self.keys.iter().map(|(.., reference)| *reference.bytes());
        self.subjects.iter().map(|subject| *subject.bytes()).chain(keys).chain(self.rows.iter().copied()).collect()
    }

    /// The same objects, as those whose rows go from the tables of earlier runs.
    fn gone(&self) -> Gone {
        let mut gone = Gone::default();
        self.objects().iter().for_each(|(registry, kind, id)| gone.add(registry.as_str(), *kind, id));
        gone
    }

    /// What the rules come to for each contact of the person, with the cluster.
    fn resolved<'l>(&self, loaded: &'l Loaded, held: impl Fn(&str) -> bool) -> Vec<Resolved<'l>> {
        use ContactField as F;
        let today = self.at.to_zoned(TimeZone::UTC).date();
        let pack = &loaded.config.retention.pack;
        let mut out: BTreeMap<(RegistryId, String, String), Resolved<'l>> = BTreeMap::new();
        for contact in self.search.own() {
            let Some(registry) = loaded.config.registries.get(&contact.registry) else { continue };
            let mut life = Life::default();
            for named in self.search.domains.iter().filter(|named| named.registry == contact.registry && named.contact == contact.row.id())
            {
                let is_needed = named.roles.iter().any(|role| matches!(*role, "registrant" | "tech"));
                life.meet(named.in_use, is_needed, named.end.as_ref());
            }
            let scopes = pack.scopes_of(&registry.profile.id);
            let country = [F::LocCc, F::IntCc].iter().find_map(|field| contact.row.get(field.at()));
            let kept = Kept {
                scopes: &scopes,
                life: &life,
                country,
                contracts: &loaded.config.retention.contracts,
                withdrawn: self.withdrawn,
                held: held(contact.registry.as_str()),
            };
            for item in items(pack, &kept) {
                let place = (contact.registry.clone(), contact.row.id().to_owned(), item.cluster.to_owned());
                let resolution = resolve(pack, &item, today);
                let (registry, handle, cluster) = place.clone();
                out.insert(place, Resolved { registry, handle, cluster, in_use: life.in_use, resolution });
            }
        }
        out.into_values().collect()
    }
}

/// What the rules come to for one cluster of one contact.
struct Resolved<'l> {
    registry: RegistryId,
    handle: String,
    cluster: String,
    in_use: bool,
    resolution: Resolution<'l>,
}

/// The case in the register of requests.
fn requested(store: &mut dyn Store, case: &str, at: Timestamp, limits: &Limits) -> Result<Case> {
    let none = || ledgers::nobody("E-subject-004", "the register of requests has no such case");
    let book = Book::open(store, register("request").ok_or_else(none)?)?;
    Token::read(case).and_then(|case| book.case(&case, at, limits)).ok_or_else(none)
}

/// The cases of `subjects` in every register.
fn cases_of(store: &mut dyn Store, subjects: &[Subject], at: Timestamp, limits: &Limits) -> Result<Vec<Case>> {
    let mut out = Vec::new();
    for register in registers().iter().filter(|register| register.subject != Use::None) {
        let book = Book::open(store, register)?;
        out.extend(book.cases(at, limits).filter(|case| case.subject.is_some_and(|subject| subjects.contains(&subject))));
    }
    Ok(out)
}

/// Those of `objects` that the vault has a key of.
fn keys_of(
    store: &mut dyn Store,
    objects: &[(RegistryId, ObjectKind, String)],
) -> Result<Vec<(RegistryId, ObjectKind, String, ObjectRef)>> {
    let mut vault = Vault::new(store);
    let mut out = Vec::new();
    for (registry, kind, id) in objects {
        if let Some(key) = vault.key_of(&vault_name(registry.as_str(), *kind, id))? {
            out.push((registry.clone(), *kind, id.clone(), key.reference()));
        }
    }
    Ok(out)
}

/// How many salts of commitments about `owners` there are.
fn salts_of(store: &mut dyn Store, owners: &[[u8; 16]]) -> Result<u64> {
    let mut count = 0;
    for owner in owners {
        store.cells(Table::RowSalts, owner, &mut |_, _| {
            count += 1;
            Ok(())
        })?;
    }
    Ok(count)
}

/// The text of one part of a person, without blanks at its ends.
fn part(name: &str, path: &Path) -> Result<String> {
    let path = if path == Path::new("-") { Path::new("/dev/stdin") } else { path };
    let bytes = read_capped(path, MAX_PART)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Problem::new("E-subject-006", Blame::Operator, "the part is not UTF-8", "save it as UTF-8").file(path).field(name).exit(Exit::Usage)
    })?;
    Ok(text.trim().to_owned())
}

/// The registries in which the person is met, with the contacts there that are surely theirs.
fn registries_of(search: &Search) -> BTreeSet<&RegistryId> {
    search.contacts.iter().filter(|held| held.matched == Match::Person).map(|held| &held.registry).collect()
}
