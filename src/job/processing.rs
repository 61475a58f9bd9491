//! The record of processing activities, from what snapshots, records, ledgers and rules show.

use super::archive::{StoreRow, stores};
use super::chain::{earlier_record, last_runs};
use super::config::Loaded;
use super::evidence::{Looking, assessed, at_rest, sent};
use super::keeping::lives;
use super::night::{Night, newest_report};
use super::opening::open_store;
use super::oversight::{Cases, Whole};
use super::{Context, Ended, queried};
use crate::base::{Exit, Problems, Result, Timestamp};
use crate::compliance::processing::{Evidence, LineRules, Place, Recipient, RecordPack, Traffic, build, contradictions};
use crate::compliance::register::Holds;
use crate::compliance::retention::RulePack;
use crate::compliance::{Ledger, Purpose, Token, fold_group};
use crate::dataset::{ServiceEnds, Snapshot};
use crate::model::TlsFacts;
use crate::report::{self, Beside, Earlier, RecordSummary, declared_toml, read_declared, write_record};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::Path;

pub(super) use super::registered::Registered;

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
    let config = &loaded.config;
    let pack = &*config.record;
    let night = Night::begin(loaded, ctx)?;
    let records = night.known_records()?;
    let ends = match &queried::records(config, ctx)?.services {
        Some(source) => ServiceEnds::read(source, night.started.to_zoned(TimeZone::UTC).date())?,
        None => ServiceEnds::default(),
    };
    night.stage("record");
    let tls = tls_of_runs(&config.reports);
    let mut store = open_store(&night.loaded.config)?;
    let registered = Registered::read(&mut store, night.started)?;
    let cases = Cases::read(&mut store, night.started)?;
    let holds = Holds::read(&mut store, night.started)?;
    let sent = sent(&night.state, &mut store)?;
    let mut ledger = Ledger::open(&mut store)?;
    let consent = told_consent(&ledger, night.started, pack);
    let mut whole = Whole::default();
    let copies = stores(night.state.root())?;
    let (mut snapshots, mut all) = (Vec::new(), Vec::new());
    for (id, registry) in config.registries.iter().filter(|(id, _)| ctx.includes(id)) {
        let snapshot = Snapshot::newest(night.state.root(), id)?;
        let mut seen = Evidence {
            registry: id.to_string(),
            profile: registry.profile.id.clone(),
            title: registry.profile.title.clone(),
            login: registry.client_id.clone(),
            endpoint: format!("{}:{}", registry.host, registry.port),
            tls: tls.get(id.as_str()).cloned(),
            limits: limits(&config.retention.pack, &registry.profile.id),
            rules: format!("{} of {}, {}", config.retention.pack.id, config.retention.pack.dated, config.retention.pack.digest.short()),
            consent: consent.clone(),
            sent: sent.get(id.as_str()).cloned().unwrap_or_default(),
            places: places(loaded, night.state.root(), &copies),
            at_rest: at_rest(night.state.root()),
            lines: LineRules {
                tls: config.overseeing.security.tls.iter().map(ToString::to_string).collect(),
                citation: config.overseeing.security.citation.to_string(),
            },
            applies: config.nightly.apply.keys().map(|recipe| recipe.as_str().to_owned()).collect(),
            verified: Some(night.run_id().to_string()),
            ..registered.evidence(id, &registry.profile.title)
        };
        // Whoever runs the object storage is a processor, whether somebody registered them or not.
        for copy in &copies {
            if !seen.recipients.iter().any(|known| known.name == copy.provider) {
                let (name, country) = (copy.provider.clone(), Some(copy.country.clone()));
                let (category, source) = ("hosting".to_owned(), "privet.toml, [objects]".to_owned());
                seen.recipients.push(Recipient { name, category, country, source, ..Recipient::default() });
            }
        }
        if let Some(snapshot) = &snapshot {
            let manifest = snapshot.manifest();
            seen.run = Some((manifest.run_id.to_string(), manifest.finished));
            let told = snapshot.exchanged()?;
            seen.traffic = Traffic { commands: told.commands, bytes: (told.bytes_out, told.bytes_in), window: told.window };
        }
        let lives = lives(&records, id, snapshot.as_ref(), &ends)?;
        let mut looking = Looking { loaded, id, at: night.started, ledger: &mut ledger, holds: &holds, lives: &lives, whole: &mut whole };
        looking.look(&mut seen, &records, snapshot.as_ref())?;
        snapshots.extend(snapshot);
        all.push(seen);
    }
    drop(ledger);
    let assessed = assessed(loaded, &whole, &cases);
    for seen in &mut all {
        seen.assessed = Some(assessed.clone());
    }
    let rows: Vec<_> = all.iter().flat_map(|seen| build(pack, seen, &config.controller, night.started)).collect();
    let findings = contradictions(pack, &all, &config.controller, night.started);
    // A log that cannot be opened is told by the proof of this run, which needs it too.
    let (runs, earlier) = match last_runs(config, &night.state, night.run_id()) {
        Ok(runs) => {
            let earlier = earlier_record(&config.reports, &runs);
            (runs, earlier)
        }
        Err(problem) => (Vec::new(), Earlier::None(problem.what)),
    };
    let beside = Beside { seen: &all, runs: &runs, earlier: &earlier, declared: &config.controller, findings: &findings };
    let (summary, files) = write_record(&night.dir, &night.making(), pack, &rows, beside)?;
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
    text.push_str(&format!("{missing} cells are missing; {} contradictions, {} of them errors\n", findings.len(), summary.errors));
    if !summary.publishable {
        text.push_str("the record must not be published: a transfer rests on a mechanism that is none\n");
    }
    text.push_str(&files.last().map(|page| page.display().to_string()).unwrap_or_default());
    let mut exits = vec![Exit::Done];
    exits.extend((missing > 0 || !findings.is_empty()).then_some(Exit::Findings));
    let counts: Vec<(&str, u64)> = summary.cells.iter().chain(&summary.findings).map(|(status, n)| (&**status, *n)).collect();
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

