//! Commands out of frames, as strictly as the schemas: names, order, lengths and enumerations.

mod contact;
mod domain;
mod ext;

use crate::base::{DomainName, HostName, Secret};
use crate::model::{AuthInfo, Command, HostsFilter, Login, LoginSecurity, Period, Query, Status, StatusValue, Transform};
use crate::policy::Profile;
use crate::protocol::ns::Ns;
use crate::protocol::tape::{Element, Tape};
use std::borrow::Cow;
use std::iter::Peekable;

/// A command as it arrived.
pub(super) struct Request {
    /// What is asked for.
    pub(super) order: Order,
    /// The client's transaction identifier.
    pub(super) cl_trid: Option<Box<str>>,
    /// The extension that carries a part of it, which the login must have named.
    pub(super) extension: Option<Ns>,
}

/// What is asked for.
pub(super) enum Order {
    /// Something that a client of ours can say as well.
    Command(Command),
    /// Something about the transfer of a domain.
    Transfer(TransferOrder),
}

/// A `transfer` of a domain (RFC 5731 §3.1.3, §3.2.4).
pub(super) struct TransferOrder {
    /// What is to become of it.
    pub(super) op: TransferOp,
    /// The domain.
    pub(super) name: DomainName,
    /// By how much its registration grows thereby.
    pub(super) period: Option<Period>,
    /// Its authorisation information.
    pub(super) auth: Option<AuthInfo>,
}

/// What is to become of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransferOp {
    Query,
    Request,
    Approve,
    Reject,
    Cancel,
}

/// Why a command is refused.
pub(super) struct Refusal {
    /// The result code.
    pub(super) code: u16,
    /// The element at fault, where there is one.
    pub(super) offender: Option<Offender>,
    /// What is wrong with it.
    pub(super) reason: Box<str>,
    /// The registry's own number of the reason, where it has them.
    pub(super) number: Option<u16>,
}

/// An element that a refusal quotes.
pub(super) struct Offender {
    /// Its namespace.
    pub(super) uri: Box<str>,
    /// Its local name, one of the schema's.
    pub(super) name: Cow<'static, str>,
    /// Its text.
    pub(super) text: Box<str>,
}

/// A frame that holds no command we can carry out.
pub(super) struct Refused {
    /// Why.
    pub(super) refusal: Refusal,
    /// The client's transaction identifier, as far as it could be read.
    pub(super) cl_trid: Option<Box<str>>,
    /// Whether it is to be told to whoever has not logged in: the syntax is wrong, or it is a login.
    pub(super) before_login: bool,
}

type Read<T> = Result<T, Refusal>;

impl Refusal {
    /// A refusal that quotes nothing.
    pub(super) fn new(code: u16, reason: impl Into<Box<str>>) -> Self {
        Self { code, offender: None, reason: reason.into(), number: None }
    }

    /// A refusal that quotes the value `text` of the element `name`.
    pub(super) fn quoting(code: u16, ns: Ns, name: impl Into<Cow<'static, str>>, text: &str, reason: &str) -> Self {
        Self {
            code,
            offender: Some(Offender { uri: ns.uri().into(), name: name.into(), text: text.into() }),
            reason: reason.into(),
            number: None,
        }
    }

    /// The same refusal with the number that `profile` gives its reason: the first of its code that says the same as the result `like`.
    pub(super) fn numbered(mut self, profile: &Profile, like: u16) -> Self {
        let numbers = profile.codes.iter().filter_map(|(key, rule)| {
            let (code, number) = key.split_once('/')?;
            (code.parse() == Ok(self.code) && rule.value.like.unwrap_or(self.code) == like).then(|| number.parse().ok())?
        });
        self.number = self.number.or(numbers.min());
        self
    }
}

