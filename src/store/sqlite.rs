//! The store of one machine: SQLite, in one file that only this user reads.

use super::{Batch, Cell, EachCell, Head, Link, Store, StreamName, Table, moved};
use crate::base::{Blame, Exit, Problem, Result, create_private_dir};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// `Prvt`: SQLite's mark of whose file it is.
const APPLICATION: i64 = 0x5072_7674;
/// The version of the tables below.
const VERSION: i64 = 1;
/// Where a file's header holds that mark.
const APPLICATION_AT: std::ops::Range<usize> = 68..72;
/// The magic numbers of network file systems, on which SQLite's locks and syncs cannot be trusted: NFS, SMB, CIFS, SMB 2, AFS, Coda, Ceph,
/// Lustre (statfs(2)).
const NETWORK: [i64; 8] = [0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x5346_414F, 0x7375_7245, 0x00C3_6400, 0x0BD0_0BD0];

const TABLES: &str = "
    CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, rows INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
    CREATE TABLE row (
        stream INTEGER NOT NULL REFERENCES stream (id), number INTEGER NOT NULL, hash BLOB NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY (stream, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE cell (tab INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (tab, key)) STRICT, WITHOUT ROWID;
    CREATE TABLE lease (
        run TEXT NOT NULL, worker INTEGER NOT NULL, holder TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (run, worker)
    ) STRICT, WITHOUT ROWID;
";

/// A store in a file. Commits go to disk before they return (`synchronous=FULL`), and what is deleted is overwritten
/// (`secure_delete`). Its log of commits (`-wal`) stays beside it for good: where it is gone, the last commits may be gone with it.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    connection: Connection,
    /// Whether a commit failed: what the disk holds is not known then, and nothing is written any more.
    failed: bool,
    /// Whether something was committed.
    wrote: bool,
}

impl SqliteStore {
    /// Opens the store at `path`, making it where there is none, and checks the file as a whole.
    ///
    /// # Errors
    /// `E-store-002` (exit 33) where SQLite finds the file damaged; `E-store-005` (exit 2) where the file is another program's or
    /// a newer version's; `E-store-007` (exit 2) on a network file system; `E-store-008` (exit 2) where it cannot be written to;
    /// `E-store-009` (exit 33) where its log is gone; `E-store-006` (exit 33) for all else.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        create_private_dir(folder)?;
        if let Ok(facts) = rustix::fs::statfs(folder) {
            check_place(path, facts.f_type)?;
        }
        // SQLite would make the file with the process's umask. One that is there is not opened besides: closing it again would drop the
        // locks that other connections of this process hold on it (fcntl(2)).
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match made {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => check_log(path)?,
            made => drop(made.map_err(|e| Problem::storage("E-store-006", path, "make the store", &e))?),
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let opened = Connection::open_with_flags(path, flags).map_err(|e| failure(path, "open the store", &e))?;
        if opened.is_readonly("main").map_err(|e| failure(path, "open the store", &e))? {
            let what = "the store can be read and not be written to, and nothing is sent that cannot be written down";
            let remedy = "run as the user whose store it is (chown), with mode 0600, on a file system that is mounted for writing";
            return Err(Problem::new("E-store-008", Blame::Operator, what, remedy).file(path));
        }
        let mut store = Self { path: path.to_owned(), connection: opened, failed: false, wrote: false };
        store.settle()?;
        Ok(store)
    }

    fn settle(&mut self) -> Result<()> {
        let (path, connection) = (self.path.clone(), &mut self.connection);
        let number = |connection: &Connection, name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let read = |e: rusqlite::Error| failure(&path, "read the store", &e);
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(read)?;
        let (application, version) =
            (number(connection, "application_id").map_err(read)?, number(connection, "user_version").map_err(read)?);
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(read)?;
        let is_new = tables == 0 && application == 0 && version == 0;
        if !is_new && application != APPLICATION {
            let what = format!("this database is another program's (application_id {application:#x})");
            return Err(Problem::new("E-store-005", Blame::Operator, what, "give another state directory").file(&path));
        }
        if version > VERSION {
            let what = format!("the store has version {version}, and this program knows up to {VERSION}");
            return Err(Problem::new("E-store-005", Blame::Operator, what, "use the newer program that made it").file(&path));
        }
        let write = |e: rusqlite::Error| failure(&path, "set up the store", &e);
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(write)?;
        connection.pragma_update(None, "trusted_schema", false).map_err(write)?;
        connection.pragma_update(None, "cell_size_check", true).map_err(write)?;
        if !is_new {
            let verdict: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(read)?;
            if verdict != "ok" {
                return Err(damaged(&path, verdict.lines().next().unwrap_or_default()));
            }
        }
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).map_err(write)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(write)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(write)?;
        connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(())).map_err(write)?;
        if is_new {
            let transaction = connection.transaction().map_err(write)?;
            transaction.execute_batch(TABLES).map_err(write)?;
            transaction.pragma_update(None, "application_id", APPLICATION).map_err(write)?;
            transaction.pragma_update(None, "user_version", VERSION).map_err(write)?;
            transaction.commit().map_err(write)?;
            // From here on the file itself says that it is a store, and that a log belongs to it.
            return self.scrub();
        }
        Ok(())
    }

    /// Moves everything out of the write-ahead log, so that what was deleted stands nowhere any more.
    ///
    /// # Errors
    /// `E-store-006` (exit 33) where the disk refuses.
    pub fn scrub(&mut self) -> Result<()> {
        let done = self.connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()));
        done.map_err(|e| failure(&self.path, "write out the log", &e))
    }

    /// Lets the file grow to `pages` and no further, as a full disk would.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) {
        self.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    }

    /// `done`, as a commit's result: the first failure is the last commit.
    fn committed<T>(&mut self, done: Result<T, Failure>) -> Result<T> {
        self.wrote = true;
        done.map_err(|failed| match failed {
            Failure::Sqlite(e) => {
                self.failed = true;
                failure(&self.path, "write to the store", &e)
            }
            Failure::Other(problem) => problem,
        })
    }

    fn check_alive(&self) -> Result<()> {
        if !self.failed {
            return Ok(());
        }
        let what = "an earlier write failed, and what the disk holds is not known";
        let remedy = "mend the disk, then run the same command again";
        Err(Problem::new("E-store-006", Blame::Operator, what, remedy).file(&self.path).exit(Exit::Storage))
    }
}

