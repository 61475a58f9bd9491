//! `privet subject`: a marked person is found wherever they stand, gets their own data and nobody else's, and is gone where they can be.

use crate::schema_files::assert_form;
use crate::served::{World, context};
use privet::base::{Clock as _, SeededEntropy, SystemClock, write_atomic};
use privet::compliance::Ledger;
use privet::compliance::register::{Book, register};
use privet::job::{SubjectOf, commit_to, pull, store_path, subject_export};
use privet::store::{Batch, SqliteStore, Store as _, Vault};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What is known of Ada, and of Bob, who is the admin contact of her domain.
const ADA: [&str; 4] = ["Ada Muster", "Weg 1", "+49.2281234", "ada@example.org"];
const BOB: [&str; 3] = ["Beispiel", "bob@", "BOB-1"];

/// A directory with records of two contacts and a domain, events, and files with parts of people.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(crate::consent::configured());
        desk.put(
            "consent.csv",
            "record_id,registry,handle,first,last,country,email,purpose,event,at,terms,by\n\
             e/1,one,ADA-1,,,,,publication,given,2026-01-05T10:00:00Z,,registrant\n\
             e/2,one,BOB-1,,,,,publication,given,2026-01-06T10:00:00Z,,registrant\n\
             e/3,,,Carl,Canary,DE,carl@example.org,publication,refused,2026-01-07T10:00:00Z,,registrant\n",
        );
        desk.put(
            "requests.csv",
            "case,event,at,registry,handle,first,last,country,email,type,details\n\
             r-1,received,2026-01-31,one,ADA-1,,,,,access,what do you hold of me\n\
             r-2,received,2026-02-01,one,BOB-1,,,,,access,what of Bob\n\
             r-3,received,2026-02-02,,,Carl,Canary,DE,carl@example.org,erasure,please forget me\n",
        );
        desk.put("name.txt", "Muster\n");
        desk.put("first.txt", "Ada");
        desk.put("country.txt", "DE");
        desk.put("mail.txt", " ADA@example.org \n");
        for (name, text) in [("c1", "Carl"), ("c2", "Canary"), ("c3", "carl@example.org")] {
            desk.put(name, text);
        }
        for arguments in [&["consent", "import", "consent.csv"][..], &["request", "import", "requests.csv"]] {
            let (exit, _, said) = desk.all(arguments);
            assert_eq!(exit, 0, "{said}");
        }
        desk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, text: &str) {
        write_atomic(&self.path().join(name), text.as_bytes()).expect("written");
    }

    fn all(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_privet")).args(arguments).current_dir(self.path()).output().expect("a process");
        let Output { status, stdout, stderr } = output;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (status.code().expect("an exit code"), text(stdout), text(stderr))
    }

    /// Exit code, output and talk, in which nothing of a person may stand.
    fn shown(&self, arguments: &[&str]) -> (i32, String, String) {
        let (exit, out, said) = self.all(arguments);
        for clear in ["Muster", "Beispiel", "Canary", "ada@", "bob@", "carl@", "Weg 1", "forget me"] {
            assert!(!out.contains(clear) && !said.contains(clear), "{clear} is told: {out}{said}");
        }
        (exit, out, said)
    }

    /// What a verb prints as JSON, which has the form of its schema.
    fn json(&self, schema: &str, arguments: &[&str]) -> Value {
        let (exit, out, said) = self.shown(&[arguments, &["--format", "json"]].concat());
        assert_eq!(exit, 0, "{said}");
        let value: Value = serde_json::from_str(&out).expect("JSON");
        assert_form(schema, &value);
        value
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open(&store_path(&self.path().join("state"))).expect("a store")
    }

    /// Gives Ada's contact a key in the vault, and commits to a row about it.
    fn seal(&self) {
        let (mut store, mut entropy) = (self.store(), SeededEntropy::new(7));
        let key = Vault::new(&mut store).enrol_one("one/contact/ADA-1", &mut entropy).expect("a key");
        let mut batch = Batch::default();
        commit_to(key.reference().bytes(), &[&[Some("one"), Some("ADA-1")]], SystemClock::new().wall(), &mut batch, &mut entropy)
            .expect("committed");
        store.commit(&batch).expect("kept");
    }

    /// The ends of the chains, each held against its hashes.
    fn heads(&self) -> Vec<String> {
        let mut store = self.store();
        let ledger = Ledger::open(&mut store).expect("a whole ledger").head().to_string();
        let requests = Book::open(&mut store, register("request").expect("there")).expect("a whole register").head().to_string();
        vec![ledger, requests]
    }
}

