//! What a run's own traces show that may be a breach: a write to an object that is not ours, a secret of a transfer in a file that the run
//! left, and a line that was secured by less than the rules say. No value of anybody's is kept of it.

use super::apply::plans;
use super::candidates::Candidate;
use super::config::Loaded;
use crate::base::{Blame, Problem, Result, StateDir};
use crate::journal::{self, StepState, Why};
use crate::plan::PlanFile;
use crate::report;
use crate::store::Store;
use regex::bytes::Regex;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// A write that the registry refused since the object is another's, or that found it gone there.
const WRONG: &str = "R-breach-011";
/// A secret of a transfer in a file.
const SECRET: &str = "R-breach-012";
/// A line that was secured by less than the rules say.
const LINE: &str = "R-breach-013";
/// "Authorization error" (RFC 5730 §3): the object is not ours to change.
const NOT_OURS: u16 = 2201;
/// The endings of files that are looked through: those in which a text stands as it is.
const TEXTS: [&str; 9] = ["csv", "json", "jsonld", "ndjson", "html", "txt", "log", "xml", "toml"];
/// The most files of a folder, and the deepest one: a run leaves some dozens.
const MAX_FILES: usize = 10_000;
const MAX_DEPTH: usize = 4;
/// The most bytes of a file that are looked through: the largest table of a run has less.
const MAX_BYTES: u64 = 8 << 30;
/// The longest piece that is looked at at once; a longer line is looked at piece by piece.
const PIECE: u64 = 1 << 20;
/// What shows a secret of a transfer with a value behind it: `authInfo` of RFC 5731 §3.1.2 and RFC 5733, its `pw`, and such a key.
const PATTERN: &str = r#"(?i-u)<(?:[a-z][a-z0-9]*:)?pw(?:\s[^>]*)?>\s*[^<\s*][^<]*<|\bauth[_-]?info(?:hash)?\\?["']?\s*[:=]\s*\\?["']?[^\s"'\\,;<>*(){}\[\]]{4}"#;

/// Steps of plans that were sent to an object which is not ours, over all runs.
///
/// # Errors
/// As [`PlanFile::open`] and [`journal::open`].
pub(super) fn wrong_registry(loaded: &Loaded, store: &mut dyn Store) -> Result<Vec<Candidate>> {
    let state = StateDir::open(&loaded.config.state)?;
    let mut found = Vec::new();
    for path in plans(&state) {
        let plan = PlanFile::open(&path)?;
        let fold = journal::open(store, &plan.header().id)?;
        for operation in plan.operations()? {
            let operation = operation?;
            for (number, step) in (0_u8..).zip(&operation.steps) {
                let standing = fold.of(operation.op, number);
                let is_others = match &standing.why {
                    Some(Why::Refused(code)) => code.0 == NOT_OURS,
                    Some(Why::Gone) => true,
                    _ => false,
                };
                if standing.state == StepState::Failed && standing.sends > 0 && is_others {
                    found.push(Candidate {
                        rule: WRONG.to_owned(),
                        word: "wrong-registry",
                        registry: operation.registry.clone(),
                        object: step.object.kind.as_str().to_owned(),
                        id: step.object.id.clone(),
                        field: format!("{} in plan {}", step.turn.as_str(), plan.header().id.chars().take(12).collect::<String>()),
                    });
                }
            }
        }
    }
    Ok(found)
}

/// Lines of the run in `from` that were secured by less than the pack of oversight says; nothing where the run left no facts.
///
/// # Errors
/// `E-report-002` where its facts cannot be read.
pub(super) fn downgraded(loaded: &Loaded, from: &Path) -> Result<Vec<Candidate>> {
    let path = from.join("run.json");
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let facts = report::read(&path)?;
    let allowed = &loaded.config.overseeing.security.tls;
    let below = facts.registries.into_iter().filter_map(|one| {
        let tls = one.tls.filter(|tls| !allowed.contains(&tls.version))?;
        Some(Candidate {
            rule: LINE.to_owned(),
            word: "tls-downgrade",
            registry: one.id.to_string(),
            object: "line".to_owned(),
            id: facts.run_id.to_string(),
            field: tls.version.into_string(),
        })
    });
    Ok(below.collect())
}

