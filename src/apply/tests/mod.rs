//! The executor against a small world in virtual time, which is stopped between any two effects, and at which every answer may be lost.

mod edges;
mod inbox;
mod queue;
mod runs;

use super::*;
use crate::base::{
    DomainName, Entropy, Handle, Moment, ObjectKey, ObjectRef, Personal, Problem, Result, SeededEntropy, Timestamp, ValueDigest,
};
use crate::journal::{self, Entry, Fold, StepState, Why};
use crate::model::{
    Contact, Domain, ExchangeFacts, ObjectKind, PendingData, Query, Queue, ResData, Response, ResultCode, ResultItem, Status, StatusValue,
    Transform,
};
use crate::plan::{Basis, BasisKind, Draft, DraftStep, Fact, Operation, Reason, Standing, Undo};
use crate::session::{At, Kind, Loss, Now, Outcome, RawFrame, classify};
use crate::store::{Batch, MemoryStore, Store as _, Vault, sealed_cell};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LOCK: &str = "clientTransferProhibited";

/// What happens to one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The answer is lost; the command took effect.
    LostAfter,
    /// The command is lost.
    LostBefore,
    /// The command takes effect a while after its answer was due, which never comes.
    Late,
    /// Not a byte of it leaves.
    NeverSent,
    /// It is refused with that code.
    Code(u16),
    /// The registry says yes and does nothing.
    Idle,
    /// The registry says yes, and it takes effect so many seconds later.
    Slow(u64),
    /// It is taken, and decided later.
    Pending,
    /// It is taken, and decided after so many seconds: whether it is granted. The queue tells of it.
    Decided(bool, u64),
}

/// A command that a registry decides on later.
#[derive(Clone)]
struct Undecided {
    at: Moment,
    transform: Transform,
    grants: bool,
    cltrid: Box<str>,
}

/// A registry.
#[derive(Clone, Default)]
struct World {
    contacts: BTreeMap<String, Contact>,
    domains: BTreeMap<String, Domain>,
    /// Faults of the commands to come, in order; none where there is none.
    faults: VecDeque<Option<Fault>>,
    /// Commands that took effect, by object.
    effects: BTreeMap<String, u32>,
    /// Commands that take effect later.
    late: Vec<(Moment, Transform)>,
    undecided: Vec<Undecided>,
    /// How long what was decided still shows as undecided.
    lag: Duration,
    /// What was decided and told, and still shows as undecided.
    lagging: Vec<Undecided>,
    /// The message queue: numbers, and what they tell of domains.
    queue: VecDeque<(u64, Option<PendingData>)>,
    /// Messages that ever were in the queue.
    messages: u64,
    /// Questions that bring no answer, counted down.
    deaf: u32,
    commands: u32,
}

impl World {
    fn of(domains: u32) -> Self {
        let mut world = Self::default();
        for n in 0..domains {
            let mut domain = Domain::bare(DomainName::new(format!("d{n}.example")));
            domain.registrant = Some(Handle::new(format!("C-{n}")));
            domain.statuses.push(Status::from(StatusValue::OK));
            world.domains.insert(domain.name.as_str().to_owned(), domain);
        }
        world
    }

    fn read(&mut self, query: &Query) -> Outcome {
        if self.deaf > 0 {
            self.deaf -= 1;
            return Outcome::Unknown { why: Loss::Deadline, facts: facts() };
        }
        let found = match query {
            Query::ContactInfo { id, .. } => self.contacts.get(id.as_str()).map(|c| ResData::Contact(Box::new(c.clone()))),
            Query::DomainInfo { name, .. } => self.domains.get(name.as_str()).map(|d| ResData::Domain(Box::new(d.clone()))),
            other => panic!("{other:?}"),
        };
        let code = if found.is_some() { 1000 } else { 2303 };
        answer(code, found, Kind::Query)
    }

    fn write(&mut self, transform: Transform, cltrid: Box<str>, now: Moment) -> Outcome {
        self.commands += 1;
        match self.faults.pop_front().flatten() {
            None => {
                self.effect(transform);
                answer(1000, None, Kind::Transform)
            }
            Some(Fault::LostAfter) => {
                self.effect(transform);
                Outcome::Unknown { why: Loss::Deadline, facts: facts() }
            }
            Some(Fault::LostBefore) => Outcome::Unknown { why: Loss::Deadline, facts: facts() },
            Some(Fault::Late) => {
                self.late.push((now + Duration::from_secs(20), transform));
                Outcome::Unknown { why: Loss::Deadline, facts: facts() }
            }
            Some(Fault::NeverSent) => Outcome::NeverSent { why: Loss::Deadline },
            Some(Fault::Code(code)) => answer(code, None, Kind::Transform),
            Some(Fault::Idle) => answer(1000, None, Kind::Transform),
            Some(Fault::Slow(seconds)) => {
                self.late.push((now + Duration::from_secs(seconds), transform));
                answer(1000, None, Kind::Transform)
            }
            Some(Fault::Pending) => {
                self.effect(transform);
                answer(1001, None, Kind::Transform)
            }
            Some(Fault::Decided(grants, seconds)) => {
                self.undecided.push(Undecided { at: now + Duration::from_secs(seconds), transform: transform.clone(), grants, cltrid });
                self.set_pending(&transform, true);
                answer(1001, None, Kind::Transform)
            }
        }
    }

