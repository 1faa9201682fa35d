//! How notifications are made: each once, whoever makes them, and nothing without its cursor.

use chrono::Duration;
use lindung_tests::{Manner, Receiver, TestApp};
use serde_json::json;

use super::{INBOX, POLICE, SCHOOL, heard};

#[actix_web::test]
async fn whoever_makes_them_each_is_made_once() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    for _ in 0..20 {
        school.refers(&case, &police).await;
    }
    app.sequence();
    // As if it had been interrupted before it was committed.
    let mut interrupted = app.database.inside("lindung_worker", "");
    interrupted.rows("select next from notifier for update");
    assert_eq!(app.database.worker().notify(app.now()).unwrap().notifications, 0, "another has the row");
    drop(interrupted);
    let now = app.now();
    let made = |db: lindung_persistence::Db| std::thread::spawn(move || db.notify(now).unwrap().notifications);
    let threads: Vec<_> = (0..4).map(|_| made(app.database.worker())).collect();
    let total: usize = threads.into_iter().map(|it| it.join().unwrap()).sum();
    app.notify();
    let distinct = app.database.count("(select distinct agency, number from notifications) it");
    assert_eq!(app.database.count("notifications"), distinct);
    assert_eq!(i64::try_from(total).unwrap(), distinct);
    assert_eq!(app.database.count("notifications where agency = 'KDN.PDRM.D11'"), 20);
    app.notify();
    assert_eq!(app.database.count("notifications"), distinct);
}

#[actix_web::test]
async fn a_clock_that_passes_is_told_to_those_who_have_to_act() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    school.refers(&school.opens_case().await, &police).await;
    app.wait(Duration::hours(24));
    assert_eq!(app.work(), 1);
    app.notify();
    for (who, told) in [
        (app.officer(POLICE).await, "clock.overdue referral.requested"),
        (app.supervisor(POLICE).await, "clock.overdue referral.requested"),
        (app.officer(SCHOOL).await, "clock.overdue"),
        (app.coordinator().await, "clock.overdue"),
    ] {
        assert_eq!(heard(&who).await, told);
    }
}

#[actix_web::test]
async fn that_a_subscription_was_disabled_its_administrators_hear_once_each_time() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(410)).await);
    let admin = app.administrator(POLICE).await;
    let hook = json!({ "channel": "webhook", "url": receiver.url() });
    let made = admin.post("/v1/subscriptions", &hook).await.is(201).reference();
    for times in 1..=2 {
        admin.post(&format!("{}/test", made.path), &json!({})).await.is(202);
        app.courier(None).round().await.unwrap();
        assert_eq!(admin.get(&made.path).await.body["status"], "disabled");
        app.notify();
        app.notify();
        let told = admin.get(&format!("{INBOX}?type=my.gov.lindung.subscription.disabled")).await;
        assert_eq!(told.items().len(), times);
        assert_eq!(told.items()[0]["links"]["subject"], made.path);
        assert_eq!(told.items()[0]["label"], "Langganan dilumpuhkan");
        admin.act_anyhow(&made, "resume", &json!({})).await.is(200);
    }
    assert_eq!(heard(&app.officer(POLICE).await).await, "");
    assert_eq!(heard(&app.administrator(SCHOOL).await).await, "");
}

/// A newer version may write events before this one is gone.
#[actix_web::test]
async fn those_behind_an_event_of_an_unknown_type_are_made_once_it_is_known() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    let turn = || {
        app.sequence();
        let worker = app.database.worker();
        let mut turn = worker.notify(app.now()).unwrap();
        while turn.more {
            turn = worker.notify(app.now()).unwrap();
        }
        turn.failure.map(|it| it.to_string())
    };
    for _ in 0..2 {
        school.refers(&case, &police).await;
    }
    app.sequence();
    let renamed = |from: &str, to: &str| {
        app.database
            .execute(&format!("update events set kind = 'my.gov.lindung.{to}' where kind = 'my.gov.lindung.{from}'"));
    };
    renamed("referral.requested", "referral.dreamt");
    // One before it, one behind it.
    app.database.execute("update events e set kind = 'my.gov.lindung.referral.requested' from event_numbers n where n.event_id = e.id \
        and n.number = (select min(n.number) from event_numbers n join events e on e.id = n.event_id where e.kind ~ 'dreamt')");
    school.refers(&case, &police).await;
    let unknown = "failed: this version knows no events of the type my.gov.lindung.referral.dreamt";
    assert_eq!((turn().as_deref(), turn().as_deref()), (Some(unknown), Some(unknown)));
    assert_eq!(heard(&police).await, "referral.requested");
    renamed("referral.dreamt", "referral.requested");
    assert_eq!(turn(), None);
    assert_eq!(heard(&police).await, ["referral.requested"; 3].join(" "));
}

#[actix_web::test]
async fn how_far_they_are_made_is_measured() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    school.refers(&school.opens_case().await, &police).await;
    let depth = || {
        let (queues, _) = app.database.db().queues(app.now()).unwrap();
        let queue = queues.into_iter().find(|it| it.name == "notify").unwrap();
        (queue.depth, queue.oldest)
    };
    assert_eq!(depth(), (0, None));
    app.sequence();
    let waiting = app.database.count("event_numbers");
    assert_eq!(depth(), (waiting, Some(app.now())));
    app.notify();
    assert_eq!(depth(), (0, None));
}
