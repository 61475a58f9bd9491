//! Domains that come, are renewed and go, and contacts that go.

use super::*;

fn create(name: &str, inside: &str) -> String {
    format!("<create><create {DOMAIN}><name>{name}</name>{inside}<authInfo><pw>abc-2026</pw></authInfo></create></create>")
}

fn delete(name: &str) -> String {
    format!("<delete><delete {DOMAIN}><name>{name}</name></delete></delete>")
}

fn delete_contact(id: &str) -> String {
    format!("<delete><delete {CONTACT}><id>{id}</id></delete></delete>")
}

fn renew(name: &str, day: &str, period: &str) -> String {
    format!("<renew><renew {DOMAIN}><name>{name}</name><curExpDate>{day}</curExpDate>{period}</renew></renew>")
}

fn prohibit(name: &str, op: &str, status: &str) -> String {
    format!("<update><update {DOMAIN}><name>{name}</name><{op}><status s=\"{status}\"/></{op}></update></update>")
}

#[test]
fn a_domain_is_created_with_all_it_names() {
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    for (name, inside, code) in [
        ("example.test", "", 2302),
        ("new", "", 2005),
        ("-new.test", "", 2005),
        ("new.test", "<period unit=\"y\">11</period>", 2004),
        ("new.test", "<period unit=\"y\">0</period>", 2005),
        ("new.test", "<period unit=\"d\">1</period>", 2004),
        ("new.test", "<period>1</period>", 2003),
        ("new.test", "<registrant>C-9</registrant>", 2303),
        ("new.test", "<registrant>C-1</registrant><contact type=\"tech\">C-9</contact>", 2303),
        ("new.test", "<ns><hostObj>ns9.example.test</hostObj></ns><registrant>C-1</registrant>", 2303),
        ("new.test", "<ns><hostAttr><hostName>ns.other.test</hostName></hostAttr></ns><registrant>C-1</registrant>", 2306),
        ("new.test", "<ns/><registrant>C-1</registrant>", 2003),
        ("new.test", "<contact type=\"tech\">C-1</contact><registrant>C-1</registrant>", 2001),
    ] {
        assert_eq!(bench.code(&create(name, inside)), code, "{name} {inside}");
        assert!(bench.last.as_ref().is_some_and(|answer| answer.commits.is_empty()), "{name} {inside}");
    }
    let bare = create("new.test", "").replace("<authInfo><pw>abc-2026</pw></authInfo>", "");
    assert_eq!(bench.code(&bare), 2003);
    assert_eq!(bench.code(&domain_info("new.test")), 2303, "nothing was left behind");

    let inside = "<period unit=\"y\">2</period><ns><hostObj>ns1.example.test</hostObj><hostObj>ns2.example.test</hostObj></ns>\
                  <registrant>C-3</registrant><contact type=\"admin\">C-2</contact><contact type=\"tech\">C-3</contact>";
    let ds = "<dsData><keyTag>12345</keyTag><alg>8</alg><digestType>2</digestType><digest>ABCD</digest></dsData>";
    let secured =
        format!("{}<extension><create xmlns=\"urn:ietf:params:xml:ns:secDNS-1.1\">{ds}</create></extension>", create("NEW.test", inside));
    let told = bench.say(&secured);
    let made = "<domain:name>new.test</domain:name><domain:crDate>2026-11-21T12:00:00Z</domain:crDate>\
                <domain:exDate>2028-11-21T12:00:00Z</domain:exDate>";
    assert!(told.contains("code=\"1000\"") && told.contains(made), "{told}");
    let commit = bench.last.take().and_then(|mut answer| answer.commits.pop()).expect("a commit");
    let change = commit.change.expect("a change");
    assert_eq!((change.object.as_str(), &change.before), ("domain/new.test", &serde_json::Value::Null));
    let held = bench.say(&domain_info("new.test"));
    for piece in
        ["s=\"ok\"", "<domain:registrant>C-3<", "type=\"admin\">C-2<", "<domain:clID>registrar-1<", "keyTag>12345<", "pw>abc-2026<"]
    {
        assert!(held.contains(piece), "{piece} in {held}");
    }
    assert_eq!(bench.code(&create("new.test", inside)), 2302);
    let check = bench.say(&format!("<check><check {DOMAIN}><name>new.test</name></check></check>"));
    assert!(check.contains("avail=\"0\""), "{check}");
    assert_eq!(complaints(&[told, held, check]), "");
    // Where there are no contacts, a domain names none.
    let mut minimum = Bench::logged_in("gtld-minimum", &[]);
    assert_eq!(minimum.code(&create("new.test", "<registrant>C-1</registrant>")), 2306);
    assert_eq!(minimum.code(&create("new.test", "")), 1000);
}

