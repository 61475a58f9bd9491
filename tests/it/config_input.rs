//! Bad configurations, row by row: what, where, why and what to do, and never a secret.

use privet::base::Problems;
use privet::job::config::{Config, Loaded, SecretSource, TEMPLATE};
use privet::transport::{TlsFiles, TlsSetup};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// One registry that can be used, to be spoilt.
const GOOD: &str = r#"version = 1
[registries.thick]
profile = "gtld-thick"
host = "127.0.0.1"
port = 7701
server_name = "epp.example"
client_id = "registrar-1"
password = { file = "password" }
certificate = "client.pem"
key = "client.key"
ca = "ca.pem"
"#;

fn read(text: impl AsRef<[u8]>) -> Result<Loaded, Problems> {
    Config::read(Path::new("privet.toml"), text.as_ref(), &[], &|_| None)
}

/// The faults of `text`, one a line.
fn faults(text: impl AsRef<[u8]>) -> String {
    read(text).map(|_| ()).expect_err("it is bad").to_string()
}

/// As [`faults`], of [`GOOD`] with `from` changed to `to`.
fn spoilt(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "there is `{from}`");
    faults(GOOD.replace(from, to))
}

#[test]
fn the_template_reads_and_the_defaults_are_its_own() {
    let loaded = read(TEMPLATE).expect("the template reads");
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let good = read(GOOD).expect("it reads").config;
    let (mine, theirs) = (&good.registries[&"thick".into()], &loaded.config.registries[&"example".into()]);
    assert_eq!((mine.share.to_bits(), mine.poll, good.gates), (theirs.share.to_bits(), theirs.poll, loaded.config.gates));
    assert_eq!((good.state, good.reports), (PathBuf::from("state"), PathBuf::from("reports")));
    assert!(good.records.contacts.is_none(), "examples are no defaults");
}

#[test]
fn a_template_with_every_comment_taken_off_reads() {
    let mut live = String::new();
    for line in TEMPLATE.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let setting =
            bare.starts_with('[') || bare.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_alphanumeric() || c == '_'));
        live.push_str(if setting && !bare.starts_with("pin") { bare } else { "" });
        live.push('\n');
    }
    let config = read(live).expect("it reads").config;
    assert_eq!(config.privacy.map(|p| p.email_domain.to_string()), Some("relay.example".to_owned()));
    assert_eq!(config.registries[&"example".into()].profile.limits.sessions.value, 4);
    assert_eq!(config.records.contacts.map(|c| c.columns.len()), Some(1));
    assert_eq!(config.records.rdap, [PathBuf::from("records/rdap.ndjson")]);
    assert_eq!(config.records.postgres.map(|queried| queried.time), Some(std::time::Duration::from_mins(30)));
}

#[test]
fn a_table_is_a_query_or_files_and_a_query_has_a_database() {
    let database = "[records.postgres]\naddress = \"postgresql://reader@%2Frun/shop\"\n";
    let table = |lines: &str, rest: &str| format!("{GOOD}[records.orders]\n{lines}\n{rest}");
    let records = read(table("query = '''\nSELECT 1;\n'''\ncolumns = { order = \"n\" }", database)).expect("it reads").config.records;
    let source = records.orders.expect("a table");
    assert_eq!(source.query.map(|query| query.sql).as_deref(), Some("SELECT 1;\n"));
    assert_eq!(source.setting.as_deref(), Some("records.orders.query"));
    let told = [
        table("query = \"TABLE orders\"", ""),
        table("query = \"TABLE orders\"\nfiles = [\"a.csv\"]", database),
        table("query = \"TABLE orders\"\ndelimiter = \";\"", database),
        table("query = [\"TABLE orders\"]", database),
        table("files = [\"a.csv\"]", "[records.escrow]\ndir = \"escrow\"\n[records.domains]\nfiles = [\"d.csv\"]\n"),
        table("files = [\"a.csv\"]", "[records.postgres]\naddress = \"postgresql://reader:secret@%2Frun/shop\"\ntimeout_seconds = 0\n"),
        table("files = [\"a.csv\"]", "[records.postgres]\npassword = \"secret\"\naddress = \"postgresql://reader@db.example/shop\"\n"),
    ];
    insta::assert_snapshot!(told.map(faults).join("\n"));
}

