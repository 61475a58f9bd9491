//! NicIT's additions to answers: extepp-2.0.

use super::super::field::{date, number, token};
use crate::base::Personal;
use crate::model::{Credit, Date, ExtValue, NamespaceReminder, Offender};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// Reads `<creditMsgData>`; without an amount it stays unknown.
pub(super) fn credit(e: Element<'_>) -> Option<Credit> {
    let amount = token(e.children().find(|c| c.is(Ns::EXTEPP, "credit"))?)?;
    let until = e.child(Ns::EXTEPP, "untilDate").and_then(date);
    Some(Credit { amount, until, needed: e.child(Ns::EXTEPP, "creditNeeded").and_then(token) })
}

/// Reads `<passwdReminder>`.
pub(super) fn password(e: Element<'_>) -> Option<Date> {
    e.child(Ns::EXTEPP, "exDate").and_then(date)
}

/// Reads `<wrongNamespaceReminder>`; an entry without the right namespace stays unknown.
pub(super) fn namespaces(e: Element<'_>) -> Vec<NamespaceReminder> {
    let entry = |info: Element<'_>| {
        let right = token(info.children().find(|c| c.is(Ns::EXTEPP, "rightNamespace"))?)?;
        Some(NamespaceReminder { wrong: info.seen().child(Ns::EXTEPP, "wrongNamespace").and_then(token), right })
    };
    e.children().filter(|c| c.is(Ns::EXTEPP, "wrongNamespaceInfo")).filter_map(entry).collect()
}

/// Reads a `<value>` that holds a `<wrongValue>`, or nothing where it is any other.
pub(in crate::protocol::epp) fn wrong_value(value: Element<'_>) -> Option<ExtValue> {
    let wrong = value.children().find(|c| c.is(Ns::EXTEPP, "wrongValue"))?;
    let part = |local| wrong.children().find(|c| c.is(Ns::EXTEPP, local)).and_then(token);
    let offender = Offender { element: part("element")?, namespace: part("namespace").unwrap_or_default() };
    let _known = (value.seen(), wrong.seen());
    let text = part("value").map(Personal::new).unwrap_or_default();
    Some(ExtValue { value: text, offender: Some(offender), code: None, reason: None, lang: None })
}

/// Reads the number of a reason in the `<value>` of an `<extValue>`, or nothing where there is none.
pub(in crate::protocol::epp) fn reason_code(value: Element<'_>) -> Option<u16> {
    let code = number(value.children().find(|c| c.is(Ns::EXTEPP, "reasonCode"))?)?;
    let _known = value.seen();
    Some(code)
}
