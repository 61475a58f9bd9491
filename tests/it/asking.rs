//! `privet consent ask`, `consent sent` and `report consent` over a world's records, and what is wrong with their files.

use crate::schema_files::assert_form;
use crate::served::{THICK, World, context};
use privet::base::{Clock, Exit, Moment, SystemClock, Timestamp, write_atomic};
use privet::job::{Context, Ended, consent_ask, consent_import, consent_sent, pull, report_consent, report_exposure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A clock that stands still.
struct Still(Timestamp);

impl Clock for Still {
    fn moment(&self) -> Moment {
        SystemClock::new().moment()
    }

    fn wall(&self) -> Timestamp {
        self.0
    }
}

pub(crate) fn at(text: &str) -> Context {
    Context { clock: Arc::new(Still(text.parse().expect("a time"))), ..context(&[]) }
}

/// What provider `p` is given on the contract and what by consent; `.de` is registered at once, `.it` waits, `.com` is the provider's own.
const PACK: &str = r#"
version = 1
dated = "2026-11-22"
provider = [
  { name = "p", policy = "once_per_group", erase_days = 60, link_days = 90, source = "a test", confidence = "guess", from = "2018-05-25" },
]
basis = [
  { provider = "p", tld = "*", person = "*", elements = ["name", "organisation", "street", "city", "state", "postal-code", "country", "email"], basis = "contract", source = "a", confidence = "seen", from = "2018-05-25" },
  { provider = "p", tld = "*", person = "*", elements = ["voice", "fax"], basis = "consent", source = "a", confidence = "seen", from = "2018-05-25" },
]
process = [
  { provider = "p", tld = "it", process = "async", source = "a", confidence = "guess", from = "2018-05-25" },
  { provider = "p", tld = "com", process = "standard", source = "a", confidence = "guess", from = "2018-05-25" },
  { provider = "p", tld = "de", process = "sync", source = "a", confidence = "guess", from = "2018-05-25" },
]
"#;

/// A contact of the local records.
#[derive(Clone, Debug)]
struct Contact {
    handle: String,
    name: String,
    email: String,
    voice: String,
    fax: String,
}

/// The contacts of one registry that have a telephone number and an address that nobody else has.
fn contacts(world: &World) -> Vec<Contact> {
    let mut reader = csv::Reader::from_path(world.data().join("records/contacts.csv")).expect("a table");
    let header = reader.headers().expect("a header").clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let of = |row: &csv::StringRecord, column: &str| row[header.iter().position(|name| name == column).expect("the column")].to_owned();
    let mut emails: BTreeMap<String, usize> = BTreeMap::new();
    for row in &rows {
        *emails.entry(of(row, "email")).or_default() += 1;
    }
    let name = |row: &csv::StringRecord| [of(row, "loc_name"), of(row, "int_name")].into_iter().find(|n| !n.is_empty()).unwrap_or_default();
    let contact = |row: &csv::StringRecord| Contact {
        handle: of(row, "id"),
        name: name(row),
        email: of(row, "email"),
        voice: of(row, "voice"),
        fax: of(row, "fax"),
    };
    let is_meant = |row: &&csv::StringRecord| {
        of(row, "registry") == THICK && !of(row, "voice").is_empty() && emails[&of(row, "email")] == 1 && name(row).len() >= 8
    };
    rows.iter().filter(is_meant).map(contact).collect()
}

/// Orders of `THICK` as a file: number, handle, what stands behind the dot, when, state and language.
fn orders(world: &World, rows: &[(&str, &str, &str, &str, &str, &str)]) {
    let mut text = "order,registry,tld,handle,kind,ordered_at,state,language\n".to_owned();
    for (order, handle, tld, at, state, language) in rows {
        text.push_str(&format!("{order},{THICK},{tld},{handle},registration,{at},{state},{language}\n"));
    }
    write_atomic(&world.data().join("records/orders.csv"), text.as_bytes()).expect("written");
}

/// A world whose registry `THICK` has a provider.
fn world(pack: &str) -> (World, Vec<privet::mock::Served>) {
    let world = World::new(300, 21);
    let served = world.serve(&[]);
    write_atomic(&world.data().join("basis.toml"), pack.as_bytes()).expect("written");
    let more = format!(
        "\n[records.orders]\nfiles = [\"records/orders.csv\"]\n[consent]\nrules = \"basis.toml\"\nproviders = {{ {THICK} = \"p\" }}\n\
         [messages.own]\nname = \"Own Names\"\nlink = \"https://own.example/c/\"\nwithdraw = \"api\"\n"
    );
    let config = without(&std::fs::read_to_string(world.config()).expect("a configuration")) + &more;
    write_atomic(&world.config(), config.as_bytes()).expect("written");
    (world, served)
}

/// A configuration without the orders, the provider and the brand that it has of its own.
fn without(config: &str) -> String {
    let is_other = |table: &&str| !["records.orders]", "consent]", "messages."].iter().any(|own| table.starts_with(own));
    config.split("\n[").filter(is_other).collect::<Vec<_>>().join("\n[")
}

fn outbox(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(world.data().join("state/outbox")) else { return BTreeMap::new() };
    entries.map(|entry| entry.expect("an entry").path()).map(|path| (path.clone(), std::fs::read(path).expect("a file"))).collect()
}

fn messages(world: &World) -> Vec<Value> {
    let all = outbox(world)
        .into_values()
        .flat_map(|bytes| String::from_utf8(bytes).expect("text").lines().map(str::to_owned).collect::<Vec<_>>());
    all.map(|line| serde_json::from_str(&line).expect("JSON")).collect()
}

fn of<'m>(messages: &'m [Value], contact: &Contact) -> &'m Value {
    messages.iter().find(|one| one["to"] == *contact.email).expect("a message")
}

