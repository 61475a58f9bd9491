//! Rows about somebody whose data are erased go from the tables of earlier runs: what becomes of each file is signed before it is put in
//! place, so that `verify` says that it was redacted, and the salts of the commitments to those rows are erased.

use super::Context;
use super::commitments::{self, Owners};
use super::config::Loaded;
use super::personal::{Group, PERSONAL, Personal, began};
use super::proof::{FileChange, redact};
use crate::base::{AtomicFile, Digest, Entropy, Problem, Result, SystemEntropy, Timestamp};
use crate::dataset::{Cell, ColumnType, ParquetFile, TableWriter};
use crate::model::ObjectKind;
use crate::report::proof::{RedactedRow, RedactionReason};
use crate::store::{Batch, Store};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What stands in the place of a handle that was erased, in a row about somebody else's domain.
const ERASED: &str = "(erased)";

/// Whose rows go: objects by registry, kind and id.
#[derive(Default)]
pub(super) struct Gone(HashMap<String, HashMap<&'static str, HashSet<String>>>);

/// What became of the tables of earlier runs.
#[derive(Default)]
pub(super) struct Redacted {
    /// Runs of which something was altered.
    pub(super) runs: u64,
    /// Rows that were taken out, or in which a handle was blanked.
    pub(super) rows: u64,
    /// The commitments to those rows, by the object that they were about; what was blanked has one for what it is by now.
    pub(super) about: BTreeMap<(String, &'static str, String), Vec<RedactedRow>>,
    /// What was altered without being signed, and why.
    pub(super) problems: Vec<Problem>,
}

/// A file that is written anew and not in place yet.
struct Anew {
    name: String,
    file: AtomicFile,
    after: Digest,
    rows: Vec<RedactedRow>,
}

/// What becomes of a row.
enum Fate {
    Stays,
    Goes,
    Becomes(Vec<Option<String>>),
}

impl Gone {
    /// Adds an object.
    pub(super) fn add(&mut self, registry: &str, kind: ObjectKind, id: &str) {
        self.0.entry(registry.to_owned()).or_default().entry(kind.as_str()).or_default().insert(id.to_owned());
    }

    /// Whether there is nobody.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, registry: &str, kind: &str, id: &str) -> bool {
        self.0.get(registry).and_then(|kinds| kinds.get(kind)).is_some_and(|ids| ids.contains(id))
    }

    /// What becomes of a row of `table` with those cells.
    fn fate(&self, table: &Personal, cells: &[Option<&str>]) -> Fate {
        let [Some(registry), Some(object), Some(id), ..] = *cells else { return Fate::Stays };
        let Some(kind) = ObjectKind::ALL.into_iter().find(|kind| kind.as_str() == object) else { return Fate::Stays };
        if self.has(registry, kind.as_str(), id) {
            return Fate::Goes;
        }
        // Rows about domains name contacts by their handles.
        if kind != ObjectKind::Domain {
            return Fate::Stays;
        }
        let names = |handle: &str| self.has(registry, ObjectKind::Contact.as_str(), handle.trim());
        let blanked = |value: &str| {
            let parts: Vec<&str> = value.split(';').map(|part| if names(part) { ERASED } else { part }).collect();
            parts.join(";")
        };
        let is_named = |n: &usize| cells.get(*n).copied().flatten().is_some_and(|value| value.split(';').any(names));
        if !table.values.iter().any(is_named) {
            return Fate::Stays;
        }
        let cell = |(n, cell): (usize, Option<&str>)| match cell {
            Some(value) if table.values.contains(&n) => Some(blanked(value)),
            cell => cell.map(str::to_owned),
        };
        Fate::Becomes(cells.iter().copied().enumerate().map(cell).collect())
    }

    /// What becomes of the rows of `group`; nothing where they stay as they are. Beside them, how many do not.
    fn group(&self, table: &Personal, group: &Group) -> Option<(Group, u64)> {
        let (mut left, mut altered) = (Vec::new(), 0);
        for row in &group.rows {
            let cells: Vec<Option<&str>> = row.iter().map(Some).collect();
            match self.fate(table, &cells) {
                Fate::Stays => left.push(row.clone()),
                Fate::Goes => altered += 1,
                Fate::Becomes(cells) => {
                    altered += 1;
                    left.push(cells.into_iter().flatten().collect());
                }
            }
        }
        (altered > 0).then_some((Group { rows: left }, altered))
    }
}

/// How many rows about those in `gone` stand in the tables of runs below `reports`.
///
/// # Errors
/// As [`Personal::each`].
pub(super) fn count(reports: &Path, gone: &Gone) -> Result<u64> {
    let mut count = 0;
    if gone.is_empty() {
        return Ok(count);
    }
    for run in runs(reports) {
        for table in &PERSONAL {
            table.each(&csv_of(&run, table), &mut |group| {
                count += gone.group(table, &group).map_or(0, |(_, altered)| altered);
                Ok(())
            })?;
        }
    }
    Ok(count)
}

/// Takes the rows about those in `gone` out of the tables of every run, on that `ground`; what is altered is signed before. Where that
/// fails the rows go nevertheless, since the duty to erase does not wait for the evidence of it, and why is told. Whoever calls this holds
/// the lock of the state directory.
///
/// # Errors
/// As [`Personal::each`]; `E-parquet-…`, `E-entropy-001`, `E-store-006` and `E-file-…` (exit 33). Stopped in between, the same call goes on.
pub(super) fn redact_rows(loaded: &Loaded, ctx: &Context, store: &mut dyn Store, gone: &Gone, ground: &str) -> Result<Redacted> {
    let mut done = Redacted::default();
    if gone.is_empty() {
        return Ok(done);
    }
    let mut entropy = SystemEntropy::new();
    let owners = Owners::open(store, &mut entropy)?;
    for run in runs(&loaded.config.reports) {
        let mut batch = Batch::default();
        let mut anew = Vec::new();
        let began = began(&run).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut work = Work { store: &mut *store, entropy: &mut entropy, owners: &owners, gone, began, done: &mut done, batch: &mut batch };
        for table in &PERSONAL {
            anew.extend(work.table(&run, table)?);
        }
        if anew.is_empty() {
            continue;
        }
        done.runs += 1;
        anew.extend(page(&run, &anew)?);
        let change = |one: &Anew| FileChange { name: one.name.clone(), after: Some(one.after), rows: one.rows.clone() };
        let changes: Vec<FileChange> = anew.iter().map(change).collect();
        if let Err(problem) = redact(loaded, ctx, &run, (RedactionReason::Erasure, ground), &changes) {
            done.problems.push(*problem);
        }
        anew.into_iter().try_for_each(|one| one.file.commit())?;
        store.commit(&batch)?;
    }
    Ok(done)
}

/// One run under way.
struct Work<'w> {
    store: &'w mut dyn Store,
    entropy: &'w mut dyn Entropy,
    owners: &'w Owners,
    gone: &'w Gone,
    /// When the run began.
    began: Timestamp,
    done: &'w mut Redacted,
    batch: &'w mut Batch,
}

