//! Names and their namespaces, while a frame is read.

use super::text::{is_plain_name, split};
use super::{Binding, Span, Tape, piece, span};
use crate::protocol::ns::Ns;

/// The most namespace declarations in one frame. Real answers stay below 20.
pub const MAX_DECLARATIONS: usize = 128;

impl Tape {
    /// An element's local name and namespace, or nothing where `name` is none.
    #[inline]
    pub(super) fn element_name<'n>(&mut self, name: &'n str, text: &str) -> Option<(&'n str, Ns)> {
        if let Some((prefix, ns)) = self.recent
            && let Some((before, behind)) = name.split_at_checked(prefix.len as usize)
            && let Some(local) = behind.strip_prefix(':')
            && same(before, piece(text, &self.side, prefix))
        {
            return is_plain_name(local).then_some((local, ns));
        }
        let (prefix, local) = split(name);
        if !is_plain_name(local) || prefix.is_some_and(|prefix| !is_plain_name(prefix)) {
            return None;
        }
        let ns = self.resolve_prefix(prefix, text, true);
        self.recent = prefix.map(|prefix| (span(prefix, text), ns));
        Some((local, ns))
    }

    /// Declares `prefix` on the element at `depth`.
    pub(super) fn declare(&mut self, prefix: &str, uri: Span, text: &str, depth: usize) -> Result<(), &'static str> {
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
        self.recent = None;
        Ok(())
    }

    /// The number of the namespace with that URI.
    fn intern(&mut self, uri: Span, text: &str) -> Ns {
        let wanted = piece(text, &self.side, uri);
        if wanted.is_empty() {
            return Ns::NONE;
        }
        let known = Ns::position(wanted);
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
    pub(super) fn resolve_prefix(&self, prefix: Option<&str>, text: &str, default: bool) -> Ns {
        let wanted = match prefix {
            Some("xml") => return Ns::XML,
            Some(prefix) => prefix,
            None if default => "",
            None => return Ns::NONE,
        };
        let bound = self.bindings.iter().rev().find(|b| same(piece(text, &self.side, b.prefix), wanted));
        match bound {
            Some(binding) => binding.ns,
            None if wanted.is_empty() => Ns::NONE,
            None => Ns::UNDECLARED,
        }
    }

    /// The URI of a namespace in this frame.
    pub(super) fn uri(&self, ns: Ns) -> &str {
        let dynamic = usize::from(ns.0).checked_sub(Ns::KNOWN.len()).and_then(|n| self.spaces.get(n));
        dynamic.map_or_else(|| ns.uri(), |span| piece(&self.frame, &self.side, *span))
    }
}

/// Whether two prefixes are the same. They are so short that a call of `memcmp` would cost more than the bytes.
#[inline]
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| a == b)
}
