//! `verify` accepts what is good, finds whatever was done to it, and names the entry.

#![allow(dead_code, reason = "each test uses its part of what they share")]
#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod export;
mod mutants;

use std::path::PathBuf;

use chrono::Duration;
use export::{CHILD, Entry, Export, Folder, Log, policy};
use lindung_audit::Kind;
use lindung_audit::verify::{Against, Counts, Recount, Verdict, verify};
use mutants::mutants;

struct Auditor {
    keep: Folder,
}

impl Auditor {
    fn new() -> Self {
        let keep = Folder::new();
        keep.put("policy", &policy("quorum"));
        keep.put("none", &policy("none"));
        Auditor { keep }
    }

    fn trusting(&self, policy: &str) -> Against {
        Against { policy: Some(self.keep.0.join(policy)), ..Against::default() }
    }

    fn verdict(&self, export: &Export, against: &Against) -> Verdict {
        verify(&lindung_audit::Folder::new(&export.write().0), against).unwrap()
    }

    fn found(&self, export: &Export) -> Verdict {
        self.verdict(export, &self.trusting("policy"))
    }

    fn kept(&self, log: &Log) -> PathBuf {
        self.keep.put("kept", &log.checkpoint(3))
    }
}

fn kinds(verdict: &Verdict) -> Vec<Kind> {
    verdict.findings.counts.keys().copied().collect()
}

fn good(log: &Log) -> Export {
    log.export(&log.checkpoint(3))
}

/// The log of 300 in which one entry is another, with the tiles and signatures of that log.
fn with(at: usize, entry: Entry) -> Export {
    let mut log = Log::of(300);
    log.0[at] = entry;
    good(&log)
}

#[test]
fn good_exports_hold() {
    let auditor = Auditor::new();
    for size in [0, 1, 255, 256, 257, 600] {
        let log = Log::of(size);
        let export = good(&log);
        let mut against = auditor.trusting("policy");
        for older in [0, 1, 200, 256, size].into_iter().filter(|it| *it <= size) {
            against.older = Some(auditor.keep.put("older", &Log(log.0[..older].to_vec()).checkpoint(3)));
            let verdict = auditor.verdict(&export, &against);
            assert_eq!(verdict.findings.told.first(), None);
            assert_eq!((verdict.size, verdict.witnesses.len()), (size as u64, 3));
        }
        let alone = auditor.found(&export.without_entries());
        assert_eq!(alone.findings.told, []);
    }
    let (erasures, erased) = (1, 3);
    let counts =
        Counts { entries: 600, opened: 600 - erasures - erased, erased, accesses: 600 - erasures, ..Counts::default() };
    assert_eq!(auditor.found(&good(&Log::of(600))).counts, counts);
}

#[test]
fn every_mutant_is_found() {
    let auditor = Auditor::new();
    let mut count = 0;
    for size in [1, 257] {
        let log = Log::of(size);
        let again = Against { older: Some(auditor.kept(&log)), ..auditor.trusting("none") };
        for mutant in mutants(&log) {
            // Another size lets files be missing that all depends on; then there is no verdict, which is none that is good.
            assert!(!auditor.found(&mutant.export).findings.is_empty(), "{}", mutant.what);
            if mutant.signed {
                let verdict = auditor.verdict(&mutant.export, &again);
                assert!(verdict.findings.counts.contains_key(&Kind::Older), "{}", mutant.what);
            }
            count += 1;
        }
    }
    println!("found {count} of {count} alterations");
}

#[test]
fn the_first_entry_that_does_not_hold_is_named() {
    let auditor = Auditor::new();
    let log = Log::of(300);
    let mut altered = log.clone();
    altered.0[270] = Entry::made(270, |it| it["officer"] = "somebody-else".into());
    altered.0[30] = Entry::made(30, |it| it["officer"] = "somebody-else".into());
    let verdict = auditor.found(&good(&log).with_entries_of(&altered.export(&log.checkpoint(3))));
    let first = verdict.findings.first.unwrap();
    assert_eq!((first.kind, first.number, first.id.unwrap().to_string()), (Kind::Entry, Some(30), export::id(1, 30)));
    assert_eq!(verdict.findings.counts[&Kind::Entry], 2);
}

