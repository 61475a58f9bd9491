//! What the fields of a contact mean.

use super::sheet::{Sheet, refused};
use super::word::{Key, Kind};
use crate::base::{Blame, Handle, Personal, Problem, Result};
use crate::model::{Address, Contact, Date, Phone, PostalForm, PostalInfo, RriContact, RriKind, Verification};

/// Characters of a handle.
const HANDLE: std::ops::RangeInclusive<usize> = 9..=32;
/// The most address lines.
const LINES: usize = 5;

/// The sheet of a contact to be written.
///
/// # Errors
/// What the registry's schema would refuse.
pub(super) fn write(contact: &RriContact) -> Result<Sheet<'_>> {
    let mut sheet = Sheet::new(Kind::Contact);
    put_handle(&mut sheet, &contact.handle)?;
    fill(&mut sheet, contact);
    if contact.address.len() > LINES {
        return Err(refused("Address", format!("has {} lines, {LINES} are allowed", contact.address.len())));
    }
    sheet.check()?;
    Ok(sheet)
}

/// The sheet of a contact as the registry has it, whatever it would refuse today.
pub(super) fn old(contact: &RriContact) -> Sheet<'_> {
    let mut sheet = Sheet::new(Kind::Contact);
    sheet.put(Key::Handle, contact.handle.as_str());
    fill(&mut sheet, contact);
    sheet
}

/// Puts all but the handle.
fn fill<'a>(sheet: &mut Sheet<'a>, contact: &'a RriContact) {
    sheet.put(Key::Type, contact.kind.as_str());
    sheet.put_some(Key::Name, contact.name.as_ref().map(Personal::reveal));
    sheet.put_all(Key::Organisation, &contact.organisations);
    sheet.put_all(Key::Address, &contact.address);
    sheet.put_some(Key::PostalCode, contact.postal_code.as_ref().map(Personal::reveal));
    sheet.put_some(Key::City, contact.city.as_ref().map(Personal::reveal));
    sheet.put_some(Key::CountryCode, contact.country.as_deref());
    sheet.put_all(Key::Email, &contact.emails);
    sheet.put_some(Key::Phone, contact.phone.as_ref().map(Personal::reveal));
    sheet.put_some(Key::UriTemplate, contact.uri_template.as_deref());
    sheet.parts = contact.verifications.iter().map(write_verification).collect();
}

/// Puts a handle, in the upper case in which the registry keeps it.
pub(super) fn put_handle(sheet: &mut Sheet<'_>, handle: &Handle) -> Result<()> {
    let text = handle.as_str();
    if !HANDLE.contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        let why = format!("is not {} to {} letters, digits and hyphens", HANDLE.start(), HANDLE.end());
        return Err(refused("Handle", why).object(text));
    }
    sheet.put(Key::Handle, text.to_ascii_uppercase());
    Ok(())
}

fn write_verification(v: &Verification) -> Sheet<'_> {
    let mut sheet = Sheet::new(Kind::Verification);
    v.claims.iter().for_each(|claim| sheet.put(Key::Claim, &**claim));
    sheet.put_some(Key::Result, v.result.as_deref());
    sheet.put_some(Key::Reference, v.reference.as_ref().map(Personal::reveal));
    sheet.put_some(Key::Timestamp, v.timestamp.as_deref());
    v.evidence.iter().for_each(|evidence| sheet.put(Key::Evidence, &**evidence));
    v.method.iter().for_each(|method| sheet.put(Key::Method, &**method));
    sheet.put_some(Key::Framework, v.trust_framework.as_deref());
    sheet
}

/// The whole contact of a sheet, or nothing without a handle and a known type. What it does not hold stays in its `unread`.
pub(super) fn whole(sheet: &Sheet<'_>) -> Option<RriContact> {
    let personal = |key| sheet.all(key).map(Personal::from).collect::<Vec<_>>();
    let mut contact = RriContact::bare(Handle::new(sheet.one(Key::Handle)?.trim()), RriKind::read(sheet.one(Key::Type)?)?);
    contact.name = sheet.one(Key::Name).map(Personal::from);
    contact.organisations = personal(Key::Organisation);
    contact.address = personal(Key::Address);
    contact.postal_code = sheet.one(Key::PostalCode).map(Personal::from);
    contact.city = sheet.one(Key::City).map(Personal::from);
    contact.country = sheet.one(Key::CountryCode).map(Into::into);
    contact.emails = personal(Key::Email);
    contact.phone = sheet.one(Key::Phone).map(Personal::from);
    contact.uri_template = sheet.one(Key::UriTemplate).map(Into::into);
    contact.verifications = sheet.parts.iter().map(verification).collect();
    // The registry's own marks, which no update carries.
    let _registrys = [sheet.one(Key::Changed), sheet.one(Key::Provider), sheet.one(Key::Status)];
    contact.unread = sheet.leftovers();
    Some(contact)
}

