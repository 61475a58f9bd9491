//! NicIT's additions to domains: extdom-2.0, in answers and in messages.

use super::super::encoder::Encoder;
use super::super::field::{date, domain_name, host_name, number, token};
use super::super::rule;
use super::super::{contact, domain};
use super::carrier::free;
use super::extcon::EXTCON;
use crate::base::{DomainName, Handle};
use crate::model::{
    CheckedServer, Contact, ContactsFilter, DnsCheck, DnsQuery, DnsTest, LinkedContact, LostDelegation, NameServersToCheck, Properties,
    Refund, Remapped, Role, StatusChange, TargetStatus, TestedServer, Trade,
};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// The declaration on each element of a command.
const XMLNS: (&str, &str) = ("xmlns:extdom", Ns::EXTDOM.uri());

/// Writes which contacts an info asks for.
pub(in crate::protocol::epp) fn contacts_wanted(e: &mut Encoder<'_>, agreed: &[Box<str>], which: ContactsFilter) {
    must_be_agreed(e, agreed, "extdom:infContacts");
    e.within("extension", &[], |e| e.empty("extdom:infContacts", &[XMLNS, ("op", which.as_str())]));
}

/// Writes the new registrant of a transfer.
pub(in crate::protocol::epp) fn trade(e: &mut Encoder<'_>, agreed: &[Box<str>], trade: &Trade) {
    must_be_agreed(e, agreed, "extdom:trade");
    e.within("extension", &[], |e| {
        e.within("extdom:trade", &[XMLNS], |e| {
            e.within("extdom:transferTrade", &[], |e| {
                e.leaf("extdom:newRegistrant", trade.registrant.as_str(), &rule::ID);
                e.within("extdom:newAuthInfo", &[], |e| e.leaf("extdom:pw", trade.auth.reveal(), &rule::AUTH));
            });
        });
    });
}

fn must_be_agreed(e: &mut Encoder<'_>, agreed: &[Box<str>], element: &'static str) {
    if !agreed.iter().any(|uri| **uri == *Ns::EXTDOM.uri()) {
        e.refuse(element, "needs an extension that the login did not name");
    }
}

/// The child of that name in this namespace, not yet marked.
fn of<'t>(e: Element<'t>, local: &str) -> Option<Element<'t>> {
    e.children().find(|c| c.is(Ns::EXTDOM, local))
}

/// All children of that name.
fn all<'t>(e: Element<'t>, local: &'static str) -> impl Iterator<Item = Element<'t>> {
    e.children().filter(move |c| c.is(Ns::EXTDOM, local))
}

/// The text of the child of that name.
fn text(e: Element<'_>, local: &str) -> Option<Box<str>> {
    of(e, local).and_then(token)
}

fn name(e: Element<'_>, local: &str) -> Option<DomainName> {
    text(e, local).map(|text| domain_name(&text))
}

/// Puts the registry's own statuses of `<infData>` into `into`, under `ownStatus`.
pub(super) fn own_statuses(e: Element<'_>, into: &mut Properties) {
    for status in all(e, "ownStatus") {
        if let Some(key) = free(into, "ownStatus")
            && let Some(value) = status.attr("s")
        {
            into.set(&key, value);
            let _known = status.seen();
        }
    }
}

/// Reads `<infContactsData>`; a contact without its handle stays unknown.
pub(super) fn contacts(e: Element<'_>) -> Vec<LinkedContact> {
    let linked = |entry: Element<'_>| {
        let role = match entry.local() {
            "registrant" => None,
            "contact" => Some(Role::ALL.into_iter().find(|role| Some(role.as_str()) == entry.peek("type"))?),
            _ => return None,
        };
        let data = of(entry, "infContact")?;
        let handle = token(data.children().find(|c| c.is(Ns::CONTACT, "id"))?)?;
        let mut contact = Contact::bare(Handle::new(handle));
        contact::read_parts(data.seen(), &mut contact);
        if let Some(extra) = of(entry, "extInfo") {
            EXTCON.read_of(Ns::EXTCON, extra.seen(), &mut contact.properties);
        }
        let _known = (entry.seen(), entry.attr("type"));
        Some(LinkedContact { role, contact })
    };
    e.children().filter(|c| c.ns() == Ns::EXTDOM).filter_map(linked).collect()
}

/// Reads `<infNsToValidateData>`.
pub(super) fn to_validate(e: Element<'_>) -> Option<NameServersToCheck> {
    let mut servers = None;
    domain::read_name_servers(of(e, "nsToValidate")?.seen(), &mut servers);
    servers.map(NameServersToCheck)
}

