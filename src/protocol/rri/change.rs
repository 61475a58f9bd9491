//! Changes in the terms all registries share, made into whole objects: what a change does not mention stays as it was read.

use super::contact::inline_phone;
use super::further::{self, SECOND, STREET, TYPE, URI_TEMPLATE, VERIFICATION};
use crate::base::{Blame, Handle, Personal, Problem, Result};
use crate::model::{
    Address, Command, Contact, ContactChange, ContactRef, ContactUpdate, DomainUpdate, HostAttr, HostsFilter, NameServers, Phone,
    PostalForm, PostalInfo, Properties, Query, RriAnswer, RriChange, RriContact, RriDomain, RriKind, RriObject, Transform, Verification,
};

/// What must be read before `command` can be put together; nothing where it stands on its own.
#[must_use]
pub fn reads_first(command: &Command) -> Option<Query> {
    let Command::Transform(transform) = command else { return None };
    match &**transform {
        Transform::ContactUpdate(update) => Some(Query::ContactInfo { id: update.id.clone(), auth: None }),
        Transform::DomainUpdate(update) => Some(Query::DomainInfo { name: update.name.clone(), hosts: HostsFilter::All, auth: None }),
        _ => None,
    }
}

/// `command` as the replacement of the whole object in `read`, the answer to what [`reads_first`] asks.
///
/// # Errors
/// `E-rri-006` where the object could not be read wholly; `E-rri-003` for what the registry has no field or no word for.
pub fn complete(command: &Command, read: &RriAnswer) -> Result<Command> {
    let Command::Transform(transform) = command else { return Ok(command.clone()) };
    let contact = |object: &RriObject| if let RriObject::Contact(contact) = object { Some((**contact).clone()) } else { None };
    let domain = |object: &RriObject| if let RriObject::Domain(domain) = object { Some((**domain).clone()) } else { None };
    let change = match &**transform {
        Transform::ContactUpdate(update) => {
            let was = read.objects.iter().find_map(contact).ok_or_else(|| not_whole(update.id.as_str()))?;
            contact_update(was, update).map_err(|problem| problem.object(update.id.as_str()))?
        }
        Transform::DomainUpdate(update) => {
            let was = read.objects.iter().find_map(domain).ok_or_else(|| not_whole(update.name.as_str()))?;
            domain_update(was, update).map_err(|problem| problem.object(update.name.as_str()))?
        }
        _ => return Ok(command.clone()),
    };
    Ok(Command::Transform(Box::new(Transform::Rri(Box::new(change)))))
}

/// A contact to create, in the registry's own terms.
///
/// # Errors
/// `E-rri-003` where `contact` has no type, or what this registry has no field for.
pub(super) fn created(contact: &Contact) -> Result<RriContact> {
    let mut new = RriContact::bare(contact.id.clone(), kind(contact.properties.get(TYPE))?);
    let change = ContactChange {
        postal: contact.postal.clone(),
        voice: contact.voice.clone(),
        fax: contact.fax.clone(),
        email: contact.email.clone(),
        // What a client must send elsewhere, and this registry has not.
        auth: None,
        disclose: contact.disclose,
        properties: contact.properties.clone(),
        removed: Properties::new(),
    };
    change_contact(&mut new, &change)?;
    Ok(new)
}

fn contact_update(was: RriContact, update: &ContactUpdate) -> Result<RriChange> {
    if !update.add.is_empty() || !update.rem.is_empty() {
        return Err(foreign("statuses"));
    }
    let mut to = was.clone();
    let drop = update.chg.as_ref().map_or(Ok(Vec::new()), |chg| change_contact(&mut to, chg))?;
    Ok(RriChange::ContactUpdate { was, to, drop })
}

