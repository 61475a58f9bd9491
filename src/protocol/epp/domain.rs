//! Domains (RFC 5731).

use super::encoder::Encoder;
use super::field::{self, date, domain_name, host_name, token};
use super::object::{self, AuthNames};
use super::{ext, rule};
use crate::base::{DomainName, Handle};
use crate::model::{
    AuthCodeOrder, AuthInfo, ContactRef, ContactsFilter, Domain, DomainChange, DomainCreate, DomainUpdate, HostAttr, HostsFilter,
    IpVersion, NameServers, Period, PeriodUnit, ResData, Role, StatusValue,
};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// The declaration on each element of the object.
const XMLNS: &[(&str, &str)] = &[("xmlns:domain", Ns::DOMAIN.uri())];
const AUTH: AuthNames = AuthNames { outer: "domain:authInfo", pw: "domain:pw", null: None };
const AUTH_CHANGE: AuthNames = AuthNames { null: Some("domain:null"), ..AUTH };
/// `domain:statusValueType`.
const STATUSES: &[StatusValue] = &[
    StatusValue::CLIENT_DELETE_PROHIBITED,
    StatusValue::CLIENT_HOLD,
    StatusValue::CLIENT_RENEW_PROHIBITED,
    StatusValue::CLIENT_TRANSFER_PROHIBITED,
    StatusValue::CLIENT_UPDATE_PROHIBITED,
    StatusValue::INACTIVE,
    StatusValue::OK,
    StatusValue::PENDING_CREATE,
    StatusValue::PENDING_DELETE,
    StatusValue::PENDING_RENEW,
    StatusValue::PENDING_TRANSFER,
    StatusValue::PENDING_UPDATE,
    StatusValue::SERVER_DELETE_PROHIBITED,
    StatusValue::SERVER_HOLD,
    StatusValue::SERVER_RENEW_PROHIBITED,
    StatusValue::SERVER_TRANSFER_PROHIBITED,
    StatusValue::SERVER_UPDATE_PROHIBITED,
];
/// The most statuses in one `<add>` or `<rem>`.
const MAX_STATUSES: usize = 11;

/// Writes a check.
pub(super) fn check(e: &mut Encoder<'_>, names: &[DomainName]) {
    if names.is_empty() {
        e.refuse("domain:name", "is missing: a check asks for at least one name");
    }
    e.within("check", &[], |e| e.within("domain:check", XMLNS, |e| names.iter().for_each(|n| name(e, n))));
}

/// Writes an info.
pub(super) fn info(e: &mut Encoder<'_>, name: &DomainName, hosts: HostsFilter, auth: Option<&AuthInfo>) {
    e.within("info", &[], |e| {
        e.within("domain:info", XMLNS, |e| {
            e.leaf_with("domain:name", &[("hosts", hosts.as_str())], name.as_str(), &rule::LABEL);
            object::auth(e, &AUTH, auth);
        });
    });
}

/// Writes an info that asks for the contacts too.
pub(super) fn contacts_of(e: &mut Encoder<'_>, name: &DomainName, which: ContactsFilter, agreed: &[Box<str>]) {
    info(e, name, HostsFilter::All, None);
    ext::extdom::contacts_wanted(e, agreed, which);
}

/// Writes an info that has the registry make an authorisation code, or end it.
pub(super) fn auth_code(e: &mut Encoder<'_>, name: &DomainName, order: AuthCodeOrder, agreed: &[Box<str>]) {
    info(e, name, HostsFilter::All, None);
    ext::eurid::auth_code(e, agreed, order);
}

/// Writes a transfer query or request, as `op` says.
pub(super) fn transfer(e: &mut Encoder<'_>, op: &'static str, of: &DomainName, for_: Option<Period>, auth: Option<&AuthInfo>) {
    e.within("transfer", &[("op", op)], |e| {
        e.within("domain:transfer", XMLNS, |e| {
            name(e, of);
            period(e, for_);
            object::auth(e, &AUTH, auth);
        });
    });
}

/// Writes a create.
pub(super) fn create(e: &mut Encoder<'_>, create: &DomainCreate, agreed: &[Box<str>]) {
    e.within("create", &[], |e| {
        e.within("domain:create", XMLNS, |e| {
            name(e, &create.name);
            period(e, create.period);
            name_servers(e, &create.ns);
            e.optional("domain:registrant", create.registrant.as_ref().map(Handle::as_str), &rule::ID);
            contacts(e, &create.contacts);
            object::auth(e, &AUTH, Some(&create.auth));
        });
    });
    let further = ext::eurid::needed(e, agreed, &create.contacts, &[]);
    if further.is_none() && create.ds.is_empty() {
        return;
    }
    e.within("extension", &[], |e| {
        if let Some(ns) = further {
            ext::eurid::create(e, ns, &create.contacts);
        }
        if !create.ds.is_empty() {
            ext::secdns::create(e, &create.ds);
        }
    });
}

