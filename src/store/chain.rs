//! Hash chains: `h = SHA-256(0x00 ‖ previous ‖ length ‖ row)`, from a first link that follows from the stream's name.

use super::{Store, StreamName};
use crate::base::{Blame, Exit, Problem, Result, hex};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The end of a chain. Whoever has it can tell whether a row was ever changed, moved or cut off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many rows there are.
    pub rows: u64,
    /// The hash of the last one.
    pub hash: [u8; 32],
}

impl Head {
    /// The head of a stream without rows. Its hash is of the name, so that no row can move into another stream.
    #[must_use]
    pub fn empty(stream: &StreamName) -> Self {
        Self { rows: 0, hash: Sha256::new().chain_update([2]).chain_update(stream.as_str()).finalize().into() }
    }

    /// The head after one more row.
    #[must_use]
    pub fn after(&self, row: &[u8]) -> Self {
        let length = (row.len() as u64).to_be_bytes();
        let hash = Sha256::new().chain_update([0]).chain_update(self.hash).chain_update(length).chain_update(row).finalize();
        Self { rows: self.rows + 1, hash: hash.into() }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.rows, hex(&self.hash))
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A row as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// Its number, from 0.
    pub number: u64,
    /// The hash that was stored with it.
    pub hash: &'a [u8],
    /// Its bytes.
    pub row: &'a [u8],
}

/// Reads a stream from its first row on, holding each against its hash, and the last against the head; gives the head. Another writer
/// may append meanwhile.
///
/// # Errors
/// `E-store-003` (exit 33) where the chain is broken, with the row and both hashes; what `each` returns; `E-store-006`.
pub fn read(store: &mut dyn Store, stream: &StreamName, mut each: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<Head> {
    let mut head = Head::empty(stream);
    loop {
        let kept = store.head(stream)?;
        if head == kept {
            return Ok(head);
        }
        head = read_between(store, stream, head, kept, &mut each)?;
    }
}

/// Reads a stream's rows behind `from` up to `end`, both heads that it had, holding each row against its hash, and the last against `end`;
/// gives `end`. Rows behind it are left alone.
///
/// # Errors
/// As [`read`].
pub fn read_between(
    store: &mut dyn Store,
    stream: &StreamName,
    from: Head,
    end: Head,
    mut each: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<Head> {
    let mut head = from;
    if from.rows < end.rows {
        store.rows(stream, from.rows, &mut |link| {
            if head.rows == end.rows {
                return Ok(());
            }
            let next = head.after(link.row);
            if link.number != head.rows || link.hash != next.hash {
                return Err(broken(stream, head.rows, link.hash, &next.hash));
            }
            each(head.rows, link.row)?;
            head = next;
            Ok(())
        })?;
    }
    // Rows are missing, or there are others than the head knows of.
    if head == end { Ok(head) } else { Err(broken(stream, head.rows, &end.hash, &head.hash)) }
}

fn broken(stream: &StreamName, row: u64, stored: &[u8], computed: &[u8]) -> Box<Problem> {
    let what = format!("the chain of {stream} breaks at row {row}: stored {}, computed {}", hex(stored), hex(computed));
    let remedy = "restore the store from a backup, then run `privet reconcile`; nothing was deleted";
    Problem::new("E-store-003", Blame::Operator, what, remedy).exit(Exit::Storage)
}

/// The row that binds the heads of all streams under `prefix`: what closes a run.
///
/// # Errors
/// `E-store-006` where storage fails.
pub fn bind(store: &mut dyn Store, prefix: &str) -> Result<Box<[u8]>> {
    let mut text = String::new();
    for (stream, head) in store.heads(prefix)? {
        text.push_str(&format!("{stream} {head}\n"));
    }
    Ok(text.into_bytes().into_boxed_slice())
}
