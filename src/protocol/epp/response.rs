//! The response (RFC 5730 §2.6).

use super::field::token;
use super::{contact, domain, ext, host, poll};
use crate::base::{ClTrid, Personal};
use crate::model::{ExtValue, ResData, Response, ResultCode, ResultItem, Unhandled};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// Reads `<response>`. One thing that cannot be read never costs another.
pub(super) fn decode(e: Element<'_>) -> Response {
    let mut response = Response::default();
    let mut extension = None;
    for child in e.seen().children().filter(|c| c.ns() == Ns::EPP) {
        match child.local() {
            "result" => {
                let read = result(child, &mut response.unhandled);
                response.results.extend(read);
            }
            "msgQ" if response.queue.is_none() => response.queue = Some(poll::queue(child)),
            "resData" => response.data.extend(child.seen().children().map(res_data)),
            "extension" if extension.is_none() => extension = Some(child.seen()),
            "trID" => {
                for id in child.seen().children().filter(|c| c.ns() == Ns::EPP) {
                    match id.local() {
                        "clTRID" if response.cl_trid.is_none() => response.cl_trid = token(id).map(ClTrid::new),
                        "svTRID" if response.sv_trid.is_none() => response.sv_trid = token(id),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    // What it says of an object needs the object.
    for part in extension.into_iter().flat_map(Element::children) {
        if !ext::extend(&mut response.data, part) {
            response.extensions.extend(ext::decode(part));
        }
    }
    ext::unhandled::settle(&mut response);
    response
}

/// Reads `<result>`; without a readable code it stays unknown.
fn result(e: Element<'_>, unhandled: &mut Vec<Unhandled>) -> Option<ResultItem> {
    let code = ResultCode(e.peek("code")?.trim().parse().ok()?);
    let _known = e.attr("code");
    let mut item = ResultItem { code, msg: "".into(), lang: None, values: Vec::new(), ext_values: Vec::new() };
    let mut has_msg = false;
    for child in e.seen().children().filter(|c| c.ns() == Ns::EPP) {
        match child.local() {
            "msg" if !has_msg => {
                has_msg = true;
                item.msg = child.flat_text().into();
                item.lang = child.attr("lang").map(Into::into);
            }
            "value" => match ext::extepp::wrong_value(child) {
                Some(wrong) => item.ext_values.push(wrong),
                None => item.values.push(Personal::new(child.flat_text())),
            },
            "extValue" => match ext::unhandled::read(child) {
                Some(part) => unhandled.push(part),
                None => item.ext_values.push(ext_value(child)),
            },
            _ => {}
        }
    }
    Some(item)
}

/// Reads `<extValue>`, in which either part may be missing.
fn ext_value(e: Element<'_>) -> ExtValue {
    let value = e.seen().child(Ns::EPP, "value");
    let code = value.and_then(ext::extepp::reason_code);
    let value = value.filter(|_| code.is_none()).map(|v| Personal::new(v.flat_text())).unwrap_or_default();
    let reason = e.child(Ns::EPP, "reason");
    let lang = reason.and_then(|r| r.attr("lang")).map(Into::into);
    ExtValue { value, offender: None, code, reason: reason.map(|r| Personal::new(r.flat_text())), lang }
}

/// Reads a child of `<resData>`. What cannot be read is told by its name, and its contents stay unknown.
fn res_data(e: Element<'_>) -> ResData {
    let read = match e.ns() {
        Ns::CONTACT => contact::decode(e),
        Ns::DOMAIN => domain::decode(e),
        Ns::HOST => host::decode(e),
        Ns::EURID_HIT_POINTS => ext::eurid::hit_points(e).map(|points| points.map(ResData::HitPoints)),
        _ => Ok(None),
    };
    match read {
        Ok(Some(data)) => {
            let _known = e.seen();
            data
        }
        Ok(None) => ResData::Unreadable { namespace: e.uri().into(), name: e.local().into(), why: None },
        Err(why) => {
            e.forget();
            ResData::Unreadable { namespace: e.uri().into(), name: e.local().into(), why: Some(why) }
        }
    }
}
