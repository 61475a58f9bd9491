//! What of a person's data they may take along (GDPR Art. 20): what they gave themselves, and rests on consent or on a contract.

use super::bundle::Datum;
use crate::base::{Personal, Timestamp};
use crate::compliance::retention::LegalBasis;
use std::collections::HashSet;

/// A datum as it is taken along: without what others made of it.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Portable {
    /// The registry.
    pub registry: String,
    /// The contact's handle.
    pub contact: String,
    /// Which field.
    pub field: &'static str,
    /// The value.
    pub value: Personal,
    /// What it rests on.
    pub basis: LegalBasis,
    /// As of when.
    pub made_at: Timestamp,
}

/// The data that may be taken along, each once although it stands in the records and at the registry.
#[must_use]
pub fn portable(data: &[Datum], made_at: Timestamp) -> Vec<Portable> {
    let mut seen = HashSet::new();
    let rests = |basis: LegalBasis| matches!(basis, LegalBasis::Consent | LegalBasis::Contract);
    let given = data.iter().filter(|datum| datum.provided && rests(datum.basis));
    let fresh = given.filter(|datum| seen.insert((&datum.registry, &datum.contact, datum.field, datum.value.reveal())));
    let one = |datum: &Datum| Portable {
        registry: datum.registry.clone(),
        contact: datum.contact.clone(),
        field: datum.field,
        value: datum.value.clone(),
        basis: datum.basis,
        made_at,
    };
    fresh.map(one).collect()
}
