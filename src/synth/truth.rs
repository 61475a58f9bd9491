//! The planted differences.
//!
//! Values are told as the rows of the two sides hold them, so those of a registry with its computed statuses and the time of day.

use super::tables::CsvFile;
use crate::base::Result;
use crate::model::ObjectKind;
use std::path::Path;

/// What kind of difference a row tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A field differs.
    Changed,
    /// The registry has the object, the records do not.
    MissingHere,
    /// The records have the object, the registry does not.
    MissingThere,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::MissingHere => "missing_here",
            Self::MissingThere => "missing_there",
        }
    }
}

/// A field whose local value differs from the registry's.
pub(super) struct Changed {
    /// The column.
    pub(super) field: &'static str,
    /// The expected value, as the records and the privacy services have it.
    pub(super) local: String,
    /// The registry's value.
    pub(super) remote: String,
}

/// One difference; ordered as the file is.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    object: &'static str,
    id: String,
    field: &'static str,
    local: String,
    remote: String,
    kind: Kind,
}

/// The file of differences. Those of one registry are kept until it is done, since they have to be sorted.
pub(super) struct Truth {
    file: CsvFile,
    rows: Vec<Row>,
    written: u64,
}

impl Truth {
    /// Opens the file at `path`.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let mut file = CsvFile::create(path)?;
        file.push(["registry", "object", "id", "field", "local", "remote", "kind"])?;
        Ok(Self { file, rows: Vec::new(), written: 0 })
    }

    /// An object that one side lacks.
    pub(super) fn missing(&mut self, object: ObjectKind, id: &str, kind: Kind) {
        let none = String::new;
        self.rows.push(Row { object: object.as_str(), id: id.to_owned(), field: "", local: none(), remote: none(), kind });
    }

    /// Fields of an object that differ.
    pub(super) fn changed(&mut self, object: ObjectKind, id: &str, fields: Vec<Changed>) {
        let row = |c: Changed| Row {
            object: object.as_str(),
            id: id.to_owned(),
            field: c.field,
            local: c.local,
            remote: c.remote,
            kind: Kind::Changed,
        };
        self.rows.extend(fields.into_iter().map(row));
    }

    /// Writes the rows of `registry`, sorted; how many there were.
    pub(super) fn end_of(&mut self, registry: &str) -> Result<u64> {
        self.rows.sort_unstable();
        let rows = self.rows.len() as u64;
        for row in self.rows.drain(..) {
            self.file.push([registry, row.object, &row.id, row.field, &row.local, &row.remote, row.kind.as_str()])?;
        }
        self.written += rows;
        Ok(rows)
    }

    /// Puts the file in place; how many differences there are.
    pub(super) fn finish(self) -> Result<u64> {
        self.file.finish()?;
        Ok(self.written)
    }
}
