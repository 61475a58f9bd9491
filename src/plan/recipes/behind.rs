//! What protection leaves behind at a registry: proxy contacts that no domain names, and registrants' own contacts in whose place a
//! proxy contact stands.

use super::known::Asked;
use super::{Pair, Site};
use crate::base::DomainName;
use crate::dataset::{ContactField, DomainField, Protection, Row};
use crate::diff::proxy_handle;
use crate::model::{Finding, FindingSeverity, ObjectKind};
use crate::policy::Capability;

const CONTACT: ObjectKind = ObjectKind::Contact;
/// Statuses with which a registry refuses to delete a contact (RFC 5733 §2.2).
const KEEPING: [&str; 7] =
    ["clientDeleteProhibited", "serverDeleteProhibited", "pendingCreate", "pendingDelete", "pendingTransfer", "pendingUpdate", "linked"];

/// A contact that protection left behind at its registry.
#[derive(Clone, Debug)]
pub struct Behind {
    /// Its handle.
    pub handle: Box<str>,
    /// What it is.
    pub what: Remnant,
    /// What keeps the registry from deleting it, or would: nothing where it can go.
    pub blockers: Vec<Blocker>,
    /// What somebody should do about it.
    pub finding: Option<Finding>,
}

/// What a contact that was left behind is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remnant {
    /// The proxy contact of a domain, which no domain names.
    Orphan(Box<str>),
    /// The own contact of a registrant, in whose place a proxy contact stands in so many domains.
    Residual(u32),
}

/// What keeps a contact from being deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocker {
    /// A domain of ours that names it.
    Domain(Box<str>),
    /// A status of its own; `linked` stands here where no domain of ours accounts for it.
    Status(&'static str),
    /// The registry does not delete contacts, or nobody knows whether it does.
    Capability(Capability),
}

impl Blocker {
    /// What kind of thing it is, and its name.
    #[must_use]
    pub fn told(&self) -> (&'static str, &str) {
        match self {
            Self::Domain(name) => ("domain", name),
            Self::Status(status) => ("status", status),
            Self::Capability(Capability::No) => ("registry", "no"),
            Self::Capability(_) => ("registry", "unknown"),
        }
    }
}

/// Asks of a domain which contact its proxy contact replaced.
pub(in crate::plan) fn asks(site: &Site<'_>, pair: Pair<'_>, asked: &mut Asked) {
    asked.links(pair);
    if !site.is_by_proxy() || site.protection(pair.id()) != Some(Protection::V2) {
        return;
    }
    let Some((local, remote)) = pair.local.zip(pair.remote) else { return };
    let own = local.get(DomainField::Registrant.at()).filter(|own| !site.is_provider(local.id(), own));
    if let Some(own) = own.filter(|_| remote.get(DomainField::Registrant.at()) == Some(&proxy_handle(&DomainName::new(local.id())))) {
        asked.replace(own);
    }
}

/// Whether a contact was left behind.
pub(in crate::plan) fn contact(site: &Site<'_>, pair: Pair<'_>, asked: &Asked) -> Option<Behind> {
    let remote = pair.remote?;
    let handle = Box::from(remote.id());
    if pair.local.is_none() {
        let domain = orphaned(site, remote, asked)?;
        let what = format!("no domain names the proxy contact of {domain}: `privet plan privacy-off` deletes it");
        let finding = Some(told(site, remote, what));
        return Some(Behind { handle, what: Remnant::Orphan(domain), blockers: keeping(site, remote).collect(), finding });
    }
    let replaced = asked.replaced(remote.id())?;
    let mut blockers: Vec<Blocker> = replaced.named_by.iter().cloned().map(Blocker::Domain).collect();
    // A contact that domains of ours name is in use, and the registry says of it that it is linked for their sake.
    let is_used = !blockers.is_empty();
    blockers.extend(keeping(site, remote).filter(|blocker| !(is_used && *blocker == Blocker::Status("linked"))));
    let domains = replaced.domains;
    let finding = (!is_used).then(|| {
        let named = |blocker: &Blocker| format!("{} {}", blocker.told().0, blocker.told().1);
        let keeping: Vec<String> = blockers.iter().map(named).collect();
        let kept = if keeping.is_empty() { String::new() } else { format!(", which is kept by: {}", keeping.join(", ")) };
        let place = if domains == 1 { "a domain".to_owned() } else { format!("{domains} domains") };
        told(
            site,
            remote,
            format!("a proxy contact took its place in {place}, and no domain names it any more: to be deleted at the registry{kept}"),
        )
    });
    Some(Behind { handle, what: Remnant::Residual(domains), blockers, finding })
}

/// The domain whose proxy contact this is, where no domain names it and none is to.
pub(super) fn orphaned(site: &Site<'_>, remote: &Row, asked: &Asked) -> Option<Box<str>> {
    let email = remote.get(ContactField::Email.at()).unwrap_or_default();
    let (domain, relay) = email.rsplit_once('@')?;
    // A mask of the older service has an address there, too, and belongs to no domain.
    let is_ours = relay.eq_ignore_ascii_case(site.settings?.email_domain.as_str()) && remote.id() == proxy_handle(&DomainName::new(domain));
    let is_needed = asked.linked(remote.id()) > 0 || site.protection(domain) == Some(Protection::V2);
    (is_ours && !is_needed).then(|| domain.into())
}

/// What keeps the registry from deleting a contact, as far as the contact itself and the profile tell.
fn keeping<'a>(site: &Site<'_>, remote: &'a Row) -> impl Iterator<Item = Blocker> + use<'a> {
    let capability = site.profile.capabilities.contact_delete.value;
    let barred = (capability != Capability::Yes).then_some(Blocker::Capability(capability));
    let statuses = remote.get(ContactField::Statuses.at()).unwrap_or_default();
    let stands = move |status: &&'static str| statuses.split(';').any(|held| held.trim() == *status);
    barred.into_iter().chain(KEEPING.into_iter().filter(stands).map(Blocker::Status))
}

/// Why a contact is not planned to be deleted; nothing where it can be. What is to be `unlinked` before may be linked still.
pub(super) fn kept(site: &Site<'_>, remote: &Row, unlinked: bool) -> Option<Finding> {
    let at = (CONTACT, remote.id());
    match keeping(site, remote).find(|blocker| !(unlinked && *blocker == Blocker::Status("linked")))? {
        Blocker::Capability(_) => site.barred(at, "", "deleting a contact", &site.profile.capabilities.contact_delete),
        Blocker::Status("linked") => {
            let what = "the registry says that something names this contact still, though no domain of ours does (2305)";
            Some(site.ours(at, "R-plan-011", "statuses", what))
        }
        Blocker::Status(status) => {
            let what = format!("the registry refuses to delete a contact with the status {status}");
            Some(Finding { source: "RFC 5733 §2.2".into(), ..site.ours(at, "R-plan-010", "statuses", what) })
        }
        Blocker::Domain(_) => None,
    }
}

/// A finding about a contact that was left behind: nobody is shown by it.
fn told(site: &Site<'_>, remote: &Row, what: String) -> Finding {
    Finding { severity: FindingSeverity::Warning, ..site.ours((CONTACT, remote.id()), "R-plan-011", "linked", what) }
}
