//! The registry on a port, spoken to by a client of the tests' own.

use super::{CONTACT, epp, login, mode};
use crate::base::{Clock, SystemClock};
use crate::mock::faults::{Fault, Stage};
use crate::mock::{Knobs, Options, Served, start};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn serve(state: &Path, knobs: &[&str]) -> Served {
    let knobs = Knobs::read(knobs.iter().copied()).expect("good knobs");
    let options = Options {
        profile: "gtld-thick".to_owned(),
        listen: "127.0.0.1:0".parse().expect("an address"),
        state: state.to_owned(),
        commit_log: Some(state.join("commits.ndjson")),
        transcript: Some(state.join("frames")),
        knobs,
        seed: 1,
    };
    start(options, Arc::new(SystemClock::new())).expect("serves")
}

/// Connects as the client of `served`, without a certificate where `anonymous`.
fn connect(served: &Served, anonymous: bool) -> io::Result<Tls> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&served.ca).expect("PEM")).expect("a CA");
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let config = if anonymous {
        builder.with_no_client_auth()
    } else {
        let cert = CertificateDer::from_pem_file(&served.cert).expect("PEM");
        builder.with_client_auth_cert(vec![cert], PrivateKeyDer::from_pem_file(&served.key).expect("PEM")).expect("a key")
    };
    let name = ServerName::try_from(served.server_name.clone()).expect("a name");
    let stream = TcpStream::connect(served.address)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let mut tls = StreamOwned::new(ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?, stream);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    Ok(tls)
}

fn send(tls: &mut Tls, frame: &str) -> io::Result<()> {
    send_together(tls, &[frame.to_owned()])
}

/// Sends frames in one piece, so that they arrive together.
fn send_together(tls: &mut Tls, frames: &[String]) -> io::Result<()> {
    let with_length = |frame: &String| [&u32::try_from(frame.len() + 4).expect("short").to_be_bytes(), frame.as_bytes()].concat();
    tls.write_all(&frames.iter().flat_map(with_length).collect::<Vec<u8>>())?;
    tls.flush()
}

fn receive(tls: &mut Tls) -> io::Result<String> {
    let mut header = [0; 4];
    tls.read_exact(&mut header)?;
    let length = u32::from_be_bytes(header) as usize;
    if !(5..=16 << 20).contains(&length) {
        return Err(io::Error::other("a length"));
    }
    let mut payload = vec![0; length - 4];
    tls.read_exact(&mut payload)?;
    String::from_utf8(payload).map_err(io::Error::other)
}

fn session(served: &Served) -> io::Result<Tls> {
    let mut tls = connect(served, false)?;
    let greeting = receive(&mut tls)?;
    assert!(greeting.contains("<greeting>"), "{greeting}");
    let password = std::fs::read_to_string(&served.password_file)?;
    let services = "<objURI>urn:ietf:params:xml:ns:contact-1.0</objURI>";
    send(&mut tls, &epp(&login(&served.user, password.trim(), services)))?;
    let told = receive(&mut tls)?;
    assert!(told.contains("code=\"1000\""), "{told}");
    Ok(tls)
}

/// A check, which needs no object, under the identifier `T-<number>`.
fn check(number: u32) -> String {
    epp(&format!("<check><check {CONTACT}><id>C-9</id></check></check>")).replace("T-0001", &format!("T-{number:04}"))
}

#[test]
fn a_client_with_our_certificate_is_served_and_others_are_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let served = serve(dir.path(), &[]);
    let told = serde_json::to_value(&served).expect("JSON");
    let keys: Vec<&str> = told.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["address", "server_name", "ca", "cert", "key", "user", "password_file"]);
    assert_eq!(told["address"], served.address.to_string());
    for private in [&served.key, &served.password_file] {
        assert_eq!(mode(private), 0o600);
    }
    let mut tls = session(&served).expect("a session");
    for number in 0..10 {
        send(&mut tls, &check(number)).expect("sent");
    }
    for number in 0..10 {
        assert!(receive(&mut tls).expect("an answer").contains(&format!("<clTRID>T-{number:04}<")));
    }
    send(&mut tls, &epp("<logout/>")).expect("sent");
    assert!(receive(&mut tls).expect("an answer").contains("code=\"1500\""));
    assert_eq!(tls.read(&mut [0; 8]).expect("a farewell"), 0);

    let refused = connect(&served, true).and_then(|mut tls| receive(&mut tls));
    assert!(refused.is_err(), "no certificate, no greeting");
    let ca = std::fs::read(&served.ca).expect("readable");
    served.shutdown();

    let again = serve(dir.path(), &[]);
    assert_eq!(std::fs::read(&again.ca).expect("readable"), ca, "the identity is kept");
    drop(session(&again).expect("a session"));
    let frames = std::fs::read_to_string(dir.path().join("frames/transcript.ndjson")).expect("a transcript");
    assert!(frames.lines().count() > 25 && frames.contains("T-0009"));
    assert_eq!(mode(&dir.path().join("frames/transcript.ndjson")), 0o600);
}

#[test]
fn latency_overlaps_and_service_does_not() {
    let clock = SystemClock::new();
    let time = |knobs: &[&str]| {
        let dir = tempfile::tempdir().expect("a directory");
        let served = serve(dir.path(), knobs);
        let mut tls = session(&served).expect("a session");
        let begun = clock.moment();
        (0..20).for_each(|n| send(&mut tls, &check(n)).expect("sent"));
        (0..20).for_each(|_| drop(receive(&mut tls).expect("an answer")));
        clock.moment().since(begun)
    };
    let latency = time(&["latency_ms=100"]);
    assert!((100..1000).contains(&latency.as_millis()), "{latency:?}");
    let service = time(&["service_ms=20"]);
    assert!((400..3000).contains(&service.as_millis()), "{service:?}");
}

