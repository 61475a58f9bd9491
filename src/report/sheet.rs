//! A table on its way into its three files, a row at a time: as CSV for people, as JSON and as Parquet. Memory does not grow with it:
//! for the page the rows that matter most are kept, and of the others how many there are.

use super::table::{Cell, Head, Kind, SCHEMA_VERSION, Shape, Table, for_spreadsheet, schema_id};
use crate::base::{AtomicFile, Blame, Problem, Result};
use crate::dataset::{self, ColumnType, TableWriter};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The most rows of a table that a page, a workbook or a PDF shows.
pub(super) const SHOWN: usize = 10_000;

/// The forms in which a report's tables are left beside its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableForms {
    /// Comma-separated values (RFC 4180).
    pub csv: bool,
    /// JSON (RFC 8259).
    pub json: bool,
    /// Parquet.
    pub parquet: bool,
}

impl TableForms {
    /// All of them.
    pub const ALL: Self = Self { csv: true, json: true, parquet: true };
}

/// What every file of a report states of its making.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp<'a> {
    /// The forms of its tables.
    pub(super) forms: TableForms,
    /// The run.
    pub(super) run_id: &'a str,
    /// The version of Privet.
    pub(super) tool_version: &'a str,
}

/// A table whose files are written.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// The rows for the page, the ones of the lowest rank first.
    pub(super) table: Table,
    /// How many more stand in the files.
    pub(super) more: u64,
}

/// The files of one table.
#[derive(Debug)]
pub(super) struct Sheet {
    shape: &'static Shape,
    csv: Option<csv::Writer<AtomicFile>>,
    json: Option<Lines>,
    parquet: Option<TableWriter>,
    files: Vec<PathBuf>,
    /// By rank, and by the order in which they came.
    kept: BTreeMap<(u32, u64), Vec<Cell>>,
    rows: u64,
}

impl Sheet {
    /// Opens the files of `shape` in `dir`. They appear when [`Self::finish`] puts them in place.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn create(dir: &Path, shape: &'static Shape, stamp: Stamp<'_>) -> Result<Self> {
        let TableForms { csv, json, parquet } = stamp.forms;
        let mut files = Vec::new();
        let mut file = |is_meant: bool, ending: &str| {
            let path = dir.join(format!("{}.{ending}", shape.name));
            is_meant.then(|| {
                files.push(path.clone());
                path
            })
        };
        let [csv, json, parquet] = [file(csv, "csv"), file(json, "json"), file(parquet, "parquet")];
        let column = |head: &Head| match head.kind {
            Kind::Text | Kind::Words => (head.name, ColumnType::Text),
            Kind::Int => (head.name, ColumnType::Integer),
        };
        let columns: Vec<_> = shape.heads.iter().map(column).collect();
        let mut sheet = Self {
            shape,
            csv: csv.map(|path| AtomicFile::create(&path).map(csv::Writer::from_writer)).transpose()?,
            json: json.map(|path| Lines::begin(&path, shape, stamp)).transpose()?,
            parquet: parquet.map(|path| TableWriter::create(&path, &columns)).transpose()?,
            files,
            kept: BTreeMap::new(),
            rows: 0,
        };
        if let Some(csv) = &mut sheet.csv {
            csv.write_record(shape.heads.iter().map(|head| head.name)).map_err(|e| unwritten(csv, &e))?;
        }
        Ok(sheet)
    }

    /// Adds a row of as many cells as the shape has columns. Of more than [`SHOWN`] rows those of the lowest `rank` are for the page.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn push(&mut self, rank: u32, row: Vec<Cell>) -> Result<()> {
        if let Some(csv) = &mut self.csv {
            row.iter()
                .try_for_each(|cell| match cell {
                    Cell::Text(text) => csv.write_field(for_spreadsheet(text).as_bytes()),
                    Cell::Int(n) => csv.write_field(n.to_string()),
                    Cell::Empty => csv.write_field(""),
                })
                .and_then(|()| csv.write_record(None::<&[u8]>))
                .map_err(|e| unwritten(csv, &e))?;
        }
        if let Some(json) = &mut self.json {
            json.row(self.rows == 0, &row)?;
        }
        if let Some(parquet) = &mut self.parquet {
            parquet.push(row.iter().map(|cell| match cell {
                Cell::Text(text) => dataset::Cell::Text(Some(text)),
                Cell::Int(n) => dataset::Cell::Integer(Some(*n)),
                Cell::Empty => dataset::Cell::Text(None),
            }))?;
        }
        let place = (rank, self.rows);
        self.rows += 1;
        if self.kept.len() < SHOWN {
            self.kept.insert(place, row);
        } else if self.kept.last_key_value().is_some_and(|(last, _)| place < *last) {
            self.kept.pop_last();
            self.kept.insert(place, row);
        }
        Ok(())
    }

    /// Puts the files in place, and names them.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn finish(self) -> Result<(Listed, Vec<PathBuf>)> {
        let Self { shape, csv, json, parquet, files, kept, rows } = self;
        if let Some(csv) = csv {
            let file = csv.into_inner().map_err(|e| Problem::new("E-report-003", Blame::Us, e.to_string(), "report this as a bug"))?;
            file.commit()?;
        }
        if let Some(json) = json {
            json.end(rows == 0)?;
        }
        if let Some(parquet) = parquet {
            parquet.finish()?;
        }
        let more = rows - kept.len() as u64;
        Ok((Listed { table: Table { shape, rows: kept.into_values().collect() }, more }, files))
    }
}