/// Reads the command that `tape` holds.
///
/// # Errors
/// [`Refused`], with the result code to answer.
pub(super) fn decode(tape: &Tape) -> Result<Request, Refused> {
    let syntax = |reason: &str| Refused { refusal: Refusal::new(2001, reason), cl_trid: None, before_login: true };
    let root = tape.root().filter(|r| r.is(Ns::EPP, "epp")).ok_or_else(|| syntax("the root element is not epp"))?;
    let mut kids = Kids::of(root);
    let Some(only) = kids.any() else { return Err(syntax("the epp element is empty")) };
    kids.end().map_err(|refusal| Refused { refusal, cl_trid: None, before_login: true })?;
    if only.is(Ns::EPP, "hello") {
        return Ok(Request { order: Order::Command(Command::Hello), cl_trid: None, extension: None });
    }
    if !only.is(Ns::EPP, "command") {
        return Err(syntax("neither a hello nor a command"));
    }
    let cl_trid = only.child(Ns::EPP, "clTRID").map(Element::token);
    let fits = cl_trid.as_deref().is_none_or(|t| (3..=64).contains(&t.chars().count()));
    let told = if fits { cl_trid.as_deref().map(Into::into) } else { None };
    let is_login = only.children().next().is_some_and(|verb| verb.local() == "login");
    let read = if fits { verb(only) } else { Err(Refusal::new(2005, "clTRID takes 3 to 64 characters")) };
    match read {
        Ok((order, extension)) => Ok(Request { order, cl_trid: told, extension }),
        Err(refusal) => {
            let before_login = is_login || matches!(refusal.code, 2000 | 2001);
            Err(Refused { refusal, cl_trid: told, before_login })
        }
    }
}

/// Reads what stands in a command: the verb, an extension and which one it is, the transaction identifier.
fn verb(command: Element<'_>) -> Read<(Order, Option<Ns>)> {
    let mut kids = Kids::of(command);
    let verb = kids.any().ok_or_else(|| Refusal::new(2003, "the command is empty"))?;
    let extension = kids.take(Ns::EPP, "extension");
    let _read_before = kids.take(Ns::EPP, "clTRID");
    kids.end()?;
    if verb.ns() != Ns::EPP {
        return Err(Refusal::new(2001, "the command is not in EPP's namespace"));
    }
    let mut more = extension.map(Kids::of);
    let mut carrier = None;
    let order = match verb.local() {
        "transfer" => Order::Transfer(transfer(verb)?),
        _ => Order::Command(object_command(verb, &mut more, &mut carrier)?),
    };
    no_more(more)?;
    Ok((order, carrier))
}

