//! The world of one seed: the registries, the lines, the disk, and the time. Everything that happens is drawn from the seed.

mod hearing;

use super::bug::Bug;
use super::disk::Disk;
use super::fault::{Greeting, Weather};
use super::history::History;
use super::line::{Line, Sent, Server, readdressed};
use super::process::Process;
use super::scene::{self, Place, Scene};
use crate::base::{Moment, Result, Secret, SeededEntropy, Timestamp};
use crate::compliance::{Purpose, Subject};
use crate::mock::fleet::Draw;
use crate::mock::{Knobs, Sans};
use crate::model::{ObjectKind, PendingData};
use crate::session::{CloseReason, Now, PoolEffect};
use std::collections::BTreeMap;
use std::time::Duration;

/// The largest frame that a registry reads.
const COMMAND_CAP: usize = 1 << 20;
/// How long an answer is on its way at most, in milliseconds.
const LATENCY: u64 = 40;
/// Messages in each queue from the beginning.
const MESSAGES: u32 = 3;
/// The most that is done in one process: a dozen operations take some hundreds.
const ENDLESS: u64 = 400_000;

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
    /// Objects of which a registry can tell nothing, and until when.
    spells: BTreeMap<(usize, Box<str>), Moment>,
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
        knobs.messages = MESSAGES;
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
            spells: BTreeMap::new(),
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
            site.sans.alter(*kind, id, |held| hearing::set_pending(held, false), now, wall);
        }
        let code = later.accepted.then(|| site.sans.carry_out(&later.frame, now, wall).code);
        if let Some(frame) = self.history.frames.get_mut(later.number) {
            frame.over = Some(now);
            if let Some((kind, id)) = &later.pending {
                let (id, result, cl_trid) = (id.clone(), code.is_some_and(|code| code < 2000), frame.cl_trid.clone());
                site.sans.notify(*kind, PendingData { id, result, cl_trid, sv_trid: None, date: None }, wall);
            }
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
}

/// The calendar's time at `moment`.
pub(super) fn wall_of(moment: Moment) -> Timestamp {
    let since = jiff::SignedDuration::try_from(moment.since_origin()).unwrap_or_default();
    scene::origin().checked_add(since).unwrap_or(Timestamp::MAX)
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
