//! Parquet in, a batch at a time. What is read is checked before Polars sees it, since it may come from anywhere.

use crate::base::{Blame, Exit, Problem, Result};
use polars::prelude::{
    DataType, FileMetadata, FileMetadataRef, ParallelStrategy, ParquetReader, PlSmallStr, PolarsError, SerReader as _, StringChunked,
};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows that are decoded at a time, however large a file's row groups are.
const BATCH_ROWS: usize = 131_072;

/// The most bytes one column of one row group may have when unpacked.
const MAX_CHUNK_BYTES: i64 = 1 << 30;

/// The most times smaller than its content a column of a row group may be, beyond the first [`FREE_BYTES`].
const MAX_RATIO: i64 = 1_000;

/// Bytes of a column that are unpacked whatever their ratio.
const FREE_BYTES: i64 = 64 << 20;

/// The most rows one file may have.
const MAX_ROWS: usize = 1 << 30;

/// A Parquet file with some of its text columns.
#[derive(Debug)]
pub struct ParquetFile {
    path: PathBuf,
    metadata: FileMetadataRef,
    /// The columns that are read, in the caller's order.
    columns: Vec<String>,
    /// The footer without its row groups: each batch is read with its own group alone, so that the others are not even looked at.
    bare: FileMetadata,
    batches: Vec<Slice>,
}

/// The rows of one batch.
#[derive(Clone, Copy, Debug)]
struct Slice {
    /// The row group they stand in.
    group: usize,
    /// The first one, counted in that group.
    from: usize,
    /// The first one, counted in the file.
    first: usize,
    rows: usize,
}

impl ParquetFile {
    /// Opens `path` and checks its frame, its footer and the types of `columns`; a column that is not there is left out where `optional`
    /// says so.
    ///
    /// # Errors
    /// `E-parquet-001` to `-006`: not Parquet, not complete, over a cap, a column missing, of another type, or nested.
    pub fn open(path: &Path, columns: &[&str], optional: bool) -> Result<Self> {
        Self::open_with(path, columns, optional, false)
    }

    /// As [`ParquetFile::open`] with every column there, where integers are read as their digits.
    ///
    /// # Errors
    /// As [`ParquetFile::open`].
    pub(super) fn open_cells(path: &Path, columns: &[&str]) -> Result<Self> {
        Self::open_with(path, columns, false, true)
    }

    fn open_with(path: &Path, columns: &[&str], optional: bool, integers: bool) -> Result<Self> {
        let mut file = File::open(path).map_err(|e| {
            Problem::new("E-file-005", Blame::Operator, format!("cannot read: {e}"), "check the path, its owner and its mode").file(path)
        })?;
        check_frame(&mut file, path)?;
        let length = file.metadata().map_or(0, |m| m.len());
        let mut reader = ParquetReader::new(file);
        let metadata = reader.get_metadata().map_err(|e| incomplete(path, &words(&e)))?.clone();
        check_caps(&metadata, length, path)?;
        let schema = reader.schema().map_err(|e| incomplete(path, &words(&e)))?;
        let mut chosen = Vec::new();
        for name in columns {
            let Some(field) = schema.get(name) else {
                if optional {
                    continue;
                }
                let there: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
                let what = format!("the column `{name}` is missing; there are: {}", there.join(", "));
                return Err(Problem::new("E-parquet-004", Blame::Input, what, "add it, or map it under `columns`").file(path).field(*name));
            };
            let found = DataType::from_arrow_field(field);
            if found != DataType::String && !(integers && found == DataType::Int64) {
                let nested = found.is_nested();
                let (id, found) = if nested { ("E-parquet-006", "a nested type".to_owned()) } else { ("E-parquet-005", found.to_string()) };
                let what = format!("the column `{name}` holds {found}, wanted are strings");
                return Err(Problem::new(id, Blame::Input, what, "write the column as plain UTF-8 strings").file(path).field(*name));
            }
            chosen.push((*name).to_owned());
        }
        let mut batches = Vec::new();
        let mut first = 0;
        for (group, described) in metadata.row_groups.iter().enumerate() {
            let rows = described.num_rows();
            for from in (0..rows).step_by(BATCH_ROWS) {
                batches.push(Slice { group, from, first: first + from, rows: (rows - from).min(BATCH_ROWS) });
            }
            first += rows;
        }
        let mut bare = FileMetadata::clone(&metadata);
        bare.row_groups.clear();
        Ok(Self { path: path.to_owned(), metadata, columns: chosen, bare, batches })
    }

    /// The names of all columns in the file.
    ///
    /// # Errors
    /// As [`ParquetFile::open`].
    pub fn column_names(path: &Path) -> Result<Vec<String>> {
        let opened = Self::open(path, &[], true)?;
        let schema = opened.metadata.schema();
        Ok(schema.fields().iter().map(|f| f.name().to_owned()).collect())
    }

