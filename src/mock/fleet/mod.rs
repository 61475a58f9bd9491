//! The synthetic fleet: a registry's initial objects as pure functions of a seed and an index, so that ten million of them cost no memory.
//!
//! Handles and names can be turned back into their index; everything else about an object is drawn from a generator that is seeded
//! with (seed, index).

mod code;
mod draw;
mod flaws;
pub(super) mod italian;
mod links;
mod names;
mod people;
mod privacy;
mod properties;
mod settings;
mod synthetic;
mod words;

#[cfg(test)]
mod tests;

pub use draw::Draw;
pub use flaws::Flaw;

pub use privacy::{Mask, Provider, proxy_handle};
pub use settings::{FleetSettings, Forms, HandleForm, PrivacyShares};
pub use synthetic::SyntheticFleet;

use crate::base::Result;
use crate::model::{Contact, Domain, Host, StatusValue};
use std::path::Path;

/// A registry's initial objects, as a function of a seed: asking costs no memory.
pub trait Fleet: Send + Sync {
    /// The contact of that handle.
    fn contact(&self, id: &str) -> Option<Contact>;
    /// The domain of that name, in A-label form, lower case.
    fn domain(&self, name: &str) -> Option<Domain>;
    /// The host of that name.
    fn host(&self, name: &str) -> Option<Host>;
    /// How often domains name the contact of that handle, as registrant or in a role; one of which more is not known is named more
    /// often than anybody could take back.
    fn links(&self, id: &str) -> i64 {
        let is_linked = |contact: Contact| contact.statuses.iter().any(|status| status.value == StatusValue::LINKED);
        if self.contact(id).is_some_and(is_linked) { i64::MAX } else { 0 }
    }
}

/// The fleet that `state_dir/fleet.toml` describes; an empty one where that file is missing.
///
/// # Errors
/// `E-fleet-001` to `E-fleet-003` where the file says something impossible, `E-profile-002` where its profile is unknown,
/// `E-file-005` and `E-file-006` where it cannot be read.
pub fn open(state_dir: &Path) -> Result<Box<dyn Fleet>> {
    match FleetSettings::load(&state_dir.join(FleetSettings::FILE))? {
        Some(settings) => Ok(Box::new(SyntheticFleet::new(settings)?)),
        None => Ok(Box::new(Empty)),
    }
}

/// A registry without objects.
struct Empty;

impl Fleet for Empty {
    fn contact(&self, _id: &str) -> Option<Contact> {
        None
    }

    fn domain(&self, _name: &str) -> Option<Domain> {
        None
    }

    fn host(&self, _name: &str) -> Option<Host> {
        None
    }
}
