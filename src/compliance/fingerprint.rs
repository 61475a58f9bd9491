//! By what a subject is told from all others: the canonical form `fp/1` of name, organisation, country and e-mail address.

use crate::base::Personal;
use crate::dataset::{ContactField, Row};
use std::fmt;
use unicase::UniCase;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// One of the things by which a subject is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// First and last name, joined by a blank.
    Name,
    /// The organisation; empty where there is none.
    Organisation,
    /// The country, ISO 3166-1 alpha-2.
    Country,
    /// The e-mail address.
    Email,
}

impl Part {
    /// Every part, in the order of the canonical form.
    pub const ALL: [Self; 4] = [Self::Name, Self::Organisation, Self::Country, Self::Email];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Organisation => "organisation",
            Self::Country => "country",
            Self::Email => "email",
        }
    }
}

/// A subject's parts in their canonical form.
///
/// First and last name are one part, joined by a blank, since registries have one name (RFC 5733 §2.3): whoever is `Ada`, `Lovelace`
/// in one file and `Ada Lovelace` in another is one subject; `Lovelace, Ada` is another, and told as a near duplicate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// In the order of [`Part::ALL`].
    parts: [Personal; 4],
}

impl Fingerprint {
    /// The version of the canonical form, which stands before all that is ever hashed.
    const FORM: &'static [u8] = b"fp/1";

    /// A short hash, to count people by in memory; it is never written.
    #[must_use]
    pub fn hash64(&self) -> u64 {
        xxhash_rust::xxh3::xxh3_64(&self.bytes(None))
    }

    /// The fingerprint of these parts: Unicode NFC, no blanks at the ends nor two in a row, letters folded, the country in capitals, the
    /// domain of the address as A-labels. Nothing where nobody can be told by them: a name or an organisation, and an address.
    #[must_use]
    pub fn of(name: &str, organisation: &str, country: &str, email: &str) -> Option<Self> {
        let parts = [canonical(name), canonical(organisation), country.trim().to_uppercase(), address(email)];
        let [called, org, _, reached] = &parts;
        let is_somebody = !(reached.is_empty() || called.is_empty() && org.is_empty());
        is_somebody.then(|| Self { parts: parts.map(Personal::new) })
    }

    /// The fingerprint of a contact's row, of its local form where that has a name or an organisation, else of its international one.
    #[must_use]
    pub fn of_row(contact: &Row) -> Option<Self> {
        use ContactField as F;
        let value = |field: F| contact.get(field.at()).unwrap_or_default();
        let is_local = [F::LocName, F::LocOrg].iter().any(|field| !value(*field).trim().is_empty());
        let [name, org, cc] = if is_local { [F::LocName, F::LocOrg, F::LocCc] } else { [F::IntName, F::IntOrg, F::IntCc] };
        Self::of(value(name), value(org), value(cc), value(F::Email))
    }

    /// Whether that is its e-mail address, however it is written.
    #[must_use]
    pub fn is_reached_at(&self, email: &str) -> bool {
        let [.., own] = &self.parts;
        own.reveal() == address(email)
    }

    /// Its bytes, of all parts or of all but one, to be hashed under a key. No two fingerprints have the same ones.
    #[must_use]
    pub fn bytes(&self, without: Option<Part>) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Self::FORM.to_vec());
        for (part, value) in Part::ALL.iter().zip(&self.parts) {
            let is_out = without == Some(*part);
            out.push(u8::from(is_out));
            if !is_out {
                out.extend((value.reveal().len() as u64).to_be_bytes());
                out.extend(value.reveal().as_bytes());
            }
        }
        out
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

/// An e-mail address in one of all its ways to be written, to be hashed under a key.
pub(super) fn mailbox(text: &str) -> String {
    address(text)
}

/// Whether two e-mail addresses are one, however they are written; no address is that of anybody.
#[must_use]
pub fn same_mailbox(one: &str, other: &str) -> bool {
    let one = address(one);
    !one.is_empty() && one == address(other)
}

/// Words in one of all their ways to be written.
fn canonical(text: &str) -> String {
    let composed: String = text.nfc().collect();
    let words: Vec<&str> = composed.split_whitespace().collect();
    // Folding may take letters apart.
    UniCase::unicode(words.join(" ")).to_folded_case().nfc().collect()
}

