//! Commands on domains (RFC 5731 §3), with the DNSSEC extension of RFC 5910.

use super::{Kids, Read, Refusal, TransferOp, TransferOrder, auth_info, bounded, named, status};
use crate::base::{DomainName, Handle, HostName};
use crate::model::{
    ContactRef, DomainChange, DomainCreate, DomainUpdate, DsChange, DsData, HostAttr, Ip, IpVersion, KeyData, NameServers, Period,
    PeriodUnit, Query, Role, Transform,
};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;
use std::str::FromStr;

const NS: Ns = Ns::DOMAIN;

/// Reads a check.
pub(super) fn check(check: Element<'_>) -> Read<Query> {
    named(check, "check")?;
    let mut kids = Kids::of(check);
    let mut names = vec![domain_name(&kids.text(NS, "name", 1, 255)?)];
    while let Some(name) = kids.text_if(NS, "name", 1, 255)? {
        names.push(domain_name(&name));
    }
    kids.end()?;
    Ok(Query::DomainCheck(names))
}

/// Reads a create with its `secDNS:create`.
pub(super) fn create(create: Element<'_>, sec_dns: Option<Element<'_>>) -> Read<DomainCreate> {
    named(create, "create")?;
    let mut kids = Kids::of(create);
    let name = domain_name(&kids.text(NS, "name", 1, 255)?);
    let period = kids.take(NS, "period").map(period).transpose()?;
    let ns = kids.take(NS, "ns").map(name_servers).transpose()?.unwrap_or_default();
    let registrant = kids.text_if(NS, "registrant", 3, 16)?.map(Handle::new);
    let contacts = contacts(&mut kids)?;
    let auth = auth_info(kids.need(NS, "authInfo")?, NS)?;
    kids.end()?;
    let mut ds = DsChange::default();
    if let Some(element) = sec_dns {
        let mut kids = Kids::of(element);
        ds.max_sig_life = kids.take(Ns::SEC_DNS, "maxSigLife").map(|e| number(e, "maxSigLife")).transpose()?;
        (ds.add_ds, ds.add_keys) = records(&mut kids)?;
        kids.end()?;
    }
    Ok(DomainCreate { name, period, ns, registrant, contacts, auth, ds })
}

/// Reads a delete.
pub(super) fn delete(delete: Element<'_>) -> Read<DomainName> {
    named(delete, "delete")?;
    let mut kids = Kids::of(delete);
    let name = domain_name(&kids.text(NS, "name", 1, 255)?);
    kids.end()?;
    Ok(name)
}

/// Reads a renew.
pub(super) fn renew(renew: Element<'_>) -> Read<Transform> {
    named(renew, "renew")?;
    let mut kids = Kids::of(renew);
    let name = domain_name(&kids.text(NS, "name", 1, 255)?);
    let current_expiry = kids.text(NS, "curExpDate", 1, 32)?;
    if current_expiry.parse::<jiff::civil::Date>().is_err() {
        return Err(Refusal::quoting(2005, NS, "curExpDate", &current_expiry, "no date"));
    }
    let period = kids.take(NS, "period").map(period).transpose()?;
    kids.end()?;
    Ok(Transform::DomainRenew { name, current_expiry, period })
}

/// Reads what stands in a `transfer` that is to have `op` done.
pub(super) fn transfer(transfer: Element<'_>, op: TransferOp) -> Read<TransferOrder> {
    named(transfer, "transfer")?;
    let mut kids = Kids::of(transfer);
    let name = domain_name(&kids.text(NS, "name", 1, 255)?);
    let period = kids.take(NS, "period").map(period).transpose()?;
    let auth = kids.take(NS, "authInfo").map(|e| auth_info(e, NS)).transpose()?;
    kids.end()?;
    Ok(TransferOrder { op, name, period, auth })
}

/// A period: 1 to 99 of a unit.
fn period(element: Element<'_>) -> Read<Period> {
    let unit = match element.attr("unit") {
        Some("y") => PeriodUnit::Years,
        Some("m") => PeriodUnit::Months,
        Some(other) => return Err(Refusal::quoting(2004, NS, "period", other, "unit is y or m")),
        None => return Err(Refusal::quoting(2003, NS, "period", "", "unit is missing")),
    };
    let text = element.token();
    let count = text.parse::<u8>().ok().filter(|count| (1..=99).contains(count));
    count.map(|count| Period { count, unit }).ok_or_else(|| Refusal::quoting(2005, NS, "period", &text, "1 to 99"))
}

