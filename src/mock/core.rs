//! A connection's life as RFC 5730 §2 has it: greeting, login, session, logout. No I/O: a frame and the time go in, an answer comes out.

use super::decode::{Order, Refusal, Refused, Request, TransferOp, decode};
use super::encode::{self, Head};
use super::faults::Stage;
use super::knobs::{FaultSpec, IdleAnswer, OverLimit};
use super::later::Deed;
use super::registry::{Change, Registry};
use super::run::{Outcome, Run};
use super::subject::{key, object_service};
use crate::base::{Moment, Secret, Timestamp};
use crate::model::{Command, Date, Login, Query};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Tape;

/// Failed logins after which a connection is closed.
const MOST_FAILURES: u8 = 3;

/// Where an answer stands in a connection's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The greeting.
    Greeting,
    /// Before the login succeeded, that answer included.
    Login,
    /// In the session.
    Session,
}

/// What an answer is about and what follows from it. Its payload is appended to the caller's buffer.
pub(super) struct Answer {
    /// Where it stands.
    pub(super) place: Place,
    /// Its code; 1000 for a greeting.
    pub(super) code: u16,
    /// Whether the connection is closed behind it.
    pub(super) close: bool,
    /// Whether there is no payload: the connection is closed without a word.
    pub(super) silent: bool,
    /// The handle or name it is about.
    pub(super) object: Option<Box<str>>,
    /// The client's transaction identifier.
    pub(super) cl_trid: Option<Box<str>>,
    /// What must be on disk before it leaves, in order.
    pub(super) commits: Vec<Commit>,
    /// The fault that struck the command, and strikes its answer.
    pub(super) fault: Option<FaultSpec>,
    /// The account's new password.
    pub(super) new_password: Option<Secret>,
}

impl Answer {
    /// An answer of that code with nothing else to it.
    pub(super) fn new(place: Place, code: u16) -> Self {
        Self { place, code, close: false, silent: false, object: None, cl_trid: None, commits: Vec::new(), fault: None, new_password: None }
    }
}

/// Something that is to be kept: a command that took effect, for the most part.
pub(super) struct Commit {
    /// When.
    pub(super) at: Timestamp,
    /// The account whose command it is.
    pub(super) by: Box<str>,
    /// The command's frame; empty for what is no command.
    pub(super) frame: String,
    /// The client's transaction identifier.
    pub(super) cl_trid: Option<Box<str>>,
    /// What is kept of it.
    pub(super) deed: Deed,
    /// What it changed, where something took effect.
    pub(super) change: Option<Change>,
}

/// A connection.
pub(super) struct Connection {
    tape: Tape,
    session: Option<Session>,
    failures: u8,
    opened: Moment,
    /// When the last frame arrived.
    heard: Moment,
    /// Whether the session ran out while it was idle, so that the next command hears of it.
    timed_out: bool,
}

/// A login that holds.
struct Session {
    /// The account.
    client: Box<str>,
    opened: Moment,
    commands: u32,
    /// Object services the login named.
    objects: Vec<Box<str>>,
    /// Extension services the login named.
    extensions: Vec<Box<str>>,
}

impl Connection {
    /// A connection that began at `now`.
    pub(super) fn new(now: Moment) -> Self {
        Self { tape: Tape::new(), session: None, failures: 0, opened: now, heard: now, timed_out: false }
    }

    /// Whether a login holds.
    pub(super) const fn is_logged_in(&self) -> bool {
        self.session.is_some()
    }

    /// Writes the greeting.
    pub(super) fn greet(&self, registry: &Registry, wall: Timestamp, out: &mut Vec<u8>) -> Answer {
        let date = Date::at(wall.round(jiff::Unit::Millisecond).unwrap_or(wall));
        encode::greeting(out, &registry.announcement.server, &date.raw, &registry.objects, &registry.extensions);
        Answer::new(if self.is_logged_in() { Place::Session } else { Place::Greeting }, 1000)
    }

    /// Takes a frame that arrived at `now` and appends its answer to `out`.
    pub(super) fn handle(&mut self, registry: &mut Registry, frame: &[u8], now: Moment, wall: Timestamp, out: &mut Vec<u8>) -> Answer {
        self.expire(registry, now);
        self.heard = now;
        let mut tape = std::mem::take(&mut self.tape);
        let request = match tape.read(frame) {
            Ok(()) => decode(&tape),
            Err(bad) => Err(Refused { refusal: Refusal::new(2001, bad.to_string()), cl_trid: None, before_login: true }),
        };
        let answer = self.respond(registry, &tape, request, now, wall, out);
        self.tape = tape;
        answer
    }

