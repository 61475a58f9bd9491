//! A snapshot in the making: what a pull observes, spooled to disk, and what it has still to visit.

mod merge;

use super::buckets::{bucket_of, place_of, registry_dir};
use super::frontier::Frontier;
use super::ingest::Records;
use super::rows::{Facts, Row, handles};
use super::snapshot::{Counts, Manifest, Snapshot, Sums, date_dir, snapshots_dir};
use super::spool::{ExchangeRow, Record, Segment, State};
use crate::base::{
    Blame, ExchangeId, Exit, Problem, RegistryId, Result, RunId, Timestamp, create_private_dir, place_tree, read_capped, remove_tree,
    write_atomic,
};
use crate::model::{ExchangeFacts, ObjectKind};
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
    /// Whether it refreshes the newest snapshot, and is no snapshot without it.
    #[serde(default)]
    pub refreshes: bool,
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
    /// The local records, whose digests are kept beside what was observed.
    records: Option<Records>,
    /// The snapshot whose rows stay where nothing newer was observed.
    base: Option<Snapshot>,
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
            let run =
                Pending { run_id: run_id.clone(), started, buckets_log2: buckets_log2.min(super::buckets::MAX_LOG2), refreshes: false };
            write_pending(&dir, &run)?;
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
            records: None,
            base: None,
        };
        building.replay()?;
        Ok(building)
    }

    /// Keeps with each object the digest of its record in `records`, by which a later pull tells what changed there.
    pub fn set_records(&mut self, records: Records) {
        self.records = Some(records);
    }

    /// Makes this a refreshment of `base`: what is not observed is taken over from it, row by row.
    ///
    /// # Errors
    /// `E-file-…` where that cannot be noted.
    pub fn set_base(&mut self, base: Snapshot) -> Result<()> {
        self.run.refreshes = true;
        write_pending(&self.dir, &self.run)?;
        self.next_session = self.next_session.max(base.manifest().next_session);
        self.base = Some(base);
        Ok(())
    }

    /// Takes the objects of the base for visited, and what its domains name and it does not hold for yet to be visited. Before anything
    /// else is added.
    ///
    /// # Errors
    /// `E-parquet-…` and `E-spool-004`.
    pub fn know_base(&mut self) -> Result<()> {
        let Some(base) = self.base.clone() else { return Ok(()) };
        for kind in ObjectKind::ALL {
            for bucket in 0..base.buckets() {
                let file = base.cells(kind, bucket, &["id"])?;
                for n in 0..file.batches() {
                    for id in file.batch(n)?.column(0).flatten() {
                        self.frontier.push_done(kind, id)?;
                    }
                }
            }
        }
        for bucket in 0..base.buckets() {
            for domain in base.rows(ObjectKind::Domain, bucket)? {
                handles(&domain.row).try_for_each(|handle| self.frontier.push(ObjectKind::Contact, &handle))?;
            }
        }
        Ok(())
    }

    /// The snapshot that this refreshes, if it does.
    #[must_use]
    pub const fn base(&self) -> Option<&Snapshot> {
        self.base.as_ref()
    }

    /// Leaves nothing behind.
    ///
    /// # Errors
    /// `E-file-…`.
    pub fn abandon(self) -> Result<()> {
        remove_tree(&self.dir)
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

    /// Notes an exchange of session `session` about the object `id`.
    ///
    /// # Errors
    /// `E-spool-001`.
    pub fn exchange(&mut self, kind: ObjectKind, id: &str, facts: &ExchangeFacts, session: u32) -> Result<()> {
        self.counts.exchanges += 1;
        self.next_session = self.next_session.max(session.saturating_add(1));
        let place = place_of(&self.registry, kind, id);
        let record = Record::Exchange(Box::new(ExchangeRow {
            id: facts.id.0,
            place,
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
        self.segment(super::buckets::first_bits(place, self.run.buckets_log2), &record)
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
        let mut sums = Sums { next_session: self.next_session, ..Sums::default() };
        for bucket in 0..1_u32 << self.run.buckets_log2 {
            self.write_bucket(bucket, &temporary, &mut sums)?;
        }
        let manifest = Manifest::new(&self.run, &self.registry, wall, sums);
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
}

fn write_pending(dir: &Path, run: &Pending) -> Result<()> {
    write_atomic(&dir.join("run.json"), &serde_json::to_vec(run).unwrap_or_default())
}

fn building_dir(state_dir: &Path, registry: &RegistryId) -> PathBuf {
    registry_dir(&state_dir.join("building"), registry)
}
