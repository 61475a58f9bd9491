//! The walk: what to ask next, and what to keep of an answer. A state machine; it waits for nothing.

use super::ledger::Ledger;
use crate::base::{Blame, DomainName, Event, Events, Exit, Handle, Problem, RegistryId, Result, Timestamp};
use crate::dataset::{Building, Counts, Facts, Observation, Refresh, Snapshot, State, contact_row, domain_row, handles};
use crate::model::{AuthInfo, ExchangeFacts, HostsFilter, ObjectKind, Query, ResData, Response, ResultCode};
use crate::session::{Loss, Next, Outcome, QuotaUse, Work};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// How long observations may wait in memory before they are made durable: what a crash costs is asked for again.
const SYNC_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_secs(2);

/// Outcomes between two events of progress.
const PROGRESS_EVERY: u64 = 64;

/// How many objects that could not be read are told one by one.
const TOLD: u64 = 20;

/// What a walk met besides the objects.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Questions asked, by kind of object.
    pub asked: BTreeMap<ObjectKind, u64>,
    /// Elements no type knew, by namespace.
    pub unknown: BTreeMap<String, u64>,
    /// Result codes, with how often each came.
    pub codes: BTreeMap<u16, u64>,
    /// Objects with a live authInfo in the answer (RFC 9154 wants none outside a transfer). It was dropped.
    pub live_auth: u64,
    /// Objects whose answer could not be read, or that brought none.
    pub unreadable: u64,
    /// Questions that never reached the line, since the registry stopped.
    pub unasked: u64,
    /// Questions that never reached the line, since what may be asked was used up.
    pub rationed: u64,
    /// Ids in our own records that cannot be asked for: no registry can hold them.
    pub unaskable: u64,
}

/// The walk over one registry's objects.
pub struct Walk {
    building: Building,
    /// What is asked for besides what was never observed, where an older snapshot is refreshed.
    refresh: Option<Refresh>,
    /// Where the day's commands are counted.
    ledger: Option<Ledger>,
    registry: RegistryId,
    has_contacts: bool,
    batch: VecDeque<(ObjectKind, Box<str>)>,
    outstanding: HashMap<u64, (ObjectKind, Box<str>)>,
    ticket: u64,
    tally: Tally,
    events: Arc<dyn Events>,
    /// Objects that were taken from the frontier.
    expected: u64,
    /// Outcomes that were not yet told as progress.
    untold: u64,
    synced: Option<Timestamp>,
    failed: Option<Box<Problem>>,
}

impl Walk {
    /// A walk that continues `building`. At a registry without contact objects only domains are asked for.
    #[must_use]
    pub fn new(building: Building, registry: RegistryId, has_contacts: bool, events: Arc<dyn Events>) -> Self {
        Self {
            building,
            refresh: None,
            ledger: None,
            registry,
            has_contacts,
            batch: VecDeque::new(),
            outstanding: HashMap::new(),
            ticket: 0,
            tally: Tally::default(),
            events,
            expected: 0,
            untold: 0,
            synced: None,
            failed: None,
        }
    }

    /// Goes on, once what changed and what is new was asked for, with what `refresh` tells.
    pub fn set_refresh(&mut self, refresh: Refresh) {
        self.refresh = Some(refresh);
    }

    /// Counts every question in `ledger`.
    pub fn set_ledger(&mut self, ledger: Ledger) {
        self.ledger = Some(ledger);
    }

    /// Whether an older snapshot is refreshed: whatever was observed then makes a whole one together with it.
    #[must_use]
    pub const fn refreshes(&self) -> bool {
        self.building.base().is_some()
    }

    /// Adds an object to visit, however often it was added or visited before.
    ///
    /// # Errors
    /// Where the frontier cannot be written.
    pub fn visit(&mut self, kind: ObjectKind, id: &str) -> Result<()> {
        if kind == ObjectKind::Contact && !self.has_contacts { Ok(()) } else { self.building.frontier_push(kind, id) }
    }

