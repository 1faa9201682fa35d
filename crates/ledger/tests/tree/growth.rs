//! Roots, and tiles as they grow.

use lindung_ledger::tree::{self, EMPTY_HASH, Error, Frontier, Hash, MAX_SIZE, TileId};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::oracle::{LARGEST, LOG, Log, SIZES, entry, root_of};

/// The entries that implementations of certificate transparency are tried with, and the roots of 0 to 8 of them.
const KNOWN: [&[u8]; 8] = [b"", b"\x00", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"];
const KNOWN_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn hex(hash: Hash) -> String {
    hash.0.iter().map(|it| format!("{it:02x}")).collect()
}

#[test]
fn roots_are_those_that_everybody_knows() {
    let (mut log, mut frontier) = (Log::default(), Frontier::new());
    assert_eq!(hex(EMPTY_HASH), KNOWN_ROOTS[0]);
    assert_eq!(hex(frontier.root()), KNOWN_ROOTS[0]);
    for (entry, root) in KNOWN.into_iter().zip(&KNOWN_ROOTS[1..]) {
        frontier.push(tree::leaf_hash(entry));
        log.append_hashes(&[tree::leaf_hash(entry)]);
        assert_eq!(hex(frontier.root()), *root);
        assert_eq!(hex(tree::root(&log, log.size).unwrap()), *root);
    }
}

#[test]
fn roots_are_those_of_the_others() {
    let mut frontier = Frontier::new();
    for size in 0..LARGEST {
        assert_eq!(frontier.size(), size);
        if size < 300 || size.is_multiple_of(997) || SIZES.contains(&size) {
            assert_eq!(frontier.root(), root_of(size), "{size}");
            assert_eq!(tree::root(&*LOG, size), Ok(root_of(size)), "{size}");
        }
        frontier.push(tree::leaf_hash(&entry(size)));
    }
    assert_eq!(frontier.root(), root_of(LARGEST));
}

#[test]
fn a_log_has_the_tiles_of_its_size_and_no_others() {
    for size in SIZES.into_iter().filter(|it| *it <= 513 || *it == LARGEST) {
        let mut log = Log::default();
        log.append(size);
        let tiles: Vec<_> = log.tiles.iter().map(|(it, hashes)| (*it, hashes.len() as u16)).collect();
        assert_eq!(tree::tiles_of(size).collect::<Vec<_>>(), tiles, "{size}");
        for (tile, hashes) in &log.tiles {
            assert_eq!(hashes[..], LOG.tiles[tile][..hashes.len()], "{tile:?} of {size}");
        }
    }
}

#[test]
fn a_tree_of_seventy_thousand_has_the_tiles_that_the_format_tells() {
    let tiles: Vec<_> = tree::tiles_of(70_000).collect();
    let count = |level, width| tiles.iter().filter(|(it, of)| it.level == level && *of == width).count();
    assert_eq!([count(0, 256), count(0, 112), count(1, 256), count(1, 17), count(2, 1)], [273, 1, 1, 1, 1]);
    assert_eq!(tiles.len(), 277);
    let edge = [(0, 273, 112), (1, 1, 17), (2, 0, 1)].map(|(level, index, width)| (TileId { level, index }, width));
    assert_eq!(tree::right_edge(70_000), edge);
    assert_eq!(tree::right_edge(256), [(TileId { level: 1, index: 0 }, 1)]);
    assert_eq!(tree::right_edge(0), []);
}

#[test]
fn what_is_appended_to_is_looked_at() {
    let edge = |size| -> Vec<_> {
        tree::right_edge(size).into_iter().map(|(it, width)| (it, vec![Hash([1; 32]); width.into()])).collect()
    };
    let grown = |size, given: &[(TileId, Vec<Hash>)]| tree::grow(size, given, &[Hash([2; 32])]).map(|it| it.len());
    assert_eq!(grown(70_000, &edge(70_000)), Ok(1));
    for other in [0, 69_999, 70_001, 70_000 - 112, 70_000 + 256] {
        assert_eq!(grown(70_000, &edge(other)), Err(Error::Tile), "{other}");
        assert_eq!(Frontier::of_edge(70_000, &edge(other)), Err(Error::Tile), "{other}");
    }
    let mut turned = edge(70_000);
    turned.reverse();
    assert_eq!(grown(70_000, &turned), Err(Error::Tile));

    assert_eq!(grown(MAX_SIZE - 1, &edge(MAX_SIZE - 1)).unwrap(), 1);
    for size in [MAX_SIZE, MAX_SIZE + 1, u64::MAX] {
        assert_eq!(grown(size, &edge(size)), Err(Error::OutOfRange), "{size}");
    }
}

#[test]
fn a_frontier_is_kept_as_size_and_hashes() {
    let mut frontier = Frontier::new();
    (0..3).for_each(|it| frontier.push(tree::leaf_hash(&entry(it))));
    let kept = serde_json::to_string(&frontier).unwrap();
    assert_eq!(
        kept,
        "{\"size\":3,\"hashes\":[\"p9kYlLYfv0Y3jYjj4bH3rvOVMsUEtIS9MVUdFeCgnf8=\",\
         \"2B9ReB7rj0ag4RLobKM1iWzMEs7gDmz89Yo1ARKd/CQ=\"]}"
    );
    assert_eq!(serde_json::from_str::<Frontier>(&kept).unwrap(), frontier);
    let refused = [
        kept.replace(":3", ":1"),
        kept.replace(":3", ":7"),
        kept.replace(":3", &format!(":{}", (1_u64 << 60) + 1)),
        kept.replace("p9kY", ""),
        kept.replace("}", ",\"more\":1}"),
    ];
    for text in refused {
        assert!(serde_json::from_str::<Frontier>(&text).is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn chunks_make_no_difference(chunks in vec(0..300_u64, 0..5)) {
        let (mut log, mut at_once) = (Log::default(), Log::default());
        chunks.iter().for_each(|it| log.append(*it));
        at_once.append(chunks.iter().sum());
        prop_assert_eq!(&log, &at_once);
        prop_assert_eq!(tree::root(&log, log.size), Ok(root_of(log.size)));
    }

    #[test]
    fn the_edge_is_all_that_growing_needs(size in 0..LARGEST) {
        let cut = |(tile, width): (TileId, u16)| (tile, LOG.tiles[&tile][..width.into()].to_vec());
        let edge: Vec<_> = tree::right_edge(size).into_iter().map(cut).collect();
        let mut frontier = Frontier::of_edge(size, &edge).unwrap();
        prop_assert_eq!(frontier.root(), root_of(size));
        frontier.push(tree::leaf_hash(&entry(size)));
        prop_assert_eq!(frontier.root(), root_of(size + 1));
    }
}
