//! Pools, against a registry in virtual time.

mod rri;
mod write;

use super::tongue::{Asked, Tongue};
use super::{allowance, at, info};
use crate::base::{Blame, Exit, Problem, RegistryId};
use crate::model::{ResultCode, Transform};
use crate::session::{Allowance, CloseReason, Outcome, Pool, PoolEffect, PoolReport, ReadPool, Setup, WritePool};
use std::collections::{BTreeMap, VecDeque};
use std::ops::DerefMut;

/// What a registry does with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Answers with this code.
    Answer(u16),
    /// Answers with this code, `Session timeout` in its words.
    Timeout(u16),
    /// Answers, and tells the share of the day's quota that is used; RRI alone.
    Share(u8),
    /// Closes without a word.
    Close,
    /// Sends something that is no answer.
    Garbage,
    /// Says nothing.
    Nothing,
}

/// What happens at some time.
#[derive(Debug)]
enum Event {
    Bytes(u32, Vec<u8>),
    Closed(u32, CloseReason),
}

/// What a registry does, given a command, its session, and how many came before.
type Rule<'r> = Box<dyn FnMut(&Asked, u32, usize) -> Does + 'r>;

/// A registry in virtual time: each line has a latency, and `rule` says what happens to a command.
struct World<'r> {
    tongue: Tongue,
    now: u64,
    latency: u64,
    events: VecDeque<(u64, Event)>,
    /// The sessions that stand.
    open: Vec<u32>,
    /// The most that stood at once.
    most_open: usize,
    rule: Rule<'r>,
    /// How connecting goes, given the session.
    connect: Box<dyn FnMut(u32) -> Result<(), bool> + 'r>,
    /// When each command came.
    commands: Vec<(u64, u32, Asked)>,
    outcomes: BTreeMap<u64, Outcome>,
}

impl<'r> World<'r> {
    fn new(tongue: Tongue, rule: impl FnMut(&Asked, u32, usize) -> Does + 'r) -> Self {
        Self {
            tongue,
            now: 0,
            latency: 30,
            events: VecDeque::new(),
            open: Vec::new(),
            most_open: 0,
            rule: Box::new(rule),
            connect: Box::new(|_| Ok(())),
            commands: Vec::new(),
            outcomes: BTreeMap::new(),
        }
    }

    /// Asks for `count` contacts and runs until everything has its outcome.
    fn run(&mut self, allowance: Allowance, count: u64) -> PoolReport {
        let mut pool = ReadPool::new(setup(self.tongue, allowance));
        for n in 0..count {
            pool.submit(n, info(&format!("C-{n}")));
        }
        pool.finish(at(0));
        self.turn(pool)
    }

    /// Runs `pool` until everything has its outcome.
    fn turn(&mut self, mut pool: impl DerefMut<Target = Pool>) -> PoolReport {
        for _ in 0..1_000_000 {
            while let Some(effect) = pool.poll_effect() {
                self.effect(&mut pool, effect);
            }
            if pool.is_done() {
                return pool.report(at(self.now).at);
            }
            let due = pool.poll_timeout().map(|due| u64::try_from(due.since_origin().as_micros().div_ceil(1000)).expect("short"));
            let next = self.events.iter().map(|(when, _)| *when).min();
            if next.is_some_and(|next| due.is_none_or(|due| next <= due)) {
                let first = self.events.iter().position(|(when, _)| Some(*when) == next).expect("the least");
                let (when, event) = self.events.remove(first).expect("there");
                self.now = self.now.max(when);
                match event {
                    Event::Bytes(session, bytes) => pool.handle_bytes(session, &bytes, at(self.now)),
                    Event::Closed(session, reason) => {
                        self.open.retain(|s| *s != session);
                        pool.handle_closed(session, reason, at(self.now));
                    }
                }
            } else {
                let due = due.expect("something is due, or the pool hangs");
                self.now = self.now.max(due);
                pool.handle_timeout(at(self.now));
            }
        }
        panic!("the pool turns round without end");
    }

