//! The record of processing activities as a report: page one says how much of it stands on evidence, and what authorities still ask for.

use super::chain::{self, ChainRun};
use super::declared;
use super::document::{Block, Document, Folder, Making, Mood, Section};
use super::linked::linked;
use super::sheet::Listed;
use super::since::{self, Earlier};
use super::svg::{Bar, Bars, Picture};
use super::table::{Cell, Shape, Table, pretty};
use super::tables::{int, text};
use super::verdict::{count, grouped};
use super::workbook::Grid;
use super::{questions, transfers};
use crate::base::Result;
use crate::compliance::processing::{Entry, Evidence, Field, RecordPack, Role, Row, Status};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How much of what an authority asks for is answered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Coverage {
    /// The authority, by its short name.
    pub authority: String,
    /// Questions of its template that bear on the record.
    pub asked: u64,
    /// Those that every row answers, with something that shows it.
    pub answered: u64,
    /// Those in per cent.
    pub percent: u64,
    /// The fields that some row leaves open.
    pub open: Vec<String>,
}

/// What `report record` comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct RecordSummary {
    /// The record pack: its id, its day and its digest.
    pub pack: String,
    /// Rows of the controller's record (Art. 30(1)).
    pub controller: u64,
    /// Rows of the processor's record (Art. 30(2)).
    pub processor: u64,
    /// Cells by how they are known.
    pub cells: BTreeMap<String, u64>,
    /// By authority, how much of its template is answered.
    pub coverage: Vec<Coverage>,
}

/// What a report of the record shows beside its rows.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// What the rows were made of, by registry.
    pub seen: &'a [Evidence],
    /// The last runs and their proofs, the oldest first.
    pub runs: &'a [ChainRun],
    /// The signed record before this one.
    pub earlier: &'a Earlier,
    /// What was declared, by field: it stands on a sheet to be filled in.
    pub declared: &'a BTreeMap<String, String>,
}