/// Changes `contact`; gives the keywords of which it may have fewer than before, since the change speaks of them.
fn change_contact(contact: &mut RriContact, chg: &ContactChange) -> Result<Vec<Box<str>>> {
    if chg.disclose.is_some() {
        return Err(foreign("disclose"));
    }
    if chg.auth.is_some() {
        return Err(foreign("auth"));
    }
    if chg.fax.as_ref().is_some_and(|fax| !fax.number.is_empty()) {
        return Err(foreign("fax"));
    }
    if chg.removed.iter().any(|(key, _)| chg.properties.get(key).is_none()) {
        return Err(foreign("removed"));
    }
    let mut drop: Vec<Box<str>> = Vec::new();
    let postal = chg.postal.iter().find(|p| p.form == PostalForm::Loc).or(chg.postal.first());
    if let Some(PostalInfo { name, org, addr, .. }) = postal {
        if let Some(name) = name {
            contact.name = Some(name.clone());
        }
        if let Some(org) = org {
            first(&mut contact.organisations, org);
            drop.push("Organisation".into());
        }
        if let Some(addr) = addr {
            change_address(contact, addr)?;
            drop.push("Address".into());
            drop.push("PostalCode".into());
        }
    }
    if let Some(voice) = &chg.voice {
        contact.phone = phone(voice);
        drop.push("Phone".into());
    }
    if let Some(email) = &chg.email {
        first(&mut contact.emails, email);
        drop.push("EMail".into());
    }
    change_properties(contact, &chg.properties)?;
    Ok(drop)
}

/// An address is replaced as a whole; lines that it has no room for stay where it fills the room it has.
fn change_address(contact: &mut RriContact, addr: &Address) -> Result<()> {
    if addr.sp.as_ref().is_some_and(|sp| !sp.is_empty()) {
        return Err(foreign("sp"));
    }
    let room = STREET - 1;
    let further = if addr.street.len() == room { contact.address.get(room..).unwrap_or_default().to_vec() } else { Vec::new() };
    contact.address = addr.street.iter().cloned().chain(further).collect();
    contact.postal_code.clone_from(&addr.pc);
    contact.city = Some(addr.city.clone());
    contact.country = Some(addr.cc.clone());
    Ok(())
}

fn change_properties(contact: &mut RriContact, properties: &Properties) -> Result<()> {
    for (key, value) in properties.iter() {
        match key {
            TYPE => contact.kind = kind(Some(value))?,
            URI_TEMPLATE => contact.uri_template = Some(value.into()),
            VERIFICATION => place(&mut contact.verifications, 1, verification(value)?, VERIFICATION)?,
            _ => {}
        }
    }
    for (n, value) in further::numbered(properties, VERIFICATION) {
        place(&mut contact.verifications, n, verification(value)?, VERIFICATION)?;
    }
    let lists =
        [("street", STREET, &mut contact.address), ("org", SECOND, &mut contact.organisations), ("email", SECOND, &mut contact.emails)];
    for (field, least, values) in lists {
        for (n, value) in further::numbered(properties, field) {
            if n < least {
                return Err(unplaced(field));
            }
            place(values, n, Personal::from(value), field)?;
        }
    }
    let fields = ["street", "org", "email", VERIFICATION];
    let is_known =
        |key: &str| [TYPE, URI_TEMPLATE, VERIFICATION].contains(&key) || fields.iter().any(|field| further::number(key, field).is_some());
    properties.iter().find(|(key, _)| !is_known(key)).map_or(Ok(()), |(key, _)| Err(foreign(key)))
}

/// Puts `value` in the `n`th place, counted from 1: over the one there, or behind the last.
fn place<T>(values: &mut Vec<T>, n: usize, value: T, field: &str) -> Result<()> {
    let at = n.checked_sub(1).filter(|at| *at <= values.len()).ok_or_else(|| unplaced(field))?;
    match values.get_mut(at) {
        Some(there) => *there = value,
        None => values.push(value),
    }
    Ok(())
}

/// Replaces the first of `values`; an empty value removes it.
fn first(values: &mut Vec<Personal>, value: &Personal) {
    match (values.first_mut(), value.is_empty()) {
        (Some(_), true) => drop(values.remove(0)),
        (Some(there), false) => *there = value.clone(),
        (None, false) => values.push(value.clone()),
        (None, true) => {}
    }
}

fn phone(voice: &Phone) -> Option<Personal> {
    (!voice.number.is_empty()).then(|| inline_phone(voice))
}

