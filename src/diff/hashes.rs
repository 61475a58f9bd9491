//! Rows as hashes: a key for the id and a digest for everything, sorted to be found again.

use crate::base::RowDigest;
use crate::dataset::Batch;
use rayon::slice::ParallelSliceMut as _;
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

/// What is kept of a row.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// Of the whole row.
    pub(super) digest: RowDigest,
    /// Of its id.
    pub(super) key: u64,
    /// Its position in the table.
    pub(super) number: u32,
}

/// The odd multiplier that gives each column its weight: the fraction of the golden ratio.
const WEIGHT: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
/// The digest of an absent value, which is no text's but by chance.
const ABSENT: u128 = 0x6a09_e667_f3bc_c908_bb67_ae85_84ca_a73b;

/// The rows of `batch`, whose first stands at `first` in the table and whose first column is the id. Column after column, since each is
/// one run of memory; a digest is a polynomial over the digests of its values.
pub(super) fn rows(batch: &Batch, first: u32, seed: u64) -> Vec<Row> {
    let numbers = first..=u32::MAX;
    let ids = batch.column(0).zip(numbers).map(|(id, number)| {
        let id = id.unwrap_or_default().as_bytes();
        Row { digest: xxh3_128(id), key: xxh3_64_with_seed(id, seed), number }
    });
    let mut rows: Vec<Row> = ids.collect();
    for column in 1..batch.columns() {
        for (row, value) in rows.iter_mut().zip(batch.column(column)) {
            let digest = value.map_or(ABSENT, |text| xxh3_128(text.as_bytes()));
            row.digest = row.digest.wrapping_mul(WEIGHT).wrapping_add(digest);
        }
    }
    rows
}

/// Rows sorted by their keys, each there once.
pub(super) struct Index {
    rows: Vec<Row>,
    /// Where keys with the same first bits begin.
    starts: Vec<u32>,
    shift: u32,
}

impl Index {
    /// Sorts `rows`. Nothing where two share a key.
    pub(super) fn over(mut rows: Vec<Row>) -> Option<Self> {
        rows.par_sort_unstable_by_key(|row| row.key);
        if rows.windows(2).any(|pair| matches!(pair, [a, b] if a.key == b.key)) {
            return None;
        }
        let bits = rows.len().max(2).ilog2().clamp(1, 26);
        let shift = 64 - bits;
        let mut starts = vec![0_u32; (1 << bits) + 1];
        for row in &rows {
            if let Some(count) = starts.get_mut(slot(row.key, shift) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Some(Self { rows, starts, shift })
    }

    /// All rows, by key.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row of that key, and its place among [`Index::rows`].
    pub(super) fn find(&self, key: u64) -> Option<(usize, &Row)> {
        let slot = slot(key, self.shift);
        let (from, to) = (*self.starts.get(slot)? as usize, *self.starts.get(slot + 1)? as usize);
        let at = from + self.rows.get(from..to)?.iter().position(|row| row.key == key)?;
        Some((at, self.rows.get(at)?))
    }
}

/// The first bits of `key`.
fn slot(key: u64, shift: u32) -> usize {
    usize::try_from(key >> shift).unwrap_or(usize::MAX - 1)
}
