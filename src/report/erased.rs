//! Erasures: what a plan deleted at registries, what proves it, and what is left. Nothing of a person stands in it but handles.

use super::document::{Block, Document, Folder, Making, Mood, Section};
use super::table::{Cell, Shape};
use super::tables::{int, text};
use super::verdict::{count, grouped};
use crate::base::{Digest, Result, Timestamp};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What became of one deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErasedState {
    /// It was deleted, and the registry holds it again.
    Back,
    /// It was deleted, and the key of its before-image is still there.
    Keyed,
    /// It was not deleted, for another reason than that something names it.
    Failed,
    /// The registry keeps it, since something names it (2305).
    Residual,
    /// Nobody knows yet, or it was not begun.
    Open,
    /// It was deleted, reading showed that it is gone, and its key is destroyed.
    Erased,
}

impl ErasedState {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Back => "back",
            Self::Keyed => "key_left",
            Self::Failed => "failed",
            Self::Residual => "residual",
            Self::Open => "open",
            Self::Erased => "erased",
        }
    }

    /// What became of the data, in terms of the Data Privacy Vocabulary: erased is only what nothing brings back.
    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::Erased => "dpv:Erase",
            Self::Keyed => "dpv:Delete",
            Self::Back | Self::Failed | Self::Residual | Self::Open => "dpv:Store",
        }
    }

    fn rank(self) -> u32 {
        self as u32
    }
}

/// What a later reading of the registry showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reread {
    /// Nobody asked for the contact since.
    Not,
    /// It was not there.
    Absent(Timestamp),
    /// It was there.
    There(Timestamp),
}

/// One deletion.
#[derive(Clone, Debug)]
pub struct ErasedRow {
    /// The plan, by its id.
    pub plan: String,
    /// The operation's number in it.
    pub op: u64,
    /// The registry.
    pub registry: String,
    /// The contact's handle.
    pub handle: String,
    /// What set it off: `expiry`, `withdrawal`, `request` or `minimisation`.
    pub trigger: String,
    /// The rule that ended the data, or the case of the request.
    pub rule: String,
    /// What became of it.
    pub state: ErasedState,
    /// When it came to that.
    pub at: Option<Timestamp>,
    /// The client's transaction identifier (RFC 5730 §2.5).
    pub client_id: Option<String>,
    /// The registry's.
    pub server_id: Option<String>,
    /// Why it was not deleted.
    pub why: Option<String>,
    /// The domains that are known to name it, where the registry keeps it for that.
    pub blocked_by: Vec<String>,
    /// Whether the operator's records have it still.
    pub is_local: bool,
    /// What a later reading showed.
    pub reread: Reread,
    /// To how many parties its data were released, who are to be told (GDPR Art. 19).
    pub recipients: u64,
    /// The salted commitments to rows about it that went from the tables of earlier runs, in hexadecimal; nothing where there were none.
    pub commitments_before: Option<String>,
    /// Those to rows about it whose salts are there by now, so that they could be opened.
    pub commitments_after: Vec<String>,
    /// Who stands for the plan: its author, and whoever approved it.
    pub operator: Option<String>,
}