/// Why a transaction did not come to its end.
enum Failure {
    Sqlite(rusqlite::Error),
    Other(Box<Problem>),
}

impl From<rusqlite::Error> for Failure {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sqlite(e)
    }
}

impl Drop for SqliteStore {
    /// Whoever wrote leaves the log empty, as far as nobody else is at it. A store that failed is left as it is.
    fn drop(&mut self) {
        if self.wrote && !self.failed && self.connection.busy_timeout(std::time::Duration::ZERO).is_ok() {
            // What stays in the log is moved out of it another time.
            let _another_time = self.scrub();
        }
    }
}

impl Store for SqliteStore {
    fn commit(&mut self, batch: &Batch) -> Result<()> {
        self.check_alive()?;
        let done = write(&mut self.connection, batch);
        self.committed(done)
    }

    fn head(&mut self, stream: &StreamName) -> Result<Head> {
        let found = stream_of(&self.connection, stream).map_err(|e| failure(&self.path, "read the store", &e))?;
        Ok(found.map_or_else(|| Head::empty(stream), |(_, head)| head))
    }

    fn rows(&mut self, stream: &StreamName, from: u64, each: &mut dyn FnMut(Link<'_>) -> Result<()>) -> Result<()> {
        let read = |e: rusqlite::Error| failure(&self.path, "read the store", &e);
        let Some((id, _)) = stream_of(&self.connection, stream).map_err(read)? else { return Ok(()) };
        let sql = "SELECT number, hash, bytes FROM row WHERE stream = ?1 AND number >= ?2 ORDER BY number";
        let mut statement = self.connection.prepare_cached(sql).map_err(read)?;
        let mut rows = statement.query(params![id, number(from)]).map_err(read)?;
        while let Some(row) = rows.next().map_err(read)? {
            let link = Link {
                number: row.get::<_, i64>(0).map_err(read)?.unsigned_abs(),
                hash: blob(row, 1).map_err(read)?,
                row: blob(row, 2).map_err(read)?,
            };
            each(link)?;
        }
        Ok(())
    }

    fn heads(&mut self, prefix: &str) -> Result<Vec<(StreamName, Head)>> {
        let read = |e: rusqlite::Error| failure(&self.path, "read the store", &e);
        let mut statement = self.connection.prepare_cached("SELECT name, rows, hash FROM stream ORDER BY name").map_err(read)?;
        let all = statement
            .query_map([], |row| {
                let head = Head { rows: row.get::<_, i64>(1)?.unsigned_abs(), hash: row.get(2)? };
                Ok((row.get::<_, String>(0)?, head))
            })
            .map_err(read)?;
        let mut out = Vec::new();
        for one in all {
            let (name, head) = one.map_err(read)?;
            if name.starts_with(prefix) {
                out.push((StreamName::new(&name)?, head));
            }
        }
        Ok(out)
    }

    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let read = |e: rusqlite::Error| failure(&self.path, "read the store", &e);
        let mut statement = self.connection.prepare_cached("SELECT value FROM cell WHERE tab = ?1 AND key = ?2").map_err(read)?;
        statement.query_row(params![table.number(), key], |row| row.get(0)).optional().map_err(read)
    }

    fn cells(&mut self, table: Table, prefix: &[u8], each: &mut EachCell<'_>) -> Result<()> {
        let read = |e: rusqlite::Error| failure(&self.path, "read the store", &e);
        let sql = "SELECT key, value FROM cell WHERE tab = ?1 AND key >= ?2 ORDER BY key";
        let mut statement = self.connection.prepare_cached(sql).map_err(read)?;
        let mut rows = statement.query(params![table.number(), prefix]).map_err(read)?;
        while let Some(row) = rows.next().map_err(read)? {
            let (key, value) = (blob(row, 0).map_err(read)?, blob(row, 1).map_err(read)?);
            if !key.starts_with(prefix) {
                break;
            }
            each(key, value)?;
        }
        Ok(())
    }
}

