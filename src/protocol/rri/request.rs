//! Requests: what a command of ours is at this registry.

use super::sheet::{Sheet, refused};
use super::word::{Key, Kind};
use super::{change, contact, domain, kv, xml};
use crate::base::{Blame, ClTrid, Exit, Problem, Result};
use crate::model::{Command, Query, RriChange, RriContact, RriDomain, Transform};
use crate::protocol::epp;

/// The most bytes of a request or an answer.
const CAP: usize = 64 * 1024;
/// Characters of our transaction identifier.
const CTID: std::ops::RangeInclusive<usize> = 3..=64;

/// An action as both forms name it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Action {
    /// In the key/value form.
    pub(super) keyword: &'static str,
    /// The element of the XML form.
    pub(super) xml: &'static str,
    /// What it is about.
    pub(super) kind: Option<Kind>,
    /// Whether it changes something: only then a ctid may stand with it.
    changes: bool,
}

const fn action(keyword: &'static str, xml: &'static str, kind: Option<Kind>, changes: bool) -> Action {
    Action { keyword, xml, kind, changes }
}

static LOGIN: Action = action("LOGIN", "login", Some(Kind::Login), false);
static LOGOUT: Action = action("LOGOUT", "logout", None, false);
static CONTACT_CHECK: Action = action("CHECK", "contact:check", Some(Kind::Contact), false);
static CONTACT_INFO: Action = action("INFO", "contact:info", Some(Kind::Contact), false);
static CONTACT_CREATE: Action = action("CREATE", "contact:create", Some(Kind::Contact), true);
static CONTACT_UPDATE: Action = action("UPDATE", "contact:update", Some(Kind::Contact), true);
static DOMAIN_CHECK: Action = action("CHECK", "domain:check", Some(Kind::Domain), false);
static DOMAIN_INFO: Action = action("INFO", "domain:info", Some(Kind::Domain), false);
static DOMAIN_UPDATE: Action = action("UPDATE", "domain:update", Some(Kind::Domain), true);
static AUTH_CREATE: Action = action("CREATE-AUTHINFO1", "domain:createAuthInfo1", Some(Kind::Domain), true);
static AUTH_DELETE: Action = action("DELETE-AUTHINFO1", "domain:deleteAuthInfo1", Some(Kind::Domain), true);
static QUEUE_READ: Action = action("QUEUE-READ", "msg:queue-read", Some(Kind::Message), false);
static QUEUE_DELETE: Action = action("QUEUE-DELETE", "msg:delete", Some(Kind::Message), true);

/// A request, before it takes either form.
pub(super) struct Request<'a> {
    pub(super) action: &'static Action,
    pub(super) ctid: Option<&'a str>,
    pub(super) sheet: Sheet<'a>,
}

/// Appends the XML document of `command`, without a length header. A ctid stands only with a command that changes something.
///
/// # Errors
/// What the registry would refuse, what it has no word for, and what would delete a value by leaving it out; `out` is then as it was.
pub fn encode(command: &Command, cl_trid: Option<&ClTrid>, out: &mut Vec<u8>) -> Result<()> {
    let own = created(command)?;
    let request = request(own.as_ref().unwrap_or(command), cl_trid)?;
    let start = out.len();
    let illegal = xml::write(&request, out);
    let refused = match illegal {
        Some(c) => Some(refused(request.action.xml, format!("holds U+{:04X}, which no XML document can carry", u32::from(c)))),
        None => too_long(out.len().saturating_sub(start)),
    };
    refused.map_or(Ok(()), |problem| {
        out.truncate(start);
        Err(problem)
    })
}

