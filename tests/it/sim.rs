//! The simulator: seeds, the one plan that is crashed at every step, and the planted mistakes.
//!
//! `PRIVET_SIM_SEED=n` replays one seed and prints what happened; `PRIVET_SIM_SEEDS=n` is how many seeds there are (10 000).
#![expect(clippy::print_stdout, reason = "a replayed seed tells what happened, and a planted mistake by which seed it was seen")]

use privet::sim::{Bug, Case, Report, simulate};
use rayon::prelude::*;
use std::path::Path;

/// Seeds of one run.
const SEEDS: u64 = 10_000;
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
