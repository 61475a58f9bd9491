//! Object storage: snapshots and reports in a bucket of a server that speaks S3 over TLS and holds every request against its signature
//! (`moto`, from `PyPI`), looked at by programs of others: `boto3`, and `DuckDB`, which reads the bucket itself.

#![expect(clippy::print_stdout, reason = "a skipped test says why")]

use crate::schema_files::assert_form;
use crate::served::{World, context};
use jiff::SignedDuration;
use privet::base::{Clock, Exit, Moment, SystemClock, Timestamp, create_private_dir, remove_tree, write_atomic};
use privet::job::config::Loaded;
use privet::job::{Context, Ended, archive, pull, report_erasure, report_record, run};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// The variable that names a Python with the server, its client and `DuckDB`.
const PYTHON: &str = "PRIVET_PYTHON";
/// What is asked of the server from outside.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/objects.py");

/// A server with a bucket, which ends with its test.
struct Storage {
    dir: tempfile::TempDir,
    python: String,
    process: Child,
    place: Value,
}

impl Drop for Storage {
    fn drop(&mut self) {
        // It ends with its standard input too.
        let _ended = self.process.kill();
        let _waited = self.process.wait();
    }
}

impl Storage {
    /// One; nothing, and said so, where none can be had.
    #[expect(clippy::disallowed_methods, reason = "what was installed for the tests stands in the environment")]
    fn new() -> Option<Self> {
        let Ok(python) = std::env::var(PYTHON) else {
            println!("skipped: ${PYTHON} names no Python with a server for S3 (see CONTRIBUTING.md)");
            return None;
        };
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name).display().to_string();
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("an authority");
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let names = vec!["127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).expect("a name").signed_by(&key, &authority).expect("a certificate");
        for (name, text) in [("server.pem", certificate.pem()), ("server.key", key.serialize_pem()), ("ca.pem", authority.pem())] {
            write_atomic(&dir.path().join(name), text.as_bytes()).expect("written");
        }
        let mut process = Command::new(&python)
            .args([SCRIPT, "serve", &at("server.pem"), &at("server.key"), &at("ca.pem")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a Python");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let place = serde_json::from_str(&line).expect("where it is");
        Some(Self { dir, python, process, place })
    }

    /// What the script printed.
    fn ask(&self, verb: &str, args: &[&str]) -> Value {
        let output = Command::new(&self.python).args([SCRIPT, verb, &self.place.to_string()]).args(args).output().expect("a Python");
        assert!(output.status.success(), "{verb} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// The objects below the prefix, each with its bytes; each is encrypted but for a `note` of somebody else's.
    fn objects(&self) -> BTreeMap<String, u64> {
        let told = self.ask("list", &[]);
        assert_eq!(told["unfinished"], 0, "no upload in parts is left open");
        let all = told["objects"].as_object().expect("objects");
        let ours = all.iter().filter_map(|(key, one)| Some((key.strip_prefix("nightly/")?, one)));
        ours.map(|(key, one)| {
            assert!(one["encryption"] == "AES256" || key == "note", "{key}: {one}");
            (key.to_owned(), one["bytes"].as_u64().expect("a number"))
        })
        .collect()
    }

    /// The rows of a query by `DuckDB`.
    fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        serde_json::from_value(self.ask("query", &[sql])).expect("rows of texts")
    }

    /// The table `[objects]` for it, below the configuration of `world`; `change` may alter it.
    fn configure(&self, world: &World, change: impl Fn(String) -> String) {
        let text = |key: &str| self.place[key].as_str().expect("a text");
        write_atomic(&world.data().join("objects.key"), text("key").as_bytes()).expect("written");
        let table = format!(
            "\n[objects]\nurl = \"s3://{}/nightly\"\nendpoint = \"{}\"\nkey_id = \"{}\"\nkey = {{ file = \"objects.key\" }}\nca = \"{}\"\n\
             provider = \"Example Storage\"\ncountry = \"US\"\n",
            text("bucket"),
            text("endpoint"),
            text("id"),
            self.dir.path().join("ca.pem").display(),
        );
        let own = std::fs::read_to_string(world.config()).expect("a configuration");
        let own = own.split("\n[objects]").next().unwrap_or_default();
        write_atomic(&world.config(), format!("{own}{}", change(table)).as_bytes()).expect("written");
    }
}

/// What is wrong with a table.
type Change<'a> = Box<dyn Fn(String) -> String + 'a>;

/// The keys that a machine's snapshots and reports belong under, by the layout that the operator's guide tells; each with its bytes.
fn wanted(world: &World) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    let mut walk = vec![world.data().join("state/snapshots"), world.data().join("reports")];
    while let Some(dir) = walk.pop() {
        for entry in std::fs::read_dir(&dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk.push(path);
                continue;
            }
            let bytes = path.metadata().expect("a file").len();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            if let Ok(within) = path.strip_prefix(world.data().join("state/snapshots")) {
                if let Some(table) = name.strip_suffix(".parquet") {
                    all.insert(format!("snapshots/{table}/{}", within.display()), bytes);
                }
            } else {
                let within = path.strip_prefix(world.data().join("reports")).expect("a report").display().to_string();
                let (run, _) = within.split_once('/').expect("a run's folder");
                let unit = format!("date={}-{}-{}/run={run}", &run[..4], &run[4..6], &run[6..8]);
                all.insert(format!("reports/{unit}/{name}"), bytes);
                if let Some(table) = name.strip_suffix(".parquet") {
                    all.insert(format!("tables/{table}/{unit}/{name}"), bytes);
                }
            }
        }
    }
    all
}

/// Those of `objects` that are no marks.
fn files(objects: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    objects.iter().filter(|(key, _)| !key.starts_with("_whole/")).map(|(key, bytes)| (key.clone(), *bytes)).collect()
}

#[test]
fn a_run_brings_what_it_leaves_and_others_read_it_there_as_it_is() {
    let Some(storage) = Storage::new() else { return };
    let world = World::new(150, 5);
    let _served = world.serve(&[]);
    storage.configure(&world, |table| table);
    let (code, checked, told) = world.run(&["check"]);
    assert_eq!(code, 0, "{told}");
    assert!(checked["objects"].as_str().is_some_and(|place| place.starts_with("s3://registrar/nightly at https://")), "{checked}");
    let (code, ran, told) = world.run(&["run"]);
    assert_eq!(code, 0, "{told}");
    assert_form("report/summary", &ran);
    let objects = storage.objects();
    assert_eq!(files(&objects), wanted(&world));
    // A mark for each of nine snapshots, and for the reports.
    assert_eq!(
        (objects.len() - files(&objects).len(), &ran["archived"]["snapshots"], &ran["archived"]["runs"]),
        (10, &9.into(), &1.into())
    );
    assert_eq!(ran["archived"]["put"].as_u64(), Some(files(&objects).len() as u64));

    // As the guide shows it; the figures are those of the run.
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operator.md")).expect("the guide");
    let mut queries = guide.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next());
    let (by_registry, by_severity) = (queries.next().expect("a query"), queries.next().expect("another one"));
    let place = |sql: &str| sql.replace("s3://registrar-privet/nightly", "s3://registrar/nightly");
    let told: BTreeMap<String, String> =
        storage.rows(&place(by_registry)).into_iter().map(|row| (row[1].clone(), row[2].clone())).collect();
    let own = |one: &Value| (one["id"].as_str().unwrap_or_default().to_owned(), one["domains"].to_string());
    assert_eq!(told, ran["registries"].as_array().expect("registries").iter().map(own).collect());
    let mut reader =
        csv::Reader::from_path(Path::new(ran["reports"].as_str().expect("a folder")).join("differences.csv")).expect("a table");
    let at = reader.headers().expect("heads").iter().position(|head| head == "severity").expect("the column");
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for row in reader.records() {
        *counted.entry(row.expect("a row")[at].to_owned()).or_default() += 1;
    }
    let told = storage.rows(&place(by_severity)).into_iter().map(|row| (row[1].clone(), row[2].parse().expect("a number"))).collect();
    assert_eq!(counted, told);

