//! What the registrar may do with whose data: the consent ledger.
//!
//! A **subject** is a person or an organisation by what it is called and reached at ([`Fingerprint`], the canonical form `fp/1`). The
//! ledger knows it by a random id alone: [`Subjects`] keeps the map from fingerprints to ids in erasable cells, under a key of the
//! controller's that rotates, and no text of anybody. What subjects said is a chain of [`Record`]s that is only ever appended to; what
//! holds at some time is a pure [`fold`] over them, and [`decide`] says whether it is enough for a [`Purpose`], and by which rule not.
//! [`Ledger`] is all of it over one store.

pub mod calendar;
mod decision;
mod draft;
pub mod exposure;
mod fingerprint;
mod fold;
mod import;
mod ledger;
mod pack;
mod record;
pub mod retention;
mod subjects;
#[cfg(test)]
mod tests;

pub use calendar::Holidays;
pub use decision::{Basis, Decision, Rule, decide};
pub use draft::{Doubt, Draft, Who};
pub use fingerprint::{Fingerprint, Part};
pub use fold::{Irregular, Standing, State, Terms, fold};
pub use import::{COLUMNS, Import, import};
pub use ledger::{Ledger, Near, Taken};
pub use record::{Actor, Element, Happening, Method, Notice, Purpose, Record, Token};
pub use subjects::{Enrolled, Rekeyed, Subject, Subjects};
