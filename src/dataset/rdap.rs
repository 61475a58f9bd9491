//! RDAP answers about domains (RFC 9083 §5.3), as the operator supplies them: who sponsors a domain, and what is shown and redacted of
//! its contacts.
//!
//! An answer is one line. It comes from whoever serves the domain now, so little is asked of it: members that nobody needs here are
//! passed over, as RFC 9083 §2.1 wants it of clients, any may be absent (§2.1, and RFC 9537 for what is redacted), and what only
//! describes is taken as far as it fits.

use super::ingest::{Lines, a_labels};
use crate::base::{Blame, Exit, Personal, Problem, Problems, Result, Timestamp, escape_controls};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

mod shown;

pub use shown::{RdapRedacted, RdapShown, RedactionMethod};

/// The most entities of one answer. A domain has a handful.
const MAX_ENTITIES: usize = 256;

/// The most characters of a registrar's name.
const MAX_NAME: usize = 120;

/// What a directory told of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdapAnswer {
    /// The sponsoring registrar, where it is named.
    pub registrar: Option<RdapRegistrar>,
    /// The registrant's handles.
    pub handles: Vec<Box<str>>,
    /// The registrant's addresses; none where they are redacted.
    pub emails: Vec<Personal>,
    /// What is shown of the domain's contacts.
    pub shown: Vec<RdapShown>,
    /// What is said to be redacted of them (RFC 9537).
    pub redacted: Vec<RdapRedacted>,
    /// When the domain was transferred last.
    pub transferred: Option<Timestamp>,
    /// When the directory's data were brought up to date: as of then the answer holds.
    pub observed: Option<Timestamp>,
}

/// A registrar, by at least one of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdapRegistrar {
    /// Its name or, where that is not told, its handle. It begins with a letter or a digit, so that no spreadsheet computes it.
    pub name: Option<Box<str>>,
    /// Its number at the IANA.
    pub iana: Option<u32>,
}

/// The newest answer about each domain.
#[derive(Clone, Debug, Default)]
pub struct RdapAnswers {
    by_domain: BTreeMap<Box<str>, RdapAnswer>,
}

impl RdapAnswers {
    /// Reads files of one answer a line. Of several about a domain, the one that holds as of the latest time is kept, and the last of
    /// those where several do. An error (RFC 9083 §6), such as of a domain that is not registered, says nothing.
    ///
    /// # Errors
    /// Every problem of every file: `E-rdap-001` to `E-rdap-003`, `E-ndjson-001`, `E-ndjson-002`, `E-file-005`.
    pub fn read(files: &[PathBuf]) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut by_domain: BTreeMap<Box<str>, RdapAnswer> = BTreeMap::new();
        for file in files {
            let Some(mut lines) = Lines::open(file, &mut problems) else { continue };
            while let Some((line, bytes)) = lines.next(&mut problems) {
                match read(bytes) {
                    Ok(Some((domain, answer))) => {
                        if by_domain.get(&domain).is_none_or(|known| known.observed <= answer.observed) {
                            by_domain.insert(domain, answer);
                        }
                    }
                    Ok(None) => {}
                    Err(problem) => problems.push(problem.file(file).line(line).exit(Exit::InputIncomplete)),
                }
            }
        }
        problems.or(Self { by_domain })
    }

    /// What was told of a domain, by its A-labels in lower case.
    #[must_use]
    pub fn of(&self, domain: &str) -> Option<&RdapAnswer> {
        self.by_domain.get(domain)
    }

    /// The domains, by their A-labels in lower case and in that order, with what was told of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RdapAnswer)> {
        self.by_domain.iter().map(|(domain, answer)| (&**domain, answer))
    }
}

/// An answer, as far as it is needed.
#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Answer {
    object_class_name: Option<String>,
    error_code: Option<IgnoredAny>,
    ldh_name: Option<String>,
    unicode_name: Option<String>,
    entities: Option<Vec<Entity>>,
    events: Value,
    redacted: Value,
}

/// An entity of an answer (RFC 9083 §5.1). Those within it are its own, not the domain's.
#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entity {
    roles: Option<Vec<String>>,
    handle: Option<String>,
    public_ids: Value,
    vcard_array: Value,
}

