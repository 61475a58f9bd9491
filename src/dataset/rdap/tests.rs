//! Answers as they come: whole, redacted, none, several about one domain, and what is no answer at all.

use super::*;
use crate::model::Element;
use crate::policy::DomainRole;
use serde_json::json;
use std::path::Path;

/// Answers that were written for these tests.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rdap/answers.ndjson")
}

/// The answers in lines.
fn read_lines(lines: &[String]) -> Result<RdapAnswers, Problems> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rdap.ndjson");
    crate::base::write_atomic(&path, lines.join("\n").as_bytes()).unwrap();
    RdapAnswers::read(&[path])
}

/// A problem's id, line, column and field.
type Told<'p> = (&'p str, Option<u64>, Option<u64>, Option<&'p str>);

fn places(problems: &Problems) -> Vec<Told<'_>> {
    problems.kept().iter().map(|p| (p.id.as_str(), p.place.line, p.place.column, p.place.field.as_deref())).collect()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An answer about `a.example` with that registrar, as of a time.
fn answer(registrar: &str, observed: Option<&str>) -> String {
    let events = observed.map(|at| json!([{ "eventAction": "last update of RDAP database", "eventDate": at }]));
    let entity = json!({ "roles": ["registrar"], "handle": registrar });
    json!({ "objectClassName": "domain", "ldhName": "a.example", "entities": [entity], "events": events }).to_string()
}

/// The registrar of `a.example` by those answers.
fn registrar_of(lines: &[String]) -> String {
    let answers = read_lines(lines).unwrap();
    let (domain, answer) = answers.iter().next().unwrap();
    assert_eq!((domain, answers.iter().count()), ("a.example", 1));
    answer.registrar.clone().unwrap().name.unwrap().into()
}

#[test]
fn an_answer_tells_registrar_registrant_transfer_and_its_own_age() {
    let answers = RdapAnswers::read(&[fixture()]).unwrap();
    let of = |name: &str| answers.iter().find(|(domain, _)| *domain == name).unwrap_or_else(|| panic!("{name}")).1;
    let wanted = RdapAnswer {
        registrar: Some(RdapRegistrar { name: Some("Hedgerow Names Ltd".into()), iana: Some(9876) }),
        handles: vec!["H-2".into()],
        emails: vec!["Denied.Example@relay.example".into()],
        shown: [(Element::Name, "Privacy Service"), (Element::Email, "Denied.Example@relay.example")]
            .map(|(element, value)| RdapShown { role: DomainRole::Registrant, element, value: value.into() })
            .into(),
        redacted: Vec::new(),
        transferred: Some(time("2026-11-03T01:30:00Z")),
        observed: Some(time("2026-11-20T06:00:00Z")),
    };
    // The name is in its normal form, the latest of two transfers counts, and an abuse desk within the registrar is nobody's address.
    assert_eq!(of("denied.example"), &wanted);
    // A structured organisation, and no dates.
    let foreign = of("foreign.example");
    assert_eq!(foreign.registrar.as_ref().unwrap().name.as_deref(), Some("Hedgerow Group"));
    assert_eq!((foreign.transferred, foreign.observed), (None, None));
    // A name in Unicode alone; and a registrar's that a spreadsheet would compute.
    assert_eq!(of("xn--bcher-kva.test").registrar, Some(RdapRegistrar { name: Some("Hedgerow()".into()), iana: None }));
    assert_eq!(of("nameless.example").registrar, None);
    assert!(!format!("{answers:?}").contains("relay.example"), "addresses mask themselves");
}

#[test]
fn what_is_redacted_is_absent_and_an_error_says_nothing() {
    let answers = RdapAnswers::read(&[fixture()]).unwrap();
    let (_, redacted) = answers.iter().find(|(domain, _)| *domain == "redacted.example").unwrap();
    let said = RdapRedacted { role: DomainRole::Registrant, element: Element::Email, method: RedactionMethod::Removal };
    assert_eq!((redacted.redacted.as_slice(), redacted.shown.len()), (&[said][..], 0), "a handle is no element, and an empty name none");
    assert!(redacted.handles.is_empty() && redacted.emails.is_empty() && redacted.registrar.is_some(), "{redacted:?}");
    let lines = std::fs::read_to_string(fixture()).unwrap();
    let errors = lines.lines().filter(|line| line.contains("errorCode")).count();
    assert_eq!((answers.iter().count(), errors), (lines.lines().count() - 1, 1));
    assert_eq!(read_lines(&[]).unwrap().iter().count(), 0);
}

