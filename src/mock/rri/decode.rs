//! Requests off the line, in either form, as one flat order: an action, fields by their keywords, verifications and a ctid.

use crate::protocol::ns::Ns;
use crate::protocol::tape::{Element, Tape};

/// The form of a request; its answer has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Xml,
    KeyValue,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Login,
    Logout,
    ContactCheck,
    ContactInfo,
    ContactCreate,
    ContactUpdate,
    DomainCheck,
    DomainInfo,
    DomainCreate,
    DomainUpdate,
    DomainDelete,
    /// A transfer to the registrar who asks.
    DomainChangeProvider,
    AuthCreate,
    AuthDelete,
    QueueRead,
    QueueDelete,
}

impl Action {
    /// Whether it changes something: only then a ctid may stand with it.
    pub(super) const fn changes(self) -> bool {
        !matches!(
            self,
            Self::Login | Self::Logout | Self::ContactCheck | Self::ContactInfo | Self::DomainCheck | Self::DomainInfo | Self::QueueRead
        )
    }
}

/// Keywords with their values, in the order they came; keywords in lower case without hyphens.
pub(super) type Fields = Vec<(Box<str>, Box<str>)>;

/// A request. It may hold personal data and a password, so that there is no `Debug`.
pub(super) struct Order {
    pub(super) action: Action,
    pub(super) fields: Fields,
    /// Verifications.
    pub(super) parts: Vec<Fields>,
    pub(super) ctid: Option<Box<str>>,
}

impl Order {
    /// The first value of `keyword`.
    pub(super) fn one(&self, keyword: &str) -> Option<&str> {
        self.fields.iter().find(|(k, _)| **k == *keyword).map(|(_, value)| &**value)
    }

    /// Every value of `keyword`.
    pub(super) fn all<'o>(&'o self, keyword: &'o str) -> impl Iterator<Item = &'o str> {
        self.fields.iter().filter(move |(k, _)| **k == *keyword).map(|(_, value)| &**value)
    }
}

/// The form cannot be read.
pub(super) const SYNTAX: u64 = 63_000_000_006;
/// It can, and says something that is not possible.
pub(super) const SEMANTICS: u64 = 63_000_000_007;

/// Reads a frame: its form, and the order or the code of what is wrong with it.
pub(super) fn decode(tape: &mut Tape, frame: &[u8]) -> (Form, Result<Order, u64>) {
    let text = std::str::from_utf8(frame).unwrap_or_default();
    let is_xml = frame.trim_ascii_start().first() == Some(&b'<') || text.starts_with('\u{feff}');
    let order = if is_xml {
        tape.read(frame).map_err(|_| SYNTAX).and_then(|()| xml(tape))
    } else if text.is_empty() {
        Err(SYNTAX)
    } else {
        key_value(text)
    };
    let order = order.and_then(|order| if order.ctid.is_some() && !order.action.changes() { Err(SEMANTICS) } else { Ok(order) });
    (if is_xml { Form::Xml } else { Form::KeyValue }, order)
}

/// A keyword as it is compared.
fn plain(keyword: &str) -> Box<str> {
    keyword.chars().filter(|c| *c != '-').flat_map(char::to_lowercase).collect::<String>().into()
}

