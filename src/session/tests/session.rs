//! One session.

mod rri;

use super::tongue::{Asked, Tongue};
use super::{allowance, at, info};
use crate::model::{Command, ResultCode};
use crate::session::machine::Effect;
use crate::session::{Allowance, Barred, CloseReason, Ended, Job, Loss, Outcome, Session};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A session with a registry's side that answers only when told to.
struct Bench {
    tongue: Tongue,
    session: Session,
    /// Commands that reached the registry.
    asked: Vec<Asked>,
    outcomes: BTreeMap<u64, Outcome>,
    closed: bool,
    /// Whether what the session sends is tried to be written.
    writes: bool,
}

impl Bench {
    fn new(tongue: Tongue, allowance: Allowance) -> Self {
        let window = allowance.read_window;
        let session = Session::new(1, "test".into(), tongue.dialect(), (tongue.framer())(), Arc::new(allowance), window);
        Self { tongue, session, asked: Vec::new(), outcomes: BTreeMap::new(), closed: false, writes: true }
    }

    /// A session that is logged in.
    fn ready(tongue: Tongue) -> Self {
        Self::ready_with(tongue, allowance())
    }

    fn ready_with(tongue: Tongue, allowance: Allowance) -> Self {
        let mut bench = Self::new(tongue, allowance);
        bench.session.handle_connected(None, at(0));
        let greeting = tongue.greeting();
        bench.bytes(&greeting, 0);
        let login = bench.asked.pop().expect("a login");
        assert_eq!(login.verb, "login");
        bench.answer(&login, 1000, 0);
        assert!(bench.session.is_ready());
        bench
    }

    fn effects(&mut self) {
        while let Some(effect) = self.session.poll_effect() {
            match effect {
                Effect::Send(bytes) if self.writes => {
                    self.session.handle_handed(bytes.len());
                    self.asked.extend(self.tongue.read(&bytes));
                }
                Effect::Send(_) => {}
                Effect::Done(job, outcome) => assert!(self.outcomes.insert(job.ticket, outcome).is_none(), "one outcome each"),
                Effect::Close => self.closed = true,
            }
        }
    }

    fn ask(&mut self, ticket: u64, id: &str, millis: u64) {
        self.session.submit(Job::new(ticket, Command::Query(info(id))), at(millis));
        self.effects();
    }

    fn bytes(&mut self, bytes: &[u8], millis: u64) {
        self.session.handle_bytes(bytes, at(millis));
        self.effects();
    }

    fn text(&mut self, text: &str, millis: u64) {
        let frame = self.tongue.frame(text);
        self.bytes(&frame, millis);
    }

    fn answer(&mut self, asked: &Asked, code: u16, millis: u64) {
        let frame = self.tongue.answer(asked, code);
        self.bytes(&frame, millis);
    }

    fn time(&mut self, millis: u64) {
        self.session.handle_timeout(at(millis));
        self.effects();
    }

    fn closed(&mut self, millis: u64) {
        self.session.handle_closed(CloseReason::Eof { clean: false }, at(millis));
        self.effects();
    }

    fn loss(&self) -> &Loss {
        match self.session.ended() {
            Some(Ended::Lost(loss) | Ended::Barred(Barred::Lost(loss))) => loss,
            other => panic!("not lost: {other:?}"),
        }
    }

    fn is_answer(&self, ticket: u64, code: u16) -> bool {
        matches!(self.outcomes.get(&ticket), Some(Outcome::Answer { response, .. }) if response.code() == ResultCode(code))
    }

    fn is_unknown(&self, ticket: u64) -> bool {
        matches!(self.outcomes.get(&ticket), Some(Outcome::Unknown { .. }))
    }
}

