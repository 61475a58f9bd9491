//! Points for errors: a registry counts an account's refused commands, and blocks it for the rest of the day at too many of them.

use crate::base::Timestamp;
use crate::model::{Date, HitPoints};
use jiff::ToSpan as _;
use jiff::civil;
use jiff::tz::TimeZone;

/// How points are counted.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PointsRule {
    /// Points at which the account is blocked until its day, in UTC, is over.
    pub(super) most: u16,
    /// Points for each command that is refused.
    pub(super) refusal: u16,
}

/// An account's points of a day.
#[derive(Debug, Default)]
pub(super) struct Points {
    day: Option<civil::Date>,
    count: u32,
}

impl Points {
    /// Counts a command that was refused at `wall`.
    pub(super) fn count(&mut self, rule: PointsRule, wall: Timestamp) {
        if !self.is_blocked(rule, wall) {
            self.count = self.on(wall) + u32::from(rule.refusal);
            self.day = Some(day(wall));
        }
    }

    /// Whether the account is blocked at `wall`.
    pub(super) fn is_blocked(&self, rule: PointsRule, wall: Timestamp) -> bool {
        self.on(wall) >= u32::from(rule.most)
    }

    /// What the account is told of its points at `wall`.
    pub(super) fn told(&self, rule: PointsRule, wall: Timestamp) -> HitPoints {
        let end = || day(wall).checked_add(1.day()).ok()?.to_zoned(TimeZone::UTC).ok();
        HitPoints {
            points: i32::try_from(self.on(wall)).unwrap_or(i32::MAX),
            most: rule.most.into(),
            blocked_until: if self.is_blocked(rule, wall) { end().map(|end| Date::at(end.timestamp())) } else { None },
        }
    }

    /// Points of the day that `wall` lies in.
    fn on(&self, wall: Timestamp) -> u32 {
        if self.day == Some(day(wall)) { self.count } else { 0 }
    }
}

fn day(wall: Timestamp) -> civil::Date {
    TimeZone::UTC.to_datetime(wall).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_too_many_points_an_account_is_blocked_until_its_day_is_over() {
        let (rule, at) = (PointsRule { most: 5, refusal: 2 }, |text: &str| text.parse().expect("a time"));
        let (noon, last, next) = (at("2026-11-21T12:00:00Z"), at("2026-11-21T23:59:59Z"), at("2026-11-22T00:00:00Z"));
        let mut points = Points::default();
        for (count, blocked) in [(2, false), (4, false), (6, true), (6, true)] {
            points.count(rule, noon);
            assert_eq!((points.told(rule, noon).points, points.is_blocked(rule, last)), (count, blocked));
        }
        let until = points.told(rule, last).blocked_until.expect("blocked");
        assert_eq!(until.at, Some(next));
        assert_eq!((points.told(rule, next).points, points.told(rule, next).blocked_until), (0, None));
        points.count(rule, next);
        assert_eq!(points.told(rule, next).points, 2);
    }
}
