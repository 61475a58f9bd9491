//! One life of the client: executors and pools as the real driver has them, until the plan is done or the machine dies.

use super::bug::Bug;
use super::disk::Disk;
use super::scene::Place;
use crate::apply::{ApplyEffect, Executor, Guard, IN_HAND, LastWord, Parts, Settings, VaultValues, Watch, Whole};
use crate::base::{ClTrid, Moment, RegistryId, Result, Secret, SeededEntropy, Timestamp};
use crate::journal::{self, Entry, Fold, Tally};
use crate::mock::fleet::Draw;
use crate::plan::{Operation, PlanFile};
use crate::protocol::frame::{DEFAULT_CAP, LengthPrefix};
use crate::session::{Account, Allowance, EppDialect, Now, Outcome, Setup, WritePool};
use crate::store::{Append, Batch, Cell, Store as _, StreamName};
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The one chain of the run.
const WORKER: u32 = 1;

/// What an executor waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The answer to a question.
    Question,
    /// The answer to a command that changes something.
    Command,
    /// The answer to a command of the message queue.
    Queue,
}

/// Rows and cells on their way to the disk.
struct Pending {
    site: usize,
    ticket: Option<u64>,
    entries: Vec<Entry>,
    cells: Vec<Cell>,
}

/// One registry's part.
pub(super) struct Part {
    pub(super) executor: Executor,
    pub(super) pool: WritePool,
    /// What is asked, by ticket.
    asked: HashMap<u64, Asked>,
    /// Messages that are kept in the end: [`Bug::AckBeforeStore`].
    unkept: Vec<Pending>,
    /// Whether nothing more is begun.
    finished: bool,
}

/// How a process begins.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    pub(super) plan: &'a Path,
    pub(super) places: &'a [Place],
    pub(super) number: u32,
    pub(super) seed: u64,
    /// Whether nothing is sent.
    pub(super) settle_only: bool,
    pub(super) tolerance: u64,
    pub(super) bug: Option<Bug>,
    pub(super) wall: Timestamp,
}

/// A process.
pub(super) struct Process {
    pub(super) parts: Vec<Part>,
    pending: VecDeque<Pending>,
    stream: StreamName,
    disk: Disk,
    id: String,
    operations: Vec<Operation>,
    rows: u64,
    bug: Option<Bug>,
}

impl Process {
    /// Begins or goes on with the run of a plan; nothing where it is over.
    ///
    /// # Errors
    /// What the journal cannot be read for.
    pub(super) fn start(start: Start<'_>, disk: &Disk) -> Result<Option<Self>> {
        let mut disk = disk.clone();
        let plan = PlanFile::open(start.plan)?;
        let id = plan.header().id.clone();
        let fold = if start.bug == Some(Bug::BadRowSkipped) { lenient(&mut disk, &id)? } else { journal::open(&mut disk, &id)? };
        if fold.is_closed() {
            return Ok(None);
        }
        let operations = plan.operations()?.collect::<Result<Vec<_>>>()?;
        let stream = journal::run_stream(&id, WORKER)?;
        let first = fold.first(&plan, "sim", start.wall);
        let head = disk.head(&stream)?;
        disk.commit(&Batch { appends: vec![journal::append(stream.clone(), &head, &[first])], cells: Vec::new() })?;
        let (fold, mut parts) = (Arc::new(fold), Vec::new());
        for place in start.places {
            parts.push(part(place, Arc::clone(&fold), (&id, operations.clone()), start, &disk));
        }
        Ok(Some(Self { parts, pending: VecDeque::new(), stream, disk, id, operations, rows: head.rows + 1, bug: start.bug }))
    }