#[test]
fn a_session_from_login_to_logout() {
    for tongue in Tongue::BOTH {
        let mut bench = Bench::ready(tongue);
        bench.ask(7, "C-1", 100);
        let asked = bench.asked.pop().expect("an info");
        assert_eq!((asked.verb, asked.id.as_str()), ("info", "C-1"));
        bench.answer(&asked, 1000, 130);
        let Some(Outcome::Answer { facts, .. }) = bench.outcomes.get(&7) else { panic!("an answer: {:?}", bench.outcomes) };
        assert_eq!((facts.command, facts.code), ("contact:info", Some(ResultCode(1000))));
        assert_eq!((facts.sent, facts.received), (at(100).wall, at(130).wall));
        assert!(facts.bytes_out > 10 && facts.bytes_in > 10 && facts.digest.is_some() && !facts.elements.is_empty());
        bench.session.drain(at(200));
        bench.effects();
        let logout = bench.asked.pop().expect("a logout");
        assert_eq!(logout.verb, "logout");
        bench.answer(&logout, 1500, 210);
        assert!(bench.closed && matches!(bench.session.ended(), Some(Ended::Left)));
    }
}

/// Without a greeting in time nothing is sent.
#[test]
fn row_07_no_greeting_or_a_cut_one_ends_at_the_deadline() {
    for part in [0, 1, 3, 40] {
        let mut bench = Bench::new(Tongue::Epp, allowance());
        bench.session.handle_connected(None, at(0));
        let greeting = Tongue::Epp.greeting();
        bench.bytes(&greeting[..part], 29_000);
        assert_eq!(bench.session.poll_timeout(), Some(at(30_000).at));
        bench.time(30_000);
        assert_eq!(bench.loss(), &Loss::NoGreeting);
        assert!(bench.asked.is_empty() && bench.closed);
    }
}

#[test]
fn row_08_a_close_after_the_login_bars_the_session() {
    for tongue in Tongue::BOTH {
        let mut bench = Bench::new(tongue, allowance());
        bench.session.handle_connected(None, at(0));
        bench.bytes(&tongue.greeting(), 0);
        bench.closed(10);
        assert!(matches!(bench.session.ended(), Some(Ended::Barred(Barred::Lost(Loss::Closed(_))))));
    }
}

#[test]
fn row_09_an_end_leaves_what_is_in_flight_unknown() {
    for tongue in Tongue::BOTH {
        let mut bench = Bench::ready(tongue);
        bench.ask(1, "C-1", 0);
        bench.closed(10);
        assert!(bench.is_unknown(1) && bench.closed);
    }
}

#[test]
fn row_10_nothing_is_written_after_the_registrys_end() {
    let mut bench = Bench::ready(Tongue::Epp);
    bench.ask(1, "C-1", 0);
    bench.asked.clear();
    bench.closed(10);
    bench.session.drain(at(20));
    bench.time(400_000);
    assert!(bench.asked.is_empty());
}

#[test]
fn row_13_bytes_one_by_one_are_the_same_answer() {
    for tongue in Tongue::BOTH {
        let mut bench = Bench::ready(tongue);
        bench.ask(1, "C-1", 0);
        let asked = bench.asked.pop().expect("an info");
        for byte in tongue.answer(&asked, 1000) {
            bench.bytes(&[byte], 5);
        }
        assert!(bench.is_answer(1, 1000));
    }
}

#[test]
fn row_14_an_owned_frame_counts_and_an_ownerless_one_behind_it_closes() {
    for tongue in Tongue::BOTH {
        let mut bench = Bench::ready(tongue);
        bench.ask(1, "C-1", 0);
        let asked = bench.asked.pop().expect("an info");
        let mut both = tongue.answer(&asked, 1000);
        both.extend(tongue.frame(&tongue.text(1000, "", None, Some("nobody-1"))));
        bench.bytes(&both, 5);
        assert!(bench.is_answer(1, 1000));
        assert_eq!(bench.loss(), &Loss::Ownerless(ResultCode(1000)));
    }
}

#[test]
fn row_15_to_17_a_header_no_honest_peer_sends_ends_the_session() {
    for length in [0_u32, 1, 4, 1 << 30, u32::MAX - 1] {
        let mut bench = Bench::ready(Tongue::Epp);
        bench.ask(1, "C-1", 0);
        bench.bytes(&length.to_be_bytes(), 5);
        assert!(matches!(bench.loss(), Loss::BadFrame(_)) && bench.is_unknown(1));
    }
}

