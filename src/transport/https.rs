//! EPP in POSTs: each exchange is a POST and its answer, and a cookie is what makes exchanges a session. One connection at a time, no
//! redirect followed, nothing sent twice once a byte of it was tried; a connection that ends between two exchanges is opened anew, and
//! the session goes on with its cookie.

use super::cookies::Jar;
use super::endpoint::{Endpoint, Target};
use super::stream::GOODBYE;
use super::tls::{Failure, close_reason};
use crate::base::{Blame, Problem};
use crate::protocol::frame::DEFAULT_CAP;
use crate::session::CloseReason;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderValue, SET_COOKIE, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// What a POST says that it carries.
const XML: HeaderValue = HeaderValue::from_static("text/xml; charset=UTF-8");
/// What an answer may say that it carries.
const XML_TYPES: [&str; 3] = ["text/xml", "application/xml", "application/epp+xml"];
/// The most bytes of an answer's head, and the most of its fields.
const HEAD: usize = 64 * 1024;
const FIELDS: usize = 64;

/// A line of exchanges.
pub(super) struct Posts {
    /// The line at rest; it is away while an exchange is under way.
    resting: Option<Wire>,
    exchange: Option<Exchange>,
    /// Whether a byte of the exchange under way was tried to be written.
    tried: Arc<AtomicBool>,
    /// Bytes of its frame that the pool was not told of.
    untold: usize,
}

/// A POST under way: the line, given back, and the body of the answer.
type Exchange = Pin<Box<dyn Future<Output = (Wire, Result<Vec<u8>, CloseReason>)> + Send>>;

/// What outlives a connection: where it goes, and the cookie.
struct Wire {
    endpoint: Endpoint,
    target: Target,
    jar: Jar,
    tried: Arc<AtomicBool>,
    connection: Option<Connection>,
}

/// A connection.
struct Connection {
    requests: SendRequest<Full<Bytes>>,
    pump: Pump,
}

/// What moves a connection's bytes; whoever waits for something of the connection polls it. Nothing once the connection ended: as long
/// as it is there, what waits is not told.
type Pump = Option<Pin<Box<http1::Connection<TokioIo<Watched>, Full<Bytes>>>>>;

impl Posts {
    /// A line over `stream`.
    pub(super) async fn new(endpoint: Endpoint, target: Target, stream: Box<TlsStream<TcpStream>>) -> Result<Self, Failure> {
        let tried = Arc::new(AtomicBool::new(false));
        let opened = Connection::open(stream, &tried).await.map_err(|reason| {
            let problem = Problem::new("E-http-002", Blame::Network, reason.to_string(), "try again; then ask the registry");
            Failure { problem, again: true }
        });
        let wire = Wire { endpoint, target, jar: Jar::default(), tried: Arc::clone(&tried), connection: Some(opened?) };
        Ok(Self { resting: Some(wire), exchange: None, tried, untold: 0 })
    }

    /// Puts `frame` on the line. There is one at a time: the session sees to that.
    pub(super) fn push(&mut self, frame: Vec<u8>) {
        let Some(wire) = self.resting.take() else { return };
        self.tried.store(false, Ordering::Relaxed);
        self.untold = frame.len();
        self.exchange = Some(Box::pin(wire.exchange(frame.into())));
    }

    /// Moves the line on: an answer's body, or why there is none. `trying` is told of the frame's bytes before the first one is tried.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, trying: impl FnOnce(usize)) -> Poll<Result<Vec<u8>, CloseReason>> {
        let Some(exchange) = &mut self.exchange else {
            if let Some(wire) = &mut self.resting {
                wire.rest(cx);
            }
            return Poll::Pending;
        };
        let polled = exchange.as_mut().poll(cx);
        // An answer cannot come, nor a failure be told, but behind this.
        if self.untold > 0 && self.tried.load(Ordering::Relaxed) {
            trying(std::mem::take(&mut self.untold));
        }
        polled.map(|(wire, answer)| {
            self.exchange = None;
            self.resting = Some(wire);
            answer
        })
    }

    /// Says goodbye in TLS's way, without waiting long for it. An exchange under way is broken off.
    pub(super) async fn goodbye(self) {
        if let Some(Connection { requests, pump: Some(pump) }) = self.resting.and_then(|wire| wire.connection) {
            drop(requests);
            let _nothing_depends_on_it = timeout(GOODBYE, pump).await;
        }
    }
}

impl Wire {
    /// Posts `frame`.
    async fn exchange(mut self, frame: Bytes) -> (Self, Result<Vec<u8>, CloseReason>) {
        let answer = self.post(frame).await;
        (self, answer)
    }

    /// Lets the connection notice that it ended while nothing was under way.
    fn rest(&mut self, cx: &mut Context<'_>) {
        if self.connection.as_mut().is_some_and(|c| has_ended(&mut c.pump, cx)) {
            self.connection = None;
        }
    }

    /// Posts `frame` and takes the answer in. A connection that was at rest may turn out to have ended: as long as no byte was tried,
    /// a new one takes its place. A connection whose exchange failed is never used again.
    async fn post(&mut self, frame: Bytes) -> Result<Vec<u8>, CloseReason> {
        if let Some(mut rested) = self.connection.take() {
            match self.over(&mut rested, frame.clone()).await {
                Err(_) if !self.tried.load(Ordering::Relaxed) => {}
                answer => {
                    self.keep(rested, answer.is_ok());
                    return answer;
                }
            }
        }
        let (stream, _) = self.endpoint.secured().await.map_err(|failure| CloseReason::Broken(failure.problem.what.clone()))?;
        let mut fresh = Connection::open(stream, &self.tried).await?;
        let answer = self.over(&mut fresh, frame).await;
        self.keep(fresh, answer.is_ok());
        answer
    }

