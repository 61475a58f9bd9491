//! `report record` against what registers, journal and lines tell; packs of the operator's own; and what a run's traces show that may be a
//! breach.

use crate::apply::Locking;
use crate::keeping::{folder, rows};
use crate::served::{World, context};
use privet::base::{Exit, Timestamp, create_private_dir, write_atomic};
use privet::job::config::Config;
use privet::job::{Ended, breach_candidates, register_import, report_exposure, report_oversight, report_record, run};
use privet::journal::{self, Entry, StepRow, StepState, Why};
use privet::model::ResultCode;
use privet::plan::PlanFile;
use privet::store::{Batch, SqliteStore, Store as _};
use serde_json::Value;
use std::path::Path;

const RECORD_PACK: &str = include_str!("../../src/compliance/packs/record.toml");
const OVERSIGHT_PACK: &str = include_str!("../../src/compliance/packs/oversight.toml");
const FINDING: [&str; 5] = ["rule", "severity", "registry", "declared", "observed"];

/// Adds `text` to the configuration.
fn configure(world: &World, text: &str) {
    let before = std::fs::read_to_string(world.config()).expect("a configuration");
    write_atomic(&world.config(), (before + text).as_bytes()).expect("written");
}

/// Takes events into a register.
fn take(world: &World, register: &str, text: &str) {
    let file = world.data().join(format!("{register}.csv"));
    write_atomic(&file, text.as_bytes()).expect("written");
    let taken = register_import(&world.load(), &context(&[]), register, &[file], false).expect("taken");
    assert_eq!(taken.exit(), Exit::Done, "{}", taken.text);
}

/// The findings of a rule.
fn of(ended: &Ended, rule: &str) -> Vec<Vec<String>> {
    rows(&folder(ended).join("record-findings.csv"), &FINDING).into_iter().filter(|row| row[0] == rule).collect()
}

fn page(ended: &Ended) -> String {
    std::fs::read_to_string(folder(ended).join("record.html")).expect("a page")
}

