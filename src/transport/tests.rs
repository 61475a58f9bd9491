//! Real lines: TLS on loopback, against a registry of a few lines.

use super::{Endpoint, Fed, Feed, TlsFiles, TlsSetup, run};
use crate::base::{Clock, Exit, Handle, Problem, RegistryId, Result, Secret, StopToken, SystemClock, write_atomic};
use crate::model::Query;
use crate::policy::profile;
use crate::protocol::frame::{DEFAULT_CAP, Framer, LengthPrefix};
use crate::session::{Account, Allowance, DEFAULT_SHARE, EppDialect, Next, Now, Outcome, PoolReport, ReadPool, Setup, Work};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority, made anew.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// A certificate by `issuer`, with its key, in PEM.
fn leaf(issuer: &CertifiedIssuer<'static, KeyPair>, names: &[&str], years: (i32, i32)) -> (String, String) {
    let mut params = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    let key = KeyPair::generate().expect("a key");
    (params.signed_by(&key, issuer).expect("a certificate").pem(), key.serialize_pem())
}

/// Years within which certificates hold.
const VALID: (i32, i32) = (2020, 2090);

/// How a registry is set up, and what it does with a connection.
struct Registry {
    server: (String, String),
    /// The authority of client certificates; none are asked for without.
    clients: Option<String>,
    does: Does,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Greets, lets in, and answers every info.
    Answers,
    /// Closes the connection behind the nth command of each session, without `close_notify`.
    Closes(usize),
    /// Speaks no TLS.
    PlainText,
    /// Breaks the handshake off with the alert `handshake_failure`.
    Alerts,
}

/// Serves in the background; the port, and how many connections came.
async fn serve(registry: Registry) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let builder = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = match &registry.clients {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")).expect("an anchor");
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().expect("a verifier"),
            )
        }
    };
    let chain = vec![CertificateDer::from_pem_slice(registry.server.0.as_bytes()).expect("PEM")];
    let key = PrivateKeyDer::from_pem_slice(registry.server.1.as_bytes()).expect("PEM");
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).expect("a server")));
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if registry.does == Does::PlainText {
                    let _gone = tcp.write_all(b"220 mail.example.org ESMTP ready, nice to meet you\r\n").await;
                } else if registry.does == Does::Alerts {
                    let mut hello = [0; 4096];
                    let _heard = tcp.read(&mut hello).await;
                    let _gone = tcp.write_all(&[0x15, 3, 3, 0, 2, 2, 40]).await;
                } else if let Ok(mut tls) = acceptor.accept(tcp).await {
                    let _gone = speak(&mut tls, registry.does).await;
                }
            });
        }
    });
    (port, count)
}

/// A registry's side of a session.
async fn speak(tls: &mut tokio_rustls::server::TlsStream<tokio::net::TcpStream>, does: Does) -> std::io::Result<()> {
    let greeting = r#"<epp xmlns="urn:ietf:params:xml:ns:epp-1.0"><greeting><svID>test</svID><svDate>2026-11-21T12:00:00Z</svDate><svcMenu><version>1.0</version><lang>en</lang><objURI>urn:ietf:params:xml:ns:domain-1.0</objURI><objURI>urn:ietf:params:xml:ns:contact-1.0</objURI><objURI>urn:ietf:params:xml:ns:host-1.0</objURI></svcMenu></greeting></epp>"#;
    let mut line = LengthPrefix::epp(DEFAULT_CAP);
    let mut out = Vec::new();
    line.enclose(greeting.as_bytes(), &mut out);
    tls.write_all(&out).await?;
    let mut buffer = vec![0; 65536];
    let mut commands = 0;
    loop {
        let read = tls.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        line.push(&buffer[..read]);
        out.clear();
        let mut answers = Vec::new();
        while let Ok(Some(frame)) = line.next_frame() {
            commands += 1;
            if does == Does::Closes(commands) {
                return Ok(());
            }
            let text = String::from_utf8_lossy(frame);
            let between = |from: &str| text.split_once(from).and_then(|(_, rest)| rest.split_once('<')).map_or("", |(it, _)| it);
            let id = between("<contact:id>");
            let code = if text.contains("<logout") { 1500 } else { 1000 };
            let data = if id.is_empty() {
                String::new()
            } else {
                format!(
                    r#"<resData><contact:infData xmlns:contact="urn:ietf:params:xml:ns:contact-1.0"><contact:id>{id}</contact:id><contact:roid>R-1</contact:roid><contact:email>a@example.org</contact:email></contact:infData></resData>"#
                )
            };
            let trid = between("<clTRID>");
            answers.push(format!(
                r#"<epp xmlns="urn:ietf:params:xml:ns:epp-1.0"><response><result code="{code}"><msg>ok</msg></result>{data}<trID><clTRID>{trid}</clTRID><svTRID>S</svTRID></trID></response></epp>"#
            ));
        }
        for answer in answers {
            line.enclose(answer.as_bytes(), &mut out);
        }
        tls.write_all(&out).await?;
    }
}

