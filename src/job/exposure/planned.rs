//! What a plan makes of the objects of one registry, applied to what was observed of them.

use crate::base::Result;
use crate::dataset::{ContactField, DomainField, Row, columns};
use crate::job::config::Config;
use crate::job::opening::open_store;
use crate::model::{ObjectKind, Properties};
use crate::plan::{Fact, PlanFile, Turn, Value};
use crate::store::Vault;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// What stands for a value that the vault does not have any more: that there is one is all that is known.
const SOMETHING: &str = "sealed value";

/// An object of a registry.
type Key = (ObjectKind, Box<str>);

/// What a plan does to an object: the last turn, and its facts.
#[derive(Debug)]
struct Planned {
    turn: Turn,
    facts: Vec<(Fact, Option<String>)>,
}

/// What a plan makes of objects, by registry: in memory as large as the plan is.
#[derive(Debug, Default)]
pub(super) struct PlannedChanges(BTreeMap<String, HashMap<Key, Planned>>);

impl PlannedChanges {
    /// Reads a plan, and the values that it sealed.
    ///
    /// # Errors
    /// As [`PlanFile::open`] (exit 21); `E-vault-002`, `E-store-…`.
    pub(super) fn read(path: &Path, config: &Config) -> Result<Self> {
        let plan = PlanFile::open(path)?;
        let mut store = open_store(config)?;
        let mut vault = Vault::new(&mut store);
        let mut all = Self::default();
        for operation in plan.operations()? {
            let operation = operation?;
            let of_registry = all.0.entry(operation.registry).or_default();
            for step in operation.steps {
                let key = vault.key(step.object.reference)?;
                let slot = of_registry.entry((step.object.kind, step.object.id.as_str().into()));
                let planned = slot.or_insert_with(|| Planned { turn: step.turn, facts: Vec::new() });
                planned.turn = step.turn;
                for change in step.changes() {
                    let value = match &change.wanted {
                        Value::Absent => None,
                        Value::Clear(text) => Some(text.clone()),
                        Value::Sealed(digest) => {
                            let opened = key.as_ref().map(|key| vault.open(key, change.fact.as_str(), digest)).transpose()?.flatten();
                            Some(opened.map_or_else(|| SOMETHING.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned()))
                        }
                    };
                    planned.facts.push((change.fact.clone(), value));
                }
            }
        }
        Ok(all)
    }

    /// What it makes of an object that stands as `row`: nothing where it deletes it; the row as it is where the plan is not about it.
    pub(super) fn after(&self, registry: &str, kind: ObjectKind, id: &str, row: Option<&Row>) -> Option<Row> {
        match self.0.get(registry).and_then(|of| of.get(&(kind, id.into()))) {
            None => row.cloned(),
            Some(Planned { turn: Turn::Delete, .. }) => None,
            Some(Planned { facts, .. }) => Some(applied(kind, id, row, facts)),
        }
    }

    /// Whether the plan is about an object.
    pub(super) fn touches(&self, registry: &str, kind: ObjectKind, id: &str) -> bool {
        self.0.get(registry).is_some_and(|of| of.contains_key(&(kind, id.into())))
    }

    /// The contacts of a registry that the plan is about, in no order.
    pub(super) fn contacts(&self, registry: &str) -> impl Iterator<Item = &str> {
        let all = self.0.get(registry).into_iter().flat_map(HashMap::keys);
        all.filter(|(kind, _)| *kind == ObjectKind::Contact).map(|(_, id)| &**id)
    }
}

/// A row with those facts set.
fn applied(kind: ObjectKind, id: &str, row: Option<&Row>, facts: &[(Fact, Option<String>)]) -> Row {
    let names = columns(kind);
    let mut values: Vec<Option<String>> = (0..names.len()).map(|at| row.and_then(|row| row.get(at)).map(ToOwned::to_owned)).collect();
    let properties = match kind {
        ObjectKind::Contact => ContactField::Properties.at(),
        ObjectKind::Domain => DomainField::Properties.at(),
    };
    // Who sees what does not depend on statuses, so that they stay.
    for (fact, wanted) in facts {
        if let Some(key) = fact.as_property() {
            if let Some(slot) = values.get_mut(properties) {
                *slot = with_property(slot.as_deref(), key, wanted.as_deref());
            }
        } else if fact.as_status().is_none()
            && let Some(slot) = names.iter().position(|column| column.name == fact.as_str()).and_then(|at| values.get_mut(at))
        {
            slot.clone_from(wanted);
        }
    }
    Row::new(id, values.iter().map(Option::as_deref))
}

/// Properties with one of them set, or taken out.
fn with_property(text: Option<&str>, key: &str, wanted: Option<&str>) -> Option<String> {
    let held = Properties::read(text.unwrap_or_default()).unwrap_or_default();
    let mut out = Properties::new();
    for (name, value) in held.iter().filter(|(name, _)| *name != key) {
        out.set(name, value);
    }
    if let Some(value) = wanted {
        out.set(key, value);
    }
    Some(out.to_text()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: ObjectKind, fields: &[(&str, &str)]) -> Row {
        let value = |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        Row::new("A-1", columns(kind).iter().map(|column| value(column.name)))
    }

    #[test]
    fn facts_are_set_and_taken_out() {
        let before = row(ObjectKind::Contact, &[("loc_name", "Ada"), ("email", "a@b.example"), ("properties", "a=1;b=2")]);
        let facts = [
            (Fact::column("loc_name"), Some("Grace".to_owned())),
            (Fact::column("email"), None),
            (Fact::property("b"), Some("3".to_owned())),
            (Fact::property("a"), None),
            (Fact::status("linked"), Some(Fact::SET.to_owned())),
        ];
        let after = applied(ObjectKind::Contact, "A-1", Some(&before), &facts);
        assert_eq!(after, row(ObjectKind::Contact, &[("loc_name", "Grace"), ("properties", "b=3")]));
        let made = applied(ObjectKind::Contact, "A-1", None, &facts[..1]);
        assert_eq!(made, row(ObjectKind::Contact, &[("loc_name", "Grace")]));
    }
}