    /// Keeps a connection for the next exchange, where this one went well.
    fn keep(&mut self, connection: Connection, is_sound: bool) {
        self.connection = is_sound.then_some(connection);
    }

    /// Posts `frame` over `connection`.
    async fn over(&mut self, connection: &mut Connection, frame: Bytes) -> Result<Vec<u8>, CloseReason> {
        let response = connection.send(self.request(frame)?).await?;
        judge(response.status(), response.headers())?;
        self.jar.take(response.headers().get_all(SET_COOKIE), &self.target.authority);
        connection.body(response).await
    }

    fn request(&self, frame: Bytes) -> Result<Request<Full<Bytes>>, CloseReason> {
        let mut request = Request::new(Full::new(frame));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.path.clone();
        let headers = request.headers_mut();
        let host = HeaderValue::from_str(&self.target.authority);
        headers.insert(HOST, host.map_err(|_| CloseReason::Broken("the host's name fits no request".to_owned()))?);
        headers.insert(CONTENT_TYPE, XML);
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("Privet/", env!("CARGO_PKG_VERSION"))));
        if let Some(cookie) = self.jar.header() {
            headers.insert(COOKIE, cookie);
        }
        Ok(request)
    }
}

impl Connection {
    /// HTTP over `stream`. Nothing is written yet.
    async fn open(stream: Box<TlsStream<TcpStream>>, tried: &Arc<AtomicBool>) -> Result<Self, CloseReason> {
        let watched = Watched { stream, tried: Arc::clone(tried) };
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEAD).max_headers(FIELDS);
        let (requests, pump) = builder.handshake(TokioIo::new(watched)).await.map_err(|e| broken(&e))?;
        Ok(Self { requests, pump: Some(Box::pin(pump)) })
    }

    /// Sends `request` and waits for the head of its answer.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, CloseReason> {
        let Self { requests, pump } = self;
        pumped(pump, poll_fn(|cx| requests.poll_ready(cx))).await.map_err(|e| broken(&e))?;
        pumped(pump, requests.send_request(request)).await.map_err(|e| broken(&e))
    }

    /// The body of an answer, whole.
    async fn body(&mut self, response: Response<Incoming>) -> Result<Vec<u8>, CloseReason> {
        let body = Limited::new(response.into_body(), DEFAULT_CAP).collect();
        match pumped(&mut self.pump, body).await {
            Ok(whole) => Ok(whole.to_bytes().into()),
            Err(e) if e.is::<LengthLimitError>() => {
                Err(CloseReason::Http(format!("the answer is longer than {} MiB, more than any answer is", DEFAULT_CAP >> 20)))
            }
            Err(e) => Err(broken(&*e)),
        }
    }
}

/// Waits for `wanted` and moves the connection's bytes meanwhile. A connection that ends says so through what is waited for.
async fn pumped<F: Future>(pump: &mut Pump, wanted: F) -> F::Output {
    let mut wanted = pin!(wanted);
    poll_fn(|cx| {
        let _told_by_what_is_waited_for = has_ended(pump, cx);
        wanted.as_mut().poll(cx)
    })
    .await
}

/// Moves the connection's bytes. Whether it ended.
fn has_ended(pump: &mut Pump, cx: &mut Context<'_>) -> bool {
    let ended = pump.as_mut().is_none_or(|pump| pump.as_mut().poll(cx).is_ready());
    if ended {
        *pump = None;
    }
    ended
}

/// Whether an answer's head is one that an EPP server sends.
fn judge(status: StatusCode, headers: &HeaderMap) -> Result<(), CloseReason> {
    let number = status.as_u16();
    if status.is_redirection() {
        return Err(CloseReason::Http(format!("the answer sends us elsewhere (HTTP status {number}), which is not followed")));
    }
    if status != StatusCode::OK {
        return Err(CloseReason::Http(format!("the answer has HTTP status {number}")));
    }
    let Some(told) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let told = told.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match told.as_str() {
        told if XML_TYPES.contains(&told) => Ok(()),
        "text/html" | "application/xhtml+xml" => Err(CloseReason::Http("the answer is a page in HTML".to_owned())),
        _ => Err(CloseReason::Http("the answer's content type is none of EPP's".to_owned())),
    }
}

/// Why a connection failed, in words.
fn broken(error: &(dyn Error + 'static)) -> CloseReason {
    let causes = std::iter::successors(Some(error), |&e| e.source());
    if let Some(io) = causes.clone().find_map(|e| e.downcast_ref::<io::Error>()) {
        return close_reason(io);
    }
    match causes.clone().find_map(|e| e.downcast_ref::<hyper::Error>()) {
        Some(e) if e.is_incomplete_message() || e.is_closed() || e.is_canceled() => CloseReason::Eof { clean: true },
        Some(e) if e.is_parse_too_large() => CloseReason::Http("the answer's head is longer than any answer's is".to_owned()),
        Some(e) if e.is_parse() => CloseReason::Http("what came is no answer in HTTP".to_owned()),
        _ => CloseReason::Broken(error.to_string()),
    }
}

/// A stream that notes whether a byte was tried to be written.
struct Watched {
    stream: Box<TlsStream<TcpStream>>,
    tried: Arc<AtomicBool>,
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.tried.store(true, Ordering::Relaxed);
        Pin::new(&mut *self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}
