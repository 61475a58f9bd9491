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

/// Whoever knows what persons said yes to.
pub trait Bases {
    /// Whether `purpose` is allowed for the person of `contact`, a local record, at `registry`.
    ///
    /// # Errors
    /// Where the records of consent cannot be read.
    fn decide(&mut self, registry: &str, contact: &Row, purpose: Purpose) -> Result<Decision>;
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
