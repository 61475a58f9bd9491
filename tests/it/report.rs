//! The run report: what it leaves, that nothing in it reaches out or is obeyed, and that equal facts give equal bytes.

#![expect(clippy::expect_used, reason = "a test ends where its ground is missing")]

use privet::base::{Blame, Exit, Problem, RegistryId, RunId, Timestamp};
use privet::dataset::ParquetFile;
use privet::diff::{DiffKind, Severity, SummaryRow};
use privet::model::{CertificateFacts, ObjectKind, TlsFacts};
use privet::report::facts::{
    AnswerTimes, GateFacts, GreetingFacts, LimitUse, LineFacts, NamespaceCount, ObjectCounts, Output, Override, RecordFile,
};
use privet::report::{RegistryFacts, RunFacts, Summary};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Text that a registry or a file could send to do harm.
const SCRIPT: &str = "<script>alert(1)</script>";
const FORMULA: &str = "=cmd|'/c calc'!A1";
const TURNED: &str = "abc\u{202E}fed";
const ESCAPE: &str = "x\u{1b}[31mred";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

fn certificate(whose: &str, subject: &str, until: &str) -> CertificateFacts {
    CertificateFacts {
        whose: whose.into(),
        subject: subject.into(),
        names: vec!["epp.example".into()],
        not_before: at("2025-11-01T00:00:00Z"),
        not_after: at(until),
        fingerprint: "00112233445566778899aabbccddeeff".into(),
    }
}

fn registry(id: &str, profile: &str, contacts: u64, domains: u64) -> RegistryFacts {
    RegistryFacts {
        id: id.into(),
        profile: profile.into(),
        endpoint: "127.0.0.1:7001".into(),
        whole: true,
        exits: vec![Exit::Done],
        problems: vec![],
        contacts: ObjectCounts { asked: contacts, ok: contacts, found_on_the_way: contacts / 40, ..ObjectCounts::default() },
        domains: ObjectCounts { asked: domains, ok: domains, ..ObjectCounts::default() },
        line: LineFacts {
            exchanges: contacts + domains + 3,
            bytes_out: 741_221,
            bytes_in: 3_912_004,
            sessions_opened: 2,
            reconnects: 0,
            max_in_flight: 32,
            window_reached: 16,
            answer_times: Some(AnswerTimes { p50_ms: 2, p99_ms: 11, max_ms: 48 }),
            rate_waits: 0,
            rate_waited_ms: 0,
        },
        limits: vec![
            LimitUse { name: "sessions".into(), allowed: Some(10), share: Some(5), reached: 2 },
            LimitUse { name: "commands in 60 s".into(), allowed: Some(6000), share: Some(3000), reached: 2950 },
        ],
        greeting: Some(GreetingFacts {
            server: "Example EPP".into(),
            versions: vec!["1.0".into()],
            languages: vec!["en".into()],
            services: vec!["urn:ietf:params:xml:ns:contact-1.0".into()],
            unexpected: vec![],
            absent: vec![],
            clock_offset_seconds: Some(0),
        }),
        tls: Some(TlsFacts {
            version: "TLSv1.3".into(),
            cipher: "TLS13_AES_256_GCM_SHA384".into(),
            group: "X25519".into(),
            certificates: vec![
                certificate("registry", "CN=epp.example", "2027-02-14T00:00:00Z"),
                certificate("ours", "CN=registrar client", "2026-12-09T00:00:00Z"),
            ],
        }),
        unknown_namespaces: vec![],
        observed: None,
    }
}

fn differences(registry: &str, object: ObjectKind, kind: DiffKind, severity: Severity, fields: &[(&str, u64)]) -> Vec<SummaryRow> {
    let one = |(field, count): &(&str, u64)| SummaryRow {
        registry: registry.into(),
        object,
        kind,
        severity,
        field: (*field).to_owned(),
        count: *count,
    };
    fields.iter().map(one).collect()
}

