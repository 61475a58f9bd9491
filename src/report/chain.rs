//! The last runs and their proofs: which of them are signed, which failed, and where there is a gap.

use super::document::{Block, Folder, Section};
use super::ribbon::{self, Ribbon};
use super::svg::Picture;
use super::table::{Cell, Shape};
use super::tables::{int, text};
use crate::base::{Result, RunId, Timestamp};

/// How many of the last runs are told.
pub const RUNS: usize = 60;

/// What became of a run's proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainState {
    /// What it left is signed and in the log.
    Signed,
    /// That too, and the run failed.
    Failed,
    /// What it left was erased since, by a signed redaction.
    Erased,
    /// There is no proof, or one that the log has is not there any more.
    Gap,
    /// Its proof does not hold.
    Broken,
}

impl ChainState {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Failed => "failed",
            Self::Erased => "erased",
            Self::Gap => "gap",
            Self::Broken => "broken",
        }
    }

    /// Its kind in the ribbon.
    const fn kind(self) -> usize {
        match self {
            Self::Signed => 0,
            Self::Failed => 1,
            Self::Erased => 2,
            Self::Gap => 3,
            Self::Broken => 4,
        }
    }
}

/// A run and its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainRun {
    /// The run.
    pub run: RunId,
    /// What it did, where its proof says so.
    pub verb: Option<String>,
    /// When it began, where its proof says so.
    pub started: Option<Timestamp>,
    /// Its leaf in the log, where its proof says so.
    pub leaf: Option<u64>,
    /// How its proof stands.
    pub state: ChainState,
    /// Why, where there is something to say.
    pub why: String,
}

/// The section on `runs`, the oldest first, with its table in `folder`.
///
/// # Errors
/// As the writer of files.
pub(super) fn section(folder: &mut Folder<'_>, runs: &[ChainRun]) -> Result<Section> {
    let fields: Vec<(String, usize)> = runs.iter().map(|run| (run.run.to_string(), run.state.kind())).collect();
    let ribbon = Ribbon {
        id: "runs-chart".to_owned(),
        title: format!("The last {RUNS} runs and their proofs, the oldest first"),
        desc: ribbon::told(&fields),
        fields,
    };
    let note =
        "Whether a proof still fits the files is for `privet verify` to say; here signatures and the places in the log were checked.";
    let table = folder.table(&CHAIN, runs.iter().rev().map(cells))?;
    let blocks = vec![Block::Note(note.to_owned()), Block::Chart(Picture::Ribbon(ribbon)), table];
    Ok(Section { id: "runs", heading: "Runs before this one, and their proofs".to_owned(), blocks })
}

fn cells(run: &ChainRun) -> Vec<Cell> {
    vec![
        run.run.as_str().into(),
        run.started.map(|at| at.to_string()).into(),
        run.verb.as_deref().into(),
        run.state.as_str().into(),
        run.leaf.into(),
        (!run.why.is_empty()).then_some(run.why.as_str()).into(),
    ]
}

const CHAIN: Shape = Shape {
    name: "record-runs",
    title: "Runs before this one, the newest first",
    heads: &[
        text("run", "Run"),
        text("started", "Started"),
        text("verb", "What it did"),
        text("state", "Proof"),
        int("leaf", "Leaf"),
        text("why", "Note"),
    ],
};

/// The table.
pub(super) const SHAPES: [&Shape; 1] = [&CHAIN];
