//! What the tool itself leaves is personal data too: snapshots, differences and reports go by the rules of the retention pack.

use crate::base::{Problem, Result, StateDir, Timestamp, remove_tree};
use crate::compliance::retention::{Item, RulePack, resolve};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The cluster of snapshots and differences, and what begins its period.
const SNAPSHOT: (&str, &str) = ("snapshot", "taken");
/// The cluster of reports, and what begins its period.
const REPORT: (&str, &str) = ("report", "written");

/// Files of a run that hold values of people in clear, and go as snapshots do.
const TABLES: [&str; 3] = ["differences.csv", "differences.parquet", "local-updates.csv"];

/// Something that the tool left.
pub(super) struct Own {
    /// Where.
    pub(super) path: PathBuf,
    /// Its name below the state directory or the reports.
    pub(super) name: String,
    /// `state` or `reports`.
    pub(super) store: &'static str,
    /// Of which day.
    pub(super) day: Date,
    kind: (&'static str, &'static str),
}

impl Own {
    /// Itself as an item that rules bear on.
    pub(super) fn item<'a>(&'a self, contracts: &'a BTreeSet<Box<str>>) -> Item<'a> {
        let (cluster, event) = self.kind;
        let events = BTreeMap::from([(event, self.day)]);
        Item { cluster, scopes: &[], country: None, contracts, events, in_use: false, held: false }
    }
}

/// What the tool left: each snapshot, the differences of each run, and each run's reports; by path.
pub(super) fn own(state: &Path, reports: &Path) -> Vec<Own> {
    let mut all = Vec::new();
    for path in entries(&state.join("snapshots")) {
        let name = name_of(&path);
        if let Some(day) = name.strip_prefix("date=").and_then(|date| date.get(..10)?.parse().ok()) {
            all.push(Own { path, name, store: "state", day, kind: SNAPSHOT });
        }
    }
    for run in entries(reports) {
        let name = name_of(&run);
        // A run's folder begins with its day.
        let Some(day) = name.get(..8).and_then(|day| Date::strptime("%Y%m%d", day).ok()) else { continue };
        for file in TABLES {
            let path = run.join(file);
            if path.exists() {
                all.push(Own { path, name: format!("{name}/{file}"), store: "reports", day, kind: SNAPSHOT });
            }
        }
        all.push(Own { path: run, name, store: "reports", day, kind: REPORT });
    }
    all.sort_by(|one, other| one.path.cmp(&other.path));
    all
}

/// Removes what must be gone by `today`. The newest snapshot of a registry goes too: it says nothing of today any more. Before files of a
/// run's folder go, `sign` is told which, or none where the folder goes as a whole, so that its proof says so. Where that fails they go
/// nevertheless, since the duty to delete does not wait for the evidence of it; why it failed is given.
///
/// # Errors
/// Where something cannot be removed.
pub(super) fn expire(
    state: &StateDir,
    reports: &Path,
    pack: &RulePack,
    today: Date,
    sign: &mut dyn FnMut(&Path, &[String]) -> Result<()>,
) -> Result<Vec<Problem>> {
    let contracts = BTreeSet::new();
    let is_due = |own: &Own| resolve(pack, &own.item(&contracts), today).must_go_by.is_some_and(|by| by <= today);
    let due: Vec<Own> = own(state.root(), reports).into_iter().filter(is_due).collect();
    let mut runs: BTreeMap<&Path, Vec<String>> = BTreeMap::new();
    for own in due.iter().filter(|own| own.store == "reports" && own.kind == SNAPSHOT) {
        runs.entry(own.path.parent().unwrap_or(reports)).or_default().push(name_of(&own.path));
    }
    runs.extend(due.iter().filter(|own| own.kind == REPORT).map(|own| (own.path.as_path(), Vec::new())));
    let unsigned = runs.iter().filter_map(|(run, files)| sign(run, files).err().map(|problem| *problem)).collect();
    due.iter().try_for_each(|own| remove_tree(&own.path))?;
    Ok(unsigned)
}

/// Whether the tables with values of a run that began at `taken` must be gone by `today`, and with them the salts of commitments to them.
pub(super) fn is_table_due(pack: &RulePack, taken: Timestamp, today: Date) -> bool {
    let (cluster, event) = SNAPSHOT;
    let contracts = BTreeSet::new();
    let events = BTreeMap::from([(event, taken.to_zoned(TimeZone::UTC).date())]);
    let item = Item { cluster, scopes: &[], country: None, contracts: &contracts, events, in_use: false, held: false };
    resolve(pack, &item, today).must_go_by.is_some_and(|by| by <= today)
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).map(|all| all.flatten().map(|e| e.path()).collect()).unwrap_or_default()
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_its_rule_goes_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let state = StateDir::open(&dir.path().join("state")).expect("a state directory");
        let reports = dir.path().join("reports");
        // By the built-in pack snapshots are gone on the 35th day after they were taken, and reports after three years.
        let kept = ["state/snapshots/date=2026-10-18", "state/snapshots/other", "reports/20261018T020000Z-x", "reports/notes"];
        let gone = ["state/snapshots/date=2026-10-17", "state/snapshots/date=2026-10-16T03-00-00Z", "reports/20231121T020000Z-x"];
        for path in kept.iter().chain(&gone).chain(&["reports/20261017T020000Z-x"]) {
            crate::base::create_private_dir(&dir.path().join(path)).expect("made");
            crate::base::write_atomic(&dir.path().join(path).join("differences.csv"), b"x").expect("written");
            crate::base::write_atomic(&dir.path().join(path).join("run.json"), b"{}").expect("written");
        }
        let pack = RulePack::embedded().expect("the pack");
        let mut told = Vec::new();
        let mut sign = |run: &Path, files: &[String]| {
            assert!(run.exists() && files.iter().all(|file| run.join(file).exists()), "it is signed before it goes");
            told.push((name_of(run), files.join(" ")));
            Err(Problem::new("E-test-001", crate::base::Blame::Us, "not signed", ""))
        };
        let unsigned = expire(&state, &reports, &pack, jiff::civil::date(2026, 11, 21), &mut sign).expect("expired");
        let wanted = [("20231121T020000Z-x", ""), ("20261017T020000Z-x", "differences.csv")];
        assert_eq!(told, wanted.map(|(run, files)| (run.to_owned(), files.to_owned())));
        assert_eq!(unsigned.len(), 2, "what was not signed goes, and is told");
        assert!(kept.iter().all(|p| dir.path().join(p).join("differences.csv").exists()));
        assert!(!gone.iter().any(|p| dir.path().join(p).exists()));
        let old = dir.path().join("reports/20261017T020000Z-x");
        assert!(!old.join("differences.csv").exists() && old.join("run.json").exists());
    }
}
