//! Night after night until everything is asked for, or changed: what each takes, what limits it, and how many there are.

use super::course::{Bounds, Course, Ran, after};
use super::kind::Commands;
use super::line::{Lines, Timing};
use super::load::{Changing, Load, Reading};
use super::registry::Registry;
use super::turn::Turn;
use crate::base::{Result, Timestamp};
use crate::policy::Limits;
use crate::session::{Allowance, Quota, QuotaUse, ReadPool, Setup, Spent, TimedRate, WritePool};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::time::Duration;

/// Nights that are driven one by one; by then each is like the one before.
const NIGHTS: u32 = 12;
/// From one night to the next.
const DAY: Duration = Duration::from_hours(24);
/// Of what a line could carry, the share from which on the line is what limits.
const NEARLY: f64 = 0.9;

/// A daily quota, and the part of it that is ours.
#[derive(Clone, Debug)]
pub struct QuotaTerms {
    /// Our part of the day's points.
    pub points: u64,
    /// The share of them that stays unused by reading, in percent.
    pub reserve: u8,
    /// Where the registry's days begin.
    pub zone: TimeZone,
}

impl QuotaTerms {
    /// The pool's own quota.
    pub(super) fn quota(&self, used: Option<QuotaUse>, now: Timestamp) -> Quota {
        Quota::new(Some(self.points), self.reserve, self.zone.clone(), used, now)
    }

    /// What is left of it for reading after `used` commands.
    pub(super) fn room(&self, used: u64) -> u64 {
        let ours = self.points.saturating_mul(u64::from(100 - self.reserve.min(100))) / 100;
        ours.saturating_sub(used)
    }
}

/// Under what terms a registry is asked.
pub struct Terms<'t> {
    /// The pool's setup: the one of a pull, at this registry.
    pub setup: &'t dyn Fn() -> Setup,
    /// The registry.
    pub registry: &'t dyn Fn() -> Box<dyn Registry>,
    /// The line.
    pub timing: Timing,
    /// The account's limits.
    pub limits: &'t Limits,
    /// The day's quota, where its points are known.
    pub quota: Option<QuotaTerms>,
    /// When the first night begins; the others do so a day later each.
    pub from: Timestamp,
    /// How long a night is: up to a day.
    pub window: Duration,
}

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub enum Task {
    /// Objects to ask for.
    Pull {
        /// Domains.
        domains: u64,
        /// Contacts.
        contacts: u64,
    },
    /// Changes, each read, sent and read again.
    Apply {
        /// How many.
        changes: u64,
        /// Whether they are of contacts; of domains otherwise.
        of_contacts: bool,
        /// The most that are begun at a time.
        in_hand: usize,
    },
}

/// What limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Nothing is asked.
    Nothing,
    /// The day's quota.
    Quota,
    /// The account's rate.
    Rate,
    /// Sessions, what may be in flight on each, and the time until an answer is there.
    Latency,
    /// The registry's own time for a command.
    Registry,
    /// Logins, since sessions live for few commands.
    Logins,
}

/// What is to be expected.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// Everything that is sent.
    pub commands: Commands,
    /// Objects or changes.
    pub units: u64,
    /// Time in which the registry is asked, over all nights.
    pub time: Duration,
    /// Nights; none where no night ever gets anything done.
    pub nights: Option<u64>,
    /// Objects or changes of the first night.
    pub a_night: u64,
    /// The most sessions at once.
    pub sessions: u16,
    /// The most commands in flight on one of them.
    pub in_flight: u32,
    /// What limits most of the time.
    pub bound: Bound,
    /// Whether all that was not driven command by command repeats exactly what was.
    pub is_exact: bool,
}

impl Task {
    /// Objects, or changes.
    const fn units(self) -> u64 {
        match self {
            Self::Pull { domains, contacts } => domains.saturating_add(contacts),
            Self::Apply { changes, .. } => changes,
        }
    }

    /// What of it is left where `units` are done, domains first.
    fn without(self, units: u64) -> Self {
        match self {
            Self::Pull { domains, contacts } => {
                let first = domains.min(units);
                Self::Pull { domains: domains - first, contacts: contacts.saturating_sub(units - first) }
            }
            Self::Apply { changes, of_contacts, in_hand } => Self::Apply { changes: changes.saturating_sub(units), of_contacts, in_hand },
        }
    }
}

/// One night.
struct Night {
    ran: Ran,
    done: u64,
    rest: Task,
    bound: BTreeMap<Bound, Duration>,
}

