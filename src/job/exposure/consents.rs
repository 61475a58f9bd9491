//! What the ledger says of persons' publication, and the register of notices of what they were offered.

use crate::base::{Result, Timestamp};
use crate::compliance::exposure::Consent;
use crate::compliance::register::{Book, Limits, register};
use crate::compliance::{Decision, Fingerprint, Ledger, Purpose, Rule, Subject};
use crate::dataset::Row;
use crate::store::Store;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::HashMap;

/// The ledger, as it stands at a time.
pub(super) struct Publications<'s> {
    ledger: Ledger<'s>,
    at: Timestamp,
    /// Whether it has any events: without, nobody is looked up.
    has_events: bool,
    /// When each subject was last shown the notice named [`OFFER`], by the register of notices.
    offered: HashMap<Subject, Date>,
}

/// What the notice is called that offers people an address which does not say who they are (EUR-6).
const OFFER: &str = "functional-address";

impl<'s> Publications<'s> {
    /// The ledger in `store`.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub(super) fn open(store: &'s mut dyn Store, at: Timestamp) -> Result<Self> {
        let offered = offered(store, at)?;
        let ledger = Ledger::open(store)?;
        let has_events = ledger.subjects().next().is_some();
        Ok(Self { ledger, at, has_events, offered })
    }

    /// On which day the person of a local record was last offered an address that does not say who it is.
    ///
    /// # Errors
    /// As [`Ledger::subject_of`].
    pub(super) fn offered(&mut self, contact: Option<&Row>) -> Result<Option<Date>> {
        let Some(person) = contact.filter(|_| !self.offered.is_empty()).and_then(Fingerprint::of_row) else { return Ok(None) };
        Ok(self.ledger.subject_of(&person)?.and_then(|subject| self.offered.get(&subject).copied()))
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

fn offered(store: &mut dyn Store, at: Timestamp) -> Result<HashMap<Subject, Date>> {
    let mut out = HashMap::new();
    let Some(register) = register("notice") else { return Ok(out) };
    let book = Book::open(store, register)?;
    // Whether one was shown does not rest on the calendar.
    let limits = Limits::default();
    for case in book.cases(at, &limits).filter(|case| case.values.get("notice").is_some_and(|notice| notice == OFFER)) {
        let shown = book.events(&case.case).iter().filter(|event| &*event.event == "shown" && event.at <= at).map(|event| event.at).max();
        if let Some((subject, shown)) = case.subject.zip(shown) {
            let day = out.entry(subject).or_insert(Date::MIN);
            *day = shown.to_zoned(TimeZone::UTC).date().max(*day);
        }
    }
    Ok(out)
}
