//! What each registry allows, as data: profiles in TOML, embedded, each rule with its source and how sure we are of it.

mod characters;
mod embedded;
mod fields;
mod limits;
mod matrix;
mod overriding;
mod profile;
mod published;
mod read;
mod rule;
#[cfg(test)]
mod tests;
mod words;

pub use crate::model::Confidence;
pub use characters::{Characters, CodePoints};
pub use embedded::{profile, profile_names, profiles};
pub use fields::{Bounds, Check, FieldRules, Pattern, Property, PropertyKind, PropertyOf, When};
pub use limits::{DailyQuota, Limits, Rate, RateWindow, Zone};
pub use matrix::{Cell, Column, Matrix, Row, matrix};
pub use overriding::Overridden;
pub use profile::{Capabilities, CodeMeaning, NameServers, Profile, Quirks, RoleRules, Services, Statuses};
pub use published::{Choice, Needed, Published, Special, SpecialKind, StandIn, Visibility, published};
pub use rule::{Capability, Rule};
pub use words::{
    ContactModel, DomainRole, Glue, HostModel, Line, Privacy, Publication, RegistrantChange, ServerTest, StatusUse, TransferLock,
};
