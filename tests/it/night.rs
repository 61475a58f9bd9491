//! Nights end to end: the verbs over bundled registries that break, refuse, lie and are killed, judged by what the seed planted and by
//! what the registries heard.

use crate::served::{REGISTRIES, THICK, World, context, found, reports, stopping, wait_until};
use privet::base::Exit;
use privet::job::{check, pull, run};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::process::Child;

/// A registry so slow that a pull of [`LARGE`] takes two seconds.
const SLOW: &str = "service_ms=15";
/// One so slow that it takes six.
const SLOWER: &str = "service_ms=50";
/// Contacts of a world whose largest registry holds 600 objects.
const LARGE: u64 = 600;

/// The exits of one registry in a summary.
fn exits(ended: &privet::job::Ended, registry: &str) -> Vec<u64> {
    let of = ended.json["registries"].as_array().expect("registries").iter().find(|r| r["id"] == registry).expect(registry);
    of["exits"].as_array().expect("exits").iter().map(|e| e.as_u64().expect("a code")).collect()
}

#[test]
fn row_48_an_interrupted_pull_leaves_no_snapshot_and_the_same_command_goes_on() {
    let world = World::new(LARGE, 3);
    let _served = world.serve(&[(THICK, SLOW)]);
    let loaded = world.load();
    let ended = pull(&loaded, &stopping(&[THICK], 2)).expect("ended");
    assert_eq!(ended.exit(), Exit::Stopped, "{}", ended.text);
    assert!(world.newest(THICK).is_none(), "half a pull is no snapshot");
    let before = world.asked(THICK).len();

    let ended = pull(&loaded, &context(&[THICK])).expect("ended");
    assert_eq!(ended.exit(), Exit::Done, "{}", ended.text);
    let asked = world.asked(THICK);
    assert!(before >= 100 && before + 100 <= asked.len(), "the first pull was interrupted in its middle: {before} of {}", asked.len());
    let twice: Vec<_> = asked.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "asked for more than once: {twice:?}");

    let other = World::new(LARGE, 3);
    let _served = other.serve(&[]);
    assert_eq!(pull(&other.load(), &context(&[THICK])).expect("ended").exit(), Exit::Done);
    assert_eq!(other.asked(THICK), asked, "both asked for the same objects");
    assert!(other.observed(THICK) == world.observed(THICK), "and came to the same snapshot");
}

#[test]
fn half_a_pull_never_replaces_a_whole_one() {
    let world = World::new(LARGE, 4);
    let served = world.serve(&[]);
    assert_eq!(pull(&world.load(), &context(&[THICK])).expect("ended").exit(), Exit::Done);
    let whole = world.newest(THICK).expect("a snapshot");
    drop(served);
    let _served = world.serve(&[(THICK, SLOW)]);
    let ended = run(&world.load(), &stopping(&[THICK], 2)).expect("ended");
    assert_eq!(ended.exit(), Exit::Stopped, "{}", ended.text);
    assert!(found(&reports(&ended)).is_empty(), "nothing is compared with half a pull");
    assert_eq!(world.newest(THICK).expect("a snapshot").dir(), whole.dir());
}

#[test]
fn a_night_changes_nothing_and_acknowledges_nothing() {
    let world = World::new(200, 5);
    let messages = REGISTRIES.map(|registry| (registry, "messages=3"));
    let _served = world.serve(&messages);
    let ended = run(&world.load(), &context(&[])).expect("ended");
    assert_eq!(ended.exit(), Exit::ChangesPending, "{}", ended.text);
    assert_eq!(found(&reports(&ended)), world.truth(&REGISTRIES));
    for registry in REGISTRIES {
        assert_eq!(world.commits(registry), 0, "{registry}");
        let heard = world.frames(registry, "in");
        assert!(heard.iter().any(|frame| frame.contains("<info>") || frame.contains("contact:info")), "{registry}");
        for frame in heard {
            let words: &[&str] = if frame.contains("<registry-request") {
                &["<login>", "<logout/>", "<contact:info ", "<contact:info>", "<domain:info ", "<domain:info>"]
            } else {
                &["<login>", "<logout/>", "<info>", "<check>", "<hello/>"]
            };
            let harmless = words.iter().filter(|c| frame.contains(**c)).count();
            let others = ["<create>", "<update>", "<delete>", "<renew>", "<transfer", "<poll", ":create", ":update", ":delete", "<msg:"];
            assert!(
                harmless == 1 && !others.iter().any(|c| frame.contains(c)),
                "{registry} heard a command that may change something: {frame}"
            );
        }
    }
}

