//! A row as rules see it: its values by the names of fields.

use crate::dataset::{ContactField, Row};
use crate::model::{PostalForm, Properties};

/// The columns of one form of an address, by field.
type Part = (&'static str, &'static [ContactField], &'static [ContactField]);

/// The fields that stand in a form of an address: their names, and their columns in `int` and in `loc`.
const PARTS: [Part; 7] = {
    use ContactField as F;
    [
        ("name", &[F::IntName], &[F::LocName]),
        ("org", &[F::IntOrg], &[F::LocOrg]),
        ("street", &[F::IntStreet1, F::IntStreet2, F::IntStreet3], &[F::LocStreet1, F::LocStreet2, F::LocStreet3]),
        ("city", &[F::IntCity], &[F::LocCity]),
        ("sp", &[F::IntSp], &[F::LocSp]),
        ("pc", &[F::IntPc], &[F::LocPc]),
        ("cc", &[F::IntCc], &[F::LocCc]),
    ]
};

/// The fields that stand beside the address, with their columns.
const BESIDE: [(&str, &[ContactField]); 3] =
    [("voice", &[ContactField::Voice]), ("fax", &[ContactField::Fax]), ("email", &[ContactField::Email])];

/// Where the values of a field stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The object's id.
    Id,
    /// Which forms of an address there are.
    Form,
    /// In each form of the address: the position in [`PARTS`].
    Address(usize),
    /// Beside it: the position in [`BESIDE`].
    Beside(usize),
    /// Among the additional properties.
    Property,
}

impl Place {
    /// Where a contact's field called `name` stands.
    pub(super) fn of_contact(name: &str) -> Self {
        let address = || PARTS.iter().position(|(part, ..)| *part == name).map(Self::Address);
        let beside = || BESIDE.iter().position(|(field, _)| *field == name).map(Self::Beside);
        match name {
            "id" => Self::Id,
            "form" => Self::Form,
            _ => address().or_else(beside).unwrap_or(Self::Property),
        }
    }

    /// Whether its values are tokens on the line (RFC 5733 §4): blanks at their ends are none of theirs.
    pub(super) fn is_token(self) -> bool {
        match self {
            Self::Id | Self::Form | Self::Beside(_) => true,
            Self::Address(_) => !self.is_words(),
            Self::Property => false,
        }
    }

    /// Whether it holds words that people write and read: where look-alikes matter.
    pub(super) fn is_words(self) -> bool {
        matches!(self, Self::Address(part) if PARTS.get(part).is_some_and(|(name, ..)| !matches!(*name, "pc" | "cc")))
    }
}

/// The names of a contact's fields that have columns, in the order of the table.
pub(super) fn contact_fields() -> impl Iterator<Item = &'static str> {
    ["id", "form"].into_iter().chain(PARTS.iter().map(|(name, ..)| *name)).chain(BESIDE.iter().map(|(name, _)| *name))
}

/// A row, with its properties opened where it has any.
pub(super) struct Subject<'r> {
    /// The row.
    pub(super) row: &'r Row,
    /// Its properties.
    pub(super) properties: Properties,
    /// The forms of address it has, for a contact.
    forms: [Option<PostalForm>; 2],
}

impl<'r> Subject<'r> {
    /// A contact's row.
    pub(super) fn contact(row: &'r Row) -> (Self, Option<String>) {
        let (properties, fault) = opened(row.get(ContactField::Properties.at()));
        let any = |columns: fn(&Part) -> &'static [ContactField]| PARTS.iter().flat_map(columns).any(|c| row.get(c.at()).is_some());
        let forms = [any(|part| part.1).then_some(PostalForm::Int), any(|part| part.2).then_some(PostalForm::Loc)];
        (Self { row, properties, forms }, fault)
    }

    /// A domain's row, whose properties stand at column `at`.
    pub(super) fn domain(row: &'r Row, at: usize) -> (Self, Option<String>) {
        let (properties, fault) = opened(row.get(at));
        (Self { row, properties, forms: [None, None] }, fault)
    }

    /// The forms of address it has.
    pub(super) fn forms(&self) -> impl Iterator<Item = PostalForm> + use<> {
        self.forms.into_iter().flatten()
    }

    /// The values of a field in a form, each with its number from 1.
    pub(super) fn values<'s>(&'s self, place: Place, name: &'s str, form: Option<PostalForm>) -> impl Iterator<Item = (usize, &'s str)> {
        let columns: &'static [ContactField] = match place {
            Place::Address(part) => PARTS.get(part).map_or(&[], |(_, int, loc)| match form {
                Some(PostalForm::Int) => int,
                Some(PostalForm::Loc) => loc,
                None => &[],
            }),
            Place::Beside(field) => BESIDE.get(field).map_or(&[], |(_, columns)| columns),
            Place::Id | Place::Form | Place::Property => &[],
        };
        let single = match place {
            Place::Id => Some(self.row.id()),
            Place::Property => self.properties.get(name),
            Place::Form | Place::Address(_) | Place::Beside(_) => None,
        };
        let forms = self.forms().enumerate().filter(move |_| place == Place::Form).map(|(n, form)| (n + 1, form.as_str()));
        let stored = columns.iter().enumerate().filter_map(|(n, column)| Some((n + 1, self.row.get(column.at())?)));
        // What has no column any more stands with the properties, and belongs to the one form a registry with such fields has.
        let here = match place {
            Place::Address(_) => form == self.forms().last(),
            Place::Beside(_) => true,
            Place::Id | Place::Form | Place::Property => false,
        };
        let further = self.further(name).filter(move |_| here);
        single.map(|value| (1, value)).into_iter().chain(forms).chain(stored).chain(further)
    }

    /// The first value of a field in a form.
    pub(super) fn value<'s>(&'s self, place: Place, name: &'s str, form: Option<PostalForm>) -> Option<&'s str> {
        match (place, form) {
            (Place::Form, Some(form)) => Some(form.as_str()),
            // What stands beside the address is judged by the address there is.
            (Place::Address(_), None) => self.forms().find_map(|form| self.values(place, name, Some(form)).next()).map(|(_, value)| value),
            _ => self.values(place, name, form).next().map(|(_, value)| value),
        }
    }

    /// The values of `name` that stand as properties `name.N`.
    pub(super) fn further<'s>(&'s self, name: &'s str) -> impl Iterator<Item = (usize, &'s str)> {
        self.properties.iter().filter_map(move |(key, value)| {
            let (base, number) = numbered(key)?;
            (base == name).then_some((number, value))
        })
    }
}

/// Whether a property's key is that of a contact field's further value.
pub(super) fn is_further_of_contact(key: &str) -> bool {
    numbered(key).is_some_and(|(base, _)| matches!(Place::of_contact(base), Place::Address(_) | Place::Beside(_)))
}

/// A key `name.N` in its two parts.
pub(super) fn numbered(key: &str) -> Option<(&str, usize)> {
    let (base, number) = key.rsplit_once('.')?;
    let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
    Some((base, number.parse().ok().filter(|_| plain)?))
}

/// The properties in a column, and why they are none.
fn opened(text: Option<&str>) -> (Properties, Option<String>) {
    match text.map(Properties::read) {
        None => (Properties::default(), None),
        Some(Ok(properties)) => (properties, None),
        Some(Err(fault)) => (Properties::default(), Some(fault)),
    }
}
