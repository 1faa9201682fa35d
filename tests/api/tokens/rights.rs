//! Rights are looked up on each request: a token outlives none of them.

use lindung_tests::{Ref, Session, TestApp, case_body, referral_body};
use rstest::rstest;
use serde_json::json;

use super::{SCHOOL, Signer, ask_alone, ask_for_officer, refusal, token};

/// Every kind of read and of write that an officer has.
async fn tries_everything(officer: &Session, case: &Ref, referral: &Ref, agency: &Ref) -> Vec<(String, u16)> {
    let mut tried = Vec::new();
    let mut paths: Vec<String> =
        ["cases", "inbox", "outbox", "agencies", "agencies/PP", "code-lists", "code-lists/offence"]
            .iter()
            .map(|it| format!("/v1/{it}"))
            .collect();
    for part in ["", "/children", "/sections/summary", "/timeline", "/messages", "/referrals"] {
        paths.push(format!("{}{part}", case.path));
    }
    paths.extend([referral.path.clone(), format!("{}/messages", referral.path)]);
    for path in paths {
        tried.push((path.clone(), officer.get(&path).await.status));
    }
    let unit = json!({ "code": "KPM.NEW", "parent": "KPM", "names": { "ms": "Baharu", "en": "New" }, "contacts": [] });
    let header = json!({ "priority": "routine", "offences": [], "grounds": [], "techniques": [] });
    let kept = json!({ "names": { "ms": "x", "en": "x" }, "contacts": [], "active": true });
    for (what, reply) in [
        ("create_case", officer.post("/v1/cases", &case_body()).await),
        ("add_child", officer.post(&format!("{}/children", case.path), &json!({})).await),
        ("create_referral", officer.post(&format!("{}/referrals", case.path), &referral_body("KDN.PDRM.D11")).await),
        ("update_case", officer.put(&case.path, 1, &header).await),
        ("write_section", officer.put(&format!("{}/sections/plan", case.path), 0, &json!({ "text": "x" })).await),
        ("remind", officer.act(referral, "remind", &json!({})).await),
        ("cancel", officer.act(referral, "cancel", &json!({ "reason": "no-longer-needed" })).await),
        ("register_unit", officer.post("/v1/agencies", &unit).await),
        ("change_agency", officer.put(&agency.path, 1, &kept).await),
    ] {
        tried.push((what.to_owned(), reply.status));
    }
    tried
}

#[rstest]
#[case::disabling_the_client("update clients set active = false where id = 'kpm-system'")]
#[case::taking_the_role_away("update clients set roles = array_remove(roles, 'officer') where id = 'kpm-system'")]
#[case::taking_the_unit_away(
    "update clients set units = array_remove(units, 'KPM.SEKOLAH.WBA0001') where id = 'kpm-system'"
)]
#[case::ending_the_agencys_part("update agencies set active = false where code = 'KPM.SEKOLAH.WBA0001'")]
#[actix_web::test]
async fn a_right_that_ends_ends_every_access_at_once(#[case] ended: &str) {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let police = app.officer("KDN.PDRM.D11").await;
    let case = school.opens_case().await;
    let referral = school.refers(&case, &police).await;
    let agency = Ref { path: format!("/v1/agencies/{SCHOOL}"), ..case.clone() };
    let content = "(select count(*) from cases) + (select count(*) from events) + (select count(*) from agencies)";
    let before = app.database.rows(&format!("select {content} as n"));

    app.database.execute(ended);
    let logged = app.database.count("access_log");
    let tried = tries_everything(&school, &case, &referral, &agency).await;
    for (what, status) in &tried {
        assert_eq!((what, *status), (what, 401));
    }
    let refused =
        "access_log where outcome = 'unauthenticated' and officer = 'officer.one' and client_id = 'kpm-system'";
    assert_eq!(app.database.count(refused), i64::try_from(tried.len()).unwrap());
    assert_eq!(app.database.count("access_log") - logged, i64::try_from(tried.len()).unwrap());
    assert_eq!(app.database.rows(&format!("select {content} as n")), before, "and nothing was done");
    police.get(&referral.path).await.is(200);
}

#[rstest]
#[case("update clients set roles = array_remove(roles, 'auditor')", "/v1/access-log")]
#[case("update clients set active = false", "/v1/access-log")]
#[actix_web::test]
async fn an_auditor_too(#[case] ended: &str, #[case] path: &str) {
    let app = TestApp::start().await;
    let auditor = app.auditor("PP").await;
    auditor.get(path).await.is(200);
    app.database.execute(ended);
    auditor.get(path).await.is_problem(401, "unauthenticated");
}

#[rstest]
#[case("update clients set active = false")]
#[case("update agencies set active = false where code = 'KDN.PDRM.D11'")]
#[case("update clients set units = '{}'")]
#[actix_web::test]
async fn and_a_client_alone(#[case] ended: &str) {
    let app = TestApp::start().await;
    let (school, system) = (app.officer(SCHOOL).await, app.client("KDN.PDRM.D11").await);
    let case = school.opens_case().await;
    let referral = school.refers(&case, &system).await;
    app.database.execute(ended);
    system.act(&referral, "receive", &json!({})).await.is_problem(401, "unauthenticated");
    system.get("/v1/code-lists").await.is_problem(401, "unauthenticated");
}

#[actix_web::test]
async fn a_key_that_is_taken_away_gives_no_new_token() {
    let app = TestApp::start().await;
    let signer = Signer::new(&app);
    token(&ask_alone(&app, &signer.signed(&signer.claims(&app))).await);
    assert!(app.database.maintenance().remove_key(&signer.id.parse().unwrap(), signer.kid).unwrap());
    refusal(&ask_alone(&app, &signer.signed(&signer.claims(&app))).await, 401, "invalid_client");
    refusal(&ask_for_officer(&app, &signer.signed(&signer.officer(&app))).await, 400, "invalid_grant");
}
