//! What stands after all changes: who is protected and locked, what shows a protected registrant all the same, where the relay forwards
//! to, and which domains went away with the provider's data still in them.

use super::known::{Known, column};
use super::lock;
use super::parts::ROLES;
use super::{Pair, Site};
use crate::base::DomainName;
use crate::dataset::{DomainField, Protection, Stamp};
use crate::diff::{proxy_email, proxy_handle};
use crate::model::{Finding, FindingSeverity, ObjectKind};
use crate::policy::{Capability, Privacy};
use jiff::civil::Date;

const DOMAIN: ObjectKind = ObjectKind::Domain;

/// What is known besides of a domain that is watched.
#[derive(Clone, Copy)]
pub struct Beside<'a> {
    /// The day.
    pub today: Date,
    /// The account's client identifier at the registry (RFC 5730 §2.9.1.1): whoever else sponsors a domain is another registrar.
    pub account: &'a str,
    /// The day on which an unlocked domain is to be locked again, by its name.
    pub relock: &'a dyn Fn(&str) -> Option<Date>,
}

/// A domain as its registry holds it.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// Its name.
    pub domain: Box<str>,
    /// How it is to be protected.
    pub protection: Option<Protection>,
    /// Whether the registry holds it for us.
    pub held: bool,
    /// Whether the registry has a lock that a registrar may set.
    pub lockable: bool,
    /// Whether it is locked.
    pub locked: bool,
    /// A protected domain that is not locked: since when at the latest, and how many days that is, where the registry tells.
    pub open: Option<Option<(Date, i64)>>,
    /// Roles that show a protected registrant: the role, the contact in it, and who is to take it.
    pub leaks: Vec<(&'static str, String, String)>,
    /// How the relay treats it.
    pub relay: Option<Relay>,
    /// Gone to another registrar with our data in it: who sponsors it, and how many days ago it went, where the registry tells.
    pub gone: Option<(String, Option<(Date, i64)>)>,
    /// The day on which it was to be locked again, and how many days ago that was.
    pub overdue: Option<(Date, i64)>,
    /// All of it that somebody should act on.
    pub findings: Vec<Finding>,
}

/// What a relay does with mail to a protected registrant (RTR-9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// The address that the registry shows.
    pub address: String,
    /// `form` while the domain is locked: the sender is sent to a form. `notice` while it is not: the registrant is told, with a link and
    /// without attachments, so that a transfer can be confirmed.
    pub mode: &'static str,
    /// The contact of the local records it is for: no address stands here.
    pub target: String,
}

/// Looks at a domain.
pub(in crate::plan) fn domain(site: &Site<'_>, pair: Pair<'_>, stamp: &Stamp, known: &Known, beside: &Beside<'_>) -> Watched {
    let mut out = Watched { domain: pair.id().into(), protection: site.protection(pair.id()), ..Watched::default() };
    let Some(remote) = pair.remote else { return out };
    let at = (DOMAIN, pair.id());
    let name = DomainName::new(pair.id());
    let days = |since: Date| beside.today.since((jiff::Unit::Day, since)).map_or(0, |span| i64::from(span.get_days()));
    let since =
        |moment: &Option<Box<str>>| moment.as_deref().and_then(|text| text.get(..10)?.parse::<Date>().ok()).map(|day| (day, days(day)));
    let by_proxy = site.profile.privacy.value == Privacy::ProxyContact;
    let shows_proxy = column(remote, DomainField::Registrant).contains(&proxy_handle(&name).as_str());
    if stamp.sponsor.as_deref().is_some_and(|sponsor| sponsor != beside.account) {
        if by_proxy && shows_proxy {
            let gone = since(&stamp.transferred);
            let ago = gone.map_or_else(String::new, |(day, days)| format!(" on {day}, {days} days ago"));
            let what = format!("the domain went to another registrar{ago}, and still names our proxy contact: remind its registrant");
            out.findings.push(told(site.ours(at, "RTR-10", "registrant", what)));
            out.gone = Some((stamp.sponsor.as_deref().unwrap_or_default().to_owned(), gone));
        }
        return out;
    }
    let relock = (beside.relock)(pair.id());
    out.held = true;
    out.locked = lock::fact().of(DOMAIN, remote).is_some();
    // Where nobody knows whether there is such a lock, none is missed.
    out.lockable = site.profile.transfer_lock.value.capability() == Capability::Yes;
    let is_open = out.lockable && !out.locked;
    if let Some(day) = relock.filter(|day| is_open && *day < beside.today) {
        let days = days(day);
        out.findings.push(site.ours(at, "RTR-11", "statuses", format!("was to be locked again on {day}, {days} days ago, and is not")));
        out.overdue = Some((day, days));
    }
    if out.protection != Some(Protection::V2) {
        return out;
    }
    // A window that somebody opened for a time is no gap until its day is over.
    if is_open && relock.is_none_or(|day| day < beside.today) {
        let gap = since(&stamp.updated);
        let age = gap.map_or_else(String::new, |(day, days)| format!(", since {day} at the latest, {days} days"));
        out.findings.push(site.ours(at, "RTR-7", "statuses", format!("protected and not locked{age}: `privet plan privacy` locks it")));
        out.open = Some(gap);
    }
    let Some(registrant) = pair.local.and_then(|row| row.get(DomainField::Registrant.at())) else { return out };
    for role in ROLES {
        // Where the contact itself carries what hides it, it does so in every role; nowhere else does a mask of ours hide anybody.
        let is_hidden = |handle: &str| !by_proxy && (handle == registrant || !site.is_by_contact());
        let shown = |handle: &&str| !site.is_provider(pair.id(), handle) && known.is_same(handle, registrant) && !is_hidden(handle);
        for handle in column(remote, role).into_iter().filter(shown) {
            let (remedy, _) = site.remedy(pair.id());
            let what = format!("{} shows the protected registrant, in {handle}: {remedy} is to take the role", role.name());
            out.findings.push(site.ours(at, "RTR-4", role.name(), what));
            out.leaks.push((role.name(), handle.to_owned(), remedy));
        }
    }
    if let Some(settings) = site.settings.filter(|_| by_proxy && shows_proxy) {
        let mode = if out.locked { "form" } else { "notice" };
        let address = proxy_email(&name, settings.email_domain.as_str());
        out.relay = Some(Relay { address, mode, target: registrant.to_owned() });
    }
    out
}

/// The same finding, of which nothing at the registry is ours to mend.
fn told(finding: Finding) -> Finding {
    Finding { severity: FindingSeverity::Warning, ..finding }
}
