//! What each result code asks of the client, row by row of the fault matrix, and what is counted over several.

use super::info;
use crate::base::{Handle, Personal};
use crate::model::{Class, Command, ExtValue, Response, ResultCode, ResultItem, Transform};
use crate::session::result::Foreign;
use crate::session::{At, Breaker, Kind, classify, judge};

/// A verdict in words: class, effect and scope, and what else is to be known.
fn told(code: u16, words: &str, at: At, kind: Kind) -> String {
    let verdict = classify(ResultCode(code), words, at, kind, &["too many".to_owned()]);
    let mut out = format!("{:?} {:?} {:?}", verdict.class, verdict.effect, verdict.scope).to_lowercase();
    out.push_str(if verdict.closes { " closes" } else { "" });
    out.push_str(if verdict.limit { " limit" } else { "" });
    out.extend(verdict.breaker.map(|breaker| format!(" breaker {breaker}")));
    out
}

/// Codes, what they mean for a question, and for a command that changes something, in a session that is logged in.
const LIVE: [(&[u16], &str, &str); 21] = [
    (&[1000, 1100, 1300, 1301, 1600, 1999], "ok done item", "ok done item"),
    (&[1001], "wait later item", "wait later item"),
    (&[1500], "read unknown item closes", "read unknown item closes"),
    (&[1501], "ok done item closes", "ok done item closes"),
    (&[2000], "item none operation breaker 1", "item none operation breaker 1"),
    (&[2001], "item none item breaker 3", "item none item breaker 3"),
    (&[2002], "new none item closes", "new none item closes"),
    (&[2003, 2004, 2005, 2105, 2106, 2201, 2202, 2300, 2301, 2303, 2305, 2600, 2999], "item none item", "item none item"),
    (&[2101, 2102], "item none operation", "item none operation"),
    (&[2103], "stop none operation", "stop none operation"),
    (&[2100, 2104, 2200], "stop none registry", "stop none registry"),
    (&[2302, 2304, 2306], "item none item", "read none item"),
    (&[2307], "stop none object", "stop none object"),
    (&[2308], "item none item", "item none item"),
    (&[2400], "again unknown item breaker 5", "read unknown item breaker 5"),
    (&[2500], "new unknown item closes breaker 5", "read unknown item closes breaker 5"),
    (&[2501], "stop none registry closes", "stop none registry closes"),
    (&[2502], "again none item limit", "again none item limit"),
    (&[2503, 2599], "new none item closes", "new none item closes"),
    (&[0, 999, 3000, 65_499], "item unknown item", "read unknown item"),
    (&[3500], "item unknown item closes", "read unknown item closes"),
];

#[test]
fn each_code_asks_for_what_the_matrix_says() {
    for (codes, query, transform) in LIVE {
        for code in codes {
            assert_eq!(told(*code, "", At::Live, Kind::Query), query, "{code}");
            assert_eq!(told(*code, "", At::Live, Kind::Session), query, "{code}");
            assert_eq!(told(*code, "", At::Live, Kind::Transform), transform, "{code}");
        }
    }
}

#[test]
fn some_codes_mean_something_else_at_a_login_a_logout_and_by_their_words() {
    assert_eq!(told(1500, "", At::Logout, Kind::Session), "ok done item closes");
    assert_eq!(told(1500, "", At::Login, Kind::Session), "read unknown item closes");
    assert_eq!(told(2201, "", At::Login, Kind::Session), "stop none registry");
    assert_eq!(told(2201, "Session Timeout. Log in again", At::Live, Kind::Query), "new none item closes");
    assert_eq!(told(2201, "Session Timeout", At::Login, Kind::Session), "stop none registry");
    assert_eq!(told(2502, "", At::Login, Kind::Session), "new none item closes limit");
    assert_eq!(told(2308, "Too Many requests", At::Live, Kind::Transform), "again none item limit");
    let nothing = classify(ResultCode(2308), "too many", At::Live, Kind::Query, &[String::new()]);
    assert!(!nothing.limit && nothing.class == Class::Item, "no word tells nothing");
}

/// A result with its reasons.
fn result(code: u16, msg: &str, reasons: &[&str]) -> ResultItem {
    let value =
        |reason: &&str| ExtValue { value: Personal::new(""), offender: None, code: None, reason: Some(Personal::new(*reason)), lang: None };
    let ext_values = reasons.iter().map(value).collect();
    ResultItem { code: ResultCode(code), msg: msg.into(), lang: None, values: Vec::new(), ext_values }
}

#[test]
fn a_registrys_own_words_may_stand_in_the_reasons_of_the_result_that_counts() {
    let limited = |results: Vec<ResultItem>| {
        let response = Response { results, ..Response::default() };
        judge(&response, At::Live, Kind::Query, &["too many".to_owned()]).limit
    };
    assert!(limited(vec![result(2308, "Data management policy violation", &["policy", "too many requests"])]));
    assert!(limited(vec![result(2308, "too many", &[])]));
    assert!(!limited(vec![result(2308, "Data management policy violation", &["policy"])]));
    // Of several results the worst counts, with its own reasons alone.
    assert!(!limited(vec![result(2308, "", &["policy"]), result(2003, "", &["too many requests"])]));
    assert!(!limited(vec![result(1000, "", &["too many requests"])]));
}

#[test]
fn equal_systemic_codes_in_a_row_trip_the_breaker_and_anything_else_ends_the_row() {
    let mut breaker = Breaker::default();
    let mut trips = |code: u16| breaker.trips(ResultCode(code), classify(ResultCode(code), "", At::Live, Kind::Query, &[]));
    assert_eq!([2400; 5].map(&mut trips), [false, false, false, false, true]);
    assert_eq!([2500, 2400, 2400, 2400, 2400].map(&mut trips), [false; 5]);
    assert_eq!([1000, 2400, 2303, 2400, 2400, 2400, 2400].map(&mut trips), [false; 7]);
    assert!(trips(2400));
    assert_eq!([2001, 2001, 2001].map(&mut trips), [false, false, true]);
    assert!(trips(2000));
}

#[test]
fn more_than_a_twentieth_of_answers_about_others_objects_trips_after_fifty_of_them() {
    let foreign = |answers: u64, refused: u64, code: u16, at: At| {
        let mut foreign = Foreign { answers, refused };
        foreign.trips(ResultCode(code), classify(ResultCode(code), "", at, Kind::Query, &[]))
    };
    assert!(!foreign(49, 49, 2201, At::Live) && foreign(50, 50, 2201, At::Live));
    // The fifty-first of 1,020 is a twentieth exactly.
    assert!(!foreign(1_019, 50, 2201, At::Live) && foreign(1_018, 50, 2201, At::Live));
    assert!(!foreign(50, 50, 2303, At::Live), "it is ours, and gone");
    assert!(!foreign(50, 50, 2201, At::Login), "another refusal altogether");
}

#[test]
fn commands_are_of_the_session_ask_or_change_something() {
    let delete = Command::Transform(Box::new(Transform::ContactDelete(Handle::new("C-1"))));
    let kinds = [Command::Hello, Command::Query(info("C-1")), delete].map(|command| Kind::of(&command));
    assert_eq!(kinds, [Kind::Session, Kind::Query, Kind::Transform]);
}
