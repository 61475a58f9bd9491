//! Which file stands under which key, and what a bucket lacks or has too much of. Nothing here reads or waits.
//!
//! A snapshot is a unit, and so is a run's folder of reports. Its tables stand under keys by which engines find their way (partitions in
//! the manner of Hive: `snapshots/TABLE/date=…/registry=…/bucket=…`, `tables/TABLE/date=…/run=…`), and a mark below `_whole/`, put when
//! all of it is there, says of which state it is; engines pass over names that begin with `_`.

use crate::objects::Put;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What marks of whole units begin with.
const MARKS: &str = "_whole/";

/// Something that is in the bucket as a whole, or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    /// What a registry held: the date of its directory, and the registry.
    Snapshot(String, String),
    /// The reports of a run: its day and its name.
    Run(Date, String),
}

impl Unit {
    /// Of which day it is, where its name says so.
    pub(super) fn day(&self) -> Option<Date> {
        match self {
            Self::Snapshot(date, _) => date.get(..10)?.parse().ok(),
            Self::Run(day, _) => Some(*day),
        }
    }

    /// What its name is in keys.
    fn name(&self) -> String {
        match self {
            Self::Snapshot(date, registry) => format!("date={date}/registry={registry}"),
            Self::Run(day, run) => format!("date={day}/run={run}"),
        }
    }

    /// The key that says that it is whole, in the state of that `digest`.
    pub(super) fn mark(&self, digest: &str) -> String {
        format!("{MARKS}{}/{digest}.json", self.name())
    }

    /// The keys of its file that is called `name` within it.
    pub(super) fn keys(&self, name: &str) -> Vec<String> {
        let unit = self.name();
        match (self, name.rsplit_once('/')) {
            (Self::Snapshot(..), Some((bucket, file))) => {
                let table = file.strip_suffix(".parquet").unwrap_or(file);
                vec![format!("snapshots/{table}/{unit}/{bucket}/{file}")]
            }
            // Its manifest is what the mark holds.
            (Self::Snapshot(..), None) => Vec::new(),
            (Self::Run(..), _) => {
                let table = name.strip_suffix(".parquet").map(|table| format!("tables/{}/{unit}/{name}", table.replace('/', "-")));
                [format!("reports/{unit}/{name}")].into_iter().chain(table).collect()
            }
        }
    }

    /// The unit that `key` belongs to, with the name of the file; nothing of a key that nobody here made.
    fn of(key: &str) -> Option<(Self, &str)> {
        let (kind, rest) = key.split_once('/')?;
        let rest = if matches!(kind, "snapshots" | "tables") { rest.split_once('/')?.1 } else { rest };
        let (date, rest) = rest.strip_prefix("date=")?.split_once('/')?;
        let (name, file) = rest.split_once('/')?;
        let unit = match name.split_once('=')? {
            ("registry", registry) if matches!(kind, "snapshots" | "_whole") => Self::Snapshot(date.to_owned(), registry.to_owned()),
            ("run", run) if matches!(kind, "reports" | "tables" | "_whole") => Self::Run(date.parse().ok()?, run.to_owned()),
            _ => return None,
        };
        unit.day().map(|_| (unit, file))
    }
}

/// A unit of this machine.
#[derive(Clone, Debug)]
pub(super) struct Local {
    /// What says in which state it is: another one where rows of it were redacted.
    pub(super) digest: String,
    /// Its files, each with its bytes and its name within it.
    pub(super) files: Vec<(PathBuf, u64, String)>,
}

/// What is to be done about one unit, in this order: stale marks go, files are put, its mark is put, and what is no more of it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Marks of a state that it is no longer in.
    pub(super) unmark: Vec<String>,
    /// Files that are not there, or not as they are here.
    pub(super) put: Vec<Put>,
    /// The mark, where it is not there.
    pub(super) mark: Option<String>,
    /// Keys that are no more of it.
    pub(super) remove: Vec<String>,
}

/// What is to be done, and what is left alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// By unit, those that are as they should be left out.
    pub(super) units: BTreeMap<Unit, Change>,
    /// Units that stand there then, with those that this machine has no more.
    pub(super) there: BTreeSet<Unit>,
    /// Keys that nobody here made.
    pub(super) foreign: u64,
}

/// What makes the `remote` keys, each with its bytes, into those of the `local` units. A unit that this machine has no more stays until
/// `is_due` says of it, by the name of a file, that it must be gone: a state directory that was lost takes no copy with it.
pub(super) fn changes(local: &BTreeMap<Unit, Local>, remote: &BTreeMap<String, u64>, is_due: &dyn Fn(&Unit, &str) -> bool) -> Changes {
    let mut out = Changes::default();
    let mut there: BTreeMap<Unit, BTreeMap<&str, u64>> = BTreeMap::new();
    for (key, bytes) in remote {
        match Unit::of(key) {
            Some((unit, _)) if local.contains_key(&unit) => drop(there.entry(unit).or_default().insert(key, *bytes)),
            Some((unit, file)) if is_due(&unit, file) => out.units.entry(unit).or_default().remove.push(key.clone()),
            Some((unit, _)) => drop(out.there.insert(unit)),
            None => out.foreign += 1,
        }
    }
    for (unit, own) in local {
        let change = change(unit, own, &there.remove(unit).unwrap_or_default());
        if change != Change::default() {
            out.units.insert(unit.clone(), change);
        }
        out.there.insert(unit.clone());
    }
    out
}

