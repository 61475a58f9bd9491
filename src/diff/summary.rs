//! Counts of a diff, without any value.

use super::output::{DiffKind, Difference, Severity};
use crate::base::RegistryId;
use crate::model::ObjectKind;
use std::collections::BTreeMap;

/// What a diff found, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct DiffSummary {
    /// Objects that were compared, by registry, contacts before domains.
    pub compared: BTreeMap<String, [u64; 2]>,
    /// Differences, sorted by everything but their count.
    pub rows: Vec<SummaryRow>,
}

/// Differences that agree in all but id and values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct SummaryRow {
    /// The registry.
    pub registry: RegistryId,
    /// What differs.
    pub object: ObjectKind,
    /// How.
    pub kind: DiffKind,
    /// Whether it matters.
    pub severity: Severity,
    /// The field; empty for whole objects.
    pub field: String,
    /// How many.
    pub count: u64,
}

impl DiffSummary {
    /// How many differences of that severity there are.
    #[must_use]
    pub fn total(&self, severity: Severity) -> u64 {
        self.rows.iter().filter(|r| r.severity == severity).map(|r| r.count).sum()
    }

    /// How many differences of that kind a registry has.
    #[must_use]
    pub fn of(&self, registry: &str, kind: DiffKind, severity: Severity) -> u64 {
        let wanted = |r: &&SummaryRow| r.registry.as_str() == registry && r.kind == kind && r.severity == severity;
        self.rows.iter().filter(wanted).map(|r| r.count).sum()
    }

    /// Counts one.
    pub(super) fn count(&mut self, d: &Difference<'_>) {
        let same = |r: &&mut SummaryRow| {
            r.field == d.field && r.kind == d.kind && r.severity == d.severity && r.object == d.object && r.registry.as_str() == d.registry
        };
        if let Some(row) = self.rows.iter_mut().find(same) {
            row.count += 1;
        } else {
            let (registry, field) = (RegistryId::from(d.registry), d.field.to_owned());
            self.rows.push(SummaryRow { registry, object: d.object, kind: d.kind, severity: d.severity, field, count: 1 });
        }
    }

    /// Adds to the objects of `kind` that were compared at `registry`.
    pub(super) fn add_compared(&mut self, registry: &str, kind: ObjectKind, objects: u64) {
        self.compared.entry(registry.to_owned()).or_default()[kind as usize] += objects;
    }

    pub(super) fn sorted(mut self) -> Self {
        self.rows.sort_unstable();
        self
    }
}
