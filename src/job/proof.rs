//! What a verb left is stated, signed and put beside it; what is altered or removed of it later is signed, too; and `verify`.

use super::apply::profile_digest;
use super::config::{Config, Loaded, Records};
use super::night::Night;
use super::personal::commit_rows;
use super::proving::{Log, read_keys};
use super::{Context, Ended};
use crate::base::{Blame, Digest, Event, Exit, Problem, Result, RunId, StateDir, SystemEntropy, Timestamp, escape_controls, write_atomic};
use crate::compliance::EMBEDDED_PACKS;
use crate::dataset::{Snapshot, Source};
use crate::report::proof::document::{Document, read_proof, read_redactions};
use crate::report::proof::folder::{self, Found, PROOF, REDACTIONS};
use crate::report::proof::{
    Against, Inputs, ProfileDigest, RecordDigest, RedactedFile, RedactedRow, RedactionPredicate, RedactionReason, RunPredicate,
    SnapshotDigest, Statement, Tool, VerifierKey,
};
use crate::store::Store;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The most bytes of local records that are read once more for their digests: some seconds.
const RECORDS: u64 = 1 << 30;

/// Counts by name.
pub(super) type Counts<'a> = &'a [(&'a str, u64)];

/// What a verb worked on and came to.
pub(super) struct Proving<'a> {
    /// The verb.
    pub(super) verb: &'a str,
    /// When it began.
    pub(super) started: Timestamp,
    /// The local records, as far as they were taken in.
    pub(super) records: &'a [RecordDigest],
    /// The snapshots that were read or made.
    pub(super) snapshots: Vec<SnapshotDigest>,
    /// What was counted.
    pub(super) counts: Counts<'a>,
}

impl Night<'_> {
    /// Proves what the verb left in the folder of the run; where that fails, how the verb `ended` tells so.
    pub(super) fn proved<'s>(&self, ended: &mut Ended, verb: &str, snapshots: impl IntoIterator<Item = &'s Snapshot>, counts: Counts<'_>) {
        let records = self.records.get().map_or(&[][..], Vec::as_slice);
        let snapshots = snapshots.into_iter().filter_map(snapshot_digest).collect();
        let proving = Proving { verb, started: self.started, records, snapshots, counts };
        prove(&self.loaded.config, self.ctx, (&self.state, &self.dir), &proving, ended);
    }
}

/// Proves the folder of a run, whose name is the run's id. Where that fails, how the verb `ended` tells so (exit 60): what it did is as
/// good as it was, and its report is not whole.
pub(super) fn prove(config: &Config, ctx: &Context, (state, dir): (&StateDir, &Path), proving: &Proving<'_>, ended: &mut Ended) {
    let done = Log::open(config, state, &mut SystemEntropy::new()).and_then(|mut log| {
        let predicate = predicate(config, ctx, run_of(dir), proving, ended.exits.clone());
        // What is committed to stands in the folder before its files are signed.
        let rows = commit_rows(log.store(), dir, proving.started, &mut SystemEntropy::new())?;
        put(&mut log, dir, &digests(dir)?, RunPredicate { rows, ..predicate })
    });
    match done {
        Ok(document) => {
            let told = format!("proof: leaf {} of the log {}", document.leaf_index, config.proof.origin);
            ctx.events.tell(Event::Note(told));
        }
        Err(problem) => {
            ended.exits.push(Exit::ReportFailed);
            ended.problems.push(*problem);
        }
    }
}

