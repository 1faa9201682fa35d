//! Grants: who sees and writes which sections of a case, through which referral, and until when.

mod by_hand;
mod contributions;
mod onward;
mod terms;

use chrono::Duration;
use lindung_tests::{Ref, Session, TestApp, case_body, referral_body};
use serde_json::{Value, json};

/// What somebody reads of a case: the sections that answer 200, or the status that all of it answers.
async fn sight(who: &Session, case: &Ref) -> Result<Vec<&'static str>, u16> {
    let header = who.get(&case.path).await;
    let mut read = Vec::new();
    for section in ["summary", "narrative", "investigation", "digital-evidence", "plan"] {
        let status = who.get(&format!("{}/sections/{section}", case.path)).await.status;
        match (status, header.status) {
            (200, 200) => read.push(section),
            (status, 200) => assert_eq!(status, 403, "{section}"),
            (status, of_case) => assert_eq!(status, of_case, "{section}"),
        }
    }
    for section in ["identity", "contacts", "guardians", "risk", "education", "health"] {
        let status = who.get(&format!("{}/sections/{section}", case.child(0))).await.status;
        match (status, header.status) {
            (200, 200) => read.push(section),
            (status, 200) => assert_eq!(status, 403, "{section}"),
            (status, of_case) => assert_eq!(status, of_case, "{section}"),
        }
    }
    if header.status != 200 {
        return Err(header.status);
    }
    let mut told: Vec<&str> =
        header.body["readableSections"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    told.sort_unstable();
    let mut sorted = read.clone();
    sorted.sort_unstable();
    assert_eq!(told, sorted, "the header tells what can be read");
    Ok(read)
}

const PACKET: [&str; 2] = ["summary", "narrative"];
const SHARED: [&str; 4] = ["summary", "narrative", "digital-evidence", "identity"];

#[actix_web::test]
async fn the_packet_while_it_is_pending_and_what_is_shared_on_acceptance() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let case = school.opens_case().await;
    assert_eq!(sight(&school, &case).await.map(|it| it.len()), Ok(11));
    assert_eq!(sight(&police, &case).await, Err(404));

    let sent = school.refers(&case, &police).await;
    assert_eq!(sight(&police, &case).await, Ok(PACKET.to_vec()));
    let received = police.does(&sent, "receive", json!({})).await;
    assert_eq!(sight(&police, &case).await, Ok(PACKET.to_vec()));
    let accepted = police.does(&received, "accept", json!({})).await;
    assert_eq!(sight(&police, &case).await, Ok(SHARED.to_vec()));
    // Neither the unit above nor the one below inherits it.
    for unit in ["KDN.PDRM", "KDN.PDRM.D11.KL", "KDN"] {
        assert_eq!(sight(&app.officer(unit).await, &case).await, Err(404), "{unit}");
    }
    police.does(&accepted, "complete", json!({ "outcome": "charged", "summary": "Done." })).await;
    assert_eq!(sight(&police, &case).await, Err(404));
    police.get(&sent.path).await.is(200);
}

#[actix_web::test]
async fn every_end_ends_what_the_referral_gave_and_nothing_else() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let head = app.supervisor("KPM.SEKOLAH.WBA0001").await;
    let why = json!({ "reason": "other", "text": "So it is." });
    let words = json!({ "reason": "It must be." });
    let ends: [(&[&str], &Session, &str, &Value); 7] = [
        (&[], &police, "reject", &why),
        (&[], &school, "cancel", &why),
        (&["receive"], &school, "mark-entered-in-error", &words),
        (&["accept"], &school, "cancel", &why),
        (&["accept"], &police, "fail", &why),
        (&["accept"], &head, "mark-entered-in-error", &words),
        (&["accept", "start"], &police, "complete", &json!({ "outcome": "charged", "summary": "Done." })),
    ];
    for (steps, by, end, body) in ends {
        let case = school.opens_case().await;
        let mut at = school.refers(&case, &police).await;
        for step in steps {
            at = police.does(&at, step, json!({})).await;
        }
        let mut small = referral_body("KDN.PDRM.D11");
        small["shares"] = json!([]);
        let other = school.refers_in(&case, &small).await;
        by.does(&at, end, body.clone()).await;
        assert_eq!(sight(&police, &case).await, Ok(vec!["summary"]), "{end} after {steps:?}");
        school.does(&other, "cancel", why.clone()).await;
        assert_eq!(sight(&police, &case).await, Err(404), "{end} after {steps:?}");
    }
    // Work that was confirmed as cancelled ends it too.
    let case = school.opens_case().await;
    let accepted = police.does(&school.refers(&case, &police).await, "accept", json!({})).await;
    let started = police.does(&accepted, "start", json!({})).await;
    let asked = school.does(&started, "request-cancel", words.clone()).await;
    assert_eq!(sight(&police, &case).await, Ok(SHARED.to_vec()));
    police.does(&asked, "confirm-cancel", json!({ "workDone": "None." })).await;
    assert_eq!(sight(&police, &case).await, Err(404));
}

