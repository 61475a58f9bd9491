//! Whether what is held of a registrant is right, as far as anybody can tell from outside: whole, of the registry's form, not refuted,
//! and confirmed lately (GDPR Art. 5(1)(d)).

use super::AccuracyRules;
use crate::compliance::record::Element;
use crate::compliance::retention::elements;
use crate::dataset::Row;
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// What verifications of a person came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verification {
    /// There was none.
    #[default]
    Never,
    /// One is to be made or under way.
    Open,
    /// Some claim was verified, last on that day.
    Done(Date),
    /// Mail came back, and nothing was verified since.
    Bounced,
    /// Some claim failed, and nothing was verified since.
    Failed,
}

impl Verification {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Open => "open",
            Self::Done(_) => "done",
            Self::Bounced => "bounced",
            Self::Failed => "failed",
        }
    }
}

/// What is looked at of one registrant.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'a> {
    /// What the registry holds.
    pub row: &'a Row,
    /// Whether it breaks a rule of the registry's.
    pub is_wrong: bool,
    /// What verifications came to.
    pub verification: Verification,
    /// When the registry's data were changed last, where that is known.
    pub changed: Option<Date>,
}

/// What is amiss with one registrant's data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// These elements of the minimum are not there.
    Incomplete(BTreeSet<Element>),
    /// The registry would refuse them.
    Wrong,
    /// A verification failed.
    Refuted,
    /// Mail to them came back.
    Undeliverable,
    /// Nobody confirmed or changed them for so many days; nothing where nobody ever did.
    Old(Option<i64>),
}

impl Lack {
    /// The number of the rule.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Incomplete(_) => "R-accuracy-001",
            Self::Wrong => "R-accuracy-002",
            Self::Refuted => "R-accuracy-003",
            Self::Old(_) => "R-accuracy-004",
            Self::Undeliverable => "R-accuracy-005",
        }
    }

    /// What it is, without any value.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Incomplete(missing) => {
                let names: Vec<&str> = missing.iter().map(|element| element.as_str()).collect();
                format!("the minimum lacks {}", names.join(", "))
            }
            Self::Wrong => "the registry would refuse them: `privet validate` says why".to_owned(),
            Self::Refuted => "a verification failed, and none succeeded since".to_owned(),
            Self::Undeliverable => "mail to them came back, and nothing was verified since".to_owned(),
            Self::Old(Some(days)) => format!("confirmed or changed {days} days ago"),
            Self::Old(None) => "nobody knows when they were confirmed or changed".to_owned(),
        }
    }
}

/// How right the data of a registry's registrants are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// Registrants.
    pub registrants: u64,
    /// Whose minimum is whole.
    pub complete: u64,
    /// Whose data the registry would take.
    pub valid: u64,
    /// Of whom some claim was verified.
    pub verified: u64,
    /// Of whom one failed.
    pub refuted: u64,
    /// To whom mail came back.
    pub undeliverable: u64,
    /// Whose data were confirmed or changed lately.
    pub current: u64,
    /// Whose data are whole, of form, not refuted and current.
    pub accurate: u64,
}

impl Lack {
    /// Whether it is a ground on which a registry that says so may end the registration: somebody found the data not to be right.
    #[must_use]
    pub const fn is_found(&self) -> bool {
        matches!(self, Self::Refuted | Self::Undeliverable)
    }
}

impl Accuracy {
    /// Takes a registrant in; what is amiss.
    pub fn take(&mut self, rules: &AccuracyRules, looked: &Looked<'_>, today: Date) -> Vec<Lack> {
        let held: BTreeSet<Element> = elements(looked.row).into_iter().collect();
        let missing: BTreeSet<Element> = rules.minimum.difference(&held).copied().collect();
        let verified = if let Verification::Done(day) = looked.verification { Some(day) } else { None };
        let confirmed = verified.max(looked.changed);
        let is_current = confirmed.is_some_and(|day| today <= day.saturating_add(rules.confirmed_days.days()));
        let mut amiss = Vec::new();
        if missing.is_empty() {
            self.complete += 1;
        } else {
            amiss.push(Lack::Incomplete(missing));
        }
        self.valid += u64::from(!looked.is_wrong);
        amiss.extend(looked.is_wrong.then_some(Lack::Wrong));
        if looked.verification == Verification::Failed {
            self.refuted += 1;
            amiss.push(Lack::Refuted);
        }
        if looked.verification == Verification::Bounced {
            self.undeliverable += 1;
            amiss.push(Lack::Undeliverable);
        }
        if is_current {
            self.current += 1;
        } else {
            amiss.push(Lack::Old(confirmed.and_then(|day| day.until(today).ok()).map(|span| i64::from(span.get_days()))));
        }
        self.registrants += 1;
        self.verified += u64::from(verified.is_some());
        self.accurate += u64::from(amiss.is_empty());
        amiss
    }

    /// How many of a hundred registrants' data are right, rounded down; nothing where there are none.
    #[must_use]
    pub fn score(&self) -> Option<u64> {
        (self.accurate * 100).checked_div(self.registrants)
    }
}
