//! Which file stands under which key, and what a bucket lacks or has too much of. Nothing here reads or waits.
//!
//! A snapshot is a unit, and so is a run's folder of reports. Its tables stand under keys by which engines find their way (partitions in
//! the manner of Hive: `snapshots/TABLE/date=…/registry=…/bucket=…`, `tables/TABLE/date=…/run=…`), and a mark below `_whole/`, put when
//! all of it is there, says of which state it is; engines pass over names that begin with `_`.

use crate::objects::{Put, There};
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
    /// Its files.
    pub(super) files: Vec<LocalFile>,
}

/// A file of a unit.
#[derive(Clone, Debug)]
pub(super) struct LocalFile {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its name within the unit.
    pub(super) name: String,
    /// Its bytes.
    pub(super) bytes: u64,
    /// When it was last changed, in seconds of Unix time.
    pub(super) changed: i64,
}

/// What is to be done about one unit. What is to go goes before anything is put, so that what fails to be put holds no deletion up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Keys that are to go, marks of a state that it is no longer in before all others.
    pub(super) remove: Vec<String>,
    /// Files that are not there, or not as they are here.
    pub(super) put: Vec<Put>,
    /// The mark, where it is not there; it is put behind everything else.
    pub(super) mark: Option<String>,
}

/// What is to be done, and what is left alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// By unit, those that are as they should be left out.
    pub(super) units: BTreeMap<Unit, Change>,
    /// Units that stand there in the end: those of this machine, and those that it has no more.
    pub(super) kept: BTreeSet<Unit>,
    /// Objects that stay although their files are missing in a unit of this machine.
    pub(super) missing: u64,
    /// Keys that are of no unit.
    pub(super) foreign: u64,
}

/// What makes the `remote` objects into those of the `local` units. `is_due` says of a file of a unit that it must be gone: until then
/// stays what this machine has no more, since a disk that was lost is to take no copy with it. What was redacted is told by the unit's
/// digest, which is another one then.
pub(super) fn changes(local: &BTreeMap<Unit, Local>, remote: &BTreeMap<String, There>, is_due: &dyn Fn(&Unit, &str) -> bool) -> Changes {
    let mut out = Changes::default();
    let mut of_local: BTreeMap<&Unit, BTreeMap<&str, There>> = local.keys().map(|unit| (unit, BTreeMap::new())).collect();
    for (key, there) in remote {
        let Some((unit, file)) = Unit::of(key) else {
            out.foreign += 1;
            continue;
        };
        // A run that was gone on with on another day is of that day by now.
        let moved = match &unit {
            Unit::Run(_, name) => local.keys().find(|one| matches!(one, Unit::Run(_, own) if own == name) && **one != unit),
            Unit::Snapshot(..) => None,
        };
        if let Some(keys) = of_local.get_mut(&unit) {
            keys.insert(key, *there);
        } else if moved.is_some() || is_due(&unit, file) {
            out.units.entry(unit).or_default().remove.push(key.clone());
        } else {
            out.kept.insert(unit);
        }
    }
    for (unit, own) in local {
        let (change, missing) = change(unit, own, &of_local.remove(unit).unwrap_or_default(), is_due);
        if change != Change::default() {
            out.units.insert(unit.clone(), change);
        }
        out.missing += missing;
        out.kept.insert(unit.clone());
    }
    out
}

