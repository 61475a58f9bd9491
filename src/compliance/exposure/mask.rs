//! Whether what stands in a protected registrant's place is the provider's data, field by field (RTR-1).

use super::person::Person;
use super::words::plain;
use crate::model::Element;

/// The elements in which `held` is not as `mask`, the provider's data set, has it: an element that only one of them has is one, too.
pub fn unmasked<'a>(mask: &'a Person<'_>, held: &'a Person<'_>) -> impl Iterator<Item = Element> + 'a {
    Element::ALL.iter().copied().filter(move |element| !same(mask, held, *element))
}

/// Whether both have the same values, in whatever form, script or case they are written.
fn same(mask: &Person<'_>, held: &Person<'_>, element: Element) -> bool {
    let all = |person: &Person<'_>| {
        let mut all: Vec<String> = person.values(element).map(|(_, value)| said(element, value)).collect();
        all.dedup();
        all
    };
    all(mask) == all(held)
}

/// A value as it is compared.
pub(super) fn said(element: Element, value: &str) -> String {
    match element {
        Element::Email => value.trim().to_lowercase(),
        Element::Voice | Element::Fax => value.chars().filter(char::is_ascii_digit).collect(),
        _ => plain(value),
    }
}
