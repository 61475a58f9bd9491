//! Plans: what is to be changed, on which basis, and how it is proved to have worked. Pure: equal input gives equal bytes.
//!
//! A recipe turns rows into [`Draft`]s in clear; [`Draft::seal`] turns a draft into an [`Operation`], in which a personal value stands
//! as its digest alone, and the sealed values that go into the vault. A [`PlanFile`] is a header, one operation a line, and a trailer.

mod change;
mod draft;
mod fact;
mod file;
mod header;
mod operation;
#[cfg(test)]
mod tests;

pub use change::{Standing, Wanted, transform};
pub use draft::{Draft, DraftStep};
pub use fact::{Fact, state_digest};
pub use file::{Operations, PlanFile, PlanWriter};
pub use header::{Approval, Count, GateName, GateVerdict, Header, Recipe, RegistryFacts, Wave, wave_of};
pub use operation::{Basis, BasisKind, Change, ObjectName, Operation, Reason, Step, Turn, Undo, Value};
