//! What rests on a consent: referrals that name none in force are not sent, and grants end with it.

use super::*;

#[actix_web::test]
async fn a_share_by_consent_needs_one_that_covers_all_of_it() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = case_of_two(&school).await;
    let path = format!("{}/referrals", case.path);
    let lacks = async |terms: &Value| {
        school.post(&path, terms).await.is_problem(422, "invalid").about("shares[0].basis", "no-consent");
    };
    let terms = by_consent(WELFARE, &["risk"]);
    lacks(&terms).await;
    let first = school.consents(case.child(0), &[WELFARE], &["risk", "narrative"], app.now()).await;
    // Of the other child there is none.
    lacks(&terms).await;
    let mut of_one = terms.clone();
    of_one["children"] = json!([case.child_id(0)]);
    let sent = school.refers_in(&case, &of_one).await;
    let view = school.get(&sent.path).await.is(200);
    assert_eq!(view.body["shares"][0]["basis"], json!({ "kind": "consent", "consents": [first.id] }));

    let mut other = of_one.clone();
    other["purposes"] = json!(["protection", "investigation"]);
    school.post(&path, &other).await.is(201);
    for (field, value) in [("recipient", json!(POLICE)), ("alternatives", json!([POLICE]))] {
        let mut other = of_one.clone();
        other[field] = value;
        lacks(&other).await;
    }
    // What is told of the case concerns both, whichever child the referral is about.
    let mut told = by_consent(WELFARE, &["narrative"]);
    told["children"] = json!([case.child_id(0)]);
    lacks(&told).await;
    school.consents(case.child(1), &[WELFARE], &["narrative"], app.now()).await;
    school.post(&path, &told).await.is(201);
    // One that is named has to be the one.
    let mut named = told.clone();
    named["shares"][0]["basis"]["consents"] = json!([first.id]);
    lacks(&named).await;
    let mut read_only = of_one.clone();
    read_only["shares"][0]["basis"]["override"] = json!(first.id);
    school.post(&path, &read_only).await.is(422).about("shares[0].basis.override", "read-only");
}

#[actix_web::test]
async fn a_draft_that_rests_on_one_that_is_withdrawn_cannot_be_sent() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = school.opens_case().await;
    let consent = school.consents(case.child(0), &[WELFARE], &["risk"], app.now()).await;
    let mut terms = by_consent(WELFARE, &["risk"]);
    terms["draft"] = json!(true);
    let draft = school.refers_in(&case, &terms).await;
    school.post(&format!("{}/withdraw", consent.path), &json!({})).await.is(200);
    school.act(&draft, "send", &json!({})).await.is_problem(422, "invalid").about("shares[0].basis", "no-consent");
    school.act(&draft, "cancel", &json!({ "reason": "consent-withdrawn" })).await.is(200);
}

#[actix_web::test]
async fn what_is_accepted_after_a_withdrawal_does_not_give_what_rested_on_it() {
    let app = TestApp::start().await;
    let (school, welfare) = (app.officer(SCHOOL).await, app.officer(WELFARE).await);
    let case = case_of_two(&school).await;
    let first = school.consents(case.child(0), &[WELFARE], &["risk", "narrative"], app.now()).await;
    school.consents(case.child(1), &[WELFARE], &["risk", "narrative"], app.now()).await;
    let sent = school.refers_in(&case, &by_consent(WELFARE, &["risk", "narrative"])).await;
    school.post(&format!("{}/withdraw", first.path), &json!({})).await.is(200);
    welfare.does(&sent, "accept", json!({})).await;
    welfare.get(&risk(&case, 0)).await.is_problem(403, "not-yours-to-do");
    welfare.get(&risk(&case, 1)).await.is(200);
    // The case's own section concerns both.
    welfare.get(&format!("{}/sections/narrative", case.path)).await.is_problem(403, "not-yours-to-do");
    welfare.get(&format!("{}/sections/summary", case.path)).await.is(200);
}

#[actix_web::test]
async fn withdrawal_ends_what_concerns_its_child_at_once() {
    let app = TestApp::start().await;
    let (school, welfare) = (app.officer(SCHOOL).await, app.officer(WELFARE).await);
    let case = case_of_two(&school).await;
    let first = school.consents(case.child(0), &[WELFARE], &["risk", "narrative"], app.now()).await;
    school.consents(case.child(1), &[WELFARE], &["risk", "narrative"], app.now()).await;
    let sent = school.refers_in(&case, &by_consent(WELFARE, &["risk", "narrative"])).await;
    welfare.does(&sent, "accept", json!({})).await;
    let narrative = format!("{}/sections/narrative", case.path);
    for path in [&risk(&case, 0), &risk(&case, 1), &narrative] {
        welfare.get(path).await.is(200);
    }
    school.post(&format!("{}/withdraw", first.path), &json!({})).await.is(200);
    welfare.get(&risk(&case, 0)).await.is_problem(403, "not-yours-to-do");
    welfare.get(&narrative).await.is_problem(403, "not-yours-to-do");
    welfare.get(&risk(&case, 1)).await.is(200);
}

#[actix_web::test]
async fn what_rests_on_one_lasts_no_longer_than_it() {
    let app = TestApp::start().await;
    let (school, welfare) = (app.officer(SCHOOL).await, app.officer(WELFARE).await);
    let case = school.opens_case().await;
    let mut given = consent_body(&[WELFARE], &["risk"], app.now());
    given["expiresAt"] = json!((app.now() + Duration::minutes(5)).to_rfc3339());
    let consent = school.post(&format!("{}/consents", case.child(0)), &given).await.is(201).reference();
    let sent = school.refers_in(&case, &by_consent(WELFARE, &["risk"])).await;
    welfare.does(&sent, "accept", json!({})).await;
    app.wait(Duration::minutes(5) - Duration::microseconds(1));
    welfare.get(&risk(&case, 0)).await.is(200);
    app.wait(Duration::microseconds(1));
    welfare.get(&risk(&case, 0)).await.is_problem(403, "not-yours-to-do");
    assert_eq!(school.get(&consent.path).await.is(200).body["status"], "expired");
    let path = format!("{}/referrals", case.path);
    school.post(&path, &by_consent(WELFARE, &["risk"])).await.is(422).about("shares[0].basis", "no-consent");
}

#[actix_web::test]
async fn another_recipient_is_given_what_names_it_too() {
    let app = TestApp::start().await;
    let (school, welfare, police) = (
        app.officer(SCHOOL).await,
        app.officer(WELFARE).await,
        app.person(POLICE, "p", &["officer"], Some("protection")).await,
    );
    let case = school.opens_case().await;
    school.consents(case.child(0), &[WELFARE], &["risk"], app.now()).await;
    school.consents(case.child(0), &[WELFARE, POLICE], &["narrative"], app.now()).await;
    let mut terms = by_consent(WELFARE, &["risk", "narrative"]);
    terms["onward"] = json!(true);
    let sent = school.refers_in(&case, &terms).await;
    let passed = welfare.does(&sent, "redirect", json!({ "to": POLICE, "reason": "Yours." })).await;
    police.does(&passed, "accept", json!({})).await;
    police.get(&format!("{}/sections/narrative", case.path)).await.is(200);
    police.get(&risk(&case, 0)).await.is_problem(403, "not-yours-to-do");
}