    /// When the connection is to be cut, if nothing arrives.
    pub(super) fn deadline(&self, registry: &Registry) -> Option<Moment> {
        let limits = &registry.limits;
        let idle = limits.idle.filter(|_| limits.idle_answer == IdleAnswer::Cut).map(|wait| self.heard + wait);
        let age = limits.age.map(|wait| self.session.as_ref().map_or(self.opened, |s| s.opened) + wait);
        [idle, age].into_iter().flatten().min()
    }

    /// Forgets the login: the connection stays, the session is gone.
    pub(super) fn forget_login(&mut self, registry: &mut Registry) {
        if self.session.take().is_some() {
            registry.close_session();
        }
    }

    /// Lets a session that was idle for too long run out, where that is told by an answer.
    fn expire(&mut self, registry: &mut Registry, now: Moment) {
        let over = registry.limits.idle.is_some_and(|most| now.since(self.heard) >= most);
        if over && self.session.is_some() && registry.limits.idle_answer != IdleAnswer::Cut {
            self.timed_out = registry.limits.idle_answer == IdleAnswer::TimedOut;
            self.forget_login(registry);
        }
    }

    fn respond(
        &mut self,
        registry: &mut Registry,
        tape: &Tape,
        request: Result<Request, Refused>,
        now: Moment,
        wall: Timestamp,
        out: &mut Vec<u8>,
    ) -> Answer {
        if matches!(request, Ok(Request { order: Order::Command(Command::Hello), .. })) {
            return self.greet(registry, wall, out);
        }
        let place = if self.is_logged_in() { Place::Session } else { Place::Login };
        let mut answer = Answer { commits: registry.fall_due(wall), ..Answer::new(place, 2400) };
        let sv_trid = registry.next_sv_trid();
        let refused = match request {
            Ok(request) => {
                answer.cl_trid = request.cl_trid;
                answer.object = key(&request.order);
                registry.acting = self.session.as_ref().map_or_else(|| registry.user.clone(), |session| session.client.clone());
                let mut run = Run { registry, tape, now, wall, sv_trid: &sv_trid, out };
                let named = |ns: Ns| self.session.as_ref().is_none_or(|s| s.extensions.iter().any(|uri| **uri == *ns.uri()));
                if request.extension.is_none_or(named) {
                    self.carry_out(&request.order, &mut run, &mut answer)
                } else {
                    Err(Refusal::new(2103, "this login named no such extension"))
                }
            }
            Err(refused) => {
                answer.cl_trid = refused.cl_trid;
                let is_known = self.is_logged_in() || refused.before_login;
                Err(if is_known { refused.refusal } else { Refusal::new(2002, "log in first") })
            }
        };
        match refused {
            Ok(outcome) => (answer.code, answer.close) = (outcome.code, answer.close || outcome.close),
            Err(refusal) => {
                answer.code = refusal.code;
                if self.is_logged_in() {
                    registry.count_refusal(wall);
                }
                let refusal = refusal.numbered(&registry.profile, answer.code);
                answer.close |= refusal.code / 100 % 10 == 5;
                if !answer.silent {
                    let head = Head { refusal: Some(&refusal), ..Head::of(refusal.code, &answer, &sv_trid) };
                    encode::response(out, &head, None, None);
                }
            }
        }
        answer
    }

