//! The values of one row of an import, read column by column and told field by field where they are none.

use super::fingerprint::Fingerprint;
use super::record::{Element, Token};
use super::subjects::Subject;
use crate::base::{Timestamp, escape_controls};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The most bytes of one value, but for a text.
const MAX_VALUE: usize = 1_000;
/// The most bytes of a text.
pub(super) const MAX_TEXT: usize = 20_000;
/// What the columns that name a person by its parts are called.
pub(super) const PARTS: [&str; 5] = ["first", "last", "organisation", "country", "email"];

/// Whom an event is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Somebody the ledger has, by id.
    Subject(Subject),
    /// Somebody by name and address.
    Person(Fingerprint),
    /// The contact of that handle in the local records.
    Contact {
        /// The registry.
        registry: Box<str>,
        /// The handle.
        handle: Box<str>,
    },
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The stable id.
    pub id: &'static str,
    /// The column.
    pub field: &'static str,
    /// What is wrong; no value stands in it.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// The ids of what can be wrong with the rows of one kind of ledger.
#[derive(Debug)]
pub struct Ids {
    /// A value that is too long or holds what no text holds.
    pub(super) shape: &'static str,
    /// A word that is none of the known.
    pub(super) word: &'static str,
    /// A token that is none.
    pub(super) token: &'static str,
    /// A time or a day that is none.
    pub(super) time: &'static str,
    /// A value that is missing.
    pub(super) missing: &'static str,
    /// A subject that is not named, or in several ways.
    pub(super) whose: &'static str,
    /// More rows than one import takes.
    pub(super) too_many: &'static str,
    /// A contact that the local records do not have.
    pub(super) no_contact: &'static str,
    /// A subject that the ledger does not have.
    pub(super) no_subject: &'static str,
    /// An event of the same id that tells something else.
    pub(super) changed: &'static str,
}

/// The values of one row, by column.
pub(super) struct Values<'v> {
    columns: &'v [&'static str],
    row: &'v [Option<&'v str>],
    ids: &'static Ids,
    /// What is wrong with them.
    pub(super) doubts: Vec<Doubt>,
}

