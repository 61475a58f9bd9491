//! The vault: sealed values, keys, and the map from objects to the random references that chained rows carry. Destroying an object's
//! key makes its values and digests unreadable wherever a copy of them stands; no chain changes by that.

use super::{Batch, Cell, Store, Table};
use crate::base::{Entropy, ObjectKey, ObjectRef, Result, Sealed, Timestamp, ValueDigest};
use std::fmt;
use zeroize::Zeroizing;

/// The cell that keeps a sealed value.
#[must_use]
pub fn sealed_cell(sealed: &Sealed) -> Cell {
    Cell::Put(Table::Sealed, place(&sealed.reference(), &sealed.digest()), sealed.bytes().into())
}

fn place(reference: &ObjectRef, digest: &ValueDigest) -> Box<[u8]> {
    [&reference.bytes()[..], digest.bytes()].concat().into()
}

/// A reference and a key for an object, with the cells that keep them.
fn new_key(object: &str, batch: &mut Batch, entropy: &mut dyn Entropy) -> Result<ObjectKey> {
    let (mut reference, mut key) = ([0; 16], Zeroizing::new([0; 32]));
    entropy.fill(&mut reference)?;
    entropy.fill(&mut *key)?;
    batch.cells.extend([
        Cell::Put(Table::References, object.as_bytes().into(), reference.into()),
        Cell::Put(Table::Objects, reference.into(), object.as_bytes().into()),
        Cell::Put(Table::Keys, reference.into(), (*key)[..].into()),
    ]);
    Ok(ObjectKey::new(ObjectRef::new(reference), key))
}

/// The vault of a store.
pub struct Vault<'a>(&'a mut dyn Store);

impl fmt::Debug for Vault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl<'a> Vault<'a> {
    /// The vault in `store`.
    pub fn new(store: &'a mut dyn Store) -> Self {
        Self(store)
    }

    /// The keys of `objects`, each a text that names one; those the vault does not know yet get a reference and a key now, all in one
    /// commit.
    ///
    /// # Errors
    /// `E-entropy-001`; `E-store-006` where storage fails.
    pub fn enrol<'o>(&mut self, objects: impl IntoIterator<Item = &'o str>, entropy: &mut dyn Entropy) -> Result<Vec<ObjectKey>> {
        let mut batch = Batch::default();
        let mut out = Vec::new();
        let mut made = std::collections::HashMap::new();
        for object in objects {
            let known = match made.get(object) {
                Some(known) => Some(ObjectKey::clone(known)),
                None => self.key_of(object)?,
            };
            let key = match known {
                Some(key) => key,
                None => {
                    let key = new_key(object, &mut batch, entropy)?;
                    made.insert(object, key.clone());
                    key
                }
            };
            out.push(key);
        }
        if !batch.is_empty() {
            self.0.commit(&batch)?;
        }
        Ok(out)
    }

    /// The key of one object, made now where the vault does not know it yet.
    ///
    /// # Errors
    /// `E-entropy-001`; `E-store-006` where storage fails.
    pub fn enrol_one(&mut self, object: &str, entropy: &mut dyn Entropy) -> Result<ObjectKey> {
        if let Some(key) = self.key_of(object)? {
            return Ok(key);
        }
        let mut batch = Batch::default();
        let key = new_key(object, &mut batch, entropy)?;
        self.0.commit(&batch)?;
        Ok(key)
    }

    /// The key of one object. Where the vault does not know it yet it is made, by cells for `batch`: until that is kept, whoever draws
    /// twice gets two.
    ///
    /// # Errors
    /// `E-entropy-001`; `E-store-006` where storage fails.
    pub fn draw(&mut self, object: &str, batch: &mut Batch, entropy: &mut dyn Entropy) -> Result<ObjectKey> {
        self.key_of(object)?.map_or_else(|| new_key(object, batch, entropy), Ok)
    }

    /// The key of an object; none where it was never enrolled, or erased.
    ///
    /// # Errors
    /// `E-store-006` where storage fails.
    pub fn key_of(&mut self, object: &str) -> Result<Option<ObjectKey>> {
        let reference = self.0.get(Table::References, object.as_bytes())?;
        match reference.and_then(|bytes| bytes.try_into().ok()).map(ObjectRef::new) {
            Some(reference) => self.key(reference),
            None => Ok(None),
        }
    }

    /// The key behind a reference; none where its object was erased.
    ///
    /// # Errors
    /// `E-store-006` where storage fails.
    pub fn key(&mut self, reference: ObjectRef) -> Result<Option<ObjectKey>> {
        let key = self.0.get(Table::Keys, reference.bytes())?.map(Zeroizing::new);
        let key = key.and_then(|bytes| bytes.first_chunk().copied()).map(Zeroizing::new);
        Ok(key.map(|key| ObjectKey::new(reference, key)))
    }

    /// The text that names the object behind a reference; none where it was erased.
    ///
    /// # Errors
    /// `E-store-006` where storage fails.
    pub fn object(&mut self, reference: ObjectRef) -> Result<Option<String>> {
        Ok(self.0.get(Table::Objects, reference.bytes())?.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    /// Opens the value of `field` with that digest; none where it has expired.
    ///
    /// # Errors
    /// `E-vault-002` (exit 21) where what is sealed there is not what the digest says; `E-store-006`.
    pub fn open(&mut self, key: &ObjectKey, field: &str, digest: &ValueDigest) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let sealed = self.0.get(Table::Sealed, &place(&key.reference(), digest))?;
        sealed.map(|bytes| key.open(field, digest, &bytes)).transpose()
    }

    /// Deletes the sealed values that expired before `now`; how many there were.
    ///
    /// # Errors
    /// `E-store-006` where storage fails.
    pub fn expire(&mut self, now: Timestamp) -> Result<u64> {
        let mut batch = Batch::default();
        self.0.cells(Table::Sealed, &[], &mut |key, value| {
            if Sealed::expires(value) < now.as_second() {
                batch.cells.push(Cell::Delete(Table::Sealed, key.into()));
            }
            Ok(())
        })?;
        self.0.commit(&batch)?;
        Ok(batch.cells.len() as u64)
    }

    /// Erases an object: its key, its values and the map from its reference. Rows which name the reference stay as they are, and
    /// nobody can tell any more whom they are about. Whether there was such an object.
    ///
    /// # Errors
    /// `E-store-006` where storage fails.
    pub fn erase(&mut self, object: &str) -> Result<bool> {
        let Some(reference) = self.0.get(Table::References, object.as_bytes())? else { return Ok(false) };
        let reference: Box<[u8]> = reference.into();
        let mut batch = Batch::default();
        self.0.cells(Table::Sealed, &reference, &mut |key, _| {
            batch.cells.push(Cell::Delete(Table::Sealed, key.into()));
            Ok(())
        })?;
        batch.cells.extend([
            Cell::Delete(Table::Keys, reference.clone()),
            Cell::Delete(Table::Objects, reference),
            Cell::Delete(Table::References, object.as_bytes().into()),
        ]);
        self.0.commit(&batch)?;
        Ok(true)
    }
}
