//! Privacy-protect v2: only the registrant is replaced, by the registry's own mechanism, and the domain is locked in the same unit.

use super::known::{Asked, Known, Proxy, column, differs};
use super::lock::{self, Lock};
use super::parts::{Published, ROLES, both, plain, reason, together};
use super::{Outcome, Pair, Site};
use crate::base::DomainName;
use crate::dataset::{ContactField, DomainField, Protection, Row};
use crate::diff::{PrivacySettings, proxy_contact, proxy_email, proxy_handle};
use crate::model::{Finding, FindingSeverity, ObjectKind};
use crate::plan::basis::{Decision, Purpose};
use crate::plan::{Basis, BasisKind, Draft, DraftStep, Fact, Reason};
use crate::policy::{Privacy, Publication, RegistrantChange};
use crate::rules::Judge;

const CONTACT: ObjectKind = ObjectKind::Contact;
const DOMAIN: ObjectKind = ObjectKind::Domain;

/// What the recipe asks for.
pub(super) fn asks(site: &Site<'_>, pair: Pair<'_>, asked: &mut Asked) {
    let Some(local) = pair.local else { return };
    let is_published = site.profile.privacy.value == Privacy::Publication;
    if is_published {
        for handle in std::iter::once(DomainField::Registrant).chain(ROLES).flat_map(|field| column(local, field)) {
            asked.purpose(handle, Purpose::Publication);
        }
    }
    let Some(handle) = local.get(DomainField::Registrant.at()) else { return };
    if site.protection(local.id()) == Some(Protection::V2) {
        asked.purpose(handle, Purpose::PrivacyProxy);
        asked.purpose(handle, Purpose::TransferLock);
        asked.proxy(local.id());
        if site.is_by_contact() {
            asked.target(handle);
        }
    }
}

/// Protects a domain.
pub(super) fn domain(site: &Site<'_>, pair: Pair<'_>, known: &Known, out: &mut Outcome) {
    let privacy = &site.profile.privacy;
    let is_protected = site.protection(pair.id()) == Some(Protection::V2);
    if privacy.value == Privacy::Publication
        && let Some(local) = pair.local
    {
        publish(site, local, is_protected, known, out);
    }
    if !is_protected {
        if site.selection.names_objects() && pair.local.is_some() {
            let what = "no active service says that this domain is to be protected";
            out.leave(site.ours((DOMAIN, pair.id()), "R-plan-013", "services", what));
        }
        return;
    }
    let Some((local, remote)) = both(site, pair, out) else { return };
    let at = (DOMAIN, local.id());
    match privacy.value {
        Privacy::ProxyContact => by_proxy(site, local, remote, known, out),
        Privacy::None => out.leave(site.finding(at, "R-plan-001", "registrant", instead(site.profile.publication.value), privacy)),
        Privacy::Unknown => {
            let what = "how the registry hides a registrant is not known, and what is not known is not planned";
            out.leave(site.finding(at, "R-plan-002", "registrant", what, privacy));
        }
        // The contact carries it, or our own directory does; what is left to do here is the lock.
        Privacy::Disclose | Privacy::Consent | Privacy::RestrictedPublication | Privacy::Publication => match lock::of(site, remote) {
            Lock::Missing => lock::set(site, local, remote, known, out),
            Lock::Barred(finding) => out.leave(*finding),
            Lock::Stands | Lock::NoneHere => {}
        },
    }
}

