//! The sessions at one registry, which share its budget: sans-IO like the sessions themselves.
//! What it may be asked is a matter of the covers in `typed`; what it makes of failures stands in `failures`.

mod failures;

use super::budget::{Allowance, RateMeter};
use super::dialect::Dialect;
use super::exchange::{CloseReason, Job, Loss, Now, Outcome};
use super::machine::{Effect, Session};
use super::ration::{Quota, Ration};
use super::report::{GreetingFacts, PoolReport};
use super::result::{Breaker, Foreign};
use super::trouble::{self, Jitter};
use crate::base::{ClTrid, Moment, Permit, Problem, RegistryId};
use crate::model::{Command, Query, ResultCode, TlsFacts};
use crate::protocol::frame::Framer;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How often a question is asked again after a loss, and after a passing failure.
const ASKED_AGAIN: u8 = 2;
/// Connections refused, or sessions lost without an answer, in a row before the registry stops.
const MAX_FAILURES: u8 = 5;
/// Openings that met a limit, in a row, before the registry stops.
const MAX_LIMITS: u8 = 3;
/// Relogins in a row after "not logged in".
const MAX_RELOGINS: u8 = 2;
/// Questions kept ready for each read that may be in flight.
const AHEAD: usize = 2;

/// What a pool is made of.
pub struct Setup {
    /// The registry, as the operator names it.
    pub registry: RegistryId,
    /// What transaction identifiers begin with: a run's id, without personal data, at most 40 characters.
    pub prefix: Box<str>,
    /// The language.
    pub dialect: Arc<dyn Dialect>,
    /// A framer for a new line.
    pub framer: fn() -> Box<dyn Framer + Send>,
    /// Our part of the account's limits.
    pub allowance: Allowance,
    /// Where the jitter of waits comes from.
    pub seed: u64,
    /// The number of the first session: a resumed run goes on counting, so that no two of its exchanges have one id.
    pub first_session: u32,
}

/// What a pool wants done.
#[derive(Debug)]
pub enum PoolEffect {
    /// A line for a session.
    Connect {
        /// The session.
        session: u32,
    },
    /// Bytes for a session's line.
    Send {
        /// The session.
        session: u32,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A session's line is to be closed, once what it was given to send is on its way.
    Close {
        /// The session.
        session: u32,
    },
    /// A question's outcome.
    Done {
        /// The asker's number.
        ticket: u64,
        /// The outcome.
        outcome: Outcome,
    },
}

/// The sessions at one registry. Outside this layer it has no way to submit a command: that is for a [`ReadPool`] and a [`WritePool`].
///
/// [`ReadPool`]: super::ReadPool
/// [`WritePool`]: super::WritePool
pub struct Pool {
    setup: Setup,
    allowance: Arc<Allowance>,
    prefix: Arc<str>,
    window_cap: u16,
    /// Sessions that may exist now; the registry's refusals lower it.
    allowed: u16,
    sessions: Vec<Session>,
    next_number: u32,
    queue: VecDeque<Job>,
    /// Jobs that wait for their next attempt.
    delayed: Vec<(Moment, Job)>,
    rate: RateMeter,
    ration: Ration,
    /// Until when anything is sent, where others have the account after that.
    permit: Option<Permit>,
    /// How many lines may still be opened, where only so many logins may be tried.
    logins: Option<u32>,
    /// Whether commands wait for the rate budget now.
    rate_blocked: bool,
    /// Up to when the waits for the rate budget were counted.
    rate_blocked_at: Moment,
    /// No command before then.
    paused: Moment,
    /// No new session before then.
    open_at: Moment,
    /// Whether a login has succeeded: until then only one is tried at a time.
    proven: bool,
    failures: u8,
    limits: u8,
    relogins: u8,
    breaker: Breaker,
    foreign: Foreign,
    jitter: Jitter,
    /// Operations and kinds of objects that need not be tried, with the code that said so.
    off: BTreeMap<&'static str, ResultCode>,
    /// Whether no more work will come.
    finishing: bool,
    /// When everything that could move was moved.
    advanced: Moment,
    effects: VecDeque<PoolEffect>,
    report: PoolReport,
}

impl Pool {
    pub(super) fn new(setup: Setup, window_cap: u16) -> Self {
        Self {
            allowance: Arc::new(setup.allowance.clone()),
            prefix: setup.prefix.chars().take(40).collect::<String>().into(),
            window_cap,
            allowed: setup.allowance.sessions.max(1),
            sessions: Vec::new(),
            next_number: setup.first_session.max(1),
            queue: VecDeque::new(),
            delayed: Vec::new(),
            rate: RateMeter::new(&setup.allowance),
            ration: Ration::default(),
            permit: None,
            logins: None,
            rate_blocked: false,
            rate_blocked_at: Moment::ZERO,
            paused: Moment::ZERO,
            open_at: Moment::ZERO,
            proven: false,
            failures: 0,
            limits: 0,
            relogins: 0,
            breaker: Breaker::default(),
            foreign: Foreign::default(),
            jitter: Jitter::new(setup.seed),
            off: BTreeMap::new(),
            finishing: false,
            advanced: Moment::ZERO,
            effects: VecDeque::new(),
            report: PoolReport::default(),
            setup,
        }
    }

