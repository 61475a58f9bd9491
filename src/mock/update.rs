//! What an update does to an object, or why it may not (RFC 5731 §3.2.5, RFC 5733 §3.2.4).

use super::decode::Refusal;
use super::dns_check::is_delegated;
use super::registry::Registry;
use crate::model::{
    AuthInfo, Contact, ContactChange, ContactUpdate, Disclose, Domain, DomainUpdate, DsChange, NameServers, ObjectKind, Phone, PostalInfo,
    Properties, SecDnsInfo, Status, StatusValue,
};
use crate::policy::HostModel;
use crate::protocol::ns::Ns;

type Updated<T> = Result<T, Refusal>;

/// What a registry does with a disclose statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DiscloseRule {
    /// Keeps it.
    Keep,
    /// Takes and drops it.
    Forget,
    /// Refuses it.
    Refuse,
}

/// `contact` after `update`.
///
/// # Errors
/// The refusal to answer.
pub(super) fn contact(contact: &Contact, update: &ContactUpdate, registry: &Registry) -> Updated<Contact> {
    must_be_open(&contact.statuses, &update.rem)?;
    let mut after = contact.clone();
    change_statuses(&mut after.statuses, &update.rem, &update.add, Ns::CONTACT, &|s, adds| {
        registry.judge().may_set(ObjectKind::Contact, s, adds)
    })?;
    if let Some(chg) = &update.chg {
        change_contact(&mut after, chg, registry)?;
    }
    settle(&mut after.statuses, true);
    Ok(after)
}

fn change_contact(contact: &mut Contact, chg: &ContactChange, registry: &Registry) -> Updated<()> {
    for part in &chg.postal {
        match contact.postal.iter_mut().find(|p| p.form == part.form) {
            Some(there) => change_postal(there, part),
            None if part.name.is_some() && part.addr.is_some() => {
                contact.postal.push(PostalInfo { org: part.org.clone().filter(|o| !o.is_empty()), ..part.clone() });
            }
            None => return Err(Refusal::quoting(2003, Ns::CONTACT, "postalInfo", "", "a new form needs a name and an address")),
        }
    }
    let number = |phone: &Phone| (!phone.number.is_empty()).then(|| phone.clone());
    if let Some(voice) = &chg.voice {
        contact.voice = number(voice);
    }
    if let Some(fax) = &chg.fax {
        contact.fax = number(fax);
    }
    if let Some(email) = &chg.email {
        contact.email = Some(email.clone());
    }
    if let Some(auth) = &chg.auth {
        contact.auth = changed_auth(auth)?;
    }
    change_properties(&mut contact.properties, chg, registry.announcement.adds_properties)?;
    disclose(contact, chg.disclose.as_ref(), registry.disclose_rule())
}

/// Takes properties away and sets others, which where they are `added` may have no value left.
fn change_properties(all: &mut Properties, chg: &ContactChange, added: bool) -> Updated<()> {
    let refuse = |key: &str, why| Err(Refusal::quoting(2306, Ns::CONTACT, "property", key, why));
    for (key, value) in chg.removed.iter() {
        if all.get(key) != Some(value) {
            return refuse(key, "it has no such value");
        }
        all.set(key, "");
    }
    if let Some((key, _)) = chg.properties.iter().find(|(key, _)| added && all.get(key).is_some()) {
        return refuse(key, "it has a value, which must be removed first");
    }
    all.apply(&chg.properties);
    Ok(())
}

/// Gives `contact` a disclose statement, where the registry has them.
///
/// # Errors
/// The refusal to answer.
pub(super) fn disclose(contact: &mut Contact, statement: Option<&Disclose>, rule: DiscloseRule) -> Updated<()> {
    match (statement, rule) {
        (None, _) => {}
        (Some(_), DiscloseRule::Forget) => contact.disclose = None,
        // An exception that names nothing is none.
        (Some(statement), DiscloseRule::Keep) => contact.disclose = (!is_hollow(statement)).then_some(*statement),
        (Some(_), DiscloseRule::Refuse) => return Err(Refusal::quoting(2306, Ns::CONTACT, "disclose", "", "not supported here")),
    }
    Ok(())
}

fn is_hollow(statement: &Disclose) -> bool {
    *statement == Disclose { flag: statement.flag, ..Disclose::default() }
}

/// What an update does not mention stays; an address is replaced as a whole; an empty organisation removes it.
fn change_postal(there: &mut PostalInfo, part: &PostalInfo) {
    if let Some(name) = &part.name {
        there.name = Some(name.clone());
    }
    if let Some(org) = &part.org {
        there.org = (!org.is_empty()).then(|| org.clone());
    }
    if let Some(addr) = &part.addr {
        there.addr = Some(addr.clone());
    }
}

