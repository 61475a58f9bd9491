//! The Fury platform, .nz: properties by key and value (fury-2.0, fury-2.1), and the type of a registration (regtype-0.1).

use super::super::encoder::Encoder;
use super::super::field::token;
use super::super::rule;
use super::carrier::{numbered, put};
use crate::model::Properties;
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;
use std::collections::BTreeMap;

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

/// Writes the properties of a new contact, of which there are some.
pub(super) fn create(e: &mut Encoder<'_>, ns: Ns, properties: &Properties) {
    e.within("fury:create", &[("xmlns:fury", ns.uri())], |e| list(e, properties));
}

/// Writes a change of properties, of which there are some: values are added and removed, and one that is replaced is both.
pub(super) fn update(e: &mut Encoder<'_>, ns: Ns, added: &Properties, removed: &Properties) {
    e.within("fury:update", &[("xmlns:fury", ns.uri())], |e| {
        for (tag, properties) in [("fury:add", added), ("fury:rem", removed)] {
            if !properties.is_empty() {
                e.within(tag, &[], |e| list(e, properties));
            }
        }
    });
}

/// Writes `properties`, each key with all its values.
fn list(e: &mut Encoder<'_>, properties: &Properties) {
    let mut all: BTreeMap<&str, BTreeMap<u32, &str>> = BTreeMap::new();
    for (key, value) in properties.iter() {
        let (key, number) = numbered(key);
        all.entry(key).or_default().insert(number, value);
    }
    e.within("fury:properties", &[], |e| {
        for (key, values) in all {
            e.within("fury:property", &[], |e| {
                e.leaf("fury:key", key, &rule::LINE);
                for value in values.into_values() {
                    e.leaf("fury:value", value, &rule::LINE);
                }
            });
        }
    });
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
