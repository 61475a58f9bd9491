use super::*;
use crate::compliance::Element;
use std::collections::BTreeMap;
use std::path::Path;

fn now() -> Timestamp {
    "2026-11-22T02:00:00Z".parse().unwrap()
}

fn pack() -> RecordPack {
    RecordPack::embedded().unwrap()
}

fn recipient(country: Option<&str>, mechanism: Option<&str>, evidence: Option<&str>) -> Recipient {
    let text = |text: Option<&str>| text.map(str::to_owned);
    Recipient {
        name: "R".to_owned(),
        category: "registry".to_owned(),
        country: text(country),
        mechanism: text(mechanism),
        evidence: text(evidence),
        source: "register".to_owned(),
        registered: true,
        ..Recipient::default()
    }
}

fn evidence(profile: &str) -> Evidence {
    let people = [("DE", 40), ("FR", 12), ("IT", 7), ("NZ", 2), ("US", 1)];
    Evidence {
        registry: "r1".to_owned(),
        profile: profile.to_owned(),
        title: "Registry One".to_owned(),
        traffic: Traffic {
            commands: BTreeMap::from([("contact:info".to_owned(), 62), ("domain:info".to_owned(), 50)]),
            bytes: (1000, 9000),
            window: Some((now(), now())),
        },
        run: Some(("run-1".to_owned(), now())),
        contacts: 62,
        subjects: people.into_iter().map(|(country, n)| ((country != "US", country.to_owned()), n)).collect(),
        elements: BTreeMap::from([(Element::Name, 62), (Element::Fax, 3)]),
        special: Some([0, 0, 7]),
        recipients: vec![recipient(Some("DE"), None, None)],
        rules: "retention of 2026-11-21".to_owned(),
        ..Evidence::default()
    }
}

fn told(row: &Row, field: &str) -> Entry {
    let at = pack().fields.iter().position(|one| &*one.id == field).unwrap();
    row.cells[at].clone()
}

fn one(seen: &Evidence) -> Row {
    build(&pack(), seen, &BTreeMap::new(), now()).remove(0)
}

#[test]
fn every_cell_says_how_it_is_known_and_none_is_blank() {
    let rows = build(&pack(), &evidence("gtld-thick"), &BTreeMap::from([("dpo".to_owned(), "the officer".to_owned())]), now());
    assert_eq!(rows.len(), 1, "no service ended here");
    for (field, cell) in pack().fields.iter().zip(&rows[0].cells) {
        assert!(!cell.value.is_empty(), "{}", field.id);
        assert_eq!(cell.status == Status::Missing, cell.source.is_empty(), "{}", field.id);
        assert_eq!(cell.status == Status::Observed, cell.observed_at.is_some(), "{}", field.id);
    }
    assert_eq!(told(&rows[0], "dpo"), Entry::declared("the officer", "controller.dpo"));
    assert_eq!(told(&rows[0], "owner").status, Status::Missing);
    assert_eq!(told(&rows[0], "commands").value, "contact:info 62; domain:info 50");
}

#[test]
fn small_counts_are_not_told_not_even_by_a_difference() {
    let row = one(&evidence("gtld-thick"));
    assert_eq!(told(&row, "subject_count").value, "DE 40; FR 12; IT 7; 2 countries with few");
    // The contacts are known: a share beside a count that is not told would tell it.
    assert_eq!(told(&row, "elements").value, "name 62 (100 %); fax <5");
    assert_eq!(told(&row, "special").value, "contacts with data of Art. 9: 0; Art. 10: 0; Art. 87: 7");
    assert_eq!(told(&row, "condition").status, Status::NotApplicable);
    // One country with few would follow from the sum: the next one goes with it.
    let mut seen = evidence("gtld-thick");
    seen.subjects.remove(&(false, "US".to_owned()));
    assert_eq!(told(&one(&seen), "subject_count").value, "DE 40; FR 12; 2 countries with few");
    // So it does where each of them has one, or four, by what the sum comes to.
    for (n, few) in [
        (1, "DE 40; FR 12; 3 countries with few"),
        (4, "DE 40; FR 12; 3 countries with few"),
        (2, "DE 40; FR 12; IT 7; 2 countries with few"),
    ] {
        let mut seen = evidence("gtld-thick");
        seen.subjects.insert((true, "NZ".to_owned()), n);
        seen.subjects.insert((false, "US".to_owned()), if n == 2 { 1 } else { n });
        assert_eq!(told(&one(&seen), "subject_count").value, few, "{n}");
    }
}

