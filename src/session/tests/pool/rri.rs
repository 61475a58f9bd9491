//! Pools that speak RRI.

use super::*;
use std::time::Duration;

/// What DENIC states: 7 sessions, 5 minutes, and 120 s of being blocked.
fn denic() -> Allowance {
    Allowance { sessions: 3, names_per_check: 1, back_off: Duration::from_mins(2), ..allowance() }
}

fn good_rri(_: &Asked, _: u32, _: usize) -> Does {
    Does::Answer(1000)
}

fn run(rule: impl FnMut(&Asked, u32, usize) -> Does, count: u64) -> (usize, u64, usize, PoolReport) {
    let mut world = World::new(Tongue::Rri, rule);
    let mut pool = ReadPool::new(setup(Tongue::Rri, denic()));
    for n in 0..count {
        pool.submit(n, info(&format!("DENIC-1000001-{n}")));
    }
    pool.finish(at(0));
    let report = world.turn(pool);
    (world.answered(), world.now, world.logins(), report)
}

#[test]
fn every_question_gets_its_answer_one_by_one() {
    let (answered, _, logins, report) = run(good_rri, 60);
    assert_eq!((answered, logins, report.max_in_flight), (60, 3, 1));
    assert!(report.stopped.is_none());
}

#[test]
fn a_block_is_waited_out_with_one_session_fewer() {
    let mut blocked = false;
    let rule = |asked: &Asked, _, n| {
        if n == 20 && asked.verb == "info" {
            blocked = true;
            return Does::Answer(2308);
        }
        Does::Answer(1000)
    };
    let (answered, now, _, report) = run(rule, 60);
    assert!(blocked);
    assert_eq!(answered, 60);
    assert!(now >= 120_000, "120 s without a request: {now}");
    assert!(report.stopped.is_none(), "{:?}", report.stopped);
}

#[test]
fn an_exhausted_quota_stops_the_registry() {
    let (answered, _, _, report) = run(|_, _, n| Does::Answer(if n < 23 { 1000 } else { 2104 }), 60);
    let stopped = report.stopped.expect("stopped");
    assert!(answered < 60 && stopped.what.contains("53000000008"), "{stopped}");
}

#[test]
fn a_lost_session_is_followed_by_another() {
    for how in [Does::Close, Does::Answer(2002), Does::Garbage] {
        let (answered, _, logins, report) = run(|_, session, n| if session == 1 && n > 9 { how } else { Does::Answer(1000) }, 60);
        assert_eq!((answered, logins), (60, 4), "{how:?}");
        assert!(report.stopped.is_none(), "{how:?}: {:?}", report.stopped);
    }
}

#[test]
fn requests_that_are_our_fault_are_not_sent_for_ever() {
    let (answered, _, _, report) = run(|asked, _, _| Does::Answer(if asked.verb == "info" { 2001 } else { 1000 }), 60);
    assert!(answered == 0 && report.stopped.is_some());
}
