//! A sheet of fields: what both forms are read into and written from.

use super::word::{Key, Kind, Word};
use crate::base::{Blame, Personal, Problem, Result};
use crate::model::Unknown;
use crate::protocol::tape::Element;
use std::borrow::Cow;
use std::cell::Cell;

/// A field with its text. It may be a personal datum, so that there is no `Debug`.
pub(super) struct Field<'t> {
    pub(super) word: &'static Word,
    pub(super) text: Cow<'t, str>,
    /// Where it was read from, in the XML form.
    pub(super) from: Option<Element<'t>>,
    /// Whether a type took it.
    taken: Cell<bool>,
}

/// Fields in their order, with the sheets that belong to them.
pub(super) struct Sheet<'t> {
    pub(super) kind: Kind,
    pub(super) fields: Vec<Field<'t>>,
    /// Verifications of a contact.
    pub(super) parts: Vec<Self>,
    /// What the key/value form had besides.
    pub(super) other: Vec<Unknown>,
}

impl<'t> Sheet<'t> {
    /// An empty sheet.
    pub(super) const fn new(kind: Kind) -> Self {
        Self { kind, fields: Vec::new(), parts: Vec::new(), other: Vec::new() }
    }

    /// Adds a field that was read.
    pub(super) fn read(&mut self, word: &'static Word, text: impl Into<Cow<'t, str>>, from: Option<Element<'t>>) {
        self.fields.push(Field { word, text: text.into(), from, taken: Cell::new(false) });
    }

    /// Adds a field to be written; a key that the sheet's kind has no word for adds none.
    pub(super) fn put(&mut self, key: Key, text: impl Into<Cow<'t, str>>) {
        if let Some(word) = self.kind.word(key) {
            self.read(word, text, None);
        }
    }

    /// Adds a field, if there is any.
    pub(super) fn put_some(&mut self, key: Key, text: Option<&'t str>) {
        if let Some(text) = text {
            self.put(key, text);
        }
    }

    /// Adds one field for each text.
    pub(super) fn put_all(&mut self, key: Key, texts: &'t [Personal]) {
        for text in texts {
            self.put(key, text.reveal());
        }
    }

    /// Takes the first field with that meaning; others of it stay.
    pub(super) fn one(&self, key: Key) -> Option<&str> {
        let field = self.fields.iter().find(|f| f.word.key == key && !f.text.is_empty())?;
        field.taken.set(true);
        Some(&field.text)
    }

    /// Takes every field with that meaning.
    pub(super) fn all(&self, key: Key) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |f| f.word.key == key && !f.text.is_empty()).map(|f| {
            f.taken.set(true);
            &*f.text
        })
    }

    /// How many fields have that meaning.
    pub(super) fn count(&self, key: Key) -> usize {
        self.fields.iter().filter(|f| f.word.key == key).count()
    }

    /// Marks nothing as taken: a sheet is read once for each type that is made of it.
    pub(super) fn give_back(&self) {
        self.fields.iter().for_each(|f| f.taken.set(false));
        self.parts.iter().for_each(Self::give_back);
    }

    /// Keywords of fields that no type took.
    pub(super) fn leftovers(&self) -> Vec<Box<str>> {
        let own = self.fields.iter().filter(|f| !f.taken.get()).map(|f| f.word.keyword.into());
        let parts = self.parts.iter().flat_map(Self::leftovers);
        own.chain(parts).chain(self.other.iter().map(|u| u.path.clone())).collect()
    }

    /// Tells what no type took: of the XML form on its tape, of the key/value form in `out`.
    pub(super) fn settle(self, out: &mut Vec<Unknown>) {
        for field in self.fields.into_iter().filter(|f| !f.taken.get()) {
            match field.from {
                Some(element) => element.forget(),
                None => out.push(Unknown {
                    namespace: "".into(),
                    path: field.word.keyword.into(),
                    text: Personal::new(field.text.into_owned()),
                }),
            }
        }
        for part in self.parts {
            part.settle(out);
        }
        out.extend(self.other);
    }

    /// Holds every field to what can be written at all.
    ///
    /// # Errors
    /// The first field that is empty, too long, or holds what a line cannot.
    pub(super) fn check(&self) -> Result<()> {
        for field in &self.fields {
            let length = field.text.chars().count();
            let why = if field.text.trim().is_empty() {
                "is empty; leave it out in order to delete it".to_owned()
            } else if length > field.word.most {
                format!("has {length} characters, {} are allowed", field.word.most)
            } else if field.text.chars().any(char::is_control) {
                "holds a tab, a line break or another control character".to_owned()
            } else if field.text.trim() != field.text {
                "begins or ends with a blank, which the registry would drop".to_owned()
            } else {
                continue;
            };
            return Err(refused(field.word.keyword, why));
        }
        self.parts.iter().try_for_each(Self::check)
    }

    /// Refuses an update in which `self`, the new object, has fewer of a field than `was`, unless `drop` names it.
    pub(super) fn keeps(&self, was: &Self, drop: &[Box<str>]) -> Result<()> {
        let is_allowed = |keyword: &str| drop.iter().any(|d| super::word::same(d, keyword));
        let lost = self.kind.words().iter().find(|w| self.count(w.key) < was.count(w.key) && !is_allowed(w.keyword));
        let lost = lost.map(|w| w.keyword).or_else(|| {
            let block = "VerificationInformation";
            (self.parts.len() < was.parts.len() && !is_allowed(block)).then_some(block)
        });
        lost.map_or(Ok(()), |keyword| {
            let what = "an update replaces the whole object, and this one would delete a value that the registry has";
            Err(Problem::new("E-rri-002", Blame::Input, what, "give the old value again, or name the field as one to drop").field(keyword))
        })
    }
}

/// A value that cannot be written; it is never quoted.
pub(super) fn refused(field: &str, why: impl Into<String>) -> Box<Problem> {
    Problem::new("E-rri-001", Blame::Input, why, "correct the value in the local record").field(field)
}
