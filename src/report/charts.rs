//! The charts of a run report, each with the table of its figures.

use super::facts::{RegistryFacts, RunFacts, total};
use super::svg::{Bar, Bars};
use super::table::{Cell, Shape, Table};
use super::tables::{days_left, int, text};
use super::verdict::{count, grouped};
use crate::diff::{DiffKind, Severity};
use crate::model::ObjectKind;
use std::collections::BTreeMap;

/// Fields that get a bar of their own; the others share one.
const FIELDS: usize = 15;
/// Days left under which a certificate should be renewed at once.
pub(super) const RENEW_DAYS: i64 = 30;

/// Differences at one registry: bars of the material ones by field and kind, and the table of all.
pub(super) fn differences(facts: &RunFacts, registry: &RegistryFacts, n: usize) -> (Bars, Table) {
    // Per object and field: the material ones by kind, then the cosmetic ones.
    let mut fields: BTreeMap<String, ([u64; 4], u64)> = BTreeMap::new();
    for d in facts.differences.iter().filter(|d| d.registry == registry.id) {
        let field = if d.field.is_empty() { "(whole object)" } else { &d.field };
        let (kinds, cosmetic) = fields.entry(format!("{} {field}", d.object.as_str())).or_default();
        let sums = kinds.iter_mut().zip(DiffKind::ALL);
        let sum = match d.severity {
            Severity::Material => sums.filter(|(_, kind)| *kind == d.kind).map(|(sum, _)| sum).next(),
            Severity::Cosmetic => Some(cosmetic),
        };
        if let Some(sum) = sum {
            *sum = sum.saturating_add(d.count);
        }
    }
    let mut fields: Vec<_> = fields.into_iter().map(|(field, (kinds, cosmetic))| (field, kinds, cosmetic)).collect();
    fields.sort_by_key(|(_, kinds, _)| std::cmp::Reverse(total(*kinds)));

    let row = |(field, kinds, cosmetic): &(String, [u64; 4], u64)| {
        [Cell::from(field.as_str())].into_iter().chain(kinds.map(Cell::from)).chain([Cell::from(*cosmetic)]).collect()
    };
    let table = Table { shape: &DIFFERENCES, rows: fields.iter().map(row).collect() };

    let material: Vec<_> = fields.iter().filter(|(_, kinds, _)| kinds.iter().any(|n| *n > 0)).collect();
    let bar =
        |label: String, kinds: [u64; 4]| Bar { label, parts: kinds.map(|n| n as f64).to_vec(), note: grouped(total(kinds)), mark: None };
    let mut rows: Vec<_> = material.iter().take(FIELDS).map(|(field, kinds, _)| bar(field.clone(), *kinds)).collect();
    let others: Vec<_> = material.iter().skip(FIELDS).collect();
    if !others.is_empty() {
        let of_kind = |n: usize| total(others.iter().filter_map(|(_, kinds, _)| kinds.get(n).copied()));
        rows.push(bar(count(others.len() as u64, "other field", "other fields"), std::array::from_fn(of_kind)));
    }
    let sum = total(material.iter().flat_map(|(_, kinds, _)| *kinds));
    let most = material.first().map_or_else(String::new, |(field, ..)| format!(", most of them in {field}"));
    let chart = Bars {
        id: format!("differences-{n}"),
        title: format!("Material differences at {} by field and kind", registry.id),
        desc: format!("{}{most}.", count(sum, "material difference", "material differences")),
        series: DiffKind::ALL.map(DiffKind::title).to_vec(),
        rows,
        full: 0.0,
        ticks: Vec::new(),
        mark: None,
    };
    (chart, table)
}

/// Objects of every registry by state.
pub(super) fn objects(facts: &RunFacts) -> Bars {
    let bar = |r: &RegistryFacts, object: ObjectKind| {
        let n = r.counts(object);
        Bar {
            label: format!("{} {}s", r.id, object.as_str()),
            parts: [n.ok, n.missing, n.unreadable, n.refused, n.unanswered()].map(|n| n as f64).to_vec(),
            note: format!("{} of {}", grouped(n.ok), grouped(n.asked)),
            mark: None,
        }
    };
    let sum = |pick: fn(&super::facts::ObjectCounts) -> u64| {
        total(facts.registries.iter().flat_map(|r| ObjectKind::ALL.map(|o| pick(r.counts(o)))))
    };
    Bars {
        id: "objects".to_owned(),
        title: "Objects by registry and state, with those read of those asked for".to_owned(),
        desc: format!("{} of {} read.", grouped(sum(|n| n.ok)), count(sum(|n| n.asked), "object was", "objects were")),
        series: vec!["read", "missing", "unreadable", "refused", "unanswered"],
        rows: facts
            .registries
            .iter()
            .flat_map(|r| ObjectKind::ALL.map(|o| (r, o)))
            .filter(|(r, o)| r.counts(*o).asked > 0)
            .map(|(r, o)| bar(r, o))
            .collect(),
        full: 0.0,
        ticks: Vec::new(),
        mark: None,
    }
}

