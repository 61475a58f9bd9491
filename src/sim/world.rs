//! The world of one seed: the registries, the lines, the disk, and the time. Everything that happens is drawn from the seed.

use super::bug::Bug;
use super::disk::Disk;
use super::fault::{Answers, Fate, Greeting, Takes, Weather};
use super::line::{Line, Said, Sent, Server, What, between, framed, plain, readdressed};
use super::process::Process;
use super::scene::{self, Place, Scene};
use crate::base::{Blame, Moment, Personal, Problem, Result, Secret, SeededEntropy, Timestamp};
use crate::compliance::{Purpose, Subject};
use crate::mock::fleet::Draw;
use crate::mock::{Held, Knobs, Sans};
use crate::model::{ObjectKind, StatusValue};
use crate::protocol::frame::{Framer as _, LengthPrefix};
use crate::session::{CloseReason, Now, PoolEffect};
use std::collections::BTreeMap;
use std::time::Duration;

/// The largest frame that a registry reads.
const COMMAND_CAP: usize = 1 << 20;
/// How long an answer is on its way at most, in milliseconds.
const LATENCY: u64 = 40;
/// The most that is done in one process: a dozen operations take some hundreds.
const ENDLESS: u64 = 400_000;

/// A frame that began to reach a registry.
pub(super) struct Frame {
    pub(super) site: usize,
    pub(super) process: u32,
    /// When its first byte came.
    pub(super) began: Moment,
    /// How many rows of the journal were on disk then.
    pub(super) rows: u64,
    pub(super) what: What,
    pub(super) cl_trid: Option<Box<str>>,
    /// Since when it can have no effect any more that it has not had; nothing while it can.
    pub(super) over: Option<Moment>,
    /// Whether the command before it on the same connection had no answer yet.
    pub(super) overlaps: bool,
    /// By when the client knows that its login was refused for the password.
    pub(super) refused: Option<Moment>,
}

/// What the registries saw, for the checker.
#[derive(Default)]
pub(super) struct History {
    pub(super) frames: Vec<Frame>,
    /// Answers that were given: registry, client's and registry's identifier.
    pub(super) answers: Vec<(usize, Box<str>, Box<str>)>,
    /// The most connections at a time, by registry.
    pub(super) connections: BTreeMap<usize, usize>,
    /// The first process that only settles.
    pub(super) settles_from: Option<u32>,
}

/// A registry and what is known of it.
pub(super) struct Site {
    pub(super) place: Place,
    pub(super) sans: Sans,
    /// A connection's end that the client did not close: [`Bug::SocketKept`].
    kept: Option<Server>,
}

/// What a registry does later.
struct Later {
    site: usize,
    frame: Vec<u8>,
    /// Its place among all frames.
    number: usize,
    /// The object that waits for it to be decided.
    pending: Option<(ObjectKind, Box<str>)>,
    accepted: bool,
}

/// What befalls a process, by how much was done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mishaps {
    /// The machine dies before that step.
    pub(super) crash: Option<u64>,
    /// The operator stops the run.
    pub(super) stop: Option<u64>,
    /// The operator pauses the run for that long.
    pub(super) pause: Option<(u64, Duration)>,
    /// Somebody takes back what it said.
    pub(super) withdrawal: Option<u64>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself.
    Finished,
    /// With the machine.
    Crashed,
    /// It waits for nothing that will ever come.
    Hung,
}

/// Something that can happen now.
#[derive(Clone, Copy)]
enum Act {
    Store,
    Connect(usize),
    Write(usize),
    Arrive(usize),
    Receive(usize),
    Hear(usize),
}

pub(super) struct World {
    pub(super) sites: Vec<Site>,
    pub(super) disk: Disk,
    pub(super) history: History,
    pub(super) weather: Weather,
    pub(super) now: Moment,
    /// The number of the process.
    pub(super) process: u32,
    /// Steps of this process.
    pub(super) steps: u64,
    pub(super) said: Vec<(Subject, Purpose)>,
    pub(super) trace: Option<Vec<String>>,
    lines: Vec<Line>,
    connections: u64,
    later: BTreeMap<(Moment, u64), Later>,
    counted: u64,
    faults: Draw,
    order: Draw,
    entropy: SeededEntropy,
    rows: u64,
    bug: Option<Bug>,
}

