//! What changed in the record since the last one that was signed, cell by cell.

use super::document::{Block, Folder, Section};
use super::svg::{Bar, Bars, Picture};
use super::table::{Cell, SCHEMA_VERSION, Shape, schema_id};
use super::tables::text;
use super::verdict::{count, grouped};
use crate::base::{Blame, Problem, Result, RunId};
use crate::compliance::processing::{RecordPack, Row, Status};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The largest `record.json` that is read back.
pub const RECORD_CAP: u64 = 64 << 20;

/// The record before this one.
#[derive(Clone, Debug)]
pub enum Earlier {
    /// There is none that is signed, and why.
    None(String),
    /// The one of a run.
    Record(RunId, Vec<EarlierCell>),
}

/// A cell of an earlier record, as its `record.json` has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EarlierCell {
    record: String,
    activity: String,
    registry: String,
    field: String,
    title: String,
    value: String,
    status: String,
}

/// The cells of an earlier record from the bytes of its `record.json`.
///
/// # Errors
/// `E-report-002` where it is none, or one of another version.
pub fn read_record(bytes: &[u8]) -> Result<Vec<EarlierCell>> {
    #[derive(Deserialize)]
    struct File {
        schema: String,
        schema_version: u32,
        rows: Vec<EarlierCell>,
    }
    let broken = |what: String| Problem::new("E-report-002", Blame::Input, what, "give the record.json of a report folder");
    let file: File = serde_json::from_slice(bytes).map_err(|e| broken(format!("no record: {e}")).line(e.line() as u64))?;
    if file.schema != schema_id("record") || file.schema_version != SCHEMA_VERSION {
        return Err(broken(format!(
            "this reads {} {SCHEMA_VERSION}, the file states {} {}",
            schema_id("record"),
            file.schema,
            file.schema_version
        )));
    }
    Ok(file.rows)
}

/// What became of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// Its row is gone.
    Gone,
    /// It is known in another way.
    Status,
    /// It has another value.
    Value,
    /// It was not there.
    New,
}

impl Change {
    const ALL: [Self; 4] = [Self::Gone, Self::Status, Self::Value, Self::New];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Status => "known otherwise",
            Self::Value => "another value",
            Self::New => "new",
        }
    }
}

/// A cell by its record, its activity, its registry and its field.
type Place = (String, String, String, String);

/// A cell that changed: where it stands, its title, what became of it, and value and status before and now.
struct Changed {
    place: Place,
    title: String,
    change: Change,
    before: Option<(String, String)>,
    now: Option<(String, String)>,
}

/// The section on what changed since `earlier`, with its table in `folder`.
///
/// # Errors
/// As the writer of files.
pub(super) fn section(folder: &mut Folder<'_>, pack: &RecordPack, rows: &[Row], earlier: &Earlier) -> Result<Section> {
    let (note, changed, same) = match earlier {
        Earlier::None(why) => (format!("There is no signed record before this one: {why}."), Vec::new(), BTreeMap::new()),
        Earlier::Record(run, cells) => {
            let (changed, same) = compare(pack, rows, cells);
            let told = if changed.is_empty() {
                format!("Nothing changed since the signed record of the run `{run}`.")
            } else {
                format!("{} since the signed record of the run `{run}`.", count(changed.len() as u64, "cell changed", "cells changed"))
            };
            (told, changed, same)
        }
    };
    let chart = bars(&changed, &same);
    let table = folder.table(&CHANGES, changed.into_iter().map(Changed::cells))?;
    let blocks = vec![Block::Note(note), Block::Chart(Picture::Bars(chart)), table];
    Ok(Section { id: "changes", heading: "What changed since the last signed record".to_owned(), blocks })
}

/// The cells that changed, the ones that are gone first; and of the others how many there are, by how they are known.
fn compare(pack: &RecordPack, rows: &[Row], earlier: &[EarlierCell]) -> (Vec<Changed>, BTreeMap<String, u64>) {
    let mut before: BTreeMap<Place, &EarlierCell> = earlier
        .iter()
        .map(|cell| ((cell.record.clone(), cell.activity.clone(), cell.registry.clone(), cell.field.clone()), cell))
        .collect();
    let (mut changed, mut same) = (Vec::new(), BTreeMap::new());
    for row in rows {
        for (field, cell) in row.told(pack) {
            let place = (row.role.as_str().to_owned(), row.activity.clone(), row.registry.clone(), field.id.to_string());
            let old = before.remove(&place);
            let status = cell.status.as_str();
            let change = match old {
                None => Change::New,
                Some(old) if old.status != status => Change::Status,
                Some(old) if old.value != cell.value => Change::Value,
                Some(_) => {
                    *same.entry(status.to_owned()).or_default() += 1;
                    continue;
                }
            };
            let told = |old: &EarlierCell| (old.value.clone(), old.status.clone());
            let now = Some((cell.value.clone(), status.to_owned()));
            changed.push(Changed { place, title: field.title.to_string(), change, before: old.map(told), now });
        }
    }
    changed.extend(before.into_iter().map(|(place, old)| Changed {
        place,
        title: old.title.clone(),
        change: Change::Gone,
        before: Some((old.value.clone(), old.status.clone())),
        now: None,
    }));
    changed.sort_by(|a, b| (a.change, &a.place).cmp(&(b.change, &b.place)));
    (changed, same)
}

