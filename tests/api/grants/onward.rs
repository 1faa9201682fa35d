//! Sharing onward: only where it was allowed, and never more than one has.

use lindung_tests::{Ref, Session, TestApp, case_body, referral_body};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";

fn basis() -> Value {
    json!({ "kind": "consent" })
}

/// A case with two children, of which the police sees one, with narrative and risk, to share onward.
async fn shared_with(app: &TestApp, school: &Session, police: &Session, onward: bool) -> Ref {
    let mut body = case_body();
    body["children"].as_array_mut().unwrap().push(json!({ "sections": { "risk": { "text": "Second." } } }));
    let case = school.post("/v1/cases", &body).await.is(201).reference();
    for child in 0..2 {
        let recipients = [police.agency.as_str(), "KPWKM.JKM", "KK.MCMC"];
        school.consents(case.child(child), &recipients, &["narrative", "risk"], app.now()).await;
    }
    let mut terms = referral_body(&police.agency);
    terms["shares"] = json!([{ "section": "narrative", "basis": basis() }, { "section": "risk", "basis": basis() }]);
    terms["children"] = json!([case.child_id(0)]);
    terms["purposes"] = json!(["investigation", "protection"]);
    terms["contributes"] = json!(["risk"]);
    terms["onward"] = json!(onward);
    police.does(&school.refers_in(&case, &terms).await, "accept", json!({})).await;
    case
}

fn onward_terms(case: &Ref) -> Value {
    json!({
        "kind": "welfare-assessment", "priority": "urgent", "recipient": "KPWKM.JKM", "request": "Please assess.",
        "children": [case.child_id(0)],
        "shares": [{ "section": "risk", "basis": basis() }],
        "purposes": ["protection"],
    })
}

#[actix_web::test]
async fn only_where_it_was_allowed() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer("KDN.PDRM.D11").await);
    let welfare = app.officer("KPWKM.JKM").await;
    let closed = shared_with(&app, &school, &police, false).await;
    let refused = police.post(&format!("{}/referrals", closed.path), &onward_terms(&closed)).await;
    refused.is_problem(403, "not-yours-to-do");

    let case = shared_with(&app, &school, &police, true).await;
    let referral = police.refers_in(&case, &onward_terms(&case)).await;
    welfare.does(&referral, "accept", json!({})).await;
    let risk = |child: usize| format!("{}/sections/risk", case.child(child));
    welfare.get(&risk(0)).await.is(200);
    welfare.get(&risk(1)).await.is_problem(404, "not-found");
    welfare.get(&format!("{}/sections/narrative", case.path)).await.is_problem(403, "not-yours-to-do");
    // The lead reads the record of it, and takes no action on it.
    assert_eq!(school.get(&referral.path).await.is(200).body["sender"], "KDN.PDRM.D11");
    school.act_anyhow(&referral, "request-cancel", &json!({ "reason": "No." })).await.is(403);
    // It was not allowed to go further.
    let mut further = onward_terms(&case);
    further["recipient"] = json!("KK.MCMC");
    let path = format!("{}/referrals", case.path);
    welfare.post(&path, &further).await.is_problem(403, "not-yours-to-do");
}

#[actix_web::test]
async fn never_more_than_one_has() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer("KDN.PDRM.D11").await);
    let case = shared_with(&app, &school, &police, true).await;
    let second = case.child_id(1);
    let table: [(&str, Value, &str, &str); 7] = [
        ("shares", json!([{ "section": "identity", "basis": basis() }]), "shares[0].section", "not-yours-to-share"),
        ("shares", json!([{ "section": "plan", "basis": basis() }]), "shares[0].section", "not-yours-to-share"),
        ("children", json!([second]), "children[0]", "unknown-child"),
        ("children", Value::Null, "children", "required"),
        ("purposes", json!(["protection", "content-removal"]), "purposes[1]", "not-yours-to-share"),
        ("contributes", json!(["summary"]), "contributes[0]", "not-yours-to-share"),
        ("recipient", json!("KDN.PDRM.D11"), "recipient", "own-agency"),
    ];
    let path = format!("{}/referrals", case.path);
    for (field, value, named, code) in table {
        let mut terms = onward_terms(&case);
        terms[field] = value;
        if terms["children"].is_null() {
            terms.as_object_mut().unwrap().remove("children");
        }
        police.post(&path, &terms).await.is_problem(422, "invalid").about(named, code);
    }
    // What it may write itself it may let others write.
    let mut terms = onward_terms(&case);
    terms["contributes"] = json!(["risk"]);
    police.post(&path, &terms).await.is(201);
}
