//! Local records for a run: taken in, counted, and guarded against a shrunken input.

use super::config::{Config, Records as LocalRecords, RegistryConfig};
use crate::base::{Blame, Digest, Exit, Problem, Problems, RegistryId, Result, StateDir};
use crate::dataset::{IngestPlan, Ingested, Records, Source, ingest};
use crate::report::facts::RecordFile;
use crate::report::proof::RecordDigest;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;

/// The longest line of a list: a name has at most 253 characters, the rest is comment.
const MAX_LINE: u64 = 4096;

/// Where the records of the last ingest stand.
pub(super) fn records_dir(state: &StateDir) -> PathBuf {
    state.root().join("records")
}

/// What the files of records are, and how they are read; nothing where one of them cannot be told by its digest. It is told before they
/// are read: a file that is changed meanwhile is taken in again the next time.
fn origin(config: &Config, files: &[RecordDigest]) -> Option<Digest> {
    let digests: Option<Vec<_>> = files.iter().map(|file| file.sha256.as_ref()).collect();
    let registries: Vec<&RegistryId> = config.registries.keys().collect();
    // As JSON no part can run into the next.
    let LocalRecords { contacts, domains, escrow, .. } = &config.records;
    let layout = (format!("{contacts:?}"), format!("{domains:?}"), format!("{escrow:?}"), registries, env!("CARGO_PKG_VERSION"));
    Some(Digest::of(&serde_json::to_vec(&(layout, digests?)).ok()?))
}

/// The local records: those that an earlier run took in, where they are of the very `files` that there are, or else taken in now.
///
/// # Errors
/// As [`take_in`].
pub(super) fn known(
    config: &Config,
    tables: &LocalRecords,
    state: &StateDir,
    files: &[RecordDigest],
) -> Result<(Records, Option<Problems>), Problems> {
    let there = origin(config, files).and_then(|origin| Records::open(&records_dir(state)).ok().filter(|records| records.is_of(&origin)));
    if let Some(records) = there {
        return Ok((records, None));
    }
    let Ingested { records, warnings } = take_in(config, tables, state, files)?;
    Ok((records, Some(warnings)))
}

/// Takes the local records in from `tables`. What an earlier run took in is the measure of what may be missing now.
///
/// # Errors
/// Every problem of every file.
pub(super) fn take_in(config: &Config, tables: &LocalRecords, state: &StateDir, files: &[RecordDigest]) -> Result<Ingested, Problems> {
    let dir = records_dir(state);
    let plan = IngestPlan {
        contacts: tables.contacts.clone(),
        domains: tables.domains.clone(),
        registries: config.registries.keys().cloned().collect(),
        previous: Records::open(&dir).ok().map(|r| r.totals()),
        min_rows_share: config.gates.min_rows_share,
        origin: origin(config, files),
    };
    ingest(&plan, &dir)
}

/// Hands each name of a registry's own list to `visit`: one a line, `#` begins a comment.
///
/// # Errors
/// `E-list-001` where the list is not text or a line is longer than any name; whatever `visit` fails with.
pub(super) fn each_listed(registry: &RegistryConfig, mut visit: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let Some(path) = &registry.list else { return Ok(()) };
    let remedy = "save the list as UTF-8 text, one name a line";
    let file = File::open(path).map_err(|e| Problem::new("E-list-001", Blame::Operator, format!("cannot read: {e}"), remedy).file(path))?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let wrong =
            |what: String| Problem::new("E-list-001", Blame::Input, what, remedy).file(path).line(number).exit(Exit::InputIncomplete);
        let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(|e| wrong(format!("cannot read: {e}")))?;
        if read == 0 {
            break;
        }
        if read as u64 == MAX_LINE {
            return Err(wrong(format!("the line is longer than {MAX_LINE} bytes")));
        }
        let text = std::str::from_utf8(&line).map_err(|e| wrong(format!("not UTF-8 at byte {} of the line", e.valid_up_to())))?;
        let name = text.split('#').next().unwrap_or_default().trim().trim_end_matches('.');
        if !name.is_empty() {
            visit(&name.to_ascii_lowercase())?;
        }
    }
    Ok(())
}

/// The tables of local records with their rows, for the report.
pub(super) fn files(tables: &LocalRecords, now: &Records, before: Option<&Records>) -> Vec<RecordFile> {
    let tables = [(&tables.contacts, "contacts", 0), (&tables.domains, "domains", 1)];
    let of = |(source, table, at): (&Option<Source>, &str, usize)| {
        let names: Vec<String> = source.as_ref()?.names().iter().map(|f| f.display().to_string()).collect();
        let rows = |records: &Records| records.totals().get(at).copied().unwrap_or_default();
        Some(RecordFile { file: names.join(", "), table: table.to_owned(), rows: rows(now), previous_rows: before.map(rows) })
    };
    tables.into_iter().filter_map(of).collect()
}
