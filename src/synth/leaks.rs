//! The planted leaks: roles that show the registrant of a domain whose registrant a proxy contact hides.

use super::tables::CsvFile;
use crate::base::Result;
use crate::model::{Domain, Role};
use std::path::Path;

/// The file of leaks: registry, domain, role and handle.
pub(super) struct Leaks {
    file: CsvFile,
    written: u64,
}

impl Leaks {
    /// Opens the file at `path`.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let mut file = CsvFile::create(path)?;
        file.push(["registry", "domain", "role", "handle"])?;
        Ok(Self { file, written: 0 })
    }

    /// Looks at a domain of `registry` behind privacy-protect v2, as it was ordered: whoever is registrant and has another role, too,
    /// is shown there.
    pub(super) fn of(&mut self, registry: &str, order: &Domain) -> Result<()> {
        let Some(registrant) = &order.registrant else { return Ok(()) };
        for role in Role::ALL {
            if order.contacts.iter().any(|contact| contact.role == Some(role) && contact.handle == *registrant) {
                self.file.push([registry, order.name.as_str(), role.as_str(), registrant.as_str()])?;
                self.written += 1;
            }
        }
        Ok(())
    }

    /// Puts the file in place; how many leaks there are.
    pub(super) fn finish(self) -> Result<u64> {
        self.file.finish()?;
        Ok(self.written)
    }
}
