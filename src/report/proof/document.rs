//! A statement with all that shows it to be in the log: `proof.json`, and each line of `redactions.ndjson`.

use super::envelope::{Envelope, Opened};
use super::folder;
use super::key::{SigningKey, VerifierKey};
use super::note::{NoteFault, checkpoint, read_checkpoint};
use super::statement::PAYLOAD_TYPE;
use super::tree::{self, Hash, Head, MAX_PROOF};
use crate::base::{Blame, Problem, Result, RunId};
use crate::report::table::{SCHEMA_VERSION, schema_id};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The most bytes of a proof: it names each file of its folder, of which there are [`folder::MAX_FILES`] at most.
const MAX_DOCUMENT: u64 = 16 << 20;
/// The most bytes of a file of redactions.
const MAX_REDACTIONS: u64 = 64 << 20;
/// From how many of the sizes before it a proof shows that the log only grew. A night makes some five leaves, so that this is a week.
const EARLIER: u64 = 32;

/// A hash, in JSON as base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashText(pub Hash);

impl Serialize for HashText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for HashText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hash = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        hash.map(Self).ok_or_else(|| serde::de::Error::custom("not 32 bytes in base64"))
    }
}

impl JsonSchema for HashText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hash".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "A hash of 32 bytes in base64.", "type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$" })
    }
}

/// A signed statement with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The id of this shape.
    schema: String,
    /// The version of this shape.
    schema_version: u32,
    /// The version of Privet that wrote it.
    pub tool_version: String,
    /// The run that the statement is about.
    pub run_id: RunId,
    /// The statement under its signature (DSSE).
    pub envelope: Envelope,
    /// The number of its leaf in the log, from 0.
    pub leaf_index: u64,
    /// The hashes from the leaf to the root (RFC 6962 §2.1.1).
    pub inclusion: Vec<HashText>,
    /// The log as it was when the leaf had been added (c2sp.org/tlog-checkpoint).
    pub checkpoint: String,
    /// The log as it was signed the time before, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// How the log grew from each of its last sizes, the smallest first.
    pub earlier: Vec<Growth>,
}

/// The log as it was signed the time before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// The checkpoint.
    pub checkpoint: String,
    /// The hashes which show that the log only grew since (RFC 6962 §2.1.2).
    pub consistency: Vec<HashText>,
}

/// How the log grew from an earlier size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// How many leaves it had.
    pub size: u64,
    /// The root over them.
    pub root: HashText,
    /// The hashes which show that it only grew since.
    pub consistency: Vec<HashText>,
}

/// What a document says once its signatures were held against the keys.
#[derive(Debug)]
pub struct Read<'k> {
    /// The statement.
    pub opened: Opened<'k>,
    /// The log in its checkpoint.
    pub head: Head,
}

/// The hash of the leaf that the statement in an envelope makes.
#[must_use]
pub fn leaf_of(leaf: &[u8]) -> Hash {
    tree::leaf_hash(leaf)
}

impl Document {
    /// The document of the statement in `envelope`, whose leaf is the last of `leaves`. `previous` is the checkpoint that was signed last.
    #[must_use]
    pub fn new(run_id: RunId, envelope: Envelope, leaves: &[Hash], key: &SigningKey, previous: Option<(String, Head)>) -> Self {
        let size = leaves.len() as u64;
        let texts = |hashes: Option<Vec<Hash>>| hashes.unwrap_or_default().into_iter().map(HashText).collect::<Vec<_>>();
        let growth = |older: u64| texts(tree::consistency(leaves, older));
        let last = size.saturating_sub(1);
        let of = |size: u64| tree::root(usize::try_from(size).ok().and_then(|size| leaves.get(..size)).unwrap_or_default());
        let sizes = size.saturating_sub(EARLIER).max(1)..size;
        Self {
            schema: schema_id("proof"),
            schema_version: SCHEMA_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            run_id,
            envelope,
            leaf_index: last,
            inclusion: texts(tree::inclusion(leaves, last)),
            checkpoint: checkpoint(&Head { size, root: tree::root(leaves) }, key),
            previous: previous.map(|(checkpoint, head)| Previous { checkpoint, consistency: growth(head.size) }),
            earlier: sizes.map(|size| Growth { size, root: HashText(of(size)), consistency: growth(size) }).collect(),
        }
    }

