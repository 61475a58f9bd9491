//! What `run` and `demo` print with `--format json`.

use super::facts::RunFacts;
use super::table::{SCHEMA_VERSION, schema_id};
use crate::diff::Severity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A run in a few figures, for scripts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The id of this shape.
    pub schema: String,
    /// The version of this shape.
    pub schema_version: u32,
    /// The version of Privet that made the run.
    pub tool_version: String,
    /// The run.
    pub run_id: String,
    /// The folder with the reports.
    pub reports: String,
    /// The job's own exit code.
    pub exit: u8,
    /// Each registry.
    pub registries: Vec<RegistrySummary>,
    /// What the run planned, where it was to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<PlanSummary>,
    /// What the run brought to object storage, where it was to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<ArchiveSummary>,
}

/// What was brought to object storage, and what stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArchiveSummary {
    /// Where.
    pub place: String,
    /// How the server was asked to encrypt it (the header `x-amz-server-side-encryption`).
    pub encryption: String,
    /// Objects that were put.
    pub put: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that were removed: of what is gone here, or must be gone.
    pub removed: u64,
    /// Snapshots that stand there now.
    pub snapshots: u64,
    /// Runs whose reports stand there now.
    pub runs: u64,
    /// Objects that stay although their files are missing here in a snapshot or a run that nobody altered.
    pub missing: u64,
    /// Objects that are of no snapshot and no run, and are left alone.
    pub foreign: u64,
}

/// A plan of a nightly run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanSummary {
    /// By which recipe.
    pub recipe: String,
    /// The file.
    pub plan: String,
    /// The digest that a reviewer pins.
    pub digest: String,
    /// How many operations it has.
    pub operations: u64,
    /// Why the run did not apply it, where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_for_review: Option<String>,
    /// What came of it, where the run applied it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<AppliedSummary>,
}

/// What came of an applied plan, in operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AppliedSummary {
    /// Not begun.
    pub planned: u64,
    /// As wanted, by reading.
    pub verified: u64,
    /// Without effect.
    pub failed: u64,
    /// Neither as observed nor as wanted.
    pub conflict: u64,
    /// Sent, outcome not known.
    pub unknown: u64,
    /// Taken by the registry, which decides later.
    pub pending: u64,
    /// Commands sent.
    pub sends: u64,
    /// Whether every operation has come to its end.
    pub closed: bool,
}

/// One registry in a few figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegistrySummary {
    /// The operator's name for the account.
    pub id: String,
    /// Its profile.
    pub profile: String,
    /// Whether it was read whole.
    pub whole: bool,
    /// Contacts read.
    pub contacts: u64,
    /// Domains read.
    pub domains: u64,
    /// Material differences.
    pub differences: u64,
    /// Cosmetic differences.
    pub cosmetic: u64,
    /// Objects that could not be read.
    pub unreadable: u64,
    /// Every exit code that held here.
    pub exits: Vec<u8>,
}

impl Summary {
    /// The summary of a run whose reports are in the folder `reports`.
    #[must_use]
    pub fn of(facts: &RunFacts, reports: &std::path::Path) -> Self {
        let registry = |r: &super::RegistryFacts| RegistrySummary {
            id: r.id.as_str().to_owned(),
            profile: r.profile.clone(),
            whole: r.whole,
            contacts: r.contacts.ok,
            domains: r.domains.ok,
            differences: facts.differences_of(Some(&r.id), Severity::Material),
            cosmetic: facts.differences_of(Some(&r.id), Severity::Cosmetic),
            unreadable: r.unreadable(),
            exits: r.exits.iter().map(|e| e.code()).collect(),
        };
        Self {
            plans: Vec::new(),
            archived: None,
            schema: schema_id("summary"),
            schema_version: SCHEMA_VERSION,
            tool_version: facts.tool_version.clone(),
            run_id: facts.run_id.as_str().to_owned(),
            reports: reports.display().to_string(),
            exit: facts.exit.code(),
            registries: facts.registries.iter().map(registry).collect(),
        }
    }
}
