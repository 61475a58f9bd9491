//! The XML form: requests by the writer, answers off the tape.

use super::request::Request;
use super::sheet::Sheet;
use super::word::{Key, Kind, Place, Word};
use super::{contact, domain};
use crate::model::RriObject;
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;
use crate::protocol::writer::XmlWriter;

/// The element that holds verifications' fields.
const VERIFICATION: &str = "verification:verificationInformation";

/// Writes the document of a request. The character that XML cannot carry, if there is one; what was written is then of no use.
pub(super) fn write(request: &Request<'_>, out: &mut Vec<u8>) -> Option<char> {
    let mut w = XmlWriter::new(out);
    w.declaration();
    let spaces: &[(&str, &str)] = match request.action.kind {
        Some(Kind::Contact) => &[("xmlns:contact", Ns::RRI_CONTACT.uri()), ("xmlns:verification", Ns::RRI_VERIFICATION.uri())],
        Some(Kind::Domain) => {
            &[("xmlns:domain", Ns::RRI_DOMAIN.uri()), ("xmlns:dnsentry", Ns::RRI_DNS_ENTRY.uri()), ("xmlns:xsi", Ns::XSI.uri())]
        }
        Some(Kind::Message) => &[("xmlns:msg", Ns::RRI_MSG.uri())],
        _ => &[],
    };
    let declared: Vec<(&str, &str)> = std::iter::once(("xmlns", Ns::RRI.uri())).chain(spaces.iter().copied()).collect();
    w.element("registry-request", &declared, |w| {
        let fields = request.sheet.fields.iter();
        let attributes: Vec<(&str, &str)> = fields.filter(|f| f.word.place == Place::Attribute).map(|f| (f.word.xml, &*f.text)).collect();
        if request.sheet.fields.len() == attributes.len() && request.sheet.parts.is_empty() {
            w.empty(request.action.xml, &attributes);
        } else {
            w.element(request.action.xml, &attributes, |w| write_sheet(w, &request.sheet));
        }
        w.optional("ctid", request.ctid);
    });
    w.illegal()
}

/// Writes the children of an object's element.
fn write_sheet(w: &mut XmlWriter<'_>, sheet: &Sheet<'_>) {
    let owner = sheet.fields.iter().find(|f| f.word.key == Key::Ace).map_or("", |f| &f.text);
    let postal: Vec<_> = sheet.fields.iter().filter(|f| f.word.place == Place::Postal).collect();
    let mut is_postal_due = !postal.is_empty();
    for field in &sheet.fields {
        let word = field.word;
        match word.place {
            Place::Child => w.leaf(word.xml, &[], &field.text),
            Place::Role(role) => w.leaf(word.xml, &[("role", role)], &field.text),
            Place::Postal if is_postal_due => {
                is_postal_due = false;
                w.element("contact:postal", &[], |w| postal.iter().for_each(|f| w.leaf(f.word.xml, &[], &f.text)));
            }
            Place::Entry => write_entry(w, word.key, owner, &field.text),
            Place::Postal | Place::Attribute => {}
        }
    }
    for part in &sheet.parts {
        w.element(VERIFICATION, &[], |w| write_sheet(w, part));
    }
}

/// Writes a name server, a key or a record.
fn write_entry(w: &mut XmlWriter<'_>, key: Key, owner: &str, text: &str) {
    let mut words = text.split_ascii_whitespace().filter(|word| key != Key::NsEntry || *word != "IN");
    let own = if key == Key::NameServer { format!("{owner}.") } else { words.next().unwrap_or_default().to_owned() };
    let kind = match key {
        Key::NameServer => "NS",
        Key::NsEntry => words.next().unwrap_or_default(),
        _ => "DNSKEY",
    };
    w.element("dnsentry:dnsentry", &[("xsi:type", &format!("dnsentry:{kind}"))], |w| {
        w.leaf("dnsentry:owner", &[], &own);
        w.element("dnsentry:rdata", &[], |w| match kind {
            "NS" => {
                w.leaf("dnsentry:nameserver", &[], &format!("{}.", words.next().unwrap_or_default()));
                words.for_each(|address| w.leaf("dnsentry:address", &[], address));
            }
            "DNSKEY" => {
                for name in ["dnsentry:flags", "dnsentry:protocol", "dnsentry:algorithm"] {
                    w.leaf(name, &[], words.next().unwrap_or_default());
                }
                w.leaf("dnsentry:publicKey", &[], &words.collect::<String>());
            }
            "MX" => {
                w.leaf("dnsentry:preference", &[], words.next().unwrap_or_default());
                w.leaf("dnsentry:exchange", &[], words.next().unwrap_or_default());
            }
            _ => w.leaf("dnsentry:address", &[], words.next().unwrap_or_default()),
        });
    });
}

