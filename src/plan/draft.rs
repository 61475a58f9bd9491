//! An operation in clear, as recipes write it, and how it is sealed.

use super::operation::{Basis, Change, ObjectName, Operation, Reason, Step, Turn, Undo, Value};
use super::{Fact, state_digest};
use crate::base::{ObjectKey, Result, Sealed, Timestamp};
use crate::dataset::Row;
use crate::model::ObjectKind;
use std::collections::BTreeMap;
use std::fmt;

/// An operation in clear.
pub struct Draft {
    /// The registry.
    pub registry: String,
    /// What it is about.
    pub object: (ObjectKind, String),
    /// What is done.
    pub steps: Vec<DraftStep>,
    /// On which basis.
    pub basis: Basis,
    /// Whether it can be undone.
    pub undo: Undo,
    /// Other objects that it touches.
    pub touches: Vec<(ObjectKind, String)>,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} {} {})", self.registry, self.object.0.as_str(), self.object.1)
    }
}

/// A step in clear.
#[derive(Clone)]
pub struct DraftStep {
    turn: Turn,
    kind: ObjectKind,
    id: String,
    /// Whether its values are the privacy provider's own, and nobody's personal data.
    own: bool,
    /// Fact → before and after.
    facts: BTreeMap<Fact, (Option<String>, Option<String>)>,
}

impl DraftStep {
    /// The creation of the object that `row` describes.
    #[must_use]
    pub fn create(kind: ObjectKind, row: &Row, own: bool) -> Self {
        let facts = facts_of(kind, row).map(|(fact, value)| (fact, (None, Some(value)))).collect();
        Self { turn: Turn::Create, kind, id: row.id().to_owned(), own, facts }
    }

    /// A change of the object that stands as `row` describes it; nothing is changed yet.
    #[must_use]
    pub fn update(kind: ObjectKind, id: &str) -> Self {
        Self { turn: Turn::Update, kind, id: id.to_owned(), own: false, facts: BTreeMap::new() }
    }

    /// The deletion of the object that stands as `row` describes it.
    #[must_use]
    pub fn delete(kind: ObjectKind, row: &Row, own: bool) -> Self {
        let facts = facts_of(kind, row).map(|(fact, value)| (fact, (Some(value), None))).collect();
        Self { turn: Turn::Delete, kind, id: row.id().to_owned(), own, facts }
    }

    /// A step on an object, each fact with what it is and what is wanted; with the privacy provider's `own` values, nobody's personal
    /// data.
    pub(super) fn of(
        turn: Turn,
        (kind, id): (ObjectKind, &str),
        own: bool,
        facts: impl IntoIterator<Item = (Fact, Option<String>, Option<String>)>,
    ) -> Self {
        let facts = facts.into_iter().map(|(fact, was, wanted)| (fact, (was, wanted))).collect();
        Self { turn, kind, id: id.to_owned(), own, facts }
    }

    /// The same step, on the condition that `fact` is as `row` has it, and stays so.
    #[must_use]
    pub fn resting_on(mut self, fact: Fact, row: &Row) -> Self {
        let value = fact.of(self.kind, row);
        self.facts.entry(fact).or_insert((value.clone(), value));
        self
    }

    /// The same step, setting `fact`, which is now as `row` has it.
    #[must_use]
    pub fn setting(mut self, fact: Fact, row: &Row, wanted: Option<String>) -> Self {
        let was = fact.of(self.kind, row);
        self.facts.insert(fact, (was, wanted));
        self
    }