/// The files below `dir`.
fn below(dir: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { below(&path, all) } else { all.push(path) }
    }
}

#[test]
fn an_order_asks_once_in_the_customers_language_and_what_was_sent_is_a_request() {
    let (world, _served) = world(PACK);
    let people = contacts(&world);
    let [a, b, standard, unknown, late, cancelled, ..] = people.as_slice() else { panic!("{} people", people.len()) };
    orders(
        &world,
        &[
            ("O-1", &a.handle, "de", "2026-11-20T12:00:00Z", "open", ""),
            ("O-2", &a.handle, "it", "2026-11-20T12:00:59Z", "open", ""),
            ("O-3", &b.handle, "de", "2026-11-20T12:00:00Z", "done", "de-AT"),
            ("O-4", &b.handle, "de", "2026-11-20T12:01:00Z", "open", "de-AT"),
            ("O-5", &standard.handle, "com", "2026-11-20T12:00:00Z", "open", ""),
            ("O-6", &unknown.handle, "nz", "2026-11-20T12:00:00Z", "open", ""),
            ("O-7", &late.handle, "it", "2026-11-09T23:59:59Z", "open", ""),
            ("O-8", "NOBODY-1", "de", "2026-11-20T12:00:00Z", "open", ""),
            ("O-9", &cancelled.handle, "de", "2026-11-20T12:00:00Z", "cancelled", ""),
        ],
    );
    let loaded = world.load();
    let asked = consent_ask(&loaded, &at("2026-11-20T12:30:00Z")).expect("ended");
    assert_form("consent-asked", &asked.json);
    assert_eq!((asked.exit(), &asked.json["messages"]), (Exit::GateRefused, &2.into()), "{}", asked.text);
    let counts: BTreeMap<&str, u64> =
        [("asked", 3), ("asked before", 1), ("the provider informs", 1), ("not known", 1), ("lapsed", 1), ("nothing to ask", 1)].into();
    assert_eq!(asked.json["asked"], serde_json::to_value(counts).expect("JSON"));
    assert_eq!((&asked.json["blocked"][0]["order"], &asked.json["blocked"][0]["tld"]), (&"O-6".into(), &"nz".into()));

    let all = messages(&world);
    assert_eq!(all.len(), 2);
    for one in &all {
        assert_form("consent-message", one);
    }
    let (to_a, to_b) = (of(&all, a), of(&all, b));
    assert_eq!(
        (&to_a["orders"], &to_a["language"], &to_a["language_by"]),
        (&serde_json::json!(["O-1", "O-2"]), &"en".into(), &"brand".into())
    );
    assert_eq!((&to_b["language"], &to_b["language_by"]), (&"de".into(), &"without_region".into()));
    let body = to_a["body"].as_str().expect("a text");
    let link = format!("https://own.example/c/{}", to_a["message"].as_str().expect("an id"));
    for part in [&*a.name, "Own Names", "2026-11-30", "your telephone number", &link] {
        assert!(body.contains(part), "{part}: {body}");
    }
    assert_eq!(body.contains("your fax number"), !a.fax.is_empty());
    for path in outbox(&world).keys() {
        assert_eq!(std::fs::metadata(path).expect("a file").permissions().mode() & 0o777, 0o600);
    }

    // What was asked for is not asked for again, and nothing is written.
    let before = outbox(&world);
    let again = consent_ask(&loaded, &at("2026-11-21T12:30:00Z")).expect("ended");
    assert_eq!((&again.json["messages"], &again.json["file"], &again.json["waiting"]), (&0.into(), &Value::Null, &2.into()));
    assert_eq!(outbox(&world), before);

    // One message went where it should, and one did not.
    let id = |message: &Value| message["message"].as_str().expect("an id").to_owned();
    let rows = format!(
        "message,sent_at,source_message_id,to\n{},2026-11-20T13:00:00Z,<1@own.example>,{}\n{},2026-11-20T13:00:00Z,,eve@example.org\n",
        id(to_a),
        a.email.to_uppercase(),
        id(to_b)
    );
    let file = world.data().join("sent.csv");
    write_atomic(&file, rows.as_bytes()).expect("written");
    let sent = consent_sent(&loaded, &at("2026-11-20T14:00:00Z"), std::slice::from_ref(&file)).expect("ended");
    assert_form("consent-sent", &sent.json);
    assert_eq!((sent.exit(), &sent.json["sent"], &sent.json["requested"]), (Exit::Findings, &2.into(), &1.into()), "{}", sent.text);
    assert_eq!((&sent.json["elsewhere"], &sent.json["again"]), (&serde_json::json!([id(to_b)]), &serde_json::json!([])));
    assert_eq!(messages(&world).iter().map(id).collect::<Vec<_>>(), [id(to_b)], "what was sent does not stay in the outbox");
    let known = consent_sent(&loaded, &at("2026-11-20T14:00:00Z"), std::slice::from_ref(&file)).expect("ended");
    assert_eq!((known.exit(), &known.json["known"], &known.json["requested"]), (Exit::Done, &2.into(), &0.into()));
    // A second time is told.
    write_atomic(&file, format!("message,sent_at\n{},2026-11-20T15:00:00Z\n", id(to_a)).as_bytes()).expect("written");
    let twice = consent_sent(&loaded, &at("2026-11-20T16:00:00Z"), &[file]).expect("ended");
    assert_eq!((twice.exit(), &twice.json["again"]), (Exit::Findings, &serde_json::json!([id(to_a)])));
    // Nobody told whom that one went to.
    assert_eq!((&sent.json["untold"], &twice.json["untold"]), (&0.into(), &1.into()));
    let (code, shown, _) = world.run(&["consent", "show", "--registry", THICK, "--handle", &a.handle]);
    assert_eq!((code, &shown["who"][0]["groups"][0]["standing"]["state"]), (0, &"requested".into()), "{shown}");
    let group = &shown["who"][0]["groups"][0];
    assert_eq!((&group["withdraw"], &group["last_sent"]), (&"api".into(), &"2026-11-20T15:00:00Z".into()), "{shown}");
    assert_eq!(shown["who"][0]["groups"][0]["group"], to_a["groups"].as_object().expect("groups").keys().next().expect("one").as_str());

    // Nothing of a person stands anywhere but in the outbox, the records and what the registries themselves keep.
    let (code, _, told) = world.run(&["consent", "ask", "--log", "json"]);
    assert_eq!(code, 20, "{told}");
    let mut files = Vec::new();
    below(&world.data(), &mut files);
    let meant = ["records", "state/records", "state/outbox", "states", "truth"].map(|name| world.data().join(name));
    let mut looked = 0;
    for path in files.into_iter().filter(|path| !meant.iter().any(|dir| path.starts_with(dir))) {
        let bytes = std::fs::read(&path).expect("a file").to_ascii_lowercase();
        looked += 1;
        for clear in [a, b].into_iter().flat_map(|one| [&one.name, &one.email]).map(|text| text.to_ascii_lowercase()) {
            assert!(!bytes.windows(clear.len()).any(|there| there == clear.as_bytes()), "a person stands in {}", path.display());
        }
    }
    assert!(looked > 2, "{looked} files");
    for talk in [&told, &asked.text, &sent.text, &asked.json.to_string(), &sent.json.to_string()] {
        assert!([a, b].iter().all(|one| !talk.contains(&one.name) && !talk.contains(&one.email)), "{talk}");
    }
}

