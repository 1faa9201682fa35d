//! How tiles are called.

use lindung_ledger::tree::{self, Error, TileId, TileRequest, widths};
use proptest::prelude::*;

#[test]
fn tiles_are_spelled_as_the_format_says() {
    for (level, index, width, path) in [
        (0, 0, 256, "tile/0/000"),
        (0, 1234, 17, "tile/0/x001/234.p/17"),
        (1, 999, 1, "tile/1/999.p/1"),
        (2, 1000, 255, "tile/2/x001/000.p/255"),
        (63, 1_234_067, 256, "tile/63/x001/x234/067"),
        (0, u64::MAX, 256, "tile/0/x018/x446/x744/x073/x709/x551/615"),
    ] {
        assert_eq!(TileId { level, index }.path(width), path);
        let asked = path.strip_prefix("tile/").unwrap();
        assert_eq!(asked.parse(), Ok(TileRequest::Hashes { level, index, width }));
        let entries = path.replacen(&level.to_string(), "entries", 1);
        assert_eq!(tree::entries_path(index, width), entries);
        assert_eq!(entries[5..].parse(), Ok(TileRequest::Entries { index, width }));
    }
}

#[test]
fn every_other_spelling_is_refused() {
    for text in [
        "",
        "/",
        "0",
        "0/",
        "/000",
        "0/0",
        "0/00",
        "0/0000",
        "00/000",
        "01/000",
        "+1/000",
        "-1/000",
        "64/000",
        "256/000",
        "0/x000/000",
        "0/x000",
        "0/001/234",
        "0/x1/234",
        "0/x001/x234",
        "0/xx001/234",
        "0/x001/234/",
        "0//x001/234",
        "0/x001//234",
        " 0/000",
        "0/000 ",
        "0/+00",
        "0/-00",
        "0/0x0",
        "0/000.p",
        "0/000.p/",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/000.p/+1",
        "0/000.p/1/",
        "0/000.p/1.p/1",
        "0/000.P/1",
        "0/x001.p/1",
        "data/000",
        "Entries/000",
        "entries/",
        "entries/0",
        "entries/000.p/256",
        "0/x018/x446/x744/x073/x709/x551/616",
        "0/٠٠٠",
        "tile/0/000",
    ] {
        assert_eq!(text.parse::<TileRequest>(), Err(Error::OutOfRange), "{text:?}");
    }
}

#[test]
fn a_tile_has_had_the_widths_up_to_its_present_one() {
    let present = |level, index, size| *widths(level, index, size).end();
    assert_eq!([0, 1, 255, 256, 257].map(|size| present(0, 0, size)), [0, 1, 255, 256, 256]);
    assert_eq!([255, 256, 257, 512].map(|size| present(0, 1, size)), [0, 0, 1, 256]);
    assert_eq!([255, 256, 511, 512, 65_536].map(|size| present(1, 0, size)), [0, 1, 1, 2, 256]);
    assert!(widths(0, 0, 0).is_empty());
    assert!(widths(0, 0, 3).contains(&1) && !widths(0, 0, 3).contains(&0) && !widths(0, 0, 3).contains(&4));
    assert_eq!(present(7, 0, u64::MAX), 255);
    for (level, index) in [(8, 0), (63, 0), (255, 0), (0, u64::MAX), (0, u64::MAX >> 8 << 1)] {
        assert!(widths(level, index, u64::MAX).is_empty(), "{level} {index}");
    }
}

proptest! {
    #[test]
    fn what_is_spelled_is_read(level in 0..64_u8, index: u64, shift in 0..64_u32, width in 1..=256_u16) {
        let index = index >> shift;
        for request in [TileRequest::Hashes { level, index, width }, TileRequest::Entries { index, width }] {
            prop_assert_eq!(request.path()[5..].parse(), Ok(request));
        }
    }

    #[test]
    fn what_is_read_is_spelled_the_same(text in "([0-9]{1,3}|entries)(/x?[0-9]{2,4}){1,8}(\\.p/[0-9]{0,4})?") {
        if let Ok(request) = text.parse::<TileRequest>() {
            prop_assert_eq!(&request.path()[5..], text);
        }
    }

    #[test]
    fn no_text_does_harm(text: String, level: u8, index: u64, width: u16) {
        text.parse::<TileRequest>().ok();
        TileId { level, index }.path(width);
    }
}
