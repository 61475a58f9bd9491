//! The vocabulary as data: each field with its keyword and its place in the XML form.

use crate::protocol::ns::Ns;

/// What a sheet is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// User and password.
    Login,
    /// A contact.
    Contact,
    /// A domain.
    Domain,
    /// A message of the queue.
    Message,
    /// A verification of a contact.
    Verification,
}

/// A field, by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    User,
    Password,
    Handle,
    Type,
    Name,
    Organisation,
    Address,
    PostalCode,
    City,
    CountryCode,
    Email,
    Phone,
    UriTemplate,
    Changed,
    Provider,
    Status,
    Domain,
    Ace,
    Holder,
    GeneralRequest,
    AbuseContact,
    NameServer,
    Dnssec,
    NsEntry,
    RegistryLock,
    AuthHash,
    AuthExpire,
    MsgId,
    MsgTime,
    MsgType,
    Claim,
    Result,
    Reference,
    Timestamp,
    Evidence,
    Method,
    Framework,
}

/// Where a field stands in the XML form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A child of the object's element.
    Child,
    /// A child of `contact:postal`.
    Postal,
    /// A `domain:contact` in that role.
    Role(&'static str),
    /// An attribute of the object's element.
    Attribute,
    /// A `dnsentry:dnsentry`.
    Entry,
}

/// A field of the vocabulary.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) key: Key,
    /// The keyword of the key/value form.
    pub(super) keyword: &'static str,
    /// The element, with its usual prefix, or the attribute.
    pub(super) xml: &'static str,
    pub(super) ns: Ns,
    pub(super) place: Place,
    /// The most characters.
    pub(super) most: usize,
}

impl Word {
    /// The element's or attribute's local name.
    pub(super) fn local(&self) -> &'static str {
        self.xml.split_once(':').map_or(self.xml, |(_, local)| local)
    }
}

/// The longest line of a contact.
const LINE: usize = 255;
/// The most characters of anything without a limit of its own.
const ANY: usize = 4096;

const fn word(key: Key, keyword: &'static str, ns: Ns, xml: &'static str, place: Place, most: usize) -> Word {
    Word { key, keyword, xml, ns, place, most }
}

const LOGIN: &[Word] =
    &[word(Key::User, "User", Ns::RRI, "user", Place::Child, 32), word(Key::Password, "Password", Ns::RRI, "password", Place::Child, LINE)];

/// In the order of the schema.
const CONTACT: &[Word] = &[
    word(Key::Handle, "Handle", Ns::RRI_CONTACT, "contact:handle", Place::Child, 32),
    word(Key::Status, "Status", Ns::RRI_CONTACT, "contact:status", Place::Child, LINE),
    word(Key::Type, "Type", Ns::RRI_CONTACT, "contact:type", Place::Child, 16),
    word(Key::Name, "Name", Ns::RRI_CONTACT, "contact:name", Place::Child, LINE),
    word(Key::Organisation, "Organisation", Ns::RRI_CONTACT, "contact:organisation", Place::Child, LINE),
    word(Key::Address, "Address", Ns::RRI_CONTACT, "contact:address", Place::Postal, LINE),
    word(Key::PostalCode, "PostalCode", Ns::RRI_CONTACT, "contact:postalCode", Place::Postal, 20),
    word(Key::City, "City", Ns::RRI_CONTACT, "contact:city", Place::Postal, LINE),
    word(Key::CountryCode, "CountryCode", Ns::RRI_CONTACT, "contact:countryCode", Place::Postal, 2),
    word(Key::Email, "EMail", Ns::RRI_CONTACT, "contact:email", Place::Child, LINE),
    word(Key::Phone, "Phone", Ns::RRI_CONTACT, "contact:phone", Place::Child, LINE),
    word(Key::UriTemplate, "URI-Template", Ns::RRI_CONTACT, "contact:uri-template", Place::Child, 1024),
    word(Key::Changed, "Changed", Ns::RRI_CONTACT, "contact:changed", Place::Child, LINE),
    word(Key::Provider, "RegAccId", Ns::RRI_CONTACT, "contact:regAccId", Place::Child, LINE),
];

