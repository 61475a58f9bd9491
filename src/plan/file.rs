//! The plan file: NDJSON, a header, one operation a line, a trailer. Each operation's line ends with a digest over all before it, so
//! that the first line that was changed, removed or moved can be named.

use super::header::{Count, Header, Wave, wave_of};
use super::operation::Operation;
use crate::base::{AtomicFile, Blame, Exit, Problem, Result};
use crate::model::ObjectKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

/// The longest line that is read, in bytes. An operation has at most some dozens of facts.
const LINE: u64 = 1 << 20;
/// What stands between an operation and the digest at the end of its line.
pub(super) const SUM: &str = ",\"sum\":\"";

/// A line of a plan.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PlanLine {
    /// The first.
    Header(Header),
    /// One of those between.
    Operation(OperationLine),
    /// The last.
    Trailer(Trailer),
}

/// A line of an operation.
#[derive(Serialize, JsonSchema)]
pub struct OperationLine {
    /// The operation.
    #[serde(flatten)]
    operation: Operation,
    /// The first 16 hexadecimal digits of a SHA-256 over all such lines before, and this one up to here.
    sum: String,
}

/// The last line of a plan.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trailer {
    /// What the plan comes to.
    end: End,
}

/// What the last line says.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct End {
    /// How many operations there are.
    operations: u64,
    /// The SHA-256 of all lines above.
    sha256: String,
}

/// The chain of digests over the lines of operations.
pub(super) struct Sums([u8; 32]);

impl Sums {
    pub(super) fn new() -> Self {
        Self(Sha256::digest(b"privet-plan").into())
    }

    /// The digits that close the next line, whose text before them is `text`.
    pub(super) fn next(&mut self, text: &str) -> String {
        self.0 = Sha256::new().chain_update(self.0).chain_update(text).finalize().into();
        crate::base::hex(self.0.get(..8).unwrap_or_default())
    }
}

/// Writes a plan. Operations are spooled beside it, since the header counts them; nothing is there until [`PlanWriter::finish`].
pub struct PlanWriter {
    target: PathBuf,
    spool: AtomicFile,
    sums: Sums,
    lines: Sha256,
    canary: u64,
    operations: u64,
    registries: BTreeMap<String, u64>,
    waves: BTreeMap<u32, u64>,
    counts: BTreeMap<(String, &'static str), u64>,
}

impl PlanWriter {
    /// A plan that is to stand at `target`, each registry's first wave being of `canary` operations.
    ///
    /// # Errors
    /// `E-file-001` and on (exit 33) where the place cannot be written to.
    pub fn create(target: &Path, canary: u64) -> Result<Self> {
        let spool = AtomicFile::create(&target.with_extension("operations"))?;
        Ok(Self {
            target: target.to_owned(),
            spool,
            sums: Sums::new(),
            lines: Sha256::new(),
            canary,
            operations: 0,
            registries: BTreeMap::new(),
            waves: BTreeMap::new(),
            counts: BTreeMap::new(),
        })
    }

    /// Adds an operation, and gives it its number and wave.
    ///
    /// # Errors
    /// `E-file-002` (exit 33) where it cannot be written.
    pub fn push(&mut self, mut operation: Operation) -> Result<u64> {
        self.operations += 1;
        let in_registry = self.registries.entry(operation.registry.clone()).or_default();
        (operation.op, operation.wave) = (self.operations, wave_of(*in_registry, self.canary));
        *in_registry += 1;
        *self.waves.entry(operation.wave).or_default() += 1;
        *self.counts.entry((operation.registry.clone(), operation.object.kind.as_str())).or_default() += 1;
        let json = text(&operation);
        let body = json.strip_suffix('}').unwrap_or(&json);
        let line = format!("{body}{SUM}{}\"}}\n", self.sums.next(body));
        self.lines.update(&line);
        let spooled = self.spool.write_all(line.as_bytes());
        spooled.map_err(|e| Problem::storage("E-file-002", self.spool.path(), "write an operation", &e))?;
        Ok(self.operations)
    }

