//! What the bundled registries of .it, .eu and .nz add to EPP, command by command over real TLS; and the verbs against them.

use crate::https::{State, password};
use crate::served::context;
use privet::base::{Exit, Handle, RegistryId, Secret, read_capped, write_atomic};
use privet::dataset::{ContactField, Snapshot};
use privet::job::config::Config;
use privet::job::{check, pull};
use privet::mock::Served;
use privet::mock::fleet::Fleet as _;
use privet::model::*;
use privet::policy::profile;
use privet::protocol::epp::{self, Message};
use privet::protocol::frame::{DEFAULT_CAP, Framer as _, LengthPrefix};
use privet::protocol::tape::Tape;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

/// A login and exchanges without the client's sessions: what a registry says to a single command.
struct Raw {
    stream: rustls::StreamOwned<rustls::ClientConnection, TcpStream>,
    posts: bool,
    cookie: Option<String>,
    agreed: Vec<Box<str>>,
    number: u32,
}

impl Raw {
    /// Logs in, naming every extension of the profile but those in `without`.
    fn log_in(served: &Served, profile_id: &str, without: &[&str]) -> Self {
        let pem = |path: &Path| read_capped(path, 1 << 16).expect("PEM");
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem(&served.ca)).expect("a certificate")).expect("an anchor");
        let builder = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let own = vec![CertificateDer::from_pem_slice(&pem(&served.cert)).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_slice(&pem(&served.key)).expect("a key");
        let config = builder.with_client_auth_cert(own, key).expect("a client");
        let name = ServerName::try_from(served.server_name.clone()).expect("a name");
        let connection = rustls::ClientConnection::new(Arc::new(config), name).expect("a connection");
        let stream = rustls::StreamOwned::new(connection, TcpStream::connect(served.address).expect("connected"));
        let profile = profile(profile_id).expect("embedded");
        let named = |uris: &[String]| uris.iter().filter(|uri| !without.contains(&uri.as_str())).map(|uri| uri.as_str().into()).collect();
        let posts = profile.line.value == privet::policy::Line::EppHttps;
        let mut raw = Self { stream, posts, cookie: None, agreed: named(&profile.services.extensions), number: 0 };
        if !posts {
            raw.hear();
        }
        let login = Login {
            version: "1.0".into(),
            lang: "en".into(),
            objects: [named(&profile.services.objects), named(&profile.services.further_objects)].concat(),
            extensions: raw.agreed.clone(),
            ..Login::plain(served.user.as_str(), password(&served.password_file))
        };
        let answer = raw.say(&Command::Login(Box::new(login)));
        assert_eq!(answer.code(), ResultCode::OK, "{answer:?}");
        raw
    }

    /// A command, and its answer.
    fn say(&mut self, command: &Command) -> Response {
        self.number += 1;
        let mut payload = Vec::new();
        let id = privet::base::ClTrid::new(format!("RAW-{}", self.number));
        epp::encode(command, Some(&id), &self.agreed, &mut payload).expect("a command that can be written");
        let mut out = Vec::new();
        if self.posts {
            let cookie = self.cookie.as_ref().map(|c| format!("Cookie: {c}\r\n")).unwrap_or_default();
            let length = payload.len();
            out.extend_from_slice(
                format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=UTF-8\r\n{cookie}Content-Length: {length}\r\n\r\n")
                    .as_bytes(),
            );
            out.extend_from_slice(&payload);
        } else {
            LengthPrefix::epp(DEFAULT_CAP).enclose(&payload, &mut out);
        }
        self.stream.write_all(&out).expect("written");
        self.stream.flush().expect("flushed");
        let frame = self.hear();
        let mut tape = Tape::new();
        tape.read(&frame).expect("a document");
        let Message::Response(mut response) = epp::decode(&tape).expect("an answer") else { panic!("a response") };
        response.unknown = epp::collect_unknown(&tape);
        *response
    }

    /// One frame off the line.
    fn hear(&mut self) -> Vec<u8> {
        let mut exactly = |n: usize| {
            let mut bytes = vec![0; n];
            self.stream.read_exact(&mut bytes).expect("bytes");
            bytes
        };
        if !self.posts {
            let length = u32::from_be_bytes(exactly(4).try_into().expect("four"));
            return exactly(length as usize - 4);
        }
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(exactly(1));
        }
        let head = String::from_utf8(head).expect("a head").to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let of = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
        let body = exactly(of("content-length:").expect("a length").parse().expect("a number"));
        if let Some(set) = of("set-cookie:") {
            let pair = set.split(';').next().expect("a cookie").to_owned();
            self.cookie = Some(pair.replace("jsessionid", "JSESSIONID"));
        }
        body
    }

    fn contact(&mut self, id: &str) -> (Contact, Response) {
        let answer = self.say(&Command::Query(Query::ContactInfo { id: Handle::new(id), auth: None }));
        let Some(ResData::Contact(contact)) = answer.data.first() else { panic!("a contact: {answer:?}") };
        ((**contact).clone(), answer)
    }

    fn transform(&mut self, transform: Transform) -> Response {
        self.say(&Command::Transform(Box::new(transform)))
    }
}

