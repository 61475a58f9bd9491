//! `privet plan`, `show` and `approve` as processes, over synthetic records and what the bundled registries hold of them.

use crate::schema_files::assert_form;
use crate::served::{REGISTRIES, THICK, World, context};
use privet::base::write_atomic;
use privet::job::pull;
use privet::mock::Served;
use privet::model::ObjectKind;
use privet::plan::PlanFile;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Output;

/// A world whose registries were pulled, and how often each of them had heard something by then.
struct Pulled {
    world: World,
    _served: Vec<Served>,
    heard: Vec<usize>,
}

impl Pulled {
    fn new(contacts: u64, seed: u64) -> Self {
        let world = World::new(contacts, seed);
        let served = world.serve(&[]);
        pull(&world.load(), &context(&[])).expect("pulled");
        let heard = REGISTRIES.map(|registry| world.frames(registry, "in").len()).into();
        Self { world, _served: served, heard }
    }

    /// Adds to the configuration.
    fn configure(&self, text: &str) {
        let path = self.world.config();
        let whole = std::fs::read_to_string(&path).expect("a configuration") + text;
        write_atomic(&path, whole.as_bytes()).expect("written");
    }

    fn run(&self, args: &[&str]) -> Output {
        self.world.process(args).output().expect("a process")
    }

    /// Plans into a file of that name; gives the exit code, what was printed, and the file.
    fn plan(&self, name: &str, args: &[&str]) -> (i32, Value, PathBuf) {
        let path = self.world.data().join(name);
        let out = path.display().to_string();
        let output = self.run(&[&["plan"], args, &["--out", &out, "--format", "json"]].concat());
        let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        (code(&output), json, path)
    }

    fn show(&self, path: &std::path::Path, args: &[&str]) -> String {
        let path = path.display().to_string();
        let output = self.run(&[&["show", &path], args].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).expect("text")
    }

