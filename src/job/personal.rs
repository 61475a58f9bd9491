//! The tables of a run that hold values of people in clear, object by object: each object's rows are committed to when the run is proved.

use super::commitments::{Owners, commit_to};
use crate::base::{Blame, Entropy, Exit, Problem, Result, Timestamp};
use crate::model::ObjectKind;
use crate::report::proof::{RowCommitments, RowsWriter};
use crate::store::{Batch, Store};
use csv::StringRecord;
use std::path::Path;

/// Salts that are kept in one commit, some 10 MiB of them.
const BATCH: usize = 1 << 16;
/// Rows about one object that are taken together: an object has fewer fields. More of them are another group.
const MOST: usize = 1_000;

/// A table with values of people in clear. Its first three columns are registry, object and id, and rows about one object stand together.
pub(super) struct Personal {
    /// Its name, without the ending.
    pub(super) name: &'static str,
    /// Its columns; a file of that name with others is another table.
    pub(super) columns: &'static [&'static str],
    /// Which of them hold values.
    pub(super) values: &'static [usize],
}

/// Every such table.
pub(super) const PERSONAL: [Personal; 2] = [
    Personal {
        name: "differences",
        columns: &["registry", "object", "id", "field", "local", "remote", "kind", "severity"],
        values: &[4, 5],
    },
    Personal { name: "local-updates", columns: &["registry", "object", "id", "field", "value"], values: &[4] },
];

/// The rows of a table about one object.
pub(super) struct Group {
    pub(super) rows: Vec<StringRecord>,
}

impl Group {
    /// The registry, the kind and the id of the object; nothing where they are none.
    pub(super) fn object(&self) -> Option<(&str, ObjectKind, &str)> {
        self.rows.first().and_then(object_of)
    }

    /// What is committed to: the table, then the cells of its rows; an empty one is absent.
    pub(super) fn fields<'g>(&'g self, table: &'g str) -> Vec<Option<&'g str>> {
        let cells = self.rows.iter().flat_map(StringRecord::iter).map(|cell| Some(cell).filter(|cell| !cell.is_empty()));
        [Some(table)].into_iter().chain(cells).collect()
    }
}

/// The object that a row is about.
fn object_of(row: &StringRecord) -> Option<(&str, ObjectKind, &str)> {
    let kind = ObjectKind::ALL.into_iter().find(|kind| row.get(1) == Some(kind.as_str()))?;
    Some((row.get(0)?, kind, row.get(2)?))
}

impl Personal {
    /// Hands over the rows of the file `path`, object by object; nothing where there is no such file, or it is another table. Whether
    /// there is.
    ///
    /// # Errors
    /// `E-proof-016` (exit 33) where it cannot be read; what `each` returns.
    pub(super) fn each(&self, path: &Path, each: &mut dyn FnMut(Group) -> Result<()>) -> Result<bool> {
        if !path.exists() {
            return Ok(false);
        }
        // An error of this reader may quote the row, so its words are not passed on.
        let broken = |e: csv::Error| {
            let line = e.position().map_or(0, csv::Position::line);
            let remedy = "see with `privet verify` whether it is as the run left it";
            let problem = Problem::new("E-proof-016", Blame::Operator, "the table cannot be read", remedy);
            problem.file(path).line(line).exit(Exit::Storage)
        };
        let mut rows = csv::Reader::from_path(path).map_err(broken)?;
        if !rows.headers().map_err(broken)?.iter().eq(self.columns.iter().copied()) {
            return Ok(false);
        }
        let mut group = Group { rows: Vec::new() };
        let mut row = StringRecord::new();
        while rows.read_record(&mut row).map_err(broken)? {
            let is_same = |first: &StringRecord| (0..3).all(|n| first.get(n) == row.get(n));
            if group.rows.first().is_some_and(|first| !is_same(first)) || group.rows.len() >= MOST {
                each(std::mem::replace(&mut group, Group { rows: Vec::new() }))?;
            }
            group.rows.push(row.clone());
        }
        if !group.rows.is_empty() {
            each(group)?;
        }
        Ok(true)
    }
}

/// Commits to the rows about people in the folder `dir` of a run that began at `at`: the commitments stand in `commitments.csv` there, and
/// their salts in `store`. What is to be stated of them. Memory holds neither the table nor the salts.
///
/// # Errors
/// As [`Personal::each`]; `E-entropy-001`; `E-store-006` and `E-file-…` (exit 33).
pub(super) fn commit_rows(store: &mut dyn Store, dir: &Path, at: Timestamp, entropy: &mut dyn Entropy) -> Result<Vec<RowCommitments>> {
    let mut writer = RowsWriter::new(dir);
    let at = began(dir).unwrap_or(at);
    let mut owners = None;
    for table in &PERSONAL {
        let mut batch = Batch::default();
        table.each(&dir.join(table.name).with_extension("csv"), &mut |group| {
            let Some((registry, kind, id)) = group.object() else { return Ok(()) };
            let owners: &Owners = match &mut owners {
                Some(owners) => owners,
                None => owners.insert(Owners::open(store, entropy)?),
            };
            let owner = owners.of(registry, kind, id);
            for commitment in commit_to(&owner, &[&group.fields(table.name)], at, &mut batch, entropy)? {
                writer.add(table.name, commitment)?;
            }
            if batch.cells.len() >= BATCH {
                store.commit(&std::mem::take(&mut batch))?;
            }
            Ok(())
        })?;
        if !batch.is_empty() {
            store.commit(&batch)?;
        }
    }
    writer.finish()
}

/// The second in which a run began, by the name of its folder.
pub(super) fn began(run: &Path) -> Option<Timestamp> {
    let time = run.file_name()?.to_str()?.get(..16)?;
    jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", time).ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp())
}
