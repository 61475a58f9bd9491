//! The registers beside the consent ledger: every column against bad values, and the verbs as a process.

use crate::schema_files::assert_form;
use privet::base::{Problem, SeededEntropy, Timestamp, write_atomic};
use privet::compliance::register::{Book, Kind, Register, Use, import_register, register, registers};
use privet::store::MemoryStore;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A value that is good in a column.
fn good(register: &Register, name: &str) -> String {
    let column = register.column(name);
    match (name, column.map(|column| column.kind)) {
        ("record_id", _) => "e-1",
        ("case", _) => "c-1",
        ("at", _) => "2026-05-01T10:00:00+02:00",
        ("first", _) => "Ada",
        ("last", _) => "Muster",
        ("country", None) => "DE",
        ("email", None) => "ada@example.org",
        (_, Some(Kind::Token)) => "t/1",
        (_, Some(Kind::Word)) => column.map_or("", |column| &column.words[0]),
        (_, Some(Kind::Time)) => "2026-05-01",
        (_, Some(Kind::Date)) => "2026-08-01",
        (_, Some(Kind::Number)) => "12",
        (_, Some(Kind::Country)) => "GR",
        (_, Some(Kind::Elements)) => "email;street",
        (_, Some(Kind::Counts)) => "DE:2; FR:1",
        (_, Some(Kind::Text)) => "a text, with \"quotes\"\nand a second line",
        _ => "",
    }
    .to_owned()
}

/// Values that are none in a column of that kind.
fn bad(kind: Kind) -> Vec<String> {
    let mut all: Vec<String> = vec!["a\u{7}b".to_owned(), "x".repeat(20_001)];
    let more: &[&str] = match kind {
        Kind::Token => &["two words", "ada@example.org", "ß"],
        Kind::Word => &["no such word", "1"],
        Kind::Time => &["31/12/26", "2026-12-31T12:00:00", "2026-02-30", "0001-01-01", "1.00E+05"],
        Kind::Date => &["31/12/26", "2026-02-30", "0001-01-01", "2026-12-31T12:00:00Z"],
        Kind::Number => &["-1", "1,5", "1e3", "+7", "twelve"],
        Kind::Country => &["UK", "EL", "de", "Germany", "XX"],
        Kind::Elements => &["email;shoe size", "Email"],
        Kind::Counts => &["DE", "DE:x", "DE:1;DE:2", "XY:1", "DE:-1"],
        Kind::Text => &[],
    };
    all.extend(more.iter().map(|value| (*value).to_owned()));
    all
}

/// A register's files.
struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory") }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        write_atomic(&path, bytes).expect("written");
        path
    }

    /// A table with rows of values by column; each row is the good one with some changed.
    fn table(&self, register: &'static Register, event: &str, rows: &[&[(&str, &str)]]) -> PathBuf {
        let header = register.header();
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&header).expect("a header");
        for changes in rows {
            let value = |name: &str| {
                let changed = changes.iter().find(|(changed, _)| *changed == name).map(|(_, value)| (*value).to_owned());
                changed.unwrap_or_else(|| if name == "event" { event.to_owned() } else { good(register, name) })
            };
            writer.write_record(header.iter().map(|name| value(name))).expect("a row");
        }
        self.put("rows.csv", &writer.into_inner().expect("a table"))
    }
}

/// What is told of a file: id, line and field.
fn told(register: &'static Register, path: &PathBuf) -> (usize, Vec<(String, Option<u64>, String)>) {
    let import = import_register(register, std::slice::from_ref(path));
    let of = |problem: &Problem| {
        assert_eq!(problem.place.file.as_deref(), path.to_str(), "{problem}");
        assert!(!problem.remedy.is_empty(), "{problem}");
        assert!(!problem.what.contains("Ada") && !problem.what.contains("ada@"), "{problem}");
        (problem.id.clone(), problem.place.line, problem.place.field.clone().unwrap_or_default())
    };
    (import.drafts.len(), import.problems.kept().iter().map(of).collect())
}

