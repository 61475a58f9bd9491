//! Golden frames, round trips through both forms, and frames cut anywhere.

mod change;

use super::word::Kind;
use super::{decode, decode_key_value, encode, encode_key_value, kv, xml};
use crate::base::{ClTrid, DomainName, Handle, HostName, Personal, Secret, revealed};
use crate::model::*;
use crate::protocol::tape::Tape;
use proptest::collection::vec;
use proptest::prelude::*;
use std::path::PathBuf;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/wire/rri").join(name)
}

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn read(frame: &[u8]) -> Response {
    let mut tape = Tape::new();
    tape.read(frame).expect("a document");
    let mut response = decode(&tape).expect("an answer");
    response.unknown = tape.unknown();
    response
}

fn own(response: &Response) -> &RriAnswer {
    response.extensions.iter().find_map(|e| if let Extension::Rri(own) = e { Some(&**own) } else { None }).expect("always there")
}

fn anna() -> RriContact {
    let Response { extensions, .. } = read(&golden("response/contact-info.xml"));
    let objects = extensions.into_iter().find_map(|e| if let Extension::Rri(own) = e { Some(own.objects) } else { None });
    match objects.expect("objects").remove(0) {
        RriObject::Contact(contact) => *contact,
        RriObject::Domain(_) => panic!("a contact"),
    }
}

fn buecher() -> RriDomain {
    match own(&read(&golden("response/domain-info.xml"))).objects.as_slice() {
        [RriObject::Domain(domain)] => (**domain).clone(),
        other => panic!("a domain: {other:?}"),
    }
}

fn change(change: RriChange) -> Command {
    Command::Transform(Box::new(Transform::Rri(Box::new(change))))
}

fn update(was: RriContact, to: RriContact) -> Command {
    change(RriChange::ContactUpdate { was, to, drop: Vec::new() })
}

/// The commands whose frames are kept.
fn commands() -> Vec<(&'static str, Command)> {
    let name = || DomainName::new("xn--bcher-beispiel-gsb.de");
    let login = Login::plain("DENIC-1000001", Secret::new("geheim & süß"));
    let mut moved = anna();
    moved.address = vec!["Kurze Gasse 2".into()];
    let drop = vec!["address".into()];
    let mut request = RriContact::bare("DENIC-1000001-REQ".into(), RriKind::Request);
    request.uri_template = Some("https://example.org/{Ulabel}".into());
    let mut fewer = buecher();
    fewer.keys.clear();
    vec![
        ("login", Command::Login(Box::new(login))),
        ("logout", Command::Logout),
        ("contact-check", Command::Query(Query::ContactCheck(vec!["denic-1000001-neu".into()]))),
        ("contact-info", Command::Query(Query::ContactInfo { id: "DENIC-1000001-ANNA".into(), auth: None })),
        ("contact-create", change(RriChange::ContactCreate(anna()))),
        ("contact-create-request", change(RriChange::ContactCreate(request))),
        ("contact-update", change(RriChange::ContactUpdate { was: anna(), to: moved, drop })),
        ("domain-info", Command::Query(Query::DomainInfo { name: name(), hosts: HostsFilter::All, auth: None })),
        ("domain-update", change(RriChange::DomainUpdate { was: buecher(), to: buecher(), drop: Vec::new() })),
        ("domain-update-unsigned", change(RriChange::DomainUpdate { was: buecher(), to: fewer, drop: vec!["Dnskey".into()] })),
        (
            "authinfo1-create",
            change(RriChange::AuthInfo1Create { name: name(), hash: Secret::new("0f".repeat(32)), expires: "20260401".into() }),
        ),
        ("authinfo1-delete", change(RriChange::AuthInfo1Delete(name()))),
        ("queue-read", Command::PollRequest),
        ("queue-delete", Command::PollAck { id: "423".into() }),
    ]
}

