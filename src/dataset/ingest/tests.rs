//! Bad input, row by row of the matrix of faults: each is told with its id, its place and what to do, and never with a person's data.

use super::{IngestPlan, Source, ingest};
use crate::base::{Exit, Problem, RegistryId, remove_tree, write_atomic};
use crate::dataset::columns::columns;
use crate::dataset::table::{Cell, ColumnType, TableWriter};
use crate::dataset::{Ingested, Protection, Services};
use crate::model::ObjectKind;
use polars::prelude::{DataFrame, IntoColumn as _, NamedFrom as _, ParquetCompression, ParquetWriter, Series};
use std::path::{Path, PathBuf};

/// A header and rows which a case bends.
struct Case {
    dir: tempfile::TempDir,
    delimiter: u8,
    previous: Option<[u64; 2]>,
}

fn header() -> String {
    let names: Vec<&str> = ["registry", "id"].into_iter().chain(columns(ObjectKind::Contact).iter().map(|c| c.name)).collect();
    names.join(",")
}

/// A row with some fields set.
fn row(fields: &[(&str, &str)]) -> String {
    let names = header();
    let value = |name: &str| match fields.iter().find(|(n, _)| *n == name) {
        Some((_, value)) => (*value).to_owned(),
        None if name == "registry" => "x".to_owned(),
        None if name == "id" => "C-1".to_owned(),
        None => String::new(),
    };
    names.split(',').map(value).collect::<Vec<_>>().join(",")
}

impl Case {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), delimiter: b',', previous: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn plan(&self, path: PathBuf) -> IngestPlan {
        let source = Source { delimiter: self.delimiter, ..Source::of(vec![path]) };
        let registries = ["x", "example-thick"].map(RegistryId::from).into();
        IngestPlan { contacts: Some(source), domains: None, registries, previous: self.previous, min_rows_share: 0.6, origin: None }
    }

    fn file(&self, path: PathBuf) -> Result<Ingested, Vec<Problem>> {
        let out = self.path("out");
        remove_tree(&out).unwrap();
        let result = ingest(&self.plan(path), &out).map_err(|p| p.kept().to_vec());
        assert_eq!(result.is_ok(), out.join("records.json").exists(), "bad input leaves nothing in place");
        assert!(!self.path(".out.tmp").exists(), "nothing is left over");
        result
    }

    fn bytes(&self, bytes: &[u8]) -> Result<Ingested, Vec<Problem>> {
        let path = self.path("contacts.csv");
        write_atomic(&path, bytes).unwrap();
        self.file(path)
    }

    /// The problems of a CSV of our header and `rows`.
    fn rows(&self, rows: &[String]) -> Vec<Problem> {
        self.bytes(format!("{}\n{}\n", header(), rows.join("\n")).as_bytes()).err().unwrap_or_default()
    }

    /// The warnings of a CSV of our header and `rows`, which is taken.
    fn warnings(&self, rows: &[String]) -> Vec<Problem> {
        self.bytes(format!("{}\n{}\n", header(), rows.join("\n")).as_bytes()).unwrap().warnings.kept().to_vec()
    }
}

fn ids(problems: &[Problem]) -> Vec<(&str, Option<u64>)> {
    problems.iter().map(|p| (p.id.as_str(), p.place.line)).collect()
}

#[test]
fn good_rows_are_taken_whole() {
    let case = Case::new();
    let text = format!(
        "\u{feff}{}\r\n{}\r\n",
        header(),
        row(&[("int_name", "\"Lovelace, \"\"Ada\"\"\n2nd\""), ("int_cc", "GB")]).replace('\n', " ")
    );
    let taken = case.bytes(text.as_bytes()).unwrap();
    let registry = RegistryId::new("x");
    assert_eq!(taken.records.totals(), [1, 0]);
    let rows = taken.records.rows(&registry, ObjectKind::Contact, 0).unwrap();
    assert_eq!(rows[0].get(0), Some("Lovelace, \"Ada\" 2nd"));
    assert_eq!(taken.records.ids(&registry, ObjectKind::Contact, 0).unwrap(), ["C-1".into()]);
    assert!(taken.warnings.is_empty());
}

#[test]
fn row_13_columns_missing_twice_and_unknown_are_told_together() {
    let text = format!("{}\n{}\n", header().replace("int_city", "int_citty").replace("fax_x", "voice"), row(&[]));
    let problems = Case::new().bytes(text.as_bytes()).unwrap_err();
    let found: Vec<&str> = problems.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(found, ["E-ingest-004", "E-ingest-003", "E-ingest-005", "E-ingest-005"]);
    assert!(problems[0].remedy.contains("did you mean `int_city`"), "{}", problems[0]);
    assert_eq!(problems[0].exit, Exit::InputIncomplete);
}

