//! Proofs that hold: ours and those of the others are the same.

use std::collections::BTreeSet;

use ct_merkle::{ConsistencyProof, InclusionProof};
use lindung_ledger::tree::{self, Hash};
use proptest::prelude::*;

use crate::oracle::{LARGEST, LOG, SIZES, entry, root_of, root_of_theirs, theirs};

/// Checks an inclusion as we do and as the others do.
fn included(index: u64, size: u64) {
    let proof = tree::inclusion(&*LOG, index, size).unwrap();
    let (root, leaf) = (root_of(size), tree::leaf_hash(&entry(index)));
    assert_eq!(tree::check_inclusion(&proof, size, root, index, leaf), Ok(()), "{index} in {size}");
    let proof = InclusionProof::try_from_bytes(tree::to_bytes(&proof)).unwrap();
    root_of_theirs(root, size).verify_inclusion(&entry(index), index, &proof).unwrap();
}

/// Checks a consistency as we do and as the others do, who know none from the empty tree.
fn consistent(from: u64, to: u64) {
    let proof = tree::consistency(&*LOG, from, to).unwrap();
    let (old, new) = (root_of(from), root_of(to));
    assert_eq!(tree::check_consistency(&proof, to, new, from, old), Ok(()), "{from} to {to}");
    if from == 0 || from == to {
        assert_eq!(proof, []);
    }
    if from > 0 {
        let proof = ConsistencyProof::try_from_bytes(tree::to_bytes(&proof)).unwrap();
        root_of_theirs(new, to).verify_consistency(&root_of_theirs(old, from), &proof).unwrap();
    }
}

#[test]
fn entries_are_proved_where_tiles_begin_and_end() {
    for size in SIZES {
        let numbers = SIZES.into_iter().chain([size.saturating_sub(1), size / 2]);
        numbers.filter(|it| *it < size).collect::<BTreeSet<_>>().into_iter().for_each(|it| included(it, size));
    }
}

#[test]
fn sizes_follow_from_each_other_where_tiles_begin_and_end() {
    for to in SIZES {
        SIZES.into_iter().filter(|from| *from <= to).for_each(|from| consistent(from, to));
    }
}

#[test]
fn proofs_are_byte_for_byte_those_of_the_others() {
    for size in (1..18).chain([65, 257]) {
        let theirs = theirs(size);
        for index in (0..size).step_by(1 + size as usize / 32) {
            let proof = tree::inclusion(&*LOG, index, size).unwrap();
            assert_eq!(tree::to_bytes(&proof), theirs.prove_inclusion(index as usize).as_bytes(), "{index} in {size}");
        }
        for from in (1..=size).step_by(1 + size as usize / 32) {
            let proof = tree::consistency(&*LOG, from, size).unwrap();
            let additions = (size - from) as usize;
            assert_eq!(tree::to_bytes(&proof), theirs.prove_consistency(additions).as_bytes(), "{from} to {size}");
        }
    }
}

#[test]
fn a_tree_of_one_needs_no_hashes() {
    assert_eq!(tree::inclusion(&*LOG, 0, 1), Ok(Vec::<Hash>::new()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_entry_is_proved_in_every_size(size in 1..=LARGEST, index: prop::sample::Index) {
        included(index.index(size as usize) as u64, size);
    }

    #[test]
    fn every_size_follows_from_every_smaller_one(to in 0..=LARGEST, from: prop::sample::Index) {
        consistent(from.index(to as usize + 1) as u64, to);
    }
}
