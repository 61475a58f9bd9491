//! What a run saw, gathered for its report.

use super::config::{Config, Loaded, RegistryConfig};
use super::pulling::RegistryPull;
use crate::base::{Exit, Problem, Problems, RegistryId, RunId, Timestamp};
use crate::dataset::{ByState, Snapshot};
use crate::model::ObjectKind;
use crate::report::facts::{
    AnswerTimes, GreetingFacts, LimitUse, LineFacts, NamespaceCount, ObjectCounts, Output, Override, RecordFile, RegistryFacts, RunFacts,
};
use crate::session::{Allowance, PoolReport};
use std::path::Path;

/// One registry in the report.
pub(super) fn registry_facts(id: &RegistryId, registry: &RegistryConfig, pull: &RegistryPull) -> RegistryFacts {
    // Weakened limits are told once, as settings and as warnings of the run.
    let mut problems: Vec<Problem> = pull.problem.iter().cloned().collect();
    let line = pull.pulled.as_ref().map(|p| &p.line);
    if let Some(line) = line {
        problems.extend(line.problems.iter().cloned());
        problems.extend(line.stopped.clone());
    }
    let tally = pull.pulled.as_ref().map(|p| &p.tally);
    let counts = |kind: ObjectKind| {
        let state: ByState = pull.pulled.as_ref().map(|p| p.counts.of(kind).clone()).unwrap_or_default();
        let observed = state.ok + state.missing + state.unreadable + state.refused;
        // Contacts are met on the way; a domain never is. What a list names counts as given.
        let given = pull.given[kind as usize];
        ObjectCounts {
            asked: observed.max(tally.and_then(|t| t.asked.get(&kind).copied()).unwrap_or_default()),
            ok: state.ok,
            missing: state.missing,
            unreadable: state.unreadable,
            refused: state.refused,
            found_on_the_way: observed.saturating_sub(given),
        }
    };
    RegistryFacts {
        id: id.clone(),
        profile: registry.profile.id.clone(),
        endpoint: format!("{}:{}", registry.host, registry.port),
        whole: pull.is_whole(),
        exits: pull.exits(),
        problems,
        contacts: counts(ObjectKind::Contact),
        domains: counts(ObjectKind::Domain),
        line: line.map(|l| line_facts(l, pull)).unwrap_or_default(),
        limits: line.map(|l| limits(registry, l, pull.given[ObjectKind::Domain as usize])).unwrap_or_default(),
        greeting: line.and_then(greeting),
        tls: line.and_then(|l| l.tls.clone()),
        unknown_namespaces: tally
            .map(|t| t.unknown.iter().map(|(namespace, count)| NamespaceCount { namespace: namespace.clone(), count: *count }).collect())
            .unwrap_or_default(),
        observed: pull.pulled.as_ref().and_then(|p| p.snapshot.as_ref()?.manifest().observed.clone()),
    }
}

