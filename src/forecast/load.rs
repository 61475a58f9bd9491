//! What a pool is fed with: objects to ask for, or changes to carry out.

use super::kind::{Commands, Kind};
use crate::base::{DomainName, Handle};
use crate::model::{ContactChange, ContactUpdate, DomainUpdate, HostsFilter, Query, Transform};
use crate::session::{Loss, Outcome, Pool, ReadPool, WritePool};
use std::collections::{BTreeMap, VecDeque};
use std::ops::DerefMut;

/// What feeds a pool.
pub(super) trait Load {
    /// The pool.
    type Pool: DerefMut<Target = Pool>;

    /// Submits one command, where there is one and the pool is to have it. Whether it did.
    fn submit(&mut self, pool: &mut Self::Pool) -> bool;

    /// Takes an outcome.
    fn settle(&mut self, ticket: u64, outcome: &Outcome);

    /// Whether nothing more will come.
    fn is_over(&self) -> bool;

    /// Objects, or changes, that were not begun.
    fn left(&self) -> u64;

    /// Those that are done.
    fn done(&self) -> u64;

    /// How much of what is in hand, in one number: equal numbers go on in equal ways.
    fn phase(&self) -> u64;

    /// Of how many commands a turn may consist, besides what the pool's limits tell.
    fn lengths(&self) -> Vec<usize>;

    /// How many are begun by so many commands of these kinds.
    fn units(&self, commands: &Commands) -> u64;

    /// Takes `units` for done; the commands that this comes to are added to `commands`.
    fn skip(&mut self, units: u64, of_turn: &Commands, turns: u64, commands: &mut Commands);
}

/// Whether a command was kept back by a ration.
pub(super) const fn is_rationed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::NeverSent { why: Loss::Rationed(_) })
}

/// A name of the same length whatever its number.
fn name(number: u64) -> DomainName {
    DomainName::new(format!("d{number:09}.example"))
}

fn handle(number: u64) -> Handle {
    Handle::new(format!("C{number:09}"))
}

/// The kind of the object with that number.
fn question(kind: Kind, number: u64) -> Query {
    match kind {
        Kind::Contact => Query::ContactInfo { id: handle(number), auth: None },
        _ => Query::DomainInfo { name: name(number), hosts: HostsFilter::All, auth: None },
    }
}

/// A pull: domains come first, since they name contacts.
pub(super) struct Reading {
    domains: u64,
    contacts: u64,
    outstanding: BTreeMap<u64, Kind>,
    done: u64,
    ticket: u64,
    is_stopped: bool,
}

impl Reading {
    /// All these are to be asked for.
    pub(super) const fn new(domains: u64, contacts: u64) -> Self {
        Self { domains, contacts, outstanding: BTreeMap::new(), done: 0, ticket: 0, is_stopped: false }
    }

    /// Takes so many off what is left: domains, and contacts.
    fn take(&mut self, units: u64) -> (u64, u64) {
        let domains = self.domains.min(units);
        let contacts = self.contacts.min(units - domains);
        self.domains -= domains;
        self.contacts -= contacts;
        (domains, contacts)
    }

    /// What is left: domains, and contacts.
    pub(super) const fn rest(&self) -> (u64, u64) {
        (self.domains, self.contacts)
    }
}

impl Load for Reading {
    type Pool = ReadPool;

    fn submit(&mut self, pool: &mut ReadPool) -> bool {
        if self.is_stopped || self.left() == 0 || pool.room() == 0 {
            return false;
        }
        let (domains, _) = self.take(1);
        let kind = if domains > 0 { Kind::Domain } else { Kind::Contact };
        self.ticket += 1;
        self.outstanding.insert(self.ticket, kind);
        pool.submit(self.ticket, question(kind, self.ticket % 1_000_000_000));
        true
    }

    fn settle(&mut self, ticket: u64, outcome: &Outcome) {
        let Some(kind) = self.outstanding.remove(&ticket) else { return };
        if !is_rationed(outcome) {
            self.done += 1;
            return;
        }
        // It is asked for in another night.
        self.is_stopped = true;
        match kind {
            Kind::Domain => self.domains += 1,
            _ => self.contacts += 1,
        }
    }

    fn is_over(&self) -> bool {
        self.outstanding.is_empty() && (self.is_stopped || self.left() == 0)
    }

    fn left(&self) -> u64 {
        self.domains + self.contacts
    }

    fn done(&self) -> u64 {
        self.done
    }

    fn phase(&self) -> u64 {
        self.outstanding.len() as u64
    }

    fn lengths(&self) -> Vec<usize> {
        Vec::new()
    }

    fn units(&self, commands: &Commands) -> u64 {
        commands.contact_infos + commands.domain_infos
    }

