//! Plans: what is to be changed, on which basis, and how it is proved to have worked. Pure: equal input gives equal bytes.
//!
//! A recipe turns rows into [`Draft`]s in clear ([`build`] reads them bucket by bucket, [`judge`] holds the whole against the gates); [`Draft::seal`] turns a draft into an [`Operation`], in which a personal value stands
//! as its digest alone, and the sealed values that go into the vault. A [`PlanFile`] is a header, one operation a line, and a trailer.

mod allowed;
mod basis;
mod build;
mod change;
mod draft;
mod fact;
mod file;
mod gates;
mod header;
mod operation;
mod recipes;
mod select;
#[cfg(test)]
mod tests;

pub use allowed::forbidden;
pub use basis::{Bar, Bases, Decision, Due, Keeping, NoRecords, Purpose};
pub use build::{Look, Sources, build, pairs, watch};
pub use change::{Standing, Wanted, transform};
pub use draft::{Draft, DraftStep, vault_name};
pub use fact::{Fact, state_digest};
pub use file::{OperationLine, Operations, PlanFile, PlanLine, PlanWriter, Trailer};
pub use gates::{ChangeKind, Limits, Seen, Tally, Waivers, judge};
pub use header::{Approval, Count, GateName, GateVerdict, Header, Recipe, RegistryFacts, Wave, wave_of};
pub use operation::{Basis, BasisKind, Change, ObjectName, Operation, Reason, Step, Turn, Undo, Value};
pub use recipes::{
    Behind, Beside, Blocker, Direction, Directions, Elsewhere, Evidence, Expired, Gone, Open, Outcome, Pair, Published, Relay, Remnant,
    Site, Taken, Visible, Watched, inverse,
};
pub use select::Selection;
