//! Signed notes (c2sp.org/signed-note) and the checkpoint that one of them is (c2sp.org/tlog-checkpoint): origin, size and root of a log.

use super::key::{SigningKey, VerifierKey};
use super::tree::Head;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// The most bytes of a note. Ours has some 250; witnesses add a line each.
pub const MAX_NOTE: usize = 64 << 10;
/// The most signatures of a note.
const MAX_SIGNATURES: usize = 100;
/// What a line with a signature begins with: an em dash and a blank.
const DASH: &str = "— ";

/// Why a note or a checkpoint is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteFault {
    /// Its bytes have not the form of a note.
    Form,
    /// No signature on it is of a key that is known.
    Unknown,
    /// A signature on it says that it is of a known key, and is not.
    Signature,
    /// Its text is no checkpoint.
    Checkpoint,
    /// The log in it is not the one of the key that signed.
    Origin,
}

impl fmt::Display for NoteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "it has not the form of a signed note",
            Self::Unknown => "no signature on it is of a key that was given",
            Self::Signature => "its signature does not hold",
            Self::Checkpoint => "it is no checkpoint",
            Self::Origin => "it is of another log than its key",
        })
    }
}

/// `text`, which ends in a newline, with the signature of `key`.
#[must_use]
pub fn sign(text: &str, key: &SigningKey) -> String {
    let signature = STANDARD.encode([&key.public().id()[..], &key.sign(text.as_bytes())].concat());
    format!("{text}\n{DASH}{} {signature}\n", key.public().name())
}

/// The text of a note that one of `keys` signed, and that key. Signatures of others are left alone; one that is wrong spoils the note.
///
/// # Errors
/// Where it is no note, or nobody known signed it.
pub fn open<'n, 'k>(note: &'n str, keys: &'k [VerifierKey]) -> Result<(&'n str, &'k VerifierKey), NoteFault> {
    if note.len() > MAX_NOTE || note.bytes().any(|b| b < 0x20 && b != b'\n') {
        return Err(NoteFault::Form);
    }
    let at = note.rfind("\n\n").ok_or(NoteFault::Form)?;
    let (text, signatures) = (note.get(..=at).ok_or(NoteFault::Form)?, note.get(at + 2..).ok_or(NoteFault::Form)?);
    let lines = signatures.strip_suffix('\n').ok_or(NoteFault::Form)?;
    let mut signed = None;
    for (n, line) in lines.split('\n').enumerate() {
        let (name, encoded) = line.strip_prefix(DASH).and_then(|rest| rest.split_once(' ')).ok_or(NoteFault::Form)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| NoteFault::Form)?;
        let (id, signature) = bytes.split_first_chunk::<4>().ok_or(NoteFault::Form)?;
        if n >= MAX_SIGNATURES || name.is_empty() || signature.is_empty() {
            return Err(NoteFault::Form);
        }
        for key in keys.iter().filter(|key| key.name() == name && key.id() == *id) {
            if !key.verifies(text.as_bytes(), signature) {
                return Err(NoteFault::Signature);
            }
            signed = signed.or(Some(key));
        }
    }
    signed.map(|key| (text, key)).ok_or(NoteFault::Unknown)
}

/// The tree head of the log that `key` is named after, as a signed checkpoint.
#[must_use]
pub fn checkpoint(head: &Head, key: &SigningKey) -> String {
    sign(&format!("{}\n{}\n{}\n", key.public().name(), head.size, STANDARD.encode(head.root)), key)
}

