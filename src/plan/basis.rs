//! What a recipe asks before it plans what needs a person's consent.

use super::{Basis, Sources};
use crate::base::Result;
pub use crate::compliance::Purpose;
use crate::dataset::Row;
use jiff::civil::Date;

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

/// What the rules of retention come to for all that is held of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// A service needs the data, or a rule keeps them.
    Needed,
    /// They are to go.
    Due(Due),
    /// They would be to go, or nobody can tell, and something keeps them.
    Kept(Bar),
}

/// Why the data of a contact are to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The rule that ends them, or the case of a request.
    pub rule: String,
    /// By when they are gone.
    pub gone_by: Option<Date>,
    /// What set it off.
    pub trigger: &'static str,
    /// Whose they are, where a ledger knows the person: a random id.
    pub subject: Option<String>,
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

    /// Turns to the objects of a registry, before anything of them is asked.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn enter(&mut self, _sources: &Sources<'_>) -> Result<()> {
        Ok(())
    }

    /// What the rules of retention come to for the data of `contact` at `registry`: a local record, or what the registry holds.
    ///
    /// # Errors
    /// Where the ledgers cannot be read.
    fn keeping(&mut self, _registry: &str, _contact: &Row) -> Result<Keeping> {
        Ok(Keeping::Needed)
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