    fn set_pending(&mut self, transform: &Transform, is_pending: bool) {
        let Transform::DomainUpdate(update) = transform else { panic!("{transform:?}") };
        let statuses = &mut self.domains.get_mut(update.name.as_str()).unwrap().statuses;
        statuses.retain(|status| status.value != StatusValue::PENDING_UPDATE);
        statuses.extend(is_pending.then(|| Status::from(StatusValue::PENDING_UPDATE)));
    }

    /// Puts a message into the queue.
    fn message(&mut self, decision: Option<PendingData>) {
        self.messages += 1;
        self.queue.push_back((self.messages, decision));
    }

    /// The head of the queue.
    fn head(&self) -> Outcome {
        let Some((number, decision)) = self.queue.front() else { return answer(1300, None, Kind::Session) };
        let mut told = answer(1301, decision.clone().map(ResData::DomainPending), Kind::Session);
        if let Outcome::Answer { response, frame, .. } = &mut told {
            let id = Some(number.to_string().into());
            response.queue = Some(Queue { count: Some(self.queue.len() as u64), id, date: None, msg: Some("a word".into()) });
            *frame = Some(RawFrame::new(format!("<message {number}>").as_bytes()));
        }
        told
    }

    fn settle(&mut self, now: Moment) {
        for Undecided { at, transform, grants, cltrid } in self.undecided.extract_if(.., |one| one.at <= now).collect::<Vec<_>>() {
            let Transform::DomainUpdate(update) = &transform else { panic!("{transform:?}") };
            let id = update.name.as_str().into();
            self.message(Some(PendingData { id, result: grants, cl_trid: Some(cltrid.clone()), sv_trid: None, date: None }));
            self.lagging.push(Undecided { at: at + self.lag, transform, grants, cltrid });
        }
        for Undecided { transform, grants, .. } in self.lagging.extract_if(.., |one| one.at <= now).collect::<Vec<_>>() {
            self.set_pending(&transform, false);
            if grants {
                self.effect(transform);
            }
        }
        for (_, transform) in self.late.extract_if(.., |(at, _)| *at <= now).collect::<Vec<_>>() {
            self.effect(transform);
        }
    }

    fn effect(&mut self, transform: Transform) {
        let id = match transform {
            Transform::ContactCreate(contact) => {
                let id = contact.id.as_str().to_owned();
                assert!(self.contacts.insert(id.clone(), contact).is_none(), "{id} was created twice");
                id
            }
            Transform::DomainUpdate(update) => {
                let id = update.name.as_str().to_owned();
                let domain = self.domains.get_mut(&id).unwrap();
                domain.registrant = update.registrant.or(domain.registrant.take());
                domain.statuses.retain(|s| s.value != StatusValue::OK && !update.rem.statuses.iter().any(|r| r.value == s.value));
                domain.statuses.extend(update.add.statuses);
                id
            }
            other => panic!("{other:?}"),
        };
        *self.effects.entry(id).or_default() += 1;
    }

    /// What there is.
    fn rows(&self) -> Vec<String> {
        let contacts = self.contacts.values().map(|c| (ObjectKind::Contact, c.id.as_str(), held(c)));
        let domains = self.domains.values().map(|d| (ObjectKind::Domain, d.name.as_str(), Standing::from(Box::new(d.clone()))));
        contacts.chain(domains).map(|(kind, id, standing)| format!("{id} {}", standing.image(kind))).collect()
    }
}

fn held(contact: &Contact) -> Standing {
    Box::new(contact.clone()).into()
}

fn facts() -> Box<ExchangeFacts> {
    Box::new(ExchangeFacts {
        id: crate::base::ExchangeId(1),
        command: "x",
        cl_trid: None,
        sv_trid: None,
        code: None,
        sent: Timestamp::UNIX_EPOCH,
        received: Timestamp::UNIX_EPOCH,
        bytes_out: 0,
        bytes_in: 0,
        digest: None,
        elements: "".into(),
    })
}