#[test]
fn what_follows_from_a_sum_is_not_told_either() {
    let mut seen = evidence("gtld-thick");
    // All but two have a name, so that those without one are few.
    seen.elements = BTreeMap::from([(Element::Name, 60), (Element::Email, 57), (Element::Fax, 5)]);
    assert_eq!(told(&one(&seen), "elements").value, "name all but <5; fax 5 (8 %); email 57 (91 %)");
    // One kind of people is few, and the sum of both is near to what other cells tell.
    assert_eq!(told(&one(&seen), "subjects").value, "registrants and contacts: 60 or more natural persons, <5 named by organisations");
    seen.subjects.insert((false, "US".to_owned()), 11);
    assert_eq!(told(&one(&seen), "subjects").value, "registrants and contacts: 61 natural persons, 11 named by organisations");
    assert!(told(&one(&seen), "volume").value.contains("data of 70 or more people"));
    seen.special = Some([1, 0, 4]);
    assert_eq!(told(&one(&seen), "special").value, "contacts with data of Art. 9: <5; Art. 10: 0; Art. 87: <5");
    seen.requests = Some((BTreeMap::from([("new".to_owned(), 4), ("answered".to_owned(), 9)]), 1, "head".to_owned()));
    assert_eq!(told(&one(&seen), "requests").value, "answered 9; new <5; overdue <5");
}

#[test]
fn the_role_matrix_moves_rows_and_nothing_else() {
    let text = include_str!("../packs/record.toml").replace("profiles = [\"eurid\"]", "profiles = [\"eurid\", \"gtld-thick\"]");
    let other = RecordPack::parse(&text, Path::new("own.toml")).unwrap();
    let (seen, declared) = (evidence("gtld-thick"), BTreeMap::new());
    let (before, after) = (build(&pack(), &seen, &declared, now()), build(&other, &seen, &declared, now()));
    assert_eq!((before[0].role, after[0].role), (Role::Controller, Role::Processor));
    // Whom the registrar works for is the matrix's own cell, and no other one changes.
    let at = pack().place("on_behalf_of").unwrap();
    let others = |row: &Row| row.cells.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, cell)| cell.clone()).collect::<Vec<_>>();
    assert_eq!(others(&before[0]), others(&after[0]));
    assert_eq!((before[0].cells[at].status, &*after[0].cells[at].value), (Status::NotApplicable, "Registry One, DE"));
    // What is for processors alone stands in their record alone.
    let fields = |rows: &[Row]| rows[0].told(&pack()).map(|(field, _)| field.id.to_string()).collect::<Vec<_>>();
    let more: Vec<String> = fields(&after).into_iter().filter(|field| !fields(&before).contains(field)).collect();
    assert_eq!(more, ["on_behalf_of", "instruction", "sub_processors", "breach_notices", "return"]);
    assert_eq!(build(&pack(), &evidence("eurid"), &declared, now())[0].role, Role::Processor);
}

