//! Snapshots and differences are personal data: the tool deletes its own after their time.

use crate::base::{Result, StateDir, Timestamp, remove_tree};
use std::path::{Path, PathBuf};

/// How long snapshots and differences are kept, in days.
const KEPT_DAYS: i64 = 35;

/// Removes snapshots and differences older than [`KEPT_DAYS`] at `now`. The newest snapshot of a registry goes too: it says nothing of
/// today any more. Counts and reports without values stay.
///
/// # Errors
/// Where something cannot be removed.
pub(super) fn expire(state: &StateDir, reports: &Path, now: Timestamp) -> Result<()> {
    let oldest = (now - jiff::SignedDuration::from_hours(KEPT_DAYS * 24)).strftime("%Y-%m-%d").to_string();
    for dir in entries(&state.root().join("snapshots")) {
        let name = name_of(&dir);
        if name.strip_prefix("date=").and_then(|date| date.get(..10)).is_some_and(|day| day < oldest.as_str()) {
            remove_tree(&dir)?;
        }
    }
    let oldest = oldest.replace('-', "");
    for run in entries(reports) {
        // A run's folder begins with its day.
        if name_of(&run).get(..8).is_some_and(|day| day.bytes().all(|b| b.is_ascii_digit()) && day < oldest.as_str()) {
            for file in ["differences.csv", "differences.parquet"] {
                remove_tree(&run.join(file))?;
            }
        }
    }
    Ok(())
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
    fn what_is_older_than_its_time_goes_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let state = StateDir::open(&dir.path().join("state")).expect("a state directory");
        let reports = dir.path().join("reports");
        let kept = ["state/snapshots/date=2026-10-17", "state/snapshots/other", "reports/20261017T020000Z-x", "reports/notes"];
        let gone = ["state/snapshots/date=2026-10-16", "state/snapshots/date=2026-10-16T03-00-00Z"];
        for path in kept.iter().chain(&gone).chain(&["reports/20261016T020000Z-x"]) {
            crate::base::create_private_dir(&dir.path().join(path)).expect("made");
            crate::base::write_atomic(&dir.path().join(path).join("differences.csv"), b"x").expect("written");
            crate::base::write_atomic(&dir.path().join(path).join("run.json"), b"{}").expect("written");
        }
        expire(&state, &reports, "2026-11-21T02:00:00Z".parse().expect("a time")).expect("expired");
        assert!(kept.iter().all(|p| dir.path().join(p).join("differences.csv").exists()));
        assert!(!gone.iter().any(|p| dir.path().join(p).exists()));
        let old = dir.path().join("reports/20261016T020000Z-x");
        assert!(!old.join("differences.csv").exists() && old.join("run.json").exists());
    }
}
