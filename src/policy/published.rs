//! What the public sees of a contact, element by element; what a registry or a purpose needs of it; and which data are special.

use super::fields::When;
use super::rule::Rule;
use super::words::DomainRole;
use crate::model::Element;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization as _;

/// Who sees a datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Whoever shows a legitimate interest.
    Gated,
    /// Nobody but registry and registrar.
    Withheld,
    /// Not known.
    Unknown,
}

/// By whose word a datum is shown that would not be, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Choice {
    /// The contact's disclose statement (RFC 5733 §2.9).
    Disclose {
        /// The elements it decides on; all where none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        elements: Vec<Element>,
    },
    /// A property of the contact, where it has one.
    Property {
        /// The property.
        property: String,
        /// The value with which the elements are shown; with any other they are not.
        shows: String,
        /// The elements it decides on; all where none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        elements: Vec<Element>,
    },
    /// The registrar's records of consent to publication.
    Consent {
        /// The elements it decides on; all where none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        elements: Vec<Element>,
    },
}

impl Choice {
    /// Whether it decides on `element`.
    #[must_use]
    pub fn is_about(&self, element: Element) -> bool {
        let (Self::Disclose { elements } | Self::Property { elements, .. } | Self::Consent { elements }) = self;
        elements.is_empty() || elements.contains(&element)
    }
}

/// What the public sees of some contacts. Of several that speak of a contact, the one with the most conditions holds, and of those the
/// first by name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The roles it speaks of; every role where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<DomainRole>,
    /// The contacts it speaks of: those for which each of these holds. An organisation that is blank, or names none, is not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<When>,
    /// What holds for the elements that are not named below.
    pub others: Visibility,
    /// Elements that everybody sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public: Vec<Element>,
    /// Elements that are told to whoever shows a legitimate interest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gated: Vec<Element>,
    /// Elements that are told to nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Element>,
    /// By whose word that is otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
}

impl Published {
    /// What holds for `element` where nobody chose otherwise.
    #[must_use]
    pub fn of(&self, element: Element) -> Visibility {
        let named = [(&self.public, Visibility::Public), (&self.gated, Visibility::Gated), (&self.withheld, Visibility::Withheld)];
        named.into_iter().find(|(list, _)| list.contains(&element)).map_or(self.others, |(_, visibility)| visibility)
    }

    /// An element that is named in two lists.
    pub(super) fn named_twice(&self) -> Option<Element> {
        let count = |e: &Element| [&self.public, &self.gated, &self.withheld].into_iter().flatten().filter(|other| *other == e).count();
        Element::ALL.iter().copied().find(|element| count(element) > 1)
    }

    /// How many conditions it has.
    fn conditions(&self) -> usize {
        self.when.len() + usize::from(!self.roles.is_empty())
    }
}

/// What is needed of contacts beyond the fields that the registry requires (GDPR Art. 5(1)(c)).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Needed {
    /// Roles that the registry or a purpose needs: of a contact in none of them, nothing is needed.
    pub roles: Rule<Vec<DomainRole>>,
    /// Elements that a purpose needs though no field rule requires them.
    pub elements: Rule<Vec<Element>>,
}

/// Data that the GDPR or a member state's law protects specially.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpecialKind {
    /// Health, belief, origin, orientation and the like (Art. 9).
    Category,
    /// Criminal convictions and offences, and orders that rest on them (Art. 10).
    Criminal,
    /// National identification numbers (Art. 87).
    NationalId,
}

impl SpecialKind {
    /// Every kind, in the order of the articles.
    pub const ALL: [Self; 3] = [Self::Category, Self::Criminal, Self::NationalId];

    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Category => "art-9",
            Self::Criminal => "art-10",
            Self::NationalId => "art-87",
        }
    }
}

/// A property of contacts that holds such data.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Special {
    /// Of which kind.
    pub kind: SpecialKind,
    /// In which contacts: where each of these holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<When>,
}

/// The data by which it is known that a registry's own stand in a registrant's place, since the registrant's are withheld.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StandIn {
    /// Names of organisations that are the registry's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub organisations: Vec<String>,
    /// Domains of e-mail addresses that are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub email_domains: Vec<String>,
}

impl StandIn {
    /// Whether a text is the name of one of the organisations: without regard to case, to blanks and to how letters are composed.
    #[must_use]
    pub fn names(&self, text: &str) -> bool {
        let text = folded(text);
        self.organisations.iter().any(|own| folded(own) == text)
    }

    /// Whether an e-mail address is at one of the domains.
    #[must_use]
    pub fn receives(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map(|(_, domain)| folded(domain));
        domain.is_some_and(|domain| self.email_domains.iter().any(|own| folded(own) == domain))
    }

    /// What keeps it from being a mark: nothing is named, or a name is empty and so would be everybody's.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let mut all = self.organisations.iter().chain(&self.email_domains).peekable();
        if all.peek().is_none() {
            return Some("neither an organisation nor a domain of e-mail addresses is named");
        }
        all.any(|text| text.trim().is_empty()).then_some("an empty text is no mark")
    }
}

/// A text to compare: NFC, without regard to case, blanks in one.
fn folded(text: &str) -> String {
    let lower: String = text.nfc().flat_map(char::to_lowercase).collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The rule that says what the public sees of a contact in `role`; `value` tells the contact's fields and properties.
#[must_use]
pub fn published<'p, 'v>(
    rules: &'p BTreeMap<String, Rule<Published>>,
    role: DomainRole,
    value: &dyn Fn(&str) -> Option<&'v str>,
) -> Option<&'p Rule<Published>> {
    let speaks = |rule: &&Rule<Published>| {
        let Published { roles, when, .. } = &rule.value;
        (roles.is_empty() || roles.contains(&role)) && when.iter().all(|when| when.holds(value(&when.field)))
    };
    // Of several with as many conditions the last would be taken, so that they are gone through from behind.
    rules.values().rev().filter(speaks).max_by_key(|rule| rule.value.conditions())
}