#[test]
fn a_subject_that_was_erased_does_not_stay_in_the_outbox() {
    let (world, _served) = world(PACK);
    let people = contacts(&world);
    let [a, b, ..] = people.as_slice() else { panic!("{} people", people.len()) };
    let both =
        [("O-1", &*a.handle, "de", "2026-11-20T12:00:00Z", "open", ""), ("O-2", &*b.handle, "de", "2026-11-20T12:00:00Z", "open", "")];
    orders(&world, &both);
    let loaded = world.load();
    consent_ask(&loaded, &at("2026-11-20T12:30:00Z")).expect("ended");
    let all = messages(&world);
    let subject = of(&all, a)["subject"].as_str().expect("an id").to_owned();
    let mut store = privet::store::SqliteStore::open(&privet::job::store_path(&world.data().join("state"))).expect("a store");
    let mut ledger = privet::compliance::Ledger::open(&mut store).expect("a ledger");
    assert!(ledger.erase(privet::compliance::Subject::read(&subject).expect("an id")).expect("erased"));
    drop(store);
    orders(&world, &both[1..]);
    let again = consent_ask(&loaded, &at("2026-11-20T12:40:00Z")).expect("ended");
    assert_eq!((&again.json["removed"], &again.json["messages"]), (&1.into(), &0.into()), "{}", again.text);
    assert_eq!(messages(&world).iter().map(|one| one["to"].clone()).collect::<Vec<_>>(), [Value::from(b.email.as_str())]);
}

