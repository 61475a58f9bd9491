//! The log of what was proved, and the key that signs it. Leaves are rows of a stream of the store, so that they are chained and durable;
//! in `proof/` of the state directory stand the key, the public keys of old and new, the last checkpoint and the leaves for others.

use super::config::{Config, SecretSource};
use super::opening::open_store;
use crate::base::{Blame, Entropy, Exit, Problem, Result, RunId, StateDir, create_private_dir, read_capped, write_atomic};
use crate::report::proof::document::leaf_of;
use crate::report::proof::note::{MAX_NOTE, read_checkpoint};
use crate::report::proof::statement::{PAYLOAD_TYPE, Predicate, Statement};
use crate::report::proof::tree::{Hash, Head, root};
use crate::report::proof::{Document, Envelope, RedactionPredicate, SigningKey, VerifierKey};
use crate::store::{Append, Batch, Store, StreamName, read};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The stream of the leaves.
const STREAM: &str = "proof";
/// How often a leaf is tried to be added while others add theirs.
const TRIES: usize = 5;
/// The most bytes of the file of public keys.
const MAX_PUBLIC: u64 = 64 << 10;
/// What a key in PEM begins and ends with (RFC 7468 §10).
const PEM: [&str; 2] = ["-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"];

/// A leaf as the store keeps it.
#[derive(Serialize, Deserialize)]
struct Leaf {
    /// The type of its statement.
    kind: String,
    /// The run it is about.
    run: RunId,
    /// Its hash in base64.
    hash: String,
}

/// The log, and who may add to it.
pub(super) struct Log<S> {
    store: S,
    /// `proof/` of the state directory.
    folder: PathBuf,
    key: SigningKey,
    /// Every key that ever signed the log, ours too.
    known: Vec<VerifierKey>,
}

impl Log<Box<dyn Store>> {
    /// The log of an installation, with its key; one is made where it has none yet and none is named.
    ///
    /// # Errors
    /// `E-proof-001` to `-005` (exit 2) for what is wrong with a key; `E-config-006` where its file is; `E-store-…`, `E-file-…`.
    pub(super) fn open(config: &Config, state: &StateDir, entropy: &mut dyn Entropy) -> Result<Self> {
        Self::with(open_store(config)?, state, &config.proof.origin, config.proof.key.as_ref(), entropy)
    }
}

impl<S: Store> Log<S> {
    /// The log in `store`.
    fn with(store: S, state: &StateDir, origin: &str, named: Option<&SecretSource>, entropy: &mut dyn Entropy) -> Result<Self> {
        let folder = state.root().join("proof");
        create_private_dir(&folder)?;
        let public = folder.join("key.pub");
        let mut known = if public.exists() { read_keys(&public)? } else { Vec::new() };
        let key = match named {
            Some(source) => SigningKey::read(origin, &der(source.read_bytes()?)?)?,
            None => own_key(&folder.join("key.pem"), origin, !known.is_empty(), entropy)?,
        };
        if !known.contains(key.public()) {
            known.push(key.public().clone());
            let lines: Vec<String> = known.iter().map(|key| format!("{key}\n")).collect();
            write_atomic(&public, lines.concat().as_bytes())?;
        }
        Ok(Self { store, folder, key, known })
    }

    /// Every key that ever signed the log.
    pub(super) fn known(&self) -> &[VerifierKey] {
        &self.known
    }

    /// The store in which the log stands.
    pub(super) fn store(&mut self) -> &mut S {
        &mut self.store
    }