/// An e-mail address; letters of the mailbox are folded as well, since no provider in use tells them apart.
fn address(text: &str) -> String {
    let text = canonical(text);
    let Some((mailbox, domain)) = text.rsplit_once('@') else { return text };
    let domain = idna::domain_to_ascii(domain.trim().trim_end_matches('.')).unwrap_or_else(|_| domain.to_owned());
    format!("{}@{domain}", mailbox.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::columns;
    use crate::model::ObjectKind;
    use proptest::prelude::*;

    fn of(name: &str, org: &str, cc: &str, email: &str) -> Fingerprint {
        Fingerprint::of(name, org, cc, email).expect("somebody")
    }

    #[test]
    fn ways_of_writing_are_one_subject() {
        let one = of("Jürgen Müller", "", "DE", "jm@bücher.example");
        for (name, org, cc, email) in [
            ("Ju\u{308}rgen Mu\u{308}ller", "", "DE", "jm@bücher.example"),
            ("  JÜRGEN\u{a0} MÜLLER ", "  ", "de", "JM@BÜCHER.EXAMPLE"),
            ("jürgen müller", "", " DE ", "jm@xn--bcher-kva.example."),
            ("jürgen müller", "", "DE", " jm@bu\u{308}cher.example "),
        ] {
            assert_eq!(of(name, org, cc, email), one, "{name}");
        }
        assert_eq!(of("Strauß", "", "AT", "a@b.example"), of("STRAUSS", "", "AT", "a@b.example"), "full case folding");
        assert_eq!(of("ΟΔΟΣ", "", "GR", "a@b.example"), of("οδος", "", "GR", "a@b.example"), "the final sigma");
    }

    #[test]
    fn other_words_are_other_subjects() {
        let one = of("Jürgen Müller", "", "DE", "jm@example.de");
        for (name, org, cc, email) in [
            ("Jürgen Mueller", "", "DE", "jm@example.de"),
            ("Jurgen Muller", "", "DE", "jm@example.de"),
            ("Müller Jürgen", "", "DE", "jm@example.de"),
            ("Jürgen Müller", "Müller KG", "DE", "jm@example.de"),
            ("Jürgen Müller", "", "AT", "jm@example.de"),
            ("Jürgen Müller", "", "DE", "j.m@example.de"),
        ] {
            assert_ne!(of(name, org, cc, email), one, "{name}");
        }
    }

    #[test]
    fn the_form_is_the_one_that_its_version_names() {
        // Whoever changes these bytes gives the form another version: what is hashed of them stands in ledgers.
        let bytes = of(" Ada  LOVELACE", "", "gb", "Ada@Example.ORG").bytes(Some(Part::Country)).to_vec();
        let want = b"fp/1\0\0\0\0\0\0\0\0\x0cada lovelace\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\x0fada@example.org";
        assert_eq!(bytes, want);
    }

    #[test]
    fn nobody_is_no_subject() {
        assert!(Fingerprint::of(" ", "\u{a0}", "DE", "a@b.example").is_none());
        assert!(Fingerprint::of("Ada", "", "DE", " ").is_none());
        assert!(Fingerprint::of("", "Müller KG", "", "a@b.example").is_some());
    }

    #[test]
    fn a_row_is_its_local_form_first() {
        let row = |fields: &[(&str, &str)]| {
            let value = |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            Row::new("A-1", columns(ObjectKind::Contact).iter().map(|c| value(c.name)))
        };
        let both = [("int_name", "Petrov"), ("int_cc", "BG"), ("loc_name", "Петров"), ("loc_cc", "BG"), ("email", "p@x.example")];
        assert_eq!(Fingerprint::of_row(&row(&both)), Fingerprint::of("Петров", "", "BG", "p@x.example"));
        assert_eq!(Fingerprint::of_row(&row(&[both[0], both[1], both[4]])), Fingerprint::of("Petrov", "", "BG", "p@x.example"));
        assert_eq!(Fingerprint::of_row(&row(&both[..2])), None);
    }

    #[test]
    fn mailboxes_are_compared_however_they_are_written() {
        assert!(same_mailbox(" JM@BÜCHER.example.", "jm@xn--bcher-kva.example"));
        assert!(!same_mailbox("jm@example.org", "j.m@example.org"));
        assert!(!same_mailbox(" ", ""), "nobody has none");
    }

    #[test]
    fn nothing_of_it_is_shown() {
        let one = of("Ada Lovelace", "", "GB", "ada@example.org");
        assert!(!format!("{one} {one:?}").to_lowercase().contains("ada"));
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_its_own(text in "\\PC{0,24}") {
            let once = canonical(&text);
            prop_assert_eq!(canonical(&once), once.clone());
            prop_assert_eq!(canonical(&text.nfd().collect::<String>()), once);
        }

        #[test]
        fn bytes_are_of_one_fingerprint_alone(a in "[ab]{0,3}", b in "[ab]{1,3}", c in "[ab]{0,3}", d in "[ab]{1,3}") {
            let (one, other) = (of(&a, &b, "", "x"), of(&c, &d, "", "x"));
            prop_assert_eq!(one.bytes(None) == other.bytes(None), one == other);
            prop_assert!(one.bytes(Some(Part::Email)) != one.bytes(None));
        }
    }
}
