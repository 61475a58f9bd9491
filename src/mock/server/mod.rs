//! A bundled registry on a port: TLS with client certificates, one thread, one task a connection.

mod https;
mod line;
mod timer;
mod transcript;

use super::core::Answer;
use super::damage::End;
use super::faults::{Fault, Stage};
use super::fleet;
use super::identity::{Identity, SERVER_NAME};
use super::journal::Journal;
use super::knobs::{FaultSpec, Knobs};
use super::registry::Registry;
use super::tongue::Tongue;
use crate::base::{Blame, Clock, Moment, Problem, Result, create_private_dir};
use crate::policy::{self, profile};
use crate::protocol::frame::{Framer as _, LengthPrefix};
use line::Line;
use rustls::ServerConfig;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use timer::Timer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use transcript::Transcript;

/// The account's client identifier.
const USER: &str = "registrar-1";
/// The largest command that is read.
const COMMAND_CAP: usize = 1024 * 1024;
/// Bytes that one read may bring.
const READ: usize = 64 * 1024;
/// A `ClientHello` beyond this is one that some middleboxes drop.
const LARGE_HELLO: u16 = 1000;
/// How long a handshake may take, and how long a closed connection is drained so that our last answer is not lost to a reset.
const HANDSHAKE: Duration = Duration::from_secs(20);
const DRAIN: Duration = Duration::from_secs(1);

/// What to serve, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The profile's id.
    pub profile: String,
    /// The address to listen on; port 0 for any free one.
    pub listen: SocketAddr,
    /// The registry's directory: fleet, overlay, certificates, password.
    pub state: PathBuf,
    /// Where each change is told, one JSON line each.
    pub commit_log: Option<PathBuf>,
    /// The directory that keeps every frame.
    pub transcript: Option<PathBuf>,
    /// The knobs.
    pub knobs: Knobs,
    /// What chance is drawn from.
    pub seed: u64,
}

/// A registry that is being served, until this is dropped.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Served {
    /// Where it listens, `ip:port`.
    pub address: SocketAddr,
    /// The name in its certificate.
    pub server_name: String,
    /// Its certificate authority, PEM.
    pub ca: PathBuf,
    /// A client certificate it accepts, PEM.
    pub cert: PathBuf,
    /// That certificate's key, PEM.
    pub key: PathBuf,
    /// The account's client identifier.
    pub user: String,
    /// The file with the account's password.
    pub password_file: PathBuf,
    #[serde(skip)]
    stop: Option<oneshot::Sender<()>>,
    #[serde(skip)]
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    /// Stops serving and waits for the thread; open connections are cut.
    pub fn shutdown(mut self) {
        self.end();
    }

    /// Serves until the process is told to stop.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}

/// What the connections share. Only ever locked between two awaits, by one thread.
struct Shared {
    registry: Registry,
    journal: Journal,
    transcript: Option<Transcript>,
    connections: u64,
    /// Sessions by their cookies, where frames come in POSTs.
    visits: https::Visits,
}

/// What serving needs.
struct Server {
    shared: Mutex<Shared>,
    clock: Arc<dyn Clock>,
    timer: Timer,
    knobs: Knobs,
    password_file: PathBuf,
    /// Whether frames come in POSTs.
    takes_posts: bool,
    acceptor: TlsAcceptor,
    /// The acceptors of faults that touch certificates.
    odd_acceptors: HashMap<Fault, TlsAcceptor>,
}