#[test]
fn an_idle_session_is_cut() {
    let dir = tempfile::tempdir().expect("a directory");
    let served = serve(dir.path(), &["idle_seconds=1"]);
    let mut tls = session(&served).expect("a session");
    assert_eq!(tls.read(&mut [0; 8]).expect("a farewell"), 0);
}

/// What a plain client makes of a fault: an answer, or nothing that it can use.
fn outcome(fault: Fault) -> io::Result<String> {
    let dir = tempfile::tempdir().expect("a directory");
    let ms = match fault {
        Fault::SlowLoris => ":ms=1",
        Fault::Late | Fault::Tarpit => ":ms=20",
        _ => "",
    };
    let served = serve(dir.path(), &[&format!("fault={}:times=1{ms}", fault.name())]);
    let mut tls = match fault.stage() {
        Stage::Connect => connect(&served, false)?,
        Stage::Greeting => {
            let mut tls = connect(&served, false)?;
            // Silence is told by waiting. Whatever does come may take its time: 8 MiB do on a busy machine.
            if fault == Fault::NoGreeting {
                tls.sock.set_read_timeout(Some(Duration::from_millis(500)))?;
            }
            return receive(&mut tls);
        }
        Stage::Login | Stage::Session | Stage::Query | Stage::Transform => session(&served)?,
    };
    if fault.stage() == Stage::Connect {
        return receive(&mut tls);
    }
    send_together(&mut tls, &[check(1), check(2)])?;
    receive(&mut tls)
}

/// Each fault strikes, and is nothing but itself: what an honest answer holds is there or not, as the fault has it.
#[test]
fn every_fault_does_what_its_name_says() {
    let honest = |text: &str| text.contains("<clTRID>T-0001<") && text.contains("avail=\"1\">C-9<");
    for fault in Fault::ALL.iter().copied() {
        // What strikes changes is tested with changes.
        if fault == Fault::Mute || fault == Fault::CloseAfterLogin || fault.stage() == Stage::Transform {
            continue;
        }
        let outcome = std::panic::catch_unwind(|| outcome(fault)).unwrap_or_else(|_| Err(io::Error::other("panicked")));
        let name = fault.name();
        let told = outcome.as_deref().unwrap_or_default();
        let fits = match fault {
            Fault::GreetingVersions => told.contains("<version>0.9<"),
            Fault::GreetingBare => told.contains("<greeting>") && !told.contains("contact-1.0"),
            Fault::GreetingClock => told.contains("<svDate>"),
            // The client of this test sends a small hello.
            Fault::LargeHello => told.contains("<greeting>"),
            Fault::Split13
            | Fault::Split22
            | Fault::ByteByByte
            | Fault::Together
            | Fault::Ownerless
            | Fault::SlowLoris
            | Fault::Twice
            | Fault::Late
            | Fault::Tarpit
            | Fault::Bom
            | Fault::Blank
            | Fault::Comments
            | Fault::AttributeOrder
            | Fault::WrongNs
            | Fault::TwoRoots
            | Fault::Doctype
            | Fault::ManyAttributes
            | Fault::ManyNamespaces
            | Fault::Deep
            | Fault::UndeclaredPrefix
            | Fault::Large
            | Fault::HostileText
            | Fault::Several
            | Fault::UnknownExtension
            | Fault::CutDocument
            | Fault::Nul
            | Fault::EntityBomb
            | Fault::ExternalEntity
            // A check names no object to lose, and its contact has no type.
            | Fault::StrangeType
            | Fault::Missing
            | Fault::OtherObject => honest(told),
            Fault::LengthShort => told.contains("<clTRID>T-0001<") && !told.contains("</epp>"),
            Fault::Swapped => told.contains("<clTRID>T-0002<"),
            Fault::ForeignTrid => told.contains("SOMEBODY-ELSE"),
            Fault::PreviousTrid => told.contains("<clTRID>T-0001<"),
            Fault::NoTrid => !told.contains("clTRID") && told.contains("C-9"),
            Fault::Crlf => told.contains(">\r\n<"),
            Fault::Prefixes => told.contains("<e:epp") && told.contains("<c:cd>"),
            Fault::DefaultNs => told.contains("<chkData xmlns="),
            Fault::Code1100 => told.contains("code=\"1100\""),
            Fault::Code1501 => told.contains("code=\"1501\""),
            Fault::Code2503 => told.contains("code=\"2503\""),
            Fault::Code2104 => told.contains("code=\"2104\""),
            Fault::Code2200 => told.contains("code=\"2200\""),
            Fault::Code2400 => told.contains("code=\"2400\""),
            Fault::Code2500 => told.contains("code=\"2500\""),
            Fault::Code2501 => told.contains("code=\"2501\""),
            Fault::Code2502 | Fault::Keep2502 => told.contains("code=\"2502\""),
            Fault::NotLoggedIn => told.contains("code=\"2002\""),
            Fault::TimedOut => told.contains("code=\"2201\""),
            // No frame that a plain client can read.
            _ => outcome.is_err(),
        };
        assert!(fits, "{name}: {:?}", outcome.map(|t| t.chars().take(400).collect::<String>()));
    }
}
