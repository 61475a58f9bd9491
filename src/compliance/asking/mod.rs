//! Asking for consent: of whom, for which data, how often, and what an order does meanwhile. Privet sends no message itself.

mod drawing;
mod matrix;
mod outbox;
mod template;
#[cfg(test)]
mod tests;

pub use drawing::{Before, Drawn, Judging, Message, OrderCourse, Trigger, Unasked};
pub use matrix::{BasisMatrix, Cell, Course, Ground, Group, Person, Policy, Process, course};
pub use outbox::{Asked, Confirmed, Messages, Wording, message_id, recipient, source};
pub use template::{About, Letter, MAX_TEMPLATE, Occasion, Template, Written};

use super::subjects::Subject;
use crate::base::Timestamp;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};
use std::collections::BTreeSet;

/// How long the triggers of one message are gathered, from the first that was not sent.
pub const GATHERED: SignedDuration = SignedDuration::from_secs(60);
/// The days after which an order that waits for consent lapses.
pub const WAITS: i64 = 10;

/// When an order of `ordered` lapses that waits for consent: the end of its tenth day in `zone`, so the first moment that is too late.
/// Nothing where the calendar ends before.
#[must_use]
pub fn lapses(ordered: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let day = ordered.to_zoned(zone.clone()).date().checked_add((WAITS + 1).days()).ok()?;
    Some(day.to_zoned(zone.clone()).ok()?.timestamp())
}

/// Triggers of messages to one subject, gathered: each message has those that came within [`GATHERED`] of its first. The order in which
/// they are given does not matter.
#[must_use]
pub fn gathered(triggers: impl IntoIterator<Item = Timestamp>) -> Vec<Vec<Timestamp>> {
    let mut triggers: Vec<Timestamp> = triggers.into_iter().collect();
    triggers.sort_unstable();
    let mut messages: Vec<Vec<Timestamp>> = Vec::new();
    for at in triggers {
        match messages.last_mut().filter(|message| message.first().is_some_and(|first| at.duration_since(*first) < GATHERED)) {
            Some(message) => message.push(at),
            None => messages.push(vec![at]),
        }
    }
    messages
}

/// A message that asked for consent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// When.
    pub at: Timestamp,
    /// Whom.
    pub subject: Subject,
    /// For which group.
    pub group: Group,
}

/// Whether a provider of that `policy` asks `subject` for `group`, given what was `sent` already.
#[must_use]
pub fn is_asked(policy: Policy, sent: &[Sent], subject: Subject, group: &Group) -> bool {
    !sent.iter().any(|message| message.subject == subject && (policy == Policy::OncePerFingerprint || message.group == *group))
}

/// The messages that should not have been sent under a `policy`: every one but the first, by time, to the same subject (for the same
/// group).
#[must_use]
pub fn duplicates(policy: Policy, sent: &[Sent]) -> Vec<&Sent> {
    let mut sorted: Vec<&Sent> = sent.iter().collect();
    sorted.sort();
    let mut seen = BTreeSet::new();
    let key = |message: &Sent| (message.subject, (policy == Policy::OncePerGroup).then(|| message.group.clone()));
    sorted.into_iter().filter(|message| !seen.insert(key(message))).collect()
}
