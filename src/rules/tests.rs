//! Every rule with a value that keeps it and one that breaks it, by the embedded profiles.

use super::*;
use crate::dataset::{ContactField, DomainField};
use crate::model::{FindingSeverity, ObjectKind, Properties};
use crate::policy::{DomainRole, StatusUse, profile, profiles};

/// A contact's row from columns by their names, and properties.
fn row(id: &str, columns: &[(&str, &str)]) -> Row {
    let fields = crate::dataset::columns(ObjectKind::Contact);
    assert!(columns.iter().all(|(name, _)| fields.iter().any(|c| c.name == *name)), "{columns:?}");
    let value = |name: &str| columns.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    Row::new(id, fields.iter().map(|c| value(c.name)))
}

/// A contact that the profile `id` takes, with other values for some columns; an empty one is absent.
fn good(id: &str, changed: &[(&str, &str)]) -> Row {
    let mut columns: Vec<(&str, &str)> = match id {
        "denic" => vec![("properties", "type=PERSON"), ("loc_pc", "60329"), ("loc_cc", "DE")],
        "nicit" => vec![
            ("properties", "consentForPublishing=false;entityType=1;nationalityCode=IT;regCode=RSSMRA80A01H501U"),
            ("loc_sp", "RM"),
            ("loc_pc", "00184"),
            ("loc_cc", "IT"),
        ],
        "eurid" => vec![("properties", "type=registrant;lang=en;naturalPerson=true"), ("loc_pc", "1000"), ("loc_cc", "BE")],
        "sidn" => vec![("properties", "legalForm=PERSOON"), ("loc_pc", "1012 AB"), ("loc_cc", "NL")],
        "dnsbe" => vec![("properties", "type=licensee;lang=nl"), ("loc_pc", "1000"), ("loc_cc", "BE")],
        _ => vec![("loc_pc", "10115"), ("loc_cc", "DE")],
    };
    let common = [
        ("loc_name", "Mario Rossi"),
        ("loc_street1", "Via Roma 1"),
        ("loc_city", "Roma"),
        ("voice", "+39.06123456"),
        ("email", "m@example.org"),
    ];
    columns.extend(common);
    for (name, value) in changed {
        columns.retain(|(known, _)| known != name);
        columns.push((name, value));
    }
    let handle = match id {
        "denic" => "DENIC-1000002-MAX",
        "afnic" => "MR123-FRNIC",
        _ => "C-1234",
    };
    row(handle, &columns)
}

/// Rule, field, position and code point of each finding of a contact.
fn told(id: &str, changed: &[(&str, &str)]) -> Vec<String> {
    contact(&profile(id).expect("embedded"), &good(id, changed)).iter().map(short).collect()
}

fn short(f: &Finding) -> String {
    let at = f.position.map_or_else(String::new, |p| format!(" {p} {}", f.code_point.as_deref().unwrap_or_default()));
    let mark = if f.severity == FindingSeverity::Error { "!" } else { "?" };
    format!("{}{mark} {}{at}", f.rule, f.field)
}

#[test]
fn good_contacts_have_no_findings() {
    for profile in profiles() {
        let found = contact(&profile, &good(&profile.id, &[]));
        assert!(found.is_empty(), "{}: {found:#?}", profile.id);
    }
}

