//! What name servers say of a domain, question by question.

use crate::base::{DomainName, HostName};
use std::net::IpAddr;

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DnsQuestion {
    /// Addresses of a name (RFC 1035 §3.4.1, RFC 3596 §2.1).
    Address,
    /// Whether a name is an alias (RFC 1034 §3.6.2).
    Cname,
    /// The start of authority of a zone (RFC 1035 §3.3.13).
    Soa,
    /// The name servers of a zone.
    Ns,
    /// The mail exchanges of a zone.
    Mx,
}

impl DnsQuestion {
    /// Every question.
    pub const ALL: [Self; 5] = [Self::Address, Self::Cname, Self::Soa, Self::Ns, Self::Mx];

    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Cname => "cname",
            Self::Soa => "soa",
            Self::Ns => "ns",
            Self::Mx => "mx",
        }
    }

    /// The question of that word.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|question| question.as_str() == text)
    }
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DnsOutcome {
    /// Records.
    Answered,
    /// The name is there, such a record is not (NODATA, RFC 2308 §2.2).
    Empty,
    /// There is no such name (NXDOMAIN).
    NoSuchName,
    /// The server failed (SERVFAIL).
    ServerFailure,
    /// The server refused (REFUSED).
    Refused,
    /// Another response code (RFC 6895 §2.3).
    OtherCode,
    /// Nothing came in time.
    TimedOut,
    /// The server could not be reached, or what came could not be read.
    Unreachable,
}

impl DnsOutcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Answered,
        Self::Empty,
        Self::NoSuchName,
        Self::ServerFailure,
        Self::Refused,
        Self::OtherCode,
        Self::TimedOut,
        Self::Unreachable,
    ];

    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Empty => "empty",
            Self::NoSuchName => "nxdomain",
            Self::ServerFailure => "servfail",
            Self::Refused => "refused",
            Self::OtherCode => "other_code",
            Self::TimedOut => "timeout",
            Self::Unreachable => "unreachable",
        }
    }

    /// The outcome of that word.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// Whom a question was put to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    /// The resolver the operator named.
    Resolver,
    /// A name server, at one of its addresses.
    Server(HostName, IpAddr),
}

/// One question about a domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsLookup {
    /// Whom.
    pub asked: Asked,
    /// What.
    pub question: DnsQuestion,
    /// Of which name.
    pub name: Box<str>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsReply {
    /// What came.
    pub outcome: DnsOutcome,
    /// Whether the server spoke with authority (the bit AA); told with records alone.
    pub authoritative: Option<bool>,
    /// The records' data, sorted: addresses, names in lower case without the root's dot; of a SOA the master, of an MX the target behind
    /// its preference.
    pub values: Vec<Box<str>>,
}

impl DnsReply {
    /// A reply without records.
    #[must_use]
    pub const fn none(outcome: DnsOutcome) -> Self {
        Self { outcome, authoritative: None, values: Vec::new() }
    }
}

/// What one name server, or the resolver, said of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsObservation {
    /// The domain.
    pub domain: DomainName,
    /// The question.
    pub query: DnsLookup,
    /// What came of it.
    pub reply: DnsReply,
}
