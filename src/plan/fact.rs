//! What of an object a change rests on or sets: a column, one status, or one additional property.

use crate::base::{ObjectKey, ValueDigest};
use crate::dataset::{Column, Row, columns};
use crate::diff::normalise;
use crate::model::{ObjectKind, Properties};
use std::fmt;

/// One fact about an object: `email`, `statuses.clientTransferProhibited`, `properties.consentForPublishing`. A status is there or is
/// not; its value where it is there is [`Fact::SET`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Fact(Box<str>);

impl Fact {
    /// The value of a status that is there.
    pub const SET: &'static str = "set";

    /// A column's value.
    #[must_use]
    pub fn column(name: &str) -> Self {
        Self(name.into())
    }

    /// Whether a status is there.
    #[must_use]
    pub fn status(name: &str) -> Self {
        Self(format!("statuses.{name}").into())
    }

    /// The value of an additional property.
    #[must_use]
    pub fn property(key: &str) -> Self {
        Self(format!("properties.{key}").into())
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the status, where it is one.
    #[must_use]
    pub fn as_status(&self) -> Option<&str> {
        self.0.strip_prefix("statuses.")
    }

    /// The key of the property, where it is one.
    #[must_use]
    pub fn as_property(&self) -> Option<&str> {
        self.0.strip_prefix("properties.")
    }

    /// Whether objects of `kind` have such a fact.
    #[must_use]
    pub fn is_of(&self, kind: ObjectKind) -> bool {
        let is_part = self.as_status().or(self.as_property()).is_some_and(|part| !part.is_empty());
        is_part || self.place(kind).is_some_and(|(_, column)| !matches!(column.name, "statuses" | "properties"))
    }

    /// Whether its value is personal data (GDPR Art. 4(1)).
    #[must_use]
    pub fn is_personal(&self, kind: ObjectKind) -> bool {
        self.as_status().is_none() && self.place(kind).is_none_or(|(_, column)| column.personal)
    }

    /// Its value in a row, as it is written there; nothing where the object lacks it.
    #[must_use]
    pub fn of(&self, kind: ObjectKind, row: &Row) -> Option<String> {
        let (at, _) = self.place(kind)?;
        let text = row.get(at)?;
        if let Some(status) = self.as_status() {
            return text.split(';').any(|s| s.trim() == status).then(|| Self::SET.to_owned());
        }
        if let Some(key) = self.as_property() {
            return Properties::read(text).ok()?.get(key).map(ToOwned::to_owned);
        }
        Some(text.to_owned())
    }

    /// The form of a value in which two are compared: what a registry normalises is no change. Nothing where none is left.
    #[must_use]
    pub fn normal(&self, kind: ObjectKind, value: Option<&str>) -> Option<String> {
        let value = value?;
        let is_part = self.as_status().or(self.as_property()).is_some();
        let column = self.place(kind).filter(|_| !is_part);
        let normal = column.map_or_else(|| value.to_owned(), |(_, column)| normalise(column.kind, value).into_owned());
        Some(normal).filter(|value| !value.is_empty())
    }

    /// The column it stands in.
    fn place(&self, kind: ObjectKind) -> Option<(usize, &'static Column)> {
        let name = self.0.split_once('.').map_or(&*self.0, |(column, _)| column);
        columns(kind).iter().enumerate().find(|(_, column)| column.name == name)
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The digest under the object's key of the state of an object of `kind`: its facts in the order of their names, each with its value in
/// the form that values are compared in, or without one.
#[must_use]
pub fn state_digest<'a>(key: &ObjectKey, kind: ObjectKind, state: impl IntoIterator<Item = (&'a Fact, Option<&'a str>)>) -> ValueDigest {
    let mut facts: Vec<(&Fact, Option<String>)> = state.into_iter().map(|(fact, value)| (fact, fact.normal(kind, value))).collect();
    facts.sort_unstable();
    let mut bytes = Vec::new();
    let mut put = |text: &str| {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    };
    for (fact, value) in facts {
        put(fact.as_str());
        put(if value.is_some() { "1" } else { "0" });
        put(value.as_deref().unwrap_or_default());
    }
    key.digest("state/1", &bytes)
}
