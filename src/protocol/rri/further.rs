//! Fields that stand more often than the shared types have places for, as properties: `FIELD.N`, and verifications in a text of their own.

use crate::base::Personal;
use crate::model::{Properties, Verification};

/// The first number of a further street line: a row has columns for three.
pub(super) const STREET: usize = 4;
/// The first number of what a row has one column for.
pub(super) const SECOND: usize = 2;
/// The property of a contact's kind.
pub(super) const TYPE: &str = "type";
/// The property of a contact's template for requests.
pub(super) const URI_TEMPLATE: &str = "uri-template";
/// The property of a verification, and the field of further ones.
pub(super) const VERIFICATION: &str = "verification";

/// Sets `FIELD.N` for each of `values`, from the number `first` on.
pub(super) fn put<'v>(properties: &mut Properties, field: &str, first: usize, values: impl IntoIterator<Item = &'v str>) {
    for (n, value) in values.into_iter().enumerate() {
        properties.set(&format!("{field}.{}", first + n), value);
    }
}

/// Sets `FIELD` and, for what stands more often, `FIELD.2` and so on.
pub(super) fn put_all<'v>(properties: &mut Properties, field: &str, values: impl IntoIterator<Item = &'v str>) {
    let mut values = values.into_iter();
    if let Some(value) = values.next() {
        properties.set(field, value);
    }
    put(properties, field, SECOND, values);
}

/// The number in a key `FIELD.N`.
pub(super) fn number(key: &str, field: &str) -> Option<usize> {
    key.strip_prefix(field)?.strip_prefix('.')?.parse().ok()
}

/// The further values of `field` with their numbers, by number.
pub(super) fn numbered<'p>(properties: &'p Properties, field: &str) -> Vec<(usize, &'p str)> {
    let mut all: Vec<_> = properties.iter().filter_map(|(key, value)| Some((number(key, field)?, value))).collect();
    all.sort_unstable_by_key(|(n, _)| *n);
    all
}

/// `FIELD`, then its further values.
pub(super) fn all<'p>(properties: &'p Properties, field: &str) -> Vec<&'p str> {
    properties.get(field).into_iter().chain(numbered(properties, field).into_iter().map(|(_, value)| value)).collect()
}

/// A verification as the text of properties.
pub(super) fn verification_text(verification: &Verification) -> String {
    let Verification { claims, result, reference, timestamp, evidence, method, trust_framework } = verification;
    let mut text = Properties::new();
    for (field, values) in [("claim", claims), ("evidence", evidence), ("method", method)] {
        put_all(&mut text, field, values.iter().map(|value| &**value));
    }
    for (field, value) in [("result", result), ("timestamp", timestamp), ("trustFramework", trust_framework)] {
        text.set(field, value.as_deref().unwrap_or_default());
    }
    text.set("reference", reference.as_ref().map(Personal::reveal).unwrap_or_default());
    text.to_text()
}

/// The verification in such a text, or nothing where it is none or holds something else.
pub(super) fn read_verification(text: &str) -> Option<Verification> {
    let text = Properties::read(text).ok()?;
    let texts = |field| all(&text, field).into_iter().map(Into::into).collect();
    let one = |field| text.get(field).map(Into::into);
    let read = Verification {
        claims: texts("claim"),
        result: one("result"),
        reference: text.get("reference").map(Personal::from),
        timestamp: one("timestamp"),
        evidence: texts("evidence"),
        method: texts("method"),
        trust_framework: one("trustFramework"),
    };
    (Properties::read(&verification_text(&read)).as_ref() == Ok(&text)).then_some(read)
}
