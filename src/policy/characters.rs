//! Sets of characters, as ranges of code points.

use std::fmt;

/// The code points from one to another, both included; written `0020-007E`, or `00AA` for a single one.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodePoints {
    /// The first.
    pub first: char,
    /// The last, not before `first`.
    pub last: char,
}

impl TryFrom<String> for CodePoints {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (from, to) = text.split_once('-').unwrap_or((&text, &text));
        let (first, last) = (code_point(from, &text)?, code_point(to, &text)?);
        if first > last {
            return Err(format!("the range {text} is reversed"));
        }
        if first <= '\u{d7ff}' && last >= '\u{e000}' {
            return Err(format!("the range {text} holds the surrogates D800-DFFF, which are no characters"));
        }
        Ok(Self { first, last })
    }
}

impl From<CodePoints> for String {
    fn from(range: CodePoints) -> Self {
        let CodePoints { first, last } = range;
        if first == last { format!("{:04X}", u32::from(first)) } else { format!("{:04X}-{:04X}", u32::from(first), u32::from(last)) }
    }
}

impl fmt::Debug for CodePoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(*self))
    }
}

/// Four to six capital hexadecimal digits; `whole` is what is told when they are not.
fn code_point(digits: &str, whole: &str) -> Result<char, String> {
    let well_formed = (4..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
    u32::from_str_radix(digits, 16)
        .ok()
        .filter(|_| well_formed)
        .and_then(char::from_u32)
        .ok_or_else(|| format!("`{whole}` names no characters: write 0020-007E or 00AA, four to six capital digits, no surrogates"))
}

/// A set of characters: ranges in ascending order, none overlapping another.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<CodePoints>", into = "Vec<CodePoints>")]
pub struct Characters(Vec<CodePoints>);

impl TryFrom<Vec<CodePoints>> for Characters {
    type Error = String;

    fn try_from(mut ranges: Vec<CodePoints>) -> Result<Self, String> {
        if ranges.is_empty() {
            return Err("a set without characters".to_owned());
        }
        ranges.sort_by_key(|range| range.first);
        match ranges.iter().zip(ranges.iter().skip(1)).find(|(one, next)| one.last >= next.first) {
            Some((one, next)) => Err(format!("the ranges {one:?} and {next:?} overlap")),
            None => Ok(Self(ranges)),
        }
    }
}

impl From<Characters> for Vec<CodePoints> {
    fn from(set: Characters) -> Self {
        set.0
    }
}

impl schemars::JsonSchema for Characters {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Characters".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Ranges of code points, none overlapping another.",
            "type": "array",
            "minItems": 1,
            "items": { "type": "string", "pattern": "^[0-9A-F]{4,6}(-[0-9A-F]{4,6})?$" }
        })
    }
}

impl Characters {
    /// Whether `character` is in the set.
    #[must_use]
    pub fn contains(&self, character: char) -> bool {
        let behind = self.0.partition_point(|range| range.first <= character);
        behind.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|range| character <= range.last)
    }

    /// The place of the first of `texts` that keeps them from being a set: what is no range, or holds something that one before it does.
    #[must_use]
    pub(super) fn first_fault<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<usize> {
        let mut before: Vec<CodePoints> = Vec::new();
        texts.into_iter().position(|text| match CodePoints::try_from(text.to_owned()) {
            Ok(range) => {
                let overlaps = before.iter().any(|known| known.first <= range.last && range.first <= known.last);
                before.push(range);
                overlaps
            }
            Err(_) => true,
        })
    }

    /// The ranges, ascending.
    #[must_use]
    pub fn ranges(&self) -> &[CodePoints] {
        &self.0
    }

    /// The first character of `self` that `other` does not have.
    #[must_use]
    pub fn first_beyond(&self, other: &Self) -> Option<char> {
        self.0.iter().find_map(|range| {
            let mut next = range.first;
            // Each range of the other that covers `next` moves it on; what then is left was not covered.
            for known in other.0.iter().filter(|known| known.last >= range.first) {
                if known.first > next {
                    return Some(next);
                }
                if known.last >= range.last {
                    return None;
                }
                next = after(known.last)?;
            }
            Some(next)
        })
    }
}

/// The next character, over the surrogates.
fn after(character: char) -> Option<char> {
    (character..=char::MAX).nth(1)
}
