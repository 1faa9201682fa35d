//! A proof that a leaf is in the log, in one file: C2SP `tlog-proof`, for whoever is offline.
//!
//! It is read in the one spelling it is written in. Reading it checks nothing: the checkpoint is text here, its
//! signatures and the path to its root are for [`crate::checkpoint`] and [`crate::tree::check_inclusion`].

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::tree::{Hash, MAX_PROOF};

/// The first line.
const TITLE: &str = "c2sp.org/tlog-proof@v1";

/// That the leaf at an index is in the tree of a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// What the application adds. Nothing vouches for it.
    pub extra: Option<Vec<u8>>,
    /// Which leaf, from 0.
    pub index: u64,
    /// From the neighbour of the leaf up to the child of the root, at most [`MAX_PROOF`].
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, as it was served.
    pub checkpoint: String,
}

/// The text is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this is no tlog-proof")]
pub struct Malformed;

impl Display for Proof {
    fn fmt(&self, to: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(to, "{TITLE}")?;
        if let Some(extra) = &self.extra {
            writeln!(to, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(to, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|it| writeln!(to, "{it}"))?;
        write!(to, "\n{}", self.checkpoint)
    }
}

impl FromStr for Proof {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (head, checkpoint) = text.split_once("\n\n").filter(|(_, it)| !it.is_empty()).ok_or(Malformed)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(TITLE) {
            return Err(Malformed);
        }
        let extra = lines.next_if(|it| it.starts_with("extra ")).and_then(|it| it.strip_prefix("extra "));
        let extra = extra.map(|it| STANDARD.decode(it)).transpose().map_err(|_| Malformed)?;
        let written = lines.next().and_then(|it| it.strip_prefix("index ")).ok_or(Malformed)?;
        // No zeros in front, no plus.
        let index = written.parse().ok().filter(|it: &u64| it.to_string() == written).ok_or(Malformed)?;
        let hashes: Vec<_> = lines.map(Hash::parse_hash).collect::<Result<_, _>>().map_err(|_| Malformed)?;
        if hashes.len() > MAX_PROOF {
            return Err(Malformed);
        }
        Ok(Proof { extra, index, hashes, checkpoint: checkpoint.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "c2sp.org/tlog-proof@v1\nextra aGFp\nindex 7\n\
                        AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\nAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n\n\
                        example.com/log\n8\nAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n\n— example.com/log AAAA\n";

    fn proof() -> Proof {
        Proof {
            extra: Some(b"hai".to_vec()),
            index: 7,
            hashes: vec![Hash([1; 32]), Hash([2; 32])],
            checkpoint: TEXT.split_once("\n\n").unwrap().1.to_owned(),
        }
    }

    #[test]
    fn a_proof_is_written_as_the_format_says() {
        assert_eq!(proof().to_string(), TEXT);
        assert_eq!(TEXT.parse(), Ok(proof()));
    }

    #[test]
    fn extra_and_hashes_may_be_missing() {
        let shortest = Proof { extra: None, index: 0, hashes: Vec::new(), checkpoint: "x".to_owned() };
        assert_eq!(shortest.to_string(), "c2sp.org/tlog-proof@v1\nindex 0\n\nx");
        assert_eq!(shortest.to_string().parse(), Ok(shortest));
    }

    #[test]
    fn sixty_three_hashes_are_the_most() {
        let of = |length| Proof { hashes: vec![Hash([9; 32]); length], ..proof() }.to_string().parse::<Proof>();
        assert!(of(63).is_ok());
        assert_eq!(of(64), Err(Malformed));
    }

    #[test]
    fn every_other_spelling_is_refused() {
        for (from, to) in [
            ("@v1", "@v2"),
            ("c2sp", "\nc2sp"),
            ("\nextra", "\n\nextra"),
            ("extra aGFp", "extra  aGFp"),
            ("extra aGFp", "extra aGF"),
            ("extra aGFp", "Extra aGFp"),
            ("extra aGFp", "extra aGFp\nextra aGFp"),
            ("index 7", "index 07"),
            ("index 7", "index +7"),
            ("index 7", "index -7"),
            ("index 7", "index 7 "),
            ("index 7", "index 7\r"),
            ("index 7", "index 18446744073709551616"),
            ("index 7", "index"),
            ("index 7\n", ""),
            ("AQE=\n", "AQF=\n"),
            ("AQE=\n", "AQE\n"),
            ("AQE=\n", "AQE= \n"),
            ("AQE=\n", "AQE=\r\n"),
            ("AQEBAQEB", "AQEB"),
            ("\n\nexample", "\nexample"),
        ] {
            let text = TEXT.replacen(from, to, 1);
            assert_ne!(text, TEXT);
            assert_eq!(text.parse::<Proof>(), Err(Malformed), "{from:?} as {to:?}");
        }
        assert_eq!("c2sp.org/tlog-proof@v1\nindex 0\n\n".parse::<Proof>(), Err(Malformed));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            extra: Option<Vec<u8>>,
            index: u64,
            hashes in vec(any::<[u8; 32]>(), 0..=63),
            checkpoint in "(?s).{1,200}",
        ) {
            let proof = Proof { extra, index, hashes: hashes.into_iter().map(Hash).collect(), checkpoint };
            prop_assert_eq!(proof.to_string().parse(), Ok(proof));
        }

        #[test]
        fn nothing_that_is_read_is_spelled_otherwise(at: prop::sample::Index, byte in 0..128_u8) {
            let mut bytes = TEXT.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(text) = String::from_utf8(bytes) && let Ok(proof) = text.parse::<Proof>() {
                prop_assert_eq!(proof.to_string(), text);
            }
        }

        #[test]
        fn no_text_does_harm(text: String) {
            prop_assert!(text.parse::<Proof>().is_err());
            let titled = format!("{TITLE}\n{text}");
            prop_assert!(titled.parse::<Proof>().is_err());
        }
    }
}
