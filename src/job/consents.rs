//! The consent ledger, as a plan is made upon it.

use crate::base::{Result, Timestamp};
use crate::compliance::{self, Decision as Said, Fingerprint, Ledger};
use crate::dataset::Row;
use crate::plan::{Bases, Basis, BasisKind, Decision, Purpose};
use crate::store::SqliteStore;

/// What the ledger said when the plan was made.
pub(super) struct Consents<'s> {
    ledger: Ledger<'s>,
    at: Timestamp,
}

impl<'s> Consents<'s> {
    /// The ledger in `store`, as it stands at `at`.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub(super) fn open(store: &'s mut SqliteStore, at: Timestamp) -> Result<Self> {
        Ok(Self { ledger: Ledger::open(store)?, at })
    }
}

impl Bases for Consents<'_> {
    fn decide(&mut self, _registry: &str, contact: &Row, purpose: Purpose) -> Result<Decision> {
        let person = Fingerprint::of_row(contact);
        let subject = person.map(|person| self.ledger.subject_of(&person)).transpose()?.flatten();
        let said = subject.map_or_else(Said::nothing, |subject| self.ledger.decide(subject, purpose, self.at));
        Ok(match said {
            Said::Blocked { rule, .. } => Decision::Blocked { rule: rule.id().to_owned(), why: rule.words().to_owned() },
            Said::Allowed { basis, evidence, .. } => Decision::Allowed(Basis {
                kind: match basis {
                    compliance::Basis::Consent => BasisKind::ExplicitConsent,
                    compliance::Basis::Terms(_) => BasisKind::Terms,
                },
                evidence: evidence.iter().map(|event| event.as_str().to_owned()).collect(),
                subject: subject.map(|subject| subject.to_string()),
                purposes: vec![purpose],
            }),
        })
    }
}
