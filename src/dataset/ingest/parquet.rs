//! Parquet in, a batch at a time.

use super::source::{At, Layout, Sink};
use crate::base::Problems;
use crate::dataset::parquet::ParquetFile;
use std::path::Path;

/// Reads the Parquet file at `path`.
pub(super) fn read(path: &Path, layout: &Layout<'_>, problems: &mut Problems, sink: &mut Sink<'_>) {
    let names = match ParquetFile::column_names(path) {
        Ok(names) => names,
        Err(e) => return problems.push(e),
    };
    let header: Vec<&str> = names.iter().map(String::as_str).collect();
    let Some(positions) = layout.find(path, &header, problems) else { return };
    let theirs: Vec<&str> = positions.iter().enumerate().filter(|(_, p)| p.is_some()).map(|(n, _)| layout.theirs(n)).collect();
    let file = match ParquetFile::open(path, &theirs, false) {
        Ok(file) => file,
        Err(e) => return problems.push(e),
    };
    for n in 0..file.batches() {
        let batch = match file.batch(n) {
            Ok(batch) => batch,
            Err(e) => return problems.push(e),
        };
        for row in 0..batch.rows() {
            let mut there = 0..;
            let value = |(n, at): (usize, &Option<usize>)| match at {
                Some(_) => there.next().and_then(|column| batch.get(column, row)).filter(|v| !v.is_empty()),
                None => layout.constant(n),
            };
            let values: Vec<Option<&str>> = positions.iter().enumerate().map(value).collect();
            sink(At { file: path, line: (batch.first() + row + 1) as u64 }, &values, problems);
        }
    }
}
