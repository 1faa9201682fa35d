//! `pull` from a service that is only played: what it brings, how it goes on, and what it does not take.

#![allow(dead_code, reason = "each test uses its part of what they share")]
#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod export;
mod played;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chrono::DateTime;
use export::{Entry, Export, Folder, Log, policy};
use lindung_audit::pull::{Pulled, Session, pull};
use lindung_audit::verify::{Against, verify};
use lindung_client::{Api, Credentials, Speaker};
use played::Played;

fn good(log: &Log) -> Export {
    log.export(&log.checkpoint(3))
}

async fn pulled(service: &Played, folder: &Path) -> Result<Pulled, String> {
    let credentials = Credentials::generate("pp.audit", "PP", Vec::new(), vec!["auditor".to_owned()]).unwrap();
    let speaker = Speaker::officer("PP", "auditor-1", "An Auditor", &["auditor"], Some("audit"));
    let api = Api::new(&service.issuer).unwrap();
    let now = || DateTime::from_timestamp(1_783_900_000, 0).unwrap();
    pull(&mut Session::new(api, credentials, speaker, now), folder, &mut |_, _, _| ())
        .await
        .map_err(|it| it.to_string())
}

/// What is in the folder, but for what only a pull needs.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files.remove("pull.json").unwrap();
    files
}

fn holds(folder: &Folder) -> bool {
    let keep = Folder::new();
    let against = Against { policy: Some(keep.put("policy", &policy("quorum"))), ..Against::default() };
    verify(&lindung_audit::Folder::new(&folder.0), &against).unwrap().findings.is_empty()
}

#[tokio::test]
async fn it_brings_a_folder_that_verifies() {
    for size in [0, 1, 256, 257, 600] {
        let (export, folder) = (good(&Log::of(size)), Folder::new());
        let service = Played::start(export.clone()).await;
        let size = size as u64;
        assert_eq!(pulled(&service, &folder.0).await, Ok(Pulled { size, before: 0, entries: true }));
        assert_eq!(files(&folder.0), export.files);
        assert!(holds(&folder));
        // Once more: nothing is there to be fetched but what is new each time.
        let before = service.asked("/tile/");
        assert_eq!(pulled(&service, &folder.0).await.unwrap().before, size);
        assert_eq!(service.asked("/tile/"), before);
        assert!(holds(&folder));
    }
}

#[tokio::test]
async fn an_auditor_of_one_agency_gets_no_bundles() {
    let (export, folder) = (good(&Log::of(300)).without_entries(), Folder::new());
    let service = Played::start(export.clone()).await;
    assert!(!pulled(&service, &folder.0).await.unwrap().entries);
    assert_eq!(files(&folder.0), export.files);
    assert!(holds(&folder));
}

#[tokio::test]
async fn a_pull_that_was_broken_off_goes_on() {
    let log = Log::of(600);
    let (export, folder) = (good(&log), Folder::new());
    let service = Played::start(export.clone()).await;
    let mut broken = 0;
    // Each time it may ask three times more.
    loop {
        service.allow(3);
        match pulled(&service, &folder.0).await {
            Ok(done) => break assert_eq!(done.size, 600),
            Err(why) => assert!(why.contains("no answer"), "{why}"),
        }
        broken += 1;
        // The log goes on meanwhile; the pull keeps to its checkpoint.
        let later = Log((0..700).map(|it| log.0.get(it).cloned().unwrap_or_else(|| Entry::access(it))).collect());
        service.serve(good(&later));
        assert!(broken < 40);
    }
    assert!(broken > 3);
    assert_eq!(files(&folder.0), export.files);
    // And the next one takes the newer.
    service.allow(1000);
    assert_eq!(pulled(&service, &folder.0).await.unwrap(), Pulled { size: 700, before: 600, entries: true });
    assert!(holds(&folder) && folder.0.join("checkpoint.600").exists());
}

#[tokio::test]
async fn what_is_erased_there_is_forgotten_here() {
    let folder = Folder::new();
    let before = Log((0..300).map(Entry::access).collect());
    let service = Played::start(good(&before)).await;
    pulled(&service, &folder.0).await.unwrap();
    let mut after = before.clone();
    after.0.push(Entry::erasure(300, &[[10, 12]], ["first", "second"]));
    after.0[10..=12].iter_mut().for_each(Entry::erase);
    service.serve(good(&after));
    pulled(&service, &folder.0).await.unwrap();
    let (here, there) = (files(&folder.0), good(&after).files);
    assert_eq!(
        (&here["openings.ndjson"], &here["accesses.ndjson"]),
        (&there["openings.ndjson"], &there["accesses.ndjson"])
    );
    assert!(holds(&folder));
}

#[tokio::test]
async fn nothing_is_written_that_does_not_go_with_the_checkpoint() {
    let log = Log::of(600);
    let export = good(&log);
    for path in ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001", "openings.ndjson"] {
        let mut altered = export.clone();
        let bytes = altered.files.get_mut(path).unwrap();
        // Of an opening the entry is looked at; whether it opens is for `verify` to say.
        let half = bytes.len() / 2;
        let at = half + bytes[half..].windows(11).position(|it| it == b"get_section").unwrap_or(0);
        bytes[at] ^= 1;
        let folder = Folder::new();
        let service = Played::start(altered.clone()).await;
        assert!(pulled(&service, &folder.0).await.is_err(), "{path}");
        assert!(!folder.0.join(path).exists() || path == "openings.ndjson", "{path}");
        // Once it is served as it should be, the same pull goes on.
        service.serve(export.clone());
        pulled(&service, &folder.0).await.unwrap();
        assert_eq!(files(&folder.0), export.files);
    }
}

#[tokio::test]
async fn a_list_that_is_held_back_is_read_again() {
    let (export, folder) = (good(&Log::of(120)), Folder::new());
    let service = Played::start(export.clone()).await;
    // Two pages each time.
    service.holds_back(2);
    pulled(&service, &folder.0).await.unwrap();
    assert_eq!(files(&folder.0), export.files);
    // One that claims to be whole and is not is no pull's to judge.
    let mut export = export;
    let lines = export.files.get_mut("accesses.ndjson").unwrap();
    lines.truncate(lines.len() / 2);
    lines.truncate(lines.iter().rposition(|it| *it == b'\n').unwrap() + 1);
    service.serve(export);
    let folder = Folder::new();
    pulled(&service, &folder.0).await.unwrap();
    assert!(!holds(&folder));
}

#[tokio::test]
async fn a_log_that_does_not_go_on_from_the_one_before_is_refused() {
    let log = Log::of(300);
    for (altered, why) in [
        (Log::of(299), "had 300 before"),
        (
            Log((0..400).map(|it| if it == 7 { Entry::access(9000) } else { Entry::access(it) }).collect()),
            "does not begin with",
        ),
    ] {
        let folder = Folder::new();
        let service = Played::start(good(&log)).await;
        pulled(&service, &folder.0).await.unwrap();
        service.serve(good(&altered));
        let refused = pulled(&service, &folder.0).await.unwrap_err();
        assert!(refused.contains(why) || refused.contains("with those pulled before"), "{refused}");
    }
}
