//! What the tool itself leaves is personal data too: snapshots, differences, reports, kept plans and sealed values go by the rules of the
//! retention pack.

use super::opening::store_path;
use crate::base::{Problem, Result, Sealed, StateDir, Timestamp, read_capped, remove_tree};
use crate::compliance::register::{Case, cases_of};
use crate::compliance::retention::{Item, RulePack, resolve};
use crate::compliance::{Happening, Ledger};
use crate::plan::PlanFile;
use crate::report::proof::folder::PROOF;
use crate::report::proof::{Document, RunPredicate, Statement};
use crate::store::{Store, Table};
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, Read as _};
use std::path::{Path, PathBuf};

/// A cluster, and the event that begins its period.
type Kind = (&'static str, &'static str);

/// The cluster of snapshots and differences.
const SNAPSHOT: Kind = ("snapshot", "taken");
/// The cluster of reports.
const REPORT: Kind = ("report", "written");
/// The cluster of kept plans.
const PLAN: Kind = ("plan", "written");
/// The cluster of sealed values and before-images.
const VAULT: Kind = ("vault", "sealed");
/// The cluster of messages that wait to be sent.
const OUTBOX: Kind = ("outbox", "written");
/// The cluster of what is kept under random ids as long as its subject is not erased.
const LEDGER: Kind = ("ledger", "written");
/// The cluster of what proves that somebody's data were verified.
const VERIFICATION: Kind = ("verification", "verified");
/// The cluster of what proves consents that were withdrawn.
const CONSENTS: Kind = ("consent-proof", "consent-withdrawn");
/// The cluster of what registers keep apart.
pub(super) const EVIDENCE: Kind = ("evidence", "settled");
/// The cluster of data of orders that wait for consent.
const ORDER: Kind = ("order", "ordered");
/// How long values are sealed where no rule of the pack says it.
const SEALED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The most bytes of a message of the outbox.
const MAX_MESSAGE: u64 = 1 << 20;
/// The most bytes of a proof that is looked into for the day of its run.
const MAX_PROOF: u64 = 16 << 20;

/// Files of a run that hold values of people in clear, and go as snapshots do.
const TABLES: [&str; 3] = ["differences.csv", "differences.parquet", "local-updates.csv"];

/// What the tool leaves in files, by the rule that bears on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    /// A snapshot, or a table with values of people in clear.
    Snapshot,
    /// Any other report.
    Report,
}

impl Leaving {
    /// What a file of a run's folder is.
    pub(super) fn of(name: &str) -> Self {
        if TABLES.contains(&name) { Self::Snapshot } else { Self::Report }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Snapshot => SNAPSHOT,
            Self::Report => REPORT,
        }
    }
}

/// Something that the tool left.
pub(super) struct Own {
    /// Where.
    pub(super) path: PathBuf,
    /// Its name below the state directory or the reports.
    pub(super) name: String,
    /// `state`, `reports`, `plans`, `vault`, `outbox`, `orders`, `registers` or `ledgers`.
    pub(super) store: &'static str,
    /// Of which day, where one is known.
    pub(super) day: Option<Date>,
    /// The case that holds it, where one does.
    pub(super) hold: Option<String>,
    /// Whether the key of whoever it is of is gone.
    pub(super) anonymised: bool,
    pub(super) kind: Kind,
}

impl Own {
    /// What lies in no file of its own.
    pub(super) fn kept(name: String, store: &'static str, day: Option<Date>, kind: Kind) -> Self {
        Self::at(PathBuf::new(), name, store, day, kind)
    }

    /// What lies at `path`.
    fn at(path: PathBuf, name: String, store: &'static str, day: Option<Date>, kind: Kind) -> Self {
        Self { path, name, store, day, hold: None, anonymised: false, kind }
    }

    /// Whether it is the folder of a run's reports.
    pub(super) fn is_run(&self) -> bool {
        self.kind == REPORT
    }

