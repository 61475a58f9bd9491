//! One record on its way into a table: an object's fields, changeable.

use crate::dataset::{ContactField, DomainField, Row, contact_row, domain_row};
use crate::model::{Contact, Domain, StatusValue};

/// An object's id and its fields in the order of its columns; a missing one is empty. It holds personal data.
#[derive(Clone)]
pub(super) struct Record {
    id: String,
    fields: Vec<String>,
}

impl Record {
    /// The record of `contact`, in canonical form.
    pub(super) fn contact(contact: &Contact) -> Self {
        let mut record = Self::of(&contact_row(contact));
        record.edit(ContactField::Statuses.at(), set_by_somebody);
        record
    }

    /// The record of `domain`, in canonical form.
    pub(super) fn domain(domain: &Domain) -> Self {
        let mut record = Self::of(&domain_row(domain));
        record.edit(DomainField::Statuses.at(), set_by_somebody);
        record.edit(DomainField::Expires.at(), |at| at.get(..10).unwrap_or(at).to_owned());
        record
    }

    fn of(row: &Row) -> Self {
        Self { id: row.id().to_owned(), fields: row.fields().map(|f| f.unwrap_or_default().to_owned()).collect() }
    }

    /// The handle or the name.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Gives it another id.
    pub(super) fn rename(&mut self, id: String) {
        self.id = id;
    }

    /// The fields in order.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> + Clone {
        self.fields.iter().map(String::as_str)
    }

    /// The field at `at`, empty where there is none.
    pub(super) fn get(&self, at: usize) -> &str {
        self.fields.get(at).map_or("", String::as_str)
    }

    /// Sets the field at `at`.
    pub(super) fn set(&mut self, at: usize, value: String) {
        if let Some(field) = self.fields.get_mut(at) {
            *field = value;
        }
    }

    /// Replaces the field at `at` by what `edit` makes of it, where there is one.
    pub(super) fn edit(&mut self, at: usize, edit: impl FnOnce(&str) -> String) {
        if let Some(field) = self.fields.get_mut(at)
            && !field.is_empty()
        {
            *field = edit(field);
        }
    }
}

/// Sorted statuses without those that a registry computes by itself (RFC 5731 §2.3, RFC 5733 §2.2).
fn set_by_somebody(statuses: &str) -> String {
    let computed = [StatusValue::OK, StatusValue::LINKED, StatusValue::INACTIVE];
    let kept: Vec<&str> = statuses.split(';').filter(|s| !computed.iter().any(|c| c.as_str() == *s)).collect();
    kept.join(";")
}
