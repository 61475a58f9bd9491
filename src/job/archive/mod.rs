//! `archive`: snapshots and reports as they are here, brought to object storage; what went here goes there too.

mod layout;

use super::config::{Loaded, Objects};
use super::opening::authorities;
use super::retention::{Leaving, is_due};
use super::{Context, Ended};
use crate::base::{Blame, Digest, Event, Exit, Problem, Problems, Result, StateDir, escape_controls, read_capped, write_atomic};
use crate::objects::Bucket;
use crate::report::ArchiveSummary;
use crate::report::proof::folder::{PROOF, REDACTIONS};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use layout::{Changes, Local, LocalFile, Unit, changes};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What says of a snapshot that it is whole.
const MANIFEST: &str = "snapshot.json";
/// Where the state directory keeps what stands in other places.
const STORES: &str = "stores.json";
/// The most bytes of a file that says in which state a unit is, and of [`STORES`].
const MAX_WITNESS: u64 = 64 << 20;
/// How deep files lie in a unit.
const DEPTH: u8 = 3;

/// A place where copies stand outside of this machine: what a record of processing, and whoever erases, must know of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct StoreRow {
    /// Where.
    pub(super) place: String,
    /// Who runs it.
    pub(super) provider: String,
    /// The country that it lies in (ISO 3166-1).
    pub(super) country: String,
    /// How the server was asked to encrypt it.
    pub(super) encryption: String,
    /// The days of the snapshots that stand there.
    pub(super) snapshots: Vec<Date>,
    /// The days of the runs whose reports stand there.
    pub(super) runs: Vec<Date>,
}

/// `archive`: makes the place of `[objects]` hold what this machine does.
///
/// # Errors
/// `E-archive-001` (exit 2) where no place is configured; `E-lock-001` (exit 30) while a run is under way; `E-archive-…` (exit 33) where what is
/// here cannot be read; `E-objects-…` (exit 60, and 40 where the operator stops).
pub fn archive(loaded: &Loaded, ctx: &Context) -> Result<Ended, Problems> {
    let Some(objects) = &loaded.config.objects else {
        let remedy = "add the table [objects] with `url`, `key_id`, `key`, `provider` and `country`";
        return Err(Problem::new("E-archive-001", Blame::Operator, "no object storage is configured", remedy).into());
    };
    let archived = bring(loaded, objects, ctx)?;
    let text = format!(
        "{}: {} objects put, {} bytes, {} removed; {} snapshots and the reports of {} runs stand there, to be encrypted ({}){}",
        archived.place,
        archived.put,
        archived.bytes,
        archived.removed,
        archived.snapshots,
        archived.runs,
        archived.encryption,
        if archived.foreign > 0 { format!("; {} objects are of something else", archived.foreign) } else { String::new() },
    );
    Ok(Ended { exits: vec![Exit::Done], json: serde_json::to_value(archived).unwrap_or_default(), text, problems: Vec::new() })
}

/// The same as the last thing of a night, where a place is configured: what came of it is added to how the run `ended`.
pub(super) fn after(loaded: &Loaded, ctx: &Context, ended: &mut Ended) {
    if loaded.config.objects.is_none() || ctx.stop.is_stopped() {
        return;
    }
    match archive(loaded, ctx) {
        Ok(archived) => {
            ended.text.push_str(&format!("\n{}", archived.text));
            if let Some(json) = ended.json.as_object_mut() {
                json.insert("archived".to_owned(), archived.json);
            }
        }
        Err(problems) => {
            ended.exits.push(Exit::ReportFailed);
            ended.exits.extend(problems.kept().iter().map(|problem| problem.exit));
            ended.problems.extend(problems.kept().iter().cloned());
        }
    }
}

/// That the place can be reached and lets us in.
///
/// # Errors
/// As [`archive`].
pub(super) fn look(objects: &Objects) -> Result<()> {
    bucket(objects)?.look()
}

