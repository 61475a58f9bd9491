//! EURid's extensions: contact-ext 1.3 and 1.4, domain-ext 2.5 and 2.6, poll-1.2, authInfo-1.1 and registrarHitPoints-1.0.

use super::super::encoder::Encoder;
use super::super::field::{self, date, number, token};
use super::super::rule;
use super::carrier::{Carrier, Leaf, Writes, put, put_truth};
use crate::base::Handle;
use crate::model::{AuthCodeOrder, ContactRef, Date, Domain, HitPoints, PollData, Role};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// What a contact is.
pub(super) static CONTACT_EXT: Carrier = Carrier {
    versions: &[Ns::CONTACT_EXT_1_3, Ns::CONTACT_EXT_1_4],
    xmlns: "xmlns:contact-ext",
    create: "contact-ext:create",
    update: "contact-ext:update",
    change: Some("contact-ext:chg"),
    leaves: &[
        Leaf::new("type", "contact-ext:type", &rule::CONTACT_TYPE, Writes::Once),
        Leaf::new("vat", "contact-ext:vat", &rule::VAT, Writes::May),
        Leaf::new("lang", "contact-ext:lang", &rule::TWO, Writes::Always),
        Leaf::new("whoisEmail", "contact-ext:whoisEmail", &rule::TOKEN_255, Writes::May),
        Leaf::truth("naturalPerson", "contact-ext:naturalPerson", Writes::Always),
        Leaf::new("countryOfCitizenship", "contact-ext:countryOfCitizenship", &rule::CITIZENSHIP, Writes::May),
        Leaf::truth("hasReservedDomain", "contact-ext:hasReservedDomain", Writes::Never),
        Leaf::truth("hasDomainOnHold", "contact-ext:hasDomainOnHold", Writes::Never),
        Leaf::truth("hasDomainRegistryLock", "contact-ext:hasDomainRegistryLock", Writes::Never),
        Leaf::truth("hasDomainRegistrarLock", "contact-ext:hasDomainRegistrarLock", Writes::Never),
    ],
};

/// Versions of domain-ext, the oldest first.
const DOMAIN_EXT: [Ns; 2] = [Ns::DOMAIN_EXT_2_5, Ns::DOMAIN_EXT_2_6];
/// Elements of domain-ext's `infData` that hold truth values, and those that hold others.
const TRUTHS: [&str; 6] = ["onHold", "reserved", "quarantined", "suspended", "seized", "delayed"];
const TEXTS: [&str; 9] = [
    "scheduledSuspensionDate",
    "availableDate",
    "deletionDate",
    "nsgroup",
    "keygroup",
    "maxExtensionPeriod",
    "registrantCountry",
    "registrantCountryOfCitizenship",
    "registrarReference",
];

/// Whether `ns` is a version of domain-ext.
pub(super) fn is_domain_ext(ns: Ns) -> bool {
    DOMAIN_EXT.contains(&ns)
}

/// Contacts in roles that only domain-ext has.
fn others(contacts: &[ContactRef]) -> impl Iterator<Item = &ContactRef> {
    contacts.iter().filter(|c| c.role.is_none() && !c.kind.is_empty())
}

/// The version of domain-ext to write, where there are contacts that only it can carry.
fn version(e: &mut Encoder<'_>, agreed: &[Box<str>], contacts: [&[ContactRef]; 2]) -> Option<Ns> {
    if contacts.iter().all(|c| others(c).next().is_none()) {
        return None;
    }
    let version = DOMAIN_EXT.into_iter().rev().find(|ns| agreed.iter().any(|uri| **uri == *ns.uri()));
    if version.is_none() {
        e.refuse("domain:contact", "has a type that neither the schema nor an extension agreed on here knows");
    }
    version
}

/// Whether `contacts` of a create have to go into domain-ext, and in which version.
pub(in crate::protocol::epp) fn needed(e: &mut Encoder<'_>, agreed: &[Box<str>], add: &[ContactRef], rem: &[ContactRef]) -> Option<Ns> {
    version(e, agreed, [add, rem])
}

/// Writes the contacts of a create that only domain-ext has a place for.
pub(in crate::protocol::epp) fn create(e: &mut Encoder<'_>, ns: Ns, contacts: &[ContactRef]) {
    e.within("domain-ext:create", &[("xmlns:domain-ext", ns.uri())], |e| write_contacts(e, contacts));
}

