//! A snapshot in the making: what a pull observes, spooled to disk, and what it has still to visit.

use super::buckets::{bucket_dir, bucket_of, registry_dir};
use super::columns::{OBSERVED, columns, table_name};
use super::frontier::Frontier;
use super::rows::{Facts, Row, handles};
use super::snapshot::{Counts, EXCHANGES, Manifest, Snapshot, date_dir, exchange_cells, snapshots_dir};
use super::spool::{ExchangeRow, Record, Segment, State};
use super::table::{Cell, ColumnType, TableWriter};
use crate::base::{
    Blame, ExchangeId, Exit, Problem, RegistryId, Result, RunId, Timestamp, create_private_dir, place_tree, read_capped, remove_tree,
    write_atomic,
};
use crate::model::{ExchangeFacts, ObjectKind};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The most segment files of one spool, as a power of two: each holds the objects of some neighbouring buckets.
const SEGMENTS_LOG2: u8 = 6;

/// One object as it was observed.
#[derive(Clone, Debug)]
pub struct Observation {
    /// What it is.
    pub kind: ObjectKind,
    /// Its id, as it was asked for.
    pub id: Box<str>,
    /// What became of it.
    pub state: State,
    /// Its contents, where they could be read.
    pub row: Option<Row>,
    /// What else the registry told of it.
    pub facts: Facts,
    /// When.
    pub observed_at: Timestamp,
    /// In which exchange.
    pub exchange: ExchangeId,
    /// Elements in the answer that no type knew.
    pub unknown: u32,
}

/// What an interrupted pull left.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pending {
    /// Its run.
    pub run_id: RunId,
    /// When it started.
    pub started: Timestamp,
    /// Its number of buckets, as a power of two.
    pub buckets_log2: u8,
}

/// A snapshot of one registry in the making. Dropped, it stays on disk and can be resumed.
#[derive(Debug)]
pub struct Building {
    state_dir: PathBuf,
    dir: PathBuf,
    registry: RegistryId,
    run: Pending,
    segments: Vec<Segment>,
    frontier: Frontier,
    counts: Counts,
    next_session: u32,
}

impl Building {
    /// What an interrupted pull of `registry` left, if anything. Passing its run id to [`Building::open`] resumes it.
    ///
    /// # Errors
    /// `E-file-005`, `E-file-006`.
    pub fn pending(state_dir: &Path, registry: &RegistryId) -> Result<Option<Pending>> {
        let path = building_dir(state_dir, registry).join("run.json");
        if !path.exists() {
            return Ok(None);
        }
        // What cannot be read is of no use to a resume: the pull then begins anew.
        Ok(serde_json::from_slice(&read_capped(&path, 64 * 1024)?).ok())
    }

    /// Resumes the pull that `run_id` left of `registry`, or begins a new one in the place of whatever is there.
    ///
    /// `buckets_log2` is the power of two of a new one's buckets; that of the local records suits it, so that both are cut alike.
    ///
    /// # Errors
    /// `E-spool-…` and `E-file-…` where the disk fails.
    pub fn open(state_dir: &Path, run_id: &RunId, started: Timestamp, registry: &RegistryId, buckets_log2: u8) -> Result<Self> {
        let dir = building_dir(state_dir, registry);
        let left =
            Self::pending(state_dir, registry)?.filter(|left| left.run_id == *run_id && left.buckets_log2 <= super::buckets::MAX_LOG2);
        let run = if let Some(left) = left {
            left
        } else {
            remove_tree(&dir)?;
            create_private_dir(&dir)?;
            let run = Pending { run_id: run_id.clone(), started, buckets_log2: buckets_log2.min(super::buckets::MAX_LOG2) };
            write_atomic(&dir.join("run.json"), &serde_json::to_vec(&run).unwrap_or_default())?;
            run
        };
        let log2 = run.buckets_log2;
        let count = 1_u32 << log2.min(SEGMENTS_LOG2);
        let segments = (0..count).map(|n| Segment::open(&dir.join(format!("segment-{n:03}.spool")))).collect::<Result<Vec<_>>>()?;
        let frontier = Frontier::create(&dir.join("frontier"), registry, log2)?;
        let mut building = Self {
            state_dir: state_dir.to_owned(),
            dir,
            registry: registry.clone(),
            run,
            segments,
            frontier,
            counts: Counts::default(),
            next_session: 0,
        };
        building.replay()?;
        Ok(building)
    }

    /// The run this belongs to.
    #[must_use]
    pub const fn run(&self) -> &Pending {
        &self.run
    }

