//! Single characters: whether a set has them, what they are called, and what could stand in their place.

use crate::policy::{Characters, CodePoints};
use unicode_normalization::UnicodeNormalization as _;

/// A set of characters made ready to be asked often: ASCII by one bit each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Set<'p> {
    ascii: u128,
    ranges: &'p [CodePoints],
    characters: &'p Characters,
}

impl<'p> Set<'p> {
    pub(super) fn of(characters: &'p Characters) -> Self {
        let ascii = (0..128_u8).filter(|b| characters.contains(char::from(*b))).fold(0, |bits, b| bits | 1 << b);
        Self { ascii, ranges: characters.ranges(), characters }
    }

    /// Whether it has `c`.
    pub(super) fn contains(&self, c: char) -> bool {
        if c.is_ascii() { self.ascii >> u32::from(c) & 1 == 1 } else { !self.ranges.is_empty() && self.characters.contains(c) }
    }

    /// Whether it has every character of `text`.
    pub(super) fn contains_all(&self, text: &str) -> bool {
        if text.is_ascii() { text.bytes().all(|b| self.ascii >> b & 1 == 1) } else { text.chars().all(|c| self.contains(c)) }
    }

    /// The longest runs of characters of `text` that it does not have, each with the position of its first character, from 1.
    pub(super) fn refused<'t>(&self, text: &'t str) -> Vec<(u32, &'t str)> {
        let mut out: Vec<(u32, &'t str)> = Vec::new();
        let mut begin: Option<(u32, usize)> = None;
        let mut position = 0;
        for (at, c) in text.char_indices() {
            position += 1;
            match (begin, self.contains(c)) {
                (None, false) => begin = Some((position, at)),
                (Some((first, from)), true) => {
                    out.extend(text.get(from..at).map(|run| (first, run)));
                    begin = None;
                }
                _ => {}
            }
        }
        out.extend(begin.and_then(|(first, from)| Some((first, text.get(from..)?))));
        out
    }

    /// What could stand in the place of `run`, all of which the set has: its compatible form, a blank for what is blank, nothing for what
    /// cannot be seen, else letters of ASCII that read alike.
    pub(super) fn instead_of(&self, run: &str) -> Option<String> {
        let compatible: String = run.nfkc().collect();
        let folded: String = compatible.chars().filter(|c| !is_invisible(*c)).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        let taken = |text: &String| self.contains_all(text);
        Some(folded).filter(taken).or_else(|| {
            let ascii = any_ascii::any_ascii(&compatible);
            let capitals = run.chars().all(|c| !c.is_lowercase()) && run.chars().any(char::is_uppercase);
            let ascii = if capitals { ascii.to_uppercase() } else { ascii };
            // A character that ASCII has and the set refuses reads like nothing but itself, and a pictograph is no word (`:name:`).
            Some(ascii).filter(|text| !text.is_empty() && text != run && !text.contains(':') && self.contains_all(text))
        })
    }
}

/// Whether `c` shows nothing: controls, and the format characters that slip into text.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// A character as `U+1E9E`.
pub(super) fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// The name of a character in Unicode 17.0; controls have none, and are called as UAX #44 does.
pub(super) fn name(c: char) -> String {
    match unicode_names2::name(c) {
        Some(name) => name.to_string(),
        None if c.is_control() => format!("<control-{:04X}>", u32::from(c)),
        None => "<no name>".to_owned(),
    }
}
