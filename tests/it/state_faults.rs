//! What goes wrong beside the line while registries are changed, row by row of the fault matrix: a registry that forgets (47), a disk that
//! fails (49), a second process and clocks that jump (50). `row_NN_` is the row's number there.

use crate::apply::{Locking, counts};
use crate::served::{THICK, World, context, wait_until};
use jiff::SignedDuration;
use privet::base::{Clock, Exit, Moment, StateDir, SystemClock, Timestamp, write_atomic};
use privet::job::{ApplyOptions, Context, apply, reconcile, store_path};
use privet::journal;
use privet::plan::PlanFile;
use privet::store::SqliteStore;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// The domains whose change took effect at the largest registry, once for each time.
fn effects(world: &World) -> Vec<String> {
    let lines = world.commit_lines(THICK);
    lines.iter().filter_map(|line| line["object"].as_str()?.strip_prefix("domain/").map(ToOwned::to_owned)).collect()
}

#[test]
fn row_47_what_a_registry_acknowledged_and_lost_is_told_with_the_run_that_verified_it_and_never_silently_redone() {
    let world = World::new(300, 5);
    let served = world.serve(&[]);
    world.import_consent();
    let night = |table: &str| {
        let config = std::fs::read_to_string(world.config()).expect("a configuration");
        let config = config.split("\n[run]").next().expect("a configuration").to_owned();
        write_atomic(&world.config(), (config + table).as_bytes()).expect("written");
        let (code, json, told) = world.run(&["run"]);
        (code, json["plans"][0].clone(), told)
    };
    // The nightly run locks by itself.
    let applying = "\n[run]\n[run.apply.lock]\nmax_operations = 1000\nuntil = \"2099-12-31\"\n";
    let (code, first, told) = night(applying);
    assert_eq!(
        (code, &first["applied"]["verified"], &first["applied"]["closed"]),
        (0, &first["operations"], &true.into()),
        "{first:#}{told}"
    );
    let locked = effects(&world);
    assert!(locked.len() >= 4, "{locked:?}");
    // The registry is put back to a backup, and does not know of the last of them any more.
    drop(served);
    let overlay = world.state_of(THICK).join("overlay.ndjson");
    let text = std::fs::read_to_string(&overlay).expect("an overlay");
    let lines: Vec<&str> = text.lines().collect();
    write_atomic(&overlay, (lines[..lines.len() - 2].join("\n") + "\n").as_bytes()).expect("cut");
    let mut lost = locked[locked.len() - 2..].to_vec();
    lost.sort_unstable();
    let _served = world.serve(&[]);
    // The next night sees it, says that a run had verified it, and leaves it to a person although it may lock by itself.
    let (code, next, told) = night(applying);
    // (20: others are without consent in this world.)
    assert_eq!((code, next["operations"].as_u64()), (20, Some(2)), "{next:#}{told}");
    let left = next["left_for_review"].as_str().unwrap_or_default();
    assert!(left.starts_with("left for review") && left.contains("verified") && next["applied"].is_null(), "{next:#}");
    assert_eq!(effects(&world), locked, "nothing is done again");
    let path = next["plan"].as_str().expect("a plan").to_owned();
    let plan = PlanFile::open(path.as_ref()).expect("a plan");
    let run_id = PlanFile::open(first["plan"].as_str().expect("a plan").as_ref()).expect("a plan").header().id[..12].to_owned();
    let mut named = Vec::new();
    for operation in plan.operations().expect("operations").map(|op| op.expect("one")) {
        let reason = operation.reasons.iter().find(|reason| reason.rule == "R-plan-021").expect("a reason");
        assert!(reason.text.contains(&run_id), "{}", reason.text);
        named.push(operation.object.id);
    }
    named.sort_unstable();
    assert_eq!(named, lost);
    let folder = std::path::Path::new(&path).parent().expect("a folder");
    let findings = std::fs::read_to_string(folder.join("findings.csv")).expect("findings");
    assert_eq!(findings.lines().filter(|line| line.contains(",R-plan-021,")).count(), 2, "{findings}");
    let select: Vec<String> = lost.iter().map(|name| format!("domain={name}")).collect();
    let select = select.iter().flat_map(|domain| ["--select", domain.as_str()]);
    let args: Vec<&str> = ["plan", "lock"].into_iter().chain(select).collect();
    let (code, _, told) = world.run(&args);
    assert_eq!(code, 11, "{told}");
    // Going on with the old run does nothing either.
    let old = first["plan"].as_str().expect("a plan");
    let (code, _, told) = world.run(&["apply", old]);
    assert!(code == 21 && told.contains("E-apply-007") && effects(&world) == locked, "{told}");
    // Whoever has looked into it applies the plan like any other.
    let (code, json, told) = world.run(&["apply", &path]);
    assert_eq!((code, json["verified"].as_u64()), (0, Some(2)), "{told}");
    assert_eq!(effects(&world).len(), locked.len() + 2);
    // And a lock that the registry has is nobody's to do again.
    let (code, last, told) = night(applying);
    assert_eq!((code, last["left_for_review"].as_str()), (20, Some("nothing to do")), "{last:#}{told}");
}