#[test]
fn row_14_a_short_row_and_a_quote_left_open_are_told_where_they_begin() {
    let case = Case::new();
    assert_eq!(
        ids(&case.rows(&["x,C-1,short".to_owned(), row(&[]), "x,C-2".to_owned()])),
        [("E-csv-001", Some(2)), ("E-csv-001", Some(4))]
    );
    let mut rows = vec![row(&[]), row(&[("id", "C-2"), ("int_name", "\"never closed")])];
    rows.extend((0..4_000).map(|n| row(&[("id", &format!("D-{n}"))])));
    assert_eq!(ids(&case.rows(&rows)), [("E-csv-006", Some(3))]);
    rows.truncate(4);
    assert_eq!(ids(&case.rows(&rows)), [("E-csv-006", Some(3))], "to the end of the file");
}

#[test]
fn row_15_bytes_that_are_no_utf8_are_told_with_their_offset() {
    let case = Case::new();
    let good = format!("{}\n{}\n", header(), row(&[("int_name", "Zoë")]));
    for (bad, id) in [(&b"Zo\xeb\n"[..], "E-csv-004"), (b"Zo\0\n", "E-csv-005"), (b"Zo\xe2\x82", "E-csv-004")] {
        let bytes = [good.as_bytes(), bad].concat();
        let problems = case.bytes(&bytes).unwrap_err();
        assert_eq!(ids(&problems), [(id, Some(3))]);
        assert!(problems[0].what.contains(&format!("byte {}", good.len() + 2)), "{}", problems[0]);
    }
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(case.bytes(&utf16).unwrap_err()[0].id, "E-csv-005");
}

#[test]
fn row_16_another_separator_is_recognised() {
    let case = Case::new();
    for (separator, shown) in [(";", "`;`"), ("\t", "`\\t`")] {
        let problems = case.bytes(format!("{}\n", header().replace(',', separator)).as_bytes()).unwrap_err();
        assert_eq!(problems[0].id, "E-csv-003");
        assert!(problems[0].what.contains(shown), "{}", problems[0]);
    }
    let set = Case { delimiter: b';', ..Case::new() };
    set.bytes(format!("{}\n{}\n", header(), row(&[])).replace(',', ";").as_bytes()).unwrap();
}

#[test]
fn row_17_the_damage_of_spreadsheets_is_suspected() {
    let case = Case::new();
    let problems = case.rows(&[
        row(&[("int_pc", "1.00E+05"), ("int_cc", "FR")]),
        row(&[("id", "C-2"), ("voice", "4930123456")]),
        row(&[("id", "C-3"), ("int_name", "#NAME?")]),
    ]);
    assert_eq!(ids(&problems), [("E-ingest-013", Some(2)), ("E-ingest-023", Some(3)), ("E-ingest-012", Some(4))]);
    assert!(!problems[1].to_string().contains("4930123456"), "the number is masked: {}", problems[1]);
    let zeros = case.warnings(&[row(&[("int_pc", "1067"), ("int_city", "Dresden"), ("int_cc", "DE")])]);
    assert_eq!(ids(&zeros), [("E-ingest-027", Some(2))]);
    assert_eq!(zeros[0].place.field.as_deref(), Some("int_pc"));
}

#[test]
fn row_18_an_id_that_stands_twice() {
    let case = Case::new();
    assert_eq!(ids(&case.warnings(&[row(&[]), row(&[])])), [("E-ingest-040", Some(3))]);
    let problems = case.rows(&[row(&[]), row(&[("id", "C-2")]), row(&[("int_name", "Ada Lovelace")])]);
    assert_eq!(ids(&problems), [("E-ingest-041", Some(4))]);
    let text = problems[0].to_string();
    assert!(text.contains("row 2") && text.contains("C-1") && !text.contains("Ada"), "{text}");
}

