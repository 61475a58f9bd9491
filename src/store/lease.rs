//! What workers on several machines share besides streams and cells: who is at work, and who has which lot of the operations of a run.
//!
//! Both are told by rows outside of the chains, which are changed and deleted. A claim ends unless it is renewed, by the clock of the store
//! and no other; whoever holds none any more can neither write under it nor take a lot ([`PostgresStore::fence`](super::PostgresStore::fence)).

use crate::base::{Blame, Exit, Problem, Result};
use std::time::Duration;

/// A claim to be one of the workers of a run, or to hold one part of what several may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The run.
    pub run: Box<str>,
    /// Which of its workers.
    pub worker: u32,
    /// Who claims it: a name that no other process has, ever.
    pub holder: Box<str>,
}

/// What a claim came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Somebody else holds it still.
    Elsewhere,
    /// It was held by the same one, and goes on.
    Again,
    /// It is held from now on.
    Now {
        /// How long nobody held it; nothing where nobody ever did.
        idle: Option<Duration>,
    },
}

/// Operations that are taken in hand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// The number of the first one.
    pub first: u64,
    /// The number of the last one.
    pub last: u64,
    /// The wave they belong to.
    pub wave: u32,
}

/// A lot in somebody's hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The lot.
    pub lot: Lot,
    /// Which turn it is that somebody has at it, from 1.
    pub turn: u32,
}

/// How a wave stands, over all workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaveEnds {
    /// Lots that are in hand, or that nobody took yet.
    pub open: u64,
    /// Operations of the others that are verified.
    pub verified: u64,
    /// Operations of the others that are not.
    pub other: u64,
}

/// The lots of one registry's part of a run, as one of the workers sees them.
pub trait Lots: Send {
    /// Takes the first lot of a wave that nobody has in hand, or whose holder's claim is over: nothing that one did can be written any more.
    ///
    /// # Errors
    /// `E-store-014` (exit 33) where the worker's own claim is over; `E-store-006`.
    fn take(&mut self, wave: u32) -> Result<Option<Taken>>;

    /// Takes that every operation of a lot has come to its end in this round, so many of them verified.
    ///
    /// # Errors
    /// As [`Lots::take`].
    fn done(&mut self, taken: &Taken, verified: u64, other: u64) -> Result<()>;

    /// How a wave stands.
    ///
    /// # Errors
    /// `E-store-006` where storage fails.
    fn wave(&mut self, wave: u32) -> Result<WaveEnds>;
}

/// That a claim is over: somebody else goes on where its holder stood.
pub(super) fn lost(claim: &Claim) -> Box<Problem> {
    let what = format!("worker {} was not heard of in time, so that others go on with what it had in hand", claim.worker);
    let remedy = "see that this machine and the line to the database keep up; the same command takes part again";
    Problem::new("E-store-014", Blame::Operator, what, remedy).exit(Exit::Storage)
}
