//! The driver of one registry's pull: a walk, a pool and a line.

use super::walk::{Tally, Walk};
use crate::base::{Clock, Result, StopToken};
use crate::dataset::{Counts, Snapshot};
use crate::session::{PoolReport, ReadPool};
use crate::transport::{Endpoint, run};
use std::sync::Arc;

/// What a pull of one registry came to.
#[derive(Debug)]
pub struct Pulled {
    /// The snapshot, where every object was visited. Where one was not, what was observed waits on disk for the next run.
    pub snapshot: Option<Snapshot>,
    /// What the walk met.
    pub tally: Tally,
    /// Objects by state, over all processes of the run.
    pub counts: Counts,
    /// What the line saw.
    pub line: PoolReport,
}

/// Walks one registry until everything is visited, the registry stops, or the operator does.
///
/// # Errors
/// Where the disk fails. What a registry does is no error: it stands in [`Pulled::line`].
pub async fn pull(mut walk: Walk, pool: ReadPool, endpoint: Endpoint, clock: Arc<dyn Clock>, stop: StopToken) -> Result<Pulled> {
    let line = run(pool, endpoint, Arc::clone(&clock), &mut walk, stop).await?;
    if let Some(used) = line.quota {
        walk.settle(used)?;
    }
    let is_whole = line.stopped.is_none() && !line.interrupted && walk.is_whole();
    // What was refreshed of a whole snapshot makes a whole one, however the run ended.
    if is_whole || (walk.refreshes() && walk.has_observed()) {
        let (snapshot, tally) = walk.finish(clock.wall())?;
        let counts = snapshot.manifest().counts.clone();
        return Ok(Pulled { snapshot: Some(snapshot), tally, counts, line });
    }
    let counts = walk.counts().clone();
    let tally = if walk.refreshes() { walk.abandon()? } else { walk.pause()? };
    Ok(Pulled { snapshot: None, tally, counts, line })
}
