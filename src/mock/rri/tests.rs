//! The registry without a line: raw requests in both forms, and the client's own language against it.

use super::*;
use crate::base::{ClTrid, HostName};
use crate::mock::fleet::Fleet;
use crate::mock::knobs::Knobs;
use crate::model::{
    Address, ContactChange, ContactUpdate, Date, DomainUpdate, Extension, Host, HostAttr, Ip, IpVersion, NameServers, Phone, PostalForm,
    PostalInfo, Properties, Query, ResData, Response, Transform,
};
use crate::policy::profile;
use crate::protocol::rri;

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

    /// The same from the client's own encoder, in both directions read by its decoder; the forms take turns.
    fn ask(&mut self, command: &Command) -> Response {
        let id = ClTrid::new("run-1-7");
        let mut frame = Vec::new();
        if self.millis.is_multiple_of(20) {
            rri::encode(command, Some(&id), &mut frame).expect("XML");
            let told = self.say(&String::from_utf8(frame).expect("UTF-8"));
            let mut tape = Tape::new();
            tape.read(told.as_bytes()).expect("a document");
            let mut response = rri::decode(&tape).expect("an answer");
            response.unknown = tape.unknown();
            response
        } else {
            rri::encode_key_value(command, Some(&id), &mut frame).expect("key/value");
            let told = self.say(&String::from_utf8(frame).expect("UTF-8"));
            rri::decode_key_value(told.as_bytes()).expect("an answer")
        }
    }

    fn contact(&mut self, id: &str) -> Contact {
        let response = self.ask(&Command::Query(Query::ContactInfo { id: id.into(), auth: None }));
        assert!(response.unknown.is_empty(), "{:?}", response.unknown);
        match response.data.into_iter().next() {
            Some(ResData::Contact(contact)) => *contact,
            other => panic!("a contact: {other:?}"),
        }
    }

    fn domain(&mut self) -> (Domain, Response) {
        let query = Query::DomainInfo { name: "xn--bcher-kva.de".into(), hosts: crate::model::HostsFilter::All, auth: None };
        let response = self.ask(&Command::Query(query));
        assert!(response.unknown.is_empty(), "{:?}", response.unknown);
        match response.data.first() {
            Some(ResData::Domain(domain)) => ((**domain).clone(), response),
            other => panic!("a domain: {other:?}"),
        }
    }
}

fn own(response: &Response) -> &crate::model::RriAnswer {
    response.extensions.iter().find_map(|e| if let Extension::Rri(own) = e { Some(&**own) } else { None }).expect("always there")
}

fn codes(response: &Response) -> Vec<u64> {
    own(response).messages.iter().filter_map(|m| m.code.map(|c| c.0)).collect()
}

fn transform(transform: Transform) -> Command {
    Command::Transform(Box::new(transform))
}

