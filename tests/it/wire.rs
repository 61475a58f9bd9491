//! Frames on the line: the golden ones of `fixtures/wire`, and those of a hostile or broken peer (named after the rows of the fault matrix).

use privet::base::{ClTrid, DomainName, Handle, HostName, Personal, Secret, revealed};
use privet::model::*;
use privet::protocol::epp::{self, Message};
use privet::protocol::frame::{DEFAULT_CAP, Framer as _, LengthPrefix};
use privet::protocol::tape::Tape;
use std::path::Path;

mod hostile;
mod lossless;

/// Every golden frame of one side, by its path below that side without the ending, in order.
pub(crate) fn golden(side: &str) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wire").join(side);
    let mut frames = Vec::new();
    for object in std::fs::read_dir(&root).expect("golden frames") {
        let object = object.expect("a folder").path();
        for file in std::fs::read_dir(&object).expect("a folder") {
            let path = file.expect("a file").path();
            let name = path.strip_prefix(&root).expect("below the root").with_extension("");
            frames.push((name.to_string_lossy().into_owned(), std::fs::read(&path).expect("a frame")));
        }
    }
    frames.sort();
    frames
}

/// One golden frame.
fn frame(side: &str, name: &str) -> Vec<u8> {
    golden(side).into_iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no golden frame {name}")).1
}

/// A tape with `frame` on it.
fn tape(frame: &[u8]) -> Tape {
    let mut tape = Tape::new();
    tape.read(frame).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(frame)));
    tape
}

/// The response in `frame`.
fn response(frame: &[u8]) -> Response {
    match epp::decode(&tape(frame)) {
        Ok(Message::Response(response)) => *response,
        other => panic!("no response: {other:?}"),
    }
}

/// The response as its types hold it, in clear.
fn typed(frame: &[u8]) -> serde_json::Value {
    let response = response(frame);
    revealed(|| serde_json::to_value(response).expect("JSON"))
}

/// What a document says: every text and attribute with its place, whatever prefixes, blanks and order of attributes it is written with.
fn meaning(frame: &[u8]) -> Vec<(String, String, String)> {
    let mut all: Vec<_> =
        tape(frame).unknown().into_iter().map(|u| (u.namespace.into(), u.path.into(), u.text.reveal().trim().to_owned())).collect();
    let attribute = |entry: &(String, String, String)| entry.1.contains('@');
    all.chunk_by_mut(|a, b| attribute(a) && attribute(b)).for_each(<[_]>::sort);
    all
}

fn address(street: &str, city: &str) -> Address {
    Address {
        street: vec![street.into(), "Hinterhaus".into()],
        city: city.into(),
        sp: Some("Niedersachsen".into()),
        pc: Some("37073".into()),
        cc: "DE".into(),
    }
}

fn postal() -> Vec<PostalInfo> {
    let form = |form, name: &str, org: &str, addr| PostalInfo { form, name: Some(name.into()), org: Some(org.into()), addr: Some(addr) };
    vec![
        form(PostalForm::Int, "Anna Mueller", "Baecker & Soehne GmbH", address("Lange Strasse 1", "Goettingen")),
        form(PostalForm::Loc, "Anna Müller", "Bäcker & Söhne GmbH", address("Lange Straße 1", "Göttingen")),
    ]
}

fn password(pw: &str) -> AuthInfo {
    AuthInfo::Password { pw: Secret::new(pw), roid: None }
}

fn disclose() -> Disclose {
    let both = DiscloseForms { int: true, loc: true };
    Disclose { flag: false, name: both, org: DiscloseForms { int: false, loc: true }, addr: both, voice: true, fax: false, email: true }
}

fn voice() -> Phone {
    Phone { number: "+49.551123456".into(), ext: Some("12".into()) }
}

fn login(password: &str, new: Option<&str>, extension: &str, security: Option<LoginSecurity>) -> Command {
    Command::Login(Box::new(Login {
        client: "registrar-1".into(),
        password: Secret::new(password),
        new_password: new.map(Secret::new),
        version: "1.0".into(),
        lang: "en".into(),
        objects: vec!["urn:ietf:params:xml:ns:contact-1.0".into(), "urn:ietf:params:xml:ns:domain-1.0".into()],
        extensions: vec![extension.into()],
        security,
    }))
}

