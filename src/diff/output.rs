//! Differences on their way out: gathered in any order with flat memory, written sorted as CSV and Parquet.

use super::summary::DiffSummary;
use crate::base::{AtomicFile, Exit, Problem, Result, create_private_dir, remove_tree};
use crate::dataset::{Cell, ColumnType, TableWriter};
use crate::model::ObjectKind;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;
use std::cmp::Ordering;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Bytes of differences that are gathered in memory before they go to disk as a sorted run.
const RUN_BYTES: usize = 128 << 20;

/// What kind of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiffKind {
    /// A field has another value at the registry than expected.
    Changed,
    /// The registry has the object, the local records do not.
    MissingHere,
    /// The object is expected at the registry, which does not know it.
    MissingThere,
    /// The registry's answer about the object could not be read, was refused, or was never asked for: nothing is known, and nothing
    /// may be concluded. The field is `state`, the remote value says which.
    Unreadable,
}

impl DiffKind {
    /// All, in the order they are told.
    pub const ALL: [Self; 4] = [Self::Changed, Self::MissingHere, Self::MissingThere, Self::Unreadable];

    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::MissingHere => "missing_here",
            Self::MissingThere => "missing_there",
            Self::Unreadable => "unreadable",
        }
    }

    /// The words for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::MissingHere => "missing here",
            Self::MissingThere => "missing there",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Whether a difference matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It does.
    Material,
    /// The same value, written differently: case, white space, the shape of a number.
    Cosmetic,
}

impl Severity {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Material => "material",
            Self::Cosmetic => "cosmetic",
        }
    }
}

/// One difference. Its values are personal data, so it has no `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Difference<'a> {
    pub(super) registry: &'a str,
    pub(super) object: ObjectKind,
    pub(super) id: &'a str,
    pub(super) field: &'a str,
    pub(super) local: Option<&'a str>,
    pub(super) remote: Option<&'a str>,
    pub(super) kind: DiffKind,
    pub(super) severity: Severity,
}

impl<'a> Difference<'a> {
    /// A whole object that only one side has.
    pub(super) const fn missing(registry: &'a str, object: ObjectKind, id: &'a str, kind: DiffKind) -> Self {
        Self { registry, object, id, field: "", local: None, remote: None, kind, severity: Severity::Material }
    }

    /// Its values for [`COLUMNS`].
    fn row(&self) -> [Option<&'a str>; COLUMNS.len()] {
        let (object, kind, severity) = (self.object.as_str(), self.kind.as_str(), self.severity.as_str());
        let field = Some(self.field).filter(|f| !f.is_empty());
        [Some(self.registry), Some(object), Some(self.id), field, self.local, self.remote, Some(kind), Some(severity)]
    }

    /// The order of the output.
    fn order(&self, other: &Difference<'_>) -> Ordering {
        let key = |d: &Difference<'_>| (d.object, d.kind as u8);
        self.registry
            .cmp(other.registry)
            .then_with(|| self.object.cmp(&other.object))
            .then_with(|| self.id.cmp(other.id))
            .then_with(|| self.field.cmp(other.field))
            .then_with(|| key(self).cmp(&key(other)))
    }
}

/// Differences in memory: their texts end to end, and where each stands.
#[derive(Default)]
pub(super) struct Sheet {
    text: String,
    items: Vec<Item>,
}

/// Where one difference stands in a [`Sheet`]'s text: registry, id, field, local and remote value, in that order.
#[derive(Clone, Copy)]
struct Item {
    start: u32,
    lengths: [u32; 5],
    object: ObjectKind,
    kind: DiffKind,
    severity: Severity,
}

/// The length of a value that is absent.
const ABSENT: u32 = u32::MAX;

impl Sheet {
    /// Adds a difference.
    pub(super) fn push(&mut self, d: Difference<'_>) {
        let length = |text: Option<&str>| text.map_or(ABSENT, |t| u32::try_from(t.len()).unwrap_or(0));
        let texts = [Some(d.registry), Some(d.id), Some(d.field), d.local, d.remote];
        let item = Item {
            start: u32::try_from(self.text.len()).unwrap_or(u32::MAX),
            lengths: texts.map(length),
            object: d.object,
            kind: d.kind,
            severity: d.severity,
        };
        texts.into_iter().flatten().for_each(|text| self.text.push_str(text));
        self.items.push(item);
    }