    /// The registry this pool is at.
    #[must_use]
    pub const fn registry(&self) -> &RegistryId {
        &self.setup.registry
    }

    /// Begins nothing and sends no command from the end of `permit` on.
    pub fn set_permit(&mut self, permit: Permit) {
        self.permit = Some(permit);
    }

    /// Opens so many lines and no more, each for one login: where a wrong password must not be tried again and again.
    pub const fn set_logins(&mut self, most: u32) {
        self.logins = Some(most);
    }

    /// Whether anything may be begun now.
    fn may_act(&self, now: Now) -> bool {
        self.permit.as_ref().is_none_or(|permit| permit.lasts(now.at))
    }

    /// Sends no more than `ration` allows.
    pub fn set_ration(&mut self, ration: Ration) {
        self.ration = ration;
    }

    /// Commands that may be submitted without piling up.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.finishing {
            return 0;
        }
        let wanted = usize::from(self.allowed) * usize::from(self.window_cap) * AHEAD;
        wanted.saturating_sub(self.queue.len() + self.delayed.len())
    }

    /// Why the registry was stopped, if it was.
    #[must_use]
    pub const fn stopped(&self) -> Option<&Problem> {
        self.report.stopped.as_ref()
    }

    /// Whether everything has its outcome and every line is closed.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.finishing && self.sessions.is_empty() && self.queue.is_empty() && self.delayed.is_empty() && self.effects.is_empty()
    }

    /// No more work will come: what is there is finished, then the sessions log out.
    pub fn finish(&mut self, now: Now) {
        self.finishing = true;
        self.advance(now);
    }

    /// The operator stops the run: what is in flight is finished, what is not ends as never sent.
    pub fn interrupt(&mut self, now: Now) {
        self.finishing = true;
        self.report.interrupted = true;
        for job in self.waiting() {
            self.done(job.ticket, Outcome::NeverSent { why: Loss::Stopped });
        }
        self.drain(now);
        self.advance(now);
    }

    /// A session's line stands.
    pub fn handle_connected(&mut self, session: u32, tls: Option<TlsFacts>, now: Now) {
        if let Some(s) = self.session(session) {
            s.handle_connected(tls, now);
        }
        self.advance(now);
    }

    /// A session's line could not be had: `problem` tells why, `again` whether another try can help.
    pub fn handle_connect_failed(&mut self, session: u32, problem: Box<Problem>, again: bool, now: Now) {
        self.sessions.retain(|s| s.number() != session);
        let problem = self.named(problem);
        if again && self.failures < MAX_FAILURES {
            self.failures += 1;
            self.open_at = now.at + self.jitter.wait(self.failures, self.allowance.back_off);
            self.report.problem(problem);
        } else if again && self.sessions.iter().any(Session::is_ready) {
            self.shrink_to(self.sessions.len());
        } else {
            self.stop(problem, now);
        }
        self.advance(now);
    }

    /// Bytes came for a session.
    pub fn handle_bytes(&mut self, session: u32, bytes: &[u8], now: Now) {
        if let Some(s) = self.session(session) {
            s.handle_bytes(bytes, now);
        }
        self.advance(now);
    }

    /// The driver is about to try to write the next `bytes` of what a session sends.
    pub fn handle_handed(&mut self, session: u32, bytes: usize) {
        if let Some(s) = self.session(session) {
            s.handle_handed(bytes);
        }
    }

    /// A session's connection ended.
    pub fn handle_closed(&mut self, session: u32, reason: CloseReason, now: Now) {
        if let Some(s) = self.session(session) {
            s.handle_closed(reason, now);
        }
        self.advance(now);
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Now) {
        for session in &mut self.sessions {
            session.handle_timeout(now);
        }
        self.advance(now);
    }

    /// When [`Pool::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        let sessions = self.sessions.iter().filter_map(Session::poll_timeout).min();
        let waiting = !self.queue.is_empty();
        let opens = (self.wanted_sessions() > self.sessions.len()).then_some(self.open_at.max(self.paused));
        let paused = waiting.then_some(self.paused);
        let rate = if self.rate_blocked { self.rate.next_room() } else { None };
        let delayed = self.delayed.iter().map(|(at, _)| *at).min();
        // What has come to pass is no reason to wake up: `advance` used it already.
        let ahead = [opens, paused, rate, delayed].into_iter().flatten().filter(|at| *at > self.advanced).min();
        [sessions, ahead].into_iter().flatten().min()
    }

    /// What the pool wants done next.
    pub fn poll_effect(&mut self) -> Option<PoolEffect> {
        if let Some(effect) = self.effects.pop_front() {
            return Some(effect);
        }
        // After `advance` nothing but bytes is left in a session.
        self.sessions.iter_mut().find_map(|s| s.poll_bytes().map(|bytes| PoolEffect::Send { session: s.number(), bytes }))
    }

    /// What a session has for its line, ahead of the other effects, where its registry would have nothing to do while they are seen to.
    /// Otherwise more is gathered into one write.
    pub fn poll_awaited(&mut self, session: u32) -> Option<Vec<u8>> {
        self.session(session).and_then(Session::poll_awaited)
    }

    /// The figures up to now.
    #[must_use]
    pub fn report(&self, now: Moment) -> PoolReport {
        let mut report = self.report.clone();
        report.rate_peak = self.rate.peak() as u64;
        report.minute_peak = self.rate.minute_peak();
        report.quota = self.ration.quota.as_ref().map(Quota::used);
        for session in &self.sessions {
            report.add(session.report(now));
        }
        report
    }

    /// Takes in what sessions did, and moves everything that can move. Call it after submitting.
    pub fn advance(&mut self, now: Now) {
        self.advanced = now.at;
        loop {
            self.collect(now);
            self.fill(now);
            if self.finishing && self.queue.is_empty() && self.delayed.is_empty() {
                self.drain(now);
            }
            self.open(now);
            // Filling may have refused a command or drained a session, which is to be collected in turn.
            if !self.collect(now) {
                break;
            }
        }
    }

    pub(super) fn submit(&mut self, ticket: u64, command: Command, trid: Option<ClTrid>) {
        let read = self.setup.dialect.reads_first(&command);
        let job = match read {
            Some(query) => Job { then: Some(Box::new(command)), trid, ..Job::new(ticket, Command::Query(query)) },
            None => Job { trid, ..Job::new(ticket, command) },
        };
        if self.report.stopped.is_some() {
            return self.turn_away(&job);
        }
        let names = match &job.command {
            Command::Query(Query::ContactCheck(ids)) => ids.len(),
            Command::Query(Query::DomainCheck(names)) => names.len(),
            _ => 0,
        };
        if names > usize::from(self.allowance.names_per_check) {
            let problem = trouble::too_many_names(&self.setup.registry, names, self.allowance.names_per_check);
            self.done(job.ticket, Outcome::Refused(problem));
        } else if job.repeats() {
            self.queue.push_back(job);
        } else {
            // Whoever writes has said so on disk: until the first byte leaves, a crash leaves it in doubt. Questions wait for it.
            let at = self.queue.iter().position(Job::repeats).unwrap_or(self.queue.len());
            self.queue.insert(at, job);
        }
    }

    fn session(&mut self, number: u32) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|s| s.number() == number)
    }

    /// Everything that is not in flight.
    fn waiting(&mut self) -> Vec<Job> {
        self.queue.drain(..).chain(self.delayed.drain(..).map(|(_, job)| job)).collect()
    }

    fn done(&mut self, ticket: u64, outcome: Outcome) {
        self.effects.push_back(PoolEffect::Done { ticket, outcome });
    }

    fn drain(&mut self, now: Now) {
        for session in &mut self.sessions {
            session.drain(now);
        }
    }

    /// Takes the effects of sessions in, and buries the dead. Whether there was anything but bytes.
    fn collect(&mut self, now: Now) -> bool {
        let mut any = false;
        let mut at = 0;
        while let Some(session) = self.sessions.get_mut(at) {
            let number = session.number();
            if session.is_ready() && !self.proven {
                self.proven = true;
                self.first_login(at);
                any = true;
                continue;
            }
            match session.poll_done() {
                Some(Effect::Done(job, outcome)) => {
                    any = true;
                    self.outcome(job, outcome, now);
                }
                Some(Effect::Close) => {
                    any = true;
                    let session = self.sessions.remove(at);
                    self.effects.push_back(PoolEffect::Close { session: number });
                    self.buried(&session, now);
                }
                Some(Effect::Send(_)) | None => at += 1,
            }
        }
        let ready = self.sessions.iter().filter(|s| s.is_ready()).count();
        self.report.sessions_at_once = self.report.sessions_at_once.max(u16::try_from(ready).unwrap_or(u16::MAX));
        any
    }

    /// Takes the facts of the first session that is logged in.
    fn first_login(&mut self, at: usize) {
        let Some(session) = self.sessions.get(at) else { return };
        self.report.tls = session.tls().cloned();
        let Some((greeting, drift, clock_offset_seconds)) = session.greeting() else { return };
        let facts = GreetingFacts { greeting: greeting.clone(), drift: drift.cloned().unwrap_or_default(), clock_offset_seconds };
        if let Some(problem) = clock_offset_seconds.and_then(|offset| trouble::clock_differs(&self.setup.registry, offset)) {
            self.report.problem(problem);
        }
        self.report.greeting = Some(facts);
    }

    /// Whether nothing may be asked any more.
    const fn finished(&self) -> bool {
        self.report.stopped.is_some() || self.report.interrupted || self.report.spent.is_some()
    }

    /// Sessions there is work for.
    fn wanted_sessions(&self) -> usize {
        let in_flight: usize = self.sessions.iter().map(Session::in_flight).sum();
        let due = if self.finished() { 0 } else { self.queue.len() };
        if due == 0 {
            return 0;
        }
        // Until a login has succeeded there is one at a time: a refused password is not tried twice.
        let most = if self.proven { usize::from(self.allowed) } else { 1 };
        (due + in_flight).div_ceil(usize::from(self.window_cap)).clamp(1, most)
    }

    /// Opens what sessions there is work for.
    fn open(&mut self, now: Now) {
        // A block of the registry's holds for logins as well.
        while self.may_act(now) && self.sessions.len() < self.wanted_sessions() && self.open_at.max(self.paused) <= now.at {
            match &mut self.logins {
                Some(0) if self.sessions.is_empty() => return self.stop(trouble::no_more_logins(&self.setup.registry), now),
                Some(0) => return,
                Some(left) => *left -= 1,
                None => {}
            }
            let number = self.next_number;
            self.next_number += 1;
            self.report.sessions_opened += 1;
            // The login counts against the rate as well.
            self.rate.sent(now.at);
            let session = Session::new(
                number,
                Arc::clone(&self.prefix),
                Arc::clone(&self.setup.dialect),
                (self.setup.framer)(),
                Arc::clone(&self.allowance),
                self.window_cap,
            );
            self.sessions.push(session);
            self.effects.push_back(PoolEffect::Connect { session: number });
        }
    }

    /// Hands waiting commands to sessions with room, as far as the rate allows.
    fn fill(&mut self, now: Now) {
        let mut at = 0;
        while at < self.delayed.len() {
            if self.delayed.get(at).is_some_and(|(due, _)| *due <= now.at) {
                let (_, job) = self.delayed.swap_remove(at);
                self.queue.push_front(job);
            } else {
                at += 1;
            }
        }
        if self.queue.is_empty() || !self.may_act(now) {
            return;
        }
        if let Some(spent) = self.ration.spent(now) {
            return self.spend(spent);
        }
        if self.paused > now.at {
            return;
        }
        let ration = usize::try_from(self.ration.room(now)).unwrap_or(usize::MAX);
        let mut rate = self.rate.room(now).min(ration);
        for at in 0..self.sessions.len() {
            while let Some(session) = self.sessions.get_mut(at) {
                let Some(next) = self.queue.front() else { break };
                let name = self.setup.dialect.command_name(&next.command);
                if let Some(code) = self.off.get(name).or_else(|| self.off.get(object_of(name))).copied() {
                    let problem = trouble::switched_off(&self.setup.registry, name, code);
                    if let Some(job) = self.queue.pop_front() {
                        self.done(job.ticket, Outcome::Refused(problem));
                    }
                    continue;
                }
                let must_wait = session.in_flight() > 0 && (next.alone || session.is_occupied_alone());
                if session.room() == 0 || must_wait || rate == 0 {
                    break;
                }
                let Some(job) = self.queue.pop_front() else { break };
                rate -= 1;
                self.rate.sent(now.at);
                self.ration.sent();
                session.submit(job, now);
            }
        }
        if let Some(spent) = self.ration.spent(now).filter(|_| !self.queue.is_empty()) {
            return self.spend(spent);
        }
        let blocked = rate == 0 && !self.queue.is_empty();
        if self.rate_blocked {
            self.report.rate_waited += now.at.since(self.rate_blocked_at);
        }
        self.rate_blocked_at = now.at;
        if blocked && !self.rate_blocked {
            self.report.rate_waits += 1;
        }
        self.rate_blocked = blocked;
    }
}

/// The kind of object in a command's name: `contact` of `contact:info`.
fn object_of(name: &'static str) -> &'static str {
    name.split(':').next().unwrap_or(name)
}
