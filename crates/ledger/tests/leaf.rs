//! Leaves in their exact bytes, and everything near them refused. The bytes and hashes here were computed apart.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails where it stands")]

use lindung_ledger::leaf::{AccessLeaf, Approver, At, Commitment, Detail, ErasureLeaf, Error, Leaf, Opening};
use lindung_ledger::tree::leaf_hash;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use uuid::Uuid;

const DETAIL: &str = r#"{"caseIds":["01890000-0000-7000-8000-0000000000c1"],"childIds":["01890000-0000-7000-8000-0000000000d1"],"sections":["HEALTH","é€\n\u0001\"\\/"],"target":"/v1/cases/01890000-0000-7000-8000-0000000000c1"}"#;
const ACCESS: &str = r#"{"action":"get_section","agency":"KPWKM.JKM","at":"2026-11-25T22:19:07.000001Z","client":"jkm-app","count":1,"detail":"uSKfR1NMl11vR/oBgOVP3DIgaUxq+4BsFKM6O8B/Pvo=","id":"01890000-0000-7000-8000-000000000001","officer":"o-17","outcome":"ok","purpose":"PROTECTION","requestId":"01890000-0000-7000-8000-000000000002","roles":["OFFICER","AUDITOR"],"rule":"r1","type":"access"}"#;
const SHORT: &str = r#"{"action":"get_section","at":"2026-11-25T22:19:07.000001Z","count":0,"detail":"uSKfR1NMl11vR/oBgOVP3DIgaUxq+4BsFKM6O8B/Pvo=","id":"01890000-0000-7000-8000-000000000001","outcome":"not-found","requestId":"01890000-0000-7000-8000-000000000002","roles":[],"type":"access"}"#;
const ERASURE: &str = r#"{"approvers":[{"agency":"KPWKM.JKM","officer":"o-1"},{"agency":"PP","officer":"o-2"}],"at":"2026-11-25T22:19:07.000002Z","entries":[[0,0],[7,9],[9007199254740990,9007199254740990]],"id":"01890000-0000-7000-8000-000000000003","proposal":"01890000-0000-7000-8000-000000000004","type":"erasure"}"#;

fn id(last: u128) -> Uuid {
    Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0000 + last)
}

fn detail() -> Detail {
    Detail {
        target: Some(format!("/v1/cases/{}", id(0xc1))),
        case_ids: vec![id(0xc1)],
        child_ids: vec![id(0xd1)],
        sections: vec!["HEALTH".to_owned(), "é€\n\u{1}\"\\/".to_owned()],
    }
}

fn opening() -> Opening {
    Opening { salt: std::array::from_fn(|it| it as u8), detail: detail().to_bytes().unwrap() }
}

fn access() -> AccessLeaf {
    let some = |text: &str| Some(text.to_owned());
    AccessLeaf {
        id: id(1),
        at: "2026-11-25T22:19:07.000001Z".parse().unwrap(),
        request_id: id(2),
        client: some("jkm-app"),
        agency: some("KPWKM.JKM"),
        officer: some("o-17"),
        roles: vec!["OFFICER".to_owned(), "AUDITOR".to_owned()],
        purpose: some("PROTECTION"),
        action: "get_section".to_owned(),
        outcome: "ok".to_owned(),
        rule: some("r1"),
        count: 1,
        detail: opening().commitment(),
    }
}

fn short() -> AccessLeaf {
    let (outcome, roles) = ("not-found".to_owned(), Vec::new());
    let unknown = AccessLeaf { client: None, agency: None, officer: None, purpose: None, rule: None, ..access() };
    AccessLeaf { outcome, roles, count: 0, ..unknown }
}

fn erasure(entries: Vec<[u64; 2]>) -> ErasureLeaf {
    let approver = |agency: &str, officer: &str| Approver { agency: agency.to_owned(), officer: officer.to_owned() };
    ErasureLeaf {
        id: id(3),
        at: "2026-11-25T22:19:07.000002Z".parse().unwrap(),
        proposal: id(4),
        approvers: [approver("KPWKM.JKM", "o-1"), approver("PP", "o-2")],
        entries,
    }
}

#[test]
fn a_leaf_is_these_bytes_and_this_hash() {
    let ranges = vec![[0, 0], [7, 9], [(1 << 53) - 2, (1 << 53) - 2]];
    for (leaf, text, hash) in [
        (Leaf::Access(access()), ACCESS, "gf8DE92/xfSqCVKstRXM/05vOyCVWeJ4rGU51ht0zwU="),
        (Leaf::Access(short()), SHORT, "5VEyc+1gt0OtZh/ihzWrY06v04p3PqV4sSdK3n3Gpxo="),
        (Leaf::Erasure(erasure(ranges)), ERASURE, "AhurGEopedkit4kLNJkgYbV1Zh4n9QHsMKe+bYFzsIU="),
    ] {
        let bytes = leaf.to_bytes().unwrap();
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), text);
        assert_eq!(leaf_hash(&bytes).to_string(), hash);
        assert_eq!(Leaf::from_bytes(&bytes), Ok(leaf));
    }
    assert_eq!(String::from_utf8(detail().to_bytes().unwrap()).unwrap(), DETAIL);
    assert_eq!(Detail::from_bytes(DETAIL.as_bytes()), Ok(detail()));
}

