//! NDJSON in: one object a line, its values strings, nulls or lists of strings.

use super::source::{At, Layout, Sink};
use crate::base::{Blame, Exit, Problem, Problems};
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

/// The most bytes of one line.
const MAX_LINE: u64 = 1 << 20;

/// A file's lines that hold anything. One that is longer than [`MAX_LINE`] is told and passed over.
pub(in crate::dataset) struct Lines<'p> {
    path: &'p Path,
    input: BufReader<File>,
    line: u64,
    bytes: Vec<u8>,
}

impl<'p> Lines<'p> {
    /// Opens the file at `path`; nothing where it cannot be read, and then there is a problem.
    pub(in crate::dataset) fn open(path: &'p Path, problems: &mut Problems) -> Option<Self> {
        match File::open(path) {
            Ok(file) => Some(Self { path, input: BufReader::with_capacity(256 * 1024, file), line: 0, bytes: Vec::new() }),
            Err(e) => {
                let remedy = "check the path, its owner and its mode";
                problems.push(Problem::new("E-file-005", Blame::Operator, format!("cannot read: {e}"), remedy).file(path));
                None
            }
        }
    }

    /// The next line without its end, and its number, from 1.
    pub(in crate::dataset) fn next(&mut self, problems: &mut Problems) -> Option<(u64, &[u8])> {
        loop {
            self.line += 1;
            match self.fill() {
                Ok(0) => return None,
                Ok(length) if length > MAX_LINE => {
                    let what = format!("the line is longer than {MAX_LINE} bytes");
                    problems.push(self.wrong("E-ndjson-001", what, "is this NDJSON at all?"));
                }
                Ok(_) if self.bytes.trim_ascii().is_empty() => {}
                Ok(_) => break,
                Err(e) => {
                    problems.push(self.wrong("E-ndjson-002", format!("cannot read on: {e}"), "check the disk"));
                    return None;
                }
            }
        }
        Some((self.line, self.bytes.trim_ascii_end()))
    }

    /// Takes a line into memory, no more of it than is allowed; how many bytes were taken.
    fn fill(&mut self) -> std::io::Result<u64> {
        self.bytes.clear();
        let length = self.input.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut self.bytes)? as u64;
        if length > MAX_LINE && self.bytes.last() != Some(&b'\n') {
            self.input.skip_until(b'\n')?;
        }
        Ok(length)
    }

    fn wrong(&self, id: &str, what: String, remedy: &str) -> Box<Problem> {
        wrong(self.path, (id, self.line), what, remedy)
    }
}

fn wrong(path: &Path, (id, line): (&str, u64), what: String, remedy: &str) -> Box<Problem> {
    Problem::new(id, Blame::Input, what, remedy).file(path).line(line).exit(Exit::InputIncomplete)
}

/// Reads the NDJSON at `path`.
pub(super) fn read(path: &Path, layout: &Layout<'_>, problems: &mut Problems, sink: &mut Sink<'_>) {
    let wrong = |id: &str, line: u64, what: String, remedy: &str| wrong(path, (id, line), what, remedy);
    let Some(mut lines) = Lines::open(path, problems) else { return };
    let mut known: Option<Vec<String>> = None;
    while let Some((line, bytes)) = lines.next(problems) {
        let object: Map<String, Value> = match serde_json::from_slice(bytes) {
            Ok(object) => object,
            Err(e) => {
                let kind = if e.is_eof() { "the object is not complete" } else { "this is no JSON object in UTF-8" };
                problems.push(wrong("E-ndjson-003", line, kind.to_owned(), "write one object a line").column(e.column() as u64));
                continue;
            }
        };
        // Every line may have other keys: each new set of them is looked at once.
        let keys: Vec<String> = object.keys().cloned().collect();
        if known.as_ref() != Some(&keys) {
            let mut header: Vec<&str> = keys.iter().map(String::as_str).collect();
            // A key that is left out is a null.
            for column in 0..layout.wanted.len() {
                let name = layout.theirs(column);
                if layout.constant(column).is_none() && !header.contains(&name) {
                    header.push(name);
                }
            }
            if layout.find(path, &header, problems).is_none() {
                return;
            }
            known = Some(keys);
        }
        let mut values: Vec<Option<String>> = Vec::with_capacity(layout.wanted.len());
        let mut good = true;
        for column in 0..layout.wanted.len() {
            let value = match object.get(layout.theirs(column)) {
                None => layout.constant(column).map(str::to_owned),
                Some(value) => text(value).unwrap_or_else(|found| {
                    good = false;
                    let what = format!("the value is {found}, wanted is a string, a list of strings or null");
                    problems.push(wrong("E-ndjson-004", line, what, "put it in quotes").field(layout.theirs(column)));
                    None
                }),
            };
            values.push(value.filter(|v| !v.is_empty()));
        }
        if good {
            let row: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
            sink(At { file: path, line }, &row, problems);
        }
    }
}

/// A value as text, or what it is instead.
fn text(value: &Value) -> Result<Option<String>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            items.map(|items| Some(items.join(";"))).ok_or("a list of other things than strings")
        }
        Value::Bool(_) => Err("true or false"),
        Value::Number(_) => Err("a number"),
        Value::Object(_) => Err("an object"),
    }
}
