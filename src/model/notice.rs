//! What registries tell beyond the standard: NicIT's extepp-2.0 and extdom-2.0, EURid's poll-1.2 and registrarHitPoints-1.0.

use super::{Contact, Date, NameServers, Role};
use crate::base::{DomainName, HostName};

/// The account's credit (extepp `creditMsgData`), with a login, a logout or as a message. Amounts are as sent.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Credit {
    /// How much there is.
    pub amount: Box<str>,
    /// Until when it lasts.
    pub until: Option<Date>,
    /// How much is needed by then.
    pub needed: Option<Box<str>>,
}

/// A namespace that a login named and that is not the right one (extepp `wrongNamespaceInfo`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct NamespaceReminder {
    /// The one that was named, unless one is missing.
    pub wrong: Option<Box<str>>,
    /// The one to name.
    pub right: Box<str>,
}

/// A domain's new statuses (extdom `chgStatusMsgData`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct StatusChange {
    /// The domain.
    pub name: DomainName,
    /// Statuses in its new state.
    pub statuses: Vec<TargetStatus>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct TargetStatus {
    /// Whose vocabulary it is of: `domain`, `rgp` or `own`, the registry's.
    pub of: Box<str>,
    /// The status, as sent.
    pub value: Box<str>,
}

/// A delegation that was lost (extdom `dlgMsgData`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct LostDelegation {
    /// The domain.
    pub name: DomainName,
    /// Name servers that it was delegated to.
    pub servers: Vec<HostName>,
}

/// A check of a domain's name servers (extdom `dnsErrorMsgData`, `dnsWarningMsgData`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct DnsCheck {
    /// The domain.
    pub name: DomainName,
    /// `SUCCEEDED`, `WARNING` or `FAILED`, as sent.
    pub status: Box<str>,
    /// The registry's number of the check.
    pub id: Option<Box<str>>,
    /// When.
    pub date: Option<Date>,
    /// The name servers that were asked, with their addresses, as sent.
    pub servers: Vec<CheckedServer>,
    /// The tests.
    pub tests: Vec<DnsTest>,
    /// What was asked.
    pub queries: Vec<DnsQuery>,
    /// The statuses that followed from it.
    pub change: Option<StatusChange>,
}

/// A name server in a check.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct CheckedServer {
    /// Its name.
    pub name: HostName,
    /// Its addresses.
    pub addresses: Vec<Box<str>>,
}

/// A test in a check.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct DnsTest {
    /// Its name.
    pub name: Box<str>,
    /// Its outcome; nothing where it was skipped.
    pub status: Option<Box<str>>,
    /// The outcome at each name server.
    pub servers: Vec<TestedServer>,
}

/// The outcome of a test at a name server.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct TestedServer {
    /// The name server.
    pub name: HostName,
    /// The outcome.
    pub status: Option<Box<str>>,
    /// The registry's words, each with the number of the query it is about.
    pub details: Vec<(Option<Box<str>>, Box<str>)>,
}

/// A query in a check.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct DnsQuery {
    /// Its number in the check.
    pub id: Option<Box<str>>,
    /// What was asked for.
    pub name: Box<str>,
    /// The type of record.
    pub kind: Box<str>,
    /// Who was asked.
    pub destination: Box<str>,
    /// What came.
    pub result: Box<str>,
}

/// Money given back, or debited late (extdom `delayedDebitAndRefundMsgData`, `refundRenewsForBulkTransferMsgData`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Refund {
    /// The domain, where it is about one.
    pub name: Option<DomainName>,
    /// When it was debited.
    pub debited: Option<Date>,
    /// How much, as sent.
    pub amount: Box<str>,
    /// For how many domains, where it is about a bulk transfer.
    pub domains: Option<u64>,
    /// That transfer.
    pub transfer: Option<Box<str>>,
}

/// A name that the registry made another of (extdom `remappedIdnData`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Remapped {
    /// The name that was asked for.
    pub requested: DomainName,
    /// The name that there is.
    pub created: DomainName,
}

/// A contact in the answer about a domain (extdom `infContactsData`).
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct LinkedContact {
    /// Its role; nothing for the registrant.
    pub role: Option<Role>,
    /// The contact.
    pub contact: Contact,
}

/// Name servers of a domain that wait for their check (extdom `infNsToValidateData`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct NameServersToCheck(pub NameServers);

/// What a message of EURid's is about (poll-1.2 `pollData`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct PollData {
    /// The context, `TRANSFER`, `DYNUPDATE` and the like, as sent.
    pub context: Box<str>,
    /// The kind of the object.
    pub object_type: Box<str>,
    /// The object's name.
    pub object: Box<str>,
    /// The same in Unicode.
    pub object_unicode: Option<Box<str>>,
    /// What happened.
    pub action: Box<str>,
    /// Its number.
    pub code: Option<i32>,
    /// The registry's words.
    pub detail: Option<Box<str>>,
    /// The registrar it is about.
    pub registrar: Option<Box<str>>,
}

/// How near the account is to a pause for too many errors (registrarHitPoints-1.0).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct HitPoints {
    /// Points now.
    pub points: i32,
    /// Points at which the account is blocked.
    pub most: i32,
    /// Until when it is blocked, where it is.
    pub blocked_until: Option<Date>,
}
