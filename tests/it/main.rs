//! The one integration binary.

mod cli;
mod config_input;
mod dataset;
mod layers;
mod report;
mod session_faults;