/// The proxy contact in the registrant's place, the roles that would show the registrant, and the lock: one unit.
fn by_proxy(site: &Site<'_>, local: &Row, remote: &Row, known: &Known, out: &mut Outcome) {
    let at = (DOMAIN, local.id());
    let capabilities = &site.profile.capabilities;
    if let Some(finding) = site.barred(at, "registrant", "a proxy contact in the registrant's place", &capabilities.privacy_protect) {
        return out.leave(finding);
    }
    let Some(settings) = site.settings else {
        return out.leave(site.ours(at, "R-plan-014", "registrant", "the configuration has no data set to put in a registrant's place"));
    };
    let name = DomainName::new(local.id());
    let handle = proxy_handle(&name);
    let registrant = local.get(DomainField::Registrant.at()).unwrap_or_default();
    let mut reasons = Vec::new();
    let mut step = DraftStep::update(DOMAIN, local.id());
    let is_replaced = column(remote, DomainField::Registrant) != [handle.as_str()];
    if is_replaced {
        // The consent is the recorded registrant's, and nobody else's.
        let is_theirs = |held: &&str| site.is_v1(held) || known.is_same(held, registrant);
        if !column(remote, DomainField::Registrant).iter().all(is_theirs) {
            let what = "the registry names another registrant than the local record: which is right has to be settled first";
            return out.leave(site.ours(at, "R-plan-016", "registrant", what));
        }
        reasons.push(reason("RTR-1", "the registry holds the registrant's own data"));
    }
    step = step.setting(Fact::column(DomainField::Registrant.name()), remote, Some(handle.clone()));
    let leaks = leaking(site, (local, remote), registrant, known, &mut step, &mut reasons);
    let proxy = match proxy_steps(site, &name, settings, known) {
        Ok(proxy) => proxy,
        Err(findings) => return findings.into_iter().for_each(|finding| out.leave(finding)),
    };
    if !proxy.is_empty() && !is_replaced {
        reasons.push(reason("RTR-2", "the proxy contact is not as the data set has it"));
    }
    let lock = lock::of(site, remote);
    if let Lock::Barred(finding) = lock {
        let what = "no protection without the transfer lock that belongs to it, and the lock cannot be set";
        out.leave(site.ours(at, "RTR-7", "statuses", what));
        return out.leave(*finding);
    }
    let locks = matches!(lock, Lock::Missing);
    if locks {
        step = step.setting(lock::fact(), remote, Some(Fact::SET.to_owned()));
        reasons.push(reason("RTR-7", "a protected domain is locked"));
    } else if matches!(lock, Lock::Stands) {
        step = step.resting_on(lock::fact(), remote);
    }
    if step.is_idle() && proxy.is_empty() {
        return;
    }
    if let Some(finding) = site.frozen(DOMAIN, remote) {
        return out.leave(finding);
    }
    let change = &site.profile.change_of_registrant;
    if is_replaced && change.value != RegistrantChange::Update {
        let what = "the registry changes a registrant by a procedure of its own, which is not planned here";
        return out.leave(site.finding(at, "R-plan-008", "registrant", what, change));
    }
    let masks = is_replaced || leaks || !proxy.is_empty();
    let asked = [(masks, Purpose::PrivacyProxy), (locks, Purpose::TransferLock)];
    let decisions = asked.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, purpose)| known.decision(registrant, purpose));
    let basis = match together(decisions) {
        Ok(Some(basis)) => basis,
        Ok(None) => plain(BasisKind::OwnData),
        Err((rule, why)) => return out.block(site.ours(at, &rule, "registrant", format!("not protected: {why}"))),
    };
    let was_named = column(remote, DomainField::Registrant).contains(&registrant);
    if is_replaced && was_named && known.linked(registrant) <= 1 && known.is_there(registrant) {
        let what = format!("the domain {name} alone names this contact, and will not when it is protected: to be deleted at the registry");
        let unlinked = site.ours((CONTACT, registrant), "R-plan-011", "linked", what);
        out.told.push(Finding { severity: FindingSeverity::Warning, ..unlinked });
    }
    out.drafts.push(unit(site, local.id(), proxy, step, basis, reasons));
}

/// The operation of a domain: the proxy contact first, then the domain.
pub(super) fn unit(site: &Site<'_>, domain: &str, proxy: Vec<DraftStep>, step: DraftStep, basis: Basis, reasons: Vec<Reason>) -> Draft {
    let mut draft = site.draft((DOMAIN, domain), basis, reasons);
    draft.steps = proxy;
    if !step.is_idle() {
        draft.steps.push(step);
    }
    draft
}

