//! Plain Parquet files of one kind of object against each other, in any order, with little memory: both sides are read twice.
//!
//! The first pass keeps of the left side a hash of each id and a digest of each row, and streams the right side past them. What agrees
//! in both is equal. The second pass reads again and keeps only rows that differ or stand alone; those are normalised and compared.

use super::compare::compare;
use super::output::{DiffKind, Difference, Differences, Sheet};
use super::summary::DiffSummary;
use crate::base::{Blame, Exit, Problem, RegistryId, Result, RowDigest};
use crate::dataset::{Batch, Column, Kind, ParquetFile};
use crate::model::ObjectKind;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is compared.
#[derive(Clone, Debug)]
pub struct DiffSpec {
    /// The registry whose objects these are.
    pub registry: RegistryId,
    /// What they are.
    pub object: ObjectKind,
    /// The column of the ids.
    pub id: String,
    /// The compared columns.
    pub columns: Vec<(String, Kind)>,
    /// Whether the differences are written as CSV too.
    pub csv: bool,
}

impl DiffSpec {
    /// Every column of our own table of `object`.
    #[must_use]
    pub fn whole(registry: RegistryId, object: ObjectKind) -> Self {
        let of = |c: &Column| (c.name.to_owned(), c.kind);
        let columns = crate::dataset::columns(object).iter().map(of).collect();
        Self { registry, object, id: "id".to_owned(), columns, csv: true }
    }
}

/// Compares the objects in `left` (as they are expected) with those in `right` (as a registry holds them), and writes the differences
/// into the directory `out`.
///
/// # Errors
/// `E-parquet-…` where a file cannot be read, `E-diff-001` where an id stands twice on one side, `E-file-…` where the output cannot be
/// written.
pub fn diff_files(left: &[PathBuf], right: &[PathBuf], spec: &DiffSpec, out: &Path) -> Result<DiffSummary> {
    let (left, right) = (Side::open(left, spec)?, Side::open(right, spec)?);
    // Two ids of one hash would look like one id that stands twice. They do not share their hash under another seed.
    let mut found = first_pass(&left, &right, 0)?;
    if found.is_none() {
        found = first_pass(&left, &right, 0x9e37_79b9_7f4a_7c15)?;
    }
    let Some(found) = found else {
        let what = "an id stands twice on one side";
        return Err(Problem::new("E-diff-001", Blame::Input, what, "remove one of the rows").exit(Exit::InputIncomplete));
    };
    second_pass(&left, &right, &found, spec, out)
}

/// One side's files as one table, cut into batches.
struct Side {
    files: Vec<ParquetFile>,
    batches: Vec<Part>,
    rows: u32,
}

/// One batch of a side.
#[derive(Clone, Copy)]
struct Part {
    /// The position of its file.
    file: usize,
    /// Its number in that file.
    n: usize,
    /// The position of its first row in the table.
    first: u32,
}

impl Side {
    fn open(paths: &[PathBuf], spec: &DiffSpec) -> Result<Self> {
        let mut columns = vec![spec.id.as_str()];
        columns.extend(spec.columns.iter().map(|(name, _)| name.as_str()));
        let files = paths.iter().map(|path| ParquetFile::open(path, &columns, false)).collect::<Result<Vec<_>>>()?;
        let mut side = Self { files, batches: Vec::new(), rows: 0 };
        for (at, file) in side.files.iter().enumerate() {
            for n in 0..file.batches() {
                side.batches.push(Part { file: at, n, first: side.rows });
                let next = u32::try_from(file.batch_rows(n)).ok().and_then(|rows| side.rows.checked_add(rows));
                side.rows = next.ok_or_else(|| {
                    let what = "one side has more than four thousand million rows";
                    Problem::new("E-diff-002", Blame::Input, what, "compare it in parts").exit(Exit::InputIncomplete)
                })?;
            }
        }
        Ok(side)
    }

    fn read(&self, part: Part) -> Result<Batch> {
        self.files
            .get(part.file)
            .map_or_else(|| Err(Problem::new("E-diff-003", Blame::Us, "there is no such file", "report this")), |f| f.batch(part.n))
    }
}

/// What is kept of a row of the left side.
#[derive(Clone, Copy)]
struct Entry {
    digest: RowDigest,
    key: u64,
    row: u32,
}

/// A row that the second pass reads again.
#[derive(Clone, Copy)]
struct Wanted {
    row: u32,
    /// Whether the other side has a row of that key.
    paired: bool,
    key: u64,
}

/// What the first pass leaves: the rows of either side to read again, in the order they stand there.
struct Found {
    left: Vec<Wanted>,
    right: Vec<Wanted>,
    seed: u64,
}

/// Nobody on the right has the key yet.
const ALONE: u8 = 0;
/// The right side has the key with the same digest.
const EQUAL: u8 = 1;
/// The right side has the key with another digest.
const DIFFERS: u8 = 2;