/// Reads a command that is no transfer; a part of it that stands in an extension is taken out of `more`.
fn object_command<'t, I: Iterator<Item = Element<'t>>>(
    verb: Element<'t>,
    more: &mut Option<Kids<I>>,
    carrier: &mut Option<Ns>,
) -> Read<Command> {
    match verb.local() {
        "login" => login(verb, more.as_mut().and_then(|kids| kids.take(Ns::LOGIN_SEC, "loginSec"))),
        "logout" => Ok(Command::Logout),
        "poll" => poll(verb),
        "check" | "info" | "create" | "update" | "delete" | "renew" => {
            let object = only_child(verb)?;
            match (object.ns(), verb.local()) {
                (Ns::CONTACT, "check") => contact::check(object).map(Command::Query),
                (Ns::CONTACT, "info") => contact::info(object).map(Command::Query),
                (Ns::CONTACT, "delete") => Ok(transform(Transform::ContactDelete(contact::delete(object)?))),
                (Ns::CONTACT, "create") => {
                    let mut contact = contact::create(object)?;
                    if let Some((ns, [properties, _])) = more.as_mut().map(|kids| ext::of_contact(kids, true)).transpose()?.flatten() {
                        (*carrier, contact.properties) = (Some(ns), properties);
                    }
                    Ok(transform(Transform::ContactCreate(contact)))
                }
                (Ns::CONTACT, "update") => {
                    let mut update = contact::update(object)?;
                    if let Some((ns, [set, removed])) = more.as_mut().map(|kids| ext::of_contact(kids, false)).transpose()?.flatten() {
                        *carrier = Some(ns);
                        let chg = update.chg.get_or_insert_default();
                        (chg.properties, chg.removed) = (set, removed);
                    }
                    if update.add.is_empty() && update.rem.is_empty() && update.chg.is_none() {
                        return Err(Refusal::new(2003, "an update adds, removes or changes something"));
                    }
                    Ok(transform(Transform::ContactUpdate(update)))
                }
                (Ns::DOMAIN, "check") => domain::check(object).map(Command::Query),
                (Ns::EURID_HIT_POINTS, "info") => {
                    named(object, "info")?;
                    Kids::of(object).end()?;
                    Ok(Command::Query(Query::HitPoints))
                }
                (Ns::DOMAIN, "info") => {
                    let query = domain_info(object)?;
                    if let Query::DomainInfo { name, .. } = &query
                        && let Some(order) = more.as_mut().map(ext::auth_code).transpose()?.flatten()
                    {
                        *carrier = Some(Ns::EURID_AUTH_INFO);
                        return Ok(transform(Transform::DomainAuthCode { name: name.clone(), order }));
                    }
                    match (query, more.as_mut().map(ext::contacts_wanted).transpose()?.flatten()) {
                        (Query::DomainInfo { name, .. }, Some(which)) => {
                            *carrier = Some(Ns::EXTDOM);
                            Ok(Command::Query(Query::DomainContacts { name, which }))
                        }
                        (query, _) => Ok(Command::Query(query)),
                    }
                }
                (Ns::DOMAIN, "create") => {
                    let sec_dns = more.as_mut().and_then(|kids| kids.take(Ns::SEC_DNS, "create"));
                    Ok(transform(Transform::DomainCreate(domain::create(object, sec_dns)?)))
                }
                (Ns::DOMAIN, "delete") => Ok(transform(Transform::DomainDelete(domain::delete(object)?))),
                (Ns::DOMAIN, "renew") => Ok(transform(domain::renew(object)?)),
                (Ns::DOMAIN, "update") => {
                    let further = more.as_mut().map(ext::of_domain).transpose()?.flatten();
                    let sec_dns = more.as_mut().and_then(|kids| kids.take(Ns::SEC_DNS, "update"));
                    let mut update = domain::update(object, sec_dns)?;
                    if let Some((ns, [add, rem])) = further {
                        *carrier = Some(ns);
                        update.add.contacts.extend(add);
                        update.rem.contacts.extend(rem);
                    }
                    let changes = update.registrant.is_some() || update.auth.is_some() || !update.ds.is_empty();
                    if update.add.is_empty() && update.rem.is_empty() && !changes {
                        return Err(Refusal::new(2003, "an update adds, removes or changes something"));
                    }
                    Ok(transform(Transform::DomainUpdate(update)))
                }
                (Ns::HOST, "info") => host_info(object).map(Command::Query),
                (Ns::CONTACT, "renew") => Err(Refusal::new(2101, "contacts do not expire")),
                (Ns::HOST, _) => Err(Refusal::new(2101, "hosts are only looked at here")),
                _ => Err(Refusal::new(2307, "no such object service")),
            }
        }
        _ => Err(Refusal::new(2000, "unknown command")),
    }
}

/// Reads a `transfer`.
fn transfer(verb: Element<'_>) -> Read<TransferOrder> {
    let op = match verb.attr("op") {
        Some("query") => TransferOp::Query,
        Some("request") => TransferOp::Request,
        Some("approve") => TransferOp::Approve,
        Some("reject") => TransferOp::Reject,
        Some("cancel") => TransferOp::Cancel,
        Some(_) => return Err(Refusal::new(2004, "op is request, approve, reject, cancel or query")),
        None => return Err(Refusal::new(2003, "op is missing")),
    };
    let object = only_child(verb)?;
    match object.ns() {
        Ns::DOMAIN => domain::transfer(object, op),
        Ns::CONTACT => Err(Refusal::new(2101, "contacts are not transferred here")),
        _ => Err(Refusal::new(2307, "no such object service")),
    }
}

/// Refuses extensions that are left over.
fn no_more<'t, I: Iterator<Item = Element<'t>>>(more: Option<Kids<I>>) -> Read<()> {
    let is_left = more.is_some_and(|mut kids| kids.any().is_some());
    if is_left { Err(Refusal::new(2103, "an extension that this command does not take")) } else { Ok(()) }
}

fn transform(t: Transform) -> Command {
    Command::Transform(Box::new(t))
}