/// Each golden request with the command it is.
fn commands() -> Vec<(&'static str, Command)> {
    const SEC_DNS: &str = "urn:ietf:params:xml:ns:secDNS-1.1";
    let transform = |t| Command::Transform(Box::new(t));
    let update =
        |chg| transform(Transform::ContactUpdate(ContactUpdate { id: "AM-1001".into(), add: vec![], rem: vec![], chg: Some(chg) }));
    let domain = || DomainName::new("example.test");
    let key = |alg| KeyData { flags: 257, protocol: 3, alg, public_key: "AQPJ////4Q==".into() };
    let security = LoginSecurity { app: "privet 0.1.0".into(), tech: "Rust 1.95".into(), os: "Linux 6.1".into() };
    let client_status =
        |value, lang: Option<&str>, text: Option<&str>| Status { value, lang: lang.map(Into::into), text: text.map(Into::into) };
    vec![
        ("session/hello", Command::Hello),
        ("session/login", login("a<b&c>d1", None, SEC_DNS, None)),
        ("session/login-newpw", login("old-secret", Some("new-secret"), SEC_DNS, None)),
        (
            "session/login-loginsec",
            login(
                "a password longer than sixteen",
                Some("another one, longer than sixteen"),
                "urn:ietf:params:xml:ns:epp:loginSec-1.0",
                Some(security),
            ),
        ),
        ("session/logout", Command::Logout),
        ("poll/req", Command::PollRequest),
        ("poll/ack", Command::PollAck { id: "12345".into() }),
        ("contact/check", Command::Query(Query::ContactCheck(vec!["SH8013".into(), "SAH-8014".into()]))),
        ("contact/info", Command::Query(Query::ContactInfo { id: "SH8013".into(), auth: None })),
        (
            "contact/info-auth",
            Command::Query(Query::ContactInfo {
                id: "SH8013".into(),
                auth: Some(AuthInfo::Password { pw: Secret::new("2foo & BAR"), roid: Some("D123-EX".into()) }),
            }),
        ),
        ("contact/transfer-query", Command::Query(Query::ContactTransfer { id: "SH8013".into(), auth: Some(password("2fooBAR")) })),
        ("contact/delete", transform(Transform::ContactDelete("SH8013".into()))),
        (
            "contact/create",
            transform(Transform::ContactCreate(Contact {
                postal: postal(),
                voice: Some(voice()),
                fax: Some(Phone { number: "+49.551123457".into(), ext: None }),
                email: Some("anna@baecker.example".into()),
                auth: Some(password("2fooBAR")),
                disclose: Some(disclose()),
                ..Contact::bare("AM-1001".into())
            })),
        ),
        (
            "contact/update",
            transform(Transform::ContactUpdate(ContactUpdate {
                id: "AM-1001".into(),
                add: vec![client_status(StatusValue::CLIENT_DELETE_PROHIBITED, Some("en"), Some("Dispute <7>"))],
                rem: vec![StatusValue::CLIENT_UPDATE_PROHIBITED],
                chg: Some(ContactChange {
                    postal: postal(),
                    voice: Some(voice()),
                    fax: Some(Phone::default()),
                    email: Some("anna@baecker.example".into()),
                    auth: Some(password("2fooBAR")),
                    disclose: Some(disclose()),
                    ..ContactChange::default()
                }),
            })),
        ),
        (
            "contact/update-address",
            update(
                ContactChange::default()
                    .with_address(PostalForm::Int, Address { city: "Kiel".into(), cc: "DE".into(), ..Address::default() }),
            ),
        ),
        (
            "contact/update-disclose",
            update(ContactChange {
                disclose: Some(Disclose { flag: true, email: true, ..Disclose::default() }),
                ..ContactChange::default()
            }),
        ),
        ("domain/check", Command::Query(Query::DomainCheck(vec![domain(), "xn--mller-kva.test".into()]))),
        ("domain/info", Command::Query(Query::DomainInfo { name: domain(), hosts: HostsFilter::All, auth: None })),
        (
            "domain/info-hosts",
            Command::Query(Query::DomainInfo { name: domain(), hosts: HostsFilter::Delegated, auth: Some(password("2fooBAR")) }),
        ),
        (
            "domain/create",
            transform(Transform::DomainCreate(DomainCreate {
                name: domain(),
                period: Some(Period { count: 2, unit: PeriodUnit::Years }),
                ns: NameServers::Attributes(vec![
                    HostAttr {
                        name: "ns1.example.test".into(),
                        addrs: vec![
                            Ip { version: IpVersion::V4, text: "192.0.2.1".into() },
                            Ip { version: IpVersion::V6, text: "2001:db8::1".into() },
                        ],
                    },
                    HostAttr { name: "ns2.example.net".into(), addrs: vec![] },
                ]),
                registrant: Some("AM-1001".into()),
                contacts: vec![ContactRef::new(Role::Admin, "AM-1001".into()), ContactRef::new(Role::Tech, "HM-7".into())],
                auth: password("2fooBAR"),
                ds: DsChange {
                    max_sig_life: Some(604_800),
                    add_ds: vec![DsData {
                        key_tag: 12345,
                        alg: 8,
                        digest_type: 1,
                        digest: "49FD46E6C4B45C55D4AC".into(),
                        key: Some(key(8)),
                    }],
                    ..DsChange::default()
                },
            })),
        ),
        (
            "domain/update",
            transform(Transform::DomainUpdate(
                DomainUpdate {
                    add: DomainChange {
                        ns: NameServers::Objects(vec!["ns2.example.net".into()]),
                        contacts: vec![],
                        statuses: vec![client_status(StatusValue::CLIENT_HOLD, Some("en"), Some("Payment overdue."))],
                    },
                    rem: DomainChange {
                        ns: NameServers::Objects(vec!["ns1.example.net".into()]),
                        contacts: vec![],
                        statuses: vec![client_status(StatusValue::CLIENT_UPDATE_PROHIBITED, Some("en"), Some("not sent"))],
                    },
                    registrant: Some("AM-1001".into()),
                    auth: Some(AuthInfo::Null),
                    ..DomainUpdate::of(domain())
                }
                .swap_contact(Role::Tech, "HM-7".into(), "HM-8".into()),
            )),
        ),
        (
            "domain/update-secdns",
            transform(Transform::DomainUpdate(DomainUpdate {
                ds: DsChange {
                    urgent: true,
                    remove_all: true,
                    add_keys: vec![key(13)],
                    max_sig_life: Some(605_900),
                    ..DsChange::default()
                },
                ..DomainUpdate::of(domain())
            })),
        ),
        ("domain/update-restore", transform(Transform::DomainUpdate(DomainUpdate { restore: true, ..DomainUpdate::of(domain()) }))),
        ("domain/delete", transform(Transform::DomainDelete(domain()))),
        (
            "domain/renew",
            transform(Transform::DomainRenew {
                name: domain(),
                current_expiry: "2027-04-03".into(),
                period: Some(Period { count: 12, unit: PeriodUnit::Months }),
            }),
        ),
        ("domain/transfer-query", Command::Query(Query::DomainTransfer { name: domain(), auth: None })),
        (
            "domain/transfer-request",
            transform(Transform::DomainTransferRequest {
                name: domain(),
                period: Some(Period { count: 1, unit: PeriodUnit::Years }),
                auth: password("2fooBAR"),
                trade: None,
            }),
        ),
        ("extension/eu-hit-points", Command::Query(Query::HitPoints)),
        ("extension/eu-auth-request", transform(Transform::DomainAuthCode { name: domain(), order: AuthCodeOrder::Request })),
        ("extension/eu-auth-cancel", transform(Transform::DomainAuthCode { name: domain(), order: AuthCodeOrder::Cancel })),
        (
            "extension/nz-contact-update",
            transform(Transform::ContactUpdate(ContactUpdate {
                id: "C-1".into(),
                add: vec![],
                rem: vec![],
                chg: Some(ContactChange {
                    properties: [("LANGUAGE", "MI")].into_iter().collect(),
                    removed: [("LANGUAGE", "EN"), ("TAG", "a"), ("TAG.2", "b")].into_iter().collect(),
                    ..ContactChange::default()
                }),
            })),
        ),
        ("host/info", Command::Query(Query::HostInfo(HostName::new("ns1.example.test")))),
    ]
}