#[test]
fn a_transfer_needs_a_country_and_what_covers_the_recipient() {
    let with = |country, mechanism, evidence_of| {
        let mut seen = evidence("gtld-thick");
        seen.recipients = vec![recipient(country, mechanism, evidence_of)];
        let row = one(&seen);
        let (third, mechanism) = (told(&row, "third_country"), told(&row, "mechanism"));
        format!("{} | {} | {} | {}", third.status.as_str(), third.value, mechanism.status.as_str(), mechanism.value)
    };
    insta::assert_snapshot!(
        [
            with(None, None, None),
            with(Some("DE"), None, None),
            with(Some("NZ"), None, None),
            with(Some("US"), None, None),
            with(Some("US"), Some("adequacy"), Some("dpf-1")),
            with(Some("US"), Some("standard-clauses"), None),
            with(Some("US"), Some("privacy_shield"), Some("shield-1")),
            with(Some("CA"), Some("adequacy"), None),
            with(Some("CN"), Some("adequacy"), Some("letter")),
            with(Some("CN"), Some("standard-clauses"), None),
            // Evidence is of what was declared: clauses show nothing about a decision.
            with(Some("US"), Some("standard-clauses"), Some("scc-1")),
            with(Some("CA"), Some("standard-clauses"), Some("scc-1")),
            with(Some("JP"), Some("binding-rules"), Some("bcr-1")),
            with(Some("US"), Some("certification"), Some("dpf-1")),
            with(Some("US"), Some("adequacy"), None),
            with(Some("US"), Some("not-needed"), None),
            with(Some("BR"), Some("not-needed"), Some("letter")),
            with(Some("NZ"), Some("privacy_shield"), None),
            with(Some("DE"), Some("privacy_shield"), None),
            with(Some("BR"), Some("handshake"), None),
        ]
        .join("\n")
    );
}

#[test]
fn decisions_hold_from_their_day_on() {
    let adequacy = pack().adequacy;
    let day = |text: &str| text.parse().unwrap();
    assert_eq!(adequacy.decision("US", day("2023-07-09")), None);
    assert!(adequacy.decision("US", day("2023-07-10")).is_some());
    assert!(adequacy.is_third("CH") && !adequacy.is_third("NO"));
}

#[test]
fn a_pack_that_does_not_hold_together_is_refused() {
    let good = include_str!("../packs/record.toml");
    let told = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        RecordPack::parse(&good.replacen(from, to, 1), Path::new("own.toml")).unwrap_err().to_string()
    };
    insta::assert_snapshot!(
        [
            told("version = 1", "version = 3"),
            told("id = \"dpo\"", "id = \"controller\""),
            told("country = \"AD\"", "country = \"ZZ\""),
            told("profiles = [\"*\"]", "profiles = [\"nz\"]"),
            told("from = \"declared\"", "from = \"guessed\""),
            told("role = \"processor\"", "role = \"owner\""),
            told("void_from = \"2020-07-16\"\n", ""),
            told("void_from = \"2020-07-16\"", "void_from = \"2030-01-01\""),
            told("void_from = \"2020-07-16\"\n", "override_reason = \" \"\n"),
            told("small = 5", "small = 1"),
            told("id = \"adequacy\"", "id = \"not-needed\""),
        ]
        .join("\n")
    );
}

#[test]
fn a_mechanism_that_is_none_is_overridden_by_a_reason_alone() {
    let with = |overridden: bool| Recipient { overridden, ..recipient(Some("US"), Some("privacy_shield"), Some("shield-1")) };
    let day = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    let cover = |pack: &RecordPack, one: &Recipient, on: &str| pack.cover(one, day(on)).0;
    assert_eq!(cover(&pack(), &with(false), "2026-11-22"), Cover::Void);
    assert_eq!(cover(&pack(), &with(true), "2026-11-22"), Cover::Overridden);
    assert_eq!(cover(&pack(), &with(false), "2020-07-16"), Cover::Void);
    assert_eq!(cover(&pack(), &with(false), "2020-07-15"), Cover::Nothing, "it was no decision that this table has");
    // A pack that takes it for one says why, and the reason is told.
    for day in ["", "void_from = \"2030-01-01\"\n"] {
        let reason = format!("{day}override_reason = \"a court allowed it until June\"\n");
        let text = include_str!("../packs/record.toml").replace("void_from = \"2020-07-16\"\n", &reason);
        let own = RecordPack::parse(&text, Path::new("own.toml")).unwrap();
        assert_eq!(cover(&own, &with(false), "2026-11-22"), Cover::Overridden);
        let told: Vec<_> = own.overridden("2026-11-22".parse().unwrap()).map(|(id, why, _)| (id, why)).collect();
        assert_eq!(told, [("privacy_shield", "a court allowed it until June")]);
    }
}

