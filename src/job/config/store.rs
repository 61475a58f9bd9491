//! The table `[store]`, the database that is the store; and what tables that name a database have in common.

use super::Environment;
use super::registry::secret;
use super::table::{Reading, Table};
use super::types::{Database, SharedStore};
use crate::database::PostgresPlace;
use std::time::Duration;

/// The most workers that share a run.
const MOST_WORKERS: u32 = 64;
/// Seconds for which a worker that is not heard of keeps what it has in hand, where nobody says otherwise: some missed renewals, and the
/// restart of a database.
const LEASE: u32 = 30;

/// The database; the outer nothing where it cannot be used, the inner one where none is named.
#[expect(clippy::option_option, reason = "that a table is wrong is not that it is absent")]
pub(super) fn store(reading: &mut Reading<'_>, mut table: Table<'_>, environment: Environment<'_>) -> Option<Option<SharedStore>> {
    if table.is_absent() {
        return Some(None);
    }
    let database = database(reading, &mut table, "postgres", environment);
    let workers = table.find("workers").map_or(Some(1), |found| found.number(reading, 1..=MOST_WORKERS));
    let seconds = table.find("lease_seconds").map_or(Some(LEASE), |found| found.number(reading, 2..=600));
    table.finish(reading);
    Some(Some(SharedStore { database: database?, workers: workers?, lease: Duration::from_secs(u64::from(seconds?)) }))
}

/// The database whose address stands under `key`, with its password and its authority; nothing where it cannot be used.
pub(super) fn database(
    reading: &mut Reading<'_>,
    table: &mut Table<'_>,
    key: &'static str,
    environment: Environment<'_>,
) -> Option<Database> {
    let found = table.need(reading, key, "\"postgresql://privet@db.example/privet\"");
    let has_password = table.find("password").is_some();
    let password = if has_password { Some(secret(reading, table, "password", environment)) } else { None };
    let ca = table.find("ca").map(|found| found.path(reading));
    let found = found?;
    let address = found.text(reading)?;
    // The certificates themselves are read where the line is opened.
    if let Err(what) = PostgresPlace::new(&address, None, ca.is_some().then(Vec::new)) {
        let remedy =
            "write it as in `postgresql://privet@db.example/privet`; a socket of this machine's as in `…@%2Frun%2Fpostgresql/privet`";
        reading.fault("E-config-003", &found.name, found.file_line(), format!("this cannot be used here: {what}"), remedy);
        return None;
    }
    let (password, ca) = (password.map_or(Some(None), |read| read.map(Some))?, ca.map_or(Some(None), |read| read.map(Some))?);
    Some(Database { address, password, ca })
}