impl Work<'_> {
    /// The files of one table of a run without the rows that go; none where nothing goes.
    fn table(&mut self, run: &Path, table: &Personal) -> Result<Vec<Anew>> {
        let path = csv_of(run, table);
        let gone = self.gone;
        let mut altered = false;
        // Most runs have nothing of anybody: nothing is written for them.
        table.each(&path, &mut |group| {
            altered = altered || gone.group(table, &group).is_some();
            Ok(())
        })?;
        if !altered {
            return Ok(Vec::new());
        }
        let mut out = csv::Writer::from_writer(AtomicFile::create(&path)?);
        let unwritten = |e: csv::Error| Problem::storage("E-file-002", &path, "write", &e.into());
        out.write_record(table.columns).map_err(unwritten)?;
        let mut rows = Vec::new();
        table.each(&path, &mut |group| {
            let Some((left, count)) = gone.group(table, &group) else {
                return group.rows.iter().try_for_each(|row| out.write_record(row)).map_err(unwritten);
            };
            self.done.rows += count;
            rows.extend(self.row(table, &group, &left)?);
            left.rows.iter().try_for_each(|row| out.write_record(row)).map_err(unwritten)
        })?;
        let file = out.into_inner().map_err(|e| Problem::storage("E-file-002", &path, "write", e.error()))?;
        // In the order of the table they would tell who stood between whom.
        rows.sort_unstable_by_key(|row: &RedactedRow| row.before);
        let mut all = vec![anew(&path, file, rows)?];
        let parquet = path.with_extension("parquet");
        if parquet.exists() {
            all.extend(self.parquet(&parquet, table)?);
        }
        Ok(all)
    }

    /// What is told of the rows about one object of which `left` is left: by the commitment to what they were, whose salt goes, and by one
    /// to what they are, under a new salt. Nothing where nobody committed to them.
    fn row(&mut self, table: &Personal, group: &Group, left: &Group) -> Result<Option<RedactedRow>> {
        let Some((registry, kind, id)) = group.object() else { return Ok(None) };
        let owner = self.owners.of(registry, kind, id);
        let Some(before) = commitments::find(self.store, &owner, &group.fields(table.name), self.began.as_second())? else {
            return Ok(None);
        };
        commitments::forget_one(&owner, &before, self.batch);
        let mut after = None;
        if !left.rows.is_empty() {
            let fields = left.fields(table.name);
            after = commitments::commit_to(&owner, &[&fields], self.began, self.batch, self.entropy)?.pop();
        }
        let row = RedactedRow { before, after };
        self.done.about.entry((registry.to_owned(), kind.as_str(), id.to_owned())).or_default().push(row.clone());
        Ok(Some(row))
    }

    /// The Parquet file of a table without the rows that go.
    fn parquet(&self, path: &Path, table: &Personal) -> Result<Option<Anew>> {
        let columns: Vec<(&str, ColumnType)> = table.columns.iter().map(|name| (*name, ColumnType::Text)).collect();
        let read = ParquetFile::open(path, table.columns, false)?;
        let mut out = TableWriter::create(path, &columns)?;
        for batch in 0..read.batches() {
            let batch = read.batch(batch)?;
            for row in 0..batch.rows() {
                let cells: Vec<Option<&str>> = (0..batch.columns()).map(|column| batch.get(column, row)).collect();
                match self.gone.fate(table, &cells) {
                    Fate::Stays => out.push(cells.into_iter().map(Cell::Text))?,
                    Fate::Goes => {}
                    Fate::Becomes(cells) => out.push(cells.iter().map(|cell| Cell::Text(cell.as_deref())))?,
                }
            }
        }
        out.seal()?.map(|file| anew(path, file, Vec::new())).transpose()
    }
}

