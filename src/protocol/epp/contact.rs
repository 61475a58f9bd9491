//! Contacts (RFC 5733).

use super::encoder::Encoder;
use super::field::{self, date, token};
use super::object::{self, AuthNames};
use super::{ext, rule};
use crate::base::{Handle, Personal};
use crate::model::{
    Address, AuthInfo, Contact, ContactUpdate, Disclose, DiscloseForms, Phone, PostalForm, PostalInfo, ResData, StatusValue,
};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// The declaration on each element of the object.
const XMLNS: &[(&str, &str)] = &[("xmlns:contact", Ns::CONTACT.uri())];
const AUTH: AuthNames = AuthNames { outer: "contact:authInfo", pw: "contact:pw", null: None };
/// `contact:statusValueType`.
const STATUSES: &[StatusValue] = &[
    StatusValue::CLIENT_DELETE_PROHIBITED,
    StatusValue::CLIENT_TRANSFER_PROHIBITED,
    StatusValue::CLIENT_UPDATE_PROHIBITED,
    StatusValue::LINKED,
    StatusValue::OK,
    StatusValue::PENDING_CREATE,
    StatusValue::PENDING_DELETE,
    StatusValue::PENDING_TRANSFER,
    StatusValue::PENDING_UPDATE,
    StatusValue::SERVER_DELETE_PROHIBITED,
    StatusValue::SERVER_TRANSFER_PROHIBITED,
    StatusValue::SERVER_UPDATE_PROHIBITED,
];
/// The most statuses in one `<add>` or `<rem>`.
const MAX_STATUSES: usize = 7;

/// Writes a check.
pub(super) fn check(e: &mut Encoder<'_>, ids: &[Handle]) {
    if ids.is_empty() {
        e.refuse("contact:id", "is missing: a check asks for at least one handle");
    }
    e.within("check", &[], |e| {
        e.within("contact:check", XMLNS, |e| {
            for id in ids {
                e.leaf("contact:id", id.as_str(), &rule::ID);
            }
        });
    });
}

/// Writes an info.
pub(super) fn info(e: &mut Encoder<'_>, id: &Handle, auth: Option<&AuthInfo>) {
    e.within("info", &[], |e| e.within("contact:info", XMLNS, |e| identified(e, id, auth)));
}

/// Writes a transfer query.
pub(super) fn transfer_query(e: &mut Encoder<'_>, id: &Handle, auth: Option<&AuthInfo>) {
    e.within("transfer", &[("op", "query")], |e| e.within("contact:transfer", XMLNS, |e| identified(e, id, auth)));
}

/// Writes a delete.
pub(super) fn delete(e: &mut Encoder<'_>, id: &Handle) {
    e.within("delete", &[], |e| e.within("contact:delete", XMLNS, |e| identified(e, id, None)));
}

fn identified(e: &mut Encoder<'_>, id: &Handle, auth: Option<&AuthInfo>) {
    e.leaf("contact:id", id.as_str(), &rule::ID);
    object::auth(e, &AUTH, auth);
}

/// Writes a create.
pub(super) fn create(e: &mut Encoder<'_>, contact: &Contact, agreed: &[Box<str>]) {
    e.within("create", &[], |e| {
        e.within("contact:create", XMLNS, |e| {
            e.leaf("contact:id", contact.id.as_str(), &rule::ID);
            if contact.postal.is_empty() {
                e.refuse("contact:postalInfo", "is missing");
            }
            forms(e, &contact.postal, true);
            phone(e, "contact:voice", contact.voice.as_ref());
            phone(e, "contact:fax", contact.fax.as_ref());
            e.leaf("contact:email", contact.email.as_ref().map_or("", Personal::reveal), &rule::FILLED);
            if contact.auth.is_none() {
                e.refuse("contact:authInfo", "is missing");
            }
            object::auth(e, &AUTH, contact.auth.as_ref());
            disclose(e, contact.disclose.as_ref());
        });
    });
    ext::new_contact(e, agreed, &contact.properties);
}

