//! `--log json`: lines that name the run they belong to, and exchanges that can be found again at the registry.

use crate::served::{THICK, World};
use serde_json::Value;
use std::collections::BTreeSet;

/// The lines of a verb's log.
fn lines(world: &World, args: &[&str]) -> (i32, Vec<Value>) {
    let output = world.process(&[args, &["--log", "json", "--registry", THICK]].concat()).output().expect("a process");
    let text = String::from_utf8(output.stderr).expect("text");
    let all = text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    (output.status.code().expect("an exit code"), all)
}

/// What stands in a frame between the tags of its transaction identifier.
fn trid(frame: &str) -> Option<&str> {
    frame.split_once("<clTRID>")?.1.split_once('<').map(|(id, _)| id)
}

#[test]
fn every_line_names_its_run_and_every_exchange_is_one_that_the_registry_heard() {
    let world = World::new(20, 31);
    let _served = world.serve(&[]);
    let (code, all) = lines(&world, &["run", "-vv"]);
    assert_eq!(code, 0, "{all:?}");
    let run = std::fs::read_dir(world.data().join("reports")).expect("reports").flatten().next().expect("a run").file_name();
    // What is wrong with a configuration is told before a run of it has a name.
    let (before, of_run) = all.split_at(all.iter().position(|line| !line["run"].is_null()).expect("a line of the run"));
    assert!(before.iter().all(|line| line["id"].as_str().is_some_and(|id| id.starts_with("E-config-"))), "{before:?}");
    for line in of_run {
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        assert_eq!(line["run"].as_str(), run.to_str(), "{line}");
    }
    assert!(all.iter().any(|line| line["stage"] == "pull"));

    let exchanges: Vec<&Value> = all.iter().filter(|line| line["message"] == "exchange").collect();
    let ids: BTreeSet<&str> = exchanges.iter().map(|line| line["exchange"].as_str().expect("an id")).collect();
    assert!(ids.len() == exchanges.len() && exchanges.len() > 20, "each exchange has an id of its own");
    for line in &exchanges {
        assert_eq!((line["registry"].as_str(), line["level"].as_str()), (Some(THICK), Some("TRACE")), "{line}");
        assert!(line["command"].is_string() && line["code"].is_u64() && line["svtrid"].is_string() && line["ms"].is_i64(), "{line}");
        assert_eq!(line["ended"], "answered");
    }
    let told: BTreeSet<String> = exchanges.iter().map(|line| line["cltrid"].as_str().expect("an id").to_owned()).collect();
    let heard: Vec<String> = world.frames(THICK, "in");
    let asked = heard.iter().filter(|frame| frame.contains("<info>"));
    assert_eq!(told, asked.filter_map(|frame| trid(frame)).map(str::to_owned).collect(), "each command, and no other");
}

#[test]
fn exchanges_are_told_to_those_who_ask_for_them_alone_and_a_failure_names_its_run_too() {
    let world = World::new(20, 32);
    let served = world.serve(&[]);
    let (_, all) = lines(&world, &["check", "-v"]);
    assert!(all.iter().all(|line| line["message"] != "exchange"), "{all:?}");
    drop(served);
    let (code, all) = lines(&world, &["run"]);
    assert_eq!(code, 31, "{all:?}");
    let errors: Vec<&Value> = all.iter().filter(|line| line["level"] == "ERROR").collect();
    assert!(!errors.is_empty() && errors.iter().all(|line| line["run"].is_string() && line["id"].is_string()), "{all:?}");
}
