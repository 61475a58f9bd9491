//! A whole pull, as `privet pull` does it: synthetic records and registries, each registry in a process of its own, the job in another,
//! which measures itself. What counts is that memory stays flat and that time grows no faster than the records.

use crate::line::State;
use crate::measure::{Outcome, Server, cpu, fresh, json_of, myself, peak_mib};
use crate::report::{Goal, Section, figure};
use privet::base::{Clock, Exit, Quiet, StopToken, SystemClock};
use privet::job::config::Config;
use privet::job::{self, Context};
use privet::synth::{self, SynthOptions};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The most resident memory that a pull of any size may take, MiB.
const MOST_MIB: f64 = 512.0;
/// Time for an object at the largest size beside the smallest: linear, and a little for what else the machine does.
const MOST_GROWTH: f64 = 1.1;
/// The account whose allowance is a rate: lifted, since it would be the rate that is measured.
const RATED: &str = "\n[registries.example-minimum.limits]\nrate = { commands = 1000000, seconds = 1 }\n";

/// How much is pulled.
#[derive(Clone, Debug, clap::Args)]
pub struct PullArgs {
    /// Contacts at the registries together, by comma
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    pub contacts: Vec<u64>,
}

/// What one pull took.
struct Run {
    contacts: u64,
    objects: f64,
    seconds: f64,
    cpu: f64,
    peak: f64,
}

/// The job, as a child.
pub fn child(config: &Path) -> Outcome<()> {
    let loaded = Config::load(config, &[], &|_| None).map_err(|problems| problems.to_string())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let ctx =
        Context { clock, events: Arc::new(Quiet), stop: StopToken::default(), only: Vec::new(), queries: privet::job::Queries::default() };
    let start = Instant::now();
    let ended = job::pull(&loaded, &ctx).map_err(|problems| problems.to_string())?;
    let seconds = start.elapsed().as_secs_f64();
    if ended.exit() != Exit::Done {
        return Err(format!("the pull ended with {:?}\n{}", ended.exit(), ended.text).into());
    }
    let registries = ended.json["registries"].as_array().ok_or("a summary without registries")?;
    let of = |key: &str| registries.iter().filter_map(|r| r[key].as_u64()).sum::<u64>();
    let (contacts, domains) = (of("contacts"), of("domains"));
    println!(
        "{}",
        json!({ "seconds": seconds, "cpu": cpu()?.as_secs_f64(), "peak_mib": peak_mib()?, "contacts": contacts, "domains": domains })
    );
    Ok(())
}

/// Pulls once at each size, from fresh data.
pub fn bench(dir: &Path, args: &PullArgs) -> Outcome<Section> {
    let mut runs = Vec::new();
    for &contacts in &args.contacts {
        let dir = dir.join(format!("pull-{contacts}"));
        runs.push(run(&dir, contacts)?);
        // A million contacts are some gigabytes, and none of them is needed twice.
        fs::remove_dir_all(&dir)?;
    }
    Ok(section(&runs))
}

fn run(dir: &Path, contacts: u64) -> Outcome<Run> {
    fresh(dir)?;
    let options = SynthOptions { contacts, seed: 7, change_rate: 0.02, today: "2026-11-21T00:00:00Z".parse()? };
    let made = synth::write(dir, &options)?;
    let mut servers = Vec::new();
    let mut ports = BTreeMap::new();
    for registry in &made.registries {
        let state = State { state: dir.join("states").join(&registry.id), profile: registry.profile.clone(), latency_ms: 0 };
        let server = Server::start(myself()?.args(["serve-state", "--profile", &state.profile, "--state"]).arg(&state.state))?;
        let address = server.said["address"].as_str().ok_or("the server told no address")?;
        ports.insert(registry.id.clone(), address.parse::<std::net::SocketAddr>()?.port());
        servers.push(server);
    }
    let config: PathBuf = dir.join("privet.toml");
    fs::write(&config, synth::config(&ports) + RATED)?;
    let told = json_of(myself()?.arg("pull-job").arg(&config))?;
    let number = |key: &str| told[key].as_f64().ok_or_else(|| format!("the job told no {key}"));
    let objects = number("contacts")? + number("domains")?;
    if number("contacts")? < contacts as f64 {
        return Err(format!("only {} of {contacts} contacts were pulled", number("contacts")?).into());
    }
    Ok(Run { contacts, objects, seconds: number("seconds")?, cpu: number("cpu")?, peak: number("peak_mib")? })
}

fn section(runs: &[Run]) -> Section {
    let mut goals = Vec::new();
    let mut rows = Vec::new();
    for run in runs {
        let size = figure(run.contacts as f64);
        goals.push(Goal::at_most(format!("{size} contacts: peak memory, MiB"), run.peak, MOST_MIB));
        rows.push(vec![
            size,
            figure(run.objects),
            figure(run.seconds),
            figure(run.cpu),
            figure(run.cpu / run.objects * 1e6),
            figure(run.peak),
        ]);
    }
    if let [first, .., last] = runs {
        let growth = (last.seconds / last.objects) / (first.seconds / first.objects);
        goals.push(Goal::at_most("time for an object at the last size, of that at the first", growth, MOST_GROWTH));
    }
    let raw = runs
        .iter()
        .map(|r| json!({ "contacts": r.contacts, "objects": r.objects, "seconds": r.seconds, "cpu": r.cpu, "peak_mib": r.peak }));
    Section {
        title: "A pull",
        how: "Local records taken in, every contact and domain of four bundled registries asked for over TLS at 0 ms, spooled, and put in \
              place as snapshots, with the report: the whole of `privet pull`. The registries are processes of their own on the same \
              cores, so that time is theirs as well; memory and CPU are the job's alone."
            .to_owned(),
        head: vec!["contacts", "objects pulled", "wall s", "CPU s", "CPU µs/object", "peak MiB"],
        rows,
        goals,
        raw: raw.collect::<Value>(),
    }
}
