//! What the registers hold, case by case: which are open, what is due when, and what is amiss. Nothing of a person stands in it.

use super::ageing;
use super::document::{Block, Document, Folder, Making, Mood, Section};
use super::table::{Cell, Shape};
use super::tables::{int, text};
use super::verdict::{count, grouped};
use crate::base::Result;
use crate::compliance::register::{Case, Met, Register};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What `report registers` comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct CasesSummary {
    /// Cases by register and state.
    pub states: BTreeMap<String, BTreeMap<String, u64>>,
    /// Cases of which something is still to be done or kept.
    pub open: u64,
    /// Deadlines that have ended and were not met.
    pub overdue: u64,
    /// What is amiss, by rule.
    pub amiss: BTreeMap<String, u64>,
}

/// Writes the cases of `registers` into `dir`; what they came to, and the files.
///
/// # Errors
/// As the writer of files.
pub fn write_cases(dir: &Path, making: &Making, registers: &[(&Register, Vec<Case>)]) -> Result<(CasesSummary, Vec<PathBuf>)> {
    let summary = summary(registers);
    let mut folder = Folder::open(dir, making)?;
    let mut cases = folder.sheet(&CASES)?;
    let mut deadlines = folder.sheet(&DEADLINES)?;
    let mut amiss = folder.sheet(&AMISS)?;
    for case in registers.iter().flat_map(|(_, cases)| cases) {
        let named = || [Cell::from(case.register), case.case.to_string().into()];
        let rank = u32::from(case.overdue().is_none()) + u32::from(!case.open);
        let told = [
            case.state.into(),
            if case.open { "open" } else { "closed" }.into(),
            case.subject.map(|subject| subject.to_string()).into(),
            case.opened.map(|at| at.to_string()).into(),
            case.last.as_ref().map(|last| last.event).into(),
            case.last.as_ref().map(|last| last.at.to_string()).into(),
            case.events.into(),
            case.apart.into(),
            joined(case.missing.iter().copied()),
        ];
        cases.push(rank, named().into_iter().chain(told).collect())?;
        for deadline in &case.deadlines {
            let rank = match deadline.standing {
                Met::Overdue => 0,
                Met::Open => 1,
                Met::Late => 2,
                Met::Met => 3,
            };
            let told = [
                Cell::from(deadline.name),
                deadline.due.to_string().into(),
                deadline.standing.as_str().into(),
                deadline.days.into(),
                deadline.source.into(),
                deadline.confidence.as_str().into(),
            ];
            deadlines.push(rank, named().into_iter().chain(told).collect())?;
        }
        for one in &case.amiss {
            amiss.push(0, named().into_iter().chain([Cell::from(one.id), one.what.into()]).collect())?;
        }
        for one in &case.irregular {
            amiss.push(1, named().into_iter().chain([Cell::from("irregular"), one.what.into()]).collect())?;
        }
    }
    let (cases, deadlines, amiss) = (folder.end(cases)?, folder.end(deadlines)?, folder.end(amiss)?);
    let states = folder.table(
        &STATES,
        registers.iter().flat_map(|(register, _)| {
            let of = summary.states.get(&*register.name).into_iter().flatten();
            of.map(|(state, n)| vec![Cell::from(&*register.name), register.about.as_ref().into(), state.as_str().into(), (*n).into()])
        }),
    )?;
    let asked = registers.iter().filter(|(register, _)| &*register.name == ageing::REGISTER).flat_map(|(_, cases)| cases);
    let requests = ageing::section(&mut folder, making, &asked.cloned().collect::<Vec<_>>())?;
    let section = |id, heading: &str, block: Block| Section { id, heading: heading.to_owned(), blocks: vec![block] };
    let wrong: u64 = summary.amiss.values().sum();
    let document = Document {
        name: "registers",
        title: "report on the registers".to_owned(),
        verdict: format!(
            "{} open; {} overdue; {} amiss.",
            count(summary.open, "case", "cases"),
            count(summary.overdue, "deadline is", "deadlines are"),
            count(wrong, "thing is", "things are")
        ),
        next: match (summary.overdue, wrong) {
            (0, 0) => (Mood::Good, "Nothing is overdue, and nothing is amiss.".to_owned()),
            (0, _) => (Mood::Warn, "Mend what is amiss: each line says by which rule.".to_owned()),
            _ => (Mood::Bad, "Act on what is overdue first.".to_owned()),
        },
        basis: Vec::new(),
        figures: vec![
            ("Open cases".to_owned(), grouped(summary.open)),
            ("Overdue deadlines".to_owned(), grouped(summary.overdue)),
            ("Amiss".to_owned(), grouped(wrong)),
        ],
        sections: vec![
            section("deadlines", "Deadlines", deadlines),
            requests,
            section("amiss", "What is amiss", amiss),
            section("states", "Registers", states),
            section("cases", "Cases", cases),
        ],
        holds: "This page holds numbers of cases and ids of subjects, and no other personal data; sensitive evidence is only counted."
            .to_owned(),
        sheets: Vec::new(),
    };
    let files = folder.finish(&document)?;
    Ok((summary, files))
}

fn joined<'a>(all: impl IntoIterator<Item = &'a str>) -> Cell {
    let all = all.into_iter().collect::<Vec<_>>().join(" ");
    if all.is_empty() { Cell::Empty } else { Cell::Text(all) }
}

fn summary(registers: &[(&Register, Vec<Case>)]) -> CasesSummary {
    let mut summary = CasesSummary::default();
    for (register, cases) in registers {
        let states = summary.states.entry(register.name.to_string()).or_default();
        for case in cases {
            *states.entry(case.state.unwrap_or("unopened").to_owned()).or_default() += 1;
            summary.open += u64::from(case.open);
            summary.overdue += case.deadlines.iter().filter(|deadline| deadline.standing == Met::Overdue).count() as u64;
            for one in &case.amiss {
                *summary.amiss.entry(one.id.to_owned()).or_default() += 1;
            }
        }
    }
    summary
}

const CASES: Shape = Shape {
    name: "registers",
    title: "Every case",
    heads: &[
        text("register", "Register"),
        text("case", "Case"),
        text("state", "State"),
        text("open", "Open"),
        text("subject", "Subject"),
        text("opened", "Opened"),
        text("last_event", "Last event"),
        text("last_at", "At"),
        int("events", "Events"),
        int("apart", "Texts kept apart"),
        text("missing", "Missing"),
    ],
};

const DEADLINES: Shape = Shape {
    name: "registers-deadlines",
    title: "Deadlines, the overdue ones first",
    heads: &[
        text("register", "Register"),
        text("case", "Case"),
        text("deadline", "Deadline"),
        text("due", "Due"),
        text("standing", "Standing"),
        int("days", "Days"),
        text("citation", "By"),
        text("confidence", "Confidence"),
    ],
};

const AMISS: Shape = Shape {
    name: "registers-amiss",
    title: "What is amiss, and events that could not follow what stood",
    heads: &[text("register", "Register"), text("case", "Case"), text("rule", "Rule"), text("what", "What")],
};

const STATES: Shape = Shape {
    name: "registers-states",
    title: "Cases by register and state",
    heads: &[text("register", "Register"), text("about", "About"), text("state", "State"), int("cases", "Cases")],
};

/// Every table of this report that is written to files.
pub(super) const SHAPES: [&Shape; 4] = [&CASES, &DEADLINES, &AMISS, &STATES];
