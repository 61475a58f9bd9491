//! A session on a line that carries exchanges in turns.

use super::tongue::Tongue;
use super::{allowance, at, info};
use crate::base::Secret;
use crate::model::Command;
use crate::policy::profile;
use crate::protocol::frame::Whole;
use crate::session::machine::Effect;
use crate::session::{Account, CloseReason, Ended, EppDialect, Job, Loss, Outcome, Session};
use std::sync::Arc;

/// A session, and what it wanted.
struct Turns {
    session: Session,
    sent: Vec<String>,
    outcomes: Vec<Outcome>,
    closed: bool,
    /// Whether what it sends is tried to be written.
    writes: bool,
}

impl Turns {
    /// A session whose line stands.
    fn connected() -> Self {
        let account = Account { client: "registrar-1".into(), password: Secret::new("secret-1"), new_password: None };
        let dialect = Arc::new(EppDialect::new(account, profile("nicit").expect("embedded")));
        let session = Session::new(1, "test".into(), dialect, Box::new(Whole::default()), Arc::new(allowance()), 8);
        let mut turns = Self { session, sent: Vec::new(), outcomes: Vec::new(), closed: false, writes: true };
        turns.session.handle_connected(None, at(0));
        turns.effects();
        turns
    }

    /// A session that is logged in.
    fn ready() -> Self {
        let mut turns = Self::connected();
        turns.body(&greeting());
        turns.answer(1000, None);
        assert!(turns.session.is_ready(), "{:?}", turns.sent);
        turns
    }

    fn effects(&mut self) {
        while let Some(effect) = self.session.poll_effect() {
            match effect {
                Effect::Send(bytes) => {
                    if self.writes {
                        self.session.handle_handed(bytes.len());
                    }
                    self.sent.push(String::from_utf8(bytes).expect("UTF-8"));
                }
                Effect::Done(_, outcome) => self.outcomes.push(outcome),
                Effect::Close => self.closed = true,
            }
        }
    }

    fn body(&mut self, text: &str) {
        self.session.handle_bytes(text.as_bytes(), at(1));
        self.effects();
    }

    /// Answers the last command.
    fn answer(&mut self, code: u16, contact: Option<&str>) {
        let (_, rest) = self.sent.last().expect("a command").split_once("<clTRID>").expect("an identifier");
        let trid = rest.split('<').next().expect("an identifier").to_owned();
        self.body(&Tongue::Epp.text(code, "", contact, Some(&trid)));
    }

    fn ask(&mut self, ticket: u64) {
        self.session.submit(Job::new(ticket, Command::Query(info("C-1"))), at(1));
        self.effects();
    }

    fn fail(&mut self) {
        self.session.handle_failed(CloseReason::Http("the answer has HTTP status 503".to_owned()), at(1));
        self.effects();
    }
}

fn greeting() -> String {
    String::from_utf8(Tongue::Epp.greeting().split_off(4)).expect("UTF-8")
}

#[test]
fn the_greeting_is_asked_for_and_there_is_one_command_in_flight() {
    let mut turns = Turns::connected();
    assert!(turns.sent.len() == 1 && turns.sent[0].contains("<hello"), "{:?}", turns.sent);
    turns.body(&greeting());
    assert!(turns.sent.len() == 2 && turns.sent[1].contains("<login>"), "{:?}", turns.sent);
    turns.answer(1000, None);
    assert_eq!(turns.session.room(), 1, "whatever window the profile or an operator asks for");
    turns.ask(1);
    assert_eq!(turns.session.room(), 0);
    turns.answer(1000, Some("C-1"));
    assert!(matches!(turns.outcomes.as_slice(), [Outcome::Answer { .. }]) && turns.session.room() == 1);
}

#[test]
fn an_exchange_that_was_tried_is_unknown_one_that_was_not_never_sent_and_the_session_goes_on() {
    let mut turns = Turns::ready();
    turns.writes = false;
    turns.ask(1);
    turns.fail();
    turns.writes = true;
    turns.ask(2);
    turns.fail();
    assert!(matches!(turns.outcomes.as_slice(), [Outcome::NeverSent { .. }, Outcome::Unknown { .. }]), "{:?}", turns.outcomes);
    turns.ask(3);
    turns.answer(1000, Some("C-1"));
    assert!(matches!(turns.outcomes.last(), Some(Outcome::Answer { .. })) && turns.session.is_ready() && !turns.closed);
}

#[test]
fn nothing_but_failures_end_the_session_and_an_answer_between_them_does_not() {
    let mut turns = Turns::ready();
    for ticket in 0..2 {
        turns.ask(ticket);
        turns.fail();
    }
    turns.ask(2);
    turns.answer(2303, None);
    for ticket in 3..6 {
        assert!(turns.session.is_ready(), "before {ticket}");
        turns.ask(ticket);
        turns.fail();
    }
    assert!(turns.closed && matches!(turns.session.ended(), Some(Ended::Lost(Loss::Closed(CloseReason::Http(_))))));
    assert_eq!(turns.outcomes.len(), 6, "each has its outcome");
}

#[test]
fn a_failure_before_the_login_or_in_the_logout_ends_the_session() {
    let mut turns = Turns::connected();
    turns.fail();
    assert!(turns.closed && matches!(turns.session.ended(), Some(Ended::Barred(_))));
    let mut turns = Turns::ready();
    turns.session.drain(at(2));
    turns.effects();
    assert!(turns.sent.last().is_some_and(|frame| frame.contains("<logout")));
    turns.fail();
    assert!(turns.closed && matches!(turns.session.ended(), Some(Ended::Left)));
}