/// A night at four registries: two fine, one with unreadable objects and awkward texts, one not reached.
fn facts() -> RunFacts {
    use DiffKind::{Changed, MissingHere, MissingThere, Unreadable};
    use Severity::{Cosmetic, Material};
    let thick = registry("thick", "gtld-thick", 1204, 860);
    let minimum = RegistryFacts { contacts: ObjectCounts::default(), ..registry("minimum", "gtld-minimum", 0, 640) };
    let mut eu = registry("eu", "eurid", 512, 388);
    eu.contacts = ObjectCounts { asked: 512, ok: 487, missing: 14, unreadable: 6, refused: 5, found_on_the_way: 21 };
    eu.exits = vec![Exit::SomeFailed, Exit::Done];
    eu.endpoint = TURNED.into();
    eu.problems = vec![
        *Problem::new(
            "E-answer-003",
            Blame::Registry,
            format!("an answer could not be read: {SCRIPT}"),
            "ask the registry; the frame is kept",
        )
        .object(ESCAPE),
    ];
    eu.line.reconnects = 1;
    if let Some(greeting) = &mut eu.greeting {
        greeting.server = ESCAPE.into();
        greeting.unexpected = vec![FORMULA.into(), "http://www.example/xml/epp/extra-1.0".into()];
        greeting.absent = vec!["urn:ietf:params:xml:ns:secDNS-1.1".into()];
        greeting.clock_offset_seconds = Some(-7);
    }
    eu.unknown_namespaces = vec![NamespaceCount { namespace: SCRIPT.into(), count: 388 }];
    let mut nz = registry("nz", "nz", 0, 0);
    nz.whole = false;
    nz.exits = vec![Exit::Unreachable];
    nz.contacts.asked = 96;
    nz.problems = vec![*Problem::new("E-connect-002", Blame::Network, "nobody answers on the port", "check the address and the firewall")];
    nz.line = LineFacts::default();
    nz.limits = vec![];
    nz.greeting = None;
    nz.tls = None;
    let contact = ObjectKind::Contact;
    let domain = ObjectKind::Domain;
    RunFacts {
        run_id: RunId::new("20261121T020000Z-5f3a"),
        tool_version: "0.1.0".into(),
        started: at("2026-11-21T02:00:00Z"),
        ended: at("2026-11-21T02:03:41Z"),
        exit: Exit::SomeFailed,
        registries: vec![thick, minimum, eu, nz],
        differences: [
            differences("thick", contact, Changed, Material, &[("email", 9), ("int_street1", 6), ("voice", 4), ("disclose", 2)]),
            differences("thick", contact, Changed, Cosmetic, &[("email", 12), ("int_city", 31)]),
            differences("thick", contact, MissingHere, Material, &[("", 5)]),
            differences("thick", domain, MissingThere, Material, &[("", 3)]),
            differences("thick", domain, Changed, Material, &[("ns", 7), ("registrant", 1), ("statuses", 4)]),
            differences("minimum", domain, Changed, Material, &[("expires", 2)]),
            differences("eu", contact, Unreadable, Material, &[("", 6)]),
            differences("eu", contact, Changed, Material, &[("loc_name", 3), (FORMULA, 1)]),
        ]
        .concat(),
        records: vec![
            RecordFile { file: "records/contacts.csv".into(), table: "contacts".into(), rows: 1780, previous_rows: Some(1774) },
            RecordFile { file: "records/domains.parquet".into(), table: "domains".into(), rows: 1888, previous_rows: None },
        ],
        gates: vec![GateFacts {
            name: "fewer rows than at the last run".into(),
            registry: None,
            limit: "40 %".into(),
            observed: "0 %".into(),
            open: true,
        }],
        overrides: vec![Override {
            key: "registry.eu.share".into(),
            value: "100 %".into(),
            origin: "privet.toml:31".into(),
            weakens: "production may find no free session".into(),
        }],
        warnings: vec![
            *Problem::new("E-config-014", Blame::Operator, "a password stands in an environment variable", "use a file").line(12),
        ],
        warnings_not_kept: 0,
        outputs: vec![
            Output { what: "differences, exact".into(), path: "differences.csv".into(), personal: true },
            Output { what: "snapshot".into(), path: "../../snapshots/date=2026-11-21".into(), personal: true },
            Output { what: "a name that leads elsewhere".into(), path: "javascript:alert(1)".into(), personal: false },
        ],
    }
}

