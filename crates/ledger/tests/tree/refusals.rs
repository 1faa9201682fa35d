//! Proofs that do not hold, tiles that lie, and numbers that are none: each refused, none a panic.

use lindung_ledger::tree::{self, Error, Hash, MAX_PROOF, MAX_SIZE, ReadError, TileId, Tiles};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::oracle::{LARGEST, LOG, Log, SIZES, entry, root_of};

/// Everything near a proof that is another one.
fn mutants(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut mutants = Vec::new();
    let mut mutant = |change: &dyn Fn(&mut Vec<Hash>)| {
        let mut changed = proof.to_vec();
        change(&mut changed);
        mutants.push(changed);
    };
    for at in 0..proof.len() {
        mutant(&|it| it[at].0[at % 32] ^= 1 << (at % 8));
        mutant(&|it| it.truncate(at));
        mutant(&|it| *it = [&proof[..at], &proof[at + 1..]].concat());
        mutant(&|it| it.insert(at, proof[at]));
        if at > 0 {
            mutant(&|it| it.swap(at - 1, at));
        }
    }
    for at in 0..=proof.len() {
        mutant(&|it| it.insert(at, Hash([7; 32])));
    }
    mutant(&|it| it.resize(MAX_PROOF, Hash([0; 32])));
    mutant(&|it| it.resize(MAX_PROOF + 1, Hash([0; 32])));
    mutant(&|it| it.resize(100_000, Hash([0; 32])));
    mutants
}

fn leaf(index: u64) -> Hash {
    tree::leaf_hash(&entry(index))
}

#[test]
fn no_mutant_of_an_inclusion_is_accepted() {
    for size in SIZES.into_iter().filter(|it| *it > 0) {
        for index in [0, size / 3, size - 1] {
            let proof = tree::inclusion(&*LOG, index, size).unwrap();
            let check =
                |proof: &[Hash], size: u64, index, leaf| tree::check_inclusion(proof, size, root_of(size), index, leaf);
            assert_eq!(check(&proof, size, index, leaf(index)), Ok(()));
            for mutant in mutants(&proof) {
                assert_eq!(check(&mutant, size, index, leaf(index)), Err(Error::Proof), "{index} in {size}");
            }
            assert_eq!(check(&proof, size, index, leaf(index + 1)), Err(Error::Proof));
            for other in
                [0, index.wrapping_sub(1), index + 1, index ^ 256, size - 1].into_iter().filter(|it| *it != index)
            {
                assert!(check(&proof, size, other, leaf(index)).is_err(), "{other} for {index} in {size}");
            }
            for other in [size - 1, (size + 1).min(LARGEST), size / 2].into_iter().filter(|it| *it != size) {
                assert!(check(&proof, other, index, leaf(index)).is_err(), "{index} in {other} for {size}");
                let root = root_of(other);
                assert_eq!(tree::check_inclusion(&proof, size, root, index, leaf(index)), Err(Error::Proof));
            }
        }
    }
}

#[test]
fn no_mutant_of_a_consistency_is_accepted() {
    for to in SIZES {
        for from in [0, 1, 3, 256, 511, 65_536, to.saturating_sub(1), to].into_iter().filter(|from| *from <= to) {
            let proof = tree::consistency(&*LOG, from, to).unwrap();
            let check = |proof: &[Hash], to: u64, from: u64| {
                tree::check_consistency(proof, to, root_of(to), from, root_of(from))
            };
            assert_eq!(check(&proof, to, from), Ok(()));
            for mutant in mutants(&proof) {
                assert_eq!(check(&mutant, to, from), Err(Error::Proof), "{from} to {to}");
            }
            let forged = Hash([9; 32]);
            assert_eq!(
                tree::check_consistency(&proof, to, root_of(to), from, forged),
                Err(Error::Proof),
                "{from} to {to}"
            );
            // Whatever there is later begins with nothing.
            if from > 0 || to == 0 {
                assert!(tree::check_consistency(&proof, to, forged, from, root_of(from)).is_err());
            }
            if from > 0 && from < to {
                assert!(check(&proof, to, from - 1).is_err() || from == 1, "{} to {to}", from - 1);
                assert!(check(&proof, to - 1, from).is_err(), "{from} to {}", to - 1);
                assert_eq!(check(&proof, from, to), Err(Error::OutOfRange));
            }
        }
    }
}