/// Reads an update with its `secDNS:update`.
pub(super) fn update(update: Element<'_>, sec_dns: Option<Element<'_>>) -> Read<DomainUpdate> {
    named(update, "update")?;
    let mut kids = Kids::of(update);
    let name = domain_name(&kids.text(NS, "name", 1, 255)?);
    let add = kids.take(NS, "add").map(change).transpose()?.unwrap_or_default();
    let rem = kids.take(NS, "rem").map(change).transpose()?.unwrap_or_default();
    let (mut registrant, mut auth) = (None, None);
    if let Some(chg) = kids.take(NS, "chg") {
        let mut kids = Kids::of(chg);
        registrant = kids.take(NS, "registrant").map(|e| bounded(e, NS, "registrant", 0, 16)).transpose()?.map(Handle::new);
        auth = kids.take(NS, "authInfo").map(|e| auth_info(e, NS)).transpose()?;
        kids.end()?;
    }
    kids.end()?;
    let ds = sec_dns.map(ds_change).transpose()?.unwrap_or_default();
    Ok(DomainUpdate { name, add, rem, registrant, auth, ds, restore: false })
}

fn domain_name(text: &str) -> DomainName {
    DomainName::new(text.to_ascii_lowercase())
}

fn host_name(text: &str) -> HostName {
    HostName::new(text.to_ascii_lowercase())
}

fn change(element: Element<'_>) -> Read<DomainChange> {
    let mut kids = Kids::of(element);
    let mut change = DomainChange::default();
    if let Some(ns) = kids.take(NS, "ns") {
        change.ns = name_servers(ns)?;
    }
    change.contacts = contacts(&mut kids)?;
    while let Some(element) = kids.take(NS, "status") {
        change.statuses.push(status(element, NS)?);
    }
    kids.end()?;
    Ok(change)
}

fn contacts<'t, I: Iterator<Item = Element<'t>>>(kids: &mut Kids<I>) -> Read<Vec<ContactRef>> {
    let mut all = Vec::new();
    while let Some(contact) = kids.take(NS, "contact") {
        let role = match contact.attr("type") {
            Some("admin") => Role::Admin,
            Some("billing") => Role::Billing,
            Some("tech") => Role::Tech,
            Some(other) => return Err(Refusal::quoting(2004, NS, "contact", other, "type is admin, billing or tech")),
            None => return Err(Refusal::quoting(2003, NS, "contact", "", "type is missing")),
        };
        all.push(ContactRef::new(role, Handle::new(bounded(contact, NS, "contact", 3, 16)?)));
    }
    Ok(all)
}

fn name_servers(ns: Element<'_>) -> Read<NameServers> {
    let mut kids = Kids::of(ns);
    let mut names = Vec::new();
    while let Some(name) = kids.text_if(NS, "hostObj", 1, 255)? {
        names.push(host_name(&name));
    }
    let mut attrs = Vec::new();
    while let Some(attr) = kids.take(NS, "hostAttr") {
        attrs.push(host_attr(attr)?);
    }
    kids.end()?;
    match (names.is_empty(), attrs.is_empty()) {
        (true, true) => Err(Refusal::quoting(2003, NS, "ns", "", "it is empty")),
        (false, false) => Err(Refusal::new(2001, "host objects beside host attributes")),
        (false, true) => Ok(NameServers::Objects(names)),
        (true, false) => Ok(NameServers::Attributes(attrs)),
    }
}

fn host_attr(attr: Element<'_>) -> Read<HostAttr> {
    let mut kids = Kids::of(attr);
    let name = host_name(&kids.text(NS, "hostName", 1, 255)?);
    let mut addrs = Vec::new();
    while let Some(element) = kids.take(NS, "hostAddr") {
        let text = bounded(element, NS, "hostAddr", 3, 45)?;
        let (version, fits) = match element.attr("ip") {
            None | Some("v4") => (IpVersion::V4, std::net::Ipv4Addr::from_str(&text).is_ok()),
            Some("v6") => (IpVersion::V6, std::net::Ipv6Addr::from_str(&text).is_ok()),
            Some(other) => return Err(Refusal::quoting(2004, NS, "hostAddr", other, "ip is v4 or v6")),
        };
        if !fits {
            return Err(Refusal::quoting(2005, NS, "hostAddr", &text, "no address of that version"));
        }
        addrs.push(Ip { version, text });
    }
    kids.end()?;
    Ok(HostAttr { name, addrs })
}

