//! The client: a plan applied as `privet apply` does it, or bare questions through the same pool.

use crate::fixture::{Fixture, REGISTRY};
use crate::line::Target;
use crate::measure::{Outcome as Measured, cpu, fresh};
use privet::apply::{Controls, Executor, IN_HAND, JournalWriter, LastWord, Parts, Settings, VaultValues, apply};
use privet::base::{DomainName, Result, StopToken, SystemEntropy};
use privet::journal;
use privet::model::{HostsFilter, Query, ResData};
use privet::plan::PlanFile;
use privet::session::{Now, Outcome, WritePool};
use privet::store::{Batch, SqliteStore, Store as _};
use privet::transport::{Fed, Feed, run as drive};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a client is run.
#[derive(Clone, Debug, clap::Args)]
pub struct ApplyArgs {
    /// `apply`, or `bare`
    what: String,
    /// The file with the line that the server began with
    #[arg(long)]
    server: PathBuf,
    /// What the plan was made from, and the plan
    #[arg(long)]
    fixture: PathBuf,
    /// Sessions at a time
    #[arg(long)]
    sessions: u16,
    /// Changes, or questions
    #[arg(long)]
    count: u64,
    /// Domains of the registry
    #[arg(long)]
    domains: u64,
}

/// Runs one client and prints what it measured.
pub fn child(args: &ApplyArgs) -> Measured<()> {
    // As in `privet apply`, where each registry's part has a thread of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = if args.what == "bare" { bare(args, &runtime) } else { applied(args, &runtime) }?;
    println!("{told}");
    Ok(())
}

/// A stopwatch for time and processor time.
struct Watch(Instant, Duration);

impl Watch {
    fn start() -> Measured<Self> {
        Ok(Self(Instant::now(), cpu()?))
    }

    fn told(&self) -> Measured<Value> {
        Ok(json!({ "seconds": self.0.elapsed().as_secs_f64(), "cpu": (cpu()? - self.1).as_secs_f64() }))
    }
}

/// Applies the first operations of the plan, upon a copy of the store that it was made in.
fn applied(args: &ApplyArgs, runtime: &tokio::runtime::Runtime) -> Measured<Value> {
    let fixture = Fixture::at(&args.fixture);
    let dir = args.fixture.join("run");
    fresh(&dir)?;
    let path = dir.join("store.sqlite");
    // A store and its log belong together.
    let log = |store: &Path| store.with_file_name("store.sqlite-wal");
    fs::copy(fixture.store(), &path)?;
    fs::copy(log(&fixture.store()), log(&path))?;
    let (setup, endpoint, clock) = Target::read(&args.server)?.setup(args.sessions, 1)?;
    let plan = PlanFile::open(&fixture.plan())?;
    let id = plan.header().id.as_str();
    let mut store = SqliteStore::open(&path)?;
    let fold = journal::open(&mut store, id)?;
    let stream = journal::run_stream(id, 1)?;
    let first = journal::append(stream.clone(), &fold.head(&stream), &[fold.first(&plan, "privet-bench", clock.wall())]);
    store.commit(&Batch { appends: vec![first], cells: Vec::new() })?;
    let settle = setup.allowance.reply;
    let settings = Settings {
        registry: REGISTRY.into(),
        prefix: id.chars().take(12).collect::<String>().into(),
        settle,
        again: Duration::from_secs(5).min(settle),
        queue: None,
        in_hand: usize::from(args.sessions) * IN_HAND,
        tolerance: 0,
        keep: privet::base::Timestamp::MAX,
        settle_only: false,
    };
    let parts = Parts {
        operations: Box::new(plan.operations()?.take(usize::try_from(args.count)?)),
        values: Box::new(VaultValues(SqliteStore::open(&path)?)),
        guard: Box::new(LastWord::new(SqliteStore::open(&path)?)),
        entropy: Box::new(SystemEntropy::new()),
    };
    let executor = Executor::new(settings, parts, Arc::new(fold));
    let (writer, thread) = JournalWriter::start(Box::new(store), stream)?;
    let watch = Watch::start()?;
    let part = apply(executor, WritePool::new(setup), endpoint, clock, writer, Controls::default());
    let done = runtime.block_on(part)?;
    // The last row is on disk when the thread ends.
    drop(thread.join());
    let told = watch.told()?;
    if done.summary.by_state.get("verified") != Some(&args.count) {
        return Err(format!("the run came to {:?}; {:?}", done.summary, done.line.stopped).into());
    }
    let fold = journal::open(&mut SqliteStore::open(&path)?, id)?;
    let tally = fold.tally((1..=args.count).map(|op| (op, 1)));
    if (tally.verified, tally.sends) != (args.count, args.count) {
        return Err(format!("the journal came to {tally:?}").into());
    }
    Ok(told)
}

/// Bare questions, as many in hand as an executor has operations.
struct Asking {
    names: Vec<DomainName>,
    asked: u64,
    outstanding: usize,
    in_hand: usize,
    count: u64,
    /// What went wrong, if anything did.
    wrong: Option<String>,
}

impl Feed for Asking {
    type Pool = WritePool;

    fn feed(&mut self, pool: &mut WritePool, _now: Now) -> Result<Fed> {
        let mut submitted = 0;
        while self.outstanding < self.in_hand && self.asked < self.count && self.wrong.is_none() {
            let name = usize::try_from(self.asked).ok().and_then(|n| self.names.get(n % self.names.len()).cloned());
            let Some(name) = name else { break };
            pool.ask(self.asked, Query::DomainInfo { name, hosts: HostsFilter::All, auth: None });
            self.asked += 1;
            self.outstanding += 1;
            submitted += 1;
        }
        Ok(if self.outstanding == 0 { Fed::Finished } else { Fed::Submitted(submitted) })
    }

    fn settle(&mut self, _ticket: u64, outcome: Outcome, _now: Now) -> Result<()> {
        self.outstanding -= 1;
        match outcome {
            Outcome::Answer { response, .. } if matches!(response.data.as_slice(), [ResData::Domain(_)]) => {}
            other => self.wrong = Some(format!("{other:?}")),
        }
        Ok(())
    }
}

fn bare(args: &ApplyArgs, runtime: &tokio::runtime::Runtime) -> Measured<Value> {
    let (setup, endpoint, clock) = Target::read(&args.server)?.setup(args.sessions, 1)?;
    let names = Fixture::names(args.domains, args.count)?;
    let in_hand = usize::from(args.sessions) * IN_HAND;
    let mut asking = Asking { names, asked: 0, outstanding: 0, in_hand, count: args.count, wrong: None };
    let watch = Watch::start()?;
    let report = runtime.block_on(drive(WritePool::new(setup), endpoint, clock, &mut asking, StopToken::default()))?;
    let told = watch.told()?;
    match (asking.wrong, report.stopped) {
        (None, None) if asking.asked == args.count => Ok(told),
        (wrong, stopped) => Err(format!("the questions ended early: {wrong:?}, {stopped:?}").into()),
    }
}