#[test]
fn required_lengths_and_occurrences() {
    let long = "x".repeat(256);
    assert_eq!(told("gtld-thick", &[("loc_city", "")]), ["R-addr-001! loc.city"]);
    assert_eq!(told("nicit", &[("loc_street1", "")]), ["R-addr-001! loc.street"]);
    assert_eq!(told("denic", &[("loc_street1", "  ")]), ["R-addr-001! loc.street"]);
    assert_eq!(told("gtld-thick", &[("loc_name", &long)]), ["R-addr-002! loc.name"]);
    assert_eq!(told("gtld-thick", &[("loc_name", &long[1..])]), Vec::<String>::new());
    assert_eq!(told("gtld-thick", &[("loc_street2", &long)]), ["R-addr-002! loc.street[2]"]);
    // 255 characters in 510 bytes, and in NFD twice as many characters.
    assert_eq!(told("denic", &[("loc_name", &"é".repeat(255))]), Vec::<String>::new());
    assert_eq!(told("denic", &[("loc_name", &"e\u{301}".repeat(255))]), ["R-addr-007? loc.name 1 U+00E9"]);
    let lines = |to: usize| (4..=to).fold("type=PERSON".to_owned(), |text, n| format!("{text};street.{n}=line {n}"));
    let streets = |to: usize| told("denic", &[("loc_street2", "b"), ("loc_street3", "c"), ("properties", &lines(to))]);
    assert_eq!((streets(5), streets(6)), (vec![], vec!["R-addr-003! loc.street".to_owned()]));
    assert_eq!(told("denic", &[("fax", "+49.301")]), ["R-addr-003! fax"]);
    assert_eq!(told("gtld-thick", &[("properties", "email.2=b@example.org")]), Vec::<String>::new());
    assert_eq!(told("gtld-thick", &[("properties", "email.2=b")]), ["R-addr-012! email[2]"]);
}

#[test]
fn forms_choices_and_patterns() {
    assert_eq!(
        told(
            "nicit",
            &[("int_name", "Mario"), ("int_street1", "Via"), ("int_city", "Roma"), ("int_sp", "RM"), ("int_pc", "00184"), ("int_cc", "IT")]
        ),
        ["R-addr-005! form"]
    );
    assert_eq!(told("gtld-thick", &[("voice", "0301234")]), ["R-addr-004! voice"]);
    assert_eq!(told("afnic", &[("loc_street2", "12, 13")]), ["R-addr-004! loc.street[2]"]);
    let afnic = profile("afnic").expect("embedded");
    let other = Row::new("C-1", good("afnic", &[]).fields());
    assert_eq!(contact(&afnic, &other).iter().map(short).collect::<Vec<_>>(), ["R-addr-015! id"]);
    let nothing = contact(&profile("gtld-thick").expect("embedded"), &row("C-1234", &[("email", "m@example.org")]));
    let nothing: Vec<_> = nothing.iter().map(short).collect();
    assert_eq!(nothing, ["R-addr-001! cc", "R-addr-001! city", "R-addr-001! form", "R-addr-001! name"]);
}

#[test]
fn handles_are_looked_at_as_the_registry_keeps_them() {
    let denic = profile("denic").expect("embedded");
    let of = |id: &str| contact(&denic, &Row::new(id, good("denic", &[]).fields())).iter().map(short).collect::<Vec<_>>();
    assert!(of("denic-1000002-max").is_empty());
    assert_eq!(of("DENIC-1000002-M_X"), ["R-addr-015? id 16 U+005F"]);
    assert_eq!(of("DENIC-1"), ["R-addr-002! id"]);
    assert_eq!(short(&Judge::of(&denic).same_in_capitals("denic-1")), "R-addr-015! id");
    assert!(Judge::of(&denic).folds_handles() && !Judge::of(&profile("nicit").expect("embedded")).folds_handles());
}

#[test]
fn countries_provinces_and_postal_codes() {
    assert_eq!(told("gtld-thick", &[("loc_cc", "XX")]), ["R-addr-008! loc.cc"]);
    assert_eq!(told("gtld-thick", &[("loc_cc", "de")]), ["R-addr-004! loc.cc"]);
    assert_eq!(told("nicit", &[("loc_sp", "XX")]), ["R-addr-009! loc.sp"]);
    assert_eq!(told("nicit", &[("loc_sp", "Roma")]), ["R-addr-009! loc.sp"]);
    assert_eq!(told("nicit", &[("loc_pc", "0018")]), ["R-addr-010? loc.pc"]);
    assert_eq!(told("gtld-thick", &[("loc_pc", "1011")]), ["R-addr-010? loc.pc"]);
    assert_eq!(told("sidn", &[("loc_pc", "0012 AB")]), ["R-addr-010? loc.pc"]);
    assert_eq!(told("sidn", &[("loc_pc", "")]), ["R-addr-001! loc.pc"]);
    let finding = contact(&profile("gtld-thick").expect("embedded"), &good("gtld-thick", &[("loc_cc", "UK")])).remove(0);
    assert_eq!(finding.suggestion.as_ref().map(crate::base::Personal::reveal), Some("GB"));
}