impl ErasedRow {
    /// What the registry answered: its transaction identifier, or why it refused; nothing where it was not asked.
    pub(super) fn response(&self) -> Option<String> {
        let id = self.server_id.as_ref().map(|id| format!("svTRID {id}"));
        let all: Vec<String> = self.why.clone().into_iter().chain(id).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Why data are left, with the domains that keep them.
    pub(super) fn residual(&self) -> Option<String> {
        let by = (!self.blocked_by.is_empty()).then(|| format!("named by {}", self.blocked_by.join(" ")));
        let all: Vec<String> = self.why.clone().into_iter().chain(by).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// The digest of what proves it: plan, operation, state, time, both transaction identifiers and the commitments, each as its cell of
    /// the report on erasure has it, one a line.
    pub(super) fn evidence(&self) -> Digest {
        let at = self.at.map(|at| at.to_string()).unwrap_or_default();
        let texts = [&self.client_id, &self.server_id, &self.commitments_before].map(|text| text.clone().unwrap_or_default());
        let head = [self.plan.clone(), self.op.to_string(), self.state.as_str().to_owned(), at];
        let lines: Vec<String> = head.into_iter().chain(texts).collect();
        Digest::of(lines.join("\n").as_bytes())
    }
}

/// Something in which erased data may stand still.
#[derive(Clone, Debug)]
pub struct KeptRow {
    /// Where.
    pub store: &'static str,
    /// How, in terms of the Data Privacy Vocabulary.
    pub method: &'static str,
    /// How many there are.
    pub count: u64,
    /// By when the last of them is gone by the rules.
    pub gone_by: Option<String>,
    /// Why it stays.
    pub why: String,
}

/// What `report erasure` comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ErasureSummary {
    /// Deletions by what became of them.
    pub states: BTreeMap<String, u64>,
    /// Erased contacts that a reading after the deletion showed to be gone.
    pub reread: u64,
    /// Erased contacts that the operator's records have still.
    pub local: u64,
}

/// Writes the deletions of `rows` and what is left of data in `kept` into `dir`; what they came to, and the files.
///
/// # Errors
/// As the writer of files.
pub fn write_erasures(dir: &Path, making: &Making, rows: &[ErasedRow], kept: &[KeptRow]) -> Result<(ErasureSummary, Vec<PathBuf>)> {
    let summary = summary(rows);
    let mut folder = Folder::open(dir, making)?;
    let mut sheet = folder.sheet(&ERASURES)?;
    for row in rows {
        sheet.push(row.state.rank(), cells(row))?;
    }
    let sheet = folder.end(sheet)?;
    let stores = kept
        .iter()
        .map(|one| vec![Cell::from(one.store), one.method.into(), one.count.into(), one.gone_by.clone().into(), one.why.clone().into()]);
    let stores = folder.table(&STORES, stores)?;
    let of = |state: ErasedState| summary.states.get(state.as_str()).copied().unwrap_or_default();
    let wrong = of(ErasedState::Back) + of(ErasedState::Keyed) + of(ErasedState::Failed);
    let left = of(ErasedState::Residual) + of(ErasedState::Open) + summary.local;
    let section = |id, heading: &str, blocks: Vec<Block>| Section { id, heading: heading.to_owned(), blocks };
    let document = Document {
        name: "erasure",
        title: "report on erasure".to_owned(),
        verdict: format!(
            "{} erased, {} of them shown to be gone by a later reading; {} kept by what names them; {} wrong.",
            count(of(ErasedState::Erased), "contact is", "contacts are"),
            grouped(summary.reread),
            grouped(of(ErasedState::Residual)),
            grouped(wrong)
        ),
        next: match (wrong, left) {
            (0, 0) => (Mood::Good, "Nothing is left to do.".to_owned()),
            (0, _) => (
                Mood::Warn,
                "What is kept goes with what names it: plan again then. Erase in your own records what they have still.".to_owned(),
            ),
            _ => (
                Mood::Bad,
                "Look at what is wrong first: `back` came again, of `key_left` run `privet reconcile PLAN`, `failed` says why.".to_owned(),
            ),
        },
        basis: Vec::new(),
        figures: vec![
            ("Erased".to_owned(), grouped(of(ErasedState::Erased))),
            ("Shown to be gone".to_owned(), grouped(summary.reread)),
            ("Kept by what names them".to_owned(), grouped(of(ErasedState::Residual))),
            ("In your records still".to_owned(), grouped(summary.local)),
        ],
        sections: vec![
            section(
                "erasures",
                "Deletions",
                vec![
                    Block::Note(
                        "A contact is `erased` when the registry deleted it, reading it back showed that it is gone, and the key is destroyed \
                         under which its before-image was sealed. `reread` is what the newest reading after that says."
                            .to_owned(),
                    ),
                    sheet,
                ],
            ),
            section("stores", "Where data may stand still", vec![stores]),
        ],
        holds: "This page holds handles of contacts and names of domains, and no other personal data.".to_owned(),
        sheets: Vec::new(),
    };
    let files = folder.finish(&document)?;
    Ok((summary, files))
}

fn cells(row: &ErasedRow) -> Vec<Cell> {
    let (reread, reread_at) = match row.reread {
        Reread::Not => ("not", None),
        Reread::Absent(at) => ("absent", Some(at)),
        Reread::There(at) => ("there", Some(at)),
    };
    let text = |value: &Option<String>| Cell::from(value.clone());
    let time = |at: Option<Timestamp>| Cell::from(at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()));
    vec![
        row.plan.as_str().into(),
        row.op.into(),
        row.registry.as_str().into(),
        row.handle.as_str().into(),
        row.trigger.as_str().into(),
        row.rule.as_str().into(),
        row.state.as_str().into(),
        row.state.method().into(),
        time(row.at),
        text(&row.client_id),
        text(&row.server_id),
        text(&row.why),
        Some(row.blocked_by.join(" ")).filter(|all| !all.is_empty()).into(),
        if row.is_local { "there" } else { "gone" }.into(),
        reread.into(),
        time(reread_at),
        row.recipients.into(),
        text(&row.operator),
        text(&row.commitments_before),
        Some(row.commitments_after.join(" ")).filter(|all| !all.is_empty()).into(),
    ]
}

fn summary(rows: &[ErasedRow]) -> ErasureSummary {
    let mut summary = ErasureSummary::default();
    for row in rows {
        *summary.states.entry(row.state.as_str().to_owned()).or_default() += 1;
        let is_erased = row.state == ErasedState::Erased;
        summary.reread += u64::from(is_erased && matches!(row.reread, Reread::Absent(_)));
        summary.local += u64::from(is_erased && row.is_local);
    }
    summary
}

const ERASURES: Shape = Shape {
    name: "erasures",
    title: "Every deletion that a plan of erasure asked for, what is wrong first",
    heads: &[
        text("plan", "Plan"),
        int("op", "Operation"),
        text("registry", "Registry"),
        text("object", "Contact"),
        text("trigger", "Trigger"),
        text("rule", "Rule or case"),
        text("state", "State"),
        text("method", "Method"),
        text("at", "At"),
        text("client_id", "clTRID"),
        text("server_id", "svTRID"),
        text("why", "Why not"),
        text("blocked_by", "Named by"),
        text("local", "In the records"),
        text("reread", "Read again"),
        text("reread_at", "At"),
        int("recipients", "Recipients to be told"),
        text("operator", "Operator"),
        text("commitments_before", "Commitments to its rows, erased"),
        text("commitments_after", "Commitments that can be opened still"),
    ],
};

const STORES: Shape = Shape {
    name: "erasure-stores",
    title: "Where data of erased contacts may stand still",
    heads: &[text("store", "Store"), text("method", "Method"), int("count", "How many"), text("gone_by", "Gone by"), text("why", "Why")],
};

/// Every table of this report that is written to files.
pub(super) const SHAPES: [&Shape; 2] = [&ERASURES, &STORES];