/// Asks for contacts, and counts the answers.
struct Asks {
    next: u64,
    count: u64,
    answered: u64,
}

impl Work for Asks {
    fn next(&mut self) -> Next {
        if self.next == self.count {
            return Next::Finished;
        }
        self.next += 1;
        Next::Query(self.next, Query::ContactInfo { id: Handle::new(format!("C-{}", self.next)), auth: None })
    }

    fn outcome(&mut self, _ticket: u64, outcome: Outcome) -> Result<()> {
        self.answered += u64::from(matches!(outcome, Outcome::Answer { response, .. } if response.code().is_success()));
        Ok(())
    }
}

/// The operator's files in a directory of their own.
struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory") }
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        write_atomic(&path, text.as_bytes()).expect("written");
        path
    }
}

fn pool() -> ReadPool {
    let profile = profile("gtld-thick").expect("embedded");
    let account = Account { client: "registrar-1".into(), password: Secret::new("secret-1"), new_password: None };
    let mut allowance = Allowance::of(&profile.limits, DEFAULT_SHARE);
    allowance.back_off = std::time::Duration::from_millis(20);
    ReadPool::new(Setup {
        registry: RegistryId::new("one"),
        prefix: "run".into(),
        dialect: Arc::new(EppDialect::new(account, profile)),
        framer: || Box::new(LengthPrefix::epp(DEFAULT_CAP)),
        allowance,
        seed: 1,
        first_session: 1,
    })
}

/// Pulls `count` contacts from `registry` with these files: answers, report, connections.
fn pull(registry: Registry, files: &TlsFiles, count: u64) -> (u64, PoolReport, usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let tls = TlsSetup::load(files, clock.wall()).expect("good files");
    runtime.block_on(async {
        let (port, connections) = serve(registry).await;
        let endpoint = Endpoint::new("127.0.0.1", port, Some("localhost"), tls).expect("a name");
        let mut work = Asks { next: 0, count, answered: 0 };
        let report = run(pool(), endpoint, clock, &mut work, StopToken::default()).await.expect("a report");
        (work.answered, report, connections.load(Ordering::SeqCst))
    })
}

fn stopped(registry: Registry, files: &TlsFiles) -> (Problem, usize) {
    let (answered, report, connections) = pull(registry, files, 3);
    assert_eq!(answered, 0);
    (report.stopped.expect("stopped"), connections)
}