#[test]
fn telephones_and_mail() {
    assert_eq!(told("gtld-thick", &[("voice", "+999.1234")]), ["R-addr-011? voice"]);
    assert_eq!(told("denic", &[("voice", "+49.12345678901234")]), ["R-addr-011? voice"]);
    assert_eq!(told("gtld-thick", &[("email", "nobody")]), ["R-addr-012! email"]);
    assert_eq!(told("gtld-thick", &[("email", "a@bücher.example")]), Vec::<String>::new());
}

#[test]
fn look_alikes_and_mixed_scripts_warn_everywhere() {
    assert_eq!(told("gtld-thick", &[("loc_name", "Visit Pаypal")]), ["R-addr-013? loc.name 8 U+0430"]);
    assert_eq!(told("gtld-thick", &[("loc_org", "Straβe")]), ["R-addr-014? loc.org 5 U+03B2"]);
}

#[test]
fn properties_against_their_schema() {
    let nicit = |properties: &str| told("nicit", &[("properties", properties)]);
    assert_eq!(nicit("consentForPublishing=false;colour=red"), ["R-prop-001! properties.colour"]);
    assert_eq!(nicit("entityType=1;nationalityCode=IT;regCode=RSSMRA80A01H501U"), ["R-prop-002! properties.consentForPublishing"]);
    assert_eq!(nicit("consentForPublishing=yes"), ["R-prop-003! properties.consentForPublishing"]);
    assert_eq!(nicit("consentForPublishing=1"), ["R-prop-003! properties.consentForPublishing"]);
    assert_eq!(nicit("consentForPublishing=false;entityType=8;nationalityCode=IT;regCode=1"), ["R-prop-003! properties.entityType"]);
    assert_eq!(
        nicit("consentForPublishing=false;entityType=1;nationalityCode=IT;regCode=RSSMRA80A01H501V"),
        ["R-prop-005? properties.regCode"]
    );
    assert_eq!(nicit("consentForPublishing=false;entityType=1;nationalityCode=IT;regCode=RSSMRA80"), ["R-prop-003! properties.regCode"]);
    assert_eq!(nicit("consentForPublishing=false;entityType=2;nationalityCode=IT;regCode=00743110158"), ["R-prop-006? properties.regCode"]);
    assert_eq!(nicit("consentForPublishing=false;entityType=2;nationalityCode=IT;regCode=00743110157"), Vec::<String>::new());
    assert_eq!(nicit("consentForPublishing=false;entityType=4;nationalityCode=IT;regCode=n.a."), Vec::<String>::new());
    assert_eq!(nicit("consentForPublishing=false;entityType=1;nationalityCode=IT"), ["R-prop-002! properties.regCode"]);
    assert_eq!(
        nicit("consentForPublishing=false;entityType=3;nationalityCode=FR;regCode=00743110157"),
        ["R-prop-007? properties.nationalityCode"]
    );
    assert_eq!(nicit("consentForPublishing=false;entityType=1;nationalityCode=US;regCode=P1"), Vec::<String>::new(), "lives in Italy");
    assert_eq!(nicit("broken"), ["R-prop-003! properties"]);
    let abroad = |nationality: &str| {
        let properties = format!("consentForPublishing=false;entityType=1;nationalityCode={nationality};regCode=P1234567");
        told("nicit", &[("properties", &properties), ("loc_cc", "US"), ("loc_sp", "CA"), ("loc_pc", "94105")])
    };
    assert_eq!((abroad("FR"), abroad("US")), (vec![], vec!["R-prop-007! properties.nationalityCode".to_owned()]));
    assert_eq!(told("nicit", &[("loc_org", "Rossi SRL")]), ["R-prop-008! loc.org"]);
    assert_eq!(told("nicit", &[("loc_org", "Mario Rossi")]), Vec::<String>::new());
    assert_eq!(told("gtld-thick", &[("properties", "regCode=1")]), ["R-prop-001! properties.regCode"]);
    assert_eq!(told("denic", &[("properties", "type=ROLE")]), ["R-prop-003! properties.type"]);
    assert_eq!(told("denic", &[("properties", "type=PERSON;uri-template=mailto:a@example.org")]), ["R-prop-004! properties.uri-template"]);
    assert_eq!(told("denic", &[("properties", "type=ORG"), ("loc_org", "X GmbH")]), ["R-prop-008! loc.org"]);
}

