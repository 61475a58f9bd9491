//! Writing what contacts, domains and hosts have in common.

use super::encoder::Encoder;
use super::rule;
use crate::model::{AuthInfo, StatusValue};

/// The element names of an object's authorisation information.
pub(super) struct AuthNames {
    /// `<authInfo>`.
    pub(super) outer: &'static str,
    /// `<pw>`.
    pub(super) pw: &'static str,
    /// `<null>`, where the object's schema has one there.
    pub(super) null: Option<&'static str>,
}

/// Writes authorisation information, if there is any.
pub(super) fn auth(e: &mut Encoder<'_>, names: &AuthNames, auth: Option<&AuthInfo>) {
    let Some(auth) = auth else { return };
    match (auth, names.null) {
        (AuthInfo::Password { pw, roid: None }, _) => e.within(names.outer, &[], |e| e.leaf(names.pw, pw.reveal(), &rule::AUTH)),
        (AuthInfo::Password { pw, roid: Some(roid) }, _) => {
            e.check("roid", roid, &rule::ROID);
            e.within(names.outer, &[], |e| e.leaf_with(names.pw, &[("roid", roid)], pw.reveal(), &rule::AUTH));
        }
        (AuthInfo::Null, Some(null)) => e.within(names.outer, &[], |e| e.empty(null, &[])),
        (AuthInfo::Null, None) => e.refuse(names.outer, "cannot be removed here: the schema has no <null>"),
        (AuthInfo::Extended, _) => e.refuse(names.outer, "is of a registry's own kind, which can be read but not written"),
    }
}

/// Writes a status of those that `allowed` names.
pub(super) fn status(
    e: &mut Encoder<'_>,
    name: &'static str,
    value: &StatusValue,
    lang: Option<&str>,
    text: &str,
    allowed: &[StatusValue],
) {
    if !allowed.contains(value) {
        e.refuse(name, "is not a status this kind of object has");
    }
    match lang {
        Some(lang) => {
            e.check("lang", lang, &rule::LANGUAGE);
            e.leaf_with(name, &[("s", value.as_str()), ("lang", lang)], text, &rule::LINE);
        }
        None if text.is_empty() => e.empty(name, &[("s", value.as_str())]),
        None => e.leaf_with(name, &[("s", value.as_str())], text, &rule::LINE),
    }
}
