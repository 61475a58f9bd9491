//! The capability matrix: what may be done where.

use super::profile::Profile;
use super::rule::{Capability, Rule};
use super::words::{ContactModel, RegistrantChange};
use crate::model::Confidence;
use jiff::civil::Date;
use serde::Serialize;

/// What may be done at each registry, with how that is known.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Matrix {
    /// The columns.
    pub profiles: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// One profile.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Column {
    /// Its id.
    pub id: String,
    /// What it covers.
    pub title: String,
    /// When it was last compared with its sources.
    pub date: Date,
}

/// One thing that may be done or differs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Row {
    /// Its key.
    pub key: &'static str,
    /// For people.
    pub title: &'static str,
    /// Whether its cells are yes, no or unknown; otherwise they are words.
    pub is_capability: bool,
    /// One for each profile, in the order of the columns.
    pub cells: Vec<Cell>,
}

/// What holds for one profile.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Cell {
    /// The profile's id.
    pub profile: String,
    /// `yes`, `no` or `unknown`, or a word of the profile.
    pub value: String,
    /// Where it was read, or why it was chosen.
    pub source: String,
    /// How sure we are.
    pub confidence: Confidence,
    /// When it was last compared with its source.
    pub date: Date,
}

/// How a row is made of a profile.
type Make = fn(&Profile) -> Cell;

/// Every row that holds words.
const WORDS: [(&str, &str, Make); 5] = [
    ("line", "Line", |p| word(p, &p.line)),
    ("privacy", "Privacy mechanism", |p| word(p, &p.privacy)),
    ("publication", "Publication decided by", |p| word(p, &p.publication)),
    ("transfer_lock_by", "Transfer lock by", |p| word(p, &p.transfer_lock)),
    ("change_of_registrant_by", "Change of registrant by", |p| word(p, &p.change_of_registrant)),
];

/// Every row that says yes, no or unknown.
const CAPABILITIES: [(&str, &str, Make); 11] = [
    ("contact_objects", "Contact objects", |p| judged(p, &p.contacts, |c| yes(c == ContactModel::Objects))),
    ("privacy_protect", "Privacy protect (proxy)", |p| word(p, &p.capabilities.privacy_protect)),
    ("disclose", "Disclose", |p| word(p, &p.capabilities.disclose)),
    ("transfer_lock", "Transfer lock", |p| judged(p, &p.transfer_lock, super::TransferLock::capability)),
    ("domain_statuses", "Status changes, domains", |p| word(p, &p.capabilities.domain_statuses)),
    ("contact_statuses", "Status changes, contacts", |p| word(p, &p.capabilities.contact_statuses)),
    ("contact_check", "Contact check", |p| word(p, &p.capabilities.contact_check)),
    ("contact_info", "Contact info", |p| word(p, &p.capabilities.contact_info)),
    ("contact_update", "Contact update", |p| word(p, &p.capabilities.contact_update)),
    ("contact_delete", "Contact delete", |p| word(p, &p.capabilities.contact_delete)),
    ("change_of_registrant", "Change of registrant by a plain update", |p| {
        judged(p, &p.change_of_registrant, |change| match change {
            RegistrantChange::Unknown => Capability::Unknown,
            _ => yes(change == RegistrantChange::Update),
        })
    }),
];

/// The matrix of these profiles.
#[must_use]
pub fn matrix<'p>(profiles: impl IntoIterator<Item = &'p Profile>) -> Matrix {
    let profiles: Vec<&Profile> = profiles.into_iter().collect();
    let row = |is_capability, (key, title, make): &(&'static str, &'static str, Make)| Row {
        key,
        title,
        is_capability,
        cells: profiles.iter().map(|p| make(p)).collect(),
    };
    let column = |p: &&Profile| Column { id: p.id.clone(), title: p.title.clone(), date: p.date };
    Matrix {
        rows: WORDS.iter().map(|r| row(false, r)).chain(CAPABILITIES.iter().map(|r| row(true, r))).collect(),
        profiles: profiles.iter().map(column).collect(),
    }
}

const fn yes(it_is: bool) -> Capability {
    if it_is { Capability::Yes } else { Capability::No }
}

/// A cell with the rule's own word.
fn word<T: Serialize>(profile: &Profile, rule: &Rule<T>) -> Cell {
    // Each of these types is written as one word.
    let value = serde_json::to_value(&rule.value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    Cell {
        profile: profile.id.clone(),
        value,
        source: rule.source.clone(),
        confidence: rule.confidence,
        date: rule.date.unwrap_or(profile.date),
    }
}

/// A cell with what follows from the rule.
fn judged<T: Copy>(profile: &Profile, rule: &Rule<T>, judge: impl FnOnce(T) -> Capability) -> Cell {
    word(
        profile,
        &Rule {
            value: judge(rule.value),
            source: rule.source.clone(),
            confidence: rule.confidence,
            date: rule.date,
            enforce: rule.enforce,
        },
    )
}
