//! A registry's initial objects, as a function of a seed.

use crate::base::{Blame, Problem, Result};
use crate::model::{Contact, Domain, Host};
use std::path::Path;

/// A registry's initial objects, as a function of a seed: asking costs no memory.
pub trait Fleet: Send + Sync {
    /// The contact with that handle.
    fn contact(&self, id: &str) -> Option<Contact>;
    /// The domain of that name.
    fn domain(&self, name: &str) -> Option<Domain>;
    /// The host of that name.
    fn host(&self, name: &str) -> Option<Host>;
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

/// Opens the fleet that `state_dir/fleet.toml` describes; without that file, one without objects.
///
/// # Errors
/// `E-fleet-001` where the file is there but cannot be used.
pub fn open(state_dir: &Path) -> Result<Box<dyn Fleet>> {
    let path = state_dir.join("fleet.toml");
    if path.exists() {
        return Err(Problem::new("E-fleet-001", Blame::Operator, "this build knows no synthetic objects", "remove the file").file(&path));
    }
    Ok(Box::new(Empty))
}
