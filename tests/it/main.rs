//! The one integration binary.

mod dataset;
mod diff;
mod layers;