    /// Itself as an item that rules bear on.
    pub(super) fn item<'a>(&'a self, contracts: &'a BTreeSet<Box<str>>) -> Item<'a> {
        let (cluster, event) = self.kind;
        let events = self.day.map(|day| (event, day)).into_iter().collect();
        // Ledgers are needed for as long as what they prove; of each person they hold no more than an erasure leaves. Evidence is until
        // a day is known since when it is not.
        let in_use = self.kind == LEDGER || (self.kind == EVIDENCE && self.day.is_none());
        Item { cluster, scopes: &[], country: None, contracts, events, in_use, held: self.hold.is_some() }
    }
}

/// What the tool left: each snapshot, the tables with values of each run, each run's reports, and the plans that were applied; by path.
pub(super) fn own(state: &Path, reports: &Path) -> Vec<Own> {
    let mut all = Vec::new();
    for path in entries(&state.join("snapshots")) {
        let name = name_of(&path);
        if let Some(day) = name.strip_prefix("date=").and_then(|date| date.get(..10)?.parse().ok()) {
            all.push(Own::at(path, name, "state", Some(day), SNAPSHOT));
        }
    }
    for run in entries(reports) {
        let name = name_of(&run);
        // A run's folder begins with its day; the proof of one that applied a plan tells it.
        let named = name.get(..8).and_then(|day| Date::strptime("%Y%m%d", day).ok());
        let Some(day) = named.or_else(|| name.starts_with("apply-").then(|| day_of(&run)).flatten()) else { continue };
        for file in TABLES {
            let path = run.join(file);
            if path.exists() {
                all.push(Own::at(path, format!("{name}/{file}"), "reports", Some(day), SNAPSHOT));
            }
        }
        all.push(Own::at(run, name, "reports", Some(day), REPORT));
    }
    for path in entries(&state.join("plans")) {
        // A plan that cannot be opened is of no known day.
        let name = name_of(&path);
        if path.extension().is_some_and(|ending| ending == "plan") {
            let day = PlanFile::open(&path).ok().map(|plan| plan.header().expires.to_zoned(TimeZone::UTC).date());
            all.push(Own::at(path, name, "plans", day, PLAN));
        }
    }
    all.sort_by(|one, other| one.path.cmp(&other.path));
    all
}

/// The day on which the run began whose folder that is, by its proof.
fn day_of(run: &Path) -> Option<Date> {
    let bytes = read_capped(&run.join(PROOF), MAX_PROOF).ok()?;
    let document: Document = serde_json::from_slice(&bytes).ok()?;
    let statement = Statement::<RunPredicate>::read(&document.envelope.unverified()?)?;
    Some(statement.predicate.started.to_zoned(TimeZone::UTC).date())
}

/// What lies in the store and in the outbox: the values of each day that are sealed, with how many there are; what is sealed until its
/// subject is erased; the chains of events; and each file of messages. When a value was sealed is counted back from when it goes, by the
/// `pack` in force.
///
/// # Errors
/// `E-store-006` (exit 33) where storage fails.
pub(super) fn stored(store: &mut dyn Store, state: &Path, pack: &RulePack) -> Result<Vec<Own>> {
    let path = store_path(state);
    let (mut sealed, mut texts): (BTreeMap<Date, u64>, u64) = (BTreeMap::new(), 0);
    store.cells(Table::Sealed, &[], &mut |_, value| {
        match Timestamp::from_second(Sealed::expires(value)) {
            Ok(until) if Sealed::expires(value) < Timestamp::MAX.as_second() => {
                *sealed.entry(until.to_zoned(TimeZone::UTC).date()).or_default() += 1;
            }
            _ => texts += 1,
        }
        Ok(())
    })?;
    let own = |name: String, store: &'static str, day: Option<Date>, kind| Own::at(path.clone(), name, store, day, kind);
    let mut all = Vec::new();
    for (until, count) in sealed {
        let at = until.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |at| at.timestamp());
        let kept = sealed_until(pack, at).duration_since(at);
        let begun = at.checked_sub(kept).unwrap_or(at).to_zoned(TimeZone::UTC).date();
        all.push(own(format!("{count} values sealed until {until}"), "vault", Some(begun), VAULT));
    }
    if texts > 0 {
        all.push(own(format!("{texts} texts sealed until their subject is erased"), "ledgers", None, LEDGER));
    }
    let chains = store.heads("")?.len();
    if chains > 0 {
        all.push(own(format!("{chains} chains of events"), "ledgers", None, LEDGER));
    }
    for path in entries(&state.join("outbox")) {
        let name = name_of(&path);
        if path.extension().is_some_and(|ending| ending == "ndjson") {
            let day = made(&path);
            all.push(Own::at(path, name, "outbox", day, OUTBOX));
        }
    }
    Ok(all)
}