/// Hashes both sides. Nothing where two rows of one side share a key.
fn first_pass(left: &Side, right: &Side, seed: u64) -> Result<Option<Found>> {
    let entries = Mutex::new(Vec::with_capacity(left.rows as usize));
    left.batches.par_iter().try_for_each(|batch| {
        let read = left.read(*batch)?;
        let mut own = Vec::with_capacity(read.rows());
        hash_rows(&read, seed, |n, key, digest| own.push(Entry { digest, key, row: batch.first + n }));
        entries.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
        Ok::<(), Box<Problem>>(())
    })?;
    let mut entries = entries.into_inner().unwrap_or_else(PoisonError::into_inner);
    entries.par_sort_unstable_by_key(|e| e.key);
    if entries.windows(2).any(|pair| matches!(pair, [a, b] if a.key == b.key)) {
        return Ok(None);
    }
    let index = Index::over(&entries);
    let states: Vec<AtomicU8> = std::iter::repeat_with(|| AtomicU8::new(ALONE)).take(entries.len()).collect();
    let kept = Mutex::new(Vec::new());
    let mut twice = false;
    right
        .batches
        .par_iter()
        .map(|batch| {
            let read = right.read(*batch)?;
            let (mut own, mut again) = (Vec::new(), false);
            hash_rows(&read, seed, |n, key, digest| {
                let row = batch.first + n;
                let Some((at, entry)) = index.find(&entries, key) else {
                    own.push(Wanted { row, paired: false, key });
                    return;
                };
                let state = if entry.digest == digest { EQUAL } else { DIFFERS };
                if state == DIFFERS {
                    own.push(Wanted { row, paired: true, key });
                }
                again |= states.get(at).is_some_and(|s| s.swap(state, Ordering::Relaxed) != ALONE);
            });
            kept.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
            Ok(again)
        })
        .collect::<Result<Vec<bool>>>()?
        .into_iter()
        .for_each(|again| twice |= again);
    let mut right = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
    right.par_sort_unstable_by_key(|w: &Wanted| w.row);
    if twice || repeats(&right) {
        return Ok(None);
    }
    let left = entries.iter().zip(&states).filter_map(|(entry, state)| match state.load(Ordering::Relaxed) {
        EQUAL => None,
        state => Some(Wanted { row: entry.row, paired: state == DIFFERS, key: entry.key }),
    });
    let mut left: Vec<Wanted> = left.collect();
    drop(entries);
    left.par_sort_unstable_by_key(|w| w.row);
    Ok(Some(Found { left, right, seed }))
}

/// Whether two unpaired rows share a key; paired ones were seen to be apart already.
fn repeats(rows: &[Wanted]) -> bool {
    let mut keys: Vec<u64> = rows.iter().filter(|w| !w.paired).map(|w| w.key).collect();
    keys.par_sort_unstable();
    keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

/// Gives the key and the digest of each row: the digest is over id and fields as [`crate::base::row_digest`] takes them.
fn hash_rows(batch: &Batch, seed: u64, mut take: impl FnMut(u32, u64, RowDigest)) {
    let mut columns: Vec<_> = (0..batch.columns()).map(|n| batch.column(n)).collect();
    let mut bytes = Vec::with_capacity(1024);
    for row in 0..batch.rows() {
        bytes.clear();
        let mut key = 0;
        for (n, column) in columns.iter_mut().enumerate() {
            let value = column.next().flatten();
            match value {
                Some(text) => {
                    bytes.extend_from_slice(&(text.len() as u64 + 1).to_le_bytes());
                    bytes.extend_from_slice(text.as_bytes());
                }
                None => bytes.extend_from_slice(&0_u64.to_le_bytes()),
            }
            if n == 0 {
                key = xxhash_rust::xxh3::xxh3_64_with_seed(value.unwrap_or_default().as_bytes(), seed);
            }
        }
        take(u32::try_from(row).unwrap_or(u32::MAX), key, xxhash_rust::xxh3::xxh3_128(&bytes));
    }
}

/// Where keys with the same first bits begin in the sorted entries.
struct Index {
    starts: Vec<u32>,
    shift: u32,
}

impl Index {
    fn over(entries: &[Entry]) -> Self {
        let bits = (entries.len().max(2).ilog2()).clamp(1, 26);
        let shift = 64 - bits;
        let mut starts = vec![0_u32; (1 << bits) + 1];
        for entry in entries {
            if let Some(count) = starts.get_mut(slot(entry.key, shift) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self { starts, shift }
    }

    fn find<'e>(&self, entries: &'e [Entry], key: u64) -> Option<(usize, &'e Entry)> {
        let slot = slot(key, self.shift);
        let (from, to) = (*self.starts.get(slot)? as usize, *self.starts.get(slot + 1)? as usize);
        let at = from + entries.get(from..to)?.iter().position(|e| e.key == key)?;
        Some((at, entries.get(at)?))
    }
}

/// The first bits of `key`.
fn slot(key: u64, shift: u32) -> usize {
    usize::try_from(key >> shift).unwrap_or(usize::MAX - 1)
}

/// Rows kept from one batch: their values end to end.
struct Kept {
    text: String,
    /// Where each value ends, with [`NULL`] set where it is absent.
    ends: Vec<u32>,
}

/// Set in the end of an absent value.
const NULL: u32 = 1 << 31;

impl Kept {
    fn push<'v>(&mut self, values: impl Iterator<Item = Option<&'v str>>) {
        for value in values {
            self.text.push_str(value.unwrap_or_default());
            self.ends.push(u32::try_from(self.text.len()).unwrap_or(0) | if value.is_none() { NULL } else { 0 });
        }
    }

    fn get(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).and_then(|b| self.ends.get(b)).map_or(0, |e| e & !NULL);
        if end & NULL != 0 { None } else { self.text.get(start as usize..(end & !NULL) as usize) }
    }
}