#[test]
fn every_request_is_the_golden_one_in_both_forms() {
    let ctid = ClTrid::new("run-1-7");
    for (name, command) in commands() {
        for (ending, encode) in [("xml", encode as fn(&_, _, &mut _) -> _), ("txt", encode_key_value)] {
            let mut out = Vec::new();
            encode(&command, Some(&ctid), &mut out).unwrap_or_else(|e| panic!("{name}: {e}"));
            let path = format!("request/{name}.{ending}");
            assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&golden(&path)), "{path}");
            let changes = matches!(command, Command::Transform(_) | Command::PollAck { .. });
            assert_eq!(String::from_utf8_lossy(&out).contains("run-1-7"), changes, "{path}: a ctid only with a change");
        }
    }
}

#[test]
fn a_contact_is_read_and_what_has_no_column_is_a_property() {
    let response = read(&golden("response/contact-info.xml"));
    let [ResData::Contact(contact)] = response.data.as_slice() else { panic!("{:?}", response.data) };
    let [postal] = contact.postal.as_slice() else { panic!("one form") };
    let addr = postal.addr.as_ref().expect("an address");
    assert_eq!((contact.id.as_str(), addr.street.len(), &*addr.cc), ("DENIC-1000001-ANNA", 3, "DE"));
    assert_eq!(postal.org.as_ref().map(Personal::reveal), Some("Bäcker & Söhne GmbH"));
    let voice = contact.voice.as_ref().expect("a telephone");
    assert_eq!((voice.number.reveal(), voice.ext.as_ref().map(Personal::reveal)), ("+49.5515550100", Some("29")));
    assert!(contact.updated.as_ref().is_some_and(|d| d.at.is_some()));
    assert_eq!(response.code(), ResultCode::OK);
    let properties: Vec<_> = contact.properties.iter().collect();
    let verification = "claim=name;claim.2=email;evidence=idcard;method=auth;reference=V-2026-0001;result=success;\
                        timestamp=2026-02-28T09:30:00+01:00;trustFramework=de_denic";
    assert_eq!(
        properties,
        [
            ("email.2", "beispiel@example.org"),
            ("org.2", "Verein der Beispiele e.V."),
            ("street.4", "4. Stock"),
            ("type", "PERSON"),
            ("verification", verification)
        ]
    );
    assert!(response.unknown.is_empty(), "{:?}", response.unknown);
    let whole = anna();
    assert_eq!((whole.kind, whole.organisations.len(), whole.emails.len(), whole.address.len()), (RriKind::Person, 2, 2, 4));
    assert_eq!((whole.verifications.len(), whole.verifications[0].claims.len(), whole.unread.len()), (1, 2, 0));
}

#[test]
fn a_domain_is_read() {
    let response = read(&golden("response/domain-info.xml"));
    let [ResData::Domain(domain)] = response.data.as_slice() else { panic!("{:?}", response.data) };
    assert_eq!((domain.name.as_str(), domain.statuses[0].value.as_str()), ("xn--bcher-beispiel-gsb.de", "connect"));
    assert_eq!(domain.registrant, Some(Handle::new("DENIC-1000001-ANNA")));
    let properties: Vec<_> = domain.properties.iter().collect();
    assert_eq!(properties, [("abuse-contact", "DENIC-1000001-ABUSE"), ("general-request", "DENIC-1000001-REQ")]);
    let NameServers::Attributes(servers) = &domain.ns else { panic!("with their glue") };
    assert_eq!((servers.len(), servers[0].addrs.len(), servers[1].name.as_str()), (2, 2, "ns2.example.net"));
    assert!(response.unknown.is_empty(), "{:?}", response.unknown);
    let quota = own(&response).messages.iter().find(|m| &*m.level == "warning").expect("a warning");
    assert_eq!(
        (quota.code.map(super::meaning), quota.argument.as_ref().map(Personal::reveal)),
        (Some(super::Meaning::QuotaShare), Some("83"))
    );
    assert_eq!(response.code(), ResultCode::OK, "an information may bear a 5 in front");
    assert!(response.extensions.iter().any(|e| matches!(e, Extension::SecDns(s) if s.keys[0].flags == 257)));
    assert!(buecher().unread.is_empty());
}

