//! Snapshots: what a registry held, as a pull saw it, in buckets of Parquet under `snapshots/date=…/registry=…`.

use super::ahead::ahead;
use super::buckets::{bucket_dir, registry_dir};
use super::building::Pending;
use super::columns::{columns, table_name};
use super::parquet::{Batch, ParquetFile};
use super::rows::Row;
use super::spool::{ExchangeRow, State};
use super::table::{Cell, ColumnType};
use crate::base::{Blame, ExchangeId, Exit, Problem, RegistryId, Result, RunId, Timestamp, read_capped, remove_tree};
use crate::model::ObjectKind;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The columns of `exchanges.parquet`.
pub(super) const EXCHANGES: [(&str, ColumnType); 13] = [
    ("id", ColumnType::Text),
    ("registry", ColumnType::Text),
    ("session", ColumnType::Integer),
    ("command", ColumnType::Text),
    ("cl_trid", ColumnType::Text),
    ("sv_trid", ColumnType::Text),
    ("code", ColumnType::Integer),
    ("sent", ColumnType::Text),
    ("received", ColumnType::Text),
    ("bytes_out", ColumnType::Integer),
    ("bytes_in", ColumnType::Integer),
    ("digest", ColumnType::Text),
    ("elements", ColumnType::Text),
];

/// How many objects of each kind ended in each state, and how many exchanges that took.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Counts {
    /// Contacts.
    pub contacts: ByState,
    /// Domains.
    pub domains: ByState,
    /// Exchanges.
    pub exchanges: u64,
}

/// Objects by state.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct ByState {
    /// The registry told their contents.
    pub ok: u64,
    /// The registry does not know them.
    pub missing: u64,
    /// Their answers could not be read.
    pub unreadable: u64,
    /// The registry refuses to tell us.
    pub refused: u64,
}

impl Counts {
    /// Counts one object.
    pub(super) const fn add(&mut self, kind: ObjectKind, state: State) {
        let of = match kind {
            ObjectKind::Contact => &mut self.contacts,
            ObjectKind::Domain => &mut self.domains,
        };
        match state {
            State::Ok => of.ok += 1,
            State::Missing => of.missing += 1,
            State::Unreadable => of.unreadable += 1,
            State::Refused => of.refused += 1,
        }
    }

    /// The objects of `kind`.
    #[must_use]
    pub const fn of(&self, kind: ObjectKind) -> &ByState {
        match kind {
            ObjectKind::Contact => &self.contacts,
            ObjectKind::Domain => &self.domains,
        }
    }
}

/// What stands beside a snapshot's buckets; written last, so that its presence says that the snapshot is whole.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Manifest {
    /// The layout's version.
    pub format: u32,
    /// The version of Privet that wrote it.
    pub tool_version: String,
    /// The run.
    pub run_id: RunId,
    /// The registry.
    pub registry: RegistryId,
    /// When the pull started, UTC.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// When it was whole, UTC.
    #[schemars(with = "String")]
    pub finished: Timestamp,
    /// The number of buckets, as a power of two.
    pub buckets_log2: u8,
    /// What is in it.
    pub counts: Counts,
    /// When its rows were observed, where it has any: a pull with a budget leaves older ones in place.
    pub observed: Option<Ages>,
    /// The first session number that no exchange in it has.
    pub next_session: u32,
}

/// The times at which the rows of a snapshot were observed, UTC.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Ages {
    /// The earliest.
    #[schemars(with = "String")]
    pub oldest: Timestamp,
    /// The one in the middle, to the minute.
    #[schemars(with = "String")]
    pub median: Timestamp,
    /// The latest.
    #[schemars(with = "String")]
    pub newest: Timestamp,
}

/// Counts when rows were observed, minute by minute, in little memory.
#[derive(Clone, Debug, Default)]
pub(super) struct AgeCount {
    ends: Option<(Timestamp, Timestamp)>,
    minutes: BTreeMap<i64, u64>,
}

impl AgeCount {
    /// Counts one row.
    pub(super) fn add(&mut self, at: Timestamp) {
        let (oldest, newest) = self.ends.unwrap_or((at, at));
        self.ends = Some((oldest.min(at), newest.max(at)));
        *self.minutes.entry(minute(at)).or_default() += 1;
    }

