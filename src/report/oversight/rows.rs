//! What the sheets of oversight are told, row by row, and what they come to.

use crate::model::Confidence;
use std::collections::BTreeMap;

/// A registrant's data that are not right.
#[derive(Clone, Copy, Debug)]
pub struct AmissRow<'a> {
    /// The registry.
    pub registry: &'a str,
    /// The contact's handle.
    pub handle: &'a str,
    /// The number of the rule.
    pub rule: &'static str,
    /// What is amiss, without any value.
    pub what: &'a str,
    /// What verifications came to.
    pub verification: &'static str,
}

/// A registrant who may lose names, since the data were found not to be right.
#[derive(Clone, Copy, Debug)]
pub struct AtRiskRow<'a> {
    /// The registry.
    pub registry: &'a str,
    /// The contact's handle.
    pub handle: &'a str,
    /// The number of the rule.
    pub rule: &'static str,
    /// What was found, without any value.
    pub what: &'a str,
    /// How many names the registrant has there.
    pub names: u64,
    /// How many days ago the registry's data were changed last, where that is known.
    pub changed_days: Option<i64>,
    /// Where it stands that a registration may be ended for it.
    pub source: &'a str,
    /// How sure that is.
    pub confidence: Confidence,
}

/// How much is withheld by some means.
#[derive(Clone, Debug)]
pub struct WithheldRow<'a> {
    /// The registry; nothing for cases of the register.
    pub registry: Option<&'a str>,
    /// By what: the registry's own option, the registry's data in the registrant's place, or the process of a case.
    pub means: &'a str,
    /// Of which registrants, or in which state.
    pub whom: &'a str,
    /// How many.
    pub count: u64,
    /// The rule that this is against, and why.
    pub amiss: Option<(&'static str, String)>,
}

/// How the line to one registry is secured.
#[derive(Clone, Debug)]
pub struct LineRow<'a> {
    /// The registry.
    pub registry: &'a str,
    /// The version of TLS.
    pub version: Option<&'a str>,
    /// The cipher suite.
    pub cipher: Option<&'a str>,
    /// Days until the first of the registry's certificates ends.
    pub registry_days: Option<i32>,
    /// Days until our own ends.
    pub own_days: Option<i32>,
    /// How many days old the password is.
    pub password_days: Option<i32>,
    /// What is amiss, by rule.
    pub amiss: Vec<(&'static str, String)>,
}

impl<'a> LineRow<'a> {
    /// A line that no run observed.
    #[must_use]
    pub const fn unseen(registry: &'a str, amiss: Vec<(&'static str, String)>) -> Self {
        Self { registry, version: None, cipher: None, registry_days: None, own_days: None, password_days: None, amiss }
    }
}

/// How many of a registry's registrants were shown a notice (GDPR Art. 13 and 14).
#[derive(Clone, Copy, Debug)]
pub struct NoticeRow<'a> {
    /// The registry.
    pub registry: &'a str,
    /// Registrants.
    pub registrants: u64,
    /// Who was shown one that is in force.
    pub shown: u64,
    /// Who was shown one that was replaced since, and none since then.
    pub outdated: u64,
}

impl NoticeRow<'_> {
    /// Of whom no notice is recorded.
    #[must_use]
    pub const fn bare(&self) -> u64 {
        self.registrants.saturating_sub(self.shown).saturating_sub(self.outdated)
    }
}

/// Which data a product uses.
#[derive(Clone, Copy, Debug)]
pub struct UseRow<'a> {
    /// The registry.
    pub registry: &'a str,
    /// The zone.
    pub zone: &'a str,
    /// What was sold with the name.
    pub product: &'static str,
    /// The kind of data.
    pub element: &'static str,
    /// On what they rest: `contract`, where the registry or a purpose needs them, `none`, or `unknown`.
    pub basis: &'static str,
    /// Of how many domains the registry holds them of the registrant.
    pub held: u64,
}

/// How right a registry's registrants' data are.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct AccuracySummary {
    /// The registry.
    pub registry: String,
    /// Registrants.
    pub registrants: u64,
    /// Whose minimum is whole.
    pub complete: u64,
    /// Whose data the registry would take.
    pub valid: u64,
    /// Of whom some claim was verified.
    pub verified: u64,
    /// Of whom one failed.
    pub refuted: u64,
    /// To whom mail came back.
    pub undeliverable: u64,
    /// Whose data were confirmed or changed lately.
    pub current: u64,
    /// How many of a hundred are all of that.
    pub score: Option<u64>,
}

/// What `report oversight` comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct OversightSummary {
    /// How right the data are, by registry.
    pub accuracy: Vec<AccuracySummary>,
    /// How many registrants may lose names since their data were found not to be right.
    pub at_risk: u64,
    /// Things that are errors.
    pub errors: u64,
    /// Things that are warnings.
    pub warnings: u64,
    /// What is amiss, by rule: in these sheets, and in the registers.
    pub findings: BTreeMap<String, u64>,
    /// How many criteria of an impact assessment are met.
    pub criteria_met: u64,
    /// Whether so many are met that one is to be made.
    pub assessment_needed: bool,
    /// What was decided on it.
    pub assessment: Option<String>,
}