#[test]
fn a_dead_registry_and_one_that_refuses_us_spare_the_others() {
    let world = World::new(200, 6);
    let _served = world.serve(&[("eurid", "dead"), ("nz", "fault=row-43-2200:on=login")]);
    let loaded = world.load();
    let ended = run(&loaded, &context(&[])).expect("ended");
    assert!(exits(&ended, "eurid").contains(&31) && exits(&ended, "nz").contains(&34), "{}", ended.json);
    assert_eq!(ended.exit(), Exit::Refused, "what a registry refuses comes before what cannot be reached");
    let rest = REGISTRIES.into_iter().filter(|r| !["eurid", "nz"].contains(r)).collect::<Vec<_>>();
    for registry in &rest {
        assert!(exits(&ended, registry).is_empty() && world.newest(registry).is_some(), "{}", ended.json);
    }
    assert_eq!(found(&reports(&ended)), world.truth(&rest));
    assert!(ended.problems.iter().any(|p| p.id == "E-net-001") && ended.problems.iter().any(|p| p.id == "E-session-001"));
    let logins = world.frames("nz", "in").iter().filter(|frame| frame.contains("<login>")).count();
    assert_eq!(logins, 1, "a refused password is not tried twice");
}

#[test]
fn row_30_an_object_that_cannot_be_read_is_listed_and_nothing_is_concluded() {
    let world = World::new(200, 7);
    let fleet = world.fleet(THICK);
    let planted: BTreeSet<String> = world.truth(&[THICK]).into_iter().map(|row| row[2].clone()).collect();
    let free = |id: &String| !planted.contains(id);
    let contact = (0..fleet.contact_count()).map(|n| fleet.handle_at(n).as_str().to_owned()).find(free).expect("a contact");
    let domain = (0..fleet.domain_count()).map(|n| fleet.name_at(n).as_str().to_owned()).find(free).expect("a domain");
    let knobs = [format!("fault=row-30-missing:object={contact}"), format!("fault=row-33-cut:object={domain}")];
    let _served = world.serve(&[(THICK, &knobs[0]), (THICK, &knobs[1])]);
    let ended = run(&world.load(), &context(&[])).expect("ended");
    assert_eq!(ended.exit(), Exit::InputIncomplete, "{}", ended.text);
    assert_eq!(exits(&ended, THICK), [32]);

    let all = found(&reports(&ended));
    let (unreadable, others): (BTreeSet<_>, BTreeSet<_>) = all.into_iter().partition(|row| row[6] == "unreadable");
    let listed: BTreeSet<&str> = unreadable.iter().map(|row| row[2].as_str()).collect();
    assert_eq!(listed, BTreeSet::from([contact.as_str(), domain.as_str()]));
    assert_eq!(others, world.truth(&REGISTRIES), "no difference and no deletion was invented");
    let told = ended.json["registries"].as_array().expect("registries").iter().find(|r| r["id"] == THICK).expect("one");
    assert_eq!((&told["unreadable"], &told["whole"]), (&2.into(), &true.into()), "{told}");
}

#[test]
fn what_an_interrupted_pull_could_not_read_is_still_incomplete_when_another_ends_it() {
    let world = World::new(LARGE, 8);
    let name = world.fleet(THICK).name_at(0);
    let first = format!("fault=row-30-missing:object={}", name.as_str());
    let served = world.serve(&[(THICK, SLOW), (THICK, &first)]);
    // Domains come first, so that this one was asked for before the stop.
    let ended = pull(&world.load(), &stopping(&[THICK], 5)).expect("ended");
    assert_eq!(ended.exit(), Exit::Stopped, "{}", ended.text);
    assert!(world.asked(THICK).contains_key(&format!("domain/{}", name.as_str())), "it was asked for");
    drop(served);
    let _served = world.serve(&[]);
    let ended = pull(&world.load(), &context(&[THICK])).expect("ended");
    assert_eq!(ended.exit(), Exit::InputIncomplete, "{}", ended.text);
}

