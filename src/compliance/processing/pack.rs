//! What the record is made by: fields, activities, roles and decisions on adequacy, as dated data.

use super::super::pack::{last_line_of, line_of, load, read, refused};
use super::question::{self, List};
use crate::base::{Digest, Result};
use crate::model::{Confidence, Element};
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The head of a role in the file.
const ROLE: &str = "[[role]]";
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
    /// In whose record it stands alone; in both where that is not said.
    #[serde(default)]
    pub record: Option<Role>,
}

impl Field {
    /// Whether the record of `role` has it.
    #[must_use]
    pub fn is_of(&self, role: Role) -> bool {
        self.record.is_none_or(|record| record == role)
    }
}

/// In which country a registry is run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    profile: Box<str>,
    /// The country (ISO 3166-1 alpha-2).
    pub country: Box<str>,
    /// Where that is written.
    pub citation: Box<str>,
    /// How sure we are of it.
    pub confidence: Confidence,
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

/// By what data may go to a third country.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mechanism {
    /// Its name in the register of recipients.
    pub(super) id: Box<str>,
    pub(super) kind: MechanismKind,
    /// Whether evidence of it shows that the recipient is of the scope of a decision.
    #[serde(default)]
    pub(super) shows_scope: bool,
    /// The day from which on it is none.
    pub(super) void_from: Option<Date>,
    /// Why the pack takes it for one all the same.
    pub(super) override_reason: Option<Box<str>>,
    pub(super) citation: Box<str>,
}

/// What a mechanism is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum MechanismKind {
    /// That none is needed.
    None,
    /// A decision on adequacy (Art. 45).
    Decision,
    /// Another one (Art. 46, 49).
    Safeguard,
}

/// The mechanisms that were annulled, with the day from which on no pack may take them for one without a reason (CJEU C-311/18).
const ANNULLED: [(&str, Date); 1] = [("privacy_shield", jiff::civil::date(2020, 7, 16))];

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
    mechanism: Vec<Mechanism>,
    #[serde(default)]
    operator: Vec<Operator>,
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
    pub(super) mechanisms: Vec<Mechanism>,
    /// What authorities ask.
    pub questions: Vec<List>,
    operators: Vec<Operator>,
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
        let File { version, id, dated, small, field, activity, role, dpv, mut mechanism, operator, adequacy } = read(text, file)?;
        let told = fault(version, small, &field, &activity, &role, &mechanism, (&operator, &adequacy));
        if let Some((what, word)) = told {
            let problem = refused("E-pack-005", what, "see the built-in pack", file);
            // The last role is the one at fault; of everything else the first place is told.
            let line = if word == ROLE { last_line_of(text, ROLE) } else { line_of(text, &word) };
            return Err(match line {
                Some(line) => problem.line(line),
                None => problem,
            });
        }
        // Whatever a pack says of its day, what was annulled is void from then on, and the reason is told.
        for (one, day) in mechanism.iter_mut().filter_map(|one| Some((annulled(&one.id)?, one)).map(|(day, one)| (one, day))) {
            one.void_from = Some(one.void_from.map_or(day, |from| from.min(day)));
        }
        Ok(Self {
            id,
            dated,
            digest: Digest::of(text.as_bytes()),
            small,
            fields: field,
            adequacy,
            dpv,
            activities: activity,
            mechanisms: mechanism,
            questions: question::embedded()?,
            operators: operator,
            roles: role,
        })
    }

    /// The pack in the file at `path`.
    ///
    /// # Errors
    /// As [`Self::parse`]; `E-file-005` where it cannot be read, `E-file-006` where it is larger than any pack.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&load(path)?, path)
    }

    /// The country in which the registry of `profile` is run, where the pack knows it.
    #[must_use]
    pub fn operator(&self, profile: &str) -> Option<&Operator> {
        self.operators.iter().find(|one| &*one.profile == profile)
    }

    /// The mechanisms that are void on `day` and that the pack takes for one all the same: which, why, and what voids it.
    pub fn overridden(&self, day: Date) -> impl Iterator<Item = (&str, &str, &str)> {
        let stands = move |one: &&Mechanism| one.void_from.is_some_and(|from| from <= day);
        self.mechanisms.iter().filter(stands).filter_map(|one| Some((&*one.id, one.override_reason.as_deref()?, &*one.citation)))
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
        self.questions.iter().map(|list| &*list.authority).collect()
    }

    /// Where a field stands among [`Self::fields`].
    #[must_use]
    pub fn place(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|one| &*one.id == field)
    }
}

/// The day on which a mechanism was annulled.
fn annulled(id: &str) -> Option<Date> {
    ANNULLED.iter().find(|(name, _)| *name == id).map(|(_, day)| *day)
}

/// The first thing of a pack that does not hold together, with a word of the line in which it stands.
fn fault(
    version: u32,
    small: u64,
    fields: &[Field],
    activities: &[Activity],
    roles: &[RoleEntry],
    mechanisms: &[Mechanism],
    (operators, adequacy): (&[Operator], &Adequacy),
) -> Option<(String, String)> {
    let told = |what: String, word: &str| Some((what, word.to_owned()));
    if version != 1 {
        return told(format!("the pack has version {version}, known is 1"), "version");
    }
    if !(2..=1000).contains(&small) {
        return told(format!("`small` is {small}: counts of people below 2 to 1000 are not told"), "small");
    }
    let mut seen = BTreeSet::new();
    let ids = fields.iter().map(|one| &one.id).chain(activities.iter().map(|one| &one.id)).chain(mechanisms.iter().map(|one| &one.id));
    if let Some(id) = ids.into_iter().find(|id| !seen.insert((*id).clone())) {
        return told(format!("`{}` stands in it twice", shown(id)), id);
    }
    let countries =
        adequacy.eea.iter().chain(adequacy.decisions.iter().map(|d| &d.country)).chain(operators.iter().map(|one| &one.country));
    if let Some(code) = countries.into_iter().find(|code| iso3166::Country::from_alpha2(code).is_none()) {
        return told(format!("`{}` is no country of ISO 3166-1", shown(code)), code);
    }
    let is_kept = |one: &&Mechanism| {
        let is_void = annulled(&one.id).is_some_and(|day| one.void_from.is_none_or(|from| from > day));
        is_void && one.override_reason.as_ref().is_none_or(|reason| reason.trim().is_empty())
    };
    if let Some(one) = mechanisms.iter().find(is_kept) {
        let day = annulled(&one.id).unwrap_or_default();
        let what =
            format!("`{}` is no mechanism since {day} (CJEU C-311/18), and the pack takes it for one without `override_reason`", one.id);
        return told(what, &one.id);
    }
    let is_open = roles.last().is_none_or(|last| !last.profiles.contains("*"));
    is_open.then(|| ("the last role is not for `*`, so that nobody answers for some registry".to_owned(), ROLE.to_owned()))
}

/// What stands in a file, cut so that it can be told.
fn shown(text: &str) -> String {
    crate::base::escape_controls(&text.chars().take(24).collect::<String>())
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
