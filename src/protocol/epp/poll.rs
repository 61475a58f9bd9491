//! The message queue (RFC 5730 §2.9.2.3).

use super::encoder::Encoder;
use super::field::{date, token};
use super::rule;
use crate::model::Queue;
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// Writes `<poll op="req"/>`.
pub(super) fn request(e: &mut Encoder<'_>) {
    e.empty("poll", &[("op", "req")]);
}

/// Writes `<poll op="ack"/>` for the message `id`.
pub(super) fn ack(e: &mut Encoder<'_>, id: &str) {
    e.check("msgID", id, &rule::FILLED);
    e.empty("poll", &[("op", "ack"), ("msgID", id)]);
}

/// Reads `<msgQ>`.
pub(super) fn queue(e: Element<'_>) -> Queue {
    let mut queue = Queue { count: None, id: None, date: None, msg: None };
    if let Some(count) = e.peek("count").and_then(|n| n.trim().parse().ok()) {
        let _known = e.attr("count");
        queue.count = Some(count);
    }
    queue.id = e.attr("id").map(Into::into);
    for child in e.seen().children().filter(|c| c.ns() == Ns::EPP) {
        match child.local() {
            "qDate" if queue.date.is_none() => queue.date = date(child),
            "msg" if queue.msg.is_none() => queue.msg = Some(child.flat_text()).filter(|t| !t.is_empty()).map(Into::into),
            // Older servers put the id into an element.
            "id" if queue.id.is_none() => queue.id = token(child),
            _ => {}
        }
    }
    queue
}
