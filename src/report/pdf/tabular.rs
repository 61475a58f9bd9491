//! A table on paper: columns as wide as what stands in them, as far as the paper goes, and its head on every page.

use super::font::Fonts;
use super::paper::{EDGE, INK, Paper, Part, ROOM, SOFT, TALL};
use crate::base::Result;
use crate::report::table::{Cell, Kind, Table};
use crate::report::verdict::grouped;
use krilla::tagging::{TableHeaderScope, Tag};

/// Sizes of type, from the one that is tried first.
const SIZES: [f32; 4] = [8.0, 7.0, 6.2, 5.4];
/// Room beside a cell.
const PAD: f32 = 5.0;
/// Lines in shares of their size.
const LEADING: f32 = 1.28;
/// The widest column, in sizes of type, where there is not room for all.
const WIDE: f32 = 22.0;
/// Rows by which the columns' widths are found.
const LOOKED: usize = 400;
/// What stands at the end of a cell that is longer than a page.
const CUT: &str = "(cut here: the CSV, JSON and Parquet files have it whole)";

/// Puts the table down, and tells what it is.
///
/// # Errors
/// As [`Paper::turn`].
pub(super) fn table(paper: &mut Paper<'_>, fonts: &Fonts, table: &Table) -> Result<Part> {
    let columns = Columns::of(fonts, table);
    let head: Vec<Vec<String>> = columns.lines(fonts, table.shape.heads.iter().map(|head| head.title.to_owned()), true);
    let (title, step) = (fonts.shown(table.shape.title), columns.size * LEADING);
    // Caption, head and a row stay together.
    paper.need(14.0 + columns.height(&head) + 3.0 * step)?;
    let caption = paper.words(vec![(EDGE, paper.y, title)], (9.0, true), INK);
    paper.y += 14.0;
    let heads = columns.put(paper, &head, (true, SOFT), |_| Tag::TH(TableHeaderScope::Column).into());
    let mut rows = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let kinds = table.shape.heads.iter().map(|head| head.kind);
        let cells = columns.lines(fonts, row.iter().zip(kinds).map(|(cell, kind)| told(cell, kind)), false);
        if paper.need(columns.height(&cells))? {
            columns.again(paper, &head);
        }
        let tag = |n: usize| if n == 0 { Tag::TH(TableHeaderScope::Row).into() } else { Tag::TD.into() };
        rows.push(Part::Group(Tag::TR.into(), columns.put(paper, &cells, (false, INK), tag)));
    }
    let head = Part::Group(Tag::THead.into(), vec![Part::Group(Tag::TR.into(), heads)]);
    let body = Part::Group(Tag::TBody.into(), rows);
    Ok(Part::Group(Tag::Table.into(), vec![Part::Group(Tag::Caption.into(), vec![caption]), head, body]))
}

/// The columns of a table.
struct Columns {
    size: f32,
    widths: Vec<f32>,
    /// Whether figures stand in it, at the right.
    figures: Vec<bool>,
}

impl Columns {
    fn of(fonts: &Fonts, table: &Table) -> Self {
        let heads = table.shape.heads;
        // At size 1: the widest cell of each column, and its widest word.
        let mut natural = vec![(0.0_f32, 0.0_f32); heads.len()];
        let mut look = |n: usize, text: &str, bold: bool| {
            let cut = fonts.cut(bold);
            let Some((whole, word)) = natural.get_mut(n) else { return };
            *whole = whole.max(cut.width(text, 1.0));
            *word = text.split(' ').map(|part| cut.width(part, 1.0)).fold(*word, f32::max);
        };
        for (n, head) in heads.iter().enumerate() {
            look(n, head.title, true);
        }
        for row in table.rows.iter().take(LOOKED) {
            for (n, (cell, head)) in row.iter().zip(heads).enumerate() {
                look(n, &fonts.shown(&told(cell, head.kind)), false);
            }
        }
        let figures = heads.iter().map(|head| head.kind == Kind::Int).collect();
        let room = |size: f32| (ROOM - PAD * heads.len() as f32) / size;
        let wanted = |size: f32| natural.iter().map(|(whole, word)| whole.min(WIDE.max(*word))).sum::<f32>() <= room(size);
        let size = SIZES.into_iter().find(|size| wanted(*size)).or(SIZES.last().copied()).unwrap_or(6.0);
        let whole: Vec<f32> = natural.iter().map(|(whole, _)| *whole).collect();
        let widths = share(&whole, room(size)).into_iter().map(|width| width * size + PAD).collect();
        Self { size, widths, figures }
    }