    /// How many operations of that kind there are at a registry.
    #[must_use]
    pub fn counts(&self) -> Vec<Count> {
        let count = |((registry, kind), operations): (&(String, &'static str), &u64)| Count {
            registry: registry.clone(),
            kind: (*kind).to_owned(),
            operations: *operations,
        };
        self.counts.iter().map(count).collect()
    }

    /// Puts the plan in place under `header`, whose id, waves and counts are filled in; gives the header.
    ///
    /// # Errors
    /// `E-file-002` (exit 33) where it cannot be written.
    pub fn finish(mut self, mut header: Header) -> Result<Header> {
        header.id = String::new();
        header.counts = self.counts();
        header.waves = self.waves.iter().map(|(wave, operations)| Wave { wave: *wave, operations: *operations }).collect();
        header.id = id_of(&header, self.lines);
        let head = format!("{}\n", text(&header));
        let mut digest = Sha256::new().chain_update(&head);
        let failed = |path: &Path, e: &std::io::Error| Problem::storage("E-file-002", path, "write the plan", e);
        self.spool.flush().map_err(|e| failed(self.spool.path(), &e))?;
        let mut spooled = File::open(self.spool.temporary()).map_err(|e| failed(self.spool.path(), &e))?;
        let mut file = AtomicFile::create(&self.target)?;
        let mut write = |bytes: &[u8]| file.write_all(bytes).map_err(|e| failed(&self.target, &e));
        write(head.as_bytes())?;
        let mut piece = vec![0; 1 << 16];
        loop {
            let read = spooled.read(&mut piece).map_err(|e| failed(self.spool.path(), &e))?;
            let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            digest.update(bytes);
            write(bytes)?;
        }
        let sha256 = crate::base::hex(&digest.finalize());
        write(format!("{}\n", text(&Trailer { end: End { operations: self.operations, sha256 } })).as_bytes())?;
        file.commit()?;
        Ok(header)
    }
}

/// The plan's id: the digest of the header without it, and of the lines of operations, whose digest so far is `lines`.
fn id_of(header: &Header, lines: Sha256) -> String {
    let bare = text(&Header { id: String::new(), ..header.clone() });
    crate::base::hex(&Sha256::new().chain_update(bare).chain_update(lines.finalize()).finalize())
}

/// The types of a plan always have a text.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A plan that was read as a whole and is what it says it is.
#[derive(Debug)]
pub struct PlanFile {
    path: PathBuf,
    header: Header,
    digest: String,
}

impl PlanFile {
    /// Reads a plan and holds it against its own digests.
    ///
    /// # Errors
    /// All exit 21: `E-plan-001` where it is no plan of a version known here; `E-plan-002` where a line was changed, removed or moved,
    /// with the first such line; `E-plan-003` where a line is no operation; `E-plan-004` where two of its
    /// lines are about one object;
    /// `E-plan-005` where a line is too long. `E-file-001` (exit 33) where it cannot be read; `E-plan-018` (exit 2) for `-`.
    pub fn open(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            let what = "a plan is read more than once, and standard input can be read but once";
            return Err(Problem::new("E-plan-018", Blame::Operator, what, "give the plan's file"));
        }
        let mut lines = Lines::open(path)?;
        let head = lines.next()?.ok_or_else(|| no_plan(path, "the file is empty"))?;
        let header = read_header(path, &head)?;
        let mut whole = Sha256::new().chain_update(&head).chain_update("\n");
        let mut bodies = Sha256::new();
        let mut sums = Sums::new();
        let mut objects: Vec<u64> = Vec::new();
        let mut operations = 0;
        loop {
            let Some(line) = lines.next()? else {
                return Err(altered(path, lines.number, "the trailer is missing: the file was cut off"));
            };
            if let Ok(Trailer { end }) = serde_json::from_str::<Trailer>(&line) {
                let found = crate::base::hex(&whole.finalize());
                if end.operations != operations || end.sha256 != found {
                    let text =
                        format!("the trailer says {} operations and {}, found are {operations} and {found}", end.operations, end.sha256);
                    return Err(altered(path, lines.number, &text));
                }
                if lines.next()?.is_some() {
                    return Err(altered(path, lines.number, "something stands behind the trailer"));
                }
                let id = id_of(&header, bodies);
                if header.id != id {
                    return Err(altered(path, 1, &format!("the header's id is {}, found is {id}", header.id)));
                }
                once(path, objects)?;
                return Ok(Self { path: path.to_owned(), header, digest: found });
            }
            let operation = read_operation(path, lines.number, &line, &mut sums)?;
            operations += 1;
            if operation.op != operations {
                return Err(altered(path, lines.number, &format!("operation {} stands where number {operations} belongs", operation.op)));
            }
            objects.push(object_hash(&operation));
            whole.update(format!("{line}\n"));
            bodies.update(format!("{line}\n"));
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The SHA-256 of its lines, which is what a reviewer pins; the id covers the same, but for itself.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Holds the plan against the digest of what was reviewed: the whole of it, or at least its first 12 digits.
    ///
    /// # Errors
    /// `E-plan-006` (exit 2) where `given` is none; `E-plan-002` (exit 21) where it is another plan's.
    pub fn pin(&self, given: &str) -> Result<()> {
        let (given, digest) = (given.to_ascii_lowercase(), &self.digest);
        if given.len() < 12 || given.len() > digest.len() || !given.bytes().all(|b| b.is_ascii_hexdigit()) {
            let what = format!("a digest has 12 to {} hexadecimal digits, and this has {} characters", digest.len(), given.len());
            return Err(Problem::new("E-plan-006", Blame::Operator, what, "copy it from what `privet show` prints"));
        }
        if digest.starts_with(&given) {
            return Ok(());
        }
        let what = format!("the plan's digest is {digest}, and {given} was reviewed");
        Err(refused("E-plan-002", what, "review the plan that is there, or give the one that was reviewed").file(&self.path))
    }

    /// Puts a copy at `target`.
    ///
    /// # Errors
    /// `E-file-001` and `-002` (exit 33) where it cannot be read or written.
    pub fn copy(&self, target: &Path) -> Result<()> {
        let failed = |e: &std::io::Error| Problem::storage("E-file-002", target, "copy the plan", e);
        let mut from = File::open(&self.path).map_err(|e| Problem::storage("E-file-001", &self.path, "open the plan", &e))?;
        let mut to = AtomicFile::create(target)?;
        std::io::copy(&mut from, &mut to).map_err(|e| failed(&e))?;
        to.commit()
    }

    /// Its operations, in order, read again from the file.
    ///
    /// # Errors
    /// As [`PlanFile::open`].
    pub fn operations(&self) -> Result<Operations> {
        let mut lines = Lines::open(&self.path)?;
        lines.next()?;
        Ok(Operations { lines, sums: Sums::new(), left: self.header.operations() })
    }
}

/// The operations of a plan, one after the other.
pub struct Operations {
    lines: Lines,
    sums: Sums,
    left: u64,
}

impl Iterator for Operations {
    type Item = Result<Operation>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let path = self.lines.path.clone();
        Some(match self.lines.next() {
            Ok(Some(line)) => read_operation(&path, self.lines.number, &line, &mut self.sums),
            Ok(None) => Err(altered(&path, self.lines.number, "the file was cut off")),
            Err(problem) => Err(problem),
        })
    }
}

/// The lines of a file, with a cap on each.
struct Lines {
    path: PathBuf,
    file: BufReader<File>,
    number: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Problem::storage("E-file-001", path, "open the plan", &e))?;
        Ok(Self { path: path.to_owned(), file: BufReader::new(file), number: 0 })
    }

