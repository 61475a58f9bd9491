//! What a client says, in the terms of RFC 5730 §2.9: session commands, query commands and transform commands.

use super::{
    Address, AuthInfo, Contact, ContactRef, Disclose, DsData, KeyData, NameServers, Phone, PostalForm, PostalInfo, Properties, Role,
    RriChange, Status, StatusValue,
};
use crate::base::{DomainName, Handle, HostName, Personal, Secret};

/// Everything a client may say.
#[derive(Clone, Debug)]
pub enum Command {
    /// `<hello/>`: asks for the greeting; also keeps a session alive. No proof of a login.
    Hello,
    /// `<login>`.
    Login(Box<Login>),
    /// `<logout>`.
    Logout,
    /// `<poll op="req">`.
    PollRequest,
    /// `<poll op="ack">`: removes the message from the queue, for every client of the account.
    PollAck {
        /// The message.
        id: Box<str>,
    },
    /// A command that changes nothing.
    Query(Query),
    /// A command that changes an object.
    Transform(Box<Transform>),
}

/// The login (RFC 5730 §2.9.1.1, RFC 8807).
#[derive(Clone, Debug)]
pub struct Login {
    /// The client identifier, 3 to 16 characters.
    pub client: Box<str>,
    /// The password.
    pub password: Secret,
    /// The new password, where it is to change.
    pub new_password: Option<Secret>,
    /// The protocol version, from the greeting.
    pub version: Box<str>,
    /// The language, from the greeting.
    pub lang: Box<str>,
    /// Object services, from the greeting.
    pub objects: Vec<Box<str>>,
    /// Extension services, from the greeting.
    pub extensions: Vec<Box<str>>,
    /// RFC 8807, where the greeting offers it.
    pub security: Option<LoginSecurity>,
}

impl Login {
    /// A login of nothing but a name and a password, for languages without a greeting.
    #[must_use]
    pub fn plain(client: impl Into<Box<str>>, password: Secret) -> Self {
        Self {
            client: client.into(),
            password,
            new_password: None,
            version: "".into(),
            lang: "".into(),
            objects: Vec::new(),
            extensions: Vec::new(),
            security: None,
        }
    }
}

/// The login security extension (RFC 8807 §3.1). With it the plain password elements carry `[LOGIN-SECURITY]`.
#[derive(Clone, Debug)]
pub struct LoginSecurity {
    /// The program and its version.
    pub app: Box<str>,
    /// Its technology.
    pub tech: Box<str>,
    /// The operating system.
    pub os: Box<str>,
}

/// Which hosts a domain info asks for (RFC 5731 §3.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum HostsFilter {
    /// Delegated and subordinate ones.
    #[default]
    All,
    /// Delegated ones.
    Delegated,
    /// Subordinate ones.
    Subordinate,
    /// None.
    None,
}

impl HostsFilter {
    /// The attribute's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Delegated => "del",
            Self::Subordinate => "sub",
            Self::None => "none",
        }
    }
}

/// Which contacts an answer about a domain is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactsFilter {
    /// All of them.
    All,
    /// The registrant.
    Registrant,
    /// The administrative one.
    Admin,
    /// The technical ones.
    Tech,
}

impl ContactsFilter {
    /// All four.
    pub const ALL: [Self; 4] = [Self::All, Self::Registrant, Self::Admin, Self::Tech];

    /// The attribute's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Registrant => "registrant",
            Self::Admin => "admin",
            Self::Tech => "tech",
        }
    }
}

