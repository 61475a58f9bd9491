//! `privet registries`: what may be done at each registry, and how that is known.

use super::verbs::done;
use crate::job::Ended;
use crate::policy::{Cell, Confidence, Matrix, matrix, profiles};
use comfy_table::{Table, presets};

/// What the marks behind a cell mean.
const LEGEND: &str = "\
Without a mark: read in a source. ~: follows from what was read. ?: no source. What is unknown is never planned.
`--format json` has the source and the day of each.";

/// The capability matrix of the embedded profiles.
pub(super) fn registries() -> Ended {
    let profiles = profiles();
    let matrix = matrix(profiles.iter().map(|p| &**p));
    // The form has no part that could not be written.
    let json = serde_json::to_value(&matrix).unwrap_or_default();
    done(shown(&matrix), json)
}

fn shown(matrix: &Matrix) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(std::iter::once("").chain(matrix.profiles.iter().map(|p| p.id.as_str())));
    for row in &matrix.rows {
        table.add_row(std::iter::once(row.title.to_owned()).chain(row.cells.iter().map(cell)));
    }
    format!("{table}\n\n{LEGEND}")
}

/// The value, word under word, with the mark of its confidence.
fn cell(cell: &Cell) -> String {
    let mark = match cell.confidence {
        _ if cell.value == "unknown" => "",
        Confidence::Seen => "",
        Confidence::Inferred => " ~",
        Confidence::Guess => " ?",
    };
    format!("{}{mark}", cell.value.replace('_', "\n"))
}
