//! What a register is: data, embedded and read once.

use crate::model::{Confidence, FindingSeverity};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// The registers.
const EMBEDDED: &str = include_str!("../packs/registers.toml");

/// The columns before a register's own.
const FIRST: [&str; 4] = ["record_id", "case", "event", "at"];
/// The columns that name a subject.
const WHOSE: [&str; 8] = ["registry", "handle", "first", "last", "organisation", "country", "email", "subject"];

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(rename = "dated")]
    _dated: Date,
    #[serde(rename = "register")]
    registers: Vec<Register>,
}

/// One register.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Its name, which is its verb's.
    pub name: Box<str>,
    /// What stands in it.
    pub about: Box<str>,
    /// Whether its cases are of somebody.
    pub subject: Use,
    /// States in which something is still to be done or to be kept.
    pub open: Vec<Box<str>>,
    /// States in which nothing is.
    pub closed: Vec<Box<str>>,
    /// States in which what is kept apart is needed.
    #[serde(default)]
    pub(super) evidenced: Vec<Box<str>>,
    /// Its own columns.
    pub columns: Vec<Column>,
    /// Its events.
    #[serde(rename = "event")]
    pub events: Vec<Happening>,
    /// What a case needs to be whole.
    #[serde(default)]
    pub(super) complete: Vec<Box<str>>,
    /// Where it does; always, where nothing is said.
    pub(super) complete_when: Option<When>,
    /// What it needs besides.
    #[serde(default)]
    pub(super) complete_more: Vec<More>,
    /// Its deadlines.
    #[serde(rename = "deadline", default)]
    pub(super) deadlines: Vec<Limit>,
    /// What can be amiss with a case.
    #[serde(rename = "check", default)]
    pub(super) checks: Vec<Check>,
    /// Rows that are no events.
    #[serde(rename = "refuse", default)]
    pub(super) refusals: Vec<Refusal>,
    /// What of a person's an open case keeps from being changed.
    #[serde(rename = "block", default)]
    pub(super) blocks: Vec<Blocking>,
}

/// Whether cases have something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// Each has.
    Needed,
    /// Some have.
    May,
    /// None has.
    None,
}

/// A column.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: Box<str>,
    /// What stands in it.
    pub kind: Kind,
    /// The words, where it is a word.
    #[serde(default)]
    pub words: Vec<Box<str>>,
    /// Under whose key a text is sealed.
    #[serde(default)]
    pub(super) under: Under,
    /// Whether a text is kept apart from everything else, and only ever counted.
    #[serde(default)]
    pub apart: bool,
    /// What it tells.
    pub about: Box<str>,
}

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What others number it by.
    Token,
    /// A word of a list.
    Word,
    /// A time.
    Time,
    /// A day.
    Date,
    /// A whole number.
    Number,
    /// A country (ISO 3166-1 alpha-2).
    Country,
    /// Kinds of data.
    Elements,
    /// Numbers by country.
    Counts,
    /// A text, which is sealed.
    Text,
}

/// Under whose key a text is sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Under {
    /// The case's own.
    #[default]
    Case,
    /// The subject's; the case's, where it is of nobody.
    Subject,
}

/// An event of a case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Happening {
    /// Its name.
    pub name: Box<str>,
    /// Whether a case may begin with it.
    #[serde(default)]
    pub(super) opens: bool,
    /// The states that it may follow; any, where none is named and it opens nothing.
    #[serde(default)]
    pub(super) from: Vec<Box<str>>,
    /// The state that it leads to; the same, where none is named.
    pub(super) to: Option<Box<str>>,
    /// The columns that its row fills.
    #[serde(default)]
    pub(super) needs: Vec<Box<str>>,
    /// Of which cases it can be.
    pub(super) when: Option<When>,
    /// Whether the case has to be whole.
    #[serde(default)]
    pub(super) whole: bool,
    /// What is amiss with a case in which it could not follow, or should not have.
    pub(super) astray: Option<Astray>,
}

/// What is amiss where an event could not follow, or should not have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Astray {
    pub(super) id: Box<str>,
    #[serde(default = "warning")]
    pub(super) severity: FindingSeverity,
    pub(super) what: Box<str>,
    /// The states that it does follow, and should not have.
    #[serde(default)]
    pub(super) after: Vec<Box<str>>,
}

/// How severe it is where nothing is said.
const fn warning() -> FindingSeverity {
    FindingSeverity::Warning
}

/// A condition on a column: its value, or a part of it, is one of those; an empty one is that it has none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    pub(super) column: Box<str>,
    pub(super) is: Vec<Box<str>>,
}

impl When {
    /// Whether it holds for a value.
    pub(super) fn holds(&self, value: Option<&str>) -> bool {
        value.unwrap_or_default().split(';').any(|part| self.is.iter().any(|wanted| **wanted == *part))
    }
}

/// What a case needs besides, where a condition holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct More {
    pub(super) when: When,
    pub(super) columns: Vec<Box<str>>,
}

