//! The store that machines share: a `PostgreSQL` database, in a schema of its own.
//!
//! A call goes to the server and comes back before it returns. A commit whose answer never came may stand there or not: the store has
//! failed then, as one whose disk failed, and whoever opens it anew reads what stands.

mod lease;
mod line;
mod lots;
mod schema;
#[cfg(test)]
mod tests;
mod write;

pub use line::{PostgresPlace, ServerTls};
pub use lots::PostgresLots;

use self::line::{Line, failure};
use super::{Batch, Claim, EachCell, Head, Link, Store, StreamName, Table};
use crate::base::{Blame, Exit, Problem, Result};
use tokio_postgres::Client;

/// How many rows or cells one answer brings: a few thousand bytes each at most, but for sealed frames.
const PAGE: i64 = 500;

/// A store in a database. Commits are on the server's disk before they return.
pub struct PostgresStore {
    line: Line,
    client: Client,
    /// Whether a call failed: what the server holds is not known then, and nothing is written any more.
    failed: bool,
    /// The claim under which alone anything is written.
    fence: Option<Claim>,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresStore({})", self.line.shown())
    }
}

impl PostgresStore {
    /// Opens the store at `place`, making it where there is none, and brings its tables to this program's version.
    ///
    /// # Errors
    /// `E-store-011` (exit 33) where the server cannot be reached or refuses the login; `E-store-012` (exit 2) where the place cannot be
    /// used; `E-store-005` (exit 2) where the schema is another program's or a newer version's; `E-store-008` (exit 2) where the server
    /// would not write to its disk; `E-store-006` (exit 33) for all else.
    pub fn open(place: &PostgresPlace) -> Result<Self> {
        let line = Line::new(place)?;
        let mut client = line.connect()?;
        line.run(schema::settle(&mut client, line.shown()))??;
        Ok(Self { line, client, failed: false, fence: None })
    }

    fn check_alive(&self) -> Result<()> {
        if !self.failed {
            return Ok(());
        }
        let what = "an earlier call failed, and what the server holds is not known";
        let remedy = "see to the database, then run the same command again";
        Err(Problem::new("E-store-006", Blame::Operator, what, remedy).object(self.line.shown()).exit(Exit::Storage))
    }

    /// `done`, as the result of a call: the first failure is the last call.
    fn done<T>(&mut self, done: Result<Result<T, tokio_postgres::Error>>, doing: &str) -> Result<T> {
        let shown = self.line.shown();
        let done = done.and_then(|done| done.map_err(|e| failure(shown, doing, &e)));
        self.failed |= done.is_err();
        done
    }
}

impl Store for PostgresStore {
    fn commit(&mut self, batch: &Batch) -> Result<()> {
        self.check_alive()?;
        let done = self.line.run(write::batch(&mut self.client, batch, self.fence.as_ref()));
        self.done(done, "write to the store")?
    }

    fn head(&mut self, stream: &StreamName) -> Result<Head> {
        self.check_alive()?;
        let sql = "SELECT rows, hash FROM privet.stream WHERE name = $1";
        let done = self.line.run(self.client.query_opt(sql, &[&stream.as_str()]));
        let found = self.done(done, "read the store")?;
        found.map_or_else(|| Ok(Head::empty(stream)), |row| self.head_of(&row, 0))
    }

    fn rows(&mut self, stream: &StreamName, from: u64, each: &mut dyn FnMut(Link<'_>) -> Result<()>) -> Result<()> {
        self.check_alive()?;
        let sql = "SELECT row.number, row.hash, row.bytes FROM privet.row JOIN privet.stream ON stream.id = row.stream
            WHERE stream.name = $1 AND row.number >= $2 ORDER BY row.number LIMIT $3";
        let mut next = write::number(from);
        loop {
            let done = self.line.run(self.client.query(sql, &[&stream.as_str(), &next, &PAGE]));
            let page = self.done(done, "read the store")?;
            for row in &page {
                let (number, hash, bytes): (i64, &[u8], &[u8]) =
                    self.of(row, |row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))?;
                each(Link { number: number.unsigned_abs(), hash, row: bytes })?;
                next = number.saturating_add(1);
            }
            if page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    fn heads(&mut self, prefix: &str) -> Result<Vec<(StreamName, Head)>> {
        self.check_alive()?;
        let sql = "SELECT name, rows, hash FROM privet.stream WHERE starts_with(name, $1) ORDER BY name";
        let done = self.line.run(self.client.query(sql, &[&prefix]));
        let found = self.done(done, "read the store")?;
        found.iter().map(|row| Ok((StreamName::new(self.of(row, |row| row.try_get(0))?)?, self.head_of(row, 1)?))).collect()
    }

    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.check_alive()?;
        let sql = "SELECT value FROM privet.cell WHERE tab = $1 AND key = $2";
        let done = self.line.run(self.client.query_opt(sql, &[&i16::from(table.number()), &key]));
        let found = self.done(done, "read the store")?;
        found.map(|row| self.of(&row, |row| row.try_get(0))).transpose()
    }

    fn cells(&mut self, table: Table, prefix: &[u8], each: &mut EachCell<'_>) -> Result<()> {
        self.check_alive()?;
        let sql = "SELECT key, value FROM privet.cell WHERE tab = $1 AND key >= $2 AND (key > $2 OR $3) ORDER BY key LIMIT $4";
        let (mut from, mut is_first) = (prefix.to_vec(), true);
        loop {
            let done = self.line.run(self.client.query(sql, &[&i16::from(table.number()), &from, &is_first, &PAGE]));
            let page = self.done(done, "read the store")?;
            for row in &page {
                let (key, value): (&[u8], &[u8]) = self.of(row, |row| Ok((row.try_get(0)?, row.try_get(1)?)))?;
                if !key.starts_with(prefix) {
                    return Ok(());
                }
                each(key, value)?;
                from = key.to_vec();
            }
            is_first = false;
            if page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }
}

impl PostgresStore {
    fn head_of(&self, row: &tokio_postgres::Row, at: usize) -> Result<Head> {
        let (rows, hash): (i64, &[u8]) = self.of(row, |row| Ok((row.try_get(at)?, row.try_get(at + 1)?)))?;
        write::head(rows, hash).ok_or_else(|| {
            let what = "the store is damaged: a stream's hash is none";
            let remedy = "restore it from a backup, then run `privet reconcile`; nothing was deleted";
            Problem::new("E-store-002", Blame::Operator, what, remedy).object(self.line.shown()).exit(Exit::Storage)
        })
    }

    /// What stands in a row.
    fn of<'r, T>(
        &self,
        row: &'r tokio_postgres::Row,
        get: impl FnOnce(&'r tokio_postgres::Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T> {
        get(row).map_err(|e| failure(self.line.shown(), "read the store", &e))
    }
}
