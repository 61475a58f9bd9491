//! `remind`: a letter for each registrant whose domain went to another registrar and still names the provider's contact (RTR-10, RTR-19).
//!
//! The letters in the outbox are those that are called for today, and no others: one whose domain names our contact no more is gone.

use super::super::config::Loaded;
use super::super::ledgers::Opened;
use super::super::night::Night;
use super::super::protection::{Seen, look};
use super::super::table::Table;
use super::super::validate::newest;
use super::super::{Context, Ended};
use super::letters::Letters;
use super::outbox::{Outbox, TransferReminder};
use super::people::{Registrant, rows_of};
use super::{token, wording};
use crate::base::{Digest, Exit, Problem, Problems, RegistryId, Result, Timestamp};
use crate::compliance::asking::{About, Letter, Occasion};
use crate::compliance::{Ledger, Token};
use crate::dataset::{DomainField, Records, Snapshot};
use crate::model::ObjectKind;
use crate::plan::{Gone, Look};
use std::collections::BTreeMap;
use std::path::Path;

/// What `remind` prints with `--format json`.
#[derive(Clone, Debug, Default, serde::Serialize, schemars::JsonSchema)]
pub struct Reminded {
    /// The folder with `reminded.csv`: what came of each domain.
    reports: String,
    /// Domains at other registrars that still name our contact.
    domains: u64,
    /// Letters that wait to be sent.
    letters: u64,
    /// Of them, those that were not there before.
    fresh: u64,
    /// Where they are, where there are any.
    file: Option<String>,
    /// Domains whose registrant stands in the local records no more.
    unknown: u64,
    /// Domains whose registrant has no address.
    unreachable: u64,
}

/// A domain that went, with its registry.
struct Away {
    registry: RegistryId,
    domain: String,
    gone: Gone,
}

/// `remind`: the letters that are called for, in the place of those that waited.
///
/// # Errors
/// As `report protection`; `E-asking-…` and `E-template-…` (exit 2, 32) where there are no words; `E-store-…`, `E-file-…` (exit 33).
pub fn remind(loaded: &Loaded, ctx: &Context, brand: Option<&str>) -> Result<Ended, Problems> {
    let letters = Letters::read(&loaded.config, Occasion::Transfer)?;
    let night = Night::begin(loaded, ctx)?;
    let all = newest(loaded, &night, ctx)?;
    let records = night.known_records()?;
    night.stage("reminders");
    let snapshots: BTreeMap<&RegistryId, &Snapshot> = all.iter().map(|(id, _, snapshot)| (*id, snapshot)).collect();
    let mut away = Vec::new();
    look(&night, &records, &snapshots, &mut |seen| {
        away.extend(went(seen));
        Ok(())
    })?;
    let mut out = Reminded { reports: night.dir.display().to_string(), domains: away.len() as u64, ..Reminded::default() };
    let mut opened = Opened::open(loaded, "consent")?;
    let mut ledger = Ledger::open(&mut opened.store)?;
    let outbox = Outbox::open(&loaded.config.state)?;
    let before = outbox.reminded()?;
    let registrants = registrants(&records, &away)?;
    let mut table = Table::create(&night.dir.join("reminded.csv"), &["registry", "domain", "sponsor", "course", "message"])?;
    let mut written = Vec::new();
    for one in &away {
        let registrant = registrants.get(&(one.registry.clone(), one.domain.clone()));
        let (course, message) = match registrant {
            None => ("unknown", None),
            Some(registrant) if registrant.email.reveal().is_empty() => ("unreachable", None),
            Some(registrant) => {
                let letter = letter(loaded, &letters, brand, one, registrant, (&before, night.started), &mut ledger)?;
                out.fresh += u64::from(!before.contains_key(&letter.message));
                let message = letter.message.to_string();
                written.push(letter);
                ("written", Some(message))
            }
        };
        out.unknown += u64::from(course == "unknown");
        out.unreachable += u64::from(course == "unreachable");
        table.row(&[one.registry.as_str(), &one.domain, &one.gone.sponsor, course, message.as_deref().unwrap_or_default()])?;
    }
    table.end()?;
    // The oldest first: by it the outbox is as old as it is.
    written.sort_by(|one, other| (one.created, &one.message).cmp(&(other.created, &other.message)));
    out.letters = written.len() as u64;
    out.file = outbox.remind(&written)?.map(|path| path.display().to_string());
    let mut exits = vec![Exit::Done];
    exits.extend((out.unknown + out.unreachable > 0).then_some(Exit::Findings));
    let counts = [("domains", out.domains), ("letters", out.letters), ("unknown", out.unknown), ("unreachable", out.unreachable)];
    let text = as_text(&out);
    let mut ended = Ended { exits, json: serde_json::to_value(&out).unwrap_or_default(), text, problems: Vec::new() };
    night.proved(&mut ended, "remind", all.iter().map(|(_, _, snapshot)| snapshot), &counts);
    Ok(ended)
}

