//! What name servers say of a domain, question by question.

use crate::base::{DomainName, HostName, Timestamp};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The most name servers of one domain that are asked.
const MOST_SERVERS: usize = 16;

/// A name server as a domain's row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegatedServer {
    /// Its place in the row, from 1.
    pub at: usize,
    /// Its name.
    pub host: HostName,
    /// The addresses that the registry was told.
    pub addresses: BTreeSet<IpAddr>,
}

/// A domain and the name servers it is delegated to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The domain, as its row has it.
    pub domain: DomainName,
    /// Its name servers in the order of the row, each once.
    pub servers: Vec<DelegatedServer>,
}

impl Delegation {
    /// What the column `ns` of a domain's row says: `host;host=address,address`. What is no address is left out; a rule of its own tells
    /// of it.
    #[must_use]
    pub fn read(domain: &str, ns: &str) -> Self {
        let mut servers: Vec<DelegatedServer> = Vec::new();
        let named = ns.split(';').map(str::trim).filter(|server| !server.is_empty());
        for (n, server) in named.take(MOST_SERVERS).enumerate() {
            let (host, addresses) = server.split_once('=').unwrap_or((server, ""));
            let host = HostName::new(plain_name(host));
            let addresses = addresses.split(',').filter_map(|address| address.trim().parse::<IpAddr>().ok());
            match servers.iter_mut().find(|known| known.host == host) {
                Some(known) => known.addresses.extend(addresses),
                None => servers.push(DelegatedServer { at: n + 1, host, addresses: addresses.collect() }),
            }
        }
        Self { domain: DomainName::new(domain), servers }
    }
}

/// A name as it is asked for and compared: lower case, without the root's dot.
#[must_use]
pub fn plain_name(name: &str) -> String {
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

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
    /// Whether the server spoke with authority (the bit AA); told where the name is there, with records or without.
    pub authoritative: Option<bool>,
    /// The records' data, sorted: addresses, names in lower case, without the root's dot unless they are the root; of a SOA the master, of
    /// an MX the target behind its preference. Where one of two kinds of record was told and the other was not, the outcome is that of the
    /// other.
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

/// Everything that was seen of one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsSeen {
    /// When the last of it came.
    pub at: Timestamp,
    /// Question by question.
    pub all: Vec<DnsObservation>,
}
