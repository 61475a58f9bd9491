//! EPP (RFC 5730-5734): commands into frames, frames into answers, and nothing of an answer lost.
//!
//! What the types take of an answer they mark on the tape; the rest is [`Tape::unknown`].

mod contact;
mod domain;
mod encoder;
mod ext;
pub(super) mod field;
mod greeting;
mod host;
mod json;
mod login;
mod object;
mod poll;
mod response;
mod rule;

pub use encoder::Unencodable;
pub use greeting::service;
pub use json::{Decoded, NotAFrame, frame_json};

use super::ns::Ns;
use super::tape::{Malformed, Tape};
use crate::base::{Blame, ClTrid, Problem};
use crate::model::{AuthCodeOrder, Command, Greeting, Query, Response, Transform, Unknown};
use encoder::Encoder;
use std::fmt;

/// A frame from a server, typed.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// `<greeting>`, in front of the first command and in answer to a hello.
    Greeting(Box<Greeting>),
    /// `<response>`.
    Response(Box<Response>),
}

/// Why a document is no answer of an EPP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// What is wrong.
    pub why: &'static str,
    /// The element it stands at, by its local name, at most [`NAME_CAP`] bytes of it.
    pub at: Option<Box<str>>,
}

/// How much of a strange element's name is told.
const NAME_CAP: usize = 64;

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why)?;
        self.at.as_ref().map_or(Ok(()), |at| write!(f, ": <{}>", crate::base::escape_controls(at)))
    }
}

impl std::error::Error for Undecodable {}

impl From<Undecodable> for Box<Problem> {
    fn from(e: Undecodable) -> Self {
        Problem::new("E-epp-002", Blame::Registry, e.to_string(), "ask the registry whether this port speaks EPP (RFC 5730)")
    }
}

impl From<Malformed> for Box<Problem> {
    fn from(e: Malformed) -> Self {
        Problem::new("E-epp-003", Blame::Registry, format!("the frame is no document: {e}"), "report the frame to the registry")
    }
}

/// Appends the XML document of `command`, without a length header, for a session whose login named the extensions `agreed`.
///
/// # Errors
/// [`Unencodable`] where the schemas of RFC 5730-5733, 3915, 5910 and 8807 would refuse the document; `out` is then as it was.
pub fn encode(command: &Command, cl_trid: Option<&ClTrid>, agreed: &[Box<str>], out: &mut Vec<u8>) -> Result<(), Unencodable> {
    let start = out.len();
    let mut encoder = Encoder::new(out);
    encoder.document(|e| match command {
        Command::Hello => e.empty("hello", &[]),
        other => e.within("command", &[], |e| {
            verb(e, other, agreed);
            if let Some(id) = cl_trid {
                e.leaf("clTRID", id.as_str(), &rule::TRID);
            }
        }),
    });
    let refused = encoder.finish();
    if let Some(refused) = refused {
        out.truncate(start);
        return Err(refused);
    }
    Ok(())
}

/// Writes what is between `<command>` and `<clTRID>`.
fn verb(e: &mut Encoder<'_>, command: &Command, agreed: &[Box<str>]) {
    match command {
        Command::Hello => {}
        Command::Login(login) => login::login(e, login),
        Command::Logout => e.empty("logout", &[]),
        Command::PollRequest => poll::request(e),
        Command::PollAck { id } => poll::ack(e, id),
        Command::Query(query) => match query {
            Query::ContactCheck(ids) => contact::check(e, ids),
            Query::ContactInfo { id, auth } => contact::info(e, id, auth.as_ref()),
            Query::ContactTransfer { id, auth } => contact::transfer_query(e, id, auth.as_ref()),
            Query::DomainCheck(names) => domain::check(e, names),
            Query::DomainInfo { name, hosts, auth } => domain::info(e, name, *hosts, auth.as_ref()),
            Query::DomainContacts { name, which } => domain::contacts_of(e, name, *which, agreed),
            Query::DomainTransfer { name, auth } => domain::transfer(e, "query", name, None, auth.as_ref()),
            Query::HostInfo(name) => host::info(e, name),
            Query::HitPoints => ext::eurid::hit_points_info(e),
        },
        Command::Transform(transform) => match &**transform {
            Transform::ContactCreate(contact) => contact::create(e, contact, agreed),
            Transform::ContactUpdate(update) => contact::update(e, update, agreed),
            Transform::ContactDelete(id) => contact::delete(e, id),
            Transform::DomainCreate(create) => domain::create(e, create, agreed),
            Transform::DomainUpdate(update) => domain::update(e, update, agreed),
            Transform::DomainDelete(name) => domain::delete(e, name),
            Transform::DomainRenew { name, current_expiry, period } => domain::renew(e, name, current_expiry, *period),
            Transform::DomainTransferRequest { name, period, auth, trade } => {
                domain::transfer(e, "request", name, *period, Some(auth));
                if let Some(trade) = trade {
                    ext::extdom::trade(e, agreed, trade);
                }
            }
            Transform::DomainAuthCode { name, order } => domain::auth_code(e, name, *order, agreed),
            Transform::Rri(_) => e.refuse("command", "is one of DENIC's RRI, which EPP has no word for"),
        },
    }
}

