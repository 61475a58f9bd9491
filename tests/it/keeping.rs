//! `report retention`: what is kept of whom, by which rule, and when it must go.

use crate::served::{World, context};
use calamine::{Reader as _, Xlsx};
use privet::base::{Clock, Exit, Moment, SystemClock, Timestamp, write_atomic};
use privet::job::{Context, Ended, consent_import, pull, register_import, report_record, report_retention, run};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The day that the data of a [`World`] describe.
struct ThatDay(SystemClock);

impl Clock for ThatDay {
    fn moment(&self) -> Moment {
        self.0.moment()
    }

    fn wall(&self) -> Timestamp {
        let begin: Timestamp = "2026-11-21T02:00:00Z".parse().expect("a time");
        begin + self.0.moment().since_origin()
    }
}

pub(crate) fn that_day() -> Context {
    Context { clock: Arc::new(ThatDay(SystemClock::new())), ..context(&[]) }
}

pub(crate) fn folder(ended: &Ended) -> PathBuf {
    PathBuf::from(ended.json["reports"].as_str().expect("a folder"))
}

/// The rows of a table in some columns.
pub(crate) fn rows(path: &Path, columns: &[&str]) -> BTreeSet<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let header = reader.headers().expect("a header").clone();
    let at: Vec<usize> = columns.iter().map(|c| header.iter().position(|h| h == *c).expect("the column")).collect();
    reader.records().map(|row| row.expect("a row")).map(|row| at.iter().map(|at| row[*at].to_owned()).collect()).collect()
}

const COLUMNS: [&str; 6] = ["registry", "object", "cluster", "state", "keep_until", "must_go_by"];

#[test]
fn what_no_service_needs_is_found_with_its_days_and_nothing_else() {
    for seed in [3, 4] {
        let world = World::new(300, seed);
        let _served = world.serve(&[]);
        let loaded = world.load();
        assert_eq!(pull(&loaded, &context(&[])).expect("ended").exit(), Exit::Done);
        world.import_holds();
        let ended = report_retention(&loaded, &that_day(), None).expect("ended");
        assert_eq!(ended.exit(), Exit::Findings, "{}", ended.text);
        super::schema_files::assert_form("retention", &ended.json);
        let all = rows(&folder(&ended).join("retention.csv"), &COLUMNS);
        let found: BTreeSet<_> = all.into_iter().filter(|row| row[3] != "active" && !row[0].is_empty()).collect();
        let planted = rows(&world.data().join("truth/retention.csv"), &COLUMNS);
        assert_eq!(found, planted, "seed {seed}");
        let states: BTreeSet<&str> = planted.iter().map(|row| row[3].as_str()).collect();
        assert_eq!(states.into_iter().collect::<Vec<_>>(), ["due", "hold", "overdue", "retained", "unknown_start"]);
    }
}

#[test]
fn what_proves_a_verification_and_a_withdrawn_consent_is_kept_by_rules_of_its_own() {
    let world = World::new(63, 11);
    let (loaded, day) = (world.load(), super::asking::at("2026-11-22T02:00:00Z"));
    consent_import(&loaded, &day, &[world.data().join("records/answers.csv")], false).expect("taken in");
    let cases = world.data().join("records/cases-verification.csv");
    register_import(&loaded, &day, "verification", &[cases], false).expect("taken in");
    let columns = ["cluster", "state", "keep_until", "must_go_by", "stores", "rules_min", "rules_max"];
    let all = rows(&folder(&report_retention(&loaded, &day, None).expect("ended")).join("retention.csv"), &columns);
    let of = |cluster: &str| all.iter().filter(|row| row[0] == cluster).map(|row| row[1..].join(" ")).collect::<Vec<_>>();
    assert_eq!(of("verification"), ["due  2031-10-02 registers  VERIF"], "of two cases one came to an end");
    // Of the orders that wait one is older than its ten days.
    assert_eq!(of("order"), ["due  2026-11-28 orders  ASY-10D", "overdue  2026-11-11 orders  ASY-10D"]);
    assert_eq!(of("consent-proof"), ["retained 2029-11-19 2029-11-19 ledgers CONS-PROOF "]);
}

