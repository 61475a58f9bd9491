//! The demo, end to end: bundled registries over TLS, a pull, a diff, a report, judged by what the seed planted.

use crate::served::REGISTRIES;
use privet::base::{Exit, Quiet, StopToken, SystemClock};
use privet::diff::SummaryRow;
use privet::job::{Context, DemoOptions, demo};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

fn context() -> Context {
    Context {
        clock: Arc::new(SystemClock::new()),
        events: Arc::new(Quiet),
        stop: StopToken::default(),
        only: Vec::new(),
        queries: privet::job::Queries::default(),
    }
}

/// Differences by registry, object, kind, severity and field.
type Counts = BTreeMap<[String; 5], u64>;

/// The counts that the facts of a run hold.
fn counted(run: &Path) -> Counts {
    let facts = privet::report::read(run).expect("the facts");
    let words =
        |d: &SummaryRow| [d.registry.as_str(), d.object.as_str(), d.kind.as_str(), d.severity.as_str(), &d.field].map(str::to_owned);
    facts.differences.iter().map(|d| (words(d), d.count)).collect()
}

/// The same, counted in the differences file itself.
fn rows(differences: &Path) -> Counts {
    let mut reader = csv::Reader::from_path(differences).expect("the differences");
    let heads = reader.headers().expect("heads").clone();
    let at = ["registry", "object", "kind", "severity", "field"].map(|name| heads.iter().position(|h| h == name).expect("the column"));
    let mut counts = Counts::new();
    for row in reader.records() {
        let row = row.expect("a row");
        *counts.entry(at.map(|n| row[n].to_owned())).or_default() += 1;
    }
    assert!(!counts.is_empty(), "a demo plants differences");
    counts
}

#[test]
fn the_demo_finds_what_its_seed_planted_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("demo");
    let program = std::path::PathBuf::from(env!("CARGO_BIN_EXE_privet"));
    // Seeds whose small fleets have domains to move.
    for seed in [4, 6] {
        let ended = demo(&DemoOptions { out: out.clone(), contacts: 300, seed, program: program.clone() }, &context())
            .unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert_eq!(ended.exit(), Exit::Done, "{}", ended.text);
        assert_eq!(ended.json["exit"], 0);
        let registries = ended.json["registries"].as_array().expect("registries");
        assert_eq!(registries.len(), REGISTRIES.len());
        assert!(registries.iter().all(|r| r["domains"].as_u64() > Some(0) && r["unreadable"] == 0), "{registries:?}");
        for path in ["privet.toml", "records/contacts.csv", "truth/differences.csv"] {
            assert!(out.join(path).exists(), "{path}");
        }
        let reports = std::path::PathBuf::from(ended.json["reports"].as_str().expect("a folder"));
        assert!(reports.starts_with(out.canonicalize().expect("there").join("reports")));
        assert!(reports.join("index.html").exists() && reports.join("differences.parquet").exists());
        assert_eq!(counted(&reports.join("run.json")), rows(&reports.join("differences.csv")));
        assert!(!ended.text.contains(" 0 operations"), "{}", ended.text);
        for told in ["Every role that shows", "took effect exactly once"] {
            assert!(ended.text.contains(told), "{}", ended.text);
        }
        // A busy machine may let it come to its end.
        let killed = ["its process was killed when", "its process was done before"];
        assert!(killed.iter().any(|told| ended.text.contains(told)), "{}", ended.text);
        super::schema_files::assert_form("report/summary", &ended.json);
        let key = out.join("state/proof/key.pub").display().to_string();
        for entry in std::fs::read_dir(out.join("reports")).expect("the runs") {
            let run = entry.expect("a run").path();
            let told = privet::job::verify(&run, &key, None, None).unwrap_or_else(|e| panic!("{}: {e}", run.display()));
            assert_eq!(told.exit(), Exit::Done, "{}", told.text);
        }
        for entry in std::fs::read_dir(&reports).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|e| e == "json") {
                let json = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
                let stem = path.file_stem().and_then(|s| s.to_str()).expect("a plain name");
                super::schema_files::assert_form(&format!("report/{stem}"), &json);
            }
        }
    }
}

#[test]
fn the_demo_overwrites_nothing_it_did_not_make() {
    let dir = tempfile::tempdir().expect("a directory");
    privet::base::write_atomic(&dir.path().join("precious"), b"mine").expect("written");
    let problems = demo(&DemoOptions { out: dir.path().to_owned(), contacts: 20, seed: 1, program: std::path::PathBuf::new() }, &context())
        .expect_err("refused");
    assert_eq!((problems.kept()[0].id.as_str(), problems.kept()[0].exit), ("E-demo-001", Exit::Usage));
    assert!(dir.path().join("precious").exists());
}
