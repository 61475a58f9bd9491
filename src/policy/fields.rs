//! Rules for single fields, and the additional properties of a registry.

use super::rule::Rule;
use regex::Regex;

/// Least and most, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(try_from = "Written")]
pub struct Bounds {
    /// The least.
    pub min: u32,
    /// The most, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// Least and most, both included.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The least; 0 if not given.
    #[serde(default)]
    min: u32,
    /// The most, where there is one.
    max: Option<u32>,
}

impl TryFrom<Written> for Bounds {
    type Error = String;

    fn try_from(Written { min, max }: Written) -> Result<Self, String> {
        match max {
            Some(max) if max < min => Err(format!("at least {min} and at most {max} is nothing")),
            _ => Ok(Self { min, max }),
        }
    }
}

impl Bounds {
    /// Whether it allows anything that `other` does not.
    #[must_use]
    pub fn is_wider(&self, other: &Self) -> bool {
        let most = |bounds: &Self| bounds.max.unwrap_or(u32::MAX);
        self.min < other.min || most(self) > most(other)
    }
}

/// A regular expression that a whole value must match.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    /// As it was written.
    text: String,
    /// With anchors around it.
    regex: Regex,
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let regex = Regex::new(&format!("^(?:{text})$")).map_err(|e| format!("`{text}` is no regular expression: {e}"))?;
        Ok(Self { text, regex })
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl schemars::JsonSchema for Pattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "A regular expression for the whole value.", "type": "string", "format": "regex" })
    }
}

impl Pattern {
    /// Whether the whole of `value` matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        self.regex.is_match(value)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Where another field of the same object is as it says: every part that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// The other field or property.
    pub field: String,
    /// It has one of these values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
    /// It is there with another value than these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<String>,
    /// It is there, or it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present: Option<bool>,
}

impl When {
    /// Whether it holds for what the field has.
    #[must_use]
    pub fn holds(&self, value: Option<&str>) -> bool {
        let among = |values: &[String]| value.is_some_and(|value| values.iter().any(|v| v == value));
        (self.is.is_empty() || among(&self.is))
            && (self.not.is_empty() || (value.is_some() && !among(&self.not)))
            && self.present.is_none_or(|present| present == value.is_some())
    }

    /// Whether it asks for anything.
    pub(super) fn is_empty(&self) -> bool {
        self.is.is_empty() && self.not.is_empty() && self.present.is_none()
    }
}

/// What no pattern can say of a value, so that it is code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// A country of ISO 3166-1, by its two capital letters.
    Country,
    /// A telephone number of at most 15 digits with a country code that is assigned (ITU-T E.164).
    Phone,
    /// An e-mail address whose domain maps to A-labels (RFC 5321 §4.1.2, RFC 5891).
    Email,
    /// The check character of a codice fiscale (Italian decree of 23 December 1976), also where digits are replaced by letters.
    CodiceFiscale,
    /// The check digit of a partita IVA.
    PartitaIva,
    /// A name, and no dummy that merely fills the field, such as `-` or `n/a`.
    NoDummy,
}

/// What holds for one field of a contact. What is not stated is not limited here.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FieldRules {
    /// The field, where the table is not called after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Where these rules hold: where each of these does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<When>,
    /// Whether it must be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<Rule<bool>>,
    /// Characters of one value, after NFC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<Rule<Bounds>>,
    /// How often it stands, as the lines of a street do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurs: Option<Rule<Bounds>>,
    /// What a value looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Rule<Pattern>>,
    /// The only values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices: Option<Rule<Vec<String>>>,
    /// The set of characters it may have, by its name in `characters`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub characters: Option<Rule<String>>,
    /// The other field whose value it must have, where both are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<Rule<String>>,
    /// What code says of a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Rule<Check>>,
    /// The numbered rule that is told where one of these is broken, where it is another than the general one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The registry's code where one of these is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Rule<String>>,
}

/// What kind of value an additional property has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PropertyKind {
    /// True or false.
    Boolean,
    /// A whole number, in `bounds`.
    Integer,
    /// A text, its length in `bounds`.
    Text,
    /// One of `choices`.
    Choice,
    /// A country, ISO 3166-1 alpha-2.
    Country,
    /// A day.
    Date,
}

/// What an additional property belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PropertyOf {
    /// A contact.
    Contact,
    /// A domain.
    Domain,
}

/// An additional property which a registry's extension carries.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// What it belongs to.
    pub of: PropertyOf,
    /// The kind of its value.
    pub kind: PropertyKind,
    /// Whether it must be there, where `when` holds.
    #[serde(default)]
    pub required: bool,
    /// Where it may stand: where each of these holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<When>,
    /// Least and most of a number, or of a text's length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
    /// The values of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What a text looks like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
}