/// Writes an update that says no more than what changes.
pub(super) fn update(e: &mut Encoder<'_>, update: &ContactUpdate, agreed: &[Box<str>]) {
    e.within("update", &[], |e| {
        e.within("contact:update", XMLNS, |e| {
            e.leaf("contact:id", update.id.as_str(), &rule::ID);
            if update.add.len().max(update.rem.len()) > MAX_STATUSES {
                e.refuse("contact:status", format!("more than {MAX_STATUSES} of them"));
            }
            if !update.add.is_empty() {
                e.within("contact:add", &[], |e| {
                    for s in &update.add {
                        let text = s.text.as_deref().unwrap_or_default();
                        object::status(e, "contact:status", &s.value, s.lang.as_deref(), text, STATUSES);
                    }
                });
            }
            if !update.rem.is_empty() {
                e.within("contact:rem", &[], |e| {
                    update.rem.iter().for_each(|value| object::status(e, "contact:status", value, None, "", STATUSES));
                });
            }
            if let Some(change) = update.chg.as_ref().filter(|change| !change.is_of_properties()) {
                e.within("contact:chg", &[], |e| {
                    forms(e, &change.postal, false);
                    phone(e, "contact:voice", change.voice.as_ref());
                    phone(e, "contact:fax", change.fax.as_ref());
                    e.optional("contact:email", change.email.as_ref().map(Personal::reveal), &rule::FILLED);
                    object::auth(e, &AUTH, change.auth.as_ref());
                    disclose(e, change.disclose.as_ref());
                });
            }
        });
    });
    if let Some(change) = &update.chg {
        ext::changed_contact(e, agreed, &change.properties, &change.removed);
    }
}

/// Writes each form's postal info; a `whole` one has a name and an address.
fn forms(e: &mut Encoder<'_>, forms: &[PostalInfo], whole: bool) {
    if let [first, second, ..] = forms
        && (forms.len() > 2 || first.form == second.form)
    {
        e.refuse("contact:postalInfo", "given more than once in one form");
    }
    for postal in forms {
        e.within("contact:postalInfo", &[("type", postal.form.as_str())], |e| {
            if whole && postal.name.is_none() {
                e.refuse("contact:name", "is missing");
            }
            e.optional("contact:name", postal.name.as_ref().map(Personal::reveal), &rule::POSTAL_LINE);
            e.optional("contact:org", postal.org.as_ref().map(Personal::reveal), &rule::OPTIONAL_LINE);
            match &postal.addr {
                Some(addr) => address(e, addr),
                None if whole => e.refuse("contact:addr", "is missing"),
                None => {}
            }
        });
    }
}

fn address(e: &mut Encoder<'_>, addr: &Address) {
    if addr.street.len() > 3 {
        e.refuse("contact:street", format!("{} lines, at most 3 are allowed", addr.street.len()));
    }
    e.within("contact:addr", &[], |e| {
        for street in &addr.street {
            e.leaf("contact:street", street.reveal(), &rule::OPTIONAL_LINE);
        }
        e.leaf("contact:city", addr.city.reveal(), &rule::POSTAL_LINE);
        e.optional("contact:sp", addr.sp.as_ref().map(Personal::reveal), &rule::OPTIONAL_LINE);
        e.optional("contact:pc", addr.pc.as_ref().map(Personal::reveal), &rule::POSTAL_CODE);
        e.leaf("contact:cc", &addr.cc, &rule::COUNTRY);
    });
}

fn phone(e: &mut Encoder<'_>, name: &'static str, phone: Option<&Phone>) {
    let Some(phone) = phone else { return };
    match &phone.ext {
        Some(ext) => {
            e.check("x", ext.reveal(), &rule::TOKEN);
            e.leaf_with(name, &[("x", ext.reveal())], phone.number.reveal(), &rule::PHONE);
        }
        None => e.leaf(name, phone.number.reveal(), &rule::PHONE),
    }
}

fn disclose(e: &mut Encoder<'_>, disclose: Option<&Disclose>) {
    let Some(d) = disclose else { return };
    e.within("contact:disclose", &[("flag", if d.flag { "1" } else { "0" })], |e| {
        for (name, forms) in [("contact:name", d.name), ("contact:org", d.org), ("contact:addr", d.addr)] {
            for (form, named) in [(PostalForm::Int, forms.int), (PostalForm::Loc, forms.loc)] {
                if named {
                    e.empty(name, &[("type", form.as_str())]);
                }
            }
        }
        for (name, named) in [("contact:voice", d.voice), ("contact:fax", d.fax), ("contact:email", d.email)] {
            if named {
                e.empty(name, &[]);
            }
        }
    });
}

