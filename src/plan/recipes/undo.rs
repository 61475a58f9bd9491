//! The inverse of an operation that was applied: each verified step taken back, the last one first.

use super::parts::reason;
use super::{Outcome, Site};
use crate::base::{Result, ValueDigest};
use crate::dataset::DomainField;
use crate::model::{ObjectKind, StatusValue};
use crate::plan::{Basis, BasisKind, Change, Draft, DraftStep, Fact, ObjectName, Operation, Step, Turn, Undo, Value};

/// Opens a sealed value of an object; nothing where it has expired, or the object was erased.
pub type Open<'a> = dyn FnMut(&ObjectName, &Fact, &ValueDigest) -> Result<Option<String>> + 'a;

/// Plans what takes `operation` of the run `run` back, as far as its steps are `verified`. What was not verified has no effect to take
/// back; what needs a person's consent is left to the recipe that asks for it.
///
/// # Errors
/// What `open` returns.
pub fn inverse(
    site: &Site<'_>,
    run: &str,
    operation: &Operation,
    verified: &dyn Fn(u8) -> bool,
    open: &mut Open<'_>,
    out: &mut Outcome,
) -> Result<()> {
    let at = (operation.object.kind, operation.object.id.as_str());
    let done: Vec<&Step> = (0_u8..).zip(&operation.steps).filter(|(n, _)| verified(*n)).map(|(_, step)| step).collect();
    if done.is_empty() {
        return Ok(());
    }
    if let Undo::Irreversible(why) = &operation.undo {
        out.leave(site.ours(at, "R-plan-018", "", format!("cannot be undone: {why}")));
        return Ok(());
    }
    if let Some((field, what)) = wants_consent(site, operation, &done) {
        out.block(site.ours(at, "R-plan-019", &field, what));
        return Ok(());
    }
    let mut draft = Draft {
        registry: operation.registry.clone(),
        object: (at.0, at.1.to_owned()),
        steps: Vec::new(),
        basis: Basis {
            kind: BasisKind::Restored,
            evidence: vec![format!("run {run} operation {}", operation.op)],
            subject: None,
            purposes: Vec::new(),
        },
        undo: Undo::Inverse,
        touches: operation.touches.iter().map(|object| (object.kind, object.id.clone())).collect(),
        reasons: vec![reason("rollback", format!("operation {} of the run is undone", operation.op))],
    };
    for step in done.into_iter().rev() {
        if step.turn == Turn::Create
            && let Some(finding) =
                site.barred((step.object.kind, &step.object.id), "", "deleting a contact", &site.profile.capabilities.contact_delete)
        {
            out.told.push(finding);
            continue;
        }
        match back(step, open)? {
            Some(step) => draft.steps.push(step),
            None => {
                out.leave(site.ours(at, "R-plan-018", "", "cannot be undone: erased, the values that stood before are gone"));
                return Ok(());
            }
        }
    }
    // What was deleted and created again would not be the same.
    if draft.steps.iter().any(|step| step.turn() == Turn::Delete) {
        draft.undo = Undo::Irreversible("a contact that was deleted is not the same when it is created again".to_owned());
    }
    if !draft.steps.is_empty() {
        out.drafts.push(draft);
    }
    Ok(())
}

/// What of a rollback would need a person's consent, and what asks for it instead.
fn wants_consent(site: &Site<'_>, operation: &Operation, done: &[&Step]) -> Option<(String, &'static str)> {
    if operation.basis.kind == BasisKind::Withholding {
        return Some((
            String::new(),
            "the person would be shown again, which needs explicit consent: `privet plan privacy-off` asks for it",
        ));
    }
    let lock = StatusValue::CLIENT_TRANSFER_PROHIBITED;
    done.iter().flat_map(|step| step.facts.iter().map(move |change| (step, change))).find_map(|(step, Change { fact, was, wanted })| {
        if was == wanted {
            return None;
        }
        if fact.as_status() == Some(lock.as_str()) && *wanted == Value::Absent {
            return Some((fact.to_string(), "the domain would be locked, which needs consent: `privet plan lock` asks for it"));
        }
        let is_role = step.object.kind == ObjectKind::Domain
            && [DomainField::Registrant, DomainField::Admin, DomainField::Tech, DomainField::Billing]
                .iter()
                .any(|f| f.name() == fact.as_str());
        let names_provider = |value: &Value| match value {
            Value::Clear(handles) => handles.split(';').any(|handle| site.is_provider(&step.object.id, handle)),
            Value::Absent | Value::Sealed(_) => false,
        };
        (is_role && names_provider(was))
            .then(|| (fact.to_string(), "a person would be masked, which needs consent: `privet plan privacy` asks for it"))
    })
}

/// The step that takes `step` back; nothing where a value cannot be opened any more.
fn back(step: &Step, open: &mut Open<'_>) -> Result<Option<DraftStep>> {
    let turn = match step.turn {
        Turn::Create => Turn::Delete,
        Turn::Update => Turn::Update,
        Turn::Delete => Turn::Create,
    };
    let mut own = false;
    let mut facts = Vec::new();
    for Change { fact, was, wanted } in &step.facts {
        let mut clear = |value: &Value| -> Result<Option<Option<String>>> {
            Ok(match value {
                Value::Absent => Some(None),
                Value::Clear(value) => {
                    own |= fact.is_personal(step.object.kind);
                    Some(Some(value.clone()))
                }
                Value::Sealed(digest) => open(&step.object, fact, digest)?.map(Some),
            })
        };
        let (Some(now), Some(before)) = (clear(wanted)?, clear(was)?) else { return Ok(None) };
        facts.push((fact.clone(), now, before));
    }
    Ok(Some(DraftStep::of(turn, (step.object.kind, &step.object.id), own, facts)))
}