    /// How many rows of the journal are on disk.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Moves what one part wants done into its pool and towards the disk. Whether there was anything.
    ///
    /// # Errors
    /// Where the executor cannot go on.
    pub(super) fn feed(&mut self, site: usize, now: Now) -> Result<bool> {
        let Some(part) = self.parts.get_mut(site).filter(|part| !part.finished) else { return Ok(false) };
        if let Some(problem) = part.pool.stopped().filter(|_| self.bug != Some(Bug::PasswordTriedAgain)) {
            part.executor.stop(&problem.id);
        }
        part.executor.handle_timeout(now);
        let (mut any, mut submitted) = (false, false);
        while let Some(effect) = part.executor.poll_effect(now)? {
            any = true;
            match effect {
                ApplyEffect::Read { ticket, query } => {
                    part.asked.insert(ticket, Asked::Question);
                    part.pool.ask(ticket, query);
                    submitted = true;
                }
                ApplyEffect::Write { ticket, transform, cltrid } => {
                    part.asked.insert(ticket, Asked::Command);
                    part.pool.submit(ticket, transform, Some(ClTrid::new(&*cltrid)));
                    submitted = true;
                }
                ApplyEffect::NextMessage { ticket } => {
                    part.asked.insert(ticket, Asked::Queue);
                    part.pool.next_message(ticket);
                    submitted = true;
                }
                ApplyEffect::Acknowledge { ticket, id } => {
                    part.asked.insert(ticket, Asked::Queue);
                    part.pool.acknowledge(ticket, id);
                    submitted = true;
                }
                ApplyEffect::Commit { ticket: Some(ticket), entries, cells }
                    if self.bug == Some(Bug::AckBeforeStore) && matches!(entries[..], [Entry::Message(_)]) =>
                {
                    part.unkept.push(Pending { site, ticket: None, entries, cells });
                    part.executor.handle_committed(ticket);
                }
                ApplyEffect::Commit { ticket, entries, cells } => {
                    let early = ticket.filter(|_| self.bug == Some(Bug::JournalAfterSend));
                    self.pending.push_back(Pending { site, ticket: ticket.filter(|_| early.is_none()), entries, cells });
                    if let Some(ticket) = early {
                        part.executor.handle_committed(ticket);
                    }
                }
            }
        }
        if submitted {
            part.pool.advance(now);
        }
        if part.executor.is_done() && self.pending.iter().all(|pending| pending.site != site) {
            part.finished = true;
            self.pending.extend(part.unkept.drain(..));
            part.pool.finish(now);
            any = true;
        }
        Ok(any)
    }

    /// Begins anew at a registry that stopped us: [`Bug::PasswordTriedAgain`]. Whether there is still something to do.
    pub(super) fn try_again(&mut self, site: usize, place: &Place) -> bool {
        let Some(part) = self.parts.get_mut(site).filter(|part| !part.finished) else { return false };
        part.pool = pool(place, "again", 0);
        true
    }

    /// Hands an outcome to whoever asked.
    pub(super) fn settle(&mut self, site: usize, ticket: u64, outcome: Outcome, now: Now) {
        let Some(part) = self.parts.get_mut(site) else { return };
        let Some(asked) = part.asked.remove(&ticket) else { return };
        let outcome = match self.bug {
            Some(bug) => bug.misread(asked, outcome),
            None => outcome,
        };
        part.executor.handle_outcome(ticket, outcome, now);
    }

    /// How many commits wait for the disk.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Puts the first `count` commits on disk, as one.
    ///
    /// # Errors
    /// Where the store refuses them.
    pub(super) fn store(&mut self, count: usize) -> Result<()> {
        let done: Vec<Pending> = self.pending.drain(..count.min(self.pending.len())).collect();
        let mut batch = Batch::default();
        let mut append = Append { stream: self.stream.clone(), expected: self.rows, rows: Vec::new() };
        for pending in &done {
            append.rows.extend(pending.entries.iter().map(Entry::to_row));
            batch.cells.extend(pending.cells.iter().cloned());
        }
        self.rows += append.rows.len() as u64;
        batch.appends.push(append);
        self.disk.commit(&batch)?;
        for pending in done {
            if let (Some(ticket), Some(part)) = (pending.ticket, self.parts.get_mut(pending.site)) {
                part.executor.handle_committed(ticket);
            }
        }
        Ok(())
    }

    /// Whether every part has come to its end.
    pub(super) fn is_done(&self) -> bool {
        self.pending.is_empty() && self.parts.iter().all(|part| part.finished && part.pool.is_done())
    }