    /// Whether it would change nothing: what is wanted is there.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let same = |(fact, (was, wanted)): (&Fact, &(Option<String>, Option<String>))| {
            fact.normal(self.kind, was.as_deref()) == fact.normal(self.kind, wanted.as_deref())
        };
        self.turn == Turn::Update && self.facts.iter().all(same)
    }

    /// What it does.
    pub(super) const fn turn(&self) -> Turn {
        self.turn
    }

    /// The facts that it changes, each with what it was and what is wanted.
    pub(super) fn changed(&self) -> impl Iterator<Item = (&Fact, Option<&str>, Option<&str>)> {
        let all = self.facts.iter().map(|(fact, (was, wanted))| (fact, was.as_deref(), wanted.as_deref()));
        all.filter(|(_, was, wanted)| was != wanted)
    }

    /// The facts it rests on and sets.
    #[cfg(test)]
    pub(super) fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.facts.keys()
    }

    /// The object: what it is, and its handle or name.
    #[must_use]
    pub fn object(&self) -> (ObjectKind, &str) {
        (self.kind, &self.id)
    }
}

/// Every fact of a row that a create command sets.
fn facts_of(kind: ObjectKind, row: &Row) -> impl Iterator<Item = (Fact, String)> {
    let columns = crate::dataset::columns(kind).iter().map(|column| Fact::column(column.name)).filter(move |fact| fact.is_of(kind));
    columns.filter_map(move |fact| fact.of(kind, row).map(|value| (fact, value)))
}

/// The text that names an object in the vault.
#[must_use]
pub fn vault_name(registry: &str, kind: ObjectKind, id: &str) -> String {
    format!("{registry}/{}/{id}", kind.as_str())
}

impl Draft {
    /// The objects whose keys sealing needs.
    pub fn objects(&self) -> impl Iterator<Item = (ObjectKind, &str)> {
        let own = std::iter::once((self.object.0, self.object.1.as_str()));
        let touched = self.touches.iter().map(|(kind, id)| (*kind, id.as_str()));
        own.chain(self.steps.iter().map(DraftStep::object)).chain(touched)
    }

    /// The operation, without its number and wave, and the values for the vault, to be kept until `expires`.
    ///
    /// # Errors
    /// What `key` returns; `E-vault-001`.
    pub fn seal(self, expires: Timestamp, key: &mut dyn FnMut(ObjectKind, &str) -> Result<ObjectKey>) -> Result<(Operation, Vec<Sealed>)> {
        let mut vault = Vec::new();
        let mut steps = Vec::new();
        for step in &self.steps {
            steps.push(step.seal(&key(step.kind, &step.id)?, expires, &mut vault)?);
        }
        let mut name = |(kind, id): (ObjectKind, String)| {
            let reference = key(kind, &id)?.reference();
            Ok(ObjectName { kind, id, reference })
        };
        let object = name(self.object)?;
        let touches = self.touches.into_iter().map(name).collect::<Result<_>>()?;
        let Self { registry, basis, undo, reasons, .. } = self;
        Ok((Operation { op: 0, wave: 0, registry, object, steps, basis, undo, after: Vec::new(), touches, reasons }, vault))
    }
}

impl DraftStep {
    fn seal(&self, key: &ObjectKey, expires: Timestamp, vault: &mut Vec<Sealed>) -> Result<Step> {
        let mut value = |fact: &Fact, value: Option<&str>| -> Result<Value> {
            Ok(match value {
                None => Value::Absent,
                Some(value) if self.own || !fact.is_personal(self.kind) => Value::Clear(value.to_owned()),
                Some(value) => {
                    let sealed = key.seal(fact.as_str(), value.as_bytes(), expires)?;
                    let digest = sealed.digest();
                    vault.push(sealed);
                    Value::Sealed(digest)
                }
            })
        };
        let mut facts = Vec::new();
        for (fact, (was, wanted)) in &self.facts {
            let change = Change { was: value(fact, was.as_deref())?, wanted: value(fact, wanted.as_deref())?, fact: fact.clone() };
            facts.push(change);
        }
        Ok(Step {
            turn: self.turn,
            object: ObjectName { kind: self.kind, id: self.id.clone(), reference: key.reference() },
            facts,
            observed: state_digest(key, self.kind, self.facts.iter().map(|(fact, (was, _))| (fact, was.as_deref()))),
            wanted: state_digest(key, self.kind, self.facts.iter().map(|(fact, (_, wanted))| (fact, wanted.as_deref()))),
        })
    }
}
