//! A registrar's data escrow deposit, as ICANN has its registrars make them (Registrar Accreditation Agreement 2013, §3.6): files of
//! domains and of handles as CSV with a header, and a file of their SHA-256 digests.
//!
//! What the files are called and what their columns are is known from one registrar's published description of its own deposits
//! (`https://wiki.hexonet.net/wiki/API:RDE`: `000_RDE_2008-01-01_full_0`, `…_hdl_0`, digests as `sha256sum` writes them) and otherwise
//! follows from it; so names are taken by their parts in any order, and each column by any of the names in [`columns`]. A deposit is read
//! only where every file agrees with its digest.

mod columns;
mod files;

pub use columns::{ContactColumn, DomainColumn};
pub use files::{Deposit, DepositKind};

use super::ingest::{Format, Source, each_row};
use crate::base::{Blame, Exit, Problem, Problems};
use columns::{CONTACT, DOMAIN, Names};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// The most bytes of a header.
const MAX_HEADER: u64 = 64 << 10;

/// Where a row of a deposit stands, and what it says, in the order of the columns.
pub(in crate::dataset) type Deposited<'r> = (&'r Path, u64, &'r [Option<&'r str>]);

impl Deposit {
    /// Hands over every row of the files of domains, its values in the order of [`DomainColumn::ALL`]; gives the columns that there are.
    ///
    /// # Errors
    /// Every problem of every file: `E-csv-…`, `E-escrow-005` where a file has no column of names.
    pub fn each_domain(&self, visit: impl FnMut(Deposited<'_>)) -> Result<BTreeSet<&'static str>, Problems> {
        each(&self.domains, &DOMAIN, visit)
    }

    /// Hands over every row of the files of handles, its values in the order of [`ContactColumn::ALL`]; gives the columns that there are.
    ///
    /// # Errors
    /// As [`Deposit::each_domain`].
    pub fn each_contact(&self, visit: impl FnMut(Deposited<'_>)) -> Result<BTreeSet<&'static str>, Problems> {
        each(&self.handles, &CONTACT, visit)
    }
}

/// Reads files of one kind.
fn each(files: &[PathBuf], names: &Names, mut visit: impl FnMut(Deposited<'_>)) -> Result<BTreeSet<&'static str>, Problems> {
    let mut problems = Problems::default();
    let mut there = BTreeSet::new();
    for path in files {
        let header = match header(path) {
            Ok(header) => header,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let mut mapped: BTreeMap<String, String> = BTreeMap::new();
        let mut others = Vec::new();
        for name in &header {
            match names.ours(name) {
                Some(ours) if !mapped.contains_key(ours) => {
                    mapped.insert(ours.to_owned(), name.clone());
                    there.insert(ours);
                }
                // What else a deposit says is nothing that is compared.
                _ => others.push(name.as_str()),
            }
        }
        let key = names.all.first().copied().unwrap_or_default();
        if !mapped.contains_key(key) {
            let what = format!("there is no column of the {key}: {}", header.join(", "));
            let known = names.known(key).join("`, `");
            let problem = Problem::new("E-escrow-005", Blame::Input, what, format!("call it `{known}`; the first line is the header"));
            problems.push(problem.file(path).line(1).exit(Exit::InputIncomplete));
            continue;
        }
        let absent = names.all.iter().filter(|ours| !mapped.contains_key(**ours));
        let constants = absent.map(|ours| ((*ours).to_owned(), String::new())).collect();
        let wanted: Vec<&str> = names.all.iter().copied().chain(others).collect();
        let source = Source { format: Some(Format::Csv), columns: mapped, constants, ..Source::of(vec![path.clone()]) };
        each_row(&source, &wanted, &mut problems, |file, line, values| {
            visit((file, line, values.get(..names.all.len()).unwrap_or_default()));
        });
    }
    problems.or(there)
}

/// The names of a file's columns.
fn header(path: &Path) -> Result<Vec<String>, Box<Problem>> {
    let wrong = |what: String| {
        Problem::new("E-escrow-005", Blame::Input, what, "the first line of each file is its header").file(path).exit(Exit::InputIncomplete)
    };
    let file = std::fs::File::open(path).map_err(|e| wrong(format!("cannot read: {e}")))?;
    let mut line = Vec::new();
    BufReader::new(file).take(MAX_HEADER).read_until(b'\n', &mut line).map_err(|e| wrong(format!("cannot read: {e}")))?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_slice());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => Ok(record.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect()),
        Ok(false) => Err(wrong("the file is empty".to_owned())),
        Err(e) => Err(wrong(format!("the header cannot be read: {e}"))),
    }
}

#[cfg(test)]
mod tests;
