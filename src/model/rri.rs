//! What DENIC's RRI has and RFC 5730 has not: objects that an update replaces as a whole, verification, `AuthInfo1`, and answers made of
//! several coded messages.

use super::{HostAttr, KeyData};
use crate::base::{DomainName, Handle, HostName, Personal, Secret};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a contact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RriKind {
    /// A natural person, who may be a holder.
    Person,
    /// An organisation, which may be a holder.
    Org,
    /// A place for general requests or for abuse.
    Request,
}

impl RriKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Person, Self::Org, Self::Request];

    /// The word on the line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "PERSON",
            Self::Org => "ORG",
            Self::Request => "REQUEST",
        }
    }

    /// The kind with that word, whatever its case.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

/// How a datum of a contact was verified, in the registry's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Verification {
    /// What was verified: `name`, `address`, `email`.
    pub claims: Vec<Box<str>>,
    /// `success` or `failed`.
    pub result: Option<Box<str>>,
    /// The verifier's own reference.
    pub reference: Option<Personal>,
    /// When, with an offset.
    pub timestamp: Option<Box<str>>,
    /// What it rests on: `idcard`, `passport`, `company_register` …
    pub evidence: Vec<Box<str>>,
    /// How it was done: `auth`, `data`, `reachability` …
    pub method: Vec<Box<str>>,
    /// By which rules, most often `de_denic`.
    pub trust_framework: Option<Box<str>>,
}

/// A contact, whole: what an update leaves out is deleted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct RriContact {
    /// The handle, in upper case.
    pub handle: Handle,
    /// What it is.
    pub kind: RriKind,
    /// The person, the organisation or the role; once set it stays.
    pub name: Option<Personal>,
    /// Organisations of a person.
    pub organisations: Vec<Personal>,
    /// Address lines, 1 to 5.
    pub address: Vec<Personal>,
    /// Postal code.
    pub postal_code: Option<Personal>,
    /// City.
    pub city: Option<Personal>,
    /// Country, ISO 3166-1 alpha-2.
    pub country: Option<Box<str>>,
    /// E-mail addresses.
    pub emails: Vec<Personal>,
    /// `+` country code `.` number, with `x` and an extension behind it where there is one.
    pub phone: Option<Personal>,
    /// Where requests go, for the kind that has nothing else.
    pub uri_template: Option<Box<str>>,
    /// Verifications.
    pub verifications: Vec<Verification>,
    /// Names of fields which the registry sent and no field here holds. As long as there is one, no update is written.
    pub unread: Vec<Box<str>>,
}

impl RriContact {
    /// A contact of which nothing is known but what it is.
    #[must_use]
    pub const fn bare(handle: Handle, kind: RriKind) -> Self {
        Self {
            handle,
            kind,
            name: None,
            organisations: Vec::new(),
            address: Vec::new(),
            postal_code: None,
            city: None,
            country: None,
            emails: Vec::new(),
            phone: None,
            uri_template: None,
            verifications: Vec::new(),
            unread: Vec::new(),
        }
    }
}

/// A domain, whole: what an update leaves out is deleted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct RriDomain {
    /// The name.
    pub name: DomainName,
    /// The holders, 1 to 5.
    pub holders: Vec<Handle>,
    /// Where general requests go.
    pub general_request: Option<Handle>,
    /// Where reports of abuse go.
    pub abuse_contact: Option<Handle>,
    /// Name servers with their glue.
    pub servers: Vec<HostAttr>,
    /// Keys.
    pub keys: Vec<KeyData>,
    /// Records that the registry serves itself, in the place of name servers, at most 5.
    pub entries: Vec<NsEntry>,
    /// Names of fields which the registry sent and no field here holds. As long as there is one, no update is written.
    pub unread: Vec<Box<str>>,
}

impl RriDomain {
    /// A domain of which nothing is known but its name.
    #[must_use]
    pub const fn bare(name: DomainName) -> Self {
        Self {
            name,
            holders: Vec::new(),
            general_request: None,
            abuse_contact: None,
            servers: Vec::new(),
            keys: Vec::new(),
            entries: Vec::new(),
            unread: Vec::new(),
        }
    }
}