    /// Signs a statement about `run` and adds it to the log.
    ///
    /// # Errors
    /// `E-proof-006` to `-008` (exit 33) where the log is not the one that was signed before; `E-store-…`, `E-file-…`.
    pub(super) fn add<P: Predicate>(&mut self, run: &RunId, statement: &Statement<P>) -> Result<Document> {
        let (envelope, leaf) = Envelope::sign(PAYLOAD_TYPE, &statement.bytes(), &self.key);
        let hash = leaf_of(&leaf);
        let row = Leaf { kind: P::TYPE.to_owned(), run: run.clone(), hash: STANDARD.encode(hash) };
        let row: Box<[u8]> = serde_json::to_vec(&row).unwrap_or_default().into();
        let mut tries = 0;
        let (leaves, previous) = loop {
            let mut leaves = self.leaves(|_| ())?;
            let previous = self.signed(&leaves)?;
            let append = Append { stream: StreamName::new(STREAM)?, expected: leaves.len() as u64, rows: vec![row.clone()] };
            match self.store.commit(&Batch { appends: vec![append], cells: Vec::new() }) {
                // Another process added a leaf in between: ours comes behind it.
                Err(problem) if problem.id == "E-store-004" && tries < TRIES => tries += 1,
                done => {
                    done?;
                    leaves.push(hash);
                    break (leaves, previous);
                }
            }
        };
        let document = Document::new(run.clone(), envelope, &leaves, &self.key, previous);
        let lines: Vec<String> = leaves.iter().map(|leaf| STANDARD.encode(leaf) + "\n").collect();
        write_atomic(&self.folder.join("leaves"), lines.concat().as_bytes())?;
        // What was signed is kept last: the log is never behind it.
        write_atomic(&self.folder.join("checkpoint"), document.checkpoint.as_bytes())?;
        Ok(document)
    }

    /// Whether the log has a statement of that type about `run`.
    ///
    /// # Errors
    /// `E-proof-006` (exit 33); `E-store-…`.
    pub(super) fn has<P: Predicate>(&mut self, run: &RunId) -> Result<bool> {
        let mut found = false;
        self.leaves(|leaf| found |= leaf.kind == P::TYPE && leaf.run == *run)?;
        Ok(found)
    }

    /// The runs of the log by their ids, each with whether a redaction of it stands there.
    ///
    /// # Errors
    /// `E-proof-006` (exit 33); `E-store-…`.
    pub(super) fn runs(&mut self) -> Result<BTreeMap<RunId, bool>> {
        let mut runs = BTreeMap::new();
        self.leaves(|leaf| *runs.entry(leaf.run.clone()).or_default() |= leaf.kind == RedactionPredicate::TYPE)?;
        Ok(runs)
    }

    /// The leaves of the log, each shown to `each`.
    fn leaves(&mut self, mut each: impl FnMut(&Leaf)) -> Result<Vec<Hash>> {
        let mut leaves = Vec::new();
        read(&mut self.store, &StreamName::new(STREAM)?, |number, row| {
            let leaf: Option<Leaf> = serde_json::from_slice(row).ok();
            let hash = leaf.as_ref().and_then(|leaf| STANDARD.decode(&leaf.hash).ok()?.try_into().ok());
            let Some((leaf, hash)) = leaf.zip(hash) else {
                let what = format!("row {number} of the log of proofs is no leaf");
                let remedy = "restore the store from a backup; nothing was deleted";
                return Err(Problem::new("E-proof-006", Blame::Operator, what, remedy).exit(Exit::Storage));
            };
            each(&leaf);
            leaves.push(hash);
            Ok(())
        })?;
        Ok(leaves)
    }

    /// The checkpoint that was signed last, where there is one, and the log in it: `leaves` begin with it. What is not so is never
    /// signed, since two checkpoints of one log that contradict each other would prove nothing any more.
    fn signed(&self, leaves: &[Hash]) -> Result<Option<(String, Head)>> {
        let path = self.folder.join("checkpoint");
        let remedy = "restore the store and the folder `proof` of the state directory from one backup; nothing was signed";
        if !path.exists() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&read_capped(&path, MAX_NOTE as u64)?).into_owned();
        let (head, _) = read_checkpoint(&text, &self.known).map_err(|fault| {
            let what = format!("the last checkpoint of the log of proofs cannot be trusted: {fault}");
            Problem::new("E-proof-007", Blame::Operator, what, remedy).file(&path).exit(Exit::Storage)
        })?;
        let begins = usize::try_from(head.size).ok().and_then(|size| leaves.get(..size)).is_some_and(|older| root(older) == head.root);
        if begins {
            return Ok(Some((text, head)));
        }
        let what = format!("the log of proofs was rewritten: {} leaves were signed, and the store has {} others", head.size, leaves.len());
        Err(Problem::new("E-proof-008", Blame::Operator, what, remedy).file(&path).exit(Exit::Storage))
    }
}

