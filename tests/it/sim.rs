//! The simulator: seeds, the one plan that is crashed at every step, and the planted mistakes.
//!
//! `PRIVET_SIM_SEED=n` replays one seed and prints what happened; `PRIVET_SIM_SEEDS=n` is how many seeds there are (10 000);
//! `PRIVET_SIM_SERVER_SEEDS=n` how many are played over a real server (40).
#![expect(clippy::print_stdout, reason = "a replayed seed tells what happened, and a planted mistake by which seed it was seen")]

use crate::database::place;
use crate::server::Server;
use privet::sim::{Bug, Case, Report, simulate, simulate_over};
use privet::store::{PostgresStore, Store};
use rayon::prelude::*;
use std::path::Path;

/// Seeds of one run.
const SEEDS: u64 = 10_000;
/// Seeds of one run over a real server, each of which waits for a disk.
const SERVER_SEEDS: u64 = 40;
/// Seeds within which a planted mistake has to be seen.
const SOON: u64 = 1_000;

fn play(case: &Case, dir: &Path) -> Report {
    let plan = dir.join(format!("{}.plan", rayon::current_thread_index().unwrap_or(usize::MAX)));
    simulate(case, &plan).unwrap_or_else(|problem| panic!("seed {}: {problem}", case.seed))
}

fn broken(case: &Case, report: &Report) -> Option<String> {
    let told: Vec<String> = report.violations.iter().map(ToString::to_string).collect();
    let crash = case.crash.map_or_else(String::new, |step| format!(" with a crash before step {step}"));
    (!told.is_empty()).then(|| format!("seed {}{crash}: {}", case.seed, told.join("; ")))
}

#[expect(clippy::disallowed_methods, reason = "the long mode and a replay are asked for by the environment")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn every_seed_keeps_every_word() {
    let dir = tempfile::tempdir().expect("a directory");
    if let Some(seed) = number("PRIVET_SIM_SEED") {
        let case = Case { seed, trace: true, ..Case::default() };
        let report = play(&case, dir.path());
        println!("{}\n{:?}", report.trace.join("\n"), report.tally);
        assert_eq!(broken(&case, &report), None);
        return;
    }
    let seeds = number("PRIVET_SIM_SEEDS").unwrap_or(SEEDS);
    let failed: Vec<String> = (0..seeds)
        .into_par_iter()
        .filter_map(|seed| {
            let case = Case { seed, ..Case::default() };
            broken(&case, &play(&case, dir.path()))
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {seeds} seeds; replay one with PRIVET_SIM_SEED:\n{}",
        failed.len(),
        failed[..failed.len().min(20)].join("\n")
    );
}

#[test]
fn a_crash_before_every_step_of_forty_operations_comes_to_the_same_end() {
    let dir = tempfile::tempdir().expect("a directory");
    let case = |crash| Case { seed: 40, operations: Some(40), crash: Some(crash), ..Case::default() };
    let whole = play(&case(u64::MAX), dir.path());
    assert_eq!((broken(&case(u64::MAX), &whole), whole.tally.verified >= 40), (None, true));
    assert!(whole.steps > 500, "{}", whole.steps);
    let failed: Vec<String> =
        (1..=whole.steps).into_par_iter().filter_map(|step| broken(&case(step), &play(&case(step), dir.path()))).collect();
    assert!(failed.is_empty(), "{} of {} steps:\n{}", failed.len(), whole.steps, failed[..failed.len().min(20)].join("\n"));
}

/// Processes die and begin anew, each with a line of its own to a database of its seed: the words are kept, and what the journal and the
/// registries hold is byte for byte what it is over the fake.
#[test]
fn seeds_over_a_real_server_keep_every_word_and_come_to_the_same_bytes() {
    let Some(server) = Server::with(&[]) else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let seeds = number("PRIVET_SIM_SERVER_SEEDS").unwrap_or(SERVER_SEEDS);
    let mut processes = 0;
    for seed in 0..seeds {
        let database = format!("seed_{seed}");
        server.sql("postgres", &format!("CREATE DATABASE {database}"));
        let place = place(&server, &database);
        let open = move || PostgresStore::open(&place).map(|store| Box::new(store) as Box<dyn Store>);
        let case = Case { seed, ..Case::default() };
        let report = simulate_over(&case, &dir.path().join("server.plan"), Box::new(open)).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert_eq!(broken(&case, &report), None);
        let fake = play(&case, dir.path());
        let of = |one: &Report| (one.digest, one.frames, one.steps, one.processes, one.tally);
        assert_eq!(of(&report), of(&fake), "seed {seed}");
        processes += report.processes;
        server.sql("postgres", &format!("DROP DATABASE {database}"));
    }
    println!("{seeds} seeds over a server, {processes} processes");
}

#[test]
fn a_seed_gives_the_same_bytes_each_time() {
    let dir = tempfile::tempdir().expect("a directory");
    for seed in 0..100 {
        let case = Case { seed, ..Case::default() };
        let (first, second) = (play(&case, dir.path()), play(&case, dir.path()));
        assert_eq!((first.digest, first.frames, first.steps), (second.digest, second.frames, second.steps), "seed {seed}");
    }
}

#[test]
fn each_planted_mistake_is_seen_within_a_thousand_seeds() {
    let dir = tempfile::tempdir().expect("a directory");
    // By the word that it breaks, and not by whatever else follows from it.
    let seen = |bug: Bug| {
        (0..SOON).find_map(|seed| {
            let report = play(&Case { seed, bug: Some(bug), ..Case::default() }, dir.path());
            let first = report.violations.iter().find(|violation| violation.invariant == bug.breaks())?;
            Some(format!("seed {seed}: {first}"))
        })
    };
    let found: Vec<(Bug, Option<String>)> = Bug::ALL.into_par_iter().map(|bug| (bug, seen(bug))).collect();
    for (bug, how) in &found {
        println!("{bug:?}: {}", how.as_deref().unwrap_or("not seen"));
    }
    let unseen: Vec<&Bug> = found.iter().filter(|(_, how)| how.is_none()).map(|(bug, _)| bug).collect();
    assert!(unseen.is_empty(), "not seen within {SOON} seeds: {unseen:?}");
}
