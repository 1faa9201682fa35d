//! Bundles of entries as C2SP `tlog-tiles` has them: each entry after its length, and nothing else.

use thiserror::Error;

/// The longest entry, in bytes: its length is written in two.
pub const MAX_ENTRY: usize = u16::MAX as usize;

/// An entry is longer than [`MAX_ENTRY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the entry is longer than 65,535 bytes")]
pub struct TooLong;

/// The bytes are no bundle of so many entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this is no bundle of so many entries")]
pub struct Malformed;

/// The bundle of these entries.
///
/// # Errors
/// One of them is too long.
pub fn encode(entries: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, TooLong> {
    let mut bundle = Vec::new();
    for entry in entries.iter().map(AsRef::as_ref) {
        let length = u16::try_from(entry.len()).map_err(|_| TooLong)?;
        bundle.extend(length.to_be_bytes());
        bundle.extend(entry);
    }
    Ok(bundle)
}

/// The entries of a bundle that has exactly `width`.
///
/// # Errors
/// It has more or fewer, or ends within one.
pub fn decode(bundle: &[u8], width: u16) -> Result<Vec<&[u8]>, Malformed> {
    let mut rest = bundle;
    let entries = (0..width).map(|_| {
        let (length, after) = rest.split_first_chunk().ok_or(Malformed)?;
        let (entry, after) = after.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(Malformed)?;
        rest = after;
        Ok(entry)
    });
    let entries = entries.collect::<Result<_, _>>()?;
    if rest.is_empty() { Ok(entries) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bundle_is_lengths_and_entries() {
        let bundle = encode(&[&b"one"[..], b"", b"x"]).unwrap();
        assert_eq!(bundle, b"\x00\x03one\x00\x00\x00\x01x");
        assert_eq!(decode(&bundle, 3).unwrap(), [&b"one"[..], b"", b"x"]);
        assert_eq!(decode(&[], 0), Ok(Vec::new()));
    }

    #[test]
    fn more_fewer_and_torn_entries_are_refused() {
        let bundle = encode(&["one", "two"]).unwrap();
        for width in [0, 1, 3, 256] {
            assert_eq!(decode(&bundle, width), Err(Malformed));
        }
        for end in 0..bundle.len() {
            assert_eq!(decode(&bundle[..end], 2), Err(Malformed), "{end}");
        }
    }

    #[test]
    fn the_longest_entry_fits_and_one_byte_more_does_not() {
        let mut entry = vec![7; MAX_ENTRY];
        assert_eq!(decode(&encode(&[&entry]).unwrap(), 1), Ok(vec![&entry[..]]));
        entry.push(7);
        assert_eq!(encode(&[entry]), Err(TooLong));
    }

    proptest! {
        #[test]
        fn what_was_bundled_comes_out(entries in vec(vec(any::<u8>(), 0..40), 0..300)) {
            let bundle = encode(&entries).unwrap();
            prop_assert_eq!(decode(&bundle, entries.len() as u16).unwrap(), entries);
        }

        #[test]
        fn whatever_is_read_is_spelled_the_same(bytes: Vec<u8>, width in 0..6_u16) {
            if let Ok(entries) = decode(&bytes, width) {
                prop_assert_eq!(encode(&entries).unwrap(), bytes);
            }
        }
    }
}
