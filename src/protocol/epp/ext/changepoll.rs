//! Changes that somebody else made, told through the queue (RFC 8590).

use super::super::field::{date, token};
use crate::model::ChangePoll;
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// Reads `<changeData>`; without its operation it stays unknown.
pub(super) fn decode(e: Element<'_>) -> Option<ChangePoll> {
    let operation = e.children().find(|c| c.is(Ns::CHANGE_POLL, "operation"))?;
    let mut change = ChangePoll {
        state: e.attr("state").unwrap_or("after").into(),
        operation: token(operation)?,
        sub_operation: operation.attr("op").map(Into::into),
        date: None,
        sv_trid: "".into(),
        who: "".into(),
        case: None,
        reason: None,
    };
    for c in e.children().filter(|c| c.ns() == Ns::CHANGE_POLL) {
        match c.local() {
            "date" if change.date.is_none() => change.date = date(c),
            "svTRID" if change.sv_trid.is_empty() => change.sv_trid = token(c).unwrap_or_default(),
            "who" if change.who.is_empty() => change.who = token(c).unwrap_or_default(),
            "caseId" if change.case.is_none() => change.case = Some((c.token().into(), c.attr("type").unwrap_or_default().into())),
            "reason" if change.reason.is_none() => change.reason = token(c),
            _ => {}
        }
    }
    Some(change)
}
