//! The verbs of the bundled registries.

use clap::{Args as ClapArgs, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

pub(in crate::cli) const MOCK: &str = "\
Prints one line of JSON once it listens: address, server_name, ca, cert, key, user, password_file.

Example:
  privet mock --profile gtld-thick --listen 127.0.0.1:0 --state /tmp/registry --knob latency_ms=30";

/// How one bundled registry is served.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct Serve {
    /// The registry's profile
    #[arg(long, value_name = "ID", default_value = "gtld-thick")]
    pub(in crate::cli) profile: String,
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(in crate::cli) listen: SocketAddr,
    /// Its objects, changes and certificates
    #[arg(long, value_name = "DIR", required = true)]
    pub(in crate::cli) state: Option<PathBuf>,
    /// Write every change to this file (NDJSON)
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) commit_log: Option<PathBuf>,
    /// Write every frame below this directory
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) transcript: Option<PathBuf>,
    /// Latency, a limit or a fault; may be given several times
    #[arg(long = "knob", value_name = "KEY=VALUE")]
    pub(in crate::cli) knobs: Vec<String>,
    /// Refuse what breaks a rule that is only inferred or guessed, too
    #[arg(long)]
    pub(in crate::cli) strict_unknown: bool,
    /// Equal seeds give equal faults
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(in crate::cli) seed: u64,
}

/// `privet mock …` other than serving.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Mock {
    /// Make registries, local records, a configuration and every planted difference
    Synth {
        /// Where they are left
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Contacts over all registries
        #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(10..=100_000_000))]
        contacts: u64,
        /// Equal seeds give equal bytes
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// The share of objects that differ, 0 to 1
        #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = super::share)]
        change_rate: f64,
    },
}
