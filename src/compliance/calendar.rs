//! Time limits by the calendar: months that end on the day of the same number, and working days of a country.
//!
//! A month's limit ends on the day of its beginning in the later month, or on that month's last day where it has no such day; a limit
//! whose last day is a Saturday, a Sunday or a public holiday ends with the next working day (Regulation (EEC) No 1182/71, Art. 3(2)(c)
//! and (4)). Holidays are dated data, by country.

use super::pack::{read, refused};
use crate::base::Result;
use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan as _};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The embedded holidays.
const EMBEDDED: &str = include_str!("packs/holidays.toml");
/// Days that a search for a working day takes at most: no country has so many holidays on end.
const MOST: usize = 60;

/// The public holidays of countries.
#[derive(Clone, Debug, Default)]
pub struct Holidays {
    countries: BTreeMap<Box<str>, Country>,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(rename = "dated")]
    _dated: Date,
    countries: BTreeMap<Box<str>, Country>,
}

/// The holidays of one country.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Country {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "confidence")]
    _confidence: String,
    fixed: BTreeSet<MonthDay>,
    /// Days from Easter Sunday.
    easter: BTreeSet<i32>,
    dates: BTreeSet<Date>,
    /// Whether fixed holidays on a weekend are kept on the next working day.
    monday: bool,
}

/// A day of every year, as `12-25`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct MonthDay(i8, i8);

impl TryFrom<String> for MonthDay {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (month, day) = text.split_once('-').ok_or("a day of every year is MM-DD")?;
        let (month, day) = (month.parse().ok(), day.parse().ok());
        // 2024 had a 29th of February.
        let there = |(month, day): (i8, i8)| Date::new(2024, month, day).ok().map(|_| Self(month, day));
        month.zip(day).and_then(there).ok_or("there is no such day, it is MM-DD")
    }
}

impl Holidays {
    /// The embedded ones.
    ///
    /// # Errors
    /// As [`Self::parse`]: a test holds them to having none.
    pub fn embedded() -> Result<Self> {
        Self::parse(EMBEDDED, Path::new("holidays.toml (built in)"))
    }

    /// The holidays that `text` of `file` gives.
    ///
    /// # Errors
    /// `E-pack-001` where the file is no such pack, `E-pack-002` where a country is none or the version is another one.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let File { version, _dated, countries } = read(text, file)?;
        if version != 1 {
            return Err(refused("E-pack-002", format!("the pack has version {version}, known is 1"), "see the built-in pack", file));
        }
        if let Some(odd) = countries.keys().find(|code| iso3166::Country::from_alpha2(code).is_none()) {
            let what = format!("`{}` is no country of ISO 3166-1", odd.chars().take(12).collect::<String>());
            return Err(refused("E-pack-002", what, "write its two capital letters", file).field(format!("countries.{odd}")));
        }
        Ok(Self { countries })
    }

    /// Whether `country` (ISO 3166-1 alpha-2) has holidays here; without, its working days are Monday to Friday.
    #[must_use]
    pub fn knows(&self, country: &str) -> bool {
        self.countries.contains_key(country)
    }

    /// Whether people work in `country` on `day`.
    #[must_use]
    pub fn is_working_day(&self, day: Date, country: &str) -> bool {
        !is_weekend(day) && self.countries.get(country).is_none_or(|own| !own.is_holiday(day))
    }

    /// `day`, or the first working day of `country` after it.
    #[must_use]
    pub fn moved(&self, day: Date, country: &str) -> Date {
        days_from(day).find(|day| self.is_working_day(*day, country)).unwrap_or(day)
    }

    /// The working day that is `count` working days of `country` after `day`, which itself does not count.
    #[must_use]
    pub fn working_days_after(&self, day: Date, count: u32, country: &str) -> Date {
        let mut at = day;
        for _ in 0..count {
            at = at.tomorrow().map_or(at, |next| self.moved(next, country));
        }
        at
    }

    /// How many working days of `country` there are after `from` up to and with `to`; none where `to` is not later.
    #[must_use]
    pub fn working_days_between(&self, from: Date, to: Date, country: &str) -> u32 {
        let days = from.series(1.day()).skip(1).take_while(|day| *day <= to);
        u32::try_from(days.filter(|day| self.is_working_day(*day, country)).count()).unwrap_or(u32::MAX)
    }

    /// The last day of a limit of `months` that began with `from`: by the calendar, moved to a working day of `country`.
    #[must_use]
    pub fn due_after_months(&self, from: Date, months: i32, country: &str) -> Date {
        self.moved(months_after(from, months), country)
    }
}

impl Country {
    fn is_holiday(&self, day: Date) -> bool {
        let fixed = |day: Date| self.fixed.contains(&MonthDay(day.month(), day.day()));
        fixed(day) || self.dates.contains(&day) || self.by_easter(day) || (self.monday && self.is_kept_later(day))
    }

    fn by_easter(&self, day: Date) -> bool {
        let easter = easter(day.year());
        easter.is_some_and(|easter| easter.until(day).is_ok_and(|span| self.easter.contains(&span.get_days())))
    }

    /// Whether a fixed holiday of the weekend before is kept on `day`: each on the first working day that no other one is kept on.
    fn is_kept_later(&self, day: Date) -> bool {
        let Ok(start) = day.checked_sub(7.days()) else { return false };
        let is_fixed = |day: Date| self.fixed.contains(&MonthDay(day.month(), day.day()));
        let mut waiting = 0_u32;
        for at in start.series(1.day()).take_while(|at| *at <= day) {
            let free = !is_weekend(at) && !is_fixed(at) && !self.dates.contains(&at) && !self.by_easter(at);
            if is_weekend(at) && is_fixed(at) {
                waiting += 1;
            } else if free && waiting > 0 {
                waiting -= 1;
                if at == day {
                    return true;
                }
            }
        }
        false
    }
}

