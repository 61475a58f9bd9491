//! The demo's second half: its fleet is moved to privacy-protect v2 by a plan whose application is killed and gone on with, and the
//! registries' own logs are held against the plan.

use super::DemoOptions;
use crate::base::{Blame, Event, Exit, Problem, Problems, Result};
use crate::job::config::Loaded;
use crate::job::{ApplyOptions, Context, Ended, PlanOptions, apply, approve, consent_import, plan, pull, report_exposure};
use crate::plan::{PlanFile, Recipe};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How often the registries' logs are looked at while the plan is applied.
const LOOK: Duration = Duration::from_millis(2);
/// Why the gates that look at shares are let pass: the plan is about all of a small fleet.
const REASON: &str = "the demo moves its whole fleet at once";

/// What is said of a plan that was applied to its end.
const APPLIED: &str = "E-apply-007";

/// The columns of planted findings about exposure.
const EXPOSED: [&str; 5] = ["registry", "object", "id", "field", "rule"];

/// What the demo did, for its report.
pub(super) struct Changed {
    /// In words.
    pub(super) text: String,
    /// The operator stopped it.
    pub(super) stopped: bool,
}

/// Plans, approves and applies migrate-v2, kills the process that applies it, goes on, and proves what came of it by the `logs` of the
/// registries: the changes that took effect there.
///
/// # Errors
/// Whatever keeps a verb from ending; `E-demo-002` where it ended otherwise than it must.
pub(super) fn change(options: &DemoOptions, loaded: &Loaded, out: &Path, logs: &[PathBuf], ctx: &Context) -> Result<Changed, Problems> {
    must(&consent_import(loaded, ctx, &[out.join("records/consent.csv")], false)?, "taking consent in")?;
    let path = out.join("migrate-v2.plan");
    let planned = plan(loaded, ctx, &planning(&path))?;
    if planned.exits.contains(&Exit::Stopped) {
        return Ok(Changed { text: planned.text, stopped: true });
    }
    let exposed = exposed(loaded, out, &path, ctx)?;
    let file = PlanFile::open(&path)?;
    let digest = file.digest().to_owned();
    must(&approve(loaded, &path, &digest, "demo", &*ctx.clock)?, "approving the plan")?;
    let mut steps = 0;
    for operation in file.operations()? {
        steps += operation?.steps.len();
    }
    let killed = kill_midway(options, loaded, &path, &digest, logs, steps)?;
    ctx.events.tell(Event::Stage { name: "resume" });
    match apply(loaded, &path, &ApplyOptions { digest: Some(digest), ..ApplyOptions::default() }, ctx) {
        Ok(ended) if ended.exits.contains(&Exit::Stopped) => return Ok(Changed { text: ended.text, stopped: true }),
        Ok(ended) => must(&ended, "applying the plan")?,
        // On a busy machine the process came to the end of the plan before it was killed: there is nothing to go on with.
        Err(problems) if problems.kept().iter().any(|problem| problem.id == APPLIED) => {}
        Err(problems) => return Err(problems),
    }
    once(&file, logs, steps)?;
    pull(loaded, ctx)?;
    let again = out.join("again.plan");
    plan(loaded, ctx, &planning(&again))?;
    let left = PlanFile::open(&again)?.header().operations();
    if left > 0 {
        return Err(wrong(format!("{left} operations are planned again though all were applied")).into());
    }
    let operations = file.header().operations();
    let text = format!(
        "Moved to privacy-protect v2: {operations} operations of {steps} commands, planned, approved and applied;\n{killed}.\n\
         Each of the {steps} commands took effect exactly once, by the registries' own logs; all operations are verified, and planning again\n\
         finds nothing to do. The plan: {}\n\
         {exposed}",
        path.display()
    );
    Ok(Changed { text, stopped: false })
}

/// Reports what the public sees, now and once the plan is applied, and holds it against what was planted; tells where it stands.
fn exposed(loaded: &Loaded, out: &Path, plan: &Path, ctx: &Context) -> Result<String, Problems> {
    let report = report_exposure(loaded, ctx, Some(plan.to_owned()))?;
    let dir = report.json.get("reports").and_then(serde_json::Value::as_str).map(PathBuf::from).unwrap_or_default();
    let truth = out.join("truth/exposure.csv");
    if report.exit() != Exit::Stopped {
        let what = "leaks and other findings about exposure";
        super::same(&truth, &dir.join("findings.csv"), &EXPOSED, what, &[("confidence", super::Is::Not("guess"))])?;
    }
    Ok(format!(
        "What the public sees of registrants, before and after that plan, is in {}; every finding that was planted\n\
         is there, listed in {}, and nothing else but what heuristics suspect",
        dir.join("exposure.csv").display(),
        truth.display()
    ))
}

