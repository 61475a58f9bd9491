//! The figures that a run leaves for monitoring: of the form that a collector reads, and those of the run.

use crate::one::{ONE, One};
use crate::served::context;
use privet::base::{Exit, StateDir};
use privet::job::run;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// A sample's name with its labels as they stand, and its value.
type Samples = BTreeMap<String, f64>;

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_') && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The labels between braces: names that are names, values between quotation marks with nothing unescaped in them.
fn check_labels(text: &str) {
    let mut rest = text;
    let mut seen = BTreeSet::new();
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").expect("a label");
        assert!(is_name(name) && seen.insert(name.to_owned()), "{text}");
        let mut escaped = false;
        let end = value.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let end = end.expect("a closed value");
        rest = &value[end + 1..];
        rest = if rest.is_empty() { rest } else { rest.strip_prefix(',').expect("a comma between labels") };
        assert!(!rest.is_empty() || value.len() == end + 1, "no comma at the end: {text}");
    }
}

/// Reads an exposition (text format 0.0.4) and refuses what is not as it should be: each family has its help, its type and then its
/// samples, once and together.
fn exposition(text: &str) -> Samples {
    assert!(text.ends_with('\n') && !text.contains("\n\n"), "{text}");
    let mut families = BTreeSet::new();
    let mut samples = Samples::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, help) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).expect("a family begins with its help");
        assert!(is_name(name) && name.starts_with("privet_") && !help.is_empty(), "{line}");
        assert!(families.insert(name.to_owned()), "{name} stands twice");
        assert_eq!(lines.next(), Some(format!("# TYPE {name} gauge").as_str()));
        let mut count = 0;
        while let Some(sample) = lines.next_if(|line| !line.starts_with('#')) {
            let (series, value) = sample.rsplit_once(' ').expect("a sample");
            let rest = series.strip_prefix(name).expect("a sample of its family");
            if !rest.is_empty() {
                check_labels(rest.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).expect("labels"));
            }
            let value: f64 = value.parse().expect("a number");
            assert!(value.is_finite() && samples.insert(series.to_owned(), value).is_none(), "{sample}");
            count += 1;
        }
        assert!(count > 0, "{name} has samples");
    }
    samples
}

/// The table for `file`, to be put into a configuration.
fn wanted(file: &std::path::Path) -> String {
    format!("[metrics]\nfile = \"{}\"", file.display())
}

fn file_of(one: &One) -> PathBuf {
    one.config().with_file_name("privet.prom")
}

