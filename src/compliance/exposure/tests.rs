//! What of contacts is seen, by profile; the vectors of roles and blanks; what answers contradict; and how good the heuristics are.

use super::*;
use crate::base::SeededEntropy;
use crate::compliance::Fingerprint;
use crate::compliance::subjects::{Made, Subjects};
use crate::dataset::{ContactField as F, RdapAnswers, Row, columns};
use crate::model::{Element, ObjectKind};
use crate::policy::{DomainRole, Profile, profile, profile_names};
use crate::store::{Batch, MemoryStore};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn row(fields: &[(F, &str)]) -> Row {
    let value = |name: &str| fields.iter().find(|(field, _)| field.name() == name).map(|(_, value)| *value);
    Row::new("C-1", columns(ObjectKind::Contact).iter().map(|column| value(column.name)))
}

fn profiled(id: &str) -> Arc<Profile> {
    profile(id).expect("an embedded profile")
}

/// A contact that has everything, with more fields.
fn whole(more: &[(F, &str)]) -> Row {
    let all = [
        (F::LocName, "Ada Ligustrum"),
        (F::LocStreet1, "1 Hedge Lane"),
        (F::LocCity, "Privetville"),
        (F::LocSp, "Gelderland"),
        (F::LocPc, "1000 AA"),
        (F::LocCc, "NL"),
        (F::Voice, "+31.5551234567"),
        (F::Fax, "+31.5557654321"),
        (F::Email, "ada@mail.example"),
    ];
    row(&more.iter().chain(&all).copied().collect::<Vec<_>>())
}

fn seen(id: &str, role: DomainRole, row: &Row, consent: &Consent) -> String {
    let exposure = judge(&Person::of(row), &profiled(id), role, consent);
    let word = |(element, seen): (Element, Seen)| (seen != Seen::Absent).then(|| format!("{element} {}", seen.as_str()));
    exposure.iter().filter_map(word).collect::<Vec<_>>().join(", ")
}

const NOBODY: Consent = Consent::Nothing;

#[test]
fn what_a_registry_publishes_is_its_profiles_to_say() {
    use DomainRole::{Admin, Registrant, Tech};
    let company = whole(&[(F::LocOrg, "Hedge Ltd")]);
    assert_eq!(
        seen("gtld-thick", Registrant, &company, &NOBODY),
        "name gated, organisation public, street gated, city gated, state public, postal-code gated, country public, voice gated, fax gated, \
         email gated"
    );
    assert!(!seen("gtld-thick", Tech, &company, &NOBODY).contains("public"));
    let typed = |kind: &str| whole(&[(F::Properties, &format!("type={kind}"))]);
    assert!(seen("denic", Registrant, &typed("ORG"), &NOBODY).starts_with("name public, street public"));
    assert!(!seen("denic", Registrant, &typed("PERSON"), &NOBODY).contains("public"));
    let european = |natural: &str| whole(&[(F::Properties, &format!("naturalPerson={natural};type=registrant"))]);
    assert!(seen("eurid", Registrant, &european("true"), &NOBODY).ends_with("fax withheld, email public"));
    assert!(seen("eurid", Registrant, &european("false"), &NOBODY).contains("street public"));
    assert!(seen("eurid", Admin, &european("false"), &NOBODY).contains("street unknown"), "nothing was read of other roles");
    assert!(seen("sidn", Registrant, &company, &NOBODY).contains("name unknown"));
}

#[test]
fn whoever_said_nothing_is_shown_no_more_than_the_registry_shows_of_everybody() {
    // A natural person without a statement, a consent or a property that chooses, as registrant of each registry.
    let silent = whole(&[(F::Properties, "type=PERSON;naturalPerson=true;entityType=1")]);
    let mut shown = Vec::new();
    for id in profile_names() {
        let profile = profile(id).unwrap();
        let person = Person::of(&silent);
        let of = judge(&person, &profile, DomainRole::Registrant, &NOBODY);
        assert!(of.iter().all(|(_, seen)| !matches!(seen, Seen::OptedIn | Seen::Leak)), "{id}: silence chooses nothing");
        let public: Vec<&str> = of.iter().filter(|(_, seen)| seen.is_public()).map(|(element, _)| element.as_str()).collect();
        shown.push(format!("{id}: {}", public.join(" ")));
    }
    // .nz is public by default, and withholding the exception; everywhere else no name, address or number is shown of a person.
    assert_eq!(
        shown,
        [
            "afnic: ",
            "denic: ",
            "dnsbe: ",
            "eurid: email",
            "gtld-minimum: state country",
            "gtld-thick: state country",
            "nicit: ",
            "nz: name street city state postal-code country voice fax email",
            "sidn: ",
        ]
    );
}