impl World {
    /// The world of `scene`.
    ///
    /// # Errors
    /// Where a registry cannot be started.
    pub(super) fn new(scene: Scene, seed: u64, bug: Option<Bug>, trace: bool) -> Result<Self> {
        let Scene { places, disk, said } = scene;
        let mut knobs = Knobs::default();
        knobs.messages = super::inbox::MESSAGES;
        let site = |place: Place| {
            let account = (super::ACCOUNT, Secret::new(super::PASSWORD));
            let sans = Sans::new(place.profile.clone(), &place.objects, &knobs, account, scene::origin())?;
            Ok(Site { place, sans, kept: None })
        };
        Ok(Self {
            sites: places.into_iter().map(site).collect::<Result<_>>()?,
            disk,
            history: History::default(),
            weather: Weather::CALM,
            now: Moment::ZERO,
            process: 0,
            steps: 0,
            said,
            trace: trace.then(Vec::new),
            lines: Vec::new(),
            connections: 0,
            later: BTreeMap::new(),
            counted: 0,
            faults: Draw::new(seed, "faults", 0),
            order: Draw::new(seed, "order", 0),
            entropy: SeededEntropy::new(!seed),
            rows: 0,
            bug,
        })
    }

    /// The calendar's time.
    pub(super) fn wall(&self) -> Timestamp {
        wall_of(self.now)
    }

    /// Whether no registry has anything left to do.
    pub(super) fn is_idle(&self) -> bool {
        self.later.is_empty()
    }

