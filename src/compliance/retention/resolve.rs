//! One item under the rules of a pack.

use super::rule::{Kind, Rule, RulePack};
use jiff::civil::Date;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What belongs together of one subject's data at one place: a cluster of elements, and all that rules ask of it.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// The cluster.
    pub cluster: &'a str,
    /// The kinds of the registry it is of, as rules name them.
    pub scopes: &'a [Box<str>],
    /// The subject's country, where it is known.
    pub country: Option<&'a str>,
    /// Contracts that hold.
    pub contracts: &'a BTreeSet<Box<str>>,
    /// When what happened: by event, the latest day.
    pub events: BTreeMap<&'a str, Date>,
    /// Whether some service needs the data still.
    pub in_use: bool,
    /// Whether a hold stands over them.
    pub held: bool,
}

/// A rule that bears on an item, and when it ends.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'p> {
    /// The rule.
    pub rule: &'p Rule,
    /// The day its period began.
    pub start: Date,
    /// The day its period ends.
    pub end: Date,
    /// That with its grace.
    pub gone: Date,
}

/// Two rules that exclude each other: one keeps for longer than the other lets.
#[derive(Clone, Copy, Debug)]
pub struct Conflict<'p> {
    /// The rule that keeps.
    pub keeps: &'p Rule,
    /// The rule that ends.
    pub ends: &'p Rule,
    /// The one of the higher tier; the one that keeps, where both are of one: what was erased does not come back.
    pub wins: &'p Rule,
}

/// What the rules come to.
#[derive(Clone, Debug, Default)]
pub struct Resolution<'p> {
    /// The rules that keep, by id.
    pub min: Vec<Bound<'p>>,
    /// The rules that end, by id.
    pub max: Vec<Bound<'p>>,
    /// Rules that cannot be counted, as nobody knows when their period began, by id.
    pub uncounted: Vec<&'p Rule>,
    /// Until when the data are kept.
    pub keep_until: Option<Date>,
    /// By when they are gone.
    pub must_go_by: Option<Date>,
    /// Where both exclude each other.
    pub conflict: Option<Conflict<'p>>,
    in_use: bool,
    held: bool,
}

/// The state of an item on some day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// A service needs the data, and nothing ends.
    Active,
    /// They are kept, and not to be erased before that day.
    Retained(Date),
    /// They are to be erased, at the latest on that day.
    Due(Date),
    /// They ought to be gone, since so many days.
    Overdue(i64),
    /// A hold keeps them.
    Hold,
    /// Two rules exclude each other.
    Conflict,
    /// Nobody can count: the day that begins a period is not known.
    UnknownStart,
    /// No rule bears on them, and nothing needs them.
    Unruled,
}

/// The names of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Situation {
    /// [`State::Active`]
    Active,
    /// [`State::Retained`]
    Retained,
    /// [`State::Due`]
    Due,
    /// [`State::Overdue`]
    Overdue,
    /// [`State::Hold`]
    Hold,
    /// [`State::Conflict`]
    Conflict,
    /// [`State::UnknownStart`]
    UnknownStart,
    /// [`State::Unruled`]
    Unruled,
}

impl Situation {
    /// Every one, the worst first.
    pub const ALL: [Self; 8] =
        [Self::Overdue, Self::Conflict, Self::UnknownStart, Self::Unruled, Self::Due, Self::Hold, Self::Retained, Self::Active];

    /// Its word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retained => "retained",
            Self::Due => "due",
            Self::Overdue => "overdue",
            Self::Hold => "hold",
            Self::Conflict => "conflict",
            Self::UnknownStart => "unknown_start",
            Self::Unruled => "unruled",
        }
    }

    /// How soon somebody should look, from 0.
    #[must_use]
    pub fn rank(self) -> u32 {
        Self::ALL.iter().position(|one| *one == self).and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX)
    }
}

impl State {
    /// Its name.
    #[must_use]
    pub const fn situation(self) -> Situation {
        match self {
            Self::Active => Situation::Active,
            Self::Retained(_) => Situation::Retained,
            Self::Due(_) => Situation::Due,
            Self::Overdue(_) => Situation::Overdue,
            Self::Hold => Situation::Hold,
            Self::Conflict => Situation::Conflict,
            Self::UnknownStart => Situation::UnknownStart,
            Self::Unruled => Situation::Unruled,
        }
    }
}

