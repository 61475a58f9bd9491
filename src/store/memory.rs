//! The store in memory: for tests, and for the simulator, which crashes around its commits.

use super::{Batch, Cell, EachCell, Head, Link, Store, StreamName, Table, moved};
use crate::base::Result;
use std::collections::BTreeMap;
use std::ops::Bound;

/// A stream's rows with their hashes.
type Rows = Vec<([u8; 32], Box<[u8]>)>;

/// A cell's table and key.
type Key = (Table, Box<[u8]>);

/// A store which lives as long as the value does. A clone is a copy of what was committed: that is what a crash leaves.
#[derive(Clone, Default)]
pub struct MemoryStore {
    streams: BTreeMap<StreamName, Rows>,
    cells: BTreeMap<Key, Box<[u8]>>,
}

impl Store for MemoryStore {
    fn commit(&mut self, batch: &Batch) -> Result<()> {
        for append in &batch.appends {
            let head = self.head(&append.stream)?;
            if head.rows != append.expected {
                return Err(moved(&append.stream, append.expected, head.rows));
            }
        }
        for append in batch.appends.iter().filter(|append| !append.rows.is_empty()) {
            let mut head = self.head(&append.stream)?;
            let rows = self.streams.entry(append.stream.clone()).or_default();
            for row in &append.rows {
                head = head.after(row);
                rows.push((head.hash, row.clone()));
            }
        }
        for cell in &batch.cells {
            match cell {
                Cell::Put(table, key, value) => _ = self.cells.insert((*table, key.clone()), value.clone()),
                Cell::Delete(table, key) => _ = self.cells.remove(&(*table, key.clone())),
            }
        }
        Ok(())
    }

    fn head(&mut self, stream: &StreamName) -> Result<Head> {
        let rows = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        Ok(rows.last().map_or_else(|| Head::empty(stream), |(hash, _)| Head { rows: rows.len() as u64, hash: *hash }))
    }

    fn rows(&mut self, stream: &StreamName, from: u64, each: &mut dyn FnMut(Link<'_>) -> Result<()>) -> Result<()> {
        let rows = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        for (number, (hash, row)) in (0_u64..).zip(rows).skip(usize::try_from(from).unwrap_or(usize::MAX)) {
            each(Link { number, hash, row })?;
        }
        Ok(())
    }

    fn heads(&mut self, prefix: &str) -> Result<Vec<(StreamName, Head)>> {
        let names: Vec<StreamName> = self.streams.keys().filter(|name| name.as_str().starts_with(prefix)).cloned().collect();
        names.into_iter().map(|name| self.head(&name).map(|head| (name, head))).collect()
    }

    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.cells.get(&(table, key.into())).map(|value| value.to_vec()))
    }

    fn cells(&mut self, table: Table, prefix: &[u8], each: &mut EachCell<'_>) -> Result<()> {
        let from = (Bound::Included((table, prefix.into())), Bound::Unbounded);
        for ((_, key), value) in self.cells.range(from).take_while(|((t, key), _)| *t == table && key.starts_with(prefix)) {
            each(key, value)?;
        }
        Ok(())
    }
}