/// How much of each limit was used, in per cent of what the registry allows.
pub(super) fn limits(facts: &RunFacts) -> Bars {
    let percent = |n: u64, allowed: u64| if allowed == 0 { 0.0 } else { n as f64 * 100.0 / allowed as f64 };
    // What is not limited has no share that is used.
    let all = facts.registries.iter().flat_map(|r| r.limits.iter().map(move |l| (r, l)));
    let rows: Vec<_> = all.filter_map(|(r, l)| l.allowed.zip(l.share).map(|(allowed, share)| (r, l, allowed, share))).collect();
    let over = rows.iter().filter(|(_, l, _, share)| l.reached > *share).count() as u64;
    Bars {
        id: "limits".to_owned(),
        title: "Use of each limit, in per cent of what the registry allows".to_owned(),
        desc: format!("{} used beyond our share.", count(over, "limit was", "limits were")),
        series: vec!["reached"],
        rows: rows
            .iter()
            .map(|(r, l, allowed, share)| Bar {
                label: format!("{} {}", r.id, l.name),
                parts: vec![percent(l.reached, *allowed).min(100.0)],
                note: format!("{} of {}", grouped(l.reached), grouped(*allowed)),
                mark: Some(percent(*share, *allowed).min(100.0)),
            })
            .collect(),
        full: 100.0,
        ticks: vec![(0.0, "0 %"), (50.0, "50 %"), (100.0, "100 %")],
        mark: Some("our share"),
    }
}

/// Certificates along the days they have left.
pub(super) fn certificates(facts: &RunFacts) -> Bars {
    let mut all: Vec<_> = facts
        .registries
        .iter()
        .flat_map(|r| r.tls.iter().flat_map(|t| &t.certificates).map(move |c| (days_left(c.not_after, facts.ended), r, c)))
        .collect();
    all.sort_by_key(|(days, ..)| *days);
    let soonest = all.first().map_or_else(|| "No certificate was seen".to_owned(), |(days, ..)| format!("The first: {}", left(*days)));
    Bars {
        id: "certificates".to_owned(),
        title: "Days left of each certificate".to_owned(),
        desc: format!("{soonest}."),
        series: vec!["more than 30 days left", "30 days or fewer"],
        rows: all
            .iter()
            .map(|(days, r, c)| {
                let days_shown = (*days).clamp(0, 400) as f64;
                Bar {
                    label: format!("{} {}: {}", r.id, whose(&c.whose), c.subject),
                    parts: if *days > RENEW_DAYS { vec![days_shown, 0.0] } else { vec![0.0, days_shown] },
                    note: left(*days),
                    mark: None,
                }
            })
            .collect(),
        full: 400.0,
        ticks: vec![(0.0, "now"), (RENEW_DAYS as f64, "30 d"), (90.0, "90 d"), (180.0, "180 d"), (365.0, "1 year")],
        mark: None,
    }
}

/// Whose a certificate is, for people.
fn whose(word: &str) -> &str {
    match word {
        "registry" => "registry's",
        "ours" => "our own",
        "ca" => "issuer's",
        other => other,
    }
}

/// The days left in words.
fn left(days: i64) -> String {
    if days < 0 {
        format!("expired {} ago", count(days.unsigned_abs(), "day", "days"))
    } else {
        format!("{} left", count(days.unsigned_abs(), "day", "days"))
    }
}

/// Differences of one registry, one row a field.
const DIFFERENCES: Shape = Shape {
    name: "differences",
    title: "Differences by field",
    heads: &[
        text("field", "Field"),
        int("changed", "Changed"),
        int("missing_here", "Missing here"),
        int("missing_there", "Missing there"),
        int("unreadable", "Unreadable"),
        int("cosmetic", "Cosmetic"),
    ],
};
