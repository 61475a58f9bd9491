//! `verify`: a folder against its proof, with the public key alone.

use super::commitment::Commitment;
use super::document::{Document, Read, read_proof, read_redactions};
use super::folder;
use super::key::VerifierKey;
use super::rows;
use super::state::{Deviation, State, fold};
use super::statement::{RedactionPredicate, RunPredicate, Statement};
use super::tree::{self, Hash, Head};
use crate::base::{Blame, Exit, Problem, Result, RunId, Timestamp, escape_controls};
use crate::report::table::{SCHEMA_VERSION, schema_id};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

/// The most bytes of a file with the leaves of a log: those of a million runs.
const MAX_LEAVES: u64 = 64 << 20;
/// How many files that deviate are told one by one on a terminal; the JSON has them all.
const TOLD: usize = 100;

/// What `verify` prints with `--format json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Verified {
    /// The id of this shape.
    schema: String,
    /// The version of this shape.
    schema_version: u32,
    /// The version of Privet that looked.
    tool_version: String,
    /// The folder.
    pub dir: String,
    /// Whether everything holds.
    pub holds: bool,
    /// The run that left the folder, as far as its statement can be trusted.
    pub run: Option<VerifiedRun>,
    /// The log, as far as its checkpoint can be trusted.
    pub log: Option<VerifiedLog>,
    /// What was looked at, in order; what comes behind something that does not hold may not have been.
    pub checks: Vec<Check>,
    /// Files, counted.
    pub files: FileCounts,
    /// The files that are not as they were signed.
    pub deviations: Vec<Deviation>,
}

/// The run that left a folder.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VerifiedRun {
    /// Its id.
    pub run_id: RunId,
    /// Its verb.
    pub verb: String,
    /// The version of Privet that made it.
    pub tool_version: String,
    /// When it began, UTC.
    pub started: Timestamp,
    /// When it ended, UTC.
    pub ended: Timestamp,
}

/// The log in which a run stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VerifiedLog {
    /// The key that signed, `name+hash`; the name is the log's.
    pub key: String,
    /// The number of the run's leaf, from 0.
    pub leaf_index: u64,
    /// How many leaves the log had.
    pub size: u64,
    /// Its root, in base64.
    pub root: String,
}

/// Something that was looked at.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Check {
    /// Its name: signature, checkpoint, inclusion, consistency, statement, redactions, rows, files, since.
    pub name: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// What was found.
    pub what: String,
}

/// Files, counted.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct FileCounts {
    /// As they were signed.
    pub intact: u64,
    /// Altered or removed, with a signed redaction.
    pub redacted: u64,
    /// Altered.
    pub altered: u64,
    /// Not there.
    pub missing: u64,
    /// There, and never signed.
    pub added: u64,
    /// There, and not to be read.
    pub unreadable: u64,
}

/// What a folder is held against besides its own proof.
#[derive(Clone, Copy, Debug, Default)]
pub struct Against<'a> {
    /// The folder of an older run, from whose log that of this one must have grown.
    pub since: Option<&'a Path>,
    /// The leaves of the log, where the proof itself does not reach back so far.
    pub leaves: Option<&'a Path>,
}