/// What is to be done about one unit of this machine, of which so much is `there`; and how many objects stay that have no file here.
fn change(unit: &Unit, own: &Local, there: &BTreeMap<&str, There>, is_due: &dyn Fn(&Unit, &str) -> bool) -> (Change, u64) {
    let mark = unit.mark(&own.digest);
    let is_marked = there.contains_key(&*mark);
    let (mut change, mut wanted, mut missing) = (Change::default(), BTreeSet::from([mark.clone()]), 0);
    for file in &own.files {
        for key in unit.keys(&file.name) {
            // What was put in another state may be other bytes of the same number.
            let is_same = |there: &There| is_marked && there.bytes == file.bytes && file.changed <= there.since;
            if !there.get(&*key).is_some_and(is_same) {
                change.put.push(Put { file: file.path.clone(), key: key.clone() });
            }
            wanted.insert(key);
        }
    }
    for key in there.keys().filter(|key| !wanted.contains(**key)) {
        let goes = |(_, file): (Unit, &str)| is_due(unit, file);
        if key.starts_with(MARKS) {
            change.remove.insert(0, (*key).to_owned());
        } else if !is_marked || Unit::of(key).is_some_and(goes) {
            change.remove.push((*key).to_owned());
        } else {
            missing += 1;
        }
    }
    change.mark = (!is_marked || !change.put.is_empty()).then_some(mark);
    (change, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When everything that is there was put, and when everything here was changed.
    const PUT: i64 = 200;
    const CHANGED: i64 = 100;

    type Remote = BTreeMap<String, There>;

    fn run(day: i8) -> Unit {
        Unit::Run(jiff::civil::date(2026, 11, day), format!("202611{day:02}T020000Z-ab"))
    }

    fn snapshot(date: &str) -> Unit {
        Unit::Snapshot(date.to_owned(), "denic".to_owned())
    }

    fn local(unit: &Unit, digest: &str, files: &[(&str, u64)]) -> (Unit, Local) {
        let file = |(name, bytes): &(&str, u64)| LocalFile {
            path: PathBuf::from(name),
            bytes: *bytes,
            changed: CHANGED,
            name: (*name).to_owned(),
        };
        (unit.clone(), Local { digest: digest.to_owned(), files: files.iter().map(file).collect() })
    }

    /// Carries the changes out; how many objects were put.
    fn carried_out(local: &BTreeMap<Unit, Local>, remote: &mut Remote, due: &str) -> (usize, Changes) {
        let all = changes(local, remote, &|unit, file| unit.day().is_some_and(|day| day.to_string().as_str() < due) && !file.is_empty());
        let of = |(unit, own): (&Unit, &Local)| {
            let keys = |file: &LocalFile| unit.keys(&file.name).into_iter().map(|key| (key, file.bytes)).collect::<Vec<_>>();
            own.files.iter().flat_map(keys).collect::<Vec<_>>()
        };
        let bytes: BTreeMap<String, u64> = local.iter().flat_map(of).collect();
        let mut put = 0;
        for change in all.units.values() {
            for key in &change.remove {
                assert!(remote.remove(key).is_some(), "{key} was there");
            }
            for one in &change.put {
                remote.insert(one.key.clone(), There { bytes: bytes[&one.key], since: PUT });
                put += 1;
            }
            remote.extend(change.mark.clone().map(|mark| (mark, There { bytes: 0, since: PUT })));
        }
        (put, all)
    }

    fn whole() -> (BTreeMap<Unit, Local>, Remote) {
        let units = [
            local(&snapshot("2026-11-20"), "s1", &[("bucket=0000/contacts.parquet", 7), ("bucket=0001/domains.parquet", 9)]),
            local(&run(20), "r1", &[("differences.parquet", 5), ("index.html", 3)]),
        ];
        let (here, mut there) = (BTreeMap::from(units), BTreeMap::from([("readme.txt".to_owned(), There { bytes: 1, since: PUT })]));
        let (put, all) = carried_out(&here, &mut there, "");
        assert_eq!((put, all.foreign, all.kept.len()), (5, 1, 2));
        (here, there)
    }

    const PAGE: &str = "reports/date=2026-11-20/run=20261120T020000Z-ab/index.html";
    const CONTACTS: &str = "snapshots/contacts/date=2026-11-20/registry=denic/bucket=0000/contacts.parquet";

    #[test]
    fn a_bucket_becomes_what_is_here_and_stays_so() {
        let (mut here, mut there) = whole();
        for key in [
            CONTACTS,
            PAGE,
            "tables/differences/date=2026-11-20/run=20261120T020000Z-ab/differences.parquet",
            "reports/date=2026-11-20/run=20261120T020000Z-ab/differences.parquet",
            "_whole/date=2026-11-20/registry=denic/s1.json",
            "_whole/date=2026-11-20/run=20261120T020000Z-ab/r1.json",
        ] {
            assert!(there.contains_key(key), "{key} in {there:?}");
        }
        assert!(carried_out(&here, &mut there, "").1.units.is_empty(), "what is whole is not put again");
        // Somebody removed an object, and cut another.
        there.remove(PAGE);
        there.insert(CONTACTS.to_owned(), There { bytes: 2, since: PUT });
        assert_eq!(carried_out(&here, &mut there, "").0, 2);
        // A file was altered behind the back of its proof, and has as many bytes as before.
        let page = here.get_mut(&run(20)).and_then(|own| own.files.get_mut(1)).expect("the page");
        page.changed = PUT + 1;
        assert_eq!(carried_out(&here, &mut there, "").0, 1);
        // A table of the run was redacted as a whole.
        here.extend([local(&run(20), "r2", &[("index.html", 3)])]);
        let (put, all) = carried_out(&here, &mut there, "");
        let change = &all.units[&run(20)];
        assert!(put == 1 && change.remove.len() == 3 && change.remove[0].starts_with(MARKS), "{change:?}");
        assert!(!there.keys().any(|key| key.contains("differences")), "{there:?}");
    }

    #[test]
    fn what_this_machine_lost_stays_until_it_is_due() {
        let here = BTreeMap::from([20, 21].map(|day| local(&run(day), "r", &[("index.html", 3)])));
        let mut there = BTreeMap::new();
        carried_out(&here, &mut there, "");
        let before = there.clone();
        let (put, all) = carried_out(&BTreeMap::new(), &mut there, "2026-11-20");
        assert_eq!((put, all.kept.len(), &there), (0, 2, &before), "nothing is due");
        let (_, all) = carried_out(&BTreeMap::new(), &mut there, "2026-11-21");
        assert_eq!((all.kept, there.len()), (BTreeSet::from([run(21)]), 2));
    }

    #[test]
    fn a_file_that_is_missing_in_a_unit_that_nobody_altered_is_a_loss_and_its_copy_stays() {
        let (mut here, mut there) = whole();
        here.get_mut(&snapshot("2026-11-20")).expect("the snapshot").files.remove(0);
        let before = there.clone();
        let (put, all) = carried_out(&here, &mut there, "");
        assert_eq!((put, all.missing, &there), (0, 1, &before));
        let (_, all) = carried_out(&here, &mut there, "2026-11-21");
        assert!(all.missing == 0 && !there.contains_key(CONTACTS), "it was due");
    }

    #[test]
    fn a_run_that_was_gone_on_with_on_another_day_is_there_once() {
        let of = |day| Unit::Run(jiff::civil::date(2026, 11, day), "apply-0a1b".to_owned());
        let mut there = BTreeMap::new();
        carried_out(&BTreeMap::from([local(&of(20), "a", &[("outcomes.csv", 3)])]), &mut there, "");
        carried_out(&BTreeMap::from([local(&of(21), "b", &[("outcomes.csv", 9)])]), &mut there, "");
        assert!(there.len() == 2 && there.keys().all(|key| key.contains("date=2026-11-21")), "{there:?}");
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
