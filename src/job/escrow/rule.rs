//! The numbered rules of deposits.

use crate::model::{Confidence, Finding, FindingSeverity, ObjectKind};

/// What a registrar deposits: the agreement's section on data escrow. It was read in summaries, not in the signed text.
const AGREEMENT: &str = "ICANN Registrar Accreditation Agreement 2013, §3.6";
/// What providers of privacy services may leave out, and on which condition.
const PRIVACY: &str = "ICANN Registrar Accreditation Agreement 2013, §3.4.1.5 and §3.6";

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: &'static str,
    severity: FindingSeverity,
    source: &'static str,
}

const fn error(id: &'static str, source: &'static str) -> Rule {
    Rule { id, severity: FindingSeverity::Error, source }
}

/// A domain of ours is not in a full deposit.
pub(super) static MISSING: Rule = error("R-escrow-001", AGREEMENT);
/// A domain in the deposit is not ours: data leave the house without need.
pub(super) static NOT_OURS: Rule = error("R-escrow-002", AGREEMENT);
/// A domain names a handle that the deposit has no row of.
pub(super) static NO_HANDLE: Rule = error("R-escrow-003", AGREEMENT);
/// The deposit says something else than the local records.
pub(super) static NOT_AS_RECORDS: Rule = error("R-escrow-004", AGREEMENT);
/// The deposit says something else than the registry holds, of what the local records do not have.
pub(super) static NOT_AS_REGISTRY: Rule = error("R-escrow-005", AGREEMENT);
/// A value is masked: nobody could be reached by it.
pub(super) static MASKED: Rule = error("R-escrow-006", AGREEMENT);
/// The privacy provider's data stand in the place of its customer's: allowed where the customer is told so conspicuously.
pub(super) static PROVIDER: Rule = Rule { id: "R-escrow-007", severity: FindingSeverity::Warning, source: PRIVACY };
/// An object stands twice in the deposit.
pub(super) static TWICE: Rule = error("R-escrow-008", AGREEMENT);

impl Rule {
    /// That it is broken; `what` holds no value.
    pub(super) fn broken(&self, registry: &str, object: ObjectKind, id: &str, field: &str, what: &str) -> Finding {
        Finding::of(self.id, (self.severity, self.source, Confidence::Inferred), registry, (object, id), field, what)
    }
}
