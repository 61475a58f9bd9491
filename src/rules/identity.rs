//! Fields that say who a registrant is, and that no correction may change: `R-ident-…`. Who is to be registrant is changed by other commands.

use super::judge::{Basis, Judge};
use super::subject::{Place, Subject};
use crate::dataset::Row;
use crate::model::{Finding, ObjectKind, PostalForm};
use unicode_normalization::UnicodeNormalization as _;

impl Judge<'_> {
    /// What keeps an update from making the contact `after` of the contact `before`: a finding for each field by which the registry knows
    /// who the contact is, if it was filled and would have another value or none. Filling one for the first time is no change.
    #[must_use]
    pub fn identity_change(&self, before: &Row, after: &Row) -> Vec<Finding> {
        let mut sheet = self.sheet(ObjectKind::Contact, after);
        let (held, next) = (Subject::contact(before).0, Subject::contact(after).0);
        let rule = &self.profile.identity_fields;
        for field in &rule.value {
            let place = Place::of_contact(field);
            let forms: Vec<Option<PostalForm>> = match place {
                Place::Address(_) => held.forms().map(Some).collect(),
                Place::Id | Place::Form | Place::Beside(_) | Place::Property => vec![None],
            };
            for form in forms {
                let was = held.value(place, field, form).filter(|value| !value.trim().is_empty());
                let is = next.value(place, field, form).unwrap_or_default();
                if was.is_some_and(|was| !was.nfc().eq(is.nfc())) {
                    let path = match (place, form) {
                        (Place::Property, _) => format!("properties.{field}"),
                        (_, Some(form)) => format!("{}.{field}", form.as_str()),
                        (_, None) => field.clone(),
                    };
                    let what = "the field says who the registrant is, and an update cannot change it".to_owned();
                    sheet.add("R-ident-001", path, Basis::of(rule), what);
                }
            }
        }
        sheet.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Handle;
    use crate::dataset::{ContactField, contact_row};
    use crate::model::Contact;
    use crate::policy::profile;

    fn row(fields: &[(ContactField, &str)]) -> Row {
        let bare = contact_row(&Contact::bare(Handle::new("C-1")));
        bare.with(&fields.iter().map(|(field, value)| (field.at(), Some(*value))).collect::<Vec<_>>())
    }

    fn told(id: &str, before: &[(ContactField, &str)], after: &[(ContactField, &str)]) -> Vec<String> {
        let profile = profile(id).expect("embedded");
        let found = crate::rules::identity_change(&profile, &row(before), &row(after));
        assert!(found.iter().all(|f| f.answer.is_some() && &*f.rule == "R-ident-001"), "{id}: what the registry would answer");
        found.into_iter().map(|f| f.field.into()).collect()
    }

    #[test]
    fn what_says_who_a_contact_is_stays_once_it_is_filled() {
        use ContactField::{LocCity, LocName, Properties};
        let italian = |code: &str| format!("entityType=2;nationalityCode=IT;regCode={code}");
        let (one, other) = (italian("00743110157"), italian("00743110158"));
        assert_eq!(told("nicit", &[(Properties, &one)], &[(Properties, &other)]), ["properties.regCode"]);
        assert_eq!(told("nicit", &[(Properties, &one)], &[(Properties, &one), (LocName, "Another")]), Vec::<String>::new());
        assert_eq!(told("nicit", &[], &[(Properties, &one)]), Vec::<String>::new(), "the first filling");
        let all = ["properties.entityType", "properties.nationalityCode", "properties.regCode"];
        assert_eq!(told("nicit", &[(Properties, &one)], &[]), all, "taken away");
        assert_eq!(told("denic", &[(LocName, "Mario")], &[(LocName, "Maria")]), ["loc.name"]);
        assert_eq!(told("denic", &[(LocName, "Zoe\u{308}")], &[(LocName, "Zo\u{eb}"), (LocCity, "Roma")]), Vec::<String>::new());
        assert_eq!(told("gtld-thick", &[(LocName, "Mario")], &[(LocName, "Maria")]), Vec::<String>::new());
    }
}
