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
    }
}

fn evidence(profile: &str) -> Evidence {
    let people = [("DE", 40), ("FR", 12), ("IT", 7), ("NZ", 2), ("US", 1)];
    Evidence {
        registry: "r1".to_owned(),
        profile: profile.to_owned(),
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
    assert_eq!(told(&row, "elements").value, "name 62 (100 %); fax <5 (4 %)");
    assert_eq!(told(&row, "special").value, "contacts with data of Art. 9: 0; Art. 10: 0; Art. 87: 7");
    assert_eq!(told(&row, "condition").status, Status::NotApplicable);
    // One country with few would follow from the sum: the next one goes with it.
    let mut seen = evidence("gtld-thick");
    seen.subjects.remove(&(false, "US".to_owned()));
    assert_eq!(told(&one(&seen), "subject_count").value, "DE 40; FR 12; 2 countries with few");
}

#[test]
fn the_role_matrix_moves_rows_and_nothing_else() {
    let text = include_str!("../packs/record.toml").replace("profiles = [\"eurid\"]", "profiles = [\"eurid\", \"gtld-thick\"]");
    let other = RecordPack::parse(&text, Path::new("own.toml")).unwrap();
    let (seen, declared) = (evidence("gtld-thick"), BTreeMap::new());
    let (before, after) = (build(&pack(), &seen, &declared, now()), build(&other, &seen, &declared, now()));
    assert_eq!((before[0].role, after[0].role), (Role::Controller, Role::Processor));
    assert_eq!(before[0].cells, after[0].cells);
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
        ]
        .join("\n")
    );
}
