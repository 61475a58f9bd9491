//! The salts of commitments to rows about people. They stand in cells of the store, by whom the rows are about, so that erasing a person
//! erases them: what was signed stays as it is then, and says nothing any more.

use crate::base::{Entropy, Result, Timestamp};
use crate::model::ObjectKind;
use crate::plan::vault_name;
use crate::report::proof::{Commitment, Salt};
use crate::store::{Batch, Cell, Store, Table};
use ring::hmac;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// The cell with the key by which objects are told apart among salts: shorter than any salt's.
const OWNERS: &[u8] = b"owners";
/// Salts that are erased in one commit, some 25 MiB of their places.
const BATCH: usize = 1 << 18;

/// A row: its fields in order.
pub type RowFields<'r> = &'r [Option<&'r str>];

/// Tells whom a row is about, without a map that would have to be erased: 16 bytes of a keyed hash of the object's name.
pub(super) struct Owners(hmac::Key);

impl Owners {
    /// With the key of the store, which is made on first use.
    ///
    /// # Errors
    /// `E-entropy-001` where there is no randomness; `E-store-006` (exit 33) where storage fails.
    pub(super) fn open(store: &mut dyn Store, entropy: &mut dyn Entropy) -> Result<Self> {
        if let Some(known) = Self::known(store)? {
            return Ok(known);
        }
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(&mut *key)?;
        let cells = vec![Cell::Put(Table::RowSalts, OWNERS.into(), key[..].into())];
        store.commit(&Batch { appends: Vec::new(), cells })?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &*key)))
    }

    /// With the key of the store, where it has one: else nobody committed to any row.
    ///
    /// # Errors
    /// `E-store-006` (exit 33) where storage fails.
    pub(super) fn known(store: &mut dyn Store) -> Result<Option<Self>> {
        let key = store.get(Table::RowSalts, OWNERS)?.map(Zeroizing::new);
        Ok(key.map(|key| Self(hmac::Key::new(hmac::HMAC_SHA256, &key))))
    }

    /// The owner of rows about an object.
    pub(super) fn of(&self, registry: &str, kind: ObjectKind, id: &str) -> [u8; 16] {
        let tag = hmac::sign(&self.0, vault_name(registry, kind, id).as_bytes());
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }
}

/// Commits to each of `rows`, which are about the subject or object of the random reference `owner` and stand in a run of `at`. The salts
/// are kept with `batch`.
///
/// # Errors
/// `E-entropy-001` where there is no randomness.
pub fn commit_to(
    owner: &[u8; 16],
    rows: &[RowFields<'_>],
    at: Timestamp,
    batch: &mut Batch,
    entropy: &mut dyn Entropy,
) -> Result<Vec<Commitment>> {
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let mut salt: Salt = Zeroizing::new([0; 32]);
        entropy.fill(&mut *salt)?;
        let commitment = Commitment::of(&salt, row.iter().copied());
        let kept = Zeroizing::new([&salt[..], &at.as_second().to_be_bytes()].concat());
        batch.cells.push(Cell::Put(Table::RowSalts, place(owner, &commitment), kept[..].into()));
        out.push(commitment);
    }
    Ok(out)
}

