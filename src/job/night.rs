//! The order of the night: lock, check, pull, diff, report; and its verbs one by one.

use super::config::{Config, Loaded};
use super::opening::open_store;
use super::proof::redact_whole;
use super::pulling::{RegistryPull, pull_all};
use super::{
    Context, Ended, FileChange, Within, apart, archive, check, commitments, facts, metrics, nightly, parts, proof, queried, records,
    redact, retention,
};
use crate::base::{
    Blame, Digest, Event, Exit, Lock, Problem, Problems, RegistryId, Result, RunId, StateDir, Timestamp, create_private_dir,
};
use crate::dataset::{Ingested, RdapAnswers, Records, Services, Snapshot};
use crate::diff::{self, Compared, DiffSummary, Expectation, Part};
use crate::report::proof::{RecordDigest, RedactionReason};
use crate::report::{self, RunFacts, Summary, Written};
use crate::store::Vault;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// How many warnings of one kind are told one by one.
const TOLD: usize = 3;

/// A run under way: the lock, the name, and the folder its reports go to.
pub(super) struct Night<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) ctx: &'a Context,
    pub(super) state: StateDir,
    _lock: Lock,
    pub(super) run_id: RunId,
    pub(super) started: Timestamp,
    pub(super) dir: PathBuf,
    /// The digests of the local records, once they were taken in.
    pub(super) records: OnceLock<Vec<RecordDigest>>,
}

/// `run`: the nightly job, all of it.
///
/// # Errors
/// What keeps the job from going on at all. What goes wrong at one registry stands in the report, and spares the others.
pub fn run(loaded: &Loaded, ctx: &Context) -> Result<Ended, Problems> {
    let started = ctx.clock.wall();
    metrics::leave(loaded, ctx, started, whole_night(loaded, ctx))
}

/// The nightly job but for its metrics.
fn whole_night(loaded: &Loaded, ctx: &Context) -> Result<Ended, Problems> {
    let night = Night::begin(loaded, ctx)?;
    night.stage("check");
    check::before(loaded, ctx)?;
    let (ingested, mut facts) = night.take_in()?;
    night.stage("pull");
    let pulls = pull_all(night.config(), (&ingested.records, &night.services()?), &night.state, &night.run_id, &Within::default(), ctx)?;
    night.stage("diff");
    let fresh = pulls.iter().filter_map(|(id, p)| Some((id.clone(), p.pulled.as_ref()?.snapshot.clone()?))).collect();
    let summary = night.diff(&ingested.records, &fresh, Part::WHOLE)?;
    let config = night.config();
    let today = night.started.to_zoned(TimeZone::UTC).date();
    let unsigned = retention::expire(&night.state, &config.reports, &config.retention.pack, today, &mut |dir, files| {
        let ground = (RedactionReason::Retention, "the time for which it is kept is over");
        match files {
            [] => redact_whole(loaded, ctx, dir, ground).map(drop),
            files => {
                let gone = |name: &String| FileChange { name: name.clone(), after: None, rows: Vec::new() };
                redact(loaded, ctx, dir, ground, &files.iter().map(gone).collect::<Vec<_>>()).map(drop)
            }
        }
    })?;
    let mut store = open_store(&night.loaded.config)?;
    Vault::new(&mut store).expire(night.started)?;
    apart::expire(&mut store, &config.retention.pack, night.started, today)?;
    commitments::expire(&mut store, &|taken| retention::is_table_due(&config.retention.pack, taken, today))?;
    drop(store);
    let mut ended = night.report("run", &mut facts, &pulls, Some(&summary))?;
    ended.exits.extend(unsigned.iter().map(|_| Exit::ReportFailed));
    ended.problems.extend(unsigned);
    // Plans are made, and applied, by verbs that take the lock for themselves.
    drop(night);
    let changed = nightly::change(loaded, ctx, &mut ended);
    // What the night deleted goes from the copies too, whatever became of its plans.
    archive::after(loaded, ctx, &mut ended);
    changed?;
    Ok(ended)
}

/// `pull`: the registries into snapshots.
///
/// # Errors
/// As [`run`].
pub fn pull(loaded: &Loaded, ctx: &Context) -> Result<Ended, Problems> {
    pull_within(loaded, &Within::default(), ctx)
}

/// `pull` within bounds: the newest snapshots refreshed as far as these go.
///
/// # Errors
/// As [`run`].
pub fn pull_within(loaded: &Loaded, within: &Within, ctx: &Context) -> Result<Ended, Problems> {
    let night = Night::begin(loaded, ctx)?;
    let (ingested, mut facts) = night.take_in()?;
    night.stage("pull");
    let pulls = pull_all(night.config(), (&ingested.records, &night.services()?), &night.state, &night.run_id, within, ctx)?;
    night.report("pull", &mut facts, &pulls, None)
}

