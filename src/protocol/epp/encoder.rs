//! Writes a command and remembers the first thing that a schema would refuse in it.

use super::rule::Rule;
use crate::base::{Blame, Problem};
use crate::protocol::ns::Ns;
use crate::protocol::writer::XmlWriter;
use std::fmt;

/// Why a command cannot be put into a frame. It never quotes a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unencodable {
    /// The element or attribute, with the usual prefix.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for Unencodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.why)
    }
}

impl std::error::Error for Unencodable {}

impl From<Unencodable> for Box<Problem> {
    fn from(e: Unencodable) -> Self {
        Problem::new("E-epp-001", Blame::Input, e.why, "correct the value in the local record").field(e.field)
    }
}

/// Attributes, as the writer takes them.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

/// A command under way. The first refusal is kept and ends the command at its end, so that the code between reads like the document.
pub(super) struct Encoder<'b> {
    xml: XmlWriter<'b>,
    refused: Option<Unencodable>,
}

impl<'b> Encoder<'b> {
    /// An encoder behind what `out` holds.
    pub(super) const fn new(out: &'b mut Vec<u8>) -> Self {
        Self { xml: XmlWriter::new(out), refused: None }
    }

    /// The first refusal.
    pub(super) fn finish(self) -> Option<Unencodable> {
        self.refused
    }

    /// Refuses the command for `field`, unless it is refused already.
    pub(super) fn refuse(&mut self, field: &'static str, why: impl Into<String>) {
        self.refused.get_or_insert_with(|| Unencodable { field, why: why.into() });
    }

    /// Holds `text` to `rule`.
    pub(super) fn check(&mut self, field: &'static str, text: &str, rule: &Rule) {
        if let Err(why) = rule.check(text) {
            self.refuse(field, why);
        }
    }

    /// Writes the document around what `inside` writes.
    pub(super) fn document(&mut self, inside: impl FnOnce(&mut Self)) {
        const EPP: &str = Ns::EPP.uri();
        self.xml.declaration();
        self.within("epp", &[("xmlns", EPP)], inside);
    }

    /// Writes an element around what `inside` writes.
    pub(super) fn within(&mut self, name: &'static str, attributes: Attributes<'_>, inside: impl FnOnce(&mut Self)) {
        self.xml.open(name, attributes);
        self.legal(name);
        inside(self);
        self.xml.close(name);
    }

    /// Writes an element that holds `text`, which must be as `rule` says.
    pub(super) fn leaf(&mut self, name: &'static str, text: &str, rule: &Rule) {
        self.leaf_with(name, &[], text, rule);
    }

    /// The same with attributes, whose values are the caller's to check.
    pub(super) fn leaf_with(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str, rule: &Rule) {
        self.check(name, text, rule);
        self.xml.leaf(name, attributes, text);
        self.legal(name);
    }

    /// Writes an element that holds `text`, if there is any.
    pub(super) fn optional(&mut self, name: &'static str, text: Option<&str>, rule: &Rule) {
        if let Some(text) = text {
            self.leaf(name, text, rule);
        }
    }

    /// Writes an element that holds a number.
    pub(super) fn number(&mut self, name: &'static str, number: u32) {
        self.xml.number(name, number);
    }

    /// Writes an element without content.
    pub(super) fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.xml.empty(name, attributes);
        self.legal(name);
    }

    /// Refuses what XML itself cannot carry.
    fn legal(&mut self, field: &'static str) {
        if let Some(c) = self.xml.illegal() {
            self.refuse(field, format!("holds U+{:04X}, which no XML document can carry", u32::from(c)));
        }
    }
}
