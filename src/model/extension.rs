//! Typed extensions of responses: secDNS-1.1, rgp-1.0, loginSec-1.0, changePoll-1.0, RFC 9038, and what single registries add.

use super::{
    Credit, Date, DnsCheck, LinkedContact, LostDelegation, NameServersToCheck, NamespaceReminder, PollData, Refund, Remapped, RriAnswer,
    StatusChange, Unknown,
};
use crate::base::DomainName;

/// An extension in a response that a type knows.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Extension {
    /// secDNS-1.1 `infData` (RFC 5910).
    SecDns(SecDnsInfo),
    /// rgp-1.0 `infData` or `upData` (RFC 3915).
    Rgp(RgpInfo),
    /// loginSec-1.0 `loginSecData` (RFC 8807).
    LoginSecurity(Vec<LoginEvent>),
    /// changePoll-1.0 `changeData` (RFC 8590).
    ChangePoll(ChangePoll),
    /// extepp-2.0 `creditMsgData`.
    Credit(Credit),
    /// extepp-2.0 `passwdReminder`: when the password ends.
    PasswordExpires(Date),
    /// extepp-2.0 `wrongNamespaceReminder`.
    WrongNamespaces(Vec<NamespaceReminder>),
    /// extdom-2.0 `chgStatusMsgData`.
    StatusChange(StatusChange),
    /// extdom-2.0 `simpleMsgData`: the domain that the message is about.
    About(DomainName),
    /// extdom-2.0 `dlgMsgData`.
    LostDelegation(LostDelegation),
    /// extdom-2.0 `dnsErrorMsgData` or `dnsWarningMsgData`.
    DnsCheck(Box<DnsCheck>),
    /// extdom-2.0 `delayedDebitAndRefundMsgData` or `refundRenewsForBulkTransferMsgData`.
    Refund(Refund),
    /// extdom-2.0 `remappedIdnData`.
    Remapped(Remapped),
    /// extdom-2.0 `infContactsData`.
    LinkedContacts(Vec<LinkedContact>),
    /// extdom-2.0 `infNsToValidateData`.
    NameServersToCheck(NameServersToCheck),
    /// EURid's poll-1.2 `pollData`.
    PollData(PollData),
    /// EURid's authInfo-1.1 `infData`: until when the authorisation code in the same answer holds.
    AuthInfoUntil(Date),
    /// An answer of DENIC's RRI.
    Rri(Box<RriAnswer>),
}

/// A DS record (RFC 5910 §4.1).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct DsData {
    /// Key tag.
    pub key_tag: u16,
    /// DNSSEC algorithm number.
    pub alg: u8,
    /// Digest type.
    pub digest_type: u8,
    /// Digest, upper-case hexadecimal.
    pub digest: Box<str>,
    /// The key it was made from.
    pub key: Option<KeyData>,
}

/// A DNSKEY (RFC 5910 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct KeyData {
    /// Flags.
    pub flags: u16,
    /// Protocol, always 3.
    pub protocol: u8,
    /// DNSSEC algorithm number.
    pub alg: u8,
    /// The public key in base64.
    pub public_key: Box<str>,
}

/// What a registry holds of a domain's DNSSEC.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct SecDnsInfo {
    /// The longest life of a signature, in seconds.
    pub max_sig_life: Option<u32>,
    /// DS records.
    pub ds: Vec<DsData>,
    /// Keys, at registries which make the DS records themselves.
    pub keys: Vec<KeyData>,
}

/// Statuses of the redemption grace period (RFC 3915 §3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct RgpInfo {
    /// The values, as sent.
    pub statuses: Vec<Box<str>>,
}

/// Something the registry wants known about our login (RFC 8807 §4.1).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct LoginEvent {
    /// `password`, `certificate`, `cipher`, `tlsProtocol`, `newPW`, `stat`, `custom`.
    pub kind: Box<str>,
    /// A name, where `kind` is `stat` or `custom`.
    pub name: Option<Box<str>>,
    /// `warning` or `error`.
    pub level: Box<str>,
    /// When something expires.
    pub ex_date: Option<Date>,
    /// The value the event is about.
    pub value: Option<Box<str>>,
    /// The period a statistic covers, as sent.
    pub duration: Option<Box<str>>,
    /// The registry's words.
    pub text: Box<str>,
}

/// A change the registry or somebody else made (RFC 8590 §3.1).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ChangePoll {
    /// `before` or `after` the change.
    pub state: Box<str>,
    /// The operation, with its sub-operation.
    pub operation: Box<str>,
    /// The attribute `op` of the operation.
    pub sub_operation: Option<Box<str>>,
    /// When.
    pub date: Option<Date>,
    /// The server's transaction identifier of it.
    pub sv_trid: Box<str>,
    /// Who.
    pub who: Box<str>,
    /// The case it belongs to, with its kind.
    pub case: Option<(Box<str>, Box<str>)>,
    /// Why.
    pub reason: Option<Box<str>>,
}

/// A part of an answer in a namespace which our login did not name, moved into `extValue` by RFC 9038.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Unhandled {
    /// The namespace, as the reason states it.
    pub namespace: Box<str>,
    /// What it held.
    pub content: Vec<Unknown>,
    /// The domain that an unhandled infData is about, where it can be told.
    pub about: Option<DomainName>,
}