/// Appends the key/value form of `command`, without a length header.
///
/// # Errors
/// As [`encode`].
pub fn encode_key_value(command: &Command, cl_trid: Option<&ClTrid>, out: &mut Vec<u8>) -> Result<()> {
    let own = created(command)?;
    let text = kv::write(&request(own.as_ref().unwrap_or(command), cl_trid)?);
    too_long(text.len()).map_or(Ok(()), Err)?;
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// The creation of a contact in the registry's own terms, where `command` is one in those that all share.
fn created(command: &Command) -> Result<Option<Command>> {
    let Command::Transform(transform) = command else { return Ok(None) };
    let Transform::ContactCreate(contact) = &**transform else { return Ok(None) };
    let new = change::created(contact).map_err(|problem| problem.object(contact.id.as_str()))?;
    Ok(Some(Command::Transform(Box::new(Transform::Rri(Box::new(RriChange::ContactCreate(new)))))))
}

fn too_long(bytes: usize) -> Option<Box<Problem>> {
    (bytes > CAP).then(|| {
        let what = format!("the request has {bytes} bytes, the registry takes {CAP}");
        Problem::new("E-rri-004", Blame::Input, what, "shorten the object's values, or give fewer of them")
    })
}

/// What `command` is.
fn request<'a>(command: &'a Command, cl_trid: Option<&'a ClTrid>) -> Result<Request<'a>> {
    let (action, sheet) = match command {
        Command::Login(login) => {
            if login.new_password.is_some() {
                return Err(no_word("changes the password at a login", "change it with the registry, then set the new one"));
            }
            let mut sheet = Sheet::new(Kind::Login);
            sheet.put(Key::User, &*login.client);
            sheet.put(Key::Password, login.password.reveal());
            sheet.check().map_err(|problem| problem.exit(Exit::Usage))?;
            (&LOGIN, sheet)
        }
        Command::Logout => (&LOGOUT, Sheet::new(Kind::Login)),
        Command::PollRequest => (&QUEUE_READ, Sheet::new(Kind::Message)),
        Command::PollAck { id } => {
            let mut sheet = Sheet::new(Kind::Message);
            sheet.put(Key::MsgId, &**id);
            sheet.check()?;
            (&QUEUE_DELETE, sheet)
        }
        Command::Query(query) => query_request(query)?,
        Command::Transform(transform) => match &**transform {
            Transform::Rri(change) => change_request(change)?,
            _ => return Err(no_word("changes a part of an object", "read the object, and replace it as a whole")),
        },
        Command::Hello => return Err(no_word("asks for a greeting", "read the queue in order to keep a session alive")),
    };
    let ctid = cl_trid.map(ClTrid::as_str).filter(|_| action.changes);
    if ctid.is_some_and(|id| !CTID.contains(&id.chars().count()) || id.chars().any(char::is_control)) {
        return Err(refused("ctid", format!("is not {} to {} visible characters", CTID.start(), CTID.end())));
    }
    Ok(Request { action, ctid, sheet })
}

/// The protocol has no such command.
fn no_word(what: &str, remedy: &str) -> Box<Problem> {
    Problem::new("E-rri-005", Blame::Us, format!("RRI has no command that {what}"), remedy)
}

fn query_request(query: &Query) -> Result<(&'static Action, Sheet<'_>)> {
    let (action, kind) = match query {
        Query::ContactCheck(_) => (&CONTACT_CHECK, Kind::Contact),
        Query::ContactInfo { .. } => (&CONTACT_INFO, Kind::Contact),
        Query::DomainCheck(_) => (&DOMAIN_CHECK, Kind::Domain),
        Query::DomainInfo { .. } => (&DOMAIN_INFO, Kind::Domain),
        Query::ContactTransfer { .. }
        | Query::DomainContacts { .. }
        | Query::DomainTransfer { .. }
        | Query::HostInfo(_)
        | Query::HitPoints => {
            return Err(no_word("asks for a transfer, a host or points", "leave the question out for this registry"));
        }
    };
    let mut sheet = Sheet::new(kind);
    match query {
        Query::ContactCheck(ids) => match ids.as_slice() {
            [id] => contact::put_handle(&mut sheet, id)?,
            _ => return Err(no_word("checks other than one handle", "set the names per check to 1")),
        },
        Query::ContactInfo { id, .. } => contact::put_handle(&mut sheet, id)?,
        Query::DomainCheck(names) => match names.as_slice() {
            [name] => domain::put_name(&mut sheet, name)?,
            _ => return Err(no_word("checks other than one name", "set the names per check to 1")),
        },
        Query::DomainInfo { name, .. } => domain::put_name(&mut sheet, name)?,
        Query::ContactTransfer { .. }
        | Query::DomainContacts { .. }
        | Query::DomainTransfer { .. }
        | Query::HostInfo(_)
        | Query::HitPoints => {}
    }
    Ok((action, sheet))
}

fn change_request(change: &RriChange) -> Result<(&'static Action, Sheet<'_>)> {
    Ok(match change {
        RriChange::ContactCreate(new) => (&CONTACT_CREATE, contact::write(new)?),
        RriChange::ContactUpdate { was, to, drop } => (&CONTACT_UPDATE, contact_update(was, to, drop)?),
        RriChange::DomainUpdate { was, to, drop } => (&DOMAIN_UPDATE, domain_update(was, to, drop)?),
        RriChange::AuthInfo1Create { name, hash, expires } => {
            let mut sheet = Sheet::new(Kind::Domain);
            if hash.reveal().len() != 64 || !hash.reveal().bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(refused("AuthInfoHash", "is not SHA-256 in 64 hexadecimal digits").object(name.as_str()));
            }
            if expires.len() != 8 || !expires.bytes().all(|b| b.is_ascii_digit()) {
                return Err(refused("AuthInfoExpire", "is no date YYYYMMDD").object(name.as_str()));
            }
            sheet.put(Key::AuthHash, hash.reveal());
            sheet.put(Key::AuthExpire, &**expires);
            domain::put_name(&mut sheet, name)?;
            (&AUTH_CREATE, sheet)
        }
        RriChange::AuthInfo1Delete(name) => {
            let mut sheet = Sheet::new(Kind::Domain);
            domain::put_name(&mut sheet, name)?;
            (&AUTH_DELETE, sheet)
        }
    })
}

