//! Parameters and fields: what is unknown, repeated, missing or of another kind is named, not its value.

use lindung_tests::{TestApp, case_body, referral_body};
use serde_json::{Value, json};

#[actix_web::test]
async fn a_parameter_that_cannot_be_taken_is_named() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    for (query, field, code) in [
        ("colour=Aminah", "colour", "unknown"),
        ("Limit=1", "Limit", "unknown"),
        ("limit=1&limit=1", "limit", "duplicate"),
        ("priority=Aminah", "priority", "unknown-code"),
        ("lead=aminah", "lead", "format"),
        ("reference=Aminah%00", "reference", "characters"),
    ] {
        let refused = school.get(&format!("/v1/cases?{query}")).await.is_problem(400, "malformed").about(field, code);
        assert!(!refused.body.to_string().to_lowercase().contains("aminah"), "{}", refused.body);
    }
}

#[actix_web::test]
async fn no_read_takes_a_parameter_that_it_does_not_know() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;
    let case = school.opens_case().await;
    let referral = school.refers(&case, &police).await;
    let child = case.body["children"][0]["links"]["self"].as_str().unwrap();
    for path in [
        "/v1/agencies",
        "/v1/agencies/KDN.PDRM.D11",
        "/v1/code-lists",
        "/v1/code-lists/offence",
        "/v1/cases",
        &case.path,
        &format!("{}/children", case.path),
        child,
        &format!("{}/sections/summary", case.path),
        &format!("{child}/sections/identity"),
        &format!("{}/timeline", case.path),
        &format!("{}/messages", case.path),
        &format!("{}/referrals", case.path),
        &referral.path,
        &format!("{}/messages", referral.path),
        "/v1/inbox",
        "/v1/outbox",
    ] {
        school.get(path).await.is(200);
        school.get(&format!("{path}?x=1")).await.is_problem(400, "malformed").about("x", "unknown");
    }
    app.auditor("PP").await.get("/v1/access-log?x=1").await.is_problem(400, "malformed").about("x", "unknown");
}

#[actix_web::test]
async fn a_field_that_cannot_be_read_is_named() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    for (at, value, field, code) in [
        ("/colour", json!("Aminah"), "colour", "unknown"),
        ("/children/0/sections/identity/age", json!("Aminah"), "children[0].sections.identity.age", "unknown"),
        ("/sections/summary/text", json!(["Aminah"]), "sections.summary.text", "type"),
        ("/sections", json!("Aminah"), "sections", "type"),
        ("/techniques", json!("Aminah"), "techniques", "type"),
        ("/priority", json!(null), "priority", "type"),
        ("/priority", json!("Aminah"), "priority", "unknown-code"),
        ("/techniques/1", json!("Aminah"), "techniques[1]", "unknown-code"),
        (
            "/children/0/sections/identity/birthDate",
            json!("Aminah"),
            "children[0].sections.identity.birthDate",
            "syntax",
        ),
        ("/children/0", json!(["Aminah"]), "children[0]", "type"),
    ] {
        let mut body = case_body();
        let (parent, name) = at.rsplit_once('/').unwrap();
        match body.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
            object => object[name] = value,
        }
        let refused = school.post("/v1/cases", &body).await.is_problem(400, "malformed").about(field, code);
        assert!(!refused.body.to_string().contains("Aminah"), "{}", refused.body);
        assert_eq!(app.database.count("cases"), 0);
    }
}

#[actix_web::test]
async fn a_missing_field_is_named() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    for field in ["priority", "children"] {
        let mut body = case_body();
        body.as_object_mut().unwrap().remove(field);
        school.post("/v1/cases", &body).await.is_problem(400, "malformed").about(field, "required");
    }
    let case = school.opens_case().await;
    let mut terms = referral_body("KDN.PDRM.D11");
    terms["shares"][0]["basis"].as_object_mut().unwrap().remove("kind");
    let refused = school.post(&format!("{}/referrals", case.path), &terms).await;
    refused.is_problem(400, "malformed").about("shares[0].basis.kind", "required");
}

#[actix_web::test]
async fn a_part_of_a_path_that_cannot_be_is_named() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let child = case.body["children"][0]["links"]["self"].as_str().unwrap();
    for (path, part) in [
        ("/v1/cases/aminah".to_owned(), "case"),
        ("/v1/referrals/aminah".to_owned(), "referral"),
        ("/v1/agencies/aminah".to_owned(), "code"),
        ("/v1/code-lists/AMINAH".to_owned(), "list"),
        (format!("{}/sections/aminah", case.path), "section"),
        (format!("{}/sections/identity", case.path), "section"),
        (format!("{child}/sections/summary"), "section"),
        (format!("{}/children/aminah/sections/identity", case.path), "child"),
    ] {
        let refused = school.get(&path).await.is_problem(400, "malformed").about(part, "format");
        assert!(!refused.body.to_string().to_lowercase().contains("aminah"), "{}", refused.body);
    }
}
