//! The map from fingerprints to subjects, in cells that can be erased.
//!
//! A look-up key is the HMAC-SHA-256 of a fingerprint under a key of the controller's; it leads to the subject's random id. Beside it
//! stand four more, each of the fingerprint without one of its parts: they find who differs from somebody known in that part alone.
//! A subject has a salt, under which its fingerprint has a digest too: proof of the map, which the erasure destroys. No name and no
//! address is kept, so that rotating the controller's key takes the people themselves, from the local records: [`Subjects::rekey`].

use super::fingerprint::{Fingerprint, Part};
use crate::base::{Blame, Entropy, Exit, ObjectKey, ObjectRef, Problem, Result, hex};
use crate::store::{Batch, Cell, Store, Table};
use ring::hmac;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fmt;
use xxhash_rust::xxh3::xxh3_64;
use zeroize::Zeroizing;

/// What cells of controller's keys begin with; the generation follows.
const KEYS: &[u8] = b"fingerprint/";
/// What the digest of a fingerprint under its subject's salt is the digest of.
const PROOF: &str = "fp/1";
/// How many subjects a re-keying moves in one commit.
const TOGETHER: usize = 1000;

/// A subject's random id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(ObjectRef);

impl Subject {
    /// Reads 32 hexadecimal digits in lower case.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        ObjectRef::read(text).map(Self)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        self.0.bytes()
    }

    fn of_cell(value: &[u8]) -> Option<Self> {
        value.try_into().ok().map(ObjectRef::new).map(Self)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A subject that was looked up, or made.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// Its id.
    pub subject: Subject,
    /// Its salt, as the key of what is its own.
    pub key: ObjectKey,
    /// Whether it is new.
    pub is_new: bool,
    /// Who differs from it in one part alone, where it is new: perhaps the same one.
    pub near: Vec<(Subject, Part)>,
}

/// What a re-keying did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rekeyed {
    /// Subjects that stand under the new key now.
    pub moved: u64,
    /// Subjects that were not among the people, and stand under keys of before.
    pub left: u64,
}

/// A key of the controller's.
struct Generation {
    number: u32,
    key: hmac::Key,
}

impl Generation {
    /// The cell of a fingerprint, of all parts or of all but one.
    fn cell(&self, person: &Fingerprint, without: Option<Part>) -> Box<[u8]> {
        let kind = without.map_or(0, |part| part as u8 + 1);
        let mac = hmac::sign(&self.key, &person.bytes(without));
        [&self.number.to_be_bytes()[..], &[kind], mac.as_ref()].concat().into()
    }
}

/// The map.
pub struct Subjects<'s> {
    pub(super) store: &'s mut dyn Store,
    /// The controller's keys, the newest first.
    generations: Vec<Generation>,
    /// How many were looked for in the store.
    looked: u32,
    /// The whole map, once many were looked for: a report meets everybody, and a question to the store for each takes longer than it does.
    whole: Option<Whole>,
}

/// The map in memory, some 150 bytes a subject.
struct Whole {
    /// The hash of a fingerprint's cell → the subject.
    people: HashMap<u64, Subject>,
    /// A subject → its salt with the proof.
    salts: HashMap<Subject, (ObjectKey, [u8; 32])>,
}

/// So many are looked for one by one before all are read.
pub(super) const ONE_BY_ONE: u32 = 1_000;

impl fmt::Debug for Subjects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subjects({} keys)", self.generations.len())
    }
}

impl<'s> Subjects<'s> {
    /// The map in `store`.
    ///
    /// # Errors
    /// `E-store-006` where storage fails; `E-consent-001` (exit 33) where a key is none.
    pub fn open(store: &'s mut dyn Store) -> Result<Self> {
        let mut generations = Vec::new();
        store.cells(Table::Keys, KEYS, &mut |name, key| {
            let number = name.get(KEYS.len()..).and_then(|n| n.try_into().ok()).map(u32::from_be_bytes);
            let number = number.filter(|_| key.len() == 32).ok_or_else(|| unfit("a key of fingerprints is none"))?;
            generations.push(Generation { number, key: hmac::Key::new(hmac::HMAC_SHA256, key) });
            Ok(())
        })?;
        generations.reverse();
        Ok(Self { store, generations, looked: 0, whole: None })
    }

