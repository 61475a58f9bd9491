//! The tables `[consent]` and `[messages.BRAND]`: by which pack data are given to providers, and in which words people are asked.

use super::table::{Reading, Table};
use super::types::{Asking, Brand};
use crate::compliance::Token;
use crate::compliance::asking::BasisMatrix;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The most brands.
const MOST: usize = 1000;
/// The most characters of a link, before the message's id is put behind it.
const MAX_LINK: usize = 500;
/// The choices of `withdraw`.
const WAYS: [(&str, &str); 4] = [("control-panel", "control-panel"), ("api", "api"), ("page", "page"), ("email", "email")];

/// By what data are given to providers.
pub(super) fn asking(reading: &mut Reading<'_>, mut table: Table<'_>) -> Option<Asking> {
    let rules = table.find("rules").map(|found| found.path(reading));
    let zone = table.find("zone").and_then(|found| {
        let zone = TimeZone::get(&found.text(reading)?).ok();
        if zone.is_none() {
            found.wrong(reading, "a time zone of the IANA database, such as `Europe/Berlin`");
        }
        zone
    });
    let found = table.find("providers");
    let providers = found.as_ref().map_or(Some(BTreeMap::new()), |found| found.pairs(reading));
    table.finish(reading);
    let is_own = rules.is_some();
    let matrix = match rules {
        None => BasisMatrix::embedded(),
        Some(path) => BasisMatrix::load(&path?),
    };
    let matrix = match matrix {
        Ok(matrix) => matrix,
        Err(problem) => {
            reading.problems.push(*problem);
            return None;
        }
    };
    reading.rules.extend(is_own.then_some(matrix.digest));
    let providers = providers?;
    if let (Some(odd), Some(found)) = (providers.values().find(|provider| !matrix.knows(provider)), &found) {
        let what = format!("the pack of bases has no provider `{}`", crate::base::escape_controls(odd));
        reading.fault("E-config-003", &found.name, found.file_line(), what, "add it to the pack that `rules` names, or correct its name");
        return None;
    }
    Some(Asking { matrix: Arc::new(matrix), zone: zone?, providers })
}

/// Every brand of the file.
pub(super) fn brands(reading: &mut Reading<'_>, table: &mut Table<'_>) -> BTreeMap<String, Brand> {
    let mut brands = BTreeMap::new();
    for (n, (name, line, mut entry)) in table.entries(reading).into_iter().enumerate() {
        if n == MOST {
            reading.fault("E-config-004", &entry.name, Some(line), format!("there are more than {MOST} brands"), "leave some out");
            break;
        }
        if Token::read(&name).is_none() {
            let what = "a brand has letters, digits and ._:/+- in its name, 64 at most";
            reading.fault("E-config-004", &entry.name, Some(line), what, "orders name it so; the name for people is `name`");
        }
        let shown = entry.find("name").and_then(|found| found.text(reading)).unwrap_or_else(|| name.clone());
        let language = entry.find("language").and_then(|found| {
            let tag = found.text(reading)?.to_ascii_lowercase();
            if !is_tag(&tag) {
                found.wrong(reading, "a language, such as `en` or `pt-br`");
            }
            is_tag(&tag).then_some(tag)
        });
        let link = entry.find("link").and_then(|found| {
            let link = found.text(reading)?;
            let fits = link.starts_with("https://") && link.len() <= MAX_LINK && link.bytes().all(|b| b.is_ascii_graphic());
            if !fits {
                found.wrong(reading, "the beginning of an address with https, behind which the message's id is put");
            }
            fits.then_some(link)
        });
        let withdraw = entry.find("withdraw").and_then(|found| found.choice(reading, &WAYS));
        let [templates, reminders] = ["templates", "reminders"].map(|key| templates(reading, &mut entry, key));
        entry.finish(reading);
        let language = language.unwrap_or_else(|| "en".to_owned());
        brands.insert(name, Brand { name: shown, language, link, withdraw, templates, reminders });
    }
    brands
}

/// The files of templates below `key`, by language.
fn templates(reading: &mut Reading<'_>, entry: &mut Table<'_>, key: &'static str) -> BTreeMap<String, PathBuf> {
    let mut templates = BTreeMap::new();
    let Some(found) = entry.find(key) else { return templates };
    for (tag, file) in found.pairs(reading).unwrap_or_default() {
        if is_tag(&tag.to_ascii_lowercase()) {
            templates.insert(tag.to_ascii_lowercase(), found.layer.base.join(file));
        } else {
            found.wrong(reading, "languages and files, such as `{ de = \"templates/de.txt\" }`");
        }
    }
    templates
}

/// Whether that is a language as templates are named by: two or three letters, and parts of letters and digits behind dashes (BCP 47).
fn is_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let is_first = parts.next().is_some_and(|part| matches!(part.len(), 2 | 3) && part.bytes().all(|b| b.is_ascii_lowercase()));
    is_first && tag.len() <= 35 && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}
