//! `privet simulate`.

use super::Places;
use crate::job::{FleetOf, MOST_OBJECTS, SimulateOptions, TimeOf};
use clap::Args as ClapArgs;
use std::time::Duration;

pub(in crate::cli) const SIMULATE: &str = "\
The pools of `pull` and `apply` run in virtual time, within the rates, sessions, windows and quotas of the profiles; of the registry and the \
line there are the times given here. What this machine needs for a command is left out. Ends with 11 where a registry takes more than one \
night; with --fail-on changes it does not.

Examples:
  privet simulate                       the fleet of the newest snapshots
  privet simulate --times 10 --latency 25ms --latency example-nz=280ms
  privet simulate --fleet gtld-thick=300000,250000 --fleet denic=0,150000 --from 22:00 --window 8h";

/// What is to be simulated.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct Simulate {
    /// What is held at a registry of the configuration or by a bundled profile; may be given several times [default: as in the newest snapshots]
    #[arg(long, value_name = "NAME=CONTACTS,DOMAINS", value_parser = fleet)]
    fleet: Vec<FleetOf>,
    /// So many times as much of everything
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    times: u64,
    /// Time from a command to its answer, for all or for one registry [default: 40ms]
    #[arg(long, value_name = "[NAME=]TIME", value_parser = latency)]
    latency: Vec<TimeOf>,
    /// Time for which a registry is busy with each command of a session, for all or for one [default: 0ms]
    #[arg(long, value_name = "[NAME=]TIME", value_parser = service)]
    service: Vec<TimeOf>,
    /// Sessions at each registry, in the place of our share of them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    sessions: Option<u16>,
    /// Our share of every account, over 0 and up to 1 [default: the configuration's, or 0.5]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    share: Option<f64>,
    /// Changes in a night, over all registries by their domains: each is read, sent, and read again
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=1_000_000_000))]
    changes: u64,
    /// How long a night is, up to 24h
    #[arg(long, value_name = "TIME", default_value = "6h", value_parser = window)]
    window: Duration,
    /// When it begins, on each registry's own clock (UTC where its profile names no zone)
    #[arg(long, value_name = "HH:MM", default_value = "02:30", value_parser = super::time)]
    from: jiff::civil::Time,
    #[command(flatten)]
    pub(in crate::cli) places: Places,
}

impl Simulate {
    /// Whether the sizes were given, so that no snapshot is needed.
    pub(in crate::cli) const fn is_sized(&self) -> bool {
        !self.fleet.is_empty()
    }

    /// As the verb takes it.
    pub(in crate::cli) fn options(self) -> SimulateOptions {
        let Self { fleet, times, latency, service, sessions, share, changes, window, from, places: _ } = self;
        SimulateOptions { fleet, times, latency, service, sessions, share, changes, window, from }
    }
}

fn fleet(text: &str) -> Result<FleetOf, String> {
    let number = |text: &str| text.trim().parse().ok().filter(|n: &u64| *n <= MOST_OBJECTS);
    let read = || {
        let (name, sizes) = text.split_once('=')?;
        let (contacts, domains) = sizes.split_once(',')?;
        let (contacts, domains) = (number(contacts)?, number(domains)?);
        (!name.is_empty() && contacts + domains > 0).then(|| FleetOf { name: name.to_owned(), contacts, domains })
    };
    read()
        .ok_or_else(|| format!("a name, contacts and domains, not both 0 and each up to {MOST_OBJECTS}, such as gtld-thick=300000,250000"))
}

/// A number with its unit: `ms`, `s`, `min` or `h`.
fn duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    Duration::try_from_secs_f64(number * seconds).ok()
}

/// A time for one registry or for all, within bounds.
fn time_of(text: &str, least: Duration, wanted: &str) -> Result<TimeOf, String> {
    let (name, time) = text.split_once('=').map_or((None, text), |(name, time)| (Some(name.to_owned()), time));
    let time = duration(time).filter(|time| (least..=Duration::from_mins(1)).contains(time));
    time.map(|time| TimeOf { name, time }).ok_or_else(|| wanted.to_owned())
}

fn latency(text: &str) -> Result<TimeOf, String> {
    time_of(text, Duration::from_micros(100), "a time from 0.1ms to 60s, such as 40ms or denic=12ms")
}

fn service(text: &str) -> Result<TimeOf, String> {
    time_of(text, Duration::ZERO, "a time from 0ms to 60s, such as 2ms or denic=5ms")
}

fn window(text: &str) -> Result<Duration, String> {
    let bounds = Duration::from_mins(1)..=Duration::from_hours(24);
    duration(text).filter(|time| bounds.contains(time)).ok_or_else(|| "a time from 1min to 24h, such as 6h".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|n| *n > 0.0 && *n <= 1.0).ok_or_else(|| "a number over 0 and up to 1".to_owned())
}
