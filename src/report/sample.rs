//! The first differences by name, out of the differences file.

use super::table::{Cell, Shape, Table};
use super::tables::text;
use crate::base::{Blame, Problem, Result};
use crate::diff::DiffKind;
use std::collections::BTreeMap;
use std::path::Path;

/// Differences shown for one registry.
const EACH: u64 = 10;
/// The columns of the differences file that are shown, in its own words; values stay in the file.
const SHOWN: [&str; 5] = ["registry", "object", "id", "field", "kind"];

/// The first material differences of each registry, without their values.
pub(super) struct Sample {
    /// Them.
    pub(super) table: Table,
    /// How many material differences the file has.
    pub(super) total: u64,
}

impl Sample {
    /// Reads the differences file `path`, CSV with a header; a run that did not come to its diff has none.
    ///
    /// # Errors
    /// `E-report-001` where it cannot be read or lacks a column.
    pub(super) fn read(path: Option<&Path>) -> Result<Self> {
        let mut sample = Self { table: Table { shape: &FIRST, rows: Vec::new() }, total: 0 };
        let Some(path) = path else { return Ok(sample) };
        let broken = |what: String| {
            Problem::new("E-report-001", Blame::Input, what, "run `privet diff` again: it writes the differences file anew").file(path)
        };
        let mut rows = csv::Reader::from_path(path).map_err(|e| broken(format!("cannot read the differences: {e}")))?;
        let heads = rows.headers().map_err(|e| broken(format!("cannot read the differences: {e}")))?.clone();
        let column =
            |name: &str| heads.iter().position(|h| h == name).ok_or_else(|| broken(format!("the differences lack the column `{name}`")));
        let severity = column("severity")?;
        let shown = SHOWN.iter().map(|name| column(name)).collect::<Result<Vec<_>>>()?;
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        let mut row = csv::StringRecord::new();
        // An error of this reader may quote the row, so its words are not passed on.
        while rows.read_record(&mut row).map_err(|e| broken("a row of the differences cannot be read".to_owned()).line(line_of(&e)))? {
            if row.get(severity) != Some("material") {
                continue;
            }
            sample.total += 1;
            let cells: Vec<_> = shown.iter().map(|n| row.get(*n).unwrap_or_default()).collect();
            let of_registry = seen.entry(cells.first().copied().unwrap_or_default().to_owned()).or_default();
            *of_registry += 1;
            if *of_registry <= EACH {
                sample.table.rows.push(cells.into_iter().map(in_words).collect());
            }
        }
        Ok(sample)
    }
}

/// A cell as people read it: kinds in words.
fn in_words(text: &str) -> Cell {
    match DiffKind::ALL.into_iter().find(|kind| kind.as_str() == text) {
        Some(kind) => kind.title().into(),
        None if text.is_empty() => Cell::Empty,
        None => text.into(),
    }
}

/// The line an error of the CSV reader stands in, 0 where it does not say.
fn line_of(error: &csv::Error) -> u64 {
    error.position().map_or(0, csv::Position::line)
}

/// The shape of the sample.
const FIRST: Shape = Shape {
    name: "first-differences",
    title: "First material differences",
    heads: &[text("registry", "Registry"), text("object", "Object"), text("id", "Id"), text("field", "Field"), text("kind", "Kind")],
};
