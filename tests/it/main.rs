//! The one integration binary.

mod cli;
mod config_input;
mod dataset;
mod demo;
mod layers;
mod report;
mod schemas;
mod wire;