    /// Its bytes as a file of its own.
    #[must_use]
    pub fn pretty(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Its bytes as one line of a file.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// What the document shows, where `keys` hold for it; each thing that does not hold is told by a word of its own.
    ///
    /// # Errors
    /// The name of what does not hold, and why.
    pub fn check<'k>(&self, keys: &'k [VerifierKey]) -> Result<Read<'k>, (&'static str, String)> {
        let wrong = |name: &'static str, what: &str| (name, what.to_owned());
        let opened = self.envelope.open(PAYLOAD_TYPE, keys);
        let opened = opened.ok_or_else(|| wrong("signature", "the statement is not signed by a key that was given, or was altered"))?;
        let head = signed(&self.checkpoint, &opened, keys).map_err(|fault| ("checkpoint", format!("the checkpoint: {fault}")))?;
        let inclusion = hashes(&self.inclusion).ok_or_else(|| wrong("inclusion", "the proof is longer than any"))?;
        if !tree::includes(&leaf_of(&opened.leaf), self.leaf_index, head.size, &inclusion, &head.root) {
            return Err(wrong("inclusion", "the statement is not shown to be in the log"));
        }
        if let Some(Previous { checkpoint, consistency }) = &self.previous {
            let (before, _) =
                read_checkpoint(checkpoint, keys).map_err(|fault| ("consistency", format!("the checkpoint before it: {fault}")))?;
            if !hashes(consistency).is_some_and(|proof| tree::grew(&before, &head, &proof)) {
                let what = format!("the log of {} leaves is not shown to have grown from the one of {} before it", head.size, before.size);
                return Err(("consistency", what));
            }
        }
        let sizes = self.earlier.iter().map(|growth| growth.size);
        if !sizes.eq(head.size.saturating_sub(EARLIER).max(1)..head.size) {
            return Err(wrong("consistency", "the sizes from which the log is shown to have grown are not the last ones"));
        }
        for Growth { size, root, consistency } in &self.earlier {
            let before = Head { size: *size, root: root.0 };
            if !hashes(consistency).is_some_and(|proof| tree::grew(&before, &head, &proof)) {
                return Err(("consistency", format!("the log of {} leaves is not shown to have grown from {size}", head.size)));
            }
        }
        Ok(Read { opened, head })
    }

    /// The log at an earlier size, as [`Document::check`] has shown that it grew from there; nothing where that lies too far back.
    #[must_use]
    pub fn head_at(&self, size: u64) -> Option<Head> {
        self.earlier.iter().find(|growth| growth.size == size).map(|growth| Head { size, root: growth.root.0 })
    }
}

/// The log in a checkpoint, of the key that signed the statement.
fn signed(note: &str, opened: &Opened<'_>, keys: &[VerifierKey]) -> Result<Head, NoteFault> {
    let (head, key) = read_checkpoint(note, keys)?;
    if key.name() == opened.key.name() { Ok(head) } else { Err(NoteFault::Origin) }
}

/// The hashes of a proof, where they are not more than any has.
fn hashes(texts: &[HashText]) -> Option<Vec<Hash>> {
    (texts.len() <= MAX_PROOF).then(|| texts.iter().map(|text| text.0).collect())
}

/// The proof of a folder; nothing where it has none.
///
/// # Errors
/// `E-proof-011` (exit 32) where it cannot be read, `E-proof-012` (exit 32) where it is no proof, or not as it was written.
pub fn read_proof(dir: &Path) -> Result<Option<Document>> {
    let path = dir.join(folder::PROOF);
    let Some(bytes) = folder::read(&path, MAX_DOCUMENT)? else { return Ok(None) };
    let document = parse(&bytes).map_err(|e| no_proof(&path, &e))?;
    // Whatever says nothing, such as a blank, is as it was too: a byte that was altered never goes unseen.
    if document.pretty() != bytes {
        return Err(no_proof(&path, "it is not in the form in which proofs are written"));
    }
    Ok(Some(document))
}

/// The redactions of a folder, in their order.
///
/// # Errors
/// As [`read_proof`], with the line.
pub fn read_redactions(dir: &Path) -> Result<Vec<Document>> {
    let path = dir.join(folder::REDACTIONS);
    let Some(bytes) = folder::read(&path, MAX_REDACTIONS)? else { return Ok(Vec::new()) };
    let lines = (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n'));
    let read = lines.map(|(n, line)| {
        let document = parse(line).map_err(|e| no_proof(&path, &e).line(n))?;
        let is_whole = document.line() == line;
        if is_whole { Ok(document) } else { Err(no_proof(&path, "it is not in the form in which redactions are written").line(n)) }
    });
    read.collect()
}

fn parse(bytes: &[u8]) -> Result<Document, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|e| format!("it cannot be read: {e}"))?;
    if document.schema == schema_id("proof") && document.schema_version == SCHEMA_VERSION {
        Ok(document)
    } else {
        Err(format!("this reads {} {SCHEMA_VERSION}, and it says to be something else", schema_id("proof")))
    }
}

