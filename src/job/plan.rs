//! `plan`: the newest snapshots and the local records through a recipe, into a plan that a person reviews.

use super::apply::profile_digest;
use super::config::{Config, Loaded, RegistryConfig};
use super::consents::Consents;
use super::night::Night;
use super::opening::open_store;
use super::retention::sealed_until;
use super::sealing::Sealing;
use super::table::Table;
use super::validate::{known, newest};
use super::{Context, Ended};
use crate::base::{Blame, Event, Exit, Problem, Problems, RegistryId, Result, Timestamp};
use crate::dataset::{Records, Services, Snapshot};
use crate::model::{Finding, ObjectKind};
use crate::plan::{
    Bases, GateName, GateVerdict, Header, Limits, Outcome, PlanFile, Recipe, RegistryFacts, Seen, Selection, Site, Sources, Tally, Waivers,
    build, judge,
};
use crate::rules::{Findings, FindingsSummary};
use jiff::{SignedDuration, civil};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Findings that are told one by one.
const TOLD: usize = 20;
/// How long what a plan's run verified is held against new plans, beyond the plan's own end.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is planned.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// By which recipe.
    pub recipe: Recipe,
    /// For which objects, as [`Selection::read`] reads them.
    pub select: Vec<String>,
    /// Where the plan is left; in the run's folder where nothing is said.
    pub out: Option<PathBuf>,
    /// Gates and kinds of change that are let pass.
    pub allow: Vec<String>,
    /// Why.
    pub reason: Option<String>,
    /// Who plans.
    pub by: Option<String>,
    /// The day on which what is unlocked is locked again.
    pub relock: Option<civil::Date>,
}

/// What `plan` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Planned {
    /// The plan.
    plan: String,
    /// The digest that a reviewer pins.
    digest: String,
    /// Its header.
    header: Header,
    /// What was left out, and what else was found.
    findings: FindingsSummary,
    /// The folder with `findings.{csv,json,parquet}` and the tables beside them.
    reports: String,
}

/// `plan`: makes a plan, also where there is nothing to do.
///
/// # Errors
/// `E-plan-010` to `E-plan-013` (exit 2) for what was asked; everything that keeps the records from being taken in; `E-job-003` (exit 32)
/// where a registry has no snapshot; `E-store-…` and `E-file-…` (exit 33).
pub fn plan(loaded: &Loaded, ctx: &Context, options: &PlanOptions) -> Result<Ended, Problems> {
    let mut ledger = open_store(&loaded.config)?;
    let now = ctx.clock.wall();
    let mut consents = match options.recipe {
        Recipe::Erasure => Consents::erasing(loaded, ctx, &mut ledger, now)?,
        _ => Consents::open(&mut ledger, now)?,
    };
    plan_upon(loaded, ctx, options, &mut consents)
}

