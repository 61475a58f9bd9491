//! What protects registrants, as the registries hold it: tables and findings, after a run or whenever they are asked for.

use super::config::Loaded;
use super::night::Night;
use super::opening::open_store;
use super::plan::site;
use super::table::Table;
use super::validate::newest;
use super::{Context, Ended, relays, windows};
use crate::base::{Exit, Problems, RegistryId, Result, Timestamp};
use crate::dataset::{Records, Snapshot};
use crate::plan::{Behind, Beside, Blocker, Elsewhere, Gone, Look, Remnant, Selection, Sources, Watched, watch};
use crate::rules::{Findings, FindingsSummary};
use jiff::{civil::Date, tz::TimeZone};
use std::collections::BTreeMap;
use std::path::Path;

/// Findings that are told one by one.
const TOLD: usize = 20;

/// What `report protection` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ProtectionReport {
    /// The folder with the tables and `findings.{csv,json,parquet}`.
    reports: String,
    /// How many domains are locked, by registry.
    locks: Vec<LockCoverage>,
    /// What protection left behind, by registry.
    left_behind: Vec<LeftBehind>,
    /// What somebody should act on.
    findings: FindingsSummary,
}

/// How many domains of a registry are locked (RTR-12).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct LockCoverage {
    /// The registry.
    registry: String,
    /// Domains that it holds for us.
    domains: u64,
    /// Those that a registrar may lock there.
    lockable: u64,
    /// Those that are locked.
    locked: u64,
    /// Those that privacy-protect v2 is sold with.
    protected: u64,
    /// Protected ones that are not locked, though they could be.
    protected_open: u64,
}

/// Contacts that protection left behind at a registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct LeftBehind {
    /// The registry.
    registry: String,
    /// Proxy contacts that no domain names.
    orphans: u64,
    /// Registrants' own contacts in whose place a proxy contact stands.
    residuals: u64,
    /// Those of them that nothing names or keeps, as far as is known: they can be deleted.
    deletable: u64,
}

/// `report protection`: the newest snapshots against the services that are sold.
///
/// # Errors
/// Everything that keeps the records from being taken in; `E-job-003` (exit 32) where a registry has no snapshot; `E-file-…` (exit 33).
pub fn report_protection(loaded: &Loaded, ctx: &Context) -> Result<Ended, Problems> {
    let night = Night::begin(loaded, ctx)?;
    let all = newest(loaded, &night, ctx)?;
    let records = night.known_records()?;
    night.stage("protection");
    let snapshots: BTreeMap<&RegistryId, &Snapshot> = all.iter().map(|(id, _, snapshot)| (*id, snapshot)).collect();
    let mut findings = Findings::begin(&night.dir, false, TOLD)?;
    let (locks, left_behind) = write(&night, &records, &snapshots, &mut findings)?;
    let (summary, first) = findings.finish()?;
    let mut text = String::new();
    for one in &locks {
        text.push_str(&format!(
            "{}: {} of {} domains are locked, {} could be; {} protected, {} of them not locked\n",
            one.registry, one.locked, one.domains, one.lockable, one.protected, one.protected_open
        ));
    }
    for one in left_behind.iter().filter(|one| one.orphans + one.residuals > 0) {
        text.push_str(&format!(
            "{}: {} proxy contacts that no domain names; {} contacts that a proxy replaced, {} of them to be deleted\n",
            one.registry, one.orphans, one.residuals, one.deletable
        ));
    }
    for finding in first {
        text.push_str(&format!("{finding}\n"));
    }
    text.push_str(&format!("{} findings, in {}", summary.errors + summary.warnings, night.dir.display()));
    let mut exits = vec![Exit::Done];
    exits.extend((summary.errors + summary.warnings > 0).then_some(Exit::Findings));
    exits.extend(ctx.stop.is_stopped().then_some(Exit::Stopped));
    let sum = |of: fn(&LockCoverage) -> u64| locks.iter().map(of).sum::<u64>();
    let counts = [
        ("domains", sum(|one| one.domains)),
        ("locked", sum(|one| one.locked)),
        ("protected", sum(|one| one.protected)),
        ("errors", summary.errors),
        ("warnings", summary.warnings),
    ];
    let report = ProtectionReport { reports: night.dir.display().to_string(), locks, left_behind, findings: summary };
    let mut ended = Ended { exits, json: serde_json::to_value(report).unwrap_or_default(), text, problems: Vec::new() };
    night.proved(&mut ended, "report protection", all.iter().map(|(_, _, snapshot)| snapshot), &counts);
    Ok(ended)
}

