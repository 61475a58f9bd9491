//! What declared words say, as far as a program may tell.

use super::pack::RecordPack;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Beginnings by which a declaration says that there is none, in small letters.
const NONE: [&str; 7] = ["none", "no", "not", "n/a", "nobody", "nothing", "-"];

/// Whether a declaration says that there is none: `none`, `none: established in the Union`, `not needed`.
pub(super) fn is_none(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let word = text.split([' ', ':', ',', ';', '.', '(']).next().unwrap_or_default();
    text.is_empty() || NONE.contains(&word)
}

/// Whether the country that is declared is outside of the European Economic Area; nothing where none is.
pub(super) fn of_third(pack: &RecordPack, declared: &BTreeMap<String, String>) -> Option<bool> {
    declared.get("established").map(|country| pack.adequacy.is_third(country))
}

/// The ids that a declaration names: words between commas, semicolons and spaces.
pub(super) fn ids(text: &str) -> BTreeSet<&str> {
    text.split([',', ';', ' ']).map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// The days that a declaration names, as `2026-01-31`.
pub(super) fn days(text: &str) -> Vec<Date> {
    let is_part = |c: char| !(c.is_ascii_digit() || c == '-');
    text.split(is_part).filter(|word| word.len() == 10).filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_none_is_told_from_what_says_something() {
        for none in ["none", "None: established in the Union", "no", "not needed: decision of 2026-01-01", " ", "n/a", "-"] {
            assert!(is_none(none), "{none}");
        }
        for some in ["Norden GmbH, Kiel", "yes", "notary Example", "https://x.example", "the officer"] {
            assert!(!is_none(some), "{some}");
        }
    }

    #[test]
    fn days_and_ids_are_found_in_words() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(days("2026-01-01, next 2027-01-01"), [day("2026-01-01"), day("2027-01-01")]);
        assert!(days("2026-13-01 or 12026-01-01 or soon").is_empty());
        assert_eq!(ids("REG-1, REG-2;REG-3"), BTreeSet::from(["REG-1", "REG-2", "REG-3"]));
    }
}