/// The verifications that were done: each keeps how, when and with what result somebody's data were held against something.
///
/// # Errors
/// As [`cases_of`].
pub(super) fn verified(store: &mut dyn Store, at: Timestamp) -> Result<Vec<Own>> {
    let done = cases_of(store, "verification", at)?.into_iter().filter(|case| case.state == Some("verified"));
    let day = |case: &Case| case.last.as_ref().map(|last| last.at.to_zoned(TimeZone::UTC).date());
    Ok(done.map(|case| Own::kept(case.case.to_string(), "registers", day(&case), VERIFICATION)).collect())
}

/// Orders that wait for consent, each with the day on which it was placed: where none comes, their data go.
pub(super) fn ordered(orders: Vec<(String, Date)>) -> impl Iterator<Item = Own> {
    orders.into_iter().map(|(order, day)| Own::kept(order, "orders", Some(day), ORDER))
}

/// The consents that were withdrawn and not given again, by the random number of the subject: what is left of them proves that they were
/// given, for as long as somebody may claim that they were not. Of whom the key is gone, the events are nobody's any more.
///
/// # Errors
/// As [`Ledger::key`].
pub(super) fn proofs(ledger: &mut Ledger<'_>, at: Timestamp) -> Result<Vec<Own>> {
    let mut all = Vec::new();
    for subject in ledger.subjects().collect::<Vec<_>>() {
        let is_withdrawn = ledger.events(subject).iter().any(|event| event.event == Happening::Withdrawn);
        let day = ledger.withdrawn(subject, at).filter(|_| is_withdrawn).map(|at| at.to_zoned(TimeZone::UTC).date());
        let anonymised = ledger.key(subject)?.is_none();
        if anonymised || day.is_some() {
            all.push(Own { anonymised, ..Own::kept(subject.to_string(), "ledgers", day, CONSENTS) });
        }
    }
    Ok(all)
}

/// The day on which the first message of a file was made; those of one file are of one time.
fn made(path: &Path) -> Option<Date> {
    #[derive(serde::Deserialize)]
    struct Made {
        created: Timestamp,
    }
    let mut line = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    std::io::BufReader::new(file.take(MAX_MESSAGE)).read_until(b'\n', &mut line).ok()?;
    let made: Made = serde_json::from_slice(&line).ok()?;
    Some(made.created.to_zoned(TimeZone::UTC).date())
}

/// Until when the vault keeps what is needed until `at`, by the rules of the pack.
pub(super) fn sealed_until(pack: &RulePack, at: Timestamp) -> Timestamp {
    let (cluster, event) = VAULT;
    let day = at.to_zoned(TimeZone::UTC).date();
    let contracts = BTreeSet::new();
    let events = BTreeMap::from([(event, day)]);
    let item = Item { cluster, scopes: &[], country: None, contracts: &contracts, events, in_use: false, held: false };
    let end = resolve(pack, &item, day).max.iter().map(|bound| bound.end).min();
    let days = end.and_then(|end| day.until(end).ok()).map(|span| SignedDuration::from_hours(i64::from(span.get_days()) * 24));
    at.checked_add(days.unwrap_or(SEALED)).unwrap_or(Timestamp::MAX)
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
    is_due(pack, Leaving::Snapshot, taken.to_zoned(TimeZone::UTC).date(), today)
}

