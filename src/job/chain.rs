//! The last runs by their folders and the log of proofs: how the proof of each stands, and the newest signed record among them.

use super::config::Config;
use super::proving::Log;
use crate::base::{Exit, Result, RunId, StateDir, SystemEntropy};
use crate::report::proof::document::read_proof;
use crate::report::proof::folder::{self, Found};
use crate::report::proof::{RunPredicate, Statement, VerifierKey};
use crate::report::{ChainRun, ChainState, Earlier, RECORD_CAP, RUNS, read_record};
use std::collections::BTreeSet;
use std::path::Path;

/// The table of a record, among the files of its run.
const RECORD: &str = "record.json";

/// The last runs before `own`, the oldest first: those of which there is a folder, and those of the log.
///
/// # Errors
/// As [`Log::open`]: what the log says cannot be told without it.
pub(super) fn last_runs(config: &Config, state: &StateDir, own: &RunId) -> Result<Vec<ChainRun>> {
    let mut log = Log::open(config, state, &mut SystemEntropy::new())?;
    let logged = log.runs()?;
    let folders = std::fs::read_dir(&config.reports).into_iter().flatten().flatten();
    let folders = folders.filter(|entry| entry.path().is_dir()).map(|entry| RunId::new(entry.file_name().to_string_lossy().into_owned()));
    // Ids of runs begin with their time, so that they sort by it.
    let all: BTreeSet<RunId> = folders.chain(logged.keys().cloned()).filter(|run| is_night(run) && run < own).collect();
    let last = all.into_iter().rev().take(RUNS).collect::<Vec<_>>().into_iter().rev();
    Ok(last.map(|run| stands(&config.reports, run.clone(), logged.get(&run).copied(), log.known())).collect())
}

/// Whether that is the id of a run with a report: `20261122T020000Z-…`.
fn is_night(run: &RunId) -> bool {
    let shape = |(n, b): (usize, u8)| match n {
        8 => b == b'T',
        15 => b == b'Z',
        16 => b == b'-',
        _ => b.is_ascii_digit(),
    };
    run.as_str().len() > 17 && run.as_str().bytes().take(17).enumerate().all(shape)
}

/// How the proof of a run stands. `logged`: whether the log has a redaction of it, where it has the run at all.
fn stands(reports: &Path, run: RunId, logged: Option<bool>, known: &[VerifierKey]) -> ChainRun {
    let dir = reports.join(run.as_str());
    let told = |state, why: &str| ChainRun { run: run.clone(), verb: None, started: None, leaf: None, state, why: why.to_owned() };
    let document = match read_proof(&dir) {
        Ok(Some(document)) => document,
        Ok(None) => {
            return match logged {
                Some(true) => told(ChainState::Erased, "the folder is gone, and that is signed"),
                Some(false) => told(ChainState::Gap, "the log has a proof of it, and it is not there any more"),
                None => told(ChainState::Gap, "it was never proved"),
            };
        }
        Err(problem) => return told(ChainState::Broken, &problem.what),
    };
    let read = match document.check(known) {
        Ok(read) => read,
        Err((_, what)) => return told(ChainState::Broken, &what),
    };
    let statement = Statement::<RunPredicate>::read(&read.opened.payload).filter(|statement| statement.predicate.run_id == run);
    let Some(Statement { predicate, .. }) = statement else { return told(ChainState::Broken, "it is about another run") };
    let worst = Exit::worst(predicate.exits.iter().copied());
    let (state, why) = match (worst, logged) {
        (_, None) => (ChainState::Broken, "the log of this machine does not have it".to_owned()),
        (_, Some(true)) => (ChainState::Erased, "some of its files were altered or removed since, and that is signed".to_owned()),
        (Exit::Done | Exit::ChangesPending | Exit::Findings, _) => (ChainState::Signed, String::new()),
        (failed, _) => (ChainState::Failed, format!("exit {}", failed.code())),
    };
    ChainRun { run, verb: Some(predicate.verb), started: Some(predicate.started), leaf: Some(document.leaf_index), state, why }
}

/// The newest record among `runs` whose proof holds and which is as it was signed.
pub(super) fn earlier_record(reports: &Path, runs: &[ChainRun]) -> Earlier {
    let mut why = "none of the last runs left one".to_owned();
    for run in runs.iter().rev() {
        let path = reports.join(run.run.as_str()).join(RECORD);
        if !path.exists() {
            continue;
        }
        if !matches!(run.state, ChainState::Signed | ChainState::Failed | ChainState::Erased) {
            why = format!("the one of {} has no proof that holds", run.run);
            continue;
        }
        match read_signed(reports, run) {
            Ok(cells) => return Earlier::Record(run.run.clone(), cells),
            Err(what) => why = format!("the one of {} {what}", run.run),
        }
    }
    Earlier::None(why)
}

/// The cells of the record of `run`, where its file is as it was signed; else what is wrong with it.
fn read_signed(reports: &Path, run: &ChainRun) -> std::result::Result<Vec<crate::report::EarlierCell>, String> {
    let dir = reports.join(run.run.as_str());
    let path = dir.join(RECORD);
    let document = read_proof(&dir).map_err(|problem| problem.what)?.ok_or("has no proof")?;
    let payload = document.envelope.unverified().ok_or("has a proof without a statement")?;
    let statement = Statement::<RunPredicate>::read(&payload).ok_or("has a proof without a statement")?;
    let signed = statement.subject.iter().find(|file| file.name == RECORD).map(|file| file.digest.sha256.as_str());
    match folder::digest(&path) {
        Found::File(sha256) if signed == Some(&sha256) => {}
        _ => return Err("is not as it was signed".to_owned()),
    }
    let bytes = folder::read(&path, RECORD_CAP).map_err(|problem| problem.what)?.ok_or("is gone")?;
    read_record(&bytes).map_err(|problem| problem.what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ids_of_runs_with_reports_are_taken() {
        let is = |text: &str| is_night(&RunId::new(text));
        assert!(is("20261122T020000Z-5f3a"));
        for text in ["20261122T020000Z-", "plan-1-1700000000", "20261122T02000Z-5f3ab", "latest", ""] {
            assert!(!is(text), "{text}");
        }
    }
}
