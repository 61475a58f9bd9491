//! One session as a pure machine: bytes and time in, bytes and outcomes out.
//!
//! ```text
//!   connecting → greeting → logging in → ready → draining → logging out → dead
//!                └────────────┴────────────┴── any loss ────────────────────┘
//! ```
//!
//! The driver tells what it tried to write ([`Session::handle_handed`]): a command none of whose bytes it tried was never sent, every
//! other one without an answer has an unknown outcome.

mod answers;
mod ends;
mod names;

use super::budget::Allowance;
use super::dialect::{Dialect, Drift, Matching, Said};
use super::exchange::{Barred, CloseReason, Ended, Job, Loss, Now, Outcome, RawFrame};
use super::report::SessionReport;
use super::window::Window;
use crate::base::{ClTrid, Digest, Moment, Timestamp};
use crate::model::{Command, Greeting, TlsFacts};
use crate::protocol::frame::Framer;
use crate::protocol::tape::Tape;
use names::ElementNames;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Time for the greeting to be complete.
const GREETING: Duration = Duration::from_secs(30);
/// Time for a goodbye. Nothing depends on it.
const GOODBYE: Duration = Duration::from_secs(5);
/// Commands kept back before a session's last: the logout, and a keep-alive.
const RESERVED: u32 = 2;

/// What a session wants done.
#[derive(Debug)]
pub enum Effect {
    /// Bytes for the line.
    Send(Vec<u8>),
    /// An exchange is over.
    Done(Job, Outcome),
    /// The connection is to be closed.
    Close,
}

/// Where a session is in its life.
#[derive(Debug)]
enum State {
    Connecting,
    Greeting { until: Moment },
    LoggingIn,
    Ready,
    Draining,
    LoggingOut,
    Dead(Ended),
}

/// Whose a command in flight is.
#[derive(Debug)]
enum Owner {
    Asker(Job),
    Login(Command),
    KeepAlive(Command),
    Logout(Command),
}

impl Owner {
    /// The command.
    const fn command(&self) -> &Command {
        match self {
            Self::Asker(job) => &job.command,
            Self::Login(command) | Self::KeepAlive(command) | Self::Logout(command) => command,
        }
    }
}

/// A command in flight.
#[derive(Debug)]
struct Asked {
    owner: Owner,
    cl_trid: Option<ClTrid>,
    number: u32,
    sent: Moment,
    wall: Timestamp,
    /// When its answer must be complete. Bytes do not move it.
    until: Moment,
    /// Where its frame begins in all that this session writes.
    from: u64,
    bytes_out: u32,
}

impl Asked {
    /// The command.
    const fn command(&self) -> &Command {
        self.owner.command()
    }
}

/// What is known of a frame apart from its meaning.
struct FrameFacts {
    digest: Digest,
    bytes: u32,
    received: Timestamp,
    /// The frame, where it holds a message of the queue.
    message: Option<RawFrame>,
}

/// A session.
pub struct Session {
    number: u32,
    /// What our transaction identifiers begin with.
    prefix: Arc<str>,
    dialect: Arc<dyn Dialect>,
    framer: Box<dyn Framer + Send>,
    tape: Tape,
    allowance: Arc<Allowance>,
    state: State,
    window: Window,
    in_flight: VecDeque<Asked>,
    /// Frames for the line that nobody took yet.
    out: Vec<u8>,
    /// A payload on its way into a frame.
    scratch: Vec<u8>,
    names: ElementNames,
    /// Bytes ever put into `out`.
    put: u64,
    /// Bytes that the driver tried to write.
    handed: u64,
    effects: VecDeque<Effect>,
    opened: Moment,
    last_sent: Moment,
    commands: u32,
    greeting: Option<Box<Greeting>>,
    drift: Option<Drift>,
    /// Extensions that the login named.
    agreed: Vec<Box<str>>,
    /// Exchanges that failed since the last answer.
    failed_turns: u8,
    tls: Option<TlsFacts>,
    clock_offset: Option<i64>,
    report: SessionReport,
}

