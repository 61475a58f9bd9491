//! What a case comes to at some time: a pure fold over its events.
//!
//! Events count in the order of their times, whenever the register took them. One that cannot follow what stands is kept and told as
//! [`Irregular`], and changes nothing.

use super::deadline::{Deadline, End, Limits, Met};
use super::entry::Entry;
use super::schema::{Astray, Check, Column, Happening, Kind, Limit, Register, When};
use crate::base::Timestamp;
use crate::compliance::fold::Irregular;
use crate::compliance::record::Token;
use crate::compliance::subjects::Subject;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a text has for a value while a case is folded: that there is one.
const SEALED: &str = "\u{0}";

/// What is amiss with a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct Amiss {
    /// The rule.
    pub id: &'static str,
    /// What it says.
    pub what: &'static str,
}

/// The last event that counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Last {
    /// Which.
    pub event: &'static str,
    /// When.
    pub at: Timestamp,
}

/// What a case comes to. Nothing in it is of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Case {
    /// The register.
    pub register: &'static str,
    /// Its own number.
    pub case: Token,
    /// The state; nothing where no event opened the case.
    pub state: Option<&'static str>,
    /// Whether something is still to be done or kept.
    pub open: bool,
    /// Whom it is of.
    #[schemars(with = "Option<String>")]
    pub subject: Option<Subject>,
    /// When it was opened.
    pub opened: Option<Timestamp>,
    /// The last event that counted.
    pub last: Option<Last>,
    /// How many events there are, the irregular ones too.
    pub events: u64,
    /// The newest value of each column that has a fixed form.
    pub values: BTreeMap<&'static str, String>,
    /// The columns of which there are sealed texts, but for those that are kept apart.
    pub texts: Vec<&'static str>,
    /// How many texts are kept apart.
    pub apart: u64,
    /// Since when nothing needs what is kept apart; nothing where something does.
    #[serde(skip)]
    pub settled: Option<Timestamp>,
    /// Its deadlines.
    pub deadlines: Vec<Deadline>,
    /// What it lacks to be whole.
    pub missing: Vec<&'static str>,
    /// What is amiss.
    pub amiss: Vec<Amiss>,
    /// Events that could not follow what stood.
    pub irregular: Vec<Irregular>,
}

impl Case {
    /// How many days its worst deadline is overdue; nothing where none is.
    #[must_use]
    pub fn overdue(&self) -> Option<i64> {
        self.deadlines.iter().filter(|deadline| deadline.standing == Met::Overdue).map(|deadline| deadline.days).max()
    }
}

/// What the case `case` of `register` comes to at `at`, by its events in the order in which they were taken.
#[must_use]
pub fn fold(register: &'static Register, case: &Token, entries: &[Entry], at: Timestamp, limits: &Limits) -> Case {
    let mut entries: Vec<&Entry> = entries.iter().filter(|entry| entry.at <= at).collect();
    entries.sort_by_key(|entry| entry.at);
    let mut walk = Walk::new(register, limits);
    for entry in &entries {
        walk.take(entry);
    }
    walk.end(case, &entries, at)
}

/// A case while its events are gone through.
struct Walk<'e> {
    register: &'static Register,
    limits: &'e Limits,
    state: Option<(&'static str, bool)>,
    values: BTreeMap<&'static str, &'e str>,
    /// Events that counted, each with whether it led from a closed state to an open one.
    regular: Vec<(&'e Entry, &'static Happening, bool)>,
    irregular: Vec<Irregular>,
    amiss: Vec<Amiss>,
}

impl<'e> Walk<'e> {
    fn new(register: &'static Register, limits: &'e Limits) -> Self {
        let (irregular, amiss) = (Vec::new(), Vec::new());
        Self { register, limits, state: None, values: BTreeMap::new(), regular: Vec::new(), irregular, amiss }
    }

    fn take(&mut self, entry: &'e Entry) {
        let Some(event) = self.register.event(&entry.event) else { return };
        let clear = entry.values.iter().map(|(name, value)| (name, &**value));
        let sealed = entry.sealed.keys().map(|name| (name, SEALED));
        let said: BTreeMap<&'static str, &'e str> =
            clear.chain(sealed).filter_map(|(name, value)| Some((&*self.register.column(name)?.name, value))).collect();
        let barred = self.bars(entry, event, &said);
        let after = |astray: &&'static Astray| self.state.is_some_and(|(state, _)| astray.after.iter().any(|after| **after == *state));
        let astray = event.astray.as_ref().filter(|astray| barred.is_some() || after(astray));
        self.amiss.extend(astray.map(|astray| Amiss { id: &astray.id, what: &astray.what }));
        if let Some(what) = barred {
            self.irregular.push(Irregular { record: entry.id.clone(), what });
            return;
        }
        self.values.extend(said);
        let was_closed = self.state.is_some_and(|(_, open)| !open);
        if let Some(to) = event.to.as_deref().and_then(|to| self.register.state(to)) {
            self.state = Some(to);
        }
        let reopens = was_closed && self.state.is_some_and(|(_, open)| open);
        self.regular.push((entry, event, reopens));
    }

