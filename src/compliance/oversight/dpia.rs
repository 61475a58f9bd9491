//! Whether processing is likely to be of high risk: criteria that are computed from what was observed, and those that somebody declares.

use super::{By, DpiaRules};
use std::collections::BTreeMap;

/// The criteria that are computed.
pub const COMPUTED: [&str; 5] = ["large-scale", "matching", "prevents-service", "sensitive", "vulnerable"];
/// The criteria that somebody declares.
pub const DECLARED_CRITERIA: [&str; 4] = ["automated-effect", "monitoring", "new-technology", "scoring"];

/// Whether a criterion is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// Nobody said.
    Unknown,
}

impl Met {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }

    const fn of(met: bool) -> Self {
        if met { Self::Yes } else { Self::No }
    }
}

/// A criterion and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// Its name.
    pub id: Box<str>,
    /// What it is.
    pub what: Box<str>,
    /// Whether it is met.
    pub met: Met,
    /// `computed`, `declared` or `missing`.
    pub status: &'static str,
    /// What shows it.
    pub evidence: String,
}

/// Holds the criteria against what was `observed` (by name: whether it is met, and what shows it) and what somebody `declared`; and
/// whether enough of them are met that an assessment is to be made.
#[must_use]
pub fn assess(rules: &DpiaRules, observed: &BTreeMap<&str, (bool, String)>, declared: &BTreeMap<String, String>) -> (Vec<Criterion>, bool) {
    let stand = |rule: &super::CriterionRule| {
        let (met, status, evidence) = match rule.by {
            By::Computed => observed.get(&*rule.id).map_or_else(
                || (Met::Unknown, "missing", "nothing was observed".to_owned()),
                |(met, evidence)| (Met::of(*met), "computed", evidence.clone()),
            ),
            By::Declared => declared.get(&*rule.id).map_or_else(
                || (Met::Unknown, "missing", format!("say `yes` or `no`: privet.toml, oversight.{}", rule.id)),
                |said| (Met::of(said == "yes"), "declared", format!("privet.toml, oversight.{}", rule.id)),
            ),
        };
        Criterion { id: rule.id.clone(), what: rule.what.clone(), met, status, evidence }
    };
    let all: Vec<Criterion> = rules.criterion.iter().map(stand).collect();
    let is_needed = all.iter().filter(|one| one.met == Met::Yes).count() >= rules.met;
    (all, is_needed)
}
