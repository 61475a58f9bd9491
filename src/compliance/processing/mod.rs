//! The record of processing activities (GDPR Art. 30), as facts: one model for the controller's record and the processor's.
//!
//! A row is an activity at a registry. Each of its cells is an [`Entry`]: a value with how it is known, where that stands, and when it was
//! observed. A cell is never blank: that nothing was observed, that nobody declared it and that it does not apply are three things. Which
//! record a row belongs to is the role matrix's to say, and changing an entry of it moves rows and changes nothing else.

mod build;
mod cells;
mod declaration;
mod finding;
mod pack;
mod question;
#[cfg(test)]
mod tests;
mod transfer;

pub use build::{Assessed, Contract, Evidence, LineRules, Place, Recipient, Row, Traffic, build};
pub use finding::{RECORD_RULES, RecordFinding, RecordRule, contradictions};
pub use pack::{Adequacy, Field, Operator, Origin, RecordPack, Role, RoleEntry, Terms, Vocabulary};
pub use question::{List, Question};
pub use transfer::Cover;

use crate::base::Timestamp;

/// The fields of the record that nobody but the controller can tell: the keys of `[controller]`.
pub const DECLARED: [&str; 18] = [
    "controller",
    "established",
    "registrar_id",
    "joint_controllers",
    "representative",
    "dpo",
    "owner",
    "organisation",
    "condition",
    "automated",
    "dpia",
    "rights",
    "contract",
    "review",
    "adherence_reason",
    "instruction",
    "sub_processors",
    "return",
];

/// How a value is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It was observed on the line, in the records or in a ledger.
    Observed,
    /// Somebody declared it.
    Declared,
    /// It was computed from what was observed, by rules.
    Computed,
    /// It does not apply to this row.
    NotApplicable,
    /// Nobody said it and nothing shows it.
    Missing,
}

impl Status {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Observed, Self::Declared, Self::Computed, Self::NotApplicable, Self::Missing];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Declared => "declared",
            Self::Computed => "computed",
            Self::NotApplicable => "not-applicable",
            Self::Missing => "missing",
        }
    }
}

/// A cell of the record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Entry {
    /// The value in words; of one that is missing, what would fill it.
    pub value: String,
    /// How it is known.
    pub status: Status,
    /// Where that stands: a run, a table, a rule pack, a key of the configuration.
    pub source: String,
    /// When it was observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub observed_at: Option<Timestamp>,
}

impl Entry {
    /// Something observed at `at`.
    pub fn observed(value: impl Into<String>, source: impl Into<String>, at: Timestamp) -> Self {
        Self { value: value.into(), status: Status::Observed, source: source.into(), observed_at: Some(at) }
    }

    /// Something that follows from what was observed.
    pub fn computed(value: impl Into<String>, source: impl Into<String>) -> Self {
        Self { value: value.into(), status: Status::Computed, source: source.into(), observed_at: None }
    }

    /// Something that was declared under `key`.
    pub fn declared(value: impl Into<String>, key: &str) -> Self {
        Self { value: value.into(), status: Status::Declared, source: format!("privet.toml, {key}"), observed_at: None }
    }

    /// Something that does not apply, and why.
    pub fn not_applicable(why: impl Into<String>, source: impl Into<String>) -> Self {
        Self { value: why.into(), status: Status::NotApplicable, source: source.into(), observed_at: None }
    }

    /// Something that is missing, and what would fill it.
    pub fn missing(remedy: impl Into<String>) -> Self {
        Self { value: remedy.into(), status: Status::Missing, source: String::new(), observed_at: None }
    }

    /// Whether an authority that asks for it gets an answer with something behind it.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.status != Status::Missing && !self.source.is_empty()
    }
}
