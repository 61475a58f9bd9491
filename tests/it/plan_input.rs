//! What is wrong with a plan, with the journal, or with what was typed, row by row of the bad-input matrix (rows 33 to 42, and 44): the
//! program itself over a store on disk, and a registry that hears nothing of it. `row_NN_` is the row's number there; the rows of the
//! fault matrix are in `write_faults` and `state_faults`.

use crate::apply::{Locking, counts};
use crate::one::ONE;
use crate::served::{context, wait_until};
use privet::base::{ObjectRef, Timestamp, write_atomic};
use privet::job::{ApplyOptions, apply, store_path};
use privet::journal::{self, Entry, StepRow, StepState};
use privet::plan::{Fact, GateName, GateVerdict, Header, Operation, PlanFile, PlanWriter, Turn};
use privet::store::{Append, Batch, Cell, SqliteStore, Store as _, Table};
use rusqlite::config::DbConfig;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// How a process ended: the exit code, and what it said.
type Told = (i32, String);

fn told(output: &Output) -> Told {
    (output.status.code().expect("an exit code"), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Runs a verb of the program with the registry's configuration.
fn run(locking: &Locking, args: &[&str]) -> Told {
    let mut command = Command::new(env!("CARGO_BIN_EXE_privet"));
    command.args(args).arg("--quiet").arg("--config").arg(locking.one.config());
    told(&command.output().expect("a process"))
}

fn apply_file(locking: &Locking, plan: &Path) -> Told {
    run(locking, &["apply", &plan.display().to_string()])
}

/// That a verb was refused with that exit code and with all of these words, and that the registry was told nothing.
#[track_caller]
fn assert_refused(locking: &Locking, (code, told): &Told, wanted: i32, words: &[&str]) {
    assert_eq!(*code, wanted, "{told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is missing: {told}");
    }
    assert_eq!((locking.told().iter().sum::<usize>(), locking.commits().len()), (0, 0), "{told}");
}

/// That the plan which was left alone still goes through.
#[track_caller]
fn assert_goes_through(locking: &Locking) {
    let (code, told) = apply_file(locking, &locking.plan);
    assert_eq!(code, 0, "{told}");
    locking.assert_once();
}

/// A plan like that of `locking`, with another header, or other operations; every digest in it is right.
fn forged(locking: &Locking, header: impl FnOnce(&mut Header), operation: impl Fn(&mut Operation)) -> PathBuf {
    let plan = PlanFile::open(&locking.plan).expect("a plan");
    let path = locking.plan.with_file_name("forged.plan");
    let mut writer = PlanWriter::create(&path, 1).expect("a plan");
    for one in plan.operations().expect("operations") {
        let mut one = one.expect("an operation");
        operation(&mut one);
        writer.push(one).expect("written");
    }
    let mut head = plan.header().clone();
    header(&mut head);
    writer.finish(head).expect("a plan");
    path
}

/// What is done to the lines of a plan.
type Change = fn(&mut Vec<String>);

/// A copy of the plan with other lines.
fn altered(locking: &Locking, change: impl FnOnce(&mut Vec<String>)) -> PathBuf {
    let text = std::fs::read_to_string(&locking.plan).expect("a plan");
    let mut lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    change(&mut lines);
    let path = locking.plan.with_file_name("altered.plan");
    write_atomic(&path, lines.concat().as_bytes()).expect("written");
    path
}

/// The first digits of a plan's id.
fn short(plan: &Path) -> String {
    PlanFile::open(plan).expect("a plan").header().id[..12].to_owned()
}

/// Lets SQL at the store, which is left as it is otherwise.
fn tamper(locking: &Locking, sql: &str) {
    let connection = rusqlite::Connection::open(store_path(&locking.one.state())).expect("a store");
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("set");
    connection.execute_batch(sql).expect(sql);
}

#[test]
fn row_33_a_byte_a_missing_line_and_another_order_are_told_with_the_first_bad_line_and_both_digests() {
    let locking = Locking::new(6, &[], |_| ());
    assert!(locking.names.len() >= 3, "{:?}", locking.names);
    let one_byte = |lines: &mut Vec<String>| lines[2] = lines[2].replacen("\"set\"", "\"sex\"", 1);
    let removed = |lines: &mut Vec<String>| drop(lines.remove(2));
    let swapped = |lines: &mut Vec<String>| lines.swap(1, 2);
    let changes: [(u64, Change); 3] = [(3, one_byte), (3, removed), (2, swapped)];
    for (line, change) in changes {
        let refused = apply_file(&locking, &altered(&locking, change));
        let place = format!("altered.plan:{line}");
        assert_refused(&locking, &refused, 21, &["E-plan-002", &place, "its digest is", "found is", "plan again"]);
    }
    // A header that was changed shows in the trailer.
    let path = altered(&locking, |lines| lines[0] = lines[0].replacen("\"approvals\":0", "\"approvals\":1", 1));
    assert_refused(&locking, &apply_file(&locking, &path), 21, &["E-plan-002", "the trailer says", "found are"]);
    assert_goes_through(&locking);
}

#[test]
fn row_34_what_is_too_old_or_was_made_under_other_rules_is_told_which_and_to_plan_again() {
    let locking = Locking::new(4, &[], |_| ());
    let same = |_: &mut Operation| ();
    let expired = forged(&locking, |header| header.expires = "2026-01-31T00:00:00Z".parse().expect("a time"), same);
    let refused = apply_file(&locking, &expired);
    assert_refused(&locking, &refused, 21, &["E-apply-008", "until 2026-01-31", "plan again"]);
    let configured = forged(&locking, |header| header.config = "0".repeat(64), same);
    assert_refused(&locking, &apply_file(&locking, &configured), 21, &["E-apply-009", "another configuration", "plan again"]);
    let other = |header: &mut Header| header.registries.get_mut(ONE).expect("it").profile_digest = "0".repeat(64);
    let ruled = forged(&locking, other, same);
    assert_refused(&locking, &apply_file(&locking, &ruled), 21, &["E-apply-009", "the rules of `one`", "plan again"]);
    for version in [0, 2] {
        let path = altered(&locking, |lines| lines[0] = lines[0].replacen("\"privet_plan\":1", &format!("\"privet_plan\":{version}"), 1));
        let words = ["E-plan-001", "altered.plan:1", &format!("format {version}"), "knows 1", "plan again"];
        assert_refused(&locking, &apply_file(&locking, &path), 21, &words);
    }
    assert_goes_through(&locking);
}

#[test]
fn row_35_a_plan_that_was_applied_and_one_beside_a_run_half_done_are_told_with_the_runs_id() {
    let locking = Locking::new(40, &["latency_ms=40"], |_| ());
    let other = forged(&locking, |header| header.selection = vec!["registry=one".to_owned()], |_| ());
    let stopped = context(&[]);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("an update", || locking.told().iter().sum::<usize>() > 0);
            stopped.stop.stop();
        });
        apply(&locking.loaded, &locking.plan, &ApplyOptions::default(), &stopped).unwrap_or_else(|e| panic!("{e}"))
    });
    let verified = counts(&ended)["verified"];
    assert!(verified > 0 && verified < locking.names.len() as u64, "{}", ended.text);
    let before = locking.told();
    let (code, told) = apply_file(&locking, &other);
    assert!(code == 21 && told.contains("E-apply-010") && told.contains(&short(&locking.plan)), "{told}");
    assert_eq!(locking.told(), before);
    assert_goes_through(&locking);
    let (code, told) = apply_file(&locking, &locking.plan);
    assert!(code == 21 && told.contains("E-apply-007") && told.contains(&short(&locking.plan)), "{told}");
    locking.assert_once();
}

