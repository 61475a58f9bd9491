//! A table on its way into its three files, a row at a time: as CSV for people, as JSON and as Parquet. Memory does not grow with it:
//! for the page the rows that matter most are kept, and of the others how many there are.

use super::table::{Cell, Kind, SCHEMA_VERSION, Shape, Table, for_spreadsheet, schema_id};
use crate::base::{AtomicFile, Blame, Problem, Result};
use crate::dataset::{self, ColumnType, TableWriter};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The most rows of a table that a page, a workbook or a PDF shows.
pub(super) const SHOWN: usize = 10_000;

/// What every file of a report states of its making.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp<'a> {
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
    csv: csv::Writer<AtomicFile>,
    json: AtomicFile,
    parquet: TableWriter,
    files: [PathBuf; 3],
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
        let files = ["csv", "json", "parquet"].map(|ending| dir.join(format!("{}.{ending}", shape.name)));
        let [csv, json, parquet] = &files;
        let column = |head: &super::table::Head| match head.kind {
            Kind::Text | Kind::Words => (head.name, ColumnType::Text),
            Kind::Int => (head.name, ColumnType::Integer),
        };
        let parquet = TableWriter::create(parquet, &shape.heads.iter().map(column).collect::<Vec<_>>())?;
        let (csv, json) = (csv::Writer::from_writer(AtomicFile::create(csv)?), AtomicFile::create(json)?);
        let mut sheet = Self { shape, csv, json, parquet, files, kept: BTreeMap::new(), rows: 0 };
        sheet.csv.write_record(shape.heads.iter().map(|head| head.name)).map_err(|e| sheet.failed(&e))?;
        let text = |text: &str| Value::from(text).to_string();
        let head = format!(
            "{{\n  \"schema\": {},\n  \"schema_version\": {SCHEMA_VERSION},\n  \"tool_version\": {},\n  \"run_id\": {},\n  \"rows\": [",
            text(&schema_id(shape.name)),
            text(stamp.tool_version),
            text(stamp.run_id),
        );
        sheet.tell(&head)?;
        Ok(sheet)
    }

    /// Adds a row of as many cells as the shape has columns. Of more than [`SHOWN`] rows those of the lowest `rank` are for the page.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn push(&mut self, rank: u32, row: Vec<Cell>) -> Result<()> {
        let cells = row.iter().map(|cell| match cell {
            Cell::Text(text) => for_spreadsheet(text),
            Cell::Int(n) => n.to_string(),
            Cell::Empty => String::new(),
        });
        self.csv.write_record(cells).map_err(|e| self.failed(&e))?;
        let pairs = self.shape.heads.iter().zip(&row).map(|(head, cell)| {
            let value = match cell {
                Cell::Text(text) => Value::from(text.as_str()),
                Cell::Int(n) => Value::from(*n),
                Cell::Empty => Value::Null,
            };
            (head.name.to_owned(), value)
        });
        let object = Value::Object(pairs.collect::<Map<_, _>>());
        self.tell(&format!("{}\n    {object}", if self.rows == 0 { "" } else { "," }))?;
        self.parquet.push(row.iter().map(|cell| match cell {
            Cell::Text(text) => dataset::Cell::Text(Some(text)),
            Cell::Int(n) => dataset::Cell::Integer(Some(*n)),
            Cell::Empty => dataset::Cell::Text(None),
        }))?;
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
    pub(super) fn finish(mut self) -> Result<(Listed, Vec<PathBuf>)> {
        self.tell(if self.rows == 0 { "]\n}\n" } else { "\n  ]\n}\n" })?;
        let Self { shape, csv, json, parquet, files, kept, rows } = self;
        let unwritten = |e: &std::io::Error| Problem::storage("E-file-002", json.path(), "write", e);
        csv.into_inner().map_err(|e| unwritten(e.error()))?.commit()?;
        json.commit()?;
        parquet.finish()?;
        let more = rows - kept.len() as u64;
        Ok((Listed { table: Table { shape, rows: kept.into_values().collect() }, more }, files.into()))
    }

    fn tell(&mut self, text: &str) -> Result<()> {
        let written = self.json.write_all(text.as_bytes());
        written.map_err(|e| Problem::storage("E-file-002", self.json.path(), "write", &e))
    }

    fn failed(&self, error: &csv::Error) -> Box<Problem> {
        let [csv, ..] = &self.files;
        Problem::new("E-report-003", Blame::Us, error.to_string(), "report this as a bug").file(csv)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::{int, text};
    use super::*;

    const SHAPE: Shape = Shape { name: "few", title: "Few", heads: &[text("name", "Name"), int("n", "N")] };
    const STAMP: Stamp<'_> = Stamp { run_id: "r", tool_version: "0" };

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
