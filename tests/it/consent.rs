//! `privet consent`: the planted truth, and the verbs as a process.

use crate::schema_files::assert_form;
use privet::base::{RegistryId, SeededEntropy, StateDir};
use privet::compliance::{Fingerprint, Ledger, Purpose, Rule, import};
use privet::dataset::{DomainField, IngestPlan, Records, Row, Services, Source, columns, ingest};
use privet::model::ObjectKind;
use privet::policy::{Capability, Privacy, profile};
use privet::store::MemoryStore;
use privet::synth::{SynthOptions, write};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// All rows of a kind at a registry, by id.
fn rows(records: &Records, registry: &RegistryId, kind: ObjectKind) -> BTreeMap<String, Row> {
    let all = (0..records.buckets()).flat_map(|bucket| records.rows(registry, kind, bucket).expect("a bucket"));
    all.map(|row| (row.id().to_owned(), row)).collect()
}

#[test]
fn the_ledger_blocks_what_was_planted_to_be_blocked_and_nothing_else() {
    let mut met = BTreeSet::new();
    for (contacts, seed) in [(300, 1), (6_000, 2)] {
        let dir = tempfile::tempdir().expect("a directory");
        let today: jiff::Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
        let report = write(dir.path(), &SynthOptions { contacts, seed, change_rate: 0.05, today }).expect("written");
        let file = |name: &str| dir.path().join(name);
        let plan = IngestPlan {
            contacts: Some(Source::of(vec![file("records/contacts.csv")])),
            domains: Some(Source::of(vec![file("records/domains.csv")])),
            registries: report.registries.iter().map(|r| RegistryId::new(r.id.as_str())).collect(),
            previous: None,
            min_rows_share: 0.0,
            origin: None,
        };
        let records = ingest(&plan, &file("taken")).unwrap_or_else(|e| panic!("{e}")).records;
        let day = today.to_zoned(jiff::tz::TimeZone::UTC).date();
        let services = Services::read(&Source::of(vec![file("records/services.csv")]), day).unwrap_or_else(|e| panic!("{e}"));

        let mut store = MemoryStore::default();
        for added in [report.consents, 0] {
            let mut events = import(&Source::of(vec![file("records/consent.csv")]));
            events.resolve(&records).expect("resolved");
            assert!(events.problems.is_empty(), "{}", events.problems);
            let mut ledger = Ledger::open(&mut store).expect("a ledger");
            let taken = ledger.take(&mut events, false, today, &mut SeededEntropy::new(seed)).expect("taken");
            assert_eq!((taken.added, taken.known), (added, report.consents - added));
        }

        let mut ledger = Ledger::open(&mut store).expect("a ledger");
        let mut found = BTreeSet::new();
        for registry in &report.registries {
            let (id, profile) = (RegistryId::new(registry.id.as_str()), profile(&registry.profile).expect("embedded"));
            let people = rows(&records, &id, ObjectKind::Contact);
            let is_lockable = profile.transfer_lock.value.capability() == Capability::Yes;
            let needs = |purpose: &Purpose| match purpose {
                Purpose::PrivacyProxy => profile.privacy.value == Privacy::ProxyContact,
                Purpose::TransferLock => is_lockable,
                Purpose::Publication | Purpose::ProviderData => false,
            };
            for (name, domain) in rows(&records, &id, ObjectKind::Domain) {
                if services.of(&name).is_none() {
                    continue;
                }
                let registrant = domain.get(DomainField::Registrant.at());
                let person = registrant.and_then(|handle| people.get(handle)).and_then(Fingerprint::of_row);
                let mut blocked = |object: &str, of: &str, purpose: Purpose| {
                    let decision = ledger.decide_for(person.as_ref(), purpose, today).expect("decided");
                    let rule = decision.rule().map(Rule::id);
                    found.extend(rule.map(|rule| [&*registry.id, object, of, purpose.as_str(), rule].map(str::to_owned)));
                };
                Purpose::OF_CHANGES.iter().filter(|purpose| needs(purpose)).for_each(|purpose| blocked("domain", &name, *purpose));
                if let Some(handle) = registrant {
                    blocked("contact", handle, Purpose::Publication);
                }
            }
        }
        // Whom a registry withholds though no service asks for it: the contact's own record says that it is to be shown.
        let mut reader = csv::Reader::from_path(file("truth/leaks.csv")).expect("the truth");
        for [id, _, _, handle, kind] in reader.deserialize::<[String; 5]>().map(|row| row.expect("a row")) {
            let registry = report.registries.iter().find(|one| one.id == id).expect("a registry");
            let profile = profile(&registry.profile).expect("embedded");
            if kind == "ended" && profile.privacy.value != Privacy::ProxyContact {
                let people = rows(&records, &RegistryId::new(id.as_str()), ObjectKind::Contact);
                let person = people.get(&handle).and_then(Fingerprint::of_row);
                let decision = ledger.decide_for(person.as_ref(), Purpose::Publication, today).expect("decided");
                let rule = decision.rule().map(Rule::id);
                found.extend(rule.map(|rule| [&*id, "contact", &*handle, "publication", rule].map(str::to_owned)));
            }
        }
        let mut reader = csv::Reader::from_path(file("truth/blocked.csv")).expect("the truth");
        let truth: Vec<[String; 5]> = reader.deserialize().map(|row| row.expect("a row")).collect();
        let planted: BTreeSet<[String; 5]> = truth.iter().cloned().collect();
        assert_eq!((truth.len(), truth.len() as u64), (planted.len(), report.blocked));
        let (missed, surplus): (Vec<_>, Vec<_>) =
            (planted.difference(&found).take(9).collect(), found.difference(&planted).take(9).collect());
        assert!(missed.is_empty() && surplus.is_empty(), "planted, not blocked: {missed:#?}\nblocked, not planted: {surplus:#?}");
        met.extend(truth.into_iter().map(|[_, object, _, purpose, rule]| (object, purpose, rule)));
    }
    for rule in Rule::ALL {
        assert!(met.iter().any(|(_, _, met)| met == rule.id()), "{} was never planted", rule.id());
    }
    for what in [("domain", "privacy-proxy"), ("domain", "transfer-lock"), ("contact", "publication")] {
        assert!(met.iter().any(|(object, purpose, _)| (object.as_str(), purpose.as_str()) == what), "{what:?}");
    }
}