fn planning(path: &Path) -> PlanOptions {
    PlanOptions {
        recipe: Recipe::MigrateV2,
        select: Vec::new(),
        out: Some(path.to_owned()),
        allow: vec!["share".to_owned()],
        reason: Some(REASON.to_owned()),
        by: None,
        relock: None,
    }
}

/// Applies the plan in a process of its own, and kills that once half of the commands took effect; tells what happened. A fleet of which
/// nothing is to be moved has nothing to kill.
fn kill_midway(options: &DemoOptions, loaded: &Loaded, plan: &Path, digest: &str, logs: &[PathBuf], steps: usize) -> Result<String> {
    if steps == 0 {
        return Ok("there was nothing to kill it in".to_owned());
    }
    let failed = |e: std::io::Error| Problem::storage("E-demo-004", &options.program, "start it to be killed", &e);
    let mut command = Command::new(&options.program);
    command.args(["apply", "--quiet", "--digest", digest, "--config"]).arg(&loaded.config.path).arg(plan);
    let mut process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(failed)?;
    loop {
        let done = count(logs)?;
        if done * 2 >= steps {
            // SIGKILL: nothing in the process learns of it.
            process.kill().map_err(failed)?;
            process.wait().map_err(failed)?;
            return Ok(format!("its process was killed when {} of them had taken effect, and the same command went on", count(logs)?));
        }
        if let Some(status) = process.try_wait().map_err(failed)? {
            if status.success() {
                return Ok("its process was done before anybody could kill it".to_owned());
            }
            return Err(wrong(format!("the process that was to be killed ended by itself, {status}, after {done} of {steps} commands")));
        }
        std::thread::sleep(LOOK);
    }
}

/// How many changes took effect.
fn count(logs: &[PathBuf]) -> Result<usize> {
    let mut all = 0;
    for log in logs {
        all += lines(log)?.count();
    }
    Ok(all)
}

/// The whole lines of a registry's log; none where nothing took effect yet.
fn lines(log: &Path) -> Result<impl Iterator<Item = String>> {
    let file = std::fs::File::open(log).map_err(|e| Problem::storage("E-demo-004", log, "read", &e))?;
    Ok(BufReader::new(file).lines().map_while(std::result::Result::ok))
}

/// Whether each command of the plan took effect once, and nothing else did.
fn once(plan: &PlanFile, logs: &[PathBuf], steps: usize) -> Result<()> {
    // A command's identifier is the plan's, the operation, the step, and how often it was sent.
    let prefix: String = plan.header().id.chars().take(12).collect();
    let mut effects: BTreeMap<String, usize> = BTreeMap::new();
    for log in logs {
        for line in lines(log)? {
            let line: serde_json::Value =
                serde_json::from_str(&line).map_err(|e| wrong(format!("a registry's log cannot be read: {e}")))?;
            let trid = line.get("clTRID").and_then(serde_json::Value::as_str).unwrap_or_default();
            let step = trid.strip_prefix(&prefix).and_then(|rest| rest.rsplit_once('-'));
            let Some((step, _)) = step else { return Err(wrong(format!("the command {trid} took effect, which the plan does not hold"))) };
            *effects.entry(step.to_owned()).or_default() += 1;
        }
    }
    let twice = effects.values().filter(|times| **times > 1).count();
    if twice > 0 || effects.len() != steps {
        return Err(wrong(format!("{} of {steps} commands took effect, {twice} of them more than once", effects.len())));
    }
    Ok(())
}

/// That a verb ended as it must.
///
/// # Errors
/// `E-demo-002` where it did not.
pub(super) fn must(ended: &Ended, what: &str) -> Result<()> {
    match ended.exit() {
        Exit::Done => Ok(()),
        exit => Err(wrong(format!("{what} ended with {exit:?}: {}", ended.text))),
    }
}

fn wrong(what: String) -> Box<Problem> {
    Problem::new("E-demo-002", Blame::Us, what, "report this with the seed and the number of contacts")
}
