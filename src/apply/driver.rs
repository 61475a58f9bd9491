//! The driver of one registry's part: an executor, a pool that writes, its lines, and the journal.

use super::executor::Executor;
use super::journal::{JournalWriter, gone};
use super::part::{ApplyEffect, Summary};
use crate::base::{Blame, ClTrid, Clock, Exit, Moment, PauseFlag, Permit, Problem, Result, StopToken};
use crate::session::{Now, Outcome, PoolReport, WritePool};
use crate::transport::{Endpoint, Fed, Feed, run};
use std::collections::VecDeque;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;

/// How often a paused part looks whether it may go on.
const LOOK: Duration = Duration::from_millis(500);

/// What one registry's part came to.
#[derive(Debug)]
pub struct Applied {
    /// Its operations.
    pub summary: Summary,
    /// What the line saw.
    pub line: PoolReport,
}

/// What stops and pauses a run.
#[derive(Clone, Debug, Default)]
pub struct Controls {
    /// Begins nothing more, and sees what was sent to its end.
    pub stop: StopToken,
    /// Begins nothing while it is set.
    pub pause: PauseFlag,
    /// Nothing is done from its end on, where others go on with what is in hand then.
    pub permit: Option<Permit>,
}

/// Carries out one registry's part, until it is done, the registry stops, or the operator does.
///
/// # Errors
/// `E-store-006` (exit 33) where the journal cannot be written: nothing is sent from then on; `E-apply-018` (exit 33) where the permit ends.
/// What [`Executor::poll_effect`] returns.
pub async fn apply(
    executor: Executor,
    mut pool: WritePool,
    endpoint: Endpoint,
    clock: Arc<dyn Clock>,
    journal: JournalWriter,
    controls: Controls,
) -> Result<Applied> {
    let Controls { stop, pause, permit } = controls;
    if let Some(permit) = &permit {
        pool.set_permit(permit.clone());
    }
    let mut part = Part { executor, journal, kept: VecDeque::new(), pause, permit, looked: Moment::ZERO };
    let line = run(pool, endpoint, clock, &mut part, stop).await?;
    Ok(Applied { summary: part.executor.summary().clone(), line })
}

/// An executor between its pool and the journal.
struct Part {
    executor: Executor,
    journal: JournalWriter,
    /// What is on its way to disk, in order, with the ticket that waits for it.
    kept: VecDeque<(Option<u64>, oneshot::Receiver<Result<()>>)>,
    pause: PauseFlag,
    permit: Option<Permit>,
    looked: Moment,
}

impl Feed for Part {
    type Pool = WritePool;

    fn feed(&mut self, pool: &mut WritePool, now: Now) -> Result<Fed> {
        self.looked = now.at;
        if self.permit.as_ref().is_some_and(|permit| !permit.lasts(now.at)) {
            let what = "the database was out of reach for so long that others go on with what was in hand here; nothing more is sent";
            let remedy = "see to the line to the database; the same command takes part again";
            return Err(Problem::new("E-apply-018", Blame::Network, what, remedy).exit(Exit::Storage));
        }
        self.executor.pause(self.pause.is_set());
        if let Some(problem) = pool.stopped() {
            self.executor.stop(&problem.id);
        }
        self.executor.handle_timeout(now);
        let mut submitted = 0;
        while let Some(effect) = self.executor.poll_effect(now)? {
            match effect {
                ApplyEffect::Read { ticket, query } => {
                    pool.ask(ticket, query);
                    submitted += 1;
                }
                ApplyEffect::Write { ticket, transform, cltrid } => {
                    pool.submit(ticket, transform, Some(ClTrid::new(&*cltrid)));
                    submitted += 1;
                }
                ApplyEffect::NextMessage { ticket } => {
                    pool.next_message(ticket);
                    submitted += 1;
                }
                ApplyEffect::Acknowledge { ticket, id } => {
                    pool.acknowledge(ticket, id);
                    submitted += 1;
                }
                ApplyEffect::Commit { ticket, entries, cells } => self.kept.push_back((ticket, self.journal.commit(entries, cells))),
            }
        }
        let is_done = self.executor.is_done() && self.kept.is_empty();
        Ok(if is_done { Fed::Finished } else { Fed::Submitted(submitted) })
    }

    fn settle(&mut self, ticket: u64, outcome: Outcome, now: Now) -> Result<()> {
        self.executor.handle_outcome(ticket, outcome, now);
        Ok(())
    }

    fn waits(&self) -> bool {
        !self.kept.is_empty() || self.poll_timeout().is_some()
    }

    fn keeps(&self) -> bool {
        !self.kept.is_empty()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        let paused = self.pause.is_set().then(|| self.looked + LOOK);
        let ends = self.permit.as_ref().map(Permit::until);
        self.executor.poll_timeout().into_iter().chain(paused).chain(ends).min()
    }

    fn interrupt(&mut self) -> bool {
        self.executor.stop("E-apply-004");
        true
    }

    fn poll(&mut self, cx: &mut Context<'_>, _now: Now) -> Poll<Result<()>> {
        let mut moved = Poll::Pending;
        while let Some((ticket, kept)) = self.kept.front_mut() {
            let Poll::Ready(done) = Pin::new(kept).poll(cx) else { break };
            done.unwrap_or_else(|_| Err(gone()))?;
            if let Some(ticket) = *ticket {
                self.executor.handle_committed(ticket);
            }
            self.kept.pop_front();
            moved = Poll::Ready(Ok(()));
        }
        moved
    }
}