/// Whether `task` fits into one night.
///
/// # Errors
/// As [`forecast`].
pub fn fits(terms: &Terms<'_>, task: Task) -> Result<bool> {
    Ok(one(terms, task, 0, None)?.rest.units() == 0)
}

/// What `task` will take.
///
/// # Errors
/// Where no session comes about with this profile, and `E-forecast-001`: a bug.
pub fn forecast(terms: &Terms<'_>, task: Task) -> Result<Forecast> {
    let mut told = Forecast {
        commands: Commands::default(),
        units: task.units(),
        time: Duration::ZERO,
        nights: Some(0),
        a_night: 0,
        sessions: 0,
        in_flight: 0,
        bound: Bound::Nothing,
        is_exact: true,
    };
    let (mut rest, mut used, mut number, mut bounds) = (task, None::<QuotaUse>, 0_u64, BTreeMap::new());
    let mut before: Option<(u64, Option<u64>)> = None;
    while rest.units() > 0 {
        let night = one(terms, rest, number, used)?;
        let Night { ran, done, bound, .. } = &night;
        told.a_night = told.a_night.max(*done);
        told.sessions = told.sessions.max(ran.report.sessions_at_once);
        told.in_flight = told.in_flight.max(ran.report.max_in_flight);
        told.is_exact &= ran.is_exact;
        if *done == 0 {
            told.nights = None;
            told.bound = if ran.report.spent == Some(Spent::Quota) { Bound::Quota } else { Bound::Latency };
            return Ok(told);
        }
        // A night like the one before it is followed by others of the same kind.
        let this = (*done, ran.report.quota.map(|used| used.commands));
        let is_over = night.rest.units() == 0;
        let alike = if !is_over && (before == Some(this) || number >= u64::from(NIGHTS)) { rest.units() / done } else { 1 };
        let alike = if alike > 1 && rest.units().is_multiple_of(*done) { alike - 1 } else { alike };
        told.is_exact &= alike == 1 || before == Some(this);
        told.commands.add(&ran.commands, alike);
        told.time = told.time.saturating_add(ran.time.saturating_mul(u32::try_from(alike).unwrap_or(u32::MAX)));
        told.nights = told.nights.map(|nights| nights + alike);
        for (bound, time) in bound {
            *bounds.entry(*bound).or_insert(Duration::ZERO) += time.saturating_mul(u32::try_from(alike).unwrap_or(u32::MAX));
        }
        used = ran.report.quota.map(|used| later(used, alike - 1));
        number += alike;
        before = Some(this);
        rest = rest.without(alike * done);
    }
    if let Task::Pull { domains, contacts } = task {
        // Each is asked for once; nights that were not driven had other kinds than those that stand for them.
        (told.commands.domain_infos, told.commands.contact_infos) = (domains, contacts);
    }
    told.bound = bounds.into_iter().max_by_key(|(_, time)| *time).map_or(Bound::Nothing, |(bound, _)| bound);
    Ok(told)
}

/// Drives the night with that number, before which `used` of the quota was used last.
fn one(terms: &Terms<'_>, task: Task, number: u64, used: Option<QuotaUse>) -> Result<Night> {
    let start = after(terms.from, DAY.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX)));
    let changes = changes(terms, start);
    let setup = (terms.setup)();
    let (allowance, framer) = (setup.allowance.clone(), setup.framer);
    let mut registry = (terms.registry)();
    let lines = Lines::new(&mut *registry, terms.timing, framer);
    let quota = terms.quota.as_ref().map(|quota| (quota, used));
    let mut bounds = Bounds { start, until: after(start, terms.window), changes: &changes, quota };
    let (ran, done, rest, window) = match task {
        Task::Pull { domains, contacts } => {
            let mut load = Reading::new(domains, contacts);
            let ran = Course::new(ReadPool::new(setup), &mut load, lines, allowance.clone(), bounds).run()?;
            let (domains, contacts) = load.rest();
            (ran, load.done(), Task::Pull { domains, contacts }, allowance.read_window)
        }
        Task::Apply { changes, of_contacts, in_hand } => {
            // Nothing rations a run that applies: what reading leaves of the quota is there for it.
            bounds.quota = None;
            let mut load = Changing::new(changes, of_contacts, in_hand);
            let ran = Course::new(WritePool::new(setup), &mut load, lines, allowance.clone(), bounds).run()?;
            (ran, load.done(), Task::Apply { changes: load.left(), of_contacts, in_hand }, 1)
        }
    };
    let bound = limits(&ran, &Carries { timing: terms.timing, window, allowance: &allowance });
    Ok(Night { ran, done, rest, bound })
}