impl Session {
    /// A session that is about to be connected. `prefix` begins its transaction identifiers: at most 40 characters, no personal datum.
    #[must_use]
    pub fn new(
        number: u32,
        prefix: Arc<str>,
        dialect: Arc<dyn Dialect>,
        framer: Box<dyn Framer + Send>,
        allowance: Arc<Allowance>,
        window_cap: u16,
    ) -> Self {
        let cap = if dialect.matching() == Matching::InOrder || dialect.takes_turns() { 1 } else { window_cap };
        Self {
            number,
            prefix,
            dialect,
            framer,
            tape: Tape::new(),
            allowance,
            state: State::Connecting,
            window: Window::new(cap),
            in_flight: VecDeque::new(),
            out: Vec::new(),
            scratch: Vec::new(),
            names: ElementNames::default(),
            put: 0,
            handed: 0,
            effects: VecDeque::new(),
            opened: Moment::ZERO,
            last_sent: Moment::ZERO,
            commands: 0,
            greeting: None,
            drift: None,
            agreed: Vec::new(),
            failed_turns: 0,
            tls: None,
            clock_offset: None,
            report: SessionReport::new(number),
        }
    }

    /// The line stands.
    pub fn handle_connected(&mut self, tls: Option<TlsFacts>, now: Now) {
        if !matches!(self.state, State::Connecting) {
            return;
        }
        self.opened = now.at;
        self.last_sent = now.at;
        self.tls = tls;
        if self.dialect.is_greeted() {
            self.state = State::Greeting { until: now.at + GREETING };
            if self.dialect.takes_turns() {
                self.send(Owner::KeepAlive(Command::Hello), now);
            }
        } else {
            self.log_in(now);
        }
    }

