use proptest::prelude::*;
use tlog_tiles::{HashReader, prove_tree, record_hash, stored_hashes, tree_hash};
use zeroize::Zeroizing;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::key::LogSigner;

fn key(name: &str, of: u8) -> LogSigner {
    LogSigner::new(name, &Zeroizing::new([of; 32])).unwrap()
}

struct Stored(Vec<Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|it| self.0[usize::try_from(*it).unwrap()]).collect())
    }
}

/// A log of the entries 0, 1, …, of which those from `fork` on are other ones.
fn tree(size: u64, fork: u64) -> Stored {
    let mut stored = Stored(Vec::new());
    for number in 0..size {
        let entry = format!("{number}{}", if number < fork { "" } else { "'" });
        let new = stored_hashes(number, entry.as_bytes(), &stored).unwrap();
        stored.0.extend(new);
    }
    stored
}

fn request(old: u64, size: u64, fork: u64) -> AddCheckpoint {
    let tree = tree(size, fork);
    let checkpoint = Checkpoint { origin: "log".to_owned(), size, root: tree_hash(size, &tree).unwrap() };
    let proof = prove_tree(size, old, &tree).unwrap_or_default();
    AddCheckpoint { old, proof, checkpoint: checkpoint.sign(&[key("log", 1)]).unwrap() }
}

fn after(size: u64) -> Option<(u64, Hash)> {
    Some((size, tree_hash(size, &tree(size, u64::MAX)).unwrap()))
}

fn decided(last: Option<(u64, Hash)>, request: &AddCheckpoint) -> Result<(), Refusal> {
    decide(last, request, &[key("log", 1).vkey().clone(), key("other", 2).vkey().clone()])
}

#[test]
fn what_continues_is_cosigned() {
    assert_eq!(decided(None, &request(0, 0, 9)), Ok(()));
    assert_eq!(decided(None, &request(0, 7, 9)), Ok(()));
    for old in 0..=20 {
        for size in old..=20 {
            assert_eq!(decided(after(old), &request(old, size, 99)), Ok(()), "from {old} to {size}");
        }
    }
}

#[test]
fn another_history_is_not() {
    for old in 1..=20 {
        assert_eq!(decided(after(old), &request(old, old, old - 1)), Err(Refusal::Conflict(old)));
        for size in old + 1..=20 {
            let refused = decided(after(old), &request(old, size, old - 1));
            assert_eq!(refused, Err(Refusal::ProofRejected), "from {old} to {size}");
        }
    }
}

#[test]
fn checks_are_in_their_order() {
    let signed = |of: &LogSigner| {
        Checkpoint { origin: of.vkey().name().to_owned(), size: 3, root: record_hash(b"") }
            .sign(&[key(of.vkey().name(), 1)])
    };
    let foreign = AddCheckpoint { old: 9, proof: vec![], checkpoint: signed(&key("elsewhere", 1)).unwrap() };
    assert_eq!(decided(after(5), &foreign), Err(Refusal::UnknownOrigin));
    // A known log's text, signed by a key that is not its own.
    let unsigned = AddCheckpoint { old: 9, proof: vec![], checkpoint: signed(&key("other", 1)).unwrap() };
    assert_eq!(decided(after(5), &unsigned), Err(Refusal::NotSigned));
    let above = AddCheckpoint { old: 9, ..request(3, 3, 9) };
    assert_eq!(decided(after(5), &above), Err(Refusal::OldSizeAboveCheckpoint));
    assert_eq!(decided(after(5), &request(0, 9, 99)), Err(Refusal::Conflict(5)));
    assert_eq!(decided(after(5), &request(6, 9, 99)), Err(Refusal::Conflict(5)));
    assert_eq!(decided(None, &request(6, 9, 99)), Err(Refusal::Conflict(0)));
    assert_eq!(decided(after(5), &request(4, 4, 99)), Err(Refusal::Conflict(5)), "it never shrinks");
    let needless = |old, size| AddCheckpoint { proof: vec![Hash([0; 32])], ..request(old, size, 99) };
    assert_eq!(decided(None, &needless(0, 4)), Err(Refusal::ProofRejected));
    assert_eq!(decided(after(5), &needless(5, 5)), Err(Refusal::ProofRejected));
    let mut filled = request(0, 0, 9);
    let root = Hash([0; 32]);
    filled.checkpoint = Checkpoint { origin: "log".to_owned(), size: 0, root }.sign(&[key("log", 1)]).unwrap();
    assert_eq!(decided(None, &filled), Err(Refusal::Conflict(0)), "an empty log has one root");
    let statuses = [
        Refusal::Malformed,
        Refusal::NotSigned,
        Refusal::UnknownOrigin,
        Refusal::Conflict(1),
        Refusal::ProofRejected,
        Refusal::OldSizeAboveCheckpoint,
    ];
    assert_eq!(statuses.map(Refusal::status), [400, 403, 404, 409, 422, 400]);
}

