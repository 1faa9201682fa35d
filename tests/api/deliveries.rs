//! Deliveries: webhooks over real sockets to receivers of every kind, and mail to servers of every mood.

mod broken;
mod examples;
mod mail;
mod shared;
mod trouble;

use std::collections::BTreeMap;

use chrono::Duration;
use insta::assert_snapshot;
use lindung_delivery::Round;
use lindung_tests::{Answered, Manner, Received, Receiver, Ref, Session, TestApp};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

const POLICE: &str = "KDN.PDRM.D11";
const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const WELFARE: &str = "KPWKM.JKM";

/// A subscription of the agency's to a receiver.
async fn subscribed(app: &TestApp, agency: &str, receiver: &Receiver) -> (Session, Ref) {
    let admin = app.administrator(agency).await;
    let body = json!({ "channel": "webhook", "url": receiver.url() });
    let made = admin.post("/v1/subscriptions", &body).await.is(201).reference();
    (admin, made)
}

/// Refers a case to the police so many times: an event each that they are told of.
async fn referrals(app: &TestApp, count: usize) -> (Session, Session, Vec<Ref>) {
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    let mut made = Vec::new();
    for _ in 0..count {
        made.push(school.refers(&case, &police).await);
    }
    (school, police, made)
}

/// The police have a subscription to a receiver that takes everything, for which so many deliveries of one case wait.
async fn waiting(count: usize) -> (TestApp, Receiver) {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    subscribed(&app, POLICE, &receiver).await;
    referrals(&app, count).await;
    app.fan_out();
    (app, receiver)
}

async fn secret(admin: &Session, subscription: &Ref) -> String {
    let secrets = admin.get(&format!("{}/secrets", subscription.path)).await;
    secrets.items()[0]["secret"].as_str().unwrap().to_owned()
}

/// The deliveries of a subscription: type, status, and of each attempt how it ended.
fn lines(page: &Answered) -> String {
    let line = |it: &Value| {
        let kind = it["eventType"].as_str().unwrap_or("-").trim_start_matches("my.gov.lindung.").to_owned();
        let attempts = it["attempts"].as_array().unwrap().iter().map(|it| match (&it["code"], &it["problem"]) {
            (Value::Null, problem) => problem.as_str().unwrap_or("ok").to_owned(),
            (code, Value::Null) => code.to_string(),
            (code, problem) => format!("{code}:{}", problem.as_str().unwrap()),
        });
        [vec![kind, it["status"].as_str().unwrap().to_owned()], attempts.collect()].concat().join(" ")
    };
    page.items().iter().map(line).collect::<Vec<_>>().join("\n")
}

async fn listed(admin: &Session, subscription: &Ref) -> String {
    lines(&admin.get(&format!("{}/deliveries", subscription.path)).await)
}

fn round(delivered: usize, failed: usize) -> Round {
    Round { delivered, failed }
}

/// Signed requests as the published library sees them; the time is the app's, which it would call old.
fn verified(secret: &str, it: &Received) -> bool {
    let headers = |name: &str| it.header(name).unwrap_or_default().to_owned();
    let signed = Webhook::new(secret).unwrap().sign(
        &headers("webhook-id"),
        headers("webhook-timestamp").parse().unwrap(),
        it.body.as_bytes(),
    );
    headers("webhook-signature").split(' ').any(|it| it == signed.as_ref().unwrap())
}

#[actix_web::test]
async fn what_happens_is_posted_signed_once_and_recorded_first() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(204)).await);
    let (admin, subscription) = subscribed(&app, POLICE, &receiver).await;
    let (_, police, made) = referrals(&app, 1).await;
    police.does(&made[0], "receive", json!({})).await;
    app.fan_out();
    let courier = app.courier(None);
    assert_eq!(courier.round().await.unwrap(), round(3, 0));
    assert_eq!(courier.round().await.unwrap(), round(0, 0));

    let received = receiver.received();
    let told = app.client(POLICE).await.get("/v1/events").await;
    assert_eq!(received.len(), 3);
    let secret = secret(&admin, &subscription).await;
    for (request, event) in received.iter().zip(told.items()) {
        assert_eq!(request.line, "POST /hook HTTP/1.1");
        assert_eq!(serde_json::from_str::<Value>(&request.body).unwrap(), *event, "as in the feed, and in its order");
        assert_eq!(request.header("webhook-id"), event["id"].as_str());
        assert_eq!(request.header("webhook-timestamp"), Some(app.now().timestamp().to_string().as_str()));
        assert_eq!(request.header("content-type"), Some("application/cloudevents+json"));
        assert_eq!(request.header("lindung-again"), None);
        assert!(request.header("user-agent").unwrap().starts_with("Lindung/"));
        assert!(verified(&secret, request));
    }
    assert_snapshot!(listed(&admin, &subscription).await, @"
    clock.met delivered 204
    referral.received delivered 204
    referral.requested delivered 204
    ");
    let rows = app.database.rows("select action, outcome, rule, agency, client_id, officer, target, count, cardinality(case_ids) as cases from access_log where action = 'deliver_events' order by id");
    let row = |count| {
        json!({
            "action": "deliver_events", "outcome": "permitted", "rule": "own", "agency": POLICE, "client_id": null, "officer": null,
            "target": subscription.id, "count": count, "cases": 1,
        })
    };
    assert_eq!(rows, [row(1), row(1), row(1)], "one of a case at a time");
}

