//! `pull dns`: what name servers say of the domains of each registry, and what a resolver says of the name servers.

use super::config::Loaded;
use super::night::Night;
use super::pulling::runtime;
use super::validate::{Rows, known, log2, newest};
use super::{Context, Ended};
use crate::base::{Blame, Event, Exit, Problem, Problems, RegistryId, Result, StateDir, write_atomic};
use crate::dataset::{DnsWriter, DomainField};
use crate::model::{Delegation, DnsObservation, DnsOutcome, ObjectKind};
use crate::pull::{Resolvers, survey_all};
use comfy_table::{Table, presets};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use tokio::runtime::Runtime;

/// What is observed.
#[derive(Clone, Copy, Debug, Default)]
pub struct DnsOptions {
    /// The resolver, in the place of the configuration's.
    pub resolver: Option<SocketAddr>,
    /// Domains and name servers as registries held them in their newest snapshots, in the place of local records.
    pub snapshot: bool,
}

/// What `pull dns` prints with `--format json`, and leaves as `dns.json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct DnsPulled {
    /// The resolver that was asked, `address:port`.
    pub resolver: String,
    /// What came of each registry that was begun.
    pub registries: Vec<DnsRegistry>,
}

/// What came of one registry.
#[derive(Clone, Debug, Default, serde::Serialize, schemars::JsonSchema)]
pub struct DnsRegistry {
    /// Its id.
    pub registry: String,
    /// Domains that were surveyed.
    pub domains: u64,
    /// Domains without name servers, of which nothing was asked.
    pub without_servers: u64,
    /// Questions that were put.
    pub questions: u64,
    /// Questions by what came of them.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Whether the table was put in place; one that was stopped is not, and the one before stays.
    pub kept: bool,
}

/// `pull dns`: surveys the name servers of every domain, bucket by bucket.
///
/// # Errors
/// `E-dns-003` where no resolver is named, `E-dns-001` where it does not answer, `E-job-003` (exit 32) where a registry has no snapshot and
/// snapshots are asked for, and everything that keeps local records from being taken in.
pub fn pull_dns(loaded: &Loaded, ctx: &Context, options: DnsOptions) -> Result<Ended, Problems> {
    let settings = loaded.config.dns;
    let resolver = options.resolver.or(settings.resolver).ok_or_else(|| {
        let remedy =
            "name one that you may ask this much of: `resolver = \"ADDRESS\"` below [dns] in the configuration, or --resolver ADDRESS";
        Problem::new("E-dns-003", Blame::Operator, "no resolver is named", remedy).file(&loaded.config.path)
    })?;
    // Before anything is made on disk: a run without a resolver has nothing to report.
    let runtime = runtime()?;
    let resolvers = Resolvers::new(resolver, settings.port, settings.wait);
    runtime.block_on(resolvers.probe())?;
    let night = Night::begin(loaded, ctx)?;
    let snapshots = if options.snapshot { newest(loaded, &night, ctx)? } else { Vec::new() };
    let observer = Observer { state: &night.state, ctx, runtime, resolvers, resolver, at_once: settings.at_once };
    let mut pulled = DnsPulled { resolver: resolver.to_string(), registries: Vec::new() };
    if options.snapshot {
        night.stage("dns");
        for (id, _, snapshot) in &snapshots {
            pulled.registries.extend(observer.observe(id, Rows::Held(snapshot))?);
        }
    } else {
        let (ingested, _) = night.take_in()?;
        known(&ingested.records, &loaded.config)?;
        night.stage("dns");
        for id in loaded.config.registries.keys().filter(|id| ctx.includes(id)) {
            pulled.registries.extend(observer.observe(id, Rows::Ours(&ingested.records, id))?);
        }
    }
    let json = serde_json::to_value(&pulled).unwrap_or_default();
    write_atomic(&night.dir.join("dns.json"), format!("{json:#}\n").as_bytes())?;
    let mut exits = vec![Exit::Done];
    exits.extend(ctx.stop.is_stopped().then_some(Exit::Stopped));
    let mut ended = Ended { exits, json, text: shown(&pulled), problems: Vec::new() };
    let sum = |of: fn(&DnsRegistry) -> u64| pulled.registries.iter().map(of).sum::<u64>();
    let counts = [("domains", sum(|one| one.domains)), ("questions", sum(|one| one.questions))];
    night.proved(&mut ended, "pull dns", snapshots.iter().map(|(_, _, snapshot)| snapshot), &counts);
    Ok(ended)
}

