//! Pools that read and pools that write are different types: where a [`ReadPool`] is handed over, nothing can be changed.

use super::pool::{Pool, Setup};
use crate::base::ClTrid;
use crate::model::{Command, Query, Transform};
use std::ops::{Deref, DerefMut};

/// A pool that reads.
pub struct ReadPool(Pool);

impl ReadPool {
    /// A pool without sessions yet.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let window = setup.allowance.read_window;
        Self(Pool::new(setup, window))
    }

    /// Asks `query`; its outcome carries `ticket`.
    pub fn submit(&mut self, ticket: u64, query: Query) {
        self.0.submit(ticket, Command::Query(query), None);
    }

    /// Looks at the head of the message queue. There is no way here to remove it.
    pub fn peek(&mut self, ticket: u64) {
        self.0.submit(ticket, Command::PollRequest, None);
    }
}

/// A pool that writes, one command at a time on each session, and reads what it writes to. A transform's outcome that is not an answer
/// is the asker's to settle: no transform is ever sent twice here.
pub struct WritePool(Pool);

impl WritePool {
    /// A pool without sessions yet.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self(Pool::new(setup, 1))
    }

    /// Sends `transform` under the transaction identifier `trid`, or one of the session's own; its outcome carries `ticket`.
    pub fn submit(&mut self, ticket: u64, transform: Box<Transform>, trid: Option<ClTrid>) {
        self.0.submit(ticket, Command::Transform(transform), trid);
    }

    /// Asks `query`; its outcome carries `ticket`.
    pub fn ask(&mut self, ticket: u64, query: Query) {
        self.0.submit(ticket, Command::Query(query), None);
    }

    /// Asks for the message at the head of the account's queue (RFC 5730 §2.9.2.3).
    pub fn next_message(&mut self, ticket: u64) {
        self.0.submit(ticket, Command::PollRequest, None);
    }

    /// Takes the message `id` out of the queue, for every client of the account: it is to be on disk by then.
    pub fn acknowledge(&mut self, ticket: u64, id: Box<str>) {
        self.0.submit(ticket, Command::PollAck { id }, None);
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