/// What is to be done about one unit of this machine, whose keys `there` are.
fn change(unit: &Unit, own: &Local, there: &BTreeMap<&str, u64>) -> Change {
    let mark = unit.mark(&own.digest);
    let is_marked = there.contains_key(&*mark);
    let (mut change, mut wanted) = (Change::default(), BTreeSet::from([mark.clone()]));
    for (file, bytes, name) in &own.files {
        for key in unit.keys(name) {
            // What was put in another state may be other bytes of the same number.
            if !is_marked || there.get(&*key) != Some(bytes) {
                change.put.push(Put { file: file.clone(), key: key.clone() });
            }
            wanted.insert(key);
        }
    }
    for key in there.keys().filter(|key| !wanted.contains(**key)) {
        let list = if key.starts_with(MARKS) { &mut change.unmark } else { &mut change.remove };
        list.push((*key).to_owned());
    }
    change.mark = (!is_marked || !change.put.is_empty()).then_some(mark);
    change
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(day: i8) -> Unit {
        Unit::Run(jiff::civil::date(2026, 11, day), format!("202611{day:02}T020000Z-ab"))
    }

    fn snapshot(date: &str) -> Unit {
        Unit::Snapshot(date.to_owned(), "denic".to_owned())
    }

    fn local(unit: &Unit, digest: &str, files: &[(&str, u64)]) -> (Unit, Local) {
        let files = files.iter().map(|(name, bytes)| (PathBuf::from(name), *bytes, (*name).to_owned())).collect();
        (unit.clone(), Local { digest: digest.to_owned(), files })
    }

    /// The keys after the changes were carried out, and how many were put.
    fn carried_out(local: &BTreeMap<Unit, Local>, remote: &mut BTreeMap<String, u64>, due: &str) -> (usize, Changes) {
        let all = changes(local, remote, &|unit, file| unit.day().is_some_and(|day| day.to_string().as_str() < due) && !file.is_empty());
        let bytes: BTreeMap<String, u64> = local
            .iter()
            .flat_map(|(unit, own)| own.files.iter().flat_map(|(_, n, name)| unit.keys(name).into_iter().map(|k| (k, *n))))
            .collect();
        let mut put = 0;
        for change in all.units.values() {
            for key in change.unmark.iter().chain(&change.remove) {
                assert!(remote.remove(key).is_some(), "{key} was there");
            }
            for one in &change.put {
                remote.insert(one.key.clone(), bytes[&one.key]);
                put += 1;
            }
            remote.extend(change.mark.clone().map(|mark| (mark, 0)));
        }
        (put, all)
    }

    #[test]
    fn a_bucket_becomes_what_is_here_and_stays_so() {
        let whole = [
            local(&snapshot("2026-11-20"), "s1", &[("bucket=0000/contacts.parquet", 7), ("bucket=0001/domains.parquet", 9)]),
            local(&run(20), "r1", &[("differences.parquet", 5), ("index.html", 3)]),
        ];
        let mut here: BTreeMap<Unit, Local> = whole.into_iter().collect();
        let mut there = BTreeMap::from([("readme.txt".to_owned(), 1)]);
        let (put, all) = carried_out(&here, &mut there, "");
        assert_eq!((put, all.foreign, all.there.len()), (5, 1, 2));
        for key in [
            "snapshots/contacts/date=2026-11-20/registry=denic/bucket=0000/contacts.parquet",
            "tables/differences/date=2026-11-20/run=20261120T020000Z-ab/differences.parquet",
            "reports/date=2026-11-20/run=20261120T020000Z-ab/differences.parquet",
            "reports/date=2026-11-20/run=20261120T020000Z-ab/index.html",
            "_whole/date=2026-11-20/registry=denic/s1.json",
            "_whole/date=2026-11-20/run=20261120T020000Z-ab/r1.json",
        ] {
            assert!(there.contains_key(key), "{key} in {there:?}");
        }
        assert!(carried_out(&here, &mut there, "").1.units.is_empty(), "what is whole is not put again");
        // Somebody removed an object, and cut another.
        there.remove("reports/date=2026-11-20/run=20261120T020000Z-ab/index.html");
        there.insert("snapshots/contacts/date=2026-11-20/registry=denic/bucket=0000/contacts.parquet".to_owned(), 2);
        assert_eq!(carried_out(&here, &mut there, "").0, 2);
        // A table of the run was redacted, and another one went with it.
        here.extend([local(&run(20), "r2", &[("index.html", 3)])]);
        let (put, all) = carried_out(&here, &mut there, "");
        let change = &all.units[&run(20)];
        assert_eq!((put, change.unmark.len(), change.remove.len()), (1, 1, 2));
        assert!(!there.keys().any(|key| key.contains("differences")), "{there:?}");
    }

    #[test]
    fn what_this_machine_lost_stays_until_it_is_due() {
        let here: BTreeMap<Unit, Local> = [20, 21].map(|day| local(&run(day), "r", &[("index.html", 3)])).into_iter().collect();
        let mut there = BTreeMap::new();
        carried_out(&here, &mut there, "");
        let kept = there.clone();
        let (put, all) = carried_out(&BTreeMap::new(), &mut there, "2026-11-20");
        assert_eq!((put, all.there.len(), &there), (0, 2, &kept), "nothing is due");
        let (_, all) = carried_out(&BTreeMap::new(), &mut there, "2026-11-21");
        assert_eq!(all.there, BTreeSet::from([run(21)]));
        assert_eq!(there.len(), 2);
    }

    #[test]
    fn keys_of_others_are_left_alone() {
        for key in
            ["x", "snapshots/contacts/x", "snapshots/contacts/date=2026/registry=a/f", "tables/t/date=2026-11-20/registry=a/f", "_whole/a"]
        {
            assert_eq!(Unit::of(key), None, "{key}");
        }
    }
}
