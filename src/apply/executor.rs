//! One registry's part of a plan, as a state machine. It is driven by [`Executor::poll_effect`]: what it asks for is done, and what came
//! of it is handed back by the ticket it was asked with. Before a command is sent, the row that says so is on disk; what a lost answer
//! leaves open is settled by reading alone.

use super::inbox::{Inbox, Message};
use super::part::{ApplyEffect, Parts, Settings, Summary};
use super::step::{Look, command, is_pending, look, question, standing};
use crate::base::{Entropy, Moment, ObjectKey, Problem, Result, Secret};
use crate::journal::{Entry, Fold, MessageRow, SENDS, StepRow, StepState, Why};
use crate::model::{Class, PendingData, ResultCode, Transform};
use crate::plan::{Operation, Standing, Turn, vault_name};
use crate::session::{Effect, Now, Outcome};
use crate::store::{Cell, sealed_cell};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How many operations may wait for the registry's decision besides those in hand.
const MAX_UNDECIDED: usize = 1000;
/// The ticket of what is asked of the message queue.
const QUEUE: u64 = u64::MAX;
/// How often a look before a command is tried where no answer comes.
const LOOKS: u8 = 3;

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
    step: u8,
    state: StepState,
    sends: u8,
    waiting: Waiting,
    /// Looks before the command that brought no answer.
    looks: u8,
    /// Until when what the registry said it did may take to show.
    show_by: Moment,
}

/// One registry's part of a run.
pub struct Executor {
    settings: Settings,
    parts: Parts,
    fold: Arc<Fold>,
    tasks: HashMap<u64, Task>,
    timers: BTreeSet<(Moment, u64)>,
    inbox: Inbox,
    effects: VecDeque<ApplyEffect>,
    /// The next operation, where it was looked at and cannot begin yet.
    ahead: Option<Operation>,
    /// How the operations of this run that came to their end did.
    ended: HashMap<u64, StepState>,
    wave: u32,
    /// Operations of the wave that are verified, and that are not.
    wave_ends: (u64, u64),
    next_ticket: u64,
    summary: Summary,
    paused: bool,
    exhausted: bool,
    failed: Option<Box<Problem>>,
}