    /// The cells of a row in lines, each as wide as its column; no more than a page has.
    fn lines(&self, fonts: &Fonts, cells: impl Iterator<Item = String>, bold: bool) -> Vec<Vec<String>> {
        let cut = fonts.cut(bold);
        let lines = |(text, width): (String, &f32)| {
            let mut lines = cut.lines(&fonts.shown(&text), self.size, width - PAD);
            let most = (0_u16..500).take_while(|n| f32::from(*n) * self.size * LEADING < TALL - 90.0).count();
            if lines.len() > most {
                let end = cut.lines(CUT, self.size, width - PAD);
                lines.truncate(most.saturating_sub(end.len()));
                lines.extend(end);
            }
            lines
        };
        cells.zip(&self.widths).map(lines).collect()
    }

    fn height(&self, cells: &[Vec<String>]) -> f32 {
        let lines = cells.iter().map(Vec::len).max().unwrap_or_default();
        lines as f32 * self.size * LEADING + 3.5
    }

    /// Puts a row down, and tells what its cells are.
    fn put(
        &self,
        paper: &mut Paper<'_>,
        cells: &[Vec<String>],
        (bold, colour): (bool, [u8; 3]),
        tag: impl Fn(usize) -> krilla::tagging::TagKind,
    ) -> Vec<Part> {
        let mut parts = Vec::with_capacity(cells.len());
        for (n, lines) in self.placed(paper, cells, bold).into_iter().enumerate() {
            parts.push(Part::Group(tag(n), vec![paper.words(lines, (self.size, bold), colour)]));
        }
        self.under(paper, cells);
        parts
    }

    /// Puts the head down once more, on another page.
    fn again(&self, paper: &mut Paper<'_>, head: &[Vec<String>]) {
        for lines in self.placed(paper, head, true) {
            paper.ornament(lines, (self.size, true), SOFT);
        }
        self.under(paper, head);
    }

    /// The lines of each cell with their places.
    fn placed(&self, paper: &Paper<'_>, cells: &[Vec<String>], bold: bool) -> Vec<Vec<(f32, f32, String)>> {
        let cut = paper.fonts().cut(bold);
        let mut left = EDGE;
        let mut placed = Vec::with_capacity(cells.len());
        for ((lines, width), figures) in cells.iter().zip(&self.widths).zip(&self.figures) {
            let place = |(n, line): (usize, &String)| {
                let x = if *figures { left + width - PAD - cut.width(line.trim_end(), self.size) } else { left };
                (x, paper.y + n as f32 * self.size * LEADING, line.clone())
            };
            placed.push(lines.iter().enumerate().map(place).collect());
            left += width;
        }
        placed
    }

    /// Draws the line below a row.
    fn under(&self, paper: &mut Paper<'_>, cells: &[Vec<String>]) {
        paper.y += self.height(cells) - 1.5;
        paper.rule(EDGE, EDGE + self.widths.iter().sum::<f32>());
        paper.y += 1.5;
    }
}

/// Widths of columns that want `natural` and have `room` in all: what wants less than an equal share gets what it wants.
fn share(natural: &[f32], room: f32) -> Vec<f32> {
    let mut given: Vec<Option<f32>> = vec![None; natural.len()];
    loop {
        let left = room - given.iter().flatten().sum::<f32>();
        let open = given.iter().filter(|one| one.is_none()).count();
        if open == 0 {
            break;
        }
        let equal = (left / open as f32).max(1.0);
        let mut fits = false;
        for (want, slot) in natural.iter().zip(&mut given) {
            if slot.is_none() && *want <= equal {
                *slot = Some(*want);
                fits = true;
            }
        }
        if !fits {
            for slot in given.iter_mut().filter(|slot| slot.is_none()) {
                *slot = Some(equal);
            }
        }
    }
    given.into_iter().map(Option::unwrap_or_default).collect()
}

/// A cell in words, as the page has it.
fn told(cell: &Cell, kind: Kind) -> String {
    match cell {
        Cell::Text(text) if kind == Kind::Words => text.replace('`', ""),
        Cell::Text(text) => text.clone(),
        Cell::Int(n) if *n < 0 => format!("−{}", grouped(n.unsigned_abs())),
        Cell::Int(n) => grouped(n.unsigned_abs()),
        Cell::Empty => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn columns_share_the_paper() {
        assert_eq!(share(&[10.0, 20.0, 30.0], 100.0), [10.0, 20.0, 30.0], "there is room for all");
        assert_eq!(share(&[10.0, 200.0, 300.0], 100.0), [10.0, 45.0, 45.0]);
        assert_eq!(share(&[200.0, 40.0, 5.0], 100.0), [55.0, 40.0, 5.0]);
        assert_eq!(share(&[50.0; 4], 2.0), [1.0; 4], "each has some");
        assert!(share(&[], 100.0).is_empty());
    }
}
