//! An operator's own rules in the place of a profile's, and which of them are weaker.

use super::characters::Characters;
use super::fields::Bounds;
use super::profile::Profile;
use super::read::{at, line_at};
use crate::base::{Blame, Problem, Result};
use crate::model::Confidence;
use toml::{Table, Value};

/// Keys that no override has, with where to go instead.
const ELSEWHERE: [(&str, &str); 3] = [
    ("id", "the profile is named in the configuration"),
    ("line", "choose a profile that has this line"),
    ("limits", "limits stand in the configuration, in the registry's table `limits`"),
];

/// A profile with an operator's own rules in it.
#[derive(Clone, Debug)]
pub struct Overridden {
    /// The profile.
    pub profile: Profile,
    /// `E-profile-004` for each rule that refuses less than the profile's own, with line and key.
    pub weaker: Vec<Problem>,
}

impl Profile {
    /// This profile with the rules of `text`, which has the form of a profile and only what differs. A rule is replaced as a whole.
    ///
    /// # Errors
    /// As [`Profile::read`], with lines of `text`; `E-profile-005` for a key which is set elsewhere.
    pub fn overridden(&self, text: &str) -> Result<Overridden> {
        let own: Table = toml::from_str(text).map_err(|e| {
            let problem = Problem::new("E-profile-001", Blame::Operator, e.message(), "correct the TOML");
            match e.span() {
                Some(span) => problem.line(line_at(text, span.start)),
                None => problem,
            }
        })?;
        if let Some((key, remedy)) = ELSEWHERE.iter().find(|(key, _)| own.contains_key(*key)) {
            let problem = Problem::new("E-profile-005", Blame::Operator, format!("`{key}` cannot be overridden here"), *remedy);
            return Err(at(problem, text, &[(*key).to_owned()]));
        }
        let inner = |e: &dyn std::fmt::Display| {
            Problem::new("E-profile-006", Blame::Us, format!("profile `{}` cannot be written as TOML: {e}", self.id), "report it")
        };
        let base = Table::try_from(self).map_err(|e| inner(&e))?;
        let mut merged = base.clone();
        let mut changes = Vec::new();
        merge(&mut merged, own, &mut Vec::new(), &mut changes);
        let written = toml::to_string(&merged).map_err(|e| inner(&e))?;
        let profile = Self::read(&written).map_err(|mut problem| {
            problem.place.line = None;
            let key: Vec<String> = problem.place.field.iter().flat_map(|f| f.split('.').map(str::to_owned)).collect();
            at(problem, text, &key)
        })?;
        let weaker = changes.iter().filter_map(|change| {
            let what = change.weakness()?;
            let remedy = "the registry may refuse or publish what goes through now; remove the rule unless its own papers say so";
            Some(*at(Problem::new("E-profile-004", Blame::Operator, what, remedy), text, &change.path))
        });
        Ok(Overridden { weaker: weaker.collect(), profile })
    }
}

/// One rule that was replaced or added.
struct Change {
    path: Vec<String>,
    old: Option<Value>,
    new: Value,
}

/// Puts `own` over `base`: tables key by key, rules and everything else as a whole.
fn merge(base: &mut Table, own: Table, path: &mut Vec<String>, changes: &mut Vec<Change>) {
    for (key, new) in own {
        path.push(key.clone());
        match (base.get_mut(&key), new) {
            (Some(Value::Table(old)), Value::Table(new)) if !is_rule(old) && !is_rule(&new) => merge(old, new, path, changes),
            (None, Value::Table(new)) if !is_rule(&new) => {
                let mut old = Table::new();
                merge(&mut old, new, path, changes);
                base.insert(key, Value::Table(old));
            }
            (_, new) => {
                let old = base.insert(key, new.clone());
                changes.push(Change { path: path.clone(), old, new });
            }
        }
        path.pop();
    }
}

/// Whether a table is a rule, or means to be one.
fn is_rule(table: &Table) -> bool {
    ["value", "source", "confidence"].iter().any(|key| table.contains_key(*key))
}

impl Change {
    /// In what it is weaker than before, if it is.
    fn weakness(&self) -> Option<String> {
        let key = self.path.join(".");
        let source = self.old.as_ref().and_then(|old| old.get("source")).and_then(Value::as_str).unwrap_or("no source");
        if self.old.as_ref().is_some_and(is_enforced) && !is_enforced(&self.new) {
            return Some(format!("`{key}` was an error when broken ({source}) and is only a warning now"));
        }
        let value = |rule: &Value| rule.get("value").cloned().unwrap_or_else(|| rule.clone());
        let (old, new) = (self.old.as_ref().map(value), value(&self.new));
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let how = loosened(&path, old.as_ref(), &new)?;
        Some(format!("`{key}` is weaker than the profile's own rule ({source}): {how}"))
    }
}

/// Whether what breaks a rule is an error.
fn is_enforced(rule: &Value) -> bool {
    let seen = rule.get("confidence").cloned().and_then(|c| c.try_into::<Confidence>().ok()) == Some(Confidence::Seen);
    seen || rule.get("enforce").and_then(Value::as_bool).unwrap_or(false)
}

/// How `new` lets more through than `old` at `path`, if it does.
fn loosened(path: &[&str], old: Option<&Value>, new: &Value) -> Option<String> {
    let from_to = || old.map_or_else(|| format!("{new}"), |old| format!("{new} in the place of {old}"));
    let is = match path {
        ["fields", _, "required"] => old.and_then(Value::as_bool) == Some(true) && new.as_bool() == Some(false),
        ["fields", _, "length" | "occurs"] => {
            let bounds = |value: &Value| value.clone().try_into::<Bounds>().ok();
            old.and_then(bounds).zip(bounds(new)).is_some_and(|(old, new)| new.is_wider(&old))
        }
        ["fields", _, "choices"] => old.is_some_and(|old| more(new, old)),
        ["fields", _, "pattern" | "characters" | "when" | "field" | "equals" | "check"] | ["properties", _] => {
            old.is_some_and(|old| old != new)
        }
        ["characters", _] => {
            let set = |value: &Value| value.clone().try_into::<Characters>().ok();
            let beyond = old.and_then(set).zip(set(new)).and_then(|(old, new)| new.first_beyond(&old));
            return beyond.map(|c| format!("it takes U+{:04X}, which was refused", u32::from(c)));
        }
        ["statuses", ..] => matches!(new.as_str(), Some("settable" | "removable")) && old != Some(new),
        ["capabilities", _] => new.as_str() == Some("yes") && old != Some(new),
        ["identity_fields"] => old.is_some_and(|old| more(old, new)),
        ["name_servers", "min"] => new.as_integer() < old.and_then(Value::as_integer),
        ["name_servers", "max"] => old.is_some_and(|old| new.as_integer() > old.as_integer()),
        ["name_servers", "tests"] => old.is_some_and(|old| more(old, new)),
        ["name_servers", _]
        | ["roles" | "published" | "needed" | "special", ..]
        | ["privacy" | "publication" | "transfer_lock" | "change_of_registrant" | "contacts" | "disclose" | "stand_in"] => old != Some(new),
        _ => false,
    };
    is.then(from_to)
}

/// Whether the list `one` has something that `other` has not.
fn more(one: &Value, other: &Value) -> bool {
    let known = other.as_array().map(Vec::as_slice).unwrap_or_default();
    one.as_array().is_some_and(|all| all.iter().any(|value| !known.contains(value)))
}
