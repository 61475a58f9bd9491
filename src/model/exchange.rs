//! The facts of an exchange, a session and a line: the evidence reports rest on. No contents, no personal data.

use super::{Date, ResultCode};
use crate::base::{ClTrid, Digest, ExchangeId, Timestamp};
use std::sync::Arc;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A contact.
    Contact,
    /// A domain.
    Domain,
}

impl ObjectKind {
    /// Both, in the order they are reported.
    pub const ALL: [Self; 2] = [Self::Contact, Self::Domain];

    /// The word in tables and file names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Domain => "domain",
        }
    }
}

/// What was offered and agreed on a TLS connection.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct TlsFacts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: Box<str>,
    /// The cipher suite.
    pub cipher: Box<str>,
    /// The key exchange group.
    pub group: Box<str>,
    /// The certificates of both sides, the registry's first.
    pub certificates: Vec<CertificateFacts>,
}

/// What a certificate states.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct CertificateFacts {
    /// Whose: `registry`, `ours`, `ca`.
    pub whose: Box<str>,
    /// The subject.
    pub subject: Box<str>,
    /// Subject alternative names.
    pub names: Vec<Box<str>>,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// SHA-256 of the certificate, first 16 bytes in hexadecimal.
    pub fingerprint: Box<str>,
}

/// A registry's greeting (RFC 5730 §2.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Greeting {
    /// The server's name.
    pub server: Box<str>,
    /// Its clock.
    pub date: Option<Date>,
    /// Protocol versions: none, one or several.
    pub versions: Vec<Box<str>>,
    /// Languages.
    pub langs: Vec<Box<str>>,
    /// Object services, as sent.
    pub objects: Vec<Box<str>>,
    /// Extension services, as sent.
    pub extensions: Vec<Box<str>>,
    /// Whether it states a data collection policy.
    pub has_dcp: bool,
}

/// One exchange: a command and what came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeFacts {
    /// Its id in the run.
    pub id: ExchangeId,
    /// The command's name, `contact:info` and the like.
    pub command: &'static str,
    /// Our transaction identifier.
    pub cl_trid: Option<ClTrid>,
    /// The registry's.
    pub sv_trid: Option<Box<str>>,
    /// The result code, where an answer came.
    pub code: Option<ResultCode>,
    /// When the command was handed to the line.
    pub sent: Timestamp,
    /// When the answer was complete, or the fault known.
    pub received: Timestamp,
    /// Bytes of the command's frame.
    pub bytes_out: u32,
    /// Bytes of the answer's frame.
    pub bytes_in: u32,
    /// The digest of the answer's frame.
    pub digest: Option<Digest>,
    /// Names of the elements present in the answer, sorted, joined by blanks.
    pub elements: Arc<str>,
}