/// What a verb says of a bad file, without the directory it is in.
fn told(world: &World, args: &[&str]) -> (i32, String) {
    let (code, _, said) = world.run(args);
    // The world's own limits are told each time.
    let lines = said.lines().filter(|line| !line.starts_with("warning: E-config-012"));
    (code, lines.map(|line| line.replace(&world.data().display().to_string(), "DATA") + "\n").collect())
}

#[test]
fn what_is_wrong_with_orders_is_told_row_by_row() {
    let (world, _served) = world(PACK);
    let header = "order,registry,tld,handle,kind,ordered_at,provider,state,brand,language\n";
    let good = |n: u32| format!("O-{n},{THICK},de,H-1,registration,2026-11-20T12:00:00Z,p,open,own,de\n");
    let mut text = header.to_owned() + &good(1) + &good(1);
    for (from, to) in [
        ("O-1", ""),
        ("O-1", "O 1"),
        (THICK, "nowhere"),
        (",de,", ",-de-,"),
        ("H-1", ""),
        ("H-1", "two words"),
        ("registration", "renewal"),
        ("2026-11-20T12:00:00Z", "2026-11-20 12:00"),
        ("2026-11-20T12:00:00Z", "20/11/26"),
        ("2026-11-20T12:00:00Z", "0001-01-01T00:00:00Z"),
        (",open,", ",waiting,"),
        (",own,", ",Own Names,"),
        (",p,", ",other provider,"),
        ("registration", "update"),
    ] {
        text.push_str(&good(1).replacen(from, to, 1));
    }
    text.push_str("O-3,short\n");
    let file = world.data().join("records/orders.csv");
    write_atomic(&file, text.as_bytes()).expect("written");
    let (code, said) = told(&world, &["consent", "ask"]);
    assert_eq!(code, 32, "{said}");
    insta::assert_snapshot!("orders_row_by_row", said);
    let mut whole = String::new();
    for text in [
        header.replace("tld", "zone") + &good(1),
        header.replace("order,", "order,order,") + &good(1),
        header.replace(',', ";"),
        String::new(),
        header.to_owned() + "O-1,\u{e4}\n",
    ] {
        // The last one as Latin-1, which is no UTF-8.
        let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
        write_atomic(&file, &bytes).expect("written");
        let (code, said) = told(&world, &["consent", "ask"]);
        assert!(code == 32 || code == 20, "{code} {said}");
        whole.push_str(&said);
    }
    insta::assert_snapshot!("orders_as_a_whole", whole);
    assert!(outbox(&world).is_empty());
}

