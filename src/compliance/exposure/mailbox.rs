//! Whether an e-mail address says who its person is (EUR-6): a heuristic, for a list of those who might be offered a functional address.

use super::words::{Words, plain};
use std::collections::BTreeSet;

/// The fewest letters of a word of a name that is looked for as a whole word of the mailbox.
const WORD: usize = 3;

/// Whether the mailbox of `email` holds a word of the person's `name`. A function's mailbox (`info`, `office`) is nobody's.
#[must_use]
pub fn names_its_person(email: &str, name: &str) -> bool {
    let Some((mailbox, _)) = email.rsplit_once('@') else { return false };
    // What stands behind a plus sign sorts mail and names nobody.
    let mailbox = mailbox.split('+').next().unwrap_or_default();
    let words = Words::get();
    let parts: Vec<String> = spelled(mailbox).into_iter().flat_map(|way| split(&way)).collect();
    let names: Vec<String> = spelled(name).into_iter().flat_map(|way| split(&way)).collect();
    if parts.iter().any(|part| words.is_function(part)) {
        return false;
    }
    let known = names.iter().filter(|name| name.len() >= WORD && !words.is_function(name));
    // The name itself, with others of the same person and their initials before and behind it.
    let is_said = |part: &str, name: &str| {
        part.match_indices(name).any(|(at, found)| {
            let (before, rest) = part.split_at_checked(at).unwrap_or_default();
            let behind = rest.get(found.len()..).unwrap_or_default();
            is_made_of(before, &names) && is_made_of(behind, &names)
        })
    };
    known.into_iter().any(|name| parts.iter().any(|part| is_said(part, name)))
}

/// Whether a text is nothing but words of a name and their initials, one behind the other.
fn is_made_of(text: &str, names: &[String]) -> bool {
    let mut reached = BTreeSet::from([0]);
    while let Some(at) = reached.pop_first() {
        let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) else { return true };
        let pieces = names.iter().flat_map(|name| [name.as_str(), name.get(..1).unwrap_or_default()]);
        reached.extend(pieces.filter(|piece| !piece.is_empty() && rest.starts_with(piece)).map(|piece| at + piece.len()));
    }
    false
}

/// A text in small letters, as it is and with umlauts and the like as two Latin letters.
fn spelled(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let two = lower
        .replace("ου", "ou")
        .replace("ού", "ou")
        .replace('ä', "ae")
        .replace('ö', "oe")
        .replace('ü', "ue")
        .replace('å', "aa")
        .replace('ø', "oe");
    let mut ways = vec![lower];
    if ways.first() != Some(&two) {
        ways.push(two);
    }
    ways
}

/// The words of a text, of letters alone.
fn split(text: &str) -> Vec<String> {
    let letters: String = text.chars().map(|c| if matches!(c, '.' | '_' | '-' | '\'') || c.is_ascii_digit() { ' ' } else { c }).collect();
    plain(&letters).split(' ').filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
}
