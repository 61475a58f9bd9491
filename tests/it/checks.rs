//! `check` before the first night and long after the last one: disk, permissions, certificates, passwords, clocks, and whether nights
//! were missed.

use crate::one::{One, on_day};
use privet::base::{Event, Events, Exit, Problem};
use privet::job::{Context, Ended, check, run};
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

/// Keeps the warnings.
#[derive(Default)]
struct Told(Mutex<Vec<Problem>>);

impl Events for Told {
    fn tell(&self, event: Event) {
        if let Event::Warning(problem) = event {
            self.0.lock().expect("no panic").push(*problem);
        }
    }
}

/// What `check` came to some days from now, with the numbers of its warnings.
fn looked(one: &One, days: i64) -> (Ended, Vec<Problem>) {
    let told = Arc::new(Told::default());
    let ended = check(&one.load(), &Context { events: Arc::clone(&told) as Arc<dyn Events>, ..on_day(days) });
    let warnings = told.0.lock().expect("no panic").clone();
    (ended.unwrap_or_else(|e| panic!("{e}")), warnings)
}

fn numbers(warnings: &[Problem]) -> Vec<&str> {
    warnings.iter().map(|problem| &*problem.id).collect()
}

fn thick() -> One {
    One::new("gtld-thick", "example", 4)
}

#[test]
fn before_the_first_run_a_check_tells_what_there_is() {
    let one = thick();
    let _served = one.serve(&[], "");
    let (ended, warnings) = looked(&one, 0);
    assert_eq!((ended.exit(), numbers(&warnings)), (Exit::Done, Vec::new()), "{}", ended.text);
    let told = &ended.json["registries"][0];
    assert!(ended.json["last_run"].is_null() && ended.text.contains("no run has left a report yet"), "{}", ended.text);
    assert!(ended.json["free_bytes"].as_u64() > Some(0));
    assert_eq!(told["password_days"], 0, "{told}");
    let days = told["certificate_days_left"].as_i64().expect("days");
    assert!((700..=731).contains(&days) && ended.text.contains(&format!("({days} days)")), "{told} {}", ended.text);
}

#[test]
fn a_night_that_was_missed_and_a_clock_that_went_back_are_told() {
    let one = thick();
    let _served = one.serve(&[], "");
    let ran = run(&one.load(), &on_day(0)).expect("ended");
    let (ended, warnings) = looked(&one, 1);
    let told = &ended.json["last_run"];
    assert_eq!((told["run"].clone(), told["exit"].clone()), (ran.json["run_id"].clone(), 0.into()));
    assert!((23..=24).contains(&told["hours_ago"].as_i64().expect("hours")), "{told}");
    // The registry is on today's calendar, and we are a day ahead of it.
    assert_eq!(numbers(&warnings), ["E-check-004"], "{warnings:?}");
    assert!(warnings[0].what.contains("-864") || warnings[0].what.contains("-863"), "{}", warnings[0]);

    let (_, warnings) = looked(&one, 3);
    assert_eq!(numbers(&warnings), ["E-check-006", "E-check-004"], "{warnings:?}");
    assert!(warnings[0].to_string().contains(ran.json["run_id"].as_str().expect("a run")), "{}", warnings[0]);
    let (ended, warnings) = looked(&one, -1);
    assert_eq!(numbers(&warnings), ["E-check-005", "E-check-004"], "{warnings:?}");
    assert!(ended.json["last_run"]["hours_ago"].as_i64() < Some(0));
}

#[test]
fn a_password_of_more_than_a_year_is_told() {
    let one = thick();
    let served = one.serve(&[], "");
    let set = |days: u64| {
        let now = privet::base::Clock::wall(&privet::base::SystemClock::new()).as_second().unsigned_abs();
        let at = UNIX_EPOCH + Duration::from_secs(now - days * 86_400 - 60);
        File::options().write(true).open(&served.password_file).and_then(|file| file.set_modified(at)).expect("set");
    };
    set(365);
    let (ended, warnings) = looked(&one, 0);
    assert_eq!((&ended.json["registries"][0]["password_days"], numbers(&warnings)), (&365.into(), Vec::new()));
    set(366);
    let (ended, warnings) = looked(&one, 0);
    assert_eq!((&ended.json["registries"][0]["password_days"], numbers(&warnings)), (&366.into(), vec!["E-check-003"]));
    assert_eq!(ended.exit(), Exit::Done, "it is told, and nothing more");
}

#[test]
fn a_state_that_others_may_write_to_and_places_that_are_no_directories_are_refused_and_nothing_is_made() {
    let one = thick();
    let _served = one.serve(&[], "[metrics]\nfile = \"data/domains.csv/privet.prom\"");
    let (_, warnings) = looked(&one, 0);
    assert_eq!(numbers(&warnings), ["E-file-003"], "a run goes on without its metrics: {warnings:?}");
    assert!(!one.state().exists(), "check makes nothing");
    let refused = || check(&one.load(), &on_day(0)).expect_err("refused");

    let reports = one.state().with_file_name("reports");
    privet::base::write_atomic(&reports, b"").expect("written");
    let problems = refused();
    assert_eq!(numbers(problems.kept()), ["E-file-003"]);
    assert!(problems.to_string().contains("data/reports"), "{problems}");
    privet::base::remove_tree(&reports).expect("removed");

    privet::base::create_private_dir(&one.state()).expect("made");
    std::fs::set_permissions(one.state(), Permissions::from_mode(0o777)).expect("a mode");
    let problems = refused();
    assert_eq!(numbers(problems.kept()), ["E-file-007"]);
    assert!(problems.to_string().contains("0777"), "{problems}");
}
