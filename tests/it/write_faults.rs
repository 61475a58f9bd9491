//! What goes wrong while a registry is changed, row by row of the fault matrix: plans applied over real TLS to a bundled registry whose
//! fault strikes one of them. What counts is the registry's commit log.

use crate::apply::{Locking, counts};
use crate::served::wait_until;
use privet::base::Exit;
use privet::job::Ended;
use privet::model::ObjectKind;
use privet::plan::Fact;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Domains of a registry: some of them are to be locked, in two waves.
const DOMAINS: u64 = 14;

/// A registry, a plan for it, and a fault that strikes the change of one domain.
struct Struck {
    locking: Locking,
    /// The domain.
    name: String,
}

impl Struck {
    /// A registry whose `fault` strikes what is told of one domain: one beyond the first wave, with contacts that are not its registrant.
    fn by(fault: &str) -> Self {
        Self::configured(fault, &[], "")
    }

    /// The same, with more `knobs`, and `extra` lines of configuration.
    fn configured(fault: &str, knobs: &[&str], extra: &'static str) -> Self {
        let plain = Locking::new(DOMAINS, &[], |_| ());
        let observed = plain.one.observed();
        let has_others = |name: &&String| {
            let row = &observed[&(ObjectKind::Domain, (*name).clone())].row;
            let [registrant, admin, tech] = ["registrant", "admin", "tech"].map(|column| Fact::column(column).of(ObjectKind::Domain, row));
            [admin, tech].iter().flatten().any(|handles| Some(handles) != registrant.as_ref())
        };
        let name = plain.names.iter().skip(1).find(has_others).expect("such a domain").clone();
        assert!((3..=11).contains(&plain.names.len()), "two waves: {:?}", plain.names);
        drop(plain);
        let (fault, conditions) = fault.split_once(':').unwrap_or((fault, "times=1"));
        let knob = format!("fault={fault}:object={name}:{conditions}");
        let knobs: Vec<&str> = knobs.iter().copied().chain([knob.as_str()]).collect();
        Self { locking: Locking::configured(DOMAINS, &knobs, extra, |_| ()), name }
    }

    /// How often the registry was told to lock the domain.
    fn told(&self) -> usize {
        let at = self.locking.names.iter().position(|name| *name == self.name).expect("in the plan");
        self.locking.told()[at]
    }

    /// How many changes of the domain took effect: ours, and all.
    fn effects(&self) -> (u64, usize) {
        let object = format!("domain/{}", self.name);
        let all = self.locking.commits().iter().filter(|line| line["object"] == object.as_str()).count();
        (self.locking.effects().get(&self.name).copied().unwrap_or_default(), all)
    }

    /// What the plan has to come to where the domain ends in `state`, and every other change is verified; `sends` commands beyond one
    /// for each domain but this one.
    #[track_caller]
    fn assert_ended(&self, ended: &Ended, exit: Exit, state: &'static str, sends: u64) {
        let others = self.locking.names.len() as u64 - 1;
        let mut wanted = BTreeMap::from([("verified", others)]);
        *wanted.entry(state).or_default() += 1;
        *wanted.entry("sends").or_default() += others + sends;
        assert_eq!((ended.exit(), counts(ended)), (exit, wanted), "{}", ended.text);
        let mut effects = self.locking.effects();
        effects.remove(&self.name);
        assert!(effects.len() as u64 == others && effects.values().all(|count| *count == 1), "{effects:?}");
    }
}

#[test]
fn row_11_a_command_that_was_never_heard_is_sent_once_more() {
    let struck = Struck::by("row-11-unheard");
    let ended = struck.locking.apply();
    struck.assert_ended(&ended, Exit::Done, "verified", 2);
    assert_eq!((struck.told(), struck.effects()), (2, (1, 1)));
}

#[test]
fn row_12_a_command_whose_answer_is_lost_is_not_sent_again() {
    let struck = Struck::by("row-12-untold");
    let ended = struck.locking.apply();
    struck.assert_ended(&ended, Exit::Done, "verified", 1);
    assert_eq!((struck.told(), struck.effects()), (1, (1, 1)));
}

#[test]
fn row_38_what_is_said_to_be_done_and_is_not_has_failed() {
    let struck = Struck::by("row-38-hollow");
    let ended = struck.locking.apply();
    struck.assert_ended(&ended, Exit::SomeFailed, "failed", 1);
    assert_eq!((struck.told(), struck.effects()), (1, (0, 0)));
}

