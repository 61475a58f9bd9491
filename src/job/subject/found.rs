//! `subject find`: where a person's data stand, by handles and names of domains, and with no value of the person.

use super::search::{Looked, Match};
use super::{Known, SubjectOf};
use crate::base::{Exit, Problems, Timestamp, escape_controls};
use crate::compliance::Element;
use crate::compliance::register::Holds;
use crate::compliance::retention::elements;
use crate::job::config::Loaded;
use crate::job::ledgers::Opened;
use crate::job::register::limits;
use crate::job::{Context, Ended};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// What `subject find` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct SubjectFound {
    /// As of when.
    at: Timestamp,
    /// How many persons are meant; one address may be several persons'.
    persons: usize,
    /// The contacts.
    contacts: Vec<FoundContact>,
    /// The ids in the consent ledger and the registers.
    subjects: Vec<String>,
    /// How many events the consent ledger has of them.
    consents: usize,
    /// The cases in the registers.
    cases: Vec<FoundCase>,
    /// The objects whose keys the vault has.
    keys: Vec<String>,
    /// How many salts there are of commitments to rows about the person.
    salts: u64,
    /// What was looked through.
    looked: Vec<Looked>,
}

/// A contact.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
struct FoundContact {
    /// Which of the persons, from 1; nothing where it is of none for sure.
    person: Option<usize>,
    /// The registry.
    registry: String,
    /// The handle.
    handle: String,
    /// Why it was found.
    matched: Match,
    /// Where it stands.
    stores: BTreeSet<&'static str>,
    /// Which kinds of data it holds.
    elements: BTreeSet<&'static str>,
    /// The domains that name it, each with its roles.
    domains: BTreeMap<String, BTreeSet<&'static str>>,
    /// How its data stand by the rules of retention, by cluster.
    retention: BTreeMap<String, &'static str>,
}

/// A case.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
struct FoundCase {
    /// The register.
    register: &'static str,
    /// The case.
    case: String,
    /// How it stands.
    state: Option<&'static str>,
}

/// `subject find`: where the data of whom `of` means stand.
///
/// # Errors
/// `E-subject-…` (exit 2) where nobody is meant; what is wrong with store, records and snapshots.
pub fn subject_find(loaded: &Loaded, ctx: &Context, of: &SubjectOf) -> Result<Ended, Problems> {
    let mut opened = Opened::open(loaded, "subject find")?;
    let known = Known::look(&mut opened, loaded, ctx, of, &limits(None)?)?;
    let holds = Holds::read(&mut opened.store, known.at)?;
    let shown = known.shown(loaded, &holds);
    let text = shown.text();
    Ok(Ended { exits: vec![Exit::Done], json: serde_json::to_value(shown).unwrap_or_default(), text, problems: Vec::new() })
}

impl Known {
    /// Whether a hold stands over the person's data at a registry, and by which case.
    pub(super) fn hold(&self, holds: &Holds, registry: &str) -> Option<String> {
        let of_subjects = self.subjects.iter().find_map(|subject| holds.over(Some(*subject), registry));
        of_subjects.or_else(|| holds.over(None, registry)).map(str::to_owned)
    }

    fn shown(&self, loaded: &Loaded, holds: &Holds) -> SubjectFound {
        let today = self.at.to_zoned(TimeZone::UTC).date();
        let mut contacts: BTreeMap<(String, String, u8), FoundContact> = BTreeMap::new();
        for held in &self.search.contacts {
            let (registry, handle) = (held.registry.to_string(), held.row.id().to_owned());
            let entry = contacts.entry((registry.clone(), handle.clone(), held.matched as u8)).or_insert_with(|| FoundContact {
                person: held.person.map(|n| n + 1),
                registry,
                handle,
                matched: held.matched,
                stores: BTreeSet::new(),
                elements: BTreeSet::new(),
                domains: BTreeMap::new(),
                retention: BTreeMap::new(),
            });
            entry.stores.insert(held.store.as_str());
            entry.elements.extend(elements(&held.row).into_iter().map(Element::as_str));
        }
        for named in &self.search.domains {
            if let Some(contact) = contacts.get_mut(&(named.registry.to_string(), named.contact.clone(), Match::Person as u8)) {
                contact.domains.entry(named.row.id().to_owned()).or_default().extend(named.roles.iter().copied());
            }
        }
        for one in self.resolved(loaded, |registry| self.hold(holds, registry).is_some()) {
            if let Some(contact) = contacts.get_mut(&(one.registry.to_string(), one.handle, Match::Person as u8)) {
                contact.retention.insert(one.cluster, one.resolution.state(today).situation().as_str());
            }
        }
        let case = |case: &crate::compliance::register::Case| FoundCase {
            register: case.register,
            case: case.case.to_string(),
            state: case.state,
        };
        SubjectFound {
            at: self.at,
            persons: self.persons(),
            contacts: contacts.into_values().collect(),
            subjects: self.subjects.iter().map(ToString::to_string).collect(),
            consents: self.consents.len(),
            cases: self.cases.iter().map(case).collect(),
            keys: self.keys.iter().map(|(registry, kind, id, _)| format!("{registry}/{}/{id}", kind.as_str())).collect(),
            salts: self.salts,
            looked: self.search.looked.clone(),
        }
    }
}

impl SubjectFound {
    /// For people.
    fn text(&self) -> String {
        let mut out = vec![format!("{} persons are meant", self.persons)];
        for contact in &self.contacts {
            let who = match contact.matched {
                Match::Person => String::new(),
                Match::Handle => ", by its handle: names or address differ".to_owned(),
                Match::Address => ", by its address alone: perhaps somebody else".to_owned(),
            };
            let stores: Vec<&str> = contact.stores.iter().copied().collect();
            out.push(format!("{}/{} in {}{who}", contact.registry, escape_controls(&contact.handle), stores.join(", ")));
            for (cluster, state) in &contact.retention {
                out.push(format!("  {cluster}: {state}"));
            }
            for (domain, roles) in &contact.domains {
                out.push(format!("  {} ({})", escape_controls(domain), roles.iter().copied().collect::<Vec<_>>().join(", ")));
            }
        }
        out.push(format!("consent ledger: {} events of {} subjects", self.consents, self.subjects.len()));
        out.extend(self.subjects.iter().map(|subject| format!("  subject {subject}")));
        out.push(format!("registers: {} cases", self.cases.len()));
        out.extend(self.cases.iter().map(|case| format!("  {} {}: {}", case.register, case.case, case.state.unwrap_or("unopened"))));
        out.push(format!("vault: {} keys, {} salts of commitments", self.keys.len(), self.salts));
        out.extend(self.keys.iter().map(|key| format!("  {}", escape_controls(key))));
        out.push("not looked through: older snapshots, reports, RDAP answers, backups".to_owned());
        out.join("\n")
    }
}
