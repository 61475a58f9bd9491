//! What a night will take: the pools that pull and apply, over lines that are only thought of, in virtual time. Nothing is sent.
//!
//! ```text
//!   load ──► session::Pool ──► frames ──► registry (answers at once, in few bytes)
//!     ▲        │  budget, ration,            │
//!     └────────┘  windows, logins            └──► due: served one after another, and a round trip later
//! ```
//!
//! What decides when a command leaves is the code that decides it at night: sessions, their windows, the rate, the day's quota. Of the line
//! and of the registry there are three figures, [`Timing`]. What this machine itself needs for a command is left out.
//!
//! A run of millions is not driven command by command. Where the commands of two whole turns left in the same order and at the same
//! distances ([`turn`]), over more time than any rate counts over, all that the pool decides by is the same but for the time, so that the
//! third turn is like the second one: whole turns are then skipped by setting the calendar forward, up to the next hour at which something
//! changes ([`course`]). Where no such turn shows within [`course::EXACT`] commands, the mean of the last half of them is taken, and the
//! forecast says that it is not exact.

mod course;
mod kind;
mod line;
mod load;
mod nights;
mod registry;
#[cfg(test)]
mod tests;
mod turn;

pub use kind::{Commands, Kind};
pub use line::Timing;
pub use nights::{Bound, Forecast, QuotaTerms, Task, Terms, fits, forecast};
pub use registry::{Plain, Registry};