    /// What keeps an event from following what stands.
    fn bars(&self, entry: &Entry, event: &'static Happening, said: &BTreeMap<&'static str, &'e str>) -> Option<&'static str> {
        let value = |column: &str| said.get(column).or_else(|| self.values.get(column)).copied();
        match self.state {
            None if event.opens => {}
            None => return Some("comes before anything opened the case: it changes nothing"),
            Some(_) if event.from.is_empty() && !event.opens => {}
            Some((state, _)) if event.from.iter().any(|from| **from == *state) => {}
            Some(_) => return Some("cannot follow what stands: it changes nothing"),
        }
        if event.when.as_ref().is_some_and(|when| !when.holds(value(&when.column))) {
            return Some("is no event of cases of this kind: it changes nothing");
        }
        if event.whole && !missing(self.register, value).is_empty() {
            return Some("needs the case to be whole, which it is not: it changes nothing");
        }
        let extends = self.register.deadlines.iter().find(|limit| limit.extended.as_ref().is_some_and(|ext| ext.event == event.name));
        let first = extends.and_then(|limit| Some((limit, self.start(limit)?)));
        let end = first.and_then(|(limit, from)| self.limits.end(limit, &limit.after.unwrap_or_default(), from));
        if end.is_some_and(|end| entry.at >= end.until) {
            return Some("was told after the limit had ended: it extends nothing");
        }
        None
    }

    /// When a deadline began.
    fn start(&self, limit: &Limit) -> Option<Timestamp> {
        match (&limit.start, &limit.of) {
            (None, None) => {
                let first = self.register.deadlines.iter().find(|first| limit.behind.as_ref() == Some(&first.name))?;
                let (end, _) = self.ending(first, self.start(first)?)?;
                end.day.to_zoned(limit.zone()).ok().map(|start| start.timestamp())
            }
            (Some(start), _) => self.regular.iter().rev().find(|(_, event, _)| event.name == *start).map(|(entry, ..)| entry.at),
            (None, Some(column)) => {
                let value = self.values.get(&**column)?;
                let day = || value.parse::<Date>().ok()?.to_zoned(limit.zone()).ok().map(|start| start.timestamp());
                value.parse().ok().or_else(day)
            }
        }
    }

    /// When a deadline ends that began at `from`, and whether it was extended.
    fn ending(&self, limit: &Limit, from: Timestamp) -> Option<(End, bool)> {
        let extension = limit.extended.as_ref().filter(|ext| self.regular.iter().any(|(_, event, _)| event.name == ext.event));
        let end = match extension.map_or(limit.after, |ext| Some(ext.after)) {
            Some(length) => self.limits.end(limit, &length, from)?,
            None => End::of(from.to_zoned(limit.zone()).date(), limit.zone())?,
        };
        Some((end, extension.is_some()))
    }

    fn deadline(&self, limit: &'static Limit, at: Timestamp) -> Option<Deadline> {
        let holds = |when: &When| when.holds(self.values.get(&*when.column).copied());
        let (state, _) = self.state?;
        let counts = (limit.states.is_empty() || limit.states.iter().any(|known| **known == *state))
            && limit.when.as_ref().is_none_or(holds)
            && !limit.unless.as_ref().is_some_and(holds);
        let from = self.start(limit).filter(|_| counts)?;
        let (end, extended) = self.ending(limit, from)?;
        let (standing, days) = end.standing(limit, self.met(limit, from), at);
        Some(Deadline {
            name: &limit.name,
            from,
            due: end.day,
            until: end.until,
            standing,
            days,
            extended,
            source: &limit.cite,
            confidence: limit.confidence,
        })
    }

    /// When a deadline was met. What closed a case that was opened again met nothing.
    fn met(&self, limit: &Limit, from: Timestamp) -> Option<Timestamp> {
        let reopened = self.regular.iter().rposition(|(.., reopens)| *reopens);
        let closes = |event: &Happening| event.to.as_deref().and_then(|to| self.register.state(to)).is_some_and(|(_, open)| !open);
        let meets = |event: &Happening| limit.met.contains(&event.name);
        let all = self.regular.iter().enumerate();
        let mut met = all.filter(|(n, (entry, event, _))| {
            // With a day that a column names, what meets it may come before it.
            let is_in_time = limit.of.is_some() || entry.at >= from;
            meets(event) && is_in_time && !(closes(event) && reopened.is_some_and(|again| *n < again))
        });
        met.next().map(|(_, (entry, ..))| entry.at)
    }

    /// Since when nothing needs what is kept apart, the newest of which came at `newest`: the case came out of the states in which it is.
    /// What comes later still, or into a case that nothing opened, is needed by nothing from its first day.
    fn settled(&self, newest: Option<Timestamp>) -> Option<Timestamp> {
        let is_needed = |state: &str| self.register.evidenced.iter().any(|needs| **needs == *state);
        let (mut state, mut since) = (None, None);
        for (entry, event, _) in &self.regular {
            state = event.to.as_deref().or(state);
            since = if state.is_some_and(is_needed) { None } else { since.or(Some(entry.at)) };
        }
        if state.is_some_and(is_needed) { None } else { since.max(newest) }
    }

    fn end(self, case: &Token, entries: &[&Entry], at: Timestamp) -> Case {
        let register = self.register;
        let deadlines: Vec<Deadline> = register.deadlines.iter().filter_map(|limit| self.deadline(limit, at)).collect();
        let value = |column: &str| self.values.get(column).copied();
        let is_open = self.state.is_none_or(|(_, open)| open);
        let is_text = |column: &&'static Column| column.kind == Kind::Text;
        let missing = if is_open { missing(register, value) } else { Vec::new() };
        let mut amiss = self.amiss.clone();
        let fires = |check: &&'static Check| fires(check, self.state.map(|(state, _)| state), value, &deadlines);
        amiss.extend(register.checks.iter().filter(fires).map(|check| Amiss { id: &check.id, what: &check.what }));
        amiss.sort_unstable();
        amiss.dedup();
        let apart = |entry: &Entry| entry.sealed.keys().filter(|name| register.column(name).is_some_and(|column| column.apart)).count();
        let newest = entries.iter().rfind(|entry| apart(entry) > 0).map(|entry| entry.at);
        Case {
            register: &register.name,
            case: case.clone(),
            state: self.state.map(|(state, _)| state),
            open: is_open,
            subject: entries.iter().find_map(|entry| entry.subject),
            opened: self.regular.first().map(|(entry, ..)| entry.at),
            last: self.regular.last().map(|(entry, event, _)| Last { event: &event.name, at: entry.at }),
            events: entries.len() as u64,
            values: self.values.iter().filter(|(_, value)| **value != SEALED).map(|(name, value)| (*name, (*value).to_owned())).collect(),
            texts: (register.columns.iter().filter(is_text))
                .filter(|column| !column.apart && self.values.contains_key(&*column.name))
                .map(|column| &*column.name)
                .collect(),
            apart: entries.iter().map(|entry| apart(entry) as u64).sum(),
            settled: self.settled(newest),
            deadlines,
            missing,
            amiss,
            irregular: self.irregular,
        }
    }
}

/// What a case lacks to be whole.
fn missing<'v>(register: &'static Register, value: impl Fn(&str) -> Option<&'v str>) -> Vec<&'static str> {
    let holds = |when: &When| when.holds(value(&when.column));
    if !register.complete_when.as_ref().is_none_or(holds) {
        return Vec::new();
    }
    let more = register.complete_more.iter().filter(|more| holds(&more.when)).flat_map(|more| &more.columns);
    register.complete.iter().chain(more).map(|column| &**column).filter(|column| value(column).is_none()).collect()
}

/// Whether everything holds that a check names.
fn fires<'v>(check: &Check, state: Option<&str>, value: impl Fn(&str) -> Option<&'v str>, deadlines: &[Deadline]) -> bool {
    let of = |name: &Option<Box<str>>| deadlines.iter().find(|deadline| Some(deadline.name) == name.as_deref());
    let lacks = |column: &Option<Box<str>>| column.as_ref().is_none_or(|column| value(column).is_none());
    let is_late = |deadline: &Deadline| matches!(deadline.standing, Met::Late | Met::Overdue);
    let ends_later = of(&check.later).zip(of(&check.than)).is_some_and(|(one, other)| one.due > other.due);
    state.is_some_and(|state| check.states.is_empty() || check.states.iter().any(|known| **known == *state))
        && check.when.as_ref().is_none_or(|when| when.holds(value(&when.column)))
        && lacks(&check.missing)
        && lacks(&check.missing_too)
        && (check.late.is_none() || of(&check.late).is_some_and(is_late))
        && (check.later.is_none() || ends_later)
}