fn unwritten(csv: &csv::Writer<AtomicFile>, error: &csv::Error) -> Box<Problem> {
    Problem::new("E-report-003", Blame::Us, error.to_string(), "report this as a bug").file(csv.get_ref().path())
}

/// The JSON file of a table, an object a line.
#[derive(Debug)]
struct Lines {
    file: AtomicFile,
    /// The columns in the order in which an object has them, each with its name as JSON.
    keys: Vec<(usize, String)>,
    line: Vec<u8>,
}

impl Lines {
    fn begin(path: &Path, shape: &Shape, stamp: Stamp<'_>) -> Result<Self> {
        let places: Map<String, Value> = shape.heads.iter().enumerate().map(|(n, head)| (head.name.to_owned(), n.into())).collect();
        let at = |name: &str| shape.heads.iter().position(|head| head.name == name).unwrap_or_default();
        let keys = places.keys().map(|name| (at(name), format!("{}:", Value::from(name.as_str())))).collect();
        let mut lines = Self { file: AtomicFile::create(path)?, keys, line: Vec::new() };
        let text = |text: &str| Value::from(text).to_string();
        let head = format!(
            "{{\n  \"schema\": {},\n  \"schema_version\": {SCHEMA_VERSION},\n  \"tool_version\": {},\n  \"run_id\": {},\n  \"rows\": [",
            text(&schema_id(shape.name)),
            text(stamp.tool_version),
            text(stamp.run_id),
        );
        lines.line.extend(head.as_bytes());
        lines.flush()?;
        Ok(lines)
    }

    fn row(&mut self, is_first: bool, row: &[Cell]) -> Result<()> {
        self.line.extend(if is_first { &b"\n    {"[..] } else { b",\n    {" });
        for (n, (at, key)) in self.keys.iter().enumerate() {
            if n > 0 {
                self.line.push(b',');
            }
            self.line.extend(key.as_bytes());
            let told = match row.get(*at) {
                Some(Cell::Text(text)) => serde_json::to_writer(&mut self.line, text),
                Some(Cell::Int(n)) => serde_json::to_writer(&mut self.line, n),
                Some(Cell::Empty) | None => serde_json::to_writer(&mut self.line, &()),
            };
            told.map_err(|e| Problem::new("E-report-003", Blame::Us, e.to_string(), "report this as a bug").file(self.file.path()))?;
        }
        self.line.push(b'}');
        self.flush()
    }

    fn end(mut self, is_empty: bool) -> Result<()> {
        self.line.extend(if is_empty { &b"]\n}\n"[..] } else { b"\n  ]\n}\n" });
        self.flush()?;
        self.file.commit()
    }

    fn flush(&mut self) -> Result<()> {
        let written = self.file.write_all(&self.line);
        self.line.clear();
        written.map_err(|e| Problem::storage("E-file-002", self.file.path(), "write", &e))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::{int, text};
    use super::*;

    const SHAPE: Shape = Shape { name: "few", title: "Few", heads: &[text("name", "Name"), int("n", "N")] };
    const STAMP: Stamp<'_> = Stamp { forms: TableForms::ALL, run_id: "r", tool_version: "0" };

    #[test]
    fn a_form_that_nobody_wants_is_not_left() {
        let dir = tempfile::tempdir().unwrap();
        let forms = TableForms { csv: false, json: false, parquet: true };
        let mut sheet = Sheet::create(dir.path(), &SHAPE, Stamp { forms, ..STAMP }).unwrap();
        sheet.push(0, vec!["a".into(), 1_u64.into()]).unwrap();
        let (listed, files) = sheet.finish().unwrap();
        assert_eq!((listed.table.rows.len(), files), (1, vec![dir.path().join("few.parquet")]));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_page_has_the_worst_rows_in_the_order_of_their_rank() {
        let dir = tempfile::tempdir().unwrap();
        let mut sheet = Sheet::create(dir.path(), &SHAPE, STAMP).unwrap();
        let rows = SHOWN as u64 + 7;
        for n in 0..rows {
            let rank = u32::from(n != rows - 1);
            sheet.push(rank, vec![format!("row {n}").into(), n.into()]).unwrap();
        }
        let (listed, files) = sheet.finish().unwrap();
        assert_eq!((listed.more, listed.table.rows.len(), files.len()), (7, SHOWN, 3));
        assert_eq!(listed.table.rows.first().unwrap(), &vec![Cell::from(format!("row {}", rows - 1)), (rows - 1).into()]);
        let json: Value = serde_json::from_slice(&std::fs::read(&files[1]).unwrap()).unwrap();
        assert_eq!(json["rows"].as_array().unwrap().len() as u64, rows, "the files have every row");
        assert_eq!(csv::Reader::from_path(&files[0]).unwrap().records().count() as u64, rows);
    }
}
