//! `apply`: carries a plan out, and goes on with one that was stopped; `reconcile`: settles what is unknown, by reading alone.

use super::allowed;
use super::applied::{ApplyRegistry, ApplyReport, OUTCOMES, messages, short, tables};
use super::carrying::{Carrying, Layouts, Outcomes, carry_out};
use super::config::{Config, Loaded};
use super::crew::Crew;
use super::erased::forget;
use super::opening::open_store;
use super::proof::{Proving, prove};
use super::{Context, Ended, windows};
use crate::apply::{Applied, lots};
use crate::base::{Blame, Digest, Exit, Problem, Problems, RegistryId, Result, StateDir, Timestamp, create_private_dir};
use crate::journal::{self, Entry, Fold};
use crate::plan::PlanFile;
use crate::policy::Profile;
use crate::store::{Batch, Store, StreamName};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What is asked of a plan, and how its run can be held.
#[derive(Clone, Debug, Default)]
pub struct ApplyOptions {
    /// The digest of what was reviewed: the whole of it, or at least 12 digits.
    pub digest: Option<String>,
    /// While this file is there, nothing new is begun.
    pub pause_file: Option<PathBuf>,
    /// Once this file is there, the run ends as at Ctrl-C.
    pub stop_file: Option<PathBuf>,
}

/// `apply`: carries a plan out.
///
/// # Errors
/// `E-apply-007` to `-012`, `-015` and `-016` (exits 20 and 21) where the plan may not be applied, with all that stands against it; what
/// reading the plan, the store and the journal brings.
pub fn apply(loaded: &Loaded, plan: &Path, options: &ApplyOptions, ctx: &Context) -> Result<Ended, Problems> {
    let state = StateDir::open(&loaded.config.state)?;
    let _lock = state.lock("apply")?;
    let plan = PlanFile::open(plan)?;
    if let Some(digest) = &options.digest {
        plan.pin(digest)?;
    }
    let crew = join(loaded, &plan, false, ctx)?;
    let mut store = open_store(&loaded.config)?;
    let fold = journal::open(&mut store, &plan.header().id)?;
    may_begin(&plan, &fold, &mut store, &loaded.config, ctx.clock.wall())?;
    keep(&plan, &state)?;
    go(loaded, plan, (store, fold, crew), &state, &Going { options, settle_only: false, gives_up: false }, ctx)
}

/// The workers of the run with this process among them, where the store is one that several share.
fn join(loaded: &Loaded, plan: &PlanFile, alone: bool, ctx: &Context) -> Result<Option<Crew>> {
    loaded.config.store.as_ref().map(|shared| Crew::join(shared, &plan.header().id, alone, ctx)).transpose()
}

/// `reconcile`: settles what is unknown of the run whose plan's id begins with `run`, by reading alone. With `gives_up` the run is over
/// then, where nothing is unknown or pending any more: what was not begun never will be.
///
/// # Errors
/// `E-apply-013` (exit 2) where there is no such run, or there are several; as [`apply`].
pub fn reconcile(loaded: &Loaded, run: &str, gives_up: bool, ctx: &Context) -> Result<Ended, Problems> {
    let state = StateDir::open(&loaded.config.state)?;
    let _lock = state.lock("reconcile")?;
    let plan = PlanFile::open(&kept(&state, run)?)?;
    // Nobody sends anything meanwhile.
    let crew = join(loaded, &plan, true, ctx)?;
    let mut store = open_store(&loaded.config)?;
    let fold = journal::open(&mut store, &plan.header().id)?;
    if fold.is_closed() {
        let ending = Ending { began: ctx.clock.wall(), verb: "reconcile", gives_up: false, others: 0 };
        return Ok(finish(loaded, &plan, &state, &Outcomes::new(), &ending, ctx)?.0);
    }
    go(loaded, plan, (store, fold, crew), &state, &Going { options: &ApplyOptions::default(), settle_only: true, gives_up }, ctx)
}

/// How a run is gone on with.
struct Going<'a> {
    options: &'a ApplyOptions,
    /// Whether nothing is sent.
    settle_only: bool,
    /// Whether the run is over then, though something of it was not begun.
    gives_up: bool,
}

