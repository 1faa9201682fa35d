//! Suspension: from the next request on, whatever token is held.

use lindung_tests::{Session, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

const AT: &str = "/v1/suspensions";

fn officer() -> Value {
    json!({ "agency": "KDN.PDRM.D11", "officer": "officer.one", "reason": "Under inquiry." })
}

fn client() -> Value {
    json!({ "client": "kdn-system", "reason": "Its key may be stolen." })
}

async fn lifts(who: &Session, id: &Value) -> lindung_tests::Answered {
    who.post(&format!("{AT}/{}/lift", id.as_str().unwrap()), &json!({})).await
}

#[rstest]
#[case::an_officer(officer(), false)]
#[case::a_client(client(), true)]
#[actix_web::test]
async fn it_holds_from_the_next_request_on_until_it_is_lifted(#[case] whom: Value, #[case] all: bool) {
    let app = TestApp::start().await;
    let administrator = app.administrator("PP").await;
    let (suspect, colleague) = (app.officer("KDN.PDRM.D11").await, app.supervisor("KDN.PDRM.D11").await);
    let case = suspect.opens_case().await;
    let suspended = administrator.post(AT, &whom).await.is(201);
    for path in ["/v1/cases", "/v1/inbox", "/v1/code-lists", &case.path] {
        suspect.get(path).await.is_problem(401, "unauthenticated");
        colleague.get(path).await.is(if all { 401 } else { 200 });
    }
    suspect.post("/v1/cases", &lindung_tests::case_body()).await.is_problem(401, "unauthenticated");
    // Nor does an emergency tell them whether there is such a case.
    for reference in [case.body["reference"].as_str().unwrap(), "LDG-2026-999999"] {
        let asked = json!({ "reference": reference, "code": "other", "reason": "It is said to be very urgent." });
        suspect.post("/v1/emergency-accesses", &asked).await.is_problem(401, "unauthenticated");
    }
    assert_eq!(app.database.count("cases"), 1);
    let speaker =
        lindung_client::Speaker::officer("KDN.PDRM.D11", "officer.one", "N", &["officer"], Some("investigation"));
    let credentials = app.credentials("KDN.PDRM.D11");
    assert!(app.api.token_at(credentials, &speaker, app.now()).await.is_err(), "and there is no new token");

    lifts(&administrator, &suspended.body["id"]).await.is(200);
    suspect.get(&case.path).await.is(200);
    lifts(&administrator, &suspended.body["id"]).await.is_problem(409, "not-now");
    assert!(app.api.token_at(credentials, &speaker, app.now()).await.is_ok());
}

#[actix_web::test]
async fn administrators_suspend_their_own_and_the_secretariats_everybody() {
    let app = TestApp::start().await;
    let (own, above) = (app.administrator("KDN.PDRM.D11").await, app.administrator("KDN").await);
    let (other, secretariat) = (app.administrator("KPM").await, app.administrator("PP").await);
    other.post(AT, &officer()).await.is_problem(403, "not-yours-to-do");
    own.post(AT, &client()).await.is_problem(403, "not-yours-to-do");
    for who in [&app.supervisor("KDN.PDRM.D11").await, &app.auditor("PP").await, &app.client("KDN").await] {
        who.post(AT, &officer()).await.is_problem(403, "not-yours-to-do");
    }
    for who in [&own, &above, &secretariat] {
        let made = who.post(AT, &officer()).await.is(201);
        who.post(AT, &officer()).await.is_problem(409, "exists");
        lifts(&other, &made.body["id"]).await.is_problem(404, "not-found");
        lifts(who, &made.body["id"]).await.is(200);
    }
    let listed = |page: lindung_tests::Answered| page.items().len();
    assert_eq!(listed(above.get(AT).await), 3);
    assert_eq!(listed(secretariat.get(AT).await), 3);
    assert_eq!(listed(other.get(AT).await), 0);
    app.officer("KDN.PDRM.D11").await.get(AT).await.is_problem(403, "not-yours-to-do");
    let actions = "select count(*) as n from access_log where action = 'create_suspension' and outcome = 'permitted'";
    assert_eq!(app.database.rows(actions), [json!({ "n": 3 })], "each is logged");
}

#[rstest]
#[case(json!({ "reason": "x" }), "officer", "one-of")]
#[case(json!({ "agency": "KDN", "client": "kdn-system", "reason": "x" }), "officer", "one-of")]
#[case(json!({ "client": "nobody", "reason": "x" }), "client", "unknown")]
#[case(json!({ "agency": "NOWHERE", "officer": "x", "reason": "x" }), "agency", "unknown")]
#[case(json!({ "client": "kdn-system", "reason": " " }), "reason", "required")]
#[actix_web::test]
async fn what_cannot_be_taken_is_named(#[case] body: Value, #[case] field: &str, #[case] code: &str) {
    let app = TestApp::start().await;
    let administrator = app.administrator("PP").await;
    administrator.post(AT, &body).await.is_problem(422, "invalid").about(field, code);
}