    /// What was observed so far, over all processes of the run.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The first session number that no earlier process of the run used.
    #[must_use]
    pub const fn next_session(&self) -> u32 {
        self.next_session
    }

    /// Notes an object. It lasts from the next [`Building::sync`] on.
    ///
    /// # Errors
    /// `E-spool-001`, `E-spool-002`.
    pub fn observe(&mut self, seen: Observation) -> Result<()> {
        self.counts.add(seen.kind, seen.state);
        let bucket = bucket_of(&self.registry, seen.kind, &seen.id, self.run.buckets_log2);
        let record = Record::Object {
            kind: seen.kind,
            id: seen.id,
            state: seen.state,
            row: seen.row,
            facts: seen.facts,
            observed_at: seen.observed_at.as_microsecond(),
            exchange: seen.exchange.0,
            unknown: seen.unknown,
        };
        self.segment(bucket, &record)
    }

    /// Notes an exchange of session `session`.
    ///
    /// # Errors
    /// `E-spool-001`.
    pub fn exchange(&mut self, facts: &ExchangeFacts, session: u32) -> Result<()> {
        self.counts.exchanges += 1;
        let record = Record::Exchange(Box::new(ExchangeRow {
            id: facts.id.0,
            session,
            command: facts.command.into(),
            cl_trid: facts.cl_trid.as_ref().map(|t| t.as_str().into()),
            sv_trid: facts.sv_trid.clone(),
            code: facts.code.map(|c| c.0),
            sent: facts.sent.as_microsecond(),
            received: facts.received.as_microsecond(),
            bytes_out: facts.bytes_out,
            bytes_in: facts.bytes_in,
            digest: facts.digest.map(|d| d.to_string().into()),
            elements: (*facts.elements).into(),
        }));
        self.segment(self.exchange_bucket(facts.id.0), &record)
    }

    /// Makes everything noted so far durable.
    ///
    /// # Errors
    /// `E-spool-001`.
    pub fn sync(&mut self) -> Result<()> {
        self.segments.iter_mut().try_for_each(Segment::sync)
    }

    /// Adds an id to visit, however often it was added or observed before.
    ///
    /// # Errors
    /// `E-spool-004`.
    pub fn frontier_push(&mut self, kind: ObjectKind, id: &str) -> Result<()> {
        self.frontier.push(kind, id)
    }

    /// Some ids of `kind` that were neither handed out nor observed yet, those of one bucket at a time; nothing where all were.
    /// Ids pushed later come in a later round.
    ///
    /// # Errors
    /// `E-spool-004`.
    pub fn next_batch(&mut self, kind: ObjectKind) -> Result<Option<Vec<Box<str>>>> {
        self.frontier.next_batch(kind)
    }

    /// Writes the snapshot, puts it in place as a whole, and removes the spool.
    ///
    /// # Errors
    /// `E-spool-…` and `E-file-…` where the disk fails; the spool is then still there.
    pub fn finish(mut self, wall: Timestamp) -> Result<Snapshot> {
        self.sync()?;
        let root = snapshots_dir(&self.state_dir);
        let temporary = root.join(format!(".{}.tmp", self.registry.as_str()));
        remove_tree(&temporary)?;
        create_private_dir(&temporary)?;
        let mut counts = Counts::default();
        for bucket in 0..1_u32 << self.run.buckets_log2 {
            self.write_bucket(bucket, &temporary, &mut counts)?;
        }
        let manifest = Manifest::new(&self.run, &self.registry, wall, counts);
        write_atomic(&temporary.join(Manifest::FILE), &serde_json::to_vec_pretty(&manifest).unwrap_or_default())?;
        let date = date_dir(&root, &self.registry, wall);
        create_private_dir(&date)?;
        let target = registry_dir(&date, &self.registry);
        place_tree(&temporary, &target)?;
        remove_tree(&self.dir)?;
        Snapshot::at(&target)
    }

    /// Reads what earlier processes of the run observed: nothing of it is visited again, and every handle that a domain named is.
    fn replay(&mut self) -> Result<()> {
        for segment in &mut self.segments {
            for record in segment.records::<Record>()? {
                match record? {
                    Record::Object { kind, id, state, .. } => {
                        self.counts.add(kind, state);
                        self.frontier.push_done(kind, &id)?;
                    }
                    Record::Exchange(row) => {
                        self.counts.exchanges += 1;
                        self.next_session = self.next_session.max(row.session.saturating_add(1));
                    }
                }
            }
        }
        for segment in &mut self.segments {
            for record in segment.records::<Record>()? {
                if let Record::Object { kind: ObjectKind::Domain, row: Some(row), .. } = record? {
                    handles(&row).try_for_each(|handle| self.frontier.push(ObjectKind::Contact, &handle))?;
                }
            }
        }
        Ok(())
    }

