//! Acceptance: of the case as it was offered, or as it is named; and everything moves at once.

use lindung_tests::{Ref, Session, TestApp, referral_body};
use serde_json::{Value, json};

use super::{POLICE, SCHOOL, WELFARE, lead, offer_to, offers, two_sides};

async fn status_of(who: &Session, what: &Ref) -> Value {
    who.get(&what.path).await.is(200).body["status"].clone()
}

#[actix_web::test]
async fn a_case_that_has_changed_is_accepted_as_it_is_only_when_that_is_named() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    let offer = offers(&school, &case, &welfare).await;
    school.put(&format!("{}/sections/narrative", case.path), 1, &json!({ "text": "There is more." })).await.is(200);
    let sent = school.refers(&case, &app.officer(POLICE).await).await;

    let changed = welfare.act(&offer, "accept", &json!({})).await.is_problem(409, "changed");
    let told = changed.body["changes"].as_array().unwrap();
    let narrative = json!({ "change": "changed", "item": { "of": "section", "section": "narrative", "child": null, "version": 2 } });
    let referral = json!({ "change": "added", "item": { "of": "referral", "referral": sent.id, "version": 1 } });
    assert!(told.contains(&narrative) && told.contains(&referral) && told.len() == 2, "{told:?}");
    assert_eq!(lead(&app, &case), SCHOOL);
    welfare.act(&offer, "accept", &json!({ "manifest": "0".repeat(64) })).await.is_problem(409, "changed");
    let named = json!({ "manifest": changed.body["manifest"] });
    let accepted = welfare.act(&offer, "accept", &named).await.is(200);
    assert_eq!(accepted.body["manifest"], changed.body["manifest"]);
    assert_eq!(lead(&app, &case), WELFARE);
}

#[actix_web::test]
async fn a_case_that_is_offered_again_is_accepted_as_it_is() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    let offer = offers(&school, &case, &welfare).await;
    school.put(&format!("{}/sections/narrative", case.path), 1, &json!({ "text": "There is more." })).await.is(200);
    let again = school.does(&offer, "offer", json!({ "keeps": "read-only", "reason": "As it is now." })).await;
    assert_ne!(again.body["manifest"], offer.body["manifest"]);
    welfare.act(&offer, "accept", &json!({})).await.is_problem(412, "stale");
    welfare.does(&again, "accept", json!({})).await;
    assert_eq!(lead(&app, &case), WELFARE);
}

#[actix_web::test]
async fn the_former_lead_keeps_what_was_agreed() {
    let app = TestApp::start().await;
    for (keeps, narrative) in [("outcome-only", 403), ("read-only", 200)] {
        let (school, welfare, case) = two_sides(&app).await;
        let terms = json!({ "to": WELFARE, "keeps": keeps, "reason": "Yours." });
        let offer = school.post(&format!("{}/handoffs", case.path), &terms).await.is(201).reference();
        welfare.does(&offer, "accept", json!({})).await;
        school.get(&case.path).await.is(200);
        let section = format!("{}/sections/narrative", case.path);
        school.get(&section).await.is(narrative);
        school.put(&section, 1, &json!({ "text": "No more." })).await.is_problem(403, "not-yours-to-do");
        school.post(&format!("{}/referrals", case.path), &referral_body(POLICE)).await.is(403);
        school.post(&format!("{}/handoffs", case.path), &offer_to(POLICE)).await.is(403);
        welfare.put(&section, 1, &json!({ "text": "It goes on." })).await.is(200);
        welfare.get(&format!("{}/sections/identity", case.child(0))).await.is(200);
        let grants = welfare.get(&format!("{}/grants?live=true", case.path)).await;
        let held: Vec<(&str, &str)> =
            grants.items().iter().map(|it| (it["agency"].as_str().unwrap(), it["source"].as_str().unwrap())).collect();
        assert_eq!(held.len(), 2);
        assert!(held.contains(&(WELFARE, "lead")) && held.contains(&(SCHOOL, "handoff")), "{held:?}");
    }
}

