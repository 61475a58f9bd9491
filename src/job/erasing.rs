//! What a plan of erasure asks: what the rules of retention, the holds and the requests come to for a contact.

use super::config::Loaded;
use super::keeping::{hash, lives};
use super::{Context, queried};
use crate::base::{Problems, Result, Timestamp};
use crate::compliance::Subject;
use crate::compliance::register::{Book, Case, Holds, Limits, register};
use crate::compliance::retention::{Kept, LegalBasis, Life, Resolution, Rule, Situation, State, items, resolve};
use crate::dataset::{ContactField, Row, ServiceEnds};
use crate::plan::{Bar, Due, Keeping, Sources};
use crate::store::Store;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::HashMap;

/// How many days before data must be gone they are planned for: a week, so that a plan a week leaves nothing overdue.
const AHEAD: i64 = 7;

/// All that an erasure rests on, of one registry at a time.
pub(super) struct Eraser<'c> {
    loaded: &'c Loaded,
    today: Date,
    ends: ServiceEnds,
    holds: Holds,
    /// Who asked to be erased and showed who they are, with the case.
    asked: HashMap<Subject, String>,
    scopes: Vec<Box<str>>,
    lives: HashMap<u64, Life>,
}

/// Of whom a contact is, as far as the ledgers know.
pub(super) struct Whose {
    pub(super) subject: Option<Subject>,
    /// When consent was withdrawn last, and not given again.
    pub(super) withdrawn: Option<Timestamp>,
}

impl<'c> Eraser<'c> {
    /// What stands at `at`.
    ///
    /// # Errors
    /// As [`Book::open`] and [`ServiceEnds::read`].
    pub(super) fn open(loaded: &'c Loaded, ctx: &Context, store: &mut dyn Store, at: Timestamp) -> Result<Self, Problems> {
        let today = at.to_zoned(TimeZone::UTC).date();
        let ends = match &queried::records(&loaded.config, ctx)?.services {
            Some(source) => ServiceEnds::read(source, today)?,
            None => ServiceEnds::default(),
        };
        let holds = Holds::read(store, at)?;
        let mut asked = HashMap::new();
        if let Some(requests) = register("request") {
            let book = Book::open(store, requests)?;
            let limits = Limits::default();
            let cases = book.cases(at, &limits).filter(is_shown);
            asked.extend(cases.filter_map(|case| Some((case.subject?, case.case.to_string()))));
        }
        Ok(Self { loaded, today, ends, holds, asked, scopes: Vec::new(), lives: HashMap::new() })
    }

    /// Turns to the objects of a registry.
    ///
    /// # Errors
    /// `E-parquet-…` (exit 33) where they cannot be read.
    pub(super) fn enter(&mut self, sources: &Sources<'_>) -> Result<()> {
        let profile = self.loaded.config.registries.get(sources.id).map_or("", |registry| &*registry.profile.id);
        self.scopes = self.loaded.config.retention.pack.scopes_of(profile);
        self.lives = lives(sources.records, sources.id, Some(sources.snapshot), &self.ends)?;
        Ok(())
    }