#[test]
fn a_domain_is_deleted_and_so_is_a_contact_that_nothing_names() {
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    assert_eq!(bench.code(&delete("nobody.test")), 2303);
    assert_eq!(bench.code(&delete("example.test")), 2305, "hosts are below it");
    assert_eq!(bench.code(&prohibit("mine.test", "add", "clientDeleteProhibited")), 1000);
    assert_eq!(bench.code(&delete("mine.test")), 2304);
    assert_eq!(bench.code(&prohibit("mine.test", "rem", "clientDeleteProhibited")), 1000);
    assert_eq!(bench.code(&delete_contact("C-9")), 2303);
    assert_eq!(bench.code(&delete_contact("C-2")), 2201);
    assert_eq!(bench.code(&delete_contact("C-3")), 2305, "a domain names it");
    let told = bench.say(&delete("mine.test"));
    let commit = bench.last.take().and_then(|mut answer| answer.commits.pop()).expect("a commit");
    assert!(commit.change.is_some_and(|change| change.after.is_null() && change.before["registrant"] == "C-3"));
    assert_eq!(bench.code(&domain_info("mine.test")), 2303);
    assert!(!bench.say(&contact_info("C-3")).contains("s=\"linked\""));
    let gone = bench.say(&delete_contact("C-3"));
    assert_eq!((bench.code(&contact_info("C-3")), bench.code(&delete_contact("C-3"))), (2303, 2303));
    assert_eq!(bench.code(&create("mine.test", "<registrant>C-3</registrant>")), 2303);
    assert_eq!(bench.code(&create("mine.test", "<registrant>C-1</registrant>")), 1000, "the name is free");
    assert_eq!(complaints(&[told, gone]), "");
}

#[test]
fn a_contact_is_free_to_go_once_the_last_domain_names_another() {
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    assert_eq!(bench.code(&domain_update("<rem><contact type=\"admin\">C-1</contact></rem>")), 1000);
    assert_eq!(bench.code(&delete_contact("C-1")), 2305, "it is the registrant still");
    assert_eq!(bench.code(&domain_update("<chg><registrant>C-3</registrant></chg>")), 1000);
    assert_eq!(bench.code(&delete_contact("C-1")), 1000);
}

#[test]
fn a_domain_is_renewed_once_for_each_expiry() {
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    assert_eq!(bench.code(&renew("nobody.test", "2027-05-01", "")), 2303);
    assert_eq!(bench.code(&renew("example.test", "2027-05-01", "")), 2105, "it does not expire");
    assert_eq!(bench.code(&renew("mine.test", "2027-05-02", "")), 2004);
    assert_eq!(bench.code(&renew("mine.test", "tomorrow", "")), 2005);
    assert_eq!(bench.code(&renew("mine.test", "2027-05-01", "<period unit=\"y\">10</period>")), 2105, "more than ten years");
    assert_eq!(bench.code(&prohibit("mine.test", "add", "clientRenewProhibited")), 1000);
    assert_eq!(bench.code(&renew("mine.test", "2027-05-01", "")), 2304);
    assert_eq!(bench.code(&prohibit("mine.test", "rem", "clientRenewProhibited")), 1000);
    let told = bench.say(&renew("mine.test", "2027-05-01", "<period unit=\"m\">18</period>"));
    assert!(told.contains("code=\"1000\"") && told.contains("<domain:exDate>2028-11-01T00:00:00Z<"), "{told}");
    assert_eq!(bench.code(&renew("mine.test", "2027-05-01", "")), 2004, "not a second time");
    assert!(bench.say(&domain_info("mine.test")).contains("<domain:exDate>2028-11-01T00:00:00Z<"));
    assert_eq!(complaints(&[told]), "");
    assert_eq!(Bench::logged_in("nicit", &[]).code(&renew("mine.test", "2027-05-01", "")), 2101, "the registry does that");
}

#[test]
fn what_came_and_went_does_so_again_at_the_next_start() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("overlay.ndjson");
    let mut bench = Bench::logged_in("gtld-thick", &[]);
    let mut journal = Journal::open(&path, None, &mut bench.registry).expect("opens");
    for command in [
        delete("mine.test"),
        delete_contact("C-3"),
        create("new.test", "<registrant>C-1</registrant>"),
        renew("new.test", "2027-11-21", ""),
    ] {
        assert_eq!(bench.code(&command), 1000, "{command}");
        journal.append(&bench.last.take().and_then(|mut answer| answer.commits.pop()).expect("a commit")).expect("written");
    }
    drop(journal);
    let mut again = Bench::logged_in("gtld-thick", &[]);
    Journal::open(&path, None, &mut again.registry).expect("opens");
    assert_eq!((again.code(&domain_info("mine.test")), again.code(&contact_info("C-3"))), (2303, 2303));
    let part = |told: String| told.split_once("<resData>").map(|(_, data)| data.split("</resData>").next().unwrap_or_default().to_owned());
    assert_eq!(part(again.say(&domain_info("new.test"))), part(bench.say(&domain_info("new.test"))));
    assert!(again.say(&domain_info("new.test")).contains("<domain:exDate>2028-11-21T12:00:00Z<"));
}
