//! contact:info over loopback TLS: Privet beside instant-epp and beside a client that only frames and scans.
//!
//! The registry is another process, and so is each client, which measures itself: it warms up, counts answers for a while, and tells
//! answers a second and processor time for each. Rounds are interleaved, so that a noisy neighbour hits all clients alike.

mod instant;
mod meter;
mod privet;
mod scan;
mod serve;
mod target;

pub use scan::events;
pub use serve::{ServeArgs, State, serve, serve_state, start};
pub use target::Target;

use crate::measure::{Outcome, Server, json_of, median, myself};
use crate::report::{Goal, Section, figure};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// How a client is run.
#[derive(Clone, Debug, clap::Args)]
pub struct ClientArgs {
    /// Who asks
    #[arg(value_enum)]
    pub who: Who,
    /// The file with the line that the server began with
    #[arg(long)]
    pub server: std::path::PathBuf,
    /// Sessions at a time
    #[arg(long, default_value_t = 1)]
    pub sessions: u16,
    /// Commands in flight on a session
    #[arg(long, default_value_t = 1)]
    pub window: u16,
    /// How long to warm up, in milliseconds
    #[arg(long, default_value_t = 700)]
    pub warm_ms: u64,
    /// How long to measure, in milliseconds
    #[arg(long, default_value_t = 2500)]
    pub run_ms: u64,
}

/// A client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Who {
    /// Privet's pool and driver, answers typed
    Privet,
    /// instant-epp 0.5.0, answers typed
    Instant,
    /// Frames, and scans the events with quick-xml's Reader; no types
    Scan,
}

/// Runs one client and prints what it measured.
pub fn client(args: &ClientArgs) -> Outcome<()> {
    let target = Target::read(&args.server)?;
    let meter = meter::Meter::new(Duration::from_millis(args.warm_ms), Duration::from_millis(args.run_ms));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = match args.who {
        Who::Privet => runtime.block_on(privet::run(&target, args.sessions, args.window, meter)),
        Who::Instant => runtime.block_on(instant::run(&target, meter)),
        Who::Scan => runtime.block_on(scan::run(&target, args.window, meter)),
    }?;
    println!("{}", measured.json()?);
    Ok(())
}

/// One line of the table: a client at a registry.
struct Cell {
    name: &'static str,
    /// Latency of each answer, milliseconds.
    latency: u64,
    /// Serial service time of each command, milliseconds.
    service: u64,
    who: Who,
    sessions: u16,
    window: u16,
}

impl Cell {
    /// Answers a second that this window and this registry allow; nothing where both times are zero.
    fn model(&self) -> Option<f64> {
        let (r, s) = (self.latency as f64 / 1e3, self.service as f64 / 1e3);
        let by_window = f64::from(self.window) / (r + s);
        (r + s > 0.0).then(|| f64::from(self.sessions) * if s > 0.0 { by_window.min(1.0 / s) } else { by_window })
    }
}

#[rustfmt::skip]
const CELLS: [Cell; 12] = [
    Cell { name: "0 ms, W=1: Privet",               latency: 0,  service: 0, who: Who::Privet,  sessions: 1, window: 1 },
    Cell { name: "0 ms, W=1: instant-epp",          latency: 0,  service: 0, who: Who::Instant, sessions: 1, window: 1 },
    Cell { name: "0 ms, W=1: scan only",            latency: 0,  service: 0, who: Who::Scan,    sessions: 1, window: 1 },
    Cell { name: "0 ms, W=64: Privet",              latency: 0,  service: 0, who: Who::Privet,  sessions: 1, window: 64 },
    Cell { name: "0 ms, W=64: scan only",           latency: 0,  service: 0, who: Who::Scan,    sessions: 1, window: 64 },
    Cell { name: "30 ms, W=1: Privet",              latency: 30, service: 0, who: Who::Privet,  sessions: 1, window: 1 },
    Cell { name: "30 ms, W=1: instant-epp",         latency: 30, service: 0, who: Who::Instant, sessions: 1, window: 1 },
    Cell { name: "30 ms, W=32: Privet",             latency: 30, service: 0, who: Who::Privet,  sessions: 1, window: 32 },
    Cell { name: "30 ms, W=64: Privet",             latency: 30, service: 0, who: Who::Privet,  sessions: 1, window: 64 },
    Cell { name: "30 ms, W=32, 8 sessions: Privet", latency: 30, service: 0, who: Who::Privet,  sessions: 8, window: 32 },
    Cell { name: "30 + 2 ms, W=1: instant-epp",     latency: 30, service: 2, who: Who::Instant, sessions: 1, window: 1 },
    Cell { name: "30 + 2 ms, W=64: Privet",         latency: 30, service: 2, who: Who::Privet,  sessions: 1, window: 64 },
];

/// What one run of a client measured.
#[derive(Clone, Copy)]
struct Run {
    rate: f64,
    cpu_us: f64,
    bytes: f64,
}

