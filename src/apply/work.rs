//! Which operations a process takes in hand: all of a registry's part, in the plan's order, or those of the lots that it gets where several
//! workers share the run.

use crate::base::Result;
use crate::journal::{Fold, Standing, StepState};
use crate::plan::Operation;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// An operation that is to be taken in hand.
#[derive(Clone, Debug)]
pub struct Job {
    /// The operation.
    pub operation: Operation,
    /// How each of its steps stands.
    pub standings: Vec<Standing>,
    /// Which turn it is that somebody has at it; 0 where nobody shares the run.
    pub turn: u32,
}

/// What comes next.
#[derive(Clone, Debug)]
pub enum Next {
    /// An operation.
    Job(Box<Job>),
    /// A wave is over: every operation of it has come to its end.
    WaveOver {
        /// Which.
        wave: u32,
        /// How many of its operations are verified.
        verified: u64,
        /// How many are not.
        other: u64,
    },
    /// Nothing until something in hand has come to its end or, where a time stands here, others have gone on.
    Later(Option<Duration>),
    /// Nothing more.
    Over,
}

/// One registry's operations, as one process gets them.
pub trait Work: Send {
    /// What comes next. It is asked when everything that was to be put on disk before was handed over.
    ///
    /// # Errors
    /// What the plan, or the store, cannot be read for.
    fn next(&mut self) -> Result<Next>;

    /// Takes that an operation has come to its end in this process.
    fn ended(&mut self, op: u64, state: StepState);

    /// How an operation ended; nothing where it is in hand, or was not begun.
    fn end_of(&self, op: u64) -> Option<StepState>;
}

/// All operations of one registry's part, in the plan's order.
pub struct Whole {
    registry: Box<str>,
    operations: Box<dyn Iterator<Item = Result<Operation>> + Send>,
    fold: Arc<Fold>,
    /// The next operation, where its wave has not begun.
    ahead: Option<Operation>,
    ended: HashMap<u64, StepState>,
    in_hand: u64,
    wave: u32,
    verified: u64,
    other: u64,
}

impl Whole {
    /// The operations of `registry` among `operations`, where the run stands as `fold` tells.
    #[must_use]
    pub fn new(registry: &str, operations: Box<dyn Iterator<Item = Result<Operation>> + Send>, fold: Arc<Fold>) -> Self {
        let ended = HashMap::new();
        Self { registry: registry.into(), operations, fold, ahead: None, ended, in_hand: 0, wave: 0, verified: 0, other: 0 }
    }
}

impl Work for Whole {
    fn next(&mut self) -> Result<Next> {
        let of_ours = |next: &Result<Operation>| next.as_ref().map_or(true, |operation| *operation.registry == *self.registry);
        let operation = match self.ahead.take() {
            Some(operation) => operation,
            None => match self.operations.find(of_ours) {
                Some(operation) => operation?,
                None => return Ok(Next::Over),
            },
        };
        if operation.wave > self.wave {
            let begins = operation.wave;
            self.ahead = Some(operation);
            if self.in_hand > 0 {
                return Ok(Next::Later(None));
            }
            let (wave, verified, other) = (self.wave, std::mem::take(&mut self.verified), std::mem::take(&mut self.other));
            self.wave = begins;
            return if wave == 0 { self.next() } else { Ok(Next::WaveOver { wave, verified, other }) };
        }
        self.in_hand += 1;
        Ok(Next::Job(Box::new(job(operation, &self.fold, 0))))
    }

    fn ended(&mut self, op: u64, state: StepState) {
        self.ended.insert(op, state);
        self.in_hand = self.in_hand.saturating_sub(1);
        *if state == StepState::Verified { &mut self.verified } else { &mut self.other } += 1;
    }

    fn end_of(&self, op: u64) -> Option<StepState> {
        self.ended.get(&op).copied()
    }
}

/// An operation with how its steps stand.
pub(super) fn job(operation: Operation, fold: &Fold, turn: u32) -> Job {
    let standings = (0..operation.count()).map(|step| fold.of(operation.op, step)).collect();
    Job { operation, standings, turn }
}