#[test]
fn two_nights_leave_two_snapshots_and_equal_differences() {
    let world = World::new(200, 9);
    let _served = world.serve(&[]);
    let mut nights = Vec::new();
    for _ in 0..2 {
        let ended = run(&world.load(), &context(&[])).expect("ended");
        assert_eq!(ended.exit(), Exit::ChangesPending, "{}", ended.text);
        let bytes = std::fs::read(reports(&ended).join("differences.csv")).expect("differences");
        nights.push((bytes, world.newest(THICK).expect("a snapshot").dir().to_owned()));
    }
    let (second, first) = (nights.pop().expect("two"), nights.pop().expect("two"));
    assert!(!first.0.is_empty() && first.0 == second.0, "equal inputs give equal bytes");
    assert!(first.1 != second.1 && first.1.join("snapshot.json").exists(), "the second stands beside the first");
}

#[test]
fn check_logs_in_everywhere_and_says_what_to_do_about_a_dead_registry() {
    let world = World::new(20, 10);
    let served = world.serve(&[]);
    let ended = check(&world.load(), &context(&[])).expect("ended");
    assert_eq!(ended.exit(), Exit::Done, "{}", ended.text);
    let told = ended.json["registries"].as_array().expect("registries");
    assert!(told.len() == REGISTRIES.len() && told.iter().all(|r| r["login"] == true), "{}", ended.json);
    assert!(!world.data().join("state/snapshots").exists() && !world.data().join("reports").exists(), "check leaves nothing");
    for registry in REGISTRIES {
        assert!(world.asked(registry).is_empty() && world.commits(registry) == 0, "{registry}");
    }
    drop(served);

    let _served = world.serve(&[(THICK, "dead")]);
    let ended = check(&world.load(), &context(&[THICK])).expect("ended");
    assert_eq!(ended.exit(), Exit::Unreachable, "{}", ended.text);
    let problem = ended.problems.iter().find(|p| p.exit == Exit::Unreachable).expect("told");
    assert!(problem.what.contains("refused") && problem.remedy.contains("check address, port and firewall"), "{problem}");
    assert_eq!(problem.place.object.as_deref(), Some(THICK));
}

/// Starts a pull of the slow registry as a process, and waits until it has put something durable on disk.
fn pulling(world: &World) -> Child {
    let child = world.process(&["pull", "--registry", THICK]).spawn().expect("a process");
    let spool = world.data().join("state/building").join(format!("registry={THICK}"));
    wait_until("something durable", || {
        let Ok(files) = std::fs::read_dir(&spool) else { return false };
        let spools = files.flatten().filter(|f| f.path().extension().is_some_and(|e| e == "spool"));
        spools.filter_map(|f| f.metadata().ok()).any(|m| m.len() > 1000)
    });
    child
}

#[test]
fn row_48_a_pull_that_is_killed_goes_on_from_what_was_durable() {
    let world = World::new(LARGE, 11);
    let served = world.serve(&[(THICK, SLOWER)]);
    let mut child = pulling(&world);
    child.kill().expect("killed");
    assert_eq!(child.wait().expect("ended").code(), None, "it was killed before its end");
    drop(served);
    let before: BTreeSet<String> = world.asked(THICK).into_keys().collect();

    let _served = world.serve(&[]);
    let output = world.process(&["run", "--format", "json"]).output().expect("a process");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let reports = std::path::PathBuf::from(told["reports"].as_str().expect("a folder"));
    assert_eq!(found(&reports), world.truth(&REGISTRIES));
    let asked = world.asked(THICK);
    let again = asked.values().filter(|times| **times > 1).count();
    assert!(before.len() < asked.len() && again + 50 <= before.len(), "{again} of {} were asked for again", before.len());
}

#[test]
fn row_48_ctrl_c_ends_a_pull_with_40_and_loses_nothing() {
    let world = World::new(LARGE, 12);
    let served = world.serve(&[(THICK, SLOWER)]);
    let child = pulling(&world);
    kill_process(Pid::from_child(&child), Signal::INT).expect("sent");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(40), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(world.newest(THICK).is_none());
    let asked = world.asked(THICK);
    assert!(asked.values().all(|times| *times == 1));
    drop(served);

    let _served = world.serve(&[]);
    let ended = pull(&world.load(), &context(&[THICK])).expect("ended");
    assert_eq!(ended.exit(), Exit::Done, "{}", ended.text);
    let all = world.asked(THICK);
    assert!(all.len() > asked.len() && all.values().all(|times| *times == 1), "each object is asked for once over both processes");
}
