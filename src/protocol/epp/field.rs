//! Reading single fields. Each marks what it took, and takes nothing that it cannot hold.

use crate::base::{DomainName, HostName};
use crate::model::{AuthInfo, CheckItem, Date, Ip, IpVersion, PendingData, Status, StatusValue, TransferData};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// The text as a token, or nothing where it is empty.
pub(in crate::protocol) fn token(e: Element<'_>) -> Option<Box<str>> {
    let text = e.token();
    (!text.is_empty()).then(|| text.into())
}

/// The date in it, or nothing where it is empty.
pub(super) fn date(e: Element<'_>) -> Option<Date> {
    let text = e.token();
    (!text.is_empty()).then(|| Date::read(&text))
}

/// A number, left unknown where it is none.
pub(super) fn number<T: std::str::FromStr>(e: Element<'_>) -> Option<T> {
    let parsed = e.token().parse().ok();
    if parsed.is_none() {
        e.forget();
    }
    parsed
}

/// XML Schema's `boolean` in an attribute, left unknown where it is none.
pub(super) fn boolean(e: Element<'_>, attribute: &str) -> Option<bool> {
    let value = match e.peek(attribute)?.trim() {
        "1" | "true" => true,
        "0" | "false" => false,
        _ => return None,
    };
    let _known = e.attr(attribute);
    Some(value)
}

/// A domain name in the one form all of them are compared in: A-labels, lower case, no final dot.
pub(in crate::protocol) fn domain_name(text: &str) -> DomainName {
    DomainName::new(ascii_name(text))
}

/// A host name in that form.
pub(in crate::protocol) fn host_name(text: &str) -> HostName {
    HostName::new(ascii_name(text))
}

fn ascii_name(text: &str) -> String {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_ascii() { text.to_ascii_lowercase() } else { idna::domain_to_ascii(text).unwrap_or_else(|_| text.to_owned()) }
}

/// The text of the first child of that name: what names an object.
///
/// # Errors
/// `missing`, where there is no such child or nothing in it.
pub(super) fn name_of(e: Element<'_>, ns: Ns, local: &str, missing: &'static str) -> Result<Box<str>, &'static str> {
    e.child(ns, local).and_then(token).ok_or(missing)
}

/// A status with the registry's words. Without a value it stays unknown.
pub(super) fn status(e: Element<'_>) -> Option<Status> {
    let value = StatusValue::read(e.attr("s").filter(|s| !s.is_empty())?);
    Some(Status { value, lang: e.attr("lang").map(Into::into), text: token(e) })
}

/// `<authInfo>`.
pub(super) fn auth(e: Element<'_>) -> Option<AuthInfo> {
    let child = e.children().find(|c| c.ns() == e.ns() && matches!(c.local(), "pw" | "null" | "ext"))?.seen();
    let _known = e.seen();
    Some(match child.local() {
        "pw" => {
            let pw = crate::base::Secret::new(child.text());
            AuthInfo::Password { pw, roid: child.attr("roid").map(Into::into) }
        }
        "null" => AuthInfo::Null,
        _ => AuthInfo::Extended,
    })
}

/// An address of a host; its version is read off the attribute, or off the address where that is missing.
pub(super) fn ip(e: Element<'_>) -> Option<Ip> {
    let version = match e.peek("ip") {
        Some("v4") => Some(IpVersion::V4),
        Some("v6") => Some(IpVersion::V6),
        _ => None,
    };
    if version.is_some() {
        let _known = e.attr("ip");
    }
    let text = token(e)?;
    Some(Ip { version: version.unwrap_or_else(|| IpVersion::of(&text)), text })
}

/// `<chkData>`: every answer in it that names its object and says yes or no; others stay unknown.
///
/// # Errors
/// Where there is none.
pub(super) fn check(e: Element<'_>, local: &str) -> Result<Vec<CheckItem>, &'static str> {
    let ns = e.ns();
    let item = |cd: Element<'_>| {
        let name = cd.children().find(|c| c.is(ns, local))?;
        let available = boolean(name, "avail")?;
        let Some(id) = token(name) else {
            cd.forget();
            return None;
        };
        Some(CheckItem { id, available, reason: cd.child(ns, "reason").and_then(token) })
    };
    let items: Vec<CheckItem> = e.children().filter(|c| c.is(ns, "cd")).filter_map(item).collect();
    if items.is_empty() { Err("no readable <cd> in it") } else { Ok(items) }
}

/// `<trnData>`, whose object is named by `local`.
///
/// # Errors
/// Where the object or the status is missing.
pub(super) fn transfer(e: Element<'_>, local: &str) -> Result<TransferData, &'static str> {
    let ns = e.ns();
    let mut data = TransferData {
        id: name_of(e, ns, local, "a transfer without its object")?,
        status: name_of(e, ns, "trStatus", "a transfer without a status")?,
        requested_by: "".into(),
        requested: None,
        acting: "".into(),
        act_by: None,
        expires: None,
    };
    for child in e.children().filter(|c| c.ns() == ns) {
        match child.local() {
            "reID" if data.requested_by.is_empty() => data.requested_by = token(child).unwrap_or_default(),
            "reDate" if data.requested.is_none() => data.requested = date(child),
            "acID" if data.acting.is_empty() => data.acting = token(child).unwrap_or_default(),
            "acDate" if data.act_by.is_none() => data.act_by = date(child),
            "exDate" if data.expires.is_none() => data.expires = date(child),
            _ => {}
        }
    }
    Ok(data)
}

/// `<panData>`, whose object is named by `local`.
///
/// # Errors
/// Where the object or the result is missing.
pub(super) fn pending(e: Element<'_>, local: &str) -> Result<PendingData, &'static str> {
    let ns = e.ns();
    let name = e.child(ns, local).ok_or("a pending action without its object")?;
    let result = boolean(name, "paResult").ok_or("a pending action without a result")?;
    let id = token(name).ok_or("a pending action without its object")?;
    let mut data = PendingData { id, result, cl_trid: None, sv_trid: None, date: None };
    for child in e.children().filter(|c| c.ns() == ns) {
        match child.local() {
            "paTRID" => {
                for id in child.seen().children().filter(|c| c.ns() == Ns::EPP) {
                    match id.local() {
                        "clTRID" if data.cl_trid.is_none() => data.cl_trid = token(id),
                        "svTRID" if data.sv_trid.is_none() => data.sv_trid = token(id),
                        _ => {}
                    }
                }
            }
            "paDate" if data.date.is_none() => data.date = date(child),
            _ => {}
        }
    }
    Ok(data)
}
