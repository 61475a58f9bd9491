//! The registry without a line, over a fleet of a few objects, and then on a port.

mod life;
mod line;
mod lines;
mod transfer;
mod writing;

use super::core::{Answer, Connection};
use super::fleet::Fleet;
use super::journal::Journal;
use super::knobs::Knobs;
use super::registry::Registry;
use crate::base::{DomainName, Handle, HostName, Moment, Secret, Timestamp};
use crate::model::{
    Address, AuthInfo, Contact, ContactRef, Date, Domain, Host, NameServers, Phone, PostalForm, PostalInfo, Role, StatusValue,
};
use crate::policy::profile;
use std::path::Path;
use std::time::Duration;

/// Two contacts of ours with a domain each, one of them with hosts below it, and a contact of somebody else's.
struct Few;

fn contact(id: &str, sponsor: &str) -> Contact {
    let postal = |form, name: &str, city: &str| PostalInfo {
        form,
        name: Some(name.into()),
        org: Some("Lovelace & Sons".into()),
        addr: Some(Address { street: vec!["1 Main St".into()], city: city.into(), sp: None, pc: Some("10115".into()), cc: "DE".into() }),
    };
    Contact {
        roid: Some("1-PV".into()),
        statuses: vec![StatusValue::OK.into()],
        postal: vec![postal(PostalForm::Int, "Ada Koenig", "Zurich"), postal(PostalForm::Loc, "Ada König", "Zürich")],
        voice: Some(Phone { number: "+49.30123".into(), ext: Some("7".into()) }),
        fax: Some(Phone { number: "+49.30124".into(), ext: None }),
        email: Some("ada@example.org".into()),
        sponsor: Some(sponsor.into()),
        created_by: Some(sponsor.into()),
        created: Some(Date::read("2020-01-01T00:00:00Z")),
        auth: Some(AuthInfo::Password { pw: Secret::new("2fooBAR"), roid: None }),
        ..Contact::bare(Handle::from(id))
    }
}

impl Fleet for Few {
    fn contact(&self, id: &str) -> Option<Contact> {
        match id {
            "C-1" | "C-3" => Some(contact(id, "registrar-1")),
            "C-2" => Some(contact(id, "registrar-2")),
            _ => None,
        }
    }

    fn domain(&self, name: &str) -> Option<Domain> {
        if name == "mine.test" {
            return Some(Domain {
                roid: Some("4-PV".into()),
                statuses: vec![StatusValue::INACTIVE.into()],
                registrant: Some("C-3".into()),
                sponsor: Some("registrar-1".into()),
                expires: Some(Date::read("2027-05-01T00:00:00Z")),
                auth: Some(AuthInfo::Password { pw: Secret::new("mine-2026"), roid: None }),
                ..Domain::bare(DomainName::from(name))
            });
        }
        (name == "example.test").then(|| Domain {
            roid: Some("2-PV".into()),
            statuses: vec![StatusValue::OK.into()],
            registrant: Some("C-1".into()),
            contacts: vec![ContactRef::new(Role::Admin, "C-1".into())],
            ns: NameServers::Objects(vec!["ns1.example.test".into()]),
            hosts: vec!["ns1.example.test".into()],
            sponsor: Some("registrar-1".into()),
            ..Domain::bare(DomainName::from(name))
        })
    }

    fn links(&self, id: &str) -> i64 {
        match id {
            "C-1" => 2,
            "C-3" => 1,
            _ => 0,
        }
    }

    fn host(&self, name: &str) -> Option<Host> {
        let is_there = matches!(name, "ns1.example.test" | "ns2.example.test");
        is_there.then(|| Host {
            name: HostName::from(name),
            roid: Some("3-PV".into()),
            statuses: Vec::new(),
            addrs: Vec::new(),
            sponsor: Some("registrar-1".into()),
            created_by: None,
            created: None,
            updated_by: None,
            updated: None,
            transferred: None,
        })
    }
}

fn wall() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().expect("a time")
}

