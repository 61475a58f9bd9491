//! The sample of the reports in `reports/sample`: the code of the verbs renders it from runs that were recorded once (`fixtures/sample`: the
//! snapshots with their exchanges, the local records, the store with the journal of an erasure and the ledger of consent, events of the
//! registers), with a fixed clock and fixed keys, byte by byte.
//!
//! After a change on purpose: `PRIVET_BLESS=1 cargo test --test it sample`.

use crate::keeping::that_day;
use crate::served::{World, context};
use privet::base::{
    Clock, Exit, Moment, Problems, Quiet, RegistryId, SeededEntropy, StopToken, Timestamp, create_private_dir, remove_tree, write_atomic,
};
use privet::compliance::register::{Book, import_register, register};
use privet::job::config::{Config, Loaded};
use privet::job::{
    ApplyOptions, Context, Ended, PlanOptions, apply, consent_ask, consent_import, consent_sent, plan, pull, register_import,
    report_consent, report_erasure, report_exposure, report_oversight, report_record, report_registers, report_retention, run,
};
use privet::plan::Recipe;
use privet::store::SqliteStore;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// The registries of the sample: one whose controller we are, one whose processor, and one in a third country.
const SOME: [&str; 3] = ["eurid", "nz", "sidn"];
/// Those at which somebody is asked for consent.
const ASKED: [&str; 2] = ["dnsbe", "example-thick"];
/// The one at which data were erased.
const ERASED: [&str; 1] = ["nz"];
/// The reports, each with a page, a workbook and a PDF of its name.
pub(crate) const REPORTS: [&str; 7] = ["retention", "exposure", "record", "registers", "consent", "oversight", "erasure"];
/// Registers whose events are those of the recorded records, and stand in the recorded store.
const PLANTED: [&str; 9] = ["contract", "disclosure", "notice", "officer", "policy", "training", "verification", "window", "withholding"];
/// What tells the test below that it is in a directory of its own.
const HERE: &str = "PRIVET_SAMPLE_HERE";
/// What the recorded run is made of, in the directory of a configuration.
const RECORDED: [&str; 7] =
    ["records", "state/snapshots", "state/plans", "state/store.sqlite", "state/store.sqlite-wal", "reports", "privet.toml"];
/// A key that everybody knows (RFC 8410 §10.3): a sample proves nothing.
const KEY: &str =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp\n+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

/// A clock that stands.
struct Fixed(Timestamp);

impl Clock for Fixed {
    fn moment(&self) -> Moment {
        Moment::default() + Duration::ZERO
    }

    fn wall(&self) -> Timestamp {
        self.0
    }
}

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What a verb is given that runs at `at`.
fn at(at: &str, registries: &[&str]) -> Context {
    let only = registries.iter().map(|id| RegistryId::new(*id)).collect();
    Context {
        clock: Arc::new(Fixed(at.parse().expect("a time"))),
        events: Arc::new(Quiet),
        stop: StopToken::default(),
        only,
        queries: privet::job::Queries::default(),
    }
}

/// Every file below `dir`, by its path in it.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                waiting.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(dir).expect("below it").display().to_string();
                all.insert(name, std::fs::read(entry.path()).expect("a file"));
            }
        }
    }
    all
}

fn put(dir: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in files {
        let path = dir.join(name);
        create_private_dir(path.parent().expect("a folder")).expect("made");
        write_atomic(&path, bytes).expect("written");
    }
}

#[test]
fn the_sample_is_what_the_reports_make_of_the_recorded_run() {
    let dir = tempfile::tempdir().expect("a directory");
    put(dir.path(), &files(&project().join("fixtures/sample")));
    write_atomic(&dir.path().join("key.pem"), KEY.as_bytes()).expect("written");
    // Paths stand in the record, so that they have to be the same wherever this runs: a process of its own works in that directory.
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["sample::renders_into_the_directory_it_is_in", "--exact", "--ignored", "--test-threads=1"]);
    let output = command.current_dir(dir.path()).env(HERE, "1").output().expect("a process");
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));

    let (made, kept) = (files(&dir.path().join("sample")), project().join("reports/sample"));
    for name in REPORTS {
        for file in [format!("{name}.html"), format!("{name}.pdf"), format!("{name}.xlsx"), "proof.json".to_owned()] {
            assert!(made.contains_key(&format!("{name}/{file}")), "{name}: {file} is there");
        }
    }
    let sum: usize = made.values().map(Vec::len).sum();
    assert!(sum < 4 << 20, "the sample has {sum} bytes");
    if std::env::var_os("PRIVET_BLESS").is_some() {
        if kept.exists() {
            remove_tree(&kept).expect("removed");
        }
        return put(&kept, &made);
    }
    let committed = files(&kept);
    let names = |all: &BTreeMap<String, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&committed), "the files of the sample; after a change on purpose: PRIVET_BLESS=1");
    let other: Vec<&String> = made.iter().filter(|(name, bytes)| committed.get(*name) != Some(bytes)).map(|(name, _)| name).collect();
    assert!(other.is_empty(), "not as they were: {other:?}; after a change on purpose: PRIVET_BLESS=1");
}

