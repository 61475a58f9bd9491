//! The driver of surveys: questions to a resolver and to name servers, many domains at a time.

use super::{Delegation, Survey, plain_name};
use crate::base::{Blame, Problem, Result, StopToken};
use crate::model::{Asked, DnsLookup, DnsObservation, DnsOutcome, DnsQuestion, DnsReply};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// The resolver of the operator's, and one client for each name server that was met.
#[derive(Clone)]
pub struct Resolvers {
    resolver: TokioResolver,
    servers: Arc<Mutex<HashMap<IpAddr, TokioResolver>>>,
    port: u16,
    wait: Duration,
}

impl Resolvers {
    /// The resolver at `resolver`; name servers are asked at `port`, which is 53 but in a test, and each answer is waited for `wait` long.
    ///
    /// # Errors
    /// `E-dns-001` where no client can be made.
    pub fn new(resolver: SocketAddr, port: u16, wait: Duration) -> Result<Self> {
        let client = client(resolver, wait, true).map_err(|e| unusable(&e))?;
        Ok(Self { resolver: client, servers: Arc::default(), port, wait })
    }

    /// The client for a name server.
    fn server(&self, address: IpAddr) -> Result<TokioResolver, NetError> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = servers.get(&address) {
            return Ok(known.clone());
        }
        let new = client(SocketAddr::new(address, self.port), self.wait, false)?;
        servers.insert(address, new.clone());
        Ok(new)
    }

    /// Puts one question.
    async fn ask(&self, query: &DnsLookup) -> DnsReply {
        let client = match &query.asked {
            Asked::Resolver => Ok(self.resolver.clone()),
            Asked::Server(_, address) => self.server(*address),
        };
        let Ok(client) = client else { return DnsReply::none(DnsOutcome::Unreachable) };
        let Ok(mut name) = Name::from_ascii(&*query.name) else { return DnsReply::none(DnsOutcome::NoSuchName) };
        name.set_fqdn(true);
        let mut values = Vec::new();
        let (mut authoritative, mut failure) = (true, None);
        for kind in kinds(query.question) {
            match client.lookup(name.clone(), *kind).await {
                Ok(lookup) => {
                    authoritative &= lookup.message().metadata.authoritative;
                    values.extend(lookup.answers().iter().filter_map(|record| value(&record.data, *kind)));
                }
                Err(error) => failure = Some(outcome(&error)),
            }
        }
        match failure {
            Some(outcome) if values.is_empty() => DnsReply::none(outcome),
            _ => DnsReply::of(values, authoritative),
        }
    }

    /// Surveys one domain.
    async fn survey(self, delegation: Delegation) -> Vec<DnsObservation> {
        let mut survey = Survey::new(delegation);
        while let Some(query) = survey.poll_query() {
            let reply = self.ask(&query).await;
            survey.handle_reply(query, reply);
        }
        survey.finish()
    }
}

/// Surveys `domains`, `at_once` at a time, and hands what was seen to `take`, domain by domain in the order in which they end.
///
/// # Errors
/// Whatever `take` says; `E-dns-002` where a survey ended in a panic. A stop ends it behind what is under way, without an error.
pub async fn survey_all(
    resolvers: &Resolvers,
    domains: impl Iterator<Item = Result<Delegation>>,
    at_once: usize,
    stop: &StopToken,
    mut take: impl FnMut(Vec<DnsObservation>) -> Result<()>,
) -> Result<()> {
    let mut under_way = JoinSet::new();
    let mut domains = domains.fuse();
    loop {
        while under_way.len() < at_once.max(1)
            && !stop.is_stopped()
            && let Some(next) = domains.next()
        {
            under_way.spawn(resolvers.clone().survey(next?));
        }
        match under_way.join_next().await {
            Some(Ok(seen)) => take(seen)?,
            Some(Err(_)) => {
                return Err(Problem::new("E-dns-002", Blame::Us, "the survey of a domain ended in a panic", "report this as a bug"));
            }
            None => return Ok(()),
        }
    }
}

/// A client of one server. Nothing is cached and nothing is asked twice: an answer is an observation.
fn client(server: SocketAddr, wait: Duration, recursion: bool) -> Result<TokioResolver, NetError> {
    let mut connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = server.port();
    }
    let config = ResolverConfig::from_name_servers(vec![NameServerConfig::new(server.ip(), true, connections.to_vec())]);
    let mut options = ResolverOpts::default();
    (options.timeout, options.attempts, options.ndots) = (wait, 1, 0);
    (options.cache_size, options.recursion_desired, options.preserve_intermediates) = (0, recursion, true);
    options.use_hosts_file = ResolveHosts::Never;
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).with_options(options).build()
}

const fn kinds(question: DnsQuestion) -> &'static [RecordType] {
    match question {
        DnsQuestion::Address => &[RecordType::A, RecordType::AAAA],
        DnsQuestion::Cname => &[RecordType::CNAME],
        DnsQuestion::Soa => &[RecordType::SOA],
        DnsQuestion::Ns => &[RecordType::NS],
        DnsQuestion::Mx => &[RecordType::MX],
    }
}

/// A record's data as text, where it is of the kind that was asked for: an answer may hold aliases on the way to it.
fn value(data: &RData, kind: RecordType) -> Option<Box<str>> {
    if data.record_type() != kind {
        return None;
    }
    let name = |name: &Name| plain_name(&name.to_ascii());
    Some(match data {
        RData::A(address) => address.0.to_string().into(),
        RData::AAAA(address) => address.0.to_string().into(),
        RData::CNAME(target) => name(&target.0).into(),
        RData::NS(server) => name(&server.0).into(),
        RData::SOA(soa) => name(&soa.mname).into(),
        RData::MX(mx) => format!("{} {}", mx.preference, name(&mx.exchange)).into(),
        _ => return None,
    })
}

/// What an error means.
fn outcome(error: &NetError) -> DnsOutcome {
    let of_code = |code: ResponseCode| match code {
        ResponseCode::NoError => DnsOutcome::Empty,
        ResponseCode::NXDomain => DnsOutcome::NoSuchName,
        ResponseCode::ServFail => DnsOutcome::ServerFailure,
        ResponseCode::Refused => DnsOutcome::Refused,
        _ => DnsOutcome::OtherCode,
    };
    match error {
        NetError::Dns(DnsError::ResponseCode(code)) => of_code(*code),
        NetError::Dns(DnsError::NoRecordsFound(none)) => of_code(none.response_code),
        NetError::Timeout => DnsOutcome::TimedOut,
        _ => DnsOutcome::Unreachable,
    }
}

fn unusable(error: &NetError) -> Box<Problem> {
    Problem::new("E-dns-001", Blame::Operator, format!("no DNS client can be had: {error}"), "look at the limits of this user")
}
