//! One run of a pool, from the first connection until the last one is closed.

use super::kind::{Commands, Kind};
use super::line::{Arrives, Lines};
use super::load::{Load, is_rationed};
use super::nights::QuotaTerms;
use super::turn::{Sent, Turn};
use crate::base::{Blame, Moment, Problem, Result, Timestamp};
use crate::session::{Allowance, Now, PoolEffect, PoolReport, QuotaUse, Ration, TimedRate};
use std::time::Duration;

/// Commands of one run that are driven one by one where nothing repeats itself; beyond them the mean of the last half goes on.
pub(super) const EXACT: usize = 40_000;
/// Commands that have to repeat themselves at least.
const LEAST: usize = 64;
/// Steps after which a run that comes to no end is given up: a bug.
const ENDLESS: u64 = 50_000_000;
/// Looks into the past and the future of a rate that changes with the hour, beside the time it counts over (`session::budget`).
const SIGHT: Duration = Duration::from_secs(32);

/// The bounds of a run.
pub(super) struct Bounds<'t> {
    /// When it begins.
    pub(super) start: Timestamp,
    /// When no further command is begun.
    pub(super) until: Timestamp,
    /// The hours at which the registry's rate, or its day, changes.
    pub(super) changes: &'t [Timestamp],
    /// The day's quota, and what of it is used.
    pub(super) quota: Option<(&'t QuotaTerms, Option<QuotaUse>)>,
}

/// What a run came to.
#[derive(Debug)]
pub(super) struct Ran {
    /// What was sent.
    pub(super) commands: Commands,
    /// How long it took.
    pub(super) time: Duration,
    /// Turns that were skipped, with how often.
    pub(super) skipped: Vec<(Turn, u64)>,
    /// Whether each of them repeated itself exactly.
    pub(super) is_exact: bool,
    /// The pool's own figures, of what was driven one by one.
    pub(super) report: PoolReport,
}

/// A run under way.
pub(super) struct Course<'r, L: Load> {
    pool: L::Pool,
    load: &'r mut L,
    lines: Lines<'r>,
    allowance: Allowance,
    bounds: Bounds<'r>,
    /// The pool's clock, which no skip moves.
    now: Moment,
    /// By how much the calendar is ahead of it.
    ahead: Duration,
    sent: Sent,
    commands: Commands,
    skipped: Vec<(Turn, u64)>,
    is_exact: bool,
    is_finished: bool,
    in_flight: usize,
    /// Whether nothing is skipped: that a skip changes nothing is held against such a run.
    #[cfg(test)]
    pub(super) is_whole: bool,
}

impl<'r, L: Load> Course<'r, L> {
    /// `load` by `pool` over `lines`.
    pub(super) fn new(pool: L::Pool, load: &'r mut L, lines: Lines<'r>, allowance: Allowance, bounds: Bounds<'r>) -> Self {
        Self {
            pool,
            load,
            lines,
            allowance,
            bounds,
            now: Moment::ZERO,
            ahead: Duration::ZERO,
            sent: Sent::default(),
            commands: Commands::default(),
            skipped: Vec::new(),
            is_exact: true,
            is_finished: false,
            in_flight: 0,
            #[cfg(test)]
            is_whole: false,
        }
    }