    /// What is to become of a contact at `registry`.
    pub(super) fn keeping(&self, registry: &str, contact: &Row, whose: &Whose) -> Keeping {
        use ContactField as F;
        let pack = &self.loaded.config.retention.pack;
        let unknown = Life::default();
        let life = self.lives.get(&hash(contact.id())).unwrap_or(&unknown);
        let kept = Kept {
            scopes: &self.scopes,
            life,
            country: [F::LocCc, F::IntCc].iter().find_map(|field| contact.get(field.at())),
            contracts: &self.loaded.config.retention.contracts,
            withdrawn: whose.withdrawn.map(|at| at.to_zoned(TimeZone::UTC).date()),
            // A hold keeps what is to go, and is told then.
            held: false,
        };
        let all: Vec<Resolution<'_>> = items(pack, &kept).iter().map(|item| resolve(pack, item, self.today)).collect();
        let request = whose.subject.and_then(|subject| self.asked.get(&subject));
        if !all.iter().all(|one| self.goes(one, request.is_some())) {
            return unclear(&all, self.today).map_or(Keeping::Needed, Keeping::Kept);
        }
        if life.in_use {
            let why = "it is to go, and a domain in use names it in a role that nobody asks for: take it out of the domain's record first";
            return Keeping::Kept(bar("R-erasure-005", why));
        }
        if let Some(case) = self.holds.over(whose.subject, registry) {
            return Keeping::Kept(bar("R-erasure-001", format!("it is to go, and the hold {case} keeps it")));
        }
        let first = all.iter().min_by_key(|one| one.must_go_by.unwrap_or(Date::MAX));
        let ender = first.and_then(Resolution::ender);
        let trigger = trigger(request.is_some(), ender);
        let rule = request.cloned().or_else(|| ender.map(|rule| rule.id.to_string())).unwrap_or_default();
        let gone_by = first.and_then(|one| one.must_go_by);
        Keeping::Due(Due { rule, gone_by, trigger, subject: whose.subject.map(|subject| subject.to_string()) })
    }

    /// Whether data of which the rules come to that are to go: by now or soon, or because what had to be kept was kept; or at once, where
    /// the person asks for it and no rule keeps them.
    fn goes(&self, one: &Resolution<'_>, is_asked: bool) -> bool {
        match one.state(self.today) {
            State::Overdue(_) => true,
            State::Due(by) => is_asked || one.keep_until.is_some() || by <= self.today.saturating_add(AHEAD.days()),
            _ => false,
        }
    }
}

/// What sets an erasure off: a request; a withdrawal; that nothing is the ground on which data were kept (GDPR Art. 5(1)(c)); else the end
/// of a period.
fn trigger(is_asked: bool, ender: Option<&Rule>) -> &'static str {
    match ender {
        _ if is_asked => "request",
        Some(rule) if rule.start.as_deref() == Some("consent-withdrawn") => "withdrawal",
        Some(rule) if rule.basis == LegalBasis::None => "minimisation",
        _ => "expiry",
    }
}

/// Why nobody can tell whether data are to go, where that is so and no rule keeps them.
fn unclear(all: &[Resolution<'_>], today: Date) -> Option<Bar> {
    let states: Vec<Situation> = all.iter().map(|one| one.state(today).situation()).collect();
    if states.iter().any(|state| matches!(state, Situation::Active | Situation::Retained)) {
        return None;
    }
    states.iter().find_map(|state| match state {
        Situation::Conflict => Some(bar("R-erasure-002", "two rules exclude each other: `privet report retention` names them")),
        Situation::UnknownStart => Some(bar(
            "R-erasure-003",
            "no service needs it, and nobody knows since when: tell the end of the service in the services table",
        )),
        Situation::Unruled => Some(bar("R-erasure-004", "no service needs it, and no rule says how long it is kept: write one")),
        _ => None,
    })
}

fn bar(rule: &str, why: impl Into<String>) -> Bar {
    Bar { rule: rule.to_owned(), why: why.into() }
}

/// Whether a case is an open request to be erased of somebody who showed who they are.
fn is_shown(case: &Case) -> bool {
    let is = |column: &str, value: &str| case.values.get(column).is_some_and(|held| held == value);
    is("type", "erasure") && case.values.contains_key("identity") && matches!(case.state, Some("in-progress" | "extended"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::retention::RulePack;

    #[test]
    fn what_sets_an_erasure_off_is_told_by_the_rule_that_ends_the_data() {
        let pack = RulePack::embedded().unwrap();
        let of = |id: &str| trigger(false, pack.rules().iter().find(|rule| &*rule.id == id));
        assert_eq!(["RDP-15M", "TUC-60D", "RDP-LEGACY", "none"].map(of), ["expiry", "withdrawal", "minimisation", "expiry"]);
        assert_eq!(trigger(true, pack.rules().iter().find(|rule| &*rule.id == "TUC-60D")), "request");
    }
}
