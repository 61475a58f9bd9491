//! What the ledger says of persons' publication.

use crate::base::{Result, Timestamp};
use crate::compliance::exposure::Consent;
use crate::compliance::{Decision, Fingerprint, Ledger, Purpose, Rule};
use crate::dataset::Row;
use crate::store::SqliteStore;

/// The ledger, as it stands at a time.
pub(super) struct Publications<'s> {
    ledger: Ledger<'s>,
    at: Timestamp,
    /// Whether it has any events: without, nobody is looked up.
    has_events: bool,
}

impl<'s> Publications<'s> {
    /// The ledger in `store`.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub(super) fn open(store: &'s mut SqliteStore, at: Timestamp) -> Result<Self> {
        let ledger = Ledger::open(store)?;
        let has_events = ledger.subjects().next().is_some();
        Ok(Self { ledger, at, has_events })
    }

    /// What it says of the person of a local record, by which subjects are known.
    pub(super) fn of(&mut self, contact: Option<&Row>) -> Result<Consent> {
        let Some(person) = contact.filter(|_| self.has_events).and_then(Fingerprint::of_row) else { return Ok(Consent::Nothing) };
        Ok(match self.ledger.decide_for(Some(&person), Purpose::Publication, self.at)? {
            Decision::Allowed { elements, .. } => Consent::Given(elements),
            Decision::Blocked { rule: Rule::Withdrawn, .. } => Consent::Withdrawn,
            Decision::Blocked { .. } => Consent::Nothing,
        })
    }
}
