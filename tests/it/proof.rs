//! The proof of what runs leave: the real verbs, then folders that somebody altered, and what `verify` says of each.

use crate::schema_files::assert_form;
use crate::served::{World, context, reports};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use privet::base::{Clock, Digest, Exit, Moment, SeededEntropy, SystemClock, Timestamp, create_private_dir, remove_tree, write_atomic};
use privet::job::config::Loaded;
use privet::job::{Context, FileChange, commit_to, diff, forget, is_of, pull, redact, report_run, run, verify};
use privet::report::proof::{Commitment, RedactedRow, RedactionReason};
use privet::store::{Batch, SqliteStore, Store as _};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// The registry that is looked at: a small one.
const REGISTRY: &str = "nz";

/// A clock whose wall shows a time so many seconds from now, and stands.
struct Standing {
    real: SystemClock,
    wall: Timestamp,
}

impl Clock for Standing {
    fn moment(&self) -> Moment {
        self.real.moment()
    }

    fn wall(&self) -> Timestamp {
        self.wall
    }
}

/// What a verb is given so many seconds from now: runs are named by the second they begin in.
fn at(seconds: i64) -> Context {
    let real = SystemClock::new();
    let wall = real.wall() + jiff::SignedDuration::from_secs(seconds);
    Context { clock: Arc::new(Standing { real, wall }), ..context(&[REGISTRY]) }
}

/// A world with one pull.
struct Nights {
    world: World,
    loaded: Loaded,
    pulled: PathBuf,
}

impl Nights {
    fn new(seed: u64) -> Self {
        let world = World::new(120, seed);
        let served = world.serve(&[]);
        let loaded = world.load();
        let ended = pull(&loaded, &at(0)).expect("ended");
        assert_eq!(ended.exit(), Exit::Done, "{}", ended.text);
        drop(served);
        Self { pulled: reports(&ended), world, loaded }
    }

    /// The folder of a diff so many seconds from now.
    fn diff(&self, seconds: i64) -> PathBuf {
        let ended = diff(&self.loaded, &at(seconds)).expect("ended");
        assert!(ended.problems.is_empty(), "{:?}", ended.problems);
        reports(&ended)
    }

    fn state(&self, name: &str) -> PathBuf {
        self.world.data().join("state").join(name)
    }

    fn key(&self) -> String {
        self.state("proof/key.pub").display().to_string()
    }

    /// The exit of `verify`, and what it told.
    fn verify(&self, dir: &Path) -> (Exit, Value, String) {
        self.since(dir, None, None)
    }

    fn since(&self, dir: &Path, since: Option<&Path>, leaves: Option<&Path>) -> (Exit, Value, String) {
        match verify(dir, &self.key(), since, leaves) {
            Ok(ended) => {
                assert_eq!(ended.exit() == Exit::Done, ended.json["holds"] == true, "{}", ended.text);
                (ended.exit(), ended.json.clone(), ended.text)
            }
            Err(problem) => (problem.exit, Value::Null, problem.to_string()),
        }
    }

    /// What a file of a folder came to by `verify`.
    fn state_of(&self, dir: &Path, file: &str) -> (Exit, Option<String>) {
        let (exit, json, text) = self.verify(dir);
        let all = json["deviations"].as_array().unwrap_or_else(|| panic!("{text}"));
        let one = all.iter().find(|one| one["file"] == file);
        if one.is_some() {
            assert!(text.contains(file), "people are told, too: {text}");
        }
        (exit, one.map(|one| one["state"].as_str().expect("a word").to_owned()))
    }
}

/// Copies the files of `from`, folders within it included.
fn copy(from: &Path, to: &Path) {
    create_private_dir(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() { copy(&path, &target) } else { std::fs::copy(&path, &target).map(drop).expect("copied") }
    }
}

/// Changes one byte of a file.
fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).expect("a file");
    bytes[at] ^= 1;
    write_atomic(path, &bytes).expect("written");
}

/// What a proof states.
fn statement(dir: &Path) -> Value {
    let proof: Value = serde_json::from_slice(&std::fs::read(dir.join("proof.json")).expect("a proof")).expect("JSON");
    let payload = proof["envelope"]["payload"].as_str().expect("a payload");
    serde_json::from_slice(&STANDARD.decode(payload).expect("base64")).expect("JSON")
}