#[test]
fn row_36_an_unknown_registry_and_what_the_rules_forbid_are_refused_by_line_and_rule() {
    let locking = Locking::new(4, &[], |_| ());
    let elsewhere = forged(&locking, |_| (), |operation| operation.registry = "elsewhere".to_owned());
    let words = ["E-apply-015", "forged.plan:2", "`elsewhere`", "the plan does not rest"];
    assert_refused(&locking, &apply_file(&locking, &elsewhere), 20, &words);
    let rests = |header: &mut Header| {
        let facts = header.registries[ONE].clone();
        header.registries.insert("elsewhere".to_owned(), facts);
    };
    let unknown = forged(&locking, rests, |operation| operation.registry = "elsewhere".to_owned());
    let words = ["E-apply-015", "`elsewhere`", "the configuration does not have"];
    assert_refused(&locking, &apply_file(&locking, &unknown), 20, &words);
    // The registry alone sets this status (RFC 5731 §2.3), and no recipe deletes a domain.
    let pending = forged(
        &locking,
        |_| (),
        |operation| {
            let changed = operation.steps[0].facts.iter_mut().find(|change| change.was != change.wanted);
            changed.expect("a change").fact = Fact::status("pendingDelete");
        },
    );
    assert_refused(&locking, &apply_file(&locking, &pending), 20, &["E-apply-016", "forged.plan:2", "R-stat-00", "pendingDelete"]);
    let deleting = forged(
        &locking,
        |_| (),
        |operation| {
            operation.steps[0].turn = Turn::Delete;
            operation.steps[0].facts.clear();
        },
    );
    assert_refused(&locking, &apply_file(&locking, &deleting), 20, &["E-apply-016", "forged.plan:2", "R-plan-001", "delete a domain"]);
    assert_goes_through(&locking);
}

