//! Tables out: Parquet, a row group at a time.

use super::parquet::words;
use crate::base::{AtomicFile, Blame, Exit, Problem, Result};
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    ChunkedBuilder as _, DataFrame, DataType, Int64Type, IntoColumn as _, ParquetCompression, ParquetWriter, PlSmallStr, PolarsError,
    PrimitiveChunkedBuilder, Schema, StringChunkedBuilder,
};
use rayon::iter::ParallelIterator as _;
use rayon::slice::ParallelSlice as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows in a row group.
const GROUP_ROWS: usize = 65_536;

/// What a column of a [`TableWriter`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Strings.
    Text,
    /// 64-bit integers.
    Integer,
}

/// A value on its way to a [`TableWriter`].
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// A string, or null.
    Text(Option<&'a str>),
    /// An integer, or null.
    Integer(Option<i64>),
}

/// The values of one column until they fill a row group.
enum Pending {
    /// Strings.
    Text(StringChunkedBuilder),
    /// Integers.
    Integer(PrimitiveChunkedBuilder<Int64Type>),
}

/// Writes a Parquet file row by row with the memory of one row group; the file appears when [`TableWriter::finish`] put it in place.
pub struct TableWriter {
    target: PathBuf,
    file: Shared,
    writer: BatchedWriter<Shared>,
    columns: Vec<(PlSmallStr, ColumnType)>,
    pending: Vec<Pending>,
    waiting: usize,
    rows: u64,
}

impl TableWriter {
    /// Opens the file with `columns`.
    ///
    /// # Errors
    /// `E-file-001`, `E-file-002`.
    pub fn create(target: &Path, columns: &[(&str, ColumnType)]) -> Result<Self> {
        let file = Shared(Arc::new(Mutex::new(AtomicFile::create(target)?)));
        let columns: Vec<(PlSmallStr, ColumnType)> = columns.iter().map(|(name, kind)| ((*name).into(), *kind)).collect();
        let schema: Schema = columns.iter().map(|(name, kind)| (name.clone(), data_type(*kind))).collect();
        let writer = ParquetWriter::new(file.clone()).with_compression(ParquetCompression::Zstd(None)).set_parallel(false);
        let writer = writer.batched(&schema).map_err(|e| unwritten(target, &e))?;
        let pending = fresh(&columns);
        Ok(Self { target: target.to_owned(), file, writer, columns, pending, waiting: 0, rows: 0 })
    }

    /// Adds a row of as many cells as there are columns; missing ones are null.
    ///
    /// # Errors
    /// `E-file-002`.
    pub fn push<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> Result<()> {
        fill(&mut self.pending, cells);
        self.waiting += 1;
        self.rows += 1;
        if self.waiting >= GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    /// Adds rows that are there already, by several threads. Gives the same file as [`TableWriter::push`] of each.
    ///
    /// # Errors
    /// `E-file-002`.
    pub fn push_all<'a, T: Sync, const N: usize>(&mut self, items: &'a [T], cells: impl Fn(&'a T) -> [Cell<'a>; N] + Sync) -> Result<()> {
        let (first, groups) = items.split_at_checked((GROUP_ROWS - self.waiting).min(items.len())).unwrap_or((items, &[]));
        first.iter().try_for_each(|item| self.push(cells(item)))?;
        let whole = groups.len() / GROUP_ROWS * GROUP_ROWS;
        let (groups, last) = groups.split_at_checked(whole).unwrap_or((groups, &[]));
        for some in groups.chunks(GROUP_ROWS * rayon::current_num_threads()) {
            let frames = some.par_chunks(GROUP_ROWS).map(|group| {
                let mut pending = fresh(&self.columns);
                for item in group {
                    fill(&mut pending, cells(item));
                }
                let frame = framed(pending)?;
                self.writer.encode_and_compress(&frame).collect::<Result<Vec<_>, _>>()
            });
            let encoded = frames.collect::<Result<Vec<_>, PolarsError>>().map_err(|e| unwritten(&self.target, &e))?;
            let written = self.writer.write_row_groups(encoded.into_iter().flatten().collect());
            written.map_err(|e| unwritten(&self.target, &e))?;
            self.rows += some.len() as u64;
        }
        last.iter().try_for_each(|item| self.push(cells(item)))
    }

