//! What a recipe asks before it plans what needs a person's consent.

use super::Basis;
use crate::base::Result;
pub use crate::compliance::Purpose;
use crate::dataset::Row;

/// What the records of consent say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may be done, on that basis.
    Allowed(Basis),
    /// It may not.
    Blocked {
        /// The number of the rule.
        rule: String,
        /// Why, without personal data.
        why: String,
    },
}

/// Why nothing at all may be changed about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The number of the rule.
    pub rule: String,
    /// Why, without personal data.
    pub why: String,
}

/// Whoever knows what persons said yes to.
pub trait Bases {
    /// Whether `purpose` is allowed for the person of `contact`, a local record, at `registry`.
    ///
    /// # Errors
    /// Where the records of consent cannot be read.
    fn decide(&mut self, registry: &str, contact: &Row, purpose: Purpose) -> Result<Decision>;

    /// What keeps everything from being changed about the person of `contact`, a local record or what a registry holds: an open request
    /// to restrict processing, or an objection.
    ///
    /// # Errors
    /// Where the records of requests cannot be read.
    fn bars(&mut self, _contact: &Row) -> Result<Option<Bar>> {
        Ok(None)
    }
}

/// No records of consent at all: whatever needs consent is blocked.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRecords;

impl NoRecords {
    /// The rule that wants a record (RTR-6).
    pub const RULE: &str = "RTR-6";

    /// That nothing is recorded.
    #[must_use]
    pub fn blocked() -> Decision {
        Decision::Blocked { rule: Self::RULE.to_owned(), why: "no consent is recorded".to_owned() }
    }
}

impl Bases for NoRecords {
    fn decide(&mut self, _registry: &str, _contact: &Row, _purpose: Purpose) -> Result<Decision> {
        Ok(Self::blocked())
    }
}