/// How many events an empty register takes of a file, and what is told of the others.
fn recorded(register: &'static Register, path: &PathBuf) -> (u64, Vec<Problem>) {
    let mut import = import_register(register, std::slice::from_ref(path));
    let mut store = MemoryStore::default();
    let mut book = Book::open(&mut store, register).expect("a register");
    let now: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a time");
    let recorded = book.take(&mut import, false, now, &mut SeededEntropy::new(1)).expect("taken");
    (recorded.added, import.problems.kept().to_vec())
}

/// The event with which a case of a register begins, and the columns that it fills.
fn opening(register: &'static Register) -> (&'static str, Vec<&'static str>) {
    let needs = |name: &'static str| {
        // What an event always says is what it misses where everything else is there.
        let files = Files::new();
        let own = register.columns.iter().map(|column| &*column.name);
        let misses = |column: &&'static str| told(register, &files.table(register, name, &[&[(*column, "")]])).0 == 0;
        own.filter(misses).collect::<Vec<_>>()
    };
    let name: &'static str = &register.events[0].name;
    (name, needs(name))
}

#[test]
fn every_column_of_every_register_tells_its_bad_values_with_file_line_and_field() {
    let files = Files::new();
    for register in registers() {
        let (event, needs) = opening(register);
        assert_eq!(told(register, &files.table(register, event, &[&[]])), (1, Vec::new()), "{}", register.name);
        for column in &register.columns {
            for value in bad(column.kind) {
                let path = files.table(register, event, &[&[], &[(&column.name, &value)]]);
                let (taken, problems) = told(register, &path);
                let first_line_of_second = 2 + std::fs::read_to_string(&path).expect("a table").lines().count() as u64 / 2;
                assert_eq!(taken, 1, "{} {} {value:.20}", register.name, column.name);
                let found = problems.iter().find(|(_, _, field)| *field == *column.name);
                let (id, line, _) = found.unwrap_or_else(|| panic!("{} {} {value:.20}: {problems:?}", register.name, column.name));
                assert!(id.starts_with("E-register-0"), "{id}");
                assert!(line.is_some_and(|line| line > 2 && line <= first_line_of_second), "{} {}: {line:?}", register.name, column.name);
            }
        }
        for (field, value, id) in [
            ("event", "", "E-register-014"),
            ("event", "exploded", "E-register-011"),
            ("case", "", "E-register-014"),
            ("case", "Ada Muster", "E-register-012"),
            ("at", "", "E-register-014"),
            ("at", "31/12/26", "E-register-013"),
            ("record_id", "ada@example.org", "E-register-012"),
        ] {
            let (taken, problems) = told(register, &files.table(register, event, &[&[(field, value)]]));
            assert_eq!(taken, 0);
            assert!(problems.iter().any(|(found, _, at)| found == id && at == field), "{} {field}: {problems:?}", register.name);
        }
        for field in needs {
            let (_, problems) = told(register, &files.table(register, event, &[&[(field, "")]]));
            assert!(problems.iter().any(|(id, line, at)| id == "E-register-014" && line.is_some() && at == field), "{problems:?}");
        }
        let whose: &[&[(&str, &str)]] = &[
            &[("first", ""), ("last", ""), ("country", ""), ("email", "")],
            &[("subject", "5a5a")],
            &[("registry", "one")],
            &[("first", ""), ("last", ""), ("country", ""), ("email", ""), ("handle", "H-1")],
        ];
        // Where cases are of nobody no column names anybody.
        let whose = if register.subject == Use::None { &[][..] } else { whose };
        for (n, changes) in whose.iter().enumerate() {
            // Where an event may begin a case or go on with one, the register alone can tell that nobody was named.
            let (taken, problems) = recorded(register, &files.table(register, event, &[changes]));
            let is_good = n == 0 && register.subject == Use::May;
            assert_eq!(taken, u64::from(is_good), "{} {changes:?}", register.name);
            let is_told = |problem: &Problem| {
                let place = &problem.place;
                problem.id == "E-register-015" && place.file.is_some() && place.line == Some(2) && place.field.is_some()
            };
            assert!(is_good || problems.iter().any(is_told), "{problems:?}");
        }
    }
}

