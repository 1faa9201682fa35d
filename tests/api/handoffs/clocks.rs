//! By when a handoff has to be answered, and what becomes of the clocks of a case that goes to another lead.

use chrono::Duration;
use lindung_tests::{TestApp, action_body};
use serde_json::{Value, json};

use super::{POLICE, SCHOOL, WELFARE, lead, offers, two_sides};

#[actix_web::test]
async fn what_nobody_answers_expires_and_the_lead_stays_who_it_is() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    let offer = offers(&school, &case, &welfare).await;
    let seen = welfare.get(&offer.path).await.is(200);
    let clock = &seen.body["clocks"][0];
    // 24:00 in Kuala Lumpur on the third day after the offer.
    assert_eq!(
        json!([clock["code"], clock["dueAt"], clock["state"]]),
        json!(["handoff-answer", "2026-11-27T16:00:00Z", "running"])
    );
    let listed = welfare.get("/v1/clocks?state=running").await;
    assert!(listed.items().iter().any(|it| it["subjectId"] == offer.id && it["holder"] == WELFARE), "{}", listed.body);

    app.wait(Duration::days(4));
    assert_eq!((app.work(), app.work()), (1, 0), "once");
    let (school, welfare) = (app.supervisor(SCHOOL).await, app.supervisor(WELFARE).await);
    let seen = welfare.get(&offer.path).await.is(200);
    assert_eq!((&seen.body["status"], &seen.body["clocks"]), (&json!("expired"), &json!([])));
    welfare.act_anyhow(&offer, "accept", &json!({})).await.is_problem(409, "not-now");
    assert_eq!(lead(&app, &case), SCHOOL);
    let told = app.database.rows(
        "select kind, recipients, agency from events where subject_type = 'handoff' and kind !~ 'offered$' order by case_version",
    );
    let kinds: Vec<&str> =
        told.iter().map(|it| it["kind"].as_str().unwrap().rsplit("lindung.").next().unwrap()).collect();
    assert_eq!(kinds, ["clock.overdue", "clock.escalated", "handoff.expired"]);
    assert!(told.iter().all(|it| it["recipients"] == json!([SCHOOL, WELFARE, "PP"])), "{told:?}");
    assert!(told.iter().all(|it| it["agency"] == Value::Null), "by itself");
    offers(&school, &case, &welfare).await;
}

#[actix_web::test]
async fn what_is_asked_waits_for_the_lead_and_an_answer_meets_it() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    welfare.does(&school.refers(&case, &welfare).await, "accept", json!({})).await;
    let ask =
        welfare.post(&format!("{}/handoffs/ask", case.path), &json!({ "reason": "Ours." })).await.is(201).reference();
    let listed = school.get("/v1/clocks?state=running").await;
    let clock = listed.items().iter().find(|it| it["subjectId"] == ask.id).unwrap().clone();
    assert_eq!(json!([clock["holder"], clock["asker"]]), json!([SCHOOL, WELFARE]));
    school.does(&ask, "refuse", json!({ "reason": "No." })).await;
    let met = "events where kind like '%clock.met' and data->>'clock' = 'handoff-answer'";
    assert_eq!(app.database.count(met), 1);
}

#[actix_web::test]
async fn running_clocks_go_to_the_new_lead() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    let police = app.officer(POLICE).await;
    let to_police = school.refers(&case, &police).await;
    let to_welfare = school.refers(&case, &welfare).await;
    let taken = json!({ "kind": "custody-taken", "occurredAt": app.now() });
    school.post(&format!("{}/occurrences", case.path), &taken).await.is(201);
    let offer = offers(&school, &case, &welfare).await;
    welfare.does(&offer, "accept", json!({})).await;

    let running =
        app.database.rows("select code, subject_type, asker, holder from clocks where ended_at is null order by code");
    let of = |code: &str, kind: &str, asker: &str, holder: &str| json!({ "code": code, "subject_type": kind, "asker": asker, "holder": holder });
    assert_eq!(
        running,
        [
            of("custody-before-protector", "child", WELFARE, WELFARE),
            of("referral-acknowledge", "referral", WELFARE, POLICE),
            of("referral-decide", "referral", WELFARE, POLICE),
        ]
    );
    assert_eq!(welfare.get(&to_welfare.path).await.body["clocks"], json!([]), "done by leading");
    let ended = "clocks where code = 'handoff-answer' and ended = 'met'";
    assert_eq!(app.database.count(ended), 1);
    police.act_anyhow(&to_police, "reject", &action_body("reject")).await.is(200);
    assert_eq!(app.database.count("clocks where ended_at is null and subject_type = 'referral'"), 0);
}
