//! What may still be asked in a run and in a day: a budget, an hour to end at, and the registry's daily quota.

use super::exchange::Now;
use crate::base::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The share of a daily quota that reading leaves for applying where nobody says otherwise, in percent.
pub const DEFAULT_RESERVE: u8 = 25;

/// What a run may ask of an account, besides its rates. Without any of it nothing is rationed.
#[derive(Clone, Debug, Default)]
pub struct Ration {
    /// Commands that may still be sent.
    pub commands: Option<u64>,
    /// When no further one is begun.
    pub until: Option<Timestamp>,
    /// The account's quota of the day.
    pub quota: Option<Quota>,
}

/// Why a ration is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Spent {
    /// As many commands were sent as were allowed.
    Budget,
    /// The hour came.
    Until,
    /// What is left of the day's quota is kept for applying.
    Quota,
}

/// What a registry's answer tells of the day's quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaNews {
    /// This share of it is used, in percent; nothing where it does not say how much.
    Share(Option<u8>),
    /// All of it is used.
    Exhausted,
}

/// The use of a quota on one day, as it is kept between runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaUse {
    /// The day, on the registry's calendar.
    pub day: Date,
    /// Commands we sent on it.
    pub commands: u64,
    /// The share that the registry said is used by all clients of the account, in percent.
    pub told_percent: Option<u8>,
}

impl QuotaUse {
    /// A day on which nothing was asked yet.
    #[must_use]
    pub const fn fresh(day: Date) -> Self {
        Self { day, commands: 0, told_percent: None }
    }
}

/// A daily quota and how much of it is left to us.
#[derive(Clone, Debug)]
pub struct Quota {
    /// Our part of the day's points, where their number is known.
    points: Option<u64>,
    /// The share that stays unused here, in percent.
    reserve: u8,
    zone: TimeZone,
    used: QuotaUse,
}

impl Quota {
    /// A quota of `points` a day, of which `reserve` percent are not for us. `used` is what earlier runs left, of whatever day.
    #[must_use]
    pub fn new(points: Option<u64>, reserve: u8, zone: TimeZone, used: Option<QuotaUse>, now: Timestamp) -> Self {
        let day = zone.to_datetime(now).date();
        let used = used.filter(|u| u.day == day).unwrap_or(QuotaUse::fresh(day));
        Self { points, reserve: reserve.min(100), zone, used }
    }

    /// What of it is used today.
    #[must_use]
    pub const fn used(&self) -> QuotaUse {
        self.used
    }

    /// Commands that may still be sent today.
    fn room(&mut self, wall: Timestamp) -> u64 {
        let day = self.zone.to_datetime(wall).date();
        if day != self.used.day {
            self.used = QuotaUse::fresh(day);
        }
        let ours = 100 - self.reserve;
        if self.used.told_percent.is_some_and(|told| told >= ours) {
            return 0;
        }
        let most = self.points.map_or(u64::MAX, |points| points.saturating_mul(u64::from(ours)) / 100);
        most.saturating_sub(self.used.commands)
    }
}

impl Ration {
    /// Commands that may be sent now.
    pub(super) fn room(&mut self, now: Now) -> u64 {
        if self.until.is_some_and(|until| until <= now.wall) {
            return 0;
        }
        let quota = self.quota.as_mut().map_or(u64::MAX, |quota| quota.room(now.wall));
        quota.min(self.commands.unwrap_or(u64::MAX))
    }

    /// Why there is no room, where there is none.
    pub(super) fn spent(&mut self, now: Now) -> Option<Spent> {
        if self.until.is_some_and(|until| until <= now.wall) {
            Some(Spent::Until)
        } else if self.commands == Some(0) {
            Some(Spent::Budget)
        } else if self.quota.as_mut().is_some_and(|quota| quota.room(now.wall) == 0) {
            Some(Spent::Quota)
        } else {
            None
        }
    }

    /// Takes note of a command.
    pub(super) fn sent(&mut self) {
        self.commands = self.commands.map(|n| n.saturating_sub(1));
        if let Some(quota) = &mut self.quota {
            quota.used.commands = quota.used.commands.saturating_add(1);
        }
    }

    /// Takes note of what the registry told. A share can only grow within a day.
    pub(super) fn told(&mut self, news: QuotaNews) {
        let percent = match news {
            QuotaNews::Share(percent) => percent,
            QuotaNews::Exhausted => Some(100),
        };
        if let Some(quota) = &mut self.quota {
            quota.used.told_percent = quota.used.told_percent.max(percent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Moment;
    use std::time::Duration;

    fn at(text: &str) -> Now {
        Now { at: Moment::from_origin(Duration::ZERO), wall: text.parse().expect("a time") }
    }

    fn berlin(points: Option<u64>, used: Option<QuotaUse>, now: Now) -> Ration {
        let zone = TimeZone::get("Europe/Berlin").expect("bundled");
        Ration { quota: Some(Quota::new(points, 25, zone, used, now.wall)), ..Ration::default() }
    }

    #[test]
    fn a_part_of_the_quota_is_kept_and_the_next_day_begins_anew_on_the_registrys_calendar() {
        let now = at("2026-11-22T22:00:00Z");
        let mut ration = berlin(Some(8), None, now);
        for left in (1..=6).rev() {
            assert_eq!((ration.room(now), ration.spent(now)), (left, None));
            ration.sent();
        }
        assert_eq!(ration.spent(now), Some(Spent::Quota), "a quarter of 8 is kept");
        assert_eq!(ration.spent(at("2026-11-22T22:59:59Z")), Some(Spent::Quota));
        assert_eq!(ration.room(at("2026-11-22T23:00:00Z")), 6, "midnight in Berlin");
    }

    #[test]
    fn what_an_earlier_run_of_the_day_used_counts_and_another_days_does_not() {
        let now = at("2026-11-22T10:00:00Z");
        let used = QuotaUse { day: "2026-11-22".parse().expect("a day"), commands: 5, told_percent: None };
        assert_eq!(berlin(Some(8), Some(used), now).room(now), 1);
        let yesterday = QuotaUse { day: "2026-11-21".parse().expect("a day"), ..used };
        assert_eq!(berlin(Some(8), Some(yesterday), now).room(now), 6);
    }

    #[test]
    fn what_the_registry_tells_of_all_clients_wins() {
        let now = at("2026-11-22T10:00:00Z");
        let mut ration = berlin(None, None, now);
        for (news, spent) in [
            (QuotaNews::Share(None), None),
            (QuotaNews::Share(Some(74)), None),
            (QuotaNews::Share(Some(75)), Some(Spent::Quota)),
            (QuotaNews::Share(Some(60)), Some(Spent::Quota)),
        ] {
            ration.told(news);
            assert_eq!(ration.spent(now), spent, "{news:?}");
        }
        let mut ration = berlin(Some(1_000_000), None, now);
        ration.told(QuotaNews::Exhausted);
        assert_eq!((ration.room(now), ration.quota.map(|q| q.used().told_percent)), (0, Some(Some(100))));
    }

    #[test]
    fn a_budget_and_an_hour_end_a_run() {
        let mut ration = Ration { commands: Some(1), until: Some(at("2026-11-22T05:00:00Z").wall), quota: None };
        let now = at("2026-11-22T04:59:59Z");
        assert_eq!((ration.room(now), ration.spent(now)), (1, None));
        assert_eq!(ration.spent(at("2026-11-22T05:00:00Z")), Some(Spent::Until));
        ration.sent();
        assert_eq!((ration.room(now), ration.spent(now)), (0, Some(Spent::Budget)));
        assert_eq!(Ration::default().spent(now), None);
    }
}
