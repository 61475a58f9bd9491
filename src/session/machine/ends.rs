//! How a session and what is in flight on it come to an end.

use super::super::exchange::{Barred, CloseReason, Ended, Loss, Now, Outcome};
use super::{Asked, Effect, Owner, Session, State};

/// Exchanges that fail in a row, after which a session that takes turns is given up.
const FAILED_TURNS: u8 = 3;

impl Session {
    /// The exchange under way failed on a line that takes turns. The session is the cookie's, not the connection's: it goes on, unless
    /// it was only beginning, or nothing but failures come.
    pub fn handle_failed(&mut self, reason: CloseReason, now: Now) {
        self.failed_turns = self.failed_turns.saturating_add(1);
        if self.failed_turns >= FAILED_TURNS || !matches!(self.state, State::Ready | State::Draining) {
            return self.handle_closed(reason, now);
        }
        if let Some(asked) = self.in_flight.pop_front() {
            let behind = asked.from + u64::from(asked.bytes_out);
            self.abandon(asked, &Loss::Closed(reason), now);
            // What was never handed never will be.
            self.handed = self.handed.max(behind);
        }
        self.log_out_if_drained(now);
    }

    /// The session is over as we wanted.
    pub(super) fn leave(&mut self, now: Now) {
        self.end(Ended::Left, &Loss::Stopped, now);
    }

    /// The session is lost.
    pub(super) fn die(&mut self, loss: &Loss, now: Now) {
        let ended = if self.is_opening() { Ended::Barred(Barred::Lost(loss.clone())) } else { Ended::Lost(loss.clone()) };
        self.end(ended, loss, now);
    }

    /// The session is over; what is in flight ends with it.
    pub(super) fn end(&mut self, ended: Ended, loss: &Loss, now: Now) {
        if self.is_dead() {
            return;
        }
        self.state = State::Dead(ended);
        zeroize::Zeroize::zeroize(&mut self.out);
        for asked in std::mem::take(&mut self.in_flight) {
            self.abandon(asked, loss, now);
        }
        self.effects.push_back(Effect::Close);
    }

    /// A command ends without an answer.
    fn abandon(&mut self, asked: Asked, loss: &Loss, now: Now) {
        let handed = asked.from < self.handed;
        let facts = self.evidence(&asked, now.wall);
        if let Owner::Asker(job) = asked.owner {
            let why = loss.clone();
            let outcome = if handed { Outcome::Unknown { why, facts: Box::new(facts) } } else { Outcome::NeverSent { why } };
            self.effects.push_back(Effect::Done(job, outcome));
        }
    }
}