/// A table of local records with all its columns.
fn table(kind: ObjectKind, rows: &[&[(&str, &str)]]) -> String {
    let names: Vec<&str> = ["registry", "id"].into_iter().chain(columns(kind).iter().map(|c| c.name)).collect();
    let value = |row: &[(&str, &str)], name: &str| row.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value).to_owned();
    let rows = rows.iter().map(|row| names.iter().map(|name| value(row, name)).collect::<Vec<_>>().join(","));
    std::iter::once(names.join(",")).chain(rows).map(|line| line + "\n").collect()
}

/// Two contacts and a domain at one registry.
pub(crate) fn configured() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let ada: &[(&str, &str)] = &[
        ("registry", "one"),
        ("id", "ADA-1"),
        ("int_name", "Ada Muster"),
        ("int_street1", "Weg 1"),
        ("int_city", "Bonn"),
        ("int_pc", "53111"),
        ("int_cc", "DE"),
        ("voice", "+49.2281234"),
        ("email", "ada@example.org"),
    ];
    let bob: Vec<(&str, &str)> = ada
        .iter()
        .map(|(column, value)| match *column {
            "id" => (*column, "BOB-1"),
            "int_name" => (*column, "Bob Beispiel"),
            "email" => (*column, "bob@example.org"),
            _ => (*column, *value),
        })
        .collect();
    let domain = [("registry", "one"), ("id", "muster.example"), ("registrant", "ADA-1"), ("admin", "BOB-1")];
    put(&dir, "contacts.csv", &table(ObjectKind::Contact, &[ada, &bob]));
    put(&dir, "domains.csv", &table(ObjectKind::Domain, &[&domain]));
    put(&dir, "password", "secret-1");
    put(&dir, "ca.pem", &crate::registries::authority());
    put(
        &dir,
        "privet.toml",
        "version = 1\n[records.contacts]\nfiles = [\"contacts.csv\"]\n[records.domains]\nfiles = [\"domains.csv\"]\n\
         [registries.one]\nprofile = \"nicit\"\nhost = \"127.0.0.1\"\nclient_id = \"registrar-1\"\n\
         password = { file = \"password\" }\nca = \"ca.pem\"\n",
    );
    dir
}

fn put(dir: &tempfile::TempDir, name: &str, text: &str) {
    privet::base::write_atomic(&dir.path().join(name), text.as_bytes()).expect("written");
}

fn privet(dir: &tempfile::TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_privet")).args(arguments).current_dir(dir.path()).output().expect("a process")
}

/// Exit code, output and talk, in which nothing of a person may stand.
fn shown(dir: &tempfile::TempDir, arguments: &[&str]) -> (i32, String, String) {
    let output = privet(dir, arguments);
    let [out, said] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
    for clear in ["Muster", "Beispiel", "ada@", "bob@", "<m.1@"] {
        assert!(!out.contains(clear) && !said.contains(clear), "{clear} is told: {out}{said}");
    }
    (output.status.code().expect("an exit code"), out, said)
}

