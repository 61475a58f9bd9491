//! What becomes of orders, and which messages they call for.

use super::{at, subject};
use crate::compliance::asking::{BasisMatrix, Before, Course, Drawn, Group, Judging, Person, Sent, Trigger, Unasked, message_id};
use crate::compliance::fold::State;
use crate::compliance::record::{Element, Happening, Purpose, Record, Token};
use crate::compliance::subjects::Subject;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::path::Path;

/// One provider asks for a group, `one` for a person; `.it` waits, `.com` is the provider's own, others are registered at once, and of
/// `.nz` nothing is known.
const PACK: &str = r#"
version = 1
dated = "2026-11-22"
provider = [
  { name = "p", policy = "once_per_group", source = "a test", confidence = "guess", from = "2018-05-25" },
  { name = "one", policy = "once_per_fingerprint", source = "a test", confidence = "guess", from = "2018-05-25" },
]
basis = [
  { provider = "p", tld = "*", person = "*", elements = ["name", "email"], basis = "contract", source = "a", confidence = "seen", from = "2018-05-25" },
  { provider = "p", tld = "*", person = "*", elements = ["voice"], basis = "consent", source = "a", confidence = "seen", from = "2018-05-25" },
  { provider = "p", tld = "it", person = "*", elements = ["fax"], basis = "consent", source = "a", confidence = "seen", from = "2018-05-25" },
  { provider = "one", tld = "*", person = "*", elements = ["name", "email"], basis = "contract", source = "a", confidence = "seen", from = "2018-05-25" },
  { provider = "one", tld = "*", person = "*", elements = ["voice", "fax"], basis = "consent", source = "a", confidence = "seen", from = "2018-05-25" },
]
process = [
  { provider = "p", tld = "it", process = "async", source = "a", confidence = "guess", from = "2018-05-25" },
  { provider = "p", tld = "com", process = "standard", source = "a", confidence = "guess", from = "2018-05-25" },
  { provider = "p", tld = "de", process = "sync", source = "a", confidence = "guess", from = "2018-05-25" },
  { provider = "one", tld = "*", process = "sync", source = "a", confidence = "guess", from = "2018-05-25" },
]
"#;

const START: &str = "2026-05-01T12:00:00Z";

/// An order of a person, that many seconds after the start.
fn order<'a>(id: &'a str, provider: &'a str, tld: &'a str, seconds: i64) -> Trigger<'a> {
    Trigger {
        order: id,
        provider: Some(provider),
        tld,
        at: at(START) + SignedDuration::from_secs(seconds),
        open: true,
        subject: Some(subject(1)),
        person: Person::Individual,
        elements: BTreeSet::from([Element::Name, Element::Email, Element::Voice]),
        brand: None,
        language: None,
    }
}

