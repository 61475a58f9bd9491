//! Deadlines of a case, by the calendar.

use super::schema::{Length, Limit};
use crate::base::Timestamp;
use crate::compliance::calendar::{Holidays, months_after};
use crate::model::Confidence;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};
use serde::Serialize;

/// By which calendar deadlines are counted, unless they say so themselves.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// The public holidays.
    pub holidays: Holidays,
    /// The country whose working days count (ISO 3166-1 alpha-2); Monday to Friday where that is empty.
    pub country: String,
}

/// How a deadline stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Met {
    /// It has not ended.
    Open,
    /// It was met in time.
    Met,
    /// It was met after its end.
    Late,
    /// It has ended, and was not met.
    Overdue,
}

impl Met {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Met => "met",
            Self::Late => "late",
            Self::Overdue => "overdue",
        }
    }
}

/// A deadline of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Deadline {
    /// Its name.
    pub name: &'static str,
    /// When it began.
    pub from: Timestamp,
    /// Its last day.
    #[schemars(with = "String")]
    pub due: Date,
    /// When it is over: the first moment that is too late.
    pub until: Timestamp,
    /// How it stands.
    pub standing: Met,
    /// Days that are left where it is open, days that are over where it is late or overdue; none where it was met.
    pub days: i64,
    /// Whether it was extended.
    pub extended: bool,
    /// Where it comes from.
    pub source: &'static str,
    /// How sure that is.
    pub confidence: Confidence,
}

/// The end of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The last day.
    pub(super) day: Date,
    /// The first moment that is too late.
    pub(super) until: Timestamp,
}

impl Limits {
    /// The end of what begins at `from` and is `length` long; nothing where the calendar ends before.
    pub(super) fn end(&self, limit: &Limit, length: &Length, from: Timestamp) -> Option<End> {
        let zone = limit.zone();
        if length.hours > 0 {
            let until = from.checked_add(SignedDuration::from_hours(length.hours.into())).ok()?;
            return Some(End { day: until.to_zoned(zone).date(), until });
        }
        let country = limit.country.as_deref().unwrap_or(&self.country);
        let day = from.to_zoned(zone.clone()).date();
        let day = months_after(day, i32::try_from(length.months).ok()?).checked_add(i64::from(length.days).days()).ok()?;
        let day = self.holidays.working_days_after(day, length.working_days, country);
        let day = if length.moved { self.holidays.moved(day, country) } else { day };
        End::of(day, zone)
    }
}

impl End {
    /// The end of a day.
    pub(super) fn of(day: Date, zone: TimeZone) -> Option<Self> {
        let until = day.tomorrow().ok()?.to_zoned(zone).ok()?.timestamp();
        Some(Self { day, until })
    }

    /// How it stands at `at`, where it was `met` then, and how many days that is from its last day.
    pub(super) fn standing(&self, limit: &Limit, met: Option<Timestamp>, at: Timestamp) -> (Met, i64) {
        let days = |at: Timestamp| {
            let day = at.to_zoned(limit.zone()).date();
            self.day.until(day).map_or(0, |span| i64::from(span.get_days()))
        };
        match met {
            Some(met) if met < self.until => (Met::Met, 0),
            Some(met) => (Met::Late, days(met).max(1)),
            None if at < self.until => (Met::Open, -days(at)),
            None => (Met::Overdue, days(at).max(1)),
        }
    }
}
