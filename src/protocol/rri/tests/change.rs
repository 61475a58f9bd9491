//! Changes in the terms that all registries share, and what becomes of everything they do not mention.

use super::super::{complete, reads_first};
use super::*;

fn shared(name: &str) -> (Response, Contact) {
    let response = read(&golden(name));
    let [ResData::Contact(contact)] = response.data.as_slice() else { panic!("a contact") };
    let contact = (**contact).clone();
    (response, contact)
}

fn of(transform: Transform) -> Command {
    Command::Transform(Box::new(transform))
}

fn contact_update(chg: ContactChange) -> Command {
    of(Transform::ContactUpdate(ContactUpdate { id: "DENIC-1000001-ANNA".into(), add: vec![], rem: vec![], chg: Some(chg) }))
}

/// The contact that `chg` makes of the golden one.
fn changed(chg: ContactChange) -> Result<RriContact, Box<crate::base::Problem>> {
    let (response, _) = shared("response/contact-info.xml");
    let command = complete(&contact_update(chg), own(&response))?;
    encode(&command, None, &mut Vec::new())?;
    let Command::Transform(transform) = command else { panic!("a change") };
    match *transform {
        Transform::Rri(change) => match *change {
            RriChange::ContactUpdate { to, .. } => Ok(to),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_contact_that_was_read_is_created_again_with_nothing_lost() {
    let (_, contact) = shared("response/contact-info.xml");
    let mut out = Vec::new();
    encode(&of(Transform::ContactCreate(contact.clone())), Some(&ClTrid::new("run-1-7")), &mut out).expect("encoded");
    assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&golden("request/contact-create.xml")));
    let refused = |edit: fn(&mut Contact)| {
        let mut contact = contact.clone();
        edit(&mut contact);
        encode(&of(Transform::ContactCreate(contact)), None, &mut Vec::new()).expect_err("refused").place.field.clone()
    };
    assert_eq!(refused(|c| c.fax = Some(Phone { number: "+49.1".into(), ext: None })).as_deref(), Some("fax"));
    assert_eq!(refused(|c| c.properties.set("type", "")).as_deref(), Some("type"));
    assert_eq!(refused(|c| c.properties.set("type", "ROLE")).as_deref(), Some("type"));
    assert_eq!(refused(|c| c.properties.set("regCode", "1")).as_deref(), Some("regCode"));
    assert_eq!(refused(|c| c.properties.set("org.4", "x")).as_deref(), Some("org"), "no third one stands before it");
    assert_eq!(refused(|c| c.properties.set("verification", "colour=blue")).as_deref(), Some("verification"));
    assert_eq!(refused(|c| c.properties.set("street.2", "x")).as_deref(), Some("street"), "that line has a column");
}

#[test]
fn a_change_of_one_value_keeps_all_others() {
    let query = reads_first(&contact_update(ContactChange::default()));
    assert!(matches!(query, Some(Query::ContactInfo { id, .. }) if id.as_str() == "DENIC-1000001-ANNA"));
    assert_eq!(changed(ContactChange::default()).expect("whole"), anna());
    let email = ContactChange { email: Some("neu@example.org".into()), ..ContactChange::default() };
    let mut want = anna();
    want.emails[0] = "neu@example.org".into();
    assert_eq!(changed(email).expect("whole"), want);
    let properties = Properties::read("org.2=Anderer Verein e.V.;street.5=Links").expect("well-formed");
    let mut want = anna();
    want.organisations[1] = "Anderer Verein e.V.".into();
    want.address.push("Links".into());
    assert_eq!(changed(ContactChange { properties, ..ContactChange::default() }).expect("whole"), want);
}

#[test]
fn an_address_is_replaced_as_a_whole() {
    let address = |lines: &[&str]| Address {
        street: lines.iter().map(|line| Personal::from(*line)).collect(),
        city: "Kiel".into(),
        sp: None,
        pc: Some("24103".into()),
        cc: "DE".into(),
    };
    let lines = |addr| changed(ContactChange::default().with_address(PostalForm::Loc, addr)).map(|c| c.address.len());
    assert_eq!(lines(address(&["Hafen 1"])).expect("one line"), 1);
    assert_eq!(lines(address(&["a", "b", "c"])).expect("the fourth stays behind three"), 4);
    let mut elsewhere = address(&["a"]);
    elsewhere.sp = Some("SH".into());
    assert_eq!(lines(elsewhere).expect_err("no such field").place.field.as_deref(), Some("sp"));
}

#[test]
fn what_the_registry_has_no_field_for_is_refused_and_so_is_what_was_not_read_wholly() {
    let field = |chg| changed(chg).expect_err("refused").place.field.clone().unwrap_or_default();
    assert_eq!(field(ContactChange { disclose: Some(Disclose::default()), ..ContactChange::default() }), "disclose");
    assert_eq!(field(ContactChange { auth: Some(AuthInfo::Null), ..ContactChange::default() }), "auth");
    let text = String::from_utf8(golden("response/contact-info.xml")).expect("UTF-8");
    let role = read(text.replace("PERSON", "ROLE").as_bytes());
    let update = contact_update(ContactChange::default());
    assert_eq!(complete(&update, own(&role)).expect_err("not known wholly").id, "E-rri-006");
    let more = read(text.replace("<contact:changed>", "<contact:sip>x</contact:sip><contact:changed>").as_bytes());
    let command = complete(&update, own(&more)).expect("put together");
    assert_eq!(encode(&command, None, &mut Vec::new()).expect_err("would delete").id, "E-rri-006");
    assert_eq!(complete(&update, &RriAnswer::default()).expect_err("nothing read").id, "E-rri-006");
}

#[test]
fn a_domain_changes_by_its_parts() {
    let response = read(&golden("response/domain-info.xml"));
    let name = buecher().name;
    let mut update = DomainUpdate::of(name.clone());
    update.registrant = Some("DENIC-1000001-NEU".into());
    update.rem.ns = NameServers::Attributes(vec![HostAttr { name: "ns2.example.net".into(), addrs: vec![] }]);
    update.add.ns = NameServers::Objects(vec!["ns3.example.net".into()]);
    update.rem.contacts = vec![ContactRef { role: None, kind: "abuse-contact".into(), handle: "DENIC-1000001-ABUSE".into() }];
    update.ds.remove_all = true;
    let command = complete(&of(Transform::DomainUpdate(update)), own(&response)).expect("whole");
    encode(&command, None, &mut Vec::new()).expect("nothing is lost by leaving it out");
    let Command::Transform(transform) = command else { panic!("a change") };
    let Transform::Rri(change) = *transform else { panic!("a change") };
    let RriChange::DomainUpdate { to, .. } = *change else { panic!("an update") };
    let servers: Vec<_> = to.servers.iter().map(|s| (s.name.as_str(), s.addrs.len())).collect();
    assert_eq!(servers, [("ns1.xn--bcher-beispiel-gsb.de", 2), ("ns3.example.net", 0)]);
    assert_eq!((to.holders[0].as_str(), to.keys.len(), &to.abuse_contact), ("DENIC-1000001-NEU", 0, &None));
    assert_eq!(to.general_request, buecher().general_request);

    let refused = |edit: fn(&mut DomainUpdate)| {
        let mut update = DomainUpdate::of(buecher().name);
        edit(&mut update);
        complete(&of(Transform::DomainUpdate(update)), own(&response)).expect_err("refused").place.field.clone()
    };
    assert_eq!(refused(|u| u.add.statuses.push(StatusValue::CLIENT_HOLD.into())).as_deref(), Some("statuses"));
    assert_eq!(refused(|u| u.auth = Some(AuthInfo::Null)).as_deref(), Some("auth"));
    assert_eq!(refused(|u| u.add.contacts.push(ContactRef::new(Role::Admin, "A".into()))).as_deref(), Some("admin"));
}

/// A domain without a delegation, in the XML form.
fn entries(all: &str) -> String {
    let text = String::from_utf8(golden("response/domain-info.xml")).expect("UTF-8");
    let (before, _) = text.split_once("<dnsentry:dnsentry").expect("entries");
    let (_, behind) = text.rsplit_once("</dnsentry:dnsentry>").expect("entries");
    let more = "<domain:registryLock>true</domain:registryLock><domain:authInfo1Expire>20261201</domain:authInfo1Expire>";
    format!("{before}{all}{more}{behind}")
}

fn entry(kind: &str, owner: &str, data: &str) -> String {
    format!(
        "<dnsentry:dnsentry xsi:type=\"dnsentry:{kind}\"><dnsentry:owner>{owner}</dnsentry:owner><dnsentry:rdata>{data}</dnsentry:rdata></dnsentry:dnsentry>"
    )
}

#[test]
fn records_that_the_registry_serves_itself_are_read_kept_and_written() {
    let name = "xn--bcher-beispiel-gsb.de";
    let good = entry("A", &format!("{name}."), "<dnsentry:address>192.0.2.1</dnsentry:address>")
        + &entry("AAAA", &format!("www.{name}."), "<dnsentry:address>2001:db8::1</dnsentry:address>")
        + &entry(
            "MX",
            &format!("*.{name}."),
            "<dnsentry:preference>10</dnsentry:preference><dnsentry:exchange>mail.example.net.</dnsentry:exchange>",
        );
    let response = read(entries(&good).as_bytes());
    assert!(response.unknown.is_empty(), "{:?}", response.unknown);
    let [ResData::Domain(domain)] = response.data.as_slice() else { panic!("a domain") };
    let get = |key| domain.properties.get(key);
    assert_eq!(get("nsentry"), Some("xn--bcher-beispiel-gsb.de. IN A 192.0.2.1"));
    assert_eq!(get("nsentry.3"), Some("*.xn--bcher-beispiel-gsb.de. IN MX 10 mail.example.net."));
    assert_eq!((get("registryLock"), get("authInfo1")), (Some("true"), Some("20261201")));
    let RriObject::Domain(whole) = own(&response).objects[0].clone() else { panic!("a domain") };
    assert_eq!((whole.entries.len(), whole.unread.len()), (3, 0));
    let update = change(RriChange::DomainUpdate { was: (*whole).clone(), to: (*whole).clone(), drop: Vec::new() });
    for object in back(&update, Kind::Domain) {
        assert_eq!(object, RriObject::Domain(whole.clone()));
    }
    let refused = |edit: &dyn Fn(&mut RriDomain)| {
        let mut to = (*whole).clone();
        edit(&mut to);
        let update = change(RriChange::DomainUpdate { was: (*whole).clone(), to, drop: vec!["NSentry".into()] });
        encode(&update, None, &mut Vec::new()).expect_err("refused").place.field.clone()
    };
    let wild = NsEntry { owner: format!("*.{name}").as_str().into(), data: NsEntryData::A([192, 0, 2, 1].into()) };
    let outside = NsEntry { owner: format!("not{name}").as_str().into(), ..wild.clone() };
    let far = NsEntry { data: NsEntryData::Mx { preference: 1000, exchange: "mail.example.net".into() }, ..wild.clone() };
    for bad in [wild, outside, far] {
        assert_eq!(refused(&|d| d.entries[0] = bad.clone()).as_deref(), Some("NSentry"), "{bad}");
    }
    assert_eq!(refused(&|d| d.entries.extend(d.entries.clone())).as_deref(), Some("NSentry"), "six");
    assert_eq!(refused(&|d| d.servers = buecher().servers).as_deref(), Some("NSentry"), "beside name servers");
}

#[test]
fn a_record_of_another_kind_is_kept_and_bars_an_update() {
    let strange = entry("CAA", "xn--bcher-beispiel-gsb.de.", "<dnsentry:value>letsencrypt.org</dnsentry:value>");
    let response = read(entries(&strange).as_bytes());
    assert!(response.unknown.iter().any(|u| u.text.reveal() == "letsencrypt.org"));
    let RriObject::Domain(whole) = &own(&response).objects[0] else { panic!("a domain") };
    assert!(!whole.unread.is_empty());
    let update = change(RriChange::DomainUpdate { was: (**whole).clone(), to: (**whole).clone(), drop: Vec::new() });
    assert_eq!(encode(&update, None, &mut Vec::new()).expect_err("would delete").id, "E-rri-006");
}

#[test]
fn answers_in_an_older_version_are_read_like_the_newest() {
    let text = String::from_utf8(golden("response/contact-info.xml")).expect("UTF-8");
    let newest = serde_json::to_value(read(text.as_bytes())).expect("JSON");
    for version in 1..=4 {
        let older = text.replace("/5.0\"", &format!("/{version}.0\""));
        assert_eq!(serde_json::to_value(read(older.as_bytes())).expect("JSON"), newest, "{version}.0");
    }
    let mut tape = Tape::new();
    tape.read(text.replace("/5.0\"", "/6.0\"").as_bytes()).expect("a document");
    assert!(decode(&tape).is_err(), "nobody knows what a later one says");
}

proptest! {
    #[test]
    fn a_verification_comes_back_from_its_text(v in verification()) {
        let text = super::super::further::verification_text(&v);
        let read = super::super::further::read_verification(&text);
        prop_assert!(read == Some(v), "{text}");
    }
}