/// `diff`: the newest snapshots against the local records.
///
/// # Errors
/// As [`run`]; `E-job-003` (exit 32) where a registry has no snapshot yet.
pub fn diff(loaded: &Loaded, ctx: &Context) -> Result<Ended, Problems> {
    let night = Night::begin(loaded, ctx)?;
    let (ingested, mut facts) = night.take_in()?;
    let snapshots = parts::newest(&night)?;
    night.stage("diff");
    let summary = night.diff(&ingested.records, &snapshots, Part::WHOLE)?;
    night.report("diff", &mut facts, &BTreeMap::new(), Some(&summary))
}

/// That there is nothing of a registry to work on.
pub(super) fn no_snapshot(id: &RegistryId) -> Box<Problem> {
    Problem::new("E-job-003", Blame::Operator, "there is no whole snapshot", "run `privet pull` first")
        .object(id.as_str())
        .exit(Exit::InputIncomplete)
}

/// `report run`: the newest run's report, written again from what it left.
///
/// # Errors
/// `E-job-004` (exit 32) where no run left a report.
pub fn report_run(loaded: &Loaded, ctx: &Context) -> Result<Ended> {
    let newest = newest_report(&loaded.config.reports).ok_or_else(|| {
        let remedy = "run `privet run` first";
        Problem::new("E-job-004", Blame::Operator, "no run has left a report here", remedy)
            .file(&loaded.config.reports)
            .exit(Exit::InputIncomplete)
    })?;
    let facts = report::read(&newest.join("run.json"))?;
    let written = write_report(&facts, &newest)?;
    let mut ended = ended(&facts, &newest);
    if let Err(problem) = proof::prove_again(&loaded.config, ctx, &newest, &written.files) {
        ended.exits.push(Exit::ReportFailed);
        ended.problems.push(*problem);
    }
    Ok(ended)
}

impl<'a> Night<'a> {
    pub(super) fn begin(loaded: &'a Loaded, ctx: &'a Context) -> Result<Self> {
        let started = ctx.clock.wall();
        let state = StateDir::open(&loaded.config.state)?;
        let what = format!("{} {} {started}", loaded.config.digest, loaded.config.path.display());
        let short: String = Digest::of(what.as_bytes()).short().chars().take(8).collect();
        let run_id = RunId::new(format!("{}-{short}", started.strftime("%Y%m%dT%H%M%SZ")));
        ctx.events.tell(Event::Run { id: run_id.clone() });
        let lock = state.lock(&format!("run {run_id}, process {}", std::process::id()))?;
        queried::sweep(&state)?;
        let dir = loaded.config.reports.join(run_id.as_str());
        create_private_dir(&dir)?;
        Ok(Self { loaded, ctx, state, _lock: lock, run_id, started, dir, records: OnceLock::new() })
    }

    pub(super) const fn run_id(&self) -> &RunId {
        &self.run_id
    }

