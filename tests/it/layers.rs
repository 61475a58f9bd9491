//! The layer table of ARCHITECTURE.md, held by reading every `crate::NAME` in the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each module with what it may use besides `base` and itself; of `a/b` only that submodule of `a`.
const TABLE: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("model", &[]),
    ("protocol", &["model"]),
    ("policy", &["model"]),
    ("session", &["model", "protocol", "policy"]),
    ("transport", &["model", "protocol", "policy", "session"]),
    ("forecast", &["model", "protocol/frame", "policy", "session"]),
    ("database", &[]),
    ("objects", &[]),
    ("store", &["database"]),
    ("dataset", &["model", "policy"]),
    ("compliance", &["model", "policy", "store", "dataset"]),
    ("pull", &["model", "policy", "session", "transport", "dataset"]),
    ("diff", &["model", "policy", "dataset"]),
    ("rules", &["model", "policy", "dataset"]),
    ("plan", &["model", "policy", "dataset", "compliance", "diff", "rules"]),
    ("journal", &["model", "store", "plan"]),
    ("apply", &["model", "policy", "session", "transport", "store", "compliance", "plan", "journal"]),
    ("report", &["model", "policy", "dataset", "compliance", "diff"]),
    ("mock", &["model", "policy", "protocol/frame", "protocol/ns", "protocol/tape", "protocol/writer"]),
    ("synth", &["model", "policy", "dataset", "compliance", "mock"]),
    ("sim", &FOR_SIM),
    ("job", &FOR_JOB),
    ("cli", &FOR_CLI),
];

/// What the simulator may use: everything that is moved by bytes and time alone.
const FOR_SIM: [&str; 12] =
    ["model", "policy", "protocol", "session", "store", "dataset", "compliance", "diff", "plan", "journal", "apply", "mock"];

/// What the verbs may use.
const FOR_JOB: [&str; 20] = [
    "model",
    "policy",
    "protocol",
    "session",
    "transport",
    "database",
    "objects",
    "forecast",
    "store",
    "dataset",
    "compliance",
    "pull",
    "diff",
    "rules",
    "plan",
    "journal",
    "apply",
    "report",
    "mock",
    "synth",
];

/// What the command line may use.
const FOR_CLI: [&str; 19] = [
    "model",
    "policy",
    "protocol",
    "session",
    "transport",
    "forecast",
    "store",
    "dataset",
    "compliance",
    "pull",
    "diff",
    "rules",
    "plan",
    "journal",
    "apply",
    "report",
    "mock",
    "synth",
    "job",
];

/// Files that may await: the drivers. Everything else is a state machine or plain code.
const DRIVERS: &[&str] = &[
    "transport/",
    "apply/driver.rs",
    "apply/journal.rs",
    "pull/driver.rs",
    "pull/dns/driver.rs",
    "database/",
    "objects/",
    "store/postgres/",
    "job/",
    "mock/server",
];

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a readable source tree") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// `text` without comments, so that a doc link is no dependency.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The paths behind each `crate::`, one or two names long: `model`, or `protocol/tape`. Groups (`crate::{a, b::c}`) are opened.
fn used(code: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::` and `my_crate::` are something else.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        out.extend(paths(&std::mem::take(&mut item)));
                        continue;
                    }
                    _ => {}
                }
                item.push(c);
            }
            out.extend(paths(&item));
        } else {
            out.extend(paths(rest));
        }
    }
    out
}

/// The first one or two names of one path; for `a::{b, c}` each of `a/b`, `a/c`.
fn paths(path: &str) -> Vec<String> {
    let name = |s: &str| s.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let first = name(path);
    if first.is_empty() {
        return Vec::new();
    }
    match path.trim_start()[first.len()..].strip_prefix("::") {
        Some(group) if group.starts_with('{') => {
            let inside = group[1..].split('}').next().unwrap_or_default();
            inside.split(',').map(name).filter(|n| !n.is_empty()).map(|n| format!("{first}/{n}")).collect()
        }
        Some(rest) => vec![format!("{first}/{}", name(rest))],
        None => vec![first],
    }
}

#[test]
fn every_edge_between_modules_is_in_the_table() {
    let table: BTreeMap<&str, &[&str]> = TABLE.iter().copied().collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20, "the source tree was found");
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
        if relative == "lib.rs" || relative == "main.rs" {
            continue;
        }
        let module = relative.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        let Some(allowed) = table.get(module.as_str()) else {
            wrong.push(format!("{relative}: the module `{module}` is not in the table"));
            continue;
        };
        for path in used(&code(&std::fs::read_to_string(&file).expect("a source file"))) {
            let top = path.split('/').next().unwrap_or_default();
            let fine = top == "base" || top == module || allowed.contains(&top) || allowed.contains(&path.as_str());
            if !fine && table.contains_key(top) {
                wrong.push(format!("{relative}: `{module}` may not use `{path}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "edges that are not in the table:\n{}", wrong.join("\n"));
}

#[test]
fn only_drivers_await() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
        let text = code(&std::fs::read_to_string(&file).expect("a source file"));
        let driver = DRIVERS.iter().any(|d| relative.starts_with(d));
        if !driver && (text.contains(".await") || text.contains("tokio::")) {
            wrong.push(relative);
        }
    }
    assert!(wrong.is_empty(), "these await but are no drivers: {wrong:?}");
}

#[test]
fn the_reader_of_edges_sees_them() {
    let seen = used("use crate::{base::{A, B}, model::C}; crate::protocol::{tape::Tape, frame}; my_crate::x; $crate::y");
    let want = ["base/A", "base/B", "model/C", "protocol/frame", "protocol/tape"];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), want);
}
