//! The fold, held against every pair of states, and against a plain model of it.

use super::*;
use crate::base::{ObjectKey, ObjectRef, Timestamp};
use crate::model::ResultCode;
use crate::store::{Batch, MemoryStore};
use proptest::prelude::*;

const STATES: [StepState; 8] = [
    StepState::Planned,
    StepState::Sending,
    StepState::Applied,
    StepState::Pending,
    StepState::Verified,
    StepState::Failed,
    StepState::Conflict,
    StepState::Unknown,
];

fn row(op: u64, step: u8, to: StepState, sends: u8) -> Entry {
    Entry::Step(StepRow::new((op, step), ObjectRef::new([7; 16]), to, sends, Timestamp::UNIX_EPOCH))
}

fn folded(rows: &[Entry]) -> Result<Fold> {
    let stream = run_stream("p", 1).unwrap();
    let mut fold = Fold::default();
    for (number, entry) in (0..).zip(rows) {
        fold.take(&stream, number, entry.clone())?;
    }
    Ok(fold)
}

#[test]
fn only_these_states_follow_each_other() {
    let mut table = String::new();
    for from in STATES {
        let next: Vec<&str> = STATES.into_iter().filter(|to| is_legal(from, *to)).map(StepState::as_str).collect();
        table.push_str(&format!("{from} -> {}\n", next.join(", ")));
        assert_eq!(next.is_empty(), from.is_final(), "{from}");
    }
    insta::assert_snapshot!(table);
}

#[test]
fn row_41_an_illegal_transition_is_an_error_that_names_its_row() {
    use StepState as S;
    let rows = [row(3, 0, S::Sending, 1), row(3, 0, S::Applied, 1), row(3, 0, S::Sending, 2)];
    let problem = folded(&rows).unwrap_err();
    assert_eq!((problem.id.as_str(), problem.exit), ("E-journal-001", Exit::Storage));
    assert!(
        problem.what.contains("row 2 of run/p/1") && problem.what.contains("step 0 of operation 3 went from applied to sending"),
        "{problem}"
    );
    for (rows, words) in [
        (vec![row(1, 0, S::Sending, 2)], "sent 0 times before"),
        (vec![row(1, 0, S::Verified, 1)], "sent 0 times before"),
        (vec![row(1, 0, S::Sending, 1), row(1, 0, S::Unknown, 0)], "sent 1 times before"),
        (
            vec![
                row(1, 0, S::Sending, 1),
                row(1, 0, S::Unknown, 1),
                row(1, 0, S::Planned, 1),
                row(1, 0, S::Sending, 2),
                row(1, 0, S::Unknown, 2),
                row(1, 0, S::Planned, 2),
                row(1, 0, S::Sending, 3),
            ],
            "was sent 3 times",
        ),
    ] {
        let problem = folded(&rows).unwrap_err();
        assert!(problem.what.contains(words), "{problem}");
    }
    let closed = Entry::Closed { heads: "".into(), at: Timestamp::UNIX_EPOCH };
    assert!(folded(&[closed.clone(), row(1, 0, S::Sending, 1)]).unwrap_err().what.contains("closed"));
    assert!(folded(&[closed]).unwrap().is_closed());
    let opened = |digest: &str| Entry::Opened { digest: digest.into(), operations: 1, tool: "t".into(), at: Timestamp::UNIX_EPOCH };
    assert!(folded(&[opened("a"), opened("b")]).unwrap_err().what.contains("the run is of the plan a"));
    assert!(folded(&[Entry::Shown { by: "x".into(), at: Timestamp::UNIX_EPOCH }]).is_err());
}