fn login(login: Element<'_>, security: Option<Element<'_>>) -> Read<Command> {
    let mut kids = Kids::of(login);
    let client = kids.text(Ns::EPP, "clID", 3, 16)?;
    let mut password = kids.text(Ns::EPP, "pw", 6, 16)?;
    let mut new_password = kids.text_if(Ns::EPP, "newPW", 6, 16)?;
    let mut options = Kids::of(kids.need(Ns::EPP, "options")?);
    let version = options.text(Ns::EPP, "version", 1, 8)?;
    let lang = options.text(Ns::EPP, "lang", 1, 35)?;
    options.end()?;
    let mut services = Kids::of(kids.need(Ns::EPP, "svcs")?);
    kids.end()?;
    let mut objects = vec![services.text(Ns::EPP, "objURI", 1, 2048)?];
    while let Some(uri) = services.text_if(Ns::EPP, "objURI", 1, 2048)? {
        objects.push(uri);
    }
    let mut extensions = Vec::new();
    if let Some(container) = services.take(Ns::EPP, "svcExtension") {
        let mut uris = Kids::of(container);
        extensions.push(uris.text(Ns::EPP, "extURI", 1, 2048)?);
        while let Some(uri) = uris.text_if(Ns::EPP, "extURI", 1, 2048)? {
            extensions.push(uri);
        }
        uris.end()?;
    }
    services.end()?;
    let mut told = None;
    if let Some(element) = security {
        let mut kids = Kids::of(element);
        if let Some(agent) = kids.take(Ns::LOGIN_SEC, "userAgent") {
            let mut kids = Kids::of(agent);
            let mut word = |name| kids.text_if(Ns::LOGIN_SEC, name, 1, 255).map(Option::unwrap_or_default);
            told = Some(LoginSecurity { app: word("app")?, tech: word("tech")?, os: word("os")? });
            kids.end()?;
        }
        if let Some(long) = kids.text_if(Ns::LOGIN_SEC, "pw", 6, 1024)? {
            password = instead("pw", &password, long)?;
        }
        if let Some(long) = kids.text_if(Ns::LOGIN_SEC, "newPW", 6, 1024)? {
            new_password = Some(instead("newPW", new_password.as_deref().unwrap_or_default(), long)?);
        }
        kids.end()?;
    }
    Ok(Command::Login(Box::new(Login {
        client,
        password: Secret::new(password),
        new_password: new_password.map(Secret::new),
        version,
        lang,
        objects,
        extensions,
        security: told,
    })))
}

/// The password of the login security extension, which counts only where the plain element says so (RFC 8807 §4.1).
fn instead(name: &'static str, plain: &str, long: Box<str>) -> Read<Box<str>> {
    if plain == "[LOGIN-SECURITY]" {
        return Ok(long);
    }
    Err(Refusal::quoting(2306, Ns::EPP, name, "", "with the login security extension this must be [LOGIN-SECURITY]"))
}

fn poll(poll: Element<'_>) -> Read<Command> {
    match (poll.attr("op"), poll.attr("msgID")) {
        (Some("req"), None) => Ok(Command::PollRequest),
        (Some("req"), Some(_)) => Err(Refusal::new(2002, "a request names no message")),
        (Some("ack"), Some(id)) => Ok(Command::PollAck { id: id.into() }),
        (Some("ack"), None) => Err(Refusal::new(2003, "an acknowledgement names its message")),
        (Some(_), _) => Err(Refusal::new(2004, "op is req or ack")),
        (None, _) => Err(Refusal::new(2003, "op is missing")),
    }
}

fn domain_info(info: Element<'_>) -> Read<Query> {
    named(info, "info")?;
    let mut kids = Kids::of(info);
    let element = kids.need(Ns::DOMAIN, "name")?;
    let hosts = match element.attr("hosts") {
        None | Some("all") => HostsFilter::All,
        Some("del") => HostsFilter::Delegated,
        Some("sub") => HostsFilter::Subordinate,
        Some("none") => HostsFilter::None,
        Some(other) => return Err(Refusal::quoting(2004, Ns::DOMAIN, "name", other, "hosts is all, del, sub or none")),
    };
    let name = DomainName::new(bounded(element, Ns::DOMAIN, "name", 1, 255)?.to_ascii_lowercase());
    let auth = kids.take(Ns::DOMAIN, "authInfo").map(|e| auth_info(e, Ns::DOMAIN)).transpose()?;
    kids.end()?;
    Ok(Query::DomainInfo { name, hosts, auth })
}

fn host_info(info: Element<'_>) -> Read<Query> {
    named(info, "info")?;
    let mut kids = Kids::of(info);
    let name = kids.text(Ns::HOST, "name", 1, 255)?;
    kids.end()?;
    Ok(Query::HostInfo(HostName::new(name.to_ascii_lowercase())))
}

