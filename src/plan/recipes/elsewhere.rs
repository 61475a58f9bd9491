//! RDAP answers as evidence of domains that went to another registrar with our data in them (RTR-10): what a registry that does not hold
//! a domain for us cannot show any more, the public directory still may.

use super::Site;
use super::watch::{Evidence, Gone, Watched, days};
use crate::base::DomainName;
use crate::dataset::{RdapAnswer, RdapAnswers, RdapRegistrar};
use crate::diff::{PrivacySettings, proxy_email, proxy_handle};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// Answers that show a proxy contact of ours under a registrar's name, for as long as no registry is met that makes them no evidence.
#[derive(Debug)]
pub struct Elsewhere<'a> {
    open: BTreeMap<&'a str, Shown<'a>>,
    /// The parent zones of these domains, each with the registries that hold domains of ours in it and put a proxy contact into them.
    zones: BTreeMap<&'a str, BTreeSet<Box<str>>>,
}

/// What an answer showed.
#[derive(Debug)]
struct Shown<'a> {
    answer: &'a RdapAnswer,
    registrar: &'a RdapRegistrar,
    /// The registry that our records name for the domain, and that does not hold it for us.
    registry: Option<Box<str>>,
}

impl<'a> Elsewhere<'a> {
    /// Takes the answers that show our proxy contact as registrant: by its handle, or by the address that the relay forwards.
    #[must_use]
    pub fn new(answers: &'a RdapAnswers, settings: Option<&PrivacySettings>) -> Self {
        let shown = |(domain, answer): (&'a str, &'a RdapAnswer)| {
            let registrar = answer.registrar.as_ref().filter(|_| shows_proxy(domain, answer, settings))?;
            Some((domain, Shown { answer, registrar, registry: None }))
        };
        let open: BTreeMap<&str, Shown<'_>> = answers.iter().filter_map(shown).collect();
        let zones = open.keys().filter_map(|domain| Some((zone(domain)?, BTreeSet::new()))).collect();
        Self { open, zones }
    }

    /// Takes note of a domain as a registry has it. Where that holds it for us, or was not asked, or gave an answer that nobody could
    /// read, RDAP is no evidence; nor is it needed where the registry shows our contact itself.
    pub fn meet(&mut self, site: &Site<'_>, one: &Watched) {
        if let Some(holders) = zone(&one.domain).filter(|_| one.held && site.is_by_proxy()).and_then(|zone| self.zones.get_mut(zone)) {
            holders.insert(site.registry.into());
        }
        if !one.away || one.gone.is_some() {
            self.open.remove(&*one.domain);
        } else if let Some(shown) = self.open.get_mut(&*one.domain) {
            shown.registry = Some(site.registry.into());
        }
    }

    /// The domains to be reminded of, each with its registry once all were met. One that nobody names any more is the registry's that
    /// alone holds others in the same zone, and nobody's (empty) where that is not clear; where not all registries were met, `all`
    /// being false, it is left out: one of the others may hold it.
    pub fn finish(self, today: Date, all: bool) -> impl Iterator<Item = (Box<str>, Watched)> {
        let Self { open, zones } = self;
        open.into_iter().filter_map(move |(domain, shown)| {
            let holders = || zone(domain).and_then(|zone| zones.get(zone)).filter(|holders| holders.len() == 1);
            let of_zone = || holders().and_then(BTreeSet::first).cloned().unwrap_or_default();
            let registry = shown.registry.clone().or_else(|| all.then(of_zone))?;
            let gone = shown.gone(today);
            let findings = vec![gone.finding(&registry, domain)];
            Some((registry, Watched { domain: domain.into(), away: true, gone: Some(gone), findings, ..Watched::default() }))
        })
    }
}

impl Shown<'_> {
    fn gone(&self, today: Date) -> Gone {
        let day = |moment: crate::base::Timestamp| moment.to_zoned(TimeZone::UTC).date();
        let sponsor = match (&self.registrar.name, self.registrar.iana) {
            (Some(name), Some(iana)) => format!("{name} (IANA {iana})"),
            (Some(name), None) => name.to_string(),
            (None, iana) => iana.map_or_else(String::new, |iana| format!("IANA {iana}")),
        };
        let since = self.answer.transferred.map(day).map(|since| (since, days(today, since)));
        Gone { sponsor, since, evidence: Evidence::Rdap(self.answer.observed.map(day)) }
    }
}

/// Whether an answer shows the proxy contact that stands for the registrant of `domain`.
fn shows_proxy(domain: &str, answer: &RdapAnswer, settings: Option<&PrivacySettings>) -> bool {
    let domain = DomainName::new(domain);
    let handle = proxy_handle(&domain);
    let email = settings.map(|settings| proxy_email(&domain, settings.email_domain.as_str()));
    let is_relayed = |email: &str| answer.emails.iter().any(|shown| shown.reveal().eq_ignore_ascii_case(email));
    answer.handles.iter().any(|shown| shown.eq_ignore_ascii_case(&handle)) || email.as_deref().is_some_and(is_relayed)
}

/// What a domain stands in: everything behind its first label.
fn zone(domain: &str) -> Option<&str> {
    domain.split_once('.').map(|(_, zone)| zone)
}
