//! How the lines to registries are secured, by the newest run.

use crate::base::{RegistryId, Result, Timestamp};
use crate::compliance::oversight::OversightPack;
use crate::job::config::{RegistryConfig, SecretSource};
use crate::model::TlsFacts;
use crate::report::{LineRow, OversightBook};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// How the line to one registry is secured, by the newest run.
pub(super) fn secured(
    book: &mut OversightBook<'_>,
    pack: &OversightPack,
    (id, registry): (&RegistryId, &RegistryConfig),
    tls: Option<&TlsFacts>,
    today: Date,
) -> Result<()> {
    let rules = &pack.security;
    let days_to = |at: Timestamp| at.to_zoned(TimeZone::UTC).date().since(today).map_or(0, |span| span.get_days());
    let mut amiss = Vec::new();
    let Some(tls) = tls else {
        let what = "no run observed the line: `privet run` does".to_owned();
        return book.line(&LineRow::unseen(id.as_str(), vec![("R-security-001", what)]));
    };
    if !rules.tls.contains(&tls.version) {
        amiss.push(("R-security-002", format!("{} was negotiated, and {} may be", tls.version, joined(&rules.tls))));
    }
    let of = |whose: &str| tls.certificates.iter().filter(|one| *one.whose == *whose).map(|one| days_to(one.not_after)).min();
    let (theirs, ours) = (of("registry"), of("ours"));
    for (whose, days) in [("the registry's", theirs), ("our own", ours)] {
        if let Some(days) = days.filter(|days| *days <= rules.certificate_days) {
            amiss.push(("R-security-003", format!("{whose} certificate ends in {days} days")));
        }
    }
    let age = password_age(&registry.password, today);
    if let Some(days) = age.filter(|days| *days > rules.password_days) {
        amiss.push(("R-security-004", format!("the password is {days} days old")));
    }
    book.line(&LineRow {
        registry: id.as_str(),
        version: Some(&tls.version),
        cipher: Some(&tls.cipher),
        registry_days: theirs,
        own_days: ours,
        password_days: age,
        amiss,
    })
}

/// How many days ago the password was put into its file; nothing where it stands in none.
fn password_age(source: &SecretSource, today: Date) -> Option<i32> {
    let path = match source {
        SecretSource::File(path) => path,
        SecretSource::Credential { path, .. } => path.as_ref()?,
        SecretSource::Environment { .. } => return None,
    };
    let changed = Timestamp::try_from(std::fs::metadata(path).ok()?.modified().ok()?).ok()?;
    changed.to_zoned(TimeZone::UTC).date().until(today).ok().map(|span| span.get_days())
}

fn joined(all: &BTreeSet<Box<str>>) -> String {
    all.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(" or ")
}
