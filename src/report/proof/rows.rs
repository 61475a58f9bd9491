//! The file of a run with the commitments to its rows about people. One root for each table stands in the statement, so that of every
//! commitment alone it can be shown that it was signed, and the whole file is held against the roots with no more than a line in memory.

use super::commitment::Commitment;
use super::document::HashText;
use super::folder::{self, COMMITMENTS};
use super::statement::RowCommitments;
use super::tree::Growing;
use crate::base::{AtomicFile, Problem, Result, ValueDigest};
use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The first line.
const HEAD: &str = "table,commitment\n";
/// Commitments that are sorted at a time, 32 MiB of them: the order of a table would tell who stands between whom.
const BLOCK: usize = 1 << 20;
/// The longest line, in bytes: the name of a table and 64 digits.
const MAX_LINE: u64 = 256;

/// Writes the file.
#[derive(Debug)]
pub struct RowsWriter {
    path: PathBuf,
    /// Nothing until there is something to write.
    out: Option<AtomicFile>,
    tables: Vec<(String, Growing)>,
    block: Vec<Commitment>,
}

impl RowsWriter {
    /// A writer for the run whose folder is `dir`.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self { path: dir.join(COMMITMENTS), out: None, tables: Vec::new(), block: Vec::new() }
    }

    /// Adds the commitment to a row of `table`; those of one table come one behind the other.
    ///
    /// # Errors
    /// `E-file-001`, `E-file-002` (exit 33) where the file cannot be written.
    pub fn add(&mut self, table: &str, commitment: Commitment) -> Result<()> {
        if self.tables.last().is_none_or(|(last, _)| last != table) {
            self.flush()?;
            self.tables.push((table.to_owned(), Growing::default()));
        }
        self.block.push(commitment);
        if self.block.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    /// Writes what waits, in the order of its bytes.
    fn flush(&mut self) -> Result<()> {
        let mut block = std::mem::take(&mut self.block);
        let Some((table, tree)) = self.tables.last_mut().filter(|_| !block.is_empty()) else { return Ok(()) };
        block.sort_unstable();
        let failed = |e: std::io::Error| Problem::storage("E-file-002", &self.path, "write", &e);
        let mut out = match self.out.take() {
            Some(out) => out,
            None => {
                let mut out = AtomicFile::create(&self.path)?;
                out.write_all(HEAD.as_bytes()).map_err(failed)?;
                out
            }
        };
        for commitment in block {
            tree.push(commitment.bytes());
            writeln!(out, "{table},{commitment}").map_err(failed)?;
        }
        self.out = Some(out);
        Ok(())
    }

    /// Puts the file in place, where there is anything in it; what is to be stated of it.
    ///
    /// # Errors
    /// `E-file-001`, `E-file-002` (exit 33).
    pub fn finish(mut self) -> Result<Vec<RowCommitments>> {
        self.flush()?;
        if let Some(out) = self.out {
            out.commit()?;
        }
        Ok(self.tables.iter().map(|(table, tree)| stated(table, tree)).collect())
    }
}

fn stated(table: &str, tree: &Growing) -> RowCommitments {
    let head = tree.head();
    RowCommitments { table: table.to_owned(), count: head.size, root: HashText(head.root) }
}

/// Holds the file in `dir` against what was `signed` of it; how many of `wanted` stand in it, which are taken out of there.
///
/// # Errors
/// In words, what does not hold.
pub(super) fn check(dir: &Path, signed: &[RowCommitments], wanted: &mut HashSet<Commitment>) -> Result<u64, String> {
    let file = folder::open(&dir.join(COMMITMENTS)).map_err(|e| format!("{COMMITMENTS} cannot be read: {e}"))?;
    let mut lines = BufReader::new(file.ok_or_else(|| format!("{COMMITMENTS} is no plain file"))?);
    let mut tables: Vec<(String, Growing)> = Vec::new();
    let (mut line, mut number, mut found) = (Vec::new(), 0_u64, 0);
    loop {
        line.clear();
        let read = lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        if read.map_err(|e| format!("{COMMITMENTS} cannot be read: {e}"))? == 0 {
            break;
        }
        number += 1;
        if number == 1 && line == HEAD.as_bytes() {
            continue;
        }
        let (table, commitment) =
            parse(&line).filter(|_| number > 1).ok_or_else(|| format!("line {number} of {COMMITMENTS} is no commitment"))?;
        if tables.last().is_none_or(|(last, _)| last != table) {
            if tables.len() >= signed.len() {
                return Err(format!("line {number} of {COMMITMENTS} is of a table that was not signed"));
            }
            tables.push((table.to_owned(), Growing::default()));
        }
        if let Some((_, tree)) = tables.last_mut() {
            tree.push(commitment.bytes());
        }
        found += u64::from(wanted.remove(&commitment));
    }
    let is_signed = tables.iter().map(|(table, tree)| stated(table, tree)).eq(signed.iter().cloned());
    is_signed.then_some(found).ok_or_else(|| format!("{COMMITMENTS} has other commitments than were signed"))
}

/// The table and the commitment in a line.
fn parse(line: &[u8]) -> Option<(&str, Commitment)> {
    let (table, commitment) = std::str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once(',')?;
    Some((table, Commitment::from_bytes(*ValueDigest::read(commitment)?.bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::write_atomic;
    use zeroize::Zeroizing;

    fn of(n: u8) -> Commitment {
        Commitment::of(&Zeroizing::new([n; 32]), [Some("row")])
    }

    #[test]
    fn what_was_written_holds_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = RowsWriter::new(dir.path());
        for n in 0..9 {
            writer.add(if n < 6 { "one" } else { "two" }, of(n)).unwrap();
        }
        let signed = writer.finish().unwrap();
        assert_eq!(signed.iter().map(|one| (one.table.as_str(), one.count)).collect::<Vec<_>>(), [("one", 6), ("two", 3)]);
        let mut wanted: HashSet<Commitment> = [of(3), of(8), of(100)].into();
        assert_eq!(check(dir.path(), &signed, &mut wanted), Ok(2));
        assert_eq!(wanted, [of(100)].into());
        let path = dir.path().join(COMMITMENTS);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1..7].is_sorted(), "they do not stand in the order of the table");
        let (first, rest) = text.split_once('\n').unwrap();
        let swapped = format!("{first}\n{}\n{}\n{}\n", lines[2], lines[1], lines[3..].join("\n"));
        let shorter = rest.lines().skip(1).fold(format!("{first}\n"), |all, line| all + line + "\n");
        for altered in [swapped, shorter, text.replace("two,", "one,"), text.replacen("one,", "one,0", 1), rest.to_owned(), String::new()] {
            write_atomic(&path, altered.as_bytes()).unwrap();
            assert!(check(dir.path(), &signed, &mut HashSet::new()).is_err(), "{altered}");
        }
        crate::base::remove_tree(&path).unwrap();
        assert!(check(dir.path(), &signed, &mut HashSet::new()).is_err());
    }

    #[test]
    fn a_run_without_such_rows_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(RowsWriter::new(dir.path()).finish().unwrap(), []);
        assert!(!dir.path().join(COMMITMENTS).exists());
    }
}
