//! The one integration binary.

mod dataset;
mod layers;
mod report;