#[test]
fn row_39_a_pending_change_that_is_granted_is_verified_by_the_next_run() {
    let struck = Struck::by("row-39-granted:times=1:ms=1500");
    let ended = struck.locking.apply();
    struck.assert_ended(&ended, Exit::SomeFailed, "pending", 1);
    assert_eq!((struck.effects(), &ended.json["closed"]), ((0, 0), &Value::Bool(false)));
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let ended = struck.locking.apply();
    struck.assert_ended(&ended, Exit::Done, "verified", 1);
    assert_eq!((struck.told(), struck.effects()), (1, (1, 1)));
}

#[test]
fn row_39_a_decision_that_the_queue_tells_in_time_settles_the_change_in_the_same_run() {
    for (fault, exit, state, effects) in
        [("row-39-granted", Exit::Done, "verified", (1, 1)), ("row-39-declined", Exit::SomeFailed, "failed", (0, 0))]
    {
        let struck = Struck::configured(&format!("{fault}:times=1:ms=1200"), &["messages=2"], "poll = \"own\"");
        let ended = struck.locking.apply();
        struck.assert_ended(&ended, exit, state, 1);
        assert_eq!((struck.told(), struck.effects()), (1, effects), "{fault}");
        // Two notices and the decision: all were taken out of the queue, and all are told.
        assert_eq!((&ended.json["messages"], &ended.json["closed"]), (&Value::from(3), &Value::Bool(true)), "{fault}");
        let outcomes = Path::new(ended.json["outcomes"].as_str().expect("a path")).with_file_name("messages.csv");
        let table = std::fs::read_to_string(outcomes).expect("a table");
        let granted = if state == "verified" { "yes" } else { "no" };
        let told: Vec<&str> = table.lines().collect();
        assert_eq!(told[0], "registry,id,object,granted,taken");
        assert!(told[1].starts_with("one,1,,,") && told[2].starts_with("one,2,,,"), "{table}");
        assert!(told[3].starts_with(&format!("one,3,domain/{},{granted},", struck.name)), "{table}");
    }
}

#[test]
fn row_39_a_pending_change_that_is_declined_has_failed() {
    let struck = Struck::by("row-39-declined:times=1:ms=1500");
    let ended = struck.locking.apply();
    struck.assert_ended(&ended, Exit::SomeFailed, "pending", 1);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let ended = struck.locking.apply();
    struck.assert_ended(&ended, Exit::SomeFailed, "failed", 1);
    assert_eq!((struck.told(), struck.effects(), &ended.json["closed"]), (1, (0, 0), &Value::Bool(true)));
}

#[test]
fn row_39_a_pending_change_that_is_never_decided_stays_pending_and_is_never_sent_again() {
    let struck = Struck::by("row-39-undecided");
    for _ in 0..3 {
        let ended = struck.locking.apply();
        struck.assert_ended(&ended, Exit::SomeFailed, "pending", 1);
        assert_eq!((struck.told(), struck.effects(), &ended.json["closed"]), (1, (0, 0), &Value::Bool(false)));
    }
    assert!(struck.locking.one.frames("out").iter().any(|frame| frame.contains("s=\"pendingUpdate\"")));
}

#[test]
fn row_40_a_command_that_takes_effect_behind_the_drop_is_waited_for() {
    // The registry's patience is a second, and so is the time between two looks: it takes the second one.
    let struck = Struck::by("row-40-belated:times=1:ms=1600");
    let ended = struck.locking.apply();
    struck.assert_ended(&ended, Exit::Done, "verified", 1);
    assert_eq!((struck.told(), struck.effects()), (1, (1, 1)));
}

#[test]
fn row_41_an_object_that_somebody_changed_before_is_left_alone() {
    let struck = Struck::by("row-41-meddled:on=query:times=1");
    let ended = struck.locking.apply();
    struck.assert_ended(&ended, Exit::SomeFailed, "conflict", 0);
    assert_eq!((struck.told(), struck.effects()), (0, (0, 1)));
}

#[test]
fn row_41_an_object_that_somebody_changes_between_read_and_command_is_in_conflict() {
    for fault in ["row-41-meddled", "row-41-meddled-behind"] {
        let struck = Struck::by(fault);
        let ended = struck.locking.apply();
        struck.assert_ended(&ended, Exit::SomeFailed, "conflict", 1);
        assert_eq!((struck.told(), struck.effects()), (1, (1, 2)), "{fault}");
        // What the others did stands.
        let object = format!("domain/{}", struck.name);
        let lines: Vec<Value> = struck.locking.commits().into_iter().filter(|line| line["object"] == object.as_str()).collect();
        let theirs = lines.iter().find(|line| line["clTRID"].is_null()).expect("their change");
        let last = lines.last().expect("a change");
        assert_eq!(last["after"]["registrant"], theirs["after"]["registrant"], "{fault}");
        assert_ne!(theirs["before"]["registrant"], theirs["after"]["registrant"], "{fault}");
    }
}