#[test]
fn contradictions_and_transfers_are_told_with_both_sides() {
    let world = World::new(160, 8);
    let _served = world.serve(&[]);
    run(&world.load(), &context(&[])).expect("ended");
    take(
        &world,
        "recipient",
        "case,event,at,party,category,country,mechanism,evidence,at_registry,on_behalf_of\n\
         p-1,added,2026-10-01,eurid,registry,BE,not-needed,,,\n\
         p-2,added,2026-10-01,sidn,registry,DE,not-needed,,,\n\
         p-3,planned,2026-10-01,nz,registry,NZ,adequacy,,,\n\
         p-4,added,2026-10-01,cloud,hosting,US,standard-clauses,scc-1,,\n\
         p-5,added,2026-10-01,old,escrow,CH,not-needed,,,\n\
         p-5,ended,2026-10-09,,,,,,,\n\
         p-6,added,2026-10-01,checker,verification,BE,not-needed,,eurid,eurid\n",
    );
    take(
        &world,
        "contract",
        "case,event,at,party,kind,role,agreement,version,sub_processors,expires\n\
         c-1,signed,2026-10-01,eurid,registry,controller,A-7,3,specific,2099-01-31\n\
         c-2,signed,2026-10-01,cloud,hosting,joint-controller,H-1,1,,\n\
         c-3,signed,2020-10-01,nz,registry,controller,A-9,1,,2021-10-01\n",
    );
    configure(&world, "\n[run.apply.lock]\nmax_operations = 1\nuntil = \"2027-01-01\"\n[oversight]\nscoring = \"yes\"\n");
    let ended = report_record(&world.load(), &context(&[])).expect("ended");
    assert_eq!(ended.exit(), Exit::Findings, "{}", ended.text);
    super::schema_files::assert_form("record", &ended.json);
    // The register has nz as planned, sidn in another country, and the others not at all.
    let unregistered = of(&ended, "R-record-004").into_iter().map(|row| row[2].clone()).collect::<Vec<_>>();
    assert_eq!(unregistered, ["afnic", "denic", "dnsbe", "example-minimum", "example-thick", "nicit"]);
    assert_eq!(of(&ended, "R-record-005").into_iter().map(|row| row[2].clone()).collect::<Vec<_>>(), ["nz"]);
    let country = of(&ended, "R-record-007");
    assert!(country.len() == 1 && country[0][3].contains("DE") && country[0][4].contains("run in NL"), "{country:?}");
    // Every registry but the one with a contract lacks one; one that has expired is none.
    let bare = of(&ended, "R-record-006");
    assert_eq!(bare.len(), 8);
    assert!(bare.iter().any(|row| row[2] == "nz") && bare.iter().all(|row| row[2] != "eurid"), "{bare:?}");
    assert_eq!(of(&ended, "R-record-015")[0][4], "declared as met: scoring");
    assert_eq!(of(&ended, "R-record-020")[0][4], "cloud");
    assert!(of(&ended, "R-record-001").is_empty() && of(&ended, "R-record-003").is_empty(), "clauses cover it");
    assert_eq!(ended.json["publishable"], Value::Bool(true));
    let told = ended.json["findings"].as_object().expect("rules");
    let listed = rows(&folder(&ended).join("record-findings.csv"), &["rule", "registry", "field"]).len() as u64;
    assert!(told.values().filter_map(Value::as_u64).sum::<u64>() >= listed);
    assert!(page(&ended).contains("See to the errors among the contradictions"));
    // The processor's record says for whom, by which contract, and who else handles the data.
    let cells = rows(&folder(&ended).join("record.csv"), &["record", "registry", "field", "value", "status"]);
    let cell = |registry: &str, field: &str| {
        let found: Vec<_> = cells.iter().filter(|row| row[1] == registry && row[2] == field).collect();
        found.first().map(|row| (row[0].clone(), row[3].clone(), row[4].clone()))
    };
    let (record, value, status) = cell("eurid", "on_behalf_of").expect("a cell");
    assert_eq!((&*record, &*status), ("processor", "computed"));
    assert!(value.starts_with("EURid") && value.ends_with("BE"), "{value}");
    assert_eq!(cell("eurid", "instruction").expect("a cell").1, "contract c-1: A-7, version 3, until 2099-01-31");
    assert_eq!(cell("nz", "on_behalf_of"), None, "a controller's record has no such field");
    // What a registry has checked by somebody else is told of its own data alone, and is no processor of ours.
    let recipients = |registry: &str| cell(registry, "recipients").expect("a cell").1;
    assert_eq!(recipients("eurid"), "eurid (registry); cloud (hosting); checker (verification of eurid)");
    assert_eq!(recipients("sidn"), "sidn (registry); cloud (hosting)");
    assert!(!cell("eurid", "sub_processors").expect("a cell").1.contains("checker"));
    assert!(cell("nz", "seen").expect("a cell").1.contains("old ended 2026-10-09"));
    // How long data are held is looked at here too, as by the report on retention.
    let kept = report_retention_states(&world);
    let overdue: u64 = cells
        .iter()
        .filter(|row| row[2] == "adherence")
        .filter_map(|row| Some((row[1].clone(), row[3].split(" items").next()?.parse::<u64>().ok()?)))
        .collect::<std::collections::BTreeMap<_, _>>()
        .into_values()
        .sum();
    assert_eq!(overdue, kept, "as many as the retention report has");
    assert!(cells.iter().any(|row| row[2] == "policy" && row[0] == "controller"));

    // A mechanism that is none: by a pack of the operator's own it is the clauses, and the record says so on page one.
    let void = RECORD_PACK.replace("id = \"standard-clauses\"\n", "id = \"standard-clauses\"\nvoid_from = \"2026-01-01\"\n");
    write_atomic(&world.data().join("record.toml"), void.as_bytes()).expect("written");
    configure(&world, "\n[record]\nrules = \"record.toml\"\n");
    let ended = report_record(&world.load(), &context(&[])).expect("ended");
    assert_eq!((ended.exit(), &ended.json["publishable"]), (Exit::Findings, &Value::Bool(false)), "{}", ended.text);
    assert_eq!(of(&ended, "R-record-001")[0][1], "error");
    assert!(page(&ended).contains("This record must not be published") && ended.text.contains("must not be published"));
    // With a reason in the pack it may be, and the reason stands there.
    let reason = "void_from = \"2026-01-01\"\noverride_reason = \"the court gave until spring\"\n";
    write_atomic(&world.data().join("record.toml"), void.replace("void_from = \"2026-01-01\"\n", reason).as_bytes()).expect("written");
    let ended = report_record(&world.load(), &context(&[])).expect("ended");
    assert_eq!(ended.json["publishable"], Value::Bool(true));
    assert!(of(&ended, "R-record-001").is_empty() && of(&ended, "R-record-002").len() == 1);
    assert!(page(&ended).contains("the court gave until spring"));
    // The Privacy Shield needs a reason before the register takes it, and the record says that it was overridden.
    let add = ["recipient", "add", "changed", "--case", "p-1", "--set", "mechanism=privacy_shield"];
    let (code, _, told) = world.run(&add);
    assert!(code == 2 && told.contains("C-311/18"), "{code} {told}");
    let why = world.data().join("why.txt");
    write_atomic(&why, b"the letter of Marker Person").expect("written");
    let (code, _, told) = world.run(&[&add[..], &["--text", &format!("override_reason={}", why.display())]].concat());
    assert_eq!(code, 0, "{told}");
    let ended = report_record(&world.load(), &context(&[])).expect("ended");
    let told = of(&ended, "R-record-002");
    assert!(told.iter().any(|row| row[2] == "eurid" && row[4].contains("case p-1")), "{told:?}");
    assert!(!page(&ended).contains("Marker Person"), "the reason is sealed, and stays so");
}