#[test]
fn messages_checks_and_failures_are_read() {
    let response = read(&golden("response/queue-read.xml"));
    let queue = response.queue.expect("a message");
    assert_eq!((queue.id.as_deref(), queue.msg.as_deref()), (Some("423"), Some("chprovAuthInfo")));
    assert_eq!(response.unknown.len(), 2, "what it is about is kept as it came");
    let response = read(&golden("response/check.xml"));
    assert!(matches!(&response.data[..], [ResData::ContactCheck(items)] if items[0].available));
    let response = read(&golden("response/failed.xml"));
    assert_eq!((response.code(), response.cl_trid.as_ref().map(ClTrid::as_str)), (ResultCode(2306), Some("run-1-7")));
    assert!(response.msg().starts_with("63200040702 "), "{}", response.msg());
    assert_eq!(own(&response).messages.len(), 3);
}

#[test]
fn both_forms_of_an_answer_say_the_same() {
    for name in ["contact-info", "domain-info", "failed"] {
        let one = read(&golden(&format!("response/{name}.xml")));
        let other = decode_key_value(&golden(&format!("response/{name}.txt"))).expect("an answer");
        let mut values = [&one, &other].map(|r| revealed(|| serde_json::to_value(r).expect("JSON")));
        // The key/value form has no arguments of their own.
        values.iter_mut().for_each(drop_arguments);
        assert_eq!(values[0], values[1], "{name}");
        assert_eq!(one.unknown.len(), other.unknown.len(), "{name}");
    }
}

fn drop_arguments(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            map.remove("argument");
            map.values_mut().for_each(drop_arguments);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(drop_arguments),
        _ => {}
    }
}

#[test]
fn a_result_word_decides_and_a_contradiction_is_doubt() {
    let with = |result: &str, level: &str| {
        let text = format!("RESULT: {result}\nSTID: s\n{}: 53000060009 words\n", level.to_uppercase());
        decode_key_value(text.as_bytes()).expect("an answer").code().0
    };
    assert_eq!([with("success", "info"), with("success", "warning"), with("success", "error")], [1000, 1000, 2400]);
    assert_eq!([with("failed", "error"), with("failure", "error"), with("failed", "info")], [2303, 2303, 2400]);
    assert_eq!(with("EXCEPTION", "error"), 2303);
    for bad in ["", "STID: s\n", "\u{feff}", "RESULT:success\n", "[a]\nRESULT: success\n"] {
        assert!(decode_key_value(bad.as_bytes()).is_err(), "{bad:?}");
    }
    assert!(decode_key_value(b"RESULT: \xff").is_err());
}

#[test]
fn an_update_that_would_delete_something_is_refused() {
    let refused = |command: Command| {
        let mut out = b"before".to_vec();
        let problem = encode(&command, None, &mut out).expect_err("refused");
        assert_eq!(out, b"before");
        (problem.id.clone(), problem.place.field.clone().unwrap_or_default())
    };
    let said = |id: &str, field: &str| (id.to_owned(), field.to_owned());
    let without = |edit: fn(&mut RriContact)| {
        let mut to = anna();
        edit(&mut to);
        update(anna(), to)
    };
    assert_eq!(refused(without(|c| drop(c.emails.pop()))), said("E-rri-002", "EMail"));
    assert_eq!(refused(without(|c| c.organisations.clear())), said("E-rri-002", "Organisation"));
    assert_eq!(refused(without(|c| c.phone = None)), said("E-rri-002", "Phone"));
    assert_eq!(refused(without(|c| c.verifications.clear())), said("E-rri-002", "VerificationInformation"));
    assert_eq!(refused(without(|c| c.handle = "DENIC-1000001-B".into())), said("E-rri-001", "Handle"));
    assert_eq!(refused(without(|c| c.name = Some(" x".into()))), said("E-rri-001", "Name"));
    assert_eq!(refused(without(|c| c.name = Some("".into()))), said("E-rri-001", "Name"));
    assert_eq!(refused(without(|c| c.address.resize(6, "x".into()))), said("E-rri-001", "Address"));
    assert_eq!(refused(without(|c| c.city = Some("a\u{fffe}".into()))), said("E-rri-001", "contact:update"));
    let mut strange = anna();
    strange.unread.push("sip".into());
    assert_eq!(refused(update(strange, anna())).0, "E-rri-006");
    let long = "https://example.org/".to_owned() + &"x".repeat(1005);
    assert_eq!(refused(without(|c| c.emails.resize(300, "x".repeat(250).as_str().into()))).0, "E-rri-004");
    let mut to = anna();
    to.uri_template = Some(long.into());
    assert_eq!(refused(update(anna(), to)), said("E-rri-001", "URI-Template"));
}

