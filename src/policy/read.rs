//! From TOML to a profile, with line and key of what is wrong.

use super::characters::Characters;
use super::fields::When;
use super::profile::Profile;
use super::published::Choice;
use super::rule::Capability;
use super::words::StatusUse;
use crate::base::{Blame, Problem, Result};
use crate::model::Element;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// What is wrong with a profile as a whole, and the key it is told at.
type Fault = (Vec<String>, String);

impl Profile {
    /// Reads a profile from TOML.
    ///
    /// # Errors
    /// `E-profile-001` for what is no profile, `E-profile-003` for one that contradicts itself; with line and key.
    pub fn read(text: &str) -> Result<Self> {
        let profile: Self = toml::from_str(text).map_err(|e| unreadable(text, &e))?;
        match profile.contradiction() {
            None => Ok(profile),
            Some((key, what)) => {
                let remedy = "correct the profile: its parts must fit each other";
                Err(at(Problem::new("E-profile-003", Blame::Operator, what, remedy), text, &key))
            }
        }
    }

    /// The first thing in which two parts do not fit.
    fn contradiction(&self) -> Option<Fault> {
        let path = |parts: &[&str]| parts.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
        for (name, rules) in &self.fields {
            if let Some(set) = rules.characters.as_ref().filter(|set| !self.characters.contains_key(&set.value)) {
                return Some((path(&["fields", name, "characters"]), format!("there is no set of characters `{}`", set.value)));
            }
            if let Some(what) = self.stray(&rules.when) {
                return Some((path(&["fields", name, "when"]), what));
            }
            if let Some(other) = rules.equals.as_ref().filter(|other| !self.knows(&other.value)) {
                return Some((path(&["fields", name, "equals"]), format!("there is no field `{}`", other.value)));
            }
            if let Some(rule) = rules.rule.as_ref().filter(|rule| !is_rule_id(rule)) {
                return Some((path(&["fields", name, "rule"]), format!("`{rule}` is no rule's number: write it as R-addr-004")));
            }
        }
        for (name, rule) in &self.properties {
            if let Some(what) = self.stray(&rule.value.when) {
                return Some((path(&["properties", name]), what));
            }
        }
        for (role, rules) in &self.roles {
            if let Some(what) = rules.registrant.as_ref().and_then(|rule| self.stray(&rule.value)) {
                return Some((path(&["roles", role.as_str(), "registrant"]), what));
            }
        }
        for (name, rule) in &self.published {
            let property = match &rule.value.choice {
                Some(Choice::Property { property, .. }) if !self.properties.contains_key(property) => {
                    Some(format!("there is no property `{property}`"))
                }
                _ => None,
            };
            let twice = || rule.value.named_twice().map(|element| format!("`{element}` is named in two lists"));
            if let Some(what) = self.stray(&rule.value.when).or(property).or_else(twice) {
                return Some((path(&["published", name]), what));
            }
        }
        for (property, rule) in &self.special {
            let unknown = (!self.properties.contains_key(property)).then(|| format!("there is no property `{property}`"));
            if let Some(what) = unknown.or_else(|| self.stray(&rule.value.when)) {
                return Some((path(&["special", property]), what));
            }
        }
        if let Some(what) = self.stand_in.as_ref().and_then(|rule| rule.value.fault()) {
            return Some((path(&["stand_in"]), what.to_owned()));
        }
        if let Some(rule) = self.answers.keys().find(|rule| !is_rule_id(rule)) {
            return Some((path(&["answers", rule]), format!("`{rule}` is no rule's number: write it as R-addr-004")));
        }
        for (status, rule) in &self.statuses.domain {
            let settable = rule.value == StatusUse::Settable;
            if settable && self.capabilities.domain_statuses.value != Capability::Yes {
                return Some((path(&["statuses", "domain", status]), "statuses are settable and domain_statuses is not `yes`".to_owned()));
            }
        }
        if self.disclose.value != (self.capabilities.disclose.value == Capability::Yes) {
            return Some((path(&["capabilities", "disclose"]), "`disclose` and `capabilities.disclose` say different things".to_owned()));
        }
        None
    }

    /// What is wrong with the first of `conditions` that names no field or asks for nothing.
    fn stray(&self, conditions: &[When]) -> Option<String> {
        conditions.iter().find_map(|when| {
            if !self.knows(&when.field) {
                return Some(format!("there is no field `{}`", when.field));
            }
            when.is_empty().then(|| format!("nothing is asked of `{}`: give `is`, `not` or `present`", when.field))
        })
    }