/// How many items of contacts at registries are overdue by the retention report.
fn report_retention_states(world: &World) -> u64 {
    let ended = privet::job::report_retention(&world.load(), &context(&[]), None).expect("ended");
    let table = folder(&ended).join("retention.csv");
    rows(&table, &["registry", "object", "cluster", "state"]).into_iter().filter(|row| !row[0].is_empty() && row[3] == "overdue").count()
        as u64
}

#[test]
fn every_question_that_is_not_answered_is_told_by_its_number() {
    let world = World::new(60, 8);
    let _served = world.serve(&[]);
    run(&world.load(), &context(&[])).expect("ended");
    let ended = report_record(&world.load(), &context(&[])).expect("ended");
    let answers = rows(&folder(&ended).join("record-answers.csv"), &["authority", "number", "field", "answered"]);
    for one in ended.json["coverage"].as_array().expect("lists") {
        let own: Vec<_> = answers.iter().filter(|row| row[0].eq_ignore_ascii_case(one["authority"].as_str().expect("a name"))).collect();
        let yes = own.iter().filter(|row| row[3] == "yes").count() as u64;
        assert_eq!((one["asked"].as_u64(), one["answered"].as_u64()), (Some(own.len() as u64), Some(yes)));
        assert_eq!(one["percent"].as_u64(), Some(yes * 100 / own.len() as u64));
        assert!(one["percent"].as_u64() >= Some(60), "{one}");
        let none: Vec<_> = own.iter().filter(|row| row[2].is_empty()).collect();
        assert!(!none.is_empty() && none.iter().all(|row| row[3] == "no"), "what has no field is not answered");
        let open = one["open"].as_array().expect("open ones");
        assert!(none.iter().all(|row| open.contains(&Value::from(format!("question {}", row[1])))), "{open:?}");
    }
}

