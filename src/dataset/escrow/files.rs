//! The files of a deposit: which is what, by its name, and whether it is what its digest says.

use crate::base::{Blame, Digest, Exit, Problem, Problems, Result, read_capped};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The most bytes of a file of digests.
const MAX_HASHES: u64 = 1 << 20;
/// The most files of a deposit.
const MAX_FILES: usize = 1_000;

/// Which domains a deposit is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositKind {
    /// All.
    Full,
    /// Those that changed.
    Incremental,
}

/// A deposit whose files are what their digests say.
#[derive(Clone, Debug)]
pub struct Deposit {
    /// Which domains it is of.
    pub kind: DepositKind,
    pub(super) domains: Vec<PathBuf>,
    pub(super) handles: Vec<PathBuf>,
}

/// What a file of a deposit holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Domains(DepositKind),
    Handles,
    Hashes,
}

impl Deposit {
    /// Opens the deposit in the directory `dir`, which holds one and no other.
    ///
    /// # Errors
    /// All that is wrong (exit 32): `E-escrow-001` where the directory holds no deposit, several, or one that is still packed or encrypted;
    /// `E-escrow-002` where there is no file of digests, or one that cannot be read; `E-escrow-003` where a file has no digest, or a digest
    /// no file; `E-escrow-004` where a file is not what its digest says.
    pub fn open(dir: &Path) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut files: Vec<(PathBuf, Holds)> = Vec::new();
        for path in listed(dir)? {
            match holds(&path) {
                Ok(Some(what)) => files.push((path, what)),
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        problems.or(())?;
        let mut problems = Problems::default();
        let of = |wanted: fn(Holds) -> bool| -> Vec<PathBuf> {
            files.iter().filter(|(_, what)| wanted(*what)).map(|(path, _)| path.clone()).collect()
        };
        let (full, part) =
            (of(|what| what == Holds::Domains(DepositKind::Full)), of(|what| what == Holds::Domains(DepositKind::Incremental)));
        let (handles, hashes) = (of(|what| what == Holds::Handles), of(|what| what == Holds::Hashes));
        let (kind, domains) = match (full.is_empty(), part.is_empty()) {
            (false, true) => (DepositKind::Full, full),
            (true, false) => (DepositKind::Incremental, part),
            (true, true) => return Err(wrong("E-escrow-001", dir, "there is no file of domains (`…_RDE_…_full…` or `…_inc…`)").into()),
            (false, false) => return Err(wrong("E-escrow-001", dir, "there are a full and an incremental deposit").into()),
        };
        if days(&files).len() > 1 {
            return Err(wrong("E-escrow-001", dir, "there are deposits of several days").into());
        }
        if hashes.is_empty() {
            return Err(wrong("E-escrow-002", dir, "there is no file of digests (`…_RDE_…_hash…`)").into());
        }
        check(&hashes, domains.iter().chain(&handles), &mut problems)?;
        problems.or(Self { kind, domains, handles })
    }
}

/// The plain files of a directory, by name.
fn listed(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).map_err(|e| {
        let remedy = "name the directory with the files of one deposit";
        Problem::new("E-escrow-001", Blame::Operator, format!("cannot read the directory: {e}"), remedy).file(dir)
    })?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).take(MAX_FILES + 1).collect();
    if files.len() > MAX_FILES {
        return Err(wrong("E-escrow-001", dir, "there are more than 1000 files"));
    }
    files.sort();
    Ok(files)
}

/// What the file at `path` holds, by the parts of its name; nothing where it is of no deposit.
fn holds(path: &Path) -> Result<Option<Holds>> {
    let parts = parts(path);
    let has = |word: &str| parts.iter().any(|part| part == word);
    if !has("rde") {
        return Ok(None);
    }
    if ["gz", "zip", "tar", "gpg", "pgp", "asc", "xz"].into_iter().any(has) {
        let what = "the file is packed or encrypted";
        let remedy = "decrypt and unpack it into a directory that only this user can read";
        return Err(Problem::new("E-escrow-001", Blame::Input, what, remedy).file(path).exit(Exit::InputIncomplete));
    }
    let known = [
        ("hash", Holds::Hashes),
        ("hdl", Holds::Handles),
        ("full", Holds::Domains(DepositKind::Full)),
        ("inc", Holds::Domains(DepositKind::Incremental)),
    ];
    match known.into_iter().find(|(word, _)| has(word)) {
        Some((_, what)) => Ok(Some(what)),
        None => Err(wrong("E-escrow-001", path, "the name tells not what it holds: `full`, `inc`, `hdl` or `hash`")),
    }
}

/// The parts of a file's name, in lower case.
fn parts(path: &Path) -> Vec<String> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.split(['_', '.']).map(str::to_owned).collect()
}

/// The days that names tell, as eight digits.
fn days(files: &[(PathBuf, Holds)]) -> BTreeSet<String> {
    let digits = |part: String| part.chars().filter(|c| *c != '-').collect::<String>();
    let is_day = |part: &String| part.len() == 8 && part.bytes().all(|b| b.is_ascii_digit());
    files.iter().flat_map(|(path, _)| parts(path)).map(digits).filter(is_day).collect()
}

/// Holds every file against its digest, and the digests against the files.
fn check<'f>(hashes: &[PathBuf], files: impl Iterator<Item = &'f PathBuf>, problems: &mut Problems) -> Result<()> {
    let mut wanted: BTreeMap<String, (String, &Path)> = BTreeMap::new();
    for path in hashes {
        let bytes = read_capped(path, MAX_HASHES)?;
        let text = String::from_utf8_lossy(&bytes);
        for (line, words) in (1..).zip(text.lines()).filter(|(_, words)| !words.trim().is_empty()) {
            let Some((name, digest)) = hash(words) else {
                let what = "the line is no digest with the name of a file";
                let problem = wrong("E-escrow-002", path, what).line(line);
                problems.push(problem);
                continue;
            };
            wanted.insert(name, (digest, path));
        }
    }
    for path in files {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some((digest, _)) = wanted.remove(&name) else {
            problems.push(wrong("E-escrow-003", path, "no digest tells what this file should be"));
            continue;
        };
        let found = File::open(path).and_then(Digest::of_all).map_err(|e| Problem::storage("E-file-005", path, "read", &e))?;
        if found.to_string() != digest {
            let what = format!("the file is not what its digest says (SHA-256 is {found}, wanted is {digest})");
            problems.push(wrong("E-escrow-004", path, &what));
        }
    }
    for (name, (_, path)) in wanted {
        let problem = wrong("E-escrow-003", path, "the file that a digest names is missing");
        problems.push(problem.field(crate::base::escape_controls(&name)));
    }
    Ok(())
}

/// The file that a line names, and its digest: 64 hexadecimal digits and a name in any order, parted by blanks, a comma or quotes.
fn hash(line: &str) -> Option<(String, String)> {
    let words: Vec<&str> = line.split([' ', '\t', ',', '"', '*', ';']).filter(|word| !word.is_empty()).collect();
    let is_digest = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let [one, other] = words.as_slice() else { return None };
    let (digest, name) = if is_digest(one) { (one, other) } else { (other, one) };
    let name = name.rsplit('/').next().unwrap_or(name);
    is_digest(digest).then(|| (name.to_owned(), digest.to_ascii_lowercase()))
}

/// That a deposit cannot be read.
fn wrong(id: &str, path: &Path, what: &str) -> Box<Problem> {
    let remedy = "see whether the deposit is whole: files of domains and handles, and one with the SHA-256 digest of each";
    Problem::new(id, Blame::Input, what, remedy).file(path).exit(Exit::InputIncomplete)
}
