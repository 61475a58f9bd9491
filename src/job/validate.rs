//! `validate`: local records, or what registries hold, against each registry's rules.

use super::config::{Config, Loaded, RegistryConfig};
use super::night::Night;
use super::{Context, Ended};
use crate::base::{Blame, Event, Exit, Problem, Problems, RegistryId, Result, StopToken};
use crate::dataset::{DnsTable, DomainField, Records, Row, Snapshot, State};
use crate::model::{Finding, ObjectKind};
use crate::policy::Profile;
use crate::rules::{Findings, FindingsSummary, Judge, OwnData};
use comfy_table::{Table, presets};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use xxhash_rust::xxh3::xxh3_64;

/// How many findings are told one by one on a terminal; the files have them all.
const TOLD: usize = 200;

/// What is validated, and how it is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct ValidateOptions {
    /// What registries held in their newest snapshots, in the place of local records.
    pub snapshot: bool,
    /// What was observed in the DNS, too.
    pub dns: bool,
    /// Suggestions in clear, which are personal data.
    pub show_suggestions: bool,
    /// Warnings count as findings to act on, as errors do.
    pub warnings_count: bool,
}

/// How `validate` ended, or another verb that leaves findings.
#[derive(Clone, Debug)]
pub struct Validated {
    /// How the verb ended.
    pub ended: Ended,
    /// Where `findings.{csv,json,parquet}` and `findings.junit.xml` were left.
    pub dir: PathBuf,
}

/// `validate`: judges rows by the profiles of their registries.
///
/// # Errors
/// Everything that keeps the records from being taken in; `E-job-003` (exit 32) where a registry has no snapshot and snapshots are asked
/// for; `E-validate-002` (exit 32) where nothing was observed in the DNS and that is asked for; `E-validate-001` where rows name a registry that is not configured.
pub fn validate(loaded: &Loaded, ctx: &Context, options: ValidateOptions) -> Result<Validated, Problems> {
    let night = Night::begin(loaded, ctx)?;
    let mut findings = Findings::begin(&night.dir, options.show_suggestions, TOLD)?.with_junit();
    let own = own_data(&loaded.config);
    let asked = loaded.config.registries.iter().filter(|(id, _)| ctx.includes(id));
    let tables = if options.dns { observed(loaded, &night, ctx)? } else { BTreeMap::new() };
    let held = if options.snapshot { newest(loaded, &night, ctx)? } else { Vec::new() };
    if options.snapshot {
        night.stage("validate");
        for (id, registry, snapshot) in &held {
            let seen = tables.get(id);
            judge(id, &registry.profile, Rows::Held(snapshot), Beside { own: own.as_ref(), seen }, &mut findings, &ctx.stop)?;
        }
    } else {
        let (ingested, _) = night.take_in()?;
        known(&ingested.records, &loaded.config)?;
        night.stage("validate");
        for (id, registry) in asked {
            let beside = Beside { own: own.as_ref(), seen: tables.get(id) };
            judge(id, &registry.profile, Rows::Ours(&ingested.records, id), beside, &mut findings, &ctx.stop)?;
        }
    }
    let (summary, first) = findings.finish()?;
    tell(&summary, &night.dir, ctx);
    let counted = summary.errors + if options.warnings_count { summary.warnings } else { 0 };
    let mut exits = vec![Exit::Done];
    exits.extend((counted > 0).then_some(Exit::Findings));
    exits.extend(ctx.stop.is_stopped().then_some(Exit::Stopped));
    let mut ended = Ended { exits, json: serde_json::Value::Null, text: shown(&first, &summary, &night.dir), problems: Vec::new() };
    let counts = [("objects", summary.objects), ("errors", summary.errors), ("warnings", summary.warnings)];
    night.proved(&mut ended, "validate", held.iter().map(|(_, _, snapshot)| snapshot), &counts);
    Ok(Validated { ended, dir: night.dir.clone() })
}

/// Judges the records of one registry by its profile, and adds what was found to `findings`.
///
/// # Errors
/// `E-parquet-…` where a bucket cannot be read, `E-file-…` where a run of findings cannot be written.
pub fn judge_records(id: &RegistryId, profile: &Profile, records: &Records, findings: &mut Findings) -> Result<()> {
    judge(id, profile, Rows::Ours(records, id), Beside::default(), findings, &StopToken::default())
}

/// The registries that the verb works on, each with its newest snapshot.
///
/// # Errors
/// `E-job-003` (exit 32) for each that has none.
pub(super) fn newest<'c>(
    loaded: &'c Loaded,
    night: &Night<'_>,
    ctx: &Context,
) -> Result<Vec<(&'c RegistryId, &'c RegistryConfig, Snapshot)>, Problems> {
    let mut problems = Problems::default();
    let mut all = Vec::new();
    for (id, registry) in loaded.config.registries.iter().filter(|(id, _)| ctx.includes(id)) {
        match Snapshot::newest(night.state.root(), id)? {
            Some(snapshot) => all.push((id, registry, snapshot)),
            None => problems.push(super::night::no_snapshot(id)),
        }
    }
    problems.or(all)
}