#[test]
fn answers_of_rdap_are_named_by_files_of_ndjson_alone() {
    let table = |lines: &str| format!("{GOOD}[records.rdap]\n{lines}\n");
    let good = read(table("files = [\"a.ndjson\", \"/b.jsonl\"]")).expect("it reads").config;
    assert_eq!(good.records.rdap, [PathBuf::from("a.ndjson"), PathBuf::from("/b.jsonl")]);
    assert!(read(GOOD).expect("it reads").config.records.rdap.is_empty());
    let told = ["", "files = []", "files = [\"a.ndjson\", \"b.csv\"]", "files = [\"a.ndjson\"]\ndelimiter = \",\"\ncolumns = {}"];
    insta::assert_snapshot!(told.map(|lines| faults(table(lines))).join("\n"));
}

#[test]
fn a_proof_has_a_name_and_a_key_that_stands_elsewhere() {
    let table = |lines: &str| format!("{GOOD}[proof]\n{lines}\n");
    let usual = read(GOOD).expect("it reads").config.proof;
    assert!(usual.origin == "privet/runs" && usual.key.is_none());
    let own = read(table("origin = \"registrar.example/proof\"\nkey = { file = \"proof.pem\" }")).expect("it reads").config.proof;
    assert_eq!(own.origin, "registrar.example/proof");
    assert!(matches!(own.key, Some(SecretSource::File(path)) if path == Path::new("proof.pem")));
    let told = [
        "origin = \"a b\"",
        "origin = \"a+b\"",
        "origin = 3",
        "key = \"MC4CAQ\"",
        "key = {}",
        "key = { file = \"a\", credential = \"b\" }",
        "key = { env = \"KEY\" }",
        "key = { credential = \"../x\" }",
        "keys = []",
    ];
    let told = told.map(|lines| faults(table(lines))).join("\n");
    assert!(!told.contains("MC4CAQ"), "{told}");
    insta::assert_snapshot!(told);
}

#[test]
fn row_01_unknown_key() {
    let text = format!("time_out = 3\n{GOOD}reply_second = 3\n[gates]\nmin_row_share = 0.1\n[registries.thick.limits]\nreply_second = 3\n");
    insta::assert_snapshot!(faults(text));
}

#[test]
fn row_02_duplicate_key_and_table() {
    insta::assert_snapshot!(faults(format!("{GOOD}host = \"b\"\n[gates]\n[records.contacts]\nfiles = [\"a.csv\"]\n[ gates ] # again\n")));
}

#[test]
fn row_03_wrong_type_and_range() {
    let limits = "[registries.thick.limits]\nsessions = 0\nreply_seconds = 1000000000\nread_window = -1\nidle_seconds = \"long\"\n\
                  rate = { commands = 1.5, seconds = 10 }\n";
    let text = GOOD.replace("7701", "77010").replace("version = 1", "version = 2\nstate = 7\ngates = 3");
    insta::assert_snapshot!(faults(format!("{text}share = 1.5\npoll = \"on\"\npin = \"abc\"\n{limits}")));
}

#[test]
fn row_04_registry_twice_empty_or_a_path() {
    let text = format!("{GOOD}[registries.\"\"]\n[registries.\"../x\"]\n[registries.Upper]\n[registries.thick]\nhost = \"b\"\n");
    let told = faults(text);
    insta::assert_snapshot!(told.lines().filter(|l| l.contains("E-config-004")).collect::<Vec<_>>().join("\n"));
}

