//! `ETag` and `If-Match` (RFC 9110): nobody overwrites what they have not seen.

use lindung_tests::TestApp;
use serde_json::{Value, json};

fn header(priority: &str) -> Value {
    json!({ "priority": priority, "offences": [], "grounds": [], "techniques": [] })
}

#[actix_web::test]
async fn every_read_and_change_tells_the_version() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;

    let opened = school.post("/v1/cases", &lindung_tests::case_body()).await.is(201);
    assert_eq!(opened.header("etag"), Some("\"1\""));
    assert_eq!(opened.header("location"), opened.body["links"]["self"].as_str());
    let case = opened.reference();
    assert_eq!(school.get(&case.path).await.header("etag"), Some("\"1\""));
    assert_eq!(school.put(&case.path, 1, &header("routine")).await.header("etag"), Some("\"2\""));
    assert_eq!(school.get(&case.path).await.header("etag"), Some("\"2\""));

    let plan = format!("{}/sections/plan", case.path);
    assert_eq!(school.get(&plan).await.header("etag"), Some("\"0\""));
    assert_eq!(school.put(&plan, 0, &json!({ "text": "Watch." })).await.header("etag"), Some("\"1\""));
    assert_eq!(school.get(&plan).await.header("etag"), Some("\"1\""));

    let terms = lindung_tests::referral_body("KDN.PDRM.D11");
    let made = school.post(&format!("{}/referrals", case.path), &terms).await.is(201);
    assert_eq!(made.header("etag"), Some("\"1\""));
    assert_eq!(made.header("location"), made.body["links"]["self"].as_str());
    let referral = made.reference();
    assert_eq!(school.get(&referral.path).await.header("etag"), Some("\"1\""));
    assert_eq!(police.act(&referral, "receive", &json!({})).await.header("etag"), Some("\"2\""));
    assert!(school.get("/v1/agencies/KDN.PDRM.D11").await.header("etag").is_some());

    let added = school.post(&format!("{}/children", case.path), &json!({})).await.is(201);
    assert_eq!(added.header("location"), added.body["links"]["self"].as_str());
    school.get(added.header("location").unwrap()).await.is(200);
}

#[actix_web::test]
async fn a_change_needs_the_version_that_is_there() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    for (tag, status, problem) in [
        ("\"1\"", 200, ""),
        ("*", 200, ""),
        ("  \"1\"  ", 200, ""),
        ("W/\"1\"", 412, "stale"),
        ("\"0\"", 412, "stale"),
        ("\"2\"", 412, "stale"),
        ("\"abc\"", 412, "stale"),
        ("\"\"", 412, "stale"),
        ("\"+1\"", 412, "stale"),
        ("\"01\"", 412, "stale"),
        ("\"-1\"", 412, "stale"),
        ("\"9223372036854775808\"", 412, "stale"),
        ("\"1\", \"2\"", 400, "malformed"),
        ("1", 400, "malformed"),
        ("\"1", 400, "malformed"),
        ("\"", 400, "malformed"),
        ("w/\"1\"", 400, "malformed"),
        ("", 400, "malformed"),
        ("Aminah", 400, "malformed"),
    ] {
        let case = school.opens_case().await;
        let answered = school.send("PUT", &case.path, &[("if-match", tag)], Some(&header("routine"))).await.is(status);
        assert_eq!(answered.problem().unwrap_or_default(), problem);
        if problem == "malformed" {
            answered.about("If-Match", "entity-tag");
        }
    }
}

#[actix_web::test]
async fn without_if_match_nothing_is_changed() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;
    let case = school.opens_case().await;
    let referral = school.refers(&case, &police).await;
    let nothing = json!({});
    for (session, method, path, body) in [
        (&school, "PUT", case.path.clone(), header("routine")),
        (&school, "PUT", format!("{}/sections/plan", case.path), json!({ "text": "Watch." })),
        (&school, "POST", format!("{}/close", case.path), json!({ "outcome": "other" })),
        (&police, "POST", format!("{}/accept", referral.path), nothing.clone()),
        // Whose it is, is asked later.
        (&police, "PUT", format!("{}/sections/plan", case.path), json!({ "text": "Watch." })),
        (&police, "POST", format!("/v1/referrals/{}/accept", super::NOBODY), nothing.clone()),
    ] {
        session.send(method, &path, &[], Some(&body)).await.is_problem(428, "precondition-required");
    }
    let twice = [("if-match", "\"1\""), ("if-match", "\"1\"")];
    school.send("PUT", &case.path, &twice, Some(&header("routine"))).await.is_problem(400, "malformed");
    assert_eq!(school.get(&case.path).await.body["version"], 1);
}

#[actix_web::test]
async fn what_is_added_needs_no_if_match_but_heeds_one() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let children = format!("{}/children", case.path);
    let with = |key: &'static str, tag: &'static str| [("idempotency-key", key), ("if-match", tag)];
    school.send("POST", &children, &with("one", "\"9\""), Some(&json!({}))).await.is_problem(412, "stale");
    school.send("POST", &children, &with("two", "\"1\""), Some(&json!({}))).await.is(201);
    school.post(&children, &json!({})).await.is(201);
}