#[test]
fn row_18_part_of_a_frame_is_no_answer() {
    for tongue in Tongue::BOTH {
        let mut bench = Bench::ready(tongue);
        bench.ask(1, "C-1", 0);
        let asked = bench.asked.pop().expect("an info");
        let answer = tongue.answer(&asked, 1000);
        bench.bytes(&answer[..answer.len() - 1], 5);
        bench.closed(6);
        assert!(bench.is_unknown(1));
    }
}

#[test]
fn row_19_a_byte_does_not_move_the_deadline() {
    for tongue in Tongue::BOTH {
        let mut bench = Bench::ready(tongue);
        bench.ask(1, "C-1", 1_000);
        let asked = bench.asked.pop().expect("an info");
        let answer = tongue.answer(&asked, 1000);
        for (n, byte) in answer.iter().take(3).enumerate() {
            let millis = 1_000 + (n as u64 + 1) * 9_000;
            bench.bytes(&[*byte], millis);
            bench.time(millis);
            assert_eq!(bench.session.poll_timeout(), Some(at(31_000).at));
        }
        bench.time(31_000);
        assert_eq!(bench.loss(), &Loss::Deadline);
        assert!(bench.is_unknown(1) && bench.closed);
    }
}

#[test]
fn row_22_a_foreign_identifier_belongs_to_nobody() {
    let mut bench = Bench::ready(Tongue::Epp);
    bench.ask(1, "C-1", 0);
    let text = Tongue::Epp.text(1000, "", Some("C-1"), Some("other-client-9"));
    bench.text(&text, 5);
    assert_eq!(bench.loss(), &Loss::Ownerless(ResultCode(1000)));
    assert!(bench.is_unknown(1));
}

#[test]
fn row_22_the_previous_commands_answer_comes_again_first() {
    let mut bench = Bench::ready(Tongue::Epp);
    bench.ask(1, "C-1", 0);
    let first = bench.asked.pop().expect("an info");
    bench.answer(&first, 1000, 5);
    bench.ask(2, "C-2", 10);
    bench.answer(&first, 1000, 15);
    assert!(bench.is_unknown(2), "the old answer is not the new one's");
}

#[test]
fn row_23_a_missing_identifier_is_believed_of_one_failure_only() {
    for (code, one_in_flight) in [(2001, true), (2103, true), (2400, true), (1000, false), (2303, false)] {
        let mut bench = Bench::ready(Tongue::Epp);
        bench.ask(1, "C-1", 0);
        bench.text(&Tongue::Epp.text(code, "", None, None), 5);
        assert_eq!(bench.is_answer(1, code), one_in_flight, "code {code}");
        assert_eq!(bench.is_unknown(1), !one_in_flight, "code {code}");
        let mut bench = Bench::ready(Tongue::Epp);
        bench.ask(1, "C-1", 0);
        bench.ask(2, "C-2", 0);
        bench.text(&Tongue::Epp.text(code, "", None, None), 5);
        assert!(bench.is_unknown(1) && bench.is_unknown(2), "of two it could be either's");
    }
}

#[test]
fn row_24_the_first_of_two_equal_answers_counts() {
    for tongue in Tongue::BOTH {
        let mut bench = Bench::ready(tongue);
        bench.ask(1, "C-1", 0);
        let asked = bench.asked.pop().expect("an info");
        bench.answer(&asked, 1000, 5);
        bench.answer(&asked, 1000, 6);
        assert!(bench.is_answer(1, 1000));
        assert!(matches!(bench.loss(), Loss::Ownerless(_)));
    }
}

