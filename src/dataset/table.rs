//! Small finished tables as Parquet, without a Polars type in any signature.

use crate::base::{AtomicFile, Blame, Problem, Result};
use polars::prelude::{Column as Series, DataFrame, ParquetCompression, ParquetWriter};
use std::path::Path;

/// The values of one column; `None` is null.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// UTF-8 text.
    Text(Vec<Option<String>>),
    /// Signed 64-bit integers.
    Int(Vec<Option<i64>>),
    /// 64-bit floating point numbers.
    Real(Vec<Option<f64>>),
}

impl Column {
    /// The same column as Polars has it.
    fn series(&self, name: &str) -> Series {
        match self {
            Self::Text(values) => Series::new(name.into(), values),
            Self::Int(values) => Series::new(name.into(), values),
            Self::Real(values) => Series::new(name.into(), values),
        }
    }
}

/// Writes `columns`, all of one length and each with a name of its own, to the Parquet file `path`: whole or not at all, mode 0600.
///
/// # Errors
/// `E-table-001` where the columns do not make a table (a bug of ours); `E-file-001` and `E-file-002` as [`AtomicFile`].
pub fn write_table(path: &Path, columns: &[(&str, Column)]) -> Result<()> {
    let broken = |e: &dyn std::fmt::Display| {
        Problem::new("E-table-001", Blame::Us, format!("the columns make no table: {e}"), "report this as a bug").file(path)
    };
    let series = columns.iter().map(|(name, column)| column.series(name)).collect();
    let mut frame = DataFrame::new_infer_height(series).map_err(|e| broken(&e))?;
    let mut file = AtomicFile::create(path)?;
    let written = ParquetWriter::new(&mut file).with_compression(ParquetCompression::Snappy).finish(&mut frame);
    written.map_err(|e| match e {
        polars::error::PolarsError::IO { error, .. } => Problem::storage("E-file-002", path, "write", &error),
        other => broken(&other),
    })?;
    file.commit()
}