/// What is to be done so that a domain's proxy contact stands as the data set has it: nothing, its creation, or a change.
///
/// # Errors
/// What the registry would refuse of it.
pub(super) fn proxy_steps(
    site: &Site<'_>,
    domain: &DomainName,
    settings: &PrivacySettings,
    known: &Known,
) -> Result<Vec<DraftStep>, Vec<Finding>> {
    let wanted = proxy_contact(domain, settings);
    let step = match known.proxy(wanted.id()) {
        Proxy::AsWanted => return Ok(Vec::new()),
        Proxy::Missing => DraftStep::create(CONTACT, &wanted, true),
        Proxy::Other(row) => {
            if let Some(finding) =
                site.barred((CONTACT, wanted.id()), "", "a change of a contact", &site.profile.capabilities.contact_update)
            {
                return Err(vec![finding]);
            }
            let fact = |at: usize| ContactField::ALL.get(at).map(|field| Fact::column(field.name()));
            let facts = differs(&wanted, row).into_iter().filter_map(fact);
            facts.fold(DraftStep::update(CONTACT, wanted.id()), |step, fact| {
                let value = fact.of(CONTACT, &wanted);
                step.setting(fact, row, value)
            })
        }
    };
    let findings = Judge::at(site.registry, site.profile).contact(&wanted);
    let errors: Vec<_> = findings.into_iter().filter(|finding| finding.severity == FindingSeverity::Error).collect();
    if errors.is_empty() { Ok(vec![step]) } else { Err(errors) }
}

/// Takes out of the roles whoever is the registrant, under whatever handle; whether there was anybody.
fn leaking(
    site: &Site<'_>,
    (local, remote): (&Row, &Row),
    registrant: &str,
    known: &Known,
    step: &mut DraftStep,
    reasons: &mut Vec<Reason>,
) -> bool {
    let mut leaks = false;
    let (remedy, shows) = site.remedy(local.id());
    for role in ROLES {
        let held = column(remote, role);
        let shown = |handle: &&str| !registrant.is_empty() && !site.is_provider(local.id(), handle) && known.is_same(handle, registrant);
        if !held.iter().any(shown) {
            continue;
        }
        leaks = true;
        reasons.push(reason("RTR-4", format!("{} shows the registrant; {shows} takes the role", role.name())));
        let mut handles: Vec<&str> = held.iter().copied().filter(|handle| !shown(handle)).chain([remedy.as_str()]).collect();
        handles.sort_unstable();
        handles.dedup();
        *step = step.clone().setting(Fact::column(role.name()), remote, Some(handles.join(";")));
    }
    leaks
}

/// What the registrar's own directory must show of a domain, where its registry holds no contacts.
fn publish(site: &Site<'_>, local: &Row, is_protected: bool, known: &Known, out: &mut Outcome) {
    for field in std::iter::once(DomainField::Registrant).chain(ROLES) {
        let role = field.name();
        let row = |shows, handle: Option<&str>, email| Published {
            domain: local.id().into(),
            role,
            shows,
            handle: handle.map(Into::into),
            email,
        };
        for handle in column(local, field) {
            let is_masked = is_protected
                && (field == DomainField::Registrant || known.is_same(handle, local.get(DomainField::Registrant.at()).unwrap_or_default()));
            let consent = |purpose| together([known.decision(handle, purpose)]);
            let one = match (is_masked, site.settings) {
                (true, Some(settings)) => match consent(Purpose::PrivacyProxy) {
                    Ok(_) => row("provider", None, Some(proxy_email(&DomainName::new(local.id()), settings.email_domain.as_str()))),
                    Err((rule, why)) => {
                        out.block(site.ours((DOMAIN, local.id()), &rule, role, format!("withheld in place of the provider's data: {why}")));
                        row("withheld", None, None)
                    }
                },
                (true, None) => row("withheld", None, None),
                (false, _) => match known.decision(handle, Purpose::Publication) {
                    Decision::Allowed(basis) if basis.kind == BasisKind::ExplicitConsent => row("record", Some(handle), None),
                    _ => row("withheld", None, None),
                },
            };
            out.published.push(one);
        }
    }
}

/// What holds where a registry has no mechanism.
const fn instead(publication: Publication) -> &'static str {
    match publication {
        Publication::ContactType => {
            "the registry has no means of hiding a registrant: the contact's type decides what is public, and it states a truth"
        }
        Publication::NaturalPerson => "the registry has no means of hiding a registrant: it redacts natural persons by itself",
        Publication::Contact => "the registry has no means of hiding a registrant: what the contact itself carries decides",
        Publication::Registrar => "the registry has no means of hiding a registrant: the registrar's own directory decides what is shown",
        Publication::Registry => "the registry has no means of hiding a registrant: it alone decides what is public",
        Publication::Unknown => "the registry has no means of hiding a registrant, and what it makes public is not known",
    }
}