    fn time(&self) -> Now {
        Now { at: self.now, wall: after(self.bounds.start, self.now.since_origin() + self.ahead) }
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// Why the registry was stopped, which nothing here does to it: a bug, or a profile with which no session comes about.
    pub(super) fn run(mut self) -> Result<Ran> {
        let quota = self.bounds.quota.as_ref().map(|(terms, used)| terms.quota(*used, self.bounds.start));
        self.pool.set_ration(Ration { commands: None, until: Some(self.bounds.until), quota });
        for _ in 0..ENDLESS {
            while self.feed() | self.effects() {}
            if let Some(problem) = self.pool.stopped() {
                return Err(Box::new(problem.clone()));
            }
            if self.pool.is_done() {
                let time = self.now.since_origin() + self.ahead;
                let report = self.pool.report(self.now);
                return Ok(Ran { commands: self.commands, time, skipped: self.skipped, is_exact: self.is_exact, report });
            }
            self.skip();
            self.step()?;
        }
        Err(hangs())
    }

    /// Feeds the pool as its driver does. Whether there was anything.
    fn feed(&mut self) -> bool {
        if self.is_finished {
            return false;
        }
        let mut any = false;
        while self.load.submit(&mut self.pool) {
            any = true;
        }
        let now = self.time();
        if self.load.is_over() {
            self.is_finished = true;
            self.pool.finish(now);
            return true;
        }
        if any {
            self.pool.advance(now);
        }
        any
    }

    /// Does what the pool wants done. Whether there was anything.
    fn effects(&mut self) -> bool {
        let mut any = false;
        while let Some(effect) = self.pool.poll_effect() {
            any = true;
            let now = self.time();
            match effect {
                PoolEffect::Connect { session } => self.lines.connect(session, now),
                PoolEffect::Send { session, bytes } => {
                    self.pool.handle_handed(session, bytes.len());
                    let Self { lines, sent, commands, in_flight, load, .. } = self;
                    let phase = load.phase();
                    lines.send(session, &bytes, now, &mut |frame| {
                        let kind = Kind::of(frame);
                        commands.count(kind, 1);
                        sent.note(now.at, kind, phase);
                        *in_flight += usize::from(kind.is_question() || kind == Kind::Change);
                    });
                }
                PoolEffect::Close { session } => self.lines.close(session),
                PoolEffect::Done { ticket, outcome } => {
                    if !is_rationed(&outcome) {
                        self.in_flight = self.in_flight.saturating_sub(1);
                    }
                    self.load.settle(ticket, &outcome);
                }
            }
        }
        any
    }

    /// Lets the next thing happen.
    fn step(&mut self) -> Result<()> {
        let (arrives, due) = (self.lines.poll_timeout(), self.pool.poll_timeout());
        let next = arrives.into_iter().chain(due).min().ok_or_else(hangs)?;
        self.now = self.now.max(next);
        let now = self.time();
        match self.lines.arrived(self.now) {
            Some((session, Arrives::Connected)) => self.pool.handle_connected(session, None, now),
            Some((session, Arrives::Bytes(bytes))) => self.pool.handle_bytes(session, &bytes, now),
            None => self.pool.handle_timeout(now),
        }
        Ok(())
    }

    /// Skips as many whole turns as there are before anything changes, where the pool has come to repeat itself.
    fn skip(&mut self) {
        #[cfg(test)]
        if self.is_whole {
            return;
        }
        if self.is_finished || !self.sent.is_due() || self.load.left() == 0 {
            return;
        }
        let rates = || self.allowance.rate.into_iter().chain(self.allowance.rate_windows.iter().map(TimedRate::rate));
        let memory = rates().map(|(_, time)| time * 2).max().unwrap_or_default();
        let usize_of = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let sessions = usize::from(self.allowance.sessions);
        let mut lengths: Vec<usize> = rates().map(|(commands, _)| usize_of(commands)).collect();
        lengths.extend([self.in_flight, sessions]);
        lengths.extend(self.load.lengths());
        // Where sessions live for few commands, a turn is made of their whole lives: of the login, what is asked, and the logout.
        let life = self.allowance.commands_per_session.map(|n| usize_of(n).saturating_sub(1).max(3).saturating_mul(sessions));
        let lives = life.filter(|life| *life <= EXACT / 4);
        lengths.extend(lives);
        let least = lives.map_or(LEAST, |life| life * 2);
        let most = lengths.iter().copied().max().unwrap_or_default().saturating_mul(4).clamp(EXACT, Sent::MOST);
        let is_regular = self.allowance.age.is_none() && life == lives;
        let turn = match self.sent.turn(&lengths, least, memory) {
            Some(turn) => (turn, is_regular),
            None if self.sent.len() >= most => match self.sent.mean(most / 2) {
                Some(turn) => (turn, false),
                None => return,
            },
            None => return,
        };
        let ((turn, is_exact), memory) = (turn, memory + SIGHT);
        let units = self.load.units(&turn.commands);
        let Some(by_load) = self.load.left().saturating_sub(units.max(1)).checked_div(units) else { return };
        let turns = by_load.min(self.until_change(&turn, memory)).min(self.within_quota(&turn));
        if turns == 0 {
            return;
        }
        self.ahead += turn.time.saturating_mul(u32::try_from(turns).unwrap_or(u32::MAX));
        self.load.skip(units * turns, &turn.commands, turns, &mut self.commands);
        self.is_exact &= is_exact;
        self.skipped.push((turn, turns));
        self.spend(self.load.units(&turn.commands) * turns);
        self.sent.forget();
    }

    /// Turns before the next hour at which something changes, and before the end.
    fn until_change(&self, turn: &Turn, memory: Duration) -> u64 {
        let wall = self.time().wall;
        let edges = self.bounds.changes.iter().flat_map(|at| [before(*at, memory), after(*at, SIGHT)]);
        let next = edges.chain([before(self.bounds.until, Duration::from_secs(1))]).filter(|at| *at > wall).min();
        let room = next.and_then(|next| Duration::try_from(next.duration_since(wall)).ok()).unwrap_or_default();
        let turns = room.as_nanos().checked_div(turn.time.as_nanos()).unwrap_or_default();
        // The calendar is moved by at most so many turns at once.
        u64::try_from(turns).unwrap_or(u64::MAX).saturating_sub(1).min(u64::from(u32::MAX))
    }

    /// Turns that the day's quota has room for.
    fn within_quota(&self, turn: &Turn) -> u64 {
        let Some((terms, _)) = &self.bounds.quota else { return u64::MAX };
        let used = self.pool.report(self.now).quota.map_or(0, |used| used.commands);
        let units = self.load.units(&turn.commands).max(1);
        terms.room(used).saturating_sub(units) / units
    }

    /// Tells the pool of what was skipped, as of what an earlier run of the day asked.
    fn spend(&mut self, commands: u64) {
        let Some((terms, _)) = &self.bounds.quota else { return };
        let used = self.pool.report(self.now).quota.map(|used| QuotaUse { commands: used.commands + commands, ..used });
        let quota = Some(terms.quota(used, self.time().wall));
        self.pool.set_ration(Ration { commands: None, until: Some(self.bounds.until), quota });
    }
}

/// That a run comes to no end.
fn hangs() -> Box<Problem> {
    Problem::new("E-forecast-001", Blame::Us, "the pool waits for what never comes", "please report this")
}

/// `time` behind `at`.
pub(super) fn after(at: Timestamp, time: Duration) -> Timestamp {
    jiff::SignedDuration::try_from(time).ok().and_then(|time| at.checked_add(time).ok()).unwrap_or(Timestamp::MAX)
}

/// `time` before `at`.
fn before(at: Timestamp, time: Duration) -> Timestamp {
    jiff::SignedDuration::try_from(time).ok().and_then(|time| at.checked_sub(time).ok()).unwrap_or(Timestamp::MIN)
}