#[test]
fn the_newest_answer_about_a_domain_is_kept_wherever_it_stands() {
    let (old, new) = (answer("OLD", Some("2026-11-01T00:00:00Z")), answer("NEW", Some("2026-11-02T00:00:00+01:00")));
    let undated = answer("UNDATED", None);
    for lines in [[&old, &new, &undated], [&new, &undated, &old], [&undated, &old, &new]] {
        assert_eq!(registrar_of(&lines.map(Clone::clone)), "NEW");
    }
    // Of two as of one time, the later line.
    assert_eq!(registrar_of(&[new.clone(), new.replace("NEW", "LAST")]), "LAST");
    assert_eq!(registrar_of(&[undated.clone(), undated.replace("UNDATED", "LAST")]), "LAST");
}

#[test]
fn lines_that_are_no_answers_are_all_told_with_their_places_and_nothing_personal() {
    let lines = [
        r#"["domain", null, "ada.example", null, [], []]"#.to_owned(),
        r#"{"objectClassName":"domain","ldhName":"#.to_owned(),
        answer("R", None),
        r#"{"objectClassName":"entity","handle":"ada@mail.example"}"#.to_owned(),
        r#"{"ldhName":"a.example"}"#.to_owned(),
        r#"{"objectClassName":"domain"}"#.to_owned(),
        r#"{"objectClassName":"domain","ldhName":"Ada Ligustrum"}"#.to_owned(),
        r#"{"objectClassName":"domain","ldhName":"a.example","entities":"Ada Ligustrum"}"#.to_owned(),
    ];
    let problems = read_lines(&lines).unwrap_err();
    assert_eq!(
        places(&problems),
        [
            ("E-rdap-001", Some(1), Some(1), None),
            ("E-rdap-001", Some(2), Some(38), None),
            ("E-rdap-001", Some(4), None, Some("objectClassName")),
            ("E-rdap-001", Some(5), None, Some("objectClassName")),
            ("E-rdap-002", Some(6), None, Some("ldhName")),
            ("E-rdap-002", Some(7), None, Some("ldhName")),
            ("E-rdap-001", Some(8), Some(76), None),
        ]
    );
    assert!(problems.kept().iter().all(|p| p.blame == Blame::Input && p.exit == Exit::InputIncomplete && p.place.file.is_some()));
    let told = problems.to_string();
    assert!(!told.to_lowercase().contains("ada") && !told.contains("mail.example"), "{told}");
    // A file that is not there does not hide what is wrong in another.
    let absent = RdapAnswers::read(&[PathBuf::from("/nonexistent/rdap.ndjson"), fixture()]).unwrap_err();
    assert_eq!(absent.kept()[0].id, "E-file-005");
}

#[test]
fn hostile_lines_cost_nothing_but_themselves() {
    let good = answer("R", None);
    let long = good.replace("\"R\"", &format!("\"{}\"", "R".repeat(2 << 20)));
    let deep = |member: &str| {
        let nested = "[".repeat(100_000) + &"]".repeat(100_000);
        format!(
            "{},\"{member}\":{nested}}}",
            good.strip_suffix('}').unwrap().replace("\"events\":null,", "").replace(",\"events\":null", "")
        )
    };
    let crowd = good.replace("\"entities\":[", &format!("\"entities\":[{}", "{},".repeat(MAX_ENTITIES)));
    let problems = read_lines(&[long, deep("events"), crowd, "\u{0}".to_owned(), "{}".to_owned()]).unwrap_err();
    let ids: Vec<_> = problems.kept().iter().map(|p| (p.id.as_str(), p.place.line)).collect();
    let wanted = [("E-ndjson-001", 1), ("E-rdap-001", 2), ("E-rdap-003", 3), ("E-rdap-001", 4), ("E-rdap-001", 5)];
    assert_eq!(ids, wanted.map(|(id, line)| (id, Some(line))));
    // What nobody looks at may be as deep as it likes.
    assert_eq!(registrar_of(&[deep("remarks")]), "R");
    // What only describes may be anything.
    let odd = json!({
        "objectClassName": "domain",
        "ldhName": "a.example",
        "events": { "eventAction": 1 },
        "entities": [{ "roles": ["REGISTRAR"], "handle": " R\u{1b}[2J ", "publicIds": { "type": 7 }, "vcardArray": ["vcard", [[], 3, ["fn"], ["org", {}, "text", []]]] }],
    });
    assert_eq!(registrar_of(&[odd.to_string()]), "R\\u{1b}[2J");
}

#[test]
fn a_line_as_long_as_may_be_is_read_and_so_is_the_one_behind_a_longer() {
    let padded = |length: usize| {
        let line = answer("R", None);
        line.clone() + &" ".repeat(length - line.len())
    };
    let most = 1 << 20;
    // Its line break counts.
    assert_eq!(registrar_of(&[padded(most - 1), String::new()]), "R");
    for length in [most, most + 1, most + 2, 3 * most] {
        let problems = read_lines(&[padded(length), "{}".to_owned(), String::new(), "[]".to_owned()]).unwrap_err();
        let lines: Vec<_> = problems.kept().iter().map(|p| p.place.line).collect();
        assert_eq!(lines, [Some(1), Some(2), Some(4)], "{length}");
    }
}
