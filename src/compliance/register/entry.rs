//! A row of a register: what happened in a case. It is chained and never changes, so that nothing of a person stands in it.

use super::schema::{Kind, Register, Under};
use crate::base::{Timestamp, ValueDigest};
use crate::compliance::record::Token;
use crate::compliance::subjects::Subject;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The version of this form: 1.
    pub v: u8,
    /// The event's own id, unique in the register.
    pub id: Token,
    /// The case.
    pub case: Token,
    /// What happened.
    pub event: Box<str>,
    /// When.
    pub at: Timestamp,
    /// Whom the case is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// Values of fixed forms, by column.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<Box<str>, Box<str>>,
    /// The digests of texts, by column; the texts are sealed under the same key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sealed: BTreeMap<Box<str>, ValueDigest>,
    /// When the register took it.
    pub recorded: Timestamp,
}

/// Whose key a text is sealed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Subject(Subject),
    Case,
    /// The key for what of the case is kept apart.
    Apart,
}

impl Entry {
    /// The version of the form.
    pub const VERSION: u8 = 1;

    /// Its bytes.
    #[must_use]
    pub fn to_row(&self) -> Box<[u8]> {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// The event in a row of `register`.
    ///
    /// # Errors
    /// What is wrong with it, where it is none.
    pub fn from_row(register: &Register, row: &[u8]) -> Result<Self, String> {
        let entry: Self = serde_json::from_slice(row).map_err(|e| e.to_string())?;
        if entry.v != Self::VERSION {
            return Err(format!("it has version {}, known is {}", entry.v, Self::VERSION));
        }
        let is_there = |name: &str, sealed: bool| register.column(name).is_some_and(|column| (column.kind == Kind::Text) == sealed);
        let is_known = register.event(&entry.event).is_some()
            && entry.values.keys().all(|name| is_there(name, false))
            && entry.sealed.keys().all(|name| is_there(name, true));
        if is_known { Ok(entry) } else { Err("it has an event or a column that is not known".to_owned()) }
    }

    /// Whether both tell the same, whenever they were taken.
    #[must_use]
    pub fn tells_the_same(&self, other: &Self) -> bool {
        let taken_together = Self { recorded: self.recorded, ..other.clone() };
        *self == taken_together
    }

    /// Whose key the text of a column is sealed under.
    pub(super) fn whose(register: &Register, column: &str, subject: Option<Subject>) -> Whose {
        match (register.column(column), subject) {
            (Some(column), _) if column.apart => Whose::Apart,
            (Some(column), Some(subject)) if column.under == Under::Subject => Whose::Subject(subject),
            _ => Whose::Case,
        }
    }
}