#[test]
fn row_19_a_handle_is_checked_and_never_becomes_a_path() {
    let case = Case::new();
    let long = "H".repeat(200);
    let problems = case.rows(&[row(&[("id", &long)]), row(&[("id", "C-2 ")]), row(&[("id", "")]), row(&[("id", "C\u{1}3")])]);
    assert_eq!(ids(&problems)[..3], [("E-ingest-015", Some(2)), ("E-ingest-014", Some(3)), ("E-ingest-008", Some(4))]);
    let strange = case.bytes(format!("{}\n{}\n", header(), row(&[("id", "../../etc/x")])).as_bytes()).unwrap();
    assert_eq!(strange.records.ids(&RegistryId::new("x"), ObjectKind::Contact, 0).unwrap(), ["../../etc/x".into()]);
    let outside = case.rows(&[row(&[("registry", "../x")]), row(&[("registry", "example-thik")]), row(&[("registry", "")])]);
    assert_eq!(ids(&outside), [("E-ingest-007", Some(2)), ("E-ingest-007", Some(3)), ("E-ingest-006", Some(4))]);
    assert!(outside[1].remedy.contains("`example-thick`"), "{}", outside[1]);
}

#[test]
fn row_20_addresses_and_names_that_are_none() {
    let case = Case::new();
    let problems = case.rows(&[
        row(&[("email", "\"ada@\nexample.org\"")]),
        row(&[("id", "C-2"), ("email", "ada.example.org")]),
        row(&[("id", "C-3"), ("email", "ada@xn--a.example")]),
        row(&[("id", "C-4"), ("email", "ada@bücher.example")]),
    ]);
    assert_eq!(ids(&problems), [("E-ingest-010", Some(2)), ("E-ingest-021", Some(4)), ("E-ingest-022", Some(5))]);
    assert!(problems.iter().all(|p| !p.to_string().contains("ada")));
    for (given, want) in [("Bücher.Example.", Some("xn--bcher-kva.example")), ("example.org", None)] {
        let (name, doubt) = super::check::domain(given).unwrap();
        assert_eq!(doubt.is_some(), want.is_some());
        assert_eq!(name, want.unwrap_or(given));
    }
    assert_eq!(super::check::domain("a_b.example").unwrap_err().id, "E-ingest-016");
}

#[test]
fn row_21_dates() {
    let column = columns(ObjectKind::Domain).iter().find(|c| c.name == "expires").unwrap();
    for bad in ["31/12/26", "2027-02-30", "0001-01-01", "soon", "46388"] {
        let doubt = super::check::value(column, bad).unwrap();
        assert_eq!(doubt.id, "E-ingest-024", "{bad}");
        assert!(doubt.remedy.contains("2027-01-31"));
    }
    for good in ["2027-02-28", "2027-02-28T00:00:00Z", "2027-02-28 12:00:00", "2027-02-28T13:00:00.5+01:00"] {
        assert_eq!(super::check::value(column, good), None, "{good}");
    }
}

#[test]
fn row_22_countries() {
    let case = Case::new();
    let problems = case.rows(&[
        row(&[("int_cc", "UK")]),
        row(&[("id", "C-2"), ("loc_cc", "EL")]),
        row(&[("id", "C-3"), ("loc_city", "Köln")]),
        row(&[("id", "C-4"), ("loc_cc", "Germany")]),
    ]);
    let found = [("E-ingest-018", Some(2)), ("E-ingest-018", Some(3)), ("E-ingest-026", Some(4)), ("E-ingest-018", Some(5))];
    assert_eq!(ids(&problems), found);
    assert!(problems[0].remedy.contains("`GB`") && problems[1].remedy.contains("`GR`"));
    assert_eq!(ids(&case.warnings(&[row(&[("int_cc", "de")])])), [("E-ingest-019", Some(2))]);
}

#[test]
fn row_23_an_empty_file_is_a_gate() {
    let case = Case { previous: Some([200_000, 0]), ..Case::new() };
    for text in [String::new(), format!("{}\n", header())] {
        let problems = case.bytes(text.as_bytes()).unwrap_err();
        assert_eq!((problems[0].id.as_str(), problems[0].exit), ("E-ingest-020", Exit::GateRefused));
    }
    assert!(case.rows(&[])[0].what.contains("200000"));
}

#[test]
fn row_24_a_file_that_shrank_is_a_gate() {
    let rows: Vec<String> = (0..59).map(|n| row(&[("id", &format!("C-{n}"))])).collect();
    let case = Case { previous: Some([100, 0]), ..Case::new() };
    let problems = case.rows(&rows);
    assert_eq!((problems[0].id.as_str(), problems[0].exit), ("E-ingest-030", Exit::GateRefused));
    assert!(problems[0].what.contains("41 % fewer than the 100"), "{}", problems[0]);
    let enough: Vec<String> = (0..60).map(|n| row(&[("id", &format!("C-{n:03}"))])).collect();
    assert!(case.rows(&enough).is_empty());
}

