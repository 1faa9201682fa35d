//! Exports before judges that we did not write: Go's `sumdb/note` and `sumdb/tlog`, and Python's `pymerkle`.
//!
//! `LINDUNG_JUDGES` names the folder in which `make verify` builds them; without it the test is skipped, and says so.

#![allow(dead_code, reason = "each test uses its part of what they share")]
#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod export;
mod mutants;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use export::{Export, Folder, Log};
use mutants::{Mutant, mutants};

/// What the judges say to an export: the size and root that one accepts, or why it refuses.
type Verdict = Result<String, String>;

/// Asks a judge about all the exports at once.
fn asked(mut judge: Command, exports: &[Folder]) -> Vec<Verdict> {
    let output = judge.args(exports.iter().map(|it| &it.0)).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<Verdict> = text
        .lines()
        .map(|line| match line.split_once(' ') {
            Some(("ok", what)) => Ok(what.to_owned()),
            Some(("refused:", why)) => Err(why.to_owned()),
            _ => panic!("{judge:?} said {line:?}"),
        })
        .collect();
    // A judge that breaks down has refused nothing.
    assert_eq!(verdicts.len(), exports.len(), "{judge:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(i32::from(verdicts.iter().any(Result::is_err))));
    verdicts
}

/// Go's verdicts and Python's, on exports by a policy and with an older checkpoint.
fn judged(judges: &Path, policy: &Path, older: Option<&Path>, exports: &[Export]) -> [Vec<Verdict>; 2] {
    let (mut go, mut python) = (Command::new(judges.join("judge")), Command::new(judges.join("venv/bin/python")));
    go.arg("-policy").arg(policy);
    python.arg(judges.join("judge.py")).arg("--policy").arg(policy);
    if let Some(older) = older {
        go.arg("-older").arg(older);
        python.arg("--older").arg(older);
    }
    let folders: Vec<Folder> = exports.iter().map(Export::write).collect();
    [asked(go, &folders), asked(python, &folders)]
}

#[test]
fn the_judges_accept_what_is_good_and_refuse_every_mutant() {
    let Some(judges) = std::env::var_os("LINDUNG_JUDGES").map(PathBuf::from) else {
        // Past the test's own capture, which would keep it from whoever should see it.
        writeln!(std::io::stderr(), "SKIPPED: the judges are not there (make verify)").unwrap();
        return;
    };
    let keep = Folder::new();
    let trusted = keep.put("policy", &export::policy("quorum"));
    let log_alone = keep.put("log-alone", &export::policy("none"));
    let (mut accepted, mut refused) = (0, 0);
    let mut accept = |log: &Log, older: Option<&Path>, exports: &[Export]| {
        let right = format!("size={} root={}", log.0.len(), log.root());
        for verdict in judged(&judges, &trusted, older, exports).concat() {
            assert_eq!(verdict, Ok(right.clone()));
            accepted += 1;
        }
    };
    let mut refuse = |policy: &Path, older: Option<&Path>, mutants: Vec<Mutant>| {
        let (names, exports): (Vec<_>, Vec<_>) = mutants.into_iter().map(|it| (it.what, it.export)).unzip();
        for verdicts in judged(&judges, policy, older, &exports) {
            for (what, verdict) in names.iter().zip(verdicts) {
                assert!(verdict.is_err(), "{what} is accepted: {verdict:?}");
                refused += 1;
            }
        }
    };

    let sizes = [1, 255, 256, 257, 600];
    for (at, size) in sizes.into_iter().enumerate() {
        let log = Log::of(size);
        let good = log.export(&log.checkpoint(3));
        let kept = keep.put("kept", &log.checkpoint(3));
        accept(&log, None, std::slice::from_ref(&good));
        accept(&log, Some(&kept), &[good.clone().without_entries()]);
        for earlier in &sizes[..at] {
            let older = keep.put("older", &Log(log.0[..*earlier].to_vec()).checkpoint(3));
            accept(&log, Some(&older), std::slice::from_ref(&good));
        }
        let mutants = mutants(&log);
        // Even who trusts the log's key alone finds what it signs anew, with a checkpoint that was kept.
        let signed = mutants.iter().filter(|it| it.signed).cloned().collect();
        refuse(&log_alone, Some(&kept), signed);
        refuse(&trusted, None, mutants);
    }
    println!("the judges accepted {accepted} good exports, and refused {refused} altered ones");
}