    /// What it met so far.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Objects by state so far, over all processes of the run.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        self.building.counts()
    }

    /// Whether every object was visited and everything is noted.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let asked = self.tally.unasked + self.tally.rationed == 0 && self.batch.is_empty() && self.outstanding.is_empty();
        self.failed.is_none() && asked
    }

    /// Whether anything was observed, by whichever process of the run.
    #[must_use]
    pub fn has_observed(&self) -> bool {
        let counts = self.counts();
        let of = |kind| {
            let state = counts.of(kind);
            state.ok + state.missing + state.unreadable + state.refused
        };
        ObjectKind::ALL.into_iter().map(of).sum::<u64>() > 0
    }

    /// Ends a refreshment in which nothing was observed: the older snapshot stays the newest.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn abandon(self) -> Result<Tally> {
        self.building.abandon()?;
        Ok(self.tally)
    }

    /// Makes what was observed durable, so that the same run goes on from here.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn pause(mut self) -> Result<Tally> {
        self.tell_progress();
        self.building.sync()?;
        self.save_ledger()?;
        Ok(self.tally)
    }

    /// Puts the snapshot in place.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn finish(mut self, wall: Timestamp) -> Result<(Snapshot, Tally)> {
        self.tell_progress();
        Ok((self.building.finish(wall)?, self.tally))
    }

    /// Fills the batch. Domains come first, since they name contacts; contacts that are met on the way come in a later round. Where a
    /// snapshot is refreshed, what changed comes before what it does not hold, and what is oldest comes last.
    fn refill(&mut self) -> Result<()> {
        if let Some((kind, ids)) = self.refresh.as_mut().map_or(Ok(None), Refresh::next_changed)? {
            self.give_out(kind, ids);
            return Ok(());
        }
        for kind in [ObjectKind::Domain, ObjectKind::Contact] {
            if let Some(ids) = self.building.next_batch(kind)? {
                self.give_out(kind, ids);
                return Ok(());
            }
        }
        if let Some((kind, ids)) = self.refresh.as_mut().map_or(Ok(None), Refresh::next_oldest)? {
            self.give_out(kind, ids);
        }
        Ok(())
    }

    fn give_out(&mut self, kind: ObjectKind, ids: Vec<Box<str>>) {
        self.expected += ids.len() as u64;
        self.events.tell(Event::Expected { registry: self.registry.clone(), total: self.expected });
        self.batch.extend(ids.into_iter().map(|id| (kind, id)));
    }

    /// Takes the pool's own count of the day's commands over, and puts it on disk.
    pub(super) fn settle(&mut self, used: QuotaUse) -> Result<()> {
        if let Some(ledger) = &mut self.ledger {
            ledger.settle(used);
        }
        self.save_ledger()
    }

    fn save_ledger(&mut self) -> Result<()> {
        self.ledger.as_mut().map_or(Ok(()), Ledger::save)
    }

    /// Notes an answer.
    fn answer(&mut self, kind: ObjectKind, id: Box<str>, mut response: Response, facts: &ExchangeFacts) -> Result<()> {
        for unknown in &response.unknown {
            *self.tally.unknown.entry(unknown.namespace.to_string()).or_default() += 1;
        }
        let code = response.code();
        *self.tally.codes.entry(code.0).or_default() += 1;
        let data = response.data.drain(..).find(|d| matches!(d, ResData::Contact(_) | ResData::Domain(_)));
        let (state, row, about) = match (code, data) {
            (ResultCode::DOES_NOT_EXIST, _) => (State::Missing, None, Facts::default()),
            (ResultCode::AUTHORIZATION | ResultCode(2202), _) => (State::Refused, None, Facts::default()),
            (code, Some(ResData::Contact(contact))) if code.is_success() && kind == ObjectKind::Contact => {
                self.tally.live_auth += u64::from(is_live(contact.auth.as_ref()));
                (State::Ok, Some(contact_row(&contact)), Facts::from(&*contact))
            }
            (code, Some(ResData::Domain(domain))) if code.is_success() && kind == ObjectKind::Domain => {
                self.tally.live_auth += u64::from(is_live(domain.auth.as_ref()));
                let row = domain_row(&domain);
                if self.has_contacts {
                    handles(&row).try_for_each(|handle| self.building.frontier_push(ObjectKind::Contact, &handle))?;
                }
                (State::Ok, Some(row), Facts::from(&*domain))
            }
            (code, _) => {
                let why = if code.is_success() {
                    "holds nothing that could be read".to_owned()
                } else {
                    format!("has code {}{}", code.0, response.details())
                };
                self.cannot_read(kind, &id, &format!("the answer {why}"));
                (State::Unreadable, None, Facts::default())
            }
        };
        let unknown = u32::try_from(response.unknown.len()).unwrap_or(u32::MAX);
        self.note(Observation { kind, id, state, row, facts: about, observed_at: facts.received, exchange: facts.id, unknown })
    }

    /// Notes an object that brought no answer we can read.
    fn no_answer(&mut self, kind: ObjectKind, id: Box<str>, why: &str, facts: &ExchangeFacts) -> Result<()> {
        self.cannot_read(kind, &id, why);
        let state = State::Unreadable;
        let about = Facts::default();
        self.note(Observation { kind, id, state, row: None, facts: about, observed_at: facts.received, exchange: facts.id, unknown: 0 })
    }

    /// Notes an observation, and now and then makes what was noted durable.
    fn note(&mut self, seen: Observation) -> Result<()> {
        let at = seen.observed_at;
        self.building.observe(seen)?;
        self.untold += 1;
        if self.untold >= PROGRESS_EVERY {
            self.tell_progress();
        }
        let last = *self.synced.get_or_insert(at);
        if at.duration_since(last) >= SYNC_EVERY {
            self.synced = Some(at);
            self.building.sync()?;
            self.save_ledger()?;
        }
        Ok(())
    }

    /// Tells of an object that cannot be read; the first ones by name, all of them as a count.
    fn cannot_read(&mut self, kind: ObjectKind, id: &str, why: &str) {
        self.tally.unreadable += 1;
        if self.tally.unreadable <= TOLD {
            let object = format!("{} {} {id}", self.registry.as_str(), kind.as_str());
            let remedy = "it is listed as unreadable and not compared; ask the registry, or pull again";
            let problem = Problem::new("E-pull-001", Blame::Registry, why, remedy).object(object).exit(Exit::InputIncomplete);
            self.events.tell(Event::Warning(problem));
        }
    }

    fn tell_progress(&mut self) {
        if self.untold > 0 {
            self.events.tell(Event::Progress { registry: self.registry.clone(), done: self.untold });
            self.untold = 0;
        }
    }
}