/// A deadline.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    pub(super) name: Box<str>,
    /// The event with which it begins.
    pub(super) start: Option<Box<str>>,
    /// The column with whose time it begins.
    pub(super) of: Option<Box<str>>,
    /// The deadline on whose last day it begins, which begins behind no other.
    pub(super) behind: Option<Box<str>>,
    /// How long it is; nothing where the column's day is its end.
    pub(super) after: Option<Length>,
    /// How long it is where it was extended in time.
    pub(super) extended: Option<Extension>,
    /// The events that meet it.
    #[serde(default)]
    pub(super) met: Vec<Box<str>>,
    /// The states in which it counts; all, where none is named.
    #[serde(default)]
    pub(super) states: Vec<Box<str>>,
    pub(super) when: Option<When>,
    pub(super) unless: Option<When>,
    /// Whose holidays count, where it is not the registrar's.
    pub(super) country: Option<Box<str>>,
    /// Where the days are counted; UTC, where nothing is said.
    pub(super) zone: Option<Box<str>>,
    pub(super) cite: Box<str>,
    pub(super) confidence: Confidence,
}

impl Limit {
    /// The zone in which its days are counted.
    pub(super) fn zone(&self) -> TimeZone {
        self.zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
    }
}

/// How long a deadline is.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Length {
    pub(super) hours: u32,
    pub(super) days: u32,
    pub(super) working_days: u32,
    pub(super) months: u32,
    /// Whether it ends on a working day.
    pub(super) moved: bool,
}

/// By what a deadline is extended, if that comes before its end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Extension {
    pub(super) event: Box<str>,
    pub(super) after: Length,
}

/// What can be amiss with a case: so it is where everything holds that is named.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    pub(super) id: Box<str>,
    #[serde(default = "warning")]
    pub(super) severity: FindingSeverity,
    #[serde(default)]
    pub(super) states: Vec<Box<str>>,
    pub(super) when: Option<When>,
    /// The case has no value there.
    pub(super) missing: Option<Box<str>>,
    /// Nor there.
    pub(super) missing_too: Option<Box<str>>,
    /// That deadline was not met in time.
    pub(super) late: Option<Box<str>>,
    /// That deadline ends …
    pub(super) later: Option<Box<str>>,
    /// … after this one.
    pub(super) than: Option<Box<str>>,
    pub(super) what: Box<str>,
}

/// A row that is no event.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refusal {
    pub(super) when: When,
    /// The column that lets it pass.
    pub(super) unless: Option<Box<str>>,
    pub(super) what: Box<str>,
    pub(super) remedy: Box<str>,
}

/// What an open case keeps from being done.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Blocking {
    pub(super) when: When,
    pub(super) rule: Box<str>,
    pub(super) what: Box<str>,
}

/// Every register, in the order of the file.
#[must_use]
pub fn registers() -> &'static [Register] {
    static READ: OnceLock<Vec<Register>> = OnceLock::new();
    // A test reads the file: where it cannot be read there is nothing.
    READ.get_or_init(|| parse(EMBEDDED).unwrap_or_default())
}

/// The register of that name.
#[must_use]
pub fn register(name: &str) -> Option<&'static Register> {
    registers().iter().find(|register| *register.name == *name)
}

/// How severe it is when `rule` is broken; nothing where no register has it.
#[must_use]
pub fn severity(rule: &str) -> Option<FindingSeverity> {
    registers().iter().flat_map(Register::severities).find(|(id, _)| *id == rule).map(|(_, severity)| severity)
}

/// The registers that `text` describes.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<Register>, String> {
    let File { version, _dated, registers } = toml::from_str(text).map_err(|e| e.to_string())?;
    if version != 1 {
        return Err(format!("the file has version {version}, known is 1"));
    }
    let wrong: Vec<String> = registers.iter().flat_map(Register::wrong).collect();
    if wrong.is_empty() { Ok(registers) } else { Err(wrong.join("\n")) }
}

impl Register {
    /// All columns, in the order of exports.
    #[must_use]
    pub fn header(&'static self) -> Vec<&'static str> {
        let whose = if self.subject == Use::None { &[][..] } else { &WHOSE };
        let own = self.columns.iter().map(|column| &*column.name);
        FIRST.into_iter().chain(whose.iter().copied()).chain(own).collect()
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| *column.name == *name)
    }

