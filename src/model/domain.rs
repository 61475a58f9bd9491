//! The domain object of RFC 5731.

use super::{AuthInfo, Date, Properties, Status};
use crate::base::{DomainName, Handle, HostName};

/// What a contact is to a domain. The registrant has an element of its own and is no role here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Administrative.
    Admin,
    /// Billing.
    Billing,
    /// Technical.
    Tech,
}

impl Role {
    /// The three roles, in the schema's order.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Billing, Self::Tech];

    /// The attribute's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Billing => "billing",
            Self::Tech => "tech",
        }
    }
}

/// A contact in a role. A type which the schema does not know survives as its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct ContactRef {
    /// The role, or nothing where the registry sent a type of its own.
    pub role: Option<Role>,
    /// The attribute as it was sent.
    pub kind: Box<str>,
    /// The contact.
    pub handle: Handle,
}

impl ContactRef {
    /// `handle` in `role`.
    #[must_use]
    pub fn new(role: Role, handle: Handle) -> Self {
        Self { role: Some(role), kind: role.as_str().into(), handle }
    }
}

/// The version of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IpVersion {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl IpVersion {
    /// The version of an address written like `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.contains(':') { Self::V6 } else { Self::V4 }
    }
}

/// An address of a host, as the registry wrote it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct Ip {
    /// Its version.
    pub version: IpVersion,
    /// Its text.
    pub text: Box<str>,
}

/// A name server given as an attribute of the domain (RFC 5731 §1.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct HostAttr {
    /// Its name.
    pub name: HostName,
    /// Its glue.
    pub addrs: Vec<Ip>,
}

/// A domain's name servers, in whichever of the two ways the registry has them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameServers {
    /// References to host objects.
    Objects(Vec<HostName>),
    /// Attributes of the domain.
    Attributes(Vec<HostAttr>),
}

impl NameServers {
    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &HostName> {
        let (objects, attributes) = match self {
            Self::Objects(names) => (names.as_slice(), [].as_slice()),
            Self::Attributes(attrs) => ([].as_slice(), attrs.as_slice()),
        };
        objects.iter().chain(attributes.iter().map(|a| &a.name))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names().next().is_none()
    }
}

impl Default for NameServers {
    fn default() -> Self {
        Self::Objects(Vec::new())
    }
}

/// A domain as a registry holds it. Only the name is certain.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Domain {
    /// The name.
    pub name: DomainName,
    /// The repository object identifier.
    pub roid: Option<Box<str>>,
    /// Statuses.
    pub statuses: Vec<Status>,
    /// The registrant.
    pub registrant: Option<Handle>,
    /// The other contacts, in the order of the answer.
    pub contacts: Vec<ContactRef>,
    /// The name servers it is delegated to.
    pub ns: NameServers,
    /// Subordinate hosts.
    pub hosts: Vec<HostName>,
    /// The sponsoring registrar.
    pub sponsor: Option<Box<str>>,
    /// Who created it.
    pub created_by: Option<Box<str>>,
    /// When it was created.
    pub created: Option<Date>,
    /// Who changed it last.
    pub updated_by: Option<Box<str>>,
    /// When it was changed last.
    pub updated: Option<Date>,
    /// When it expires.
    pub expires: Option<Date>,
    /// When it was transferred last.
    pub transferred: Option<Date>,
    /// Authorisation information, which RFC 9154 wants empty outside a transfer.
    pub auth: Option<AuthInfo>,
    /// Additional properties, and facts of the registry's own.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
}

impl Domain {
    /// A domain of which nothing is known but its name.
    #[must_use]
    pub const fn bare(name: DomainName) -> Self {
        Self {
            name,
            roid: None,
            statuses: Vec::new(),
            registrant: None,
            contacts: Vec::new(),
            ns: NameServers::Objects(Vec::new()),
            hosts: Vec::new(),
            sponsor: None,
            created_by: None,
            created: None,
            updated_by: None,
            updated: None,
            expires: None,
            transferred: None,
            auth: None,
            properties: Properties::new(),
        }
    }
}