/// The same of an update.
pub(in crate::protocol::epp) fn update(e: &mut Encoder<'_>, ns: Ns, add: &[ContactRef], rem: &[ContactRef]) {
    e.within("domain-ext:update", &[("xmlns:domain-ext", ns.uri())], |e| {
        for (tag, contacts) in [("domain-ext:add", add), ("domain-ext:rem", rem)] {
            if others(contacts).next().is_some() {
                e.within(tag, &[], |e| write_contacts(e, contacts));
            }
        }
    });
}

fn write_contacts(e: &mut Encoder<'_>, contacts: &[ContactRef]) {
    for contact in others(contacts) {
        e.check("domain-ext:contact", &contact.kind, &rule::CONTACT_TYPE);
        e.leaf_with("domain-ext:contact", &[("type", &contact.kind)], contact.handle.as_str(), &rule::ID);
    }
}

/// Puts what domain-ext's `infData` says into `domain`: the registry's facts as properties, further contacts as contacts.
pub(super) fn domain(e: Element<'_>, domain: &mut Domain) {
    for child in e.children().filter(|c| c.ns() == e.ns()) {
        let name = child.local();
        if let Some(key) = TRUTHS.into_iter().find(|key| *key == name) {
            put_truth(&mut domain.properties, key, child);
        } else if let Some(key) = TEXTS.into_iter().find(|key| *key == name) {
            put(&mut domain.properties, key, child);
        } else if name == "contact"
            && let Some(handle) = token(child)
        {
            let kind = child.attr("type").unwrap_or_default();
            let role = Role::ALL.into_iter().find(|role| role.as_str() == kind);
            domain.contacts.push(ContactRef { role, kind: kind.into(), handle: Handle::new(handle) });
        }
    }
}

/// Reads poll-1.2's `pollData`; without the object that it is about it stays unknown.
pub(super) fn poll(e: Element<'_>) -> Option<PollData> {
    let object = token(e.children().find(|c| c.is(Ns::EURID_POLL, "object"))?)?;
    let part = |local| e.child(Ns::EURID_POLL, local).and_then(token);
    Some(PollData {
        context: part("context").unwrap_or_default(),
        object_type: part("objectType").unwrap_or_default(),
        object,
        object_unicode: part("objectUnicode"),
        action: part("action").unwrap_or_default(),
        code: e.child(Ns::EURID_POLL, "code").and_then(number),
        detail: part("detail"),
        registrar: part("registrar"),
    })
}

/// Writes the order to make an authorisation code, or to end it, behind the domain's info.
pub(in crate::protocol::epp) fn auth_code(e: &mut Encoder<'_>, agreed: &[Box<str>], order: AuthCodeOrder) {
    const NS: Ns = Ns::EURID_AUTH_INFO;
    if !agreed.iter().any(|uri| **uri == *NS.uri()) {
        e.refuse("authInfo:info", "needs an extension that the login did not name");
    }
    let tag = match order {
        AuthCodeOrder::Request => "authInfo:request",
        AuthCodeOrder::Cancel => "authInfo:cancel",
    };
    e.within("extension", &[], |e| e.within("authInfo:info", &[("xmlns:authInfo", NS.uri())], |e| e.empty(tag, &[])));
}

/// Reads authInfo-1.1's `infData`.
pub(super) fn auth_info(e: Element<'_>) -> Option<Date> {
    e.child(Ns::EURID_AUTH_INFO, "validUntil").and_then(date)
}

/// Writes the question for the account's points.
pub(in crate::protocol::epp) fn hit_points_info(e: &mut Encoder<'_>) {
    let xmlns = [("xmlns:registrarHitPoints", Ns::EURID_HIT_POINTS.uri())];
    e.within("info", &[], |e| e.empty("registrarHitPoints:info", &xmlns));
}

/// Reads a child of `<resData>` in the namespace of registrarHitPoints-1.0.
///
/// # Errors
/// What makes it unreadable.
pub(in crate::protocol::epp) fn hit_points(e: Element<'_>) -> Result<Option<HitPoints>, &'static str> {
    if e.local() != "infData" {
        return Ok(None);
    }
    let count = |local| field::name_of(e, Ns::EURID_HIT_POINTS, local, "hit points without a count");
    let read = |text: Box<str>| text.parse().map_err(|_| "hit points that are no number");
    Ok(Some(HitPoints {
        points: count("nbrHitPoints").and_then(read)?,
        most: count("maxNbrHitPoints").and_then(read)?,
        blocked_until: e.child(Ns::EURID_HIT_POINTS, "blockedUntil").and_then(date),
    }))
}
