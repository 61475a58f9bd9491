//! What an answer adds to a contact or a domain in the extensions that the login named.

use super::contact::contact_parts;
use crate::mock::decode::{Offender, Refusal};
use crate::model::{Contact, Date, Domain, HitPoints, Properties, Role};
use crate::protocol::ns::Ns;
use crate::protocol::writer::XmlWriter;

/// Extensions of contacts and of domains, newer versions first.
const OF_CONTACTS: [Ns; 5] = [Ns::EXTCON, Ns::CONTACT_EXT_1_4, Ns::CONTACT_EXT_1_3, Ns::FURY_2_1, Ns::FURY_2_0];
const OF_DOMAINS: [Ns; 6] = [Ns::EXTDOM, Ns::DOMAIN_EXT_2_6, Ns::DOMAIN_EXT_2_5, Ns::REG_TYPE, Ns::FURY_2_1, Ns::FURY_2_0];

/// Whether one of `offered` has a place for a contact's properties.
pub(in crate::mock) fn carries_properties(offered: &[String]) -> bool {
    OF_CONTACTS.iter().any(|ns| offered.iter().any(|uri| uri == ns.uri()))
}

/// The extension in which the login wants a contact's properties, where there are any.
pub(in crate::mock) fn of_contact(named: &[Box<str>], contact: &Contact) -> Option<Ns> {
    let ns = OF_CONTACTS.into_iter().find(|ns| named.iter().any(|uri| **uri == *ns.uri()))?;
    (!contact.properties.is_empty()).then_some(ns)
}

/// Writes a contact's properties in the extension `ns`.
pub(in crate::mock) fn contact_part(w: &mut XmlWriter<'_>, ns: Ns, contact: &Contact) {
    let of = &contact.properties;
    match ns {
        Ns::EXTCON => w.element("extcon:infData", &[("xmlns:extcon", ns.uri())], |w| extcon(w, of)),
        Ns::FURY_2_0 | Ns::FURY_2_1 => fury(w, ns, of.iter()),
        _ => w.element("contact-ext:infData", &[("xmlns:contact-ext", ns.uri())], |w| {
            for key in ["type", "vat", "lang", "whoisEmail", "naturalPerson", "countryOfCitizenship"] {
                w.optional(&format!("contact-ext:{key}"), of.get(key));
            }
            if ns == Ns::CONTACT_EXT_1_4 {
                for key in ["hasReservedDomain", "hasDomainOnHold", "hasDomainRegistryLock", "hasDomainRegistrarLock"] {
                    w.optional(&format!("contact-ext:{key}"), of.get(key));
                }
            }
        }),
    }
}

fn extcon(w: &mut XmlWriter<'_>, of: &Properties) {
    w.leaf("extcon:consentForPublishing", &[], of.get("consentForPublishing").unwrap_or("false"));
    if of.get("entityType").is_some() {
        w.element("extcon:registrant", &[], |w| {
            for key in ["nationalityCode", "entityType", "regCode", "schoolCode"] {
                w.optional(&format!("extcon:{key}"), of.get(key));
            }
        });
    }
}

/// The extensions in which the login wants a domain's facts, where there are any; of each family the newest version.
pub(in crate::mock) fn of_domain(named: &[Box<str>], domain: &Domain) -> Vec<Ns> {
    let mut all: Vec<Ns> = Vec::new();
    for ns in OF_DOMAINS.into_iter().filter(|ns| named.iter().any(|uri| **uri == *ns.uri())) {
        let older = match ns {
            Ns::DOMAIN_EXT_2_5 => all.contains(&Ns::DOMAIN_EXT_2_6),
            Ns::FURY_2_0 => all.contains(&Ns::FURY_2_1),
            _ => false,
        };
        let is_there = match ns {
            Ns::EXTDOM => domain.properties.get("ownStatus").is_some(),
            Ns::REG_TYPE => domain.properties.get("registrationType").is_some(),
            Ns::FURY_2_0 | Ns::FURY_2_1 => domain.properties.iter().any(|(key, _)| key != "registrationType"),
            _ => !domain.properties.is_empty(),
        };
        if is_there && !older {
            all.push(ns);
        }
    }
    all
}

/// Writes a domain's facts in the extension `ns`.
pub(in crate::mock) fn domain_part(w: &mut XmlWriter<'_>, ns: Ns, domain: &Domain) {
    let of = &domain.properties;
    match ns {
        Ns::EXTDOM => w.element("extdom:infData", &[("xmlns:extdom", ns.uri())], |w| {
            for (_, status) in of.iter().filter(|(key, _)| *key == "ownStatus" || key.starts_with("ownStatus.")) {
                w.empty("extdom:ownStatus", &[("s", status)]);
            }
        }),
        Ns::REG_TYPE => w.element("regtype:infData", &[("xmlns:regtype", ns.uri())], |w| {
            w.optional("regtype:type", of.get("registrationType"));
        }),
        Ns::FURY_2_0 | Ns::FURY_2_1 => fury(w, ns, of.iter().filter(|(key, _)| *key != "registrationType")),
        _ => w.element("domain-ext:infData", &[("xmlns:domain-ext", ns.uri())], |w| domain_ext(w, ns, domain)),
    }
}

