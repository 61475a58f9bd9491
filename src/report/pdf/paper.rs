//! The pages of a PDF as they fill: what is put down goes onto the page that is being filled, and that is written when it is full. Only the
//! structure of the document stays in memory.

use super::font::Fonts;
use crate::base::{Blame, Problem, Result};
use krilla::Document;
use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TagGroup, TagKind, TagTree};
use krilla::{SerializeSettings, paint};
use krilla_svg::{SurfaceExt as _, SvgSettings};

/// A4 across, in points.
pub(super) const WIDTH: f32 = 841.89;
const HEIGHT: f32 = 595.28;
/// Room at the edges.
pub(super) const EDGE: f32 = 36.0;
/// The lower edge of what is put down; below it stands the foot of the page.
const BOTTOM: f32 = HEIGHT - 44.0;
/// The width between the edges.
pub(super) const ROOM: f32 = WIDTH - 2.0 * EDGE;
/// The height of a page that can be filled.
pub(super) const TALL: f32 = BOTTOM - EDGE;

/// The colours of words: as on paper.
pub(super) const INK: [u8; 3] = [0x1d, 0x23, 0x28];
pub(super) const SOFT: [u8; 3] = [0x50, 0x59, 0x60];
const LINE: [u8; 3] = [0xc4, 0xc8, 0xc2];

/// Something on a page.
#[derive(Debug)]
enum Mark {
    Words { at: (f32, f32), size: f32, bold: bool, colour: [u8; 3], text: String },
    Rule { y: f32, from: f32, to: f32 },
    Picture { at: (f32, f32), size: (f32, f32), tree: Box<usvg::Tree> },
}

/// What marks on a page are: a piece of the structure, or nothing to be read.
#[derive(Clone, Copy, Debug)]
enum Is {
    /// The leaf of that number.
    Leaf(usize),
    /// Nothing to be read twice, such as a head that stands on each page.
    Ornament(ArtifactType),
}

/// A piece of the structure.
#[derive(Debug)]
pub(super) enum Part {
    /// A group of pieces.
    Group(TagKind, Vec<Self>),
    /// A leaf.
    Leaf(usize),
}

/// The pages.
pub(super) struct Paper<'f> {
    fonts: &'f Fonts,
    document: Document,
    marks: Vec<(Is, Vec<Mark>)>,
    /// Which leaf is which in the document, once its page is written.
    leaves: Vec<Option<Identifier>>,
    outline: Outline,
    pages: usize,
    foot: String,
    /// Where the next thing goes.
    pub(super) y: f32,
}

impl<'f> Paper<'f> {
    /// Empty pages, with `foot` at the foot of each.
    ///
    /// # Errors
    /// `E-report-003`, which is a bug.
    pub(super) fn new(fonts: &'f Fonts, foot: String) -> Result<Self> {
        // For archives (ISO 19005-2, level A) and for all readers (ISO 14289-1): what breaks a rule of theirs is never written.
        let made =
            ConfigurationBuilder::new().with_archival_validator(Archival::A2_A).with_accessibility_validator(Accessibility::UA1).finish();
        let configuration = made.map_err(|e| bug(&format!("{e:?}")))?;
        let settings = SerializeSettings { configuration, enable_tagging: true, ..SerializeSettings::default() };
        Ok(Self {
            fonts,
            document: Document::new_with(settings),
            marks: Vec::new(),
            leaves: Vec::new(),
            outline: Outline::new(),
            pages: 0,
            foot,
            y: EDGE,
        })
    }

