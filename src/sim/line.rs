//! A connection as two pipes of bytes, with the registry's end of it.

use super::fault::Greeting;
use crate::base::Moment;
use crate::mock::Visit;
use crate::model::ObjectKind;
use crate::protocol::frame::LengthPrefix;
use std::collections::VecDeque;

/// What goes to the client.
pub(super) enum Sent {
    /// A frame; whether it answers what is outstanding.
    Frame(Vec<u8>, bool),
    /// The end of the connection.
    End,
}

/// The registry's end.
pub(super) struct Server {
    pub(super) visit: Visit,
    pub(super) framer: LengthPrefix,
    /// What is sent, and when.
    pub(super) out: VecDeque<(Moment, Sent)>,
    /// When the first byte came of a frame that is not whole yet, and how many rows of the journal were on disk then.
    pub(super) began: Option<(Moment, u64)>,
    /// Commands without an answer.
    pub(super) outstanding: u32,
    /// Whether the client's end was put onto it later: [`super::Bug::SocketKept`].
    pub(super) is_kept: bool,
}

/// A connection.
pub(super) struct Line {
    pub(super) site: usize,
    pub(super) session: u32,
    /// Its number, over all processes.
    pub(super) number: u64,
    /// When it stands, and how the registry greets then; nothing once it stands.
    pub(super) opening: Option<(Moment, Greeting)>,
    /// Whether the client still has its end.
    pub(super) has_client: bool,
    /// Bytes in the client's memory.
    pub(super) unwritten: Vec<u8>,
    /// Bytes on their way to the registry.
    pub(super) wire: Vec<u8>,
    /// Bytes on their way to the client.
    pub(super) down: Vec<u8>,
    pub(super) server: Option<Server>,
    /// The identifier of the last command that left.
    pub(super) asked: Option<Box<str>>,
}

impl Line {
    /// A line that is asked for.
    pub(super) const fn new(site: usize, session: u32, number: u64, opening: (Moment, Greeting)) -> Self {
        Self {
            site,
            session,
            number,
            opening: Some(opening),
            has_client: true,
            unwritten: Vec::new(),
            wire: Vec::new(),
            down: Vec::new(),
            server: None,
            asked: None,
        }
    }
}

/// What a frame asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A login.
    Login,
    /// A change; whether it makes a new object.
    Change(bool),
    /// A question.
    Question,
    /// Anything else: a logout, a keep-alive.
    Other,
    /// Bytes that are no command.
    Nothing,
}

/// What a client's frame says, read off its text.
pub(super) struct Said {
    pub(super) what: What,
    pub(super) cl_trid: Option<Box<str>>,
    pub(super) object: Option<(ObjectKind, Box<str>)>,
}

impl Said {
    /// Reads a frame.
    pub(super) fn of(frame: &[u8]) -> Self {
        let text = std::str::from_utf8(frame).unwrap_or_default().trim_end();
        let has = |name: &str| text.contains(name);
        let what = match () {
            () if !text.ends_with("</epp>") => What::Nothing,
            () if has("<login>") => What::Login,
            () if has("<create>") => What::Change(true),
            () if has("<update>") || has("<delete>") => What::Change(false),
            () if has("<info>") => What::Question,
            () => What::Other,
        };
        let contact = between(text, "<contact:id>", "</contact:id>").map(|id| (ObjectKind::Contact, Box::from(id)));
        let domain = || {
            let name = between(text, "<domain:name", "</domain:name>")?.split_once('>')?.1;
            Some((ObjectKind::Domain, Box::from(name)))
        };
        Self { what, cl_trid: between(text, "<clTRID>", "</clTRID>").map(Into::into), object: contact.or_else(domain) }
    }
}

/// What stands between `open` and the `close` behind it.
pub(super) fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<&'t str> {
    text.split_once(open)?.1.split_once(close).map(|(inside, _)| inside)
}

/// A payload behind its length (RFC 5734 §4).
pub(super) fn framed(payload: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(payload.len() + 4).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    out.extend_from_slice(payload);
    out
}

/// An answer without data.
pub(super) fn plain(code: u16, cl_trid: Option<&str>, sv_trid: &str) -> Vec<u8> {
    let cl_trid = cl_trid.map(|id| format!("<clTRID>{id}</clTRID>")).unwrap_or_default();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?><epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><response>\
         <result code=\"{code}\"><msg>Simulated</msg></result><trID>{cl_trid}<svTRID>{sv_trid}</svTRID></trID></response></epp>"
    )
    .into_bytes()
}

/// The same frame under another client identifier, where it has one: [`super::Bug::MatchWithoutId`].
pub(super) fn readdressed(frame: &[u8], cl_trid: &str) -> Vec<u8> {
    let payload = frame.get(4..).unwrap_or_default();
    let text = String::from_utf8_lossy(payload);
    match between(&text, "<clTRID>", "</clTRID>") {
        Some(there) => framed(text.replacen(&format!("<clTRID>{there}<"), &format!("<clTRID>{cl_trid}<"), 1).as_bytes()),
        None => frame.to_vec(),
    }
}
