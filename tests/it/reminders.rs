//! `report protection` over domains that went to another registrar: which of them are on the list of reminders, and by which evidence.

use privet::base::{ExchangeId, RegistryId, RunId, create_private_dir, write_atomic};
use privet::dataset::{Building, DomainField, Facts, Observation, Row, State, columns};
use privet::diff::proxy_handle;
use privet::model::ObjectKind;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Our account at every registry.
const US: &str = "registrar-1";

/// The answers, written for these tests.
const ANSWERS: &str = include_str!("../../fixtures/rdap/answers.ndjson");

fn domain(name: &str, registrant: Option<&str>) -> Row {
    Row::new(name, DomainField::ALL.iter().map(|field| registrant.filter(|_| *field == DomainField::Registrant)))
}

/// A directory with a configuration, records and snapshots of two registries, of which one takes proxy contacts.
struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new(answers: &str) -> Self {
        let world = Self { dir: tempfile::tempdir().expect("a directory") };
        let account = |id: &str, profile: &str| {
            format!(
                "[registries.{id}]\nprofile = \"{profile}\"\nhost = \"127.0.0.1\"\nserver_name = \"epp.example\"\nclient_id = \"{US}\"\n\
                 password = {{ file = \"password\" }}\ncertificate = \"client.pem\"\nkey = \"client.key\"\nca = \"ca.pem\"\n"
            )
        };
        let config = format!(
            "version = 1\n[records.domains]\nfiles = [\"domains.csv\"]\n[records.rdap]\nfiles = [\"rdap.ndjson\"]\n\
             [privacy]\nname = \"Privacy Service\"\nstreet1 = \"PO Box 1\"\ncity = \"Exampletown\"\ncc = \"DE\"\n\
             voice = \"+49.301234567\"\nemail_domain = \"relay.example\"\n{}{}",
            account("thick", "gtld-thick"),
            account("nz", "nz")
        );
        world.write("privet.toml", &config);
        world.write("rdap.ndjson", answers);
        let header = ["registry", "id"].into_iter().chain(columns(ObjectKind::Domain).iter().map(|column| column.name));
        let mut records = header.collect::<Vec<_>>().join(",");
        // Recorded at the registry; `fresh` since the last pull.
        for name in ["told", "denied", "foreign", "kept", "unread", "fresh", "redacted", "nameless", "vanished"] {
            records += &format!("\nthick,{name}.example{}", ",".repeat(DomainField::ALL.len()));
        }
        world.write("domains.csv", &records);
        let proxy = |name: &str| proxy_handle(&name.into());
        let ours = |name: &str| (State::Ok, domain(name, Some(&proxy(name))), US);
        let thick = [
            (State::Ok, domain("told.example", Some(&proxy("told.example"))), "registrar-9"),
            (State::Refused, domain("denied.example", None), ""),
            (State::Ok, domain("foreign.example", Some("C-77")), "registrar-9"),
            ours("kept.example"),
            (State::Unreadable, domain("unread.example", None), ""),
            (State::Refused, domain("redacted.example", None), ""),
            (State::Refused, domain("nameless.example", None), ""),
            (State::Missing, domain("vanished.example", None), ""),
        ];
        world.snapshot("thick", &thick);
        world.snapshot("nz", &[]);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        write_atomic(&self.path(name), text.as_bytes()).expect("written");
    }

    fn snapshot(&self, registry: &str, held: &[(State, Row, &str)]) {
        let at = "2026-11-20T02:00:00Z".parse().expect("a time");
        let state = self.path("state");
        create_private_dir(&state).expect("made");
        let mut building = Building::open(&state, &RunId::new("r"), at, &RegistryId::new(registry), 0).expect("a building");
        for (n, (state, row, sponsor)) in held.iter().enumerate() {
            let is_held = *state == State::Ok;
            let transferred = (*sponsor != US).then(|| "2026-10-30T08:00:00.0Z".into());
            let facts = Facts { sponsor: Some((*sponsor).into()), transferred, ..Facts::default() };
            let seen = Observation {
                kind: ObjectKind::Domain,
                id: row.id().into(),
                state: *state,
                row: is_held.then(|| row.clone()),
                facts: if is_held { facts } else { Facts::default() },
                observed_at: at,
                exchange: ExchangeId::new(0, u32::try_from(n + 1).expect("small")),
                unknown: 0,
            };
            building.observe(seen).expect("observed");
        }
        building.finish(at).expect("a snapshot");
    }

    /// Runs `report protection`: its exit code, the document it printed, and what it said besides.
    fn report(&self, registries: &[&str]) -> (i32, Value, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_privet"));
        command.args(["report", "protection", "--format", "json", "--config"]).arg(self.path("privet.toml"));
        for registry in registries {
            command.args(["--registry", registry]);
        }
        let output = command.env_clear().current_dir(self.dir.path()).output().expect("a process");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().expect("a code"), serde_json::from_slice(&output.stdout).unwrap_or_default(), told)
    }
}