#[test]
fn eurid_persons_organisations_and_citizens() {
    let eurid = |properties: &str, more: &[(&str, &str)]| {
        let mut changed = more.to_vec();
        changed.push(("properties", properties));
        told("eurid", &changed)
    };
    assert_eq!(eurid("type=registrant;lang=en;naturalPerson=true", &[("loc_org", "Brel NV")]), ["R-prop-008! loc.org"]);
    assert_eq!(eurid("type=registrant;lang=en;naturalPerson=false", &[]), ["R-prop-008! loc.org"]);
    assert_eq!(eurid("type=registrant;lang=en;naturalPerson=false", &[("loc_org", "n/a")]), ["R-prop-010? loc.org"]);
    let elsewhere = [("loc_cc", "US"), ("loc_pc", "94105")];
    assert_eq!(eurid("type=registrant;lang=en;naturalPerson=true", &elsewhere), ["R-prop-009? properties.countryOfCitizenship"]);
    assert_eq!(
        eurid("type=registrant;lang=en;naturalPerson=true;countryOfCitizenship=US", &elsewhere),
        ["R-prop-009? properties.countryOfCitizenship"]
    );
    assert_eq!(eurid("type=registrant;lang=en;naturalPerson=true;countryOfCitizenship=MT", &elsewhere), Vec::<String>::new());
    let company = [("loc_cc", "US"), ("loc_pc", "94105"), ("loc_org", "Acme Inc.")];
    assert_eq!(eurid("type=registrant;lang=en;naturalPerson=false", &company), ["R-prop-009? loc.cc"]);
    assert_eq!(eurid("type=tech;lang=en;naturalPerson=false;whoisEmail=a@example.org", &company), ["R-prop-004! properties.whoisEmail"]);
}

/// The findings of a domain of profile `id` with these columns.
fn of_domain(id: &str, columns: &[(DomainField, &str)], ties: u8) -> Vec<String> {
    let value = |field: DomainField| columns.iter().find(|(known, _)| *known == field).map(|(_, value)| *value);
    let row = Row::new("example.it", DomainField::ALL.iter().map(|f| value(*f)));
    Judge::of(&profile(id).expect("embedded")).domain_among(&row, |_| ties).iter().map(short).collect()
}

#[test]
fn name_servers_by_number_and_address() {
    use DomainField as F;
    let ns = |id: &str, ns: &str| of_domain(id, &[(F::Registrant, "R"), (F::Admin, if id == "denic" { "" } else { "R" }), (F::Ns, ns)], 0);
    assert_eq!(ns("nicit", "ns1.example.net"), ["R-ns-001! ns"]);
    assert_eq!(ns("nicit", ""), Vec::<String>::new());
    let many: Vec<String> = (1..=7).map(|n| format!("ns{n}.example.net")).collect();
    assert_eq!((ns("nicit", &many[..6].join(";")), ns("nicit", &many.join(";"))), (vec![], vec!["R-ns-001! ns".to_owned()]));
    assert_eq!(ns("nicit", "ns1.example.it;ns2.example.net"), ["R-ns-002! ns[1]"]);
    assert_eq!(ns("nicit", "ns1.example.it=192.0.2.1;ns2.example.net"), Vec::<String>::new());
    assert_eq!(ns("nicit", "nsexample.it;ns_2.example.net"), ["R-ns-003! ns[2]"]);
    assert_eq!(ns("nicit", "ns1.example.net;NS1.example.net"), ["R-ns-004! ns[2]"]);
    assert_eq!(ns("nicit", "ns1.example.it=192.0.2.256;ns2.example.net"), ["R-ns-005! ns[1]"]);
    assert_eq!(ns("denic", "ns1.example.it=192.0.2.1;ns2.example.net"), ["R-ns-005! ns[1]"]);
    assert_eq!(ns("nicit", "ns1.example.net=1.1.1.1;ns2.example.net"), ["R-ns-006? ns[1]"]);
    assert_eq!(ns("gtld-thick", "ns1.example.it"), Vec::<String>::new());
}