#[actix_web::test]
async fn a_claim_ends_the_packets_of_the_others_and_a_decline_its_own() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let (police, welfare) = (app.officer("KDN.PDRM.D11").await, app.officer("KPWKM.JKM").await);
    let mcmc = app.officer("KK.MCMC").await;
    let case = school.opens_case().await;
    let open = school.refers_openly(&case, &[&police, &welfare, &mcmc]).await;
    for listed in [&police, &welfare, &mcmc] {
        assert_eq!(sight(listed, &case).await, Ok(PACKET.to_vec()));
    }
    let declined = mcmc.does(&open, "decline", json!({ "reason": "no-capacity" })).await;
    assert_eq!(sight(&mcmc, &case).await, Err(404));
    assert_eq!(sight(&welfare, &case).await, Ok(PACKET.to_vec()));

    let claimed = welfare.does(&declined, "claim", json!({})).await;
    assert_eq!(sight(&police, &case).await, Err(404));
    for gone in [open.path.clone(), format!("{}/messages", open.path)] {
        police.get(&gone).await.is_problem(404, "not-found");
    }
    police.act(&claimed, "claim", &json!({})).await.is_problem(404, "not-found");
    assert!(police.get("/v1/inbox").await.items().is_empty());
    assert_eq!(sight(&welfare, &case).await, Ok(PACKET.to_vec()));
    welfare.does(&claimed, "accept", json!({})).await;
    assert_eq!(sight(&welfare, &case).await, Ok(SHARED.to_vec()));
}

#[actix_web::test]
async fn retention_lets_them_look_for_a_while_after_completion() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let mut terms = referral_body("KDN.PDRM.D11");
    terms["retentionDays"] = json!(2);
    terms["contributes"] = json!(["narrative"]);
    terms["onward"] = json!(true);
    let done = json!({ "outcome": "charged", "summary": "Done." });
    let cases = [school.opens_case().await, school.opens_case().await];
    let mut ended = Vec::new();
    for case in &cases {
        let accepted = police.does(&school.refers_in(case, &terms).await, "accept", json!({})).await;
        ended.push(police.does(&accepted, "complete", done.clone()).await);
    }
    app.wait(Duration::days(2) - Duration::seconds(1));
    let police = app.officer("KDN.PDRM.D11").await;
    assert_eq!(sight(&police, &cases[0]).await, Ok(SHARED.to_vec()));
    // They look, and neither write nor share any more.
    let narrative = format!("{}/sections/narrative", cases[0].path);
    police.put(&narrative, 1, &json!({ "text": "More." })).await.is_problem(403, "not-yours-to-do");
    let onward = police.post(&format!("{}/referrals", cases[0].path), &referral_body("KPWKM.JKM")).await;
    onward.is_problem(403, "not-yours-to-do");
    // What turns out to be an error ends at once.
    let head = app.supervisor("KPM.SEKOLAH.WBA0001").await;
    head.does(&ended[1], "mark-entered-in-error", json!({ "reason": "Another child." })).await;
    assert_eq!(sight(&police, &cases[1]).await, Err(404));
    app.wait(Duration::seconds(1));
    assert_eq!(sight(&police, &cases[0]).await, Err(404));
    police.get(&ended[0].path).await.is(200);
}

