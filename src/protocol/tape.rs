//! The event tape: a frame read once into flat nodes over its own text, with borrowed views.
//!
//! Nothing of the document is lost but comments, processing instructions and blanks between elements. Each node has a bit that tells
//! whether a type took it; what is left over when the types are done is what they did not know ([`Tape::unknown`]).
//!
//! Hostile input is refused here, once: encodings, DOCTYPE, depth, counts, unbalanced or doubled roots, NUL. An undeclared prefix is
//! no reason to refuse: a large registry has sent one for years inside an otherwise good answer.

use super::ns::Ns;
use crate::base::Personal;
use crate::model::Unknown;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

/// The deepest nesting. Real answers stay below 12.
pub const MAX_DEPTH: usize = 64;
/// The most attributes of one element. Real answers stay below 8.
pub const MAX_ATTRIBUTES: usize = 64;
/// The most namespace declarations in one frame. Real answers stay below 20.
pub const MAX_DECLARATIONS: usize = 128;
/// Nodes a frame may have whatever its size; beyond it one for each [`BYTES_PER_NODE`] bytes, so that memory stays within 4 times the frame.
const MIN_NODES: usize = 4096;
/// See [`MIN_NODES`].
const BYTES_PER_NODE: usize = 14;

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
    start: u32,
    len: u32,
    /// Whether it lies in the side text.
    side: bool,
}