#[test]
fn the_registrys_own_data_in_contact_fields_are_withheld_data_and_the_name_is_not() {
    let profile = profiled("nz");
    let own = &profile.stand_in.as_ref().expect("a rule").value;
    let judged = |more: &[(F, &str)]| seen("nz", DomainRole::Registrant, &whole(more), &NOBODY);
    let replaced = judged(&[(F::LocOrg, "DOMAIN NAME  Commission Limited")]);
    assert_eq!(
        replaced,
        "name public, organisation withheld, street withheld, city withheld, state withheld, postal-code withheld, country withheld, \
         voice withheld, fax withheld, email withheld"
    );
    let all = judged(&[(F::LocOrg, "Domain Name Commission Limited"), (F::LocName, "Domain Name Commission Limited")]);
    assert!(all.starts_with("name withheld"), "{all}");
    assert!(!judged(&[(F::LocOrg, "Domain Name Commission Limited Fans")]).contains("withheld"));
    assert!(!judged(&[]).contains("withheld"));
    let other = whole(&[(F::LocOrg, "Domain Name Commission Limited")]);
    assert!(Person::of(&other).is_stand_in(own));
    assert!(seen("gtld-thick", DomainRole::Registrant, &other, &NOBODY).contains("organisation public"), "nobody's elsewhere");
}

#[test]
fn the_contacts_own_word_moves_what_it_may() {
    let italian = |entity: &str, consent: &str| whole(&[(F::Properties, &format!("consentForPublishing={consent};entityType={entity}"))]);
    let of = |entity, consent| seen("nicit", DomainRole::Registrant, &italian(entity, consent), &NOBODY);
    assert!(of("1", "true").starts_with("name opted-in") && of("1", "false").starts_with("name opted-out"));
    assert!(of("2", "false").starts_with("name public"), "an organisation is published whatever it says");
    let kiwi = |disclose: &str| seen("nz", DomainRole::Registrant, &whole(&[(F::Disclose, disclose)]), &NOBODY);
    assert!(kiwi("0:voice,addr.loc").starts_with("name public, street opted-out, city opted-out, state opted-out, postal-code opted-out"));
    assert!(kiwi("0:voice,addr.loc").contains("country public, voice opted-out"), "{}", kiwi("0:voice,addr.loc"));
    assert!(kiwi("0:voice,addr.int").contains("street public"), "the statement is about the other form");
    assert!(
        kiwi("0:email,name.loc").starts_with("name public") && kiwi("0:email,name.loc").ends_with("email public"),
        "shown of everybody"
    );
    let generic = |disclose: &str| seen("gtld-thick", DomainRole::Registrant, &whole(&[(F::Disclose, disclose)]), &NOBODY);
    assert!(generic("1:email,addr.loc").contains("street opted-in") && generic("1:email,addr.loc").ends_with("email opted-in"));
    assert!(generic("0:addr.loc").contains("state public") && generic("0:addr.loc").contains("country public"), "public by design");
    let both = [(F::IntName, "Petrov"), (F::LocName, "Петров"), (F::Disclose, "0:name.loc")];
    assert_eq!(seen("nz", DomainRole::Registrant, &row(&both), &NOBODY), "name public", "the other form is shown");
}

#[test]
fn consent_publishes_where_the_registrars_directory_does() {
    let own = whole(&[]);
    let of = |consent: &Consent| seen("gtld-minimum", DomainRole::Registrant, &own, consent);
    assert!(of(&NOBODY).starts_with("name gated"));
    assert!(of(&Consent::Given(Vec::new())).starts_with("name opted-in"));
    let some = of(&Consent::Given(vec![Element::Email]));
    assert!(some.starts_with("name gated") && some.ends_with("email opted-in"), "{some}");
    assert!(of(&Consent::Withdrawn).starts_with("name opted-out"));
}