/// Writes a delete.
pub(super) fn delete(e: &mut Encoder<'_>, of: &DomainName) {
    e.within("delete", &[], |e| e.within("domain:delete", XMLNS, |e| name(e, of)));
}

/// Writes a renew.
pub(super) fn renew(e: &mut Encoder<'_>, of: &DomainName, current_expiry: &str, for_: Option<Period>) {
    e.within("renew", &[], |e| {
        e.within("domain:renew", XMLNS, |e| {
            name(e, of);
            e.leaf("domain:curExpDate", current_expiry, &rule::DATE);
            period(e, for_);
        });
    });
}

/// Writes an update that says no more than what changes.
pub(super) fn update(e: &mut Encoder<'_>, update: &DomainUpdate, agreed: &[Box<str>]) {
    let changes = update.registrant.is_some() || update.auth.is_some();
    // A restore goes with a `<chg>` that changes nothing (RFC 3915 §4.2.5).
    let bare_restore = update.restore && update.add.is_empty() && update.rem.is_empty() && !changes;
    e.within("update", &[], |e| {
        e.within("domain:update", XMLNS, |e| {
            name(e, &update.name);
            change(e, "domain:add", &update.add, true);
            change(e, "domain:rem", &update.rem, false);
            if bare_restore {
                e.empty("domain:chg", &[]);
            } else if changes {
                e.within("domain:chg", &[], |e| {
                    e.optional("domain:registrant", update.registrant.as_ref().map(Handle::as_str), &rule::ID_CHANGE);
                    object::auth(e, &AUTH_CHANGE, update.auth.as_ref());
                });
            }
        });
    });
    let further = ext::eurid::needed(e, agreed, &update.add.contacts, &update.rem.contacts);
    if update.restore || !update.ds.is_empty() || further.is_some() {
        e.within("extension", &[], |e| {
            if let Some(ns) = further {
                ext::eurid::update(e, ns, &update.add.contacts, &update.rem.contacts);
            }
            if update.restore {
                ext::rgp::restore(e);
            }
            if !update.ds.is_empty() {
                ext::secdns::update(e, &update.ds);
            }
        });
    }
}

/// Writes what is added or removed; the words on a status go with it only where it is added.
fn change(e: &mut Encoder<'_>, tag: &'static str, change: &DomainChange, words: bool) {
    if change.is_empty() {
        return;
    }
    if change.statuses.len() > MAX_STATUSES {
        e.refuse("domain:status", format!("more than {MAX_STATUSES} of them"));
    }
    e.within(tag, &[], |e| {
        name_servers(e, &change.ns);
        contacts(e, &change.contacts);
        for s in &change.statuses {
            let (lang, text) = if words { (s.lang.as_deref(), s.text.as_deref().unwrap_or_default()) } else { (None, "") };
            object::status(e, "domain:status", &s.value, lang, text, STATUSES);
        }
    });
}

fn name(e: &mut Encoder<'_>, name: &DomainName) {
    e.leaf("domain:name", name.as_str(), &rule::LABEL);
}

fn period(e: &mut Encoder<'_>, period: Option<Period>) {
    let Some(Period { count, unit }) = period else { return };
    if !(1..=99).contains(&count) {
        e.refuse("domain:period", format!("is {count}, 1 to 99 are allowed"));
    }
    let unit = match unit {
        PeriodUnit::Years => "y",
        PeriodUnit::Months => "m",
    };
    e.leaf_with("domain:period", &[("unit", unit)], &count.to_string(), &rule::FILLED);
}

fn name_servers(e: &mut Encoder<'_>, ns: &NameServers) {
    if ns.is_empty() {
        return;
    }
    e.within("domain:ns", &[], |e| match ns {
        NameServers::Objects(names) => names.iter().for_each(|n| e.leaf("domain:hostObj", n.as_str(), &rule::LABEL)),
        NameServers::Attributes(hosts) => {
            for host in hosts {
                e.within("domain:hostAttr", &[], |e| {
                    e.leaf("domain:hostName", host.name.as_str(), &rule::LABEL);
                    for ip in &host.addrs {
                        let version = match ip.version {
                            IpVersion::V4 => "v4",
                            IpVersion::V6 => "v6",
                        };
                        e.leaf_with("domain:hostAddr", &[("ip", version)], &ip.text, &rule::ADDRESS);
                    }
                });
            }
        }
    });
}

