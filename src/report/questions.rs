//! How the record's cells are known, by the sections of each authority's template: the articles that its questions are about.

use super::document::{Block, Folder};
use super::svg::{Bar, Bars, Picture};
use super::table::{Cell, Shape};
use super::tables::{int, text};
use super::verdict::{count, grouped};
use crate::base::Result;
use crate::compliance::processing::{Entry, Question, RecordPack, Row, Status};

/// A section of a template.
struct Part<'p> {
    authority: &'p str,
    /// The articles; nothing where the law asks for none.
    article: &'p str,
    /// Its questions, by the places of their fields; nothing where the record has none.
    questions: Vec<Option<usize>>,
}

/// Whether every row that is to answer a question does, with something that shows it. Where there is no such row, nothing is answered.
pub(super) fn is_answered(pack: &RecordPack, rows: &[Row], question: &Question) -> bool {
    let Some(id) = question.field.as_deref() else { return false };
    let mut cells = rows.iter().filter_map(|row| row.told(pack).find(|(field, _)| *field.id == *id)).peekable();
    cells.peek().is_some() && cells.all(|(_, cell)| cell.answers())
}

/// Every question of every list, with the field that answers it.
///
/// # Errors
/// As the writer of files.
pub(super) fn answers(folder: &mut Folder<'_>, pack: &RecordPack, rows: &[Row]) -> Result<Block> {
    let all = pack.questions.iter().flat_map(|list| list.questions.iter().map(move |question| (list, question)));
    folder.table(
        &ANSWERS,
        all.map(|(list, question)| {
            let is = is_answered(pack, rows, question);
            let cells = rows.iter().filter_map(|row| row.told(pack).find(|(field, _)| Some(&field.id) == question.field.as_ref()));
            let missing = cells.filter(|(_, cell)| !Entry::answers(cell)).count() as u64;
            let article = (!question.article.is_empty()).then(|| format!("Art. {}", question.article));
            vec![
                list.authority.to_uppercase().into(),
                u64::from(question.number).into(),
                article.into(),
                (&*question.ask).into(),
                question.field.as_deref().into(),
                if is { "yes" } else { "no" }.into(),
                missing.into(),
            ]
        }),
    )
}

/// A picture for each authority, and the table of all, with its files in `folder`.
///
/// # Errors
/// As the writer of files.
pub(super) fn blocks(folder: &mut Folder<'_>, pack: &RecordPack, rows: &[Row]) -> Result<Vec<Block>> {
    let parts = parts(pack);
    let mut blocks: Vec<Block> = Vec::new();
    if !rows.is_empty() {
        blocks.extend(pack.authorities().into_iter().map(|authority| Block::Chart(Picture::Bars(bars(authority, &parts, rows)))));
    }
    blocks.push(folder.table(
        &QUESTIONS,
        parts.iter().map(|part| {
            let told = [Cell::from(part.authority.to_uppercase()), part.title().into(), (part.questions.len() as u64).into()];
            told.into_iter().chain(part.cells(rows).map(Cell::from)).collect()
        }),
    )?);
    Ok(blocks)
}

/// The sections of every template, in the order of its questions.
fn parts(pack: &RecordPack) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for list in &pack.questions {
        for question in &list.questions {
            let authority = &*list.authority;
            // Of several articles the first is the one the question is about.
            let article = question.article.split(',').next().unwrap_or_default();
            let at = question.field.as_deref().and_then(|id| pack.place(id));
            match parts.iter_mut().find(|part| part.authority == authority && part.article == article) {
                Some(part) => part.questions.push(at),
                None => parts.push(Part { authority, article, questions: vec![at] }),
            }
        }
    }
    parts
}

impl Part<'_> {
    fn title(&self) -> String {
        if self.article.is_empty() { "asked by the template alone".to_owned() } else { format!("Art. {}", self.article) }
    }

    /// How many cells are known how, in the order of [`Status::ALL`]. What the record has no field for is missing.
    fn cells(&self, rows: &[Row]) -> [u64; Status::ALL.len()] {
        let known = |status: &Status| {
            let cells = rows.iter().flat_map(|row| self.questions.iter().map(|at| at.and_then(|at| row.cells.get(at))));
            cells.filter(|cell| cell.map_or(Status::Missing, |cell| cell.status) == *status).count() as u64
        };
        std::array::from_fn(|n| Status::ALL.get(n).map_or(0, known))
    }
}