#[test]
fn an_operation_is_where_its_first_open_step_is() {
    use StepState as S;
    let verified = |op, step| [row(op, step, S::Sending, 1), row(op, step, S::Applied, 1), row(op, step, S::Verified, 1)];
    let mut rows: Vec<Entry> = [verified(1, 0), verified(1, 1), verified(2, 0)].concat();
    rows.push(row(2, 1, S::Sending, 1));
    rows.push(row(3, 0, S::Verified, 0));
    rows.extend([row(4, 0, S::Sending, 1), row(4, 0, S::Failed, 1)]);
    rows.extend([row(5, 0, S::Sending, 1), row(5, 0, S::Pending, 1)]);
    rows.extend([row(6, 0, S::Conflict, 0)]);
    rows.extend([row(7, 0, S::Sending, 1), row(7, 0, S::Applied, 1)]);
    let fold = folded(&rows).unwrap();
    let steps = |op| if op < 3 { 2 } else { 1 };
    let states: Vec<&str> = (1..=8).map(|op| fold.operation(op, steps(op)).as_str()).collect();
    assert_eq!(states, ["verified", "unknown", "verified", "failed", "pending", "conflict", "applied", "planned"]);
    let tally = fold.tally((1..=8).map(|op| (op, steps(op))));
    assert_eq!(tally, Tally { planned: 1, verified: 2, failed: 1, conflict: 1, unknown: 2, pending: 1, sends: 7 });
    let mut unknown: Vec<_> = fold.unknown().collect();
    unknown.sort_unstable();
    assert_eq!(unknown, [(2, 1), (7, 0)]);
}

#[test]
fn a_run_is_read_from_every_chain_it_has() {
    use StepState as S;
    let mut store = MemoryStore::default();
    for (worker, op) in [(1, 1), (2, 2)] {
        let stream = run_stream("p", worker).unwrap();
        let head = store.head(&stream).unwrap();
        let opened = Entry::Opened { digest: "d".into(), operations: 2, tool: "t".into(), at: Timestamp::UNIX_EPOCH };
        let rows = [opened, row(op, 0, S::Sending, 1)];
        store.commit(&Batch { appends: vec![append(stream, &head, &rows)], cells: Vec::new() }).unwrap();
    }
    let fold = open(&mut store, "p").unwrap();
    assert_eq!((fold.digest(), fold.unknown().count()), (Some("d"), 2));
    assert_eq!(fold.head(&run_stream("p", 2).unwrap()).rows, 2);
    assert_eq!(open(&mut store, "q").unwrap().digest(), None);
    // What cannot be read is never passed over.
    let stream = run_stream("p", 1).unwrap();
    let bad = Append { stream, expected: 2, rows: vec![b"{}".as_slice().into()] };
    store.commit(&Batch { appends: vec![bad], cells: Vec::new() }).unwrap();
    let problem = open(&mut store, "p").unwrap_err();
    assert_eq!((problem.id.as_str(), problem.what.contains("row 2 of run/p/1")), ("E-journal-002", true), "{problem}");
}

#[test]
fn of_a_long_journal_what_is_wrong_first_is_told() {
    use StepState as S;
    const ROWS: u64 = 5000;
    let opened = |bad: &[(u64, &[u8])]| {
        let stream = run_stream("p", 1).unwrap();
        let good = |op: u64| row(op, 0, S::Sending, 1).to_row();
        let rows = (0..ROWS).map(|n| bad.iter().find(|(at, _)| *at == n).map_or_else(|| good(n), |(_, row)| (*row).into()));
        let mut store = MemoryStore::default();
        let append = Append { stream, expected: 0, rows: rows.collect() };
        store.commit(&Batch { appends: vec![append], cells: Vec::new() }).unwrap();
        open(&mut store, "p")
    };
    assert_eq!(opened(&[]).unwrap().unknown().count() as u64, ROWS);
    // Operation 7 was sent already.
    let again = row(7, 0, S::Sending, 1).to_row();
    for (bad, id, number) in [
        (&[(4990, b"{}".as_slice())][..], "E-journal-002", 4990),
        (&[(10, &again), (11, b"{}")], "E-journal-001", 10),
        (&[(9, &again), (4500, b"{}")], "E-journal-001", 9),
        (&[(1023, b"{}"), (1024, &again)], "E-journal-002", 1023),
    ] {
        let problem = opened(bad).unwrap_err();
        assert!(problem.id == id && problem.what.contains(&format!("row {number} of run/p/1")), "{problem}");
    }
}

#[test]
fn every_entry_is_read_as_it_was_written() {
    let at = Timestamp::UNIX_EPOCH;
    let mut step = row(1, 0, StepState::Failed, 1);
    if let Entry::Step(row) = &mut step {
        row.why = Some(Why::Refused(ResultCode(2306)));
        row.cltrid = Some("c".into());
    }
    for entry in [
        Entry::Opened { digest: "d".into(), operations: 1, tool: "t".into(), at },
        Entry::Resumed { at },
        step,
        Entry::WaveDone { wave: 1, verified: 1, other: 0 },
        Entry::RegistryStopped { registry: "r".into(), why: "E-x".into() },
        Entry::Closed { heads: "h".into(), at },
        Entry::Approved { digest: "d".into(), by: "b".into(), at },
        Entry::Shown { by: "b".into(), at },
    ] {
        assert_eq!(Entry::from_row(&entry.to_row()).unwrap(), entry);
    }
}

