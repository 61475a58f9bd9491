//! The one integration binary.
#![expect(clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod apply;
mod budget;
mod change;
mod cli;
mod config_input;
mod conform;
mod consent;
mod dataset;
mod demo;
mod diff;
mod dns;
mod ended;
mod extensions;
mod https;
mod kill;
mod layers;
mod marker;
mod night;
mod one;
mod plan;
mod plan_input;
mod raw;
mod registries;
mod report;
mod rri;
mod schema_files;
mod schemas;
mod served;
mod session_faults;
mod sim;
mod state_faults;
mod validate;
mod violations;
mod wire;
mod write_faults;
