//! The registers: withholding, requests, disclosures, breaches, holds, contracts, recipients, notices, policies, training, verification
//! and the decision on an officer.
//!
//! A register is data: `registers.toml` has its columns, the events of a case and which may follow which, its deadlines, and what is
//! amiss with a case. What happened is a chain of [`Entry`]s that is only ever appended to; a [`Case`] is a pure fold over them. Chained
//! rows hold no personal data: people are random ids, and texts are sealed in cells that can be erased. [`Book`] is one register in a
//! store.

mod book;
mod deadline;
mod draft;
mod entry;
mod fold;
mod holds;
mod schema;
#[cfg(test)]
mod tests;

pub use book::{Block, Book, Recorded, cases_of};
pub use deadline::{Deadline, Limits, Met};
pub use draft::{Draft, Given};
pub use entry::Entry;
pub use fold::{Amiss, Case, Last, fold};
pub use holds::Holds;
pub use schema::{Column, Happening, Kind, Register, Use, register, registers, severity};

use super::import::{Import, read};
use crate::dataset::Source;
use std::path::PathBuf;

/// Columns that every table has.
const ALWAYS: [&str; 3] = ["case", "event", "at"];

/// Reads the events of `files` for `register`.
#[must_use]
pub fn import_register(register: &'static Register, files: &[PathBuf]) -> Import<Draft> {
    let columns = register.header();
    read(&Source::of(files.to_vec()), &columns, &ALWAYS, |values| Draft::read(register, &columns, values))
}