fn contacts(e: &mut Encoder<'_>, contacts: &[ContactRef]) {
    for contact in contacts {
        match contact.role {
            Some(role) => e.leaf_with("domain:contact", &[("type", role.as_str())], contact.handle.as_str(), &rule::ID),
            None if contact.kind.is_empty() => e.leaf("domain:contact", contact.handle.as_str(), &rule::ID),
            // An extension carries it, or it is refused there.
            None => {}
        }
    }
}

/// Reads a child of `<resData>` in the domain namespace, or nothing where no type knows it.
///
/// # Errors
/// What makes it unreadable.
pub(super) fn decode(e: Element<'_>) -> Result<Option<ResData>, &'static str> {
    let when = |local| e.child(Ns::DOMAIN, local).and_then(date);
    Ok(Some(match e.local() {
        "infData" => ResData::Domain(Box::new(info_data(e)?)),
        "chkData" => ResData::DomainCheck(field::check(e, "name")?),
        "creData" => ResData::DomainCreated { name: named(e)?, created: when("crDate"), expires: when("exDate") },
        "renData" => ResData::DomainRenewed { name: named(e)?, expires: when("exDate") },
        "trnData" => ResData::DomainTransfer(field::transfer(e, "name")?),
        "panData" => ResData::DomainPending(field::pending(e, "name")?),
        _ => return Ok(None),
    }))
}

fn named(e: Element<'_>) -> Result<DomainName, &'static str> {
    field::name_of(e, Ns::DOMAIN, "name", "a domain without its name").map(|n| domain_name(&n))
}

fn info_data(e: Element<'_>) -> Result<Domain, &'static str> {
    let mut x = Domain::bare(named(e)?);
    let mut ns = None;
    for c in e.children().filter(|c| c.ns() == Ns::DOMAIN) {
        match c.local() {
            "roid" if x.roid.is_none() => x.roid = token(c),
            "status" => x.statuses.extend(field::status(c)),
            "registrant" if x.registrant.is_none() => x.registrant = token(c).map(Handle::new),
            "contact" => x.contacts.extend(contact(c)),
            "ns" => read_name_servers(c.seen(), &mut ns),
            "host" => x.hosts.extend(token(c).map(|n| host_name(&n))),
            "clID" if x.sponsor.is_none() => x.sponsor = token(c),
            "crID" if x.created_by.is_none() => x.created_by = token(c),
            "crDate" if x.created.is_none() => x.created = date(c),
            "upID" if x.updated_by.is_none() => x.updated_by = token(c),
            "upDate" if x.updated.is_none() => x.updated = date(c),
            "exDate" if x.expires.is_none() => x.expires = date(c),
            "trDate" if x.transferred.is_none() => x.transferred = date(c),
            "authInfo" if x.auth.is_none() => x.auth = field::auth(c),
            _ => {}
        }
    }
    x.ns = ns.unwrap_or_default();
    Ok(x)
}

fn contact(e: Element<'_>) -> Option<ContactRef> {
    let handle = Handle::new(token(e)?);
    let kind = e.attr("type").unwrap_or_default();
    Some(ContactRef { role: Role::ALL.into_iter().find(|r| r.as_str() == kind), kind: kind.into(), handle })
}

/// Reads `<ns>`. The first host tells whether they are objects or attributes; one of the other kind stays unknown.
pub(super) fn read_name_servers(e: Element<'_>, ns: &mut Option<NameServers>) {
    for c in e.children().filter(|c| c.ns() == Ns::DOMAIN) {
        match (c.local(), &mut *ns) {
            ("hostObj", None) => *ns = token(c).map(|n| NameServers::Objects(vec![host_name(&n)])),
            ("hostObj", Some(NameServers::Objects(names))) => names.extend(token(c).map(|n| host_name(&n))),
            ("hostAttr", None) => *ns = host_attr(c).map(|h| NameServers::Attributes(vec![h])),
            ("hostAttr", Some(NameServers::Attributes(hosts))) => hosts.extend(host_attr(c)),
            _ => {}
        }
    }
}

fn host_attr(e: Element<'_>) -> Option<HostAttr> {
    let name = e.children().find(|c| c.is(Ns::DOMAIN, "hostName")).and_then(token)?;
    let addrs = e.seen().children().filter(|c| c.is(Ns::DOMAIN, "hostAddr")).filter_map(field::ip).collect();
    Some(HostAttr { name: host_name(&name), addrs })
}
