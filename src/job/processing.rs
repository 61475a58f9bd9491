//! The record of processing activities, from what snapshots, records, ledgers and rules show.

use super::chain::{earlier_record, last_runs};
use super::config::Loaded;
use super::night::{Night, newest_report};
use super::opening::open_store;
use super::{Context, Ended};
use crate::base::{Exit, Problems, RegistryId, Result, Timestamp};
use crate::compliance::exposure::{Person, special_of, special_properties};
use crate::compliance::processing::{Evidence, Place, Recipient, RecordPack, Traffic, build};
use crate::compliance::register::{Book, Limits, register};
use crate::compliance::retention::{RulePack, elements};
use crate::compliance::{Fingerprint, Ledger, Purpose, Token, fold_group};
use crate::dataset::{ContactField, Records, Row, Snapshot, State};
use crate::model::{ObjectKind, TlsFacts};
use crate::policy::{Profile, SpecialKind};
use crate::report::{self, Beside, Earlier, RecordSummary, declared_toml, read_declared, write_record};
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// What `report record` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct RecordShown {
    /// The folder with the page and the tables.
    reports: String,
    /// What it came to.
    #[serde(flatten)]
    summary: RecordSummary,
}

/// `report record`: the record of processing activities, as of now.
///
/// # Errors
/// Everything that keeps the records from being taken in; `E-file-…` (exit 33).
pub fn report_record(loaded: &Loaded, ctx: &Context) -> Result<Ended, Problems> {
    let pack = RecordPack::embedded()?;
    let night = Night::begin(loaded, ctx)?;
    let records = night.known_records()?;
    night.stage("record");
    let config = &loaded.config;
    let tls = tls_of_runs(&config.reports);
    let mut store = open_store(night.state.root())?;
    let registered = Registered::read(&mut store, night.started)?;
    let ledger = Ledger::open(&mut store)?;
    let consent = told_consent(&ledger, night.started);
    let (mut rows, mut snapshots, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for (id, registry) in config.registries.iter().filter(|(id, _)| ctx.includes(id)) {
        let snapshot = Snapshot::newest(night.state.root(), id)?;
        let mut seen = Evidence {
            registry: id.to_string(),
            profile: registry.profile.id.clone(),
            endpoint: format!("{}:{}", registry.host, registry.port),
            tls: tls.get(id.as_str()).cloned(),
            limits: limits(&config.retention.pack, &registry.profile.id),
            rules: format!("{} of {}, {}", config.retention.pack.id, config.retention.pack.dated, config.retention.pack.digest.short()),
            consent: consent.clone(),
            recipients: registered.recipients(id, &registry.profile.title),
            breaches: registered.breaches.clone(),
            places: places(loaded, night.state.root()),
            ..Evidence::default()
        };
        if let Some(snapshot) = &snapshot {
            let manifest = snapshot.manifest();
            seen.run = Some((manifest.run_id.to_string(), manifest.finished));
            let told = snapshot.exchanged()?;
            seen.traffic = Traffic { commands: told.commands, bytes: (told.bytes_out, told.bytes_in), window: told.window };
        }
        people(&mut seen, &records, (id, &registry.profile), snapshot.as_ref())?;
        snapshots.extend(snapshot);
        rows.extend(build(&pack, &seen, &config.controller, night.started));
        all.push(seen);
    }
    // A log that cannot be opened is told by the proof of this run, which needs it too.
    let (runs, earlier) = match last_runs(config, &night.state, night.run_id()) {
        Ok(runs) => {
            let earlier = earlier_record(&config.reports, &runs);
            (runs, earlier)
        }
        Err(problem) => (Vec::new(), Earlier::None(problem.what)),
    };
    let beside = Beside { seen: &all, runs: &runs, earlier: &earlier, declared: &config.controller };
    let (summary, files) = write_record(&night.dir, &night.making(), &pack, &rows, beside)?;
    let missing = summary.cells.get("missing").copied().unwrap_or_default();
    let mut text = format!("{} rows of the controller's record, {} of the processor's\n", summary.controller, summary.processor);
    for one in &summary.coverage {
        text.push_str(&format!(
            "{}: {} of {} questions answered, {} %\n",
            one.authority.to_uppercase(),
            one.answered,
            one.asked,
            one.percent
        ));
    }
    text.push_str(&format!("{missing} cells are missing\n"));
    text.push_str(&files.last().map(|page| page.display().to_string()).unwrap_or_default());
    let mut exits = vec![Exit::Done];
    exits.extend((missing > 0).then_some(Exit::Findings));
    let counts: Vec<(&str, u64)> = summary.cells.iter().map(|(status, n)| (&**status, *n)).collect();
    let shown = RecordShown { reports: night.dir.display().to_string(), summary: summary.clone() };
    let mut ended = Ended { exits, json: serde_json::to_value(shown).unwrap_or_default(), text, problems: Vec::new() };
    night.proved(&mut ended, "report record", &snapshots, &counts);
    Ok(ended)
}

/// What `report declared` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct DeclaredShown {
    /// What is declared, by field.
    controller: BTreeMap<String, String>,
    /// The same as a part of privet.toml.
    toml: String,
}

