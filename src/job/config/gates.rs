//! The tables `[gates]` and `[corrections]`: when a run refuses to go on, and which side is right where both differ.

use super::table::{Found, Reading, Table};
use super::types::Gates;
use crate::base::{Blame, Problem};
use crate::plan::{ChangeKind, Direction, Directions, Limits};
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// The choices of a direction.
const DIRECTIONS: [(&str, Direction); 3] = [("local", Direction::Push), ("registry", Direction::Take), ("leave", Direction::Leave)];

/// When a run refuses to go on. `usual` is the same table of the defaults.
pub(super) fn gates(reading: &mut Reading<'_>, mut table: Table<'_>, mut usual: Table<'_>) -> Option<Gates> {
    let lowered = table.find("min_rows_share");
    let min_rows_share = lowered.as_ref().and_then(|f| f.share(reading, false));
    weaker(reading, lowered.as_ref(), min_rows_share, usual.find("min_rows_share").and_then(|f| f.decimal()));
    let mut whole = |key, range| table.find(key).and_then(|f| f.number(reading, range));
    let max_operations = whole("max_operations", 0..=u32::MAX);
    let share_floor = whole("share_floor", 0..=u32::MAX);
    let max_age = whole("max_age_hours", 1..=8760);
    let valid = whole("plan_valid_hours", 1..=8760);
    let approvals = whole("approvals", 0..=9);
    let canary = whole("canary", 1..=u32::MAX);
    let max_share = table.find("max_share").and_then(|f| f.share(reading, false));
    let protected = table.find("protected").and_then(|found| {
        let names = found.texts(reading)?;
        let kind = |name: &String| ChangeKind::ALL.into_iter().find(|kind| kind.as_str() == name);
        let kinds: Option<BTreeSet<ChangeKind>> = names.iter().map(kind).collect();
        if kinds.is_none() {
            found.wrong(reading, &format!("a list of {}", ChangeKind::ALL.map(ChangeKind::as_str).join(", ")));
        }
        kinds
    });
    table.finish(reading);
    let hours = |hours: u32| SignedDuration::from_hours(hours.into());
    let limits = Limits {
        max_operations: max_operations?.into(),
        max_share: max_share?,
        share_floor: share_floor?.into(),
        max_age: hours(max_age?),
        min_rows_share: min_rows_share?,
        protected: protected?,
    };
    Some(Gates {
        min_rows_share: min_rows_share?,
        limits,
        plan_valid: hours(valid?),
        approvals: u8::try_from(approvals?).ok()?,
        canary: canary?.into(),
    })
}

/// Which side is right.
pub(super) fn corrections(reading: &mut Reading<'_>, mut table: Table<'_>) -> Option<Directions> {
    let usual = table.find("right").and_then(|f| f.choice(reading, &DIRECTIONS));
    let found = table.find("fields");
    table.finish(reading);
    let mut directions = Directions { usual: usual?, ..Directions::default() };
    let Some(found) = found else { return Some(directions) };
    for (field, side) in found.pairs(reading)? {
        let direction = DIRECTIONS.iter().find(|(name, _)| *name == side).map(|(_, direction)| *direction);
        match direction.filter(|_| Directions::is_field(&field)) {
            Some(direction) => {
                directions.fields.insert(field, direction);
            }
            None => {
                found.wrong(
                    reading,
                    "columns of contacts or domains, each with `local`, `registry` or `leave`, such as { email = \"registry\" }",
                );
                return None;
            }
        }
    }
    Some(directions)
}

/// Warns of a gate that lets more through than the defaults' own.
fn weaker(reading: &mut Reading<'_>, found: Option<&Found<'_>>, share: Option<f64>, usual: Option<f64>) {
    if let (Some(found), Some(share), Some(usual)) = (found, share, usual)
        && share < usual
    {
        let what = format!("`{share}` is weaker than the default gate of `{usual}`: a cut input may pass for a whole one");
        let remedy = "remove the line unless the records really shrink like this";
        let mut warning = Problem::new("E-config-012", Blame::Operator, what, remedy).file(reading.path).field(found.name.clone());
        warning.place.line = found.file_line();
        reading.warnings.push(*warning);
    }
}
