//! What one registry's part of a run is made of, what it asks for, and what it comes to.

use super::values::{Guard, Values};
use super::work::Work;
use crate::base::{Entropy, Timestamp};
use crate::journal::Entry;
use crate::model::{Query, Transform};
use crate::store::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

/// Operations in hand for each session, as a rule: one speaks while others are put on disk. No more than these a crash leaves in doubt.
pub const IN_HAND: usize = 8;

/// How one registry's part is carried out.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The registry.
    pub registry: Box<str>,
    /// What the identifiers of commands begin with: a run's id, without personal data, at most 24 characters.
    pub prefix: Box<str>,
    /// How long a registry may go on working on a command whose answer was lost, and how long what it has done may take to show.
    pub settle: Duration,
    /// Between two looks at one object, and between two at an empty queue.
    pub again: Duration,
    /// How the account's message queue is watched for decisions of the registry's (1001); nothing where it is left alone.
    pub queue: Option<Watch>,
    /// The most operations in hand at a time.
    pub in_hand: usize,
    /// How many of a thousand operations of a wave may come to anything but "verified" before the registry's part stops. The first wave
    /// has to be verified whole.
    pub tolerance: u64,
    /// Until when before-images and messages are kept.
    pub keep: Timestamp,
    /// Whether only what was sent before is settled, by reading, and nothing is sent.
    pub settle_only: bool,
}

/// How a message queue is watched.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// How long a decision is waited for.
    pub patience: Duration,
    /// Whether the queue is ours: each message is kept, and acknowledged. Otherwise its head is looked at, and stays there.
    pub takes: bool,
}

/// What an executor is made of besides its settings.
pub struct Parts {
    /// The registry's operations.
    pub work: Box<dyn Work>,
    /// Keys and values.
    pub values: Box<dyn Values>,
    /// What is asked just before a command is sent.
    pub guard: Box<dyn Guard>,
    /// Where authorisation information of new contacts comes from.
    pub entropy: Box<dyn Entropy>,
}

/// What the executor wants done.
#[derive(Debug)]
pub enum ApplyEffect {
    /// Ask, in a session which reads.
    Read {
        /// What to hand back.
        ticket: u64,
        /// The question.
        query: Query,
    },
    /// Send, in a session which writes, under this transaction identifier.
    Write {
        /// What to hand back.
        ticket: u64,
        /// The command.
        transform: Box<Transform>,
        /// Its identifier (RFC 5730 §2.5).
        cltrid: Box<str>,
    },
    /// Ask for the message at the head of the account's queue.
    NextMessage {
        /// What to hand back.
        ticket: u64,
    },
    /// Take a message out of the queue: it is on disk.
    Acknowledge {
        /// What to hand back.
        ticket: u64,
        /// The message.
        id: Box<str>,
    },
    /// Put rows and cells on disk, together.
    Commit {
        /// What to hand back; nothing waits for it where none stands here.
        ticket: Option<u64>,
        /// The rows.
        entries: Vec<Entry>,
        /// The cells.
        cells: Vec<Cell>,
    },
}

/// What the part came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Operations by the state they are left in.
    pub by_state: BTreeMap<&'static str, u64>,
    /// Why the part stopped before its end: the number of a problem.
    pub stopped: Option<Box<str>>,
}