#[test]
fn row_37_one_object_with_opposite_wanted_states_is_told_with_both_lines() {
    let locking = Locking::new(6, &[], |_| ());
    let plan = PlanFile::open(&locking.plan).expect("a plan");
    let path = locking.plan.with_file_name("twice.plan");
    let mut writer = PlanWriter::create(&path, 1).expect("a plan");
    let all: Vec<Operation> = plan.operations().expect("operations").map(|op| op.expect("one")).collect();
    let mut back = all[0].clone();
    for change in &mut back.steps[0].facts {
        std::mem::swap(&mut change.was, &mut change.wanted);
    }
    for operation in all.into_iter().take(2).chain([back]) {
        writer.push(operation).expect("written");
    }
    writer.finish(plan.header().clone()).expect("a plan");
    assert_refused(&locking, &apply_file(&locking, &path), 21, &["E-plan-004", "twice.plan:4", "lines 2 and 4"]);
    assert_goes_through(&locking);
}

#[test]
fn row_38_a_line_of_two_gigabytes_and_what_no_json_is_are_told_with_line_and_cap() {
    let locking = Locking::new(4, &[], |_| ());
    let endless = locking.plan.with_file_name("endless.plan");
    let head = std::fs::read_to_string(&locking.plan).expect("a plan").lines().next().expect("a header").to_owned();
    write_atomic(&endless, format!("{head}\n").as_bytes()).expect("written");
    let mut file = std::fs::OpenOptions::new().write(true).open(&endless).expect("opened");
    file.seek(SeekFrom::Start(2 << 30)).expect("sought");
    file.write_all(b"\n").expect("written");
    assert_refused(&locking, &apply_file(&locking, &endless), 21, &["E-plan-005", "endless.plan:2", "longer than 1048576 bytes"]);
    let key = "\"privet_plan\":1,";
    let deep = format!("{key}\"undoes\":{}{},", "[".repeat(100_000), "]".repeat(100_000));
    for (instead, word) in [
        (deep.as_str(), "invalid type: sequence"),
        ("\"privet_plan\":1,\"privet_plan\":1,", "duplicate field"),
        ("\"privet_plan\":NaN,", "expected value"),
        ("\"privet_plan\":1,\"tool\":\"\\ud800\",", "hex escape"),
    ] {
        let path = altered(&locking, |lines| lines[0] = lines[0].replacen(key, instead, 1));
        assert_refused(&locking, &apply_file(&locking, &path), 21, &["E-plan-001", "altered.plan:1", word]);
    }
    assert_goes_through(&locking);
}

#[test]
fn row_39_a_plan_over_a_cap_is_refused_with_the_figures_and_the_flag() {
    let locking = Locking::new(4, &[], |_| ());
    let text = "40 operations, and at most 10 are allowed; --allow count --reason TEXT lets it pass";
    let gate = |passed| GateVerdict {
        gate: GateName::Count,
        registry: Some(ONE.to_owned()),
        kind: None,
        passed,
        text: text.to_owned(),
        allowed_because: None,
    };
    let over = forged(&locking, |header| header.gates = vec![gate(false)], |_| ());
    assert_refused(&locking, &apply_file(&locking, &over), 20, &["E-apply-011", "40 operations", "at most 10", "--allow count"]);
    let (code, told) = apply_file(&locking, &forged(&locking, |header| header.gates = vec![gate(true)], |_| ()));
    assert_eq!(code, 0, "{told}");
}

