//! The tables `[records.…]`: where the registrar's own records come from.

use super::Environment;
use super::store::database;
use super::table::{Reading, Table};
use super::types::{Escrow, Queried, Records};
use crate::base::RegistryId;
use crate::dataset::{Format, Query, Source};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The seconds that a query may take where nobody says otherwise.
const SECONDS: u32 = 1800;

/// All of them; nothing where the database of queries is wrong.
pub(super) fn records(reading: &mut Reading<'_>, mut records: Table<'_>, environment: Environment<'_>) -> Option<Records> {
    let mut one = |key, reading: &mut Reading<'_>| {
        let table = records.child(reading, key);
        source(reading, table)
    };
    let [contacts, domains, services, orders, consent] =
        ["contacts", "domains", "services", "orders", "consent"].map(|key| one(key, reading));
    let answers = records.child(reading, "rdap");
    let rdap = rdap(reading, answers);
    let asked = [&contacts, &domains, &services, &orders, &consent].into_iter().flatten().any(|source| source.query.is_some());
    let depositing = records.child(reading, "escrow");
    let is_deposited = !depositing.is_absent();
    let escrow = escrow(reading, depositing);
    if is_deposited && (contacts.is_some() || domains.is_some()) {
        let what = "contacts and domains come from a deposit, and from tables of their own as well".to_owned();
        reading.fault(
            "E-config-003",
            "records.escrow",
            records.line,
            what,
            "leave out [records.contacts] and [records.domains]".to_owned(),
        );
    }
    let table = records.child(reading, "postgres");
    let is_absent = table.is_absent();
    let postgres = if is_absent { None } else { Some(queried(reading, table, environment)) };
    if asked && is_absent && !reading.torn {
        let what = "a table of records is a query, and no database is named";
        let remedy = "add the table [records.postgres] with `address`, `password` and `ca`";
        reading.fault("E-config-014", "records.postgres", records.line, what.to_owned(), remedy.to_owned());
    }
    records.finish(reading);
    let postgres = postgres.map_or(Some(None), |read| read.map(Some))?;
    Some(Records { contacts, domains, services, orders, consent, rdap, postgres, escrow })
}

/// The database of queries.
fn queried(reading: &mut Reading<'_>, mut table: Table<'_>, environment: Environment<'_>) -> Option<Queried> {
    let database = database(reading, &mut table, "address", environment);
    let seconds = table.find("timeout_seconds").map_or(Some(SECONDS), |found| found.number(reading, 1..=86_400));
    table.finish(reading);
    Some(Queried { database: database?, time: Duration::from_secs(seconds?.into()) })
}

/// The deposit that contacts and domains come from; nothing where the file has none.
fn escrow(reading: &mut Reading<'_>, mut table: Table<'_>) -> Option<Escrow> {
    if table.is_absent() {
        return None;
    }
    let dir = table.need(reading, "dir", "\"escrow\"").and_then(|found| found.path(reading));
    let zones = table.need(reading, "zones", "{ com = \"example\" }").and_then(|found| found.pairs(reading));
    table.finish(reading);
    let zone = |(zone, registry): (String, String)| (zone.trim_matches('.').to_lowercase(), RegistryId::new(registry));
    Some(Escrow { dir: dir?, zones: zones?.into_iter().map(zone).collect() })
}

/// One table of records; nothing where the file has none.
fn source(reading: &mut Reading<'_>, mut table: Table<'_>) -> Option<Source> {
    if table.is_absent() {
        return None;
    }
    let query = table.find("query");
    let files = if query.is_some() { table.find("files") } else { table.need(reading, "files", "[\"records/contacts.csv\"]") };
    let separator = table.find("delimiter");
    for (found, what) in [(&files, "`query` or `files`, not both"), (&separator, "`delimiter` with `files` alone")] {
        if let Some(found) = found.as_ref().filter(|_| query.is_some()) {
            found.wrong(reading, what);
        }
    }
    let delimiter = separator.map_or(Some(b','), |found| {
        let text = found.text(reading)?;
        match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Some(*byte),
            _ => {
                found.wrong(reading, "one ASCII character, such as `,` or `;`");
                None
            }
        }
    });
    let columns = table.find("columns").map_or(Some(BTreeMap::new()), |f| f.pairs(reading));
    let constants = table.find("constants").map_or(Some(BTreeMap::new()), |f| f.pairs(reading));
    let setting = table.dotted("query");
    table.finish(reading);
    if let Some(query) = query {
        let query = Query { sql: query.text(reading)?, line: query.file_line() };
        let (columns, constants) = (columns?, constants?);
        return Some(Source {
            files: Vec::new(),
            query: Some(query),
            setting: Some(setting),
            format: None,
            delimiter: b',',
            columns,
            constants,
        });
    }
    let found = files?;
    let texts = found.texts(reading)?;
    let mut formats = texts.iter().map(|t| Format::of(Path::new(t)));
    let first = formats.next().flatten();
    if first.is_none() || !formats.all(|f| f == first) {
        found.wrong(reading, "files that all end in `.csv`, all in `.ndjson` or all in `.parquet`");
        return None;
    }
    let files = texts.iter().map(|t| found.layer.base.join(t)).collect();
    Some(Source {
        files,
        query: None,
        setting: None,
        format: Some(first?),
        delimiter: delimiter?,
        columns: columns?,
        constants: constants?,
    })
}

/// The files of RDAP answers; none where the file has no such table.
fn rdap(reading: &mut Reading<'_>, mut table: Table<'_>) -> Vec<PathBuf> {
    if table.is_absent() {
        return Vec::new();
    }
    let found = table.need(reading, "files", "[\"records/rdap.ndjson\"]");
    table.finish(reading);
    let Some((found, texts)) = found.and_then(|f| f.texts(reading).map(|texts| (f, texts))) else { return Vec::new() };
    if !texts.iter().all(|t| Format::of(Path::new(t)) == Some(Format::NdJson)) {
        found.wrong(reading, "files that all end in `.ndjson`");
    }
    texts.iter().map(|t| found.layer.base.join(t)).collect()
}