#[actix_web::test]
async fn what_an_override_shares_ends_with_it_in_the_packet_too() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let (police, welfare) = (app.officer("KDN.PDRM.D11").await, app.officer("KPWKM.JKM").await);
    let case = school.opens_case().await;
    let until = (app.now() + Duration::minutes(5)).to_rfc3339();
    let basis = json!({ "kind": "override", "reason": "Danger to life.", "until": until });
    let mut terms = referral_body("KDN.PDRM.D11");
    terms["shares"][0]["basis"] = basis.clone();
    terms["shares"][2]["basis"] = basis;
    let sent = school.refers_in(&case, &terms).await;
    police.does(&sent, "accept", json!({})).await;
    terms["recipient"] = json!("KPWKM.JKM");
    school.refers_in(&case, &terms).await;
    assert_eq!(sight(&police, &case).await, Ok(SHARED.to_vec()));
    assert_eq!(sight(&welfare, &case).await, Ok(PACKET.to_vec()));
    app.wait(Duration::minutes(5));
    assert_eq!(sight(&police, &case).await, Ok(vec!["summary", "digital-evidence"]));
    assert_eq!(sight(&welfare, &case).await, Ok(vec!["summary"]));
}

#[actix_web::test]
async fn another_purpose_is_another_matter() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;
    let protecting = app.person("KDN.PDRM.D11", "officer.one", &["officer"], Some("protection")).await;
    let case = school.opens_case().await;
    let mut terms = referral_body("KDN.PDRM.D11");
    terms["purposes"] = json!(["investigation"]);
    terms["contributes"] = json!(["narrative"]);
    let accepted = police.does(&school.refers_in(&case, &terms).await, "accept", json!({})).await;
    assert_eq!(sight(&police, &case).await, Ok(SHARED.to_vec()));
    assert_eq!(sight(&protecting, &case).await, Err(403));
    protecting.get(&format!("{}/timeline", case.path)).await.is_problem(403, "not-yours-to-do");
    let narrative = format!("{}/sections/narrative", case.path);
    protecting.put(&narrative, 1, &json!({ "text": "More." })).await.is_problem(403, "not-yours-to-do");
    let listed = |page: &lindung_tests::Answered| page.items().len();
    assert_eq!(listed(&police.get("/v1/cases").await), 1);
    assert_eq!(listed(&protecting.get("/v1/cases").await), 0);
    // The record of the referral is the agency's, whatever it works for.
    protecting.get(&accepted.path).await.is(200);
    assert_eq!(listed(&protecting.get("/v1/inbox").await), 1);
}

#[actix_web::test]
async fn some_children_only() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let mut body = case_body();
    body["children"].as_array_mut().unwrap().push(json!({ "sections": { "identity": { "names": ["Second"] } } }));
    let case = school.post("/v1/cases", &body).await.is(201).reference();
    let mut terms = referral_body("KDN.PDRM.D11");
    terms["children"] = json!([case.child_id(0)]);
    police.does(&school.refers_in(&case, &terms).await, "accept", json!({})).await;

    let of = |child: usize, what: &str| format!("{}{what}", case.child(child));
    police.get(&of(0, "/sections/identity")).await.is(200);
    police.get(&of(1, "/sections/identity")).await.is_problem(404, "not-found");
    police.get(&of(1, "")).await.is_problem(404, "not-found");
    let seen = police.get(&case.path).await;
    assert_eq!(seen.body["children"].as_array().unwrap().len(), 1);
    assert_eq!(police.get(&of(0, "")).await.body["readableSections"], json!(["identity"]));
    assert_eq!(police.get(&format!("{}/children", case.path)).await.items().len(), 1);
    // Of a child that comes later it learns nothing either.
    school.post(&format!("{}/children", case.path), &json!({})).await.is(201);
    let told = police.get(&format!("{}/timeline", case.path)).await;
    assert!(told.items().iter().all(|it| it["type"] != "my.gov.lindung.child.added"), "{}", told.body);
}
