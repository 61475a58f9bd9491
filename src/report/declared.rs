//! What a controller declares, on a sheet of the record's workbook and back from it. A workbook from outside is a hostile archive until it was
//! measured: it is inflated once, within bounds, before anything reads it as a workbook.

use super::workbook::Grid;
use crate::base::{Blame, Exit, Problem, Result, escape_controls, read_capped};
use crate::compliance::processing::{DECLARED, RecordPack};
use calamine::{DataRef, Reader as _, Xlsx};
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::Path;

/// The sheet's name.
const SHEET: &str = "declared";
/// Its columns; what stands under the second is for people.
const HEADS: [&str; 3] = ["field", "title", "value"];
/// The largest workbook that is read.
const FILE_CAP: u64 = 16 << 20;
/// The most bytes that all of its parts may come to.
const INFLATED_CAP: u64 = 128 << 20;
/// The most parts.
const PARTS_CAP: usize = 2_000;
/// The most shared strings that a part may announce: room is made for as many before one is read.
const STRINGS_CAP: u64 = 4_000_000;
/// The most rows of the sheet that may hold anything.
const ROWS_CAP: u32 = 200;
/// The most cells of the sheet, empty ones with a form among them.
const CELLS_CAP: usize = 100_000;
/// The most characters of a value.
const VALUE_CAP: usize = 10_000;

/// The sheet to be filled in, with what is `declared` already.
pub(super) fn sheet(pack: &RecordPack, declared: &BTreeMap<String, String>) -> Grid {
    let title = |key: &str| pack.fields.iter().find(|field| &*field.id == key).map_or("", |field| &*field.title);
    Grid {
        name: SHEET.to_owned(),
        title: "What the controller declares: fill in `value`, then `privet report declared`".replace('`', ""),
        heads: HEADS.map(str::to_owned).into(),
        rows: DECLARED.iter().map(|key| vec![(*key).into(), title(key).into(), declared.get(*key).cloned().into()]).collect(),
        more: 0,
        exact: true,
    }
}

/// What is declared on the sheet `declared` of the workbook at `path`, by field. A field without a value is not declared.
///
/// # Errors
/// `E-report-004` where it is no workbook, or one too large; `E-report-005` where the sheet is not there, or a cell of it, told with its row
/// and column, is not what belongs there; `E-file-005` and `E-file-006` where the file cannot be read.
pub fn read_declared(path: &Path) -> Result<BTreeMap<String, String>> {
    let bytes = read_capped(path, FILE_CAP)?;
    measure(&bytes).map_err(|what| broken(what, path))?;
    let unread = |e: &dyn std::fmt::Display| broken(format!("it cannot be read as a workbook: {}", escape_controls(&e.to_string())), path);
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|e| unread(&e))?;
    if !book.sheet_names().iter().any(|name| name == SHEET) {
        return Err(refused(format!("it has no sheet `{SHEET}`"), path));
    }
    let mut cells = book.worksheet_cells_reader(SHEET).map_err(|e| unread(&e))?;
    let mut rows: BTreeMap<u32, [Option<String>; HEADS.len()]> = BTreeMap::new();
    let mut met = 0_usize;
    while let Some(cell) = cells.next_cell().map_err(|e| unread(&e))? {
        met += 1;
        if met > CELLS_CAP {
            return Err(refused(format!("the sheet has more than {CELLS_CAP} cells"), path));
        }
        let (row, column) = cell.get_position();
        let here = |what: String| refused(what, path).line(u64::from(row) + 1).column(u64::from(column) + 1);
        let text = match cell.get_value() {
            DataRef::Empty => continue,
            DataRef::String(text) => text.clone(),
            DataRef::SharedString(text) => (*text).to_owned(),
            _ => return Err(here("the cell holds a number, a date or an error: form it as text, and write it again".to_owned())),
        };
        if text.trim().is_empty() {
            continue;
        }
        let head = HEADS.get(column as usize).ok_or_else(|| here("there is a text beside the three columns".to_owned()))?;
        if row >= ROWS_CAP {
            return Err(here(format!("the sheet has more than {ROWS_CAP} rows")));
        }
        if text.chars().count() > VALUE_CAP {
            return Err(here(format!("the text is longer than {VALUE_CAP} characters")).field(*head));
        }
        if let Some(slot) = rows.entry(row).or_default().get_mut(column as usize) {
            *slot = Some(text);
        }
    }
    let head = rows.remove(&0).unwrap_or_default();
    for (n, (found, wanted)) in (1_u64..).zip(head.iter().zip(HEADS)) {
        if found.as_deref() != Some(wanted) {
            return Err(refused(format!("the column's head is not `{wanted}`"), path).line(1).column(n));
        }
    }
    let mut declared = BTreeMap::new();
    for (row, [field, _, value]) in rows {
        let here = |what: String, column: u64| refused(what, path).line(u64::from(row) + 1).column(column);
        let Some(field) = field else {
            if value.is_some() {
                return Err(here("there is a value, and no field before it".to_owned(), 1));
            }
            continue;
        };
        if !DECLARED.contains(&field.as_str()) {
            let what = format!("`{}` is no field that is declared; known: {}", escape_controls(&field), DECLARED.join(", "));
            return Err(here(what, 1));
        }
        if let Some(value) = value
            && declared.insert(field, value).is_some()
        {
            return Err(here("the field has a value already".to_owned(), 1));
        }
    }
    Ok(declared)
}

