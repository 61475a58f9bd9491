//! What the fields of a contact mean.

use super::further;
use super::sheet::{Sheet, refused};
use super::word::{Key, Kind};
use crate::base::{Handle, Personal, Result};
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
    if contact.country.as_ref().is_some_and(|cc| cc.len() != 2 || !cc.bytes().all(|b| b.is_ascii_alphabetic())) {
        return Err(refused("CountryCode", "is not two letters (ISO 3166-1)"));
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
    if !is_handle(text) {
        let why = format!("is not {} to {} letters, digits and hyphens", HANDLE.start(), HANDLE.end());
        return Err(refused("Handle", why).object(text));
    }
    sheet.put(Key::Handle, text.to_ascii_uppercase());
    Ok(())
}

/// Whether the registry can have such a handle.
pub(super) fn is_handle(text: &str) -> bool {
    HANDLE.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
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

/// The contact in the terms of EPP, with properties for what these have no place for. A type nobody has heard of is kept as it is.
///
/// # Errors
/// Where it has no handle.
pub(super) fn shared(sheet: &Sheet<'_>) -> Result<Contact, &'static str> {
    let handle = sheet.one(Key::Handle).ok_or("a contact without its handle")?;
    let mut contact = Contact::bare(Handle::new(handle.trim().to_ascii_uppercase()));
    let mut organisations = sheet.all(Key::Organisation);
    let mut street: Vec<&str> = sheet.all(Key::Address).collect();
    let further = street.split_off(street.len().min(further::STREET - 1));
    let postal = PostalInfo {
        // The registry has one form, without restriction to ASCII.
        form: PostalForm::Loc,
        name: sheet.one(Key::Name).map(Personal::from),
        org: organisations.next().map(Personal::from),
        addr: address(sheet, &street),
    };
    if postal.name.is_some() || postal.org.is_some() || postal.addr.is_some() {
        contact.postal.push(postal);
    }
    let mut emails = sheet.all(Key::Email);
    contact.voice = sheet.one(Key::Phone).map(phone);
    contact.email = emails.next().map(Personal::from);
    contact.sponsor = sheet.one(Key::Provider).map(Into::into);
    contact.updated = sheet.one(Key::Changed).map(Date::read);
    let properties = &mut contact.properties;
    let kind = sheet.one(Key::Type).map(|text| RriKind::read(text).map_or_else(|| text.trim().to_owned(), |kind| kind.as_str().to_owned()));
    properties.set(further::TYPE, kind.as_deref().unwrap_or_default());
    properties.set(further::URI_TEMPLATE, sheet.one(Key::UriTemplate).unwrap_or_default());
    further::put(properties, "street", further::STREET, further);
    further::put(properties, "org", further::SECOND, organisations);
    further::put(properties, "email", further::SECOND, emails);
    let verifications: Vec<String> = sheet.parts.iter().map(|part| further::verification_text(&verification(part))).collect();
    further::put_all(properties, further::VERIFICATION, verifications.iter().map(String::as_str));
    Ok(contact)
}

fn address(sheet: &Sheet<'_>, street: &[&str]) -> Option<Address> {
    let street: Vec<Personal> = street.iter().map(|line| Personal::from(*line)).collect();
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

/// The number with its extension as it stands on the line.
pub(super) fn inline_phone(voice: &Phone) -> Personal {
    match &voice.ext {
        Some(ext) if !ext.is_empty() => Personal::new(format!("{}x{}", voice.number.reveal(), ext.reveal())),
        _ => voice.number.clone(),
    }
}
