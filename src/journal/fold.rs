//! What a run has come to: the fold over its rows.

use super::SENDS;
use super::entry::{Entry, MessageRow, StepRow};
use super::state::{StepState, Why, is_legal};
use crate::base::{Blame, Exit, Problem, Result, Timestamp};
use crate::plan::PlanFile;
use crate::store::{Head, StreamName};
use std::collections::{BTreeMap, HashMap};

/// Where a step is, and how often it was sent. One that nothing was done of is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: StepState,
    /// How many commands were sent for it.
    pub sends: u8,
    /// Why, where it failed.
    pub why: Option<Why>,
}

impl Default for Standing {
    fn default() -> Self {
        Self { state: StepState::Planned, sends: 0, why: None }
    }
}

/// A run as its rows tell it.
#[derive(Debug, Default)]
pub struct Fold {
    pub(super) heads: BTreeMap<StreamName, Head>,
    digest: Option<Box<str>>,
    steps: HashMap<(u64, u8), Standing>,
    messages: BTreeMap<(Box<str>, Box<str>), MessageRow>,
    last: Option<Timestamp>,
    closed: bool,
}

/// How many operations are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Tally {
    /// Not begun, or begun and without effect so far.
    pub planned: u64,
    /// As wanted, by reading.
    pub verified: u64,
    /// Without effect, and not tried again.
    pub failed: u64,
    /// Neither as observed nor as wanted.
    pub conflict: u64,
    /// Sent, outcome not known.
    pub unknown: u64,
    /// Taken by the registry, which decides later.
    pub pending: u64,
    /// Commands sent, over all operations.
    pub sends: u64,
}

impl Tally {
    /// Whether every operation has come to its end.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.planned == 0 && self.is_settled()
    }

    /// Whether nothing that was begun is open.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.unknown + self.pending == 0
    }
}

impl Fold {
    /// Takes the next row of a stream.
    ///
    /// # Errors
    /// `E-journal-001` (exit 33) where it cannot follow what came before.
    pub fn take(&mut self, stream: &StreamName, number: u64, entry: Entry) -> Result<()> {
        let wrong = |what: String| {
            let what = format!("row {number} of {stream} cannot follow what stands before it: {what}");
            let remedy = "keep the store as it is, and send it with the plan to the makers; nothing is sent to a registry";
            Err(Problem::new("E-journal-001", Blame::Us, what, remedy).exit(Exit::Storage))
        };
        if self.closed {
            return wrong("the run was closed".to_owned());
        }
        match entry {
            Entry::Opened { digest, .. } => match &self.digest {
                Some(known) if *known != digest => return wrong(format!("the run is of the plan {known}, and this says {digest}")),
                _ => self.digest = Some(digest),
            },
            Entry::Step(row) => {
                if let Err(what) = self.step(row) {
                    return wrong(what);
                }
            }
            // One that was kept and not acknowledged comes again.
            Entry::Message(row) => drop(self.messages.insert((row.registry.clone(), row.id.clone()), row)),
            Entry::Closed { .. } => self.closed = true,
            Entry::Resumed { .. } | Entry::WaveDone { .. } | Entry::RegistryStopped { .. } => {}
            Entry::Approved { .. } | Entry::Shown { .. } => return wrong("it belongs to a review".to_owned()),
        }
        Ok(())
    }

    fn step(&mut self, row: StepRow) -> Result<(), String> {
        let name = || format!("step {} of operation {}", row.step, row.op);
        let known = self.steps.entry((row.op, row.step)).or_default();
        let (from, sends) = (known.state, known.sends);
        if !is_legal(from, row.to) {
            return Err(format!("{} went from {from} to {}", name(), row.to));
        }
        let wanted = match (from, row.to) {
            (_, StepState::Sending) => sends + 1,
            // Not one byte of it was tried, so that it does not count.
            (StepState::Sending, StepState::Planned) => sends.saturating_sub(1),
            _ => sends,
        };
        if row.sends != wanted {
            return Err(format!("{} was sent {sends} times before, and this row counts {}", name(), row.sends));
        }
        if row.sends > SENDS {
            return Err(format!("{} was sent {} times", name(), row.sends));
        }
        *known = Standing { state: row.to, sends: row.sends, why: row.why };
        self.last = self.last.max(Some(row.at));
        Ok(())
    }