/// What was observed in the DNS, of each registry that puts name servers through tests.
fn observed<'c>(loaded: &'c Loaded, night: &Night<'_>, ctx: &Context) -> Result<BTreeMap<&'c RegistryId, DnsTable>, Problems> {
    let mut problems = Problems::default();
    let mut all = BTreeMap::new();
    let tested = |registry: &RegistryConfig| registry.profile.name_servers.tests.is_some();
    for (id, _) in loaded.config.registries.iter().filter(|(id, registry)| ctx.includes(id) && tested(registry)) {
        match DnsTable::newest(night.state.root(), id)? {
            Some(table) => {
                all.insert(id, table);
            }
            None => {
                let what = "nothing was observed in the DNS";
                let problem = Problem::new("E-validate-002", Blame::Operator, what, "run `privet pull dns` first");
                problems.push(problem.object(id.as_str()).exit(Exit::InputIncomplete));
            }
        }
    }
    problems.or(all)
}

/// Rows of one registry, in buckets.
#[derive(Clone, Copy)]
pub(super) enum Rows<'a> {
    /// Local records.
    Ours(&'a Records, &'a RegistryId),
    /// What the registry held.
    Held(&'a Snapshot),
}

impl Rows<'_> {
    /// How many buckets there are, a power of two.
    pub(super) fn buckets(&self) -> u32 {
        match self {
            Self::Ours(records, _) => records.buckets(),
            Self::Held(snapshot) => 1 << snapshot.manifest().buckets_log2,
        }
    }

    /// The rows of a bucket; of a snapshot those of objects whose contents it has.
    pub(super) fn of(&self, kind: ObjectKind, bucket: u32) -> Result<Vec<Row>> {
        match self {
            Self::Ours(records, registry) => records.rows(registry, kind, bucket),
            Self::Held(snapshot) => {
                let rows = snapshot.rows(kind, bucket)?;
                Ok(rows.into_iter().filter(|seen| seen.state == State::Ok).map(|seen| seen.row).collect())
            }
        }
    }
}

/// What rows are judged by besides their registry's rules.
#[derive(Clone, Copy, Default)]
struct Beside<'a> {
    /// The provider's data that no registrant has.
    own: Option<&'a OwnData>,
    /// What was observed in the DNS.
    seen: Option<&'a DnsTable>,
}

/// What the contacts of a registry mean to each other and to its domains.
#[derive(Default)]
struct Met {
    /// The roles that contacts must have themselves where they are registrants, by the hash of their handles.
    ties: HashMap<u64, u8>,
    /// Hashes of the handles in capitals, where the registry keeps them so.
    capitals: Vec<u64>,
    /// Findings that hold for contacts which are registrants, by handle.
    proxies: HashMap<Box<str>, Finding>,
}

impl Met {
    fn extend(&mut self, other: Self) {
        self.ties.extend(other.ties);
        self.capitals.extend(other.capitals);
        self.proxies.extend(other.proxies);
    }
}

fn judge(id: &RegistryId, profile: &Profile, rows: Rows<'_>, beside: Beside<'_>, findings: &mut Findings, stop: &StopToken) -> Result<()> {
    let judge = Judge::at(id.as_str(), profile);
    findings.judged(id.as_str());
    let met = Mutex::new(Met::default());
    let all = Mutex::new(findings);
    each(rows, ObjectKind::Contact, stop, |_, bucket| {
        let mut here = Met::default();
        let mut found = Vec::new();
        for row in &bucket {
            found.extend(judge.contact(row));
            let tie = if judge.has_ties() { judge.ties(row) } else { 0 };
            if tie != 0 {
                here.ties.insert(xxh3_64(row.id().as_bytes()), tie);
            }
            if judge.folds_handles() {
                here.capitals.push(xxh3_64(row.id().to_uppercase().as_bytes()));
            }
            let proxy = beside.own.and_then(|own| judge.proxy(row, own));
            here.proxies.extend(proxy.map(|finding| (row.id().into(), finding)));
        }
        met.lock().unwrap_or_else(PoisonError::into_inner).extend(here);
        all.lock().unwrap_or_else(PoisonError::into_inner).absorb(found, bucket.len() as u64)
    })?;
    let Met { ties, capitals, mut proxies } = met.into_inner().unwrap_or_else(PoisonError::into_inner);
    let twice = twice(capitals);
    if !twice.is_empty() {
        each(rows, ObjectKind::Contact, stop, |_, bucket| {
            let capitals = |row: &&Row| row.id().to_uppercase();
            let same = bucket.iter().filter(|row| capitals(row) != row.id() && twice.contains(&xxh3_64(capitals(row).as_bytes())));
            let found = same.map(|row| judge.same_in_capitals(row.id())).collect();
            all.lock().unwrap_or_else(PoisonError::into_inner).absorb(found, 0)
        })?;
    }
    let registrants = Mutex::new(HashSet::new());
    each(rows, ObjectKind::Domain, stop, |n, bucket| {
        let tied = |handle: &str| ties.get(&xxh3_64(handle.as_bytes())).copied().unwrap_or_default();
        let mut found: Vec<Finding> = bucket.iter().flat_map(|row| judge.domain_among(row, tied)).collect();
        if let Some(table) = beside.seen {
            let seen = table.of_bucket(n, log2(rows.buckets()))?;
            found.extend(bucket.iter().flat_map(|row| judge.name_servers(row, seen.get(row.id()))));
        }
        if !proxies.is_empty() {
            let named = bucket.iter().filter_map(|row| row.get(DomainField::Registrant.at()));
            let named: Vec<Box<str>> = named.filter(|handle| proxies.contains_key(*handle)).map(Into::into).collect();
            registrants.lock().unwrap_or_else(PoisonError::into_inner).extend(named);
        }
        all.lock().unwrap_or_else(PoisonError::into_inner).absorb(found, bucket.len() as u64)
    })?;
    let registrants = registrants.into_inner().unwrap_or_else(PoisonError::into_inner);
    proxies.retain(|handle, _| registrants.contains(handle));
    all.into_inner().unwrap_or_else(PoisonError::into_inner).absorb(proxies.into_values().collect(), 0)
}

