//! A store that moves into another: every chain row by row, and every cell but the one that ties a file to its machine.

use super::{Append, Batch, Cell, Head, Store, StreamName, Table, read};
use crate::base::{Blame, Exit, Problem, Result};

/// How many rows or cells one commit brings.
const CHUNK: usize = 1_000;

/// What was brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Copied {
    /// Chains.
    pub streams: u64,
    /// Their rows.
    pub rows: u64,
    /// Cells.
    pub cells: u64,
}

/// Brings everything of `from` into `to`, which has nothing but what an earlier call brought: one that was cut short goes on. Each chain is
/// held against its hashes on the way, and its head in `to` against the one in `from`. What was erased in `from` since is erased in `to`.
///
/// # Errors
/// `E-store-003` (exit 33) where a chain is broken; `E-store-013` (exit 2) where `to` has something of its own, before anything is written
/// to that chain; `E-store-006`.
pub fn copy(from: &mut dyn Store, to: &mut dyn Store) -> Result<Copied> {
    let mut copied = Copied::default();
    let streams: Vec<StreamName> = from.heads("")?.into_iter().map(|(stream, _)| stream).collect();
    if let Some((other, _)) = to.heads("")?.into_iter().find(|(stream, _)| !streams.contains(stream)) {
        return Err(another(&other));
    }
    for stream in streams {
        copied.rows += chain(from, to, &stream)?;
        copied.streams += 1;
    }
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Host) {
        copied.cells += cells(from, to, table)?;
    }
    Ok(copied)
}

/// Brings the rows of a stream that are not there yet; how many it has.
fn chain(from: &mut dyn Store, to: &mut dyn Store, stream: &StreamName) -> Result<u64> {
    let known = to.head(stream)?;
    let (mut at, mut waiting) = (Head::empty(stream), Vec::new());
    let mut brought = known.rows;
    if from.head(stream)?.rows < known.rows {
        return Err(another(stream));
    }
    let mut put = |to: &mut dyn Store, rows: Vec<Box<[u8]>>| {
        let expected = brought;
        brought += rows.len() as u64;
        let append = Append { stream: stream.clone(), expected, rows };
        to.commit(&Batch { appends: vec![append], cells: Vec::new() })
    };
    let head = read(from, stream, |number, row| {
        if number == known.rows && at != known {
            return Err(another(stream));
        }
        at = at.after(row);
        if number >= known.rows {
            waiting.push(row.into());
        }
        if waiting.len() == CHUNK { put(to, std::mem::take(&mut waiting)) } else { Ok(()) }
    })?;
    if !waiting.is_empty() {
        put(to, waiting)?;
    }
    if to.head(stream)? == head { Ok(head.rows) } else { Err(another(stream)) }
}

/// Brings the cells of a table, and deletes those that are there and not in `from`; how many it has.
fn cells(from: &mut dyn Store, to: &mut dyn Store, table: Table) -> Result<u64> {
    let (mut count, mut waiting) = (0, Vec::new());
    let put = |to: &mut dyn Store, cells: Vec<Cell>| to.commit(&Batch { appends: Vec::new(), cells });
    from.cells(table, &[], &mut |key, value| {
        count += 1;
        waiting.push(Cell::Put(table, key.into(), value.into()));
        if waiting.len() == CHUNK { put(to, std::mem::take(&mut waiting)) } else { Ok(()) }
    })?;
    put(to, std::mem::take(&mut waiting))?;
    to.cells(table, &[], &mut |key, _| {
        if from.get(table, key)?.is_none() {
            waiting.push(Cell::Delete(table, key.into()));
        }
        Ok(())
    })?;
    put(to, waiting)?;
    Ok(count)
}

/// That a store has something of its own.
fn another(stream: &StreamName) -> Box<Problem> {
    let what = format!("the chain {stream} there is not the one of this store");
    let remedy = "give a database that no other store was moved into";
    Problem::new("E-store-013", Blame::Operator, what, remedy).exit(Exit::Usage)
}
