//! From a plan to the registries and back: what was applied is seen there, and is not planned again.
#![expect(clippy::print_stdout, reason = "how many operations there were is part of what a test tells")]

use crate::served::{REGISTRIES, World, context};
use privet::dataset::columns;
use privet::job::pull;
use privet::plan::{Operation, PlanFile, Turn};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

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

/// Plans, applies, pulls and plans again: everything takes effect once, and nothing is left to plan. Gives the plan's id.
fn carry_out(world: &World, recipe: &str, turn: u32, done: &mut BTreeMap<String, u64>) -> String {
    let (path, plan_file, operations) = plan(world, recipe, turn);
    assert!(plan_file.header().refused().next().is_none(), "{:?}", plan_file.header().gates);
    for operation in &operations {
        *done.entry(format!("{recipe} {}", operation.registry)).or_default() += 1;
    }
    apply(world, &path, &operations);
    let (_, _, again) = plan(world, recipe, turn + 1);
    let left: Vec<String> = again.iter().map(|op| format!("{} {} {:?}", op.registry, op.object.id, op.steps)).collect();
    assert!(left.is_empty(), "{recipe}: {left:#?}");
    plan_file.header().id.clone()
}

/// Applies a plan, each of whose steps takes effect once, and pulls.
fn apply(world: &World, path: &Path, operations: &[Operation]) {
    let commits = |world: &World| REGISTRIES.iter().map(|registry| world.commits(registry)).sum::<usize>();
    let before = commits(world);
    let (code, json, told) = run(world, &["apply", &path.display().to_string()]);
    let name = path.file_name().expect("a name").to_string_lossy();
    assert_eq!((code, json["verified"].as_u64()), (0, Some(operations.len() as u64)), "{name}: {json:#}\n{told}");
    let steps: usize = operations.iter().map(|operation| operation.steps.len()).sum();
    assert_eq!(commits(world) - before, steps, "{name}: each step took effect once");
    pull(&world.load(), &context(&[])).expect("pulled");
}

/// All that the registries hold, but for what they count and stamp themselves.
fn held(world: &World) -> BTreeMap<String, Vec<Option<String>>> {
    let mut all = BTreeMap::new();
    for registry in REGISTRIES {
        for (kind, id, _, mut fields) in world.observed(registry) {
            let own =
                columns(kind).iter().zip(&mut fields).filter(|(column, _)| ["updated", "updated_by", "exchange"].contains(&column.name));
            own.for_each(|(_, field)| *field = None);
            all.insert(format!("{registry} {} {id}", kind.as_str()), fields);
        }
    }
    all
}

#[test]
fn what_was_applied_is_seen_and_not_planned_again_at_any_registry_and_can_be_taken_back() {
    let world = World::new(600, 41);
    let _served = world.serve(&[]);
    let consents = world.data().join("records/consent.csv").display().to_string();
    let (code, json, told) = run(&world, &["consent", "import", &consents]);
    assert_eq!(code, 0, "{told}");
    assert!(json["added"].as_u64().is_some_and(|added| added > 10), "{json}");
    let mut done = BTreeMap::new();
    pull(&world.load(), &context(&[])).expect("pulled");
    carry_out(&world, "corrections", 1, &mut done);
    let before = held(&world);
    let id = carry_out(&world, "privacy", 1, &mut done);
    let protected = held(&world);
    // Taken back, what is not left for want of consent is as it was.
    let path = world.data().join("back.plan");
    let (code, json, told) = run(&world, &[&["rollback", &id, "--out", &path.display().to_string()], &ALLOW[..]].concat());
    assert!([0, 10, 20].contains(&code), "{code}: {told}");
    let back: Vec<Operation> =
        PlanFile::open(&path).expect("a plan").operations().expect("operations").map(|op| op.expect("one")).collect();
    let left_out = json["header"]["left_out"].clone();
    apply(&world, &path, &back);
    let after = held(&world);
    let touched: BTreeSet<&str> = back.iter().flat_map(|op| &op.steps).map(|step| step.object.id.as_str()).collect();
    let id_of = |key: &str| key.rsplit(' ').next().unwrap_or_default().to_owned();
    for (key, fields) in &after {
        let wanted = if touched.contains(&*id_of(key)) { before.get(key) } else { protected.get(key) };
        assert_eq!(Some(fields), wanted, "{key}; left out: {left_out}");
    }
    assert!(back.len() > 10, "{}", back.len());
    let gone = protected.keys().filter(|key| !after.contains_key(*key)).count();
    let deleted = back.iter().flat_map(|op| &op.steps).filter(|step| step.turn == Turn::Delete).count();
    assert_eq!(gone, deleted, "proxy contacts are gone");
    for (recipe, turn) in [("privacy", 3), ("migrate-v2", 1), ("lock", 1)] {
        carry_out(&world, recipe, turn, &mut done);
    }
    println!("{done:#?}");
    assert!(done.keys().any(|key| key.starts_with("privacy ")) && done.keys().any(|key| key.starts_with("corrections ")), "{done:?}");
}