/// Serves a registry from a thread of its own; returns when the port is bound.
///
/// # Errors
/// A wrong profile, fleet or state directory; `E-mock-040` where the port or the thread cannot be had.
pub fn start(options: Options, clock: Arc<dyn Clock>) -> Result<Served> {
    create_private_dir(&options.state)?;
    let profile = profile(&options.profile)?;
    let wants_client = profile.client_certificate.value;
    let takes_posts = profile.line.value == policy::Line::EppHttps;
    if let Some(spec) = options.knobs.faults.iter().find(|spec| spec.fault.is_of_posts() && !takes_posts) {
        let what = format!("the fault `{}` is one of frames in POSTs, which profile `{}` has none of", spec.fault.name(), profile.id);
        return Err(Problem::new("E-mock-042", Blame::Operator, what, "serve a profile whose line is `epp-https`, or leave the fault out"));
    }
    if let Some(spec) = options.knobs.faults.iter().find(|spec| spec.fault.is_of_epp() && profile.line.value == policy::Line::Rri) {
        let what = format!("the fault `{}` is one of EPP, which profile `{}` does not speak", spec.fault.name(), profile.id);
        return Err(Problem::new("E-mock-042", Blame::Operator, what, "serve another profile, or leave the fault out"));
    }
    let identity = Identity::open(&options.state, clock.wall())?;
    let fleet = fleet::open(&options.state)?;
    let knobs = options.knobs;
    let mut registry = Registry::new(profile, fleet, &knobs, USER, identity.password.clone(), options.seed, clock.wall())?;
    let journal = Journal::open(&options.state.join("overlay.ndjson"), options.commit_log.as_deref(), &mut registry)?;
    let transcript = options.transcript.as_deref().map(Transcript::open).transpose()?;
    let acceptor = |fault| identity.tls(wants_client, fault).map(|config: Arc<ServerConfig>| TlsAcceptor::from(config));
    let touched = knobs.faults.iter().map(|spec| spec.fault).filter(|fault| fault.stage() == Stage::Connect);
    let odd_acceptors = touched.map(|fault| Ok((fault, acceptor(Some(fault))?))).collect::<Result<_>>()?;
    let shared = Mutex::new(Shared { registry, journal, transcript, connections: 0, visits: https::Visits::default() });
    let password_file = identity.password_file.clone();
    let unbound = |e: std::io::Error| {
        Problem::new("E-mock-040", Blame::Operator, format!("cannot serve on {}: {e}", options.listen), "choose another address")
    };
    let timer = Timer::start(Arc::clone(&clock)).map_err(unbound)?;
    let server = Server { shared, clock, timer, acceptor: acceptor(None)?, odd_acceptors, knobs, password_file, takes_posts };

    let listener = std::net::TcpListener::bind(options.listen).map_err(unbound)?;
    listener.set_nonblocking(true).map_err(unbound)?;
    let address = listener.local_addr().map_err(unbound)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unbound)?;
    let (stop, stopped) = oneshot::channel();
    let serving = move || {
        runtime.block_on(async {
            tokio::select! {
                () = accept(listener, Arc::new(server)) => {}
                _ = stopped => {}
            }
        });
    };
    let thread = std::thread::Builder::new().name(format!("mock-{}", options.profile)).spawn(serving).map_err(unbound)?;
    Ok(Served {
        address,
        server_name: SERVER_NAME.to_owned(),
        ca: identity.ca,
        cert: identity.client_cert,
        key: identity.client_key,
        user: USER.to_owned(),
        password_file: identity.password_file,
        stop: Some(stop),
        thread: Some(thread),
    })
}

/// Takes connections for as long as it is let.
async fn accept(listener: std::net::TcpListener, server: Arc<Server>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(e) => return tracing::error!(error = %e, "the port cannot be served"),
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, Arc::clone(&server)))),
            Err(e) => {
                // Out of file descriptors, as a rule: others may close some.
                tracing::warn!(error = %e, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// One connection, from its first byte to its last.
async fn connection(stream: TcpStream, server: Arc<Server>) {
    if let Err(e) = stream.set_nodelay(true) {
        tracing::debug!(error = %e, "no TCP_NODELAY");
    }
    let spec = server.lock().registry.faults.strike(Stage::Connect, None);
    let acceptor = match spec.map(|s| s.fault) {
        Some(Fault::Mute) => return drain(stream).await,
        Some(Fault::LargeHello) if is_large_hello(&stream).await => return drain(stream).await,
        Some(Fault::Alert) => return alert(stream).await,
        Some(fault) => server.odd_acceptors.get(&fault).unwrap_or(&server.acceptor),
        None => &server.acceptor,
    };
    match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(tls)) if server.takes_posts => https::serve(server, tls).await,
        Ok(Ok(tls)) => Talk::begin(&server).run(tls).await,
        Ok(Err(e)) => tracing::debug!(error = %e, "a handshake failed"),
        Err(_) => tracing::debug!("a handshake took too long"),
    }
}

