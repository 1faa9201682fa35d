//! Asked, refused, deferred, taken back: who may, in what order, and by when.

use chrono::Duration;
use lindung_tests::TestApp;
use serde_json::json;

use super::{POLICE, SCHOOL, asking, asks, refusal, told, two_sides};

#[actix_web::test]
async fn both_sides_read_it_coordinators_without_words_and_strangers_not_at_all() {
    let app = TestApp::start().await;
    let (school, police, request) = two_sides(&app).await;
    assert_eq!(request.body["reference"], "DSR-2026-000001");
    for side in [&school, &police] {
        let seen = side.get(&request.path).await.is(200);
        assert_eq!(seen.body["dataRequested"], asking()["dataRequested"]);
        assert_eq!((&seen.body["status"], &seen.body["requester"]), (&json!("received"), &json!(POLICE)));
        assert_eq!(seen.body["clocks"][0]["code"], "data-sharing-response");
        assert_eq!(seen.body["clocks"][0]["dueAt"], "2026-12-08T16:00:00Z");
    }
    let actions = async |who: &lindung_tests::Session| who.get(&request.path).await.body["availableActions"].clone();
    assert_eq!(actions(&school).await, json!(["grant", "refuse", "defer"]));
    assert_eq!(actions(&police).await, json!(["withdraw"]));
    assert_eq!(actions(&app.officer(SCHOOL).await).await, json!([]));
    let coordinator = app.coordinator().await;
    let header = coordinator.get(&request.path).await.is(200);
    assert!(!header.body.to_string().contains("threat"), "{}", header.body);
    assert_eq!(header.body["clocks"].as_array().unwrap().len(), 1);
    let stranger = app.supervisor("KK.MCMC").await;
    stranger.get(&request.path).await.is_problem(404, "not-found");
    stranger.act(&request, "refuse", &refusal()).await.is_problem(404, "not-found");
    assert!(stranger.get("/v1/data-sharing-requests").await.items().is_empty());
    for (who, query, count) in [
        (&school, "?side=provider&status=received", 1),
        (&school, "?side=requester", 0),
        (&police, "?side=requester&limit=1", 1),
        (&police, "?status=granted", 0),
        (&coordinator, "", 1),
    ] {
        let page = who.get(&format!("/v1/data-sharing-requests{query}")).await;
        assert_eq!(page.items().len(), count, "{query}");
    }
    assert!(school.get("/v1/clocks?state=running&code=data-sharing-response").await.items().len() == 1);
}

