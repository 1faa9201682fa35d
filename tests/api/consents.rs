//! Consents: what is shared by consent rests on records, and what rests on one ends with it.

mod property;
mod resting;

use chrono::Duration;
use lindung_tests::{Ref, Session, TestApp, case_body, consent_body, referral_body};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const POLICE: &str = "KDN.PDRM.D11";
const WELFARE: &str = "KPWKM.JKM";

/// A referral to an agency that shares these sections by consent, for protection.
fn by_consent(to: &str, sections: &[&str]) -> Value {
    let shares: Vec<Value> =
        sections.iter().map(|it| json!({ "section": it, "basis": { "kind": "consent" } })).collect();
    let mut terms = referral_body(to);
    terms["shares"] = json!(shares);
    terms["purposes"] = json!(["protection"]);
    terms
}

/// A case of the school's with two children, each with an assessment of risk.
async fn case_of_two(school: &Session) -> Ref {
    let mut body = case_body();
    body["children"].as_array_mut().unwrap().push(json!({ "sections": { "risk": { "text": "Second." } } }));
    school.post("/v1/cases", &body).await.is(201).reference()
}

fn risk(case: &Ref, child: usize) -> String {
    format!("{}/sections/risk", case.child(child))
}

#[actix_web::test]
async fn one_is_recorded_read_and_listed() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    let consent = school.consents(case.child(0), &[WELFARE], &["risk", "health"], app.now()).await;
    let read = school.get(&consent.path).await.is(200);
    assert_eq!(
        read.body,
        json!({
            "id": consent.id, "caseId": case.id, "childId": case.child_id(0), "status": "given", "capacity": "parent",
            "givenBy": "P-2026-0117", "sections": ["risk", "health"], "recipients": [WELFARE],
            "purposes": ["investigation", "protection", "service-provision", "education-safeguarding", "content-removal"],
            "evidence": "Binder 7, form 3", "givenAt": "2026-11-24T02:00:00Z", "agency": SCHOOL, "officer": "officer.one",
            "recordedAt": "2026-11-24T02:00:00Z", "confirmations": [], "version": 1, "links": { "self": consent.path },
        })
    );
    assert_eq!(read.header("etag"), Some("\"1\""));
    let list = format!("{}/consents", case.child(0));
    assert_eq!(school.get(&list).await.items(), std::slice::from_ref(&read.body));

    police.get(&consent.path).await.is_problem(404, "not-found");
    police.get(&list).await.is_problem(404, "not-found");
    police.does(&school.refers(&case, &police).await, "accept", json!({})).await;
    // A party that may share nothing onward has no business with it.
    police.get(&consent.path).await.is_problem(404, "not-found");
    police.get(&list).await.is_problem(403, "not-yours-to-do");
    let given = consent_body(&[WELFARE], &["risk"], app.now());
    police.post(&list, &given).await.is_problem(403, "not-yours-to-do");
}

#[actix_web::test]
async fn what_cannot_be_taken_is_named() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = school.opens_case().await;
    let path = format!("{}/consents", case.child(0));
    let later = (app.now() + Duration::seconds(1)).to_rfc3339();
    for (field, value, status, named, code) in [
        ("givenBy", json!("Puan Aminah"), 400, "givenBy", "format"),
        ("sections", json!([]), 422, "sections", "length"),
        ("sections", json!(["everything"]), 400, "sections[0]", "unknown-code"),
        ("recipients", json!([]), 422, "recipients", "length"),
        ("recipients", json!([WELFARE, "KPM.SEKOLAH"]), 422, "recipients[1]", "not-a-party"),
        ("recipients", json!(["KDN.PDRM.D11.PERLIS"]), 422, "recipients[0]", "unknown-agency"),
        ("recipients", json!([SCHOOL]), 422, "recipients[0]", "own-agency"),
        ("purposes", json!(["audit"]), 422, "purposes[0]", "not-of-work"),
        ("evidence", json!(" "), 422, "evidence", "required"),
        ("evidence", json!("a".repeat(201)), 422, "evidence", "length"),
        ("givenAt", json!(later), 422, "givenAt", "past"),
        ("expiresAt", json!(app.now().to_rfc3339()), 422, "expiresAt", "future"),
        ("content", json!("It says"), 400, "content", "unknown"),
    ] {
        let mut body = consent_body(&[WELFARE], &["risk"], app.now());
        body[field] = value;
        let slug = if status == 400 { "malformed" } else { "invalid" };
        school.post(&path, &body).await.is_problem(status, slug).about(named, code);
    }
    assert_eq!(app.database.count("consents"), 0);
}

