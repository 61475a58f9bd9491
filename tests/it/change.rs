//! From a plan to the registries and back: what was applied is seen there, and is not planned again.
#![expect(clippy::print_stdout, reason = "how many operations there were is part of what a test tells")]

use crate::served::{REGISTRIES, World, context, wait_until};
use privet::base::{remove_tree, write_atomic};
use privet::dataset::columns;
use privet::job::{pull, store_path};
use privet::model::ObjectKind;
use privet::plan::{Operation, PlanFile, Turn, vault_name};
use privet::store::{SqliteStore, Vault};
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

fn plan(world: &World, recipe: &str, turn: u32) -> (PathBuf, PlanFile, Vec<Operation>) {
    let path = world.data().join(format!("{recipe}-{turn}.plan"));
    let out = path.display().to_string();
    let (code, _, told) = world.run(&[&["plan", recipe, "--out", &out], &ALLOW[..]].concat());
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
    let (code, json, told) = world.run(&["apply", &path.display().to_string()]);
    let name = path.file_name().expect("a name").to_string_lossy();
    assert_eq!((code, json["verified"].as_u64()), (0, Some(operations.len() as u64)), "{name}: {json:#}\n{told}");
    let steps: usize = operations.iter().map(|operation| operation.steps.len()).sum();
    assert_eq!(commits(world) - before, steps, "{name}: each step took effect once");
    pull(&world.load(), &context(&[])).expect("pulled");
}

/// All that the registries hold, but for whether anything is linked to it, which they set themselves.
fn held(world: &World) -> BTreeMap<String, Vec<Option<String>>> {
    let mut all = BTreeMap::new();
    for registry in REGISTRIES {
        for (kind, id, _, mut fields) in world.observed(registry) {
            let own =
                columns(kind).iter().zip(&mut fields).filter(|(column, _)| ["updated", "updated_by", "exchange"].contains(&column.name));
            own.for_each(|(_, field)| *field = None);
            // Who is linked follows from what the domains name.
            let statuses = columns(kind).iter().zip(&mut fields).filter(|(column, _)| column.name == "statuses");
            for (_, field) in statuses {
                let kept = field.iter().flat_map(|text| text.split(';')).filter(|status| *status != "linked");
                *field = Some(kept.collect::<Vec<_>>().join(";"));
            }
            for (column, field) in columns(kind).iter().zip(&mut fields).filter(|(column, _)| column.name == "statuses") {
                assert_eq!(column.name, "statuses");
                *field = field.take().map(|all| all.split(';').filter(|status| *status != "linked").collect::<Vec<_>>().join(";"));
            }
            all.insert(format!("{registry} {} {id}", kind.as_str()), fields);
        }
    }
    all
}