/// Reads an `authInfo` of the object `ns`.
fn auth_info(element: Element<'_>, ns: Ns) -> Read<AuthInfo> {
    let only = only_child(element)?;
    if only.is(ns, "pw") {
        let roid = only.attr("roid").map(Into::into);
        return Ok(AuthInfo::Password { pw: Secret::new(only.text().into_owned()), roid });
    }
    if only.is(Ns::DOMAIN, "null") && ns == Ns::DOMAIN {
        return Ok(AuthInfo::Null);
    }
    if only.is(ns, "ext") {
        return Ok(AuthInfo::Extended);
    }
    Err(unexpected(only))
}

/// Reads a status of the object `ns`.
fn status(element: Element<'_>, ns: Ns) -> Read<Status> {
    let Some(value) = element.attr("s") else { return Err(Refusal::quoting(2003, ns, "status", "", "s is missing")) };
    let value = StatusValue::read(value);
    if !value.is_known() {
        return Err(Refusal::quoting(2004, ns, "status", value.as_str(), "no such status"));
    }
    let text = element.token();
    let text = (!text.is_empty()).then(|| text.as_ref().into());
    Ok(Status { value, lang: element.attr("lang").map(Into::into), text })
}

/// Refuses an object element that is not named as its command is.
fn named(element: Element<'_>, name: &str) -> Read<()> {
    if element.local() == name { Ok(()) } else { Err(unexpected(element)) }
}

/// The one child of `element`.
fn only_child(element: Element<'_>) -> Read<Element<'_>> {
    let mut kids = Kids::of(element);
    let only = kids.any().ok_or_else(|| Refusal::new(2003, format!("{} is empty", element.local())))?;
    kids.end()?;
    Ok(only)
}

fn unexpected(element: Element<'_>) -> Refusal {
    Refusal::new(2001, format!("{} is not expected here", element.local()))
}

/// The text of `element`, of `min` to `max` characters.
fn bounded(element: Element<'_>, ns: Ns, name: &'static str, min: usize, max: usize) -> Read<Box<str>> {
    let text = element.token();
    fitting(&text, ns, name, min, max)?;
    Ok(text.as_ref().into())
}

/// Refuses a text that has not `min` to `max` characters.
fn fitting(text: &str, ns: Ns, name: &'static str, min: usize, max: usize) -> Read<()> {
    let length = text.chars().count();
    if length < min && length == 0 {
        return Err(Refusal::quoting(2003, ns, name, "", "it is empty"));
    }
    if (min..=max).contains(&length) {
        return Ok(());
    }
    Err(Refusal::quoting(2005, ns, name, text, &format!("it takes {min} to {max} characters")))
}

/// The children of an element, taken in the schema's order.
struct Kids<I: Iterator> {
    rest: Peekable<I>,
}

impl Kids<std::iter::Empty<Element<'static>>> {
    /// The children of `element`.
    fn of(element: Element<'_>) -> Kids<impl Iterator<Item = Element<'_>>> {
        Kids { rest: element.children().peekable() }
    }
}

impl<'t, I: Iterator<Item = Element<'t>>> Kids<I> {
    /// The next child, whatever it is.
    fn any(&mut self) -> Option<Element<'t>> {
        self.rest.next()
    }

    /// The next child, if it is that one.
    fn take(&mut self, ns: Ns, name: &str) -> Option<Element<'t>> {
        self.rest.next_if(|e| e.is(ns, name))
    }

    /// The next child, which must be that one.
    fn need(&mut self, ns: Ns, name: &'static str) -> Read<Element<'t>> {
        match self.rest.next_if(|e| e.is(ns, name)) {
            Some(found) => Ok(found),
            None => Err(self.rest.peek().map_or_else(|| Refusal::new(2003, format!("{name} is missing")), |e| unexpected(*e))),
        }
    }

    /// The text of the next child, which must be that one, of `min` to `max` characters.
    fn text(&mut self, ns: Ns, name: &'static str, min: usize, max: usize) -> Read<Box<str>> {
        bounded(self.need(ns, name)?, ns, name, min, max)
    }

    /// The text of the next child, if it is that one.
    fn text_if(&mut self, ns: Ns, name: &'static str, min: usize, max: usize) -> Read<Option<Box<str>>> {
        self.take(ns, name).map(|e| bounded(e, ns, name, min, max)).transpose()
    }

    /// Refuses further children.
    fn end(&mut self) -> Read<()> {
        self.rest.next().map_or(Ok(()), |e| Err(unexpected(e)))
    }
}