    fn effect(&mut self, pool: &mut Pool, effect: PoolEffect) {
        match effect {
            PoolEffect::Connect { session } => match (self.connect)(session) {
                Ok(()) => {
                    self.open.push(session);
                    self.most_open = self.most_open.max(self.open.len());
                    pool.handle_connected(session, None, at(self.now));
                    self.events.push_back((self.now + self.latency, Event::Bytes(session, self.tongue.greeting())));
                }
                Err(again) => {
                    let problem = Problem::new("E-net-001", Blame::Network, "refused", "");
                    pool.handle_connect_failed(session, problem, again, at(self.now));
                }
            },
            PoolEffect::Send { session, bytes } => {
                pool.handle_handed(session, bytes.len());
                for asked in self.tongue.read(&bytes) {
                    self.asked(session, &asked);
                }
            }
            PoolEffect::Close { session } => {
                self.open.retain(|s| *s != session);
                self.events.retain(|(_, e)| !matches!(e, Event::Bytes(s, _) | Event::Closed(s, _) if *s == session));
            }
            PoolEffect::Done { ticket, outcome } => assert!(self.outcomes.insert(ticket, outcome).is_none(), "one outcome each"),
        }
    }

    fn asked(&mut self, session: u32, asked: &Asked) {
        let before = self.commands.len();
        self.commands.push((self.now, session, asked.clone()));
        let when = self.now + self.latency;
        let eof = || Event::Closed(session, CloseReason::Eof { clean: true });
        match (self.rule)(asked, session, before) {
            Does::Answer(code) => {
                self.events.push_back((when, Event::Bytes(session, self.tongue.answer(asked, code))));
                if asked.verb == "logout" {
                    self.events.push_back((when, eof()));
                }
            }
            Does::Timeout(code) => {
                let text = self.tongue.text(code, "Session timeout", None, Some(&asked.trid));
                self.events.push_back((when, Event::Bytes(session, self.tongue.frame(&text))));
            }
            Does::Share(percent) => {
                let told = format!(
                    "<tr:message level=\"info\" code=\"13000000022\"><tr:text>quota</tr:text><tr:argument>{percent}</tr:argument></tr:message><tr:data>"
                );
                let text = self.tongue.text(1000, "", Some(&asked.id), None).replace("<tr:data>", &told);
                self.events.push_back((when, Event::Bytes(session, self.tongue.frame(&text))));
            }
            Does::Garbage => self.events.push_back((when, Event::Bytes(session, self.tongue.frame("<a><b></a>")))),
            Does::Close => self.events.push_back((when, eof())),
            Does::Nothing => {}
        }
    }

    fn answered(&self) -> usize {
        self.outcomes.values().filter(|o| matches!(o, Outcome::Answer { response, .. } if response.code().is_success())).count()
    }

    fn logins(&self) -> usize {
        self.commands.iter().filter(|(_, _, asked)| asked.verb == "login").count()
    }
}

fn setup(tongue: Tongue, allowance: Allowance) -> Setup {
    Setup {
        registry: RegistryId::new("one"),
        prefix: "run".into(),
        dialect: tongue.dialect(),
        framer: tongue.framer(),
        allowance,
        seed: 7,
        first_session: 1,
    }
}

/// What a good registry does.
fn good(asked: &Asked) -> Does {
    Does::Answer(if asked.verb == "logout" { 1500 } else { 1000 })
}

#[test]
fn every_question_gets_its_answer_over_several_sessions() {
    for tongue in Tongue::BOTH {
        let mut world = World::new(tongue, |asked, _, _| good(asked));
        let report = world.run(allowance(), 500);
        assert_eq!((world.answered(), world.most_open), (500, 4));
        assert_eq!((report.answers, report.sessions_opened, report.reconnects), (500, 4, 0));
        assert!(report.stopped.is_none() && report.problems.iter().all(|p| p.id == "E-session-013"), "{:?}", report.problems);
        assert_eq!(report.max_in_flight, if tongue == Tongue::Epp { 8 } else { 1 });
        let ids: Vec<_> = world.commands.iter().filter(|(_, _, a)| a.verb == "info").map(|(_, _, a)| &a.id).collect();
        assert_eq!(ids.len(), 500, "none was asked twice");
    }
}

#[test]
fn equal_runs_are_equal() {
    let run = || {
        let mut world = World::new(Tongue::Epp, |asked, _, n| if n % 37 == 36 { Does::Close } else { good(asked) });
        let report = world.run(allowance(), 200);
        (world.commands, world.now, serde_json::to_string(&report).expect("JSON"))
    };
    assert_eq!(run(), run());
}

#[test]
fn row_01_a_refused_connection_is_tried_again_and_then_the_registry_stops() {
    let mut world = World::new(Tongue::Epp, |asked, _, _| good(asked));
    world.connect = Box::new(|_| Err(true));
    let report = world.run(allowance(), 3);
    let stopped = report.stopped.expect("stopped");
    assert_eq!((stopped.exit, report.sessions_opened), (Exit::Unreachable, 6));
    assert!(world.now > 10_000, "it waited in between");
    assert!(world.outcomes.values().all(|o| matches!(o, Outcome::Refused(_))) && world.outcomes.len() == 3);
    let mut world = World::new(Tongue::Epp, |asked, _, _| good(asked));
    world.connect = Box::new(|session| if session < 4 { Err(true) } else { Ok(()) });
    assert!(world.run(allowance(), 3).stopped.is_none());
    assert_eq!(world.answered(), 3);
}

