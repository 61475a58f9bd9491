//! The Merkle tree over the leaves of a log (RFC 6962 §2.1): roots, inclusion proofs, consistency proofs, and the checks of both
//! (RFC 9162 §2.1.3.2 and §2.1.4.2, which are written out where RFC 6962 leaves them to the reader).

use sha2::{Digest as _, Sha256};

/// The hash of a leaf, of a node, or of a whole tree.
pub type Hash = [u8; 32];

/// The most hashes a proof can have: a tree of 2^64 leaves is no deeper.
pub const MAX_PROOF: usize = 65;

/// The hash of a leaf with those bytes. The byte in front keeps a leaf from passing for a node.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(bytes).finalize().into()
}

/// The hash of the node above `left` and `right`.
fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root over `leaves`; over none it is the hash of nothing (RFC 6962 §2.1).
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        _ => {
            let (left, right) = halves(leaves);
            node_hash(&root(left), &root(right))
        }
    }
}

/// A tree that grows leaf by leaf, with a hash for each level in memory and no leaf: of a million of them some twenty.
#[derive(Clone, Debug, Default)]
pub struct Growing {
    /// Whole subtrees from left to right, each with the power of two of its leaves; no two are of one size.
    whole: Vec<(u32, Hash)>,
    /// How many leaves there are.
    size: u64,
}

impl Growing {
    /// Adds the leaf with those bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut last = (0, leaf_hash(bytes));
        while let Some((level, left)) = self.whole.pop_if(|(level, _)| *level == last.0) {
            last = (level + 1, node_hash(&left, &last.1));
        }
        self.whole.push(last);
        self.size += 1;
    }

    /// The tree as it is by now.
    #[must_use]
    pub fn head(&self) -> Head {
        let joined = self.whole.iter().map(|(_, hash)| *hash).rev().reduce(|right, left| node_hash(&left, &right));
        Head { size: self.size, root: joined.unwrap_or_else(|| root(&[])) }
    }
}

/// The hashes by which whoever has leaf number `index` comes to the root over `leaves`, from the leaf up; nothing where there is no such
/// leaf.
#[must_use]
pub fn inclusion(leaves: &[Hash], index: u64) -> Option<Vec<Hash>> {
    let mut at = usize::try_from(index).ok().filter(|at| *at < leaves.len())?;
    let mut below = leaves;
    let mut path = Vec::new();
    // From the root down; the path is told from the leaf up.
    while below.len() > 1 {
        let (left, right) = halves(below);
        if at < left.len() {
            path.push(root(right));
            below = left;
        } else {
            path.push(root(left));
            at -= left.len();
            below = right;
        }
    }
    path.reverse();
    Some(path)
}

/// The hashes which show that the first `older` of `leaves` are the leaves of an older tree with its root; nothing where there are not
/// so many. Between equal trees, and from the empty one, there is nothing to show.
#[must_use]
pub fn consistency(leaves: &[Hash], older: u64) -> Option<Vec<Hash>> {
    let mut older = usize::try_from(older).ok().filter(|older| *older <= leaves.len())?;
    let mut path = Vec::new();
    if older == 0 || older == leaves.len() {
        return Some(path);
    }
    let mut below = leaves;
    // Whether the older tree ends where `below` does and begins where the whole one begins: its root is known then.
    let mut known = true;
    while older != below.len() {
        let (left, right) = halves(below);
        if older <= left.len() {
            path.push(root(right));
            below = left;
        } else {
            path.push(root(left));
            older -= left.len();
            below = right;
            known = false;
        }
    }
    if !known {
        path.push(root(below));
    }
    path.reverse();
    Some(path)
}

