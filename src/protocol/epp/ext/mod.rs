//! Extensions that a type knows. Each reads its own element, and leaves it unknown where it cannot.

pub(super) mod changepoll;
pub(super) mod loginsec;
pub(super) mod rgp;
pub(super) mod secdns;
pub(super) mod unhandled;

use crate::model::Extension;
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// Reads a child of `<extension>`, or nothing where no type knows it.
pub(super) fn decode(e: Element<'_>) -> Option<Extension> {
    let read = match (e.ns(), e.local()) {
        (Ns::SEC_DNS, "infData") => Some(Extension::SecDns(secdns::decode(e))),
        (Ns::RGP, "infData" | "upData") => Some(Extension::Rgp(rgp::decode(e))),
        (Ns::LOGIN_SEC, "loginSecData") => Some(Extension::LoginSecurity(loginsec::decode(e))),
        (Ns::CHANGE_POLL, "changeData") => changepoll::decode(e).map(Extension::ChangePoll),
        _ => None,
    }?;
    let _known = e.seen();
    Some(read)
}