/// Writes the record of `rows` into `dir`, with what stands `beside` it; what it came to, and the files.
///
/// # Errors
/// As the writer of files.
pub fn write_record(
    dir: &Path,
    making: &Making,
    pack: &RecordPack,
    rows: &[Row],
    beside: Beside<'_>,
) -> Result<(RecordSummary, Vec<PathBuf>)> {
    let summary = summary(pack, rows);
    let mut folder = Folder::open(dir, making)?;
    let mut cells = folder.sheet(&RECORD)?;
    for row in rows {
        for (field, cell) in pack.fields.iter().zip(&row.cells) {
            cells.push(
                rank(cell.status),
                vec![
                    row.role.as_str().into(),
                    row.activity.as_str().into(),
                    row.registry.as_str().into(),
                    field.id.as_ref().into(),
                    field.title.as_ref().into(),
                    article(field),
                    cell.value.as_str().into(),
                    cell.status.as_str().into(),
                    (!cell.source.is_empty()).then_some(cell.source.as_str()).into(),
                    cell.observed_at.map(|at| at.to_string()).into(),
                ],
            )?;
        }
    }
    let mut sheets: Vec<Grid> = Vec::new();
    if let Block::Table(every_cell) = folder.end(cells)? {
        sheets.push(Grid::from(&every_cell));
    }
    sheets.extend(pack.authorities().into_iter().map(|authority| layout(pack, rows, authority)));
    sheets.push(declared::sheet(pack, beside.declared));
    folder.file("record.jsonld", &pretty(&linked(pack, making, rows)))?;
    let coverage = folder.table(
        &COVERAGE,
        summary.coverage.iter().map(|one| {
            vec![one.authority.to_uppercase().into(), one.asked.into(), one.answered.into(), one.percent.into(), one.open.join(", ").into()]
        }),
    )?;
    let known = folder.table(&KNOWN, summary.cells.iter().map(|(status, n)| vec![status.as_str().into(), (*n).into()]))?;
    let mut sections = vec![
        Section {
            id: "coverage",
            heading: "What authorities ask for".to_owned(),
            blocks: vec![
                Block::Note(
                    "A question is answered where every row has a value for it, and a source that shows it. The templates were read in copies, not at the authorities."
                        .to_owned(),
                ),
                Block::Chart(Picture::Bars(picture(&summary))),
                coverage,
            ],
        },
    ];
    let mut blocks = vec![known];
    blocks.extend(questions::blocks(&mut folder, pack, rows)?);
    sections.push(Section { id: "known", heading: "How cells are known".to_owned(), blocks });
    let day = making.at.to_zoned(TimeZone::UTC).date();
    sections.extend(transfers::sections(&mut folder, pack, rows, beside.seen, day)?);
    sections.push(since::section(&mut folder, pack, rows, beside.earlier)?);
    sections.push(chain::section(&mut folder, beside.runs)?);
    for (role, id, heading) in [
        (Role::Controller, "controller-record", "Record of the controller (Art. 30(1))"),
        (Role::Processor, "processor-record", "Record of the processor (Art. 30(2))"),
    ] {
        let own: Vec<&Row> = rows.iter().filter(|row| row.role == role).collect();
        let mut blocks = Vec::new();
        if own.is_empty() {
            blocks.push(Block::Note("No processing in this role was observed.".to_owned()));
        }
        for row in own {
            blocks.push(Block::Note(format!("`{}` at `{}`", row.activity, row.registry)));
            blocks.push(Block::Excerpt(shown(pack, row)));
        }
        sections.push(Section { id, heading: heading.to_owned(), blocks });
    }
    let of = |status: Status| summary.cells.get(status.as_str()).copied().unwrap_or_default();
    let all: u64 = summary.cells.values().sum();
    let missing = of(Status::Missing);
    let least = summary.coverage.iter().map(|one| one.percent).min().unwrap_or(100);
    let document = Document {
        name: "record",
        title: "record of processing activities".to_owned(),
        verdict: format!(
            "{} of {} cells observed, {} missing; every template is answered to {least} % or more.",
            grouped(of(Status::Observed)),
            grouped(all),
            grouped(missing)
        ),
        next: match missing {
            0 => (Mood::Good, "Look through the record, and sign it off.".to_owned()),
            _ => (Mood::Warn, "Cells that are missing say what would fill them; most are for `[controller]` in privet.toml.".to_owned()),
        },
        basis: vec![("Pack".to_owned(), format!("{} of {}, {}", pack.id, pack.dated, pack.digest.short()))],
        figures: vec![
            ("Rows, controller".to_owned(), grouped(summary.controller)),
            ("Rows, processor".to_owned(), grouped(summary.processor)),
            ("Cells observed, in per cent".to_owned(), (of(Status::Observed) * 100 / all.max(1)).to_string()),
            ("Cells missing".to_owned(), grouped(missing)),
        ],
        sections,
        holds: "This page holds counts of people, small ones masked, and no personal data but what the controller declared of itself."
            .to_owned(),
        sheets,
    };
    let files = folder.finish(&document)?;
    Ok((summary, files))
}

/// A row of the record as a table of the page.
fn shown(pack: &RecordPack, row: &Row) -> Listed {
    let rows = pack.fields.iter().zip(&row.cells).map(|(field, cell)| {
        vec![
            field.title.as_ref().into(),
            article(field),
            cell.value.as_str().into(),
            cell.status.as_str().into(),
            (!cell.source.is_empty()).then_some(cell.source.as_str()).into(),
        ]
    });
    Listed { table: Table { shape: &ROW, rows: rows.collect() }, more: 0 }
}

/// The rows as an authority's template asks: a column for each of its questions.
fn layout(pack: &RecordPack, rows: &[Row], authority: &str) -> Grid {
    let asked: Vec<(usize, &Field)> = pack.fields.iter().enumerate().filter(|(_, field)| field.asked.contains(authority)).collect();
    let heads = ["Record", "Registry"].map(str::to_owned).into_iter().chain(asked.iter().map(|(_, field)| field.title.to_string()));
    let told = |row: &Row, at: usize| -> Cell {
        row.cells
            .get(at)
            .map(|cell| match cell.status {
                // What would fill a cell is no answer.
                Status::Missing => format!("(missing) {}", cell.value),
                Status::NotApplicable => format!("(does not apply) {}", cell.value),
                Status::Observed | Status::Declared | Status::Computed => cell.value.clone(),
            })
            .into()
    };
    let line = |row: &Row| {
        let named = [Cell::from(row.role.as_str()), row.registry.as_str().into()];
        named.into_iter().chain(asked.iter().map(|(at, _)| told(row, *at))).collect()
    };
    let name = authority.to_uppercase();
    Grid {
        title: format!("The record by the questions of the {name}"),
        name,
        heads: heads.collect(),
        rows: rows.iter().map(line).collect(),
        more: 0,
        exact: false,
    }
}