/// A registry and one connection to it, with a clock of its own.
struct Bench {
    registry: Registry,
    connection: Connection,
    now: Moment,
    last: Option<Answer>,
}

impl Bench {
    fn new(id: &str, knobs: &[&str]) -> Self {
        let knobs = Knobs::read(knobs.iter().copied()).expect("good knobs");
        let profile = profile(id).expect("embedded");
        let registry =
            Registry::new(profile, Box::new(Few), &knobs, "registrar-1", Secret::new("secret-1"), 1, wall()).expect("a registry");
        Self { registry, connection: Connection::new(Moment::ZERO), now: Moment::ZERO, last: None }
    }

    /// A bench that has logged in with every object service on offer.
    fn logged_in(id: &str, knobs: &[&str]) -> Self {
        Self::speaking(id, knobs, &[])
    }

    /// The same, where the login names these extensions.
    fn speaking(id: &str, knobs: &[&str], extensions: &[&str]) -> Self {
        let mut bench = Self::new(id, knobs);
        let mut services: Vec<String> = bench.registry.objects.iter().map(|uri| format!("<objURI>{uri}</objURI>")).collect();
        if !extensions.is_empty() {
            let named: Vec<String> = extensions.iter().map(|uri| format!("<extURI>{uri}</extURI>")).collect();
            services.push(format!("<svcExtension>{}</svcExtension>", named.concat()));
        }
        let answer = bench.say(&login("registrar-1", "secret-1", &services.concat()));
        assert!(answer.contains("code=\"1000\""), "{answer}");
        bench
    }

    fn frame(&mut self, frame: &str) -> String {
        let mut out = Vec::new();
        self.last = Some(self.connection.handle(&mut self.registry, frame.as_bytes(), self.now, wall(), &mut out));
        String::from_utf8(out).expect("UTF-8")
    }

    fn say(&mut self, command: &str) -> String {
        self.frame(&epp(command))
    }

    /// The code that `command` is answered with.
    fn code(&mut self, command: &str) -> u16 {
        let answer = self.say(command);
        let code = self.last.as_ref().expect("an answer").code;
        assert!(answer.contains(&format!("<result code=\"{code}\">")), "{answer}");
        code
    }
}

fn epp(command: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><command>{command}<clTRID>T-0001</clTRID></command></epp>"
    )
}

fn login(user: &str, password: &str, objects: &str) -> String {
    format!(
        "<login><clID>{user}</clID><pw>{password}</pw><options><version>1.0</version><lang>en</lang></options><svcs>{objects}</svcs></login>"
    )
}

const CONTACT: &str = "xmlns=\"urn:ietf:params:xml:ns:contact-1.0\"";
const DOMAIN: &str = "xmlns=\"urn:ietf:params:xml:ns:domain-1.0\"";
const OBJECTS: &str = "<objURI>urn:ietf:params:xml:ns:contact-1.0</objURI>";

const DOMAINS: &str = "<objURI>urn:ietf:params:xml:ns:contact-1.0</objURI><objURI>urn:ietf:params:xml:ns:domain-1.0</objURI>";

/// What is wrong with answers by the published schemas, where they and xmllint are at hand; otherwise nothing.
#[expect(clippy::disallowed_methods, reason = "a test is told by the environment where the schemas are")]
fn complaints(answers: &[String]) -> String {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/xsd");
    let schema = std::env::var("PRIVET_XSD").map_or(beside, std::path::PathBuf::from).join("all-ietf.xsd");
    let dir = tempfile::tempdir().expect("a directory");
    let mut paths = Vec::new();
    for (number, answer) in answers.iter().enumerate() {
        let path = dir.path().join(format!("{number}.xml"));
        crate::base::write_atomic(&path, answer.as_bytes()).expect("written");
        paths.push(path);
    }
    let lint = std::process::Command::new("xmllint").args(["--noout", "--nonet", "--schema"]).arg(&schema).args(&paths).output();
    let Some(told) = lint.ok().filter(|_| schema.is_file()) else { return String::new() };
    if told.status.success() { String::new() } else { String::from_utf8_lossy(&told.stderr).into_owned() }
}

