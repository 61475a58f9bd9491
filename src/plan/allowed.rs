//! What a registry's rules forbid of a step, whoever wrote it: recipes plan nothing of the kind, and a plan is a file.

use super::fact::Fact;
use super::operation::Turn;
use crate::model::ObjectKind;
use crate::policy::{Capability, Profile, Rule};
use crate::rules::status_change;

/// The number of the rule by which no step that does `turn` with an object of `kind` may change `fact`, `adding` it or taking it away,
/// and the words; nothing where it may.
#[must_use]
pub fn forbidden(profile: &Profile, turn: Turn, kind: ObjectKind, fact: &Fact, adding: bool) -> Option<(Box<str>, String)> {
    let no = |what: &str| Some(("R-plan-001".into(), format!("the registry does not allow {what}")));
    let by = |what: &str, rule: &Rule<Capability>| match rule.value {
        Capability::Yes => None,
        Capability::No => no(what),
        Capability::Unknown => Some(("R-plan-002".into(), format!("whether the registry allows {what} is not known"))),
    };
    let barred = match (kind, turn) {
        (ObjectKind::Contact, _) if !profile.has_contacts() => no("contacts"),
        (ObjectKind::Contact, Turn::Create) | (ObjectKind::Domain, Turn::Update) => None,
        (ObjectKind::Contact, Turn::Update) => by("a change of a contact", &profile.capabilities.contact_update),
        (ObjectKind::Contact, Turn::Delete) => by("deleting a contact", &profile.capabilities.contact_delete),
        (ObjectKind::Domain, Turn::Create | Turn::Delete) => no("a plan to make or delete a domain"),
    };
    let status = || fact.as_status().and_then(|status| status_change(profile, kind, status, adding));
    barred.or_else(|| status().map(|finding| (finding.rule, finding.what.into())))
}
