//! A plan of many operations, made and shown as `privet plan lock` and `privet show` do it, each in a process of its own which measures
//! itself. What counts is that memory does not grow as the plan does.

use crate::fixture::{Fixture, Size};
use crate::measure::{Outcome, cpu, json_of, myself, peak_mib};
use crate::report::{Goal, Section, figure};
use privet::job;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// Domains for each registrant.
const DOMAINS_EACH: u64 = 10;
/// The most resident memory that a plan of any size may take, MiB.
const MOST_MIB: f64 = 512.0;
/// The most memory for ten times the operations, of that for one times.
const MOST_GROWTH: f64 = 2.0;

/// How much is planned.
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
    /// Operations, by comma
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    pub operations: Vec<u64>,
}

/// Makes or shows a plan, as a child.
pub fn child(what: &str, dir: &Path) -> Outcome<()> {
    let fixture = Fixture::at(dir);
    let start = Instant::now();
    let mut told = json!({});
    if what == "make" {
        told["operations"] = fixture.make_plan()?.into();
    } else {
        let (mut bytes, mut pieces) = (0_u64, 0_u64);
        job::show(&fixture.plan(), None, false, &mut |piece| {
            bytes += piece.len() as u64;
            pieces += 1;
        })?;
        // One piece is the head.
        told["operations"] = (pieces - 1).into();
        told["bytes"] = bytes.into();
    }
    told["seconds"] = start.elapsed().as_secs_f64().into();
    told["cpu"] = cpu()?.as_secs_f64().into();
    told["peak_mib"] = peak_mib()?.into();
    println!("{told}");
    Ok(())
}

/// Makes and shows a plan of each size, from data that are kept.
pub fn bench(dir: &Path, args: &PlanArgs) -> Outcome<Section> {
    let mut runs = Vec::new();
    for &operations in &args.operations {
        let dir = dir.join(format!("plan-{operations}"));
        let done = dir.join("made");
        if !done.exists() {
            json_of(myself()?.arg("plan-fixture").arg(&dir).arg(operations.to_string()))?;
            std::fs::write(&done, "")?;
        }
        for what in ["make", "show"] {
            let told = json_of(myself()?.arg("plan-pass").arg(what).arg(&dir))?;
            if told["operations"].as_u64() != Some(operations) {
                return Err(format!("a plan of {operations} operations has {}", told["operations"]).into());
            }
            runs.push((operations, what, told));
        }
    }
    section(&runs)
}

/// Makes the data, as a child: what that takes is not measured.
pub fn make(dir: &Path, operations: u64) -> Outcome<()> {
    Fixture::make(dir, Size { domains: operations, registrants: Some(operations.div_ceil(DOMAINS_EACH)) })?;
    println!("{{}}");
    Ok(())
}

fn section(runs: &[(u64, &str, Value)]) -> Outcome<Section> {
    let number = |told: &Value, key: &str| told[key].as_f64().ok_or_else(|| format!("a child told no {key}"));
    let mut goals = Vec::new();
    let mut rows = Vec::new();
    for (operations, what, told) in runs {
        let (seconds, peak) = (number(told, "seconds")?, number(told, "peak_mib")?);
        let size = figure(*operations as f64);
        goals.push(Goal::at_most(format!("{size} operations, {what}: peak memory, MiB"), peak, MOST_MIB));
        let each = seconds / *operations as f64 * 1e6;
        rows.push(vec![size, (*what).to_owned(), figure(seconds), figure(number(told, "cpu")?), figure(each), figure(peak)]);
    }
    for what in ["make", "show"] {
        let of: Vec<&(u64, &str, Value)> = runs.iter().filter(|run| run.1 == what).collect();
        if let [first, .., last] = of.as_slice() {
            let growth = number(&last.2, "peak_mib")? / number(&first.2, "peak_mib")?;
            let name = format!("{what}: memory at the last size, of that at the first");
            goals.push(Goal::at_most(name, growth, MOST_GROWTH));
        }
    }
    Ok(Section {
        title: "A large plan",
        how: format!(
            "`privet plan lock` for domains of which none is locked, {DOMAINS_EACH} of each registrant, whose consent is in the ledger: the \
             records are taken in anew, read beside the snapshot, and each operation is sealed; then `privet show` of the plan. Each is a \
             process of its own."
        ),
        head: vec!["operations", "step", "wall s", "CPU s", "µs/operation", "peak MiB"],
        rows,
        goals,
        raw: runs.iter().map(|(_, what, told)| json!({ "step": what, "told": told })).collect(),
    })
}
