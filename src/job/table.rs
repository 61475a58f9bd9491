//! Tables of the job's own verbs.

use crate::base::{AtomicFile, Problem, Result, create_private_dir};
use std::path::{Path, PathBuf};

/// A table of exact values, which is there as a whole or not at all.
pub(super) struct Table {
    path: PathBuf,
    writer: csv::Writer<AtomicFile>,
}

impl Table {
    /// A table of those columns that is to stand at `path`.
    pub(super) fn create(path: &Path, header: &[&str]) -> Result<Self> {
        create_private_dir(path.parent().unwrap_or(Path::new(".")))?;
        let mut table = Self { path: path.to_owned(), writer: csv::Writer::from_writer(AtomicFile::create(path)?) };
        table.row(header)?;
        Ok(table)
    }

    /// Adds a row.
    pub(super) fn row(&mut self, row: &[impl AsRef<str>]) -> Result<()> {
        let row = row.iter().map(AsRef::as_ref);
        self.writer.write_record(row.map(str::as_bytes)).map_err(|e| Problem::storage("E-file-002", &self.path, "write", &e.into()))
    }

    /// Puts it in place.
    pub(super) fn end(self) -> Result<()> {
        let Self { path, writer } = self;
        writer.into_inner().map_err(|e| Problem::storage("E-file-002", &path, "write", e.error()))?.commit()
    }
}
