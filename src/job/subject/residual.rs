//! What an erasure leaves, and why: records that are the operator's, contacts that registries keep, the tool's own files, backups.

use super::Known;
use crate::base::{Result, StateDir, escape_controls};
use crate::compliance::retention::resolve;
use crate::job::archive::stores;
use crate::job::config::Loaded;
use crate::job::retention::{self, Leaving};
use crate::report::KeptRow;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What becomes of data: terms of the Data Privacy Vocabulary (W3C DPVCG), which mean different things on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub(super) enum Method {
    /// Removed so that nothing brings them back: values, keys and salts.
    Erase,
    /// Only what leads from them to a person was removed; they stay.
    Pseudonymise,
    /// They stay as they are.
    Store,
}

impl Method {
    /// The term.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Erase => "dpv:Erase",
            Self::Pseudonymise => "dpv:Pseudonymise",
            Self::Store => "dpv:Store",
        }
    }
}

/// Something that this verb cannot erase, or does not.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Residual {
    /// Where.
    pub(super) store: &'static str,
    /// Which; stands on standard output alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) object: Option<String>,
    /// How many.
    pub(super) count: u64,
    /// Why.
    pub(super) why: String,
    /// By when it is gone by the rules, where they say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gone_by: Option<String>,
    /// How it stands.
    pub(super) method: Method,
}

impl Known {
    /// What stays, and why.
    ///
    /// # Errors
    /// `E-file-003`, `E-file-007` where the state directory cannot be opened.
    pub(super) fn residuals(&self, loaded: &Loaded) -> Result<Vec<Residual>> {
        let today = self.at.to_zoned(TimeZone::UTC).date();
        let mut out = Vec::new();
        let mut places: BTreeMap<(&'static str, String), BTreeSet<&str>> = BTreeMap::new();
        for held in self.search.own() {
            let domains = self.search.domains.iter().filter(|named| named.registry == held.registry && named.contact == held.row.id());
            let used = domains.filter(|named| named.in_use).map(|named| named.row.id());
            places.entry((held.store.as_str(), format!("{}/{}", held.registry, held.row.id()))).or_default().extend(used);
        }
        for ((store, object), domains) in places {
            let why = match (store, domains.is_empty()) {
                ("records", _) => "it is a record of the operator's own database, which this tool only reads".to_owned(),
                (_, true) => "no domain needs it: a plan deletes it, or the registry does by itself".to_owned(),
                (_, false) => format!("in use by {}", domains.into_iter().collect::<Vec<_>>().join(", ")),
            };
            let store = if store == "records" { "local records" } else { "registry" };
            out.push(Residual { store, object: Some(object), count: 1, why, gone_by: None, method: Method::Store });
        }
        let state = StateDir::open(&loaded.config.state)?;
        out.extend(own(loaded, state.root(), today)?);
        Ok(out)
    }
}

/// What stays in what the tool itself left, in copies of that, and in backups.
fn own(loaded: &Loaded, state: &Path, today: Date) -> Result<Vec<Residual>> {
    let contracts = BTreeSet::new();
    let of = |own: retention::Own| {
        let gone_by = resolve(&loaded.config.retention.pack, &own.item(&contracts), today).must_go_by.map(|day| day.to_string());
        let (store, method, why) = match own.store {
            "state" => ("snapshots", Method::Store, "it may hold the contact, and goes as a whole by its rule"),
            "plans" => {
                ("plans", Method::Pseudonymise, "it may name the contact by its handle; values in it are sealed under keys that are erased")
            }
            _ => (
                "reports",
                Method::Pseudonymise,
                "rows with values are taken out of its tables; handles in it, and keyed hashes as long as the controller's key lives, can be linked; it goes by its rule",
            ),
        };
        Residual { store, object: Some(own.name), count: 1, why: why.to_owned(), gone_by, method }
    };
    let mut out: Vec<Residual> = retention::own(state, &loaded.config.reports).into_iter().map(of).collect();
    for store in stores(state)? {
        let is_ours = loaded.config.objects.as_ref().is_some_and(|objects| objects.place.shown() == store.place);
        let of = |leaving: Leaving, days: &[Date], what: &'static str, until: &str| {
            let gone_by = |day: &Date| retention::gone_by(&loaded.config.retention.pack, leaving, *day, today);
            let gone_by = days.iter().filter_map(gone_by).max().filter(|_| is_ours).map(|day| day.to_string());
            let fate = if is_ours { until } else { "[objects] names that place no more: nobody deletes there, so delete them by hand" };
            let why = format!("at {}, which {} runs in {}: {fate}", store.place, store.provider, store.country);
            let count = days.len() as u64;
            Residual { store: what, object: Some(store.place.clone()), count, why, gone_by, method: Method::Store }
        };
        let snapshots = "each goes there by the rule that it goes by here, with the next `privet archive`";
        let runs = "rows that were erased here stand there until the next `privet archive`, and each goes by its rule";
        let both = [
            of(Leaving::Snapshot, &store.snapshots, "copies of snapshots", snapshots),
            of(Leaving::Report, &store.runs, "copies of reports", runs),
        ];
        out.extend(both.into_iter().filter(|one| one.count > 0));
    }
    let why = "unknown: nobody declared which there are, and how long they are kept".to_owned();
    out.push(Residual { store: "backups", object: None, count: 0, why, gone_by: None, method: Method::Store });
    Ok(out)
}

/// The same by store, as a report has it.
///
/// # Errors
/// As [`stores`].
pub(in crate::job) fn own_residuals(loaded: &Loaded, state: &Path, today: Date) -> Result<Vec<KeptRow>> {
    let row =
        |one: Residual| KeptRow { store: one.store, method: one.method.as_str(), count: one.count, gone_by: one.gone_by, why: one.why };
    Ok(counted(&own(loaded, state, today)?).into_iter().map(row).collect())
}

/// The residuals by store, without what they are.
pub(super) fn counted(residuals: &[Residual]) -> Vec<Residual> {
    let mut out: BTreeMap<(&'static str, Method), Residual> = BTreeMap::new();
    for one in residuals {
        let sum = out.entry((one.store, one.method)).or_insert_with(|| Residual { object: None, count: 0, gone_by: None, ..one.clone() });
        sum.count += one.count;
        sum.gone_by = sum.gone_by.take().max(one.gone_by.clone());
        if one.store == "registry" {
            // The domains would tell whose it is.
            "contacts at registries, in use or to be deleted there".clone_into(&mut sum.why);
        }
    }
    out.into_values().collect()
}

/// The residuals for people.
pub(super) fn told(residuals: &[Residual]) -> String {
    let line = |one: &Residual| {
        let object = one.object.as_deref().map_or_else(String::new, |object| format!(" {}", escape_controls(object)));
        let gone_by = one.gone_by.as_deref().map_or_else(String::new, |day| format!("; gone by {day}"));
        format!("stays: {}{object}: {}{gone_by} ({})", one.store, escape_controls(&one.why), one.method.as_str())
    };
    residuals.iter().map(line).collect::<Vec<_>>().join("\n")
}