/// Whether `proof` leads from `leaf`, number `index` of `size`, to `root`.
#[must_use]
pub fn includes(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for step in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(step, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// A tree as a checkpoint tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Whether `proof` shows that the tree of `newer` begins with all the leaves of that of `older`.
#[must_use]
pub fn grew(older: &Head, newer: &Head, proof: &[Hash]) -> bool {
    if older.size > newer.size {
        return false;
    }
    if older.size == newer.size {
        return proof.is_empty() && older.root == newer.root;
    }
    if older.size == 0 {
        return proof.is_empty() && older.root == root(&[]);
    }
    // A whole subtree is its own first hash, and is not repeated in the proof.
    let mut steps = proof.iter();
    let first = if older.size.is_power_of_two() { Some(&older.root) } else { steps.next() };
    let Some(first) = first else { return false };
    let (mut at, mut last) = (older.size - 1, newer.size - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut of_older, mut of_newer) = (*first, *first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            of_older = node_hash(step, &of_older);
            of_newer = node_hash(step, &of_newer);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            of_newer = node_hash(&of_newer, step);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && of_older == older.root && of_newer == newer.root
}

/// `leaves`, of which there are two at least, as the two subtrees: the left one has the largest power of two below their number.
fn halves(leaves: &[Hash]) -> (&[Hash], &[Hash]) {
    let whole = leaves.len().next_power_of_two() / 2;
    leaves.split_at(whole.min(leaves.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The leaves of the reference tree of Certificate Transparency's own test vectors, in hexadecimal.
    const LEAVES: [&str; 8] = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    /// Its root after each leaf.
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn a_tree_that_grows_has_the_roots_of_the_reference() {
        let mut growing = Growing::default();
        assert_eq!(growing.head(), Head { size: 0, root: root(&[]) });
        for (size, (leaf, wanted)) in (1..).zip(LEAVES.iter().zip(ROOTS)) {
            growing.push(&bytes(leaf));
            assert_eq!(growing.head(), Head { size, root: bytes(wanted).try_into().unwrap() }, "of {size}");
        }
    }

    fn reference() -> Vec<Hash> {
        LEAVES.iter().map(|leaf| leaf_hash(&bytes(leaf))).collect()
    }

    fn told(hashes: &[Hash]) -> Vec<String> {
        hashes.iter().map(|hash| crate::base::hex(hash)).collect()
    }

    /// `size` different leaves.
    fn many(size: u64) -> Vec<Hash> {
        (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    fn head(leaves: &[Hash]) -> Head {
        Head { size: leaves.len() as u64, root: root(leaves) }
    }

    #[test]
    fn the_roots_are_those_of_the_reference_tree() {
        let leaves = reference();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(crate::base::hex(&root(&[])), empty);
        for (size, wanted) in (1..).zip(ROOTS) {
            assert_eq!(crate::base::hex(&root(&leaves[..size])), wanted, "{size}");
        }
    }

    #[test]
    fn the_proofs_are_those_of_the_reference_tree() {
        let leaves = reference();
        assert_eq!(inclusion(&leaves[..1], 0), Some(vec![]));
        let of_0_in_8 = [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ];
        assert_eq!(told(&inclusion(&leaves, 0).unwrap()), of_0_in_8);
        let of_5_in_8 = [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ];
        assert_eq!(told(&inclusion(&leaves, 5).unwrap()), of_5_in_8);
        let from_1_to_8 = [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ];
        assert_eq!(told(&consistency(&leaves, 1).unwrap()), from_1_to_8);
        let from_6_to_8 = [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ];
        assert_eq!(told(&consistency(&leaves, 6).unwrap()), from_6_to_8);
        let from_2_to_5 = [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ];
        assert_eq!(told(&consistency(&leaves[..5], 2).unwrap()), from_2_to_5);
    }

    #[test]
    fn what_is_not_there_has_no_proof() {
        let leaves = many(5);
        assert!(inclusion(&leaves, 5).is_none() && inclusion(&[], 0).is_none() && inclusion(&leaves, u64::MAX).is_none());
        assert!(consistency(&leaves, 6).is_none());
        assert!(!includes(&leaves[0], 5, 5, &[], &root(&leaves)) && !includes(&leaves[0], 0, 0, &[], &root(&[])));
        assert!(!grew(&head(&leaves), &head(&leaves[..3]), &[]), "a tree does not shrink");
    }

    #[test]
    fn every_leaf_of_every_tree_is_shown_to_be_in_it_and_nowhere_else() {
        let all = many(70);
        for size in 1..=all.len() {
            let leaves = &all[..size];
            let top = root(leaves);
            for index in 0..size as u64 {
                let proof = inclusion(leaves, index).unwrap();
                let leaf = &leaves[usize::try_from(index).unwrap()];
                assert!(includes(leaf, index, size as u64, &proof, &top), "{index} of {size}");
                // Neither at another place, nor in a tree of another size that would need another path.
                let other = (index + 1) % size as u64;
                assert!(other == index || !includes(leaf, other, size as u64, &proof, &top), "{index} of {size} passes for {other}");
                let mut longer = proof.clone();
                longer.push(top);
                assert!(!includes(leaf, index, size as u64, &longer, &top));
                assert!(proof.is_empty() || !includes(leaf, index, size as u64, &proof[1..], &top));
            }
        }
    }

    #[test]
    fn every_tree_is_shown_to_have_grown_from_every_smaller_one() {
        let all = many(200);
        let heads: Vec<Head> = (0..=all.len()).map(|size| head(&all[..size])).collect();
        for newer in 0..=all.len() {
            for older in 0..=newer {
                let proof = consistency(&all[..newer], older as u64).unwrap();
                assert!(proof.len() <= MAX_PROOF);
                assert!(grew(&heads[older], &heads[newer], &proof), "{older} to {newer}");
                assert!(older == newer || !grew(&heads[newer], &heads[older], &proof), "{newer} back to {older}");
            }
        }
    }

    proptest! {
        #[test]
        fn an_altered_inclusion_is_refused(size in 1_u64..200, at in any::<u64>(), place in any::<prop::sample::Index>(), flip in 1_u8..=255) {
            let leaves = many(size);
            let (index, top) = (at % size, root(&leaves));
            let proof = inclusion(&leaves, index).unwrap();
            let leaf = leaves[usize::try_from(index).unwrap()];
            // The leaf, the root and the proof as one text of which one byte is altered.
            let mut parts = [vec![leaf, top], proof].concat();
            let byte = place.index(parts.len() * 32);
            parts[byte / 32][byte % 32] ^= flip;
            prop_assert!(!includes(&parts[0], index, size, &parts[2..], &parts[1]));
        }

        #[test]
        fn an_altered_growth_is_refused(newer in 2_u64..200, at in any::<u64>(), place in any::<prop::sample::Index>(), flip in 1_u8..=255) {
            let leaves = many(newer);
            let older = 1 + at % (newer - 1);
            let whole = usize::try_from(older).unwrap();
            let proof = consistency(&leaves, older).unwrap();
            let mut parts = [vec![root(&leaves[..whole]), root(&leaves)], proof].concat();
            let byte = place.index(parts.len() * 32);
            parts[byte / 32][byte % 32] ^= flip;
            let (of_older, of_newer) = (Head { size: older, root: parts[0] }, Head { size: newer, root: parts[1] });
            prop_assert!(!grew(&of_older, &of_newer, &parts[2..]));
        }

        #[test]
        fn a_rewritten_leaf_is_no_growth(newer in 2_u64..200, at in any::<u64>(), rewritten in any::<u64>()) {
            let leaves = many(newer);
            let older = 1 + at % (newer - 1);
            let before = head(&leaves[..usize::try_from(older).unwrap()]);
            let mut after = leaves.clone();
            after[usize::try_from(rewritten % older).unwrap()] = leaf_hash(b"another");
            let proof = consistency(&after, older).unwrap();
            prop_assert!(!grew(&before, &head(&after), &proof));
        }
    }
}
