//! Receivers that hang, drip, fail, send elsewhere, flood, die and come back.

use chrono::Duration;
use insta::assert_snapshot;
use lindung_tests::{Manner, Receiver, TestApp};
use lindung_webhook::Allow;
use serde_json::json;

use super::{POLICE, SCHOOL, WELFARE, listed, referrals, round, subscribed};

#[actix_web::test]
async fn one_that_hangs_harms_nobody_else() {
    let app = TestApp::start().await;
    let (hangs, drips, well) = (
        Receiver::start(Manner::Hangs).await,
        Receiver::start(Manner::Drips).await,
        Receiver::start(Manner::Answers(200)).await,
    );
    let (admin, hanging) = subscribed(&app, POLICE, &hangs).await;
    let (_, dripping) = subscribed(&app, POLICE, &drips).await;
    subscribed(&app, POLICE, &well).await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    for _ in 0..20 {
        let case = school.opens_case().await;
        school.refers(&case, &police).await;
    }
    app.fan_out();
    let courier = app.courier(None);
    let done = courier.round().await.unwrap();
    assert_eq!(well.received().len(), 20);
    assert_eq!(done.delivered, 20);
    // At once, and from then on, since nothing but failure was seen, one by one.
    assert_eq!((hangs.received().len(), drips.received().len()), (20, 20));
    app.wait(Duration::seconds(10));
    courier.round().await.unwrap();
    assert_eq!(well.received().len(), 20, "what arrived is not sent again");
    assert!(listed(&admin, &hanging).await.lines().all(|it| it == "referral.requested pending timeout timeout"));
    assert!(listed(&admin, &dripping).await.contains("pending timeout timeout"));
    let shown = admin.get(&hanging.path).await;
    assert_eq!(
        (shown.body["failures"].clone(), shown.body["failingSince"].clone()),
        (json!(40), json!("2026-11-24T02:00:00Z"))
    );
}

#[actix_web::test]
async fn what_fails_is_tried_by_the_schedule_and_then_parked() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(500)).await);
    let (admin, subscription) = subscribed(&app, POLICE, &receiver).await;
    referrals(&app, 1).await;
    app.fan_out();
    let courier = app.courier(None);
    for (wait, attempts) in [
        (0, 1),
        (4, 1),
        (6, 2),
        (299, 2),
        (361, 3),
        (2161, 4),
        (8641, 5),
        (21_601, 6),
        (43_201, 7),
        (60_481, 8),
        (86_401, 9),
    ] {
        app.wait(Duration::seconds(wait));
        courier.round().await.unwrap();
        assert_eq!(receiver.received().len(), attempts, "after {wait} seconds more");
    }
    let admin_then = app.administrator(POLICE).await;
    assert_eq!(listed(&admin_then, &subscription).await.split(' ').nth(1), Some("pending"));
    app.wait(Duration::seconds(103_681));
    courier.round().await.unwrap();
    let admin = {
        drop(admin);
        app.administrator(POLICE).await
    };
    assert_snapshot!(listed(&admin, &subscription).await, @"referral.requested parked 500:status 500:status 500:status 500:status 500:status 500:status 500:status 500:status 500:status 500:status");
    let parked = admin.get(&format!("{}/deliveries?status=parked", subscription.path)).await;
    let id = parked.items()[0]["id"].as_str().unwrap();
    receiver.behaves([Manner::Answers(200)]);
    admin.post(&format!("{}/deliveries/{id}/redeliver", subscription.path), &json!({})).await.is(202);
    assert_eq!(courier.round().await.unwrap(), round(1, 0));
    let ids: std::collections::BTreeSet<_> =
        receiver.received().iter().map(|it| it.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!((ids.len(), receiver.received().len()), (1, 11), "always the same id");
    let shown = admin.get(&subscription.path).await;
    assert_eq!((shown.body["failures"].clone(), shown.body.get("failingSince")), (json!(0), None));
}

#[actix_web::test]
async fn one_that_fails_for_five_days_is_disabled_and_loses_nothing() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(503)).await);
    let (_, subscription) = subscribed(&app, POLICE, &receiver).await;
    referrals(&app, 2).await;
    app.fan_out();
    let courier = app.courier(None);
    for _ in 0..20 {
        courier.round().await.unwrap();
        app.wait(Duration::hours(11));
    }
    let admin = app.administrator(POLICE).await;
    let shown = admin.get(&subscription.path).await;
    assert_eq!((shown.body["status"].clone(), shown.body["reason"].clone()), (json!("disabled"), json!("failing")));
    let tried = receiver.received().len();
    referrals(&app, 1).await;
    app.fan_out();
    app.wait(Duration::days(3));
    assert_eq!(courier.round().await.unwrap(), round(0, 0));
    assert_eq!(receiver.received().len(), tried);
    receiver.behaves([Manner::Answers(200)]);
    let admin = app.administrator(POLICE).await;
    admin.act_anyhow(&subscription, "resume", &json!({})).await.is(200);
    app.fan_out();
    courier.round().await.unwrap();
    let told: std::collections::BTreeSet<_> =
        receiver.received().iter().map(|it| it.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!(told.len(), 3, "what came meanwhile comes now");
}