    /// The subject that `person` is; nothing where the ledger has none.
    ///
    /// # Errors
    /// `E-consent-001` (exit 33) where the map leads to a subject whose salt says that it is another; `E-store-006`.
    pub fn find(&mut self, person: &Fingerprint) -> Result<Option<Enrolled>> {
        for at in 0..self.generations.len() {
            if let Some((subject, key)) = self.find_under(at, person)? {
                return Ok(Some(Enrolled { subject, key, is_new: false, near: Vec::new() }));
            }
        }
        Ok(None)
    }

    fn find_under(&mut self, at: usize, person: &Fingerprint) -> Result<Option<(Subject, ObjectKey)>> {
        let Some(generation) = self.generations.get(at) else { return Ok(None) };
        let cell = generation.cell(person, None);
        let is_proven = |(key, proof): &(ObjectKey, [u8; 32])| key.digest(PROOF, &person.bytes(None)).bytes() == proof;
        self.looked = self.looked.saturating_add(1);
        if self.looked > ONE_BY_ONE && self.whole.is_none() {
            self.whole = Some(self.read_whole()?);
        }
        if let Some(whole) = &self.whole {
            let Some(subject) = whole.people.get(&xxh3_64(&cell)) else { return Ok(None) };
            // Where two cells have one hash, the store is asked.
            if let Some(salt) = whole.salts.get(subject).filter(|salt| is_proven(salt)) {
                return Ok(Some((*subject, salt.0.clone())));
            }
        }
        let Some(value) = self.store.get(Table::Subjects, &cell)? else { return Ok(None) };
        let subject = Subject::of_cell(&value).ok_or_else(|| unfit("a subject's id is none"))?;
        let salt = self.salt(subject)?.ok_or_else(|| unfit("a subject has no salt"))?;
        if !is_proven(&salt) {
            return Err(unfit("a subject's salt is of somebody else"));
        }
        Ok(Some((subject, salt.0)))
    }

    /// Forgets what was read: the map changes.
    fn begin_anew(&mut self) {
        self.looked = 0;
        self.whole = None;
    }

    fn read_whole(&mut self) -> Result<Whole> {
        let mut whole = Whole { people: HashMap::new(), salts: HashMap::new() };
        for generation in &self.generations {
            // Fingerprints of all parts alone.
            let prefix = [&generation.number.to_be_bytes()[..], &[0]].concat();
            self.store.cells(Table::Subjects, &prefix, &mut |cell, value| {
                let subject = Subject::of_cell(value).ok_or_else(|| unfit("a subject's id is none"))?;
                whole.people.insert(xxh3_64(cell), subject);
                Ok(())
            })?;
        }
        self.store.cells(Table::Salts, &[], &mut |id, cell| {
            let subject = Subject::of_cell(id).ok_or_else(|| unfit("a subject's id is none"))?;
            whole.salts.insert(subject, salt_of(subject, cell)?);
            Ok(())
        })?;
        Ok(whole)
    }

    /// A name for `person` that tells nobody who it is, and is the same wherever the person is met: of a keyed hash under the controller's
    /// newest key, so that it is another one once that was rotated. It is made where there is none yet.
    ///
    /// # Errors
    /// `E-entropy-001`, `E-store-006`.
    pub fn pseudonym(&mut self, person: &Fingerprint, entropy: &mut dyn Entropy) -> Result<String> {
        if self.generations.is_empty() {
            self.begin_generation(entropy)?;
        }
        let Some(newest) = self.generations.first() else { return Err(unfit("there is no key of fingerprints")) };
        // The cells of the map begin otherwise: a pseudonym never gives away where a person's stands.
        let mac = hmac::sign(&newest.key, &[b"pseudonym\0", &person.bytes(None)[..]].concat());
        let short: [u8; 12] = mac.as_ref().first_chunk().copied().unwrap_or_default();
        Ok(format!("p-{}", hex(&short)))
    }

    /// The key that is a subject's own; nothing where it was erased.
    ///
    /// # Errors
    /// `E-store-006` where storage fails; `E-consent-001` (exit 33) where its salt is none.
    pub fn key(&mut self, subject: Subject) -> Result<Option<ObjectKey>> {
        Ok(self.salt(subject)?.map(|(key, _)| key))
    }