/// A contact that .it takes.
fn person(id: &str, city: &str) -> Contact {
    let addr = Address {
        street: vec!["Piazza dell'Università 4/A".into()],
        city: city.into(),
        sp: Some("PI".into()),
        pc: Some("56100".into()),
        cc: "IT".into(),
    };
    Contact {
        postal: vec![PostalInfo {
            form: PostalForm::Loc,
            name: Some("Mario Rossi".into()),
            org: Some("Mario Rossi".into()),
            addr: Some(addr),
        }],
        voice: Some(Phone { number: "+39.050315111".into(), ext: None }),
        email: Some("mario.rossi@example.it".into()),
        auth: Some(AuthInfo::Password { pw: Secret::new(""), roid: None }),
        properties: properties(&[
            ("consentForPublishing", "false"),
            ("nationalityCode", "IT"),
            ("entityType", "1"),
            ("regCode", "RSSMRA80A01G702C"),
        ]),
        ..Contact::bare(Handle::new(id))
    }
}

fn properties(pairs: &[(&str, &str)]) -> Properties {
    pairs.iter().copied().collect()
}

fn change_of_properties(id: &str, pairs: &[(&str, &str)]) -> Transform {
    let chg = ContactChange { properties: properties(pairs), ..ContactChange::default() };
    Transform::ContactUpdate(ContactUpdate { id: Handle::new(id), add: Vec::new(), rem: Vec::new(), chg: Some(chg) })
}

#[test]
fn a_contact_of_it_keeps_what_extcon_says_of_it() {
    let state = State::new("nicit", "it");
    let served = state.serve(&[]);
    let mut raw = Raw::log_in(&served, "nicit", &[]);
    let made = raw.transform(Transform::ContactCreate(person("MR0001", "Città")));
    assert_eq!(made.code(), ResultCode::OK, "{}", made.told());
    let (held, answer) = raw.contact("MR0001");
    assert_eq!(held.properties, person("MR0001", "").properties);
    assert!(answer.unknown.is_empty(), "{:?}", answer.unknown);
    assert_eq!(raw.transform(change_of_properties("MR0001", &[("consentForPublishing", "true")])).code(), ResultCode::OK);
    let (held, _) = raw.contact("MR0001");
    assert_eq!((held.properties.get("consentForPublishing"), held.properties.get("entityType")), (Some("true"), Some("1")));
    let bye = raw.say(&Command::Logout);
    assert!(bye.extensions.iter().any(|e| matches!(e, Extension::Credit(c) if &*c.amount == "4321.00")), "{bye:?}");
}