/// The domains among what was seen that went to another registrar with our contact in them. One that no registry is known for is nobody's.
fn went(seen: Seen<'_>) -> Vec<Away> {
    let (registry, all) = match seen {
        Seen::At(id, Look::Domains(all)) => (id.clone(), all),
        Seen::At(_, Look::Contacts(..)) => return Vec::new(),
        Seen::Elsewhere(registry, one) => (RegistryId::new(registry), vec![*one]),
    };
    let of = |one: crate::plan::Watched| Some(Away { registry: registry.clone(), domain: one.domain.to_string(), gone: one.gone? });
    all.into_iter().filter_map(of).collect()
}

/// Whose the domains are, by the local records.
fn registrants(records: &Records, away: &[Away]) -> Result<BTreeMap<(RegistryId, String), Registrant>> {
    let domains = rows_of(records, ObjectKind::Domain, away.iter().map(|one| (&one.registry, one.domain.as_str())))?;
    let named: Vec<(RegistryId, String, String)> = (domains.into_iter())
        .filter_map(|((registry, domain), row)| Some((registry, domain.into(), row.get(DomainField::Registrant.at())?.to_owned())))
        .collect();
    let contacts = rows_of(records, ObjectKind::Contact, named.iter().map(|(registry, _, handle)| (registry, handle.as_str())))?;
    let known = |(registry, domain, handle): (RegistryId, String, String)| {
        let row = contacts.get(&(registry.clone(), handle.as_str().into()))?;
        Some(((registry, domain), Registrant::of(row)))
    };
    Ok(named.into_iter().filter_map(known).collect())
}

/// The letter to one registrant; made first when it was, where it waits already.
fn letter(
    loaded: &Loaded,
    letters: &Letters<'_>,
    brand: Option<&str>,
    one: &Away,
    registrant: &Registrant,
    (before, now): (&BTreeMap<Token, Timestamp>, Timestamp),
    ledger: &mut Ledger<'_>,
) -> Result<TransferReminder> {
    let (name, words) = letters.of(brand)?;
    let Some((language, language_by, template)) = words.template(None) else {
        return Err(Problem::new("E-asking-005", crate::base::Blame::Us, "the brand has no words", "please report this"));
    };
    let Gone { sponsor, since, .. } = &one.gone;
    let since = since.map_or_else(String::new, |(day, _)| day.to_string());
    let message = token(&format!("r-{}", Digest::of(format!("{}\n{}\n{sponsor}\n{since}", one.registry, one.domain).as_bytes()).short()))?;
    let controller = loaded.config.controller.get("controller").map(String::as_str).unwrap_or_default();
    let written = template.write(&Letter {
        message: message.as_str(),
        name: registrant.name.reveal(),
        brand: &words.brand.name,
        controller,
        about: About::Transfer { domain: &one.domain, registrar: sponsor, since: &since },
    })?;
    Ok(TransferReminder {
        schema: TransferReminder::SCHEMA,
        schema_version: TransferReminder::VERSION,
        subject: registrant.person.as_ref().map(|person| ledger.subject_of(person)).transpose()?.flatten(),
        registry: one.registry.clone(),
        domain: one.domain.clone(),
        brand: token(name)?,
        language: token(language)?,
        language_by,
        template: wording(template)?,
        to: registrant.email.reveal().to_owned(),
        subject_line: written.subject,
        body: written.body,
        created: before.get(&message).copied().unwrap_or(now),
        message,
    })
}

/// It for people.
fn as_text(out: &Reminded) -> String {
    let mut text = format!("{} domains at other registrars still name our contact\n", out.domains);
    for (n, what) in [(out.unknown, "of nobody in the local records any more"), (out.unreachable, "of somebody without an address")] {
        if n > 0 {
            text.push_str(&format!("{n} {what}: no letter\n"));
        }
    }
    let place = out.file.as_deref().map_or_else(String::new, |file| format!(", in {}", Path::new(file).display()));
    text.push_str(&format!("{} letters wait to be sent, {} of them new{place}", out.letters, out.fresh));
    text
}