proptest! {
    #[test]
    fn the_fold_takes_exactly_the_legal_rows(steps in prop::collection::vec((0..2_u64, 0..8_usize), 0..40)) {
        let stream = run_stream("p", 1).unwrap();
        let mut fold = Fold::default();
        let mut model = [(StepState::Planned, 0_u8); 2];
        for (number, (op, to)) in (0..).zip(steps) {
            let (state, sends) = &mut model[usize::try_from(op).unwrap()];
            let to = STATES[to];
            let wanted = match (*state, to) {
                (_, StepState::Sending) => *sends + 1,
                (StepState::Sending, StepState::Planned) => *sends - 1,
                _ => *sends,
            };
            let taken = fold.take(&stream, number, row(op, 0, to, wanted)).is_ok();
            prop_assert_eq!(taken, is_legal(*state, to) && wanted <= SENDS);
            if taken {
                (*state, *sends) = (to, wanted);
            }
            prop_assert_eq!(fold.of(op, 0).state, *state);
            prop_assert_eq!(fold.of(op, 0).sends, *sends);
        }
    }

    #[test]
    fn a_row_in_canonical_form_is_read_as_serde_reads_it(
        op in any::<u64>(),
        (step, to, sends) in (any::<u8>(), 0..8_usize, 0..4_u8),
        (trid, is_sending, is_odd, at) in ("[ -~é]{0,12}", any::<bool>(), any::<bool>(), 0..4_000_000_000_i64),
        (place, byte) in (any::<prop::sample::Index>(), any::<u8>()),
    ) {
        let trid = Some(trid.as_str().into());
        let key = ObjectKey::new(ObjectRef::new([7; 16]), [9; 32].into());
        let told = StepRow {
            reference: key.reference(),
            at: Timestamp::from_millisecond(at * 7).unwrap(),
            cltrid: trid.clone().filter(|_| is_sending),
            svtrid: trid.filter(|_| !is_sending),
            before: is_sending.then(|| key.digest("f", &op.to_be_bytes())),
            why: is_odd.then_some(Why::Dependency),
            ..match row(op, step, STATES[to], sends) {
                Entry::Step(row) => row,
                other => panic!("{other:?}"),
            }
        };
        let mut bytes = Entry::Step(told.clone()).to_row();
        prop_assert_eq!(Entry::from_row(&bytes), Ok(Entry::Step(told)));
        let whole = canonical::step(&bytes);
        let is_plain = bytes.iter().all(|b| b.is_ascii() && *b != b'\\') && op < 1_000_000_000_000_000_000;
        prop_assert_eq!(whole.is_some(), is_plain && !is_odd);
        // Whatever becomes of it, it never says what serde does not.
        let at = place.index(bytes.len());
        bytes[at] = byte;
        if let Some(step) = canonical::step(&bytes) {
            prop_assert_eq!(serde_json::from_slice::<Entry>(&bytes).ok(), Some(Entry::Step(step)));
        }
    }
}

#[test]
fn a_run_is_over_where_nothing_is_open_and_settled_where_nothing_that_was_begun_is() {
    let none = Tally::default();
    let ended = Tally { verified: 3, failed: 2, conflict: 1, sends: 9, ..none };
    let of = |tally: Tally| (tally.is_over(), tally.is_settled());
    assert_eq!([none, ended].map(of), [(true, true); 2]);
    assert_eq!(of(Tally { planned: 1, ..ended }), (false, true));
    for open in [Tally { unknown: 1, ..ended }, Tally { pending: 1, ..ended }, Tally { unknown: 1, pending: 1, planned: 1, ..ended }] {
        assert_eq!(of(open), (false, false), "{open:?}");
    }
}

