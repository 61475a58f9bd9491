//! Carrying a plan out: every registry's part side by side, each on a thread of its own, alone or as one of several workers.

use super::Context;
use super::applied::short;
use super::apply::ApplyOptions;
use super::config::{Config, Poll, RegistryConfig};
use super::crew::Crew;
use super::opening::open_store;
use super::pulling::{endpoint, one_thread, setup};
use super::retention::sealed_until;
use crate::apply::{
    Applied, Controls, Executor, IN_HAND, JournalWriter, LastWord, Layout, Parts, Settings, SharedParts, SharedWork, Summary, VaultValues,
    Watch, Whole, Work, apply as drive,
};
use crate::base::{Blame, Clock, PauseFlag, Problem, RegistryId, Result, RunId, SystemEntropy};
use crate::journal::Fold;
use crate::plan::PlanFile;
use crate::session::{PoolReport, Setup, WritePool};
use crate::store::{Store, StreamName};
use crate::transport::Endpoint;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Between two looks at one object, at most.
const AGAIN: Duration = Duration::from_secs(5);
/// How long a decision of a registry's is waited for, in times that an answer may take.
const DECIDE: u32 = 4;
/// Of a thousand operations of a wave, those that may come to something else than "verified" before a registry stops.
const TOLERANCE: u64 = 50;
/// How often the pause file and the stop file are looked for.
const FILES: Duration = Duration::from_secs(1);
/// How often a worker without a part of an account looks whether one is free.
const LOOK: Duration = Duration::from_millis(500);

/// What each registry's part came to, or why it could not begin.
pub(super) type Outcomes = BTreeMap<RegistryId, Result<Applied>>;

/// What is carried out, and how.
pub(super) struct Carrying<'a> {
    /// The configuration.
    pub(super) config: &'a Config,
    /// The plan.
    pub(super) plan: &'a Arc<PlanFile>,
    /// What was asked of it.
    pub(super) options: &'a ApplyOptions,
    /// Whether nothing is sent.
    pub(super) settle_only: bool,
    /// The workers among whom this process is one, with how each registry's operations are cut among them; nothing where it has the run alone.
    pub(super) crew: Option<(Arc<Mutex<Crew>>, Layouts)>,
}

/// How each registry's operations are cut into lots.
pub(super) type Layouts = BTreeMap<RegistryId, Layout>;

/// Carries out every registry's part, side by side, from where the run stands as `fold` tells, and writes what happens to `stream`.
///
/// # Errors
/// `E-store-006`, `E-apply-005` where there can be no journal. What goes wrong at one registry stands in its outcome and spares the others.
pub(super) fn carry_out(carrying: &Carrying<'_>, stream: StreamName, fold: Fold, ctx: &Context) -> Result<Outcomes> {
    let crew = carrying.crew.as_ref().map(|(crew, _)| Arc::clone(crew));
    let permit = crew.as_ref().map(|crew| lock(crew).permit());
    let (journal, thread) = JournalWriter::start(store(carrying)?, stream)?;
    let controls = Controls { stop: ctx.stop.clone(), pause: PauseFlag::default(), permit };
    // Before anything is begun: a run that is to be held from its start is.
    heed(carrying.options, &controls);
    let known = match &carrying.crew {
        Some((crew, layouts)) => Known::Shared(crew, layouts, Arc::new(Mutex::new(fold))),
        None => Known::Alone(Arc::new(fold)),
    };
    let outcomes = one_thread()?.block_on(async {
        let mut tasks = Vec::new();
        for id in carrying.plan.header().registries.keys().map(|id| RegistryId::from(id.as_str())).filter(|id| ctx.includes(id)) {
            let task = prepare(carrying, &id, &known, &journal, ctx).map(|ready| {
                let (clock, journal, controls) = (Arc::clone(&ctx.clock), journal.clone(), controls.clone());
                match crew.clone() {
                    None => on_its_own(async move {
                        let Ready { settings, parts, setup, endpoint } = ready;
                        drive(Executor::new(settings, parts), WritePool::new(setup), endpoint, clock, journal, controls).await
                    }),
                    Some(crew) => on_its_own(with_others(crew, id.clone(), ready, clock, journal, controls)),
                }
            });
            tasks.push((id, task));
        }
        let watch = tokio::spawn(watch(carrying.options.clone(), controls));
        let mut outcomes = Outcomes::new();
        for (id, task) in tasks {
            let outcome = match task {
                Ok(handle) => handle.await.unwrap_or_else(|_| {
                    let what = "this registry's part ended in a panic";
                    Err(Problem::new("E-job-002", Blame::Us, what, "run the same command again, and report this as a bug"))
                }),
                Err(problem) => Err(problem),
            };
            outcomes.insert(id, outcome);
        }
        watch.abort();
        outcomes
    });
    drop(journal);
    drop(thread.join());
    Ok(outcomes)
}

/// A line to the store: one that writes under the worker's claim, where there are others.
fn store(carrying: &Carrying<'_>) -> Result<Box<dyn Store>> {
    match &carrying.crew {
        Some((crew, _)) => lock(crew).open(),
        None => open_store(carrying.config),
    }
}