#[test]
fn what_is_kept_does_not_rest_on_where_the_machine_stands() {
    let world = World::new(63, 11);
    // Both sides of the line at which the date changes, and the middle.
    let tables = ["Pacific/Kiritimati", "UTC", "Pacific/Pago_Pago"].map(|zone| {
        let told = world.process(&["report", "retention", "--format", "json"]).env("TZ", zone).output().expect("a process");
        let json: Value = serde_json::from_slice(&told.stdout).expect("JSON");
        let all = rows(&Path::new(json["reports"].as_str().expect("a folder")).join("retention.csv"), &[&COLUMNS[..], &["days"]].concat());
        // The tool's own are more from run to run.
        all.into_iter().filter(|row| !row[0].is_empty()).collect::<BTreeSet<_>>()
    });
    assert!(tables[0].len() > 50);
    assert!(tables[0] == tables[1] && tables[1] == tables[2]);
}

#[test]
fn other_rules_are_tried_and_nothing_changes() {
    let world = World::new(200, 5);
    let _served = world.serve(&[]);
    let loaded = world.load();
    pull(&loaded, &context(&[])).expect("ended");
    let now = report_retention(&loaded, &that_day(), None).expect("ended");
    // Ten years in place of one: what was to go is to stay.
    let text = include_str!("../../src/compliance/packs/retention.toml");
    let longer = text
        .replace("period = \"P1Y\"\ngrace = \"P3M\"", "period = \"P9Y\"\ngrace = \"P3M\"")
        .replace("end = \"2026-09-30\", gone = \"2026-12-30\"", "end = \"2034-09-30\", gone = \"2034-12-30\"");
    let pack = world.data().join("longer.toml");
    write_atomic(&pack, longer.as_bytes()).expect("written");
    let then = report_retention(&loaded, &that_day(), Some(&pack)).expect("ended");
    let moved = then.json["moved"].as_u64().expect("a number");
    let moves = rows(&folder(&then).join("retention-moves.csv"), &["cluster", "now", "then", "items"]);
    assert!(moved > 0 && moves.iter().all(|row| row[0] == "registration" && row[2] == "retained"), "{moves:?}");
    assert_eq!(moves.iter().map(|row| row[3].parse::<u64>().expect("a number")).sum::<u64>(), moved);
    let again = report_retention(&loaded, &that_day(), None).expect("ended");
    assert_eq!(again.json["states"]["overdue"], now.json["states"]["overdue"]);
    // And a pack that is none is told before anything is made.
    write_atomic(&pack, text.replace("\"P15M\"", "\"P16M\"").as_bytes()).expect("written");
    let told = report_retention(&loaded, &that_day(), Some(&pack)).expect_err("no pack").to_string();
    assert!(told.contains("E-pack-004") && told.contains("longer.toml:") && told.contains("RDP-15M"), "{told}");
}

