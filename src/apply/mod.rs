//! Applying a plan, exactly once: a pure state machine for each registry, which is told what reading and writing came to, and says what
//! to read, to write and to put on disk next.

mod executor;
mod step;
#[cfg(test)]
mod tests;
mod values;

pub use executor::{ApplyEffect, Executor, Parts, Settings, Summary};
pub use step::{Look, look};
pub use values::{Guard, Values, VaultValues};