    fn time(&self) -> Now {
        Now { at: self.now, wall: self.wall() }
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>12.3} {}", self.now.since_origin().as_secs_f64(), what()));
        }
    }

    /// Lets a process live until it is done or something ends it.
    ///
    /// # Errors
    /// What the process cannot go on with.
    pub(super) fn run(&mut self, process: &mut Process, mut mishaps: Mishaps) -> Result<Ended> {
        self.steps = 0;
        let mut paused: Option<Moment> = None;
        for _ in 0..ENDLESS {
            self.settle();
            while self.move_on(process)? {}
            self.rows = process.rows();
            if process.is_done() && self.lines.is_empty() {
                return Ok(Ended::Finished);
            }
            if paused.is_some_and(|until| until <= self.now) {
                paused = None;
                process.pause(false);
                continue;
            }
            let acts = self.acts(process);
            let Some(act) = self.order.pick(&acts).copied() else {
                let next = [process.poll_timeout(), self.poll_timeout(), paused].into_iter().flatten().min();
                let Some(next) = next else { return Ok(Ended::Hung) };
                self.now = self.now.max(next);
                continue;
            };
            self.steps += 1;
            let is_due = |at: Option<u64>| at.is_some_and(|at| at <= self.steps);
            if is_due(mishaps.crash) {
                self.crash();
                return Ok(Ended::Crashed);
            }
            if is_due(mishaps.stop.take_if(|at| *at <= self.steps)) {
                self.tell(|| "the operator stops the run".to_owned());
                process.stop();
            }
            if let Some((_, time)) = mishaps.pause.take_if(|(at, _)| *at <= self.steps) {
                self.tell(|| format!("the operator pauses the run for {time:?}"));
                process.pause(true);
                paused = Some(self.now + time);
            }
            if mishaps.withdrawal.take_if(|at| *at <= self.steps).is_some() {
                self.withdraw()?;
            }
            self.act(act, process)?;
        }
        Ok(Ended::Hung)
    }

    /// Somebody takes back what it said; nothing else happens in that moment.
    fn withdraw(&mut self) -> Result<()> {
        let Some(taken) = self.faults.pick(&self.said).copied() else { return Ok(()) };
        self.now = self.now + Duration::from_millis(1);
        self.tell(|| format!("{} takes back its consent to {}", taken.0, taken.1));
        let wall = self.wall();
        scene::withdraw(&mut self.disk, taken, wall, &mut self.entropy)?;
        self.now = self.now + Duration::from_millis(1);
        Ok(())
    }

    /// Lets the registries do what is due, and the lines bring it.
    fn settle(&mut self) {
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let later = entry.remove();
            self.carry_out(&later);
        }
        for at in 0..self.lines.len() {
            self.settle_line(at);
        }
    }

    fn settle_line(&mut self, at: usize) {
        let Some(line) = self.lines.get_mut(at) else { return };
        let Some(server) = &mut line.server else { return };
        let deadline = self.sites.get(line.site).and_then(|site| site.sans.deadline(&server.visit));
        if server.out.is_empty() && deadline.is_some_and(|due| due <= self.now) {
            server.out.push_back((self.now, Sent::End));
        }
        let mut ends = false;
        while let Some((_, sent)) = server.out.pop_front_if(|(due, _)| *due <= self.now) {
            match sent {
                Sent::Frame(frame, answers) => {
                    server.outstanding = server.outstanding.saturating_sub(u32::from(answers));
                    match &line.asked {
                        Some(asked) if self.bug == Some(Bug::MatchWithoutId) => line.down.extend(readdressed(&frame, asked)),
                        _ => line.down.extend(frame),
                    }
                }
                Sent::End => {
                    ends = true;
                    break;
                }
            }
        }
        if ends {
            self.hang_up(at);
        }
    }

    /// The registry closes its end.
    fn hang_up(&mut self, at: usize) {
        let Some(line) = self.lines.get_mut(at) else { return };
        line.wire.clear();
        if let (Some(server), Some(site)) = (line.server.take(), self.sites.get_mut(line.site)) {
            site.sans.close(server.visit);
        }
        if !line.has_client {
            self.lines.remove(at);
        }
    }

    fn carry_out(&mut self, later: &Later) {
        let (now, wall) = (self.now, self.wall());
        let Some(site) = self.sites.get_mut(later.site) else { return };
        if let Some((kind, id)) = &later.pending {
            site.sans.alter(*kind, id, |held| set_pending(held, false), now, wall);
        }
        let code = later.accepted.then(|| site.sans.carry_out(&later.frame, now, wall).code);
        if let Some(frame) = self.history.frames.get_mut(later.number) {
            frame.over = Some(now);
        }
        self.tell(|| format!("{}: carried out late: {code:?}", later.site));
    }

    /// Moves executors and pools as far as they go without bytes and time. Whether anything moved.
    fn move_on(&mut self, process: &mut Process) -> Result<bool> {
        let now = self.time();
        let mut any = false;
        for site in 0..process.parts.len() {
            any |= process.feed(site, now)?;
            while let Some(effect) = process.parts.get_mut(site).and_then(|part| part.pool.poll_effect()) {
                any = true;
                self.effect(process, site, effect);
            }
            let Some(part) = process.parts.get_mut(site) else { continue };
            if part.pool.poll_timeout().is_some_and(|due| due <= now.at) {
                part.pool.handle_timeout(now);
                any = true;
            }
            if self.bug == Some(Bug::PasswordTriedAgain) && part.pool.stopped().is_some() && part.pool.is_done() {
                any |= self.sites.get(site).is_some_and(|known| process.try_again(site, &known.place));
            }
        }
        Ok(any)
    }

    fn effect(&mut self, process: &mut Process, site: usize, effect: PoolEffect) {
        match effect {
            PoolEffect::Connect { session } => {
                let kept = self.sites.get(site).is_some_and(|site| site.kept.is_some());
                let greeting = if kept { Greeting::Comes } else { self.weather.greeting(&mut self.faults) };
                let due = self.now + Duration::from_millis(self.faults.below(20));
                self.connections += 1;
                self.lines.push(Line::new(site, session, self.connections, (due, greeting)));
                let open = self.lines.iter().filter(|line| line.site == site && line.has_client).count();
                let most = self.history.connections.entry(site).or_default();
                *most = open.max(*most);
                self.tell(|| format!("{site}.{session}: connects ({greeting:?})"));
            }
            PoolEffect::Send { session, bytes } => {
                let bytes = self.bug.map_or_else(|| bytes.clone(), |bug| bug.misframe(bytes.clone()));
                if let Some(line) = self.line(site, session) {
                    line.unwritten.extend(bytes);
                }
            }
            PoolEffect::Close { session } => self.close(site, session),
            PoolEffect::Done { ticket, outcome } => {
                self.tell(|| format!("{site}: outcome of {ticket}: {}", told(&outcome)));
                process.settle(site, ticket, outcome, self.time());
            }
        }
    }

    fn line(&mut self, site: usize, session: u32) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.has_client && line.site == site && line.session == session)
    }

    /// The client closes its end: what it was given to send goes first.
    fn close(&mut self, site: usize, session: u32) {
        self.tell(|| format!("{site}.{session}: closed by us"));
        let keeps = self.bug == Some(Bug::SocketKept);
        let Some(at) = self.lines.iter().position(|line| line.has_client && line.site == site && line.session == session) else { return };
        let Some(line) = self.lines.get_mut(at) else { return };
        line.has_client = false;
        let unwritten = std::mem::take(&mut line.unwritten);
        line.wire.extend(unwritten);
        line.down.clear();
        let waits = line.server.as_ref().is_some_and(|server| server.outstanding > 0);
        if keeps && waits {
            let server = line.server.take();
            if let Some(known) = self.sites.get_mut(site) {
                known.kept = server.map(|server| Server { is_kept: true, ..server });
            }
        }
        if self.lines.get(at).is_some_and(|line| line.server.is_none()) {
            self.lines.remove(at);
        }
    }

    /// What can happen now.
    fn acts(&self, process: &Process) -> Vec<Act> {
        let mut acts = Vec::new();
        if process.pending() > 0 {
            acts.push(Act::Store);
        }
        for (at, line) in self.lines.iter().enumerate() {
            if let Some((due, _)) = line.opening {
                if due <= self.now {
                    acts.push(Act::Connect(at));
                }
                continue;
            }
            if line.has_client && !line.unwritten.is_empty() {
                acts.push(Act::Write(at));
            }
            if !line.wire.is_empty() || !line.has_client {
                acts.push(Act::Arrive(at));
            }
            if line.has_client && (!line.down.is_empty() || line.server.is_none()) {
                acts.push(if line.down.is_empty() { Act::Hear(at) } else { Act::Receive(at) });
            }
        }
        acts
    }

    /// When something happens by itself.
    fn poll_timeout(&self) -> Option<Moment> {
        let of = |line: &Line| {
            let opening = line.opening.map(|(due, _)| due);
            let server = line.server.as_ref();
            let out = server.and_then(|server| server.out.front()).map(|(due, _)| *due);
            let idle = || self.sites.get(line.site)?.sans.deadline(&server?.visit);
            opening.or(out).or_else(idle)
        };
        let lines = self.lines.iter().filter_map(of).min();
        let later = self.later.first_key_value().map(|((due, _), _)| *due);
        lines.into_iter().chain(later).min()
    }

    fn act(&mut self, act: Act, process: &mut Process) -> Result<()> {
        match act {
            Act::Store => {
                let count = 1 + usize::try_from(self.order.below(process.pending() as u64)).unwrap_or_default();
                process.store(count)?;
                self.rows = process.rows();
                self.tell(|| format!("{count} commits are on disk"));
            }
            Act::Connect(at) => self.connect(at, process),
            Act::Write(at) => {
                let Some(length) = self.lines.get(at).map(|line| line.unwritten.len()) else { return Ok(()) };
                let length = self.slice(length);
                let Some(line) = self.lines.get_mut(at) else { return Ok(()) };
                if let Some(part) = process.parts.get_mut(line.site) {
                    part.pool.handle_handed(line.session, length);
                }
                let bytes: Vec<u8> = line.unwritten.drain(..length).collect();
                if line.server.is_some() {
                    line.wire.extend(bytes);
                }
            }
            Act::Arrive(at) => self.arrive(at, None),
            Act::Receive(at) => {
                let Some(length) = self.lines.get(at).map(|line| line.down.len()) else { return Ok(()) };
                let length = self.slice(length);
                let now = self.time();
                let Some(line) = self.lines.get_mut(at) else { return Ok(()) };
                let bytes: Vec<u8> = line.down.drain(..length).collect();
                if let Some(part) = process.parts.get_mut(line.site) {
                    part.pool.handle_bytes(line.session, &bytes, now);
                }
            }
            Act::Hear(at) => {
                let now = self.time();
                let line = self.lines.remove(at);
                self.tell(|| format!("{}.{}: closed by the registry", line.site, line.session));
                if let Some(part) = process.parts.get_mut(line.site) {
                    part.pool.handle_closed(line.session, CloseReason::Eof { clean: true }, now);
                }
            }
        }
        Ok(())
    }

    /// How many of `length` bytes move at once.
    fn slice(&mut self, length: usize) -> usize {
        if length > 1 && self.order.chance(self.weather.pieces) {
            1 + usize::try_from(self.order.below(length as u64 - 1)).unwrap_or_default()
        } else {
            length
        }
    }

    fn connect(&mut self, at: usize, process: &mut Process) {
        let now = self.time();
        let Some(line) = self.lines.get_mut(at) else { return };
        let Some((_, greeting)) = line.opening.take() else { return };
        let (site, session) = (line.site, line.session);
        let Some(part) = process.parts.get_mut(site) else { return };
        if greeting == Greeting::Refused {
            self.lines.remove(at);
            let problem = Problem::new("E-net-001", Blame::Registry, "the connection was refused", "try later");
            part.pool.handle_connect_failed(session, problem, true, now);
            return;
        }
        let Some(known) = self.sites.get_mut(site) else { return };
        let (visit, payload) = known.sans.open(now.at, now.wall);
        let kept = known.kept.take();
        let mut server = kept.unwrap_or_else(|| Server {
            visit,
            framer: LengthPrefix::epp(COMMAND_CAP),
            out: Default::default(),
            began: None,
            outstanding: 0,
            is_kept: false,
        });
        match greeting {
            Greeting::Comes => server.out.push_front((now.at, Sent::Frame(framed(&payload), false))),
            Greeting::Closed => server.out.push_back((now.at, Sent::End)),
            Greeting::Silent | Greeting::Refused => {}
        }
        line.server = Some(server);
        part.pool.handle_connected(session, None, now);
    }

    /// Bytes reach the registry, as many as `most` where that is given, and the end behind the last of them.
    fn arrive(&mut self, at: usize, most: Option<usize>) {
        let Some(length) = self.lines.get(at).map(|line| line.wire.len()) else { return };
        let length = most.unwrap_or_else(|| self.slice(length)).min(length);
        let (now, rows) = (self.now, self.rows);
        let Some(line) = self.lines.get_mut(at) else { return };
        if line.wire.is_empty() {
            if !line.has_client {
                self.hang_up(at);
            }
            return;
        }
        let bytes: Vec<u8> = line.wire.drain(..length).collect();
        let number = line.number;
        let Some(server) = &mut line.server else { return };
        server.began.get_or_insert((now, rows));
        server.framer.push(&bytes);
        loop {
            let Some(at) = self.lines.iter().position(|line| line.number == number) else { return };
            let Some(server) = self.lines.get_mut(at).and_then(|line| line.server.as_mut()) else { return };
            let frame = match server.framer.next_frame() {
                Ok(Some(frame)) => frame.to_vec(),
                Ok(None) => {
                    if !server.framer.is_inside() {
                        server.began = None;
                    }
                    return;
                }
                Err(_) => {
                    self.history.frames.push(Frame::nothing(self.lines.get(at).map_or(0, |line| line.site), self.process, now, rows));
                    return self.hang_up(at);
                }
            };
            let began = server.began.replace((now, rows)).unwrap_or((now, rows));
            self.hear(at, &frame, began);
        }
    }

    /// A registry hears a whole frame.
    fn hear(&mut self, at: usize, frame: &[u8], began: (Moment, u64)) {
        let said = Said::of(frame);
        let fate = match said.what {
            What::Login => self.weather.login(&mut self.faults),
            What::Change(is_new) => self.weather.command(is_new, &mut self.faults),
            What::Question => self.weather.question(&mut self.faults),
            What::Other | What::Nothing => Fate::FINE,
        };
        let (now, wall, process) = (self.now, self.wall(), self.process);
        let Some(line) = self.lines.get_mut(at) else { return };
        let (site, session) = (line.site, line.session);
        line.asked.clone_from(&said.cl_trid);
        let Some(server) = &mut line.server else { return };
        let is_relayed = server.is_kept && said.what == What::Login;
        let overlaps = server.outstanding > 0 && !is_relayed;
        server.outstanding += u32::from(!is_relayed);
        let over = (!matches!(fate.takes, Takes::After(_))).then_some(now);
        let number = self.history.frames.len();
        let is_refused = said.what == What::Login && fate.answers == Answers::Code(2200);
        let refused = is_refused.then(|| now + Duration::from_millis(LATENCY));
        let cl_trid = said.cl_trid.clone();
        let (began, rows) = began;
        self.history.frames.push(Frame { site, process, began, rows, what: said.what, cl_trid, over, overlaps, refused });
        self.tell(|| format!("{site}.{session}: {:?} {:?} {:?}: {fate:?}", said.what, said.cl_trid, said.object));
        if is_relayed {
            let answer = plain(1000, said.cl_trid.as_deref(), "KEPT");
            return self.send(at, now, Sent::Frame(framed(&answer), false));
        }
        if fate.meddled.0 {
            self.meddle(site, said.object.as_ref());
        }
        let Some(known) = self.sites.get_mut(site) else { return };
        let Some(server) = self.lines.get_mut(at).and_then(|line| line.server.as_mut()) else { return };
        let own = match fate.takes {
            Takes::Now | Takes::Twice => Some(known.sans.answer(&mut server.visit, frame, now, wall)),
            Takes::Never | Takes::After(_) => None,
        };
        match fate.takes {
            Takes::Twice => _ = known.sans.carry_out(frame, now, wall),
            Takes::After(wait) => {
                let pending = said.object.clone().filter(|_| matches!(fate.answers, Answers::Pending(_)));
                if let Some((kind, id)) = &pending {
                    known.sans.alter(*kind, id, |held| set_pending(held, true), now, wall);
                }
                let accepted = fate.answers != Answers::Pending(false);
                self.counted += 1;
                self.later.insert((now + wait, self.counted), Later { site, frame: frame.to_vec(), number, pending, accepted });
            }
            Takes::Now | Takes::Never => {}
        }
        let (closes, payload) = match own {
            Some(reply) => (reply.closes, reply.payload),
            None => (false, Vec::new()),
        };
        self.answer(at, &said, fate.answers, payload, closes);
        if fate.meddled.1 {
            self.meddle(site, said.object.as_ref());
        }
    }

    /// Sends what `answers` makes of the registry's own answer.
    fn answer(&mut self, at: usize, said: &Said, answers: Answers, own: Vec<u8>, closes: bool) {
        let soon = self.now + Duration::from_millis(self.faults.below(LATENCY));
        self.counted += 1;
        let sv_trid = format!("SIM-{}", self.counted);
        let cl_trid = said.cl_trid.as_deref();
        let (payload, closes) = match answers {
            Answers::Code(code) => (plain(code, cl_trid, &sv_trid), code / 100 % 10 == 5),
            Answers::Pending(_) => (plain(1001, cl_trid, &sv_trid), false),
            Answers::Foreign => (plain(1000, Some("SOMEBODY-1"), &sv_trid), false),
            _ if own.is_empty() => (own, true),
            _ => (own, closes),
        };
        let text = String::from_utf8_lossy(&payload);
        let site = self.lines.get(at).map_or(0, |line| line.site);
        if let (Some(cl_trid), Some(sv_trid)) = (between(&text, "<clTRID>", "<"), between(&text, "<svTRID>", "<")) {
            self.history.answers.push((site, cl_trid.into(), sv_trid.into()));
        }
        let frame = || Sent::Frame(framed(&payload), true);
        match answers {
            _ if payload.is_empty() => {}
            Answers::Own | Answers::Code(_) | Answers::Pending(_) | Answers::Foreign => self.send(at, soon, frame()),
            Answers::Late(wait) => self.send(at, soon + wait, frame()),
            Answers::Again(wait) => {
                self.send(at, soon, frame());
                self.send(at, soon + wait, Sent::Frame(framed(&payload), false));
            }
            Answers::Cut => {
                let mut part = framed(&payload);
                let most = part.len() as u64 - 1;
                part.truncate(usize::try_from(self.faults.below(most)).unwrap_or_default());
                self.send(at, soon, Sent::Frame(part, false));
            }
            Answers::Garbage => self.send(at, soon, Sent::Frame(framed(payload.get(..payload.len() / 2).unwrap_or_default()), true)),
            Answers::Close | Answers::Silence => {}
        }
        let ends = matches!(answers, Answers::Cut | Answers::Close) || (closes && answers != Answers::Silence);
        if ends {
            self.send(at, soon, Sent::End);
        }
    }

    /// Puts something on the way to the client, behind what is on its way already, unless that is late.
    fn send(&mut self, at: usize, due: Moment, sent: Sent) {
        let Some(server) = self.lines.get_mut(at).and_then(|line| line.server.as_mut()) else { return };
        let place = server.out.partition_point(|(other, _)| *other <= due);
        server.out.insert(place, (due, sent));
    }

    /// Somebody else changes an object: never so that it is again as it was.
    fn meddle(&mut self, site: usize, object: Option<&(ObjectKind, Box<str>)>) {
        let Some((kind, id)) = object else { return };
        self.counted += 1;
        let (how, number, now, wall) = (self.faults.below(3), self.counted, self.now, self.wall());
        let Some(known) = self.sites.get_mut(site) else { return };
        known.sans.alter(*kind, id, |held| meddle(held, how, number), now, wall);
        self.tell(|| format!("{site}: somebody changes {id} ({how})"));
    }

    /// The machine dies: of what was on its way some bytes still arrive, and then nothing.
    pub(super) fn crash(&mut self) {
        self.tell(|| "the machine dies".to_owned());
        while let Some(line) = self.lines.first_mut() {
            let (number, length) = (line.number, line.wire.len());
            line.has_client = false;
            line.unwritten.clear();
            if length > 0 && line.server.is_some() {
                let most = usize::try_from(self.order.below(length as u64 + 1)).unwrap_or_default();
                if most > 0 {
                    self.arrive(0, Some(most));
                }
            }
            if let Some(at) = self.lines.iter().position(|line| line.number == number) {
                self.hang_up(at);
                self.lines.retain(|line| line.number != number);
            }
        }
        for site in &mut self.sites {
            if let Some(kept) = site.kept.take() {
                site.sans.close(kept.visit);
            }
        }
    }
}

