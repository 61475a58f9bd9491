//! The Fury platform, .nz: properties by key and value (fury-2.0, fury-2.1), and the type of a registration (regtype-0.1).

use super::super::encoder::Encoder;
use super::super::field::token;
use super::super::rule;
use super::carrier::put;
use crate::model::Properties;
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// Versions, the oldest first.
const VERSIONS: [Ns; 2] = [Ns::FURY_2_0, Ns::FURY_2_1];

/// Whether `ns` is a version.
pub(super) fn is_fury(ns: Ns) -> bool {
    VERSIONS.contains(&ns)
}

/// The newest version that is among `agreed`.
pub(super) fn agreed(agreed: &[Box<str>]) -> Option<Ns> {
    VERSIONS.into_iter().rev().find(|ns| agreed.iter().any(|uri| **uri == *ns.uri()))
}

/// Writes `properties`, which hold something: an update sets them by adding.
pub(super) fn write(e: &mut Encoder<'_>, ns: Ns, properties: &Properties, creates: bool) {
    let all = |e: &mut Encoder<'_>| {
        e.within("fury:properties", &[], |e| {
            for (key, value) in properties.iter() {
                e.within("fury:property", &[], |e| {
                    e.leaf("fury:key", key, &rule::LINE);
                    e.leaf("fury:value", value, &rule::LINE);
                });
            }
        });
    };
    let xmlns = [("xmlns:fury", ns.uri())];
    if creates {
        e.within("fury:create", &xmlns, all);
    } else {
        e.within("fury:update", &xmlns, |e| e.within("fury:add", &[], all));
    }
}

/// The child of `e` of that name in its own namespace.
fn of<'t>(e: Element<'t>, local: &str) -> Option<Element<'t>> {
    e.children().find(|c| c.is(e.ns(), local))
}

/// Puts the properties of an `info` or `infData` into `into`. One without a key stays unknown.
pub(super) fn read(e: Element<'_>, into: &mut Properties) {
    for properties in e.children().filter(|c| c.is(e.ns(), "properties")) {
        for property in properties.seen().children().filter(|c| c.is(e.ns(), "property")) {
            let values: Vec<Element<'_>> = property.children().filter(|c| c.is(e.ns(), "value")).collect();
            let Some(key) = of(property, "key").filter(|_| !values.is_empty()).and_then(token) else { continue };
            let _known = property.seen();
            for value in values {
                put(into, &key, value);
            }
        }
    }
}

/// Puts the type of a registration into `into`, under `registrationType`.
pub(super) fn registration_type(e: Element<'_>, into: &mut Properties) {
    if let Some(kind) = e.child(Ns::REG_TYPE, "type") {
        put(into, "registrationType", kind);
    }
}