/// Reads a child of `<resData>` in the contact namespace, or nothing where no type knows it.
///
/// # Errors
/// What makes it unreadable.
pub(super) fn decode(e: Element<'_>) -> Result<Option<ResData>, &'static str> {
    Ok(Some(match e.local() {
        "infData" => ResData::Contact(Box::new(info_data(e)?)),
        "chkData" => ResData::ContactCheck(field::check(e, "id")?),
        "creData" => ResData::ContactCreated { id: handle(e)?, created: e.child(Ns::CONTACT, "crDate").and_then(date) },
        "trnData" => ResData::ContactTransfer(field::transfer(e, "id")?),
        "panData" => ResData::ContactPending(field::pending(e, "id")?),
        _ => return Ok(None),
    }))
}

fn handle(e: Element<'_>) -> Result<Handle, &'static str> {
    field::name_of(e, Ns::CONTACT, "id", "a contact without its handle").map(Handle::new)
}

fn info_data(e: Element<'_>) -> Result<Contact, &'static str> {
    let mut x = Contact::bare(handle(e)?);
    read_parts(e, &mut x);
    Ok(x)
}

/// Puts what the children of `e` say into `x`, all but the handle.
pub(super) fn read_parts(e: Element<'_>, x: &mut Contact) {
    for c in e.children().filter(|c| c.ns() == Ns::CONTACT) {
        match c.local() {
            "roid" if x.roid.is_none() => x.roid = token(c),
            "status" => x.statuses.extend(field::status(c)),
            "postalInfo" => x.postal.push(postal_info(c)),
            "voice" if x.voice.is_none() => x.voice = Some(read_phone(c)),
            "fax" if x.fax.is_none() => x.fax = Some(read_phone(c)),
            "email" if x.email.is_none() => x.email = Some(Personal::new(c.token())),
            "clID" if x.sponsor.is_none() => x.sponsor = token(c),
            "crID" if x.created_by.is_none() => x.created_by = token(c),
            "crDate" if x.created.is_none() => x.created = date(c),
            "upID" if x.updated_by.is_none() => x.updated_by = token(c),
            "upDate" if x.updated.is_none() => x.updated = date(c),
            "trDate" if x.transferred.is_none() => x.transferred = date(c),
            "authInfo" if x.auth.is_none() => x.auth = field::auth(c),
            "disclose" if x.disclose.is_none() => x.disclose = read_disclose(c),
            _ => {}
        }
    }
}

fn postal_info(e: Element<'_>) -> PostalInfo {
    let form = match e.peek("type") {
        Some("int") => Some(PostalForm::Int),
        Some("loc") => Some(PostalForm::Loc),
        _ => None,
    };
    if form.is_some() {
        let _known = e.attr("type");
    }
    // A form that is missing or strange is taken for the one without restrictions.
    let mut postal = PostalInfo { form: form.unwrap_or(PostalForm::Loc), name: None, org: None, addr: None };
    for c in e.seen().children().filter(|c| c.ns() == Ns::CONTACT) {
        match c.local() {
            "name" if postal.name.is_none() => postal.name = Some(Personal::new(c.text())),
            "org" if postal.org.is_none() => postal.org = Some(Personal::new(c.text())),
            "addr" if postal.addr.is_none() => postal.addr = Some(read_address(c.seen())),
            _ => {}
        }
    }
    postal
}

fn read_address(e: Element<'_>) -> Address {
    let mut addr = Address::default();
    let (mut city, mut cc) = (None, None);
    for c in e.children().filter(|c| c.ns() == Ns::CONTACT) {
        match c.local() {
            "street" => addr.street.push(Personal::new(c.text())),
            "city" if city.is_none() => city = Some(Personal::new(c.text())),
            "sp" if addr.sp.is_none() => addr.sp = Some(Personal::new(c.text())),
            "pc" if addr.pc.is_none() => addr.pc = Some(Personal::new(c.token())),
            "cc" if cc.is_none() => cc = Some(c.token().into()),
            _ => {}
        }
    }
    Address { city: city.unwrap_or_default(), cc: cc.unwrap_or_default(), ..addr }
}

fn read_phone(e: Element<'_>) -> Phone {
    Phone { number: Personal::new(e.token()), ext: e.attr("x").map(Personal::from) }
}

fn read_disclose(e: Element<'_>) -> Option<Disclose> {
    let mut d = Disclose { flag: field::boolean(e, "flag")?, ..Disclose::default() };
    for c in e.seen().children().filter(|c| c.ns() == Ns::CONTACT) {
        let named = match c.local() {
            "name" => read_forms(c, &mut d.name),
            "org" => read_forms(c, &mut d.org),
            "addr" => read_forms(c, &mut d.addr),
            "voice" => mark(&mut d.voice),
            "fax" => mark(&mut d.fax),
            "email" => mark(&mut d.email),
            _ => false,
        };
        if named {
            let _known = c.seen();
        }
    }
    Some(d)
}

/// Sets what an element of a disclose statement names; without a form it names both. A form of the registry's own names nothing.
fn read_forms(e: Element<'_>, forms: &mut DiscloseForms) -> bool {
    match e.peek("type") {
        Some("int") => forms.int = true,
        Some("loc") => forms.loc = true,
        None => *forms = DiscloseForms { int: true, loc: true },
        Some(_) => return false,
    }
    let _known = e.attr("type");
    true
}

fn mark(named: &mut bool) -> bool {
    *named = true;
    true
}