    fn salt(&mut self, subject: Subject) -> Result<Option<(ObjectKey, [u8; 32])>> {
        if let Some(whole) = &self.whole {
            return Ok(whole.salts.get(&subject).cloned());
        }
        let Some(cell) = self.store.get(Table::Salts, subject.bytes())?.map(Zeroizing::new) else { return Ok(None) };
        salt_of(subject, &cell).map(Some)
    }

    /// The subject that `person` is. Where the ledger has none it is made, by cells for `batch`, which are remembered in `made` until
    /// they are kept.
    ///
    /// # Errors
    /// As [`Self::find`]; `E-entropy-001`.
    pub(super) fn enrol(
        &mut self,
        person: &Fingerprint,
        made: &mut Made,
        batch: &mut Batch,
        entropy: &mut dyn Entropy,
    ) -> Result<Enrolled> {
        // What is made now, whoever called keeps later.
        self.begin_anew();
        if self.generations.is_empty() {
            self.begin_generation(entropy)?;
        }
        if let Some(known) = self.find(person)? {
            return Ok(known);
        }
        let Some(newest) = self.generations.first() else { return Err(unfit("there is no key of fingerprints")) };
        let cell = newest.cell(person, None);
        if let Some((subject, key)) = made.people.get(&cell) {
            return Ok(Enrolled { subject: *subject, key: key.clone(), is_new: false, near: Vec::new() });
        }
        let (mut id, mut salt) = ([0; 16], Zeroizing::new([0; 32]));
        entropy.fill(&mut id)?;
        entropy.fill(&mut *salt)?;
        let subject = Subject(ObjectRef::new(id));
        let key = ObjectKey::new(subject.0, salt);
        let proof = key.digest(PROOF, &person.bytes(None));
        batch.cells.push(Cell::Put(Table::Salts, id.into(), [&key.bytes()[..], proof.bytes()].concat().into()));
        batch.cells.push(Cell::Put(Table::Subjects, cell.clone(), id.into()));
        made.people.insert(cell, (subject, key.clone()));
        let mut near = Vec::new();
        for part in Part::ALL {
            let others = self.generations.iter().map(|generation| generation.cell(person, Some(part)));
            let mut known = None;
            for other in others {
                known = match made.near.get(&other) {
                    Some(there) => Some(*there),
                    None => self.store.get(Table::Subjects, &other)?.as_deref().and_then(Subject::of_cell),
                };
                if known.is_some() {
                    break;
                }
            }
            match known {
                Some(other) if near.iter().all(|(there, _)| *there != other) => near.push((other, part)),
                Some(_) => {}
                None => {
                    let own = newest.cell(person, Some(part));
                    batch.cells.push(Cell::Put(Table::Subjects, own.clone(), id.into()));
                    made.near.insert(own, subject);
                }
            }
        }
        Ok(Enrolled { subject, key, is_new: true, near })
    }

    /// Makes a new key of the controller's, before anything stands under it.
    fn begin_generation(&mut self, entropy: &mut dyn Entropy) -> Result<()> {
        let number = self.generations.first().map_or(1, |newest| newest.number.saturating_add(1));
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(&mut *key)?;
        let name = [KEYS, &number.to_be_bytes()].concat().into();
        self.store.commit(&Batch { appends: Vec::new(), cells: vec![Cell::Put(Table::Keys, name, (*key)[..].into())] })?;
        self.generations.insert(0, Generation { number, key: hmac::Key::new(hmac::HMAC_SHA256, &*key) });
        Ok(())
    }

