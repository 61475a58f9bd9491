//! The profiles that come with Privet.

use super::profile::Profile;
use crate::base::{Blame, Problem, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// The embedded profiles, in TOML.
pub(super) const EMBEDDED: [&str; 9] = [
    include_str!("profiles/afnic.toml"),
    include_str!("profiles/denic.toml"),
    include_str!("profiles/dnsbe.toml"),
    include_str!("profiles/eurid.toml"),
    include_str!("profiles/gtld-minimum.toml"),
    include_str!("profiles/gtld-thick.toml"),
    include_str!("profiles/nicit.toml"),
    include_str!("profiles/nz.toml"),
    include_str!("profiles/sidn.toml"),
];

/// The embedded profiles by id. A test reads each; one that cannot be read is not there.
static PROFILES: LazyLock<BTreeMap<String, Arc<Profile>>> =
    LazyLock::new(|| EMBEDDED.iter().filter_map(|t| Profile::read(t).ok()).map(|p| (p.id.clone(), Arc::new(p))).collect());

/// The embedded profile of that id.
///
/// # Errors
/// `E-profile-002`, with the nearest id there is.
pub fn profile(id: &str) -> Result<Arc<Profile>> {
    PROFILES.get(id).cloned().ok_or_else(|| {
        let nearest = PROFILES.keys().min_by_key(|known| strsim::levenshtein(known, id)).map_or("", String::as_str);
        let remedy = format!("did you mean `{nearest}`? Known: {}", profile_names().join(", "));
        Problem::new("E-profile-002", Blame::Operator, format!("there is no profile `{id}`"), remedy)
    })
}

/// The ids of the embedded profiles.
#[must_use]
pub fn profile_names() -> Vec<&'static str> {
    PROFILES.keys().map(String::as_str).collect()
}

/// The embedded profiles, in the order of their ids.
#[must_use]
pub fn profiles() -> Vec<Arc<Profile>> {
    PROFILES.values().cloned().collect()
}
