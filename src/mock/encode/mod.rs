//! Answers as bytes: the greeting, the envelope of RFC 5730 §2.6, and what stands in it.

mod contact;
mod domain;
pub(super) mod ext;
mod notice;

use super::announce::Vendor;
use super::decode::Refusal;
use crate::model::{CheckItem, Host, Queue, Status};
use crate::protocol::ns::Ns;
use crate::protocol::writer::XmlWriter;

pub(super) use contact::{contact_created, contact_data};
pub(super) use domain::{domain_created, domain_data, domain_renewed, pending_data, sec_dns_data, transfer_data};
pub(super) use notice::{is_spoken, notice};

/// What an answer says above its data.
pub(super) struct Head<'a> {
    /// The result code.
    pub(super) code: u16,
    /// Why a command was refused.
    pub(super) refusal: Option<&'a Refusal>,
    /// The message queue.
    pub(super) queue: Option<&'a Queue>,
    /// The client's transaction identifier.
    pub(super) cl_trid: Option<&'a str>,
    /// Ours.
    pub(super) sv_trid: &'a str,
}

/// The data of an answer: what goes into `resData` and into `extension`. Nothing is written where there is none.
pub(super) type Part<'a> = Option<&'a dyn Fn(&mut XmlWriter<'_>)>;

/// Appends an answer to `out`.
pub(super) fn response(out: &mut Vec<u8>, head: &Head<'_>, data: Part<'_>, extension: Part<'_>) {
    document(out, |w| {
        w.element("response", &[], |w| {
            result(w, head.code, head.refusal);
            if let Some(queue) = head.queue {
                message_queue(w, queue);
            }
            if let Some(data) = data {
                w.element("resData", &[], data);
            }
            if let Some(extension) = extension {
                w.element("extension", &[], extension);
            }
            w.element("trID", &[], |w| {
                w.optional("clTRID", head.cl_trid);
                w.leaf("svTRID", &[], head.sv_trid);
            });
        });
    });
}

/// Appends the greeting of RFC 5730 §2.4 to `out`.
pub(super) fn greeting(out: &mut Vec<u8>, server: &str, date: &str, objects: &[String], extensions: &[String]) {
    document(out, |w| {
        w.element("greeting", &[], |w| {
            w.leaf("svID", &[], server);
            w.leaf("svDate", &[], date);
            w.element("svcMenu", &[], |w| {
                w.leaf("version", &[], "1.0");
                w.leaf("lang", &[], "en");
                leaves(w, "objURI", objects);
                if !extensions.is_empty() {
                    w.element("svcExtension", &[], |w| leaves(w, "extURI", extensions));
                }
            });
            w.element("dcp", &[], |w| {
                w.element("access", &[], |w| w.empty("personal", &[]));
                w.element("statement", &[], |w| {
                    for (name, words) in
                        [("purpose", ["admin", "prov"].as_slice()), ("recipient", &["ours", "public"]), ("retention", &["stated"])]
                    {
                        w.element(name, &[], |w| {
                            for word in words {
                                w.empty(word, &[]);
                            }
                        });
                    }
                });
            });
        });
    });
}

fn leaves(w: &mut XmlWriter<'_>, name: &str, texts: &[String]) {
    for text in texts {
        w.leaf(name, &[], text);
    }
}

/// Writes a `chkData` of `object` (`contact`, `domain`), whose items are named by `key`; its truth values in words where the registry
/// spells them so.
pub(super) fn check_data(w: &mut XmlWriter<'_>, ns: Ns, names: &CheckNames, items: &[CheckItem], in_words: bool) {
    let [no, yes] = if in_words { ["false", "true"] } else { ["0", "1"] };
    w.element(names.data, &[(names.xmlns, ns.uri())], |w| {
        for item in items {
            w.element(names.item, &[], |w| {
                w.leaf(names.key, &[("avail", if item.available { yes } else { no })], &item.id);
                w.optional(names.reason, item.reason.as_deref());
            });
        }
    });
}

/// The names in a `chkData`.
pub(super) struct CheckNames {
    xmlns: &'static str,
    data: &'static str,
    item: &'static str,
    key: &'static str,
    reason: &'static str,
}

/// The names in a contact's `chkData`.
pub(super) const CONTACT_CHECK: CheckNames =
    CheckNames { xmlns: "xmlns:contact", data: "contact:chkData", item: "contact:cd", key: "contact:id", reason: "contact:reason" };

/// The names in a domain's `chkData`.
pub(super) const DOMAIN_CHECK: CheckNames =
    CheckNames { xmlns: "xmlns:domain", data: "domain:chkData", item: "domain:cd", key: "domain:name", reason: "domain:reason" };

/// Writes a host's `infData` (RFC 5732 §3.1.2).
pub(super) fn host_data(w: &mut XmlWriter<'_>, host: &Host) {
    w.element("host:infData", &[("xmlns:host", Ns::HOST.uri())], |w| {
        w.leaf("host:name", &[], host.name.as_str());
        w.optional("host:roid", host.roid.as_deref());
        for s in &host.statuses {
            status(w, "host:status", s);
        }
        if host.statuses.is_empty() {
            w.empty("host:status", &[("s", "ok")]);
        }
        for ip in &host.addrs {
            w.leaf("host:addr", &[("ip", domain::ip_version(ip))], &ip.text);
        }
        w.optional("host:clID", host.sponsor.as_deref());
        w.optional("host:crID", host.created_by.as_deref());
        w.optional("host:crDate", host.created.as_ref().map(|d| &*d.raw));
        w.optional("host:upID", host.updated_by.as_deref());
        w.optional("host:upDate", host.updated.as_ref().map(|d| &*d.raw));
        w.optional("host:trDate", host.transferred.as_ref().map(|d| &*d.raw));
    });
}

/// Writes an element of a vendor's own.
pub(super) fn vendor_data(w: &mut XmlWriter<'_>, vendor: &Vendor) {
    w.element(&vendor.name, &[("xmlns", &vendor.uri)], |w| {
        for (name, text) in &vendor.fields {
            w.leaf(name, &[], text);
        }
    });
}

/// Writes a `<result>`.
fn result(w: &mut XmlWriter<'_>, code: u16, refusal: Option<&Refusal>) {
    let mut digits = [0_u8; 5];
    w.element("result", &[("code", decimal(code, &mut digits))], |w| {
        w.leaf("msg", &[], message(code));
        let Some(refusal) = refusal.filter(|r| !r.reason.is_empty()) else { return };
        if let Some(number) = refusal.number {
            return ext::reason(w, refusal, number);
        }
        w.element("extValue", &[], |w| {
            w.element("value", &[], |w| match &refusal.offender {
                Some(bad) => w.leaf(&bad.name, &[("xmlns", &bad.uri)], &bad.text),
                None => w.empty("undef", &[]),
            });
            w.leaf("reason", &[], &refusal.reason);
        });
    });
}

fn message_queue(w: &mut XmlWriter<'_>, queue: &Queue) {
    let count = queue.count.unwrap_or_default().to_string();
    let id = queue.id.as_deref().unwrap_or_default();
    let attributes = [("count", count.as_str()), ("id", id)];
    match &queue.msg {
        Some(msg) => w.element("msgQ", &attributes, |w| {
            w.optional("qDate", queue.date.as_ref().map(|d| &*d.raw));
            w.leaf("msg", &[], msg);
        }),
        None => w.empty("msgQ", &attributes),
    }
}

/// Writes a status under `name`.
fn status(w: &mut XmlWriter<'_>, name: &str, status: &Status) {
    let value = ("s", status.value.as_str());
    match (&status.lang, &status.text) {
        (_, None) => w.empty(name, &[value]),
        (None, Some(text)) => w.leaf(name, &[value], text),
        (Some(lang), Some(text)) => w.leaf(name, &[value, ("lang", lang)], text),
    }
}

fn document(out: &mut Vec<u8>, inside: impl FnOnce(&mut XmlWriter<'_>)) {
    let mut w = XmlWriter::new(out);
    w.declaration();
    w.element("epp", &[("xmlns", Ns::EPP.uri())], inside);
}

/// `number` in decimal digits, without an allocation.
fn decimal(number: u16, digits: &mut [u8; 5]) -> &str {
    let mut rest = number;
    let mut from = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        from -= 1;
        if rest == 0 {
            break;
        }
    }
    digits.get(from..).and_then(|d| std::str::from_utf8(d).ok()).unwrap_or_default()
}

/// The words of RFC 5730 §3 for a code, or some for a code of nobody's.
pub(super) const fn message(code: u16) -> &'static str {
    match code {
        1000 => "Command completed successfully",
        1001 => "Command completed successfully; action pending",
        1300 => "Command completed successfully; no messages",
        1301 => "Command completed successfully; ack to dequeue",
        1500 => "Command completed successfully; ending session",
        2000 => "Unknown command",
        2001 => "Command syntax error",
        2002 => "Command use error",
        2003 => "Required parameter missing",
        2004 => "Parameter value range error",
        2005 => "Parameter value syntax error",
        2100 => "Unimplemented protocol version",
        2101 => "Unimplemented command",
        2102 => "Unimplemented option",
        2103 => "Unimplemented extension",
        2104 => "Billing failure",
        2105 => "Object is not eligible for renewal",
        2106 => "Object is not eligible for transfer",
        2200 => "Authentication error",
        2201 => "Authorization error",
        2202 => "Invalid authorization information",
        2300 => "Object pending transfer",
        2301 => "Object not pending transfer",
        2302 => "Object exists",
        2303 => "Object does not exist",
        2304 => "Object status prohibits operation",
        2305 => "Object association prohibits operation",
        2306 => "Parameter value policy error",
        2307 => "Unimplemented object service",
        2308 => "Data management policy violation",
        2400 => "Command failed",
        2500 => "Command failed; server closing connection",
        2501 => "Authentication error; server closing connection",
        2502 => "Session limit exceeded; server closing connection",
        _ => "A code of this registry's own",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_full() {
        for number in [0, 7, 1000, 2502, u16::MAX] {
            assert_eq!(decimal(number, &mut [0; 5]), number.to_string());
        }
    }
}