/// The rules that are broken, each with its registry.
fn broken(seen: &[Evidence], declared: &[(&str, &str)]) -> Vec<(&'static str, Option<String>)> {
    let declared = declared.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    contradictions(&pack(), seen, &declared, now()).into_iter().map(|one| (one.rule.id, one.registry)).collect()
}

/// Evidence that nothing contradicts.
fn whole() -> Evidence {
    let contract = |party: &str, role: &str| Contract {
        case: format!("c-{party}"),
        party: party.to_owned(),
        role: role.to_owned(),
        ..Contract::default()
    };
    Evidence {
        login: "REG-1".to_owned(),
        sponsors: BTreeMap::from([("REG-1".to_owned(), 112)]),
        contracts: vec![contract("R", "controller")],
        overdue: Some((0, 0)),
        ..evidence("denic")
    }
}

#[test]
fn what_agrees_is_no_finding() {
    assert_eq!(broken(&[whole()], &[]), []);
    let declared = [
        ("established", "DE"),
        ("representative", "none"),
        ("automated", "none"),
        ("review", "2026-11-01, next 2027-11-01"),
        ("registrar_id", "REG-1, REG-2"),
        ("dpia", "not needed"),
        ("joint_controllers", "none"),
    ];
    assert_eq!(broken(&[whole()], &declared), []);
}

