//! A rule: a value, where it was read, how sure we are of it, and whether breaking it is an error.

use crate::model::Confidence;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

/// A value with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule<T> {
    /// The value.
    pub value: T,
    /// The document it was read in, or why it was chosen; never blank.
    #[serde(deserialize_with = "said")]
    pub source: String,
    /// How sure we are.
    pub confidence: Confidence,
    /// When it was last compared with its source, where that is another day than the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// Whether breaking it is an error although it was not seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enforce: bool,
}

impl<T> Rule<T> {
    /// A rule as of its profile's date, enforced if it was seen.
    #[must_use]
    pub const fn new(value: T, source: String, confidence: Confidence) -> Self {
        Self { value, source, confidence, date: None, enforce: false }
    }

    /// Whether what breaks it is an error; otherwise it is a warning.
    #[must_use]
    pub const fn is_enforced(&self) -> bool {
        self.enforce || matches!(self.confidence, Confidence::Seen)
    }
}

/// What a registry allows. What is unknown is never planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Nobody has read whether it does.
    Unknown,
}

/// A text with something in it.
fn said<'d, D: Deserializer<'d>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if text.trim().is_empty() {
        return Err(serde::de::Error::custom("the source is blank"));
    }
    Ok(text)
}