fn domain_info(name: &str) -> String {
    format!("<info><info {DOMAIN}><name>{name}</name></info></info>")
}

fn contact_info(id: &str) -> String {
    format!("<info><info {CONTACT}><id>{id}</id></info></info>")
}

fn contact_update(inside: &str) -> String {
    format!("<update><update {CONTACT}><id>C-1</id>{inside}</update></update>")
}

fn domain_update(inside: &str) -> String {
    format!("<update><update {DOMAIN}><name>example.test</name>{inside}</update></update>")
}

#[test]
fn nothing_is_told_before_a_login_and_everything_after_it() {
    let mut bench = Bench::new("gtld-thick", &[]);
    assert_eq!(bench.code(&contact_info("C-1")), 2002);
    assert_eq!(bench.code(&login("registrar-1", "wrong-1", OBJECTS)), 2200);
    assert_eq!(bench.code(&login("registrar-1", "secret-1", "<objURI>urn:nobody</objURI>")), 2307);
    assert_eq!(bench.code(&login("registrar-1", "secret-1", "")), 2003);
    assert_eq!(bench.code(&login("registrar-1", "secret-1", OBJECTS)), 1000);
    assert_eq!(bench.code(&login("registrar-1", "secret-1", OBJECTS)), 2002);
    let told = bench.say(&contact_info("C-1"));
    for piece in [
        "<contact:postalInfo type=\"int\"><contact:name>Ada Koenig",
        "<contact:postalInfo type=\"loc\"><contact:name>Ada König",
        "<contact:org>Lovelace &amp; Sons",
        "<contact:voice x=\"7\">+49.30123",
        "<contact:pw>2fooBAR",
        "<clTRID>T-0001</clTRID>",
    ] {
        assert!(told.contains(piece), "{piece} in {told}");
    }
    assert_eq!(bench.code(&format!("<info><info {DOMAIN}><name>EXAMPLE.test</name></info></info>")), 2307, "the login did not name it");
    assert_eq!(bench.code("<logout/>"), 1500);
    assert!(bench.last.as_ref().is_some_and(|a| a.close));
}

#[test]
fn three_wrong_passwords_end_the_connection() {
    let mut bench = Bench::new("gtld-thick", &[]);
    let codes: Vec<u16> = (0..3).map(|_| bench.code(&login("registrar-1", "wrong-1", OBJECTS))).collect();
    assert_eq!(codes, [2200, 2200, 2501]);
    assert!(bench.last.is_some_and(|a| a.close));
}

#[test]
fn transaction_identifiers_are_never_given_twice() {
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    let ids: std::collections::BTreeSet<String> = (0..50).map(|_| bench.say(&contact_info("C-1"))).collect();
    assert_eq!(ids.len(), 50);
}

#[test]
fn other_registrars_objects_need_their_authorisation() {
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    let with = |pw: &str| format!("<info><info {CONTACT}><id>C-2</id><authInfo><pw>{pw}</pw></authInfo></info></info>");
    assert_eq!(bench.code(&contact_info("C-2")), 2201);
    assert_eq!(bench.code(&with("guess")), 2202);
    assert_eq!(bench.code(&with("2fooBAR")), 1000);
    assert_eq!(bench.code(&contact_info("C-9")), 2303);
}