fn bucket(objects: &Objects) -> Result<Bucket> {
    let key = objects.key.read()?.secret;
    let authorities = authorities(objects.ca.as_deref())?;
    Bucket::new(&objects.place, (&objects.key_id, &key), authorities.as_deref())
}

fn bring(loaded: &Loaded, objects: &Objects, ctx: &Context) -> Result<ArchiveSummary> {
    let config = &loaded.config;
    let state = StateDir::open(&config.state)?;
    let _lock = state.lock("archive")?;
    ctx.events.tell(Event::Stage { name: "archive" });
    let today = ctx.clock.wall().to_zoned(TimeZone::UTC).date();
    let due = |unit: &Unit, file: &str| {
        let kind = match unit {
            Unit::Snapshot(..) => Leaving::Snapshot,
            Unit::Run(..) => Leaving::of(file),
        };
        unit.day().is_some_and(|day| is_due(&config.retention.pack, kind, day, today))
    };
    let mut local = local(state.root(), &config.reports)?;
    // What must be gone, and is here still since no run came that removes it, is not brought there.
    local.retain(|unit, own| {
        own.files.retain(|file| !due(unit, &file.name));
        !own.files.is_empty()
    });
    let known = stores(state.root())?;
    let bucket = bucket(objects)?;
    let remote = bucket.list()?;
    let Changes { units, kept, missing, foreign } = changes(&local, &remote, &due);
    // Whatever becomes of this, somebody must know of what may stand there from now on.
    let row = StoreRow::of(objects, &kept);
    let before = known.iter().find(|one| one.place == row.place);
    keep(state.root(), row.clone().with(before))?;
    let mut removed = 0;
    for change in units.values() {
        bucket.remove(&change.remove)?;
        removed += change.remove.len() as u64;
    }
    let (mut put, mut bytes) = (0, 0);
    for (unit, change) in &units {
        bytes += bucket.put(&change.put, &ctx.stop)?;
        if let (Some(mark), Some(own)) = (&change.mark, local.get(unit)) {
            let told = serde_json::json!({ "files": own.files.len(), "bytes": own.files.iter().map(|file| file.bytes).sum::<u64>() });
            bucket.put_bytes(mark, told.to_string().into_bytes())?;
        }
        put += change.put.len() as u64;
    }
    let (snapshots, runs) = (row.snapshots.len() as u64, row.runs.len() as u64);
    keep(state.root(), row)?;
    if missing > 0 {
        let what = format!("{missing} objects are kept whose files are missing in snapshots or reports that nobody altered");
        let remedy = "see to the disk, and fetch the files from there";
        ctx.events.tell(Event::Warning(Problem::new("E-archive-004", Blame::Operator, what, remedy).object(objects.place.shown())));
    }
    let encryption = objects.place.encryption().as_str().to_owned();
    Ok(ArchiveSummary { place: objects.place.shown(), encryption, put, bytes, removed, snapshots, runs, missing, foreign })
}

impl StoreRow {
    /// What stands at the place, where these units do.
    fn of(objects: &Objects, units: &BTreeSet<Unit>) -> Self {
        let days = |is_run: bool| units.iter().filter(|unit| matches!(unit, Unit::Run(..)) == is_run).filter_map(Unit::day).collect();
        Self {
            place: objects.place.shown(),
            provider: objects.provider.clone(),
            country: objects.country.clone(),
            encryption: objects.place.encryption().as_str().to_owned(),
            snapshots: days(false),
            runs: days(true),
        }
    }

    /// With the days of what stood there before, which may not be gone yet.
    fn with(mut self, before: Option<&Self>) -> Self {
        for (own, old) in [(&mut self.snapshots, before.map(|row| &row.snapshots)), (&mut self.runs, before.map(|row| &row.runs))] {
            let more: Vec<Date> = old.into_iter().flatten().filter(|day| !own.contains(day)).copied().collect();
            own.extend(more);
            own.sort();
        }
        self
    }
}

