//! `check`: everything a run needs, looked at without changing anything.

use super::config::{Loaded, RegistryConfig};
use super::night::newest_report;
use super::probe::Probe;
use super::pulling::{endpoint, runtime, setup, tls};
use super::{Context, Ended, archive, queried};
use crate::base::{Blame, Event, Exit, Problem, Problems, RegistryId, Result, RunId, StateDir, Timestamp, may_write};
use crate::report;
use crate::session::{Drift, PoolReport, ReadPool};
use crate::transport::run;
use std::path::Path;
use std::sync::Arc;

/// Free space under which a run should not begin: a spool, a snapshot and a report of a million objects take about 2 GiB.
const MIN_FREE: u64 = 512 << 20;

/// Days before the end of a certificate at which it is told.
const EXPIRY_DAYS: i64 = 30;

/// The seconds by which a registry's clock may differ from ours.
const CLOCK_SECONDS: i64 = 60;

/// Days after which a password is told to be old. No registry's rules are known to name an age; a year is what audits ask about.
const PASSWORD_DAYS: i64 = 365;

/// Hours after the end of the last run at which it is told: a night was missed.
const RUN_HOURS: i64 = 36;

/// What can be looked at without a line: secrets, certificates, keys, disk.
///
/// # Errors
/// Everything that would keep a registry from being reached, and a full disk.
pub(super) fn before(loaded: &Loaded, ctx: &Context) -> Result<(), Problems> {
    let mut problems = Problems::default();
    let now = ctx.clock.wall();
    for (id, registry) in loaded.config.registries.iter().filter(|(id, _)| ctx.includes(id)) {
        match registry.password.read() {
            Ok(read) => {
                read.warnings.into_iter().for_each(|w| ctx.events.tell(Event::Warning(Box::new(w))));
                if let Some(days) = password_days(registry, now).filter(|days| *days > PASSWORD_DAYS) {
                    let what = format!("the password was last changed {days} days ago");
                    let problem = Problem::new("E-check-003", Blame::Operator, what, "agree on a new one with the registry");
                    ctx.events.tell(Event::Warning(problem.object(id.as_str())));
                }
            }
            Err(problem) => problems.push(problem.object(id.as_str())),
        }
        match tls(registry, now) {
            Ok(setup) => {
                for certificate in setup.certificates() {
                    let days = days_between(now, certificate.not_after);
                    if days <= EXPIRY_DAYS {
                        let what = format!("the certificate of {} ends in {days} days, at {}", certificate.subject, certificate.not_after);
                        let problem = Problem::new("E-check-002", Blame::Operator, what, "have it renewed").object(id.as_str());
                        ctx.events.tell(Event::Warning(problem));
                    }
                }
            }
            Err(several) => several.kept().iter().for_each(|p| problems.push(Box::new(p.clone()).object(id.as_str()))),
        }
    }
    for looked in [StateDir::look(&loaded.config.state), may_write(&loaded.config.reports), free_space(&loaded.config.state)] {
        looked.unwrap_or_else(|problem| problems.push(problem));
    }
    let beside = loaded.config.metrics.as_ref().and_then(|file| file.parent());
    // A run goes on without its metrics.
    if let Some(problem) = beside.and_then(|dir| may_write(dir).err()) {
        ctx.events.tell(Event::Warning(problem));
    }
    problems.or(())
}

/// Whole days from one time to another.
fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_hours().div_euclid(24)
}

/// How many days ago the password was changed, where that can be seen.
fn password_days(registry: &RegistryConfig, now: Timestamp) -> Option<i64> {
    registry.password.changed().map(|changed| days_between(changed, now))
}

/// The bytes that are free where the state is, or will be; nothing where the system does not tell.
fn free(state: &Path) -> Option<u64> {
    let there = state.ancestors().find(|dir| dir.exists()).filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let disk = rustix::fs::statvfs(there).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether there is room for a run.
fn free_space(state: &Path) -> Result<()> {
    let Some(free) = free(state).filter(|free| *free < MIN_FREE) else { return Ok(()) };
    let what = format!("only {} MiB are free", free >> 20);
    Err(Problem::new("E-check-001", Blame::Operator, what, "make room, or name another state directory").file(state).exit(Exit::Storage))
}

/// What `check` prints with `--format json`.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Checked {
    /// Bytes that are free where the state is, where the system tells.
    pub free_bytes: Option<u64>,
    /// The last run of which a report stands, where there is one.
    pub last_run: Option<CheckedRun>,
    /// The database of records that are queries, where there is one; nothing, too, where it did not let us in or refused one of them.
    pub queries: Option<CheckedQueries>,
    /// The object storage, where one is configured and lets us in.
    pub objects: Option<String>,
    /// Each registry, in the order of the configuration.
    pub registries: Vec<CheckedRegistry>,
}