/// Made by a log in Go, for the tests of another witness.
#[test]
fn a_foreign_log_is_followed() {
    let log = ["monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT".parse().unwrap()];
    let first = "old 0\n\nmonkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\n\
        — monkeys 202fftzGl3LVoqjXfwCFZZXs8I+5G22+Ek2K0AOyBuSJ/8/CZawNF+6fNlTKOCd622pbzJNkkJFWuw9DbicZCkEx9AY=\n";
    let next = "old 5\nueHWJhj3/ugDTkxQEPcnqyTY5HBcspbDdL8gJah6ENI=\nqsZs16ec5AEtgHYv6O7Dp38i0cpBRcP0zuAi5+/NWZ0=\n\
        idD3U/ZqKQxIOznNXp6vsSAhKTOV+tPUoq0FPPvP3J4=\nKeQLt5yWb0xv6Wr/bzCs/OXz6NhMAiFRddbgGKXe6DM=\n\n\
        monkeys\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n\
        — monkeys 202ffoUEboiQYpHzICeaFmoy3RNviHTpAxYrq/eO4QQVQMvu9UebKBMX2MJC76NLthZaKsnKbCA8GxrjePZhvDCH7Ag=\n";
    let (first, again) = (AddCheckpoint::parse(first.as_bytes()).unwrap(), first);
    assert_eq!(first.to_bytes(), again.as_bytes());
    assert_eq!(decide(None, &first, &log), Ok(()));
    let last = Some((5, first.checkpoint.checkpoint().root));
    assert_eq!(decide(last, &AddCheckpoint::parse(next.as_bytes()).unwrap(), &log), Ok(()));
    let swapped = next.replacen("ueHW", "ueHX", 1);
    let swapped = AddCheckpoint::parse(swapped.as_bytes()).unwrap();
    assert_eq!(decide(last, &swapped, &log), Err(Refusal::ProofRejected));
}

#[test]
fn requests_are_read_to_the_letter() {
    let good = String::from_utf8(request(5, 9, 99).to_bytes()).unwrap();
    assert_eq!(AddCheckpoint::parse(good.as_bytes()).unwrap(), request(5, 9, 99));
    for (from, to) in [
        ("old 5", "old 05"),
        ("old 5", "old +5"),
        ("old 5", "old  5"),
        ("old 5", "old -1"),
        ("old 5", "old"),
        ("old 5", "Old 5"),
        ("old 5", "old 18446744073709551616"),
        ("old 5\n", "old 5\r\n"),
        ("old 5\n", "old 5\nAA==\n"),
        ("old 5\n", "old 5\n \n"),
        ("old 5\n", "old 5\n\n"),
        ("old 5\n", ""),
        ("\nlog\n", "log\n"),
    ] {
        let text = good.replacen(from, to, 1);
        assert_eq!(AddCheckpoint::parse(text.as_bytes()), Err(Refusal::Malformed), "{text:?}");
    }
    let hashes = |count| "old 5\n".to_owned() + &format!("{}\n", Hash([1; 32])).repeat(count);
    let of = |count| AddCheckpoint::parse(good.replacen("old 5\n", &hashes(count), 1).as_bytes());
    let own = request(5, 9, 99).proof.len();
    assert!(of(63 - own).is_ok());
    assert_eq!(of(64 - own), Err(Refusal::Malformed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_asked_is_decided_without_a_panic(
        body: Vec<u8>, old: u64, size: u64, last: u64, proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        AddCheckpoint::parse(&body).ok();
        let checkpoint = Checkpoint { origin: "log".to_owned(), size, root: Hash([1; 32]) }.sign(&[key("log", 1)]).unwrap();
        let request = AddCheckpoint { old, proof: proof.into_iter().map(Hash).collect(), checkpoint };
        for last in [last, old, size] {
            prop_assert!(decided(Some((last, Hash([2; 32]))), &request).is_err() || old == 0);
        }
    }
}