/// The tree head in a checkpoint that one of `keys` signed for its own log, and that key.
///
/// # Errors
/// As [`open`]; where the text is no checkpoint, or one of another log.
pub fn read_checkpoint<'k>(note: &str, keys: &'k [VerifierKey]) -> Result<(Head, &'k VerifierKey), NoteFault> {
    let (text, key) = open(note, keys)?;
    let mut lines = text.strip_suffix('\n').ok_or(NoteFault::Checkpoint)?.split('\n');
    let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else { return Err(NoteFault::Checkpoint) };
    let number: u64 = size.parse().map_err(|_| NoteFault::Checkpoint)?;
    let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok()).ok_or(NoteFault::Checkpoint)?;
    // Lines behind these are extensions, which say nothing to us.
    if number.to_string() != size || lines.any(str::is_empty) {
        return Err(NoteFault::Checkpoint);
    }
    if origin == key.name() { Ok((Head { size: number, root }, key)) } else { Err(NoteFault::Origin) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SeededEntropy;
    use proptest::prelude::*;

    /// From the documentation of Go's golang.org/x/mod/sumdb/note.
    const NEUMANN: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
                           — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn neumann() -> VerifierKey {
        VerifierKey::read("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap()
    }

    fn key(seed: u64) -> SigningKey {
        SigningKey::read("privet/runs", &SigningKey::generate(&mut SeededEntropy::new(seed)).unwrap()).unwrap()
    }

    fn head() -> Head {
        Head { size: 7, root: [3; 32] }
    }

    #[test]
    fn the_note_of_the_documentation_opens() {
        let keys = [neumann()];
        let (text, by) = open(NEUMANN, &keys).unwrap();
        assert!(text.ends_with("your problem is.\n") && by.name() == "PeterNeumann");
        assert_eq!(open(NEUMANN, &[key(1).public().clone()]), Err(NoteFault::Unknown));
        assert_eq!(open(&NEUMANN.replace("answer", "Answer"), &keys), Err(NoteFault::Signature));
    }

    #[test]
    fn a_checkpoint_is_read_as_it_is_written() {
        let key = key(1);
        let note = checkpoint(&head(), &key);
        assert!(note.starts_with("privet/runs\n7\nAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n\n— privet/runs "), "{note}");
        assert_eq!(note, checkpoint(&head(), &key), "equal bytes for an equal tree");
        let keys = [neumann(), key.public().clone()];
        assert_eq!(read_checkpoint(&note, &keys).map(|(head, _)| head), Ok(head()));
    }

    #[test]
    fn signatures_of_others_beside_ours_are_left_alone() {
        let (ours, keys) = (key(1), [key(1).public().clone()]);
        let theirs = sign("", &SigningKey::read("witness.example", &SigningKey::generate(&mut SeededEntropy::new(2)).unwrap()).unwrap());
        let note = checkpoint(&head(), &ours) + theirs.trim_start_matches('\n');
        assert!(read_checkpoint(&note, &keys).is_ok(), "{note}");
        let spoilt = checkpoint(&Head { size: 8, ..head() }, &ours);
        let second = spoilt.lines().last().unwrap();
        assert_eq!(read_checkpoint(&format!("{note}{second}\n"), &keys).map(|_| ()), Err(NoteFault::Signature));
    }

    #[test]
    fn what_is_signed_and_no_checkpoint_is_refused() {
        let (key, keys) = (key(1), [key(1).public().clone()]);
        let root = STANDARD.encode([3; 32]);
        let texts = [
            "privet/runs\n7\n".to_owned(),
            format!("privet/runs\n07\n{root}\n"),
            format!("privet/runs\n-7\n{root}\n"),
            format!("privet/runs\n99999999999999999999\n{root}\n"),
            "privet/runs\n7\nAwMD\n".to_owned(),
            format!("privet/runs\n7\n{root}\n\nmore\n"),
        ];
        for text in texts {
            assert_eq!(read_checkpoint(&sign(&text, &key), &keys).map(|_| ()), Err(NoteFault::Checkpoint), "{text}");
        }
        let other = sign(&format!("other/log\n7\n{root}\n"), &key);
        assert_eq!(read_checkpoint(&other, &keys).map(|_| ()), Err(NoteFault::Origin));
        assert!(read_checkpoint(&sign(&format!("privet/runs\n7\n{root}\nextension\n"), &key), &keys).is_ok());
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let keys = [neumann()];
        let long = format!("{}{NEUMANN}", "a".repeat(MAX_NOTE));
        for note in
            ["", "text\n", "text\n\n", "text\n\n- PeterNeumann AAAA\n", "a\tb\n\n— x AAAAAAAA\n", &NEUMANN[..NEUMANN.len() - 1], &long]
        {
            assert_eq!(open(note, &keys), Err(NoteFault::Form), "{note}");
        }
    }

    proptest! {
        #[test]
        fn no_altered_byte_of_a_checkpoint_goes_unseen(at in any::<prop::sample::Index>(), flip in 1_u8..=255) {
            let (key, keys) = (key(1), [key(1).public().clone()]);
            let mut bytes = checkpoint(&head(), &key).into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(note) = String::from_utf8(bytes) {
                prop_assert!(read_checkpoint(&note, &keys).is_err());
            }
        }
    }
}
