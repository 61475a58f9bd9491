//! Extensions of commands: additional properties of contacts, and a domain's contacts in roles of the registry's own.

use super::{Kids, Read, Refusal, bounded, named, unexpected};
use crate::base::Handle;
use crate::model::{AuthCodeOrder, ContactRef, ContactsFilter, Properties};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// Contacts that an update of a domain adds and removes.
type Contacts = [Vec<ContactRef>; 2];

/// Properties that a command on a contact sets, and that it takes away.
type Changed = [Properties; 2];

/// Reads the properties that a command on a contact carries, and in which extension, if it does.
pub(super) fn of_contact<'t, I: Iterator<Item = Element<'t>>>(kids: &mut Kids<I>, creates: bool) -> Read<Option<(Ns, Changed)>> {
    let is_known = |e: &Element<'_>| matches!(e.ns(), Ns::EXTCON | Ns::CONTACT_EXT_1_3 | Ns::CONTACT_EXT_1_4 | Ns::FURY_2_0 | Ns::FURY_2_1);
    let Some(element) = kids.rest.next_if(is_known) else { return Ok(None) };
    named(element, if creates { "create" } else { "update" })?;
    let ns = element.ns();
    let mut changed = Changed::default();
    let [set, _] = &mut changed;
    match ns {
        Ns::EXTCON => extcon(element, creates, set)?,
        Ns::FURY_2_0 | Ns::FURY_2_1 => changed = fury(element, creates)?,
        _ => contact_ext(element, creates, set)?,
    }
    Ok(Some((ns, changed)))
}

/// Reads what is to become of a domain's authorisation code, where an info is such an order.
pub(super) fn auth_code<'t, I: Iterator<Item = Element<'t>>>(kids: &mut Kids<I>) -> Read<Option<AuthCodeOrder>> {
    const NS: Ns = Ns::EURID_AUTH_INFO;
    let Some(info) = kids.take(NS, "info") else { return Ok(None) };
    let mut parts = Kids::of(info);
    let order = match (parts.take(NS, "request"), parts.take(NS, "cancel")) {
        (Some(_), None) => AuthCodeOrder::Request,
        (None, Some(_)) => AuthCodeOrder::Cancel,
        _ => return Err(Refusal::quoting(2003, NS, "info", "", "either request or cancel")),
    };
    parts.end()?;
    Ok(Some(order))
}

/// Reads the contacts that an update of a domain carries in an extension, and in which, if it does.
pub(super) fn of_domain<'t, I: Iterator<Item = Element<'t>>>(kids: &mut Kids<I>) -> Read<Option<(Ns, Contacts)>> {
    let is_known = |e: &Element<'_>| matches!(e.ns(), Ns::DOMAIN_EXT_2_5 | Ns::DOMAIN_EXT_2_6);
    let Some(element) = kids.rest.next_if(is_known) else { return Ok(None) };
    named(element, "update")?;
    let ns = element.ns();
    let mut parts = Kids::of(element);
    let add = parts.take(ns, "add").map(|e| contacts(e, ns)).transpose()?.unwrap_or_default();
    let rem = parts.take(ns, "rem").map(|e| contacts(e, ns)).transpose()?.unwrap_or_default();
    parts.end()?;
    Ok(Some((ns, [add, rem])))
}

/// Reads which contacts an info about a domain asks for, if it does.
pub(super) fn contacts_wanted<'t, I: Iterator<Item = Element<'t>>>(kids: &mut Kids<I>) -> Read<Option<ContactsFilter>> {
    let Some(element) = kids.take(Ns::EXTDOM, "infContacts") else { return Ok(None) };
    let op = element.attr("op").unwrap_or_default();
    let which = ContactsFilter::ALL.into_iter().find(|which| which.as_str() == op);
    which.map(Some).ok_or_else(|| Refusal::quoting(2004, Ns::EXTDOM, "infContacts", op, "op is all, registrant, admin or tech"))
}

fn contacts(element: Element<'_>, ns: Ns) -> Read<Vec<ContactRef>> {
    let mut kids = Kids::of(element);
    let mut all = Vec::new();
    while let Some(contact) = kids.take(ns, "contact") {
        let kind = contact.attr("type").unwrap_or_default();
        if !matches!(kind, "onsite" | "reseller" | "tech" | "billing") {
            return Err(Refusal::quoting(2004, ns, "contact", kind, "no such type of contact"));
        }
        all.push(ContactRef { role: None, kind: kind.into(), handle: Handle::new(bounded(contact, ns, "contact", 3, 16)?) });
    }
    kids.end()?;
    Ok(all)
}