fn go(
    loaded: &Loaded,
    plan: PlanFile,
    (mut store, fold, mut crew): (Box<dyn Store>, Fold, Option<Crew>),
    state: &StateDir,
    going: &Going<'_>,
    ctx: &Context,
) -> Result<Ended, Problems> {
    let began = ctx.clock.wall();
    if let Some(undone) = &plan.header().undoes {
        give_up(undone, &mut store, ctx.clock.wall())?;
    }
    let layouts = crew.as_mut().map(|crew| share_out(&plan, crew, ctx)).transpose()?.unwrap_or_default();
    let stream = begin(&plan, &fold, &mut store, crew.as_ref().map_or(1, Crew::number), ctx.clock.wall())?;
    drop(store);
    crew.as_mut().map_or(Ok(()), Crew::leave_door)?;
    let (plan, crew) = (Arc::new(plan), crew.map(|crew| Arc::new(Mutex::new(crew))));
    let shared = crew.as_ref().map(|crew| (Arc::clone(crew), layouts));
    let carrying = Carrying { config: &loaded.config, plan: &plan, options: going.options, settle_only: going.settle_only, crew: shared };
    let parts = carry_out(&carrying, stream, fold, ctx)?;
    drop(carrying);
    let mut crew = crew.and_then(Arc::into_inner).map(|crew| crew.into_inner().unwrap_or_else(PoisonError::into_inner));
    let others = crew.as_mut().map_or(Ok(0), |crew| crew.enter_door().and_then(|()| crew.others()))?;
    let verb = if going.settle_only { "reconcile" } else { "apply" };
    let (ended, is_over) = finish(loaded, &plan, state, &parts, &Ending { began, verb, gives_up: going.gives_up, others }, ctx)?;
    if let Some(mut crew) = crew {
        if is_over {
            crew.forget_lots()?;
        }
        crew.leave()?;
    }
    Ok(ended)
}

/// Cuts each registry's operations into lots, for all workers to take. The first one begins a round over all of them.
fn share_out(plan: &PlanFile, crew: &mut Crew, ctx: &Context) -> Result<Layouts> {
    let run = &plan.header().id;
    if crew.is_first() {
        crew.store().begin_round(run)?;
    }
    let all = lots(plan.operations()?)?.into_iter().map(|(id, layout)| (RegistryId::from(id.as_str()), layout));
    let layouts: Layouts = all.filter(|(id, _)| ctx.includes(id)).collect();
    for (id, layout) in &layouts {
        crew.store().offer(run, id.as_str(), &layout.lots)?;
    }
    Ok(layouts)
}

/// What is known of a verb when it ends.
struct Ending<'a> {
    /// When it began.
    began: Timestamp,
    /// Which it is.
    verb: &'a str,
    /// Whether the run is over then, though something of it was not begun.
    gives_up: bool,
    /// How many other workers are at the run: the last one ends it.
    others: u64,
}

/// Keeps a copy of a plan that is applied, by which its run is settled and undone, wherever the file goes.
fn keep(plan: &PlanFile, state: &StateDir) -> Result<()> {
    let folder = state.root().join("plans");
    create_private_dir(&folder)?;
    plan.copy(&folder.join(format!("{}.plan", plan.header().id)))
}

/// The plans that were applied, or begun to be, in the order of their ids.
pub(super) fn plans(state: &StateDir) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(state.root().join("plans")).into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "plan")).collect();
    all.sort_unstable();
    all
}

/// The kept plan whose id begins with `run`.
pub(super) fn kept(state: &StateDir, run: &str) -> Result<PathBuf> {
    let none = |what: String| Problem::new("E-apply-013", Blame::Operator, what, "give the plan's id as `privet apply` told it");
    if run.len() < 12 || !run.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(none("a run is named by its plan's id, at least its first 12 digits".to_owned()));
    }
    let found: Vec<PathBuf> =
        plans(state).into_iter().filter(|path| path.file_stem().is_some_and(|stem| stem.to_string_lossy().starts_with(run))).collect();
    match found.as_slice() {
        [path] => Ok(path.clone()),
        found => Err(none(format!("there are {} runs whose plan's id begins with these digits", found.len()))),
    }
}