/// The public keys in a file.
///
/// # Errors
/// `E-proof-003` (exit 2) where they are none; `E-file-…`.
pub(super) fn read_keys(path: &Path) -> Result<Vec<VerifierKey>> {
    let bytes = read_capped(path, MAX_PUBLIC)?;
    VerifierKey::read_all(&String::from_utf8_lossy(&bytes)).map_err(|problem| problem.file(path))
}

/// The key that is made on first use.
fn own_key(path: &Path, origin: &str, had_one: bool, entropy: &mut dyn Entropy) -> Result<SigningKey> {
    if !path.exists() {
        if had_one {
            let what = "the key that signed what runs left is gone";
            let remedy = "restore it from a backup; where it is lost for good, make another and name it as `key` below [proof]";
            return Err(Problem::new("E-proof-005", Blame::Operator, what, remedy).file(path));
        }
        let made = SigningKey::generate(entropy)?;
        let [begin, end] = PEM;
        let pem = Zeroizing::new(format!("{begin}\n{}\n{end}\n", STANDARD.encode(&*made)));
        write_atomic(path, pem.as_bytes())?;
    }
    SigningKey::read(origin, &der(SecretSource::File(path.to_owned()).read_bytes()?)?).map_err(|problem| problem.file(path))
}

/// A key in DER, whichever of both forms it is in.
fn der(bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>> {
    let Ok(text) = std::str::from_utf8(&bytes) else { return Ok(bytes) };
    let [begin, end] = PEM;
    let inside = text.trim().strip_prefix(begin).and_then(|text| text.strip_suffix(end));
    let inside = Zeroizing::new(inside.unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect::<String>());
    STANDARD.decode(&*inside).map(Zeroizing::new).map_err(|_| {
        let remedy = "give an Ed25519 key as PKCS#8, not encrypted: `openssl genpkey -algorithm ed25519` makes one";
        Problem::new("E-proof-001", Blame::Operator, "this is no key in PEM", remedy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{SeededEntropy, remove_tree};
    use crate::report::proof::{RedactionReason, Tool};
    use crate::store::MemoryStore;
    use std::os::unix::fs::PermissionsExt as _;

    struct World {
        _dir: tempfile::TempDir,
        state: StateDir,
        store: MemoryStore,
    }

    impl World {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let state = StateDir::open(&dir.path().join("state")).unwrap();
            Self { _dir: dir, state, store: MemoryStore::default() }
        }

        fn log(&self, named: Option<&SecretSource>) -> Result<Log<MemoryStore>> {
            Log::with(self.store.clone(), &self.state, "privet/runs", named, &mut SeededEntropy::new(7))
        }

        fn file(&self, name: &str) -> PathBuf {
            self.state.root().join("proof").join(name)
        }

        /// Adds a statement, and keeps what the store holds then.
        fn add(&mut self, run: &str) -> Result<Document> {
            let mut log = self.log(None)?;
            let run = RunId::from(run);
            let (at, files) = ("2026-11-21T02:00:00Z".parse().unwrap(), Vec::new());
            let (reason, ground) = (RedactionReason::Retention, String::new());
            let predicate = RedactionPredicate { run_id: run.clone(), tool: Tool::this(), at, reason, ground, files };
            let document = log.add(&run, &Statement::new([], predicate));
            self.store = log.store;
            document
        }
    }

    #[test]
    fn each_leaf_is_shown_to_be_in_a_log_that_only_grew() {
        let mut world = World::new();
        let documents: Vec<Document> = (0..5).map(|n| world.add(&format!("run-{n}")).unwrap()).collect();
        let log = world.log(None).unwrap();
        for (n, document) in (0..).zip(&documents) {
            assert_eq!(document.leaf_index, n);
            assert_eq!(document.previous.is_some(), n > 0);
            assert!(document.check(log.known()).is_ok());
        }
        assert!(log.store.clone().head(&StreamName::new(STREAM).unwrap()).unwrap().rows == 5);
        assert_eq!(read_keys(&world.file("key.pub")).unwrap(), log.known());
        let mode = |name: &str| std::fs::metadata(world.file(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode("key.pem"), mode("key.pub"), mode("checkpoint"), mode("leaves")], [0o600; 4]);
        let again = World::new().add("run-0").unwrap();
        assert_eq!(again, documents[0], "equal inputs give equal bytes");
    }

    #[test]
    fn a_log_that_was_rewritten_is_not_signed() {
        let mut world = World::new();
        world.add("run-0").unwrap();
        let one = world.store.clone();
        world.add("run-1").unwrap();
        let two = std::mem::replace(&mut world.store, one);
        // The store was put back to before the second leaf.
        assert_eq!(world.add("run-2").unwrap_err().id, "E-proof-008");
        // Another log altogether, as long as the one that was signed.
        let mut other = World::new();
        other.add("run-7").unwrap();
        other.add("run-8").unwrap();
        world.store = other.store;
        let problem = world.add("run-2").unwrap_err();
        assert_eq!((problem.id.as_str(), problem.exit), ("E-proof-008", Exit::Storage));
        world.store = two;
        assert_eq!(world.add("run-2").unwrap().leaf_index, 2);
        // A leaf without its checkpoint is one that a crash left.
        let checkpoint = std::fs::read(world.file("checkpoint")).unwrap();
        world.add("run-3").unwrap();
        write_atomic(&world.file("checkpoint"), &checkpoint).unwrap();
        assert_eq!(world.add("run-4").unwrap().leaf_index, 4);
        let text = String::from_utf8(checkpoint).unwrap();
        write_atomic(&world.file("checkpoint"), text.replace("\n3\n", "\n2\n").as_bytes()).unwrap();
        assert_eq!(world.add("run-5").unwrap_err().id, "E-proof-007");
    }

    #[test]
    fn a_key_that_is_gone_is_not_replaced_in_silence() {
        let mut world = World::new();
        world.add("run-0").unwrap();
        remove_tree(&world.file("key.pem")).unwrap();
        assert_eq!(world.add("run-1").unwrap_err().id, "E-proof-005");
    }

    #[test]
    fn a_named_key_signs_and_the_old_one_stays_known() {
        let mut world = World::new();
        let first = world.add("run-0").unwrap();
        let path = world.file("own.pem");
        // RFC 8410 §10.3.
        let pem =
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp\n+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        write_atomic(&path, pem.as_bytes()).unwrap();
        let named = SecretSource::File(path.clone());
        let mut log = world.log(Some(&named)).unwrap();
        assert_eq!((log.known().len(), read_keys(&world.file("key.pub")).unwrap().len()), (2, 2));
        let statement = Statement::<RedactionPredicate>::read(&first.envelope.unverified().unwrap()).unwrap();
        let second = log.add(&RunId::from("run-1"), &statement).unwrap();
        assert!(second.check(log.known()).is_ok() && second.check(&log.known()[..1]).is_err());

        let der_path = world.file("own.der");
        write_atomic(&der_path, &der(Zeroizing::new(pem.as_bytes().to_vec())).unwrap()).unwrap();
        assert_eq!(world.log(Some(&SecretSource::File(der_path))).unwrap().key.public(), log.key.public());

        let refused = |bytes: &[u8], mode: u32| {
            write_atomic(&path, bytes).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            world.log(Some(&named)).err().map(|problem| problem.id).unwrap_or_default()
        };
        assert_eq!(refused(pem.as_bytes(), 0o644), "E-config-006");
        assert_eq!(refused(b"nothing", 0o600), "E-proof-001");
        assert_eq!(refused(&[0x30, 0x80, 0xff], 0o600), "E-proof-001");
        assert_eq!(refused(b"", 0o600), "E-proof-001");
    }
}