#[test]
fn row_03_a_certificate_that_is_refused_is_not_tried_again() {
    let mut world = World::new(Tongue::Epp, |asked, _, _| good(asked));
    world.connect = Box::new(|_| Err(false));
    assert_eq!(world.run(allowance(), 3).sessions_opened, 1);
}

#[test]
fn row_04_our_certificate_refused_on_the_first_read_is_said_and_not_tried_again() {
    let mut world = World::new(Tongue::Small, |_, _, _| Does::Nothing);
    let alert = CloseReason::Alert { name: "unknown_ca".to_owned(), certificate: true };
    world.events.push_back((10, Event::Closed(1, alert)));
    let report = world.run(allowance(), 3);
    let stopped = report.stopped.expect("stopped");
    assert!(stopped.what.contains("our certificate") && stopped.what.contains("unknown_ca"), "{stopped}");
    assert_eq!((stopped.exit, report.sessions_opened), (Exit::Refused, 1));
}

#[test]
fn row_08_a_close_at_login_is_a_limit_with_three_tries() {
    for tongue in Tongue::BOTH {
        let mut world = World::new(tongue, |_, _, _| Does::Close);
        let report = world.run(allowance(), 3);
        assert_eq!((world.logins(), report.stopped.expect("stopped").exit), (3, Exit::Unreachable));
        assert!(world.now >= 120_000, "a pause between the tries");
    }
}

#[test]
fn row_09_and_11_what_a_lost_session_left_is_read_on_a_new_one() {
    for tongue in Tongue::BOTH {
        let mut world = World::new(tongue, |asked, session, n| if session == 1 && n == 5 { Does::Close } else { good(asked) });
        let report = world.run(Allowance { sessions: 1, ..allowance() }, 20);
        assert_eq!((world.answered(), report.reconnects), (20, 1));
        assert!(report.asked_again >= 1 && report.stopped.is_none());
    }
}

#[test]
fn row_19_an_object_whose_answer_never_comes_ends_unknown_and_others_do_not() {
    let mut world = World::new(Tongue::Epp, |asked, _, _| if asked.id == "C-3" { Does::Nothing } else { good(asked) });
    let report = world.run(Allowance { sessions: 2, ..allowance() }, 40);
    assert_eq!(world.answered(), 39);
    assert!(matches!(world.outcomes.get(&3), Some(Outcome::Unknown { .. })));
    assert!(report.stopped.is_none());
    assert_eq!(world.commands.iter().filter(|(_, _, a)| a.id == "C-3").count(), 3);
}

#[test]
fn row_27_to_33_one_unreadable_object_costs_no_other_one() {
    for tongue in Tongue::BOTH {
        let mut world = World::new(tongue, |asked, _, _| if asked.id == "C-3" { Does::Garbage } else { good(asked) });
        let report = world.run(Allowance { sessions: 2, ..allowance() }, 60);
        assert_eq!(world.answered(), 59, "{tongue:?}");
        assert!(matches!(world.outcomes.get(&3), Some(Outcome::Unreadable { .. })), "{:?}", world.outcomes.get(&3));
        assert!(report.stopped.is_none());
    }
}

#[test]
fn row_43_a_refused_login_is_never_tried_twice() {
    for tongue in Tongue::BOTH {
        for code in [2200, 2501, 2100, 2201] {
            let mut world = World::new(tongue, |_, _, _| Does::Answer(code));
            let report = world.run(allowance(), 100);
            assert_eq!((world.logins(), report.stopped.expect("stopped").exit), (1, Exit::Refused), "code {code}");
            assert_eq!(world.outcomes.len(), 100, "all refused");
        }
    }
}

#[test]
fn row_43_too_many_sessions_at_login_shrink_the_pool() {
    for tongue in Tongue::BOTH {
        // The registry takes two sessions, where the profile says four.
        let mut world =
            World::new(tongue, |asked, session, _| if asked.verb == "login" && session > 2 { Does::Answer(2502) } else { good(asked) });
        world.latency = 1_000;
        let report = world.run(allowance(), 300);
        assert_eq!(world.answered(), 300);
        assert!(report.stopped.is_none() && report.sessions_at_once == 2);
        assert!(world.logins() <= 4, "{}", world.logins());
        assert!(report.problems.iter().any(|p| p.id == "E-session-004"));
    }
}

