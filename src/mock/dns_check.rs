//! A registry's check of the name servers that a domain is to be delegated to, and what it tells of the outcome (extdom-2.0).

use super::update;
use crate::base::HostName;
use crate::model::{
    CheckedServer, Date, DnsCheck, DnsQuery, DnsTest, Domain, Extension, NameServers, StatusChange, TargetStatus, TestedServer,
};

/// The key of the registry's own status.
const OWN_STATUS: &str = "ownStatus";
/// The own status of a domain whose name servers did not pass.
const HELD: &str = "dnsHold";

/// How name servers are checked. Nobody is asked: the outcome follows from their names.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DnsRule {
    /// Names below which there is no host anywhere.
    unresolvable: Vec<String>,
    /// The name of the test that each name server has an address.
    resolves: String,
    /// The names of the tests that follow; they are skipped where that one fails.
    further: Vec<String>,
}

impl DnsRule {
    /// Checks the name servers that `after` has and `before` had not, in the check of that number, and gives `after` the statuses that
    /// follow. What the registrar is told of it, in words and in the extension; nothing where all is as it was.
    pub(super) fn check(&self, before: &Domain, after: &mut Domain, number: u64, date: Date) -> Option<(&'static str, Extension)> {
        if before.ns == after.ns || after.ns.is_empty() {
            return None;
        }
        let check = self.outcome(after, number, date);
        let held = after.properties.get(OWN_STATUS).map(|status| status == HELD);
        let failed = !check.queries.is_empty();
        match (failed, held) {
            (true, None) => after.properties.set(OWN_STATUS, HELD),
            (false, Some(true)) => after.properties.set(OWN_STATUS, ""),
            (false, _) => return None,
            (true, Some(_)) => {}
        }
        let is_delegated = is_delegated(after);
        update::settle(&mut after.statuses, is_delegated);
        if failed {
            return Some(("DNS check failed", Extension::DnsCheck(Box::new(check))));
        }
        let statuses = after.statuses.iter().map(|s| TargetStatus { of: "domain".into(), value: s.value.as_str().into() }).collect();
        Some(("DNS check passed", Extension::StatusChange(StatusChange { name: after.name.clone(), statuses })))
    }

    /// What the check of `domain` finds.
    fn outcome(&self, domain: &Domain, number: u64, date: Date) -> DnsCheck {
        let servers = servers(domain);
        let failing: Vec<&HostName> = servers.iter().map(|server| &server.name).filter(|name| self.is_nowhere(name)).collect();
        let status = |fails| Some(if fails { "FAILED" } else { "SUCCEEDED" }.into());
        let tested = |server: &CheckedServer| {
            let query = failing.iter().position(|name| **name == server.name);
            let details = query.map(|at| (Some(number_of(at)), "no address was found".into()));
            TestedServer { name: server.name.clone(), status: status(query.is_some()), details: details.into_iter().collect() }
        };
        let resolves = DnsTest {
            name: self.resolves.as_str().into(),
            status: status(!failing.is_empty()),
            servers: servers.iter().map(tested).collect(),
        };
        let further = self.further.iter().map(|name| DnsTest {
            name: name.as_str().into(),
            status: status(false).filter(|_| failing.is_empty()),
            servers: Vec::new(),
        });
        let query = |(at, name): (usize, &&HostName)| DnsQuery {
            id: Some(number_of(at)),
            name: format!("{}.", name.as_str()).into(),
            kind: "A".into(),
            destination: "the registry's resolver".into(),
            result: "NXDOMAIN".into(),
        };
        DnsCheck {
            name: domain.name.clone(),
            status: status(!failing.is_empty()).unwrap_or_default(),
            id: Some(format!("check-{number}").into()),
            date: Some(date),
            tests: std::iter::once(resolves).chain(further).collect(),
            queries: failing.iter().enumerate().map(query).collect(),
            servers,
            change: None,
        }
    }

    fn is_nowhere(&self, name: &HostName) -> bool {
        let name = name.as_str();
        self.unresolvable.iter().any(|zone| name.strip_suffix(zone.as_str()).is_some_and(|front| front.is_empty() || front.ends_with('.')))
    }
}

/// The number of a query in a check, from 1.
fn number_of(at: usize) -> Box<str> {
    (at + 1).to_string().into()
}

/// Whether the registry delegates to the name servers that `domain` has.
pub(super) fn is_delegated(domain: &Domain) -> bool {
    !domain.ns.is_empty() && domain.properties.get(OWN_STATUS) != Some(HELD)
}

fn servers(domain: &Domain) -> Vec<CheckedServer> {
    match &domain.ns {
        NameServers::Objects(names) => names.iter().map(|name| CheckedServer { name: name.clone(), addresses: Vec::new() }).collect(),
        NameServers::Attributes(attrs) => attrs
            .iter()
            .map(|attr| CheckedServer { name: attr.name.clone(), addresses: attr.addrs.iter().map(|ip| ip.text.clone()).collect() })
            .collect(),
    }
}