/// `plan`, where `bases` know what persons said yes to.
///
/// # Errors
/// As [`plan`]; what `bases` return.
pub fn plan_upon(loaded: &Loaded, ctx: &Context, options: &PlanOptions, bases: &mut dyn Bases) -> Result<Ended, Problems> {
    let config = &loaded.config;
    let selection = Selection::read(&options.select)?;
    let waivers = Waivers::read(&options.allow, options.reason.as_deref())?;
    let mut ctx = ctx.clone();
    ctx.only = selection.registries().map(|id| config.registry(id).map(|(id, _)| id.clone())).collect::<Result<_>>()?;
    let ctx = &ctx;
    refuse(options, &selection, config.gates.approvals)?;
    let night = Night::begin(loaded, ctx)?;
    let all = newest(loaded, &night, ctx)?;
    let (ingested, _) = night.take_in()?;
    known(&ingested.records, config)?;
    let services = night.services()?;
    night.stage("plan");
    let now = night.started;
    let target = options.out.clone().unwrap_or_else(|| night.dir.join("plan.ndjson"));
    let mut making = Making::begin(options.recipe, &night, &target)?;
    let limits = &config.gates.limits;
    let not_before = if waivers.passes(GateName::Age) { Timestamp::MIN } else { now.checked_sub(limits.max_age).unwrap_or(Timestamp::MIN) };
    for (id, registry, snapshot) in &all {
        let site = Site { relock: options.relock, ..site(config, id.as_str(), registry, (&services, &selection)) };
        let sources = Sources { id, records: &ingested.records, snapshot, not_before, stop: &ctx.stop };
        making.registry(&site, &sources, bases)?;
    }
    if ctx.stop.is_stopped() {
        let text = "stopped: no plan was written".to_owned();
        return Ok(Ended { exits: vec![Exit::Stopped], json: serde_json::Value::Null, text, problems: Vec::new() });
    }
    let gates = making.judged(limits, &waivers, now);
    let finished = || all.iter().map(|(_, _, snapshot)| snapshot.manifest().finished);
    let header = Header {
        relock: options.relock.filter(|_| options.recipe == Recipe::Unlock),
        author: options.by.clone(),
        made: finished().max().unwrap_or(now),
        expires: expires(finished().min().unwrap_or(now), &waivers, config.gates.plan_valid, now),
        selection: selection.told(),
        registries: all.iter().map(|(id, registry, snapshot)| (id.to_string(), facts(registry, snapshot))).collect(),
        gates,
        ..making.header(config)
    };
    let mut ended = making.end(header, &target, &night.dir, ctx)?;
    night.proved(&mut ended, "plan", all.iter().map(|(_, _, snapshot)| snapshot), &[]);
    Ok(ended)
}

/// What cannot be planned as it was asked for.
fn refuse(options: &PlanOptions, selection: &Selection, approvals: u8) -> Result<()> {
    let wrong = |what: &str, remedy: &str| Err(Problem::new("E-plan-012", Blame::Operator, what, remedy));
    if options.recipe == Recipe::Unlock && !selection.names_objects() {
        return wrong("every domain would be unlocked", "name the domains with --select");
    }
    if options.recipe == Recipe::Unlock && options.relock.is_none() {
        return wrong("what is unlocked is locked again some day", "add --relock YYYY-MM-DD");
    }
    vacant(options, approvals)
}

/// Whether somebody stands for the plan, and nothing where it is to stand.
pub(super) fn vacant(options: &PlanOptions, approvals: u8) -> Result<()> {
    if approvals > 0 && options.by.as_deref().is_none_or(|by| by.trim().is_empty()) {
        let what = "the configuration wants plans approved by somebody else than their author";
        return Err(Problem::new("E-plan-012", Blame::Operator, what, "say who plans, with --by NAME"));
    }
    if let Some(out) = options.out.as_ref().filter(|out| out.exists()) {
        let what = "there is something already, and nothing is overwritten";
        return Err(Problem::new("E-plan-013", Blame::Operator, what, "give another --out").file(out));
    }
    Ok(())
}

/// When a plan ends: so long after the `oldest` of what it rests on; from now on, where its age was let pass.
pub(super) fn expires(oldest: Timestamp, waivers: &Waivers, valid: SignedDuration, now: Timestamp) -> Timestamp {
    let from = if waivers.passes(GateName::Age) { now } else { oldest };
    from.checked_add(valid).unwrap_or(Timestamp::MAX)
}

/// A registry as recipes see it, with `services` and a selection.
pub(super) fn site<'a>(
    config: &'a Config,
    name: &'a str,
    registry: &'a RegistryConfig,
    (services, selection): (&'a Services, &'a Selection),
) -> Site<'a> {
    let (profile, settings) = (&*registry.profile, config.privacy.as_ref());
    Site { registry: name, profile, settings, services, selection, directions: &config.corrections, relock: None }
}

/// What a registry's part of a plan rests on.
fn facts(registry: &RegistryConfig, snapshot: &Snapshot) -> RegistryFacts {
    let profile = &registry.profile;
    let manifest = snapshot.manifest();
    RegistryFacts {
        profile: profile.id.clone(),
        profile_digest: profile_digest(profile),
        snapshot: manifest.run_id.to_string(),
        taken: manifest.finished,
        objects: ObjectKind::ALL.map(|kind| (kind.as_str().to_owned(), manifest.counts.of(kind).ok)).into_iter().collect(),
    }
}

