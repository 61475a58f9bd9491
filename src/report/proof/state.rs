//! Each file of a folder: as it was signed, as a signed redaction says it is by now, or neither.

use super::folder::Found;
use super::statement::{RedactedFile, RunPredicate, Statement};
use super::verify::Redacted;
use crate::base::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A file that is not as it was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Deviation {
    /// Its path in the folder.
    pub file: String,
    /// What became of it.
    pub state: State,
    /// The same in words.
    pub what: String,
    /// What was signed: SHA-256 in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<String>,
    /// What stands there: SHA-256 in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// When a redaction of it was signed last, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted: Option<Timestamp>,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was altered or removed, and is as a signed redaction says.
    Redacted,
    /// It was altered.
    Altered,
    /// It is not there.
    Missing,
    /// It was never signed.
    Added,
    /// It cannot be read.
    Unreadable,
}

impl State {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redacted => "redacted",
            Self::Altered => "altered",
            Self::Missing => "missing",
            Self::Added => "added",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What a file should be by what was signed of it.
struct Expected<'a> {
    /// As the statement has it.
    signed: &'a str,
    /// As it should be by now: its digest, or nothing where it was removed.
    now: Option<&'a str>,
    /// The redaction that said so last: when and why.
    by: Option<(Timestamp, String)>,
    /// How many rows about people its redactions name.
    rows: usize,
    /// A redaction that is of something else than was signed.
    stray: Option<Timestamp>,
}

/// What each file of the folder should be, from a statement and the redactions that were signed besides. `redacted` is in the order of
/// their lines.
fn expected<'a>(statement: &'a Statement<RunPredicate>, redacted: &'a [Redacted], proved: u64) -> BTreeMap<&'a str, Expected<'a>> {
    let first = |signed: &'a str| Expected { signed, now: Some(signed), by: None, rows: 0, stray: None };
    let mut all: BTreeMap<&str, Expected<'_>> =
        statement.subject.iter().map(|subject| (subject.name.as_str(), first(&subject.digest.sha256))).collect();
    for one in redacted {
        let at = one.predicate.at;
        for RedactedFile { name, before, after, rows } in &one.predicate.files {
            let Some(file) = all.get_mut(name.as_str()) else { continue };
            if file.now == Some(before) {
                file.now = after.as_deref();
                file.by = Some((at, format!("{}: {}", one.predicate.reason.as_str(), one.predicate.ground)));
                file.rows += rows.len();
            } else if one.leaf_index > proved {
                // One of before the statement is of files that were written anew since.
                file.stray = Some(at);
            }
        }
    }
    all
}

/// The files that deviate, in the order of their names.
pub(super) fn fold(
    statement: &Statement<RunPredicate>,
    redacted: &[Redacted],
    proved: u64,
    mut found: BTreeMap<String, Found>,
) -> Vec<Deviation> {
    let mut out = Vec::new();
    for (name, file) in expected(statement, redacted, proved) {
        let there = found.remove(name);
        let seen = match &there {
            Some(Found::File(digest)) => Some(digest.clone()),
            _ => None,
        };
        let day = |at: Timestamp| at.strftime("%Y-%m-%d");
        let (state, what) = match (&there, file.now) {
            (Some(Found::Unreadable(why)), _) => (State::Unreadable, format!("it cannot be read: {why}")),
            (Some(Found::Strange), _) => (State::Altered, "in its place stands something that is no plain file".to_owned()),
            (Some(Found::File(digest)), Some(now)) if digest == now => match &file.by {
                None if file.stray.is_none() => continue,
                None => (State::Altered, "it is as signed, and a redaction says that it was something else".to_owned()),
                Some((at, why)) => {
                    (State::Redacted, format!("altered, with a signed redaction of {} ({why}){}", day(*at), of_rows(file.rows)))
                }
            },
            (None, None) => match &file.by {
                Some((at, why)) => (State::Redacted, format!("removed, with a signed redaction of {} ({why})", day(*at))),
                None => continue,
            },
            (Some(Found::File(_)), _) => (State::Altered, altered(file.by.as_ref().map(|(at, _)| *at), file.now.is_none())),
            (None, Some(_)) => (State::Missing, "it is not there".to_owned()),
        };
        let redacted = file.by.as_ref().map(|(at, _)| *at).or(file.stray);
        out.push(Deviation { file: name.to_owned(), state, what, signed: Some(file.signed.to_owned()), found: seen, redacted });
    }
    for (file, there) in found {
        let (found, what) = match there {
            Found::File(digest) => (Some(digest), "it was never signed"),
            Found::Strange => (None, "it was never signed, and is no plain file"),
            Found::Unreadable(_) => (None, "it was never signed, and cannot be read"),
        };
        out.push(Deviation { file, state: State::Added, what: what.to_owned(), signed: None, found, redacted: None });
    }
    out.sort_by(|a, b| a.file.cmp(&b.file));
    out
}

/// How many rows about people a redaction names, where it names any.
fn of_rows(count: usize) -> String {
    if count == 0 { String::new() } else { format!(", which names {count} rows about people") }
}

/// How a file is told that is neither as signed nor as redacted.
fn altered(redacted: Option<Timestamp>, removed: bool) -> String {
    let day = redacted.map(|at| at.strftime("%Y-%m-%d").to_string());
    match (day, removed) {
        (Some(day), true) => format!("it is there, and a signed redaction of {day} says that it was removed"),
        (Some(day), false) => format!("it is neither as signed nor as the redaction of {day} left it"),
        (None, _) => "it is not as it was signed".to_owned(),
    }
}
