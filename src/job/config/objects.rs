//! The table `[objects]`: the object storage that snapshots and reports are brought to, and whose it is.

use super::Environment;
use super::registry::secret;
use super::table::{Reading, Table};
use super::types::Objects;
use crate::objects::{Encryption, ObjectsPlace};

/// The region that a server of one's own is told, where nobody says otherwise.
const REGION: &str = "us-east-1";

/// The place; the outer nothing where it cannot be used, the inner one where none is named.
#[expect(clippy::option_option, reason = "that a table is wrong is not that it is absent")]
pub(super) fn objects(reading: &mut Reading<'_>, mut table: Table<'_>, environment: Environment<'_>) -> Option<Option<Objects>> {
    if table.is_absent() {
        return Some(None);
    }
    let url = table.need(reading, "url", "\"s3://registrar-privet/nightly\"");
    let endpoint = table.find("endpoint");
    let area = table.find("region");
    let region = area.as_ref().map_or(Some(REGION.to_owned()), |found| found.text(reading));
    let key_id = table.need(reading, "key_id", "\"PRIVET\"").and_then(|found| {
        let text = found.text(reading)?;
        // It goes into a header.
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            found.wrong(reading, "the id of an access key: visible ASCII characters");
            return None;
        }
        Some(text)
    });
    let key = secret(reading, &mut table, "key", environment);
    let ca = table.find("ca").map_or(Some(None), |found| found.path(reading).map(Some));
    let managed = table.find("kms_key");
    let encryption = match table.find("encryption").map_or(Some("s3"), |found| found.choice(reading, &[("s3", "s3"), ("kms", "kms")])) {
        Some("kms") => managed.map_or(Some(None), |found| found.text(reading).map(Some)).map(Encryption::Managed),
        Some(_) => {
            if let Some(found) = &managed {
                found.wrong(reading, "left out: only `encryption = \"kms\"` has a key");
            }
            Some(Encryption::Server)
        }
        None => None,
    };
    let provider = table.need(reading, "provider", "\"Example Storage\"").and_then(|found| found.text(reading));
    let country = table.need(reading, "country", "\"DE\"").and_then(|found| {
        let text = found.text(reading)?;
        if iso3166::Country::from_alpha2(&text).is_none() {
            found.wrong(reading, "a country in two capital letters (ISO 3166-1), such as `DE`");
            return None;
        }
        Some(text)
    });
    table.finish(reading);
    let server = endpoint.as_ref().map_or(Some(None), |found| found.text(reading).map(Some));
    let url = url?;
    let place = ObjectsPlace::new(&url.text(reading)?, server?, region?, encryption?).map_err(|fault| {
        // Of the settings the guilty one is shown.
        let guilty = match fault.setting {
            "endpoint" => endpoint.as_ref(),
            "region" => area.as_ref(),
            _ => None,
        };
        guilty.unwrap_or(&url).wrong(reading, fault.wanted);
    });
    Some(Some(Objects { place: place.ok()?, key_id: key_id?, key: key?, ca: ca?, provider: provider?, country: country? }))
}