/// What the pages of a PDF say, without blanks.
pub(crate) fn pdf_text(path: &Path) -> String {
    let file = lopdf::Document::load(path).expect("a PDF");
    let pages: Vec<u32> = file.get_pages().into_keys().collect();
    bare(&file.extract_text(&pages).expect("text"))
}

/// A text without its blanks: where a line ends in a PDF is nothing of what it says.
pub(crate) fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn the_pdf_of_each_report_says_what_its_page_and_its_tables_say() {
    for name in REPORTS {
        let dir = project().join("reports/sample").join(name);
        let text = pdf_text(&dir.join(format!("{name}.pdf")));
        let page = std::fs::read_to_string(dir.join(format!("{name}.html"))).expect("a page");
        let parts = |from: &str, to: &str| -> Vec<String> {
            page.split(from).skip(1).filter_map(|rest| Some(rest.split_once('>')?.1.split_once(to)?.0.to_owned())).collect()
        };
        let (verdicts, headings) = (parts("<p class=\"verdict\"", "</p>"), parts("<h2 ", "</h2>"));
        assert!(verdicts.len() == 1 && headings.len() > 1, "{name}: {verdicts:?} {headings:?}");
        for said in verdicts.iter().chain(&headings) {
            let said = said.replace("<bdi>", "").replace("</bdi>", "").replace("&amp;", "&");
            assert!(text.contains(&bare(&said)), "{name}: {said}");
        }
        let mut cells = 0;
        for (table, bytes) in &files(&dir) {
            let Some(table) = table.strip_suffix(".json").filter(|table| *table != "proof") else { continue };
            let table_of: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
            // Findings stand in files of their own alone.
            let Some(rows) = table_of["rows"].as_array().filter(|_| table != "findings") else { continue };
            for cell in rows.iter().flat_map(|row| row.as_object().expect("a row").values()) {
                // The record's own table stands there row by row, without the columns that name a row.
                let Some(cell) = cell.as_str().filter(|cell| table != "record" && cell.is_ascii()) else { continue };
                assert!(text.contains(&bare(&cell.replace('`', ""))) || text.contains(&bare(cell)), "{name}, {table}: {cell}");
                cells += 1;
            }
        }
        assert!(cells > 30, "{name}: {cells}");
        for placeholder in ["TODO", "FIXME", "lorem", "undefined", "NaN", "{}", "\u{fffd}"] {
            assert!(!text.contains(placeholder), "{name}: {placeholder}");
        }
    }
}

#[test]
#[ignore = "the test above runs it in a directory of its own"]
fn renders_into_the_directory_it_is_in() {
    if std::env::var_os(HERE).is_none() {
        return;
    }
    let here = Path::new("privet.toml");
    let loaded = Config::load(here, &[], &|_| None).unwrap_or_else(|e| panic!("{e}"));
    for (name, seed) in ["request", "hold", "breach"].into_iter().zip(1..) {
        take(name, seed);
    }
    // An earlier record, so that this one can tell what changed: only then was it declared where the registries are.
    report_record(&loaded, &at("2026-11-30T02:00:00Z", &SOME)).unwrap_or_else(|e| panic!("{e}"));
    take("recipient", 4);
    keep("retention", report_retention(&loaded, &at("2026-12-01T02:00:00Z", &SOME), None));
    keep("exposure", report_exposure(&loaded, &at("2026-12-01T02:10:00Z", &SOME), None));
    keep("record", report_record(&loaded, &at("2026-12-01T02:20:00Z", &SOME)));
    keep("registers", report_registers(&loaded, &at("2026-12-01T02:30:00Z", &SOME), Some("NL")));
    keep("consent", report_consent(&loaded, &at("2026-12-01T02:40:00Z", &ASKED)));
    keep("oversight", report_oversight(&loaded, &at("2026-12-01T02:50:00Z", &SOME)));
    keep("erasure", report_erasure(&loaded, &at("2026-12-01T03:00:00Z", &ERASED)));
}

/// Takes the events of a register.
fn take(name: &'static str, seed: u64) {
    let register = register(name).expect("a register");
    let mut import = import_register(register, &[PathBuf::from(format!("registers/{name}.csv"))]);
    assert!(import.problems.is_empty(), "{name}: {:?}", import.problems.kept());
    let mut store = SqliteStore::open(Path::new("state/store.sqlite")).expect("a store");
    let mut book = Book::open(&mut store, register).expect("a register");
    let now = "2026-11-29T00:00:00Z".parse().expect("a time");
    let taken = book.take(&mut import, false, now, &mut SeededEntropy::new(seed)).expect("taken");
    assert!(taken.added > 0, "{name}");
}