/// Writes the tables of the registries in `snapshots` into the run's folder, and adds to `findings`.
fn write(
    night: &Night<'_>,
    records: &Records,
    snapshots: &BTreeMap<&RegistryId, &Snapshot>,
    findings: &mut Findings,
) -> Result<(Vec<LockCoverage>, Vec<LeftBehind>), Problems> {
    let mut tables = Tables::create(&night.dir)?;
    let of = |id: &RegistryId| {
        let registry = id.to_string();
        (LockCoverage { registry: registry.clone(), ..LockCoverage::default() }, LeftBehind { registry, ..LeftBehind::default() })
    };
    let mut tallies: BTreeMap<&RegistryId, (LockCoverage, LeftBehind)> = snapshots.keys().map(|id| (*id, of(id))).collect();
    look(night, records, snapshots, &mut |seen| {
        let mut found = Vec::new();
        let (id, look) = match seen {
            Seen::At(id, look) => (id, look),
            Seen::Elsewhere(registry, mut one) => {
                tables.put(registry, &one)?;
                return findings.absorb(std::mem::take(&mut one.findings), 0);
            }
        };
        let Some((coverage, left)) = tallies.get_mut(id) else { return Ok(()) };
        let objects = match look {
            Look::Contacts(objects, behind) => {
                for mut one in behind {
                    left.count(&one);
                    found.extend(one.finding.take());
                    tables.left(id.as_str(), &one)?;
                }
                objects
            }
            Look::Domains(all) => {
                let objects = all.len();
                for mut one in all {
                    coverage.count(&one);
                    found.append(&mut one.findings);
                    tables.put(id.as_str(), &one)?;
                }
                objects
            }
        };
        findings.absorb(found, objects as u64)
    })?;
    for (coverage, _) in tallies.values() {
        tables.locks.row(&coverage.row())?;
    }
    tables.finish()?;
    Ok(tallies.into_values().unzip())
}

