//! `pull`: every configured registry at once, each with its own walk, pool and budget.

use super::Context;
use super::config::{Config, RegistryConfig};
use super::password::cut_off;
use super::records::each_listed;
use super::within::{self, Within};
use crate::base::{Blame, Digest, DomainName, Event, Exit, Problem, Problems, RegistryId, Result, RunId, StateDir, Timestamp, hex};
use crate::dataset::{Building, Records, Refresh, Services, Snapshot};
use crate::diff::proxy_handle;
use crate::model::ObjectKind;
use crate::policy::{Line, Privacy, Profile};
use crate::protocol::frame::{DEFAULT_CAP, Framer, LengthPrefix, Whole};
use crate::pull::{Ledger, Pulled, Walk, pull};
use crate::session::{Account, Allowance, Dialect, EppDialect, ReadPool, RriDialect, Setup};
use crate::transport::{Endpoint, TlsFiles, TlsSetup};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// How old an interrupted pull may be to be gone on with; an older one says too little about today.
const RESUMABLE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// What became of one registry.
#[derive(Debug)]
pub(super) struct RegistryPull {
    /// What the pull came to, where it could begin.
    pub(super) pulled: Option<Pulled>,
    /// What kept it from beginning, or from being kept.
    pub(super) problem: Option<Problem>,
    /// Ids that the walk began with, by kind.
    pub(super) given: [u64; 2],
    /// Whether it had bounds, so that not everything was to be asked for.
    pub(super) bounded: bool,
}

impl RegistryPull {
    /// Every exit code that holds for this registry.
    pub(super) fn exits(&self) -> Vec<Exit> {
        let mut exits: Vec<Exit> = self.problem.iter().map(|p| p.exit).collect();
        if let Some(pulled) = &self.pulled {
            exits.extend(pulled.line.stopped.as_ref().map(|p| p.exit));
            if pulled.line.interrupted {
                exits.push(Exit::Stopped);
            }
            // What an earlier process of this pull could not read is as unreadable as what this one could not.
            let unreadable: u64 = ObjectKind::ALL.iter().map(|kind| pulled.counts.of(*kind).unreadable).sum();
            let rationed = if self.bounded { 0 } else { pulled.tally.rationed };
            let incomplete = unreadable + pulled.tally.unaskable + pulled.tally.unasked + rationed > 0;
            if incomplete && !pulled.line.interrupted {
                exits.push(Exit::InputIncomplete);
            }
        }
        exits
    }

    /// Whether a snapshot was put in place.
    pub(super) fn is_whole(&self) -> bool {
        self.pulled.as_ref().is_some_and(|p| p.snapshot.is_some())
    }
}

/// Pulls the registries the verb works on, side by side.
///
/// # Errors
/// `E-job-001` where no runtime can be had. What goes wrong at one registry stands in its result and spares the others.
pub(super) fn pull_all(
    config: &Config,
    (records, services): (&Records, &Services),
    state: &StateDir,
    run_id: &RunId,
    within: &Within,
    ctx: &Context,
) -> Result<BTreeMap<RegistryId, RegistryPull>> {
    let bounded = within.is_bounded();
    let runtime = runtime()?;
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for (id, registry) in config.registries.iter().filter(|(id, _)| ctx.includes(id)) {
            let task = match prepare(config, id, registry, &Local { records, services, state, run_id, within }, ctx) {
                Ok((walk, given, pool, endpoint)) => {
                    let (clock, stop) = (Arc::clone(&ctx.clock), ctx.stop.clone());
                    Ok((given, tokio::spawn(pull(walk, pool, endpoint, clock, stop))))
                }
                Err(problem) => Err(problem),
            };
            tasks.push((id.clone(), task));
        }
        let mut all = BTreeMap::new();
        for (id, task) in tasks {
            let result = match task {
                Err(problem) => RegistryPull { pulled: None, problem: Some(*problem), given: [0, 0], bounded },
                Ok((given, handle)) => match handle.await {
                    Ok(Ok(pulled)) => RegistryPull { pulled: Some(pulled), problem: None, given, bounded },
                    Ok(Err(problem)) => RegistryPull { pulled: None, problem: Some(*problem), given, bounded },
                    Err(_) => {
                        let what = "the pull of this registry ended in a panic";
                        let problem = Problem::new("E-job-002", Blame::Us, what, "report this as a bug").object(id.as_str());
                        RegistryPull { pulled: None, problem: Some(*problem), given, bounded }
                    }
                },
            };
            all.insert(id, result);
        }
        Ok(all)
    })
}

