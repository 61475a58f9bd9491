//! The words in which profiles differ.

use super::rule::Capability;
use std::fmt;

/// The kind of line a registry is reached over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// EPP over TLS on a TCP connection (RFC 5734).
    EppTls,
    /// EPP in the bodies of HTTPS POSTs; a cookie is the session.
    EppHttps,
    /// RRI over TLS on a TCP connection: no greeting, a length that does not count itself.
    Rri,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EppTls => "epp-tls",
            Self::EppHttps => "epp-https",
            Self::Rri => "rri",
        })
    }
}

/// Where a registry's contacts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactModel {
    /// Contact objects at the registry.
    Objects,
    /// None at the registry: the registrar alone holds them ("minimum data set").
    None,
}

/// How a domain names its name servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostModel {
    /// By host objects.
    Objects,
    /// By attributes of the domain.
    Attributes,
}

/// How a registry keeps a registrant out of public view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Privacy {
    /// A proxy contact takes the registrant's place.
    ProxyContact,
    /// A disclose statement on the contact (RFC 5733 §2.9).
    Disclose,
    /// The contact's consent to be published, true or false.
    Consent,
    /// The contact's mark that its publication is restricted.
    RestrictedPublication,
    /// The registrar's own directory publishes; the registry holds nothing.
    Publication,
    /// None: the registry decides what is public.
    None,
    /// Not known.
    Unknown,
}

/// What decides how much of a registrant the public sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Publication {
    /// The registrar's own policy: its directory publishes.
    Registrar,
    /// The contact's type: organisations are published, persons are not.
    ContactType,
    /// Whether the registrant is a natural person.
    NaturalPerson,
    /// What the contact itself carries: consent, disclose or restriction.
    Contact,
    /// The registry alone.
    Registry,
    /// Not known.
    Unknown,
}

/// What keeps a domain from being transferred away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferLock {
    /// The status `clientTransferProhibited`, at the registrar's wish.
    ClientStatus,
    /// The same status, but only on a formally served order: reported, never set.
    OrderOnly,
    /// No status: without live transfer credentials there is no transfer.
    NoAuthInfo,
    /// None.
    None,
    /// Not known.
    Unknown,
}

impl TransferLock {
    /// Whether a lock may be planned.
    #[must_use]
    pub const fn capability(self) -> Capability {
        match self {
            Self::ClientStatus => Capability::Yes,
            Self::OrderOnly | Self::NoAuthInfo | Self::None => Capability::No,
            Self::Unknown => Capability::Unknown,
        }
    }
}

/// How another holder takes a domain over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrantChange {
    /// By an update of the domain that names another contact.
    Update,
    /// By an update that sets new transfer credentials as well.
    UpdateWithAuthInfo,
    /// By a trade.
    Trade,
    /// By an operation of its own.
    Operation,
    /// Not known.
    Unknown,
}

/// What may be done with a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusUse {
    /// Added and removed.
    Settable,
    /// Removed where it stands, never added.
    Removable,
    /// Told of; a change needs an operation that names its order.
    Reported,
    /// The registry does not have it, or no client may touch it.
    Never,
    /// Not known.
    Unknown,
}

/// Which name servers need an address with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Glue {
    /// Those inside the domain: at least one, of either family.
    InZone,
    /// Those inside the domain, at their host object.
    HostObject,
    /// Not known.
    Unknown,
}

/// What a contact is to a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DomainRole {
    /// The registrant, or holder.
    Registrant,
    /// Administrative.
    Admin,
    /// Technical.
    Tech,
    /// Billing.
    Billing,
}

impl DomainRole {
    /// The word in profiles and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registrant => "registrant",
            Self::Admin => "admin",
            Self::Tech => "tech",
            Self::Billing => "billing",
        }
    }
}

/// A test of the name servers that a domain is delegated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerTest {
    /// Each has an address.
    Resolvable,
    /// Each answers at each of its addresses.
    Answer,
    /// None answers with a code of failure.
    ReturnCode,
    /// Each speaks with authority (the bit AA, RFC 1035 §4.1.1).
    Authority,
    /// Each names the same name servers as the registry.
    NsCompare,
    /// None of the zone's apex, its name servers, its master and its mail exchanges is an alias (RFC 1034 §3.6.2, RFC 2181 §10).
    CnameHost,
    /// Addresses given with a name server are those that the DNS has.
    IpCompare,
    /// All name the same mail exchanges.
    MxCompare,
    /// All name the same master (RFC 1035 §3.3.13).
    SoaMasterCompare,
}
