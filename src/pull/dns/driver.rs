//! The driver of surveys: questions to a resolver and to name servers, many domains at a time.
//!
//! Each question is one message of its own from a socket of its own; nothing is cached, no alias is followed and no answer is smoothed
//! over, since each is an observation.

use super::Survey;
use crate::base::{Blame, Problem, Result, StopToken};
use crate::model::{Asked, Delegation, DnsLookup, DnsObservation, DnsOutcome, DnsQuestion, DnsReply};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::xfer::{DnsRequestSender as _, FirstAnswer as _};
use hickory_resolver::net::{DnsHandle as _, NetError};
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, Message, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;

/// How often a datagram is sent before its answer is given up.
const DATAGRAMS: u8 = 3;

/// Whom questions are put to.
#[derive(Clone)]
pub struct Resolvers {
    resolver: SocketAddr,
    port: u16,
    wait: Duration,
    provider: TokioRuntimeProvider,
}

impl Resolvers {
    /// The resolver at `resolver`; name servers are asked at `port`, which is 53 but in a test, and each answer is waited for `wait` long.
    #[must_use]
    pub fn new(resolver: SocketAddr, port: u16, wait: Duration) -> Self {
        Self { resolver, port, wait, provider: TokioRuntimeProvider::default() }
    }

    /// Whether the resolver says anything at all.
    ///
    /// # Errors
    /// `E-dns-001` where it does not.
    pub async fn probe(&self) -> Result<()> {
        let answer = self.exchange(self.resolver, true, &Name::root(), RecordType::NS).await;
        answer.map(drop).map_err(|error| {
            let what = format!("the resolver {} gave no answer: {error}", self.resolver);
            let remedy = "name one that this machine may ask: `[dns] resolver` in the configuration, or --resolver";
            Problem::new("E-dns-001", Blame::Operator, what, remedy).exit(crate::base::Exit::Unreachable)
        })
    }

    /// Puts one question.
    async fn ask(&self, query: &DnsLookup) -> DnsReply {
        let (whom, recursive) = match &query.asked {
            Asked::Resolver => (self.resolver, true),
            Asked::Server(_, address) => (SocketAddr::new(*address, self.port), false),
        };
        let Ok(mut name) = Name::from_ascii(&*query.name) else { return DnsReply::none(DnsOutcome::NoSuchName) };
        name.set_fqdn(true);
        let mut values = Vec::new();
        let (mut authoritative, mut failure) = (true, None);
        for kind in kinds(query.question) {
            match self.exchange(whom, recursive, &name, *kind).await {
                Ok(message) => {
                    failure = failure.or(failed(message.metadata.response_code));
                    authoritative &= message.metadata.authoritative;
                    // Addresses may stand behind aliases on the way to them; everything else is the name's own.
                    let own = |of: &Name| query.question == DnsQuestion::Address || *of == name;
                    values.extend(message.answers.iter().filter(|r| own(&r.name)).filter_map(|r| value(&r.data, *kind)));
                }
                Err(NetError::Timeout) => failure = failure.or(Some(DnsOutcome::TimedOut)),
                Err(_) => failure = failure.or(Some(DnsOutcome::Unreachable)),
            }
        }
        let reply = DnsReply::of(values, authoritative);
        match failure {
            Some(outcome) => DnsReply { outcome, authoritative: None, ..reply },
            None => reply,
        }
    }

    /// One question and its answer, over TCP where it does not fit into a datagram. EDNS is not spoken: not every server knows it.
    async fn exchange(&self, whom: SocketAddr, recursive: bool, name: &Name, kind: RecordType) -> Result<Message, NetError> {
        let mut options = DnsRequestOptions::default();
        (options.use_edns, options.recursion_desired, options.retry_interval) = (false, recursive, self.wait / u32::from(DATAGRAMS));
        let request = DnsRequest::from_query(Query::query(name.clone(), kind), options);
        let datagrams = UdpClientStream::builder(whom, self.provider.clone()).with_timeout(Some(self.wait)).with_max_retries(DATAGRAMS);
        let answer = datagrams.build().send_message(request.clone()).first_answer().await?;
        if !answer.metadata.truncation {
            return Ok(answer.into_message());
        }
        let stream = TcpClientStream::exchange(whom, None, self.wait, None, self.provider.clone()).await?;
        Ok(stream.send(request).first_answer().await?.into_message())
    }

