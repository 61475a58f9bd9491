//! What the record is made by: fields, activities, roles and decisions on adequacy, as dated data.

use super::super::pack::{read, refused};
use crate::base::{Digest, Result};
use crate::model::{Confidence, Element};
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The embedded pack.
const EMBEDDED: &str = include_str!("../packs/record.toml");

/// Where the value of a field comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Somebody has to declare it.
    Declared,
    /// It is observed.
    Observed,
    /// It follows from what is observed.
    Computed,
}

/// A field of the record.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its id.
    pub id: Box<str>,
    /// Its title.
    pub title: Box<str>,
    /// The article that wants it; empty where only templates do.
    pub article: Box<str>,
    /// Where its value comes from.
    pub from: Origin,
    /// The authorities whose templates ask for it.
    pub asked: BTreeSet<Box<str>>,
}

/// Something that is done with data.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Activity {
    pub(super) id: Box<str>,
    pub(super) name: Box<str>,
    pub(super) purposes: Box<str>,
    /// The commands that show it.
    pub(super) commands: BTreeSet<Box<str>>,
    /// The cluster of ended services that shows it, where no command does.
    #[serde(default)]
    pub(super) cluster_held: Option<Box<str>>,
    pub(super) basis: Box<str>,
    pub(super) source: Box<str>,
    /// The clusters whose time limits it has.
    pub(super) clusters: BTreeSet<Box<str>>,
    /// Its terms in the Data Privacy Vocabulary.
    pub(super) dpv: Terms,
}

/// What an activity is in the Data Privacy Vocabulary.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Its purposes, as terms of `dpv`.
    pub purposes: Vec<Box<str>>,
    /// Its legal bases, as terms of `legal/eu/gdpr`.
    pub bases: Vec<Box<str>>,
}

/// What data are in the Data Privacy Vocabulary.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// Kinds of data, as terms of `pd`; one that it has no term for is told in words.
    pub data: BTreeMap<Element, Box<str>>,
}

/// Who answers for data at some registries.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleEntry {
    profiles: BTreeSet<Box<str>>,
    role: Role,
    /// For whom a processor works.
    pub of: Box<str>,
    from: Date,
    to: Option<Date>,
    /// Where that is written.
    pub citation: Box<str>,
    /// How sure we are of it.
    pub confidence: Confidence,
}

/// What the registrar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It decides on purposes and means (Art. 4(7)): its rows are in the record of Art. 30(1).
    Controller,
    /// It works for another (Art. 4(8)): its rows are in the record of Art. 30(2).
    Processor,
}

impl Role {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Processor => "processor",
        }
    }
}

/// Decisions on adequacy, as of a day.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adequacy {
    dated: Date,
    eea: BTreeSet<Box<str>>,
    decisions: Vec<Decision>,
}

/// One decision.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    country: Box<str>,
    from: Date,
    to: Option<Date>,
    scope: Box<str>,
    citation: Box<str>,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    id: Box<str>,
    dated: Date,
    small: u64,
    field: Vec<Field>,
    activity: Vec<Activity>,
    role: Vec<RoleEntry>,
    dpv: Vocabulary,
    adequacy: Adequacy,
}

/// A pack that holds together.
#[derive(Clone, Debug)]
pub struct RecordPack {
    /// Its id.
    pub id: Box<str>,
    /// The day it is of.
    pub dated: Date,
    /// The digest of its text.
    pub digest: Digest,
    /// Counts of people below this are not told.
    pub small: u64,
    /// The fields, in the order of the record.
    pub fields: Vec<Field>,
    /// Decisions on adequacy.
    pub adequacy: Adequacy,
    /// Data in the Data Privacy Vocabulary.
    pub dpv: Vocabulary,
    pub(super) activities: Vec<Activity>,
    roles: Vec<RoleEntry>,
}

impl RecordPack {
    /// The embedded pack.
    ///
    /// # Errors
    /// As [`Self::parse`]: a test holds it to having none.
    pub fn embedded() -> Result<Self> {
        Self::parse(EMBEDDED, Path::new("record.toml (built in)"))
    }

    /// The pack that is the `text` of `file`.
    ///
    /// # Errors
    /// `E-pack-001` where it is no such file; `E-pack-005` where its parts do not hold together.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let File { version, id, dated, small, field, activity, role, dpv, adequacy } = read(text, file)?;
        let mut seen = BTreeSet::new();
        let twice = field.iter().map(|f| &f.id).chain(activity.iter().map(|a| &a.id)).find(|id| !seen.insert((*id).clone()));
        let odd = adequacy.eea.iter().chain(adequacy.decisions.iter().map(|d| &d.country));
        let odd = odd.into_iter().find(|code| iso3166::Country::from_alpha2(code).is_none());
        let told = match (twice, odd) {
            _ if version != 1 => Some(format!("the pack has version {version}, known is 1")),
            (Some(id), _) => Some(format!("`{id}` stands in it twice")),
            (_, Some(code)) => Some(format!("`{code}` is no country of ISO 3166-1")),
            _ if role.last().is_none_or(|last| !last.profiles.contains("*")) => {
                Some("the last role is not for `*`, so that nobody answers for some registry".to_owned())
            }
            _ => None,
        };
        match told {
            Some(what) => Err(refused("E-pack-005", what, "see the built-in pack", file)),
            None => Ok(Self {
                id,
                dated,
                digest: Digest::of(text.as_bytes()),
                small,
                fields: field,
                adequacy,
                dpv,
                activities: activity,
                roles: role,
            }),
        }
    }

    /// Who answers for the data at a registry with `profile` on `day`, and where that is written.
    #[must_use]
    pub fn role(&self, profile: &str, day: Date) -> (Role, Option<&RoleEntry>) {
        let fits = |entry: &&RoleEntry| {
            let is_of = entry.profiles.contains(profile) || entry.profiles.contains("*");
            is_of && entry.from <= day && entry.to.is_none_or(|to| day < to)
        };
        let found = self.roles.iter().find(fits);
        (found.map_or(Role::Controller, |entry| entry.role), found)
    }

    /// What is done with data of one of `clusters`: name, purposes, ground and source of each activity.
    pub fn activities_over<'p>(&'p self, clusters: &'p BTreeSet<&str>) -> impl Iterator<Item = [&'p str; 4]> {
        let concerned = self.activities.iter().filter(|activity| activity.clusters.iter().any(|cluster| clusters.contains(&**cluster)));
        concerned.map(|activity| [&*activity.name, &*activity.purposes, &*activity.basis, &*activity.source])
    }

    /// The authorities whose templates are known.
    pub fn authorities(&self) -> BTreeSet<&str> {
        self.fields.iter().flat_map(|field| &field.asked).map(|name| &**name).collect()
    }
}

impl Adequacy {
    /// Whether data in `country` are in a third country (Art. 44).
    #[must_use]
    pub fn is_third(&self, country: &str) -> bool {
        !self.eea.contains(country)
    }

    /// The decision on `country` that holds on `day`: its scope and where it is written. One with a scope other than `all` covers a
    /// recipient only where there is evidence that it does.
    #[must_use]
    pub fn decision(&self, country: &str, day: Date) -> Option<(&str, &str)> {
        let holds = |d: &&Decision| &*d.country == country && d.from <= day && d.to.is_none_or(|to| day < to);
        self.decisions.iter().find(holds).map(|decision| (&*decision.scope, &*decision.citation))
    }

    /// The day the table is of.
    #[must_use]
    pub const fn dated(&self) -> Date {
        self.dated
    }
}
