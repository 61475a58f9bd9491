//! What single registries add: points for errors and authorisation codes of .eu, properties by value of .nz.

use super::*;
use std::sync::Arc;

const POINTS: &str = "<info><info xmlns=\"http://www.eurid.eu/xml/epp/registrarHitPoints-1.0\"/></info>";
const AUTH_INFO: &str = "http://www.eurid.eu/xml/epp/authInfo-1.1";

fn auth_code(order: &str) -> String {
    let info = format!("<info><info {DOMAIN}><name>example.test</name></info></info>");
    format!("{info}<extension><info xmlns=\"{AUTH_INFO}\">{order}</info></extension>")
}

#[test]
fn refused_commands_cost_points_and_too_many_block_the_account() {
    let mut bench = Bench::logged_in("eurid", &["hit_points=2", "over_limit=2502-keep"]);
    let told = |points| format!("nbrHitPoints>{points}</registrarHitPoints:nbrHitPoints><registrarHitPoints:maxNbrHitPoints>2<");
    assert!(bench.say(POINTS).contains(&told(0)));
    assert_eq!((bench.code(&contact_info("C-1")), bench.code(&contact_info("C-9"))), (1000, 2303));
    let one = bench.say(POINTS);
    assert!(one.contains(&told(1)) && !one.contains("blockedUntil"), "{one}");
    assert_eq!((bench.code(&contact_info("C-9")), bench.code(&contact_info("C-1"))), (2303, 2502));
    let two = bench.say(POINTS);
    assert!(two.contains(&told(2)) && two.contains("blockedUntil>2026-11-22T00:00:00Z<"), "{two}");
    assert_eq!(Bench::logged_in("gtld-thick", &["hit_points=2"]).code(POINTS), 2307, "nobody counts them there");
}

#[test]
fn an_authorisation_code_is_made_holds_for_a_time_and_is_cancelled() {
    assert_eq!(Bench::logged_in("eurid", &[]).code(&auth_code("<request/>")), 2103, "the login named no such extension");
    let dir = tempfile::tempdir().expect("a directory");
    let overlay = dir.path().join("overlay.ndjson");
    let mut bench = Bench::speaking("eurid", &[], &[AUTH_INFO]);
    let mut journal = Journal::open(&overlay, None, &mut bench.registry).expect("opens");
    assert_eq!(bench.code(&auth_code("<cancel/>")), 2306, "there is none");
    for bad in ["", "<request/><cancel/>", "<request/><request/>", "<renew/>"] {
        assert!(matches!(bench.code(&auth_code(bad)), 2001 | 2003), "{bad}");
    }
    let made = bench.say(&auth_code("<request/>"));
    journal.append(&bench.last.take().and_then(|mut a| a.commits.pop()).expect("a change")).expect("written");
    assert!(made.contains("<authInfo:validUntil>2026-12-31T12:00:00Z<"), "{made}");
    let pw = |told: &str| told.split_once("<domain:pw>").map(|(_, rest)| rest.split('<').next().unwrap_or_default().to_owned());
    let code = pw(&made).expect("a code");
    assert_eq!(code.len(), 16);
    let info = format!("<info><info {DOMAIN}><name>example.test</name></info></info>");
    assert_eq!(pw(&bench.say(&info)), Some(code.clone()));

    let mut again = Bench::speaking("eurid", &[], &[AUTH_INFO]);
    Journal::open(&overlay, None, &mut again.registry).expect("opens");
    assert_eq!(pw(&again.say(&info)), Some(code));
    let mut out = Vec::new();
    let late = wall() + jiff::SignedDuration::from_hours(24 * 40);
    again.connection.handle(&mut again.registry, epp(&info).as_bytes(), again.now, late, &mut out);
    assert_eq!(pw(&String::from_utf8_lossy(&out)), None, "its time is over");

    let ended = bench.say(&auth_code("<cancel/>"));
    assert!(ended.contains("code=\"1000\"") && !ended.contains("domain:pw") && !ended.contains("validUntil"), "{ended}");
    assert_eq!(pw(&bench.say(&info)), None);
    assert_eq!(bench.code(&auth_code("<cancel/>")), 2306);
}

#[test]
fn properties_of_nz_are_added_and_removed_by_value() {
    const FURY: &str = "urn:ietf:params:xml:ns:fury-2.0";
    const OWN: &str = "[properties]\nLANGUAGE = { value = { of = \"contact\", kind = \"text\" }, source = \"a test\", confidence = \"seen\" }\n\
                       TAG = { value = { of = \"contact\", kind = \"text\" }, source = \"a test\", confidence = \"seen\" }\n\
                       \"TAG.2\" = { value = { of = \"contact\", kind = \"text\" }, source = \"a test\", confidence = \"seen\" }\n";
    let own = profile("nz").expect("embedded").overridden(OWN).expect("good rules").profile;
    let knobs = Knobs::default();
    let registry = Registry::new(Arc::new(own), Box::new(Few), &knobs, "registrar-1", Secret::new("secret-1"), 1, wall());
    let mut bench = Bench { registry: registry.expect("a registry"), ..Bench::new("nz", &[]) };
    let services = format!("{OBJECTS}<svcExtension><extURI>{FURY}</extURI></svcExtension>");
    assert_eq!(bench.code(&login("registrar-1", "secret-1", &services)), 1000);
    // What the client writes for a change of one value and the end of two.
    let golden = include_str!("../../../fixtures/wire/request/extension/nz-contact-update.xml");
    let code = |bench: &mut Bench, frame: &str| {
        bench.frame(frame);
        bench.last.as_ref().expect("an answer").code
    };
    assert_eq!(code(&mut bench, golden), 2306, "there is nothing to remove yet");
    let update = |inside: &str| format!("{}<extension><update xmlns=\"{FURY}\">{inside}</update></extension>", contact_update(""));
    let property = |key: &str, values: &str| format!("<property><key>{key}</key>{values}</property>");
    let both = property("LANGUAGE", "<value>EN</value>") + &property("TAG", "<value>a</value><value>b</value>");
    assert_eq!(bench.code(&update(&format!("<add><properties>{both}</properties></add>"))), 1000);
    let held = bench.say(&contact_info("C-1"));
    assert!(["LANGUAGE", ">EN<", "TAG", ">a<", ">b<"].iter().all(|part| held.contains(part)), "{held}");
    let bare = update(&format!("<add><properties>{}</properties></add>", property("LANGUAGE", "<value>FR</value>")));
    assert_eq!(bench.code(&bare), 2306, "a value is there");
    assert_eq!(code(&mut bench, golden), 1000);
    let held = bench.say(&contact_info("C-1"));
    assert!(held.contains(">MI<") && !held.contains(">EN<") && !held.contains("TAG"), "{held}");
    let twice = property("TAG", "<value>a</value>") + &property("TAG", "<value>b</value>");
    assert_eq!(bench.code(&update(&format!("<add><properties>{twice}</properties></add>"))), 2005);
    assert_eq!(bench.code(&update("<rem/><add/>")), 2001, "the schema has them the other way round");
}
