//! What an applied plan came to, for people, for programs, and for the registrar's own database.

use super::table::Table;
use crate::base::{RegistryId, Result};
use crate::journal::{Fold, StepState, Tally, Why};
use crate::model::ObjectKind;
use crate::plan::{Operation, PlanFile, Turn, Value};
use crate::store::{Store, Vault};
use std::path::Path;

/// The table of operations that were begun and are not verified.
pub(super) const OUTCOMES: &str = "outcomes.csv";
/// The table of messages that were taken out of queues.
const MESSAGES: &str = "messages.csv";
/// Operations that are told one by one.
const TOLD: usize = 20;

/// What `apply` prints with `--format json`.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ApplyReport {
    /// The plan's id, which is the run's as well.
    pub plan: String,
    /// How many operations are in which state, over all runs of the plan.
    #[serde(flatten)]
    pub tally: Tally,
    /// Each registry's part.
    pub registries: Vec<ApplyRegistry>,
    /// The first operations that came to an end, or to a halt, other than "verified"; all of them stand in `outcomes.csv`.
    pub not_verified: Vec<NotVerified>,
    /// The table of all of them.
    pub outcomes: String,
    /// Messages that were taken out of the queues that are ours; each stands in `messages.csv` beside that table, and its words are
    /// sealed in the vault.
    pub messages: u64,
    /// Keys that were destroyed now, where contacts were erased: nothing that was sealed of them can be read any more.
    pub keys_destroyed: u64,
    /// Other workers that are at the run still: the last one ends it.
    #[serde(skip_serializing_if = "is_nobody")]
    pub others: u64,
    /// Whether the run is over: every operation has come to its end.
    pub closed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_nobody(others: &u64) -> bool {
    *others == 0
}

/// What became of one registry's part.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ApplyRegistry {
    /// The registry.
    pub id: RegistryId,
    /// How many operations are in which state, over all runs of the plan.
    #[serde(flatten)]
    pub tally: Tally,
    /// Why the part stopped before its end: the number of a problem.
    pub stopped: Option<String>,
}

/// A step at which an operation stands that was begun and is not verified.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct NotVerified {
    /// The operation's number in the plan.
    pub op: u64,
    /// The registry.
    pub registry: String,
    /// What the step's object is.
    pub kind: ObjectKind,
    /// Its handle or name.
    pub id: String,
    /// What the step does.
    #[serde(rename = "do")]
    pub turn: Turn,
    /// Where it stands.
    pub state: StepState,
    /// How often it was sent.
    pub sends: u8,
    /// Why, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

impl ApplyReport {
    /// The report for people.
    pub(super) fn told(&self) -> String {
        let line = |name: &str, tally: &Tally, stopped: Option<&str>| {
            let Tally { planned, verified, failed, conflict, unknown, pending, sends } = tally;
            let stopped = stopped.map_or_else(String::new, |why| format!("; stopped: {why}"));
            format!(
                "{name}: {verified} verified, {failed} failed, {conflict} in conflict, {unknown} unknown, {pending} pending, {planned} not begun; {sends} commands sent{stopped}\n"
            )
        };
        let mut text: String = self.registries.iter().map(|r| line(r.id.as_str(), &r.tally, r.stopped.as_deref())).collect();
        text.push_str(&line(&format!("plan {}", short(&self.plan)), &self.tally, None));
        for one in &self.not_verified {
            text.push_str(&format!("  {}\n", one.told()));
        }
        let others = (self.tally.failed + self.tally.conflict + self.tally.unknown + self.tally.pending).saturating_sub(TOLD as u64);
        if others > 0 {
            text.push_str(&format!("  and {others} more, in {}\n", self.outcomes));
        }
        if self.messages > 0 {
            text.push_str(&format!("  {} messages were taken out of queues: {MESSAGES} beside that table tells of each\n", self.messages));
        }
        if self.keys_destroyed > 0 {
            text.push_str(&format!("  {} keys were destroyed: what was sealed of the deleted contacts is gone\n", self.keys_destroyed));
        }
        match (self.closed, self.others, self.tally.planned) {
            (true, _, 0) => text.push_str("The run is over."),
            (true, ..) => text.push_str("The run is over: what was not begun never will be."),
            (false, 0, _) => text.push_str("The run is not over: the same command goes on with it."),
            (false, others, _) => text.push_str(&format!("Other workers are at the run still ({others}): the last one ends it.")),
        }
        text
    }
}