/// The domain that a line is about, with what it tells; nothing where it is an error.
fn read(line: &[u8]) -> Result<Option<(Box<str>, RdapAnswer)>> {
    let wrong = |id: &str, field: &str, what: &str, remedy: &str| Problem::new(id, Blame::Input, what, remedy).field(field);
    let no_json = |column: usize| {
        let problem = Problem::new("E-rdap-001", Blame::Input, "this is no RDAP answer in JSON", "write one answer a line");
        problem.column(column as u64)
    };
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(no_json(1));
    }
    // The parser's own words are not told: they quote values.
    let answer: Answer = serde_json::from_slice(line).map_err(|e| no_json(e.column()))?;
    if answer.error_code.is_some() {
        return Ok(None);
    }
    if answer.object_class_name.as_deref() != Some("domain") {
        let remedy = "ask for domains alone, and leave other answers out";
        return Err(wrong("E-rdap-001", "objectClassName", "this is no answer about a domain", remedy));
    }
    let given = |name: &Option<String>| name.as_deref().filter(|name| !name.is_empty()).map(a_labels);
    let Some(domain) = given(&answer.ldh_name).or_else(|| given(&answer.unicode_name)).flatten() else {
        let remedy = "leave the answer out, or write the domain's A-labels";
        return Err(wrong("E-rdap-002", "ldhName", "the answer has no domain name", remedy));
    };
    let entities = answer.entities.unwrap_or_default();
    if entities.len() > MAX_ENTITIES {
        let what = format!("the answer has {} entities, the cap is {MAX_ENTITIES}", entities.len());
        return Err(wrong("E-rdap-003", "entities", &what, "leave the answer out"));
    }
    let of = |role: &'static str| {
        let has = move |entity: &&Entity| entity.roles.iter().flatten().any(|own| own.eq_ignore_ascii_case(role));
        entities.iter().filter(has)
    };
    let registrants = || of("registrant");
    let told = RdapAnswer {
        registrar: of("registrar").find_map(registrar),
        handles: registrants().filter_map(|entity| entity.handle.as_deref()).map(Into::into).collect(),
        emails: registrants().flat_map(|entity| texts(&entity.vcard_array, "email")).map(Personal::from).collect(),
        shown: shown::shown(&entities),
        redacted: shown::redacted(&answer.redacted),
        transferred: newest(&answer.events, "transfer"),
        observed: newest(&answer.events, "last update of RDAP database"),
    };
    Ok(Some((domain.into(), told)))
}

/// The registrar that an entity is.
fn registrar(entity: &Entity) -> Option<RdapRegistrar> {
    let card = &entity.vcard_array;
    let name = texts(card, "fn").chain(texts(card, "org")).chain(entity.handle.as_deref()).find_map(|text| {
        let text = text.trim_start_matches(|c: char| !c.is_alphanumeric()).trim_end();
        let name: String = text.chars().take(MAX_NAME).collect();
        (!name.is_empty()).then(|| escape_controls(&name).into())
    });
    // RFC 9083 §4.8, and the type that the gTLD profile has for it.
    let iana = entity.public_ids.as_array().into_iter().flatten().find_map(|id| {
        let is_iana = id.get("type")?.as_str()?.eq_ignore_ascii_case("IANA Registrar ID");
        id.get("identifier")?.as_str().filter(|_| is_iana)?.trim().parse().ok()
    });
    (name.is_some() || iana.is_some()).then_some(RdapRegistrar { name, iana })
}

/// The values of a property of a jCard (RFC 7095 §3.3: name, parameters, type, value); the first part where a value has several.
fn texts<'c>(card: &'c Value, name: &'static str) -> impl Iterator<Item = &'c str> {
    let properties = card.get(1).and_then(Value::as_array).into_iter().flatten();
    let named = properties.filter(move |p| p.get(0).and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(name)));
    let text = |value: &'c Value| value.as_str().or_else(|| value.get(0)?.as_str());
    named.filter_map(move |p| text(p.get(3)?)).map(str::trim).filter(|text| !text.is_empty())
}

/// The latest event of that action (RFC 9083 §4.5).
fn newest(events: &Value, action: &str) -> Option<Timestamp> {
    let moment = |event: &Value| {
        let is_it = event.get("eventAction")?.as_str()?.eq_ignore_ascii_case(action);
        event.get("eventDate")?.as_str().filter(|_| is_it)?.parse().ok()
    };
    events.as_array().into_iter().flatten().filter_map(moment).max()
}

#[cfg(test)]
mod tests;