#[test]
fn the_record_stands_on_what_was_observed_and_says_what_nobody_declared() {
    let world = World::new(300, 8);
    let _served = world.serve(&[]);
    let loaded = world.load();
    // Before anything was pulled, nothing is claimed to be observed on the line.
    let before = report_record(&loaded, &context(&[])).expect("ended");
    let known = rows(&folder(&before).join("record.csv"), &["activity", "field", "status"]);
    assert!(known.iter().all(|row| row[0] == "retention"), "the records alone tell what is kept of services that ended");
    assert!(known.iter().filter(|row| row[1] == "evidence").all(|row| row[2] == "missing"), "{known:?}");
    run(&loaded, &context(&[])).expect("ended");
    let ended = report_record(&loaded, &context(&[])).expect("ended");
    assert_eq!(ended.exit(), Exit::Findings, "{}", ended.text);
    super::schema_files::assert_form("record", &ended.json);
    let coverage = ended.json["coverage"].as_array().expect("authorities");
    assert_eq!(coverage.iter().map(|one| one["authority"].as_str().expect("a name")).collect::<Vec<_>>(), ["cnil", "dpc", "ico"]);
    assert!(coverage.iter().all(|one| one["percent"].as_u64() >= Some(60)), "{coverage:?}");
    let cells = rows(&folder(&ended).join("record.csv"), &["record", "registry", "activity", "field", "value", "status", "source"]);
    let of = |registry: &str, field: &str| {
        let row = cells.iter().find(|row| row[1] == registry && row[2] == "registration" && row[3] == field);
        row.unwrap_or_else(|| panic!("{registry} {field}")).clone()
    };
    // EURid is the controller of its own register: the row stands in the processor's record.
    assert_eq!((of("eurid", "activity")[0].as_str(), of("nz", "activity")[0].as_str()), ("processor", "controller"));
    // Volumes and TLS are those of the exchanges.
    let newest = world.newest("nz").expect("a snapshot").exchanged().expect("exchanges");
    let asked: u64 = newest.commands.values().sum();
    let volume = format!("{asked} exchanges, {} bytes sent, {} bytes received; data of ", newest.bytes_out, newest.bytes_in);
    assert!(of("nz", "volume")[4].starts_with(&volume), "{}", of("nz", "volume")[4]);
    assert!(of("nz", "security")[4].starts_with("TLSv1.") && of("nz", "security")[5] == "observed");
    assert_eq!((of("nz", "dpo")[5].as_str(), of("nz", "dpo")[6].as_str()), ("declared", "privet.toml, controller.dpo"));
    assert_eq!(of("nz", "mechanism")[5], "missing", "nobody declared where the registry is");
    // No count of people below five is told.
    for row in cells.iter().filter(|row| row[3] == "subject_count") {
        let small = row[4].split("; ").filter_map(|part| part.split_once(' ')?.1.parse::<u64>().ok()).find(|n| (1..5).contains(n));
        assert_eq!(small, None, "{row:?}");
    }
    let page = std::fs::read_to_string(folder(&ended).join("record.html")).expect("a page");
    assert!(page.contains("Record of the processor (Art. 30(2))") && page.contains("of 35 questions"));
    layouts(&folder(&ended).join("record.xlsx"), coverage, &cells);
    read_back(&world, &folder(&ended).join("record.xlsx"));
    let linked: Value = serde_json::from_slice(&std::fs::read(folder(&ended).join("record.jsonld")).expect("a file")).expect("JSON");
    let processes = linked["@graph"].as_array().expect("nodes").iter().filter(|node| node["@type"] == "dpv:Process").count() as u64;
    assert_eq!(Some(processes), ended.json["controller"].as_u64().zip(ended.json["processor"].as_u64()).map(|(one, other)| one + other));
}

/// A sheet for each authority: a row for each of the record, a column for each question.
fn layouts(workbook: &Path, coverage: &[Value], cells: &BTreeSet<Vec<String>>) {
    let mut book: Xlsx<_> = calamine::open_workbook(workbook).expect("a workbook");
    let rows: BTreeSet<_> = cells.iter().map(|row| (&row[0], &row[1], &row[2])).collect();
    for authority in coverage {
        let name = authority["authority"].as_str().expect("a name").to_uppercase();
        let range = book.worksheet_range(&name).expect("a sheet");
        let asked = usize::try_from(authority["asked"].as_u64().expect("a number")).expect("few");
        assert_eq!((range.height(), range.width()), (rows.len() + 1, asked + 2), "{name}");
        let missing = range.rows().skip(1).flatten().filter(|cell| cell.to_string().starts_with("(missing) ")).count();
        assert!(missing > 0, "{name}: what would fill a cell is no answer");
    }
    let every = book.worksheet_range("record").expect("a sheet");
    assert_eq!(every.height() - 1, cells.len(), "each row has all of its fields");
}