/// What the rules of `pack` that are in force on `today` come to for `item`.
#[must_use]
pub fn resolve<'p>(pack: &'p RulePack, item: &Item<'_>, today: Date) -> Resolution<'p> {
    let begun = |rule: &Rule| rule.on.or_else(|| item.events.get(rule.start.as_deref()?).copied());
    // What nobody told of an end is not known only where there must have been one.
    let is_open = |rule: &Rule| !item.in_use && rule.start.as_deref().is_some_and(|event| pack.is_end(event));
    let bears = |rule: &&Rule| concerns(rule, item) && rule.is_in_force(today) && (begun(rule).is_some() || is_open(rule));
    let bearing: Vec<&Rule> = pack.rules().iter().filter(bears).collect();
    let superseded: BTreeSet<&str> = bearing.iter().flat_map(|rule| &rule.supersedes).map(|id| &**id).collect();
    let mut out = Resolution { in_use: item.in_use, held: item.held, ..Resolution::default() };
    for rule in bearing.into_iter().filter(|rule| !superseded.contains(&*rule.id)) {
        let Some(start) = begun(rule) else {
            out.uncounted.push(rule);
            continue;
        };
        let (end, gone) = rule.ends(start);
        let bound = Bound { rule, start, end, gone };
        match rule.kind {
            Kind::Min => out.min.push(bound),
            Kind::Max => out.max.push(bound),
        }
    }
    // The order of the file means nothing.
    out.min.sort_by(|one, other| one.rule.id.cmp(&other.rule.id));
    out.max.sort_by(|one, other| one.rule.id.cmp(&other.rule.id));
    out.uncounted.sort_by(|one, other| one.id.cmp(&other.id));
    let keeps = out.min.iter().max_by_key(|bound| bound.end).copied();
    let ends = out.max.iter().min_by_key(|bound| bound.gone).copied();
    out.keep_until = keeps.map(|bound| bound.end);
    let kept_enough = || out.min.iter().map(|bound| bound.gone).max().filter(|_| !item.in_use);
    out.must_go_by = ends.map(|bound| bound.gone).into_iter().chain(kept_enough()).min();
    // Of all that exclude each other, those of the highest tier are the conflict; of one tier, what keeps longest and what ends first.
    let (min, max) = (&out.min, &out.max);
    let excluding = min.iter().flat_map(|keeps| max.iter().filter(|ends| keeps.end > ends.gone).map(move |ends| (keeps, ends)));
    let first = excluding.min_by_key(|(keeps, ends)| (keeps.rule.tier, ends.rule.tier, Reverse(keeps.end), ends.gone));
    out.conflict = first.map(|(keeps, ends)| {
        let wins = if ends.rule.tier < keeps.rule.tier { ends.rule } else { keeps.rule };
        Conflict { keeps: keeps.rule, ends: ends.rule, wins }
    });
    out
}

fn concerns(rule: &Rule, item: &Item<'_>) -> bool {
    let is_one = |wanted: &BTreeSet<Box<str>>, own: &[Box<str>]| wanted.is_empty() || own.iter().any(|own| wanted.contains(own));
    let is_there = rule.countries.is_empty() || item.country.is_some_and(|country| rule.countries.contains(country));
    let is_agreed = rule.contracts.is_empty() || !rule.contracts.is_disjoint(item.contracts);
    rule.clusters.contains(item.cluster) && is_one(&rule.scopes, item.scopes) && is_there && is_agreed
}

impl Resolution<'_> {
    /// The state on `today`.
    #[must_use]
    pub fn state(&self, today: Date) -> State {
        let is_kept = self.keep_until.filter(|until| today < *until);
        if self.held && !self.in_use {
            return State::Hold;
        }
        if self.conflict.is_some() {
            return State::Conflict;
        }
        // A rule that cannot be counted may keep the data for longer than all that can.
        if !self.uncounted.is_empty() {
            return State::UnknownStart;
        }
        match (is_kept, self.must_go_by) {
            (Some(until), _) if !self.in_use => State::Retained(until),
            (_, Some(by)) if self.held && today > by => State::Hold,
            (_, Some(by)) if today > by => State::Overdue(days(by, today)),
            (_, Some(by)) => State::Due(by),
            (_, None) if self.in_use => State::Active,
            (_, None) => State::Unruled,
        }
    }

    /// The rule by which the data must be gone: the one that ends first, or the one that keeps longest where none ends.
    #[must_use]
    pub fn ender(&self) -> Option<&Rule> {
        let ends = self.max.iter().min_by_key(|bound| bound.gone).filter(|bound| Some(bound.gone) == self.must_go_by);
        ends.or_else(|| self.min.iter().max_by_key(|bound| bound.gone)).map(|bound| bound.rule)
    }

    /// The ground that the data are kept on: that of the rule that keeps longest, or else of the one that ends first.
    #[must_use]
    pub fn basis(&self) -> Option<&Rule> {
        let keeps = self.min.iter().max_by_key(|bound| bound.end);
        keeps.or_else(|| self.max.iter().min_by_key(|bound| bound.gone)).map(|bound| bound.rule)
    }
}

/// Days from `from` to `to`.
fn days(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}