fn kind(text: Option<&str>) -> Result<RriKind> {
    text.and_then(RriKind::read).ok_or_else(|| {
        let what = "the registry wants to know what a contact is: PERSON, ORG or REQUEST";
        Problem::new("E-rri-003", Blame::Input, what, "set the property `type` to one of them").field(TYPE)
    })
}

fn verification(text: &str) -> Result<Verification> {
    further::read_verification(text).ok_or_else(|| {
        let what = "a verification is written as properties: claim, result, reference, timestamp, evidence, method, trustFramework";
        Problem::new("E-rri-003", Blame::Input, what, "take the text from a snapshot, or leave the property out").field(VERIFICATION)
    })
}

fn domain_update(was: RriDomain, update: &DomainUpdate) -> Result<RriChange> {
    let foreign_part = [
        ("statuses", !update.add.statuses.is_empty() || !update.rem.statuses.is_empty()),
        ("auth", update.auth.is_some()),
        ("restore", update.restore),
        ("dsData", !update.ds.add_ds.is_empty() || !update.ds.rem_ds.is_empty()),
        ("maxSigLife", update.ds.max_sig_life.is_some()),
    ];
    if let Some((field, _)) = foreign_part.into_iter().find(|(_, is_there)| *is_there) {
        return Err(foreign(field));
    }
    let (mut to, mut drop) = (was.clone(), Vec::<Box<str>>::new());
    if let Some(holder) = &update.registrant {
        match to.holders.first_mut() {
            Some(first) => first.clone_from(holder),
            None => to.holders.push(holder.clone()),
        }
    }
    for contact in &update.rem.contacts {
        let (role, keyword) = role(&mut to, contact)?;
        if role.as_ref() == Some(&contact.handle) {
            *role = None;
            drop.push(keyword.into());
        }
    }
    for contact in &update.add.contacts {
        *role(&mut to, contact)?.0 = Some(contact.handle.clone());
    }
    if !update.rem.ns.is_empty() {
        to.servers.retain(|server| !update.rem.ns.names().any(|name| *name == server.name));
        drop.push("Nserver".into());
    }
    match &update.add.ns {
        NameServers::Attributes(servers) => to.servers.extend(servers.iter().cloned()),
        NameServers::Objects(names) => to.servers.extend(names.iter().map(|name| HostAttr { name: name.clone(), addrs: Vec::new() })),
    }
    if update.ds.remove_all || !update.ds.rem_keys.is_empty() {
        to.keys.retain(|key| !update.ds.remove_all && !update.ds.rem_keys.contains(key));
        drop.push("Dnskey".into());
    }
    to.keys.extend(update.ds.add_keys.iter().cloned());
    Ok(RriChange::DomainUpdate { was, to, drop })
}

/// The place of a contact's role at a domain, and its keyword.
fn role<'d>(domain: &'d mut RriDomain, contact: &ContactRef) -> Result<(&'d mut Option<Handle>, &'static str)> {
    match &*contact.kind {
        "general-request" => Ok((&mut domain.general_request, "GeneralRequest")),
        "abuse-contact" => Ok((&mut domain.abuse_contact, "AbuseContact")),
        kind => Err(foreign(kind)),
    }
}

/// What the registry has no field for.
fn foreign(field: &str) -> Box<Problem> {
    let what = "the registry has no such field, and the value would be lost";
    Problem::new("E-rri-003", Blame::Input, what, "move the value to a field that the registry has, or take it out").field(field)
}

/// A further value whose predecessors are not there.
fn unplaced(field: &str) -> Box<Problem> {
    let what = "a further value has a number that does not follow on those before it";
    Problem::new("E-rri-003", Blame::Input, what, "number further values without a gap").field(field)
}

/// An object that could not be read wholly cannot be replaced.
fn not_whole(object: &str) -> Box<Problem> {
    let what = "an update replaces the whole object, and the answer holds none that could be read wholly";
    Problem::new("E-rri-006", Blame::Registry, what, "change this object with the registry's own tools").object(object)
}
