//! Overrides: a disclosure without consent leaves a record, which another person of the sender judges.

use chrono::Duration;
use lindung_tests::{Ref, Session, TestApp, referral_body};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const WELFARE: &str = "KPWKM.JKM";

fn terms(app: &TestApp) -> Value {
    let until = (app.now() + Duration::days(2)).to_rfc3339();
    let basis = |reason: &str| json!({ "kind": "override", "reason": reason, "until": until });
    let mut terms = referral_body(WELFARE);
    terms["shares"] = json!([
        { "section": "narrative", "basis": basis("Danger to life.") },
        { "section": "risk", "basis": basis("Danger to life.") },
        { "section": "identity", "basis": basis("She is missing.") },
    ]);
    terms
}

async fn overrides(who: &Session, case: &Ref) -> Vec<Value> {
    who.get(&format!("{}/overrides", case.path)).await.items().clone()
}

#[actix_web::test]
async fn one_is_made_for_each_reason_as_the_referral_is_sent() {
    let app = TestApp::start().await;
    let (school, welfare) = (app.officer(SCHOOL).await, app.officer(WELFARE).await);
    let case = school.opens_case().await;
    let mut draft = terms(&app);
    draft["draft"] = json!(true);
    let draft = school.refers_in(&case, &draft).await;
    assert_eq!(overrides(&school, &case).await, [] as [Value; 0], "a draft discloses nothing");
    let sent = school.does(&draft, "send", json!({})).await;
    let made = overrides(&school, &case).await;
    let told: Vec<Value> = made
        .iter()
        .map(|it| json!([it["sections"], it["reason"], it["referralId"], it["agency"], it["officer"], it["until"]]))
        .collect();
    let until = "2026-11-26T02:00:00Z";
    assert_eq!(
        told,
        [
            json!([["narrative", "risk"], "Danger to life.", sent.id, SCHOOL, "officer.one", until]),
            json!([["identity"], "She is missing.", sent.id, SCHOOL, "officer.one", until]),
        ]
    );
    let shares = school.get(&sent.path).await.is(200).body["shares"].clone();
    assert_eq!(shares[0]["basis"]["override"], made[0]["id"]);
    let recipients = app.database.rows("select recipients from events where kind like '%override.made'");
    assert_eq!(recipients, vec![json!({ "recipients": [SCHOOL] }); 2]);
    welfare.does(&sent, "accept", json!({})).await;
    welfare.get(&format!("{}/overrides", case.path)).await.is_problem(403, "not-yours-to-do");
    app.officer("KK.MCMC").await.get(&format!("{}/overrides", case.path)).await.is_problem(404, "not-found");
}

#[actix_web::test]
async fn what_was_not_justified_ends_at_once_and_is_not_given_later() {
    let app = TestApp::start().await;
    let (school, welfare) = (app.officer(SCHOOL).await, app.officer(WELFARE).await);
    let supervisor = app.supervisor(SCHOOL).await;
    let case = school.opens_case().await;
    let accepted = welfare.does(&school.refers_in(&case, &terms(&app)).await, "accept", json!({})).await;
    let pending = school.refers_in(&case, &terms(&app)).await;
    let made = overrides(&supervisor, &case).await;
    let review = |at: usize| format!("/v1/overrides/{}/review", made[at]["id"].as_str().unwrap());
    let wrong = json!({ "outcome": "not-justified", "note": "There was no danger." });
    school.post(&review(0), &wrong).await.is_problem(403, "not-yours-to-do");
    app.supervisor(WELFARE).await.post(&review(0), &wrong).await.is_problem(404, "not-found");
    // Whoever made it is not the one to judge it, as a supervisor either.
    let themselves = app.person(SCHOOL, "officer.one", &["supervisor"], Some("protection")).await;
    themselves.post(&review(0), &wrong).await.is_problem(403, "not-yours-to-do");

    let (risk, identity) = (format!("{}/sections/risk", case.child(0)), format!("{}/sections/identity", case.child(0)));
    welfare.get(&risk).await.is(200);
    for at in [0, 2] {
        assert_eq!(supervisor.post(&review(at), &wrong).await.is(200).body["review"], "not-justified");
    }
    supervisor.post(&review(0), &wrong).await.is_problem(409, "not-now");
    welfare.get(&risk).await.is_problem(403, "not-yours-to-do");
    welfare.get(&identity).await.is(200);
    welfare.does(&pending, "accept", json!({})).await;
    welfare.get(&risk).await.is_problem(403, "not-yours-to-do");
    let right = json!({ "outcome": "justified", "note": "There was danger." });
    supervisor.post(&review(1), &right).await.is(200);
    welfare.get(&identity).await.is(200);
    assert_eq!(overrides(&school, &case).await[0]["reviewedBy"], "supervisor.one");
    // The work goes on.
    welfare.does(&accepted, "start", json!({})).await;
}
