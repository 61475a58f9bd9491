//! The registry without a line: raw requests in both forms.

use super::*;
use crate::base::HostName;
use crate::mock::fleet::Fleet;
use crate::mock::knobs::Knobs;
use crate::model::{Address, Date, Host, HostAttr, Ip, IpVersion, NameServers, Phone, PostalForm, PostalInfo, Properties};
use crate::policy::profile;

/// A contact and a domain of ours, and a contact of somebody else's.
struct Few;

fn anna(id: &str) -> Contact {
    Contact {
        postal: vec![PostalInfo {
            form: PostalForm::Loc,
            name: Some("Anna Beispiel".into()),
            org: Some("Bäcker & Söhne GmbH".into()),
            addr: Some(Address {
                street: vec!["Lange Straße 1".into(), "Hinterhaus".into(), "Aufgang C".into()],
                city: "Göttingen".into(),
                sp: None,
                pc: Some("37073".into()),
                cc: "DE".into(),
            }),
        }],
        voice: Some(Phone { number: "+49.5515550100".into(), ext: Some("29".into()) }),
        email: Some("anna@example.org".into()),
        sponsor: Some(if id.ends_with("FREMD") { "registrar-2" } else { "registrar-1" }.into()),
        created: Some(Date::read("2020-01-01T00:00:00Z")),
        properties: Properties::read(
            "type=PERSON;street.4=4. Stock;org.2=Verein der Beispiele e.V.;email.2=beispiel@example.org;\
             verification=claim\\=name\\;method\\=auth\\;result\\=success",
        )
        .expect("well-formed"),
        ..Contact::bare(Handle::from(id))
    }
}

impl Fleet for Few {
    fn contact(&self, id: &str) -> Option<Contact> {
        matches!(id, "DENIC-1-ANNA" | "DENIC-1-FREMD").then(|| anna(id))
    }

    fn domain(&self, name: &str) -> Option<Domain> {
        (name == "xn--bcher-kva.de").then(|| Domain {
            registrant: Some("DENIC-1-ANNA".into()),
            ns: NameServers::Attributes(vec![
                HostAttr {
                    name: HostName::from("ns1.xn--bcher-kva.de"),
                    addrs: vec![Ip { version: IpVersion::V4, text: "192.0.2.1".into() }],
                },
                HostAttr { name: HostName::from("ns2.example.net"), addrs: vec![] },
            ]),
            sponsor: Some("registrar-1".into()),
            properties: Properties::read("registrant.2=DENIC-1-FREMD;registryLock=true").expect("well-formed"),
            ..Domain::bare(DomainName::from(name))
        })
    }

    fn host(&self, _name: &str) -> Option<Host> {
        None
    }
}

/// A question in either form.
const ANNA: &str = "Version: 5.0\nAction: INFO\nHandle: DENIC-1-ANNA\n";
const INFO: &str = r#"<registry-request xmlns="http://registry.denic.de/global/5.0" xmlns:contact="http://registry.denic.de/contact/5.0"><contact:info><contact:handle>denic-1-anna</contact:handle></contact:info></registry-request>"#;

/// A registry and one connection.
struct Desk {
    registry: Registry,
    connection: Connection,
    millis: u64,
}

impl Desk {
    fn new(knobs: &[&str]) -> Self {
        let knobs = Knobs::read(knobs.iter().copied()).expect("knobs");
        let wall = Timestamp::UNIX_EPOCH;
        let profile = profile("denic").expect("embedded");
        let registry = Registry::new(profile, Box::new(Few), &knobs, "registrar-1", Secret::new("geheim"), 1, wall).expect("a registry");
        Self { registry, connection: Connection::new(Moment::ZERO), millis: 0 }
    }

    fn logged_in(knobs: &[&str]) -> Self {
        let mut desk = Self::new(knobs);
        assert!(desk.say("version: 5.0\naction: LOGIN\nuser: registrar-1\npassword: geheim\n").starts_with("RESULT: success\n"));
        desk
    }

    /// The answer to a frame.
    fn say(&mut self, frame: &str) -> String {
        self.millis += 10;
        let mut out = Vec::new();
        let now = Moment::from_origin(Duration::from_millis(self.millis));
        let wall = "2026-11-22T12:00:00Z".parse().expect("a time");
        let _answer = self.connection.handle(&mut self.registry, frame.as_bytes(), now, wall, &mut out);
        String::from_utf8(out).expect("UTF-8")
    }
}