/// Writes a Parquet file of our contact columns, of which `bend` may change the name.
fn parquet(path: &Path, bend: impl Fn(&'static str) -> (&'static str, ColumnType), id: Option<&str>) {
    let names: Vec<_> = ["registry", "id"].into_iter().chain(columns(ObjectKind::Contact).iter().map(|c| c.name)).map(bend).collect();
    let mut writer = TableWriter::create(path, &names).unwrap();
    let value = |n: usize| match n {
        0 => Some("x"),
        1 => id,
        _ => None,
    };
    writer.push((0..names.len()).map(|n| Cell::Text(value(n)))).unwrap();
    writer.finish().unwrap();
}

#[test]
fn row_26_parquet_that_is_cut_or_none_at_all() {
    let case = Case::new();
    let path = case.path("contacts.parquet");
    parquet(&path, |name| (name, ColumnType::Text), Some("C-1"));
    let whole = std::fs::read(&path).unwrap();
    assert_eq!(case.file(path.clone()).unwrap().records.totals(), [1, 0]);
    for (bytes, id) in
        [(&whole[..whole.len() - 9], "E-parquet-002"), (&whole[1..], "E-parquet-001"), (b"PAR1", "E-parquet-002"), (b"PA", "E-parquet-001")]
    {
        write_atomic(&path, bytes).unwrap();
        let problems = case.file(path.clone()).unwrap_err();
        assert_eq!((problems[0].id.as_str(), problems[0].exit), (id, Exit::InputIncomplete));
    }
    // The footer says that pages are where the file has none.
    let mut torn = whole[..4].to_vec();
    torn.extend_from_slice(&whole[whole.len() - 2_000.min(whole.len() - 4)..]);
    write_atomic(&path, &torn).unwrap();
    assert!(case.file(path).unwrap_err()[0].id.starts_with("E-parquet-00"));
}

#[test]
fn row_27_parquet_columns_of_another_type_or_missing() {
    let case = Case::new();
    let path = case.path("contacts.parquet");
    parquet(&path, |name| (name, if name == "voice" { ColumnType::Integer } else { ColumnType::Text }), Some("C-1"));
    let problems = case.file(path.clone()).unwrap_err();
    assert_eq!(problems[0].id, "E-parquet-005");
    assert!(problems[0].what.contains("`voice` holds i64"), "{}", problems[0]);
    parquet(&path, |name| (if name == "email" { "e_mail" } else { name }, ColumnType::Text), Some("C-1"));
    let found: Vec<String> = case.file(path).unwrap_err().into_iter().map(|p| p.id).collect();
    assert_eq!(found, ["E-ingest-004", "E-ingest-005"]);
}

/// Writes one row of our contact columns with Polars itself, as strings but for `column`, which holds `value`.
fn foreign_parquet(path: &Path, column: &str, value: &Series) {
    let names = ["registry", "id"].into_iter().chain(columns(ObjectKind::Contact).iter().map(|c| c.name));
    let of = |name: &str| match name {
        name if name == column => value.clone().with_name(name.into()),
        "registry" => Series::new(name.into(), ["x"]),
        "id" => Series::new(name.into(), ["C-1"]),
        _ => Series::new(name.into(), [None::<&str>]),
    };
    let mut frame = DataFrame::new_infer_height(names.map(|name| of(name).into_column()).collect()).unwrap();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).with_compression(ParquetCompression::Uncompressed).finish(&mut frame).unwrap();
    write_atomic(path, &bytes).unwrap();
}

#[test]
fn row_27_a_nested_parquet_column() {
    let case = Case::new();
    let path = case.path("contacts.parquet");
    let list = Series::new("".into(), [Series::new("".into(), ["+49.30", "+49.31"])]);
    foreign_parquet(&path, "voice", &list);
    let problems = case.file(path).unwrap_err();
    assert_eq!((problems.len(), problems[0].id.as_str(), problems[0].exit), (1, "E-parquet-006", Exit::InputIncomplete));
    assert!(problems[0].what.contains("`voice` holds a nested type, wanted are strings"), "{}", problems[0]);
}

