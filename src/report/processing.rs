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
use super::{contradiction, questions, transfers};
use crate::base::Result;
use crate::compliance::processing::{Evidence, Field, List, RecordFinding, RecordPack, Role, Row, Status};
use crate::model::FindingSeverity;
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
    /// Where the list of questions was read.
    pub source: String,
    /// What is open: the fields that some row leaves so, and the numbers of questions that the record has no field for.
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
    /// What contradicts what was observed, or the law, by rule.
    pub findings: BTreeMap<String, u64>,
    /// How many of these are errors.
    pub errors: u64,
    /// Whether it may be published: no transfer rests on a mechanism that is none, unless a reason overrides that.
    pub publishable: bool,
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
    /// What contradicts what.
    pub findings: &'a [RecordFinding],
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
    let summary = summary(pack, rows, beside.findings);
    let day = making.at.to_zoned(TimeZone::UTC).date();
    let mut folder = Folder::open(dir, making)?;
    let mut cells = folder.sheet(&RECORD)?;
    for row in rows {
        for (field, cell) in row.told(pack) {
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
    sheets.extend(pack.questions.iter().map(|list| layout(pack, rows, list)));
    sheets.push(declared::sheet(pack, beside.declared));
    folder.file("record.jsonld", &pretty(&linked(pack, making, rows)))?;
    let coverage = folder.table(
        &COVERAGE,
        summary.coverage.iter().map(|one| {
            let words = [one.open.join(", "), one.source.clone()].map(Cell::from);
            [one.authority.to_uppercase().into(), one.asked.into(), one.answered.into(), one.percent.into()]
                .into_iter()
                .chain(words)
                .collect()
        }),
    )?;
    let answers = questions::answers(&mut folder, pack, rows)?;
    let known = folder.table(&KNOWN, summary.cells.iter().map(|(status, n)| vec![status.as_str().into(), (*n).into()]))?;
    let found = contradiction::section(&mut folder, beside.findings)?;
    let mut sections = vec![
        found,
        Section {
            id: "coverage",
            heading: "What authorities ask for".to_owned(),
            blocks: vec![
                Block::Note(
                    "A question is answered where every row has a value for it, and a source that shows it; one that the record has no field for is open. The lists were set down without the authorities' own files at hand."
                        .to_owned(),
                ),
                Block::Chart(Picture::Bars(picture(&summary))),
                coverage,
                answers,
            ],
        },
    ];
    let mut blocks = vec![known];
    blocks.extend(questions::blocks(&mut folder, pack, rows)?);
    sections.push(Section { id: "known", heading: "How cells are known".to_owned(), blocks });
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
            "{} of {} cells observed, {} missing; every template is answered to {least} % or more; {}.",
            grouped(of(Status::Observed)),
            grouped(all),
            grouped(missing),
            count(beside.findings.len() as u64, "thing contradicts", "things contradict")
        ),
        next: next(&summary, contradiction::stand(pack, beside.findings, day), missing),
        basis: vec![("Pack".to_owned(), format!("{} of {}, {}", pack.id, pack.dated, pack.digest.short()))],
        figures: vec![
            ("Rows, controller".to_owned(), grouped(summary.controller)),
            ("Rows, processor".to_owned(), grouped(summary.processor)),
            ("Cells observed, in per cent".to_owned(), (of(Status::Observed) * 100 / all.max(1)).to_string()),
            ("Cells missing".to_owned(), grouped(missing)),
            ("Contradictions".to_owned(), grouped(beside.findings.len() as u64)),
            ("Errors among them".to_owned(), grouped(summary.errors)),
            ("May be published".to_owned(), if summary.publishable { "yes" } else { "no" }.to_owned()),
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
    let rows = row.told(pack).map(|(field, cell)| {
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

/// What is to be done first: what keeps the record from being published, then what contradicts, then what is missing.
fn next(summary: &RecordSummary, stand: contradiction::Stand, missing: u64) -> (Mood, String) {
    match (stand.void, stand.overridden, summary.errors, missing) {
        (Some(told), ..) => (Mood::Bad, told),
        (None, Some(told), ..) => (Mood::Warn, told),
        (None, None, 1.., _) => (Mood::Bad, "See to the errors among the contradictions before anybody signs this.".to_owned()),
        (None, None, 0, 0) => (Mood::Good, "Look through the record, and sign it off.".to_owned()),
        _ => (Mood::Warn, "Cells that are missing say what would fill them; most are for `[controller]` in privet.toml.".to_owned()),
    }
}

/// The rows as an authority's template asks: a column for each of its questions.
fn layout(pack: &RecordPack, rows: &[Row], list: &List) -> Grid {
    let asked: Vec<Option<usize>> = list.questions.iter().map(|question| question.field.as_deref().and_then(|id| pack.place(id))).collect();
    let heads = list.questions.iter().map(|question| format!("{}. {}", question.number, question.ask));
    let told = |row: &Row, at: Option<usize>| -> Cell {
        let Some((field, cell)) = at.and_then(|at| pack.fields.get(at).zip(row.cells.get(at))) else {
            return "(no field answers this)".into();
        };
        if !field.is_of(row.role) {
            return "(not asked of this record)".into();
        }
        match cell.status {
            // What would fill a cell is no answer.
            Status::Missing => format!("(missing) {}", cell.value),
            Status::NotApplicable => format!("(does not apply) {}", cell.value),
            Status::Observed | Status::Declared | Status::Computed => cell.value.clone(),
        }
        .into()
    };
    let line = |row: &Row| {
        let named = [Cell::from(row.role.as_str()), row.registry.as_str().into()];
        named.into_iter().chain(asked.iter().map(|at| told(row, *at))).collect()
    };
    let name = list.authority.to_uppercase();
    Grid {
        title: format!("The record by the questions of the {name}"),
        name,
        heads: ["Record", "Registry"].map(str::to_owned).into_iter().chain(heads).collect(),
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

fn summary(pack: &RecordPack, rows: &[Row], found: &[RecordFinding]) -> RecordSummary {
    let of = |role: Role| rows.iter().filter(|row| row.role == role).count() as u64;
    let mut cells: BTreeMap<String, u64> = Status::ALL.iter().map(|status| (status.as_str().to_owned(), 0)).collect();
    for (_, cell) in rows.iter().flat_map(|row| row.told(pack)) {
        *cells.entry(cell.status.as_str().to_owned()).or_default() += 1;
    }
    let coverage = pack.questions.iter().map(|list| {
        let open = list.questions.iter().filter(|question| !questions::is_answered(pack, rows, question));
        let open: Vec<String> =
            open.map(|one| one.field.as_deref().map_or_else(|| format!("question {}", one.number), str::to_owned)).collect();
        let (n, answered) = (list.questions.len() as u64, (list.questions.len() - open.len()) as u64);
        let (authority, source) = (list.authority.to_string(), list.source.to_string());
        Coverage { authority, asked: n, answered, percent: answered * 100 / n.max(1), source, open }
    });
    let mut findings: BTreeMap<String, u64> = BTreeMap::new();
    for one in found {
        *findings.entry(one.rule.id.to_owned()).or_default() += 1;
    }
    RecordSummary {
        pack: format!("{} {} {}", pack.id, pack.dated, pack.digest),
        controller: of(Role::Controller),
        processor: of(Role::Processor),
        cells,
        coverage: coverage.collect(),
        findings,
        errors: found.iter().filter(|one| one.rule.severity == FindingSeverity::Error).count() as u64,
        publishable: !found.iter().any(contradiction::is_void),
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
        text("source", "Read in"),
    ],
};

const KNOWN: Shape =
    Shape { name: "record-known", title: "Cells by how they are known", heads: &[text("status", "Known by"), int("cells", "Cells")] };

/// Every table of this report that is written to files.
pub(super) const SHAPES: [&Shape; 3] = [&RECORD, &COVERAGE, &KNOWN];
