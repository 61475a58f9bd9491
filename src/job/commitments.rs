//! The salts of commitments to rows about people. They stand in cells of the store, by whom the rows are about, so that erasing a person
//! erases them: what was signed stays as it is then, and says nothing any more.

use crate::base::{Entropy, Result};
use crate::report::proof::{Commitment, Salt};
use crate::store::{Batch, Cell, Store, Table};
use zeroize::Zeroizing;

/// A row: its fields in order.
pub type RowFields<'r> = &'r [Option<&'r str>];

/// Commits to each of `rows`, which are about the subject or object of the random reference `owner`. The salts are kept with `batch`.
///
/// # Errors
/// `E-entropy-001` where there is no randomness.
pub fn commit_to(owner: &[u8; 16], rows: &[RowFields<'_>], batch: &mut Batch, entropy: &mut dyn Entropy) -> Result<Vec<Commitment>> {
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let mut salt: Salt = Zeroizing::new([0; 32]);
        entropy.fill(&mut *salt)?;
        let commitment = Commitment::of(&salt, row.iter().copied());
        batch.cells.push(Cell::Put(Table::RowSalts, place(owner, &commitment), salt[..].into()));
        out.push(commitment);
    }
    Ok(out)
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

fn place(owner: &[u8; 16], commitment: &Commitment) -> Box<[u8]> {
    [&owner[..], commitment.bytes()].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SeededEntropy;
    use crate::store::MemoryStore;

    const ADA: RowFields<'_> = &[Some("example"), Some("C-1"), Some("Ada")];
    const BOB: RowFields<'_> = &[Some("example"), Some("C-2"), Some("Bob")];

    #[test]
    fn a_commitment_opens_until_its_salt_is_erased() {
        let (mut store, mut entropy) = (MemoryStore::default(), SeededEntropy::new(1));
        let mut batch = Batch::default();
        let mine = commit_to(&[1; 16], &[ADA, ADA], &mut batch, &mut entropy).unwrap();
        let others = commit_to(&[2; 16], &[BOB], &mut batch, &mut entropy).unwrap();
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
}