/// Lets `rows` rows in all into the journal, and no further one, as a disk that fails there would; any number where nothing is said.
fn limit(locking: &Locking, rows: Option<u64>) {
    let connection = rusqlite::Connection::open(store_path(&locking.one.state())).expect("a store");
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("set");
    let full = rows.map_or_else(String::new, |rows| {
        format!(
            "CREATE TRIGGER full BEFORE INSERT ON row WHEN (SELECT count(*) FROM row) >= {rows}
             BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END;"
        )
    });
    connection.execute_batch(&format!("DROP TRIGGER IF EXISTS full; {full}")).expect("done");
}

/// The steps of which the journal says that they were sent.
fn recorded(locking: &Locking) -> usize {
    let plan = PlanFile::open(&locking.plan).expect("a plan");
    let mut store = SqliteStore::open(&store_path(&locking.one.state())).expect("a store");
    let fold = journal::open(&mut store, &plan.header().id).expect("the chain holds");
    let operations = plan.operations().expect("operations").map(|op| op.expect("one").op);
    operations.filter(|op| fold.of(*op, 0).sends > 0).count()
}

#[test]
fn row_49_where_the_journal_cannot_be_written_nothing_is_sent_and_the_next_run_settles_what_was_open() {
    let locking = Locking::new(40, &[], |_| ());
    let all = locking.names.len();
    let mut stages = std::collections::BTreeSet::new();
    // The disk fails before the run's first row, behind it, and then at a later row each time.
    for rows in [0, 1, 2, 3, 4, 7, 12, 20] {
        limit(&locking, Some(rows));
        let outcome = apply(&locking.loaded, &locking.plan, &ApplyOptions::default(), &context(&[]));
        let (exit, ids): (Exit, Vec<String>) = match outcome {
            Ok(ended) => (ended.exit(), ended.problems.iter().map(|problem| problem.id.clone()).collect()),
            Err(problems) => {
                let exit = Exit::worst(problems.kept().iter().map(|problem| problem.exit));
                (exit, problems.kept().iter().map(|problem| problem.id.clone()).collect())
            }
        };
        assert!(exit == Exit::Storage && ids.iter().any(|id| id == "E-store-006"), "{rows} rows: {exit:?} {ids:?}");
        let told: usize = locking.told().iter().sum();
        assert!(told <= recorded(&locking), "{rows} rows: what was sent stands in the journal");
        stages.insert(told);
        if rows <= 1 {
            assert_eq!(told, 0, "before the first row of a command nothing is sent");
        }
    }
    assert!(stages.iter().any(|told| (1..all).contains(told)), "it failed in the middle of the run as well: {stages:?} of {all}");
    limit(&locking, None);
    let ended = locking.apply();
    assert_eq!((ended.exit(), counts(&ended)["verified"]), (Exit::Done, all as u64), "{}", ended.text);
    locking.assert_once();
    assert!(locking.told().iter().all(|told| *told == 1), "{:?}", locking.told());
}