#[test]
fn syntax_is_as_strict_as_the_schema() {
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    for (command, code) in [
        ("<frobnicate/>", 2000),
        ("<delete/>", 2003),
        ("<transfer/>", 2003),
        ("<info/>", 2003),
        ("<info><x xmlns=\"urn:nobody\"/></info>", 2307),
        (&*contact_info("C"), 2005),
        (&*contact_info("C-12345678901234567"), 2005),
        (&*contact_info(""), 2003),
        (&*contact_info("C-1</id><more/><id>"), 2001),
        ("<poll/>", 2003),
        ("<poll op=\"x\"/>", 2004),
        ("<poll op=\"ack\"/>", 2003),
        ("<logout/><extension><x xmlns=\"urn:nobody\"/></extension>", 2103),
        (&*contact_update(""), 2003),
        (&*contact_update("<chg/>"), 2003),
        (&*contact_update("<chg><email></email></chg>"), 2003),
        (&*contact_update("<chg><voice>030 123</voice></chg>"), 2005),
        (&*contact_update("<chg><disclose flag=\"no\"/></chg>"), 2005),
        (&*contact_update("<chg><disclose/></chg>"), 2003),
        (&*contact_update("<chg><postalInfo type=\"int\"><name>König</name></postalInfo></chg>"), 2005),
        (&*contact_update("<chg><postalInfo type=\"new\"><name>Ada</name></postalInfo></chg>"), 2004),
        (&*contact_update("<chg><postalInfo type=\"int\"><addr><city>X</city><cc>de</cc></addr></postalInfo></chg>"), 2005),
        (&*contact_update("<add><status s=\"sleepy\"/></add>"), 2004),
    ] {
        assert_eq!(bench.code(command), code, "{command}");
    }
    for frame in ["", "<epp", "<a/>", "<!DOCTYPE epp><epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><hello/></epp>", "<epp><hello/></epp>"] {
        bench.frame(frame);
        assert_eq!(bench.last.as_ref().map(|a| a.code), Some(2001), "{frame}");
    }
    let short = epp("<poll op=\"req\"/>").replace("T-0001", "T");
    assert!(!bench.frame(&short).contains("clTRID>T<"));
    assert_eq!(bench.last.map(|a| a.code), Some(2005));
}

#[test]
fn a_refusal_quotes_the_value_and_says_why() {
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    let told = bench.say(&contact_update("<chg><voice>030 123</voice></chg>"));
    assert!(told.contains("<value><voice xmlns=\"urn:ietf:params:xml:ns:contact-1.0\">030 123</voice></value><reason>"), "{told}");
}

#[test]
fn a_contact_update_changes_what_it_names_and_nothing_else() {
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    let change = "<add><status s=\"clientDeleteProhibited\" lang=\"en\">Held</status></add><chg>\
         <postalInfo type=\"loc\"><org/><addr><street>Ring 1</street><city>Wien</city><cc>AT</cc></addr></postalInfo>\
         <voice/><email>new@example.org</email>\
         <disclose flag=\"0\"><name type=\"int\"/><name type=\"loc\"/><addr type=\"loc\"/><voice/><email/></disclose></chg>";
    assert_eq!(bench.code(&contact_update(change)), 1000);
    let commit = bench.last.take().and_then(|mut a| a.commits.pop()).expect("a commit");
    let change = commit.change.expect("a change");
    assert_eq!((change.object.as_str(), commit.cl_trid.as_deref()), ("contact/C-1", Some("T-0001")));
    assert_eq!(change.before["email"], "ada@example.org");
    assert_eq!(change.after["email"], "new@example.org");
    let told = bench.say(&contact_info("C-1"));
    for piece in [
        "<contact:status s=\"clientDeleteProhibited\" lang=\"en\">Held</contact:status>",
        "type=\"int\"><contact:name>Ada Koenig</contact:name><contact:org>",
        "type=\"loc\"><contact:name>Ada König</contact:name><contact:addr><contact:street>Ring 1</contact:street><contact:city>Wien",
        "</contact:postalInfo><contact:fax>",
        "<contact:upID>registrar-1</contact:upID><contact:upDate>2026-11-21T12:00:00Z",
        "<contact:disclose flag=\"0\"><contact:name type=\"int\"/><contact:name type=\"loc\"/><contact:addr type=\"loc\"/>\
         <contact:voice/><contact:email/></contact:disclose>",
    ] {
        assert!(told.contains(piece), "{piece} in {told}");
    }
    assert!(!told.contains("s=\"ok\"") && !told.contains("10115</contact:pc><contact:cc>AT"), "{told}");
}

