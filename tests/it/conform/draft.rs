//! A contact on its way to be one: its values by the names of fields, so that any of them can be put wrong.

use privet::base::{Handle, Personal};
use privet::model::{Address, Contact, Phone, PostalForm, PostalInfo};
use privet::policy::{Line, Profile, When};
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization as _;

/// The fields that stand in a form of the address, and those beside it.
const POSTAL: [&str; 7] = ["name", "org", "street", "city", "sp", "pc", "cc"];
const BESIDE: [&str; 5] = ["id", "form", "voice", "fax", "email"];

/// Values by field: a field without any is not there.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    values: BTreeMap<String, Vec<String>>,
}

/// Whether a contact has the field by itself, and not as an additional property.
pub(super) fn is_property(field: &str) -> bool {
    !POSTAL.contains(&field) && !BESIDE.contains(&field)
}

/// Whether the field stands in a form of the address.
pub(super) fn is_postal(field: &str) -> bool {
    POSTAL.contains(&field)
}

impl Draft {
    /// The good contacts of a profile, each named by its number.
    pub(super) fn all_of(profile: &str) -> Vec<Self> {
        let read: toml::Table = toml::from_str(include_str!("bases.toml")).expect("the bases are TOML");
        let values = |table: &toml::Value| -> BTreeMap<String, Vec<String>> {
            let text = |value: &toml::Value| value.as_str().expect("a text").to_owned();
            let list = |value: &toml::Value| value.as_array().map_or_else(|| vec![text(value)], |list| list.iter().map(text).collect());
            table.as_table().expect("a table").iter().map(|(key, value)| (key.clone(), list(value))).collect()
        };
        let bases = read[profile].as_array().expect("bases").iter().map(|table| {
            let mut all = BTreeMap::from([("form".to_owned(), vec!["loc".to_owned()])]);
            all.extend(values(&read["common"]));
            for (key, value) in values(table) {
                all.insert(if key == "forms" { "form".to_owned() } else { key }, value);
            }
            all.remove("what");
            all.retain(|_, values| values.iter().any(|value| !value.is_empty()));
            Self { values: all }
        });
        bases.collect()
    }

    /// The values of a field.
    pub(super) fn values(&self, field: &str) -> &[String] {
        self.values.get(field).map_or(&[], Vec::as_slice)
    }

    /// The fields that it has.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The first value of a field that is not empty.
    pub(super) fn first(&self, field: &str) -> Option<&str> {
        self.values(field).iter().map(String::as_str).find(|value| !value.is_empty())
    }

    /// The same with other values of a field.
    pub(super) fn with(&self, field: &str, values: Vec<String>) -> Self {
        let mut next = self.clone();
        next.values.insert(field.to_owned(), values);
        next
    }

    /// Whether every condition holds, in any form of the address.
    pub(super) fn is(&self, when: &[When]) -> bool {
        let holds = |w: &When| {
            if w.field == "form" { self.values("form").iter().any(|form| w.holds(Some(form))) } else { w.holds(self.first(&w.field)) }
        };
        when.iter().all(holds)
    }

    /// The contact as it goes over the line, in normal form C as all that we send; `in_table` as it stands in a table, whose columns end
    /// after three lines of a street.
    pub(super) fn contact(&self, profile: &Profile, in_table: bool) -> Contact {
        let text = |value: &String| Personal::from(if in_table { value.clone() } else { value.nfc().collect() }.as_str());
        let one = |field: &str| self.values(field).first().map(text);
        let phone = |field: &str| one(field).map(|number| Phone { number, ext: None });
        let mut contact = Contact::bare(Handle::new(self.values("id").first().cloned().unwrap_or_default()));
        let mut street: Vec<Personal> = self.values("street").iter().map(text).collect();
        for (n, line) in street.split_off(if in_table { street.len().min(3) } else { street.len() }).iter().enumerate() {
            contact.properties.set(&format!("street.{}", n + 4), line.reveal());
        }
        for field in ["name", "org", "email"] {
            for (n, value) in self.values(field).iter().enumerate().skip(1) {
                contact.properties.set(&format!("{field}.{}", n + 1), value);
            }
        }
        let has_address = ["street", "city", "sp", "pc", "cc"].iter().any(|field| !self.values(field).is_empty());
        let info = |form: &String| PostalInfo {
            form: if form == "int" { PostalForm::Int } else { PostalForm::Loc },
            name: one("name"),
            org: one("org"),
            addr: has_address.then(|| Address {
                street: street.clone(),
                city: one("city").unwrap_or_default(),
                sp: one("sp"),
                pc: one("pc"),
                cc: self.values("cc").first().cloned().unwrap_or_default().into(),
            }),
        };
        contact.postal = self.values("form").iter().map(info).collect();
        (contact.voice, contact.fax, contact.email) = (phone("voice"), phone("fax"), one("email"));
        for (key, values) in self.values.iter().filter(|(key, _)| is_property(key)) {
            if let Some(value) = values.first() {
                contact.properties.set(key, value);
            }
        }
        if profile.line.value == Line::Rri {
            contact.postal.truncate(1);
        }
        contact
    }
}
