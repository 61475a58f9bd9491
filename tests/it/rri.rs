//! A .de registry over TLS: read wholly, its limits obeyed, and its oddities kept.

use crate::one::{ONE, One, exits, on_day};
use crate::schemas::complaints;
use privet::base::{ClTrid, Exit, Personal, Secret};
use privet::dataset::{ContactField, DomainField, State};
use privet::job::{check, diff, pull};
use privet::mock::Served;
use privet::model::*;
use privet::protocol::rri;
use privet::protocol::tape::Tape;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn de() -> One {
    One::new("denic", "de", 20)
}

#[test]
fn a_registry_is_checked_pulled_and_compared() {
    let one = de();
    let _served = one.serve(&[], "");
    let ended = check(&one.load(), &on_day(0)).expect("ended");
    assert_eq!(ended.exit(), Exit::Done, "{}", ended.text);
    assert_eq!(ended.json["registries"][0]["login"], true);
    let ended = pull(&one.load(), &on_day(0)).expect("ended");
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
        assert!(contact.row.get(ContactField::LocName.at()).is_some(), "{holder}");
        let properties = Properties::read(contact.row.get(ContactField::Properties.at()).unwrap_or_default()).expect("well-formed");
        assert!(properties.get("type").is_some());
    }
    let frames = one.frames("in");
    assert!(frames.iter().filter(|f| f.contains("<login>")).count() >= 2 && frames.iter().all(|f| !f.contains("<ctid>")));
    let manifest = one.newest().expect("a snapshot").manifest().clone();
    let ages = manifest.observed.expect("rows");
    assert!(ages.oldest <= ages.median && ages.median <= ages.newest);
    let ended = diff(&one.load(), &on_day(0)).expect("ended");
    assert!([Exit::Done, Exit::ChangesPending].contains(&ended.exit()), "{}", ended.text);
}

#[test]
fn reading_stops_where_the_rest_of_the_quota_is_kept_and_the_next_run_of_the_day_knows_it() {
    let one = de();
    let _served = one.serve(&["quota=24"], "quota_reserve = 0.25");
    let ended = pull(&one.load(), &on_day(0)).expect("ended");
    assert_eq!(ended.exit(), Exit::InputIncomplete, "{}", ended.text);
    let told = format!("{}", ended.json);
    let asked = one.asked().len();
    assert!((18..=21).contains(&asked), "75 % of 24, and what was in flight: {asked}");
    assert!(one.newest().is_none(), "half a pull is no snapshot: {told}");
    let ended = pull(&one.load(), &on_day(0)).expect("ended");
    assert_eq!((ended.exit(), one.asked().len()), (Exit::InputIncomplete, asked), "nothing was asked");
}

#[test]
fn a_block_is_waited_out() {
    let one = de();
    let _served = one.serve(&["rate=8/1", "block_seconds=1", "quota=off"], "");
    let ended = pull(&one.load(), &on_day(0)).expect("ended");
    assert_eq!(ended.exit(), Exit::Done, "{} {:?}", ended.text, ended.problems);
    let asked = one.asked();
    let again = asked.len() - asked.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert!((1..16).contains(&again), "the limit was met, and not hammered: {again} of {}", asked.len());
}

#[test]
fn a_line_that_is_lost_again_and_again_costs_nothing() {
    let one = de();
    let _served = one.serve(&["fault=row-45-cut:every=9"], "");
    let ended = pull(&one.load(), &on_day(0)).expect("ended");
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
    let ended = pull(&one.load(), &on_day(0)).expect("ended");
    assert_eq!(exits(&ended), [32], "{} {:?}", ended.text, ended.problems);
    let observed = one.observed();
    let of = |kind, id: &str| &observed[&(kind, id.to_owned())];
    let properties = of(ObjectKind::Contact, &robot).row.get(ContactField::Properties.at()).expect("kept").to_owned();
    assert!(properties.contains("type=ROBOT"), "{properties}");
    assert_eq!(of(ObjectKind::Contact, &sip).state, State::Ok);
    let facts = std::fs::read_to_string(crate::served::reports(&ended).join("run.json")).expect("facts");
    assert!(facts.contains("http://registry.denic.de/contact/5.0"), "the element nobody knows is counted");
    for id in [&coded, &bare] {
        assert_eq!(of(ObjectKind::Domain, id).state, State::Unreadable, "{id}");
    }
    let unreadable = observed.values().filter(|seen| seen.state != State::Ok).count();
    assert_eq!(unreadable, 2, "the others are whole");
    assert!(ended.text.contains(ONE));
}

