//! What goes wrong is told in RFC 9457's way, and never repeats what was sent.

use lindung_tests::{TestApp, case_body};
use serde_json::json;

use super::NOBODY;

#[actix_web::test]
async fn a_problem_has_type_title_and_status() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let missing = school.get(&format!("/v1/cases/{NOBODY}")).await.is_problem(404, "not-found");
    assert_eq!(missing.header("content-type"), Some("application/problem+json"));
    let told = json!({ "type": "urn:lindung:problem:not-found", "title": "Not found", "status": 404 });
    assert_eq!(missing.body, told);
}

#[actix_web::test]
async fn a_problem_with_a_field_names_it() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let mut body = case_body();
    body["offences"] = json!(["A792.15B", "A792.15B"]);
    let refused = school.post("/v1/cases", &body).await.is_problem(422, "invalid");
    let told = json!({
        "type": "urn:lindung:problem:invalid", "title": "A value cannot be taken", "status": 422,
        "errors": [{ "field": "offences[1]", "code": "duplicate", "message": "stands twice in the list" }],
    });
    assert_eq!(refused.body, told);
}

#[actix_web::test]
async fn a_stale_version_is_told_the_present_one() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let header = json!({ "priority": "routine", "offences": [], "grounds": [], "techniques": [] });
    let stale = school.put(&case.path, 7, &header).await.is_problem(412, "stale");
    assert_eq!(stale.header("etag"), Some("\"1\""));
    assert_eq!(stale.body["currentVersion"], 1);
}

#[actix_web::test]
async fn nothing_is_anywhere_else() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v2/cases",
        "/v1/cases/",
        "//v1/cases",
        "/v1/no-such",
        "/v1/cases/x/y/z",
        "/nowhere",
        "/v1/../livez",
    ] {
        let wire = app.answers(&school.raw("GET", path)).await;
        assert_eq!((wire.status, wire.problem().as_deref()), (404, Some("not-found")), "{path}");
    }
}

#[actix_web::test]
async fn somebody_without_a_token_is_told_nothing_of_what_is_there() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    for path in [case.path.as_str(), &format!("/v1/cases/{NOBODY}"), "/v1/cases?limit=0", "/v1/access-log"] {
        let reply = app.raw("GET", path, &[("accept", "text/html")], None).await;
        assert_eq!((reply.status, reply.problem()), (401, Some("unauthenticated")), "{path}");
        let challenges = "Bearer error=\"invalid_token\", DPoP error=\"invalid_token\", algs=\"EdDSA ES256 PS256\"";
        assert_eq!(reply.header("www-authenticate"), Some(challenges));
    }
}
