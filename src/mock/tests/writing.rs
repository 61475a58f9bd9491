//! Faults that strike what changes something: what happens to the object, what is answered, and what the logs tell.

use super::*;
use crate::mock::later::Deed;

/// A bench with a fault, and the answer to one change of C-1's e-mail.
struct Struck {
    bench: Bench,
    told: String,
    answer: Answer,
}

impl Struck {
    fn by(fault: &str) -> Self {
        let mut bench = Bench::logged_in("gtld-thick", &[&format!("fault={fault}")]);
        let told = bench.say(&contact_update("<chg><email>new@example.org</email></chg>"));
        let answer = bench.last.take().expect("an answer");
        Self { bench, told, answer }
    }

    /// What the registry holds so many milliseconds later, and what it then did.
    fn later(&mut self, ms: i64) -> (String, Answer) {
        let mut out = Vec::new();
        let wall = wall() + jiff::SignedDuration::from_millis(ms);
        let frame = epp(&contact_info("C-1"));
        let answer = self.bench.connection.handle(&mut self.bench.registry, frame.as_bytes(), self.bench.now, wall, &mut out);
        (String::from_utf8(out).expect("UTF-8"), answer)
    }

    fn poll(&mut self) -> String {
        self.bench.say("<poll op=\"req\"/>")
    }
}

fn emails(answer: &Answer) -> Vec<(String, String)> {
    let of = |commit: &super::super::core::Commit| {
        let change = commit.change.as_ref()?;
        let text = |side: &serde_json::Value| side["email"].as_str().unwrap_or_default().to_owned();
        Some((text(&change.before), text(&change.after)))
    };
    answer.commits.iter().filter_map(of).collect()
}

const NEW: &str = ">new@example.org<";

#[test]
fn rows_11_and_12_the_line_goes_before_and_behind_the_effect() {
    let mut deaf = Struck::by("row-11-unheard");
    assert!(deaf.answer.silent && deaf.answer.commits.is_empty() && !deaf.later(0).0.contains(NEW));
    let mut mute = Struck::by("row-12-untold");
    assert!(mute.answer.silent && mute.answer.commits.len() == 1 && mute.later(0).0.contains(NEW));
}

#[test]
fn row_38_what_is_claimed_is_not_done() {
    let mut hollow = Struck::by("row-38-hollow");
    assert!(hollow.told.contains("code=\"1000\"") && hollow.answer.commits.is_empty());
    let (held, _) = hollow.later(60_000);
    assert!(held.contains(">ada@example.org<") && !held.contains("upDate"), "{held}");
    // What would be refused is.
    assert_eq!(hollow.bench.code(&contact_update("<add><status s=\"linked\"/></add>")), 2306);
}

#[test]
fn row_39_a_decision_comes_later_with_a_message_or_never() {
    let mut granted = Struck::by("row-39-granted:times=1:ms=500");
    assert!(granted.told.contains("<result code=\"1001\">"), "{}", granted.told);
    assert!(matches!(granted.answer.commits.as_slice(), [commit] if commit.change.is_none() && matches!(commit.deed, Deed::Pended(..))));
    let (held, answer) = granted.later(499);
    assert!(held.contains("s=\"pendingUpdate\"") && !held.contains("s=\"ok\"") && !held.contains(NEW) && answer.commits.is_empty());
    assert_eq!(granted.bench.code(&contact_update("<chg><email>other@example.org</email></chg>")), 2304, "it is pending");
    let (held, answer) = granted.later(500);
    assert!(!held.contains("pendingUpdate") && held.contains("s=\"ok\"") && held.contains(NEW), "{held}");
    assert_eq!(emails(&answer), [("ada@example.org".to_owned(), "new@example.org".to_owned())]);
    assert_eq!(answer.commits[0].cl_trid.as_deref(), Some("T-0001"));
    let told = granted.poll();
    let data = "<contact:id paResult=\"1\">C-1</contact:id><contact:paTRID><clTRID>T-0001</clTRID><svTRID>";
    assert!(told.contains(data) && told.contains("<contact:paDate>2026-11-21T12:00:00.5Z<"), "{told}");

    let mut declined = Struck::by("row-39-declined:times=1");
    let (held, answer) = declined.later(1_000);
    assert!(!held.contains("pendingUpdate") && !held.contains(NEW) && emails(&answer).is_empty(), "{held}");
    let refused = declined.poll();
    assert!(refused.contains("paResult=\"0\""), "{refused}");

    let mut never = Struck::by("row-39-undecided:times=1");
    let (held, answer) = never.later(3_600_000);
    assert!(held.contains("pendingUpdate") && answer.commits.is_empty(), "{held}");
    assert_eq!(never.bench.code("<poll op=\"req\"/>"), 1300);
    // Objects that are not there yet are created at once.
    assert_eq!(complaints(&[granted.told, told, refused, held]), "");
}