fn names(dir: &Path) -> BTreeSet<String> {
    let all = std::fs::read_dir(dir).expect("a folder").map(|e| e.expect("an entry").file_name().into_string().expect("a name"));
    all.collect()
}

#[test]
fn a_run_is_proved_whole_and_anybody_with_the_key_can_tell() {
    let nights = Nights::new(31);
    let dir = nights.diff(10);
    let stated = statement(&dir);
    assert_form("report/proof-run", &stated);
    let signed: BTreeSet<String> =
        stated["subject"].as_array().expect("files").iter().map(|s| s["name"].as_str().expect("a name").to_owned()).collect();
    let mut there = names(&dir);
    assert!(there.remove("proof.json") && there.contains("differences.parquet") && there == signed, "{signed:?}");
    for subject in stated["subject"].as_array().expect("files") {
        let bytes = std::fs::read(dir.join(subject["name"].as_str().expect("a name"))).expect("a file");
        assert_eq!(subject["digest"]["sha256"], Digest::of(&bytes).to_string());
    }
    let predicate = &stated["predicate"];
    assert_eq!((&predicate["verb"], &predicate["tool"]["name"]), (&"diff".into(), &"privet".into()));
    assert_eq!(predicate["inputs"]["config"], nights.loaded.config.digest.to_string());
    let manifest = nights.world.newest(REGISTRY).expect("a snapshot").dir().join("snapshot.json");
    assert_eq!(predicate["inputs"]["snapshots"][0]["sha256"], Digest::of(&std::fs::read(manifest).expect("a manifest")).to_string());
    let contacts = nights.world.data().join("records/contacts.csv");
    assert_eq!(predicate["inputs"]["records"][0]["sha256"], Digest::of(&std::fs::read(contacts).expect("records")).to_string());
    assert_eq!((predicate["profiles"].as_array().map(Vec::len), &predicate["profiles"][0]["registry"]), (Some(1), &REGISTRY.into()));
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/compliance/packs/retention.toml");
    assert_eq!(predicate["rule_packs"]["retention"], Digest::of(&std::fs::read(pack).expect("a pack")).to_string());
    assert!(predicate["counts"]["differences"].as_u64() > Some(0), "{predicate}");
    assert!(!stated.to_string().contains(&nights.world.data().display().to_string()), "no path of this machine is stated");

    // Elsewhere, under another name, without configuration, by the text of the key alone.
    let elsewhere = tempfile::tempdir().expect("a directory");
    copy(&dir, &elsewhere.path().join("handed over"));
    let key = std::fs::read_to_string(nights.key()).expect("a key");
    let check = |format: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_privet"));
        command.args(["verify", "handed over", "--format", format, "--fail-on", "changes", "--key", key.trim()]);
        command.env_clear().current_dir(elsewhere.path()).output().expect("a process")
    };
    let output = check("json");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_form("report/verified", &told);
    assert_eq!((&told["holds"], &told["files"]["intact"]), (&true.into(), &signed.len().into()));
    let text = String::from_utf8(check("text").stdout).expect("text");
    assert!(text.starts_with("handed over: everything is as it was signed\n"), "{text}");
    flip(&elsewhere.path().join("handed over/index.html"), 100);
    let output = check("json");
    assert_eq!(output.status.code(), Some(21), "whatever --fail-on says");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_form("report/verified", &told);
    assert_eq!(told["deviations"][0]["file"], "index.html");
}