/// `domain` after `update`.
///
/// # Errors
/// The refusal to answer.
pub(super) fn domain(domain: &Domain, update: &DomainUpdate, registry: &Registry) -> Updated<Domain> {
    let removed: Vec<StatusValue> = update.rem.statuses.iter().map(|s| s.value.clone()).collect();
    must_be_open(&domain.statuses, &removed)?;
    let mut after = domain.clone();
    let may_set = |s: &str, adds| registry.judge().may_set(ObjectKind::Domain, s, adds);
    change_statuses(&mut after.statuses, &removed, &update.add.statuses, Ns::DOMAIN, &may_set)?;
    change_name_servers(&mut after.ns, &update.rem.ns, &update.add.ns, registry)?;
    for contact in &update.rem.contacts {
        let at = after.contacts.iter().position(|c| c.role == contact.role && c.handle == contact.handle);
        let at = at.ok_or_else(|| Refusal::quoting(2306, Ns::DOMAIN, "contact", contact.handle.as_str(), "it is not there"))?;
        after.contacts.remove(at);
    }
    for contact in &update.add.contacts {
        must_exist(registry, contact.handle.as_str(), "contact")?;
        if after.contacts.contains(contact) {
            return Err(Refusal::quoting(2306, Ns::DOMAIN, "contact", contact.handle.as_str(), "it is there already"));
        }
        after.contacts.push(contact.clone());
    }
    match &update.registrant {
        Some(handle) if handle.as_str().is_empty() => after.registrant = None,
        Some(handle) => {
            must_exist(registry, handle.as_str(), "registrant")?;
            after.registrant = Some(handle.clone());
        }
        None => {}
    }
    if let Some(auth) = &update.auth {
        after.auth = changed_auth(auth)?;
    }
    let is_delegated = is_delegated(&after);
    settle(&mut after.statuses, is_delegated);
    Ok(after)
}

/// `data` after `ds` (RFC 5910 §5.2.5): what is removed goes first.
///
/// # Errors
/// The refusal to answer.
pub(super) fn sec_dns(mut data: SecDnsInfo, ds: &DsChange) -> Updated<SecDnsInfo> {
    if ds.urgent {
        return Err(Refusal::new(2102, "nothing is urgent here"));
    }
    if ds.remove_all {
        data = SecDnsInfo { max_sig_life: data.max_sig_life, ..SecDnsInfo::default() };
    }
    remove_all(&mut data.ds, &ds.rem_ds, "dsData", Ns::SEC_DNS)?;
    remove_all(&mut data.keys, &ds.rem_keys, "keyData", Ns::SEC_DNS)?;
    add_all(&mut data.ds, &ds.add_ds, "dsData", Ns::SEC_DNS)?;
    add_all(&mut data.keys, &ds.add_keys, "keyData", Ns::SEC_DNS)?;
    if !data.ds.is_empty() && !data.keys.is_empty() {
        return Err(Refusal::new(2306, "DS data beside key data"));
    }
    data.max_sig_life = ds.max_sig_life.or(data.max_sig_life);
    Ok(data)
}

/// Adds `linked` or takes it away, and settles the rest.
pub(super) fn mark_linked(statuses: &mut Vec<Status>, is_linked: bool) {
    if is_linked != has(statuses, &StatusValue::LINKED) {
        statuses.retain(|status| status.value != StatusValue::LINKED);
        statuses.extend(is_linked.then(|| StatusValue::LINKED.into()));
    }
    settle(statuses, true);
}

fn has(statuses: &[Status], value: &StatusValue) -> bool {
    statuses.iter().any(|s| s.value == *value)
}

/// Computes the statuses that follow from the others: `inactive` without delegation, `ok` where nothing but `linked` is left.
pub(super) fn settle(statuses: &mut Vec<Status>, is_delegated: bool) {
    statuses.retain(|s| s.value != StatusValue::OK && s.value != StatusValue::INACTIVE);
    if !is_delegated {
        statuses.push(StatusValue::INACTIVE.into());
    }
    if statuses.iter().all(|s| s.value == StatusValue::LINKED) {
        statuses.insert(0, StatusValue::OK.into());
    }
}

/// Refuses a change of an object whose statuses forbid it, unless it lifts the client's own prohibition.
fn must_be_open(statuses: &[Status], removed: &[StatusValue]) -> Updated<()> {
    let closing = statuses.iter().map(|s| &s.value).find(|value| {
        let lifted = **value == StatusValue::CLIENT_UPDATE_PROHIBITED && removed.contains(value);
        let prohibits = **value == StatusValue::CLIENT_UPDATE_PROHIBITED || **value == StatusValue::SERVER_UPDATE_PROHIBITED;
        (prohibits && !lifted) || value.as_str().starts_with("pending")
    });
    closing.map_or(Ok(()), |value| Err(Refusal::new(2304, format!("the object is {}", value.as_str()))))
}

