//! What of the record contradicts what was observed: a table of both sides, and what that means to whoever signs.

use super::document::{Block, Folder, Section};
use super::table::{Cell, Shape};
use super::tables::text;
use crate::base::Result;
use crate::compliance::processing::{RECORD_RULES, RecordFinding, RecordPack};
use jiff::civil::Date;

/// What stands on page one of mechanisms that are none.
pub(super) struct Stand {
    /// That the record must not be published, and why.
    pub(super) void: Option<String>,
    /// That it was overridden, and where the reason stands.
    pub(super) overridden: Option<String>,
}

/// Whether a finding keeps the record from being published.
pub(super) fn is_void(one: &RecordFinding) -> bool {
    RECORD_RULES.first().is_some_and(|rule| rule.id == one.rule.id)
}

/// What `found` and the pack itself mean to whoever publishes on `day`.
pub(super) fn stand(pack: &RecordPack, found: &[RecordFinding], day: Date) -> Stand {
    let void = found.iter().find(|one| is_void(one)).map(|one| {
        format!(
            "This record must not be published: {}. Declare the mechanism in force, or override it with a reason (`override_reason`).",
            one.observed
        )
    });
    let is_kept = |one: &&RecordFinding| RECORD_RULES.get(1).is_some_and(|rule| rule.id == one.rule.id);
    let of_pack = pack.overridden(day).next().map(|(id, reason, citation)| {
        format!("The record pack takes `{id}` for a mechanism although it is none ({citation}), because: {reason}. Whoever signs stands by that.")
    });
    let of_register = found.iter().find(is_kept).map(|one| format!("Overridden: {}. Whoever signs stands by that.", one.observed));
    Stand { void, overridden: of_pack.or(of_register) }
}

/// The section, with its table in `folder`.
///
/// # Errors
/// As the writer of files.
pub(super) fn section(folder: &mut Folder<'_>, found: &[RecordFinding]) -> Result<Section> {
    let table = folder.table(&FOUND, found.iter().map(cells))?;
    let told = if found.is_empty() {
        "Nothing that is declared contradicts what was observed, as far as a program can tell."
    } else {
        "Each line has both sides. An error keeps the record from being signed as it is; small counts of people are not told."
    };
    Ok(Section {
        id: "findings",
        heading: "What contradicts what was observed".to_owned(),
        blocks: vec![Block::Note(told.to_owned()), table],
    })
}

fn cells(one: &RecordFinding) -> Vec<Cell> {
    let rule = one.rule;
    let named = [rule.id, rule.severity.as_str(), rule.field].map(Cell::from);
    let told = [&*one.declared, &*one.observed, &*one.source, rule.what, rule.remedy].map(Cell::from);
    named.into_iter().chain([one.registry.as_deref().into()]).chain(told).collect()
}

const FOUND: Shape = Shape {
    name: "record-findings",
    title: "What contradicts what was observed, errors first",
    heads: &[
        text("rule", "Rule"),
        text("severity", "Severity"),
        text("field", "Field"),
        text("registry", "Registry"),
        text("declared", "Declared"),
        text("observed", "Observed"),
        text("source", "Source"),
        text("what", "What it is about"),
        text("remedy", "What to do"),
    ],
};

/// The table.
pub(super) const SHAPES: [&Shape; 1] = [&FOUND];