impl Executor {
    /// The part of `settings.registry`, where the run stands as `fold` tells.
    #[must_use]
    pub fn new(settings: Settings, parts: Parts, fold: Arc<Fold>) -> Self {
        Self {
            settings,
            parts,
            fold,
            tasks: HashMap::new(),
            timers: BTreeSet::new(),
            inbox: Inbox::new(),
            effects: VecDeque::new(),
            ahead: None,
            ended: HashMap::new(),
            wave: 0,
            wave_ends: (0, 0),
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
        self.timers.first().map(|(at, _)| *at).into_iter().chain(queue).min()
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

    fn read(&mut self, ticket: u64, reading: Reading, outcome: Outcome, now: Now) {
        let found = match outcome {
            Outcome::Answer { response, .. } => standing(*response),
            _ => None,
        };
        let done = match found {
            Some(found) => self.saw(ticket, reading, &found, now),
            None => {
                self.saw_nothing(ticket, reading, now);
                Ok(())
            }
        };
        self.keep(ticket, done);
    }

    fn written(&mut self, ticket: u64, outcome: Outcome, now: Now) {
        let svtrid = match &outcome {
            Outcome::Answer { response, .. } => response.sv_trid.clone(),
            _ => None,
        };
        match outcome {
            Outcome::Answer { response, verdict, .. } => match verdict.class {
                Class::Ok => {
                    self.enter(ticket, StepState::Applied, now, |row| row.svtrid = svtrid);
                    if let Some(task) = self.tasks.get_mut(&ticket) {
                        task.show_by = now.at + self.settings.settle;
                    }
                    self.ask(ticket, Reading::After);
                }
                Class::Wait => {
                    self.enter(ticket, StepState::Pending, now, |row| row.svtrid = svtrid);
                    match self.settings.queue.filter(|_| self.begins()) {
                        Some(watch) => self.wait(ticket, Reading::Pending, now.at + watch.patience),
                        None => self.end(ticket, StepState::Pending),
                    }
                }
                Class::Item | Class::Stop => {
                    let code = response.code();
                    self.fail(ticket, Why::Refused(code), now);
                    if verdict.class == Class::Stop {
                        self.stop("E-apply-003");
                    }
                }
                Class::Read if verdict.effect == Effect::None => {
                    self.enter(ticket, StepState::Unknown, now, |row| row.svtrid = svtrid);
                    self.ask(ticket, Reading::Refused(response.code()));
                }
                // It may have had an effect, or have one later: only the object tells.
                Class::Read | Class::Again | Class::New => self.doubt(ticket, now),
            },
            Outcome::Unreadable { .. } | Outcome::Unknown { .. } => self.doubt(ticket, now),
            Outcome::NeverSent { .. } => {
                self.enter(ticket, StepState::Planned, now, |_| ());
                self.look_again(ticket, now);
            }
            Outcome::Refused(problem) => self.fail(ticket, Why::Unsaid(problem.id.as_str().into()), now),
        }
    }

    /// Takes what the message queue told: keeps a message, and looks at what it decides.
    fn heard(&mut self, outcome: Outcome, now: Now) {
        let Some(watch) = self.settings.queue else { return };
        let Some(message) = self.inbox.heard(outcome, watch.takes, self.settings.again, now) else { return };
        let decided = message.decision.as_ref().and_then(|(_, decision)| Some((self.meant(decision)?, decision.result)));
        if let Err(problem) = if watch.takes { self.keep_message(message, now) } else { Ok(()) } {
            self.failed.get_or_insert(problem);
        }
        if let Some((ticket, is_granted)) = decided {
            if let Some(task) = self.tasks.get_mut(&ticket) {
                task.show_by = now.at + self.settings.settle;
            }
            self.ask(ticket, if is_granted { Reading::After } else { Reading::Declined });
        }
    }

    /// The operation that waits for a decision, by the identifier that its command had.
    fn meant(&self, decision: &PendingData) -> Option<u64> {
        let told = decision.cl_trid.as_deref()?;
        self.undecided().find(|ticket| self.tasks.get(ticket).is_some_and(|task| *self.cltrid(task, task.sends) == *told))
    }

    /// Seals a message, and says so in the journal: only then may it be acknowledged.
    fn keep_message(&mut self, message: Message, now: Now) -> Result<()> {
        let Message { id, frame, decision } = message;
        let registry = self.settings.registry.clone();
        let name = match &decision {
            Some((kind, told)) => vault_name(&registry, *kind, &told.id),
            None => format!("{registry}/message/{id}"),
        };
        let key = self.parts.values.enrol(&name, &mut *self.parts.entropy)?;
        let sealed = key.seal(&MessageRow::field(&id), frame.reveal(), self.settings.keep)?;
        let granted = decision.map(|(_, told)| told.result);
        let row = MessageRow { registry, id, reference: key.reference(), digest: sealed.digest(), granted, at: now.wall };
        self.commit(Some(QUEUE), vec![Entry::Message(row)], vec![sealed_cell(&sealed)]);
        Ok(())
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

    /// The operations that wait for the registry's decision, where the queue that tells it is watched.
    fn undecided(&self) -> impl Iterator<Item = u64> + '_ {
        let waits = |task: &Task| matches!(task.waiting, Waiting::Moment(Reading::Pending));
        let tasks = self.settings.queue.is_some().then_some(&self.tasks).into_iter().flatten();
        tasks.filter(move |(_, task)| waits(task)).map(|(ticket, _)| *ticket)
    }

    /// Whether another operation may be taken in hand.
    fn has_room(&self) -> bool {
        self.tasks.len() < self.settings.in_hand + self.undecided().take(MAX_UNDECIDED).count()
    }

    /// Takes operations in hand as far as there is room, and as the wave allows.
    fn begin(&mut self, now: Now) {
        while self.begins() && !self.paused && !self.exhausted && self.has_room() && self.effects.is_empty() {
            let next = self.ahead.take().map(Ok).or_else(|| {
                let registry = &self.settings.registry;
                self.parts.operations.find(|next| next.as_ref().map_or(true, |operation| *operation.registry == **registry))
            });
            match next {
                None => self.exhausted = true,
                Some(Err(problem)) => self.failed = Some(problem),
                Some(Ok(operation)) if operation.wave > self.wave => {
                    if !self.tasks.is_empty() {
                        self.ahead = Some(operation);
                        return;
                    }
                    self.next_wave(operation.wave);
                    self.ahead = Some(operation);
                }
                // What was begun is gone on with.
                Some(Ok(operation)) if self.fold.of(operation.op, 0).state != StepState::Planned => self.take(operation, now),
                Some(Ok(operation)) => match self.dependencies(&operation) {
                    None if !self.tasks.is_empty() => {
                        self.ahead = Some(operation);
                        return;
                    }
                    Some(StepState::Verified) => self.take(operation, now),
                    // Another run may still see it verified.
                    Some(StepState::Planned) => self.left(&operation, StepState::Planned),
                    // It came to nothing, or is in no part of this run.
                    _ => {
                        let ticket = self.hold(operation);
                        self.fail(ticket, Why::Dependency, now);
                    }
                },
            }
        }
    }

    /// Where all that an operation waits for stands: verified, come to nothing, or planned where that is open; nothing where some of it is
    /// in hand.
    fn dependencies(&self, operation: &Operation) -> Option<StepState> {
        let of = |op: &u64| self.ended.get(op).copied();
        let states: Option<Vec<StepState>> = operation.after.iter().map(of).collect();
        let worse = |worst: StepState, state: StepState| match (worst, state) {
            (worst, StepState::Verified) => worst,
            (StepState::Failed, _) | (_, StepState::Failed | StepState::Conflict) => StepState::Failed,
            _ => StepState::Planned,
        };
        states.map(|states| states.into_iter().fold(StepState::Verified, worse))
    }

    /// Closes a wave, and opens the next one where it went well.
    fn next_wave(&mut self, next: u32) {
        let (verified, other) = std::mem::take(&mut self.wave_ends);
        if self.wave > 0 {
            self.commit(None, vec![Entry::WaveDone { wave: self.wave, verified, other }], Vec::new());
            let allowed = if self.wave == 1 { 0 } else { (verified + other) * self.settings.tolerance / 1000 };
            if other > allowed {
                self.stop("E-apply-002");
            }
        }
        self.wave = next;
    }

    fn hold(&mut self, operation: Operation) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let task = Task {
            operation,
            step: 0,
            state: StepState::Planned,
            sends: 0,
            waiting: Waiting::Read(Reading::Before),
            looks: 0,
            show_by: Moment::default(),
        };
        self.tasks.insert(ticket, task);
        ticket
    }

    fn take(&mut self, operation: Operation, now: Now) {
        let ticket = self.hold(operation);
        self.go_on(ticket, now);
    }

    /// Goes on with an operation, where its next step stands.
    fn go_on(&mut self, ticket: u64, now: Now) {
        let Some(task) = self.tasks.get_mut(&ticket) else { return };
        let known = self.fold.of(task.operation.op, task.step);
        if usize::from(task.step) >= task.operation.steps.len() {
            return self.end(ticket, StepState::Verified);
        }
        (task.state, task.sends, task.looks) = (known.state, known.sends, 0);
        match known.state {
            StepState::Planned if self.settings.settle_only => self.end(ticket, StepState::Planned),
            StepState::Planned => self.ask(ticket, Reading::Before),
            StepState::Applied => {
                task.show_by = now.at + self.settings.settle;
                self.ask(ticket, Reading::After);
            }
            StepState::Pending => {
                task.show_by = now.at + self.settings.queue.map_or(Duration::ZERO, |watch| watch.patience);
                self.ask(ticket, Reading::Pending);
            }
            // The run was cut off behind this row: whether a byte left, nobody knows.
            StepState::Sending => self.doubt(ticket, now),
            StepState::Unknown => self.wait(ticket, Reading::Doubt(false), now.at + self.settings.settle),
            StepState::Verified => {
                task.step += 1;
                self.go_on(ticket, now);
            }
            StepState::Failed | StepState::Conflict => self.end(ticket, known.state),
        }
    }

    fn ask(&mut self, ticket: u64, reading: Reading) {
        let Some(task) = self.tasks.get_mut(&ticket) else { return };
        task.waiting = Waiting::Read(reading);
        if let Some(step) = task.operation.steps.get(usize::from(task.step)) {
            self.effects.push_back(ApplyEffect::Read { ticket, query: question(step) });
        }
    }

    fn wait(&mut self, ticket: u64, reading: Reading, until: Moment) {
        if let Some(task) = self.tasks.get_mut(&ticket) {
            task.waiting = Waiting::Moment(reading);
            self.timers.insert((until, ticket));
        }
    }

    /// A question brought no answer that tells.
    fn saw_nothing(&mut self, ticket: u64, reading: Reading, now: Now) {
        match self.tasks.get(&ticket).map(|task| task.state) {
            Some(StepState::Planned) if reading == Reading::Before => self.look_again(ticket, now),
            // Nothing is claimed of what could not be read: it stays where it was.
            Some(state) => self.end(ticket, state),
            None => {}
        }
    }

    /// Tries a planned step from its beginning, some times.
    fn look_again(&mut self, ticket: u64, now: Now) {
        let begins = self.begins();
        let Some(task) = self.tasks.get_mut(&ticket) else { return };
        task.looks += 1;
        if task.looks < LOOKS && begins {
            self.wait(ticket, Reading::Before, now.at + self.settings.again);
        } else {
            self.end(ticket, StepState::Planned);
        }
    }

    /// Decides by an object as it stands.
    fn saw(&mut self, ticket: u64, reading: Reading, found: &Standing, now: Now) -> Result<()> {
        let Some(task) = self.tasks.get(&ticket) else { return Ok(()) };
        let Some(step) = task.operation.steps.get(usize::from(task.step)) else { return Ok(()) };
        let Some(key) = self.parts.values.key(step.object.reference)? else {
            if task.state == StepState::Planned {
                self.fail(ticket, Why::Blocked("erased".into()), now);
            } else {
                let state = task.state;
                self.end(ticket, state);
            }
            return Ok(());
        };
        let (sends, show_by, looked) = (task.sends, task.show_by, look(step, &key, found));
        match (reading, looked) {
            (_, Look::Wanted) => self.verified(ticket, now),
            (Reading::Before, Look::Observed) => return self.send(ticket, &key, found, now),
            (Reading::Before, Look::Neither) => self.conflict(ticket, now),
            (Reading::Before | Reading::Doubt(_), Look::Gone) => self.fail(ticket, Why::Gone, now),
            // The registry has taken a command and has not decided: what it comes to cannot be read off yet.
            (Reading::Doubt(_) | Reading::Refused(_), _) if is_pending(found) => self.end(ticket, StepState::Unknown),
            (Reading::Refused(code), _) => self.fail(ticket, Why::Refused(code), now),
            // A registry may lag behind itself.
            (Reading::After, _) if now.at < show_by => self.wait(ticket, reading, now.at + self.settings.again),
            (Reading::Pending, _) if is_pending(found) && now.at < show_by && self.begins() => self.wait(ticket, reading, show_by),
            (Reading::Pending, _) if is_pending(found) => self.end(ticket, StepState::Pending),
            // What was decided against may still show as pending.
            (Reading::Declined, _) if is_pending(found) && now.at < show_by => self.wait(ticket, reading, now.at + self.settings.again),
            (Reading::Declined, Look::Observed) => self.fail(ticket, Why::Declined, now),
            (Reading::After | Reading::Pending, Look::Observed) => self.fail(ticket, Why::NotEffective, now),
            // The registry may still be at it: only a second look counts.
            (Reading::Doubt(false), Look::Observed) => self.wait(ticket, Reading::Doubt(true), now.at + self.settings.again),
            (Reading::Doubt(true), Look::Observed) if sends >= SENDS => self.fail(ticket, Why::NotEffective, now),
            (Reading::Doubt(true), Look::Observed) => {
                self.enter(ticket, StepState::Planned, now, |_| ());
                if self.sends() {
                    self.ask(ticket, Reading::Before);
                } else {
                    self.end(ticket, StepState::Planned);
                }
            }
            (Reading::After | Reading::Pending | Reading::Declined | Reading::Doubt(_), Look::Neither)
            | (Reading::After | Reading::Pending | Reading::Declined, Look::Gone) => {
                self.conflict(ticket, now);
            }
        }
        Ok(())
    }

    /// Puts on disk that the command is sent, with what the object was before.
    fn send(&mut self, ticket: u64, key: &ObjectKey, found: &Standing, now: Now) -> Result<()> {
        let Some(task) = self.tasks.get(&ticket) else { return Ok(()) };
        if !self.begins() {
            self.end(ticket, StepState::Planned);
            return Ok(());
        }
        if let Some(rule) = self.parts.guard.forbids(&task.operation, now.wall)? {
            self.fail(ticket, Why::Blocked(rule), now);
            return Ok(());
        }
        let Some(step) = task.operation.steps.get(usize::from(task.step)) else { return Ok(()) };
        let auth = if step.turn == Turn::Create { authorisation(&mut *self.parts.entropy)? } else { Secret::new("") };
        let transform = match command(step, key, found, &mut *self.parts.values, auth) {
            Ok(transform) => Box::new(transform),
            Err(problem) => {
                self.fail(ticket, Why::Unsaid(problem.id.as_str().into()), now);
                return Ok(());
            }
        };
        let before = key.seal(&image_field(&task.operation, task.step), found.image(step.object.kind).as_bytes(), self.settings.keep)?;
        let cltrid = self.cltrid(task, task.sends + 1);
        let (digest, named) = (before.digest(), cltrid.clone());
        self.enter_with(ticket, StepState::Sending, now, Some(ticket), vec![sealed_cell(&before)], |row| {
            row.before = Some(digest);
            row.cltrid = Some(named);
        });
        if let Some(task) = self.tasks.get_mut(&ticket) {
            task.waiting = Waiting::Disk(transform, cltrid);
        }
        Ok(())
    }

    /// The transaction identifier of a step's command, sent for the `send`th time.
    fn cltrid(&self, task: &Task, send: u8) -> Box<str> {
        format!("{}-{}-{}-{send}", self.settings.prefix, task.operation.op, task.step).into()
    }

    fn doubt(&mut self, ticket: u64, now: Now) {
        self.enter(ticket, StepState::Unknown, now, |_| ());
        self.wait(ticket, Reading::Doubt(false), now.at + self.settings.settle);
    }

    fn verified(&mut self, ticket: u64, now: Now) {
        self.enter(ticket, StepState::Verified, now, |_| ());
        if let Some(task) = self.tasks.get_mut(&ticket) {
            task.step += 1;
            self.go_on(ticket, now);
        }
    }

    fn conflict(&mut self, ticket: u64, now: Now) {
        self.enter(ticket, StepState::Conflict, now, |_| ());
        self.end(ticket, StepState::Conflict);
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
        let mut row = StepRow {
            op: task.operation.op,
            step: task.step,
            reference: step.object.reference,
            to,
            sends: task.sends,
            at: now.wall,
            cltrid: None,
            svtrid: None,
            before: None,
            why: None,
        };
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
        self.ended.insert(operation.op, state);
        *self.summary.by_state.entry(state.as_str()).or_default() += 1;
        let (verified, other) = &mut self.wave_ends;
        *if state == StepState::Verified { verified } else { other } += 1;
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

/// Authorisation information that nobody can guess: 192 random bits (RFC 9154 §4.1 asks for 128). It is sent and kept nowhere.
fn authorisation(entropy: &mut dyn Entropy) -> Result<Secret> {
    use base64::Engine as _;
    let mut bytes = zeroize::Zeroizing::new([0; 24]);
    entropy.fill(&mut *bytes)?;
    Ok(Secret::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(*bytes)))
}