#[actix_web::test]
async fn what_is_wanted_is_delivered_and_nothing_else() {
    let app = TestApp::start().await;
    let (all, some, other) = (
        Receiver::start(Manner::Answers(200)).await,
        Receiver::start(Manner::Answers(200)).await,
        Receiver::start(Manner::Answers(200)).await,
    );
    let (admin, _) = subscribed(&app, POLICE, &all).await;
    subscribed(&app, WELFARE, &other).await;
    let (_, police, made) = referrals(&app, 2).await;
    let wants = json!({
        "channel": "webhook", "url": some.url(), "types": ["my.gov.lindung.referral.received", "my.gov.lindung.clock.*"],
        "referral": made[1].id, "fromNumber": 0,
    });
    admin.post("/v1/subscriptions", &wants).await.is(201);
    for it in &made {
        police.does(it, "receive", json!({})).await;
    }
    app.fan_out();
    app.courier(None).round().await.unwrap();
    let kinds = |it: &Receiver| {
        let kind =
            |it: &Received| serde_json::from_str::<Value>(&it.body).unwrap()["type"].as_str().unwrap().to_owned();
        it.received().iter().map(kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&all).len(), 6);
    assert_eq!(kinds(&some), ["my.gov.lindung.referral.received", "my.gov.lindung.clock.met"]);
    assert_eq!(kinds(&other).len(), 0);
}

#[actix_web::test]
async fn both_secrets_sign_for_a_day() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    let (admin, subscription) = subscribed(&app, POLICE, &receiver).await;
    let courier = app.courier(None);
    let former = secret(&admin, &subscription).await;
    admin.act_anyhow(&subscription, "rotate", &json!({})).await.is(200);
    let present = secret(&admin, &subscription).await;
    let tests = async |admin: &Session| {
        admin.post(&format!("{}/test", subscription.path), &json!({})).await.is(202);
        assert_eq!(courier.round().await.unwrap(), round(1, 0));
        let last = receiver.received().pop().unwrap();
        (verified(&former, &last), verified(&present, &last), last)
    };
    let (by_former, by_present, last) = tests(&admin).await;
    assert!(by_former && by_present);
    let body: Value = serde_json::from_str(&last.body).unwrap();
    assert_eq!(body["type"], "my.gov.lindung.subscription.tested");
    assert_eq!(body["id"].as_str(), last.header("webhook-id"));
    app.wait(Duration::hours(24));
    let (by_former, by_present, _) = tests(&app.administrator(POLICE).await).await;
    assert!(!by_former && by_present);
}

#[actix_web::test]
async fn a_paused_one_waits_and_goes_on_where_it_stopped() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    let (admin, subscription) = subscribed(&app, POLICE, &receiver).await;
    referrals(&app, 1).await;
    app.fan_out();
    admin.act_anyhow(&subscription, "pause", &json!({})).await.is(200);
    let courier = app.courier(None);
    assert_eq!(courier.round().await.unwrap(), round(0, 0));
    referrals(&app, 1).await;
    app.fan_out();
    admin.act_anyhow(&subscription, "resume", &json!({})).await.is(200);
    app.fan_out();
    assert_eq!(courier.round().await.unwrap(), round(2, 0));
}

