//! What one account may ask: requests in a minute, with a block where there were more, and points in a day.

use crate::base::{Moment, Timestamp};
use crate::policy::{Rate, RateWindow, Zone};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::VecDeque;
use std::time::Duration;

/// The limits in force.
#[derive(Clone, Debug, Default)]
pub(in crate::mock) struct Limits {
    /// The usual rate.
    pub(in crate::mock) rate: Option<Rate>,
    /// Rates at some times of the day.
    pub(in crate::mock) windows: Vec<RateWindow>,
    /// How long the account is blocked.
    pub(in crate::mock) block: Duration,
    /// Points in a day.
    pub(in crate::mock) quota: Option<u64>,
    /// Where the day begins.
    pub(in crate::mock) zone: Option<Zone>,
}

/// An account's use of its limits.
#[derive(Debug, Default)]
pub(in crate::mock) struct Gate {
    recent: VecDeque<Moment>,
    blocked: Option<Moment>,
    day: Option<Date>,
    points: u64,
}

/// Whether a request is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mock) enum Admission {
    /// It is; from 60 % on with the share of the day's points that is used.
    Admitted(Option<u64>),
    /// The access limit is exceeded.
    Blocked,
    /// The day's points are used.
    Exhausted,
}

/// The share of the points from which on each answer tells it.
const TOLD_FROM: u64 = 60;

impl Gate {
    /// Counts a request, invalid ones too; a login and a logout cost no point.
    pub(in crate::mock) fn admit(&mut self, limits: &Limits, costs: bool, now: Moment, wall: Timestamp) -> Admission {
        if let Some(rate) = rate_at(limits, wall) {
            let time = Duration::from_secs(u64::from(rate.seconds));
            while self.recent.front().is_some_and(|first| now.since(*first) >= time) {
                self.recent.pop_front();
            }
            self.recent.push_back(now);
            let most = rate.commands as usize;
            // One more than allowed tells as much as all of them.
            while self.recent.len() > most + 1 {
                self.recent.pop_front();
            }
            if self.blocked.is_some_and(|until| now < until) {
                return Admission::Blocked;
            }
            self.blocked = (self.recent.len() > most).then_some(now + limits.block);
            if self.blocked.is_some() {
                return Admission::Blocked;
            }
        }
        let Some(quota) = limits.quota.filter(|_| costs) else { return Admission::Admitted(None) };
        let zone = limits.zone.as_ref().map_or(TimeZone::UTC, |zone| zone.rules().clone());
        let day = zone.to_datetime(wall).date();
        if self.day != Some(day) {
            (self.day, self.points) = (Some(day), 0);
        }
        if self.points >= quota {
            return Admission::Exhausted;
        }
        self.points += 1;
        let share = self.points * 100 / quota.max(1);
        Admission::Admitted((share >= TOLD_FROM).then_some(share))
    }
}

/// The rate in force at `wall`.
fn rate_at(limits: &Limits, wall: Timestamp) -> Option<Rate> {
    let holds = |window: &&RateWindow| {
        let time = window.zone.rules().to_datetime(wall).time();
        let (from, until) = (window.from, window.until);
        if from <= until { from <= time && time < until } else { from <= time || time < until }
    };
    limits.windows.iter().find(holds).map(|window| window.rate).or(limits.rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(seconds))
    }

    fn limits(commands: u32, quota: Option<u64>) -> Limits {
        Limits { rate: Some(Rate { commands, seconds: 60 }), block: Duration::from_mins(2), quota, ..Limits::default() }
    }

    #[test]
    fn over_the_limit_an_account_is_blocked_and_again_while_it_asks_too_much() {
        let (mut gate, limits, wall) = (Gate::default(), limits(3, None), Timestamp::UNIX_EPOCH);
        let mut ask = |second| gate.admit(&limits, true, at(second), wall) == Admission::Blocked;
        assert_eq!([0, 0, 0, 1].map(&mut ask), [false, false, false, true]);
        assert!(ask(100), "120 s");
        assert_eq!([118, 119, 120].map(&mut ask), [true; 3]);
        assert!(ask(121), "four in the last minute: again");
        assert!(ask(240));
        assert!(!ask(242));
    }

    #[test]
    fn a_quota_is_told_from_sixty_percent_on_and_ends() {
        let (mut gate, limits) = (Gate::default(), limits(1000, Some(10)));
        let day = "2026-11-22T12:00:00Z".parse().expect("a time");
        let told: Vec<_> = (0..11).map(|n| gate.admit(&limits, true, at(n), day)).collect();
        assert_eq!(told[4], Admission::Admitted(None));
        assert_eq!((told[5], told[9], told[10]), (Admission::Admitted(Some(60)), Admission::Admitted(Some(100)), Admission::Exhausted));
        assert_eq!(gate.admit(&limits, false, at(12), day), Admission::Admitted(None), "a login costs nothing");
        let next = "2026-11-23T00:00:00Z".parse().expect("a time");
        assert_eq!(gate.admit(&limits, true, at(13), next), Admission::Admitted(None));
    }

    #[test]
    fn the_night_has_a_rate_of_its_own() {
        let profile = crate::policy::profile("denic").expect("embedded");
        let windows = profile.limits.rate_windows.iter().map(|r| r.value.clone()).collect();
        let limits = Limits { rate: profile.limits.rate.as_ref().map(|r| r.value), windows, ..Limits::default() };
        let rate = |text: &str| rate_at(&limits, text.parse().expect("a time")).map(|r| r.commands);
        assert_eq!(["2026-11-22T00:59:59Z", "2026-11-22T01:00:00Z", "2026-11-22T03:00:00Z"].map(rate), [Some(2000), Some(200), Some(2000)]);
        assert_eq!(["2026-07-01T00:00:00Z", "2026-07-01T02:00:00Z"].map(rate), [Some(200), Some(2000)]);
    }
}
