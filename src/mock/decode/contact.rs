//! Commands on contacts (RFC 5733 §3).

use super::{Kids, Read, Refusal, auth_info, bounded, fitting, named, status};
use crate::base::{Handle, Personal};
use crate::model::{Address, Contact, ContactChange, ContactUpdate, Disclose, DiscloseForms, Phone, PostalForm, PostalInfo, Query};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

const NS: Ns = Ns::CONTACT;
/// The longest of most texts (`postalLineType`).
const LINE: usize = 255;

/// Reads a check.
pub(super) fn check(check: Element<'_>) -> Read<Query> {
    named(check, "check")?;
    let mut kids = Kids::of(check);
    let mut ids = vec![Handle::new(kids.text(NS, "id", 3, 16)?)];
    while let Some(id) = kids.text_if(NS, "id", 3, 16)? {
        ids.push(Handle::new(id));
    }
    kids.end()?;
    Ok(Query::ContactCheck(ids))
}

/// Reads an info.
pub(super) fn info(info: Element<'_>) -> Read<Query> {
    named(info, "info")?;
    let mut kids = Kids::of(info);
    let id = Handle::new(kids.text(NS, "id", 3, 16)?);
    let auth = kids.take(NS, "authInfo").map(|e| auth_info(e, NS)).transpose()?;
    kids.end()?;
    Ok(Query::ContactInfo { id, auth })
}

/// Reads a delete.
pub(super) fn delete(delete: Element<'_>) -> Read<Handle> {
    named(delete, "delete")?;
    let mut kids = Kids::of(delete);
    let id = Handle::new(kids.text(NS, "id", 3, 16)?);
    kids.end()?;
    Ok(id)
}

/// Reads a create. What the registry adds is not in it yet.
pub(super) fn create(create: Element<'_>) -> Read<Contact> {
    named(create, "create")?;
    let mut kids = Kids::of(create);
    let id = Handle::new(kids.text(NS, "id", 3, 16)?);
    let mut postal: Vec<PostalInfo> = Vec::new();
    while let Some(element) = kids.take(NS, "postalInfo") {
        let info = postal_info(element)?;
        if info.name.is_none() || info.addr.is_none() {
            return Err(Refusal::quoting(2003, NS, "postalInfo", "", "a name and an address are needed"));
        }
        if postal.iter().any(|p| p.form == info.form) {
            return Err(Refusal::quoting(2005, NS, "postalInfo", "", "each form stands once"));
        }
        postal.push(PostalInfo { org: info.org.filter(|o| !o.is_empty()), ..info });
    }
    if postal.is_empty() {
        return Err(Refusal::quoting(2003, NS, "postalInfo", "", "it is missing"));
    }
    let number = |phone: Phone| (!phone.number.is_empty()).then_some(phone);
    let voice = kids.take(NS, "voice").map(|e| phone(e, "voice")).transpose()?.and_then(number);
    let fax = kids.take(NS, "fax").map(|e| phone(e, "fax")).transpose()?.and_then(number);
    let email = Personal::new(kids.text(NS, "email", 1, usize::MAX)?.into_string());
    let auth = auth_info(kids.need(NS, "authInfo")?, NS)?;
    let disclose = kids.take(NS, "disclose").map(disclose).transpose()?;
    kids.end()?;
    Ok(Contact { postal, voice, fax, email: Some(email), auth: Some(auth), disclose, ..Contact::bare(id) })
}

/// Reads an update, which may be empty where an extension holds the change.
pub(super) fn update(update: Element<'_>) -> Read<ContactUpdate> {
    named(update, "update")?;
    let mut kids = Kids::of(update);
    let id = Handle::new(kids.text(NS, "id", 3, 16)?);
    let add = kids.take(NS, "add").map(statuses).transpose()?.unwrap_or_default();
    let rem = kids.take(NS, "rem").map(statuses).transpose()?.unwrap_or_default();
    let chg = kids.take(NS, "chg").map(change).transpose()?;
    kids.end()?;
    Ok(ContactUpdate { id, add, rem: rem.into_iter().map(|s| s.value).collect(), chg })
}

/// The statuses in an `add` or a `rem`: seven at most. The schema wants one at least, but `Net::EPP` sends both elements empty whatever
/// it changes, and the registries it is used with take that for nothing to add and nothing to remove.
fn statuses(element: Element<'_>) -> Read<Vec<crate::model::Status>> {
    let mut kids = Kids::of(element);
    let mut all = Vec::new();
    while let Some(next) = kids.take(NS, "status") {
        all.push(status(next, NS)?);
    }
    kids.end()?;
    if all.len() > 7 {
        return Err(Refusal::new(2001, "more than seven statuses"));
    }
    Ok(all)
}

fn change(chg: Element<'_>) -> Read<ContactChange> {
    let mut kids = Kids::of(chg);
    let mut change = ContactChange::default();
    while let Some(element) = kids.take(NS, "postalInfo") {
        let postal = postal_info(element)?;
        if change.postal.iter().any(|p| p.form == postal.form) {
            return Err(Refusal::quoting(2005, NS, "postalInfo", "", "each form stands once"));
        }
        change.postal.push(postal);
    }
    change.voice = kids.take(NS, "voice").map(|e| phone(e, "voice")).transpose()?;
    change.fax = kids.take(NS, "fax").map(|e| phone(e, "fax")).transpose()?;
    change.email = kids.text_if(NS, "email", 1, usize::MAX)?.map(|e| Personal::new(e.into_string()));
    change.auth = kids.take(NS, "authInfo").map(|e| auth_info(e, NS)).transpose()?;
    change.disclose = kids.take(NS, "disclose").map(disclose).transpose()?;
    kids.end()?;
    let nothing = change.postal.is_empty()
        && change.voice.is_none()
        && change.fax.is_none()
        && change.email.is_none()
        && change.auth.is_none()
        && change.disclose.is_none();
    if nothing { Err(Refusal::new(2003, "chg is empty")) } else { Ok(change) }
}

