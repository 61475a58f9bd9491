//! A row of the journal.

use super::canonical;
use super::state::{StepState, Why};
use crate::base::{ObjectRef, Timestamp, ValueDigest};
use serde::{Deserialize, Serialize};

/// One row. What is not in it is in the plan, whose id the run's first row names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// A run begins.
    Opened {
        /// The SHA-256 of the plan's lines.
        digest: Box<str>,
        /// How many operations it has.
        operations: u64,
        /// The program, with its version.
        tool: Box<str>,
        /// When.
        at: Timestamp,
    },
    /// A run goes on after it was stopped or killed.
    Resumed {
        /// When.
        at: Timestamp,
    },
    /// A step went from one state to the next.
    Step(StepRow),
    /// Every operation of a wave has come to its end, and the next one may begin.
    WaveDone {
        /// Which.
        wave: u32,
        /// How many of its operations are verified.
        verified: u64,
        /// How many are not.
        other: u64,
    },
    /// One registry's part stops: nothing more is sent there.
    RegistryStopped {
        /// Which.
        registry: Box<str>,
        /// The number of the problem.
        why: Box<str>,
    },
    /// A message of a registry's queue is sealed in the vault, and may be acknowledged.
    Message(MessageRow),
    /// The run is over: nothing follows in any of its chains.
    Closed {
        /// The heads of all its chains, as [`crate::store::bind`] writes them.
        heads: Box<str>,
        /// When.
        at: Timestamp,
    },
    /// Somebody approved the plan.
    Approved {
        /// The SHA-256 of the plan's lines.
        digest: Box<str>,
        /// Who.
        by: Box<str>,
        /// When.
        at: Timestamp,
    },
    /// Somebody was shown the plan's values.
    Shown {
        /// Who.
        by: Box<str>,
        /// When.
        at: Timestamp,
    },
}

/// A message that a registry left in the account's queue. Its frame is sealed in the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageRow {
    /// The registry.
    pub registry: Box<str>,
    /// The registry's number of the message.
    pub id: Box<str>,
    /// Whose key it is sealed under: the object it is about, or the message itself.
    #[serde(rename = "ref")]
    pub reference: ObjectRef,
    /// The digest of the frame under that key.
    pub digest: ValueDigest,
    /// What was decided, where it tells the end of a pending action (`panData`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<bool>,
    /// When.
    pub at: Timestamp,
}

impl MessageRow {
    /// The field under which the frame of the message `id` is sealed.
    #[must_use]
    pub fn field(id: &str) -> String {
        format!("message/{id}")
    }
}

/// A step's new state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRow {
    /// The operation's number in the plan.
    pub op: u64,
    /// The step's number in it, from 0.
    pub step: u8,
    /// The object.
    #[serde(rename = "ref")]
    pub reference: ObjectRef,
    /// The state it is in now.
    pub to: StepState,
    /// How often it was sent, this time included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sends: u8,
    /// Which turn it is that somebody has at the operation, from 1, where several share a run: what a later turn did follows what an earlier
    /// one did, whichever chain it stands in. 0 where one process has the whole run.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub turn: u32,
    /// When.
    pub at: Timestamp,
    /// The client's transaction identifier of the command (RFC 5730 §2.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cltrid: Option<Box<str>>,
    /// The registry's, from its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svtrid: Option<Box<str>>,
    /// The digest of the object's state before the command, under the object's key; its before-image is in the vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ValueDigest>,
    /// Why, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

impl StepRow {
    /// The row of a step that was sent `sends` times by then, and is `to` from `at` on; it tells nothing else yet.
    #[must_use]
    pub const fn new((op, step): (u64, u8), reference: ObjectRef, to: StepState, sends: u8, at: Timestamp) -> Self {
        Self { op, step, reference, to, sends, turn: 0, at, cltrid: None, svtrid: None, before: None, why: None }
    }
}

fn is_zero<N: Default + PartialEq>(n: &N) -> bool {
    *n == N::default()
}

impl Entry {
    /// Its bytes.
    #[must_use]
    pub fn to_row(&self) -> Box<[u8]> {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// The entry in a row.
    ///
    /// # Errors
    /// What is wrong with it, where it is none.
    pub fn from_row(row: &[u8]) -> Result<Self, String> {
        if let Some(step) = canonical::step(row) {
            return Ok(Self::Step(step));
        }
        serde_json::from_slice(row).map_err(|e| e.to_string())
    }
}