impl Frame {
    /// Bytes that are no frame.
    const fn nothing(site: usize, process: u32, now: Moment, rows: u64) -> Self {
        let (what, over) = (What::Nothing, Some(now));
        Self { site, process, began: now, rows, what, cl_trid: None, over, overlaps: false, refused: None }
    }
}

/// The calendar's time at `moment`.
pub(super) fn wall_of(moment: Moment) -> Timestamp {
    let since = jiff::SignedDuration::try_from(moment.since_origin()).unwrap_or_default();
    scene::origin().checked_add(since).unwrap_or(Timestamp::MAX)
}

fn set_pending(held: &mut Held, is_pending: bool) {
    let statuses = match held {
        Held::Contact(contact) => &mut contact.statuses,
        Held::Domain(domain) => &mut domain.statuses,
    };
    statuses.retain(|status| status.value != StatusValue::PENDING_UPDATE);
    if is_pending {
        statuses.push(StatusValue::PENDING_UPDATE.into());
    }
}

fn meddle(held: &mut Held, how: u64, number: u64) {
    match held {
        Held::Domain(domain) if how == 0 && domain.registrant.is_some() => {
            domain.registrant = Some(crate::base::Handle::new(format!("X-{number}")));
        }
        Held::Domain(domain) => {
            let status = if how == 1 { StatusValue::CLIENT_TRANSFER_PROHIBITED } else { StatusValue::CLIENT_DELETE_PROHIBITED };
            if domain.statuses.iter().all(|there| there.value != status) {
                domain.statuses.push(status.into());
            }
        }
        Held::Contact(contact) if how == 0 => contact.email = Some(Personal::new(format!("{}x{number}@else.example", scene::MARKER))),
        Held::Contact(contact) if how == 1 => contact.disclose = crate::dataset::disclose_of("1:email,voice"),
        Held::Contact(contact) => contact.voice = None,
    }
}

/// An outcome in a word.
fn told(outcome: &crate::session::Outcome) -> String {
    use crate::session::Outcome as O;
    match outcome {
        O::Answer { response, .. } => format!("answer {}", response.code().0),
        O::Unreadable { .. } => "unreadable".to_owned(),
        O::Unknown { why, .. } => format!("unknown: {why}"),
        O::NeverSent { why } => format!("never sent: {why}"),
        O::Refused(problem) => format!("refused: {}", problem.id),
    }
}
