//! Drafts into a plan: a batch at a time, each object with its key from the vault, each personal value sealed before the plan names it.

use crate::base::{Blame, Entropy, ObjectKey, Problem, Result, SystemEntropy, Timestamp};
use crate::model::ObjectKind;
use crate::plan::{Draft, Header, PlanWriter, vault_name};
use crate::store::{Batch, SqliteStore, Store as _, Vault, sealed_cell};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Drafts that share one commit.
const BATCH: usize = 512;

/// Where the store of a state directory stands.
#[must_use]
pub fn store_path(state: &Path) -> PathBuf {
    state.join("store.sqlite")
}

/// A plan under way.
pub(super) struct Sealing {
    store: SqliteStore,
    entropy: Box<dyn Entropy>,
    /// How long the vault keeps what is sealed.
    keep_until: Timestamp,
    waiting: Vec<Draft>,
    writer: PlanWriter,
}

impl Sealing {
    /// A plan that is to stand at `target`.
    ///
    /// # Errors
    /// `E-store-…` where the store cannot be opened; `E-file-…` where the plan cannot be written.
    pub(super) fn begin(state: &Path, target: &Path, canary: u64, keep_until: Timestamp) -> Result<Self> {
        let store = SqliteStore::open(&store_path(state))?;
        let writer = PlanWriter::create(target, canary)?;
        Ok(Self { store, entropy: Box::new(SystemEntropy::new()), keep_until, waiting: Vec::new(), writer })
    }

    /// Adds a draft.
    ///
    /// # Errors
    /// As [`Sealing::finish`].
    pub(super) fn push(&mut self, draft: Draft) -> Result<()> {
        self.waiting.push(draft);
        if self.waiting.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    /// Puts the plan in place.
    ///
    /// # Errors
    /// `E-entropy-001`, `E-vault-001`, `E-store-…`, `E-file-…` (exit 33).
    pub(super) fn finish(mut self, header: Header) -> Result<Header> {
        self.flush()?;
        self.writer.finish(header)
    }

    fn flush(&mut self) -> Result<()> {
        let drafts = std::mem::take(&mut self.waiting);
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
        operations.into_iter().try_for_each(|operation| self.writer.push(operation).map(drop))
    }
}
