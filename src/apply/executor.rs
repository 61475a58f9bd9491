//! One registry's part of a plan, as a state machine. It is driven by [`Executor::poll_effect`]: what it asks for is done, and what came
//! of it is handed back by the ticket it was asked with. Before a command is sent, the row that says so is on disk; what a lost answer
//! leaves open is settled by reading alone.

mod decided;
mod looks;
mod sending;
mod waves;

use super::inbox::Inbox;
use super::part::{ApplyEffect, Parts, Settings, Summary};
use super::work::Job;
use crate::base::{Moment, ObjectKey, Problem, Result};
use crate::journal::{Entry, Standing, StepRow, StepState, Why};
use crate::model::{ResultCode, Transform};
use crate::plan::Operation;
use crate::session::{Now, Outcome};
use crate::store::Cell;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// The ticket of what is asked of the message queue.
const QUEUE: u64 = u64::MAX;

/// Why an object is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// To see whether the step may be taken.
    Before,
    /// To see whether it took effect, as the registry said.
    After,
    /// To see whether it took effect, which nobody knows; whether it was seen without effect once already.
    Doubt(bool),
    /// To see whether the registry has decided.
    Pending,
    /// To see whether nothing changed, as the registry decided.
    Declined,
    /// To see whether what was refused with that code is there already.
    Refused(ResultCode),
}

/// What an operation in hand waits for.
enum Waiting {
    /// An answer to a question.
    Read(Reading),
    /// A moment, to read then.
    Moment(Reading),
    /// A row that says that the command is sent.
    Disk(Box<Transform>, Box<str>),
    /// The command's answer.
    Write,
}

/// An operation in hand.
struct Task {
    operation: Operation,
    /// How its steps stood when it was taken in hand.
    standings: Vec<Standing>,
    /// Which turn it is that somebody has at it.
    turn: u32,
    step: u8,
    state: StepState,
    sends: u8,
    waiting: Waiting,
    /// Looks before the command that brought no answer.
    looks: u8,
    /// Until when what the registry said it did may take to show.
    show_by: Moment,
    /// The key of the step's object, as it was looked up before the command. Where the object is erased meanwhile, what is sealed under
    /// it is as unreadable as all the rest.
    key: Option<ObjectKey>,
}

/// One registry's part of a run.
pub struct Executor {
    settings: Settings,
    parts: Parts,
    tasks: HashMap<u64, Task>,
    timers: BTreeSet<(Moment, u64)>,
    inbox: Inbox,
    effects: VecDeque<ApplyEffect>,
    /// The next operation, where it was looked at and cannot begin yet.
    ahead: Option<Box<Job>>,
    /// Until when nothing is taken in hand, since others have to go on first.
    later: Option<Moment>,
    next_ticket: u64,
    summary: Summary,
    paused: bool,
    exhausted: bool,
    failed: Option<Box<Problem>>,
}

impl Executor {
    /// The part of `settings.registry`.
    #[must_use]
    pub fn new(settings: Settings, parts: Parts) -> Self {
        Self {
            settings,
            parts,
            tasks: HashMap::new(),
            timers: BTreeSet::new(),
            inbox: Inbox::new(),
            effects: VecDeque::new(),
            ahead: None,
            later: None,
            next_ticket: 0,
            summary: Summary::default(),
            paused: false,
            exhausted: false,
            failed: None,
        }
    }

    /// What is to be done next; nothing until something comes back, or [`Executor::poll_timeout`] is over.
    ///
    /// # Errors
    /// What the plan, the vault or the ledgers cannot be read for: nothing more is begun then.
    pub fn poll_effect(&mut self, now: Now) -> Result<Option<ApplyEffect>> {
        if self.effects.is_empty() {
            self.begin(now);
            if self.undecided().next().is_some() && self.inbox.asks(now) {
                self.effects.push_back(ApplyEffect::NextMessage { ticket: QUEUE });
            }
        }
        match self.failed.clone() {
            Some(problem) if self.effects.is_empty() && self.tasks.is_empty() => Err(problem),
            _ => Ok(self.effects.pop_front()),
        }
    }

