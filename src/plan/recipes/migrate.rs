//! From privacy-protect v1, which masks every role with one contact, to v2, which masks the registrant alone by a contact of the
//! domain's own: lock, give the other roles back, renew the relay's address.

use super::known::{Asked, Known, column};
use super::lock::{self, Lock};
use super::parts::{ROLES, Visible, both, points_at, reason, together};
use super::privacy::{proxy_steps, unit};
use super::{Outcome, Pair, Site};
use crate::base::DomainName;
use crate::dataset::{DomainField, Row};
use crate::diff::proxy_handle;
use crate::model::ObjectKind;
use crate::plan::basis::Purpose;
use crate::plan::{DraftStep, Fact};
use crate::policy::{Privacy, RegistrantChange};

const DOMAIN: ObjectKind = ObjectKind::Domain;

/// Whether the registry holds a domain behind the older service's mask.
fn is_v1(site: &Site<'_>, row: &Row) -> bool {
    points_at(row, |handle| site.is_v1(handle))
}

/// What the recipe asks for.
pub(super) fn asks(site: &Site<'_>, pair: Pair<'_>, asked: &mut Asked) {
    if !pair.remote.is_some_and(|row| is_v1(site, row)) {
        return;
    }
    asked.proxy(pair.id());
    if let Some(handle) = pair.local.and_then(|row| row.get(DomainField::Registrant.at())) {
        asked.purpose(handle, Purpose::PrivacyProxy);
        asked.purpose(handle, Purpose::TransferLock);
    }
}

/// Moves a domain.
pub(super) fn domain(site: &Site<'_>, pair: Pair<'_>, known: &Known, out: &mut Outcome) {
    // A domain that no service protects any more is lifted, not moved.
    if !pair.remote.is_some_and(|row| is_v1(site, row)) || site.protection(pair.id()).is_none() {
        return;
    }
    let Some((local, remote)) = both(site, pair, out) else { return };
    let at = (DOMAIN, local.id());
    let privacy = &site.profile.privacy;
    if privacy.value != Privacy::ProxyContact {
        let what = "the mask stands at a registry whose mechanism is another: privacy-off gives the contacts back, and privacy hides the registrant";
        return out.leave(site.finding(at, "R-plan-001", "registrant", what, privacy));
    }
    if let Some(finding) =
        site.barred(at, "registrant", "a proxy contact in the registrant's place", &site.profile.capabilities.privacy_protect)
    {
        return out.leave(finding);
    }
    let Some(settings) = site.settings else { return };
    let change = &site.profile.change_of_registrant;
    if change.value != RegistrantChange::Update {
        let what = "the registry changes a registrant by a procedure of its own, which is not planned here";
        return out.leave(site.finding(at, "R-plan-008", "registrant", what, change));
    }
    if let Some(finding) = site.frozen(DOMAIN, remote) {
        return out.leave(finding);
    }
    let name = DomainName::new(local.id());
    let registrant = local.get(DomainField::Registrant.at()).unwrap_or_default();
    let mut reasons = vec![reason("RTR-3", "the older service masks every role")];
    let mut step = DraftStep::update(DOMAIN, local.id());
    match lock::of(site, remote) {
        Lock::Stands => step = step.resting_on(lock::fact(), remote),
        Lock::NoneHere => {}
        Lock::Missing => {
            step = step.setting(lock::fact(), remote, Some(Fact::SET.to_owned()));
            reasons.push(reason("RTR-7", "a protected domain is locked"));
        }
        Lock::Barred(finding) => {
            out.leave(site.ours(
                at,
                "RTR-7",
                "statuses",
                "no protection without the transfer lock that belongs to it, and the lock cannot be set",
            ));
            return out.leave(*finding);
        }
    }
    step = step.setting(Fact::column(DomainField::Registrant.name()), remote, Some(proxy_handle(&name)));
    let mut visible = Vec::new();
    for role in ROLES {
        let held = column(remote, role);
        if !held.iter().any(|handle| site.is_v1(handle)) {
            continue;
        }
        let (handles, shows) = match unmasked(site, (local, held, role), registrant, known) {
            Ok(moved) => moved,
            Err(absent) => {
                let what = format!("the contact {absent} is not at the registry: create it first");
                return out.leave(site.ours(at, "R-plan-006", role.name(), what));
            }
        };
        let joined = handles.join(";");
        let told = if joined.is_empty() { "nobody" } else { joined.as_str() };
        reasons.push(reason("RTR-3", format!("{} becomes visible as {told} ({shows})", role.name())));
        visible.push(Visible { domain: local.id().into(), role: role.name(), handles: joined.clone(), shows });
        step = step.setting(Fact::column(role.name()), remote, Some(joined).filter(|joined| !joined.is_empty()));
    }
    let proxy = match proxy_steps(site, &name, settings, known) {
        Ok(proxy) => proxy,
        Err(findings) => return findings.into_iter().for_each(|finding| out.leave(finding)),
    };
    reasons.push(reason("RTR-2", "the relay's address is the domain's own"));
    match together([Purpose::PrivacyProxy, Purpose::TransferLock].map(|purpose| known.decision(registrant, purpose))) {
        Ok(Some(basis)) => {
            out.drafts.push(unit(site, local.id(), proxy, step, basis, reasons));
            out.visible.extend(visible);
        }
        Ok(None) => {}
        Err((rule, why)) => out.block(site.ours(at, &rule, "registrant", format!("not moved: {why}"))),
    }
}

/// Who stands in a role once its mask is gone: the local record's contacts, but for the registrant's person, whom the remedy replaces.
///
/// # Errors
/// The handle of a contact that the registry does not hold.
fn unmasked(
    site: &Site<'_>,
    (local, held, role): (&Row, Vec<&str>, DomainField),
    registrant: &str,
    known: &Known,
) -> Result<(Vec<String>, &'static str), String> {
    let (remedy, remedied) = site.remedy(local.id());
    let mut shows = "record";
    let mut handles: Vec<String> = held.into_iter().filter(|handle| !site.is_v1(handle)).map(ToOwned::to_owned).collect();
    for handle in column(local, role) {
        if known.is_same(handle, registrant) {
            handles.push(remedy.clone());
            shows = remedied;
        } else if known.is_there(handle) {
            handles.push(handle.to_owned());
        } else {
            return Err(handle.to_owned());
        }
    }
    handles.sort_unstable();
    handles.dedup();
    Ok((handles, shows))
}