fn change_statuses(
    statuses: &mut Vec<Status>,
    removed: &[StatusValue],
    added: &[Status],
    ns: Ns,
    may_set: &dyn Fn(&str, bool) -> bool,
) -> Updated<()> {
    let refuse = |value: &StatusValue, why| Err(Refusal::quoting(2306, ns, "status", value.as_str(), why));
    let changed = removed.iter().map(|value| (value, false)).chain(added.iter().map(|s| (&s.value, true)));
    if let Some((value, _)) = changed.into_iter().find(|(value, adds)| !may_set(value.as_str(), *adds)) {
        return refuse(value, "a client may not set or remove it");
    }
    for value in removed {
        match statuses.iter().position(|s| s.value == *value) {
            Some(at) => drop(statuses.remove(at)),
            None => return refuse(value, "it is not there"),
        }
    }
    for status in added {
        if has(statuses, &status.value) {
            return refuse(&status.value, "it is there already");
        }
        statuses.push(status.clone());
    }
    Ok(())
}

/// Takes name servers away, and adds others.
///
/// # Errors
/// The refusal to answer.
pub(super) fn change_name_servers(ns: &mut NameServers, removed: &NameServers, added: &NameServers, registry: &Registry) -> Updated<()> {
    let refuse = |code, name, host: &str, why| Err(Refusal::quoting(code, Ns::DOMAIN, name, host, why));
    let model = registry.profile.hosts.value;
    for change in [removed, added] {
        match (change, model) {
            (NameServers::Objects(names), HostModel::Attributes) if !names.is_empty() => {
                return refuse(2306, "hostObj", "", "name servers are attributes here");
            }
            (NameServers::Attributes(_), HostModel::Objects) => return refuse(2306, "hostAttr", "", "name servers are objects here"),
            _ => {}
        }
    }
    match (&mut *ns, removed) {
        (NameServers::Objects(there), NameServers::Objects(names)) => {
            for name in names {
                match there.iter().position(|n| n == name) {
                    Some(at) => drop(there.remove(at)),
                    None => return refuse(2306, "hostObj", name.as_str(), "it is not there"),
                }
            }
        }
        (NameServers::Attributes(there), NameServers::Attributes(attrs)) => {
            for attr in attrs {
                match there.iter().position(|a| a.name == attr.name) {
                    Some(at) => drop(there.remove(at)),
                    None => return refuse(2306, "hostName", attr.name.as_str(), "it is not there"),
                }
            }
        }
        _ if removed.is_empty() => {}
        _ => return refuse(2306, "ns", "", "it is not there"),
    }
    if added.is_empty() {
        return Ok(());
    }
    if let Some(name) = added.names().find(|name| ns.names().any(|there| there == *name)) {
        return refuse(2306, "ns", name.as_str(), "it is there already");
    }
    if let NameServers::Objects(names) = added
        && let Some(name) = names.iter().find(|name| registry.host(name.as_str()).is_none())
    {
        return refuse(2303, "hostObj", name.as_str(), "no such host");
    }
    match (&mut *ns, added) {
        (NameServers::Objects(there), NameServers::Objects(names)) => there.extend(names.iter().cloned()),
        (NameServers::Attributes(there), NameServers::Attributes(attrs)) => there.extend(attrs.iter().cloned()),
        (there, _) if there.is_empty() => *there = added.clone(),
        _ => return refuse(2306, "ns", "", "host objects beside host attributes"),
    }
    Ok(())
}

/// Refuses a contact that is not there to be named as `name`.
pub(super) fn must_exist(registry: &Registry, handle: &str, name: &'static str) -> Updated<()> {
    if !registry.profile.has_contacts() {
        return Err(Refusal::quoting(2306, Ns::DOMAIN, name, handle, "domains have no contacts here"));
    }
    if registry.contact(handle).is_none() {
        return Err(Refusal::quoting(2303, Ns::DOMAIN, name, handle, "no such contact"));
    }
    Ok(())
}

/// The authorisation information that a client states; nothing where it takes it away.
pub(super) fn changed_auth(auth: &AuthInfo) -> Updated<Option<AuthInfo>> {
    match auth {
        AuthInfo::Null => Ok(None),
        AuthInfo::Password { pw, .. } if pw.reveal().is_empty() => Ok(None),
        AuthInfo::Password { .. } => Ok(Some(auth.clone())),
        AuthInfo::Extended => Err(Refusal::new(2102, "authorisation information is a password here")),
    }
}

fn remove_all<T: PartialEq>(all: &mut Vec<T>, removed: &[T], name: &'static str, ns: Ns) -> Updated<()> {
    for item in removed {
        match all.iter().position(|there| there == item) {
            Some(at) => drop(all.remove(at)),
            None => return Err(Refusal::quoting(2306, ns, name, "", "it is not there")),
        }
    }
    Ok(())
}

fn add_all<T: PartialEq + Clone>(all: &mut Vec<T>, added: &[T], name: &'static str, ns: Ns) -> Updated<()> {
    for item in added {
        if all.contains(item) {
            return Err(Refusal::quoting(2306, ns, name, "", "it is there already"));
        }
        all.push(item.clone());
    }
    Ok(())
}
