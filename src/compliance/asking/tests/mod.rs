//! The matrix, groups, windows and policies by their cases.

mod drawing;
mod words;

use super::*;
use crate::compliance::fold::State;
use crate::compliance::record::Element;
use jiff::civil::Date;
use proptest::prelude::*;
use std::path::Path;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn of(elements: &[Element]) -> BTreeSet<Element> {
    elements.iter().copied().collect()
}

const PACK: &str = r#"
version = 1
dated = "2026-11-22"
[[provider]]
name = "p"
policy = "once_per_group"
source = "a test"
confidence = "guess"
from = "2018-05-25"
[[provider]]
name = "p"
policy = "once_per_fingerprint"
source = "a test"
confidence = "guess"
from = "2026-01-01"
[[basis]]
provider = "p"
tld = "*"
person = "*"
elements = ["name", "email"]
basis = "contract"
source = "row 1"
confidence = "seen"
from = "2018-05-25"
[[basis]]
provider = "p"
tld = "*"
person = "individual"
elements = ["voice", "name"]
basis = "consent"
source = "row 2"
confidence = "seen"
from = "2018-05-25"
to = "2026-06-01"
[[basis]]
provider = "p"
tld = "de"
person = "*"
elements = ["name"]
basis = "none"
source = "row 3"
confidence = "seen"
from = "2018-05-25"
[[process]]
provider = "p"
tld = "*"
process = "standard"
source = "a test"
confidence = "guess"
from = "2018-05-25"
[[process]]
provider = "p"
tld = "it"
process = "async"
source = "a test"
confidence = "guess"
from = "2020-01-01"
"#;

fn matrix() -> BasisMatrix {
    BasisMatrix::parse(PACK, Path::new("own.toml")).expect("a pack")
}

#[test]
fn the_row_that_names_more_wins_and_what_has_no_row_is_not_known() {
    let (matrix, on) = (matrix(), day("2026-05-31"));
    let source = |tld: &str, person: Person, element: Element, on: Date| matrix.cell("p", tld, person, element, on).map(|cell| cell.source);
    assert_eq!(source("com", Person::Organisation, Element::Name, on), Some("row 1"));
    assert_eq!(source("com", Person::Individual, Element::Name, on), Some("row 2"));
    assert_eq!(source("com", Person::Individual, Element::Name, day("2026-06-01")), Some("row 1"), "its last day is over");
    assert_eq!(source("de", Person::Individual, Element::Name, on), Some("row 3"));
    assert_eq!(source("com", Person::Individual, Element::Fax, on), None);
    assert_eq!(source("com", Person::Individual, Element::Name, day("2018-05-24")), None);
    assert_eq!(matrix.cell("q", "com", Person::Individual, Element::Name, on), None);
    assert_eq!(
        [matrix.process("p", "it", on), matrix.process("p", "it", day("2019-12-31"))],
        [Some(Process::Async), Some(Process::Standard)]
    );
    assert_eq!((matrix.process("q", "it", on), matrix.policy("q", on)), (None, None));
    assert_eq!(matrix.policy("p", day("2025-12-31")), Some(Policy::OncePerGroup));
    assert_eq!(matrix.policy("p", on), Some(Policy::OncePerFingerprint));
}

#[test]
fn the_built_in_matrix_has_the_minimum_of_a_contract_and_guesses_nothing() {
    let (matrix, on) = (BasisMatrix::embedded().expect("a pack"), day("2026-11-22"));
    for provider in ["enom", "opensrs"] {
        for element in [Element::Name, Element::Country, Element::Email] {
            assert_eq!(matrix.cell(provider, "com", Person::Individual, element, on).map(|cell| cell.ground), Some(Ground::Contract));
        }
        assert_eq!(matrix.cell(provider, "com", Person::Individual, Element::Voice, on), None);
        assert_eq!(course(matrix.process(provider, "com", on), State::Given, false), Course::Blocked);
    }
    assert_eq!(matrix.policy("opensrs", on), Some(Policy::OncePerFingerprint));
    assert_eq!(matrix.policy("enom", on), Some(Policy::OncePerGroup));
}

