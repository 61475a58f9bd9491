//! The one integration binary.

mod layers;
mod schemas;
mod wire;
