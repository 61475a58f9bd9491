//! What is asked of a domain's name servers, in three rounds: where they are, what each of them says, and where what they name is.

mod driver;

pub use driver::{Resolvers, survey_all};

use crate::base::HostName;
use crate::model::{Asked, Delegation, DnsLookup, DnsObservation, DnsOutcome, DnsQuestion, DnsReply, plain_name};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

/// The most addresses of one name server that are asked.
const MOST_ADDRESSES: usize = 8;
/// The most names in SOA and MX records that are looked up.
const MOST_TARGETS: usize = 32;

/// The survey of one domain. Questions come out, answers go in; it is over when no question is out and none is left.
#[derive(Debug)]
pub struct Survey {
    delegation: Delegation,
    waiting: VecDeque<DnsLookup>,
    /// How many questions are out.
    out: usize,
    round: Round,
    /// Addresses the resolver told of each name server.
    found: BTreeMap<HostName, BTreeSet<IpAddr>>,
    /// Names that SOA and MX records hold.
    targets: BTreeSet<Box<str>>,
    seen: Vec<DnsObservation>,
}

/// How far a survey is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Servers,
    Zone,
    Targets,
}

impl Survey {
    /// The survey of `delegation`.
    #[must_use]
    pub fn new(delegation: Delegation) -> Self {
        let to_resolver = |question, host: &HostName| DnsLookup { asked: Asked::Resolver, question, name: host.as_str().into() };
        let both = [DnsQuestion::Address, DnsQuestion::Cname];
        let waiting = delegation.servers.iter().flat_map(|server| both.map(|question| to_resolver(question, &server.host))).collect();
        Self { delegation, waiting, out: 0, round: Round::Servers, found: BTreeMap::new(), targets: BTreeSet::new(), seen: Vec::new() }
    }

    /// The next question, if one can be put now.
    pub fn poll_query(&mut self) -> Option<DnsLookup> {
        if self.waiting.is_empty() && self.out == 0 {
            self.advance();
        }
        let next = self.waiting.pop_front();
        self.out += usize::from(next.is_some());
        next
    }

    /// Takes the answer to a question that was put.
    pub fn handle_reply(&mut self, query: DnsLookup, reply: DnsReply) {
        self.out = self.out.saturating_sub(1);
        match (&query.asked, query.question) {
            (Asked::Resolver, DnsQuestion::Address) if self.round == Round::Servers => {
                let addresses = reply.values.iter().filter_map(|value| value.parse::<IpAddr>().ok());
                self.found.entry(HostName::new(&*query.name)).or_default().extend(addresses);
            }
            (Asked::Server(..), DnsQuestion::Soa | DnsQuestion::Mx) => {
                let names = reply.values.iter().filter_map(|value| value.rsplit(' ').next());
                // A single dot stands for "no mail at all" (RFC 7505) and is no name to look up.
                self.targets.extend(names.filter(|name| *name != ".").map(Into::into));
            }
            _ => {}
        }
        // The first question tells whether anybody is there; nothing more is put to an address where nobody is.
        let silent = matches!(reply.outcome, DnsOutcome::TimedOut | DnsOutcome::Unreachable);
        if matches!(query.asked, Asked::Server(..)) && query.question == DnsQuestion::Soa && !silent {
            let more = [DnsQuestion::Ns, DnsQuestion::Mx, DnsQuestion::Cname];
            self.waiting.extend(more.map(|question| DnsLookup { question, ..query.clone() }));
        }
        self.seen.push(DnsObservation { domain: self.delegation.domain.clone(), query, reply });
    }

    /// Everything that was seen, in the order of the questions.
    #[must_use]
    pub fn finish(mut self) -> Vec<DnsObservation> {
        self.seen.sort_by(|a, b| a.query.cmp(&b.query));
        self.seen
    }

    /// Puts the questions of the next round that has any.
    fn advance(&mut self) {
        while self.waiting.is_empty() {
            self.round = match self.round {
                Round::Servers => Round::Zone,
                Round::Zone => Round::Targets,
                Round::Targets => return,
            };
            self.waiting = if self.round == Round::Zone { self.zone() } else { self.aliases() };
        }
    }

    /// What each name server is asked first, at each of its addresses: those the resolver told, or else those the registry was told.
    fn zone(&self) -> VecDeque<DnsLookup> {
        let name: Box<str> = plain_name(self.delegation.domain.as_str()).into();
        let mut all = VecDeque::new();
        for server in &self.delegation.servers {
            let found = self.found.get(&server.host).filter(|found| !found.is_empty()).unwrap_or(&server.addresses);
            all.extend(found.iter().take(MOST_ADDRESSES).map(|address| {
                let asked = Asked::Server(server.host.clone(), *address);
                DnsLookup { asked, question: DnsQuestion::Soa, name: name.clone() }
            }));
        }
        all
    }

