//! The domains of one registry: what each role of each exposes, now and once a plan is applied, and what directories show of it.

use super::contacts::{Contacts, ROLES, column};
use super::told::{Rule, contradiction};
use super::{Asking, Desk};
use crate::base::{DomainName, Result};
use crate::compliance::exposure::{Contradiction, Exposure, Person, Seen, compare};
use crate::dataset::{DomainField, Protection, RdapAnswer, Row};
use crate::diff::{proxy_contact, proxy_handle};
use crate::model::{Finding, ObjectKind};
use crate::plan::{Beside, Look, Pair, Site, Sources, watch};
use crate::policy::{DomainRole, Privacy};
use crate::report::{RoleOf, Stage};
use jiff::civil::Date;
use std::collections::{HashMap, HashSet};

/// What the watch over protection knows of a registry's domains.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Roles that show a protected registrant, with the contacts in them, by domain.
    leaks: HashMap<Box<str>, Vec<(&'static str, String)>>,
    /// Domains that the registry holds for somebody else.
    away: HashSet<Box<str>>,
    /// The leaks as findings.
    pub(super) findings: Vec<Finding>,
}

impl Watch {
    /// Looks at a registry.
    ///
    /// # Errors
    /// As [`watch`].
    pub(super) fn over(site: &Site<'_>, sources: &Sources<'_>, today: Date, account: &str) -> Result<Self> {
        let mut out = Self::default();
        watch(site, sources, &Beside { today, account, relock: &|_| None, new_since: None, reached: &|_| None }, &mut |look| {
            let Look::Domains(all) = look else { return Ok(()) };
            for one in all {
                for (role, handle, remedy) in &one.leaks {
                    let what = format!("{role} shows the protected registrant, in {handle}: {remedy} is to take the role");
                    out.findings.push(Rule::RoleLeak.told(site.registry, (ObjectKind::Domain, &one.domain), *role, what));
                }
                if one.away {
                    out.away.insert(one.domain.clone());
                }
                if !one.leaks.is_empty() {
                    let leaks = one.leaks.into_iter().map(|(role, handle, _)| (role, handle)).collect();
                    out.leaks.insert(one.domain, leaks);
                }
            }
            Ok(())
        })?;
        Ok(out)
    }

    fn is_leak(&self, domain: &str, role: DomainRole, handle: &str) -> bool {
        self.leaks.get(domain).is_some_and(|leaks| leaks.iter().any(|(known, shown)| *known == role.as_str() && shown == handle))
    }
}

/// What is known of a registry when its domains are looked at.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// What else is known.
    pub(super) asking: &'a Asking<'a>,
    /// Its contacts.
    pub(super) contacts: &'a Contacts,
    /// What the watch knows.
    pub(super) watch: &'a Watch,
}

/// Writes what a domain exposes; what is to be told of it, and whether it is one of ours.
///
/// # Errors
/// `E-file-002`.
pub(super) fn domain(desk: &mut Desk<'_, '_>, known: Known<'_>, pair: Pair<'_>) -> Result<(Vec<Finding>, bool)> {
    let Some(row) = desk.held(pair).filter(|row| pair.remote.is_some() && !known.watch.away.contains(row.id())) else {
        return Ok((Vec::new(), false));
    };
    let registrant = pair.local.and_then(|row| row.get(DomainField::Registrant.at()));
    let now = Roles::of(desk, known, Stage::Now, row, registrant);
    now.write(desk, Stage::Now, row.id())?;
    if let Some(planned) = known.asking.planned {
        let after = planned.after(desk.registry, ObjectKind::Domain, row.id(), Some(row));
        if let Some(after) = after {
            Roles::of(desk, known, Stage::Planned, &after, registrant).write(desk, Stage::Planned, row.id())?;
        }
    }
    let mut found = unprotected(desk, known, row, &now);
    if let Some(answer) = known.asking.rdap.of(row.id()) {
        found.extend(contradictions(desk, known, row, (registrant, &now), answer));
    }
    Ok((found, true))
}

/// What the roles of a domain expose, with the handles that stand in them.
struct Roles {
    all: [(Exposure, String, Option<Protection>); 4],
}

impl Roles {
    fn of(desk: &Desk<'_, '_>, known: Known<'_>, stage: Stage, row: &Row, registrant: Option<&str>) -> Self {
        let mut n = 0;
        let all = ROLES.map(|(role, field)| {
            let handles: Vec<&str> = column(row, field).collect();
            let mut mask = None;
            let mut exposure = Exposure::default();
            for handle in &handles {
                let masked = known.asking.mask(desk.profile.privacy.value, row.id(), (role, handle), registrant);
                mask = mask.max(masked);
                exposure = exposure.or(&one(desk, known, (stage, n), row, (role, handle), (registrant, masked)));
            }
            n += 1;
            (exposure, handles.join(";"), mask)
        });
        Self { all }
    }

    fn write(&self, desk: &mut Desk<'_, '_>, stage: Stage, domain: &str) -> Result<()> {
        for ((role, _), (exposure, handles, _)) in ROLES.iter().zip(&self.all) {
            if !handles.is_empty() {
                desk.sheets.role(RoleOf { stage, registry: desk.registry, domain, role: *role, handles }, exposure)?;
            }
        }
        Ok(())
    }
}

