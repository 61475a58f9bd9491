//! The words all other layers share: objects, commands, outcomes and the facts of an exchange. No I/O, no XML, no policy.

mod command;
mod contact;
mod date;
mod dns;
mod domain;
mod element;
mod exchange;
mod extension;
mod finding;
mod host;
pub mod italian;
mod notice;
mod outcome;
mod properties;
mod rri;
mod status;

pub use command::{
    AuthCodeOrder, Command, ContactChange, ContactUpdate, ContactsFilter, DomainChange, DomainCreate, DomainUpdate, DsChange, HostsFilter,
    Login, LoginSecurity, Period, PeriodUnit, Query, Trade, Transform,
};
pub use contact::{Address, AuthInfo, Contact, Disclose, DiscloseForms, Phone, PostalForm, PostalInfo};
pub use date::Date;
pub use dns::{Asked, DelegatedServer, Delegation, DnsLookup, DnsObservation, DnsOutcome, DnsQuestion, DnsReply, DnsSeen, plain_name};
pub use domain::{ContactRef, Domain, HostAttr, Ip, IpVersion, NameServers, Role};
pub use element::Element;
pub use exchange::{CertificateFacts, ExchangeFacts, Greeting, ObjectKind, TlsFacts};
pub use extension::{ChangePoll, DsData, Extension, KeyData, LoginEvent, RgpInfo, SecDnsInfo, Unhandled};
pub use finding::{Answer, Confidence, Finding, FindingSeverity};
pub use host::Host;
pub use notice::{
    CheckedServer, Credit, DnsCheck, DnsQuery, DnsTest, HitPoints, LinkedContact, LostDelegation, NameServersToCheck, NamespaceReminder,
    PollData, Refund, Remapped, StatusChange, TargetStatus, TestedServer,
};
pub use outcome::{
    CheckItem, Class, ExtValue, Offender, PendingData, Queue, ResData, Response, ResultCode, ResultItem, TransferData, Unknown,
};
pub use properties::Properties;
pub use rri::{
    NsEntry, NsEntryData, RriAnswer, RriChange, RriClass, RriCode, RriContact, RriDomain, RriKind, RriMessage, RriObject, Verification,
};
pub use status::{Status, StatusValue};