/// `report declared`: what somebody filled in on the sheet `declared` of the record's workbook, as the part of the configuration that it is.
///
/// # Errors
/// `E-report-004` and `E-report-005` (exit 2) with row and column; `E-file-…`.
pub fn report_declared(workbook: &Path) -> Result<Ended> {
    let controller = read_declared(workbook)?;
    let toml = declared_toml(&controller)?;
    let text = toml.trim_end().to_owned();
    let json = serde_json::to_value(DeclaredShown { controller, toml }).unwrap_or_default();
    Ok(Ended { exits: vec![Exit::Done], json, text, problems: Vec::new() })
}

/// Counts whom a registry's contacts are, each person once, and which data they have. Memory holds 8 bytes for each person and contact.
fn people(seen: &mut Evidence, records: &Records, (id, profile): (&RegistryId, &Profile), snapshot: Option<&Snapshot>) -> Result<()> {
    let (mut contacts, mut persons) = (HashSet::new(), HashSet::new());
    let mut special = [0_u64; 3];
    let mut take = |row: &Row| {
        use ContactField as F;
        if !contacts.insert(xxh3_64(row.id().as_bytes())) {
            return;
        }
        seen.contacts += 1;
        for element in elements(row) {
            *seen.elements.entry(element).or_default() += 1;
        }
        let held = Person::of(row);
        let kinds: BTreeSet<SpecialKind> =
            special_of(&held).map(|(_, kind)| kind).chain(special_properties(&held, profile).map(|(_, kind)| kind)).collect();
        for (n, kind) in special.iter_mut().zip(SpecialKind::ALL) {
            *n += u64::from(kinds.contains(&kind));
        }
        let Some(person) = Fingerprint::of_row(row) else { return };
        if persons.insert(person.hash64()) {
            let country = [F::LocCc, F::IntCc].iter().find_map(|field| row.get(field.at())).unwrap_or("??").to_uppercase();
            let is_natural = ![F::LocOrg, F::IntOrg].iter().any(|field| row.get(field.at()).is_some_and(|org| !org.trim().is_empty()));
            *seen.subjects.entry((is_natural, country)).or_default() += 1;
        }
    };
    for bucket in 0..records.buckets() {
        records.rows(id, ObjectKind::Contact, bucket)?.iter().for_each(&mut take);
    }
    for bucket in 0..snapshot.map_or(0, Snapshot::buckets) {
        let rows = snapshot.map_or(Ok(Vec::new()), |snapshot| snapshot.rows(ObjectKind::Contact, bucket))?;
        rows.iter().filter(|observed| observed.state == State::Ok).for_each(|observed| take(&observed.row));
    }
    seen.special = Some(special);
    Ok(())
}

/// What the registers tell of recipients and of breaches.
pub(super) struct Registered {
    recipients: Vec<(Option<String>, Recipient)>,
    breaches: Option<(String, String)>,
}