#[test]
fn every_register_tells_what_is_wrong_with_a_file() {
    let files = Files::new();
    for register in registers() {
        let (event, _) = opening(register);
        let whole = std::fs::read(files.table(register, event, &[&[]])).expect("a table");
        let text = String::from_utf8(whole.clone()).expect("text");
        let header = register.header().join(",");
        let of = |name: &str, bytes: &[u8]| told(register, &files.put(name, bytes));
        // What a spreadsheet leaves is read.
        assert_eq!(of("bom.csv", &[b"\xef\xbb\xbf", &*whole].concat()), (1, Vec::new()), "{}", register.name);
        assert_eq!(of("crlf.csv", text.replace('\n', "\r\n").as_bytes()).0, 1);
        for (name, bytes, id, line) in [
            (
                "latin.csv",
                text.replace("a text", "a t\u{fffd}xt").replace('\u{fffd}', "e").replace("c-1", "c-ä").into_bytes(),
                "E-register-012",
                Some(2),
            ),
            ("nul.csv", text.replacen("c-1", "c\0", 1).into_bytes(), "E-csv-005", Some(2)),
            ("unknown.csv", text.replacen("case", "cases", 1).into_bytes(), "E-ingest-004", Some(1)),
            ("missing.csv", text.replacen("case", "cases", 1).into_bytes(), "E-ingest-005", Some(1)),
            ("twice.csv", text.replacen("case", "event", 1).into_bytes(), "E-ingest-003", Some(1)),
            ("short.csv", format!("{header}\ne-1,c-1\n").into_bytes(), "E-csv-001", Some(2)),
            ("quote.csv", format!("{header}\ne-1,\"c-1\n").into_bytes(), "E-csv-006", Some(2)),
            ("semicolon.csv", header.replace(',', ";").into_bytes(), "E-csv-003", Some(1)),
            ("cut.ndjson", format!("{{\"case\":\"c-1\",\"event\":\"{event}\"").into_bytes(), "E-ndjson-003", Some(1)),
            ("number.ndjson", format!("{{\"case\":1,\"event\":\"{event}\",\"at\":\"2026-05-01\"}}").into_bytes(), "E-ndjson-004", Some(1)),
        ] {
            let (taken, problems) = of(name, &bytes);
            assert_eq!(taken, 0, "{} {name}", register.name);
            assert!(problems.iter().any(|(found, at, _)| found == id && *at == line), "{} {name}: {problems:?}", register.name);
        }
        let (_, problems) = of("latin-1.csv", &[text.replacen("c-1", "c", 1).as_bytes(), b"\xe4"].concat());
        assert!(problems.iter().any(|(id, ..)| id == "E-csv-004"), "{problems:?}");
        // The same event again is the same; one of its id that tells something else is told, with its place.
        let path = files.table(register, event, &[&[], &[], &[("at", "2026-05-02")]]);
        let mut import = import_register(register, &[path]);
        let mut store = MemoryStore::default();
        let mut book = Book::open(&mut store, register).expect("a register");
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a time");
        let recorded = book.take(&mut import, true, now, &mut SeededEntropy::new(1)).expect("taken");
        assert_eq!((recorded.added, recorded.known, import.bad), (1, 1, 1), "{}", register.name);
        let [problem] = import.problems.kept() else { panic!("{}", import.problems) };
        assert_eq!((problem.id.as_str(), problem.place.field.as_deref()), ("E-register-021", Some("record_id")));
        assert!(problem.place.line > Some(2) && problem.place.file.is_some());
    }
}

/// Local records with two contacts and a domain, and their configuration.
fn configured() -> tempfile::TempDir {
    crate::consent::configured()
}

fn put(dir: &tempfile::TempDir, name: &str, text: &str) {
    write_atomic(&dir.path().join(name), text.as_bytes()).expect("written");
}

/// Exit code, output and talk, in which nothing of a person may stand.
fn shown(dir: &tempfile::TempDir, arguments: &[&str]) -> (i32, String, String) {
    let (exit, out, said) = all(dir, arguments);
    for clear in ["Muster", "Beispiel", "ada@", "bob@", "stalked", "order of the court"] {
        assert!(!out.contains(clear) && !said.contains(clear), "{clear} is told: {out}{said}");
    }
    (exit, out, said)
}

