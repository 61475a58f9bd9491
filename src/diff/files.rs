//! Plain Parquet files of one kind of object against each other, in any order, with little memory.
//!
//! Of the left side a key and a digest of each row are kept. The right side streams past them: what agrees is equal, and what differs
//! waits on disk, in the bucket of its partner's batch. Then the left side is read once more, each batch beside its bucket, and what
//! differs is normalised and compared.
//!
//! ```text
//!   left  ──▶ key, digest             left again ──▶ batch 0 ┬─ compare ─▶ differences
//!   right ──▶ the same digest: equal                 batch 1 ┤
//!             another ──▶ bucket of the partner's batch ─────┘
//!             no such key ──▶ missing here
//! ```

use super::bucket::{self, Buckets, Waiting};
use super::compare::compare;
use super::hashes::{self, Index};
use super::output::{DiffKind, Difference, Differences, Sheet};
use super::summary::DiffSummary;
use crate::base::{Blame, Exit, Problem, RegistryId, Result};
use crate::dataset::{Batch, Column, Kind, ParquetFile};
use crate::model::ObjectKind;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
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
    // Two ids of one key look like one id that stands twice. They do not share their key under another seed.
    for seed in [0, 0x9e37_79b9_7f4a_7c15] {
        let all = Mutex::new(Differences::begin(out)?);
        let buckets = Buckets::begin(&out.join(".buckets.tmp"), left.batches.len())?;
        let job = Job { left: &left, right: &right, spec, all, buckets };
        if let Some(alone) = job.meet(seed)? {
            job.compare(&alone)?;
            return job.finish();
        }
    }
    let what = "an id stands twice on one side";
    Err(Problem::new("E-diff-001", Blame::Input, what, "remove one of the rows").exit(Exit::InputIncomplete))
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
    /// Its number in the table.
    number: usize,
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
                side.batches.push(Part { number: side.batches.len(), file: at, n, first: side.rows });
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

    /// The number of the batch that holds `row`.
    fn batch_of(&self, row: u32) -> usize {
        self.batches.partition_point(|part| part.first <= row).saturating_sub(1)
    }

    /// Those of `rows`, which are sorted, that `part` holds.
    fn within<'r>(&self, part: Part, rows: &'r [u32]) -> &'r [u32] {
        let end = self.batches.get(part.number + 1).map_or(self.rows, |next| next.first);
        let (from, to) = (rows.partition_point(|row| *row < part.first), rows.partition_point(|row| *row < end));
        rows.get(from..to).unwrap_or_default()
    }
}

/// A comparison under way.
struct Job<'s> {
    left: &'s Side,
    right: &'s Side,
    spec: &'s DiffSpec,
    all: Mutex<Differences>,
    buckets: Buckets,
}

