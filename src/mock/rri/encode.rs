//! Answers onto the line, in the form of their request.

use super::decode::Form;
use super::object::{Line, contact_lines, domain_lines};
use crate::model::{Contact, Domain, KeyData, Queue};
use crate::protocol::ns::Ns;
use crate::protocol::writer::XmlWriter;

/// One message of an answer.
pub(super) struct Message {
    /// `info`, `warning` or `error`.
    pub(super) level: &'static str,
    pub(super) code: u64,
    pub(super) text: String,
    pub(super) argument: Option<String>,
}

/// What an answer holds.
pub(super) enum Data {
    None,
    Contact(Box<Contact>),
    Domain(Box<Domain>, Vec<KeyData>),
    /// Whether an object is there: its kind's prefix, its id and the word.
    Check(&'static str, String, &'static str),
    Queue(Queue),
}

/// An answer.
pub(super) struct Reply<'a> {
    pub(super) stid: &'a str,
    pub(super) ctid: Option<&'a str>,
    pub(super) messages: &'a [Message],
    pub(super) data: &'a Data,
}

/// Appends an answer.
pub(super) fn reply(out: &mut Vec<u8>, form: Form, reply: &Reply<'_>) {
    let result = if reply.messages.iter().any(|m| m.level == "error") { "failed" } else { "success" };
    match form {
        Form::Xml => xml(out, reply, result),
        Form::KeyValue => key_value(out, reply, result),
    }
}

fn xml(out: &mut Vec<u8>, reply: &Reply<'_>, result: &str) {
    let mut w = XmlWriter::new(out);
    w.declaration();
    let spaces = [
        ("xmlns", Ns::RRI.uri()),
        ("xmlns:tr", Ns::RRI_TRANSACTION.uri()),
        ("xmlns:contact", Ns::RRI_CONTACT.uri()),
        ("xmlns:domain", Ns::RRI_DOMAIN.uri()),
        ("xmlns:dnsentry", Ns::RRI_DNS_ENTRY.uri()),
        ("xmlns:msg", Ns::RRI_MSG.uri()),
        ("xmlns:verification", Ns::RRI_VERIFICATION.uri()),
        ("xmlns:xsi", Ns::XSI.uri()),
    ];
    w.element("registry-response", &spaces, |w| {
        w.element("tr:transaction", &[], |w| {
            w.leaf("tr:stid", &[], reply.stid);
            w.optional("tr:ctid", reply.ctid);
            w.leaf("tr:result", &[], result);
            for message in reply.messages {
                let code = format!("{:011}", message.code);
                w.element("tr:message", &[("level", message.level), ("code", &code)], |w| {
                    w.leaf("tr:text", &[], &message.text);
                    w.optional("tr:argument", message.argument.as_deref());
                });
            }
            if !matches!(reply.data, Data::None) {
                w.element("tr:data", &[], |w| data(w, reply.data));
            }
        });
    });
}

fn data(w: &mut XmlWriter<'_>, data: &Data) {
    match data {
        Data::None => {}
        Data::Contact(contact) => w.element("contact:infoData", &[], |w| lines(w, "contact", &contact_lines(contact))),
        Data::Domain(domain, keys) => w.element("domain:infoData", &[], |w| lines(w, "domain", &domain_lines(domain, keys))),
        Data::Check(kind, id, word) => w.element(&format!("{kind}:checkData"), &[], |w| {
            w.leaf(&format!("{kind}:{}", if *kind == "domain" { "ace" } else { "handle" }), &[], id);
            w.leaf(&format!("{kind}:status"), &[], word);
        }),
        Data::Queue(queue) => {
            let text = |value: &Option<Box<str>>| value.as_deref().unwrap_or_default().to_owned();
            let (id, kind) = (text(&queue.id), text(&queue.msg));
            let time = queue.date.as_ref().map(|d| d.raw.to_string()).unwrap_or_default();
            w.element("msg:message", &[("msgid", &id), ("msgtime", &time), ("msgtype", "notice")], |w| w.leaf("msg:text", &[], &kind));
        }
    }
}