#[test]
fn nothing_is_said_before_the_login_and_each_form_is_answered_in_kind() {
    let mut desk = Desk::new(&[]);
    let told = desk.say("Version: 5.0\nAction: INFO\nHandle: DENIC-1-ANNA\n");
    assert!(told.starts_with("RESULT: failed\nSTID: ") && told.contains("ERROR: 83000000010 "), "{told}");
    let info = INFO;
    assert!(desk.say(info).contains("code=\"83000000010\""));
    assert!(desk.say("Version: 5.0\nAction: LOGIN\nUser: registrar-1\nPassword: falsch\n").contains("53000020002"));
    let login = "Version: 5.0\nAction: LOGIN\nUser: registrar-1\nPassword: geheim\n";
    assert!(desk.say(&format!("{login}Ctid: abc\n")).contains("63000000007"), "no ctid on a login");
    assert!(desk.say(login).starts_with("RESULT: success"));
    assert!(desk.say(info).contains("<contact:handle>DENIC-1-ANNA</contact:handle>"), "in any case of letters");
    let older = info.replace("/5.0\"", "/4.0\"");
    assert!(desk.say(&older).contains("DENIC-1-ANNA"));
    for bad in ["Action INFO", "Handle: x\n", "<a/>", "<registry-request", "\u{feff}"] {
        let told = desk.say(bad);
        assert!(told.contains("6300000000"), "{bad}: {told}");
    }
    assert!(desk.say(&format!("Version: 5.0\nAction: INFO\nHandle: {}\n", "x".repeat(70_000))).contains("83000000000"));
}

/// The lines of an answer that begin with a keyword.
fn lines<'a>(told: &'a str, keyword: &str) -> Vec<&'a str> {
    told.lines().filter_map(|line| line.strip_prefix(keyword)?.strip_prefix(": ")).collect()
}