    /// The event of that name.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&Happening> {
        self.events.iter().find(|event| *event.name == *name)
    }

    /// The state of that name, and whether it is an open one.
    pub(super) fn state(&self, name: &str) -> Option<(&str, bool)> {
        let known = |states: &'_ [Box<str>]| states.iter().position(|state| **state == *name);
        known(&self.open).and_then(|at| self.open.get(at)).map(|state| (&**state, true)).or_else(|| {
            let at = known(&self.closed)?;
            self.closed.get(at).map(|state| (&**state, false))
        })
    }

    /// Each rule about its cases, with how severe it is.
    fn severities(&self) -> impl Iterator<Item = (&str, FindingSeverity)> {
        let checks = self.checks.iter().map(|check| (&*check.id, check.severity));
        checks.chain(self.events.iter().filter_map(|event| event.astray.as_ref()).map(|astray| (&*astray.id, astray.severity)))
    }

    /// The names that lead nowhere.
    fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let columns: BTreeSet<&str> = self.columns.iter().map(|column| &*column.name).collect();
        let events: BTreeSet<&str> = self.events.iter().map(|event| &*event.name).collect();
        let limits: BTreeSet<&str> = self.deadlines.iter().map(|limit| &*limit.name).collect();
        let states: BTreeSet<&str> = self.open.iter().chain(&self.closed).map(|state| &**state).collect();
        let mut see = |kind: &str, known: &BTreeSet<&str>, names: &mut dyn Iterator<Item = &Box<str>>| {
            wrong.extend(names.filter(|name| !known.contains(&***name)).map(|name| format!("{}: there is no {kind} {name}", self.name)));
        };
        let whens = (self.events.iter().filter_map(|event| event.when.as_ref()))
            .chain(self.deadlines.iter().flat_map(|limit| limit.when.iter().chain(&limit.unless)))
            .chain(self.checks.iter().filter_map(|check| check.when.as_ref()))
            .chain(self.refusals.iter().map(|refusal| &refusal.when))
            .chain(self.blocks.iter().map(|block| &block.when))
            .chain(self.complete_more.iter().map(|more| &more.when))
            .chain(&self.complete_when);
        see("column", &columns, &mut whens.map(|when| &when.column));
        see("column", &columns, &mut self.complete.iter().chain(self.complete_more.iter().flat_map(|more| &more.columns)));
        see("column", &columns, &mut self.events.iter().flat_map(|event| &event.needs));
        see("column", &columns, &mut self.deadlines.iter().filter_map(|limit| limit.of.as_ref()));
        see("column", &columns, &mut self.checks.iter().flat_map(|check| check.missing.iter().chain(&check.missing_too)));
        see("column", &columns, &mut self.refusals.iter().filter_map(|refusal| refusal.unless.as_ref()));
        see("state", &states, &mut self.events.iter().flat_map(|event| event.from.iter().chain(&event.to)));
        let after = self.events.iter().filter_map(|event| event.astray.as_ref()).flat_map(|astray| &astray.after);
        see("state", &states, &mut after.into_iter());
        see("state", &states, &mut self.deadlines.iter().flat_map(|limit| &limit.states));
        see("state", &states, &mut self.checks.iter().flat_map(|check| &check.states));
        see("state", &states, &mut self.evidenced.iter());
        let extensions = self.deadlines.iter().filter_map(|limit| limit.extended.as_ref()).map(|extension| &extension.event);
        see("event", &events, &mut self.deadlines.iter().flat_map(|limit| limit.start.iter().chain(&limit.met)).chain(extensions));
        see("deadline", &limits, &mut self.checks.iter().flat_map(|check| check.late.iter().chain(&check.later).chain(&check.than)));
        let first: BTreeSet<&str> = self.deadlines.iter().filter(|limit| limit.behind.is_none()).map(|limit| &*limit.name).collect();
        see("deadline that begins by itself,", &first, &mut self.deadlines.iter().filter_map(|limit| limit.behind.as_ref()));
        let taken = |name: &str| FIRST.contains(&name) || (self.subject != Use::None && WHOSE.contains(&name));
        wrong.extend(columns.iter().filter(|name| taken(name)).map(|name| format!("{}: the column {name} is taken", self.name)));
        if columns.len() != self.columns.len() || events.len() != self.events.len() {
            wrong.push(format!("{}: a column or an event stands there twice", self.name));
        }
        let words = |column: &&Column| (column.kind == Kind::Word) == column.words.is_empty();
        wrong.extend(self.columns.iter().filter(words).map(|column| format!("{}: words of {}", self.name, column.name)));
        let severities: BTreeMap<&str, FindingSeverity> = self.severities().collect();
        let other = |(id, severity): &(&str, FindingSeverity)| severities.get(id).is_some_and(|known| known != severity);
        wrong.extend(self.severities().filter(other).map(|(id, _)| format!("{}: {id} is of two severities", self.name)));
        let zones = self.deadlines.iter().filter_map(|limit| limit.zone.as_deref()).filter(|zone| TimeZone::get(zone).is_err());
        wrong.extend(zones.map(|zone| format!("{}: there is no zone {zone}", self.name)));
        let begins = |limit: &&Limit| [&limit.start, &limit.of, &limit.behind].into_iter().flatten().count() == 1;
        let astray = self.deadlines.iter().filter(|limit| !begins(limit));
        wrong.extend(astray.map(|limit| format!("{}: {} begins nowhere, or twice", self.name, limit.name)));
        wrong
    }
}
