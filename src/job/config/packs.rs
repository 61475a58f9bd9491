//! The tables `[controller]`, `[record]` and `[oversight]`: what is declared, and by which packs the record is made and oversight is held.

use super::table::{Found, Reading, Table};
use crate::base::{Digest, Result};
use crate::compliance::oversight::{DECLARED_CRITERIA, OversightPack};
use crate::compliance::processing::{DECLARED, RecordPack};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What the controller declares.
pub(super) fn controller(reading: &mut Reading<'_>, mut table: Table<'_>) -> BTreeMap<String, String> {
    let mut declared = BTreeMap::new();
    for key in DECLARED {
        let Some(found) = table.find(key) else { continue };
        let Some(text) = found.text(reading) else { continue };
        if key == "established" && iso3166::Country::from_alpha2(&text).is_none() {
            found.wrong(reading, "a country in two capital letters (ISO 3166-1), such as `DE`");
            continue;
        }
        declared.insert(key.to_owned(), text);
    }
    table.finish(reading);
    declared
}

/// By what the record is made.
pub(super) fn record(reading: &mut Reading<'_>, mut table: Table<'_>) -> Option<Arc<RecordPack>> {
    let rules = table.find("rules");
    table.finish(reading);
    pack(reading, rules.as_ref(), RecordPack::embedded, RecordPack::load, |pack| pack.digest)
}

/// By what oversight is held; and what is declared of an impact assessment, by key.
pub(super) fn oversight(reading: &mut Reading<'_>, mut table: Table<'_>) -> Option<(Arc<OversightPack>, BTreeMap<String, String>)> {
    let rules = table.find("rules");
    let mut declared = BTreeMap::new();
    let words = DECLARED_CRITERIA.map(|key| (key, &["yes", "no"][..]));
    let all = words.into_iter().chain([("assessment", &["carried-out", "not-needed"][..]), ("reviewer", &[]), ("reviewed", &[])]);
    for (key, known) in all {
        let Some(found) = table.find(key) else { continue };
        let Some(text) = found.text(reading) else { continue };
        let is_day = key != "reviewed" || text.parse::<jiff::civil::Date>().is_ok();
        if !known.is_empty() && !known.contains(&&*text) {
            found.wrong(reading, &format!("one of {}", known.join(", ")));
        } else if !is_day {
            found.wrong(reading, "a day, such as \"2026-11-21\"");
        } else {
            declared.insert(key.to_owned(), text);
        }
    }
    table.finish(reading);
    let pack = pack(reading, rules.as_ref(), OversightPack::embedded, OversightPack::load, |pack| pack.digest)?;
    Some((pack, declared))
}

/// The operator's own pack, whose digest is noted, or the embedded one.
fn pack<T>(
    reading: &mut Reading<'_>,
    rules: Option<&Found<'_>>,
    embedded: fn() -> Result<T>,
    load: fn(&Path) -> Result<T>,
    digest: fn(&T) -> Digest,
) -> Option<Arc<T>> {
    let is_own = rules.is_some();
    let read = match rules {
        None => embedded(),
        Some(found) => load(&found.path(reading)?),
    };
    match read {
        Ok(pack) => {
            reading.rules.extend(is_own.then(|| digest(&pack)));
            Some(Arc::new(pack))
        }
        Err(problem) => {
            reading.problems.push(*problem);
            None
        }
    }
}
