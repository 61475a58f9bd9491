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

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::{AnyValue, ParquetReader, SerReader as _};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_written_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        let text = Column::Text(vec![Some("=1".to_owned()), None]);
        write_table(&path, &[("a", text), ("b", Column::Int(vec![None, Some(-7)])), ("c", Column::Real(vec![Some(0.5), None]))]).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let frame = ParquetReader::new(file).finish().unwrap();
        assert_eq!(frame.get(0).unwrap(), [AnyValue::String("=1"), AnyValue::Null, AnyValue::Float64(0.5)]);
        assert_eq!(frame.get(1).unwrap(), [AnyValue::Null, AnyValue::Int64(-7), AnyValue::Null]);
    }

    #[test]
    fn a_table_without_rows_keeps_its_columns() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        write_table(&path, &[("a", Column::Text(vec![]))]).unwrap();
        let frame = ParquetReader::new(std::fs::File::open(&path).unwrap()).finish().unwrap();
        assert_eq!((frame.height(), frame.width()), (0, 1));
    }

    #[test]
    fn columns_of_two_lengths_are_no_table() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        let problem = write_table(&path, &[("a", Column::Int(vec![])), ("b", Column::Int(vec![Some(1)]))]).unwrap_err();
        assert_eq!(problem.id, "E-table-001");
        assert!(!path.exists());
    }
}