    fn skip(&mut self, units: u64, of_turn: &Commands, turns: u64, commands: &mut Commands) {
        let (domains, contacts) = self.take(units);
        self.done += units;
        commands.count(Kind::Domain, domains);
        commands.count(Kind::Contact, contacts);
        commands.add(&Commands { contact_infos: 0, domain_infos: 0, ..*of_turn }, turns);
    }
}

/// What a change waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Look,
    Change,
    LookAgain,
}

/// Changes: each object is read, changed, and read again, as `apply` does.
pub(super) struct Changing {
    kind: Kind,
    left: u64,
    in_hand: BTreeMap<u64, Step>,
    /// How many of those wait for each step.
    steps: [u64; 3],
    most: usize,
    due: VecDeque<(u64, Step)>,
    done: u64,
    ticket: u64,
    is_stopped: bool,
}

impl Changing {
    /// `changes` of contacts, or of domains where there are no contacts; at most `most` of them are begun at a time.
    pub(super) fn new(changes: u64, of_contacts: bool, most: usize) -> Self {
        let kind = if of_contacts { Kind::Contact } else { Kind::Domain };
        Self {
            kind,
            left: changes,
            in_hand: BTreeMap::new(),
            steps: [0; 3],
            most: most.max(1),
            due: VecDeque::new(),
            done: 0,
            ticket: 0,
            is_stopped: false,
        }
    }

    /// Puts a change at its next step, or out of hand.
    fn put(&mut self, ticket: u64, step: Option<Step>) {
        let was = match step {
            Some(step) => self.in_hand.insert(ticket, step),
            None => self.in_hand.remove(&ticket),
        };
        if let Some(count) = was.and_then(|was| self.steps.get_mut(was as usize)) {
            *count -= 1;
        }
        if let Some(count) = step.and_then(|step| self.steps.get_mut(step as usize)) {
            *count += 1;
        }
    }

    /// One change, of which only the length is of interest.
    fn transform(&self, number: u64) -> Transform {
        if self.kind == Kind::Contact {
            let chg = ContactChange { email: Some("forecast@registrar.example".into()), ..ContactChange::default() };
            return Transform::ContactUpdate(ContactUpdate { id: handle(number), add: Vec::new(), rem: Vec::new(), chg: Some(chg) });
        }
        Transform::DomainUpdate(DomainUpdate { registrant: Some(handle(1)), ..DomainUpdate::of(name(number)) })
    }
}

impl Load for Changing {
    type Pool = WritePool;

    fn submit(&mut self, pool: &mut WritePool) -> bool {
        let (ticket, step) = match self.due.pop_front() {
            Some(due) => due,
            None if self.left > 0 && !self.is_stopped && self.in_hand.len() < self.most => {
                self.left -= 1;
                self.ticket += 1;
                self.put(self.ticket, Some(Step::Look));
                (self.ticket, Step::Look)
            }
            None => return false,
        };
        let number = ticket % 1_000_000_000;
        match step {
            Step::Look | Step::LookAgain => pool.ask(ticket, question(self.kind, number)),
            Step::Change => pool.submit(ticket, Box::new(self.transform(number)), None),
        }
        true
    }

    fn settle(&mut self, ticket: u64, outcome: &Outcome) {
        if is_rationed(outcome) {
            // The whole change is for another night, which looks at its object anew.
            self.is_stopped = true;
            self.put(ticket, None);
            self.left += 1;
            return;
        }
        let next = match self.in_hand.get(&ticket) {
            Some(Step::Look) => Step::Change,
            Some(Step::Change) => Step::LookAgain,
            Some(Step::LookAgain) | None => {
                self.put(ticket, None);
                self.done += 1;
                return;
            }
        };
        self.put(ticket, Some(next));
        self.due.push_back((ticket, next));
    }

    fn is_over(&self) -> bool {
        (self.left == 0 || self.is_stopped) && self.in_hand.is_empty()
    }

    fn left(&self) -> u64 {
        self.left
    }

    fn done(&self) -> u64 {
        self.done
    }

    fn phase(&self) -> u64 {
        let [looks, changes, again] = self.steps;
        looks | changes << 20 | again << 40
    }

    /// Each change in hand goes round in three commands, or in four where the object is read for the change itself.
    fn lengths(&self) -> Vec<usize> {
        [3, 4].map(|commands| self.most.saturating_mul(commands)).to_vec()
    }

    fn units(&self, commands: &Commands) -> u64 {
        commands.changes
    }

    fn skip(&mut self, units: u64, of_turn: &Commands, turns: u64, commands: &mut Commands) {
        self.left -= units.min(self.left);
        self.done += units;
        commands.add(of_turn, turns);
    }
}
