//! `report exposure`: what of registrants the public sees, by registry rule, by their own word and behind masks, now and once a plan is
//! applied; where that is more, or less, than was promised; and what is held without need.

mod consents;
mod contacts;
mod domains;
mod planned;
mod told;

use super::config::{Config, Loaded, RegistryConfig};
use super::night::Night;
use super::opening::open_store;
use super::plan::site;
use super::validate::newest;
use super::{Context, Ended};
use crate::base::{Event, Exit, Problems, RegistryId, Result, Timestamp};
use crate::compliance::exposure::Person;
use crate::dataset::{RdapAnswers, Records, Row, Services, Snapshot};
use crate::diff::PrivacySettings;
use crate::model::ObjectKind;
use crate::plan::{Pair, Selection, Sources, pairs};
use crate::policy::Profile;
use crate::report::{ExposureBook, ExposureCount, RegistryExposure, RuleLine};
use crate::rules::{Findings, FindingsSummary, Judge, OwnData, RuleCount};
use consents::Publications;
use contacts::{Asked, Contacts};
use domains::{Known, Watch, domain};
use jiff::tz::TimeZone;
use planned::PlannedChanges;
use std::path::PathBuf;
use told::about;

/// Findings that are told one by one.
const TOLD: usize = 20;

/// What `report exposure` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ExposureReport {
    /// The folder with the tables and `findings.{csv,json,parquet}`.
    reports: String,
    /// The plan whose effect is told, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    /// What was looked at, by registry.
    registries: Vec<RegistryExposure>,
    /// How many elements of roles are seen by whom, the summary's totals.
    elements: Vec<ExposureCount>,
    /// What somebody should act on.
    findings: FindingsSummary,
}

/// What is known besides the objects of a registry.
struct Asking<'a> {
    services: &'a Services,
    settings: Option<&'a PrivacySettings>,
    rdap: &'a RdapAnswers,
    planned: Option<&'a PlannedChanges>,
    /// Data that are no registrant's own, with whose they are.
    own: &'a [(String, OwnData)],
}

impl Asking<'_> {
    /// Whether a handle is one of the provider's contacts that are the same for all domains.
    fn is_provider(&self, handle: &str) -> bool {
        let settings = self.settings;
        let known = [settings.and_then(|s| s.v1_handle.as_ref()), settings.and_then(|s| s.brand_handle.as_ref())];
        known.into_iter().flatten().any(|known| known.as_str() == handle)
    }
}

/// One registry on the table.
struct Desk<'a, 'b> {
    registry: &'a str,
    profile: &'a Profile,
    judge: Judge<'a>,
    sheets: &'a mut ExposureBook<'b>,
}

impl Desk<'_, '_> {
    /// The row by which an object is judged: what its registry holds or, where that has no contacts and the registrar's own directory
    /// publishes, the local record.
    fn held<'r>(&self, pair: Pair<'r>) -> Option<&'r Row> {
        if self.profile.has_contacts() { pair.remote } else { pair.local }
    }

    /// Whether the registry's own data stand in a contact in the place of what is withheld.
    fn is_stand_in(&self, person: &Person<'_>) -> bool {
        self.profile.stand_in.as_ref().is_some_and(|rule| person.is_stand_in(&rule.value))
    }
}

/// `report exposure`: the newest snapshots, judged by the registries' rules of publication, and what `plan` would make of them.
///
/// # Errors
/// Everything that keeps the records from being taken in; `E-job-003` (exit 32) where a registry has no snapshot; as `PlanFile::open`
/// (exit 21) where the plan cannot be read; `E-file-…`, `E-store-…` (exit 33).
pub fn report_exposure(loaded: &Loaded, ctx: &Context, plan: Option<PathBuf>) -> Result<Ended, Problems> {
    let night = Night::begin(loaded, ctx)?;
    let all = newest(loaded, &night, ctx)?;
    let planned = plan.as_deref().map(|path| PlannedChanges::read(path, &loaded.config)).transpose()?;
    let records = night.known_records()?;
    night.stage("exposure");
    let (services, rdap, own) = (night.services()?, night.rdap()?, own_data(&loaded.config));
    let settings = loaded.config.privacy.as_ref();
    let asking = Asking { services: &services, settings, rdap: &rdap, planned: planned.as_ref(), own: &own };
    let mut store = open_store(&night.loaded.config)?;
    let mut consents = Publications::open(&mut store, night.started)?;
    let mut findings = Findings::begin(&night.dir, false, TOLD)?;
    let making = night.making();
    let mut sheets = ExposureBook::begin(&night.dir, &making, loaded.config.record.small)?;
    let mut registries = Vec::new();
    for (id, registry, snapshot) in &all {
        let source = Source { night: &night, id, registry, records: &records, snapshot };
        registries.push(source.expose(&asking, &mut consents, &mut sheets, &mut findings)?);
    }
    let (summary, first) = findings.finish()?;
    let line = |count: &RuleCount| RuleLine {
        rule: count.rule.clone(),
        registry: count.registry.clone(),
        severity: count.severity,
        what: about(&count.rule),
        findings: count.findings,
        objects: count.objects,
    };
    let (elements, _) = sheets.finish(&registries, &summary.rules.iter().map(line).collect::<Vec<_>>())?;
    let text = text(&night, (&registries, &elements), &summary, &first);
    let mut exits = vec![Exit::Done];
    exits.extend((summary.errors + summary.warnings > 0).then_some(Exit::Findings));
    exits.extend(ctx.stop.is_stopped().then_some(Exit::Stopped));
    let plan = plan.map(|path| path.display().to_string());
    let counts = [("objects", summary.objects), ("errors", summary.errors), ("warnings", summary.warnings)];
    let report = ExposureReport { reports: night.dir.display().to_string(), plan, registries, elements, findings: summary };
    let mut ended = Ended { exits, json: serde_json::to_value(report).unwrap_or_default(), text, problems: Vec::new() };
    night.proved(&mut ended, "report exposure", all.iter().map(|(_, _, snapshot)| snapshot), &counts);
    Ok(ended)
}