#[actix_web::test]
async fn what_is_sent_again_has_its_id_and_says_so() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    let (admin, subscription) = subscribed(&app, POLICE, &receiver).await;
    referrals(&app, 3).await;
    app.fan_out();
    let courier = app.courier(None);
    assert_eq!(courier.round().await.unwrap(), round(3, 0));
    let ids = |from: usize| {
        let id = |it: &Received| (it.header("webhook-id").unwrap().to_owned(), it.header("lindung-again").is_some());
        receiver.received()[from..].iter().map(id).collect::<Vec<_>>()
    };
    let first = ids(0);
    assert!(first.iter().all(|it| !it.1));
    let page = admin.get(&format!("{}/deliveries", subscription.path)).await;
    let last = page.items()[0]["id"].as_str().unwrap();
    let again = format!("{}/deliveries/{last}/redeliver", subscription.path);
    admin.post(&again, &json!({})).await.is(202);
    assert_eq!(courier.round().await.unwrap(), round(1, 0));
    assert_eq!(ids(3), [(first[2].0.clone(), true)]);

    // The school's own event of the case has the number 0.
    admin.act_anyhow(&subscription, "replay", &json!({ "fromNumber": 2 })).await.is(202);
    app.fan_out();
    assert_eq!(courier.round().await.unwrap(), round(2, 0));
    assert_eq!(ids(4), [(first[1].0.clone(), true), (first[2].0.clone(), true)]);
    app.fan_out();
    assert_eq!(courier.round().await.unwrap(), round(0, 0), "a replay ends where it began");
    assert_snapshot!(listed(&admin, &subscription).await, @"
    referral.requested delivered 200 200 200
    referral.requested delivered 200 200
    referral.requested delivered 200
    ");
}

#[actix_web::test]
async fn a_shield_that_comes_first_withholds_it() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    let (admin, subscription) = subscribed(&app, POLICE, &receiver).await;
    let head = app.supervisor(SCHOOL).await;
    let police = app.officer(POLICE).await;
    let (hidden, open) = (head.opens_case().await, head.opens_case().await);
    head.refers(&hidden, &police).await;
    head.refers(&open, &police).await;
    app.fan_out();
    head.shields(&hidden.path, &[SCHOOL]).await.is(200);
    assert_eq!(app.courier(None).round().await.unwrap(), round(1, 0));
    let told: Value = serde_json::from_str(&receiver.received()[0].body).unwrap();
    assert_eq!(told["caseid"], open.id.as_str());
    assert_snapshot!(listed(&admin, &subscription).await, @"
    referral.requested delivered 200
    - withheld
    ");
}

#[actix_web::test]
async fn the_order_of_a_case_is_kept_while_others_go_on() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    subscribed(&app, POLICE, &receiver).await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.push(school.opens_case().await);
    }
    for _ in 0..4 {
        for case in &cases {
            school.refers(case, &police).await;
        }
    }
    app.fan_out();
    // The first attempts of two fail; what comes after them in their cases waits for them.
    receiver.behaves([Manner::Answers(500), Manner::HangsUp, Manner::Answers(200)]);
    let courier = app.courier(None);
    assert_eq!(courier.round().await.unwrap(), round(4, 2), "one case went on to its end");
    app.wait(Duration::seconds(10));
    assert_eq!(courier.round().await.unwrap(), round(8, 0));
    let mut versions: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let (mut seen, mut attempts) = (std::collections::BTreeSet::new(), receiver.received());
    attempts.drain(..2);
    for request in attempts {
        let event: Value = serde_json::from_str(&request.body).unwrap();
        assert!(seen.insert(event["id"].to_string()), "what arrived is not sent again");
        versions.entry(event["caseid"].to_string()).or_default().push(event["caseversion"].as_i64().unwrap());
    }
    assert_eq!(versions.len(), 3);
    assert!(versions.values().all(|it| it.is_sorted() && it.len() == 4), "{versions:?}");
}

#[actix_web::test]
async fn of_which_child_is_told_is_recorded_at_every_door() {
    let (app, receiver) = (TestApp::start().await, Receiver::start(Manner::Answers(200)).await);
    subscribed(&app, SCHOOL, &receiver).await;
    let school = app.officer(SCHOOL).await;
    let case = school.opens_case().await;
    school.put(&format!("{}/sections/risk", case.child(0)), 1, &json!({ "text": "High." })).await.is(200);
    app.fan_out();
    assert_eq!(app.courier(None).round().await.unwrap(), round(2, 0));
    app.client(SCHOOL).await.get("/v1/events").await.is(200);
    for action in ["deliver_events", "follow_feed"] {
        let told = app
            .database
            .rows(&format!("select distinct unnest(child_ids) as child from access_log where action = '{action}'"));
        assert_eq!(told, [json!({ "child": case.child_id(0) })], "{action}");
    }
}