#[test]
fn each_contradiction_is_found_by_its_own_rule() {
    use crate::model::{CertificateFacts, TlsFacts};
    let at = |id: &'static str| vec![(id, Some("r1".to_owned()))];
    let of = |id: &'static str| vec![(id, None)];
    let with = |change: &dyn Fn(&mut Evidence)| {
        let mut seen = whole();
        change(&mut seen);
        seen
    };
    let to = |country: &'static str, mechanism: Option<&'static str>| {
        with(&move |seen| {
            seen.profile = "gtld-thick".to_owned();
            seen.recipients = vec![recipient(Some(country), mechanism, None)];
        })
    };
    assert_eq!(broken(&[to("US", Some("privacy_shield"))], &[]), at("R-record-001"));
    assert_eq!(
        broken(
            &[with(&|seen| {
                seen.recipients = vec![Recipient { overridden: true, ..recipient(Some("DE"), Some("privacy_shield"), None) }];
            })],
            &[]
        ),
        at("R-record-002")
    );
    assert_eq!(broken(&[to("US", Some("not-needed"))], &[]), at("R-record-003"));
    assert_eq!(broken(&[to("US", Some("standard-clauses"))], &[]), []);
    assert_eq!(broken(&[with(&|seen| seen.recipients[0].registered = false)], &[]), at("R-record-004"));
    assert_eq!(broken(&[with(&|seen| seen.recipients[0].planned = Some("2026-01-01".parse().unwrap()))], &[]), at("R-record-005"));
    assert_eq!(broken(&[with(&|seen| seen.contracts.clear())], &[]), at("R-record-006"));
    assert_eq!(broken(&[with(&|seen| seen.recipients[0].country = Some("FR".to_owned()))], &[]), at("R-record-007"));
    assert_eq!(
        broken(&[whole()], &[("registrar_id", "REG-2")]),
        [("R-record-008", Some("r1".to_owned())), ("R-record-009", Some("r1".to_owned()))]
    );
    assert_eq!(broken(&[with(&|seen| seen.sponsors.extend([("OTHER".to_owned(), 1)]))], &[]), at("R-record-009"));
    assert_eq!(broken(&[whole()], &[("established", "US"), ("representative", "none: established in the Union")]), of("R-record-010"));
    assert_eq!(broken(&[whole()], &[("established", "US")]), of("R-record-010"));
    assert_eq!(broken(&[whole()], &[("established", "US"), ("representative", "Rep GmbH, Kiel")]), []);
    let tls = |version: &str, until: &str| {
        let (version, until) = (version.into(), until.parse().unwrap());
        let certificate = CertificateFacts {
            whose: "registry".into(),
            subject: "s".into(),
            names: vec![],
            not_before: now(),
            not_after: until,
            fingerprint: "f".into(),
        };
        TlsFacts { version, cipher: "c".into(), group: "g".into(), certificates: vec![certificate] }
    };
    let lines = LineRules { tls: vec!["TLSv1.3".to_owned()], citation: "RFC 9325".to_owned() };
    for (version, until, found) in [
        ("TLSv1.3", "2027-01-01T00:00:00Z", vec![]),
        ("TLSv1.2", "2027-01-01T00:00:00Z", at("R-record-011")),
        ("TLSv1.3", "2026-11-21T00:00:00Z", at("R-record-012")),
    ] {
        let seen = with(&|seen| (seen.tls, seen.lines) = (Some(tls(version, until)), lines.clone()));
        assert_eq!(broken(&[seen], &[]), found, "{version} {until}");
    }
    let late = with(&|seen| seen.overdue = Some((3, 40)));
    assert_eq!(broken(std::slice::from_ref(&late), &[]), at("R-record-013"));
    assert_eq!(broken(&[late], &[("adherence_reason", "a court asked for them")]), at("R-record-014"));
    let assessed = |said: bool| Assessed {
        met: vec!["matching".to_owned(), "large-scale".to_owned()],
        of: 9,
        is_needed: true,
        said: BTreeMap::from([("scoring".to_owned(), if said { "yes" } else { "no" }.to_owned())]),
        ..Assessed::default()
    };
    let scored = |said: bool| with(&|seen| seen.assessed = Some(assessed(said)));
    assert_eq!(broken(&[scored(true)], &[("automated", "none")]), of("R-record-015"));
    assert_eq!(broken(&[scored(false)], &[("automated", "none")]), []);
    assert_eq!(broken(&[scored(true)], &[("automated", "a score, looked at by two persons")]), []);
    assert_eq!(broken(&[with(&|seen| seen.applies = vec!["lock".to_owned()])], &[("automated", "none")]), of("R-record-016"));
    assert_eq!(broken(&[scored(false)], &[("dpia", "not needed: decision of 2026-01-01")]), of("R-record-017"));
    let special = with(&|seen| seen.special = Some([2, 0, 0]));
    assert_eq!(broken(std::slice::from_ref(&special), &[("condition", "none: such data are not asked for")]), at("R-record-018"));
    assert_eq!(broken(&[special], &[("condition", "Art. 9(2)(a), asked at the order")]), []);
    assert_eq!(broken(&[whole()], &[("review", "2025-11-01, next 2026-11-01")]), of("R-record-019"));
    let joint =
        with(&|seen| seen.contracts.push(Contract { party: "J".to_owned(), role: "joint-controller".to_owned(), ..Contract::default() }));
    assert_eq!(broken(&[joint], &[("joint_controllers", "none")]), of("R-record-020"));
    let processor =
        with(&|seen| seen.contracts.push(Contract { party: "P".to_owned(), role: "processor".to_owned(), ..Contract::default() }));
    assert_eq!(broken(&[processor], &[("contract", "none")]), of("R-record-021"));
    let decided = |decision: &'static str| with(&move |seen| seen.officer = Some(decision.to_owned()));
    assert_eq!(broken(&[decided("not-required")], &[("dpo", "The officer")]), of("R-record-022"));
    assert_eq!(broken(&[decided("appointed")], &[("dpo", "none")]), of("R-record-022"));
    assert_eq!(broken(&[decided("appointed")], &[("dpo", "The officer")]), []);
}

#[test]
fn findings_tell_no_small_count() {
    let mut seen = whole();
    seen.special = Some([2, 7, 0]);
    let found = contradictions(&pack(), &[seen], &BTreeMap::new(), now());
    assert_eq!(found.len(), 1);
    assert!(found[0].observed.contains("Art. 9: <5") && found[0].observed.contains("Art. 10: 7"), "{}", found[0].observed);
}

