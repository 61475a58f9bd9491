//! Additional properties: what a registry has of an object and the RFCs have no element for.

use crate::base::Personal;
use std::collections::BTreeMap;

/// Values by their keys. A key is one of the registry's profile (`entityType`), or that of a field with the number of a further value
/// behind it (`street.4`), where the field stands more often than a row has columns for.
///
/// As text they are `key=value;key=value`, sorted by key; `\` stands before each `;`, `=` and `\` of a key or value.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Properties(BTreeMap<Box<str>, Personal>);

/// Keys of a domain whose values are contacts, besides further values of its roles.
const CONTACTS: [&str; 6] = ["registrant", "admin", "tech", "billing", "general-request", "abuse-contact"];

impl Properties {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Reads their text. Blanks around keys and values do not count; a part of nothing is none.
    ///
    /// # Errors
    /// What is wrong with it, without a value: a part without `=`, without a key, or with a key that was there already.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut all = Self::new();
        for (n, part) in split(text, ';').into_iter().enumerate().filter(|(_, part)| !part.trim().is_empty()) {
            let pieces = split(part, '=');
            let [key, value] = pieces.as_slice() else {
                let what = if pieces.len() < 2 { "has no `=`" } else { "has more than one `=`; write `\\=` in a value" };
                return Err(format!("property {} {what}", n + 1));
            };
            let key = plain(key.trim());
            if key.is_empty() {
                return Err(format!("property {} has no key", n + 1));
            }
            if all.0.contains_key(&*key) {
                return Err(format!("property {} stands twice: `{}`", n + 1, crate::base::escape_controls(&key)));
            }
            all.set(&key, &plain(value.trim()));
        }
        Ok(all)
    }

    /// Their text; empty where there are none.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for (key, value) in self.iter() {
            if !out.is_empty() {
                out.push(';');
            }
            escape(key, &mut out);
            out.push('=');
            escape(value, &mut out);
        }
        out
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(Personal::reveal)
    }

    /// Sets `key` to `value`; an empty value removes it.
    pub fn set(&mut self, key: &str, value: &str) {
        if value.is_empty() {
            self.0.remove(key);
        } else {
            self.0.insert(key.into(), value.into());
        }
    }

    /// Keys and values, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, value.reveal()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `other` has each of these with the same value, whatever else it has.
    #[must_use]
    pub fn hold_in(&self, other: &Self) -> bool {
        self.0.iter().all(|(key, value)| other.0.get(key) == Some(value))
    }

    /// Takes over what `change` states; an empty value there removes a key here.
    pub fn apply(&mut self, change: &Self) {
        for (key, value) in change.iter() {
            self.set(key, value);
        }
    }

    /// The handles among a domain's properties.
    pub fn handles(&self) -> impl Iterator<Item = &str> {
        self.iter().filter(|(key, _)| CONTACTS.contains(&key.split_once('.').map_or(*key, |(field, _)| field))).map(|(_, handle)| handle)
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Properties {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let mut all = Self::new();
        for (key, value) in pairs {
            all.set(key, value);
        }
        all
    }
}

/// The parts of `text` between unescaped `at`s.
fn split(text: &str, at: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut is_escaped) = (0, false);
    for (n, c) in text.char_indices() {
        if !is_escaped && c == at {
            parts.push(text.get(start..n).unwrap_or_default());
            start = n + 1;
        }
        is_escaped = !is_escaped && c == '\\';
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// `text` without its escapes.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_escaped = false;
    for c in text.chars() {
        is_escaped = !is_escaped && c == '\\';
        if !is_escaped {
            out.push(c);
        }
    }
    out
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        if matches!(c, ';' | '=' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_wrong_is_told_without_a_value() {
        for (text, what) in [
            ("regCode", "property 1 has no `=`"),
            ("a=1;b=2=3", "property 2 has more than one `=`; write `\\=` in a value"),
            ("a=1; =2", "property 2 has no key"),
            ("a=1;a=2", "property 2 stands twice: `a`"),
        ] {
            assert_eq!(Properties::read(text), Err(what.to_owned()));
        }
        assert_eq!(Properties::read(" b = 2 ;; a=1; ").map(|p| p.to_text()), Ok("a=1;b=2".to_owned()));
    }

    #[test]
    fn a_change_sets_and_removes() {
        let mut all: Properties = [("a", "1"), ("b", "2")].into_iter().collect();
        let mut change = Properties::read("b=3").expect("well-formed");
        change.0.insert("a".into(), "".into());
        all.apply(&change);
        assert_eq!(all.to_text(), "b=3");
    }

    #[test]
    fn handles_are_those_of_roles() {
        let all = Properties::read("registrant.2=R;abuse-contact=A;registryLock=true;ownStatus=x").expect("well-formed");
        assert_eq!(all.handles().collect::<Vec<_>>(), ["A", "R"]);
    }

    proptest! {
        #[test]
        fn the_text_comes_back(pairs in proptest::collection::btree_map("[a-zA-Z;=\\\\.0-9]{1,8}", "[^ \\s](.{0,12}[^\\s])?", 0..6)) {
            let all: Properties = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            prop_assert_eq!(Properties::read(&all.to_text()), Ok(all));
        }
    }
}