/// Holds the folder `dir` against its proof, its proof against `keys`, and the log in it `against` an older one.
///
/// # Errors
/// `E-proof-010` to `-013` (exit 32) where a file of a proof is not there or cannot be read; `E-proof-014` (exit 32) where nothing shows how the
/// log grew from the older one. What can be read and does not hold is no error, but told.
pub fn verify(dir: &Path, keys: &[VerifierKey], against: Against<'_>) -> Result<Verified> {
    let mut out = Verified {
        schema: schema_id("verified"),
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        dir: dir.display().to_string(),
        holds: false,
        run: None,
        log: None,
        checks: Vec::new(),
        files: FileCounts::default(),
        deviations: Vec::new(),
    };
    let proof = read_proof(dir)?.ok_or_else(|| none(dir))?;
    let redactions = read_redactions(dir)?;
    let read = match proof.check(keys) {
        Ok(read) => read,
        Err((name, what)) => {
            out.checks.push(Check { name, holds: false, what });
            return Ok(out);
        }
    };
    out.log(&proof, &read);
    let Some(statement) = out.statement(&proof, &read, dir) else { return Ok(out) };
    let redacted = out.redactions(&redactions, &statement, &proof, keys);
    out.rows(&statement, &redacted, dir);
    let deviations = fold(&statement, &redacted, proof.leaf_index, folder::files(dir)?);
    out.files(statement.subject.len(), deviations);
    if let Some(since) = against.since {
        out.since(&proof, &read.head, since, keys, against.leaves)?;
    }
    out.holds = out.checks.iter().all(|check| check.holds);
    Ok(out)
}

/// A redaction that holds, and the number of its leaf.
pub(super) struct Redacted {
    /// The number of its leaf.
    pub(super) leaf_index: u64,
    /// What it says.
    pub(super) predicate: RedactionPredicate,
}

impl Verified {
    /// The exits that hold. Not [`Exit::Findings`]: what a proof comes to is nothing that `--fail-on` may leave out.
    #[must_use]
    pub fn exits(&self) -> Vec<Exit> {
        let mut exits = vec![Exit::Done];
        exits.extend((!self.holds).then_some(Exit::PlanStale));
        exits.extend((self.files.unreadable > 0).then_some(Exit::InputIncomplete));
        exits
    }

    fn check(&mut self, name: &'static str, holds: bool, what: impl Into<String>) {
        self.checks.push(Check { name, holds, what: what.into() });
    }

    /// Takes note of what a document shows of itself.
    fn log(&mut self, proof: &Document, read: &Read<'_>) {
        let Head { size, root } = read.head;
        let key = read.opened.key.key_id();
        self.check("signature", true, format!("the statement is signed by {key}"));
        self.check("checkpoint", true, format!("the log of {size} leaves is signed"));
        self.check("inclusion", true, format!("the statement is leaf {} of it", proof.leaf_index));
        let before = if proof.previous.is_some() { "it grew from the checkpoint before it" } else { "there was no checkpoint before it" };
        self.check("consistency", true, before);
        self.log = Some(VerifiedLog { key, leaf_index: proof.leaf_index, size, root: STANDARD.encode(root) });
    }

    /// The statement, where it is one about the run of this folder.
    fn statement(&mut self, proof: &Document, read: &Read<'_>, dir: &Path) -> Option<Statement<RunPredicate>> {
        let Some(statement) = Statement::<RunPredicate>::read(&read.opened.payload) else {
            self.check("statement", false, "what is signed is no statement about a run");
            return None;
        };
        let RunPredicate { run_id, verb, tool, started, ended, .. } = &statement.predicate;
        self.run = Some(VerifiedRun {
            run_id: run_id.clone(),
            verb: verb.clone(),
            tool_version: tool.version.clone(),
            started: *started,
            ended: *ended,
        });
        let named = dir.file_name().and_then(|name| name.to_str()).filter(|name| is_run_id(name));
        // A folder may be handed on under any name, but not under that of another run.
        let holds = proof.run_id == *run_id && proof.tool_version == tool.version && named.is_none_or(|name| name == run_id.as_str());
        let what = if holds { format!("it is about run {run_id}") } else { format!("it is about run {run_id}, and the folder is not") };
        self.check("statement", holds, what);
        Some(statement)
    }

