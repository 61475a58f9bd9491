//! A session that speaks RRI.

use super::*;
use crate::base::{DomainName, Handle};
use crate::model::{HostsFilter, Query, ResData};
use crate::session::Kind;
use crate::session::result::{At, Effect as Done, Scope};

#[test]
fn the_client_speaks_first_and_logs_in_without_a_ctid() {
    let mut session = Session::new(1, "test".into(), Tongue::Rri.dialect(), (Tongue::Rri.framer())(), Arc::new(allowance()), 8);
    session.handle_connected(None, at(0));
    let Some(Effect::Send(bytes)) = session.poll_effect() else { panic!("a login") };
    let length = u32::from_be_bytes(*bytes.first_chunk().expect("a header"));
    assert_eq!(length as usize, bytes.len() - 4, "the header does not count itself");
    let text = std::str::from_utf8(&bytes[4..]).expect("UTF-8");
    let login = "<login><user>DENIC-1000001</user><password>geheim &amp; süß</password></login></registry-request>";
    assert!(text.ends_with(login), "{text}");
}

#[test]
fn a_session_reads_keeps_itself_alive_by_the_queue_and_leaves() {
    let mut bench = Bench::ready(Tongue::Rri);
    assert_eq!(bench.session.room(), 1, "one in flight, as answers carry no identifier");
    bench.ask(7, "DENIC-1000001-MAX", 100);
    let asked = bench.asked.pop().expect("an info");
    assert_eq!((asked.verb, asked.id.as_str(), asked.trid.as_str()), ("info", "DENIC-1000001-MAX", ""));
    bench.answer(&asked, 1000, 130);
    let Some(Outcome::Answer { response, facts, .. }) = bench.outcomes.get(&7) else { panic!("an answer") };
    assert!(matches!(&response.data[..], [ResData::Contact(c)] if c.id.as_str() == "DENIC-1000001-MAX"));
    assert_eq!(facts.command, "contact:info");
    let Some(ResData::Contact(contact)) = response.data.first() else { panic!("a contact") };
    assert_eq!(contact.properties.get("type"), Some("PERSON"));

    bench.time(230_000);
    let alive = bench.asked.pop().expect("a keep-alive before the 5 minutes are over");
    assert_eq!(alive.verb, "hello");
    bench.answer(&alive, 1000, 230_010);
    bench.session.drain(at(230_020));
    bench.effects();
    let logout = bench.asked.pop().expect("a logout");
    bench.answer(&logout, 1000, 230_030);
    assert!(bench.closed && matches!(bench.session.ended(), Some(Ended::Left)));
}

#[test]
fn an_answer_about_another_handle_or_none_ends_the_session() {
    for id in [Some("DENIC-1000001-ANNA"), None] {
        let mut bench = Bench::ready(Tongue::Rri);
        bench.ask(7, "denic-1000001-max", 100);
        let text = Tongue::Rri.text(1000, "", id, None);
        bench.text(&text, 130);
        assert!(matches!(bench.loss(), Loss::OtherObject(_)));
        assert!(bench.is_unknown(7));
    }
    let mut bench = Bench::ready(Tongue::Rri);
    bench.ask(7, "denic-1000001-max", 100);
    bench.text(&Tongue::Rri.text(1000, "", Some("DENIC-1000001-MAX"), None), 130);
    assert!(bench.is_answer(7, 1000), "handles are stored in upper case");
}

#[test]
fn not_logged_in_ends_the_session_and_a_refused_login_bars_it() {
    let mut bench = Bench::ready(Tongue::Rri);
    bench.ask(7, "DENIC-1000001-MAX", 100);
    bench.text(&Tongue::Rri.text(2002, "please log in", None, None), 130);
    assert_eq!(bench.loss(), &Loss::Told(ResultCode(2002)));
    let mut bench = Bench::new(Tongue::Rri, allowance());
    bench.session.handle_connected(None, at(0));
    bench.effects();
    bench.text(&Tongue::Rri.text(2001, "no", None, None), 10);
    assert!(matches!(bench.session.ended(), Some(Ended::Barred(Barred::Refused { .. }))));
}