    fn exchange_bucket(&self, id: u64) -> u32 {
        super::buckets::first_bits(xxhash_rust::xxh3::xxh3_64(&id.to_le_bytes()), self.run.buckets_log2)
    }

    /// The position of the segment file that holds `bucket`.
    fn segment_of(&self, bucket: u32) -> usize {
        (bucket >> (self.run.buckets_log2 - self.run.buckets_log2.min(SEGMENTS_LOG2))) as usize
    }

    fn segment(&mut self, bucket: u32, record: &Record) -> Result<()> {
        let at = self.segment_of(bucket);
        match self.segments.get_mut(at) {
            Some(segment) => segment.append(record),
            None => Err(Problem::new("E-spool-005", Blame::Us, format!("there is no segment {at}"), "report this").exit(Exit::Internal)),
        }
    }

    /// Writes the three tables of one bucket, each sorted by id.
    fn write_bucket(&mut self, bucket: u32, root: &Path, counts: &mut Counts) -> Result<()> {
        let at = self.segment_of(bucket);
        let log2 = self.run.buckets_log2;
        // An object that was noted twice, by a process that died between the two, counts as it was noted last.
        let mut objects: [BTreeMap<Box<str>, Record>; 2] = [BTreeMap::new(), BTreeMap::new()];
        let mut exchanges: BTreeMap<u64, ExchangeRow> = BTreeMap::new();
        let records = self.segments.get_mut(at).map(Segment::records::<Record>).transpose()?;
        for record in records.into_iter().flatten() {
            match record? {
                Record::Exchange(row) if self.exchange_bucket(row.id) == bucket => {
                    exchanges.insert(row.id, *row);
                }
                Record::Object { kind, ref id, .. } if bucket_of(&self.registry, kind, id, log2) != bucket => {}
                Record::Exchange(_) => {}
                record @ Record::Object { .. } => {
                    if let Record::Object { kind, id, .. } = &record {
                        let (kind, id) = (*kind, id.clone());
                        objects[kind as usize].insert(id, record);
                    }
                }
            }
        }
        let dir = bucket_dir(root, bucket);
        create_private_dir(&dir)?;
        for kind in ObjectKind::ALL {
            let mut names = vec![("registry", ColumnType::Text), ("id", ColumnType::Text)];
            names.extend(columns(kind).iter().map(|c| (c.name, ColumnType::Text)));
            names.extend(OBSERVED.map(|name| (name, if name == "unknown" { ColumnType::Integer } else { ColumnType::Text })));
            let mut table = TableWriter::create(&dir.join(format!("{}.parquet", table_name(kind))), &names)?;
            for record in objects[kind as usize].values() {
                self.write_object(&mut table, record)?;
                if let Record::Object { state, .. } = record {
                    counts.add(kind, *state);
                }
            }
            table.finish()?;
        }
        let mut table = TableWriter::create(&dir.join("exchanges.parquet"), &EXCHANGES)?;
        for row in exchanges.values() {
            table.push(exchange_cells(row, &self.registry).iter().map(super::snapshot::Owned::cell))?;
            counts.exchanges += 1;
        }
        table.finish()?;
        Ok(())
    }

    fn write_object(&self, table: &mut TableWriter, record: &Record) -> Result<()> {
        let Record::Object { kind, id, state, row, facts, observed_at, exchange, unknown } = record else { return Ok(()) };
        let text = |value: &'_ Option<Box<str>>| value.as_deref().map(str::to_owned);
        let observed = Timestamp::from_microsecond(*observed_at).map(|t| t.to_string()).unwrap_or_default();
        let exchange = ExchangeId(*exchange).to_string();
        let facts = [&facts.roid, &facts.sponsor, &facts.created_by, &facts.created, &facts.updated_by, &facts.updated, &facts.transferred]
            .map(text);
        let mut cells = vec![Cell::Text(Some(self.registry.as_str())), Cell::Text(Some(id))];
        cells.extend((0..columns(*kind).len()).map(|at| Cell::Text(row.as_ref().and_then(|r| r.get(at)))));
        cells.extend(facts.iter().map(|f| Cell::Text(f.as_deref())));
        cells.extend([state.as_str(), &observed, &exchange].map(|t| Cell::Text(Some(t))));
        cells.push(Cell::Integer(Some(i64::from(*unknown))));
        table.push(cells)
    }
}

fn building_dir(state_dir: &Path, registry: &RegistryId) -> PathBuf {
    registry_dir(&state_dir.join("building"), registry)
}
