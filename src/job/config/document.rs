//! From bytes to a TOML tree that knows its lines, with every fault of form told at once.

use crate::base::{Blame, Problem, Problems};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// The most bytes a configuration may have.
pub(super) const CAP: u64 = 1 << 20;

/// A parsed text. Where something in it could not be parsed, the rest is there.
pub(super) struct Document<'t> {
    /// The text, without a byte order mark.
    pub(super) text: &'t str,
    /// Its root.
    pub(super) root: DeTable<'t>,
    /// The offset of each line break.
    breaks: Vec<usize>,
}

impl<'t> Document<'t> {
    /// Parses `text`; the problems are those of form, without the file's name.
    pub(super) fn parse(text: &'t str) -> (Self, Vec<Problem>) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self { text, root: root.into_inner(), breaks: text.match_indices('\n').map(|(at, _)| at).collect() };
        // Each is looked up in the whole text, so no more of them than are told.
        let problems = errors.iter().take(Problems::CAP).map(|e| *document.fault(e)).collect();
        (document, problems)
    }

    /// The line of a byte offset, from 1.
    pub(super) fn line(&self, offset: usize) -> u64 {
        self.breaks.partition_point(|at| *at < offset) as u64 + 1
    }

    /// What the parser found, in our words.
    fn fault(&self, error: &toml::de::Error) -> Box<Problem> {
        let span = error.span().unwrap_or(0..0);
        let line = self.line(span.start);
        if error.message() == "duplicate key" {
            return self.duplicate(&span, line);
        }
        let remedy = "correct the TOML; a text stands in quotes, a table's name in brackets";
        Problem::new("E-config-013", Blame::Operator, format!("this is not TOML: {}", error.message()), remedy).line(line)
    }

    /// A key or a table that stands twice; a registry's table has an id of its own.
    fn duplicate(&self, span: &std::ops::Range<usize>, line: u64) -> Box<Problem> {
        let key = self.text.get(span.clone()).unwrap_or_default();
        let header = header(self.text.lines().nth(usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1)).unwrap_or_default());
        let (first, name) = match &header {
            Some(header) => {
                (self.text.lines().position(|l| self::header(l).as_ref() == Some(header)).map(|n| n as u64 + 1), header.as_str())
            }
            None => (key_before(&self.root, key.trim_matches(['"', '\'']), span.start).map(|at| self.line(at)), key),
        };
        let both = match first.filter(|first| *first != line) {
            Some(first) => format!("in line {first} and in line {line}"),
            None => format!("a second time in line {line}"),
        };
        let (id, what) = match name.strip_prefix("registries.") {
            Some(registry) if header.is_some() && !registry.contains('.') => {
                ("E-config-004", format!("the registry `{registry}` stands {both}"))
            }
            _ => ("E-config-002", format!("`{name}` stands {both}")),
        };
        Problem::new(id, Blame::Operator, what, "keep one of the two").line(line).field(name)
    }
}

/// What is wrong with the bytes of a configuration before they are TOML, or the text in them.
pub(super) fn text_of<'b>(path: &Path, bytes: &'b [u8]) -> Result<&'b str, Box<Problem>> {
    let problem = |what: String, remedy: &str| Problem::new("E-config-010", Blame::Operator, what, remedy).file(path);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let what = format!("the file is not UTF-8 at byte {}", e.valid_up_to());
        let line = bytes.get(..e.valid_up_to()).unwrap_or_default().split(|b| *b == b'\n').count() as u64;
        problem(what, "save it as UTF-8; a byte order mark and CRLF lines are accepted").line(line)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lone = text.match_indices('\r').find(|(at, _)| text.as_bytes().get(at + 1) != Some(&b'\n'));
    match lone {
        Some((at, _)) => Err(problem(
            format!("a carriage return without a line feed at byte {}", at + (bytes.len() - text.len())),
            "end lines with LF or CRLF; a byte order mark is accepted",
        )),
        None => Ok(text),
    }
}

/// The name in a table's header line, without blanks.
fn header(line: &str) -> Option<String> {
    let inside = line.split('#').next()?.trim().strip_prefix('[')?.strip_suffix(']')?;
    Some(inside.chars().filter(|c| !c.is_whitespace()).collect())
}

/// The last place before `end` where a key called `key` stands.
fn key_before(table: &DeTable<'_>, key: &str, end: usize) -> Option<usize> {
    let here = table.iter().filter(|(k, _)| k.get_ref() == key && k.span().start < end).map(|(k, _)| k.span().start);
    let below = table.iter().filter_map(|(_, value)| match value.get_ref() {
        DeValue::Table(inner) => key_before(inner, key, end),
        _ => None,
    });
    here.chain(below).max()
}
