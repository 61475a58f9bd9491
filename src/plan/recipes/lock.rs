//! The transfer lock, set with consent and lifted with a reason, where the registry has one that a registrar may set.

use super::known::{Asked, Known};
use super::parts::{both, plain, reason, together};
use super::{Outcome, Pair, Site};
use crate::dataset::{DomainField, Row};
use crate::model::{Finding, ObjectKind, StatusValue};
use crate::plan::basis::Purpose;
use crate::plan::{BasisKind, DraftStep, Fact};
use crate::policy::{Capability, TransferLock};
use crate::rules::status_change;

const DOMAIN: ObjectKind = ObjectKind::Domain;

/// What there is to do about a domain's lock.
pub(super) enum Lock {
    /// It is locked.
    Stands,
    /// It can be.
    Missing,
    /// The registry has no lock of that kind.
    NoneHere,
    /// It would have to be, and cannot.
    Barred(Box<Finding>),
}

/// The fact that a domain is locked.
pub(super) fn fact() -> Fact {
    Fact::status(StatusValue::CLIENT_TRANSFER_PROHIBITED.as_str())
}

/// What there is to do about the lock of a domain that its registry holds as `row`.
pub(super) fn of(site: &Site<'_>, row: &Row) -> Lock {
    let rule = &site.profile.transfer_lock;
    if fact().of(DOMAIN, row).is_some() {
        return Lock::Stands;
    }
    match rule.value.capability() {
        Capability::No => Lock::NoneHere,
        Capability::Unknown => {
            let what = "whether the registry has a transfer lock is not known, and what is not known is not planned";
            Lock::Barred(site.finding((DOMAIN, row.id()), "R-plan-002", "statuses", what, rule).into())
        }
        Capability::Yes => match status_change(site.profile, DOMAIN, StatusValue::CLIENT_TRANSFER_PROHIBITED.as_str(), true) {
            None => Lock::Missing,
            Some(finding) => Lock::Barred(site.of((DOMAIN, row.id()), finding).into()),
        },
    }
}

/// The recipe asks for the registrant's consent to the lock, where one is missing.
pub(super) fn asks(site: &Site<'_>, pair: Pair<'_>, asked: &mut Asked) {
    let is_missing = pair.remote.is_some_and(|row| matches!(of(site, row), Lock::Missing));
    if let Some(handle) = pair.local.and_then(|row| row.get(DomainField::Registrant.at())).filter(|_| is_missing) {
        asked.purpose(handle, Purpose::TransferLock);
    }
}

/// Locks a domain.
pub(super) fn domain(site: &Site<'_>, pair: Pair<'_>, known: &Known, out: &mut Outcome) {
    let Some((local, remote)) = both(site, pair, out) else { return };
    match of(site, remote) {
        Lock::Stands => {}
        Lock::Barred(finding) => out.leave(*finding),
        Lock::NoneHere => {
            out.leave(site.finding((DOMAIN, local.id()), "R-plan-001", "statuses", instead(site, remote), &site.profile.transfer_lock));
        }
        Lock::Missing => set(site, local, remote, known, out),
    }
}

/// Locks a domain that is not locked and can be, where its registrant agreed.
pub(super) fn set(site: &Site<'_>, local: &Row, remote: &Row, known: &Known, out: &mut Outcome) {
    let at = (DOMAIN, local.id());
    if let Some(finding) = site.frozen(DOMAIN, remote) {
        return out.leave(finding);
    }
    let registrant = local.get(DomainField::Registrant.at()).unwrap_or_default();
    match together([known.decision(registrant, Purpose::TransferLock)]) {
        Ok(Some(basis)) => {
            let step = DraftStep::update(DOMAIN, local.id()).setting(fact(), remote, Some(Fact::SET.to_owned()));
            let step = step.resting_on(Fact::column(DomainField::Registrant.name()), remote);
            let mut draft = site.draft(at, basis, vec![reason("RTR-12", "the domain can be transferred away")]);
            draft.steps.push(step);
            out.drafts.push(draft);
        }
        Ok(None) => {}
        Err((rule, why)) => out.block(site.ours(at, &rule, "statuses", format!("no transfer lock: {why}"))),
    }
}

/// Lifts a domain's lock for a time; what protects its registrant stays.
pub(super) fn off(site: &Site<'_>, pair: Pair<'_>, out: &mut Outcome) {
    let Some((local, remote)) = both(site, pair, out) else { return };
    let at = (DOMAIN, local.id());
    if fact().of(DOMAIN, remote).is_none() {
        return;
    }
    if let Some(finding) = status_change(site.profile, DOMAIN, StatusValue::CLIENT_TRANSFER_PROHIBITED.as_str(), false) {
        return out.leave(site.of(at, finding));
    }
    if let Some(finding) = site.frozen(DOMAIN, remote) {
        return out.leave(finding);
    }
    let until =
        site.relock.map_or_else(|| "no day is set for it to be locked again".to_owned(), |day| format!("it is locked again on {day}"));
    let mut draft = site.draft(at, plain(BasisKind::Ended), vec![reason("RTR-11", format!("unlocked for a time; {until}"))]);
    let step = DraftStep::update(DOMAIN, local.id()).setting(fact(), remote, None);
    draft.steps.push(step.resting_on(Fact::column(DomainField::Registrant.name()), remote));
    out.drafts.push(draft);
}

/// What keeps a domain in its place where there is no such lock.
fn instead(site: &Site<'_>, remote: &Row) -> String {
    let live = Fact::property("authInfo1").of(DOMAIN, remote).is_some();
    match site.profile.transfer_lock.value {
        TransferLock::OrderOnly => "the registry takes this lock only upon a formally served order, so it is told of and never set".to_owned(),
        TransferLock::NoAuthInfo if live => {
            "there is no such status: without live transfer credentials nothing moves, and this domain has some; deleting them is an operation of its own".to_owned()
        }
        TransferLock::NoAuthInfo => "there is no such status: without live transfer credentials nothing moves, and this domain has none".to_owned(),
        _ => "the registry has no transfer lock that a registrar can set".to_owned(),
    }
}