    /// The columns that are read.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Rows in the file.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.batches.last().map_or(0, |slice| slice.first + slice.rows)
    }

    /// How many batches there are.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.batches.len()
    }

    /// Rows of batch `n`.
    #[must_use]
    pub fn batch_rows(&self, n: usize) -> usize {
        self.batches.get(n).map_or(0, |slice| slice.rows)
    }

    /// Reads batch `n`. Batches may be read by several threads at a time.
    ///
    /// # Errors
    /// `E-parquet-007`: the pages cannot be unpacked, or a string in them is not UTF-8.
    pub fn batch(&self, n: usize) -> Result<Batch> {
        let slice = self.batches.get(n).copied();
        let Some((Slice { from, first, rows, .. }, group)) = slice.and_then(|s| Some((s, self.metadata.row_groups.get(s.group)?))) else {
            return Ok(Batch { columns: Vec::new(), first: 0, rows: 0 });
        };
        let broken = |what: String| {
            let what = format!("rows {} to {} cannot be read: {what}", first + 1, first + rows);
            let remedy = "the file is damaged, or a string in it is not UTF-8; write it again";
            Problem::new("E-parquet-007", Blame::Input, what, remedy).file(&self.path).line(first as u64 + 1)
        };
        let file = File::open(&self.path).map_err(|e| broken(e.to_string()))?;
        // In the caller's thread: a worker that waits for threads of Polars would begin another batch meanwhile, and hold them all.
        let mut reader = ParquetReader::new(file)
            .with_slice(Some((from, rows)))
            .with_columns(Some(self.columns.clone()))
            .read_parallel(ParallelStrategy::None);
        let mut alone = self.bare.clone();
        alone.num_rows = group.num_rows();
        alone.row_groups.push(group.clone());
        reader.set_metadata(Arc::new(alone));
        let frame = reader.finish().map_err(|e| broken(words(&e)))?;
        let mut columns = Vec::with_capacity(self.columns.len());
        for name in &self.columns {
            let column = frame.column(name).and_then(|c| c.cast(&DataType::String)).map_err(|e| broken(words(&e)))?;
            let column = column.str().cloned().map_err(|e| broken(words(&e)))?;
            if column.len() != rows {
                return Err(broken(format!("the column `{name}` has {} rows", column.len())));
            }
            columns.push(column.rechunk().into_owned());
        }
        Ok(Batch { columns, first, rows })
    }
}

/// Some rows of a [`ParquetFile`].
#[derive(Debug)]
pub struct Batch {
    columns: Vec<StringChunked>,
    first: usize,
    rows: usize,
}

impl Batch {
    /// The position of the first row in the file, from 0.
    #[must_use]
    pub const fn first(&self) -> usize {
        self.first
    }

    /// How many rows there are.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns there are.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The value of `column` (in the order asked for) in `row`, counted from the batch's first.
    #[must_use]
    pub fn get(&self, column: usize, row: usize) -> Option<&str> {
        self.columns.get(column)?.downcast_iter().next()?.get(row)
    }

    /// One column's values in order, faster than [`Batch::get`] row by row.
    pub fn column(&self, column: usize) -> impl Iterator<Item = Option<&str>> + use<'_> {
        // There is one chunk; its array is asked directly, since the iterators of Polars look for the next chunk at every value.
        let array = self.columns.get(column).and_then(|c| c.downcast_iter().next());
        (0..self.rows).map(move |row| array.and_then(|values| values.get(row)))
    }
}

/// Parquet begins and ends with `PAR1` (Apache Parquet format, "File format").
fn check_frame(file: &mut File, path: &Path) -> Result<()> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut ends = [[0_u8; 4]; 2];
    let [head, tail] = &mut ends;
    let read = file.read_exact(head).and_then(|()| file.seek(SeekFrom::End(-4))).and_then(|_| file.read_exact(tail));
    let found = read.and_then(|()| file.rewind()).is_ok();
    match (found, &ends) {
        (true, [[b'P', b'A', b'R', b'1'], [b'P', b'A', b'R', b'1']]) => Ok(()),
        (true, [[b'P', b'A', b'R', b'1'], _]) => Err(incomplete(path, "it does not end with the mark of Parquet: it was cut")),
        _ => {
            let what = "this is not a Parquet file: it does not begin with `PAR1`";
            Err(Problem::new("E-parquet-001", Blame::Input, what, "check the path and the format").file(path).exit(Exit::InputIncomplete))
        }
    }
}

/// Refuses footers that announce more than any honest file of that length holds, before anything is unpacked.
fn check_caps(metadata: &FileMetadata, length: u64, path: &Path) -> Result<()> {
    let over = |what: String| {
        Err(Problem::new("E-parquet-003", Blame::Input, what, "this is no table of ours; write it again, in smaller row groups").file(path))
    };
    let mut rows = 0_usize;
    for (n, group) in metadata.row_groups.iter().enumerate() {
        rows = rows.saturating_add(group.num_rows());
        for column in group.parquet_columns() {
            let (packed, unpacked) = (column.compressed_size(), column.uncompressed_size());
            // The start and the end are added up in Polars without a check, so they are read here as they stand.
            let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
            let inside =
                start >= 4 && packed >= 0 && start.checked_add(packed).is_some_and(|end| u64::try_from(end).is_ok_and(|e| e <= length));
            if !inside {
                return Err(incomplete(path, &format!("row group {} lies outside of the file", n + 1)));
            }
            let most = packed.saturating_mul(MAX_RATIO).saturating_add(FREE_BYTES).min(MAX_CHUNK_BYTES);
            if unpacked > most || unpacked < 0 {
                return over(format!("a column of row group {} unpacks to {unpacked} bytes, the cap is {most}", n + 1));
            }
        }
    }
    if rows > MAX_ROWS || rows as u64 > length.saturating_mul(64) {
        return over(format!("the footer announces {rows} rows in {length} bytes, the cap is {MAX_ROWS}"));
    }
    if rows != metadata.num_rows {
        return Err(incomplete(path, &format!("the footer announces {} rows, its row groups {rows}", metadata.num_rows)));
    }
    Ok(())
}

fn incomplete(path: &Path, what: &str) -> Box<Problem> {
    let what = format!("the Parquet file is not complete: {what}");
    Problem::new("E-parquet-002", Blame::Input, what, "write or copy it again").file(path).exit(Exit::InputIncomplete)
}

/// The first words of an error of Polars; the rest may quote contents.
pub(super) fn words(error: &PolarsError) -> String {
    error.to_string().chars().take_while(|c| *c != '\n').take(120).collect()
}
