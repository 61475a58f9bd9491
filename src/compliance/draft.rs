//! An event on its way into the ledger: read from the values of a row, and told field by field where it is none.

use super::fingerprint::Fingerprint;
use super::import::COLUMNS;
use super::record::{Actor, Element, Happening, Method, Notice, Purpose, Token};
use super::subjects::Subject;
use crate::base::{Personal, Timestamp, escape_controls};
use jiff::civil;
use jiff::tz::TimeZone;

/// The most characters of one value.
const MAX_VALUE: usize = 1_000;

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

/// An event without its subject's id. What its fields are stands at [`super::Record`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the record's of the same name")]
pub struct Draft {
    pub who: Who,
    /// Nothing where it follows from what the event tells.
    pub id: Option<Token>,
    pub purpose: Option<Purpose>,
    pub elements: Vec<Element>,
    pub event: Happening,
    pub at: Timestamp,
    pub expires: Option<Timestamp>,
    pub terms: Option<Token>,
    pub notice: Option<Notice>,
    pub method: Option<Method>,
    pub by: Option<Actor>,
    /// The id of the message it came in, in clear.
    pub message: Option<Personal>,
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

/// The values of one row, by column.
struct Values<'v> {
    values: &'v [Option<&'v str>],
    doubts: Vec<Doubt>,
}

impl<'v> Values<'v> {
    /// The value of a column, without blanks at its ends; nothing where it is empty.
    fn get(&self, column: &str) -> Option<&'v str> {
        let at = COLUMNS.iter().position(|known| *known == column)?;
        self.values.get(at).copied().flatten().map(str::trim).filter(|value| !value.is_empty())
    }

    fn tell(&mut self, id: &'static str, field: &'static str, what: impl Into<String>, remedy: impl Into<String>) {
        self.doubts.push(Doubt { id, field, what: what.into(), remedy: remedy.into() });
    }

    /// A word of a list.
    fn word<T: Copy>(&mut self, field: &'static str, read: fn(&str) -> Option<T>, all: &[T], name: fn(T) -> &'static str) -> Option<T> {
        let value = self.get(field)?;
        let word = read(value);
        if word.is_none() {
            let known: Vec<&str> = all.iter().map(|word| name(*word)).collect();
            self.tell("E-consent-011", field, "the value is none of the known", format!("known: {}", known.join(", ")));
        }
        word
    }

    fn token(&mut self, field: &'static str) -> Option<Token> {
        let value = self.get(field)?;
        let token = Token::read(value);
        if token.is_none() {
            let what = format!(
                "the value is no number or version: it has other characters than letters, digits and ._:/+-, or over {}",
                Token::MAX
            );
            self.tell("E-consent-012", field, what, "give what others number it by; a name or an address never stands in the ledger");
        }
        token
    }

    fn time(&mut self, field: &'static str) -> Option<Timestamp> {
        let value = self.get(field)?;
        let at = time(value);
        if at.is_none() {
            let remedy = "accepted: `2027-01-31T12:00:00Z`, the same with an offset, and `2027-01-31` for its beginning in UTC";
            self.tell("E-consent-013", field, "this is no time, or it has no zone", remedy);
        }
        at
    }
}

/// A time with its zone, or a day; of a plausible year.
fn time(text: &str) -> Option<Timestamp> {
    let day = || text.parse::<civil::Date>().ok().filter(|_| text.len() == 10);
    let at = match day() {
        Some(day) => day.to_zoned(TimeZone::UTC).ok()?.timestamp(),
        None => text.parse::<Timestamp>().ok()?,
    };
    (1985..2200).contains(&at.to_zoned(TimeZone::UTC).year()).then_some(at)
}

impl Draft {
    /// The event that `values` tell, in the order of [`COLUMNS`].
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(values: &[Option<&str>]) -> Result<Self, Vec<Doubt>> {
        let mut row = Values { values, doubts: Vec::new() };
        for (column, value) in COLUMNS.iter().zip(values).filter_map(|(column, value)| Some((*column, (*value)?))) {
            if value.chars().any(char::is_control) {
                row.tell("E-consent-010", column, "the value holds a control character or an end of line", "remove it");
            } else if value.len() > MAX_VALUE {
                row.tell("E-consent-010", column, format!("the value has over {MAX_VALUE} bytes"), "this is no such value");
            }
        }
        let who = row.who();
        let event = row.word("event", Happening::read, Happening::ALL, Happening::as_str);
        if row.get("event").is_none() {
            row.tell("E-consent-014", "event", "it is not said what happened", "fill it in");
        }
        let at = row.time("at");
        if row.get("at").is_none() {
            row.tell("E-consent-014", "at", "it is not said when", "fill it in");
        }
        let purpose = row.word("purpose", Purpose::read, Purpose::ALL, Purpose::as_str);
        let elements = row.elements();
        let (expires, terms, notice) = (row.time("expires"), row.token("terms"), row.notice());
        let method = row.word("method", Method::read, Method::ALL, Method::as_str);
        let by = row.word("by", Actor::read, Actor::ALL, Actor::as_str);
        let (id, message) = (row.token("record_id"), row.get("message_id").map(Personal::new));
        if let Some(event) = event {
            row.hold_together(event, at, expires, terms.is_some(), by);
        }
        match (who, event, at) {
            (Some(who), Some(event), Some(at)) if row.doubts.is_empty() => {
                Ok(Self { who, id, purpose, elements, event, at, expires, terms, notice, method, by, message })
            }
            _ => Err(row.doubts),
        }
    }
}

