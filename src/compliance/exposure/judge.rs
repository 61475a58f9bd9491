//! Who sees what of a contact, by the registry's rule and the contact's own word.

use super::person::Person;
use super::state::{Exposure, Seen};
use crate::dataset::{ContactField, disclose_of};
use crate::model::{Disclose, Element};
use crate::policy::{Choice, DomainRole, Profile, Published, Rule, StandIn, Visibility, published};

/// What the records of consent say of a person's publication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// Nothing that publishes, nor that takes back.
    #[default]
    Nothing,
    /// It holds, for these elements; for all where none is named.
    Given(Vec<Element>),
    /// It was withdrawn.
    Withdrawn,
}

impl Consent {
    /// Whether `element` may be published by it.
    #[must_use]
    pub fn covers(&self, element: Element) -> bool {
        matches!(self, Self::Given(elements) if elements.is_empty() || elements.contains(&element))
    }
}

/// Who sees what of `person` in `role`.
#[must_use]
pub fn judge(person: &Person<'_>, profile: &Profile, role: DomainRole, consent: &Consent) -> Exposure {
    let rule = published(&profile.published, role, &|field| person.asked(field));
    let disclose = person.row().get(ContactField::Disclose.at()).and_then(disclose_of);
    // Where the registry's own data stand in the registrant's place, these are withheld; the name never is, unless it is the registry's.
    let stand_in = profile.stand_in.as_ref().map(|rule| &rule.value).filter(|own| person.is_stand_in(own));
    let is_withheld = |element, own: &StandIn| element != Element::Name || person.values(Element::Name).all(|(_, name)| own.names(name));
    Exposure::of(|element| {
        if !person.has(element) {
            return Seen::Absent;
        }
        if stand_in.is_some_and(|own| is_withheld(element, own)) {
            return Seen::Withheld;
        }
        if person.is_placeholder(element) {
            return Seen::Placeholder;
        }
        let Some(Rule { value: rule, .. }) = rule else { return Seen::Unknown };
        chosen(rule, person, element, disclose.as_ref(), consent).unwrap_or_else(|| match rule.of(element) {
            Visibility::Public => Seen::Public,
            Visibility::Gated => Seen::Gated,
            Visibility::Withheld => Seen::Withheld,
            Visibility::Unknown => Seen::Unknown,
        })
    })
}

/// Who sees `element` by the contact's own word; nothing where it has none about that.
fn chosen(rule: &Published, person: &Person<'_>, element: Element, disclose: Option<&Disclose>, consent: &Consent) -> Option<Seen> {
    let shown = |is_shown: bool| if is_shown { Seen::OptedIn } else { Seen::OptedOut };
    let choice = rule.choice.as_ref().filter(|choice| choice.is_about(element))?;
    match choice {
        Choice::Disclose { .. } => {
            let disclose = disclose?;
            let is_named = |is_loc: bool| names(disclose, element, is_loc);
            let mut forms = person.values(element).map(|(is_loc, _)| is_named(is_loc));
            // What one form of an address shows is shown, whatever the other withholds.
            let is_told = if disclose.flag { forms.any(|named| named) } else { forms.all(|named| named) };
            is_told.then(|| shown(disclose.flag))
        }
        Choice::Property { property, shows, .. } => person.properties().get(property).map(|value| shown(value == shows)),
        Choice::Consent { .. } => match consent {
            Consent::Given(_) if consent.covers(element) => Some(Seen::OptedIn),
            Consent::Withdrawn => Some(Seen::OptedOut),
            Consent::Given(_) | Consent::Nothing => None,
        },
    }
}

/// Whether a disclose statement names an element, in that form where it has forms.
const fn names(disclose: &Disclose, element: Element, is_loc: bool) -> bool {
    let forms = match element {
        Element::Name => disclose.name,
        Element::Organisation => disclose.org,
        Element::Street | Element::City | Element::State | Element::PostalCode | Element::Country => disclose.addr,
        Element::Voice => return disclose.voice,
        Element::Fax => return disclose.fax,
        Element::Email => return disclose.email,
    };
    if is_loc { forms.loc } else { forms.int }
}

/// Whether what the registry holds of a person lags behind what the person said of its publication (ENM-7), and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// Consent holds, and the registry still holds placeholders, or its switch still withholds the person.
    Withholding,
    /// Consent was withdrawn, and the registry still shows the person by the contact's own word.
    Showing,
}

/// Looks whether the exposure of a person lags behind its consent; `is_hidden` where a service hides the person, which needs none.
#[must_use]
pub fn stale(exposure: &Exposure, consent: &Consent, is_hidden: bool) -> Option<Stale> {
    let any = |of: &dyn Fn(Element, Seen) -> bool| exposure.iter().any(|(element, seen)| of(element, seen));
    match consent {
        Consent::Withdrawn => any(&|_, seen| seen == Seen::OptedIn).then_some(Stale::Showing),
        Consent::Given(_) if !is_hidden => {
            let withheld = |element, seen| consent.covers(element) && matches!(seen, Seen::Placeholder | Seen::OptedOut);
            // A person that keeps one element back has said so; one of which nothing at all is shown is still withheld.
            let shown = any(&|_, seen| matches!(seen, Seen::OptedIn | Seen::Public));
            let placeholder = any(&|element, seen| consent.covers(element) && seen == Seen::Placeholder);
            (placeholder || !shown && any(&withheld)).then_some(Stale::Withholding)
        }
        Consent::Given(_) | Consent::Nothing => None,
    }
}

/// Whether a person's element is held although neither a rule of the registry nor a purpose needs it (GDP-9): nothing where the profile
/// does not say what is needed.
#[must_use]
pub fn is_needless(person: &Person<'_>, profile: &Profile, role: DomainRole, element: Element) -> Option<bool> {
    let needed = profile.needed.as_ref()?;
    if !person.has(element) {
        return Some(false);
    }
    if !needed.roles.value.contains(&role) {
        return Some(true);
    }
    let required = profile.tables(element.field()).any(|rules| {
        let is_required = rules.required.as_ref().is_some_and(|required| required.value);
        is_required && rules.when.iter().all(|when| when.field == "form" || when.holds(person.asked(&when.field)))
    });
    Some(!required && !needed.elements.value.contains(&element))
}
