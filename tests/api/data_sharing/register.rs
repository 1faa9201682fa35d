//! The register (Act 864 s.21): what was asked, how it was answered, and why not.

use chrono::Duration;
use lindung_tests::TestApp;
use serde_json::json;

use super::{SCHOOL, asking, asks, refusal, two_sides};

const REGISTER: &str = "/v1/data-sharing-requests/register";

#[actix_web::test]
async fn supervisors_read_their_own_agencys_and_coordinators_all() {
    let app = TestApp::start().await;
    let (school, police, request) = two_sides(&app).await;
    school.does(&request, "refuse", refusal()).await;
    asks(&police).await;
    app.wait(Duration::seconds(1));
    let page = school.get(REGISTER).await;
    assert_eq!(page.items().len(), 2);
    let first = &page.items()[0];
    assert_eq!((&first["reference"], &first["status"]), (&json!("DSR-2026-000001"), &json!("refused")));
    assert_eq!((&first["grounds"], &first["refuseReason"]), (&json!(["A864.15.e"]), &refusal()["reason"]));
    assert_eq!(first["dataRequested"], asking()["dataRequested"]);
    assert_eq!(app.coordinator().await.get(REGISTER).await.items().len(), 2);
    assert_eq!(app.supervisor(&police.agency).await.get(REGISTER).await.items().len(), 2);
    assert!(app.supervisor("KK.MCMC").await.get(REGISTER).await.items().is_empty());
    for who in [&police, &app.officer(SCHOOL).await, &app.auditor("KPM").await] {
        who.get(REGISTER).await.is_problem(403, "not-yours-to-do");
    }
    assert!(school.get(&format!("{REGISTER}?until=2026-11-01T00:00:00Z")).await.items().is_empty());
    let long = format!("{REGISTER}?from=2025-01-01T00:00:00Z&until=2026-11-24T00:00:00Z");
    school.get(&long).await.is_problem(422, "invalid").about("from", "range");
}

#[actix_web::test]
async fn a_spreadsheet_takes_no_cell_for_a_formula() {
    let app = TestApp::start().await;
    let police = app.officer(super::POLICE).await;
    let mut body = asking();
    body["dataRequested"] = json!("=cmd|' /C calc'!A0");
    body["handling"] = json!("Two, \"sealed\"");
    police.post("/v1/data-sharing-requests", &body).await.is(201);
    app.wait(Duration::seconds(1));
    let school = app.supervisor(SCHOOL).await;
    let sheet = school.send("GET", REGISTER, &[("accept", "text/csv")], None).await.is(200);
    assert_eq!(sheet.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = sheet.body.as_str().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("reference,requester,provider,createdAt,dataRequested,purpose,"), "{text}");
    assert!(lines[1].contains(",'=cmd|' /C calc'!A0,A864.13.b,"), "{text}");
    assert!(lines[1].contains(",\"Two, \"\"sealed\"\"\",received,"), "{text}");
}