#[test]
fn every_other_spelling_is_refused() {
    let canonical = Leaf::from_bytes(ACCESS.as_bytes()).unwrap();
    for (from, to, error) in [
        ("{\"action\"", "{ \"action\"", Error::NotCanonical),
        ("access\"}", "access\"}\n", Error::NotCanonical),
        ("\"count\":1,", "\"count\":01,", Error::Malformed),
        ("\"count\":1,", "\"count\":1.0,", Error::Malformed),
        ("\"count\":1,", "\"count\":-1,", Error::Malformed),
        ("\"count\":1,", "\"count\":4294967296,", Error::Malformed),
        ("\"count\":1,", "", Error::Malformed),
        ("\"count\":1,", "\"count\":1,\"count\":1,", Error::Malformed),
        ("\"count\":1,", "\"count\":1,\"counted\":1,", Error::NotCanonical),
        ("\"client\":\"jkm-app\"", "\"client\":null", Error::NotCanonical),
        ("jkm-app", "jkm\\u002dapp", Error::NotCanonical),
        ("jkm-app", "jkm\\/app", Error::NotCanonical),
        ("7000-8000-000000000001", "7000-8000-00000000000A", Error::NotCanonical),
        ("01890000-0000-7000-8000-000000000001", "01890000000070008000000000000001", Error::NotCanonical),
        ("\"rule\":\"r1\",\"type\":\"access\"", "\"type\":\"access\",\"rule\":\"r1\"", Error::NotCanonical),
        ("\"type\":\"access\"", "\"type\":\"erasure\"", Error::Malformed),
        ("\"type\":\"access\"", "\"type\":\"Access\"", Error::Malformed),
        (",\"type\":\"access\"", "", Error::Malformed),
        ("Pvo=", "Pvo", Error::Malformed),
        ("Pvo=", "Pvp=", Error::Malformed),
        ("uSKf", "", Error::Malformed),
        ("07.000001Z", "07.000001z", Error::Malformed),
        ("}", "", Error::Malformed),
    ] {
        let text = ACCESS.replacen(from, to, 1);
        assert_ne!(text, ACCESS);
        let read = Leaf::from_bytes(text.as_bytes());
        assert_eq!(read, Err(error), "{from:?} as {to:?}");
        assert_ne!(read, Ok(canonical.clone()));
    }
    for text in ["", "null", "[]", "{}", "\"access\"", &"[".repeat(60_000)] {
        assert_eq!(Leaf::from_bytes(text.as_bytes()), Err(Error::Malformed));
    }
    let bare = DETAIL.replacen("{", "{\"more\":1,", 1);
    assert_eq!(Detail::from_bytes(bare.as_bytes()), Err(Error::NotCanonical));
}

#[test]
fn a_leaf_has_room_in_an_entry() {
    let of = |length| Leaf::Access(AccessLeaf { rule: Some("r".repeat(length)), ..access() });
    let fits = 65_535 - ACCESS.len() + 2;
    let bytes = of(fits).to_bytes().unwrap();
    assert_eq!(bytes.len(), 65_535);
    assert_eq!(Leaf::from_bytes(&bytes), Ok(of(fits)));
    assert_eq!(of(fits + 1).to_bytes(), Err(Error::TooLong));
    let longer = String::from_utf8(bytes).unwrap().replace("rrr\"", "rrrr\"");
    assert_eq!(Leaf::from_bytes(longer.as_bytes()), Err(Error::TooLong));
}

#[test]
fn an_opening_opens_its_commitment_alone() {
    let (opening, commitment) = (opening(), access().detail);
    assert!(opening.opens(&commitment));
    assert_eq!(Commitment::to(&opening.salt, DETAIL.as_bytes()), commitment);
    for at in 0..32 {
        let mut other = opening.clone();
        other.salt[at] ^= 1;
        assert!(!other.opens(&commitment), "salt {at}");
    }
    for at in 0..opening.detail.len() {
        let mut other = opening.clone();
        other.detail[at] ^= 1;
        assert!(!other.opens(&commitment), "detail {at}");
    }
    assert!(!Opening { detail: Vec::new(), ..opening }.opens(&commitment));
}