fn xml(tape: &Tape) -> Result<Order, u64> {
    let root = tape.root().filter(|root| root.is(Ns::RRI, "registry-request")).ok_or(SYNTAX)?;
    let mut children = root.children();
    let command = children.next().ok_or(SYNTAX)?;
    let mut ctid = None;
    for child in children {
        if !child.is(Ns::RRI, "ctid") || ctid.is_some() {
            return Err(SEMANTICS);
        }
        ctid = Some(child.token().into());
    }
    let action = match (command.ns(), command.local()) {
        (Ns::RRI, "login") => Action::Login,
        (Ns::RRI, "logout") => Action::Logout,
        (Ns::RRI_CONTACT, "check") => Action::ContactCheck,
        (Ns::RRI_CONTACT, "info") => Action::ContactInfo,
        (Ns::RRI_CONTACT, "create") => Action::ContactCreate,
        (Ns::RRI_CONTACT, "update") => Action::ContactUpdate,
        (Ns::RRI_DOMAIN, "check") => Action::DomainCheck,
        (Ns::RRI_DOMAIN, "info") => Action::DomainInfo,
        (Ns::RRI_DOMAIN, "create") => Action::DomainCreate,
        (Ns::RRI_DOMAIN, "update") => Action::DomainUpdate,
        (Ns::RRI_DOMAIN, "delete") => Action::DomainDelete,
        (Ns::RRI_DOMAIN, "chprov") => Action::DomainChangeProvider,
        (Ns::RRI_DOMAIN, "createAuthInfo1") => Action::AuthCreate,
        (Ns::RRI_DOMAIN, "deleteAuthInfo1") => Action::AuthDelete,
        (Ns::RRI_MSG, "queue-read") => Action::QueueRead,
        (Ns::RRI_MSG, "delete") => Action::QueueDelete,
        _ => return Err(SEMANTICS),
    };
    let mut order = Order { action, fields: Vec::new(), parts: Vec::new(), ctid };
    for (attribute, keyword) in [("hash", "authinfohash"), ("expire", "authinfoexpire"), ("msgid", "msgid")] {
        order.fields.extend(command.attr(attribute).map(|value| (keyword.into(), value.into())));
    }
    let mut last = 0;
    for child in command.children() {
        // The order of elements matters to the registry, and so does an element it does not know.
        let place = place(child).ok_or(SEMANTICS)?;
        if place < last {
            return Err(SYNTAX);
        }
        last = place;
        field(child, &mut order)?;
    }
    Ok(order)
}

/// Where an element stands among its siblings.
fn place(e: Element<'_>) -> Option<usize> {
    const CONTACT: [&str; 8] = ["handle", "type", "name", "organisation", "postal", "email", "phone", "uri-template"];
    const DOMAIN: [&str; 3] = ["handle", "ace", "contact"];
    match e.ns() {
        Ns::RRI if matches!(e.local(), "user" | "password") => Some(usize::from(e.local() == "password")),
        Ns::RRI_CONTACT => CONTACT.iter().position(|local| *local == e.local()),
        Ns::RRI_VERIFICATION if e.local() == "verificationInformation" => Some(CONTACT.len()),
        Ns::RRI_DOMAIN if e.local() == "authInfo" => Some(DOMAIN.len() + 1),
        Ns::RRI_DOMAIN => DOMAIN.iter().position(|local| *local == e.local()),
        Ns::RRI_DNS_ENTRY if e.local() == "dnsentry" => Some(DOMAIN.len()),
        _ => None,
    }
}

/// Adds what an element says.
fn field(e: Element<'_>, order: &mut Order) -> Result<(), u64> {
    let mut put = |keyword: &str, value: String| order.fields.push((plain(keyword), value.into()));
    match (e.ns(), e.local()) {
        (Ns::RRI_CONTACT, "postal") => {
            for line in e.children() {
                if !line.is(Ns::RRI_CONTACT, line.local()) || !matches!(line.local(), "address" | "postalCode" | "city" | "countryCode") {
                    return Err(SEMANTICS);
                }
                put(line.local(), line.text().into_owned());
            }
        }
        (Ns::RRI_VERIFICATION, _) => {
            order.parts.push(e.children().map(|c| (plain(c.local()), c.text().into_owned().into())).collect());
        }
        (Ns::RRI_DOMAIN, "handle") => put("domain", e.token().into_owned()),
        (Ns::RRI_DOMAIN, "ace") => put("domainace", e.token().into_owned()),
        (Ns::RRI_DOMAIN, "contact") => put(e.attr("role").ok_or(SEMANTICS)?, e.token().into_owned()),
        (Ns::RRI_DNS_ENTRY, _) => {
            let (keyword, value) = entry(e).ok_or(SEMANTICS)?;
            put(keyword, value);
        }
        _ => put(e.local(), e.text().into_owned()),
    }
    Ok(())
}

