//! Statuses of RFC 5731 §2.3, RFC 5732 §2.3 and RFC 5733 §2.2, and whatever else a registry sends.

use std::borrow::Cow;

/// A status value. The known ones are constants; an unknown one survives as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct StatusValue(Cow<'static, str>);

/// Declares the known values.
macro_rules! statuses {
    ($($name:ident = $text:literal),+ $(,)?) => {
        impl StatusValue {
            $(#[doc = concat!("`", $text, "`")] pub const $name: Self = Self(Cow::Borrowed($text));)+

            /// Every value the RFCs know, in alphabetical order.
            pub const KNOWN: &'static [Self] = &[$(Self::$name),+];
        }
    };
}

statuses! {
    CLIENT_DELETE_PROHIBITED = "clientDeleteProhibited",
    CLIENT_HOLD = "clientHold",
    CLIENT_RENEW_PROHIBITED = "clientRenewProhibited",
    CLIENT_TRANSFER_PROHIBITED = "clientTransferProhibited",
    CLIENT_UPDATE_PROHIBITED = "clientUpdateProhibited",
    INACTIVE = "inactive",
    LINKED = "linked",
    OK = "ok",
    PENDING_CREATE = "pendingCreate",
    PENDING_DELETE = "pendingDelete",
    PENDING_RENEW = "pendingRenew",
    PENDING_TRANSFER = "pendingTransfer",
    PENDING_UPDATE = "pendingUpdate",
    SERVER_DELETE_PROHIBITED = "serverDeleteProhibited",
    SERVER_HOLD = "serverHold",
    SERVER_RENEW_PROHIBITED = "serverRenewProhibited",
    SERVER_TRANSFER_PROHIBITED = "serverTransferProhibited",
    SERVER_UPDATE_PROHIBITED = "serverUpdateProhibited",
}

impl StatusValue {
    /// Reads a value; a known one costs no memory.
    #[must_use]
    pub fn read(text: &str) -> Self {
        match Self::KNOWN.binary_search_by(|known| known.as_str().cmp(text)) {
            Ok(at) => Self::KNOWN.get(at).cloned().unwrap_or(Self::OK),
            Err(_) => Self(Cow::Owned(text.to_owned())),
        }
    }

    /// The text on the line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the RFCs know it.
    #[must_use]
    pub fn is_known(&self) -> bool {
        Self::KNOWN.contains(self)
    }

    /// Whether a client may set it (RFC 5731 §2.3: the `client` prefix).
    #[must_use]
    pub fn is_client(&self) -> bool {
        self.0.starts_with("client")
    }
}

/// A status of an object, with the registry's or the client's words on it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Status {
    /// Which.
    pub value: StatusValue,
    /// The language of the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<Box<str>>,
    /// The words, most often none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Box<str>>,
}

impl From<StatusValue> for Status {
    fn from(value: StatusValue) -> Self {
        Self { value, lang: None, text: None }
    }
}