#[test]
fn what_is_wrong_with_what_was_sent_is_told_and_nothing_is_taken() {
    let (world, _served) = world(PACK);
    let people = contacts(&world);
    orders(&world, &[("O-1", &people[0].handle, "de", "2026-11-20T12:00:00Z", "open", "")]);
    let loaded = world.load();
    consent_ask(&loaded, &at("2026-11-20T12:30:00Z")).expect("ended");
    let id = messages(&world)[0]["message"].as_str().expect("an id").to_owned();
    let good = format!("{id},2026-11-20T13:00:00Z,<1@own.example>,\n");
    let mut text = "message,sent_at,source_message_id,to\n".to_owned() + &good;
    for (from, to) in [
        (&*id, "m-00000000000000000000000000000000"),
        (&*id, ""),
        ("2026-11-20T13:00:00Z", "20/11/26"),
        ("2026-11-20T13:00:00Z", "2026-11-20T13:00:00"),
        ("2026-11-20T13:00:00Z", "2026-11-20T12:29:59Z"),
        ("2026-11-20T13:00:00Z", "2126-11-20T13:00:00Z"),
        ("<1@own.example>", "\"<1@own\n.example>\""),
    ] {
        text.push_str(&good.replacen(from, to, 1));
    }
    text.push_str("short\n");
    let file = world.data().join("sent.csv");
    write_atomic(&file, text.as_bytes()).expect("written");
    let (code, said) = told(&world, &["consent", "sent", &file.display().to_string()]);
    assert_eq!(code, 32, "{said}");
    insta::assert_snapshot!("sent_row_by_row", said.replace(&id, "MESSAGE"));
    let (_, shown, _) = world.run(&["consent", "show"]);
    assert!(shown["totals"].as_array().expect("totals").is_empty(), "nothing was taken: {shown}");
    assert_eq!(messages(&world).len(), 1);
}

#[test]
fn what_is_wrong_with_words_and_packs_is_told_before_anything_is_made() {
    let (world, _served) = world(PACK);
    let people = contacts(&world);
    orders(&world, &[("O-1", &people[0].handle, "de", "2026-11-20T12:00:00Z", "open", "")]);
    let config = std::fs::read_to_string(world.config()).expect("a configuration");
    let template = world.data().join("own.txt");
    let good = "template: own\nversion: 1\nsubject: {{ brand }}\n\nDear {{ name }}\n";
    let mut all = String::new();
    let mut with = |change: &dyn Fn(&str) -> String, words: &str| {
        let changed = change(&config);
        assert!(changed != config || words != good);
        write_atomic(&world.config(), changed.as_bytes()).expect("written");
        write_atomic(&template, words.as_bytes()).expect("written");
        let (code, said) = told(&world, &["consent", "ask"]);
        assert!(code == 2 || code == 32, "{code} {said}");
        all.push_str(&said);
    };
    let own = |text: &str| format!("{text}templates = {{ en = \"own.txt\" }}\n");
    with(&own, &good.replace("{{ name }}", "{{ surname }}"));
    with(&own, &good.replace("version: 1\n", ""));
    with(&own, &good.replace("Dear {{ name }}\n", ""));
    with(&|text| format!("{text}templates = {{ de = \"own.txt\" }}\n"), good);
    with(&|text| format!("{text}templates = {{ English = \"own.txt\" }}\n"), good);
    with(&|text| format!("{text}language = \"English\"\n"), good);
    with(&|text| text.replace("https://own.example", "http://own.example"), good);
    with(&|text| text.replace("= \"p\" }", "= \"q\" }"), good);
    with(&|text| text.replace("[consent]\n", "[consent]\nzone = \"Europe/Bonn\"\n"), good);
    with(&|text| text.replace("[messages.own]", "[messages.\"own names\"]"), good);
    with(&|text| text.replace("[messages.own]", "[messages.other]\n[messages.own]"), good);
    with(&|text| text.split("[messages.own]").next().expect("a part").to_owned(), good);
    insta::assert_snapshot!("words_and_packs", all);
    assert!(outbox(&world).is_empty());
}

fn folder(ended: &Ended) -> PathBuf {
    PathBuf::from(ended.json["reports"].as_str().expect("a folder"))
}

/// The rows of a table in some columns.
fn rows(path: &Path, columns: &[&str]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let header = reader.headers().expect("a header").clone();
    let at: Vec<usize> = columns.iter().map(|c| header.iter().position(|h| h == *c).expect("the column")).collect();
    reader.records().map(|row| row.expect("a row")).map(|row| at.iter().map(|at| row[*at].to_owned()).collect()).collect()
}