/// The database of records that are queries.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct CheckedQueries {
    /// Where it is.
    pub address: String,
    /// How many queries were tried without a row.
    pub tried: u64,
}

/// The last run.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct CheckedRun {
    /// Its name.
    pub run: RunId,
    /// When it ended.
    pub ended: Timestamp,
    /// How many hours ago that is; less than none where this machine's clock went back.
    pub hours_ago: i64,
    /// What it ended with, differences left aside.
    pub exit: u8,
}

/// What a check saw of one registry.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct CheckedRegistry {
    /// The operator's name for the account.
    pub id: RegistryId,
    /// Whether a question was answered after the login.
    pub login: bool,
    /// The name the server gives itself, or that there was no greeting.
    pub server: String,
    /// The version and the cipher suite of TLS, where there was a line.
    pub tls: Option<String>,
    /// When the first certificate of that line ends.
    pub certificates_until: Option<Timestamp>,
    /// How many days that is from now.
    pub certificate_days_left: Option<i64>,
    /// How many days ago the password was changed, where it is kept in a file of the operator's own.
    pub password_days: Option<i64>,
    /// The registry's clock minus ours, in seconds.
    pub clock_offset_seconds: Option<i64>,
    /// The account's credit, where the registry tells it; an amount as it wrote it.
    pub credit: Option<String>,
    /// What its greeting and its profile say differently, where there was a greeting.
    pub drift: Option<Drift>,
}

/// `check`: the above, each query tried without a row, and a login at every registry.
///
/// # Errors
/// What can be known without a line.
pub fn check(loaded: &Loaded, ctx: &Context) -> Result<Ended, Problems> {
    before(loaded, ctx)?;
    let now = ctx.clock.wall();
    let run_id = RunId::new(format!("{}-check", now.strftime("%Y%m%dT%H%M%SZ")));
    ctx.events.tell(Event::Run { id: run_id.clone() });
    let runtime = runtime()?;
    let mut ended = Ended { exits: vec![Exit::Done], json: serde_json::Value::Null, text: String::new(), problems: Vec::new() };
    let last_run = last_run(loaded, now, ctx, &mut ended);
    let queries = queries(loaded, &mut ended);
    let objects = objects(loaded, &mut ended);
    let mut registries = Vec::new();
    for (id, registry) in loaded.config.registries.iter().filter(|(id, _)| ctx.includes(id)) {
        let pool = ReadPool::new(setup(&loaded.config, id, registry, &run_id, 1)?);
        let endpoint = endpoint(registry, ctx)?;
        let mut probe = Probe::default();
        let line = runtime.block_on(run(pool, endpoint, Arc::clone(&ctx.clock), &mut probe, ctx.stop.clone()))?;
        let (row, said) = told(id, &line, probe.is_answered(), (now, password_days(registry, now)));
        if let Some(offset) = row.clock_offset_seconds.filter(|offset| offset.abs() > CLOCK_SECONDS) {
            let what = format!("the registry's clock is {offset} s from ours");
            let problem = Problem::new("E-check-004", Blame::Operator, what, "see that this machine keeps time (NTP)");
            ctx.events.tell(Event::Warning(problem.object(id.as_str())));
        }
        ended.text.push_str(&said);
        registries.push(row);
        ended.problems.extend(line.problems.iter().cloned());
        if let Some(stopped) = &line.stopped {
            ended.exits.push(stopped.exit);
            ended.problems.push(stopped.clone());
        }
    }
    let free_bytes = free(&loaded.config.state);
    ended.json = serde_json::to_value(Checked { free_bytes, last_run, queries, objects, registries }).unwrap_or_default();
    Ok(ended)
}

/// What the database of records said; what is wrong there spares the registries.
fn queries(loaded: &Loaded, ended: &mut Ended) -> Option<CheckedQueries> {
    match queried::tried(&loaded.config) {
        Ok(Some((address, tried))) => {
            ended.text.push_str(&format!("records: {address}, {tried} queries can be run\n"));
            Some(CheckedQueries { address, tried: tried as u64 })
        }
        Ok(None) => None,
        Err(problems) => {
            ended.exits.extend(problems.kept().iter().map(|problem| problem.exit));
            ended.problems.extend(problems.kept().iter().cloned());
            None
        }
    }
}

