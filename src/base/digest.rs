//! Digests: SHA-256 where a person or an authority may compare them, 128-bit XXH3 where two rows of ours are compared.

use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 digest of bytes that left or reached this machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of all that `input` gives, a piece at a time.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn of_all(mut input: impl std::io::Read) -> std::io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            match input.read(&mut piece) {
                Ok(0) => return Ok(Self(hasher.finalize().into())),
                Ok(read) => hasher.update(piece.get(..read).unwrap_or_default()),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// The first 8 bytes as a number: a seed.
    #[must_use]
    pub fn first_u64(&self) -> u64 {
        u64::from_be_bytes(self.0.first_chunk::<8>().copied().unwrap_or_default())
    }

    /// The first 16 bytes in lower-case hexadecimal: enough to name a frame in a table.
    #[must_use]
    pub fn short(&self) -> String {
        hex(self.0.get(..16).unwrap_or_default())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `bytes` in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|n| char::from(*DIGITS.get(usize::from(n)).unwrap_or(&b'?'))).collect()
}

/// A 128-bit digest of one row. Two rows with equal digests are taken to be equal.
pub type RowDigest = u128;

/// The digest of a row's fields in order, where an absent field differs from an empty one.
#[must_use]
pub fn row_digest<'a>(fields: impl IntoIterator<Item = Option<&'a str>>) -> RowDigest {
    let mut hasher = xxhash_rust::xxh3::Xxh3Default::new();
    for field in fields {
        match field {
            // The length goes in front, so that no two different rows give the same bytes.
            Some(text) => {
                hasher.update(&(text.len() as u64 + 1).to_le_bytes());
                hasher.update(text.as_bytes());
            }
            None => hasher.update(&0_u64.to_le_bytes()),
        }
    }
    hasher.digest128()
}
