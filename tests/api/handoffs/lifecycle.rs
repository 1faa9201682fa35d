//! Asked, offered, declined, refused, withdrawn: who may, and in what order.

use lindung_tests::TestApp;
use serde_json::json;

use super::{POLICE, SCHOOL, WELFARE, lead, offer_to, offers, two_sides};

#[actix_web::test]
async fn an_offer_shows_what_is_in_the_case_and_nothing_of_what_it_says() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    let offer = offers(&school, &case, &welfare).await;
    let seen = welfare.get(&offer.path).await.is(200);
    assert_eq!(seen.body["status"], "offered");
    assert_eq!(seen.body["availableActions"], json!(["accept", "decline"]));
    assert_eq!(seen.body["caseReference"], case.body["reference"]);
    let items = seen.body["manifest"]["items"].as_array().unwrap();
    let sections: Vec<&str> = items.iter().filter_map(|it| it["section"].as_str()).collect();
    assert!(sections.contains(&"narrative") && sections.contains(&"identity"), "{sections:?}");
    assert!(!seen.body.to_string().contains("Aminah"));
    // The case itself stays out of sight, and where it is.
    welfare.get(&case.path).await.is_problem(404, "not-found");
    welfare.get(&format!("{}/sections/summary", case.path)).await.is_problem(404, "not-found");
    assert!(welfare.get("/v1/cases").await.items().is_empty());
    assert_eq!(welfare.get("/v1/handoffs").await.items().len(), 1);
    assert_eq!(lead(&app, &case), SCHOOL);
    let stranger = app.supervisor("KK.MCMC").await;
    stranger.get(&offer.path).await.is_problem(404, "not-found");
    stranger.act(&offer, "accept", &json!({})).await.is_problem(404, "not-found");
    let coordinator = app.coordinator().await;
    let header = coordinator.get(&offer.path).await.is(200);
    assert_eq!((header.body.get("offerReason"), header.body.get("manifest")), (None, None));
    coordinator.act(&offer, "accept", &json!({})).await.is_problem(403, "not-yours-to-do");
}

#[actix_web::test]
async fn only_supervisors_offer_and_answer() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    let (teacher, worker) = (app.officer(SCHOOL).await, app.officer(WELFARE).await);
    let path = format!("{}/handoffs", case.path);
    teacher.post(&path, &offer_to(WELFARE)).await.is_problem(403, "not-yours-to-do");
    welfare.post(&path, &offer_to(POLICE)).await.is_problem(404, "not-found");
    let offer = offers(&school, &case, &welfare).await;
    worker.get(&offer.path).await.is(200);
    for action in ["accept", "decline"] {
        let body = if action == "accept" { json!({}) } else { json!({ "reason": "No." }) };
        worker.act(&offer, action, &body).await.is_problem(403, "not-yours-to-do");
        school.act(&offer, action, &body).await.is_problem(403, "not-yours-to-do");
    }
    welfare.act(&offer, "withdraw", &json!({})).await.is_problem(403, "not-yours-to-do");
    let path = format!("{}/accept", offer.path);
    welfare.send("POST", &path, &[], Some(&json!({}))).await.is_problem(428, "precondition-required");
    welfare.send("POST", &path, &[("if-match", "\"9\"")], Some(&json!({}))).await.is_problem(412, "stale");
    school.does(&offer, "withdraw", json!({})).await;
    let refused = welfare.act_anyhow(&offer, "accept", &json!({})).await.is_problem(409, "not-now");
    assert_eq!(refused.body["allowedActions"], json!([]));
}

#[actix_web::test]
async fn a_case_is_offered_to_one_at_a_time_and_not_closed_meanwhile() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    let offer = offers(&school, &case, &welfare).await;
    let again = school.post(&format!("{}/handoffs", case.path), &offer_to(POLICE)).await.is_problem(409, "not-now");
    assert_eq!(again.body["openHandoffs"], json!([offer.id]));
    let closing = school.act_anyhow(&case, "close", &json!({ "outcome": "charged" })).await.is_problem(409, "not-now");
    assert_eq!(closing.body["openHandoffs"], json!([offer.id]));
    welfare.does(&offer, "decline", json!({ "reason": "Not our area." })).await;
    assert_eq!(school.get(&offer.path).await.body["answerReason"], "Not our area.");
    offers(&school, &case, &app.supervisor(POLICE).await).await;
    assert_eq!(lead(&app, &case), SCHOOL);
}

#[actix_web::test]
async fn whom_it_cannot_be_offered_to_is_told_by_field() {
    let app = TestApp::start().await;
    let (school, _, case) = two_sides(&app).await;
    let path = format!("{}/handoffs", case.path);
    school.post(&path, &offer_to(SCHOOL)).await.is_problem(422, "invalid").about("to", "own-agency");
    school.post(&path, &offer_to("KPM.SEKOLAH")).await.is_problem(422, "invalid").about("to", "not-a-party");
    school.post(&path, &offer_to("XX.YY")).await.is_problem(422, "invalid").about("to", "unknown-agency");
    school.shields(&case.path, &[SCHOOL]).await.is(200);
    school.post(&path, &offer_to(WELFARE)).await.is_problem(422, "invalid").about("to", "shielded");
}

#[actix_web::test]
async fn an_agency_with_a_live_grant_asks_and_is_offered_or_refused() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    let path = format!("{}/handoffs/ask", case.path);
    let why = json!({ "reason": "We have the family already." });
    welfare.post(&path, &why).await.is_problem(404, "not-found");
    let sent = school.refers(&case, &welfare).await;
    welfare.does(&sent, "accept", json!({})).await;
    app.officer(WELFARE).await.post(&path, &why).await.is_problem(403, "not-yours-to-do");
    school.post(&path, &why).await.is_problem(409, "not-now");
    let ask = welfare.post(&path, &why).await.is(201).reference();
    welfare.post(&path, &why).await.is_problem(409, "not-now");
    assert_eq!(school.get("/v1/handoffs").await.items()[0]["status"], "asked");
    school.does(&ask, "refuse", json!({ "reason": "Not yet." })).await;
    let ask = welfare.post(&path, &why).await.is(201).reference();
    let offer = school.does(&ask, "offer", json!({ "keeps": "read-only", "reason": "Now." })).await;
    assert_eq!(offer.body["status"], "offered");
    welfare.does(&offer, "accept", json!({})).await;
    assert_eq!(lead(&app, &case), WELFARE);
}

#[actix_web::test]
async fn closing_a_case_withdraws_what_was_asked() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    let sent = school.refers(&case, &welfare).await;
    let taken = welfare.does(&sent, "accept", json!({})).await;
    let ask =
        welfare.post(&format!("{}/handoffs/ask", case.path), &json!({ "reason": "Ours." })).await.is(201).reference();
    welfare.does(&taken, "complete", json!({ "outcome": "service-provided", "summary": "Done." })).await;
    school.act_anyhow(&case, "close", &json!({ "outcome": "service-provided" })).await.is(200);
    let seen = welfare.get(&ask.path).await.is(200);
    assert_eq!((seen.body["status"].as_str(), seen.body["availableActions"].clone()), (Some("withdrawn"), json!([])));
    let causes = "select count(distinct causation_id) as n from events where kind ~ '(case.closed|handoff.withdrawn)$'";
    assert_eq!(app.database.rows(causes)[0]["n"], 1, "one command");
}