    // Nothing new: nothing is put. Then somebody removes an object and cuts another; and leaves one of their own.
    let (code, again, told) = world.run(&["archive"]);
    assert_eq!((code, &again["put"], &again["removed"]), (0, &0.into(), &0.into()), "{told}");
    assert_form("archived", &again);
    let keys: Vec<&String> = objects.keys().filter(|key| key.starts_with("reports/")).collect();
    storage.ask("remove", &[&format!("nightly/{}", keys[0])]);
    storage.ask("put", &[&format!("nightly/{}", keys[1]), "cut"]);
    storage.ask("put", &["nightly/note", "x"]);
    storage.ask("put", &["elsewhere/note", "x"]);
    // A file of several parts belongs to the run from now on.
    let large = Path::new(ran["reports"].as_str().expect("a folder")).join("large.bin");
    // So does one whose name is none that an address has as it is.
    write_atomic(&large.with_file_name("Gr\u{fc}\u{df}e~.txt"), b"hello").expect("written");
    let bytes: Vec<u8> = (0..20_u32 << 20).map(|n| (n / 7).to_le_bytes()[0]).collect();
    write_atomic(&large, &bytes).expect("written");
    let (code, again, told) = world.run(&["archive"]);
    assert_eq!((code, &again["put"], &again["foreign"]), (0, &4.into(), &1.into()), "{told}");
    let mut left = files(&storage.objects());
    assert_eq!(left.remove("note"), Some(1));
    assert_eq!(left, wanted(&world));
    let (code, again, told) = world.run(&["archive"]);
    assert_eq!((code, &again["put"], &again["removed"]), (0, &0.into(), &0.into()), "{told}");
    let key = storage.objects().into_keys().find(|key| key.ends_with("large.bin")).expect("the large one");
    let there = storage.rows(&format!("SELECT md5(content) FROM read_blob('s3://registrar/nightly/{key}')"));
    let here = storage.rows(&format!("SELECT md5(content) FROM read_blob('{}')", large.display()));
    assert_eq!(there, here);
}

