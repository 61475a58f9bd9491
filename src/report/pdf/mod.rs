//! A report as a PDF: what its page says, for archives and for all readers (PDF/A-2a, PDF/UA-1). Equal facts give equal bytes.
//!
//! It carries its font; what that cannot show is written out as `\u{…}`, and the file says so.

mod figure;
mod font;
mod paper;
mod tabular;

use super::document::{Block, Document, Making, Section};
use super::sheet::Listed;
use super::svg::Picture;
use super::verdict::grouped;
use crate::base::{Result, Timestamp};
use font::Fonts;
use jiff::tz::TimeZone;
use krilla::metadata::{DateTime, Metadata};
use krilla::tagging::{Tag, TagKind};
use paper::{EDGE, INK, Paper, Part, ROOM, SOFT, TALL};
use std::num::NonZeroU16;
use std::sync::Arc;
use usvg::fontdb::Database;

/// The width of running text, in points.
const TEXT: f32 = 560.0;
/// The most characters of what tells a picture to those who do not see it.
const ALT: usize = 2_000;

/// The PDF of `document`.
///
/// # Errors
/// `E-report-003` where it cannot be made, which is a bug.
pub(super) fn pdf(document: &Document, making: &Making) -> Result<Vec<u8>> {
    let fonts = Fonts::read()?;
    let foot = fonts.shown(&format!("Privet {} · {}", document.title, making.run_id));
    let mut writer = Writer { fonts: &fonts, pictures: Fonts::database(), paper: Paper::new(&fonts, foot)?, parts: Vec::new() };
    writer.front(document, making)?;
    for section in &document.sections {
        writer.section(section)?;
    }
    writer.gap(10.0);
    let written = format!(
        "Written by Privet {}. Times are UTC. {} Each table also stands beside this file as CSV, JSON and Parquet, and the page {}.html has pictures and tables that can be sorted. A character that the font of this file lacks is written as its number in Unicode, like \\u{{4e2d}}; the other files have it.",
        making.tool_version, document.holds, document.name
    );
    let last = writer.paragraph(&written, (7.5, false), SOFT, Tag::P.into())?;
    writer.parts.push(last);
    let title = format!("Privet {}, {}", document.title, making.run_id);
    let mut metadata = Metadata::new()
        .title(fonts.shown(&title))
        .description(fonts.shown(&document.verdict))
        .creator(fonts.shown(&format!("Privet {}", making.tool_version)))
        .language("en".to_owned())
        // Nothing of the machine or of the hour is in it: an id of the run, and the run's time.
        .document_id(fonts.shown(&format!("{} {}", making.run_id, document.name)));
    if let Some(date) = date(making.at) {
        metadata = metadata.creation_date(date);
    }
    writer.paper.finish(metadata, writer.parts)
}

/// A PDF as it is written.
struct Writer<'f> {
    fonts: &'f Fonts,
    pictures: Arc<Database>,
    paper: Paper<'f>,
    parts: Vec<Part>,
}

