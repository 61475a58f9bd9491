//! The ledger: the chain of events in a store, and whose they are.

use super::decision::{Decision, decide};
use super::draft::{Draft, IDS};
use super::fingerprint::{Fingerprint, Part};
use super::fold::{Standing, State, fold, fold_group};
use super::import::{COLUMNS, Import, exported};
use super::record::{Purpose, Record, Token};
use super::subjects::{Made, Rekeyed, Subject, Subjects};
use super::values::Who;
use crate::base::{Blame, Entropy, Exit, ObjectKey, Personal, Problem, Result, Timestamp, hex};
use crate::store::{Append, Batch, Head, Store, StreamName, read, sealed_cell};
use std::collections::{BTreeMap, HashMap};

/// The stream of the events.
const STREAM: &str = "consent";
/// What the id of a message is sealed as.
const MESSAGE: &str = "message";
/// What an event's own id is the digest of, where nobody gave it one.
const RECORD: &str = "record";
/// The most near duplicates that one import tells.
const MAX_NEAR: usize = 1_000;

/// Two subjects that differ in one part alone, and are one and the same perhaps: for a person to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct Near {
    /// The newer one.
    #[schemars(with = "String")]
    pub subject: Subject,
    /// The older one.
    #[schemars(with = "String")]
    pub other: Subject,
    /// In which part.
    pub differs: Part,
}

/// What was taken of some events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Events that are new.
    pub added: u64,
    /// Events that were there already.
    pub known: u64,
    /// Subjects that are new.
    pub subjects: u64,
    /// Those of them that are near to others.
    pub near: Vec<Near>,
    /// Whose events were added.
    pub touched: Vec<Subject>,
}

/// The ledger.
#[derive(Debug)]
pub struct Ledger<'s> {
    subjects: Subjects<'s>,
    stream: StreamName,
    head: Head,
    /// The events of each subject, in the order in which they were taken.
    records: BTreeMap<Subject, Vec<Record>>,
    /// Whose event has that id, and the how manieth it is.
    ids: HashMap<Token, (Subject, usize)>,
}

impl<'s> Ledger<'s> {
    /// The ledger in `store`; its chain is held against its hashes.
    ///
    /// # Errors
    /// `E-store-003` where the chain is broken, `E-consent-002` where a row is none of ours (both exit 33); `E-store-006`.
    pub fn open(store: &'s mut dyn Store) -> Result<Self> {
        let stream = StreamName::new(STREAM)?;
        let subjects = Subjects::open(store)?;
        let (mut records, mut ids) = (BTreeMap::new(), HashMap::new());
        let head = read(subjects.store, &stream, |number, row| {
            let record = Record::from_row(row).map_err(|why| {
                let what = format!("row {number} of the consent ledger cannot be read: {why}");
                Problem::new("E-consent-002", Blame::Operator, what, "use the version of this program that wrote it").exit(Exit::Storage)
            })?;
            keep(&mut records, &mut ids, record);
            Ok(())
        })?;
        Ok(Self { subjects, stream, head, records, ids })
    }

    /// The end of the ledger's chain in `store`, by which a reader tells whether it has grown.
    ///
    /// # Errors
    /// `E-store-006`.
    pub fn newest(store: &mut dyn Store) -> Result<Head> {
        store.head(&StreamName::new(STREAM)?)
    }

    /// The subject that `person` is; nothing where the ledger has none.
    ///
    /// # Errors
    /// `E-consent-001` (exit 33), `E-store-006`.
    pub fn subject_of(&mut self, person: &Fingerprint) -> Result<Option<Subject>> {
        Ok(self.subjects.find(person)?.map(|found| found.subject))
    }

    /// Whether `subject`'s data may be used for `purpose` at `at`.
    #[must_use]
    pub fn decide(&self, subject: Subject, purpose: Purpose, at: Timestamp) -> Decision {
        decide(self.events(subject), purpose, at)
    }

    /// Whether the data of `person` may be used for `purpose` at `at`; what was said to the ledger of nobody is nothing.
    ///
    /// # Errors
    /// As [`Self::subject_of`].
    pub fn decide_for(&mut self, person: Option<&Fingerprint>, purpose: Purpose, at: Timestamp) -> Result<Decision> {
        let subject = person.map(|person| self.subject_of(person)).transpose()?.flatten();
        Ok(subject.map_or_else(Decision::nothing, |subject| self.decide(subject, purpose, at)))
    }

    /// What holds for `subject` and `purpose` at `at`.
    #[must_use]
    pub fn standing(&self, subject: Subject, purpose: Purpose, at: Timestamp) -> Standing {
        fold(self.events(subject), purpose, at)
    }