fn verification(sheet: &Sheet<'_>) -> Verification {
    let texts = |key| sheet.all(key).map(Into::into).collect();
    Verification {
        claims: texts(Key::Claim),
        result: sheet.one(Key::Result).map(Into::into),
        reference: sheet.one(Key::Reference).map(Personal::from),
        timestamp: sheet.one(Key::Timestamp).map(Into::into),
        evidence: texts(Key::Evidence),
        method: texts(Key::Method),
        trust_framework: sheet.one(Key::Framework).map(Into::into),
    }
}

/// The contact in the terms of EPP: one name, one organisation, one e-mail. The type, further organisations and e-mails are left over.
///
/// # Errors
/// Where it has no handle.
pub(super) fn shared(sheet: &Sheet<'_>) -> Result<Contact, &'static str> {
    let handle = sheet.one(Key::Handle).ok_or("a contact without its handle")?;
    let mut contact = Contact::bare(Handle::new(handle.trim().to_ascii_uppercase()));
    let postal = PostalInfo {
        // The registry has one form, without restriction to ASCII.
        form: PostalForm::Loc,
        name: sheet.one(Key::Name).map(Personal::from),
        org: sheet.one(Key::Organisation).map(Personal::from),
        addr: address(sheet),
    };
    if postal.name.is_some() || postal.org.is_some() || postal.addr.is_some() {
        contact.postal.push(postal);
    }
    contact.voice = sheet.one(Key::Phone).map(phone);
    contact.email = sheet.one(Key::Email).map(Personal::from);
    contact.sponsor = sheet.one(Key::Provider).map(Into::into);
    contact.updated = sheet.one(Key::Changed).map(Date::read);
    Ok(contact)
}

fn address(sheet: &Sheet<'_>) -> Option<Address> {
    let street: Vec<Personal> = sheet.all(Key::Address).map(Personal::from).collect();
    let city = sheet.one(Key::City).map(Personal::from);
    let pc = sheet.one(Key::PostalCode).map(Personal::from);
    let cc = sheet.one(Key::CountryCode).map(Into::into);
    let is_there = !street.is_empty() || city.is_some() || pc.is_some() || cc.is_some();
    is_there.then(|| Address { street, city: city.unwrap_or_default(), sp: None, pc, cc: cc.unwrap_or_default() })
}

/// A number with its inline extension: `+49.6927235x290`.
fn phone(text: &str) -> Phone {
    match text.split_once(['x', 'X']) {
        Some((number, ext)) if !ext.is_empty() => Phone { number: number.into(), ext: Some(ext.into()) },
        _ => Phone { number: text.into(), ext: None },
    }
}

impl RriContact {
    /// A contact of `kind` with what `contact` holds, its last postal form first where there are several.
    ///
    /// # Errors
    /// Where `contact` holds what this registry has no field for: a province or a facsimile number.
    pub fn of(contact: &Contact, kind: RriKind) -> Result<Self> {
        let mut out = Self::bare(contact.id.clone(), kind);
        let foreign = |field: &str| {
            let what = "the registry has no such field, and the value would be lost";
            Problem::new("E-rri-003", Blame::Input, what, "move the value to an address line, or take it out").field(field)
        };
        if contact.fax.is_some() {
            return Err(foreign("fax"));
        }
        let postal = contact.postal.iter().find(|p| p.form == PostalForm::Loc).or(contact.postal.first());
        if let Some(postal) = postal {
            out.name.clone_from(&postal.name);
            out.organisations.extend(postal.org.clone());
            if let Some(addr) = &postal.addr {
                if addr.sp.is_some() {
                    return Err(foreign("sp"));
                }
                out.address.clone_from(&addr.street);
                out.postal_code.clone_from(&addr.pc);
                out.city = Some(addr.city.clone());
                out.country = Some(addr.cc.clone());
            }
        }
        out.emails.extend(contact.email.clone());
        out.phone = contact.voice.as_ref().map(|voice| match &voice.ext {
            Some(ext) => Personal::new(format!("{}x{}", voice.number.reveal(), ext.reveal())),
            None => voice.number.clone(),
        });
        Ok(out)
    }
}
