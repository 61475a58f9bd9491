//! A row of the ledger: what a subject said, in the shape of ISO/IEC TS 27560 (header, processing, parties, event).
//!
//! Rows are chained and never change, so that nothing of a person may stand in one: subjects are random ids, words are of fixed lists,
//! and what others number is a [`Token`].

use super::subjects::Subject;
use crate::base::{Timestamp, ValueDigest};
pub use crate::model::Element;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Declares words of a fixed list.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$word_doc:meta])* $word:ident = $text:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$word_doc])* #[serde(rename = $text)] $word),+
        }

        impl $name {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];

            /// The word in files.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text),+
                }
            }

            /// The word that `text` is.
            #[must_use]
            pub fn read(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What data are to be used for.
    Purpose:
    /// The provider's data in the registrant's place.
    PrivacyProxy = "privacy-proxy",
    /// The status that keeps a domain from being transferred away.
    TransferLock = "transfer-lock",
    /// A natural person's data where everybody sees them.
    Publication = "publication",
    /// Data beyond those of the contract, given to a provider.
    ProviderData = "provider-data",
}

impl Purpose {
    /// Those that changes of objects are decided for, each as a whole. What is given to a provider is decided group by group.
    pub const OF_CHANGES: &'static [Self] = &[Self::PrivacyProxy, Self::TransferLock, Self::Publication];
}

words! {
    /// What happened.
    Happening:
    /// The subject was asked.
    Requested = "requested",
    /// The subject consents (GDPR Art. 6(1)(a)).
    Given = "given",
    /// The subject does not.
    Refused = "refused",
    /// The subject takes back what it consented to or accepted (Art. 7(3)).
    Withdrawn = "withdrawn",
    /// A consent that holds goes on.
    Renewed = "renewed",
    /// The subject accepted terms of service that cover the purpose: evidence of a contract (Art. 6(1)(b)), and no consent.
    TermsAccepted = "terms-accepted",
    /// The subject restricts processing (Art. 18).
    Restricted = "restricted",
    /// It does so no more.
    RestrictionLifted = "restriction-lifted",
    /// The subject objects (Art. 21).
    Objected = "objected",
    /// It does so no more.
    ObjectionLifted = "objection-lifted",
}

impl Happening {
    /// Whether it may be about every purpose at once.
    #[must_use]
    pub const fn may_be_of_all(self) -> bool {
        matches!(self, Self::Restricted | Self::RestrictionLifted | Self::Objected | Self::ObjectionLifted)
    }

    /// Whether something rests on it that may end.
    #[must_use]
    pub const fn is_ground(self) -> bool {
        matches!(self, Self::Given | Self::Renewed | Self::TermsAccepted)
    }
}

words! {
    /// How it was said.
    Method:
    /// On a page.
    Page = "page",
    /// Through an interface for programs.
    Api = "api",
    /// By ticking or signing terms of service.
    Terms = "terms",
    /// By e-mail.
    Email = "email",
    /// On the telephone.
    Phone = "phone",
    /// On paper.
    Paper = "paper",
}

words! {
    /// Who said it.
    Actor:
    /// The subject itself.
    Registrant = "registrant",
    /// Somebody with power to act for it.
    Representative = "representative",
    /// The reseller.
    Reseller = "reseller",
    /// The registrar.
    Registrar = "registrar",
    /// A registry, or an authority.
    Authority = "authority",
}

/// A number or a version that somebody gave: 1 to 64 of `A-Z`, `a-z`, `0-9`, `.`, `_`, `:`, `/`, `+` and `-`. An address is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String")]
pub struct Token(Box<str>);

impl Token {
    /// The most characters.
    pub const MAX: usize = 64;

    /// Takes `text` where it is one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'/' | b'+' | b'-');
        (!text.is_empty() && text.len() <= Self::MAX && text.bytes().all(fits)).then(|| Self(text.into()))
    }

    /// What stands where no token is yet.
    pub(super) fn none() -> Self {
        Self("-".into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Token {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::read(&text).ok_or("no token")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The notice that the subject was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Its name.
    pub id: Token,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Token>,
    /// The language it was in (BCP 47).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Token>,
    /// The digest of its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Token>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The version of this form: 1.
    pub v: u8,
    /// The event's own id, unique in the ledger.
    pub id: Token,
    /// Whose.
    #[schemars(with = "String")]
    pub subject: Subject,
    /// For what; nothing for all purposes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// Which data, sorted; all of them where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elements: Vec<Element>,
    /// Which provider is given the data; nothing for every one, or where the purpose has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Token>,
    /// Which group of data; nothing for every group of the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Token>,
    /// What happened.
    pub event: Happening,
    /// When.
    pub at: Timestamp,
    /// Until when it holds: at that time it does no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The version of the terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Token>,
    /// What the subject was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
    /// How it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Who said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// The digest of the id of the message it came in, under the subject's salt; the id itself is sealed and goes with the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub message: Option<ValueDigest>,
    /// When the ledger took it.
    pub recorded: Timestamp,
}

impl Record {
    /// The version of the form.
    pub const VERSION: u8 = 1;

    /// Its bytes.
    #[must_use]
    pub fn to_row(&self) -> Box<[u8]> {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// The record in a row.
    ///
    /// # Errors
    /// What is wrong with it, where it is none.
    pub fn from_row(row: &[u8]) -> Result<Self, String> {
        let record: Self = serde_json::from_slice(row).map_err(|e| e.to_string())?;
        if record.v == Self::VERSION { Ok(record) } else { Err(format!("it has version {}, known is {}", record.v, Self::VERSION)) }
    }

    /// Whether both tell the same, whenever they were taken.
    #[must_use]
    pub fn tells_the_same(&self, other: &Self) -> bool {
        let taken_together = Self { recorded: self.recorded, ..other.clone() };
        *self == taken_together
    }
}