/// What keeps an archive from being read in bounded memory. Sizes that it states of itself are not believed.
fn measure(bytes: &[u8]) -> Result<(), String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| format!("it is no archive: {e}"))?;
    if archive.len() > PARTS_CAP {
        return Err(format!("it has more than {PARTS_CAP} parts"));
    }
    let mut left = INFLATED_CAP;
    for n in 0..archive.len() {
        let part = archive.by_index(n).map_err(|e| format!("part {n} cannot be opened: {e}"))?;
        let mut inflated = Vec::new();
        let size = part.take(left + 1).read_to_end(&mut inflated).map_err(|e| format!("part {n} cannot be inflated: {e}"))? as u64;
        left = left.checked_sub(size).ok_or_else(|| format!("its parts come to more than {INFLATED_CAP} bytes"))?;
        if announced(&inflated) > STRINGS_CAP {
            return Err(format!("part {n} announces more than {STRINGS_CAP} strings"));
        }
    }
    Ok(())
}

/// The most strings that a part announces (`uniqueCount`), in whichever encoding of XML: in all of them its letters are ASCII, with zeros
/// between them or without.
fn announced(part: &[u8]) -> u64 {
    let plain: Vec<u8> = part.iter().copied().filter(|byte| *byte != 0).collect();
    let name = b"uniqueCount";
    let places = plain.windows(name.len()).enumerate().filter(|(_, window)| *window == name).map(|(at, _)| at + name.len());
    let figure = |at: usize| {
        let digits = plain.iter().skip(at).skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'=' | b'"' | b'\'' | b'+'));
        let digits = digits.take_while(|byte| byte.is_ascii_digit());
        digits.fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
    };
    places.map(figure).max().unwrap_or_default()
}

fn broken(what: String, path: &Path) -> Box<Problem> {
    Problem::new("E-report-004", Blame::Input, what, "give a record.xlsx that a spreadsheet program saved").file(path).exit(Exit::Usage)
}

fn refused(what: String, path: &Path) -> Box<Problem> {
    let remedy = "begin with the record.xlsx of `privet report record`, and change the column `value` of its sheet `declared` alone";
    Problem::new("E-report-005", Blame::Input, what, remedy).file(path).object(format!("sheet {SHEET}")).exit(Exit::Usage)
}

