//! The profile of a registry.

use super::characters::Characters;
use super::fields::{Bounds, FieldRules, Property, When};
use super::limits::Limits;
use super::published::{Choice, Needed, Published, Special, StandIn};
use super::rule::{Capability, Rule};
use super::words::{
    ContactModel, DomainRole, Glue, HostModel, Line, Privacy, Publication, RegistrantChange, ServerTest, StatusUse, TransferLock,
};
use crate::model::{Element, ObjectKind};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Services a login names, where the greeting offers them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Services {
    /// Objects without which nothing can be done here.
    pub objects: Vec<String>,
    /// Objects that are used where they are offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_objects: Vec<String>,
    /// Extensions that are used where they are offered.
    pub extensions: Vec<String>,
}

/// Deviations from the RFCs that must be told in advance.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quirks {
    /// The length of a frame does not count itself.
    pub length_without_header: bool,
    /// Words, in lower case, by which the text of a refusal by policy (2308) tells that a limit was reached.
    pub limit_words: Vec<String>,
    /// What an update leaves out is removed.
    pub update_replaces_all: bool,
    /// The password goes into a login as its MD5 in hexadecimal digits.
    pub password_md5: bool,
    /// The registry gives handles itself; the one that is sent is ignored.
    pub registry_assigns_handles: bool,
    /// The registry keeps handles in capital letters, however they are sent.
    pub handles_in_capitals: bool,
}

/// What may be done at a registry, beyond what other rules say.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// A proxy contact in the registrant's place.
    pub privacy_protect: Rule<Capability>,
    /// A disclose statement on a contact.
    pub disclose: Rule<Capability>,
    /// Adding and removing statuses of domains.
    pub domain_statuses: Rule<Capability>,
    /// Adding and removing statuses of contacts.
    pub contact_statuses: Rule<Capability>,
    /// Checking whether a contact is there.
    pub contact_check: Rule<Capability>,
    /// Reading a contact.
    pub contact_info: Rule<Capability>,
    /// Changing a contact.
    pub contact_update: Rule<Capability>,
    /// Deleting a contact.
    pub contact_delete: Rule<Capability>,
}

/// What may be done with each status, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Statuses {
    /// Of a domain.
    pub domain: BTreeMap<String, Rule<StatusUse>>,
    /// Of a contact.
    pub contact: BTreeMap<String, Rule<StatusUse>>,
}

impl Statuses {
    /// Of the objects of `kind`.
    #[must_use]
    pub const fn of(&self, kind: ObjectKind) -> &BTreeMap<String, Rule<StatusUse>> {
        match kind {
            ObjectKind::Contact => &self.contact,
            ObjectKind::Domain => &self.domain,
        }
    }
}

/// Rules for a domain's name servers. What is not stated is not known.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameServers {
    /// The fewest of a delegated domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Rule<u8>>,
    /// The most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Rule<u8>>,
    /// Which need an address.
    pub glue: Rule<Glue>,
    /// Whether addresses must be such as the public can reach (RFC 6890).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_addresses: Option<Rule<bool>>,
    /// The tests that the registry puts name servers through before it delegates to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests: Option<Rule<Vec<ServerTest>>>,
}

/// Rules for the contacts of a domain in one role. What is not stated is not limited here.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RoleRules {
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<Rule<Bounds>>,
    /// Where they must be the registrant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registrant: Option<Rule<Vec<When>>>,
}

/// What a code of the registry's own means.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeMeaning {
    /// In our words.
    pub text: String,
    /// The EPP result that says the same (RFC 5730 §3), where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<u16>,
}

