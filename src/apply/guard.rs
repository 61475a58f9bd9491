//! The last word before a command leaves: the consent ledger and the register of requests, as they stand then.

use super::values::Guard;
use crate::base::{Result, Timestamp};
use crate::compliance::register::{Book, Holds, register};
use crate::compliance::{self, Decision, Ledger, Record, Subject};
use crate::plan::{Basis, BasisKind, Operation};
use crate::store::{Head, Store};
use jiff::SignedDuration;
use std::collections::HashMap;

/// How long what was read of the register of requests is gone by, where it has not grown.
const LOOK: SignedDuration = SignedDuration::from_mins(1);

/// The ledgers as they stand when something is to be sent: read again whenever one has grown.
pub struct LastWord<S> {
    store: S,
    read: Option<Head>,
    events: HashMap<Subject, Vec<Record>>,
    /// How long the register of requests was when it was read, and for which time.
    requests: Option<(Head, Timestamp)>,
    /// Of whom nothing may be changed, each with the rule.
    blocked: HashMap<Subject, &'static str>,
    /// How long the register of holds was when it was read, for which time, and what stood.
    holds: Option<(Head, Timestamp, Holds)>,
}

impl<S: Store> LastWord<S> {
    /// The ledger in `store`.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { store, read: None, events: HashMap::new(), requests: None, blocked: HashMap::new(), holds: None }
    }

    /// The rule by which nothing may be changed about `subject`, where there is one. An event that is dated later than the last look
    /// counts once its time has come: a minute after that look at the latest.
    fn blocks(&mut self, subject: Subject, now: Timestamp) -> Result<Option<&'static str>> {
        let Some(requests) = register("request") else { return Ok(None) };
        let newest = Book::newest(&mut self.store, requests)?;
        let is_fresh = |(head, at): (Head, Timestamp)| head == newest && at <= now && now.duration_since(at) < LOOK;
        if !self.requests.is_some_and(is_fresh) {
            let blocks = Book::open(&mut self.store, requests)?.blocks(now);
            self.blocked = blocks.into_iter().map(|(subject, block)| (subject, block.rule)).collect();
            self.requests = Some((newest, now));
        }
        Ok(self.blocked.get(&subject).copied())
    }

    /// Whether a hold keeps the data of `subject` at `registry`, looked up as [`Self::blocks`] does.
    fn holds(&mut self, subject: Option<Subject>, registry: &str, now: Timestamp) -> Result<bool> {
        let Some(register) = register("hold") else { return Ok(false) };
        let newest = Book::newest(&mut self.store, register)?;
        let is_fresh = |(head, at, _): &(Head, Timestamp, Holds)| *head == newest && *at <= now && now.duration_since(*at) < LOOK;
        if !self.holds.as_ref().is_some_and(is_fresh) {
            self.holds = Some((newest, now, Holds::read(&mut self.store, now)?));
        }
        Ok(self.holds.as_ref().is_some_and(|(.., holds)| holds.over(subject, registry).is_some()))
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
        let person = subject.as_deref().and_then(Subject::read);
        if let Some(person) = person
            && let Some(rule) = self.blocks(person, now)?
        {
            return Ok(Some(rule.into()));
        }
        // A hold only ever postpones, so that it is asked last and weighs most.
        if *kind == BasisKind::Expired && self.holds(person, &operation.registry, now)? {
            return Ok(Some("R-erasure-001".into()));
        }
        let needs = matches!(kind, BasisKind::ExplicitConsent | BasisKind::Terms);
        if !needs && purposes.is_empty() {
            return Ok(None);
        }
        self.refresh()?;
        let events = person.and_then(|person| self.events.get(&person)).map_or(&[][..], Vec::as_slice);
        if events.is_empty() || purposes.is_empty() {
            return Ok(Some(compliance::Rule::Nothing.id().into()));
        }
        Ok(purposes.iter().find_map(|purpose| match compliance::decide(events, *purpose, now) {
            Decision::Allowed { .. } => None,
            Decision::Blocked { rule, .. } => Some(rule.id().into()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ObjectRef, SeededEntropy};
    use crate::compliance::Import;
    use crate::compliance::register::Draft;
    use crate::model::ObjectKind;
    use crate::plan::{ObjectName, Undo};
    use crate::store::MemoryStore;

    /// Adds an event to Ada's request, at an hour of the test's day.
    fn add(guard: &mut LastWord<MemoryStore>, event: &str, hour: u8, kind: &str) -> Subject {
        let requests = register("request").expect("a register");
        let header = requests.header();
        let at = format!("2026-05-01T{hour:02}:00:00Z");
        let value = |column: &str| match column {
            "case" => Some("r-1"),
            "event" => Some(event),
            "at" => Some(&*at),
            "first" => Some("Ada"),
            "last" => Some("Lovelace"),
            "country" => Some("GB"),
            "email" => Some("ada@example.org"),
            "type" => Some(kind).filter(|kind| !kind.is_empty()),
            _ => None,
        };
        let row: Vec<Option<&str>> = header.iter().map(|column| value(column)).collect();
        let draft = Draft::read(requests, &header, &row).expect("an event");
        let mut book = Book::open(&mut guard.store, requests).expect("the register");
        let recorded = book.take(&mut Import::of(draft), false, hours(0), &mut SeededEntropy::new(hour.into())).expect("taken");
        assert_eq!(recorded.added, 1);
        book.events(&recorded.touched[0])[0].subject.expect("a subject")
    }

    fn hours(hour: i64) -> Timestamp {
        "2026-05-01T00:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_hours(hour)
    }

    /// A correction, which needs no consent, about a subject.
    fn correction(subject: Option<Subject>) -> Operation {
        Operation {
            op: 1,
            wave: 1,
            registry: "r".to_owned(),
            object: ObjectName { kind: ObjectKind::Contact, id: "C-1".to_owned(), reference: ObjectRef::new([1; 16]) },
            steps: Vec::new(),
            basis: Basis {
                kind: BasisKind::Accuracy,
                evidence: Vec::new(),
                subject: subject.map(|subject| subject.to_string()),
                purposes: Vec::new(),
            },
            undo: Undo::Inverse,
            after: Vec::new(),
            touches: Vec::new(),
            reasons: Vec::new(),
        }
    }

    #[test]
    fn an_open_request_forbids_what_is_about_its_subject_from_its_time_until_its_answer() {
        for (kind, rule) in [("restriction", Some("R-request-001")), ("objection", Some("R-request-002")), ("access", None)] {
            let mut guard = LastWord::new(MemoryStore::default());
            let stranger = correction(Subject::read(&"5a".repeat(16)));
            assert_eq!(guard.forbids(&stranger, hours(9)).expect("read"), None);
            let ada = correction(Some(add(&mut guard, "received", 10, kind)));
            let says = |guard: &mut LastWord<MemoryStore>, hour| guard.forbids(&ada, hours(hour)).expect("read");
            assert_eq!(says(&mut guard, 9), None, "it is dated later");
            assert_eq!(says(&mut guard, 10).as_deref(), rule, "though the register has not grown since");
            assert_eq!(guard.forbids(&stranger, hours(10)).expect("read"), None);
            assert_eq!(guard.forbids(&correction(None), hours(10)).expect("read"), None);
            add(&mut guard, "answered", 11, "");
            assert_eq!([10, 11].map(|hour| says(&mut guard, hour).as_deref() == rule), [true, rule.is_none()]);
        }
    }
}