#[test]
fn an_erasure_names_what_is_in_its_ranges() {
    let named = erasure(vec![[0, 0], [7, 9]]);
    assert_eq!((0..12).filter(|it| named.names(*it)).collect::<Vec<_>>(), [0, 7, 8, 9]);
    assert_eq!(ErasureLeaf::ranges([9, 0, 7, 8, 8]), named.entries);
    assert_eq!(ErasureLeaf::ranges([]), Vec::<[u64; 2]>::new());
    assert_eq!(ErasureLeaf::ranges([u64::MAX, u64::MAX - 1, u64::MAX]), [[u64::MAX - 1, u64::MAX]]);
}

#[test]
fn ranges_ascend_and_are_of_a_tree() {
    for entries in [
        vec![[1, 0]],
        vec![[1, 3], [3, 4]],
        vec![[5, 6], [1, 2]],
        vec![[1, 1], [1, 1]],
        vec![[0, (1 << 53) - 1]],
        vec![[u64::MAX, u64::MAX]],
    ] {
        assert_eq!(Leaf::Erasure(erasure(entries.clone())).to_bytes(), Err(Error::Ranges), "{entries:?}");
        let numbers = serde_json::to_string(&entries).unwrap();
        let text = ERASURE.replace("[[0,0],[7,9],[9007199254740990,9007199254740990]]", &numbers);
        assert_eq!(Leaf::from_bytes(text.as_bytes()), Err(Error::Ranges), "{entries:?}");
    }
}

#[test]
fn a_moment_has_one_spelling() {
    for text in ["2026-11-25T22:19:07.000001Z", "2024-02-29T00:00:00.000000Z", "2000-02-29T23:59:59.999999Z"] {
        assert_eq!(text.parse::<At>().unwrap().as_str(), text);
    }
    for text in [
        "",
        "2026-11-25T22:19:07Z",
        "2026-11-25T22:19:07.001Z",
        "2026-11-25T22:19:07.0000011Z",
        "2026-11-25t22:19:07.000001Z",
        "2026-11-25 22:19:07.000001Z",
        "2026-11-25T22:19:07.000001+00:00",
        "2026-11-25T22:19:07,000001Z",
        "+026-11-25T22:19:07.000001Z",
        "2026-00-25T22:19:07.000001Z",
        "2026-13-25T22:19:07.000001Z",
        "2026-11-00T22:19:07.000001Z",
        "2026-11-31T22:19:07.000001Z",
        "2026-02-29T22:19:07.000001Z",
        "1900-02-29T22:19:07.000001Z",
        "2026-11-25T24:00:00.000000Z",
        "2026-11-25T22:60:07.000001Z",
        "2026-11-25T22:19:60.000001Z",
        "٢026-11-25T22:19:07.000001",
    ] {
        assert_eq!(text.parse::<At>(), Err(Error::Malformed), "{text:?}");
    }
    let [earlier, later] =
        ["2026-11-25T22:19:07.000009Z", "2026-11-25T22:19:07.000010Z"].map(|it| it.parse::<At>().unwrap());
    assert!(earlier < later);
}

proptest! {
    #[test]
    fn what_is_written_is_read(client: Option<String>, roles: Vec<String>, action: String, count: u32, hash: [u8; 32]) {
        let leaf = Leaf::Access(AccessLeaf { client, roles, action, count, detail: Commitment(hash), ..short() });
        prop_assert_eq!(Leaf::from_bytes(&leaf.to_bytes().unwrap()), Ok(leaf));
    }

    #[test]
    fn what_is_read_is_written_the_same(at: prop::sample::Index, byte: u8, erasure: bool) {
        let mut bytes = if erasure { ERASURE } else { ACCESS }.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(leaf) = Leaf::from_bytes(&bytes) {
            prop_assert_eq!(leaf.to_bytes().unwrap(), bytes);
        }
    }

    #[test]
    fn no_bytes_do_harm(bytes: Vec<u8>) {
        prop_assert!(Leaf::from_bytes(&bytes).is_err());
        prop_assert!(Detail::from_bytes(&bytes).is_err());
    }

    #[test]
    fn ranges_name_the_numbers_they_were_made_of(numbers in btree_set(0..200_u64, 0..60), more in vec(0..200_u64, 0..9)) {
        let again: Vec<_> = numbers.iter().rev().chain(more.iter().filter(|it| numbers.contains(it))).copied().collect();
        let leaf = erasure(ErasureLeaf::ranges(again));
        prop_assert!((0..200).all(|it| leaf.names(it) == numbers.contains(&it)));
        prop_assert!(leaf.entries.is_sorted_by(|[_, last], [first, _]| last + 1 < *first));
        prop_assert!(Leaf::Erasure(leaf).to_bytes().is_ok());
    }
}