/// Everything that stands against applying the plan now.
fn may_begin(plan: &PlanFile, fold: &Fold, store: &mut dyn Store, config: &Config, now: Timestamp) -> Result<(), Problems> {
    let header = plan.header();
    let mut problems = Problems::default();
    let stale = |id: &str, what: String| Problem::new(id, Blame::Operator, what, "plan again").exit(Exit::PlanStale);
    if fold.digest().is_some_and(|known| known != plan.digest()) {
        problems.push(stale("E-apply-007", "a run of that id was begun with another file".to_owned()));
    }
    if fold.is_closed() {
        problems.push(stale("E-apply-007", format!("the plan {} was applied already, and its run is over", short(&header.id))));
    }
    // What was begun is gone on with, however old it is.
    if fold.digest().is_none() {
        if header.expires <= now {
            problems
                .push(stale("E-apply-008", format!("the plan was made at {} and was to be applied until {}", header.made, header.expires)));
        }
        if header.config != config.digest.to_string() {
            problems.push(stale("E-apply-009", "the plan was made under another configuration".to_owned()));
        }
        for (id, facts) in &header.registries {
            let known = config.registries.get(&RegistryId::from(id.as_str()));
            if known.is_none_or(|registry| profile_digest(&registry.profile) != facts.profile_digest) {
                problems.push(stale("E-apply-009", format!("the rules of `{id}` are others than those it was planned by")));
            }
        }
        // What a rollback takes back is not gone on with.
        for open in others(store, &header.id)?.into_iter().filter(|open| header.undoes.as_ref() != Some(open)) {
            let what = format!("the run of the plan {} is not over", short(&open));
            let remedy = format!("go on with it, or end it where it stands: `privet reconcile {} --give-up`", short(&open));
            problems.push(Problem::new("E-apply-010", Blame::Operator, what, remedy).exit(Exit::PlanStale));
        }
        allowed::check(plan, config, &mut problems)?;
        for gate in header.refused() {
            let what = format!("a gate refused the plan: {}", gate.text);
            problems.push(
                Problem::new("E-apply-011", Blame::Operator, what, "plan again with less, or with the flag it names")
                    .exit(Exit::GateRefused),
            );
        }
        let approved = approvers(store, plan)?;
        if approved.len() < usize::from(header.approvals) {
            let what = format!("{} persons have to approve the plan, and {} have", header.approvals, approved.len());
            let remedy = "let somebody else run `privet show` and `privet approve` on it";
            problems.push(Problem::new("E-apply-012", Blame::Operator, what, remedy).exit(Exit::GateRefused));
        }
    }
    problems.or(())
}

/// The digest of the rules of a registry: what a plan was made by is what it is applied by.
pub(super) fn profile_digest(profile: &Profile) -> String {
    Digest::of(&serde_json::to_vec(profile).unwrap_or_default()).to_string()
}

/// The plans of runs that are not over, but for `this`.
fn others(store: &mut dyn Store, this: &str) -> Result<BTreeSet<String>> {
    let of = |(stream, _): &(StreamName, _)| stream.as_str().split('/').nth(1).map(ToOwned::to_owned);
    let runs: BTreeSet<String> = store.heads("run/")?.iter().filter_map(of).filter(|plan| plan != this).collect();
    let mut open = BTreeSet::new();
    for plan in runs {
        if !journal::open(store, &plan)?.is_closed() {
            open.insert(plan);
        }
    }
    Ok(open)
}

/// Who approved exactly this plan.
pub(super) fn approvers(store: &mut dyn Store, plan: &PlanFile) -> Result<BTreeSet<Box<str>>> {
    let (_, review) = journal::review(store, &plan.header().id)?;
    let by = |entry| match entry {
        Entry::Approved { digest, by, .. } if *digest == *plan.digest() => Some(by),
        _ => None,
    };
    Ok(review.into_iter().filter_map(by).collect())
}

/// The stream of this worker, with the row that opens the run, or says that it goes on.
fn begin(plan: &PlanFile, fold: &Fold, store: &mut dyn Store, worker: u32, now: Timestamp) -> Result<StreamName> {
    let stream = journal::run_stream(&plan.header().id, worker)?;
    let first = fold.first(plan, concat!("privet ", env!("CARGO_PKG_VERSION")), now);
    let append = journal::append(stream.clone(), &fold.head(&stream), &[first]);
    store.commit(&Batch { appends: vec![append], cells: Vec::new() })?;
    Ok(stream)
}

/// Closes the run of a plan that is taken back before it was over: nothing more of it is begun.
fn give_up(id: &str, store: &mut dyn Store, now: Timestamp) -> Result<()> {
    let fold = journal::open(store, id)?;
    if fold.is_closed() { Ok(()) } else { journal::close(store, id, &fold, now) }
}

