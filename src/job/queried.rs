//! Local records that are no files yet: queries, run once for a verb and all in one snapshot of the database, and a data escrow deposit. Their
//! rows pass through private files that go with the verb.

use super::config::{Config, Queried, Records};
use super::opening::place;
use super::{Context, deposit};
use crate::base::{Digest, Exit, Lock, Problems, Result, StateDir, create_private_dir, remove_tree};
use crate::database::{CopyLimits, PostgresPlace, Wanted, copy, try_out};
use crate::dataset::Source;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Where the files stand, in the state directory.
const DIR: &str = "queried";
/// How many processes may read records at a time: a run, and a verb on the ledgers; and some to spare.
const PLACES: u8 = 4;
/// The most bytes of one query's rows: a hundred million contacts are less.
const MAX_BYTES: u64 = 64 << 30;

/// What a verb read of its queries.
#[derive(Clone, Debug, Default)]
pub struct Queries(Arc<Mutex<Option<Kept>>>);

/// The configuration under which queries were run, and what they brought.
type Kept = (Digest, Arc<Fetched>);

/// The tables of local records, each as files; those of queries go when this does.
#[derive(Debug)]
pub(super) struct Fetched {
    records: Records,
    _place: Option<Place>,
}

impl Deref for Fetched {
    type Target = Records;

    fn deref(&self) -> &Records {
        &self.records
    }
}

/// A directory of this process's own.
#[derive(Debug)]
struct Place {
    dir: PathBuf,
    _lock: Lock,
}

impl Drop for Place {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run.
        let _left_behind = remove_tree(&self.dir);
    }
}

/// The local records of a verb, each table as files: queries are run the first time that they are wanted, and not again.
///
/// # Errors
/// `E-query-…`; `E-escrow-…`; `E-config-006` where the password cannot be read; `E-file-…`.
pub(super) fn records(config: &Config, ctx: &Context) -> Result<Arc<Fetched>, Problems> {
    let mut kept = ctx.queries.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, fetched)) = kept.as_ref().filter(|(digest, _)| *digest == config.digest) {
        return Ok(Arc::clone(fetched));
    }
    let mut records = config.records.clone();
    let tables = [&mut records.contacts, &mut records.domains, &mut records.services, &mut records.orders];
    let mut place = written(config, ctx, tables.into_iter().flatten().collect())?;
    if let Some(escrow) = &config.records.escrow {
        let own = place.map_or_else(|| own_place(&StateDir::open(&config.state)?), Ok)?;
        let [contacts, domains] = deposit::tables(escrow, &own.dir)?;
        (records.contacts, records.domains) = (Some(contacts), Some(domains));
        place = Some(own);
    }
    let is_ours = place.is_some();
    let fetched = Arc::new(Fetched { records, _place: place });
    if is_ours {
        *kept = Some((config.digest, Arc::clone(&fetched)));
    }
    Ok(fetched)
}

/// The configured table of consent as files, which go with what else is given.
///
/// # Errors
/// As [`records`].
pub(super) fn consent(config: &Config, ctx: &Context) -> Result<Option<(Source, Fetched)>, Problems> {
    let Some(mut source) = config.records.consent.clone() else { return Ok(None) };
    let place = written(config, ctx, vec![&mut source])?;
    Ok(Some((source, Fetched { records: Records::default(), _place: place })))
}

/// Runs the queries among `tables`, and puts into each the file with its rows; gives the directory of these files.
fn written(config: &Config, ctx: &Context, tables: Vec<&mut Source>) -> Result<Option<Place>, Problems> {
    let Some(queried) = &config.records.postgres else { return Ok(None) };
    let mut tables: Vec<&mut Source> = tables.into_iter().filter(|source| source.query.is_some()).collect();
    if tables.is_empty() {
        return Ok(None);
    }
    let (database, limits) = reached(queried)?;
    let place = own_place(&StateDir::open(&config.state)?)?;
    let wanted: Vec<(Wanted<'_>, PathBuf)> = tables
        .iter()
        .enumerate()
        .filter_map(|(n, source)| Some((of_source(config, source)?, place.dir.join(format!("{n}.csv")))))
        .collect();
    copy(&database, &wanted, limits, &ctx.stop)?;
    let files: Vec<PathBuf> = wanted.into_iter().map(|(_, file)| file).collect();
    for (source, file) in tables.iter_mut().zip(files) {
        **source = source.written(file);
    }
    Ok(Some(place))
}

/// Tries the queries of all tables without a row; gives the database, and how many there are. Nothing where there is none.
///
/// # Errors
/// As [`records`].
pub(super) fn tried(config: &Config) -> Result<Option<(String, usize)>, Problems> {
    let Some(queried) = &config.records.postgres else { return Ok(None) };
    let records = &config.records;
    let tables = [&records.contacts, &records.domains, &records.services, &records.orders, &records.consent];
    let wanted: Vec<Wanted<'_>> = tables.into_iter().flatten().filter_map(|source| of_source(config, source)).collect();
    let (database, limits) = reached(queried)?;
    try_out(&database, &wanted, limits)?;
    Ok(Some((database.shown().to_owned(), wanted.len())))
}

/// Removes what killed runs left.
///
/// # Errors
/// `E-file-004`.
pub(super) fn sweep(state: &StateDir) -> Result<()> {
    for n in 0..PLACES {
        let dir = state.root().join(DIR).join(n.to_string());
        // A place whose lock is held is somebody's.
        if dir.exists()
            && let Ok(_lock) = state.lock_queried(n)
        {
            remove_tree(&dir)?;
        }
    }
    Ok(())
}

fn reached(queried: &Queried) -> Result<(PostgresPlace, CopyLimits)> {
    Ok((place(&queried.database, "records.postgres")?, CopyLimits { time: queried.time, bytes: MAX_BYTES }))
}

fn of_source<'c>(config: &'c Config, source: &'c Source) -> Option<Wanted<'c>> {
    let query = source.query.as_ref()?;
    Some(Wanted { sql: &query.sql, file: &config.path, line: query.line, setting: source.setting.as_deref().unwrap_or_default() })
}

/// The first place that nobody has, empty.
fn own_place(state: &StateDir) -> Result<Place> {
    let mut taken = None;
    for n in 0..PLACES {
        match state.lock_queried(n) {
            Ok(lock) => {
                let dir = state.root().join(DIR).join(n.to_string());
                remove_tree(&dir)?;
                create_private_dir(&dir)?;
                return Ok(Place { dir, _lock: lock });
            }
            Err(problem) if problem.exit == Exit::Locked => taken = Some(problem),
            Err(problem) => return Err(problem),
        }
    }
    taken.map_or_else(|| Err(Problems::default().into_first()), Err)
}