#[test]
fn each_command_is_its_golden_frame() {
    let commands = commands();
    let names: Vec<_> = golden("request").into_iter().map(|(name, _)| name).collect();
    let mut told: Vec<_> = commands.iter().map(|(name, _)| (*name).to_owned()).collect();
    told.sort();
    assert_eq!(told, names, "each golden request has its command");
    for (name, command) in commands {
        let mut out = Vec::new();
        let agreed = ["http://www.eurid.eu/xml/epp/authInfo-1.1", "urn:ietf:params:xml:ns:fury-2.0"].map(Into::into);
        epp::encode(&command, Some(&ClTrid::new("PRIVET-0001")), &agreed, &mut out).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(meaning(&out), meaning(&frame("request", name)), "{name}");
    }
}

#[test]
fn each_answer_is_read_as_its_snapshot_says() {
    let golden = golden("response");
    assert!(golden.len() > 30);
    for (name, frame) in golden {
        let mut seen = epp::frame_json(&frame, true).unwrap_or_else(|e| panic!("{name}: {e}"));
        seen.as_object_mut().expect("an object").remove("raw");
        insta::assert_json_snapshot!(name.replace('/', "-"), seen);
    }
}

#[test]
fn refusals_name_the_field_and_never_the_value() {
    let marker = "Xq7-personal-marker-that-is-far-too-long-for-any-postal-code";
    let change = |chg| {
        let update = ContactUpdate { id: "AM-1001".into(), add: vec![], rem: vec![], chg: Some(chg) };
        let mut out = Vec::new();
        epp::encode(&Command::Transform(Box::new(Transform::ContactUpdate(update))), None, &[], &mut out).expect_err("refused")
    };
    let addr = Address { pc: Some(marker.into()), city: "x".into(), cc: "DE".into(), ..Address::default() };
    let cases = [
        ("contact:pc", change(ContactChange::default().with_address(PostalForm::Int, addr))),
        ("contact:voice", change(ContactChange { voice: Some(Phone { number: marker.into(), ext: None }), ..ContactChange::default() })),
        ("contact:email", change(ContactChange { email: Some(Personal::new(format!("{marker}\u{1b}"))), ..ContactChange::default() })),
        ("contact:authInfo", change(ContactChange { auth: Some(AuthInfo::Null), ..ContactChange::default() })),
    ];
    for (field, refused) in cases {
        assert_eq!(refused.field, field);
        let problem: Box<privet::base::Problem> = refused.into();
        let told = problem.to_string();
        assert!(told.starts_with("E-epp-001: ") && told.contains(field) && !told.contains("Xq7"), "{told}");
    }
}

