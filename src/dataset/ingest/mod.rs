//! Local records in: from CSV, NDJSON or Parquet into buckets of Parquet, with every problem of every file told in one go.

mod check;
mod csv;
mod ndjson;
mod parquet;
mod records;
mod source;
#[cfg(test)]
mod tests;

pub(in crate::dataset) use check::a_labels;
pub(in crate::dataset) use ndjson::Lines;
pub use records::{Ingested, Records};
pub(in crate::dataset) use source::Layout;
pub use source::{Format, Query, Source};

use super::buckets::{bucket_of, log2_for};
use super::columns::{ContactField, columns};
use super::rows::Row;
use super::spool::Segment;
use crate::base::{Blame, Digest, Exit, Problem, Problems, RegistryId, Result, create_private_dir, remove_tree};
use crate::model::ObjectKind;
use check::Doubt;
use source::At;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The most segment files that rows wait in until their buckets are written, as a power of two.
const SEGMENTS_LOG2: u8 = 6;

/// Bytes that one record takes in a text file, at least, for choosing the number of buckets before anything is counted.
const RECORD_BYTES: u64 = 120;

/// What is to be taken in.
#[derive(Clone, Debug)]
pub struct IngestPlan {
    /// Contacts.
    pub contacts: Option<Source>,
    /// Domains.
    pub domains: Option<Source>,
    /// The registries that records may name.
    pub registries: BTreeSet<RegistryId>,
    /// Contacts and domains taken in by the last run, if there was one.
    pub previous: Option<[u64; 2]>,
    /// The least share of the last run's rows that is taken for whole, 0 to 1.
    pub min_rows_share: f64,
    /// What the files are, as whoever takes them in can tell it of others: it is kept beside the records.
    pub origin: Option<Digest>,
}

/// Hands each row of `source`'s files to `sink`: the file by its name ([`Source::names`]), the line, and the values in the order of `wanted`. Problems of the files are
/// collected; what is wrong with a whole file ends that file alone.
pub fn each_row(source: &Source, wanted: &[&str], problems: &mut Problems, mut sink: impl FnMut(&Path, u64, &[Option<&str>])) {
    Layout::read(source, wanted, problems, &mut |at, values, _| sink(at.file, at.line, values));
}

/// One row on its way to its bucket.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Waiting {
    registry: Box<str>,
    kind: ObjectKind,
    row: Row,
    /// The file's position in its source.
    file: u32,
    line: u64,
}

/// Takes in what `plan` names and leaves it in `out_dir`, in place of what was there.
///
/// # Errors
/// Every problem of every file that makes the records unfit to be compared; what they were before is then still there. Gates
/// (`E-ingest-020`, `E-ingest-030`) lead to exit 20.
pub fn ingest(plan: &IngestPlan, out_dir: &Path) -> Result<Ingested, Problems> {
    let mut taking = Taking::begin(plan, out_dir)?;
    for kind in ObjectKind::ALL {
        taking.read(kind)?;
    }
    taking.end()
}

/// An ingest under way.
struct Taking<'p> {
    plan: &'p IngestPlan,
    out_dir: PathBuf,
    temporary: PathBuf,
    log2: u8,
    segments: Vec<Segment>,
    rows: [u64; 2],
    problems: Problems,
    warnings: Problems,
}

impl<'p> Taking<'p> {
    fn begin(plan: &'p IngestPlan, out_dir: &Path) -> Result<Self> {
        let name = out_dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let temporary = out_dir.with_file_name(format!(".{name}.tmp"));
        remove_tree(&temporary)?;
        create_private_dir(&temporary.join("waiting"))?;
        let files = [&plan.contacts, &plan.domains].into_iter().flatten().flat_map(|source| &source.files);
        let rows: u64 = files.map(|file| estimated_rows(file)).sum();
        let log2 = log2_for(rows);
        let count = 1_u32 << log2.min(SEGMENTS_LOG2);
        let segment = |n| Segment::open(&temporary.join(format!("waiting/segment-{n:03}.spool")));
        let segments = (0..count).map(segment).collect::<Result<Vec<_>>>()?;
        let (problems, warnings) = (Problems::default(), Problems::default());
        Ok(Self { plan, out_dir: out_dir.to_owned(), temporary, log2, segments, rows: [0, 0], problems, warnings })
    }