#[test]
fn an_organisation_that_is_none_leaves_a_natural_person() {
    for blank in ["  ", "-", "n/a", "NONE", "private person"] {
        let contact = whole(&[(F::LocOrg, blank), (F::Properties, "type=licensee")]);
        assert!(Person::of(&contact).has_blank_organisation(), "{blank:?}");
        assert!(seen("dnsbe", DomainRole::Registrant, &contact, &NOBODY).starts_with("name withheld"), "{blank:?}");
    }
    let company = whole(&[(F::LocOrg, "Hedge Ltd"), (F::Properties, "type=licensee")]);
    assert!(!Person::of(&company).has_blank_organisation());
    assert!(seen("dnsbe", DomainRole::Registrant, &company, &NOBODY).starts_with("name unknown"));
    assert!(!Person::of(&whole(&[])).has_blank_organisation(), "none at all is no blank");
}

#[test]
fn placeholders_lag_behind_consent_and_real_data_behind_its_withdrawal() {
    let profile = profiled("nicit");
    let of = |fields: &[(F, &str)], consent: &Consent, hidden: bool| {
        let row = whole(fields);
        stale(&judge(&Person::of(&row), &profile, DomainRole::Registrant, consent), consent, hidden)
    };
    let given = Consent::Given(Vec::new());
    let shown = [(F::Properties, "consentForPublishing=true;entityType=1")];
    let withheld = [(F::Properties, "consentForPublishing=false;entityType=1")];
    let placeholder = [(F::LocName, "REDACTED FOR PRIVACY"), shown[0]];
    assert_eq!(of(&shown, &given, false), None);
    assert_eq!(of(&withheld, &given, false), Some(Stale::Withholding));
    assert_eq!(of(&placeholder, &given, false), Some(Stale::Withholding));
    assert_eq!(of(&placeholder, &Consent::Given(vec![Element::Email]), false), None, "it is not for the name");
    assert_eq!(of(&withheld, &given, true), None, "a service hides the person");
    assert_eq!(of(&shown, &Consent::Withdrawn, false), Some(Stale::Showing));
    assert_eq!(of(&shown, &Consent::Withdrawn, true), Some(Stale::Showing), "shown all the same");
    assert_eq!(of(&withheld, &Consent::Withdrawn, false), None);
    assert_eq!(of(&placeholder, &NOBODY, false), None);
}

#[test]
fn what_neither_rule_nor_purpose_needs_is_needless() {
    let contact = whole(&[]);
    let needless = |id: &str, role: DomainRole| {
        let profile = profiled(id);
        let person = Person::of(&contact);
        let all = Element::ALL.iter().copied().filter(|element| is_needless(&person, &profile, role, *element) == Some(true));
        all.map(Element::as_str).collect::<Vec<_>>()
    };
    assert_eq!(needless("gtld-thick", DomainRole::Registrant), ["fax"]);
    assert_eq!(needless("gtld-thick", DomainRole::Billing).len(), 9, "all that such a contact has");
    assert_eq!(needless("nicit", DomainRole::Admin), ["fax"], "the registry requires street, province, postal code and telephone");
    assert_eq!(needless("sidn", DomainRole::Registrant), Vec::<&str>::new(), "nobody said what is needed");
}

#[test]
fn properties_of_special_data_are_the_profiles_to_name() {
    let profile = profiled("nicit");
    let of = |properties: &str| {
        let row = whole(&[(F::Properties, properties)]);
        special_properties(&Person::of(&row), &profile).map(|(name, kind)| format!("{name} {}", kind.as_str())).collect::<Vec<_>>()
    };
    assert_eq!(of("entityType=1;regCode=RSSMRA80A01H501U"), ["regCode art-87"]);
    assert_eq!(of("entityType=2;regCode=00743110157"), Vec::<String>::new(), "a company's");
    assert_eq!(of("entityType=1"), Vec::<String>::new());
}

#[test]
fn a_mask_is_held_field_by_field() {
    let mask = row(&[(F::IntName, "Privacy Service"), (F::IntCity, "Privetville"), (F::IntCc, "NL"), (F::Voice, "+31.5550000000")]);
    let differs = |changes: &[(F, &str)]| {
        let held = mask.with(&changes.iter().map(|(field, value)| (field.at(), (!value.is_empty()).then_some(*value))).collect::<Vec<_>>());
        unmasked(&Person::of(&mask), &Person::of(&held)).map(Element::as_str).collect::<Vec<_>>()
    };
    assert_eq!(differs(&[]), Vec::<&str>::new());
    assert_eq!(differs(&[(F::IntName, "PRIVACY  service"), (F::Voice, "+31 555 0000000")]), Vec::<&str>::new(), "ways of writing");
    assert_eq!(differs(&[(F::IntName, "Ada"), (F::IntCity, ""), (F::Fax, "+31.5550000001")]), ["name", "city", "fax"]);
}

