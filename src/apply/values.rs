//! What the executor looks up: keys and sealed values, and whether an operation's basis still holds.

use crate::base::{Entropy, ObjectKey, ObjectRef, Result, Timestamp, ValueDigest};
use crate::plan::Operation;
use crate::store::{Store, Vault};
use zeroize::Zeroizing;

/// Keys and sealed values.
pub trait Values: Send {
    /// The key of the object behind a reference; none where it was erased.
    ///
    /// # Errors
    /// `E-store-006` (exit 33) where storage fails.
    fn key(&mut self, reference: ObjectRef) -> Result<Option<ObjectKey>>;

    /// The key of the object that `name` names, made now where it has none.
    ///
    /// # Errors
    /// `E-entropy-001`; `E-store-006` (exit 33) where storage fails.
    fn enrol(&mut self, name: &str, entropy: &mut dyn Entropy) -> Result<ObjectKey>;

    /// The sealed value of a fact; none where it has expired.
    ///
    /// # Errors
    /// `E-vault-002` (exit 21) where it is not what its digest says; `E-store-006`.
    fn open(&mut self, key: &ObjectKey, fact: &str, digest: &ValueDigest) -> Result<Option<Zeroizing<Vec<u8>>>>;
}

/// The vault of a store, as the executor uses it.
pub struct VaultValues<S>(pub S);

impl<S: Store> Values for VaultValues<S> {
    fn key(&mut self, reference: ObjectRef) -> Result<Option<ObjectKey>> {
        Vault::new(&mut self.0).key(reference)
    }

    fn enrol(&mut self, name: &str, entropy: &mut dyn Entropy) -> Result<ObjectKey> {
        Vault::new(&mut self.0).enrol_one(name, entropy)
    }

    fn open(&mut self, key: &ObjectKey, fact: &str, digest: &ValueDigest) -> Result<Option<Zeroizing<Vec<u8>>>> {
        Vault::new(&mut self.0).open(key, fact, digest)
    }
}

/// What is asked just before a command is sent, for the last time.
pub trait Guard: Send {
    /// The number of the rule that forbids the operation now: a consent that was withdrawn, a restriction, an objection.
    ///
    /// # Errors
    /// Where the ledgers cannot be read.
    fn forbids(&mut self, operation: &Operation, now: Timestamp) -> Result<Option<Box<str>>>;
}
