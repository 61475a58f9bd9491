//! The demo's third part: what a data protection officer signs, each report held against what was planted.

use super::asking::asking;
use super::change::must;
use super::same;
use crate::base::{Blame, Exit, Problem, Problems, Result};
use crate::job::config::Loaded;
use crate::job::{
    ApplyOptions, Context, Ended, PlanOptions, apply, plan, register_import, report_erasure, report_oversight, report_record,
    report_registers,
};
use crate::plan::{PlanFile, Recipe};
use crate::synth::CASES;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Why the gate of deletions is let pass.
const REASON: &str = "the demo erases what its data say is to go";
/// The least of a hundred questions of each list that the record answers.
const ANSWERED: u64 = 60;

/// Takes in the cases of every register: among them holds, which keep data from being erased.
///
/// # Errors
/// Whatever keeps a verb from ending; `E-demo-002` where a table is refused.
pub(super) fn cases(loaded: &Loaded, out: &Path, ctx: &Context) -> Result<(), Problems> {
    for name in CASES {
        let file = out.join(format!("records/cases-{name}.csv"));
        must(&register_import(loaded, ctx, name, &[file], false)?, "taking cases in")?;
    }
    Ok(())
}

/// Erases what is to go, and reports on all of it; tells where that stands.
///
/// # Errors
/// Whatever keeps a verb from ending; `E-demo-002` where a report says otherwise than was planted.
pub(super) fn officer(loaded: &Loaded, out: &Path, ctx: &Context) -> Result<String, Problems> {
    let told = folder(&report_registers(loaded, ctx, None)?);
    let truth = out.join("truth/registers.csv");
    same(&truth, &told.join("registers.csv"), &["register", "case", "state"], "cases of registers", &[])?;
    let columns = ["register", "case", "deadline", "due", "standing"];
    same(&out.join("truth/deadlines.csv"), &told.join("registers-deadlines.csv"), &columns, "deadlines", &[])?;
    let asked = asking(loaded, out, ctx)?;
    let erased = erased(loaded, out, ctx)?;
    let record = report_record(loaded, ctx)?;
    let short = record.json["coverage"].as_array().into_iter().flatten().find(|one| one["percent"].as_u64() < Some(ANSWERED));
    if let Some(list) = short {
        return Err(wrong(format!("the record answers {} of a hundred questions of {}", list["percent"], list["authority"])).into());
    }
    let oversight = report_oversight(loaded, ctx)?;
    let page = |dir: &Path, name: &str| dir.join(name).display().to_string();
    Ok(format!(
        "Every case of the registers stands as planted, with its deadlines, listed in {}: {}\n\
         {asked}\n\
         {erased}\n\
         The record of processing activities: {}\n\
         Accuracy, withholding, lines, use of data, impact assessment: {}",
        truth.display(),
        page(&told, "registers.html"),
        page(&folder(&record), "record.html"),
        page(&folder(&oversight), "oversight.html"),
    ))
}

/// Erases what no service needs and no rule keeps, and holds what came of it against what was planted.
fn erased(loaded: &Loaded, out: &Path, ctx: &Context) -> Result<String, Problems> {
    let path = out.join("erasure.plan");
    let options = PlanOptions {
        recipe: Recipe::Erasure,
        select: Vec::new(),
        out: Some(path.clone()),
        allow: vec!["delete".to_owned()],
        reason: Some(REASON.to_owned()),
        by: None,
        relock: None,
    };
    plan(loaded, ctx, &options)?;
    let operations = PlanFile::open(&path)?.header().operations();
    if operations > 0 {
        // What something names stays, which the plan could not know.
        let ended = apply(loaded, &path, &ApplyOptions::default(), ctx)?;
        if !matches!(ended.exit(), Exit::Done | Exit::SomeFailed) {
            return Err(wrong(format!("erasing ended with {:?}", ended.exit())).into());
        }
    }
    let dir = folder(&report_erasure(loaded, ctx)?);
    let truth = out.join("truth/erasure.csv");
    same(&truth, &dir.join("erasures.csv"), &["registry", "object", "state"], "erasures", &[])?;
    Ok(format!(
        "{operations} contacts that no service needs were to be erased; each was, or is kept by what names it, as planted, listed in\n\
         {}: {}",
        truth.display(),
        dir.join("erasure.html").display()
    ))
}

/// Where a report was left.
pub(super) fn folder(ended: &Ended) -> PathBuf {
    ended.json.get("reports").and_then(Value::as_str).map(PathBuf::from).unwrap_or_default()
}

/// What ended otherwise than it must.
pub(super) fn wrong(what: String) -> Box<Problem> {
    Problem::new("E-demo-002", Blame::Us, what, "report this with the seed and the number of contacts")
}