#[test]
fn what_is_given_without_consent_is_found_and_nothing_else() {
    let placeholder = |value: &str| {
        PACK.to_owned()
            + &format!(
                "[[placeholder]]\ntld = \"*\"\nelement = \"voice\"\nvalue = \"{value}\"\nsource = \"a\"\nconfidence = \"guess\"\nfrom = \"2018-05-25\"\n"
            )
    };
    let (world, _served) = world(PACK);
    assert_eq!(pull(&world.load(), &context(&[])).expect("ended").exit(), Exit::Done);
    // The registrants of the local records that the registry has, each with the telephone and fax numbers that it has there.
    let snapshot = world.newest(THICK).expect("a snapshot");
    let mut there: BTreeMap<String, (String, String)> = BTreeMap::new();
    for bucket in 0..snapshot.buckets() {
        for seen in snapshot.rows(privet::model::ObjectKind::Contact, bucket).expect("a bucket") {
            use privet::dataset::ContactField as F;
            let value = |field: F| seen.row.get(field.at()).unwrap_or_default().to_owned();
            if seen.state == privet::dataset::State::Ok {
                there.insert(seen.row.id().to_owned(), (value(F::Voice), value(F::Fax)));
            }
        }
    }
    let mut domains = csv::Reader::from_path(world.data().join("records/domains.csv")).expect("a table");
    let header = domains.headers().expect("a header").clone();
    let column = |name: &str| header.iter().position(|known| known == name).expect("the column");
    let registrants: BTreeSet<String> = domains
        .records()
        .map(|row| row.expect("a row"))
        .filter(|row| &row[column("registry")] == THICK)
        .map(|row| row[column("registrant")].to_owned())
        .collect();
    let mut local = csv::Reader::from_path(world.data().join("records/contacts.csv")).expect("a table");
    let own = local.headers().expect("a header").clone();
    let at_own = |name: &str| own.iter().position(|known| known == name).expect("the column");
    let known: BTreeSet<String> = local
        .records()
        .map(|row| row.expect("a row"))
        .filter(|row| &row[at_own("registry")] == THICK)
        .map(|row| row[at_own("id")].to_owned())
        .collect();
    let people: Vec<Contact> = contacts(&world)
        .into_iter()
        .filter(|one| {
            registrants.contains(&one.handle) && there.get(&one.handle).is_some_and(|(voice, fax)| !voice.is_empty() && fax.is_empty())
        })
        .filter(|one| one.fax.is_empty())
        .collect();
    assert!(people.len() >= 13, "{} people", people.len());
    let stale = &people[12];
    write_atomic(&world.data().join("basis.toml"), placeholder(&there[&stale.handle].0).as_bytes()).expect("written");
    assert_eq!(stale.voice, there[&stale.handle].0);

    // Who was asked, and what was said: five gave it, five refused, one took it back, one gave it for nothing but a placeholder.
    let mut events = "handle,registry,purpose,provider,group,event,at,method,by,notice\n".to_owned();
    let mut say = |who: &Contact, event: &str, at: &str, proof: bool| {
        let (method, notice) = if proof { ("page", "n-1") } else { ("", "") };
        let by = if event == "requested" { "registrar" } else { "registrant" };
        events.push_str(&format!("{},{THICK},provider-data,p,,{event},{at},{method},{by},{notice}\n", who.handle));
    };
    for one in &people[..5] {
        say(one, "given", "2026-10-02T12:00:00Z", true);
    }
    for one in &people[5..10] {
        say(one, "refused", "2026-10-02T12:00:00Z", true);
    }
    say(&people[10], "given", "2026-06-01T12:00:00Z", true);
    say(&people[10], "withdrawn", "2026-09-01T12:00:00Z", true);
    say(stale, "given", "2026-10-02T12:00:00Z", false);
    let file = world.data().join("answers.csv");
    write_atomic(&file, events.as_bytes()).expect("written");
    let loaded = world.load();
    orders(
        &world,
        &[
            ("O-1", &people[11].handle, "it", "2026-11-01T12:00:00Z", "open", ""),
            ("O-2", &people[11].handle, "nz", "2026-11-01T12:00:00Z", "open", ""),
            ("O-3", &people[11].handle, "it", "2026-10-01T12:00:00Z", "done", ""),
        ],
    );
    let taken = consent_import(&loaded, &at("2026-11-20T12:00:00Z"), &[file], false).expect("ended");
    assert_eq!(taken.exit(), Exit::Done, "{}", taken.text);

    let ended = report_consent(&loaded, &at("2026-11-21T02:00:00Z")).expect("ended");
    assert_form("consent-report", &ended.json);
    assert_eq!(ended.exit(), Exit::Findings, "{}", ended.text);
    let found = rows(&folder(&ended).join("consent-findings.csv"), &["rule", "object", "id"]);
    let of = |rule: &str| found.iter().filter(|row| row[0] == rule).map(|row| row[2].clone()).collect::<BTreeSet<_>>();
    let given: BTreeSet<&str> = people[..5].iter().map(|one| &*one.handle).collect();
    let number = &there[&stale.handle].0;
    let wanted: BTreeSet<String> = known
        .iter()
        .filter(|handle| registrants.contains(*handle) && !given.contains(handle.as_str()))
        .filter(|handle| there.get(*handle).is_some_and(|(voice, fax)| !fax.is_empty() || (!voice.is_empty() && voice != number)))
        .cloned()
        .collect();
    let withdrawn = BTreeSet::from([people[10].handle.clone()]);
    assert_eq!(of("R-asking-002"), wanted.difference(&withdrawn).cloned().collect());
    assert_eq!((of("R-asking-003"), of("R-asking-005")), (withdrawn.clone(), withdrawn));
    assert!(of("R-asking-004").contains(&stale.handle) && of("R-asking-004").len() == 1, "{:?}", of("R-asking-004"));
    assert_eq!((of("R-asking-006"), of("R-asking-012")), (BTreeSet::from(["O-1".to_owned()]), BTreeSet::from(["O-2".to_owned()])));
    assert_eq!(of("R-asking-010").len(), 1, "one consent has no proof");
    let duties = rows(&folder(&ended).join("consent-orders.csv"), &["order", "duty"]);
    assert_eq!(duties, [["O-3", "yours"], ["O-1", "yours"], ["O-2", "not known"]]);
    assert_eq!(of("R-asking-014"), BTreeSet::from(["O-3".to_owned()]), "it was carried out, and nobody consented");
    assert!(of("R-asking-001").is_empty() && of("R-asking-007").is_empty() && of("R-asking-008").is_empty());
    assert_eq!((&ended.json["oldest_withdrawal_days"], &ended.json["erasures"]), (&80.into(), &1.into()));
    let erasure = rows(&folder(&ended).join("consent-erasure.csv"), &["order", "handle", "waited_until"]);
    assert_eq!(erasure, [["O-1", &people[11].handle, "2026-11-11"]]);
    for name in ["consent.html", "consent.xlsx", "consent-funnel.parquet", "consent-orders.json", "proof.json"] {
        assert!(folder(&ended).join(name).exists(), "{name}");
    }
}

