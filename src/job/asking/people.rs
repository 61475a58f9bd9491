//! Whom messages are for, by the local records.

use crate::base::{Personal, RegistryId, Result};
use crate::compliance::asking::Person as PersonKind;
use crate::compliance::exposure::Person;
use crate::compliance::{Element, Fingerprint};
use crate::dataset::{Records, Row, bucket_of};
use crate::model::ObjectKind;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the record of a registrant says.
#[derive(Clone, Debug)]
pub(super) struct Registrant {
    /// Who it is; nothing where nobody can be told by the record.
    pub(super) person: Option<Fingerprint>,
    /// What kind of person it is.
    pub(super) kind: PersonKind,
    /// The kinds of data that the record holds.
    pub(super) elements: BTreeSet<Element>,
    /// What it is called.
    pub(super) name: Personal,
    /// Its own address.
    pub(super) email: Personal,
}

impl Registrant {
    /// The registrant of a contact's row.
    pub(super) fn of(row: &Row) -> Self {
        let contact = Person::of(row);
        let organisation = contact.organisation();
        let kind = if organisation.is_some() { PersonKind::Organisation } else { PersonKind::Individual };
        let is_held = |element: &Element| match element {
            Element::Organisation => organisation.is_some(),
            element => contact.has(*element),
        };
        Self {
            person: Fingerprint::of_row(row),
            kind,
            elements: Element::ALL.iter().copied().filter(is_held).collect(),
            name: Personal::new(contact.value(Element::Name).or(organisation).unwrap_or_default()),
            email: Personal::new(contact.value(Element::Email).unwrap_or_default().trim()),
        }
    }
}

/// The rows of the local records of some objects, by registry and id.
///
/// # Errors
/// `E-parquet-…` where they cannot be read.
pub(super) fn rows_of<'o>(
    records: &Records,
    kind: ObjectKind,
    wanted: impl Iterator<Item = (&'o RegistryId, &'o str)>,
) -> Result<HashMap<(RegistryId, Box<str>), Row>> {
    let known: BTreeSet<&RegistryId> = records.registries().collect();
    let mut buckets: BTreeMap<(&RegistryId, u32), BTreeSet<&str>> = BTreeMap::new();
    for (registry, id) in wanted.filter(|(registry, _)| known.contains(registry)) {
        buckets.entry((registry, bucket_of(registry, kind, id, records.buckets_log2()))).or_default().insert(id);
    }
    let mut rows = HashMap::new();
    for ((registry, bucket), ids) in buckets {
        let all = records.rows(registry, kind, bucket)?.into_iter().filter(|row| ids.contains(row.id()));
        rows.extend(all.map(|row| ((registry.clone(), Box::from(row.id())), row)));
    }
    Ok(rows)
}
