//! A bundled registry that takes frames in POSTs: one frame a request, one answer a response, and a cookie which is the session.

use super::{COMMAND_CAP, Server, Shared};
use crate::base::{Digest, Moment};
use crate::mock::damage::{Delivery, Step, damage};
use crate::mock::faults::Fault;
use crate::mock::knobs::FaultSpec;
use crate::mock::tongue::Tongue;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, CONTENT_TYPE, COOKIE, HeaderValue, LOCATION, SET_COOKIE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// The cookie's name.
const SESSION: &str = "JSESSIONID";
/// Room for the length of a frame, which a delivery puts in front of it and a POST has no use for.
const HEADER: usize = 4;
/// More bytes than any answer has, and more than any head has.
const OVERSIZED: usize = 11 * 1024 * 1024;
const LONG_HEAD: usize = 128 * 1024;

/// The sessions, by their cookies.
#[derive(Default)]
pub(super) struct Visits {
    open: HashMap<Box<str>, Tongue>,
    /// The identifier of the last command answered.
    previous: Option<Box<str>>,
}

/// Answers the requests on one connection.
pub(super) async fn serve(server: Arc<Server>, tls: TlsStream<TcpStream>) {
    let number = {
        let mut shared = server.lock();
        shared.connections += 1;
        shared.connections
    };
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { respond(&server, number, request).await }
    });
    if let Err(e) = http1::Builder::new().serve_connection(TokioIo::new(tls), service).await {
        tracing::debug!(error = %e, "a connection ended");
    }
}

