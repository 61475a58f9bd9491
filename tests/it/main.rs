//! The one integration binary.
#![expect(clippy::expect_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod layers;
mod schemas;
mod wire;