    fn next(&mut self) -> Result<Option<String>> {
        let mut line = Vec::new();
        let read = (&mut self.file).take(LINE).read_until(b'\n', &mut line);
        let read = read.map_err(|e| Problem::storage("E-file-001", &self.path, "read the plan", &e))?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.pop() != Some(b'\n') {
            if read as u64 == LINE {
                let what = format!("line {} is longer than {LINE} bytes", self.number);
                return Err(refused("E-plan-005", what, "this is not a plan of this program").file(&self.path).line(self.number));
            }
            return Err(altered(&self.path, self.number, "the line has no end: the file was cut off"));
        }
        let text = String::from_utf8(line).map_err(|_| altered(&self.path, self.number, "the line is not UTF-8"))?;
        Ok(Some(text))
    }
}

fn read_header(path: &Path, line: &str) -> Result<Header> {
    #[derive(Deserialize)]
    struct Version {
        privet_plan: u32,
    }
    let Version { privet_plan: version } =
        serde_json::from_str(line).map_err(|e| no_plan(path, &format!("the first line is no plan's header: {}", shape(&e))))?;
    if version != Header::VERSION {
        let what = format!("the plan has format {version}, and this program knows {}", Header::VERSION);
        return Err(refused("E-plan-001", what, "plan again with this program").file(path).line(1));
    }
    serde_json::from_str(line).map_err(|e| no_plan(path, &format!("the header cannot be read: {}", shape(&e))))
}