#[test]
fn an_operation_is_blocked_where_its_first_open_step_failed_for_want_of_a_basis() {
    use StepState as S;
    let failed = |op, why| {
        let Entry::Step(row) = row(op, 0, S::Failed, 0) else { unreachable!() };
        Entry::Step(StepRow { why: Some(why), ..row })
    };
    let rows = [failed(1, Why::Blocked("RTR-1".into())), failed(2, Why::Gone), row(3, 0, S::Conflict, 0), row(4, 0, S::Verified, 0)];
    let fold = folded(&rows).unwrap();
    assert_eq!([1, 2, 3, 4, 5].map(|op| fold.is_blocked(op, 1)), [true, false, false, false, false]);
}

#[test]
fn a_fold_tells_its_plan_and_when_a_step_last_moved() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let moved = |op, second| {
        let Entry::Step(row) = row(op, 0, StepState::Sending, 1) else { unreachable!() };
        Entry::Step(StepRow { at: at(second), ..row })
    };
    let opened = || Entry::Opened { digest: "a".into(), operations: 3, tool: "t".into(), at: at(9) };
    let fold = folded(&[]).unwrap();
    assert_eq!((fold.digest(), fold.last(), fold.is_closed()), (None, None, false));
    // Another process of the same run opens it, too, where the first was cut off; clocks may go back.
    let fold = folded(&[opened(), opened(), moved(1, 5), moved(2, 7), moved(3, 6)]).unwrap();
    assert_eq!((fold.digest(), fold.last(), fold.is_closed()), (Some("a"), Some(at(7)), false));
}

#[test]
fn each_reason_has_words_of_its_own_with_the_code_or_the_rule() {
    let code = ResultCode(2304);
    let reasons = [
        Why::Refused(code),
        Why::NotEffective,
        Why::Declined,
        Why::Gone,
        Why::Blocked("RTR-1".into()),
        Why::Unsaid("E-x".into()),
        Why::Dependency,
    ];
    let words = reasons.map(|why| why.to_string());
    assert_eq!(words.iter().collect::<std::collections::BTreeSet<_>>().len(), words.len());
    assert!(words[0].ends_with("2304") && words[4].ends_with("RTR-1") && words[5].ends_with("E-x"), "{words:?}");
}

/// Rows of several workers, each chain as its worker wrote it: folded at any moment, and caught up with later, they say what one chain says.
#[test]
fn what_several_workers_did_is_folded_in_the_order_of_their_turns() {
    use StepState as S;
    let turn = |op: u64, to: S, sends: u8, turn: u32| {
        let mut row = StepRow::new((op, 0), ObjectRef::new([7; 16]), to, sends, Timestamp::UNIX_EPOCH);
        row.turn = turn;
        Entry::Step(row)
    };
    let mut store = MemoryStore::default();
    let write = |store: &mut MemoryStore, worker: u32, entries: &[Entry]| {
        let stream = run_stream("p", worker).unwrap();
        let head = store.head(&stream).unwrap();
        store.commit(&Batch { appends: vec![append(stream, &head, entries)], cells: Vec::new() }).unwrap();
    };
    // The third began; the first went on, and was killed; the third again, and then the second.
    write(&mut store, 3, &[turn(1, S::Sending, 1, 1)]);
    let mut known = open(&mut store, "p").unwrap();
    write(&mut store, 1, &[turn(2, S::Sending, 1, 1), turn(1, S::Unknown, 1, 2), turn(1, S::Planned, 1, 2), turn(1, S::Sending, 2, 2)]);
    write(&mut store, 3, &[turn(1, S::Unknown, 2, 3)]);
    write(&mut store, 2, &[turn(1, S::Verified, 2, 4)]);
    catch_up(&mut store, "p", &mut known).unwrap();
    let at_once = open(&mut store, "p").unwrap();
    for fold in [&known, &at_once] {
        assert_eq!((fold.of(1, 0).state, fold.of(1, 0).sends, fold.of(2, 0).state), (S::Verified, 2, S::Sending));
    }
    // The row that closes the run stands in the first chain, and is behind all others.
    close(&mut store, "p", &at_once, Timestamp::UNIX_EPOCH).unwrap();
    assert!(open(&mut store, "p").unwrap().is_closed());
    catch_up(&mut store, "p", &mut known).unwrap();
    assert!(known.is_closed());
    // Whoever wrote in a turn that was over is told.
    write(&mut store, 2, &[turn(1, S::Sending, 3, 3)]);
    assert_eq!(open(&mut store, "p").unwrap_err().id, "E-journal-001");
}
