//! Borrowed views of a tape's elements. Reading through one marks what was read as known.

use super::{Attr, Node, Span, Tape, piece};
use crate::base::Personal;
use crate::model::Unknown;
use crate::protocol::ns::Ns;
use std::borrow::Cow;
use std::fmt;

/// A borrowed view of an element. Reading through it marks what was read as known.
#[derive(Clone, Copy)]
pub struct Element<'t> {
    pub(super) tape: &'t Tape,
    pub(super) at: u32,
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.local())
    }
}

impl<'t> Element<'t> {
    pub(super) fn node(self) -> &'t Node {
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
        self.node().mark(Node::SEEN);
        self
    }

    /// The element's own text: all of it that stands between its tags and not in a child, in order. Marks it as known.
    #[must_use]
    pub fn text(self) -> Cow<'t, str> {
        let node = self.node();
        node.mark(Node::SEEN | Node::TEXT_SEEN);
        let mut all = Cow::Borrowed(self.piece(node.text));
        for run in self.nodes().filter(|e| e.node().is_text()) {
            run.node().mark(Node::SEEN);
            all.to_mut().push_str(run.piece(run.node().text));
        }
        all
    }

    /// The text as XML Schema's `token`: trimmed, each run of blanks one blank.
    #[must_use]
    pub fn token(self) -> Cow<'t, str> {
        let text = self.text();
        // Most texts have no blank at all. Looked at without branches, many bytes go at a time.
        #[expect(clippy::needless_bitwise_bool, reason = "a branch for each byte would take the vectors away")]
        let has_blank = text.bytes().fold(false, |any, byte| any | (byte <= b' '));
        if !has_blank {
            return text;
        }
        let mut behind_blank = true;
        let single = text.bytes().all(|b| match b {
            b' ' => !std::mem::replace(&mut behind_blank, true),
            b'\t' | b'\r' | b'\n' => false,
            _ => {
                behind_blank = false;
                true
            }
        });
        if single && !behind_blank { text } else { Cow::Owned(text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")) }
    }

    /// All text in the element and below it, in order, with blanks collapsed. Marks everything below as known.
    #[must_use]
    pub fn flat_text(self) -> String {
        if self.is_leaf() {
            return self.token().into_owned();
        }
        let mut all = String::new();
        self.flatten(&mut all);
        all.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn flatten(self, out: &mut String) {
        let node = self.node();
        let text = self.piece(node.text);
        out.push_str(text);
        let mut is_leaf = true;
        for child in self.nodes() {
            is_leaf = false;
            if !child.node().is_text() {
                out.push(' ');
            }
            child.flatten(out);
        }
        // An empty element has no text that could stand for it: it stays unknown, so that its name is told.
        if !is_leaf || !text.is_empty() {
            node.mark(Node::SEEN | Node::TEXT_SEEN);
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
        self.set_below(false);
    }

    /// Marks the element and everything in it.
    fn set_below(self, known: bool) {
        let end = self.node().next as usize;
        for node in self.tape.nodes.get(self.at as usize..end).unwrap_or_default() {
            if known {
                node.mark(Node::SEEN | Node::TEXT_SEEN);
            } else {
                node.unmark();
            }
        }
        let behind = self.tape.nodes.get(end).map_or(self.tape.attrs.len(), |n| n.attrs as usize);
        for attr in self.tape.attrs.get(self.node().attrs as usize..behind).unwrap_or_default() {
            attr.seen.set(known);
        }
    }

    /// Whether the element's text was taken.
    #[must_use]
    pub fn knows_text(self) -> bool {
        self.node().has(Node::TEXT_SEEN)
    }

    /// Whether the attribute without a namespace of that name was taken.
    #[must_use]
    pub fn knows_attr(self, local: &str) -> bool {
        self.attrs().iter().any(|a| a.ns == Ns::NONE && a.seen.get() && self.piece(a.local) == local)
    }

    /// The child elements, in order.
    pub fn children(self) -> impl Iterator<Item = Self> {
        self.nodes().filter(|e| !e.node().is_text())
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
        self.leftovers(&mut out, &mut String::new());
        self.set_below(true);
        out
    }

    /// Whether there is neither an element nor text behind one in it.
    fn is_leaf(self) -> bool {
        self.nodes().next().is_none()
    }

    fn attrs(self) -> &'t [Attr] {
        let node = self.node();
        let from = node.attrs as usize;
        self.tape.attrs.get(from..from + usize::from(node.attr_count)).unwrap_or_default()
    }

    /// The nodes directly below.
    fn nodes(self) -> impl Iterator<Item = Self> {
        let end = if self.node().is_text() { self.at } else { self.node().next };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let node = (at < end).then_some(Self { tape: self.tape, at })?;
            at = node.node().next;
            Some(node)
        })
    }

    /// Collects what no type took; `path` is the way to the element's parent. Nesting is capped, so recursion is.
    pub(super) fn leftovers(self, out: &mut Vec<Unknown>, path: &mut String) {
        let node = self.node();
        let keep = |out: &mut Vec<Unknown>, ns: Ns, path: &str, text: &str| {
            out.push(Unknown { namespace: self.tape.uri(ns).into(), path: path.into(), text: Personal::new(text) });
        };
        if node.is_text() {
            if !node.has(Node::SEEN) {
                keep(out, Ns::NONE, path, self.piece(node.text));
            }
            return;
        }
        let above = path.len();
        if above > 0 {
            path.push('/');
        }
        path.push_str(self.local());
        for attr in self.attrs().iter().filter(|a| !a.seen.get() && a.ns != Ns::XSI) {
            keep(out, attr.ns, &format!("{path}/@{}", self.piece(attr.local)), self.piece(attr.value));
        }
        let text = self.piece(node.text);
        let untold = !node.has(Node::TEXT_SEEN) && !text.trim_ascii().is_empty();
        if untold || (!node.has(Node::SEEN) && self.is_leaf()) {
            keep(out, node.ns, path, text);
        }
        for child in self.nodes() {
            child.leftovers(out, path);
        }
        path.truncate(above);
    }
}
