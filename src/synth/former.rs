//! The planted past: customers whose service is over and whose data are in the records still, and of every contact that no service
//! needs, what retention has to say. The reckoning here is of its own, from the days that were planted.

use super::record::Record;
use super::tables::CsvFile;
use crate::base::Result;
use crate::dataset::{DomainField, Row, SERVICES};
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::collections::HashMap;
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// How the services of the past ended, and how many days ago; nothing where nobody wrote it down.
const PAST: [Option<(&str, i64)>; 7] = [
    Some(("deleted", 100)),
    None,
    Some(("deleted", 500)),
    Some(("deleted", 800)),
    Some(("transferred", 500)),
    Some(("expired", 370)),
    Some(("transferred", 1100)),
];
/// The day since which admin and billing contacts are not asked for at registries of that kind.
const NOT_ASKED: Date = jiff::civil::date(2025, 8, 21);

/// The customer of the past whose data a hold keeps: the registry, and which one there. They are to go, and the registry holds them still.
pub(super) const KEPT: (&str, u64) = ("eurid", 2);

/// Which periods a registry is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Periods {
    /// Those of ICANN: 15 months and 3 where a registration ended, 2 years where it went away; old roles are to go.
    Icann,
    /// The registrar's own: a year, and 3 months.
    House,
}

/// A customer of the past.
pub(super) struct Former {
    /// How the service ended, and on which day; nothing where nobody wrote it down.
    pub(super) end: Option<(&'static str, Date)>,
}

/// Those that are planted at one registry, at most `most`.
pub(super) fn formers(today: Date, most: usize) -> impl Iterator<Item = Former> {
    let day = move |days: i64| today.saturating_sub(days.days());
    PAST.into_iter().take(most).map(move |end| Former { end: end.map(|(reason, days)| (reason, day(days))) })
}

impl Former {
    /// The service that was sold for `domain`, in the order of [`SERVICES`].
    pub(super) fn service(&self, domain: &str) -> Option<[String; SERVICES.len()]> {
        let (reason, end) = self.end?;
        let tld = domain.split_once('.').map_or("", |(_, tld)| tld);
        let start = end.saturating_sub(730.days());
        Some([domain, "hedge-names", tld, "none", &start.to_string(), &end.to_string(), reason].map(str::to_owned))
    }

    /// What of its data is to be said: the state, until when they are kept, and by when they are gone.
    fn verdict(&self, periods: Periods, today: Date) -> (&'static str, Option<(Date, Date)>) {
        let Some((reason, end)) = self.end else { return ("unknown_start", None) };
        let (keep, gone) = match (periods, reason) {
            (Periods::Icann, "transferred") => (24, 24),
            (Periods::Icann, _) => (15, 18),
            (Periods::House, _) => (12, 15),
        };
        let (keep, gone) = (end.saturating_add(keep.months()), end.saturating_add(keep.months()).saturating_add((gone - keep).months()));
        let state = match () {
            () if today < keep => "retained",
            () if today <= gone => "due",
            () => "overdue",
        };
        (state, Some((keep, gone)))
    }
}

fn handles(all: &str) -> impl Iterator<Item = &str> {
    all.split(';').filter(|handle| !handle.is_empty())
}

/// The truth about retention: registry, handle, cluster, state and both days, of every contact that no service needs.
pub(super) struct Keeping {
    file: CsvFile,
    /// What a plan of erasure comes to.
    erasures: CsvFile,
    today: Date,
    /// By the hash of a handle of the registry, whether a role that is asked for, or only one that is not, is filled by it.
    named: HashMap<u64, bool>,
    contacts: Vec<Box<str>>,
    rows: u64,
}

impl Keeping {
    /// Opens the files `retention.csv` and `erasure.csv` in `dir`.
    pub(super) fn create(dir: &Path, today: Date) -> Result<Self> {
        let mut file = CsvFile::create(&dir.join("retention.csv"))?;
        let mut erasures = CsvFile::create(&dir.join("erasure.csv"))?;
        erasures.push(["registry", "object", "state"])?;
        file.push(["registry", "object", "cluster", "state", "keep_until", "must_go_by"])?;
        Ok(Self { file, erasures, today, named: HashMap::new(), contacts: Vec::new(), rows: 0 })
    }

    /// Notes a contact that somebody holds.
    pub(super) fn contact(&mut self, handle: &str) {
        self.contacts.push(handle.into());
    }

    /// Notes whom the record of a domain names that the registry has.
    pub(super) fn record(&mut self, domain: &Record) {
        self.names(|field| domain.get(field.at()));
    }

    /// Notes whom a registry's own domain names: they are there.
    pub(super) fn held(&mut self, domain: &Row) {
        use DomainField as F;
        let get = |field: F| domain.get(field.at()).unwrap_or_default();
        self.names(get);
        self.contacts.extend([F::Registrant, F::Tech, F::Admin, F::Billing].iter().flat_map(|role| handles(get(*role))).map(Into::into));
    }

    fn names<'d>(&mut self, get: impl Fn(DomainField) -> &'d str) {
        use DomainField as F;
        for (field, is_asked) in [(F::Registrant, true), (F::Tech, true), (F::Admin, false), (F::Billing, false)] {
            for handle in handles(get(field)) {
                *self.named.entry(xxh3_64(handle.as_bytes())).or_default() |= is_asked;
            }
        }
    }

    /// Tells of a customer of the past, the `nth` at its registry. Its contact comes to that `fate` by a plan of erasure, where its data
    /// are to go.
    pub(super) fn former(
        &mut self,
        registry: &str,
        handle: &str,
        (former, nth): (&Former, u64),
        periods: Periods,
        fate: Option<&'static str>,
    ) -> Result<()> {
        let (state, days) = former.verdict(periods, self.today);
        let state = if (registry, nth) == KEPT { "hold" } else { state };
        if let Some(fate) = fate.filter(|_| matches!(state, "due" | "overdue")) {
            self.erasures.push([registry, handle, fate])?;
        }
        let [keep, gone] = days.map_or_else(Default::default, |(keep, gone)| [keep, gone].map(|day| day.to_string()));
        self.push([registry, handle, "registration", state, &keep, &gone])
    }

    /// Tells of the contacts of `registry` that nobody names, or only in roles that are not asked for.
    pub(super) fn end_of(&mut self, registry: &str, periods: Periods) -> Result<()> {
        let not_asked = NOT_ASKED.to_string();
        let mut contacts = std::mem::take(&mut self.contacts);
        contacts.sort_unstable();
        contacts.dedup();
        for handle in contacts {
            match self.named.get(&xxh3_64(handle.as_bytes())) {
                Some(true) => {}
                Some(false) if periods == Periods::House => {}
                Some(false) => self.push([registry, &handle, "legacy-roles", "overdue", "", &not_asked])?,
                None => self.push([registry, &handle, "registration", "unknown_start", "", ""])?,
            }
        }
        self.named.clear();
        Ok(())
    }

    fn push(&mut self, row: [&str; 6]) -> Result<()> {
        self.rows += 1;
        self.file.push(row)
    }

    /// Puts the file in place; how many rows there are.
    pub(super) fn finish(self) -> Result<u64> {
        self.file.finish()?;
        self.erasures.finish()?;
        Ok(self.rows)
    }
}