/// What was seen.
pub(super) enum Seen<'a> {
    /// Objects of a registry.
    At(&'a RegistryId, Look),
    /// A domain that is ours no more and that an RDAP answer shows with our contact, with the registry that it was ours at: empty, where
    /// nobody knows.
    Elsewhere(&'a str, Box<Watched>),
}

/// Looks at the registries in `snapshots`, and then at the RDAP answers about what they do not hold for us.
///
/// # Errors
/// As [`watch`]; what keeps services, answers or registers from being read.
pub(super) fn look(
    night: &Night<'_>,
    records: &Records,
    snapshots: &BTreeMap<&RegistryId, &Snapshot>,
    sink: &mut dyn FnMut(Seen<'_>) -> Result<()>,
) -> Result<(), Problems> {
    let config = &night.loaded.config;
    let today = night.started.to_zoned(TimeZone::UTC).date();
    let (services, rdap) = (night.services()?, night.rdap()?);
    let mut store = open_store(&night.loaded.config)?;
    let windows = windows::open(&mut store, night.started)?;
    let tried = relays::tried(&mut store, night.started)?;
    drop(store);
    let mut elsewhere = Elsewhere::new(&rdap, config.privacy.as_ref());
    let selection = Selection::default();
    for (id, snapshot) in snapshots {
        let (_, registry) = config.registry(id.as_str())?;
        let site = site(config, id.as_str(), registry, (&services, &selection));
        let sources = Sources { id, records, snapshot, not_before: Timestamp::MIN, stop: &night.ctx.stop };
        let relock = |domain: &str| windows.get(&(id.to_string(), domain.to_lowercase())).map(|window| window.relock);
        let reached = |domain: &str| tried.get(&(id.to_string(), domain.to_lowercase())).copied();
        let new_since = if config.by_default.covers(id) { before(night.state.root(), id, snapshot)? } else { None };
        let beside = Beside { today, account: &registry.client_id, relock: &relock, new_since, reached: &reached };
        watch(&site, &sources, &beside, &mut |look| {
            if let Look::Domains(all) = &look {
                for one in all {
                    elsewhere.meet(&site, one);
                }
            }
            sink(Seen::At(id, look))
        })?;
    }
    // Of what was not looked at, nobody knows whether it went away.
    if !night.ctx.stop.is_stopped() {
        for (registry, one) in elsewhere.finish(today, snapshots.len() == config.registries.len()) {
            sink(Seen::Elsewhere(&registry, Box::new(one)))?;
        }
    }
    Ok(())
}

/// When the snapshot before `snapshot` was whole; nothing where there is none.
fn before(state: &Path, id: &RegistryId, snapshot: &Snapshot) -> Result<Option<Timestamp>> {
    let all = Snapshot::all(state, id)?;
    Ok(all.iter().map(|one| one.manifest().finished).filter(|finished| *finished < snapshot.manifest().finished).max())
}

impl LockCoverage {
    fn count(&mut self, one: &Watched) {
        self.domains += u64::from(one.held);
        self.lockable += u64::from(one.lockable);
        self.locked += u64::from(one.locked);
        self.protected += u64::from(one.held && one.protection == Some(crate::dataset::Protection::V2));
        self.protected_open += u64::from(one.open.is_some());
    }

    fn row(&self) -> [String; 6] {
        let Self { registry, domains, lockable, locked, protected, protected_open } = self;
        let numbers = [domains, lockable, locked, protected, protected_open].map(u64::to_string);
        let [domains, lockable, locked, protected, protected_open] = numbers;
        [registry.clone(), domains, lockable, locked, protected, protected_open]
    }
}

impl LeftBehind {
    fn count(&mut self, one: &Behind) {
        let is_residual = matches!(one.what, Remnant::Residual(_));
        self.orphans += u64::from(!is_residual);
        self.residuals += u64::from(is_residual);
        self.deletable += u64::from(is_residual && one.blockers.is_empty());
    }
}

/// The tables. They are exact, and hold handles and names alone.
struct Tables {
    locks: Table,
    open: Table,
    leaks: Table,
    orphans: Table,
    residuals: Table,
    relay: Table,
    unprotected: Table,
    reminders: Table,
    relock: Table,
}

impl Tables {
    fn create(dir: &Path) -> Result<Self> {
        let table = |name: &str, header: &[&str]| Table::create(&dir.join(name), header);
        Ok(Self {
            locks: table("lock-coverage.csv", &["registry", "domains", "lockable", "locked", "protected", "protected_open"])?,
            open: table("protected-open.csv", &["registry", "domain", "since", "days"])?,
            leaks: table("role-leaks.csv", &["registry", "domain", "role", "handle", "remedy"])?,
            orphans: table("orphan-proxies.csv", &["registry", "handle", "domain", "blocked_by", "blocker"])?,
            residuals: table("residual-contacts.csv", &["registry", "handle", "domains", "blocked_by", "blocker"])?,
            relay: table("relay-map.csv", &["address", "mode", "registry", "domain", "target"])?,
            unprotected: table("default-drift.csv", &["registry", "domain", "since"])?,
            reminders: table("reminders.csv", &["registry", "domain", "sponsor", "transferred", "days", "evidence"])?,
            relock: table("relock-overdue.csv", &["registry", "domain", "until", "days"])?,
        })
    }

    /// A contact that was left behind has a row for each thing that keeps it, and one where nothing does.
    fn left(&mut self, registry: &str, one: &Behind) -> Result<()> {
        let (table, of) = match &one.what {
            Remnant::Orphan(domain) => (&mut self.orphans, domain.to_string()),
            Remnant::Residual(domains) => (&mut self.residuals, domains.to_string()),
        };
        let blockers = one.blockers.iter().map(Blocker::told);
        for (by, blocker) in blockers.chain(one.blockers.is_empty().then_some(("", ""))) {
            table.row(&[registry, &one.handle, &of, by, blocker])?;
        }
        Ok(())
    }

    fn put(&mut self, registry: &str, one: &Watched) -> Result<()> {
        let dated = |since: Option<(Date, i64)>| since.map_or_else(Default::default, |(day, days)| (day.to_string(), days.to_string()));
        if let Some(since) = one.open {
            let (since, days) = dated(since);
            self.open.row(&[registry, &one.domain, &since, &days])?;
        }
        for (role, handle, remedy) in &one.leaks {
            self.leaks.row(&[registry, &one.domain, role, handle, remedy])?;
        }
        if let Some(relay) = &one.relay {
            self.relay.row(&[&relay.address, relay.mode, registry, &one.domain, &relay.target])?;
        }
        if let Some(since) = one.unprotected {
            self.unprotected.row(&[registry, &one.domain, &since.to_string()])?;
        }
        if let Some(Gone { sponsor, since, evidence }) = &one.gone {
            let (transferred, days) = dated(*since);
            self.reminders.row(&[registry, &one.domain, sponsor, &transferred, &days, evidence.as_str()])?;
        }
        if let Some((until, days)) = one.overdue {
            self.relock.row(&[registry, &one.domain, &until.to_string(), &days.to_string()])?;
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        let Self { locks, open, leaks, orphans, residuals, relay, unprotected, reminders, relock } = self;
        [locks, open, leaks, orphans, residuals, relay, unprotected, reminders, relock].into_iter().try_for_each(Table::end)
    }
}
