//! The reader of a message queue alone.

use super::super::inbox::Inbox;
use super::*;

const AGAIN: Duration = Duration::from_secs(5);
const START: Now = Now { at: Moment::ZERO, wall: Timestamp::UNIX_EPOCH };

/// The head of a queue with one message, which holds `data`.
fn head(data: Option<ResData>) -> Outcome {
    let mut told = answer(1301, data, Kind::Session);
    if let Outcome::Answer { response, frame, .. } = &mut told {
        response.queue = Some(Queue { count: Some(1), id: Some("7".into()), date: None, msg: None });
        *frame = Some(RawFrame::new(b"<message>"));
    }
    told
}

fn asked() -> Inbox {
    let mut inbox = Inbox::new();
    assert!(inbox.asks(START) && !inbox.asks(START), "nothing is asked while an answer is out");
    inbox
}

#[test]
fn a_decision_on_a_contact_is_one_too() {
    let decision = PendingData { id: "C-1".into(), result: true, cl_trid: None, sv_trid: None, date: None };
    let told = [ResData::ContactPending(decision.clone()), ResData::DomainPending(decision)].map(|data| {
        let message = asked().heard(head(Some(data)), true, AGAIN, START).expect("a message");
        message.decision.map(|(kind, decision)| (kind, decision.id.into()))
    });
    assert_eq!(told, [ObjectKind::Contact, ObjectKind::Domain].map(|kind| Some((kind, "C-1".to_owned()))));
}

#[test]
fn a_queue_that_is_not_ours_is_looked_at_and_nothing_is_taken_out() {
    let mut inbox = asked();
    assert!(inbox.heard(head(None), false, AGAIN, START).is_some());
    assert_eq!((inbox.due(), inbox.kept()), (Some(START.at + AGAIN), None));
}

#[test]
fn the_next_message_is_asked_for_at_once_where_the_last_was_acknowledged() {
    let due = [1000, 2400].map(|code| {
        let mut inbox = asked();
        assert!(inbox.heard(head(None), true, AGAIN, START).is_some_and(|message| &*message.id == "7"));
        assert_eq!((inbox.due(), inbox.kept().as_deref()), (None, Some("7")));
        assert!(inbox.heard(answer(code, None, Kind::Session), true, AGAIN, START).is_none());
        inbox.due()
    });
    assert_eq!(due, [Some(START.at), Some(START.at + AGAIN)], "one that could not be acknowledged comes again");
}