/// `declared` as the part of a configuration that it is.
///
/// # Errors
/// `E-report-003` where it cannot be written, which is a bug.
pub fn declared_toml(declared: &BTreeMap<String, String>) -> Result<String> {
    toml::to_string(&BTreeMap::from([("controller", declared)]))
        .map_err(|e| Problem::new("E-report-003", Blame::Us, e.to_string(), "report this as a bug"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_xlsxwriter::{ExcelDateTime, Workbook, Worksheet};
    use std::path::PathBuf;

    fn saved(dir: &tempfile::TempDir, fill: impl FnOnce(&mut Worksheet)) -> PathBuf {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet().set_name(SHEET).unwrap();
        for (column, head) in (0_u16..).zip(HEADS) {
            sheet.write_string(0, column, head).unwrap();
        }
        fill(sheet);
        let path = dir.path().join("given.xlsx");
        crate::base::write_atomic(&path, &book.save_to_buffer().unwrap()).unwrap();
        path
    }

    fn told(path: &Path) -> String {
        let problem = read_declared(path).unwrap_err();
        let place = &problem.place;
        format!("{} {:?} {:?} {:?} {}", problem.id, place.object, place.line, place.column, problem.what)
    }

    #[test]
    fn the_sheet_has_every_field_and_its_title() {
        let grid = sheet(&RecordPack::embedded().unwrap(), &BTreeMap::from([("dpo".to_owned(), "the officer".to_owned())]));
        assert_eq!(grid.rows.len(), DECLARED.len());
        assert!(grid.rows.iter().all(|row| row[1] != "".into()), "each is a field of the record");
        assert_eq!(grid.rows.iter().filter(|row| row[2] != super::super::table::Cell::Empty).count(), 1);
    }

    #[test]
    fn what_is_not_what_belongs_there_is_told_with_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let date = ExcelDateTime::parse_from_str("2026-11-01").unwrap();
        let path = saved(&dir, |sheet| {
            sheet.write_string(1, 0, "review").unwrap();
            sheet.write_datetime(1, 2, &date).unwrap();
        });
        assert!(
            told(&path).starts_with("E-report-005 Some(\"sheet declared\") Some(2) Some(3) the cell holds a number"),
            "{}",
            told(&path)
        );
        let path = saved(&dir, |sheet| {
            sheet.write_string(4, 0, "dpos").unwrap();
        });
        assert!(told(&path).starts_with("E-report-005 Some(\"sheet declared\") Some(5) Some(1) `dpos` is no field"), "{}", told(&path));
        let path = saved(&dir, |sheet| {
            for row in 1..3 {
                sheet.write_string(row, 0, "dpo").unwrap().write_string(row, 2, "x").unwrap();
            }
        });
        assert!(told(&path).contains("Some(3) Some(1) the field has a value already"), "{}", told(&path));
        let path = saved(&dir, |sheet| {
            sheet.write_string(0, 2, "values").unwrap();
        });
        assert!(told(&path).contains("Some(1) Some(3) the column's head is not `value`"), "{}", told(&path));
        let path = saved(&dir, |sheet| {
            sheet.write_string(1_048_575, 2, "far").unwrap();
        });
        assert!(told(&path).contains("Some(1048576) Some(3) the sheet has more than 200 rows"), "{}", told(&path));
        let path = saved(&dir, |sheet| {
            sheet.write_string(1, 16_383, "far").unwrap();
        });
        assert!(told(&path).contains("Some(2) Some(16384) there is a text beside"), "{}", told(&path));
        let path = saved(&dir, |sheet| {
            sheet.write_string(1, 0, "dpo").unwrap().write_string(1, 2, "x".repeat(VALUE_CAP + 1)).unwrap();
        });
        assert!(told(&path).contains("Some(2) Some(3) the text is longer"), "{}", told(&path));
    }

    #[test]
    fn what_is_no_workbook_is_refused_before_it_costs_anything() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("given.xlsx");
        let give = |bytes: &[u8]| {
            crate::base::write_atomic(&path, bytes).unwrap();
            told(&path)
        };
        assert!(give(b"field,title,value\n").starts_with("E-report-004"));
        let whole = Workbook::new().save_to_buffer().unwrap();
        assert!(give(&whole[..whole.len() / 2]).starts_with("E-report-004"));
        let archive = |parts: &[(&str, Vec<u8>)]| {
            let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
            for (name, bytes) in parts {
                writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
                std::io::Write::write_all(&mut writer, bytes).unwrap();
            }
            writer.finish().unwrap().into_inner()
        };
        let bomb = archive(&[("xl/workbook.xml", vec![b' '; 100 << 20]), ("xl/styles.xml", vec![b' '; 100 << 20])]);
        assert!(bomb.len() < 1 << 20 && give(&bomb).contains("come to more than"), "{}", bomb.len());
        let greedy = |part: &[u8]| archive(&[("xl/sharedStrings.xml", part.to_vec())]);
        assert!(give(&greedy(b"<sst uniqueCount = '99999999999999999'/>")).contains("announces more"));
        let wide: Vec<u8> = "<sst uniqueCount=\"8000000000\"/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(give(&greedy(&wide)).contains("announces more"));
        let path = saved(&dir, |sheet| {
            sheet.set_name("other").unwrap();
        });
        assert!(told(&path).contains("it has no sheet `declared`"));
        assert!(told(&dir.path().join("none.xlsx")).starts_with("E-file-005"));
    }
}