#[test]
fn statuses_keep_the_rules() {
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    let status = |op: &str, s: &str| contact_update(&format!("<{op}><status s=\"{s}\"/></{op}>"));
    assert_eq!(bench.code(&status("add", "serverUpdateProhibited")), 2306);
    assert_eq!(bench.code(&status("add", "linked")), 2306);
    assert_eq!(bench.code(&status("rem", "clientUpdateProhibited")), 2306);
    assert_eq!(bench.code(&status("add", "clientUpdateProhibited")), 1000);
    assert_eq!(bench.code(&status("add", "clientDeleteProhibited")), 2304);
    assert_eq!(bench.code(&contact_update("<chg><email>x@example.org</email></chg>")), 2304);
    assert_eq!(bench.code(&status("rem", "clientUpdateProhibited")), 1000);
    assert!(bench.say(&contact_info("C-1")).contains("s=\"ok\""));
}

#[test]
fn a_domain_update_keeps_references_whole() {
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    for (inside, code) in [
        ("<add><ns><hostObj>ns9.example.test</hostObj></ns></add>", 2303),
        ("<add><ns><hostObj>ns1.example.test</hostObj></ns></add>", 2306),
        ("<add><ns><hostAttr><hostName>ns2.example.test</hostName></hostAttr></ns></add>", 2306),
        ("<rem><contact type=\"tech\">C-1</contact></rem>", 2306),
        ("<add><contact type=\"tech\">C-9</contact></add>", 2303),
        ("<add><contact type=\"boss\">C-1</contact></add>", 2004),
        ("<chg><registrant>C-9</registrant></chg>", 2303),
        ("<add><ns><hostObj>ns2.example.test</hostObj></ns><contact type=\"tech\">C-2</contact></add>", 1000),
        ("<chg><registrant>C-2</registrant></chg>", 1000),
        ("<rem><ns><hostObj>ns1.example.test</hostObj><hostObj>ns2.example.test</hostObj></ns></rem>", 1000),
    ] {
        assert_eq!(bench.code(&domain_update(inside)), code, "{inside}");
    }
    let info = format!("<info><info {DOMAIN}><name hosts=\"del\">example.test</name></info></info>");
    let told = bench.say(&info);
    assert!(told.contains("<domain:status s=\"inactive\"/><domain:registrant>C-2<") && !told.contains("domain:host>"), "{told}");
    let with = format!("<info><info {CONTACT}><id>C-2</id><authInfo><pw>2fooBAR</pw></authInfo></info></info>");
    assert!(bench.say(&with).contains("s=\"linked\""));
}

#[test]
fn dnssec_data_are_kept_and_told() {
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    let ds = "<dsData><keyTag>12345</keyTag><alg>8</alg><digestType>2</digestType><digest>ABCD</digest></dsData>";
    let update = |inside: &str| {
        let empty = format!("<update><update {DOMAIN}><name>example.test</name></update></update>");
        format!("{empty}<extension><update xmlns=\"urn:ietf:params:xml:ns:secDNS-1.1\">{inside}</update></extension>")
    };
    assert_eq!(bench.code(&update(&format!("<add>{ds}</add>"))), 1000);
    assert_eq!(bench.code(&update(&format!("<add>{ds}</add>"))), 2306);
    let info = format!("<info><info {DOMAIN}><name>example.test</name></info></info>");
    assert!(bench.say(&info).contains("<secDNS:keyTag>12345</secDNS:keyTag>"));
    assert_eq!(bench.code(&update("<rem><all>true</all></rem>")), 1000);
    assert!(!bench.say(&info).contains("keyTag"));
}

#[test]
fn checks_have_a_limit_and_tell_what_is_there() {
    let mut bench = Bench::logged_in("gtld-thick", &["names_per_check=2"]);
    let check = |ids: &str| format!("<check><check {CONTACT}>{ids}</check></check>");
    let told = bench.say(&check("<id>C-1</id><id>C-9</id>"));
    assert!(told.contains("avail=\"0\">C-1<") && told.contains("avail=\"1\">C-9<"), "{told}");
    assert_eq!(bench.code(&check("<id>C-1</id><id>C-8</id><id>C-9</id>")), 2306);
}