/// An element, or a run of text between elements.
#[derive(Clone, Debug)]
struct Node {
    /// The local name; empty for a run of text.
    local: Span,
    /// For an element the text before its first child, for a run of text that text.
    text: Span,
    ns: Ns,
    /// How many attributes the element has, from `attrs` on.
    attr_count: u8,
    is_text: bool,
    seen: Cell<bool>,
    text_seen: Cell<bool>,
    /// The node behind this one and all that is in it.
    next: u32,
    attrs: u32,
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
    open: Vec<u32>,
    declared: usize,
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
        let mut text = std::mem::take(&mut self.frame);
        let read = decode(frame, &mut text).and_then(|()| self.scan(&text));
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
        all.map(|at| Element { tape: self, at }).filter(|e| !e.node().is_text)
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
    }

    /// Everything that no type took: elements, attributes and texts, in document order.
    #[must_use]
    pub fn unknown(&self) -> Vec<Unknown> {
        let mut out = Vec::new();
        if let Some(root) = self.root() {
            root.leftovers(&mut out, "");
        }
        out
    }

    /// The one pass over the document.
    fn scan(&mut self, text: &str) -> Result<(), Malformed> {
        self.side.clear();
        self.nodes.clear();
        self.attrs.clear();
        self.spaces.clear();
        self.bindings.clear();
        self.open.clear();
        self.declared = 0;
        let max_nodes = MIN_NODES.max(text.len() / BYTES_PER_NODE);
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
            if self.nodes.len() > max_nodes {
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
        let (prefix, local) = split(start.name().0);
        let node = Node {
            local: span(local, text),
            text: Span::default(),
            ns: self.resolve_prefix(prefix, text, true),
            attr_count,
            is_text: false,
            seen: Cell::new(false),
            text_seen: Cell::new(false),
            next: 0,
            attrs,
        };
        self.open.push(index(self.nodes.len()));
        self.nodes.push(node);
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
        }
        Ok(())
    }

    /// Reads the attributes of `start`. Declarations come first, since they hold for the attributes in front of them too.
    fn attributes(&mut self, start: &BytesStart<'_>, text: &str, depth: usize) -> Result<u8, &'static str> {
        let first = self.attrs.len();
        let mut count = 0_usize;
        for attr in start.attributes().with_checks(false) {
            let attr = attr.map_err(|_| "a malformed attribute")?;
            count += 1;
            if count > MAX_ATTRIBUTES.max(MAX_DECLARATIONS) {
                return Err("more attributes than any answer has");
            }
            let value = self.attribute_value(&attr.value, text)?;
            let name = attr.key.0;
            let prefix = if name == "xmlns" { Some("") } else { name.strip_prefix("xmlns:") };
            if let Some(prefix) = prefix {
                self.declare(prefix, value, text, depth)?;
            } else {
                self.attrs.push(Attr { local: span(name, text), value, ns: Ns::NONE, seen: Cell::new(false) });
            }
        }
        let found = self.attrs.len().saturating_sub(first);
        if found > MAX_ATTRIBUTES {
            return Err("more attributes than any answer has");
        }
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

    /// Declares `prefix` on the element at `depth`.
    fn declare(&mut self, prefix: &str, uri: Span, text: &str, depth: usize) -> Result<(), &'static str> {
        self.declared += 1;
        if self.declared > MAX_DECLARATIONS {
            return Err("more namespace declarations than any answer has");
        }
        let twice = |b: &&Binding| piece(text, &self.side, b.prefix) == prefix;
        if self.bindings.iter().rev().take_while(|b| b.depth == depth).any(|b| twice(&b)) {
            return Err("a namespace prefix declared twice");
        }
        let ns = self.intern(uri, text);
        self.bindings.push(Binding { prefix: span(prefix, text), ns, depth });
        Ok(())
    }

    /// The number of the namespace with that URI.
    fn intern(&mut self, uri: Span, text: &str) -> Ns {
        let wanted = piece(text, &self.side, uri);
        if wanted.is_empty() {
            return Ns::NONE;
        }
        let known = Ns::KNOWN.iter().skip(2).position(|k| *k == wanted).map(|n| n + 2);
        let at = known.unwrap_or_else(|| {
            let dynamic = self.spaces.iter().position(|s| piece(text, &self.side, *s) == wanted);
            Ns::KNOWN.len()
                + dynamic.unwrap_or_else(|| {
                    self.spaces.push(uri);
                    self.spaces.len() - 1
                })
        });
        Ns(u16::try_from(at).unwrap_or(u16::MAX))
    }

    /// The namespace of a prefix; of no prefix, the default one where `default` holds.
    fn resolve_prefix(&self, prefix: Option<&str>, text: &str, default: bool) -> Ns {
        let wanted = match prefix {
            Some("xml") => return Ns::XML,
            Some(prefix) => prefix,
            None if default => "",
            None => return Ns::NONE,
        };
        let bound = self.bindings.iter().rev().find(|b| piece(text, &self.side, b.prefix) == wanted);
        match bound {
            Some(binding) => binding.ns,
            None if wanted.is_empty() => Ns::NONE,
            None => Ns::UNDECLARED,
        }
    }

    /// A run of text, as it stands in the document.
    fn chunk(&mut self, raw: &str, text: &str, markup: bool) -> Result<(), &'static str> {
        let blank = markup && raw.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
        if self.open.is_empty() {
            return if blank { Ok(()) } else { Err("text outside the root element") };
        }
        if raw.contains('\r') {
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
        let extends = self.nodes.last().is_some_and(|n| index(end) == innermost + 1 || (n.is_text && n.next == index(end)));
        if !extends {
            if blank {
                return;
            }
            let mut run = Node::text_run(index(end + 1), index(self.attrs.len()));
            run.text = self.joined(Span::default(), more, here, text);
            self.nodes.push(run);
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
        let mut start = have.start;
        if !have.side || (have.start + have.len) as usize != self.side.len() {
            start = index(self.side.len());
            let have = piece(text, &self.side, have).to_owned();
            self.side.push_str(&have);
        }
        self.side.push_str(more);
        Span { start, len: index(self.side.len()) - start, side: true }
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
                    let (name, behind) = special[1..].split_once(';').ok_or("a reference without an end")?;
                    self.side.push(resolve(name)?);
                    behind
                }
                [b'<', ..] => return Err("a `<` inside an attribute"),
                [b'\r', b'\n', ..] => {
                    self.side.push(' ');
                    &special[2..]
                }
                _ => {
                    self.side.push(' ');
                    &special[1..]
                }
            };
        }
        self.side.push_str(rest);
        Ok(Span { start, len: index(self.side.len()) - start, side: true })
    }
}

impl Node {
    /// A run of text that ends in front of node `next`.
    fn text_run(next: u32, attrs: u32) -> Self {
        Self {
            local: Span::default(),
            text: Span::default(),
            ns: Ns::NONE,
            attr_count: 0,
            is_text: true,
            seen: Cell::new(false),
            text_seen: Cell::new(false),
            next,
            attrs,
        }
    }
}

/// A borrowed view of an element. Reading through it marks what was read as known.
#[derive(Clone, Copy)]
pub struct Element<'t> {
    tape: &'t Tape,
    at: u32,
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.local())
    }
}