/// NicIT: whether the contact is published, and what a registrant is.
fn extcon(element: Element<'_>, creates: bool, into: &mut Properties) -> Read<()> {
    const NS: Ns = Ns::EXTCON;
    let mut kids = Kids::of(element);
    let consent = kids.take(NS, "consentForPublishing");
    if consent.is_none() && creates {
        return Err(Refusal::quoting(2003, NS, "consentForPublishing", "", "it is missing"));
    }
    if let Some(consent) = consent {
        into.set("consentForPublishing", truth(consent, "consentForPublishing")?);
    }
    if let Some(registrant) = kids.take(NS, "registrant") {
        let mut kids = Kids::of(registrant);
        let nationality = kids.text(NS, "nationalityCode", 2, 2)?;
        if !nationality.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(Refusal::quoting(2005, NS, "nationalityCode", &nationality, "two letters are wanted"));
        }
        into.set("nationalityCode", &nationality);
        let entity = kids.text(NS, "entityType", 1, 1)?;
        if !("1"..="7").contains(&&*entity) {
            return Err(Refusal::quoting(2004, NS, "entityType", &entity, "1 to 7 are possible"));
        }
        into.set("entityType", &entity);
        into.set("regCode", &kids.text(NS, "regCode", 1, 255)?);
        if let Some(school) = kids.text_if(NS, "schoolCode", 1, 255)? {
            into.set("schoolCode", &school);
        }
        kids.end()?;
    }
    kids.end()
}

/// EURid: what a contact is. Its type is given once.
fn contact_ext(element: Element<'_>, creates: bool, into: &mut Properties) -> Read<()> {
    let ns = element.ns();
    let mut outer = Kids::of(element);
    let mut kids = match (creates, outer.take(ns, "chg")) {
        (true, None) => Kids::of(element),
        (false, Some(chg)) => {
            outer.end()?;
            Kids::of(chg)
        }
        (true, Some(chg)) => return Err(unexpected(chg)),
        (false, None) => return outer.end(),
    };
    if creates {
        into.set("type", &kids.text(ns, "type", 1, 50)?);
    }
    let mut optional = |kids: &mut Kids<_>, key: &'static str, max| -> Read<()> {
        if let Some(value) = kids.text_if(ns, key, 0, max)? {
            into.set(key, &value);
        }
        Ok(())
    };
    optional(&mut kids, "vat", 20)?;
    optional(&mut kids, "lang", 2)?;
    optional(&mut kids, "whoisEmail", 255)?;
    match kids.take(ns, "naturalPerson") {
        Some(person) => into.set("naturalPerson", truth(person, "naturalPerson")?),
        None if creates => return Err(Refusal::quoting(2003, ns, "naturalPerson", "", "it is missing")),
        None => {}
    }
    if let Some(country) = kids.text_if(ns, "countryOfCitizenship", 0, 2)? {
        into.set("countryOfCitizenship", &country);
    }
    if creates && into.get("lang").is_none() {
        return Err(Refusal::quoting(2003, ns, "lang", "", "it is missing"));
    }
    kids.end()
}

/// Fury: properties by key, each with one value or more; an update adds and removes them by value.
fn fury(element: Element<'_>, creates: bool) -> Read<Changed> {
    let ns = element.ns();
    let mut kids = Kids::of(element);
    if creates {
        let list = kids.take(ns, "properties");
        kids.end()?;
        return Ok([values(list)?, Properties::new()]);
    }
    let [add, rem] = [kids.take(ns, "add"), kids.take(ns, "rem")];
    kids.end()?;
    let list = |part: Option<Element<'_>>| {
        let Some(part) = part else { return Ok(Properties::new()) };
        let mut kids = Kids::of(part);
        let list = kids.take(ns, "properties");
        kids.end()?;
        values(list)
    };
    Ok([list(add)?, list(rem)?])
}

/// The values in a list of Fury's; the second and further ones of a key under that key with their number behind it.
fn values(list: Option<Element<'_>>) -> Read<Properties> {
    let mut all = Properties::new();
    let Some(list) = list else { return Ok(all) };
    let ns = list.ns();
    let mut kids = Kids::of(list);
    while let Some(property) = kids.take(ns, "property") {
        let mut parts = Kids::of(property);
        let key = parts.text(ns, "key", 1, 255)?;
        if all.get(&key).is_some() {
            return Err(Refusal::quoting(2005, ns, "key", &key, "it stands twice"));
        }
        all.set(&key, &parts.text(ns, "value", 1, 255)?);
        let mut number = 2;
        while let Some(value) = parts.text_if(ns, "value", 1, 255)? {
            all.set(&format!("{key}.{number}"), &value);
            number += 1;
        }
        parts.end()?;
    }
    kids.end()?;
    Ok(all)
}

/// A truth value, in words.
fn truth(element: Element<'_>, name: &'static str) -> Read<&'static str> {
    match &*element.token() {
        "true" | "1" => Ok("true"),
        "false" | "0" => Ok("false"),
        other => Err(Refusal::quoting(2005, element.ns(), name, other, "true or false")),
    }
}