fn bars(changed: &[Changed], same: &BTreeMap<String, u64>) -> Bars {
    // A cell counts where it stands now, and one that is gone where it stood.
    let of = |status: Status, change: Change| {
        let own =
            |one: &&Changed| one.change == change && one.now.as_ref().or(one.before.as_ref()).is_some_and(|(_, s)| s == status.as_str());
        changed.iter().filter(own).count() as u64
    };
    let row = |status: &Status| {
        let kept = same.get(status.as_str()).copied().unwrap_or_default();
        let moved = Change::ALL.map(|change| of(*status, change));
        let sum: u64 = moved.iter().sum();
        Bar {
            label: status.as_str().to_owned(),
            parts: std::iter::once(kept).chain(moved).map(|n| n as f64).collect(),
            note: format!("{}, {} changed", count(kept + sum, "cell", "cells"), grouped(sum)),
            mark: None,
        }
    };
    let rows = Status::ALL.iter().map(row).filter(|bar| bar.parts.iter().sum::<f64>() > 0.0).collect();
    let told: Vec<String> = Change::ALL
        .iter()
        .map(|change| format!("{} {}", change.as_str(), grouped(changed.iter().filter(|one| one.change == *change).count() as u64)))
        .collect();
    Bars {
        id: "changes-chart".to_owned(),
        title: "Cells by how they are known, and what became of them since".to_owned(),
        desc: format!("As they were {}; {}.", grouped(same.values().sum()), told.join(", ")),
        series: std::iter::once("as it was").chain(Change::ALL.map(Change::as_str)).collect(),
        rows,
        full: 0.0,
        ticks: Vec::new(),
        mark: None,
    }
}

impl Changed {
    fn cells(self) -> Vec<Cell> {
        let Self { place: (record, activity, registry, field), title, change, before, now } = self;
        let [(before, before_status), (now, now_status)] =
            [before, now].map(|one| one.map_or((Cell::Empty, Cell::Empty), |(value, status)| (value.into(), status.into())));
        let named = [record, activity, registry, field, title].map(Cell::from);
        named.into_iter().chain([change.as_str().into(), before, before_status, now, now_status]).collect()
    }
}

const CHANGES: Shape = Shape {
    name: "record-changes",
    title: "Cells that changed since the last signed record",
    heads: &[
        text("record", "Record"),
        text("activity", "Activity"),
        text("registry", "Registry"),
        text("field", "Field"),
        text("title", "Title"),
        text("change", "What became of it"),
        text("before", "Before"),
        text("before_status", "Was known"),
        text("now", "Now"),
        text("now_status", "Is known"),
    ],
};

/// The table.
pub(super) const SHAPES: [&Shape; 1] = [&CHANGES];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::processing::{Evidence, Traffic, build};

    fn rows(registry: &str, dpo: Option<&str>) -> (RecordPack, Vec<Row>) {
        let pack = RecordPack::embedded().unwrap();
        let traffic = Traffic { commands: [("domain:info".to_owned(), 1)].into(), ..Traffic::default() };
        let seen = Evidence { registry: registry.to_owned(), profile: "sidn".to_owned(), traffic, ..Evidence::default() };
        let declared = dpo.map(|name| ("dpo".to_owned(), name.to_owned())).into_iter().collect();
        let rows = build(&pack, &seen, &declared, "2026-11-22T02:00:00Z".parse().unwrap());
        (pack, rows)
    }

    fn earlier((pack, rows): &(RecordPack, Vec<Row>)) -> Vec<EarlierCell> {
        let cells = rows.iter().flat_map(|row| row.told(pack).map(move |(field, cell)| (row, field, cell)));
        cells
            .map(|(row, field, cell)| EarlierCell {
                record: row.role.as_str().to_owned(),
                activity: row.activity.clone(),
                registry: row.registry.clone(),
                field: field.id.to_string(),
                title: field.title.to_string(),
                value: cell.value.clone(),
                status: cell.status.as_str().to_owned(),
            })
            .collect()
    }

    fn told(before: &(RecordPack, Vec<Row>), now: &(RecordPack, Vec<Row>)) -> Vec<(String, &'static str)> {
        let (changed, _) = compare(&now.0, &now.1, &earlier(before));
        changed.into_iter().map(|one| (one.place.3, one.change.as_str())).collect()
    }

    #[test]
    fn each_cell_that_changed_is_told_and_no_other() {
        let (none, one, other) = (rows("a", None), rows("a", Some("Ada")), rows("a", Some("Bea")));
        assert!(told(&one, &one).is_empty());
        // A row that says something else has another number.
        let number = || ("record_id".to_owned(), "another value");
        assert_eq!(told(&none, &one), [("dpo".to_owned(), "known otherwise"), number()]);
        assert_eq!(told(&one, &other), [("dpo".to_owned(), "another value"), number()]);
        let moved = told(&one, &rows("b", Some("Ada")));
        let fields = one.1[0].told(&one.0).count();
        assert_eq!(moved.iter().filter(|(_, change)| *change == "gone").count(), fields);
        assert_eq!(moved.iter().filter(|(_, change)| *change == "new").count(), fields);
        let (changed, same) = compare(&one.0, &one.1, &earlier(&none));
        assert_eq!(same.values().sum::<u64>() + changed.len() as u64, fields as u64, "each cell is counted once");
        let chart = bars(&changed, &same);
        let drawn = chart.rows.iter().flat_map(|row| &row.parts).sum::<f64>();
        assert!((drawn - fields as f64).abs() < 0.5, "{drawn}");
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for text in [
            "",
            "[]",
            "{\"schema\":\"privet/report/record\",\"schema_version\":2,\"rows\":[]}",
            "{\"schema\":\"x\",\"schema_version\":1,\"rows\":[]}",
        ] {
            assert_eq!(read_record(text.as_bytes()).unwrap_err().id, "E-report-002", "{text}");
        }
        assert_eq!(read_record(b"{\"schema\":\"privet/report/record\",\"schema_version\":1,\"rows\":[]}").unwrap(), []);
    }
}