/// A line that is logged in, spoken on without a pool.
struct Wire {
    tls: rustls::StreamOwned<rustls::ClientConnection, TcpStream>,
    asked: usize,
}

impl Wire {
    fn to(served: &Served) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&served.ca).expect("PEM")).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        let name = ServerName::try_from(served.server_name.clone()).expect("a name");
        let tcp = TcpStream::connect(served.address).expect("connected");
        tcp.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        let tls = rustls::StreamOwned::new(rustls::ClientConnection::new(config, name).expect("a client"), tcp);
        let mut wire = Self { tls, asked: 0 };
        let password = std::fs::read_to_string(&served.password_file).expect("a password");
        let login = Login::plain(served.user.as_str(), Secret::new(password.trim()));
        assert!(codes(&wire.ask(&Command::Login(Box::new(login)))).is_empty());
        wire
    }

    /// The answer to a command; the two forms take turns.
    fn ask(&mut self, command: &Command) -> Response {
        self.asked += 1;
        let is_xml = self.asked.is_multiple_of(2);
        let mut frame = Vec::new();
        let id = ClTrid::new("run-1-7");
        let encode = if is_xml { rri::encode } else { rri::encode_key_value };
        encode(command, Some(&id), &mut frame).expect("encoded");
        self.tls.write_all(&u32::try_from(frame.len()).expect("short").to_be_bytes()).expect("sent");
        self.tls.write_all(&frame).expect("sent");
        let mut header = [0; 4];
        self.tls.read_exact(&mut header).expect("a header");
        let mut answer = vec![0; u32::from_be_bytes(header) as usize];
        self.tls.read_exact(&mut answer).expect("an answer");
        if !is_xml {
            return rri::decode_key_value(&answer).expect("an answer");
        }
        let mut tape = Tape::new();
        tape.read(&answer).expect("a document");
        let mut response = rri::decode(&tape).expect("an answer");
        response.unknown = tape.unknown();
        response
    }

    fn contact(&mut self, id: &str) -> Response {
        let response = self.ask(&Command::Query(Query::ContactInfo { id: id.into(), auth: None }));
        assert!(response.unknown.is_empty(), "{:?}", response.unknown);
        response
    }

    /// Changes an object as a pool does: reads it, and replaces it as a whole.
    fn change(&mut self, change: Transform) -> Response {
        let command = Command::Transform(Box::new(change));
        let query = rri::reads_first(&command).expect("a partial change");
        let read = self.ask(&Command::Query(query));
        let whole = rri::complete(&command, own(&read)).expect("whole");
        self.ask(&whole)
    }
}

fn own(response: &Response) -> &RriAnswer {
    response.extensions.iter().find_map(|e| if let Extension::Rri(own) = e { Some(&**own) } else { None }).expect("always there")
}

fn codes(response: &Response) -> Vec<u64> {
    own(response).messages.iter().filter_map(|m| m.code.map(|c| c.0)).collect()
}

fn contact_of(response: Response) -> Contact {
    match response.data.into_iter().next() {
        Some(ResData::Contact(contact)) => *contact,
        other => panic!("a contact: {other:?}"),
    }
}

