//! What to refresh first in a snapshot: what changed in the local records since, then what was observed longest ago.

use super::buckets::{bucket_of, covering, place_of};
use super::ingest::Records;
use super::snapshot::{AgeCount, Snapshot, minute};
use crate::base::{RegistryId, Result, RowDigest, Timestamp};
use crate::model::ObjectKind;
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

/// Bands into which the rows of a snapshot are cut by their age, at most: each is one more pass over their ids and times.
const BANDS: u64 = 32;

/// Some ids of one kind, all of one bucket.
type Batch = (ObjectKind, Vec<Box<str>>);

/// The objects of a snapshot in the order in which they are to be refreshed, a bucket at a time.
#[derive(Debug)]
pub struct Refresh {
    base: Snapshot,
    records: Records,
    registry: RegistryId,
    /// Buckets of both kinds that were looked through for changes.
    changed: u64,
    /// Hashes of the objects that were handed out as changed: 8 bytes for each that was asked for.
    given: HashSet<u64>,
    /// Minutes of observation, the oldest last, at most [`BANDS`] of about as many rows each; nothing before the first is asked for.
    bands: Option<Vec<RangeInclusive<i64>>>,
    /// Buckets of both kinds that were looked through for the last band.
    looked: u64,
}

impl Refresh {
    /// What to refresh of `base`, given the local records of today.
    #[must_use]
    pub fn new(base: Snapshot, records: Records, registry: RegistryId) -> Self {
        Self { base, records, registry, changed: 0, given: HashSet::new(), bands: None, looked: 0 }
    }

    /// Some objects whose local record is another one than when they were observed, or is gone; nothing once all were told.
    ///
    /// # Errors
    /// `E-parquet-…`.
    pub fn next_changed(&mut self) -> Result<Option<Batch>> {
        while let Some((kind, bucket)) = self.place(self.changed) {
            self.changed += 1;
            let local = local_digests(&self.records, &self.registry, kind, bucket, self.base.manifest().buckets_log2)?;
            let file = self.base.cells(kind, bucket, &["id", "local"])?;
            let mut ids: Vec<Box<str>> = Vec::new();
            for n in 0..file.batches() {
                let batch = file.batch(n)?;
                for row in 0..batch.rows() {
                    let Some(id) = batch.get(0, row) else { continue };
                    let then = batch.get(1, row).and_then(|text| RowDigest::from_str_radix(text, 16).ok());
                    if then != local.get(id).copied() {
                        self.given.insert(place_of(&self.registry, kind, id));
                        ids.push(id.into());
                    }
                }
            }
            if !ids.is_empty() {
                return Ok(Some((kind, ids)));
            }
        }
        Ok(None)
    }

    /// Some of the objects observed longest ago that are not changed; nothing once all were told.
    ///
    /// # Errors
    /// `E-parquet-…`.
    pub fn next_oldest(&mut self) -> Result<Option<Batch>> {
        if self.bands.is_none() {
            self.bands = Some(self.cut()?);
        }
        while let Some(band) = self.bands.as_ref().and_then(|bands| bands.last()).cloned() {
            let Some((kind, bucket)) = self.place(self.looked) else {
                self.bands.as_mut().map(Vec::pop);
                self.looked = 0;
                continue;
            };
            self.looked += 1;
            let mut found = Vec::new();
            self.each(kind, bucket, |id, at| {
                if band.contains(&minute(at)) && !self.given.contains(&place_of(&self.registry, kind, id)) {
                    found.push((at, Box::from(id)));
                }
            })?;
            found.sort_unstable();
            if !found.is_empty() {
                return Ok(Some((kind, found.into_iter().map(|(_, id)| id).collect())));
            }
        }
        Ok(None)
    }

    /// The kind and the bucket looked at as the `n`th: domains first, since they name contacts.
    fn place(&self, n: u64) -> Option<(ObjectKind, u32)> {
        let buckets = u64::from(self.base.buckets());
        let kind = *[ObjectKind::Domain, ObjectKind::Contact].get(usize::try_from(n / buckets).ok()?)?;
        Some((kind, u32::try_from(n % buckets).ok()?))
    }

    /// Cuts the time over which rows were observed into bands, the oldest last.
    fn cut(&self) -> Result<Vec<RangeInclusive<i64>>> {
        let mut count = AgeCount::default();
        for kind in ObjectKind::ALL {
            for bucket in 0..self.base.buckets() {
                self.each(kind, bucket, |_, at| count.add(at))?;
            }
        }
        let most = (count.minutes().values().sum::<u64>() / BANDS).max(1);
        let (mut bands, mut from, mut rows) = (Vec::new(), None, 0);
        let mut last = None;
        for (&minute, n) in count.minutes() {
            let first = *from.get_or_insert(minute);
            rows += n;
            last = Some(first..=minute);
            if rows >= most {
                bands.extend(last.take());
                (from, rows) = (None, 0);
            }
        }
        bands.extend(last);
        bands.reverse();
        Ok(bands)
    }

    /// Calls `visit` with each object of a bucket and when it was observed; a time that cannot be read is long ago.
    fn each(&self, kind: ObjectKind, bucket: u32, mut visit: impl FnMut(&str, Timestamp)) -> Result<()> {
        let file = self.base.cells(kind, bucket, &["id", "observed_at"])?;
        for n in 0..file.batches() {
            let batch = file.batch(n)?;
            for row in 0..batch.rows() {
                if let Some(id) = batch.get(0, row) {
                    visit(id, batch.get(1, row).and_then(|text| text.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH));
                }
            }
        }
        Ok(())
    }
}

/// The digests of the local records in `bucket` of 2^`log2`, however the records themselves are cut.
pub(super) fn local_digests(
    records: &Records,
    registry: &RegistryId,
    kind: ObjectKind,
    bucket: u32,
    log2: u8,
) -> Result<HashMap<Box<str>, RowDigest>> {
    let mut digests = HashMap::new();
    for theirs in covering(bucket, log2, records.buckets_log2()) {
        let rows = records.rows(registry, kind, theirs)?;
        let here = rows.iter().filter(|row| bucket_of(registry, kind, row.id(), log2) == bucket);
        digests.extend(here.map(|row| (row.id().into(), row.digest())));
    }
    Ok(digests)
}
