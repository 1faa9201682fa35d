//! Several who deliver at once, and one who dies in between.

use std::collections::BTreeSet;

use chrono::{Duration, TimeDelta};
use lindung_domain::subscription::Channel;
use lindung_persistence::{Claim, Claimed, Ended, Lease, Room, Tried};
use lindung_tests::{Manner, Received, Receiver, TestApp};
use serde_json::{Value, json};

use super::{POLICE, SCHOOL, referrals, round, subscribed, waiting};

pub(super) const ROOM: Room = Room { whole: 100, receivers: 100, each: 100, failing: 100 };

#[actix_web::test]
async fn two_at_once_send_nothing_twice() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    subscribed(&app, POLICE, &receiver).await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    for _ in 0..40 {
        let case = school.opens_case().await;
        school.refers(&case, &police).await;
    }
    app.sequence();
    let fan_out = || {
        let (worker, now) = (app.database.worker(), app.now());
        tokio::task::spawn_blocking(move || while worker.fan_out(now).unwrap().more {})
    };
    let (one, two) = futures::join!(fan_out(), fan_out());
    one.unwrap();
    two.unwrap();
    // Who finds everything claimed by the other is done with a round: so they go round as long as something waits.
    let delivers = async |courier: lindung_delivery::Courier| {
        let mut delivered = 0;
        while app.database.count("deliveries where status = 'pending'") > 0 {
            delivered += courier.round().await.unwrap().delivered;
        }
        delivered
    };
    let (first, second) = futures::join!(delivers(app.courier(None)), delivers(app.courier(None)));
    assert_eq!(first + second, 40, "what one has claimed the other leaves alone");
    let ids: BTreeSet<String> =
        receiver.received().iter().map(|it| it.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!((ids.len(), receiver.received().len()), (40, 40));
}

#[actix_web::test]
async fn what_a_dead_one_had_is_sent_again_and_the_dead_one_changes_nothing() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    let (admin, subscription) = subscribed(&app, POLICE, &receiver).await;
    referrals(&app, 1).await;
    app.fan_out();
    let worker = app.database.worker();
    let claims = worker.claim(Channel::Webhook, ROOM, lease(&app, None), "https://l").unwrap().claims;
    let claimed = claims[0].deliveries[0].clone();
    let courier = app.courier(None);
    assert_eq!(courier.round().await.unwrap(), round(0, 0), "it is somebody's");
    app.wait(Duration::seconds(31));
    assert_eq!(courier.round().await.unwrap(), round(1, 0));
    assert_eq!(receiver.received()[0].header("webhook-id"), Some(claimed.event_id.to_string().as_str()));
    let late = failed(&app, &claims[0], &claimed);
    assert_eq!(worker.settle(&[late], app.now()).unwrap().written, 0);
    let found = admin.get(&format!("{}/deliveries", subscription.path)).await;
    assert_eq!(
        (found.items()[0]["status"].clone(), found.items()[0]["attempts"].as_array().unwrap().len()),
        (json!("delivered"), 1)
    );
    let accesses = app.database.count("access_log where action = 'deliver_events'");
    assert_eq!(accesses, 2, "each claim is one, whether or not it was sent");
}

#[actix_web::test]
async fn what_one_had_who_is_gone_is_anybodys_at_once() {
    let (app, _receiver) = waiting(1).await;
    let worker = app.database.worker();
    let one = worker.presence().unwrap();
    assert_eq!(worker.claim(Channel::Webhook, ROOM, lease(&app, Some(one.id())), "https://l").unwrap().claims.len(), 1);
    assert_eq!(app.courier(None).round().await.unwrap(), round(0, 0));
    drop(one);
    assert_eq!(app.courier(None).round().await.unwrap(), round(1, 0));
}

pub(super) fn lease(app: &TestApp, by: Option<i32>) -> Lease {
    Lease { from: app.now(), length: TimeDelta::seconds(30), by }
}

/// That something was tried, and failed.
pub(super) fn failed(app: &TestApp, of: &Claim, delivery: &Claimed) -> Tried {
    Tried {
        subscription: of.subscription,
        delivery: delivery.id,
        token: delivery.token,
        attempt: delivery.attempt,
        at: app.now(),
        took: TimeDelta::zero(),
        ended: Ended::Failed(None),
        code: Some(500),
        problem: Some("status"),
        chance: 0.0,
    }
}

