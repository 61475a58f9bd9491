//! The ids a pull has still to visit: one growing file for each kind and bucket, walked in rounds, each id handed out once.

use super::buckets::{bucket_of, first_bits};
use crate::base::{Problem, RegistryId, Result, create_private_dir, remove_tree};
use crate::model::ObjectKind;
use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Bytes that wait in memory for one bucket's file.
const BUFFER: usize = 16 * 1024;

/// How many recently pushed ids are remembered, so that a handle which a million domains name is not written a million times.
const RECENT: usize = 1 << 14;

/// The ids of one kind in one bucket.
#[derive(Debug, Default)]
struct Shelf {
    /// Ids that wait to be appended, each ended by U+0000.
    buffer: Vec<u8>,
    /// Bytes of the file whose ids were handed out.
    done: usize,
    /// Bytes in the file and the buffer.
    length: usize,
}

/// The frontier. It lives as long as a process: what was observed is written into it again when a run resumes.
#[derive(Debug)]
pub(super) struct Frontier {
    dir: PathBuf,
    registry: RegistryId,
    log2: u8,
    shelves: [Vec<Shelf>; 2],
    recent: Vec<u128>,
}

impl Frontier {
    /// An empty frontier in `dir`, whatever was there before.
    pub(super) fn create(dir: &Path, registry: &RegistryId, log2: u8) -> Result<Self> {
        remove_tree(dir)?;
        create_private_dir(dir)?;
        let shelves = || std::iter::repeat_with(Shelf::default).take(1 << log2).collect();
        Ok(Self { dir: dir.to_owned(), registry: registry.clone(), log2, shelves: [shelves(), shelves()], recent: vec![0; RECENT] })
    }

    /// Adds an id, however often it was added before.
    pub(super) fn push(&mut self, kind: ObjectKind, id: &str) -> Result<()> {
        // U+0000 ends an id in the file: XML 1.0 §2.2 knows no such character, so no registry's id holds one.
        if id.is_empty() || id.contains('\0') {
            return Ok(());
        }
        let mut hasher = xxhash_rust::xxh3::Xxh3Default::new();
        hasher.update(&[kind as u8]);
        hasher.update(id.as_bytes());
        let digest = hasher.digest128();
        let slot = first_bits(hasher.digest(), 14) as usize % RECENT;
        match self.recent.get_mut(slot) {
            Some(recent) if *recent == digest => return Ok(()),
            Some(recent) => *recent = digest,
            None => {}
        }
        self.append(kind, id)
    }

    /// Adds an id that needs no visit; only before the first [`Frontier::push`].
    pub(super) fn push_done(&mut self, kind: ObjectKind, id: &str) -> Result<()> {
        self.append(kind, id)?;
        let bucket = bucket_of(&self.registry, kind, id, self.log2) as usize;
        if let Some(one) = self.shelves[kind as usize].get_mut(bucket) {
            one.done = one.length;
        }
        Ok(())
    }

    /// The ids of the next bucket that has some which were never handed out; nothing where there is none.
    pub(super) fn next_batch(&mut self, kind: ObjectKind) -> Result<Option<Vec<Box<str>>>> {
        for bucket in 0..self.shelves[kind as usize].len() {
            if self.shelves[kind as usize].get(bucket).is_none_or(|s| s.done == s.length) {
                continue;
            }
            self.flush(kind, bucket)?;
            let path = self.path(kind, bucket);
            let bytes = std::fs::read(&path).map_err(|e| Problem::storage("E-spool-004", &path, "read the frontier", &e))?;
            let text = String::from_utf8_lossy(&bytes);
            let Some(one) = self.shelves[kind as usize].get_mut(bucket) else { continue };
            let (old, new) = text.split_at_checked(one.done).unwrap_or(("", &text));
            let mut seen: HashSet<&str> = old.split_terminator('\0').collect();
            let fresh: Vec<Box<str>> = new.split_terminator('\0').filter(|id| seen.insert(id)).map(Into::into).collect();
            one.done = one.length;
            if !fresh.is_empty() {
                return Ok(Some(fresh));
            }
        }
        Ok(None)
    }

    fn append(&mut self, kind: ObjectKind, id: &str) -> Result<()> {
        let bucket = bucket_of(&self.registry, kind, id, self.log2) as usize;
        let Some(one) = self.shelves[kind as usize].get_mut(bucket) else { return Ok(()) };
        one.buffer.extend_from_slice(id.as_bytes());
        one.buffer.push(0);
        one.length += id.len() + 1;
        if one.buffer.len() >= BUFFER { self.flush(kind, bucket) } else { Ok(()) }
    }

    fn flush(&mut self, kind: ObjectKind, bucket: usize) -> Result<()> {
        let path = self.path(kind, bucket);
        let Some(one) = self.shelves[kind as usize].get_mut(bucket) else { return Ok(()) };
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        let written = opened.and_then(|mut file| file.write_all(&one.buffer));
        one.buffer.clear();
        written.map_err(|e| Problem::storage("E-spool-004", &path, "write the frontier", &e))
    }

    fn path(&self, kind: ObjectKind, bucket: usize) -> PathBuf {
        self.dir.join(format!("{}-{bucket:04}", kind.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_handed_out_once_over_all_rounds() {
        let dir = tempfile::tempdir().unwrap();
        let mut frontier = Frontier::create(&dir.path().join("f"), &RegistryId::new("x"), 3).unwrap();
        frontier.push_done(ObjectKind::Contact, "C-7").unwrap();
        for round in 0..3 {
            for n in 0..2_000 {
                frontier.push(ObjectKind::Contact, &format!("C-{n}")).unwrap();
                frontier.push(ObjectKind::Domain, &format!("C-{n}")).unwrap();
            }
            let mut got = Vec::new();
            while let Some(batch) = frontier.next_batch(ObjectKind::Contact).unwrap() {
                got.extend(batch);
            }
            got.sort_unstable();
            let before = got.len();
            got.dedup();
            assert_eq!(before, got.len(), "none twice in a round");
            assert_eq!(got.len(), if round == 0 { 1_999 } else { 0 });
            assert!(!got.iter().any(|id| &**id == "C-7"));
        }
        frontier.push(ObjectKind::Contact, "C-9999").unwrap();
        assert_eq!(frontier.next_batch(ObjectKind::Contact).unwrap().map(|b| b.len()), Some(1));
        assert_eq!(frontier.next_batch(ObjectKind::Contact).unwrap(), None);
    }
}