/// Reads and forgets whatever comes.
async fn drain(mut stream: impl tokio::io::AsyncRead + Unpin) {
    let mut bytes = vec![0; 4096];
    while stream.read(&mut bytes).await.is_ok_and(|n| n > 0) {}
}

/// Whether the first record is longer than some middleboxes let pass.
async fn is_large_hello(stream: &TcpStream) -> bool {
    let mut header = [0; 5];
    while stream.peek(&mut header).await.is_ok_and(|n| n > 0 && n < header.len()) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    u16::from_be_bytes([header[3], header[4]]) > LARGE_HELLO
}

/// Answers a `ClientHello` with the fatal alert `protocol_version` (RFC 8446 §6.2).
async fn alert(mut stream: TcpStream) {
    let mut hello = vec![0; 4096];
    let read = stream.read(&mut hello).await;
    if read.is_ok() && stream.write_all(&[0x15, 3, 3, 0, 2, 2, 70]).await.is_ok() {
        let _gone = stream.shutdown().await;
        let _quiet = tokio::time::timeout(DRAIN, drain(stream)).await;
    }
}

impl Server {
    /// Sleeps until an answer is `due`, to some tenths of a millisecond, or else until the session runs out, for which whole ones will do.
    async fn wake(&self, due: Option<Moment>, deadline: Option<Moment>, now: Moment, connection: u64) {
        match (due, deadline) {
            (Some(due), _) => self.timer.until(due, connection).await,
            (None, Some(deadline)) => tokio::time::sleep(deadline.since(now)).await,
            (None, None) => std::future::pending().await,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `core` answer `frame` into `payload`; nothing where what it changed could not be put on disk, and so is not answered.
    fn answer(&self, shared: &mut Shared, core: &mut Tongue, frame: &[u8], payload: &mut Vec<u8>) -> Option<Answer> {
        let answer = core.handle(&mut shared.registry, frame, self.clock.moment(), self.clock.wall(), payload);
        let stored = answer.commits.iter().try_for_each(|commit| shared.journal.append(commit));
        let stored = stored.and_then(|()| match &answer.new_password {
            Some(password) => Identity::write_password(&self.password_file, password),
            None => Ok(()),
        });
        match stored {
            Ok(()) => Some(answer),
            Err(problem) => {
                tracing::error!(%problem, "a change could not be stored");
                None
            }
        }
    }

    /// The fault that strikes an answer.
    fn strike(shared: &mut Shared, answer: &Answer) -> Option<FaultSpec> {
        let faults = &mut shared.registry.faults;
        match &answer.fault {
            Some(spec) => Some(spec.clone()),
            None if faults.is_empty() => None,
            None => faults.strike(Stage::from(answer.place), answer.object.as_deref()),
        }
    }

    /// By how much an answer comes later than the registry's latency.
    fn delay_of(&self, answer: &Answer) -> Duration {
        if answer.code >= 2000 { self.knobs.error_delay } else { Duration::ZERO }
    }
}

/// One connection's talk: the core's connection, the framer and the line of answers under way.
struct Talk<'s> {
    server: &'s Server,
    number: u64,
    core: Tongue,
    framer: LengthPrefix,
    line: Line,
}

impl Drop for Talk<'_> {
    fn drop(&mut self) {
        self.core.forget_login(&mut self.server.lock().registry);
    }
}

impl<'s> Talk<'s> {
    fn begin(server: &'s Server) -> Self {
        let mut shared = server.lock();
        shared.connections += 1;
        let number = shared.connections;
        let is_uncounted = shared.registry.profile.quirks.length_without_header;
        let now = server.clock.moment();
        let core = Tongue::new(&shared.registry, now);
        drop(shared);
        let framer = if is_uncounted { LengthPrefix::payload_only(COMMAND_CAP) } else { LengthPrefix::epp(COMMAND_CAP) };
        Self { server, number, core, framer, line: Line::new(is_uncounted) }
    }