#[test]
fn what_is_created_is_read_and_changed_with_nothing_lost() {
    let one = de();
    let served = one.serve(&[], "");
    let mut wire = Wire::to(&served);
    let mut new = Contact::bare("DENIC-1000001-NEU".into());
    let lines = ["Lange Straße 1", "Hinterhaus", "Aufgang C"].map(Personal::from).to_vec();
    new.postal.push(PostalInfo {
        form: PostalForm::Loc,
        name: Some("Anna Beispiel".into()),
        org: Some("Bäcker & Söhne GmbH".into()),
        addr: Some(Address { street: lines, city: "Göttingen".into(), sp: None, pc: Some("37073".into()), cc: "DE".into() }),
    });
    new.voice = Some(Phone { number: "+49.5515550100".into(), ext: Some("29".into()) });
    new.email = Some("anna@example.org".into());
    new.properties = Properties::read("type=PERSON;street.4=4. Stock;org.2=Verein e.V.;email.2=b@example.org").expect("well-formed");
    new.properties.set("verification", "claim=name;claim.2=email;method=auth;result=success");
    let create = Command::Transform(Box::new(Transform::ContactCreate(new.clone())));
    let response = wire.ask(&create);
    assert_eq!((codes(&response), response.cl_trid.as_ref().map(ClTrid::as_str)), (vec![], Some("run-1-7")));
    for _form in 0..2 {
        let read = contact_of(wire.contact("denic-1000001-neu"));
        assert_eq!((&read.postal, &read.voice, &read.email, &read.properties), (&new.postal, &new.voice, &new.email, &new.properties));
    }
    assert_eq!(codes(&wire.ask(&create)), [63_200_040_610], "it is there already");
    for n in 0..2 {
        let chg = ContactChange { email: Some(format!("neu{n}@example.org").as_str().into()), ..ContactChange::default() };
        let update = ContactUpdate { id: new.id.clone(), add: vec![], rem: vec![], chg: Some(chg) };
        assert_eq!(codes(&wire.change(Transform::ContactUpdate(update))), Vec::<u64>::new());
        let read = contact_of(wire.contact("DENIC-1000001-NEU"));
        assert_eq!(read.email.as_ref().map(Personal::reveal), Some(format!("neu{n}@example.org").as_str()));
        assert_eq!((&read.postal, &read.voice, &read.properties), (&new.postal, &new.voice, &new.properties));
    }
    let chg = ContactChange::default().with_address(
        PostalForm::Loc,
        Address { street: vec!["x".repeat(250).as_str().into()], city: "Kiel".into(), sp: None, pc: Some("2410".into()), cc: "DE".into() },
    );
    let update = ContactUpdate { id: new.id.clone(), add: vec![], rem: vec![], chg: Some(chg) };
    let told = codes(&wire.change(Transform::ContactUpdate(update)));
    assert!(told.is_empty() || told == [63_200_041_020], "the rule for German postal codes is a guess: {told:?}");

    let name = one.fleet.name_at(4);
    let mut update = DomainUpdate::of(name.clone());
    update.registrant = Some(new.id.clone());
    update.ds.add_keys.push(KeyData { flags: 257, protocol: 3, alg: 13, public_key: "bWFkZSB1cA==".into() });
    assert_eq!(codes(&wire.change(Transform::DomainUpdate(update))), Vec::<u64>::new());
    let query = Command::Query(Query::DomainInfo { name, hosts: HostsFilter::All, auth: None });
    for _form in 0..2 {
        let response = wire.ask(&query);
        assert!(response.unknown.is_empty(), "{:?}", response.unknown);
        let Some(ResData::Domain(domain)) = response.data.first() else { panic!("a domain") };
        assert_eq!(domain.registrant.as_ref(), Some(&new.id));
        assert!(response.extensions.iter().any(|e| matches!(e, Extension::SecDns(s) if s.keys[0].alg == 13)));
    }
    drop(wire);
    drop(served);

    let served = one.serve(&[], "");
    let mut wire = Wire::to(&served);
    let read = contact_of(wire.contact("DENIC-1000001-NEU"));
    assert_eq!(read.properties.get("org.2"), Some("Verein e.V."), "what was changed is there after a new start");
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
        RriDomain { abuse_contact: Some("denic-1-abuse".into()), ..domain.clone() },
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