#[test]
fn a_masked_frame_shows_no_personal_value_and_no_secret() {
    for (name, frame) in golden("response").into_iter().chain(golden("request")) {
        let shown = epp::frame_json(&frame, false).unwrap_or_else(|e| panic!("{name}: {e}")).to_string();
        for private in [
            "Anna",
            "Baecker",
            "Bäcker",
            "Söhne",
            "Strasse",
            "Straße",
            "Hinterhaus",
            "ttingen",
            "37073",
            "551123",
            "baecker",
            "2foo",
            "-secret",
            "longer than",
            "a<b",
            "0551",
            "plain words",
        ] {
            assert!(!shown.contains(private), "{name} shows {private}: {shown}");
        }
    }
    let shown = epp::frame_json(&frame("response", "contact/info"), false).expect("a frame");
    let raw = shown["raw"].as_str().expect("text");
    for public in
        ["<contact:id>AM-1001</contact:id>", "<contact:name>•••</contact:name>", "x=\"•••\"", "2025-12-03T09:00:00.0Z", "PRIVET-0001"]
    {
        assert!(raw.contains(public), "{public} in {raw}");
    }
}

#[test]
fn what_is_no_frame_is_told_apart() {
    assert!(matches!(epp::frame_json(b"GET / HTTP/1.1", false), Err(epp::NotAFrame::Malformed(_))));
    assert!(matches!(epp::frame_json(b"<html><body/></html>", false), Err(epp::NotAFrame::Undecodable(_))));
    let command = epp::frame_json(&frame("request", "contact/info"), false).expect("a command is a frame");
    assert!(command["typed"].is_null() && !command["unknown"].as_array().expect("a list").is_empty());
}

#[test]
fn evidence_holds_names_and_no_contents() {
    let names = epp::element_names(&tape(&frame("response", "contact/check")));
    assert_eq!(names, "cd chkData clTRID epp id msg reason resData response result svTRID trID");
}

#[test]
fn a_service_is_what_stands_in_front_of_a_file_name() {
    let Ok(Message::Greeting(greeting)) = epp::decode(&tape(&frame("response", "session/greeting-odd"))) else { panic!("no greeting") };
    assert_eq!(&*greeting.objects[0], "urn:ietf:params:xml:ns:domain-1.0 domain-1.0.xsd");
    assert_eq!(epp::service(&greeting.objects[0]), "urn:ietf:params:xml:ns:domain-1.0");
    assert!(!greeting.has_dcp && greeting.versions.len() == 2 && greeting.langs.is_empty());
}

#[test]
fn a_status_set_by_a_handle_of_its_own_survives() {
    let response = response(&frame("response", "contact/info"));
    let Some(ResData::Contact(contact)) = response.data.first() else { panic!("no contact") };
    assert_eq!(contact.id, Handle::new("AM-1001"));
    assert_eq!(contact.statuses[2].value.as_str(), "frozenByCourt");
    assert!(!contact.statuses[2].value.is_known());
    assert_eq!(contact.disclose, Some(disclose()));
    assert_eq!(contact.postal, postal());
}
