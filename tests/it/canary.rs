//! Canaries: marked persons go through every ledger and every report an officer signs, and stand in no file but the ones meant for them.

use crate::marker::{Markers, mark, may_hold, tree};
use crate::sample::pdf_text;
use crate::served::World;
use calamine::{Data, Reader as _, Xlsx};
use polars::prelude::{ParquetReader, SerReader as _};
use privet::base::{remove_tree, write_atomic};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;

/// What people wrote, and what a case is about: sealed, and told with `--unmasked` alone.
const WORDS: [&str; 3] = ["CANARY-asks-for-everything", "CANARY-court-order-77", "CANARY-told-a-neighbour"];

/// Imports events about marked persons into registers; gives the handle of the first.
fn registered(world: &World, say: &mut dyn FnMut(&str, &[&str]) -> Option<i32>) -> (String, String) {
    let table = std::fs::read_to_string(world.data().join("records/contacts.csv")).expect("a table");
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let header = rows.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|column| column == name).expect("the column");
    let (registry, id) = (at("registry"), at("id"));
    let people: Vec<(String, String)> =
        rows.records().map(|row| row.expect("a row")).map(|row| (row[registry].to_owned(), row[id].to_owned())).take(3).collect();
    let events = |header: &str, lines: &[String]| format!("{header}\n{}\n", lines.join("\n"));
    let of = |n: usize| format!("{},{}", people[n].0, people[n].1);
    let tables = [
        (
            "request",
            events(
                "case,event,at,registry,handle,type,details",
                &[format!("r-1,received,2026-11-02,{},access,{}", of(0), WORDS[0]), format!("r-2,received,2026-11-03,{},erasure,", of(1))],
            ),
        ),
        (
            "disclosure",
            events(
                "case,event,at,registry,handle,ground,requester,reasons",
                &[format!("d-1,requested,2026-11-04,{},public-authority,{},{}", of(1), WORDS[1], WORDS[1])],
            ),
        ),
        ("breach", events("case,event,at,aware,detected_by,facts", &[format!("b-1,reported,2026-11-05,2026-11-05,staff,{}", WORDS[2])])),
        (
            "hold",
            events(
                "case,event,at,registry,handle,reason,owner,details",
                &[format!("h-1,placed,2026-11-06,{},litigation,o-1,{}", of(2), WORDS[1])],
            ),
        ),
    ];
    for (verb, text) in tables {
        let file = world.data().join(format!("{verb}.csv"));
        write_atomic(&file, text.as_bytes()).expect("written");
        assert_eq!(say(verb, &[verb, "import", &file.display().to_string()]), Some(0), "{verb}: {text}");
        remove_tree(&file).expect("gone");
    }
    people[0].clone()
}

/// What a file says, where it is packed in some way.
fn unpacked(path: &Path, bytes: Vec<u8>) -> Vec<u8> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("xlsx") => cells(&bytes),
        Some("parquet") => rows(bytes),
        // A name may be broken over two lines: blanks are left out, of the names there are none with any.
        Some("pdf") => pdf_text(path).into_bytes(),
        _ => bytes,
    }
}

/// Everything in a Parquet file, as text.
fn rows(bytes: Vec<u8>) -> Vec<u8> {
    let table = ParquetReader::new(Cursor::new(bytes)).finish().expect("a table");
    let mut out = String::new();
    for column in table.columns() {
        out.push_str(column.name());
        for value in column.as_materialized_series().iter() {
            out.push('\n');
            out.push_str(&value.to_string());
        }
    }
    out.into_bytes()
}

/// Everything in a workbook, as text.
fn cells(bytes: &[u8]) -> Vec<u8> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
    let mut out = String::new();
    for name in book.sheet_names() {
        out.push_str(&name);
        for cell in book.worksheet_range(&name).expect("a sheet").rows().flatten().filter(|cell| **cell != Data::Empty) {
            out.push('\n');
            out.push_str(&cell.to_string());
        }
    }
    out.into_bytes()
}

