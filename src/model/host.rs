//! The host object of RFC 5732.

use super::{Date, Ip, Status};
use crate::base::HostName;

/// A host as a registry holds it. Only the name is certain.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Host {
    /// The name.
    pub name: HostName,
    /// The repository object identifier.
    pub roid: Option<Box<str>>,
    /// Statuses.
    pub statuses: Vec<Status>,
    /// Addresses.
    pub addrs: Vec<Ip>,
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
}
