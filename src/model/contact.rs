//! The contact object of RFC 5733.

use super::{Date, Properties, Status};
use crate::base::{Handle, Personal, Secret};

/// Which of the two forms an address is written in (RFC 5733 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PostalForm {
    /// `int`: representable in 7-bit US-ASCII.
    Int,
    /// `loc`: unrestricted UTF-8.
    Loc,
}

impl PostalForm {
    /// The attribute's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Loc => "loc",
        }
    }
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Address {
    /// Street lines, at most three by the schema.
    pub street: Vec<Personal>,
    /// City.
    pub city: Personal,
    /// State or province.
    pub sp: Option<Personal>,
    /// Postal code.
    pub pc: Option<Personal>,
    /// Country, ISO 3166-1 alpha-2.
    pub cc: Box<str>,
}

/// One form of a contact's name and address. In an update absent parts stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct PostalInfo {
    /// Which form.
    pub form: PostalForm,
    /// The person or role.
    pub name: Option<Personal>,
    /// The organisation.
    pub org: Option<Personal>,
    /// The address, always whole: in an update a registry replaces it as a whole too.
    pub addr: Option<Address>,
}

/// A telephone number (RFC 5733 §2.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Phone {
    /// `+` country code `.` number.
    pub number: Personal,
    /// The extension, attribute `x`.
    pub ext: Option<Personal>,
}

/// Authorisation information (RFC 5731 §2.6, RFC 5733 §2.8).
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthInfo {
    /// A password, and the repository object it belongs to where it is not this one's.
    Password {
        /// The password.
        pw: Secret,
        /// The repository object identifier it belongs to.
        roid: Option<Box<str>>,
    },
    /// `<domain:null/>`: remove it.
    Null,
    /// `<ext>`: something of the registry's own.
    Extended,
}

/// Which forms of an element a disclose statement names; an element without forms (voice, fax, e-mail) uses neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct DiscloseForms {
    /// The `int` form.
    pub int: bool,
    /// The `loc` form.
    pub loc: bool,
}

/// The client's exception to the server's data collection policy (RFC 5733 §2.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Disclose {
    /// `true`: the named elements may be disclosed; `false`: they may not.
    pub flag: bool,
    /// The name.
    pub name: DiscloseForms,
    /// The organisation.
    pub org: DiscloseForms,
    /// The address.
    pub addr: DiscloseForms,
    /// The telephone number.
    pub voice: bool,
    /// The facsimile number.
    pub fax: bool,
    /// The e-mail address.
    pub email: bool,
}

/// A contact as a registry holds it. Only the handle is certain: registries leave out nearly everything else at times.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Contact {
    /// The handle.
    pub id: Handle,
    /// The repository object identifier.
    pub roid: Option<Box<str>>,
    /// Statuses.
    pub statuses: Vec<Status>,
    /// Name and address, in the order of the answer.
    pub postal: Vec<PostalInfo>,
    /// Telephone.
    pub voice: Option<Phone>,
    /// Facsimile.
    pub fax: Option<Phone>,
    /// E-mail address.
    pub email: Option<Personal>,
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
    /// When it was transferred last.
    pub transferred: Option<Date>,
    /// Authorisation information, which RFC 9154 wants empty outside a transfer.
    pub auth: Option<AuthInfo>,
    /// The disclose statement.
    pub disclose: Option<Disclose>,
    /// Additional properties.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
}

impl Contact {
    /// A contact of which nothing is known but its handle.
    #[must_use]
    pub const fn bare(id: Handle) -> Self {
        Self {
            id,
            roid: None,
            statuses: Vec::new(),
            postal: Vec::new(),
            voice: None,
            fax: None,
            email: None,
            sponsor: None,
            created_by: None,
            created: None,
            updated_by: None,
            updated: None,
            transferred: None,
            auth: None,
            disclose: None,
            properties: Properties::new(),
        }
    }
}