#[actix_web::test]
async fn only_so_much_is_under_way_to_one_receiver_and_less_where_it_only_fails() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    subscribed(&app, POLICE, &receiver).await;
    for _ in 0..8 {
        referrals(&app, 1).await;
    }
    app.fan_out();
    let worker = app.database.worker();
    let room = Room { whole: 100, receivers: 100, each: 5, failing: 1 };
    let claims = || worker.claim(Channel::Webhook, room, lease(&app, None), "https://l").unwrap().claims;
    let claimed = claims();
    assert_eq!((claimed[0].deliveries.len(), claims().len()), (5, 0), "whoever claims");
    let tried: Vec<Tried> = claimed[0].deliveries.iter().map(|it| failed(&app, &claimed[0], it)).collect();
    worker.settle(&tried[..1], app.now()).unwrap();
    assert_eq!(claims().len(), 0, "four are under way, and one may be");
    worker.settle(&tried[1..], app.now()).unwrap();
    let again = claims();
    assert_eq!((again[0].deliveries.len(), claims().len()), (1, 0));
}

#[actix_web::test]
async fn what_stands_behind_one_that_is_tried_again_is_due_with_it() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(500)).await);
    let (admin, subscription) = subscribed(&app, POLICE, &receiver).await;
    let (school, police, sent) = referrals(&app, 2).await;
    app.fan_out();
    let courier = app.courier(None);
    assert_eq!(courier.round().await.unwrap(), round(0, 1));
    police.does(&sent[0], "receive", json!({})).await;
    school.does(&sent[1], "cancel", lindung_tests::action_body("cancel")).await;
    app.fan_out();
    let listed = admin.get(&format!("{}/deliveries", subscription.path)).await;
    let due: BTreeSet<String> = listed.items().iter().map(|it| it["dueAt"].as_str().unwrap().to_owned()).collect();
    assert!(due.len() == 1 && listed.items().len() > 3, "{due:?}");
    receiver.behaves([Manner::Answers(200)]);
    assert_eq!(courier.round().await.unwrap(), round(0, 0));
    app.wait(Duration::seconds(7));
    assert_eq!(courier.round().await.unwrap(), round(listed.items().len(), 0));
    let number = |it: &Received| -> String {
        let event: Value = serde_json::from_str(&it.body).unwrap();
        event["sequence"].as_str().unwrap().to_owned()
    };
    let numbers: Vec<String> = receiver.received()[1..].iter().map(number).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
}

#[actix_web::test]
async fn what_cannot_be_recorded_is_not_sent() {
    let (app, receiver) = waiting(1).await;
    app.database.execute("alter table access_log add constraint full_up check (action <> 'deliver_events') not valid");
    assert!(app.courier(None).round().await.is_err());
    assert_eq!(receiver.received().len(), 0);
    app.database.execute("alter table access_log drop constraint full_up");
    assert_eq!(app.courier(None).round().await.unwrap(), round(1, 0));
}

#[actix_web::test]
async fn it_runs_until_it_is_told_to_stop() {
    let (app, receiver) = waiting(2).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let courier = app.courier(None);
    let running = courier.run(stopped);
    let watching = async {
        // Bounded, so that it fails where nothing arrives.
        for _ in 0..2000 {
            if app.database.count("deliveries where status = 'delivered'") == 2 {
                break;
            }
            tokio::task::yield_now().await;
        }
        stop.send(true).unwrap();
    };
    futures::join!(running, watching);
    assert_eq!(receiver.received().len(), 2);
}

#[actix_web::test]
async fn what_arrived_long_ago_is_forgotten_and_what_is_parked_is_not() {
    let (app, _receiver) = waiting(2).await;
    app.courier(None).round().await.unwrap();
    app.database.execute("update deliveries set status = 'parked' where number = 1");
    app.wait(Duration::days(29));
    app.database.db().forget_expired(app.now()).unwrap();
    assert_eq!(app.database.count("deliveries"), 2);
    app.wait(Duration::days(2));
    app.database.db().forget_expired(app.now()).unwrap();
    assert_eq!(app.database.rows("select status from deliveries"), [json!({ "status": "parked" })]);
}

#[actix_web::test]
async fn what_waits_is_measured() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(500)).await);
    subscribed(&app, POLICE, &receiver).await;
    referrals(&app, 3).await;
    app.sequence();
    let queue = |name: &str| {
        let found = app.database.db().queues(app.now()).unwrap();
        let queue = found.0.iter().find(|it| it.name == name).cloned().unwrap();
        (queue.depth, queue.oldest.is_some(), found.1.iter().map(|it| it.count).sum::<i64>())
    };
    assert_eq!(queue("fan-out"), (4, true, 0));
    app.fan_out();
    assert_eq!((queue("fan-out"), queue("webhook")), ((0, false, 0), (3, true, 0)));
    app.courier(None).round().await.unwrap();
    assert_eq!((queue("webhook"), queue("email"), queue("parked")), ((3, true, 1), (0, false, 1), (0, false, 1)));
    app.watch_queues().await;
    let told = app.raw("GET", "/metrics", &[], None).await.body;
    assert!(told.as_str().unwrap().contains("delivery_queue_depth{queue=\"webhook\"}"), "{told}");
}
