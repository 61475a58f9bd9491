//! What a pull may ask: a budget for each registry and day, an hour to end at, and what the day's quota leaves.

use super::config::RegistryConfig;
use crate::base::Timestamp;
use crate::policy::Limits;
use crate::pull::Ledger;
use crate::session::{Quota, Ration};
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// The bounds of a pull. Without any, everything is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Within {
    /// Questions to each registry in one day of its own; what earlier runs of that day asked counts.
    pub budget: Option<u64>,
    /// The time of the day, on each registry's own clock, at which no further question is begun.
    pub until: Option<Time>,
}

impl Within {
    /// Whether there is a bound: the newest snapshot is then refreshed as far as it goes.
    #[must_use]
    pub const fn is_bounded(&self) -> bool {
        self.budget.is_some() || self.until.is_some()
    }

    /// What may be asked of `registry`, where `domains` are held, after what `ledger` has of today.
    pub(super) fn ration(&self, registry: &RegistryConfig, ledger: &Ledger, domains: u64, now: Timestamp) -> Ration {
        let points = points(&registry.profile.limits, domains, registry.share);
        let used = ledger.used();
        Ration {
            commands: self.budget.map(|budget| budget.saturating_sub(used.commands)),
            until: self.until.and_then(|time| next(time, ledger.zone(), now)),
            quota: Some(Quota::new(points, percent(registry.quota_reserve), ledger.zone().clone(), Some(used), now)),
        }
    }
}

/// Our share of a day's quota at an account with so many domains, where its points are known.
pub(super) fn points(limits: &Limits, domains: u64, share: f64) -> Option<u64> {
    limits.daily_quota.value.points(domains).map(|points| part(points, share))
}

/// The zone that a registry's days begin in; UTC where its profile names none.
pub(super) fn zone(registry: &RegistryConfig) -> TimeZone {
    zone_of(&registry.profile.limits)
}

/// The same by an account's limits.
pub(super) fn zone_of(limits: &Limits) -> TimeZone {
    limits.zone.as_ref().map_or(TimeZone::UTC, |rule| rule.value.rules().clone())
}

/// The next time after `now` at which clocks in `zone` show `time`.
fn next(time: Time, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let today = zone.to_datetime(now).date();
    let tomorrow = today.tomorrow().ok();
    let at = |date: jiff::civil::Date| zone.to_timestamp(date.to_datetime(time)).ok();
    [Some(today), tomorrow].into_iter().flatten().filter_map(at).find(|at| *at > now)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share lies between 0 and 1")]
pub(super) fn percent(share: f64) -> u8 {
    (share * 100.0).round() as u8
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share lies between 0 and 1")]
fn part(whole: u64, share: f64) -> u64 {
    (whole as f64 * share) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_is_the_registrys_next_one() {
        let berlin = TimeZone::get("Europe/Berlin").expect("bundled");
        let of = |time: Time, now: &str| next(time, &berlin, now.parse().expect("a time")).expect("soon").to_string();
        let five = jiff::civil::time(5, 0, 0, 0);
        assert_eq!(of(five, "2026-11-22T01:00:00Z"), "2026-11-22T04:00:00Z");
        assert_eq!(of(five, "2026-11-22T04:00:00Z"), "2026-11-23T04:00:00Z", "now is over");
        assert_eq!(of(five, "2026-07-01T22:30:00Z"), "2026-07-02T03:00:00Z", "in summer");
        let half_past_two = jiff::civil::time(2, 30, 0, 0);
        assert_eq!(of(half_past_two, "2026-03-28T23:30:00Z"), "2026-03-29T01:30:00Z", "an hour that is not there");
    }
}