fn bars(authority: &str, parts: &[Part<'_>], rows: &[Row]) -> Bars {
    let own: Vec<_> = parts.iter().filter(|part| part.authority == authority).map(|part| (part, part.cells(rows))).collect();
    let sum = |status: Status| {
        let at = Status::ALL.iter().position(|one| *one == status).unwrap_or_default();
        own.iter().filter_map(|(_, cells)| cells.get(at)).sum::<u64>()
    };
    let told: Vec<String> = Status::ALL.iter().map(|status| format!("{} {}", status.as_str(), grouped(sum(*status)))).collect();
    let missing = |cells: &[u64; Status::ALL.len()]| match cells.last().copied().unwrap_or_default() {
        0 => String::new(),
        n => format!(", {} missing", grouped(n)),
    };
    Bars {
        id: format!("questions-{authority}"),
        title: format!("How the cells that the {} asks for are known, by the article they are about", authority.to_uppercase()),
        desc: format!("{}.", told.join(", ")),
        series: Status::ALL.iter().map(|status| status.as_str()).collect(),
        rows: own
            .iter()
            .map(|(part, cells)| Bar {
                label: format!("{}: {}", part.title(), count(part.questions.len() as u64, "question", "questions")),
                parts: cells.map(|n| n as f64).to_vec(),
                note: format!("{}{}", count(cells.iter().sum(), "cell", "cells"), missing(cells)),
                mark: None,
            })
            .collect(),
        full: 0.0,
        ticks: Vec::new(),
        mark: None,
    }
}

const QUESTIONS: Shape = Shape {
    name: "record-questions",
    title: "How cells are known, by template and article",
    heads: &[
        text("authority", "Template"),
        text("article", "Article"),
        int("questions", "Questions"),
        int("observed", "Observed"),
        int("declared", "Declared"),
        int("computed", "Computed"),
        int("not_applicable", "Does not apply"),
        int("missing", "Missing"),
    ],
};

const ANSWERS: Shape = Shape {
    name: "record-answers",
    title: "Every question of every template",
    heads: &[
        text("authority", "Template"),
        int("number", "Number"),
        text("article", "Article"),
        text("question", "Question"),
        text("field", "Field"),
        text("answered", "Answered"),
        int("missing", "Rows that leave it open"),
    ],
};

/// The tables.
pub(super) const SHAPES: [&Shape; 2] = [&QUESTIONS, &ANSWERS];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::processing::{Evidence, Traffic, build};
    use std::collections::BTreeMap;

    #[test]
    fn every_question_is_counted_once_in_its_template() {
        let pack = RecordPack::embedded().unwrap();
        let traffic = Traffic { commands: [("domain:info".to_owned(), 1)].into(), ..Traffic::default() };
        let seen = Evidence { registry: "sidn".to_owned(), profile: "sidn".to_owned(), traffic, ..Evidence::default() };
        let rows = build(&pack, &seen, &BTreeMap::new(), "2026-11-22T02:00:00Z".parse().unwrap());
        let parts = parts(&pack);
        for authority in pack.authorities() {
            let asked = pack.questions.iter().find(|list| &*list.authority == authority).unwrap().questions.len();
            let own: Vec<_> = parts.iter().filter(|part| part.authority == authority).collect();
            assert_eq!(own.iter().map(|part| part.questions.len()).sum::<usize>(), asked, "{authority}");
            let cells: u64 = own.iter().flat_map(|part| part.cells(&rows)).sum();
            assert_eq!(cells, asked as u64 * rows.len() as u64, "{authority}");
            let chart = bars(authority, &parts, &rows);
            assert_eq!(chart.rows.len(), own.len());
            assert!(chart.rows.iter().any(|row| row.note.contains("missing")), "nothing was declared");
        }
        assert!(parts.iter().all(|part| part.cells(&[]).iter().sum::<u64>() == 0));
    }
}