impl<'t> Element<'t> {
    fn node(self) -> &'t Node {
        // A view is only ever made of a node of its own tape, which cannot change while it is borrowed.
        &self.tape.nodes[self.at as usize]
    }

    fn piece(self, span: Span) -> &'t str {
        piece(&self.tape.frame, &self.tape.side, span)
    }

    /// The namespace.
    #[must_use]
    pub fn ns(self) -> Ns {
        self.node().ns
    }

    /// The namespace's URI; empty for none and for an undeclared prefix.
    #[must_use]
    pub fn uri(self) -> &'t str {
        self.tape.uri(self.ns())
    }

    /// The local name.
    #[must_use]
    pub fn local(self) -> &'t str {
        self.piece(self.node().local)
    }

    /// Whether it is that element.
    #[must_use]
    pub fn is(self, ns: Ns, local: &str) -> bool {
        self.ns() == ns && self.local() == local
    }

    /// Marks the element itself as known, but neither its text nor its attributes.
    #[must_use]
    pub fn seen(self) -> Self {
        self.node().seen.set(true);
        self
    }

    /// The element's own text: all of it that stands between its tags and not in a child, in order. Marks it as known.
    #[must_use]
    pub fn text(self) -> Cow<'t, str> {
        let node = self.node();
        node.seen.set(true);
        node.text_seen.set(true);
        let mut all = Cow::Borrowed(self.piece(node.text));
        for run in self.nodes().filter(|e| e.node().is_text) {
            run.node().seen.set(true);
            all.to_mut().push_str(run.piece(run.node().text));
        }
        all
    }

    /// The text as XML Schema's `token`: trimmed, each run of blanks one blank.
    #[must_use]
    pub fn token(self) -> Cow<'t, str> {
        let text = self.text();
        let bytes = text.as_bytes();
        let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
        let collapsed = !bytes.first().is_some_and(blank)
            && !bytes.last().is_some_and(blank)
            && !bytes.windows(2).any(|w| w.iter().all(blank))
            && !bytes.iter().any(|b| *b != b' ' && blank(b));
        if collapsed { text } else { Cow::Owned(text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")) }
    }

    /// All text in the element and below it, in order, with blanks collapsed. Marks everything below as known.
    #[must_use]
    pub fn flat_text(self) -> String {
        let mut all = String::new();
        self.flatten(&mut all);
        all.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn flatten(self, out: &mut String) {
        let node = self.node();
        node.seen.set(true);
        node.text_seen.set(true);
        out.push_str(self.piece(node.text));
        for child in self.nodes() {
            if !child.node().is_text {
                out.push(' ');
            }
            child.flatten(out);
        }
    }

    /// The value of the attribute without a namespace of that name. Marks it as known.
    #[must_use]
    pub fn attr(self, local: &str) -> Option<&'t str> {
        let found = self.attrs().iter().find(|a| a.ns == Ns::NONE && self.piece(a.local) == local)?;
        found.seen.set(true);
        Some(self.piece(found.value))
    }

    /// The value of that attribute, without marking it.
    #[must_use]
    pub fn peek(self, local: &str) -> Option<&'t str> {
        self.attrs().iter().find(|a| a.ns == Ns::NONE && self.piece(a.local) == local).map(|a| self.piece(a.value))
    }

    /// Marks the element and everything in it as unknown again: whoever read it gave up.
    pub fn forget(self) {
        let end = self.node().next as usize;
        for node in self.tape.nodes.get(self.at as usize..end).unwrap_or_default() {
            node.seen.set(false);
            node.text_seen.set(false);
        }
        let behind = self.tape.nodes.get(end).map_or(self.tape.attrs.len(), |n| n.attrs as usize);
        for attr in self.tape.attrs.get(self.node().attrs as usize..behind).unwrap_or_default() {
            attr.seen.set(false);
        }
    }

    /// Whether the element's text was taken.
    #[must_use]
    pub fn knows_text(self) -> bool {
        self.node().text_seen.get()
    }

    /// Whether the attribute without a namespace of that name was taken.
    #[must_use]
    pub fn knows_attr(self, local: &str) -> bool {
        self.attrs().iter().any(|a| a.ns == Ns::NONE && a.seen.get() && self.piece(a.local) == local)
    }

    /// The child elements, in order.
    pub fn children(self) -> impl Iterator<Item = Self> {
        self.nodes().filter(|e| !e.node().is_text)
    }

    /// The first child with that name, marked as known.
    #[must_use]
    pub fn child(self, ns: Ns, local: &str) -> Option<Self> {
        self.children().find(|c| c.is(ns, local)).map(Self::seen)
    }

    /// Every unknown element, attribute and text below this element, marked as known now.
    #[must_use]
    pub fn take_unknown(self) -> Vec<Unknown> {
        let mut out = Vec::new();
        self.leftovers(&mut out, "");
        self.flatten(&mut String::new());
        out
    }

    fn attrs(self) -> &'t [Attr] {
        let node = self.node();
        let from = node.attrs as usize;
        self.tape.attrs.get(from..from + usize::from(node.attr_count)).unwrap_or_default()
    }

    /// The nodes directly below.
    fn nodes(self) -> impl Iterator<Item = Self> {
        let end = if self.node().is_text { self.at } else { self.node().next };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let node = (at < end).then_some(Self { tape: self.tape, at })?;
            at = node.node().next;
            Some(node)
        })
    }

    /// Collects what no type took. Nesting is capped, so recursion is.
    fn leftovers(self, out: &mut Vec<Unknown>, above: &str) {
        let node = self.node();
        let keep = |out: &mut Vec<Unknown>, ns: Ns, path: String, text: &str| {
            out.push(Unknown { namespace: self.tape.uri(ns).into(), path: path.into(), text: Personal::new(text) });
        };
        if node.is_text {
            if !node.seen.get() {
                keep(out, Ns::NONE, above.to_owned(), self.piece(node.text));
            }
            return;
        }
        let path = if above.is_empty() { self.local().to_owned() } else { format!("{above}/{}", self.local()) };
        for attr in self.attrs().iter().filter(|a| !a.seen.get() && a.ns != Ns::XSI) {
            keep(out, attr.ns, format!("{path}/@{}", self.piece(attr.local)), self.piece(attr.value));
        }
        let text = self.piece(node.text);
        let is_leaf = self.nodes().next().is_none();
        let untold = !node.text_seen.get() && !text.trim_ascii().is_empty();
        if untold || (is_leaf && !node.seen.get()) {
            keep(out, node.ns, path.clone(), text);
        }
        for child in self.nodes() {
            child.leftovers(out, &path);
        }
    }
}

