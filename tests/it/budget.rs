//! Pulls within a budget: several nights complete a first snapshot, later ones refresh it row by row.

use crate::one::{One, exits, on_day};
use crate::served::wait_until;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use privet::base::{Clock as _, Exit, SystemClock, Timestamp};
use privet::dataset::State;
use privet::job::{Within, pull, pull_within};
use privet::model::ObjectKind;
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

fn budget(n: u64) -> Within {
    Within { budget: Some(n), until: None }
}

/// A registry that speaks RRI, and one that speaks EPP.
fn both() -> [One; 2] {
    [One::new("denic", "de", 20), One::new("gtld-thick", "example", 20)]
}

/// When each row of the newest snapshot was observed, and in which exchange.
fn times(one: &One) -> BTreeMap<String, (Timestamp, String)> {
    let snapshot = one.newest().expect("a snapshot");
    let mut all = BTreeMap::new();
    for kind in ObjectKind::ALL {
        for bucket in 0..snapshot.buckets() {
            let file = privet::dataset::ParquetFile::open(&snapshot.file(kind, bucket), &["id", "observed_at", "exchange"], false);
            let file = file.expect("a table");
            for n in 0..file.batches() {
                let batch = file.batch(n).expect("rows");
                for row in 0..batch.rows() {
                    let get = |column| batch.get(column, row).expect("a value");
                    all.insert(get(0).to_owned(), (get(1).parse().expect("a time"), get(2).to_owned()));
                }
            }
        }
    }
    all
}

#[test]
fn several_nights_complete_a_first_snapshot_and_a_day_has_one_budget() {
    for one in both() {
        let _served = one.serve(&[], "");
        let mut nights = 0;
        while one.newest().is_none() {
            assert!(nights < 9, "it is complete at last");
            let before = one.asked().len();
            let ended = pull_within(&one.load(), &budget(15), &on_day(nights)).expect("ended");
            assert_eq!(ended.exit(), Exit::Done, "{} {:?}", ended.text, ended.problems);
            let asked = one.asked().len() - before;
            assert!(asked == 15 || one.newest().is_some(), "{asked}");
            if one.newest().is_none() {
                let again = pull_within(&one.load(), &budget(15), &on_day(nights)).expect("ended");
                assert_eq!(one.asked().len(), before + 15, "{}: the day's budget is used", again.text);
            }
            nights += 1;
        }
        assert!(nights >= 3, "{nights}");
        let asked = one.asked();
        let once: BTreeSet<_> = asked.iter().collect();
        assert_eq!(asked.len(), once.len(), "nothing twice over all nights");
        assert_eq!(one.observed().len(), once.len());
    }
}

#[test]
fn what_changed_comes_first_then_what_is_oldest_and_every_row_keeps_its_time() {
    for one in both() {
        let served = one.serve(&[], "");
        let whole = pull(&one.load(), &on_day(0)).expect("ended");
        assert_eq!(whole.exit(), Exit::Done, "{} {:?}", whole.text, whole.problems);
        let first = times(&one);
        let all: BTreeSet<String> = first.keys().cloned().collect();

        // Two local records change, and one is new, of a domain that the registry does not know.
        let names: Vec<String> = (0..20).map(|n| one.fleet.name_at(n).as_str().to_owned()).collect();
        let changed = [names[11].as_str(), names[17].as_str()];
        let stranger = one.fleet.name_at(1_000).as_str().to_owned();
        let mut records: Vec<(&str, &str)> =
            names.iter().map(|name| (name.as_str(), if changed.contains(&name.as_str()) { "ok" } else { "" })).collect();
        records.push((&stranger, ""));
        one.records(&records);
        let before = one.asked().len();
        let ended = pull_within(&one.load(), &budget(8), &on_day(1)).expect("ended");
        assert_eq!(ended.exit(), Exit::Done, "{} {:?}", ended.text, ended.problems);
        let asked: Vec<String> = one.asked().split_off(before);
        assert_eq!(asked.len(), 8);
        let head: BTreeSet<&str> = asked.iter().take(3).map(String::as_str).collect();
        assert_eq!(head, BTreeSet::from([changed[0], changed[1], &stranger]), "{asked:?}");
        let second = times(&one);
        for (id, seen) in &second {
            let is_new = asked.contains(id);
            assert_eq!(first.get(id) == Some(seen), !is_new, "{id}: a row keeps its time and its exchange unless it was asked for");
        }
        assert_eq!(second.len(), all.len() + 1);
        assert_eq!(one.observed()[&(ObjectKind::Domain, stranger.clone())].state, State::Missing);
        let ages = one.newest().expect("a snapshot").manifest().observed.clone().expect("rows");
        assert!(ages.newest.duration_since(ages.oldest) > SignedDuration::from_hours(20), "{ages:?}");
        assert!(ages.median < ages.newest - SignedDuration::from_hours(20), "most rows are old: {ages:?}");
        let run = std::fs::read_to_string(crate::served::reports(&ended).join("data/ages.csv"))
            .or_else(|_| std::fs::read_to_string(crate::served::reports(&ended).join("ages.csv")))
            .expect("a table of ages");
        assert!(run.contains("oldest") && run.lines().count() == 2, "{run}");

        // The record of the unknown one goes: it is gone on both sides.
        one.records(&records[..20]);
        let mut seen: BTreeSet<String> = asked.into_iter().collect();
        for day in 2..20 {
            let before = one.asked().len();
            let ended = pull_within(&one.load(), &budget(8), &on_day(day)).expect("ended");
            assert_eq!(ended.exit(), Exit::Done, "{} {:?}", ended.text, ended.problems);
            let asked = one.asked().split_off(before);
            let old: Vec<&String> = asked.iter().filter(|id| seen.contains(*id) && **id != stranger).collect();
            let is_round = seen.len() > all.len();
            assert!(old.is_empty() || is_round || seen.len() + asked.len() > all.len(), "day {day}: {old:?} came before older ones");
            seen.extend(asked);
            if is_round {
                break;
            }
        }
        assert!(seen.is_superset(&all), "everything is refreshed in its turn");
        let rows = one.observed();
        assert!(!rows.contains_key(&(ObjectKind::Domain, stranger)), "gone on both sides");
        assert_eq!(rows.len(), all.len());
        drop(served);
    }
}

