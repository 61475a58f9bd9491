//! The machine that a store belongs to. A copy on another machine would change registries without knowing what the first one did.

use super::{Batch, Cell, Store, Table};
use crate::base::{Blame, Digest, Problem, Result};

/// The cell that says which.
const KEY: &[u8] = b"host";

/// Holds a store to the machine that `host` is a digest of. A store that belongs to none belongs to it from then on.
///
/// # Errors
/// `E-store-010` (exit 2) where it belongs to another; `E-store-006`.
pub fn hold(store: &mut dyn Store, host: &Digest) -> Result<()> {
    match store.get(Table::Host, KEY)? {
        None => rehome(store, host),
        Some(known) if known == host.to_string().as_bytes() => Ok(()),
        Some(_) => {
            let what = "the store belongs to another machine: it was copied from there, or moved";
            let remedy = "two copies would change the registries without knowing of each other: where the other one is out of use for good, \
                          run `privet store move`, then `privet reconcile` what was under way; otherwise give this machine a state directory of its own";
            Err(Problem::new("E-store-010", Blame::Operator, what, remedy))
        }
    }
}

/// Makes a store belong to the machine that `host` is a digest of.
///
/// # Errors
/// `E-store-006` where storage fails.
pub fn rehome(store: &mut dyn Store, host: &Digest) -> Result<()> {
    let cell = Cell::Put(Table::Host, KEY.into(), host.to_string().into_bytes().into());
    store.commit(&Batch { appends: Vec::new(), cells: vec![cell] })
}
