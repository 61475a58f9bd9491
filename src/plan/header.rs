//! What stands at the head of a plan: what it was made from, and what was judged of it as a whole.

use crate::base::Timestamp;
use jiff::civil;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Recipe {
    /// Puts registrants behind privacy-protect v2, or the registry's own means, and locks their domains.
    Privacy,
    /// Lifts the protection of services that ended.
    PrivacyOff,
    /// Sets transfer locks.
    Lock,
    /// Lifts transfer locks, for a time.
    Unlock,
    /// Settles differences between the records and the registry.
    Corrections,
    /// Moves domains from privacy-protect v1 to v2.
    MigrateV2,
    /// Deletes contacts that no service needs and no rule keeps.
    Erasure,
    /// Undoes an applied run.
    Rollback,
}

impl Recipe {
    /// Those that are asked for by name.
    pub const ALL: [Self; 7] =
        [Self::Privacy, Self::PrivacyOff, Self::Lock, Self::Unlock, Self::Corrections, Self::MigrateV2, Self::Erasure];

    /// The word on the command line and in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Privacy => "privacy",
            Self::PrivacyOff => "privacy-off",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Corrections => "corrections",
            Self::MigrateV2 => "migrate-v2",
            Self::Erasure => "erasure",
            Self::Rollback => "rollback",
        }
    }
}

/// The first line of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of this format.
    pub privet_plan: u32,
    /// The SHA-256 of everything else in the plan. The journal refuses a second run of the same id.
    pub id: String,
    /// The program that made it, with its version.
    pub tool: String,
    /// What it is for.
    pub recipe: Recipe,
    /// The plan whose run it takes back, where it is a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The day on which what it unlocks is to be locked again, where it unlocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub relock: Option<civil::Date>,
    /// Who made it, where that was said: nobody approves a plan of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The time of what it was made from: when the newest of its snapshots was whole. So equal input gives equal bytes.
    pub made: Timestamp,
    /// From when on it is not applied any more.
    pub expires: Timestamp,
    /// The SHA-256 of the configuration it was made under.
    pub config: String,
    /// What was selected; all there is, where nothing stands here.
    pub selection: Vec<String>,
    /// What each registry's part rests on.
    pub registries: BTreeMap<String, RegistryFacts>,
    /// The gates with their verdicts. A plan that a gate refused is written, and never applied.
    pub gates: Vec<GateVerdict>,
    /// How many persons have to approve it, its author not among them; 0 where none has to.
    pub approvals: u8,
    /// The waves.
    pub waves: Vec<Wave>,
    /// How many operations there are, by registry and kind of object.
    pub counts: Vec<Count>,
    /// What was not planned, and why: how many objects, by the number of the rule.
    pub left_out: BTreeMap<String, u64>,
}

impl Header {
    /// The version of the format that this program writes and reads.
    pub const VERSION: u32 = 1;

    /// How many operations there are.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.counts.iter().map(|count| count.operations).sum()
    }

    /// The gates that refused.
    pub fn refused(&self) -> impl Iterator<Item = &GateVerdict> {
        self.gates.iter().filter(|gate| !gate.passed)
    }
}

/// What the part of a plan at one registry rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistryFacts {
    /// The id of its profile.
    pub profile: String,
    /// The SHA-256 of that profile, overrides included.
    pub profile_digest: String,
    /// The run that took the snapshot.
    pub snapshot: String,
    /// When that was.
    pub taken: Timestamp,
    /// How many objects of each kind it holds.
    pub objects: BTreeMap<String, u64>,
}

/// A gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateName {
    /// The most operations of a run, a registry and a kind.
    Count,
    /// The largest share of a registry's objects of a kind.
    Share,
    /// Kinds of change that need a reason of their own.
    Protected,
    /// The age of what it rests on.
    Age,
    /// Input that shrank since the last time.
    Shrunken,
    /// Consent and other bases.
    Consent,
    /// A change of the registrant that sets off a procedure of the registry's.
    ChangeOfRegistrant,
}

impl GateName {
    /// Every gate.
    pub const ALL: [Self; 7] =
        [Self::Count, Self::Share, Self::Protected, Self::Age, Self::Shrunken, Self::Consent, Self::ChangeOfRegistrant];

    /// The word on the command line and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Share => "share",
            Self::Protected => "protected",
            Self::Age => "age",
            Self::Shrunken => "shrunken",
            Self::Consent => "consent",
            Self::ChangeOfRegistrant => "change-of-registrant",
        }
    }
}

/// What a gate made of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateVerdict {
    /// Which.
    pub gate: GateName,
    /// The registry and kind that it looked at; the run as a whole where neither stands here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The kind of object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether the plan may pass.
    pub passed: bool,
    /// What was found, what is allowed, and which flag raises it.
    pub text: String,
    /// The reason that the operator gave for passing it all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_because: Option<String>,
}

/// A wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wave {
    /// Its number, from 1.
    pub wave: u32,
    /// How many operations it has.
    pub operations: u64,
}

/// How many operations there are of one kind at one registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// The registry.
    pub registry: String,
    /// The kind of object that the operations are about.
    pub kind: String,
    /// How many.
    pub operations: u64,
}

/// A person's word that a plan may be applied. It stands in the journal, not in the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The plan's id.
    pub plan: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The wave of a registry's operation number `n`, from 0: the first wave has `canary` operations, and each further one ten times as
/// many as the one before.
#[must_use]
pub fn wave_of(n: u64, canary: u64) -> u32 {
    let (mut wave, mut size, mut end) = (1, canary.max(1), canary.max(1));
    while n >= end && end < u64::MAX {
        size = size.saturating_mul(10);
        end = end.saturating_add(size);
        wave += 1;
    }
    wave
}