    /// When [`Executor::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        let queue = self.undecided().next().and_then(|_| self.inbox.due());
        let later = self.later.filter(|_| self.begins() && !self.paused);
        self.timers.first().map(|(at, _)| *at).into_iter().chain(queue).chain(later).min()
    }

    /// Whether nothing is in hand and nothing more is begun.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.tasks.is_empty() && self.effects.is_empty() && (self.exhausted || !self.begins())
    }

    /// What it came to so far.
    #[must_use]
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Begins nothing more; what was sent is seen to its end.
    pub fn stop(&mut self, why: &str) {
        if self.summary.stopped.is_none() {
            self.summary.stopped = Some(why.into());
            let registry = self.settings.registry.clone();
            self.commit(None, vec![Entry::RegistryStopped { registry, why: why.into() }], Vec::new());
            // Nobody waits for a decision any more.
            for ticket in self.undecided().collect::<Vec<_>>() {
                self.end(ticket, StepState::Pending);
            }
        }
    }

    /// Begins nothing while `paused`.
    pub const fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Takes what a question or a command came to.
    pub fn handle_outcome(&mut self, ticket: u64, outcome: Outcome, now: Now) {
        if ticket == QUEUE {
            return self.heard(outcome, now);
        }
        match self.tasks.get(&ticket).map(|task| &task.waiting) {
            Some(Waiting::Read(reading)) => {
                let reading = *reading;
                self.read(ticket, reading, outcome, now);
            }
            Some(Waiting::Write) => self.written(ticket, outcome, now),
            _ => {}
        }
    }

    /// Takes that rows are on disk.
    pub fn handle_committed(&mut self, ticket: u64) {
        if ticket == QUEUE {
            self.effects.extend(self.inbox.kept().map(|id| ApplyEffect::Acknowledge { ticket, id }));
        }
        let Some(task) = self.tasks.get_mut(&ticket) else { return };
        if let Waiting::Disk(transform, cltrid) = std::mem::replace(&mut task.waiting, Waiting::Write) {
            self.effects.push_back(ApplyEffect::Write { ticket, transform, cltrid });
        }
    }

    /// Takes that time has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some((at, ticket)) = self.timers.first().copied().filter(|(at, _)| *at <= now.at) {
            self.timers.remove(&(at, ticket));
            if let Some(Task { waiting: Waiting::Moment(reading), .. }) = self.tasks.get(&ticket) {
                let reading = *reading;
                self.ask(ticket, reading);
            }
        }
    }

    /// Whether anything may be sent.
    const fn sends(&self) -> bool {
        self.begins() && !self.settings.settle_only
    }

    const fn begins(&self) -> bool {
        self.summary.stopped.is_none() && self.failed.is_none()
    }

    fn fail(&mut self, ticket: u64, why: Why, now: Now) {
        self.enter(ticket, StepState::Failed, now, |row| row.why = Some(why));
        self.end(ticket, StepState::Failed);
    }

    fn enter(&mut self, ticket: u64, to: StepState, now: Now, fill: impl FnOnce(&mut StepRow)) {
        self.enter_with(ticket, to, now, None, Vec::new(), fill);
    }

    /// Puts a step's new state on disk.
    fn enter_with(&mut self, ticket: u64, to: StepState, now: Now, back: Option<u64>, cells: Vec<Cell>, fill: impl FnOnce(&mut StepRow)) {
        let Some(task) = self.tasks.get_mut(&ticket) else { return };
        let Some(step) = task.operation.steps.get(usize::from(task.step)) else { return };
        match (task.state, to) {
            (_, StepState::Sending) => task.sends += 1,
            (StepState::Sending, StepState::Planned) => task.sends = task.sends.saturating_sub(1),
            _ => {}
        }
        task.state = to;
        let mut row = StepRow::new((task.operation.op, task.step), step.object.reference, to, task.sends, now.wall);
        row.turn = task.turn;
        fill(&mut row);
        self.commit(back, vec![Entry::Step(row)], cells);
    }

    fn commit(&mut self, ticket: Option<u64>, entries: Vec<Entry>, cells: Vec<Cell>) {
        self.effects.push_back(ApplyEffect::Commit { ticket, entries, cells });
    }

    /// Lets go of an operation.
    fn end(&mut self, ticket: u64, state: StepState) {
        if let Some(task) = self.tasks.remove(&ticket) {
            self.left(&task.operation, state);
        }
    }

    fn left(&mut self, operation: &Operation, state: StepState) {
        self.parts.work.ended(operation.op, state);
        *self.summary.by_state.entry(state.as_str()).or_default() += 1;
    }

    /// What cannot be gone on with ends the part.
    fn keep(&mut self, ticket: u64, done: Result<()>) {
        if let Err(problem) = done {
            if let Some(task) = self.tasks.remove(&ticket) {
                let state = task.state;
                self.left(&task.operation, state);
            }
            self.failed.get_or_insert(problem);
        }
    }
}

/// The field under which the before-image of a step is sealed.
pub(super) fn image_field(operation: &Operation, step: u8) -> String {
    format!("before/{}/{step}", operation.op)
}
