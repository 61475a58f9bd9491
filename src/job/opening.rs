//! The store of a state directory, on the machine that it belongs to; `store move` says that it belongs to this one now.

use super::Ended;
use super::config::Loaded;
use crate::base::{Digest, Exit, Result, StateDir, read_capped};
use crate::store::{SqliteStore, hold, rehome};
use std::path::{Path, PathBuf};

/// Where a machine's identity stands (machine-id(5)).
const MACHINE: &str = "/etc/machine-id";

/// Where the store of a state directory stands.
#[must_use]
pub fn store_path(state: &Path) -> PathBuf {
    state.join("store.sqlite")
}

/// Opens the store of a state directory.
///
/// # Errors
/// `E-store-010` (exit 2) where it belongs to another machine; as [`SqliteStore::open`].
pub(super) fn open_store(state: &Path) -> Result<SqliteStore> {
    let path = store_path(state);
    let mut store = SqliteStore::open(&path)?;
    if let Some(machine) = this_machine() {
        hold(&mut store, &machine).map_err(|problem| problem.file(&path))?;
    }
    Ok(store)
}

/// What `store move` prints with `--format json`.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct StoreMoved {
    /// The store.
    store: String,
    /// Whether this machine has an identity by which the store knows it again.
    known: bool,
}

/// `store move`: makes the store belong to this machine.
///
/// # Errors
/// `E-lock-001` (exit 30) while a run is under way; as [`SqliteStore::open`].
pub fn store_move(loaded: &Loaded) -> Result<Ended> {
    let state = StateDir::open(&loaded.config.state)?;
    let _lock = state.lock("store move")?;
    let path = store_path(state.root());
    let mut store = SqliteStore::open(&path)?;
    let machine = this_machine();
    if let Some(machine) = &machine {
        rehome(&mut store, machine)?;
    }
    let moved = StoreMoved { store: path.display().to_string(), known: machine.is_some() };
    let text = if moved.known {
        format!("{} belongs to this machine now.\nThe copy that it was made from must not be used again.", moved.store)
    } else {
        format!("This machine has no identity ({MACHINE}), so that {} is held to none.", moved.store)
    };
    Ok(Ended { exits: vec![Exit::Done], json: serde_json::to_value(moved).unwrap_or_default(), text, problems: Vec::new() })
}

/// A digest of this machine's identity, which itself is nobody's to keep; nothing where it has none.
fn this_machine() -> Option<Digest> {
    let text = String::from_utf8(read_capped(Path::new(MACHINE), 64).ok()?).ok()?;
    let id = text.trim();
    let is_one = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    is_one.then(|| Digest::of(format!("privet store {id}").as_bytes()))
}