/// Proves a folder anew of which a report wrote some files once more: all others stay as they were signed, whatever became of them.
///
/// # Errors
/// `E-proof-009` (exit 21) where its proof does not hold, or is gone though the log has it; as [`prove`].
pub(super) fn prove_again(config: &Config, ctx: &Context, dir: &Path, written: &[PathBuf]) -> Result<()> {
    let state = StateDir::open(&config.state)?;
    let mut log = Log::open(config, &state, &mut SystemEntropy::new())?;
    let run = run_of(dir);
    let Some(statement) = stated(&mut log, dir)? else {
        if log.has::<RunPredicate>(&run)? {
            return Err(gone(dir, "the log has a proof of this run, and it is not here any more"));
        }
        let verb = "report run";
        let proving = Proving { verb, started: ctx.clock.wall(), records: &[], snapshots: Vec::new(), counts: &[] };
        let predicate = predicate(config, ctx, run, &proving, Vec::new());
        let rows = commit_rows(log.store(), dir, proving.started, &mut SystemEntropy::new())?;
        return put(&mut log, dir, &digests(dir)?, RunPredicate { rows, ..predicate }).map(drop);
    };
    let before: BTreeMap<String, String> = statement.subject.into_iter().map(|file| (file.name, file.digest.sha256)).collect();
    let mut files = before.clone();
    for path in written {
        if let (Ok(name), Found::File(sha256)) = (path.strip_prefix(dir), folder::digest(path)) {
            files.insert(name.display().to_string(), sha256);
        }
    }
    if files == before {
        return Ok(());
    }
    let predicate = RunPredicate { ended: ctx.clock.wall(), tool: Tool::this(), ..statement.predicate };
    put(&mut log, dir, &files, predicate).map(drop)
}

/// A file of a run that is about to be altered or removed.
#[derive(Clone, Debug)]
pub struct FileChange {
    /// Its path in the folder of the run, with `/` between its parts.
    pub name: String,
    /// The digest of what will stand there; nothing where the file is removed.
    pub after: Option<Digest>,
    /// The rows about people that are altered or removed in it, as commitments.
    pub rows: Vec<RedactedRow>,
}

/// Signs that files in the folder `dir` of a run are altered or removed, and puts that into the log and beside the files: before they
/// are, so that a crash in between leaves nothing unsigned. Whoever calls this holds the lock of the state directory: of two at a time one
/// would write over the other's line. `ground` says by which article, rule or request, and names nobody. Files that
/// are not there, or were never signed, need none. Whether there was anything to sign.
///
/// # Errors
/// `E-proof-009` (exit 21) where the proof of the folder does not hold; as for any other proof.
pub fn redact(
    loaded: &Loaded,
    ctx: &Context,
    dir: &Path,
    (reason, ground): (RedactionReason, &str),
    changes: &[FileChange],
) -> Result<bool> {
    sign_away(loaded, ctx, dir, dir, (reason, ground), |_| changes.to_vec())
}

/// As [`redact`], where the folder goes as a whole: what is signed stands in `proof/redactions.ndjson` of the state directory then.
///
/// # Errors
/// As [`redact`].
pub(super) fn redact_whole(loaded: &Loaded, ctx: &Context, dir: &Path, ground: (RedactionReason, &str)) -> Result<bool> {
    let gone = |name: &str| FileChange { name: name.to_owned(), after: None, rows: Vec::new() };
    let all = |statement: &Statement<RunPredicate>| statement.subject.iter().map(|file| gone(&file.name)).collect();
    sign_away(loaded, ctx, dir, &loaded.config.state.join("proof"), ground, all)
}