#[test]
fn contacts_come_over_mutual_tls() {
    let files = Files::new();
    let (ca, clients) = (authority("registry"), authority("clients"));
    let (cert, key) = leaf(&clients, &["registrar"], VALID);
    let tls =
        TlsFiles { ca: files.put("ca.pem", &ca.pem()), own: Some((files.put("cert.pem", &cert), files.put("key.pem", &key))), pin: None };
    let registry = Registry { server: leaf(&ca, &["localhost"], VALID), clients: Some(clients.pem()), does: Does::Answers };
    let (answered, report, connections) = pull(registry, &tls, 3000);
    assert_eq!((answered, report.answers), (3000, 3000));
    assert!(connections <= 5 && report.stopped.is_none() && report.reconnects == 0, "{report:?}");
    let facts = report.tls.expect("facts");
    assert_eq!(&*facts.version, "TLSv1.3");
    let whose: Vec<&str> = facts.certificates.iter().map(|c| &*c.whose).collect();
    assert_eq!(whose, ["registry", "ca", "ours"]);
    assert_eq!(&*facts.certificates[0].names[0], "localhost");
    assert_eq!(&*report.greeting.expect("a greeting").greeting.server, "test");
}

#[test]
fn row_01_nobody_listens() {
    let files = Files::new();
    let tls = TlsFiles { ca: files.put("ca.pem", &authority("registry").pem()), own: None, pin: None };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let setup = TlsSetup::load(&tls, clock.wall()).expect("good files");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
    let endpoint = Endpoint::new("127.0.0.1", port, Some("localhost"), setup).expect("a name");
    let mut work = Asks { next: 0, count: 1, answered: 0 };
    let report = runtime.block_on(run(pool(), endpoint, clock, &mut work, StopToken::default())).expect("a report");
    let problem = report.stopped.expect("stopped");
    assert_eq!((problem.id.as_str(), problem.exit), ("E-net-001", Exit::Unreachable));
    assert!(problem.what.contains("refused"), "{problem}");
}

/// Keeps something on disk, and has a word to say once it is there: whether it is on its way, and whether it was heard behind that.
struct Keeps {
    under_way: bool,
    heard: bool,
}

impl Feed for Keeps {
    type Pool = ReadPool;

    fn feed(&mut self, _pool: &mut ReadPool, _now: Now) -> Result<Fed> {
        self.heard = !self.under_way;
        Ok(Fed::Submitted(0))
    }

    fn settle(&mut self, _ticket: u64, _outcome: Outcome, _now: Now) -> Result<()> {
        Ok(())
    }

    fn waits(&self) -> bool {
        true
    }

    fn keeps(&self) -> bool {
        self.under_way
    }