impl Job<'_> {
    /// Streams the right side past the left one's hashes. Gives the left rows that the right side lacks, sorted; nothing at all where
    /// two rows of one side share a key.
    fn meet(&self, seed: u64) -> Result<Option<Vec<u32>>> {
        let rows = Mutex::new(Vec::with_capacity(self.left.rows as usize));
        self.left.batches.par_iter().try_for_each(|part| {
            let mut own = hashes::rows(&self.left.read(*part)?, part.first, seed);
            rows.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
            Ok::<(), Box<Problem>>(())
        })?;
        let Some(index) = Index::over(rows.into_inner().unwrap_or_else(PoisonError::into_inner)) else { return Ok(None) };
        let met: Vec<AtomicBool> = std::iter::repeat_with(AtomicBool::default).take(index.rows().len()).collect();
        let strangers = Mutex::new(Vec::new());
        let twice = AtomicBool::new(false);
        self.right.batches.par_iter().try_for_each(|part| {
            let batch = self.right.read(*part)?;
            let mut unknown = self.meet_batch(&batch, hashes::rows(&batch, 0, seed), &index, |at| {
                if met.get(at).is_some_and(|met| met.swap(true, Ordering::Relaxed)) {
                    twice.store(true, Ordering::Relaxed);
                }
            })?;
            strangers.lock().unwrap_or_else(PoisonError::into_inner).append(&mut unknown);
            Ok::<(), Box<Problem>>(())
        })?;
        let mut strangers = strangers.into_inner().unwrap_or_else(PoisonError::into_inner);
        strangers.par_sort_unstable();
        if twice.into_inner() || strangers.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Ok(None);
        }
        let alone = index.rows().iter().zip(met).filter(|(_, met)| !met.load(Ordering::Relaxed)).map(|(row, _)| row.number);
        let mut alone: Vec<u32> = alone.collect();
        alone.par_sort_unstable();
        Ok(Some(alone))
    }

    /// One batch of the right side: puts what differs into its bucket, and tells of what the left side lacks. Gives the keys of those,
    /// and tells `met` the place of each key that is there.
    fn meet_batch(&self, batch: &Batch, rows: Vec<hashes::Row>, index: &Index, met: impl Fn(usize)) -> Result<Vec<u64>> {
        // By itself, so that the processor has many of these far reads under way at a time.
        let find = |row: hashes::Row| match index.find(row.key) {
            None => Some((row, None)),
            Some((at, left)) => {
                met(at);
                (left.digest != row.digest).then_some((row, Some(left.number)))
            }
        };
        let odd: Vec<_> = rows.into_iter().filter_map(find).collect();
        let (mut unknown, mut sheet) = (Vec::new(), Sheet::default());
        let mut waiting: Vec<Waiting> = std::iter::repeat_with(Waiting::default).take(self.left.batches.len()).collect();
        let mut values = Vec::with_capacity(batch.columns());
        for (row, partner) in odd {
            let number = row.number as usize;
            if let Some(partner) = partner {
                values.clear();
                values.extend((0..batch.columns()).map(|column| batch.get(column, number)));
                if let Some(bucket) = waiting.get_mut(self.left.batch_of(partner)) {
                    bucket.push(partner, &values)?;
                }
            } else {
                unknown.push(row.key);
                self.alone(&mut sheet, batch.get(0, number), DiffKind::MissingHere);
            }
        }
        for (n, rows) in waiting.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            self.buckets.put(n, rows)?;
        }
        self.tell(&sheet)?;
        Ok(unknown)
    }

    /// Reads the left side again where something differs or is `alone`.
    fn compare(&self, alone: &[u32]) -> Result<()> {
        self.left.batches.par_iter().try_for_each(|part| {
            let (bucket, alone) = (self.buckets.take(part.number)?, self.left.within(*part, alone));
            if bucket.is_empty() && alone.is_empty() {
                return Ok(());
            }
            let batch = self.left.read(*part)?;
            let mut sheet = Sheet::default();
            for row in alone {
                self.alone(&mut sheet, batch.get(0, (row - part.first) as usize), DiffKind::MissingThere);
            }
            bucket::each(&bucket, |partner, remote| self.compare_rows(&mut sheet, &batch, (partner - part.first) as usize, remote))?;
            self.tell(&sheet)
        })
    }

    /// Compares a row of the left side with its partner.
    fn compare_rows(&self, sheet: &mut Sheet, batch: &Batch, row: usize, remote: &[Option<&str>]) {
        let remote = |column: usize| remote.get(column).copied().flatten();
        let (local_id, remote_id) = (batch.get(0, row), remote(0));
        if local_id != remote_id {
            // Two ids that only share their key are two objects, each alone.
            self.alone(sheet, local_id, DiffKind::MissingThere);
            self.alone(sheet, remote_id, DiffKind::MissingHere);
            return;
        }
        let (registry, object, id) = (self.spec.registry.as_str(), self.spec.object, local_id.unwrap_or_default());
        let kinds = self.spec.columns.iter().map(|(_, kind)| *kind);
        for d in compare(kinds, |n| batch.get(n + 1, row), |n| remote(n + 1)) {
            let field = self.spec.columns.get(d.at).map_or("", |(name, _)| name.as_str());
            let (kind, severity) = (DiffKind::Changed, d.severity);
            sheet.push(Difference { registry, object, id, field, local: d.local, remote: d.remote, kind, severity });
        }
    }

    /// Notes an object that only one side has.
    fn alone(&self, sheet: &mut Sheet, id: Option<&str>, kind: DiffKind) {
        sheet.push(Difference::missing(self.spec.registry.as_str(), self.spec.object, id.unwrap_or_default(), kind));
    }

    fn tell(&self, sheet: &Sheet) -> Result<()> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).absorb(sheet)
    }

    fn finish(self) -> Result<DiffSummary> {
        drop(self.buckets);
        let mut all = self.all.into_inner().unwrap_or_else(PoisonError::into_inner);
        all.summary().add_compared(self.spec.registry.as_str(), self.spec.object, self.left.rows.into());
        all.finish(self.spec.csv)
    }
}