/// What a contact in a role exposes.
fn one(
    desk: &Desk<'_, '_>,
    known: Known<'_>,
    (stage, n): (Stage, usize),
    row: &Row,
    (role, handle): (DomainRole, &str),
    (registrant, masked): (Option<&str>, Option<Protection>),
) -> Exposure {
    let of = |handle: &str| match stage {
        Stage::Now => known.contacts.now(handle, n),
        Stage::Planned => known.contacts.planned(handle, n),
    };
    if let Some(mask) = masked {
        let seen = if mask == Protection::V1 { Seen::MaskedV1 } else { Seen::MaskedV2 };
        // What the person behind it does not have is not hidden; of whom nobody knows what they have, all is.
        let behind = registrant.and_then(of).filter(|exposure| !exposure.is_absent());
        return behind.map_or_else(|| Exposure::of(|_| seen), |held| held.map(|own| if own == Seen::Absent { own } else { seen }));
    }
    let Some(exposure) = of(handle) else { return Exposure::of(|_| Seen::Unknown) };
    let is_leak = match role {
        DomainRole::Registrant => known.asking.is_bare(desk.profile.privacy.value, row.id()),
        _ => known.watch.is_leak(row.id(), role, handle),
    };
    // What the registry shows of everybody, no service hides.
    let leaks = |element| if is_leak && desk.profile.hides(element) { exposure.get(element).leaking() } else { exposure.get(element) };
    Exposure::of(leaks)
}

/// That a protected registrant is shown by the role itself.
fn unprotected(desk: &Desk<'_, '_>, known: Known<'_>, row: &Row, now: &Roles) -> Vec<Finding> {
    let [(exposure, handles, mask), ..] = &now.all;
    let is_bare = known.asking.is_bare(desk.profile.privacy.value, row.id());
    let shown: Vec<&str> = exposure.iter().filter(|(_, seen)| *seen == Seen::Leak).map(|(element, _)| element.as_str()).collect();
    let is_empty = handles.is_empty() || shown.is_empty();
    if !is_bare || mask.is_some() || is_empty {
        return Vec::new();
    }
    let what = format!("the service hides the registrant, and {handles} shows {}: run `privet plan privacy`", shown.join(", "));
    vec![Rule::NoMask.told(desk.registry, (ObjectKind::Domain, row.id()), "registrant", what)]
}

/// In what an RDAP answer contradicts what a domain's roles expose.
fn contradictions(
    desk: &Desk<'_, '_>,
    known: Known<'_>,
    row: &Row,
    (registrant, now): (Option<&str>, &Roles),
    answer: &RdapAnswer,
) -> Vec<Finding> {
    let name = DomainName::new(row.id());
    let mut out = Vec::new();
    for ((role, field), (exposure, _, mask)) in ROLES.iter().zip(&now.all) {
        let behind = registrant.filter(|_| *role == DomainRole::Registrant);
        let mut handles: Vec<&str> = column(row, *field).chain(behind).filter(|handle| *handle != proxy_handle(&name)).collect();
        handles.dedup();
        let people: Vec<Person<'_>> = handles.iter().filter_map(|handle| known.contacts.row(handle)).map(Person::of).collect();
        let wanted = known.asking.settings.filter(|_| *mask == Some(Protection::V2)).map(|settings| proxy_contact(&name, settings));
        let wanted = wanted.as_ref().map(Person::of);
        for (element, how) in compare(*role, exposure, answer, &people, wanted.as_ref()) {
            let rule = match how {
                Contradiction::Shows => Rule::Shows,
                Contradiction::Redacts => Rule::Redacts,
            };
            let what = contradiction(rule, element, exposure.get(element));
            let field = format!("{}.{element}", role.as_str());
            out.push(rule.told(desk.registry, (ObjectKind::Domain, row.id()), field, what));
        }
    }
    out
}

impl Asking<'_> {
    /// Whose data stand in the place of those who are in a role: the older service's or the newer one's; nobody's where the contact is
    /// the person's own.
    fn mask(&self, privacy: Privacy, domain: &str, (role, handle): (DomainRole, &str), registrant: Option<&str>) -> Option<Protection> {
        let named = |of: Option<&crate::base::Handle>| of.is_some_and(|known| known.as_str() == handle);
        let settings = self.settings;
        if named(settings.and_then(|s| s.v1_handle.as_ref())) {
            return Some(Protection::V1);
        }
        if proxy_handle(&DomainName::new(domain)) == handle || named(settings.and_then(|s| s.brand_handle.as_ref())) {
            return Some(Protection::V2);
        }
        // Where the registrar's directory publishes, it shows the provider's data wherever it would show the registrant.
        let is_person = role == DomainRole::Registrant || Some(handle) == registrant;
        self.services.of(domain).filter(|_| privacy == Privacy::Publication && is_person)
    }

    /// Whether a service hides a domain's registrant by means that the registry has, so that nothing of the registrant's own is to be
    /// shown.
    fn is_bare(&self, privacy: Privacy, domain: &str) -> bool {
        let has_means = matches!(privacy, Privacy::ProxyContact | Privacy::Disclose | Privacy::Consent | Privacy::RestrictedPublication);
        has_means && self.services.of(domain).is_some()
    }
}