#[test]
fn what_an_answer_has_beyond_the_types_bars_an_update() {
    let text = String::from_utf8(golden("response/contact-info.xml")).expect("UTF-8");
    let more = text.replace("<contact:changed>", "<contact:sip>sip:a@example.org</contact:sip><contact:changed>");
    match own(&read(more.as_bytes())).objects.as_slice() {
        [RriObject::Contact(contact)] => assert_eq!(contact.unread.as_slice(), ["infoData/sip".into()] as [Box<str>; 1]),
        other => panic!("{other:?}"),
    }
    let role = text.replace("PERSON", "ROLE");
    let response = read(role.as_bytes());
    let [ResData::Contact(contact)] = &response.data[..] else { panic!("{:?}", response.data) };
    assert!(own(&response).objects.is_empty(), "what is not known wholly is not replaced");
    assert_eq!((contact.properties.get("type"), response.unknown.len()), (Some("ROLE"), 0), "and nothing of it is lost");
}

/// A value that a line can carry.
fn line() -> impl Strategy<Value = String> {
    let is_plain = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    vec(any::<char>(), 1..40).prop_map(move |chars| {
        let text: String = chars.into_iter().filter(is_plain).collect();
        let text = text.trim();
        if text.is_empty() { "x".to_owned() } else { text.to_owned() }
    })
}

fn personal() -> impl Strategy<Value = Personal> {
    line().prop_map(Personal::new)
}

fn lines(most: usize) -> impl Strategy<Value = Vec<Personal>> {
    vec(personal(), 0..=most)
}

fn verification() -> impl Strategy<Value = Verification> {
    let words = || vec(line().prop_map(Into::into), 1..3);
    let word = || proptest::option::of(line().prop_map(Into::into));
    (words(), word(), proptest::option::of(personal()), word(), words(), words(), word()).prop_map(
        |(claims, result, reference, timestamp, evidence, method, trust_framework)| Verification {
            claims,
            result,
            reference,
            timestamp,
            evidence,
            method,
            trust_framework,
        },
    )
}

fn contact() -> impl Strategy<Value = RriContact> {
    let one = || proptest::option::of(personal());
    let kind = prop_oneof![Just(RriKind::Person), Just(RriKind::Org), Just(RriKind::Request)];
    let verifications = vec(verification(), 0..3);
    (0..1_000_000_u32, kind, one(), lines(3), lines(5), one(), one(), lines(4), one(), verifications).prop_map(
        |(n, kind, name, organisations, address, city, phone, emails, postal_code, verifications)| RriContact {
            name,
            organisations,
            address,
            postal_code: postal_code.map(|code| code.reveal().chars().take(20).collect::<String>().trim().into()),
            city,
            country: Some("DE".into()),
            emails,
            phone,
            uri_template: None,
            verifications,
            ..RriContact::bare(Handle::new(format!("DENIC-1-{n:03}")), kind)
        },
    )
}