fn contact_update<'a>(was: &RriContact, to: &'a RriContact, drop: &[Box<str>]) -> Result<Sheet<'a>> {
    if !was.handle.as_str().eq_ignore_ascii_case(to.handle.as_str()) {
        return Err(refused("Handle", "is another one than that of the contact to replace").object(was.handle.as_str()));
    }
    whole_is_known(&was.unread).map_err(|problem| problem.object(was.handle.as_str()))?;
    let sheet = contact::write(to)?;
    sheet.keeps(&contact::old(was), drop).map_err(|problem| problem.object(was.handle.as_str()))?;
    Ok(sheet)
}

fn domain_update<'a>(was: &RriDomain, to: &'a RriDomain, drop: &[Box<str>]) -> Result<Sheet<'a>> {
    if was.name != to.name {
        return Err(refused("Domain", "is another one than that of the domain to replace").object(was.name.as_str()));
    }
    whole_is_known(&was.unread).map_err(|problem| problem.object(was.name.as_str()))?;
    let sheet = domain::write(to)?;
    sheet.keeps(&domain::old(was), drop).map_err(|problem| problem.object(was.name.as_str()))?;
    Ok(sheet)
}

/// Refuses to replace an object that has fields we do not know: they would be deleted.
fn whole_is_known(unread: &[Box<str>]) -> Result<()> {
    if unread.is_empty() {
        return Ok(());
    }
    let what = format!("an update replaces the whole object, and would delete what is not understood of it: {}", unread.join(", "));
    Err(Problem::new("E-rri-006", Blame::Registry, what, "change this object with the registry's own tools"))
}

/// The command's name in the evidence.
#[must_use]
pub const fn command_name(command: &Command) -> &'static str {
    if let Command::Transform(transform) = command
        && let Transform::Rri(change) = &**transform
    {
        return match &**change {
            RriChange::ContactCreate(_) => "contact:create",
            RriChange::ContactUpdate { .. } => "contact:update",
            RriChange::DomainUpdate { .. } => "domain:update",
            RriChange::AuthInfo1Create { .. } => "domain:authinfo1:create",
            RriChange::AuthInfo1Delete(_) => "domain:authinfo1:delete",
        };
    }
    epp::command_name(command)
}