#[test]
fn a_pull_ends_at_its_hour_with_a_whole_snapshot() {
    let one = One::new("denic", "de", 20);
    let served = one.serve(&[], "");
    pull(&one.load(), &on_day(0)).expect("ended");
    let all = times(&one).len();
    drop(served);
    let _served = one.serve(&["service_ms=400"], "");
    let before = one.asked().len();
    let berlin = TimeZone::get("Europe/Berlin").expect("bundled");
    let until = berlin.to_datetime(SystemClock::new().wall() + SignedDuration::from_secs(2)).time();
    let ended = pull_within(&one.load(), &Within { budget: None, until: Some(until) }, &on_day(0)).expect("ended");
    assert_eq!(exits(&ended), Vec::<u64>::new(), "{} {:?}", ended.text, ended.problems);
    let asked = one.asked().len() - before;
    assert!(asked > 2 && asked < all, "{asked} of {all}");
    assert_eq!(times(&one).len(), all);
}

#[test]
fn what_a_killed_pull_refreshed_is_part_of_the_next_ones_snapshot() {
    let one = One::new("denic", "de", 20);
    let served = one.serve(&[], "");
    pull(&one.load(), &on_day(0)).expect("ended");
    let first = times(&one);
    drop(served);
    let served = one.serve(&["service_ms=300"], "");
    let mut child = Command::new(env!("CARGO_BIN_EXE_privet"))
        .args(["pull", "--budget", "1000", "--config"])
        .arg(one.config())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process");
    let ledger = one.state().join("budgets/one.json");
    let used = || {
        let text = std::fs::read(&ledger).ok()?;
        serde_json::from_slice::<serde_json::Value>(&text).ok()?["commands"].as_u64()
    };
    let before = used().expect("counted");
    wait_until("something durable", || used().is_some_and(|n| n > before));
    child.kill().expect("killed");
    child.wait().expect("ended");
    drop(served);
    assert_eq!(times(&one), first, "half a refreshment is no snapshot");

    let _served = one.serve(&[], "");
    let asked = one.asked().len();
    let ended = pull_within(&one.load(), &budget(used().expect("counted") + 1), &on_day(0)).expect("ended");
    assert_eq!(ended.exit(), Exit::Done, "{} {:?}", ended.text, ended.problems);
    assert_eq!(one.asked().len(), asked + 1, "what is used of the day is known");
    let now = times(&one);
    let refreshed = now.iter().filter(|(id, seen)| first.get(*id) != Some(*seen)).count();
    assert_eq!(now.len(), first.len());
    assert!(refreshed >= 3, "what was durable is in it, and the one: {refreshed}");
}

#[test]
fn a_registry_that_cannot_be_reached_leaves_the_older_snapshot() {
    let one = One::new("denic", "de", 6);
    let served = one.serve(&[], "");
    pull(&one.load(), &on_day(0)).expect("ended");
    let whole = one.newest().expect("a snapshot").dir().to_owned();
    drop(served);
    let ended = pull_within(&one.load(), &budget(5), &on_day(1)).expect("ended");
    assert_eq!(ended.exit(), Exit::Unreachable, "{}", ended.text);
    assert_eq!(one.newest().expect("a snapshot").dir(), whole);
    assert!(!one.state().join("building/registry=one/run.json").exists(), "nothing is left to go on with");
}