impl Values<'_> {
    fn who(&mut self) -> Option<Who> {
        let person = ["first", "last", "organisation", "country", "email"].map(|field| self.get(field));
        let (contact, subject) = (["registry", "handle"].map(|field| self.get(field)), self.get("subject"));
        let named = [person.iter().any(Option::is_some), contact.iter().any(Option::is_some), subject.is_some()];
        let remedy = "give `registry` and `handle`, or `first`, `last`, `organisation`, `country` and `email`, or `subject`";
        if named.iter().filter(|there| **there).count() != 1 {
            let what = if named.contains(&true) { "the subject is named in several ways" } else { "the subject is not named" };
            self.tell("E-consent-015", "subject", what, remedy);
            return None;
        }
        if let Some(subject) = subject {
            let read = Subject::read(subject);
            if read.is_none() {
                self.tell("E-consent-015", "subject", "this is no subject's id: it has 32 hexadecimal digits", remedy);
            }
            return read.map(Who::Subject);
        }
        match (contact, person.map(Option::unwrap_or_default)) {
            ([Some(registry), Some(handle)], _) => Some(Who::Contact { registry: registry.into(), handle: handle.into() }),
            ([None, None], [first, last, organisation, country, email]) => {
                let person = Fingerprint::of(&format!("{first} {last}"), organisation, country, email);
                if person.is_none() {
                    let what = "nobody can be told by these: a name or an organisation is needed, and an address";
                    self.tell("E-consent-015", "email", what, remedy);
                }
                person.map(Who::Person)
            }
            _ => {
                self.tell("E-consent-015", "handle", "registry and handle go together", remedy);
                None
            }
        }
    }

    fn elements(&mut self) -> Vec<Element> {
        let mut out = Vec::new();
        for name in self.get("elements").into_iter().flat_map(|all| all.split(';')).map(str::trim).filter(|name| !name.is_empty()) {
            match Element::read(name) {
                Some(element) => out.push(element),
                None => {
                    let known: Vec<&str> = Element::ALL.iter().map(|element| element.as_str()).collect();
                    let what = format!("`{}` is no kind of data", escape_controls(&name.chars().take(24).collect::<String>()));
                    self.tell("E-consent-011", "elements", what, format!("known, joined by `;`: {}", known.join(", ")));
                }
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    fn notice(&mut self) -> Option<Notice> {
        let id = self.token("notice");
        let [version, language, digest] = ["notice_version", "notice_language", "notice_digest"].map(|field| self.token(field));
        let has_details = version.is_some() || language.is_some() || digest.is_some();
        if id.is_none() && has_details && self.get("notice").is_none() {
            self.tell("E-consent-016", "notice", "something is said of a notice that is not named", "name it");
        }
        id.map(|id| Notice { id, version, language, digest })
    }

    /// What only several fields tell.
    fn hold_together(&mut self, event: Happening, at: Option<Timestamp>, expires: Option<Timestamp>, has_terms: bool, by: Option<Actor>) {
        if self.get("purpose").is_none() && !event.may_be_of_all() {
            self.tell(
                "E-consent-014",
                "purpose",
                "it is not said for what",
                "fill it in: only restrictions and objections may be of all purposes",
            );
        }
        if event == Happening::TermsAccepted && !has_terms && self.get("terms").is_none() {
            self.tell("E-consent-016", "terms", "it is not said which terms were accepted", "give their version");
        }
        if expires.is_some() && !event.is_ground() {
            self.tell("E-consent-016", "expires", "only what is given, renewed or accepted expires", "leave it empty");
        }
        if let (Some(at), Some(expires)) = (at, expires)
            && expires <= at
        {
            self.tell("E-consent-016", "expires", "it expires before it begins", "see which of the two times is wrong");
        }
        let is_own = matches!(by, None | Some(Actor::Registrant | Actor::Representative | Actor::Reseller));
        if event.is_ground() && !is_own {
            let what = "nobody but the registrant, or who acts for it, consents or accepts";
            self.tell("E-consent-017", "by", what, "see what the registrant itself said; silence is no consent");
        }
    }
}
