//! Where a service ended: the registrant's own contact comes back, and proxy contacts that nothing points at go away.

use super::behind::{kept, orphaned};
use super::known::{Asked, Known, column};
use super::parts::{ROLES, Visible, plain, points_at, reason};
use super::withhold::{barred, mechanism};
use super::{Outcome, Pair, Site};
use crate::base::{DomainName, Result};
use crate::dataset::{DomainField, Row};
use crate::diff::proxy_handle;
use crate::model::{Finding, FindingSeverity, ObjectKind};
use crate::plan::basis::{Bases, Decision, Purpose};
use crate::plan::{BasisKind, DraftStep, Fact, Undo};
use crate::policy::RegistrantChange;

const CONTACT: ObjectKind = ObjectKind::Contact;
const DOMAIN: ObjectKind = ObjectKind::Domain;

/// What the recipe asks for.
pub(super) fn asks(site: &Site<'_>, pair: Pair<'_>, asked: &mut Asked) {
    let proxy = proxy_handle(&DomainName::new(pair.id()));
    if site.protection(pair.id()).is_none() && pair.remote.is_some_and(|row| points_at(row, |handle| handle == proxy)) {
        asked.unwanted(&proxy);
    }
}

/// Puts a domain's own contacts back where no service masks them any more, and deletes the proxy contact that nothing names then. The
/// lock stays.
pub(super) fn domain(site: &Site<'_>, pair: Pair<'_>, known: &Known, out: &mut Outcome) {
    if site.protection(pair.id()).is_some() {
        return;
    }
    let Some((local, remote)) = pair.local.zip(pair.remote) else { return };
    let proxy = proxy_handle(&DomainName::new(local.id()));
    let is_mask = |handle: &&str| *handle == proxy || site.is_v1(handle);
    let masked: Vec<DomainField> =
        std::iter::once(DomainField::Registrant).chain(ROLES).filter(|field| column(remote, *field).iter().any(is_mask)).collect();
    if masked.is_empty() {
        return;
    }
    let at = (DOMAIN, local.id());
    let change = &site.profile.change_of_registrant;
    if masked.contains(&DomainField::Registrant) && change.value != RegistrantChange::Update {
        let what = "the registry changes a registrant by a procedure of its own, which is not planned here";
        return out.leave(site.finding(at, "R-plan-008", "registrant", what, change));
    }
    if let Some(finding) = site.frozen(DOMAIN, remote) {
        return out.leave(finding);
    }
    let mut step = DraftStep::update(DOMAIN, local.id());
    let mut visible = Vec::new();
    for field in masked {
        let handles = column(local, field);
        if let Some(absent) = handles.iter().find(|handle| !known.is_there(handle)) {
            let what = format!("the contact {absent} is not at the registry: create it first");
            return out.leave(site.ours(at, "R-plan-006", field.name(), what));
        }
        if handles.is_empty() && field == DomainField::Registrant {
            return out.leave(site.ours(at, "R-plan-006", field.name(), "the local record names no registrant"));
        }
        let joined = handles.join(";");
        step = step.setting(Fact::column(field.name()), remote, Some(joined.clone()).filter(|handles| !handles.is_empty()));
        visible.push(Visible { domain: local.id().into(), role: field.name(), handles: joined, shows: "record" });
    }
    let reasons =
        visible.iter().map(|one| reason("RTR-10", format!("no service masks the {} any more: {} is shown", one.role, one.handles)));
    let mut draft = site.draft(at, plain(BasisKind::Ended), reasons.collect());
    draft.steps.push(step);
    if let Some(deletion) = unused(site, &proxy, known, out) {
        draft.steps.push(deletion);
        draft.reasons.push(reason("RTR-10", "nothing names its proxy contact then"));
    }
    out.drafts.push(draft);
    out.visible.extend(visible);
}

/// The deletion of a domain's proxy contact, once the domain has its own contacts back; tells what keeps it.
fn unused(site: &Site<'_>, proxy: &str, known: &Known, out: &mut Outcome) -> Option<DraftStep> {
    let row = known.unwanted(proxy)?;
    // That the domain itself names it still is what the step before ends.
    let Some(finding) = kept(site, row, true) else { return Some(DraftStep::delete(CONTACT, row, true)) };
    out.told.push(Finding { severity: FindingSeverity::Warning, ..finding });
    None
}

/// Deletes a proxy contact that no domain names, and shows a contact again that is withheld though nothing says that it is to be.
pub(super) fn contact(site: &Site<'_>, pair: Pair<'_>, asked: &Asked, bases: &mut dyn Bases, out: &mut Outcome) -> Result<()> {
    if !site.selection.contact(pair.id()) {
        return Ok(());
    }
    match (pair.local, pair.remote) {
        (None, Some(remote)) => orphan(site, remote, asked, out),
        (Some(local), Some(remote)) if site.is_by_contact() && !asked.is_hidden(pair.id()) => show(site, (local, remote), bases, out)?,
        _ => {}
    }
    Ok(())
}

/// A proxy contact of the provider's that nothing names.
fn orphan(site: &Site<'_>, remote: &Row, asked: &Asked, out: &mut Outcome) {
    let Some(domain) = orphaned(site, remote, asked) else { return };
    let at = (CONTACT, remote.id());
    if let Some(finding) = kept(site, remote, false) {
        return out.leave(finding);
    }
    let mut draft =
        site.draft(at, plain(BasisKind::OwnData), vec![reason("RTR-10", format!("no domain names the proxy contact of {domain}"))]);
    draft.undo = Undo::Irreversible("a contact that was deleted is not the same when it is created again".to_owned());
    draft.steps.push(DraftStep::delete(CONTACT, remote, true));
    out.drafts.push(draft);
}

/// A contact that says of itself to be shown, is withheld, and is no protected domain's registrant. A person is shown only upon the
/// person's own word.
fn show(site: &Site<'_>, (local, remote): (&Row, &Row), bases: &mut dyn Bases, out: &mut Outcome) -> Result<()> {
    let Some((fact, hides, shows)) = mechanism(site, local) else { return Ok(()) };
    let normal = |row: &Row| fact.normal(CONTACT, fact.of(CONTACT, row).as_deref());
    let is_hidden = normal(remote) == fact.normal(CONTACT, Some(&hides));
    let wants = normal(local);
    if !is_hidden || wants.is_none() || wants != fact.normal(CONTACT, shows.as_deref()) {
        return Ok(());
    }
    let at = (CONTACT, local.id());
    if let Some(finding) = barred(site, local.id(), &fact).or_else(|| site.frozen(CONTACT, remote)) {
        out.leave(finding);
        return Ok(());
    }
    match bases.decide(site.registry, local, Purpose::Publication)? {
        Decision::Allowed(basis) if basis.kind == BasisKind::ExplicitConsent => {
            let mut draft = site.draft(at, basis, vec![reason("ENM-7", "consent was given, and the contact is withheld")]);
            draft.steps.push(DraftStep::update(CONTACT, local.id()).setting(fact, remote, shows));
            out.drafts.push(draft);
        }
        Decision::Allowed(_) => out.block(site.ours(at, "RTR-6", fact.as_str(), "a person is shown upon explicit consent only")),
        Decision::Blocked { rule, why } => out.block(site.ours(at, &rule, fact.as_str(), format!("stays withheld: {why}"))),
    }
    Ok(())
}
