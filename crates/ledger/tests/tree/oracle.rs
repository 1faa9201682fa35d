//! A log in memory, and what `ct-merkle` makes of the same entries.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ct_merkle::digest::consts::U32;
use ct_merkle::digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use lindung_ledger::tree::{self, Hash, TileId, Tiles};
use sha2::Digest;

/// The entries of [`LOG`].
pub const LARGEST: u64 = 66_000;

/// Where tiles begin and end, and where they do not.
pub const SIZES: [u64; 16] = [0, 1, 2, 3, 8, 255, 256, 257, 511, 512, 513, 5_000, 65_535, 65_536, 65_537, LARGEST];

/// A log of [`LARGEST`] entries.
pub static LOG: LazyLock<Log> = LazyLock::new(|| {
    let mut log = Log::default();
    log.append(LARGEST);
    log
});

/// Up to which size the others compute every root: their trees take long to grow, but they check any proof.
const THEIRS: u64 = 700;

/// The root of each size up to [`THEIRS`], as `ct-merkle` computes them.
static THEIR_ROOTS: LazyLock<Vec<Hash>> = LazyLock::new(|| {
    let mut tree = Theirs::new();
    let mut roots = vec![their_root(&tree)];
    roots.extend((0..THEIRS).map(|index| {
        tree.push(entry(index));
        their_root(&tree)
    }));
    roots
});

/// The hashes of entries, and of all complete subtrees above them, by height.
static NODES: LazyLock<Vec<Vec<[u8; 32]>>> = LazyLock::new(|| {
    let mut nodes = vec![(0..LARGEST).map(|it| hash(&[b"\0", &entry(it)])).collect::<Vec<_>>()];
    while let Some(below) = nodes.last().filter(|it| it.len() > 1) {
        nodes.push(below.as_chunks().0.iter().map(|[left, right]| hash(&[b"\x01", left, right])).collect());
    }
    nodes
});

/// The root of the tree of that size: as `ct-merkle` computes it, or, where it is large, as RFC 6962 defines it.
pub fn root_of(size: u64) -> Hash {
    if size <= THEIRS { THEIR_ROOTS[size as usize] } else { Hash(defined(0, size)) }
}

/// MTH(D\[from:to\]) of RFC 6962, section 2.1.
fn defined(from: u64, to: u64) -> [u8; 32] {
    let size = to - from;
    if size.is_power_of_two() {
        return NODES[size.ilog2() as usize][(from / size) as usize];
    }
    let split = from + (1 << (size - 1).ilog2());
    hash(&[b"\x01", &defined(from, split), &defined(split, to)])
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    sha2::Sha256::digest(parts.concat()).into()
}

/// The tree of the others.
pub type Theirs = MemoryBackedTree<Sha256, [u8; 8]>;

/// An entry of the log.
pub fn entry(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

/// Their tree of that size.
pub fn theirs(size: u64) -> Theirs {
    let mut tree = Theirs::new();
    (0..size).for_each(|it| tree.push(entry(it)));
    tree
}

fn their_root(tree: &Theirs) -> Hash {
    Hash((*tree.root().as_bytes()).into())
}

/// A root as they have it.
pub fn root_of_theirs(root: Hash, size: u64) -> ct_merkle::RootHash<Sha256> {
    ct_merkle::RootHash::new(root.0.into(), size)
}

/// Tiles in memory: the newest of each.
#[derive(Debug, Default, PartialEq)]
pub struct Log {
    pub size: u64,
    pub tiles: BTreeMap<TileId, Vec<Hash>>,
}

impl Log {
    /// Appends so many entries at once, as the numbers follow.
    pub fn append(&mut self, count: u64) {
        let leaves: Vec<_> = (self.size..self.size + count).map(|it| tree::leaf_hash(&entry(it))).collect();
        self.append_hashes(&leaves);
    }

    pub fn append_hashes(&mut self, leaves: &[Hash]) {
        let edge: Vec<_> =
            tree::right_edge(self.size).into_iter().map(|(it, _)| (it, self.tiles[&it].clone())).collect();
        self.tiles.extend(tree::grow(self.size, &edge, leaves).unwrap());
        self.size += leaves.len() as u64;
    }
}

impl Tiles for Log {
    type Error = TileId;

    fn tiles(&self, wanted: &[(TileId, u16)]) -> Result<Vec<Vec<u8>>, TileId> {
        wanted.iter().map(|(it, _)| self.tiles.get(it).map(|it| tree::to_bytes(it)).ok_or(*it)).collect()
    }
}

/// SHA-256 for `ct-merkle`, which wants the traits of a later release than the service has.
#[derive(Default, Clone, Debug)]
pub struct Sha256(sha2::Sha256);

impl HashMarker for Sha256 {}

impl OutputSizeUser for Sha256 {
    type OutputSize = U32;
}

impl Update for Sha256 {
    fn update(&mut self, data: &[u8]) {
        Digest::update(&mut self.0, data);
    }
}

impl FixedOutput for Sha256 {
    fn finalize_into(self, out: &mut Output<Self>) {
        out.copy_from_slice(&self.0.finalize());
    }
}
