//! Buckets: every object has one of 2^k by the hash of registry, kind and id, so that work on any of them needs the memory of one.

use crate::base::RegistryId;
use crate::model::ObjectKind;
use std::path::{Path, PathBuf};

/// Rows a bucket is meant to hold.
pub const BUCKET_ROWS: u64 = 50_000;

/// The most buckets a table is cut into, as a power of two: 16,384 buckets hold some 800 million rows.
pub(super) const MAX_LOG2: u8 = 14;

/// The power of two for a table of `rows` rows.
#[must_use]
pub fn log2_for(rows: u64) -> u8 {
    let buckets = rows.div_ceil(BUCKET_ROWS).max(1).next_power_of_two();
    u8::try_from(buckets.trailing_zeros()).unwrap_or(MAX_LOG2).min(MAX_LOG2)
}

/// The bucket of an object among 2^`log2`.
#[must_use]
pub fn bucket_of(registry: &RegistryId, kind: ObjectKind, id: &str, log2: u8) -> u32 {
    first_bits(place_of(registry, kind, id), log2)
}

/// An object's hash, whose first bits are its bucket.
pub(super) fn place_of(registry: &RegistryId, kind: ObjectKind, id: &str) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3Default::new();
    for part in [registry.as_str(), kind.as_str()] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    hasher.update(id.as_bytes());
    hasher.digest()
}

/// The buckets of a table cut into 2^`from` that hold all there is in `bucket` of one cut into 2^`to`.
pub(super) fn covering(bucket: u32, to: u8, from: u8) -> std::ops::Range<u32> {
    if from <= to {
        let one = bucket >> (to - from);
        one..one + 1
    } else {
        bucket << (from - to)..(bucket + 1) << (from - to)
    }
}

/// The first `log2` bits of `hash`.
pub(super) fn first_bits(hash: u64, log2: u8) -> u32 {
    if log2 == 0 { 0 } else { u32::try_from(hash >> (64 - u32::from(log2.min(MAX_LOG2)))).unwrap_or(0) }
}

/// The directory of one registry below `root`.
#[must_use]
pub fn registry_dir(root: &Path, registry: &RegistryId) -> PathBuf {
    root.join(format!("registry={}", registry.as_str()))
}

/// The directory of one bucket below a registry's.
#[must_use]
pub fn bucket_dir(registry_dir: &Path, bucket: u32) -> PathBuf {
    registry_dir.join(format!("bucket={bucket:04}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_power_follows_the_rows() {
        for (rows, want) in [(0, 0), (50_000, 0), (50_001, 1), (1_000_000, 5), (10_000_000, 8), (u64::MAX, MAX_LOG2)] {
            assert_eq!(log2_for(rows), want, "{rows}");
        }
    }

    #[test]
    fn another_cut_covers_the_same_objects() {
        let registry = RegistryId::new("x");
        for (to, from) in [(0, 0), (0, 3), (3, 0), (2, 5), (5, 2), (4, 4)] {
            for n in 0..500 {
                let of = |log2| bucket_of(&registry, ObjectKind::Domain, &format!("d{n}"), log2);
                assert!(covering(of(to), to, from).contains(&of(from)), "{to} {from} {n}");
            }
            let all: usize = (0..1_u32 << to).map(|bucket| covering(bucket, to, from).len()).sum();
            assert_eq!(all, (1 << from).max(1 << to), "none too many");
        }
    }

    #[test]
    fn objects_spread_evenly_and_stay_where_they_are() {
        let registry = RegistryId::new("x");
        let mut counts = [0_u32; 16];
        for n in 0..16_000 {
            counts[bucket_of(&registry, ObjectKind::Contact, &format!("C-{n}"), 4) as usize] += 1;
        }
        assert!(counts.iter().all(|c| (850..1150).contains(c)), "{counts:?}");
        assert_eq!(bucket_of(&registry, ObjectKind::Contact, "C-1", 0), 0);
        assert_eq!(
            bucket_of(&registry, ObjectKind::Contact, "C-1", 3),
            bucket_of(&registry, ObjectKind::Contact, "C-1", 4) >> 1,
            "a finer cut only splits buckets"
        );
    }
}
