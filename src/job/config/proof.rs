//! The table `[proof]`: whose key signs what runs leave, and what its log is called.

use super::SecretSource;
use super::read::Environment;
use super::registry::credential;
use super::table::{INLINE, KEEP, Reading, Table};
use super::types::Proof;
use crate::report::proof::key::is_name;

/// How what runs leave is proved.
pub(super) fn proof(reading: &mut Reading<'_>, mut table: Table<'_>, environment: Environment<'_>) -> Option<Proof> {
    let origin = table.find("origin").and_then(|found| {
        let name = found.text(reading)?;
        if !is_name(&name) {
            found.wrong(reading, "a name of visible ASCII characters without `+`, such as `registrar.example/proof`");
        }
        is_name(&name).then_some(name)
    });
    let key = match table.find("key") {
        None => Some(None),
        Some(found) if found.is_text() => {
            reading.fault("E-config-005", &found.name, found.file_line(), INLINE, KEEP);
            None
        }
        Some(found) => {
            let mut place = table.child(reading, "key");
            let given = ["file", "credential"].into_iter().filter(|key| place.find(key).is_some()).count();
            let file = place.find("file").and_then(|f| f.path(reading)).map(SecretSource::File);
            let credential = place.find("credential").and_then(|f| credential(reading, &f, environment));
            if given != 1 && !place.is_absent() {
                let remedy = "give exactly one of `file` and `credential`, and never the key itself";
                reading.fault("E-config-015", &found.name, found.file_line(), format!("the key has {given} places"), remedy);
            }
            place.finish(reading);
            file.or(credential).map(Some)
        }
    };
    table.finish(reading);
    Some(Proof { origin: origin?, key: key? })
}