/// What a verb prints as JSON, which has the form of its schema.
fn json(dir: &tempfile::TempDir, schema: &str, arguments: &[&str]) -> Value {
    let (exit, out, said) = shown(dir, &[arguments, &["--format", "json"]].concat());
    assert_eq!(exit, 0, "{said}");
    let value: Value = serde_json::from_str(&out).expect("JSON");
    assert_form(schema, &value);
    value
}

const GOOD: &str = "\
record_id,registry,handle,first,last,organisation,country,email,purpose,event,at,expires,terms,method,by,message_id
e/1,one,ADA-1,,,,,,privacy-proxy,terms-accepted,2026-01-05T10:00:00Z,,tos-3,terms,registrant,
e/2,one,ADA-1,,,,,,publication,requested,2026-01-06T10:00:00+01:00,,,email,registrar,<m.1@example.org>
e/3,,,Ada,Muster,,de,ADA@example.org,publication,given,2026-01-07T10:00:00Z,2036-01-07,,page,registrant,
e/4,one,BOB-1,,,,,,,restricted,2026-02-01,,,phone,registrant,
";

#[test]
fn a_file_is_imported_once_and_shown_masked() {
    let dir = configured();
    put(&dir, "consent.csv", GOOD);
    let taken = json(&dir, "consent-taken", &["consent", "import", "consent.csv"]);
    assert_eq!((&taken["added"], &taken["subjects"], &taken["bad"]), (&4.into(), &2.into(), &0.into()));
    let taken = json(&dir, "consent-taken", &["consent", "import", "consent.csv", "consent.csv"]);
    assert_eq!((&taken["added"], &taken["known"]), (&0.into(), &8.into()));

    let ada = json(&dir, "consent", &["consent", "show", "--domain", "Muster.example."]);
    let holds = |shown: &Value| -> Vec<(String, bool, String)> {
        let purposes = shown["who"][0]["purposes"].as_array().expect("purposes").clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        purposes.iter().map(|p| (text(&p["purpose"]), p["allowed"] == true, text(&p["rule"]))).collect()
    };
    let want = [("privacy-proxy", true, ""), ("transfer-lock", false, "R-consent-003"), ("publication", true, "")];
    assert_eq!(holds(&ada), want.map(|(purpose, allowed, rule)| (purpose.to_owned(), allowed, rule.to_owned())));
    assert_eq!(ada["who"][0]["contact"], "one/ADA-1");
    let bob = json(&dir, "consent", &["consent", "show", "--registry", "one", "--handle", "BOB-1"]);
    assert!(holds(&bob).iter().all(|(_, allowed, rule)| !allowed && rule == "R-consent-008"));
    let all = json(&dir, "consent", &["consent", "show"]);
    assert_eq!((&all["totals"][0]["allowed"], &all["totals"][0]["blocked"]["R-consent-008"]), (&1.into(), &1.into()));
    assert_eq!(json(&dir, "consent", &["consent", "show", "--registry", "one"])["totals"], all["totals"]);

    let id = ada["who"][0]["subject"].as_str().expect("an id");
    let (exit, text, _) = shown(&dir, &["consent", "show", "--subject", id]);
    assert_eq!(exit, 0);
    insta::with_settings!({ filters => vec![("[0-9a-f]{32}", "[SUBJECT]")] }, { insta::assert_snapshot!(text) });

    // Nothing of a person stands in what is kept either, and nobody else reads it.
    for name in ["store.sqlite", "store.sqlite-wal"] {
        let path = dir.path().join("state").join(name);
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for clear in ["Muster", "muster", "Beispiel", "ada@", "m.1@"] {
            assert!(!bytes.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear} stands in {name}");
        }
        assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn bad_rows_are_told_with_their_lines_and_keep_all_others_out() {
    let dir = configured();
    let mut rows = GOOD.to_owned();
    rows.push_str("e/5,one,EVE-1,,,,,,publication,given,2026-01-05,,,,,\n");
    rows.push_str("e/6,one,ADA-1,,,,,,publication,consented,31/12/26,,,,,\n");
    rows.push_str("e/7,one,ADA-1,,,,,,publication,given,2026-01-05,,,,registrar,\n");
    rows.push_str("e/1,one,ADA-1,,,,,,privacy-proxy,refused,2026-01-05,,,,,\n");
    rows.push_str("e/8,one\n");
    put(&dir, "consent.csv", &rows);
    let (exit, out, said) = shown(&dir, &["consent", "import", "consent.csv"]);
    assert_eq!(exit, 32, "{said}");
    let told: BTreeSet<&str> = said.lines().filter_map(|line| line.split("consent.csv:").nth(1)?.split([':', ',']).next()).collect();
    assert_eq!(told, BTreeSet::from(["6", "7", "8", "9", "10"]), "{said}");
    assert!(out.contains("nothing was taken") && out.contains("5 bad"), "{out}");
    assert!(json(&dir, "consent", &["consent", "show"])["totals"].as_array().expect("totals").is_empty());

    let (exit, out, _) = shown(&dir, &["consent", "import", "--skip-bad", "consent.csv"]);
    assert_eq!(exit, 32);
    assert!(out.starts_with("9 rows: 4 events added, 0 known, 5 bad; 2 new subjects"), "{out}");
    // Of a file that breaks off nothing is taken: the rows that are missing may take back what these grant.
    put(&dir, "cut.ndjson", "{\"registry\":\"one\",\"handle\":\"BOB-1\",\"event\":\"restriction-lifted\",\"at\":\"2026-03-01\"}\n");
    put(&dir, "cut.csv", "event,at,registry,handle,purpose\ngiven,2026-03-01,one,BOB-1,publication\ngiven,\"2026\n");
    let (exit, _, said) = shown(&dir, &["consent", "import", "--skip-bad", "cut.ndjson", "cut.csv"]);
    assert_eq!(exit, 32, "{said}");
    let bob = json(&dir, "consent", &["consent", "show", "--handle", "BOB-1"]);
    assert_eq!(bob["who"][0]["events"].as_array().expect("events").len(), 1);
    assert_eq!(json(&dir, "consent-taken", &["consent", "import", "cut.ndjson"])["added"], 1);
}

#[test]
fn an_event_is_added_and_what_was_exported_is_known() {
    let dir = configured();
    put(&dir, "consent.csv", GOOD);
    json(&dir, "consent-taken", &["consent", "import", "consent.csv"]);
    let event = ["--event", "withdrawn", "--purpose", "publication", "--by", "registrant", "--method", "phone"];
    let taken = json(&dir, "consent-taken", &[&["consent", "add", "--domain", "muster.example"][..], &event].concat());
    assert_eq!((&taken["added"], &taken["irregular"]), (&1.into(), &Value::Array(Vec::new())));
    let taken = json(&dir, "consent-taken", &[&["consent", "add", "--handle", "BOB-1"][..], &event].concat());
    assert_eq!(taken["irregular"].as_array().expect("a list").len(), 1, "nothing was given there: {taken}");
    let ada = json(&dir, "consent", &["consent", "show", "--handle", "ADA-1"]);
    assert_eq!(ada["who"][0]["purposes"][2]["rule"], "R-consent-005");

    let (exit, csv, _) = shown(&dir, &["consent", "show", "--format", "csv"]);
    assert_eq!((exit, csv.lines().count()), (0, 7));
    // Without the message's id an event tells less than the one that is there.
    let rows: Vec<&str> = csv.lines().filter(|line| !line.starts_with("e/2,")).collect();
    put(&dir, "export.csv", &(rows.join("\n") + "\n"));
    assert_eq!(json(&dir, "consent-taken", &["consent", "import", "export.csv"])["known"], 5);

    for (arguments, id) in [
        (&["--handle", "EVE-1", "--event", "given", "--purpose", "publication"][..], "E-consent-031"),
        (&["--handle", "ADA-1", "--event", "given"][..], "E-consent-014"),
        (&["--handle", "ADA-1", "--event", "given", "--purpose", "publication", "--by", "registrar"][..], "E-consent-017"),
    ] {
        let (exit, _, said) = shown(&dir, &[&["consent", "add"], arguments].concat());
        assert!(exit == 2 && said.contains(id), "{exit} {said}");
    }
    let (exit, _, said) = shown(&dir, &["consent", "add", "--event", "given"]);
    assert!(exit == 2 && said.contains("--handle"), "{said}");
}

#[test]
fn nobody_writes_to_the_ledger_while_another_does_and_a_run_keeps_nobody_from_it() {
    let dir = configured();
    put(&dir, "consent.csv", GOOD);
    let state = StateDir::open(Path::new(&dir.path().join("state"))).expect("a state directory");
    let lock = state.lock_ledgers("a test").expect("the lock");
    for arguments in [&["consent", "import", "consent.csv"][..], &["consent", "show"]] {
        assert_eq!(shown(&dir, arguments).0, 30);
    }
    drop(lock);
    assert_eq!(shown(&dir, &["consent", "import", "consent.csv"]).0, 0);
    // What a person says while a run goes on is taken with the records of that run.
    let _run = state.lock("a run").expect("the lock");
    assert_eq!(shown(&dir, &["consent", "import", "consent.csv"]).0, 0);
}
