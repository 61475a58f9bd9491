//! What a registry's rules forbid of a step, whoever wrote it: recipes plan nothing of the kind, and a plan is a file.

use super::fact::Fact;
use super::operation::Turn;
use crate::model::ObjectKind;
use crate::policy::{Capability, Profile, Rule};
use crate::rules::status_change;

/// The number of the rule by which no step may do `turn` with an object of `kind`, or change the fact of it that is given, setting it
/// (`true`) or taking it away; and the words. Nothing where it may.
#[must_use]
pub fn forbidden(profile: &Profile, turn: Turn, kind: ObjectKind, change: Option<(&Fact, bool)>) -> Option<(Box<str>, String)> {
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
    let status = || change.and_then(|(fact, adding)| status_change(profile, kind, fact.as_status()?, adding));
    barred.or_else(|| status().map(|finding| (finding.rule, finding.what.into())))
}
