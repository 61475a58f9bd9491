//! What the nightly run leaves for monitoring: a file for a collector of text files, such as that of Prometheus' node exporter.

use super::apply::plans;
use super::config::{Config, Loaded};
use super::opening::{open_store, store_path};
use super::pulling::tls_files;
use super::{Context, Ended};
use crate::base::{Exit, Problem, Problems, RegistryId, Result, StateDir, Timestamp, write_public};
use crate::dataset::{Ages, Snapshot};
use crate::journal::{self, StepState};
use crate::model::CertificateFacts;
use crate::report::{self, PlanSummary, RunFacts, RunMetrics, Waiting, exposition};
use crate::store::Store;
use std::collections::BTreeMap;
use std::path::Path;

/// Writes the metrics of a run that began at `started` and came to `result`, where the configuration wants them. A run that could not
/// have the lock leaves those of the run that has it.
///
/// # Errors
/// Those of `result`; metrics that could not be written are a problem besides.
pub(super) fn leave(loaded: &Loaded, ctx: &Context, started: Timestamp, result: Result<Ended, Problems>) -> Result<Ended, Problems> {
    let Some(file) = &loaded.config.metrics else { return result };
    if matches!(&result, Err(problems) if problems.kept().iter().any(|p| p.exit == Exit::Locked)) {
        return result;
    }
    let (waiting, unread) = match waiting(&loaded.config) {
        Ok(waiting) => (Some(waiting), None),
        Err(problem) => (None, Some(problem)),
    };
    let facts = result.as_ref().ok().and_then(facts);
    let plans = result.as_ref().map(plans_of).unwrap_or_default();
    let text = exposition(&RunMetrics {
        tool_version: env!("CARGO_PKG_VERSION"),
        started,
        ended: ctx.clock.wall(),
        exit: exit(&result),
        facts: facts.as_ref(),
        observed: &observed(&loaded.config),
        certificates: &certificates(&loaded.config, facts.as_ref()),
        plans: &plans,
        waiting,
    });
    let unwritten = write_public(file, text.as_bytes()).err();
    tell(result, unread.into_iter().chain(unwritten))
}

/// `result` with what went wrong over the metrics.
fn tell(mut result: Result<Ended, Problems>, wrong: impl Iterator<Item = Box<Problem>>) -> Result<Ended, Problems> {
    for problem in wrong {
        let problem = problem.exit(Exit::ReportFailed);
        match &mut result {
            Ok(ended) => {
                ended.exits.push(Exit::ReportFailed);
                ended.problems.push(*problem);
            }
            Err(problems) => problems.push(problem),
        }
    }
    result
}

/// How a run ended. Differences alone are no end of their own: what they come to is the command line's to say.
fn exit(result: &Result<Ended, Problems>) -> Exit {
    match result {
        Ok(ended) => Exit::worst(ended.exits.iter().copied().filter(|exit| *exit != Exit::ChangesPending)),
        Err(problems) => Exit::worst(problems.kept().iter().map(|p| p.exit)),
    }
}

/// The facts that a run left in its report.
fn facts(ended: &Ended) -> Option<RunFacts> {
    let dir = ended.json.get("reports")?.as_str()?;
    report::read(&Path::new(dir).join("run.json")).ok()
}

fn plans_of(ended: &Ended) -> Vec<PlanSummary> {
    ended.json.get("plans").and_then(|plans| serde_json::from_value(plans.clone()).ok()).unwrap_or_default()
}

/// When the rows of the newest snapshots were observed. A snapshot that cannot be read is told by whoever works on it.
fn observed(config: &Config) -> BTreeMap<RegistryId, Ages> {
    let ages = |id: &RegistryId| Snapshot::newest(&config.state, id).ok().flatten()?.manifest().observed.clone();
    config.registries.keys().filter_map(|id| Some((id.clone(), ages(id)?))).collect()
}

/// The certificates of each registry's line: those of the operator's files, whatever may be wrong with them, and the registry's own.
fn certificates(config: &Config, facts: Option<&RunFacts>) -> BTreeMap<RegistryId, Vec<CertificateFacts>> {
    let mut all: BTreeMap<RegistryId, Vec<CertificateFacts>> =
        config.registries.iter().map(|(id, registry)| (id.clone(), tls_files(registry).certificates())).collect();
    for registry in facts.into_iter().flat_map(|facts| &facts.registries) {
        let line = registry.tls.iter().flat_map(|tls| &tls.certificates).filter(|c| &*c.whose == "registry");
        all.entry(registry.id.clone()).or_default().extend(line.cloned());
    }
    all
}

/// What waits in the journals of applied plans; nothing is made where there is no store.
fn waiting(config: &Config) -> Result<Waiting> {
    if config.store.is_none() && !store_path(&config.state).exists() {
        return Ok(Waiting::default());
    }
    counted(&mut open_store(config)?, &StateDir::open(&config.state)?)
}

fn counted(store: &mut dyn Store, state: &StateDir) -> Result<Waiting> {
    let mut all = Waiting::default();
    for path in plans(state) {
        let Some(id) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        let fold = journal::open(store, id)?;
        if fold.digest().is_some() && !fold.is_closed() {
            all.runs += 1;
            all.unknown += fold.unknown().count() as u64;
            all.pending += fold.in_state(StepState::Pending);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ObjectRef, create_private_dir, write_atomic};
    use crate::journal::{Entry, StepRow, append, run_stream};
    use crate::store::{Batch, Head, MemoryStore};

    #[test]
    fn what_waits_is_counted_over_the_runs_that_are_not_over() {
        use StepState::{Applied, Pending, Sending, Unknown, Verified};
        let dir = tempfile::tempdir().expect("a directory");
        let state = StateDir::open(&dir.path().join("state")).expect("a state directory");
        create_private_dir(&state.root().join("plans")).expect("made");
        let mut store = MemoryStore::default();
        assert_eq!(counted(&mut store, &state).expect("read"), Waiting::default());
        let at = Timestamp::UNIX_EPOCH;
        let step = |op: u64, to| Entry::Step(StepRow::new((op, 0), ObjectRef::new([7; 16]), to, 1, at));
        let mut run = |id: &str, digest: Option<&str>, rows: Vec<Entry>| {
            write_atomic(&state.root().join("plans").join(format!("{id}.plan")), b"not looked at").expect("written");
            let opened = digest.map(|digest| Entry::Opened { digest: digest.into(), operations: 9, tool: "t".into(), at });
            let stream = run_stream(id, 1).expect("a stream");
            let entries: Vec<Entry> = opened.into_iter().chain(rows).collect();
            let rows = append(stream.clone(), &Head::empty(&stream), &entries);
            store.commit(&Batch { appends: vec![rows], cells: Vec::new() }).expect("kept");
        };
        // One that was killed behind a command, one that waits for a registry, one that is over, and a plan of which nothing was begun.
        run("a1", Some("a"), vec![step(1, Sending), step(2, Sending), step(2, Unknown), step(3, Sending), step(3, Pending)]);
        run("b2", Some("b"), vec![step(1, Sending), step(1, Pending)]);
        let over = vec![step(1, Sending), step(1, Applied), step(1, Verified), Entry::Closed { heads: "".into(), at }];
        run("c3", Some("c"), over);
        run("d4", None, Vec::new());
        assert_eq!(counted(&mut store, &state).expect("read"), Waiting { runs: 2, unknown: 2, pending: 2 });
    }
}