#[test]
fn nothing_is_said_before_the_login_and_each_form_is_answered_in_kind() {
    let mut desk = Desk::new(&[]);
    let told = desk.say("Version: 5.0\nAction: INFO\nHandle: DENIC-1-ANNA\n");
    assert!(told.starts_with("RESULT: failed\nSTID: ") && told.contains("ERROR: 83000000010 "), "{told}");
    let info = r#"<registry-request xmlns="http://registry.denic.de/global/5.0" xmlns:contact="http://registry.denic.de/contact/5.0"><contact:info><contact:handle>denic-1-anna</contact:handle></contact:info></registry-request>"#;
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

#[test]
fn the_clients_own_contacts_come_back_with_nothing_lost() {
    let mut desk = Desk::logged_in(&[]);
    for _form in 0..2 {
        let read = desk.contact("DENIC-1-ANNA");
        let wanted = anna("DENIC-1-ANNA");
        assert_eq!((&read.postal, &read.voice, &read.email), (&wanted.postal, &wanted.voice, &wanted.email));
        assert_eq!(read.properties, wanted.properties);
    }
    let mut new = anna("DENIC-1-NEU");
    new.sponsor = None;
    let response = desk.ask(&transform(Transform::ContactCreate(new.clone())));
    assert_eq!((codes(&response), response.cl_trid.as_ref().map(ClTrid::as_str)), (vec![], Some("run-1-7")));
    let read = desk.contact("DENIC-1-NEU");
    assert_eq!((&read.postal, &read.properties, read.sponsor.as_deref()), (&new.postal, &new.properties, Some("registrar-1")));
    assert_eq!(codes(&desk.ask(&transform(Transform::ContactCreate(new)))), [63_200_040_610], "it is there already");
}

#[test]
fn an_update_replaces_everything_and_a_partial_change_loses_nothing() {
    let mut desk = Desk::logged_in(&[]);
    let response = desk.ask(&Command::Query(Query::ContactInfo { id: "DENIC-1-ANNA".into(), auth: None }));
    let chg = ContactChange { email: Some("neu@example.org".into()), ..ContactChange::default() };
    let update = transform(Transform::ContactUpdate(ContactUpdate { id: "DENIC-1-ANNA".into(), add: vec![], rem: vec![], chg: Some(chg) }));
    let whole = rri::complete(&update, own(&response)).expect("whole");
    assert!(codes(&desk.ask(&whole)).is_empty());
    let read = desk.contact("DENIC-1-ANNA");
    assert_eq!(read.email.as_ref().map(crate::base::Personal::reveal), Some("neu@example.org"));
    assert_eq!(read.properties, anna("DENIC-1-ANNA").properties);

    let bare = "Version: 5.0\nAction: UPDATE\nHandle: DENIC-1-ANNA\nType: PERSON\nName: Anna Beispiel\nAddress: A 1\nPostalCode: 37073\n\
                City: Kiel\nCountryCode: DE\nEMail: a@example.org\nPhone: +49.1\nUnheard-Of: ignored\n";
    assert!(desk.say(bare).starts_with("RESULT: success"));
    let read = desk.contact("DENIC-1-ANNA");
    assert_eq!(read.properties.to_text(), "type=PERSON", "what is left out is gone");
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
fn domains_are_read_replaced_and_locked_by_taking_their_credentials_away() {
    let mut desk = Desk::logged_in(&[]);
    let (domain, response) = desk.domain();
    assert_eq!(domain.registrant.as_ref().map(Handle::as_str), Some("DENIC-1-ANNA"));
    assert_eq!(domain.properties.to_text(), "registrant.2=DENIC-1-FREMD;registryLock=true");
    let mut update = DomainUpdate::of(domain.name.clone());
    update.add.ns = NameServers::Objects(vec!["ns3.example.net".into()]);
    update.ds.add_keys.push(KeyData { flags: 257, protocol: 3, alg: 13, public_key: "bWFkZSB1cA==".into() });
    let whole = rri::complete(&transform(Transform::DomainUpdate(update)), own(&response)).expect("whole");
    assert!(codes(&desk.ask(&whole)).is_empty());
    for _form in 0..2 {
        let (after, response) = desk.domain();
        assert_eq!((after.ns.names().count(), &after.properties), (3, &domain.properties));
        assert!(response.extensions.iter().any(|e| matches!(e, Extension::SecDns(s) if s.keys[0].alg == 13)));
    }

    let name = DomainName::from("xn--bcher-kva.de");
    let change = |change| transform(Transform::Rri(Box::new(change)));
    let create =
        crate::model::RriChange::AuthInfo1Create { name: name.clone(), hash: Secret::new("0f".repeat(32)), expires: "20261201".into() };
    assert!(codes(&desk.ask(&change(create))).is_empty());
    assert_eq!(desk.domain().0.properties.get("authInfo1"), Some("20261201"));
    assert!(codes(&desk.ask(&change(crate::model::RriChange::AuthInfo1Delete(name)))).is_empty());
    assert_eq!(desk.domain().0.properties.get("authInfo1"), None);

    let update = "Version: 5.0\nAction: UPDATE\nDomain: bücher.de\nDomain-Ace: xn--bcher-kva.de\nHolder: DENIC-1-ANNA\n";
    let served = format!("{update}NSentry: xn--bcher-kva.de. IN A 192.0.2.1\nNSentry: *.xn--bcher-kva.de. IN MX 10 mail.example.net.\n");
    assert!(desk.say(&served).starts_with("RESULT: success"));
    let (after, _) = desk.domain();
    assert_eq!(after.properties.get("nsentry.2"), Some("*.xn--bcher-kva.de. IN MX 10 mail.example.net."));
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
        let queue = desk.ask(&Command::PollRequest).queue.expect("a message");
        assert_eq!(queue.id.as_deref(), Some(id));
        assert!(codes(&desk.ask(&Command::PollAck { id: id.into() })).is_empty());
    }
    assert!(desk.ask(&Command::PollRequest).queue.is_none());
}

#[test]
fn limits_are_told_in_the_registrys_own_codes() {
    let mut desk = Desk::logged_in(&["quota=10", "rate=off"]);
    let check = Command::Query(Query::ContactCheck(vec!["DENIC-1-ANNA".into()]));
    let told: Vec<Vec<u64>> = (0..11).map(|_| codes(&desk.ask(&check))).collect();
    assert_eq!((told[4].len(), told[5][0], told[7][0], told[10][0]), (0, 13_000_000_022, 33_000_000_022, 53_000_000_008));
    let mut desk = Desk::logged_in(&["rate=3/60", "quota=off"]);
    let told: Vec<Vec<u64>> = (0..3).map(|_| codes(&desk.ask(&check))).collect();
    assert_eq!(told, [vec![], vec![], vec![55_000_000_002]], "the login was the first");
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
    assert_eq!(desk.contact("DENIC-1-ANNA").email.as_ref().map(crate::base::Personal::reveal), Some("a@example.org"));
    assert!(replay(&mut desk.registry, b"nonsense", Timestamp::UNIX_EPOCH).is_err());
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