/// Reads again what differs or stands alone, compares it and writes what it finds.
fn second_pass(left: &Side, right: &Side, found: &Found, spec: &DiffSpec, out: &Path) -> Result<DiffSummary> {
    let width = spec.columns.len() + 1;
    let registry = spec.registry.as_str();
    let all = Mutex::new(Differences::begin(out)?);
    let tell = |sheet: &Sheet| all.lock().unwrap_or_else(PoisonError::into_inner).absorb(sheet);
    let alone = |sheet: &mut Sheet, id: &str, kind| sheet.push(Difference::missing(registry, spec.object, id, kind));

    // The left rows that have a partner, by key: where their values stand.
    let kept: Vec<(Kept, Vec<(u64, u32)>)> = parts(left, &found.left)
        .par_iter()
        .map(|(batch, wanted)| {
            let read = left.read(*batch)?;
            let (mut kept, mut keys, mut sheet) = (Kept { text: String::new(), ends: Vec::new() }, Vec::new(), Sheet::default());
            for w in *wanted {
                let row = (w.row - batch.first) as usize;
                if w.paired {
                    keys.push((w.key, u32::try_from(kept.ends.len()).unwrap_or(u32::MAX)));
                    kept.push((0..width).map(|n| read.get(n, row)));
                } else {
                    alone(&mut sheet, read.get(0, row).unwrap_or_default(), DiffKind::MissingThere);
                }
            }
            tell(&sheet)?;
            // These stay until the end; what doubling reserved for them does not.
            kept.text.shrink_to_fit();
            kept.ends.shrink_to_fit();
            Ok((kept, keys))
        })
        .collect::<Result<_>>()?;
    let mut pairs: Vec<(u64, u32, u32)> = Vec::with_capacity(found.left.iter().filter(|w| w.paired).count());
    for (part, (_, keys)) in kept.iter().enumerate() {
        pairs.extend(keys.iter().map(|(key, at)| (*key, u32::try_from(part).unwrap_or(u32::MAX), *at)));
    }
    pairs.par_sort_unstable();

    parts(right, &found.right).par_iter().try_for_each(|(batch, wanted)| {
        let read = right.read(*batch)?;
        let mut sheet = Sheet::default();
        for w in *wanted {
            let row = (w.row - batch.first) as usize;
            let id = read.get(0, row).unwrap_or_default();
            let partner = pairs.binary_search_by_key(&w.key, |p| p.0).ok().filter(|_| w.paired).and_then(|n| pairs.get(n));
            let partner = partner.and_then(|(_, part, at)| Some((&kept.get(*part as usize)?.0, *at as usize)));
            match partner {
                Some((rows, at)) if rows.get(at).unwrap_or_default() == id => {
                    let kinds = spec.columns.iter().map(|(_, kind)| *kind);
                    for d in compare(kinds, |n| rows.get(at + 1 + n), |n| read.get(n + 1, row)) {
                        let field = spec.columns.get(d.at).map_or("", |(name, _)| name.as_str());
                        let (object, kind, severity) = (spec.object, DiffKind::Changed, d.severity);
                        sheet.push(Difference { registry, object, id, field, local: d.local, remote: d.remote, kind, severity });
                    }
                }
                // Two ids that only share their hash are two objects, each alone.
                Some((rows, at)) => {
                    alone(&mut sheet, rows.get(at).unwrap_or_default(), DiffKind::MissingThere);
                    alone(&mut sheet, id, DiffKind::MissingHere);
                }
                None => alone(&mut sheet, id, DiffKind::MissingHere),
            }
        }
        tell(&sheet)
    })?;
    tracing::debug!(seed = found.seed, left = found.left.len(), right = found.right.len(), "rows were read again");
    drop(kept);
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.summary().add_compared(registry, spec.object, left.rows.into());
    all.finish(spec.csv)
}

/// The batches that hold any of `wanted`, each with those it holds. `wanted` is sorted by row.
fn parts<'w>(side: &Side, wanted: &'w [Wanted]) -> Vec<(Part, &'w [Wanted])> {
    let mut rest = wanted;
    let mut out = Vec::new();
    for (n, batch) in side.batches.iter().enumerate() {
        let end = side.batches.get(n + 1).map_or(side.rows, |next| next.first);
        let (here, later) = rest.split_at_checked(rest.partition_point(|w| w.row < end)).unwrap_or((rest, &[]));
        if !here.is_empty() {
            out.push((*batch, here));
        }
        rest = later;
    }
    out
}