/// Signs what becomes of the files in `dir`, and puts that into the log and into `kept`.
fn sign_away(
    loaded: &Loaded,
    ctx: &Context,
    dir: &Path,
    kept: &Path,
    (reason, ground): (RedactionReason, &str),
    changes: impl FnOnce(&Statement<RunPredicate>) -> Vec<FileChange>,
) -> Result<bool> {
    if !dir.join(PROOF).exists() {
        return Ok(false);
    }
    let state = StateDir::open(&loaded.config.state)?;
    let mut log = Log::open(&loaded.config, &state, &mut SystemEntropy::new())?;
    let Some(statement) = stated(&mut log, dir)? else { return Ok(false) };
    let mut files = Vec::new();
    let changes = changes(&statement);
    for FileChange { name, after, rows } in &changes {
        if !statement.subject.iter().any(|file| file.name == *name) {
            continue;
        }
        if let Found::File(before) = folder::digest(&dir.join(name)) {
            files.push(RedactedFile { name: name.clone(), before, after: after.map(|d| d.to_string()), rows: rows.clone() });
        }
    }
    if files.is_empty() {
        return Ok(false);
    }
    let run = statement.predicate.run_id;
    let subjects: Vec<(String, String)> = files.iter().map(|file| (file.name.clone(), file.before.clone())).collect();
    let (at, ground) = (ctx.clock.wall(), ground.to_owned());
    let predicate = RedactionPredicate { run_id: run.clone(), tool: Tool::this(), at, reason, ground, files };
    let statement = Statement::new(subjects.iter().map(|(name, sha256)| (name.as_str(), sha256.as_str())), predicate);
    // Whatever cannot be read of those before would be lost by writing them again.
    let mut lines: Vec<u8> = read_redactions(kept)?.iter().flat_map(Document::line).collect();
    lines.extend(log.add(&run, &statement)?.line());
    write_atomic(&kept.join(REDACTIONS), &lines)?;
    Ok(true)
}

/// `verify`: the folder `dir` against its proof, and that against `key`: a verifier key, or a file with some.
///
/// # Errors
/// `E-proof-003` and `E-file-005` (exit 2) for a key that is none; `E-proof-010` to `-014` (exit 32) where a part of a proof is missing or
/// cannot be read. What does not hold is told (exit 21).
pub fn verify(dir: &Path, key: &str, since: Option<&Path>, leaves: Option<&Path>) -> Result<Ended> {
    let is_text = key.contains('+') && !Path::new(key).exists();
    let keys = if is_text { vec![VerifierKey::read(key)?] } else { read_keys(Path::new(key))? };
    let verified = crate::report::proof::verify(dir, &keys, Against { since, leaves })?;
    let json = serde_json::to_value(&verified).unwrap_or_default();
    Ok(Ended { exits: verified.exits(), json, text: verified.text(), problems: Vec::new() })
}

/// Signs the statement of a run about `files`, adds it to the log and puts it beside them.
fn put<S: Store>(log: &mut Log<S>, dir: &Path, files: &BTreeMap<String, String>, predicate: RunPredicate) -> Result<Document> {
    let run = predicate.run_id.clone();
    let statement = Statement::new(files.iter().map(|(name, sha256)| (name.as_str(), sha256.as_str())), predicate);
    let document = log.add(&run, &statement)?;
    write_atomic(&dir.join(PROOF), &document.pretty())?;
    Ok(document)
}

/// What was signed of the folder, where it has a proof.
///
/// # Errors
/// `E-proof-009` (exit 21) where the proof does not hold: what somebody altered is not signed anew.
fn stated<S: Store>(log: &mut Log<S>, dir: &Path) -> Result<Option<Statement<RunPredicate>>> {
    let Some(document) = read_proof(dir)? else { return Ok(None) };
    let read = document.check(log.known()).map_err(|(_, what)| gone(dir, &what))?;
    let statement =
        Statement::read(&read.opened.payload).filter(|statement: &Statement<RunPredicate>| statement.predicate.run_id == run_of(dir));
    statement.map(Some).ok_or_else(|| gone(dir, "it is about another run"))
}

fn gone(dir: &Path, what: &str) -> Box<Problem> {
    let remedy = "see with `privet verify` what was altered, and put it back; nothing was signed anew";
    let problem = Problem::new("E-proof-009", Blame::Operator, format!("the proof of the run does not hold: {what}"), remedy);
    problem.file(&dir.join(PROOF)).exit(Exit::PlanStale)
}