#[test]
fn row_40_a_command_takes_effect_behind_its_line() {
    let mut late = Struck::by("row-40-belated:times=1");
    assert!(late.answer.silent && late.answer.commits.is_empty());
    assert!(!late.later(1_999).0.contains(NEW));
    let (held, answer) = late.later(2_000);
    assert!(held.contains(NEW) && answer.commits.len() == 1, "{held}");
    assert_eq!((answer.commits[0].cl_trid.as_deref(), answer.commits[0].frame.contains("<update>")), (Some("T-0001"), true));
    assert!(late.later(9_000).1.commits.is_empty(), "once");
}

#[test]
fn row_41_somebody_else_changes_the_object() {
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let (old, new, moved) = ("ada@example.org", "new@example.org", "moved@elsewhere.example");
    let before = Struck::by("row-41-meddled:times=1");
    assert_eq!(emails(&before.answer), [pair(old, moved), pair(moved, new)]);
    let behind = Struck::by("row-41-meddled-behind:times=1");
    assert_eq!(emails(&behind.answer), [pair(old, new), pair(new, moved)]);
    assert_eq!(behind.answer.commits[1].cl_trid, None);
    let mut seen = Bench::logged_in("gtld-thick", &["fault=row-41-meddled:on=query:times=1"]);
    assert!(seen.say(&contact_info("C-1")).contains(moved));
    // A domain gets another registrant out of its contacts, or is held where it has none.
    assert_eq!(seen.code(&domain_update("<add><contact type=\"tech\">C-3</contact></add>")), 1000);
    let mut bench = Bench::logged_in("gtld-thick", &["fault=row-41-meddled:on=query:object=mine.test"]);
    assert!(bench.say(&domain_info("mine.test")).contains("s=\"clientHold\""));
}

#[test]
fn row_42_a_change_is_made_twice() {
    let mut double = Struck::by("row-42-doubled:times=1");
    let (first, second) = ("ada@example.org".to_owned(), "new@example.org".to_owned());
    assert_eq!(emails(&double.answer), [(first, second.clone()), (second.clone(), second)]);
    assert!(double.later(0).0.contains(NEW));
}

#[test]
fn row_43_what_is_refused_has_no_effect() {
    for fault in ["row-43-2104", "row-43-2200", "row-43-2400", "row-43-2500", "row-43-2501", "row-43-2502", "row-43-2502-keep"] {
        let mut refused = Struck::by(&format!("{fault}:on=transform:times=1"));
        assert!(refused.answer.commits.is_empty() && refused.answer.fault.is_some(), "{fault}");
        assert!(!refused.later(0).0.contains(NEW), "{fault}");
        assert_eq!(refused.bench.code(&contact_update("<chg><email>new@example.org</email></chg>")), 1000, "{fault}: once");
    }
}

#[test]
fn what_is_undecided_is_so_after_a_start() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("overlay.ndjson");
    let log = dir.path().join("commits.ndjson");
    let mut struck = Struck::by("row-39-granted:times=1:ms=500");
    let mut other = Bench::logged_in("gtld-thick", &[]);
    let mut journal = Journal::open(&path, Some(&log), &mut other.registry).expect("opens");
    journal.append(&struck.answer.commits[0]).expect("written");
    assert_eq!(std::fs::read_to_string(&log).expect("a log"), "", "nothing took effect yet");
    let mut again = Bench::logged_in("gtld-thick", &[]);
    Journal::open(&path, None, &mut again.registry).expect("opens");
    assert!(again.say(&contact_info("C-1")).contains("pendingUpdate"));
    journal.append(&struck.later(500).1.commits[0]).expect("written");
    let mut again = Bench::logged_in("gtld-thick", &[]);
    Journal::open(&path, None, &mut again.registry).expect("opens");
    assert!(again.say(&contact_info("C-1")).contains(NEW) && again.say("<poll op=\"req\"/>").contains("paResult=\"1\""));
    assert_eq!(std::fs::read_to_string(&log).expect("a log").lines().count(), 1);
}