#[test]
fn row_29_bytes_in_a_parquet_column_that_are_no_utf8() {
    let case = Case::new();
    let path = case.path("contacts.parquet");
    let written = "a name that is to be spoilt, longer than twelve bytes";
    foreign_parquet(&path, "int_name", &Series::new("".into(), [written]));
    assert_eq!(case.file(path.clone()).unwrap().records.totals(), [1, 0], "as it was written it is good");
    let mut bytes = std::fs::read(&path).unwrap();
    while let Some(at) = bytes.windows(written.len()).position(|w| w == written.as_bytes()) {
        bytes[at + 5] = 0xFF;
    }
    write_atomic(&path, &bytes).unwrap();
    let problems = case.file(path).unwrap_err();
    assert_eq!((ids(&problems), problems[0].exit), (vec![("E-parquet-007", Some(1))], Exit::InputIncomplete));
    assert!(problems[0].what.contains("rows 1 to 1") && !problems[0].to_string().contains("spoilt"), "{}", problems[0]);
}

#[test]
fn row_28_a_bomb_is_not_unpacked() {
    let case = Case::new();
    let path = case.path("contacts.parquet");
    let names: Vec<_> = ["registry", "id"].into_iter().chain(columns(ObjectKind::Contact).iter().map(|c| c.name)).collect();
    let names: Vec<_> = names.into_iter().map(|name| (name, ColumnType::Text)).collect();
    let mut writer = TableWriter::create(&path, &names).unwrap();
    let long = "a".repeat(90 << 20);
    writer.push([Cell::Text(Some("x")), Cell::Text(Some("C-1")), Cell::Text(Some(&long))]).unwrap();
    writer.finish().unwrap();
    assert!(path.metadata().unwrap().len() < 1 << 20);
    let problems = case.file(path).unwrap_err();
    assert_eq!(problems[0].id, "E-parquet-003");
    assert!(problems[0].what.contains("the cap is"), "{}", problems[0]);
}

#[test]
fn row_29_a_null_in_the_key_is_told_with_its_row() {
    let case = Case::new();
    let path = case.path("contacts.parquet");
    parquet(&path, |name| (name, ColumnType::Text), None);
    assert_eq!(ids(&case.file(path).unwrap_err()), [("E-ingest-008", Some(1))]);
}

#[test]
fn row_38_lines_of_ndjson_that_are_none() {
    let case = Case::new();
    let path = case.path("contacts.ndjson");
    let text = "{\"registry\":\"x\",\"id\":\"C-1\",\"statuses\":[\"a\",\"b\"]}\n\nnull\n{\"registry\":\"x\",\"id\":7}\n{\"registry\":\"x\",\"id\":\"C-2\",\n";
    write_atomic(&path, text.as_bytes()).unwrap();
    assert_eq!(
        ids(&case.file(path.clone()).unwrap_err()),
        [("E-ndjson-003", Some(3)), ("E-ndjson-004", Some(4)), ("E-ndjson-003", Some(5))]
    );
    write_atomic(&path, text.lines().next().unwrap().as_bytes()).unwrap();
    let taken = case.file(path).unwrap();
    let rows = taken.records.rows(&RegistryId::new("x"), ObjectKind::Contact, 0).unwrap();
    assert_eq!(rows[0].fields().flatten().collect::<Vec<_>>(), ["a;b"]);
}

#[test]
fn services_are_active_from_their_start_until_the_day_before_their_end() {
    let case = Case::new();
    let path = case.path("services.csv");
    let text = "object,provider,tld,privacy,start,end,end_reason\n\
        a.example,p,example,v2,2026-01-01,2026-06-01,\nB.example.,p,example,v1,2026-06-01,,\nc.example,p,example,none,2026-01-01,,\n";
    write_atomic(&path, text.as_bytes()).unwrap();
    let on = |day: &str| Services::read(&Source::of(vec![path.clone()]), day.parse().unwrap()).unwrap();
    assert_eq!(on("2026-05-31").of("a.example"), Some(Protection::V2));
    assert_eq!(on("2026-06-01").of("a.example"), None);
    assert_eq!(on("2026-06-01").of("b.example"), Some(Protection::V1));
    assert_eq!(on("2026-06-01").of("c.example"), None);
    // The registry may hold the proxy contact of a domain before its service begins, and after it is over.
    for day in ["2025-12-31", "2026-05-31", "2026-06-01"] {
        let services = on(day);
        assert_eq!(["a.example", "b.example", "c.example"].map(|domain| services.may_have_proxy(domain)), [true, false, false], "{day}");
    }
    write_atomic(&path, text.replace("v1", "v3").replace("2026-01-01,2026", "soon,2026").as_bytes()).unwrap();
    let problems = Services::read(&Source::of(vec![path]), "2026-01-01".parse().unwrap()).unwrap_err();
    assert_eq!(ids(problems.kept()), [("E-services-002", Some(2)), ("E-services-003", Some(3))]);
}
