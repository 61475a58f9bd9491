//! Rule packs as files.

use super::super::pack::{read, refused};
use crate::base::{Digest, Result, read_capped};
use crate::model::Confidence;
use jiff::civil::Date;
use jiff::{Span, SpanRelativeTo};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The embedded pack.
const EMBEDDED: &str = include_str!("../packs/retention.toml");
/// The largest file that is read as a pack, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// The most rules of a pack.
const MAX_RULES: usize = 500;
/// The longest period, in days: a century.
const LONGEST: f64 = 36_525.0;

/// Whether a rule keeps or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The data are kept until the period ends.
    Min,
    /// The data are gone when the period ends.
    Max,
}

/// Who made a rule; of two that exclude each other the one further up wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// A law.
    Law,
    /// A registry, or ICANN.
    Registry,
    /// The registrar, or the provider whose terms it took over.
    House,
}

/// The ground that keeping rests on (GDPR Art. 6(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LegalBasis {
    /// Consent (a).
    Consent,
    /// A contract (b).
    Contract,
    /// A legal obligation (c).
    LegalObligation,
    /// A legitimate interest (f).
    LegitimateInterest,
    /// None: the data must go.
    None,
}

impl LegalBasis {
    /// Its word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Contract => "contract",
            Self::LegalObligation => "legal-obligation",
            Self::LegitimateInterest => "legitimate-interest",
            Self::None => "none",
        }
    }
}

/// A retention rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its id, unique in the pack.
    pub id: Box<str>,
    /// The clusters of data that it is of.
    pub clusters: BTreeSet<Box<str>>,
    /// The kinds of registries that it holds at; all where none is named.
    #[serde(default)]
    pub scopes: BTreeSet<Box<str>>,
    /// The countries of the subjects (ISO 3166-1 alpha-2); all where none is named.
    #[serde(default)]
    pub countries: BTreeSet<Box<str>>,
    /// It holds only where one of these contracts does; where none is named, always.
    #[serde(default)]
    pub contracts: BTreeSet<Box<str>>,
    /// The event that begins its period; none where it begins `on` a day.
    #[serde(default)]
    pub start: Option<Box<str>>,
    /// The day that begins its period, for everybody.
    #[serde(default)]
    pub on: Option<Date>,
    /// The period, by the calendar (ISO 8601: years, months, weeks, days).
    pub period: Span,
    /// How long the erasing may take after it.
    #[serde(default)]
    pub grace: Span,
    /// Whether it keeps or ends.
    pub kind: Kind,
    /// Who made it.
    pub tier: Tier,
    /// Rules that do not hold where this one does.
    #[serde(default)]
    pub supersedes: BTreeSet<Box<str>>,
    /// The ground that keeping rests on.
    pub basis: LegalBasis,
    /// Where it is written.
    pub citation: Box<str>,
    /// How sure we are of it.
    pub confidence: Confidence,
    /// The first day on which it is in force.
    pub from: Date,
    /// The first day on which it is not any more.
    #[serde(default)]
    pub to: Option<Date>,
    /// Days that it must come to.
    #[serde(rename = "example")]
    examples: Vec<Example>,
}

/// What a rule must come to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    start: Date,
    end: Date,
    /// The end with its grace; as `end`, where it is not given.
    gone: Option<Date>,
}

/// An event that may begin a period.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    #[serde(rename = "what")]
    _what: Box<str>,
    /// Whether it is known of everything that is no longer in use.
    ends: bool,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    id: Box<str>,
    dated: Date,
    events: BTreeMap<Box<str>, Event>,
    clusters: BTreeMap<Box<str>, Box<str>>,
    scopes: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    reasons: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    rule: Vec<Rule>,
}

/// A rule pack that holds together.
#[derive(Clone, Debug)]
pub struct RulePack {
    /// Its id.
    pub id: Box<str>,
    /// The day it is of.
    pub dated: Date,
    /// The digest of its text.
    pub digest: Digest,
    rules: Vec<Rule>,
    events: BTreeMap<Box<str>, Event>,
    clusters: BTreeMap<Box<str>, Box<str>>,
    scopes: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    reasons: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
}

impl Rule {
    /// The end of its period, and that with its grace, where the period began on `start`.
    #[must_use]
    pub fn ends(&self, start: Date) -> (Date, Date) {
        let end = start.saturating_add(self.period);
        (end, end.saturating_add(self.grace))
    }

    /// Whether it is in force on `day`.
    #[must_use]
    pub fn is_in_force(&self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day < to)
    }
}

impl RulePack {
    /// The embedded pack.
    ///
    /// # Errors
    /// As [`Self::parse`]: a test holds it to having none.
    pub fn embedded() -> Result<Self> {
        Self::parse(EMBEDDED, Path::new("retention.toml (built in)"))
    }

