//! Granted: the requester reads just what is shared, of just those cases, until then.

use chrono::Duration;
use lindung_tests::TestApp;
use serde_json::json;

use super::{POLICE, SCHOOL, sharing, told, two_sides};

#[actix_web::test]
async fn the_requester_reads_what_is_shared_and_nothing_else_until_then() {
    let app = TestApp::start().await;
    let (school, police, request) = two_sides(&app).await;
    let (first, second, third) = (school.opens_case().await, school.opens_case().await, school.opens_case().await);
    let mut body = sharing(&first, &["summary", "narrative"]);
    body["shares"].as_array_mut().unwrap().push(json!({
        "case": second.id, "sections": ["summary", "risk"], "children": [second.child_id(0)],
    }));
    body["conditions"] = json!("Not to be copied.");
    police.get(&first.path).await.is_problem(404, "not-found");
    let granted = school.does(&request, "grant", body).await;
    assert_eq!(granted.body["status"], "granted-with-conditions");
    assert_eq!(police.get(&request.path).await.body["conditions"], "Not to be copied.");

    police.get(&format!("{}/sections/narrative", first.path)).await.is(200);
    police.get(&format!("{}/sections/digital-evidence", first.path)).await.is_problem(403, "not-yours-to-do");
    police.get(&format!("{}/sections/risk", second.child(0))).await.is(200);
    police.get(&format!("{}/sections/narrative", second.path)).await.is_problem(403, "not-yours-to-do");
    police.get(&third.path).await.is_problem(404, "not-found");
    assert_eq!(police.get("/v1/cases").await.items().len(), 2);
    let referral = lindung_tests::referral_body("KPWKM.JKM");
    police.post(&format!("{}/referrals", first.path), &referral).await.is_problem(403, "not-yours-to-do");
    police
        .put(&format!("{}/sections/narrative", first.path), 1, &json!({ "text": "X" }))
        .await
        .is_problem(403, "not-yours-to-do");

    let grants = school.get(&format!("{}/grants", first.path)).await;
    let given = grants.items().iter().find(|it| it["source"] == "data-sharing").unwrap().clone();
    assert_eq!((&given["requestId"], &given["agency"]), (&json!(request.id), &json!(POLICE)));
    assert_eq!((&given["onward"], &given["contributes"]), (&json!(false), &json!([])));
    let timeline = school.get(&format!("{}/timeline", first.path)).await;
    assert_eq!(timeline.items().last().unwrap()["type"], "my.gov.lindung.grant.given");
    assert_eq!(told(&app, &request), ["data-sharing-request.received", "data-sharing-request.granted", "clock.met"]);
    let causes =
        "select count(distinct causation_id) as n from events where kind ~ '(grant.given|request.granted|clock.met)$'";
    assert_eq!(app.database.rows(causes)[0]["n"], 1, "one command");
    let logged = "select array_length(case_ids, 1) as cases, sections, rule from access_log where action = 'grant_data_request' and outcome = 'permitted'";
    assert_eq!(
        app.database.rows(logged),
        [json!({ "cases": 2, "sections": ["summary", "narrative", "risk"], "rule": "provider" })]
    );

    app.wait(Duration::days(30));
    let police = app.officer(POLICE).await;
    police.get(&first.path).await.is_problem(404, "not-found");
    assert_eq!(police.get(&request.path).await.body["status"], "granted-with-conditions");
}

#[actix_web::test]
async fn only_cases_that_the_provider_leads_are_shared() {
    let app = TestApp::start().await;
    let (school, _, request) = two_sides(&app).await;
    let (own, other) = (school.opens_case().await, app.supervisor("KPWKM.JKM").await.opens_case().await);
    let mut body = sharing(&own, &["summary"]);
    let grant = async |body: &serde_json::Value| school.act(&request, "grant", body).await;
    for unknown in [other.id.as_str(), "0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01"] {
        let shares = json!([body["shares"][0], { "case": unknown, "sections": ["summary"] }]);
        body["shares"] = shares;
        grant(&body).await.is_problem(422, "invalid").about("shares[1].case", "not-led");
    }
    body["shares"] = json!([body["shares"][0], body["shares"][0]]);
    grant(&body).await.is_problem(422, "invalid").about("shares[1].case", "duplicate");
    body["shares"] = json!([]);
    grant(&body).await.is_problem(422, "invalid").about("shares", "length");
    let mut body = sharing(&own, &["summary"]);
    body["shares"][0]["children"] = json!([other.child_id(0)]);
    grant(&body).await.is_problem(422, "invalid").about("shares[0].children[0]", "unknown-child");
    body = sharing(&own, &["summary"]);
    body["until"] = json!("2026-11-24T00:00:00Z");
    grant(&body).await.is_problem(422, "invalid").about("until", "future");
    body = sharing(&own, &["summary"]);
    body["purposes"] = json!(["emergency"]);
    grant(&body).await.is_problem(422, "invalid").about("purposes[0]", "not-of-work");
    assert_eq!(app.database.count("grants where source = 'data-sharing'"), 0);
    app.officer(SCHOOL)
        .await
        .act(&request, "grant", &sharing(&own, &["summary"]))
        .await
        .is_problem(403, "not-yours-to-do");
}

#[actix_web::test]
async fn what_a_shield_keeps_from_the_requester_is_not_shared() {
    let app = TestApp::start().await;
    let (school, _, request) = two_sides(&app).await;
    let (hidden, of_child) = (school.opens_case().await, school.opens_case().await);
    school.shields(&hidden.path, &[SCHOOL]).await.is(200);
    let child = format!("{}/children/{}", of_child.path, of_child.child_id(0));
    school.shields(&child, &[SCHOOL]).await.is(200);
    let refused = school.act(&request, "grant", &sharing(&hidden, &["summary"])).await;
    refused.is_problem(422, "invalid").about("shares[0].case", "shielded");
    let mut body = sharing(&of_child, &["summary"]);
    school.act(&request, "grant", &body).await.is_problem(422, "invalid").about("shares[0].children", "shielded");
    body["shares"][0]["children"] = json!([of_child.child_id(0)]);
    school.act(&request, "grant", &body).await.is_problem(422, "invalid").about("shares[0].children[0]", "shielded");
}
