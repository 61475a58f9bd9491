//! Extensions that a type knows. Each reads its own element, and leaves it unknown where it cannot.

mod carrier;
pub(super) mod changepoll;
pub(super) mod eurid;
mod extcon;
pub(super) mod extdom;
pub(super) mod extepp;
mod fury;
pub(super) mod loginsec;
pub(super) mod rgp;
pub(super) mod secdns;
pub(super) mod unhandled;

use super::encoder::Encoder;
use crate::model::{Extension, Properties, ResData};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;
use carrier::Carrier;
use eurid::CONTACT_EXT;
use extcon::EXTCON;

/// Extensions with an element of its own for each property of a contact.
static OF_CONTACTS: [&Carrier; 2] = [&EXTCON, &CONTACT_EXT];

/// Writes a new contact's `properties` into the extension that the login named among `agreed`. What none of them can carry is refused.
pub(super) fn new_contact(e: &mut Encoder<'_>, agreed: &[Box<str>], properties: &Properties) {
    contact(e, agreed, properties, &Properties::new(), true);
}

/// The same of an update, which sets `properties` and takes the values in `removed` away.
pub(super) fn changed_contact(e: &mut Encoder<'_>, agreed: &[Box<str>], properties: &Properties, removed: &Properties) {
    contact(e, agreed, properties, removed, false);
}

fn contact(e: &mut Encoder<'_>, agreed: &[Box<str>], properties: &Properties, removed: &Properties, creates: bool) {
    let carrier = OF_CONTACTS.into_iter().find_map(|carrier| carrier.agreed(agreed).map(|ns| (carrier, ns)));
    let fury = fury::agreed(agreed).filter(|_| carrier.is_none());
    let homeless = properties.iter().map(|(key, _)| key).find(|key| match carrier {
        Some((carrier, _)) => !carrier.takes(key, creates),
        None => fury.is_none(),
    });
    // Where a value has an element of its own, the new one takes its place, and without a new one it stays.
    let kept = removed.iter().map(|(key, _)| key).find(|key| fury.is_none() && properties.get(key).is_none());
    let verb = if creates { "in a create" } else { "in an update" };
    for (key, what) in [(homeless, verb), (kept, "to take it away")] {
        if let Some(key) = key {
            let key = crate::base::escape_controls(key);
            e.refuse("properties", format!("`{key}`: no extension that the login named can carry it {what}"));
            return;
        }
    }
    if properties.is_empty() && removed.is_empty() {
        return;
    }
    e.within("extension", &[], |e| match (carrier, fury) {
        (Some((carrier, ns)), _) => carrier.write(e, ns, properties, creates),
        (None, Some(ns)) if creates => fury::create(e, ns, properties),
        (None, Some(ns)) => fury::update(e, ns, properties, removed),
        (None, None) => {}
    });
}

/// Puts what a child of `<extension>` says of the answer's contact or domain into it. Whether it is such an extension.
pub(super) fn extend(data: &mut [ResData], e: Element<'_>) -> bool {
    let found = data.iter_mut().find(|data| matches!(data, ResData::Contact(_) | ResData::Domain(_)));
    match (e.ns(), e.local(), found) {
        (Ns::EXTCON, "infData", Some(ResData::Contact(contact))) => EXTCON.read(e, &mut contact.properties),
        (Ns::CONTACT_EXT_1_3 | Ns::CONTACT_EXT_1_4, "infData", Some(ResData::Contact(contact))) => {
            CONTACT_EXT.read(e, &mut contact.properties);
        }
        (ns, "infData", Some(ResData::Domain(domain))) if eurid::is_domain_ext(ns) => eurid::domain(e, domain),
        (Ns::EXTDOM, "infData", Some(ResData::Domain(domain))) => extdom::own_statuses(e, &mut domain.properties),
        (Ns::REG_TYPE, "infData", Some(ResData::Domain(domain))) => fury::registration_type(e, &mut domain.properties),
        (ns, "info" | "infData", Some(ResData::Domain(domain))) if fury::is_fury(ns) => fury::read(e, &mut domain.properties),
        (ns, "info" | "infData", Some(ResData::Contact(contact))) if fury::is_fury(ns) => fury::read(e, &mut contact.properties),
        _ => return false,
    }
    let _known = e.seen();
    true
}

/// Reads a child of `<extension>`, or nothing where no type knows it, or where it lacks what makes it readable.
pub(super) fn decode(e: Element<'_>) -> Option<Extension> {
    let read = typed(e);
    if read.is_some() {
        let _known = e.seen();
    } else {
        e.forget();
    }
    read
}

fn typed(e: Element<'_>) -> Option<Extension> {
    match (e.ns(), e.local()) {
        (Ns::SEC_DNS, "infData") => Some(Extension::SecDns(secdns::decode(e))),
        (Ns::RGP, "infData" | "upData") => Some(Extension::Rgp(rgp::decode(e))),
        (Ns::LOGIN_SEC, "loginSecData") => Some(Extension::LoginSecurity(loginsec::decode(e))),
        (Ns::CHANGE_POLL, "changeData") => changepoll::decode(e).map(Extension::ChangePoll),
        (Ns::EXTEPP, "creditMsgData") => extepp::credit(e).map(Extension::Credit),
        (Ns::EXTEPP, "passwdReminder") => extepp::password(e).map(Extension::PasswordExpires),
        (Ns::EXTEPP, "wrongNamespaceReminder") => Some(Extension::WrongNamespaces(extepp::namespaces(e))),
        (Ns::EXTDOM, local) => of_domains(e, local),
        (Ns::EURID_POLL, "pollData") => eurid::poll(e).map(Extension::PollData),
        (Ns::EURID_AUTH_INFO, "infData") => eurid::auth_info(e).map(Extension::AuthInfoUntil),
        _ => None,
    }
}

/// Reads an element of extdom-2.0.
fn of_domains(e: Element<'_>, local: &str) -> Option<Extension> {
    match local {
        "infContactsData" => Some(Extension::LinkedContacts(extdom::contacts(e))),
        "infNsToValidateData" => extdom::to_validate(e).map(Extension::NameServersToCheck),
        "remappedIdnData" => extdom::remapped(e).map(Extension::Remapped),
        "chgStatusMsgData" => extdom::status_change(e).map(Extension::StatusChange),
        "simpleMsgData" => extdom::about(e).map(Extension::About),
        "dlgMsgData" => extdom::lost_delegation(e).map(Extension::LostDelegation),
        "dnsErrorMsgData" => extdom::dns_error(e).map(|check| Extension::DnsCheck(Box::new(check))),
        "dnsWarningMsgData" => extdom::dns_warning(e).map(|check| Extension::DnsCheck(Box::new(check))),
        "delayedDebitAndRefundMsgData" | "refundRenewsForBulkTransferMsgData" => extdom::refund(e).map(Extension::Refund),
        _ => None,
    }
}
