//! What a message in the queue is about, in the registry's own extension.

use crate::model::{CheckedServer, DnsCheck, DnsTest, Extension, StatusChange, TestedServer};
use crate::protocol::ns::Ns;
use crate::protocol::writer::XmlWriter;

/// The declaration on each element of extdom-2.0.
const EXTDOM: (&str, &str) = ("xmlns:extdom", Ns::EXTDOM.uri());

/// Whether a login that named these extensions is told what `about` says.
pub(in crate::mock) fn is_spoken(named: &[Box<str>], about: &Extension) -> bool {
    let is_written = matches!(about, Extension::DnsCheck(_) | Extension::StatusChange(_));
    is_written && named.iter().any(|uri| **uri == *Ns::EXTDOM.uri())
}

/// Writes what a message is about.
pub(in crate::mock) fn notice(w: &mut XmlWriter<'_>, about: &Extension) {
    match about {
        Extension::DnsCheck(check) => w.element("extdom:dnsErrorMsgData", &[EXTDOM, ("version", "2.0")], |w| dns_check(w, check)),
        Extension::StatusChange(change) => w.element("extdom:chgStatusMsgData", &[EXTDOM], |w| status_change(w, change)),
        _ => {}
    }
}

fn status_change(w: &mut XmlWriter<'_>, change: &StatusChange) {
    w.leaf("extdom:name", &[], change.name.as_str());
    w.element("extdom:targetStatus", &[], |w| {
        for status in &change.statuses {
            w.empty("domain:status", &[("xmlns:domain", Ns::DOMAIN.uri()), ("s", &status.value)]);
        }
    });
}

fn dns_check(w: &mut XmlWriter<'_>, check: &DnsCheck) {
    w.leaf("extdom:domain", &[], check.name.as_str());
    w.leaf("extdom:status", &[], &check.status);
    w.optional("extdom:validationId", check.id.as_deref());
    w.optional("extdom:validationDate", check.date.as_ref().map(|d| &*d.raw));
    w.element("extdom:nameservers", &[], |w| check.servers.iter().for_each(|server| checked(w, server)));
    w.element("extdom:tests", &[], |w| check.tests.iter().for_each(|one| test(w, one)));
    w.element("extdom:queries", &[], |w| {
        for query in &check.queries {
            w.element("extdom:query", &[("id", query.id.as_deref().unwrap_or_default())], |w| {
                w.leaf("extdom:queryFor", &[], &query.name);
                w.leaf("extdom:type", &[], &query.kind);
                w.leaf("extdom:destination", &[], &query.destination);
                w.leaf("extdom:result", &[], &query.result);
            });
        }
    });
}

fn checked(w: &mut XmlWriter<'_>, server: &CheckedServer) {
    let name = absolute(server.name.as_str());
    if server.addresses.is_empty() {
        return w.empty("extdom:nameserver", &[("name", &name)]);
    }
    w.element("extdom:nameserver", &[("name", &name)], |w| {
        for address in &server.addresses {
            let family = if address.contains(':') { "IPv6" } else { "IPv4" };
            w.leaf("extdom:address", &[("type", family)], address);
        }
    });
}

fn test(w: &mut XmlWriter<'_>, test: &DnsTest) {
    let name = ("name", &*test.name);
    match &test.status {
        None => w.empty("extdom:test", &[name, ("skipped", "true")]),
        Some(status) => w.element("extdom:test", &[name, ("status", status)], |w| test.servers.iter().for_each(|one| tested(w, one))),
    }
}

fn tested(w: &mut XmlWriter<'_>, server: &TestedServer) {
    let name = absolute(server.name.as_str());
    let attributes = [("name", name.as_str()), ("status", server.status.as_deref().unwrap_or_default())];
    w.element("extdom:nameserver", &attributes, |w| {
        for (query, words) in &server.details {
            w.leaf("extdom:detail", &[("queryId", query.as_deref().unwrap_or_default())], words);
        }
    });
}

/// A name as the registry writes it here, with its final dot.
fn absolute(name: &str) -> String {
    format!("{name}.")
}
