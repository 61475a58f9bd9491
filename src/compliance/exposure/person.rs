//! A contact's row as this module sees it: its elements, and what its person may be.

use super::words::Words;
use crate::dataset::{ContactField as F, Row};
use crate::model::{Element, Properties};
use crate::policy::StandIn;

/// The columns of an element: those of its `int` form, and those of its `loc` form; one without forms has them in the first.
const fn columns(element: Element) -> (&'static [F], &'static [F]) {
    match element {
        Element::Name => (&[F::IntName], &[F::LocName]),
        Element::Organisation => (&[F::IntOrg], &[F::LocOrg]),
        Element::Street => (&[F::IntStreet1, F::IntStreet2, F::IntStreet3], &[F::LocStreet1, F::LocStreet2, F::LocStreet3]),
        Element::City => (&[F::IntCity], &[F::LocCity]),
        Element::State => (&[F::IntSp], &[F::LocSp]),
        Element::PostalCode => (&[F::IntPc], &[F::LocPc]),
        Element::Country => (&[F::IntCc], &[F::LocCc]),
        Element::Voice => (&[F::Voice], &[]),
        Element::Fax => (&[F::Fax], &[]),
        Element::Email => (&[F::Email], &[]),
    }
}

/// A contact.
pub struct Person<'r> {
    row: &'r Row,
    properties: Properties,
}

impl<'r> Person<'r> {
    /// The contact of a row. Properties that cannot be read are none; `validate` tells of them.
    #[must_use]
    pub fn of(row: &'r Row) -> Self {
        let properties = row.get(F::Properties.at()).and_then(|text| Properties::read(text).ok()).unwrap_or_default();
        Self { row, properties }
    }

    /// Its row.
    #[must_use]
    pub const fn row(&self) -> &'r Row {
        self.row
    }

    /// Its properties.
    #[must_use]
    pub const fn properties(&self) -> &Properties {
        &self.properties
    }

    /// The values of an element that are not empty, each with whether it stands in the `loc` form.
    pub fn values(&self, element: Element) -> impl Iterator<Item = (bool, &'r str)> {
        let (int, loc) = columns(element);
        let of = |columns: &'static [F], is_loc: bool| columns.iter().map(move |column| (is_loc, column));
        let all = of(int, false).chain(of(loc, true));
        all.filter_map(|(is_loc, column)| Some((is_loc, self.row.get(column.at()).filter(|value| !value.is_empty())?)))
    }

    /// The first value of an element, of the local form where there is one.
    #[must_use]
    pub fn value(&self, element: Element) -> Option<&'r str> {
        let local = self.values(element).find(|(is_loc, _)| *is_loc);
        local.or_else(|| self.values(element).next()).map(|(_, value)| value)
    }

    /// Whether it has an element.
    #[must_use]
    pub fn has(&self, element: Element) -> bool {
        self.values(element).next().is_some()
    }

    /// Its organisation, where it names one.
    #[must_use]
    pub fn organisation(&self) -> Option<&'r str> {
        self.values(Element::Organisation).map(|(_, org)| org).find(|org| !Words::get().is_blank(org))
    }

    /// Whether an organisation stands there that is none (EUR-2).
    #[must_use]
    pub fn has_blank_organisation(&self) -> bool {
        self.has(Element::Organisation) && self.organisation().is_none()
    }

    /// Whether what it holds of an element only says that the true one is withheld.
    #[must_use]
    pub fn is_placeholder(&self, element: Element) -> bool {
        let mut values = self.values(element).map(|(_, value)| value).peekable();
        values.peek().is_some() && values.all(|value| Words::get().is_placeholder(value))
    }

    /// Whether the registry's own data stand here in the place of what is withheld.
    #[must_use]
    pub fn is_stand_in(&self, stand_in: &StandIn) -> bool {
        self.row().is_stand_in(stand_in)
    }

    /// What a condition of a profile asks for: a property, or a field of the contact. An organisation that is none is not there.
    #[must_use]
    pub fn asked(&self, field: &str) -> Option<&str> {
        if let Some(value) = self.properties.get(field) {
            return Some(value);
        }
        let element = Element::ALL.iter().copied().find(|element| element.field() == field)?;
        if element == Element::Organisation { self.organisation() } else { self.value(element) }
    }
}
