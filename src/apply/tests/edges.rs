//! What an executor says of itself, and where it begins and ends.

use super::*;
use crate::base::Blame;

const START: Now = Now { at: Moment::ZERO, wall: Timestamp::UNIX_EPOCH };

#[test]
fn a_plan_that_cannot_be_read_on_ends_the_part_once_what_is_in_hand_has_ended() {
    let mut run = Run::of(2);
    run.operations.iter_mut().for_each(|operation| operation.wave = 1);
    run.torn = Some(Problem::new("E-plan-003", Blame::Input, "torn", "plan again"));
    assert_eq!(run.try_go(ALL).unwrap_err().id, "E-plan-003");
    assert_eq!((run.states(), run.world.commands), (vec!["verified", "verified"], 4));
}

#[test]
fn what_was_sent_is_seen_to_its_end_where_the_plan_cannot_be_read_on() {
    let mut run = Run::of(2);
    run.operations.iter_mut().for_each(|operation| operation.wave = 1);
    run.torn = Some(Problem::new("E-plan-003", Blame::Input, "torn", "plan again"));
    // The first operation waits while the second one goes on, and while the plan turns out to be torn.
    run.world.faults = VecDeque::from([Some(Fault::LostAfter)]);
    assert_eq!(run.try_go(ALL).unwrap_err().id, "E-plan-003");
    let fold = run.fold();
    let of = |op: u64| [0, 1].map(|step| fold.of(op, step).state);
    assert_eq!([of(1), of(2)], [[StepState::Verified, StepState::Planned], [StepState::Verified; 2]]);
}

#[test]
fn what_is_paused_begins_nothing_and_is_not_done() {
    let run = Run::of(1);
    let mut executor = run.executor();
    executor.pause(true);
    assert!(executor.poll_effect(START).unwrap().is_none() && !executor.is_done() && executor.poll_timeout().is_none());
    executor.pause(false);
    assert!(matches!(executor.poll_effect(START).unwrap(), Some(ApplyEffect::Read { .. })));
}

#[test]
fn no_more_is_in_hand_than_may_be() {
    let mut run = Run::of(9);
    run.operations.iter_mut().for_each(|operation| operation.wave = 1);
    let mut executor = run.executor();
    let asked = std::iter::from_fn(|| executor.poll_effect(START).unwrap()).count();
    assert_eq!((asked, executor.is_done()), (4, false));
}

#[test]
fn the_registrys_own_identifiers_stand_beside_what_it_answered() {
    let mut run = Run::of(1);
    run.world.faults = VecDeque::from([None, Some(Fault::Pending)]);
    run.go(ALL);
    let told = |to: StepState| {
        let rows = run.entries();
        let of = |entry: &Entry| if let Entry::Step(row) = entry { (row.to == to).then(|| row.svtrid.clone()) } else { None };
        rows.iter().find_map(of).flatten()
    };
    assert_eq!([StepState::Applied, StepState::Pending].map(told), [Some("SV-1".into()), Some("SV-1".into())]);
    assert_eq!([StepState::Sending, StepState::Verified].map(told), [None, None]);
}

#[test]
fn each_wave_that_ended_is_told_with_its_figures() {
    let mut run = Run::of(14);
    run.world.faults = std::iter::repeat_n(None, 2).chain([Some(Fault::Code(2005))]).collect();
    run.go(ALL);
    let waves: Vec<(u32, u64, u64)> = run
        .entries()
        .iter()
        .filter_map(|entry| if let Entry::WaveDone { wave, verified, other } = entry { Some((*wave, *verified, *other)) } else { None })
        .collect();
    assert_eq!(waves, [(1, 1, 0), (2, 9, 1)]);
}

#[test]
fn a_part_that_is_stopped_says_so_once_and_begins_nothing() {
    let run = Run::of(1);
    let mut executor = run.executor();
    executor.stop("E-apply-004");
    executor.stop("E-apply-003");
    let Some(ApplyEffect::Commit { entries, .. }) = executor.poll_effect(START).unwrap() else { panic!("a row") };
    assert_eq!(entries, [Entry::RegistryStopped { registry: "r".into(), why: "E-apply-004".into() }]);
    assert!(executor.poll_effect(START).unwrap().is_none() && executor.is_done());
    assert_eq!(executor.summary().stopped.as_deref(), Some("E-apply-004"));
}

