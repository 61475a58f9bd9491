//! Dates as registries write them.

use crate::base::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// A date or a time as a registry wrote it, with the instant it means where that is certain enough to compute with.
///
/// Registries write some fifteen shapes where RFC 5731 allows one: fractions of 0 to 7 digits, `Z`, an offset or no zone at all,
/// a blank for the `T`, a date alone. A value without a zone is read as UTC, as RFC 5730 §2.4.3 wants times to be.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Date {
    /// The text on the line.
    pub raw: Box<str>,
    /// What it means, or nothing where the shape is unheard of.
    pub at: Option<Timestamp>,
}

impl Date {
    /// Reads `raw`. It cannot fail: an unheard-of shape keeps its text.
    #[must_use]
    pub fn read(raw: &str) -> Self {
        Self { at: parse(raw.trim()), raw: raw.into() }
    }

    /// The date in the one shape of RFC 5731.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self { raw: at.to_string().into(), at: Some(at) }
    }
}

/// What `text` means.
fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let utc = |at: civil::DateTime| at.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp());
    if let Ok(date) = text.strip_suffix('Z').unwrap_or(text).parse::<civil::Date>()
        && text.len() <= 11
    {
        return utc(date.at(0, 0, 0, 0));
    }
    utc(text.parse::<civil::DateTime>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn the_shapes_registries_write() {
        let noon = "2024-02-29T12:00:00Z";
        for (raw, want) in [
            ("2024-02-29T12:00:00Z", noon),
            ("2024-02-29T12:00:00.0Z", noon),
            ("2024-02-29T12:00:00.000Z", noon),
            ("2024-02-29T12:00:00.0000000Z", noon),
            ("2024-02-29T13:00:00+01:00", noon),
            ("2024-02-29T13:00:00.00+01:00", noon),
            ("2024-02-29T12:00:00", noon),
            ("2024-02-29 12:00:00", noon),
            ("2024-02-29 12:00:00.123456", "2024-02-29T12:00:00.123456Z"),
            (" 2024-02-29T12:00:00Z ", noon),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(Date::read(raw).at.map(|t| t.to_string()).as_deref(), Some(want), "{raw}");
        }
        for raw in ["", "2023-02-29", "31/12/26", "soon"] {
            let date = Date::read(raw);
            assert_eq!((&*date.raw, date.at), (raw, None));
        }
    }
}