/// A command that changes nothing.
#[derive(Clone, Debug)]
pub enum Query {
    /// Are these handles free?
    ContactCheck(Vec<Handle>),
    /// All there is of a contact.
    ContactInfo {
        /// Its handle.
        id: Handle,
        /// Authorisation, where it is another registrar's.
        auth: Option<AuthInfo>,
    },
    /// How is the transfer of a contact going?
    ContactTransfer {
        /// Its handle.
        id: Handle,
        /// Authorisation.
        auth: Option<AuthInfo>,
    },
    /// Are these names free?
    DomainCheck(Vec<DomainName>),
    /// All there is of a domain.
    DomainInfo {
        /// Its name.
        name: DomainName,
        /// Which hosts.
        hosts: HostsFilter,
        /// Authorisation, where it is another registrar's.
        auth: Option<AuthInfo>,
    },
    /// All there is of a domain, with the contacts it names, at a registry that answers both at once (extdom `infContacts`).
    DomainContacts {
        /// Its name.
        name: DomainName,
        /// Which contacts.
        which: ContactsFilter,
    },
    /// How is the transfer of a domain going?
    DomainTransfer {
        /// Its name.
        name: DomainName,
        /// Authorisation.
        auth: Option<AuthInfo>,
    },
    /// All there is of a host.
    HostInfo(HostName),
    /// How many points for errors the account has (EURid's registrarHitPoints-1.0).
    HitPoints,
}

/// A unit of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodUnit {
    /// Years.
    Years,
    /// Months.
    Months,
}

/// A registration period: 1 to 99 units (RFC 5731 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// How many.
    pub count: u8,
    /// Of what.
    pub unit: PeriodUnit,
}

/// A command that changes an object.
#[derive(Clone, Debug)]
pub enum Transform {
    /// Creates a contact: its handle, postal info, telephone, e-mail, authInfo and disclose are sent.
    ContactCreate(Contact),
    /// Changes a contact.
    ContactUpdate(ContactUpdate),
    /// Deletes a contact.
    ContactDelete(Handle),
    /// Creates a domain.
    DomainCreate(DomainCreate),
    /// Changes a domain.
    DomainUpdate(DomainUpdate),
    /// Deletes a domain.
    DomainDelete(DomainName),
    /// Renews a domain.
    DomainRenew {
        /// Its name.
        name: DomainName,
        /// The expiry date we know of, `YYYY-MM-DD`: what keeps a renewal from happening twice.
        current_expiry: Box<str>,
        /// For how long.
        period: Option<Period>,
    },
    /// Asks for a domain's transfer to us.
    DomainTransferRequest {
        /// Its name.
        name: DomainName,
        /// For how long it is renewed thereby.
        period: Option<Period>,
        /// Authorisation.
        auth: AuthInfo,
        /// The registrant that it gets thereby, where it does.
        trade: Option<Trade>,
    },
    /// Has the registry make a domain's authorisation code, or end it (EURid's authInfo-1.1): on the line an info, in effect a change.
    DomainAuthCode {
        /// Its name.
        name: DomainName,
        /// Which of the two.
        order: AuthCodeOrder,
    },
    /// A change at a registry that replaces objects as a whole (DENIC's RRI).
    Rri(Box<RriChange>),
}

/// What becomes of an authorisation code that the registry makes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthCodeOrder {
    /// A new one is made, which holds for a time; the answer has both.
    Request,
    /// The one there is holds no longer.
    Cancel,
}

/// A change of the registrant together with a transfer (extdom `transferTrade`).
#[derive(Clone, Debug)]
pub struct Trade {
    /// The new registrant.
    pub registrant: Handle,
    /// The domain's new authorisation information.
    pub auth: Secret,
}

/// A change of a contact (RFC 5733 §3.2.4). What is absent stays as it is.
#[derive(Clone, Debug)]
pub struct ContactUpdate {
    /// The handle.
    pub id: Handle,
    /// Statuses to add.
    pub add: Vec<Status>,
    /// Statuses to remove.
    pub rem: Vec<StatusValue>,
    /// Values to replace.
    pub chg: Option<ContactChange>,
}

/// Values to replace in a contact.
#[derive(Clone, Debug, Default)]
pub struct ContactChange {
    /// Postal info, each form whole or by part.
    pub postal: Vec<PostalInfo>,
    /// Telephone; an empty number removes it.
    pub voice: Option<Phone>,
    /// Facsimile; an empty number removes it.
    pub fax: Option<Phone>,
    /// E-mail address.
    pub email: Option<Personal>,
    /// Authorisation information.
    pub auth: Option<AuthInfo>,
    /// Disclose statement.
    pub disclose: Option<Disclose>,
    /// Additional properties to set.
    pub properties: Properties,
    /// Additional properties to take away, each with the value it has: those that go, and those that are set anew, at registries which
    /// take a value away by naming it (Fury). Others replace a value by the new one, and have no use for these.
    pub removed: Properties,
}