impl Writer<'_> {
    /// What is read first.
    fn front(&mut self, document: &Document, making: &Making) -> Result<()> {
        let title = format!("Privet {}", document.title);
        let heading = self.heading(1, &title, (11.0, SOFT))?;
        self.parts.push(heading);
        let verdict = self.paragraph(&document.verdict, (19.0, true), INK, Tag::P.into())?;
        self.parts.push(verdict);
        self.gap(4.0);
        let (mood, next) = &document.next;
        let next = self.paragraph(&format!("{}. {}", mood.word(), bare(next)), (10.0, true), INK, Tag::P.into())?;
        self.parts.push(next);
        self.gap(6.0);
        let at = making.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        let run = [("Run".to_owned(), making.run_id.to_string()), ("As of".to_owned(), at)];
        for (name, value) in run.iter().chain(&document.basis).chain(&document.figures) {
            let line = self.paragraph(&format!("{name}: {value}"), (9.0, false), INK, Tag::P.into())?;
            self.parts.push(line);
        }
        Ok(())
    }

    fn section(&mut self, section: &Section) -> Result<()> {
        self.gap(16.0);
        // A heading is never left alone at the foot of a page: what comes first below it goes with it.
        let first = section.blocks.iter().find(|block| !matches!(block, Block::Note(_)));
        let tall = match first {
            Some(Block::Chart(picture)) if !picture.is_empty() => Self::size(&self.drawn(picture)?).1 + 26.0,
            _ => 75.0,
        };
        let notes = section.blocks.iter().take_while(|block| matches!(block, Block::Note(_))).count();
        self.paper.need((45.0 + notes as f32 * 30.0 + tall).min(TALL))?;
        self.paper.rule(EDGE, EDGE + ROOM);
        self.gap(5.0);
        let mut parts = vec![self.heading(2, &section.heading, (13.0, INK))?];
        self.gap(3.0);
        for block in &section.blocks {
            match block {
                Block::Note(text) => {
                    parts.push(self.paragraph(&bare(text), (9.0, false), INK, Tag::P.into())?);
                    self.gap(4.0);
                }
                Block::Chart(picture) => parts.extend(self.picture(picture)?),
                Block::Table(listed) | Block::Excerpt(listed) => parts.extend(self.table(listed)?),
            }
        }
        self.parts.push(Part::Group(Tag::Section.into(), parts));
        Ok(())
    }

    fn heading(&mut self, level: u16, text: &str, (size, colour): (f32, [u8; 3])) -> Result<Part> {
        let text = self.fonts.shown(text);
        self.paper.entry(&text);
        let tag = Tag::Hn(NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN), Some(text.clone()));
        self.paragraph(&text, (size, true), colour, tag.into())
    }

    /// Running text. It may go over several pages.
    fn paragraph(&mut self, text: &str, (size, bold): (f32, bool), colour: [u8; 3], tag: TagKind) -> Result<Part> {
        let text = self.fonts.shown(text);
        let height = size * 1.35;
        let mut leaves = Vec::new();
        let mut lines = self.fonts.cut(bold).lines(&text, size, TEXT.min(ROOM)).into_iter().peekable();
        while lines.peek().is_some() {
            self.paper.need(height)?;
            let mut here = Vec::new();
            while self.paper.fits(height) || here.is_empty() {
                let Some(line) = lines.next() else { break };
                here.push((EDGE, self.paper.y, line));
                self.paper.y += height;
            }
            leaves.push(self.paper.words(here, (size, bold), colour));
        }
        Ok(Part::Group(tag, leaves))
    }

    /// A picture below its caption; nothing of one that has nothing to show.
    fn picture(&mut self, picture: &Picture) -> Result<Option<Part>> {
        if picture.is_empty() {
            return Ok(None);
        }
        let tree = self.drawn(picture)?;
        let (width, height) = Self::size(&tree);
        self.gap(6.0);
        self.paper.need(height + 26.0)?;
        let caption = self.paragraph(picture.title(), (9.0, true), INK, Tag::Caption.into())?;
        self.gap(3.0);
        let drawn = self.paper.picture(tree, (width, height));
        self.paper.y += height + 6.0;
        let alt: String = self.fonts.shown(&format!("{}. {}", picture.title(), picture.desc())).chars().take(ALT).collect();
        Ok(Some(Part::Group(Tag::Figure(Some(alt)).into(), vec![caption, drawn])))
    }

    fn drawn(&self, picture: &Picture) -> Result<usvg::Tree> {
        figure::tree(&picture.draw().into_string(), self.fonts, &self.pictures)
    }

    /// How wide and tall a picture is on paper: one that is taller than a page is made smaller.
    fn size(tree: &usvg::Tree) -> (f32, f32) {
        const MOST: f32 = TALL - 30.0;
        let (width, height) = (tree.size().width() * figure::POINTS, tree.size().height() * figure::POINTS);
        if height > MOST { (width * MOST / height, MOST) } else { (width, height) }
    }

    /// A table, and how many more rows there are where.
    fn table(&mut self, listed: &Listed) -> Result<Vec<Part>> {
        let shape = listed.table.shape;
        self.gap(6.0);
        if listed.table.rows.is_empty() {
            return Ok(vec![self.paragraph(&format!("{}: none.", shape.title), (9.0, false), INK, Tag::P.into())?]);
        }
        let mut parts = vec![tabular::table(&mut self.paper, self.fonts, &listed.table)?];
        if listed.more > 0 {
            self.gap(3.0);
            let verb = if listed.more == 1 { "row stands" } else { "rows stand" };
            let (more, name) = (grouped(listed.more), shape.name);
            let told = format!("{more} more {verb} in {name}.csv, {name}.json and {name}.parquet; these are the ones that matter most.");
            parts.push(self.paragraph(&told, (8.5, false), INK, Tag::P.into())?);
        }
        self.gap(6.0);
        Ok(parts)
    }

    fn gap(&mut self, height: f32) {
        self.paper.y += height;
    }
}

/// Words without the marks of `code`.
fn bare(text: &str) -> String {
    text.replace('`', "")
}

/// A time as a PDF has it.
fn date(at: Timestamp) -> Option<DateTime> {
    let at = at.to_zoned(TimeZone::UTC);
    let part = |n: i8| u8::try_from(n).ok();
    let date = DateTime::new(u16::try_from(at.year()).ok()?).month(part(at.month())?).day(part(at.day())?);
    Some(date.hour(part(at.hour())?).minute(part(at.minute())?).second(part(at.second())?).utc_offset_hour(0))
}

#[cfg(test)]
mod tests;