    fn get(&self, item: &Item) -> Difference<'_> {
        let mut at = item.start as usize;
        let [registry, id, field, local, remote] = item.lengths.map(|length| {
            let length = if length == ABSENT { return None } else { length as usize };
            let text = self.text.get(at..at + length);
            at += length;
            text
        });
        Difference {
            registry: registry.unwrap_or_default(),
            object: item.object,
            id: id.unwrap_or_default(),
            field: field.unwrap_or_default(),
            local,
            remote,
            kind: item.kind,
            severity: item.severity,
        }
    }

    fn bytes(&self) -> usize {
        self.text.len() + self.items.len() * size_of::<Item>()
    }

    /// Sorts in [`Difference::order`]. Nearly every comparison is settled by what is laid beside each item: the rank of its registry and
    /// object, and the bytes of its id behind those that all ids share. The texts themselves lie far apart.
    fn sort(&mut self) {
        let mut groups: Vec<(&str, ObjectKind)> = Vec::new();
        let mut shared: Option<&[u8]> = None;
        for d in self.items.iter().map(|item| self.get(item)) {
            if groups.last() != Some(&(d.registry, d.object)) && !groups.contains(&(d.registry, d.object)) {
                groups.push((d.registry, d.object));
            }
            let before = shared.unwrap_or(d.id.as_bytes());
            let same = before.iter().zip(d.id.as_bytes()).take_while(|(a, b)| a == b).count();
            shared = before.get(..same);
        }
        groups.sort_unstable();
        let shared = shared.map_or(0, <[u8]>::len);
        let ranked = self.items.par_iter().map(|item| {
            let d = self.get(item);
            let group = groups.binary_search(&(d.registry, d.object)).unwrap_or_default();
            let mut begin = [0; 16];
            begin.iter_mut().zip(d.id.as_bytes().get(shared..).unwrap_or_default()).for_each(|(to, from)| *to = *from);
            (group, u128::from_be_bytes(begin), *item)
        });
        let mut ranked: Vec<(usize, u128, Item)> = ranked.collect();
        ranked.par_sort_unstable_by(|(group, begin, item), (other_group, other_begin, other)| {
            let near = group.cmp(other_group).then(begin.cmp(other_begin));
            near.then_with(|| self.get(item).order(&self.get(other)))
        });
        self.items = ranked.into_iter().map(|(_, _, item)| item).collect();
    }
}

/// Gathers differences and writes them sorted.
pub(super) struct Differences {
    out: PathBuf,
    sheet: Sheet,
    runs: Vec<PathBuf>,
    summary: DiffSummary,
}

impl Differences {
    /// Begins to gather for the directory `out`.
    pub(super) fn begin(out: &Path) -> Result<Self> {
        create_private_dir(out)?;
        let runs = out.join(".runs.tmp");
        remove_tree(&runs)?;
        Ok(Self { out: out.to_owned(), sheet: Sheet::default(), runs: Vec::new(), summary: DiffSummary::default() })
    }

    /// Adds everything in `sheet`.
    pub(super) fn absorb(&mut self, sheet: &Sheet) -> Result<()> {
        for item in &sheet.items {
            let difference = sheet.get(item);
            self.summary.count(&difference);
            self.sheet.push(difference);
        }
        if self.sheet.bytes() >= RUN_BYTES { self.spill() } else { Ok(()) }
    }

    /// The counts, which also hold how many objects were compared.
    pub(super) const fn summary(&mut self) -> &mut DiffSummary {
        &mut self.summary
    }

    /// Writes `differences.parquet`, and `differences.csv` where `csv` says so.
    pub(super) fn finish(mut self, csv: bool) -> Result<DiffSummary> {
        let mut sinks = Sinks::create(&self.out, csv)?;
        if self.runs.is_empty() {
            self.sheet.sort();
            sinks.write_all(&self.sheet)?;
        } else {
            self.spill()?;
            merge(&self.runs, &mut sinks)?;
        }
        sinks.finish()?;
        remove_tree(&self.out.join(".runs.tmp"))?;
        Ok(self.summary.sorted())
    }

    /// Writes what is in memory as one sorted run.
    fn spill(&mut self) -> Result<()> {
        let dir = self.out.join(".runs.tmp");
        create_private_dir(&dir)?;
        let path = dir.join(format!("run-{:04}", self.runs.len()));
        let failed = |e: std::io::Error| Problem::storage("E-file-002", &path, "write", &e);
        self.sheet.sort();
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut file = BufWriter::with_capacity(1 << 18, opened.map_err(failed)?);
        for item in &self.sheet.items {
            let bytes = postcard::to_stdvec(&self.sheet.get(item)).unwrap_or_default();
            let length = u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes();
            file.write_all(&length).and_then(|()| file.write_all(&bytes)).map_err(failed)?;
        }
        file.flush().map_err(failed)?;
        self.sheet = Sheet::default();
        self.runs.push(path);
        Ok(())
    }
}

