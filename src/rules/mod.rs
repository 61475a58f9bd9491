//! What a registry would refuse, told before anything is sent: numbered rules, judged by what a profile says, one file per family.
//!
//! ```text
//!   profile ──▶ Judge ──▶ addresses   R-addr-…   value by value, in the order NFC, length, form, characters
//!   row     ──▶       ──▶ properties  R-prop-…   what a registry's extensions carry
//!                     ──▶ statuses    R-stat-…
//!                     ──▶ servers     R-ns-…     what the row itself says of name servers
//!                     ──▶ roles       R-role-…
//!   change  ──▶ identity_change       R-ident-…  of what says who a registrant is
//! ```
//!
//! A rule's number is the same at every registry; which values break it is the profile's. What is ours alone (NFC, look-alikes, postal
//! codes of countries no profile speaks of) only ever warns.

mod address;
mod characters;
mod checks;
mod dns;
mod identity;
mod judge;
mod junit;
mod output;
mod phone;
mod postal;
mod privacy;
mod property;
mod roles;
mod scripts;
mod servers;
mod status;
mod subject;
#[cfg(test)]
mod tests;

pub use judge::Judge;
pub use output::{Findings, FindingsSummary, FindingsTable, RuleCount};
pub use privacy::OwnData;
pub use status::status_change;

use crate::dataset::Row;
use crate::model::Finding;
use crate::policy::Profile;

/// Everything that the registry of `profile` would refuse of a contact, or that is doubtful in it; empty where all is well.
///
/// For many rows make one [`Judge`].
#[must_use]
pub fn contact(profile: &Profile, row: &Row) -> Vec<Finding> {
    Judge::of(profile).contact(row)
}

/// The same for a domain. What takes a look at its contacts is [`Judge::domain_among`]'s.
#[must_use]
pub fn domain(profile: &Profile, row: &Row) -> Vec<Finding> {
    Judge::of(profile).domain(row)
}

/// What keeps an update from turning one contact into the other: fields that say who a registrant is. Empty where nothing does.
#[must_use]
pub fn identity_change(profile: &Profile, before: &Row, after: &Row) -> Vec<Finding> {
    Judge::of(profile).identity_change(before, after)
}
