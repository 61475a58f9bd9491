//! What runs of the past saw in place. A registry that is put back to an older state loses what it had acknowledged: what is planned
//! then was done before, and nobody should do it again without knowing.

use super::applied::short;
use super::apply::plans;
use crate::base::{Result, RowDigest, StateDir, Timestamp, row_digest};
use crate::journal::{self, StepState};
use crate::model::{Confidence, Finding, FindingSeverity, ObjectKind};
use crate::plan::{Operation, PlanFile, Reason, Value};
use crate::store::Store;
use std::collections::HashMap;

/// The rule of what is planned although a run saw it in place.
const RULE: &str = "R-plan-021";

/// The last value that a run verified of each fact, by registry, object and fact.
#[derive(Default)]
pub(super) struct Past {
    verified: HashMap<RowDigest, Seen>,
    runs: Vec<Run>,
}

/// A run.
struct Run {
    id: String,
    /// When it last saw something.
    last: Timestamp,
}

/// A value that a run verified.
struct Seen {
    value: RowDigest,
    /// Its place in [`Past::runs`].
    run: usize,
}

impl Past {
    /// Reads the journals of all runs whose plans expired at `since` or later. Memory holds some bytes for each fact that they set.
    ///
    /// # Errors
    /// As [`PlanFile::open`] and [`journal::open`].
    pub(super) fn read(state: &StateDir, store: &mut dyn Store, since: Timestamp) -> Result<Self> {
        let mut past = Self::default();
        for path in plans(state) {
            let plan = PlanFile::open(&path)?;
            if plan.header().expires < since {
                continue;
            }
            let fold = journal::open(store, &plan.header().id)?;
            let Some(last) = fold.last() else { continue };
            past.runs.push(Run { id: plan.header().id.clone(), last });
            for operation in plan.operations()? {
                let operation = operation?;
                let is_verified = |step| fold.of(operation.op, step).state == StepState::Verified;
                past.add(&operation, is_verified);
            }
        }
        Ok(past)
    }

    /// Takes what the newest of the runs verified of an operation, where no later run saw something else.
    fn add(&mut self, operation: &Operation, is_verified: impl Fn(u8) -> bool) {
        let run = self.runs.len().saturating_sub(1);
        for change in changes(operation).filter(|change| is_verified(change.step)) {
            let last = |run: usize| self.runs.get(run).map(|run| run.last);
            if self.verified.get(&change.place).is_none_or(|seen| last(seen.run) <= last(run)) {
                self.verified.insert(change.place, Seen { value: change.wanted, run });
            }
        }
    }

    /// Tells, in the operation and as a finding, that a run saw in place what it is to set; nothing where none did, or where a later run
    /// saw something else.
    pub(super) fn tell(&self, operation: &mut Operation) -> Option<Finding> {
        let (change, run) = changes(operation).find_map(|change| {
            let seen = self.verified.get(&change.place).filter(|seen| seen.value == change.wanted)?;
            Some((change, self.runs.get(seen.run)?))
        })?;
        let what = format!(
            "the run {} verified this on {}, and the registry does not have it any more: ask the registry, or who else changes this object, before it is done again",
            short(&run.id),
            run.last.strftime("%Y-%m-%d")
        );
        let finding = Finding::of(
            RULE,
            (FindingSeverity::Warning, "the journal of that run", Confidence::Seen),
            &operation.registry,
            change.object,
            change.fact,
            what.as_str(),
        );
        operation.reasons.push(Reason { rule: RULE.to_owned(), text: what });
        Some(finding)
    }
}

/// A fact that a step sets.
struct Setting<'o> {
    step: u8,
    object: (ObjectKind, &'o str),
    fact: &'o str,
    /// Where it is: registry, object and fact.
    place: RowDigest,
    /// What is wanted there.
    wanted: RowDigest,
}

fn changes(operation: &Operation) -> impl Iterator<Item = Setting<'_>> {
    let steps = (0_u8..).zip(&operation.steps);
    steps.flat_map(move |(number, step)| {
        step.changes().map(move |change| {
            let (kind, id, fact) = (step.object.kind, step.object.id.as_str(), change.fact.as_str());
            let wanted = match &change.wanted {
                Value::Absent => row_digest([None]),
                Value::Clear(text) => row_digest([Some(text.as_str()), None]),
                // Under the object's key: equal values of one object have equal digests.
                Value::Sealed(digest) => row_digest([None, Some(digest.to_string().as_str())]),
            };
            Setting {
                step: number,
                object: (kind, id),
                fact,
                place: row_digest([operation.registry.as_str(), kind.as_str(), id, fact].map(Some)),
                wanted,
            }
        })
    })
}
