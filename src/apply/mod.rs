//! Applying a plan, exactly once: a pure state machine for each registry, which is told what reading and writing came to, and says what
//! to read, to write and to put on disk next.

mod driver;
mod executor;
mod guard;
mod inbox;
mod journal;
mod part;
mod shared;
mod step;
#[cfg(test)]
mod tests;
mod values;
mod work;

pub use driver::{Applied, Controls, apply};
pub use executor::Executor;
pub use guard::LastWord;
pub use journal::JournalWriter;
pub use part::{ApplyEffect, IN_HAND, Parts, Settings, Summary, Watch};
pub use shared::{Layout, Operations, SharedParts, SharedWork, lots};
pub use step::{Look, look};
pub use values::{Guard, Values, VaultValues};
pub use work::{Job, Next, Whole, Work};
