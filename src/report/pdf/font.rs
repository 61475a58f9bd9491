//! The two cuts of the font that a PDF is set in, and what of a text they can show.

use crate::base::{Blame, Problem, Result, escape_controls};
use krilla::text::{Font, GlyphId, KrillaGlyph};
use std::collections::HashMap;
use std::sync::Arc;

/// Open Sans, under the Apache License 2.0 (`src/report/fonts/README.md`): a PDF that is to be read in ten years carries its font.
const REGULAR: &[u8] = include_bytes!("../fonts/OpenSans-Regular.ttf");
/// The same in bold.
const BOLD: &[u8] = include_bytes!("../fonts/OpenSans-Bold.ttf");
/// Its name, for pictures.
pub(super) const FAMILY: &str = "Open Sans";

/// A cut.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) font: Font,
    /// By character: the glyph and its width in shares of the size.
    glyphs: HashMap<char, (u32, f32)>,
}

/// Both cuts.
#[derive(Debug)]
pub(super) struct Fonts {
    pub(super) regular: Cut,
    pub(super) bold: Cut,
}

impl Fonts {
    /// Reads them.
    ///
    /// # Errors
    /// `E-report-003` where they are broken, which is a bug.
    pub(super) fn read() -> Result<Self> {
        let broken = || Problem::new("E-report-003", Blame::Us, "a font that is built in cannot be read", "report this as a bug");
        Ok(Self { regular: Cut::read(REGULAR).ok_or_else(broken)?, bold: Cut::read(BOLD).ok_or_else(broken)? })
    }

    /// The same for pictures.
    pub(super) fn database() -> Arc<usvg::fontdb::Database> {
        let mut all = usvg::fontdb::Database::new();
        all.load_font_data(REGULAR.to_vec());
        all.load_font_data(BOLD.to_vec());
        all.set_sans_serif_family(FAMILY);
        Arc::new(all)
    }

    /// `text` in characters that both cuts have; each other is written out, as the controls are: `\u{4e2d}`.
    pub(super) fn shown(&self, text: &str) -> String {
        let text = escape_controls(text);
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if self.has(c) {
                out.push(c);
            } else {
                out.extend(c.escape_unicode());
            }
        }
        out
    }

    fn has(&self, c: char) -> bool {
        // What has no meaning of its own cannot be archived (ISO 19005-2, 6.2.11.7).
        let is_private = matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}');
        !is_private && self.regular.glyphs.contains_key(&c) && self.bold.glyphs.contains_key(&c)
    }

    pub(super) const fn cut(&self, bold: bool) -> &Cut {
        if bold { &self.bold } else { &self.regular }
    }
}

impl Cut {
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let font = Font::new(bytes.into(), 0)?;
        let face = ttf_parser::Face::parse(bytes, 0).ok()?;
        let em = f32::from(face.units_per_em());
        let mut glyphs = HashMap::new();
        for table in face.tables().cmap?.subtables.into_iter().filter(ttf_parser::cmap::Subtable::is_unicode) {
            table.codepoints(|point| {
                let Some((c, glyph)) = char::from_u32(point).and_then(|c| Some((c, table.glyph_index(point)?))) else { return };
                let width = f32::from(face.glyph_hor_advance(glyph).unwrap_or_default()) / em;
                glyphs.insert(c, (u32::from(glyph.0), width));
            });
        }
        (!glyphs.is_empty()).then_some(Self { font, glyphs })
    }

    /// How wide `text` is at `size`.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.advance(c)).sum::<f32>() * size
    }

    fn advance(&self, c: char) -> f32 {
        self.glyphs.get(&c).map_or(0.0, |(_, width)| *width)
    }

    /// The glyphs of `text`, one for each character.
    pub(super) fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let glyph = |(at, c): (usize, char)| {
            let (id, width) = self.glyphs.get(&c)?;
            Some(KrillaGlyph::new(GlyphId::new(*id), *width, 0.0, 0.0, 0.0, at..at + c.len_utf8(), None))
        };
        text.char_indices().filter_map(glyph).collect()
    }

    /// `text` in lines of at most `room`: broken behind blanks, which stay, and within what is longer than a line.
    pub(super) fn lines(&self, text: &str, size: f32, room: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let (mut line, mut at) = (String::new(), 0.0);
        for word in text.split_inclusive(' ') {
            let bare = self.width(word.trim_end(), size);
            if at > 0.0 && at + bare > room {
                lines.push(std::mem::take(&mut line));
                at = 0.0;
            }
            for c in word.chars() {
                let width = self.advance(c) * size;
                // A blank may stand out.
                if c != ' ' && !line.is_empty() && at + width > room {
                    lines.push(std::mem::take(&mut line));
                    at = 0.0;
                }
                line.push(c);
                at += width;
            }
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(line);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_font_lacks_is_written_out() {
        let fonts = Fonts::read().unwrap();
        assert_eq!(fonts.shown("Žluťoučký Ωμέγα Щука – 5 €"), "Žluťoučký Ωμέγα Щука – 5 €");
        assert_eq!(fonts.shown("中\u{1b}\u{FEFF}\u{E000}"), "\\u{4e2d}\\u{1b}\\u{feff}\\u{e000}");
    }

    #[test]
    fn lines_are_no_wider_than_they_may_be_and_lose_nothing() {
        let cut = Fonts::read().unwrap().regular;
        for text in ["", "a", "some words in a row", "a-word-that-is-longer-than-any-line-may-be and more", "   blanks   "] {
            let lines = cut.lines(text, 8.0, 60.0);
            assert_eq!(lines.concat(), text);
            assert!(!lines.is_empty() && lines.iter().all(|line| cut.width(line.trim_end(), 8.0) <= 60.0), "{lines:?}");
        }
        assert_eq!(cut.lines("ab", 8.0, 0.1), ["a", "b"], "a line has one character at least");
    }

    #[test]
    fn each_character_has_its_glyph() {
        let cut = Fonts::read().unwrap().bold;
        let glyphs = cut.glyphs("aΩ b");
        assert_eq!(glyphs.iter().map(|glyph| glyph.text_range.clone()).collect::<Vec<_>>(), [0..1, 1..3, 3..4, 4..5]);
    }
}
