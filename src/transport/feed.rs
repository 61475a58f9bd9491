//! What a driver runs a pool for.

use crate::base::{Moment, Result};
use crate::session::{Next, Now, Outcome, Pool, ReadPool, Work};
use std::ops::DerefMut;
use std::task::{Context, Poll};

/// What feeding a pool came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fed {
    /// So many commands were submitted; outcomes, time, or something else may bring more.
    Submitted(u64),
    /// Nothing more will come.
    Finished,
}

/// Feeds a pool and learns what its commands came to. Whoever only reads is a [`Work`].
pub trait Feed {
    /// The pool: a [`ReadPool`] has no way to change anything.
    type Pool: DerefMut<Target = Pool>;

    /// Submits what there is, as far as there is room.
    ///
    /// # Errors
    /// Where the run cannot go on.
    fn feed(&mut self, pool: &mut Self::Pool, now: Now) -> Result<Fed>;

    /// Takes the outcome of the command with that ticket; each ticket gets exactly one.
    ///
    /// # Errors
    /// Where it cannot be kept: the whole run ends then.
    fn settle(&mut self, ticket: u64, outcome: Outcome, now: Now) -> Result<()>;

    /// Whether it waits for something other than outcomes.
    fn waits(&self) -> bool {
        false
    }

    /// Whether something is on its way to disk: a run does not end before it is there.
    fn keeps(&self) -> bool {
        false
    }

    /// When [`Feed::feed`] is to be called even if nothing else happens.
    fn poll_timeout(&self) -> Option<Moment> {
        None
    }

    /// The operator stops the run. Whether it sees what is in hand to its end; otherwise the pool is interrupted at once.
    fn interrupt(&mut self) -> bool {
        false
    }

    /// Moves on what is neither a line nor time; ready where something moved, with [`Context`]'s waker registered otherwise.
    ///
    /// # Errors
    /// Where the run cannot go on.
    fn poll(&mut self, _cx: &mut Context<'_>, _now: Now) -> Poll<Result<()>> {
        Poll::Pending
    }
}

impl<W: Work + ?Sized> Feed for W {
    type Pool = ReadPool;

    fn feed(&mut self, pool: &mut ReadPool, _now: Now) -> Result<Fed> {
        let mut submitted = 0;
        for _ in 0..pool.room() {
            match self.next() {
                Next::Query(ticket, query) => pool.submit(ticket, query),
                Next::Later => break,
                Next::Finished => return Ok(Fed::Finished),
            }
            submitted += 1;
        }
        Ok(Fed::Submitted(submitted))
    }

    fn settle(&mut self, ticket: u64, outcome: Outcome, _now: Now) -> Result<()> {
        self.outcome(ticket, outcome)
    }
}
