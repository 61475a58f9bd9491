//! What a bundled registry announces and adds beyond its profile: data, by profile id.

use crate::base::{Blame, Problem, Result};
use std::collections::BTreeMap;

/// The embedded table.
const TABLE: &str = include_str!("announce.toml");
/// The entry of profiles that have none.
const DEFAULT: &str = "default";

/// One registry's announcement.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Announcement {
    /// The server's name in the greeting, 3 to 64 characters (RFC 5730 §2.4).
    pub(super) server: String,
    /// Object services beyond the profile's.
    pub(super) objects: Vec<String>,
    /// Extension services beyond the profile's.
    pub(super) extensions: Vec<String>,
    /// Whether a disclose statement is accepted and dropped where the profile has none; otherwise it is refused.
    #[serde(default)]
    pub(super) forgets_disclose: bool,
    /// Added to each contact's answer.
    pub(super) contact: Option<Vendor>,
    /// Added to each domain's answer.
    pub(super) domain: Option<Vendor>,
}

/// An element of a vendor's own namespace in an answer's `<extension>`.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vendor {
    /// The namespace.
    pub(super) uri: String,
    /// The element.
    pub(super) name: String,
    /// Its children: name and text.
    pub(super) fields: Vec<(String, String)>,
}

/// The announcement of the profile `id`.
///
/// # Errors
/// `E-mock-001` where the embedded table cannot be read, which a test rules out.
pub(super) fn announcement(id: &str) -> Result<Announcement> {
    let broken = |why: &str| Problem::new("E-mock-001", Blame::Us, format!("the table of announcements: {why}"), "report this");
    let mut table: BTreeMap<String, Announcement> = toml::from_str(TABLE).map_err(|e| broken(e.message()))?;
    table.remove(id).or_else(|| table.remove(DEFAULT)).ok_or_else(|| broken("no default"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_names_announced_namespaces_only() {
        assert!(announcement("no-such-profile").expect("the default").extensions.is_empty());
        for id in crate::policy::profile_names() {
            let told = announcement(id).expect("readable");
            assert!((3..=64).contains(&told.server.len()));
            for vendor in [&told.contact, &told.domain].into_iter().flatten() {
                assert!(told.extensions.contains(&vendor.uri), "{id}: {}", vendor.uri);
            }
        }
        assert!(announcement("eurid").expect("readable").contact.is_some());
    }
}
