//! What supervisory authorities ask of a record: lists of questions as data, so that one without a field counts as unanswered.

use super::super::pack::{line_of, read, refused};
use crate::base::Result;
use crate::model::Confidence;
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// The embedded lists.
const EMBEDDED: &str = include_str!("../packs/questions.toml");

/// What an authority asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The authority, by its short name in small letters.
    pub authority: Box<str>,
    /// The template or guidance that the questions were read in.
    pub source: Box<str>,
    /// How sure we are of it.
    pub confidence: Confidence,
    /// The questions, in order.
    #[serde(rename = "question")]
    pub questions: Vec<Question>,
}

/// One question.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its number, from 1.
    pub number: u32,
    /// The articles that it is about; empty where only the template asks.
    pub article: Box<str>,
    /// The question, in our words.
    pub ask: Box<str>,
    /// The field that answers it; nothing where the record has none.
    pub field: Option<Box<str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(rename = "dated")]
    _dated: Date,
    list: Vec<List>,
}

/// The embedded lists.
///
/// # Errors
/// As [`parse`]: a test holds them to having none.
pub(super) fn embedded() -> Result<Vec<List>> {
    parse(EMBEDDED, Path::new("questions.toml (built in)"))
}

/// The lists that are the `text` of `file`.
///
/// # Errors
/// `E-pack-001` where it is no such file; `E-pack-006` where its version is another one, an authority stands there twice, or questions are
/// not numbered one after the other.
fn parse(text: &str, file: &Path) -> Result<Vec<List>> {
    let File { version, list, .. } = read(text, file)?;
    let wrong = |what: String, word: &str| {
        let problem = refused("E-pack-006", what, "see the lists that are built in", file);
        Err(match line_of(text, word) {
            Some(line) => problem.line(line),
            None => problem,
        })
    };
    if version != 1 {
        return wrong(format!("the lists have version {version}, known is 1"), "version");
    }
    let mut seen = BTreeSet::new();
    for one in &list {
        if !seen.insert(&one.authority) {
            return wrong("an authority stands there twice".to_owned(), &one.authority);
        }
        let counted = one.questions.iter().zip(1_u32..).all(|(question, n)| question.number == n);
        if !counted || one.questions.is_empty() {
            return wrong("its questions are not numbered from 1 on, one after the other".to_owned(), &one.authority);
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::processing::RecordPack;

    #[test]
    fn every_question_names_a_field_of_the_record_or_none() {
        let pack = RecordPack::embedded().unwrap();
        let asked: Vec<&Question> = pack.questions.iter().flat_map(|list| &list.questions).collect();
        assert!(asked.len() > 100);
        assert!(asked.iter().all(|one| one.field.as_deref().is_none_or(|field| pack.place(field).is_some())));
        assert!(asked.iter().any(|one| one.field.is_none()), "what the record does not answer is asked all the same");
    }

    #[test]
    fn lists_that_do_not_hold_together_are_refused() {
        let told = |from: &str, to: &str| {
            assert!(EMBEDDED.contains(from), "{from}");
            let problem = parse(&EMBEDDED.replacen(from, to, 1), Path::new("own.toml")).unwrap_err();
            (problem.id.clone(), problem.place.line)
        };
        assert_eq!(told("version = 1", "version = 2"), ("E-pack-006".to_owned(), Some(4)));
        assert_eq!(told("{ number = 2,", "{ number = 3,").0, "E-pack-006");
        assert_eq!(told("authority = \"dpc\"", "authority = \"cnil\"").0, "E-pack-006");
        assert_eq!(told("confidence = \"inferred\"", "sure = 1").0, "E-pack-001");
    }
}