impl Registered {
    /// What they tell at `at`.
    ///
    /// # Errors
    /// As [`Book::open`].
    pub(super) fn read(store: &mut dyn Store, at: Timestamp) -> Result<Self> {
        let mut out = Self { recipients: Vec::new(), breaches: None };
        let limits = Limits::default();
        if let Some(register) = register("recipient") {
            for case in Book::open(store, register)?.cases(at, &limits).filter(|case| case.open) {
                let value = |column: &str| case.values.get(column).cloned();
                let recipient = Recipient {
                    name: value("party").unwrap_or_else(|| case.case.to_string()),
                    category: value("category").unwrap_or_else(|| "other".to_owned()),
                    country: value("country"),
                    mechanism: value("mechanism"),
                    evidence: value("evidence"),
                    source: format!("register of recipients, case {}", case.case),
                };
                out.recipients.push((value("party"), recipient));
            }
        }
        if let Some(register) = register("breach") {
            let book = Book::open(store, register)?;
            let mut states: BTreeMap<&'static str, u64> = BTreeMap::new();
            for case in book.cases(at, &limits) {
                *states.entry(case.state.unwrap_or("unopened")).or_default() += 1;
            }
            let told: Vec<String> = states.into_iter().map(|(state, n)| format!("{state} {n}")).collect();
            out.breaches = (!told.is_empty()).then(|| (told.join(", "), format!("register of breaches, {} events", book.head().rows)));
        }
        Ok(out)
    }

    /// The recipients of the data at `registry`: itself, by what the register says of a party of that name, and whoever else is there.
    pub(super) fn recipients(&self, registry: &RegistryId, title: &str) -> Vec<Recipient> {
        let itself = |(party, _): &&(Option<String>, Recipient)| party.as_deref() == Some(registry.as_str());
        let declared = self.recipients.iter().find(itself).map(|(_, recipient)| recipient.clone());
        let unknown = || Recipient {
            name: title.to_owned(),
            category: "registry".to_owned(),
            country: None,
            mechanism: None,
            evidence: None,
            source: format!("registries.{registry}"),
        };
        // Another registry gets other data.
        let others =
            self.recipients.iter().filter(|(_, recipient)| recipient.category != "registry").map(|(_, recipient)| recipient.clone());
        std::iter::once(declared.unwrap_or_else(unknown)).chain(others).collect()
    }
}

/// What TLS agreed on with each registry, by the newest run that left it.
pub(super) fn tls_of_runs(reports: &Path) -> BTreeMap<String, TlsFacts> {
    let facts = newest_report(reports).and_then(|dir| report::read(&dir.join("run.json")).ok());
    facts.into_iter().flat_map(|facts| facts.registries).filter_map(|r| Some((r.id.to_string(), r.tls?))).collect()
}

/// The time limits at a registry with `profile`, by cluster: rule and period.
fn limits(pack: &RulePack, profile: &str) -> BTreeMap<String, Vec<String>> {
    let scopes = pack.scopes_of(profile);
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for rule in pack.rules().iter().filter(|rule| rule.scopes.is_empty() || scopes.iter().any(|scope| rule.scopes.contains(scope))) {
        for cluster in &rule.clusters {
            let kind = if rule.kind == crate::compliance::retention::Kind::Min { "kept" } else { "gone" };
            all.entry(cluster.to_string()).or_default().push(format!("{} {kind} {}", rule.id, rule.period));
        }
    }
    all
}

fn places(loaded: &Loaded, state: &Path) -> Vec<Place> {
    let config = &loaded.config;
    let place = |what: &str, path: &Path| Place { what: what.to_owned(), path: path.display().to_string() };
    let records = &config.records;
    let sources =
        [("contacts", &records.contacts), ("domains", &records.domains), ("services", &records.services), ("orders", &records.orders)];
    let records = sources.into_iter().filter_map(|(table, source)| {
        let first = source.as_ref()?.files.first()?;
        Some(place(&format!("records of {table}"), first))
    });
    records.chain([place("snapshots, ledgers and the vault", state), place("reports", &config.reports)]).collect()
}

/// The consent ledger in words, with its head.
fn told_consent(ledger: &Ledger<'_>, at: Timestamp) -> Option<(String, String)> {
    let mut states: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut subjects = 0_u64;
    for subject in ledger.subjects() {
        subjects += 1;
        for purpose in Purpose::OF_CHANGES {
            *states.entry(ledger.standing(subject, *purpose, at).state.as_str()).or_default() += 1;
        }
        for (provider, group) in ledger.given_to(subject) {
            let standing = fold_group(ledger.events(subject), provider.as_str(), group.as_ref().map(Token::as_str), at);
            *states.entry(standing.state.as_str()).or_default() += 1;
        }
    }
    states.remove("unknown");
    let told: Vec<String> = states.into_iter().map(|(state, n)| format!("{state} {n}")).collect();
    (subjects > 0).then(|| {
        let head = ledger.head();
        (format!("{subjects} subjects; {}", told.join(", ")), format!("consent ledger, {} events", head.rows))
    })
}