/// Every file below `dir`, with its text.
fn files(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut out = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                out.insert(path.clone(), String::from_utf8_lossy(&std::fs::read(&path).expect("a file")).into_owned());
            }
        }
    }
    out
}

const CARL: [&str; 8] = ["--text", "first=c1", "--text", "last=c2", "--text", "country=country.txt", "--text", "email=c3"];

#[test]
fn a_person_is_found_wherever_they_stand_by_each_of_their_names() {
    let desk = Desk::new();
    desk.seal();
    let by_handle = desk.json("subject-found", &["subject", "find", "--registry", "one", "--handle", "ADA-1"]);
    let subject = by_handle["subjects"][0].as_str().expect("an id").to_owned();
    let parts = ["--text", "first=first.txt", "--text", "last=name.txt", "--text", "country=country.txt", "--text", "email=mail.txt"];
    for who in [&["--text", "email=mail.txt"][..], &parts, &["--subject", &subject], &["--case", "r-1"]] {
        let found = desk.json("subject-found", &[&["subject", "find"], who].concat());
        for field in ["persons", "contacts", "subjects", "consents", "cases", "keys", "salts"] {
            assert_eq!(found[field], by_handle[field], "{field} by {who:?}");
        }
    }
    let contact = &by_handle["contacts"][0];
    assert_eq!((&contact["registry"], &contact["handle"]), (&"one".into(), &"ADA-1".into()));
    assert_eq!(contact["stores"], serde_json::json!(["records"]));
    assert_eq!(contact["domains"], serde_json::json!({ "muster.example": ["registrant"] }));
    assert_eq!(contact["retention"], serde_json::json!({ "registration": "active" }));
    assert_eq!(
        (&by_handle["consents"], &by_handle["keys"], &by_handle["salts"]),
        (&1.into(), &serde_json::json!(["one/contact/ADA-1"]), &1.into())
    );
    let cases: Vec<&str> = by_handle["cases"].as_array().expect("cases").iter().filter_map(|case| case["case"].as_str()).collect();
    assert_eq!(cases, ["r-1"]);
    // An address may come from a pipe.
    let file = std::fs::File::open(desk.path().join("mail.txt")).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_privet"));
    command.args(["subject", "find", "--text", "email=-"]).current_dir(desk.path()).stdin(file);
    let out = command.output().expect("a process").stdout;
    assert!(String::from_utf8_lossy(&out).contains("one/ADA-1 in records"), "{}", String::from_utf8_lossy(&out));
    // Whoever is in no record is found in the ledger.
    let carl = desk.json("subject-found", &[&["subject", "find"][..], &CARL].concat());
    assert_eq!((carl["contacts"].as_array().map(Vec::len), &carl["consents"], &carl["persons"]), (Some(0), &1.into(), &1.into()));
    for (who, id) in [
        (&["--handle", "EVE-1"][..], "E-subject-001"),
        (&["--subject", "5a"], "E-subject-001"),
        (&[], "E-subject-003"),
        (&["--text", "shoe=mail.txt"], "E-subject-003"),
        (&["--text", "last=name.txt"], "E-subject-001"),
        (&["--text", "email=nowhere.txt"], "E-file-005"),
        (&["--case", "r-9"], "E-subject-004"),
        (&["--case", "r-2", "--handle", "ADA-1"], "E-subject-005"),
        (&["--registry", "two", "--handle", "ADA-1"], "E-cli-001"),
    ] {
        let (exit, _, said) = desk.shown(&[&["subject", "find"], who].concat());
        assert!(exit == 2 && said.contains(id), "{who:?}: {exit} {said}");
    }
}

