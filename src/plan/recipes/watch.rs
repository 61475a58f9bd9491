//! What stands after all changes: who is protected and locked, what shows a protected registrant all the same, where the relay forwards
//! to, and which domains went away with the provider's data still in them.

use super::known::{Known, column};
use super::lock;
use super::parts::{self, ROLES};
use super::{Pair, Site};
use crate::base::{DomainName, Timestamp};
use crate::dataset::{DomainField, Protection, Stamp};
use crate::diff::{proxy_email, proxy_handle};
use crate::model::{Finding, FindingSeverity, ObjectKind};
use crate::policy::{Capability, Privacy};
use jiff::civil::Date;
use jiff::tz::TimeZone;

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
    /// Since when a name is new that is sold with protection unless somebody says otherwise; nothing where none is, or nobody knows.
    pub new_since: Option<Timestamp>,
    /// Whether a way to a domain's registrant worked when it was tried last, by the domain's name; nothing where none was tried.
    pub reached: &'a dyn Fn(&str) -> Option<bool>,
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
    /// Since when it is the account's: new, and not protected, though that is the default.
    pub unprotected: Option<Date>,
    /// How the relay treats it.
    pub relay: Option<Relay>,
    /// Whether the registry said that it holds it for somebody else, for nobody, or for whom it does not tell.
    pub away: bool,
    /// Gone to another registrar with our data in it.
    pub gone: Option<Gone>,
    /// The day on which it was to be locked again, and how many days ago that was.
    pub overdue: Option<(Date, i64)>,
    /// All of it that somebody should act on.
    pub findings: Vec<Finding>,
}

/// How a domain went to another registrar with our data in it (RTR-10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Who sponsors it.
    pub sponsor: String,
    /// On which day it went, and how many days ago that was, where that is told.
    pub since: Option<(Date, i64)>,
    /// What shows it.
    pub evidence: Evidence,
}

/// What shows that a domain at another registrar still names our proxy contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The registry's own answer.
    DomainInfo,
    /// An RDAP answer, and the day as of which it holds, where it tells.
    Rdap(Option<Date>),
}

impl Evidence {
    /// The words in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DomainInfo => "domain info",
            Self::Rdap(_) => "RDAP",
        }
    }
}

impl Gone {
    /// The finding about the domain, at the registry where it was ours, as far as that is known.
    pub(super) fn finding(&self, registry: &str, domain: &str) -> Finding {
        let ago = self.since.map_or_else(String::new, |(day, days)| format!(" on {day}, {days} days ago"));
        let witness = match self.evidence {
            Evidence::DomainInfo => "its domain info".to_owned(),
            Evidence::Rdap(Some(day)) => format!("an RDAP answer of {day}"),
            Evidence::Rdap(None) => "an RDAP answer of an unknown day".to_owned(),
        };
        let what = format!("the domain went to another registrar{ago}, and {witness} still shows our proxy contact: remind its registrant");
        // Nothing at the registry is ours to mend.
        Finding { severity: FindingSeverity::Warning, ..parts::ours(registry, (DOMAIN, domain), "RTR-10", "registrant", what) }
    }
}

/// How many days ago a day was.
pub(super) fn days(today: Date, since: Date) -> i64 {
    today.since((jiff::Unit::Day, since)).map_or(0, |span| i64::from(span.get_days()))
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
    let days = |since: Date| days(beside.today, since);
    let since =
        |moment: &Option<Box<str>>| moment.as_deref().and_then(|text| text.get(..10)?.parse::<Date>().ok()).map(|day| (day, days(day)));
    let by_proxy = site.profile.privacy.value == Privacy::ProxyContact;
    let shows_proxy = column(remote, DomainField::Registrant).contains(&proxy_handle(&name).as_str());
    if stamp.sponsor.as_deref().is_some_and(|sponsor| sponsor != beside.account) {
        out.away = true;
        if by_proxy && shows_proxy {
            let sponsor = stamp.sponsor.as_deref().unwrap_or_default().to_owned();
            let gone = Gone { sponsor, since: since(&stamp.transferred), evidence: Evidence::DomainInfo };
            out.findings.push(gone.finding(site.registry, pair.id()));
            out.gone = Some(gone);
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
    // Where nothing of ours hides anybody, no default does.
    if out.protection.is_none() && (by_proxy || site.is_by_contact()) {
        let moments = [&stamp.created, &stamp.transferred].map(|moment| moment.as_deref().and_then(|text| text.parse::<Timestamp>().ok()));
        let arrived = moments.into_iter().flatten().max().zip(beside.new_since).filter(|(arrived, since)| arrived >= since);
        out.unprotected = arrived.map(|(arrived, _)| arrived.to_zoned(TimeZone::UTC).date());
        out.findings.extend(out.unprotected.map(|day| Finding {
            severity: FindingSeverity::Warning,
            ..site.ours(at, "RTR-17", "registrant", format!("new since {day} and not sold with protection, which is the account's default"))
        }));
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
        let lacks = match (beside.reached)(pair.id()) {
            Some(true) => None,
            Some(false) => Some("no way to its registrant worked when it was tried last"),
            None => Some("it is not recorded that a way to its registrant was tried"),
        };
        // Nothing at the registry is to be mended.
        out.findings.extend(lacks.map(|lacks| Finding {
            severity: FindingSeverity::Warning,
            ..site.ours(
                at,
                "RTR-18",
                "registrant",
                format!("protected, and {lacks}: try the form or {address}, and `privet relay add tested`"),
            )
        }));
        out.relay = Some(Relay { address, mode, target: registrant.to_owned() });
    }
    out
}
