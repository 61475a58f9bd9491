//! The report of a run, from one value: a page for people, tables for their tools, a summary for the terminal and for scripts.
//!
//! Nothing here reads a registry, a clock or a snapshot: equal facts give equal bytes, on this machine or another, years later.

mod ageing;
mod alike;
mod area;
mod cases;
mod chain;
mod charts;
mod consent;
mod contradiction;
mod declared;
mod document;
mod erased;
mod exposure;
pub mod facts;
mod flow;
mod funnel;
mod heat;
mod html;
mod json;
mod linked;
mod metrics;
mod oversight;
mod page;
mod pdf;
mod processing;
pub mod proof;
mod questions;
mod retention;
mod ribbon;
mod sample;
mod sheet;
mod since;
mod svg;
mod table;
mod tables;
mod terminal;
mod transfers;
mod verdict;
mod workbook;

pub use cases::{CasesSummary, write_cases};
pub use chain::{ChainRun, ChainState, RUNS};
pub use consent::{ConsentBook, ConsentFinding, ConsentFunnel, ConsentOrder, ConsentRule, ConsentSummary, FEW};
pub use declared::{declared_toml, read_declared};
pub use document::Making;
pub use erased::{ErasedRow, ErasedState, ErasureSummary, KeptRow, Reread, write_erasures};
pub use exposure::{ExposureBook, ExposureCount, RegistryExposure, RoleOf, RuleLine, Stage};
pub use facts::{RegistryFacts, RunFacts};
pub use json::{AppliedSummary, ArchiveSummary, PlanSummary, RegistrySummary, Summary};
pub use metrics::{RunMetrics, Waiting, exposition};
pub use oversight::{AmissRow, AtRiskRow, LineRow, NoticeRow, OversightBook, OversightSummary, UseRow, WithheldRow};
pub use processing::{Beside, Coverage, RecordSummary, write_record};
pub use retention::{RetentionReport, RetentionRow, RetentionSummary, making};
pub use since::{Earlier, EarlierCell, RECORD_CAP, read_record};
pub use terminal::terminal;
pub use verdict::{grouped, masked};

use crate::base::{Blame, Problem, Result, create_private_dir, read_capped, write_atomic};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sheet::Stamp;
pub use sheet::TableForms;
use std::path::{Path, PathBuf};
use table::{SCHEMA_VERSION, pretty, schema_id};

/// The largest `run.json` that is read back.
const RUN_CAP: u64 = 64 << 20;

/// What [`write`] left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The page.
    pub index: PathBuf,
    /// Every file, the page among them.
    pub files: Vec<PathBuf>,
}

/// `run.json`: the facts with the name and the version of their shape.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
struct Document {
    /// The id of this shape.
    schema: String,
    /// The version of this shape.
    schema_version: u32,
    /// The facts.
    #[serde(flatten)]
    facts: RunFacts,
}

/// Writes the report of a run into `dir`: `index.html`, `run.json`, and each table as CSV, JSON and Parquet.
///
/// `differences` is the differences file (CSV) of the run, where it came to one; the page names the first of them, without values.
///
/// # Errors
/// `E-report-001` where the differences cannot be read; otherwise as the writer of files.
pub fn write(facts: &RunFacts, differences: Option<&Path>, dir: &Path) -> Result<Written> {
    let sample = sample::Sample::read(differences)?;
    create_private_dir(dir)?;
    let mut files = Vec::new();
    let stamp = Stamp { forms: TableForms::ALL, run_id: facts.run_id.as_str(), tool_version: &facts.tool_version };
    for table in tables::all(facts) {
        files.extend(table.write(dir, stamp)?);
    }
    let document = Document { schema: schema_id("run"), schema_version: SCHEMA_VERSION, facts: facts.clone() };
    let run = dir.join("run.json");
    let value =
        serde_json::to_value(&document).map_err(|e| Problem::new("E-report-003", Blame::Us, e.to_string(), "report this as a bug"))?;
    write_atomic(&run, &pretty(&value))?;
    // The page comes last: where it stands, everything it links to does too.
    let index = dir.join("index.html");
    write_atomic(&index, page::page(facts, &sample).as_bytes())?;
    files.extend([run, index.clone()]);
    Ok(Written { index, files })
}

/// The page of a run alone, as [`write`] makes it, from its facts and from the `differences` file as it is by now.
///
/// # Errors
/// `E-report-001` where the differences cannot be read.
pub fn page_of(facts: &RunFacts, differences: &Path) -> Result<Vec<u8>> {
    Ok(page::page(facts, &sample::Sample::read(Some(differences))?).into_bytes())
}

/// Reads the facts of an earlier run back from its `run.json`.
///
/// # Errors
/// `E-report-002` where it is not one, or one of another version; `E-file-005` and `E-file-006` where it cannot be read.
pub fn read(path: &Path) -> Result<RunFacts> {
    let bytes = read_capped(path, RUN_CAP)?;
    let broken = |what: String| Problem::new("E-report-002", Blame::Input, what, "give the run.json of a report folder").file(path);
    let value: Value = serde_json::from_slice(&bytes).map_err(|e| broken(format!("not JSON: {e}")).line(e.line() as u64))?;
    let (schema, version) = (value.get("schema").and_then(Value::as_str), value.get("schema_version").and_then(Value::as_u64));
    if schema != Some(&schema_id("run")) || version != Some(u64::from(SCHEMA_VERSION)) {
        let found = format!("{} {}", schema.unwrap_or("none"), version.map_or_else(|| "without a version".to_owned(), |v| v.to_string()));
        return Err(broken(format!("this reads {} {SCHEMA_VERSION}, the file states {found}", schema_id("run"))));
    }
    serde_json::from_value::<Document>(value).map(|d| d.facts).map_err(|e| broken(format!("not the facts of a run: {e}")))
}

/// The JSON Schema of every JSON file and value that a report makes, by name; a file's `schema` is `privet/report/` and that name.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Value)> {
    let mut all = vec![("run", schemars::schema_for!(Document).to_value()), ("summary", schemars::schema_for!(Summary).to_value())];
    all.extend(
        tables::SHAPES
            .iter()
            .chain(&retention::SHAPES)
            .chain(&processing::SHAPES)
            .chain(&contradiction::SHAPES)
            .chain(&cases::SHAPES)
            .chain(&erased::SHAPES)
            .chain(&oversight::SHAPES)
            .chain(&ageing::SHAPES)
            .chain(&consent::SHAPES)
            .chain(&chain::SHAPES)
            .chain(&questions::SHAPES)
            .chain(&since::SHAPES)
            .chain(&transfers::SHAPES)
            .chain(&exposure::SHAPES)
            .map(|shape| (shape.name, shape.schema())),
    );
    all
}