#[test]
fn a_processor_tells_its_controller_and_what_binds_it() {
    let mut seen = Evidence { told: 2, ..evidence("eurid") };
    let declared =
        BTreeMap::from([("instruction".to_owned(), "the registrar agreement".to_owned()), ("return".to_owned(), "deleted".to_owned())]);
    let row = |seen: &Evidence| build(&pack(), seen, &declared, now()).remove(0);
    let first = row(&seen);
    assert_eq!(told(&first, "on_behalf_of").value, "Registry One, DE");
    assert_eq!(told(&first, "instruction"), Entry::declared("the registrar agreement", "controller.instruction"));
    assert_eq!(told(&first, "sub_processors").value, "none");
    assert_eq!(told(&first, "breach_notices").value, "controllers were told of 2");
    assert_eq!(told(&first, "return").status, Status::Declared);
    // What the registers have goes before what is declared.
    seen.contracts = vec![
        Contract {
            case: "c-1".to_owned(),
            party: "r1".to_owned(),
            agreement: "A-7, version 3".to_owned(),
            role: "controller".to_owned(),
            ..Contract::default()
        },
        Contract {
            party: "host".to_owned(),
            agreement: "H-1".to_owned(),
            role: "sub-processor".to_owned(),
            sub_processors: Some("specific".to_owned()),
            ..Contract::default()
        },
    ];
    seen.recipients.push(Recipient {
        name: "vault".to_owned(),
        category: "escrow".to_owned(),
        country: Some("DE".to_owned()),
        ..Recipient::default()
    });
    let second = row(&seen);
    assert_eq!(
        (told(&second, "instruction").status, told(&second, "instruction").value.as_str()),
        (Status::Observed, "contract c-1: A-7, version 3")
    );
    assert_eq!(
        told(&second, "sub_processors").value,
        "host (H-1), permission for others: specific; vault (escrow), no contract in the register"
    );
}

#[test]
fn a_row_has_a_number_that_runs_do_not_change() {
    let number = |seen: &Evidence| told(&one(seen), "record_id").value;
    let (first, mut other) = (evidence("gtld-thick"), evidence("gtld-thick"));
    other.verified = Some("another run".to_owned());
    other.traffic.bytes = (1, 1);
    assert_eq!(number(&first), number(&other));
    other.elements.insert(Element::Voice, 30);
    assert_ne!(number(&first), number(&other));
}

#[test]
fn thin_fields_stand_on_what_was_seen() {
    let mut seen = evidence("gtld-thick");
    seen.sent = BTreeMap::from([(("create", "email".to_owned()), 9), (("update", "voice".to_owned()), 2)]);
    seen.former = vec![("Old escrow".to_owned(), "2026-02-03".parse().unwrap())];
    seen.recipients.push(Recipient {
        name: "New escrow".to_owned(),
        country: Some("US".to_owned()),
        mechanism: Some("standard-clauses".to_owned()),
        planned: Some("2026-10-01".parse().unwrap()),
        ..Recipient::default()
    });
    seen.verified = Some("run-9".to_owned());
    seen.assessed =
        Some(Assessed { met: vec!["matching".to_owned()], of: 9, decision: Some("carried-out".to_owned()), ..Assessed::default() });
    let row = one(&seen);
    assert_eq!(told(&row, "sent").value, "create email 9; update voice <5");
    assert_eq!(
        told(&row, "seen").value,
        "r1 seen 2026-11-22 02:00 UTC to 2026-11-22 02:00 UTC; New escrow planned since 2026-10-01; Old escrow ended 2026-02-03"
    );
    assert_eq!(told(&row, "recipient_elements").value, "r1: name, fax; New escrow: not told by the register");
    assert!(told(&row, "verified").value.starts_with("this run, run-9, at 2026-11-22 02:00 UTC"));
    assert_eq!(told(&row, "dpia").value, "1 of 9 criteria are met (matching): nothing asks for an assessment; declared: carried-out");
    assert_eq!((told(&row, "safeguard").status, told(&row, "transfer_assessment").status), (Status::Missing, Status::Missing));
    seen.recipients[1].evidence = Some("scc-7".to_owned());
    seen.recipients[1].assessment = Some("tia-1".to_owned());
    let row = one(&seen);
    assert_eq!(
        (told(&row, "safeguard").value, told(&row, "transfer_assessment").value),
        ("New escrow: scc-7".to_owned(), "New escrow: tia-1".to_owned())
    );
}
