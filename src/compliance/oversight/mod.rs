//! Oversight: whether registrants' data are right, how lines are secured, what may ask for an impact assessment. Every bound is dated
//! data of a pack.

mod accuracy;
mod dpia;
#[cfg(test)]
mod tests;

pub use accuracy::{Accuracy, Lack, Looked, Verification};
pub use dpia::{COMPUTED, Criterion, DECLARED_CRITERIA, Met, assess};

use super::pack::{line_of, load, read, refused};
use super::record::Element;
use super::register::severity;
use crate::base::{Digest, Result, escape_controls};
use crate::model::{Confidence, FindingSeverity};
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// The embedded pack.
const EMBEDDED: &str = include_str!("../packs/oversight.toml");

/// The bounds of oversight.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OversightPack {
    version: u32,
    /// Of which day it is.
    pub dated: Date,
    /// The digest of its text.
    #[serde(skip, default = "no_digest")]
    pub digest: Digest,
    /// Rules of this report that are errors where they are broken; the others are warnings. Those of the registers say so themselves.
    #[serde(default)]
    errors: BTreeSet<Box<str>>,
    /// What judges people, and by what.
    #[serde(default, rename = "score")]
    pub scores: Vec<ScoreRule>,
    /// Of the data.
    pub accuracy: AccuracyRules,
    /// Of the lines.
    pub security: SecurityRules,
    /// Who may have details withheld.
    #[serde(default)]
    pub withholding: Vec<WithholdingRule>,
    /// What asks for an impact assessment.
    pub dpia: DpiaRules,
}

/// A score or a suspicion about people: what it is made of, and what comes of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreRule {
    /// What it says.
    pub name: Box<str>,
    /// Of whom.
    pub whom: Box<str>,
    /// What goes into it.
    pub inputs: Vec<Box<str>>,
    /// The rules that tell of it; none where only a list does.
    pub rules: Vec<Box<str>>,
    /// What comes of it.
    pub effect: Effect,
}

/// What comes of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing by itself: somebody looks at it (GDPR Art. 22(1)).
    None,
}

impl Effect {
    /// The words in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none: for somebody to look at",
        }
    }
}

/// When data are right.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccuracyRules {
    /// What of a registrant is the least that is held.
    pub minimum: BTreeSet<Element>,
    /// How many days ago they may have been confirmed or changed last.
    pub confirmed_days: i32,
    /// Where that comes from.
    pub citation: Box<str>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// How a line has to be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityRules {
    /// The versions of TLS that may be negotiated.
    pub tls: BTreeSet<Box<str>>,
    /// How many days before its end a certificate is to be renewed.
    pub certificate_days: i32,
    /// How many days old a password may be.
    pub password_days: i32,
    /// Where that comes from.
    pub citation: Box<str>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// Who may have contact details withheld by a registry's own option.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithholdingRule {
    /// The profiles of the registries.
    pub profiles: BTreeSet<Box<str>>,
    /// Who alone may.
    pub only: Who,
    /// Where that comes from.
    pub citation: Box<str>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// A kind of registrant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// A natural person.
    Individual,
}

/// What asks for an impact assessment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DpiaRules {
    /// With how many criteria met.
    pub met: usize,
    /// From how many subjects on the scale is large.
    pub subjects: u64,
    /// From how many countries on it is, too.
    pub countries: u64,
    /// Where that comes from.
    pub citation: Box<str>,
    /// How sure it is.
    pub confidence: Confidence,
    /// The criteria.
    pub criterion: Vec<CriterionRule>,
}

/// One criterion.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriterionRule {
    /// Its name.
    pub id: Box<str>,
    /// What it is.
    pub what: Box<str>,
    /// How it is known.
    pub by: By,
}

/// How a criterion is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Somebody says it.
    Declared,
    /// It follows from what was observed.
    Computed,
}

/// The digest of a pack that is still being read.
fn no_digest() -> Digest {
    Digest::of(&[])
}

impl OversightPack {
    /// The embedded one.
    ///
    /// # Errors
    /// As [`Self::parse`]: a test holds it to having none.
    pub fn embedded() -> Result<Self> {
        Self::parse(EMBEDDED, Path::new("oversight.toml (built in)"))
    }

    /// The pack that `text` of `file` gives.
    ///
    /// # Errors
    /// `E-pack-001` where the file is no such pack; `E-pack-002` where its version is another one, a number is none that could be met, a
    /// score has no inputs, or a criterion stands there twice or is one that nobody computes or declares.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let mut pack: Self = read(text, file)?;
        pack.digest = Digest::of(text.as_bytes());
        let wrong = |what: String, remedy: &str, word: &str| {
            let problem = refused("E-pack-002", what, remedy, file);
            Err(match line_of(text, word) {
                Some(line) => problem.line(line),
                None => problem,
            })
        };
        if pack.version != 1 {
            return wrong(format!("the pack has version {}, known is 1", pack.version), "see the built-in pack", "version");
        }
        let days = [
            ("confirmed_days", pack.accuracy.confirmed_days),
            ("certificate_days", pack.security.certificate_days),
            ("password_days", pack.security.password_days),
        ];
        if let Some((key, odd)) = days.into_iter().find(|(_, days)| !(1..=36_500).contains(days)) {
            return wrong(format!("{odd} is no number of days"), "from 1 to 36500", key);
        }
        if pack.security.tls.is_empty() {
            return wrong("no version of TLS may be negotiated".to_owned(), "name at least one, such as `TLSv1.3`", "tls");
        }
        if let Some(score) = pack.scores.iter().find(|score| score.inputs.is_empty()) {
            return wrong("a score is made of nothing".to_owned(), "name its inputs", &score.name);
        }
        let DpiaRules { met, criterion, .. } = &pack.dpia;
        if *met == 0 || *met > criterion.len() {
            return wrong(format!("{met} of {} criteria cannot be met", criterion.len()), "from 1 to the number of criteria", "met");
        }
        let mut seen = BTreeSet::new();
        for one in criterion {
            let known: &[&str] = if one.by == By::Computed { &COMPUTED } else { &DECLARED_CRITERIA };
            let shown: String = one.id.chars().take(24).collect();
            if !known.contains(&&*one.id) {
                let what = format!("`{}` is no criterion of that kind", escape_controls(&shown));
                return wrong(what, &format!("known: {}", known.join(", ")), &one.id);
            }
            if !seen.insert(&one.id) {
                return wrong(format!("`{shown}` stands there twice"), "leave one of them", &one.id);
            }
        }
        Ok(pack)
    }

    /// The pack in the file at `path`.
    ///
    /// # Errors
    /// As [`Self::parse`]; `E-file-005` where it cannot be read, `E-file-006` where it is larger than any pack.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&load(path)?, path)
    }

    /// How severe it is when `rule` is broken.
    #[must_use]
    pub fn severity(&self, rule: &str) -> FindingSeverity {
        let own = if self.errors.contains(rule) { FindingSeverity::Error } else { FindingSeverity::Warning };
        severity(rule).unwrap_or(own)
    }

    /// The score that `rule` tells of.
    #[must_use]
    pub fn score(&self, rule: &str) -> Option<&ScoreRule> {
        self.scores.iter().find(|score| score.rules.iter().any(|known| **known == *rule))
    }

    /// Who alone may have details withheld at a registry of `profile`, where it is not everybody.
    pub fn withholding(&self, profile: &str) -> Option<&WithholdingRule> {
        self.withholding.iter().find(|rule| rule.profiles.contains(profile))
    }
}
