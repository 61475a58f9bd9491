//! Files of local records, in any of three formats, as a stream of rows in our columns.

use super::{csv, ndjson, parquet};
use crate::base::{Blame, Exit, Problem, Problems};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How a file of local records is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values (RFC 4180) in UTF-8 with a header.
    Csv,
    /// One JSON object a line.
    NdJson,
    /// Apache Parquet with string columns.
    Parquet,
}

impl Format {
    /// The format a file's name tells.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "txt" => Some(Self::Csv),
            "ndjson" | "jsonl" => Some(Self::NdJson),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// A query of the operator's own, whose rows are a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// One statement that gives rows.
    pub sql: String,
    /// The line at which it stands in the configuration, from 1.
    pub line: Option<u64>,
}

/// Where one table of local records comes from: files, or a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The files, read in this order; of a query the one that its rows were written into, and none until then.
    pub files: Vec<PathBuf>,
    /// The query, where the table comes from one.
    pub query: Option<Query>,
    /// The setting by which problems and reports name the rows of a query, or of another source whose files are ours and go with the run.
    pub setting: Option<String>,
    /// Their format, where the names do not tell.
    pub format: Option<Format>,
    /// The separator of CSV.
    pub delimiter: u8,
    /// Our column → theirs, where the names differ.
    pub columns: BTreeMap<String, String>,
    /// Our column → the value every row has, for columns that the files lack.
    pub constants: BTreeMap<String, String>,
}

impl Source {
    /// CSV files with our own column names, separated by commas.
    #[must_use]
    pub const fn of(files: Vec<PathBuf>) -> Self {
        Self { files, query: None, setting: None, format: None, delimiter: b',', columns: BTreeMap::new(), constants: BTreeMap::new() }
    }

    /// The same, its rows being in `file`, as CSV with commas.
    #[must_use]
    pub fn written(&self, file: PathBuf) -> Self {
        Self { files: vec![file], format: Some(Format::Csv), delimiter: b',', ..self.clone() }
    }

    /// What problems and reports call each file: one of ours by its setting.
    #[must_use]
    pub fn names(&self) -> Vec<PathBuf> {
        self.setting.as_ref().map_or_else(|| self.files.clone(), |setting| vec![PathBuf::from(setting)])
    }

    /// Their name of our column.
    fn theirs<'a>(&'a self, ours: &'a str) -> &'a str {
        self.columns.get(ours).map_or(ours, String::as_str)
    }
}

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::dataset) struct At<'a> {
    /// The file, or the setting of a query.
    pub(in crate::dataset) file: &'a Path,
    /// The line of a text, the row of a table or of a query, from 1.
    pub(in crate::dataset) line: u64,
}

/// Takes one row: where it stands, and its values in the order of the wanted columns.
pub(in crate::dataset) type Sink<'s> = dyn FnMut(At<'_>, &[Option<&str>], &mut Problems) + 's;

/// How our columns are found in one file.
pub(in crate::dataset) struct Layout<'a> {
    source: &'a Source,
    /// Our columns.
    pub(super) wanted: &'a [&'a str],
}