/// A registry's profile.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its id, as the configuration names it.
    pub id: String,
    /// What it covers, in a few words.
    pub title: String,
    /// When it was last compared with its sources.
    pub date: Date,
    /// The line.
    pub line: Rule<Line>,
    /// The default port.
    pub port: Rule<u16>,
    /// Whether a client certificate is wanted (RFC 5734 §9).
    pub client_certificate: Rule<bool>,
    /// Where the contacts are.
    pub contacts: Rule<ContactModel>,
    /// How name servers are named.
    pub hosts: Rule<HostModel>,
    /// How a registrant is kept out of public view.
    pub privacy: Rule<Privacy>,
    /// What decides how much the public sees.
    pub publication: Rule<Publication>,
    /// Whether contacts carry a disclose statement.
    pub disclose: Rule<bool>,
    /// What keeps a domain from being transferred away.
    pub transfer_lock: Rule<TransferLock>,
    /// How another holder takes a domain over.
    pub change_of_registrant: Rule<RegistrantChange>,
    /// Fields that say who the registrant is: no correction may change them.
    pub identity_fields: Rule<Vec<String>>,
    /// Services.
    pub services: Services,
    /// What may be done.
    pub capabilities: Capabilities,
    /// What may be done with statuses.
    #[serde(default)]
    pub statuses: Statuses,
    /// Name servers.
    pub name_servers: NameServers,
    /// Contacts by role.
    #[serde(default)]
    pub roles: BTreeMap<DomainRole, RoleRules>,
    /// Limits.
    pub limits: Limits,
    /// Deviations.
    #[serde(default)]
    pub quirks: Quirks,
    /// Sets of characters, by name.
    #[serde(default)]
    pub characters: BTreeMap<String, Rule<Characters>>,
    /// Rules for the fields of a contact.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldRules>,
    /// Additional properties; a key that is not here is an error.
    #[serde(default)]
    pub properties: BTreeMap<String, Rule<Property>>,
    /// What the public sees of contacts, by names of the profile's own. Of a contact of which none speaks, that is not known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub published: BTreeMap<String, Rule<Published>>,
    /// What is needed of contacts; where nothing is stated, nothing is called needless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<Needed>,
    /// Properties that hold data which are protected specially.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub special: BTreeMap<String, Rule<Special>>,
    /// Whether a registration may be ended because the registrant's data are not right or reach nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_for_wrong_data: Option<Rule<bool>>,
    /// By what it is known that the registry's own data stand in a registrant's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<Rule<StandIn>>,
    /// The registry's code by the numbered rule that is broken, whatever the field.
    #[serde(default)]
    pub answers: BTreeMap<String, Rule<String>>,
    /// Codes of its own, or with a meaning of its own.
    #[serde(default)]
    pub codes: BTreeMap<String, Rule<CodeMeaning>>,
}

impl Profile {
    /// The tables of rules that speak of `field`, in the order of their names: its own, and those for some contacts only.
    pub fn tables<'p>(&'p self, field: &str) -> impl Iterator<Item = &'p FieldRules> {
        self.named_tables().filter(move |(name, _)| *name == field).map(|(_, rules)| rules)
    }

    /// Every table of rules with the field it speaks of.
    pub fn named_tables(&self) -> impl Iterator<Item = (&str, &FieldRules)> {
        self.fields.iter().map(|(key, rules)| (rules.field.as_deref().unwrap_or(key), rules))
    }

    /// Whether a contact's disclose statement decides on `element`: on every one where the registry's rules name none.
    #[must_use]
    pub fn withholds(&self, element: Element) -> bool {
        let choices = || self.published.values().filter_map(|rule| rule.value.choice.as_ref());
        let mut own = choices().filter(|choice| matches!(choice, Choice::Disclose { .. })).peekable();
        own.peek().is_none() || own.any(|choice| choice.is_about(element))
    }

    /// Whether the mechanism that hides a registrant here hides `element`, too.
    #[must_use]
    pub fn hides(&self, element: Element) -> bool {
        self.privacy.value != Privacy::Disclose || self.withholds(element)
    }

    /// The statuses that a client may add and remove, in the order of their names.
    pub fn settable(&self, kind: ObjectKind) -> impl Iterator<Item = &str> {
        self.statuses.of(kind).iter().filter(|(_, rule)| rule.value == StatusUse::Settable).map(|(name, _)| name.as_str())
    }

    /// Whether the registry holds contact objects.
    #[must_use]
    pub fn has_contacts(&self) -> bool {
        self.contacts.value == ContactModel::Objects
    }
}