fn no_proof(path: &Path, what: &str) -> Box<Problem> {
    let remedy = "give the folder as the run left it; nobody but who has the key can make a proof again";
    Problem::new("E-proof-012", Blame::Input, format!("this is no proof of Privet's: {what}"), remedy).file(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{SeededEntropy, write_atomic};

    fn key(name: &str, seed: u64) -> SigningKey {
        SigningKey::read(name, &SigningKey::generate(&mut SeededEntropy::new(seed)).unwrap()).unwrap()
    }

    /// The document of the last of `size` leaves, of which the checkpoint before was signed at `before`.
    fn document(size: u64, before: Option<usize>) -> Document {
        let key = key("privet/runs", 1);
        let mut leaves: Vec<Hash> = (1..size).map(|n| tree::leaf_hash(&n.to_be_bytes())).collect();
        let (envelope, leaf) = Envelope::sign(PAYLOAD_TYPE, b"{}", &key);
        leaves.push(leaf_of(&leaf));
        let previous = before.map(|size| Head { size: size as u64, root: tree::root(&leaves[..size]) });
        Document::new(RunId::from("r"), envelope, &leaves, &key, previous.map(|head| (checkpoint(&head, &key), head)))
    }

    fn refused(document: &Document) -> Option<&'static str> {
        document.check(&[key("privet/runs", 1).public().clone()]).err().map(|(name, _)| name)
    }

    #[test]
    fn a_document_holds_for_its_key() {
        for (size, before) in [(1, None), (2, Some(1)), (7, Some(6)), (9, Some(3)), (8, None)] {
            let document = document(size, before);
            assert_eq!(refused(&document), None, "{size}");
            assert_eq!(document.check(&[key("privet/runs", 2).public().clone()]).unwrap_err().0, "signature");
            for older in 1..size {
                assert!(document.head_at(older).is_some());
            }
        }
        assert_eq!(document(50, None).earlier.first().map(|growth| growth.size), Some(50 - EARLIER));
    }

    #[test]
    fn each_part_that_does_not_hold_is_told_by_its_name() {
        let good = document(7, Some(6));
        let with = |change: &dyn Fn(&mut Document)| {
            let mut altered = good.clone();
            change(&mut altered);
            refused(&altered)
        };
        assert_eq!(with(&|d| d.leaf_index = 5), Some("inclusion"));
        assert_eq!(with(&|d| d.inclusion[0] = HashText([0; 32])), Some("inclusion"));
        assert_eq!(with(&|d| d.inclusion = vec![HashText([0; 32]); MAX_PROOF + 1]), Some("inclusion"));
        assert_eq!(with(&|d| d.checkpoint = d.checkpoint.replace("\n7\n", "\n8\n")), Some("checkpoint"));
        let other = checkpoint(&Head { size: 7, root: [0; 32] }, &key("privet/runs", 1));
        assert_eq!(with(&|d| d.checkpoint.clone_from(&other)), Some("inclusion"), "a checkpoint of another tree");
        let previous = |d: &mut Document, change: &dyn Fn(&mut Previous)| change(d.previous.as_mut().unwrap());
        assert_eq!(with(&|d| previous(d, &|p| p.consistency.clear())), Some("consistency"));
        assert_eq!(with(&|d| previous(d, &|p| p.checkpoint.clone_from(&other))), Some("consistency"), "another root");
        let larger = checkpoint(&Head { size: 8, root: [0; 32] }, &key("privet/runs", 1));
        assert_eq!(with(&|d| previous(d, &|p| p.checkpoint.clone_from(&larger))), Some("consistency"), "a log that shrank");
        assert_eq!(with(&|d| d.earlier[2].root = HashText([0; 32])), Some("consistency"));
        assert_eq!(with(&|d| d.earlier[2].consistency.clear()), Some("consistency"));
        assert_eq!(with(&|d| drop(d.earlier.remove(2))), Some("consistency"));
        // A log of another name, though its key is one that was given.
        let (ours, theirs) = (key("privet/runs", 1), key("other/runs", 2));
        let mut foreign = good.clone();
        foreign.checkpoint = checkpoint(&Head { size: 7, root: [0; 32] }, &theirs);
        let keys = [ours.public().clone(), theirs.public().clone()];
        assert_eq!(foreign.check(&keys).unwrap_err().0, "checkpoint");
    }

    #[test]
    fn a_file_is_read_as_it_was_written_and_not_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read_proof(dir.path()).unwrap().is_none() && read_redactions(dir.path()).unwrap().is_empty());
        let (proof, redactions) = (dir.path().join(folder::PROOF), dir.path().join(folder::REDACTIONS));
        let document = document(3, Some(2));
        write_atomic(&proof, &document.pretty()).unwrap();
        write_atomic(&redactions, &[document.line(), document.line()].concat()).unwrap();
        assert_eq!(read_proof(dir.path()).unwrap(), Some(document.clone()));
        assert_eq!(read_redactions(dir.path()).unwrap(), [document.clone(), document.clone()]);

        let text = String::from_utf8(document.pretty()).unwrap();
        let cut = &text[..text.len() / 2];
        for broken in [cut, "", "null", &text.replace("  \"run_id\"", " \"run_id\""), &text.replace("report/proof", "report/run")] {
            write_atomic(&proof, broken.as_bytes()).unwrap();
            assert_eq!(read_proof(dir.path()).unwrap_err().id, "E-proof-012", "{broken}");
        }
        let cut = document.line();
        write_atomic(&redactions, &[document.line(), cut[..cut.len() - 1].to_vec()].concat()).unwrap();
        let problem = read_redactions(dir.path()).unwrap_err();
        assert_eq!((problem.id.as_str(), problem.place.line), ("E-proof-012", Some(2)));
    }
}
