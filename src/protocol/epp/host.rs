//! Hosts (RFC 5732).

use super::encoder::Encoder;
use super::field::{self, date, token};
use super::rule;
use crate::base::HostName;
use crate::model::{Host, ResData};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// The declaration on each element of the object.
const XMLNS: &[(&str, &str)] = &[("xmlns:host", Ns::HOST.uri())];

/// Writes an info.
pub(super) fn info(e: &mut Encoder<'_>, name: &HostName) {
    e.within("info", &[], |e| e.within("host:info", XMLNS, |e| e.leaf("host:name", name.as_str(), &rule::LABEL)));
}

/// Reads a child of `<resData>` in the host namespace, or nothing where no type knows it.
///
/// # Errors
/// What makes it unreadable.
pub(super) fn decode(e: Element<'_>) -> Result<Option<ResData>, &'static str> {
    if e.local() != "infData" {
        return Ok(None);
    }
    let name = field::name_of(e, Ns::HOST, "name", "a host without its name")?;
    let mut x = Host {
        name: field::host_name(&name),
        roid: None,
        statuses: Vec::new(),
        addrs: Vec::new(),
        sponsor: None,
        created_by: None,
        created: None,
        updated_by: None,
        updated: None,
        transferred: None,
    };
    for c in e.children().filter(|c| c.ns() == Ns::HOST) {
        match c.local() {
            "roid" if x.roid.is_none() => x.roid = token(c),
            "status" => x.statuses.extend(field::status(c)),
            "addr" => x.addrs.extend(field::ip(c)),
            "clID" if x.sponsor.is_none() => x.sponsor = token(c),
            "crID" if x.created_by.is_none() => x.created_by = token(c),
            "crDate" if x.created.is_none() => x.created = date(c),
            "upID" if x.updated_by.is_none() => x.updated_by = token(c),
            "upDate" if x.updated.is_none() => x.updated = date(c),
            "trDate" if x.transferred.is_none() => x.transferred = date(c),
            _ => {}
        }
    }
    Ok(Some(ResData::Host(Box::new(x))))
}
