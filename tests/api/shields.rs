//! Shields: a case or a child that only those named can see. One person puts one up, two lift it.

use lindung_tests::{Ref, Session, TestApp, referral_body};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const POLICE: &str = "KDN.PDRM.D11";

async fn supervisor(app: &TestApp, agency: &str, id: &str) -> Session {
    let purpose = if agency == SCHOOL { "education-safeguarding" } else { "investigation" };
    app.person(agency, id, &["supervisor"], Some(purpose)).await
}

/// A case of the school's that the police works on.
async fn worked_on(app: &TestApp) -> (Session, Session, Ref, Ref) {
    let (school, police) = (supervisor(app, SCHOOL, "guru.one").await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    let sent = school.refers(&case, &police).await;
    let received = police.does(&sent, "receive", json!({})).await;
    let accepted = police.does(&received, "accept", json!({})).await;
    (school, police, case, accepted)
}

/// Every door to a case and its referral, with how it answers.
async fn doors(who: &Session, case: &Ref, referral: &Ref) -> Vec<(String, u16)> {
    let mut found = Vec::new();
    for path in ["", "/timeline", "/referrals", "/children", "/sections/summary", "/sections/narrative"] {
        found.push((path.to_owned(), who.get(&format!("{}{path}", case.path)).await.status));
    }
    for path in ["", "/messages"] {
        found.push((format!("referral{path}"), who.get(&format!("{}{path}", referral.path)).await.status));
    }
    let on_list = |page: &Vec<Value>, id: &str| u16::from(page.iter().any(|it| it["id"] == id));
    found.push(("cases".into(), on_list(who.get("/v1/cases").await.items(), &case.id)));
    found.push(("inbox".into(), on_list(who.get("/v1/inbox").await.items(), &referral.id)));
    found.push(("outbox".into(), on_list(who.get("/v1/outbox").await.items(), &referral.id)));
    found
}

#[actix_web::test]
async fn who_is_not_named_sees_nothing_through_any_door_from_the_next_request_on() {
    let app = TestApp::start().await;
    let (school, police, case, referral) = worked_on(&app).await;
    let (colleague, coordinator) = (app.officer(SCHOOL).await, app.coordinator().await);
    assert!(doors(&police, &case, &referral).await.iter().all(|it| it.1 == 200 || it.1 <= 1));
    coordinator.get(&case.path).await.is(200);

    school.shields(&case.path, &["KPM.SEKOLAH.WBA0001/guru.one"]).await.is(200);
    for who in [&police, &colleague] {
        let seen = doors(who, &case, &referral).await;
        assert!(seen.iter().all(|it| it.1 == 404 || it.1 == 0), "{}: {seen:?}", who.agency);
    }
    coordinator.get(&case.path).await.is_problem(404, "not-found");
    assert!(coordinator.get("/v1/cases").await.items().is_empty());
    police.act(&referral, "start", &json!({})).await.is_problem(404, "not-found");
    let terms = referral_body("KPWKM.JKM");
    police.post(&format!("{}/referrals", case.path), &terms).await.is_problem(404, "not-found");
    let seen = doors(&school, &case, &referral).await;
    assert!(seen.iter().filter(|it| it.0 != "inbox").all(|it| it.1 == 200 || it.1 == 1), "{seen:?}");
    // What happens meanwhile is told to no coordinator.
    let recipients = "select recipients from events where kind like '%case.shielded'";
    assert_eq!(app.database.rows(recipients), [json!({ "recipients": [POLICE, SCHOOL] })]);
}

#[actix_web::test]
async fn a_shielded_child_is_hidden_and_the_case_is_not() {
    let app = TestApp::start().await;
    let (school, police, case, _) = worked_on(&app).await;
    let (child, section) = (case.child(0).to_owned(), format!("{}/sections/identity", case.child(0)));
    police.get(&section).await.is(200);
    let version = school.get(&case.path).await.body["version"].as_i64().unwrap();
    let put = |version: i64| school.put_to(&child, version, &["KPM.SEKOLAH.WBA0001"]);
    put(version + 7).await.is_problem(412, "stale");
    put(version).await.is(200);
    police.get(&case.path).await.is(200);
    assert_eq!(police.get(&case.path).await.body["children"], json!([]));
    assert!(police.get(&format!("{}/children", case.path)).await.items().is_empty());
    for path in [child.clone(), section.clone()] {
        police.get(&path).await.is_problem(404, "not-found");
    }
    let timeline = police.get(&format!("{}/timeline", case.path)).await;
    assert!(timeline.items().iter().all(|it| it["subjectType"] != "child"), "{timeline:?}");
    school.get(&section).await.is(200);
    // Nobody else may refer it either.
    let mut terms = referral_body("KPWKM.JKM");
    terms["children"] = json!([case.child_id(0)]);
    app.database.execute("update grants set onward = true");
    police.post(&format!("{}/referrals", case.path), &terms).await.is(422);
}

trait Shielding {
    fn put_to(&self, path: &str, version: i64, admits: &[&str]) -> impl Future<Output = lindung_tests::Answered>;
}

impl Shielding for Session {
    async fn put_to(&self, path: &str, version: i64, admits: &[&str]) -> lindung_tests::Answered {
        self.put(&format!("{path}/shield"), version, &json!({ "admits": admits })).await
    }
}

#[actix_web::test]
async fn only_the_leads_supervisors_put_one_up_and_only_around_themselves() {
    let app = TestApp::start().await;
    let (school, police, case, _) = worked_on(&app).await;
    let officer = app.officer(SCHOOL).await;
    officer.shields(&case.path, &[SCHOOL]).await.is_problem(403, "not-yours-to-do");
    police.shields(&case.path, &[POLICE]).await.is_problem(403, "not-yours-to-do");
    app.officer("KK.MCMC").await.shields(&case.path, &["KK.MCMC"]).await.is_problem(404, "not-found");
    school.shields(&case.path, &[POLICE]).await.is_problem(422, "invalid").about("admits", "yourself");
    school.shields(&case.path, &[]).await.is_problem(422, "invalid").about("admits", "length");
    school.shields(&case.path, &["kpm"]).await.is_problem(422, "invalid").about("admits[0]", "format");
    school.shields(&case.path, &[SCHOOL, POLICE]).await.is(200);
    police.get(&case.path).await.is(200);
    school.shields(&case.path, &[SCHOOL]).await.is(200);
    police.get(&case.path).await.is_problem(404, "not-found");
    school.shields(&case.path, &[SCHOOL, POLICE]).await.is_problem(422, "invalid").about("admits", "wider");
}

#[actix_web::test]
async fn lifting_one_takes_two_supervisors() {
    let app = TestApp::start().await;
    let (school, police, case, referral) = worked_on(&app).await;
    let (second, officer) = (supervisor(&app, SCHOOL, "guru.two").await, app.officer(SCHOOL).await);
    let at = format!("{}/proposals", case.path);
    let body = json!({ "kind": "unshield", "reason": "The danger has passed." });
    school.post(&at, &body).await.is_problem(409, "not-now");
    school.shields(&case.path, &[SCHOOL]).await.is(200);
    officer.post(&at, &body).await.is_problem(403, "not-yours-to-do");
    police.post(&at, &body).await.is_problem(404, "not-found");

    let proposed = school.post(&at, &body).await.is(201);
    let confirm = format!("/v1/proposals/{}/confirm", proposed.body["id"].as_str().unwrap());
    school.post(&confirm, &json!({})).await.is_problem(403, "not-yours-to-do");
    officer.post(&confirm, &json!({})).await.is_problem(403, "not-yours-to-do");
    police.post(&confirm, &json!({})).await.is_problem(404, "not-found");
    police.get(&case.path).await.is_problem(404, "not-found");

    second.post(&confirm, &json!({})).await.is(200);
    police.get(&case.path).await.is(200);
    police.get(&referral.path).await.is(200);
    second.post(&confirm, &json!({})).await.is_problem(409, "not-now");
    let listed = second.get(&at).await;
    let told = &listed.items()[0];
    assert_eq!(
        json!([told["kind"], told["status"], told["proposedBy"], told["decidedBy"]]),
        json!(["unshield", "confirmed", "guru.one", "guru.two"])
    );
    officer.get(&at).await.is_problem(403, "not-yours-to-do");
    let events = app.database.rows("select kind from events where kind ~ 'shield|proposal' order by case_version");
    let kinds: Vec<&str> = events.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "my.gov.lindung.case.shielded",
            "my.gov.lindung.proposal.made",
            "my.gov.lindung.case.unshielded",
            "my.gov.lindung.proposal.confirmed",
        ]
    );
}