/// A domain to create (RFC 5731 §3.2.1).
#[derive(Clone, Debug)]
pub struct DomainCreate {
    /// The name.
    pub name: DomainName,
    /// For how long.
    pub period: Option<Period>,
    /// Name servers.
    pub ns: NameServers,
    /// The registrant.
    pub registrant: Option<Handle>,
    /// The other contacts.
    pub contacts: Vec<ContactRef>,
    /// Authorisation information.
    pub auth: AuthInfo,
    /// DNSSEC data to start with.
    pub ds: DsChange,
}

/// DNSSEC data to add and remove (RFC 5910 §5.2.1, §5.2.5).
#[derive(Clone, Debug, Default)]
pub struct DsChange {
    /// Whether the change is urgent.
    pub urgent: bool,
    /// Whether everything there is goes first.
    pub remove_all: bool,
    /// DS records to remove.
    pub rem_ds: Vec<DsData>,
    /// Keys to remove.
    pub rem_keys: Vec<KeyData>,
    /// DS records to add.
    pub add_ds: Vec<DsData>,
    /// Keys to add.
    pub add_keys: Vec<KeyData>,
    /// The longest life of a signature, in seconds.
    pub max_sig_life: Option<u32>,
}

impl DsChange {
    /// Whether it changes nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.remove_all
            && self.rem_ds.is_empty()
            && self.rem_keys.is_empty()
            && self.add_ds.is_empty()
            && self.add_keys.is_empty()
            && self.max_sig_life.is_none()
    }
}

/// What is added to or removed from a domain.
#[derive(Clone, Debug, Default)]
pub struct DomainChange {
    /// Name servers.
    pub ns: NameServers,
    /// Contacts.
    pub contacts: Vec<ContactRef>,
    /// Statuses; their words are sent only where they are added.
    pub statuses: Vec<Status>,
}

impl DomainChange {
    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ns.is_empty() && self.contacts.is_empty() && self.statuses.is_empty()
    }
}

/// A change of a domain (RFC 5731 §3.2.5). What is absent stays as it is.
#[derive(Clone, Debug)]
pub struct DomainUpdate {
    /// The name.
    pub name: DomainName,
    /// What to add.
    pub add: DomainChange,
    /// What to remove.
    pub rem: DomainChange,
    /// The new registrant.
    pub registrant: Option<Handle>,
    /// New authorisation information.
    pub auth: Option<AuthInfo>,
    /// DNSSEC.
    pub ds: DsChange,
    /// Asks for a restore out of the redemption grace period (RFC 3915 §4.2.5).
    pub restore: bool,
}

impl DomainUpdate {
    /// A change of `name` that changes nothing yet.
    #[must_use]
    pub fn of(name: DomainName) -> Self {
        Self {
            name,
            add: DomainChange::default(),
            rem: DomainChange::default(),
            registrant: None,
            auth: None,
            ds: DsChange::default(),
            restore: false,
        }
    }

    /// The same change, with `handle` taking the place of `old` in `role`.
    #[must_use]
    pub fn swap_contact(mut self, role: Role, old: Handle, handle: Handle) -> Self {
        self.rem.contacts.push(ContactRef::new(role, old));
        self.add.contacts.push(ContactRef::new(role, handle));
        self
    }
}

impl ContactChange {
    /// Whether it changes additional properties and nothing else.
    #[must_use]
    pub fn is_of_properties(&self) -> bool {
        let others = self.voice.is_some() || self.fax.is_some() || self.email.is_some() || self.auth.is_some() || self.disclose.is_some();
        !(self.properties.is_empty() && self.removed.is_empty()) && self.postal.is_empty() && !others
    }

    /// Replaces the whole address of `form`.
    #[must_use]
    pub fn with_address(mut self, form: PostalForm, addr: Address) -> Self {
        match self.postal.iter_mut().find(|p| p.form == form) {
            Some(postal) => postal.addr = Some(addr),
            None => self.postal.push(PostalInfo { form, name: None, org: None, addr: Some(addr) }),
        }
        self
    }
}