/// A record that the registry serves itself, in the place of a delegation.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct NsEntry {
    /// The name it stands at, without the final dot.
    pub owner: HostName,
    /// What stands there.
    pub data: NsEntryData,
}

/// What a record of [`NsEntry`] holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NsEntryData {
    /// An address.
    A(Ipv4Addr),
    /// An address.
    Aaaa(Ipv6Addr),
    /// A mail server.
    Mx {
        /// Its preference, 0 to 999.
        preference: u16,
        /// Its name, without the final dot.
        exchange: HostName,
    },
}

impl fmt::Display for NsEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.data {
            NsEntryData::A(address) => write!(f, "{}. IN A {address}", self.owner),
            NsEntryData::Aaaa(address) => write!(f, "{}. IN AAAA {address}", self.owner),
            NsEntryData::Mx { preference, exchange } => write!(f, "{}. IN MX {preference} {exchange}.", self.owner),
        }
    }
}

/// A command that changes an object by replacing it, or its `AuthInfo1`.
#[derive(Clone, Debug)]
pub enum RriChange {
    /// Creates a contact.
    ContactCreate(RriContact),
    /// Replaces a contact.
    ContactUpdate {
        /// The contact as the registry has it.
        was: RriContact,
        /// The contact as it shall be.
        to: RriContact,
        /// Keywords of fields of which the new contact may have fewer than the old one.
        drop: Vec<Box<str>>,
    },
    /// Replaces a domain.
    DomainUpdate {
        /// The domain as the registry has it.
        was: RriDomain,
        /// The domain as it shall be.
        to: RriDomain,
        /// Keywords of fields of which the new domain may have fewer than the old one.
        drop: Vec<Box<str>>,
    },
    /// Sets the `AuthInfo1` that lets another provider take the domain over.
    AuthInfo1Create {
        /// The domain.
        name: DomainName,
        /// SHA-256 of the password, 64 hexadecimal digits.
        hash: Secret,
        /// Its last day, `YYYYMMDD`, at most 30 days away.
        expires: Box<str>,
    },
    /// Removes the `AuthInfo1`: what a transfer lock is at this registry.
    AuthInfo1Delete(DomainName),
}

/// An eleven-digit message code. The words that go with it may change, the code does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct RriCode(pub u64);

/// What the first digit of an [`RriCode`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RriClass {
    /// 1: information on a success.
    Success,
    /// 2: information on a failure.
    Failed,
    /// 3 and 4: a warning.
    Warning,
    /// 5: an error that may pass.
    Temporary,
    /// 6: an error that stays.
    Permanent,
    /// 7 and 8: the registry's technique.
    Technical,
    /// Another digit, or another number of digits.
    Unheard,
}

impl RriCode {
    /// The class, by the first of eleven digits.
    #[must_use]
    pub const fn class(self) -> RriClass {
        match self.0 / 10_000_000_000 {
            1 => RriClass::Success,
            2 => RriClass::Failed,
            3 | 4 => RriClass::Warning,
            5 => RriClass::Temporary,
            6 => RriClass::Permanent,
            7 | 8 => RriClass::Technical,
            _ => RriClass::Unheard,
        }
    }
}

impl fmt::Display for RriCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:011}", self.0)
    }
}

/// One message of an answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct RriMessage {
    /// `info`, `warning` or `error`, in lower case.
    pub level: Box<str>,
    /// The code, or nothing where there is no readable one.
    pub code: Option<RriCode>,
    /// The registry's words.
    pub text: Box<str>,
    /// What it is about. It may be a personal datum.
    pub argument: Option<Personal>,
}

/// The object an answer holds, whole.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RriObject {
    /// A contact.
    Contact(Box<RriContact>),
    /// A domain.
    Domain(Box<RriDomain>),
}

/// What of an answer the terms of EPP cannot hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct RriAnswer {
    /// `success`, `failed`, `failure` or `exception`, in lower case.
    pub result: Box<str>,
    /// Its messages, in order.
    pub messages: Vec<RriMessage>,
    /// Its objects, as an update needs them.
    pub objects: Vec<RriObject>,
}