#[actix_web::test]
async fn withdrawal_is_final_and_each_who_held_something_confirms() {
    let app = TestApp::start().await;
    let (school, welfare, police) = (app.officer(SCHOOL).await, app.officer(WELFARE).await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    let consent = school.consents(case.child(0), &[WELFARE, POLICE], &["risk"], app.now()).await;
    let asked =
        welfare.does(&school.refers_in(&case, &by_consent(WELFARE, &["risk"])).await, "accept", json!({})).await;
    welfare.get(&risk(&case, 0)).await.is(200);
    welfare.get(&consent.path).await.is_problem(404, "not-found");
    let withdraw = format!("{}/withdraw", consent.path);
    welfare.post(&withdraw, &json!({})).await.is_problem(404, "not-found");

    let before = (app.now() - Duration::days(1)).to_rfc3339();
    let later = (app.now() + Duration::days(1)).to_rfc3339();
    school.post(&withdraw, &json!({ "withdrawnAt": before })).await.is(422).about("withdrawnAt", "before-given");
    school.post(&withdraw, &json!({ "withdrawnAt": later })).await.is(422).about("withdrawnAt", "past");
    let said = app.now().to_rfc3339();
    app.wait(Duration::hours(2));
    let (school, welfare) = (app.officer(SCHOOL).await, app.officer(WELFARE).await);
    let withdrawn = json!({ "reason": "Changed their mind.", "withdrawnAt": said });
    assert_eq!(school.post(&withdraw, &withdrawn).await.is(200).body["status"], "withdrawn");
    school.post(&withdraw, &json!({})).await.is_problem(409, "not-now");
    welfare.get(&risk(&case, 0)).await.is_problem(403, "not-yours-to-do");

    // The police was named, and held nothing: it is not told.
    let read = school.get(&consent.path).await.is(200).body.clone();
    assert_eq!(
        (&read["withdrawalReason"], &read["withdrawnAt"]),
        (&json!("Changed their mind."), &json!("2026-11-24T02:00:00Z"))
    );
    assert_eq!(read["confirmations"], json!([{ "agency": WELFARE }]));
    let told = welfare.get(&consent.path).await.is(200).body.clone();
    for hidden in ["givenBy", "evidence", "withdrawalReason", "officer"] {
        assert_eq!(told.get(hidden), None, "{hidden}");
    }
    assert_eq!(told["recipients"], json!([WELFARE]));

    let confirm = format!("{}/confirm", consent.path);
    school.post(&confirm, &json!({})).await.is_problem(403, "not-yours-to-do");
    app.officer(POLICE).await.post(&confirm, &json!({})).await.is_problem(404, "not-found");
    assert_eq!(welfare.post(&confirm, &json!({})).await.is(200).body["version"], 3);
    welfare.post(&confirm, &json!({})).await.is_problem(409, "not-now");
    let read = school.get(&consent.path).await.is(200).body.clone();
    let confirmed = json!([{ "agency": WELFARE, "officer": "officer.one", "confirmedAt": "2026-11-24T04:00:00Z" }]);
    assert_eq!((&read["confirmations"], &read["version"]), (&confirmed, &json!(3)));
    let _ = police;

    // It never blocks the work itself.
    welfare.does(&asked, "start", json!({})).await;
    let done = json!({ "outcome": "service-provided", "summary": "Done." });
    welfare.act_anyhow(&asked, "complete", &done).await.is(200);

    let events = |who: Session| {
        let path = format!("{}/timeline", case.path);
        async move {
            let told = who.get(&path).await;
            let kinds = told
                .items()
                .iter()
                .map(|it| it["type"].as_str().unwrap().trim_start_matches("my.gov.lindung.").to_owned());
            kinds.filter(|it| it.starts_with("consent.")).collect::<Vec<_>>()
        }
    };
    assert_eq!(events(school).await, ["consent.recorded", "consent.withdrawn", "consent.withdrawal-confirmed"]);
    let recipients = app.database.rows("select recipients from events where kind like '%consent.withdrawn'");
    assert_eq!(recipients, [json!({ "recipients": [SCHOOL, WELFARE] })]);
}