impl<'v> Values<'v> {
    /// The values of a row with those columns; `is_text` says of which a text may be long and have several lines.
    pub(super) fn of(
        columns: &'v [&'static str],
        values: &'v [Option<&'v str>],
        ids: &'static Ids,
        is_text: impl Fn(&str) -> bool,
    ) -> Self {
        let mut row = Self { columns, row: values, ids, doubts: Vec::new() };
        for (column, value) in columns.iter().zip(values).filter_map(|(column, value)| Some((*column, (*value)?))) {
            let (cap, may_break) = if is_text(column) { (MAX_TEXT, true) } else { (MAX_VALUE, false) };
            if value.chars().any(|c| c.is_control() && !(may_break && matches!(c, '\n' | '\r' | '\t'))) {
                let what = if may_break { "" } else { " or an end of line" };
                row.tell(ids.shape, column, format!("the value holds a control character{what}"), "remove it");
            } else if value.len() > cap {
                row.tell(ids.shape, column, format!("the value has over {cap} bytes"), "this is no such value");
            }
        }
        row
    }

    /// The value of a column, without blanks at its ends; nothing where it is empty.
    pub(super) fn get(&self, column: &str) -> Option<&'v str> {
        let at = self.columns.iter().position(|known| *known == column)?;
        self.row.get(at).copied().flatten().map(str::trim).filter(|value| !value.is_empty())
    }

    pub(super) fn tell(&mut self, id: &'static str, field: &'static str, what: impl Into<String>, remedy: impl Into<String>) {
        self.doubts.push(Doubt { id, field, what: what.into(), remedy: remedy.into() });
    }

    /// Tells that a column is empty that has to be filled.
    pub(super) fn missing(&mut self, field: &'static str, what: impl Into<String>) {
        self.tell(self.ids.missing, field, what, "fill it in");
    }

    /// A word of a list.
    pub(super) fn word<T: Copy>(
        &mut self,
        field: &'static str,
        read: fn(&str) -> Option<T>,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        let value = self.get(field)?;
        let word = read(value);
        if word.is_none() {
            self.no_word(field, all.iter().map(|word| name(*word)));
        }
        word
    }

    /// Tells that a value is none of those words.
    pub(super) fn no_word<'w>(&mut self, field: &'static str, known: impl IntoIterator<Item = &'w str>) {
        let known: Vec<&str> = known.into_iter().collect();
        self.tell(self.ids.word, field, "the value is none of the known", format!("known: {}", known.join(", ")));
    }

    pub(super) fn token(&mut self, field: &'static str) -> Option<Token> {
        let value = self.get(field)?;
        let token = Token::read(value);
        if token.is_none() {
            let what = format!(
                "the value is no number or version: it has other characters than letters, digits and ._:/+-, or over {}",
                Token::MAX
            );
            self.tell(self.ids.token, field, what, "give what others number it by; a name or an address never stands in the ledger");
        }
        token
    }

    pub(super) fn time(&mut self, field: &'static str) -> Option<Timestamp> {
        let value = self.get(field)?;
        let at = time(value);
        if at.is_none() {
            let remedy = "accepted: `2027-01-31T12:00:00Z`, the same with an offset, and `2027-01-31` for its beginning in UTC";
            self.tell(self.ids.time, field, "this is no time, or it has no zone", remedy);
        }
        at
    }

    pub(super) fn date(&mut self, field: &'static str) -> Option<Date> {
        let value = self.get(field)?;
        let day = day(value).filter(|day| is_plausible(*day));
        if day.is_none() {
            self.tell(self.ids.time, field, "this is no day of the calendar", "accepted: `2027-01-31`");
        }
        day
    }

    pub(super) fn elements(&mut self, field: &'static str) -> Vec<Element> {
        let mut out = Vec::new();
        for name in self.get(field).into_iter().flat_map(|all| all.split(';')).map(str::trim).filter(|name| !name.is_empty()) {
            match Element::read(name) {
                Some(element) => out.push(element),
                None => {
                    let known: Vec<&str> = Element::ALL.iter().map(|element| element.as_str()).collect();
                    let what = format!("`{}` is no kind of data", escape_controls(&name.chars().take(24).collect::<String>()));
                    self.tell(self.ids.word, field, what, format!("known, joined by `;`: {}", known.join(", ")));
                }
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Whom the row is of; nobody may be named unless `is_needed`.
    pub(super) fn who(&mut self, is_needed: bool) -> Option<Who> {
        let person = PARTS.map(|field| self.get(field));
        let (contact, subject) = (["registry", "handle"].map(|field| self.get(field)), self.get("subject"));
        let named = [person.iter().any(Option::is_some), contact.iter().any(Option::is_some), subject.is_some()];
        let remedy = "give `registry` and `handle`, or `first`, `last`, `organisation`, `country` and `email`, or `subject`";
        let ways = named.iter().filter(|there| **there).count();
        if ways == 0 && !is_needed {
            return None;
        }
        if ways != 1 {
            let what = if ways > 1 { "the subject is named in several ways" } else { "the subject is not named" };
            self.tell(self.ids.whose, "subject", what, remedy);
            return None;
        }
        if let Some(subject) = subject {
            let read = Subject::read(subject);
            if read.is_none() {
                self.tell(self.ids.whose, "subject", "this is no subject's id: it has 32 hexadecimal digits", remedy);
            }
            return read.map(Who::Subject);
        }
        match (contact, person.map(Option::unwrap_or_default)) {
            ([Some(registry), Some(handle)], _) => Some(Who::Contact { registry: registry.into(), handle: handle.into() }),
            ([None, None], [first, last, organisation, country, email]) => {
                let person = Fingerprint::of(&format!("{first} {last}"), organisation, country, email);
                if person.is_none() {
                    let what = "nobody can be told by these: a name or an organisation is needed, and an address";
                    self.tell(self.ids.whose, "email", what, remedy);
                }
                person.map(Who::Person)
            }
            _ => {
                self.tell(self.ids.whose, "handle", "registry and handle go together", remedy);
                None
            }
        }
    }
}

/// A time with its zone, or a day; of a plausible year.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let at = match day(text) {
        Some(day) => day.to_zoned(TimeZone::UTC).ok()?.timestamp(),
        None => text.parse::<Timestamp>().ok()?,
    };
    is_plausible(at.to_zoned(TimeZone::UTC).date()).then_some(at)
}

/// A day as `2027-01-31`.
fn day(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|_| text.len() == 10)
}

fn is_plausible(day: Date) -> bool {
    (1985..2200).contains(&day.year())
}
