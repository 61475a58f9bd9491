//! The real binary under SIGKILL: plans of some hundred changes at two registries over TLS, killed at moments that a seed draws, and
//! begun again until a run ends by itself. Each plan ends as it was meant to, and each of its changes takes effect once.
#![expect(clippy::print_stdout, reason = "the seed and what the rounds came to are what a failure is looked into with")]

use crate::apply::is_effective;
use crate::served::{THICK, World, context};
use privet::base::{SeededEntropy, write_atomic};
use privet::job::pull;
use privet::mock::Served;
use privet::plan::PlanFile;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// Registries that have a lock.
pub(crate) const LOCKING: [&str; 2] = [THICK, "nz"];
/// Rounds in CI.
const ROUNDS: u64 = 50;

/// A number that the environment states.
#[expect(clippy::disallowed_methods, reason = "the long mode is asked for by the environment")]
pub(crate) fn stated(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Moments at which a process is killed: most of them early, some behind what a lost answer has to wait for.
struct Moments(SeededEntropy);

impl Moments {
    fn next(&mut self) -> Duration {
        use privet::base::Entropy as _;
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes).expect("drawn");
        let drawn = u64::from_le_bytes(bytes);
        let ms = if drawn.is_multiple_of(5) { 1_200 + (drawn >> 8) % 1_500 } else { 80 + (drawn >> 8) % 500 };
        Duration::from_millis(ms)
    }
}

/// Two registries, records whose registrants all agreed, and the verbs as processes.
pub(crate) struct Killing {
    pub(crate) world: World,
    _served: Vec<Served>,
    /// How far the commit logs were read.
    read: BTreeMap<&'static str, usize>,
}

/// A plan with the objects of its operations, `registry domain/name`.
pub(crate) struct Planned {
    pub(crate) path: PathBuf,
    pub(crate) objects: BTreeSet<String>,
}

impl Killing {
    pub(crate) fn new(contacts: u64, seed: u64) -> Self {
        Self::over(contacts, seed, &[], "reply_seconds = 1\nsessions = 8\n", "")
    }

    /// The same with these knobs and `limits` at both registries, and `extra` lines of configuration.
    pub(crate) fn over(contacts: u64, seed: u64, knobs: &[String], limits: &str, extra: &str) -> Self {
        let world = World::new(contacts, seed);
        let usual = if knobs.iter().any(|knob| knob.starts_with("service_ms")) { None } else { Some("service_ms=8") };
        let knobs = || knobs.iter().map(String::as_str).chain(usual);
        let knobs: Vec<_> = LOCKING.iter().flat_map(|registry| knobs().map(move |knob| (*registry, knob))).collect();
        let served = world.serve(&knobs);
        let path = world.config();
        let mut text = std::fs::read_to_string(&path).expect("a configuration");
        for registry in LOCKING {
            let table = format!("[registries.{registry}.limits]\n");
            text = text.replace(&table, &format!("{table}{limits}"));
        }
        write_atomic(&path, (text + "\n[gates]\nmax_share = 1.0\n" + extra).as_bytes()).expect("written");
        let this = Self { world, _served: served, read: BTreeMap::new() };
        this.consent();
        this
    }

    /// Everybody agrees to the lock.
    fn consent(&self) {
        let mut text = "registry,handle,purpose,event,at,notice,notice_version,notice_language,method,by\n".to_owned();
        // Some domains' registrants are not in the records.
        let people = self.recorded("contacts.csv", "id");
        for (registry, handle) in self.recorded("domains.csv", "registrant").intersection(&people) {
            text.push_str(&format!("{registry},{handle},transfer-lock,given,2020-01-01T09:30:00Z,consent-request,3,en,page,registrant\n"));
        }
        let path = self.world.data().join("agreed.csv");
        write_atomic(&path, text.as_bytes()).expect("written");
        let (code, _, told) = self.world.run(&["consent", "import", &path.display().to_string()]);
        assert_eq!(code, 0, "{told}");
    }

    /// What stands in a column of the records, with the registry, for those that have a lock.
    fn recorded(&self, file: &str, column: &str) -> BTreeSet<(String, String)> {
        let mut reader = csv::Reader::from_path(self.world.data().join("records").join(file)).expect("records");
        let header = reader.headers().expect("a header").clone();
        let [registry, value] = ["registry", column].map(|name| header.iter().position(|column| column == name).expect(name));
        let pairs = reader.records().map(|record| record.expect("a row")).map(|row| (row[registry].to_owned(), row[value].to_owned()));
        pairs.filter(|(registry, _)| LOCKING.contains(&registry.as_str())).collect()
    }

    pub(crate) fn pull(&self) {
        pull(&self.world.load(), &context(&LOCKING)).expect("pulled");
    }

