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

/// Rules that no record breaks by itself, by what their numbers begin with, each with the reason.
const NOT_PLANTED: [(&str, &str); 2] = [
    ("R-dns-", "it is the DNS that breaks them, as it is observed"),
    ("R-ident-", "it is a change that breaks them, and a record is none"),
];

/// The number of every rule that the rules' own code and the embedded profiles name.
fn rules_of_records() -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for dir in ["src/rules", "src/policy/profiles"] {
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)).expect("a directory") {
            let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a text");
            let quoted = text.split('"').filter(|part| part.starts_with("R-") && part.rsplit_once('-').is_some_and(is_number));
            rules.extend(quoted.map(str::to_owned));
        }
    }
    rules
}

/// Whether the last part of a rule's number is three digits.
fn is_number((_, last): (&str, &str)) -> bool {
    last.len() == 3 && last.bytes().all(|b| b.is_ascii_digit())
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
    // Every rule came up at one registry or another, and every registry has some.
    let rules = rules_of_records();
    assert!(rules.len() > 35 && rules.contains("R-addr-015"), "{rules:?}");
    for rule in rules {
        let why = NOT_PLANTED.iter().find(|(not, _)| rule.starts_with(not));
        assert!(seen.contains_key(&rule) != why.is_some(), "{rule}: {why:?}; planted were {:?}", seen.keys().collect::<Vec<_>>());
    }
    let registries: BTreeSet<&String> = seen.values().flatten().collect();
    assert!(registries.len() >= 8, "{registries:?}");
}
