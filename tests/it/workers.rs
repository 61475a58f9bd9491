//! One plan, several workers: processes that share a run through a database, and are killed again and again. Nothing is lost, nothing takes
//! effect twice, and together they never ask more of an account than one may.
#![expect(clippy::print_stdout, reason = "the seed and what the rounds came to are what a failure is looked into with")]

use crate::database::{opened, server, table};
use crate::kill::{Killing, LOCKING, Planned, stated};
use crate::served::wait_until;
use privet::base::{Entropy as _, SeededEntropy, create_private_dir, remove_tree, write_atomic};
use privet::journal;
use privet::plan::PlanFile;
use privet::store::Store as _;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::Duration;

/// How many share a run.
const WORKERS: usize = 3;
/// What both registries let the workers do together, no more than which is ours of either account: sessions at a time, and commands in so
/// many seconds.
const SESSIONS: u32 = 4;
const RATE: (u32, u32) = (750, 5);

/// The processes of a run, each with a state directory of its own, as on machines of their own.
struct Crew<'a> {
    killing: &'a Killing,
    plan: &'a Planned,
    running: Vec<Option<Child>>,
    /// The reports of those that ended by themselves, with their exit codes.
    ended: Vec<(i32, Value)>,
}

impl<'a> Crew<'a> {
    fn new(killing: &'a Killing, plan: &'a Planned) -> Self {
        let mut crew = Self { killing, plan, running: (0..WORKERS).map(|_| None).collect(), ended: Vec::new() };
        (0..WORKERS).for_each(|worker| crew.start(worker));
        crew
    }

    fn start(&mut self, worker: usize) {
        let mut command = self.killing.world.process(&["apply", "--quiet", "--format", "json"]);
        for place in ["state", "reports"] {
            command.arg(format!("--{place}")).arg(self.killing.world.data().join(format!("{place}-{worker}")));
        }
        self.running[worker] = Some(command.arg(&self.plan.path).stderr(Stdio::null()).spawn().expect("a process"));
    }

    /// Notes who ended by itself. One that lost its claim, on a machine that is too busy to renew it, takes part again. How many are at work.
    fn look(&mut self) -> usize {
        for worker in 0..WORKERS {
            let one = &mut self.running[worker];
            if one.as_mut().is_some_and(|child| child.try_wait().expect("a process").is_some()) {
                let output = one.take().expect("a process").wait_with_output().expect("it ended");
                let code = output.status.code().expect("an exit code");
                self.ended.push((code, serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)));
                if code == 33 {
                    self.start(worker);
                }
            }
        }
        self.running.iter().flatten().count()
    }

    /// Pulls the plug of a worker that is at work, and starts it again.
    fn kill(&mut self, drawn: u64) -> bool {
        let at_work: Vec<usize> = (0..WORKERS).filter(|worker| self.running[*worker].is_some()).collect();
        let Some(worker) = at_work.get(usize::try_from(drawn).unwrap_or_default() % at_work.len().max(1)).copied() else { return false };
        let mut child = self.running[worker].take().expect("at work");
        child.kill().expect("killed");
        child.wait().expect("it is gone");
        self.start(worker);
        true
    }
}

/// What the journal in the database has of the plan's run: how many rows each chain has, how often an operation was taken over, and whether
/// the run is over.
fn journaled(database: &crate::server::Server, plan: &Planned) -> (Vec<u64>, u64, bool) {
    let plan = PlanFile::open(&plan.path).expect("a plan");
    let (id, mut store) = (&plan.header().id, opened(database));
    let heads = store.heads(&format!("run/{id}/")).expect("chains");
    let mut taken_over = 0;
    journal::steps(&mut store, id, &mut |row| taken_over += u64::from(row.turn > 1)).expect("rows");
    let fold = journal::open(&mut store, id).expect("every chain holds, and what is in them fits together");
    (heads.iter().map(|(_, head)| head.rows).collect(), taken_over, fold.is_closed())
}

