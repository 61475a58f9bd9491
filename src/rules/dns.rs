//! Name servers as the DNS has them: `R-dns-…`, one rule for each test that a registry puts them through, judged by what was observed.

use super::judge::{Basis, Sheet};
use crate::dataset::{DomainField, Row};
use crate::model::{Asked, DelegatedServer, Delegation, DnsOutcome, DnsQuestion, DnsReply, DnsSeen};
use crate::policy::{Rule, ServerTest};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The most things of one kind that a finding lists.
const LISTED: usize = 8;

/// Judges the name servers of a domain by what was `seen` of it.
pub(super) fn judge(row: &Row, seen: Option<&DnsSeen>, sheet: &mut Sheet<'_, '_>) {
    let Some(tests) = &sheet.judge.profile.name_servers.tests else { return };
    let delegation = Delegation::read(row.id(), row.get(DomainField::Ns.at()).unwrap_or_default());
    if delegation.servers.is_empty() {
        return;
    }
    let Some(seen) = seen else {
        let what = "its name servers were not observed; run `privet pull dns`".to_owned();
        sheet.add("R-dns-010", "ns".to_owned(), Basis::told(tests), what);
        return;
    };
    let mut case = Case { delegation: &delegation, seen, tests, sheet };
    case.unobserved();
    for test in &tests.value {
        match test {
            ServerTest::Resolvable => case.resolvable(),
            ServerTest::Answer => {
                case.failures("R-dns-002", "gives no answer", |outcome| matches!(outcome, DnsOutcome::TimedOut | DnsOutcome::Unreachable));
            }
            ServerTest::ReturnCode => case.failures("R-dns-003", "answers with a failure", |outcome| {
                matches!(outcome, DnsOutcome::NoSuchName | DnsOutcome::ServerFailure | DnsOutcome::Refused | DnsOutcome::OtherCode)
            }),
            ServerTest::Authority => case.authority(),
            ServerTest::NsCompare => case.same_servers(),
            ServerTest::CnameHost => case.aliases(),
            ServerTest::IpCompare => case.same_addresses(),
            ServerTest::MxCompare => case.same_everywhere("R-dns-008", DnsQuestion::Mx, "dns.mx", "mail exchanges"),
            ServerTest::SoaMasterCompare => case.same_everywhere("R-dns-009", DnsQuestion::Soa, "dns.soa", "masters"),
        }
    }
}

/// One domain with what was seen of it.
struct Case<'a, 's, 'j, 'p> {
    delegation: &'a Delegation,
    seen: &'a DnsSeen,
    tests: &'a Rule<Vec<ServerTest>>,
    sheet: &'s mut Sheet<'j, 'p>,
}