#[test]
fn packs_of_ones_own_are_read_as_a_whole_or_not_at_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("privet.toml");
    let good = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/job/config/privet.toml")).expect("the template");
    let read = |table: &str, pack: &[u8]| {
        write_atomic(&dir.path().join("own.toml"), pack).expect("written");
        let text = format!("{good}\n[{table}]\nrules = \"own.toml\"\n");
        Config::read(&config, text.as_bytes(), &[], &|_| None).map_err(|e| e.to_string().replace(&dir.path().display().to_string(), "DIR"))
    };
    let mut told = String::new();
    for (table, text, digest) in [("record", RECORD_PACK, "small = 5"), ("oversight", OVERSIGHT_PACK, "password_days = 365")] {
        let known = Config::read(&config, good.as_bytes(), &[], &|_| None).expect("it reads").config.digest;
        let loaded = read(table, text.as_bytes()).expect("the embedded one is one");
        assert_ne!(loaded.config.digest, known, "whoever runs by an own pack has another configuration");
        let changed = digest.replace('5', "6");
        let loaded = read(table, text.replace(digest, &changed).as_bytes()).expect("another number");
        let (small, days) = (loaded.config.record.small, loaded.config.overseeing.security.password_days);
        assert_eq!((small, days), if table == "record" { (6, 365) } else { (5, 366) });
        for (what, bytes) in [
            ("unknown key", text.replace(digest, &format!("{digest}\nshoe_size = 46")).into_bytes()),
            ("wrong version", text.replace("version = 1", "version = 9").into_bytes()),
            ("wrong type", text.replace("version = 1", "version = \"one\"").into_bytes()),
            ("cut", text.as_bytes()[..text.len() / 3].to_vec()),
            ("empty", Vec::new()),
            ("CR only", text.replace('\n', "\r").into_bytes()),
            ("not UTF-8", [text.as_bytes(), b"# \xff\n"].concat()),
            ("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            ("oversize", vec![b'#'; (1 << 20) + 1]),
        ] {
            let refused = read(table, &bytes).expect_err(what);
            assert!(
                refused.contains("DIR/own.toml") && (refused.contains("E-pack-00") || refused.contains("E-file-006")),
                "{what}: {refused}"
            );
            let first: String = refused.lines().next().unwrap_or_default().chars().take(180).collect();
            told.push_str(&format!("{table}, {what}\n  {first}\n"));
        }
        // Windows' line ends, and the mark that its editors put in front, change nothing.
        read(table, text.replace('\n', "\r\n").as_bytes()).expect("CRLF");
        read(table, &[b"\xef\xbb\xbf", text.as_bytes()].concat()).expect("a BOM");
        let text = format!("{good}\n[{table}]\nrules = \"none.toml\"\n");
        let refused = Config::read(&config, text.as_bytes(), &[], &|_| None).expect_err("no such file").to_string();
        assert!(refused.contains("E-file-005") && refused.contains("none.toml"), "{refused}");
        let text = format!("{good}\n[{table}]\nrulez = \"own.toml\"\n");
        let refused = Config::read(&config, text.as_bytes(), &[], &|_| None).expect_err("no such key").to_string();
        assert!(refused.contains("E-config-001") && refused.contains("did you mean `rules`"), "{refused}");
    }
    let text = format!("{good}\n[controller]\nestablished = \"XX\"\n");
    let refused = Config::read(&config, text.as_bytes(), &[], &|_| None).expect_err("no country").to_string();
    assert!(refused.contains("E-config-003") && refused.contains("controller.established"), "{refused}");
    insta::assert_snapshot!(told);
}

#[test]
fn small_counts_are_told_in_no_sheet_of_what_is_protected() {
    let world = World::new(160, 8);
    let _served = world.serve(&[]);
    run(&world.load(), &context(&[])).expect("ended");
    let small = |path: &Path, column: &str| {
        let counts = rows(path, &[column]).into_iter().map(|row| row[0].clone()).collect::<Vec<_>>();
        assert!(!counts.is_empty(), "{}", path.display());
        let told = counts.iter().filter_map(|count| count.parse::<u64>().ok()).find(|n| (1..5).contains(n));
        assert_eq!(told, None, "{}", path.display());
    };
    let exposure = folder(&report_exposure(&world.load(), &context(&[]), None).expect("ended"));
    small(&exposure.join("exposure-special.csv"), "contacts");
    // Nor do the findings, which are about the same contacts.
    let findings = std::fs::read_to_string(exposure.join("findings.csv")).expect("findings");
    let told = regex::Regex::new(r"\b[1-4] contacts (seem to )?hold data of GDPR").expect("a pattern");
    assert!(!told.is_match(&findings) && findings.contains("hold data of GDPR"));
    let oversight = folder(&report_oversight(&world.load(), &context(&[])).expect("ended"));
    small(&oversight.join("oversight-withholding.csv"), "count");
}