/// The typed view of a frame. Marks on the tape what it took, so that [`collect_unknown`] tells the rest.
///
/// # Errors
/// [`Undecodable`] where the frame is neither a greeting nor a response; what is wrong inside of one never is an error.
pub fn decode(tape: &Tape) -> Result<Message, Undecodable> {
    let fail = |why, at: Option<&str>| Undecodable { why, at: at.map(|name| name.chars().take(NAME_CAP / 4).collect::<String>().into()) };
    let root = tape.root().ok_or_else(|| fail("no document", None))?;
    if !root.is(Ns::EPP, "epp") {
        return Err(fail("the root element is not EPP's", Some(root.local())));
    }
    let root = root.seen();
    if let Some(response) = root.child(Ns::EPP, "response") {
        return Ok(Message::Response(Box::new(response::decode(response))));
    }
    if let Some(greeting) = root.child(Ns::EPP, "greeting") {
        return Ok(Message::Greeting(Box::new(greeting::decode(greeting))));
    }
    Err(fail("neither a greeting nor a response", root.children().next().map(super::tape::Element::local)))
}

/// Everything that [`decode`] did not take.
#[must_use]
pub fn collect_unknown(tape: &Tape) -> Vec<Unknown> {
    tape.unknown()
}

/// The name of a command in tables and logs.
#[must_use]
pub const fn command_name(command: &Command) -> &'static str {
    match command {
        Command::Hello => "hello",
        Command::Login(_) => "login",
        Command::Logout => "logout",
        Command::PollRequest => "poll:req",
        Command::PollAck { .. } => "poll:ack",
        Command::Query(query) => match query {
            Query::ContactCheck(_) => "contact:check",
            Query::ContactInfo { .. } => "contact:info",
            Query::ContactTransfer { .. } => "contact:transfer:query",
            Query::DomainCheck(_) => "domain:check",
            Query::DomainInfo { .. } => "domain:info",
            Query::DomainContacts { .. } => "domain:info:contacts",
            Query::DomainTransfer { .. } => "domain:transfer:query",
            Query::HostInfo(_) => "host:info",
            Query::HitPoints => "hitPoints:info",
        },
        Command::Transform(transform) => match &**transform {
            Transform::ContactCreate(_) => "contact:create",
            Transform::ContactUpdate(_) => "contact:update",
            Transform::ContactDelete(_) => "contact:delete",
            Transform::DomainCreate(_) => "domain:create",
            Transform::DomainUpdate(_) => "domain:update",
            Transform::DomainDelete(_) => "domain:delete",
            Transform::DomainRenew { .. } => "domain:renew",
            Transform::DomainTransferRequest { .. } => "domain:transfer:request",
            Transform::DomainAuthCode { order: AuthCodeOrder::Request, .. } => "domain:authInfo:request",
            Transform::DomainAuthCode { order: AuthCodeOrder::Cancel, .. } => "domain:authInfo:cancel",
            Transform::Rri(_) => "rri",
        },
    }
}

/// The names of the elements in a frame, each once, sorted and joined by blanks; no contents.
#[must_use]
pub fn element_names(tape: &Tape) -> String {
    // The first bytes as a number sort as the names do, and faster.
    let begin = |name: &str| name.bytes().chain(std::iter::repeat(0)).take(8).fold(0_u64, |all, byte| all << 8 | u64::from(byte));
    let mut names: Vec<(u64, &str)> = tape.elements().map(super::tape::Element::local).map(|name| (begin(name), name)).collect();
    names.sort_unstable();
    names.dedup();
    let length: usize = names.iter().map(|(_, name)| name.len() + 1).sum();
    let mut out = String::with_capacity(length.saturating_sub(1));
    for (_, name) in names {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(name);
    }
    out
}