    /// Whether a field or property is called so.
    fn knows(&self, name: &str) -> bool {
        let is_element = || Element::ALL.iter().any(|element| element.field() == name);
        self.properties.contains_key(name) || self.tables(name).next().is_some() || (!self.has_contacts() && is_element())
    }
}

/// Whether a text has the form of a rule's number, `R-<family>-<nnn>`.
fn is_rule_id(text: &str) -> bool {
    let parts = text.strip_prefix("R-").and_then(|rest| rest.rsplit_once('-'));
    parts.is_some_and(|(family, number)| {
        !family.is_empty()
            && family.bytes().all(|b| b.is_ascii_lowercase())
            && number.len() == 3
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

/// What the parser says, with line and key.
fn unreadable(text: &str, error: &toml::de::Error) -> Box<Problem> {
    let remedy = "correct the profile; every rule has value, source and confidence";
    let problem = Problem::new("E-profile-001", Blame::Operator, error.message(), remedy);
    let Some(span) = error.span() else { return problem };
    let Some(root) = DeTable::parse(text).ok() else { return problem.line(line_at(text, span.start)) };
    let Some(key) = key_at(root.get_ref(), span.start) else { return problem.line(line_at(text, span.start)) };
    let start = range_at_fault(root.get_ref(), &key).unwrap_or(span.start);
    problem.line(line_at(text, start)).field(key.join("."))
}

/// `problem`, told at the key `path` of `text`.
pub(super) fn at(problem: Box<Problem>, text: &str, path: &[String]) -> Box<Problem> {
    let problem = problem.field(path.join("."));
    match line_of(text, path) {
        Some(line) => problem.line(line),
        None => problem,
    }
}

/// The line of a byte offset, from 1.
pub(super) fn line_at(text: &str, offset: usize) -> u64 {
    text.get(..offset).unwrap_or_default().matches('\n').count() as u64 + 1
}

/// The key whose name or value holds the byte at `offset` most closely.
fn key_at(root: &DeTable<'_>, offset: usize) -> Option<Vec<String>> {
    let mut nearest: Option<(usize, Vec<String>)> = None;
    each(root, &mut Vec::new(), &mut |path, spans| {
        let holding = spans.into_iter().filter(|span| span.contains(&offset)).map(|span| span.len()).min();
        if let Some(length) = holding.filter(|length| nearest.as_ref().is_none_or(|(least, _)| length <= least)) {
            nearest = Some((length, path.to_vec()));
        }
    });
    nearest.map(|(_, path)| path)
}

/// The line of the key `path` in `text`, or of the closest of its parents that stands there.
fn line_of(text: &str, path: &[String]) -> Option<u64> {
    let root = DeTable::parse(text).ok()?;
    if let Some(start) = range_at_fault(root.get_ref(), path) {
        return Some(line_at(text, start));
    }
    let mut nearest: Option<(usize, usize)> = None;
    each(root.get_ref(), &mut Vec::new(), &mut |found, [name, _]| {
        if path.starts_with(found) && nearest.is_none_or(|(depth, _)| found.len() > depth) {
            nearest = Some((found.len(), name.start));
        }
    });
    nearest.map(|(_, at)| line_at(text, at))
}

/// Where the range of code points starts that is at fault in the set of characters at `path`, if that is one with a fault: a set may have
/// many lines.
fn range_at_fault(root: &DeTable<'_>, path: &[String]) -> Option<usize> {
    let [first, set, last] = path else { return None };
    if first != "characters" || last != "value" {
        return None;
    }
    let mut rule = root;
    for key in [first, set] {
        let DeValue::Table(inner) = rule.get(key.as_str())?.get_ref() else { return None };
        rule = inner;
    }
    let DeValue::Array(ranges) = rule.get(last.as_str())?.get_ref() else { return None };
    let texts = ranges.iter().map(|range| range.get_ref().as_str().unwrap_or_default());
    ranges.get(Characters::first_fault(texts)?).map(|range| range.span().start)
}

/// What is done with a key: its path, and where its name and its value stand.
type Visit<'v> = dyn FnMut(&[String], [Range<usize>; 2]) + 'v;

/// Calls `visit` with each key below `table` and the spans of its name and its value.
fn each(table: &DeTable<'_>, path: &mut Vec<String>, visit: &mut Visit<'_>) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        visit(path, [key.span(), value.span()]);
        if let DeValue::Table(inner) = value.get_ref() {
            each(inner, path, visit);
        }
        path.pop();
    }
}