#[test]
fn each_file_that_was_altered_removed_or_added_is_named() {
    let nights = Nights::new(32);
    let dir = nights.diff(10);
    let good = nights.world.data().join("good");
    copy(&dir, &good);
    let again = || {
        remove_tree(&dir).expect("removed");
        copy(&good, &dir);
    };
    assert_eq!(nights.verify(&dir).0, Exit::Done);

    flip(&dir.join("differences.csv"), 40);
    assert_eq!(nights.state_of(&dir, "differences.csv"), (Exit::PlanStale, Some("altered".to_owned())));
    remove_tree(&dir.join("differences.csv")).expect("removed");
    assert_eq!(nights.state_of(&dir, "differences.csv"), (Exit::PlanStale, Some("missing".to_owned())));
    std::os::unix::fs::symlink(good.join("differences.csv"), dir.join("differences.csv")).expect("a link");
    assert_eq!(
        nights.state_of(&dir, "differences.csv"),
        (Exit::PlanStale, Some("altered".to_owned())),
        "a link is no file, wherever it leads"
    );

    again();
    create_private_dir(&dir.join("more")).expect("made");
    write_atomic(&dir.join("more/\u{1b}[31mnotes"), b"x").expect("written");
    let (exit, json, text) = nights.verify(&dir);
    assert_eq!((exit, &json["files"]["added"]), (Exit::PlanStale, &1.into()), "{text}");
    assert!(text.contains("more/\\u{1b}[31mnotes") && !text.contains('\u{1b}'), "{text}");

    again();
    // Whatever byte of the proof is altered, it does not pass.
    let length = std::fs::metadata(dir.join("proof.json")).expect("there").len();
    for at in (0..usize::try_from(length).expect("small")).step_by(41) {
        flip(&dir.join("proof.json"), at);
        let (exit, _, text) = nights.verify(&dir);
        assert!([Exit::PlanStale, Exit::InputIncomplete].contains(&exit), "byte {at}: {text}");
        again();
    }
    let proof = std::fs::read(dir.join("proof.json")).expect("a proof");
    write_atomic(&dir.join("proof.json"), &proof[..proof.len() / 2]).expect("written");
    let (exit, _, text) = nights.verify(&dir);
    assert!(exit == Exit::InputIncomplete && text.contains("E-proof-012"), "{text}");
    remove_tree(&dir.join("proof.json")).expect("removed");
    let (exit, _, text) = nights.verify(&dir);
    assert!(exit == Exit::InputIncomplete && text.contains("there is no proof here"), "{text}");
    std::os::unix::fs::symlink(good.join("proof.json"), dir.join("proof.json")).expect("a link");
    assert_eq!(nights.verify(&dir).0, Exit::InputIncomplete);

    // A proof of another run, in both ways: its files are others, and so is its name.
    again();
    let other = nights.diff(20);
    std::fs::copy(other.join("proof.json"), dir.join("proof.json")).expect("copied");
    let (exit, json, text) = nights.verify(&dir);
    assert!(exit == Exit::PlanStale && json["files"]["altered"].as_u64() > Some(0) && text.contains("BROKEN statement"), "{text}");
    remove_tree(&dir).expect("removed");
    copy(&other, &dir);
    let (exit, json, text) = nights.verify(&dir);
    assert!(exit == Exit::PlanStale && json["files"]["altered"] == 0 && text.contains("the folder is not"), "{text}");

    // Another key, one that is none, and one that is not there.
    again();
    let stranger = Nights::new(33);
    let ended = verify(&dir, &stranger.key(), None, None).expect("it can be read");
    assert_eq!((ended.exit(), &ended.json["checks"][0]["name"]), (Exit::PlanStale, &"signature".into()), "{}", ended.text);
    let refused = |key: &str| verify(&dir, key, None, None).expect_err("no key");
    assert_eq!((refused("privet/runs+00000000+AAAA").id.as_str(), refused("nowhere").exit), ("E-proof-003", Exit::Usage));
}