/// With a kind of data more.
fn with_fax(mut order: Trigger<'_>) -> Trigger<'_> {
    order.elements.insert(Element::Fax);
    order
}

fn group_of(order: &Trigger<'_>) -> Group {
    let matrix = BasisMatrix::parse(PACK, Path::new("own.toml")).expect("a pack");
    let key = (order.provider.expect("one"), order.tld);
    matrix.group(key, order.person, &order.elements, super::day("2026-05-01")).expect("a group").0
}

/// What the person said of an order's group, that many seconds after the start.
fn said(order: &Trigger<'_>, event: Happening, seconds: i64) -> Record {
    Record {
        v: 1,
        id: Token::read(&format!("e-{seconds}-{event}")).expect("an id"),
        subject: subject(1),
        purpose: Some(Purpose::ProviderData),
        elements: Vec::new(),
        provider: Token::read(order.provider.expect("one")),
        group: Token::read(group_of(order).as_str()),
        event,
        at: at(START) + SignedDuration::from_secs(seconds),
        expires: None,
        terms: None,
        notice: None,
        method: None,
        by: None,
        message: None,
        recorded: at(START),
    }
}

/// What is drawn of `orders` at a time, where that was said and asked before.
fn drawn(orders: &[Trigger<'_>], now: &str, records: &[Record], sent: &[(&str, Sent)], zone: &TimeZone) -> Drawn {
    let matrix = BasisMatrix::parse(PACK, Path::new("own.toml")).expect("a pack");
    let events = |whose: Subject| -> &[Record] { if whose == subject(1) { records } else { &[] } };
    let mut before = Before::new();
    for (provider, sent) in sent {
        before.entry((*provider).into()).or_default().entry(sent.subject).or_default().push(sent.clone());
    }
    Judging { matrix: &matrix, zone, now: at(now), events: &events, sent: &before }.draw(orders)
}

/// The triggers of each message that is drawn at a later time.
fn messages(orders: &[Trigger<'_>]) -> Vec<Vec<usize>> {
    drawn(orders, "2026-05-01T13:00:00Z", &[], &[], &TimeZone::UTC).messages.into_iter().map(|message| message.triggers).collect()
}

#[test]
fn a_trigger_joins_for_59_seconds_and_is_a_message_of_its_own_after_60() {
    // The second order is of another group, so that the policy lets it be asked.
    let pair = |seconds: i64| [order("a", "p", "de", 0), with_fax(order("b", "p", "it", seconds))];
    assert_eq!(messages(&pair(59)), [vec![0, 1]]);
    assert_eq!(messages(&pair(60)), [vec![0], vec![1]]);
    assert_eq!(messages(&pair(61)), [vec![0], vec![1]]);
    let joined = drawn(&pair(59), "2026-05-01T13:00:00Z", &[], &[], &TimeZone::UTC);
    let [message] = joined.messages.as_slice() else { panic!("{joined:?}") };
    assert_eq!(message.groups.len(), 2, "one message asks for both groups");
    assert_eq!(message.waits_until, Some(super::day("2026-05-11")), "the order that waits says until when");
}

#[test]
fn nothing_is_made_before_its_minute_is_over() {
    let one = [order("a", "p", "de", 0)];
    for (now, made, gathering) in
        [("2026-05-01T12:00:30Z", 0, 1), ("2026-05-01T12:00:59Z", 0, 1), ("2026-05-01T12:01:00Z", 1, 0), ("2026-05-01T12:01:01Z", 1, 0)]
    {
        let drawn = drawn(&one, now, &[], &[], &TimeZone::UTC);
        assert_eq!((drawn.messages.len(), drawn.gathering), (made, gathering), "{now}");
    }
    let early = drawn(&one, "2026-05-01T11:59:59Z", &[], &[], &TimeZone::UTC);
    assert_eq!((early.messages.len(), early.gathering, early.orders[0].asked), (0, 0, Unasked::Later));
}

#[test]
fn a_provider_is_asked_for_as_often_as_its_policy_says() {
    // Once for a group: the same set is not asked for again, one more element is.
    let orders = [order("a", "p", "de", 0), order("b", "p", "de", 600), with_fax(order("c", "p", "it", 1200))];
    assert_eq!(messages(&orders), [vec![0], vec![2]]);
    // Once for a person: whatever comes later.
    let orders = [order("a", "one", "de", 0), with_fax(order("b", "one", "it", 600))];
    assert_eq!(messages(&orders), [vec![0]]);
    // Another provider asks for itself, and another person is another.
    let other = Trigger { subject: Some(subject(2)), ..order("c", "one", "de", 700) };
    assert_eq!(messages(&[order("a", "one", "de", 0), order("b", "p", "de", 10), other]).len(), 3);
    // What was asked before counts, sent or waiting.
    let before = Sent { at: at("2026-04-01T00:00:00Z"), subject: subject(1), group: group_of(&orders[0]) };
    let drawn = drawn(&orders, "2026-05-01T13:00:00Z", &[], &[("one", before)], &TimeZone::UTC);
    assert!(drawn.messages.is_empty());
    assert_eq!(drawn.orders.iter().map(|order| order.asked).collect::<Vec<_>>(), [Unasked::Before, Unasked::Before]);
}

#[test]
fn what_was_answered_is_found_and_cited_and_not_asked_again() {
    let one = order("a", "p", "it", 600);
    let state = |event: Happening| {
        let drawn = drawn(std::slice::from_ref(&one), "2026-05-02T12:00:00Z", &[said(&one, event, 10)], &[], &TimeZone::UTC);
        let order = &drawn.orders[0];
        (order.state, order.course, order.asked, drawn.messages.len(), order.evidence.len())
    };
    assert_eq!(state(Happening::Given), (State::Given, Course::Whole, Unasked::Answered, 0, 1));
    assert_eq!(state(Happening::Refused), (State::Refused, Course::Lapses, Unasked::Answered, 0, 1));
    assert_eq!(state(Happening::Requested), (State::Requested, Course::Waits, Unasked::Before, 0, 1));
    assert_eq!(state(Happening::Restricted).2, Unasked::Restricted);
    // What was said of another group says nothing of this one.
    let other = said(&with_fax(order("b", "p", "it", 0)), Happening::Given, 10);
    let drawn = drawn(std::slice::from_ref(&one), "2026-05-02T12:00:00Z", &[other], &[], &TimeZone::UTC);
    assert_eq!((drawn.orders[0].state, drawn.messages.len()), (State::Unknown, 1));
}

#[test]
fn an_order_that_waits_lapses_when_its_tenth_day_is_over() {
    let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
    let lapses = |ordered: &str, now: &str, zone: &TimeZone| {
        let one = Trigger { at: at(ordered), ..order("a", "p", "it", 0) };
        let drawn = drawn(&[one], now, &[], &[], zone);
        (drawn.orders[0].course, drawn.orders[0].asked)
    };
    let waits = (Course::Waits, Unasked::Asked);
    let gone = (Course::Lapses, Unasked::Lapsed);
    for (ordered, now, zone, wanted) in [
        ("2026-05-01T12:00:00Z", "2026-05-10T12:00:00Z", &TimeZone::UTC, waits),
        ("2026-05-01T12:00:00Z", "2026-05-11T23:59:59Z", &TimeZone::UTC, waits),
        ("2026-05-01T12:00:00Z", "2026-05-12T00:00:00Z", &TimeZone::UTC, gone),
        // The clocks go forward on 29 March and back on 25 October: days are days.
        ("2026-03-25T10:00:00Z", "2026-04-04T21:59:59Z", &berlin, waits),
        ("2026-03-25T10:00:00Z", "2026-04-04T22:00:00Z", &berlin, gone),
        ("2026-10-20T10:00:00Z", "2026-10-30T22:59:59Z", &berlin, waits),
        ("2026-10-20T10:00:00Z", "2026-10-30T23:00:00Z", &berlin, gone),
        // 29 February is one of the ten.
        ("2028-02-19T10:00:00Z", "2028-02-29T23:59:59Z", &TimeZone::UTC, waits),
        ("2028-02-19T10:00:00Z", "2028-03-01T00:00:00Z", &TimeZone::UTC, gone),
        ("2027-02-19T10:00:00Z", "2027-03-01T23:59:59Z", &TimeZone::UTC, waits),
        ("2027-02-19T10:00:00Z", "2027-03-02T00:00:00Z", &TimeZone::UTC, gone),
    ] {
        assert_eq!(lapses(ordered, now, zone), wanted, "{ordered} {now}");
    }
    // What was carried out does not lapse.
    let done = Trigger { open: false, ..order("a", "p", "it", 0) };
    let drawn = drawn(&[done], "2026-06-01T00:00:00Z", &[], &[], &TimeZone::UTC);
    assert_eq!((drawn.orders[0].course, drawn.orders[0].until), (Course::Waits, None));
}

#[test]
fn what_is_not_known_is_blocked_and_a_standard_name_is_the_providers() {
    let course = |order: Trigger<'_>| {
        let drawn = drawn(&[order], "2026-05-01T13:00:00Z", &[], &[], &TimeZone::UTC);
        assert!(drawn.messages.is_empty());
        (drawn.orders[0].course, drawn.orders[0].asked, drawn.orders[0].blocked.clone())
    };
    let none = BTreeSet::new();
    assert_eq!(course(order("a", "p", "com", 0)), (Course::ProviderInforms, Unasked::Standard, none.clone()));
    assert_eq!(course(order("a", "p", "nz", 0)), (Course::Blocked, Unasked::Unknown, none.clone()), "no process");
    assert_eq!(course(order("a", "q", "de", 0)).0, Course::Blocked, "no provider");
    assert_eq!(course(Trigger { provider: None, ..order("a", "p", "de", 0) }).0, Course::Blocked);
    assert_eq!(course(with_fax(order("a", "p", "de", 0))), (Course::Blocked, Unasked::Unknown, BTreeSet::from([Element::Fax])));
    let little = Trigger { elements: BTreeSet::from([Element::Name]), ..order("a", "p", "de", 0) };
    assert_eq!(course(little), (Course::Whole, Unasked::Nothing, none.clone()), "the contract is enough");
    assert_eq!(course(Trigger { subject: None, ..order("a", "p", "de", 0) }), (Course::Placeholders, Unasked::Nobody, none));
}

#[test]
fn a_message_has_one_id_wherever_it_is_made() {
    let group = group_of(&order("a", "p", "de", 0));
    let id =
        |whose: u8, provider: &str, groups: &[Group], first: &str| message_id(subject(whose), provider, groups, at(first)).expect("an id");
    let one = id(1, "p", std::slice::from_ref(&group), START);
    assert_eq!(one, id(1, "p", std::slice::from_ref(&group), START));
    let others = [
        id(2, "p", std::slice::from_ref(&group), START),
        id(1, "q", std::slice::from_ref(&group), START),
        id(1, "p", &[], START),
        id(1, "p", std::slice::from_ref(&group), "2026-05-01T12:00:01Z"),
    ];
    assert!(others.iter().all(|other| *other != one));
}

proptest::proptest! {
    #[test]
    fn no_order_is_in_two_messages_and_no_group_is_asked_for_twice(
        times in proptest::collection::vec((0..400_i64, 0..2_u8, proptest::bool::ANY), 0..20),
    ) {
        let mut orders: Vec<Trigger<'_>> = times.iter().map(|(seconds, whose, more)| {
            let one = Trigger { subject: Some(subject(*whose + 1)), ..order("a", "p", "it", *seconds) };
            if *more { with_fax(one) } else { one }
        }).collect();
        orders.sort_by_key(|order| order.at);
        let drawn = drawn(&orders, "2026-05-01T13:00:00Z", &[], &[], &TimeZone::UTC);
        let mut seen = BTreeSet::new();
        let mut asked = BTreeSet::new();
        for message in &drawn.messages {
            for n in &message.triggers {
                proptest::prop_assert!(seen.insert(*n));
                proptest::prop_assert!(orders[*n].at.duration_since(message.first) < super::GATHERED);
            }
            for group in message.groups.keys() {
                proptest::prop_assert!(asked.insert((message.subject, group.clone())));
            }
        }
        let wanted: BTreeSet<_> = orders.iter().filter_map(|order| Some((order.subject?, group_of(order)))).collect();
        proptest::prop_assert_eq!(asked, wanted);
    }
}
