//! A contact's `infData` (RFC 5733 §3.1.2).

use super::status;
use crate::base::Personal;
use crate::model::{Address, AuthInfo, Contact, Disclose, DiscloseForms, Phone, PostalInfo};
use crate::protocol::ns::Ns;
use crate::protocol::writer::XmlWriter;

/// Writes `contact`, with its authorisation information where `with_auth`.
pub(in crate::mock) fn contact_data(w: &mut XmlWriter<'_>, contact: &Contact, with_auth: bool) {
    w.element("contact:infData", &[("xmlns:contact", Ns::CONTACT.uri())], |w| contact_parts(w, contact, with_auth));
}

/// Writes what stands in an `infData`.
pub(super) fn contact_parts(w: &mut XmlWriter<'_>, contact: &Contact, with_auth: bool) {
    w.leaf("contact:id", &[], contact.id.as_str());
    w.optional("contact:roid", contact.roid.as_deref());
    for s in &contact.statuses {
        status(w, "contact:status", s);
    }
    if contact.statuses.is_empty() {
        w.empty("contact:status", &[("s", "ok")]);
    }
    for p in &contact.postal {
        postal_info(w, p);
    }
    phone(w, "contact:voice", contact.voice.as_ref());
    phone(w, "contact:fax", contact.fax.as_ref());
    w.optional("contact:email", contact.email.as_ref().map(Personal::reveal));
    w.optional("contact:clID", contact.sponsor.as_deref());
    w.optional("contact:crID", contact.created_by.as_deref());
    w.optional("contact:crDate", contact.created.as_ref().map(|d| &*d.raw));
    w.optional("contact:upID", contact.updated_by.as_deref());
    w.optional("contact:upDate", contact.updated.as_ref().map(|d| &*d.raw));
    w.optional("contact:trDate", contact.transferred.as_ref().map(|d| &*d.raw));
    if let Some(AuthInfo::Password { pw, .. }) = contact.auth.as_ref().filter(|_| with_auth) {
        w.element("contact:authInfo", &[], |w| w.leaf("contact:pw", &[], pw.reveal()));
    }
    if let Some(statement) = &contact.disclose {
        disclose(w, statement);
    }
}

/// Writes the `creData` of a contact (RFC 5733 §3.2.1).
pub(in crate::mock) fn contact_created(w: &mut XmlWriter<'_>, contact: &Contact) {
    w.element("contact:creData", &[("xmlns:contact", Ns::CONTACT.uri())], |w| {
        w.leaf("contact:id", &[], contact.id.as_str());
        w.optional("contact:crDate", contact.created.as_ref().map(|d| &*d.raw));
    });
}

fn postal_info(w: &mut XmlWriter<'_>, postal: &PostalInfo) {
    w.element("contact:postalInfo", &[("type", postal.form.as_str())], |w| {
        w.optional("contact:name", postal.name.as_ref().map(Personal::reveal));
        w.optional("contact:org", postal.org.as_ref().map(Personal::reveal));
        if let Some(addr) = &postal.addr {
            address(w, addr);
        }
    });
}

fn address(w: &mut XmlWriter<'_>, addr: &Address) {
    w.element("contact:addr", &[], |w| {
        for line in &addr.street {
            w.leaf("contact:street", &[], line.reveal());
        }
        w.leaf("contact:city", &[], addr.city.reveal());
        w.optional("contact:sp", addr.sp.as_ref().map(Personal::reveal));
        w.optional("contact:pc", addr.pc.as_ref().map(Personal::reveal));
        w.leaf("contact:cc", &[], &addr.cc);
    });
}

fn phone(w: &mut XmlWriter<'_>, name: &str, phone: Option<&Phone>) {
    let Some(phone) = phone else { return };
    match &phone.ext {
        Some(ext) => w.leaf(name, &[("x", ext.reveal())], phone.number.reveal()),
        None => w.leaf(name, &[], phone.number.reveal()),
    }
}

fn disclose(w: &mut XmlWriter<'_>, statement: &Disclose) {
    let forms = |w: &mut XmlWriter<'_>, name: &str, forms: DiscloseForms| {
        for (is_named, form) in [(forms.int, "int"), (forms.loc, "loc")] {
            if is_named {
                w.empty(name, &[("type", form)]);
            }
        }
    };
    w.element("contact:disclose", &[("flag", if statement.flag { "1" } else { "0" })], |w| {
        forms(w, "contact:name", statement.name);
        forms(w, "contact:org", statement.org);
        forms(w, "contact:addr", statement.addr);
        for (is_named, name) in [(statement.voice, "contact:voice"), (statement.fax, "contact:fax"), (statement.email, "contact:email")] {
            if is_named {
                w.empty(name, &[]);
            }
        }
    });
}