#[test]
fn the_bundle_has_all_of_the_person_and_nothing_of_the_admin_of_their_domain() {
    let desk = Desk::new();
    desk.put("who.txt", "Mallory Marked");
    desk.put("why.txt", "a reason");
    let asked = ["disclosure", "add", "requested", "--case", "d-1", "--handle", "ADA-1", "--set", "requester_kind=person"];
    let (exit, _, said) = desk.all(&[&asked[..], &["--text", "requester=who.txt", "--text", "reasons=why.txt"]].concat());
    assert_eq!(exit, 0, "{said}");
    let told = desk.json("subject-exported", &["subject", "export", "out", "--case", "r-1", "--country", "DE"]);
    let bundle = files(&desk.path().join("out/bundle"));
    let all: String = bundle.values().cloned().collect();
    for own in ADA.iter().chain(&["muster.example", "what do you hold of me"]) {
        assert!(all.contains(own), "{own}");
    }
    for other in BOB.iter().chain(&["what of Bob", "Canary", "carl@", "Mallory"]) {
        assert!(!all.contains(other), "{other}");
    }
    for path in bundle.keys().chain([&desk.path().join("out/audit.json")]) {
        assert_eq!(std::fs::metadata(path).expect("a file").permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    let access: Value = serde_json::from_str(&bundle[&desk.path().join("out/bundle/access.json")]).expect("JSON");
    assert_form("access", &access);
    // A month from the last day of January is the last day of February, which was a Saturday: the answer was due on Monday.
    let disclosures = &bundle[&desk.path().join("out/bundle/disclosures.csv")];
    assert!(disclosures.contains("d-1,") && disclosures.contains(",person,,"), "{disclosures}");
    let due = &access["clock"]["deadlines"][0];
    assert_eq!((&due["due"], &due["standing"]), (&"2026-03-02".into(), &"overdue".into()));
    let excluded: BTreeMap<&str, Option<u64>> = (access["excluded"].as_array().expect("exclusions").iter())
        .map(|one| (one["what"].as_str().expect("what"), one["count"].as_u64()))
        .collect();
    assert_eq!(excluded["authorisation information of domains and contacts"], None);
    assert_eq!(excluded["other contacts of the same domains, in all places"], Some(1));
    assert_eq!(excluded["names of persons who asked for the data"], Some(1));
    assert_eq!(access["consents"][0]["event"], "given");
    assert_eq!(access["answering"][0]["role"], "controller");
    for part in ["purposes", "recipients", "periods", "rights", "disclosures"] {
        assert!(!access[part].as_array().expect("a list").is_empty(), "{part}");
    }
    // What is taken along: what was given, on a contract; no status.
    let along = &bundle[&desk.path().join("out/bundle/portability/data.json")];
    assert_form("access-portable", &serde_json::from_str(along).expect("JSON"));
    let fields: BTreeSet<String> = (serde_json::from_str::<Vec<Value>>(along).expect("JSON").iter())
        .map(|one| one["field"].as_str().expect("a field").to_owned())
        .collect();
    let want = ["email", "int_cc", "int_city", "int_name", "int_pc", "int_street1", "voice"];
    assert_eq!(fields, want.map(str::to_owned).into());
    // What is the controller's tells counts alone.
    let audit = std::fs::read_to_string(desk.path().join("out/audit.json")).expect("the audit");
    assert!(ADA.iter().chain(&BOB).all(|clear| !audit.contains(clear)), "{audit}");
    assert_eq!(told["audit"]["found"]["values"], 7);
    let (exit, _, said) = desk.shown(&["subject", "export", "out", "--case", "r-1"]);
    assert!(exit == 2 && said.contains("E-subject-007"), "{said}");
}

#[test]
fn two_persons_behind_one_address_are_told_and_neither_gets_the_others_data() {
    let desk = Desk::new();
    let contacts = std::fs::read_to_string(desk.path().join("contacts.csv")).expect("records");
    desk.put("contacts.csv", &contacts.replace("bob@example.org", "ada@example.org"));
    let found = desk.json("subject-found", &["subject", "find", "--text", "email=mail.txt"]);
    assert_eq!(found["persons"], 2);
    let (exit, _, said) = desk.shown(&["subject", "export", "out", "--text", "email=mail.txt"]);
    assert!(exit == 2 && said.contains("E-subject-002"), "{said}");
    let told = desk.json("subject-exported", &["subject", "export", "out", "--handle", "ADA-1"]);
    assert_eq!(told["audit"]["only_address"], 1);
    assert!(files(&desk.path().join("out")).values().all(|text| !text.contains("Beispiel")));
}

#[test]
fn erased_is_gone_is_proved_and_a_second_time_there_is_nothing_to_do() {
    let desk = Desk::new();
    let heads = desk.heads();
    // A message to him waits to be sent.
    let him = desk.json("subject-found", &[&["subject", "find"][..], &CARL].concat())["subjects"][0].clone();
    privet::base::create_private_dir(&desk.path().join("state/outbox")).expect("made");
    let letter = serde_json::json!({ "message": "m-1", "subject": him, "to": "carl@example.org", "created": "2026-11-20T00:00:00Z" });
    desk.put("state/outbox/asks-1.ndjson", &format!("{letter}\n"));
    let erase = [&["subject", "erase"][..], &CARL, &["--case", "r-3"]].concat();
    let done = desk.json("subject-erased", &erase);
    let erasure = &done["erasure"];
    assert_form("erasure", erasure);
    assert_eq!((&erasure["proved_absent"], &erasure["chains_whole"], &erasure["trigger"]), (&true.into(), &true.into(), &"request".into()));
    let of = |name: &str| erasure["stores"].as_array().expect("stores").iter().find(|one| one["store"] == name).expect("it").clone();
    assert!(!desk.path().join("state/outbox/asks-1.ndjson").exists());
    for store in ["map of subjects", "texts of registers", "messages to be sent"] {
        assert_eq!((&of(store)["before"], &of(store)["after"], &of(store)["method"]), (&1.into(), &0.into(), &"Erase".into()), "{store}");
    }
    let events = of("events of ledger and registers");
    assert_eq!((&events["before"], &events["after"], &events["method"]), (&2.into(), &2.into(), &"Pseudonymise".into()));
    assert_eq!(desk.heads(), heads, "no event changed");
    let found = desk.json("subject-found", &[&["subject", "find"][..], &CARL].concat());
    assert!(
        found["subjects"].as_array().expect("ids").is_empty()
            && found["consents"] == 0
            && found["cases"].as_array().expect("cases").is_empty()
    );
    // Bob and Ada are as they were.
    assert_eq!(desk.json("subject-found", &["subject", "find", "--handle", "BOB-1"])["consents"], 1);
    let folder = desk.path().join(done["reports"].as_str().expect("a folder"));
    let (exit, out, said) = desk.shown(&["verify", folder.to_str().expect("a path"), "--key", "state/proof/key.pub"]);
    assert_eq!(exit, 0, "{out}{said}");
    let evidence = files(&folder);
    assert!(evidence.keys().any(|path| path.ends_with("erasure.csv")) && evidence.values().all(|text| !text.contains("Canary")));

    let again = desk.json("subject-erased", &[&["subject", "erase"][..], &CARL].concat());
    assert!(again["reports"].is_null() && again["erasure"].is_null());
    assert_eq!(std::fs::read_dir(desk.path().join("reports")).expect("the reports").count(), 1, "and it left no run");
}

#[test]
fn what_a_rule_or_a_hold_keeps_is_not_erased() {
    let desk = Desk::new();
    desk.seal();
    let erase = ["subject", "erase", "--handle", "ADA-1"];
    let (exit, _, said) = desk.shown(&erase);
    assert!(exit == 20 && said.contains("E-subject-011") && said.contains("registration at one: active"), "{said}");
    // Once the service ended, a rule keeps them for a year.
    let ended = SystemClock::new().wall().to_zoned(jiff::tz::TimeZone::UTC).date().yesterday().expect("a day");
    let config = std::fs::read_to_string(desk.path().join("privet.toml")).expect("a configuration");
    desk.put("privet.toml", &format!("{config}\n[records.services]\nfiles = [\"services.csv\"]\n"));
    desk.put(
        "services.csv",
        &format!("object,provider,tld,privacy,start,end,end_reason\nmuster.example,p,example,none,2020-01-01,{ended},transferred\n"),
    );
    let (exit, _, said) = desk.shown(&erase);
    assert!(exit == 20 && said.contains("E-subject-011") && said.contains("registration at one: retained (until "), "{said}");
    assert_eq!(desk.json("subject-found", &["subject", "find", "--handle", "ADA-1"])["consents"], 1, "nothing was erased");
}

#[test]
fn a_reason_overrides_a_rule_and_no_hold_and_what_stays_is_told() {
    let desk = Desk::new();
    desk.seal();
    let hold = ["hold", "add", "placed", "--case", "h-1", "--handle", "ADA-1", "--set", "reason=litigation", "--set", "owner=o-1"];
    assert_eq!(desk.shown(&hold).0, 0);
    let erase = ["subject", "erase", "--handle", "ADA-1", "--despite", "d-4"];
    let (exit, _, said) = desk.shown(&erase);
    assert!(exit == 20 && said.contains("E-subject-010") && said.contains("h-1"), "{said}");
    assert_eq!(desk.json("subject-found", &["subject", "find", "--handle", "ADA-1"])["consents"], 1, "nothing was erased");
    assert_eq!(desk.shown(&["hold", "add", "lifted", "--case", "h-1"]).0, 0);
    let (exit, _, said) = desk.shown(&[&erase[..4], &["--despite", "two words"]].concat());
    assert!(exit == 2 && said.contains("E-subject-009"), "{said}");

    let done = desk.json("subject-erased", &erase);
    assert_eq!((&done["erasure"]["despite"], &done["erasure"]["retention"]["active"]), (&"d-4".into(), &1.into()));
    let stays: Vec<(&str, Option<&str>)> = (done["residuals"].as_array().expect("residuals").iter())
        .map(|one| (one["store"].as_str().expect("a store"), one["object"].as_str()))
        .collect();
    assert_eq!(stays, [("local records", Some("one/ADA-1")), ("backups", None)]);
    let found = desk.json("subject-found", &["subject", "find", "--handle", "ADA-1"]);
    let gone = (&found["consents"], &found["salts"], found["keys"].as_array().map(Vec::len), found["subjects"].as_array().map(Vec::len));
    assert_eq!(gone, (&0.into(), &0.into(), Some(0), Some(0)));
    assert_eq!(found["contacts"][0]["handle"], "ADA-1", "the operator's records are the operator's");
    // The evidence leads to nobody: neither handle nor id, which together would be the map that was erased.
    for text in files(&desk.path().join(done["reports"].as_str().expect("a folder"))).values() {
        assert!(!text.contains("ADA-1") && !text.contains("muster.example"), "{text}");
    }
}

#[test]
fn registries_have_their_share_of_the_bundle_and_keep_their_secrets() {
    let world = World::new(150, 11);
    let _served = world.serve(&[]);
    let loaded = world.load();
    pull(&loaded, &context(&[])).expect("ended");
    let table = |name: &str| -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(world.data().join("records").join(name)).expect("a table");
        reader.deserialize().map(|row| row.expect("a row")).collect()
    };
    let (contacts, domains) = (table("contacts.csv"), table("domains.csv"));
    let eurid: Vec<_> = contacts.iter().filter(|row| row["registry"] == "eurid").collect();
    let named: BTreeSet<&str> = domains.iter().filter(|row| row["registry"] == "eurid").map(|row| row["registrant"].as_str()).collect();
    let one = eurid.iter().find(|row| named.contains(row["id"].as_str())).expect("a registrant");
    let dir = world.data().join("answer");
    let of = SubjectOf { registry: Some("eurid".to_owned()), handle: Some(one["id"].clone()), ..SubjectOf::default() };
    let ended = subject_export(&loaded, &context(&[]), &of, &dir, None).unwrap_or_else(|e| panic!("{e}"));
    assert_form("subject-exported", &ended.json);
    let bundle = files(&dir.join("bundle"));
    let access: Value = serde_json::from_str(&bundle[&dir.join("bundle/access.json")]).expect("JSON");
    let stores: BTreeSet<&str> = access["data"].as_array().expect("data").iter().filter_map(|one| one["store"].as_str()).collect();
    assert_eq!(stores, BTreeSet::from(["records", "registry"]));
    let answering = access["answering"].as_array().expect("roles").iter().find(|one| one["registry"] == "eurid").expect("eurid").clone();
    assert!(answering["role"] == "processor" && answering["contact"].as_str().is_some_and(|contact| contact.contains("controller")));
    // Nobody else's address, and no authorisation information that the registries said.
    let all: String = bundle.values().cloned().collect();
    assert!(all.contains(&one["email"]));
    let others = contacts.iter().map(|row| row["email"].as_str()).filter(|email| *email != one["email"] && !email.is_empty());
    assert_eq!(others.clone().find(|email| all.contains(email)), None);
    assert!(others.count() > 100);
    let secrets: BTreeSet<String> = (crate::served::REGISTRIES.iter().flat_map(|registry| world.frames(registry, "out")))
        .flat_map(|frame| {
            frame.split(":pw>").skip(1).step_by(2).map(|rest| rest.split('<').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        })
        .filter(|secret| secret.len() > 5)
        .collect();
    assert!(!secrets.is_empty(), "the registries told some");
    assert_eq!(secrets.iter().find(|secret| all.contains(secret.as_str())), None);
    // An erasure in the same world tells what the registry keeps, by which domains.
    let ended = privet::job::subject_erase(&loaded, &context(&[]), &of, Some("d-1"), None).expect("ended");
    let residuals = ended.json["residuals"].as_array().expect("residuals");
    let at_registry = residuals.iter().find(|one| one["store"] == "registry").expect("the registry's contact");
    assert!(at_registry["why"].as_str().is_some_and(|why| why.starts_with("in use by ")), "{at_registry}");
    let snapshot = residuals.iter().find(|one| one["store"] == "snapshots").expect("the snapshots");
    assert!(snapshot["gone_by"].as_str().is_some(), "{snapshot}");
}
