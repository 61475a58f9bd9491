//! The last word before a command leaves: the consent ledger, as it stands then.

use super::values::Guard;
use crate::base::{Result, Timestamp};
use crate::compliance::{self, Decision, Ledger, Record, Subject};
use crate::plan::{Basis, BasisKind, Operation};
use crate::store::{Head, Store};
use std::collections::HashMap;

/// The ledger as it stands when something is to be sent: read again whenever it has grown.
pub struct LastWord<S> {
    store: S,
    read: Option<Head>,
    events: HashMap<Subject, Vec<Record>>,
}

impl<S: Store> LastWord<S> {
    /// The ledger in `store`.
    #[must_use]
    pub fn new(store: S) -> Self {
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

impl<S: Store> Guard for LastWord<S> {
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
            Decision::Allowed { .. } => None,
            Decision::Blocked { rule, .. } => Some(rule.id().into()),
        }))
    }
}
