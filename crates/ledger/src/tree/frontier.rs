//! A tree as short as it goes: the roots of its complete subtrees. It can grow and be signed, and prove nothing.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tlog_tiles::node_hash;

use super::growth::check_edge;
use super::tile::checked;
use super::{EMPTY_HASH, Error, Hash, TileId};

/// The compact range of a tree: one hash for each bit that is set in its size, the largest subtree first.
///
/// In JSON `{"size": 3, "hashes": ["…", "…"]}` with the hashes in base64.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    pub fn new() -> Self {
        Frontier::default()
    }

    /// The tree of that size whose tiles [`super::right_edge`] names, with their hashes.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]: there is no such tree; [`Error::Tile`]: those are not the tiles of its edge.
    pub fn of_edge(size: u64, edge: &[(TileId, Vec<Hash>)]) -> Result<Self, Error> {
        check_edge(size, edge)?;
        let hashes = edge.iter().rev().flat_map(|(_, hashes)| Frontier::over(hashes).hashes);
        Ok(Frontier { size, hashes: hashes.collect() })
    }

    /// The tree over these hashes.
    pub(super) fn over(hashes: &[Hash]) -> Self {
        let mut tree = Frontier::new();
        hashes.iter().for_each(|it| tree.push(*it));
        tree
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its root (RFC 6962, section 2.1).
    pub fn root(&self) -> Hash {
        self.hashes.iter().rev().copied().reduce(|right, left| node_hash(left, right)).unwrap_or(EMPTY_HASH)
    }

    /// Appends a leaf, by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let complete = self.hashes.len().saturating_sub(self.size.trailing_ones() as usize);
        let root = self.hashes.drain(complete..).rev().fold(leaf, |right, left| node_hash(left, right));
        self.hashes.push(root);
        self.size += 1;
    }
}

/// How it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    size: u64,
    hashes: Vec<String>,
}

impl Serialize for Frontier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hashes = self.hashes.iter().map(ToString::to_string).collect();
        Kept { size: self.size, hashes }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Frontier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Kept { size, hashes } = Kept::deserialize(deserializer)?;
        let size = checked(size).map_err(D::Error::custom)?;
        if hashes.len() != size.count_ones() as usize {
            return Err(D::Error::custom("a tree of this size has another number of complete subtrees"));
        }
        let hashes = hashes.iter().map(|it| Hash::parse_hash(it)).collect::<Result<_, _>>();
        Ok(Frontier { size, hashes: hashes.map_err(D::Error::custom)? })
    }
}