const DIFFERENCES: &str = "registry,object,id,field,local,remote,kind,severity\n\
    eu,contact,C-7,loc_name,Marker Person,Other Person,changed,material\n\
    thick,contact,=1+1,email,marker@example.org,other@example.org,changed,material\n\
    thick,contact,H-2,email,A@Example.org,A@example.org,changed,cosmetic\n\
    thick,domain,xn--mnchen-3ya.example,,,,missing_there,material\n";

/// Writes the report and reads every file of it, by name.
fn report(facts: &RunFacts) -> Vec<(String, Vec<u8>)> {
    let dir = tempfile::tempdir().expect("a directory");
    let source = dir.path().join("differences.csv");
    privet::base::write_atomic(&source, DIFFERENCES.as_bytes()).expect("written");
    let reports = dir.path().join("reports/run");
    let written = privet::report::write(facts, Some(&source), &reports).expect("a report");
    assert_eq!(privet::report::read(&reports.join("run.json")).expect("read back"), *facts);
    let mut files: Vec<_> = std::fs::read_dir(&reports)
        .expect("a folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            assert_eq!(entry.metadata().expect("facts of a file").permissions().mode() & 0o777, 0o600, "{entry:?} is private");
            (entry.file_name().into_string().expect("a plain name"), std::fs::read(entry.path()).expect("a file"))
        })
        .collect();
    files.sort();
    let told: BTreeSet<_> = written.files.iter().map(|p| p.file_name().expect("a name").to_string_lossy().into_owned()).collect();
    assert_eq!(told, files.iter().map(|(name, _)| name.clone()).collect(), "every file is told, and no other is there");
    files
}

/// The ending of a file name.
fn ending(name: &str) -> Option<&str> {
    Path::new(name).extension().and_then(|e| e.to_str())
}

fn text(files: &[(String, Vec<u8>)], name: &str) -> String {
    let (_, bytes) = files.iter().find(|(n, _)| n == name).expect("the file");
    String::from_utf8(bytes.clone()).expect("UTF-8")
}

#[test]
fn the_page_as_it_is() {
    insta::assert_snapshot!(text(&report(&facts()), "index.html").replace("><", ">\n<"));
}

#[test]
fn the_terminal_as_it_is() {
    insta::assert_snapshot!(privet::report::terminal(&facts(), Path::new("reports/20261121T020000Z-5f3a")));
}

#[test]
fn the_json_as_it_is() {
    insta::assert_json_snapshot!(Summary::of(&facts(), Path::new("reports/20261121T020000Z-5f3a")));
    insta::assert_snapshot!("run_json", text(&report(&facts()), "run.json"));
}

