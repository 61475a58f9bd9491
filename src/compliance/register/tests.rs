//! The registers' own data, the clocks against reckoned days, the fold by its cases, and a register over the store's fake.

use super::schema::parse;
use super::*;
use crate::base::{Personal, SeededEntropy, Timestamp};
use crate::compliance::{Holidays, Import, Subject, Token, Who};
use crate::store::{MemoryStore, Store, StreamName, Table, read};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn at(text: &str) -> Timestamp {
    crate::compliance::values::time(text).expect("a time")
}

fn token(text: &str) -> Token {
    Token::read(text).expect("a token")
}

fn limits(country: &str) -> Limits {
    Limits { holidays: Holidays::embedded().expect("holidays"), country: country.to_owned() }
}

fn named(name: &str) -> &'static Register {
    register(name).expect("a register")
}

/// An event: what happened, when, and what was said, by column.
type Said<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

const ADA: [(&str, &str); 4] = [("first", "Ada"), ("last", "Lovelace"), ("country", "GB"), ("email", "ada@example.org")];

/// The draft of a row, from values by column.
fn draft(register: &'static Register, values: &[(&str, &str)]) -> Result<Draft, Vec<crate::compliance::Doubt>> {
    let header = register.header();
    let row: Vec<Option<&str>> =
        header.iter().map(|column| values.iter().rev().find(|(known, _)| known == column).map(|(_, value)| *value)).collect();
    Draft::read(register, &header, &row)
}

/// Events of the case `c-1`: what happened, when, and what was said; the first one names Ada where somebody is to be named.
fn drafts(register: &'static Register, events: &[Said<'_>]) -> Vec<Draft> {
    let one = |(n, (event, at, more)): (usize, &Said<'_>)| {
        let whose = if n == 0 && register.subject == Use::Needed { &ADA[..] } else { &[] };
        draft(register, &[whose, &[("case", "c-1"), ("event", event), ("at", at)], more].concat()).expect("an event")
    };
    events.iter().enumerate().map(one).collect()
}

fn take(store: &mut dyn Store, register: &'static Register, drafts: impl IntoIterator<Item = Draft>, seed: u64) -> (Recorded, Vec<String>) {
    let mut import = Import { drafts: drafts.into_iter().map(|draft| (draft, usize::MAX, 0)).collect(), ..Import::default() };
    let mut book = Book::open(store, register).expect("a register");
    let recorded = book.take(&mut import, true, at("2026-01-01"), &mut SeededEntropy::new(seed)).expect("taken");
    (recorded, import.problems.kept().iter().map(|problem| problem.id.clone()).collect())
}

/// What the events of one case come to at a time.
fn case(name: &str, events: &[Said<'_>], on: &str, country: &str) -> Case {
    let (mut store, register) = (MemoryStore::default(), named(name));
    let (recorded, problems) = take(&mut store, register, drafts(register, events), 1);
    assert_eq!((recorded.added, problems), (events.len() as u64, Vec::new()));
    Book::open(&mut store, register).expect("a register").case(&token("c-1"), at(on), &limits(country)).expect("a case")
}

fn deadline<'c>(case: &'c Case, name: &str) -> &'c Deadline {
    case.deadlines.iter().find(|deadline| deadline.name == name).unwrap_or_else(|| panic!("no {name} in {:?}", case.deadlines))
}

fn amiss(case: &Case) -> Vec<&'static str> {
    case.amiss.iter().map(|one| one.id).collect()
}