#[actix_web::test]
async fn a_proposal_lasts_a_week_and_can_be_declined() {
    let app = TestApp::start().await;
    let (school, _, case, _) = worked_on(&app).await;
    let at = format!("{}/proposals", case.path);
    let body = json!({ "kind": "unshield", "admits": [SCHOOL, POLICE], "reason": "The police needs it." });
    school.shields(&case.path, &[SCHOOL]).await.is(200);
    let confirm = |it: &lindung_tests::Answered| format!("/v1/proposals/{}/confirm", it.body["id"].as_str().unwrap());
    let decline = |it: &lindung_tests::Answered| format!("/v1/proposals/{}/decline", it.body["id"].as_str().unwrap());
    let declined = school.post(&at, &body).await.is(201);
    school.post(&decline(&declined), &json!({})).await.is(200);
    let old = school.post(&at, &body).await.is(201);
    app.wait(chrono::Duration::days(7));
    let (school, second) = (supervisor(&app, SCHOOL, "guru.one").await, supervisor(&app, SCHOOL, "guru.two").await);
    for late in [&declined, &old] {
        second.post(&confirm(late), &json!({})).await.is_problem(409, "not-now");
    }
    let again = school.post(&at, &body).await.is(201);
    second.post(&confirm(&again), &json!({})).await.is(200);
    app.officer(POLICE).await.get(&case.path).await.is(200);
    app.coordinator().await.get(&case.path).await.is_problem(404, "not-found");
}