/// The run in the report, still without its differences.
pub(super) fn run_facts(loaded: &Loaded, run_id: &RunId, started: Timestamp, warnings: &Problems, records: Vec<RecordFile>) -> RunFacts {
    let mut told = loaded.warnings.clone();
    told.extend(warnings.kept().iter().cloned());
    RunFacts {
        run_id: run_id.clone(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        ended: started,
        exit: Exit::Done,
        registries: Vec::new(),
        differences: Vec::new(),
        records,
        gates: Vec::new(),
        overrides: overrides(&loaded.config),
        warnings: told,
        warnings_not_kept: warnings.dropped() as u64,
        outputs: Vec::new(),
    }
}

/// Settings which weaken what a profile says.
fn overrides(config: &Config) -> Vec<Override> {
    let of = |(id, registry): (&RegistryId, &RegistryConfig)| {
        let id = id.clone();
        registry.weakened.clone().into_iter().map(move |problem| Override {
            key: problem.place.field.clone().unwrap_or_else(|| format!("registries.{id}.limits")),
            value: String::new(),
            origin: problem.place.to_string(),
            weakens: problem.what,
        })
    };
    config.registries.iter().flat_map(of).collect()
}

fn line_facts(line: &PoolReport, pull: &RegistryPull) -> LineFacts {
    let times = &line.answer_times;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times are positive and far below 2^53 ms")]
    let ms = |q: f64| times.quantile(q).round() as u64;
    LineFacts {
        exchanges: pull.pulled.as_ref().map_or(0, |p| p.counts.exchanges),
        bytes_out: line.sessions.iter().map(|s| s.bytes_out).sum(),
        bytes_in: line.sessions.iter().map(|s| s.bytes_in).sum(),
        sessions_opened: line.sessions_opened,
        reconnects: line.reconnects,
        max_in_flight: u64::from(line.max_in_flight),
        window_reached: u64::from(line.window),
        answer_times: (line.answers > 0).then(|| AnswerTimes { p50_ms: ms(0.5), p99_ms: ms(0.99), max_ms: ms(1.0) }),
        rate_waits: line.rate_waits,
        rate_waited_ms: u64::try_from(line.rate_waited.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Each limit of the account that holds `domains` here, what is ours of it, and what was used; and what is counted without a limit.
fn limits(registry: &RegistryConfig, line: &PoolReport, domains: u64) -> Vec<LimitUse> {
    let all = &registry.profile.limits;
    let ours = Allowance::of(all, 100);
    let share = |whole: u64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small number")]
        let part = (whole as f64 * registry.share) as u64;
        part.max(1)
    };
    let most = |of: fn(&crate::session::SessionReport) -> u64| line.sessions.iter().map(of).max().unwrap_or_default();
    let sessions = u64::from(ours.sessions);
    let window = u64::from(ours.read_window);
    let limited =
        |name: String, allowed: u64, share: u64, reached: u64| LimitUse { name, allowed: Some(allowed), share: Some(share), reached };
    let mut uses = vec![
        limited("sessions at a time".to_owned(), sessions, share(sessions), line.sessions_at_once.into()),
        limited("reads in flight on a session".to_owned(), window, window, line.max_in_flight.into()),
    ];
    if let Some(commands) = ours.commands_per_session {
        let allowed = u64::from(commands);
        uses.push(limited("commands in a session".to_owned(), allowed, allowed, most(|s| u64::from(s.commands))));
    }
    if let Some((commands, time)) = ours.rate {
        let allowed = u64::from(commands);
        uses.push(limited(format!("commands in {} s", time.as_secs()), allowed, share(allowed), line.rate_peak));
    }
    // Told whatever is limited: what a registry does not say today it may say tomorrow.
    if ours.rate.is_none_or(|(_, time)| time.as_secs() != 60) {
        uses.push(LimitUse { name: "commands in any 60 s".to_owned(), allowed: None, share: None, reached: line.minute_peak });
    }
    if let Some(used) = line.quota {
        let allowed = all.daily_quota.value.points(domains);
        uses.push(LimitUse {
            name: "commands in the registry's day".to_owned(),
            allowed,
            share: allowed.map(share),
            reached: used.commands,
        });
    }
    uses
}

fn greeting(line: &PoolReport) -> Option<GreetingFacts> {
    let facts = line.greeting.as_ref()?;
    let text = |all: &[Box<str>]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut services = text(&facts.greeting.objects);
    services.extend(text(&facts.greeting.extensions));
    Some(GreetingFacts {
        server: facts.greeting.server.to_string(),
        versions: text(&facts.greeting.versions),
        languages: text(&facts.greeting.langs),
        services,
        unexpected: facts.drift.announced_not_enabled.clone(),
        absent: facts.drift.enabled_not_announced.clone(),
        clock_offset_seconds: facts.clock_offset_seconds,
    })
}

/// One registry in the report of a `diff`, which asked it nothing.
pub(super) fn from_snapshot(id: &RegistryId, registry: &RegistryConfig, snapshot: &Snapshot) -> RegistryFacts {
    let counts = |kind: ObjectKind| {
        let state = snapshot.manifest().counts.of(kind);
        let asked = state.ok + state.missing + state.unreadable + state.refused;
        let (ok, missing, unreadable, refused) = (state.ok, state.missing, state.unreadable, state.refused);
        ObjectCounts { asked, ok, missing, unreadable, refused, found_on_the_way: 0 }
    };
    RegistryFacts {
        id: id.clone(),
        profile: registry.profile.id.clone(),
        endpoint: format!("{}:{}", registry.host, registry.port),
        whole: true,
        exits: Vec::new(),
        problems: Vec::new(),
        contacts: counts(ObjectKind::Contact),
        domains: counts(ObjectKind::Domain),
        line: LineFacts::default(),
        limits: Vec::new(),
        greeting: None,
        tls: None,
        unknown_namespaces: Vec::new(),
        observed: snapshot.manifest().observed.clone(),
    }
}

/// The files with values that a diff left in `dir`.
pub(super) fn outputs(dir: &Path) -> Vec<Output> {
    let files = [("differences, exact", "differences.csv"), ("differences, exact", "differences.parquet")];
    let there = files.into_iter().filter(|(_, file)| dir.join(file).exists());
    there.map(|(what, path)| Output { what: what.to_owned(), path: path.to_owned(), personal: true }).collect()
}