#[test]
fn the_log_only_grows_from_night_to_night() {
    let nights = Nights::new(34);
    let (first, second) = (nights.diff(10), nights.diff(20));
    let fork = nights.world.data().join("fork");
    copy(&nights.world.data().join("state"), &fork);
    let third = nights.diff(30);
    for (dir, since) in [(&third, &second), (&third, &first), (&second, &first), (&third, &nights.pulled), (&third, &third)] {
        let (exit, json, text) = nights.since(dir, Some(since), None);
        assert_eq!(exit, Exit::Done, "{text}");
        assert!(text.contains("the log only grew"), "{text}");
        assert_form("report/verified", &json);
    }
    let (exit, _, text) = nights.since(&first, Some(&third), None);
    assert!(exit == Exit::PlanStale && text.contains("swapped"), "{text}");

    // The state directory is put back to before the third night, and another third night is written.
    let put_back = || {
        remove_tree(&nights.world.data().join("state")).expect("removed");
        copy(&fork, &nights.world.data().join("state"));
    };
    let after = nights.world.data().join("after");
    copy(&nights.world.data().join("state"), &after);
    put_back();
    let other = nights.diff(40);
    let (exit, _, text) = nights.since(&other, Some(&third), None);
    assert!(exit == Exit::PlanStale && text.contains("the log was rewritten from 4 leaves to 4"), "{text}");
    let fourth = nights.diff(50);
    let (exit, _, text) = nights.since(&fourth, Some(&third), None);
    assert!(exit == Exit::PlanStale && text.contains("the log was rewritten from 4 leaves to 5"), "{text}");
    assert_eq!(nights.since(&fourth, Some(&second), None).0, Exit::Done);

    // Only the store is put back: what was signed is known still, and nothing that contradicts it is.
    for name in ["store.sqlite", "store.sqlite-wal"] {
        std::fs::copy(fork.join(name), nights.state(name)).expect("copied");
    }
    let ended = diff(&nights.loaded, &at(60)).expect("ended");
    assert_eq!(ended.problems.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["E-proof-008"]);
    assert!(ended.exits.contains(&Exit::ReportFailed) && ended.exit() == Exit::ReportFailed, "{:?}", ended.exits);
    assert!(reports(&ended).join("index.html").exists() && !reports(&ended).join("proof.json").exists());
}

#[test]
fn what_lies_further_back_than_a_proof_reaches_is_shown_by_the_leaves() {
    let nights = Nights::new(35);
    for n in 1..=32 {
        nights.diff(n * 10);
    }
    let last = nights.diff(330);
    let (exit, _, text) = nights.since(&last, Some(&nights.pulled), None);
    assert!(exit == Exit::InputIncomplete && text.contains("E-proof-014") && text.contains("--leaves"), "{text}");
    let leaves = nights.state("proof/leaves");
    let (exit, _, text) = nights.since(&last, Some(&nights.pulled), Some(&leaves));
    assert_eq!(exit, Exit::Done, "{text}");
    let text = std::fs::read_to_string(&leaves).expect("leaves");
    let altered = text.lines().rev().collect::<Vec<_>>().join("\n");
    write_atomic(&leaves, altered.as_bytes()).expect("written");
    assert_eq!(nights.since(&last, Some(&nights.pulled), Some(&leaves)).0, Exit::PlanStale);
    write_atomic(&leaves, b"AAAA\n").expect("written");
    assert_eq!(nights.since(&last, Some(&nights.pulled), Some(&leaves)).0, Exit::InputIncomplete);
}