#[test]
fn row_40_a_damaged_store_and_one_without_its_log_stop_everything_and_nothing_is_deleted() {
    let locking = Locking::new(6, &[], |_| ());
    let path = store_path(&locking.one.state());
    let log = path.with_file_name("store.sqlite-wal");
    let aside = path.with_file_name("aside");
    let whole = std::fs::read(&path).expect("a store");
    // The log is gone, and stays gone however often it is asked for.
    privet::base::place_tree(&log, &aside).expect("moved");
    for _ in 0..2 {
        let words = ["E-store-009", "restore both from a backup", "privet reconcile", "nothing was deleted"];
        assert_refused(&locking, &apply_file(&locking, &locking.plan), 33, &words);
        assert!(!log.exists() && std::fs::read(&path).expect("a store") == whole);
    }
    privet::base::place_tree(&aside, &log).expect("put back");
    // A page is damaged.
    let mut damaged = whole.clone();
    let page = damaged.len() / 4096 / 2 * 4096;
    damaged[page..page + 512].fill(0xA5);
    write_atomic(&path, &damaged).expect("written");
    let refused = apply_file(&locking, &locking.plan);
    assert_refused(&locking, &refused, 33, &["E-store-002", "restore it from a backup", "privet reconcile", "nothing was deleted"]);
    assert!(std::fs::read(&path).expect("a store") == damaged);
    write_atomic(&path, &whole).expect("restored");
    assert_goes_through(&locking);
}

/// Adds rows to the chain of the run of a plan.
fn journaled(locking: &Locking, rows: Vec<Box<[u8]>>) {
    let mut store = SqliteStore::open(&store_path(&locking.one.state())).expect("a store");
    let stream = journal::run_stream(&PlanFile::open(&locking.plan).expect("a plan").header().id, 1).expect("a stream");
    let expected = store.head(&stream).expect("a head").rows;
    store.commit(&Batch { appends: vec![Append { stream, expected, rows }], cells: Vec::new() }).expect("kept");
}

fn step(to: StepState, sends: u8) -> Box<[u8]> {
    Entry::Step(StepRow::new((1, 0), ObjectRef::new([7; 16]), to, sends, Timestamp::UNIX_EPOCH)).to_row()
}

#[test]
fn row_41_a_broken_chain_an_illegal_step_and_a_newer_store_are_told_with_row_and_hashes() {
    let locking = Locking::new(4, &[], |_| ());
    journaled(&locking, vec![step(StepState::Sending, 1)]);
    tamper(&locking, "UPDATE row SET bytes = CAST(bytes || ' ' AS BLOB) WHERE stream = (SELECT id FROM stream WHERE name LIKE 'run/%')");
    let refused = apply_file(&locking, &locking.plan);
    assert_refused(&locking, &refused, 33, &["E-store-003", "breaks at row 0: stored ", ", computed ", "nothing was deleted"]);
    assert!(refused.1.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() == 64).count() >= 2, "both hashes: {}", refused.1);

    let locking = Locking::new(4, &[], |_| ());
    journaled(&locking, vec![step(StepState::Sending, 1), step(StepState::Applied, 1), step(StepState::Sending, 2)]);
    let words = ["E-journal-001", "row 2 of run/", "step 0 of operation 1 went from applied to sending"];
    assert_refused(&locking, &apply_file(&locking, &locking.plan), 33, &words);

    let locking = Locking::new(4, &[], |_| ());
    tamper(&locking, "PRAGMA user_version = 7");
    assert_refused(&locking, &apply_file(&locking, &locking.plan), 2, &["E-store-005", "version 7", "knows up to 1", "newer program"]);
    tamper(&locking, "PRAGMA user_version = 1");
    assert_goes_through(&locking);
}