/// A plan in the making.
pub(super) struct Making {
    recipe: Recipe,
    sealing: Sealing,
    findings: Findings,
    tables: Tables,
    tally: Tally,
    left_out: BTreeMap<String, u64>,
    /// Operations that set what a run had verified.
    again: u64,
    seen: Vec<Seen>,
}

impl Making {
    /// A plan that is to stand at `target`.
    pub(super) fn begin(recipe: Recipe, night: &Night<'_>, target: &Path) -> Result<Self> {
        let gates = &night.loaded.config.gates;
        // The values are needed until the plan ends, and a rule says how long beyond that.
        let ends = night.started.checked_add(gates.plan_valid).unwrap_or(Timestamp::MAX);
        let keep_until = sealed_until(&night.loaded.config.retention.pack, ends);
        let since = night.started.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        Ok(Self {
            recipe,
            sealing: Sealing::begin((&night.loaded.config, &night.state), target, gates.canary, keep_until, since)?,
            findings: Findings::begin(&night.dir, false, TOLD)?,
            tables: Tables { dir: night.dir.clone(), ..Tables::default() },
            tally: Tally::default(),
            left_out: BTreeMap::new(),
            again: 0,
            seen: Vec::new(),
        })
    }

    /// What every header says, still without what the plan rests on.
    pub(super) fn header(&mut self, config: &Config) -> Header {
        Header {
            privet_plan: Header::VERSION,
            id: String::new(),
            tool: format!("privet {}", env!("CARGO_PKG_VERSION")),
            recipe: self.recipe,
            undoes: None,
            relock: None,
            author: None,
            made: Timestamp::UNIX_EPOCH,
            expires: Timestamp::UNIX_EPOCH,
            config: config.digest.to_string(),
            selection: Vec::new(),
            registries: BTreeMap::new(),
            gates: Vec::new(),
            approvals: config.gates.approvals,
            waves: Vec::new(),
            counts: Vec::new(),
            left_out: std::mem::take(&mut self.left_out),
        }
    }

    /// Adds a registry as gates see it.
    pub(super) fn sees(&mut self, seen: Seen) {
        self.seen.push(seen);
    }

    /// The verdicts on what there is so far.
    pub(super) fn judged(&self, limits: &Limits, waivers: &Waivers, now: Timestamp) -> Vec<GateVerdict> {
        judge(limits, waivers, &self.tally, &self.seen, now)
    }

    fn registry(&mut self, site: &Site<'_>, sources: &Sources<'_>, bases: &mut dyn Bases) -> Result<()> {
        let Sources { id, records, snapshot, .. } = sources;
        self.sees(seen(id, records, snapshot));
        build(self.recipe, site, sources, bases, &mut |out| self.take(site, out))
    }

    /// Takes what some objects came to.
    pub(super) fn take(&mut self, site: &Site<'_>, out: Outcome) -> Result<()> {
        self.tables.put(site.registry, &out)?;
        let Outcome { drafts, left_out, blocked, told, .. } = out;
        self.tally.block(blocked);
        for finding in &left_out {
            *self.left_out.entry(finding.rule.to_string()).or_default() += 1;
        }
        let objects = (left_out.len() + told.len()) as u64;
        self.findings.absorb(left_out.into_iter().chain(told).collect(), objects)?;
        for draft in drafts {
            self.tally.add(self.recipe, site, &draft);
            let again = self.sealing.push(draft)?;
            self.tell(again)?;
        }
        Ok(())
    }

    /// Tells of operations that set what a run had verified.
    fn tell(&mut self, again: Vec<Finding>) -> Result<()> {
        let count = again.len() as u64;
        self.again += count;
        self.findings.absorb(again, count)
    }