#[test]
fn a_refusal_of_it_tells_its_number_and_its_element_and_never_the_value() {
    let state = State::new("nicit", "it");
    let served = state.serve(&["strict_unknown=on"]);
    let mut raw = Raw::log_in(&served, "nicit", &[]);
    for value in ["北京", "😀", "Via<Roma>"] {
        let refused = raw.transform(Transform::ContactCreate(person("MR0002", value)));
        assert_eq!(refused.code().0, 2005, "{value}");
        let told = refused.told();
        assert!(told.contains("reason 8099") && told.contains("<city> of urn:ietf:params:xml:ns:contact-1.0"), "{told}");
        assert!(!told.contains(value) && !format!("{refused:?}").contains(value), "{told}");
        let quoted = refused.results[0].ext_values.iter().find(|v| v.offender.is_some()).expect("a wrong value");
        assert_eq!(quoted.value.reveal(), value);
    }
    for (n, value) in ["Ελλάδα", "Straße", "Citta\u{300}"].into_iter().enumerate() {
        let made = raw.transform(Transform::ContactCreate(person(&format!("OK-{n}"), value)));
        assert_eq!(made.code(), ResultCode::OK, "{value}: {}", made.told());
    }
    let twice = raw.transform(Transform::ContactCreate(person("OK-0", "Pisa")));
    assert_eq!((twice.code().0, twice.reason_codes().next()), (2302, Some(8058)), "{}", twice.told());
}

#[test]
fn sessions_of_it_are_told_by_their_numbers() {
    let state = State::new("nicit", "it");
    let served = state.serve(&[]);
    let mut raw = Raw::log_in(&served, "nicit", &[]);
    let plain = Login {
        version: "1.0".into(),
        lang: "en".into(),
        objects: vec!["urn:ietf:params:xml:ns:contact-1.0".into()],
        ..Login::plain(served.user.as_str(), password(&served.password_file))
    };
    let again = raw.say(&Command::Login(Box::new(plain)));
    assert_eq!((again.code().0, again.reason_codes().next()), (2002, Some(4014)));
    raw.cookie = Some("JSESSIONID=nobody".to_owned());
    let lost = raw.say(&Command::PollRequest);
    assert_eq!((lost.code().0, lost.reason_codes().next()), (2002, Some(4015)));
}

