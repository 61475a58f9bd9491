//! Identifiers as types, so that a handle is never taken for a domain name. Short ones, which most are, need no memory beside their own.

use compact_str::CompactString;
use std::fmt;

/// Declares an identifier: a string with a meaning.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(#[schemars(with = "String")] CompactString);

        impl $name {
            /// Takes `text` as it is.
            #[must_use]
            pub fn new(text: impl Into<CompactString>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&super::escape_controls(&self.0))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

identifier! {
    /// The operator's name for one registry account: `a-z`, `0-9` and `-`, at most 32 characters.
    RegistryId
}
identifier! {
    /// A contact's identifier at its registry (RFC 5733 `contact:id`, DENIC: handle).
    Handle
}
identifier! {
    /// A domain name in A-label form, lower case, without the final dot.
    DomainName
}
identifier! {
    /// A host name in A-label form, lower case, without the final dot.
    HostName
}
identifier! {
    /// A client transaction identifier (RFC 5730 §2.5), 3 to 64 characters.
    ClTrid
}
identifier! {
    /// A run of Privet: its start in UTC and a digest of what it was started with.
    RunId
}

impl RegistryId {
    /// The longest id.
    pub const MAX: usize = 32;

    /// Whether the id is one that may become part of a file name.
    #[must_use]
    pub fn is_valid(text: &str) -> bool {
        !text.is_empty()
            && text.len() <= Self::MAX
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
    }
}

/// One exchange with a registry within a run: the session's number in the upper, the command's in the lower 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ExchangeId(pub u64);

impl ExchangeId {
    /// The exchange `command` of session `session`.
    #[must_use]
    pub const fn new(session: u32, command: u32) -> Self {
        Self(((session as u64) << 32) | command as u64)
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}