impl<'a> Case<'a, '_, '_, '_> {
    /// Adds a finding that says when it was observed.
    fn add(&mut self, rule: &str, field: String, what: &str) {
        let what = format!("{what}; observed {:.0}", self.seen.at);
        self.sheet.add(rule, field, Basis::of(self.tests), what);
    }

    /// What `server` said: where, to which question, and what.
    fn said(&self, server: &'a DelegatedServer) -> impl Iterator<Item = (IpAddr, DnsQuestion, &'a DnsReply)> + use<'a> {
        let of = |asked: &Asked| match asked {
            Asked::Server(host, address) => Some((host.clone(), *address)),
            Asked::Resolver => None,
        };
        self.seen.all.iter().filter_map(move |one| {
            let (host, address) = of(&one.query.asked)?;
            (host == server.host).then_some((address, one.query.question, &one.reply))
        })
    }

    /// What the resolver said of `name`.
    fn resolved(&self, question: DnsQuestion, name: &str) -> Option<&'a DnsReply> {
        let asked = self.seen.all.iter().filter(|one| one.query.asked == Asked::Resolver && one.query.question == question);
        asked.map(|one| (&one.query.name, &one.reply)).find(|(known, _)| ***known == *name).map(|(_, reply)| reply)
    }

    /// `R-dns-010`: a server that came to the row after it was observed.
    fn unobserved(&mut self) {
        for server in &self.delegation.servers {
            if self.resolved(DnsQuestion::Address, server.host.as_str()).is_none() {
                let what = format!("{} was not observed with the others, {:.0}; run `privet pull dns`", server.host, self.seen.at);
                self.sheet.add("R-dns-010", place(server), Basis::told(self.tests), what);
            }
        }
    }

    /// `R-dns-001`: a server's name has no address.
    fn resolvable(&mut self) {
        for server in &self.delegation.servers {
            let reply = self.resolved(DnsQuestion::Address, server.host.as_str());
            if let Some(reply) = reply.filter(|reply| reply.values.is_empty()) {
                self.add("R-dns-001", place(server), &format!("{} has no address: {}", server.host, word(reply.outcome)));
            }
        }
    }

    /// `R-dns-002` and `R-dns-003`: what came of questions in the place of an answer, by address and outcome.
    fn failures(&mut self, rule: &str, what: &str, is: impl Fn(DnsOutcome) -> bool) {
        for server in &self.delegation.servers {
            let mut failed: BTreeMap<(IpAddr, DnsOutcome), Vec<String>> = BTreeMap::new();
            for (address, question, reply) in self.said(server).filter(|(_, _, reply)| is(reply.outcome)) {
                failed.entry((address, reply.outcome)).or_default().push(question.as_str().to_uppercase());
            }
            if !failed.is_empty() {
                let each =
                    failed.iter().map(|((address, outcome), asked)| format!("{} at {address} ({})", word(*outcome), asked.join(", ")));
                self.add(rule, place(server), &format!("{} {what}: {}", server.host, listed(each)));
            }
        }
    }

    /// `R-dns-004`: a server speaks without authority, or does not have the zone.
    fn authority(&mut self) {
        for server in &self.delegation.servers {
            let alias = self.said(server).any(|(_, question, reply)| is_alias(question, reply));
            let mut lame: BTreeMap<IpAddr, &str> = BTreeMap::new();
            for (address, question, reply) in self.said(server) {
                if reply.authoritative == Some(false) {
                    lame.insert(address, "without authority (AA)");
                } else if question == DnsQuestion::Soa && reply.outcome == DnsOutcome::Empty && !alias {
                    lame.entry(address).or_insert("with authority, but without a SOA of the domain");
                }
            }
            if !lame.is_empty() {
                let each = lame.iter().map(|(address, how)| format!("at {address} {how}"));
                self.add("R-dns-004", place(server), &format!("{} does not speak for the domain: {}", server.host, listed(each)));
            }
        }
    }

    /// `R-dns-005`: a server names another set of name servers than the registry has.
    fn same_servers(&mut self) {
        let declared: BTreeSet<&str> = self.delegation.servers.iter().map(|server| server.host.as_str()).collect();
        for server in &self.delegation.servers {
            let mut other: BTreeMap<IpAddr, String> = BTreeMap::new();
            for (address, question, reply) in self.said(server) {
                let lame = reply.outcome == DnsOutcome::Empty && reply.authoritative == Some(false);
                if question != DnsQuestion::Ns || !is_told(reply) || lame {
                    continue;
                }
                let named: BTreeSet<&str> = reply.values.iter().map(|value| &**value).collect();
                let without = declared.difference(&named).map(|name| format!("without {name}"));
                let with = named.difference(&declared).map(|name| format!("with {name}"));
                let differs: Vec<String> = without.chain(with).collect();
                if !differs.is_empty() {
                    other.insert(address, listed(differs.into_iter()));
                }
            }
            if !other.is_empty() {
                let each = other.iter().map(|(address, how)| format!("at {address} {how}"));
                self.add("R-dns-005", place(server), &format!("{} names other name servers: {}", server.host, listed(each)));
            }
        }
    }

    /// `R-dns-006`: an alias where none may be.
    fn aliases(&mut self) {
        let servers = &self.delegation.servers;
        let mut apex = BTreeSet::new();
        let (mut masters, mut exchanges) = (BTreeSet::new(), BTreeSet::new());
        for (_, question, reply) in servers.iter().flat_map(|server| self.said(server)) {
            if is_alias(question, reply) {
                apex.extend(reply.values.iter().map(|target| format!("the domain itself is an alias of {target}")));
            }
            let names = reply.values.iter().filter_map(|value| value.rsplit(' ').next());
            match question {
                DnsQuestion::Soa => masters.extend(names),
                DnsQuestion::Mx => exchanges.extend(names),
                _ => {}
            }
        }
        let alias_of = |name: &str| {
            let reply = self.resolved(DnsQuestion::Cname, name).filter(|reply| reply.outcome == DnsOutcome::Answered)?;
            reply.values.first().map(ToString::to_string)
        };
        let mut found = Vec::new();
        if !apex.is_empty() {
            found.push(("dns.apex".to_owned(), listed(apex.into_iter())));
        }
        for server in servers {
            let alias = alias_of(server.host.as_str());
            found.extend(alias.map(|target| (place(server), format!("the name server {} is an alias of {target}", server.host))));
        }
        for (names, field, kind) in [(masters, "dns.soa", "the master"), (exchanges, "dns.mx", "the mail exchange")] {
            let each: Vec<String> =
                names.iter().filter_map(|name| Some(format!("{kind} {name} is an alias of {}", alias_of(name)?))).collect();
            if !each.is_empty() {
                found.push((field.to_owned(), listed(each.into_iter())));
            }
        }
        for (field, what) in found {
            self.add("R-dns-006", field, &what);
        }
    }

    /// `R-dns-007`: the registry was told other addresses of a server than the DNS has.
    fn same_addresses(&mut self) {
        for server in self.delegation.servers.iter().filter(|server| !server.addresses.is_empty()) {
            let reply = self.resolved(DnsQuestion::Address, server.host.as_str());
            let Some(reply) = reply.filter(|reply| reply.outcome == DnsOutcome::Answered) else { continue };
            let found: BTreeSet<IpAddr> = reply.values.iter().filter_map(|value| value.parse().ok()).collect();
            if found != server.addresses {
                let list = |all: &BTreeSet<IpAddr>| listed(all.iter().map(IpAddr::to_string));
                let what = format!("{} is declared with {}; the DNS has {}", server.host, list(&server.addresses), list(&found));
                self.add("R-dns-007", place(server), &what);
            }
        }
    }

    /// `R-dns-008` and `R-dns-009`: servers that do not say the same.
    fn same_everywhere(&mut self, rule: &str, asked: DnsQuestion, field: &str, kind: &str) {
        let mut ways: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for server in &self.delegation.servers {
            for (address, question, reply) in self.said(server) {
                // A zone without a SOA, and a server that does not speak for it, are told by rules of their own.
                let counts = match asked {
                    DnsQuestion::Soa => reply.outcome == DnsOutcome::Answered,
                    _ => is_told(reply) && reply.authoritative == Some(true),
                };
                if question == asked && counts {
                    let said =
                        if reply.values.is_empty() { "none".to_owned() } else { listed(reply.values.iter().map(ToString::to_string)) };
                    ways.entry(said).or_default().insert(format!("{} at {address}", server.host));
                }
            }
        }
        if ways.len() > 1 {
            let each = ways.into_iter().map(|(said, whom)| format!("{said} ({})", listed(whom.into_iter())));
            self.add(rule, field.to_owned(), &format!("the name servers tell of different {kind}: {}", listed(each)));
        }
    }
}