#[test]
fn tables_for_spreadsheets_are_never_computed() {
    let files = report(&facts());
    insta::assert_snapshot!("greeting_drift_csv", text(&files, "greeting-drift.csv"));
    for (name, bytes) in files.iter().filter(|(name, _)| ending(name) == Some("csv")) {
        let mut rows = csv::Reader::from_reader(bytes.as_slice());
        for row in rows.records() {
            for cell in &row.expect("a row") {
                let number = cell.parse::<i64>().is_ok();
                assert!(number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{name}: {cell:?}");
                assert!(!cell.contains(|c: char| c.is_control() || c == '\u{202E}'), "{name}: {cell:?}");
            }
        }
    }
    let exact: serde_json::Value = serde_json::from_str(&text(&files, "greeting-drift.json")).expect("JSON");
    assert!(exact["rows"].as_array().expect("rows").iter().any(|row| row["value"] == FORMULA), "JSON is exact");
}

#[test]
fn parquet_holds_what_json_does() {
    let dir = tempfile::tempdir().expect("a directory");
    privet::report::write(&facts(), None, dir.path()).expect("a report");
    for (name, schema) in privet::report::schemas() {
        let path = dir.path().join(format!("{name}.parquet"));
        let Some(properties) = schema["properties"]["rows"]["items"]["properties"].as_object().filter(|_| path.exists()) else { continue };
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path.with_extension("json")).expect("a file")).expect("JSON");
        let rows = json["rows"].as_array().expect("rows");
        assert_eq!(ParquetFile::column_names(&path).expect("columns"), properties.keys().cloned().collect::<Vec<_>>(), "{name}");
        let texts: Vec<&str> = properties.iter().filter(|(_, p)| p["type"][0] == "string").map(|(key, _)| key.as_str()).collect();
        let file = ParquetFile::open(&path, &texts, false).expect("a table");
        assert_eq!(file.rows(), rows.len(), "{name}");
        for batch in 0..file.batches() {
            let batch = file.batch(batch).expect("rows");
            for row in 0..batch.rows() {
                for (n, key) in texts.iter().enumerate() {
                    assert_eq!(batch.get(n, row), rows[batch.first() + row][*key].as_str(), "{name}, row {row}, {key}");
                }
            }
        }
    }
}

#[test]
fn warnings_are_no_problems() {
    let warning = |line| *Problem::new("E-ingest-019", Blame::Input, "a country in small letters", format!("write `X{line}`")).line(line);
    let facts = RunFacts { warnings: (1..=30).map(warning).collect(), warnings_not_kept: 1200, ..facts() };
    assert_eq!((facts.problems(), facts.warnings()), (2, 1230));
    let files = report(&facts);
    let table: serde_json::Value = serde_json::from_str(&text(&files, "warnings.json")).expect("JSON");
    let exits: Vec<_> = table["rows"].as_array().expect("rows").iter().map(|row| row["exit"].as_u64()).collect();
    assert_eq!((exits.len(), &exits[..3]), (32, &[Some(50), Some(31), None][..]), "every row, and those that count first");
    let page = text(&files, "index.html");
    assert!(page.contains("Problems, and 1,230 warnings"));
    assert!(page.contains("and 27 more like these") && page.contains("1,200 more warnings were counted"));
    assert_eq!(page.matches("a country in small letters").count(), 4, "three of them, and the row that counts");
    assert!(page.contains("write <code>X1</code>"));
    assert!(page.find("id=\"differences\"") < page.find("id=\"problems\""), "what a reader came for is first");
}

#[test]
fn the_page_reaches_nothing_and_obeys_nothing() {
    let page = text(&report(&facts()), "index.html");
    for attribute in ["href=\"", "src=\"", "srcset=\"", "action=\"", "data=\""] {
        for (at, _) in page.match_indices(attribute) {
            let value = page[at + attribute.len()..].split('"').next().expect("a value");
            assert!(!value.contains(':') && !value.starts_with("//"), "{attribute}{value} leads elsewhere");
        }
    }
    assert_eq!(page.matches("<script").count(), 1, "our own, which the policy allows by its digest");
    for bad in ["<script>alert", "@import", "style=\"", "onload", "\u{202E}", "\u{1b}", "<iframe", "<img"] {
        assert!(!page.contains(bad), "{bad:?} is in the page");
    }
    // What a style sheet may load, it loads by url(…) of something other than a fragment.
    assert!(page.match_indices("url(").all(|(at, _)| page[at..].starts_with("url(#")), "only patterns of the page are named");
    assert!(page.contains("&lt;script&gt;alert(1)"), "registry text is shown");
    for value in ["Marker Person", "Other Person", "marker@example.org"] {
        assert!(!page.contains(value), "{value} is personal");
    }
}

