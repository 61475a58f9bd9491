//! Values of deposits and of ours in one form, as digests: two values of one form have one digest, and 0 is none.

use crate::model::Date;
use jiff::tz::TimeZone;
use unicode_normalization::UnicodeNormalization as _;
use xxhash_rust::xxh3::xxh3_64;

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Words: neither case nor what parts them counts.
    Words,
    /// Telephone numbers: digits count, without an extension.
    Digits,
    /// A list in any order: handles, name servers without their addresses.
    List,
    /// A day.
    Day,
}

/// What stands in the place of a value that is withheld, in lower case: the words that ICANN's Temporary Specification for gTLD Registration
/// Data has (seen, appendix A), and such as registrars use (inferred). A value that begins with one of them is masked.
const MASKS: [&str; 12] = [
    "redacted for privacy",
    "redacted",
    "data redacted",
    "data protected",
    "gdpr masked",
    "gdpr redacted",
    "not disclosed",
    "statutory masking enabled",
    "withheld for privacy",
    "non-public data",
    "please query the rdds service",
    "select contact domain holder link",
];

/// The digest of a value that may be written in several parts.
pub(super) fn digest<'v>(form: Form, parts: impl IntoIterator<Item = &'v str>) -> u64 {
    let text = parts.into_iter().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join(" ");
    let plain = match form {
        Form::Words => words(&text),
        Form::Digits => text.split(['x', 'X', 'e', 'E']).next().unwrap_or_default().chars().filter(char::is_ascii_digit).collect(),
        Form::List => {
            let item = |item: &str| item.split('=').next().unwrap_or_default().trim_end_matches('.').to_lowercase();
            let mut items: Vec<String> = text.split([';', ',', '|', ' ']).map(item).filter(|item| !item.is_empty()).collect();
            items.sort();
            items.dedup();
            items.join(";")
        }
        Form::Day => {
            let day = Date::read(&text).at.map(|at| at.to_zoned(TimeZone::UTC).date().to_string());
            // What is no date is no other value either.
            day.unwrap_or_else(|| text.trim().to_owned())
        }
    };
    if plain.is_empty() { 0 } else { xxh3_64(plain.as_bytes()).max(1) }
}

fn words(text: &str) -> String {
    let folded: String = text.nfc().flat_map(char::to_lowercase).collect();
    folded.split(|c: char| c.is_whitespace() || c == ',' || c == ';').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether a value stands in the place of one that is withheld.
pub(super) fn is_masked(value: &str) -> bool {
    let plain = words(value);
    let is_sign = |c: char| matches!(c, '*' | '•' | '█' | '#');
    MASKS.iter().any(|mask| plain.starts_with(mask)) || (plain.chars().count() > 1 && plain.chars().all(is_sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_has_one_digest_however_it_is_written() {
        let same = |form, one: &str, other: &str| digest(form, [one]) == digest(form, [other]);
        assert!(same(Form::Words, "Main Street 1,  Floor 2", "main street 1 floor 2"));
        assert!(same(Form::Words, "Mu\u{308}ller", "müller") && !same(Form::Words, "Mueller", "Müller"));
        assert_eq!(digest(Form::Words, ["Main Street 1", "", "Floor 2"]), digest(Form::Words, ["Main Street 1; Floor 2"]));
        assert!(same(Form::Digits, "+49.30123456", "+49 30 123456") && !same(Form::Digits, "+49.30123456", "+49.30123457"));
        assert!(same(Form::Digits, "+49.30123456", "+49.30123456x12"));
        assert!(same(Form::List, "ns2.a.example=192.0.2.1;NS1.a.example.", "ns1.a.example ns2.a.example"));
        assert!(same(Form::Day, "2029-08-29", "2029-08-29 00:00:00") && !same(Form::Day, "2029-08-29", "2029-08-30"));
        assert_eq!([digest(Form::Words, [" "]), digest(Form::List, [";"]), digest(Form::Digits, [])], [0, 0, 0]);
    }

    #[test]
    fn masks_are_known_from_values() {
        let masked =
            ["REDACTED FOR PRIVACY", "Redacted for Privacy (DT)", "********", "••••", "Statutory  Masking Enabled", "Not Disclosed"];
        assert!(masked.iter().all(|value| is_masked(value)));
        assert!(["", "*", "Erika Mustermann", "+49.30123456", "The Data Company"].iter().all(|value| !is_masked(value)));
    }
}