/// The units that are whole here.
fn local(state: &Path, reports: &Path) -> Result<BTreeMap<Unit, Local>> {
    let mut all = BTreeMap::new();
    for (date, dir) in named(&state.join("snapshots"), "date=")? {
        for (registry, dir) in named(&dir, "registry=")? {
            let name = Unit::Snapshot(date.clone(), registry);
            // Of no known day is what somebody else put there.
            if let (Some(_), Some(own)) = (name.day(), unit(&dir, &[MANIFEST])?) {
                all.insert(name, own);
            }
        }
    }
    for own in super::retention::own(state, reports) {
        if let (true, Some(day)) = (own.is_run(), own.day)
            && let Some(unit) = unit(&own.path, &[PROOF, REDACTIONS])?
        {
            all.insert(Unit::Run(day, own.name), unit);
        }
    }
    Ok(all)
}

/// The directories of `dir` that begin with `prefix`, by what follows.
fn named(dir: &Path, prefix: &str) -> Result<Vec<(String, PathBuf)>> {
    let all = entries(dir)?.into_iter().filter(|(path, _)| path.is_dir());
    Ok(all.filter_map(|(path, name)| Some((name.strip_prefix(prefix)?.to_owned(), path))).collect())
}

/// What stands in `dir` with its name; nothing where it is not there.
fn entries(dir: &Path) -> Result<Vec<(PathBuf, String)>> {
    let unread = |e: std::io::Error| Problem::storage("E-archive-002", dir, "list", &e);
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        all.extend(entry.file_name().to_str().map(|name| (entry.path(), name.to_owned())));
    }
    all.sort();
    Ok(all)
}

/// The unit in `dir`; nothing where the first of its `witnesses`, which is written last, is not there.
fn unit(dir: &Path, witnesses: &[&str]) -> Result<Option<Local>> {
    let mut witnessed = Vec::new();
    for (n, name) in witnesses.iter().enumerate() {
        let path = dir.join(name);
        if path.exists() {
            witnessed.extend(read_capped(&path, MAX_WITNESS)?);
        } else if n == 0 {
            return Ok(None);
        }
    }
    let mut files = Vec::new();
    gather(dir, "", DEPTH, &mut files)?;
    Ok(Some(Local { digest: Digest::of(&witnessed).short(), files }))
}

/// The plain files below `dir`; no link is followed.
fn gather(dir: &Path, prefix: &str, depth: u8, files: &mut Vec<LocalFile>) -> Result<()> {
    for (path, name) in entries(dir)? {
        let meta = path.symlink_metadata().map_err(|e| Problem::storage("E-archive-002", &path, "look at", &e))?;
        let name = format!("{prefix}{name}");
        if meta.is_dir() && depth > 0 {
            gather(&path, &format!("{name}/"), depth - 1, files)?;
        } else if meta.is_file() {
            files.push(LocalFile { path, name, bytes: meta.len(), changed: meta.mtime() });
        }
    }
    Ok(())
}

/// The places where copies stand, as the last time said.
///
/// # Errors
/// `E-archive-003` (exit 33) where that cannot be read.
pub(super) fn stores(state: &Path) -> Result<Vec<StoreRow>> {
    let path = state.join(STORES);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let unread = |why: String| {
        let what = format!("what stands in object storage cannot be read: {}", escape_controls(&why));
        Problem::new("E-archive-003", Blame::Operator, what, "move it away, then `privet archive` makes it anew")
            .file(&path)
            .exit(Exit::Storage)
    };
    let bytes = read_capped(&path, MAX_WITNESS)?;
    serde_json::from_slice(&bytes).map_err(|e| unread(e.to_string()))
}

/// Keeps what stands in one place now. What was said of others stays: copies do not go because somebody configured another place.
fn keep(state: &Path, row: StoreRow) -> Result<()> {
    let mut all = stores(state)?;
    all.retain(|one| one.place != row.place);
    all.push(row);
    write_atomic(&state.join(STORES), &serde_json::to_vec_pretty(&all).unwrap_or_default())
}
