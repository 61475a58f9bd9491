//! The store: a file of the state directory, on the machine that it belongs to, or a database; `store move` says that the file belongs to
//! this machine now, or fills the database from it.

use super::Ended;
use super::config::{Config, Database, Loaded, SecretSource};
use crate::base::{Blame, Digest, Exit, Problem, Result, StateDir, read_capped, remove_tree};
use crate::store::{Copied, PostgresPlace, PostgresStore, SqliteStore, Store, copy, hold, rehome};
use std::path::{Path, PathBuf};

/// The most bytes of the authorities by which a server is known.
const MAX_CA: u64 = 1 << 20;
/// Where a machine's identity stands (machine-id(5)).
const MACHINE: &str = "/etc/machine-id";

/// Where the store of a state directory stands.
#[must_use]
pub fn store_path(state: &Path) -> PathBuf {
    state.join("store.sqlite")
}

/// Opens the store: the database that the configuration names or, where it names none, the file of the state directory.
///
/// # Errors
/// `E-store-010` (exit 2) where the file belongs to another machine; `E-config-006` where the password cannot be read; as
/// [`SqliteStore::open`] and [`PostgresStore::open`].
pub(super) fn open_store(config: &Config) -> Result<Box<dyn Store>> {
    match &config.store {
        Some(shared) => Ok(Box::new(PostgresStore::open(&place(&shared.database, "store")?)?)),
        None => Ok(Box::new(open_file(&config.state)?)),
    }
}

/// Where the database of the table `setting` is, with its password.
pub(super) fn place(database: &Database, setting: &str) -> Result<PostgresPlace> {
    let password = database.password.as_ref().map(SecretSource::read).transpose()?.map(|read| read.secret);
    let authorities = authorities(database.ca.as_deref())?;
    PostgresPlace::new(&database.address, password.as_ref(), authorities).map_err(|what| {
        Problem::new(
            "E-store-012",
            Blame::Operator,
            format!("the database of [{setting}] cannot be used: {what}"),
            "correct that table of the configuration",
        )
    })
}

/// The authorities by which a server is known, in PEM.
pub(super) fn authorities(file: Option<&Path>) -> Result<Option<Vec<u8>>> {
    file.map(|path| read_capped(path, MAX_CA)).transpose()
}

/// Opens the file, on the machine that it belongs to.
fn open_file(state: &Path) -> Result<SqliteStore> {
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
    /// Whether this machine has an identity by which the store's file knows it again; of a database nothing is to be known.
    known: bool,
    /// What was brought from the file into the database, where there was a file.
    #[serde(flatten)]
    copied: Option<Copied>,
}

/// `store move`: makes the store belong to this machine or, where the configuration names a database, brings it there.
///
/// # Errors
/// `E-lock-001` (exit 30) while a run is under way; as `open_store` and [`copy`].
pub fn store_move(loaded: &Loaded) -> Result<Ended> {
    let state = StateDir::open(&loaded.config.state)?;
    let _locks = (state.lock("store move")?, state.lock_ledgers("store move")?);
    let path = store_path(state.root());
    if let Some(shared) = &loaded.config.store {
        return into_database(&place(&shared.database, "store")?, state.root());
    }
    let mut store = SqliteStore::open(&path)?;
    let machine = this_machine();
    if let Some(machine) = &machine {
        rehome(&mut store, machine)?;
    }
    let moved = StoreMoved { store: path.display().to_string(), known: machine.is_some(), copied: None };
    let text = if moved.known {
        format!("{} belongs to this machine now.\nThe copy that it was made from must not be used again.", moved.store)
    } else {
        format!("This machine has no identity ({MACHINE}), so that {} is held to none.", moved.store)
    };
    Ok(Ended { exits: vec![Exit::Done], json: serde_json::to_value(moved).unwrap_or_default(), text, problems: Vec::new() })
}

/// Brings everything of the file into the database, holds each chain against its head there, and removes the file: it has the keys of whom
/// the database may erase.
fn into_database(place: &PostgresPlace, state: &Path) -> Result<Ended> {
    let mut store = PostgresStore::open(place)?;
    let path = store_path(state);
    let copied = path.exists().then(|| copy(&mut open_file(state)?, &mut store)).transpose()?;
    let text = match &copied {
        Some(Copied { streams, rows, cells }) => {
            for ending in ["", "-wal", "-shm"] {
                let mut file = path.clone().into_os_string();
                file.push(ending);
                remove_tree(Path::new(&file))?;
            }
            format!(
                "{streams} chains of {rows} rows and {cells} cells stand in {} now, each chain as it was.\n{} is removed; a copy of it must \
                 not be used again.",
                place.shown(),
                path.display()
            )
        }
        None => format!("{} is the store. There is no {} to be moved.", place.shown(), path.display()),
    };
    let moved = StoreMoved { store: place.shown().to_owned(), known: true, copied };
    Ok(Ended { exits: vec![Exit::Done], json: serde_json::to_value(moved).unwrap_or_default(), text, problems: Vec::new() })
}

/// A digest of this machine's identity, which itself is nobody's to keep; nothing where it has none.
fn this_machine() -> Option<Digest> {
    let text = String::from_utf8(read_capped(Path::new(MACHINE), 64).ok()?).ok()?;
    let id = text.trim();
    let is_one = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    is_one.then(|| Digest::of(format!("privet store {id}").as_bytes()))
}