/// The object storage that lets us in; what is wrong there spares the registries.
fn objects(loaded: &Loaded, ended: &mut Ended) -> Option<String> {
    let objects = loaded.config.objects.as_ref()?;
    match archive::look(objects) {
        Ok(()) => {
            ended.text.push_str(&format!("object storage: {} lets us in\n", objects.place.shown()));
            Some(objects.place.shown())
        }
        Err(problem) => {
            ended.exits.push(problem.exit);
            ended.problems.push(*problem);
            None
        }
    }
}

/// The last run, with a warning where none was made lately, or where it lies ahead of the clock.
fn last_run(loaded: &Loaded, now: Timestamp, ctx: &Context, ended: &mut Ended) -> Option<CheckedRun> {
    let Some(dir) = newest_report(&loaded.config.reports) else {
        ended.text.push_str("no run has left a report yet\n");
        return None;
    };
    let facts = match report::read(&dir.join("run.json")) {
        Ok(facts) => facts,
        Err(problem) => {
            ctx.events.tell(Event::Warning(problem));
            return None;
        }
    };
    let hours = now.duration_since(facts.ended).as_hours();
    let wrong = if now < facts.ended {
        Some(("E-check-005", "lies ahead of this machine's clock", "set the clock; ages and time limits are counted by it"))
    } else if hours > RUN_HOURS {
        Some(("E-check-006", "is the last one", "see why none came after it: systemctl status privet.timer"))
    } else {
        None
    };
    if let Some((number, what, remedy)) = wrong {
        let what = format!("the run {}, which ended at {}, {what}", facts.run_id, facts.ended);
        ctx.events.tell(Event::Warning(Problem::new(number, Blame::Operator, what, remedy).file(&dir)));
    }
    let exit = facts.exit.code();
    ended.text.push_str(&format!("last run: {}, {hours} hours ago, ended with {exit}\n", facts.run_id));
    Some(CheckedRun { run: facts.run_id, ended: facts.ended, hours_ago: hours, exit })
}

/// What a check of one registry saw, for programs and for people.
fn told(id: &RegistryId, line: &PoolReport, answered: bool, (now, password): (Timestamp, Option<i64>)) -> (CheckedRegistry, String) {
    let greeting = line.greeting.as_ref();
    let server = greeting.map_or("no greeting", |g| &g.greeting.server);
    let offset = greeting.and_then(|g| g.clock_offset_seconds);
    let tls = line.tls.as_ref().map(|t| format!("{} {}", t.version, t.cipher));
    let ends = line.tls.as_ref().and_then(|t| t.certificates.iter().map(|c| c.not_after).min());
    let row = CheckedRegistry {
        id: id.clone(),
        login: answered,
        server: server.to_owned(),
        tls: tls.clone(),
        certificates_until: ends,
        certificate_days_left: ends.map(|ends| days_between(now, ends)),
        password_days: password,
        clock_offset_seconds: offset,
        credit: line.credit.clone(),
        drift: greeting.map(|g| g.drift.clone()),
    };
    let state = if answered { "logged in" } else { "NOT logged in" };
    let mut text = format!("{id}: {state}; {}; {}", crate::base::escape_controls(server), tls.as_deref().unwrap_or("no TLS"));
    if let Some(ends) = ends {
        text.push_str(&format!("; certificates until {} ({} days)", ends.strftime("%Y-%m-%d"), days_between(now, ends)));
    }
    if let Some(offset) = offset.filter(|o| o.abs() > CLOCK_SECONDS) {
        text.push_str(&format!("; its clock is {offset} s from ours"));
    }
    if let Some(credit) = &line.credit {
        text.push_str(&format!("; credit {}", crate::base::escape_controls(credit)));
    }
    if let Some(drift) = greeting.map(|g| &g.drift) {
        for uri in &drift.announced_not_enabled {
            text.push_str(&format!("\n  announced, and not used by us: {}", crate::base::escape_controls(uri)));
        }
        for uri in &drift.enabled_not_announced {
            text.push_str(&format!("\n  expected, and not announced: {uri}"));
        }
    }
    text.push('\n');
    (row, text)
}