#[test]
fn what_came_of_asking_is_counted_and_few_are_not_told() {
    let (world, _served) = world(PACK);
    let people = contacts(&world);
    let mut rows_of = Vec::new();
    for (n, one) in people.iter().take(15).enumerate() {
        rows_of.push((format!("O-{n}"), one.handle.clone()));
    }
    let all: Vec<(&str, &str, &str, &str, &str, &str)> =
        rows_of.iter().map(|(order, handle)| (&**order, &**handle, "de", "2026-11-01T12:00:00Z", "open", "")).collect();
    orders(&world, &all);
    let loaded = world.load();
    assert_eq!(consent_ask(&loaded, &at("2026-11-01T13:00:00Z")).expect("ended").json["messages"], 15);
    let made = messages(&world);
    let mut sent = "message,sent_at\n".to_owned();
    let mut answers = "subject,purpose,provider,group,event,at,method,by,notice\n".to_owned();
    for (n, message) in made.iter().enumerate() {
        let (id, subject) = (message["message"].as_str().expect("an id"), message["subject"].as_str().expect("an id"));
        let group = message["groups"].as_object().expect("groups").keys().next().expect("one");
        sent.push_str(&format!("{id},2026-11-01T14:00:00Z\n"));
        let event = match n {
            0..5 => "given",
            5..10 => "refused",
            _ => continue,
        };
        answers.push_str(&format!("{subject},provider-data,p,{group},{event},2026-11-03T14:00:00Z,page,registrant,n-1\n"));
    }
    let [sent_file, answers_file] = ["sent.csv", "answers.csv"].map(|name| world.data().join(name));
    write_atomic(&sent_file, sent.as_bytes()).expect("written");
    write_atomic(&answers_file, answers.as_bytes()).expect("written");
    assert_eq!(consent_sent(&loaded, &at("2026-11-02T00:00:00Z"), &[sent_file]).expect("ended").exit(), Exit::Done);
    assert!(outbox(&world).is_empty(), "what was sent is gone from the outbox");
    assert_eq!(consent_import(&loaded, &at("2026-11-04T00:00:00Z"), &[answers_file], false).expect("ended").exit(), Exit::Done);
    let ended = report_consent(&loaded, &at("2026-11-05T00:00:00Z")).expect("ended");
    let told = ["asked", "answered", "given", "refused", "withdrawn", "median_hours"].map(|key| ended.json[key].as_u64());
    assert_eq!(told, [Some(15), Some(10), Some(5), Some(5), Some(0), Some(48)], "{}", ended.json);
    for name in ["consent-funnel.csv", "consent-countries.csv"] {
        let counts = rows(&folder(&ended).join(name), &["asked", "answered", "given", "refused", "withdrawn", "expired"]);
        assert!(!counts.is_empty());
        for count in counts.into_iter().flatten().filter_map(|cell| cell.parse::<u64>().ok()) {
            assert!(count == 0 || count >= 5, "{name} tells {count}");
        }
    }
    // One answer less, and the parts are not told: one person could be worked out.
    let subject = made[10]["subject"].as_str().expect("an id");
    let (code, _, told) = world.run(&[
        "consent",
        "add",
        "--subject",
        subject,
        "--event",
        "refused",
        "--purpose",
        "provider-data",
        "--provider",
        "p",
        "--at",
        "2026-11-04T14:00:00Z",
    ]);
    assert_eq!(code, 0, "{told}");
    let ended = report_consent(&loaded, &at("2026-11-05T00:00:00Z")).expect("ended");
    let told = ["asked", "answered", "given", "refused", "withdrawn"].map(|key| ended.json[key].as_u64());
    assert_eq!(told, [Some(15), None, None, None, None], "{}", ended.json);
    let page = std::fs::read_to_string(folder(&ended).join("consent.html")).expect("a page");
    assert!(people.iter().take(15).all(|one| !page.contains(&one.email) && !page.contains(&one.name)));
}

