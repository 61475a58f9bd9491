//! The message queues of a registry's accounts. Numbers are shared: none is given twice.

use crate::model::{Date, Extension, ObjectKind, PendingData, Queue, TransferData};
use std::collections::BTreeMap;

/// Hours from 1970-01-01 to 2026-01-01.
const FIRST_HOURS: i64 = 490_896;

/// What a message is about.
#[derive(Clone)]
pub(super) enum About {
    /// What the registry's own extension says.
    Extension(Extension),
    /// A transfer of a domain.
    Transfer(TransferData),
    /// The end of a command that was pending.
    Pending(ObjectKind, PendingData),
}

/// A message.
#[derive(Clone)]
struct Message {
    /// Whose queue it is in.
    to: Box<str>,
    /// When it was put there.
    date: Option<Date>,
    text: Box<str>,
    about: Option<About>,
}

/// The queues.
#[derive(Clone)]
pub(super) struct Messages {
    all: BTreeMap<u64, Message>,
    /// The number of the last message that was put there.
    last: u64,
}

impl Messages {
    /// So many notices in the queue of `to`: one a day from a fixed day on, since the queue of a seed is the same at each start.
    pub(super) fn notices(count: u32, to: &str) -> Self {
        let notice = |number: u64| {
            let hours = i64::try_from(number).unwrap_or_default().saturating_mul(24).saturating_add(FIRST_HOURS);
            let date = jiff::Timestamp::UNIX_EPOCH.checked_add(jiff::SignedDuration::from_hours(hours)).ok().map(Date::at);
            Message { to: to.into(), date, text: format!("Notice {number} of this registry").into(), about: None }
        };
        let last = u64::from(count);
        Self { all: (1..=last).map(|number| (number, notice(number))).collect(), last }
    }

    /// The number that the next message gets.
    pub(super) const fn next_number(&self) -> u64 {
        self.last + 1
    }

    /// Puts a message into the queue of `to`.
    pub(super) fn push(&mut self, to: &str, date: Date, text: &str, about: About) {
        self.last += 1;
        self.all.insert(self.last, Message { to: to.into(), date: Some(date), text: text.into(), about: Some(about) });
    }

    /// The queue of `to`: how many wait, and the first.
    pub(super) fn head(&self, to: &str) -> Option<Queue> {
        let (id, message) = self.first(to)?;
        let count = Some(self.all.values().filter(|message| *message.to == *to).count() as u64);
        Some(Queue { count, id: Some(id.to_string().into()), date: message.date.clone(), msg: Some(message.text.clone()) })
    }

    /// What the first message in the queue of `to` is about.
    pub(super) fn about(&self, to: &str) -> Option<&About> {
        self.first(to)?.1.about.as_ref()
    }

    /// Takes a message out of the queue of `to`; its text.
    pub(super) fn remove(&mut self, number: u64, to: &str) -> Option<Box<str>> {
        let is_theirs = self.all.get(&number).is_some_and(|message| *message.to == *to);
        is_theirs.then(|| self.all.remove(&number)).flatten().map(|message| message.text)
    }

    /// The messages that were taken out of queues.
    pub(super) fn taken(&self) -> impl Iterator<Item = u64> + '_ {
        (1..=self.last).filter(|number| !self.all.contains_key(number))
    }

    fn first(&self, to: &str) -> Option<(u64, &Message)> {
        self.all.iter().find(|(_, message)| *message.to == *to).map(|(number, message)| (*number, message))
    }
}
