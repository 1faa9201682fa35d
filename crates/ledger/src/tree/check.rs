//! Proofs, checked by whoever has the roots: nothing else is trusted, neither tiles nor whoever made the proof.

use super::tile::checked;
use super::{EMPTY_HASH, Error, Hash, MAX_PROOF};

/// Checks that the tree of `size` leaves and that root has a leaf of that hash at `index` (RFC 6962, section 2.1.1).
///
/// # Errors
/// [`Error::OutOfRange`]: there is no such leaf; [`Error::Proof`]: it is another one.
pub fn check_inclusion(proof: &[Hash], size: u64, root: Hash, index: u64, leaf: Hash) -> Result<(), Error> {
    if index >= checked(size)? {
        return Err(Error::OutOfRange);
    }
    tlog_tiles::check_record(&bounded(proof)?, size, root, index, leaf).map_err(|_| Error::Proof)
}

/// Checks that the tree of `to` leaves begins with that of `from` (RFC 6962, section 2.1.2). No proof is needed from
/// the empty tree, and none between trees of the same size: it is empty then.
///
/// # Errors
/// [`Error::OutOfRange`]: the first tree is the larger one; [`Error::Proof`]: the second does not begin with it.
pub fn check_consistency(proof: &[Hash], to: u64, to_root: Hash, from: u64, from_root: Hash) -> Result<(), Error> {
    if from > checked(to)? {
        return Err(Error::OutOfRange);
    }
    if from == 0 {
        let empty = proof.is_empty() && from_root == EMPTY_HASH && (to > 0 || to_root == EMPTY_HASH);
        return if empty { Ok(()) } else { Err(Error::Proof) };
    }
    tlog_tiles::check_tree(&bounded(proof)?, to, to_root, from, from_root).map_err(|_| Error::Proof)
}

/// `tlog_tiles` copies what is left of a proof at every level: a long one would cost much before it fails.
fn bounded(proof: &[Hash]) -> Result<Vec<Hash>, Error> {
    if proof.len() <= MAX_PROOF { Ok(proof.to_vec()) } else { Err(Error::Proof) }
}