#[actix_web::test]
async fn a_request_sent_twice_is_made_once() {
    let app = TestApp::start().await;
    let police = app.officer(POLICE).await;
    let key = [("idempotency-key", "one")];
    let first = police.send("POST", "/v1/data-sharing-requests", &key, Some(&asking())).await.is(201);
    let again = police.send("POST", "/v1/data-sharing-requests", &key, Some(&asking())).await.is(201);
    assert_eq!((again.body.clone(), again.header("idempotency-replayed")), (first.body.clone(), Some("true")));
    assert_eq!(app.database.count("data_sharing_requests"), 1);
    let school = app.supervisor(SCHOOL).await;
    let path = format!("/v1/data-sharing-requests/{}/refuse", first.body["id"].as_str().unwrap());
    let headers = [("idempotency-key", "two"), ("if-match", "\"1\"")];
    school.send("POST", &path, &headers, Some(&refusal())).await.is(200);
    let again = school.send("POST", &path, &headers, Some(&refusal())).await.is(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[actix_web::test]
async fn what_cannot_be_asked_is_told_by_field() {
    let app = TestApp::start().await;
    let police = app.officer(POLICE).await;
    for (field, value, code) in [
        ("provider", json!(POLICE), "own-agency"),
        ("provider", json!("KPM.SEKOLAH"), "not-a-party"),
        ("provider", json!("XX.YY"), "unknown-agency"),
        ("handling", json!(""), "required"),
    ] {
        let mut body = asking();
        body[field] = value;
        police.post("/v1/data-sharing-requests", &body).await.is_problem(422, "invalid").about(field, code);
    }
    let mut body = asking();
    body["case"] = json!("LDG-2026-000001");
    police.post("/v1/data-sharing-requests", &body).await.is_problem(400, "malformed").about("case", "unknown");
    body = asking();
    body["purpose"] = json!("A864.13.z");
    police.post("/v1/data-sharing-requests", &body).await.is_problem(400, "malformed").about("purpose", "unknown-code");
    app.coordinator().await.post("/v1/data-sharing-requests", &asking()).await.is_problem(403, "not-yours-to-do");
}

#[actix_web::test]
async fn answers_come_in_order() {
    let app = TestApp::start().await;
    let (school, police, request) = two_sides(&app).await;
    let path = format!("{}/refuse", request.path);
    for who in [&police, &app.officer(SCHOOL).await, &app.coordinator().await] {
        who.act(&request, "refuse", &refusal()).await.is_problem(403, "not-yours-to-do");
    }
    school.act(&request, "withdraw", &json!({})).await.is_problem(403, "not-yours-to-do");
    school.send("POST", &path, &[], Some(&refusal())).await.is_problem(428, "precondition-required");
    school.send("POST", &path, &[("if-match", "\"9\"")], Some(&refusal())).await.is_problem(412, "stale");
    let none = json!({ "grounds": [], "reason": "No." });
    school.act(&request, "refuse", &none).await.is_problem(422, "invalid").about("grounds", "length");
    let past = json!({ "reason": "Later.", "until": "2026-01-01T00:00:00Z" });
    school.act(&request, "defer", &past).await.is_problem(422, "invalid").about("until", "future");
    let refused = school.does(&request, "refuse", refusal()).await;
    assert_eq!(refused.body["status"], "refused");
    let seen = police.get(&request.path).await.is(200);
    assert_eq!(seen.body["grounds"], json!(["A864.15.e"]));
    assert_eq!(seen.body["refuseReason"], "It is before the court.");
    assert_eq!(seen.body["clocks"], json!([]));
    let late = police.act(&refused, "withdraw", &json!({})).await.is_problem(409, "not-now");
    assert_eq!(late.body["allowedActions"], json!([]));
    assert_eq!(told(&app, &request), ["data-sharing-request.received", "data-sharing-request.refused", "clock.met"]);
}

#[actix_web::test]
async fn the_requester_takes_it_back() {
    let app = TestApp::start().await;
    let (school, police, request) = two_sides(&app).await;
    police.does(&request, "withdraw", json!({})).await;
    assert_eq!(school.get(&request.path).await.body["status"], "withdrawn");
    assert_eq!(app.database.count("clocks where ended = 'void'"), 1);
    asks(&police).await;
}

#[actix_web::test]
async fn fourteen_days_pass_and_a_late_answer_is_late() {
    let app = TestApp::start().await;
    let (_, _, request) = two_sides(&app).await;
    app.wait(Duration::days(14));
    assert_eq!(app.work(), 0, "the fourteenth day has not ended");
    app.wait(Duration::days(1));
    assert_eq!((app.work(), app.work()), (1, 0));
    let school = app.supervisor(SCHOOL).await;
    assert_eq!(school.get(&request.path).await.body["clocks"][0]["state"], "overdue");
    assert_eq!(school.get("/v1/clocks").await.items().len(), 1);
    school.does(&request, "refuse", refusal()).await;
    assert_eq!(
        told(&app, &request),
        [
            "data-sharing-request.received",
            "clock.overdue",
            "clock.escalated",
            "data-sharing-request.refused",
            "clock.met"
        ]
    );
    let met = app.database.rows("select data->'late' as late from events where kind ~ 'clock.met$'");
    assert_eq!(met, [json!({ "late": true })]);
}

#[actix_web::test]
async fn a_deferral_sets_a_new_date_once() {
    let app = TestApp::start().await;
    let (school, _, request) = two_sides(&app).await;
    let later = json!({ "reason": "So many files.", "until": "2026-12-20T00:00:00Z" });
    let deferred = school.does(&request, "defer", later.clone()).await;
    let seen = school.get(&request.path).await.is(200);
    assert_eq!((&seen.body["deferReason"], &seen.body["status"]), (&json!("So many files."), &json!("deferred")));
    let clocks = seen.body["clocks"].as_array().unwrap();
    assert_eq!(clocks.len(), 1);
    assert_eq!(
        (&clocks[0]["code"], &clocks[0]["dueAt"]),
        (&json!("data-sharing-deferred"), &json!("2026-12-20T00:00:00Z"))
    );
    assert_eq!(seen.body["availableActions"], json!(["grant", "refuse"]));
    school.act(&deferred, "defer", &later).await.is_problem(409, "not-now");
    app.wait(Duration::days(26));
    assert_eq!(app.work(), 1);
    let school = app.supervisor(SCHOOL).await;
    assert_eq!(school.get(&request.path).await.body["clocks"][0]["state"], "overdue");
    school.does(&deferred, "refuse", refusal()).await;
}