    /// Surveys one domain; nothing where it was stopped on the way.
    async fn survey(self, delegation: Delegation, stop: StopToken) -> Option<Vec<DnsObservation>> {
        let mut survey = Survey::new(delegation);
        while let Some(query) = survey.poll_query() {
            if stop.is_stopped() {
                return None;
            }
            let reply = self.ask(&query).await;
            survey.handle_reply(query, reply);
        }
        Some(survey.finish())
    }
}

/// Surveys `domains`, `at_once` at a time, and hands what was seen to `take`, domain by domain in the order in which they end.
///
/// # Errors
/// Whatever `domains` and `take` say; `E-dns-002` where a survey ended in a panic. A stop ends it behind the questions that are out,
/// without an error.
pub async fn survey_all(
    resolvers: &Resolvers,
    domains: impl IntoIterator<Item = Delegation>,
    at_once: usize,
    stop: &StopToken,
    mut take: impl FnMut(Vec<DnsObservation>) -> Result<()>,
) -> Result<()> {
    let mut under_way = JoinSet::new();
    let mut domains = domains.into_iter().fuse();
    loop {
        while under_way.len() < at_once.max(1)
            && !stop.is_stopped()
            && let Some(next) = domains.next()
        {
            under_way.spawn(resolvers.clone().survey(next, stop.clone()));
        }
        match under_way.join_next().await {
            Some(Ok(Some(seen))) => take(seen)?,
            Some(Ok(None)) => {}
            Some(Err(_)) => {
                return Err(Problem::new("E-dns-002", Blame::Us, "the survey of a domain ended in a panic", "report this as a bug"));
            }
            None => return Ok(()),
        }
    }
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

/// A record's data as text, where it is of the kind that was asked for.
fn value(data: &RData, kind: RecordType) -> Option<Box<str>> {
    if data.record_type() != kind {
        return None;
    }
    Some(match data {
        RData::A(address) => address.0.to_string().into(),
        RData::AAAA(address) => address.0.to_string().into(),
        RData::CNAME(target) => text(&target.0).into(),
        RData::NS(server) => text(&server.0).into(),
        RData::SOA(soa) => text(&soa.mname).into(),
        RData::MX(mx) => format!("{} {}", mx.preference, text(&mx.exchange)).into(),
        _ => return None,
    })
}

/// A name as tables have it. Whatever is no letter, digit, hyphen or underscore in a label is told by its number (RFC 4343 §2.1), so that no
/// name holds what parts names in a table.
fn text(name: &Name) -> String {
    let mut out = String::new();
    for label in name {
        if !out.is_empty() {
            out.push('.');
        }
        for byte in label {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => out.push(char::from(byte.to_ascii_lowercase())),
                _ => out.push_str(&format!("\\{byte:03}")),
            }
        }
    }
    if out.is_empty() { ".".to_owned() } else { out }
}

/// What a response code means, where it is a failure.
const fn failed(code: ResponseCode) -> Option<DnsOutcome> {
    match code {
        ResponseCode::NoError => None,
        ResponseCode::NXDomain => Some(DnsOutcome::NoSuchName),
        ResponseCode::ServFail => Some(DnsOutcome::ServerFailure),
        ResponseCode::Refused => Some(DnsOutcome::Refused),
        _ => Some(DnsOutcome::OtherCode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_nothing_that_parts_names() {
        let name = Name::from_labels([b"A;b".as_slice(), b"c.d e", b"x-1_"]).expect("a name");
        assert_eq!(text(&name), "a\\059b.c\\046d\\032e.x-1_");
        assert_eq!(text(&Name::root()), ".");
    }
}
