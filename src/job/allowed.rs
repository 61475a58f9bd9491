//! What of a plan's operations may not be carried out by the rules in force now: a plan is a file, and whoever can write one can put
//! anything into it.

use super::config::Config;
use crate::base::{Blame, Exit, Problem, Problems, RegistryId, Result};
use crate::plan::{Operation, PlanFile, Value, forbidden};
use std::collections::HashMap;

/// The longest name of a fact that is told, in characters.
const NAME: usize = 64;

/// Adds what stands against the plan's operations to `problems`: `E-apply-015` where one is for a registry on which the plan does not
/// rest or which the configuration does not have, `E-apply-016` where a rule forbids one, with the rule (all exit 20).
///
/// # Errors
/// As [`PlanFile::open`].
pub(super) fn check(plan: &PlanFile, config: &Config, problems: &mut Problems) -> Result<()> {
    // Operations are many, and what they do is little.
    let mut judged: HashMap<_, Option<String>> = HashMap::new();
    for operation in plan.operations()? {
        let operation = operation?;
        let name = &operation.registry;
        let rests = plan.header().registries.contains_key(name);
        let Some(registry) = config.registries.get(&RegistryId::from(name.as_str())).filter(|_| rests) else {
            let why = if rests { "which the configuration does not have" } else { "on which the plan does not rest" };
            let what = format!("operation {} is for the registry `{name}`, {why}", operation.op);
            problems.push(refused("E-apply-015", what, "plan again, under the configuration that is there", plan, &operation));
            continue;
        };
        let found = operation.steps.iter().find_map(|step| {
            let changed = step.changes().map(|change| Some((change.fact.clone(), change.wanted != Value::Absent)));
            // A step is something, too, where it changes no fact.
            std::iter::once(None).chain(changed).find_map(|change| {
                let key = (name.clone(), step.turn, step.object.kind, change);
                if let Some(known) = judged.get(&key) {
                    return Option::clone(known);
                }
                let (_, turn, kind, change) = &key;
                let found = forbidden(&registry.profile, *turn, *kind, change.as_ref().map(|(fact, adding)| (fact, *adding)));
                let fact = change.as_ref().map(|(fact, _)| fact.as_str().chars().take(NAME).collect::<String>());
                let words = found.map(|(rule, why)| format!("{rule}: {}{why}", fact.map_or_else(String::new, |fact| format!("{fact}: "))));
                judged.insert(key, words.clone());
                words
            })
        });
        if let Some(words) = found {
            let what = format!("operation {} may not be carried out at `{name}`, {words}", operation.op);
            problems.push(refused("E-apply-016", what, "plan again: nothing lets this pass", plan, &operation));
        }
    }
    Ok(())
}

fn refused(id: &str, what: String, remedy: &str, plan: &PlanFile, operation: &Operation) -> Box<Problem> {
    Problem::new(id, Blame::Operator, what, remedy).file(plan.path()).line(operation.op + 1).exit(Exit::GateRefused)
}