#[test]
fn the_registers_hold_together_and_bad_ones_are_refused() {
    let text = include_str!("../packs/registers.toml");
    let all = parse(text).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(registers().len(), all.len());
    let names: Vec<&str> = registers().iter().map(|register| &*register.name).collect();
    let wanted = "withholding request disclosure breach hold contract recipient notice policy training verification officer window relay";
    assert_eq!(names.join(" "), wanted);
    for (from, to, told) in [
        ("to = \"requested\"", "to = \"asked\"", "there is no state asked"),
        ("needs = [\"process\"]", "needs = [\"proces\"]", "there is no column proces"),
        ("start = \"completed\"", "start = \"complete\"", "there is no event complete"),
        ("late = \"authority\"", "late = \"author\"", "there is no deadline author"),
        ("name = \"eligibility\"", "name = \"registry\"", "the column registry is taken"),
        ("zone = \"Pacific/Auckland\"", "zone = \"Pacific/Nowhere\"", "there is no zone Pacific/Nowhere"),
        ("start = \"completed\"", "start = \"completed\"\nof = \"next_review\"", "begins nowhere, or twice"),
        ("start = \"completed\"", "", "begins nowhere, or twice"),
        ("evidenced = [\"requested\"", "evidenced = [\"asked\"", "there is no state asked"),
        ("behind = \"decision\"", "behind = \"decided\"", "there is no deadline that begins by itself, decided"),
        ("behind = \"decision\"", "behind = \"latest-appeal\"", "there is no deadline that begins by itself, latest-appeal"),
        ("opens = true", "opens = true\nopen = true", "unknown field"),
        ("version = 1", "version = 2", "known is 1"),
    ] {
        let wrong = parse(&text.replacen(from, to, 1)).expect_err(to);
        assert!(wrong.contains(told), "{to}: {wrong}");
    }
    // Every state can be reached, every open one can be left, and no rule has two ids.
    let mut ids = std::collections::BTreeSet::new();
    for register in registers() {
        for state in register.open.iter().chain(&register.closed) {
            assert!(register.events.iter().any(|event| event.to.as_ref() == Some(state)), "{}: {state} is never reached", register.name);
        }
        let leads_on = |state: &str| {
            let leaves = |event: &Happening| event.to.as_deref().is_some_and(|to| to != state);
            let follows = |event: &Happening| event.from.iter().any(|from| **from == *state) || (event.from.is_empty() && !event.opens);
            register.events.iter().any(|event| leaves(event) && follows(event))
        };
        assert!(register.open.iter().all(|state| leads_on(state)), "{}: a state is never left", register.name);
        for check in &register.checks {
            assert!(ids.insert(&check.id), "{} stands there twice", check.id);
        }
    }
}

#[test]
fn requests_are_due_a_calendar_month_later() {
    let due = |received: &str, country: &str| {
        let request = case("request", &[("received", received, &[("type", "access")])], received, country);
        deadline(&request, "answer").due.to_string()
    };
    assert_eq!(due("2026-01-31", "DE"), "2026-03-02");
    assert_eq!(due("2026-03-05", "DE"), "2026-04-07");
    assert_eq!(due("2026-03-05", ""), "2026-04-06");
    assert_eq!(due("2026-08-31", "DE"), "2026-09-30");

    let asked: Said<'_> = ("received", "2026-01-31", &[("type", "access")]);
    let longer: &[(&str, &str)] = &[("extension_reason", "many registries")];
    let request = case("request", &[asked, ("extended", "2026-03-02T23:59:59Z", longer)], "2026-04-01", "DE");
    let answer = deadline(&request, "answer");
    assert_eq!((answer.due.to_string().as_str(), answer.extended, answer.standing, answer.days), ("2026-04-30", true, Met::Open, 29));
    assert_eq!((request.state, request.irregular.len()), (Some("extended"), 0));
    // Told after the first month it extends nothing.
    let request = case("request", &[asked, ("extended", "2026-03-03", longer)], "2026-03-05", "DE");
    let answer = deadline(&request, "answer");
    assert_eq!((request.state, request.irregular.len()), (Some("new"), 1));
    assert_eq!((answer.standing, answer.days, request.overdue()), (Met::Overdue, 3, Some(3)));
    // On its last day it is open still, the day after it is overdue.
    for (day, standing, days) in [("2026-03-02T23:59:59Z", Met::Open, 0), ("2026-03-03", Met::Overdue, 1)] {
        let request = case("request", &[asked], day, "DE");
        assert_eq!((deadline(&request, "answer").standing, deadline(&request, "answer").days), (standing, days), "{day}");
    }
    for (day, standing, days) in [("2026-03-02", Met::Met, 0), ("2026-03-09", Met::Late, 7)] {
        let request = case("request", &[asked, ("answered", day, &[])], "2026-06-01", "DE");
        assert_eq!((deadline(&request, "answer").standing, deadline(&request, "answer").days, request.open), (standing, days, false));
    }
    // What was opened again has not been answered.
    let request = case("request", &[asked, ("answered", "2026-02-10", &[]), ("reopened", "2026-02-12", &[])], "2026-06-01", "DE");
    assert_eq!((request.state, deadline(&request, "answer").standing), (Some("in-progress"), Met::Overdue));
}

