//! A report as one value, of which every form is made: a page, tables, a workbook and a PDF say the same.

use super::html::{self, listed, picture, registry_text, when, words};
use super::pdf::pdf;
use super::sheet::{Listed, Sheet, Stamp, TableForms};
use super::svg::Picture;
use super::table::{Cell, Shape};
use super::workbook::{Grid, workbook};
use crate::base::{Result, RunId, Timestamp, create_private_dir, write_atomic};
use maud::{Markup, html};
use std::path::{Path, PathBuf};

/// A report.
#[derive(Debug)]
pub(super) struct Document {
    /// The stem of its page's name.
    pub(super) name: &'static str,
    /// Its title.
    pub(super) title: String,
    /// What it comes to, in one sentence.
    pub(super) verdict: String,
    /// How that is to be taken, and what to do next.
    pub(super) next: (Mood, String),
    /// What the report rests on: name and value.
    pub(super) basis: Vec<(String, String)>,
    /// The few figures that are read first.
    pub(super) figures: Vec<(String, String)>,
    /// What there is to read, in order.
    pub(super) sections: Vec<Section>,
    /// Which data the report holds, and who may see it.
    pub(super) holds: String,
    /// What the workbook has besides the tables.
    pub(super) sheets: Vec<Grid>,
}

/// Whether somebody has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// Nobody has to.
    Good,
    /// Somebody should look.
    Warn,
    /// Somebody has to act.
    Bad,
}

/// A part of a report under one heading.
#[derive(Debug)]
pub(super) struct Section {
    /// Its anchor: letters and dashes.
    pub(super) id: &'static str,
    /// Its heading.
    pub(super) heading: String,
    /// What stands there, in order.
    pub(super) blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug)]
pub(super) enum Block {
    /// A paragraph, with `code` in it.
    Note(String),
    /// A picture; the table of its figures stands behind it.
    Chart(Picture),
    /// A table.
    Table(Listed),
    /// Rows that stand in another table's files, and in no sheet of their own.
    Excerpt(Listed),
}

/// What the files of a report state of its making.
#[derive(Clone, Debug)]
pub struct Making {
    /// The run.
    pub run_id: RunId,
    /// The version of Privet.
    pub tool_version: String,
    /// As of when everything holds.
    pub at: Timestamp,
    /// The forms in which its tables are left.
    pub forms: TableForms,
}

impl Making {
    /// For the tables' files.
    pub(super) fn stamp(&self) -> Stamp<'_> {
        Stamp { forms: self.forms, run_id: self.run_id.as_str(), tool_version: &self.tool_version }
    }
}

/// A folder that a report is put into: its tables as they grow, then the page over them.
#[derive(Debug)]
pub(super) struct Folder<'a> {
    dir: &'a Path,
    making: &'a Making,
    files: Vec<PathBuf>,
}

impl<'a> Folder<'a> {
    /// Opens the folder, which is made where it is not there.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn open(dir: &'a Path, making: &'a Making) -> Result<Self> {
        create_private_dir(dir)?;
        Ok(Self { dir, making, files: Vec::new() })
    }

    /// Begins a table that grows row by row.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn sheet(&self, shape: &'static Shape) -> Result<Sheet> {
        Sheet::create(self.dir, shape, self.making.stamp())
    }

    /// Ends a table.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn end(&mut self, sheet: Sheet) -> Result<Block> {
        let (listed, files) = sheet.finish()?;
        self.files.extend(files);
        Ok(Block::Table(listed))
    }

    /// Writes a table that is there as a whole.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn table(&mut self, shape: &'static Shape, rows: impl IntoIterator<Item = Vec<Cell>>) -> Result<Block> {
        let mut sheet = self.sheet(shape)?;
        rows.into_iter().try_for_each(|row| sheet.push(0, row))?;
        self.end(sheet)
    }

    /// Writes a file beside the tables.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.dir.join(name);
        write_atomic(&path, bytes)?;
        self.files.push(path);
        Ok(())
    }

    /// Writes the workbook, the PDF and the page of `document`, and names all files, the page last.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn finish(mut self, document: &Document) -> Result<Vec<PathBuf>> {
        self.file(&format!("{}.xlsx", document.name), &workbook(document, self.making)?)?;
        self.file(&format!("{}.pdf", document.name), &pdf(document, self.making)?)?;
        self.file(&format!("{}.html", document.name), document.page(self.making).as_bytes())?;
        Ok(self.files)
    }
}

impl Document {
    /// The page.
    fn page(&self, making: &Making) -> String {
        let (mood, next) = &self.next;
        let pairs = |all: &'_ [(String, String)]| all.iter().map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>();
        let figures = pairs(&self.figures);
        let body = html! {
            header {
                h1 { "Privet " (self.title) }
                p.verdict { (registry_text(&self.verdict)) }
                p class={ "next " (mood.class()) } { b { (mood.word()) ". " } (words(next)) }
                dl.run {
                    div { dt { "Run" } dd { (registry_text(making.run_id.as_str())) } }
                    div { dt { "As of" } dd { (when(making.at)) } }
                    @for (name, value) in &self.basis { div { dt { (name) } dd { (registry_text(value)) } } }
                }
                (html::figures(figures.iter().map(|(name, figure)| (name.as_str(), figure.as_str()))))
                (html::sections(self.sections.iter().map(|section| (section.id, section.heading.as_str()))))
            }
            main #main { @for section in &self.sections { (section.draw()) } }
            footer {
                p {
                    "Written by Privet " (registry_text(&making.tool_version)) ". Times are UTC. " (words(&self.holds))
                    " Each table also stands beside this page as CSV, JSON and Parquet; in CSV files a cell that a spreadsheet would take for a formula has a ' in front. "
                    "The workbook " (html::link(&format!("{}.xlsx", self.name))) " and the PDF " (html::link(&format!("{}.pdf", self.name))) " have what this page has."
                }
            }
        };
        html::page(&format!("{} {}", self.title, making.run_id.as_str()), &body)
    }
}

impl Section {
    fn draw(&self) -> Markup {
        html! {
            section aria-labelledby=(self.id) {
                h2 #(self.id) { (self.heading) }
                @for block in &self.blocks {
                    @match block {
                        Block::Note(text) => p { (words(text)) },
                        Block::Chart(shown) => (picture(shown)),
                        Block::Table(table) | Block::Excerpt(table) => (listed(table)),
                    }
                }
            }
        }
    }
}

impl Mood {
    const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    /// It in words: no meaning stands in a colour alone.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Good => "In order",
            Self::Warn => "To be looked at",
            Self::Bad => "To be acted upon",
        }
    }
}
