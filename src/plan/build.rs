//! The rows of one registry, bucket by bucket, through a recipe.

use super::basis::{Bases, NoRecords};
use super::header::Recipe;
use super::recipes::{Asked, Behind, Beside, Known, Outcome, Pair, Site, Watched, asks_behind, behind, watched};
use crate::base::{RegistryId, Result, StopToken, Timestamp};
use crate::dataset::{Records, Row, Snapshot, Stamp, State, ahead};
use crate::model::ObjectKind;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The rows of one registry.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The registry.
    pub id: &'a RegistryId,
    /// The local records.
    pub records: &'a Records,
    /// What it held.
    pub snapshot: &'a Snapshot,
    /// Nothing rests on what was observed before then.
    pub not_before: Timestamp,
    /// The operator's wish to stop.
    pub stop: &'a StopToken,
}

/// Plans for the objects of one registry, in one order whatever the machine; hands over what each bucket came to.
///
/// ```text
///   domains ──▶ what is asked of contacts ──▶ contacts ──▶ what is known of them, and their own drafts
///   domains again, with what is known     ──▶ drafts
/// ```
///
/// Memory holds a bucket, some bytes for each contact, and what was decided about the registrants of selected domains.
///
/// # Errors
/// `E-parquet-…` where a bucket cannot be read; what `bases` and `sink` return.
pub fn build(
    recipe: Recipe,
    site: &Site<'_>,
    sources: &Sources<'_>,
    bases: &mut dyn Bases,
    sink: &mut dyn FnMut(Outcome) -> Result<()>,
) -> Result<()> {
    bases.enter(sources)?;
    let mut asked = Asked::default();
    sources.each(ObjectKind::Domain, false, &mut |pairs| {
        for both in pairs {
            site.asks(recipe, both.pair(), &mut asked);
        }
        Ok(())
    })?;
    if asked.has_targets() {
        sources.each(ObjectKind::Domain, false, &mut |pairs| {
            for both in pairs {
                asked.used(site, both.pair());
            }
            Ok(())
        })?;
    }
    let mut known = Known::default();
    sources.each(ObjectKind::Contact, false, &mut |pairs| {
        let mut out = Outcome::default();
        for both in pairs {
            known.contact(site, both.pair(), &asked, bases)?;
            site.contact(recipe, both.fresh(), &asked, bases, &mut out)?;
        }
        sink(out)
    })?;
    known.take_links(&mut asked);
    drop(asked);
    sources.each(ObjectKind::Domain, false, &mut |pairs| {
        let mut out = Outcome::default();
        for both in pairs {
            site.domain(recipe, both.fresh(), &known, &mut out);
        }
        sink(out)
    })
}

/// What was seen in one bucket.
pub enum Look {
    /// How many contacts there are, and those that were left behind.
    Contacts(usize, Vec<Behind>),
    /// The domains.
    Domains(Vec<Watched>),
}

/// Looks at one registry's objects as it holds them, in one order whatever the machine: at its domains, then at its contacts for what
/// protection left behind; hands over what each bucket came to.
///
/// # Errors
/// `E-parquet-…` where a bucket cannot be read; what `sink` returns.
pub fn watch(site: &Site<'_>, sources: &Sources<'_>, beside: &Beside<'_>, sink: &mut dyn FnMut(Look) -> Result<()>) -> Result<()> {
    let (mut known, asked) = (Known::default(), Asked::default());
    sources.each(ObjectKind::Contact, false, &mut |pairs| {
        pairs.iter().try_for_each(|both| known.contact(site, both.pair(), &asked, &mut NoRecords))
    })?;
    sources.each(ObjectKind::Domain, true, &mut |pairs| {
        let look = |both: &Both| {
            let one = watched(site, both.pair(), &both.stamp, &known, beside);
            Watched { away: one.away || both.is_denied, ..one }
        };
        sink(Look::Domains(pairs.iter().map(look).collect()))
    })?;
    drop(known);
    if site.is_by_proxy() { left_behind(site, sources, sink) } else { Ok(()) }
}