#[test]
fn what_each_kind_of_code_asks_for() {
    use crate::model::Class::{Again, Item, New, Read, Stop};
    let dialect = Tongue::Rri.dialect();
    let mut tape = crate::protocol::tape::Tape::new();
    let mut judge = |code, at, kind| {
        tape.read(Tongue::Rri.text(code, "w", None, None).as_bytes()).expect("a document");
        let Ok(crate::session::Said::Answer(response)) = dialect.read(&tape) else { panic!("an answer") };
        let v = dialect.classify(&response, at, kind);
        (v.class, v.scope, v.closes, v.limit, v.effect)
    };
    assert_eq!(judge(2308, At::Live, Kind::Query), (Again, Scope::Item, false, true, Done::None));
    assert_eq!(judge(2308, At::Login, Kind::Session), (Again, Scope::Item, false, true, Done::None));
    assert_eq!(judge(2104, At::Live, Kind::Query), (Stop, Scope::Registry, false, false, Done::None));
    assert_eq!(judge(2002, At::Live, Kind::Query), (New, Scope::Item, true, false, Done::None));
    assert_eq!(judge(2303, At::Live, Kind::Query), (Item, Scope::Item, false, false, Done::None));
    assert_eq!(judge(2303, At::Live, Kind::Transform), (Read, Scope::Item, false, false, Done::None));
    assert_eq!(judge(2400, At::Live, Kind::Transform), (Read, Scope::Item, false, false, Done::Unknown));
    assert_eq!(judge(2001, At::Login, Kind::Session), (Stop, Scope::Registry, false, false, Done::None));
}

#[test]
fn what_the_language_cannot_say_is_refused_before_it_is_sent() {
    let mut bench = Bench::ready(Tongue::Rri);
    let check = Query::ContactCheck(vec![Handle::new("DENIC-1000001-A"), Handle::new("DENIC-1000001-B")]);
    let host = Query::HostInfo(crate::base::HostName::new("ns1.example.de"));
    let name = Query::DomainInfo { name: DomainName::new("x"), hosts: HostsFilter::default(), auth: None };
    for (ticket, query) in [check, host, name].into_iter().enumerate() {
        let ticket = ticket as u64;
        bench.session.submit(Job::new(ticket, Command::Query(query)), at(100));
        bench.effects();
        assert!(matches!(bench.outcomes.get(&ticket), Some(Outcome::Refused(p)) if p.id.starts_with("E-rri-")), "{ticket}");
    }
    assert!(bench.asked.is_empty() && bench.session.room() == 1);
}

#[test]
fn an_identifier_goes_with_what_changes_something_alone() {
    let mut bench = Bench::ready(Tongue::Rri);
    let delete = crate::model::RriChange::AuthInfo1Delete(DomainName::new("example.de"));
    let changes = Command::Transform(Box::new(crate::model::Transform::Rri(Box::new(delete))));
    for (n, (command, has_id)) in [(changes, true), (Command::Query(info("DENIC-1000001-MAX")), false)].into_iter().enumerate() {
        bench.session.submit(Job::new(n as u64, command), at(100));
        let Some(Effect::Send(bytes)) = bench.session.poll_effect() else { panic!("a request") };
        bench.session.handle_handed(bytes.len());
        assert_eq!(String::from_utf8_lossy(&bytes).contains("<ctid>test-1-"), has_id, "{n}");
        bench.text(&Tongue::Rri.text(1000, "", (!has_id).then_some("DENIC-1000001-MAX"), None), 130);
    }
}

#[test]
fn a_password_goes_as_its_md5_where_the_profile_says_so() {
    let mut profile = (*crate::policy::profile("denic").expect("embedded")).clone();
    let account =
        || crate::session::Account { client: "DENIC-1000001".into(), password: crate::base::Secret::new("abc"), new_password: None };
    let login = |profile: &crate::policy::Profile| {
        let agreed = crate::session::RriDialect::new(account(), profile);
        let agreed = crate::session::Dialect::login(&agreed, None).expect("a login");
        let Command::Login(login) = agreed.login else { panic!("a login") };
        login.password.reveal().to_owned()
    };
    assert_eq!(login(&profile), "abc");
    profile.quirks.password_md5 = true;
    assert_eq!(login(&profile), "900150983cd24fb0d6963f7d28e17f72", "RFC 1321, A.5");
}
