//! The planted leaks, and masks that outlived what they were for: roles that show the registrant of a domain whose registrant a proxy
//! contact hides, services that are over while the registry still hides whom they hid, and proxy contacts that nothing names.

use super::tables::CsvFile;
use crate::base::{Handle, Result};
use crate::model::{Domain, Role};
use std::path::Path;

/// The file: registry, domain, role, handle and kind.
pub(super) struct Leaks {
    file: CsvFile,
    written: Written,
}

/// How many rows there are, by kind.
#[derive(Clone, Copy, Default)]
pub(super) struct Written {
    /// `role`: the role shows a protected registrant.
    pub(super) roles: u64,
    /// `ended`: the handle hides the registrant in that role, or is withheld itself, and no service asks for it any more.
    pub(super) ended: u64,
    /// `orphan`: the handle is the domain's proxy contact, and nothing names it.
    pub(super) orphans: u64,
}

impl Leaks {
    /// Opens the file at `path`.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let mut file = CsvFile::create(path)?;
        file.push(["registry", "domain", "role", "handle", "kind"])?;
        Ok(Self { file, written: Written::default() })
    }

    /// Looks at a domain of `registry` behind privacy-protect v2, as it was ordered: whoever is registrant and has another role, too,
    /// is shown there.
    pub(super) fn of(&mut self, registry: &str, order: &Domain) -> Result<()> {
        let Some(registrant) = &order.registrant else { return Ok(()) };
        for role in Role::ALL {
            if order.contacts.iter().any(|contact| contact.role == Some(role) && contact.handle == *registrant) {
                self.file.push([registry, order.name.as_str(), role.as_str(), registrant.as_str(), "role"])?;
                self.written.roles += 1;
            }
        }
        Ok(())
    }

    /// Notes a domain whose service is over, while `handle` hides the registrant in `role`.
    pub(super) fn ended(&mut self, registry: &str, domain: &str, role: &str, handle: &str) -> Result<()> {
        self.written.ended += 1;
        self.file.push([registry, domain, role, handle, "ended"])
    }

    /// Notes a domain whose proxy contact nothing names.
    pub(super) fn orphan(&mut self, registry: &str, domain: &str, proxy: &Handle) -> Result<()> {
        self.written.orphans += 1;
        self.file.push([registry, domain, "", proxy.as_str(), "orphan"])
    }

    /// Puts the file in place; how many rows there are.
    pub(super) fn finish(self) -> Result<Written> {
        self.file.finish()?;
        Ok(self.written)
    }
}
