//! Additional properties against the schema a profile has for them: `R-prop-001` to `-004`.

use super::address::listed;
use super::checks::is_country_in_any_case;
use super::judge::{Basis, Sheet};
use super::subject::{Place, Subject, is_further_of_contact, numbered};
use crate::policy::{Property, PropertyKind, PropertyOf, Rule};

/// Fields of a domain of which further values stand as properties.
const ROLES: [&str; 4] = ["registrant", "admin", "tech", "billing"];

/// Judges the properties of an object, or tells why they could not be read.
pub(super) fn judge(of: PropertyOf, subject: &Subject<'_>, fault: Option<String>, sheet: &mut Sheet<'_, '_>) {
    if let Some(fault) = fault {
        let basis = Basis::strict("the form of the column: key=value;key=value");
        sheet.add("R-prop-003", "properties".to_owned(), basis, format!("the properties cannot be read: {fault}"));
        return;
    }
    let profile = sheet.judge.profile;
    let place = |name: &str| match of {
        PropertyOf::Contact => Place::of_contact(name),
        PropertyOf::Domain => Place::Property,
    };
    let may_stand = |property: &Property| property.when.iter().all(|w| w.holds(subject.value(place(&w.field), &w.field, None)));
    for (key, value) in subject.properties.iter() {
        // A property that stands several times has a number behind its key from the second on.
        let base = || numbered(key).filter(|(_, n)| *n > 1).and_then(|(base, _)| profile.properties.get(base));
        let known = profile.properties.get(key).or_else(base).filter(|rule| rule.value.of == of);
        let Some(rule) = known else {
            if !is_further(of, key) {
                unknown(key, sheet);
            }
            continue;
        };
        let field = || format!("properties.{key}");
        if !may_stand(&rule.value) {
            sheet.add("R-prop-004", field(), Basis::of(rule), format!("may stand only where {}", conditions(&rule.value)));
        }
        if let Some(what) = not_of_its_kind(&rule.value, value) {
            sheet.add("R-prop-003", field(), Basis::of(rule), what);
        }
    }
    let wanted = |rule: &Rule<Property>| rule.value.of == of && rule.value.required && may_stand(&rule.value);
    for (key, rule) in profile.properties.iter().filter(|(key, rule)| wanted(rule) && subject.properties.get(key).is_none()) {
        sheet.add("R-prop-002", format!("properties.{key}"), Basis::of(rule), "a value is required".to_owned());
    }
}

fn is_further(of: PropertyOf, key: &str) -> bool {
    match of {
        PropertyOf::Contact => is_further_of_contact(key),
        PropertyOf::Domain => numbered(key).is_some_and(|(base, _)| ROLES.contains(&base)),
    }
}

/// A key that no extension of the registry carries; the profile's nearest one is the suggestion.
fn unknown(key: &str, sheet: &mut Sheet<'_, '_>) {
    let profile = sheet.judge.profile;
    let near = profile.properties.keys().min_by_key(|known| strsim::levenshtein(known, key));
    let near = near.filter(|known| strsim::levenshtein(known, key) <= 3).cloned();
    let source = format!("the properties of profile `{}`", profile.id);
    let what = "the registry has no such property".to_owned();
    let finding = sheet.add("R-prop-001", format!("properties.{}", crate::base::escape_controls(key)), Basis::strict(&source), what);
    finding.suggestion = near.map(|known| known.as_str().into());
}

/// The conditions of a property in words.
fn conditions(property: &Property) -> String {
    let one = |when: &crate::policy::When| {
        let mut parts = Vec::new();
        if !when.is.is_empty() {
            parts.push(format!("`{}` is one of {}", when.field, listed(&when.is)));
        }
        if !when.not.is_empty() {
            parts.push(format!("`{}` is there and none of {}", when.field, listed(&when.not)));
        }
        match when.present {
            Some(true) => parts.push(format!("`{}` is there", when.field)),
            Some(false) => parts.push(format!("`{}` is not there", when.field)),
            None => {}
        }
        parts.join(" and ")
    };
    property.when.iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// In what a value is not of its property's kind.
fn not_of_its_kind(property: &Property, value: &str) -> Option<String> {
    let bounds = |n: Option<i64>, of: &str| {
        let (n, bounds) = (n?, property.bounds?);
        let inside = n >= i64::from(bounds.min) && bounds.max.is_none_or(|max| n <= i64::from(max));
        let most = bounds.max.map_or_else(String::new, |max| format!(" and at most {max}"));
        (!inside).then(|| format!("{of} must be at least {}{most}", bounds.min))
    };
    let wrong = |what: &str| Some(what.to_owned());
    let kind = match property.kind {
        PropertyKind::Boolean if !matches!(value, "true" | "false") => wrong("the value is neither `true` nor `false`"),
        PropertyKind::Integer => match value.parse::<i64>().ok().filter(|_| value.bytes().all(|b| b.is_ascii_digit())) {
            None => wrong("the value is no whole number"),
            number => bounds(number, "the number"),
        },
        PropertyKind::Text => bounds(i64::try_from(value.chars().count()).ok(), "the number of its characters"),
        PropertyKind::Choice if !property.choices.iter().any(|c| c == value) => {
            Some(format!("the value is none of {}", listed(&property.choices)))
        }
        PropertyKind::Country if !is_country_in_any_case(value) => wrong("the value is no country of ISO 3166-1"),
        PropertyKind::Date if value.parse::<jiff::civil::Date>().is_err() => wrong("the value is no day, written `2026-01-31`"),
        PropertyKind::Boolean | PropertyKind::Choice | PropertyKind::Country | PropertyKind::Date => None,
    };
    kind.or_else(|| {
        let pattern = property.pattern.as_ref().filter(|pattern| !pattern.matches(value))?;
        Some(format!("the value is not of the form `{}`", pattern.as_str()))
    })
}
