//! What happens during a run, in one vocabulary for progress bars, logs and reports.

use super::{Problem, RegistryId, RunId};

/// Something that happened. It holds no personal datum.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A run begins: what follows is of it, until another one does.
    Run {
        /// Its name.
        id: RunId,
    },
    /// A stage of the night begins.
    Stage {
        /// Its verb: `pull`, `diff`, `report` …
        name: &'static str,
    },
    /// A stage knows how much is to be done at a registry. The figure may grow.
    Expected {
        /// The registry.
        registry: RegistryId,
        /// Objects in all.
        total: u64,
    },
    /// Objects are done at a registry.
    Progress {
        /// The registry.
        registry: RegistryId,
        /// Objects done since the last such event.
        done: u64,
    },
    /// Something an operator should read, though the run goes on.
    Warning(Box<Problem>),
    /// Something worth a line.
    Note(String),
}

/// Whoever listens to a run.
pub trait Events: Send + Sync {
    /// Takes note of `event`.
    fn tell(&self, event: Event);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Events for Quiet {
    fn tell(&self, _event: Event) {}
}