fn answer(code: u16, data: Option<ResData>, kind: Kind) -> Outcome {
    let item = ResultItem { code: ResultCode(code), msg: "".into(), lang: None, values: Vec::new(), ext_values: Vec::new() };
    let response = Response { results: vec![item], data: data.into_iter().collect(), sv_trid: Some("SV-1".into()), ..Response::default() };
    Outcome::Answer {
        response: Box::new(response),
        verdict: classify(ResultCode(code), "", At::Live, kind, &[]),
        facts: facts(),
        frame: None,
    }
}

/// A store that the executor's look-ups share with the journal.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<MemoryStore>>);

impl Values for Shared {
    fn key(&mut self, reference: ObjectRef) -> Result<Option<ObjectKey>> {
        Vault::new(&mut *self.0.lock().unwrap()).key(reference)
    }

    fn enrol(&mut self, name: &str, entropy: &mut dyn Entropy) -> Result<ObjectKey> {
        Vault::new(&mut *self.0.lock().unwrap()).enrol_one(name, entropy)
    }

    fn open(&mut self, key: &ObjectKey, fact: &str, digest: &ValueDigest) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>> {
        Vault::new(&mut *self.0.lock().unwrap()).open(key, fact, digest)
    }
}

/// Forbids operations by the name of their object, unless the ledgers cannot be read.
struct Forbidden(Vec<&'static str>, Option<Box<Problem>>);

impl Guard for Forbidden {
    fn forbids(&mut self, operation: &Operation, _: Timestamp) -> Result<Option<Box<str>>> {
        let rule = self.0.contains(&operation.object.id.as_str()).then(|| "RTR-6".into());
        self.1.clone().map_or(Ok(rule), Err)
    }
}

/// A run in progress, and all there is around it.
#[derive(Clone)]
struct Run {
    world: World,
    store: Shared,
    operations: Vec<Operation>,
    forbidden: Vec<&'static str>,
    /// What the ledgers cannot be read for.
    unread: Option<Box<Problem>>,
    reconcile: bool,
    /// How the queue is watched.
    queue: Option<Watch>,
    /// What the plan cannot be read on for, behind its last operation.
    torn: Option<Box<Problem>>,
    now: Moment,
}

impl Run {
    /// A plan of an operation for each of `domains` domains: a proxy contact, and behind it the domain's registrant and lock.
    fn of(domains: u32) -> Self {
        let (world, store) = (World::of(domains), Shared::default());
        let mut operations = Vec::new();
        for n in 0..domains {
            let id = format!("d{n}.example");
            let stands = Standing::from(Box::new(world.domains[&id].clone()));
            let row = stands.row().unwrap();
            let mut proxy = Contact::bare(Handle::new(format!("PP{n}")));
            proxy.email = Some(Personal::new(format!("{id}@relay.example")));
            let steps = vec![
                DraftStep::create(ObjectKind::Contact, held(&proxy).row().unwrap(), true),
                DraftStep::update(ObjectKind::Domain, &id).setting(Fact::column("registrant"), row, Some(format!("PP{n}"))).setting(
                    Fact::status(LOCK),
                    row,
                    Some(Fact::SET.to_owned()),
                ),
            ];
            let draft = Draft {
                registry: "r".to_owned(),
                object: (ObjectKind::Domain, id),
                steps,
                basis: Basis { kind: BasisKind::Terms, evidence: Vec::new(), subject: None, purposes: Vec::new() },
                undo: Undo::Inverse,
                touches: Vec::new(),
                reasons: vec![Reason { rule: "RTR-5".to_owned(), text: String::new() }],
            };
            let mut entropy = SeededEntropy::new(u64::from(n));
            let mut key = |kind: ObjectKind, id: &str| {
                let name = format!("r {} {id}", kind.as_str());
                Vault::new(&mut *store.0.lock().unwrap()).enrol_one(&name, &mut entropy)
            };
            let (mut operation, sealed) = draft.seal(Timestamp::MAX, &mut key).unwrap();
            let cells = sealed.iter().map(sealed_cell).collect();
            store.0.lock().unwrap().commit(&Batch { appends: Vec::new(), cells }).unwrap();
            (operation.op, operation.wave) = (u64::from(n) + 1, crate::plan::wave_of(u64::from(n), 1));
            operations.push(operation);
        }
        Self {
            world,
            store,
            operations,
            forbidden: Vec::new(),
            unread: None,
            reconcile: false,
            queue: None,
            torn: None,
            now: Moment::default(),
        }
    }

    /// Another run, with a disk of its own.
    fn copy(&self) -> Self {
        let store = self.store.0.lock().unwrap().clone();
        Self { store: Shared(Arc::new(Mutex::new(store))), ..self.clone() }
    }

    fn fold(&self) -> Fold {
        journal::open(&mut *self.store.0.lock().unwrap(), "p").unwrap()
    }

    /// The executor of the run, where it stands.
    fn executor(&self) -> Executor {
        let settings = Settings {
            registry: "r".into(),
            prefix: "p".into(),
            settle: Duration::from_secs(30),
            again: Duration::from_secs(5),
            queue: self.queue,
            in_hand: 4,
            tolerance: 500,
            keep: Timestamp::MAX,
            settle_only: self.reconcile,
        };
        let operations = Box::new(self.operations.clone().into_iter().map(Ok).chain(self.torn.clone().map(Err)));
        let parts = Parts {
            work: Box::new(Whole::new("r", operations, Arc::new(self.fold()))),
            values: Box::new(self.store.clone()),
            guard: Box::new(Forbidden(self.forbidden.clone(), self.unread.clone())),
            entropy: Box::new(SeededEntropy::new(9)),
        };
        Executor::new(settings, parts)
    }

    /// Goes on with the run until it is done, or `effects` of it have been carried out; whether it came to its end.
    fn go(&mut self, effects: usize) -> (bool, Summary) {
        self.try_go(effects).unwrap()
    }

    fn try_go(&mut self, effects: usize) -> Result<(bool, Summary)> {
        let mut executor = self.executor();
        let stream = journal::run_stream("p", 1).unwrap();
        let mut done = 0;
        for _ in 0..TURNS {
            let now = Now { at: self.now, wall: Timestamp::UNIX_EPOCH };
            self.world.settle(self.now);
            executor.handle_timeout(now);
            let Some(effect) = executor.poll_effect(now)? else {
                if executor.is_done() {
                    return Ok((true, executor.summary().clone()));
                }
                self.now = executor.poll_timeout().expect("something to wait for");
                continue;
            };
            if done == effects {
                return Ok((false, executor.summary().clone()));
            }
            done += 1;
            match effect {
                ApplyEffect::Read { ticket, query } => {
                    let outcome = self.world.read(&query);
                    executor.handle_outcome(ticket, outcome, now);
                }
                ApplyEffect::Write { ticket, transform, cltrid } => {
                    assert!(cltrid.len() <= 64 && cltrid.starts_with("p-"), "{cltrid}");
                    if effects == ALL {
                        self.check_sending();
                    }
                    let outcome = self.world.write(*transform, cltrid, self.now);
                    executor.handle_outcome(ticket, outcome, now);
                }
                ApplyEffect::NextMessage { ticket } => {
                    assert!(self.queue.is_some(), "the queue is to be left alone");
                    executor.handle_outcome(ticket, self.world.head(), now);
                }
                ApplyEffect::Acknowledge { ticket, id } => {
                    assert!(self.queue.is_some_and(|watch| watch.takes), "the queue is not ours");
                    assert!(self.fold().messages().any(|row| row.id == id), "{id} is not on disk");
                    let code = if self.world.queue.pop_front_if(|(number, _)| number.to_string() == *id).is_some() { 1000 } else { 2303 };
                    executor.handle_outcome(ticket, answer(code, None, Kind::Session), now);
                }
                ApplyEffect::Commit { ticket, entries, cells } => {
                    let mut store = self.store.0.lock().unwrap();
                    let head = store.head(&stream).unwrap();
                    let append = journal::append(stream.clone(), &head, &entries);
                    store.commit(&Batch { appends: vec![append], cells }).unwrap();
                    drop(store);
                    if let Some(ticket) = ticket {
                        executor.handle_committed(ticket);
                    }
                }
            }
        }
        panic!("the run comes to no end")
    }

    /// What is written was on disk before (I5): a step is being sent.
    fn check_sending(&self) {
        let fold = self.fold();
        let is_sending = |op: &Operation| (0..2).any(|step| fold.of(op.op, step).state == StepState::Sending);
        assert!(self.operations.iter().any(is_sending));
    }

    fn states(&self) -> Vec<&'static str> {
        let fold = self.fold();
        self.operations.iter().map(|op| fold.operation(op.op, 2).as_str()).collect()
    }

    /// The rows of the journal.
    fn entries(&self) -> Vec<Entry> {
        let (mut store, mut rows) = (self.store.0.lock().unwrap(), Vec::new());
        let stream = journal::run_stream("p", 1).unwrap();
        crate::store::read(&mut *store, &stream, |_, row| {
            rows.push(Entry::from_row(row).unwrap());
            Ok(())
        })
        .unwrap();
        rows
    }

    fn why(&self, op: u64, step: u8) -> Option<Why> {
        self.fold().of(op, step).why
    }
}

const ALL: usize = usize::MAX;
/// More turns than any run here takes.
const TURNS: usize = 10_000;