/// The contradictions of the answers in the fixture, as `domain: role element how`.
fn contradictions(promised: Seen, masked: bool) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rdap/exposure.ndjson");
    let answers = RdapAnswers::read(&[path]).expect("answers");
    let own = whole(&[(F::LocOrg, "Hedge Ltd")]);
    let mask = row(&[(F::IntName, "Privacy Service"), (F::IntCity, "Privetville"), (F::IntCc, "NL"), (F::Email, "d@relay.example")]);
    let exposure = Exposure::of(|_| promised);
    let mut out = Vec::new();
    for (domain, answer) in answers.iter() {
        let mask = Person::of(&mask);
        let people = [Person::of(&own)];
        let found = compare(DomainRole::Registrant, &exposure, answer, &people, masked.then_some(&mask));
        out.extend(found.into_iter().map(|(element, how)| format!("{domain} {element} {how:?}")));
    }
    out
}

#[test]
fn answers_that_show_what_is_kept_back_leak_and_those_that_redact_what_is_public_are_told() {
    assert_eq!(
        contradictions(Seen::Withheld, false),
        [
            "bare.example name Shows",
            "bare.example email Shows",
            "claimed.example street Shows",
            "masked.example name Shows",
            "masked.example city Shows",
            "partial.example postal-code Shows"
        ],
    );
    assert_eq!(
        contradictions(Seen::MaskedV2, true),
        [
            "bare.example name Shows",
            "bare.example email Shows",
            "claimed.example street Shows",
            "partial.example postal-code Shows",
            "partial.example email Shows"
        ],
    );
    assert_eq!(
        contradictions(Seen::Public, false),
        [
            "claimed.example email Redacts",
            "partial.example city Redacts",
            "placeholder.example name Redacts",
            "redacted.example name Redacts",
            "redacted.example email Redacts"
        ],
    );
    assert_eq!(contradictions(Seen::Unknown, false), Vec::<String>::new(), "nothing was promised");
    assert_eq!(contradictions(Seen::Absent, false), Vec::<String>::new());
}

fn examples(name: &str) -> Vec<Vec<String>> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/heuristics").join(name);
    let mut reader = csv::Reader::from_path(path).expect("examples");
    reader.records().map(|record| record.expect("a row").iter().map(ToOwned::to_owned).collect()).collect()
}

/// How often a heuristic and a person said so.
#[derive(Default)]
struct Score {
    rows: usize,
    both: usize,
    heuristic: usize,
    person: usize,
}

impl Score {
    fn add(&mut self, found: bool, labelled: bool) {
        self.rows += 1;
        self.both += usize::from(found && labelled);
        self.heuristic += usize::from(found);
        self.person += usize::from(labelled);
    }

    fn line(&self, name: &str) -> String {
        let share = |of: usize| self.both * 1000 / of.max(1);
        let (precision, recall) = (share(self.heuristic), share(self.person));
        format!("| {name} | {} | {} | 0.{precision:03} | 0.{recall:03} |", self.rows, self.person).replace("0.1000", "1.000")
    }
}

/// Whether a ledger that has the one tells the other as its near duplicate.
fn are_near(one: &Fingerprint, other: &Fingerprint) -> bool {
    let mut store = MemoryStore::default();
    let mut subjects = Subjects::open(&mut store).expect("a ledger");
    let (mut made, mut batch, mut entropy) = (Made::default(), Batch::default(), SeededEntropy::new(1));
    let mut enrol = |person| subjects.enrol(person, &mut made, &mut batch, &mut entropy).expect("enrolled");
    let first = enrol(one).subject;
    enrol(other).near.iter().any(|(known, _)| *known == first)
}