    /// When `subject` withdrew last what it has not given again, for any purpose, as of `at`.
    #[must_use]
    pub fn withdrawn(&self, subject: Subject, at: Timestamp) -> Option<Timestamp> {
        let events = self.events(subject);
        let of = |purpose: &Purpose| {
            let standing = fold(events, *purpose, at);
            let is_it = |record: &&Record| standing.state == State::Withdrawn && standing.evidence.contains(&record.id);
            events.iter().filter(is_it).map(|record| record.at).max()
        };
        let given = self.given_to(subject).into_iter().filter_map(|(provider, group)| {
            let standing = fold_group(events, provider.as_str(), group.as_ref().map(Token::as_str), at);
            let is_it = |record: &&Record| standing.state == State::Withdrawn && standing.evidence.contains(&record.id);
            events.iter().filter(is_it).map(|record| record.at).max()
        });
        Purpose::OF_CHANGES.iter().filter_map(of).chain(given).max()
    }

    /// The providers and groups that events of `subject` name, each once, in order. Where a provider is named without a group, it stands
    /// so as well.
    #[must_use]
    pub fn given_to(&self, subject: Subject) -> Vec<(Token, Option<Token>)> {
        let named = self.events(subject).iter().filter_map(|event| Some((event.provider.clone()?, event.group.clone())));
        named.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// The subjects that `people` are, in their order; those that are new are made.
    ///
    /// # Errors
    /// `E-entropy-001`, `E-consent-001` and `E-store-…`; nothing was made then.
    pub fn enrol_all(&mut self, people: &[Fingerprint], entropy: &mut dyn Entropy) -> Result<Vec<Subject>> {
        let (mut batch, mut made) = (Batch::default(), Made::default());
        let mut out = Vec::with_capacity(people.len());
        for person in people {
            out.push(self.subjects.enrol(person, &mut made, &mut batch, entropy)?.subject);
        }
        self.subjects.store.commit(&batch)?;
        Ok(out)
    }

    /// The key that is a subject's own; nothing where it was erased, or there never was one.
    ///
    /// # Errors
    /// `E-store-006`; `E-consent-001` (exit 33).
    pub fn key(&mut self, subject: Subject) -> Result<Option<ObjectKey>> {
        self.subjects.key(subject)
    }

    /// A name for `person` that tells nobody who it is: see [`Subjects::pseudonym`].
    ///
    /// # Errors
    /// As there.
    pub fn pseudonym(&mut self, person: &Fingerprint, entropy: &mut dyn Entropy) -> Result<String> {
        self.subjects.pseudonym(person, entropy)
    }

    /// The events of `subject`, in the order in which they were taken.
    #[must_use]
    pub fn events(&self, subject: Subject) -> &[Record] {
        self.records.get(&subject).map_or(&[], Vec::as_slice)
    }

    /// Every subject that has events, erased ones too, by id.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> {
        self.records.keys().copied()
    }

    /// How many events there are, and the hash of the last.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Takes the good events of `import`, all in one commit, and tells those of its rows that cannot stand beside what is there. Where
    /// one row is bad nothing is taken, unless `skip_bad` leaves those out; of a file that could not be read to its end nothing ever is.
    ///
    /// # Errors
    /// `E-entropy-001`, `E-consent-001` and `E-store-…`; nothing was taken then.
    pub fn take(&mut self, import: &mut Import, skip_bad: bool, now: Timestamp, entropy: &mut dyn Entropy) -> Result<Taken> {
        let (mut batch, mut made, mut taken) = (Batch::default(), Made::default(), Taken::default());
        // Events of this import, by their ids: an event may stand in several files.
        let mut fresh: HashMap<Token, Record> = HashMap::new();
        let mut rows: Vec<Record> = Vec::new();
        for (draft, file, line) in std::mem::take(&mut import.drafts) {
            let Some((subject, key)) = self.enrol(&draft, &mut made, &mut batch, &mut taken, entropy)? else {
                let what = "the ledger has no such subject, or it was erased";
                import.refuse(
                    file,
                    line,
                    Problem::new(IDS.no_subject, Blame::Input, what, "name the subject by its parts").field("subject"),
                );
                continue;
            };
            if let Some(message) = &draft.message {
                batch.cells.push(sealed_cell(&key.seal(MESSAGE, message.reveal().as_bytes(), Timestamp::MAX)?));
            }
            let record = recorded(draft, subject, &key, now);
            let there = self.ids.get(&record.id).and_then(|(whose, at)| self.events(*whose).get(*at)).or_else(|| fresh.get(&record.id));
            match there {
                Some(there) if there.tells_the_same(&record) => taken.known += 1,
                Some(_) => {
                    let what = format!("the event {} is there already and tells something else", record.id);
                    let remedy = "an event never changes: give the new one an id of its own";
                    import.refuse(file, line, Problem::new(IDS.changed, Blame::Input, what, remedy).field("record_id"));
                }
                None => {
                    fresh.insert(record.id.clone(), record.clone());
                    rows.push(record);
                }
            }
        }
        if import.cut || (import.bad > 0 && !skip_bad) {
            return Ok(Taken::default());
        }
        let bytes: Vec<Box<[u8]>> = rows.iter().map(Record::to_row).collect();
        batch.appends.push(Append { stream: self.stream.clone(), expected: self.head.rows, rows: bytes.clone() });
        self.subjects.store.commit(&batch)?;
        taken.added = rows.len() as u64;
        self.head = bytes.iter().fold(self.head, |head, row| head.after(row));
        taken.touched = rows.iter().map(|record| record.subject).collect();
        taken.touched.sort_unstable();
        taken.touched.dedup();
        for record in rows {
            keep(&mut self.records, &mut self.ids, record);
        }
        Ok(taken)
    }

