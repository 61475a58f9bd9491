//! The simulator: the real sessions, pools and executors over the store's fake or a real store, against the bundled registries, in virtual
//! time.
//!
//! A seed draws everything: the plan, what people said, what goes wrong on the lines and in the registries, and when the machine dies:
//! between any two steps, or in the middle of a frame. Then the client begins anew, from its disk alone, until the run is over. What
//! the registries saw and what the journal says is held against the plan, word by word (I1 to I9, see `check`).
//!
//! ```text
//!   scene ── plan, ledger, fleet ──► world ── bytes, time ──► sessions, pools, executors
//!                                      │                            │
//!                                   history                     journal ──► check
//! ```
//!
//! [`Bug`] plants the mistakes that clients make, and shows that each is seen.

mod bug;
mod check;
mod disk;
mod fault;
mod history;
mod line;
mod process;
mod scene;
mod story;
mod world;

pub use bug::Bug;
pub use check::Violation;
pub use disk::Opening;
pub use story::{Case, Report, simulate, simulate_over};

/// The one account.
const ACCOUNT: &str = "registrar-1";
/// Its password.
const PASSWORD: &str = "simulated-pw-1";
/// The share of the account's limits that is ours, in percent.
const SHARE: u8 = 50;