/// The digest of every file in the folder.
fn digests(dir: &Path) -> Result<BTreeMap<String, String>> {
    let each = |(name, found): (String, Found)| match found {
        Found::File(sha256) => Ok((name, sha256)),
        Found::Strange | Found::Unreadable(_) => {
            let what = format!("{} is no plain file that can be read, and cannot be signed", escape_controls(&name));
            Err(Problem::new("E-proof-015", Blame::Operator, what, "remove it from the folder of the run").file(dir).exit(Exit::Storage))
        }
    };
    folder::files(dir)?.into_iter().map(each).collect()
}

/// The run whose folder it is.
fn run_of(dir: &Path) -> RunId {
    RunId::new(dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
}

/// What is stated of a run.
fn predicate(config: &Config, ctx: &Context, run_id: RunId, proving: &Proving<'_>, exits: Vec<Exit>) -> RunPredicate {
    let profile = |(id, registry): (_, &super::config::RegistryConfig)| ProfileDigest {
        registry: Clone::clone(id),
        profile: registry.profile.id.clone(),
        sha256: profile_digest(&registry.profile),
    };
    let Proving { verb, started, records, snapshots, counts } = proving;
    RunPredicate {
        run_id,
        verb: (*verb).to_owned(),
        tool: Tool::this(),
        started: *started,
        ended: ctx.clock.wall(),
        exits,
        inputs: Inputs { config: config.digest.to_string(), records: records.to_vec(), snapshots: snapshots.clone() },
        profiles: config.registries.iter().filter(|(id, _)| ctx.includes(id)).map(profile).collect(),
        rule_packs: rule_packs(config),
        counts: counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        rows: Vec::new(),
    }
}

/// The packs of rules that are in force: those that are built in, and the operator's own in their place.
fn rule_packs(config: &Config) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, Digest> =
        EMBEDDED_PACKS.iter().map(|(name, text)| ((*name).to_owned(), Digest::of(text.as_bytes()))).collect();
    // An operator's own stands in the place of ours.
    let own = [
        ("retention", config.retention.pack.digest),
        ("basis", config.asking.matrix.digest),
        ("record", config.record.digest),
        ("oversight", config.overseeing.digest),
    ];
    all.extend(own.map(|(name, digest)| (name.to_owned(), digest)));
    all.into_iter().map(|(name, digest)| (name, digest.to_string())).collect()
}

/// A snapshot by its manifest.
pub(super) fn snapshot_digest(snapshot: &Snapshot) -> Option<SnapshotDigest> {
    let manifest = snapshot.manifest();
    let Found::File(sha256) = folder::digest(&snapshot.dir().join("snapshot.json")) else { return None };
    Some(SnapshotDigest { registry: manifest.registry.clone(), run_id: manifest.run_id.clone(), sha256 })
}

/// The digests of the files of local records, as far as they are not too large in all.
pub(super) fn record_digests(records: &Records) -> Vec<RecordDigest> {
    let tables =
        [("contacts", &records.contacts), ("domains", &records.domains), ("services", &records.services), ("orders", &records.orders)];
    let files = |source: &Option<Source>| source.as_ref().map(|source| source.files.clone()).unwrap_or_default();
    let all = tables.into_iter().map(|(table, source)| (table, files(source))).chain([("rdap", records.rdap.clone())]);
    let mut left = RECORDS;
    let mut out = Vec::new();
    for (table, files) in all {
        for (file, path) in (0..).zip(files) {
            // An operator's own file may be a link.
            let path = path.canonicalize().unwrap_or(path);
            let bytes = path.metadata().map_or(u64::MAX, |meta| meta.len());
            let fits = bytes <= left;
            left = left.saturating_sub(if fits { bytes } else { 0 });
            let sha256 = match fits.then(|| folder::digest(&path)) {
                Some(Found::File(sha256)) => Some(sha256),
                _ => None,
            };
            out.push(RecordDigest { table: table.to_owned(), file, sha256 });
        }
    }
    out
}