    /// Whether what the zone names are aliases, which are asked for once each; name servers have been asked for.
    fn aliases(&self) -> VecDeque<DnsLookup> {
        let known = |name: &str| self.delegation.servers.iter().any(|server| server.host.as_str() == name);
        let new = self.targets.iter().filter(|name| !known(name)).take(MOST_TARGETS);
        new.map(|name| DnsLookup { asked: Asked::Resolver, question: DnsQuestion::Cname, name: name.clone() }).collect()
    }
}

impl DnsReply {
    /// A reply with `values`, or an empty one where there are none.
    #[must_use]
    pub fn of(mut values: Vec<Box<str>>, authoritative: bool) -> Self {
        values.sort_unstable();
        values.dedup();
        let outcome = if values.is_empty() { DnsOutcome::Empty } else { DnsOutcome::Answered };
        Self { outcome, authoritative: Some(authoritative), values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(all: &[&str]) -> DnsReply {
        DnsReply::of(all.iter().map(|v| (*v).into()).collect(), true)
    }

    /// Runs a survey against `reply`; the questions in the order they were put.
    fn run(ns: &str, reply: impl Fn(&DnsLookup) -> DnsReply) -> (Vec<String>, Vec<DnsObservation>) {
        let mut survey = Survey::new(Delegation::read("Example.IT.", ns));
        let mut put = Vec::new();
        while let Some(query) = survey.poll_query() {
            let whom = match &query.asked {
                Asked::Resolver => "resolver".to_owned(),
                Asked::Server(host, address) => format!("{}/{address}", host.as_str()),
            };
            put.push(format!("{whom} {} {}", query.question.as_str(), query.name));
            let answer = reply(&query);
            survey.handle_reply(query, answer);
        }
        (put, survey.finish())
    }

    #[test]
    fn servers_are_found_then_asked_then_what_they_name_is_looked_up() {
        let (put, seen) = run("ns1.example.it=192.0.2.1;NS2.other.test.", |query| match (&query.asked, query.question, &*query.name) {
            (Asked::Resolver, DnsQuestion::Address, "ns2.other.test") => values(&["2001:db8::2"]),
            (Asked::Resolver, ..) => DnsReply::none(DnsOutcome::NoSuchName),
            (_, DnsQuestion::Soa, _) => values(&["ns1.example.it"]),
            (_, DnsQuestion::Mx, _) => values(&["10 mail.example.it", "0 ."]),
            _ => DnsReply::none(DnsOutcome::Refused),
        });
        assert_eq!(
            put,
            [
                "resolver address ns1.example.it",
                "resolver cname ns1.example.it",
                "resolver address ns2.other.test",
                "resolver cname ns2.other.test",
                "ns1.example.it/192.0.2.1 soa example.it",
                "ns2.other.test/2001:db8::2 soa example.it",
                "ns1.example.it/192.0.2.1 ns example.it",
                "ns1.example.it/192.0.2.1 mx example.it",
                "ns1.example.it/192.0.2.1 cname example.it",
                "ns2.other.test/2001:db8::2 ns example.it",
                "ns2.other.test/2001:db8::2 mx example.it",
                "ns2.other.test/2001:db8::2 cname example.it",
                "resolver cname mail.example.it",
            ]
        );
        assert_eq!(seen.len(), put.len());
    }

    #[test]
    fn nothing_is_asked_where_there_is_nothing_to_ask() {
        assert!(run("", |_| DnsReply::none(DnsOutcome::TimedOut)).0.is_empty());
        let (put, _) = run("ns1.example.it", |_| DnsReply::none(DnsOutcome::TimedOut));
        assert_eq!(put, ["resolver address ns1.example.it", "resolver cname ns1.example.it"]);
    }

    #[test]
    fn an_address_where_nobody_is_gets_one_question() {
        let (put, _) = run("ns1.example.it=192.0.2.1,192.0.2.2", |query| match &query.asked {
            Asked::Server(_, address) if address.to_string() == "192.0.2.1" => DnsReply::none(DnsOutcome::TimedOut),
            _ => DnsReply::none(DnsOutcome::Refused),
        });
        let to = |address: &str| put.iter().filter(|q| q.contains(address)).count();
        assert_eq!((to("/192.0.2.1 "), to("/192.0.2.2 ")), (1, 4));
    }

    #[test]
    fn a_zone_cannot_make_us_ask_without_end() {
        let many: Vec<String> = (0..500).map(|n| format!("10 mx{n}.example.test")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let (put, _) = run("ns1.example.it=192.0.2.1", |query| match (&query.asked, query.question) {
            (Asked::Server(..), DnsQuestion::Mx) => values(&many),
            _ => DnsReply::none(DnsOutcome::Empty),
        });
        assert_eq!(put.iter().filter(|q| q.starts_with("resolver cname mx")).count(), MOST_TARGETS);
    }
}