#[test]
fn a_place_that_does_not_serve_is_told_with_what_to_do_and_costs_no_more_than_itself() {
    let Some(storage) = Storage::new() else { return };
    let world = World::new(40, 6);
    let _served = world.serve(&[]);
    let endpoint = storage.place["endpoint"].as_str().expect("a text").to_owned();
    let ca = format!("ca = \"{}\"\n", storage.dir.path().join("ca.pem").display());
    let cases: [(&str, Change<'_>); 4] = [
        ("E-objects-003", Box::new(|table| table.replace("key_id = \"", "key_id = \"X"))),
        ("E-objects-003", Box::new(|table| table.replace("s3://registrar/", "s3://somebody/"))),
        ("E-objects-002", Box::new(|table| table.replace(&endpoint, "https://127.0.0.1:1"))),
        ("E-objects-002", Box::new(|table| table.replace(&ca, ""))),
    ];
    for (id, change) in cases {
        storage.configure(&world, change);
        let (code, _, told) = world.run(&["archive"]);
        assert_eq!(code, 60, "{told}");
        assert!(told.contains(id), "{id} in {told}");
        let key = storage.place["key"].as_str().expect("a text");
        assert!(!told.contains(key), "no secret is told");
    }
    // The night is whole without it.
    let (code, ran, told) = world.run(&["run"]);
    assert!(code == 60 && told.contains("E-objects-002") && ran["archived"].is_null(), "{code} {told}");
    assert!(ran["registries"].as_array().is_some_and(|all| all.iter().all(|one| one["whole"] == true)), "{ran}");
    assert_eq!(storage.objects(), BTreeMap::new());
}

/// A clock so many days ahead, which stands.
struct Ahead(SystemClock, Timestamp);

impl Clock for Ahead {
    fn moment(&self) -> Moment {
        self.0.moment()
    }

    fn wall(&self) -> Timestamp {
        self.1
    }
}

fn days_ahead(days: i64) -> Context {
    let real = SystemClock::new();
    let wall = real.wall() + SignedDuration::from_hours(24 * days);
    Context { clock: Arc::new(Ahead(real, wall)), ..context(&["nz"]) }
}

#[test]
fn copies_go_when_their_originals_must_and_the_officer_is_told_of_them() {
    let Some(storage) = Storage::new() else { return };
    let world = World::new(120, 7);
    let _served = world.serve(&[]);
    storage.configure(&world, |table| table);
    let loaded: Loaded = world.load();
    let of = |objects: &BTreeMap<String, u64>, start: &str| objects.keys().filter(|key| key.starts_with(start)).count();
    let done = |ended: Ended| assert!(matches!(ended.exit(), Exit::Done | Exit::ChangesPending), "{}", ended.text);
    done(run(&loaded, &days_ahead(0)).expect("ended"));
    let first = storage.objects();
    assert!(of(&first, "snapshots/") > 0 && of(&first, "tables/differences/") == 1);

    let told = report_erasure(&loaded, &days_ahead(0)).expect("ended");
    let stores = std::fs::read_to_string(Path::new(told.json["reports"].as_str().expect("a folder")).join("erasure-stores.csv"));
    let stores = stores.expect("the table");
    let copies: Vec<&str> = stores.lines().filter(|line| line.starts_with("copies of ")).collect();
    assert!(copies.len() == 2 && copies.iter().all(|row| row.contains("Example Storage runs in US")), "{stores}");
    let told = report_record(&loaded, &days_ahead(0)).expect("ended");
    let dir = Path::new(told.json["reports"].as_str().expect("a folder")).to_owned();
    let page = std::fs::read_to_string(dir.join("record.html")).expect("the page");
    assert!(page.contains("copies of snapshots and reports: s3://registrar/nightly at"), "the place stands in the record");
    let findings = std::fs::read_to_string(dir.join("record-findings.csv")).expect("the findings");
    assert!(findings.lines().any(|row| row.contains("R-record-006") && row.contains("Example Storage")), "no contract: {findings}");

    // Where the configuration names another place, nobody deletes at this one, and that is told.
    let own = std::fs::read_to_string(world.config()).expect("a configuration");
    write_atomic(&world.config(), own.replace("/nightly\"", "/daily\"").as_bytes()).expect("written");
    let told = report_erasure(&world.load(), &days_ahead(0)).expect("ended");
    let stores = std::fs::read_to_string(Path::new(told.json["reports"].as_str().expect("a folder")).join("erasure-stores.csv"));
    let stores = stores.expect("the table");
    assert_eq!(stores.lines().filter(|line| line.contains("delete them by hand")).count(), 2, "{stores}");
    write_atomic(&world.config(), own.as_bytes()).expect("written");

    // The 35 days of the built-in rules are over: here the snapshot and the table with values go, and with them their copies.
    done(run(&loaded, &days_ahead(36)).expect("ended"));
    let later = storage.objects();
    let gone: BTreeSet<&String> = first.keys().filter(|key| !later.contains_key(*key)).collect();
    assert!(gone.iter().filter(|key| key.starts_with("snapshots/")).count() == of(&first, "snapshots/"), "{gone:?}");
    assert!(gone.iter().any(|key| key.starts_with("tables/differences/")) && of(&later, "tables/differences/") == 1, "{gone:?}");
    assert_eq!(files(&later), wanted(&world));

    // A machine that lost all it had takes nothing away until it is due.
    for lost in ["state/snapshots", "reports"] {
        remove_tree(&world.data().join(lost)).expect("removed");
        create_private_dir(&world.data().join(lost)).expect("made");
    }
    assert_eq!(archive(&loaded, &days_ahead(36)).expect("ended").json["removed"], 0);
    assert_eq!(storage.objects(), later);
    let told = archive(&loaded, &days_ahead(36 + 36)).expect("ended");
    let left = storage.objects();
    assert_eq!((of(&left, "snapshots/"), of(&left, "tables/differences/"), &told.json["snapshots"]), (0, 0, &0.into()));
    assert!(of(&left, "reports/") > 0, "reports are kept for three years");
    // What it knows since, it brings as before.
    done(pull(&loaded, &days_ahead(72)).expect("ended"));
    archive(&loaded, &days_ahead(72)).expect("ended");
    let all = storage.objects();
    assert!(wanted(&world).iter().all(|(key, bytes)| all.get(key) == Some(bytes)), "{all:?}");
}
