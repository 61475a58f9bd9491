//! A report as one workbook: a cover, a sheet for each of its tables, and what a report adds of its own. Equal facts give equal bytes.
//!
//! What is text in a table is text in its cell, whatever it begins with: nothing in a workbook is computed.

use super::document::{Block, Document, Making};
use super::sheet::Listed;
use super::table::Cell;
use super::verdict::{count, grouped};
use crate::base::{Blame, Problem, Result, escape_controls};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The most characters that a cell can hold.
const CELL: usize = 32_767;
/// The most characters of a sheet's name.
const NAME: usize = 31;
/// The widest column, in characters.
const WIDE: usize = 60;
/// Whole numbers up to this one are exact in a cell; larger ones are written as text.
const EXACT: u64 = 1 << 53;

/// A sheet that is no table of the page.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Its name.
    pub(super) name: String,
    /// What it holds, for the cover.
    pub(super) title: String,
    /// The columns' titles.
    pub(super) heads: Vec<String>,
    /// Its rows.
    pub(super) rows: Vec<Vec<Cell>>,
    /// How many more rows stand in the files of the table.
    pub(super) more: u64,
    /// Whether texts stand as they are, line breaks and all, to be read back.
    pub(super) exact: bool,
}

impl From<&Listed> for Grid {
    fn from(listed: &Listed) -> Self {
        let shape = listed.table.shape;
        Self {
            name: shape.name.to_owned(),
            title: shape.title.to_owned(),
            heads: shape.heads.iter().map(|head| head.title.to_owned()).collect(),
            rows: listed.table.rows.clone(),
            more: listed.more,
            exact: false,
        }
    }
}

/// The workbook of `document`.
///
/// # Errors
/// `E-report-003` where it cannot be made, which is a bug.
pub(super) fn workbook(document: &Document, making: &Making) -> Result<Vec<u8>> {
    bytes(document, making).map_err(|e| Problem::new("E-report-003", Blame::Us, e.to_string(), "report this as a bug"))
}

fn bytes(document: &Document, making: &Making) -> Result<Vec<u8>, XlsxError> {
    let tables = document.sections.iter().flat_map(|section| &section.blocks).filter_map(|block| match block {
        Block::Table(listed) => Some(Grid::from(listed)),
        Block::Note(_) | Block::Chart(_) | Block::Excerpt(_) => None,
    });
    let mut grids: Vec<Cow<'_, Grid>> = tables.map(Cow::Owned).collect();
    grids.extend(document.sheets.iter().map(Cow::Borrowed));
    let mut taken = BTreeSet::from(["cover".to_owned()]);
    let names: Vec<String> = grids.iter().map(|grid| free(&grid.name, &mut taken)).collect();
    let mut book = Workbook::new();
    let created = ExcelDateTime::from_timestamp(making.at.as_second())?;
    let title = format!("Privet {}", document.title);
    let company = format!("Privet {}", making.tool_version);
    book.set_properties(&DocProperties::new().set_title(title).set_company(company).set_creation_datetime(&created));
    cover(book.add_worksheet(), document, making, &grids, &names)?;
    for (grid, name) in grids.iter().zip(&names) {
        fill(book.add_worksheet().set_name(name)?, grid)?;
    }
    book.save_to_buffer()
}