/// Reads an object's element. What it puts on the sheet is marked; what has no word stays unknown.
pub(super) fn read_sheet(e: Element<'_>, kind: Kind) -> Sheet<'_> {
    let mut sheet = Sheet::new(kind);
    for word in kind.words().iter().filter(|w| w.place == Place::Attribute) {
        if let Some(text) = e.attr(word.xml) {
            sheet.read(word, text, None);
        }
    }
    read_children(e.seen(), &mut sheet);
    sheet
}

fn read_children<'t>(e: Element<'t>, sheet: &mut Sheet<'t>) {
    for c in e.children() {
        match (c.ns(), c.local()) {
            (Ns::RRI_CONTACT, "postal") if sheet.kind == Kind::Contact => read_children(c.seen(), sheet),
            (Ns::RRI_VERIFICATION, "verificationInformation") => sheet.parts.push(read_sheet(c, Kind::Verification)),
            (Ns::RRI_DNS_ENTRY, "dnsentry") => {
                if let Some((key, text)) = read_entry(c)
                    && let Some(word) = sheet.kind.word(key)
                {
                    sheet.read(word, text, Some(c));
                }
            }
            _ => {
                if let Some(word) = word_of(c, sheet.kind) {
                    sheet.read(word, c.text(), Some(c));
                }
            }
        }
    }
}

/// The word that an element stands for.
fn word_of(c: Element<'_>, kind: Kind) -> Option<&'static Word> {
    let is_role = |role: &str| c.peek("role").is_some_and(|sent| super::word::same(role, sent.trim()));
    let word = kind.words().iter().find(|w| match w.place {
        Place::Child | Place::Postal => c.is(w.ns, w.local()),
        Place::Role(role) => c.is(w.ns, w.local()) && is_role(role),
        Place::Attribute | Place::Entry => false,
    })?;
    if let Place::Role(_) = word.place {
        let _known = c.attr("role");
    }
    Some(word)
}

/// Reads a name server, a key or a record as its line of text. An entry of another kind, or with more in it, stays unknown.
fn read_entry(e: Element<'_>) -> Option<(Key, String)> {
    let find = |of: Element<'_>, name: &str| of.children().find(|c| c.is(Ns::RRI_DNS_ENTRY, name)).map(|c| c.token().into_owned());
    let data = e.children().find(|c| c.is(Ns::RRI_DNS_ENTRY, "rdata"))?;
    let parts = |names: &[&str]| {
        let mut text = find(e, "owner").filter(|owner| !owner.is_empty())?;
        for name in names {
            let part = find(data, name).filter(|part| !part.is_empty())?;
            text.push(' ');
            text.extend(part.split_ascii_whitespace());
        }
        Some(text)
    };
    let record = |kind: &str, names: &[&str]| {
        let text = parts(names)?;
        text.split_once(' ').map(|(owner, rest)| format!("{owner} IN {kind} {rest}"))
    };
    let read = if let Some(server) = find(data, "nameserver") {
        let mut text = server.trim_end_matches('.').to_owned();
        for address in data.children().filter(|c| c.is(Ns::RRI_DNS_ENTRY, "address")) {
            text.push(' ');
            text.push_str(&address.token());
        }
        let _owner = find(e, "owner");
        Some((Key::NameServer, text))
    } else {
        // What stands in it tells the kind, as the tape takes `xsi:type` for no data.
        let address = find(data, "address");
        match (address, find(data, "exchange")) {
            (Some(address), None) => {
                record(if address.contains(':') { "AAAA" } else { "A" }, &["address"]).map(|text| (Key::NsEntry, text))
            }
            (None, Some(_)) => record("MX", &["preference", "exchange"]).map(|text| (Key::NsEntry, text)),
            _ => parts(&["flags", "protocol", "algorithm", "publicKey"]).map(|text| (Key::Dnssec, text)),
        }
    };
    let is_known = |c: Element<'_>| c.knows_text() || c.is(Ns::RRI_DNS_ENTRY, "rdata");
    let _seen = (e.seen(), data.seen());
    if read.is_none() || !e.children().all(is_known) || !data.children().all(is_known) {
        e.forget();
        return None;
    }
    read
}

/// The kind of object an element holds.
pub(super) fn kind_of(e: Element<'_>) -> Option<Kind> {
    match e.ns() {
        Ns::RRI_CONTACT => Some(Kind::Contact),
        Ns::RRI_DOMAIN => Some(Kind::Domain),
        Ns::RRI_MSG => Some(Kind::Message),
        _ => None,
    }
}

/// The whole object of a sheet that was read from `e`, all of which is marked as known thereby.
pub(super) fn object(e: Element<'_>, sheet: &Sheet<'_>) -> Option<RriObject> {
    // What reading the sheet did not mark has no word at all.
    let strange: Vec<Box<str>> = e.take_unknown().into_iter().map(|u| u.path).collect();
    let mut object = whole_of(sheet)?;
    match &mut object {
        RriObject::Contact(contact) => contact.unread.extend(strange),
        RriObject::Domain(domain) => domain.unread.extend(strange),
    }
    Some(object)
}

/// The whole object of a sheet.
pub(super) fn whole_of(sheet: &Sheet<'_>) -> Option<RriObject> {
    let object = match sheet.kind {
        Kind::Contact => contact::whole(sheet).map(|c| RriObject::Contact(Box::new(c))),
        Kind::Domain => domain::whole(sheet).map(|d| RriObject::Domain(Box::new(d))),
        _ => None,
    };
    sheet.give_back();
    object
}