/// Everything that the survey of one registry needs.
struct Observer<'a> {
    state: &'a StateDir,
    ctx: &'a Context,
    runtime: Runtime,
    resolvers: Resolvers,
    resolver: SocketAddr,
    at_once: usize,
}

impl Observer<'_> {
    /// Surveys the domains of one registry and puts its table in place, unless somebody wants to stop; nothing where that was so before.
    fn observe(&self, id: &RegistryId, rows: Rows<'_>) -> Result<Option<DnsRegistry>> {
        let Self { ctx, .. } = self;
        if ctx.stop.is_stopped() {
            return Ok(None);
        }
        let mut counts = DnsRegistry { registry: id.as_str().to_owned(), ..DnsRegistry::default() };
        let log2 = log2(rows.buckets());
        let mut writer = DnsWriter::create(self.state.root(), id, self.resolver.to_string(), log2, ctx.clock.wall())?;
        let mut expected = 0;
        for bucket in 0..rows.buckets() {
            writer.next_bucket()?;
            let domains = rows.of(ObjectKind::Domain, bucket)?;
            let read = domains.iter().map(|row| Delegation::read(row.id(), row.get(DomainField::Ns.at()).unwrap_or_default()));
            let delegated: Vec<Delegation> = read.filter(|delegation| !delegation.servers.is_empty()).collect();
            counts.without_servers += (domains.len() - delegated.len()) as u64;
            drop(domains);
            expected += delegated.len() as u64;
            ctx.events.tell(Event::Expected { registry: id.clone(), total: expected });
            let take = |seen: Vec<_>| {
                count(&mut counts, &seen);
                ctx.events.tell(Event::Progress { registry: id.clone(), done: 1 });
                writer.push(&seen, ctx.clock.wall())
            };
            let survey = survey_all(&self.resolvers, delegated, self.at_once, &ctx.stop, take);
            self.runtime.block_on(survey)?;
            if ctx.stop.is_stopped() {
                writer.abandon()?;
                return Ok(Some(counts));
            }
        }
        writer.finish(ctx.clock.wall())?;
        counts.kept = true;
        Ok(Some(counts))
    }
}

/// Adds one domain to the counts.
fn count(counts: &mut DnsRegistry, seen: &[DnsObservation]) {
    counts.domains += 1;
    counts.questions += seen.len() as u64;
    for one in seen {
        *counts.outcomes.entry(one.reply.outcome.as_str()).or_default() += 1;
    }
}

/// The counts as a table for people.
fn shown(pulled: &DnsPulled) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    let outcomes = DnsOutcome::ALL.map(DnsOutcome::as_str);
    table.set_header(["registry", "domains", "without servers", "questions"].into_iter().chain(outcomes));
    for one in &pulled.registries {
        let mut cells = vec![one.registry.clone(), one.domains.to_string(), one.without_servers.to_string(), one.questions.to_string()];
        cells.extend(outcomes.iter().map(|outcome| one.outcomes.get(outcome).copied().unwrap_or_default().to_string()));
        table.add_row(cells);
    }
    let stopped = pulled.registries.iter().filter(|one| !one.kept);
    let lines: Vec<String> = stopped
        .map(|one| format!("\n{}: stopped; what was observed before stays, and the same command begins anew", one.registry))
        .collect();
    format!("{table}{}", lines.concat())
}