/// A runtime for the drivers.
pub(super) fn runtime() -> Result<Runtime> {
    built(Builder::new_multi_thread())
}

/// A runtime for one driver, on the thread that it is made in.
pub(super) fn one_thread() -> Result<Runtime> {
    built(Builder::new_current_thread())
}

fn built(mut builder: Builder) -> Result<Runtime> {
    let remedy = "look at the limits of this user";
    builder.enable_all().build().map_err(|e| Problem::new("E-job-001", Blame::Operator, format!("no threads can be had: {e}"), remedy))
}

/// What is here for the pull of any registry.
struct Local<'a> {
    records: &'a Records,
    services: &'a Services,
    state: &'a StateDir,
    run_id: &'a RunId,
    within: &'a Within,
}

/// Everything the pull of one registry needs.
fn prepare(
    config: &Config,
    id: &RegistryId,
    registry: &RegistryConfig,
    local: &Local<'_>,
    ctx: &Context,
) -> Result<(Walk, [u64; 2], ReadPool, Endpoint)> {
    let Local { records, services, state, run_id, within } = local;
    let now = ctx.clock.wall();
    let (building, refresh) = begin(id, local, now, ctx)?;
    let first_session = building.next_session();
    let mut walk = Walk::new(building, id.clone(), registry.profile.has_contacts(), Arc::clone(&ctx.events));
    if let Some(refresh) = refresh {
        walk.set_refresh(refresh);
    }
    // No domain need name a proxy contact for it to be there: its handle follows from the domain, so that it is asked for.
    let has_proxies = config.privacy.is_some() && registry.profile.privacy.value == Privacy::ProxyContact;
    let mut given = [0, 0];
    for kind in ObjectKind::ALL {
        if kind == ObjectKind::Contact && !registry.profile.has_contacts() {
            continue;
        }
        for bucket in 0..records.buckets() {
            for name in records.ids(id, kind, bucket)? {
                given[kind as usize] += 1;
                walk.visit(kind, &name)?;
                if has_proxies && kind == ObjectKind::Domain && services.may_have_proxy(&name) {
                    walk.visit(ObjectKind::Contact, &proxy_handle(&DomainName::new(name)))?;
                }
            }
        }
    }
    each_listed(registry, |name| walk.visit(ObjectKind::Domain, name))?;
    let ledger = Ledger::open(state.root(), id, within::zone(registry), now)?;
    let mut pool = ReadPool::new(setup(config, id, registry, run_id, first_session)?);
    pool.set_ration(within.ration(registry, &ledger, records.count(id, ObjectKind::Domain), now));
    walk.set_ledger(ledger);
    Ok((walk, given, pool, endpoint(registry, ctx)?))
}

/// The snapshot to be made: a new one, one that an earlier process began, or the newest one to be refreshed, with what to refresh first.
fn begin(id: &RegistryId, local: &Local<'_>, now: Timestamp, ctx: &Context) -> Result<(Building, Option<Refresh>)> {
    let Local { records, state, run_id, within, .. } = local;
    let bounded = within.is_bounded();
    let root = state.root();
    let open = |run: &RunId| {
        let mut building = Building::open(root, run, now, id, records.buckets_log2())?;
        building.set_records((*records).clone());
        Ok::<_, Box<Problem>>(building)
    };
    let mut newest = Snapshot::newest(root, id)?;
    let mut left = Building::pending(root, id)?;
    // What a process that refreshed a snapshot left is part of it before anything else is asked for.
    if let Some((pending, base)) = left.as_ref().zip(newest.clone()).filter(|(pending, _)| pending.refreshes || bounded) {
        let mut building = open(&pending.run_id)?;
        building.set_base(base)?;
        newest = Some(building.finish(now)?);
        left = None;
    }
    if let Some(base) = newest.filter(|_| bounded) {
        let mut building = open(run_id)?;
        building.set_base(base.clone())?;
        building.know_base()?;
        return Ok((building, Some(Refresh::new(base, (*records).clone(), id.clone()))));
    }
    if bounded {
        let what = "there is no whole snapshot to refresh: this begins one, or goes on with one, for as many runs as its objects need";
        ctx.events.tell(Event::Note(format!("{id}: {what}")));
    }
    let left = left.filter(|left| bounded || now.duration_since(left.started) < RESUMABLE);
    Ok((open(&left.map_or_else(|| (*run_id).clone(), |left| left.run_id))?, None))
}