#[test]
fn the_process_of_2016_has_its_clocks_and_no_case_has_them_that_does_not_carry_it() {
    let whole: &[(&str, &str)] = &[
        ("process", "nz-2016"),
        ("domain", "example.nz"),
        ("items", "street;voice"),
        ("circumstances", "a threat"),
        ("no_other_way", "none"),
        ("other_measures", "moved"),
        ("order_text", "a protection order"),
    ];
    let until = |last: &[Said<'_>], on: &str| {
        let first: [Said<'_>; 3] =
            [("requested", "2026-12-21", whole), ("completed", "2026-12-21", &[]), ("provisional", "2026-12-21", &[])];
        case("withholding", &[&first[..], last].concat(), on, "")
    };
    let declined: Said<'_> = ("declined", "2027-01-05", &[("decided_by", "p-1")]);
    let complete = until(&[], "2026-12-22");
    assert_eq!(deadline(&complete, "decision").due.to_string(), "2027-01-05");
    assert_eq!(deadline(&complete, "provisional-month").due.to_string(), "2027-01-21");
    // An appeal of the last day fits into the month that began on the day on which all was told, and not into one that began days before.
    assert_eq!(deadline(&complete, "latest-appeal").due.to_string(), "2027-01-19");
    assert_eq!(amiss(&complete), Vec::<&str>::new());
    for (provisional, ends, told) in [("2026-12-19", "2027-01-19", &[][..]), ("2026-12-18", "2027-01-18", &["R-withholding-006"])] {
        let events: [Said<'_>; 3] =
            [("requested", "2026-12-18", whole), ("provisional", provisional, &[]), ("completed", "2026-12-21", &[])];
        let complete = case("withholding", &events, "2026-12-22", "");
        assert_eq!(deadline(&complete, "provisional-month").due.to_string(), ends);
        assert_eq!(amiss(&complete), told, "{provisional}");
    }
    assert!(until(&[declined], "2027-01-06").deadlines.iter().all(|deadline| deadline.name != "latest-appeal"), "it is decided");
    assert_eq!((complete.settled, until(&[declined], "2027-01-06").settled), (None, Some(at("2027-01-05"))));
    assert_eq!((complete.apart, complete.texts.contains(&"order_text")), (1, false), "sensitive evidence is counted, and named nowhere");
    for (lodged, decided, fits) in
        [("2027-01-05", "2027-01-19", true), ("2027-01-07", "2027-01-21", true), ("2027-01-08", "2027-01-22", false)]
    {
        let appealed = until(&[declined, ("appealed", lodged, &[("panellist", "p-2")])], lodged);
        assert_eq!(deadline(&appealed, "appeal").due.to_string(), decided);
        assert_eq!(amiss(&appealed).contains(&"R-withholding-003"), !fits, "{lodged}");
        assert_eq!(deadline(&appealed, "decision").standing, Met::Met);
        assert_eq!(appealed.settled, None, "an appeal needs the evidence again");
    }
    let today =
        case("withholding", &[("requested", "2026-12-21", &[("process", "irpo")]), ("completed", "2026-12-22", &[])], "2027-06-01", "");
    assert_eq!((today.state, today.irregular.len(), today.deadlines.len(), today.missing.len()), (Some("requested"), 1, 0, 0));
    // Incomplete information starts no clock.
    let started = [("requested", "2026-12-21", &[("process", "nz-2016")][..]), ("completed", "2026-12-22", &[])];
    let half = case("withholding", &started, "2027-06-01", "");
    assert_eq!((half.state, half.deadlines.len()), (Some("requested"), 0));
    assert_eq!(half.missing, ["domain", "items", "circumstances", "no_other_way", "other_measures"]);
}

#[test]
fn a_withholding_is_removed_after_a_notice_and_it_is_told_where_there_was_none() {
    let withheld: [Said<'_>; 2] =
        [("requested", "2026-01-01", &[("process", "irpo")]), ("withheld", "2026-01-02", &[("next_review", "2026-06-01")])];
    let until = |last: &[Said<'_>], on: &str| case("withholding", &[&withheld[..], last].concat(), on, "");
    let (warned, removed): (Said<'_>, Said<'_>) = (("warned", "2026-06-02", &[]), ("removed", "2026-07-01", &[]));
    let told = until(&[warned], "2026-06-03");
    assert_eq!((told.state, told.open, amiss(&told)), (Some("warned"), true, Vec::new()));
    assert_eq!((deadline(&told, "review").standing, told.overdue()), (Met::Overdue, Some(2)), "a notice confirms nothing");
    let gone = until(&[warned, removed], "2026-08-01");
    assert_eq!((gone.state, gone.open, gone.irregular.len(), amiss(&gone)), (Some("removed"), false, 0, Vec::new()));
    // It is gone all the same, and told.
    let hasty = until(&[removed], "2026-08-01");
    assert_eq!((hasty.state, hasty.irregular.len(), amiss(&hasty)), (Some("removed"), 0, vec!["R-withholding-005"]));
    // What is confirmed again needs another notice.
    let again: Said<'_> = ("reconfirmed", "2026-06-20", &[("next_review", "2027-06-01")]);
    let confirmed = until(&[warned, again], "2026-06-21");
    assert_eq!((confirmed.state, confirmed.overdue()), (Some("withheld"), None));
    assert_eq!(amiss(&until(&[warned, again, removed], "2026-08-01")), ["R-withholding-005"]);
    // What was granted and never withheld needs none.
    let granted: [Said<'_>; 4] = [
        ("requested", "2026-01-01", &[("process", "nz-2016"), ("domain", "a.nz"), ("items", "street"), ("circumstances", "a threat")]),
        ("completed", "2026-01-02", &[("no_other_way", "none"), ("other_measures", "moved")]),
        ("granted", "2026-01-05", &[("decided_by", "p-1")]),
        ("removed", "2026-01-09", &[]),
    ];
    let gone = case("withholding", &granted, "2026-02-01", "");
    assert_eq!((gone.state, amiss(&gone)), (Some("removed"), Vec::new()));
}

#[test]
fn an_incomplete_request_for_disclosure_cannot_be_granted_and_a_release_without_a_grant_is_amiss() {
    let some: &[(&str, &str)] =
        &[("ground", "dispute-provider"), ("requester", "N. N."), ("requester_kind", "organisation"), ("reasons", "a case")];
    let rest: &[(&str, &str)] = &[("substantiation", "a file"), ("disclaimer", "d-1")];
    let granted: Said<'_> = ("granted", "2026-05-03", &[("by", "s-1")]);
    let released: Said<'_> = ("released", "2026-05-04", &[("released", "name;email")]);
    let requested = ("requested", "2026-05-01", some);
    let hasty = case("disclosure", &[requested, ("supplemented", "2026-05-02", rest), granted, released], "2026-06-01", "");
    assert_eq!((hasty.state, hasty.irregular.len(), amiss(&hasty)), (Some("requested"), 2, vec!["R-disclosure-001"]));
    assert_eq!(hasty.missing, ["company_number"], "an organisation has one");
    let more = [rest, &[("company_number", "HRB 1")]].concat();
    let good = case("disclosure", &[requested, ("supplemented", "2026-05-02", &more), granted, released], "2026-06-01", "");
    assert_eq!((good.state, good.irregular.len(), amiss(&good)), (Some("released"), 0, Vec::new()));
    assert_eq!(deadline(&good, "answer").standing, Met::Met);
    assert_eq!(good.values.get("released").map(String::as_str), Some("name;email"));
}

#[test]
fn at_nz_a_disclosure_says_why_the_relay_is_not_enough_and_when_the_registrant_was_heard() {
    let rest: &[(&str, &str)] = &[
        ("ground", "public-authority"),
        ("requester", "A court"),
        ("requester_kind", "authority"),
        ("reasons", "a case"),
        ("substantiation", "a file"),
        ("disclaimer", "d-1"),
    ];
    let granted: Said<'_> = ("granted", "2026-05-04", &[("by", "s-1")]);
    let heard: [Said<'_>; 2] =
        [("supplemented", "2026-05-02", &[("relay_not_enough", "nobody answered")]), ("heard", "2026-05-03", &[("heard", "2026-05-03")])];
    for (process, asks) in [("irpo", true), ("nz-2016", true), ("other", false)] {
        let of: Vec<(&str, &str)> = [rest, &[("process", process)]].concat();
        let requested: Said<'_> = ("requested", "2026-05-01", &of);
        let hasty = case("disclosure", &[requested, granted], "2026-06-01", "");
        let wanted: &[&str] = if asks { &["relay_not_enough", "heard"] } else { &[] };
        assert_eq!((hasty.state, hasty.missing.as_slice()), (Some(if asks { "requested" } else { "granted" }), wanted), "{process}");
        let good = case("disclosure", &[&[requested], &heard[..], &[granted]].concat(), "2026-06-01", "");
        assert_eq!((good.state, good.irregular.len(), good.missing.len()), (Some("granted"), 0, 0), "{process}");
    }
}

#[test]
fn a_breach_has_its_hours_and_a_candidate_its_yes_or_no() {
    let raised: Said<'_> = ("raised", "2026-05-01T03:00:00Z", &[("candidate", "tls-downgrade"), ("run", "r-1")]);
    let candidate = case("breach", &[raised], "2026-05-02", "");
    assert_eq!((candidate.state, amiss(&candidate)), (Some("candidate"), vec!["R-breach-001"]));
    let no: &[(&str, &str)] = &[("by", "dpo"), ("why", "a test line")];
    let dismissed = case("breach", &[raised, ("dismissed", "2026-05-02", no)], "2026-09-01", "");
    assert_eq!((dismissed.state, dismissed.open, dismissed.events, dismissed.deadlines.len()), (Some("dismissed"), false, 2, 0));
    let yes: &[(&str, &str)] = &[("by", "dpo"), ("aware", "2026-05-02T10:00:00Z"), ("nis2", "yes")];
    let confirmed = ("confirmed", "2026-05-02T12:00:00Z", yes);
    let told: Said<'_> = ("authority-told", "2026-05-05T09:59:59Z", &[("authority_reference", "a-1")]);
    let open = case("breach", &[raised, confirmed], "2026-05-05T09:59:59Z", "");
    let authority = deadline(&open, "authority");
    assert_eq!((authority.until, authority.standing), (at("2026-05-05T10:00:00Z"), Met::Open));
    assert_eq!(deadline(&open, "nis2-warning").standing, Met::Overdue);
    assert_eq!(deadline(&case("breach", &[raised, confirmed, told], "2026-06-01", ""), "authority").standing, Met::Met);
    let late = case("breach", &[raised, confirmed], "2026-05-05T10:00:00Z", "");
    assert_eq!((deadline(&late, "authority").standing, amiss(&late)), (Met::Overdue, vec!["R-breach-003"]));
    // No risk, no notice; a high one wants people told.
    let risk =
        |word: &str| case("breach", &[raised, confirmed, ("assessed", "2026-05-03", &[("risk", word), ("by", "dpo")])], "2026-05-04", "");
    assert!(risk("none").deadlines.iter().all(|deadline| deadline.name != "authority"));
    assert_eq!(amiss(&risk("high")), ["R-breach-002"]);
    // It is closed whole, or not.
    let closed = case("breach", &[raised, confirmed, ("closed", "2026-05-06", &[("by", "dpo")])], "2026-06-01", "");
    assert_eq!((closed.state, closed.irregular.len()), (Some("open"), 1));
}

#[test]
fn what_lacks_a_review_or_rests_on_a_mechanism_that_is_none_is_amiss() {
    let placed: Said<'_> = ("placed", "2026-05-01", &[("reason", "litigation"), ("owner", "legal")]);
    assert_eq!(amiss(&case("hold", &[placed], "2026-06-01", "")), ["R-hold-001"]);
    let reviewed = case("hold", &[placed, ("reviewed", "2026-05-02", &[("review", "2026-08-01")])], "2026-08-02", "");
    assert_eq!((amiss(&reviewed), reviewed.overdue()), (Vec::new(), Some(1)));
    let lifted = case("hold", &[placed, ("lifted", "2026-05-02", &[])], "2026-08-02", "");
    assert_eq!((lifted.open, amiss(&lifted), lifted.deadlines.len()), (false, Vec::new(), 0));

    let row: &[(&str, &str)] = &[
        ("case", "c"),
        ("event", "signed"),
        ("at", "2026-01-05"),
        ("party", "op"),
        ("kind", "registry"),
        ("role", "controller"),
        ("version", "1"),
    ];
    let doubts = draft(named("contract"), row).expect_err("no number of the agreement");
    assert_eq!((doubts[0].id, doubts[0].field), ("E-register-014", "agreement"));
    let row: &[(&str, &str)] =
        &[("case", "r"), ("event", "added"), ("at", "2026-01-05"), ("party", "op"), ("category", "registry"), ("country", "US")];
    let with = |more: &[(&'static str, &'static str)]| draft(named("recipient"), &[row, more].concat());
    let doubts = with(&[("mechanism", "privacy_shield")]).expect_err("no mechanism");
    assert_eq!((doubts[0].id, doubts[0].field), ("E-register-016", "mechanism"));
    assert!(with(&[("mechanism", "privacy_shield"), ("override_reason", "being replaced")]).is_ok());
    let kept: &[(&str, &str)] = &[
        ("party", "op"),
        ("category", "registry"),
        ("country", "US"),
        ("mechanism", "privacy_shield"),
        ("override_reason", "being replaced"),
    ];
    assert_eq!(amiss(&case("recipient", &[("added", "2026-01-05", kept)], "2026-06-01", "")), ["R-recipient-001", "R-recipient-004"]);
}

#[test]
fn an_open_request_to_restrict_or_an_objection_blocks_its_subject() {
    let register = named("request");
    for (kind, rule) in [("restriction", Some("R-request-001")), ("objection", Some("R-request-002")), ("access", None)] {
        let mut store = MemoryStore::default();
        take(&mut store, register, drafts(register, &[("received", "2026-05-01", &[("type", kind)]), ("answered", "2026-05-09", &[])]), 1);
        let book = Book::open(&mut store, register).expect("a register");
        let subject = book.events(&token("c-1"))[0].subject.expect("a subject");
        let blocked = |on: &str| book.blocks(at(on)).get(&subject).map(|block| block.rule);
        assert_eq!([blocked("2026-04-30"), blocked("2026-05-01"), blocked("2026-05-08"), blocked("2026-05-09")], [None, rule, rule, None]);
    }
}

/// Every byte of the store's cells and chains.
fn everything(store: &mut dyn Store) -> Vec<u8> {
    let mut out = Vec::new();
    for table in [Table::Objects, Table::References, Table::Keys, Table::Sealed, Table::Subjects, Table::Salts] {
        store
            .cells(table, &[], &mut |key, value| {
                out.extend([key, b"=", value, b"\n"].concat());
                Ok(())
            })
            .expect("cells");
    }
    for (stream, _) in store.heads("").expect("streams") {
        store
            .rows(&stream, 0, &mut |link| {
                out.extend([link.row, b"\n"].concat());
                Ok(())
            })
            .expect("rows");
    }
    out
}

#[test]
fn texts_are_sealed_and_erased_and_the_chain_stays() {
    let register = named("withholding");
    let mut store = MemoryStore::default();
    let texts: &[(&str, &str)] = &[
        ("process", "nz-2016"),
        ("domain", "lovelace.nz"),
        ("circumstances", "someone\nfollows her"),
        ("order_text", "Order No. 17 of the court"),
    ];
    let (recorded, problems) = take(&mut store, register, drafts(register, &[("requested", "2026-05-01", texts)]), 1);
    assert_eq!((recorded.added, recorded.subjects, problems), (1, 1, Vec::new()));
    let bytes = everything(&mut store);
    for clear in ["Ada", "Lovelace", "lovelace", "follows", "Order No."] {
        assert!(!bytes.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear} stands in the store in clear");
    }
    let stream = StreamName::new("register/withholding").expect("a name");
    let before = read(&mut store, &stream, |_, _| Ok(())).expect("a whole chain");
    let mut book = Book::open(&mut store, register).expect("a register");
    let entry = book.events(&token("c-1"))[0].clone();
    let text = |book: &mut Book<'_>, column: &str| book.text(&entry, column).expect("opened").map(|text| text.reveal().to_owned());
    assert_eq!(text(&mut book, "circumstances").as_deref(), Some("someone\nfollows her"));
    assert_eq!(text(&mut book, "order_text").as_deref(), Some("Order No. 17 of the court"));
    // What is kept apart goes alone, and what is the subject's with the subject.
    assert!(book.erase(&token("c-1"), true).expect("erased"));
    assert_eq!((text(&mut book, "order_text"), text(&mut book, "domain").as_deref()), (None, Some("lovelace.nz")));
    let subject = entry.subject.expect("a subject");
    assert!(crate::compliance::Subjects::open(&mut store).expect("the map").erase(subject).expect("erased"));
    let mut book = Book::open(&mut store, register).expect("a register");
    assert_eq!(text(&mut book, "domain"), None);
    assert_eq!(book.case(&token("c-1"), at("2026-06-01"), &Limits::default()).expect("a case").apart, 1, "the count stays");
    assert_eq!(read(&mut store, &stream, |_, _| Ok(())).expect("a whole chain"), before);
}

#[test]
fn an_export_is_known_where_it_is_from_and_refused_elsewhere() {
    let register = named("disclosure");
    let mut store = MemoryStore::default();
    let events: [Said<'_>; 2] =
        [("requested", "2026-05-01", &[("requester", "N. N.")]), ("declined", "2026-05-02", &[("refusal", "incomplete")])];
    assert_eq!(take(&mut store, register, drafts(register, &events), 1).0.added, 2);
    assert_eq!(take(&mut store, register, drafts(register, &events), 2).0.known, 2, "the same again");
    let rows = Book::open(&mut store, register).expect("a register").export(&[token("c-1")]);
    assert!(rows[0].contains(&"(sealed)".to_owned()) && !rows[0].contains(&"N. N.".to_owned()));
    let header = register.header();
    let again = || {
        rows.iter().map(|row| {
            let row: Vec<Option<&str>> = row.iter().map(|value| Some(value.as_str()).filter(|value| !value.is_empty())).collect();
            Draft::read(register, &header, &row).expect("an event")
        })
    };
    let (recorded, problems) = take(&mut store, register, again(), 3);
    assert_eq!((recorded.known, recorded.added, problems), (2, 0, Vec::new()));
    let (recorded, problems) = take(&mut MemoryStore::default(), register, again(), 3);
    assert_eq!((recorded.added, problems), (1, vec!["E-register-022".to_owned()]));
}

#[test]
fn rows_that_cannot_stand_beside_what_is_there_are_refused() {
    let register = named("request");
    let mut store = MemoryStore::default();
    let good = |more: &[(&str, &str)]| {
        draft(
            register,
            &[&ADA[..], &[("case", "c-1"), ("event", "received"), ("at", "2026-05-01"), ("type", "access"), ("record_id", "1")], more]
                .concat(),
        )
        .expect("an event")
    };
    assert_eq!(take(&mut store, register, [good(&[])], 1).0.added, 1);
    let grace = [("first", "Grace"), ("last", "Hopper"), ("country", "US"), ("email", "grace@example.org")];
    let nobody = draft(register, &[("case", "c-9"), ("event", "answered"), ("at", "2026-05-01")]).expect("an event");
    let stranger = Draft { who: Subject::read(&"5a".repeat(16)).map(Who::Subject), ..good(&[("record_id", "3")]) };
    let rows = [
        good(&[("type", "erasure")]),
        good(&[&grace[..], &[("record_id", "2")]].concat()),
        nobody,
        Draft { case: token("c-8"), ..stranger },
    ];
    let (recorded, mut problems) = take(&mut store, register, rows, 2);
    problems.sort_unstable();
    assert_eq!((recorded.added, problems.join(" ").as_str()), (0, "E-register-015 E-register-020 E-register-021 E-register-023"));
}

#[test]
fn a_row_is_read_back_and_nothing_else_is_taken_for_one() {
    let register = named("hold");
    let golden = concat!(
        r#"{"v":1,"id":"e-1","case":"h-1","event":"placed","at":"2026-05-01T00:00:00Z","values":{"owner":"legal","reason":"tax"},"#,
        r#""recorded":"2026-05-02T00:00:00Z"}"#
    );
    let entry = Entry::from_row(register, golden.as_bytes()).expect("an event");
    assert_eq!(String::from_utf8(entry.to_row().into()).expect("text"), golden);
    for (from, to) in
        [("\"v\":1", "\"v\":2"), ("placed", "put"), ("owner", "keeper"), ("\"v\":1", "\"v\":1,\"name\":\"Ada\""), ("h-1", "a@b")]
    {
        assert!(Entry::from_row(register, golden.replace(from, to).as_bytes()).is_err(), "{to}");
    }
}

fn any_events(register: &'static Register) -> impl Strategy<Value = Vec<Entry>> {
    let names: Vec<&str> = register.events.iter().map(|event| &*event.name).collect();
    let one = (proptest::sample::select(names), 0..40_i64, any::<u8>()).prop_map(move |(event, day, salt)| {
        let words = register.columns.iter().filter(|column| column.kind == Kind::Word && salt & 1 == 0);
        let values = words.map(|column| (column.name.clone(), column.words[usize::from(salt) % column.words.len()].clone())).collect();
        let at = Timestamp::from_second(1_780_000_000 + day * 86_400).expect("a time");
        Entry {
            v: 1,
            id: token("e"),
            case: token("c-1"),
            event: event.into(),
            at,
            subject: None,
            values,
            sealed: BTreeMap::new(),
            recorded: at,
        }
    });
    proptest::collection::vec(one, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_fold_of_any_events_keeps_its_promises(
        (register, mut events) in proptest::sample::select((0..12_usize).collect::<Vec<_>>())
            .prop_flat_map(|n| (Just(&registers()[n]), any_events(&registers()[n]))),
        on in 0..60_i64,
    ) {
        for (n, event) in events.iter_mut().enumerate() {
            event.id = token(&format!("e{n}"));
        }
        let on = Timestamp::from_second(1_780_000_000 + on * 86_400).expect("a time");
        let limits = Limits::default();
        let case = fold(register, &token("c-1"), &events, on, &limits);
        // What is not yet so says nothing, and what is irregular changes nothing but that it is told.
        let past: Vec<Entry> = events.iter().filter(|event| event.at <= on).cloned().collect();
        prop_assert_eq!(&fold(register, &token("c-1"), &past, on, &limits), &case);
        let regular: Vec<Entry> = past.iter().filter(|event| case.irregular.iter().all(|odd| odd.record != event.id)).cloned().collect();
        let again = fold(register, &token("c-1"), &regular, on, &limits);
        prop_assert_eq!((again.state, again.open, &again.values, &again.deadlines), (case.state, case.open, &case.values, &case.deadlines));
        prop_assert!(again.irregular.is_empty());
        // The state is what walking the table comes to.
        let mut sorted: Vec<&Entry> = regular.iter().collect();
        sorted.sort_by_key(|event| event.at);
        let last = sorted.iter().rev().find_map(|event| register.event(&event.event).and_then(|event| event.to.as_deref()));
        prop_assert_eq!(case.state, last);
        prop_assert_eq!(case.open, case.state.is_none_or(|state| register.open.iter().any(|open| **open == *state)));
        prop_assert!(case.deadlines.iter().all(|deadline| (deadline.standing == Met::Met) == (deadline.days == 0) || deadline.standing == Met::Open));
    }
}

#[test]
fn a_relayed_message_tells_both_sides_and_promises_no_answer() {
    let place: &[(&str, &str)] = &[("at_registry", "r"), ("domain", "a.example"), ("way", "form")];
    let worded = |wording: &'static str| [place, &[("wording", wording)]].concat();
    let plain = worded("no-answer-promised");
    let received: Said<'_> = ("received", "2026-05-01", &plain);
    let forwarded: Said<'_> = ("forwarded", "2026-05-02", &[]);
    let silent = case("relay", &[received, forwarded], "2026-06-01", "");
    assert_eq!((silent.state, silent.open, amiss(&silent)), (Some("forwarded"), false, vec!["R-relay-001", "R-relay-002"]));
    let both: Said<'_> = ("told", "2026-05-03", &[("sender_told", "2026-05-02"), ("registrant_told", "2026-05-02")]);
    let told = case("relay", &[received, forwarded, both, ("answered", "2026-05-09", &[])], "2026-06-01", "");
    assert_eq!((told.state, told.irregular.len(), amiss(&told)), (Some("answered"), 0, Vec::new()));
    // To nobody whom it did not reach, the registrant was told anything.
    let sender: &[(&str, &str)] = &[("sender_told", "2026-05-02")];
    assert_eq!(amiss(&case("relay", &[received, ("failed", "2026-05-02", sender)], "2026-06-01", "")), Vec::<&str>::new());
    let promised = worded("answer-promised");
    assert_eq!(amiss(&case("relay", &[("received", "2026-05-01", &promised)], "2026-06-01", "")), ["R-relay-003"]);

    let came_to = |result: &'static str| [place, &[("result", result), ("next", "2026-08-01")]].concat();
    let (bounced, delivered) = (came_to("bounced"), came_to("delivered"));
    let broken = case("relay", &[("tested", "2026-05-01", &bounced)], "2026-06-01", "");
    assert_eq!((broken.state, amiss(&broken)), (Some("path"), vec!["R-relay-004"]));
    let mended = case("relay", &[("tested", "2026-05-01", &bounced), ("tested", "2026-05-04", &delivered)], "2026-08-02", "");
    assert_eq!((amiss(&mended), mended.overdue()), (Vec::new(), Some(1)), "it is to be tried again");
}

#[test]
fn texts_never_show_in_what_is_printed_of_a_draft() {
    let one = draft(
        named("breach"),
        &[("case", "b"), ("event", "raised"), ("at", "2026-05-01"), ("candidate", "other"), ("facts", "Ada was seen")],
    );
    let one = one.expect("an event");
    assert_eq!(one.values.get("facts"), Some(&Given::Text(Personal::from("Ada was seen"))));
    assert!(!format!("{one:?}").contains("Ada"));
}