#[test]
fn row_05_secret_inline() {
    let marker = "hunter2-hunter2";
    let mut told = spoilt("{ file = \"password\" }", &format!("\"{marker}\""));
    told += "\n";
    told += &spoilt("{ file = \"password\" }", &format!("{{ value = \"{marker}\", secret = \"{marker}\" }}"));
    told += "\n";
    told += &faults(format!("{GOOD}new_password = \"{marker}\"\nauth_info = \"{marker}\"\n"));
    told += "\n";
    told += &faults(format!("{GOOD}passphrase = \"{marker}\n"));
    assert!(!told.contains("hunter2"), "{told}");
    insta::assert_snapshot!(told);
}

#[test]
fn row_06_secret_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name);
    let make = |name: &str, bytes: &[u8], mode: u32| {
        privet::base::write_atomic(&at(name), bytes).expect("written");
        std::fs::set_permissions(at(name), Permissions::from_mode(mode)).expect("a mode");
    };
    make("good", b"correct horse", 0o400);
    make("newline", b"correct horse\r\n", 0o600);
    make("empty", b"\n", 0o600);
    make("open", b"correct horse", 0o644);
    make("lines", b"correct\nhorse\n", 0o600);
    make("latin", b"corr\xe9ct horse", 0o600);
    make("large", &[b'x'; 5000], 0o600);
    std::os::unix::fs::symlink(at("good"), at("link")).expect("a link");
    let read = |name: &str| SecretSource::File(at(name)).read();
    assert_eq!(read("good").map(|r| (r.secret.reveal().to_owned(), r.warnings.len())), Ok(("correct horse".to_owned(), 0)));
    let trimmed = read("newline").expect("it reads");
    assert_eq!(trimmed.secret.reveal(), "correct horse");
    let mut told: Vec<String> = trimmed.warnings.iter().map(ToString::to_string).collect();
    for name in ["missing", "empty", "open", "link", "lines", "latin", "large", "."] {
        told.push(read(name).expect_err(name).to_string());
    }
    // As systemd shows a credential that an access list lets the unit's user read; of any other file that is too open.
    make("managed", b"correct horse", 0o440);
    let credential = |name: &str| SecretSource::Credential { name: name.to_owned(), path: Some(at(name)) };
    assert_eq!(credential("managed").read().map(|r| r.secret.reveal().to_owned()), Ok("correct horse".to_owned()));
    assert!(read("managed").is_err() && credential("open").read().is_err(), "what others may read is refused");
    let nowhere = SecretSource::Credential { name: "epp".to_owned(), path: None };
    told.push(nowhere.read().expect_err("no directory").to_string());
    told.push(SecretSource::Environment { name: "EPP".to_owned(), value: None }.read().expect_err("not set").to_string());
    let told = told.join("\n").replace(&dir.path().display().to_string(), "[DIR]");
    assert!(!told.contains("horse"), "{told}");
    insta::assert_snapshot!(told);
}

#[test]
fn metrics_go_to_a_file_that_a_collector_reads() {
    let with = |file: &str| format!("{GOOD}[metrics]\nfile = \"{file}\"\n");
    let told = faults(with("figures.txt"));
    assert!(told.contains("metrics.file") && told.contains(".prom"), "{told}");
    assert_eq!(read(with("privet.prom")).expect("it reads").config.metrics, Some(PathBuf::from("privet.prom")));
    assert_eq!(read(GOOD).expect("it reads").config.metrics, None);
}

#[test]
fn row_06_the_password_has_exactly_one_place() {
    let none = spoilt("{ file = \"password\" }", "{}");
    let two = spoilt("{ file = \"password\" }", "{ file = \"password\", env = \"EPP\" }");
    let path = spoilt("{ file = \"password\" }", "{ credential = \"../epp\" }");
    insta::assert_snapshot!([none, two, path].join("\n"));
    let text = GOOD.replace("{ file = \"password\" }", "{ credential = \"epp\" }");
    let loaded = Config::read(Path::new("privet.toml"), text.as_bytes(), &[], &|name| {
        (name == "CREDENTIALS_DIRECTORY").then(|| "/run/credentials/privet".to_owned())
    });
    let registry = loaded.expect("it reads").config.registries.into_values().next().expect("a registry");
    assert!(matches!(registry.password, SecretSource::Credential { path: Some(p), .. } if p == Path::new("/run/credentials/privet/epp")));
}

