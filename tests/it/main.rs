//! The one integration binary.

mod layers;
mod report;
