//! The run on a terminal: the verdict, one row a registry, and where to look.

use super::facts::RunFacts;
use super::table::{Cell, Kind};
use super::tables;
use super::verdict::{grouped, meaning, next, sentence};
use crate::base::escape_controls;
use comfy_table::{Cell as Shown, CellAlignment, Table, presets};
use std::path::Path;

/// Columns of the registry table that a terminal has room for.
const COLUMNS: &[(&str, &str)] = &[
    ("registry", "Registry"),
    ("profile", "Profile"),
    ("read", "Read"),
    ("contacts", "Contacts"),
    ("domains", "Domains"),
    ("material", "Differences"),
    ("unreadable", "Unreadable"),
    ("exits", "Exits"),
];

/// The summary of a run whose reports are in the folder `reports`, in plain text that ends with a line break.
#[must_use]
pub fn terminal(facts: &RunFacts, reports: &Path) -> String {
    let all = tables::registries(facts);
    let columns: Vec<_> = COLUMNS
        .iter()
        .filter_map(|(name, title)| all.shape.heads.iter().enumerate().find(|(_, h)| h.name == *name).map(|(n, h)| (n, h.kind, *title)))
        .collect();
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(columns.iter().map(|(_, kind, title)| aligned((*title).to_owned(), *kind)));
    for row in &all.rows {
        table.add_row(columns.iter().map(|(n, kind, _)| {
            let text = match row.get(*n) {
                Some(Cell::Text(text)) => escape_controls(text),
                Some(Cell::Int(n)) => grouped(n.unsigned_abs()),
                Some(Cell::Empty) | None => "–".to_owned(),
            };
            aligned(text, *kind)
        }));
    }
    let page = reports.join("index.html").display().to_string();
    let (code, words) = (facts.exit.code(), meaning(facts.exit));
    format!("{}\n\n{table}\n\nExit {code}, {words}. {}\nReport: {}\n", sentence(facts), next(facts.exit), escape_controls(&page))
}

/// A cell with figures at the right.
fn aligned(text: String, kind: Kind) -> Shown {
    Shown::new(text).set_alignment(match kind {
        Kind::Int => CellAlignment::Right,
        Kind::Text | Kind::Words => CellAlignment::Left,
    })
}