#[actix_web::test]
async fn one_that_is_gone_is_disabled_at_once() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(410)).await);
    let (admin, subscription) = subscribed(&app, POLICE, &receiver).await;
    referrals(&app, 1).await;
    app.fan_out();
    assert_eq!(app.courier(None).round().await.unwrap(), round(0, 1));
    let shown = admin.get(&subscription.path).await;
    assert_eq!((shown.body["status"].clone(), shown.body["reason"].clone()), (json!("disabled"), json!("gone")));
    receiver.behaves([Manner::Answers(200)]);
    admin.act_anyhow(&subscription, "resume", &json!({})).await.is(200);
    assert_eq!(app.courier(None).round().await.unwrap(), round(1, 0));
}

#[actix_web::test]
async fn one_that_asks_to_be_left_alone_is() {
    let app = TestApp::start().await;
    let receiver = Receiver::start(Manner::Says(429, "retry-after", "3600".to_owned())).await;
    subscribed(&app, POLICE, &receiver).await;
    referrals(&app, 1).await;
    app.fan_out();
    let courier = app.courier(None);
    courier.round().await.unwrap();
    app.wait(Duration::minutes(59));
    courier.round().await.unwrap();
    assert_eq!(receiver.received().len(), 1);
    app.wait(Duration::minutes(2));
    courier.round().await.unwrap();
    assert_eq!(receiver.received().len(), 2);
}

#[actix_web::test]
async fn nobody_is_followed_and_no_flood_is_read() {
    let app = TestApp::start().await;
    let elsewhere = Receiver::start(Manner::Answers(200)).await;
    let redirects = Receiver::start(Manner::Says(307, "location", elsewhere.url())).await;
    let floods = Receiver::start(Manner::Floods(100)).await;
    let (admin, redirecting) = subscribed(&app, POLICE, &redirects).await;
    let (_, flooding) = subscribed(&app, POLICE, &floods).await;
    referrals(&app, 1).await;
    app.fan_out();
    let began = std::time::Instant::now();
    assert_eq!(app.courier(None).round().await.unwrap(), round(1, 1));
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "a bound against hanging, no measurement");
    assert_eq!(elsewhere.received().len(), 0);
    assert_eq!(listed(&admin, &redirecting).await, "referral.requested pending 307:redirect");
    assert_eq!(listed(&admin, &flooding).await, "referral.requested delivered 200");
}

#[actix_web::test]
async fn one_that_dies_and_comes_back_has_everything_in_the_end() {
    let (app, mut receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    let (admin, subscription) = subscribed(&app, POLICE, &receiver).await;
    let (school, police, made) = referrals(&app, 1).await;
    app.fan_out();
    receiver.dies().await;
    let courier = app.courier(None);
    assert_eq!(courier.round().await.unwrap(), round(0, 1));
    assert_eq!(listed(&admin, &subscription).await, "referral.requested pending refused");
    police.does(&made[0], "receive", json!({})).await;
    drop(school);
    app.fan_out();
    receiver.comes_back().await;
    assert_eq!(courier.round().await.unwrap(), round(0, 0), "the case waits for its first");
    app.wait(Duration::seconds(6));
    assert_eq!(courier.round().await.unwrap(), round(3, 0));
    assert_eq!(receiver.received().len(), 3);
}

#[actix_web::test]
async fn a_name_that_leads_in_here_is_not_followed_when_it_is_resolved() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    let (admin, literal) = subscribed(&app, WELFARE, &receiver).await;
    let named = receiver.url().replace("127.0.0.1", "localhost");
    let made =
        admin.post("/v1/subscriptions", &json!({ "channel": "webhook", "url": named })).await.is(201).reference();
    for it in [&literal, &made] {
        admin.post(&format!("{}/test", it.path), &json!({})).await.is(202);
    }
    // As it would be outside of development, where such URLs could only have come by another way.
    let courier = app.courier_to(Allow::Nothing, None);
    assert_eq!(courier.round().await.unwrap(), round(0, 2));
    assert_eq!(receiver.received().len(), 0);
    for it in [&literal, &made] {
        assert_eq!(listed(&admin, it).await, "- pending forbidden-address");
    }
}