#[test]
fn an_answer_that_refuses_tells_nothing_whatever_is_in_it() {
    let contact = || Some(ResData::Contact(Box::new(Contact::bare(Handle::new("C-1")))));
    let told = |code: u16| {
        let Outcome::Answer { response, .. } = answer(code, contact(), Kind::Query) else { panic!("an answer") };
        step::standing(*response)
    };
    assert!(matches!(told(1000), Some(Standing::Contact(..))));
    assert!(matches!(told(2303), Some(Standing::Nothing)));
    assert!(told(2201).is_none() && told(2400).is_none());
}

#[test]
fn a_creation_that_states_nothing_is_told_by_whether_the_object_is_there() {
    let run = Run::of(1);
    let mut step = run.operations[0].steps[0].clone();
    let mut store = run.store.clone();
    let key = store.key(step.object.reference).unwrap().unwrap();
    let contact = Contact::bare(Handle::new("PP0"));
    step.facts.clear();
    let nothing = crate::plan::state_digest(&key, ObjectKind::Contact, []);
    (step.observed, step.wanted) = (nothing, nothing);
    assert_eq!([Standing::Nothing, held(&contact)].map(|standing| look(&step, &key, &standing)), [Look::Observed, Look::Wanted]);
    // A deletion is done where nothing is there.
    let mut step = run.operations[0].steps[0].clone();
    step.turn = crate::plan::Turn::Delete;
    (step.observed, step.wanted) = (step.wanted, step.observed);
    assert_eq!(look(&step, &key, &Standing::Nothing), Look::Wanted);
}

/// Erases the contact of the first step.
fn erase(run: &Run) {
    let name = format!("r {} PP0", ObjectKind::Contact.as_str());
    assert!(Vault::new(&mut *run.store.0.lock().unwrap()).erase(&name).unwrap());
}

/// Goes on until nothing is left to do at `now`, with commands that `write` answers; the rows that were to be kept.
fn go_on(executor: &mut Executor, run: &mut Run, now: Now, mut write: impl FnMut(&mut Run, Transform, Box<str>) -> Outcome) -> Vec<Entry> {
    let mut rows = Vec::new();
    while let Some(effect) = executor.poll_effect(now).unwrap() {
        match effect {
            ApplyEffect::Read { ticket, query } => executor.handle_outcome(ticket, run.world.read(&query), now),
            ApplyEffect::Write { ticket, transform, cltrid } => {
                let outcome = write(run, *transform, cltrid);
                executor.handle_outcome(ticket, outcome, now);
            }
            ApplyEffect::Commit { ticket, entries, .. } => {
                rows.extend(entries);
                if let Some(ticket) = ticket {
                    executor.handle_committed(ticket);
                }
            }
            other => panic!("{other:?}"),
        }
    }
    rows
}

/// The states that rows tell, and why.
fn told(rows: &[Entry]) -> Vec<(StepState, Option<Why>)> {
    rows.iter().map(|row| if let Entry::Step(row) = row { (row.to, row.why.clone()) } else { panic!("{row:?}") }).collect()
}

#[test]
fn who_is_erased_between_two_looks_before_a_command_is_left_alone() {
    let mut run = Run::of(1);
    let mut executor = run.executor();
    let unsent = |_: &mut Run, _, _| Outcome::NeverSent { why: Loss::Deadline };
    let mut rows = go_on(&mut executor, &mut run, START, unsent);
    erase(&run);
    let later = Now { at: executor.poll_timeout().expect("the next look"), ..START };
    executor.handle_timeout(later);
    rows.extend(go_on(&mut executor, &mut run, later, unsent));
    let blocked = Some(Why::Blocked("erased".into()));
    assert_eq!(told(&rows), [(StepState::Sending, None), (StepState::Planned, None), (StepState::Failed, blocked)]);
}

#[test]
fn what_was_sent_is_seen_to_its_end_though_its_object_is_erased_meanwhile() {
    let mut run = Run::of(1);
    run.operations[0].steps.truncate(1);
    let mut executor = run.executor();
    let rows = go_on(&mut executor, &mut run, START, |run, transform, cltrid| {
        erase(run);
        run.world.write(transform, cltrid, START.at)
    });
    assert_eq!(told(&rows), [(StepState::Sending, None), (StepState::Applied, None), (StepState::Verified, None)]);
}
