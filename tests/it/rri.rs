//! A .de registry over TLS: read wholly, its limits obeyed, and its oddities kept.

use crate::one::{ONE, One, exits};
use crate::schemas::complaints;
use privet::base::{ClTrid, Exit, Personal};
use privet::dataset::{ContactField, DomainField, State};
use privet::job::{check, diff, pull};
use privet::model::{
    Command, HostAttr, NsEntry, NsEntryData, ObjectKind, Properties, RriChange, RriContact, RriDomain, RriKind, Transform, Verification,
};
use privet::protocol::rri;
use std::path::Path;

fn de() -> One {
    One::new("denic", "de", 20)
}

#[test]
fn a_registry_is_checked_pulled_and_compared() {
    let one = de();
    let _served = one.serve(&[], "");
    let ended = check(&one.load(), &one.on_day(0)).expect("ended");
    assert_eq!(ended.exit(), Exit::Done, "{}", ended.text);
    assert_eq!(ended.json["registries"][0]["login"], true);
    let ended = pull(&one.load(), &one.on_day(0)).expect("ended");
    assert_eq!(ended.exit(), Exit::Done, "{} {:?}", ended.text, ended.problems);
    let observed = one.observed();
    let domains = observed.keys().filter(|(kind, _)| *kind == ObjectKind::Domain).count();
    assert_eq!(domains, 20);
    assert!(observed.len() > 25 && observed.values().all(|seen| seen.state == State::Ok), "{}", observed.len());
    for n in 0..20 {
        let domain = one.fleet.domain_at(n);
        let holder = domain.registrant.expect("a holder");
        let seen = &observed[&(ObjectKind::Domain, domain.name.as_str().to_owned())];
        assert_eq!(seen.row.get(DomainField::Registrant.at()), Some(holder.as_str()));
        let contact = &observed[&(ObjectKind::Contact, holder.as_str().to_owned())];
        assert_eq!(contact.row.get(ContactField::LocName.at()).is_some(), true, "{holder}");
        let properties = Properties::read(contact.row.get(ContactField::Properties.at()).unwrap_or_default()).expect("well-formed");
        assert!(properties.get("type").is_some());
    }
    let frames = one.frames("in");
    assert!(frames.iter().filter(|f| f.contains("<login>")).count() >= 2 && frames.iter().all(|f| !f.contains("<ctid>")));
    let manifest = one.newest().expect("a snapshot").manifest().clone();
    let ages = manifest.observed.expect("rows");
    assert!(ages.oldest <= ages.median && ages.median <= ages.newest);
    let ended = diff(&one.load(), &one.on_day(0)).expect("ended");
    assert!([Exit::Done, Exit::ChangesPending].contains(&ended.exit()), "{}", ended.text);
}

#[test]
fn reading_stops_where_the_rest_of_the_quota_is_kept_and_the_next_run_of_the_day_knows_it() {
    let one = de();
    let _served = one.serve(&["quota=40"], "quota_reserve = 0.25");
    let ended = pull(&one.load(), &one.on_day(0)).expect("ended");
    assert_eq!(ended.exit(), Exit::InputIncomplete, "{}", ended.text);
    let told = format!("{}", ended.json);
    let asked = one.asked().len();
    assert!((30..=33).contains(&asked), "75 % of 40, and what was in flight: {asked}");
    assert!(one.newest().is_none(), "half a pull is no snapshot: {told}");
    let ended = pull(&one.load(), &one.on_day(0)).expect("ended");
    assert_eq!((ended.exit(), one.asked().len()), (Exit::InputIncomplete, asked), "nothing was asked");
}

#[test]
fn a_block_is_waited_out() {
    let one = de();
    let _served = one.serve(&["rate=25/1", "block_seconds=1", "quota=off"], "");
    let ended = pull(&one.load(), &one.on_day(0)).expect("ended");
    assert_eq!(ended.exit(), Exit::Done, "{} {:?}", ended.text, ended.problems);
    let blocked = one.frames("out").iter().filter(|f| f.contains("55000000002")).count();
    assert!((1..12).contains(&blocked), "met, and not hammered: {blocked}");
}

#[test]
fn a_line_that_is_lost_again_and_again_costs_nothing() {
    let one = de();
    let _served = one.serve(&["fault=row-45-cut:every=9"], "");
    let ended = pull(&one.load(), &one.on_day(0)).expect("ended");
    assert_eq!(ended.exit(), Exit::Done, "{} {:?}", ended.text, ended.problems);
    assert!(one.observed().values().all(|seen| seen.state == State::Ok));
}