#[test]
fn free_handles_of_it_are_told_in_words() {
    let state = State::new("nicit", "it");
    let served = state.serve(&[]);
    let mut raw = Raw::log_in(&served, "nicit", &[]);
    let taken = state.fleet.handle_at(0);
    let asked = raw.say(&Command::Query(Query::ContactCheck(vec![taken.clone(), Handle::new("NOBODY-1")])));
    let Some(ResData::ContactCheck(items)) = asked.data.first() else { panic!("a check: {asked:?}") };
    assert_eq!(items.iter().map(|i| i.available).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_contact_of_eu_keeps_what_contact_ext_says_of_it_in_both_versions() {
    let state = State::new("eurid", "eu");
    let served = state.serve(&[]);
    let newer = ["http://www.eurid.eu/xml/epp/contact-ext-1.4", "http://www.eurid.eu/xml/epp/domain-ext-2.6"];
    for (n, without) in [&[][..], &newer].into_iter().enumerate() {
        let mut raw = Raw::log_in(&served, "eurid", without);
        let stated = [("type", "registrant"), ("lang", "it"), ("naturalPerson", "true"), ("whoisEmail", "mr@example.it")];
        let mut contact = Contact { properties: properties(&stated), ..person("IGNORED-1", "Pisa") };
        contact.postal[0].org = None;
        let made = raw.transform(Transform::ContactCreate(contact));
        assert_eq!(made.code(), ResultCode::OK, "{}", made.told());
        // The registry gives the handle.
        let Some(ResData::ContactCreated { id, .. }) = made.data.first() else { panic!("a handle: {made:?}") };
        let id = id.to_string();
        assert_eq!(raw.transform(change_of_properties(&id, &[("lang", "fr")])).code(), ResultCode::OK);
        let (held, answer) = raw.contact(&id);
        assert_eq!((held.properties.get("lang"), held.properties.get("type")), (Some("fr"), Some("registrant")));
        assert!(answer.unknown.is_empty(), "{:?}", answer.unknown);

        let name = state.fleet.domain_at(n as u64).name;
        let mut update = DomainUpdate::of(name.clone());
        update.add.contacts.push(ContactRef { role: None, kind: "onsite".into(), handle: Handle::new(&*id) });
        let changed = raw.transform(Transform::DomainUpdate(update));
        assert_eq!(changed.code(), ResultCode::OK, "{}", changed.told());
        let answer = raw.say(&Command::Query(Query::DomainInfo { name, hosts: HostsFilter::All, auth: None }));
        let Some(ResData::Domain(domain)) = answer.data.first() else { panic!("a domain: {answer:?}") };
        assert_eq!(domain.properties.get("onHold"), Some("false"));
        assert_eq!(domain.contacts.iter().filter(|c| &*c.kind == "onsite" && c.handle.as_str() == id).count(), 1);
    }
}

#[test]
fn eu_counts_points_for_errors_and_tells_them() {
    let state = State::new("eurid", "eu");
    let served = state.serve(&["hit_points=3"]);
    let mut raw = Raw::log_in(&served, "eurid", &[]);
    let points = |raw: &mut Raw| {
        let answer = raw.say(&Command::Query(Query::HitPoints));
        assert!(answer.unknown.is_empty(), "{:?}", answer.unknown);
        let Some(ResData::HitPoints(told)) = answer.data.first() else { panic!("points: {answer:?}") };
        told.clone()
    };
    assert_eq!(points(&mut raw), HitPoints { points: 0, most: 3, blocked_until: None });
    for wrong in 1..=3 {
        let answer = raw.say(&Command::Query(Query::ContactInfo { id: Handle::new("NOBODY-1"), auth: None }));
        assert_eq!(answer.code(), ResultCode::DOES_NOT_EXIST);
        let told = points(&mut raw);
        assert_eq!((told.points, told.blocked_until.is_some()), (wrong, wrong == 3));
    }
    let id = state.fleet.handle_at(1);
    let blocked = raw.say(&Command::Query(Query::ContactInfo { id, auth: None }));
    assert_eq!(blocked.code(), ResultCode::SESSION_LIMIT);
    // The account is blocked in each session, and may still ask until when.
    let mut other = Raw::log_in(&served, "eurid", &[]);
    assert!(points(&mut other).blocked_until.is_some_and(|until| until.at.is_some()));
}

#[test]
fn eu_makes_an_authorisation_code_and_ends_it() {
    let state = State::new("eurid", "eu");
    let served = state.serve(&[]);
    let mut raw = Raw::log_in(&served, "eurid", &[]);
    let name = state.fleet.domain_at(0).name;
    let order = |order| Transform::DomainAuthCode { name: name.clone(), order };
    let code = |answer: &Response| {
        let Some(ResData::Domain(domain)) = answer.data.first() else { panic!("a domain: {answer:?}") };
        assert_eq!(domain.name, name);
        match &domain.auth {
            Some(AuthInfo::Password { pw, .. }) => Some(pw.reveal().to_owned()),
            _ => None,
        }
    };
    let made = raw.transform(order(AuthCodeOrder::Request));
    assert_eq!(made.code(), ResultCode::OK, "{}", made.told());
    assert!(made.unknown.is_empty(), "{:?}", made.unknown);
    assert!(made.extensions.iter().any(|e| matches!(e, Extension::AuthInfoUntil(until) if until.at.is_some())), "{made:?}");
    let first = code(&made).expect("a code");
    assert!(!format!("{made:?}").contains(&first), "a secret");
    let info = Command::Query(Query::DomainInfo { name: name.clone(), hosts: HostsFilter::All, auth: None });
    assert_eq!(code(&raw.say(&info)), Some(first.clone()));
    let ended = raw.transform(order(AuthCodeOrder::Cancel));
    assert_eq!((ended.code(), code(&ended)), (ResultCode::OK, None));
    assert!(!ended.extensions.iter().any(|e| matches!(e, Extension::AuthInfoUntil(_))));
    assert_eq!(code(&raw.say(&info)), None);
    assert_eq!(raw.transform(order(AuthCodeOrder::Cancel)).code().0, 2306, "it is over");
    let again = raw.transform(order(AuthCodeOrder::Request));
    assert!(code(&again).is_some_and(|code| code != first));
    let refused = epp::encode(&Command::Transform(Box::new(order(AuthCodeOrder::Request))), None, &[], &mut Vec::new());
    assert_eq!(refused.expect_err("no such extension").field, "authInfo:info");
}

#[test]
fn name_servers_of_it_that_fail_the_registrys_check_are_told_in_the_queue() {
    let state = State::new("nicit", "it");
    let served = state.serve(&[]);
    let mut raw = Raw::log_in(&served, "nicit", &[]);
    let domain = (0..30).map(|n| state.fleet.domain_at(n)).find(|domain| {
        let is_open = domain.statuses.iter().all(|s| s.value == StatusValue::OK);
        !domain.ns.is_empty() && is_open
    });
    let domain = domain.expect("a delegated domain");
    let info = Command::Query(Query::DomainInfo { name: domain.name.clone(), hosts: HostsFilter::All, auth: None });
    let own_status = |raw: &mut Raw| {
        let answer = raw.say(&info);
        let Some(ResData::Domain(seen)) = answer.data.first() else { panic!("a domain: {answer:?}") };
        (seen.properties.get("ownStatus").map(str::to_owned), seen.statuses.iter().any(|s| s.value == StatusValue::INACTIVE))
    };
    let servers = |names: &[&str]| {
        let attr = |name: &&str| HostAttr { name: (*name).into(), addrs: Vec::new() };
        NameServers::Attributes(names.iter().map(attr).collect())
    };
    let change = |rem: NameServers, add: NameServers| {
        let mut update = DomainUpdate::of(domain.name.clone());
        (update.rem.ns, update.add.ns) = (rem, add);
        Transform::DomainUpdate(update)
    };
    assert_eq!(raw.say(&Command::PollRequest).code(), ResultCode::NO_MESSAGES);
    let lost = servers(&["ns1.nowhere.invalid", "ns2.example.net"]);
    let changed = raw.transform(change(domain.ns.clone(), lost.clone()));
    assert_eq!(changed.code(), ResultCode::OK, "{}", changed.told());
    assert_eq!(own_status(&mut raw), (Some("dnsHold".to_owned()), true));

    let told = raw.say(&Command::PollRequest);
    assert_eq!(told.code(), ResultCode::ACK_TO_DEQUEUE);
    // What these two attributes say, the types say otherwise.
    let is_said = |u: &Unknown| u.path.ends_with("/@version") || u.path.ends_with("/@skipped");
    assert!(told.unknown.iter().all(is_said), "{:?}", told.unknown);
    let [Extension::DnsCheck(check)] = told.extensions.as_slice() else { panic!("a check: {told:?}") };
    assert_eq!((&check.name, &*check.status), (&domain.name, "FAILED"));
    assert_eq!(check.servers.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["ns1.nowhere.invalid", "ns2.example.net"]);
    let outcomes: Vec<_> = check.tests.iter().map(|test| (&*test.name, test.status.as_deref())).collect();
    assert_eq!((outcomes.len(), outcomes[0]), (9, ("NameserversResolvableTest", Some("FAILED"))));
    assert!(outcomes[1..].iter().all(|(_, status)| status.is_none()), "{outcomes:?}");
    let at_servers: Vec<_> = check.tests[0].servers.iter().map(|s| (s.status.as_deref(), s.details.len())).collect();
    assert_eq!(at_servers, [(Some("FAILED"), 1), (Some("SUCCEEDED"), 0)]);
    assert_eq!((check.queries.len(), &*check.queries[0].result), (1, "NXDOMAIN"));
    let queue = told.queue.expect("a queue");
    assert_eq!((queue.count, queue.date.and_then(|date| date.at).is_some()), (Some(1), true));
    let id = queue.id.expect("an id");
    assert_eq!(raw.say(&Command::PollAck { id }).code(), ResultCode::OK);

    let sound = servers(&["ns1.example.net", "ns2.example.org"]);
    assert_eq!(raw.transform(change(lost, sound.clone())).code(), ResultCode::OK);
    assert_eq!(own_status(&mut raw), (None, false));
    let told = raw.say(&Command::PollRequest);
    let [Extension::StatusChange(lifted)] = told.extensions.as_slice() else { panic!("a change: {told:?}") };
    assert_eq!((&lifted.name, &*lifted.statuses[0].value), (&domain.name, "ok"));
    let id = told.queue.and_then(|queue| queue.id).expect("an id");
    assert_eq!(raw.say(&Command::PollAck { id }).code(), ResultCode::OK);
    let other = servers(&["ns3.example.net", "ns4.example.org"]);
    assert_eq!(raw.transform(change(sound, other)).code(), ResultCode::OK);
    assert_eq!(raw.say(&Command::PollRequest).code(), ResultCode::NO_MESSAGES, "nothing came of it");
}

#[test]
fn a_domain_of_it_is_answered_with_its_contacts_and_its_own_status() {
    let state = State::new("nicit", "it");
    let served = state.serve(&[]);
    let mut raw = Raw::log_in(&served, "nicit", &[]);
    let mut held = 0;
    for n in 0..30 {
        let name = state.fleet.domain_at(n).name;
        let answer = raw.say(&Command::Query(Query::DomainContacts { name: name.clone(), which: ContactsFilter::Registrant }));
        let Some(ResData::Domain(domain)) = answer.data.first() else { panic!("a domain: {answer:?}") };
        assert_eq!(domain.name, name);
        let is_held = domain.properties.get("ownStatus") == Some("dnsHold");
        assert_eq!(is_held, domain.ns.is_empty(), "{name}");
        held += usize::from(is_held);
        let contacts = answer.extensions.iter().find_map(|e| if let Extension::LinkedContacts(all) = e { Some(all) } else { None });
        let [registrant] = contacts.expect("contacts").as_slice() else { panic!("the registrant alone: {contacts:?}") };
        assert_eq!((registrant.role, Some(&registrant.contact.id)), (None, domain.registrant.as_ref()));
        let own = state.fleet.contact(registrant.contact.id.as_str()).expect("there");
        assert_eq!(registrant.contact.properties, own.properties);
        assert!(answer.unknown.is_empty(), "{:?}", answer.unknown);
    }
    assert!(held > 0, "no domain without name servers among thirty");
}

#[test]
fn nz_tells_the_type_of_a_registration_and_withholds_by_disclose() {
    let state = State::new("nz", "nz");
    let served = state.serve(&[]);
    let mut raw = Raw::log_in(&served, "nz", &[]);
    let name = state.fleet.domain_at(0).name;
    let answer = raw.say(&Command::Query(Query::DomainInfo { name, hosts: HostsFilter::All, auth: None }));
    let Some(ResData::Domain(domain)) = answer.data.first() else { panic!("a domain: {answer:?}") };
    assert_eq!(domain.properties.get("registrationType"), Some("standard"));
    let withheld = Disclose { voice: true, addr: DiscloseForms { int: false, loc: true }, ..Disclose::default() };
    let id = state.fleet.handle_at(1);
    let chg = ContactChange { disclose: Some(withheld), ..ContactChange::default() };
    let update = ContactUpdate { id: id.clone(), add: Vec::new(), rem: Vec::new(), chg: Some(chg) };
    assert_eq!(raw.transform(Transform::ContactUpdate(update)).code(), ResultCode::OK);
    assert_eq!(raw.contact(id.as_str()).0.disclose, Some(withheld));
}

#[test]
fn what_no_agreed_extension_can_carry_is_refused_before_it_is_sent() {
    let encode = |transform: Transform, agreed: &[&str]| {
        let agreed: Vec<Box<str>> = agreed.iter().map(|uri| (*uri).into()).collect();
        epp::encode(&Command::Transform(Box::new(transform)), None, &agreed, &mut Vec::new()).map_err(|e| e.to_string())
    };
    let extcon = "http://www.nic.it/ITNIC-EPP/extcon-1.0";
    assert!(encode(Transform::ContactCreate(person("MR1", "Pisa")), &[extcon]).is_ok());
    let none = encode(Transform::ContactCreate(person("MR1", "Pisa")), &[]).expect_err("refused");
    assert!(none.contains("no extension that the login named"), "{none}");
    let other = encode(change_of_properties("MR1", &[("whoisEmail", "someone@example.it")]), &[extcon]).expect_err("refused");
    assert!(other.contains("`whoisEmail`") && !other.contains("someone"), "{other}");
    let fixed = encode(change_of_properties("EU1", &[("type", "tech")]), &["http://www.eurid.eu/xml/epp/contact-ext-1.4"]);
    assert!(fixed.expect_err("refused").contains("`type`"), "a contact's type is given once");
    let part = encode(change_of_properties("MR1", &[("entityType", "2")]), &[extcon]).expect_err("refused");
    assert!(part.contains("nationalityCode"), "a registrant is given whole: {part}");
    let onsite =
        DomainChange { contacts: vec![ContactRef { role: None, kind: "onsite".into(), handle: "C-1".into() }], ..DomainChange::default() };
    let update = DomainUpdate { add: onsite, ..DomainUpdate::of("a.eu".into()) };
    assert!(encode(Transform::DomainUpdate(update), &[extcon]).is_err());
}

#[test]
fn check_and_pull_work_at_the_bundled_registries_of_it_eu_and_nz() {
    for (profile_id, tld, key) in [("nicit", "it", "consentForPublishing"), ("eurid", "eu", "naturalPerson"), ("nz", "nz", "")] {
        let state = State::new(profile_id, tld);
        let served = state.serve(&[]);
        let world = tempfile::tempdir().expect("a directory");
        let names: Vec<String> = (0..30).map(|n| state.fleet.domain_at(n).name.to_string()).collect();
        write_atomic(&world.path().join("list.txt"), (names.join("\n") + "\n").as_bytes()).expect("written");
        let text = format!(
            "version = 1\nstate = \"state\"\nreports = \"reports\"\n[registries.one]\nprofile = \"{profile_id}\"\nhost = \"127.0.0.1\"\n\
             port = {}\nserver_name = \"{}\"\nclient_id = \"{}\"\npassword = {{ file = {:?} }}\ncertificate = {:?}\nkey = {:?}\nca = {:?}\n\
             list = \"list.txt\"\n",
            served.address.port(),
            served.server_name,
            served.user,
            served.password_file,
            served.cert,
            served.key,
            served.ca
        );
        write_atomic(&world.path().join("privet.toml"), text.as_bytes()).expect("written");
        let loaded = Config::load(&world.path().join("privet.toml"), &[], &|_| None).unwrap_or_else(|e| panic!("{e}"));
        let ended = check(&loaded, &context(&[])).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(ended.exit(), Exit::Done, "{profile_id}: {}", ended.text);
        assert_eq!(ended.json["registries"][0]["login"], true);
        assert_eq!(ended.text.contains("; credit 4321.00"), profile_id == "nicit", "{}", ended.text);
        let ended = pull(&loaded, &context(&[])).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(ended.exit(), Exit::Done, "{profile_id}: {}", ended.text);
        let snapshot = Snapshot::newest(&world.path().join("state"), &RegistryId::new("one")).expect("looked").expect("a snapshot");
        let mut contacts = 0;
        for bucket in 0..snapshot.buckets() {
            for seen in snapshot.rows(ObjectKind::Contact, bucket).expect("rows") {
                let held = seen.row.fields().nth(ContactField::Properties as usize).flatten().unwrap_or_default().to_owned();
                assert!(held.contains(key), "{profile_id}: {held}");
                contacts += 1;
            }
        }
        assert!(contacts > 10, "{profile_id}: {contacts}");
    }
}