#[test]
fn row_43_a_throttle_in_a_live_session_is_waited_for() {
    for tongue in Tongue::BOTH {
        let mut throttled = false;
        let mut world = World::new(tongue, |asked, _, n| {
            if n == 10 && !throttled {
                throttled = true;
                return Does::Answer(2502);
            }
            good(asked)
        });
        let report = world.run(Allowance { sessions: 1, ..allowance() }, 30);
        assert_eq!((world.answered(), world.logins()), (30, 1), "on the same session");
        assert!(world.now >= 60_000 && report.asked_again == 1);
    }
}

#[test]
fn row_43_passing_failures_are_asked_again_and_five_in_a_row_stop() {
    for tongue in Tongue::BOTH {
        let mut failed = 0;
        let mut world = World::new(tongue, |asked, _, _| {
            if asked.id == "C-2" && failed < 2 {
                failed += 1;
                return Does::Answer(2400);
            }
            good(asked)
        });
        world.run(allowance(), 30);
        assert_eq!(world.answered(), 30);

        let mut world = World::new(tongue, |asked, _, _| if asked.verb == "info" { Does::Answer(2400) } else { good(asked) });
        let report = world.run(Allowance { sessions: 1, ..allowance() }, 30);
        let stopped = report.stopped.expect("stopped");
        assert_eq!((stopped.id.as_str(), stopped.exit), ("E-session-007", Exit::SomeFailed));
        assert_eq!(world.outcomes.len(), 30);
    }
}

#[test]
fn row_43_2500_asks_again_on_a_new_session_after_a_pause() {
    for tongue in Tongue::BOTH {
        let mut world =
            World::new(tongue, |asked, session, _| if session == 1 && asked.id == "C-2" { Does::Answer(2500) } else { good(asked) });
        world.run(Allowance { sessions: 1, ..allowance() }, 5);
        assert_eq!((world.answered(), world.logins()), (5, 2));
        assert!(world.now >= 30_000);
    }
}

/// faults.md §2, code 2201.
#[test]
fn objects_of_others_stop_the_registry_where_they_are_more_than_one_in_twenty() {
    let others = |every: u64| {
        move |asked: &Asked, _: u32, n: usize| {
            if asked.verb != "login" && (n as u64).is_multiple_of(every) { Does::Answer(2201) } else { good(asked) }
        }
    };
    for tongue in Tongue::BOTH {
        let mut world = World::new(tongue, others(10));
        let stopped = world.run(Allowance { sessions: 1, ..allowance() }, 3_000).stopped.expect("stopped");
        assert!(stopped.id == "E-session-014" && stopped.what.starts_with("51 of "), "{stopped}");
        let mut world = World::new(tongue, others(25));
        assert!(world.run(Allowance { sessions: 1, ..allowance() }, 3_000).stopped.is_none(), "4 %");
        let mut world = World::new(tongue, others(2));
        assert!(world.run(Allowance { sessions: 1, ..allowance() }, 90).stopped.is_none(), "so few may be chance");
    }
}

#[test]
fn row_43_money_stops_the_registry() {
    let mut world = World::new(Tongue::Epp, |asked, _, _| if asked.id == "C-2" { Does::Answer(2104) } else { good(asked) });
    let report = world.run(Allowance { sessions: 1, read_window: 1, ..allowance() }, 50);
    assert_eq!(report.stopped.expect("stopped").id, "E-session-009");
    assert_eq!((world.answered(), world.outcomes.len()), (2, 50));
}

#[test]
fn an_object_service_that_is_missing_is_asked_for_once() {
    let mut world = World::new(Tongue::Epp, |asked, _, _| if asked.verb == "info" { Does::Answer(2307) } else { good(asked) });
    let report = world.run(Allowance { sessions: 1, read_window: 1, ..allowance() }, 50);
    assert_eq!(world.commands.iter().filter(|(_, _, a)| a.verb == "info").count(), 1);
    assert!(report.stopped.is_none(), "other kinds of objects go on");
    assert_eq!(world.outcomes.values().filter(|o| matches!(o, Outcome::Refused(_))).count(), 49);
}

