//! One registry's part of a plan, as a state machine. It is driven by [`Executor::poll_effect`]: what it asks for is done, and what came
//! of it is handed back by the ticket it was asked with. Before a command is sent, the row that says so is on disk; what a lost answer
//! leaves open is settled by reading alone.

use super::step::{Look, command, is_pending, look, question, standing};
use super::values::{Guard, Values};
use crate::base::{Entropy, Moment, ObjectKey, Problem, Result, Secret, Timestamp};
use crate::journal::{Entry, Fold, SENDS, StepRow, StepState, Why};
use crate::model::{Class, Query, ResultCode, Transform};
use crate::plan::{Operation, Standing, Turn};
use crate::session::{Effect, Now, Outcome};
use crate::store::{Cell, sealed_cell};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How often a look before a command is tried where no answer comes.
const LOOKS: u8 = 3;

/// Operations in hand for each session, as a rule: one speaks while another is put on disk.
pub const IN_HAND: usize = 2;

/// How one registry's part is carried out.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The registry.
    pub registry: Box<str>,
    /// What the identifiers of commands begin with: a run's id, without personal data, at most 24 characters.
    pub prefix: Box<str>,
    /// How long a registry may go on working on a command whose answer was lost, and how long what it has done may take to show.
    pub settle: Duration,
    /// Between two looks at one object.
    pub again: Duration,
    /// The most operations in hand at a time.
    pub in_hand: usize,
    /// How many of a thousand operations of a wave may come to anything but "verified" before the registry's part stops. The first wave
    /// has to be verified whole.
    pub tolerance: u64,
    /// Until when before-images are kept.
    pub keep: Timestamp,
    /// Whether only what was sent before is settled, by reading, and nothing is sent.
    pub settle_only: bool,
}

/// What the executor wants done.
#[derive(Debug)]
pub enum ApplyEffect {
    /// Ask, in a session which reads.
    Read {
        /// What to hand back.
        ticket: u64,
        /// The question.
        query: Query,
    },
    /// Send, in a session which writes, under this transaction identifier.
    Write {
        /// What to hand back.
        ticket: u64,
        /// The command.
        transform: Box<Transform>,
        /// Its identifier (RFC 5730 §2.5).
        cltrid: Box<str>,
    },
    /// Put rows and cells on disk, together.
    Commit {
        /// What to hand back; nothing waits for it where none stands here.
        ticket: Option<u64>,
        /// The rows.
        entries: Vec<Entry>,
        /// The cells.
        cells: Vec<Cell>,
    },
}

/// What the part came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Operations by the state they are left in.
    pub by_state: BTreeMap<&'static str, u64>,
    /// Why the part stopped before its end: the number of a problem.
    pub stopped: Option<Box<str>>,
}

/// What an executor is made of besides its settings.
pub struct Parts {
    /// The plan's operations, of this registry or of all.
    pub operations: Box<dyn Iterator<Item = Result<Operation>> + Send>,
    /// Keys and values.
    pub values: Box<dyn Values>,
    /// What is asked just before a command is sent.
    pub guard: Box<dyn Guard>,
    /// Where authorisation information of new contacts comes from.
    pub entropy: Box<dyn Entropy>,
}

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
        }
        match self.failed.clone() {
            Some(problem) if self.effects.is_empty() && self.tasks.is_empty() => Err(problem),
            _ => Ok(self.effects.pop_front()),
        }
    }

    /// When [`Executor::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.timers.first().map(|(at, _)| *at)
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
        }
    }

    /// Begins nothing while `paused`.
    pub const fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Takes what a question or a command came to.
    pub fn handle_outcome(&mut self, ticket: u64, outcome: Outcome, now: Now) {
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
                    self.end(ticket, StepState::Pending);
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

    /// Takes that rows are on disk.
    pub fn handle_committed(&mut self, ticket: u64) {
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

    /// Takes operations in hand as far as there is room, and as the wave allows.
    fn begin(&mut self, now: Now) {
        while self.begins() && !self.paused && !self.exhausted && self.tasks.len() < self.settings.in_hand && self.effects.is_empty() {
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
            StepState::Pending => self.ask(ticket, Reading::Pending),
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
            (Reading::Pending, _) if is_pending(found) => self.end(ticket, StepState::Pending),
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
            (Reading::After | Reading::Pending | Reading::Doubt(_), Look::Neither) | (Reading::After | Reading::Pending, Look::Gone) => {
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
        let cltrid: Box<str> = format!("{}-{}-{}-{}", self.settings.prefix, task.operation.op, task.step, task.sends + 1).into_boxed_str();
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
