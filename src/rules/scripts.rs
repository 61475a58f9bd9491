//! Words that are not what they seem: letters of one script in the place of another's (UTS #39, data of Unicode 18.0).

use unicode_script::{Script, UnicodeScript as _};
use unicode_security::confusable_detection::skeleton;
use unicode_security::mixed_script::AugmentedScriptSet;

/// What is odd about a word.
pub(super) enum Odd {
    /// Read, it is the Latin word given here; written, it is not.
    Homoglyph(String),
    /// It mixes scripts that no one writing system has.
    Mixed,
}

/// The odd words of a text: for each the position of its first odd character, from 1, that character, and what is odd.
///
/// A word reads as Latin where all its letters look like Latin ones, and where it has Latin letters itself or stands among none but such
/// words: a Greek or Russian name is no imitation because a word of it happens to look like one.
pub(super) fn odd_words(text: &str) -> Vec<(u32, char, Odd)> {
    if text.is_ascii() {
        return Vec::new();
    }
    let words = words(text);
    let mut whole: Option<bool> = None;
    let mut out = Vec::new();
    for (position, word) in &words {
        let foreign = word.chars().position(is_foreign);
        let Some(at) = foreign else { continue };
        let reading = latin_reading(word);
        let imitates = reading.is_some()
            && (word.chars().any(is_latin)
                || *whole.get_or_insert_with(|| {
                    let letters: usize = words.iter().map(|(_, w)| w.chars().count()).sum();
                    letters > 2 && words.iter().all(|(_, w)| !w.chars().any(is_foreign) || latin_reading(w).is_some())
                }));
        let offset = |n: usize| position + u32::try_from(n).unwrap_or(u32::MAX - position);
        if let Some(latin) = reading.filter(|_| imitates) {
            out.extend(word.chars().nth(at).map(|c| (offset(at), c, Odd::Homoglyph(latin))));
        } else if let Some((n, c)) = break_in(word) {
            out.push((offset(n), c, Odd::Mixed));
        }
    }
    out
}

/// The runs of letters and marks, each with the position of its first character, from 1.
fn words(text: &str) -> Vec<(u32, &str)> {
    let mut out = Vec::new();
    let mut begin: Option<(u32, usize)> = None;
    let mut position = 0;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        position += 1;
        let letter = c.is_alphabetic() || c.script() == Script::Inherited;
        match (begin, letter) {
            (None, true) => begin = Some((position, at)),
            (Some((first, from)), false) => {
                out.extend(text.get(from..at).map(|word| (first, word)));
                begin = None;
            }
            _ => {}
        }
    }
    out
}

fn is_latin(c: char) -> bool {
    c.script() == Script::Latin
}

/// Whether a character is of a script other than Latin.
fn is_foreign(c: char) -> bool {
    !matches!(c.script(), Script::Latin | Script::Common | Script::Inherited)
}

/// The Latin word a word looks like, where it does.
fn latin_reading(word: &str) -> Option<String> {
    let reading: String = skeleton(word).collect();
    (!reading.is_empty() && reading.bytes().all(|b| b.is_ascii_alphabetic())).then_some(reading)
}

/// The first character that is of no writing system the word has had so far. Latin beside Chinese, Japanese or Korean is one
/// (UTS #39 §5.2, highly restrictive).
fn break_in(word: &str) -> Option<(usize, char)> {
    let mut all = AugmentedScriptSet::default();
    let mut others = AugmentedScriptSet::default();
    for (n, c) in word.chars().enumerate() {
        let set = AugmentedScriptSet::for_char(c);
        all.intersect_with(set);
        if !is_latin(c) {
            others.intersect_with(set);
        }
        let with_latin = others.hanb || others.jpan || others.kore;
        if all.is_empty() && !with_latin {
            return Some((n, c));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(u32, char, String)> {
        let what = |odd| match odd {
            Odd::Homoglyph(latin) => latin,
            Odd::Mixed => "mixed".to_owned(),
        };
        odd_words(text).into_iter().map(|(position, c, odd)| (position, c, what(odd))).collect()
    }

    #[test]
    fn imitations_of_latin_words_are_told_with_the_first_letter_at_fault() {
        assert_eq!(told("Pаypal"), [(2, 'а', "Paypal".to_owned())]);
        assert_eq!(told("Visit Аррӏе"), [(7, 'А', "Apple".to_owned())], "a word of Cyrillic alone, among Latin ones");
        assert_eq!(told("сосо"), [(1, 'с', "coco".to_owned())]);
        assert_eq!(told("Straβe"), [(5, 'β', "mixed".to_owned())], "a Greek beta in the place of ß");
        assert_eq!(told("Кompan"), [(1, 'К', "Kornpan".to_owned())]);
    }

    #[test]
    fn honest_words_of_every_script_pass() {
        for honest in [
            "Müller & Söhne",
            "Ελλάδα",
            "ΑΝΝΑ ΠΑΠΑΔΟΠΟΥΛΟΥ",
            "Иван Петров",
            "Рот Дыра",
            "北京 Ltd",
            "日本ひらカタ",
            "한국어漢字",
            "Ελλάδα Ltd",
            "ул. Лесная 5",
            "عمان",
            "東京Tower",
            "d'Alessandro",
            "Ђорђе",
            "straße-№5",
            "Zoë",
        ] {
            assert_eq!(told(honest), [], "{honest}");
        }
    }
}
