//! What the registries saw, as far as the checker asks for it: their commits, they keep themselves.

use super::line::What;
use crate::base::Moment;
use std::collections::BTreeMap;

/// A frame that began to reach a registry.
pub(super) struct Frame {
    pub(super) site: usize,
    pub(super) process: u32,
    /// When its first byte came.
    pub(super) began: Moment,
    /// How many rows of the journal were on disk then.
    pub(super) rows: u64,
    pub(super) what: What,
    pub(super) cl_trid: Option<Box<str>>,
    /// Since when it can have no effect any more that it has not had; nothing while it can.
    pub(super) over: Option<Moment>,
    /// Whether the command before it on the same connection had no answer yet.
    pub(super) overlaps: bool,
    /// By when the client knows that its login was refused for the password.
    pub(super) refused: Option<Moment>,
}

/// What the registries saw.
#[derive(Default)]
pub(super) struct History {
    pub(super) frames: Vec<Frame>,
    /// Answers that were given: registry, client's and registry's identifier.
    pub(super) answers: Vec<(usize, Box<str>, Box<str>)>,
    /// The most connections at a time, by registry.
    pub(super) connections: BTreeMap<usize, usize>,
    /// The first process that only settles.
    pub(super) settles_from: Option<u32>,
}

impl Frame {
    /// Bytes that are no frame.
    pub(super) const fn nothing(site: usize, process: u32, now: Moment, rows: u64) -> Self {
        let (what, over) = (What::Nothing, Some(now));
        Self { site, process, began: now, rows, what, cl_trid: None, over, overlaps: false, refused: None }
    }
}