#[test]
fn marked_persons_stand_in_no_report_and_in_no_ledger() {
    let world = World::new(240, 23);
    let data = world.data();
    let mut markers: BTreeSet<String> = mark(&data.join("records/contacts.csv"));
    markers.extend(WORDS.map(str::to_owned));
    let _served = world.serve(&[]);
    let mut said: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut say = |what: &str, args: &[&str]| {
        let output = world.process(&[args, &["--log", "json", "-vv"]].concat()).output().expect("a process");
        said.insert(format!("{what}: stdout"), output.stdout);
        said.insert(format!("{what}: stderr"), output.stderr);
        output.status.code()
    };
    assert_eq!(say("consent", &["consent", "import", &data.join("records/consent.csv").display().to_string()]), Some(0));
    let (registry, handle) = registered(&world, &mut say);
    assert!(say("run", &["run"]).is_some_and(|code| [0, 11].contains(&code)));
    assert_eq!(say("answers", &["consent", "import", &data.join("records/answers.csv").display().to_string()]), Some(0));
    // One order is of a kind that nothing is known of.
    assert_eq!(say("ask", &["consent", "ask"]), Some(20));
    for report in ["retention", "record", "registers", "erasure", "exposure", "protection", "consent", "oversight"] {
        assert!(say(report, &["report", report]).is_some_and(|code| [0, 11].contains(&code)), "report {report}");
    }
    let exposed = std::fs::read_dir(data.join("reports")).expect("reports").map(|entry| entry.expect("an entry").path());
    let exposed = exposed.filter(|dir| dir.join("findings.csv").exists() && dir.join("exposure.csv").exists()).max().expect("an exposure");
    assert_eq!(say("candidates", &["breach", "candidates", "--from", &exposed.display().to_string()]), Some(11));
    for recipe in ["privacy", "erasure"] {
        let out = data.join(format!("{recipe}.plan")).display().to_string();
        let planned = say(recipe, &["plan", recipe, "--out", &out]);
        assert!(planned.is_some_and(|code| [0, 10, 20].contains(&code)), "{recipe}: {planned:?}");
        say(&format!("show {recipe}"), &["show", &out]);
        say(&format!("exposure {recipe}"), &["report", "exposure", "--plan", &out]);
    }
    let who = ["--registry", &registry, "--handle", &handle];
    assert_eq!(say("find", &[&["subject", "find"][..], &who].concat()), Some(0));
    let bundle = data.join("bundle").display().to_string();
    assert_eq!(say("export", &[&["subject", "export", &bundle][..], &who].concat()), Some(0));
    let erased = say("erase", &[&["subject", "erase", "--despite", "r-1"][..], &who].concat());
    assert!(erased.is_some_and(|code| [0, 20].contains(&code)), "{erased:?}");

    let markers = Markers::new(&markers);
    let mut paths = Vec::new();
    for dir in ["state", "reports"] {
        tree(&data.join(dir), &mut paths);
    }
    paths.extend(["privacy.plan", "erasure.plan"].map(|plan| data.join(plan)));
    tree(&data.with_file_name("tmp"), &mut paths);
    let (mut held, mut sent) = (0, 0);
    for path in paths.iter().filter(|path| path.is_file()) {
        let bytes = std::fs::read(path).expect("readable");
        if path.starts_with(data.join("state/outbox")) {
            sent += markers.within(&bytes).len();
        } else if path.starts_with(&data) && may_hold(&data, path) {
            held += markers.within(&bytes).len();
        } else {
            said.insert(path.display().to_string(), unpacked(path, bytes));
        }
    }
    let mut bundled = Vec::new();
    tree(Path::new(&bundle), &mut bundled);
    let files = bundled.iter().filter(|path| path.is_file());
    let own = files.map(|path| markers.within(&std::fs::read(path).expect("readable")).len()).sum::<usize>();
    assert!(held > 100 && own > 3, "the search finds what is there: {held} in records and snapshots, {own} in the bundle");
    assert!(sent > 1, "whoever is asked is named in the outbox: {sent}");
    for kind in ["html", "csv", "json", "xlsx", "parquet", "pdf"] {
        assert!(said.keys().filter(|place| place.ends_with(kind)).count() >= 5, "reports in {kind} were searched");
    }
    let hits: Vec<String> = said
        .iter()
        .map(|(place, bytes)| (place, markers.within(bytes)))
        .filter(|(_, hits)| !hits.is_empty())
        .map(|(place, hits)| format!("{place}: {hits:?}"))
        .collect();
    assert!(hits.is_empty(), "{}", hits.join("\n"));
}
