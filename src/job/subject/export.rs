//! `subject export`: the access bundle of one person, what they may take along, and what was looked through, which is not theirs.

use super::files::write;
use super::search::{Held, Looked, Match};
use super::{Known, Resolved, SubjectOf, registries_of};
use crate::base::{Blame, Exit, Personal, Problem, Problems, Result, Timestamp, write_atomic};
use crate::compliance::access::{
    AccessCase, AccessClock, AccessConsent, AccessDisclosure, AccessDomain, Answering, Bundle, Datum, Holding, Period, PurposeOf,
    RecipientOf, portable,
};
use crate::compliance::processing::Role;
use crate::compliance::register::{Book, Case, Holds, Kind, Use, registers};
use crate::compliance::retention::{Bound, LegalBasis};
use crate::compliance::{Actor, Element, Method, Purpose, Record};
use crate::dataset::{DomainField, columns};
use crate::job::config::Loaded;
use crate::job::ledgers::Opened;
use crate::job::processing::Registered;
use crate::job::register::limits;
use crate::job::{Context, Ended};
use crate::model::ObjectKind;
use crate::store::Store;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Registers whose cases are told in their own way, or are the controller's alone.
const APART: [&str; 2] = ["disclosure", "hold"];

/// What was looked through for a bundle, and how much of each kind was found: for the controller, and without a value.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Audit {
    /// As of when.
    at: Timestamp,
    /// The case in the register of requests.
    case: Option<String>,
    /// What was looked through.
    looked: Vec<Looked>,
    /// What was not.
    not_looked: Vec<&'static str>,
    /// How many there are of each kind in the bundle.
    found: BTreeMap<&'static str, u64>,
    /// Contacts with the person's address and another name, which are not in the bundle.
    only_address: u64,
    /// Keys in the vault of the person's objects.
    keys: u64,
    /// The cases that hold the data, which the bundle does not tell.
    holds: BTreeSet<String>,
}

/// What `subject export` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct SubjectExported {
    /// The folder.
    folder: String,
    /// What it came to.
    audit: Audit,
}

/// `subject export`: writes the bundle of whom `of` means into `dir`, which is made, or empty. `country` names whose holidays count.
///
/// # Errors
/// `E-subject-…` (exit 2) where nobody or more than one person is meant, or the folder is not empty; `E-file-…` (exit 33).
pub fn subject_export(loaded: &Loaded, ctx: &Context, of: &SubjectOf, dir: &Path, country: Option<&str>) -> Result<Ended, Problems> {
    if std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
        let what = "the folder is not empty";
        return Err(Problem::new("E-subject-007", Blame::Operator, what, "name a new one: a bundle is one person's").file(dir).into());
    }
    let mut opened = Opened::open(loaded, "subject export")?;
    let known = Known::look(&mut opened, loaded, ctx, of, &limits(country)?)?;
    known.one()?;
    if known.persons() == 0 {
        let remedy = "see `subject find`: perhaps the parts are written otherwise";
        return Err(Problem::new("E-subject-001", Blame::Operator, "nothing is held of that person", remedy).into());
    }
    let holds = Holds::read(&mut opened.store, known.at)?;
    let bundle = known.bundle(&mut opened.store, loaded)?;
    write(dir, &bundle)?;
    let audit = known.audit(&bundle, &holds);
    write_atomic(&dir.join("audit.json"), &serde_json::to_vec_pretty(&audit).unwrap_or_default())?;
    let mut text = String::new();
    for (what, count) in &audit.found {
        text.push_str(&format!("{count} {what}\n"));
    }
    text.push_str(&format!("for the person: {}\n", dir.join("bundle").display()));
    text.push_str(&format!("for the controller: {}", dir.join("audit.json").display()));
    let exported = SubjectExported { folder: dir.display().to_string(), audit };
    Ok(Ended { exits: vec![Exit::Done], json: serde_json::to_value(exported).unwrap_or_default(), text, problems: Vec::new() })
}