#[test]
fn the_heuristics_are_as_good_as_is_published() {
    let (mut mailbox, mut shared) = (Score::default(), Score::default());
    for row in examples("mailbox.csv") {
        mailbox.add(names_its_person(&row[1], &row[0]), row[2] == "yes");
    }
    let mut special = [(); 3].map(|()| Score::default());
    for row in examples("special.csv") {
        let found = special_in(&row[0]);
        for (score, kind) in special.iter_mut().zip(crate::policy::SpecialKind::ALL) {
            score.add(found.contains(&kind), row[1].split(';').any(|word| word == kind.as_str()));
        }
    }
    let fleet: Vec<(Row, bool)> = examples("shared.csv")
        .into_iter()
        .map(|r| {
            let fields = [(F::LocName, &r[1]), (F::LocOrg, &r[2]), (F::Email, &r[3]), (F::LocPc, &r[4]), (F::LocCc, &r[5])];
            let fields: Vec<(F, &str)> = fields.iter().map(|(f, v)| (*f, v.as_str())).filter(|(_, v)| !v.is_empty()).collect();
            (row(&fields), r[6] == "yes")
        })
        .collect();
    let mut alike = Alike::default();
    for (row, _) in &fleet {
        alike.take(&Person::of(row));
    }
    let found = alike.shared(5);
    for (row, labelled) in &fleet {
        shared.add(found.of(&Person::of(row)).is_some(), *labelled);
    }
    let mut near = Score::default();
    for row in examples("near.csv") {
        let person = |at: usize| Fingerprint::of(&row[at], &row[at + 1], &row[at + 2], &row[at + 3]).expect("somebody");
        near.add(are_near(&person(0), &person(4)), row[8] == "yes");
    }
    assert!([mailbox.rows, special[0].rows, shared.rows, near.rows].iter().all(|rows| *rows >= 60));
    let [art9, art10, art87] = special;
    let told = [
        mailbox.line("an e-mail address says who its person is"),
        art9.line("free text holds data of Art. 9"),
        art10.line("free text holds data of Art. 10"),
        art87.line("free text holds a number of Art. 87"),
        shared.line("a registrant was altered by a reseller"),
        near.line("two subjects are one person that changed"),
    ]
    .join("\n");
    let head = "| heuristic | examples | of them so | precision | recall |\n|---|---|---|---|---|";
    let told = format!("{head}\n{told}\n");
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/heuristics/scores.txt");
    if std::env::var_os("PRIVET_BLESS").is_some() {
        crate::base::write_atomic(&published, told.as_bytes()).expect("written");
    }
    assert_eq!(told, std::fs::read_to_string(published).expect("the published scores"));
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    assert!(readme.contains(told.trim_end()), "the README has other scores:\n{told}");
}

proptest! {
    #[test]
    fn nobody_is_seen_more_for_keeping_more_back(flag in 0_u8..2, names in prop::sample::subsequence(vec!["addr.loc", "email", "fax", "name.loc", "voice"], 0..5)) {
        let profile = profiled("nz");
        let plain = judge(&Person::of(&whole(&[])), &profile, DomainRole::Registrant, &NOBODY);
        let statement = format!("{flag}:{}", names.join(","));
        let row = whole(&[(F::Disclose, &statement)]);
        let said = judge(&Person::of(&row), &profile, DomainRole::Registrant, &NOBODY);
        for (element, seen) in said.iter() {
            let before = plain.get(element);
            prop_assert_eq!(seen == Seen::Absent, before == Seen::Absent);
            prop_assert!(if flag == 0 { seen <= before } else { seen.is_public() || seen == before }, "{} {:?}", element, seen);
        }
    }

    #[test]
    fn what_is_not_there_is_seen_by_nobody(bits in 0_u16..1024, consent in 0_usize..3) {
        let all = whole(&[(F::LocOrg, "Hedge Ltd")]);
        let consent = [Consent::Nothing, Consent::Given(Vec::new()), Consent::Withdrawn][consent].clone();
        let columns = [F::LocName, F::LocOrg, F::LocStreet1, F::LocCity, F::LocSp, F::LocPc, F::LocCc, F::Voice, F::Fax, F::Email];
        let gone: Vec<(usize, Option<&str>)> =
            columns.iter().enumerate().filter(|(n, _)| bits & 1 << n != 0).map(|(_, field)| (field.at(), None)).collect();
        let row = all.with(&gone);
        for profile in crate::policy::profiles() {
            for role in [DomainRole::Registrant, DomainRole::Admin, DomainRole::Tech, DomainRole::Billing] {
                let exposure = judge(&Person::of(&row), &profile, role, &consent);
                for (n, (_, seen)) in exposure.iter().enumerate() {
                    prop_assert_eq!(seen == Seen::Absent, bits & 1 << n != 0);
                }
            }
        }
    }
}