fn lines(w: &mut XmlWriter<'_>, prefix: &str, all: &[Line]) {
    let is_postal = |line: &&Line| matches!(line, Line::Field("Address" | "PostalCode" | "City" | "CountryCode", ..));
    let mut rest = all;
    while let Some((line, behind)) = rest.split_first() {
        let postal = rest.iter().take_while(is_postal).count();
        if let Some((postal, behind)) = rest.split_at_checked(postal).filter(|(postal, _)| !postal.is_empty()) {
            w.element("contact:postal", &[], |w| {
                for line in postal {
                    if let Line::Field(_, element, value) = line {
                        w.leaf(&format!("contact:{element}"), &[], value);
                    }
                }
            });
            rest = behind;
            continue;
        }
        rest = behind;
        match line {
            Line::Field(_, element, value) => w.leaf(&format!("{prefix}:{element}"), &[], value),
            Line::Role(_, role, value) => w.leaf("domain:contact", &[("role", role)], value),
            Line::Entry(_, owner, kind, parts, _) => {
                w.element("dnsentry:dnsentry", &[("xsi:type", &format!("dnsentry:{kind}"))], |w| {
                    w.leaf("dnsentry:owner", &[], owner);
                    w.element("dnsentry:rdata", &[], |w| {
                        for (element, value) in parts {
                            w.leaf(&format!("dnsentry:{element}"), &[], value);
                        }
                    });
                });
            }
            Line::Part(fields) => w.element("verification:verificationInformation", &[], |w| {
                for (_, element, value) in fields {
                    w.leaf(&format!("verification:{element}"), &[], value);
                }
            }),
        }
    }
}

fn key_value(out: &mut Vec<u8>, reply: &Reply<'_>, result: &str) {
    let mut text = format!("RESULT: {result}\nSTID: {}\n", reply.stid);
    if let Some(ctid) = reply.ctid {
        text.push_str(&format!("CTID: {ctid}\n"));
    }
    for message in reply.messages {
        let argument = message.argument.as_ref().map(|a| format!(" ({a})")).unwrap_or_default();
        text.push_str(&format!("{}: {:011} {}{argument}\n", message.level.to_ascii_uppercase(), message.code, message.text));
    }
    let (section, all) = match reply.data {
        Data::None => ("", Vec::new()),
        Data::Contact(contact) => ("Contact", contact_lines(contact)),
        Data::Domain(domain, keys) => ("Domain", domain_lines(domain, keys)),
        Data::Check(kind, id, word) => {
            let keyword = if *kind == "domain" { "Domain-Ace" } else { "Handle" };
            ("Check", vec![Line::Field(keyword, "", id.clone()), Line::Field("Status", "", (*word).to_owned())])
        }
        Data::Queue(queue) => {
            let text = |value: &Option<Box<str>>| value.as_deref().unwrap_or_default().to_owned();
            let time = queue.date.as_ref().map(|d| d.raw.to_string()).unwrap_or_default();
            let all = [("MsgId", text(&queue.id)), ("MsgTime", time), ("MsgType", "notice".to_owned()), ("Text", text(&queue.msg))];
            ("Message", all.into_iter().map(|(keyword, value)| Line::Field(keyword, "", value)).collect())
        }
    };
    if !all.is_empty() {
        text.push_str(&format!("\n[{section}]\n"));
    }
    for line in &all {
        match line {
            Line::Field(keyword, _, value) | Line::Role(keyword, _, value) | Line::Entry(keyword, _, _, _, value) => {
                text.push_str(&format!("{keyword}: {value}\n"));
            }
            Line::Part(fields) => {
                text.push_str("\n[VerificationInformation]\n");
                for (keyword, _, value) in fields {
                    text.push_str(&format!("{keyword}: {value}\n"));
                }
            }
        }
    }
    out.extend_from_slice(text.as_bytes());
}