    /// When the next part has something to do by itself.
    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        let of = |part: &Part| {
            let executor = if part.finished { None } else { part.executor.poll_timeout() };
            executor.into_iter().chain(part.pool.poll_timeout()).min()
        };
        self.parts.iter().filter_map(of).min()
    }

    /// The operator stops the run.
    pub(super) fn stop(&mut self) {
        self.parts.iter_mut().filter(|part| !part.finished).for_each(|part| part.executor.stop("E-apply-004"));
    }

    /// The operator pauses the run, or lets it go on.
    pub(super) fn pause(&mut self, paused: bool) {
        self.parts.iter_mut().for_each(|part| part.executor.pause(paused));
    }

    /// Closes the run where everything has come to its end; what it came to.
    ///
    /// # Errors
    /// What the journal or the plan cannot be read for.
    pub(super) fn finish(mut self, wall: Timestamp) -> Result<(Tally, Vec<Option<Box<str>>>)> {
        let id = &self.id;
        let fold = journal::open(&mut self.disk, id)?;
        let tally = fold.tally(self.operations.iter().map(|operation| (operation.op, operation.count())));
        if tally.is_over() {
            journal::close(&mut self.disk, id, &fold, wall)?;
        }
        Ok((tally, self.parts.iter().map(|part| part.executor.summary().stopped.clone()).collect()))
    }
}

/// One registry's part, where the run stands as `fold` tells.
fn part(place: &Place, fold: Arc<Fold>, (id, operations): (&str, Vec<Operation>), start: Start<'_>, disk: &Disk) -> Part {
    let short: String = id.chars().take(12).collect();
    let limits = &place.profile.limits;
    let settle = Duration::from_secs(u64::from(limits.reply_seconds.value));
    let settings = Settings {
        registry: place.id.into(),
        prefix: short.as_str().into(),
        settle,
        again: settle.min(Duration::from_secs(5)),
        queue: watch(start.seed, settle * 4).filter(|_| !start.settle_only),
        in_hand: usize::from(limits.sessions.value) * IN_HAND,
        tolerance: start.tolerance,
        keep: Timestamp::MAX,
        settle_only: start.settle_only,
    };
    let guard: Box<dyn Guard> =
        if start.bug == Some(Bug::ConsentPlannedOnly) { Box::new(Planned) } else { Box::new(LastWord::new(disk.clone())) };
    let parts = Parts {
        work: Box::new(Whole::new(place.id, Box::new(operations.into_iter().map(Ok)), fold)),
        values: Box::new(VaultValues(disk.clone())),
        guard,
        entropy: Box::new(SeededEntropy::new(start.seed ^ u64::from(start.number) << 32)),
    };
    // No identifier of a session is ever one of a step: those have numbers alone.
    let pool = pool(place, &format!("{short}-p{}", start.number), start.seed);
    Part { executor: Executor::new(settings, parts), pool, asked: HashMap::new(), unkept: Vec::new(), finished: false }
}

/// How the queues of a world are watched: in every second one they are ours, in every sixth they are looked at.
fn watch(seed: u64, patience: Duration) -> Option<Watch> {
    match Draw::new(seed, "queue", 0).below(6) {
        0..3 => Some(Watch { patience, takes: true }),
        3 => Some(Watch { patience, takes: false }),
        _ => None,
    }
}

/// The sessions at one registry, with half of the account.
fn pool(place: &Place, prefix: &str, seed: u64) -> WritePool {
    let account = Account { client: super::ACCOUNT.into(), password: Secret::new(super::PASSWORD), new_password: None };
    WritePool::new(Setup {
        registry: RegistryId::new(place.id),
        prefix: prefix.into(),
        dialect: Arc::new(EppDialect::new(account, Arc::clone(&place.profile))),
        framer: || Box::new(LengthPrefix::epp(DEFAULT_CAP)),
        allowance: Allowance::of(&place.profile.limits, super::SHARE),
        seed,
        first_session: 1,
    })
}

/// A guard that rests on what was known when the plan was made: [`Bug::ConsentPlannedOnly`].
struct Planned;

impl Guard for Planned {
    fn forbids(&mut self, _operation: &Operation, _now: Timestamp) -> Result<Option<Box<str>>> {
        Ok(None)
    }
}

/// The journal without the rows that cannot be read or follow nothing: [`Bug::BadRowSkipped`].
fn lenient(disk: &mut Disk, plan: &str) -> Result<Fold> {
    let mut fold = Fold::default();
    let stream = journal::run_stream(plan, WORKER)?;
    let mut rows = Vec::new();
    disk.rows(&stream, 0, &mut |link| {
        rows.push(link.row.to_vec());
        Ok(())
    })?;
    for (number, row) in (0..).zip(rows) {
        if let Ok(entry) = Entry::from_row(&row) {
            // What it refuses is left out as well.
            let _left_out = fold.take(&stream, number, entry);
        }
    }
    Ok(fold)
}
