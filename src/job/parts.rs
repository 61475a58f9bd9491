//! A diff in parts, for several machines that hold the same snapshots and the same records: `diff --part K/N`, and `merge`.

use super::config::Loaded;
use super::night::{Night, no_snapshot};
use super::proof::snapshot_digest;
use super::{Context, Ended};
use crate::base::{Blame, Exit, Problem, Problems, RegistryId, Result, read_capped, write_atomic};
use crate::dataset::Snapshot;
use crate::diff::{Part, put_together};
use crate::report::proof::{RecordDigest, SnapshotDigest};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What a part leaves beside its differences.
const FILE: &str = "part.json";
/// The most bytes of it.
const MAX_FILE: u64 = 16 << 20;

/// What a part was made of: parts are put together where all of it is the same.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiffPart {
    /// The id of this shape.
    schema: String,
    /// The version of this shape.
    schema_version: u32,
    /// Which part.
    part: Part,
    /// The day, on which the services that are sold were looked up.
    #[schemars(with = "String")]
    day: Date,
    /// The configuration.
    config: String,
    /// The files of records.
    records: Vec<RecordDigest>,
    /// The snapshots.
    snapshots: Vec<SnapshotDigest>,
}

impl DiffPart {
    const SCHEMA: &'static str = "privet/diff-part";
    const VERSION: u32 = 1;

    fn of(part: Part, night: &Night<'_>, snapshots: &BTreeMap<RegistryId, Snapshot>) -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            schema_version: Self::VERSION,
            part,
            day: night.started.to_zoned(TimeZone::UTC).date(),
            config: night.loaded.config.digest.to_string(),
            records: night.records.get().cloned().unwrap_or_default(),
            snapshots: snapshots.values().filter_map(snapshot_digest).collect(),
        }
    }

    fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let read: Result<Self, String> =
            read_capped(&path, MAX_FILE).map_err(|e| e.what).and_then(|bytes| serde_json::from_slice(&bytes).map_err(|e| e.to_string()));
        let known = |one: &Self| one.schema == Self::SCHEMA && one.schema_version == Self::VERSION;
        read.and_then(|one| if known(&one) { Ok(one) } else { Err("it is of another form".to_owned()) }).map_err(|what| {
            let remedy = "give the report folders of `privet diff --part`";
            Problem::new("E-merge-001", Blame::Input, format!("this is no part of a diff: {what}"), remedy)
                .file(&path)
                .exit(Exit::InputIncomplete)
        })
    }

    /// Whether both were made of the same.
    fn is_of_one_with(&self, other: &Self) -> bool {
        Self { part: other.part, ..self.clone() } == *other
    }
}

/// `diff --part`: as `diff`, of some of the buckets.
///
/// # Errors
/// As `diff`.
pub fn diff_part(loaded: &Loaded, ctx: &Context, part: Part) -> Result<Ended, Problems> {
    let night = Night::begin(loaded, ctx)?;
    let (ingested, mut facts) = night.take_in()?;
    let snapshots = newest(&night)?;
    night.stage("diff");
    let summary = night.diff(&ingested.records, &snapshots, part)?;
    let made = DiffPart::of(part, &night, &snapshots);
    write_atomic(&night.dir.join(FILE), &serde_json::to_vec_pretty(&made).unwrap_or_default())?;
    let what = format!("part {part} of the buckets was compared, and no other");
    facts.warnings.push(*Problem::new("E-merge-004", Blame::Operator, what, "put all parts together with `privet merge`"));
    night.report(&format!("diff --part {part}"), &mut facts, &BTreeMap::new(), Some(&summary))
}

/// `merge`: what the parts of a diff found, put together into what it would have found as a whole.
///
/// # Errors
/// `E-merge-001` where a folder is none of a part, `E-merge-002` where parts were made of other records, snapshots, configuration or day than
/// those here, `E-merge-003` where one is missing or stands there twice (all exit 32); as `diff`.
pub fn merge(loaded: &Loaded, ctx: &Context, dirs: &[PathBuf]) -> Result<Ended, Problems> {
    let night = Night::begin(loaded, ctx)?;
    let (_, mut facts) = night.take_in()?;
    let snapshots = newest(&night)?;
    let parts = dirs.iter().map(|dir| DiffPart::read(dir)).collect::<Result<Vec<DiffPart>>>()?;
    let mut problems = Problems::default();
    let mut refused = |id: &str, dir: &Path, what: String, remedy: &str| {
        problems.push(Problem::new(id, Blame::Input, what, remedy).file(dir).exit(Exit::InputIncomplete));
    };
    let mut met = BTreeSet::new();
    for (dir, one) in dirs.iter().zip(&parts) {
        if !one.is_of_one_with(&DiffPart { day: one.day, ..DiffPart::of(one.part, &night, &snapshots) }) {
            let what = format!("part {} was made of other records or snapshots than those here, or under another configuration", one.part);
            refused("E-merge-002", dir, what, "compare the parts again, all of them with what is here");
        }
        if parts.first().is_some_and(|first| first.day != one.day || first.part.of() != one.part.of()) {
            refused(
                "E-merge-002",
                dir,
                format!("part {} is of another day or another number of parts", one.part),
                "compare the parts again",
            );
        }
        if !met.insert(one.part) {
            refused("E-merge-003", dir, format!("part {} stands there twice", one.part), "give each part once");
        }
    }
    let of = parts.first().map_or(0, |first| first.part.of());
    let missing: Vec<String> = (1..=of)
        .filter_map(|n| format!("{n}/{of}").parse().ok())
        .filter(|part: &Part| !met.contains(part))
        .map(|part| part.to_string())
        .collect();
    if !missing.is_empty() {
        let some = missing.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
        refused("E-merge-003", &night.dir, format!("{} of {of} parts are missing: {some}", missing.len()), "give the folder of each");
    }
    problems.or(())?;
    night.stage("diff");
    let summary = put_together(dirs, &night.dir)?;
    night.report("merge", &mut facts, &BTreeMap::new(), Some(&summary))
}

/// The newest snapshot of each registry that the verb is confined to.
pub(super) fn newest(night: &Night<'_>) -> Result<BTreeMap<RegistryId, Snapshot>, Problems> {
    let mut snapshots = BTreeMap::new();
    let mut problems = Problems::default();
    for id in night.loaded.config.registries.keys().filter(|id| night.ctx.includes(id)) {
        match Snapshot::newest(night.state.root(), id)? {
            Some(snapshot) => {
                snapshots.insert(id.clone(), snapshot);
            }
            None => problems.push(no_snapshot(id)),
        }
    }
    problems.or(snapshots)
}
