//! What the record stands on: whose data a registry's contacts are, how long they are held, what was sent there, and how files are kept.

use super::apply::plans;
use super::config::Loaded;
use super::keeping::hash;
use super::oversight::{Cases, Whole, observed};
use crate::base::{RegistryId, Result, StateDir, Timestamp};
use crate::compliance::exposure::{Person, special_of, special_properties};
use crate::compliance::oversight::{Met, assess};
use crate::compliance::processing::{Assessed, Evidence};
use crate::compliance::register::Holds;
use crate::compliance::retention::{Kept, Life, State as Keeping, elements, items, resolve};
use crate::compliance::{Fingerprint, Ledger};
use crate::dataset::{ContactField, Records, Row, Snapshot};
use crate::journal::{self, StepState};
use crate::model::ObjectKind;
use crate::plan::{PlanFile, Turn};
use crate::policy::SpecialKind;
use crate::store::Store;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

/// The bits of a mode that let other accounts in.
const OTHERS: u32 = 0o077;

/// What was sent, by turn and field.
pub(super) type Sent = BTreeMap<(&'static str, String), u64>;

/// One registry while its contacts are looked at. Memory holds 8 bytes for each person and contact.
pub(super) struct Looking<'a, 's> {
    pub(super) loaded: &'a Loaded,
    pub(super) id: &'a RegistryId,
    pub(super) at: Timestamp,
    pub(super) ledger: &'a mut Ledger<'s>,
    pub(super) holds: &'a Holds,
    /// What domains tell of their contacts.
    pub(super) lives: &'a HashMap<u64, Life>,
    /// What was met over all registries.
    pub(super) whole: &'a mut Whole,
}

impl Looking<'_, '_> {
    /// Every contact of the registry once: those of the records, and those that the registry alone holds.
    ///
    /// # Errors
    /// `E-parquet-…` (exit 33) where records or snapshot cannot be read; `E-store-…`.
    pub(super) fn look(&mut self, seen: &mut Evidence, records: &Records, snapshot: Option<&Snapshot>) -> Result<()> {
        let today = self.at.to_zoned(TimeZone::UTC).date();
        let scopes = self.loaded.config.retention.pack.scopes_of(&seen.profile);
        let (mut contacts, mut persons) = (HashSet::new(), HashSet::new());
        seen.special = Some([0; 3]);
        seen.overdue = Some((0, 0));
        records.each(self.id, ObjectKind::Contact, |row| {
            if contacts.insert(hash(row.id())) {
                self.contact(seen, &row, &mut persons, (&scopes, today))?;
            }
            Ok(())
        })?;
        let Some(snapshot) = snapshot else { return Ok(()) };
        for kind in ObjectKind::ALL {
            for (sponsor, n) in snapshot.sponsors(kind)? {
                *seen.sponsors.entry(sponsor).or_default() += n;
            }
        }
        let mut is_more = false;
        snapshot.each_id(ObjectKind::Contact, |id| is_more |= !contacts.contains(&hash(id)))?;
        if !is_more {
            return Ok(());
        }
        snapshot.each(ObjectKind::Contact, |row| {
            if contacts.insert(hash(row.id())) {
                self.contact(seen, &row, &mut persons, (&scopes, today))?;
            }
            Ok(())
        })
    }

    fn contact(&mut self, seen: &mut Evidence, row: &Row, persons: &mut HashSet<u64>, at: (&[Box<str>], Date)) -> Result<()> {
        use ContactField as F;
        seen.contacts += 1;
        self.whole.contacts += 1;
        for element in elements(row) {
            *seen.elements.entry(element).or_default() += 1;
        }
        let Some(registry) = self.loaded.config.registries.get(self.id) else { return Ok(()) };
        let held = Person::of(row);
        let kinds: BTreeSet<SpecialKind> =
            special_of(&held).map(|(_, kind)| kind).chain(special_properties(&held, &registry.profile).map(|(_, kind)| kind)).collect();
        self.whole.special += u64::from(!kinds.is_empty());
        for (n, kind) in seen.special.iter_mut().flatten().zip(SpecialKind::ALL) {
            *n += u64::from(kinds.contains(&kind));
        }
        let country = [F::LocCc, F::IntCc].iter().find_map(|field| row.get(field.at()));
        let person = Fingerprint::of_row(row);
        self.kept(seen, row, country, person.as_ref(), at)?;
        let Some(person) = person else { return Ok(()) };
        self.whole.persons.insert(person.hash64());
        let country = country.unwrap_or("??").to_uppercase();
        if country != "??" && !self.whole.countries.contains(&country) {
            self.whole.countries.insert(country.clone());
        }
        if persons.insert(person.hash64()) {
            let is_natural = ![F::LocOrg, F::IntOrg].iter().any(|field| row.get(field.at()).is_some_and(|org| !org.trim().is_empty()));
            *seen.subjects.entry((is_natural, country)).or_default() += 1;
        }
        Ok(())
    }

    /// How long a contact's data are held, by the rules in force.
    fn kept(
        &mut self,
        seen: &mut Evidence,
        row: &Row,
        country: Option<&str>,
        person: Option<&Fingerprint>,
        (scopes, today): (&[Box<str>], Date),
    ) -> Result<()> {
        let none = Life::default();
        let life = self.lives.get(&hash(row.id())).unwrap_or(&none);
        let subject = person.map(|person| self.ledger.subject_of(person)).transpose()?.flatten();
        let withdrawn = subject.and_then(|subject| self.ledger.withdrawn(subject, self.at));
        let withdrawn = withdrawn.map(|at| at.to_zoned(TimeZone::UTC).date());
        let retention = &self.loaded.config.retention;
        let held = self.holds.over(subject, self.id.as_str()).is_some();
        let kept = Kept { scopes, life, country, contracts: &retention.contracts, withdrawn, held };
        for item in items(&retention.pack, &kept) {
            seen.ended += u64::from(!item.in_use);
            if let Keeping::Overdue(days) = resolve(&retention.pack, &item, today).state(today) {
                let (n, oldest) = seen.overdue.unwrap_or_default();
                seen.overdue = Some((n + 1, oldest.max(days)));
            }
        }
        Ok(())
    }
}

/// The criteria of an impact assessment, by what was met over all registries and what the registers tell.
pub(super) fn assessed(loaded: &Loaded, whole: &Whole, cases: &Cases) -> Assessed {
    let config = &loaded.config;
    let rules = &config.overseeing;
    let (criteria, is_needed) = assess(&rules.dpia, &observed(whole, cases, rules, config.record.small), &config.oversight);
    let said = config.oversight.iter().filter(|(key, _)| matches!(key.as_str(), "scoring" | "automated-effect"));
    Assessed {
        met: criteria.iter().filter(|one| one.met == Met::Yes).map(|one| one.id.to_string()).collect(),
        of: criteria.len(),
        is_needed,
        decision: config.oversight.get("assessment").cloned(),
        said: said.map(|(key, value)| (key.clone(), value.clone())).collect(),
        dated: rules.dated,
    }
}

/// What plans sent that took effect, by registry: creations and changes, by the fields that they set.
///
/// # Errors
/// As [`PlanFile::open`] and [`journal::open`].
pub(super) fn sent(state: &StateDir, store: &mut dyn Store) -> Result<BTreeMap<String, Sent>> {
    let mut all: BTreeMap<String, Sent> = BTreeMap::new();
    for path in plans(state) {
        let plan = PlanFile::open(&path)?;
        let fold = journal::open(store, &plan.header().id)?;
        for operation in plan.operations()? {
            let operation = operation?;
            let numbered = (0_u8..).zip(&operation.steps);
            // What was as wanted before anything was sent, nobody sent.
            let took = |(number, _): &(u8, _)| {
                let standing = fold.of(operation.op, *number);
                standing.state == StepState::Verified && standing.sends > 0
            };
            for (_, step) in numbered.filter(took).filter(|(_, step)| step.turn != Turn::Delete) {
                let told = all.entry(operation.registry.clone()).or_default();
                for change in step.changes() {
                    *told.entry((step.turn.as_str(), change.fact.as_str().to_owned())).or_default() += 1;
                }
            }
        }
    }
    Ok(all)
}

/// How the files of this tool are kept: by the mode of its state directory, as it is.
pub(super) fn at_rest(state: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let mode = state.metadata().ok()?.mode() & 0o7777;
    let who = if mode & OTHERS == 0 { "its account alone reads them" } else { "other accounts may read them" };
    Some(format!("files of this tool in a directory of mode {mode:04o}: {who}"))
}