#[test]
fn a_contact_is_told_wholly_in_both_forms() {
    let mut desk = Desk::logged_in(&[]);
    let told = desk.say(ANNA);
    assert_eq!(lines(&told, "Address"), ["Lange Straße 1", "Hinterhaus", "Aufgang C", "4. Stock"]);
    assert_eq!((lines(&told, "Organisation").len(), lines(&told, "EMail").len()), (2, 2));
    assert_eq!((lines(&told, "Phone"), lines(&told, "Type")), (vec!["+49.5515550100x29"], vec!["PERSON"]));
    assert_eq!((lines(&told, "VerifiedClaim"), lines(&told, "VerificationMethod")), (vec!["name"], vec!["auth"]));
    let told = desk.say(INFO);
    for part in ["<contact:address>4. Stock</contact:address><contact:postalCode>37073<", "<contact:email>beispiel@example.org<"] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn an_update_replaces_everything() {
    let mut desk = Desk::logged_in(&[]);
    let bare = "Version: 5.0\nAction: UPDATE\nHandle: DENIC-1-ANNA\nType: PERSON\nName: Anna Beispiel\nAddress: A 1\nPostalCode: 37073\n\
                City: Kiel\nCountryCode: DE\nEMail: a@example.org\nPhone: +49.1\nUnheard-Of: ignored\n";
    assert!(desk.say(bare).starts_with("RESULT: success"));
    let told = desk.say(ANNA);
    assert_eq!((lines(&told, "Address"), lines(&told, "EMail")), (vec!["A 1"], vec!["a@example.org"]), "what is left out is gone");
    assert!(lines(&told, "Organisation").is_empty() && lines(&told, "VerifiedClaim").is_empty());
    let refused = |desk: &mut Desk, from: &str, to: &str| desk.say(&bare.replace(from, to));
    assert!(refused(&mut desk, "EMail: a@example.org\n", "").contains("53000080002"), "an obligatory value cannot be deleted");
    assert!(refused(&mut desk, "Name: Anna Beispiel", "Name: Berta Beispiel").contains("ERROR"), "a name stays");
    assert!(refused(&mut desk, "Type: PERSON\n", "Type: PERSON\nType: ORG\n").contains("63200040702"));
    assert!(refused(&mut desk, "Type: PERSON", "Type: ROBOT").contains("63200040710"));
    assert!(refused(&mut desk, "DENIC-1-ANNA", "DENIC-1-FREMD").contains("63200020603"));
    assert!(refused(&mut desk, "DENIC-1-ANNA", "DENIC-1-NIEMAND").contains("53000060009"));
    let create = bare.replace("UPDATE", "CREATE").replace("DENIC-1-ANNA", "DENIC-1-BERTA");
    assert!(desk.say(&create.replace("EMail: a@example.org\n", "")).contains("53300081600"));
    assert!(desk.say(&create.replace("Address: A 1", &format!("Address: {}", "x".repeat(256)))).contains("ERROR: 63200041020"));
}

#[test]
fn domains_are_replaced_and_locked_by_taking_their_credentials_away() {
    let mut desk = Desk::logged_in(&[]);
    let info = "Version: 5.0\nAction: INFO\nDomain: bücher.de\nDomain-Ace: xn--bcher-kva.de\n";
    let told = desk.say(info);
    assert_eq!(lines(&told, "Holder"), ["DENIC-1-ANNA", "DENIC-1-FREMD"]);
    assert_eq!((lines(&told, "Nserver").len(), lines(&told, "RegistryLock")), (2, vec!["true"]));
    let create = info.replace("INFO", "CREATE-AUTHINFO1") + &format!("AuthInfoHash: {}\nAuthInfoExpire: 20261201\n", "0f".repeat(32));
    assert!(desk.say(&create.replace("0f0f", "0f")).contains("63000000007"), "a hash has 64 digits");
    assert!(desk.say(&create).starts_with("RESULT: success"));
    assert_eq!(lines(&desk.say(info), "AuthInfoExpire"), ["20261201"]);
    assert!(desk.say(&info.replace("INFO", "DELETE-AUTHINFO1")).starts_with("RESULT: success"));
    assert!(lines(&desk.say(info), "AuthInfoExpire").is_empty());

    let update = "Version: 5.0\nAction: UPDATE\nDomain: bücher.de\nDomain-Ace: xn--bcher-kva.de\nHolder: DENIC-1-ANNA\n";
    let served = format!("{update}NSentry: xn--bcher-kva.de. IN A 192.0.2.1\nNSentry: *.xn--bcher-kva.de. IN MX 10 mail.example.net.\n");
    assert!(desk.say(&served).starts_with("RESULT: success"));
    let told = desk.say(info);
    assert_eq!(lines(&told, "NSentry"), ["xn--bcher-kva.de. IN A 192.0.2.1", "*.xn--bcher-kva.de. IN MX 10 mail.example.net."]);
    assert_eq!((lines(&told, "Holder"), lines(&told, "Nserver").len()), (vec!["DENIC-1-ANNA"], 0), "what is left out is gone");
    assert!(desk.say(&served.replace("*.xn--bcher-kva.de. IN MX 10", "xn--bcher-kva.de. IN MX 1000")).contains("63000000007"));
    assert!(desk.say(&format!("{served}Nserver: ns1.example.net\n")).contains("63000000007"), "beside name servers");
    assert!(
        desk.say(&format!("{update}Nserver: ns1.xn--bcher-kva.de\nNserver: ns2.example.net\n")).contains("53300102902"),
        "without glue"
    );
    assert!(desk.say(&update.replace("ANNA", "NIEMAND")).contains("53000060009"));
    assert!(desk.say(&update.replace("xn--bcher-kva.de", "niemand.de")).contains("63300062009"));
}

#[test]
fn the_queue_is_read_and_emptied() {
    let mut desk = Desk::logged_in(&["messages=2"]);
    for id in ["1", "2"] {
        assert_eq!(lines(&desk.say("Version: 5.0\nAction: QUEUE-READ\n"), "MsgId"), [id]);
        assert!(desk.say(&format!("Version: 5.0\nAction: QUEUE-DELETE\nMsgId: {id}\n")).starts_with("RESULT: success"));
    }
    assert!(lines(&desk.say("Version: 5.0\nAction: QUEUE-READ\n"), "MsgId").is_empty());
}

#[test]
fn limits_are_told_in_the_registrys_own_codes() {
    let mut desk = Desk::logged_in(&["quota=10", "rate=off"]);
    let told: Vec<String> = (0..11).map(|_| desk.say(ANNA)).collect();
    assert!(!told[4].contains("000022 ") && told[5].contains("INFO: 13000000022 ") && told[7].contains("WARNING: 33000000022 "));
    assert!(told[10].contains("ERROR: 53000000008 "), "{}", told[10]);
    let mut desk = Desk::logged_in(&["rate=3/60", "quota=off"]);
    let told: Vec<bool> = (0..3).map(|_| desk.say(ANNA).contains("ERROR: 55000000002 ")).collect();
    assert_eq!(told, [false, false, true], "the login was the first");
    let mut other = Connection::new(Moment::ZERO);
    let deadline = other.deadline(&desk.registry).expect("always");
    assert_eq!(deadline, Moment::from_origin(Duration::from_secs(15)));
    other.is_logged_in = true;
    assert_eq!(other.deadline(&desk.registry), Some(Moment::from_origin(Duration::from_mins(5))));
}

#[test]
fn a_change_is_carried_out_again_from_its_frame() {
    let mut desk = Desk::logged_in(&[]);
    let frame = "Version: 5.0\nAction: UPDATE\nHandle: DENIC-1-ANNA\nType: PERSON\nName: Anna Beispiel\nAddress: A 1\nPostalCode: 37073\n\
                 City: Kiel\nCountryCode: DE\nEMail: a@example.org\nPhone: +49.1\n";
    replay(&mut desk.registry, frame.as_bytes(), Timestamp::UNIX_EPOCH).expect("carried out");
    assert_eq!(lines(&desk.say(ANNA), "EMail"), ["a@example.org"]);
    assert!(replay(&mut desk.registry, b"nonsense", Timestamp::UNIX_EPOCH).is_err());
}

#[test]
fn domains_come_go_and_change_their_provider() {
    let mut desk = Desk::logged_in(&[]);
    let order = |action: &str, more: &str| format!("Version: 5.0\nAction: {action}\nDomain: neu.de\n{more}");
    let inside = "Holder: DENIC-1-ANNA\nNserver: ns1.example.net\nNserver: ns2.example.net\n";
    assert!(desk.say(&order("CREATE", "Holder: DENIC-1-NOBODY\n")).contains("ERROR: 53000060009 "));
    assert!(desk.say(&order("DELETE", "")).contains("ERROR: 63300062009 "));
    assert!(desk.say(&order("CREATE", inside)).starts_with("RESULT: success"));
    assert!(desk.say(&order("CREATE", inside)).contains("ERROR: 63000000007 "), "it is there");
    assert_eq!(lines(&desk.say(&order("INFO", "")), "Holder"), ["DENIC-1-ANNA"]);
    // What is ours already does not come to us; what another has does, with a password that holds.
    let hash = Digest::of(b"geheim-2026").to_string();
    let day = |day: &str| format!("AuthInfoHash: {hash}\nAuthInfoExpire: {day}\n");
    assert!(desk.say(&order("CREATE-AUTHINFO1", &day("20261130"))).starts_with("RESULT: success"));
    let take = |password: &str| order("CHPROV", &format!("{inside}AuthInfo: {password}\n"));
    assert!(desk.say(&take("geheim-2026")).contains("ERROR: 53000020002 "), "it is ours");
    desk.registry.acting = "registrar-2".into();
    let (held, at) = (desk.registry.domain("neu.de").expect("there").into_owned(), "2026-11-22T12:00:00Z".parse().expect("a time"));
    let theirs = Domain { sponsor: Some("registrar-2".into()), ..held.clone() };
    desk.registry.put_domain(&held, theirs, None, at);
    desk.registry.acting = "registrar-1".into();
    assert!(desk.say(&order("DELETE", "")).contains("ERROR: 53000020002 "), "it is theirs");
    assert!(desk.say(&take("geraten")).contains("ERROR: 53000020002 "));
    assert!(desk.say(&take("geheim-2026")).starts_with("RESULT: success"));
    assert!(desk.say(&take("geheim-2026")).contains("ERROR: 53000020002 "), "once");
    assert!(desk.say(&order("DELETE", "Holder: DENIC-1-FREMD\n")).contains("RESULT: failed"));
    assert!(desk.say(&order("DELETE", "Holder: DENIC-1-ANNA\n")).starts_with("RESULT: success"));
    assert!(desk.say(&order("INFO", "")).contains("ERROR: 63300062009 "));
    let xml = |verb: &str, inside: &str| {
        format!(
            "<registry-request xmlns=\"http://registry.denic.de/global/5.0\" xmlns:domain=\"http://registry.denic.de/domain/5.0\" \
             xmlns:dnsentry=\"http://registry.denic.de/dnsentry/5.0\"><domain:{verb}><domain:handle>neu.de</domain:handle>\
             <domain:ace>neu.de</domain:ace>{inside}</domain:{verb}></registry-request>"
        )
    };
    assert!(desk.say(&xml("create", "<domain:contact role=\"holder\">DENIC-1-ANNA</domain:contact>")).contains("<tr:result>success<"));
    assert!(desk.say(&xml("delete", "")).contains("<tr:result>success<"));
}

#[test]
fn faults_strike_changes_on_this_line_too() {
    let change = "Version: 5.0\nAction: DELETE-AUTHINFO1\nDomain: xn--bcher-kva.de\n";
    for (fault, silent, commits) in [
        ("row-11-unheard", true, 0),
        ("row-12-untold", true, 1),
        ("row-38-hollow", false, 0),
        ("row-42-doubled", false, 2),
        ("row-43-2400:on=transform", false, 0),
    ] {
        let mut desk = Desk::logged_in(&[&format!("fault={fault}")]);
        let wall = "2026-11-22T12:00:00Z".parse().expect("a time");
        let answer = desk.connection.handle(&mut desk.registry, change.as_bytes(), Moment::ZERO, wall, &mut Vec::new());
        assert_eq!((answer.silent, answer.commits.len()), (silent, commits), "{fault}");
    }
}

proptest::proptest! {
    #[test]
    fn no_frame_is_worse_than_a_refusal(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let mut desk = Desk::logged_in(&[]);
        let mut out = Vec::new();
        let _answer = desk.connection.handle(&mut desk.registry, &bytes, Moment::ZERO, Timestamp::UNIX_EPOCH, &mut out);
        proptest::prop_assert!(!out.is_empty());
    }
}
