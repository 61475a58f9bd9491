//! An event on its way into a register: read from the values of a row, and told field by field where it is none.

use super::schema::{Column, Kind, Register, Use};
use crate::base::{Personal, Timestamp};
use crate::compliance::import::Imported;
use crate::compliance::record::Token;
use crate::compliance::values::{Doubt, Ids, Values, Who};
use std::collections::BTreeMap;

/// What can be wrong with rows of registers.
pub(super) static IDS: Ids = Ids {
    shape: "E-register-010",
    word: "E-register-011",
    token: "E-register-012",
    time: "E-register-013",
    missing: "E-register-014",
    whose: "E-register-015",
    too_many: "E-register-018",
    no_contact: "E-register-019",
    no_subject: "E-register-020",
    changed: "E-register-021",
};

/// What an export has in the place of a sealed text; an import takes it for what is there already.
pub(super) const KEPT: &str = "(sealed)";

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// It may stand in a chain, and has the one form that it has there.
    Clear(Box<str>),
    /// It is to be sealed.
    Text(Personal),
    /// It is sealed already, with the event of that id.
    Kept,
}

/// An event without its subject's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Whom the case is of, where the row says so.
    pub who: Option<Who>,
    /// Its own id; nothing where it follows from what the event tells.
    pub id: Option<Token>,
    /// The case.
    pub case: Token,
    /// What happened.
    pub event: &'static str,
    /// When.
    pub at: Timestamp,
    /// The values, by column.
    pub values: BTreeMap<&'static str, Given>,
}

impl Imported for Draft {
    fn ids() -> &'static Ids {
        &IDS
    }

    fn who(&self) -> Option<&Who> {
        self.who.as_ref()
    }

    fn belongs_to(&mut self, who: Who) {
        self.who = Some(who);
    }
}

impl Draft {
    /// The event that `values` tell, in the order of `columns`, which are the register's.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(register: &'static Register, columns: &[&'static str], values: &[Option<&str>]) -> Result<Self, Vec<Doubt>> {
        let mut row = Values::of(columns, values, &IDS, |name| register.column(name).is_some_and(|column| column.kind == Kind::Text));
        let event = row.get("event").and_then(|name| register.event(name));
        if row.get("event").is_none() {
            row.missing("event", "it is not said what happened");
        } else if event.is_none() {
            row.no_word("event", register.events.iter().map(|event| &*event.name));
        }
        let case = row.token("case");
        if row.get("case").is_none() {
            row.missing("case", "it is not said of which case");
        }
        let at = row.time("at");
        if row.get("at").is_none() {
            row.missing("at", "it is not said when");
        }
        let begins = event.is_some_and(|event| event.opens && event.from.is_empty());
        let who = if register.subject == Use::None { None } else { row.who(begins && register.subject == Use::Needed) };
        let id = row.token("record_id");
        let mut given = BTreeMap::new();
        for column in &register.columns {
            given.extend(row.own(column).map(|value| (&*column.name, value)));
        }
        for (event, name) in event.into_iter().flat_map(|event| event.needs.iter().map(move |name| (event, name))) {
            if row.get(name).is_none() {
                row.missing(name, format!("`{}` always says {}", event.name, register.column(name).map_or("it", |column| &column.about)));
            }
        }
        for refusal in &register.refusals {
            let stands = matches!(given.get(&*refusal.when.column), Some(Given::Clear(value)) if refusal.when.holds(Some(value)));
            if stands && refusal.unless.as_ref().is_none_or(|column| !given.contains_key(&**column)) {
                row.tell("E-register-016", &refusal.when.column, &*refusal.what, &*refusal.remedy);
            }
        }
        if id.is_none() && given.values().any(|value| *value == Given::Kept) && row.get("record_id").is_none() {
            row.missing("record_id", "what is sealed already is told by the event's own id");
        }
        match (event, case, at) {
            (Some(event), Some(case), Some(at)) if row.doubts.is_empty() => {
                Ok(Self { who, id, case, event: &event.name, at, values: given })
            }
            _ => Err(row.doubts),
        }
    }
}

impl Values<'_> {
    /// The value of one of the register's own columns.
    fn own(&mut self, column: &'static Column) -> Option<Given> {
        let name: &'static str = &column.name;
        let value = self.get(name)?;
        let clear = |text: String| Given::Clear(text.into());
        match column.kind {
            Kind::Token => self.token(name).map(|token| clear(token.to_string())),
            Kind::Word => {
                let is_known = column.words.iter().any(|word| **word == *value);
                if !is_known {
                    self.no_word(name, column.words.iter().map(|word| &**word));
                }
                is_known.then(|| clear(value.to_owned()))
            }
            Kind::Time => self.time(name).map(|at| clear(at.to_string())),
            Kind::Date => self.date(name).map(|day| clear(day.to_string())),
            Kind::Number => {
                let number = number(value);
                if number.is_none() {
                    self.tell("E-register-017", name, "this is no whole number", "accepted: digits alone, such as `1250`");
                }
                number.map(|number| clear(number.to_string()))
            }
            Kind::Country => {
                let country = self.country(name, value)?;
                Some(clear(country))
            }
            Kind::Elements => {
                let elements = self.elements(name);
                let names: Vec<&str> = elements.iter().map(|element| element.as_str()).collect();
                (!names.is_empty()).then(|| clear(names.join(";")))
            }
            Kind::Counts => self.counts(name, value).map(clear),
            Kind::Text if value == KEPT => Some(Given::Kept),
            Kind::Text => Some(Given::Text(Personal::new(value))),
        }
    }

    fn country(&mut self, name: &'static str, value: &str) -> Option<String> {
        let is_one = value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase()) && is_country(value);
        if !is_one {
            let near = match value.to_ascii_uppercase().as_str() {
                "UK" => "; for the United Kingdom it is GB",
                "EL" => "; for Greece it is GR",
                _ => "",
            };
            self.tell("E-register-017", name, "this is no country", format!("give its two capital letters of ISO 3166-1{near}"));
        }
        is_one.then(|| value.to_owned())
    }

    fn counts(&mut self, name: &'static str, value: &str) -> Option<String> {
        let mut counts = BTreeMap::new();
        for part in value.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let read = part.split_once(':').and_then(|(country, count)| Some((country.trim(), number(count.trim())?)));
            let read = read.filter(|(country, _)| *country == "XX" || is_country(country));
            if read.is_none_or(|(country, count)| counts.insert(country, count).is_some()) {
                let remedy = "accepted: `DE:12;FR:3`, each country once, `XX` where it is not known";
                self.tell("E-register-017", name, "these are no numbers by country", remedy);
                return None;
            }
        }
        let told: Vec<String> = counts.iter().map(|(country, count)| format!("{country}:{count}")).collect();
        Some(told.join(";"))
    }
}

fn is_country(code: &str) -> bool {
    code == "AQ" || iso3166::Country::from_alpha2(code).is_some()
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}
