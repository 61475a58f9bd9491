//! The demo, end to end: bundled registries over TLS, a pull, a diff, a report, judged by what the seed planted.

use privet::base::{Exit, Quiet, StopToken, SystemClock};
use privet::job::{Context, DemoOptions, demo};
use std::sync::Arc;

fn context() -> Context {
    Context { clock: Arc::new(SystemClock::new()), events: Arc::new(Quiet), stop: StopToken::default(), only: Vec::new() }
}

#[test]
fn the_demo_finds_what_its_seed_planted_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("demo");
    for seed in [1, 2] {
        let ended = demo(&DemoOptions { out: out.clone(), contacts: 300, seed }, &context()).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert_eq!(ended.exit(), Exit::Done, "{}", ended.text);
        assert_eq!(ended.json["exit"], 0);
        let registries = ended.json["registries"].as_array().expect("registries");
        assert_eq!(registries.len(), 4);
        assert!(registries.iter().all(|r| r["domains"].as_u64() > Some(0) && r["unreadable"] == 0), "{registries:?}");
        for path in ["privet.toml", "records/contacts.csv", "truth/differences.csv"] {
            assert!(out.join(path).exists(), "{path}");
        }
        let reports = std::path::PathBuf::from(ended.json["reports"].as_str().expect("a folder"));
        assert!(reports.starts_with(out.canonicalize().expect("there").join("reports")));
        assert!(reports.join("index.html").exists() && reports.join("differences.parquet").exists());
    }
}

#[test]
fn the_demo_overwrites_nothing_it_did_not_make() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("precious"), "mine").expect("written");
    let problems = demo(&DemoOptions { out: dir.path().to_owned(), contacts: 20, seed: 1 }, &context()).expect_err("refused");
    assert_eq!((problems.kept()[0].id.as_str(), problems.kept()[0].exit), ("E-demo-001", Exit::Usage));
    assert!(dir.path().join("precious").exists());
}