#[test]
fn row_45_not_logged_in_and_session_timeout_are_met_by_one_new_login() {
    for tongue in Tongue::BOTH {
        for does in [Does::Answer(2002), Does::Timeout(2201)] {
            let mut world = World::new(tongue, |asked, session, n| if session == 1 && n == 6 { does } else { good(asked) });
            let report = world.run(Allowance { sessions: 1, ..allowance() }, 20);
            assert_eq!((world.answered(), world.logins()), (20, 2));
            assert!(report.stopped.is_none());
        }
        let mut world = World::new(tongue, |asked, _, _| if asked.verb == "info" { Does::Answer(2002) } else { good(asked) });
        let report = world.run(Allowance { sessions: 1, ..allowance() }, 20);
        assert_eq!(report.stopped.expect("stopped").id, "E-session-010");
        assert!(world.logins() <= 3, "{}", world.logins());
    }
}

#[test]
fn row_45_sessions_are_replaced_before_their_commands_run_out() {
    for tongue in Tongue::BOTH {
        let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
        let mut world = World::new(tongue, |asked, session, _| {
            let count = counts.entry(session).or_default();
            *count += 1;
            if *count > 20 { Does::Close } else { good(asked) }
        });
        let limits = Allowance { sessions: 2, commands_per_session: Some(20), ..allowance() };
        let report = world.run(limits, 300);
        assert_eq!((world.answered(), report.reconnects), (300, 0));
        assert_eq!(world.most_open, 2);
    }
}

#[test]
fn the_rate_is_kept_over_all_sessions_and_used() {
    let rate = Some((60, std::time::Duration::from_secs(10)));
    let mut world = World::new(Tongue::Epp, |asked, _, _| good(asked));
    let report = world.run(Allowance { rate, ..allowance() }, 600);
    assert_eq!(world.answered(), 600);
    assert!(report.rate_waits > 5);
    let infos: Vec<u64> = world.commands.iter().filter(|(_, _, a)| a.verb != "logout").map(|(when, _, _)| *when).collect();
    for (n, from) in infos.iter().enumerate() {
        assert!(infos[n..].iter().take_while(|&&when| when < from + 10_000).count() <= 60);
    }
    assert!(world.now <= 600 * 10_000 / 60 * 10 / 9, "nine tenths of the rate are used: {}", world.now);
}

#[test]
fn the_operator_stops_and_what_is_in_flight_is_finished() {
    let mut pool = ReadPool::new(setup(Tongue::Small, Allowance { sessions: 1, ..allowance() }));
    for n in 0..5 {
        pool.submit(n, info("C-1"));
    }
    pool.advance(at(0));
    pool.handle_connected(1, None, at(0));
    let mut login = World::new(Tongue::Small, |asked, _, _| good(asked));
    let step = |pool: &mut ReadPool, world: &mut World<'_>| {
        while let Some(effect) = pool.poll_effect() {
            if !matches!(effect, PoolEffect::Connect { .. }) {
                world.effect(pool, effect);
            }
        }
        if let Some((when, Event::Bytes(session, bytes))) = world.events.pop_front() {
            pool.handle_bytes(session, &bytes, at(when));
        }
    };
    step(&mut pool, &mut login);
    while let Some(effect) = pool.poll_effect() {
        login.effect(&mut pool, effect);
    }
    pool.interrupt(at(100));
    for _ in 0..5 {
        step(&mut pool, &mut login);
    }
    assert!(pool.is_done());
    let never = login.outcomes.values().filter(|o| matches!(o, Outcome::NeverSent { .. })).count();
    assert_eq!((login.answered(), never), (1, 4));
    assert!(pool.report(at(100).at).interrupted);
}

#[test]
fn a_check_of_too_many_names_is_refused_unsent() {
    let mut pool = ReadPool::new(setup(Tongue::Epp, allowance()));
    let names = (0..11).map(|n| crate::base::DomainName::new(format!("d{n}.example"))).collect();
    pool.submit(1, crate::model::Query::DomainCheck(names));
    assert!(matches!(pool.poll_effect(), Some(PoolEffect::Done { ticket: 1, outcome: Outcome::Refused(_) })));
}

#[test]
fn a_breaker_needs_equal_codes() {
    let mut world = World::new(Tongue::Epp, |asked, _, n| match asked.verb {
        "info" if n % 2 == 0 => Does::Answer(2303),
        _ => good(asked),
    });
    let report = world.run(allowance(), 100);
    assert!(report.stopped.is_none());
    let missing = |o: &&Outcome| matches!(o, Outcome::Answer { response, .. } if response.code() == ResultCode::DOES_NOT_EXIST);
    assert_eq!(world.answered() + world.outcomes.values().filter(missing).count(), 100);
}
