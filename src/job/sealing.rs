//! Drafts into a plan: a batch at a time, each object with its key from the vault, each personal value sealed before the plan names it.

use super::config::Config;
use super::opening::open_store;
use super::past::Past;
use crate::base::{Blame, Entropy, ObjectKey, Problem, Result, StateDir, SystemEntropy, Timestamp};
use crate::model::{Finding, ObjectKind};
use crate::plan::{Draft, Header, PlanWriter, vault_name};
use crate::store::{Batch, Store, Vault, sealed_cell};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// Drafts that share one commit.
const BATCH: usize = 512;

/// A plan under way.
pub(super) struct Sealing {
    store: Box<dyn Store>,
    entropy: Box<dyn Entropy>,
    /// How long the vault keeps what is sealed.
    keep_until: Timestamp,
    waiting: Vec<Draft>,
    writer: PlanWriter,
    /// Of which state directory, and since when runs are looked into.
    runs: (StateDir, Timestamp),
    /// What those runs verified, once there is something to hold against it.
    past: Option<Past>,
}

impl Sealing {
    /// A plan that is to stand at `target`, and whose values the vault keeps until `keep_until`; it is held against what runs verified
    /// whose plans expired at `since` or later.
    ///
    /// # Errors
    /// `E-store-…` where the store cannot be opened; `E-file-…` where the plan cannot be written.
    pub(super) fn begin(
        (config, state): (&Config, &StateDir),
        target: &Path,
        canary: u64,
        keep_until: Timestamp,
        since: Timestamp,
    ) -> Result<Self> {
        let store = open_store(config)?;
        let writer = PlanWriter::create(target, canary)?;
        let entropy = Box::new(SystemEntropy::new());
        Ok(Self { store, entropy, keep_until, waiting: Vec::new(), writer, runs: (state.clone(), since), past: None })
    }

    /// Adds a draft; gives what was found of those that were sealed with it.
    ///
    /// # Errors
    /// As [`Sealing::flush`].
    pub(super) fn push(&mut self, draft: Draft) -> Result<Vec<Finding>> {
        self.waiting.push(draft);
        if self.waiting.len() >= BATCH { self.flush() } else { Ok(Vec::new()) }
    }

    /// Puts the plan in place. Nothing waits any more.
    ///
    /// # Errors
    /// `E-file-…` (exit 33).
    pub(super) fn finish(self, header: Header) -> Result<Header> {
        self.writer.finish(header)
    }

    /// Seals what waits; gives what was found of it.
    ///
    /// # Errors
    /// `E-entropy-001`, `E-vault-001`, `E-store-…`, `E-file-…` (exit 33); what keeps the journals of past runs from being read.
    pub(super) fn flush(&mut self) -> Result<Vec<Finding>> {
        let drafts = std::mem::take(&mut self.waiting);
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let name_of = |draft: &Draft, (kind, id): (ObjectKind, &str)| vault_name(&draft.registry, kind, id);
        let names: BTreeSet<String> = drafts.iter().flat_map(|draft| draft.objects().map(move |object| name_of(draft, object))).collect();
        let keys = Vault::new(&mut self.store).enrol(names.iter().map(String::as_str), &mut *self.entropy)?;
        let keys: HashMap<&str, ObjectKey> = names.iter().map(String::as_str).zip(keys).collect();
        let mut batch = Batch::default();
        let mut operations = Vec::new();
        for draft in drafts {
            let registry = draft.registry.clone();
            let mut key = |kind: ObjectKind, id: &str| {
                let lost = || Problem::new("E-vault-003", Blame::Us, "an object of the plan has no key", "please report this");
                keys.get(vault_name(&registry, kind, id).as_str()).cloned().ok_or_else(lost)
            };
            let (operation, sealed) = draft.seal(self.keep_until, &mut key)?;
            batch.cells.extend(sealed.iter().map(sealed_cell));
            operations.push(operation);
        }
        if !batch.is_empty() {
            self.store.commit(&batch)?;
        }
        let past = match self.past.take() {
            Some(past) => past,
            None => Past::read(&self.runs.0, &mut self.store, self.runs.1)?,
        };
        let mut found = Vec::new();
        for mut operation in operations {
            found.extend(past.tell(&mut operation));
            self.writer.push(operation)?;
        }
        self.past = Some(past);
        Ok(found)
    }
}
