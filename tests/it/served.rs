//! A registrar's world for tests: synthetic records, the registries they belong to on ports of this machine, and the verbs over both,
//! as functions and as processes.

use privet::base::{Clock, Event, Events, Quiet, RegistryId, StopToken, SystemClock, create_private_dir, write_atomic};
use privet::dataset::{Snapshot, State};
use privet::job::config::{Config, Loaded};
use privet::job::{Context, Ended};
use privet::mock::fleet::{FleetSettings, SyntheticFleet};
use privet::mock::{Knobs, Options, Served, start};
use privet::model::ObjectKind;
use privet::synth::{self, SynthOptions};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The registries of the synthetic data.
pub(crate) const REGISTRIES: [&str; 9] = ["afnic", "denic", "dnsbe", "eurid", "example-minimum", "example-thick", "nicit", "nz", "sidn"];
/// The largest of them.
pub(crate) const THICK: &str = "example-thick";
/// A port that nobody listens on.
const DEAD: u16 = 1;

/// A directory with synthetic data: `data` holds what Privet reads and writes, `heard` what the registries say they heard.
pub(crate) struct World {
    dir: tempfile::TempDir,
}

/// The columns of the truth.
type Difference = Vec<String>;

impl World {
    /// `contacts` contacts over all registries. Equal arguments give equal worlds.
    pub(crate) fn new(contacts: u64, seed: u64) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let today = "2026-11-21T02:00:00Z".parse().expect("a time");
        create_private_dir(&dir.path().join("data")).expect("made");
        synth::write(&dir.path().join("data"), &SynthOptions { contacts, seed, change_rate: 0.02, today }).expect("data");
        Self { dir }
    }

    /// What Privet reads and writes.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A registry's state directory.
    pub(crate) fn state_of(&self, registry: &str) -> PathBuf {
        self.data().join("states").join(registry)
    }

    /// Serves every registry with its `knobs`, and leaves a configuration for them in which waits are short. A registry with the knob
    /// `dead` is not served: its port is refused.
    pub(crate) fn serve(&self, knobs: &[(&str, &str)]) -> Vec<Served> {
        let of = |registry: &str| knobs.iter().filter(|(r, _)| *r == registry).map(|(_, knob)| *knob).collect::<Vec<_>>();
        let mut served = Vec::new();
        let mut ports = BTreeMap::new();
        for registry in REGISTRIES {
            let mut knobs = of(registry);
            // By night this registry lets less be asked, and these tests back off for a second where it blocks for two minutes.
            if registry == "denic" && !knobs.iter().any(|knob| knob.starts_with("rate=")) {
                knobs.push("rate=2000/60");
            }
            let heard = self.heard_dir(registry);
            create_private_dir(&heard).expect("made");
            let options = Options {
                profile: FleetSettings::load(&self.state_of(registry).join(FleetSettings::FILE)).expect("settings").expect("there").profile,
                listen: "127.0.0.1:0".parse().expect("an address"),
                state: self.state_of(registry),
                commit_log: Some(heard.join("commits.ndjson")),
                transcript: Some(heard),
                knobs: Knobs::read(knobs.iter().copied().filter(|k| *k != "dead")).expect("knobs"),
                seed: 1,
            };
            let one = start(options, Arc::new(SystemClock::new())).expect("a registry");
            ports.insert(registry.to_owned(), one.address.port());
            if knobs.contains(&"dead") {
                ports.insert(registry.to_owned(), DEAD);
                one.shutdown();
            } else {
                served.push(one);
            }
        }
        let limits = REGISTRIES.map(|registry| format!("\n[registries.{registry}.limits]\nback_off_seconds = 1\n"));
        write_atomic(&self.config(), (synth::config(&ports) + &limits.concat()).as_bytes()).expect("written");
        served
    }

    fn heard_dir(&self, registry: &str) -> PathBuf {
        self.dir.path().join("heard").join(registry)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.data().join("privet.toml")
    }

    pub(crate) fn load(&self) -> Loaded {
        Config::load(&self.config(), &[], &|_| None).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The process with that verb, in the world's own directory for temporary files.
    pub(crate) fn process(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_privet"));
        let temporary = self.dir.path().join("tmp");
        create_private_dir(&temporary).expect("made");
        command.args(args).arg("--config").arg(self.config());
        command.env_clear().env("TMPDIR", temporary).current_dir(self.dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a verb: its exit code, what it printed as JSON (nothing where that is none), and what it said besides.
    pub(crate) fn run(&self, args: &[&str]) -> (i32, Value, String) {
        let output = self.process(&[args, &["--format", "json"]].concat()).output().expect("a process");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let json = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code().expect("an exit code"), json, told)
    }

    /// Takes in the holds that were planted.
    pub(crate) fn import_holds(&self) {
        let (code, _, told) = self.run(&["hold", "import", &self.data().join("records/cases-hold.csv").display().to_string()]);
        assert_eq!(code, 0, "{told}");
    }

    /// Takes in the consents of the records; what was told of it.
    pub(crate) fn import_consent(&self) -> Value {
        let consents = self.data().join("records/consent.csv").display().to_string();
        let (code, json, told) = self.run(&["consent", "import", &consents]);
        assert_eq!(code, 0, "{told}");
        json
    }

    /// The frames that a registry heard (`in`) or said (`out`), in order.
    pub(crate) fn frames(&self, registry: &str, direction: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.heard_dir(registry).join("transcript.ndjson")).unwrap_or_default();
        // A registry that is cut off leaves a last line half written.
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let frames = lines.filter(|line| line["direction"] == direction).filter_map(|line| line["frame"].as_str().map(str::to_owned));
        frames.collect()
    }

    /// How often a registry was asked for each object, `contact/C-1` or `domain/a.example`.
    pub(crate) fn asked(&self, registry: &str) -> BTreeMap<String, u64> {
        let mut asked = BTreeMap::new();
        for frame in self.frames(registry, "in").iter().filter(|frame| frame.contains("<info>")) {
            let of = |tag: &str| {
                let (_, rest) = frame.split_once(tag)?;
                rest.split_once('>')?.1.split_once('<').map(|(id, _)| id)
            };
            let object = match (of("<contact:id"), of("<domain:name")) {
                (Some(id), None) => format!("contact/{id}"),
                (None, Some(name)) => format!("domain/{name}"),
                _ => panic!("an info about one object: {frame}"),
            };
            *asked.entry(object).or_default() += 1;
        }
        asked
    }

    /// Lines of a registry's commit log.
    pub(crate) fn commits(&self, registry: &str) -> usize {
        self.commit_lines(registry).len()
    }

    /// What a registry's commit log tells: the changes that took effect, in order.
    pub(crate) fn commit_lines(&self, registry: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.heard_dir(registry).join("commits.ndjson")).expect("a commit log");
        text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect()
    }

    /// A registry's newest whole snapshot.
    pub(crate) fn newest(&self, registry: &str) -> Option<Snapshot> {
        Snapshot::newest(&self.data().join("state"), &RegistryId::new(registry)).expect("looked")
    }

    /// The contents of a registry's newest snapshot: kind, id, state and fields of every object, in order.
    pub(crate) fn observed(&self, registry: &str) -> Vec<(ObjectKind, String, State, Vec<Option<String>>)> {
        let snapshot = self.newest(registry).expect("a snapshot");
        let mut all = Vec::new();
        for kind in ObjectKind::ALL {
            for bucket in 0..snapshot.buckets() {
                for seen in snapshot.rows(kind, bucket).expect("rows") {
                    let fields = seen.row.fields().map(|f| f.map(str::to_owned)).collect();
                    all.push((kind, seen.row.id().to_owned(), seen.state, fields));
                }
            }
        }
        all.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        all
    }

    /// What was planted at `registries`.
    pub(crate) fn truth(&self, registries: &[&str]) -> BTreeSet<Difference> {
        let all = rows(&self.data().join("truth/differences.csv"));
        all.into_iter().filter(|row| registries.contains(&row[0].as_str())).collect()
    }

    /// A registry's fleet, to choose objects from.
    pub(crate) fn fleet(&self, registry: &str) -> SyntheticFleet {
        let settings = FleetSettings::load(&self.state_of(registry).join(FleetSettings::FILE)).expect("settings").expect("there");
        SyntheticFleet::new(settings).expect("a fleet")
    }
}

