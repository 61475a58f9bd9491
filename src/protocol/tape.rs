//! The event tape: a frame read once into flat nodes over its own text, with borrowed views.
//!
//! Nothing of the document is lost but comments, processing instructions and blanks between elements. Each node has a bit that tells
//! whether a type took it; what is left over when the types are done is what they did not know ([`Tape::unknown`]).
//!
//! Hostile input is refused here, once: encodings, DOCTYPE, depth, counts, unbalanced or doubled roots, NUL. An undeclared prefix is
//! no reason to refuse: a large registry has sent one for years inside an otherwise good answer.

mod names;
mod text;
mod view;

pub use names::MAX_DECLARATIONS;
pub use view::Element;

use super::ns::Ns;
use crate::model::Unknown;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::cell::Cell;
use std::fmt;
use text::{decode, resolve, split};

/// The deepest nesting. Real answers stay below 12.
pub const MAX_DEPTH: usize = 64;
/// The most attributes of one element. Real answers stay below 8.
pub const MAX_ATTRIBUTES: usize = 64;
/// For each node or attribute a frame needs so many bytes, so that a tape stays within 4 times its frame. Real answers have 20 and more.
const BYTES_PER_ITEM: usize = 12;
/// Bytes that count for a frame which has fewer.
const LEAST_BYTES: usize = 48 * 1024;
/// Memory that a tape keeps from one frame to the next.
const KEPT: usize = 1024 * 1024;

/// Why a frame is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong.
    pub why: &'static str,
    /// At which byte of the frame.
    pub at: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.why, self.at)
    }
}

impl std::error::Error for Malformed {}

/// A piece of the frame's text, or of the text that had to be put together beside it.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    /// Where it begins, with [`Span::SIDE`] set where it lies in the side text.
    start: u32,
    len: u32,
}

impl Span {
    /// See [`Span::start`].
    const SIDE: u32 = 1 << 31;
}

/// An element, or a run of text between elements.
#[derive(Clone, Debug)]
struct Node {
    /// The local name; empty for a run of text.
    local: Span,
    /// For an element the text before its first child, for a run of text that text.
    text: Span,
    /// The node behind this one and all that is in it.
    next: u32,
    /// The element's attributes begin here; those of all that is in it follow.
    attrs: u32,
    ns: Ns,
    attr_count: u8,
    /// [`Node::SEEN`] and the like.
    flags: Cell<u8>,
}

impl Node {
    /// A type took the element.
    const SEEN: u8 = 1;
    /// A type took its text.
    const TEXT_SEEN: u8 = 2;

    /// A run of text that ends in front of node `next`.
    const fn text_run(text: Span, next: u32, attrs: u32) -> Self {
        Self { local: Span { start: 0, len: 0 }, text, next, attrs, ns: Ns::NONE, attr_count: 0, flags: Cell::new(0) }
    }

    const fn is_text(&self) -> bool {
        self.local.len == 0
    }

    fn mark(&self, flags: u8) {
        self.flags.set(self.flags.get() | flags);
    }

    fn unmark(&self) {
        self.flags.set(0);
    }

    fn has(&self, flag: u8) -> bool {
        self.flags.get() & flag != 0
    }
}

/// An attribute that declares no namespace.
#[derive(Clone, Debug)]
struct Attr {
    local: Span,
    value: Span,
    ns: Ns,
    seen: Cell<bool>,
}

/// A namespace declaration in force.
#[derive(Clone, Copy, Debug)]
struct Binding {
    prefix: Span,
    ns: Ns,
    /// The depth of the element that declares it.
    depth: usize,
}

/// A frame's nodes, in document order. Reused from frame to frame.
#[derive(Debug, Default)]
pub struct Tape {
    frame: String,
    side: String,
    nodes: Vec<Node>,
    attrs: Vec<Attr>,
    /// URIs of the namespaces that are no constants, numbered from the last constant on.
    spaces: Vec<Span>,
    bindings: Vec<Binding>,
    /// The prefix that was resolved last, while the declarations are the same: most elements have the one of the element before.
    recent: Option<(Span, Ns)>,
    open: Vec<u32>,
    declared: usize,
    /// Whether a carriage return stands anywhere in the frame.
    has_returns: bool,
}

