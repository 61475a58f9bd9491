//! Salted commitments to rows about people: whoever has salt and row can show which row was meant, and once the salt is erased nobody can,
//! not even by trying every person there is.

use crate::base::hex;
use ring::hmac;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// What is hashed before a row, so that a commitment passes for no other keyed hash.
const PURPOSE: &[u8] = b"privet/commitment/1";

/// A random salt, of one row alone.
pub type Salt = Zeroizing<[u8; 32]>;

/// A commitment to a row: HMAC-SHA-256 under the row's salt (RFC 2104).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment([u8; 32]);

impl Commitment {
    /// The commitment to a row of those fields, in order; one that is absent differs from one that is empty.
    #[must_use]
    pub fn of<'r>(salt: &Salt, row: impl IntoIterator<Item = Option<&'r str>>) -> Self {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &**salt));
        context.update(PURPOSE);
        for field in row {
            match field {
                // The length goes in front, so that no two rows give the same bytes.
                Some(text) => {
                    context.update(&(text.len() as u64 + 1).to_be_bytes());
                    context.update(text.as_bytes());
                }
                None => context.update(&0_u64.to_be_bytes()),
            }
        }
        Self(context.sign().as_ref().first_chunk().copied().unwrap_or_default())
    }

    /// The commitment with those bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Commitment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Commitment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digest = crate::base::ValueDigest::read(&text);
        digest.map(|digest| Self(*digest.bytes())).ok_or_else(|| serde::de::Error::custom("not 64 hexadecimal digits in lower case"))
    }
}

impl JsonSchema for Commitment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Commitment".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn salt(byte: u8) -> Salt {
        Zeroizing::new([byte; 32])
    }

    #[test]
    fn a_commitment_is_to_one_row_under_one_salt() {
        let row = [Some("Ada"), None, Some("")];
        let one = Commitment::of(&salt(1), row);
        assert_eq!(one, Commitment::of(&salt(1), row));
        assert_ne!(one, Commitment::of(&salt(2), row), "another salt");
        let others: [&[Option<&str>]; 5] = [
            &[Some("Ada"), Some(""), None],
            &[Some("Ada"), None],
            &[Some("Ad"), Some("a"), None, Some("")],
            &[],
            &[Some("Adä"), None, Some("")],
        ];
        for other in others {
            assert_ne!(one, Commitment::of(&salt(1), other.iter().copied()), "{other:?}");
        }
    }

    #[test]
    fn it_is_hmac_over_what_is_said() {
        // Computed with Python's hmac module over the purpose, the length 4 as eight bytes, and "Ada".
        let wanted = "2acaceb92adca6fdb532c1be612ad540b0e1b0cc3f238d9c7ed8a1d8c94b2307";
        assert_eq!(Commitment::of(&salt(0), [Some("Ada")]).to_string(), wanted);
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        let one = Commitment::of(&salt(1), [Some("Ada")]);
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Commitment>(&text).unwrap(), one);
        assert!(serde_json::from_str::<Commitment>("\"00\"").is_err());
        assert!(!format!("{one:?}").contains("Ada"));
    }
}