/// Whether what was left on `day` must be gone by `today`.
pub(super) fn is_due(pack: &RulePack, leaving: Leaving, day: Date, today: Date) -> bool {
    gone_by(pack, leaving, day, today).is_some_and(|by| by <= today)
}

/// The day by which what was left on `day` must be gone, as it stands `today`; nothing where no rule says one.
pub(super) fn gone_by(pack: &RulePack, leaving: Leaving, day: Date, today: Date) -> Option<Date> {
    let contracts = BTreeSet::new();
    resolve(pack, &Own::kept(String::new(), "", Some(day), leaving.kind()).item(&contracts), today).must_go_by
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

    #[test]
    fn sealed_values_are_kept_as_long_as_the_pack_says() {
        let at: Timestamp = "2026-11-01T02:00:00Z".parse().expect("a time");
        let embedded = RulePack::embedded().expect("the pack");
        assert_eq!(sealed_until(&embedded, at), "2026-12-01T02:00:00Z".parse().expect("a time"));
        let text = include_str!("../compliance/packs/retention.toml");
        let shorter = text.replace("period = \"P30D\"\ngrace = \"P1D\"", "period = \"P1W\"\ngrace = \"P1D\"");
        let shorter = shorter.replace("end = \"2026-12-01\", gone = \"2026-12-02\"", "end = \"2026-11-08\", gone = \"2026-11-09\"");
        let pack = RulePack::parse(&shorter, Path::new("shorter.toml")).expect("a pack");
        assert_eq!(sealed_until(&pack, at), "2026-11-08T02:00:00Z".parse().expect("a time"));
        let none = RulePack::parse(&shorter.replace("clusters = [\"vault\"]", "clusters = [\"escrow\"]"), Path::new("none.toml"));
        assert_eq!(sealed_until(&none.expect("a pack"), at), "2026-12-01T02:00:00Z".parse().expect("a time"), "no rule says it");
    }

    #[test]
    fn what_lies_in_the_store_and_the_outbox_has_a_state_by_the_pack() {
        let dir = tempfile::tempdir().expect("a directory");
        let (mut store, mut entropy) = (crate::store::MemoryStore::default(), crate::base::SeededEntropy::new(1));
        let pack = RulePack::embedded().expect("the pack");
        let key = crate::store::Vault::new(&mut store).enrol_one("x/contact/C-1", &mut entropy).expect("a key");
        let at: Timestamp = "2026-11-01T02:00:00Z".parse().expect("a time");
        let mut batch = crate::store::Batch::default();
        for (value, until) in [("a", sealed_until(&pack, at)), ("b", sealed_until(&pack, at)), ("c", Timestamp::MAX)] {
            batch.cells.push(crate::store::sealed_cell(&key.seal("name", value.as_bytes(), until).expect("sealed")));
        }
        store.commit(&batch).expect("kept");
        crate::base::create_private_dir(&dir.path().join("outbox")).expect("made");
        let line = b"{\"message\":\"m\",\"created\":\"2026-10-01T00:00:00Z\"}\n";
        crate::base::write_atomic(&dir.path().join("outbox/asks-1.ndjson"), line).expect("written");
        let contracts = BTreeSet::new();
        let today = jiff::civil::date(2026, 11, 21);
        let told = |own: &Own| {
            let resolution = resolve(&pack, &own.item(&contracts), today);
            let by = resolution.must_go_by.map(|day| day.to_string()).unwrap_or_default();
            format!("{} {} {} {by}", own.store, own.name, resolution.state(today).situation().as_str())
        };
        let all: Vec<String> = stored(&mut store, dir.path(), &pack).expect("read").iter().map(told).collect();
        let wanted = [
            "vault 2 values sealed until 2026-12-01 due 2026-12-02",
            "ledgers 1 texts sealed until their subject is erased active ",
            "outbox asks-1.ndjson overdue 2026-10-31",
        ];
        assert_eq!(all, wanted);
    }
}
