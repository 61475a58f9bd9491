//! Lines in virtual time: when what was sent is answered.

use super::registry::Registry;
use crate::base::Moment;
use crate::protocol::frame::Framer;
use crate::session::Now;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

/// What is known of a line and of the registry behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From asking for a connection until it stands: over TLS 1.3 two round trips.
    pub connect: Duration,
    /// From a command to its answer, apart from the registry's own time; commands in flight overlap.
    pub round_trip: Duration,
    /// Time for which a registry is busy with each command of a session, one after another.
    pub service: Duration,
}

impl Timing {
    /// A line over TLS 1.3 (RFC 8446 §2: one round trip, behind that of TCP).
    #[must_use]
    pub fn of(round_trip: Duration, service: Duration) -> Self {
        Self { connect: round_trip * 2, round_trip, service }
    }
}

/// What happens on a line.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Arrives {
    /// The connection stands.
    Connected,
    /// Bytes for us.
    Bytes(Vec<u8>),
}

/// One end of a connection: the registry's.
struct Line {
    framer: Box<dyn Framer + Send>,
    /// When its commands so far are served.
    served: Moment,
}

/// All lines to one registry.
pub(super) struct Lines<'r> {
    registry: &'r mut dyn Registry,
    timing: Timing,
    framer: fn() -> Box<dyn Framer + Send>,
    open: BTreeMap<u32, Line>,
    /// What arrives, when, in the order in which it was sent.
    arriving: BinaryHeap<Reverse<(Moment, u64, u32, Arrives)>>,
    number: u64,
}

impl<'r> Lines<'r> {
    /// No line yet.
    pub(super) fn new(registry: &'r mut dyn Registry, timing: Timing, framer: fn() -> Box<dyn Framer + Send>) -> Self {
        Self { registry, timing, framer, open: BTreeMap::new(), arriving: BinaryHeap::new(), number: 0 }
    }

    fn push(&mut self, at: Moment, session: u32, arrives: Arrives) {
        self.number += 1;
        self.arriving.push(Reverse((at, self.number, session, arrives)));
    }

    /// A connection is asked for; where the registry speaks first, its greeting is there a round trip behind the connection.
    pub(super) fn connect(&mut self, session: u32, now: Now) {
        let framer = (self.framer)();
        let stands = now.at + self.timing.connect;
        self.push(stands, session, Arrives::Connected);
        if let Some(greeting) = self.registry.greeting(session, now) {
            let mut bytes = Vec::new();
            framer.enclose(&greeting, &mut bytes);
            self.push(stands + self.timing.round_trip, session, Arrives::Bytes(bytes));
        }
        self.open.insert(session, Line { framer, served: stands });
    }

    /// Bytes leave for the registry; each command in them is shown to `heard`.
    pub(super) fn send(&mut self, session: u32, bytes: &[u8], now: Now, heard: &mut dyn FnMut(&str)) {
        let Some(line) = self.open.get_mut(&session) else { return };
        line.framer.push(bytes);
        let mut answers: Vec<(Moment, Vec<u8>)> = Vec::new();
        while let Ok(Some(frame)) = line.framer.next_frame() {
            let frame = String::from_utf8_lossy(frame).into_owned();
            heard(&frame);
            line.served = line.served.max(now.at) + self.timing.service;
            let due = line.served + self.timing.round_trip;
            let Some(answer) = self.registry.answer(session, &frame, now) else { continue };
            // Answers that are there at once are read at once.
            match answers.last_mut().filter(|(at, _)| *at == due) {
                Some((_, bytes)) => line.framer.enclose(&answer, bytes),
                None => {
                    let mut bytes = Vec::new();
                    line.framer.enclose(&answer, &mut bytes);
                    answers.push((due, bytes));
                }
            }
        }
        for (due, bytes) in answers {
            self.push(due, session, Arrives::Bytes(bytes));
        }
    }

    /// A connection is closed by us.
    pub(super) fn close(&mut self, session: u32) {
        self.open.remove(&session);
        self.registry.closed(session);
    }

    /// When something arrives next.
    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        self.arriving.peek().map(|Reverse((at, ..))| *at)
    }

    /// What arrives by `now`, on a line that still stands.
    pub(super) fn arrived(&mut self, now: Moment) -> Option<(u32, Arrives)> {
        while self.poll_timeout().is_some_and(|at| at <= now) {
            let Reverse((_, _, session, arrives)) = self.arriving.pop()?;
            if self.open.contains_key(&session) {
                return Some((session, arrives));
            }
        }
        None
    }
}
