//! CSV in, one record at a time. A guard under the parser finds what would make it misread: bytes that are no UTF-8, and quotes left open.

use super::source::{At, Layout, Sink};
use crate::base::{Blame, Exit, Problem, Problems};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The most lines a quoted field may go over: more mean that the quote was never closed.
const QUOTED_LINES: u64 = 50;

/// Reads the CSV at `path`.
pub(super) fn read(path: &Path, delimiter: u8, layout: &Layout<'_>, problems: &mut Problems, sink: &mut Sink<'_>) {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) => {
            let remedy = "check the path, its owner and its mode";
            problems.push(Problem::new("E-file-005", Blame::Operator, format!("cannot read: {e}"), remedy).file(path));
            return;
        }
    };
    let path = layout.shown(path);
    let fault = Arc::new(Mutex::new(None));
    let guard = Guard::new(BufReader::with_capacity(256 * 1024, file), delimiter, Arc::clone(&fault));
    let mut reader = ::csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(guard);
    let mut record = ::csv::StringRecord::new();
    let mut positions: Option<Vec<Option<usize>>> = None;
    let mut width = 0;
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(e) => {
                let kept = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
                let line = layout.line(e.position());
                problems.push(kept.map_or_else(|| unreadable(path, line, &e), |fault: Fault| fault.problem(path)));
                return;
            }
        }
        let line = layout.line(record.position());
        let Some(columns) = &positions else {
            width = record.len();
            let header: Vec<&str> = record.iter().map(|name| name.trim_start_matches('\u{feff}').trim()).collect();
            if let Some(problem) = other_separator(path, delimiter, &header) {
                problems.push(problem);
                return;
            }
            match layout.find(path, &header, problems) {
                Some(found) => positions = Some(found),
                None => return,
            }
            continue;
        };
        if record.len() != width {
            let what = format!("the row has {} fields, the header {width}", record.len());
            let remedy = "put values that hold the separator, a quote or an end of line in quotes";
            problems.push(Problem::new("E-csv-001", Blame::Input, what, remedy).file(path).line(line).exit(Exit::InputIncomplete));
            continue;
        }
        let value = |(n, at): (usize, &Option<usize>)| match at {
            Some(at) => record.get(*at).filter(|v| !v.is_empty()),
            None => layout.constant(n),
        };
        let row: Vec<Option<&str>> = columns.iter().enumerate().map(value).collect();
        sink(At { file: path, line }, &row, problems);
    }
    // A quote that is open at the end makes the parser end quietly.
    if let Some(fault) = fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
        problems.push(fault.problem(path));
    } else if positions.is_none() {
        problems.push(empty(path));
    }
}

/// A file without even a header: nothing may be concluded from it.
fn empty(path: &Path) -> Box<Problem> {
    let what = "the file is empty: 0 records, and nothing is compared with none";
    Problem::new("E-ingest-020", Blame::Input, what, "see why the export wrote nothing").file(path).exit(Exit::GateRefused)
}

fn unreadable(path: &Path, line: u64, error: &::csv::Error) -> Box<Problem> {
    Problem::new("E-csv-002", Blame::Input, format!("cannot read on: {error}"), "write the file again").file(path).line(line)
}

/// The separator that the header looks like it uses, where that is not the one that is set.
fn other_separator(path: &Path, delimiter: u8, header: &[&str]) -> Option<Box<Problem>> {
    let [only] = header else { return None };
    let (found, shown) = [(b';', ";"), (b'\t', "\\t"), (b'|', "|"), (b',', ",")]
        .into_iter()
        .filter(|(other, _)| *other != delimiter)
        .max_by_key(|(other, _)| only.matches(char::from(*other)).count())?;
    only.bytes().any(|b| b == found).then(|| {
        let what = format!("the header has one column; the separator looks like `{shown}`");
        Problem::new("E-csv-003", Blame::Input, what, format!("set delimiter = \"{shown}\"")).file(path).line(1)
    })
}

/// What the guard found.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// A byte that is no UTF-8 or NUL: its offset in the file, its line, its value.
    Byte { offset: u64, line: u64, byte: u8 },
    /// A quote that was never closed: the line it stands in.
    Quote { line: u64 },
}

