//! Differences in parts: each of several machines compares some of the buckets, and what they found is put together again.

use super::output::{COLUMNS, DiffKind, Difference, Differences, Severity, Sheet};
use super::summary::DiffSummary;
use crate::base::{Blame, Exit, Problem, Result};
use crate::dataset::{Batch, ParquetFile};
use crate::model::ObjectKind;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Which of how many parts of the buckets: `2/8` is the second of eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Part {
    /// Its number, from 1.
    number: u32,
    /// How many there are.
    of: u32,
}

impl Part {
    /// All of it.
    pub const WHOLE: Self = Self { number: 1, of: 1 };
    /// The most parts: there are never more buckets.
    pub const MOST: u32 = 65_536;

    /// Whether a bucket belongs to it. The parts of one number have each bucket once, whatever cut into buckets it is.
    #[must_use]
    pub const fn covers(self, bucket: u32) -> bool {
        bucket % self.of == self.number - 1
    }

    /// How many parts there are.
    #[must_use]
    pub const fn of(self) -> u32 {
        self.of
    }
}

impl FromStr for Part {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        let fits = |(number, of): &(u32, u32)| (1..=Self::MOST).contains(of) && (1..=*of).contains(number);
        numbers.filter(fits).map(|(number, of)| Self { number, of }).ok_or("a part and how many there are, such as 2/8")
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// Puts the differences that parts left in `dirs` together into `differences.{csv,parquet}` of `out`: the bytes are those of a diff that was
/// not parted. How many objects were compared nobody tells it.
///
/// # Errors
/// `E-parquet-…` where a part cannot be read; `E-merge-001` (exit 32) where one holds what is no difference; `E-file-…`.
pub fn put_together(dirs: &[PathBuf], out: &Path) -> Result<DiffSummary> {
    let mut all = Differences::begin(out)?;
    for dir in dirs {
        let path = dir.join("differences.parquet");
        let file = ParquetFile::open(&path, &COLUMNS, false)?;
        for n in 0..file.batches() {
            let batch = file.batch(n)?;
            let mut sheet = Sheet::default();
            for row in 0..batch.rows() {
                sheet.push(read(&batch, row).ok_or_else(|| {
                    let what = "a row is no difference";
                    let remedy = "compare that part again";
                    Problem::new("E-merge-001", Blame::Input, what, remedy).file(&path).line(row as u64).exit(Exit::InputIncomplete)
                })?);
            }
            all.absorb(&sheet)?;
        }
    }
    all.finish(true)
}

/// A row as it was written.
fn read(batch: &Batch, row: usize) -> Option<Difference<'_>> {
    let [registry, object, id, field, local, remote, kind, severity] = std::array::from_fn(|column| batch.get(column, row));
    Some(Difference {
        registry: registry?,
        object: ObjectKind::ALL.into_iter().find(|one| Some(one.as_str()) == object)?,
        id: id?,
        field: field.unwrap_or_default(),
        local,
        remote,
        kind: DiffKind::ALL.into_iter().find(|one| Some(one.as_str()) == kind)?,
        severity: [Severity::Material, Severity::Cosmetic].into_iter().find(|one| Some(one.as_str()) == severity)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_part_is_told() {
        for text in ["", "1", "0/1", "2/1", "1/0", "1/65537", "-1/2", "1/2/3", "a/b"] {
            assert!(text.parse::<Part>().is_err(), "{text}");
        }
        assert_eq!("1/1".parse(), Ok(Part::WHOLE));
        assert_eq!("65536/65536".parse::<Part>().map(|part| part.to_string()), Ok("65536/65536".to_owned()));
    }

    proptest! {
        #[test]
        fn each_bucket_is_of_one_part(of in 1..100_u32, bucket: u32) {
            let covers = |number: &u32| format!("{number}/{of}").parse::<Part>().unwrap().covers(bucket);
            prop_assert_eq!((1..=of).filter(covers).count(), 1);
        }
    }
}
