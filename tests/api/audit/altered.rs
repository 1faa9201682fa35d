//! A thousand alterations by whoever may write to every table, and none that an auditor does not find.
//!
//! Each is one that changes what is told: rows of the access log, leaves, openings, tiles, checkpoints, alone or together,
//! up to a history that is rewritten throughout and signed again by the log's own key, and by witnesses who conspire.
//! Then auditors pull anew and verify against the policy and the checkpoint that they have from elsewhere. `xid` and
//! `sequenced_at` are part of no record: they are told to nobody, and not altered here.
//!
//! One of each kind in the suite; `LINDUNG_TEST_ALTERATIONS` asks for more, `LINDUNG_TEST_SEED` for others.

mod log;
mod rewritten;
mod rows;
mod sealed;

use std::collections::BTreeMap;

use chrono::Duration;
use lindung_audit::Failure;
use lindung_tests::{Dice, TestApp};

use self::log::{KEPT, Log};
use super::{Desk, MCMC, POLICE, SCHOOL, seals, shared_case, works};

/// What is done to the database.
struct Alteration {
    sql: String,
    /// Whose auditors look: one of them has to find it.
    auditors: Vec<String>,
    /// What becomes of tiles and checkpoint.
    sealed: Sealed,
}

/// What becomes of tiles and checkpoint.
enum Sealed {
    /// They stay as they are.
    Stay,
    /// The tiles are made anew of the leaves, and the checkpoint is signed anew by the log and so many witnesses.
    Again(usize),
    /// The same, by the log alone; the witnesses' signatures are those that were there.
    Forged,
}

impl Alteration {
    /// Of rows alone, which the office that sees all has to find.
    fn rows(sql: String) -> Self {
        Alteration { sql, auditors: vec!["PP".to_owned()], sealed: Sealed::Stay }
    }

    /// Of who is given them, which the auditors of those agencies have to find.
    fn of_readers(sql: String, agencies: &[&str]) -> Self {
        let auditors = agencies.iter().map(|it| (*it).to_owned()).collect();
        Alteration { sql, auditors, sealed: Sealed::Stay }
    }

    fn sealed(self, sealed: Sealed) -> Self {
        Alteration { sealed, ..self }
    }
}

/// How often a kind was tried, how often a pull and how often a verification has found it, and how at last.
#[derive(Default)]
struct Tried {
    all: u64,
    pulling: u64,
    verifying: u64,
    how: String,
}

/// A kind of alteration, and one of that kind.
type Kind = (&'static str, fn(&Log, &mut Dice) -> Alteration);

#[expect(clippy::disallowed_methods, reason = "how many, and which, is for whoever runs the tests to say")]
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|it| it.parse().expect("a number"))
}

/// A log of about 300 entries, witnessed twice.
async fn prepared() -> (TestApp, Desk, Log) {
    let app = TestApp::start().await;
    let desk = Desk::of(&app);
    let (case, erased) = (shared_case(&app).await, shared_case(&app).await);
    works(&app, &case, 5).await;
    works(&app, &erased, 4).await;
    seals(&app, 5);
    app.erases(SCHOOL, &erased).await;
    works(&app, &case, 7).await;
    // What is slipped in beside the entries is known by its date, once there are some that are later.
    let old = app.database.count("access_leaves");
    app.wait(Duration::minutes(20));
    for agency in [SCHOOL, POLICE, MCMC] {
        app.officer(agency).await.get(&case.path).await;
    }
    app.sequence();
    let size = seals(&app, 5);
    assert!((257..512).contains(&size), "a full and a partial tile: {size}");
    desk.keeps(&app);
    app.database.execute("create schema kept");
    for table in KEPT {
        app.database.execute(&format!("create table kept.{table} as table {table}"));
    }
    let log = Log::of(&app, old);
    (app, desk, log)
}

/// Who found it, and how; nobody where nothing was found.
async fn found(app: &TestApp, desk: &Desk, auditors: &[String]) -> Option<String> {
    for agency in auditors {
        let found = match desk.pulls(app, agency, "pulled").await {
            Ok(_) => {
                let findings = desk.verifies("pulled", None).findings;
                findings.told.first().map(|it| format!("verify: {}: {}", it.kind.as_str(), it.why))
            }
            Err(refused @ (Failure::Answer { .. } | Failure::Content { .. })) => Some(format!("pull: {refused}")),
            Err(failure) => panic!("{failure}"),
        };
        desk.clears("pulled");
        if found.is_some() {
            return found;
        }
    }
    None
}

#[actix_web::test]
async fn every_alteration_is_found() {
    let kinds: Vec<Kind> = [rows::KINDS, sealed::KINDS, rewritten::KINDS].concat();
    let count = asked("LINDUNG_TEST_ALTERATIONS").unwrap_or(kinds.len() as u64);
    let seed = asked("LINDUNG_TEST_SEED").unwrap_or(2026);
    let (app, desk, log) = prepared().await;
    let everybody = ["PP", "SUHAKAM.OCC", SCHOOL, POLICE, MCMC].map(str::to_owned);
    assert_eq!(found(&app, &desk, &everybody).await, None, "nothing was done yet");
    let mut dice = Dice::new(seed);
    let mut tried: BTreeMap<&str, Tried> = BTreeMap::new();
    let mut missed = Vec::new();
    for (kind, make) in kinds.iter().cycle().take(usize::try_from(count).unwrap()) {
        log.restores(&app);
        let alteration = loop {
            let alteration = make(&log, &mut dice);
            // Chance may choose what is there already.
            if log.alters(&app, &alteration) {
                break alteration;
            }
        };
        let tried = tried.entry(kind).or_default();
        tried.all += 1;
        match found(&app, &desk, &alteration.auditors).await {
            Some(how) if how.starts_with("pull") => (tried.pulling, tried.how) = (tried.pulling + 1, how),
            Some(how) => (tried.verifying, tried.how) = (tried.verifying + 1, how),
            None => missed.push(format!("{kind}: {}", alteration.sql)),
        }
    }
    log.restores(&app);
    assert_eq!(found(&app, &desk, &everybody).await, None, "and everything was undone");
    for (kind, Tried { all, pulling, verifying, how }) in &tried {
        let how: String = how.chars().take(110).collect();
        println!(
            "{kind}: {} of {all} found, {pulling} by pull and {verifying} by verify, as by {how}",
            pulling + verifying
        );
    }
    let all: u64 = tried.values().map(|it| it.pulling + it.verifying).sum();
    println!("{all} of {count} alterations found (seed {seed})");
    assert!(missed.is_empty(), "not found: {missed:#?}");
}
