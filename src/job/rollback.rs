//! `rollback`: the inverse plan of an applied run. It passes the same gates, and is reviewed and applied like any other.

use super::apply::{kept, profile_digest};
use super::config::Loaded;
use super::consents::blocks;
use super::night::Night;
use super::opening::open_store;
use super::plan::{Making, PlanOptions, expires, site, vacant};
use super::{Context, Ended};
use crate::base::{Blame, Exit, Problem, Problems, Result, Timestamp};
use crate::compliance::Subject;
use crate::dataset::Services;
use crate::journal::{self, Fold, StepState};
use crate::model::ObjectKind;
use crate::plan::{Header, Outcome, PlanFile, Recipe, RegistryFacts, Seen, Selection, Waivers, inverse};
use crate::store::Vault;
use std::path::PathBuf;

/// `rollback`: plans what takes the run `run` back, which is named by the id of its plan, or the beginning of it.
///
/// # Errors
/// `E-apply-013` (exit 2) where there is no such run, or there are several; `E-apply-014` (exit 51) where outcomes of it are unknown;
/// `E-plan-010` to `-013` (exit 2) for what was asked; what reading the plan, the store and the journal brings.
pub fn rollback(loaded: &Loaded, ctx: &Context, run: &str, options: &PlanOptions) -> Result<Ended, Problems> {
    let config = &loaded.config;
    let waivers = Waivers::read(&options.allow, options.reason.as_deref())?;
    vacant(options, config.gates.approvals)?;
    let night = Night::begin(loaded, ctx)?;
    let undone = PlanFile::open(&kept(&night.state, run)?)?;
    let id = &undone.header().id;
    let mut store = open_store(&night.loaded.config)?;
    let fold = journal::open(&mut store, id)?;
    settled(&fold)?;
    let blocks = blocks(&mut store, night.started)?;
    let target: PathBuf = options.out.clone().unwrap_or_else(|| night.dir.join("plan.ndjson"));
    let mut making = Making::begin(Recipe::Rollback, &night, &target)?;
    let at = fold.last().unwrap_or(undone.header().made);
    let selection = Selection::default();
    let services = Services::default();
    let mut registries = undone.header().registries.clone();
    for (name, facts) in &mut registries {
        let (_, registry) = config.registry(name)?;
        *facts = facts_of(facts, profile_digest(&registry.profile), id, at);
        let site = site(config, name, registry, (&services, &selection));
        making.sees(seen(name, facts));
        for operation in undone.operations()? {
            let operation = operation?;
            if operation.registry != *name {
                continue;
            }
            let mut out = Outcome::default();
            let subject = operation.basis.subject.as_deref().and_then(Subject::read);
            if let Some(block) = subject.and_then(|subject| blocks.get(&subject)) {
                out.hold(&site, &operation, block.rule, block.what);
                making.take(&site, out)?;
                continue;
            }
            let is_verified = |step| fold.of(operation.op, step).state == StepState::Verified;
            let mut vault = Vault::new(&mut store);
            inverse(
                &site,
                id,
                &operation,
                &is_verified,
                &mut |object, fact, digest| {
                    let Some(key) = vault.key(object.reference)? else { return Ok(None) };
                    let opened = vault.open(&key, fact.as_str(), digest)?;
                    Ok(opened.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()))
                },
                &mut out,
            )?;
            making.take(&site, out)?;
        }
    }
    let gates = making.judged(&config.gates.limits, &waivers, night.started);
    let header = Header {
        undoes: Some(id.clone()),
        author: options.by.clone(),
        made: at,
        expires: expires(at, &waivers, config.gates.plan_valid, night.started),
        registries,
        gates,
        ..making.header(config)
    };
    let mut ended = making.end(header, &target, &night.dir, ctx)?;
    night.proved(&mut ended, "rollback", [], &[]);
    Ok(ended)
}

/// A run of which something is unknown is settled first: what is not known cannot be taken back.
fn settled(fold: &Fold) -> Result<()> {
    match fold.unknown().count() {
        0 => Ok(()),
        count => {
            let what = format!("of {count} steps of the run nobody knows whether they took effect");
            Err(Problem::new("E-apply-014", Blame::Operator, what, "run `privet reconcile` first").exit(Exit::Unknown))
        }
    }
}

/// What the part of a rollback at one registry rests on: what the run saw there last.
fn facts_of(facts: &RegistryFacts, profile_digest: String, run: &str, at: Timestamp) -> RegistryFacts {
    RegistryFacts { profile_digest, snapshot: run.to_owned(), taken: at, ..facts.clone() }
}

/// What gates see of a registry. No local records are read, so that none can have been cut.
fn seen(registry: &str, facts: &RegistryFacts) -> Seen {
    let held = ObjectKind::ALL.map(|kind| facts.objects.get(kind.as_str()).copied().unwrap_or_default());
    Seen { registry: registry.to_owned(), held, records: held, taken: facts.taken }
}
