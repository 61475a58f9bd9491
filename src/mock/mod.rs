//! mock

pub mod fleet;