impl Fault {
    fn problem(self, path: &Path) -> Box<Problem> {
        let (id, line, what, remedy) = match self {
            Self::Byte { offset, line, byte: 0 } => {
                let remedy = "export as UTF-8: UTF-16 and binary files look like this";
                ("E-csv-005", line, format!("byte {offset} is NUL, which no text holds"), remedy)
            }
            Self::Byte { offset, line, byte } => {
                let what =
                    format!("byte {offset} (0x{byte:02x}) is not UTF-8; it looks like Latin-1 or Windows-1252, and is not guessed at");
                ("E-csv-004", line, what, "export as UTF-8")
            }
            Self::Quote { line } => {
                let what = format!("a quote opens here and is not closed within {QUOTED_LINES} lines or at all");
                ("E-csv-006", line, what, "close it, or write a quote inside a value twice")
            }
        };
        Problem::new(id, Blame::Input, what, remedy).file(path).line(line).exit(Exit::InputIncomplete)
    }
}

/// Passes bytes on while they are UTF-8 without NUL and no quote stays open.
struct Guard<R> {
    input: R,
    delimiter: u8,
    fault: Arc<Mutex<Option<Fault>>>,
    /// Bytes passed on.
    offset: u64,
    /// The line of the next byte, from 1.
    line: u64,
    /// Bytes of the last character that the next read continues, at most 3.
    partial: Vec<u8>,
    quotes: Quotes,
}

/// Where the guard stands between quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// A field begins.
    Start,
    /// Inside a field without quotes.
    Plain,
    /// Inside quotes that opened in that line.
    Open(u64),
    /// After a quote inside quotes that opened in that line: the end, or the first of two.
    Maybe(u64),
}

impl<R: Read> Guard<R> {
    fn new(input: R, delimiter: u8, fault: Arc<Mutex<Option<Fault>>>) -> Self {
        Self { input, delimiter, fault, offset: 0, line: 1, partial: Vec::new(), quotes: Quotes::Start }
    }

    fn fail(&self, found: Fault) -> io::Error {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        io::Error::from(io::ErrorKind::InvalidData)
    }

    /// Follows quotes and lines over `bytes`.
    fn follow(&mut self, bytes: &[u8]) -> io::Result<()> {
        for (n, byte) in bytes.iter().enumerate() {
            if *byte == 0 {
                return Err(self.fail(Fault::Byte { offset: self.offset + n as u64, line: self.line, byte: 0 }));
            }
            let ends = *byte == self.delimiter || *byte == b'\n' || *byte == b'\r';
            self.quotes = match (self.quotes, *byte) {
                (Quotes::Start, b'"') => Quotes::Open(self.line),
                (Quotes::Open(line), b'"') => Quotes::Maybe(line),
                (Quotes::Open(line), b'\n') if self.line - line >= QUOTED_LINES => return Err(self.fail(Fault::Quote { line })),
                (Quotes::Maybe(line), b'"') | (Quotes::Open(line), _) => Quotes::Open(line),
                (_, _) if ends => Quotes::Start,
                // A byte order mark stands before the first field, not in it.
                (Quotes::Start, 0xef | 0xbb | 0xbf) if self.line == 1 && self.offset + (n as u64) < 3 => Quotes::Start,
                _ => Quotes::Plain,
            };
            self.line += u64::from(*byte == b'\n');
        }
        Ok(())
    }

    /// Checks that `bytes` continue what was read so far as UTF-8.
    fn utf8(&mut self, bytes: &[u8]) -> io::Result<()> {
        let before = self.partial.len() as u64;
        let joined;
        let text = if self.partial.is_empty() {
            bytes
        } else {
            joined = [self.partial.as_slice(), bytes].concat();
            joined.as_slice()
        };
        match std::str::from_utf8(text) {
            Ok(_) => self.partial.clear(),
            Err(e) => {
                let (good, rest) = text.split_at_checked(e.valid_up_to()).unwrap_or((text, &[]));
                if e.error_len().is_some() || bytes.is_empty() {
                    // What stands before may be wrong in another way: a NUL in UTF-16, say.
                    let before_it = good.len().saturating_sub(self.partial.len());
                    self.follow(bytes.get(..before_it).unwrap_or_default())?;
                    let offset = self.offset + good.len() as u64 - before;
                    let byte = rest.first().copied().unwrap_or_default();
                    return Err(self.fail(Fault::Byte { offset, line: self.line, byte }));
                }
                self.partial = rest.to_vec();
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        let bytes = out.get(..read).unwrap_or_default();
        if read == 0 && !out.is_empty() {
            if !self.partial.is_empty() {
                self.utf8(&[])?;
            }
            if let Quotes::Open(line) = self.quotes {
                return Err(self.fail(Fault::Quote { line }));
            }
        }
        self.utf8(bytes)?;
        self.follow(bytes)?;
        self.offset += read as u64;
        Ok(read)
    }
}
