//! For whom a client may speak, and in which roles.

use lindung_tests::TestApp;
use rstest::rstest;
use serde_json::{Value, json};

use super::{SCHOOL, Signer, ask_alone, ask_for_officer, header, payload, refusal, token};

#[actix_web::test]
async fn a_client_gets_a_token_for_itself() {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let token = token(&ask_alone(&app, &signer.signed(&signer.claims(&app))).await);
    let claims = payload(&token);
    assert_eq!(header(&token)["typ"], "at+jwt");
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("test-system"), &json!("test-system")));
    assert_eq!((&claims["agency"], &claims["purpose"]), (&json!("KPM"), &json!("coordination")));
    assert_eq!((claims.get("roles"), claims.get("name")), (None, None));
}

#[actix_web::test]
async fn a_client_gets_a_token_for_its_officer() {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let token = token(&ask_for_officer(&app, &signer.signed(&signer.officer(&app))).await);
    let (claims, now) = (payload(&token), app.now().timestamp());
    assert_eq!(claims["iss"], app.api.issuer());
    assert_eq!(claims["aud"], format!("{}/v1", app.api.issuer()));
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("guru.aida"), &json!("test-system")));
    assert_eq!((&claims["agency"], &claims["roles"]), (&json!(SCHOOL), &json!(["officer"])));
    assert_eq!(claims["purpose"], "education-safeguarding");
    assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(now), Some(now + 600)));
    assert_eq!(claims.get("name"), None, "an access token names nobody");
    let officers = app.database.rows("select agency, id, name from officers where client_id = 'test-system'");
    assert_eq!(officers, [json!({ "agency": SCHOOL, "id": "guru.aida", "name": "Aida binti Contoh" })]);
}

/// What a client may say of an officer's work, and what the token then holds.
#[rstest]
#[case(json!(["officer"]), json!("investigation"), json!(["officer"]))]
#[case(json!(["officer", "auditor"]), json!("audit"), json!(["auditor"]))]
#[case(json!(["auditor"]), json!("audit"), json!(["auditor"]))]
#[case(json!(["administrator"]), Value::Null, json!(["administrator"]))]
#[actix_web::test]
async fn the_purpose_chooses_the_roles(#[case] roles: Value, #[case] purpose: Value, #[case] active: Value) {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let mut claims = signer.officer(&app);
    (claims["roles"], claims["purpose"]) = (roles, purpose);
    let token = token(&ask_for_officer(&app, &signer.signed(&claims)).await);
    assert_eq!(payload(&token)["roles"], active);
}

#[rstest]
#[case::a_role_it_is_not_registered_for("may not vouch for the role supervisor", "roles", json!(["officer", "supervisor"]))]
#[case::a_coordinator_outside_the_secretariat("coordinator cannot be held", "roles", json!(["coordinator"]))]
#[case::a_role_that_does_not_exist("role that does not exist", "roles", json!(["minister"]))]
#[case::no_role("at least one role", "roles", json!([]))]
#[case::roles_left_out("at least one role", "roles", Value::Null)]
#[case::roles_that_are_no_list("not of its type", "roles", json!("officer"))]
#[case::a_purpose_of_another_role("may act for the purpose", "purpose", json!("audit"))]
#[case::an_emergency("no case is open", "purpose", json!("emergency"))]
#[case::a_purpose_that_does_not_exist("none that exists", "purpose", json!("curiosity"))]
#[case::no_purpose("may act for the purpose", "purpose", Value::Null)]
#[case::a_unit_it_is_not_registered_for("not registered for this agency", "agency", json!("KPM.SEKOLAH.WBA0002"))]
#[case::another_ministry("not registered for this agency", "agency", json!("KDN.PDRM"))]
#[case::an_agency_that_does_not_exist("not registered for this agency", "agency", json!("KPM.NOWHERE"))]
#[case::no_agency_code("not registered for this agency", "agency", json!("kpm'--"))]
#[case::no_name("name is missing", "name", Value::Null)]
#[case::an_empty_name("name is missing", "name", json!("  "))]
#[case::a_name_of_two_lines("name is missing", "name", json!("Aida\r\nBcc: x"))]
#[case::too_long_a_name("name is missing", "name", json!("A".repeat(201)))]
#[case::no_officer_id("no officer id", "sub", json!("guru aida"))]
#[case::an_empty_officer_id("no officer id", "sub", json!(""))]
#[actix_web::test]
async fn a_client_cannot_vouch_for_more(#[case] why: &str, #[case] claim: &str, #[case] value: Value) {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let mut claims = signer.officer(&app);
    claims[claim] = value;
    let said = refusal(&ask_for_officer(&app, &signer.signed(&claims)).await, 400, "invalid_grant");
    assert!(said.contains(why), "{said}");
    assert_eq!(app.database.count("officers where client_id = 'test-system'"), 0);
}

#[actix_web::test]
async fn a_client_alone_speaks_of_itself_and_for_its_own() {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    let mut claims = signer.claims(&app);
    claims["sub"] = json!("guru.aida");
    let said = refusal(&ask_alone(&app, &signer.signed(&claims)).await, 401, "invalid_client");
    assert!(said.contains("sub of a client's assertion"), "{said}");

    let mut claims = signer.claims(&app);
    claims["agency"] = json!(SCHOOL);
    assert_eq!(payload(&token(&ask_alone(&app, &signer.signed(&claims)).await))["agency"], SCHOOL);
    let mut claims = signer.claims(&app);
    claims["agency"] = json!("KPM.SEKOLAH.WBA0002");
    refusal(&ask_alone(&app, &signer.signed(&claims)).await, 400, "invalid_grant");
}

#[rstest]
#[case::an_agency_that_is_not_active("update agencies set active = false where code = 'KPM.SEKOLAH.WBA0001'")]
#[case::a_heading("update clients set units = '{KPM.SEKOLAH}'; update agencies set active = true")]
#[actix_web::test]
async fn only_an_agency_that_takes_part_is_spoken_for(#[case] change: &str) {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    app.database.execute(change);
    let mut claims = signer.officer(&app);
    claims["agency"] = if change.contains("units") { json!("KPM.SEKOLAH") } else { json!(SCHOOL) };
    let said = refusal(&ask_for_officer(&app, &signer.signed(&claims)).await, 400, "invalid_grant");
    assert!(said.contains("does not take part"), "{said}");
}

#[actix_web::test]
async fn coordinators_are_of_the_secretariat() {
    let app = TestApp::start().await;
    let coordinator = app.coordinator().await;
    assert_eq!(payload(&coordinator.token)["roles"], json!(["coordinator"]));
    let education = lindung_client::Speaker::officer("PP", "x", "X", &["officer"], Some("investigation"));
    let refused = app.api.token_at(app.credentials("PP"), &education, app.now()).await;
    assert!(refused.unwrap_err().to_string().contains("may not vouch"), "the secretariat's client has no officers");
}

#[actix_web::test]
async fn a_disabled_client_gets_no_token() {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    assert!(app.database.maintenance().disable_client(&signer.id.parse().unwrap()).unwrap());
    refusal(&ask_alone(&app, &signer.signed(&signer.claims(&app))).await, 401, "invalid_client");
    refusal(&ask_for_officer(&app, &signer.signed(&signer.officer(&app))).await, 400, "invalid_grant");
}