    /// The fonts.
    pub(super) const fn fonts(&self) -> &'f Fonts {
        self.fonts
    }

    /// Whether `height` is left on this page.
    pub(super) fn fits(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    /// Goes on on another page, where `height` is not left on this one. Whether it did.
    ///
    /// # Errors
    /// As [`Self::turn`].
    pub(super) fn need(&mut self, height: f32) -> Result<bool> {
        let turned = !self.fits(height) && self.y > EDGE;
        if turned {
            self.turn()?;
        }
        Ok(turned)
    }

    /// Words on one line, with the baseline below the upper edge `y` as far as `size`, as a leaf of the structure.
    pub(super) fn words(&mut self, lines: Vec<(f32, f32, String)>, (size, bold): (f32, bool), colour: [u8; 3]) -> Part {
        let leaf = self.leaves.len();
        self.leaves.push(None);
        let words = |(x, y, text)| Mark::Words { at: (x, y + size), size, bold, colour, text };
        self.marks.push((Is::Leaf(leaf), lines.into_iter().map(words).collect()));
        Part::Leaf(leaf)
    }

    /// Words that are no part of the structure.
    pub(super) fn ornament(&mut self, lines: Vec<(f32, f32, String)>, (size, bold): (f32, bool), colour: [u8; 3]) {
        let words = |(x, y, text)| Mark::Words { at: (x, y + size), size, bold, colour, text };
        self.marks.push((Is::Ornament(ArtifactType::Layout), lines.into_iter().map(words).collect()));
    }

    /// A line across, at the height that was reached.
    pub(super) fn rule(&mut self, from: f32, to: f32) {
        self.marks.push((Is::Ornament(ArtifactType::Layout), vec![Mark::Rule { y: self.y, from, to }]));
    }

    /// A picture of that size at the height that was reached.
    pub(super) fn picture(&mut self, tree: usvg::Tree, size: (f32, f32)) -> Part {
        let leaf = self.leaves.len();
        self.leaves.push(None);
        self.marks.push((Is::Leaf(leaf), vec![Mark::Picture { at: (EDGE, self.y), size, tree: Box::new(tree) }]));
        Part::Leaf(leaf)
    }

    /// A line of the outline that leads to where the page stands.
    pub(super) fn entry(&mut self, text: &str) {
        let to = XyzDestination::new(self.pages, Point::from_xy(EDGE, self.y));
        self.outline.push_child(OutlineNode::new(text.to_owned(), to));
    }

    /// Writes the page, and begins the next one.
    ///
    /// # Errors
    /// `E-report-003`, which is a bug.
    pub(super) fn turn(&mut self) -> Result<()> {
        let number = format!("{} · page {}", self.foot, self.pages + 1);
        let foot = Mark::Words { at: (EDGE, HEIGHT - 24.0), size: 7.0, bold: false, colour: SOFT, text: number };
        self.marks.push((Is::Ornament(ArtifactType::Footer), vec![foot]));
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| bug("no page"))?;
        let mut page = self.document.start_page_with(settings);
        let mut surface = page.surface();
        for (is, marks) in self.marks.drain(..) {
            let tag = match (is, marks.first()) {
                (Is::Ornament(kind), _) => ContentTag::Artifact(Artifact::with_kind(kind)),
                (Is::Leaf(_), Some(Mark::Picture { .. })) => ContentTag::Other,
                (Is::Leaf(_), _) => ContentTag::Span(SpanTag::empty()),
            };
            let identifier = surface.start_tagged(tag);
            for mark in &marks {
                draw(&mut surface, self.fonts, mark);
            }
            surface.end_tagged();
            let leaf = if let Is::Leaf(leaf) = is { self.leaves.get_mut(leaf) } else { None };
            if let Some(leaf) = leaf {
                *leaf = Some(identifier);
            }
        }
        surface.finish();
        page.finish();
        self.pages += 1;
        self.y = EDGE;
        Ok(())
    }

    /// The file, with the structure `parts`.
    ///
    /// # Errors
    /// `E-report-003` where it would break a rule of its standards, which is a bug.
    pub(super) fn finish(mut self, metadata: Metadata, parts: Vec<Part>) -> Result<Vec<u8>> {
        if !self.marks.is_empty() || self.pages == 0 {
            self.turn()?;
        }
        let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
        for part in parts {
            if let Some(node) = part.node(&self.leaves) {
                tree.push(node);
            }
        }
        self.document.set_tag_tree(tree);
        self.document.set_outline(self.outline);
        self.document.set_metadata(metadata);
        self.document.finish().map_err(|e| bug(&format!("{e:?}")))
    }
}

impl Part {
    fn node(self, leaves: &[Option<Identifier>]) -> Option<Node> {
        match self {
            Self::Leaf(leaf) => leaves.get(leaf).copied().flatten().map(Node::from),
            Self::Group(tag, parts) => {
                let children = parts.into_iter().filter_map(|part| part.node(leaves)).collect();
                Some(Node::from(TagGroup::with_children(tag, children)))
            }
        }
    }
}

fn draw(surface: &mut Surface<'_>, fonts: &Fonts, mark: &Mark) {
    match mark {
        Mark::Words { at: (x, y), size, bold, colour, text } => {
            let cut = fonts.cut(*bold);
            surface.set_fill(Some(fill(*colour)));
            surface.draw_glyphs(Point::from_xy(*x, *y), &cut.glyphs(text), cut.font.clone(), text, *size, false);
        }
        Mark::Rule { y, from, to } => {
            let mut path = PathBuilder::new();
            if let Some(rect) = Rect::from_xywh(*from, *y, *to - *from, 0.5) {
                path.push_rect(rect);
            }
            surface.set_fill(Some(fill(LINE)));
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
        Mark::Picture { at: (x, y), size: (width, height), tree } => {
            surface.push_transform(&Transform::from_translate(*x, *y));
            if let Some(size) = Size::from_wh(*width, *height) {
                // A picture without its words would be none: they are words in the file, too.
                let drawn = surface.draw_svg(tree, size, SvgSettings { embed_text: true, filter_scale: 1.0 });
                debug_assert!(drawn.is_some());
            }
            surface.pop();
        }
    }
}

fn fill([red, green, blue]: [u8; 3]) -> Fill {
    Fill { paint: paint::Paint::from(rgb::Color::new(red, green, blue)), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

/// That our own making failed.
pub(super) fn bug(what: &str) -> Box<Problem> {
    Problem::new("E-report-003", Blame::Us, format!("the PDF cannot be made: {what}"), "report this as a bug")
}