fn places(loaded: &Loaded, state: &Path, copies: &[StoreRow]) -> Vec<Place> {
    let config = &loaded.config;
    let place = |what: &str, path: &Path| Place { what: what.to_owned(), path: path.display().to_string() };
    let records = &config.records;
    let sources =
        [("contacts", &records.contacts), ("domains", &records.domains), ("services", &records.services), ("orders", &records.orders)];
    let records = sources.into_iter().filter_map(|(table, source)| {
        let source = source.as_ref()?;
        let what = format!("records of {table}");
        // Of a query the place is its database; the address is as it was read, without its password.
        match (&source.query, &records.postgres) {
            (Some(_), Some(queried)) => Some(Place { what, path: queried.database.address.clone() }),
            _ => Some(place(&what, source.files.first()?)),
        }
    });
    let deposit = config.records.escrow.as_ref().map(|escrow| place("records of contacts and domains", &escrow.dir));
    // The address of a database is as it was read, without its password.
    let (here, database) = match &config.store {
        None => ("snapshots, ledgers and the vault", None),
        Some(shared) => ("snapshots", Some(Place { what: "ledgers and the vault".to_owned(), path: shared.database.address.clone() })),
    };
    let copies = copies.iter().map(|copy| Place {
        what: "copies of snapshots and reports".to_owned(),
        path: format!("{}, to be encrypted there ({}), run by {} in {}", copy.place, copy.encryption, copy.provider, copy.country),
    });
    let own = records.chain(deposit).chain([place(here, state)]).chain(database);
    own.chain([place("reports", &config.reports)]).chain(copies).collect()
}

/// The consent ledger in words, with its head.
fn told_consent(ledger: &Ledger<'_>, at: Timestamp, pack: &RecordPack) -> Option<(String, String)> {
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
    let told: Vec<String> = states.into_iter().map(|(state, n)| format!("{state} {}", pack.masked(n))).collect();
    (subjects > 0).then(|| {
        let head = ledger.head();
        (format!("{} subjects; {}", pack.masked(subjects), told.join(", ")), format!("consent ledger, {} events", head.rows))
    })
}