impl<'a> Layout<'a> {
    /// Reads every file of `source` into `sink`, which gets the columns `wanted`. A file's problems are collected; what is wrong with
    /// a whole file ends that file alone.
    pub(in crate::dataset) fn read(source: &'a Source, wanted: &'a [&'a str], problems: &mut Problems, sink: &mut Sink<'_>) {
        let layout = Self { source, wanted };
        for (what, names) in [("columns", source.columns.keys()), ("constants", source.constants.keys())] {
            for unknown in names.filter(|name| !wanted.contains(&name.as_str())) {
                let what = format!("`{what}` names `{unknown}`, which is no column of this table");
                problems.push(Problem::new("E-ingest-001", Blame::Operator, what, nearest(unknown, wanted)).field(unknown));
            }
        }
        if let Some(setting) = source.setting.as_ref().filter(|_| source.files.is_empty()) {
            let what = "the query was not run before its rows were read";
            problems.push(Problem::new("E-ingest-009", Blame::Us, what, "please report this").field(setting.as_str()));
        }
        for path in &source.files {
            let Some(format) = source.format.or_else(|| Format::of(path)) else {
                let what = "the name does not tell whether this is CSV, NDJSON or Parquet";
                problems.push(Problem::new("E-ingest-002", Blame::Operator, what, "set `format`").file(path));
                continue;
            };
            match format {
                Format::Csv => csv::read(path, source.delimiter, &layout, problems, sink),
                Format::NdJson => ndjson::read(path, &layout, problems, sink),
                Format::Parquet => parquet::read(path, &layout, problems, sink),
            }
        }
    }

    /// Finds the wanted columns in a file's `header`: a position for each, or nothing for a constant. All that is wrong is told.
    pub(super) fn find(&self, path: &Path, header: &[&str], problems: &mut Problems) -> Option<Vec<Option<usize>>> {
        let before = problems.kept().len() + problems.dropped();
        let is_query = self.source.setting.is_some();
        let mut wrong = |id: &str, field: &str, what: String, remedy: String| {
            let problem = Problem::new(id, Blame::Input, what, remedy).file(path).field(field).exit(Exit::InputIncomplete);
            // A query has names for its columns, and no line that they stand in.
            problems.push(if is_query { problem } else { problem.line(1) });
        };
        let theirs: Vec<&str> = self.wanted.iter().map(|ours| self.source.theirs(ours)).collect();
        for (n, name) in header.iter().enumerate() {
            if header.iter().take(n).any(|earlier| earlier == name) {
                wrong("E-ingest-003", name, format!("the column `{name}` stands there twice"), "remove one".to_owned());
            } else if !theirs.contains(name) {
                wrong("E-ingest-004", name, format!("the column `{name}` is unknown"), nearest(name, &theirs));
            }
        }
        let mut positions = Vec::with_capacity(theirs.len());
        for (ours, theirs) in self.wanted.iter().zip(&theirs) {
            let position = header.iter().position(|name| name == theirs);
            if position.is_none() && !self.source.constants.contains_key(*ours) {
                let what = format!("the column `{theirs}` is missing; there are: {}", header.join(", "));
                let remedy = format!("add it, map it (columns = {{ {ours} = \"…\" }}) or give one value for all (constants)");
                wrong("E-ingest-005", theirs, what, remedy);
            }
            positions.push(position);
        }
        (before == problems.kept().len() + problems.dropped()).then_some(positions)
    }

    /// What the file at `path` is called in problems.
    pub(super) fn shown<'p>(&self, path: &'p Path) -> &'p Path
    where
        'a: 'p,
    {
        self.source.setting.as_ref().map_or(path, Path::new)
    }

    /// Where a record of CSV stands: its line or, of a query, its row; the header is the record 0.
    pub(super) fn line(&self, at: Option<&::csv::Position>) -> u64 {
        at.map_or(0, |at| if self.source.setting.is_some() { at.record() } else { at.line() })
    }

    /// The constant of our column number `column`.
    pub(super) fn constant(&self, column: usize) -> Option<&str> {
        self.wanted.get(column).and_then(|ours| self.source.constants.get(*ours)).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// Their name of our column number `column`.
    pub(super) fn theirs(&self, column: usize) -> &str {
        self.wanted.get(column).map_or("", |ours| self.source.theirs(ours))
    }
}

/// A remedy that names the nearest of `known`, and all of them.
pub(super) fn nearest(name: &str, known: &[&str]) -> String {
    let near = known.iter().min_by_key(|k| strsim::damerau_levenshtein(k, name));
    let near = near.filter(|k| strsim::damerau_levenshtein(k, name) <= 3);
    let guess = near.map_or_else(String::new, |k| format!("did you mean `{k}`? "));
    format!("{guess}known: {}", known.join(", "))
}