#[test]
fn the_queue_moves_by_acknowledgement_only() {
    let mut bench = Bench::logged_in("gtld-thick", &["messages=2"]);
    assert!(bench.say("<poll op=\"req\"/>").contains("<msgQ count=\"2\" id=\"1\">"));
    assert!(bench.say("<poll op=\"req\"/>").contains("<msgQ count=\"2\" id=\"1\">"));
    assert_eq!(bench.code("<poll op=\"ack\" msgID=\"7\"/>"), 2303);
    assert_eq!(bench.code("<poll op=\"ack\" msgID=\"1\"/>"), 1000);
    assert!(bench.say("<poll op=\"req\"/>").contains("<msgQ count=\"1\" id=\"2\">"));
    assert_eq!(bench.code("<poll op=\"ack\" msgID=\"2\"/>"), 1000);
    assert_eq!(bench.code("<poll op=\"req\"/>"), 1300);
}

#[test]
fn profiles_differ_as_their_data_do() {
    let mut minimum = Bench::logged_in("gtld-minimum", &[]);
    assert_eq!(minimum.code(&contact_info("C-1")), 2307);
    assert_eq!(minimum.code(&domain_update("<chg><registrant>C-1</registrant></chg>")), 2306);
    let mut eurid = Bench::logged_in("eurid", &[]);
    assert_eq!(eurid.code(&contact_update("<chg><disclose flag=\"0\"><email/></disclose></chg>")), 1000);
    assert!(!eurid.say(&contact_info("C-1")).contains("disclose"));
    let mut nz = Bench::logged_in("nz", &[]);
    assert_eq!(nz.code(&contact_update("<chg><disclose flag=\"0\"><email/></disclose></chg>")), 1000);
    assert!(nz.say(&contact_info("C-1")).contains("<contact:disclose flag=\"0\"><contact:email/>"));
}

#[test]
fn extensions_are_spoken_where_the_login_named_them() {
    const UPDATE: &str = "<update><update xmlns=\"urn:ietf:params:xml:ns:contact-1.0\"><id>C-1</id></update></update>";
    for (id, uri, prefix, change) in [
        ("eurid", "http://www.eurid.eu/xml/epp/contact-ext-1.3", "contact-ext", "<chg><lang>fr</lang></chg>"),
        ("eurid", "http://www.eurid.eu/xml/epp/contact-ext-1.4", "contact-ext", "<chg><lang>fr</lang></chg>"),
        ("nicit", "http://www.nic.it/ITNIC-EPP/extcon-1.0", "extcon", "<consentForPublishing>1</consentForPublishing>"),
    ] {
        let update = format!("{UPDATE}<extension><update xmlns=\"{uri}\">{change}</update></extension>");
        let mut silent = Bench::logged_in(id, &[]);
        assert!(!silent.say(&contact_info("C-1")).contains(prefix), "{id}");
        assert_eq!(silent.code(&update), 2103, "{id}: the login named no such extension");
        let mut bench = Bench::speaking(id, &[], &[uri]);
        assert_eq!(bench.code(UPDATE), 2003, "{id}: nothing changes");
        assert_eq!(bench.code(&update), 1000, "{id}");
        let told = bench.say(&contact_info("C-1"));
        assert!(told.contains(&format!("<{prefix}:infData xmlns:{prefix}=\"{uri}\">")), "{told}");
        let is_there = told.contains("<contact-ext:lang>fr<") || told.contains("<extcon:consentForPublishing>true<");
        assert!(is_there, "{told}");
        let odd = update.replace(">fr<", ">fra<").replace(">1<", ">perhaps<");
        assert_eq!(bench.code(&odd), 2005, "{id}");
        let strange = format!("{UPDATE}<extension><delete xmlns=\"{uri}\"/></extension>");
        assert_eq!(bench.code(&strange), 2001, "{id}");
    }
}