#[test]
fn an_erasure_is_told_with_its_signed_redaction() {
    let nights = Nights::new(36);
    let (dir, other) = (nights.diff(10), nights.diff(20));
    let path = dir.join("differences.csv");
    let text = std::fs::read_to_string(&path).expect("differences");
    let (kept, erased) = text.trim_end().rsplit_once('\n').expect("rows");

    // One row goes; the redaction says which by a commitment, whose salt is kept by whom it is about.
    let owner = [7; 16];
    let mut batch = Batch::default();
    let row: &[Option<&str>] = &[Some(erased)];
    let commitments = commit_to(&owner, &[row], at(0).clock.wall(), &mut batch, &mut SeededEntropy::new(1)).expect("commitments");
    let open = || SqliteStore::open(&nights.state("store.sqlite")).expect("a store");
    open().commit(&batch).expect("kept");
    let after = format!("{kept}\n");
    let rows = commitments.iter().map(|before| RedactedRow { before: *before, after: None }).collect();
    let change = FileChange { name: "differences.csv".to_owned(), after: Some(Digest::of(after.as_bytes())), rows };
    let erasure = (RedactionReason::Erasure, "GDPR Art. 17(1)");
    assert!(redact(&nights.loaded, &at(30), &dir, erasure, &[change]).expect("signed"));
    assert_eq!(
        nights.state_of(&dir, "differences.csv"),
        (Exit::PlanStale, Some("altered".to_owned())),
        "it was signed and is not done yet"
    );
    write_atomic(&path, after.as_bytes()).expect("written");
    let (exit, json, text) = nights.verify(&dir);
    assert_eq!((exit, &json["files"]["redacted"]), (Exit::Done, &1.into()), "{text}");
    let day = at(30).clock.wall().strftime("%Y-%m-%d").to_string();
    assert!(text.contains(&format!("differences.csv: altered, with a signed redaction of {day} (erasure: GDPR Art. 17(1))")), "{text}");

    // The row stands nowhere in what was signed; who has the salt can tell it, until that is erased.
    let redactions = std::fs::read_to_string(dir.join("redactions.ndjson")).expect("redactions");
    let line: Value = serde_json::from_str(&redactions).expect("JSON");
    assert_form("report/proof", &line);
    let payload = STANDARD.decode(line["envelope"]["payload"].as_str().expect("a payload")).expect("base64");
    let stated: Value = serde_json::from_slice(&payload).expect("JSON");
    assert_form("report/proof-redaction", &stated);
    assert!(!stated.to_string().contains(erased) && !String::from_utf8_lossy(&payload).contains(erased));
    let told: Commitment = serde_json::from_value(stated["predicate"]["files"][0]["rows"][0]["before"].clone()).expect("a commitment");
    assert_eq!(is_of(&mut open(), &owner, &told, row).expect("looked"), Some(true));
    let mut batch = Batch::default();
    assert_eq!(forget(&mut open(), &owner, &mut batch).expect("looked"), 1);
    open().commit(&batch).expect("erased");
    assert_eq!(is_of(&mut open(), &owner, &told, row).expect("looked"), None);

    // A second erasure, of the whole file; what was never signed needs no redaction.
    let gone = |name: &str| FileChange { name: name.to_owned(), after: None, rows: Vec::new() };
    assert!(!redact(&nights.loaded, &at(40), &dir, erasure, &[gone("nothing"), gone("../privet.toml")]).expect("looked"));
    assert!(redact(&nights.loaded, &at(40), &dir, erasure, &[gone("differences.csv"), gone("differences.parquet")]).expect("signed"));
    for name in ["differences.csv", "differences.parquet"] {
        remove_tree(&dir.join(name)).expect("removed");
    }
    assert_eq!(nights.state_of(&dir, "differences.csv"), (Exit::Done, Some("redacted".to_owned())));
    assert_eq!(nights.state_of(&dir, "differences.parquet"), (Exit::Done, Some("redacted".to_owned())));

    // What was redacted and comes back, a redaction that is lost, one that is altered, one of another run.
    write_atomic(&path, after.as_bytes()).expect("written");
    assert_eq!(nights.state_of(&dir, "differences.csv"), (Exit::PlanStale, Some("altered".to_owned())));
    remove_tree(&path).expect("removed");
    let redactions = std::fs::read(dir.join("redactions.ndjson")).expect("redactions");
    let first = redactions.iter().position(|b| *b == b'\n').expect("a line") + 1;
    write_atomic(&dir.join("redactions.ndjson"), &redactions[..first]).expect("written");
    assert_eq!(nights.state_of(&dir, "differences.csv"), (Exit::PlanStale, Some("missing".to_owned())));
    for at in (0..redactions.len()).step_by(89) {
        write_atomic(&dir.join("redactions.ndjson"), &redactions).expect("written");
        flip(&dir.join("redactions.ndjson"), at);
        assert_ne!(nights.verify(&dir).0, Exit::Done, "byte {at}");
    }
    write_atomic(&dir.join("redactions.ndjson"), &redactions).expect("written");
    assert_eq!(nights.verify(&dir).0, Exit::Done);
    write_atomic(&other.join("redactions.ndjson"), &redactions).expect("written");
    let (exit, _, text) = nights.verify(&other);
    assert!(exit == Exit::PlanStale && text.contains("line 1: it is about another run"), "{text}");

    // Nothing is signed upon a proof that somebody put there.
    std::fs::copy(other.join("proof.json"), dir.join("proof.json")).expect("copied");
    let problem = redact(&nights.loaded, &at(50), &dir, erasure, &[gone("index.html")]).expect_err("refused");
    assert_eq!((problem.id.as_str(), problem.exit), ("E-proof-009", Exit::PlanStale));
}

