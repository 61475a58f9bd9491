//! What reading an object says about a step, and the command that takes it.

use super::values::Values;
use crate::base::{Blame, Exit, ObjectKey, Problem, Result, Secret};
use crate::model::{HostsFilter, ObjectKind, Query, ResData, Response, ResultCode, Transform};
use crate::plan::{Standing, Step, Turn, Value, Wanted, state_digest, transform};

/// How an object stands to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// As wanted.
    Wanted,
    /// As it was observed when the step was planned.
    Observed,
    /// Neither.
    Neither,
    /// Not there, though the step needs it.
    Gone,
}

/// Compares an object with a step, by the digests of the step's facts.
#[must_use]
pub fn look(step: &Step, key: &ObjectKey, standing: &Standing) -> Look {
    let row = standing.row();
    if row.is_none() && step.turn == Turn::Update {
        return Look::Gone;
    }
    let kind = step.object.kind;
    let values: Vec<Option<String>> = step.facts.iter().map(|change| change.fact.of(kind, row?)).collect();
    let digest = state_digest(key, kind, step.facts.iter().zip(&values).map(|(change, value)| (&change.fact, value.as_deref())));
    // A creation whose facts are all absent on both sides tells nothing apart but whether the object is there.
    if digest == step.wanted && (step.turn != Turn::Create || row.is_some()) {
        Look::Wanted
    } else if digest == step.observed && (step.turn != Turn::Create || row.is_none()) {
        Look::Observed
    } else {
        Look::Neither
    }
}

/// The question that tells how a step's object stands.
#[must_use]
pub(super) fn question(step: &Step) -> Query {
    let id = step.object.id.as_str();
    match step.object.kind {
        ObjectKind::Contact => Query::ContactInfo { id: id.into(), auth: None },
        ObjectKind::Domain => Query::DomainInfo { name: id.into(), hosts: HostsFilter::All, auth: None },
    }
}

/// How the object stands by an answer to [`question`]; nothing where the answer does not tell.
#[must_use]
pub(super) fn standing(response: Response) -> Option<Standing> {
    match response.code() {
        ResultCode::DOES_NOT_EXIST => Some(Standing::Nothing),
        code if code.is_success() => response.data.into_iter().find_map(|data| match data {
            ResData::Contact(contact) => Some(contact.into()),
            ResData::Domain(domain) => Some(domain.into()),
            _ => None,
        }),
        _ => None,
    }
}

/// What a step sets, with its sealed values opened. Conditions, which stay as they are, are left out.
///
/// # Errors
/// `E-apply-001` (exit 21) where a value has expired; what [`Values::open`] returns.
pub(super) fn wanted(step: &Step, key: &ObjectKey, values: &mut dyn Values) -> Result<Wanted> {
    let mut out = Wanted::new();
    for change in step.changes() {
        let value = match &change.wanted {
            Value::Absent => None,
            Value::Clear(value) => Some(value.clone()),
            Value::Sealed(digest) => {
                let opened = values.open(key, change.fact.as_str(), digest)?;
                let text = opened.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
                Some(text.ok_or_else(|| expired(step))?)
            }
        };
        out.push((change.fact.clone(), value));
    }
    Ok(out)
}

fn expired(step: &Step) -> Box<Problem> {
    let what = "a value of the plan is not in the vault any more";
    Problem::new("E-apply-001", Blame::Operator, what, "plan again").object(step.object.id.clone()).exit(Exit::PlanStale)
}

/// The command that takes a step.
///
/// # Errors
/// As [`wanted`] and [`transform`].
pub(super) fn command(step: &Step, key: &ObjectKey, standing: &Standing, values: &mut dyn Values, auth: Secret) -> Result<Transform> {
    let wanted = wanted(step, key, values)?;
    transform(step.object.kind, &step.object.id, step.turn, &wanted, standing, auth)
}

/// Whether a command on the object is pending at the registry (RFC 5731 §2.3).
#[must_use]
pub(super) fn is_pending(standing: &Standing) -> bool {
    let statuses = match standing {
        Standing::Nothing => return false,
        Standing::Contact(contact, _) => &contact.statuses,
        Standing::Domain(domain, _) => &domain.statuses,
    };
    statuses.iter().any(|status| matches!(status.value.as_str(), "pendingUpdate" | "pendingCreate" | "pendingDelete"))
}