/// Merges sorted runs into `sinks`.
fn merge(runs: &[PathBuf], sinks: &mut Sinks) -> Result<()> {
    let mut inputs = runs.iter().map(|path| Run::open(path)).collect::<Result<Vec<_>>>()?;
    loop {
        let mut least: Option<(usize, Difference<'_>)> = None;
        for (n, run) in inputs.iter().enumerate() {
            let Some(head) = run.head() else { continue };
            if least.as_ref().is_none_or(|(_, l)| head.order(l) == Ordering::Less) {
                least = Some((n, head));
            }
        }
        let Some((n, difference)) = least else { return Ok(()) };
        sinks.write(&difference)?;
        if let Some(run) = inputs.get_mut(n) {
            run.advance()?;
        }
    }
}

/// A sorted run that is read from its start.
struct Run {
    path: PathBuf,
    input: BufReader<File>,
    /// The next record, empty at the end.
    record: Vec<u8>,
}

impl Run {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Problem::storage("E-file-005", path, "read", &e))?;
        let mut run = Self { path: path.to_owned(), input: BufReader::with_capacity(1 << 18, file), record: Vec::new() };
        run.advance()?;
        Ok(run)
    }

    fn head(&self) -> Option<Difference<'_>> {
        postcard::from_bytes(&self.record).ok()
    }

    fn advance(&mut self) -> Result<()> {
        let mut length = [0; 4];
        self.record.clear();
        match self.input.read_exact(&mut length) {
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            read => read.map_err(|e| Problem::storage("E-file-005", &self.path, "read", &e))?,
        }
        let wanted = u64::from(u32::from_le_bytes(length));
        let read = self.input.by_ref().take(wanted).read_to_end(&mut self.record);
        read.map(drop).map_err(|e| Problem::storage("E-file-005", &self.path, "read", &e))
    }
}

/// The files differences are written to.
struct Sinks {
    parquet: TableWriter,
    csv: Option<(PathBuf, csv::Writer<AtomicFile>)>,
}

/// The columns of the output.
pub(super) const COLUMNS: [&str; 8] = ["registry", "object", "id", "field", "local", "remote", "kind", "severity"];

impl Sinks {
    fn create(out: &Path, csv: bool) -> Result<Self> {
        let parquet = TableWriter::create(&out.join("differences.parquet"), &COLUMNS.map(|name| (name, ColumnType::Text)))?;
        let mut sinks = Self { parquet, csv: None };
        if csv {
            let path = out.join("differences.csv");
            let mut writer = csv::Writer::from_writer(AtomicFile::create(&path)?);
            writer.write_record(COLUMNS).map_err(|e| unwritten(&path, &e))?;
            sinks.csv = Some((path, writer));
        }
        Ok(sinks)
    }

    fn write(&mut self, d: &Difference<'_>) -> Result<()> {
        self.write_csv(d)?;
        self.parquet.push(d.row().map(Cell::Text))
    }

    fn write_all(&mut self, sheet: &Sheet) -> Result<()> {
        sheet.items.iter().try_for_each(|item| self.write_csv(&sheet.get(item)))?;
        self.parquet.push_all(&sheet.items, |item| sheet.get(item).row().map(Cell::Text))
    }

    fn write_csv(&mut self, d: &Difference<'_>) -> Result<()> {
        let Some((path, csv)) = &mut self.csv else { return Ok(()) };
        csv.write_record(d.row().map(Option::unwrap_or_default)).map_err(|e| unwritten(path, &e))
    }

    fn finish(self) -> Result<()> {
        self.parquet.finish()?;
        if let Some((path, csv)) = self.csv {
            let file = csv.into_inner().map_err(|e| Problem::storage("E-file-002", &path, "write", e.error()))?;
            file.commit()?;
        }
        Ok(())
    }
}

fn unwritten(path: &Path, error: &csv::Error) -> Box<Problem> {
    Problem::new("E-file-002", crate::base::Blame::Operator, format!("cannot write: {error}"), "check free space")
        .file(path)
        .exit(Exit::Storage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(spill_after: usize) -> (Vec<u8>, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let mut all = Differences::begin(dir.path()).unwrap();
        for n in 0..500_u32 {
            let mut sheet = Sheet::default();
            let id = format!("C-{}", n.wrapping_mul(7919) % 500);
            let (object, kind) = (ObjectKind::Contact, DiffKind::Changed);
            for field in ["voice", "email"] {
                let severity = Severity::Material;
                sheet.push(Difference { registry: "x", object, id: &id, field, local: Some("a,\"b"), remote: None, kind, severity });
            }
            sheet.push(Difference::missing("w", ObjectKind::Domain, &id, DiffKind::MissingThere));
            all.absorb(&sheet).unwrap();
            if n as usize % spill_after == spill_after - 1 {
                all.spill().unwrap();
            }
        }
        let summary = all.finish(true).unwrap();
        assert_eq!((summary.total(Severity::Material), summary.rows.len()), (1_500, 3));
        assert!(!dir.path().join(".runs.tmp").exists());
        let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
        (read("differences.csv"), read("differences.parquet"))
    }

    #[test]
    fn runs_on_disk_merge_to_the_bytes_that_memory_alone_gives() {
        let whole = gather(usize::MAX);
        assert_eq!(gather(120), whole);
        let text = String::from_utf8(whole.0).unwrap();
        let mut lines = text.lines().skip(1);
        assert_eq!(lines.next(), Some("w,domain,C-0,,,,missing_there,material"));
        assert_eq!(lines.nth(499), Some("x,contact,C-0,email,\"a,\"\"b\",,changed,material"));
    }
}