#[test]
fn the_figures_of_a_run_are_those_of_its_summary() {
    let one = One::new("gtld-thick", "example", 12);
    let file = file_of(&one);
    let served = one.serve(&[], &wanted(&file));
    let ended = run(&one.load(), &context(&[])).expect("ended");
    let text = std::fs::read_to_string(&file).expect("metrics");
    let samples = exposition(&text);
    assert_eq!(std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o644, "another user's collector reads it");

    let told = &ended.json["registries"][0];
    let of = |name: &str, labels: &str| samples[&format!("{name}{{registry=\"{ONE}\"{labels}}}")];
    let number = |key: &str| told[key].as_u64().expect(key) as f64;
    let equal = |one: f64, other: f64, what: &str| assert!((one - other).abs() < 1e-6, "{what}: {one} and {other}");
    for (object, key) in [("contact", "contacts"), ("domain", "domains")] {
        equal(of("privet_registry_objects", &format!(",object=\"{object}\",state=\"ok\"")), number(key), key);
    }
    assert!(number("domains") > 0.0 && number("differences") > 0.0, "there is something to tell: {told}");
    equal(of("privet_registry_differences", ",severity=\"material\""), number("differences"), "differences");
    equal(of("privet_registry_differences", ",severity=\"cosmetic\""), number("cosmetic"), "cosmetic");
    equal(of("privet_registry_whole", ""), 1.0, "whole");
    equal(samples["privet_run_exit_code"], 0.0, "differences are no other end");
    assert_eq!(ended.exit(), Exit::ChangesPending);

    let (began, over) = (samples["privet_run_start_timestamp_seconds"], samples["privet_run_end_timestamp_seconds"]);
    assert!((over - began - samples["privet_run_duration_seconds"]).abs() < 0.002, "points in time are told to the millisecond: {text}");
    let observed = of("privet_registry_snapshot_oldest_timestamp_seconds", "");
    assert!(began - 1.0 <= observed && observed <= over, "{began} {observed} {over}");
    for whose in ["ca", "ours", "registry"] {
        let ends = of("privet_registry_certificate_expiry_timestamp_seconds", &format!(",whose=\"{whose}\""));
        assert!(ends > over, "{whose} {ends}");
    }
    let facts: serde_json::Value = serde_json::from_slice(
        &std::fs::read(PathBuf::from(ended.json["reports"].as_str().expect("a folder")).join("run.json")).expect("facts"),
    )
    .expect("JSON");
    let exchanges = facts["registries"][0]["line"]["exchanges"].as_f64().expect("exchanges");
    equal(of("privet_registry_commands", ""), exchanges, "commands");
    for n in 0..3 {
        assert!(!text.contains(one.fleet.handle_at(n).as_str()) && !text.contains(one.fleet.name_at(n).as_str()), "no object is named");
    }
    let filters = [
        (r"(timestamp_seconds\S*|duration_seconds|clock_offset_seconds\S*|frame_bytes\S*) -?[0-9.]+", "$1 [N]"),
        (r#"version="[^"]+""#, "version=\"[VERSION]\""),
    ];
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!(text) });
    drop(served);

    let ended = run(&one.load(), &context(&[])).expect("ended");
    assert_eq!(ended.exit(), Exit::Unreachable, "{}", ended.text);
    let later = exposition(&std::fs::read_to_string(&file).expect("metrics"));
    equal(later["privet_run_exit_code"], 31.0, "exit");
    equal(later[&format!("privet_registry_whole{{registry=\"{ONE}\"}}")], 0.0, "whole");
    let same = format!("privet_registry_snapshot_oldest_timestamp_seconds{{registry=\"{ONE}\"}}");
    equal(later[&same], samples[&same], "what is known is as old as before");
}

#[test]
fn a_run_that_another_one_keeps_out_leaves_its_metrics_alone_and_one_that_fails_leaves_its_own() {
    let one = One::new("gtld-thick", "example", 2);
    let file = file_of(&one);
    let _served = one.serve(&[], &wanted(&file));
    privet::base::write_public(&file, b"of another run\n").expect("written");
    let lock = StateDir::open(&one.state()).and_then(|state| state.lock("another run")).expect("the lock");
    let problems = run(&one.load(), &context(&[])).expect_err("the lock is held");
    assert_eq!(problems.kept()[0].exit, Exit::Locked);
    assert_eq!(std::fs::read(&file).expect("metrics"), b"of another run\n");
    drop(lock);

    let loaded = one.load();
    let key = loaded.config.registries.values().next().and_then(|r| r.key.clone()).expect("a key");
    let before = std::fs::read(&key).expect("a key");
    privet::base::write_atomic(&key, b"no key").expect("written");
    let problems = run(&loaded, &context(&[])).expect_err("the key is none");
    let samples = exposition(&std::fs::read_to_string(&file).expect("metrics"));
    let exit = Exit::worst(problems.kept().iter().map(|p| p.exit)).code();
    assert!((samples["privet_run_exit_code"] - f64::from(exit)).abs() < 1e-6 && exit != 0, "{problems}");
    assert!(!samples.keys().any(|series| series.starts_with("privet_registry_objects")), "nothing was read");
    assert!(samples.keys().any(|series| series.contains("certificate_expiry") && series.contains("whose=\"ours\"")));
    privet::base::write_atomic(&key, &before).expect("written");
}

#[test]
fn metrics_that_cannot_be_written_are_told_and_cost_nothing_else() {
    let one = One::new("gtld-thick", "example", 2);
    let _served = one.serve(&[], &wanted(&one.config().with_file_name("nowhere").join("privet.prom")));
    let ended = run(&one.load(), &context(&[])).expect("ended");
    assert!(ended.exits.contains(&Exit::ReportFailed), "{:?}", ended.exits);
    assert!(ended.problems.iter().any(|p| p.id == "E-file-001" && p.to_string().contains("privet.prom")), "{:?}", ended.problems);
    assert!(one.newest().is_some(), "the night was whole all the same");
}
