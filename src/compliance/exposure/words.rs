//! Lists of words, as data, and the form in which texts are compared with them.

use std::collections::HashSet;
use std::sync::OnceLock;

/// The lists.
const TEXT: &str = include_str!("words.toml");

/// The lists as they are written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    blanks: HashSet<String>,
    placeholders: HashSet<String>,
    placeholder_mailboxes: HashSet<String>,
    functions: HashSet<String>,
    special: Special,
}

/// Words of data that are protected specially.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Special {
    /// Art. 9.
    pub(super) category: Phrases,
    /// Art. 10.
    pub(super) criminal: Phrases,
    /// Beside which a number is an identity document's.
    pub(super) documents: Phrases,
    /// Beside which a number is a person's national one.
    pub(super) numbers: Phrases,
}

/// Phrases of one word or several, as [`plain`] writes them.
#[derive(Default, serde::Deserialize)]
#[serde(from = "HashSet<String>")]
pub(super) struct Phrases {
    all: HashSet<String>,
    /// The words of the longest.
    longest: usize,
}

impl From<HashSet<String>> for Phrases {
    fn from(all: HashSet<String>) -> Self {
        let longest = all.iter().map(|phrase| phrase.split(' ').count()).max().unwrap_or_default();
        Self { all, longest }
    }
}

impl Phrases {
    /// Whether `words`, which stand as [`plain`] writes them, hold one of the phrases between whole words.
    pub(super) fn are_in(&self, words: &str) -> bool {
        let starts = std::iter::once(0).chain(words.match_indices(' ').map(|(at, _)| at + 1));
        starts.filter_map(|at| words.get(at..)).any(|rest| {
            let ends = rest.match_indices(' ').map(|(at, _)| at).chain([rest.len()]);
            ends.take(self.longest).any(|end| rest.get(..end).is_some_and(|phrase| self.all.contains(phrase)))
        })
    }
}

/// The lists.
pub(super) struct Words {
    blanks: HashSet<String>,
    placeholders: HashSet<String>,
    placeholder_mailboxes: HashSet<String>,
    functions: HashSet<String>,
    /// Words of data that are protected specially.
    pub(super) special: Special,
}

impl Words {
    /// The lists of this program. They are read once; a test holds them to their form.
    pub(super) fn get() -> &'static Self {
        static WORDS: OnceLock<Words> = OnceLock::new();
        WORDS.get_or_init(|| {
            let written = toml::from_str(TEXT).unwrap_or_else(|_| Written {
                blanks: HashSet::new(),
                placeholders: HashSet::new(),
                placeholder_mailboxes: HashSet::new(),
                functions: HashSet::new(),
                special: Special::default(),
            });
            let Written { blanks, placeholders, placeholder_mailboxes, functions, special } = written;
            Self { blanks, placeholders, placeholder_mailboxes, functions, special }
        })
    }

    /// Whether an organisation of that name is none.
    pub(super) fn is_blank(&self, organisation: &str) -> bool {
        self.blanks.contains(&plain(organisation))
    }

    /// Whether a value merely says that the true one is withheld.
    pub(super) fn is_placeholder(&self, value: &str) -> bool {
        let mailbox = value.rsplit_once('@').map(|(mailbox, _)| plain(mailbox));
        self.placeholders.contains(&plain(value)) || mailbox.is_some_and(|mailbox| self.placeholder_mailboxes.contains(&mailbox))
    }

    /// Whether a word of a mailbox is a function's.
    pub(super) fn is_function(&self, word: &str) -> bool {
        self.functions.contains(word)
    }
}

/// A text in the form in which it is compared: words of small letters and digits without accents, joined by single blanks.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in any_ascii::any_ascii(text).chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !matches!(c, '\'' | '.' | '/' | '&') && !out.ends_with(' ') && !out.is_empty() {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_lists_are_read_and_stand_in_the_form_they_are_compared_in() {
        let words: Written = toml::from_str(TEXT).expect("the lists");
        let special = &words.special;
        let lists = [&special.category, &special.criminal, &special.documents, &special.numbers].into_iter().flat_map(|list| &list.all);
        let sets = [&words.blanks, &words.placeholders, &words.placeholder_mailboxes, &words.functions].into_iter().flatten();
        for word in lists.chain(sets) {
            assert_eq!(&plain(word), word);
        }
        assert!(!Words::get().special.category.all.is_empty() && !Words::get().blanks.is_empty());
    }

    #[test]
    fn what_names_no_organisation_is_blank() {
        for blank in ["", "  ", "-", "--", "n/a", "N/A.", "None", "Privat", "privat.", "\u{a0}", "_", "xxx", "Not Applicable"] {
            assert!(Words::get().is_blank(blank), "{blank:?}");
        }
        for org in ["3M", "Nonesuch Ltd", "Privat Bank", "X Corp", "北京", "A & B"] {
            assert!(!Words::get().is_blank(org), "{org:?}");
        }
    }

    #[test]
    fn what_says_that_data_are_withheld_is_a_placeholder() {
        for text in ["REDACTED FOR PRIVACY", "Redacted for Privacy", "redacted@example.org", "GDPR-Masked@x.example", "Data Protected"] {
            assert!(Words::get().is_placeholder(text), "{text}");
        }
        for text in ["", "Ada Redacted", "Redaktion", "redactions@example.org", "Private"] {
            assert!(!Words::get().is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn phrases_stand_between_whole_words() {
        let phrases = Phrases::from(HashSet::from(["protection order".to_owned(), "hiv".to_owned()]));
        for text in ["flat 2 protection order", "protection order", "hiv", "the hiv ward", "a protection order of 2020"] {
            assert!(phrases.are_in(text), "{text}");
        }
        for text in ["", "shiva street", "protection orders", "protection", "order protection", "a protectionorder"] {
            assert!(!phrases.are_in(text), "{text}");
        }
        assert!(!Phrases::default().are_in("hiv"));
    }

    proptest! {
        #[test]
        fn the_plain_form_is_its_own(text in "\\PC{0,24}") {
            let once = plain(&text);
            prop_assert_eq!(plain(&once), once);
        }
    }
}