impl Known {
    /// Everything of the person.
    fn bundle(&self, store: &mut dyn Store, loaded: &Loaded) -> Result<Bundle, Problems> {
        let config = &loaded.config;
        let pack = &*config.record;
        let resolved = self.resolved(loaded, |_| false);
        let mut bundle = Bundle::new(self.at);
        let today = self.at.to_zoned(TimeZone::UTC).date();
        bundle.clock = self.asked.as_ref().map(|case| AccessClock { case: case.case.to_string(), deadlines: case.deadlines.clone() });
        bundle.controller.clone_from(&config.controller);
        let registered = Registered::read(store, self.at)?;
        for id in registries_of(&self.search) {
            let Some(registry) = config.registries.get(id) else { continue };
            let profile = &registry.profile;
            let (role, entry) = pack.role(&profile.id, today);
            let contact = match role {
                Role::Controller => "the registrar, which answers for these data".to_owned(),
                // EUR-9: a registry that answers for its register is to be named with its processor's answer.
                Role::Processor => format!("{}, the controller of its register; the registrar works for it there", profile.title),
            };
            bundle.answering.push(Answering {
                registry: id.to_string(),
                title: profile.title.clone(),
                role: role.as_str(),
                contact,
                citation: entry.map_or_else(String::new, |entry| entry.citation.to_string()),
            });
            let told = registered.recipients(id, &profile.title).into_iter();
            bundle.recipients.extend(told.map(|one| RecipientOf {
                registry: id.to_string(),
                name: one.name,
                category: one.category,
                country: one.country,
                mechanism: one.mechanism,
            }));
        }
        let clusters: BTreeSet<&str> = resolved.iter().map(|one| one.cluster.as_str()).collect();
        let activities = pack.activities_over(&clusters).map(|all| all.map(str::to_owned));
        bundle.purposes = activities.map(|[activity, purposes, basis, source]| PurposeOf { activity, purposes, basis, source }).collect();
        for held in self.search.own() {
            self.data_of(held, &resolved, &mut bundle.data);
        }
        bundle.periods = resolved.iter().map(|one| period(one, today)).collect();
        bundle.domains = self.domains();
        bundle.consents = self.consents.iter().map(consent).collect();
        self.registered(store, &mut bundle)?;
        let others: u64 = self.search.domains.iter().map(|named| named.others).sum();
        bundle.leave_out("other contacts of the same domains, in all places", others, "data of other persons (GDPR Art. 15(4))");
        let differing = self.search.contacts.iter().filter(|held| held.matched == Match::Handle).count() as u64;
        let ground = "it has another name or address than the records: whoever answers looks first whose it is (GDPR Art. 15(4))";
        bundle.leave_out("contacts at a registry under a handle of the person", differing, ground);
        Ok(bundle)
    }