/// Reads `<remappedIdnData>`.
pub(super) fn remapped(e: Element<'_>) -> Option<Remapped> {
    Some(Remapped { requested: name(e, "idnRequested")?, created: name(e, "idnCreated")? })
}

/// Reads `<chgStatusMsgData>`.
pub(super) fn status_change(e: Element<'_>) -> Option<StatusChange> {
    let name = name(e, "name")?;
    let target = of(e, "targetStatus").map(Element::seen);
    let status = |status: Element<'_>| {
        let of = match (status.ns(), status.local()) {
            (Ns::DOMAIN, "status") => "domain",
            (Ns::RGP, "rgpStatus") => "rgp",
            (Ns::EXTDOM, "ownStatus") => "own",
            _ => return None,
        };
        let value = status.attr("s").filter(|s| !s.is_empty())?;
        let _known = status.seen();
        Some(TargetStatus { of: of.into(), value: value.into() })
    };
    Some(StatusChange { name, statuses: target.into_iter().flat_map(Element::children).filter_map(status).collect() })
}

/// Reads `<simpleMsgData>`.
pub(super) fn about(e: Element<'_>) -> Option<DomainName> {
    name(e, "name")
}

/// Reads `<dlgMsgData>`.
pub(super) fn lost_delegation(e: Element<'_>) -> Option<LostDelegation> {
    let servers = || all(e, "ns").filter_map(token).map(|n| host_name(&n)).collect();
    Some(LostDelegation { name: name(e, "name")?, servers: servers() })
}

/// Reads `<delayedDebitAndRefundMsgData>` and `<refundRenewsForBulkTransferMsgData>`.
pub(super) fn refund(e: Element<'_>) -> Option<Refund> {
    Some(Refund {
        amount: text(e, "amount")?,
        name: name(e, "name"),
        debited: of(e, "debitDate").and_then(date),
        domains: of(e, "domainsNum").and_then(number),
        transfer: text(e, "bulkTransferId"),
    })
}

/// Reads `<dnsErrorMsgData>`.
pub(super) fn dns_error(e: Element<'_>) -> Option<DnsCheck> {
    let mut check = DnsCheck {
        name: name(e, "domain")?,
        status: text(e, "status").unwrap_or_default(),
        id: text(e, "validationId"),
        date: of(e, "validationDate").and_then(date),
        servers: Vec::new(),
        tests: Vec::new(),
        queries: Vec::new(),
        change: None,
    };
    let lists = |local| of(e, local).map(Element::seen).into_iter();
    check.servers.extend(lists("nameservers").flat_map(|l| all(l, "nameserver")).filter_map(server));
    check.tests.extend(lists("tests").flat_map(|l| all(l, "test")).filter_map(test));
    check.queries.extend(lists("queries").flat_map(|l| all(l, "query")).filter_map(query));
    Some(check)
}

/// Reads `<dnsWarningMsgData>`: a check and the statuses that followed from it.
pub(super) fn dns_warning(e: Element<'_>) -> Option<DnsCheck> {
    let inner = of(e, "dnsWarningData").or_else(|| of(e, "dnsErrorMsgData"))?;
    let mut check = dns_error(inner)?;
    let _known = inner.seen();
    check.change = of(e, "chgStatusMsgData").and_then(|change| status_change(change.seen()));
    Some(check)
}

fn server(e: Element<'_>) -> Option<CheckedServer> {
    let name = host_name(e.attr("name").filter(|n| !n.is_empty())?);
    Some(CheckedServer { name, addresses: all(e.seen(), "address").filter_map(token).collect() })
}

fn test(e: Element<'_>) -> Option<DnsTest> {
    let name = e.attr("name").filter(|n| !n.is_empty())?.into();
    let _known = e.seen();
    // One test lists its servers under another name than the others do.
    let servers = e.children().filter(|c| c.is(Ns::EXTDOM, "nameserver") || c.is(Ns::EXTDOM, "detail")).filter_map(tested).collect();
    Some(DnsTest { name, status: e.attr("status").map(Into::into), servers })
}

fn tested(e: Element<'_>) -> Option<TestedServer> {
    let name = host_name(e.attr("name").filter(|n| !n.is_empty())?);
    let detail = |d: Element<'_>| {
        let words = token(d)?;
        Some((d.attr("queryId").map(Into::into), words))
    };
    Some(TestedServer { name, status: e.seen().attr("status").map(Into::into), details: all(e, "detail").filter_map(detail).collect() })
}

fn query(e: Element<'_>) -> Option<DnsQuery> {
    let name = text(e, "queryFor")?;
    let part = |local| text(e, local).unwrap_or_default();
    let _known = e.seen();
    Some(DnsQuery { id: e.attr("id").map(Into::into), name, kind: part("type"), destination: part("destination"), result: part("result") })
}