/// The folder a job left its reports in.
pub(crate) fn reports(ended: &Ended) -> PathBuf {
    PathBuf::from(ended.json["reports"].as_str().expect("a folder"))
}

/// The material differences that a job found.
pub(crate) fn found(reports: &Path) -> BTreeSet<Difference> {
    rows(&reports.join("differences.csv"))
}

/// The rows of a file of differences in the truth's columns, cosmetic ones left out.
fn rows(path: &Path) -> BTreeSet<Difference> {
    let mut reader = csv::Reader::from_path(path).expect("differences");
    let header = reader.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|h| h == name);
    let columns = ["registry", "object", "id", "field", "local", "remote", "kind"].map(|c| at(c).expect(c));
    let severity = at("severity");
    let records = reader.records().map(|r| r.expect("a row"));
    let material = records.filter(|r| severity.is_none_or(|s| &r[s] == "material"));
    material.map(|r| columns.iter().map(|&c| r[c].to_owned()).collect()).collect()
}

/// What a verb is given, confined to `only` where that names any.
pub(crate) fn context(only: &[&str]) -> Context {
    let only = only.iter().map(|id| RegistryId::new(*id)).collect();
    Context {
        clock: Arc::new(SystemClock::new()),
        events: Arc::new(Quiet),
        stop: StopToken::default(),
        only,
        queries: privet::job::Queries::default(),
    }
}

/// As [`context`], where the operator stops the verb behind `reports` reports of progress.
pub(crate) fn stopping(only: &[&str], reports: u64) -> Context {
    let ctx = context(only);
    let events = StopAfter { left: AtomicU64::new(reports), stop: ctx.stop.clone() };
    Context { events: Arc::new(events), ..ctx }
}

/// An operator who stops a run in its middle.
struct StopAfter {
    left: AtomicU64,
    stop: StopToken,
}

impl Events for StopAfter {
    fn tell(&self, event: Event) {
        if matches!(event, Event::Progress { .. }) && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.stop.stop();
        }
    }
}

/// Waits until `holds`, for a minute at most.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let clock = SystemClock::new();
    while !holds() {
        assert!(clock.moment().since_origin().as_secs() < 60, "{what}: waited in vain");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