    /// Writes what waits as one row group.
    fn flush(&mut self) -> Result<()> {
        if self.waiting == 0 {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.pending, fresh(&self.columns));
        self.waiting = 0;
        framed(full).and_then(|frame| self.writer.write_batch(&frame)).map_err(|e| unwritten(&self.target, &e))
    }

    /// Writes the footer, makes the file durable and puts it in place. Returns the number of rows.
    ///
    /// # Errors
    /// `E-file-002`.
    pub fn finish(self) -> Result<u64> {
        let rows = self.rows;
        if let Some(file) = self.seal()? {
            file.commit()?;
        }
        Ok(rows)
    }

    /// Writes the footer; the file is still to be put in place. Nothing where somebody else holds it still.
    ///
    /// # Errors
    /// `E-file-002`.
    pub fn seal(mut self) -> Result<Option<AtomicFile>> {
        self.flush()?;
        self.writer.finish().map_err(|e| unwritten(&self.target, &e))?;
        drop(self.writer);
        Ok(Arc::into_inner(self.file.0).map(|file| file.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter").field("target", &self.target).field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// The file a writer of Polars holds one end of while we keep the other, to put it in place afterwards.
#[derive(Clone, Debug)]
struct Shared(Arc<Mutex<AtomicFile>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

const fn data_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Text => DataType::String,
        ColumnType::Integer => DataType::Int64,
    }
}

fn fresh(columns: &[(PlSmallStr, ColumnType)]) -> Vec<Pending> {
    let one = |(name, kind): &(PlSmallStr, ColumnType)| match kind {
        ColumnType::Text => Pending::Text(StringChunkedBuilder::new(name.clone(), 1024)),
        ColumnType::Integer => Pending::Integer(PrimitiveChunkedBuilder::new(name.clone(), 1024)),
    };
    columns.iter().map(one).collect()
}

/// Adds a row; missing cells are null.
fn fill<'a>(pending: &mut [Pending], cells: impl IntoIterator<Item = Cell<'a>>) {
    let mut cells = cells.into_iter();
    for column in pending {
        match (column, cells.next()) {
            (Pending::Text(builder), Some(Cell::Text(value))) => builder.append_option(value),
            (Pending::Text(builder), _) => builder.append_null(),
            (Pending::Integer(builder), Some(Cell::Integer(value))) => builder.append_option(value),
            (Pending::Integer(builder), _) => builder.append_null(),
        }
    }
}

/// The rows of one row group.
fn framed(columns: Vec<Pending>) -> Result<DataFrame, PolarsError> {
    let columns = columns.into_iter().map(|column| match column {
        Pending::Text(builder) => builder.finish().into_column(),
        Pending::Integer(builder) => builder.finish().into_column(),
    });
    DataFrame::new_infer_height(columns.collect())
}

fn unwritten(path: &Path, error: &PolarsError) -> Box<Problem> {
    Problem::new("E-file-002", Blame::Operator, format!("cannot write: {}", words(error)), "check free space")
        .file(path)
        .exit(Exit::Storage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells((text, n): &(String, i64)) -> [Cell<'_>; 2] {
        [Cell::Text((n % 3 != 0).then_some(text.as_str())), Cell::Integer(Some(*n))]
    }

    #[test]
    fn rows_of_many_threads_make_the_same_file() {
        let dir = tempfile::tempdir().unwrap();
        let rows: Vec<(String, i64)> = (0..200_000).map(|n| (format!("row {}", n * 7919 % 10_007), n)).collect();
        let columns = [("text", ColumnType::Text), ("number", ColumnType::Integer)];
        let write = |name: &str, whole: usize| {
            let path = dir.path().join(name);
            let mut table = TableWriter::create(&path, &columns).unwrap();
            let (before, behind) = rows.split_at(whole);
            before.iter().try_for_each(|row| table.push(cells(row))).unwrap();
            table.push_all(behind, cells).unwrap();
            assert_eq!(table.finish().unwrap(), 200_000);
            std::fs::read(path).unwrap()
        };
        let one_by_one = write("one-by-one", rows.len());
        for whole in [0, 1, GROUP_ROWS, GROUP_ROWS + 77] {
            assert!(write("together", whole) == one_by_one, "{whole} rows by themselves");
        }
    }
}
