//! The profiles that come with Privet.

use super::profile::Profile;
use crate::base::{Blame, Problem, Result};
use std::sync::{Arc, OnceLock};

/// The embedded profiles by id, in TOML.
pub(super) const EMBEDDED: [(&str, &str); 9] = [
    ("afnic", include_str!("profiles/afnic.toml")),
    ("denic", include_str!("profiles/denic.toml")),
    ("dnsbe", include_str!("profiles/dnsbe.toml")),
    ("eurid", include_str!("profiles/eurid.toml")),
    ("gtld-minimum", include_str!("profiles/gtld-minimum.toml")),
    ("gtld-thick", include_str!("profiles/gtld-thick.toml")),
    ("nicit", include_str!("profiles/nicit.toml")),
    ("nz", include_str!("profiles/nz.toml")),
    ("sidn", include_str!("profiles/sidn.toml")),
];

/// The embedded profiles as they were read, in that order: each by itself, since most runs need one or two. A test reads all of them;
/// one that cannot be read is not there.
static READ: [OnceLock<Option<Arc<Profile>>>; EMBEDDED.len()] = [const { OnceLock::new() }; EMBEDDED.len()];

/// The embedded profile of that id.
///
/// # Errors
/// `E-profile-002`, with the nearest id there is.
pub fn profile(id: &str) -> Result<Arc<Profile>> {
    EMBEDDED.iter().position(|(known, _)| *known == id).and_then(read).ok_or_else(|| {
        let nearest = profile_names().into_iter().min_by_key(|known| strsim::levenshtein(known, id)).unwrap_or_default();
        let remedy = format!("did you mean `{nearest}`? Known: {}", profile_names().join(", "));
        Problem::new("E-profile-002", Blame::Operator, format!("there is no profile `{id}`"), remedy)
    })
}

/// The embedded profile at that place.
fn read(at: usize) -> Option<Arc<Profile>> {
    let (_, text) = EMBEDDED.get(at)?;
    READ.get(at)?.get_or_init(|| Profile::read(text).ok().map(Arc::new)).clone()
}

/// The ids of the embedded profiles.
#[must_use]
pub fn profile_names() -> Vec<&'static str> {
    EMBEDDED.iter().map(|(id, _)| *id).collect()
}

/// The embedded profiles, in the order of their ids.
#[must_use]
pub fn profiles() -> Vec<Arc<Profile>> {
    (0..EMBEDDED.len()).filter_map(read).collect()
}