#[test]
fn whoever_is_erased_is_redacted_from_earlier_runs_by_the_verb_itself() {
    let nights = Nights::new(39);
    let (dir, other) = (nights.diff(10), nights.diff(20));
    let stated = statement(&dir);
    let rows = &stated["predicate"]["rows"][0];
    let commitments = std::fs::read_to_string(dir.join("commitments.csv")).expect("commitments");
    assert_eq!((&rows["table"], rows["count"].as_u64()), (&"differences".into(), Some(commitments.lines().count() as u64 - 1)));
    assert_ne!(commitments, std::fs::read_to_string(other.join("commitments.csv")).expect("commitments"), "equal rows, other salts");
    let (exit, json, text) = nights.verify(&dir);
    assert!(exit == Exit::Done && text.contains("commitments to rows about people are as signed, 0 of them with"), "{json:#}");

    // A contact of the records whose row differs; others are there besides.
    let table = std::fs::read_to_string(dir.join("differences.csv")).expect("differences");
    let changed = |line: &&str| line.contains(",contact,") && line.ends_with(",changed,material");
    let line = table.lines().find(changed).expect("a contact that differs");
    let handle = line.split(',').nth(2).expect("a handle").to_owned();
    let about = format!(",contact,{handle},");
    let count = table.lines().filter(|line| line.contains(&about)).count();
    assert!(count > 0 && table.lines().skip(1).any(|line| !line.contains(&about)), "{table}");

    let erase = ["subject", "erase", "--registry", REGISTRY, "--handle", &handle, "--despite", "d-1", "--by", "dpo"];
    let (code, told, said) = nights.world.run(&erase);
    assert_eq!(code, 0, "{said}");
    assert_form("subject-erased", &told);
    let erasure = &told["erasure"];
    assert_eq!((&erasure["operator"], &erasure["runs_redacted"]), (&"dpo".into(), &2.into()), "{erasure:#}");
    let store = |name: &str| erasure["stores"].as_array().expect("stores").iter().find(|one| one["store"] == name).expect("it").clone();
    let tables = store("tables of earlier runs");
    assert_eq!((tables["before"].as_u64() >= Some(2 * count as u64), &tables["after"]), (true, &0.into()), "{tables}");
    assert_eq!(store("commitments")["after"], 0);
    let erased = erasure["commitments"].as_array().expect("commitments");
    let first = erased.iter().filter(|one| commitments.contains(one["before"].as_str().expect("digits"))).count();
    assert!(first > 0 && first < erased.len() && erased.iter().all(|one| one["salt_left"] == false), "{erased:?}");

    // Both runs verify, offline, and say what was redacted; nothing of the contact is left in them.
    for run in [&dir, &other] {
        let (exit, json, text) = nights.verify(run);
        assert_eq!(exit, Exit::Done, "{text}");
        assert!(
            text.contains("differences.csv: altered, with a signed redaction of ") && text.contains("(erasure: GDPR Art. 17(1))"),
            "{text}"
        );
        assert!(text.contains(&format!("as signed, {first} of them with a signed redaction")), "{text}");
        assert!(json["files"]["redacted"].as_u64() >= Some(2) && json["files"]["altered"] == 0, "{json:#}");
        for name in names(run) {
            let bytes = std::fs::read(run.join(&name)).expect("a file");
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(&about) && !text.contains(&format!(">{handle}<")), "{name} has the contact still");
        }
        let left = std::fs::read_to_string(run.join("differences.csv")).expect("differences");
        assert!((2..table.lines().count()).contains(&left.lines().count()), "{left}");
        assert_form("report/proof-redaction", &redaction(run));
        assert!(!redaction(run).to_string().contains(&handle));
    }
    let parquet = privet::dataset::ParquetFile::open(&dir.join("differences.parquet"), &["id"], false).expect("a table");
    let batch = parquet.batch(0).expect("rows");
    assert!(batch.rows() > 0 && (0..batch.rows()).all(|row| batch.get(0, row) != Some(&*handle)));
    assert_eq!(batch.rows() + 1, std::fs::read_to_string(dir.join("differences.csv")).expect("differences").lines().count());

    // What somebody alters besides is named as before.
    flip(&dir.join("differences.csv"), 80);
    assert_eq!(nights.state_of(&dir, "differences.csv"), (Exit::PlanStale, Some("altered".to_owned())));
    flip(&dir.join("differences.csv"), 80);
    let second = commitments.lines().nth(1).expect("a commitment");
    write_atomic(&dir.join("commitments.csv"), commitments.replace(&format!("{second}\n"), "").as_bytes()).expect("written");
    let (exit, _, text) = nights.verify(&dir);
    assert!(exit == Exit::PlanStale && text.contains("BROKEN rows:") && text.contains("altered    commitments.csv"), "{text}");
    write_atomic(&dir.join("commitments.csv"), commitments.as_bytes()).expect("written");
    assert_eq!(nights.verify(&dir).0, Exit::Done);

    // A second time there is nothing to do, and a report that is written again is signed as it is now.
    let (code, told, said) = nights.world.run(&erase);
    assert!(code == 0 && told["erasure"].is_null(), "{said}");
    let proofs = [&dir, &other].map(|run| std::fs::read(run.join("proof.json")).expect("a proof"));
    assert!(report_run(&nights.loaded, &at(40)).expect("ended").problems.is_empty());
    assert_eq!(nights.verify(&other).0, Exit::Done);
    assert_eq!(std::fs::read(dir.join("proof.json")).expect("a proof"), proofs[0]);
}

