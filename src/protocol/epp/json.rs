//! Any frame as JSON, for people who look at one: what the types hold, what they do not, and the text.

use super::{Message, Undecodable, decode};
use crate::base::{Problem, revealed};
use crate::model::Unknown;
use crate::protocol::ns::Ns;
use crate::protocol::tape::{Element, Malformed, Tape};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;
use std::fmt;

/// Why there is nothing to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAFrame {
    /// It is no document.
    Malformed(Malformed),
    /// It is a document of another protocol.
    Undecodable(Undecodable),
}

impl fmt::Display for NotAFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(e) => e.fmt(f),
            Self::Undecodable(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for NotAFrame {}

impl From<NotAFrame> for Box<Problem> {
    fn from(e: NotAFrame) -> Self {
        match e {
            NotAFrame::Malformed(e) => e.into(),
            NotAFrame::Undecodable(e) => e.into(),
        }
    }
}

/// A frame as `frame decode` prints it.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub struct Decoded<'a> {
    /// What the types hold; of a command nothing, since only a server's frames have types here.
    typed: Option<&'a Message>,
    /// What no type took.
    unknown: Vec<Unknown>,
    /// The text of the frame.
    raw: String,
}

/// What stands for a value that is not shown.
const MASK: &str = "•••";

/// `frame`, without a length header, as [`Decoded`]. Of a command `typed` is null: it has only a server's types.
/// Personal data, secrets and everything that no type knows are masked unless `unmasked`; passwords in `typed` are masked even then.
///
/// # Errors
/// [`NotAFrame`] where it is no document of EPP.
pub fn frame_json(frame: &[u8], unmasked: bool) -> Result<Value, NotAFrame> {
    let mut tape = Tape::new();
    tape.read(frame).map_err(NotAFrame::Malformed)?;
    let message = match decode(&tape) {
        Ok(message) => Some(message),
        Err(_) if tape.root().is_some_and(|root| root.is(Ns::EPP, "epp")) => None,
        Err(e) => return Err(NotAFrame::Undecodable(e)),
    };
    let raw = if unmasked { tape.text().to_owned() } else { masked(&tape) };
    let decoded = Decoded { typed: message.as_ref(), unknown: tape.unknown(), raw };
    let tree = || serde_json::to_value(&decoded).unwrap_or_default();
    Ok(if unmasked { revealed(tree) } else { tree() })
}

/// The text of the frame with each value masked but those which a type took and which are nobody's personal data.
fn masked(tape: &Tape) -> String {
    let mut reader = Reader::from_str(tape.text());
    let mut elements = tape.elements();
    let mut open = Vec::new();
    let mut out = String::with_capacity(tape.text().len());
    // The tape read this very text before, so that each start here is its next element there.
    while let Ok(event) = reader.read_event() {
        let shown = open.last().copied().flatten().is_some_and(shows_text);
        match event {
            Event::Start(start) => {
                let element = elements.next();
                tag(&start, element, ">", &mut out);
                open.push(element);
            }
            Event::Empty(start) => tag(&start, elements.next(), "/>", &mut out),
            Event::End(end) => {
                open.pop();
                out.extend(["</", end.name().0, ">"]);
            }
            Event::Text(text) if shown || text.trim_ascii().is_empty() => out.push_str(&text),
            Event::CData(text) if shown => out.extend(["<![CDATA[", &text, "]]>"]),
            Event::GeneralRef(name) if shown => out.extend(["&", &name, ";"]),
            Event::Decl(declaration) => out.extend(["<?", &declaration, "?>"]),
            Event::Comment(_) | Event::PI(_) => {}
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                if !out.ends_with(MASK) {
                    out.push_str(MASK);
                }
            }
            Event::DocType(_) | Event::Eof => break,
        }
    }
    out
}

/// Writes a start tag; declarations and what a type took are shown.
fn tag(start: &BytesStart<'_>, element: Option<Element<'_>>, end: &str, out: &mut String) {
    out.extend(["<", start.name().0]);
    for attr in start.attributes().with_checks(false).flatten() {
        let name = attr.key.0;
        let declares = name == "xmlns" || name.starts_with("xmlns:");
        let shown = declares || (element.is_some_and(|e| e.knows_attr(name)) && name != "x");
        let quote = if attr.value.contains('"') { "'" } else { "\"" };
        out.extend([" ", name, "=", quote, if shown { &attr.value } else { MASK }, quote]);
    }
    out.push_str(end);
}

/// Whether the text of `e` may be shown: a type took it, and it is neither a personal datum nor a secret.
fn shows_text(e: Element<'_>) -> bool {
    let hidden: &[&str] = match e.ns() {
        Ns::EPP => &["value", "reason"],
        Ns::CONTACT => &["name", "org", "street", "city", "sp", "pc", "cc", "voice", "fax", "email", "pw"],
        Ns::DOMAIN => &["pw"],
        Ns::EXTEPP => &["value"],
        Ns::HOST | Ns::SEC_DNS | Ns::RGP | Ns::LOGIN_SEC | Ns::CHANGE_POLL => &[],
        Ns::EXTDOM | Ns::DOMAIN_EXT_2_5 | Ns::DOMAIN_EXT_2_6 | Ns::EURID_HIT_POINTS | Ns::REG_TYPE => &["registrarReference"],
        _ => return false,
    };
    e.knows_text() && !hidden.contains(&e.local())
}
