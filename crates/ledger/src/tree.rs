//! The tree of RFC 6962 over the leaves, kept as the tiles of C2SP `tlog-tiles`.
//!
//! A tree is its size and its leaves in order, so a tile of one size is the beginning of that tile in every later
//! size: whoever stores the newest has them all. The tree knows leaves by their hash alone, and neither what they say
//! nor who signs its root.

mod check;
mod frontier;
mod growth;
mod prove;
mod tile;

use thiserror::Error;
pub use tlog_tiles::{EMPTY_HASH, HASH_SIZE, Hash};

pub use self::check::{check_consistency, check_inclusion};
pub use self::frontier::Frontier;
pub use self::growth::{grow, right_edge};
pub use self::prove::{ReadError, Tiles, consistency, inclusion, root};
pub use self::tile::{TileId, TileRequest, WIDTH, entries_path, tiles_of, widths};

/// The largest tree there is, in leaves: JSON tells no larger number exactly (RFC 8785). It also is far below where
/// the indexes that `tlog_tiles` computes with overflow.
pub const MAX_SIZE: u64 = (1 << 53) - 1;

/// The most hashes of a proof (C2SP `tlog-proof`): as many as the levels of any tree.
pub const MAX_PROOF: usize = 63;

/// Why there is no such tree, or why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Error {
    /// The tree is larger than any, or has no such leaf.
    #[error("there is no such leaf or tree")]
    OutOfRange,
    /// The bytes are not hashes, or not those of that tile.
    #[error("these are not the hashes of the tile")]
    Tile,
    /// The proof does not lead to the root.
    #[error("the proof does not hold")]
    Proof,
}

/// The hash of a leaf (RFC 6962, section 2.1).
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    tlog_tiles::record_hash(leaf)
}

/// Hashes as a tile has them, one after the other.
pub fn to_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().map(|it| it.0).collect::<Vec<_>>().into_flattened()
}

/// The hashes of a tile.
///
/// # Errors
/// [`Error::Tile`]: the bytes end within a hash.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Hash>, Error> {
    let (hashes, []) = bytes.as_chunks::<HASH_SIZE>() else { return Err(Error::Tile) };
    Ok(hashes.iter().copied().map(Hash).collect())
}