    /// Puts the plan in place, and tells of it.
    pub(super) fn end(mut self, header: Header, target: &Path, dir: &Path, ctx: &Context) -> Result<Ended> {
        let again = self.sealing.flush()?;
        self.tell(again)?;
        let files = self.tables.finish()?;
        let (summary, first) = self.findings.finish()?;
        let blocked = self.tally.blocked();
        let header = self.sealing.finish(header)?;
        let digest = PlanFile::open(target)?.digest().to_owned();
        for finding in &first {
            ctx.events.tell(Event::Note(finding.to_string()));
        }
        let refused = header.refused().count();
        let mut exits = vec![Exit::Done];
        exits.extend((header.operations() > 0).then_some(Exit::ChangesPending));
        exits.extend((self.again > 0).then_some(Exit::Findings));
        exits.extend((refused > 0 || blocked > 0).then_some(Exit::GateRefused));
        let text = told(&header, &digest, target, dir, (self.again, &files));
        let made = Planned { plan: target.display().to_string(), digest, header, findings: summary, reports: dir.display().to_string() };
        Ok(Ended { exits, json: serde_json::to_value(made).unwrap_or_default(), text, problems: Vec::new() })
    }
}

fn seen(id: &RegistryId, records: &Records, snapshot: &Snapshot) -> Seen {
    let manifest = snapshot.manifest();
    Seen {
        registry: id.to_string(),
        held: ObjectKind::ALL.map(|kind| manifest.counts.of(kind).ok),
        records: ObjectKind::ALL.map(|kind| records.count(id, kind)),
        taken: manifest.finished,
    }
}

/// The tables beside a plan, each there where it has rows. They are exact.
#[derive(Default)]
struct Tables {
    dir: PathBuf,
    open: BTreeMap<&'static str, Table>,
}

impl Tables {
    fn put(&mut self, registry: &str, out: &Outcome) -> Result<()> {
        for one in &out.visible {
            self.row(
                "visible.csv",
                ["registry", "domain", "role", "handles", "shows"],
                [registry, &one.domain, one.role, &one.handles, one.shows],
            )?;
        }
        for one in &out.published {
            let (handle, email) = (one.handle.as_deref().unwrap_or_default(), one.email.as_deref().unwrap_or_default());
            let header = ["registry", "domain", "role", "shows", "handle", "email"];
            self.row("publication.csv", header, [registry, &one.domain, one.role, one.shows, handle, email])?;
        }
        for one in &out.taken {
            let header = ["registry", "object", "id", "field", "value"];
            self.row("local-updates.csv", header, [registry, one.object.as_str(), &one.id, one.field, one.value.reveal()])?;
        }
        for one in &out.expired {
            let gone_by = one.gone_by.map_or_else(String::new, |day| day.to_string());
            let header = ["registry", "object", "id", "trigger", "rule", "gone_by"];
            self.row("local-erasures.csv", header, [registry, ObjectKind::Contact.as_str(), &one.id, one.trigger, &one.rule, &gone_by])?;
        }
        Ok(())
    }

    fn row<const N: usize>(&mut self, name: &'static str, header: [&str; N], row: [&str; N]) -> Result<()> {
        if !self.open.contains_key(name) {
            self.open.insert(name, Table::create(&self.dir.join(name), &header)?);
        }
        self.open.get_mut(name).map_or(Ok(()), |table| table.row(&row))
    }

    fn finish(self) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for (name, table) in self.open {
            table.end()?;
            files.push(self.dir.join(name).display().to_string());
        }
        Ok(files)
    }
}

/// What people are told of a plan.
fn told(header: &Header, digest: &str, target: &Path, dir: &Path, (again, files): (u64, &[String])) -> String {
    let mut lines = vec![super::review::head(header, digest)];
    lines.push(format!("plan      {}", target.display()));
    if !header.left_out.is_empty() {
        lines.push(format!("left out  {}", dir.join("findings.csv").display()));
    }
    if again > 0 {
        lines.push(format!("again     {again} changes that a run had verified, {}", dir.join("findings.csv").display()));
    }
    lines.extend(files.iter().map(|file| format!("besides   {file}")));
    lines.push(format!("next      privet show {}", target.display()));
    lines.join("\n")
}