#[test]
fn what_nobody_has_heard_of_is_kept_or_told_and_never_a_crash() {
    let one = de();
    let registrant = |n| one.fleet.domain_at(n).registrant.expect("a holder").as_str().to_owned();
    let (robot, sip) = (registrant(0), (1..20).map(registrant).find(|id| *id != registrant(0)).expect("another"));
    let (coded, bare) = (one.fleet.name_at(2).as_str().to_owned(), one.fleet.name_at(3).as_str().to_owned());
    let faults = [
        format!("fault=row-36-type:object={robot}"),
        format!("fault=row-36-extension:object={sip}"),
        format!("fault=row-43-2200:object={coded}"),
        format!("fault=row-30-missing:object={bare}"),
    ];
    let knobs: Vec<&str> = faults.iter().map(String::as_str).collect();
    let _served = one.serve(&knobs, "");
    let ended = pull(&one.load(), &one.on_day(0)).expect("ended");
    assert_eq!(exits(&ended), [32], "{} {:?}", ended.text, ended.problems);
    let observed = one.observed();
    let of = |kind, id: &str| &observed[&(kind, id.to_owned())];
    let properties = of(ObjectKind::Contact, &robot).row.get(ContactField::Properties.at()).expect("kept").to_owned();
    assert!(properties.contains("type=ROBOT"), "{properties}");
    assert_eq!(of(ObjectKind::Contact, &sip).state, State::Ok);
    assert!(
        format!("{}", std::fs::read_to_string(crate::served::reports(&ended).join("run.json")).expect("facts")).contains("contact/5.0")
    );
    for id in [&coded, &bare] {
        assert_eq!(of(ObjectKind::Domain, id).state, State::Unreadable, "{id}");
    }
    let unreadable = observed.values().filter(|seen| seen.state != State::Ok).count();
    assert_eq!(unreadable, 2, "the others are whole");
    assert!(ended.text.contains(ONE));
}

/// Commands with `text` in one field after the other.
fn with(text: &str) -> Vec<RriChange> {
    let value = || Personal::new(text);
    let bare = |kind| RriContact { name: Some("Anna Beispiel".into()), ..RriContact::bare("DENIC-1-ANNA".into(), kind) };
    let person = || bare(RriKind::Person);
    let contacts = [
        RriContact { name: Some(value()), ..person() },
        RriContact { organisations: vec![value(), value()], ..person() },
        RriContact { address: vec![value(); 5], ..bare(RriKind::Org) },
        RriContact { postal_code: Some(value()), ..person() },
        RriContact { city: Some(value()), country: Some(text.into()), ..person() },
        RriContact { country: Some(text.into()), ..person() },
        RriContact { emails: vec![value()], phone: Some(value()), ..person() },
        RriContact { uri_template: Some(text.into()), ..bare(RriKind::Request) },
        RriContact {
            verifications: vec![Verification { claims: vec![text.into()], reference: Some(value()), ..Verification::default() }],
            ..person()
        },
    ];
    let domain = RriDomain { holders: vec!["DENIC-1-ANNA".into()], ..RriDomain::bare("xn--bcher-kva.de".into()) };
    let owner = || format!("{text}.xn--bcher-kva.de").as_str().into();
    let domains = [
        RriDomain { servers: vec![HostAttr { name: text.into(), addrs: vec![] }], ..domain.clone() },
        RriDomain { general_request: Some(text.into()), ..domain.clone() },
        RriDomain { entries: vec![NsEntry { owner: owner(), data: NsEntryData::A([192, 0, 2, 1].into()) }], ..domain.clone() },
        RriDomain {
            entries: vec![NsEntry { owner: owner(), data: NsEntryData::Mx { preference: 999, exchange: "mail.example.net".into() } }],
            ..domain.clone()
        },
    ];
    let creates = contacts.into_iter().map(RriChange::ContactCreate);
    let updates = domains.map(|to| RriChange::DomainUpdate { was: domain.clone(), to, drop: Vec::new() });
    creates.chain(updates).collect()
}

#[test]
fn every_command_that_is_written_keeps_to_its_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if std::process::Command::new("xmllint").arg("--version").output().is_err() {
        return;
    }
    let golden = std::fs::read_dir(root.join("fixtures/wire/rri/request")).expect("golden requests").flatten();
    let golden = golden.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "xml"));
    let mut documents: Vec<Vec<u8>> = golden.map(|path| std::fs::read(path).expect("a request")).collect();
    let before = documents.len();
    assert!(before > 10);
    let long = "x".repeat(255);
    let texts = [
        "a",
        "A",
        "de",
        "D1",
        "Straße",
        "a  b",
        "<&>\"']]>",
        "\u{301}",
        "😀",
        "ns1",
        "*",
        long.as_str(),
        "a b",
        "\u{a0}",
        " a",
        "\t",
        "\u{1}",
        "",
    ];
    let mut refused = 0;
    for change in texts.iter().flat_map(|text| with(text)) {
        let mut out = Vec::new();
        match rri::encode(&Command::Transform(Box::new(Transform::Rri(Box::new(change)))), Some(&ClTrid::new("run-1-7")), &mut out) {
            Ok(()) => documents.push(out),
            Err(_) => refused += 1,
        }
    }
    assert!(documents.len() > before + 80 && refused > 20, "{} written, {refused} refused", documents.len());
    let said = complaints(&root.join("schemas/vendor/rri-global-5.0.xsd"), &documents);
    assert!(said.is_empty(), "{said}");
}
