//! What the registrar may do with whose data: the consent ledger.
//!
//! A **subject** is a person or an organisation by what it is called and reached at ([`Fingerprint`], the canonical form `fp/1`). The
//! ledger knows it by a random id alone: [`Subjects`] keeps the map from fingerprints to ids in erasable cells, under a key of the
//! controller's that rotates, and no text of anybody. What subjects said is a chain of [`Record`]s that is only ever appended to; what
//! holds at some time is a pure [`fold`] over them, and [`decide`] says whether it is enough for a [`Purpose`], and by which rule not.
//! [`Ledger`] is all of it over one store.
//!
//! Beside it stand the registers, each a [`register::Book`] of cases: requests, disclosures, breaches, holds and more.

pub mod access;
pub mod asking;
pub mod calendar;
mod decision;
mod draft;
pub mod exposure;
mod fingerprint;
mod fold;
mod import;
mod ledger;
pub mod oversight;
mod pack;
pub mod processing;
mod record;
pub mod register;
pub mod retention;
mod subjects;
#[cfg(test)]
mod tests;
mod values;

pub use calendar::Holidays;
pub use decision::{Basis, Decision, Rule, decide};
pub use draft::Draft;
pub use fingerprint::{Fingerprint, Part, same_mailbox};
pub use fold::{Irregular, Standing, State, Terms, fold, fold_group};
pub use import::{COLUMNS, Import, Imported, import};
pub use ledger::{Ledger, Near, Taken};
pub use pack::EMBEDDED as EMBEDDED_PACKS;
pub use record::{Actor, Element, Happening, Method, Notice, Purpose, Record, Token};
pub use subjects::{Enrolled, Rekeyed, Subject, Subjects};
pub use values::{Doubt, Ids, Who};