    fn poll(&mut self, _cx: &mut Context<'_>, _now: Now) -> Poll<Result<()>> {
        if std::mem::take(&mut self.under_way) { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

#[test]
fn what_reaches_the_disk_behind_the_last_line_is_heard() {
    let files = Files::new();
    let tls = TlsFiles { ca: files.put("ca.pem", &authority("registry").pem()), own: None, pin: None };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let setup = TlsSetup::load(&tls, clock.wall()).expect("good files");
    let endpoint = Endpoint::new("127.0.0.1", 1, Some("localhost"), setup).expect("a name");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let stop = StopToken::default();
    stop.stop();
    let mut work = Keeps { under_way: true, heard: false };
    runtime.block_on(run(pool(), endpoint, clock, &mut work, stop)).expect("a report");
    assert!(work.heard);
}

#[test]
fn row_02_a_handshake_that_is_broken_off_names_the_alert() {
    let files = Files::new();
    let ca = authority("registry");
    let tls = TlsFiles { ca: files.put("ca.pem", &ca.pem()), own: None, pin: None };
    let (problem, _) = stopped(Registry { server: leaf(&ca, &["localhost"], VALID), clients: None, does: Does::Alerts }, &tls);
    assert!(problem.what.contains("alert: handshake_failure"), "{problem}");
    assert_eq!(problem.exit, Exit::Unreachable);
}

// Row 5, revoked certificates: no profile names a revocation list and there is no setting for one, so that there is nothing to fail
// closed on. A setting for one would have to come with the enforcement of its expiry, which rustls leaves off by default.

#[test]
fn row_03_a_registrys_certificate_that_is_not_good_is_refused_in_words() {
    let files = Files::new();
    let ca = authority("registry");
    let tls = TlsFiles { ca: files.put("ca.pem", &ca.pem()), own: None, pin: None };
    let cases = [
        (leaf(&ca, &["localhost"], (2019, 2021)), "expired on 2021"),
        (leaf(&ca, &["localhost"], (2080, 2090)), "valid from 2080"),
        (leaf(&ca, &["epp.example.org"], VALID), "epp.example.org"),
        (leaf(&ca, &[], VALID), "no subject alternative name"),
        (leaf(&authority("another"), &["localhost"], VALID), "none of the authorities"),
    ];
    for (server, words) in cases {
        let (problem, connections) = stopped(Registry { server, clients: None, does: Does::Answers }, &tls);
        assert!(problem.what.contains(words), "{problem}");
        assert_eq!((problem.id.as_str(), problem.exit, connections), ("E-tls-006", Exit::Refused, 1));
    }
}

#[test]
fn row_04_our_certificate_refused_after_the_handshake() {
    let files = Files::new();
    let (ca, clients) = (authority("registry"), authority("clients"));
    let (cert, key) = leaf(&authority("others"), &["registrar"], VALID);
    let own = Some((files.put("cert.pem", &cert), files.put("key.pem", &key)));
    for own in [own, None] {
        let tls = TlsFiles { ca: files.put("ca.pem", &ca.pem()), own, pin: None };
        let registry = Registry { server: leaf(&ca, &["localhost"], VALID), clients: Some(clients.pem()), does: Does::Answers };
        let (problem, connections) = stopped(registry, &tls);
        assert!(problem.what.contains("our certificate"), "{problem}");
        assert_eq!((problem.exit, connections), (Exit::Refused, 1));
    }
}

#[test]
fn row_09_an_end_without_close_notify_is_survived() {
    let files = Files::new();
    let ca = authority("registry");
    let tls = TlsFiles { ca: files.put("ca.pem", &ca.pem()), own: None, pin: None };
    let registry = Registry { server: leaf(&ca, &["localhost"], VALID), clients: None, does: Does::Closes(60) };
    let (answered, report, _) = pull(registry, &tls, 150);
    assert_eq!(answered, 150, "{report:?}");
    assert!(report.reconnects >= 1 && report.stopped.is_none());
}

#[test]
fn plain_text_on_a_tls_port_is_said() {
    let files = Files::new();
    let ca = authority("registry");
    let tls = TlsFiles { ca: files.put("ca.pem", &ca.pem()), own: None, pin: None };
    let registry = Registry { server: leaf(&ca, &["localhost"], VALID), clients: None, does: Does::PlainText };
    let (problem, _) = stopped(registry, &tls);
    assert!(problem.what.contains("plain text met TLS"), "{problem}");
    assert_eq!(problem.exit, Exit::Unreachable);
}

#[test]
fn a_pinned_key_must_be_the_registrys() {
    let files = Files::new();
    let ca = authority("registry");
    let ca_file = files.put("ca.pem", &ca.pem());
    let server = leaf(&ca, &["localhost"], VALID);
    let der = CertificateDer::from_pem_slice(server.0.as_bytes()).expect("PEM");
    let (_, parsed) = x509_parser::parse_x509_certificate(&der).expect("a certificate");
    let right = crate::base::Digest::of(parsed.public_key().raw).to_string().to_uppercase();
    let tls = |pin: &str| TlsFiles { ca: ca_file.clone(), own: None, pin: Some(pin.to_owned()) };
    let registry = || Registry { server: server.clone(), clients: None, does: Does::Answers };
    assert_eq!(pull(registry(), &tls(&right), 3).0, 3);
    let (problem, _) = stopped(registry(), &tls(&"0".repeat(64)));
    assert_eq!((problem.id.as_str(), problem.exit), ("E-tls-005", Exit::Refused));
}

/// faults.md §6 rows 7 and 8.
#[test]
fn bad_files_are_told_by_name_and_remedy() {
    let files = Files::new();
    let now = SystemClock::new().wall();
    let ca = authority("registry");
    let (cert, key) = leaf(&ca, &["registrar"], VALID);
    let (_, other_key) = leaf(&ca, &["registrar"], VALID);
    let ca_file = files.put("ca.pem", &ca.pem());
    let cert_file = files.put("cert.pem", &cert);
    let key_file = files.put("key.pem", &key);
    let load = |ca: &Path, cert: &Path, key: &Path| {
        let files = TlsFiles { ca: ca.to_owned(), own: Some((cert.to_owned(), key.to_owned())), pin: None };
        TlsSetup::load(&files, now).map(|_| ()).map_err(|problems| (problems.kept()[0].id.clone(), problems.to_string()))
    };
    load(&ca_file, &cert_file, &key_file).expect("good files");
    let wrong = |ca: &Path, cert: &Path, key: &Path, id: &str, words: &str| {
        let (found, text) = load(ca, cert, key).expect_err(id);
        assert!(found == id && text.contains(words), "{text}");
    };
    let expired = files.put("expired.pem", &leaf(&ca, &["registrar"], (2019, 2021)).0);
    let early = files.put("early.pem", &leaf(&ca, &["registrar"], (2080, 2090)).0);
    let reversed = files.put("reversed.pem", &format!("{}{cert}", ca.pem()));
    let encrypted = files.put("encrypted.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n");
    let empty = files.put("empty.pem", "nothing\n");
    let other_key = files.put("other.pem", &other_key);
    wrong(&cert_file, &cert_file, &key_file, "E-tls-011", "cannot be its own trust anchor");
    wrong(&empty, &cert_file, &key_file, "E-tls-010", "no certificate");
    wrong(&ca_file, &expired, &key_file, "E-tls-015", "has expired");
    wrong(&ca_file, &early, &key_file, "E-tls-015", "not yet valid");
    wrong(&ca_file, &reversed, &key_file, "E-tls-016", "wrong order");
    wrong(&ca_file, &cert_file, &other_key, "E-tls-013", "does not belong");
    wrong(&ca_file, &cert_file, &encrypted, "E-tls-012", "encrypted keys are not read");
    wrong(&ca_file, &cert_file, &empty, "E-tls-012", "no private key");
    let open = files.put("open.pem", &key);
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("a mode");
    wrong(&ca_file, &cert_file, &open, "E-tls-014", "0644");
}

#[test]
fn row_48_the_operators_stop_ends_a_run_with_its_outcomes() {
    let files = Files::new();
    let ca = authority("registry");
    let tls = TlsFiles { ca: files.put("ca.pem", &ca.pem()), own: None, pin: None };
    let registry = Registry { server: leaf(&ca, &["localhost"], VALID), clients: None, does: Does::Answers };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let setup = TlsSetup::load(&tls, clock.wall()).expect("good files");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let stop = StopToken::default();
    let (outcomes, report) = runtime.block_on(async {
        let (port, _) = serve(registry).await;
        let endpoint = Endpoint::new("127.0.0.1", port, Some("localhost"), setup).expect("a name");
        let mut work = Endless { asked: 0, outcomes: 0, stop: stop.clone() };
        let report = run(pool(), endpoint, clock, &mut work, stop.clone()).await.expect("a report");
        assert_eq!(work.asked, work.outcomes, "each question has its outcome");
        (work.outcomes, report)
    });
    assert!(outcomes >= 500 && report.interrupted);
}

/// Asks without end, and stops the run behind 500 outcomes.
struct Endless {
    asked: u64,
    outcomes: u64,
    stop: StopToken,
}

impl Work for Endless {
    fn next(&mut self) -> Next {
        self.asked += 1;
        Next::Query(self.asked, Query::ContactInfo { id: Handle::new(format!("C-{}", self.asked)), auth: None })
    }

    fn outcome(&mut self, _ticket: u64, _outcome: Outcome) -> Result<()> {
        self.outcomes += 1;
        if self.outcomes == 500 {
            self.stop.stop();
        }
        Ok(())
    }
}