    /// The redactions that hold.
    fn redactions(
        &mut self,
        documents: &[Document],
        statement: &Statement<RunPredicate>,
        proof: &Document,
        keys: &[VerifierKey],
    ) -> Vec<Redacted> {
        let mut out = Vec::new();
        for (n, document) in (1..).zip(documents) {
            match redaction(document, statement, proof, keys) {
                Ok(predicate) => out.push(Redacted { leaf_index: document.leaf_index, predicate }),
                Err(what) => self.check("redactions", false, format!("line {n}: {what}")),
            }
        }
        if out.len() == documents.len() && !out.is_empty() {
            self.check("redactions", true, format!("{} are signed and in the log", out.len()));
        }
        out
    }

    /// Whether the commitments to rows about people are those that were signed, and how many of them are redacted. A run without such
    /// rows says nothing of them.
    fn rows(&mut self, statement: &Statement<RunPredicate>, redacted: &[Redacted], dir: &Path) {
        let signed = &statement.predicate.rows;
        if signed.is_empty() {
            return;
        }
        let files = redacted.iter().flat_map(|one| &one.predicate.files);
        let mut gone: HashSet<Commitment> = files.flat_map(|file| &file.rows).map(|row| row.before).collect();
        let count: u64 = signed.iter().map(|one| one.count).sum();
        match rows::check(dir, signed, &mut gone) {
            Ok(found) => {
                let what = format!("{count} commitments to rows about people are as signed, {found} of them with a signed redaction");
                self.check("rows", true, what);
            }
            Err(what) => self.check("rows", false, what),
        }
    }

    fn files(&mut self, signed: usize, deviations: Vec<Deviation>) {
        let count = |state: State| deviations.iter().filter(|one| one.state == state).count() as u64;
        let [redacted, altered, missing, added, unreadable] =
            [State::Redacted, State::Altered, State::Missing, State::Added, State::Unreadable].map(count);
        let intact = (signed as u64).saturating_sub(redacted + altered + missing + unreadable);
        self.files = FileCounts { intact, redacted, altered, missing, added, unreadable };
        let holds = altered + missing + added + unreadable == 0;
        let parts = [
            (intact, "as signed"),
            (redacted, "with a signed redaction"),
            (altered, "altered"),
            (missing, "missing"),
            (added, "added"),
            (unreadable, "unreadable"),
        ];
        let told: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        self.check("files", holds, if told.is_empty() { "there are none".to_owned() } else { told.join(", ") });
        self.deviations = deviations;
    }

    /// Whether the log only grew since the run in the folder `since`.
    fn since(&mut self, proof: &Document, head: &Head, since: &Path, keys: &[VerifierKey], leaves: Option<&Path>) -> Result<()> {
        let older = read_proof(since)?.ok_or_else(|| none(since))?;
        let before = match older.check(keys) {
            Ok(read) if read.opened.key.name() == self.log.as_ref().map_or("", |log| log.key.split('+').next().unwrap_or_default()) => {
                read.head
            }
            Ok(_) => {
                self.check("since", false, "the older run stands in another log");
                return Ok(());
            }
            Err((name, what)) => {
                self.check("since", false, format!("the older proof itself does not hold ({name}): {what}"));
                return Ok(());
            }
        };
        let sizes = format!("from {} leaves to {}", before.size, head.size);
        if before.size > head.size {
            self.check("since", false, format!("the log went {sizes}: it was rewritten, or the two folders are swapped"));
            return Ok(());
        }
        let grew = if before.size == head.size {
            before.root == head.root
        } else if let Some(shown) = proof.head_at(before.size) {
            shown == before
        } else if let Some(path) = leaves {
            let all = read_leaves(path)?;
            let at =
                |head: &Head| usize::try_from(head.size).ok().and_then(|size| all.get(..size)).is_some_and(|l| tree::root(l) == head.root);
            at(&before) && at(head)
        } else {
            let what = format!("the proof does not reach back {sizes}");
            let remedy = "name the leaves of the log with --leaves: the file `proof/leaves` of the state folder";
            return Err(Problem::new("E-proof-014", Blame::Operator, what, remedy).exit(Exit::InputIncomplete));
        };
        let what = if grew { format!("the log only grew, {sizes}") } else { format!("the log was rewritten {sizes}") };
        self.check("since", grew, what);
        Ok(())
    }