#[test]
fn what_was_applied_is_seen_and_not_planned_again_at_any_registry_and_can_be_taken_back() {
    let world = World::new(600, 41);
    let _served = world.serve(&[]);
    let json = world.import_consent();
    assert!(json["added"].as_u64().is_some_and(|added| added > 10), "{json}");
    let mut done = BTreeMap::new();
    pull(&world.load(), &context(&[])).expect("pulled");
    carry_out(&world, "corrections", 1, &mut done);
    let before = held(&world);
    let id = carry_out(&world, "privacy", 1, &mut done);
    let protected = held(&world);
    // Taken back, what is not left for want of consent is as it was.
    let path = world.data().join("back.plan");
    let (code, json, told) = world.run(&[&["rollback", &id, "--out", &path.display().to_string()], &ALLOW[..]].concat());
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

#[test]
fn a_restriction_that_is_recorded_while_a_run_goes_on_stops_that_persons_changes_alone() {
    let world = World::new(300, 17);
    let _served = world.serve(&[]);
    world.import_consent();
    pull(&world.load(), &context(&[])).expect("pulled");
    let (path, _, operations) = plan(&world, "privacy", 1);
    let by_consent = |op: &&Operation| op.basis.subject.is_some() && op.object.kind == ObjectKind::Domain;
    let one = operations.iter().rfind(by_consent).expect("an operation upon consent");
    let subject = one.basis.subject.clone().expect("a subject");
    let theirs: BTreeSet<u64> = operations.iter().filter(|op| op.basis.subject.as_ref() == Some(&subject)).map(|op| op.op).collect();
    // The run has begun and is held.
    let pause = world.data().join("pause");
    write_atomic(&pause, b"").expect("written");
    let (plan_file, pause_file) = (path.display().to_string(), pause.display().to_string());
    let mut process = world.process(&["apply", &plan_file, "--pause-file", &pause_file, "--format", "json"]);
    let process = process.spawn().expect("a process");
    wait_until("the run to begin", || world.data().join("state/plans").read_dir().is_ok_and(|mut plans| plans.next().is_some()));
    let (code, _, told) = world.run(&["consent", "add", "--subject", &subject, "--event", "restricted"]);
    assert_eq!(code, 0, "{told}");
    remove_tree(&pause).expect("removed");
    let output = process.wait_with_output().expect("ended");
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let failed: BTreeSet<u64> = json["not_verified"].as_array().expect("a list").iter().filter_map(|one| one["op"].as_u64()).collect();
    assert_eq!((failed, output.status.code()), (theirs, Some(20)), "{json:#}");
    let why = &json["not_verified"][0]["why"]["blocked"];
    assert!(why.as_str().is_some_and(|rule| rule.starts_with("R-consent-")), "{json:#}");
}

#[test]
fn row_36_what_lost_its_consent_since_it_was_planned_is_refused_by_its_rule() {
    let world = World::new(300, 17);
    let _served = world.serve(&[]);
    world.import_consent();
    pull(&world.load(), &context(&[])).expect("pulled");
    let (path, _, operations) = plan(&world, "privacy", 1);
    let by_consent = |op: &&Operation| op.basis.subject.is_some() && op.object.kind == ObjectKind::Domain;
    let one = operations.iter().rfind(by_consent).expect("an operation upon consent");
    let subject = one.basis.subject.clone().expect("a subject");
    let theirs: BTreeSet<u64> = operations.iter().filter(|op| op.basis.subject.as_ref() == Some(&subject)).map(|op| op.op).collect();
    for purpose in &one.basis.purposes {
        let purpose = purpose.as_str();
        let event = [
            "consent",
            "add",
            "--subject",
            &subject,
            "--event",
            "withdrawn",
            "--purpose",
            purpose,
            "--method",
            "page",
            "--by",
            "registrant",
        ];
        let (code, _, told) = world.run(&event);
        assert_eq!(code, 0, "{told}");
    }
    let (code, json, told) = world.run(&["apply", &path.display().to_string()]);
    let refused: BTreeSet<u64> = json["not_verified"].as_array().expect("a list").iter().filter_map(|one| one["op"].as_u64()).collect();
    assert_eq!((code, &refused), (20, &theirs), "{json:#}{told}");
    assert_eq!(json["verified"].as_u64(), Some((operations.len() - theirs.len()) as u64), "{json:#}");
    let rule = json["not_verified"][0]["why"]["blocked"].as_str().unwrap_or_default().to_owned();
    assert!(rule.starts_with("R-consent-"), "{json:#}");
    let outcomes = std::fs::read_to_string(json["outcomes"].as_str().expect("a table")).expect("outcomes");
    assert_eq!(outcomes.lines().filter(|line| line.contains(&rule)).count(), theirs.len(), "{outcomes}");
}

/// Every file below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Where one of the texts stands in a file.
fn found(files: &[PathBuf], texts: &BTreeSet<String>) -> Vec<String> {
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let read = |path: &PathBuf| (path.clone(), std::fs::read(path).expect("a file"));
    let hits = files.iter().map(read).flat_map(|(path, bytes)| {
        let hits: Vec<String> =
            texts.iter().filter(|text| holds(&bytes, text)).map(|text| format!("{} in {}", text.len(), path.display())).collect();
        hits
    });
    hits.collect()
}

#[test]
fn after_the_erasure_of_one_person_nothing_of_them_is_left_and_every_chain_still_holds() {
    let world = World::new(400, 23);
    let _served = world.serve(&[]);
    pull(&world.load(), &context(&[])).expect("pulled");
    let (path, header, operations) = plan(&world, "corrections", 1);
    let is_personal = |op: &&Operation| {
        let sealed = |change: &privet::plan::Change| matches!(change.wanted, privet::plan::Value::Sealed(_));
        op.object.kind == ObjectKind::Contact && op.steps.iter().any(|step| step.facts.iter().any(sealed))
    };
    let person = operations.iter().find(is_personal).expect("a contact is corrected");
    let (registry, handle) = (person.registry.clone(), person.object.id.clone());
    let personal = |column: usize| columns(ObjectKind::Contact)[column].personal;
    let of = |all: Vec<(ObjectKind, String, privet::dataset::State, Vec<Option<String>>)>| -> BTreeSet<String> {
        let theirs = all.into_iter().filter(|(kind, id, _, _)| *kind == ObjectKind::Contact && *id == handle);
        theirs
            .flat_map(|(_, _, _, fields)| fields.into_iter().enumerate().filter(|(n, _)| personal(*n)).filter_map(|(_, value)| value))
            .collect()
    };
    let mut values: BTreeSet<String> = of(world.observed(&registry));
    let shown = world.process(&["show", &path.display().to_string()]).output().expect("shown");
    let (code, json, told) = world.run(&["apply", &path.display().to_string()]);
    assert_eq!(code, 0, "{json:#}{told}");
    pull(&world.load(), &context(&[])).expect("pulled");
    values.extend(of(world.observed(&registry)));
    // A postal code or a country stands in many a place.
    values.retain(|value| value.chars().count() > 6);
    assert!(values.len() >= 3, "{}", values.len());
    let id = header.header().id.clone();
    let back = world.data().join("back.plan").display().to_string();
    assert_eq!(world.run(&[&["rollback", &id, "--out", &back], &ALLOW[..]].concat()).0, 0);
    // What the tool left but for what it pulled and took in, which retention deletes: nothing of a person stands there in clear.
    let state = world.data().join("state");
    let is_ours = |path: &PathBuf| !path.starts_with(state.join("snapshots")) && !path.starts_with(state.join("records"));
    let left = || -> Vec<PathBuf> {
        let reports = files(&world.data().join("reports")).into_iter().filter(|path| path.to_string_lossy().contains("/apply-"));
        files(&state).into_iter().filter(is_ours).chain(reports).chain([path.clone(), PathBuf::from(&back)]).collect()
    };
    assert_eq!(found(&left(), &values), Vec::<String>::new());
    assert!(!values.iter().any(|value| String::from_utf8_lossy(&shown.stdout).contains(value.as_str())));
    // Erased, not even who it was about is left in the store.
    let mut store = SqliteStore::open(&store_path(&state)).expect("a store");
    let name = vault_name(&registry, ObjectKind::Contact, &handle);
    let key = Vault::new(&mut store).key_of(&name).expect("looked").expect("a key");
    assert!(Vault::new(&mut store).erase(&name).expect("erased"));
    store.scrub().expect("scrubbed");
    let stores: Vec<PathBuf> = files(&state).into_iter().filter(|path| path.to_string_lossy().contains("store.sqlite")).collect();
    assert_eq!(found(&stores, &BTreeSet::from([name.clone()])), Vec::<String>::new());
    assert!(Vault::new(&mut store).key(key.reference()).expect("looked").is_none());
    assert!(privet::journal::open(&mut store, &id).expect("the chain holds").is_closed());
    drop(store);
    let unmasked = world.process(&["show", &path.display().to_string(), "--unmasked", "--by", "approver"]).output().expect("shown");
    assert!(unmasked.status.success() && !values.iter().any(|value| String::from_utf8_lossy(&unmasked.stdout).contains(value.as_str())));
    // What cannot be taken back any more is listed.
    let again = world.data().join("again.plan").display().to_string();
    let (_, json, told) = world.run(&[&["rollback", &id, "--out", &again], &ALLOW[..]].concat());
    assert_eq!(json["header"]["left_out"]["R-plan-018"], 1, "{json:#}{told}");
}

#[test]
fn the_nightly_run_applies_what_its_configuration_names_within_its_limits_and_until_its_day() {
    let world = World::new(300, 5);
    let _served = world.serve(&[]);
    world.import_consent();
    let config = std::fs::read_to_string(world.config()).expect("a configuration");
    let night = |most: u32, until: &str| {
        let table = format!("\n[run]\nplan = [\"corrections\"]\n[run.apply.lock]\nmax_operations = {most}\nuntil = \"{until}\"\n");
        write_atomic(&world.config(), (config.clone() + &table).as_bytes()).expect("written");
        let (_, json, told) = world.run(&["run"]);
        let plans = json["plans"].as_array().unwrap_or_else(|| panic!("{json:#}{told}")).clone();
        assert_eq!(plans.iter().map(|plan| plan["recipe"].as_str()).collect::<Vec<_>>(), [Some("lock"), Some("corrections")]);
        assert_eq!(plans[1]["left_for_review"], "left for review", "{json:#}");
        assert!(plans[1]["operations"].as_u64() > Some(0));
        plans[0].clone()
    };
    let commits = || REGISTRIES.iter().map(|registry| world.commits(registry)).sum::<usize>();
    let why = |lock: &Value| lock["left_for_review"].as_str().unwrap_or_default().to_owned();
    assert!(why(&night(1, "2099-12-31")).ends_with("at most 1 operations"));
    assert!(why(&night(1000, "2026-01-31")).ends_with("until 2026-01-31"));
    assert_eq!(commits(), 0);
    let lock = night(1000, "2099-12-31");
    assert_eq!((&lock["applied"]["verified"], &lock["applied"]["closed"]), (&lock["operations"], &Value::Bool(true)), "{lock:#}");
    assert!(commits() > 1 && commits() as u64 == lock["operations"].as_u64().unwrap_or_default());
    // Nothing is left to lock.
    assert_eq!(why(&night(1000, "2099-12-31")), "nothing to do");
}