fn ds_change(update: Element<'_>) -> Read<DsChange> {
    const NS: Ns = Ns::SEC_DNS;
    let mut change = DsChange { urgent: matches!(update.attr("urgent"), Some("1" | "true")), ..DsChange::default() };
    let mut kids = Kids::of(update);
    if let Some(rem) = kids.take(NS, "rem") {
        let mut kids = Kids::of(rem);
        change.remove_all = match kids.take(NS, "all").map(Element::token).as_deref() {
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(other) => return Err(Refusal::quoting(2005, NS, "all", other, "true or false")),
        };
        (change.rem_ds, change.rem_keys) = records(&mut kids)?;
        kids.end()?;
    }
    if let Some(add) = kids.take(NS, "add") {
        let mut kids = Kids::of(add);
        change.max_sig_life = kids.take(NS, "maxSigLife").map(|e| number(e, "maxSigLife")).transpose()?;
        (change.add_ds, change.add_keys) = records(&mut kids)?;
        kids.end()?;
    }
    if let Some(chg) = kids.take(NS, "chg") {
        let mut kids = Kids::of(chg);
        change.max_sig_life = kids.take(NS, "maxSigLife").map(|e| number(e, "maxSigLife")).transpose()?.or(change.max_sig_life);
        kids.end()?;
    }
    kids.end()?;
    Ok(change)
}

fn records<'t, I: Iterator<Item = Element<'t>>>(kids: &mut Kids<I>) -> Read<(Vec<DsData>, Vec<KeyData>)> {
    let (mut ds, mut keys) = (Vec::new(), Vec::new());
    while let Some(element) = kids.take(Ns::SEC_DNS, "dsData") {
        let mut kids = Kids::of(element);
        ds.push(DsData {
            key_tag: number(kids.need(Ns::SEC_DNS, "keyTag")?, "keyTag")?,
            alg: number(kids.need(Ns::SEC_DNS, "alg")?, "alg")?,
            digest_type: number(kids.need(Ns::SEC_DNS, "digestType")?, "digestType")?,
            digest: hexadecimal(kids.need(Ns::SEC_DNS, "digest")?)?,
            key: kids.take(Ns::SEC_DNS, "keyData").map(key).transpose()?,
        });
        kids.end()?;
    }
    while let Some(element) = kids.take(Ns::SEC_DNS, "keyData") {
        keys.push(key(element)?);
    }
    if ds.is_empty() || keys.is_empty() { Ok((ds, keys)) } else { Err(Refusal::new(2001, "DS data beside key data")) }
}

fn key(element: Element<'_>) -> Read<KeyData> {
    let mut kids = Kids::of(element);
    let key = KeyData {
        flags: number(kids.need(Ns::SEC_DNS, "flags")?, "flags")?,
        protocol: number(kids.need(Ns::SEC_DNS, "protocol")?, "protocol")?,
        alg: number(kids.need(Ns::SEC_DNS, "alg")?, "alg")?,
        public_key: kids.text(Ns::SEC_DNS, "pubKey", 1, 8192)?,
    };
    kids.end()?;
    Ok(key)
}

fn number<N: FromStr>(element: Element<'_>, name: &'static str) -> Read<N> {
    let text = element.token();
    text.parse().map_err(|_| Refusal::quoting(2005, Ns::SEC_DNS, name, &text, "no number that fits"))
}

fn hexadecimal(element: Element<'_>) -> Read<Box<str>> {
    let text = bounded(element, Ns::SEC_DNS, "digest", 2, 1024)?;
    let fits = text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if fits {
        Ok(text.to_ascii_uppercase().into())
    } else {
        Err(Refusal::quoting(2005, Ns::SEC_DNS, "digest", &text, "no hexadecimal digits"))
    }
}