/// Where a server stands in the row.
fn place(server: &DelegatedServer) -> String {
    format!("ns[{}]", server.at)
}

/// Whether a reply is one about the name, with records or without.
const fn is_told(reply: &DnsReply) -> bool {
    matches!(reply.outcome, DnsOutcome::Answered | DnsOutcome::Empty)
}

/// Whether a server said that the domain is an alias.
fn is_alias(question: DnsQuestion, reply: &DnsReply) -> bool {
    question == DnsQuestion::Cname && reply.outcome == DnsOutcome::Answered
}

/// What came of a question, as people call it.
const fn word(outcome: DnsOutcome) -> &'static str {
    match outcome {
        DnsOutcome::Answered => "an answer",
        DnsOutcome::Empty => "no such record",
        DnsOutcome::NoSuchName => "NXDOMAIN",
        DnsOutcome::ServerFailure => "SERVFAIL",
        DnsOutcome::Refused => "REFUSED",
        DnsOutcome::OtherCode => "another code of failure",
        DnsOutcome::TimedOut => "timeout",
        DnsOutcome::Unreachable => "unreachable",
    }
}

/// The first of many, and how many more.
fn listed(all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.collect();
    let more = all.len().saturating_sub(LISTED);
    let shown = all.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

#[cfg(test)]
mod tests {
    use crate::base::{DomainName, HostName};
    use crate::dataset::{DomainField, Row};
    use crate::model::{Asked, DnsLookup, DnsObservation, DnsOutcome, DnsQuestion, DnsReply, DnsSeen, FindingSeverity};
    use crate::policy::profile;
    use crate::rules::Judge;

    const NS: &str = "ns1.uno.it=192.0.2.1;ns2.example.net";

    /// What a well kept zone says: `whom question name = outcome values`.
    const GOOD: [&str; 13] = [
        "resolver address ns1.uno.it = 192.0.2.1",
        "resolver cname ns1.uno.it = empty",
        "resolver address ns2.example.net = 192.0.2.2",
        "resolver cname ns2.example.net = empty",
        "ns1.uno.it/192.0.2.1 soa uno.it = ns1.uno.it",
        "ns1.uno.it/192.0.2.1 ns uno.it = ns1.uno.it ns2.example.net",
        "ns1.uno.it/192.0.2.1 mx uno.it = 10_mail.uno.it",
        "ns1.uno.it/192.0.2.1 cname uno.it = empty",
        "ns2.example.net/192.0.2.2 soa uno.it = ns1.uno.it",
        "ns2.example.net/192.0.2.2 ns uno.it = ns1.uno.it ns2.example.net",
        "ns2.example.net/192.0.2.2 mx uno.it = 10_mail.uno.it",
        "ns2.example.net/192.0.2.2 cname uno.it = empty",
        "resolver cname mail.uno.it = empty",
    ];

    fn observation(line: &str) -> DnsObservation {
        let (question, answer) = line.split_once(" = ").expect("an answer");
        let [whom, question, name]: [&str; 3] = question.split(' ').collect::<Vec<_>>().try_into().expect("three words");
        let asked = match whom.split_once('/') {
            Some((host, address)) => Asked::Server(HostName::new(host), address.parse().expect("an address")),
            None => Asked::Resolver,
        };
        let (answer, authoritative) = answer.strip_prefix("noaa ").map_or((answer, true), |rest| (rest, false));
        let reply = match DnsOutcome::read(answer) {
            Some(DnsOutcome::Empty) => DnsReply { authoritative: Some(authoritative), ..DnsReply::none(DnsOutcome::Empty) },
            Some(outcome) => DnsReply::none(outcome),
            None => DnsReply {
                outcome: DnsOutcome::Answered,
                authoritative: Some(authoritative),
                values: answer.split(' ').map(|v| v.replace('_', " ").into()).collect(),
            },
        };
        let query = DnsLookup { asked, question: DnsQuestion::read(question).expect("a question"), name: name.into() };
        DnsObservation { domain: DomainName::new("uno.it"), query, reply }
    }

    fn row(ns: &str) -> Row {
        let columns = crate::dataset::columns(crate::model::ObjectKind::Domain);
        Row::new("uno.it", (0..columns.len()).map(|at| (at == DomainField::Ns.at()).then_some(ns)))
    }

    /// What is found at `registry` where some observations are other ones than those of a well kept zone.
    fn found(registry: &str, ns: &str, changed: &[&str]) -> Vec<String> {
        let question = |line: &str| line.split(" = ").next().map(str::to_owned);
        let mut lines: Vec<&str> = GOOD.to_vec();
        for line in changed {
            lines.retain(|known| question(known) != question(line));
            lines.push(line);
        }
        let at = "2026-11-22T02:00:00Z".parse().expect("a time");
        let seen = DnsSeen { at, all: lines.into_iter().map(observation).collect() };
        let profile = profile(registry).expect("embedded");
        let all = Judge::of(&profile).name_servers(&row(ns), Some(&seen));
        let mark = |severity| if severity == FindingSeverity::Error { "!" } else { "?" };
        all.iter()
            .map(|f| {
                let what = f.what.strip_suffix("; observed 2026-11-22T02:00:00Z").unwrap_or(&f.what);
                assert!(f.what.contains("2026-11-22T02:00:00Z"), "{}", f.what);
                format!("{}{} {} {what}", f.rule, mark(f.severity), f.field)
            })
            .collect()
    }

    #[test]
    fn a_well_kept_zone_has_no_findings() {
        assert!(found("nicit", NS, &[]).is_empty());
        assert!(found("denic", NS, &[]).is_empty());
    }

    #[test]
    fn each_test_has_its_rule() {
        let cases: &[(&[&str], &[&str])] = &[
            (&["resolver address ns2.example.net = nxdomain"], &["R-dns-001! ns[2] ns2.example.net has no address: NXDOMAIN"]),
            (&["resolver address ns2.example.net = empty"], &["R-dns-001! ns[2] ns2.example.net has no address: no such record"]),
            (
                &["ns2.example.net/192.0.2.2 soa uno.it = timeout"],
                &["R-dns-002! ns[2] ns2.example.net gives no answer: timeout at 192.0.2.2 (SOA)"],
            ),
            (
                &["ns2.example.net/192.0.2.2 soa uno.it = unreachable", "ns2.example.net/192.0.2.2 mx uno.it = timeout"],
                &["R-dns-002! ns[2] ns2.example.net gives no answer: timeout at 192.0.2.2 (MX), unreachable at 192.0.2.2 (SOA)"],
            ),
            (
                &["ns2.example.net/192.0.2.2 soa uno.it = servfail", "ns2.example.net/192.0.2.2 ns uno.it = refused"],
                &["R-dns-003! ns[2] ns2.example.net answers with a failure: SERVFAIL at 192.0.2.2 (SOA), REFUSED at 192.0.2.2 (NS)"],
            ),
            (
                &["ns2.example.net/192.0.2.2 mx uno.it = nxdomain", "ns2.example.net/192.0.2.2 ns uno.it = other_code"],
                &[
                    "R-dns-003! ns[2] ns2.example.net answers with a failure: NXDOMAIN at 192.0.2.2 (MX), another code of failure at 192.0.2.2 (NS)",
                ],
            ),
            (
                &["ns2.example.net/192.0.2.2 soa uno.it = noaa ns1.uno.it"],
                &["R-dns-004! ns[2] ns2.example.net does not speak for the domain: at 192.0.2.2 without authority (AA)"],
            ),
            (
                &["ns2.example.net/192.0.2.2 soa uno.it = empty"],
                &[
                    "R-dns-004! ns[2] ns2.example.net does not speak for the domain: at 192.0.2.2 with authority, but without a SOA of the domain",
                ],
            ),
            (
                &["ns1.uno.it/192.0.2.1 ns uno.it = ns1.uno.it ns3.example.net"],
                &["R-dns-005! ns[1] ns1.uno.it names other name servers: at 192.0.2.1 without ns2.example.net, with ns3.example.net"],
            ),
            (
                &[
                    "ns1.uno.it/192.0.2.1 cname uno.it = other.example",
                    "resolver cname ns2.example.net = box.example.net",
                    "resolver cname ns1.uno.it = host.uno.it",
                    "resolver cname mail.uno.it = mx.example",
                ],
                &[
                    "R-dns-006! dns.apex the domain itself is an alias of other.example",
                    "R-dns-006! dns.mx the mail exchange mail.uno.it is an alias of mx.example",
                    "R-dns-006! dns.soa the master ns1.uno.it is an alias of host.uno.it",
                    "R-dns-006! ns[1] the name server ns1.uno.it is an alias of host.uno.it",
                    "R-dns-006! ns[2] the name server ns2.example.net is an alias of box.example.net",
                ],
            ),
            (
                &["resolver address ns1.uno.it = 192.0.2.1 2001:db8::1"],
                &["R-dns-007! ns[1] ns1.uno.it is declared with 192.0.2.1; the DNS has 192.0.2.1, 2001:db8::1"],
            ),
            (
                &["ns2.example.net/192.0.2.2 mx uno.it = empty"],
                &[
                    "R-dns-008! dns.mx the name servers tell of different mail exchanges: 10 mail.uno.it (ns1.uno.it at 192.0.2.1), none (ns2.example.net at 192.0.2.2)",
                ],
            ),
            (
                &["ns2.example.net/192.0.2.2 soa uno.it = ns2.example.net"],
                &[
                    "R-dns-009! dns.soa the name servers tell of different masters: ns1.uno.it (ns1.uno.it at 192.0.2.1), ns2.example.net (ns2.example.net at 192.0.2.2)",
                ],
            ),
        ];
        for (changed, want) in cases {
            assert_eq!(found("nicit", NS, changed), *want, "{changed:?}");
        }
    }

    #[test]
    fn a_registry_runs_the_tests_of_its_profile() {
        let changed = [
            "ns2.example.net/192.0.2.2 mx uno.it = empty",
            "ns2.example.net/192.0.2.2 ns uno.it = refused",
            "resolver cname ns1.uno.it = x.it",
        ];
        assert_eq!(found("nicit", NS, &changed).len(), 4);
        assert!(found("denic", NS, &changed).is_empty());
        assert!(found("gtld-thick", NS, &["resolver address ns2.example.net = nxdomain"]).is_empty());
    }

    #[test]
    fn what_was_not_observed_is_told_and_no_more() {
        let late = found("nicit", "ns1.uno.it=192.0.2.1;ns2.example.net;ns9.example.net", &[]);
        assert_eq!(late.len(), 3, "{late:?}");
        assert_eq!(late[0], "R-dns-005! ns[1] ns1.uno.it names other name servers: at 192.0.2.1 without ns9.example.net");
        assert!(late[2].starts_with("R-dns-010? ns[3] ns9.example.net was not observed"), "{late:?}");
        let profile = profile("nicit").expect("embedded");
        let judge = Judge::of(&profile);
        let never = judge.name_servers(&row(NS), None);
        assert_eq!(never.iter().map(|f| (&*f.rule, f.severity)).collect::<Vec<_>>(), [("R-dns-010", FindingSeverity::Warning)]);
        assert!(judge.name_servers(&row(""), None).is_empty(), "nothing is to be observed");
    }

    #[test]
    fn a_zone_cannot_make_a_finding_without_end() {
        let many: Vec<String> = (0..500).map(|n| format!("ns{n}.example.org")).collect();
        let found = found("nicit", NS, &[&format!("ns1.uno.it/192.0.2.1 ns uno.it = {}", many.join(" "))]);
        assert!(found.len() == 1 && found[0].len() < 400 && found[0].ends_with("and 494 more"), "{found:?}");
    }
}
