//! Mechanisms that a contact carries itself: a disclose statement, a consent to be published, a restriction. One contact's change
//! touches every domain that uses it.

use super::known::Asked;
use super::parts::{plain, reason};
use super::{Outcome, Pair, Site};
use crate::dataset::{ContactField, Row};
use crate::diff::withheld;
use crate::model::{Finding, ObjectKind};
use crate::plan::{BasisKind, DraftStep, Fact, Undo};
use crate::policy::Privacy;

const CONTACT: ObjectKind = ObjectKind::Contact;
/// How many domains are named where a contact cannot be changed because of them.
const NAMED: usize = 5;

/// The fact of a contact that hides it, with the value that does and the one that does not; nothing where it carries none.
pub(super) fn mechanism(site: &Site<'_>, row: &Row) -> Option<(Fact, String, Option<String>)> {
    let property = |key: &str, hides: bool| (Fact::property(key), hides.to_string(), Some((!hides).to_string()));
    match site.profile.privacy.value {
        Privacy::Disclose => {
            let hides = withheld(row, site.profile).get(ContactField::Disclose.at()).unwrap_or_default().to_owned();
            let shows = hides.strip_prefix("0:").map(|names| format!("1:{names}"));
            Some((Fact::column(ContactField::Disclose.name()), hides, shows))
        }
        // RFC 5733's way is no registry's here: the words are those of the extension that carries the mechanism.
        Privacy::Consent => Some(property("consentForPublishing", false)),
        Privacy::RestrictedPublication => Some(property("restrictedPublication", true)),
        Privacy::ProxyContact | Privacy::Publication | Privacy::None | Privacy::Unknown => None,
    }
}

/// What keeps a contact's mechanism from being used.
pub(super) fn barred(site: &Site<'_>, id: &str, fact: &Fact) -> Option<Finding> {
    let (at, capabilities) = ((CONTACT, id), &site.profile.capabilities);
    if site.profile.privacy.value == Privacy::Disclose
        && let Some(finding) = site.barred(at, fact.as_str(), "a disclose statement", &capabilities.disclose)
    {
        return Some(finding);
    }
    let unknown = fact.as_property().filter(|key| !site.profile.properties.contains_key(*key));
    if unknown.is_some() {
        let what = "the profile does not know the property that carries this, so that it is not planned";
        return Some(site.finding(at, "R-plan-002", fact.as_str(), what, &site.profile.privacy));
    }
    site.barred(at, fact.as_str(), "a change of a contact", &capabilities.contact_update)
}

/// Hides a registrant by what its contact carries.
pub(super) fn contact(site: &Site<'_>, pair: Pair<'_>, asked: &Asked, out: &mut Outcome) {
    let Some(uses) = asked.uses_of(pair.id()) else { return };
    let at = (CONTACT, pair.id());
    let Some(local) = pair.local else { return };
    let Some((fact, hides, _)) = mechanism(site, local) else { return };
    let Some(remote) = pair.remote else { return out.leave(site.unread(at)) };
    let stands = fact.of(CONTACT, remote);
    if fact.normal(CONTACT, stands.as_deref()) == fact.normal(CONTACT, Some(&hides)) {
        return;
    }
    if let Some(finding) = barred(site, pair.id(), &fact).or_else(|| site.frozen(CONTACT, remote)) {
        return out.leave(finding);
    }
    if !uses.others.is_empty() {
        let named: Vec<&str> = uses.others.iter().take(NAMED).map(AsRef::as_ref).collect();
        let more = uses.others.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let what = format!(
            "hiding this contact touches {}{more}, which the selection does not include or no service protects: select them, or give the protected domains a contact of their own",
            named.join(", ")
        );
        return out.leave(site.ours(at, "R-plan-005", fact.as_str(), what));
    }
    let mut draft =
        site.draft(at, plain(BasisKind::Withholding), vec![reason("DNZ-1", "the registry's own means of withholding is not in use")]);
    if stands.is_none() && fact.as_property().is_none() {
        draft.undo = Undo::Irreversible("a disclose statement can be replaced, and not be taken back (RFC 5733 §2.9)".to_owned());
    }
    draft.steps.push(DraftStep::update(CONTACT, pair.id()).setting(fact, remote, Some(hides)));
    draft.touches = uses.wanted.iter().map(|domain| (ObjectKind::Domain, domain.to_string())).collect();
    out.drafts.push(draft);
}