/// A name server, a key or a record as the line that the other form has for it.
fn entry(e: Element<'_>) -> Option<(&'static str, String)> {
    let owner = e.child(Ns::RRI_DNS_ENTRY, "owner")?.token().into_owned();
    let data = e.child(Ns::RRI_DNS_ENTRY, "rdata")?;
    let part = |name: &str| data.child(Ns::RRI_DNS_ENTRY, name).map(|c| c.token().into_owned());
    if let Some(server) = part("nameserver") {
        let addresses = data.children().filter(|c| c.local() == "address").map(|c| c.token().into_owned());
        return Some(("nserver", std::iter::once(server).chain(addresses).collect::<Vec<_>>().join(" ")));
    }
    if let Some(exchange) = part("exchange") {
        return Some(("nsentry", format!("{owner} IN MX {} {exchange}", part("preference")?)));
    }
    if let Some(address) = part("address") {
        let kind = if address.contains(':') { "AAAA" } else { "A" };
        return Some(("nsentry", format!("{owner} IN {kind} {address}")));
    }
    let parts = ["flags", "protocol", "algorithm", "publicKey"].map(part);
    let parts: Option<Vec<String>> = parts.into_iter().collect();
    Some(("dnskey", format!("{owner} {}", parts?.join(" "))))
}

/// Lines `Keyword: value`; unknown keywords are ignored.
fn key_value(text: &str) -> Result<Order, u64> {
    let (mut fields, mut parts) = (Fields::new(), Vec::<Fields>::new());
    let mut is_part = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(section) = line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_part = &*plain(section) == "verificationinformation";
            if !is_part {
                return Err(SEMANTICS);
            }
            parts.push(Fields::new());
            continue;
        }
        let (keyword, value) = line.split_once(':').ok_or(SYNTAX)?;
        let is_word = !keyword.is_empty() && keyword.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_word || !(value.is_empty() || value.starts_with([' ', '\t'])) {
            return Err(SYNTAX);
        }
        let pair = (plain(keyword), value.trim().into());
        match parts.last_mut().filter(|_| is_part) {
            Some(part) => part.push(pair),
            None => fields.push(pair),
        }
    }
    let mut take = |keyword: &str| {
        let at = fields.iter().position(|(k, _)| **k == *keyword)?;
        Some(fields.remove(at).1)
    };
    let (_version, action, ctid) = (take("version"), take("action").ok_or(SYNTAX)?, take("ctid"));
    let is_domain = fields.iter().any(|(k, _)| matches!(&**k, "domain" | "domainace"));
    let action = match (action.to_ascii_uppercase().as_str(), is_domain) {
        ("LOGIN", _) => Action::Login,
        ("LOGOUT", _) => Action::Logout,
        ("CHECK", false) => Action::ContactCheck,
        ("CHECK", true) => Action::DomainCheck,
        ("INFO", false) => Action::ContactInfo,
        ("INFO", true) => Action::DomainInfo,
        ("CREATE", false) => Action::ContactCreate,
        ("UPDATE", false) => Action::ContactUpdate,
        ("CREATE", true) => Action::DomainCreate,
        ("UPDATE", true) => Action::DomainUpdate,
        ("DELETE", true) => Action::DomainDelete,
        ("CHPROV", true) => Action::DomainChangeProvider,
        ("CREATE-AUTHINFO1", true) => Action::AuthCreate,
        ("DELETE-AUTHINFO1", true) => Action::AuthDelete,
        ("QUEUE-READ", _) => Action::QueueRead,
        ("QUEUE-DELETE", _) => Action::QueueDelete,
        _ => return Err(SEMANTICS),
    };
    Ok(Order { action, fields, parts, ctid })
}