/// A directory with certificates and keys of every kind.
struct Tls {
    dir: tempfile::TempDir,
}

impl Tls {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let this = Self { dir };
        let key = || rcgen::KeyPair::generate().expect("a key");
        let named = |name: &str, from: i32, to: i32, ca: bool| {
            let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            params.not_before = rcgen::date_time_ymd(from, 1, 1);
            params.not_after = rcgen::date_time_ymd(to, 1, 1);
            if ca {
                params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            }
            params
        };
        let (ca_key, leaf_key) = (key(), key());
        let ca_params = named("ca.example", 2000, 2090, true);
        let ca = ca_params.self_signed(&ca_key).expect("an authority");
        let issuer = rcgen::Issuer::new(ca_params, &ca_key);
        let sign = |params: rcgen::CertificateParams| params.signed_by(&leaf_key, &issuer).expect("a certificate").pem();
        let leaf = sign(named("client.example", 2000, 2090, false));
        this.file("ca.pem", &ca.pem());
        this.file("client.key", &leaf_key.serialize_pem());
        this.file("other.key", &key().serialize_pem());
        this.file("encrypted.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
        this.file("client.pem", &format!("{leaf}{}", ca.pem()));
        this.file("turned.pem", &format!("{}{leaf}", ca.pem()));
        this.file("expired.pem", &sign(named("client.example", 2000, 2001, false)));
        this.file("future.pem", &sign(named("client.example", 2089, 2090, false)));
        this.file("leaf.pem", &leaf);
        this.file("nothing.pem", "nothing\n");
        this
    }

    fn file(&self, name: &str, text: &str) {
        privet::base::write_atomic(&self.dir.path().join(name), text.as_bytes()).expect("written");
    }

    /// What is said of these three.
    fn said(&self, certificate: &str, key: &str, ca: &str) -> String {
        let at = |name: &str| self.dir.path().join(name);
        let files = TlsFiles { ca: at(ca), own: Some((at(certificate), at(key))), pin: None };
        let said = match TlsSetup::load(&files, "2026-11-21T00:00:00Z".parse().expect("a time")) {
            Ok(setup) => setup.certificates().iter().map(|c| format!("{} {}", c.whose, c.subject)).collect::<Vec<_>>().join(" < "),
            Err(problems) => problems.to_string(),
        };
        said.replace(&self.dir.path().display().to_string(), "[DIR]")
    }
}

