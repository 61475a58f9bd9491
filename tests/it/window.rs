//! Windows in which domains are unlocked: what plans do about them stands in their register, and what is late is told.

use crate::kill::{Killing, LOCKING};
use crate::served::context;
use privet::base::Exit;
use privet::job::{report_protection, report_registers};
use serde_json::Value;
use std::path::Path;

fn table(dir: &Value, name: &str, wanted: &[&str]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(Path::new(dir.as_str().expect("a folder")).join(name)).expect("a table");
    let header = reader.headers().expect("a header").clone();
    let columns: Vec<usize> = wanted.iter().map(|name| header.iter().position(|known| known == *name).expect("the column")).collect();
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.map(|row| columns.iter().map(|at| row[*at].to_owned()).collect()).collect()
}

#[test]
fn a_domain_that_a_plan_unlocked_has_a_window_until_a_plan_locks_it_again() {
    let killing = Killing::new(300, 12);
    let world = &killing.world;
    let applied = |path: &Path| {
        let (code, json, told) = world.run(&["apply", &path.display().to_string()]);
        assert_eq!((code, json["failed"].as_u64()), (0, Some(0)), "{told}");
    };
    let locking = killing.plan("lock", 1, &[]);
    applied(&locking.path);
    let [one, other] = [0, 1].map(|n| locking.objects.iter().nth(n).expect("an operation").clone());
    let domain = |object: &str| object.split_once('/').expect("an object").1.to_owned();
    let registry = one.split_once(' ').expect("an object").0.to_owned();
    // What was locked had no window.
    let (_, shown, _) = world.run(&["window", "show"]);
    assert_eq!(shown["cases"], Value::Array(Vec::new()));

    let selectors = [&one, &other].map(|object| format!("domain={}", domain(object)));
    let asked = ["--relock", "2099-01-01", "--allow", "unlock", "--reason", "transfer asked for", "--by", "u-7"];
    let select = ["--select", &selectors[0], "--select", &selectors[1]];
    let unlocking = killing.plan("unlock", 2, &[&select[..], &asked[..]].concat());
    assert_eq!(unlocking.objects.len(), 2, "{:?}", unlocking.objects);
    applied(&unlocking.path);
    let (_, shown, _) = world.run(&["window", "show"]);
    assert_eq!(shown["states"], serde_json::json!({ "unlocked": 2 }), "{shown}");
    let values = &shown["cases"][0]["values"];
    assert_eq!((&values["relock"], &values["actor"]), (&"2099-01-01".into(), &"u-7".into()));
    let cases: Vec<&str> = shown["cases"].as_array().expect("cases").iter().filter_map(|case| case["case"].as_str()).collect();
    let mut domains = Vec::new();
    for case in &cases {
        let (_, one, _) = world.run(&["window", "show", "--case", case, "--unmasked"]);
        let texts: Vec<String> =
            one["texts"].as_array().expect("texts").iter().filter_map(|text| text["text"].as_str()).map(str::to_owned).collect();
        assert!(texts.contains(&"transfer asked for".to_owned()), "{texts:?}");
        domains.extend(texts.into_iter().filter(|text| *text != "transfer asked for"));
    }
    domains.sort();
    assert_eq!(domains, [domain(&one), domain(&other)]);
    // Noted once, however often the run is looked at.
    let id = privet::plan::PlanFile::open(&unlocking.path).expect("a plan").header().id.clone();
    world.run(&["reconcile", &id]);
    assert_eq!(world.run(&["window", "show"]).1["states"], serde_json::json!({ "unlocked": 2 }));

    // One of them may be unlocked for a shorter time: what the register says last is what counts.
    let case = cases[0].to_owned();
    let (code, _, told) = world.run(&["window", "add", "extended", "--case", &case, "--set", "relock=2020-01-01", "--set", "actor=u-8"]);
    assert_eq!(code, 0, "{told}");
    // By the machine's own clock, as what was applied was noted by it.
    let now = context(&LOCKING);
    killing.pull();
    let watched = report_protection(&world.load(), &now).expect("ended");
    let late = table(&watched.json["reports"], "relock-overdue.csv", &["domain", "until"]);
    assert_eq!(late.len(), 1, "{late:?}");
    assert_eq!(late[0][1], "2020-01-01");
    let told = report_registers(&world.load(), &now, None).expect("ended");
    let due = table(&told.json["reports"], "registers-deadlines.csv", &["register", "case", "deadline", "standing"]);
    assert!(due.contains(&["window", &case, "relock", "overdue"].map(str::to_owned).to_vec()), "{due:?}");

    // What was asked for is to be done within five days.
    let row = "case,event,at,at_registry,domain,asked_by\nw-1,asked,2026-11-02,".to_owned() + &registry + ",other.example,registrant\n";
    let file = world.data().join("windows.csv");
    privet::base::write_atomic(&file, row.as_bytes()).expect("written");
    assert_eq!(world.run(&["window", "import", &file.display().to_string()]).0, 0);
    let told = report_registers(&world.load(), &now, None).expect("ended");
    let due = table(&told.json["reports"], "registers-deadlines.csv", &["case", "deadline", "due", "standing"]);
    assert!(due.contains(&["w-1", "unlock", "2026-11-07", "overdue"].map(str::to_owned).to_vec()), "{due:?}");

    let again = killing.plan("lock", 3, &[]);
    assert_eq!(again.objects.len(), 2, "{:?}", again.objects);
    applied(&again.path);
    let (_, shown, _) = world.run(&["window", "show"]);
    assert_eq!(shown["states"], serde_json::json!({ "asked": 1, "relocked": 2 }), "{shown}");
    killing.plan("lock", 4, &[]);
    let watched = report_protection(&world.load(), &now).expect("ended");
    assert!(table(&watched.json["reports"], "relock-overdue.csv", &["domain"]).is_empty());
    assert!([Exit::Done, Exit::Findings].contains(&watched.exit()));
}
