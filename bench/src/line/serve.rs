//! The registry: Privet's own, in a process of its own.

use crate::measure::{Outcome, Server, fresh, myself};
use privet::base::{Clock, SystemClock};
use privet::mock::fleet::{FleetSettings, SyntheticFleet};
use privet::mock::{self, Knobs};
use privet::model::AuthInfo;
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Contacts that clients ask for, again and again.
const CONTACTS: u64 = 10_000;

/// How a registry is served.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// Its state
    #[arg(long)]
    state: PathBuf,
    /// Latency of each answer, in milliseconds
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Serial service time of each command, in milliseconds
    #[arg(long, default_value_t = 0)]
    service_ms: u64,
}

/// A registry whose state somebody made.
#[derive(Clone, Debug, clap::Args)]
pub struct State {
    /// Its state
    #[arg(long)]
    pub state: PathBuf,
    /// Its profile
    #[arg(long)]
    pub profile: String,
    /// Latency of each answer, in milliseconds
    #[arg(long, default_value_t = 0)]
    pub latency_ms: u64,
}

/// Starts a registry as a child.
pub fn start(state: &Path, latency_ms: u64, service_ms: u64) -> Outcome<Server> {
    let mut command = myself()?;
    command.arg("serve").arg("--state").arg(state);
    command.arg("--latency-ms").arg(latency_ms.to_string()).arg("--service-ms").arg(service_ms.to_string());
    Server::start(&mut command)
}

/// Serves a registry until standard input ends.
pub fn serve(args: &ServeArgs) -> Outcome<()> {
    fresh(&args.state)?;
    let settings = FleetSettings {
        profile: "gtld-thick".to_owned(),
        seed: 7,
        contacts: CONTACTS,
        domains: CONTACTS / 2,
        tlds: vec!["example".to_owned()],
        sponsor: "registrar-1".to_owned(),
        today: "2026-11-21".parse()?,
        // Its other forms would be lost by instant-epp, which keeps the last one alone.
        forms: vec![privet::mock::fleet::Forms::Int],
        scripts: Vec::new(),
        ..FleetSettings::default()
    };
    settings.save(&args.state.join(FleetSettings::FILE))?;
    let fleet = SyntheticFleet::new(settings)?;
    let mut contacts = String::new();
    for index in 0..CONTACTS {
        let contact = fleet.contact_at(index);
        if let Some(AuthInfo::Password { pw, .. }) = &contact.auth {
            writeln!(contacts, "{}\t{}", contact.id.as_str(), pw.reveal())?;
        }
    }
    let list = args.state.join("contacts.tsv");
    fs::write(&list, contacts)?;
    let knobs = [
        format!("latency_ms={}", args.latency_ms),
        format!("service_ms={}", args.service_ms),
        "sessions=off".to_owned(),
        "idle_seconds=off".to_owned(),
    ];
    let served = open(&args.state, "gtld-thick", &knobs)?;
    let mut said = serde_json::to_value(&served)?;
    said["contacts"] = json!(list);
    until_the_end(&said)
}

/// Serves a registry over the state it is given, at any rate, until standard input ends.
pub fn serve_state(args: &State) -> Outcome<()> {
    let knobs = ["rate=off".to_owned(), format!("latency_ms={}", args.latency_ms)];
    let served = open(&args.state, &args.profile, &knobs)?;
    until_the_end(&serde_json::to_value(&served)?)
}

fn open(state: &Path, profile: &str, knobs: &[String]) -> Outcome<mock::Served> {
    let options = mock::Options {
        profile: profile.to_owned(),
        listen: "127.0.0.1:0".parse()?,
        state: state.to_owned(),
        commit_log: None,
        transcript: None,
        knobs: Knobs::read(knobs.iter().map(String::as_str))?,
        seed: 7,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Ok(mock::start(options, clock)?)
}

/// Tells where the registry is, and waits.
fn until_the_end(said: &serde_json::Value) -> Outcome<()> {
    println!("{said}");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