    /// The pack in the file at `path`.
    ///
    /// # Errors
    /// As [`Self::parse`]; `E-file-005` where it cannot be read, `E-file-006` where it is larger than any pack.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = read_capped(path, MAX_BYTES)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| refused("E-pack-001", "the file is not UTF-8", "save it as UTF-8", path))?;
        Self::parse(text, path)
    }

    /// The pack that is the `text` of `file`.
    ///
    /// # Errors
    /// `E-pack-001` where it is no such file (with line and column); `E-pack-003` where its parts do not hold together; `E-pack-004`
    /// where a rule does not come to what its example says. All end with 2.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let File { version, id, dated, events, clusters, scopes, reasons, rule: rules } = read(text, file)?;
        let pack = Self { id, dated, digest: Digest::of(text.as_bytes()), rules, events, clusters, scopes, reasons };
        let told = if version == 1 { pack.fault() } else { Some((String::new(), format!("the pack has version {version}, known is 1"))) };
        if let Some((rule, what)) = told {
            let remedy = "see the built-in pack for how rules are written";
            let problem = refused("E-pack-003", what, remedy, file);
            return Err(if rule.is_empty() { problem } else { problem.line(line_of(text, &rule)).field(rule) });
        }
        for rule in &pack.rules {
            for example in &rule.examples {
                let (end, gone) = rule.ends(example.start);
                if (end, gone) != (example.end, example.gone.unwrap_or(example.end)) {
                    let what =
                        format!("from {} on, the rule comes to {end}, and with its grace to {gone}, not to its example", example.start);
                    let problem = refused("E-pack-004", what, "see whether the period or the example is wrong", file);
                    return Err(problem.field(rule.id.to_string()).line(line_of(text, &rule.id)));
                }
            }
        }
        Ok(pack)
    }

    /// The rules, in the order of the file.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The clusters, each with what it holds.
    pub fn clusters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.clusters.iter().map(|(name, what)| (&**name, &**what))
    }

    /// The kinds of registries that the one with `profile` is of.
    #[must_use]
    pub fn scopes_of(&self, profile: &str) -> Vec<Box<str>> {
        self.scopes.iter().filter(|(_, profiles)| profiles.contains(profile)).map(|(scope, _)| scope.clone()).collect()
    }

    /// Whether `event` is known of everything that is no longer in use.
    #[must_use]
    pub fn is_end(&self, event: &str) -> bool {
        self.events.get(event).is_some_and(|event| event.ends)
    }

    /// The events that took place where a service ended for `reason`, as the services table has it.
    pub fn events_of(&self, reason: &str) -> impl Iterator<Item = &str> {
        let known = self.reasons.get(reason).or_else(|| self.reasons.get("other"));
        known.into_iter().flatten().map(|event| &**event)
    }

    /// The first thing that does not hold together, with the rule it is in.
    fn fault(&self) -> Option<(String, String)> {
        let all = |what: &str| Some((String::new(), what.to_owned()));
        if self.rules.is_empty() || self.rules.len() > MAX_RULES {
            return all(&format!("a pack has 1 to {MAX_RULES} rules"));
        }
        if !self.reasons.contains_key("other") {
            return all("`reasons` lacks `other`, for words that nobody foresaw");
        }
        if let Some(event) = self.reasons.values().flatten().find(|event| !self.events.contains_key(*event)) {
            return all(&format!("`reasons` names `{event}`, which is no event of this pack"));
        }
        let mut seen = BTreeSet::new();
        self.rules.iter().find_map(|rule| {
            let twice = !seen.insert(&rule.id);
            self.fault_of(rule).or_else(|| twice.then(|| "two rules have this id".to_owned())).map(|what| (rule.id.to_string(), what))
        })
    }

    fn fault_of(&self, rule: &Rule) -> Option<String> {
        let period = |span: &Span, least: f64| {
            let relative = SpanRelativeTo::days_are_24_hours();
            let by_calendar = span.get_hours() == 0 && span.get_minutes() == 0 && span.get_seconds() == 0;
            let days = f64::from(span.get_years()) * 365.25 + f64::from(span.get_months()) * 30.4;
            let rest = Span::new().try_weeks(span.get_weeks()).and_then(|weeks| weeks.try_days(span.get_days()));
            let days = rest.and_then(|rest| rest.total((jiff::Unit::Day, relative))).map_or(f64::MAX, |rest| days + rest);
            by_calendar && (least..=LONGEST).contains(&days)
        };
        if let Some(cluster) = rule.clusters.iter().find(|cluster| !self.clusters.contains_key(*cluster)) {
            return Some(format!("`{cluster}` is no cluster of this pack"));
        }
        if let Some(scope) = rule.scopes.iter().find(|scope| !self.scopes.contains_key(*scope)) {
            return Some(format!("`{scope}` is no scope of this pack"));
        }
        if let Some(event) = rule.start.as_ref().filter(|event| !self.events.contains_key(*event)) {
            return Some(format!("`{event}` is no event of this pack"));
        }
        if let Some(other) = rule.supersedes.iter().find(|other| !self.rules.iter().any(|rule| rule.id == **other)) {
            return Some(format!("it supersedes `{other}`, which is no rule of this pack"));
        }
        if let Some(country) = rule.countries.iter().find(|code| iso3166::Country::from_alpha2(code).is_none()) {
            return Some(format!("`{country}` is no country of ISO 3166-1"));
        }
        let broken = [
            (rule.clusters.is_empty(), "it names no cluster"),
            (rule.start.is_some() == rule.on.is_some(), "it begins with an event (`start`) or on a day (`on`), and with one of them"),
            (!period(&rule.period, 0.0), "its period is no time by the calendar of at most a century, such as `P15M`"),
            (!period(&rule.grace, 0.0), "its grace is no time by the calendar of at most a century, such as `P3M`"),
            (rule.citation.trim().is_empty(), "it has no citation"),
            (rule.supersedes.contains(&rule.id), "it supersedes itself"),
            (rule.to.is_some_and(|to| to <= rule.from), "it ends before it begins"),
            (rule.examples.is_empty(), "it has no example"),
        ];
        broken.into_iter().find(|(is_so, _)| *is_so).map(|(_, what)| what.to_owned())
    }
}

/// The line in which the rule `id` stands.
fn line_of(text: &str, id: &str) -> u64 {
    let wanted = format!("\"{id}\"");
    let at = text.lines().position(|line| line.trim_start().starts_with("id") && line.contains(&wanted));
    at.map_or(1, |at| at as u64 + 1)
}