/// Columns of a table.
fn rows(json: &Value, name: &str, columns: &[&str]) -> Vec<String> {
    let path = Path::new(json["reports"].as_str().expect("a folder")).join(name);
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let header = reader.headers().expect("a header").clone();
    let at = |column: &str| header.iter().position(|name| name == column).unwrap_or_else(|| panic!("{column}: {header:?}"));
    let row = |row: csv::StringRecord| columns.iter().map(|column| row[at(column)].to_owned()).collect::<Vec<_>>().join(" | ");
    reader.records().map(|record| row(record.expect("a row"))).collect()
}

/// The reminders, sorted, without the number of days, which is another one each day: it is there where the day is.
fn reminders(json: &Value) -> Vec<String> {
    let mut all = rows(json, "reminders.csv", &["registry", "domain", "sponsor", "transferred", "evidence"]);
    all.sort();
    let dated = rows(json, "reminders.csv", &["transferred", "days"]);
    let is_whole = |row: &String| row.split_once(" | ").is_some_and(|(day, days)| day.is_empty() == days.parse::<i64>().is_err());
    assert!(dated.iter().all(is_whole), "{dated:?}");
    all
}

#[test]
fn each_domain_that_went_away_with_the_proxy_in_it_is_told_once_with_its_evidence() {
    let world = World::new(ANSWERS);
    let (code, json, told) = world.report(&[]);
    assert_eq!(code, 11, "{told}");
    let known = [
        // Recorded, and the registry does not tell us of it any more.
        "thick | denied.example | Hedgerow Names Ltd (IANA 9876) | 2026-11-03 | RDAP",
        // Its domain info names another contact by now, the directory the proxy's handle; of an organisation's parts, the first.
        "thick | foreign.example | Hedgerow Group (IANA 9876) |  | RDAP",
        // Nobody names it any more; the registry holds another domain in its zone.
        "thick | forgotten.example | Hedgerow Names Ltd (IANA 9876) | 2026-10-10 | RDAP",
        // Both tell: the registry's own word comes first.
        "thick | told.example | registrar-9 | 2026-10-30 | domain info",
        // Recorded, and the registry says that there is no such domain.
        "thick | vanished.example | Hedgerow Names Ltd (IANA 9876) | 2026-11-05 | RDAP",
    ];
    // In a zone where nothing of ours is, and by a registrar without a number.
    let stray = " | xn--bcher-kva.test | Hedgerow() |  | RDAP";
    let wanted: Vec<&str> = std::iter::once(stray).chain(known).collect();
    assert_eq!(reminders(&json), wanted);

    let findings = rows(&json, "findings.csv", &["rule", "severity", "registry", "id", "what"]);
    let reminded: Vec<&String> = findings.iter().filter(|row| row.starts_with("RTR-10 | warning | ")).collect();
    assert_eq!(reminded.len(), wanted.len(), "{findings:?}");
    let says = |domain: &str, words: &str| reminded.iter().any(|row| row.contains(domain) && row.contains(words));
    assert!(says("thick | told.example", "and its domain info still shows"), "{reminded:?}");
    assert!(says("thick | denied.example", "an RDAP answer of 2026-11-20"), "{reminded:?}");
    assert!(says("thick | foreign.example", "an RDAP answer of an unknown day"), "{reminded:?}");
    assert!(!json.to_string().contains("@relay.example") && !told.contains("@relay.example"), "no address is told: {told}");

    // Where the other registry is not looked at, what nobody names might be there.
    let (_, json, _) = world.report(&["thick"]);
    assert_eq!(reminders(&json), [known[0], known[1], known[3], known[4]]);
    // And without answers the registry's own word is left.
    world.write("rdap.ndjson", "");
    let (_, json, _) = world.report(&[]);
    assert_eq!(reminders(&json), [known[3]]);
}

#[test]
fn wrong_answers_are_all_told_before_anything_is_reported() {
    let world = World::new(&format!("{ANSWERS}{{\"objectClassName\":\"nameserver\"}}\nAda Ligustrum\n"));
    let (code, json, told) = world.report(&[]);
    let line = ANSWERS.lines().count();
    assert_eq!(code, 32, "{told}");
    assert!(json["reports"].is_null(), "{json}");
    for (line, id) in [(line + 1, "E-rdap-001"), (line + 2, "E-rdap-001")] {
        assert!(told.contains(&format!("rdap.ndjson:{line}")) && told.contains(id), "{told}");
    }
    assert!(!told.contains("Ada"), "{told}");
    world.write("privet.toml", &std::fs::read_to_string(world.path("privet.toml")).expect("read").replace("rdap.ndjson", "absent.ndjson"));
    assert!(world.report(&[]).2.contains("E-file-005"));
}
