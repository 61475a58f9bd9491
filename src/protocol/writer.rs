//! XML by a writer only: elements nest as closures do, so that a document is always well-formed.

use std::fmt::Write as _;

/// Appends elements to a buffer. A character that XML 1.0 cannot carry is left out and remembered.
#[derive(Debug)]
pub struct XmlWriter<'b> {
    out: &'b mut Vec<u8>,
    /// The first character that could not be written.
    illegal: Option<char>,
}

impl<'b> XmlWriter<'b> {
    /// A writer behind what `out` holds.
    #[must_use]
    pub const fn new(out: &'b mut Vec<u8>) -> Self {
        Self { out, illegal: None }
    }

    /// Writes the XML declaration.
    pub fn declaration(&mut self) {
        self.out.extend_from_slice(br#"<?xml version="1.0" encoding="UTF-8" standalone="no"?>"#);
    }

    /// Writes an element around what `inside` writes.
    pub fn element(&mut self, name: &str, attributes: &[(&str, &str)], inside: impl FnOnce(&mut Self)) {
        self.open(name, attributes);
        inside(self);
        self.close(name);
    }

    /// Writes an element that holds text alone.
    pub fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.out.reserve(2 * name.len() + text.len() + 5);
        self.open(name, attributes);
        self.escaped(text);
        self.close(name);
    }

    /// Writes an element that holds text alone, if there is any.
    pub fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.leaf(name, &[], text);
        }
    }

    /// Writes an element that holds a number.
    pub fn number(&mut self, name: &str, number: impl std::fmt::Display) {
        let mut text = String::with_capacity(20);
        let _infallible = write!(text, "{number}");
        self.leaf(name, &[], &text);
    }

    /// Writes an element without content.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.begin(name, attributes);
        self.out.extend_from_slice(b"/>");
    }

    /// Writes text between elements.
    pub fn text(&mut self, text: &str) {
        self.escaped(text);
    }

    /// The first character that XML cannot carry, if one was to be written. What was written must then not be sent.
    #[must_use]
    pub const fn illegal(&self) -> Option<char> {
        self.illegal
    }

    /// Writes a start tag. For writers that nest by themselves, such as one that also checks what it writes.
    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.begin(name, attributes);
        self.out.push(b'>');
    }

    /// Writes the end tag that belongs to [`XmlWriter::open`].
    pub(super) fn close(&mut self, name: &str) {
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'>');
    }

    /// Writes a tag but its end.
    fn begin(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        for (key, value) in attributes {
            self.out.push(b' ');
            self.out.extend_from_slice(key.as_bytes());
            self.out.extend_from_slice(b"=\"");
            self.escaped(value);
            self.out.push(b'"');
        }
    }

    /// Appends `text` with markup escaped, in runs of plain bytes.
    #[inline]
    fn escaped(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        while let Some(at) = rest.iter().position(|b| SPECIAL[usize::from(*b)]) {
            let (plain, special) = rest.split_at(at);
            self.out.extend_from_slice(plain);
            rest = self.replaced(special);
        }
        self.out.extend_from_slice(rest);
    }

    /// Appends what stands for the character that `special` begins with, and tells what is behind it.
    fn replaced<'t>(&mut self, special: &'t [u8]) -> &'t [u8] {
        let replacement: &[u8] = match special {
            [b'&', ..] => b"&amp;",
            [b'<', ..] => b"&lt;",
            [b'>', ..] => b"&gt;",
            [b'"', ..] => b"&quot;",
            // Written as references, since a parser would make line feeds and blanks of them.
            [b'\r', ..] => b"&#13;",
            [b'\n', ..] => b"&#10;",
            [b'\t', ..] => b"&#9;",
            [control @ 0..0x20, ..] => {
                self.illegal.get_or_insert(char::from(*control));
                b""
            }
            // U+FFFE and U+FFFF.
            [0xEF, 0xBF, 0xBE | 0xBF, behind @ ..] => {
                self.illegal.get_or_insert('\u{FFFE}');
                return behind;
            }
            [byte, ..] => std::slice::from_ref(byte),
            [] => b"",
        };
        self.out.extend_from_slice(replacement);
        special.get(1..).unwrap_or_default()
    }
}

/// The bytes at which something may have to be done.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < u8::MAX {
        table[byte as usize] = byte < 0x20 || matches!(byte, 0xEF | b'&' | b'<' | b'>' | b'"');
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::XmlWriter;

    #[test]
    fn every_character_but_the_impossible_comes_out_as_it_went_in() {
        let possible = |c: char| !matches!(c, '\0'..'\t' | '\u{b}' | '\u{c}' | '\u{e}'..' ' | '\u{fffe}' | '\u{ffff}');
        let mut out = Vec::new();
        for c in (0..=0x2_0000).filter_map(char::from_u32) {
            out.clear();
            let text = format!("a{c}{c}é");
            let mut writer = XmlWriter::new(&mut out);
            writer.leaf("t", &[("a", &text)], &text);
            assert_eq!(writer.illegal().is_none(), possible(c), "{c:?}");
            if possible(c) {
                let mut tape = crate::protocol::tape::Tape::new();
                tape.read(&out).expect("a document");
                let root = tape.root().expect("a root");
                assert_eq!((root.attr("a"), &*root.text()), (Some(&*text), &*text), "{c:?}");
            }
        }
    }

    #[test]
    fn markup_is_escaped_and_the_impossible_is_told() {
        let mut out = Vec::new();
        let mut writer = XmlWriter::new(&mut out);
        writer.element("a", &[("b", "\"<\n")], |w| {
            w.leaf("c", &[], "R&D > \r");
            w.empty("d", &[]);
            w.number("e", 7);
        });
        assert_eq!(writer.illegal(), None);
        writer.text("\u{1b}");
        assert_eq!(writer.illegal(), Some('\u{1b}'));
        let text = String::from_utf8(out).expect("UTF-8");
        assert_eq!(text, "<a b=\"&quot;&lt;&#10;\"><c>R&amp;D &gt; &#13;</c><d/><e>7</e></a>");
    }
}