impl Work for Walk {
    fn next(&mut self) -> Next {
        if self.batch.is_empty()
            && let Err(problem) = self.refill()
        {
            // The frontier is ours: without it nothing can be asked. The next outcome, or the end, tells it.
            self.failed = Some(problem);
            return Next::Finished;
        }
        let Some((kind, id)) = self.batch.pop_front() else {
            return if self.outstanding.is_empty() { Next::Finished } else { Next::Later };
        };
        let query = match kind {
            ObjectKind::Contact => Query::ContactInfo { id: Handle::new(id.clone()), auth: None },
            ObjectKind::Domain => Query::DomainInfo { name: DomainName::new(id.clone()), hosts: HostsFilter::All, auth: None },
        };
        let ticket = self.ticket;
        self.ticket += 1;
        *self.tally.asked.entry(kind).or_default() += 1;
        self.outstanding.insert(ticket, (kind, id));
        Next::Query(ticket, query)
    }

    fn outcome(&mut self, ticket: u64, outcome: Outcome) -> Result<()> {
        if let Some(problem) = self.failed.clone() {
            return Err(problem);
        }
        let Some((kind, id)) = self.outstanding.remove(&ticket) else {
            return Ok(());
        };
        if let Outcome::Answer { facts, .. } | Outcome::Unreadable { facts, .. } | Outcome::Unknown { facts, .. } = &outcome {
            let session = u32::try_from(facts.id.0 >> 32).unwrap_or(u32::MAX);
            self.building.exchange(kind, &id, facts, session)?;
            if let Some(ledger) = &mut self.ledger {
                ledger.asked(facts.sent);
            }
        }
        match outcome {
            Outcome::Answer { response, facts, .. } => self.answer(kind, id, *response, &facts),
            Outcome::Unreadable { why, facts, .. } => self.no_answer(kind, id, &why, &facts),
            Outcome::Unknown { why, facts } => self.no_answer(kind, id, &format!("no answer: {why}"), &facts),
            Outcome::NeverSent { why: Loss::Rationed(_) } => {
                self.tally.rationed += 1;
                Ok(())
            }
            Outcome::NeverSent { .. } => {
                self.tally.unasked += 1;
                Ok(())
            }
            Outcome::Refused(problem) => {
                // Nothing is claimed of an object that was not asked for.
                if problem.blame == Blame::Input {
                    self.tally.unaskable += 1;
                } else {
                    self.tally.unasked += 1;
                }
                if self.tally.unaskable + self.tally.unasked <= TOLD {
                    self.events.tell(Event::Warning(problem));
                }
                Ok(())
            }
        }
    }
}

/// Whether an answer carries an authInfo that would authorise something.
fn is_live(auth: Option<&AuthInfo>) -> bool {
    matches!(auth, Some(AuthInfo::Password { pw, .. }) if !pw.reveal().is_empty())
}