/// Runs all cells, `rounds` times in turn.
pub fn bench(dir: &Path, rounds: usize, run_ms: u64) -> Outcome<Section> {
    let mut servers: Vec<((u64, u64), Server, std::path::PathBuf)> = Vec::new();
    for cell in &CELLS {
        let key = (cell.latency, cell.service);
        if !servers.iter().any(|(k, _, _)| *k == key) {
            let state = dir.join(format!("registry-{}-{}", key.0, key.1));
            let server = serve::start(&state, key.0, key.1)?;
            let said = state.join("said.json");
            std::fs::write(&said, server.said.to_string())?;
            servers.push((key, server, said));
        }
    }
    let mut runs: Vec<Vec<Run>> = CELLS.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (cell, runs) in CELLS.iter().zip(&mut runs) {
            let (_, _, said) = servers.iter().find(|(k, _, _)| *k == (cell.latency, cell.service)).ok_or("no server")?;
            runs.push(run(cell, said, run_ms)?);
        }
    }
    Ok(section(&runs, rounds))
}

fn run(cell: &Cell, said: &Path, run_ms: u64) -> Outcome<Run> {
    let who = clap::ValueEnum::to_possible_value(&cell.who).ok_or("a client without a name")?;
    let mut command = myself()?;
    command.args(["client", who.get_name(), "--server"]).arg(said).arg("--sessions").arg(cell.sessions.to_string());
    command.arg("--window").arg(cell.window.to_string()).arg("--run-ms").arg(run_ms.to_string());
    let told = json_of(&mut command)?;
    let number = |key: &str| told[key].as_f64().ok_or_else(|| format!("a client told no {key}"));
    Ok(Run { rate: number("rate")?, cpu_us: number("cpu_us")?, bytes: number("bytes")? })
}

fn section(runs: &[Vec<Run>], rounds: usize) -> Section {
    let of = |name: &str| CELLS.iter().position(|c| c.name == name).and_then(|at| runs.get(at)).map_or(&[][..], Vec::as_slice);
    let rate_ratio = |a: &str, b: &str| median(of(a).iter().zip(of(b)).map(|(a, b)| a.rate / b.rate));
    let cpu_ratio = |a: &str, b: &str| median(of(a).iter().zip(of(b)).map(|(a, b)| a.cpu_us / b.cpu_us));
    let (slow, serial) = ("30 ms, W=1: instant-epp", "30 + 2 ms, W=1: instant-epp");
    let mut goals = vec![
        Goal::at_least("W=1, 0 ms: rate of instant-epp", rate_ratio("0 ms, W=1: Privet", "0 ms, W=1: instant-epp"), 0.95),
        Goal::at_least("W=32, 30 ms: rate of instant-epp", rate_ratio("30 ms, W=32: Privet", slow), 30.0),
        Goal::at_least("W=64, 30 ms: rate of instant-epp", rate_ratio("30 ms, W=64: Privet", slow), 60.0),
        Goal::at_least("8 sessions, W=32, 30 ms: rate of one", rate_ratio("30 ms, W=32, 8 sessions: Privet", "30 ms, W=32: Privet"), 7.5),
        Goal::at_least("30 + 2 ms serial: rate of instant-epp", rate_ratio("30 + 2 ms, W=64: Privet", serial), 14.0),
        Goal::at_most("W=64, 0 ms: processor time of a bare scan", cpu_ratio("0 ms, W=64: Privet", "0 ms, W=64: scan only"), 2.5),
    ];
    let mut rows = Vec::new();
    let mut raw = Vec::new();
    for (cell, runs) in CELLS.iter().zip(runs) {
        let (rate, cpu) = (median(runs.iter().map(|r| r.rate)), median(runs.iter().map(|r| r.cpu_us)));
        let share = cell.model().map(|model| median(runs.iter().map(|r| r.rate / model)));
        if let Some(share) = share.filter(|_| cell.who == Who::Privet) {
            goals.push(Goal::at_least(format!("{}, share of min(W/(R+s), 1/s)", cell.name), share, 0.95));
        }
        rows.push(vec![cell.name.to_owned(), figure(rate), figure(cpu), share.map_or(String::new(), figure)]);
        raw.push(json!({
            "cell": cell.name, "latency_ms": cell.latency, "service_ms": cell.service, "sessions": cell.sessions, "window": cell.window,
            "rates": runs.iter().map(|r| r.rate).collect::<Vec<_>>(), "cpu_us": runs.iter().map(|r| r.cpu_us).collect::<Vec<_>>(),
        }));
    }
    let bytes = median(runs.iter().flatten().map(|r| r.bytes));
    Section {
        title: "The line",
        how: format!(
            "contact:info over loopback TLS 1.3, answers of {} bytes in the median, whole records typed (\"scan only\" types nothing). \
             Medians of {rounds} interleaved rounds; ratios are formed within a round. Registry and client are processes of their own; \
             times exclude login and a warm-up of 0.7 s.",
            figure(bytes)
        ),
        head: vec!["contact:info", "answers/s", "client CPU µs/answer", "share of the limit"],
        rows,
        goals,
        raw: Value::Array(raw),
    }
}