/// Hands each bucket of `kind` with its number to `visit`, over the cores, until somebody wants to stop.
fn each(rows: Rows<'_>, kind: ObjectKind, stop: &StopToken, visit: impl Fn(u32, Vec<Row>) -> Result<()> + Sync) -> Result<()> {
    let buckets = (0..rows.buckets()).into_par_iter();
    buckets.try_for_each(|bucket| if stop.is_stopped() { Ok(()) } else { visit(bucket, rows.of(kind, bucket)?) })
}

/// The power of two that `buckets` are.
pub(super) fn log2(buckets: u32) -> u8 {
    u8::try_from(buckets.trailing_zeros()).unwrap_or_default()
}

/// The hashes that stand more than once.
fn twice(mut hashes: Vec<u64>) -> HashSet<u64> {
    hashes.sort_unstable();
    hashes.iter().zip(hashes.iter().skip(1)).filter(|(one, next)| one == next).map(|(one, _)| *one).collect()
}

/// The provider's data that no registrant has.
pub(super) fn own_data(config: &Config) -> Option<OwnData> {
    let privacy = config.privacy.as_ref()?;
    let street = privacy.street.first().map_or("", String::as_str);
    Some(OwnData::new(&privacy.name, &privacy.org, street, &privacy.voice, privacy.email_domain.as_str()))
}

/// Whether every registry that rows name has a profile.
pub(super) fn known(records: &Records, config: &Config) -> Result<()> {
    let strange =
        records.registries().find(|id| !config.registries.contains_key(*id) && ObjectKind::ALL.iter().any(|k| records.count(id, *k) > 0));
    strange.map_or(Ok(()), |id| {
        let remedy = "add it to the configuration with its profile, or leave its rows out";
        Err(Problem::new("E-validate-001", Blame::Operator, "rows name a registry that is not configured", remedy).object(id.as_str()))
    })
}

/// Tells the counts, by registry and rule.
pub(super) fn tell(summary: &FindingsSummary, dir: &Path, ctx: &Context) {
    for count in &summary.rules {
        let severity = count.severity.as_str();
        let line = format!("{}: {} {} {severity}s in {} objects", count.registry, count.rule, count.findings, count.objects);
        ctx.events.tell(Event::Note(line));
    }
    let line = format!("{} objects, {} errors, {} warnings; all in {}", summary.objects, summary.errors, summary.warnings, dir.display());
    ctx.events.tell(Event::Note(line));
}

/// The first findings as a table for people.
pub(super) fn shown(first: &[Finding], summary: &FindingsSummary, dir: &Path) -> String {
    if first.is_empty() {
        return format!("{} objects, no findings", summary.objects);
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(["registry", "object", "id", "field", "at", "rule", "severity", "what"]);
    for f in first {
        let at = f.position.map_or_else(String::new, |n| n.to_string());
        let id = crate::base::escape_controls(&f.id);
        let what = match &f.answer {
            Some(answer) => format!("{}; the registry would answer {} ({})", f.what, answer.code, answer.confidence.as_str()),
            None => f.what.to_string(),
        };
        table.add_row([&*f.registry, f.object.as_str(), &id, &f.field, &at, &f.rule, f.severity.as_str(), &what]);
    }
    let more = (summary.errors + summary.warnings).saturating_sub(first.len() as u64);
    if more == 0 { table.to_string() } else { format!("{table}\n{more} more in {}", dir.join("findings.csv").display()) }
}