    /// What was found, for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = escape_controls(&self.dir);
        text.push_str(if self.holds { ": everything is as it was signed\n" } else { ": NOT everything is as it was signed\n" });
        if let Some(VerifiedRun { run_id, verb, tool_version, started, ended }) = &self.run {
            let verb = escape_controls(verb);
            let _infallible = writeln!(text, "run    {run_id}, `{verb}` by Privet {}, {started} to {ended}", escape_controls(tool_version));
        }
        if let Some(VerifiedLog { key, leaf_index, size, root }) = &self.log {
            let _infallible = writeln!(text, "log    leaf {leaf_index} of {size}, root {root}, signed by {key}");
        }
        for Check { name, holds, what } in &self.checks {
            let verdict = if *holds { "holds " } else { "BROKEN" };
            let _infallible = writeln!(text, "{verdict} {name}: {}", escape_controls(what));
        }
        for one in self.deviations.iter().take(TOLD) {
            let _infallible = writeln!(text, "{:<10} {}: {}", one.state.as_str(), escape_controls(&one.file), escape_controls(&one.what));
        }
        if self.deviations.len() > TOLD {
            let _infallible = writeln!(text, "{} more files", self.deviations.len() - TOLD);
        }
        text
    }
}

/// What a redaction says, where it is one of this run and of its log.
fn redaction(
    document: &Document,
    statement: &Statement<RunPredicate>,
    proof: &Document,
    keys: &[VerifierKey],
) -> Result<RedactionPredicate, String> {
    let read = document.check(keys).map_err(|(_, what)| what)?;
    let redaction = Statement::<RedactionPredicate>::read(&read.opened.payload).ok_or("what is signed is no redaction")?;
    let about = &statement.predicate.run_id;
    if redaction.predicate.run_id != *about || document.run_id != *about || document.tool_version != redaction.predicate.tool.version {
        return Err("it is about another run".to_owned());
    }
    if document.leaf_index == proof.leaf_index {
        return Err("it is the run itself".to_owned());
    }
    Ok(redaction.predicate)
}

/// The leaves of a log, one a line in base64.
///
/// # Errors
/// `E-proof-013` (exit 32) where they are not there, or a line is none.
pub fn read_leaves(path: &Path) -> Result<Vec<Hash>> {
    let broken = |what: &str| {
        let remedy = "give the file `proof/leaves` of the state folder";
        Problem::new("E-proof-013", Blame::Input, what, remedy).file(path)
    };
    let bytes = folder::read(path, MAX_LEAVES)?.ok_or_else(|| broken("there is no such file"))?;
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n')).filter(|(_, line)| !line.is_empty());
    let leaf = |(n, line): (u64, &[u8])| {
        let hash = STANDARD.decode(line).ok().and_then(|bytes| bytes.try_into().ok());
        hash.ok_or_else(|| broken("this is no leaf: 32 bytes in base64").line(n))
    };
    lines.map(leaf).collect()
}

/// Whether a folder's name is a run's id: its start in UTC, and eight digits of a digest.
fn is_run_id(name: &str) -> bool {
    let shape = "dddddddd?dddddd?-hhhhhhhh";
    name.len() == shape.len()
        && name.bytes().zip(shape.bytes()).all(|(byte, kind)| match kind {
            b'd' => byte.is_ascii_digit(),
            b'h' => byte.is_ascii_hexdigit(),
            b'?' => matches!(byte, b'T' | b'Z'),
            _ => byte == kind,
        })
}

fn none(dir: &Path) -> Box<Problem> {
    let remedy = "give the folder of a run, `reports/RUN`; runs of before there were proofs have none";
    let problem = Problem::new("E-proof-012", Blame::Input, "there is no proof here", remedy);
    problem.file(&dir.join(folder::PROOF)).exit(Exit::InputIncomplete)
}