    const fn config(&self) -> &'a Config {
        &self.loaded.config
    }

    pub(super) fn stage(&self, name: &'static str) {
        self.ctx.events.tell(Event::Stage { name });
    }

    /// Takes the local records in, and begins the facts of the run.
    pub(super) fn take_in(&self) -> Result<(Ingested, RunFacts), Problems> {
        self.stage("records");
        let previous = Records::open(&records::records_dir(&self.state)).ok();
        let tables = self.tables()?;
        let ingested = records::take_in(self.config(), &tables, &self.state, self.record_digests()?)?;
        self.warn(&ingested.warnings);
        let files = records::files(&tables, &ingested.records, previous.as_ref());
        let facts = facts::run_facts(self.loaded, &self.run_id, self.started, &ingested.warnings, files);
        Ok((ingested, facts))
    }

    /// The local records as they are, for a report: where the files are those of the last run, they are not taken in once more.
    pub(super) fn known_records(&self) -> Result<Records, Problems> {
        self.stage("records");
        let tables = self.tables()?;
        let (records, warnings) = records::known(self.config(), &tables, &self.state, self.record_digests()?)?;
        if let Some(warnings) = &warnings {
            self.warn(warnings);
        }
        Ok(records)
    }

    /// The tables of local records as files, those that are queries as well.
    fn tables(&self) -> Result<Arc<queried::Fetched>, Problems> {
        queried::records(self.config(), self.ctx)
    }

    /// The digests of the files of records, told once.
    pub(super) fn record_digests(&self) -> Result<&[RecordDigest], Problems> {
        let tables = self.tables()?;
        Ok(self.records.get_or_init(|| proof::record_digests(&tables)))
    }

    /// Tells what an input should be mended of: the first problems of each kind, and how many more there are. The report has them all.
    fn warn(&self, warnings: &Problems) {
        let mut alike: BTreeMap<&str, usize> = BTreeMap::new();
        for warning in warnings.kept() {
            let seen = alike.entry(&warning.id).or_default();
            *seen += 1;
            if *seen <= TOLD {
                self.ctx.events.tell(Event::Warning(Box::new(warning.clone())));
            }
        }
        let more = alike.values().map(|n| n.saturating_sub(TOLD)).sum::<usize>() + warnings.dropped();
        if more > 0 {
            self.ctx.events.tell(Event::Note(format!("{more} more warnings like these about the local records")));
        }
    }

    /// The privacy services that are active on the day of the run.
    pub(super) fn services(&self) -> Result<Services, Problems> {
        let day = self.started.to_zoned(TimeZone::UTC).date();
        self.tables()?.services.as_ref().map_or_else(|| Ok(Services::default()), |source| Services::read(source, day))
    }

    /// The RDAP answers that the operator supplies.
    pub(super) fn rdap(&self) -> Result<RdapAnswers, Problems> {
        RdapAnswers::read(&self.config().records.rdap)
    }

    /// Compares `snapshots` with the records; the differences go to the report's folder.
    pub(super) fn diff(&self, records: &Records, snapshots: &BTreeMap<RegistryId, Snapshot>, part: Part) -> Result<DiffSummary, Problems> {
        let services = self.services()?;
        let compared: Vec<Compared<'_>> = snapshots
            .iter()
            .filter_map(|(id, snapshot)| Some(Compared { profile: &self.config().registries.get(id)?.profile, snapshot }))
            .collect();
        let expectation = Expectation { services: &services, privacy: self.config().privacy.as_ref() };
        Ok(diff::diff_part(records, &compared, expectation, part, &self.dir)?)
    }

    /// Completes the facts, writes the report and says how the run ended.
    pub(super) fn report(
        &self,
        verb: &str,
        facts: &mut RunFacts,
        pulls: &BTreeMap<RegistryId, RegistryPull>,
        summary: Option<&DiffSummary>,
    ) -> Result<Ended, Problems> {
        self.stage("report");
        let mut kept = Vec::new();
        for (id, registry) in self.config().registries.iter().filter(|(id, _)| self.ctx.includes(id)) {
            if let Some(pull) = pulls.get(id) {
                facts.registries.push(facts::registry_facts(id, registry, pull));
            } else if let Some(snapshot) = Snapshot::newest(self.state.root(), id)? {
                facts.registries.push(facts::from_snapshot(id, registry, &snapshot));
                kept.push(snapshot);
            }
        }
        let mut exits: Vec<Exit> = facts.registries.iter().flat_map(|r| r.exits.iter().copied()).collect();
        if let Some(summary) = summary {
            facts.differences.clone_from(&summary.rows);
            facts.outputs = facts::outputs(&self.dir);
            if !facts.differences.is_empty() {
                exits.push(Exit::ChangesPending);
            }
        }
        // What `--fail-on` makes of differences is the command line's; the job itself is done.
        facts.exit = Exit::worst(exits.iter().copied().filter(|e| *e != Exit::ChangesPending));
        facts.ended = self.ctx.clock.wall();
        let mut ended = match write_report(facts, &self.dir) {
            Ok(_) => ended(facts, &self.dir),
            Err(problem) => {
                exits.push(Exit::ReportFailed);
                Ended { problems: vec![*problem], ..ended(facts, &self.dir) }
            }
        };
        exits.push(Exit::Done);
        ended.exits = exits;
        ended.problems.extend(pulls.values().filter_map(|p| p.problem.clone()));
        let stopped = pulls.values().filter_map(|p| p.pulled.as_ref()?.line.stopped.clone());
        ended.problems.extend(stopped);
        let pulled = pulls.values().filter_map(|p| p.pulled.as_ref()?.snapshot.as_ref());
        let sum = |of: fn(&report::RegistryFacts) -> u64| facts.registries.iter().map(of).sum::<u64>();
        let counts = [
            ("registries", facts.registries.len() as u64),
            ("contacts", sum(|r| r.contacts.ok)),
            ("domains", sum(|r| r.domains.ok)),
            ("unreadable", sum(report::RegistryFacts::unreadable)),
            ("differences", facts.differences.iter().map(|row| row.count).sum()),
        ];
        self.proved(&mut ended, verb, pulled.chain(&kept), &counts);
        Ok(ended)
    }
}

/// Writes the report of `facts`, with the differences that stand in `dir`.
fn write_report(facts: &RunFacts, dir: &Path) -> Result<Written> {
    let differences = dir.join("differences.csv");
    report::write(facts, differences.exists().then_some(differences.as_path()), dir)
}

/// How a run ended, from its facts.
fn ended(facts: &RunFacts, dir: &Path) -> Ended {
    Ended {
        exits: vec![facts.exit],
        json: serde_json::to_value(Summary::of(facts, dir)).unwrap_or_default(),
        text: report::terminal(facts, dir),
        problems: Vec::new(),
    }
}

/// The report folder of the newest run: run ids sort by their time.
pub(super) fn newest_report(reports: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(reports).ok()?.flatten().map(|e| e.path());
    entries.filter(|dir| dir.join("run.json").exists()).max()
}
