//! Applying the lock recipe over loopback TLS: executor, journal and lines together, beside the bare commands of the same sessions.
//!
//! The registry is another process, and so is each client, which measures itself from its first connection to its last goodbye. Every
//! run has a registry and a store that nothing was changed in.

mod client;

pub use client::{ApplyArgs, child};

use crate::fixture::{Fixture, PROFILE, Size};
use crate::line::State;
use crate::measure::{Outcome, Server, fresh, json_of, median, myself};
use crate::report::{Goal, Section, figure};
use serde_json::{Value, json};
use std::path::Path;

/// Write sessions.
const SESSIONS: u16 = 8;
/// Commands of a change: a look before it, the command, a look behind it.
const COMMANDS: f64 = 3.0;
/// Latency of each answer of the far registry, in milliseconds.
const FAR_MS: u64 = 30;
/// Domains of the registry: two of five are not locked yet.
const DOMAINS: u64 = 30_000;
/// Changes at the near and at the far registry, and bare commands at the near one.
const NEAR: u64 = 8_000;
const FAR: u64 = 1_000;
const BARE: u64 = 24_000;
/// The share of what latency allows, at the far registry.
const LEAST_SHARE: f64 = 0.90;
/// Commands of changes a second, of bare commands a second, at the near registry. Changes themselves could be a third of them at the most,
/// where executor and journal took no time at all.
const LEAST_RATIO: f64 = 1.0 / 3.0;

/// What one run measured.
struct Run {
    rate: f64,
    cpu_us: f64,
}

/// Makes the plan, and runs everything `rounds` times in turn.
pub fn bench(dir: &Path, rounds: usize) -> Outcome<Section> {
    let dir = dir.join("apply");
    let fixture = Fixture::make(&dir, Size { domains: DOMAINS, registrants: None })?;
    let operations = fixture.make_plan()?;
    if operations < NEAR {
        return Err(format!("the plan has {operations} operations, and {NEAR} are to be applied").into());
    }
    let [mut bare, mut near, mut far] = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..rounds {
        bare.push(run(&dir, "bare", 0, BARE)?);
        near.push(run(&dir, "apply", 0, NEAR)?);
        far.push(run(&dir, "apply", FAR_MS, FAR)?);
    }
    Ok(section(&bare, &near, &far))
}

/// One client at a registry of its own.
fn run(dir: &Path, what: &str, latency_ms: u64, count: u64) -> Outcome<Run> {
    let state = dir.join("registry");
    fresh(&state)?;
    let settings = Fixture::fleet(DOMAINS)?;
    settings.save(&state.join(privet::mock::fleet::FleetSettings::FILE))?;
    let server = start(&State { state: state.clone(), profile: PROFILE.to_owned(), latency_ms })?;
    let said = state.join("said.json");
    std::fs::write(&said, server.said.to_string())?;
    let mut command = myself()?;
    command.args(["apply-pass", what, "--server"]).arg(&said).arg("--fixture").arg(dir);
    command.arg("--sessions").arg(SESSIONS.to_string()).arg("--count").arg(count.to_string()).arg("--domains").arg(DOMAINS.to_string());
    let told = json_of(&mut command)?;
    let number = |key: &str| told[key].as_f64().ok_or_else(|| format!("a client told no {key}"));
    Ok(Run { rate: count as f64 / number("seconds")?, cpu_us: number("cpu")? * 1e6 / count as f64 })
}

fn start(state: &State) -> Outcome<Server> {
    let mut command = myself()?;
    command.args(["serve-state", "--profile", &state.profile, "--latency-ms", &state.latency_ms.to_string(), "--state"]).arg(&state.state);
    Server::start(&mut command)
}

fn section(bare: &[Run], near: &[Run], far: &[Run]) -> Section {
    let limit = f64::from(SESSIONS) / (COMMANDS * FAR_MS as f64 / 1e3);
    let ratio = |per: f64| median(near.iter().zip(bare).map(|(near, bare)| near.rate * per / bare.rate));
    let share = median(far.iter().map(|far| far.rate / limit));
    let row = |name: &str, runs: &[Run], last: String| {
        let (rate, cpu) = (median(runs.iter().map(|r| r.rate)), median(runs.iter().map(|r| r.cpu_us)));
        vec![name.to_owned(), figure(rate), figure(cpu), last]
    };
    let raw = |runs: &[Run]| -> Value { runs.iter().map(|r| json!({ "rate": r.rate, "cpu_us": r.cpu_us })).collect() };
    Section {
        title: "Applying a plan",
        how: format!(
            "A lock plan with consent over {SESSIONS} write sessions, three commands a change (info, update, info), each change journaled \
             before it is sent and when it is verified, in waves from 5 on. The limit at {FAR_MS} ms is {} changes a second. Beside it \
             domain:info alone, through the same pool. Medians of {} interleaved rounds; logins and goodbyes are in the times.",
            figure(limit),
            near.len(),
        ),
        head: vec!["", "a second", "client CPU µs each", "share"],
        rows: vec![
            row("0 ms: bare commands", bare, String::new()),
            row("0 ms: changes", near, figure(ratio(1.0))),
            row("0 ms: commands of changes", &near.iter().map(Run::command).collect::<Vec<_>>(), figure(ratio(COMMANDS))),
            row("30 ms: changes", far, figure(share)),
        ],
        goals: vec![
            Goal::at_least(format!("{FAR_MS} ms: changes, of sessions ÷ (3 × latency)"), share, LEAST_SHARE),
            Goal::at_least("0 ms: commands of changes, of bare commands", ratio(COMMANDS), LEAST_RATIO),
        ],
        raw: json!({ "bare": raw(bare), "near": raw(near), "far": raw(far) }),
    }
}

impl Run {
    /// The same by command.
    fn command(&self) -> Self {
        Self { rate: self.rate * COMMANDS, cpu_us: self.cpu_us / COMMANDS }
    }
}
