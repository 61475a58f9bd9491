//! An operation as a plan file has it.

use super::{Fact, Purpose};
use crate::base::{ObjectRef, ValueDigest};
use crate::model::ObjectKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One unit of change: its steps are taken in order, and it is done when all of them are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Its number in the plan, from 1, without gaps.
    pub op: u64,
    /// The wave it belongs to, from 1. A wave begins when the one before it is verified.
    pub wave: u32,
    /// The registry.
    pub registry: String,
    /// The object it is about: the domain of a protection, the contact of a correction.
    pub object: ObjectName,
    /// What is done, each a command on one object.
    pub steps: Vec<Step>,
    /// On which basis.
    pub basis: Basis,
    /// Whether it can be undone.
    pub undo: Undo,
    /// Operations of this plan that have to be verified before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u64>,
    /// Other objects that it touches, all of which have the same basis: the domains that use a contact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<ObjectName>,
    /// Why, by the numbers of rules.
    pub reasons: Vec<Reason>,
}

impl Operation {
    /// How many steps it has.
    #[must_use]
    pub fn count(&self) -> u8 {
        u8::try_from(self.steps.len()).unwrap_or(u8::MAX)
    }
}

/// An object at a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectName {
    /// What it is.
    pub kind: ObjectKind,
    /// Its handle or name.
    pub id: String,
    /// The random reference by which the journal calls it; 32 hexadecimal digits.
    #[serde(rename = "ref")]
    #[schemars(with = "String")]
    pub reference: ObjectRef,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Creates the object: it must not be there.
    Create,
    /// Changes it.
    Update,
    /// Deletes it.
    Delete,
}

impl Turn {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// One command on one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it does.
    #[serde(rename = "do")]
    pub turn: Turn,
    /// The object.
    pub object: ObjectName,
    /// The facts it rests on and sets, in the order of their names. One that stays as it is, is a condition.
    pub facts: Vec<Change>,
    /// The digest of the facts as they were observed: the condition under which the step may be taken.
    #[schemars(with = "String")]
    pub observed: ValueDigest,
    /// The digest of the facts as they are wanted: what proves that it was.
    #[schemars(with = "String")]
    pub wanted: ValueDigest,
}

impl Step {
    /// What it sets; the facts that stay as they are, are conditions.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.facts.iter().filter(|change| change.was != change.wanted)
    }
}

/// One fact before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Which.
    pub fact: Fact,
    /// Before.
    pub was: Value,
    /// After.
    pub wanted: Value,
}

/// A value in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// None.
    Absent,
    /// One that is nobody's personal datum, or the privacy provider's own.
    Clear(String),
    /// A personal datum, in the vault under the object's key: this is its digest.
    Sealed(#[schemars(with = "String")] ValueDigest),
}

/// What allows an operation (GDPR Art. 6(1) where it is about a person).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// Which.
    pub kind: BasisKind,
    /// What it rests on: numbers of ledger events, exchanges and records.
    pub evidence: Vec<String>,
    /// The subject whose consent or objection is looked up again before the step is taken: a random reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What the subject was asked for, each of which is looked up again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<Purpose>,
}

/// A kind of basis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BasisKind {
    /// The person said yes to just this.
    ExplicitConsent,
    /// A version of the terms of service that the customer accepted.
    Terms,
    /// The registry's own means of withholding: it takes nothing away from anybody, and needs no consent.
    Withholding,
    /// Accuracy (GDPR Art. 5(1)(d)): the customer's own data, as the customer gave them.
    Accuracy,
    /// A service that ended, or a consent that was withdrawn.
    Ended,
    /// Retention (GDPR Art. 5(1)(e), Art. 17): no service needs the data any more, and no rule keeps them.
    Expired,
    /// Housekeeping of the provider's own objects.
    OwnData,
    /// What stood before a run, put back.
    Restored,
}

/// Whether an operation can be undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// By setting each fact to what it was, which is sealed before the step is taken.
    Inverse,
    /// Not, and why.
    Irreversible(String),
}

/// Why an operation is in the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The number of the rule, or of the difference.
    pub rule: String,
    /// In words, without personal data.
    pub text: String,
}
