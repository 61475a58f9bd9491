//! Planted violations against what `validate` finds: nothing more, nothing less.

use crate::served::{World, context};
use privet::job::{self, ValidateOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Violation = [String; 7];

/// The columns of the truth, out of a file that has them.
fn violations(path: &Path) -> Vec<Violation> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let header = reader.headers().expect("a header").clone();
    let at = ["registry", "object", "id", "field", "rule", "position", "code_point"]
        .map(|name| header.iter().position(|h| h == name).unwrap_or_else(|| panic!("a column {name}")));
    reader.records().map(|record| record.expect("a row")).map(|record| at.map(|at| record[at].to_owned())).collect()
}

/// What is on one side alone, some of it.
fn only(one: &BTreeSet<Violation>, other: &BTreeSet<Violation>) -> Vec<String> {
    one.difference(other).take(25).map(|v| v.join(" ")).collect()
}

#[test]
fn validate_finds_every_planted_violation_and_nothing_else() {
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (contacts, seed) in [(300, 1), (24_000, 2)] {
        let world = World::new(contacts, seed);
        let _served = world.serve(&[]);
        let options = ValidateOptions { snapshot: false, show_suggestions: false, warnings_count: true, dns: false };
        let validated = job::validate(&world.load(), &context(&[]), options).unwrap_or_else(|e| panic!("{e}"));
        let planted = violations(&world.data().join("truth/violations.csv"));
        let found = violations(&validated.dir.join("findings.csv"));
        let (truth, told): (BTreeSet<_>, BTreeSet<_>) = (planted.iter().cloned().collect(), found.iter().cloned().collect());
        let (missed, surplus) = (only(&truth, &told), only(&told, &truth));
        assert!(missed.is_empty() && surplus.is_empty(), "planted, not found: {missed:#?}\nfound, not planted: {surplus:#?}");
        assert_eq!(planted.len(), found.len(), "each once");
        for [registry, _, _, _, rule, ..] in planted {
            seen.entry(rule).or_default().insert(registry);
        }
    }
    // Every kind that is planted came up at one registry or another, and every registry has some.
    for rule in [
        "R-addr-001",
        "R-addr-002",
        "R-addr-003",
        "R-addr-004",
        "R-addr-005",
        "R-addr-006",
        "R-addr-007",
        "R-addr-008",
        "R-addr-009",
        "R-addr-010",
        "R-addr-011",
        "R-addr-012",
        "R-addr-013",
        "R-addr-014",
        "R-prop-002",
        "R-prop-003",
        "R-prop-004",
        "R-prop-005",
        "R-prop-006",
        "R-prop-007",
        "R-prop-008",
        "R-prop-009",
        "R-prop-010",
        "R-stat-002",
        "R-stat-003",
        "R-ns-001",
        "R-ns-002",
        "R-ns-003",
        "R-ns-005",
        "R-ns-006",
        "R-role-001",
    ] {
        assert!(seen.contains_key(rule), "{rule} was never planted: {:?}", seen.keys().collect::<Vec<_>>());
    }
    let registries: BTreeSet<&String> = seen.values().flatten().collect();
    assert!(registries.len() >= 8, "{registries:?}");
}