/// The day `months` after `day` (before it, where they are negative) in the calendar; the month's last day, where it has no such day.
#[must_use]
pub fn months_after(day: Date, months: i32) -> Date {
    day.saturating_add(Span::new().try_months(months).unwrap_or_default())
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn days_from(day: Date) -> impl Iterator<Item = Date> {
    day.series(1.day()).take(MOST)
}

/// Easter Sunday in the Gregorian calendar, by the reckoning that Butcher's Ecclesiastical Calendar printed in 1876.
fn easter(year: i16) -> Option<Date> {
    let year_of = i32::from(year);
    let (cycle, century, rest) = (year_of % 19, year_of / 100, year_of % 100);
    let moon = (19 * cycle + century - century / 4 - (8 * century + 13) / 25 + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - moon - rest % 4) % 7;
    let sum = moon + weekday - 7 * ((cycle + 11 * moon + 19 * weekday) / 433);
    let (month, day) = ((sum + 90) / 25, (sum + 33 * ((sum + 90) / 25) + 19) % 32);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn easter_falls_where_the_tables_have_it() {
        let known = ["1961-04-02", "2000-04-23", "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2038-04-25", "2285-03-22"];
        for sunday in known.map(day) {
            assert_eq!(easter(sunday.year()), Some(sunday));
        }
    }

    #[test]
    fn a_request_is_due_a_calendar_month_later_on_a_working_day() {
        let holidays = Holidays::embedded().unwrap();
        let due = |from: &str, months: i32, country: &str| holidays.due_after_months(day(from), months, country).to_string();
        assert_eq!(due("2026-01-31", 1, "DE"), "2026-03-02");
        assert_eq!(due("2026-01-31", 3, "DE"), "2026-04-30");
        assert_eq!(due("2026-03-05", 1, "DE"), "2026-04-07", "Easter Monday is a holiday there");
        assert_eq!(due("2026-03-05", 1, "US"), "2026-04-06", "no holidays are known");
        assert_eq!(due("2026-08-31", 1, "DE"), "2026-09-30");
    }

    #[test]
    fn holidays_of_a_weekend_are_kept_later_where_the_law_says_so() {
        let holidays = Holidays::embedded().unwrap();
        let is_free = |at: &str| !holidays.is_working_day(day(at), "NZ");
        for at in ["2026-12-25", "2026-12-26", "2026-12-28", "2027-01-01", "2027-01-02", "2027-01-04"] {
            assert!(is_free(at), "{at}");
        }
        // Both days of Christmas fall on a weekend, and both are kept: on the Monday and the Tuesday.
        assert!(is_free("2027-12-27") && is_free("2027-12-28") && !is_free("2027-12-29"));
        assert!(!is_free("2026-12-29") && !is_free("2027-01-05"));
        assert!(holidays.is_working_day(day("2027-12-27"), "DE"), "nothing is kept later there");
    }

    #[test]
    fn working_days_of_a_withholding_case() {
        let holidays = Holidays::embedded().unwrap();
        let after = |from: &str, count: u32| holidays.working_days_after(day(from), count, "NZ").to_string();
        assert_eq!(after("2026-12-21", 7), "2027-01-05");
        assert_eq!(after("2027-01-05", 10), "2027-01-19");
        assert_eq!(holidays.working_days_between(day("2027-01-19"), day("2027-01-21"), "NZ"), 2);
    }

    #[test]
    fn a_pack_is_refused_with_its_line() {
        let told = |text: &str| Holidays::parse(text, Path::new("own.toml")).unwrap_err().to_string();
        insta::assert_snapshot!(
            [
                "version = 1\ndated = \"2026-01-01\"\n[countries.DE]\nfixed = [\"02-30\"]\n",
                "version = 1\ndated = \"2026-01-01\"\n[countries.DE]\nfixd = [\"02-03\"]\n",
                "version = 1\ndated = \"2026-01-01\"\n[countries.XX]\nfixed = []\n",
                "version = 2\ndated = \"2026-01-01\"\n[countries]\n",
                "version = 1\n",
                "version = ",
            ]
            .map(told)
            .join("\n")
        );
    }

    proptest! {
        #[test]
        fn a_limit_ends_on_a_working_day_not_before_its_calendar_day(days in 0..60_000_i32, months in 0..200_i32, pick in 0..9_usize) {
            let holidays = Holidays::embedded().unwrap();
            let country = ["DE", "AT", "BE", "FR", "IT", "NL", "IE", "NZ", "XK"][pick];
            let from = day("1970-01-01").saturating_add(days.days());
            let (plain, due) = (months_after(from, months), holidays.due_after_months(from, months, country));
            prop_assert!(due >= plain && holidays.is_working_day(due, country));
            prop_assert!(holidays.working_days_between(plain, due, country) <= 1);
            prop_assert!(plain.day() == from.day() || (plain.day() == plain.days_in_month() && plain.day() < from.day()));
        }

        #[test]
        fn counting_working_days_and_stepping_over_them_agree(days in 0..40_000_i32, count in 0..80_u32) {
            let holidays = Holidays::embedded().unwrap();
            let from = day("1990-01-01").saturating_add(days.days());
            let to = holidays.working_days_after(from, count, "NZ");
            prop_assert_eq!(holidays.working_days_between(from, to, "NZ"), count);
        }
    }
}
