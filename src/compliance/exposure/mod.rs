//! What of a registrant the public sees, and by what: judged element by element from the contact's row, the registry's rule of
//! publication, the contact's own word and the records of consent. Pure.
//!
//! ```text
//!   row ──▶ Person ──┐
//!   profile ─────────┼──▶ judge ──▶ Exposure (ten elements, each Seen)
//!   consent ─────────┘                 │
//!   service, mask, other roles ────────┴──▶ of a domain's role ──▶ against an RDAP answer: compare
//! ```
//!
//! Three judgements are heuristics and are called so wherever they are told: [`special_in`], [`names_its_person`] and [`Alike`]. How good
//! they are is measured on labelled examples (`fixtures/heuristics`).

mod alike;
mod compare;
mod judge;
mod mailbox;
mod mask;
mod numbers;
mod person;
mod special;
mod state;
#[cfg(test)]
mod tests;
mod words;

pub use alike::{Alike, Shared};
pub use compare::{Contradiction, compare};
pub use judge::{Consent, Stale, is_needless, judge, stale};
pub use mailbox::names_its_person;
pub use mask::unmasked;
pub use person::Person;
pub use special::{special_in, special_of, special_properties};
pub use state::{Exposure, Seen};

/// Whether a value merely says that the true one is withheld.
#[must_use]
pub fn is_placeholder(value: &str) -> bool {
    words::Words::get().is_placeholder(value)
}
