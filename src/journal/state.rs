//! The life of a step, and which state may follow which.

use crate::model::ResultCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a step is. A step of which there is no row is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Nothing of it has any effect, and it may be sent.
    Planned,
    /// It may have been sent: this row is on disk before the first byte leaves.
    Sending,
    /// The registry says that it is done.
    Applied,
    /// The registry has taken it and decides later (1001).
    Pending,
    /// Reading shows that the object is as wanted.
    Verified,
    /// It had no effect, and will not be tried again in this run.
    Failed,
    /// The object is neither as it was observed nor as it is wanted: for a person to look at.
    Conflict,
    /// It was sent, and nobody knows whether it had an effect. Only reading settles that.
    Unknown,
}

impl StepState {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::Conflict => "conflict",
            Self::Unknown => "unknown",
        }
    }

    /// Whether nothing follows any more in this run.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Verified | Self::Failed | Self::Conflict)
    }
}

impl fmt::Display for StepState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a step failed, or was not begun.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The registry refused it, with this code.
    Refused(ResultCode),
    /// The registry said yes and changed nothing.
    NotEffective,
    /// The registry took it, and decided against it.
    Declined,
    /// The object is gone, or is another registrar's.
    Gone,
    /// What allowed it does not hold any more: the number of the rule.
    Blocked(Box<str>),
    /// The line has no words for it: the number of the problem.
    Unsaid(Box<str>),
    /// A step or operation before it came to nothing.
    Dependency,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(code) => write!(f, "the registry refused it, {}", code.0),
            Self::NotEffective => f.write_str("the registry said yes and changed nothing"),
            Self::Declined => f.write_str("the registry took it, and decided against it"),
            Self::Gone => f.write_str("the object is gone, or is another registrar's"),
            Self::Blocked(rule) => write!(f, "what allowed it does not hold any more, {rule}"),
            Self::Unsaid(id) => write!(f, "the line has no words for it, {id}"),
            Self::Dependency => f.write_str("what it waits for came to nothing"),
        }
    }
}

/// Whether `to` may follow `from`.
#[must_use]
pub const fn is_legal(from: StepState, to: StepState) -> bool {
    use StepState as S;
    match from {
        // What is wanted may be there already, and then nothing is sent.
        S::Planned => matches!(to, S::Sending | S::Verified | S::Failed | S::Conflict),
        // Planned again: not one byte was tried.
        S::Sending => matches!(to, S::Applied | S::Pending | S::Failed | S::Unknown | S::Planned),
        S::Applied => matches!(to, S::Verified | S::Failed | S::Conflict),
        S::Pending => matches!(to, S::Verified | S::Failed | S::Conflict),
        S::Unknown => matches!(to, S::Verified | S::Planned | S::Failed | S::Conflict),
        S::Verified | S::Failed | S::Conflict => false,
    }
}