    /// Where a step is.
    #[must_use]
    pub fn of(&self, op: u64, step: u8) -> Standing {
        self.steps.get(&(op, step)).cloned().unwrap_or_default()
    }

    /// Where an operation of `steps` steps is: where its first step is that is not verified.
    #[must_use]
    pub fn operation(&self, op: u64, steps: u8) -> StepState {
        match self.first_open(op, steps).map(|(_, standing)| standing.state) {
            None => StepState::Verified,
            Some(StepState::Sending) => StepState::Unknown,
            Some(state) => state,
        }
    }

    /// The first of an operation's `steps` steps that is not verified, and how it stands.
    #[must_use]
    pub fn first_open(&self, op: u64, steps: u8) -> Option<(u8, Standing)> {
        (0..steps).map(|step| (step, self.of(op, step))).find(|(_, standing)| standing.state != StepState::Verified)
    }

    /// Whether an operation of `steps` steps was refused, since what allowed it did not hold any more when it was to be sent.
    #[must_use]
    pub fn is_blocked(&self, op: u64, steps: u8) -> bool {
        self.first_open(op, steps)
            .is_some_and(|(_, standing)| standing.state == StepState::Failed && matches!(standing.why, Some(Why::Blocked(_))))
    }

    /// How many of the operations, each given by its number and how many steps it has, are in which state.
    pub fn tally(&self, operations: impl IntoIterator<Item = (u64, u8)>) -> Tally {
        let mut tally = Tally::default();
        for (op, steps) in operations {
            tally.sends += (0..steps).map(|step| u64::from(self.of(op, step).sends)).sum::<u64>();
            let slot = match self.operation(op, steps) {
                StepState::Planned => &mut tally.planned,
                StepState::Verified => &mut tally.verified,
                StepState::Failed => &mut tally.failed,
                StepState::Conflict => &mut tally.conflict,
                StepState::Pending => &mut tally.pending,
                // Applied and not read back yet: nobody knows whether it took effect.
                StepState::Unknown | StepState::Sending | StepState::Applied => &mut tally.unknown,
            };
            *slot += 1;
        }
        tally
    }

    /// The digest of the plan that is applied; nothing where the run has not begun.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The row with which a process begins: the run opens with the plan, or goes on.
    #[must_use]
    pub fn first(&self, plan: &PlanFile, tool: &str, at: Timestamp) -> Entry {
        if self.digest.is_some() {
            return Entry::Resumed { at };
        }
        Entry::Opened { digest: plan.digest().into(), operations: plan.header().operations(), tool: tool.into(), at }
    }

    /// The messages that were taken out of queues, by registry and number.
    pub fn messages(&self) -> impl Iterator<Item = &MessageRow> {
        self.messages.values()
    }

    /// When a step last changed its state; nothing where none did.
    #[must_use]
    pub const fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// Whether the run is over.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// The head of a chain of this run.
    #[must_use]
    pub fn head(&self, stream: &StreamName) -> Head {
        self.heads.get(stream).copied().unwrap_or_else(|| Head::empty(stream))
    }

    /// How many steps are in `state`; those that nothing was done of are in none.
    #[must_use]
    pub fn in_state(&self, state: StepState) -> u64 {
        self.steps.values().filter(|standing| standing.state == state).count() as u64
    }

    /// The steps that were sent and of which nobody knows the outcome.
    pub fn unknown(&self) -> impl Iterator<Item = (u64, u8)> {
        let is_open = |state| matches!(state, StepState::Sending | StepState::Unknown | StepState::Applied);
        self.steps.iter().filter(move |(_, standing)| is_open(standing.state)).map(|(place, _)| *place)
    }
}