#[test]
fn three_workers_share_a_plan_and_whoever_is_killed_is_gone_on_for() {
    let Some(server) = server() else { return };
    let (contacts, kills) = (stated("PRIVET_WORKERS_CONTACTS", 4_000), stated("PRIVET_WORKERS_KILLS", 6));
    let seed = stated("PRIVET_KILL_SEED", 48);
    let secrets = tempfile::tempdir().expect("a directory");
    let extra = table(&server, secrets.path()) + &format!("workers = {WORKERS}\nlease_seconds = 5\n");
    // Half of an account is ours.
    let (sessions, (commands, seconds)) = (SESSIONS * 2, (RATE.0 * 2, RATE.1));
    let limits = format!("sessions = {sessions}\nrate = {{ commands = {commands}, seconds = {seconds} }}\nreply_seconds = 1\n");
    let knobs = [format!("sessions={SESSIONS}"), format!("rate={}/{}", RATE.0, RATE.1)];
    let mut killing = Killing::over(contacts, seed, &knobs, &limits, &extra);
    let plan = killing.plan("lock", 1, &[]);
    let mut moments = SeededEntropy::new(seed);
    let mut draw = |below: u64| {
        let mut bytes = [0; 8];
        moments.fill(&mut bytes).expect("drawn");
        u64::from_le_bytes(bytes) % below
    };
    let mut crew = Crew::new(&killing, &plan);
    let (mut killed, mut restarted) = (0, 0);
    let is_over = || journaled(&server, &plan).2;
    loop {
        std::thread::sleep(Duration::from_millis(if killed < kills { 300 + draw(2_500) } else { 100 }));
        if crew.look() == 0 {
            if is_over() {
                break;
            }
            // The last one was killed in front of the run's last row.
            restarted += 1;
            assert!(restarted <= 3, "seed {seed}: the run does not end: {:?}", crew.ended);
            crew.start(0);
        }
        if killed < kills && crew.kill(draw(u64::MAX)) {
            killed += 1;
        }
    }
    let (chains, taken_over, _) = journaled(&server, &plan);
    let told =
        format!("seed {seed}, {} operations, {killed} kills, chains of {chains:?} rows, {taken_over} taken over", plan.objects.len());
    println!("{told}");
    assert!(chains.len() == WORKERS && chains.iter().all(|rows| *rows > 20), "each worker had its share: {told}");
    assert!(killed == 0 || taken_over > 0, "{told}");
    let ended = std::mem::take(&mut crew.ended);
    drop(crew);
    // A change is sent twice at most: one that was cut off twice before the registry heard of it is a person's to look at.
    let effects = killing.effects();
    let left = plan.objects.iter().filter(|object| effects.get(*object).is_none_or(|count| *count == 0)).count() as u64;
    let twice: BTreeMap<_, _> = effects.iter().filter(|(object, count)| **count > 1 || !plan.objects.contains(*object)).collect();
    assert!(twice.is_empty(), "{told}: {twice:?}");
    let id = PlanFile::open(&plan.path).expect("a plan").header().id.clone();
    let state = killing.world.data().join("state-0").display().to_string();
    let (code, json, _) = killing.world.run(&["reconcile", &id, "--state", &state]);
    let of = |state: &str| json[state].as_u64().unwrap_or_else(|| panic!("{told}: {json}"));
    assert_eq!((of("verified"), of("failed")), (plan.objects.len() as u64 - left, left), "{told}: {json}");
    assert_eq!((of("planned"), of("conflict"), of("unknown"), of("pending")), (0, 0, 0, 0), "{told}: {json}");
    assert_eq!(code, if left == 0 { 0 } else { 50 }, "{told}");
    assert!(ended.len() < 30 && ended.iter().all(|(code, _)| [0, 21, 30, 33, 50].contains(code)), "{told}: {ended:?}");
    // What one account may do, no registry saw exceeded: it would have said so.
    for registry in LOCKING {
        let said = killing.world.frames(registry, "out");
        assert!(!said.iter().any(|frame| frame.contains("code=\"2502\"")), "{told}: {registry} saw more than it allows");
    }
    // What the registries hold is what was planned: nothing is left, but for what failed.
    assert_eq!(killing.plan("lock", 2, &[]).objects.len() as u64, left, "{told}");
}

#[test]
fn a_run_is_shared_by_as_many_as_are_allowed_and_no_other_plan_is_applied_beside_it() {
    let Some(server) = server() else { return };
    let secrets = tempfile::tempdir().expect("a directory");
    let extra = table(&server, secrets.path()) + "workers = 1\nlease_seconds = 2\n";
    let killing = Killing::over(1_400, 48, &[], "reply_seconds = 2\n", &extra);
    let whole = killing.plan("lock", 1, &[]);
    let names: String = whole.objects.iter().filter_map(|object| Some(format!("{}\n", object.split_once('/')?.1))).take(5).collect();
    let some = killing.world.data().join("names.txt");
    write_atomic(&some, names.as_bytes()).expect("written");
    let plans = [whole, killing.plan("lock", 2, &["--select", &format!("file={}", some.display())])];
    let id = PlanFile::open(&plans[0].path).expect("a plan").header().id.clone();
    let run = |verb: &str, what: &str, further: &[&str]| {
        let state = killing.world.data().join("state-9").display().to_string();
        killing.world.run(&[&[verb, what, "--state", &state], further].concat())
    };
    let path = |n: usize| plans[n].path.display().to_string();
    // One that is at the run, and begins nothing.
    let pause = killing.world.data().join("pause");
    write_atomic(&pause, b"").expect("written");
    let mut command = killing.world.process(&["apply", "--quiet", "--format", "json"]);
    let mut first = command.arg(&plans[0].path).arg("--pause-file").arg(&pause).stderr(Stdio::null()).spawn().expect("a process");
    wait_until("the run has begun", || opened(&server).heads(&format!("run/{id}/")).expect("chains").len() == 1);
    let locked = |(code, _, told): (i32, Value, String), why: &str| {
        assert!(code == 30 && told.contains("E-lock-002") && told.contains(why), "{code}: {told}");
    };
    locked(run("apply", &path(0), &[]), "`store.workers` allows (1)");
    locked(run("apply", &path(1), &[]), "another plan");
    // A settlement sends nothing, and nobody may send anything beside it.
    let folder = killing.world.data().join("state-9/plans");
    create_private_dir(&folder).expect("made");
    write_atomic(&folder.join(format!("{id}.plan")), &std::fs::read(&plans[0].path).expect("a plan")).expect("written");
    locked(run("reconcile", &id, &[]), "others are at work");
    assert_eq!(opened(&server).at_work(&id, "").expect("a number"), 1);
    remove_tree(&pause).expect("removed");
    assert_eq!(first.wait().expect("it ended").code(), Some(0));
    // Nobody is at work any more, and what was refused may go on: it is told that the run is over, and what the other plan was to do is done.
    let (code, _, told) = run("apply", &path(0), &[]);
    assert!(code == 21 && told.contains("E-apply-007"), "{code}: {told}");
    let (code, json, told) = run("apply", &path(1), &[]);
    assert_eq!((code, json["verified"].as_u64()), (0, Some(plans[1].objects.len() as u64)), "{told}");
    let (code, json, told) = run("reconcile", &id, &[]);
    assert_eq!((code, json["verified"].as_u64()), (0, Some(plans[0].objects.len() as u64)), "{told}");
}