/// The hours around the night that begins at `start` at which a rate or a day of the registry's changes.
fn changes(terms: &Terms<'_>, start: Timestamp) -> Vec<Timestamp> {
    let around = |zone: &TimeZone, time: jiff::civil::Time| {
        let today = zone.to_datetime(start).date();
        let days =
            [today.yesterday().ok(), Some(today), today.tomorrow().ok(), today.tomorrow().and_then(jiff::civil::Date::tomorrow).ok()];
        days.into_iter().flatten().filter_map(|day| zone.to_timestamp(day.to_datetime(time)).ok()).collect::<Vec<_>>()
    };
    let windows = terms.limits.rate_windows.iter().map(|rule| &rule.value);
    let mut all: Vec<Timestamp> =
        windows.flat_map(|window| [window.from, window.until].map(|time| around(window.zone.rules(), time)).concat()).collect();
    all.extend(terms.quota.iter().flat_map(|quota| around(&quota.zone, jiff::civil::Time::midnight())));
    all.sort_unstable();
    all
}

/// The use of a quota so many days later.
fn later(used: QuotaUse, days: u64) -> QuotaUse {
    let span = jiff::Span::new().try_days(i64::try_from(days).unwrap_or(i64::MAX));
    let day = span.and_then(|span| used.day.checked_add(span)).unwrap_or(used.day);
    QuotaUse { day, ..used }
}

/// What a line can carry.
struct Carries<'a> {
    timing: Timing,
    window: u16,
    allowance: &'a Allowance,
}

impl Carries<'_> {
    /// Commands a second over `sessions` sessions.
    fn most(&self, sessions: u16) -> f64 {
        let Timing { round_trip, service, .. } = self.timing;
        let by_window = f64::from(self.window) / (round_trip + service).as_secs_f64();
        let by_registry = service.as_secs_f64().recip();
        by_window.min(by_registry) * f64::from(sessions)
    }

    /// What limits where the line is full.
    fn line(&self) -> Bound {
        let Timing { round_trip, service, .. } = self.timing;
        let queues = !service.is_zero() && service * u32::from(self.window) >= round_trip + service;
        if queues { Bound::Registry } else { Bound::Latency }
    }

    /// What limits a turn.
    fn of(&self, turn: &Turn, sessions: u16) -> Bound {
        let asked = turn.commands.total() - turn.commands.logins - turn.commands.logouts;
        let speed = |commands: u64, time: Duration| commands as f64 / time.as_secs_f64();
        let rates = self.allowance.rate.into_iter().chain(self.allowance.rate_windows.iter().map(TimedRate::rate));
        let is_rate = |(commands, time): (u32, Duration)| {
            let share = speed(turn.commands.total(), turn.time) / speed(u64::from(commands), time);
            (NEARLY..=NEARLY.recip()).contains(&share)
        };
        if speed(asked, turn.time) >= NEARLY * self.most(sessions) {
            self.line()
        } else if rates.into_iter().any(is_rate) {
            Bound::Rate
        } else if turn.commands.logins > 0 {
            Bound::Logins
        } else {
            self.line()
        }
    }
}

/// The time of a night by what limited it.
fn limits(ran: &Ran, carries: &Carries<'_>) -> BTreeMap<Bound, Duration> {
    let mut all = BTreeMap::new();
    let mut rest = ran.time;
    for (turn, times) in &ran.skipped {
        let time = turn.time.saturating_mul(u32::try_from(*times).unwrap_or(u32::MAX)).min(rest);
        rest = rest.saturating_sub(time);
        *all.entry(carries.of(turn, ran.report.sessions_at_once)).or_insert(Duration::ZERO) += time;
    }
    let waited = ran.report.rate_waited.min(rest);
    *all.entry(Bound::Rate).or_insert(Duration::ZERO) += waited;
    // What was driven one by one has the first logins in it, too.
    let lives = ran.report.sessions_opened > 2 * u64::from(ran.report.sessions_at_once);
    let line =
        if lives { carries.of(&Turn { commands: ran.commands, time: ran.time }, ran.report.sessions_at_once) } else { carries.line() };
    *all.entry(line).or_insert(Duration::ZERO) += rest.saturating_sub(waited);
    if ran.report.spent == Some(Spent::Quota) {
        return BTreeMap::from([(Bound::Quota, ran.time)]);
    }
    all.retain(|_, time| !time.is_zero());
    all
}
