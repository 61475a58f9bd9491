//! Namespaces, interned: the ones we speak have constants, others get a number in the frame they stand in.

/// A namespace's number within a frame. The constants mean the same in every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ns(pub(super) u16);

/// Declares the known namespaces.
macro_rules! namespaces {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $uri:literal;)+) => {
        impl Ns {
            /// No namespace.
            pub const NONE: Self = Self(0);
            /// A prefix that nobody declared: the document is not namespace-well-formed, the element is kept all the same.
            pub const UNDECLARED: Self = Self(1);
            $($(#[$doc])* pub const $name: Self = Self($number);)+

            /// The URIs of the constants, at their numbers.
            pub(super) const KNOWN: &'static [&'static str] = &["", "", $($uri),+];
        }
    };
}

namespaces! {
    /// RFC 5730.
    EPP = 2, "urn:ietf:params:xml:ns:epp-1.0";
    /// RFC 5733.
    CONTACT = 3, "urn:ietf:params:xml:ns:contact-1.0";
    /// RFC 5731.
    DOMAIN = 4, "urn:ietf:params:xml:ns:domain-1.0";
    /// RFC 5732.
    HOST = 5, "urn:ietf:params:xml:ns:host-1.0";
    /// RFC 5910.
    SEC_DNS = 6, "urn:ietf:params:xml:ns:secDNS-1.1";
    /// RFC 3915.
    RGP = 7, "urn:ietf:params:xml:ns:rgp-1.0";
    /// RFC 8807.
    LOGIN_SEC = 8, "urn:ietf:params:xml:ns:epp:loginSec-1.0";
    /// RFC 8590.
    CHANGE_POLL = 9, "urn:ietf:params:xml:ns:changePoll-1.0";
    /// RFC 9038.
    UNHANDLED = 10, "urn:ietf:params:xml:ns:epp:unhandled-namespaces-1.0";
    /// XML Schema instance: `xsi:schemaLocation` and the like, which carry no data.
    XSI = 11, "http://www.w3.org/2001/XMLSchema-instance";
    /// The `xml:` prefix.
    XML = 12, "http://www.w3.org/XML/1998/namespace";
    /// DENIC's RRI: requests and responses.
    RRI = 13, "http://registry.denic.de/global/5.0";
    /// DENIC's RRI: results and messages.
    RRI_TRANSACTION = 14, "http://registry.denic.de/transaction/5.0";
    /// DENIC's RRI: contacts.
    RRI_CONTACT = 15, "http://registry.denic.de/contact/5.0";
    /// DENIC's RRI: domains.
    RRI_DOMAIN = 16, "http://registry.denic.de/domain/5.0";
    /// DENIC's RRI: name servers and keys.
    RRI_DNS_ENTRY = 17, "http://registry.denic.de/dnsentry/5.0";
    /// DENIC's RRI: the message queue.
    RRI_MSG = 18, "http://registry.denic.de/msg/5.0";
    /// DENIC's RRI: verification of contacts.
    RRI_VERIFICATION = 19, "http://registry.denic.de/verification/5.0";
    /// NicIT: answers.
    EXTEPP = 20, "http://www.nic.it/ITNIC-EPP/extepp-2.0";
    /// NicIT: contacts.
    EXTCON = 21, "http://www.nic.it/ITNIC-EPP/extcon-1.0";
    /// NicIT: domains.
    EXTDOM = 22, "http://www.nic.it/ITNIC-EPP/extdom-2.0";
    /// EURid: contacts.
    CONTACT_EXT_1_3 = 23, "http://www.eurid.eu/xml/epp/contact-ext-1.3";
    /// EURid: contacts.
    CONTACT_EXT_1_4 = 24, "http://www.eurid.eu/xml/epp/contact-ext-1.4";
    /// EURid: domains.
    DOMAIN_EXT_2_5 = 25, "http://www.eurid.eu/xml/epp/domain-ext-2.5";
    /// EURid: domains.
    DOMAIN_EXT_2_6 = 26, "http://www.eurid.eu/xml/epp/domain-ext-2.6";
    /// EURid: messages.
    EURID_POLL = 27, "http://www.eurid.eu/xml/epp/poll-1.2";
    /// EURid: authorisation codes.
    EURID_AUTH_INFO = 28, "http://www.eurid.eu/xml/epp/authInfo-1.1";
    /// EURid: errors of the account.
    EURID_HIT_POINTS = 29, "http://www.eurid.eu/xml/epp/registrarHitPoints-1.0";
    /// The Fury platform, .nz: properties.
    FURY_2_0 = 30, "urn:ietf:params:xml:ns:fury-2.0";
    /// The Fury platform: properties.
    FURY_2_1 = 31, "urn:ietf:params:xml:ns:fury-2.1";
    /// The type of a registration.
    REG_TYPE = 32, "urn:ietf:params:xml:ns:regtype-0.1";
}

impl Ns {
    /// The URI of a constant.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        let at = self.0 as usize;
        if at < Self::KNOWN.len() { Self::KNOWN[at] } else { "" }
    }

    /// The position among the known ones of `uri`; the versions 1.0 to 4.0 of DENIC's RRI are read as 5.0.
    pub(super) fn position(uri: &str) -> Option<usize> {
        let of = |uri: &str| Self::KNOWN.iter().skip(2).position(|known| *known == uri).map(|n| n + 2);
        of(uri).or_else(|| {
            let (name, version) = uri.strip_prefix("http://registry.denic.de/")?.split_once('/')?;
            let is_older = matches!(version, "1.0" | "2.0" | "3.0" | "4.0");
            is_older.then(|| of(&format!("http://registry.denic.de/{name}/5.0"))).flatten()
        })
    }
}