#[test]
fn row_07_certificate_and_key() {
    let tls = Tls::new();
    let certificates = ["client.pem", "turned.pem", "expired.pem", "future.pem", "nothing.pem", "missing.pem"];
    let mut said: Vec<String> = certificates.iter().map(|c| tls.said(c, "client.key", "ca.pem")).collect();
    said.extend(["other.key", "encrypted.key", "nothing.pem"].iter().map(|k| tls.said("client.pem", k, "ca.pem")));
    assert!(said[0].contains(" < "), "the good one is good: {}", said[0]);
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn row_07_a_certificate_goes_with_its_key() {
    insta::assert_snapshot!(
        [spoilt("key = \"client.key\"\n", ""), spoilt("certificate = \"client.pem\"\nkey = \"client.key\"\n", "")].join("\n")
    );
}

#[test]
fn row_08_authorities() {
    let tls = Tls::new();
    let said = ["leaf.pem", "nothing.pem", "missing.pem"].map(|ca| tls.said("client.pem", "client.key", ca));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn row_10_encoding_and_size() {
    assert!(read(format!("\u{feff}{}", GOOD.replace('\n', "\r\n"))).is_ok(), "a byte order mark and CRLF are accepted");
    let latin = [GOOD.as_bytes(), b"# caf\xe9\n"].concat();
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("privet.toml");
    privet::base::write_atomic(&path, &vec![b'#'; (1 << 20) + 1]).expect("written");
    let large = Config::load(&path, &[], &|_| None).map(|_| ()).expect_err("too large").to_string();
    let told = [faults(latin), faults(GOOD.replace('\n', "\r")), large.replace(&dir.path().display().to_string(), "[DIR]")];
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn row_11_paths() {
    let dir = tempfile::tempdir().expect("a directory");
    let load = |path: &Path| Config::load(path, &[], &|_| None).map(|_| ()).expect_err("it cannot be read");
    let told = [load(&dir.path().join("none.toml")), load(dir.path())].map(|p| (p.kept()[0].exit.code(), p.to_string()));
    assert!(told.iter().all(|(exit, _)| *exit == 2));
    let told = told.map(|(_, text)| text.replace(&dir.path().display().to_string(), "[DIR]"));
    insta::with_settings!({ filters => vec![(r"mode \d{4}, owner \d+; this is user \d+", "[WHOSE]")] }, {
        insta::assert_snapshot!(told.join("\n"));
    });
    let state = dir.path().join("state");
    privet::base::create_private_dir(&state).expect("made");
    std::fs::set_permissions(&state, Permissions::from_mode(0o777)).expect("a mode");
    let told = privet::base::StateDir::open(&state).map(|_| ()).expect_err("others may write").to_string();
    assert!(told.contains("mode 0777") && told.contains("0700"), "{told}");
}

#[test]
fn row_12_a_weakened_limit() {
    let limits =
        "[registries.thick.limits]\nsessions = 100\nread_window = 4\nback_off_seconds = 1\nreply_seconds = 300\nage_seconds = 60\n";
    let loaded = read(format!("{GOOD}{limits}")).expect("it can be used");
    let registry = &loaded.config.registries[&"thick".into()];
    assert_eq!(registry.weakened, loaded.warnings);
    assert_eq!((registry.profile.limits.sessions.value, registry.profile.limits.read_window.value), (100, 4));
    let minimum = GOOD.replace("gtld-thick", "gtld-minimum");
    let rate = read(format!("{minimum}[registries.thick.limits]\nrate = {{ commands = 1000, seconds = 10 }}\n")).expect("it can be used");
    let gate = read(format!("{GOOD}[gates]\nmin_rows_share = 0.1\n")).expect("it can be used");
    let all: Vec<String> = loaded.warnings.iter().chain(&rate.warnings).chain(&gate.warnings).map(ToString::to_string).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn at_most_fifty_faults_are_told_and_the_rest_counted() {
    let many: String = (0..80).map(|n| format!("key{n} = 1\n")).collect::<Vec<_>>().concat();
    let told = faults(format!("{many}{GOOD}"));
    assert_eq!(told.lines().count(), 51, "{told}");
    assert!(told.ends_with("… and 30 more"), "{told}");
}

#[test]
fn what_is_no_toml_is_told_with_its_lines() {
    insta::assert_snapshot!(faults(format!("{GOOD}list = \"open\n= 3\n[registries.thick.limits\nsessions = 3\n")));
}

#[test]
fn nothing_panics_on_any_bytes() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let spoil = (0..GOOD.len(), proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..8));
    let result = runner.run(&spoil, |(at, bytes)| {
        let mut text = GOOD.as_bytes().to_vec();
        text.splice(at..(at + bytes.len()).min(text.len()), bytes);
        if let Err(problems) = read(&text) {
            proptest::prop_assert!(!problems.is_empty());
        }
        Ok(())
    });
    result.expect("every outcome is a configuration or problems");
}

#[test]
fn what_a_nightly_run_applies_has_a_limit_and_a_day() {
    let apply =
        "[run.apply.rollback]\nmax_operations = 1\n[run.apply.lock]\nmax_operations = 0\n[run.apply.privacy]\nuntil = \"31/12/26\"\n";
    insta::assert_snapshot!(faults(format!("{GOOD}[run]\nplan = [\"lock\", \"unlock\"]\n{apply}")));
}

#[test]
fn what_is_protected_by_default_is_said_whole() {
    let privacy =
        "[privacy]\nname = \"N\"\nstreet1 = \"S\"\ncity = \"C\"\ncc = \"DE\"\nvoice = \"+49.30\"\nemail_domain = \"relay.example\"\n";
    let of = |keys: &str| read(format!("{GOOD}{privacy}{keys}").as_bytes()).map(|loaded| loaded.config.by_default).map_err(|_| ());
    let id = |name| privet::base::RegistryId::new(name);
    let kinds: Vec<(bool, bool)> = ["", "default = \"off\"\n", "default = \"when-free\"\nfree = [\"thick\"]\n", "default = \"always\"\n"]
        .iter()
        .map(|keys| of(keys).map(|default| (default.covers(&id("thick")), default.covers(&id("other")))).expect("good"))
        .collect();
    assert_eq!(kinds, [(false, false), (false, false), (true, false), (true, true)]);
    let wrong = [
        "default = \"free\"\n",
        "default = \"when-free\"\n",
        "default = \"always\"\nfree = [\"thick\"]\n",
        "free = [\"thick\"]\n",
        "default = \"when-free\"\nfree = [\"thin\"]\n",
    ];
    let told: Vec<String> = wrong.iter().map(|keys| faults(format!("{GOOD}{privacy}{keys}"))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_database_that_is_the_store_is_named_whole_and_without_its_password() {
    let of = |keys: &str| read(format!("{GOOD}[store]\n{keys}").as_bytes());
    let network = "postgres = \"postgresql://privet@db.example/privet\"\nca = \"ca.pem\"\npassword = { credential = \"store\" }\n";
    let socket = "postgres = \"postgresql://privet@%2Frun%2Fpostgresql/privet\"\n";
    let shared = |keys: &str| of(keys).expect("good").config.store.expect("a database");
    let database = |keys: &str| shared(keys).database;
    assert!(database(network).password.is_some() && database(network).ca == Some("ca.pem".into()));
    assert!(database(socket).password.is_none() && database(socket).ca.is_none());
    let workers = |keys: &str| (shared(keys).workers, shared(keys).lease.as_secs());
    assert_eq!([workers(socket), workers(&format!("{socket}workers = 3\nlease_seconds = 5\n"))], [(1, 30), (3, 5)]);
    assert!(read(GOOD).expect("good").config.store.is_none());
    let wrong = [
        "",
        "postgres = \"db.example\"\n",
        "postgres = \"postgresql://privet@%2Frun%2Fpostgresql/privet\"\nworkers = 65\nlease_seconds = 1\n",
        "postgres = \"postgresql://privet:open@db.example/privet\"\nca = \"ca.pem\"\n",
        "postgres = \"postgresql://privet@db.example/privet\"\n",
        "postgres = \"postgresql://privet@one.example,two.example/privet\"\nca = \"ca.pem\"\n",
        "postgres = \"postgresql://privet@%2Frun/privet\"\nca = \"ca.pem\"\n",
        "postgres = \"postgresql://privet@%2Frun/privet\"\npassword = \"open\"\n",
        "postgres = \"postgresql://privet@%2Frun/privet\"\npasword = { env = \"P\" }\n",
    ];
    let told: Vec<String> = wrong.iter().map(|keys| of(keys).map(|_| ()).expect_err("bad").to_string()).collect();
    assert!(!told.join("").contains("open"), "{told:?}");
    insta::assert_snapshot!(told.join("\n"));
}