#[test]
fn row_49_a_full_disk_ends_the_process_with_33_and_the_same_command_goes_on() {
    let locking = Locking::new(40, &[], |_| ());
    // No file may grow beyond so many blocks of 512 bytes.
    let within = |blocks: u32| {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"", "sh", &blocks.to_string()]);
        command.args([env!("CARGO_BIN_EXE_privet"), "apply", "--quiet", "--config"]).arg(locking.one.config()).arg(&locking.plan);
        let output = command.stdout(Stdio::null()).stderr(Stdio::piped()).output().expect("a process");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let mut stopped = 0;
    for blocks in [0, 8, 160, 200, 260] {
        let (code, said) = within(blocks);
        assert!(code == Some(33) && said.contains("free space"), "{blocks} blocks: {code:?} {said}");
        let told: usize = locking.told().iter().sum();
        assert!(told <= recorded(&locking) && (blocks > 8 || told == 0), "{blocks} blocks: {told}");
        stopped += usize::from(told > 0);
    }
    assert!(stopped > 0, "the disk was full in the middle of the run as well");
    let (code, said) = within(1 << 20);
    assert_eq!(code, Some(0), "{said}");
    locking.assert_once();
    assert!(locking.told().iter().all(|told| *told == 1), "{:?}", locking.told());
}

#[test]
fn row_50_a_second_run_is_told_who_holds_the_lock_and_a_dead_ones_lock_holds_nobody() {
    let locking = Locking::new(6, &[], |_| ());
    let state = StateDir::open(&locking.one.state()).expect("a state directory");
    let heard = locking.one.frames("in").len();
    let lock = state.lock("run of somebody else, process 7").expect("the lock");
    let options = ApplyOptions::default();
    let refused = apply(&locking.loaded, &locking.plan, &options, &context(&[])).expect_err("a second one").into_first();
    assert_eq!((refused.id.as_str(), refused.exit), ("E-lock-001", Exit::Locked), "{refused}");
    assert!(refused.what.contains("run of somebody else, process 7"), "{refused}");
    let id = PlanFile::open(&locking.plan).expect("a plan").header().id.clone();
    assert_eq!(reconcile(&locking.loaded, &id, false, &context(&[])).expect_err("a second one").into_first().exit, Exit::Locked);
    assert_eq!((locking.one.frames("in").len(), recorded(&locking)), (heard, 0), "nothing is sent");
    drop(lock);
    // What is left of a process that is gone is its note alone.
    assert!(std::fs::read_to_string(locking.one.state().join("lock")).expect("a note").contains("process 7"));
    assert_eq!(locking.apply().exit(), Exit::Done);
    locking.assert_once();
}

#[test]
fn row_50_two_processes_at_once_are_one_run() {
    let locking = Locking::new(40, &["service_ms=20"], |_| ());
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_privet"));
        command.args(["apply", "--quiet", "--config"]).arg(locking.one.config()).arg(&locking.plan);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process")
    };
    let mut first = start();
    wait_until("the first command", || locking.told().iter().sum::<usize>() > 0);
    let second = start().wait().expect("it ended").code();
    assert_eq!(second, Some(30));
    assert_eq!(first.wait().expect("it ended").code(), Some(0));
    locking.assert_once();
    assert!(locking.told().iter().all(|told| *told == 1), "{:?}", locking.told());
}

/// A calendar that is some hours off the machine's.
struct Off {
    real: SystemClock,
    hours: i64,
}

impl Clock for Off {
    fn moment(&self) -> Moment {
        self.real.moment()
    }

    fn wall(&self) -> Timestamp {
        self.real.wall() + SignedDuration::from_hours(self.hours)
    }
}

#[test]
fn row_50_a_clock_that_jumps_by_an_hour_between_runs_changes_nothing() {
    for hours in [-1, 1] {
        let locking = Locking::new(40, &["latency_ms=40"], |_| ());
        let stopped = context(&[]);
        let ended = std::thread::scope(|scope| {
            scope.spawn(|| {
                wait_until("an update", || locking.told().iter().sum::<usize>() > 0);
                stopped.stop.stop();
            });
            apply(&locking.loaded, &locking.plan, &ApplyOptions::default(), &stopped).unwrap_or_else(|e| panic!("{e}"))
        });
        assert!(ended.exit() == Exit::Stopped && counts(&ended).contains_key("planned"), "{}", ended.text);
        let off = Context { clock: Arc::new(Off { real: SystemClock::new(), hours }), ..context(&[]) };
        let ended = apply(&locking.loaded, &locking.plan, &ApplyOptions::default(), &off).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((ended.exit(), counts(&ended)["verified"]), (Exit::Done, locking.names.len() as u64), "{hours} h: {}", ended.text);
        locking.assert_once();
        assert!(locking.told().iter().all(|told| *told == 1), "{hours} h: {:?}", locking.told());
    }
}