/// What the first redaction of a run states.
fn redaction(dir: &Path) -> Value {
    let lines = std::fs::read_to_string(dir.join("redactions.ndjson")).expect("redactions");
    let line: Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    let payload = STANDARD.decode(line["envelope"]["payload"].as_str().expect("a payload")).expect("base64");
    serde_json::from_slice(&payload).expect("JSON")
}

#[test]
fn differences_whose_time_is_over_go_with_a_redaction() {
    let nights = Nights::new(37);
    let days = 24 * 3600;
    let (old, young) = (nights.diff(-40 * days), nights.diff(-20 * days));
    let _served = nights.world.serve(&[]);
    let ended = run(&nights.world.load(), &at(10)).expect("ended");
    assert!(ended.problems.is_empty(), "{:?}", ended.problems);
    assert!(!old.join("differences.csv").exists() && young.join("differences.csv").exists());
    let (exit, json, text) = nights.verify(&old);
    assert_eq!((exit, &json["files"]["redacted"]), (Exit::Done, &2.into()), "{text}");
    assert!(text.contains("removed, with a signed redaction of") && text.contains("(retention:"), "{text}");
    assert!(nights.verify(&young).0 == Exit::Done && nights.verify(&reports(&ended)).0 == Exit::Done);
    assert_eq!(nights.since(&reports(&ended), Some(&old), None).0, Exit::Done);
}

#[test]
fn a_report_that_is_written_again_signs_nothing_that_others_altered() {
    let nights = Nights::new(38);
    let dir = nights.diff(10);
    let proof = std::fs::read(dir.join("proof.json")).expect("a proof");
    assert!(report_run(&nights.loaded, &at(20)).expect("ended").problems.is_empty());
    assert_eq!(std::fs::read(dir.join("proof.json")).expect("a proof"), proof, "equal files need no other proof");

    flip(&dir.join("differences.parquet"), 40);
    flip(&dir.join("index.html"), 100);
    assert!(report_run(&nights.loaded, &at(30)).expect("ended").problems.is_empty());
    let (exit, json, text) = nights.verify(&dir);
    assert_eq!((exit, json["deviations"].as_array().map(Vec::len)), (Exit::PlanStale, Some(1)), "{text}");
    assert_eq!(json["deviations"][0]["file"], "differences.parquet");

    remove_tree(&dir.join("proof.json")).expect("removed");
    let ended = report_run(&nights.loaded, &at(40)).expect("ended");
    assert_eq!(ended.problems.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["E-proof-009"]);
    assert!(ended.exits.contains(&Exit::ReportFailed) && !dir.join("proof.json").exists());
}
