//! From a plan to the registries and back: what was applied is seen there, and is not planned again.
#![expect(clippy::print_stdout, reason = "how many operations there were is part of what a test tells")]

use crate::served::{REGISTRIES, World, context};
use privet::job::pull;
use privet::plan::{Operation, PlanFile};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Passes every gate that has a flag.
const ALLOW: [&str; 14] = [
    "--allow",
    "count",
    "--allow",
    "share",
    "--allow",
    "change-of-registrant",
    "--allow",
    "unlock",
    "--allow",
    "reveal",
    "--allow",
    "registrant",
    "--reason",
    "a test",
];

/// Runs a verb; gives its exit code and what it printed as JSON.
fn run(world: &World, args: &[&str]) -> (i32, Value, String) {
    let output = world.process(&[args, &["--format", "json"]].concat()).output().expect("a process");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let json = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().expect("an exit code"), json, told)
}

fn plan(world: &World, recipe: &str, turn: u32) -> (PathBuf, PlanFile, Vec<Operation>) {
    let path = world.data().join(format!("{recipe}-{turn}.plan"));
    let out = path.display().to_string();
    let (code, _, told) = run(world, &[&["plan", recipe, "--out", &out], &ALLOW[..]].concat());
    assert!([0, 10, 20].contains(&code), "{recipe}: {code}: {told}");
    let plan = PlanFile::open(&path).unwrap_or_else(|problem| panic!("{problem}"));
    let operations = plan.operations().expect("operations").map(|op| op.expect("an operation")).collect();
    (path, plan, operations)
}

#[test]
fn what_was_applied_is_seen_and_is_not_planned_again_at_any_registry() {
    let world = World::new(600, 41);
    let _served = world.serve(&[]);
    let consents = world.data().join("records/consent.csv").display().to_string();
    let (code, json, told) = run(&world, &["consent", "import", &consents]);
    assert_eq!(code, 0, "{told}");
    assert!(json["added"].as_u64().is_some_and(|added| added > 10), "{json}");
    let mut done: BTreeMap<String, u64> = BTreeMap::new();
    for recipe in ["corrections", "privacy", "migrate-v2", "lock"] {
        pull(&world.load(), &context(&[])).expect("pulled");
        let (path, plan_file, operations) = plan(&world, recipe, 1);
        assert!(plan_file.header().refused().next().is_none(), "{:?}", plan_file.header().gates);
        for operation in &operations {
            *done.entry(format!("{recipe} {}", operation.registry)).or_default() += 1;
        }
        let commits: usize = REGISTRIES.iter().map(|registry| world.commits(registry)).sum();
        let (code, json, told) = run(&world, &["apply", &path.display().to_string()]);
        let verified = json["verified"].as_u64();
        assert_eq!((code, verified), (0, Some(operations.len() as u64)), "{recipe}: {json}\n{told}");
        let steps: usize = operations.iter().map(|operation| operation.steps.len()).sum();
        let after: usize = REGISTRIES.iter().map(|registry| world.commits(registry)).sum();
        assert_eq!(after - commits, steps, "{recipe}: each step took effect once");
        pull(&world.load(), &context(&[])).expect("pulled");
        let (_, _, again) = plan(&world, recipe, 2);
        let left: Vec<String> = again.iter().map(|op| format!("{} {} {:?}", op.registry, op.object.id, op.steps)).collect();
        assert!(left.is_empty(), "{recipe}: {left:#?}");
    }
    println!("{done:#?}");
    assert!(done.keys().any(|key| key.starts_with("privacy ")) && done.keys().any(|key| key.starts_with("corrections ")), "{done:?}");
}
