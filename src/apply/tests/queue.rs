//! What the registry decides later, and tells in the account's queue.

use super::*;

/// How long a decision is waited for.
const PATIENCE: Duration = Duration::from_mins(2);

/// A plan for `domains` domains, of each the one step that changes the domain, where the queue is ours and each change is `decided`.
fn run(domains: u32, decided: Fault) -> Run {
    let mut run = Run::of(domains);
    for operation in &mut run.operations {
        operation.steps.remove(0);
        operation.wave = 1;
    }
    run.world.faults = (0..domains).map(|_| Some(decided)).collect();
    run.queue = Some(Watch { patience: PATIENCE, takes: true });
    run
}

fn states(run: &Run) -> Vec<&'static str> {
    let fold = run.fold();
    run.operations.iter().map(|operation| fold.operation(operation.op, 1).as_str()).collect()
}

#[test]
fn what_is_granted_in_time_is_verified_by_the_same_run() {
    // Six at a time, where four may be in hand: what waits for a decision keeps nobody else from beginning.
    let mut run = run(6, Fault::Decided(true, 60));
    let (_, summary) = run.go(ALL);
    assert_eq!((summary.by_state, run.world.commands), (BTreeMap::from([("verified", 6)]), 6));
    assert!(run.world.queue.is_empty() && run.fold().messages().filter(|row| row.granted == Some(true)).count() == 6);
    assert!(run.now.since_origin() < Duration::from_secs(70), "{:?}", run.now);
}

#[test]
fn what_is_declined_has_failed_and_is_not_sent_again() {
    let mut run = run(2, Fault::Decided(false, 10));
    run.go(ALL);
    assert_eq!((states(&run), run.world.commands), (vec!["failed", "failed"], 2));
    assert!([1, 2].iter().all(|op| run.why(*op, 0) == Some(Why::Declined)));
}

#[test]
fn what_was_declined_and_still_shows_as_undecided_is_looked_at_again_for_as_long_as_a_registry_may_lag() {
    // It is told at 10 s, and looked at every 5 s for 30 s from then on.
    for (lag, ends) in [(0, 10), (12, 25), (30, 40), (3_600, 40)] {
        let mut run = run(1, Fault::Decided(false, 10));
        run.world.lag = Duration::from_secs(lag);
        run.go(ALL);
        assert_eq!((states(&run), run.why(1, 0)), (vec!["failed"], Some(Why::Declined)), "{lag}");
        assert_eq!(run.now.since_origin(), Duration::from_secs(ends), "{lag}");
    }
}

#[test]
fn what_is_decided_too_late_stays_pending_and_the_next_run_settles_it() {
    let mut run = run(1, Fault::Decided(true, 200));
    run.go(ALL);
    assert_eq!((states(&run), run.now.since_origin()), (vec!["pending"], PATIENCE));
    run.go(ALL);
    assert_eq!((states(&run), run.world.commands), (vec!["verified"], 1));
}

#[test]
fn each_run_waits_as_long_for_what_was_sent_before() {
    let mut run = run(1, Fault::Decided(true, 1_000));
    for runs in 1..=2 {
        run.go(ALL);
        assert_eq!((states(&run), run.now.since_origin()), (vec!["pending"], PATIENCE * runs));
    }
}

#[test]
fn what_was_declined_and_not_told_to_us_has_failed_for_the_next_run() {
    let mut run = run(1, Fault::Decided(false, 1));
    run.queue = None;
    run.go(ALL);
    assert_eq!(states(&run), ["pending"]);
    run.now = run.now + Duration::from_secs(1);
    run.go(ALL);
    assert_eq!((states(&run), run.why(1, 0)), (vec!["failed"], Some(Why::NotEffective)));
}

#[test]
fn without_a_queue_of_ours_nothing_is_asked_of_it_and_nothing_is_waited_for() {
    let mut run = run(1, Fault::Decided(true, 1));
    run.queue = None;
    run.world.message(None);
    run.go(ALL);
    assert_eq!((states(&run), run.world.queue.len(), run.now), (vec!["pending"], 1, Moment::default()));
}

#[test]
fn a_queue_that_is_only_looked_at_tells_a_decision_and_stays_as_it_is() {
    let mut run = run(1, Fault::Decided(true, 10));
    run.queue = Some(Watch { patience: PATIENCE, takes: false });
    run.go(ALL);
    assert_eq!((states(&run), run.world.queue.len(), run.fold().messages().count()), (vec!["verified"], 1, 0));
    assert!(run.now.since_origin() < Duration::from_secs(30), "{:?}", run.now);
}

#[test]
fn who_is_stopped_waits_for_no_decision() {
    let mut run = run(3, Fault::Decided(true, 100));
    run.world.faults[2] = Some(Fault::Code(2104));
    let (_, summary) = run.go(ALL);
    assert_eq!(summary.by_state, BTreeMap::from([("pending", 2), ("failed", 1)]));
    assert_eq!((summary.stopped.as_deref(), run.now), (Some("E-apply-003"), Moment::default()));
}

#[test]
fn other_messages_are_kept_as_they_came_before_they_are_acknowledged() {
    let mut run = run(1, Fault::Decided(true, 10));
    run.world.message(None);
    // Another command's end, of an object that no plan names.
    let id = "other.example".into();
    run.world.message(Some(PendingData { id, result: false, cl_trid: Some("p-1-0-9".into()), sv_trid: None, date: None }));
    run.go(ALL);
    assert_eq!((states(&run), run.world.queue.len()), (vec!["verified"], 0));
    let fold = run.fold();
    let mut store = run.store.0.lock().unwrap();
    let mut vault = Vault::new(&mut *store);
    let mut named = Vec::new();
    for row in fold.messages() {
        let key = vault.key(row.reference).unwrap().expect("a key");
        let frame = vault.open(&key, &journal::MessageRow::field(&row.id), &row.digest).unwrap().expect("sealed");
        assert_eq!(String::from_utf8_lossy(&frame), format!("<message {}>", row.id));
        named.push(vault.object(row.reference).unwrap().unwrap());
    }
    assert_eq!(named, ["r/message/1", "r/domain/other.example", "r/domain/d0.example"]);
}

#[test]
fn stopped_between_any_two_effects_no_message_is_lost_and_the_end_is_the_same() {
    let mut begun = run(3, Fault::Decided(true, 10));
    begun.world.message(None);
    for effects in 1.. {
        let mut run = begun.copy();
        let (done, _) = run.go(effects);
        run.go(ALL);
        assert_eq!(states(&run), ["verified"; 3], "stopped after {effects} effects");
        assert!(run.world.effects.values().all(|count| *count == 1), "stopped after {effects} effects");
        let kept: Vec<u64> = run.fold().messages().map(|row| row.id.parse().unwrap()).collect();
        let lost = (1..=run.world.messages).find(|number| !kept.contains(number) && !run.world.queue.iter().any(|one| one.0 == *number));
        assert_eq!(lost, None, "stopped after {effects} effects");
        if done {
            assert!(effects > 25, "{effects}");
            return;
        }
    }
}
