//! Local records against a snapshot, bucket by bucket.

use super::compare::compare;
use super::expected::{Hides, PrivacySettings, expected_domain, names_contacts, proxy_contact, proxy_handle, withheld};
use super::output::{DiffKind, Difference, Differences, Sheet};
use super::part::Part;
use super::summary::DiffSummary;
use crate::base::{DomainName, RegistryId, Result};
use crate::dataset::{DomainField, Observed, Protection, Records, Row, Services, Snapshot, State, bucket_of, columns};
use crate::model::ObjectKind;
use crate::policy::Profile;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// What is expected of registries beyond the local records.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// The privacy services that are active on the day of the snapshots.
    pub services: &'a Services,
    /// The provider's own data.
    pub privacy: Option<&'a PrivacySettings>,
}

/// One registry that is compared.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// Its profile.
    pub profile: &'a Profile,
    /// What it held.
    pub snapshot: &'a Snapshot,
}

/// Compares the local records with the snapshots of `registries` and writes `differences.{csv,parquet}` into `out`.
///
/// # Errors
/// `E-parquet-…` where a bucket cannot be read, `E-file-…` where the output cannot be written.
pub fn diff(records: &Records, registries: &[Compared<'_>], expectation: Expectation<'_>, out: &Path) -> Result<DiffSummary> {
    diff_part(records, registries, expectation, Part::WHOLE, out)
}

/// The same, of the buckets of one part alone. What domains make expected of contacts is read of all.
///
/// # Errors
/// As [`diff`].
pub fn diff_part(
    records: &Records,
    registries: &[Compared<'_>],
    expectation: Expectation<'_>,
    part: Part,
    out: &Path,
) -> Result<DiffSummary> {
    let all = Mutex::new(Differences::begin(out)?);
    for compared in registries {
        let registry = &compared.snapshot.manifest().registry;
        let log2 = records.buckets_log2().min(compared.snapshot.manifest().buckets_log2);
        let side = Side { records, compared: *compared, registry, expectation, log2, part };
        side.domains(&all).and_then(|masks| if compared.profile.has_contacts() { side.contacts(&masks, &all) } else { Ok(()) })?;
    }
    all.into_inner().unwrap_or_else(PoisonError::into_inner).finish(true)
}

/// What the domains of one bucket make expected of contacts.
#[derive(Default)]
struct Masks {
    /// Protected domains whose registrant is a proxy contact.
    proxied: Vec<DomainName>,
    /// Registrants of protected domains, which a disclose statement hides.
    withheld: Vec<Box<str>>,
}

/// One registry's comparison.
struct Side<'a> {
    records: &'a Records,
    compared: Compared<'a>,
    registry: &'a RegistryId,
    expectation: Expectation<'a>,
    /// The coarser of the two cuts into buckets.
    log2: u8,
    /// Which buckets are compared.
    part: Part,
}

impl Side<'_> {
    /// Compares the domains; returns by bucket what they make expected of contacts.
    fn domains(&self, all: &Mutex<Differences>) -> Result<Vec<Masks>> {
        let kind = ObjectKind::Domain;
        let found = (0..1_u32 << self.log2).into_par_iter().map(|bucket| {
            let mut masks = Masks::default();
            let local: Vec<Row> = self.local(kind, bucket)?.into_iter().map(|row| self.expected_domain(row, &mut masks)).collect();
            if self.part.covers(bucket) {
                self.compare(kind, &local, &self.remote(kind, bucket)?, &HashSet::new(), all)?;
            }
            Ok(masks)
        });
        let found = found.collect::<Result<Vec<Masks>>>()?;
        let mut out: Vec<Masks> = std::iter::repeat_with(Masks::default).take(1 << self.log2).collect();
        for masks in found {
            for domain in masks.proxied {
                let bucket = bucket_of(self.registry, ObjectKind::Contact, &proxy_handle(&domain), self.log2);
                out.get_mut(bucket as usize).into_iter().for_each(|m| m.proxied.push(domain.clone()));
            }
            for handle in masks.withheld {
                let bucket = bucket_of(self.registry, ObjectKind::Contact, &handle, self.log2);
                out.get_mut(bucket as usize).into_iter().for_each(|m| m.withheld.push(handle.clone()));
            }
        }
        Ok(out)
    }

    fn contacts(&self, masks: &[Masks], all: &Mutex<Differences>) -> Result<()> {
        let kind = ObjectKind::Contact;
        let buckets = masks.iter().enumerate().collect::<Vec<_>>().into_par_iter();
        buckets.try_for_each(|(bucket, masks)| {
            let bucket = u32::try_from(bucket).unwrap_or(u32::MAX);
            if !self.part.covers(bucket) {
                return Ok(());
            }
            let hidden: HashSet<&str> = masks.withheld.iter().map(AsRef::as_ref).collect();
            let expected = |row: Row| if hidden.contains(row.id()) { withheld(&row, self.compared.profile) } else { row };
            let mut local: Vec<Row> = self.local(kind, bucket)?.into_iter().map(expected).collect();
            // A local record of the proxy contact is the registrar's own word on it.
            let known: HashSet<String> = local.iter().map(|row| row.id().to_owned()).collect();
            let settings = self.expectation.privacy;
            let proxies = masks.proxied.iter().filter_map(|domain| settings.map(|settings| proxy_contact(domain, settings)));
            let proxies: Vec<Row> = proxies.filter(|row| !known.contains(row.id())).collect();
            let added: HashSet<Box<str>> = proxies.iter().map(|row| row.id().into()).collect();
            local.extend(proxies);
            self.compare(kind, &local, &self.remote(kind, bucket)?, &added, all)
        })
    }

    /// A domain's row as its registry is expected to hold it.
    fn expected_domain(&self, row: Row, masks: &mut Masks) -> Row {
        let (protection, settings) = (self.expectation.services.of(row.id()), self.expectation.privacy);
        let (row, hides) = expected_domain(self.compared.profile, protection, settings, row);
        match hides {
            Hides::Nothing => {}
            Hides::ByProxy => masks.proxied.push(DomainName::new(row.id())),
            Hides::ByWithholding => masks.withheld.extend(row.get(DomainField::Registrant.at()).map(Into::into)),
        }
        row
    }

    /// Compares one bucket. Contacts in `added` are expected because of a domain, which tells itself where it does not point at them.
    fn compare(
        &self,
        object: ObjectKind,
        local: &[Row],
        remote: &[Observed],
        added: &HashSet<Box<str>>,
        all: &Mutex<Differences>,
    ) -> Result<()> {
        let registry = self.registry.as_str();
        let mut there: HashMap<&str, &Observed> = remote.iter().map(|o| (o.row.id(), o)).collect();
        let contacts = self.compared.profile.has_contacts();
        let mut sheet = Sheet::default();
        for row in local {
            let id = row.id();
            let state = |remote| Difference {
                field: "state",
                remote: Some(remote),
                ..Difference::missing(registry, object, id, DiffKind::Unreadable)
            };
            match there.remove(id) {
                None if added.contains(id) => {}
                None => sheet.push(state("not_asked")),
                Some(seen) => match seen.state {
                    State::Missing => sheet.push(Difference::missing(registry, object, id, DiffKind::MissingThere)),
                    State::Unreadable | State::Refused => sheet.push(state(seen.state.as_str())),
                    // Equal bytes are equal; only rows that differ are normalised.
                    State::Ok if seen.row == *row => {}
                    State::Ok => {
                        let fields = columns(object);
                        for d in compare(fields.iter().map(|c| c.kind), |n| row.get(n), |n| seen.row.get(n)) {
                            if object == ObjectKind::Domain && !contacts && names_contacts(d.at) {
                                continue;
                            }
                            let field = fields.get(d.at).map_or("", |c| c.name);
                            let (local, remote, kind) = (d.local, d.remote, DiffKind::Changed);
                            sheet.push(Difference { registry, object, id, field, local, remote, kind, severity: d.severity });
                        }
                    }
                },
            }
        }
        for (id, seen) in there {
            match seen.state {
                State::Ok if self.is_mask(object, id) => {}
                State::Ok => sheet.push(Difference::missing(registry, object, id, DiffKind::MissingHere)),
                State::Unreadable => {
                    let missing = Difference::missing(registry, object, id, DiffKind::Unreadable);
                    sheet.push(Difference { field: "state", remote: Some(seen.state.as_str()), ..missing });
                }
                // Neither ours nor known to us: another registrar's contact, or a name that leads nowhere.
                State::Missing | State::Refused => {}
            }
        }
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.summary().add_compared(registry, object, local.len() as u64);
        all.absorb(&sheet)
    }

    /// Whether an object that no record names is the older service's mask, which belongs to the provider and not to a customer.
    fn is_mask(&self, object: ObjectKind, id: &str) -> bool {
        let mask = self.expectation.privacy.and_then(|s| s.v1_handle.as_ref());
        object == ObjectKind::Contact && mask.is_some_and(|mask| mask.as_str() == id) && self.expectation.services.any(Protection::V1)
    }

    /// The local rows of a bucket of the coarser cut.
    fn local(&self, kind: ObjectKind, bucket: u32) -> Result<Vec<Row>> {
        let mut out = Vec::new();
        for fine in finer(bucket, self.records.buckets_log2() - self.log2) {
            out.extend(self.records.rows(self.registry, kind, fine)?);
        }
        Ok(out)
    }

    /// The observed objects of a bucket of the coarser cut.
    fn remote(&self, kind: ObjectKind, bucket: u32) -> Result<Vec<Observed>> {
        let mut out = Vec::new();
        for fine in finer(bucket, self.compared.snapshot.manifest().buckets_log2 - self.log2) {
            out.extend(self.compared.snapshot.rows(kind, fine)?);
        }
        Ok(out)
    }
}

/// The buckets of a cut `by` powers of two finer that `bucket` is split into.
const fn finer(bucket: u32, by: u8) -> std::ops::Range<u32> {
    (bucket << by)..((bucket + 1) << by)
}
