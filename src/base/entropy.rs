//! Randomness as an argument, so that a test and the simulator draw from a seed.

use super::{Blame, Exit, Problem, Result};
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

/// A source of random bytes.
pub trait Entropy: Send {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// `E-entropy-001` where the machine gives none.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<()>;
}

/// The operating system's generator.
#[derive(Debug)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// The generator; it needs no seed.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "which source is used is said, and never a default")]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.0.fill(bytes).map_err(|_| {
            let what = "the operating system gave no random bytes";
            Problem::new("E-entropy-001", Blame::Us, what, "look at the machine: nothing is sealed without them").exit(Exit::Storage)
        })
    }
}

/// Bytes that follow from a seed: for tests and the simulator, never for keys that protect anything.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: [u8; 32],
    drawn: u64,
}

impl SeededEntropy {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed: Sha256::digest(seed.to_be_bytes()).into(), drawn: 0 }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::new().chain_update(self.seed).chain_update(self.drawn.to_be_bytes()).finalize();
            chunk.iter_mut().zip(block).for_each(|(to, from)| *to = from);
            self.drawn += 1;
        }
        Ok(())
    }
}
