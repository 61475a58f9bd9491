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
