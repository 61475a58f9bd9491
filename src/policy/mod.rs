//! What each registry allows, as data: profiles in TOML, embedded, each rule with its source and how sure we are of it.

mod profile;

pub use profile::{
    Confidence, ContactModel, HostModel, Limits, Line, Privacy, Profile, Quirks, Rate, Rule, Services, profile, profile_names,
};