    /// Bytes came.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Now) {
        if self.is_dead() {
            return;
        }
        self.report.bytes_in += bytes.len() as u64;
        self.framer.push(bytes);
        while !self.is_dead() {
            match self.framer.next_frame() {
                Err(bad) => self.die(&Loss::BadFrame(bad), now),
                Ok(None) => break,
                Ok(Some(frame)) => {
                    let mut facts = FrameFacts { digest: Digest::of(frame), bytes: to_u32(frame.len()), received: now.wall, message: None };
                    let read = match self.tape.read(frame) {
                        Ok(()) => self.dialect.read(&self.tape),
                        Err(malformed) => Err(malformed.to_string()),
                    };
                    match read {
                        Ok(Said::Greeting(greeting)) => self.greeted(greeting, now),
                        Ok(Said::Answer(response)) => {
                            let is_asked = self.in_flight.iter().any(|asked| matches!(asked.command(), Command::PollRequest));
                            facts.message = (is_asked && response.queue.is_some()).then(|| RawFrame::new(frame));
                            self.answered(response, facts, now);
                        }
                        Err(why) => {
                            let frame = RawFrame::new(frame);
                            self.garbage(why, frame, &facts, now);
                        }
                    }
                }
            }
        }
    }

    /// The driver is about to write the next `bytes` of what it took. From then on they count as sent.
    pub const fn handle_handed(&mut self, bytes: usize) {
        self.handed = self.handed.saturating_add(bytes as u64);
    }

    /// The connection ended.
    pub fn handle_closed(&mut self, reason: CloseReason, now: Now) {
        if matches!(self.state, State::LoggingOut) {
            self.leave(now);
        } else {
            self.die(&Loss::Closed(reason), now);
        }
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Now) {
        if let State::Greeting { until } = self.state
            && until <= now.at
        {
            self.die(&Loss::NoGreeting, now);
        } else if self.in_flight.front().is_some_and(|asked| asked.until <= now.at) {
            if matches!(self.state, State::LoggingOut) { self.leave(now) } else { self.die(&Loss::Deadline, now) }
        } else if matches!(self.state, State::Ready) {
            if self.rotates_at().is_some_and(|at| at <= now.at) {
                self.drain(now);
            } else if self.in_flight.is_empty() && self.keep_alive_at() <= now.at {
                let hello = self.dialect.keep_alive();
                self.send(Owner::KeepAlive(hello), now);
            }
        }
    }

    /// When [`Session::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        let first = self.in_flight.front().map(|asked| asked.until);
        match self.state {
            State::Greeting { until } => Some(until),
            State::Ready => {
                let idle = self.in_flight.is_empty().then(|| self.keep_alive_at());
                [first, idle, self.rotates_at()].into_iter().flatten().min()
            }
            State::Connecting | State::Dead(_) => None,
            State::LoggingIn | State::Draining | State::LoggingOut => first,
        }
    }

    /// Commands that may be submitted now.
    #[must_use]
    pub fn room(&self) -> usize {
        if !matches!(self.state, State::Ready) {
            return 0;
        }
        usize::from(self.window.size()).saturating_sub(self.in_flight.len())
    }

    /// Puts a command on the line. One that the language cannot carry is refused at once.
    pub fn submit(&mut self, job: Job, now: Now) {
        self.send(Owner::Asker(job), now);
        self.window.sent(self.in_flight.len());
        self.report.max_in_flight = self.report.max_in_flight.max(to_u32(self.in_flight.len()));
        self.report.window = self.report.window.max(self.window.size());
        let last = self.allowance.commands_per_session.map(|n| n.saturating_sub(RESERVED).max(2));
        if last.is_some_and(|last| self.commands >= last) {
            self.drain(now);
        }
    }

    /// Takes no more commands; what is in flight is finished, then the session logs out.
    pub fn drain(&mut self, now: Now) {
        match self.state {
            State::Ready => {
                self.state = State::Draining;
                self.log_out_if_drained(now);
            }
            State::Connecting | State::Greeting { .. } | State::LoggingIn => self.leave(now),
            State::Draining | State::LoggingOut | State::Dead(_) => {}
        }
    }

    /// What the session wants done next.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front().or_else(|| self.poll_bytes().map(Effect::Send))
    }

    /// The bytes for the line, ahead of what else the session wants done.
    pub(super) fn poll_bytes(&mut self) -> Option<Vec<u8>> {
        (!self.out.is_empty()).then(|| {
            self.report.bytes_out += self.out.len() as u64;
            // The next burst is likely to be as long.
            let next = Vec::with_capacity(self.out.len());
            std::mem::replace(&mut self.out, next)
        })
    }

    /// The same, where the registry has nothing of ours to do until it gets them.
    pub(super) fn poll_awaited(&mut self) -> Option<Vec<u8>> {
        let idle = self.in_flight.front().is_some_and(|first| first.from >= self.handed);
        if idle { self.poll_bytes() } else { None }
    }

    /// As [`Session::poll_effect`], leaving bytes to be gathered into one write.
    pub(super) fn poll_done(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// How the session ended, once it did.
    #[must_use]
    pub const fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Dead(ended) => Some(ended),
            _ => None,
        }
    }

    /// Its number within the pool.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Whether it is logged in and takes commands.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready)
    }

    /// Whether it is not yet logged in.
    #[must_use]
    pub const fn is_opening(&self) -> bool {
        matches!(self.state, State::Connecting | State::Greeting { .. } | State::LoggingIn)
    }

    /// Commands in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether the command in flight is one that must be alone.
    #[must_use]
    pub fn is_occupied_alone(&self) -> bool {
        self.in_flight.iter().any(|asked| matches!(&asked.owner, Owner::Asker(job) if job.alone))
    }

    /// The greeting, with the difference to the profile and the seconds by which the registry's clock is ahead of ours.
    #[must_use]
    pub fn greeting(&self) -> Option<(&Greeting, Option<&Drift>, Option<i64>)> {
        self.greeting.as_deref().map(|greeting| (greeting, self.drift.as_ref(), self.clock_offset))
    }

    /// The facts of the line.
    #[must_use]
    pub const fn tls(&self) -> Option<&TlsFacts> {
        self.tls.as_ref()
    }

    /// The session's figures so far.
    #[must_use]
    pub fn report(&self, now: Moment) -> SessionReport {
        SessionReport {
            seconds: now.since(self.opened).as_secs_f64(),
            commands: self.commands,
            ended: match &self.state {
                State::Dead(Ended::Lost(loss) | Ended::Barred(Barred::Lost(loss))) => Some(loss.to_string()),
                State::Dead(Ended::Barred(Barred::Refused { code, .. })) => Some(format!("refused with code {}", code.0)),
                State::Dead(Ended::Barred(Barred::Problem(problem))) => Some(problem.id.clone()),
                _ => None,
            },
            ..self.report.clone()
        }
    }

    const fn is_dead(&self) -> bool {
        matches!(self.state, State::Dead(_))
    }

    /// A quarter of the idle time is left for the keep-alive to arrive.
    fn keep_alive_at(&self) -> Moment {
        self.last_sent + self.allowance.idle * 3 / 4
    }

    /// A tenth of the age is left for what is in flight.
    fn rotates_at(&self) -> Option<Moment> {
        self.allowance.age.map(|age| self.opened + age * 9 / 10)
    }

    /// A greeting came: before the login, or in answer to a keep-alive.
    fn greeted(&mut self, greeting: Box<Greeting>, now: Now) {
        if matches!(self.state, State::Greeting { .. }) {
            let theirs = greeting.date.as_ref().and_then(|date| date.at);
            self.clock_offset = theirs.map(|theirs| theirs.as_second() - now.wall.as_second());
            self.greeting = Some(greeting);
            // The hello that asked for it, where it was asked for.
            self.in_flight.clear();
            self.log_in(now);
        } else if let Some(at) = self.in_flight.iter().position(|asked| matches!(asked.owner, Owner::KeepAlive(_))) {
            self.in_flight.remove(at);
            self.log_out_if_drained(now);
        } else {
            self.die(&Loss::Garbage("a greeting that nobody asked for".to_owned()), now);
        }
    }

    /// Sends the login, unless it is clear that it would be in vain.
    fn log_in(&mut self, now: Now) {
        match self.dialect.login(self.greeting.as_deref()) {
            Ok(agreed) => {
                self.drift = Some(agreed.drift);
                if let Command::Login(login) = &agreed.login {
                    self.agreed.clone_from(&login.extensions);
                }
                self.state = State::LoggingIn;
                self.send(Owner::Login(agreed.login), now);
            }
            Err(problem) => self.end(Ended::Barred(Barred::Problem(problem)), &Loss::Stopped, now),
        }
    }

    /// Sends the logout once nothing is in flight.
    fn log_out_if_drained(&mut self, now: Now) {
        if matches!(self.state, State::Draining) && self.in_flight.is_empty() {
            self.state = State::LoggingOut;
            self.send(Owner::Logout(Command::Logout), now);
        }
    }

    /// Puts a command's frame behind what waits for the line.
    fn send(&mut self, owner: Owner, now: Now) {
        self.commands = self.commands.saturating_add(1);
        let number = self.commands;
        let identifies = self.dialect.identifies(owner.command());
        let chosen = match &owner {
            Owner::Asker(job) if job.then.is_none() => job.trid.clone(),
            _ => None,
        };
        let counted = || ClTrid::new(format!("{}-{}-{number}", self.prefix, self.number));
        let cl_trid = identifies.then(|| chosen.unwrap_or_else(counted));
        let patience = if matches!(owner, Owner::Logout(_)) { GOODBYE.min(self.allowance.reply) } else { self.allowance.reply };
        let mut asked =
            Asked { owner, cl_trid, number, sent: now.at, wall: now.wall, until: now.at + patience, from: self.put, bytes_out: 0 };
        self.scratch.clear();
        if let Err(problem) = self.dialect.encode(asked.command(), asked.cl_trid.as_ref(), &self.agreed, &mut self.scratch) {
            match asked.owner {
                Owner::Asker(job) => self.effects.push_back(Effect::Done(job, Outcome::Refused(problem))),
                Owner::Login(_) => self.end(Ended::Barred(Barred::Problem(problem)), &Loss::Stopped, now),
                Owner::KeepAlive(_) | Owner::Logout(_) => self.leave(now),
            }
            return;
        }
        let before = self.out.len();
        self.framer.enclose(&self.scratch, &mut self.out);
        if matches!(asked.owner, Owner::Login(_)) {
            // The password is not to outlive its use; the frame itself goes to the driver.
            zeroize::Zeroize::zeroize(&mut self.scratch);
        }
        let written = self.out.len() - before;
        asked.bytes_out = to_u32(written);
        self.put += written as u64;
        self.last_sent = now.at;
        self.in_flight.push_back(asked);
    }
}

/// A length as it stands in the evidence.
fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