#[test]
fn tiles_that_contradict_each_other_tell_where() {
    let auditor = Auditor::new();
    let log = Log::of(600);
    let mut altered = log.clone();
    altered.0[300] = Entry::access(9000);
    let (mut export, other) = (good(&log), good(&altered));
    export.files.insert("tile/0/001".to_owned(), other.files["tile/0/001"].clone());
    let verdict = auditor.found(&export.with_entries_of(&other));
    assert_eq!(
        verdict.findings.told[0].why,
        "the tiles of level 1 have another hash for the entries 256 to 511 than those below"
    );
}

#[test]
fn a_missing_opening_needs_an_erasure_by_two() {
    let auditor = Auditor::new();
    let with_erasure = |entries: &[[usize; 2]], officers| {
        let mut log = Log::of(300);
        log.0[7].erase();
        log.0[100] = Entry::erasure(100, entries, officers);
        auditor.found(&good(&log))
    };
    let mut log = Log::of(300);
    log.0[7].erase();
    let verdict = auditor.found(&good(&log));
    assert_eq!((kinds(&verdict), verdict.findings.first.unwrap().number), (vec![Kind::MissingOpening], Some(7)));
    assert_eq!(kinds(&with_erasure(&[[7, 7]], ["a", "b"])), []);
    assert_eq!(kinds(&with_erasure(&[[7, 7]], ["a", "a"])), [Kind::Erasure]);
    // One that excuses the future, and one that did not happen.
    assert_eq!(kinds(&with_erasure(&[[7, 7], [200, 250]], ["a", "b"]))[0], Kind::Erasure);
    assert_eq!(kinds(&with_erasure(&[[7, 8]], ["a", "b"])), [Kind::Erasure]);
    // And one after which the API goes on to tell.
    let mut log = Log::of(300);
    let erased = log.0[4].access.clone();
    log.0[4].access = Entry::access(4).access;
    assert_eq!(kinds(&auditor.found(&good(&log))), [Kind::Erasure]);
    log.0[4].access = erased;
    log.0[4].access.as_mut().unwrap()["sections"] = vec!["risk"].into();
    assert_eq!(kinds(&auditor.found(&good(&log))), [Kind::Erasure]);
}

#[test]
fn the_apis_log_has_to_tell_what_was_entered() {
    let auditor = Auditor::new();
    let whole = good(&Log::of(300));
    let told = |change: &dyn Fn(&mut Vec<String>)| {
        let mut export = whole.clone();
        let text = String::from_utf8(export.files.remove("accesses.ndjson").unwrap()).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        change(&mut lines);
        export.files.insert("accesses.ndjson".to_owned(), (lines.join("\n") + "\n").into_bytes());
        auditor.found(&export)
    };
    assert_eq!(kinds(&told(&|_| ())), []);
    assert_eq!(kinds(&told(&|it| drop(it.remove(40)))), [Kind::MissingAccess]);
    assert_eq!(kinds(&told(&|it| it.insert(41, it[40].clone()))), [Kind::Access]);
    // Numbers are given as transactions end, the API tells them as they began.
    assert_eq!(kinds(&told(&|it| it.swap(40, 41))), []);
    // What is not sealed yet is counted, and proves nothing; but it cannot be older than what is.
    let beside = |of: usize, number: &str| {
        Entry::access(of).access.unwrap().to_string().replacen('{', &format!("{{\"number\":{number},"), 1)
    };
    let verdict = told(&|it| it.extend([beside(299, "null"), beside(299, "300")]));
    assert_eq!((kinds(&verdict), verdict.counts.unsealed), (vec![], 2));
    let verdict = told(&|it| it.extend([beside(9, "null"), beside(9, "300")]));
    assert_eq!((kinds(&verdict), verdict.findings.total(), verdict.counts.unsealed), (vec![Kind::Entry], 2, 2));
    let id = verdict.findings.told[0].id.unwrap().to_string();
    assert_eq!((id, verdict.findings.told[0].number), (export::id(1, 9), None));
    // Each field of one access, told otherwise.
    let line = Entry::access(42).access.unwrap();
    for (field, value) in line.as_object().unwrap() {
        let mut other = line.clone();
        other["number"] = 42.into();
        other[field] = match (field.as_str(), value) {
            ("id" | "requestId", _) => export::id(9, 9).into(),
            ("at", _) => "2026-07-06T04:54:00.000001Z".into(),
            ("caseIds" | "childIds", _) => vec![export::id(9, 9)].into(),
            (_, serde_json::Value::Array(_)) => vec!["other"].into(),
            (_, serde_json::Value::Number(_)) => 7.into(),
            _ => "other".into(),
        };
        let other = other.to_string();
        let verdict = told(&|it| it[42] = other.clone());
        let finding = verdict.findings.first.unwrap();
        assert_eq!((finding.kind, finding.number), (Kind::Access, Some(42)), "{field}");
        assert!(finding.why.starts_with(&format!("{field} is ")), "{}", finding.why);
    }
}

