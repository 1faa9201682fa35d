//! Passing a referral on.

use lindung_tests::{Ref, Session, TestApp, referral_body};
use serde_json::{Value, json};

async fn passed_on(by: &Session, on: &Ref, to: &str) -> lindung_tests::Answered {
    by.act_anyhow(on, "redirect", &json!({ "to": to, "reason": "Yours." })).await
}

#[actix_web::test]
async fn it_goes_to_an_alternative_to_the_own_ministry_or_onward_and_nowhere_else() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let case = school.opens_case().await;
    let refer = async |onward: bool| {
        let mut terms = referral_body("KDN.PDRM.D11");
        terms["alternatives"] = json!(["KPWKM.JKM"]);
        terms["onward"] = json!(onward);
        school.refers_in(&case, &terms).await
    };
    let table = [
        (false, "KPWKM.JKM", 200, ""),
        (false, "KDN.PDRM.D11.SELANGOR", 200, ""),
        (false, "KK.MCMC", 422, "not-an-alternative"),
        (true, "KK.MCMC", 200, ""),
        (true, "KPM.SEKOLAH.WBA0001", 422, "sender"),
        (true, "KDN.PDRM.D11", 422, "own-agency"),
        (true, "KDN.PDRM.CIC", 422, "not-a-party"),
        (true, "KDN.NOBODY", 422, "unknown-agency"),
    ];
    for (onward, to, status, code) in table {
        let answer = passed_on(&police, &refer(onward).await, to).await.is(status);
        if status == 422 {
            answer.about("to", code);
        }
    }
    let asked: Value =
        police.act(&refer(false).await, "redirect", &json!({ "to": "KPWKM.JKM" })).await.is(400).body.clone();
    assert_eq!(asked["errors"][0]["field"], "reason");
}

#[actix_web::test]
async fn three_times_at_most_and_never_back_to_the_sender() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let units = ["KDN.PDRM.D11", "KDN.PDRM.D11.KL", "KDN.PDRM.D11.SELANGOR", "KDN.PDRM.MICAC", "KDN.PDRM"];
    let mut sessions = Vec::new();
    for unit in units {
        sessions.push(app.officer(unit).await);
    }
    let case = school.opens_case().await;
    let referral = school.refers(&case, &sessions[0]).await;
    for at in 0..3 {
        let done = passed_on(&sessions[at], &referral, units[at + 1]).await.is(200);
        assert_eq!(done.body["status"], "requested");
    }
    let last = sessions[3].get(&referral.path).await;
    assert_eq!(last.body["availableActions"], json!(["receive", "accept", "reject"]));
    assert_eq!(last.body["redirects"], 3);
    passed_on(&sessions[3], &referral, units[4]).await.is_problem(409, "not-now");
    sessions[4].get(&referral.path).await.is(404);
}

#[actix_web::test]
async fn who_had_it_keeps_the_record_and_loses_the_sections() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let (police, contingent) = (app.officer("KDN.PDRM.D11").await, app.officer("KDN.PDRM.D11.KL").await);
    let case = school.opens_case().await;
    let received = police.does(&school.refers(&case, &police).await, "receive", json!({})).await;
    let asked = police.does(&received, "ask", json!({ "text": "Where?" })).await;
    let narrative = format!("{}/sections/narrative", case.path);
    police.get(&narrative).await.is(200);
    contingent.get(&narrative).await.is(404);

    let passed = police.does(&asked, "redirect", json!({ "to": "KDN.PDRM.D11.KL", "reason": "By area." })).await;
    contingent.get(&narrative).await.is(200);
    for gone in [narrative.as_str(), case.path.as_str(), &format!("{}/timeline", case.path)] {
        police.get(gone).await.is_problem(404, "not-found");
    }
    let record = police.get(&passed.path).await.is(200);
    assert_eq!(record.body["recipient"], "KDN.PDRM.D11.KL");
    assert_eq!(record.body["formerRecipients"], json!(["KDN.PDRM.D11"]));
    assert_eq!(record.body["availableActions"], json!([]));
    assert_eq!(record.body["awaitingInformation"], false);
    assert_eq!(police.get(&format!("{}/messages", passed.path)).await.items().len(), 2);
    police.act(&passed, "accept", &json!({})).await.is_problem(403, "not-yours-to-do");
    let inbox = |of: &lindung_tests::Answered| of.items().iter().filter(|it| it["id"] == passed.id).count();
    assert_eq!(inbox(&police.get("/v1/inbox").await), 0);
    assert_eq!(inbox(&contingent.get("/v1/inbox").await), 1);

    // What becomes of it later, its former recipient can read too.
    contingent.does(&passed, "accept", json!({})).await;
    assert_eq!(police.get(&passed.path).await.body["status"], "accepted");
}

#[actix_web::test]
async fn a_claimed_one_goes_to_another_that_was_listed() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let (police, welfare) = (app.officer("KDN.PDRM.D11").await, app.officer("KPWKM.JKM").await);
    let case = school.opens_case().await;
    let open = school.refers_openly(&case, &[&police, &welfare]).await;
    passed_on(&police, &open, "KPWKM.JKM").await.is_problem(409, "not-now");
    let claimed = police.does(&open, "claim", json!({})).await;
    welfare.get(&open.path).await.is(404);
    let passed = police.does(&claimed, "redirect", json!({ "to": "KPWKM.JKM", "reason": "Welfare first." })).await;
    welfare.does(&passed, "accept", json!({})).await;
}
