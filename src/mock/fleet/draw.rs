//! Chance as an argument: one generator per seed, purpose and index.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};

/// A run of pseudo-random numbers that depends on a seed, a purpose and an index and on nothing else.
#[derive(Clone, Debug)]
pub struct Draw(Xoshiro256PlusPlus);

impl Draw {
    /// The numbers of object `index` for `purpose`. Each purpose has numbers of its own, so that adding one changes no other.
    #[must_use]
    pub fn new(seed: u64, purpose: &str, index: u64) -> Self {
        let purpose = xxhash_rust::xxh3::xxh3_64_with_seed(purpose.as_bytes(), seed);
        Self(Xoshiro256PlusPlus::seed_from_u64(xxhash_rust::xxh3::xxh3_64_with_seed(&index.to_le_bytes(), purpose)))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // Multiply and shift: the bias is below 2^-32 for every bound in use, and no draw needs a second number.
        let product = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or_default()
    }

    /// Whether something that happens `per_mille` times in a thousand happens.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `items`; nothing of none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let at = self.below(items.len() as u64);
        items.get(usize::try_from(at).unwrap_or_default())
    }

    /// Puts `items` into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap_or_default();
            items.swap(last, other);
        }
    }
}