/// Keeps a batch in one transaction.
fn write(connection: &mut Connection, batch: &Batch) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for append in &batch.appends {
        let known = stream_of(&transaction, &append.stream)?;
        let mut head = known.map_or_else(|| Head::empty(&append.stream), |(_, head)| head);
        if head.rows != append.expected {
            return Err(Failure::Other(moved(&append.stream, append.expected, head.rows)));
        }
        if append.rows.is_empty() {
            continue;
        }
        let id = match known {
            Some((id, _)) => id,
            None => {
                let sql = "INSERT INTO stream (name, rows, hash) VALUES (?1, 0, ?2)";
                transaction.prepare_cached(sql)?.execute(params![append.stream.as_str(), head.hash])?;
                transaction.last_insert_rowid()
            }
        };
        let mut insert = transaction.prepare_cached("INSERT INTO row VALUES (?1, ?2, ?3, ?4)")?;
        for row in &append.rows {
            let next = head.after(row);
            insert.execute(params![id, number(head.rows), next.hash, row])?;
            head = next;
        }
        let sql = "UPDATE stream SET rows = ?2, hash = ?3 WHERE id = ?1";
        transaction.prepare_cached(sql)?.execute(params![id, number(head.rows), head.hash])?;
    }
    for cell in &batch.cells {
        match cell {
            Cell::Put(table, key, value) => {
                let sql = "INSERT INTO cell VALUES (?1, ?2, ?3) ON CONFLICT (tab, key) DO UPDATE SET value = ?3";
                transaction.prepare_cached(sql)?.execute(params![table.number(), key, value])?;
            }
            Cell::Delete(table, key) => {
                transaction.prepare_cached("DELETE FROM cell WHERE tab = ?1 AND key = ?2")?.execute(params![table.number(), key])?;
            }
        }
    }
    Ok(transaction.commit()?)
}

/// A stream's number in the file and its head.
fn stream_of(connection: &Connection, stream: &StreamName) -> rusqlite::Result<Option<(i64, Head)>> {
    let mut statement = connection.prepare_cached("SELECT id, rows, hash FROM stream WHERE name = ?1")?;
    let head = |row: &Row<'_>| Ok((row.get(0)?, Head { rows: row.get::<_, i64>(1)?.unsigned_abs(), hash: row.get(2)? }));
    statement.query_row([stream.as_str()], head).optional()
}

fn blob<'a>(row: &'a Row<'_>, at: usize) -> rusqlite::Result<&'a [u8]> {
    Ok(row.get_ref(at)?.as_blob()?)
}

/// SQLite's integers have a sign. No stream gets that long.
fn number(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Refuses a place on a file system of that kind, where it is a network's.
pub(super) fn check_place(path: &Path, kind: i64) -> Result<()> {
    if !NETWORK.contains(&kind) {
        return Ok(());
    }
    let what = "the store would stand on a network file system, where neither its locks nor its syncs hold";
    Err(Problem::new("E-store-007", Blame::Operator, what, "give a state directory on a local disk").file(path))
}

/// Refuses a store that was opened before and has no log beside it. This has to be seen before SQLite makes a new one.
fn check_log(path: &Path) -> Result<()> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists() {
        return Ok(());
    }
    // Without a log no connection is open, so that closing the file drops nobody's locks.
    let mut header = [0; APPLICATION_AT.end];
    match std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header)) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(()),
        read => read.map_err(|e| Problem::storage("E-store-006", path, "read the store", &e))?,
    }
    let mark = header.get(APPLICATION_AT).and_then(|mark| mark.try_into().ok()).map(u32::from_be_bytes);
    if mark.map(i64::from) != Some(APPLICATION) {
        return Ok(());
    }
    let what = "the log beside the store is gone, and the last commits may be gone with it";
    let remedy = "put the -wal file back, or restore both from a backup (with a copy that was made whole, an empty file of that name will do), \
                  then run `privet reconcile`; nothing was deleted";
    Err(Problem::new("E-store-009", Blame::Operator, what, remedy).file(path).exit(Exit::Storage))
}

fn failure(path: &Path, doing: &str, error: &rusqlite::Error) -> Box<Problem> {
    use rusqlite::ErrorCode as Code;
    if matches!(error.sqlite_error_code(), Some(Code::DatabaseCorrupt | Code::NotADatabase)) {
        return damaged(path, &error.to_string());
    }
    let what = format!("cannot {doing}: {error}");
    let remedy = "check free space, the file's owner and mode, and the disk; then run the same command again";
    Problem::new("E-store-006", Blame::Operator, what, remedy).file(path).exit(Exit::Storage)
}

fn damaged(path: &Path, verdict: &str) -> Box<Problem> {
    let what = format!("the store is damaged: {verdict}");
    let remedy = "restore it from a backup, then run `privet reconcile`; nothing was deleted";
    Problem::new("E-store-002", Blame::Operator, what, remedy).file(path).exit(Exit::Storage)
}