/// The pool's setup for one account.
pub(super) fn setup(config: &Config, id: &RegistryId, registry: &RegistryConfig, run_id: &RunId, first_session: u32) -> Result<Setup> {
    cut_off(id, registry)?;
    let account = Account { client: registry.client_id.as_str().into(), password: registry.password.read()?.secret, new_password: None };
    Ok(setup_with(config, id, registry, run_id, first_session, account))
}

/// The pool's setup for one account, logged in as `account` says.
pub(super) fn setup_with(
    config: &Config,
    id: &RegistryId,
    registry: &RegistryConfig,
    run_id: &RunId,
    first_session: u32,
    account: Account,
) -> Setup {
    let profile = &registry.profile;
    let (framer, dialect) = language(account, profile);
    let percent = within::percent(registry.share);
    // The seed spreads reconnects of several machines; it is a function of what the run is.
    let seed = Digest::of(format!("{run_id} {id} {}", config.digest).as_bytes());
    Setup {
        registry: id.clone(),
        prefix: run_id.as_str().into(),
        dialect,
        framer,
        allowance: Allowance::of(&profile.limits, percent),
        seed: seed.first_u64(),
        first_session,
    }
}

/// What makes the framer of a new line.
type MakeFramer = fn() -> Box<dyn Framer + Send>;

/// The language of a registry's line, with how its frames are told apart.
pub(super) fn language(account: Account, profile: &Arc<Profile>) -> (MakeFramer, Arc<dyn Dialect>) {
    let framer: MakeFramer = match profile.line.value {
        Line::EppHttps => || Box::new(Whole::default()),
        _ if profile.quirks.length_without_header => || Box::new(LengthPrefix::payload_only(DEFAULT_CAP)),
        _ => || Box::new(LengthPrefix::epp(DEFAULT_CAP)),
    };
    let dialect: Arc<dyn Dialect> = match profile.line.value {
        Line::EppTls | Line::EppHttps => Arc::new(EppDialect::new(account, Arc::clone(profile))),
        Line::Rri => Arc::new(RriDialect::new(account, profile)),
    };
    (framer, dialect)
}

/// What TLS needs at the registry.
///
/// # Errors
/// Everything that is wrong with the operator's files.
pub(super) fn tls(registry: &RegistryConfig, now: Timestamp) -> Result<TlsSetup, Problems> {
    TlsSetup::load(&tls_files(registry), now)
}

/// The operator's files for TLS at the registry.
pub(super) fn tls_files(registry: &RegistryConfig) -> TlsFiles {
    let own = registry.certificate.clone().zip(registry.key.clone());
    TlsFiles { ca: registry.ca.clone(), own, pin: registry.pin.map(|pin| hex(&pin)) }
}

/// Where the registry is, and what TLS needs there.
pub(super) fn endpoint(registry: &RegistryConfig, ctx: &Context) -> Result<Endpoint> {
    let tls = tls(registry, ctx.clock.wall()).map_err(Problems::into_first)?;
    let endpoint = Endpoint::new(&registry.host, registry.port, Some(&registry.server_name), tls)?;
    match registry.profile.line.value {
        Line::EppHttps => endpoint.posting_to(&registry.path),
        Line::EppTls | Line::Rri => Ok(endpoint),
    }
}
