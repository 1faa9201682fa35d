//! Facts outside the system, in and out of order.

use chrono::Duration;
use insta::assert_snapshot;
use lindung_tests::{Answered, Ref, Session, TestApp, case_body};
use serde_json::{Value, json};

use super::{POLICE, SCHOOL, on, told};

async fn records(who: &Session, case: &Ref, kind: &str, at: &str, child: Option<&str>) -> Answered {
    let mut body = json!({ "kind": kind, "occurredAt": at });
    if let Some(child) = child {
        body["child"] = json!(child);
    }
    who.post(&format!("{}/occurrences", case.path), &body).await
}

#[actix_web::test]
async fn a_clock_of_the_law_runs_from_when_it_happened() {
    let app = TestApp::start().await;
    let (school, coordinator) = (app.officer(SCHOOL).await, app.coordinator().await);
    let case = school.opens_case().await;
    records(&school, &case, "custody-taken", "2026-11-23T20:00:00Z", None).await.is(201);
    assert_snapshot!(on(&school, &case).await, @"custody-before-protector 2026-11-24T08:00:00Z running");
    assert_eq!(on(&coordinator, &case).await, on(&school, &case).await);
    // What happened before it meets nothing; what happens to another clock does not either.
    records(&school, &case, "brought-before-protector", "2026-11-23T19:59:59Z", None).await.is(201);
    records(&school, &case, "examined", "2026-11-23T21:00:00Z", None).await.is(201);
    app.wait(Duration::hours(6));
    assert_eq!((app.work(), app.work()), (1, 0), "overdue and escalated at once");
    let school = app.officer(SCHOOL).await;
    records(&school, &case, "brought-before-protector", "2026-11-24T07:00:00Z", None).await.is(201);
    assert_eq!(on(&school, &case).await, "");
    assert_snapshot!(told(&school, &case).await, @"
    case.opened
    occurrence.custody-taken
    occurrence.brought-before-protector
    occurrence.examined
    clock.overdue custody-before-protector
    clock.escalated custody-before-protector
    occurrence.brought-before-protector
    clock.met custody-before-protector
    ");
    let listed = school.get(&format!("{}/occurrences", case.path)).await;
    let kinds: Vec<&str> = listed.items().iter().filter_map(|it| it["kind"].as_str()).collect();
    assert_eq!(kinds, ["custody-taken", "brought-before-protector", "examined", "brought-before-protector"]);
}

#[actix_web::test]
async fn a_start_that_is_recorded_late_finds_what_met_it() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = school.opens_case().await;
    records(&school, &case, "examined", "2026-11-22T00:00:00Z", None).await.is(201);
    records(&school, &case, "examined", "2026-11-23T01:00:00Z", None).await.is(201);
    records(&school, &case, "examination-directed", "2026-11-23T00:00:00Z", None).await.is(201);
    assert_eq!(on(&school, &case).await, "");
    let kept = app.database.rows("select ended, to_json(ended_at at time zone 'UTC') as at from clocks");
    assert_eq!(json!(kept), json!([{ "ended": "met", "at": "2026-11-23T01:00:00" }]));
    assert!(told(&school, &case).await.ends_with("clock.met medical-direction"));
}

#[actix_web::test]
async fn who_may_record_what_and_when() {
    let app = TestApp::start().await;
    let (school, police) = (app.supervisor(SCHOOL).await, app.officer(POLICE).await);
    let mut body = case_body();
    body["children"].as_array_mut().unwrap().push(json!({}));
    let case = school.post("/v1/cases", &body).await.is(201).reference();
    let (first, second) = (case.child_id(0), case.child_id(1));
    let (now, kind) = ("2026-11-24T02:00:00Z", "placed-in-care");
    records(&school, &case, kind, now, None).await.is(422).about("child", "required");
    records(&school, &case, kind, "2026-11-24T02:00:01Z", Some(first)).await.is(422).about("occurredAt", "past");
    records(&school, &case, kind, "0001-01-01T00:00:00Z", Some(first)).await.is(422).about("occurredAt", "past");
    records(&police, &case, kind, now, Some(first)).await.is_problem(404, "not-found");
    let mut terms = lindung_tests::referral_body(POLICE);
    terms["children"] = json!([first]);
    let sent = school.refers_in(&case, &terms).await;
    police.does(&sent, "accept", json!({})).await;
    records(&police, &case, kind, now, Some(second)).await.is_problem(404, "not-found");
    records(&school, &case, kind, now, Some(second)).await.is(201);
    records(&police, &case, kind, now, Some(first)).await.is(201);
    let seen = async |who: &Session| {
        let page = who.get(&format!("{}/occurrences", case.path)).await;
        let of: Vec<Value> = page.items().iter().map(|it| it["child"].clone()).collect();
        (of, on(who, &case).await.lines().count())
    };
    assert_eq!(seen(&police).await, (vec![json!(first)], 1), "of the child that was shared");
    assert_eq!(seen(&school).await, (vec![json!(second), json!(first)], 2));
    app.coordinator().await.get(&format!("{}/occurrences", case.path)).await.is_problem(403, "not-yours-to-do");

    school.shields(&format!("{}/children/{first}", case.path), &[SCHOOL]).await.is(200);
    records(&police, &case, kind, now, Some(first)).await.is_problem(404, "not-found");
    assert_eq!(seen(&police).await, (vec![], 0));
    assert_eq!(on(&app.coordinator().await, &case).await.lines().count(), 1);
}
