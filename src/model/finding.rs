//! What breaks a numbered rule: where exactly, what the registry would say, and what would do instead.

use super::ObjectKind;
use crate::base::Personal;
use std::cmp::Ordering;
use std::fmt;

/// How sure we are of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Read in the named source.
    Seen,
    /// Follows from what was seen.
    Inferred,
    /// Without a source, chosen so that there is something to work with.
    Guess,
}

impl Confidence {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Inferred => "inferred",
            Self::Guess => "guess",
        }
    }
}

/// Whether a finding keeps a value from being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingSeverity {
    /// It breaks a rule that is enforced.
    Error,
    /// It breaks a rule that is not, or it is merely doubtful.
    Warning,
}

impl FindingSeverity {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What a registry would answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Answer {
    /// Its code, as its profile has it: an EPP result, with a reasonCode behind a slash, or eleven digits of RRI.
    pub code: Box<str>,
    /// The shape of the answer, and where the code was read.
    pub how: Box<str>,
    /// How sure we are of the code, which may be less than of the rule.
    pub confidence: Confidence,
}

/// What breaks a numbered rule. Its words never hold a personal value: at most single characters, each with its code point and name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Finding {
    /// The rule's stable number, `R-<family>-<nnn>`.
    pub rule: Box<str>,
    /// Whether it keeps the value from being sent.
    pub severity: FindingSeverity,
    /// The operator's name for the registry, or the profile's where there is none; empty where nobody knows which it is.
    pub registry: Box<str>,
    /// What the object is.
    pub object: ObjectKind,
    /// Its handle or name.
    pub id: Box<str>,
    /// The field, as `loc.name`, `int.street[2]`, `voice`, `properties.regCode`, `ns[1]`.
    pub field: Box<str>,
    /// The character at fault in the value's NFC form, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// That character, as `U+1E9E`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_point: Option<Box<str>>,
    /// Its name in Unicode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub character: Option<Box<str>>,
    /// What is wrong.
    pub what: Box<str>,
    /// What the registry would answer, where its profile tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What could stand instead: of the run of characters at `position` where there is one, else of the whole value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<Personal>,
    /// Where the rule was read.
    pub source: Box<str>,
    /// How sure we are of the rule.
    pub confidence: Confidence,
}

impl Finding {
    /// That something breaks a rule which rests on so much: whether it keeps a value from being sent, where it was read, and how sure we are
    /// of it. Whoever knows more, of a character, an answer or a suggestion, adds it.
    #[must_use]
    pub fn of(
        rule: &str,
        (severity, source, confidence): (FindingSeverity, &str, Confidence),
        registry: &str,
        (object, id): (ObjectKind, &str),
        field: impl Into<Box<str>>,
        what: impl Into<Box<str>>,
    ) -> Self {
        Self {
            rule: rule.into(),
            severity,
            registry: registry.into(),
            object,
            id: id.into(),
            field: field.into(),
            position: None,
            code_point: None,
            character: None,
            what: what.into(),
            answer: None,
            suggestion: None,
            source: source.into(),
            confidence,
        }
    }

    /// The order findings are told in: registry, object, id, field, position, rule, and then whatever tells them apart.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        fn key(f: &Finding) -> (&str, ObjectKind, &str, &str, Option<u32>, &str, FindingSeverity, &str) {
            (&f.registry, f.object, &f.id, &f.field, f.position, &f.rule, f.severity, &f.what)
        }
        key(self).cmp(&key(other))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rule)?;
        if !self.registry.is_empty() {
            write!(f, " {}", self.registry)?;
        }
        write!(f, ", {} {}, {}", self.object.as_str(), crate::base::escape_controls(&self.id), self.field)?;
        if let Some(position) = self.position {
            write!(f, ", character {position}")?;
        }
        write!(f, ": {}", self.what)
    }
}
