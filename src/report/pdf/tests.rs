//! The text of a PDF is read back from its bytes.

use super::super::document::Mood;
use super::super::funnel::{Funnel, Step};
use super::super::sheet::TableForms;
use super::super::table::{Cell, Shape, Table};
use super::super::tables::{int, text};
use super::*;
use crate::base::RunId;

const SHAPE: Shape = Shape { name: "few", title: "A few rows", heads: &[text("name", "Name"), int("n", "Number"), text("note", "Note")] };

fn document(rows: Vec<Vec<Cell>>, more: u64) -> Document {
    let listed = Listed { table: Table { shape: &SHAPE, rows }, more };
    let steps = vec![
        Step { label: "Asked 中".into(), count: 7, line: "in time".into() },
        Step { label: "Answered".into(), count: 3, line: String::new() },
    ];
    let funnel = Funnel { id: "f".into(), title: "How far it got".into(), desc: "Seven, three.".into(), steps };
    Document {
        name: "few",
        title: "report of a few".into(),
        verdict: "Three of seven answered.".into(),
        next: (Mood::Warn, "See `privet request`.".into()),
        basis: vec![("Rules".into(), "r 1".into())],
        figures: vec![("Items".into(), "1,000".into())],
        sections: vec![Section {
            id: "few",
            heading: "What there is".into(),
            blocks: vec![Block::Note("A note with `code`.".into()), Block::Chart(Picture::Funnel(funnel)), Block::Table(listed)],
        }],
        holds: "This holds nothing.".into(),
        sheets: Vec::new(),
    }
}

fn making(at: &str) -> Making {
    Making { run_id: RunId::new("r-1"), tool_version: "0".into(), at: at.parse().unwrap(), forms: TableForms::ALL }
}

fn made(rows: Vec<Vec<Cell>>, more: u64) -> Vec<u8> {
    pdf(&document(rows, more), &making("2026-11-22T02:00:00Z")).unwrap()
}

/// The text of each page, with blanks where lines end.
fn pages(bytes: &[u8]) -> Vec<String> {
    let file = lopdf::Document::load_mem(bytes).unwrap();
    let text = |page: u32| file.extract_text(&[page]).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    file.get_pages().into_keys().map(text).collect()
}

/// The text of all pages, and how many there are.
fn read(bytes: &[u8]) -> (String, usize) {
    let pages = pages(bytes);
    (pages.join(" "), pages.len())
}

#[test]
fn the_words_of_the_page_are_in_it() {
    let rows = vec![vec!["=1+1".into(), (-7_i64).into(), Cell::Empty], vec!["Žluťoučký 中".into(), 1_234_u64.into(), "b".into()]];
    let (text, pages) = read(&made(rows, 12_345));
    for wanted in [
        "Privet report of a few",
        "Three of seven answered.",
        "To be looked at. See privet request.",
        "Run: r-1",
        "As of: 2026-11-22 02:00:00 UTC",
        "Rules: r 1",
        "Items: 1,000",
        "What there is",
        "A note with code.",
        "How far it got",
        "A few rows",
        "=1+1",
        "−7",
        "Žluťoučký \\u{4e2d}",
        "1,234",
        "12,345 more rows stand in few.csv, few.json and few.parquet",
        "This holds nothing.",
        "page 1",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert_eq!(pages, 1);
    // The letters of a picture's words stand one by one.
    let joined: String = text.split_whitespace().collect();
    assert!(joined.contains("Asked\\u{4e2d}:7intime") && joined.contains("42%ofthestepbefore"), "{joined}");
}

#[test]
fn the_same_facts_give_the_same_bytes() {
    let rows = || vec![vec!["a".into(), 1_u64.into(), "b".into()]];
    assert_eq!(made(rows(), 0), made(rows(), 0));
    assert_ne!(pdf(&document(rows(), 0), &making("2026-11-22T02:00:01Z")).unwrap(), made(rows(), 0), "the time is the run's");
}

#[test]
fn a_long_table_goes_over_pages_and_loses_no_row() {
    let rows = (0..300_u64).map(|n| vec![format!("row-{n}.").into(), n.into(), "x".into()]).collect();
    let pages = pages(&made(rows, 0));
    assert!(pages.len() > 5, "{}", pages.len());
    let text = pages.join(" ");
    for n in 0..300 {
        assert_eq!(text.matches(&format!("row-{n}.")).count(), 1, "{n}");
    }
    let with_rows: Vec<&String> = pages.iter().filter(|page| page.contains("row-")).collect();
    assert!(
        with_rows.len() > 5 && with_rows.iter().all(|page| page.matches("Name Number Note").count() == 1),
        "its head stands on each page"
    );
}

#[test]
fn what_is_longer_than_a_page_is_cut_and_says_so() {
    let long = "word ".repeat(20_000);
    let (text, _) = read(&made(vec![vec![long.into(), 1_u64.into(), "after".into()]], 0));
    assert!(text.contains("(cut here: the CSV,") && text.contains("after"), "{}", text.len());
}

#[test]
fn it_is_marked_as_archivable_and_as_readable_by_all() {
    let bytes = made(vec![vec!["a".into(), 1_u64.into(), "b".into()]], 0);
    let file = lopdf::Document::load_mem(&bytes).unwrap();
    let catalog = file.catalog().unwrap();
    assert!(catalog.has(b"StructTreeRoot") && catalog.has(b"OutputIntents") && catalog.has(b"Outlines"), "{catalog:?}");
    assert_eq!(catalog.get(b"Lang").unwrap().as_str().unwrap(), b"en");
    let raw = String::from_utf8_lossy(&bytes);
    assert!(raw.contains("pdfaid:part") && raw.contains("pdfuaid:part"));
}
