//! The registers as a report.

use super::config::Loaded;
use super::night::Night;
use super::opening::open_store;
use super::register::limits;
use super::{Context, Ended};
use crate::base::{Exit, Problems};
use crate::compliance::register::{Book, registers};
use crate::report::{CasesSummary, write_cases};

/// What `report registers` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct CasesShown {
    /// The folder with the page and the tables.
    reports: String,
    /// What it came to.
    #[serde(flatten)]
    summary: CasesSummary,
}

/// `report registers`: every case of every register, by the working days of `country`.
///
/// # Errors
/// `E-store-…` and `E-register-…` (exit 33) where a register cannot be read; `E-file-…` (exit 33).
pub fn report_registers(loaded: &Loaded, ctx: &Context, country: Option<&str>) -> Result<Ended, Problems> {
    let limits = limits(country)?;
    let night = Night::begin(loaded, ctx)?;
    night.stage("registers");
    let mut store = open_store(&night.loaded.config)?;
    let mut all = Vec::new();
    for register in registers() {
        let book = Book::open(&mut store, register)?;
        all.push((register, book.cases(night.started, &limits).collect()));
    }
    let (summary, files) = write_cases(&night.dir, &night.making(), &all)?;
    let wrong: u64 = summary.amiss.values().sum();
    let page = files.last().map(|page| page.display().to_string()).unwrap_or_default();
    let text = format!("{} cases open, {} deadlines overdue, {wrong} things amiss\n{page}", summary.open, summary.overdue);
    let mut exits = vec![Exit::Done];
    exits.extend((summary.overdue + wrong > 0).then_some(Exit::Findings));
    let counts = [("open", summary.open), ("overdue", summary.overdue), ("amiss", wrong)];
    let shown = CasesShown { reports: night.dir.display().to_string(), summary: summary.clone() };
    let mut ended = Ended { exits, json: serde_json::to_value(shown).unwrap_or_default(), text, problems: Vec::new() };
    night.proved(&mut ended, "report registers", [], &counts);
    Ok(ended)
}