/// Looks at the contacts of a registry for those that protection left behind.
fn left_behind(site: &Site<'_>, sources: &Sources<'_>, sink: &mut dyn FnMut(Look) -> Result<()>) -> Result<()> {
    let mut asked = Asked::default();
    let domains = |visit: &mut dyn FnMut(Pair<'_>)| {
        sources.each(ObjectKind::Domain, false, &mut |pairs| {
            for both in pairs {
                visit(both.pair());
            }
            Ok(())
        })
    };
    domains(&mut |pair| asks_behind(site, pair, &mut asked))?;
    if asked.has_replaced() {
        domains(&mut |pair| asked.names(pair))?;
    }
    sources.each(ObjectKind::Contact, false, &mut |pairs| {
        sink(Look::Contacts(pairs.len(), pairs.iter().filter_map(|both| behind(site, both.pair(), &asked)).collect()))
    })
}

/// Hands over both rows of each object of a kind, in one order whatever the machine.
///
/// # Errors
/// `E-parquet-…` where a bucket cannot be read; what `visit` returns.
pub fn pairs(sources: &Sources<'_>, kind: ObjectKind, visit: &mut dyn FnMut(Pair<'_>) -> Result<()>) -> Result<()> {
    sources.each(kind, false, &mut |pairs| pairs.iter().try_for_each(|both| visit(both.pair())))
}

/// The rows of one object.
#[derive(Default)]
struct Both {
    local: Option<Row>,
    remote: Option<Row>,
    /// What the registry stamped it with, where that was asked for.
    stamp: Stamp,
    /// Whether the registry's was observed too long ago.
    is_stale: bool,
    /// Whether the registry was asked, and knew no such object or would not tell us of it.
    is_denied: bool,
}

impl Both {
    const fn pair(&self) -> Pair<'_> {
        Pair { local: self.local.as_ref(), remote: self.remote.as_ref() }
    }

    /// Without what is too old to rest a change on.
    const fn fresh(&self) -> Pair<'_> {
        let remote = if self.is_stale { None } else { self.remote.as_ref() };
        Pair { local: self.local.as_ref(), remote }
    }
}

impl Sources<'_> {
    /// Hands over the objects of each bucket of the coarser cut, in the order of their ids, `stamped` where that is asked for.
    fn each(&self, kind: ObjectKind, stamped: bool, visit: &mut dyn FnMut(&[Both]) -> Result<()>) -> Result<()> {
        let theirs = self.snapshot.manifest().buckets_log2;
        let coarse = self.records.buckets_log2().min(theirs);
        let finer = |bucket: u32, by: u8| (bucket << by)..((bucket + 1) << by);
        let is_old = self.snapshot.manifest().observed.as_ref().is_some_and(|ages| ages.oldest < self.not_before);
        let read = |bucket: u32| {
            if self.stop.is_stopped() {
                return Ok(Vec::new());
            }
            let mut all = BTreeMap::<Box<str>, Both>::new();
            for fine in finer(bucket, self.records.buckets_log2() - coarse) {
                for row in self.records.rows(self.id, kind, fine)? {
                    let id = Box::from(row.id());
                    all.entry(id).or_default().local = Some(row);
                }
            }
            for fine in finer(bucket, theirs - coarse) {
                let stale = if is_old { self.snapshot.observed_before(kind, fine, self.not_before)? } else { HashSet::new() };
                let mut stamps = if stamped { self.snapshot.stamps(kind, fine)? } else { HashMap::new() };
                for seen in self.snapshot.rows(kind, fine)? {
                    if seen.state != State::Ok {
                        if let Some(both) = all.get_mut(seen.row.id()) {
                            both.is_denied = matches!(seen.state, State::Missing | State::Refused);
                        }
                        continue;
                    }
                    let both = all.entry(seen.row.id().into()).or_default();
                    both.is_stale = stale.contains(seen.row.id());
                    both.stamp = stamps.remove(seen.row.id()).unwrap_or_default();
                    both.remote = Some(seen.row);
                }
            }
            Ok(all.into_values().collect::<Vec<Both>>())
        };
        ahead(1 << coarse, read, |_, pairs| if self.stop.is_stopped() { Ok(()) } else { visit(&pairs) })
    }
}