#[test]
fn row_25_swapped_answers_find_their_questions() {
    let mut bench = Bench::ready(Tongue::Epp);
    for n in 0..8 {
        bench.ask(n, &format!("C-{n}"), 0);
    }
    let asked = std::mem::take(&mut bench.asked);
    for asked in asked.iter().rev() {
        bench.answer(asked, 1000, 5);
    }
    for n in 0..8 {
        let Some(Outcome::Answer { response, .. }) = bench.outcomes.get(&n) else { panic!("an answer to {n}") };
        let crate::model::ResData::Contact(contact) = &response.data[0] else { panic!("a contact") };
        assert_eq!(contact.id.as_str(), format!("C-{n}"));
    }
}

#[test]
fn row_26_an_answer_after_the_deadline_meets_a_closed_session() {
    let mut bench = Bench::ready(Tongue::Epp);
    bench.ask(1, "C-1", 0);
    let asked = bench.asked.pop().expect("an info");
    bench.time(30_000);
    bench.answer(&asked, 1000, 30_001);
    assert!(bench.is_unknown(1));
}

#[test]
fn row_27_to_33_garbage_is_unreadable_and_its_owner_is_told_by_the_identifier() {
    let bad = |trid: &str| format!("<!DOCTYPE x><epp><clTRID>{trid}</clTRID></epp>");
    let mut bench = Bench::ready(Tongue::Epp);
    for n in 0..3 {
        bench.ask(n, "C-1", 0);
    }
    let trid = bench.asked[1].trid.clone();
    bench.text(&bad(&trid), 5);
    assert!(matches!(bench.outcomes.get(&1), Some(Outcome::Unreadable { .. })), "{:?}", bench.outcomes);
    assert!(bench.is_unknown(0) && bench.is_unknown(2) && bench.closed);
    for tongue in Tongue::BOTH {
        let mut bench = Bench::ready(tongue);
        bench.ask(1, "C-1", 0);
        bench.text("<a><b></a>", 5);
        let Some(Outcome::Unreadable { frame, .. }) = bench.outcomes.get(&1) else { panic!("{:?}", bench.outcomes) };
        assert_eq!(frame.reveal(), b"<a><b></a>");
        assert!(!format!("{frame:?}").contains("<b>"));
    }
}

#[test]
fn row_36_codes_nobody_has_heard_of() {
    for tongue in Tongue::BOTH {
        for (code, closes) in [(1100, false), (1501, true), (2503, true), (2999, false)] {
            let mut bench = Bench::ready(tongue);
            bench.ask(1, "C-1", 0);
            let asked = bench.asked.pop().expect("an info");
            bench.answer(&asked, code, 5);
            assert!(bench.is_answer(1, code));
            assert_eq!(bench.closed, closes, "code {code}");
        }
    }
}

#[test]
fn row_37_an_answer_about_another_object_is_never_delivered() {
    for tongue in Tongue::BOTH {
        let mut bench = Bench::ready(tongue);
        bench.ask(1, "C-1", 0);
        let asked = bench.asked.pop().expect("an info");
        bench.text(&tongue.text(1000, "", Some("C-2"), Some(&asked.trid)), 5);
        assert!(bench.is_unknown(1) && bench.closed);
        assert!(matches!(bench.loss(), Loss::OtherObject(_)));
    }
    let mut bench = Bench::ready(Tongue::Epp);
    bench.ask(1, "c-1", 0);
    let asked = bench.asked.pop().expect("an info");
    bench.text(&Tongue::Epp.text(1000, "", Some("C-1"), Some(&asked.trid)), 5);
    assert!(bench.is_answer(1, 1000), "a registry may store handles in upper case");
}

/// Without identifiers a success which names no object cannot be told from another command's.
#[test]
fn row_37_in_a_language_without_identifiers_an_answer_must_name_its_object() {
    let mut bench = Bench::ready(Tongue::Small);
    bench.ask(1, "C-1", 0);
    bench.text(&Tongue::Small.text(1000, "", None, None), 5);
    assert!(bench.is_unknown(1));
}