    /// Carries out a command and writes its answer, or says why not.
    fn carry_out(&mut self, order: &Order, run: &mut Run<'_>, answer: &mut Answer) -> Result<Outcome, Refusal> {
        if let Order::Command(Command::Login(login)) = order {
            self.log_in(login, run, answer)?;
            return Ok(run.with_credit(1000, answer));
        }
        if std::mem::take(&mut self.timed_out) {
            return Err(Refusal::new(2201, "session timeout"));
        }
        let Some(session) = &mut self.session else { return Err(Refusal::new(2002, "not logged in")) };
        if matches!(order, Order::Command(Command::Logout)) {
            self.forget_login(run.registry);
            return Ok(Outcome { close: true, ..run.with_credit(1500, answer) });
        }
        session.commands = session.commands.saturating_add(1);
        if run.registry.limits.commands.is_some_and(|most| session.commands > most) {
            answer.close = true;
            return Err(Refusal::new(2502, "too many commands in this session"));
        }
        // Who is blocked may ask until when.
        if !matches!(order, Order::Command(Command::Query(Query::HitPoints))) && !run.registry.admits_command(run.now, run.wall) {
            let over = run.registry.limits.over_limit;
            answer.silent = over == OverLimit::Cut;
            answer.close = answer.silent;
            let code = if over == OverLimit::Keep2308 { 2308 } else { 2502 };
            let refusal = Refusal::new(code, "too many commands in this time");
            if over == OverLimit::Keep2502 {
                let head = Head { refusal: Some(&refusal), ..Head::of(code, answer, run.sv_trid) };
                encode::response(run.out, &head, None, None);
                return Ok(Outcome { code, close: false });
            }
            return Err(refusal);
        }
        if let Some(ns) = object_service(order) {
            let is_offered = run.registry.objects.iter().any(|uri| uri == ns.uri());
            if !is_offered || !session.objects.iter().any(|uri| **uri == *ns.uri()) {
                return Err(Refusal::new(2307, "this login named no such object service"));
            }
        }
        match order {
            Order::Command(Command::Query(query)) => {
                run.strike(Stage::Query, answer);
                run.look(query, &session.extensions, answer)
            }
            Order::Command(Command::PollRequest) => Ok(run.next_message(&session.extensions, answer)),
            Order::Command(Command::PollAck { .. }) => run.change(order, &session.extensions, answer),
            Order::Transfer(transfer) if transfer.op == TransferOp::Query => run.look_at_transfer(transfer, answer),
            Order::Command(Command::Transform(_)) | Order::Transfer(_) => {
                run.strike(Stage::Transform, answer);
                run.change(order, &session.extensions, answer)
            }
            Order::Command(Command::Hello | Command::Login(_) | Command::Logout) => Err(Refusal::new(2002, "not here")),
        }
    }

    fn log_in(&mut self, login: &Login, run: &mut Run<'_>, answer: &mut Answer) -> Result<(), Refusal> {
        let registry = &mut *run.registry;
        if self.session.is_some() {
            return Err(Refusal::new(2002, "logged in already").numbered(&registry.profile, 1000));
        }
        if &*login.version != "1.0" {
            return Err(Refusal::quoting(2100, Ns::EPP, "version", &login.version, "1.0 is spoken here"));
        }
        if &*login.lang != "en" {
            return Err(Refusal::quoting(2102, Ns::EPP, "lang", &login.lang, "en is spoken here"));
        }
        if let Some(uri) = login.objects.iter().find(|uri| !registry.objects.iter().any(|known| **known == ***uri)) {
            return Err(Refusal::quoting(2307, Ns::EPP, "objURI", uri, "the greeting did not offer it"));
        }
        if let Some(uri) = login.extensions.iter().find(|uri| !registry.extensions.iter().any(|known| **known == ***uri)) {
            return Err(Refusal::quoting(2103, Ns::EPP, "extURI", uri, "the greeting did not offer it"));
        }
        let is_rival = registry.rival.as_ref().is_some_and(|(client, _)| *client == login.client);
        let password = registry.rival.as_ref().filter(|_| is_rival).map_or(&registry.password, |(_, password)| password);
        let is_known = is_rival || *login.client == *registry.user;
        if !is_known || login.password.reveal() != password.reveal() {
            self.failures += 1;
            let code = if self.failures >= MOST_FAILURES { 2501 } else { 2200 };
            return Err(Refusal::new(code, "wrong client identifier or password"));
        }
        if !registry.open_session() {
            answer.close = true;
            return Err(Refusal::new(2502, "too many sessions"));
        }
        if let Some(new) = login.new_password.as_ref().filter(|_| !is_rival) {
            registry.password = new.clone();
            answer.new_password = Some(new.clone());
        }
        self.session = Some(Session {
            client: login.client.clone(),
            opened: run.now,
            commands: 0,
            objects: login.objects.clone(),
            extensions: login.extensions.clone(),
        });
        Ok(())
    }
}