/// The form that the attribute `type` names.
fn form(element: Element<'_>, name: &'static str) -> Read<PostalForm> {
    match element.attr("type") {
        Some("int") => Ok(PostalForm::Int),
        Some("loc") => Ok(PostalForm::Loc),
        Some(other) => Err(Refusal::quoting(2004, NS, name, other, "type is int or loc")),
        None => Err(Refusal::quoting(2003, NS, name, "", "type is missing")),
    }
}

fn postal_info(element: Element<'_>) -> Read<PostalInfo> {
    let form = form(element, "postalInfo")?;
    let mut kids = Kids::of(element);
    let name = line_if(&mut kids, form, "name", 1, LINE)?;
    let org = line_if(&mut kids, form, "org", 0, LINE)?;
    let addr = kids.take(NS, "addr").map(|e| address(e, form)).transpose()?;
    kids.end()?;
    if name.is_none() && org.is_none() && addr.is_none() {
        return Err(Refusal::quoting(2003, NS, "postalInfo", "", "it is empty"));
    }
    Ok(PostalInfo { form, name, org, addr })
}

fn address(element: Element<'_>, form: PostalForm) -> Read<Address> {
    let mut kids = Kids::of(element);
    let mut street = Vec::new();
    while let Some(line) = line_if(&mut kids, form, "street", 0, LINE)? {
        street.push(line);
    }
    if street.len() > 3 {
        return Err(Refusal::quoting(2001, NS, "street", "", "three lines at most"));
    }
    let city = line(kids.need(NS, "city")?, form, "city", 1, LINE)?;
    let sp = line_if(&mut kids, form, "sp", 0, LINE)?;
    let pc = line_if(&mut kids, form, "pc", 0, 16)?;
    let cc = kids.text(NS, "cc", 2, 2)?;
    kids.end()?;
    if !cc.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(Refusal::quoting(2005, NS, "cc", &cc, "two capital letters of ISO 3166-1"));
    }
    Ok(Address { street, city, sp, pc, cc })
}

fn line_if<'t, I>(kids: &mut Kids<I>, form: PostalForm, name: &'static str, min: usize, max: usize) -> Read<Option<Personal>>
where
    I: Iterator<Item = Element<'t>>,
{
    kids.take(NS, name).map(|e| line(e, form, name, min, max)).transpose()
}

/// A text of an address, which in the `int` form is ASCII (RFC 5733 §2.3).
fn line(element: Element<'_>, form: PostalForm, name: &'static str, min: usize, max: usize) -> Read<Personal> {
    // All but the postal code are a `normalizedString`: blanks at its ends are its own (RFC 5733 §4, `postalLineType`).
    let text = if name == "pc" { element.token().into_owned() } else { element.text().replace(['\t', '\n', '\r'], " ") };
    fitting(&text, NS, name, min, max)?;
    if form == PostalForm::Int && !text.is_ascii() {
        return Err(Refusal::quoting(2005, NS, name, &text, "the int form is ASCII"));
    }
    Ok(Personal::new(text))
}

/// A telephone number: nothing, or `+`, 1 to 3 digits, a dot, 1 to 14 digits.
fn phone(element: Element<'_>, name: &'static str) -> Read<Phone> {
    let text = bounded(element, NS, name, 0, 17)?;
    let digits = |s: &str, max: usize| (1..=max).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    let parts = text.strip_prefix('+').and_then(|rest| rest.split_once('.'));
    if !text.is_empty() && !parts.is_some_and(|(country, number)| digits(country, 3) && digits(number, 14)) {
        return Err(Refusal::quoting(2005, NS, name, &text, "a plus, the country code, a dot, the number"));
    }
    Ok(Phone { number: Personal::new(text.into_string()), ext: element.attr("x").map(Personal::from) })
}

fn disclose(element: Element<'_>) -> Read<Disclose> {
    let flag = match element.attr("flag") {
        Some("0" | "false") => false,
        Some("1" | "true") => true,
        Some(other) => return Err(Refusal::quoting(2005, NS, "disclose", other, "flag is 0 or 1")),
        None => return Err(Refusal::quoting(2003, NS, "disclose", "", "flag is missing")),
    };
    let mut kids = Kids::of(element);
    let mut forms = |name: &'static str| -> Read<DiscloseForms> {
        let mut forms = DiscloseForms::default();
        while let Some(named) = kids.take(NS, name) {
            let slot = match form(named, name)? {
                PostalForm::Int => &mut forms.int,
                PostalForm::Loc => &mut forms.loc,
            };
            if std::mem::replace(slot, true) {
                return Err(Refusal::quoting(2005, NS, name, "", "each form stands once"));
            }
        }
        Ok(forms)
    };
    let (name, org, addr) = (forms("name")?, forms("org")?, forms("addr")?);
    let mut is_named = |name| kids.take(NS, name).is_some();
    let (voice, fax, email) = (is_named("voice"), is_named("fax"), is_named("email"));
    kids.end()?;
    Ok(Disclose { flag, name, org, addr, voice, fax, email })
}