    /// The ages of what was counted.
    pub(super) fn ages(&self) -> Option<Ages> {
        let (oldest, newest) = self.ends?;
        let mut left = self.minutes.values().sum::<u64>().div_ceil(2);
        let middle = self.minutes.iter().find(|(_, n)| {
            left = left.saturating_sub(**n);
            left == 0
        });
        let median = middle.and_then(|(minute, _)| Timestamp::from_second(minute * 60).ok()).unwrap_or(newest).clamp(oldest, newest);
        Some(Ages { oldest, median, newest })
    }

    /// The minutes with the number of rows of each, the oldest first.
    pub(super) const fn minutes(&self) -> &BTreeMap<i64, u64> {
        &self.minutes
    }
}

/// The minute that `at` lies in, counted from the epoch.
pub(super) fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

impl Manifest {
    /// Its file name.
    pub(super) const FILE: &str = "snapshot.json";

    /// The layout this program writes and reads.
    const FORMAT: u32 = 2;

    pub(super) fn new(run: &Pending, registry: &RegistryId, finished: Timestamp, sums: Sums) -> Self {
        Self {
            format: Self::FORMAT,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            run_id: run.run_id.clone(),
            registry: registry.clone(),
            started: run.started,
            finished,
            buckets_log2: run.buckets_log2,
            counts: sums.counts,
            observed: sums.ages.ages(),
            next_session: sums.next_session,
        }
    }
}

/// What is counted while a snapshot is written.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) counts: Counts,
    pub(super) ages: AgeCount,
    pub(super) next_session: u32,
}

/// One observed object of a snapshot.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its id, and its contents where the state is [`State::Ok`].
    pub row: Row,
    /// What became of it.
    pub state: State,
}

/// A whole snapshot of one registry.
#[derive(Clone, Debug)]
pub struct Snapshot {
    dir: PathBuf,
    manifest: Manifest,
}

impl Snapshot {
    /// The newest whole snapshot of `registry`, if there is one. What a killed run left half written is removed.
    ///
    /// # Errors
    /// As [`Self::all`].
    pub fn newest(state_dir: &Path, registry: &RegistryId) -> Result<Option<Self>> {
        Ok(Self::all(state_dir, registry)?.pop())
    }