#[test]
fn what_is_beyond_every_tree_is_out_of_range() {
    let (hash, far) = (Hash([1; 32]), [MAX_SIZE + 1, 1 << 63, u64::MAX]);
    for size in far {
        assert_eq!(tree::root(&*LOG, size), Err(Error::OutOfRange.into()));
        assert_eq!(tree::inclusion(&*LOG, 0, size), Err(Error::OutOfRange.into()));
        assert_eq!(tree::consistency(&*LOG, 0, size), Err(Error::OutOfRange.into()));
        assert_eq!(tree::check_inclusion(&[], size, hash, 0, hash), Err(Error::OutOfRange));
        assert_eq!(tree::check_consistency(&[], size, hash, size, hash), Err(Error::OutOfRange));
        assert_eq!(tree::check_consistency(&[], 5, hash, size, hash), Err(Error::OutOfRange));
    }
    for (index, size) in [(0, 0), (1, 1), (5, 4), (u64::MAX, 4), (u64::MAX, 0)] {
        assert_eq!(tree::inclusion(&*LOG, index, size), Err(Error::OutOfRange.into()));
        assert_eq!(tree::check_inclusion(&[], size, hash, index, hash), Err(Error::OutOfRange));
    }
    assert_eq!(tree::consistency(&*LOG, 5, 4), Err(Error::OutOfRange.into()));
}

#[test]
fn a_tile_that_is_missing_is_named() {
    let first = TileId { level: 0, index: 0 };
    let mut log = Log::default();
    log.append(700);
    log.tiles.remove(&first);
    assert_eq!(tree::inclusion(&log, 3, 700), Err(ReadError::Tiles(first)));
    assert!(tree::inclusion(&log, 600, 700).is_ok());
    assert_eq!(tree::root(&log, 900), Err(ReadError::Tiles(TileId { level: 0, index: 3 })));
    assert_eq!(tree::root(&log, 701), Err(Error::Tile.into()), "a tile that is too short");
}

#[test]
fn bytes_that_end_within_a_hash_are_none() {
    let bytes = tree::to_bytes(&[Hash([1; 32]), Hash([2; 32])]);
    assert_eq!(tree::from_bytes(&bytes), Ok(vec![Hash([1; 32]), Hash([2; 32])]));
    assert_eq!(tree::from_bytes(&[]), Ok(Vec::new()));
    assert_eq!(tree::from_bytes(&bytes[..63]), Err(Error::Tile));
}

/// Says the same to every question.
struct Always(Vec<Vec<u8>>);

impl Tiles for Always {
    type Error = ();

    fn tiles(&self, _: &[(TileId, u16)]) -> Result<Vec<Vec<u8>>, ()> {
        Ok(self.0.clone())
    }
}

/// Has as many hashes of every tile as are wanted, all the same.
struct Endless;

impl Tiles for Endless {
    type Error = ();

    fn tiles(&self, wanted: &[(TileId, u16)]) -> Result<Vec<Vec<u8>>, ()> {
        Ok(wanted.iter().map(|(_, width)| vec![1; usize::from(*width) * 32]).collect())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_that_is_checked_does_harm(hashes in vec(any::<[u8; 32]>(), 0..70), numbers: [u64; 2], shift in 0..64_u32) {
        let (proof, hash): (Vec<_>, _) = (hashes.into_iter().map(Hash).collect(), Hash([1; 32]));
        let [one, other] = numbers.map(|it| it >> shift);
        prop_assert!(tree::check_inclusion(&proof, one, hash, other, Hash([2; 32])).is_err());
        prop_assert!(tree::check_consistency(&proof, one, hash, other, Hash([2; 32])).is_err());
    }

    #[test]
    fn nothing_that_is_read_does_harm(bytes in vec(vec(any::<u8>(), 0..100), 0..4), numbers: [u64; 2], shift in 0..64_u32) {
        let [one, other] = numbers.map(|it| it >> shift);
        tree::root(&Always(bytes.clone()), one).ok();
        tree::inclusion(&Always(bytes.clone()), one, other).ok();
        tree::consistency(&Always(bytes), one, other).ok();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The hashes contradict each other, unless the edge is all that is needed; whatever comes of it is no panic.
    #[test]
    fn no_size_does_harm(numbers: [u64; 2], shift in 11..64_u32) {
        let [one, other] = numbers.map(|it| it >> shift);
        tree::inclusion(&Endless, one.min(other), one.max(other)).ok();
        tree::consistency(&Endless, one.min(other), one.max(other)).ok();
    }

    #[test]
    fn a_tile_that_was_altered_proves_nothing(tile: Index, at: Index, bit in 0..8_u32, index in 0..700_u64, from in 1..700_u64) {
        let mut log = Log::default();
        log.append(700);
        let tile = log.tiles.values_mut().nth(tile.index(4)).unwrap();
        let at = at.index(tile.len());
        tile[at].0[0] ^= 1 << bit;

        let (root, proof) = (root_of(700), tree::inclusion(&log, index, 700));
        let holds = |it: &[Hash]| tree::check_inclusion(it, 700, root, index, leaf(index)).is_ok();
        let right = tree::inclusion(&*LOG, index, 700).unwrap();
        prop_assert!(proof.is_err() || proof.as_deref() == Ok(&right) || !holds(&proof.unwrap()));

        let proof = tree::consistency(&log, from, 700);
        let holds = |it: &[Hash]| tree::check_consistency(it, 700, root, from, root_of(from)).is_ok();
        let right = tree::consistency(&*LOG, from, 700).unwrap();
        prop_assert!(proof.is_err() || proof.as_deref() == Ok(&right) || !holds(&proof.unwrap()));
    }
}