    /// Every value of a contact.
    fn data_of(&self, held: &Held, resolved: &[Resolved<'_>], out: &mut Vec<Datum>) {
        let is_it = |one: &&Resolved<'_>| one.registry == held.registry && one.handle == held.row.id() && one.cluster != "consent-data";
        let basis = resolved.iter().find(is_it).map_or(LegalBasis::None, basis);
        let source = match (held.store, self.search.snapshots.get(&held.registry)) {
            (Holding::Registry, Some(at)) => format!("the answer of the registry, snapshot of {at}"),
            _ => "the order of the customer or its reseller".to_owned(),
        };
        for (column, value) in columns(ObjectKind::Contact).iter().zip(held.row.fields()) {
            let Some(value) = value else { continue };
            out.push(Datum {
                registry: held.registry.to_string(),
                contact: held.row.id().to_owned(),
                store: held.store,
                field: column.name,
                value: Personal::new(value),
                provided: column.personal,
                basis,
                source: source.clone(),
            });
        }
    }

    fn domains(&self) -> Vec<AccessDomain> {
        let domain = |named: &super::search::Named| AccessDomain {
            registry: named.registry.to_string(),
            domain: Personal::new(named.row.id()),
            store: named.store,
            contact: named.contact.clone(),
            roles: named.roles.clone(),
            expires: named.row.get(DomainField::Expires.at()).map(str::to_owned),
        };
        self.search.domains.iter().map(domain).collect()
    }

    /// What the registers have: disclosures, and the person's other cases with the texts of their own.
    fn registered(&self, store: &mut dyn Store, bundle: &mut Bundle) -> Result<()> {
        let mut persons = 0;
        for register in registers().iter().filter(|register| register.subject != Use::None) {
            let mut book = Book::open(store, register)?;
            for case in self.cases.iter().filter(|case| *case.register == *register.name) {
                if &*register.name == "disclosure" {
                    bundle.disclosures.push(disclosure(&mut book, case, &mut persons)?);
                } else if !APART.contains(&&*register.name) {
                    bundle.cases.push(other(&mut book, case)?);
                }
            }
        }
        bundle.leave_out(
            "names of persons who asked for the data",
            persons,
            "data of other persons (GDPR Art. 15(4)): whoever answers weighs that",
        );
        Ok(())
    }

    fn audit(&self, bundle: &Bundle, holds: &Holds) -> Audit {
        let counted = [
            ("values", bundle.data.len()),
            ("domains", bundle.domains.len()),
            ("consent events", bundle.consents.len()),
            ("disclosures", bundle.disclosures.len()),
            ("cases", bundle.cases.len()),
            ("portable values", portable(&bundle.data, self.at).len()),
        ];
        let only_address = self.search.contacts.iter().filter(|held| held.matched == Match::Address).count() as u64;
        let registries = registries_of(&self.search);
        Audit {
            at: self.at,
            case: self.asked.as_ref().map(|case| case.case.to_string()),
            looked: self.search.looked.clone(),
            not_looked: vec!["older snapshots", "reports", "RDAP answers", "backups"],
            found: counted.into_iter().map(|(what, count)| (what, count as u64)).collect(),
            only_address,
            keys: self.keys.len() as u64,
            holds: registries.into_iter().filter_map(|id| self.hold(holds, id.as_str())).collect(),
        }
    }
}

/// The ground that holding a cluster rests on: the contract while a service needs it, and what a rule says where one keeps or ends it.
fn basis(one: &Resolved<'_>) -> LegalBasis {
    if one.in_use && one.cluster == "registration" {
        return LegalBasis::Contract;
    }
    one.resolution.basis().map_or(LegalBasis::None, |rule| rule.basis)
}

fn period(one: &Resolved<'_>, today: jiff::civil::Date) -> Period {
    let rule = |bound: &Bound<'_>| format!("{}: {}", bound.rule.id, bound.rule.citation);
    let resolution = &one.resolution;
    Period {
        registry: one.registry.to_string(),
        contact: one.handle.clone(),
        cluster: one.cluster.clone(),
        state: resolution.state(today).situation().as_str(),
        keep_until: resolution.keep_until.map(|day| day.to_string()),
        must_go_by: resolution.must_go_by.map(|day| day.to_string()),
        rules: resolution.min.iter().chain(&resolution.max).map(rule).collect(),
    }
}

fn consent(record: &Record) -> AccessConsent {
    AccessConsent {
        at: record.at,
        event: record.event.as_str(),
        purpose: record.purpose.map(Purpose::as_str),
        elements: record.elements.iter().copied().map(Element::as_str).collect(),
        expires: record.expires,
        terms: record.terms.as_ref().map(ToString::to_string),
        method: record.method.map(Method::as_str),
        by: record.by.map(Actor::as_str),
    }
}

/// Who asked for the person's data. A person who did is not named, and counted.
fn disclosure(book: &mut Book<'_>, case: &Case, persons: &mut u64) -> Result<AccessDisclosure> {
    let value = |column: &str| case.values.get(column).cloned();
    let kind = value("requester_kind");
    let is_named = matches!(kind.as_deref(), Some("organisation" | "authority"));
    let mut requester = None;
    for entry in book.events(&case.case).to_vec().into_iter().filter(|_| is_named) {
        requester = book.text(&entry, "requester")?.or(requester);
    }
    *persons += u64::from(!is_named);
    Ok(AccessDisclosure {
        case: case.case.to_string(),
        opened: case.opened,
        state: case.state,
        requester,
        requester_kind: kind,
        ground: value("ground"),
        released: value("released").map_or_else(Vec::new, |all| all.split(';').map(str::to_owned).collect()),
    })
}

/// Another case, with the texts that are the person's own.
fn other(book: &mut Book<'_>, case: &Case) -> Result<AccessCase> {
    let mut texts = BTreeMap::new();
    for entry in book.events(&case.case).to_vec() {
        for column in book.own_texts(&entry) {
            if book.register().column(&column).is_some_and(|column| column.kind == Kind::Text) {
                texts.extend(book.text(&entry, &column)?.map(|text| (column.into_string(), text)));
            }
        }
    }
    Ok(AccessCase { register: case.register, case: case.case.to_string(), opened: case.opened, state: case.state, texts })
}