#[test]
fn what_a_report_found_is_raised_as_a_candidate_once_and_for_a_person_to_decide() {
    let (world, _served) = world(PACK);
    orders(&world, &[]);
    assert_eq!(pull(&world.load(), &context(&[])).expect("ended").exit(), Exit::Done);
    let exposed = report_exposure(&world.load(), &at("2026-11-21T02:00:00Z"), None).expect("ended");
    let from = folder(&exposed);
    let found: BTreeSet<Vec<String>> =
        rows(&from.join("findings.csv"), &["rule", "registry", "object", "id", "field"]).into_iter().collect();
    let may_be = ["R-exposure-001", "R-exposure-002", "R-exposure-006", "R-exposure-013"];
    let wanted: Vec<&Vec<String>> = found.iter().filter(|row| may_be.contains(&row[0].as_str())).collect();
    assert!(wanted.len() > 3, "{} leaks are planted", wanted.len());
    let from = from.display().to_string();
    let (code, raised, talk) = world.run(&["breach", "candidates", "--from", &from]);
    assert_form("breach-candidates", &raised);
    assert_eq!((code, &raised["raised"], &raised["known"]), (11, &wanted.len().into(), &0.into()), "{talk}");
    let (_, shown, _) = world.run(&["breach", "show"]);
    assert_eq!(shown["states"], serde_json::json!({ "candidate": wanted.len() }));
    // The name of an object may be a person's: it is sealed.
    let text = shown.to_string();
    assert!(wanted.iter().all(|row| !text.contains(&row[3])));
    let case = shown["cases"][0]["case"].as_str().expect("a case").to_owned();
    let (_, one, _) = world.run(&["breach", "show", "--case", &case, "--unmasked"]);
    let facts = one["texts"][0]["text"].as_str().expect("a text");
    assert!(wanted.iter().any(|row| row.iter().all(|part| facts.contains(part.as_str()))), "{facts}");

    // What somebody said is none is not raised again.
    let why = world.data().join("why.txt");
    write_atomic(&why, b"a test account of our own").expect("written");
    let why = format!("why={}", why.display());
    let (code, _, talk) = world.run(&["breach", "add", "dismissed", "--case", &case, "--set", "by=officer-1", "--text", &why]);
    assert_eq!(code, 0, "{talk}");
    let (code, again, _) = world.run(&["breach", "candidates", "--from", &from]);
    assert_eq!((code, &again["raised"], &again["known"]), (0, &0.into(), &wanted.len().into()));
    // A disclosure without a grant is one more.
    for event in [&["requested"][..], &["released", "--set", "released=email"]] {
        let (code, _, talk) = world.run(&[&["disclosure", "add", "--case", "d-1"], event].concat());
        assert_eq!(code, 0, "{talk}");
    }
    let (_, more, _) = world.run(&["breach", "candidates", "--from", &from]);
    assert_eq!(more["rules"], serde_json::json!({ "R-disclosure-001": 1 }));
    let (code, said) = told(&world, &["breach", "candidates", "--from", &world.data().join("records").display().to_string()]);
    assert!(code == 2 && said.contains("E-breach-001: DATA/records"), "{code} {said}");
}