/// Closes the run where everything has come to its end, and tells what became of it, and whether it is over.
fn finish(
    loaded: &Loaded,
    plan: &PlanFile,
    state: &StateDir,
    parts: &Outcomes,
    ending: &Ending<'_>,
    ctx: &Context,
) -> Result<(Ended, bool)> {
    let (id, config) = (&plan.header().id, &loaded.config);
    let mut store = open_store(&loaded.config)?;
    let fold = journal::open(&mut store, id)?;
    let mut steps: BTreeMap<String, Vec<(u64, u8)>> = BTreeMap::new();
    for operation in plan.operations()? {
        let operation = operation?;
        let counted = (operation.op, operation.count());
        steps.entry(operation.registry).or_default().push(counted);
    }
    let tally = fold.tally(steps.values().flatten().copied());
    // A store that failed is not written to again by this process.
    let is_sound = !parts.values().any(|part| part.as_ref().is_err_and(|problem| problem.exit == Exit::Storage));
    let ends = is_sound && ending.others == 0;
    let (mut exits, mut problems) = (vec![Exit::Done], Vec::new());
    // Before the run is closed: one that is killed here is gone on with, and notes what it did then.
    if let Some(Err(problem)) = ends.then(|| windows::note(plan, &fold, &mut store, ctx.clock.wall())) {
        exits.push(problem.exit);
        problems.push(*problem);
    }
    let closes = ends && (tally.is_over() || (ending.gives_up && tally.is_settled()));
    if closes && !fold.is_closed() {
        journal::close(&mut store, id, &fold, ctx.clock.wall())?;
    }
    let reports = config.reports.join(format!("apply-{}", short(id)));
    let keys_destroyed = match ends.then(|| forget(loaded, ctx, plan, (&fold, &mut store), &reports)) {
        None => 0,
        Some(Ok((count, unsigned))) => {
            exits.extend(unsigned.iter().map(|_| Exit::ReportFailed));
            problems.extend(unsigned);
            count
        }
        Some(Err(problem)) => {
            exits.push(problem.exit);
            problems.push(*problem);
            0
        }
    };
    let told = tables(plan, &fold, &reports).and_then(|first| Ok((first, messages(&fold, &mut store, &reports)?)));
    let (not_verified, messages) = told.unwrap_or_else(|problem| {
        exits.push(Exit::ReportFailed);
        problems.push(*problem);
        (Vec::new(), 0)
    });
    let mut registries = Vec::new();
    for (registry, outcome) in parts {
        let stopped = match outcome {
            Err(problem) => {
                exits.push(problem.exit);
                problems.push((**problem).clone());
                Some(problem.id.clone())
            }
            Ok(Applied { summary, line }) => {
                if let Some(problem) = &line.stopped {
                    exits.push(problem.exit);
                    problems.push(problem.clone());
                }
                summary.stopped.as_ref().map(ToString::to_string)
            }
        };
        let tally = fold.tally(steps.get(registry.as_str()).into_iter().flatten().copied());
        registries.push(ApplyRegistry { id: registry.clone(), tally, stopped });
    }
    exits.extend((tally.unknown > 0).then_some(Exit::Unknown));
    // What lost its basis since it was planned was refused, and did not fail.
    let refused = steps.values().flatten().filter(|(op, count)| fold.is_blocked(*op, *count)).count() as u64;
    exits.extend((refused > 0).then_some(Exit::GateRefused));
    exits.extend((tally.failed + tally.conflict + tally.pending > refused).then_some(Exit::SomeFailed));
    let closed = closes || fold.is_closed();
    exits.extend((tally.planned > 0 && !closed).then_some(if ctx.stop.is_stopped() { Exit::Stopped } else { Exit::SomeFailed }));
    let report = ApplyReport {
        plan: id.clone(),
        tally,
        registries,
        not_verified,
        outcomes: reports.join(OUTCOMES).display().to_string(),
        messages,
        keys_destroyed,
        others: ending.others,
        closed,
    };
    let text = report.told();
    let json = serde_json::to_value(&report).unwrap_or_default();
    let counts = [("verified", tally.verified), ("failed", tally.failed), ("unknown", tally.unknown), ("pending", tally.pending)];
    let is_told = !exits.contains(&Exit::ReportFailed);
    let mut ended = Ended { exits, json, text, problems };
    if is_sound && is_told {
        let proving = Proving { verb: ending.verb, started: ending.began, records: &[], snapshots: Vec::new(), counts: &counts };
        prove(config, ctx, (state, &reports), &proving, &mut ended);
    }
    Ok((ended, closed))
}
