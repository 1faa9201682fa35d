//! What breaks on our side while something is on its way: the session that makes somebody known, the database, the order of a
//! queue.

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use lindung_domain::subscription::{Channel, DisabledReason};
use lindung_persistence::{Claim, Ended, Error, Tried};
use lindung_tests::{Manner, Receiver, TestApp};
use serde_json::json;

use super::shared::{ROOM, failed, lease};
use super::{POLICE, referrals, round, subscribed, waiting};

fn claims(app: &TestApp, by: Option<i32>) -> Result<Vec<Claim>, Error> {
    app.database.worker().claim(Channel::Webhook, ROOM, lease(app, by), "https://l").map(|it| it.claims)
}

fn delivered(app: &TestApp, claim: &Claim) -> Vec<Tried> {
    let arrived = |it| Tried { ended: Ended::Delivered, code: Some(200), problem: None, ..failed(app, claim, it) };
    claim.deliveries.iter().map(arrived).collect()
}

#[actix_web::test]
async fn whoever_is_not_known_any_more_claims_nothing_until_they_are() {
    let (app, _receiver) = waiting(1).await;
    let worker = app.database.worker();
    let one = worker.presence().unwrap();
    let claimed = claims(&app, Some(one.id())).unwrap();
    let known = one.id();
    drop(one);
    assert!(matches!(claims(&app, Some(known)), Err(Error::Unavailable(_))), "its leases would be free at once");
    let again = worker.presence().unwrap();
    let kept: Vec<_> = claimed[0].deliveries.iter().map(|it| (it.id, it.token)).collect();
    let until = app.now() + TimeDelta::seconds(30);
    assert_eq!(worker.keep(&kept, until, again.id()).unwrap(), 1);
    assert!(claims(&app, Some(again.id())).unwrap().is_empty(), "what was under way is still its own");
    assert_eq!(worker.settle(&delivered(&app, &claimed[0]), app.now()).unwrap().written, 1);
}

#[actix_web::test]
async fn how_it_ended_is_written_once_the_database_is_back_and_nothing_is_sent_again() {
    let (app, receiver) = waiting(1).await;
    let mut blocking = app.database.connection();
    blocking.batch_execute("begin; lock table delivery_attempts in access exclusive mode").unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let courier = app.courier(None);
    let waits_for = async |from: &str| {
        // Bounded, so that it fails where it never comes to that.
        for _ in 0..20_000 {
            if app.database.count(from) == 1 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let watching = async {
        let waiting = "pg_locks where relation = 'delivery_attempts'::regclass and not granted";
        waits_for(waiting).await;
        app.database.rows(&format!("select pg_terminate_backend(pid, 5000) from {waiting}"));
        blocking.batch_execute("rollback").unwrap();
        waits_for("deliveries where status = 'delivered'").await;
        stop.send(true).unwrap();
    };
    futures::join!(courier.run(stopped), watching);
    let attempts = app
        .database
        .count("deliveries d join delivery_attempts a on a.delivery_id = d.id where d.status = 'delivered'");
    assert_eq!((receiver.received().len(), attempts), (1, 1));
}

/// More wait behind it than a claim looks at, and have been due for longer.
#[actix_web::test]
async fn what_is_sent_again_is_found_before_all_that_waits_behind_it() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    let (_, subscription) = subscribed(&app, POLICE, &receiver).await;
    referrals(&app, 1).await;
    app.fan_out();
    assert_eq!(app.courier(None).round().await.unwrap(), round(1, 0));
    app.wait(chrono::Duration::hours(1));
    app.database.execute(
        "insert into deliveries select (jsonb_populate_record(d, jsonb_build_object('id', gen_random_uuid(), 'number', d.number + 1000 + it, \
         'status', 'pending', 'settled_at', null))).* from deliveries d, generate_series(1, 600) it",
    );
    let admin = app.administrator(POLICE).await;
    let path = format!("{}/deliveries", subscription.path);
    let first = app.database.rows("select id from deliveries where status = 'delivered'")[0]["id"].clone();
    let first = first.as_str().unwrap();
    let found = || {
        let claims = claims(&app, None).unwrap();
        let ids: Vec<String> = claims.iter().flat_map(|it| &it.deliveries).map(|it| it.id.to_string()).collect();
        let tried: Vec<Tried> = claims.iter().flat_map(|it| delivered(&app, it)).collect();
        app.database.worker().settle(&tried, app.now()).unwrap();
        ids
    };
    admin.post(&format!("{path}/{first}/redeliver"), &json!({})).await.is(202);
    assert_eq!(found(), [first]);
    admin.act_anyhow(&subscription, "replay", &json!({ "fromNumber": 1 })).await.is(202);
    app.fan_out();
    assert_eq!(found(), [first]);
    assert_eq!(found().len(), 1, "and then the next of its case");
}

#[actix_web::test]
async fn one_that_says_it_is_gone_is_believed_whatever_arrived_before() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    subscribed(&app, POLICE, &receiver).await;
    referrals(&app, 1).await;
    referrals(&app, 1).await;
    app.fan_out();
    let claim = &claims(&app, None).unwrap()[0];
    let mut tried = delivered(&app, claim);
    tried[1].ended = Ended::Gone(DisabledReason::Gone);
    let settled = app.database.worker().settle(&tried, app.now()).unwrap();
    assert_eq!(settled.disabled, [(claim.subscription, DisabledReason::Gone)]);
}

/// One receiver's queue does not take the room of another's.
#[actix_web::test]
async fn room_is_shared_by_turns() {
    let app = TestApp::start().await;
    let (one, other) = (Receiver::start(Manner::Answers(200)).await, Receiver::start(Manner::Answers(200)).await);
    subscribed(&app, POLICE, &one).await;
    subscribed(&app, POLICE, &other).await;
    for _ in 0..4 {
        referrals(&app, 1).await;
    }
    app.fan_out();
    let room = lindung_persistence::Room { whole: 4, ..ROOM };
    let claims =
        |room| app.database.worker().claim(Channel::Webhook, room, lease(&app, None), "https://l").unwrap().claims;
    assert_eq!(claims(room).iter().map(|it| it.deliveries.len()).collect::<Vec<_>>(), [2, 2]);
    let one = lindung_persistence::Room { receivers: 1, ..ROOM };
    assert_eq!(claims(one).len(), 1, "as many receivers as there is room for");
    let nothing = lindung_persistence::Room { receivers: 0, ..ROOM };
    assert!(claims(nothing).is_empty());
}

/// A newer version may write of something that this one has never heard of.
#[actix_web::test]
async fn what_cannot_be_told_of_keeps_nothing_else_from_being_told() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    let (admin, subscription) = subscribed(&app, POLICE, &receiver).await;
    for _ in 0..2 {
        referrals(&app, 1).await;
    }
    app.fan_out();
    app.database.execute("alter table events drop constraint events_subject_type_check");
    let first = "e.id = (select event_id from deliveries order by number limit 1)";
    app.database.execute(&format!("update events e set subject_type = 'dream' where {first}"));
    let courier = app.courier(None);
    assert_eq!(courier.round().await.unwrap(), round(1, 0));
    app.database.execute(&format!("update events e set subject_type = 'referral' where {first}"));
    assert_eq!(courier.round().await.unwrap(), round(0, 0));
    app.wait(chrono::Duration::minutes(1));
    assert_eq!(courier.round().await.unwrap(), round(1, 0));
    let found = admin.get(&format!("{}/deliveries", subscription.path)).await;
    assert!(found.items().iter().all(|it| it["attempts"].as_array().unwrap().len() == 1), "{}", found.body);
}
