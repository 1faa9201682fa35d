use signed_note::{Note, StandardSigner, StandardVerifier, VerifierList};

use super::*;

/// Of Go's `sumdb/note`.
const PETER: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETERS: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/// A public witness's.
const WITNESS: &str = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";

fn random(of: u8) -> Zeroizing<[u8; 32]> {
    Zeroizing::new([of; 32])
}

#[test]
fn keys_of_others_are_read_and_written_alike() {
    for text in [PETERS, WITNESS] {
        assert_eq!(text.parse::<Vkey>().unwrap().to_string(), text);
    }
    let peter = LogSigner::parse(PETER).unwrap();
    assert_eq!(peter.to_text().as_str(), format!("{PETER}\n"));
    assert_eq!(peter.vkey().to_string(), PETERS);
}

#[test]
fn a_log_signs_as_others_do() {
    let text = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let (ours, theirs) = (LogSigner::parse(PETER).unwrap(), StandardSigner::new(PETER).unwrap());
    let signed = |signer: &dyn Signer| {
        let mut note = Note::new(text, &[]).unwrap();
        note.add_sigs(&[signer]).unwrap();
        note
    };
    assert_eq!(signed(&ours), signed(&theirs));
    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(&ours.vkey().to_string()).unwrap())]);
    assert!(signed(&ours).verify(&known).is_ok());
}

#[test]
fn a_witness_signs_with_the_time() {
    let witness = Cosigner::new("witness.example/w1", &random(7)).unwrap();
    let made = witness.at(1_679_315_147).sign(b"text\n").unwrap();
    assert_eq!((made.len(), cosigned_at(&made)), (72, Some(1_679_315_147)));
    assert!(witness.vkey().verify(b"text\n", &made));
    assert!(!witness.vkey().verify(b"other\n", &made));
    let mut later = made.clone();
    later[7] += 1;
    assert!(!witness.vkey().verify(b"text\n", &later), "the time is part of what is signed");
    assert!(!witness.vkey().verify(b"text\n", &made[..7]) && !witness.vkey().verify(b"text\n", &made[..71]));
    assert_eq!(cosigned_at(&[0xff; 72]), None, "later than the specification has time");
}

#[test]
fn no_signature_passes_for_one_of_the_other_kind() {
    let (log, witness) = (LogSigner::new("x", &random(1)).unwrap(), Cosigner::new("x", &random(1)).unwrap());
    assert_eq!(log.vkey().bytes(), witness.vkey().bytes());
    assert_ne!(log.vkey().id(), witness.vkey().id());
    let (plain, timed) = (log.sign(b"text\n").unwrap(), witness.at(5).sign(b"text\n").unwrap());
    assert!(!log.vkey().verify(b"text\n", &timed) && !log.vkey().verify(b"text\n", &timed[8..]));
    assert!(!witness.vkey().verify(b"text\n", &plain));
}

#[test]
fn what_is_no_key_is_refused() {
    let refused = |text: &str| text.parse::<Vkey>().unwrap_err();
    assert_eq!(refused(&PETERS.replace("c74f20a3", "c74f20a4")), KeyError::Id);
    assert_eq!(refused(&PETERS.replace("PeterNeumann", "PeterNeuman")), KeyError::Id);
    assert_eq!(refused(&PETERS.replace("PeterNeumann", "Peter Neumann")), KeyError::Name);
    assert_eq!(refused(&PETERS.replace("PeterNeumann", "")), KeyError::Name);
    assert_eq!(refused(&PETERS.replace("+ARpc", "+Ahpc")), KeyError::Kind(2));
    for malformed in ["", "a", "a+b", "a+00000000+", "a+c74f20a+ARpc", "a++c74f20a+AQ==", "a+00000000+AQ=="] {
        assert_eq!(refused(malformed), KeyError::Malformed, "{malformed}");
    }
    // The neutral element: a signature by it holds for every text.
    let small = format!(
        "x+00000000+{}",
        STANDARD.encode(typed(Kind::Log, &{
            let mut one = [0; 32];
            one[0] = 1;
            one
        }))
    );
    assert_eq!(refused(&small), KeyError::Malformed);
    assert_eq!(WITNESS.parse::<Vkey>().unwrap().of(Kind::Log), Err(KeyError::NotA(Kind::Log)));
}

#[test]
fn a_private_key_is_of_one_kind() {
    let text = Cosigner::new("w", &random(3)).unwrap().to_text();
    assert!(Cosigner::parse(&text).is_ok());
    assert_eq!(LogSigner::parse(&text).err(), Some(KeyError::NotA(Kind::Log)));
    assert_eq!(Cosigner::parse(PETER).err(), Some(KeyError::NotA(Kind::Witness)));
    assert_eq!(LogSigner::parse(&PETER.replace("c74f20a3", "c74f20a4")).err(), Some(KeyError::Id));
    assert_eq!(LogSigner::parse(PETERS).err(), Some(KeyError::Malformed));
    assert_eq!(LogSigner::new("a b", &random(3)).err(), Some(KeyError::Name));
}
