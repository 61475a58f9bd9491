//! The account's message queue, emptied while something waits for a word in it. A message is on disk before it is acknowledged, so that
//! none is lost wherever the run is cut off; one that was kept and not acknowledged comes again.

use crate::base::Moment;
use crate::model::{ObjectKind, PendingData, ResData, Response};
use crate::session::{Now, Outcome, RawFrame};
use std::time::Duration;

/// Where the reader of a queue stands.
#[derive(Debug)]
enum State {
    /// Nothing is asked before this moment.
    Idle(Moment),
    /// The head of the queue was asked for.
    Asked,
    /// A message is on its way to disk.
    Keeping(Box<str>),
    /// A message was acknowledged.
    Acknowledged,
}

/// The reader of one queue.
#[derive(Debug)]
pub(super) struct Inbox(State);

/// A message, as far as it is of use here.
pub(super) struct Message {
    /// Its number.
    pub(super) id: Box<str>,
    /// The frame it came in.
    pub(super) frame: RawFrame,
    /// The end of a pending action on an object of that kind, where it tells one.
    pub(super) decision: Option<(ObjectKind, PendingData)>,
}

impl Inbox {
    /// A reader that has asked nothing yet.
    pub(super) const fn new() -> Self {
        Self(State::Idle(Moment::ZERO))
    }

    /// Whether the head of the queue is to be asked for now; it counts as asked then.
    pub(super) fn asks(&mut self, now: Now) -> bool {
        let asks = matches!(self.0, State::Idle(from) if from <= now.at);
        if asks {
            self.0 = State::Asked;
        }
        asks
    }

    /// When it is to be asked for next, where nothing is under way.
    pub(super) const fn due(&self) -> Option<Moment> {
        if let State::Idle(from) = self.0 { Some(from) } else { None }
    }

    /// Takes what was asked or acknowledged; the message, where one came, which is to be kept where the queue is ours. Behind one that was
    /// acknowledged the next one is asked for at once, and behind anything else after `again`.
    pub(super) fn heard(&mut self, outcome: Outcome, takes: bool, again: Duration, now: Now) -> Option<Message> {
        let message = match (&self.0, outcome) {
            (State::Asked, Outcome::Answer { response, frame: Some(frame), .. }) => message(&response, frame),
            (State::Acknowledged, Outcome::Answer { response, .. }) if response.code().is_success() => {
                self.0 = State::Idle(now.at);
                return None;
            }
            _ => None,
        };
        self.0 = match &message {
            Some(message) if takes => State::Keeping(message.id.clone()),
            _ => State::Idle(now.at + again),
        };
        message
    }

    /// The message is on disk: which one is to be acknowledged.
    pub(super) fn kept(&mut self) -> Option<Box<str>> {
        match std::mem::replace(&mut self.0, State::Acknowledged) {
            State::Keeping(id) => Some(id),
            other => {
                self.0 = other;
                None
            }
        }
    }
}

/// The message at the head of the queue, where there is one.
fn message(response: &Response, frame: RawFrame) -> Option<Message> {
    let id = response.queue.as_ref()?.id.clone().filter(|_| response.code().is_success())?;
    let decision = response.data.iter().find_map(|data| match data {
        ResData::ContactPending(decision) => Some((ObjectKind::Contact, decision.clone())),
        ResData::DomainPending(decision) => Some((ObjectKind::Domain, decision.clone())),
        _ => None,
    });
    Some(Message { id, frame, decision })
}