fn domain_ext(w: &mut XmlWriter<'_>, ns: Ns, domain: &Domain) {
    let of = &domain.properties;
    for key in ["onHold", "reserved", "quarantined", "suspended", "seized"] {
        w.leaf(&format!("domain-ext:{key}"), &[], of.get(key).unwrap_or("false"));
    }
    w.optional("domain-ext:availableDate", of.get("availableDate"));
    if ns == Ns::DOMAIN_EXT_2_6 {
        w.optional("domain-ext:scheduledSuspensionDate", of.get("scheduledSuspensionDate"));
    }
    w.optional("domain-ext:deletionDate", of.get("deletionDate"));
    for contact in domain.contacts.iter().filter(|c| c.role.is_none()) {
        w.leaf("domain-ext:contact", &[("type", &contact.kind)], contact.handle.as_str());
    }
    w.leaf("domain-ext:delayed", &[], of.get("delayed").unwrap_or("false"));
    w.leaf("domain-ext:maxExtensionPeriod", &[], of.get("maxExtensionPeriod").unwrap_or("9"));
    w.leaf("domain-ext:registrantCountry", &[], of.get("registrantCountry").unwrap_or("BE"));
    w.optional("domain-ext:registrarReference", of.get("registrarReference"));
}

fn fury<'p>(w: &mut XmlWriter<'_>, ns: Ns, of: impl Iterator<Item = (&'p str, &'p str)>) {
    w.element("fury:info", &[("xmlns:fury", ns.uri())], |w| {
        w.element("fury:properties", &[], |w| {
            for (key, value) in of {
                w.element("fury:property", &[], |w| {
                    w.leaf("fury:key", &[], key);
                    w.leaf("fury:value", &[], value);
                });
            }
        });
    });
}

/// Writes the contacts that a domain names, each with its role, none for the registrant.
pub(in crate::mock) fn linked_contacts(w: &mut XmlWriter<'_>, contacts: &[(Option<Role>, Contact)]) {
    w.element("extdom:infContactsData", &[("xmlns:extdom", Ns::EXTDOM.uri())], |w| {
        for (role, contact) in contacts {
            let data = |w: &mut XmlWriter<'_>| {
                w.element("extdom:infContact", &[("xmlns:contact", Ns::CONTACT.uri())], |w| contact_parts(w, contact, false));
                w.element("extdom:extInfo", &[("xmlns:extcon", Ns::EXTCON.uri())], |w| extcon(w, &contact.properties));
            };
            match role {
                None => w.element("extdom:registrant", &[], data),
                Some(role) => w.element("extdom:contact", &[("type", role.as_str())], data),
            }
        }
    });
}

/// Writes until when the authorisation code in the same answer holds.
pub(in crate::mock) fn auth_until(w: &mut XmlWriter<'_>, until: &Date) {
    w.element("authInfo:infData", &[("xmlns:authInfo", Ns::EURID_AUTH_INFO.uri())], |w| w.leaf("authInfo:validUntil", &[], &until.raw));
}

/// Writes the account's points.
pub(in crate::mock) fn hit_points(w: &mut XmlWriter<'_>, told: &HitPoints) {
    w.element("registrarHitPoints:infData", &[("xmlns:registrarHitPoints", Ns::EURID_HIT_POINTS.uri())], |w| {
        w.number("registrarHitPoints:nbrHitPoints", told.points);
        w.number("registrarHitPoints:maxNbrHitPoints", told.most);
        w.optional("registrarHitPoints:blockedUntil", told.blocked_until.as_ref().map(|d| &*d.raw));
    });
}

/// Writes the account's credit.
pub(in crate::mock) fn credit(w: &mut XmlWriter<'_>, amount: &str) {
    w.element("extepp:creditMsgData", &[("xmlns:extepp", Ns::EXTEPP.uri())], |w| w.leaf("extepp:credit", &[], amount));
}

/// Writes why a command was refused, with the registry's own `number` of the reason (extepp-2.0).
pub(super) fn reason(w: &mut XmlWriter<'_>, refusal: &Refusal, number: u16) {
    let xmlns = [("xmlns:extepp", Ns::EXTEPP.uri())];
    if let Some(Offender { uri, name, text }) = &refusal.offender {
        w.element("value", &[], |w| {
            w.element("extepp:wrongValue", &xmlns, |w| {
                w.leaf("extepp:element", &[], name);
                w.leaf("extepp:namespace", &[], uri);
                w.leaf("extepp:value", &[], text);
            });
        });
    }
    w.element("extValue", &[], |w| {
        w.element("value", &[], |w| w.leaf("extepp:reasonCode", &xmlns, &number.to_string()));
        w.leaf("reason", &[("lang", "en")], &refusal.reason);
    });
}