#[test]
fn row_42_the_journal_of_another_plan_breaks_its_own_chain() {
    let locking = Locking::new(4, &[], |_| ());
    journaled(&locking, vec![step(StepState::Sending, 1)]);
    let other = forged(&locking, |header| header.selection = vec!["registry=one".to_owned()], |_| ());
    let id = PlanFile::open(&other).expect("a plan").header().id.clone();
    tamper(&locking, &format!("UPDATE stream SET name = 'run/{id}/1' WHERE name LIKE 'run/%'"));
    let words = ["E-store-003", &format!("run/{id}/1 breaks at row 0"), "privet reconcile"];
    assert_refused(&locking, &apply_file(&locking, &other), 33, &words);
}

#[test]
fn row_42_a_store_of_another_machine_is_refused_until_somebody_says_that_it_moved() {
    let locking = Locking::new(4, &[], |_| ());
    let path = store_path(&locking.one.state());
    let strange = |store: &mut SqliteStore| {
        let cell = Cell::Put(Table::Host, b"host".as_slice().into(), b"another".as_slice().into());
        store.commit(&Batch { appends: Vec::new(), cells: vec![cell] }).expect("kept");
    };
    strange(&mut SqliteStore::open(&path).expect("a store"));
    // A machine without an identity cannot tell.
    let is_known = std::fs::read_to_string("/etc/machine-id").is_ok_and(|id| id.trim().len() == 32);
    if is_known {
        for verb in [&["apply", &locking.plan.display().to_string()][..], &["consent", "show"]] {
            assert_refused(&locking, &run(&locking, verb), 2, &["E-store-010", "another machine", "privet store move"]);
        }
    }
    let (code, told) = run(&locking, &["store", "move"]);
    assert_eq!(code, 0, "{told}");
    let kept = SqliteStore::open(&path).expect("a store").get(Table::Host, b"host").expect("looked");
    assert_eq!(kept.is_some_and(|host| host != b"another"), is_known);
    assert_goes_through(&locking);
}

#[test]
fn row_42_a_store_that_is_read_only_is_told_with_what_to_do() {
    let locking = Locking::new(4, &[], |_| ());
    let path = store_path(&locking.one.state());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).expect("set");
    // The superuser may write anywhere, unless the right to is given up.
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-all", "--inh-caps=-all"]).arg(env!("CARGO_BIN_EXE_privet"));
        command
    } else {
        Command::new(env!("CARGO_BIN_EXE_privet"))
    };
    command.args(["apply", "--quiet", "--config"]).arg(locking.one.config()).arg(&locking.plan);
    let refused = told(&command.output().expect("a process"));
    assert_refused(&locking, &refused, 2, &["E-store-008", "not be written to", "chown", "mode 0600"]);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
    assert_goes_through(&locking);
}

#[test]
fn row_44_a_digest_a_registry_a_dash_and_a_place_that_is_taken() {
    let locking = Locking::new(4, &[], |_| ());
    let plan = locking.plan.display().to_string();
    for digest in ["0123456789a", "not hexadecimal", &"0".repeat(65)] {
        let refused = run(&locking, &["apply", &plan, "--digest", digest]);
        assert_refused(&locking, &refused, 2, &["E-plan-006", "12 to 64 hexadecimal digits"]);
    }
    assert_refused(
        &locking,
        &run(&locking, &["apply", &plan, "--digest", "0123456789ab"]),
        21,
        &["E-plan-002", "0123456789ab was reviewed"],
    );
    assert_refused(&locking, &run(&locking, &["apply", &plan, "--registry", "oen"]), 2, &["`oen`", "one"]);
    for verb in ["apply", "show"] {
        let (code, told) = if verb == "apply" { run(&locking, &[verb, "-"]) } else { told(&shown("-")) };
        assert!(code == 2 && told.contains("E-plan-018"), "{verb}: {told}");
    }
    // Nothing is written over.
    let before = std::fs::read(&locking.plan).expect("a plan");
    assert_refused(&locking, &run(&locking, &["plan", "lock", "--out", &plan]), 2, &["E-plan-013", "lock.plan"]);
    assert!(std::fs::read(&locking.plan).expect("a plan") == before);
    assert_goes_through(&locking);
}

fn shown(plan: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_privet")).args(["show", plan]).output().expect("a process")
}
