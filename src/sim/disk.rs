//! The one disk of a simulated machine, or the database of a real server: what was committed stays, whatever becomes of the process.

use crate::base::Result;
use crate::store::{Batch, EachCell, Head, Link, MemoryStore, Store, StreamName, Table};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Opens a store that is no fake, as each process does that begins: over a line of its own, to what those before it committed.
pub type Opening = Box<dyn FnMut() -> Result<Box<dyn Store>> + Send>;

/// A store that outlives the processes which use it. Clones are the same disk.
#[derive(Clone)]
pub(super) struct Disk(Arc<Mutex<Kept>>);

struct Kept {
    store: Box<dyn Store>,
    /// How a process opens it, where it is no fake.
    open: Option<Opening>,
    /// A row which the disk gives back with one bit turned.
    damaged: Option<(StreamName, u64)>,
}

impl Disk {
    /// An empty one: the store's fake, or what `open` leads to.
    ///
    /// # Errors
    /// As `open`.
    pub(super) fn new(mut open: Option<Opening>) -> Result<Self> {
        let store = open.as_mut().map_or_else(|| Ok(Box::<MemoryStore>::default() as Box<dyn Store>), |open| open())?;
        Ok(Self(Arc::new(Mutex::new(Kept { store, open, damaged: None }))))
    }

    /// Opens it for a process that begins.
    ///
    /// # Errors
    /// As [`Disk::new`].
    pub(super) fn reopen(&self) -> Result<()> {
        let mut kept = self.kept();
        if let Some(open) = &mut kept.open {
            kept.store = open()?;
        }
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on a row comes back otherwise than it was written.
    pub(super) fn damage(&self, stream: StreamName, row: u64) {
        self.kept().damaged = Some((stream, row));
    }

    /// The rows as they were written.
    pub(super) fn repair(&self) {
        self.kept().damaged = None;
    }
}

impl Store for Disk {
    fn commit(&mut self, batch: &Batch) -> Result<()> {
        self.kept().store.commit(batch)
    }

    fn head(&mut self, stream: &StreamName) -> Result<Head> {
        self.kept().store.head(stream)
    }

    fn rows(&mut self, stream: &StreamName, from: u64, each: &mut dyn FnMut(Link<'_>) -> Result<()>) -> Result<()> {
        let mut kept = self.kept();
        let damaged = kept.damaged.clone().filter(|(of, _)| of == stream).map(|(_, row)| row);
        kept.store.rows(stream, from, &mut |link| {
            if damaged != Some(link.number) {
                return each(link);
            }
            let mut row = link.row.to_vec();
            if let Some(byte) = row.last_mut() {
                *byte ^= 1;
            }
            each(Link { row: &row, ..link })
        })
    }

    fn heads(&mut self, prefix: &str) -> Result<Vec<(StreamName, Head)>> {
        self.kept().store.heads(prefix)
    }

    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.kept().store.get(table, key)
    }

    fn cells(&mut self, table: Table, prefix: &[u8], each: &mut EachCell<'_>) -> Result<()> {
        self.kept().store.cells(table, prefix, each)
    }
}
