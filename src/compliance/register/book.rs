//! One register in a store: its chain of events, whose its cases are, and the texts that are sealed beside it.

use super::deadline::Limits;
use super::draft::{Draft, Given, IDS, KEPT};
use super::entry::{Entry, Whose};
use super::fold::{Case, fold};
use super::schema::{Column, Kind, Register, Use, register};
use crate::base::{Blame, Entropy, Exit, ObjectKey, Personal, Problem, Result, Timestamp, hex};
use crate::compliance::import::Import;
use crate::compliance::record::Token;
use crate::compliance::subjects::{Made, Subject, Subjects};
use crate::compliance::values::Who;
use crate::store::{Append, Batch, Head, Store, StreamName, Vault, read, sealed_cell};
use std::collections::{BTreeMap, HashMap};

/// What an event's own id is the digest of, where nobody gave it one.
const ENTRY: &str = "entry";

/// What was taken of some events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Events that are new.
    pub added: u64,
    /// Events that were there already.
    pub known: u64,
    /// Subjects that are new.
    pub subjects: u64,
    /// The cases whose events were added.
    pub touched: Vec<Token>,
}

/// Why nothing may be changed about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The rule.
    pub rule: &'static str,
    /// What it says.
    pub what: &'static str,
}

/// One register.
#[derive(Debug)]
pub struct Book<'s> {
    register: &'static Register,
    subjects: Subjects<'s>,
    stream: StreamName,
    head: Head,
    /// The events of each case, in the order in which they were taken.
    cases: BTreeMap<Token, Vec<Entry>>,
    /// Which case's event has that id, and the how manieth it is.
    ids: HashMap<Token, (Token, usize)>,
}

/// An import on its way in: what is made of it stands in no store yet.
#[derive(Default)]
struct Taking {
    batch: Batch,
    made: Made,
    recorded: Recorded,
    rows: Vec<Entry>,
    /// Events of this import, by their ids: an event may stand in several files.
    fresh: HashMap<Token, Entry>,
    /// Whom cases are of that are named here.
    whose: HashMap<Token, Subject>,
    /// Keys, by what they are of.
    keys: HashMap<String, ObjectKey>,
}

/// What every case of the register `name` comes to at `at`, for whom nothing of it rests on the calendar of a country.
///
/// # Errors
/// As [`Book::open`].
pub fn cases_of(store: &mut dyn Store, name: &str, at: Timestamp) -> Result<Vec<Case>> {
    let Some(register) = register(name) else { return Ok(Vec::new()) };
    Ok(Book::open(store, register)?.cases(at, &Limits::default()).collect())
}

impl<'s> Book<'s> {
    /// The register in `store`; its chain is held against its hashes.
    ///
    /// # Errors
    /// `E-store-003` where the chain is broken, `E-register-002` where a row is none of ours (both exit 33); `E-store-006`.
    pub fn open(store: &'s mut dyn Store, register: &'static Register) -> Result<Self> {
        let stream = stream(register)?;
        let subjects = Subjects::open(store)?;
        let (mut cases, mut ids) = (BTreeMap::new(), HashMap::new());
        let head = read(subjects.store, &stream, |number, row| {
            let entry = Entry::from_row(register, row).map_err(|why| {
                let what = format!("row {number} of the register `{}` cannot be read: {why}", register.name);
                let remedy = "use the version of this program that wrote it";
                Problem::new("E-register-002", Blame::Operator, what, remedy).exit(Exit::Storage)
            })?;
            keep(&mut cases, &mut ids, entry);
            Ok(())
        })?;
        Ok(Self { register, subjects, stream, head, cases, ids })
    }

    /// The end of a register's chain in `store`, by which a reader tells whether it has grown.
    ///
    /// # Errors
    /// `E-store-006`.
    pub fn newest(store: &mut dyn Store, register: &Register) -> Result<Head> {
        store.head(&stream(register)?)
    }