/// Answers a request; an error ends the connection without a word.
async fn respond(server: &Server, number: u64, request: Request<Incoming>) -> Result<Response<Reply>, io::Error> {
    if request.method() != Method::POST {
        return Ok(bare(StatusCode::METHOD_NOT_ALLOWED));
    }
    let is_xml = |value: &HeaderValue| value.to_str().is_ok_and(|v| v.to_ascii_lowercase().starts_with("text/xml"));
    if !request.headers().get(CONTENT_TYPE).is_some_and(is_xml) {
        return Ok(bare(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let cookie = cookie(&request);
    let Ok(body) = Limited::new(request.into_body(), COMMAND_CAP).collect().await else {
        return Ok(bare(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let planned = answer(server, number, cookie.as_deref(), &body.to_bytes()).ok_or_else(gone)?;
    if !planned.wait.is_zero() {
        tokio::time::sleep(planned.wait).await;
    }
    planned.response.ok_or_else(gone)
}

/// What becomes of a request: an answer, or none, after a while.
struct Planned {
    wait: Duration,
    response: Option<Response<Reply>>,
}

/// Has the registry answer `frame` in the session of `cookie`; nothing where what it changed could not be stored.
fn answer(server: &Server, number: u64, cookie: Option<&str>, frame: &[u8]) -> Option<Planned> {
    let mut shared = server.lock();
    let shared = &mut *shared;
    let (now, wall) = (server.clock.moment(), server.clock.wall());
    sweep(shared, now);
    if let Some(transcript) = &mut shared.transcript {
        transcript.keep(number, "in", wall, frame);
    }
    let known = cookie.and_then(|cookie| shared.visits.open.remove_entry(cookie));
    let (name, mut core) = known.map_or_else(|| (None, Tongue::new(&shared.registry, now)), |(name, core)| (Some(name), core));
    let mut payload = vec![0; HEADER];
    let answer = server.answer(shared, &mut core, frame, &mut payload)?;
    let spec = Server::strike(shared, &answer);
    let wait = server.knobs.service + server.knobs.latency + server.delay_of(&answer);
    let body = payload.get(HEADER..).unwrap_or_default();
    let mut planned = match &spec {
        _ if answer.silent => Planned { wait, response: None },
        None => Planned { wait, response: Some(xml(Bytes::copy_from_slice(body))) },
        Some(spec) => {
            let delivery = damage(spec, &answer, body, shared.visits.previous.as_deref(), HEADER);
            if delivery.forgets_login {
                core.forget_login(&mut shared.registry);
            }
            planned(spec, delivery, wait)
        }
    };
    shared.visits.previous = answer.cl_trid;
    if let Some(transcript) = &mut shared.transcript {
        transcript.keep(number, "out", wall, body);
    }
    let fault = spec.map(|spec| spec.fault);
    if answer.close || fault == Some(Fault::HttpForgotten) {
        core.forget_login(&mut shared.registry);
    }
    if core.is_logged_in() {
        let is_new = name.is_none();
        let name = name.unwrap_or_else(|| Digest::of(shared.registry.next_sv_trid().as_bytes()).to_string().into());
        let told = match fault {
            Some(Fault::HttpCookieLost) => Some(format!("{SESSION}=; Path=/; Max-Age=0")),
            _ => is_new.then(|| format!("{SESSION}={name}; Path=/; Secure; HttpOnly")),
        };
        if let (Some(response), Some(value)) = (&mut planned.response, told.and_then(|t| HeaderValue::from_str(&t).ok())) {
            response.headers_mut().insert(SET_COOKIE, value);
        }
        shared.visits.open.insert(name, core);
    }
    Some(planned)
}

/// Ends sessions that were idle for too long, or are too old.
fn sweep(shared: &mut Shared, now: Moment) {
    let Shared { registry, visits, .. } = shared;
    visits.open.retain(|_, core| {
        let is_over = core.deadline(registry).is_some_and(|deadline| deadline <= now);
        if is_over {
            core.forget_login(registry);
        }
        !is_over
    });
}

/// What a fault makes of an answer on this line: what is between frames on another has no meaning here.
fn planned(spec: &FaultSpec, delivery: Delivery, wait: Duration) -> Planned {
    let (mut wait, mut bytes, mut is_cut) = (wait, Vec::new(), false);
    for step in delivery.steps {
        match step {
            Step::Bytes(part) => bytes.extend_from_slice(&part),
            Step::Pause(pause) => wait += pause,
            Step::End(_) => is_cut = true,
        }
    }
    let Some(body) = bytes.get(HEADER..).filter(|body| !body.is_empty()).map(Bytes::copy_from_slice) else {
        return Planned { wait, response: None };
    };
    let mut response = if is_cut && spec.fault == Fault::CutFrame { half(body) } else { xml(body) };
    let headers = response.headers_mut();
    match spec.fault {
        Fault::HttpRedirect => {
            headers.insert(LOCATION, HeaderValue::from_static("https://other.example/"));
            *response.status_mut() = StatusCode::FOUND;
        }
        Fault::HttpPage => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            *response.body_mut() = Reply::of(Bytes::from_static(b"<!doctype html><title>Maintenance</title><p>Back soon."));
        }
        Fault::HttpUnavailable => {
            *response.body_mut() = Reply::of(Bytes::new());
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        Fault::HttpType => drop(headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"))),
        Fault::HttpOversized => *response.body_mut() = Reply::of(vec![b' '; OVERSIZED].into()),
        Fault::HttpHead => {
            if let Ok(value) = HeaderValue::from_str(&"x".repeat(LONG_HEAD)) {
                headers.insert("x-long", value);
            }
        }
        Fault::HttpClose => drop(headers.insert(CONNECTION, HeaderValue::from_static("close"))),
        _ => {}
    }
    Planned { wait, response: Some(response) }
}

fn bare(status: StatusCode) -> Response<Reply> {
    let mut response = Response::new(Reply::of(Bytes::new()));
    *response.status_mut() = status;
    response
}

fn xml(body: Bytes) -> Response<Reply> {
    let mut response = Response::new(Reply::of(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=UTF-8"));
    response
}

/// An answer that states more bytes than come.
fn half(body: Bytes) -> Response<Reply> {
    let mut response = xml(body);
    response.body_mut().missing = 1;
    response
}

fn gone() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

/// The session's cookie in a request.
fn cookie(request: &Request<Incoming>) -> Option<Box<str>> {
    let all = request.headers().get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    all.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == SESSION).map(|(_, value)| value.into())
}

/// A response's body.
struct Reply {
    bytes: Option<Bytes>,
    /// Bytes that are stated and never come.
    missing: u64,
}

impl Reply {
    const fn of(bytes: Bytes) -> Self {
        Self { bytes: Some(bytes), missing: 0 }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.bytes.take() {
            Some(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            _ if self.missing > 0 => Poll::Ready(Some(Err(gone()))),
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.as_ref().is_none_or(Bytes::is_empty) && self.missing == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64) + self.missing)
    }
}
