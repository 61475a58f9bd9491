//! Contacts of a domain by role: `R-role-…`.

use super::judge::{Basis, Sheet};
use super::subject::{Place, Subject};
use crate::dataset::DomainField;
use crate::policy::{DomainRole, Profile};
use std::collections::BTreeSet;

/// The handles of a role, each once.
fn handles<'s>(role: DomainRole, subject: &'s Subject<'_>) -> BTreeSet<&'s str> {
    let column = match role {
        DomainRole::Registrant => DomainField::Registrant,
        DomainRole::Admin => DomainField::Admin,
        DomainRole::Tech => DomainField::Tech,
        DomainRole::Billing => DomainField::Billing,
    };
    let columns = subject.row.get(column.at()).unwrap_or_default().split(';').map(str::trim);
    columns.chain(subject.further(role.as_str()).map(|(_, handle)| handle)).filter(|h| !h.is_empty()).collect()
}

/// Judges how many contacts each role has, and whether a tied registrant has the roles it must have itself.
pub(super) fn judge(subject: &Subject<'_>, ties: impl Fn(&str) -> u8, sheet: &mut Sheet<'_, '_>) {
    let roles = &sheet.judge.profile.roles;
    for (role, rules) in roles {
        let there = handles(*role, subject);
        let field = || role.as_str().to_owned();
        if let Some(rule) = &rules.count {
            let (count, min, max) = (there.len(), rule.value.min as usize, rule.value.max.map(|max| max as usize));
            if count < min {
                sheet.add("R-role-001", field(), Basis::of(rule), format!("{count} contacts in this role, at least {min}"));
            } else if let Some(max) = max.filter(|max| count > *max) {
                sheet.add("R-role-001", field(), Basis::of(rule), format!("{count} contacts in this role, at most {max}"));
            }
        }
        if let Some(rule) = &rules.registrant
            && let Some(registrant) = handles(DomainRole::Registrant, subject).first()
            && ties(registrant) & bit(*role) != 0
            && !(there.len() == 1 && there.contains(registrant))
        {
            let what = "the contact in this role must be the registrant itself".to_owned();
            sheet.add("R-role-002", field(), Basis::of(rule), what).suggestion = Some((*registrant).into());
        }
    }
}

/// The roles that a contact must have itself where it is the registrant, one bit each.
pub(super) fn ties(profile: &Profile, contact: &Subject<'_>) -> u8 {
    let holds = |when: &crate::policy::When| when.holds(contact.value(Place::of_contact(&when.field), &when.field, None));
    let tied = |rules: &crate::policy::RoleRules| rules.registrant.as_ref().is_some_and(|rule| rule.value.iter().all(holds));
    profile.roles.iter().filter(|(_, rules)| tied(rules)).fold(0, |bits, (role, _)| bits | bit(*role))
}

const fn bit(role: DomainRole) -> u8 {
    match role {
        DomainRole::Registrant => 1,
        DomainRole::Admin => 2,
        DomainRole::Tech => 4,
        DomainRole::Billing => 8,
    }
}
