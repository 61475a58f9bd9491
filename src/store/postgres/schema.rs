//! The tables, and how older ones become them.

use super::line::failure;
use crate::base::{Blame, Problem, Result};
use tokio_postgres::Client;

/// What has to be done for each version, in order; never changed, only added to.
const MIGRATIONS: [&str; 2] = ["
    CREATE TABLE privet.stream (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE \"C\" NOT NULL UNIQUE, rows bigint NOT NULL, hash bytea NOT NULL
    );
    CREATE TABLE privet.row (
        stream bigint NOT NULL REFERENCES privet.stream (id), number bigint NOT NULL, hash bytea NOT NULL, bytes bytea NOT NULL,
        PRIMARY KEY (stream, number)
    );
    CREATE TABLE privet.cell (tab smallint NOT NULL, key bytea NOT NULL, value bytea NOT NULL, PRIMARY KEY (tab, key));
    CREATE TABLE privet.lease (
        run text NOT NULL, worker bigint NOT NULL, holder text NOT NULL, until bigint NOT NULL, PRIMARY KEY (run, worker)
    );
", "
    DROP TABLE privet.lease;
    CREATE TABLE privet.lease (run text NOT NULL, worker bigint NOT NULL, holder text, until timestamptz, PRIMARY KEY (run, worker));
    CREATE TABLE privet.lot (
        run text NOT NULL, part text NOT NULL, first bigint NOT NULL, last bigint NOT NULL, wave bigint NOT NULL,
        turn bigint NOT NULL DEFAULT 0, holder text, done boolean NOT NULL DEFAULT false,
        verified bigint NOT NULL DEFAULT 0, other bigint NOT NULL DEFAULT 0, PRIMARY KEY (run, part, first)
    );
    CREATE INDEX lot_open ON privet.lot (run, part, wave, first) WHERE NOT done;
"];
/// `Prvt`: whoever sets the tables up holds this lock of the server's meanwhile.
const LOCK: i64 = 0x5072_7674;
/// What is set for the session: a commit is on disk when it returns, nobody waits for ever, and a line that waits for a registry for hours
/// is not cut for that (where the server is new enough to do so).
const SESSION: &str = "
    SET synchronous_commit = on; SET lock_timeout = '10s'; SET statement_timeout = '5min';
    SET idle_in_transaction_session_timeout = '1min'; SET client_min_messages = error;
    SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name = 'idle_session_timeout'
";

/// Sets the session up, and the tables where they are not there or are older.
///
/// # Errors
/// As [`super::PostgresStore::open`].
pub(super) async fn settle(client: &mut Client, shown: &str) -> Result<()> {
    let failed = |e: tokio_postgres::Error| failure(shown, "set up the store", &e);
    let operator = |id, what: String, remedy: &str| Problem::new(id, Blame::Operator, what, remedy).object(shown);
    client.batch_execute(SESSION).await.map_err(failed)?;
    for (name, wanted) in [("fsync", "on"), ("full_page_writes", "on"), ("transaction_read_only", "off")] {
        let found: String = client.query_one(&format!("SHOW {name}"), &[]).await.and_then(|row| row.try_get(0)).map_err(failed)?;
        if found != wanted {
            let what = format!("the server has `{name} = {found}`: what it says is written may be lost, or cannot be written");
            let remedy = "use a primary server that writes to its disk; nothing is sent that cannot be written down";
            return Err(operator("E-store-008", what, remedy));
        }
    }
    let transaction = client.transaction().await.map_err(failed)?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await.map_err(failed)?;
    let there: bool = transaction
        .query_one("SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'privet')", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed)?;
    let ours: bool = transaction
        .query_one("SELECT to_regclass('privet.version') IS NOT NULL", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed)?;
    if there && !ours {
        let tables: i64 = transaction
            .query_one("SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'privet'", &[])
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed)?;
        if tables > 0 {
            let what = "the database has a schema `privet` that is another program's".to_owned();
            return Err(operator("E-store-005", what, "give another database"));
        }
    }
    // A schema that an administrator made for us is taken: ours may be a user who can make none.
    let begin = if there { "" } else { "CREATE SCHEMA privet;" };
    if !ours {
        let tables = format!("{begin} CREATE TABLE privet.version (version bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())");
        transaction.batch_execute(&tables).await.map_err(failed)?;
    }
    let version: i64 = transaction
        .query_one("SELECT coalesce(max(version), 0)::bigint FROM privet.version", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version > known {
        let what = format!("the store has version {version}, and this program knows up to {known}");
        return Err(operator("E-store-005", what, "use the newer program that made it"));
    }
    for (number, migration) in (1_i64..).zip(MIGRATIONS).skip(usize::try_from(version).unwrap_or_default()) {
        transaction.batch_execute(migration).await.map_err(failed)?;
        transaction.execute("INSERT INTO privet.version (version) VALUES ($1)", &[&number]).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}