    /// The register.
    #[must_use]
    pub const fn register(&self) -> &'static Register {
        self.register
    }

    /// How many events there are, and the hash of the last.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The events of a case, in the order in which they were taken.
    #[must_use]
    pub fn events(&self, case: &Token) -> &[Entry] {
        self.cases.get(case).map_or(&[], Vec::as_slice)
    }

    /// What the case comes to at `at`; nothing where there is no such case, or nothing had happened in it yet.
    #[must_use]
    pub fn case(&self, case: &Token, at: Timestamp, limits: &Limits) -> Option<Case> {
        let begun = self.cases.get_key_value(case).filter(|(_, entries)| has_begun(entries, at));
        begun.map(|(case, entries)| fold(self.register, case, entries, at, limits))
    }

    /// What every case comes to at `at`, in the order of their numbers. Nothing of a person stands in one.
    pub fn cases(&self, at: Timestamp, limits: &Limits) -> impl Iterator<Item = Case> {
        let begun = self.cases.iter().filter(move |(_, entries)| has_begun(entries, at));
        begun.map(move |(case, entries)| fold(self.register, case, entries, at, limits))
    }

    /// Of whom nothing may be changed at `at`, because a case of theirs is open that keeps it from being done.
    #[must_use]
    pub fn blocks(&self, at: Timestamp) -> HashMap<Subject, Block> {
        // Whether a case is open does not rest on the calendar.
        let limits = Limits::default();
        let blocking = |case: &Case| {
            let value = |column: &str| case.values.get(column).map(String::as_str);
            let found = self.register.blocks.iter().find(|block| block.when.holds(value(&block.when.column)))?;
            Some((case.subject?, Block { rule: &found.rule, what: &found.what }))
        };
        if self.register.blocks.is_empty() {
            return HashMap::new();
        }
        self.cases(at, &limits).filter(|case| case.open).filter_map(|case| blocking(&case)).collect()
    }

    /// Takes the good events of `import`, all in one commit, and tells those of its rows that cannot stand beside what is there. Where
    /// one row is bad nothing is taken, unless `skip_bad` leaves those out; of a file that could not be read to its end nothing ever is.
    ///
    /// # Errors
    /// `E-entropy-001`, `E-consent-001` and `E-store-…`; nothing was taken then.
    pub fn take(&mut self, import: &mut Import<Draft>, skip_bad: bool, now: Timestamp, entropy: &mut dyn Entropy) -> Result<Recorded> {
        let mut taking = Taking::default();
        let drafts = std::mem::take(&mut import.drafts);
        let mut good = Vec::new();
        // Whom a case is of may be said by a later row than its first.
        for (draft, file, line) in drafts {
            match self.whose(&draft, &mut taking, entropy)? {
                Ok(()) => good.push((draft, file, line)),
                Err(problem) => import.refuse(file, line, problem),
            }
        }
        for (draft, file, line) in good {
            match self.entry(draft, &mut taking, now, entropy)? {
                Ok(()) => {}
                Err(problem) => import.refuse(file, line, problem),
            }
        }
        if import.cut || (import.bad > 0 && !skip_bad) {
            return Ok(Recorded::default());
        }
        let Taking { mut batch, mut recorded, rows, .. } = taking;
        let bytes: Vec<Box<[u8]>> = rows.iter().map(Entry::to_row).collect();
        batch.appends.push(Append { stream: self.stream.clone(), expected: self.head.rows, rows: bytes.clone() });
        self.subjects.store.commit(&batch)?;
        recorded.added = rows.len() as u64;
        self.head = bytes.iter().fold(self.head, |head, row| head.after(row));
        recorded.touched = rows.iter().map(|entry| entry.case.clone()).collect();
        recorded.touched.sort_unstable();
        recorded.touched.dedup();
        for entry in rows {
            keep(&mut self.cases, &mut self.ids, entry);
        }
        Ok(recorded)
    }

    /// Finds or makes the subject that a row names. The inner error is the row's.
    fn whose(&mut self, draft: &Draft, taking: &mut Taking, entropy: &mut dyn Entropy) -> Result<Result<()>> {
        let refused = |id, what: &str, remedy: &str| Ok(Err(Problem::new(id, Blame::Input, what, remedy).field("subject")));
        let found = match &draft.who {
            None => return Ok(Ok(())),
            Some(Who::Subject(subject)) => self.subjects.key(*subject)?.map(|key| (*subject, key)),
            Some(Who::Person(person)) => {
                let enrolled = self.subjects.enrol(person, &mut taking.made, &mut taking.batch, entropy)?;
                taking.recorded.subjects += u64::from(enrolled.is_new);
                Some((enrolled.subject, enrolled.key))
            }
            // Whoever takes events in has put people in the place of contacts before.
            Some(Who::Contact { .. }) => None,
        };
        let Some((subject, key)) = found else {
            return refused(IDS.no_subject, "the ledger has no such subject, or it was erased", "name the subject by its parts");
        };
        let known = taking.whose.get(&draft.case).copied().or_else(|| self.subject(&draft.case));
        if known.is_some_and(|known| known != subject) {
            return refused("E-register-023", "the case is of somebody else", "give this one a case of its own");
        }
        taking.whose.insert(draft.case.clone(), subject);
        taking.keys.insert(subject.to_string(), key);
        Ok(Ok(()))
    }

    /// Whom a case is of, as far as it is known.
    fn subject(&self, case: &Token) -> Option<Subject> {
        self.events(case).iter().find_map(|entry| entry.subject)
    }

    /// Takes one row. The inner error is the row's.
    fn entry(&mut self, draft: Draft, taking: &mut Taking, now: Timestamp, entropy: &mut dyn Entropy) -> Result<Result<()>> {
        let Draft { who: _, id, case, event, at, values, .. } = draft;
        let subject = taking.whose.get(&case).copied().or_else(|| self.subject(&case));
        if subject.is_none() && self.register.subject == Use::Needed {
            let what = "it is not said whom the case is of, here or before";
            return Ok(Err(Problem::new(IDS.whose, Blame::Input, what, "name the subject").field("subject")));
        }
        let there = id.as_ref().and_then(|id| {
            let known = self.ids.get(id).and_then(|(case, at)| self.events(case).get(*at));
            known.or_else(|| taking.fresh.get(id)).cloned()
        });
        let (mut clear, mut sealed, mut cells) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (column, value) in values {
            match value {
                Given::Clear(value) => drop(clear.insert(column.into(), value)),
                Given::Text(text) => {
                    let Some(key) = self.key(&case, Entry::whose(self.register, column, subject), taking, entropy)? else {
                        let what = "the text's subject was erased";
                        return Ok(Err(Problem::new(IDS.no_subject, Blame::Input, what, "leave the text out").field(column)));
                    };
                    let text = key.seal(column, text.reveal().as_bytes(), Timestamp::MAX)?;
                    sealed.insert(column.into(), text.digest());
                    cells.push(sealed_cell(&text));
                }
                Given::Kept => {
                    let Some(digest) = there.as_ref().and_then(|entry| entry.sealed.get(column)) else {
                        let what = "there is no event of that id with such a text: exports hold none";
                        let remedy = "give the text, or import into the store that the export is from";
                        return Ok(Err(Problem::new("E-register-022", Blame::Input, what, remedy).field(column)));
                    };
                    sealed.insert(column.into(), *digest);
                }
            }
        }
        let given = id.is_some();
        let id = id.unwrap_or_else(Token::none);
        let event = event.into();
        let recorded = Timestamp::UNIX_EPOCH;
        let mut entry = Entry { v: Entry::VERSION, id, case, event, at, subject, values: clear, sealed, recorded };
        if !given {
            let whose = subject.map_or(Whose::Case, Whose::Subject);
            let Some(key) = self.key(&entry.case, whose, taking, entropy)? else {
                let what = "the case's subject was erased";
                return Ok(Err(Problem::new(IDS.no_subject, Blame::Input, what, "give the event an id of its own").field("record_id")));
            };
            let digest = key.digest(ENTRY, &entry.to_row());
            let short = digest.bytes().first_chunk::<16>().map(|bytes| hex(bytes)).unwrap_or_default();
            entry.id = Token::read(&format!("e-{short}")).unwrap_or_else(Token::none);
        }
        let entry = Entry { recorded: now, ..entry };
        let known = self.ids.get(&entry.id).and_then(|(case, at)| self.events(case).get(*at)).or_else(|| taking.fresh.get(&entry.id));
        match known {
            Some(known) if known.tells_the_same(&entry) => taking.recorded.known += 1,
            Some(_) => {
                let what = format!("the event {} is there already and tells something else", entry.id);
                let remedy = "an event never changes: give the new one an id of its own";
                return Ok(Err(Problem::new(IDS.changed, Blame::Input, what, remedy).field("record_id")));
            }
            None => {
                taking.batch.cells.append(&mut cells);
                taking.fresh.insert(entry.id.clone(), entry.clone());
                taking.rows.push(entry);
            }
        }
        Ok(Ok(()))
    }

    /// The key that texts are sealed under; nothing where its subject was erased.
    fn key(&mut self, case: &Token, whose: Whose, taking: &mut Taking, entropy: &mut dyn Entropy) -> Result<Option<ObjectKey>> {
        let name = self.key_name(case, whose);
        if let Some(key) = taking.keys.get(&name) {
            return Ok(Some(key.clone()));
        }
        let key = match whose {
            Whose::Subject(subject) => self.subjects.key(subject)?,
            Whose::Case | Whose::Apart => Some(Vault::new(self.subjects.store).draw(&name, &mut taking.batch, entropy)?),
        };
        taking.keys.extend(key.clone().map(|key| (name, key)));
        Ok(key)
    }

    fn key_name(&self, case: &Token, whose: Whose) -> String {
        match whose {
            Whose::Subject(subject) => subject.to_string(),
            Whose::Case => format!("register/{}/{case}", self.register.name),
            Whose::Apart => format!("register-apart/{}/{case}", self.register.name),
        }
    }

    /// A sealed text; nothing where there was none, or it was erased.
    ///
    /// # Errors
    /// `E-vault-002` (exit 21) where what is sealed is not what the event says; `E-store-006`.
    pub fn text(&mut self, entry: &Entry, column: &str) -> Result<Option<Personal>> {
        let Some(digest) = entry.sealed.get(column) else { return Ok(None) };
        let whose = Entry::whose(self.register, column, entry.subject);
        let name = self.key_name(&entry.case, whose);
        let key = match whose {
            Whose::Subject(subject) => self.subjects.key(subject)?,
            Whose::Case | Whose::Apart => Vault::new(self.subjects.store).key_of(&name)?,
        };
        let Some(key) = key else { return Ok(None) };
        let opened = Vault::new(self.subjects.store).open(&key, column, digest)?;
        Ok(opened.map(|text| Personal::new(String::from_utf8_lossy(&text).into_owned())))
    }

    /// The columns of an event's texts that are its subject's own, and go with it.
    #[must_use]
    pub fn own_texts(&self, entry: &Entry) -> Vec<Box<str>> {
        let is_own = |name: &str| matches!(Entry::whose(self.register, name, entry.subject), Whose::Subject(_));
        entry.sealed.keys().filter(|name| is_own(name)).cloned().collect()
    }

    /// Whether something of the case is kept apart, and was not erased.
    ///
    /// # Errors
    /// `E-store-006`.
    pub fn keeps_apart(&mut self, case: &Token) -> Result<bool> {
        let name = self.key_name(case, Whose::Apart);
        Ok(Vault::new(self.subjects.store).key_of(&name)?.is_some())
    }

    /// Erases the texts of a case that are not its subject's; with `apart_only` those alone that are kept apart. No event changes.
    /// Whether there were any.
    ///
    /// # Errors
    /// `E-store-006`.
    pub fn erase(&mut self, case: &Token, apart_only: bool) -> Result<bool> {
        let names = [Whose::Apart, Whose::Case].map(|whose| self.key_name(case, whose));
        let mut vault = Vault::new(self.subjects.store);
        let mut any = false;
        for name in names.iter().take(if apart_only { 1 } else { 2 }) {
            any |= vault.erase(name)?;
        }
        Ok(any)
    }

    /// The events of `cases` as rows in the order of [`Register::header`], which can be imported again here: whose they are is told by
    /// ids, and that there is a text by [`KEPT`].
    #[must_use]
    pub fn export(&self, cases: &[Token]) -> Vec<Vec<String>> {
        let header = self.register.header();
        let entries = cases.iter().flat_map(|case| self.events(case));
        entries.map(|entry| header.iter().map(|column| self.exported(entry, column)).collect()).collect()
    }

    fn exported(&self, entry: &Entry, column: &str) -> String {
        let own = |column: &Column| match column.kind {
            Kind::Text => entry.sealed.get(&column.name).map_or_else(String::new, |_| KEPT.to_owned()),
            _ => entry.values.get(&column.name).map_or_else(String::new, ToString::to_string),
        };
        match column {
            "record_id" => entry.id.to_string(),
            "case" => entry.case.to_string(),
            "event" => entry.event.to_string(),
            "at" => entry.at.to_string(),
            "subject" if self.register.subject != Use::None => entry.subject.map_or_else(String::new, |subject| subject.to_string()),
            _ => self.register.column(column).map_or_else(String::new, own),
        }
    }
}

fn has_begun(entries: &[Entry], at: Timestamp) -> bool {
    entries.iter().any(|entry| entry.at <= at)
}

fn stream(register: &Register) -> Result<StreamName> {
    StreamName::new(&format!("register/{}", register.name))
}

/// Adds an event to those that are known.
fn keep(cases: &mut BTreeMap<Token, Vec<Entry>>, ids: &mut HashMap<Token, (Token, usize)>, entry: Entry) {
    let entries = cases.entry(entry.case.clone()).or_default();
    ids.insert(entry.id.clone(), (entry.case.clone(), entries.len()));
    entries.push(entry);
}