#[test]
fn what_is_dated_back_or_ahead_is_found_even_when_it_is_witnessed() {
    let auditor = Auditor::new();
    let dated = |at: usize, when: &str| auditor.found(&with(at, Entry::made(at, |it| it["at"] = when.into())));
    let verdict = dated(150, "2026-07-06T12:00:00.000000Z");
    let finding = verdict.findings.first.as_ref().unwrap();
    assert_eq!((kinds(&verdict), finding.number), (vec![Kind::Time], Some(150)));
    assert_eq!(finding.why, "it is dated more than 10 minutes before entry 149, which came earlier");
    // Nine minutes before the one before may be a slow request.
    assert_eq!(kinds(&dated(150, "2026-07-06T17:14:00.000000Z")), []);
    // Dated ahead of those that follow: they are one finding, which names both.
    let verdict = dated(150, "2026-07-06T23:00:00.000000Z");
    assert_eq!((kinds(&verdict), verdict.findings.total()), (vec![Kind::Time], 1));
    // After the witnesses saw it.
    let verdict = dated(299, "2026-08-01T00:00:00.000000Z");
    assert!(verdict.findings.first.unwrap().why.contains("after the last witness"));
    let patient = Against { tolerance: Duration::days(1), ..auditor.trusting("policy") };
    let late = with(150, Entry::made(150, |it| it["at"] = "2026-07-06T12:00:00.000000Z".into()));
    assert_eq!(kinds(&auditor.verdict(&late, &patient)), []);
}

#[test]
fn an_access_is_entered_once() {
    let auditor = Auditor::new();
    let verdict = auditor.found(&with(150, Entry::access(149)));
    assert_eq!((kinds(&verdict), verdict.findings.first.unwrap().number), (vec![Kind::Twice], Some(150)));
}

#[test]
fn a_childs_accesses_are_counted_from_the_entries() {
    let auditor = Auditor::new();
    let child = Against { child: Some(CHILD.parse().unwrap()), ..auditor.trusting("policy") };
    let log = Log::of(300);
    let verdict = auditor.verdict(&good(&log), &child);
    // Every fifth, but for one that was erased and the erasure itself.
    assert_eq!((verdict.findings.total(), verdict.child), (0, Some(Recount { entered: 58, told: 58 })));
    let mut export = good(&log);
    let text = String::from_utf8(export.files["accesses.ndjson"].clone()).unwrap();
    let hidden = text.replacen(&format!("[\"{CHILD}\"]"), "[]", 1);
    export.files.insert("accesses.ndjson".to_owned(), hidden.into_bytes());
    let verdict = auditor.verdict(&export, &child);
    assert_eq!(verdict.child, Some(Recount { entered: 58, told: 57 }));
    assert_eq!((kinds(&verdict), verdict.findings.first.unwrap().number), (vec![Kind::Access, Kind::Child], Some(0)));
}

#[test]
fn the_folders_own_policy_is_said_to_be_that() {
    let auditor = Auditor::new();
    let log = Log::of(3);
    let verdict = auditor.verdict(&good(&log), &Against::default());
    assert!(!verdict.own_policy && verdict.findings.is_empty());
    assert!(auditor.found(&good(&log)).own_policy);
    assert_eq!(kinds(&auditor.found(&log.export(&log.checkpoint(2)))), [Kind::Quorum]);
}
