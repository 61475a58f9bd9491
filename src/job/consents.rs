//! The consent ledger, as a plan is made upon it, and as it is asked once more before anything is sent.

use crate::apply::Guard;
use crate::base::{Result, Timestamp};
use crate::compliance::{self, Decision as Said, Fingerprint, Ledger, Record, Subject};
use crate::dataset::Row;
use crate::plan::{Bases, Basis, BasisKind, Decision, Operation, Purpose};
use crate::store::{Head, SqliteStore};
use std::collections::HashMap;

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

/// The ledger as it stands when something is to be sent: read again whenever it has grown.
pub(super) struct LastWord {
    store: SqliteStore,
    read: Option<Head>,
    events: HashMap<Subject, Vec<Record>>,
}

impl LastWord {
    /// The ledger in `store`.
    pub(super) fn new(store: SqliteStore) -> Self {
        Self { store, read: None, events: HashMap::new() }
    }

    fn refresh(&mut self) -> Result<()> {
        if self.read == Some(Ledger::newest(&mut self.store)?) {
            return Ok(());
        }
        let ledger = Ledger::open(&mut self.store)?;
        self.events = ledger.subjects().map(|subject| (subject, ledger.events(subject).to_vec())).collect();
        self.read = Some(*ledger.head());
        Ok(())
    }
}

impl Guard for LastWord {
    fn forbids(&mut self, operation: &Operation, now: Timestamp) -> Result<Option<Box<str>>> {
        let Basis { kind, subject, purposes, .. } = &operation.basis;
        let needs = matches!(kind, BasisKind::ExplicitConsent | BasisKind::Terms);
        if !needs && purposes.is_empty() {
            return Ok(None);
        }
        self.refresh()?;
        let events =
            subject.as_deref().and_then(Subject::read).and_then(|subject| self.events.get(&subject)).map_or(&[][..], Vec::as_slice);
        if events.is_empty() || purposes.is_empty() {
            return Ok(Some(compliance::Rule::Nothing.id().into()));
        }
        Ok(purposes.iter().find_map(|purpose| match compliance::decide(events, *purpose, now) {
            Said::Allowed { .. } => None,
            Said::Blocked { rule, .. } => Some(rule.id().into()),
        }))
    }
}
