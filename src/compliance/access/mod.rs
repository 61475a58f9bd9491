//! What a person gets who asks what is held of them (GDPR Art. 15), and what of it they may take along (Art. 20).
//!
//! A [`Bundle`] is meant for that person alone: values stand in it in clear, and of nobody else's. What was left out is stated in it, with
//! the ground ([`Exclusion`]). Nothing here reads a store; the verbs put it together.

mod bundle;
mod portable;
mod rights;
#[cfg(test)]
mod tests;

pub use bundle::{
    AccessCase, AccessClock, AccessConsent, AccessDisclosure, AccessDomain, Answering, Bundle, Datum, Exclusion, Holding, Period,
    PurposeOf, RecipientOf,
};
pub use portable::{Portable, portable};
pub use rights::{Right, rights};