fn domain() -> impl Strategy<Value = RriDomain> {
    let handle = || (0..1000_u32).prop_map(|n| Handle::new(format!("DENIC-1-{n:03}")));
    let ip = prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(|ip| Ip { version: IpVersion::V4, text: ip.to_string().into() }),
        any::<[u16; 8]>().prop_map(|ip| Ip { version: IpVersion::V6, text: ip.map(|n| format!("{n:x}")).join(":").into() }),
    ];
    let server = (0..99_u32, vec(ip, 0..3)).prop_map(|(n, addrs)| HostAttr { name: HostName::new(format!("ns{n}.example.de")), addrs });
    let key = (any::<u16>(), any::<u8>(), any::<u8>(), 1..200_usize).prop_map(|(flags, protocol, alg, n)| KeyData {
        flags,
        protocol,
        alg,
        public_key: "Ab1+".repeat(n).into(),
    });
    (vec(handle(), 1..5), proptest::option::of(handle()), proptest::option::of(handle()), vec(server, 0..5), vec(key, 0..5)).prop_map(
        |(holders, general_request, abuse_contact, servers, keys)| RriDomain {
            holders,
            general_request,
            abuse_contact,
            servers,
            keys,
            ..RriDomain::bare(DomainName::new("xn--bcher-kva.de"))
        },
    )
}

/// What both forms of a request say of its object.
fn back(command: &Command, kind: Kind) -> [RriObject; 2] {
    let (mut document, mut text) = (Vec::new(), Vec::new());
    encode(command, None, &mut document).expect("XML");
    encode_key_value(command, None, &mut text).expect("key/value");
    let mut tape = Tape::new();
    tape.read(&document).expect("a document");
    let object = tape.root().and_then(|root| root.children().next()).expect("an object");
    let sheet = xml::read_sheet(object, kind);
    let one = xml::object(object, &sheet).expect("an object");
    let text = String::from_utf8(text).expect("UTF-8");
    let mut blocks = kv::blocks(&text).into_iter();
    let mut first = blocks.next().expect("a block");
    first.lines.retain(|(keyword, _)| !matches!(*keyword, "Version" | "Action"));
    let mut sheet = kv::sheet(&first, kind);
    sheet.parts.extend(blocks.map(|block| kv::sheet(&block, Kind::Verification)));
    [one, xml::whole_of(&sheet).expect("an object")]
}

proptest! {
    #[test]
    fn contacts_come_back_out_of_both_forms(contact in contact()) {
        let objects = back(&change(RriChange::ContactCreate(contact.clone())), Kind::Contact);
        let want = RriObject::Contact(Box::new(contact));
        prop_assert!(objects[0] == want, "XML");
        prop_assert!(objects[1] == want, "key/value");
    }

    #[test]
    fn domains_come_back_out_of_both_forms(domain in domain()) {
        let update = change(RriChange::DomainUpdate { was: domain.clone(), to: domain.clone(), drop: Vec::new() });
        let want = RriObject::Domain(Box::new(domain));
        for object in back(&update, Kind::Domain) {
            prop_assert_eq!(&object, &want);
        }
    }

    #[test]
    fn no_bytes_are_worse_than_no_answer(bytes in vec(any::<u8>(), 0..300)) {
        let _either = decode_key_value(&bytes);
        let text = format!("RESULT: success\n{}", String::from_utf8_lossy(&bytes));
        prop_assert!(decode_key_value(text.as_bytes()).is_ok());
    }
}

#[test]
fn a_frame_cut_at_any_byte_is_an_answer_or_none_and_never_a_panic() {
    let mut tape = Tape::new();
    for name in ["contact-info", "domain-info", "failed"] {
        let document = golden(&format!("response/{name}.xml"));
        let text = golden(&format!("response/{name}.txt"));
        for cut in 0..text.len() {
            let _either = decode_key_value(&text[..cut]);
        }
        for cut in 0..document.trim_ascii_end().len() {
            assert!(tape.read(&document[..cut]).is_err(), "{name} cut at {cut}");
            // What is left of it as text between others: elements lost from the middle.
            let mut holed = document[..cut].to_vec();
            holed.extend_from_slice(&document[document.len().min(cut + 40)..]);
            if tape.read(&holed).is_ok() {
                let _either = decode(&tape);
            }
        }
    }
}