    fn source(&self, kind: ObjectKind) -> Option<&'p Source> {
        match kind {
            ObjectKind::Contact => self.plan.contacts.as_ref(),
            ObjectKind::Domain => self.plan.domains.as_ref(),
        }
    }

    /// Streams one table into the segments.
    fn read(&mut self, kind: ObjectKind) -> Result<()> {
        let Some(source) = self.source(kind) else { return Ok(()) };
        let mut wanted = vec!["registry", "id"];
        wanted.extend(columns(kind).iter().map(|c| c.name));
        let mut failed = None;
        let mut problems = std::mem::take(&mut self.problems);
        Layout::read(source, &wanted, &mut problems, &mut |at, values, problems| {
            self.rows[kind as usize] += 1;
            let Some((registry, row)) = taken(kind, at, values, &self.plan.registries, problems, &mut self.warnings) else { return };
            let bucket = bucket_of(&registry, kind, row.id(), self.log2);
            let segment = (bucket >> (self.log2 - self.log2.min(SEGMENTS_LOG2))) as usize;
            let file = source.files.iter().position(|f| f == at.file).unwrap_or_default();
            let waiting =
                Waiting { registry: registry.as_str().into(), kind, row, file: u32::try_from(file).unwrap_or(u32::MAX), line: at.line };
            if failed.is_none() {
                failed = self.segments.get_mut(segment).and_then(|s| s.append(&waiting).err());
            }
        });
        self.problems = problems;
        self.gate(kind, source);
        failed.map_or(Ok(()), Err)
    }

    /// Refuses a table that is empty, or much smaller than the last time.
    fn gate(&mut self, kind: ObjectKind, source: &Source) {
        let rows = self.rows[kind as usize];
        let previous = self.plan.previous.map(|p| p[kind as usize]);
        let names = source.names();
        let file = names.first().map_or_else(|| Path::new(""), PathBuf::as_path);
        if rows == 0 && self.problems.is_empty() {
            let last = previous.map_or_else(String::new, |n| format!(" (the last run took in {n})"));
            let what = format!("0 {} records{last}: refusing to compare a registry with nothing", kind.as_str());
            let problem = Problem::new("E-ingest-020", Blame::Input, what, "see why the export wrote nothing").file(file);
            self.problems.push(problem.exit(Exit::GateRefused));
        } else if let Some(previous) = previous.filter(|p| (rows as f64) < *p as f64 * self.plan.min_rows_share) {
            let dropped = 100.0 - rows as f64 * 100.0 / previous as f64;
            let what = format!("{rows} {} records, {dropped:.0} % fewer than the {previous} of the last run", kind.as_str());
            let remedy = "see what the export left out; where this is right, lower gates.min_rows_share for this run";
            self.problems.push(Problem::new("E-ingest-030", Blame::Input, what, remedy).file(file).exit(Exit::GateRefused));
        }
    }
}

/// The row that `values` are, or nothing where they are unfit; what is doubtful goes to `problems` or `warnings`.
fn taken(
    kind: ObjectKind,
    at: At<'_>,
    values: &[Option<&str>],
    registries: &BTreeSet<RegistryId>,
    problems: &mut Problems,
    warnings: &mut Problems,
) -> Option<(RegistryId, Row)> {
    let mut good = true;
    let mut tell = |field: &str, doubt: Doubt| {
        let problem = Problem::new(doubt.id, Blame::Input, doubt.what, doubt.remedy).file(at.file).line(at.line).field(field);
        good &= doubt.bearable;
        if doubt.bearable { warnings.push(problem) } else { problems.push(problem.exit(Exit::InputIncomplete)) }
    };
    let absent = |id, what: &str| Doubt { id, what: what.to_owned(), remedy: "fill it in".to_owned(), bearable: false };
    let registry = values.first().copied().flatten().map(RegistryId::new);
    match &registry {
        None => tell("registry", absent("E-ingest-006", "the registry is empty")),
        Some(named) if !registries.contains(named) => {
            let known: Vec<&str> = registries.iter().map(RegistryId::as_str).collect();
            let what = format!("there is no registry {} in the configuration", check::shown(named.as_str(), false));
            tell("registry", Doubt { id: "E-ingest-007", what, remedy: source::nearest(named.as_str(), &known), bearable: false });
        }
        Some(_) => {}
    }
    let mut id = None;
    match (values.get(1).copied().flatten(), kind) {
        (None, _) => tell("id", absent("E-ingest-008", "the id is empty")),
        (Some(handle), ObjectKind::Contact) => match check::handle(handle) {
            Some(doubt) => tell("id", doubt),
            None => id = Some(handle.to_owned()),
        },
        (Some(name), ObjectKind::Domain) => match check::domain(name) {
            Ok((name, doubt)) => {
                id = Some(name);
                if let Some(doubt) = doubt {
                    tell("id", doubt);
                }
            }
            Err(doubt) => tell("id", doubt),
        },
    }
    let fields = values.get(2..).unwrap_or_default();
    for (column, value) in columns(kind).iter().zip(fields) {
        if let Some(doubt) = value.and_then(|value| check::value(column, value)) {
            tell(column.name, doubt);
        }
    }
    if kind == ObjectKind::Contact {
        use ContactField as F;
        for (city, pc, cc) in [(F::IntCity, F::IntPc, F::IntCc), (F::LocCity, F::LocPc, F::LocCc)] {
            let value = |field: F| fields.get(field.at()).copied().flatten();
            if let Some((field, doubt)) = check::address([pc.name(), cc.name()], value(city), value(pc), value(cc)) {
                tell(&field, doubt);
            }
        }
    }
    let id = id.filter(|_| good)?;
    Some((registry?, Row::new(&id, fields.iter().copied())))
}

/// Rows a file may have, from its length: more buckets than needed do no harm.
fn estimated_rows(path: &Path) -> u64 {
    let bytes = std::fs::metadata(path).map_or(0, |m| m.len());
    let packed = Format::of(path) == Some(Format::Parquet);
    bytes / if packed { RECORD_BYTES / 3 } else { RECORD_BYTES }
}