#[test]
fn roles_by_number_and_by_who_they_must_be() {
    use DomainField as F;
    let roles = |columns: &[(F, &str)], ties| of_domain("nicit", columns, ties);
    assert_eq!(roles(&[(F::Registrant, "R"), (F::Admin, "A")], 0), Vec::<String>::new());
    assert_eq!(roles(&[(F::Registrant, "R"), (F::Admin, "A;B")], 0), ["R-role-001! admin"]);
    assert_eq!(roles(&[(F::Registrant, "R")], 0), ["R-role-001! admin"]);
    assert_eq!(roles(&[(F::Registrant, "R"), (F::Admin, "R"), (F::Tech, "1;2;3;4;5;6;7")], 0), ["R-role-001! tech"]);
    let nicit = profile("nicit").expect("embedded");
    let judge = Judge::of(&nicit);
    let tied = judge.ties(&good("nicit", &[]));
    assert!(judge.has_ties() && tied != 0 && judge.ties(&good("nicit", &[("properties", "entityType=2")])) == 0);
    assert!(nicit.roles.contains_key(&DomainRole::Admin));
    assert_eq!(roles(&[(F::Registrant, "R"), (F::Admin, "A")], tied), ["R-role-002! admin"]);
    assert_eq!(roles(&[(F::Registrant, "R"), (F::Admin, "R")], tied), Vec::<String>::new());
    let holders = |properties: &str| of_domain("denic", &[(F::Registrant, "R"), (F::Properties, properties)], 0);
    assert_eq!(holders("registrant.2=S;registrant.3=T;registrant.4=U;registrant.5=V"), Vec::<String>::new());
    assert_eq!(holders("registrant.2=S;registrant.3=T;registrant.4=U;registrant.5=V;registrant.6=W"), ["R-role-001! registrant"]);
    assert_eq!(of_domain("denic", &[(F::Registrant, "R"), (F::Tech, "T")], 0), ["R-role-001! tech"]);
}

#[test]
fn statuses_that_stand_and_statuses_that_change() {
    use DomainField as F;
    let stands = |id: &str, statuses: &str| {
        let admin = if id == "nicit" { "R" } else { "" };
        of_domain(
            id,
            &[(F::Registrant, "R"), (F::Admin, admin), (F::Tech, if id == "eurid" { "T" } else { "" }), (F::Statuses, statuses)],
            0,
        )
    };
    assert_eq!(stands("nicit", "ok;clientDeleteProhibited;serverHold;pendingUpdate;inactive"), Vec::<String>::new());
    assert_eq!(
        stands("nicit", "clientHold;clientTransferProhibited"),
        ["R-stat-003? statuses.clientHold", "R-stat-003? statuses.clientTransferProhibited"]
    );
    assert_eq!(stands("nicit", "clientLock"), ["R-stat-002? statuses.clientLock"]);
    assert_eq!(stands("eurid", "clientHold"), ["R-stat-002! statuses.clientHold"]);
    assert_eq!(stands("denic", "connect;failed"), Vec::<String>::new());
    assert_eq!(stands("gtld-thick", "clientHold;glowing;linked"), ["R-stat-001? statuses.glowing", "R-stat-001? statuses.linked"]);
    let change = |id: &str, status: &str, adding| {
        status_change(&profile(id).expect("embedded"), ObjectKind::Domain, status, adding).map(|f| short(&f))
    };
    assert_eq!(change("gtld-thick", "clientTransferProhibited", true), None);
    assert_eq!(change("nicit", "clientHold", false), None);
    assert_eq!(change("nicit", "clientHold", true).as_deref(), Some("R-stat-003! statuses.clientHold"));
    assert_eq!(change("nicit", "clientTransferProhibited", false).as_deref(), Some("R-stat-003! statuses.clientTransferProhibited"));
    assert_eq!(change("denic", "clientTransferProhibited", true).as_deref(), Some("R-stat-002! statuses.clientTransferProhibited"));
    assert_eq!(change("gtld-thick", "ok", true).as_deref(), Some("R-stat-002! statuses.ok"));
    assert_eq!(change("gtld-thick", "glowing", true).as_deref(), Some("R-stat-001? statuses.glowing"));
    // What a profile lets be set no rule speaks against, and everything else one does.
    for profile in profiles() {
        for (status, rule) in &profile.statuses.domain {
            let told = status_change(&profile, ObjectKind::Domain, status, true);
            assert_eq!(told.is_none(), rule.value == StatusUse::Settable, "{} {status}", profile.id);
        }
    }
}

