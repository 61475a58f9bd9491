//! The envelope around a signed statement (DSSE v1.0.2): what is signed is the type and the bytes together (PAE), so that no statement
//! passes for one of another type.

use super::key::{SigningKey, VerifierKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A signed statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The statement's bytes in base64.
    payload: String,
    /// What kind of statement it is: a media type.
    #[serde(rename = "payloadType")]
    payload_type: String,
    /// The signatures over both.
    signatures: Vec<EnvelopeSignature>,
}

/// A signature on an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeSignature {
    /// The key, `name+hash`.
    keyid: String,
    /// The Ed25519 signature in base64.
    sig: String,
}

/// What was signed.
#[derive(Debug)]
pub struct Opened<'k> {
    /// The statement.
    pub payload: Vec<u8>,
    /// What the leaf of the log is made of: type and statement.
    pub leaf: Vec<u8>,
    /// By whom.
    pub key: &'k VerifierKey,
}

/// The bytes that are signed: `DSSEv1`, and each of both with its length (DSSE, "pre-authentication encoding").
fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

impl Envelope {
    /// `payload` under `key`'s signature; besides, the bytes of its leaf in the log.
    #[must_use]
    pub fn sign(payload_type: &str, payload: &[u8], key: &SigningKey) -> (Self, Vec<u8>) {
        let leaf = pae(payload_type, payload);
        let signature = EnvelopeSignature { keyid: key.public().key_id(), sig: STANDARD.encode(key.sign(&leaf)) };
        let (payload, payload_type) = (STANDARD.encode(payload), payload_type.to_owned());
        (Self { payload, payload_type, signatures: vec![signature] }, leaf)
    }

    /// What one of `keys` signed as a statement of that type; nothing where none did.
    #[must_use]
    pub fn open<'k>(&self, payload_type: &str, keys: &'k [VerifierKey]) -> Option<Opened<'k>> {
        if self.payload_type != payload_type {
            return None;
        }
        let payload = STANDARD.decode(&self.payload).ok()?;
        let leaf = pae(&self.payload_type, &payload);
        // We put one signature on it; another beside it is nobody's that we know.
        let [EnvelopeSignature { keyid, sig }] = self.signatures.as_slice() else { return None };
        let signature = STANDARD.decode(sig).ok()?;
        let key = keys.iter().find(|key| key.key_id() == *keyid && key.verifies(&leaf, &signature))?;
        Some(Opened { payload, leaf, key })
    }

    /// What is in it, whoever signed it: for who made it.
    #[must_use]
    pub fn unverified(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SeededEntropy;

    fn key(seed: u64) -> SigningKey {
        SigningKey::read("privet/runs", &SigningKey::generate(&mut SeededEntropy::new(seed)).unwrap()).unwrap()
    }

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        // DSSE protocol.md, "Test Vectors".
        let wanted = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), wanted);
        assert_eq!(pae("ä", b""), "DSSEv1 2 ä 0 ".as_bytes(), "lengths are bytes");
    }

    #[test]
    fn what_was_signed_opens_for_who_has_the_key_and_for_nobody_else() {
        let (envelope, leaf) = Envelope::sign("a/b", b"hello", &key(1));
        let (known, other) = ([key(2).public().clone(), key(1).public().clone()], [key(2).public().clone()]);
        let opened = envelope.open("a/b", &known).unwrap();
        assert_eq!((opened.payload.as_slice(), opened.leaf == leaf, opened.key), (&b"hello"[..], true, &known[1]));
        assert!(envelope.open("a/b", &other).is_none() && envelope.open("a/c", &known).is_none());
        let mut altered = envelope.clone();
        altered.payload = STANDARD.encode(b"hallo");
        assert!(altered.open("a/b", &known).is_none());
        let mut altered = envelope.clone();
        altered.signatures.clear();
        assert!(altered.open("a/b", &known).is_none());
        let mut altered = envelope.clone();
        altered.signatures[0].keyid = known[0].key_id();
        assert!(altered.open("a/b", &known).is_none());
        assert_eq!(envelope, Envelope::sign("a/b", b"hello", &key(1)).0, "equal bytes");
    }
}