/// Keeps what a verb leaves.
fn keep(name: &str, ended: Result<Ended, Problems>) {
    let ended = ended.unwrap_or_else(|e| panic!("{name}: {e}"));
    let folder = PathBuf::from(ended.json["reports"].as_str().expect("a folder"));
    assert!(ended.problems.iter().all(|problem| !problem.id.starts_with("E-proof")), "{:?}", ended.problems);
    put(&Path::new("sample").join(name), &files(&folder));
}

/// Erases what no rule keeps, and reads what is there then.
fn erased(world: &World, loaded: &Loaded) {
    let path = world.data().join("erasure.plan");
    let options = PlanOptions {
        recipe: Recipe::Erasure,
        select: Vec::new(),
        out: Some(path.clone()),
        allow: ["delete", "share", "count"].map(str::to_owned).to_vec(),
        reason: Some("what no rule keeps".to_owned()),
        by: Some("operations".to_owned()),
        relock: None,
    };
    plan(loaded, &that_day(), &options).expect("planned");
    let ended = apply(loaded, &path, &ApplyOptions::default(), &context(&[])).expect("applied");
    assert!(ended.json["verified"].as_u64() > Some(0), "{:#}", ended.json);
    pull(loaded, &context(&[])).expect("pulled");
}

/// Takes answers and cases in, asks whom the orders call for, and notes that this was sent.
fn asked(world: &World, loaded: &Loaded) {
    let day = that_day();
    let answers = world.data().join("records/answers.csv");
    consent_import(loaded, &day, &[world.data().join("records/consent.csv"), answers], false).expect("taken in");
    for name in PLANTED {
        let cases = world.data().join(format!("records/cases-{name}.csv"));
        assert_eq!(register_import(loaded, &day, name, &[cases], false).expect("taken in").exit(), Exit::Done, "{name}");
    }
    let ended = consent_ask(loaded, &day).expect("asked");
    let outbox = std::fs::read_to_string(ended.json["file"].as_str().expect("a file")).expect("messages");
    let mut sent = "message,sent_at,to\n".to_owned();
    for line in outbox.lines() {
        let message: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let text = |key: &str| message[key].as_str().expect("text").to_owned();
        sent.push_str(&format!("{},2026-11-21T02:30:00Z,{}\n", text("message"), text("to")));
    }
    let file = world.data().join("records/sent.csv");
    write_atomic(&file, sent.as_bytes()).expect("written");
    let later = Context { clock: Arc::new(Fixed("2026-11-21T03:00:00Z".parse().expect("a time"))), ..context(&[]) };
    assert_eq!(consent_sent(loaded, &later, &[file]).expect("noted").exit(), Exit::Done);
}

#[test]
#[ignore = "records a run anew: PRIVET_RECORD=1 cargo test --test it sample::records -- --ignored"]
fn records_a_run() {
    if std::env::var_os("PRIVET_RECORD").is_none() {
        return;
    }
    let world = World::new(63, 11);
    let _served = world.serve(&[]);
    // One key from the first run on, since the runs are leaves of one log.
    let text = std::fs::read_to_string(world.config()).expect("a configuration");
    let text = text.replace("reports = \"reports\"\n", "reports = \"reports\"\n\n[proof]\nkey = { file = \"key.pem\" }\n");
    write_atomic(&world.config(), text.as_bytes()).expect("written");
    write_atomic(&world.data().join("key.pem"), KEY.as_bytes()).expect("written");
    let loaded = world.load();
    let ended = run(&loaded, &context(&[])).expect("ended");
    assert!(SOME.iter().all(|registry| world.newest(registry).is_some()), "{ended:?}");
    erased(&world, &loaded);
    asked(&world, &loaded);
    let (data, to) = (world.data(), project().join("fixtures/sample"));
    // Where the run was recorded says nothing.
    let place = format!("{}/", data.display());
    for part in RECORDED {
        let (from, to) = (data.join(part), to.join(part));
        if from.is_dir() {
            if to.exists() {
                remove_tree(&to).expect("removed");
            }
            // Of the report, what tells how TLS was agreed on is enough; of the records, one form.
            let keeps = |name: &str| match part {
                "reports" => name.ends_with("run.json"),
                "records" => !name.ends_with(".parquet"),
                "state/snapshots" => SOME.iter().chain(&ASKED).any(|registry| name.contains(&format!("registry={registry}/"))),
                _ => true,
            };
            let kept = files(&from).into_iter().filter(|(name, _)| keeps(name)).map(|(name, bytes)| match String::from_utf8(bytes) {
                Ok(text) => (name, text.replace(&place, "").into_bytes()),
                Err(binary) => (name, binary.into_bytes()),
            });
            put(&to, &kept.collect());
        } else {
            create_private_dir(to.parent().expect("a folder")).expect("made");
            write_atomic(&to, &std::fs::read(&from).expect("a file")).expect("written");
        }
    }
}
