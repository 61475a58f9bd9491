//! Data that is not the registrant's own where the registry wants exactly that (`R-prop-011`), and disclose statements (`R-priv-…`).

use super::judge::{Basis, Judge, Sheet};
use super::subject::{Place, Subject};
use crate::dataset::{ContactField, Row};
use crate::model::{Finding, ObjectKind};
use crate::policy::Capability;
use unicode_normalization::UnicodeNormalization as _;

/// Data of the registrar's or of a privacy provider, which no registrant has.
#[derive(Clone, Debug)]
pub struct OwnData {
    name: String,
    org: String,
    street: String,
    voice: String,
    email_domain: String,
}

impl OwnData {
    /// Data by which it is known; an empty text is no mark.
    #[must_use]
    pub fn new(name: &str, org: &str, street: &str, voice: &str, email_domain: &str) -> Self {
        let folded = |text: &str| words(text);
        let [name, org, street, voice] = [name, org, street, voice].map(folded);
        Self { name, org, street, voice, email_domain: email_domain.to_lowercase() }
    }

    /// What of a contact is this data: the mail domain by itself, or two of the others together.
    fn shown_by(&self, subject: &Subject<'_>) -> Option<&'static str> {
        let value = |name: &str| subject.value(Place::of_contact(name), name, None).map(words).unwrap_or_default();
        let same = |own: &str, name: &str| !own.is_empty() && own == value(name);
        let mail = value("email");
        if !self.email_domain.is_empty() && mail.rsplit_once('@').is_some_and(|(_, domain)| domain == self.email_domain) {
            return Some("email");
        }
        let marks = [(&self.name, "name"), (&self.org, "org"), (&self.street, "street"), (&self.voice, "voice")];
        let mut shown = marks.into_iter().filter(|(own, name)| same(own, name)).map(|(_, name)| name);
        let first = shown.next()?;
        shown.next().map(|_| first)
    }
}

/// A text to compare: NFC, without regard to case, blanks in one.
fn words(text: &str) -> String {
    let folded: String = text.nfc().flat_map(char::to_lowercase).collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Judge<'_> {
    /// The finding that a contact carries `own` data, at a registry that takes no proxy; nothing elsewhere, and for other contacts.
    /// Whether the contact is a registrant the caller knows.
    #[must_use]
    pub fn proxy(&self, row: &Row, own: &OwnData) -> Option<Finding> {
        let rule = &self.profile.capabilities.privacy_protect;
        if rule.value != Capability::No || !self.profile.has_contacts() {
            return None;
        }
        let (subject, _) = Subject::contact(row);
        // What the registry itself put in the registrant's place is nobody else's.
        if self.profile.stand_in.as_ref().is_some_and(|rule| row.is_stand_in(&rule.value)) {
            return None;
        }
        let field = own.shown_by(&subject)?;
        let mut sheet = self.sheet(ObjectKind::Contact, row);
        let what = "a registrant here has data of its own, and this is the registrar's or a privacy provider's".to_owned();
        Some(sheet.add("R-prop-011", field.to_owned(), Basis::of(rule), what).clone())
    }
}

/// Judges a contact's disclose statement.
pub(super) fn disclosed(subject: &Subject<'_>, sheet: &mut Sheet<'_, '_>) {
    let rule = &sheet.judge.profile.disclose;
    if !rule.value && subject.row.get(ContactField::Disclose.at()).is_some() {
        let what = "the registry knows no disclose statement".to_owned();
        sheet.add("R-priv-001", "disclose".to_owned(), Basis::told(rule), what);
    }
}
