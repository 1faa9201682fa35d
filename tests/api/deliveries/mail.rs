//! Mail: that something happened, to servers that are down, busy or unwilling.

use chrono::Duration;
use insta::assert_snapshot;
use lindung_delivery::{Mailer, Smtp};
use lindung_tests::{MailServer, Ref, Reply, Session, TestApp, referral_body};
use serde_json::{Value, json};

use super::{POLICE, SCHOOL, listed, referrals, round};

fn mailer(app: &TestApp, server: &MailServer) -> Option<Mailer> {
    let smtp = Smtp { url: server.url(), plain: true };
    Some(Mailer::by_server(&smtp, "Lindung <lindung@example.my>", app.api.issuer()).unwrap())
}

async fn mailed(app: &TestApp, language: &str) -> (Session, Ref) {
    let admin = app.administrator(POLICE).await;
    let body = json!({ "channel": "email", "address": "meja.d11@example.my", "language": language });
    let made = admin.post("/v1/subscriptions", &body).await.is(201).reference();
    (admin, made)
}

/// Refers a case that cannot wait.
async fn immediately(app: &TestApp) {
    let school = app.officer(SCHOOL).await;
    let case = school.opens_case().await;
    let mut terms = referral_body(POLICE);
    terms["priority"] = json!("immediate");
    school.refers_in(&case, &terms).await;
}

fn of<'a>(mail: &'a str, field: &str) -> &'a str {
    mail.lines().find_map(|it| it.strip_prefix(field)).unwrap_or_default().trim()
}

#[actix_web::test]
async fn what_cannot_wait_is_mailed_at_once_and_the_rest_by_the_hour_in_one_mail() {
    let (app, server) = (TestApp::start().await, MailServer::start().await);
    let (admin, subscription) = mailed(&app, "en").await;
    let courier = app.courier(mailer(&app, &server));
    referrals(&app, 3).await;
    app.fan_out();
    assert_eq!(courier.round().await.unwrap(), round(0, 0));
    immediately(&app).await;
    app.fan_out();
    assert_eq!(courier.round().await.unwrap(), round(1, 0));
    assert!(server.mails()[0].contains("There is 1 thing new"));
    app.wait(Duration::hours(1));
    assert_eq!(courier.round().await.unwrap(), round(3, 0));
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    assert!(mails[1].contains("There are 3 things new"));
    assert_eq!(of(&mails[1], "To:"), "meja.d11@example.my");
    assert_ne!(of(&mails[0], "Message-ID:"), of(&mails[1], "Message-ID:"));
    let admin = {
        drop(admin);
        app.administrator(POLICE).await
    };
    assert!(listed(&admin, &subscription).await.lines().all(|it| it == "referral.requested delivered 250"));
    let access = &app
        .database
        .rows("select action, agency, target, count from access_log where action = 'mail_events' order by id")[1];
    assert_eq!(*access, json!({ "action": "mail_events", "agency": POLICE, "target": subscription.id, "count": 3 }));
}

#[actix_web::test]
async fn a_mail_names_nothing_and_nobody() {
    let (app, server) = (TestApp::start().await, MailServer::start().await);
    mailed(&app, "ms").await;
    immediately(&app).await;
    app.fan_out();
    app.courier(mailer(&app, &server)).round().await.unwrap();
    let mail = server.mails().remove(0);
    assert_eq!(of(&mail, "Subject:"), "Lindung: ada perkara baharu untuk agensi anda");
    assert_eq!(of(&mail, "Auto-Submitted:"), "auto-generated");
    let facts = app.database.rows("select e.id::text || ' ' || e.case_id || ' ' || c.reference || ' ' || e.kind as all from events e join cases c on c.id = e.case_id");
    for fact in facts.iter().flat_map(|it| it["all"].as_str().unwrap().split(' ')) {
        assert!(!mail.contains(fact), "{fact}");
    }
    for word in ["immediate", "referral", "rujukan", SCHOOL, "A792"] {
        assert!(!mail.contains(word), "{word}");
    }
}

#[actix_web::test]
async fn a_server_that_is_down_then_busy_gets_it_later_and_one_without_the_mailbox_is_asked_no_more() {
    let (app, mut server) = (TestApp::start().await, MailServer::start().await);
    let (admin, subscription) = mailed(&app, "en").await;
    let courier = app.courier(mailer(&app, &server));
    immediately(&app).await;
    app.fan_out();
    server.goes_down().await;
    assert_eq!(courier.round().await.unwrap(), round(0, 1));
    server.comes_up().await;
    server.replies([Reply(421), Reply(451)]);
    app.wait(Duration::seconds(7));
    assert_eq!(courier.round().await.unwrap(), round(0, 1));
    app.wait(Duration::minutes(7));
    assert_eq!(courier.round().await.unwrap(), round(0, 1));
    app.wait(Duration::minutes(40));
    assert_eq!(courier.round().await.unwrap(), round(1, 0));
    let admin = {
        drop(admin);
        app.administrator(POLICE).await
    };
    assert_snapshot!(listed(&admin, &subscription).await, @"referral.requested delivered connection 421:status 451:status 250");

    immediately(&app).await;
    app.fan_out();
    server.replies([Reply(550)]);
    assert_eq!(courier.round().await.unwrap(), round(0, 1));
    let shown = admin.get(&subscription.path).await;
    assert_eq!((shown.body["status"].clone(), shown.body["reason"].clone()), (json!("disabled"), json!("bounced")));
    let moved = json!({ "address": "pejabat.d11@example.my" });
    admin.put(&subscription.path, shown.body["version"].as_i64().unwrap(), &moved).await.is(200);
    admin.act_anyhow(&subscription, "resume", &json!({})).await.is(200);
    assert_eq!(courier.round().await.unwrap(), round(1, 0));
    assert_eq!(of(server.mails().last().unwrap(), "To:"), "pejabat.d11@example.my");
}

#[actix_web::test]
async fn what_the_server_will_not_take_is_parked_and_what_is_between_us_is_tried_again() {
    let (app, server) = (TestApp::start().await, MailServer::start().await);
    let (admin, subscription) = mailed(&app, "en").await;
    let courier = app.courier(mailer(&app, &server));
    for reply in [554, 535] {
        immediately(&app).await;
        app.fan_out();
        server.replies([Reply(reply)]);
        assert_eq!(courier.round().await.unwrap(), round(0, 1));
    }
    assert_snapshot!(listed(&admin, &subscription).await, @"
    referral.requested pending 535:mail-server
    referral.requested parked 554:refused
    ");
    let shown: Value = admin.get(&subscription.path).await.body.clone();
    assert_eq!(shown["status"], "active");
}

#[actix_web::test]
async fn without_a_mail_server_it_waits() {
    let app = TestApp::start().await;
    mailed(&app, "en").await;
    immediately(&app).await;
    app.fan_out();
    assert_eq!(app.courier(None).round().await.unwrap(), round(0, 0));
    assert_eq!(app.database.count("deliveries where status = 'pending'"), 1);
}