    /// The whole snapshots of `registry`, the newest last. What a killed run left half written is removed.
    ///
    /// # Errors
    /// `E-snapshot-001` where one was written by a version that this one does not understand, `E-snapshot-002` where one cannot be read.
    pub fn all(state_dir: &Path, registry: &RegistryId) -> Result<Vec<Self>> {
        let root = snapshots_dir(state_dir);
        remove_tree(&root.join(format!(".{}.tmp", registry.as_str())))?;
        let Ok(entries) = std::fs::read_dir(&root) else { return Ok(Vec::new()) };
        let dated = entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with("date="));
        let whole = dated.map(|e| registry_dir(&e.path(), registry)).filter(|dir| dir.join(Manifest::FILE).exists());
        let mut all = whole.map(|dir| Self::at(&dir)).collect::<Result<Vec<Self>>>()?;
        // Two of one moment cannot be, but if they are the directory's name decides, so that every run takes the same one.
        all.sort_by(|one, other| (one.manifest.finished, &one.dir).cmp(&(other.manifest.finished, &other.dir)));
        Ok(all)
    }

    /// The snapshot in `dir`.
    ///
    /// # Errors
    /// `E-snapshot-001`, `E-snapshot-002`.
    pub fn at(dir: &Path) -> Result<Self> {
        let path = dir.join(Manifest::FILE);
        let bytes = read_capped(&path, 1 << 20)?;
        let format = serde_json::from_slice::<serde_json::Value>(&bytes).ok().and_then(|v| v.get("format")?.as_u64());
        if format.is_some_and(|f| f != u64::from(Manifest::FORMAT)) {
            let what = format!("the snapshot has format {}, this version reads {}", format.unwrap_or_default(), Manifest::FORMAT);
            return Err(Problem::new("E-snapshot-001", Blame::Operator, what, "pull anew with this version")
                .file(&path)
                .exit(Exit::Storage));
        }
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| {
            let what = format!("the snapshot's manifest cannot be read: {e}");
            Problem::new("E-snapshot-002", Blame::Operator, what, "remove this snapshot and pull anew").file(&path).exit(Exit::Storage)
        })?;
        if manifest.buckets_log2 > super::buckets::MAX_LOG2 {
            let what = format!("the snapshot's manifest names 2^{} buckets", manifest.buckets_log2);
            let remedy = "remove this snapshot and pull anew";
            return Err(Problem::new("E-snapshot-002", Blame::Operator, what, remedy).file(&path).exit(Exit::Storage));
        }
        Ok(Self { dir: dir.to_owned(), manifest })
    }

    /// Where it stands.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What stands beside its buckets.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How many buckets it has.
    #[must_use]
    pub const fn buckets(&self) -> u32 {
        1 << self.manifest.buckets_log2
    }

    /// The file of one table in one bucket.
    #[must_use]
    pub fn file(&self, kind: ObjectKind, bucket: u32) -> PathBuf {
        bucket_dir(&self.dir, bucket).join(format!("{}.parquet", table_name(kind)))
    }

    /// Some columns of one bucket's table, integers as their digits.
    ///
    /// # Errors
    /// `E-parquet-…`.
    pub(super) fn cells(&self, kind: ObjectKind, bucket: u32, names: &[&str]) -> Result<ParquetFile> {
        ParquetFile::open_cells(&self.file(kind, bucket), names)
    }

    /// When each row of a bucket was observed, by id; nothing where the time cannot be read.
    ///
    /// # Errors
    /// `E-parquet-…`.
    pub fn observed(&self, kind: ObjectKind, bucket: u32) -> Result<HashMap<Box<str>, Option<Timestamp>>> {
        let file = self.cells(kind, bucket, &["id", "observed_at"])?;
        let mut out = HashMap::new();
        for n in 0..file.batches() {
            let batch = file.batch(n)?;
            let at = |row: usize| batch.get(1, row).and_then(|text| text.parse::<Timestamp>().ok());
            out.extend((0..batch.rows()).filter_map(|row| Some((batch.get(0, row)?.into(), at(row)))));
        }
        Ok(out)
    }

    /// The ids of a bucket whose rows were observed before `limit`; a time that cannot be read is long ago.
    ///
    /// # Errors
    /// `E-parquet-…`.
    pub fn observed_before(&self, kind: ObjectKind, bucket: u32, limit: Timestamp) -> Result<HashSet<Box<str>>> {
        let all = self.observed(kind, bucket)?;
        Ok(all.into_iter().filter(|(_, at)| at.is_none_or(|at| at < limit)).map(|(id, _)| id).collect())
    }

    /// What the registry stamped the objects of one bucket with, by id.
    ///
    /// # Errors
    /// `E-parquet-…`.
    pub fn stamps(&self, kind: ObjectKind, bucket: u32) -> Result<HashMap<Box<str>, Stamp>> {
        let file = self.cells(kind, bucket, &["id", "sponsor", "updated", "transferred", "created"])?;
        let mut out = HashMap::new();
        for n in 0..file.batches() {
            let batch = file.batch(n)?;
            for row in 0..batch.rows() {
                let of = |column| batch.get(column, row).map(Into::into);
                let stamp = Stamp { sponsor: of(1), updated: of(2), transferred: of(3), created: of(4) };
                out.extend(of(0).map(|id| (id, stamp)));
            }
        }
        Ok(out)
    }

    /// The objects of one bucket, sorted by id.
    ///
    /// # Errors
    /// `E-parquet-…`.
    pub fn rows(&self, kind: ObjectKind, bucket: u32) -> Result<Vec<Observed>> {
        let mut names = vec!["id", "state"];
        names.extend(columns(kind).iter().map(|c| c.name));
        let file = ParquetFile::open(&self.file(kind, bucket), &names, false)?;
        let mut out = Vec::with_capacity(file.rows());
        for n in 0..file.batches() {
            let batch = file.batch(n)?;
            for row in 0..batch.rows() {
                let Some(state) = batch.get(1, row).and_then(State::read) else { continue };
                let fields = (2..names.len()).map(|column| batch.get(column, row));
                out.push(Observed { row: Row::new(batch.get(0, row).unwrap_or_default(), fields), state });
            }
        }
        Ok(out)
    }

    /// Hands over the id of every object of a kind whose contents the registry told: some columns' cost, not that of the rows.
    ///
    /// # Errors
    /// `E-parquet-…`.
    pub fn each_id(&self, kind: ObjectKind, mut take: impl FnMut(&str)) -> Result<()> {
        let ids = |bucket| self.column_of(kind, bucket, "state");
        ahead(self.buckets(), ids, |_, batches| {
            for batch in batches {
                let told = batch.column(0).zip(batch.column(1)).filter(|(_, state)| *state == Some(State::Ok.as_str()));
                told.filter_map(|(id, _)| id).for_each(&mut take);
            }
            Ok(())
        })
    }

    /// How many objects of a kind each registrar sponsors, by its identifier (`clID`, RFC 5730 §2.9.1.1).
    ///
    /// # Errors
    /// `E-parquet-…`.
    pub fn sponsors(&self, kind: ObjectKind) -> Result<BTreeMap<String, u64>> {
        let mut out = BTreeMap::new();
        ahead(
            self.buckets(),
            |bucket| self.column_of(kind, bucket, "sponsor"),
            |_, batches| {
                for batch in batches {
                    for sponsor in batch.column(1).flatten() {
                        match out.get_mut(sponsor) {
                            Some(n) => *n += 1,
                            None => drop(out.insert(sponsor.to_owned(), 1)),
                        }
                    }
                }
                Ok(())
            },
        )?;
        Ok(out)
    }

    /// The ids of one bucket, each with one more column.
    fn column_of(&self, kind: ObjectKind, bucket: u32, name: &str) -> Result<Vec<Batch>> {
        let file = self.cells(kind, bucket, &["id", name])?;
        (0..file.batches()).map(|n| file.batch(n)).collect()
    }

    /// Hands over every object of a kind whose contents the registry told, bucket after bucket in the order of their ids, while the next
    /// bucket is read.
    ///
    /// # Errors
    /// `E-parquet-…`, and what `take` tells.
    pub fn each(&self, kind: ObjectKind, mut take: impl FnMut(Row) -> Result<()>) -> Result<()> {
        ahead(
            self.buckets(),
            |bucket| self.rows(kind, bucket),
            |_, rows| rows.into_iter().filter(|seen| seen.state == State::Ok).try_for_each(|seen| take(seen.row)),
        )
    }
}

