use zeroize::Zeroizing;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::key::{Cosigner, LogSigner};

fn log(of: u8) -> LogSigner {
    LogSigner::new("log.example/v1", &Zeroizing::new([of; 32])).unwrap()
}

fn witness(of: u8) -> Cosigner {
    Cosigner::new(&format!("witness.example/{of}"), &Zeroizing::new([of; 32])).unwrap()
}

/// The policy, with `L1` … for the keys of logs and `W1` … for those of witnesses.
fn policy(text: &str) -> Result<Policy, PolicyError> {
    let text = (1..=6).fold(text.to_owned(), |text, of| {
        let log = text.replace(&format!("L{of}"), &log(of).vkey().to_string());
        log.replace(&format!("W{of}"), &witness(of).vkey().to_string())
    });
    Policy::parse(text.as_bytes())
}

/// The example of `tlog-policy`.
const TWO_GROUPS: &str = "log L1 https://log.example\n\n\
    witness X1 W1\nwitness X2 W2 https://x2.example/\nwitness X3 W3\ngroup X-witnesses 2 X1 X2 X3\n\n\
    # Of another house.\nwitness Y1 W4\n\twitness  Y2\tW5 \nwitness Y3 W6\ngroup Y-witnesses any Y1 Y2 Y3\n\n\
    group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";

#[test]
fn groups_need_their_threshold() {
    let policy = policy(TWO_GROUPS).unwrap();
    for (cosigned, met) in [
        (&["X1", "X2", "Y1"][..], true),
        (&["X1", "X3", "Y3"], true),
        (&["X1", "X2", "X3"], false),
        (&["X1", "Y1", "Y2", "Y3"], false),
        (&["X-witnesses", "Y1"], false),
        (&[], false),
    ] {
        assert_eq!(policy.met_by(&cosigned.iter().copied().collect()), met, "{cosigned:?}");
    }
    assert!(self::policy("quorum none\n").unwrap().met_by(&BTreeSet::new()));
    let one = self::policy("witness none-of-them W1\nquorum none-of-them\n").unwrap();
    assert!(!one.met_by(&BTreeSet::new()) && one.met_by(&BTreeSet::from(["none-of-them"])));
}

#[test]
fn what_is_printed_reads_back() {
    let policy = policy(TWO_GROUPS).unwrap();
    assert_eq!(Policy::parse(policy.to_string().as_bytes()).unwrap(), policy);
    assert_eq!(policy.witnesses()[1].url.as_deref(), Some("https://x2.example/"));
    let none = "log L1\nquorum none\n".replace("L1", &log(1).vkey().to_string());
    assert_eq!(Policy::parse(none.as_bytes()).unwrap().to_string(), none);
}

#[test]
fn a_checkpoint_stands_against_a_policy() {
    let policy =
        policy("log L1\nwitness a W1\nwitness b W2\nwitness c W3\ngroup all any a\ngroup q 2 all b c\nquorum q\n");
    let policy = policy.unwrap();
    let root = tlog_tiles::EMPTY_HASH;
    let mut signed = Checkpoint { origin: "log.example/v1".to_owned(), size: 0, root }.sign(&[log(1)]).unwrap();
    let stands = |met, cosigned: &[(&str, u64)]| {
        let cosigned = cosigned.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect();
        Status { met, needed: 2, of: 3, cosigned }
    };
    assert_eq!(policy.status(&signed).unwrap(), stands(false, &[]));
    signed.add(&signed.cosign(&witness(1), 100).unwrap()).unwrap();
    // Nobody's witness.
    signed.add(&signed.cosign(&witness(6), 100).unwrap()).unwrap();
    assert_eq!(policy.status(&signed).unwrap(), stands(false, &[("a", 100)]));
    signed.add(&signed.cosign(&witness(3), 101).unwrap()).unwrap();
    assert_eq!(policy.status(&signed).unwrap(), stands(true, &[("a", 100), ("c", 101)]));

    let foreign = Checkpoint { origin: "log.example/v1".to_owned(), size: 0, root }.sign(&[log(2)]).unwrap();
    assert_eq!(policy.status(&foreign), Err(CheckpointError::NotSigned));
}

#[test]
fn an_error_names_its_line() {
    for (text, line) in [
        ("quorum none", 1),
        ("", 1),
        ("witness a W1\n", 2),
        ("quorum none\n\x01", 2),
        ("quorum none\r\n", 1),
        ("# \x7f\nquorum none\n", 1),
        ("quibble a\nquorum none\n", 1),
        ("log\nquorum none\n", 1),
        ("log L1 https://log.example more\nquorum none\n", 1),
        ("log L1\nlog L1\nquorum none\n", 2),
        ("log W1\nquorum none\n", 1),
        ("witness a L1\nquorum none\n", 1),
        ("witness a W1\nwitness b W1\nquorum none\n", 2),
        ("witness a W1\nwitness a W2\nquorum none\n", 2),
        ("witness none W1\nquorum none\n", 1),
        ("witness a W1 https://a.example # comment\nquorum a\n", 1),
        ("witness a W1\ngroup a any a\nquorum a\n", 2),
        ("witness a W1\ngroup none any a\nquorum none\n", 2),
        ("witness a W1\ngroup g 1\nquorum a\n", 2),
        ("witness a W1\ngroup g all\nquorum a\n", 2),
        ("witness a W1\ngroup g 0 a\nquorum a\n", 2),
        ("witness a W1\ngroup g 2 a\nquorum a\n", 2),
        ("witness a W1\ngroup g -1 a\nquorum a\n", 2),
        ("witness a W1\ngroup g +1 a\nquorum a\n", 2),
        ("witness a W1\ngroup g any b\nquorum a\n", 2),
        ("group g any a\nwitness a W1\nquorum a\n", 1),
        ("witness a W1\ngroup g any none a\nquorum a\n", 2),
        ("witness a W1\ngroup g any g\nquorum a\n", 2),
        ("witness a W1\ngroup g all a a\nquorum a\n", 2),
        ("witness a W1\ngroup g any a\ngroup h any a\nquorum g\n", 3),
        ("witness a W1\nquorum a\nquorum a\n", 3),
        ("quorum none\nquorum none\n", 2),
        ("quorum a\nwitness a W1\n", 1),
        ("quorum\n", 1),
    ] {
        assert_eq!(policy(text).map_err(|it| it.line), Err(line), "{text:?}");
    }
    let error = policy("log L1\nquorum most\n").unwrap_err();
    assert_eq!(error.to_string(), "line 2 of the policy: most is not defined before it");
}

#[test]
fn names_may_be_words_and_comments_whatever() {
    assert!(policy("witness all W1\nwitness any W2\ngroup group 2 all any\nquorum group\n").is_ok());
    assert!(Policy::parse(b"# caf\xe9\n \t\nquorum none\n").is_ok());
}