/// Files of the folder `from` in which a secret of a transfer stands: each once, with its first line.
///
/// # Errors
/// `E-breach-004` where there are too many files; `E-file-005` where one cannot be read.
pub(super) fn secrets(from: &Path) -> Result<Vec<Candidate>> {
    let pattern = Regex::new(PATTERN).map_err(|e| Problem::new("E-breach-003", Blame::Us, e.to_string(), "please report this"))?;
    let run = from.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut found = Vec::new();
    for path in files(from)? {
        let Some(line) = first(&path, &pattern)? else { continue };
        let name = path.strip_prefix(from).unwrap_or(&path).display().to_string();
        found.push(Candidate {
            rule: SECRET.to_owned(),
            word: "authinfo-in-log",
            registry: String::new(),
            object: "file".to_owned(),
            id: format!("{run}/{name}"),
            field: format!("line {line}"),
        });
    }
    Ok(found)
}

/// The files of texts below `from`, by path. Links are not followed.
fn files(from: &Path) -> Result<Vec<PathBuf>> {
    let (mut out, mut open) = (Vec::new(), vec![(from.to_owned(), 0)]);
    while let Some((dir, depth)) = open.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().ok());
            if kind.is_some_and(|kind| kind.is_dir()) && depth < MAX_DEPTH {
                open.push((path, depth + 1));
            } else if kind.is_some_and(|kind| kind.is_file()) && path.extension().is_none_or(|end| TEXTS.iter().any(|known| end == *known))
            {
                out.push(path);
            }
        }
        if out.len() > MAX_FILES {
            let what = format!("the folder has more than {MAX_FILES} files");
            return Err(Problem::new("E-breach-004", Blame::Operator, what, "give the folder of one run").file(from));
        }
    }
    out.sort_unstable();
    Ok(out)
}

/// The line of a file's first secret.
fn first(path: &Path, pattern: &Regex) -> Result<Option<u64>> {
    let unread = |e: &std::io::Error| Problem::storage("E-file-005", path, "check the path, its owner and its mode", e);
    let mut reader = BufReader::new(File::open(path).map_err(|e| unread(&e))?.take(MAX_BYTES));
    let (mut line, mut piece) = (1, Vec::new());
    loop {
        piece.clear();
        let read = (&mut reader).take(PIECE).read_until(b'\n', &mut piece).map_err(|e| unread(&e))?;
        if read == 0 {
            return Ok(None);
        }
        if pattern.is_match(&piece) {
            return Ok(Some(line));
        }
        line += u64::from(piece.ends_with(b"\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::write_atomic;

    #[test]
    fn a_secret_with_a_value_is_found_and_what_is_masked_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let told = |text: &[u8]| {
            write_atomic(&dir.path().join("a.log"), text).unwrap();
            secrets(dir.path()).unwrap().into_iter().map(|one| (one.word, one.field)).collect::<Vec<_>>()
        };
        let at = |line: &str| vec![("authinfo-in-log", line.to_owned())];
        assert_eq!(told(b"x\n<domain:authInfo><domain:pw>2fooBAR</domain:pw></domain:authInfo>\n"), at("line 2"));
        assert_eq!(told(b"<pw roid=\"R-1\">2fooBAR</pw>"), at("line 1"));
        assert_eq!(told(b"{\"authInfo\": \"2fooBAR\"}"), at("line 1"));
        assert_eq!(told(b"{\"frame\":\"{\\\"auth_info\\\":\\\"2fooBAR\\\"}\"}"), at("line 1"));
        assert_eq!(told(b"AuthInfoHash: 4213d924230224fd719218b4acbd92f96ebf1d6f"), at("line 1"));
        assert_eq!(told(b"\xff\xfe\nauthinfo=2fooBAR"), at("line 2"));
        for quiet in [
            "<domain:pw/>",
            "<domain:pw></domain:pw>",
            "<domain:pw>****</domain:pw>",
            "authInfo: ***",
            "authinfo-in-log",
            "authInfo is never kept",
            "",
        ] {
            assert_eq!(told(quiet.as_bytes()), [], "{quiet}");
        }
        // A long line is looked at piece by piece, and does not end the file.
        let long = [vec![b'x'; 3 << 20], b"\nauthInfo=2fooBAR\n".to_vec()].concat();
        assert_eq!(told(&long), at("line 2"));
    }

    #[test]
    fn only_texts_are_looked_through_and_no_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("20261122T020000Z-x");
        crate::base::create_private_dir(&run.join("deep")).unwrap();
        write_atomic(&dir.path().join("outside.log"), b"authInfo=2fooBAR").unwrap();
        std::os::unix::fs::symlink(dir.path().join("outside.log"), run.join("link.log")).unwrap();
        write_atomic(&run.join("a.parquet"), b"authInfo=2fooBAR").unwrap();
        write_atomic(&run.join("deep/b.ndjson"), b"authInfo=2fooBAR").unwrap();
        let found: Vec<String> = secrets(&run).unwrap().into_iter().map(|one| one.id).collect();
        assert_eq!(found, ["20261122T020000Z-x/deep/b.ndjson"]);
    }
}
