//! Limits that are kept, that pass once, and that move.

use chrono::Duration;
use insta::assert_snapshot;
use lindung_tests::{TestApp, action_body};
use serde_json::json;

use super::{POLICE, SCHOOL, on, told};

#[actix_web::test]
async fn what_is_answered_in_time_is_met() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let sent = school.refers(&school.opens_case().await, &police).await;
    assert_snapshot!(on(&school, &sent).await, @"
    referral-acknowledge 2026-11-25T02:00:00Z running
    referral-decide 2026-11-27T16:00:00Z running
    ");
    app.wait(Duration::hours(2));
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let received = police.does(&sent, "receive", json!({})).await;
    let agreed = json!({ "dueAt": "2026-12-24T00:00:00Z" });
    let accepted = police.does(&received, "accept", agreed).await;
    assert_snapshot!(on(&police, &accepted).await, @"referral-complete 2026-12-24T00:00:00Z running");
    police.does(&accepted, "complete", action_body("complete")).await;
    assert_eq!(on(&school, &sent).await, "");
    assert_snapshot!(told(&school, &sent).await, @"
    referral.requested
    referral.received
    clock.met referral-acknowledge
    referral.accepted
    clock.met referral-decide
    referral.completed
    clock.met referral-complete
    ");
    app.wait(Duration::days(60));
    assert_eq!(app.work(), 0);
    let causes = app.database.rows(
        "select count(distinct causation_id) as n from events where kind ~ 'referral.received|clock.met' and data->>'status' = 'received' \
         or data->>'clock' = 'referral-acknowledge'",
    );
    assert_eq!(causes, [json!({ "n": 1 })], "what is met is told with what met it");
}

#[actix_web::test]
async fn a_limit_that_passes_is_told_once_and_then_escalates() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let sent = school.refers(&school.opens_case().await, &police).await;
    app.wait(Duration::hours(24) - Duration::microseconds(1));
    assert_eq!(app.work(), 0);
    app.wait(Duration::microseconds(1));
    // Two workers at once: one leads.
    let (one, other) = (app.database.worker(), app.database.worker());
    let now = app.now();
    let threads = [one, other].map(|db| std::thread::spawn(move || db.work(now).unwrap().passed));
    assert_eq!(threads.map(|it| it.join().unwrap()).iter().sum::<usize>(), 1);
    assert_eq!(app.work(), 0);
    let school = app.officer(SCHOOL).await;
    assert_snapshot!(on(&school, &sent).await, @"
    referral-acknowledge 2026-11-25T02:00:00Z overdue
    referral-decide 2026-11-27T16:00:00Z running
    ");
    app.wait(Duration::hours(12));
    assert_eq!((app.work(), app.work()), (1, 0));
    let coordinator = app.coordinator().await;
    coordinator.act_anyhow(&sent, "remind", &json!({})).await.is(200);
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    police.does(&sent, "receive", json!({})).await;
    assert_snapshot!(told(&school, &sent).await, @"
    referral.requested
    clock.overdue referral-acknowledge
    clock.escalated referral-acknowledge
    referral.reminded
    referral.received
    clock.met referral-acknowledge late
    ");
    for other in [&police, &coordinator] {
        assert_eq!(told(other, &sent).await, told(&school, &sent).await);
    }
    let rows = app.database.rows(
        "select agency, client_id, recipients = (select recipients from events where kind ~ 'requested') as same \
         from events where kind ~ 'overdue'",
    );
    assert_eq!(json!(rows), json!([{ "agency": null, "client_id": null, "same": true }]));
}

#[actix_web::test]
async fn nothing_is_told_where_the_mark_cannot_be_made() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    let sent = school.refers(&case, &police).await;
    app.wait(Duration::hours(24));
    app.database.execute("alter table events add constraint broken check (kind !~ 'overdue') not valid");
    let worked = app.database.worker().work(app.now()).unwrap();
    assert_eq!((worked.passed, worked.failures.len()), (0, 1));
    assert_eq!(app.database.count("clocks where overdue_at is not null"), 0);
    app.database.execute("alter table events drop constraint broken");
    assert_eq!((app.work(), app.work()), (1, 0));
    assert_eq!(app.database.count("events where kind ~ 'overdue'"), 1);
    let school = app.officer(SCHOOL).await;
    let versions = school.get(&format!("{}/timeline", case.path)).await;
    assert_eq!(versions.items().last().unwrap()["subjectId"], json!(sent.id), "and it stands in the case's timeline");
}

#[actix_web::test]
async fn a_question_pauses_and_a_redirect_goes_on_with_another() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let sent = school.refers(&school.opens_case().await, &police).await;
    let received = police.does(&sent, "receive", json!({})).await;
    let asked = police.does(&received, "ask", action_body("ask")).await;
    assert_snapshot!(on(&school, &sent).await, @"referral-decide 2026-11-27T16:00:00Z paused");
    app.wait(Duration::days(30));
    assert_eq!(app.work(), 0, "while a question is unanswered nothing passes");
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let answered = school.does(&asked, "answer", action_body("answer")).await;
    assert_snapshot!(on(&school, &sent).await, @"referral-decide 2026-12-27T16:00:00Z running");
    police.does(&answered, "redirect", action_body("redirect")).await;
    let kl = app.officer("KDN.PDRM.D11.KL").await;
    assert_snapshot!(on(&kl, &sent).await, @"
    referral-acknowledge 2026-12-25T02:00:00Z running
    referral-decide 2026-12-27T16:00:00Z running
    ");
    let holders = app.database.rows("select code, holder, ended from clocks order by code, id");
    assert_snapshot!(json!(holders), @r#"[{"code":"referral-acknowledge","ended":"met","holder":"KDN.PDRM.D11"},{"code":"referral-acknowledge","ended":null,"holder":"KDN.PDRM.D11.KL"},{"code":"referral-decide","ended":null,"holder":"KDN.PDRM.D11.KL"}]"#);
}

#[actix_web::test]
async fn an_emergency_access_is_to_be_reviewed() {
    let app = TestApp::start().await;
    let (school, doctor) = (app.supervisor(SCHOOL).await, app.officer("KKM.OSCC.HKL").await);
    let case = school.opens_case().await;
    let asked =
        json!({ "reference": case.body["reference"], "code": "other", "reason": "Unconscious child brought in." });
    let access = doctor.post("/v1/emergency-accesses", &asked).await.is(201).reference();
    assert_snapshot!(on(&school, &access).await, @"break-glass-review 2026-11-27T02:00:00Z running");
    app.wait(Duration::hours(72));
    assert_eq!(app.work(), 1);
    let school = app.supervisor(SCHOOL).await;
    assert_snapshot!(told(&school, &case).await, @"
    case.opened
    emergency-access.opened
    clock.overdue break-glass-review
    clock.escalated break-glass-review
    ");
    school.act_anyhow(&access, "review", &json!({ "outcome": "justified", "note": "Seen." })).await.is(200);
    assert_eq!(on(&school, &access).await, "");
}
