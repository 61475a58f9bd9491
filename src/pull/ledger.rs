//! What was asked of an account today, on disk, so that a second run of the day knows what is left.

use crate::base::{RegistryId, Result, Timestamp, create_private_dir, read_capped, write_atomic};
use crate::session::QuotaUse;
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes.
const CAP: u64 = 4096;

/// One account's use of its day.
#[derive(Clone, Debug)]
pub struct Ledger {
    path: PathBuf,
    zone: TimeZone,
    used: QuotaUse,
}

impl Ledger {
    /// The ledger of `registry` below `state_dir`, for the day that `now` lies in at the registry in `zone`. One that cannot be read, or is
    /// another day's, counts from nothing.
    ///
    /// # Errors
    /// `E-file-…` where its directory cannot be had.
    pub fn open(state_dir: &Path, registry: &RegistryId, zone: TimeZone, now: Timestamp) -> Result<Self> {
        let dir = state_dir.join("budgets");
        create_private_dir(&dir)?;
        let path = dir.join(format!("{}.json", registry.as_str()));
        let day = zone.to_datetime(now).date();
        let kept = if path.exists() { serde_json::from_slice::<QuotaUse>(&read_capped(&path, CAP)?).ok() } else { None };
        let used = kept.filter(|used| used.day == day).unwrap_or(QuotaUse::fresh(day));
        Ok(Self { path, zone, used })
    }

    /// What was used of the day so far.
    #[must_use]
    pub const fn used(&self) -> QuotaUse {
        self.used
    }

    /// The registry's time zone.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Counts a question sent at `at`.
    pub(super) fn asked(&mut self, at: Timestamp) {
        let day = self.zone.to_datetime(at).date();
        if day != self.used.day {
            self.used = QuotaUse::fresh(day);
        }
        self.used.commands = self.used.commands.saturating_add(1);
    }

    /// Takes over what a pool counted, questions that were asked twice included.
    pub(super) const fn settle(&mut self, used: QuotaUse) {
        self.used = used;
    }

    /// Puts the figures on disk.
    ///
    /// # Errors
    /// `E-file-001`, `E-file-002`.
    pub(super) fn save(&mut self) -> Result<()> {
        write_atomic(&self.path, &serde_json::to_vec(&self.used).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_counted_over_several_runs_and_the_next_begins_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let zone = || TimeZone::get("Europe/Berlin").expect("bundled");
        let open = |text: &str| Ledger::open(dir.path(), &RegistryId::new("de"), zone(), text.parse().expect("a time")).expect("a ledger");
        let noon: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a time");
        for run in 1..=2 {
            let mut ledger = open("2026-11-22T12:00:00Z");
            for _ in 0..3 {
                ledger.asked(noon);
            }
            ledger.save().expect("saved");
            assert_eq!(open("2026-11-22T22:59:59Z").used().commands, run * 3);
        }
        assert_eq!(open("2026-11-22T23:00:00Z").used().commands, 0, "midnight in Berlin");
        let mut ledger = open("2026-11-22T12:00:00Z");
        ledger.asked("2026-11-22T23:00:01Z".parse().expect("a time"));
        assert_eq!(ledger.used().commands, 1, "a run over midnight");
        write_atomic(&dir.path().join("budgets/de.json"), b"{ torn").expect("written");
        assert_eq!(open("2026-11-22T12:00:00Z").used().commands, 0);
    }
}
