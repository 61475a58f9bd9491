//! Pools that read and pools that write are different types: where a [`ReadPool`] is handed over, nothing can be changed.

use super::pool::{Pool, Setup};
use crate::model::{Command, Query, Transform};
use std::ops::{Deref, DerefMut};

/// A pool that reads.
pub struct ReadPool(Pool);

impl ReadPool {
    /// A pool without sessions yet.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let window = setup.allowance.read_window;
        Self(Pool::new(setup, window, true))
    }

    /// Asks `query`; its outcome carries `ticket`.
    pub fn submit(&mut self, ticket: u64, query: Query) {
        self.0.submit(ticket, Command::Query(query));
    }

    /// Looks at the head of the message queue. There is no way here to remove it.
    pub fn peek(&mut self, ticket: u64) {
        self.0.submit(ticket, Command::PollRequest);
    }
}

/// A pool that writes, one command at a time on each session. An outcome that is not an answer is the asker's to settle: nothing is
/// ever sent twice here.
pub struct WritePool(Pool);

impl WritePool {
    /// A pool without sessions yet.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self(Pool::new(setup, 1, false))
    }

    /// Sends `transform`; its outcome carries `ticket`.
    pub fn submit(&mut self, ticket: u64, transform: Transform) {
        self.0.submit(ticket, Command::Transform(Box::new(transform)));
    }
}

impl Deref for ReadPool {
    type Target = Pool;
    fn deref(&self) -> &Pool {
        &self.0
    }
}

impl DerefMut for ReadPool {
    fn deref_mut(&mut self) -> &mut Pool {
        &mut self.0
    }
}

impl Deref for WritePool {
    type Target = Pool;
    fn deref(&self) -> &Pool {
        &self.0
    }
}

impl DerefMut for WritePool {
    fn deref_mut(&mut self) -> &mut Pool {
        &mut self.0
    }
}