/// What is declared goes out with the workbook and comes back as the same configuration.
fn read_back(world: &World, workbook: &Path) {
    let controller = world.load().config.controller;
    assert!(!controller.is_empty());
    let (code, json, told) = world.run(&["report", "declared", &workbook.display().to_string()]);
    assert_eq!(code, 0, "{told}");
    super::schema_files::assert_form("declared", &json);
    assert_eq!(serde_json::from_value::<BTreeMap<String, String>>(json["controller"].clone()).expect("texts"), controller);
    assert_eq!(of_toml(&json), controller);
}

/// The `[controller]` that was printed.
fn of_toml(json: &Value) -> BTreeMap<String, String> {
    let toml: toml::Value = toml::from_str(json["toml"].as_str().expect("a text")).expect("TOML");
    toml["controller"].clone().try_into().expect("texts")
}

#[test]
fn what_somebody_fills_in_comes_back_as_it_was_written() {
    let world = World::new(60, 8);
    let _served = world.serve(&[]);
    let filled = [("controller", "=1+1"), ("dpo", "first line\nsecond \"line\"\t'''"), ("review", "_x0041_ 2026-11-01 é \u{202E}")];
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet().set_name("declared").expect("a name");
    for (column, head) in (0_u16..).zip(["field", "title", "value"]) {
        sheet.write_string(0, column, head).expect("written");
    }
    for (row, (field, value)) in (1_u32..).zip(filled) {
        sheet.write_string(row, 0, field).and_then(|sheet| sheet.write_string(row, 2, value)).expect("written");
    }
    let path = world.data().join("filled.xlsx");
    write_atomic(&path, &book.save_to_buffer().expect("a workbook")).expect("saved");
    let (code, json, told) = world.run(&["report", "declared", &path.display().to_string()]);
    assert_eq!(code, 0, "{told}");
    assert_eq!(of_toml(&json), filled.map(|(field, value)| (field.to_owned(), value.to_owned())).into());
    let (code, _, told) = world.run(&["report", "declared", &world.data().join("records/contacts.csv").display().to_string()]);
    assert!(code == 2 && told.contains("E-report-004"), "{code} {told}");
}

/// Every text of a workbook, a cell a line.
pub(crate) fn workbook_text(path: &Path) -> String {
    let mut book: Xlsx<_> = calamine::open_workbook(path).expect("a workbook");
    let sheets = book.worksheets();
    assert!(sheets.len() > 1, "a cover and tables");
    let cells = sheets.iter().flat_map(|(_, range)| range.rows()).flatten();
    cells.map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_table_and_no_page_of_it_tells_who_anybody_is() {
    let world = World::new(120, 6);
    let _served = world.serve(&[]);
    let loaded = world.load();
    pull(&loaded, &context(&[])).expect("ended");
    let dir = folder(&report_retention(&loaded, &that_day(), None).expect("ended"));
    let people = rows(&world.data().join("records/contacts.csv"), &["loc_name", "int_name", "email", "voice", "loc_street1"]);
    let marks: BTreeSet<String> = people.into_iter().flatten().filter(|mark| mark.len() > 6).collect();
    assert!(marks.len() > 100);
    for entry in std::fs::read_dir(&dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        let text = match path.extension().and_then(|end| end.to_str()) {
            Some("xlsx") => workbook_text(&path),
            // A line may end within a mark.
            Some("pdf") => crate::sample::pdf_text(&path),
            _ => String::from_utf8_lossy(&bytes).into_owned(),
        };
        let shown = marks.iter().find(|mark| text.contains(mark.as_str()) || text.contains(&crate::sample::bare(mark)));
        assert_eq!(shown, None, "{}", path.display());
    }
}
