//! Days and moments that no calendar reaches.

use lindung_tests::{TestApp, case_body, referral_body};
use serde_json::json;

use super::{is_well, opening, polite};

const BEYOND: [&str; 12] = [
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-23:59",
    "%2B10000-01-01T00:00:00Z",
    "%2B12000-01-01T00:00:00Z",
    "%2B262142-12-31T23:59:59Z",
    "%2B262143-01-01T00:00:00Z",
    "%2B999999999-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "-262143-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
];

#[actix_web::test]
async fn the_log_can_be_asked_for_any_time_there_is() {
    let app = TestApp::start().await;
    let auditor = app.auditor("PP").await;
    for time in BEYOND {
        for field in ["from", "until"] {
            polite(&app, &auditor.raw("GET", &format!("/v1/access-log?{field}={time}")), &[200, 400, 422]).await;
        }
    }
    assert_eq!(app.database.count("access_log where outcome = 'failed'"), 0);
}

#[actix_web::test]
async fn a_code_list_can_be_asked_for_on_any_day_there_is() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    for time in BEYOND.iter().filter_map(|it| it.split('T').next()) {
        polite(&app, &school.raw("GET", &format!("/v1/code-lists/offence?on={time}")), &[200, 400, 422]).await;
    }
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn a_cursor_can_be_made_up_of_any_time() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    for time in BEYOND {
        let place = json!({ "at": time.replace("%2B", "+"), "id": super::NOBODY }).to_string();
        let cursor = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, place);
        for list in ["cases", "inbox", "outbox"] {
            polite(&app, &school.raw("GET", &format!("/v1/{list}?cursor={cursor}")), &[200, 400, 422]).await;
        }
    }
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn what_was_taken_can_be_read_again() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;
    let case = school.opens_case().await;
    for time in BEYOND.map(|it| it.replace("%2B", "+")) {
        let referral = school.refers(&case, &police).await;
        let path = format!("{}/accept", referral.path);
        let request = police.raw("POST", &path).header("if-match", "*").json(json!({ "dueAt": time }).to_string());
        polite(&app, &request, &[200, 400, 422]).await;
        polite(&app, &police.raw("GET", &referral.path), &[200]).await;
        polite(&app, &police.raw("GET", "/v1/inbox"), &[200]).await;

        let mut terms = referral_body("KDN.PDRM.D11");
        terms["shares"][0]["basis"] = json!({ "kind": "override", "reason": "Danger.", "until": time });
        let path = format!("{}/referrals", case.path);
        let request = school.raw("POST", &path).header("idempotency-key", &time).json(terms.to_string());
        polite(&app, &request, &[201, 400, 422]).await;
        polite(&app, &police.raw("GET", &case.path), &[200]).await;
        polite(&app, &school.raw("GET", &path), &[200]).await;

        let mut body = case_body();
        body["children"][0]["sections"]["identity"]["birthDate"] = json!(time.split('T').next());
        let wire = polite(&app, &opening(&school, body.to_string()), &[201, 400, 422]).await;
        if wire.status == 201 {
            let opened: serde_json::Value = serde_json::from_str(&wire.body).unwrap();
            let identity = format!("{}/sections/identity", opened["children"][0]["links"]["self"].as_str().unwrap());
            polite(&app, &school.raw("GET", &identity), &[200]).await;
        }
    }
    is_well(&app, &school).await;
}

#[actix_web::test]
async fn an_end_that_nobody_lives_to_see_is_refused_by_name() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;
    let case = school.opens_case().await;
    let referral = school.refers(&case, &police).await;

    let mut body = referral_body(&police.agency);
    body["shares"][0]["basis"] = json!({ "kind": "override", "reason": "x", "until": "+12000-01-01T00:00:00Z" });
    let refused = school.post(&format!("{}/referrals", case.path), &body).await.is_problem(422, "invalid");
    refused.about("shares[0].basis.until", "future");

    let accept = json!({ "dueAt": "+12000-01-01T00:00:00Z" });
    police.act(&referral, "accept", &accept).await.is_problem(422, "invalid").about("dueAt", "future");

    let mut body = case_body();
    body["children"][0]["sections"]["identity"]["birthDate"] = json!("+12000-01-01");
    let refused = school.post("/v1/cases", &body).await.is_problem(422, "invalid");
    refused.about("children[0].sections.identity.birthDate", "range");
}