/// The first sheet: what the report says, what it rests on, and what stands where.
fn cover(sheet: &mut Worksheet, document: &Document, making: &Making, grids: &[Cow<'_, Grid>], names: &[String]) -> Result<(), XlsxError> {
    let (bold, folded) = (Format::new().set_bold(), Format::new().set_text_wrap().set_align(FormatAlign::Top));
    sheet.set_name("cover")?;
    sheet.set_column_width(0, 34)?.set_column_width(1, 90)?;
    let (mood, next) = &document.next;
    let mut lines: Vec<(String, String)> = vec![
        (format!("Privet {}", document.title), document.verdict.clone()),
        (mood.word().to_owned(), next.replace('`', "")),
        ("Run".to_owned(), making.run_id.to_string()),
        ("As of".to_owned(), making.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()),
    ];
    lines.extend(document.basis.iter().chain(&document.figures).cloned());
    lines.push(("What it holds".to_owned(), document.holds.replace('`', "")));
    lines.push(("Sheet".to_owned(), "What stands there".to_owned()));
    lines.extend(grids.iter().zip(names).map(|(grid, name)| {
        let rows = count(grid.rows.len() as u64, "row", "rows");
        let more = rest(grid).map(|rest| format!("; {rest}")).unwrap_or_default();
        (name.clone(), format!("{}: {rows}{more}", grid.title))
    }));
    for (row, (name, value)) in (0_u32..).zip(&lines) {
        sheet.write_string_with_format(row, 0, shown(name, false), &bold)?;
        sheet.write_string_with_format(row, 1, shown(value, false), &folded)?;
    }
    Ok(())
}

/// A table: its head stays in sight and filters.
fn fill(sheet: &mut Worksheet, grid: &Grid) -> Result<(), XlsxError> {
    let (bold, folded) = (Format::new().set_bold().set_text_wrap(), Format::new().set_text_wrap().set_align(FormatAlign::Top));
    let mut widths: Vec<usize> = grid.heads.iter().map(|head| head.chars().count()).collect();
    for (at, head) in (0_u16..).zip(&grid.heads) {
        sheet.write_string_with_format(0, at, shown(head, false), &bold)?;
    }
    for (row, cells) in (1_u32..).zip(&grid.rows) {
        for ((at, cell), width) in (0_u16..).zip(cells).zip(&mut widths) {
            match cell {
                Cell::Text(text) => {
                    let text = shown(text, grid.exact);
                    *width = (*width).max(text.chars().count());
                    sheet.write_string_with_format(row, at, text, &folded)?;
                }
                Cell::Int(n) if n.unsigned_abs() <= EXACT => {
                    *width = (*width).max(n.to_string().len());
                    sheet.write_number_with_format(row, at, *n as f64, &folded)?;
                }
                Cell::Int(n) => {
                    sheet.write_string_with_format(row, at, n.to_string(), &folded)?;
                }
                Cell::Empty => {}
            }
        }
    }
    for (at, width) in (0_u16..).zip(widths) {
        sheet.set_column_width(at, u32::try_from(width.min(WIDE) + 3).unwrap_or_default())?;
    }
    let rows = u32::try_from(grid.rows.len()).unwrap_or(u32::MAX);
    sheet.set_freeze_panes(1, 0)?;
    if let Some(last) = u16::try_from(grid.heads.len()).ok().and_then(|columns| columns.checked_sub(1)) {
        sheet.autofilter(0, 0, rows, last)?;
    }
    if let Some(rest) = rest(grid) {
        sheet.write_string_with_format(rows.saturating_add(2), 0, rest, &Format::new().set_italic())?;
    }
    Ok(())
}

/// How many more rows there are, and where.
fn rest(grid: &Grid) -> Option<String> {
    let name = &grid.name;
    (grid.more > 0).then(|| {
        let verb = if grid.more == 1 { "row stands" } else { "rows stand" };
        format!("{} more {verb} in {name}.csv, {name}.json and {name}.parquet", grouped(grid.more))
    })
}

/// `text` as a cell shows it. What is too long for one is cut, and says so.
fn shown(text: &str, exact: bool) -> String {
    const CUT: &str = " (cut here: the CSV, JSON and Parquet files have it whole)";
    let text = if exact { text.to_owned() } else { escape_controls(text) };
    // A cell counts UTF-16 units.
    if text.encode_utf16().count() <= CELL {
        return text;
    }
    let mut room = CELL - CUT.len();
    let fits = |c: &char| {
        let left = room.checked_sub(c.len_utf16());
        room = left.unwrap_or_default();
        left.is_some()
    };
    text.chars().take_while(fits).chain(CUT.chars()).collect()
}

/// A name for a sheet that no other has: programs tell them apart without regard to case, and up to 31 characters.
fn free(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: String = wanted.chars().map(|c| if "[]:*?/\\'".contains(c) || c.is_control() { '-' } else { c }).collect();
    let names = (1_u32..).map(|n| {
        let end = if n == 1 { String::new() } else { format!("-{n}") };
        plain.chars().take(NAME - end.len()).collect::<String>() + &end
    });
    let mut names = names.filter(|name| !taken.contains(&name.to_lowercase()));
    let name = names.next().unwrap_or_default();
    taken.insert(name.to_lowercase());
    name
}

#[cfg(test)]
mod tests {
    use super::super::document::{Mood, Section};
    use super::super::sheet::TableForms;
    use super::super::table::{Shape, Table};
    use super::super::tables::{int, text};
    use super::*;
    use crate::base::RunId;
    use calamine::{Data, Reader as _, Xlsx};
    use std::io::Cursor;

    const SHAPE: Shape = Shape { name: "few", title: "Few", heads: &[text("name", "Name"), int("n", "N")] };
    const AWKWARD: [&str; 8] = ["=1+1", "+49.30", "@SUM(A1)", "{=1}", "http://www.example/", "internal:cover!A1", "_x0041_ & <b>", "00123"];

    fn document(rows: Vec<Vec<Cell>>, more: u64) -> Document {
        let listed = Listed { table: Table { shape: &SHAPE, rows }, more };
        Document {
            name: "few",
            title: "few".into(),
            verdict: "All is =well.".into(),
            next: (Mood::Good, "See `it`.".into()),
            basis: vec![("Rules".into(), "r 1".into())],
            figures: vec![("Items".into(), "1,000".into())],
            sections: vec![Section { id: "few", heading: "Few".into(), blocks: vec![Block::Table(listed)] }],
            holds: "Nothing.".into(),
            sheets: Vec::new(),
        }
    }

    fn making(at: &str) -> Making {
        Making { run_id: RunId::new("r-1"), tool_version: "0".into(), at: at.parse().unwrap(), forms: TableForms::ALL }
    }

    fn cells(bytes: Vec<u8>, sheet: &str) -> Vec<Vec<Data>> {
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
        assert!(book.worksheet_formula(sheet).unwrap().is_empty(), "nothing is computed");
        book.worksheet_range(sheet).unwrap().rows().map(<[Data]>::to_vec).collect()
    }

    #[test]
    fn text_stays_text_and_numbers_are_numbers() {
        let rows = AWKWARD.iter().map(|text| vec![Cell::from(*text), Cell::Int(-7)]).collect();
        let read = cells(workbook(&document(rows, 0), &making("2026-11-22T02:00:00Z")).unwrap(), "few");
        assert_eq!(read[0], ["Name", "N"].map(|head| Data::String(head.into())));
        assert_eq!(read[1..].iter().map(|row| row[0].clone()).collect::<Vec<_>>(), AWKWARD.map(|text| Data::String(text.into())));
        assert!(read[1..].iter().all(|row| row[1] == Data::Float(-7.0)));
    }

    #[test]
    fn the_same_facts_give_the_same_bytes() {
        let made = |at: &str| workbook(&document(vec![vec!["a".into(), 1_u64.into()]], 0), &making(at)).unwrap();
        assert_eq!(made("2026-11-22T02:00:00Z"), made("2026-11-22T02:00:00Z"));
        assert_ne!(made("2026-11-22T02:00:00Z"), made("2026-11-22T02:00:01Z"), "the time is the run's");
    }

    #[test]
    fn what_is_not_there_is_counted_on_the_cover_and_on_the_sheet() {
        let bytes = workbook(&document(vec![vec!["a".into(), Cell::Empty]], 12_345), &making("2026-11-22T02:00:00Z")).unwrap();
        let told = Data::String("12,345 more rows stand in few.csv, few.json and few.parquet".into());
        assert_eq!(cells(bytes.clone(), "few").last().unwrap()[0], told);
        let cover = format!("{:?}", cells(bytes, "cover"));
        assert!(cover.contains("Few: 1 row; 12,345 more rows stand in") && cover.contains("All is =well."), "{cover}");
    }

    #[test]
    fn what_no_cell_can_hold_is_cut_and_says_so() {
        let long = shown(&"ö".repeat(CELL + 1), false);
        assert!(long.chars().count() <= CELL && long.ends_with("have it whole)"));
        assert_eq!(shown(&"𝒳".repeat(CELL), false).encode_utf16().count(), CELL - 1, "a character is never halved");
        assert_eq!(shown("a\u{1b}\nb", false), "a\\u{1b}\\u{a}b");
        let huge = vec![vec![Cell::from(u64::MAX), Cell::Int(1 << 53)]];
        let read = cells(workbook(&document(huge, 0), &making("2026-11-22T02:00:00Z")).unwrap(), "few");
        assert_eq!(read[1], [Data::String(i64::MAX.to_string()), Data::Float(9_007_199_254_740_992.0)]);
    }

    #[test]
    fn sheets_have_names_of_their_own() {
        let mut taken = BTreeSet::new();
        let long = "a-name-that-is-longer-than-any-sheet-may-have";
        let names = [long, &long.to_uppercase(), "a/b", "a:b"].map(|name| free(name, &mut taken));
        assert_eq!(names, ["a-name-that-is-longer-than-any-", "A-NAME-THAT-IS-LONGER-THAN-AN-2", "a-b", "a-b-2"]);
    }
}
