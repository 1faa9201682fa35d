use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;

/// A public log's checkpoint, with signatures of kinds that are not known here among them.
const PUBLIC: &str = "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n\
— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n\
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n\
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n";
const PUBLIC_LOG: &str =
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
const PUBLIC_WITNESS: &str = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";

fn log(of: u8) -> LogSigner {
    LogSigner::new("log.example/v1", &Zeroizing::new([of; 32])).unwrap()
}

fn witness(of: u8) -> Cosigner {
    Cosigner::new(&format!("witness.example/{of}"), &Zeroizing::new([of; 32])).unwrap()
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint { origin: "log.example/v1".to_owned(), size, root: Hash([9; 32]) }
}

#[test]
fn a_public_checkpoint_opens() {
    let known = [PUBLIC_LOG.parse().unwrap(), PUBLIC_WITNESS.parse().unwrap()];
    let signed = Signed::parse(PUBLIC.as_bytes()).unwrap();
    assert_eq!(signed.checkpoint().size, 1_432_088_532);
    let opened = signed.open(&known).unwrap();
    assert_eq!(opened, Opened { logs: vec![&known[0]], cosigned: vec![(&known[1], 0x6a12_2120)] });
    assert_eq!(signed.to_bytes(), PUBLIC.as_bytes());

    let other = Signed::parse(PUBLIC.replace("1432088532", "1432088533").as_bytes()).unwrap();
    assert_eq!(other.open(&known[..1]), Err(CheckpointError::Forged(known[0].name().to_owned())));
    assert_eq!(signed.open(&known[1..]), Err(CheckpointError::NotSigned), "witnesses alone make no checkpoint");
}

#[test]
fn what_is_signed_opens_with_the_keys_of_a_rotation() {
    let (old, new) = (log(1), log(2));
    let keys = [old.vkey().clone(), new.vkey().clone()];
    let signed = checkpoint(5).sign(&[old, new]).unwrap();
    assert_eq!(Signed::parse(&signed.to_bytes()).unwrap(), signed);
    for known in [&keys[..], &keys[..1], &keys[1..]] {
        assert_eq!(signed.open(known).unwrap().logs.len(), known.len());
    }
    assert_eq!(signed.open(&[log(3).vkey().clone()]), Err(CheckpointError::NotSigned));
}

#[test]
fn a_log_signs_for_itself_alone() {
    let foreign = LogSigner::new("elsewhere.example", &Zeroizing::new([1; 32])).unwrap();
    assert_eq!(checkpoint(5).sign(&[foreign]).err(), Some(CheckpointError::Signing));
    assert_eq!(checkpoint(5).sign(&[]).err(), Some(CheckpointError::Signing));
    // Another log's key under this origin's text says nothing, whoever else is believed.
    let foreign = LogSigner::new("elsewhere.example", &Zeroizing::new([1; 32])).unwrap();
    let mut note = Note::new(b"log.example/v1\n5\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n", &[]).unwrap();
    note.add_sigs(&[&foreign]).unwrap();
    let signed = Signed::parse(&note.to_bytes()).unwrap();
    assert_eq!(signed.open(&[foreign.vkey().clone(), log(1).vkey().clone()]), Err(CheckpointError::NotSigned));
}

#[test]
fn cosignatures_are_added_once_each() {
    let (log, witness, other) = (log(1), witness(2), witness(3));
    let keys = [log.vkey().clone(), witness.vkey().clone(), other.vkey().clone()];
    let mut signed = checkpoint(5).sign(&[log]).unwrap();
    let answer = signed.cosign(&other, 90).unwrap() + &signed.cosign(&witness, 100).unwrap();
    let (line, at) = signed.cosignature(answer.as_bytes(), witness.vkey()).unwrap();
    assert_eq!(at, 100);
    signed.add(&line).unwrap();
    signed.add(&signed.cosign(&witness, 101).unwrap()).unwrap();
    assert_eq!(signed.open(&keys).unwrap().cosigned, [(&keys[1], 101)]);
    assert_eq!(signed.to_bytes().iter().filter(|it| **it == b'\n').count(), 6);
}

#[test]
fn a_cosignature_is_of_this_checkpoint_and_that_witness() {
    let (log, witness, other) = (log(1), witness(2), witness(3));
    let (signed, next) = (checkpoint(5).sign(&[log]).unwrap(), checkpoint(6).sign(&[self::log(1)]).unwrap());
    let refused = |answer: &str| signed.cosignature(answer.as_bytes(), witness.vkey()).unwrap_err();
    let forged = || CheckpointError::Forged("witness.example/2".to_owned());
    assert_eq!(refused(&next.cosign(&witness, 100).unwrap()), forged());
    assert_eq!(refused(&signed.cosign(&other, 100).unwrap()), CheckpointError::NotSigned);
    for answer in ["", "\n", "nothing\n", "— witness.example/2 AAAA\n"] {
        assert_eq!(refused(answer), CheckpointError::Malformed, "{answer}");
    }
}

#[test]
fn there_is_one_spelling() {
    let good = String::from_utf8(checkpoint(5).sign(&[log(1)]).unwrap().to_bytes()).unwrap();
    let root = Hash([9; 32]).to_string();
    for (from, to) in [
        ("\n5\n", "\n05\n"),
        ("\n5\n", "\n+5\n"),
        ("\n5\n", "\n-5\n"),
        ("\n5\n", "\n18446744073709551616\n"),
        ("log.example/v1\n5", "\n5"),
        ("\n5\n", "\n5\r\n"),
        (root.as_str(), "CQ=="),
        (root.as_str(), root.trim_end_matches('=')),
        ("\n\n", "\n"),
        ("\n\n", "\n\n\n"),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        assert_eq!(Signed::parse(text.as_bytes()).err(), Some(CheckpointError::Malformed), "{text:?}");
    }
    let extended = good.replacen("\n\n", "\nmore\n\n", 1);
    assert_eq!(Signed::parse(extended.as_bytes()).unwrap().to_bytes(), extended.as_bytes(), "extensions are kept");
}

#[test]
fn length_and_signatures_are_limited() {
    let good = String::from_utf8(checkpoint(5).sign(&[log(1)]).unwrap().to_bytes()).unwrap();
    let long = good.replacen("\n\n", &format!("\n{}\n\n", "x".repeat(MAX_LENGTH)), 1);
    assert_eq!(Signed::parse(long.as_bytes()).err(), Some(CheckpointError::Malformed));
    let line = "— x AAAAAAA=\n";
    assert!(Signed::parse((good.clone() + &line.repeat(99)).as_bytes()).is_ok());
    assert!(Signed::parse((good + &line.repeat(100)).as_bytes()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_byte_of_the_text_can_be_changed(at: prop::sample::Index, to: u8) {
        let key = log(1);
        let known = [key.vkey().clone()];
        let mut bytes = checkpoint(5).sign(&[key]).unwrap().to_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        prop_assert!(Signed::parse(&bytes).and_then(|it| it.open(&known).map(|_| ())).is_err());
    }

    #[test]
    fn whatever_comes_is_read_without_a_panic(bytes: Vec<u8>, text in "(.*\n){0,6}") {
        Signed::parse(&bytes).ok();
        Signed::parse(text.as_bytes()).ok();
    }
}