impl NotVerified {
    /// The step at which an operation stands; nothing where it was not begun, or all of it is verified.
    fn of(operation: &Operation, fold: &Fold) -> Option<Self> {
        let (number, standing) = fold.first_open(operation.op, operation.count())?;
        let step = operation.steps.get(usize::from(number))?;
        (standing.state != StepState::Planned || standing.sends > 0).then(|| Self {
            op: operation.op,
            registry: operation.registry.clone(),
            kind: step.object.kind,
            id: step.object.id.clone(),
            turn: step.turn,
            state: standing.state,
            sends: standing.sends,
            why: standing.why,
        })
    }

    /// In words.
    fn told(&self) -> String {
        let Self { op, registry, kind, id, turn, state, .. } = self;
        let why = self.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        format!("operation {op} at {registry}: {state}, at the {} of the {} {id}{why}", turn.as_str(), kind.as_str())
    }
}

/// The first digits of a plan's id, by which people call it.
pub(super) fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

/// Writes what came of a plan: `outcomes.csv`, the operations that were begun and are not verified, and `local-updates.csv`, what the run
/// changed, for the registrar's own database. Gives the first of those operations.
pub(super) fn tables(plan: &PlanFile, fold: &Fold, dir: &Path) -> Result<Vec<NotVerified>> {
    let mut updates = Table::create(&dir.join("local-updates.csv"), &["registry", "object", "id", "do", "field", "value", "digest"])?;
    let mut outcomes = Table::create(&dir.join(OUTCOMES), &["op", "registry", "object", "id", "do", "state", "sends", "why"])?;
    let mut first = Vec::new();
    for operation in plan.operations()? {
        let operation = operation?;
        local_updates(&operation, fold, &mut updates)?;
        let Some(one) = NotVerified::of(&operation, fold) else { continue };
        let why = one.why.as_ref().map(ToString::to_string).unwrap_or_default();
        let (op, sends) = (one.op.to_string(), one.sends.to_string());
        outcomes.row(&[&op, &one.registry, one.kind.as_str(), &one.id, one.turn.as_str(), one.state.as_str(), &sends, &why])?;
        if first.len() < TOLD {
            first.push(one);
        }
    }
    updates.end()?;
    outcomes.end()?;
    Ok(first)
}

/// A row for each fact of a verified step. A personal value stands there as the digest that it has in the plan: whoever planned it has
/// the value.
fn local_updates(operation: &Operation, fold: &Fold, table: &mut Table) -> Result<()> {
    let numbered = (0_u8..).zip(&operation.steps);
    for (_, step) in numbered.filter(|(number, _)| fold.of(operation.op, *number).state == StepState::Verified) {
        for change in step.changes() {
            let (value, digest) = match &change.wanted {
                Value::Absent => (String::new(), String::new()),
                Value::Clear(value) => (value.clone(), String::new()),
                Value::Sealed(digest) => (String::new(), digest.to_string()),
            };
            let (object, field) = (&step.object, change.fact.as_str());
            table.row(&[&operation.registry, object.kind.as_str(), &object.id, step.turn.as_str(), field, &value, &digest])?;
        }
    }
    Ok(())
}

/// Writes the messages that were taken out of queues, where there are any: what each is about, never its words. Gives their number.
pub(super) fn messages(fold: &Fold, store: &mut dyn Store, dir: &Path) -> Result<u64> {
    if fold.messages().next().is_none() {
        return Ok(0);
    }
    let mut table = Table::create(&dir.join(MESSAGES), &["registry", "id", "object", "granted", "taken"])?;
    let (mut vault, mut count) = (Vault::new(store), 0);
    for row in fold.messages() {
        let name = vault.object(row.reference)?.unwrap_or_default();
        let prefix = format!("{}/", row.registry);
        let object = name.strip_prefix(&prefix).filter(|object| !object.starts_with("message/")).unwrap_or_default();
        let granted = row.granted.map_or("", |granted| if granted { "yes" } else { "no" });
        table.row(&[&row.registry, &row.id, object, granted, &row.at.to_string()])?;
        count += 1;
    }
    table.end()?;
    Ok(count)
}
