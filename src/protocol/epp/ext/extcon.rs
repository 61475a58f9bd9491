//! NicIT's contacts: extcon-1.0.

use super::super::rule;
use super::carrier::{Carrier, Leaf, Writes};
use crate::protocol::ns::Ns;

const REGISTRANT: (&str, &str) = ("extcon:registrant", "registrant");

/// Whether a contact is published, and what a registrant is.
pub(super) static EXTCON: Carrier = Carrier {
    versions: &[Ns::EXTCON],
    xmlns: "xmlns:extcon",
    create: "extcon:create",
    update: "extcon:update",
    change: None,
    leaves: &[
        Leaf::truth("consentForPublishing", "extcon:consentForPublishing", Writes::Always),
        Leaf::new("nationalityCode", "extcon:nationalityCode", &rule::NATIONALITY, Writes::WithGroup).within(REGISTRANT),
        Leaf::new("entityType", "extcon:entityType", &rule::ENTITY_TYPE, Writes::WithGroup).within(REGISTRANT),
        Leaf::new("regCode", "extcon:regCode", &rule::TOKEN, Writes::WithGroup).within(REGISTRANT),
        Leaf::new("schoolCode", "extcon:schoolCode", &rule::TOKEN, Writes::May).within(REGISTRANT),
    ],
};
