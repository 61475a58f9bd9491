//! The `services` table of local records: which domains are under whose privacy protection, and since when.

use super::columns::SERVICES;
use super::ingest::{Layout, Source};
use crate::base::{Blame, Exit, Problem, Problems, Result};
use jiff::civil;
use std::collections::{HashMap, HashSet};

/// How a domain's registrant is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protection {
    /// The older service, which replaced every role.
    V1,
    /// The service that replaces the registrant alone.
    V2,
}

/// The protections that are active on one day.
#[derive(Clone, Debug, Default)]
pub struct Services {
    active: HashMap<Box<str>, Protection>,
    /// Domains that v2 was sold for, or will be, on other days.
    other_days: HashSet<Box<str>>,
}

impl Services {
    /// Reads the table and keeps what is active on `day`: a service is from its start on, until the day before its end.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn read(source: &Source, day: civil::Date) -> Result<Self, Problems> {
        let mut active: HashMap<Box<str>, Protection> = HashMap::new();
        let mut other_days = HashSet::new();
        each(source, |sold| {
            let Some(protection) = sold.protection else { return };
            if sold.is_active(day) {
                // Where two overlap, the newer kind of service is the one that acts.
                active.entry(sold.name.into()).and_modify(|p| *p = protection.max(*p)).or_insert(protection);
            } else if protection == Protection::V2 {
                other_days.insert(sold.name.into());
            }
        })?;
        Ok(Self { active, other_days })
    }

    /// The protection of a domain, by its A-labels in lower case.
    #[must_use]
    pub fn of(&self, domain: &str) -> Option<Protection> {
        self.active.get(domain).copied()
    }

    /// Whether v2 was ever sold for a domain, so that its registry may hold a proxy contact of the domain's own.
    #[must_use]
    pub fn may_have_proxy(&self, domain: &str) -> bool {
        self.of(domain) == Some(Protection::V2) || self.other_days.contains(domain)
    }

    /// Whether any domain is protected that way.
    #[must_use]
    pub fn any(&self, protection: Protection) -> bool {
        self.active.values().any(|p| *p == protection)
    }
}

/// A row of the table.
struct Sold<'r> {
    /// The domain, as A-labels in lower case.
    name: String,
    protection: Option<Protection>,
    start: civil::Date,
    end: Option<civil::Date>,
    reason: Option<&'r str>,
}

impl Sold<'_> {
    fn is_active(&self, day: civil::Date) -> bool {
        self.start <= day && self.end.is_none_or(|end| day < end)
    }
}

/// Hands over every row.
fn each(source: &Source, mut take: impl FnMut(Sold<'_>)) -> Result<(), Problems> {
    let mut problems = Problems::default();
    Layout::read(source, &SERVICES, &mut problems, &mut |at, values, problems| {
        let mut wrong = |id: &str, field: &str, what: &str, remedy: &str| {
            let problem = Problem::new(id, Blame::Input, what, remedy).file(at.file).line(at.line).field(field);
            problems.push(problem.exit(Exit::InputIncomplete));
        };
        let [object, _, _, privacy, start, end, reason] = std::array::from_fn(|n| values.get(n).copied().flatten());
        let date = |text: Option<&str>| text.map(|text| text.get(..10).unwrap_or(text).parse::<civil::Date>()).transpose();
        let name = object.and_then(|name| idna::domain_to_ascii(name.trim().trim_end_matches('.')).ok()).filter(|n| !n.is_empty());
        let Some(name) = name else {
            return wrong("E-services-001", "object", "there is no domain name", "write the domain's A-labels");
        };
        let (Ok(Some(start)), Ok(end)) = (date(start), date(end)) else {
            return wrong("E-services-002", "start", "start or end is no date", "write `2027-01-31`; the end may be empty");
        };
        let protection = match privacy {
            None | Some("none") => None,
            Some("v1") => Some(Protection::V1),
            Some("v2") => Some(Protection::V2),
            Some(_) => return wrong("E-services-003", "privacy", "the privacy is none of the known", "write `none`, `v1` or `v2`"),
        };
        take(Sold { name, protection, start, end, reason });
    });
    problems.or(())
}

/// How the last service of a domain ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEnd {
    /// The first day without it.
    pub day: civil::Date,
    /// Why, in the table's word.
    pub reason: Box<str>,
}

/// The domains that have no service any more, with how the last one ended.
#[derive(Clone, Debug, Default)]
pub struct ServiceEnds {
    /// Nothing where some service goes on, or is to begin.
    by_domain: HashMap<Box<str>, Option<ServiceEnd>>,
}

impl ServiceEnds {
    /// Reads the table, as of `day`.
    ///
    /// # Errors
    /// As [`Services::read`].
    pub fn read(source: &Source, day: civil::Date) -> Result<Self, Problems> {
        let mut by_domain: HashMap<Box<str>, Option<ServiceEnd>> = HashMap::new();
        each(source, |sold| {
            let reason = sold.reason.unwrap_or_default();
            let end = sold.end.filter(|end| *end <= day).map(|day| ServiceEnd { day, reason: reason.into() });
            let known = by_domain.entry(sold.name.into()).or_insert_with(|| end.clone());
            *known = match (known.take(), end) {
                (Some(one), Some(other)) => Some(if other.day > one.day { other } else { one }),
                _ => None,
            };
        })?;
        Ok(Self { by_domain })
    }

    /// How the services of a domain ended, by its A-labels in lower case; nothing where one goes on, or none is known.
    #[must_use]
    pub fn of(&self, domain: &str) -> Option<&ServiceEnd> {
        self.by_domain.get(domain)?.as_ref()
    }
}

impl FromIterator<(Box<str>, Protection)> for Services {
    fn from_iter<I: IntoIterator<Item = (Box<str>, Protection)>>(active: I) -> Self {
        Self { active: active.into_iter().collect(), other_days: HashSet::new() }
    }
}
