//! The bundle: everything of one person, with what Art. 15(1) and (2) ask for beside it.

use super::rights::Right;
use crate::base::{Personal, Timestamp};
use crate::compliance::register::Deadline;
use crate::compliance::retention::LegalBasis;
use std::collections::BTreeMap;

/// The shape of a bundle.
pub(super) const SHAPE: &str = "privet/access/1";

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Holding {
    /// In the registrar's own records.
    Records,
    /// At the registry, as its newest snapshot shows.
    Registry,
}

impl Holding {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Registry => "registry",
        }
    }
}

/// A value that is held of the person.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Datum {
    /// The registry whose contact it is of.
    pub registry: String,
    /// The contact's handle.
    pub contact: String,
    /// Where it stands.
    pub store: Holding,
    /// Which field of the contact.
    pub field: &'static str,
    /// The value.
    pub value: Personal,
    /// Whether the person gave it, itself or through the reseller; what a registry or the registrar added is not given.
    pub provided: bool,
    /// The ground that holding it rests on (Art. 6(1)).
    pub basis: LegalBasis,
    /// Where it comes from (Art. 15(1)(g)).
    pub source: String,
}

/// A domain that names the person, without the other contacts that it names.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct AccessDomain {
    /// The registry.
    pub registry: String,
    /// Its name, as A-labels.
    pub domain: Personal,
    /// Where that stands.
    pub store: Holding,
    /// The person's contact.
    pub contact: String,
    /// As what it is named.
    pub roles: Vec<&'static str>,
    /// When it expires, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// What data are used for (Art. 15(1)(a)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct PurposeOf {
    /// The activity.
    pub activity: String,
    /// What for.
    pub purposes: String,
    /// The ground (Art. 6(1)).
    pub basis: String,
    /// Where the data come from (Art. 15(1)(g)).
    pub source: String,
}

/// Who gets data (Art. 15(1)(c), (2)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct RecipientOf {
    /// The registry whose data they are.
    pub registry: String,
    /// Who.
    pub name: String,
    /// What they are.
    pub category: String,
    /// Their country; nothing where nobody declared it.
    pub country: Option<String>,
    /// By which mechanism data may go there; nothing where nobody declared one.
    pub mechanism: Option<String>,
}

/// How long data are kept (Art. 15(1)(d)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct Period {
    /// The registry.
    pub registry: String,
    /// The contact.
    pub contact: String,
    /// Which data.
    pub cluster: String,
    /// How that stands.
    pub state: &'static str,
    /// Until when they are kept.
    pub keep_until: Option<String>,
    /// By when they are gone.
    pub must_go_by: Option<String>,
    /// The rules, each with where it is written. Nothing where no period has begun: data are kept while a service needs them.
    pub rules: Vec<String>,
}

/// Who answers for the data at a registry, to whom the person may turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct Answering {
    /// The registry.
    pub registry: String,
    /// Its name.
    pub title: String,
    /// What the registrar is there.
    pub role: &'static str,
    /// To whom requests go.
    pub contact: String,
    /// Where that is written.
    pub citation: String,
}

/// Something the person said about the use of their data.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct AccessConsent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: &'static str,
    /// For what; nothing for all purposes.
    pub purpose: Option<&'static str>,
    /// Which data; all where none is named.
    pub elements: Vec<&'static str>,
    /// Until when it holds.
    pub expires: Option<Timestamp>,
    /// Which terms of service.
    pub terms: Option<String>,
    /// How it was said.
    pub method: Option<&'static str>,
    /// Who said it.
    pub by: Option<&'static str>,
}

/// A request of a third party for the person's data.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct AccessDisclosure {
    /// The case.
    pub case: String,
    /// When it was opened.
    pub opened: Option<Timestamp>,
    /// How it stands.
    pub state: Option<&'static str>,
    /// Who asked, where that is an organisation or an authority.
    pub requester: Option<Personal>,
    /// What the one who asked is.
    pub requester_kind: Option<String>,
    /// On which ground.
    pub ground: Option<String>,
    /// Which data were released; none where nothing is named.
    pub released: Vec<String>,
}

/// A case of the person in another register.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct AccessCase {
    /// The register.
    pub register: &'static str,
    /// The case.
    pub case: String,
    /// When it was opened.
    pub opened: Option<Timestamp>,
    /// How it stands.
    pub state: Option<&'static str>,
    /// Texts of the person's own, by what they are.
    pub texts: BTreeMap<String, Personal>,
}

/// By when the answer is due (Art. 12(3)).
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct AccessClock {
    /// The case in the register of requests.
    pub case: String,
    /// Its deadlines.
    pub deadlines: Vec<Deadline>,
}

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct Exclusion {
    /// What.
    pub what: &'static str,
    /// How many there are; nothing where they are not counted.
    pub count: Option<u64>,
    /// Why.
    pub ground: &'static str,
}

/// Everything that is held of one person.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Bundle {
    /// The shape: `privet/access/1`.
    pub schema: &'static str,
    /// As of when.
    pub made_at: Timestamp,
    /// By when the answer is due, where the case is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<AccessClock>,
    /// Who the controller is, as it declares itself.
    pub controller: BTreeMap<String, String>,
    /// Who answers at which registry.
    pub answering: Vec<Answering>,
    /// The data.
    pub data: Vec<Datum>,
    /// The domains that name the person.
    pub domains: Vec<AccessDomain>,
    /// What data are used for.
    pub purposes: Vec<PurposeOf>,
    /// Who gets them.
    pub recipients: Vec<RecipientOf>,
    /// How long they are kept.
    pub periods: Vec<Period>,
    /// What the person said about their use, in order.
    pub consents: Vec<AccessConsent>,
    /// Who asked for them.
    pub disclosures: Vec<AccessDisclosure>,
    /// Cases of the person.
    pub cases: Vec<AccessCase>,
    /// What the person may ask for.
    pub rights: Vec<Right>,
    /// What was left out.
    pub excluded: Vec<Exclusion>,
}

impl Bundle {
    /// A bundle with nothing in it yet but what every one has.
    #[must_use]
    pub fn new(made_at: Timestamp) -> Self {
        Self {
            schema: SHAPE,
            made_at,
            clock: None,
            controller: BTreeMap::new(),
            answering: Vec::new(),
            data: Vec::new(),
            domains: Vec::new(),
            purposes: Vec::new(),
            recipients: Vec::new(),
            periods: Vec::new(),
            consents: Vec::new(),
            disclosures: Vec::new(),
            cases: Vec::new(),
            rights: super::rights(),
            excluded: vec![Exclusion {
                what: "authorisation information of domains and contacts",
                count: None,
                ground: "a secret of the registration and no datum about a person: it is neither stored nor read back here",
            }],
        }
    }

    /// Notes what was left out, where there is any.
    pub fn leave_out(&mut self, what: &'static str, count: u64, ground: &'static str) {
        if count > 0 {
            self.excluded.push(Exclusion { what, count: Some(count), ground });
        }
    }
}