/// The page of a run whose differences are written anew: it names the first of them.
fn page(run: &Path, changed: &[Anew]) -> Result<Option<Anew>> {
    let (index, facts) = (run.join("index.html"), run.join("run.json"));
    let Some(differences) = changed.iter().find(|one| one.name == "differences.csv").filter(|_| index.exists() && facts.exists()) else {
        return Ok(None);
    };
    let page = crate::report::page_of(&crate::report::read(&facts)?, differences.file.temporary())?;
    if File::open(&index).and_then(Digest::of_all).is_ok_and(|old| old == Digest::of(&page)) {
        return Ok(None);
    }
    let mut file = AtomicFile::create(&index)?;
    file.write_all(&page).map_err(|e| Problem::storage("E-file-002", &index, "write", &e))?;
    anew(&index, file, Vec::new()).map(Some)
}

/// A file that is written and is to stand at `path`, with its digest.
fn anew(path: &Path, mut file: AtomicFile, rows: Vec<RedactedRow>) -> Result<Anew> {
    let failed = |e: std::io::Error| Problem::storage("E-file-002", path, "write", &e);
    file.flush().map_err(failed)?;
    let after = File::open(file.temporary()).and_then(Digest::of_all).map_err(failed)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Anew { name, file, after, rows })
}

fn csv_of(run: &Path, table: &Personal) -> PathBuf {
    run.join(format!("{}.csv", table.name))
}

/// The folders of runs, in the order of their names.
fn runs(reports: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(reports).into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = entries.filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir())).map(|e| e.path()).collect();
    all.sort_unstable();
    all
}