const DOMAIN: &[Word] = &[
    word(Key::AuthHash, "AuthInfoHash", Ns::NONE, "hash", Place::Attribute, 64),
    word(Key::AuthExpire, "AuthInfoExpire", Ns::NONE, "expire", Place::Attribute, 8),
    word(Key::Domain, "Domain", Ns::RRI_DOMAIN, "domain:handle", Place::Child, 66),
    word(Key::Ace, "Domain-Ace", Ns::RRI_DOMAIN, "domain:ace", Place::Child, 255),
    word(Key::Status, "Status", Ns::RRI_DOMAIN, "domain:status", Place::Child, LINE),
    word(Key::Holder, "Holder", Ns::RRI_DOMAIN, "domain:contact", Place::Role("holder"), 32),
    word(Key::GeneralRequest, "GeneralRequest", Ns::RRI_DOMAIN, "domain:contact", Place::Role("generalrequest"), 32),
    word(Key::AbuseContact, "AbuseContact", Ns::RRI_DOMAIN, "domain:contact", Place::Role("abusecontact"), 32),
    word(Key::NameServer, "Nserver", Ns::RRI_DNS_ENTRY, "dnsentry:dnsentry", Place::Entry, ANY),
    word(Key::Dnssec, "Dnskey", Ns::RRI_DNS_ENTRY, "dnsentry:dnsentry", Place::Entry, ANY),
    word(Key::NsEntry, "NSentry", Ns::RRI_DNS_ENTRY, "dnsentry:dnsentry", Place::Entry, ANY),
    word(Key::RegistryLock, "RegistryLock", Ns::RRI_DOMAIN, "domain:registryLock", Place::Child, 8),
    // In an answer; the one of a request is an attribute.
    word(Key::AuthExpire, "AuthInfoExpire", Ns::RRI_DOMAIN, "domain:authInfo1Expire", Place::Child, 8),
    word(Key::Provider, "RegAccId", Ns::RRI_DOMAIN, "domain:regAccId", Place::Child, LINE),
    word(Key::Changed, "Changed", Ns::RRI_DOMAIN, "domain:changed", Place::Child, LINE),
];

const MESSAGE: &[Word] = &[
    word(Key::MsgId, "MsgId", Ns::NONE, "msgid", Place::Attribute, LINE),
    word(Key::MsgTime, "MsgTime", Ns::NONE, "msgtime", Place::Attribute, LINE),
    word(Key::MsgType, "MsgType", Ns::NONE, "msgtype", Place::Attribute, LINE),
];

const VERIFICATION: &[Word] = &[
    word(Key::Claim, "VerifiedClaim", Ns::RRI_VERIFICATION, "verification:verifiedClaim", Place::Child, LINE),
    word(Key::Result, "VerificationResult", Ns::RRI_VERIFICATION, "verification:verificationResult", Place::Child, LINE),
    word(Key::Reference, "VerificationReference", Ns::RRI_VERIFICATION, "verification:verificationReference", Place::Child, LINE),
    word(Key::Timestamp, "VerificationTimestamp", Ns::RRI_VERIFICATION, "verification:verificationTimestamp", Place::Child, LINE),
    word(Key::Evidence, "VerificationEvidence", Ns::RRI_VERIFICATION, "verification:verificationEvidence", Place::Child, LINE),
    word(Key::Method, "VerificationMethod", Ns::RRI_VERIFICATION, "verification:verificationMethod", Place::Child, LINE),
    word(Key::Framework, "TrustFramework", Ns::RRI_VERIFICATION, "verification:trustFramework", Place::Child, LINE),
];

impl Kind {
    /// Its fields, in the order of the schema.
    pub(super) const fn words(self) -> &'static [Word] {
        match self {
            Self::Login => LOGIN,
            Self::Contact => CONTACT,
            Self::Domain => DOMAIN,
            Self::Message => MESSAGE,
            Self::Verification => VERIFICATION,
        }
    }

    /// Its field with that meaning.
    pub(super) fn word(self, key: Key) -> Option<&'static Word> {
        self.words().iter().find(|w| w.key == key)
    }

    /// Its field with that keyword, whatever the case and the hyphens.
    pub(super) fn keyword(self, keyword: &str) -> Option<&'static Word> {
        self.words().iter().find(|w| same(w.keyword, keyword))
    }
}

/// Whether two words are one, but for their case and hyphens: `General-Request` and `GENERALREQUEST`.
pub(super) fn same(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.bytes().filter(|b| *b != b'-').map(|b| b.to_ascii_lowercase()).collect::<Vec<_>>();
    one.eq_ignore_ascii_case(other) || (one.len().abs_diff(other.len()) <= 2 && plain(one) == plain(other))
}