/// Carries a part out on a thread of its own: between commands it reads the vault and the ledgers, and no other part waits for that.
fn on_its_own(part: impl Future<Output = Result<Applied>> + Send + 'static) -> JoinHandle<Result<Applied>> {
    tokio::task::spawn_blocking(|| one_thread()?.block_on(part))
}

/// Carries out what of a registry's part this worker gets, with its part of the account.
async fn with_others(
    crew: Arc<Mutex<Crew>>,
    id: RegistryId,
    ready: Ready,
    clock: Arc<dyn Clock>,
    journal: JournalWriter,
    controls: Controls,
) -> Result<Applied> {
    let Ready { mut settings, parts, mut setup, endpoint } = ready;
    let account = loop {
        let part = lock(&crew).account(&id, &setup.allowance)?;
        match part {
            Some(part) => break part,
            None if controls.stop.is_stopped() || lock(&crew).is_over(&id)? => {
                return Ok(Applied { summary: Summary::default(), line: PoolReport::default() });
            }
            None => tokio::time::sleep(LOOK).await,
        }
    };
    let until = clock.moment() + account.wait;
    while clock.moment() < until && !controls.stop.is_stopped() {
        tokio::time::sleep(LOOK.min(until.since(clock.moment()))).await;
    }
    settings.in_hand = usize::from(account.allowance.sessions).max(1) * IN_HAND;
    setup.allowance = account.allowance.clone();
    let applied = drive(Executor::new(settings, parts), WritePool::new(setup), endpoint, clock, journal, controls).await;
    let freed = lock(&crew).give_back(&id, &account);
    applied.and_then(|applied| freed.map(|()| applied))
}

fn lock(crew: &Mutex<Crew>) -> MutexGuard<'_, Crew> {
    crew.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks for the pause file and the stop file, again and again.
async fn watch(options: ApplyOptions, controls: Controls) {
    loop {
        heed(&options, &controls);
        tokio::time::sleep(FILES).await;
    }
}

/// Pauses, goes on and stops as the files say.
fn heed(options: &ApplyOptions, controls: &Controls) {
    let is_there = |path: &Option<PathBuf>| path.as_ref().is_some_and(|path| path.exists());
    controls.pause.set(is_there(&options.pause_file));
    if is_there(&options.stop_file) {
        controls.stop.stop();
    }
}

/// Everything that one registry's part needs.
struct Ready {
    settings: Settings,
    parts: Parts,
    setup: Setup,
    endpoint: Endpoint,
}

/// Where the run stands, for whoever has it alone and for those who share it.
enum Known<'a> {
    Alone(Arc<Fold>),
    Shared(&'a Mutex<Crew>, &'a Layouts, Arc<Mutex<Fold>>),
}

fn prepare(carrying: &Carrying<'_>, id: &RegistryId, known: &Known<'_>, journal: &JournalWriter, ctx: &Context) -> Result<Ready> {
    let Carrying { config, plan, settle_only, .. } = carrying;
    let (id, registry) = config.registry(id.as_str())?;
    let now = ctx.clock.wall();
    let short = short(&plan.header().id);
    let (run, work): (String, Box<dyn Work>) = match known {
        Known::Alone(fold) => {
            let work = Whole::new(id.as_str(), Box::new(plan.operations()?), Arc::clone(fold));
            (format!("{short}-{}", now.as_second()), Box::new(work))
        }
        Known::Shared(crew, layouts, fold) => {
            let reopened = Arc::clone(plan);
            let lots = lock(crew).lots(id)?;
            let store = store(carrying)?;
            // No identifier of a session is ever that of another worker's.
            let run = format!("{short}-w{}-{}", lock(crew).number(), now.as_second());
            let parts = SharedParts {
                layout: layouts.get(id).cloned().unwrap_or_default(),
                lots,
                store,
                fold: Arc::clone(fold),
                journal: journal.clone(),
                operations: Box::new(move || Ok(Box::new(reopened.operations()?))),
            };
            (run, Box::new(SharedWork::new(id.as_str(), &plan.header().id, parts)?))
        }
    };
    // A registry works on a command no longer than it lets us wait for the answer.
    let settle = Duration::from_secs(u64::from(registry.profile.limits.reply_seconds.value));
    let settings = Settings {
        registry: id.as_str().into(),
        prefix: short.as_str().into(),
        settle,
        again: AGAIN.min(settle),
        queue: watched(registry, settle * DECIDE).filter(|_| !settle_only),
        in_hand: usize::from(registry.profile.limits.sessions.value).max(1) * IN_HAND,
        tolerance: TOLERANCE,
        keep: sealed_until(&config.retention.pack, now),
        settle_only: *settle_only,
    };
    let parts = Parts {
        work,
        values: Box::new(VaultValues(store(carrying)?)),
        guard: Box::new(LastWord::new(store(carrying)?)),
        entropy: Box::new(SystemEntropy::new()),
    };
    let setup = setup(config, id, registry, &RunId::new(run), 1)?;
    Ok(Ready { settings, parts, setup, endpoint: endpoint(registry, ctx)? })
}

/// How the account's message queue is watched.
fn watched(registry: &RegistryConfig, patience: Duration) -> Option<Watch> {
    let takes = match registry.poll {
        Poll::Off => return None,
        Poll::Peek => false,
        Poll::Own => true,
    };
    Some(Watch { patience, takes })
}