/// What a registry stamps an object with by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The sponsoring registrar (`clID`, RFC 5730 §2.9.1.1).
    pub sponsor: Option<Box<str>>,
    /// When it was last changed (`upDate`, RFC 3339).
    pub updated: Option<Box<str>>,
    /// When it was last transferred (`trDate`, RFC 3339).
    pub transferred: Option<Box<str>>,
    /// When it was created (`crDate`, RFC 3339).
    pub created: Option<Box<str>>,
}

/// Where snapshots stand below the state directory.
pub(super) fn snapshots_dir(state_dir: &Path) -> PathBuf {
    state_dir.join("snapshots")
}

/// The directory of a snapshot that became whole at `wall`: its day, or its second where that day has one already.
pub(super) fn date_dir(root: &Path, registry: &RegistryId, wall: Timestamp) -> PathBuf {
    let day = root.join(format!("date={}", wall.strftime("%Y-%m-%d")));
    if !registry_dir(&day, registry).exists() {
        return day;
    }
    let mut at = wall;
    loop {
        let second = root.join(format!("date={}", at.strftime("%Y-%m-%dT%H-%M-%SZ")));
        if !registry_dir(&second, registry).exists() {
            return second;
        }
        at += jiff::SignedDuration::from_secs(1);
    }
}

/// A value on its way into a table.
pub(super) enum Owned {
    /// A string, or null.
    Text(Option<Box<str>>),
    /// An integer, or null.
    Integer(Option<i64>),
}

impl Owned {
    /// The value as a cell.
    pub(super) fn cell(&self) -> Cell<'_> {
        match self {
            Self::Text(text) => Cell::Text(text.as_deref()),
            Self::Integer(n) => Cell::Integer(*n),
        }
    }
}

/// An exchange in the order of [`EXCHANGES`].
pub(super) fn exchange_cells(row: &ExchangeRow, registry: &RegistryId) -> [Owned; 13] {
    let time = |at: i64| Owned::Text(Timestamp::from_microsecond(at).ok().map(|t| t.to_string().into()));
    let text = |text: &str| Owned::Text(Some(text.into()));
    [
        text(&ExchangeId(row.id).to_string()),
        text(registry.as_str()),
        Owned::Integer(Some(row.session.into())),
        text(&row.command),
        Owned::Text(row.cl_trid.clone()),
        Owned::Text(row.sv_trid.clone()),
        Owned::Integer(row.code.map(Into::into)),
        time(row.sent),
        time(row.received),
        Owned::Integer(Some(row.bytes_out.into())),
        Owned::Integer(Some(row.bytes_in.into())),
        Owned::Text(row.digest.clone()),
        text(&row.elements),
    ]
}