    /// That no registry has heard anything since, and that nothing was changed there.
    fn assert_silence(&self) {
        for (registry, heard) in REGISTRIES.iter().zip(&self.heard) {
            assert_eq!((self.world.commits(registry), self.world.frames(registry, "in").len()), (0, *heard), "{registry}");
        }
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The gates that refused, with the kind of object or of change.
fn refused(json: &Value) -> BTreeSet<(String, String)> {
    let gates = json["header"]["gates"].as_array().expect("gates");
    let text = |gate: &Value, key: &str| gate[key].as_str().unwrap_or_default().to_owned();
    gates.iter().filter(|gate| gate["passed"] == false).map(|gate| (text(gate, "gate"), text(gate, "kind"))).collect()
}

#[test]
fn equal_input_gives_equal_plans_and_no_registry_hears_of_it() {
    let pulled = Pulled::new(600, 21);
    for recipe in ["corrections", "privacy", "lock", "migrate-v2", "privacy-off"] {
        let (first, json, one) = pulled.plan(&format!("{recipe}-1.plan"), &[recipe]);
        let (second, _, other) = pulled.plan(&format!("{recipe}-2.plan"), &[recipe]);
        assert_eq!(first, second, "{recipe}");
        assert!(std::fs::read(&one).expect("a plan") == std::fs::read(&other).expect("a plan"), "{recipe}");
        assert_form("planned", &json);
        let plan = PlanFile::open(&one).expect("a whole plan");
        assert_eq!(plan.digest(), json["digest"].as_str().expect("a digest"));
        for line in std::fs::read_to_string(&one).expect("a plan").lines() {
            assert_form("plan", &serde_json::from_str(line).expect("JSON"));
        }
        match recipe {
            // What the records and the registries differ in is planted.
            "corrections" => assert!(plan.header().operations() > 0, "{json}"),
            // Without a record of consent nothing is masked, moved or locked.
            "lock" | "migrate-v2" => assert_eq!((first, plan.header().operations()), (20, 0), "{recipe}: {json}"),
            "privacy" => {
                let operations = plan.operations().expect("operations").map(|op| op.expect("an operation"));
                assert!(operations.into_iter().all(|op| op.registry != THICK), "{json}");
                assert!(first == 20 && plan.header().left_out.contains_key("R-consent-001"), "{json}");
            }
            _ => {}
        }
    }
    pulled.assert_silence();
}

#[test]
fn a_plan_is_shown_masked_and_unmasked_for_whoever_says_who_they_are() {
    let pulled = Pulled::new(600, 22);
    let (_, json, all) = pulled.plan("all.plan", &["corrections", "--select", &format!("registry={THICK}")]);
    let first = PlanFile::open(&all).expect("a plan").operations().expect("operations").map(|op| op.expect("an operation"));
    let contact = first
        .into_iter()
        .find(|op| op.object.kind.as_str() == "contact" && op.steps[0].facts.iter().any(|f| f.fact.is_personal(op.object.kind)));
    let contact = contact.unwrap_or_else(|| panic!("a correction of a contact: {json}"));
    let select = format!("handle={}", contact.object.id);
    let registry = format!("registry={THICK}");
    let (_, _, one) = pulled.plan("one.plan", &["corrections", "--select", &registry, "--select", &select]);
    let masked = pulled.show(&one, &[]);
    let (_, operations) = masked.split_once("1. contact").expect("the operation");
    insta::assert_snapshot!(operations);
    // The values are in the vault, and that somebody saw them is in the journal.
    let unmasked = pulled.show(&one, &["--unmasked", "--by", "N. N."]);
    assert_ne!(unmasked, masked);
    assert!(!unmasked.contains("•••"), "{unmasked}");
    let records = std::fs::read_to_string(pulled.world.data().join("records/contacts.csv")).expect("records");
    let id = format!("{},", contact.object.id);
    let row = records.lines().find(|line| line.contains(&id)).expect("the contact's record");
    let wanted: Vec<&str> = unmasked.lines().filter_map(|line| Some(line.split_once(" → ")?.1.trim())).filter(|v| v.len() > 3).collect();
    assert!(!wanted.is_empty() && wanted.iter().all(|value| row.contains(value)), "{unmasked}");
    assert!(wanted.iter().all(|value| !masked.contains(value)) && !std::fs::read_to_string(&one).expect("a plan").contains(wanted[0]));
    let mut store = privet::store::SqliteStore::open(&privet::job::store_path(&pulled.world.data().join("state"))).expect("a store");
    let id = PlanFile::open(&one).expect("a plan").header().id.clone();
    let (_, entries) = privet::journal::review(&mut store, &id).expect("a journal");
    assert!(matches!(entries.as_slice(), [privet::journal::Entry::Shown { by, .. }] if &**by == "N. N."), "{entries:?}");
    // As JSON it is whole.
    let shown: Value = serde_json::from_str(&pulled.show(&one, &["--format", "json"])).expect("JSON");
    assert_eq!(shown["operations"].as_array().map(Vec::len), Some(1));
    assert_eq!(code(&pulled.run(&["show", &one.display().to_string(), "--unmasked"])), 2, "who asks?");
    pulled.assert_silence();
}

#[test]
fn a_plan_is_approved_by_somebody_else_and_by_its_digest() {
    let pulled = Pulled::new(200, 23);
    pulled.configure("\n[gates]\napprovals = 1\nprotected = [\"delete\"]\n");
    let registry = format!("registry={THICK}");
    assert_eq!(code(&pulled.run(&["plan", "corrections", "--select", &registry])), 2, "who plans?");
    let allow = ["--allow", "change-of-registrant", "--reason", "checked by hand"];
    let (_, json, path) = pulled.plan("x.plan", &[&["corrections", "--select", &registry, "--by", "Author"], &allow[..]].concat());
    assert_eq!(refused(&json), BTreeSet::new());
    let plan = path.display().to_string();
    let digest = json["digest"].as_str().expect("a digest");
    let approve = |digest: &str, by: &str| pulled.run(&["approve", &plan, "--digest", digest, "--by", by, "--format", "json"]);
    assert_eq!(code(&approve("0123456789ab", "Reviewer")), 21);
    assert_eq!(code(&approve("0123", "Reviewer")), 2);
    assert_eq!(code(&approve(digest, " ")), 2);
    let own = approve(digest, "author ");
    assert!(code(&own) == 20 && stderr(&own).contains("E-plan-015"), "{}", stderr(&own));
    for _ in 0..2 {
        let output = approve(&digest[..12], "Reviewer");
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_form("approved", &json);
        assert_eq!((&json["by"], &json["wanted"]), (&serde_json::json!(["Reviewer"]), &1.into()));
    }
    // Nothing is written over.
    let again = pulled.run(&["plan", "corrections", "--by", "Author", "--out", &plan]);
    assert!(code(&again) == 2 && stderr(&again).contains("E-plan-013"), "{}", stderr(&again));
    pulled.assert_silence();
}

#[test]
fn row_39_a_plan_over_a_cap_is_written_with_the_figures_and_never_approved() {
    let pulled = Pulled::new(600, 24);
    pulled.configure("\n[gates]\nmax_operations = 0\nmax_share = 0.0\nshare_floor = 0\n");
    let registry = format!("registry={THICK}");
    let ask = ["corrections", "--select", &registry, "--allow", "change-of-registrant", "--allow", "unlock", "--reason", "a test"];
    let (exit, json, path) = pulled.plan("x.plan", &ask);
    assert_eq!(exit, 20);
    let gates: BTreeSet<String> = refused(&json).into_iter().map(|(gate, _)| gate).collect();
    assert!(gates.contains("count") && gates.contains("share"), "{json}");
    let text = json["header"]["gates"].to_string();
    assert!(text.contains("at most 0 are allowed; --allow count --reason TEXT"), "{text}");
    let digest = json["digest"].as_str().expect("a digest");
    let output = pulled.run(&["approve", &path.display().to_string(), "--digest", digest, "--by", "Reviewer"]);
    assert!(code(&output) == 20 && stderr(&output).contains("E-plan-014"), "{}", stderr(&output));
    let raised = [&ask[..], &["--allow", "count", "--allow", "share", "--allow", "registrant"]].concat();
    let (_, json, _) = pulled.plan("y.plan", &raised);
    assert_eq!(refused(&json), BTreeSet::new(), "{json}");
    assert!(json["header"]["gates"].to_string().contains("a test"));
    pulled.assert_silence();
}

#[test]
fn rows_23_and_24_nothing_is_planned_upon_a_cut_input() {
    let pulled = Pulled::new(200, 25);
    let (_, _, whole) = pulled.plan("whole.plan", &["corrections"]);
    assert!(whole.exists());
    let path = pulled.world.data().join("records/domains.csv");
    let text = std::fs::read_to_string(&path).expect("records");
    let lines: Vec<&str> = text.lines().collect();
    for (name, keep) in [("header.plan", 1), ("cut.plan", lines.len() / 2)] {
        write_atomic(&path, (lines[..keep].join("\n") + "\n").as_bytes()).expect("written");
        let out = pulled.world.data().join(name);
        let output = pulled.run(&["plan", "corrections", "--out", &out.display().to_string()]);
        assert_eq!(code(&output), 20, "{}", stderr(&output));
        assert!(!out.exists() && stderr(&output).contains("E-ingest-0"), "{}", stderr(&output));
    }
    pulled.assert_silence();
}

#[test]
fn row_25_what_lacks_consent_is_left_out_and_listed_and_an_empty_plan_is_one() {
    let pulled = Pulled::new(200, 26);
    let (exit, json, path) = pulled.plan("lock.plan", &["lock", "--select", &format!("registry={THICK}")]);
    let left = json["header"]["left_out"]["R-consent-001"].as_u64().expect("domains without consent");
    assert_eq!((exit, json["header"]["counts"].as_array().map(Vec::len)), (20, Some(0)));
    let findings = std::fs::read_to_string(PathBuf::from(json["reports"].as_str().expect("a folder")).join("findings.csv"));
    assert_eq!(findings.expect("findings").lines().filter(|line| line.contains(",R-consent-001,")).count() as u64, left);
    assert_eq!(refused(&json), BTreeSet::new(), "what is left out keeps nothing else back");
    assert!(pulled.show(&path, &[]).contains("changes   none"));
    // Where nothing is to be done and nothing was left out, that is well.
    let (exit, json, _) = pulled.plan("none.plan", &["migrate-v2", "--select", "registry=nz"]);
    assert_eq!((exit, json["header"]["left_out"].as_object().map(serde_json::Map::len)), (0, Some(0)), "{json}");
    // Nothing is unlocked by accident.
    assert_eq!(code(&pulled.run(&["plan", "unlock"])), 2);
    assert_eq!(code(&pulled.run(&["plan", "unlock", "--select", "domain=a.example"])), 2);
    assert_eq!(code(&pulled.run(&["plan", "corrections", "--select", "registry=nobody"])), 2);
    pulled.assert_silence();
}

#[test]
fn an_open_request_to_restrict_keeps_corrections_from_its_subject() {
    let pulled = Pulled::new(600, 21);
    let operations = |path: &PathBuf| -> BTreeSet<(String, String)> {
        let plan = PlanFile::open(path).expect("a whole plan");
        let all = plan.operations().expect("operations").map(|op| op.expect("an operation"));
        all.filter(|op| op.object.kind == ObjectKind::Contact).map(|op| (op.registry, op.object.id)).collect()
    };
    let (_, _, first) = pulled.plan("first.plan", &["corrections"]);
    let before = operations(&first);
    let (registry, handle) = before.first().expect("a contact that is to be corrected").clone();
    let add = |event: &str, more: &[&str]| {
        let output = pulled.run(&[&["request", "add", event, "--case", "r-1", "--format", "json"], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
    };
    add("received", &["--set", "type=restriction", "--registry", &registry, "--handle", &handle]);
    let (exit, json, second) = pulled.plan("second.plan", &["corrections"]);
    let left = json["header"]["left_out"]["R-request-001"].as_u64().expect("somebody is left out");
    assert_eq!((exit, left > 0), (20, true));
    let kept = operations(&second);
    assert!(!kept.contains(&(registry.clone(), handle.clone())) && kept.is_subset(&before));
    // Once it is answered nothing stands against it.
    add("answered", &[]);
    let (_, _, third) = pulled.plan("third.plan", &["corrections"]);
    assert_eq!(operations(&third), before);
    pulled.assert_silence();
}
