//! The table `[run]`: what the nightly run plans, and what of it the run applies by itself.

use super::table::{Reading, Table};
use super::types::{Applying, Nightly};
use crate::plan::Recipe;
use std::collections::BTreeMap;

/// The recipes of a nightly run: unlocking is asked for by the names of domains, and a rollback by its run.
const RECIPES: [Recipe; 5] = [Recipe::Privacy, Recipe::PrivacyOff, Recipe::Lock, Recipe::Corrections, Recipe::MigrateV2];

/// What the nightly run plans and applies.
pub(super) fn nightly(reading: &mut Reading<'_>, mut table: Table<'_>) -> Option<Nightly> {
    let named = table.find("plan").and_then(|found| {
        let names = found.texts_if_any(reading)?;
        let recipes: Option<Vec<Recipe>> = names.iter().map(|name| recipe(name)).collect();
        if recipes.is_none() {
            found.wrong(reading, &format!("a list of {}", RECIPES.map(Recipe::as_str).join(", ")));
        }
        recipes
    });
    let mut apply = BTreeMap::new();
    let mut whole = true;
    let mut applying = table.child(reading, "apply");
    for (name, line, mut limits) in applying.entries(reading) {
        let Some(recipe) = recipe(&name) else {
            let known = RECIPES.map(Recipe::as_str).join(", ");
            let what = format!("`{name}` is no recipe of a nightly run");
            reading.fault("E-config-018", "run.apply", Some(line), what, format!("known: {known}"));
            whole = false;
            continue;
        };
        let most = limits.need(reading, "max_operations", "100").and_then(|f| f.number(reading, 1..=u32::MAX));
        let until = limits.need(reading, "until", "\"2027-03-31\"").and_then(|found| {
            let day = found.text(reading)?.parse().ok();
            if day.is_none() {
                found.wrong(reading, "a day, such as \"2027-03-31\"");
            }
            day
        });
        limits.finish(reading);
        match most.zip(until) {
            Some((most, until)) => {
                apply.insert(recipe, Applying { max_operations: most.into(), until });
            }
            None => whole = false,
        }
    }
    table.finish(reading);
    let mut plan = named?;
    plan.extend(apply.keys());
    plan.sort_unstable();
    plan.dedup();
    whole.then_some(Nightly { plan, apply })
}

fn recipe(name: &str) -> Option<Recipe> {
    RECIPES.into_iter().find(|recipe| recipe.as_str() == name)
}