#[test]
fn a_group_is_of_its_sets_and_what_is_not_known_is_blocked() {
    let (matrix, on) = (matrix(), day("2026-05-31"));
    let group = |elements: &[Element]| matrix.group(("p", "com"), Person::Individual, &of(elements), on);
    let (one, asked) = group(&[Element::Voice, Element::Email]).expect("a group");
    assert_eq!((asked, one.as_str().len()), (of(&[Element::Voice]), 34));
    assert_eq!(group(&[Element::Email, Element::Voice]).expect("a group").0, one, "the same set");
    assert_ne!(group(&[Element::Email, Element::Voice, Element::Name]).expect("a group").0, one, "one more element");
    assert_eq!(group(&[Element::Email, Element::Fax]), Err(of(&[Element::Fax])));
    assert_eq!(matrix.group(("p", "de"), Person::Individual, &of(&[Element::Name]), on), Err(of(&[Element::Name])), "there is no basis");
    let (name, voice) = (of(&[Element::Name]), of(&[Element::Voice]));
    let all = [
        Group::of("p", Person::Individual, &name, &voice),
        Group::of("p", Person::Individual, &voice, &name),
        Group::of("p", Person::Organisation, &name, &voice),
        Group::of("q", Person::Individual, &name, &voice),
        Group::of("p", Person::Individual, &name, &BTreeSet::new()),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn an_order_lapses_at_the_end_of_its_tenth_day() {
    let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
    let lapse = |ordered: &str, zone: &TimeZone| lapses(at(ordered), zone).expect("a day").to_string();
    for time in ["2026-05-01T00:00:00Z", "2026-05-01T23:59:59Z"] {
        assert_eq!(lapse(time, &TimeZone::UTC), "2026-05-12T00:00:00Z");
    }
    // Days are days, with 23 hours or 25 as well; and a leap day is one.
    assert_eq!(lapse("2026-03-25T10:00:00Z", &berlin), "2026-04-04T22:00:00Z");
    assert_eq!(lapse("2026-10-20T10:00:00Z", &berlin), "2026-10-30T23:00:00Z");
    assert_eq!(lapse("2028-02-19T10:00:00Z", &TimeZone::UTC), "2028-03-01T00:00:00Z");
    assert_eq!(lapse("2027-02-19T10:00:00Z", &TimeZone::UTC), "2027-03-02T00:00:00Z");
    let waits = |now: &str| {
        let is_over = lapses(at("2026-05-01T12:00:00Z"), &TimeZone::UTC).is_some_and(|end| at(now) >= end);
        course(Some(Process::Async), State::Requested, is_over)
    };
    let days = ["2026-05-10T12:00:00Z", "2026-05-11T23:59:59Z", "2026-05-12T00:00:00Z"].map(waits);
    assert_eq!(days, [Course::Waits, Course::Waits, Course::Lapses], "day 9, the end of day 10, and after it");
}

#[test]
fn silence_is_never_consent_and_a_withdrawal_never_deletes() {
    use State as S;
    for (process, states, wanted) in [
        (None, &[S::Unknown, S::Given][..], Course::Blocked),
        (Some(Process::Standard), &[S::Unknown, S::Given, S::Withdrawn], Course::ProviderInforms),
        (Some(Process::Sync), &[S::Unknown, S::Requested, S::Refused], Course::Placeholders),
        (Some(Process::Sync), &[S::Withdrawn, S::Expired], Course::BackToPlaceholders),
        (Some(Process::Sync), &[S::Given, S::Renewed], Course::Whole),
        (Some(Process::Async), &[S::Given, S::Renewed], Course::Whole),
        (Some(Process::Async), &[S::Withdrawn, S::Expired], Course::CancelFirst),
        (Some(Process::Async), &[S::Refused], Course::Lapses),
        (Some(Process::Async), &[S::Unknown, S::Requested], Course::Waits),
    ] {
        for state in states {
            assert_eq!(course(process, *state, false), wanted, "{process:?} {state:?}");
        }
    }
    assert_eq!(course(Some(Process::Sync), S::Requested, true), Course::Placeholders, "no time makes it a yes");
}

#[test]
fn triggers_are_gathered_for_less_than_a_minute_from_the_first() {
    let from = |seconds: &[i64]| {
        let start = at("2026-10-25T00:59:30Z");
        let triggers = seconds.iter().map(|s| start + SignedDuration::from_secs(*s));
        gathered(triggers).iter().map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!(from(&[0, 59]), [2]);
    assert_eq!(from(&[0, 60]), [1, 1]);
    assert_eq!(from(&[61, 0]), [1, 1]);
    assert_eq!(from(&[0, 59, 61, 119, 121]), [2, 2, 1], "the window does not move with what joins it");
    assert_eq!(from(&[]), Vec::<usize>::new());
}

fn subject(n: u8) -> Subject {
    Subject::read(&format!("{n:02x}").repeat(16)).expect("an id")
}

#[test]
fn who_was_asked_is_asked_again_by_the_providers_policy_alone() {
    let group = |n: usize| Group::of(&n.to_string(), Person::Individual, &BTreeSet::new(), &BTreeSet::new());
    let sent = |hour: i64, whom: u8, what: usize| Sent {
        at: at("2026-05-01T00:00:00Z") + SignedDuration::from_hours(hour),
        subject: subject(whom),
        group: group(what),
    };
    let all = [sent(3, 1, 2), sent(1, 1, 1), sent(2, 2, 1), sent(4, 1, 1)];
    assert_eq!(duplicates(Policy::OncePerFingerprint, &all), [&all[0], &all[3]]);
    assert_eq!(duplicates(Policy::OncePerGroup, &all), [&all[3]]);
    for (policy, whom, what, wanted) in [
        (Policy::OncePerFingerprint, 1, 9, false),
        (Policy::OncePerFingerprint, 3, 1, true),
        (Policy::OncePerGroup, 1, 9, true),
        (Policy::OncePerGroup, 1, 1, false),
    ] {
        assert_eq!(is_asked(policy, &all, subject(whom), &group(what)), wanted, "{policy:?} {whom} {what}");
    }
}

#[test]
fn a_pack_that_is_none_is_refused_with_its_line() {
    let told = |from: &str, to: &str| {
        let text = PACK.replacen(from, to, 1);
        assert_ne!(text, PACK);
        let problem = BasisMatrix::parse(&text, Path::new("own.toml")).expect_err(to);
        (problem.id.clone(), problem.place.line)
    };
    assert_eq!(told("version = 1", "version = 2"), ("E-pack-002".to_owned(), None));
    assert_eq!(told("basis = \"contract\"", "basis = \"habit\""), ("E-pack-001".to_owned(), Some(21)));
    assert_eq!(told("provider = \"p\"", "provider = \"q\""), ("E-pack-002".to_owned(), None));
    assert_eq!(told("elements = [\"voice\", \"name\"]", "elements = [\"voice\", \"voice\"]"), ("E-pack-002".to_owned(), None));
    assert_eq!(told("elements = [\"voice\", \"name\"]", "elements = [\"shoes\"]"), ("E-pack-001".to_owned(), Some(29)));
    assert_eq!(told("person = \"*\"", "persons = \"*\"").0, "E-pack-001");
}

#[test]
fn a_placeholder_can_be_nobodys() {
    let row = |element: &str, value: &str| {
        let text = format!(
            "{PACK}[[placeholder]]\ntld = \"*\"\nelement = \"{element}\"\nvalue = \"{value}\"\nsource = \"a test\"\n\
             confidence = \"guess\"\nfrom = \"2018-05-25\"\n"
        );
        BasisMatrix::parse(&text, Path::new("own.toml")).map_err(|problem| problem.id.clone())
    };
    for (element, value) in [
        ("email", "nobody@placeholder.invalid"),
        ("email", "nobody@example.org"),
        ("voice", "+1.5555550100"),
        ("country", "ZZ"),
        ("name", "Not given"),
    ] {
        let matrix = row(element, value).unwrap_or_else(|id| panic!("{element} {value}: {id}"));
        let read = Element::read(element).expect("an element");
        assert_eq!(matrix.placeholder("it", read, day("2026-05-31")), Some(value));
        assert_eq!(matrix.placeholder("it", read, day("2018-05-24")), None, "before it held");
        assert_eq!(matrix.placeholder("it", Element::City, day("2026-05-31")), None);
    }
    for (element, value) in [
        ("email", "nobody@registrar.de"),
        ("email", "nobody@example.org.de"),
        ("email", "@example.org"),
        ("email", "example.org"),
        ("voice", "0228 1234"),
        ("voice", "+49.228 1234"),
        ("fax", "+.1"),
        ("country", "Germany"),
        ("name", " "),
    ] {
        assert_eq!(row(element, value).expect_err(value), "E-pack-002", "{element} {value}");
    }
}

#[test]
fn a_group_is_read_as_it_is_written() {
    let group = Group::of("p", Person::Individual, &BTreeSet::new(), &of(&[Element::Voice]));
    assert_eq!(Group::read(group.as_str()), Some(group.clone()));
    for bad in ["", "g-", "g-12", &group.as_str().to_uppercase(), &format!("{group}0"), &group.as_str().replace("g-", "m-")] {
        assert_eq!(Group::read(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn every_message_is_within_its_window_and_no_trigger_is_lost(seconds in proptest::collection::vec(0..1_000_i64, 0..40)) {
        let triggers: Vec<Timestamp> = seconds.iter().map(|s| at("2026-05-01T00:00:00Z") + SignedDuration::from_secs(*s)).collect();
        let messages = gathered(triggers.iter().copied());
        let mut all: Vec<Timestamp> = messages.concat();
        let mut sorted = triggers.clone();
        all.sort_unstable();
        sorted.sort_unstable();
        prop_assert_eq!(all, sorted);
        prop_assert!(messages.iter().all(|message| message[message.len() - 1].duration_since(message[0]) < GATHERED));
        prop_assert!(messages.windows(2).all(|pair| pair[1][0].duration_since(pair[0][0]) >= GATHERED));
    }
}