#[test]
fn row_43_codes_at_login_bar_the_session() {
    for tongue in Tongue::BOTH {
        for code in [2200, 2501, 2502, 2500, 2400, 2002] {
            let mut bench = Bench::new(tongue, allowance());
            bench.session.handle_connected(None, at(0));
            bench.bytes(&tongue.greeting(), 0);
            let login = bench.asked.pop().expect("a login");
            bench.answer(&login, code, 5);
            let Some(Ended::Barred(Barred::Refused { code: found, .. })) = bench.session.ended() else { panic!("barred") };
            assert_eq!(*found, ResultCode(code));
            assert!(bench.closed);
        }
    }
}

#[test]
fn row_43_too_many_sessions_told_in_place_of_the_greeting() {
    let mut bench = Bench::new(Tongue::Epp, allowance());
    bench.session.handle_connected(None, at(0));
    bench.text(&Tongue::Epp.text(2502, "Session limit exceeded", None, None), 5);
    let Some(Ended::Barred(Barred::Refused { verdict, .. })) = bench.session.ended() else { panic!("barred") };
    assert!(verdict.limit && bench.asked.is_empty());
}

#[test]
fn row_45_an_idle_session_is_kept_alive_before_it_is_cut() {
    for tongue in Tongue::BOTH {
        let mut bench = Bench::ready(tongue);
        assert_eq!(bench.session.poll_timeout(), Some(at(225_000).at));
        bench.time(225_000);
        let hello = bench.asked.pop().expect("a keep-alive");
        assert_eq!(hello.verb, "hello");
        bench.answer(&hello, 1000, 225_100);
        assert!(bench.session.is_ready());
        assert_eq!(bench.session.poll_timeout(), Some(at(450_000).at));
        bench.time(450_000);
        bench.time(480_000);
        assert_eq!(bench.loss(), &Loss::Deadline, "a keep-alive has a deadline too");
    }
}

#[test]
fn row_45_a_session_leaves_before_its_age_and_its_commands_run_out() {
    for tongue in Tongue::BOTH {
        let limits = Allowance { age: Some(Duration::from_secs(100)), ..allowance() };
        let mut bench = Bench::ready_with(tongue, limits);
        bench.time(89_999);
        assert!(bench.session.is_ready());
        bench.time(90_000);
        assert_eq!(bench.asked.pop().expect("a logout").verb, "logout");

        let limits = Allowance { commands_per_session: Some(6), ..allowance() };
        let mut bench = Bench::ready_with(tongue, limits);
        let mut commands = 1;
        while bench.session.room() > 0 {
            bench.ask(commands, "C-1", 0);
            commands += 1;
            let asked = bench.asked.pop().expect("an info");
            bench.answer(&asked, 1000, 1);
        }
        assert_eq!(bench.asked.pop().expect("a logout").verb, "logout");
        assert!(commands < 6, "the logout included");
        assert!(bench.is_answer(3, 1000), "what was in flight was finished");
    }
}

#[test]
fn row_45_an_end_before_the_first_byte_leaves_a_command_unsent() {
    for tongue in Tongue::BOTH {
        let mut bench = Bench::ready(tongue);
        bench.writes = false;
        bench.ask(1, "C-1", 0);
        bench.closed(1);
        assert!(matches!(bench.outcomes.get(&1), Some(Outcome::NeverSent { .. })));
    }
}

#[test]
fn row_45_five_faces_of_a_lost_session() {
    for tongue in Tongue::BOTH {
        for (code, msg) in [(2002, "not logged in"), (2201, "Session timeout"), (2500, ""), (2501, ""), (1500, "")] {
            let mut bench = Bench::ready(tongue);
            bench.ask(1, "C-1", 0);
            let asked = bench.asked.pop().expect("an info");
            bench.text(&tongue.text(code, msg, None, Some(&asked.trid)), 5);
            assert_eq!(bench.loss(), &Loss::Told(ResultCode(code)));
        }
        let mut bench = Bench::ready(tongue);
        bench.ask(1, "C-1", 0);
        let asked = bench.asked.pop().expect("an info");
        bench.text(&tongue.text(2502, "throttled", None, Some(&asked.trid)), 5);
        assert!(bench.session.is_ready(), "the socket stays open");
    }
}