#[test]
fn row_42_a_change_that_the_registry_makes_twice_counts_once() {
    let struck = Struck::by("row-42-doubled");
    let ended = struck.locking.apply();
    struck.assert_ended(&ended, Exit::Done, "verified", 1);
    assert_eq!((struck.told(), struck.effects()), (1, (1, 2)));
}

#[test]
fn row_43_a_failure_that_passes_is_read_and_sent_once_more() {
    for fault in ["row-43-2400", "row-43-2500", "row-43-2502", "row-43-2502-keep"] {
        let struck = Struck::by(&format!("{fault}:on=transform:times=1"));
        let ended = struck.locking.apply();
        struck.assert_ended(&ended, Exit::Done, "verified", 2);
        assert_eq!((struck.told(), struck.effects()), (2, (1, 1)), "{fault}");
    }
}

#[test]
fn row_43_a_failure_that_stays_ends_after_two_sends() {
    let struck = Struck::by("row-43-2400:on=transform:times=9");
    let ended = struck.locking.apply();
    struck.assert_ended(&ended, Exit::SomeFailed, "failed", 2);
    assert_eq!((struck.told(), struck.effects()), (2, (0, 0)));
}

#[test]
fn row_43_what_stops_a_registry_leaves_the_rest_unsent() {
    for fault in ["row-43-2104", "row-43-2200", "row-43-2501"] {
        // All changes but those of the first wave are struck: the first of them ends it.
        let plain = Locking::new(DOMAINS, &[], |_| ());
        let names = plain.names.clone();
        drop(plain);
        let locking = Locking::new(DOMAINS, &[&format!("fault={fault}:on=transform:from=2")], |_| ());
        let ended = locking.apply();
        let found = counts(&ended);
        assert_eq!(ended.exit(), Exit::SomeFailed, "{fault}: {}", ended.text);
        assert_eq!(found["verified"], 1, "{fault}: {found:?}");
        let failed = found.get("failed").copied().unwrap_or_default();
        let told: usize = locking.told().iter().sum();
        assert!(failed >= 1 && found["sends"] == told as u64, "{fault}: {found:?}, told {told}");
        let planned = found.get("planned").copied().unwrap_or_default();
        assert_eq!(found["verified"] + failed + planned, names.len() as u64, "{fault}: {found:?}");
        assert_eq!(locking.effects().len(), 1, "{fault}");
        assert!(ended.json["registries"][0]["stopped"].is_string(), "{fault}: {}", ended.json);
    }
}

/// `privet apply` as a process.
fn started(locking: &Locking) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_privet"));
    command.args(["apply", "--quiet", "--format", "json", "--config"]).arg(locking.one.config()).arg(&locking.plan);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a process")
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("an id")).expect("a process");
    kill_process(pid, signal).expect("sent");
}

fn ended(child: Child) -> (Option<i32>, Value) {
    let output = child.wait_with_output().expect("it ended");
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

#[test]
fn row_48_sigterm_and_sigint_twice_end_with_40_and_the_same_command_goes_on() {
    for signals in [&[Signal::TERM][..], &[Signal::INT, Signal::INT]] {
        let locking = Locking::new(60, &["service_ms=40"], |_| ());
        let all = locking.names.len() as u64;
        let child = started(&locking);
        wait_until("some commands are sent", || locking.told().iter().sum::<usize>() >= 5);
        for (number, one) in signals.iter().enumerate() {
            signal(&child, *one);
            if number == 0 {
                std::thread::sleep(std::time::Duration::from_millis(30));
            }
        }
        let (code, json) = ended(child);
        assert_eq!(code, Some(40), "{signals:?}: {json}");
        if signals.len() == 1 {
            // What was sent was seen to its end.
            let of = |state: &str| json[state].as_u64().expect("a count");
            assert_eq!((of("unknown"), of("verified") + of("planned")), (0, all), "{json}");
            assert!(of("planned") > 0 && of("verified") == of("sends"), "{json}");
        }
        let (code, json) = ended(started(&locking));
        assert_eq!((code, json["verified"].as_u64()), (Some(0), Some(all)), "{signals:?}: {json}");
        locking.assert_once();
        assert!(locking.told().iter().all(|told| *told <= 2), "{:?}", locking.told());
    }
}
