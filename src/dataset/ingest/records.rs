//! Local records in buckets: how they are written at the end of an ingest, and how they are read.

use super::{SEGMENTS_LOG2, Taking, Waiting};
use crate::base::{
    Blame, Digest, Exit, Problem, Problems, RegistryId, Result, create_private_dir, place_tree, read_capped, remove_tree, write_atomic,
};
use crate::dataset::ahead::ahead;
use crate::dataset::buckets::{bucket_dir, bucket_of, registry_dir};
use crate::dataset::columns::{columns, table_name};
use crate::dataset::parquet::ParquetFile;
use crate::dataset::rows::Row;
use crate::dataset::spool::Segment;
use crate::dataset::table::{Cell, ColumnType, TableWriter};
use crate::model::ObjectKind;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What an ingest did.
#[derive(Clone, Debug)]
pub struct Ingested {
    /// The records, in buckets.
    pub records: Records,
    /// What was taken all the same, but should be mended.
    pub warnings: Problems,
}

/// What stands beside the buckets.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Manifest {
    /// The layout's version.
    format: u32,
    /// The number of buckets, as a power of two.
    buckets_log2: u8,
    /// Contacts and domains of each registry.
    registries: BTreeMap<RegistryId, [u64; 2]>,
    /// What they were taken in from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
}

/// Local records in buckets.
#[derive(Clone, Debug)]
pub struct Records {
    dir: PathBuf,
    manifest: Manifest,
}

impl Records {
    /// The file beside the buckets, written last.
    const MANIFEST: &str = "records.json";

    /// The layout this program writes and reads.
    const FORMAT: u32 = 1;

    /// The records that an earlier ingest left in `dir`.
    ///
    /// # Errors
    /// `E-records-001` where there are none that this version can read.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(Self::MANIFEST);
        let wrong = |what: String| {
            let remedy = "run the ingest again";
            Problem::new("E-records-001", Blame::Operator, what, remedy).file(&path).exit(Exit::InputIncomplete)
        };
        let bytes = read_capped(&path, 1 << 20).map_err(|e| wrong(e.what))?;
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| wrong(format!("the manifest cannot be read: {e}")))?;
        if manifest.format != Self::FORMAT || manifest.buckets_log2 > crate::dataset::buckets::MAX_LOG2 {
            return Err(wrong("the records were written by another version".to_owned()));
        }
        Ok(Self { dir: dir.to_owned(), manifest })
    }

    /// Whether they were taken in from what is told by `origin`, so that taking it in again would come to the same.
    #[must_use]
    pub fn is_of(&self, origin: &Digest) -> bool {
        self.manifest.origin.as_ref() == Some(&origin.to_string())
    }

    /// The registries that records name.
    pub fn registries(&self) -> impl Iterator<Item = &RegistryId> {
        self.manifest.registries.keys()
    }

    /// How many objects of `kind` at `registry` there are.
    #[must_use]
    pub fn count(&self, registry: &RegistryId, kind: ObjectKind) -> u64 {
        self.manifest.registries.get(registry).map_or(0, |counts| counts[kind as usize])
    }

    /// How many contacts and domains there are at all registries: what the next run's [`super::IngestPlan::previous`] wants.
    #[must_use]
    pub fn totals(&self) -> [u64; 2] {
        self.manifest.registries.values().fold([0, 0], |sum, n| [sum[0] + n[0], sum[1] + n[1]])
    }

    /// How many buckets there are.
    #[must_use]
    pub const fn buckets(&self) -> u32 {
        1 << self.manifest.buckets_log2
    }

    /// The number of buckets, as a power of two.
    #[must_use]
    pub const fn buckets_log2(&self) -> u8 {
        self.manifest.buckets_log2
    }

    /// The file of one table in one bucket; it is there only where it has rows.
    #[must_use]
    pub fn file(&self, registry: &RegistryId, kind: ObjectKind, bucket: u32) -> PathBuf {
        bucket_dir(&registry_dir(&self.dir, registry), bucket).join(format!("{}.parquet", table_name(kind)))
    }

    /// The rows of one bucket, sorted by id.
    ///
    /// # Errors
    /// `E-parquet-…`.
    pub fn rows(&self, registry: &RegistryId, kind: ObjectKind, bucket: u32) -> Result<Vec<Row>> {
        let path = self.file(registry, kind, bucket);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let mut names = vec!["id"];
        names.extend(columns(kind).iter().map(|c| c.name));
        let file = ParquetFile::open(&path, &names, false)?;
        let mut out = Vec::with_capacity(file.rows());
        for n in 0..file.batches() {
            let batch = file.batch(n)?;
            for row in 0..batch.rows() {
                out.push(Row::new(batch.get(0, row).unwrap_or_default(), (1..names.len()).map(|column| batch.get(column, row))));
            }
        }
        Ok(out)
    }

    /// Hands over every object of a kind, bucket after bucket in the order of their ids, while the next bucket is read.
    ///
    /// # Errors
    /// `E-parquet-…`, and what `take` tells.
    pub fn each(&self, registry: &RegistryId, kind: ObjectKind, mut take: impl FnMut(Row) -> Result<()>) -> Result<()> {
        ahead(self.buckets(), |bucket| self.rows(registry, kind, bucket), |_, rows| rows.into_iter().try_for_each(&mut take))
    }

    /// The ids of one bucket, sorted.
    ///
    /// # Errors
    /// `E-parquet-…`.
    pub fn ids(&self, registry: &RegistryId, kind: ObjectKind, bucket: u32) -> Result<Vec<Box<str>>> {
        let path = self.file(registry, kind, bucket);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let file = ParquetFile::open(&path, &["id"], false)?;
        let mut out = Vec::with_capacity(file.rows());
        for n in 0..file.batches() {
            out.extend(file.batch(n)?.column(0).flatten().map(Into::into));
        }
        Ok(out)
    }
}

