//! The words all other layers share: objects, commands, outcomes and the facts of an exchange. No I/O, no XML, no policy.

mod command;
mod contact;
mod date;
mod domain;
mod exchange;
mod extension;
mod host;
mod outcome;
mod properties;
mod rri;
mod status;

pub use command::{
    Command, ContactChange, ContactUpdate, DomainChange, DomainCreate, DomainUpdate, DsChange, HostsFilter, Login, LoginSecurity, Period,
    PeriodUnit, Query, Transform,
};
pub use contact::{Address, AuthInfo, Contact, Disclose, DiscloseForms, Phone, PostalForm, PostalInfo};
pub use date::Date;
pub use domain::{ContactRef, Domain, HostAttr, Ip, IpVersion, NameServers, Role};
pub use exchange::{CertificateFacts, ExchangeFacts, Greeting, ObjectKind, TlsFacts};
pub use extension::{ChangePoll, DsData, Extension, KeyData, LoginEvent, RgpInfo, SecDnsInfo, Unhandled};
pub use host::Host;
pub use outcome::{CheckItem, Class, ExtValue, PendingData, Queue, ResData, Response, ResultCode, ResultItem, TransferData, Unknown};
pub use properties::Properties;
pub use rri::{
    NsEntry, NsEntryData, RriAnswer, RriChange, RriClass, RriCode, RriContact, RriDomain, RriKind, RriMessage, RriObject, Verification,
};
pub use status::{Status, StatusValue};