impl Tape {
    /// The URI of a namespace in this frame.
    fn uri(&self, ns: Ns) -> &str {
        let dynamic = usize::from(ns.0).checked_sub(Ns::KNOWN.len()).and_then(|n| self.spaces.get(n));
        dynamic.map_or_else(|| ns.uri(), |span| piece(&self.frame, &self.side, *span))
    }
}

/// The text of `frame`: UTF-8, or UTF-16 behind its byte order mark; without padding and byte order mark.
fn decode(frame: &[u8], into: &mut String) -> Result<(), Malformed> {
    into.clear();
    let fail = |why, at| Err(Malformed { why, at });
    match frame {
        [0xFE, 0xFF, units @ ..] => utf16(units, u16::from_be_bytes, into)?,
        [0xFF, 0xFE, units @ ..] => utf16(units, u16::from_le_bytes, into)?,
        _ => {
            let bytes = frame.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(frame).trim_ascii();
            match std::str::from_utf8(bytes) {
                Ok(text) => into.push_str(text),
                Err(e) => return fail("not UTF-8", e.valid_up_to()),
            }
            let head = into.get(..into.find("?>").unwrap_or(0).min(200)).unwrap_or_default();
            if let Some(encoding) = declared_encoding(head)
                && !["utf-8", "utf8", "us-ascii"].iter().any(|known| encoding.eq_ignore_ascii_case(known))
            {
                return fail("an encoding other than UTF-8 is declared", 0);
            }
        }
    }
    if let Some(at) = into.bytes().position(|b| b == 0) {
        return fail("a NUL", at);
    }
    Ok(())
}

/// Decodes UTF-16.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, into: &mut String) -> Result<(), Malformed> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    for (at, c) in char::decode_utf16(units).enumerate() {
        into.push(c.map_err(|_| Malformed { why: "not UTF-16", at: at * 2 })?);
    }
    if bytes.len() % 2 == 0 { Ok(()) } else { Err(Malformed { why: "not UTF-16", at: bytes.len() }) }
}

/// The encoding that an XML declaration states.
fn declared_encoding(declaration: &str) -> Option<&str> {
    let (_, rest) = declaration.strip_prefix("<?xml")?.split_once("encoding")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next()
}

/// The character a reference means: only the five of XML and numbers. Nothing else is ever defined, since a DOCTYPE is refused.
fn resolve(name: &str) -> Result<char, &'static str> {
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).filter(|c| *c != '\0');
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => match name.strip_prefix('#') {
            Some(hex) if hex.starts_with('x') => number(&hex[1..], 16).ok_or("a reference to no character"),
            Some(decimal) => number(decimal, 10).ok_or("a reference to no character"),
            None => Err("an entity that nobody declared"),
        },
    }
}

/// Splits a name at its colon.
fn split(name: &str) -> (Option<&str>, &str) {
    match name.split_once(':') {
        Some((prefix, local)) => (Some(prefix), local),
        None => (None, name),
    }
}

/// Where `part`, a piece of `text`, stands in it.
fn span(part: &str, text: &str) -> Span {
    let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    Span { start: index(start), len: index(part.len()), side: false }
}

/// The text of a span.
fn piece<'a>(frame: &'a str, side: &'a str, span: Span) -> &'a str {
    let start = span.start as usize;
    let text = if span.side { side } else { frame };
    text.get(start..start + span.len as usize).unwrap_or_default()
}

/// A position as it is stored. Frames are capped far below 4 GiB.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