fn read_operation(path: &Path, number: u64, line: &str, sums: &mut Sums) -> Result<Operation> {
    let parts = line.rsplit_once(SUM).and_then(|(body, sum)| Some((body, sum.strip_suffix("\"}")?)));
    let (body, sum) = parts.ok_or_else(|| altered(path, number, "the line has no digest at its end"))?;
    let found = sums.next(body);
    if sum != found {
        return Err(altered(
            path,
            number,
            &format!("this is the first line that was changed, moved, or follows a removed one: its digest is {sum}, found is {found}"),
        ));
    }
    serde_json::from_str(&format!("{body}}}")).map_err(|e| {
        let what = format!("the line is no operation: {}", shape(&e));
        refused("E-plan-003", what, "plan again").file(path).line(number).column(e.column() as u64)
    })
}

/// A hash of an operation's object. Eight bytes an operation are all that reading a plan keeps.
fn object_hash(operation: &Operation) -> u64 {
    let Operation { registry, object, .. } = operation;
    xxh3_64(format!("{registry}/{}/{}", object.kind.as_str(), object.id).as_bytes())
}

/// Refuses a plan two lines of which are about the same object. Equal hashes alone prove nothing: where there are some, the plan is read
/// once more.
fn once(path: &Path, mut hashes: Vec<u64>) -> Result<()> {
    hashes.sort_unstable();
    let alike: HashSet<u64> = hashes.windows(2).filter(|two| two.first() == two.last()).flatten().copied().collect();
    drop(hashes);
    if alike.is_empty() {
        return Ok(());
    }
    let mut lines = Lines::open(path)?;
    lines.next()?;
    let mut sums = Sums::new();
    let mut seen: HashMap<(String, ObjectKind, String), u64> = HashMap::new();
    while let Some(line) = lines.next()?.filter(|line| line.contains(SUM)) {
        let operation = read_operation(path, lines.number, &line, &mut sums)?;
        if alike.contains(&object_hash(&operation)) {
            let object = operation.object;
            if let Some(first) = seen.insert((operation.registry, object.kind, object.id.clone()), lines.number) {
                let what = format!("lines {first} and {} are both about the same object", lines.number);
                return Err(refused("E-plan-004", what, "plan again").file(path).line(lines.number).object(object.id));
            }
        }
    }
    Ok(())
}

/// What a parser says without quoting what it read: a value may be anything.
fn shape(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split('`').enumerate().map(|(n, part)| if n % 2 == 1 && part.len() > 40 { "…" } else { part }).collect::<Vec<_>>().join("`")
}

fn no_plan(path: &Path, why: &str) -> Box<Problem> {
    refused("E-plan-001", format!("this is not a plan: {why}"), "give a file that `privet plan` wrote").file(path).line(1)
}

fn altered(path: &Path, line: u64, what: &str) -> Box<Problem> {
    refused("E-plan-002", what, "the plan is not what was written: plan again, and review that").file(path).line(line)
}

fn refused(id: &str, what: impl Into<String>, remedy: &str) -> Box<Problem> {
    Problem::new(id, Blame::Operator, what, remedy).exit(Exit::PlanStale)
}