#[test]
fn limits_speak_as_they_are_told_to() {
    let mut bench = Bench::logged_in("gtld-thick", &["commands_per_session=2"]);
    let codes: Vec<u16> = (0..3).map(|_| bench.code(&contact_info("C-1"))).collect();
    assert_eq!(codes, [1000, 1000, 2502]);
    assert!(bench.last.as_ref().is_some_and(|a| a.close));

    let mut bench = Bench::logged_in("gtld-thick", &["rate=2/10", "over_limit=2502-keep"]);
    let codes: Vec<u16> = (0..3).map(|_| bench.code(&contact_info("C-1"))).collect();
    assert_eq!(codes, [1000, 1000, 2502]);
    assert!(bench.last.as_ref().is_some_and(|a| !a.close));
    bench.now = Moment::from_origin(Duration::from_secs(11));
    assert_eq!(bench.code(&contact_info("C-1")), 1000);

    for (knob, code) in [("idle_answer=2201", 2201), ("idle_answer=2002", 2002)] {
        let mut bench = Bench::logged_in("gtld-thick", &["idle_seconds=5", knob]);
        bench.now = Moment::from_origin(Duration::from_secs(6));
        assert_eq!(bench.code(&contact_info("C-1")), code);
        assert_eq!(bench.code(&contact_info("C-1")), 2002);
        assert_eq!(bench.code(&login("registrar-1", "secret-1", OBJECTS)), 1000);
    }

    let mut first = Bench::logged_in("gtld-thick", &["sessions=1"]);
    let mut second = Connection::new(Moment::ZERO);
    let frame = epp(&login("registrar-1", "secret-1", OBJECTS));
    let answer = second.handle(&mut first.registry, frame.as_bytes(), Moment::ZERO, wall(), &mut Vec::new());
    assert_eq!((answer.code, answer.close), (2502, true));
    first.connection.forget_login(&mut first.registry);
    let answer = second.handle(&mut first.registry, frame.as_bytes(), Moment::ZERO, wall(), &mut Vec::new());
    assert_eq!(answer.code, 1000);
}

#[test]
fn the_overlay_brings_changes_back_and_drops_a_half_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("overlay.ndjson");
    let log = dir.path().join("commits.ndjson");
    let mut bench = Bench::logged_in("gtld-thick", &["messages=2"]);
    let mut journal = Journal::open(&path, Some(&log), &mut bench.registry).expect("opens");
    for command in [contact_update("<chg><email>new@example.org</email></chg>"), "<poll op=\"ack\" msgID=\"1\"/>".to_owned()] {
        bench.say(&command);
        journal.append(&bench.last.take().and_then(|mut a| a.commits.pop()).expect("a commit")).expect("written");
    }
    drop(journal);
    let whole = std::fs::read(&path).expect("readable");
    let mut torn = whole.clone();
    torn.extend_from_slice(b"{\"seq\":3,\"at\"");
    crate::base::write_atomic(&path, &torn).expect("written");

    let mut again = Bench::logged_in("gtld-thick", &["messages=2"]);
    Journal::open(&path, None, &mut again.registry).expect("opens");
    assert!(again.say(&contact_info("C-1")).contains("<contact:email>new@example.org<"));
    assert!(again.say("<poll op=\"req\"/>").contains("<msgQ count=\"1\" id=\"2\">"));
    assert_eq!(std::fs::read(&path).expect("readable"), whole);
    assert_eq!(mode(&path), 0o600);

    let lines: Vec<serde_json::Value> =
        std::fs::read_to_string(&log).expect("readable").lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!((lines.len(), &lines[0]["clTRID"], &lines[0]["object"]), (2, &"T-0001".into(), &"contact/C-1".into()));
    assert_eq!(lines[0]["after"]["email"], "new@example.org");
    assert_eq!(mode(&log), 0o600);

    crate::base::write_atomic(&path, b"{}\n").expect("written");
    let wrong = Journal::open(&path, None, &mut again.registry).expect_err("no change");
    assert!(wrong.to_string().contains("overlay.ndjson:1"), "{wrong}");
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).expect("there").permissions().mode() & 0o777
}
