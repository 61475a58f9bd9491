//! What a pool is fed from, and what it hands its outcomes to.

use super::exchange::Outcome;
use crate::base::Result;
use crate::model::Query;

/// What comes next.
#[derive(Clone, Debug)]
pub enum Next {
    /// A question, with a ticket of the asker's choosing.
    Query(u64, Query),
    /// Nothing now; outcomes that are outstanding may bring more.
    Later,
    /// Nothing more, ever.
    Finished,
}

/// A source of questions which learns their outcomes.
pub trait Work {
    /// The next question. Asked only as far as the pool has room.
    fn next(&mut self) -> Next;

    /// Takes the outcome of the question with that ticket; each ticket gets exactly one.
    ///
    /// # Errors
    /// Where the outcome cannot be kept: the whole run ends then.
    fn outcome(&mut self, ticket: u64, outcome: Outcome) -> Result<()>;
}
