//! The records as tables, each as CSV and as Parquet with the same rows.

use super::record::Record;
use crate::base::{AtomicFile, Blame, Exit, Problem, Result};
use crate::dataset::{Cell, ColumnType, SERVICES, TableWriter, columns, table_name};
use crate::model::ObjectKind;
use std::path::{Path, PathBuf};

/// The three tables of a registrar's records.
pub(super) struct Tables {
    contacts: Table,
    domains: Table,
    services: Table,
}

impl Tables {
    /// Opens the tables in `dir`.
    pub(super) fn create(dir: &Path) -> Result<Self> {
        let objects = |kind: ObjectKind| {
            let names: Vec<&str> = ["registry", "id"].into_iter().chain(columns(kind).iter().map(|c| c.name)).collect();
            Table::create(dir, table_name(kind), &names)
        };
        Ok(Self {
            contacts: objects(ObjectKind::Contact)?,
            domains: objects(ObjectKind::Domain)?,
            services: Table::create(dir, "services", &SERVICES)?,
        })
    }

    /// Adds a contact or a domain.
    pub(super) fn object(&mut self, kind: ObjectKind, registry: &str, record: &Record) -> Result<()> {
        let table = match kind {
            ObjectKind::Contact => &mut self.contacts,
            ObjectKind::Domain => &mut self.domains,
        };
        table.push([registry, record.id()].into_iter().chain(record.fields()))
    }

    /// Adds a service, in the order of [`SERVICES`].
    pub(super) fn service(&mut self, row: &[&str; SERVICES.len()]) -> Result<()> {
        self.services.push(row.iter().copied())
    }

    /// Puts all files in place; the numbers of contacts, domains and services.
    pub(super) fn finish(self) -> Result<(u64, u64, u64)> {
        Ok((self.contacts.finish()?, self.domains.finish()?, self.services.finish()?))
    }
}

/// One table in both formats.
struct Table {
    csv: CsvFile,
    parquet: TableWriter,
}

impl Table {
    fn create(dir: &Path, name: &str, columns: &[&str]) -> Result<Self> {
        let mut csv = CsvFile::create(&dir.join(format!("{name}.csv")))?;
        csv.push(columns.iter().copied())?;
        let columns: Vec<(&str, ColumnType)> = columns.iter().map(|c| (*c, ColumnType::Text)).collect();
        Ok(Self { csv, parquet: TableWriter::create(&dir.join(format!("{name}.parquet")), &columns)? })
    }

    fn push<'a>(&mut self, row: impl Iterator<Item = &'a str> + Clone) -> Result<()> {
        self.csv.push(row.clone())?;
        self.parquet.push(row.map(|value| Cell::Text((!value.is_empty()).then_some(value))))
    }

    fn finish(self) -> Result<u64> {
        self.csv.finish()?;
        self.parquet.finish()
    }
}

/// A CSV file that appears when it is whole.
pub(super) struct CsvFile {
    path: PathBuf,
    writer: csv::Writer<AtomicFile>,
}

impl CsvFile {
    /// Opens `path`.
    pub(super) fn create(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), writer: csv::Writer::from_writer(AtomicFile::create(path)?) })
    }

    /// Adds a row.
    pub(super) fn push<'a>(&mut self, row: impl IntoIterator<Item = &'a str>) -> Result<()> {
        self.writer.write_record(row).map_err(|e| unwritten(&self.path, &e.to_string()))
    }

    /// Puts the file in place.
    pub(super) fn finish(self) -> Result<()> {
        self.writer.into_inner().map_err(|e| unwritten(&self.path, &e.error().to_string()))?.commit()
    }
}

fn unwritten(path: &Path, why: &str) -> Box<Problem> {
    Problem::new("E-file-002", Blame::Operator, format!("cannot write: {why}"), "check free space").file(path).exit(Exit::Storage)
}
