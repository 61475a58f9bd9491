//! Data that are protected specially, where free text or a property holds them (GDPR Art. 9, 10 and 87): a heuristic over words in
//! several languages and over numbers with check digits, and what the registry's profile says of its properties.

use super::numbers::{is_certain, is_document, is_likely};
use super::person::Person;
use super::words::{Phrases, Words, plain};
use crate::model::Element;
use crate::policy::{Profile, SpecialKind};

/// Elements that hold words of a person's own.
const FREE: [Element; 5] = [Element::Name, Element::Organisation, Element::Street, Element::City, Element::State];

/// What a free text seems to hold, each kind once; nothing where it seems to hold none.
#[must_use]
pub fn special_in(text: &str) -> Vec<SpecialKind> {
    let words = Words::get();
    let said = plain(text);
    let any = |phrases: &Phrases| phrases.are_in(&said);
    let special = &words.special;
    let mut tokens = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '(' | ')' | '#' | '='));
    let is_numbered = tokens.clone().any(is_certain)
        || any(&special.numbers) && tokens.clone().any(is_likely)
        || any(&special.documents) && tokens.any(is_document);
    let found = [
        (any(&special.category), SpecialKind::Category),
        (any(&special.criminal), SpecialKind::Criminal),
        (is_numbered, SpecialKind::NationalId),
    ];
    found.into_iter().filter(|(is_there, _)| *is_there).map(|(_, kind)| kind).collect()
}

/// The elements of a person whose free text seems to hold such data.
pub fn special_of(person: &Person<'_>) -> impl Iterator<Item = (Element, SpecialKind)> {
    let found = FREE.iter().flat_map(move |element| {
        let all = person.values(*element).flat_map(|(_, value)| special_in(value));
        all.map(|kind| (*element, kind)).collect::<std::collections::BTreeSet<_>>()
    });
    found.collect::<Vec<_>>().into_iter()
}

/// The properties of a person that hold such data by the registry's profile.
pub fn special_properties<'p>(person: &Person<'_>, profile: &'p Profile) -> impl Iterator<Item = (&'p str, SpecialKind)> {
    let holds = |(property, rule): &(&'p String, &'p crate::policy::Rule<crate::policy::Special>)| {
        let is_there = person.properties().get(property).is_some_and(|value| !value.trim().is_empty());
        is_there && rule.value.when.iter().all(|when| when.holds(person.asked(&when.field)))
    };
    let found: Vec<_> = profile.special.iter().filter(holds).map(|(property, rule)| (property.as_str(), rule.value.kind)).collect();
    found.into_iter()
}