/// The rows of one bucket by registry, kind and id, as they came.
type Bucket = BTreeMap<(Box<str>, ObjectKind, Box<str>), Waiting>;

impl Taking<'_> {
    /// Writes the buckets and puts them in place, where nothing is wrong.
    pub(super) fn end(mut self) -> Result<Ingested, Problems> {
        let mut registries: BTreeMap<RegistryId, [u64; 2]> = self.plan.registries.iter().map(|r| (r.clone(), [0, 0])).collect();
        for bucket in 0..1_u32 << self.log2 {
            let rows = self.bucket(bucket)?;
            if self.problems.is_empty() {
                self.write(bucket, &rows)?;
            }
            for (registry, kind, _) in rows.keys() {
                registries.entry(RegistryId::new(registry.clone())).or_default()[*kind as usize] += 1;
            }
        }
        remove_tree(&self.temporary.join("waiting"))?;
        if !self.problems.is_empty() {
            remove_tree(&self.temporary)?;
            return Err(self.problems);
        }
        let origin = self.plan.origin.as_ref().map(ToString::to_string);
        let manifest = Manifest { format: Records::FORMAT, buckets_log2: self.log2, registries, origin };
        write_atomic(&self.temporary.join(Records::MANIFEST), &serde_json::to_vec_pretty(&manifest).unwrap_or_default())?;
        remove_tree(&self.out_dir)?;
        place_tree(&self.temporary, &self.out_dir)?;
        Ok(Ingested { records: Records { dir: self.out_dir, manifest }, warnings: self.warnings })
    }

    /// Gathers one bucket and tells of ids that stand there twice.
    fn bucket(&mut self, bucket: u32) -> Result<Bucket> {
        let at = (bucket >> (self.log2 - self.log2.min(SEGMENTS_LOG2))) as usize;
        let mut rows = Bucket::new();
        let records = self.segments.get_mut(at).map(Segment::records::<Waiting>).transpose()?;
        for waiting in records.into_iter().flatten() {
            let waiting = waiting?;
            let registry = RegistryId::new(waiting.registry.clone());
            if bucket_of(&registry, waiting.kind, waiting.row.id(), self.log2) != bucket {
                continue;
            }
            let key = (waiting.registry.clone(), waiting.kind, waiting.row.id().into());
            let Some(first) = rows.get(&key) else {
                rows.insert(key, waiting);
                continue;
            };
            let place = |w: &Waiting| self.source(w.kind).and_then(|s| s.names().get(w.file as usize).cloned()).unwrap_or_default();
            let (file, earlier) = (place(&waiting), place(first));
            let other = if file == earlier { format!("row {}", first.line) } else { format!("{}:{}", earlier.display(), first.line) };
            let object = waiting.row.id().to_owned();
            if first.row == waiting.row {
                let what = format!("the same record stands in {other} too");
                let problem = Problem::new("E-ingest-040", Blame::Input, what, "remove one");
                self.warnings.push(problem.file(&file).line(waiting.line).object(object));
            } else {
                let what = format!("the id stands in {other} too, with other values");
                let problem = Problem::new("E-ingest-041", Blame::Input, what, "decide which is right and remove the other");
                self.problems.push(problem.file(&file).line(waiting.line).object(object).exit(Exit::InputIncomplete));
            }
        }
        Ok(rows)
    }

    fn write(&self, bucket: u32, rows: &Bucket) -> Result<()> {
        let mut table: Option<(&str, ObjectKind, TableWriter)> = None;
        for ((registry, kind, id), waiting) in rows {
            if table.as_ref().is_none_or(|(r, k, _)| (*r, *k) != (registry, *kind)) {
                if let Some((_, _, full)) = table.take() {
                    full.finish()?;
                }
                let dir = bucket_dir(&registry_dir(&self.temporary, &RegistryId::new(registry.clone())), bucket);
                create_private_dir(&dir)?;
                let mut names = vec![("registry", ColumnType::Text), ("id", ColumnType::Text)];
                names.extend(columns(*kind).iter().map(|c| (c.name, ColumnType::Text)));
                table = Some((registry, *kind, TableWriter::create(&dir.join(format!("{}.parquet", table_name(*kind))), &names)?));
            }
            if let Some((_, _, open)) = &mut table {
                let keys = [Cell::Text(Some(registry)), Cell::Text(Some(id))];
                open.push(keys.into_iter().chain(waiting.row.fields().map(Cell::Text)))?;
            }
        }
        table.map_or(Ok(()), |(_, _, full)| full.finish().map(drop))
    }
}
