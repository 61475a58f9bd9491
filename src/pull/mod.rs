//! Registries → snapshot and exchanges. No registry here has a listing: a pull walks the names and handles it is given and follows every
//! handle it meets. It knows nothing of differences, and it changes nothing.

mod dns;
mod driver;
mod ledger;
mod walk;

pub use dns::{Resolvers, Survey, survey_all};
pub use driver::{Pulled, pull};
pub use ledger::Ledger;
pub use walk::{Tally, Walk};
