//! A draft is its sender's alone, until it is sent.

use lindung_tests::{TestApp, referral_body};
use serde_json::{Value, json};

fn kinds(timeline: &[Value]) -> Vec<&str> {
    timeline.iter().filter_map(|it| it["type"].as_str()?.strip_prefix("my.gov.lindung.")).collect()
}

#[actix_web::test]
async fn a_draft_and_its_events_are_the_senders_alone() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let police = app.officer("KDN.PDRM.D11").await;
    let welfare = app.officer("KPWKM.JKM").await;
    let coordinator = app.coordinator().await;
    let case = school.opens_case().await;
    school.refers(&case, &police).await;
    let mut terms = referral_body("KDN.PDRM.D11");
    terms["draft"] = json!(true);
    let draft = school.refers_in(&case, &terms).await;

    for other in [&police, &welfare, &coordinator] {
        other.get(&draft.path).await.is_problem(404, "not-found");
        other.get(&format!("{}/messages", draft.path)).await.is_problem(404, "not-found");
        other.act(&draft, "accept", &json!({})).await.is_problem(404, "not-found");
    }
    let listed = |of: &lindung_tests::Answered| of.items().iter().any(|it| it["id"] == draft.id);
    assert!(listed(&school.get("/v1/outbox").await));
    assert!(!listed(&police.get("/v1/inbox?status=draft,requested").await));
    let of_case = format!("{}/referrals", case.path);
    assert!(listed(&school.get(&of_case).await) && !listed(&police.get(&of_case).await));
    assert!(!listed(&coordinator.get(&of_case).await));

    // Another draft is thrown away: nobody ever hears of it.
    let second = school.refers_in(&case, &terms).await;
    let cancelled = school.does(&second, "cancel", json!({ "reason": "sent-in-error" })).await;
    police.get(&cancelled.path).await.is(404);

    let amended = school.put(&draft.path, 1, &referral_body("KPWKM.JKM")).await.is(200).reference();
    assert_eq!((amended.version, amended.body["status"].as_str()), (2, Some("draft")));
    let timeline = format!("{}/timeline", case.path);
    assert_eq!(kinds(police.get(&timeline).await.items()), ["referral.requested"]);
    assert_eq!(kinds(coordinator.get(&timeline).await.items()), ["case.opened", "referral.requested"]);

    school.does(&amended, "send", json!({})).await;
    let own = school.get(&timeline).await;
    let told = ["case.opened", "referral.requested", "referral.drafted", "referral.drafted"];
    assert_eq!(kinds(own.items())[..4], told);
    assert_eq!(kinds(own.items())[4..], ["referral.cancelled", "referral.amended", "referral.requested"]);
    welfare.get(&draft.path).await.is(200);
    assert_eq!(kinds(welfare.get(&timeline).await.items()), ["referral.requested"]);
    assert_eq!(kinds(coordinator.get(&timeline).await.items()).len(), 3);
    school.put(&draft.path, 3, &referral_body("KPWKM.JKM")).await.is_problem(409, "not-now");
}

#[actix_web::test]
async fn a_draft_is_sent_when_it_is_complete_and_its_case_open() {
    let app = TestApp::start().await;
    let (school, head) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.supervisor("KPM.SEKOLAH.WBA0001").await);
    let case = school.opens_case().await;
    let mut terms = referral_body("");
    terms["draft"] = json!(true);
    terms.as_object_mut().unwrap().remove("recipient");
    let draft = school.refers_in(&case, &terms).await;
    school.act(&draft, "send", &json!({})).await.is_problem(422, "invalid").about("recipient", "required");

    // Drafts do not keep a case open; while it is closed they wait.
    head.does(&case, "close", json!({ "outcome": "referred-on" })).await;
    let seen = school.get(&draft.path).await;
    assert_eq!(seen.body["availableActions"], json!(["cancel", "mark-entered-in-error"]));
    school.act(&draft, "send", &json!({})).await.is_problem(409, "not-now");
    school.put(&draft.path, 1, &referral_body("KPWKM.JKM")).await.is_problem(409, "not-now");
    school.does(&draft, "cancel", json!({ "reason": "no-longer-needed" })).await;
}

#[actix_web::test]
async fn who_may_no_longer_refer_cannot_send_a_draft() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let case = school.opens_case().await;
    let mut terms = referral_body("KDN.PDRM.D11");
    terms["onward"] = json!(true);
    let accepted = police.does(&school.refers_in(&case, &terms).await, "accept", json!({})).await;
    let mut onward = referral_body("KPWKM.JKM");
    onward["draft"] = json!(true);
    let draft = police.refers_in(&case, &onward).await;
    assert_eq!(police.get(&draft.path).await.body["availableActions"][1], "send");

    police.does(&accepted, "complete", json!({ "outcome": "charged", "summary": "Charged." })).await;
    let left = police.get(&draft.path).await.is(200).body["availableActions"].clone();
    assert_eq!(left, json!(["cancel", "mark-entered-in-error"]));
    police.act(&draft, "send", &json!({})).await.is_problem(403, "not-yours-to-do");
    police.put(&draft.path, 1, &onward).await.is_problem(403, "not-yours-to-do");
}
