//! Pools that speak RRI.

use super::*;
use crate::model::{ContactChange, ContactUpdate};
use crate::session::{Loss, Quota, Ration, Spent};
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

#[test]
fn a_ration_ends_a_pool_without_a_problem_and_nothing_is_sent_beyond_it() {
    let rationed = |ration: Ration| {
        let mut world = World::new(Tongue::Rri, good_rri);
        let mut pool = ReadPool::new(setup(Tongue::Rri, denic()));
        pool.set_ration(ration);
        for n in 0..60 {
            pool.submit(n, info(&format!("DENIC-1000001-{n}")));
        }
        pool.finish(at(0));
        let report = world.turn(pool);
        let unsent = world.outcomes.values().filter(|o| matches!(o, Outcome::NeverSent { why: Loss::Rationed(_) })).count();
        assert!(report.stopped.is_none() && world.outcomes.len() == 60);
        assert_eq!(world.commands.iter().filter(|(_, _, asked)| asked.verb == "info").count() + unsent, 60);
        (unsent, report.spent, report.quota.map(|q| q.commands))
    };
    assert_eq!(rationed(Ration { commands: Some(23), ..Ration::default() }), (37, Some(Spent::Budget), None));
    let until = Some(at(300).wall);
    let (unsent, spent, _) = rationed(Ration { until, ..Ration::default() });
    assert!((20..50).contains(&unsent) && spent == Some(Spent::Until), "{unsent}");
    let quota = Quota::new(Some(40), 25, jiff::tz::TimeZone::UTC, None, at(0).wall);
    assert_eq!(rationed(Ration { quota: Some(quota), ..Ration::default() }), (30, Some(Spent::Quota), Some(30)));
    assert_eq!(rationed(Ration::default()), (0, None, None));
}

#[test]
fn a_share_that_the_registry_tells_ends_reading_and_is_kept() {
    let mut pool = ReadPool::new(setup(Tongue::Rri, denic()));
    let quota = Quota::new(None, 25, jiff::tz::TimeZone::UTC, None, at(0).wall);
    pool.set_ration(Ration { quota: Some(quota), ..Ration::default() });
    let mut told = 0;
    let rule = |asked: &Asked, _, _| {
        told += u8::from(asked.verb == "info");
        if asked.verb == "info" { Does::Share(59 + told) } else { Does::Answer(1000) }
    };
    let mut world = World::new(Tongue::Rri, rule);
    for n in 0..60 {
        pool.submit(n, info(&format!("DENIC-1000001-{n}")));
    }
    pool.finish(at(0));
    let report = world.turn(pool);
    let percent = report.quota.and_then(|q| q.told_percent).expect("told");
    assert!((75..80).contains(&percent), "{percent}: what was in flight is finished");
    assert_eq!(report.spent, Some(Spent::Quota));
    assert!(report.problems.iter().any(|p| p.id == "E-session-015"));
}

/// A pool that writes, and what its registry hears of one change.
fn written(rule: impl FnMut(&Asked, u32, usize) -> Does) -> (Vec<&'static str>, Option<Outcome>) {
    let mut world = World::new(Tongue::Rri, rule);
    let mut pool = WritePool::new(setup(Tongue::Rri, denic()));
    let chg = ContactChange { email: Some("neu@example.org".into()), ..ContactChange::default() };
    let id = "DENIC-1000001-ANNA".into();
    pool.submit(7, Box::new(Transform::ContactUpdate(ContactUpdate { id, add: vec![], rem: vec![], chg: Some(chg) })), None);
    pool.finish(at(0));
    let _report = world.turn(pool);
    let verbs = world.commands.iter().map(|(_, _, asked)| asked.verb).filter(|v| ["info", "update"].contains(v)).collect();
    (verbs, world.outcomes.remove(&7))
}

#[test]
fn an_update_reads_the_object_and_replaces_it_as_a_whole() {
    let (verbs, outcome) = written(good_rri);
    assert_eq!(verbs, ["info", "update"]);
    assert!(matches!(outcome, Some(Outcome::Answer { facts, .. }) if facts.command == "contact:update" && facts.cl_trid.is_some()));
}

#[test]
fn nothing_is_changed_where_the_object_cannot_be_read() {
    let (verbs, outcome) = written(|asked, _, _| Does::Answer(if asked.verb == "info" { 2303 } else { 1000 }));
    assert_eq!(verbs, ["info"]);
    assert!(matches!(outcome, Some(Outcome::Answer { response, .. }) if response.code() == ResultCode(2303)));
    let (verbs, outcome) = written(|asked, _, _| if asked.verb == "info" { Does::Close } else { Does::Answer(1000) });
    assert_eq!(verbs, ["info"; 3], "reading may be repeated");
    assert!(matches!(outcome, Some(Outcome::NeverSent { .. })), "the change was never sent: {outcome:?}");
}

#[test]
fn a_read_that_is_lost_once_is_repeated_and_the_change_is_sent_once() {
    let mut lost = false;
    let (verbs, outcome) =
        written(|asked, _, _| if asked.verb == "info" && !std::mem::replace(&mut lost, true) { Does::Close } else { Does::Answer(1000) });
    assert_eq!(verbs, ["info", "info", "update"]);
    assert!(matches!(outcome, Some(Outcome::Answer { .. })));
    let (verbs, outcome) = written(|asked, _, _| if asked.verb == "update" { Does::Close } else { Does::Answer(1000) });
    assert_eq!(verbs, ["info", "update"], "a change is never sent twice");
    assert!(matches!(outcome, Some(Outcome::Unknown { .. })));
}
