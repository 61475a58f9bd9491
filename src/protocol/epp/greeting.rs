//! The greeting (RFC 5730 §2.4).

use super::field::{date, token};
use crate::model::Greeting;
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// Reads `<greeting>`. Nothing in it is certain: some registries send no version, some no policy.
pub(super) fn decode(e: Element<'_>) -> Greeting {
    let mut greeting = Greeting::default();
    for child in e.children().filter(|c| c.ns() == Ns::EPP) {
        match child.local() {
            "svID" if greeting.server.is_empty() => greeting.server = token(child).unwrap_or_default(),
            "svDate" if greeting.date.is_none() => greeting.date = date(child),
            "svcMenu" => menu(child.seen(), &mut greeting),
            // Its statements stay among the unknown: they are words for a lawyer, not for a program.
            "dcp" => {
                let _known = child.seen();
                greeting.has_dcp = true;
            }
            _ => {}
        }
    }
    greeting
}

/// Reads `<svcMenu>`.
fn menu(e: Element<'_>, into: &mut Greeting) {
    for child in e.children().filter(|c| c.ns() == Ns::EPP) {
        match child.local() {
            "version" => into.versions.extend(token(child)),
            "lang" => into.langs.extend(token(child)),
            "objURI" => into.objects.extend(token(child)),
            "svcExtension" => {
                into.extensions.extend(child.seen().children().filter(|c| c.is(Ns::EPP, "extURI")).filter_map(token));
            }
            _ => {}
        }
    }
}

/// The service a greeting means with `uri`: some servers write the schema's file name behind it.
#[must_use]
pub fn service(uri: &str) -> &str {
    uri.split_ascii_whitespace().next().unwrap_or("")
}