fn all(dir: &tempfile::TempDir, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_privet")).args(arguments).current_dir(dir.path()).output().expect("a process");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code().expect("an exit code"), text(stdout), text(stderr))
}

/// What a verb prints as JSON, which has the form of its schema.
fn json(dir: &tempfile::TempDir, schema: &str, arguments: &[&str]) -> Value {
    let (exit, out, said) = shown(dir, &[arguments, &["--format", "json"]].concat());
    assert_eq!(exit, 0, "{said}");
    let value: Value = serde_json::from_str(&out).expect("JSON");
    assert_form(schema, &value);
    value
}

const REQUESTS: &str = "\
record_id,case,event,at,registry,handle,type,channel,details,extension_reason,refusal
q/1,r-1,received,2026-01-31,one,ADA-1,access,email,\"I am being stalked,
please help\",,
q/2,r-1,extended,2026-02-20T09:00:00+01:00,,,,,,many registries,
q/3,r-2,received,2026-03-05,one,BOB-1,objection,page,,,
q/4,r-2,refused,2026-03-09,,,,,,,overriding-grounds
q/5,r-3,answered,2026-03-09,one,BOB-1,,,,,
";

#[test]
fn requests_are_imported_shown_and_exported_without_anything_of_a_person() {
    let dir = configured();
    put(&dir, "requests.csv", REQUESTS);
    let taken = json(&dir, "register-taken", &["request", "import", "requests.csv"]);
    assert_eq!((&taken["added"], &taken["cases"], &taken["subjects"], &taken["bad"]), (&5.into(), &3.into(), &2.into(), &0.into()));
    assert_eq!(taken["irregular"][0]["record"], "q/5", "nothing opened that case");
    assert_eq!(json(&dir, "register-taken", &["request", "import", "requests.csv"])["known"], 5);

    let all_of_them = json(&dir, "register", &["request", "show"]);
    assert_eq!(all_of_them["states"], serde_json::json!({ "extended": 1, "refused": 1, "unopened": 1 }));
    let one = json(&dir, "register", &["request", "show", "--case", "r-1", "--country", "DE"]);
    let case = &one["cases"][0];
    assert_eq!((&case["state"], &case["deadlines"][0]["due"]), (&"extended".into(), &"2026-04-30".into()));
    assert_eq!((&case["texts"], &case["values"]["type"]), (&serde_json::json!(["details", "extension_reason"]), &"access".into()));
    let states: Vec<u64> = [&["--open"][..], &["--overdue"]]
        .map(|which| json(&dir, "register", &[&["request", "show"], which].concat())["cases"].as_array().expect("cases").len() as u64)
        .into();
    assert_eq!(states, [2, 1], "the unopened one is for somebody to look at");
    let (exit, text, _) = shown(&dir, &["request", "show", "--case", "r-2"]);
    assert_eq!(exit, 0);
    insta::with_settings!({ filters => vec![("[0-9a-f]{32}", "[SUBJECT]")] }, { insta::assert_snapshot!("request_shown", text) });
    // Only who asks for it sees what was written.
    let (exit, text, _) = all(&dir, &["request", "show", "--case", "r-1", "--unmasked"]);
    assert!(exit == 0 && text.contains("q/1 details: I am being stalked,\\u{a}please help"), "{text}");

    let (exit, csv, _) = shown(&dir, &["request", "show", "--format", "csv"]);
    assert!(exit == 0 && csv.contains("(sealed)"), "{csv}");
    put(&dir, "export.csv", &csv);
    let again = json(&dir, "register-taken", &["request", "import", "export.csv"]);
    assert_eq!((&again["known"], &again["added"]), (&5.into(), &0.into()));
    let (exit, lines, _) = shown(&dir, &["request", "show", "--format", "ndjson"]);
    assert!(exit == 0 && lines.lines().count() == 5 && lines.lines().all(|line| line.starts_with("{\"record_id\":")), "{lines}");
    put(&dir, "export.ndjson", &lines);
    assert_eq!(json(&dir, "register-taken", &["request", "import", "export.ndjson"])["known"], 5);

    for name in ["store.sqlite", "store.sqlite-wal"] {
        let Ok(bytes) = std::fs::read(dir.path().join("state").join(name)) else { continue };
        for clear in ["stalked", "Muster", "muster", "ada@"] {
            assert!(!bytes.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear} stands in {name}");
        }
    }
}

