//! Oversight: what is right, what asks for an assessment, and packs that do not hold together.

use super::*;
use crate::dataset::{ContactField as C, Row};
use std::collections::BTreeMap;
use std::fmt::Write as _;

fn pack() -> OversightPack {
    OversightPack::embedded().unwrap()
}

fn contact(fields: &[(C, &str)]) -> Row {
    Row::new("C-1", C::ALL.iter().map(|f| fields.iter().find(|(field, _)| field == f).map(|(_, value)| *value)))
}

const TODAY: Date = jiff::civil::date(2026, 11, 21);
const WHOLE: [(C, &str); 3] = [(C::LocName, "Ada Privet"), (C::Email, "ada@mail.example"), (C::Voice, "+49.301234567")];

#[test]
fn data_are_right_where_they_are_whole_of_form_not_refuted_and_confirmed_within_a_year() {
    let rules = pack().accuracy;
    let row = contact(&WHOLE);
    let day = |text: &str| Some(text.parse::<Date>().unwrap());
    let take = |row: &Row, is_wrong, verification, changed| {
        let mut sum = Accuracy::default();
        let lacks = sum.take(&rules, &Looked { row, is_wrong, verification, changed }, TODAY);
        assert_eq!((sum.registrants, sum.score()), (1, Some(if lacks.is_empty() { 100 } else { 0 })));
        lacks.iter().map(|lack| format!("{} {}", lack.rule(), lack.told())).collect::<Vec<_>>()
    };
    assert!(take(&row, false, Verification::Never, day("2026-01-01")).is_empty());
    // The last day of the year counts, and the next one does not.
    assert!(take(&row, false, Verification::Never, day("2025-11-21")).is_empty());
    assert_eq!(take(&row, false, Verification::Never, day("2025-11-20")), ["R-accuracy-004 confirmed or changed 366 days ago"]);
    // A verification confirms what was not changed for long.
    assert!(take(&row, false, Verification::Done(TODAY), day("2020-01-01")).is_empty());
    assert_eq!(take(&row, false, Verification::Open, None), ["R-accuracy-004 nobody knows when they were confirmed or changed"]);
    assert_eq!(take(&row, true, Verification::Failed, day("2026-11-01")).len(), 2);
    let bounced = take(&row, false, Verification::Bounced, day("2026-11-01"));
    assert_eq!(bounced, ["R-accuracy-005 mail to them came back, and nothing was verified since"]);
    let lacking = contact(&WHOLE[..1]);
    assert_eq!(take(&lacking, false, Verification::Never, day("2026-11-01")), ["R-accuracy-001 the minimum lacks voice, email"]);
    assert_eq!(Accuracy::default().score(), None);
}

#[test]
fn a_broken_rule_is_as_severe_as_its_pack_or_its_register_says_and_a_warning_where_neither_does() {
    let pack = pack();
    let of = |rule: &str| pack.severity(rule).as_str();
    assert_eq!(["R-accuracy-003", "R-accuracy-004", "R-security-003"].map(of), ["error", "warning", "error"]);
    assert_eq!(["R-recipient-001", "R-recipient-002", "R-nobody-001"].map(of), ["error", "warning", "warning"]);
    // What no rule of this report is called cannot be an error of it.
    let lacks = [Lack::Incomplete(BTreeSet::new()), Lack::Wrong, Lack::Refuted, Lack::Old(None), Lack::Undeliverable];
    for rule in pack.errors.iter().filter(|rule| rule.starts_with("R-accuracy")) {
        assert!(lacks.iter().any(|lack| *lack.rule() == **rule), "{rule}");
    }
    assert!(lacks.iter().all(|lack| pack.score(lack.rule()).is_some()), "the accuracy of people's data is a score");
}

#[test]
fn two_criteria_that_are_met_ask_for_an_assessment_and_silence_meets_none() {
    let rules = pack().dpia;
    assert_eq!(rules.criterion.len(), 9, "the nine criteria of WP 248");
    let seen = |names: &[&'static str]| names.iter().map(|name| (*name, (true, "12 contacts".to_owned()))).collect::<BTreeMap<_, _>>();
    let said = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>();
    let needed = |seen: &BTreeMap<&str, (bool, String)>, said: &BTreeMap<String, String>| assess(&rules, seen, said).1;
    assert!(!needed(&seen(&["matching"]), &said(&[])));
    assert!(needed(&seen(&["matching", "sensitive"]), &said(&[])));
    assert!(needed(&seen(&["matching"]), &said(&[("monitoring", "yes")])));
    assert!(!needed(&seen(&["matching"]), &said(&[("monitoring", "no"), ("scoring", "no")])));
    let mut not = seen(&["matching"]);
    not.insert("sensitive", (false, "no contact".to_owned()));
    let (all, _) = assess(&rules, &not, &said(&[("scoring", "no")]));
    let told: Vec<String> = all.iter().map(|one| format!("{} {} {}", one.id, one.met.as_str(), one.status)).collect();
    let wanted = [
        "scoring no declared",
        "automated-effect unknown missing",
        "monitoring unknown missing",
        "sensitive no computed",
        "large-scale unknown missing",
        "matching yes computed",
        "vulnerable unknown missing",
        "new-technology unknown missing",
        "prevents-service unknown missing",
    ];
    assert_eq!(told, wanted);
}

#[test]
fn a_pack_that_does_not_hold_together_is_refused_with_its_place() {
    let good = EMBEDDED;
    let bad = [
        ("other version", good.replace("version = 1", "version = 2")),
        ("no day", good.replace("dated = \"2026-11-23\"", "dated = \"2026-02-30\"")),
        ("unknown element", good.replace("\"voice\"]", "\"shoe size\"]")),
        ("unknown key", good.replace("certificate_days", "certificate_weeks")),
        ("days without end", good.replace("confirmed_days = 365", "confirmed_days = 0")),
        ("too many", good.replace("met = 2", "met = 10")),
        ("none", good.replace("met = 2", "met = 0")),
        ("twice", good.replace("id = \"monitoring\"", "id = \"scoring\"")),
        ("nobody computes it", good.replace("id = \"matching\"", "id = \"astrology\"")),
        ("a score of nothing", good.replacen("inputs = [\"name\", \"e-mail address\"]", "inputs = []", 1)),
        ("an effect nobody knows", good.replacen("effect = \"none\"", "effect = \"refuses\"", 1)),
        ("cut", good[..good.len() / 2].to_owned()),
    ];
    let mut told = String::new();
    for (what, text) in bad {
        assert_ne!(text, good, "{what}");
        let problem = OversightPack::parse(&text, Path::new("own.toml")).unwrap_err();
        writeln!(told, "{what}\n  {problem}").unwrap();
    }
    insta::assert_snapshot!(told);
}
