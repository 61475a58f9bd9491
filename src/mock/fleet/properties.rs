//! Additional properties of invented contacts: whatever the registry's profile names, filled so that it fits the person.

use super::draw::Draw;
use super::italian::{codice_fiscale, partita_iva};
use super::words::Land;
use crate::base::Personal;
use crate::model::{Contact, Properties};
use crate::policy::{Bounds, Profile};

/// What a registry wants of a field, whatever else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It must be there.
    Required,
    /// It may not.
    Forbidden,
    /// Either.
    Free,
}

/// What `profile` wants of `field`. A rule for some contacts is taken for all: what satisfies it harms none of the others.
pub(super) fn presence(profile: &Profile, field: &str) -> Presence {
    let none = Bounds { min: 0, max: Some(0) };
    if profile.tables(field).any(|r| r.when.is_empty() && r.occurs.as_ref().is_some_and(|occurs| occurs.value == none)) {
        Presence::Forbidden
    } else if profile.tables(field).any(|r| r.required.as_ref().is_some_and(|required| required.value)) {
        Presence::Required
    } else {
        Presence::Free
    }
}

/// Gives `contact`, a person of `land`, the properties that `profile` names.
pub(super) fn fill(contact: &mut Contact, profile: &Profile, land: &Land, draw: &mut Draw) {
    let choices = |key: &str| -> &[String] {
        let property = profile.properties.get(key).map(|p| p.value.choices.as_slice());
        property.or_else(|| profile.fields.get(key)?.choices.as_ref().map(|c| c.value.as_slice())).unwrap_or_default()
    };
    let knows = |key: &str| profile.properties.contains_key(key);
    let takes = |key: &str, value: &str| choices(key).iter().any(|choice| choice == value);
    let mut all = Properties::new();
    let is_person = contact.postal.iter().all(|p| p.org.is_none());
    if let Some(kind) = ["registrant", "licensee"].into_iter().find(|kind| takes("type", kind)) {
        all.set("type", kind);
    }
    if takes("type", "PERSON") {
        typed(contact, is_person, &mut all, draw);
    }
    if knows("lang") {
        let own = land.cc.to_ascii_lowercase();
        all.set("lang", if takes("lang", &own) { &own } else { "en" });
    }
    if knows("naturalPerson") {
        all.set("naturalPerson", if is_person { "true" } else { "false" });
        if is_person {
            all.set("countryOfCitizenship", &land.cc);
        }
    }
    if knows("entityType") {
        italian(contact, is_person, land, &mut all, draw);
    }
    if knows("legalForm") {
        all.set("legalForm", if is_person { "PERSOON" } else { "BV" });
    }
    if knows("legalStatus") && !is_person {
        all.set("legalStatus", "company");
        all.set("siren", &format!("{:09}", draw.below(1_000_000_000)));
    }
    if knows("restrictedPublication") && is_person {
        all.set("restrictedPublication", if draw.chance(700) { "true" } else { "false" });
    }
    contact.properties = all;
}

/// A contact whose type says what it is: an organisation is named by its name, and a person may belong to one.
fn typed(contact: &mut Contact, is_person: bool, all: &mut Properties, draw: &mut Draw) {
    if is_person || draw.chance(300) {
        all.set("type", "PERSON");
        return;
    }
    for info in &mut contact.postal {
        info.name = info.org.take();
    }
    all.set("type", "ORG");
}

/// An Italian registrant, or a foreign one, with the code that its kind has.
fn italian(contact: &mut Contact, is_person: bool, land: &Land, all: &mut Properties, draw: &mut Draw) {
    let is_domestic = land.cc == "IT";
    let entity = match (is_person, is_domestic) {
        (true, _) => 1,
        (false, true) => draw.below(5) + 2,
        (false, false) => 7,
    };
    let code = match (entity, is_domestic) {
        (1, true) => codice_fiscale(draw),
        (4, _) if draw.chance(500) => "n.a.".to_owned(),
        (2..=6, _) => partita_iva(draw),
        _ => format!("{}{:09}", land.cc, draw.below(1_000_000_000)),
    };
    all.set("entityType", &entity.to_string());
    all.set("nationalityCode", &land.cc);
    all.set("regCode", &code);
    all.set("consentForPublishing", if is_person && draw.chance(900) { "false" } else { "true" });
    if is_person {
        for info in &mut contact.postal {
            info.org.clone_from(&info.name);
        }
    }
}

/// The same number as before where a field may be left out, else none or one.
pub(super) fn kept<T>(presence: Presence, there: Option<T>, make: impl FnOnce() -> T) -> Option<T> {
    match presence {
        Presence::Required => Some(there.unwrap_or_else(make)),
        Presence::Forbidden => None,
        Presence::Free => there,
    }
}

/// A province where none was drawn.
pub(super) fn province(drawn: &str) -> Personal {
    Personal::from(if drawn.is_empty() { "-" } else { drawn })
}