impl Tape {
    /// An empty tape.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `frame`, forgetting what was read before.
    ///
    /// # Errors
    /// [`Malformed`], where the frame is no document or one that no honest peer sends.
    pub fn read(&mut self, frame: &[u8]) -> Result<(), Malformed> {
        if self.memory() > KEPT.max(4 * frame.len()) {
            *self = Self::default();
        }
        let mut text = std::mem::take(&mut self.frame);
        let read = decode(frame, &mut text).and_then(|has_returns| {
            self.has_returns = has_returns;
            self.scan(&text)
        });
        self.frame = text;
        if read.is_err() {
            self.nodes.clear();
        }
        read
    }

    /// The root element, or nothing before the first frame was read.
    #[must_use]
    pub fn root(&self) -> Option<Element<'_>> {
        (!self.nodes.is_empty()).then_some(Element { tape: self, at: 0 })
    }

    /// Every element, in document order.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        let all = 0..index(self.nodes.len());
        all.map(|at| Element { tape: self, at }).filter(|e| !e.node().is_text())
    }

    /// The frame as text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.frame
    }

    /// The bytes this tape holds, for the memory cap's test.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.frame.capacity()
            + self.side.capacity()
            + self.nodes.capacity() * size_of::<Node>()
            + self.attrs.capacity() * size_of::<Attr>()
            + self.spaces.capacity() * size_of::<Span>()
            + self.bindings.capacity() * size_of::<Binding>()
            + self.open.capacity() * size_of::<u32>()
    }

    /// Everything that no type took: elements, attributes and texts, in document order.
    #[must_use]
    pub fn unknown(&self) -> Vec<Unknown> {
        let mut out = Vec::new();
        if let Some(root) = self.root().filter(|_| !self.is_known()) {
            root.leftovers(&mut out, &mut String::new());
        }
        out
    }

    /// Whether types took every element, attribute and text there is: as a rule, and then nobody need walk the tree.
    fn is_known(&self) -> bool {
        let told = |node: &Node| node.has(Node::SEEN) && (node.is_text() || node.text.len == 0 || node.has(Node::TEXT_SEEN));
        self.nodes.iter().all(told) && self.attrs.iter().all(|attr| attr.seen.get() || attr.ns == Ns::XSI)
    }

    /// The one pass over the document.
    fn scan(&mut self, text: &str) -> Result<(), Malformed> {
        self.side.clear();
        self.nodes.clear();
        self.attrs.clear();
        self.spaces.clear();
        self.bindings.clear();
        self.recent = None;
        self.open.clear();
        self.declared = 0;
        let budget = text.len().max(LEAST_BYTES);
        let mut reader = Reader::from_str(text);
        loop {
            let event = reader.read_event();
            let fail = |why| Malformed { why, at: usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX) };
            match event.map_err(|_| fail("not well-formed XML"))? {
                Event::Start(start) => self.start(&start, text).map_err(fail)?,
                Event::Empty(start) => self.start(&start, text).and_then(|()| self.end()).map_err(fail)?,
                Event::End(_) => self.end().map_err(fail)?,
                Event::Text(raw) => self.chunk(&raw, text, true).map_err(fail)?,
                Event::CData(raw) => self.chunk(&raw, text, false).map_err(fail)?,
                Event::GeneralRef(name) => resolve(&name).and_then(|c| self.character(c, text)).map_err(fail)?,
                Event::DocType(_) => return Err(fail("a DOCTYPE, which EPP forbids")),
                Event::Decl(_) if !self.nodes.is_empty() => return Err(fail("an XML declaration inside the document")),
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
            if (self.nodes.len() + self.attrs.len()) * BYTES_PER_ITEM + self.side.len() > budget {
                return Err(fail("more elements than a frame of this size can honestly hold"));
            }
        }
        let end = Malformed { why: "the document ends inside an element", at: text.len() };
        if !self.open.is_empty() {
            return Err(end);
        }
        if self.nodes.is_empty() {
            return Err(Malformed { why: "no document at all", ..end });
        }
        Ok(())
    }

    /// An element begins.
    fn start(&mut self, start: &BytesStart<'_>, text: &str) -> Result<(), &'static str> {
        let depth = self.open.len();
        if depth == 0 && !self.nodes.is_empty() {
            return Err("a second root element");
        }
        if depth >= MAX_DEPTH {
            return Err("nested deeper than any answer");
        }
        let attrs = index(self.attrs.len());
        let attr_count = if start.attributes_raw().is_empty() { 0 } else { self.attributes(start, text, depth)? };
        let (local, ns) = self.element_name(start.name().0, text).ok_or("an element without a proper name")?;
        self.open.push(index(self.nodes.len()));
        let node = Node { local: span(local, text), text: Span::default(), next: 0, attrs, ns, attr_count, flags: Cell::new(0) };
        push(&mut self.nodes, node);
        Ok(())
    }

    /// The innermost element ends.
    fn end(&mut self) -> Result<(), &'static str> {
        let at = self.open.pop().ok_or("an end without a start")?;
        let next = index(self.nodes.len());
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.next = next;
        }
        let depth = self.open.len();
        while self.bindings.last().is_some_and(|b| b.depth >= depth) {
            self.bindings.pop();
            self.recent = None;
        }
        Ok(())
    }

    /// Reads the attributes of `start`. Declarations come first, since they hold for the attributes in front of them too.
    fn attributes(&mut self, start: &BytesStart<'_>, text: &str, depth: usize) -> Result<u8, &'static str> {
        let first = self.attrs.len();
        for attr in start.attributes().with_checks(false) {
            let attr = attr.map_err(|_| "a malformed attribute")?;
            let value = self.attribute_value(&attr.value, text)?;
            let name = attr.key.0;
            let prefix = if name == "xmlns" { Some("") } else { name.strip_prefix("xmlns:") };
            if let Some(prefix) = prefix {
                self.declare(prefix, value, text, depth)?;
            } else {
                if self.attrs.len() - first >= MAX_ATTRIBUTES {
                    return Err("more attributes than any answer has");
                }
                push(&mut self.attrs, Attr { local: span(name, text), value, ns: Ns::NONE, seen: Cell::new(false) });
            }
        }
        let found = self.attrs.len().saturating_sub(first);
        for at in first..self.attrs.len() {
            let Some(name) = self.attrs.get(at).map(|a| piece(text, &self.side, a.local)) else { break };
            let (prefix, local) = split(name);
            let ns = if prefix.is_some() { self.resolve_prefix(prefix, text, false) } else { Ns::NONE };
            let earlier = self.attrs.get(first..at).unwrap_or_default();
            if earlier.iter().any(|a| a.ns == ns && piece(text, &self.side, a.local) == local) {
                return Err("an attribute given twice");
            }
            if let Some(attr) = self.attrs.get_mut(at) {
                attr.ns = ns;
                attr.local = span(local, text);
            }
        }
        Ok(u8::try_from(found).unwrap_or(u8::MAX))
    }

    /// A run of text, as it stands in the document.
    fn chunk(&mut self, raw: &str, text: &str, markup: bool) -> Result<(), &'static str> {
        let blank = markup && raw.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
        if self.open.is_empty() {
            return if blank { Ok(()) } else { Err("text outside the root element") };
        }
        if self.has_returns && raw.contains('\r') {
            // XML 1.0 §2.11: a line ends with a line feed, however it was written.
            let lines = raw.replace("\r\n", "\n").replace('\r', "\n");
            self.append(&lines, None, blank, text);
        } else {
            self.append(raw, Some(span(raw, text)), blank, text);
        }
        Ok(())
    }

    /// A character that was written as a reference.
    fn character(&mut self, c: char, text: &str) -> Result<(), &'static str> {
        if self.open.is_empty() {
            return Err("text outside the root element");
        }
        self.append(c.encode_utf8(&mut [0; 4]), None, false, text);
        Ok(())
    }

    /// Appends text to the innermost element: in front of its first child to its own text, behind a child to a run of text there.
    /// `here` is where the text stands in the frame, if it stands there as it is.
    fn append(&mut self, more: &str, here: Option<Span>, blank: bool, text: &str) {
        let end = self.nodes.len();
        let innermost = self.open.last().copied().unwrap_or_default();
        let extends = self.nodes.last().is_some_and(|n| index(end) == innermost + 1 || (n.is_text() && n.next == index(end)));
        if !extends {
            if blank {
                return;
            }
            let joined = self.joined(Span::default(), more, here, text);
            push(&mut self.nodes, Node::text_run(joined, index(end + 1), index(self.attrs.len())));
            return;
        }
        let have = self.nodes.last().map(|n| n.text).unwrap_or_default();
        let joined = self.joined(have, more, here, text);
        if let Some(node) = self.nodes.last_mut() {
            node.text = joined;
        }
    }

    /// `have` with `more` behind it. Only the first joining copies `have`: from then on it lies at the end of the side text and grows.
    fn joined(&mut self, have: Span, more: &str, here: Option<Span>, text: &str) -> Span {
        if have.len == 0
            && let Some(here) = here
        {
            return here;
        }
        let mut start = have.start & !Span::SIDE;
        if have.start & Span::SIDE == 0 || (start + have.len) as usize != self.side.len() {
            start = index(self.side.len());
            let have = piece(text, &self.side, have).to_owned();
            self.side.push_str(&have);
        }
        self.side.push_str(more);
        self.side_from(start)
    }

    /// An attribute's value, with references resolved and blanks normalised (XML 1.0 §3.3.3).
    fn attribute_value(&mut self, raw: &str, text: &str) -> Result<Span, &'static str> {
        if !raw.bytes().any(|b| matches!(b, b'&' | b'\t' | b'\r' | b'\n' | b'<')) {
            return Ok(span(raw, text));
        }
        let start = index(self.side.len());
        let mut rest = raw;
        while let Some(at) = rest.find(['&', '\t', '\r', '\n', '<']) {
            let (plain, special) = rest.split_at(at);
            self.side.push_str(plain);
            rest = match special.as_bytes() {
                [b'&', ..] => {
                    let (name, behind) = special.get(1..).and_then(|s| s.split_once(';')).ok_or("a reference without an end")?;
                    self.side.push(resolve(name)?);
                    behind
                }
                [b'<', ..] => return Err("a `<` inside an attribute"),
                [b'\r', b'\n', ..] => {
                    self.side.push(' ');
                    special.get(2..).unwrap_or_default()
                }
                _ => {
                    self.side.push(' ');
                    special.get(1..).unwrap_or_default()
                }
            };
        }
        self.side.push_str(rest);
        Ok(self.side_from(start))
    }

    /// The side text from `start` to its end.
    fn side_from(&self, start: u32) -> Span {
        Span { start: start | Span::SIDE, len: index(self.side.len()) - start }
    }
}

/// Where `part`, a piece of `text`, stands in it.
fn span(part: &str, text: &str) -> Span {
    let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    Span { start: index(start), len: index(part.len()) }
}

/// The text of a span.
fn piece<'a>(frame: &'a str, side: &'a str, span: Span) -> &'a str {
    let start = (span.start & !Span::SIDE) as usize;
    let text = if span.start & Span::SIDE == 0 { frame } else { side };
    text.get(start..start + span.len as usize).unwrap_or_default()
}

/// A position as it is stored. Frames are capped far below 4 GiB.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Appends to `items`, which grow by a quarter where they must: doubling would take more memory than the tape's limit allows.
fn push<T>(items: &mut Vec<T>, item: T) {
    if items.len() == items.capacity() {
        items.reserve_exact((items.len() / 4).max(64));
    }
    items.push(item);
}
