//! Pools that write.

use super::*;

fn writing() -> WritePool {
    WritePool::new(setup(Tongue::Epp, Allowance { sessions: 1, ..allowance() }))
}

fn delete(id: &str) -> Box<Transform> {
    Box::new(Transform::ContactDelete(crate::base::Handle::new(id)))
}

#[test]
fn row_11_a_transform_is_never_sent_twice_by_the_pool() {
    let mut pool = writing();
    pool.submit(1, delete("C-1"), None);
    pool.submit(2, delete("C-2"), None);
    pool.advance(at(0));
    pool.handle_connected(1, None, at(0));
    pool.handle_bytes(1, &Tongue::Epp.greeting(), at(1));
    let mut outcomes = Vec::new();
    let mut wrote = 0;
    let mut step = |pool: &mut WritePool, answer: Option<u16>| {
        while let Some(effect) = pool.poll_effect() {
            match effect {
                PoolEffect::Send { session, bytes } => {
                    pool.handle_handed(session, bytes.len());
                    wrote += 1;
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let trid = text.split_once("<clTRID>").and_then(|(_, t)| t.split_once('<')).map(|(t, _)| t.to_owned());
                    if let Some(code) = answer {
                        let answer = Tongue::Epp.frame(&Tongue::Epp.text(code, "", None, trid.as_deref()));
                        pool.handle_bytes(session, &answer, at(2));
                        return;
                    }
                }
                PoolEffect::Done { ticket, outcome } => outcomes.push((ticket, outcome)),
                PoolEffect::Connect { .. } | PoolEffect::Close { .. } => {}
            }
        }
    };
    step(&mut pool, Some(1000));
    step(&mut pool, None);
    pool.handle_closed(1, CloseReason::Eof { clean: true }, at(3));
    step(&mut pool, None);
    assert_eq!(wrote, 2, "a login and one transform: the window of a write session is 1");
    assert!(matches!(outcomes.as_slice(), [(1, Outcome::Unknown { .. })]), "{outcomes:?}");
}

/// Seed 64 of the simulator: a run that waits for what nobody will ever answer hangs, and a change that was not sent is not
/// refused either.
#[test]
fn what_is_asked_of_a_registry_that_stopped_has_its_outcome() {
    let mut pool = writing();
    pool.submit(1, delete("C-1"), None);
    pool.ask(2, info("C-2"));
    pool.advance(at(0));
    let problem = Problem::new("E-net-001", Blame::Registry, "no such certificate", "see");
    pool.handle_connect_failed(1, problem, false, at(1));
    pool.submit(3, delete("C-3"), None);
    pool.ask(4, info("C-4"));
    pool.advance(at(2));
    let mut outcomes = BTreeMap::new();
    while let Some(effect) = pool.poll_effect() {
        if let PoolEffect::Done { ticket, outcome } = effect {
            outcomes.insert(ticket, outcome);
        }
    }
    let words: Vec<_> =
        outcomes.iter().map(|(ticket, o)| (*ticket, matches!(o, Outcome::NeverSent { .. }), matches!(o, Outcome::Refused(_)))).collect();
    assert_eq!(words, [(1, true, false), (2, false, true), (3, true, false), (4, false, true)]);
    assert!(pool.is_done());
}

#[test]
fn a_change_goes_before_every_question_and_behind_other_changes() {
    let mut world = World::new(Tongue::Epp, |asked, _, _| good(asked));
    let mut pool = writing();
    pool.ask(1, info("C-1"));
    pool.ask(2, info("C-2"));
    pool.submit(3, delete("C-3"), None);
    pool.ask(4, info("C-4"));
    pool.submit(5, delete("C-5"), None);
    pool.finish(at(0));
    let _report = world.turn(pool);
    let verbs: Vec<_> = world.commands.iter().map(|(_, _, asked)| asked.verb).filter(|verb| ["info", "delete"].contains(verb)).collect();
    assert_eq!(verbs, ["delete", "delete", "info", "info", "info"]);
}
