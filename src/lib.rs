//! Privet, a registrar's compliance batch: it pulls what domain registries hold, compares it with the registrar's own records, and
//! leaves evidence of what it saw. ARCHITECTURE.md has the map; `tests/it/layers.rs` holds the modules to it.

pub mod apply;
pub mod base;
pub mod cli;
pub mod compliance;
pub mod database;
pub mod dataset;
pub mod diff;
pub mod forecast;
pub mod job;
pub mod journal;
pub mod mock;
pub mod model;
pub mod objects;
pub mod plan;
pub mod policy;
pub mod protocol;
pub mod pull;
pub mod report;
pub mod rules;
pub mod session;
pub mod sim;
pub mod store;
pub mod synth;
pub mod transport;
