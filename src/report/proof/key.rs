//! Ed25519 keys (RFC 8032): the one that signs, as PKCS#8 (RFC 8410), and the public one in the verifier-key form of C2SP's signed notes,
//! `name+hash+base64`.

use crate::base::{Blame, Entropy, Exit, Problem, Result, hex};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// The mark of Ed25519 among the kinds of signature of a note.
const KIND: u8 = 1;
/// What stands before the 32 bytes of an Ed25519 key in PKCS#8 (RFC 8410 §7, in DER).
const PKCS8: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// The longest name of a key.
const MAX_NAME: usize = 128;
/// The most keys that are accepted at a time: one is renewed every few years.
pub const MAX_KEYS: usize = 64;

/// The key that signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifierKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}

impl SigningKey {
    /// A new key as PKCS#8 in DER, to be kept where nobody else reads it.
    ///
    /// # Errors
    /// `E-entropy-001` where there is no randomness.
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Zeroizing<Vec<u8>>> {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(&mut *seed)?;
        Ok(Zeroizing::new([&PKCS8[..], &*seed].concat()))
    }

    /// The key in `pkcs8` (DER, with or without the public key in it), which signs as `name`.
    ///
    /// # Errors
    /// `E-proof-001` (exit 2) where that is no Ed25519 key; `E-proof-002` (exit 2) where the name is none.
    pub fn read(name: &str, pkcs8: &[u8]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| {
            let remedy = "give an Ed25519 key as PKCS#8, not encrypted: `openssl genpkey -algorithm ed25519` makes one";
            Problem::new("E-proof-001", Blame::Operator, "this is no Ed25519 key", remedy)
        })?;
        let bytes = pair.public_key().as_ref().first_chunk().copied().unwrap_or_default();
        Ok(Self { pair, public: VerifierKey::new(name, bytes)? })
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> &VerifierKey {
        &self.public
    }

    /// The signature of `message`: the same bytes for the same message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

/// A public key with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    bytes: [u8; 32],
}

impl VerifierKey {
    /// The key of those bytes, called `name`.
    ///
    /// # Errors
    /// `E-proof-002` (exit 2) where the name is none.
    pub fn new(name: &str, bytes: [u8; 32]) -> Result<Self> {
        if !is_name(name) {
            let what = format!("a key's name has 1 to {MAX_NAME} visible ASCII characters, and no +");
            return Err(Problem::new("E-proof-002", Blame::Operator, what, "give another origin, such as `registrar.example/proof`"));
        }
        Ok(Self { name: name.to_owned(), bytes })
    }

    /// Reads `name+hash+base64`.
    ///
    /// # Errors
    /// `E-proof-003` (exit 2) where it is no such text, or its hash is not the key's.
    pub fn read(text: &str) -> Result<Self> {
        let broken = |what: &str| {
            let remedy = "give the line from `proof/key.pub` of the state folder as it stands there: name+hash+base64";
            Problem::new("E-proof-003", Blame::Operator, what, remedy).exit(Exit::Usage)
        };
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(broken("this is no verifier key"));
        };
        let bytes = STANDARD.decode(encoded).map_err(|_| broken("the key is no base64"))?;
        let bytes = match bytes.split_first() {
            Some((&KIND, bytes)) => bytes.try_into().map_err(|_| broken("an Ed25519 key has 32 bytes"))?,
            _ => return Err(broken("the key is of another kind than Ed25519")),
        };
        let key = Self::new(name, bytes).map_err(|_| broken("the key's name is none"))?;
        if hex(&key.id()) == id { Ok(key) } else { Err(broken("the hash is not that of the key: a part of the text was lost or altered")) }
    }

    /// The keys of a file, one a line; blank lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// `E-proof-003` (exit 2) with the line.
    pub fn read_all(text: &str) -> Result<Vec<Self>> {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let keys = lines.map(|(n, line)| Self::read(line).map_err(|problem| problem.line(n))).collect::<Result<Vec<_>>>()?;
        if keys.is_empty() || keys.len() > MAX_KEYS {
            let what = format!("there are {} keys, and 1 to {MAX_KEYS} are accepted", keys.len());
            return Err(Problem::new("E-proof-003", Blame::Operator, what, "give the file of public keys"));
        }
        Ok(keys)
    }

    /// Its name, which is the origin of its log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What signatures in notes call it by, besides the name.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash: [u8; 32] = Sha256::new().chain_update(&self.name).chain_update([b'\n', KIND]).chain_update(self.bytes).finalize().into();
        hash.first_chunk().copied().unwrap_or_default()
    }

    /// What an envelope calls it by: `name+hash`.
    #[must_use]
    pub fn key_id(&self) -> String {
        format!("{}+{}", self.name, hex(&self.id()))
    }

    /// Whether `signature` is this key's of `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.bytes).verify(message, signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode([&[KIND][..], &self.bytes].concat());
        write!(f, "{}+{}+{encoded}", self.name, hex(&self.id()))
    }
}

