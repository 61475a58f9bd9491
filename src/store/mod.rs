//! The store: streams that are only ever appended to, and cells that can be erased. It knows no plans.
//!
//! A **stream** is a chain of rows: each row's hash covers the one before it, so that a row that was changed, moved or cut out shows
//! ([`read`]). Rows hold no personal data and no map to any: they name objects and subjects by random references. A **cell** is the
//! other kind of record: keys, sealed values, and the maps from references to objects. Cells are deleted for good, and no chain
//! changes by that. A [`Batch`] of rows and cells is kept as a whole, and durable when [`Store::commit`] returns.
//!
//! [`SqliteStore`] is the store of one machine, [`PostgresStore`] that of several; [`MemoryStore`] is what tests and the simulator use. One suite holds both.

mod chain;
mod copy;
mod host;
mod lease;
mod memory;
mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;
mod vault;

pub use chain::{Head, Link, bind, read, read_between};
pub use copy::{Copied, copy};
pub use host::{hold, rehome};
pub use lease::{Claim, Claimed, Lot, Lots, Taken, WaveEnds};
pub use memory::MemoryStore;
pub use postgres::{PostgresLots, PostgresPlace, PostgresStore, ServerTls};
pub use sqlite::SqliteStore;
pub use vault::{Vault, sealed_cell};

use crate::base::{Blame, Exit, Problem, Result};
use std::fmt;

/// The name of a stream: 1 to 160 of `a-z`, `A-Z`, `0-9`, `.`, `_`, `-` and `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Box<str>);

impl StreamName {
    /// A stream's name.
    ///
    /// # Errors
    /// `E-store-001` where the name is none.
    pub fn new(name: &str) -> Result<Self> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
        if name.is_empty() || name.len() > 160 || !name.bytes().all(fits) {
            return Err(Problem::new("E-store-001", Blame::Us, "a stream has no such name", "please report this"));
        }
        Ok(Self(name.into()))
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a cell is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Random reference → the object it stands for.
    Objects,
    /// Object → its random reference.
    References,
    /// Random reference → the object's key.
    Keys,
    /// Sealed values and before-images.
    Sealed,
    /// Look-up key of a fingerprint → its subject.
    Subjects,
    /// Subject → its salt.
    Salts,
    /// The machine that the store belongs to.
    Host,
    /// Whom a row is about, and the commitment to it → the commitment's salt.
    RowSalts,
}

impl Table {
    /// Every one.
    const ALL: [Self; 8] =
        [Self::Objects, Self::References, Self::Keys, Self::Sealed, Self::Subjects, Self::Salts, Self::Host, Self::RowSalts];

    /// The number it has in a file; never given to another.
    const fn number(self) -> u8 {
        match self {
            Self::Objects => 1,
            Self::References => 2,
            Self::Keys => 3,
            Self::Sealed => 4,
            Self::Subjects => 5,
            Self::Salts => 6,
            Self::Host => 7,
            Self::RowSalts => 8,
        }
    }
}

/// Rows for the end of a stream.
#[derive(Clone, Debug)]
pub struct Append {
    /// Which stream; it begins with its first row.
    pub stream: StreamName,
    /// How many rows it has, as the writer knows it: somebody else's row in between is an error, not a place to go on from.
    pub expected: u64,
    /// The rows, in order, of any bytes.
    pub rows: Vec<Box<[u8]>>,
}

/// A change of a cell.
#[derive(Clone)]
pub enum Cell {
    /// Puts a value there, in place of any other.
    Put(Table, Box<[u8]>, Box<[u8]>),
    /// Deletes the cell, for good.
    Delete(Table, Box<[u8]>),
}

// Values are keys, salts and sealed data.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put(table, ..) => write!(f, "Put({table:?}, …)"),
            Self::Delete(table, _) => write!(f, "Delete({table:?}, …)"),
        }
    }
}

/// Rows and cells that are kept together, or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Rows; a stream stands here once.
    pub appends: Vec<Append>,
    /// Cells, changed in this order.
    pub cells: Vec<Cell>,
}

impl Batch {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.appends.iter().all(|append| append.rows.is_empty()) && self.cells.is_empty()
    }
}

/// Takes cells: the key and the value of each.
pub type EachCell<'a> = dyn FnMut(&[u8], &[u8]) -> Result<()> + 'a;

/// Streams and cells. Every call blocks until it is done; a store that failed once stays failed.
pub trait Store: Send {
    /// Keeps the batch as a whole. It is durable on return.
    ///
    /// # Errors
    /// `E-store-004` where a stream has another length than was expected; `E-store-006` where storage fails, upon which nothing may be
    /// sent to any registry any more.
    fn commit(&mut self, batch: &Batch) -> Result<()>;

    /// How many rows a stream has, and the hash of the last one. A stream without rows is one as well.
    ///
    /// # Errors
    /// `E-store-006` where storage fails.
    fn head(&mut self, stream: &StreamName) -> Result<Head>;

    /// Hands over the rows of a stream from number `from` on, in order, as they are stored: [`read`] checks them too.
    ///
    /// # Errors
    /// `E-store-006` where storage fails, and what `each` returns.
    fn rows(&mut self, stream: &StreamName, from: u64, each: &mut dyn FnMut(Link<'_>) -> Result<()>) -> Result<()>;

    /// The streams whose names begin with `prefix`, in the order of their names, each with its head: all of them at one moment, whoever
    /// else writes.
    ///
    /// # Errors
    /// `E-store-006` where storage fails.
    fn heads(&mut self, prefix: &str) -> Result<Vec<(StreamName, Head)>>;

    /// The value of a cell.
    ///
    /// # Errors
    /// `E-store-006` where storage fails.
    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Hands over the cells of a table whose keys begin with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// `E-store-006` where storage fails, and what `each` returns.
    fn cells(&mut self, table: Table, prefix: &[u8], each: &mut EachCell<'_>) -> Result<()>;
}

impl<S: Store + ?Sized> Store for Box<S> {
    fn commit(&mut self, batch: &Batch) -> Result<()> {
        (**self).commit(batch)
    }

    fn head(&mut self, stream: &StreamName) -> Result<Head> {
        (**self).head(stream)
    }

    fn rows(&mut self, stream: &StreamName, from: u64, each: &mut dyn FnMut(Link<'_>) -> Result<()>) -> Result<()> {
        (**self).rows(stream, from, each)
    }

    fn heads(&mut self, prefix: &str) -> Result<Vec<(StreamName, Head)>> {
        (**self).heads(prefix)
    }

    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        (**self).get(table, key)
    }

    fn cells(&mut self, table: Table, prefix: &[u8], each: &mut EachCell<'_>) -> Result<()> {
        (**self).cells(table, prefix, each)
    }
}

/// A stream that has another length than its writer knows.
fn moved(stream: &StreamName, expected: u64, found: u64) -> Box<Problem> {
    let what = format!("stream {stream} has {found} rows where its writer knows of {expected}: somebody else writes to it");
    let remedy = "stop every other process on this store, then run the same command again";
    Problem::new("E-store-004", Blame::Operator, what, remedy).exit(Exit::Storage)
}
