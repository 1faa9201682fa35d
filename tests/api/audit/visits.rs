//! Visits: what auditors pull is what the database has, and nothing is found where nothing was done.

use std::fs;

use lindung_audit::verify::{Counts, Verdict};
use lindung_tests::TestApp;
use serde_json::Value;

use super::{Desk, POLICE, SCHOOL, seals, shared_case, works};

/// Nothing was found.
#[track_caller]
fn holds(verdict: &Verdict) {
    assert_eq!(verdict.findings.told, [], "{}", verdict.findings.table());
    assert!(verdict.findings.is_empty());
}

#[actix_web::test]
async fn what_auditors_pull_holds_and_is_what_the_database_has() {
    let app = TestApp::start_requiring_proofs().await;
    let desk = Desk::of(&app);
    let (case, erased) = (shared_case(&app).await, shared_case(&app).await);
    works(&app, &case, 2).await;
    works(&app, &erased, 1).await;
    seals(&app, 4);
    desk.keeps(&app);
    app.erases(SCHOOL, &erased).await;
    assert_eq!(app.sequence().erasures, 1);
    let size = seals(&app, 3);

    // The office that sees all.
    let pulled = desk.pulls(&app, "PP", "all").await.unwrap();
    assert_eq!((pulled.size, pulled.before, pulled.entries), (size, 0, true));
    let child = case.child_id(0);
    let verdict = desk.verifies("all", Some(child));
    holds(&verdict);
    let count = |from: &str| u64::try_from(app.database.count(from)).unwrap();
    let leaves = |of: &str| count(&format!("access_leaves where number < {size} and {of}"));
    let counts = Counts {
        entries: size,
        unread: 0,
        opened: count(&format!("access_openings where number < {size}")),
        erased: leaves("kind = 'access' and number not in (select number from access_openings)"),
        accesses: leaves("kind = 'access'"),
        // Of the pull's own, as many as the list had when it was read.
        unsealed: verdict.counts.unsealed,
    };
    assert_eq!(verdict.counts, counts);
    assert!(counts.erased >= 10 && counts.opened > 50, "{counts:?}");
    assert_eq!(verdict.witnesses.len(), 3);

    // A child's accesses are those that the API tells.
    let recount = verdict.child.unwrap();
    app.database.settle();
    let auditor = app.auditor("PP").await;
    let told = auditor.get(&format!("/v1/access-log?case={}&limit=1000", case.id)).await;
    let shows = |it: &&Value| it["childIds"].as_array().unwrap().contains(&Value::from(child));
    assert_eq!(recount.entered, told.items().iter().filter(shows).count() as u64);
    assert_eq!(recount.told, recount.entered);
    assert!(recount.entered > 0);

    // An agency's own auditor.
    let pulled = desk.pulls(&app, POLICE, "police").await.unwrap();
    assert!(!pulled.entries, "the entries of others are not theirs");
    let verdict = desk.verifies("police", None);
    holds(&verdict);
    let theirs = leaves(&format!("(agency = '{POLICE}' or kind = 'erasure')"));
    assert_eq!((verdict.counts.entries, verdict.counts.unread), (theirs, size - theirs));
    assert_eq!(verdict.counts.accesses, theirs - 1);
    assert!(verdict.counts.erased > 0);
    let pulled = desk.pulls(&app, "KPWKM.JKM", "nothing").await.unwrap();
    assert_eq!(pulled.size, size);
    let verdict = desk.verifies("nothing", None);
    holds(&verdict);
    assert_eq!(verdict.counts.entries, 1, "every auditor learns of an erasure");

    // And they come again.
    works(&app, &case, 1).await;
    desk.keeps(&app);
    let later = seals(&app, 5);
    for (agency, name, entries) in [("PP", "all", true), (POLICE, "police", false)] {
        let pulled = desk.pulls(&app, agency, name).await.unwrap();
        assert_eq!((pulled.size, pulled.before, pulled.entries), (later, size, entries));
        let verdict = desk.verifies(name, Some(child));
        holds(&verdict);
        let known = fs::read(desk.0.join(name).join(format!("checkpoint.{size}"))).unwrap();
        assert_eq!(known, fs::read(desk.0.join("kept")).unwrap(), "what was kept is what the witnesses have");
    }
}

#[actix_web::test]
async fn an_erasure_between_visits_is_forgotten_on_the_auditors_side() {
    let app = TestApp::start().await;
    let desk = Desk::of(&app);
    let case = shared_case(&app).await;
    works(&app, &case, 1).await;
    seals(&app, 5);
    desk.pulls(&app, "PP", "all").await.unwrap();
    let child = case.child_id(0);
    let tells = |file: &str| fs::read_to_string(desk.0.join("all").join(file)).unwrap().contains(child);
    assert!(tells("openings.ndjson") && tells("accesses.ndjson"));
    app.erases(SCHOOL, &case).await;
    app.sequence();
    seals(&app, 5);
    desk.pulls(&app, "PP", "all").await.unwrap();
    holds(&desk.verifies("all", Some(child)));
    assert!(!tells("openings.ndjson"));
}