#[test]
fn style_and_script_are_the_ones_that_are_allowed() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let page = text(&report(&facts()), "index.html");
    for element in ["style", "script"] {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let own = page.split(&open).nth(1).and_then(|rest| rest.split(&close).next()).expect("a style sheet, a script");
        let digest = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(own));
        assert!(page.contains(&format!("{element}-src 'sha256-{digest}'")), "the policy names its digest");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn every_chart_is_told_and_has_its_table() {
    let page = text(&report(&facts()), "index.html");
    let charts: Vec<_> = page.split("<svg ").skip(1).collect();
    assert!(charts.len() >= 6, "{} charts", charts.len());
    for chart in charts {
        assert!(chart.starts_with("role=\"img\" aria-labelledby="), "a chart is one picture with a name");
        assert!(chart.contains("<title id=") && chart.contains("<desc id="));
        let after = chart.split("</svg>").nth(1).expect("what follows the chart");
        assert!(after.contains("<table>"), "its figures follow as a table: {}", &after[..200.min(after.len())]);
    }
    let ids: Vec<_> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "no id stands twice");
    assert_eq!(page.matches("<table>").count(), page.matches("<caption>").count(), "every table has a caption");
}

#[test]
fn equal_facts_give_equal_bytes() {
    assert!(report(&facts()) == report(&facts()));
}

#[test]
fn a_run_without_anything_still_reports() {
    let empty = RunFacts {
        registries: vec![],
        differences: vec![],
        records: vec![],
        gates: vec![],
        overrides: vec![],
        warnings: vec![],
        outputs: vec![],
        exit: Exit::Usage,
        ..facts()
    };
    let dir = tempfile::tempdir().expect("a directory");
    let written = privet::report::write(&empty, None, dir.path()).expect("a report");
    let page = std::fs::read_to_string(written.index).expect("the page");
    assert!(page.contains("No registry was read") && page.contains("Exit 2"));
    assert!(!page.contains("<svg"), "no chart without figures");
}

#[test]
fn what_cannot_be_read_back_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("run.json");
    for (content, word) in
        [("{", "not JSON"), ("{}", "states none"), (r#"{"schema":"privet/report/run","schema_version":9}"#, "states privet/report/run 9")]
    {
        privet::base::write_atomic(&path, content.as_bytes()).expect("written");
        let problem = privet::report::read(&path).expect_err("a problem");
        assert_eq!(problem.id, "E-report-002");
        assert!(problem.what.contains(word), "{problem}");
    }
    privet::base::write_atomic(&path, b"registry,object\na,b\n").expect("written");
    let problem = privet::report::write(&facts(), Some(&path), dir.path()).expect_err("a problem");
    assert_eq!(problem.id, "E-report-001");
}

#[test]
fn every_json_has_a_schema_that_names_it() {
    let schemas = privet::report::schemas();
    let names: BTreeSet<_> = schemas.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), schemas.len(), "names are unique");
    for (name, bytes) in report(&facts()).iter().filter(|(name, _)| ending(name) == Some("json")) {
        let json: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
        let stem = name.trim_end_matches(".json");
        assert_eq!(json["schema"], format!("privet/report/{stem}"));
        assert!(["schema_version", "tool_version", "run_id"].iter().all(|key| !json[key].is_null()), "{name} names its run and its shape");
        let (_, schema) = schemas.iter().find(|(name, _)| *name == stem).expect("a schema");
        for key in json.as_object().expect("an object").keys() {
            assert!(schema["properties"].get(key).is_some(), "{name}: {key} is in the schema");
        }
    }
}

#[test]
fn counts_of_one_registry_are_its_own() {
    let facts = facts();
    let thick = RegistryId::from("thick");
    assert_eq!(facts.differences_of(Some(&thick), Severity::Material), 41);
    assert_eq!(facts.differences_of(Some(&thick), Severity::Cosmetic), 43);
    assert_eq!(facts.differences_of(None, Severity::Material), 53);
}
