//! `report protection` over domains that went to another registrar: which of them are on the list of reminders, and by which evidence.

use privet::base::{ExchangeId, RegistryId, RunId, create_private_dir, write_atomic};
use privet::dataset::{Building, ContactField, DomainField, Facts, Observation, Row, State, columns};
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
        let held: Vec<_> = held.iter().map(|(state, row, sponsor)| (*state, row.clone(), *sponsor, None)).collect();
        self.snapshot_of("2026-11-20T02:00:00Z", registry, &held);
    }

    /// A snapshot of a time, of domains with the time at which each was created.
    fn snapshot_of(&self, at: &str, registry: &str, held: &[(State, Row, &str, Option<&str>)]) {
        let at = at.parse().expect("a time");
        let state = self.path("state");
        create_private_dir(&state).expect("made");
        let mut building = Building::open(&state, &RunId::new("r"), at, &RegistryId::new(registry), 0).expect("a building");
        for (n, (state, row, sponsor, created)) in held.iter().enumerate() {
            let is_held = *state == State::Ok;
            let transferred = (*sponsor != US).then(|| "2026-10-30T08:00:00.0Z".into());
            let created = created.map(Into::into);
            let facts = Facts { sponsor: Some((*sponsor).into()), transferred, created, ..Facts::default() };
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

#[test]
fn new_names_are_held_against_the_accounts_default() {
    let world = World::new("");
    let held = |name: &str, created| (State::Ok, domain(name, Some("C-1")), US, Some(created));
    world.snapshot_of(
        "2026-11-21T02:00:00Z",
        "nz",
        &[held("old.nz", "2026-11-20T01:59:59Z"), held("new.nz", "2026-11-20T02:00:00.0Z"), held("newer.nz", "2026-11-20T09:00:00Z")],
    );
    world.snapshot_of("2026-11-21T02:00:00Z", "thick", &[held("paid.example", "2026-11-20T09:00:00Z")]);
    let drift = |default: &str| {
        let config = std::fs::read_to_string(world.path("privet.toml")).expect("read");
        world.write("privet.toml", &config.replace("[privacy]\n", &format!("[privacy]\n{default}")));
        let (code, json, told) = world.report(&[]);
        world.write("privet.toml", &config);
        assert!(code == 11 || code == 0, "{told}");
        let told = rows(&json, "findings.csv", &["rule", "severity", "id"]);
        let found = told.into_iter().filter(|row| row.starts_with("RTR-17 | warning")).count();
        let all = rows(&json, "default-drift.csv", &["registry", "domain", "since"]);
        assert_eq!(found, all.len());
        all
    };
    let nz = ["nz | new.nz | 2026-11-20", "nz | newer.nz | 2026-11-20"];
    assert_eq!(drift(""), [""; 0], "without a default none is missed");
    assert_eq!(drift("default = \"when-free\"\nfree = [\"nz\"]\n"), nz);
    let all = drift("default = \"always\"\n");
    assert_eq!((all.len(), all.contains(&"thick | paid.example | 2026-11-20".to_owned())), (3, true));
    // Once it is sold with protection nothing is missing.
    world.write("services.csv", "object,provider,tld,privacy,start,end,end_reason\nnewer.nz,nz,nz,v2,2026-11-21,,\n");
    let config = std::fs::read_to_string(world.path("privet.toml")).expect("read");
    world.write("privet.toml", &config.replace("[records.rdap]", "[records.services]\nfiles = [\"services.csv\"]\n[records.rdap]"));
    assert_eq!(drift("default = \"when-free\"\nfree = [\"nz\"]\n"), nz[..1]);
}

/// The lines of the outbox's reminders.
fn letters(world: &World) -> Vec<Value> {
    let path = world.path("state/outbox/reminders.ndjson");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Runs `remind`: its exit code, and the document it printed.
fn remind(world: &World, args: &[&str]) -> (i32, Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_privet"));
    command.args(["remind", "--format", "json", "--config"]).arg(world.path("privet.toml")).args(args);
    let output = command.env_clear().current_dir(world.dir.path()).output().expect("a process");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("a code"), serde_json::from_slice(&output.stdout).unwrap_or_default(), told)
}

#[test]
fn registrants_are_written_to_for_as_long_as_the_record_is_ours() {
    let world = World::new(ANSWERS);
    // `told` and `denied` are of Ada, `vanished` of somebody without an address; nobody knows whose `foreign` is.
    let mut contacts =
        ["registry", "id"].into_iter().chain(columns(ObjectKind::Contact).iter().map(|c| c.name)).collect::<Vec<_>>().join(",");
    for (id, name, email) in [("C-1", "Ada Ligustrum", "ada@mail.example"), ("C-2", "Bo Ligustrum", "")] {
        let of = |field: &ContactField| match field {
            ContactField::IntName => name,
            ContactField::Email => email,
            _ => "",
        };
        contacts += &format!("\nthick,{id},{}", ContactField::ALL.iter().map(of).collect::<Vec<_>>().join(","));
    }
    world.write("contacts.csv", &contacts);
    let mut domains = std::fs::read_to_string(world.path("domains.csv")).expect("read");
    for (name, owner) in [("told", "C-1"), ("denied", "C-1"), ("vanished", "C-2")] {
        let of = |field: &DomainField| if *field == DomainField::Registrant { owner } else { "" };
        let row = DomainField::ALL.iter().map(of).collect::<Vec<_>>().join(",");
        domains =
            domains.replace(&format!("thick,{name}.example{}", ",".repeat(DomainField::ALL.len())), &format!("thick,{name}.example,{row}"));
    }
    world.write("domains.csv", &domains);
    let config = std::fs::read_to_string(world.path("privet.toml")).expect("read");
    let config = config.replace("[records.rdap]", "[records.contacts]\nfiles = [\"contacts.csv\"]\n[records.rdap]");
    let brands = "[messages.own]\nname = \"Own Names\"\nlanguage = \"de\"\n";
    world.write("privet.toml", &config);
    let (code, _, told) = remind(&world, &[]);
    assert!(code == 32 && told.contains("E-asking-004"), "without a brand there are no words: {code} {told}");
    world.write("privet.toml", &format!("{config}{brands}"));
    let (code, json, told) = remind(&world, &[]);
    assert_eq!(code, 11, "{told}");
    super::schema_files::assert_form("reminded", &json);
    // The one in a zone where nothing of ours is has no registry; two are of nobody in the records.
    assert_eq!((&json["domains"], &json["letters"], &json["fresh"]), (&6.into(), &2.into(), &2.into()), "{json}");
    assert_eq!((&json["unknown"], &json["unreachable"]), (&3.into(), &1.into()), "{json}");
    let first = letters(&world);
    for letter in &first {
        super::schema_files::assert_form("transfer-reminder", letter);
        assert_eq!((&letter["to"], &letter["language"]), (&"ada@mail.example".into(), &"de".into()));
    }
    let mut names: Vec<&str> = first.iter().filter_map(|letter| letter["domain"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["denied.example", "told.example"]);
    assert!(
        first.iter().any(|letter| letter["body"].as_str().is_some_and(|body| body.contains("am 2026-10-30 ist Ihre Domain told.example")))
    );
    let course = rows(&json, "reminded.csv", &["domain", "course"]);
    assert!(course.contains(&"vanished.example | unreachable".to_owned()) && course.contains(&"foreign.example | unknown".to_owned()));
    assert!(!json.to_string().contains("mail.example") && !told.contains("Ligustrum"), "{json} {told}");

    // The same letter is not a new one, and keeps its id and its day.
    let (_, json, _) = remind(&world, &[]);
    assert_eq!((&json["letters"], &json["fresh"]), (&2.into(), &0.into()));
    assert_eq!(letters(&world), first);
    // Whoever shows nothing of ours any more is not written to.
    world.write("rdap.ndjson", "");
    let (_, json, _) = remind(&world, &[]);
    assert_eq!(json["letters"], 1);
    let left = letters(&world);
    assert_eq!((left.len(), &left[0]["domain"]), (1, &"told.example".into()));
    assert!(first.contains(&left[0]));
    // In words of one's own, and where there are several brands in those of one.
    world.write("own.txt", "template: ours\nversion: 1\nsubject: {{ domain }}\n\n{{ name }}: {{ registrar }}\n");
    world.write("privet.toml", &format!("{config}{brands}reminders = {{ de = \"own.txt\" }}\n[messages.other]\n"));
    assert_eq!(remind(&world, &[]).0, 32);
    assert_eq!(remind(&world, &["--brand", "own"]).0, 0);
    assert_eq!(letters(&world)[0]["body"], "Ada Ligustrum: registrar-9\n");
}