#[actix_web::test]
async fn open_referrals_move_and_what_was_asked_of_the_new_lead_is_done() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    let (police, hospital) = (app.officer(POLICE).await, app.officer("KKM.OSCC.HKL").await);
    let to_police = school.refers(&case, &police).await;
    let to_welfare = school.refers(&case, &welfare).await;
    let to_both = school.refers_openly(&case, &[&welfare, &hospital]).await;
    let to_welfare_alone = school.refers_openly(&case, &[&welfare]).await;
    let draft = json!({ "draft": true });
    let mut terms = referral_body(POLICE);
    terms.as_object_mut().unwrap().extend(draft.as_object().unwrap().clone());
    let draft = school.refers_in(&case, &terms).await;
    let offer = offers(&school, &case, &welfare).await;
    welfare.does(&offer, "accept", json!({})).await;

    for done in [&to_welfare, &to_welfare_alone] {
        let seen = welfare.get(&done.path).await.is(200);
        assert_eq!(
            (&seen.body["status"], &seen.body["outcome"]),
            (&json!("completed"), &json!("responsibility-taken"))
        );
    }
    for (moved, recipient) in [(&to_police, &police), (&to_both, &hospital)] {
        assert_eq!(welfare.get(&moved.path).await.is(200).body["sender"], WELFARE);
        assert_eq!(status_of(recipient, moved).await, "requested");
        school.act_anyhow(moved, "cancel", &json!({ "reason": "child-moved" })).await.is_problem(404, "not-found");
    }
    assert_eq!(welfare.get(&to_both.path).await.body["openTo"], json!(["KKM.OSCC.HKL"]));
    let claimed = hospital.act_anyhow(&to_both, "claim", &json!({})).await.is(200).reference();
    hospital.does(&claimed, "accept", json!({})).await;
    let accepted = police.act_anyhow(&to_police, "accept", &json!({})).await.is(200).reference();
    police.does(&accepted, "ask", json!({ "text": "Where is she?" })).await;
    welfare.act_anyhow(&to_police, "answer", &json!({ "text": "With her aunt." })).await.is(200);
    assert_eq!(status_of(&school, &draft).await, "draft", "a draft is its sender's alone");

    let told = app.database.rows(
        "select count(distinct causation_id) as commands, count(*) as events from events \
         where kind ~ 'handoff.accepted$' or (kind ~ 'referral.completed$' and data->>'outcome' = 'responsibility-taken')",
    );
    assert_eq!(told, [json!({ "commands": 1, "events": 3 })]);
}

#[actix_web::test]
async fn a_case_with_a_shield_goes_to_whom_the_shield_names() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    school.shields(&case.path, &[SCHOOL, WELFARE]).await.is(200);
    let offer = offers(&school, &case, &welfare).await;
    app.coordinator().await.get(&offer.path).await.is_problem(404, "not-found");
    let recipients = "select recipients from events where kind like '%handoff.offered'";
    assert_eq!(app.database.rows(recipients), [json!({ "recipients": [SCHOOL, WELFARE] })]);
    // Named no more while it is offered: then it cannot be taken.
    school.shields(&case.path, &[SCHOOL]).await.is(200);
    welfare.act(&offer, "accept", &json!({})).await.is_problem(404, "not-found");
    assert_eq!(lead(&app, &case), SCHOOL);
}

#[actix_web::test]
async fn a_repeated_acceptance_is_answered_alike_and_done_once() {
    let app = TestApp::start().await;
    let (school, welfare, case) = two_sides(&app).await;
    let offer = offers(&school, &case, &welfare).await;
    let path = format!("{}/accept", offer.path);
    let headers = [("idempotency-key", "once"), ("if-match", "\"1\"")];
    let first = welfare.send("POST", &path, &headers, Some(&json!({}))).await.is(200);
    let again = welfare.send("POST", &path, &headers, Some(&json!({}))).await.is(200);
    assert_eq!((first.body.clone(), again.header("idempotency-replayed")), (again.body.clone(), Some("true")));
    assert_eq!(app.database.count("events where kind like '%handoff.accepted'"), 1);
}