fn article(field: &Field) -> Cell {
    if field.article.is_empty() { Cell::Empty } else { format!("Art. {}", field.article).into() }
}

/// What is missing is read first.
const fn rank(status: Status) -> u32 {
    match status {
        Status::Missing => 0,
        Status::Declared => 1,
        Status::NotApplicable => 2,
        Status::Computed => 3,
        Status::Observed => 4,
    }
}

fn summary(pack: &RecordPack, rows: &[Row]) -> RecordSummary {
    let of = |role: Role| rows.iter().filter(|row| row.role == role).count() as u64;
    let mut cells: BTreeMap<String, u64> = Status::ALL.iter().map(|status| (status.as_str().to_owned(), 0)).collect();
    for cell in rows.iter().flat_map(|row| &row.cells) {
        *cells.entry(cell.status.as_str().to_owned()).or_default() += 1;
    }
    // Where there is no row, nothing is answered.
    let is_answered = |at: usize| !rows.is_empty() && rows.iter().all(|row| row.cells.get(at).is_some_and(Entry::answers));
    let coverage = pack.authorities().into_iter().map(|authority| {
        let asked: Vec<(usize, &Field)> = pack.fields.iter().enumerate().filter(|(_, field)| field.asked.contains(authority)).collect();
        let open: Vec<String> = asked.iter().filter(|(at, _)| !is_answered(*at)).map(|(_, field)| field.id.to_string()).collect();
        let (n, answered) = (asked.len() as u64, (asked.len() - open.len()) as u64);
        Coverage { authority: authority.to_owned(), asked: n, answered, percent: answered * 100 / n.max(1), open }
    });
    RecordSummary {
        pack: format!("{} {} {}", pack.id, pack.dated, pack.digest),
        controller: of(Role::Controller),
        processor: of(Role::Processor),
        cells,
        coverage: coverage.collect(),
    }
}

fn picture(summary: &RecordSummary) -> Bars {
    let least = summary.coverage.iter().map(|one| one.percent).min().unwrap_or_default();
    Bars {
        id: "coverage-chart".to_owned(),
        title: "Questions of each authority's template, answered with something that shows it".to_owned(),
        desc: format!("Each is answered to {least} per cent or more."),
        series: vec!["answered", "open"],
        rows: summary
            .coverage
            .iter()
            .map(|one| Bar {
                label: one.authority.to_uppercase(),
                parts: vec![one.answered as f64, (one.asked - one.answered) as f64],
                note: format!("{} of {}", one.answered, count(one.asked, "question", "questions")),
                mark: None,
            })
            .collect(),
        full: 0.0,
        ticks: Vec::new(),
        mark: None,
    }
}

const RECORD: Shape = Shape {
    name: "record",
    title: "Every cell of the record",
    heads: &[
        text("record", "Record"),
        text("activity", "Activity"),
        text("registry", "Registry"),
        text("field", "Field"),
        text("title", "Title"),
        text("article", "Article"),
        text("value", "Value"),
        text("status", "Known by"),
        text("source", "Source"),
        text("observed_at", "Observed at"),
    ],
};

const ROW: Shape = Shape {
    name: "record-row",
    title: "A row of the record",
    heads: &[
        text("title", "Field"),
        text("article", "Article"),
        text("value", "Value"),
        text("status", "Known by"),
        text("source", "Source"),
    ],
};

const COVERAGE: Shape = Shape {
    name: "record-coverage",
    title: "Questions of authorities' templates",
    heads: &[
        text("authority", "Authority"),
        int("asked", "Asked"),
        int("answered", "Answered"),
        int("percent", "In per cent"),
        text("open", "Open"),
    ],
};

const KNOWN: Shape =
    Shape { name: "record-known", title: "Cells by how they are known", heads: &[text("status", "Known by"), int("cells", "Cells")] };

/// Every table of this report that is written to files.
pub(super) const SHAPES: [&Shape; 3] = [&RECORD, &COVERAGE, &KNOWN];