    /// Whose event `draft` is; nothing where it names a subject by an id that the ledger has not.
    fn enrol(
        &mut self,
        draft: &Draft,
        made: &mut Made,
        batch: &mut Batch,
        taken: &mut Taken,
        entropy: &mut dyn Entropy,
    ) -> Result<Option<(Subject, ObjectKey)>> {
        let person = match &draft.who {
            Who::Person(person) => person,
            Who::Subject(subject) => return Ok(self.subjects.key(*subject)?.map(|key| (*subject, key))),
            // Whoever takes events in has put people in the place of contacts before.
            Who::Contact { .. } => return Ok(None),
        };
        let enrolled = self.subjects.enrol(person, made, batch, entropy)?;
        taken.subjects += u64::from(enrolled.is_new);
        let room = MAX_NEAR.saturating_sub(taken.near.len());
        let near = enrolled.near.iter().map(|(other, differs)| Near { subject: enrolled.subject, other: *other, differs: *differs });
        taken.near.extend(near.take(room));
        Ok(Some((enrolled.subject, enrolled.key)))
    }

    /// The id of the message that an event came in; nothing where there was none, or its subject was erased.
    ///
    /// # Errors
    /// `E-vault-002` (exit 21) where what is sealed is not what the event says; `E-store-006`.
    pub fn message(&mut self, record: &Record) -> Result<Option<Personal>> {
        let Some(digest) = &record.message else { return Ok(None) };
        let Some(key) = self.subjects.key(record.subject)? else { return Ok(None) };
        let opened = crate::store::Vault::new(self.subjects.store).open(&key, MESSAGE, digest)?;
        Ok(opened.map(|text| Personal::new(String::from_utf8_lossy(&text).into_owned())))
    }

    /// The events of `subjects` as rows in the order of [`COLUMNS`], which can be imported again: whose they are is told by the ids
    /// alone, and messages are left out unless `with_messages`.
    ///
    /// # Errors
    /// As [`Self::message`].
    pub fn export(&mut self, subjects: &[Subject], with_messages: bool) -> Result<Vec<[String; COLUMNS.len()]>> {
        let mut out = Vec::new();
        for subject in subjects {
            for record in self.events(*subject).to_vec() {
                let message = if with_messages { self.message(&record)? } else { None };
                out.push(exported(&record, message.as_ref()));
            }
        }
        Ok(out)
    }

    /// Rotates the key of fingerprints, as [`Subjects::rekey`] does.
    ///
    /// # Errors
    /// As there.
    pub fn rekey(&mut self, people: impl IntoIterator<Item = Fingerprint>, entropy: &mut dyn Entropy) -> Result<Rekeyed> {
        self.subjects.rekey(people, entropy)
    }

    /// Erases a subject: nobody can tell any more whose its events are, and no event changes. Whether there was such a subject.
    ///
    /// # Errors
    /// `E-store-006` where storage fails.
    pub fn erase(&mut self, subject: Subject) -> Result<bool> {
        self.subjects.erase(subject)
    }
}

/// Adds an event to those that are known.
fn keep(records: &mut BTreeMap<Subject, Vec<Record>>, ids: &mut HashMap<Token, (Subject, usize)>, record: Record) {
    let events = records.entry(record.subject).or_default();
    ids.insert(record.id.clone(), (record.subject, events.len()));
    // Most subjects have one event or two, and a vector that grows by itself begins with room for four.
    if events.len() == events.capacity() {
        events.reserve_exact(events.len().max(1));
    }
    events.push(record);
}

/// The record of an event. Without an id of its own it has one by what it tells, under its subject's salt.
fn recorded(draft: Draft, subject: Subject, key: &ObjectKey, now: Timestamp) -> Record {
    let Draft { who: _, id, purpose, elements, provider, group, event, at, expires, terms, notice, method, by, message } = draft;
    let message = message.map(|message| key.digest(MESSAGE, message.reveal().as_bytes()));
    let v = Record::VERSION;
    let given = id.is_some();
    let id = id.unwrap_or_else(Token::none);
    let mut record = Record {
        v,
        id,
        subject,
        purpose,
        elements,
        provider,
        group,
        event,
        at,
        expires,
        terms,
        notice,
        method,
        by,
        message,
        recorded: Timestamp::UNIX_EPOCH,
    };
    if !given {
        let digest = key.digest(RECORD, &record.to_row());
        let short = digest.bytes().first_chunk::<16>().map(|bytes| hex(bytes)).unwrap_or_default();
        record.id = Token::read(&format!("e-{short}")).unwrap_or_else(Token::none);
    }
    Record { recorded: now, ..record }
}