#[test]
fn the_report_on_the_registers_has_what_is_overdue_first_and_nothing_of_a_person() {
    let dir = configured();
    put(&dir, "requests.csv", REQUESTS);
    json(&dir, "register-taken", &["request", "import", "requests.csv"]);
    put(&dir, "holds.csv", "record_id,case,event,at,registry,handle,reason,owner\nh/1,h-1,placed,2026-05-01,one,ADA-1,litigation,o-1\n");
    json(&dir, "register-taken", &["hold", "import", "holds.csv"]);
    let (exit, out, said) = shown(&dir, &["report", "registers", "--country", "DE", "--format", "json"]);
    assert_eq!(exit, 11, "{said}");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_form("registers", &report);
    assert_eq!(report["states"]["request"], serde_json::json!({ "extended": 1, "refused": 1, "unopened": 1 }));
    assert_eq!((&report["overdue"], &report["amiss"]["R-hold-001"]), (&1.into(), &1.into()), "{report}");
    let folder = PathBuf::from(report["reports"].as_str().expect("a folder"));
    let folder = dir.path().join(folder);
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file");
    let page = text("registers.html");
    // Extended by two months, and the last of April of that year is a working day.
    assert!(page.contains("2026-04-30") && page.contains("1 deadline is overdue") && page.contains("To be acted upon"));
    let deadlines = text("registers-deadlines.csv");
    assert!(deadlines.lines().nth(1).is_some_and(|first| first.starts_with("request,r-1,answer,2026-04-30,overdue,")), "{deadlines}");
    for name in ["registers.html", "registers.csv", "registers.json", "registers-amiss.csv"] {
        for clear in ["stalked", "Muster", "ada@", "ADA-1"] {
            assert!(!text(name).contains(clear), "{clear} stands in {name}");
        }
    }
}