    /// Plans upon a new pull, with these selectors besides the registries.
    pub(crate) fn plan(&self, recipe: &str, turn: u64, further: &[&str]) -> Planned {
        self.pull();
        let path = self.world.data().join(format!("{recipe}-{turn}.plan"));
        let out = path.display().to_string();
        let registries = LOCKING.map(|registry| format!("registry={registry}"));
        let select = registries.iter().flat_map(|registry| ["--select", registry.as_str()]);
        let args: Vec<&str> = ["plan", recipe, "--out", &out].into_iter().chain(select).chain(further.iter().copied()).collect();
        let (code, _, told) = self.world.run(&args);
        assert!([0, 10, 20].contains(&code), "{code}: {told}");
        let plan = PlanFile::open(&path).unwrap_or_else(|problem| panic!("{problem}"));
        assert!(plan.header().refused().next().is_none(), "{:?}", plan.header().gates);
        let operations = plan.operations().expect("operations").map(|op| op.expect("an operation"));
        let objects = operations.map(|op| format!("{} {}/{}", op.registry, op.object.kind.as_str(), op.object.id)).collect();
        Planned { path, objects }
    }

    /// Applies, and pulls the plug at `moment` where one is given. The exit code, where it ended by itself, and its report.
    fn apply(&self, plan: &Path, moment: Option<Duration>) -> Option<(i32, Value)> {
        let mut command = self.world.process(&["apply", "--quiet", "--format", "json"]);
        command.arg(plan).stderr(Stdio::null());
        let mut child = command.spawn().expect("a process");
        if let Some(moment) = moment {
            std::thread::sleep(moment);
            child.kill().expect("killed");
        }
        let output = child.wait_with_output().expect("it ended");
        Some((output.status.code()?, serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)))
    }

    /// The changes that took effect since this was last asked, by object: what else there is in the log changed nothing.
    pub(crate) fn effects(&mut self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for registry in LOCKING {
            let known = self.read.entry(registry).or_default();
            let lines = self.world.commit_lines(registry);
            for line in &lines[*known..] {
                let object = line["object"].as_str().expect("an object");
                *all.entry(format!("{registry} {object}")).or_default() += u64::from(is_effective(line));
            }
            *known = lines.len();
        }
        all
    }
}

#[test]
fn row_48_killed_at_any_moment_every_plan_comes_to_its_end_and_every_change_takes_effect_once() {
    let (rounds, seed) = (stated("PRIVET_KILL_ROUNDS", ROUNDS), stated("PRIVET_KILL_SEED", 48));
    let mut killing = Killing::new(1_400, 48);
    let mut moments = Moments(SeededEntropy::new(seed));
    let (mut kills, mut turn, mut changes) = (0, 0, 0);
    let names = killing.world.data().join("names.txt");
    let selector = format!("file={}", names.display());
    while kills < rounds || turn < 2 {
        turn += 1;
        // Locked in one turn, unlocked in the next: each is a plan of its own upon what the registries hold.
        let of_turn: (&str, &[&str]) = if turn % 2 == 1 {
            ("lock", &[])
        } else {
            ("unlock", &["--select", &selector, "--relock", "2099-01-01", "--allow", "unlock", "--reason", "a test"])
        };
        let mut plan = killing.plan(of_turn.0, turn, of_turn.1);
        if turn == 1 {
            assert!(plan.objects.len() >= 180, "{} operations", plan.objects.len());
            let lines: String = plan.objects.iter().filter_map(|object| Some(format!("{}\n", object.split_once('/')?.1))).collect();
            write_atomic(&names, lines.as_bytes()).expect("written");
        }
        let all = plan.objects.clone();
        let mut effects = BTreeMap::new();
        let mut again = 0;
        loop {
            let before = kills;
            let (code, json) = loop {
                let moment = (kills < rounds && again == 0).then(|| moments.next());
                match killing.apply(&plan.path, moment) {
                    // Killed between the run's last row and its last word: the run is over, and tells what it came to.
                    Some((21, _)) => {
                        let id = PlanFile::open(&plan.path).expect("a plan").header().id.clone();
                        let (code, json, _) = killing.world.run(&["reconcile", &id]);
                        break (code, json);
                    }
                    Some(ended) => break ended,
                    None => kills += 1,
                }
            };
            let told = format!("seed {seed}, turn {turn}, after {before} to {kills} kills: {json}");
            let of = |state: &str| json[state].as_u64().unwrap_or_else(|| panic!("{told}"));
            for (object, count) in killing.effects() {
                *effects.entry(object).or_default() += count;
            }
            // A change is sent twice at most: one that was cut off twice before the registry heard of it is a person's to look at, and
            // nothing happened to it.
            let left = plan.objects.iter().filter(|object| effects.get(*object).is_none_or(|count| *count == 0)).count() as u64;
            assert_eq!((of("verified"), of("failed")), (plan.objects.len() as u64 - left, left), "{told}");
            assert_eq!((of("planned"), of("conflict"), of("unknown"), of("pending")), (0, 0, 0, 0), "{told}");
            assert_eq!(code, if left == 0 { 0 } else { 50 }, "{told}");
            // What the registries hold is what was planned: nothing is left to be planned, but for what failed.
            again += 1;
            plan = killing.plan(of_turn.0, turn * 100 + again, of_turn.1);
            assert_eq!(plan.objects.len() as u64, left, "{told}: {:?}", plan.objects);
            if left == 0 {
                break;
            }
        }
        assert_eq!(effects, all.iter().map(|object| (object.clone(), 1)).collect(), "seed {seed}, turn {turn}");
        changes += all.len();
    }
    println!("seed {seed}: {kills} kills over {turn} plans, {changes} changes, each of which took effect once");
}
