//! What a bundled registry announces and adds beyond its profile: data, by profile id.

use super::dns_check::DnsRule;
use super::points::PointsRule;
use crate::base::{Blame, Problem, Result};
use crate::model::{Domain, Properties};
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
    /// Whether truth values in attributes are spelled in words.
    #[serde(default)]
    pub(super) truth_in_words: bool,
    /// The account's credit, told with logins and logouts.
    pub(super) credit: Option<String>,
    /// How points for errors are counted, where they are.
    pub(super) hit_points: Option<PointsRule>,
    /// Days for which an authorisation code holds that the registry makes, where it makes them.
    pub(super) auth_code_days: Option<u16>,
    /// How name servers are checked after a change, where the outcome is told in the queue.
    pub(super) dns_check: Option<DnsRule>,
    /// Whether an update adds and removes properties by their values, so that one that is there must go before another comes.
    #[serde(default)]
    pub(super) adds_properties: bool,
    /// Days after which the registry grants a transfer that nobody answered; with none it does so at once.
    #[serde(default = "usual_transfer_days")]
    pub(super) transfer_days: u16,
    /// Whether the registry renews domains, and clients do not.
    #[serde(default)]
    pub(super) renews_by_itself: bool,
    /// Properties of domains of the fleet that have none, by key.
    #[serde(default)]
    domain_properties: BTreeMap<String, String>,
    /// Further properties of those that are not delegated.
    #[serde(default)]
    undelegated_properties: BTreeMap<String, String>,
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

impl Announcement {
    /// Gives a domain that has none the properties that this registry has of each.
    pub(super) fn complete_domain(&self, domain: &mut Domain) {
        if domain.properties.is_empty() {
            domain.properties = of(&self.domain_properties);
            if domain.ns.is_empty() {
                domain.properties.apply(&of(&self.undelegated_properties));
            }
        }
    }
}

/// The days that gTLD registries give (ICANN's Transfer Policy).
const fn usual_transfer_days() -> u16 {
    5
}

fn of(table: &BTreeMap<String, String>) -> Properties {
    table.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
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
            if let Some(vendor) = &told.domain {
                assert!(told.extensions.contains(&vendor.uri), "{id}: {}", vendor.uri);
            }
        }
        assert!(announcement("nicit").expect("readable").credit.is_some());
    }
}