/// What people read of it.
fn text(
    night: &Night<'_>,
    (registries, elements): (&[RegistryExposure], &[ExposureCount]),
    summary: &FindingsSummary,
    first: &[crate::model::Finding],
) -> String {
    let mut text = String::new();
    for RegistryExposure { registry, contacts, domains, answers, .. } in registries {
        text.push_str(&format!("{registry}: {domains} domains, {contacts} contacts, {answers} RDAP answers\n"));
    }
    for ExposureCount { stage, seen, elements } in elements {
        text.push_str(&format!("{}: {elements} elements {}\n", stage.as_str(), seen.as_str()));
    }
    for finding in first {
        text.push_str(&format!("{finding}\n"));
    }
    text.push_str(&format!("{} errors, {} warnings; all in {}", summary.errors, summary.warnings, night.dir.display()));
    text
}

/// The data that are no registrant's own: the privacy provider's, and those of the registrar and its resellers.
fn own_data(config: &Config) -> Vec<(String, OwnData)> {
    let provider = super::validate::own_data(config).map(|own| ("a privacy provider's".to_owned(), own));
    let agent = |(name, agent): (&String, &super::config::Agent)| {
        let own = OwnData::new(&agent.name, &agent.org, &agent.street, &agent.voice, &agent.email_domain);
        (format!("the agent `{name}`'s"), own)
    };
    provider.into_iter().chain(config.agents.iter().map(agent)).collect()
}

/// Where one registry's objects are.
struct Source<'a> {
    night: &'a Night<'a>,
    id: &'a RegistryId,
    registry: &'a RegistryConfig,
    records: &'a Records,
    snapshot: &'a Snapshot,
}

impl Source<'_> {
    /// Looks at the domains for what they ask of contacts, at the contacts, and at the domains again for what they expose.
    fn expose(
        &self,
        asking: &Asking<'_>,
        consents: &mut Publications<'_>,
        sheets: &mut ExposureBook<'_>,
        findings: &mut Findings,
    ) -> Result<RegistryExposure, Problems> {
        let Self { night, id, registry, records, snapshot } = self;
        let stop = &night.ctx.stop;
        let sources = Sources { id, records, snapshot, not_before: Timestamp::MIN, stop };
        let selection = Selection::default();
        let site = site(&night.loaded.config, id.as_str(), registry, (asking.services, &selection));
        let today = night.started.to_zoned(TimeZone::UTC).date();
        let mut watch = Watch::over(&site, &sources, today, &registry.client_id)?;
        findings.absorb(std::mem::take(&mut watch.findings), 0)?;
        let profile = &*registry.profile;
        let mut desk = Desk { registry: id.as_str(), profile, judge: Judge::at(id.as_str(), profile), sheets };
        let mut asked = Asked::default();
        pairs(&sources, ObjectKind::Domain, &mut |pair| {
            asked.domain(&desk, asking, pair);
            Ok(())
        })?;
        let mut contacts = Contacts::default();
        pairs(&sources, ObjectKind::Contact, &mut |pair| {
            let found = contacts.contact(&mut desk, (asking, &asked), pair, consents)?;
            findings.absorb(found, 1)
        })?;
        if let Some(planned) = asking.planned {
            contacts.created(&desk, planned);
        }
        if let Some(shared) = contacts.shared() {
            pairs(&sources, ObjectKind::Contact, &mut |pair| contacts.share(&mut desk, (asking, &asked), pair, &shared))?;
        }
        findings.absorb(contacts.counted(&mut desk)?, 0)?;
        let (mut domains, mut answers) = (0, 0);
        let known = Known { asking, contacts: &contacts, watch: &watch };
        pairs(&sources, ObjectKind::Domain, &mut |pair| {
            let (found, is_ours) = domain(&mut desk, known, pair)?;
            domains += u64::from(is_ours);
            let is_told = pair.remote.is_some_and(|row| asking.rdap.of(row.id()).is_some());
            answers += u64::from(is_ours && is_told);
            findings.absorb(found, u64::from(is_ours))
        })?;
        let registry = id.to_string();
        night.ctx.events.tell(Event::Note(format!("{registry}: {domains} domains, {} contacts", contacts.count())));
        let publication = serde_json::to_value(profile.publication.value).ok();
        let publication = publication.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        Ok(RegistryExposure { registry, contacts: contacts.count(), domains, answers, publication })
    }
}
