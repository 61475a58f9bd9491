//! Values under one random key per registry object: whoever has the key reads them and makes their digests, and nobody else.

use super::{Blame, Exit, Problem, Result, Timestamp, hex};
use ring::{aead, hmac};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::{Zeroize as _, Zeroizing};

/// The bytes in front of a sealed value's nonce: the second it expires at.
const EXPIRY: usize = 8;

/// A random name for an object: what chained rows, plans and signed leaves call it by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef([u8; 16]);

impl ObjectRef {
    /// A reference of those bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads 32 hexadecimal digits.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        unhex(text).map(Self)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The digest of a value under its object's key: tells whether two values are equal, to nobody without the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueDigest([u8; 32]);

impl ValueDigest {
    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        unhex(text).map(Self)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Bytes from hexadecimal digits in lower case, exactly as many as there are.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut out = [0; N];
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(out)
}

macro_rules! as_hex {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::read(&text).ok_or_else(|| serde::de::Error::custom("not so many hexadecimal digits in lower case"))
            }
        }
    )*};
}

as_hex!(ObjectRef, ValueDigest);

/// An object's key. Whoever has it reads the object's values and makes its digests.
#[derive(Clone)]
pub struct ObjectKey {
    reference: ObjectRef,
    key: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectKey({})", self.reference)
    }
}

/// A value that only the object's key opens.
#[derive(Clone, Debug)]
pub struct Sealed {
    reference: ObjectRef,
    digest: ValueDigest,
    bytes: Box<[u8]>,
}

impl Sealed {
    /// The object whose value it is.
    #[must_use]
    pub const fn reference(&self) -> ObjectRef {
        self.reference
    }

    /// The digest of what is in it.
    #[must_use]
    pub const fn digest(&self) -> ValueDigest {
        self.digest
    }

    /// What is kept of it: when it expires, the nonce and the text under the key.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// When a kept value expires; the beginning of time where it is none.
    #[must_use]
    pub fn expires(bytes: &[u8]) -> i64 {
        bytes.first_chunk::<EXPIRY>().map_or(i64::MIN, |bytes| i64::from_be_bytes(*bytes))
    }
}

impl ObjectKey {
    /// The key of the object that `reference` stands for.
    #[must_use]
    pub const fn new(reference: ObjectRef, key: Zeroizing<[u8; 32]>) -> Self {
        Self { reference, key }
    }

    /// The key itself, to be kept in the vault and nowhere else.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.key
    }

    /// The object's reference.
    #[must_use]
    pub const fn reference(&self) -> ObjectRef {
        self.reference
    }

    /// The digest of `value` as the value of `field`: equal texts of two fields, or of two objects, have different ones.
    #[must_use]
    pub fn digest(&self, field: &str, value: &[u8]) -> ValueDigest {
        let mut context = hmac::Context::with_key(&self.mac("digest/1"));
        context.update(&(field.len() as u64).to_be_bytes());
        context.update(field.as_bytes());
        context.update(value);
        ValueDigest(bytes_of(context.sign()))
    }

    /// Seals the value of `field`, to be kept until `expires`. Sealing it again gives the same bytes: the nonce follows from what
    /// is sealed, so that no two texts ever share one.
    ///
    /// # Errors
    /// `E-vault-001` where the cipher refuses, as it does for a value of many gigabytes.
    pub fn seal(&self, field: &str, value: &[u8], expires: Timestamp) -> Result<Sealed> {
        let digest = self.digest(field, value);
        let mut nonce = [0; aead::NONCE_LEN];
        let drawn = hmac::sign(&self.mac("nonce/1"), &digest.0);
        nonce.iter_mut().zip(drawn.as_ref()).for_each(|(to, from)| *to = *from);
        let mut text = value.to_vec();
        let sealing =
            self.cipher()?.seal_in_place_append_tag(aead::Nonce::assume_unique_for_key(nonce), aead::Aad::from(digest.0), &mut text);
        if sealing.is_err() {
            text.zeroize();
            return Err(refused());
        }
        let bytes = [&expires.as_second().to_be_bytes()[..], &nonce, &text].concat();
        Ok(Sealed { reference: self.reference, digest, bytes: bytes.into() })
    }

    /// What was sealed as the value of `field`, from what was kept of it.
    ///
    /// # Errors
    /// `E-vault-002` (exit 21) where that is not what the digest says.
    pub fn open(&self, field: &str, digest: &ValueDigest, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.get(EXPIRY..).and_then(<[u8]>::split_first_chunk).ok_or_else(|| altered(self.reference))?;
        let mut text = Zeroizing::new(text.to_vec());
        let nonce = aead::Nonce::assume_unique_for_key(*nonce);
        let opened = self.cipher()?.open_in_place(nonce, aead::Aad::from(digest.0), &mut text).map_err(|_| altered(self.reference))?;
        let value = Zeroizing::new(opened.to_vec());
        // The digest says which field it is of, too.
        if self.digest(field, &value) == *digest { Ok(value) } else { Err(altered(self.reference)) }
    }

    fn mac(&self, purpose: &str) -> hmac::Key {
        let master = hmac::Key::new(hmac::HMAC_SHA256, &*self.key);
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&master, purpose.as_bytes()).as_ref())
    }

    fn cipher(&self) -> Result<aead::LessSafeKey> {
        let master = hmac::Key::new(hmac::HMAC_SHA256, &*self.key);
        let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, hmac::sign(&master, b"seal/1").as_ref());
        Ok(aead::LessSafeKey::new(key.map_err(|_| refused())?))
    }
}

fn bytes_of(tag: hmac::Tag) -> [u8; 32] {
    tag.as_ref().first_chunk().copied().unwrap_or_default()
}

fn refused() -> Box<Problem> {
    Problem::new("E-vault-001", Blame::Us, "the cipher refused a value", "please report this")
}

fn altered(reference: ObjectRef) -> Box<Problem> {
    let what = "what is sealed in the vault is not what its digest says";
    let remedy = "plan again: a plan whose values were changed is not applied";
    Problem::new("E-vault-002", Blame::Operator, what, remedy).object(reference.to_string()).exit(Exit::PlanStale)
}