    /// Greets, then answers until either side ends.
    async fn run(mut self, mut tls: TlsStream<TcpStream>) {
        self.greet();
        let mut bytes = vec![0; READ];
        let mut out = Vec::with_capacity(READ);
        loop {
            let now = self.server.clock.moment();
            let end = self.line.due(now, &mut out);
            if !out.is_empty() {
                if tls.write_all(&out).await.is_err() || tls.flush().await.is_err() {
                    return;
                }
                out.clear();
            }
            if let Some(end) = end {
                return finish(tls, end).await;
            }
            let deadline = self.core.deadline(&self.server.lock().registry);
            let now = self.server.clock.moment();
            if self.line.is_idle() && deadline.is_some_and(|d| d <= now) {
                return finish(tls, End::Notify).await;
            }
            let read = tokio::select! {
                read = tls.read(&mut bytes), if !self.line.is_ending() => Some(read),
                () = self.server.wake(self.line.next(), deadline, now, self.number) => None,
            };
            match read {
                None => {}
                Some(Ok(n)) if n > 0 => self.hear(bytes.get(..n).unwrap_or_default()),
                Some(_) => return,
            }
        }
    }

    fn greet(&mut self) {
        let mut shared = self.server.lock();
        let (now, wall) = (self.server.clock.moment(), self.server.clock.wall());
        let mut payload = Line::buffer();
        let Some(answer) = self.core.greet(&shared.registry, wall, &mut payload) else { return };
        let spec = shared.registry.faults.strike(Stage::Greeting, None);
        self.line.say(now, &answer, payload, spec.as_ref());
        if let Some(transcript) = &mut shared.transcript {
            self.line.told(|frame| transcript.keep(self.number, "out", wall, frame));
        }
    }

    /// Takes bytes off the line and answers every frame in them.
    fn hear(&mut self, bytes: &[u8]) {
        self.framer.push(bytes);
        let mut shared = self.server.lock();
        let shared = &mut *shared;
        let (now, wall) = (self.server.clock.moment(), self.server.clock.wall());
        loop {
            let frame = match self.framer.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(e) => {
                    tracing::debug!(error = %e, "a client's frame");
                    return self.line.end(now, End::Notify);
                }
            };
            if self.line.is_ending() {
                return;
            }
            if let Some(transcript) = &mut shared.transcript {
                transcript.keep(self.number, "in", wall, frame);
            }
            let mut payload = Line::buffer();
            let Some(answer) = self.server.answer(shared, &mut self.core, frame, &mut payload) else {
                return self.line.end(now, End::Abrupt);
            };
            let spec = Server::strike(shared, &answer);
            let knobs = &self.server.knobs;
            let due = self.line.schedule(now, knobs.service, knobs.latency + self.server.delay_of(&answer));
            if self.line.say(due, &answer, payload, spec.as_ref()) {
                self.core.forget_login(&mut shared.registry);
            }
            if let Some(transcript) = &mut shared.transcript {
                self.line.told(|frame| transcript.keep(self.number, "out", wall, frame));
            }
        }
    }
}

/// Ends a connection in one of the ways there are.
async fn finish(mut tls: TlsStream<TcpStream>, end: End) {
    match end {
        End::Notify => {
            let _gone = tls.shutdown().await;
            let _quiet = tokio::time::timeout(DRAIN, drain(tls)).await;
        }
        End::Half => {
            let _gone = tls.shutdown().await;
            drain(tls).await;
        }
        End::Abrupt => {
            // Below TLS, so that no farewell is sent.
            let _gone = tls.get_mut().0.shutdown().await;
            let (stream, _) = tls.into_inner();
            let _quiet = tokio::time::timeout(DRAIN, drain(stream)).await;
        }
        End::Reset => {
            let _set = tls.get_ref().0.set_zero_linger();
            let (stream, _) = tls.into_inner();
            drop(stream);
        }
    }
}
