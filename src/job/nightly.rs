//! What `run` plans behind its pull, and applies where the configuration says so by name, within limits and until a day.

use super::config::{Applying, Loaded};
use super::{ApplyOptions, Context, Ended, PlanOptions, apply, plan};
use crate::base::{Exit, Problems};
use crate::plan::{Header, PlanFile, Recipe};
use crate::report::PlanSummary;
use jiff::tz::TimeZone;
use std::path::PathBuf;

/// Plans what `[run]` names, and applies what it says is to be applied; everything else is left for review. What came of it is added to
/// how the run `ended`.
///
/// # Errors
/// As [`plan`] and [`apply`].
pub(super) fn change(loaded: &Loaded, ctx: &Context, ended: &mut Ended) -> Result<(), Problems> {
    let mut plans = Vec::new();
    for recipe in &loaded.config.nightly.plan {
        if ctx.stop.is_stopped() {
            break;
        }
        let planned = plan(loaded, ctx, &options(*recipe))?;
        if ctx.stop.is_stopped() {
            break;
        }
        let path = PathBuf::from(planned.json.get("plan").and_then(serde_json::Value::as_str).unwrap_or_default());
        let file = PlanFile::open(&path)?;
        let (header, digest) = (file.header(), file.digest().to_owned());
        let again = planned.exits.contains(&Exit::Findings);
        let left = left_for_review(loaded.config.nightly.apply.get(recipe), header, again, ctx);
        let operations = header.operations();
        ended.problems.extend(planned.problems);
        ended.text.push_str(&format!("\n{}: {operations} operations planned, {}", recipe.as_str(), path.display()));
        let (plan, recipe) = (path.display().to_string(), recipe.as_str().to_owned());
        let mut told = PlanSummary { recipe, plan, digest: digest.clone(), operations, left_for_review: left, applied: None };
        if let Some(why) = &told.left_for_review {
            ended.exits.extend(planned.exits);
            ended.text.push_str(&format!("; {why}"));
        } else {
            let applied = apply(loaded, &path, &ApplyOptions { digest: Some(digest), ..ApplyOptions::default() }, ctx)?;
            ended.exits.extend(applied.exits);
            ended.problems.extend(applied.problems);
            ended.text.push_str(&format!("\n{}", applied.text));
            told.applied = serde_json::from_value(applied.json).ok();
        }
        plans.push(told);
    }
    if ctx.stop.is_stopped() {
        ended.exits.push(Exit::Stopped);
    }
    if let Some(json) = ended.json.as_object_mut() {
        json.insert("plans".to_owned(), serde_json::to_value(plans).unwrap_or_default());
    }
    Ok(())
}

fn options(recipe: Recipe) -> PlanOptions {
    PlanOptions { recipe, select: Vec::new(), out: None, allow: Vec::new(), reason: None, by: Some("privet run".to_owned()), relock: None }
}

/// Why a plan is not applied by the run itself; nothing where it is. `again`: some of it was verified before, and is gone.
fn left_for_review(applying: Option<&Applying>, header: &Header, again: bool, ctx: &Context) -> Option<String> {
    let Some(Applying { max_operations, until }) = applying else { return Some("left for review".to_owned()) };
    let (operations, today) = (header.operations(), ctx.clock.wall().to_zoned(TimeZone::UTC).date());
    if operations == 0 {
        return Some("nothing to do".to_owned());
    }
    if today > *until {
        return Some(format!("left for review: the run was to apply it until {until}"));
    }
    if operations > *max_operations {
        return Some(format!("left for review: the run applies at most {max_operations} operations"));
    }
    if header.approvals > 0 {
        return Some(format!("left for review: {} persons have to approve it", header.approvals));
    }
    if again {
        return Some("left for review: a run had verified some of it, and the registry does not have it any more".to_owned());
    }
    header.refused().next().map(|gate| format!("left for review: {}", gate.text))
}