/// The commitment about `owner` that is to `row` of the run that began in the second `at`; nothing where there is none, or its salt was
/// erased.
///
/// # Errors
/// `E-store-006` where storage fails.
pub(super) fn find(store: &mut dyn Store, owner: &[u8; 16], row: RowFields<'_>, at: i64) -> Result<Option<Commitment>> {
    let mut found = None;
    store.cells(Table::RowSalts, owner, &mut |key, value| {
        // Runs of other nights may have equal rows.
        if let Some(salt) = value.first_chunk().copied().map(Zeroizing::new).filter(|_| second(value) == Some(at)) {
            let commitment = Commitment::of(&salt, row.iter().copied());
            if key.get(owner.len()..) == Some(&commitment.bytes()[..]) {
                found = Some(commitment);
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// The commitments about `owner` whose salts are there.
///
/// # Errors
/// `E-store-006` where storage fails.
pub(super) fn about(store: &mut dyn Store, owner: &[u8; 16]) -> Result<Vec<Commitment>> {
    let mut all = Vec::new();
    store.cells(Table::RowSalts, owner, &mut |key, _| {
        all.extend(key.get(owner.len()..).and_then(|bytes| bytes.try_into().ok()).map(Commitment::from_bytes));
        Ok(())
    })?;
    Ok(all)
}

/// Puts into `batch` what erases the salt of one commitment about `owner`.
pub(super) fn forget_one(owner: &[u8; 16], commitment: &Commitment, batch: &mut Batch) {
    batch.cells.push(Cell::Delete(Table::RowSalts, place(owner, commitment)));
}

/// Erases the salts of runs whose tables are gone by `is_due`, asked once for each second in which runs began; gives how many.
///
/// # Errors
/// `E-store-006` where storage fails.
pub(super) fn expire(store: &mut dyn Store, is_due: &dyn Fn(Timestamp) -> bool) -> Result<u64> {
    let mut asked: HashMap<i64, bool> = HashMap::new();
    let mut count = 0;
    loop {
        let mut batch = Batch::default();
        store.cells(Table::RowSalts, &[], &mut |key, value| {
            let is_due = |second| Timestamp::from_second(second).is_ok_and(is_due);
            let goes = second(value).is_some_and(|second| *asked.entry(second).or_insert_with(|| is_due(second)));
            if goes && batch.cells.len() < BATCH {
                batch.cells.push(Cell::Delete(Table::RowSalts, key.into()));
            }
            Ok(())
        })?;
        if batch.is_empty() {
            return Ok(count);
        }
        count += batch.cells.len() as u64;
        store.commit(&batch)?;
    }
}

/// Whether a commitment about `owner` is to `row`; nothing where its salt was erased, upon which nobody can tell.
///
/// # Errors
/// `E-store-006` where storage fails.
pub fn is_of(store: &mut dyn Store, owner: &[u8; 16], commitment: &Commitment, row: RowFields<'_>) -> Result<Option<bool>> {
    let salt = store.get(Table::RowSalts, &place(owner, commitment))?.map(Zeroizing::new);
    let salt = salt.and_then(|bytes| bytes.first_chunk().copied()).map(Zeroizing::new);
    Ok(salt.map(|salt: Salt| Commitment::of(&salt, row.iter().copied()) == *commitment))
}

/// Puts into `batch` what erases every salt about `owner`; gives how many there are.
///
/// # Errors
/// `E-store-006` where storage fails.
pub fn forget(store: &mut dyn Store, owner: &[u8; 16], batch: &mut Batch) -> Result<u64> {
    let before = batch.cells.len();
    store.cells(Table::RowSalts, owner, &mut |key, _| {
        batch.cells.push(Cell::Delete(Table::RowSalts, key.into()));
        Ok(())
    })?;
    Ok((batch.cells.len() - before) as u64)
}

/// The second in which the run began whose salt that is; nothing for what is no salt.
fn second(value: &[u8]) -> Option<i64> {
    value.get(32..)?.try_into().ok().map(i64::from_be_bytes)
}

fn place(owner: &[u8; 16], commitment: &Commitment) -> Box<[u8]> {
    [&owner[..], commitment.bytes()].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SeededEntropy;
    use crate::store::MemoryStore;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400).unwrap()
    }

    const ADA: RowFields<'_> = &[Some("example"), Some("C-1"), Some("Ada")];
    const BOB: RowFields<'_> = &[Some("example"), Some("C-2"), Some("Bob")];

    #[test]
    fn a_commitment_opens_until_its_salt_is_erased() {
        let (mut store, mut entropy) = (MemoryStore::default(), SeededEntropy::new(1));
        let mut batch = Batch::default();
        let mine = commit_to(&[1; 16], &[ADA, ADA], Timestamp::UNIX_EPOCH, &mut batch, &mut entropy).unwrap();
        let others = commit_to(&[2; 16], &[BOB], at(40), &mut batch, &mut entropy).unwrap();
        store.commit(&batch).unwrap();
        assert_ne!(mine[0], mine[1], "equal rows have different commitments");
        assert_eq!(is_of(&mut store, &[1; 16], &mine[0], ADA).unwrap(), Some(true));
        assert_eq!(is_of(&mut store, &[1; 16], &mine[0], BOB).unwrap(), Some(false));
        assert_eq!(is_of(&mut store, &[2; 16], &mine[0], ADA).unwrap(), None, "it is about somebody else");

        let mut batch = Batch::default();
        assert_eq!(forget(&mut store, &[1; 16], &mut batch).unwrap(), 2);
        store.commit(&batch).unwrap();
        assert_eq!(is_of(&mut store, &[1; 16], &mine[0], ADA).unwrap(), None);
        assert_eq!(is_of(&mut store, &[2; 16], &others[0], BOB).unwrap(), Some(true));
    }

    #[test]
    fn the_salts_of_a_run_go_with_its_tables() {
        let (mut store, mut entropy) = (MemoryStore::default(), SeededEntropy::new(1));
        let mut batch = Batch::default();
        let old = commit_to(&[1; 16], &[ADA], at(3), &mut batch, &mut entropy).unwrap();
        let young = commit_to(&[1; 16], &[ADA], at(9), &mut batch, &mut entropy).unwrap();
        store.commit(&batch).unwrap();
        let owner = Owners::open(&mut store, &mut entropy).unwrap().of("x", ObjectKind::Contact, "C-1");
        assert_eq!(about(&mut store, &[1; 16]).unwrap().len(), 2);
        assert_eq!(find(&mut store, &[1; 16], ADA, 3 * 86_400).unwrap(), Some(old[0]), "each run has its own");
        assert_eq!(expire(&mut store, &|taken| taken < at(5)).unwrap(), 1);
        assert_eq!(is_of(&mut store, &[1; 16], &old[0], ADA).unwrap(), None);
        assert_eq!(find(&mut store, &[1; 16], ADA, 9 * 86_400).unwrap(), Some(young[0]));
        assert_eq!(find(&mut store, &[1; 16], BOB, 9 * 86_400).unwrap(), None);
        assert_eq!(Owners::open(&mut store, &mut entropy).unwrap().of("x", ObjectKind::Contact, "C-1"), owner, "the key stays");
        assert_ne!(Owners::open(&mut store, &mut entropy).unwrap().of("x", ObjectKind::Domain, "C-1"), owner);
        let mut batch = Batch::default();
        forget_one(&[1; 16], &young[0], &mut batch);
        store.commit(&batch).unwrap();
        assert_eq!(about(&mut store, &[1; 16]).unwrap(), []);
    }
}