#[test]
fn lines_that_are_too_weak_and_secrets_in_files_may_be_breaches() {
    let world = World::new(60, 5);
    let _served = world.serve(&[]);
    let ended = run(&world.load(), &context(&[])).expect("ended");
    let from = crate::served::reports(&ended);
    let raised = |from: &Path| breach_candidates(&world.load(), &context(&[]), from).expect("looked").json;
    let nothing = raised(&from);
    assert_eq!((&nothing["found"], &nothing["raised"]), (&0.into(), &0.into()), "{nothing}");
    // Rules that ask for more than the lines have.
    let pack = OVERSIGHT_PACK.replace("tls = [\"TLSv1.2\", \"TLSv1.3\"]", "tls = [\"TLSv1.4\"]");
    write_atomic(&world.data().join("oversight.toml"), pack.as_bytes()).expect("written");
    configure(&world, "\n[oversight]\nrules = \"oversight.toml\"\n");
    let lines = world.load().config.registries.len();
    assert_eq!(raised(&from)["rules"], serde_json::json!({ "R-breach-013": lines }));
    // A secret that got into a file of the run.
    write_atomic(&from.join("debug.log"), b"sent\n<domain:authInfo><domain:pw>2fooBAR</domain:pw></domain:authInfo>\n").expect("written");
    let found = raised(&from);
    assert_eq!((&found["rules"], &found["known"]), (&serde_json::json!({ "R-breach-012": 1 }), &lines.into()));
    let (_, shown, _) = world.run(&["breach", "show", "--open"]);
    let words: Vec<&str> =
        shown["cases"].as_array().expect("cases").iter().filter_map(|case| case["values"]["candidate"].as_str()).collect();
    assert_eq!(words.iter().filter(|word| **word == "tls-downgrade").count(), lines);
    assert_eq!(words.iter().filter(|word| **word == "authinfo-in-log").count(), 1);
    assert!(!shown.to_string().contains("2fooBAR"));
}

#[test]
fn a_command_that_the_registry_refused_since_the_object_is_anothers_may_be_a_breach() {
    let locking = Locking::new(4, &[], |_| ());
    // A run that sent two commands: one was refused as not ours to change (2201), one as a passing trouble of the registry (2400).
    let plan = PlanFile::open(&locking.plan).expect("a plan");
    let plans = locking.one.state().join("plans");
    create_private_dir(&plans).expect("made");
    plan.copy(&plans.join(format!("{}.plan", plan.header().id))).expect("copied");
    let operations: Vec<_> = plan.operations().expect("operations").map(|one| one.expect("one")).collect();
    let at: Timestamp = "2026-11-21T02:00:00Z".parse().expect("a time");
    let mut rows = vec![Entry::Opened { digest: plan.digest().into(), operations: plan.header().operations(), tool: "test".into(), at }];
    for (operation, code) in operations.iter().zip([2201, 2400]) {
        let row = |to| StepRow::new((operation.op, 0), operation.steps[0].object.reference, to, 1, at);
        rows.push(Entry::Step(row(StepState::Sending)));
        rows.push(Entry::Step(StepRow { why: Some(Why::Refused(ResultCode(code))), ..row(StepState::Failed) }));
    }
    let mut store = SqliteStore::open(&locking.one.state().join("store.sqlite")).expect("a store");
    let stream = journal::run_stream(&plan.header().id, 0).expect("a name");
    let head = store.head(&stream).expect("a head");
    let batch = Batch { appends: vec![journal::append(stream, &head, &rows)], cells: Vec::new() };
    store.commit(&batch).expect("kept");
    drop(store);
    let from = locking.one.state().with_file_name("reports");
    let run =
        std::fs::read_dir(&from).expect("reports").map(|entry| entry.expect("an entry").path()).find(|path| path.join("run.json").exists());
    let raised = breach_candidates(&locking.loaded, &context(&[]), &run.expect("a run")).expect("looked").json;
    assert_eq!(raised["rules"], serde_json::json!({ "R-breach-011": 1 }), "{raised}");
}