#[test]
fn one_event_is_added_and_sensitive_evidence_is_counted_alone() {
    let dir = configured();
    put(&dir, "order.txt", "the order of the court");
    put(&dir, "why.txt", "She is stalked.");
    let add = |event: &str, more: &[&str]| -> (i32, String, String) {
        shown(&dir, &[&["withholding", "add", event, "--case", "w-1", "--at", "2026-05-01"], more].concat())
    };
    let texts = ["--text", "order_text=order.txt", "--text", "circumstances=why.txt", "--set", "process=nz-2016"];
    assert_eq!(add("requested", &[&["--handle", "ADA-1"][..], &texts].concat()).0, 0);
    let case = &json(&dir, "register", &["withholding", "show", "--case", "w-1"])["cases"][0];
    assert_eq!((&case["apart"], &case["texts"]), (&1.into(), &serde_json::json!(["circumstances"])));
    let (_, text, _) = all(&dir, &["withholding", "show", "--case", "w-1", "--unmasked"]);
    assert!(text.contains("She is stalked.") && !text.contains("order of the court"), "{text}");
    let (exit, _, said) = shown(
        &dir,
        &["withholding", "add", "requested", "--case", "w-3", "--at", "2199-01-01", "--set", "process=irpo", "--handle", "ADA-1"],
    );
    assert_eq!(exit, 0, "{said}");
    let (exit, _, said) = shown(&dir, &["withholding", "show", "--case", "w-3"]);
    assert!(exit == 2 && said.contains("E-register-031"), "what is dated later has not happened: {said}");
    put(&dir, "w.csv", "case,event,at,process,registry,handle\nw-2,requested,2026-01-05,irpo,one,ADA-1\nw-2,withheld,2026-01-06,,,\n");
    json(&dir, "register-taken", &["withholding", "import", "w.csv"]);
    let all_of_them = json(&dir, "register", &["withholding", "show"]);
    assert_eq!(all_of_them["amiss"], serde_json::json!({ "R-withholding-001": 1 }));
    let (_, csv, _) = shown(&dir, &["withholding", "show", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 4, "{csv}");

    for (arguments, id) in [
        (&["--set", "proces=irpo"][..], "E-register-032"),
        (&["--set", "circumstances=clear"], "E-register-032"),
        (&["--set", "process=other"], "E-register-011"),
        (&["--set", "process=irpo"], "E-register-015"),
        (&["--set", "process=irpo", "--handle", "EVE-1"], "E-register-031"),
        (&["--set", "process=irpo", "--subject", "5a"], "E-register-015"),
        (&["--set", "process=irpo", "--handle", "ADA-1", "--set", "items=name"], "E-register-016"),
        (&["--text", "circumstances=nowhere.txt"], "E-file-005"),
    ] {
        let (exit, _, said) = shown(&dir, &[&["withholding", "add", "requested", "--case", "w-9"], arguments].concat());
        assert!(matches!(exit, 2 | 33) && said.contains(id), "{arguments:?}: {exit} {said}");
    }
    let (exit, _, said) = shown(&dir, &["hold", "show", "--case", "none"]);
    assert!(exit == 2 && said.contains("E-register-031"), "{said}");
    let (exit, _, said) = shown(&dir, &["hold", "show", "--country", "ZZ"]);
    assert!(exit == 2 && said.contains("E-register-034"), "{said}");
    let (exit, _, said) = shown(&dir, &["policy", "add", "adopted", "--case", "p", "--handle", "ADA-1"]);
    assert!(exit == 2 && said.contains("E-register-030"), "{said}");
}

#[test]
fn bad_rows_are_told_and_keep_all_others_out() {
    let dir = configured();
    let mut rows = "case,event,at,party,category,country,mechanism,override_reason\n".to_owned();
    rows.push_str("op-1,added,2026-01-05,op-1,registry,DE,not-needed,\n");
    rows.push_str("op-2,added,2026-01-05,op-2,registry,US,privacy_shield,\n");
    rows.push_str("op-3,added,2026-01-05,op-3,registry,US,privacy_shield,being replaced\n");
    rows.push_str("op-4,added,2026-01-05,op-4,registry,UK,standard-clauses,\n");
    rows.push_str("op-5,added,05/01/26,Operator Five,registrar,,,\n");
    rows.push_str("op-6,added\n");
    put(&dir, "recipients.csv", &rows);
    let (exit, out, said) = shown(&dir, &["recipient", "import", "recipients.csv"]);
    assert_eq!(exit, 32, "{said}");
    insta::assert_snapshot!("recipients_told", format!("{out}{said}"));
    assert!(json(&dir, "register", &["recipient", "show"])["cases"].as_array().expect("cases").is_empty());
    let (exit, out, _) = shown(&dir, &["recipient", "import", "--skip-bad", "recipients.csv"]);
    assert_eq!((exit, out.lines().next()), (32, Some("6 rows: 2 events added in 2 cases, 0 known, 4 bad")), "{out}");
    let amiss = &json(&dir, "register", &["recipient", "show"])["amiss"];
    assert_eq!(*amiss, serde_json::json!({ "R-recipient-001": 1, "R-recipient-004": 2 }));
    // Of a file that breaks off nothing is taken.
    put(&dir, "cut.csv", "case,event,at,party,category,country\nop-9,added,2026-01-05,op-9,registry,DE\nop-9,\"ended\n");
    let (exit, _, said) = shown(&dir, &["recipient", "import", "--skip-bad", "cut.csv"]);
    assert!(exit == 32 && said.contains("E-csv-006"), "{said}");
    assert_eq!(json(&dir, "register", &["recipient", "show"])["cases"].as_array().expect("cases").len(), 2);
}

#[test]
fn every_register_has_its_verb_and_its_help_names_every_column() {
    let dir = configured();
    let names: BTreeSet<&str> = registers().iter().map(|register| &*register.name).collect();
    assert_eq!(names.len(), 14);
    for name in names {
        let (exit, out, said) = shown(&dir, &[name, "--help"]);
        assert_eq!(exit, 0, "{said}");
        for column in &register(name).expect("a register").columns {
            assert!(out.contains(&format!("  {}: ", column.name)), "{name} {}", column.name);
        }
        assert!(json(&dir, "register", &[name, "show"])["cases"].as_array().expect("cases").is_empty());
    }
}