/// Whether `name` can be a key's, and with it a log's origin: narrower than C2SP has it, which excludes blanks and `+` alone, since it is
/// printed on terminals.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b'+')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SeededEntropy;

    #[test]
    fn the_key_of_rfc_8410_has_its_public_key() {
        let pkcs8 = STANDARD.decode("MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC").unwrap();
        let key = SigningKey::read("a.example/log", &pkcs8).unwrap();
        // RFC 8410 §10.1, without the 12 bytes in front.
        let spki = STANDARD.decode("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=").unwrap();
        assert_eq!(key.public().bytes, spki[12..]);
    }

    #[test]
    fn signing_is_that_of_rfc_8032() {
        // RFC 8032 §7.1, test 1: the empty message.
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let bytes = |hex: &str| (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect::<Vec<u8>>();
        let key = SigningKey::read("a", &[&PKCS8[..], &bytes(seed)].concat()).unwrap();
        assert_eq!(hex(&key.public().bytes), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let wanted = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
        assert_eq!(hex(&key.sign(b"")), wanted);
        assert!(key.public().verifies(b"", &bytes(wanted)) && !key.public().verifies(b"x", &bytes(wanted)));
    }

    #[test]
    fn equal_entropy_makes_equal_keys() {
        let make = |seed| SigningKey::read("privet/runs", &SigningKey::generate(&mut SeededEntropy::new(seed)).unwrap()).unwrap();
        assert_eq!(make(1).public(), make(1).public());
        assert_ne!(make(1).public(), make(2).public());
    }

    #[test]
    fn a_verifier_key_is_read_as_it_is_written() {
        // From the documentation of Go's golang.org/x/mod/sumdb/note.
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key = VerifierKey::read(text).unwrap();
        assert_eq!((key.name(), key.to_string(), key.key_id()), ("PeterNeumann", text.to_owned(), "PeterNeumann+c74f20a3".to_owned()));
        let wrong = [
            "",
            "PeterNeumann",
            "PeterNeumann+c74f20a3",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX",
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy",
            "PeterNeumann+c74f20a3+%%%",
        ];
        for text in wrong {
            let problem = VerifierKey::read(text).expect_err(text);
            assert_eq!((problem.id.as_str(), problem.exit), ("E-proof-003", Exit::Usage), "{text}");
        }
    }

    #[test]
    fn a_file_has_one_key_a_line() {
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        assert_eq!(VerifierKey::read_all(&format!("# of old\n\n{text}\r\n{text}\n")).unwrap().len(), 2);
        let broken = VerifierKey::read_all(&format!("{text}\nx\n")).unwrap_err();
        assert_eq!(broken.place.line, Some(2));
        assert!(VerifierKey::read_all("\n# nothing\n").is_err());
        assert!(VerifierKey::read_all(&format!("{text}\n").repeat(MAX_KEYS + 1)).is_err());
    }

    #[test]
    fn names_that_would_break_a_note_are_none() {
        for name in ["", "a b", "a+b", "a\nb", "ä", &"a".repeat(MAX_NAME + 1)] {
            assert!(!is_name(name) && VerifierKey::new(name, [0; 32]).is_err(), "{name}");
        }
        assert!(is_name("privet/runs"));
    }
}
