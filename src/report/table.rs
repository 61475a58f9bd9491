//! One table, written as CSV for people, as JSON, as Parquet and as HTML: the same rows in the same order.

use super::sheet::{Sheet, Stamp};
use crate::base::{Result, escape_controls};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// The version of the shape of every JSON file a report leaves.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, shown at the left.
    Text,
    /// Text with `code` in it, in a problem's words.
    Words,
    /// A whole number, shown at the right.
    Int,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Its name in files.
    pub(super) name: &'static str,
    /// Its name for people.
    pub(super) title: &'static str,
    /// What it holds.
    pub(super) kind: Kind,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Nothing: not known, or it does not apply.
    Empty,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(n: u64) -> Self {
        Self::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<i64> for Cell {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

/// What a table looks like, whatever is in it.
#[derive(Debug)]
pub(super) struct Shape {
    /// Its file name, without an ending.
    pub(super) name: &'static str,
    /// Its caption.
    pub(super) title: &'static str,
    /// Its columns; the first names the row.
    pub(super) heads: &'static [Head],
}

/// A table of a report.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// What it looks like.
    pub(super) shape: &'static Shape,
    /// Its rows, each as long as the shape has columns.
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Writes the table's three files into `dir` and names them.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn write(&self, dir: &Path, stamp: Stamp<'_>) -> Result<Vec<PathBuf>> {
        let mut sheet = Sheet::create(dir, self.shape, stamp)?;
        for row in &self.rows {
            sheet.push(0, row.clone())?;
        }
        Ok(sheet.finish()?.1)
    }
}

impl Shape {
    /// The JSON Schema of the JSON file of such a table.
    pub(super) fn schema(&self) -> Value {
        let property = |head: &Head| {
            let kind = match head.kind {
                Kind::Text | Kind::Words => "string",
                Kind::Int => "integer",
            };
            (head.name.to_owned(), json!({ "description": head.title, "type": [kind, "null"] }))
        };
        let names: Vec<_> = self.heads.iter().map(|h| h.name).collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.title,
            "type": "object",
            "additionalProperties": false,
            "required": ["schema", "schema_version", "tool_version", "run_id", "rows"],
            "properties": {
                "schema": { "const": schema_id(self.name) },
                "schema_version": { "const": SCHEMA_VERSION },
                "tool_version": { "type": "string" },
                "run_id": { "type": "string" },
                "rows": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": names,
                        "properties": self.heads.iter().map(property).collect::<Map<_, _>>(),
                    },
                },
            },
        })
    }
}

/// The id a JSON file states for the schema `name`.
pub(super) fn schema_id(name: &str) -> String {
    format!("privet/report/{name}")
}

/// JSON a person can read, with a final line break.
pub(super) fn pretty(value: &Value) -> Vec<u8> {
    let mut text = format!("{value:#}");
    text.push('\n');
    text.into_bytes()
}

/// `text` as a spreadsheet shows it and never computes it: a cell that starts like a formula gets a leading `'` (OWASP, CSV injection).
///
/// Quoting does not help, and neither does a blank in front, which spreadsheets trim. A `+49…` gets the mark too: nothing tells it
/// from a formula.
pub(super) fn for_spreadsheet(text: &str) -> String {
    const FORMULA: &[char] = &['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−'];
    let invisible = |c: char| {
        c.is_whitespace() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    let computed = text.starts_with(['\t', '\r', '\n']) || text.trim_start_matches(invisible).starts_with(FORMULA);
    let shown = escape_controls(text);
    if computed { format!("'{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_shown_and_not_computed() {
        for cell in ["=cmd", "+49.30", "-1", "@SUM", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠a", "  =1", "\u{FEFF}=1", "\u{202E}=1"]
        {
            assert!(for_spreadsheet(cell).starts_with('\''), "{cell:?}");
        }
        assert_eq!(for_spreadsheet("H-1"), "H-1");
        assert_eq!(for_spreadsheet("a\u{1b}[31m"), "a\\u{1b}[31m");
    }
}