    /// Rotates the controller's key: makes a new one, and moves under it whom `people` name. A key of before is destroyed once nobody
    /// stands under it; until then it goes on finding those who were left.
    ///
    /// # Errors
    /// As [`Self::enrol`]. Whoever was moved by then stays moved.
    pub fn rekey(&mut self, people: impl IntoIterator<Item = Fingerprint>, entropy: &mut dyn Entropy) -> Result<Rekeyed> {
        self.begin_generation(entropy)?;
        let (mut batch, mut moved, mut waiting) = (Batch::default(), 0, HashSet::new());
        for person in people {
            self.begin_anew();
            if self.find_under(0, &person)?.is_some() {
                continue;
            }
            for at in 1..self.generations.len() {
                let Some((subject, _)) = self.find_under(at, &person)? else { continue };
                let (Some(newest), Some(old)) = (self.generations.first(), self.generations.get(at)) else { continue };
                if !waiting.insert(subject) {
                    break;
                }
                for without in std::iter::once(None).chain(Part::ALL.map(Some)) {
                    let from = old.cell(&person, without);
                    if self.store.get(Table::Subjects, &from)?.as_deref() == Some(subject.bytes()) {
                        batch.cells.push(Cell::Delete(Table::Subjects, from));
                        batch.cells.push(Cell::Put(Table::Subjects, newest.cell(&person, without), (*subject.bytes()).into()));
                    }
                }
                moved += 1;
                break;
            }
            if waiting.len() >= TOGETHER {
                self.store.commit(&std::mem::take(&mut batch))?;
                waiting.clear();
            }
        }
        self.store.commit(&batch)?;
        Ok(Rekeyed { moved, left: self.retire()? })
    }

    /// Destroys the keys of before under which nobody stands; how many do under the others.
    fn retire(&mut self) -> Result<u64> {
        let (mut batch, mut left, mut empty) = (Batch::default(), 0, Vec::new());
        for generation in self.generations.iter().skip(1) {
            let mut here = 0_u64;
            let prefix = [&generation.number.to_be_bytes()[..], &[0]].concat();
            self.store.cells(Table::Subjects, &prefix, &mut |_, _| {
                here += 1;
                Ok(())
            })?;
            left += here;
            if here == 0 {
                empty.push(generation.number);
                batch.cells.push(Cell::Delete(Table::Keys, [KEYS, &generation.number.to_be_bytes()].concat().into()));
            }
        }
        self.store.commit(&batch)?;
        self.generations.retain(|generation| !empty.contains(&generation.number));
        Ok(left)
    }

    /// Erases a subject: its look-up keys, its salt and what was sealed under that. Rows that name it stay as they are, and nobody can
    /// tell any more whom they are about. Whether there was such a subject.
    ///
    /// # Errors
    /// `E-store-006` where storage fails.
    pub fn erase(&mut self, subject: Subject) -> Result<bool> {
        let mut batch = Batch::default();
        let is_there = self.store.get(Table::Salts, subject.bytes())?.is_some();
        self.store.cells(Table::Subjects, &[], &mut |key, value| {
            if value == subject.bytes() {
                batch.cells.push(Cell::Delete(Table::Subjects, key.into()));
            }
            Ok(())
        })?;
        self.store.cells(Table::Sealed, subject.bytes(), &mut |key, _| {
            batch.cells.push(Cell::Delete(Table::Sealed, key.into()));
            Ok(())
        })?;
        batch.cells.push(Cell::Delete(Table::Salts, (*subject.bytes()).into()));
        self.store.commit(&batch)?;
        self.begin_anew();
        Ok(is_there)
    }
}

/// The key and the proof in the cell of a subject's salt.
fn salt_of(subject: Subject, cell: &[u8]) -> Result<(ObjectKey, [u8; 32])> {
    let parts = cell.split_first_chunk::<32>().and_then(|(salt, proof)| Some((*salt, *proof.first_chunk::<32>()?)));
    let (salt, proof) = parts.ok_or_else(|| unfit("a subject's salt is none"))?;
    Ok((ObjectKey::new(subject.0, Zeroizing::new(salt)), proof))
}

/// Subjects whose cells are not kept yet.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// Cell of a fingerprint → its subject.
    people: HashMap<Box<[u8]>, (Subject, ObjectKey)>,
    /// Cell of a fingerprint without a part → the first subject there.
    near: HashMap<Box<[u8]>, Subject>,
}

fn unfit(what: &str) -> Box<Problem> {
    let remedy = "restore the store from a backup; nothing was changed";
    Problem::new("E-consent-001", Blame::Operator, format!("the map of subjects does not fit together: {what}"), remedy).exit(Exit::Storage)
}