#[test]
fn a_provider_in_a_registrants_place_is_seen_where_no_proxy_is_taken() {
    let own = OwnData::new("Domain Privacy Service", "", "PO Box 1", "+49.301234567", "relay.example");
    let told = |id: &str, changed: &[(&str, &str)]| {
        let profile = profile(id).expect("embedded");
        Judge::of(&profile).proxy(&good(id, changed), &own).map(|f| short(&f))
    };
    assert_eq!(told("eurid", &[("email", "example.eu@relay.example")]).as_deref(), Some("R-prop-011? email"));
    assert_eq!(told("eurid", &[("loc_name", "Domain  PRIVACY Service"), ("loc_street1", "PO Box 1")]).as_deref(), Some("R-prop-011? name"));
    assert_eq!(told("eurid", &[("loc_street1", "PO Box 1")]), None);
    assert_eq!(told("gtld-thick", &[("email", "example.org@relay.example")]), None);
    assert_eq!(told("nz", &[("email", "example.nz@relay.example")]).as_deref(), Some("R-prop-011! email"));
}

#[test]
fn no_finding_holds_a_value() {
    let secret = "Zaphod Beeblebrox\u{1e9e}";
    let rows = [
        good("denic", &[("loc_name", secret), ("loc_city", secret), ("voice", secret), ("email", secret), ("loc_cc", secret)]),
        good("denic", &[("properties", "type=Zaphod;colour=Zaphod;street.4=Zaphod\u{1e9e}")]),
    ];
    for row in &rows {
        let found = contact(&profile("denic").expect("embedded"), row);
        assert!(found.len() >= 2, "{found:?}");
        let printed = format!("{found:?} {}", serde_json::to_string(&found).expect("JSON"));
        assert!(!printed.contains("Zaphod") && !printed.contains("Beeble"), "{printed}");
    }
}

#[test]
fn an_override_changes_what_is_found_without_any_code() {
    let denic = profile("denic").expect("embedded");
    let row = good("denic", &[("loc_name", "STRA\u{1e9e}E")]);
    assert_eq!(contact(&denic, &row).iter().map(short).collect::<Vec<_>>(), ["R-addr-006? loc.name 5 U+1E9E"]);
    let own = "[characters.denic-unicode31]\nvalue = [\"0020-007E\", \"1E9E\"]\nsource = \"our contract\"\nconfidence = \"seen\"\n";
    let own = denic.overridden(own).expect("good rules").profile;
    assert!(contact(&own, &row).is_empty());
    let umlaut = good("denic", &[("loc_name", "Müller")]);
    assert!(contact(&denic, &umlaut).is_empty());
    let found = contact(&own, &umlaut);
    assert_eq!(found.iter().map(short).collect::<Vec<_>>(), ["R-addr-006? loc.name 2 U+00FC"]);
    assert_eq!(&*found[0].source, "as for the handbook's other free text");
    assert_eq!(found[0].suggestion.as_ref().map(crate::base::Personal::reveal), Some("u"));
}

#[test]
fn hostile_rows_end_no_process() {
    for profile in profiles() {
        for text in [
            "",
            "\0",
            "a\u{300}\u{301}\u{302}",
            "\u{10ffff}",
            "=;=;\\",
            "entityType=;entityType",
            "street.4=x;street.99999999999999999999=y;.1=z",
        ] {
            let contact_row = Row::new(text, ContactField::ALL.iter().map(|_| Some(text)));
            let domain_row = Row::new(text, DomainField::ALL.iter().map(|_| Some(text)));
            let found = contact(&profile, &contact_row).len() + domain(&profile, &domain_row).len();
            assert!(text.is_empty() || found > 0 || !profile.has_contacts(), "{}: {text:?}", profile.id);
        }
    }
    assert!(Properties::read("a=1").is_ok());
}
