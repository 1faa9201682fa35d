//! Subscriptions: their whole life as administrators see it. How deliveries go is tried in `deliveries`.

use insta::assert_snapshot;
use lindung_tests::{Answered, Session, TestApp};
use serde_json::{Value, json};

const POLICE: &str = "KDN.PDRM.D11";
const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const SUBSCRIPTIONS: &str = "/v1/subscriptions";

fn webhook() -> Value {
    json!({ "channel": "webhook", "url": "https://hooks.kdn.example.my/lindung", "types": ["my.gov.lindung.referral.*"] })
}

/// What a subscription says of itself, but for what differs each time.
fn told(answer: &Answered) -> String {
    let mut body = answer.body.clone();
    for field in ["id", "links", "createdAt"] {
        assert!(body.as_object_mut().unwrap().remove(field).is_some(), "{field}");
    }
    body.to_string()
}

#[actix_web::test]
async fn a_subscription_lives() {
    let app = TestApp::start().await;
    let admin = app.administrator(POLICE).await;
    let made = admin.post(SUBSCRIPTIONS, &webhook()).await.is(201);
    assert_eq!(made.header("location"), made.body["links"]["self"].as_str());
    let it = made.reference();
    assert_snapshot!(told(&admin.get(&it.path).await), @r#"{"version":1,"agency":"KDN.PDRM.D11","channel":"webhook","url":"https://hooks.kdn.example.my/lindung","types":["my.gov.lindung.referral.*"],"status":"active","failures":0,"nextNumber":0,"availableActions":["change","pause","rotate","test","replay","redeliver","end"]}"#);
    let paused = admin.act(&it, "pause", &json!({})).await.is(200);
    assert_eq!((paused.body["status"].clone(), paused.header("etag")), (json!("paused"), Some("\"2\"")));
    admin.act(&it, "resume", &json!({})).await.is_problem(412, "stale");
    admin.post(&format!("{}/test", it.path), &json!({})).await.is_problem(409, "not-now");
    let resumed = admin.act_anyhow(&it, "resume", &json!({})).await.reference();
    admin.act_anyhow(&it, "resume", &json!({})).await.is_problem(409, "not-now");

    let changed = json!({ "url": "https://other.kdn.example.my/", "types": [] });
    admin.put(&it.path, 1, &changed).await.is_problem(412, "stale");
    admin.put(&it.path, resumed.version, &changed).await.is(200);
    let mail = json!({ "address": "d11@example.my" });
    admin.put(&it.path, resumed.version + 1, &mail).await.is_problem(422, "invalid").about("channel", "fixed");
    assert_snapshot!(told(&admin.get(&it.path).await), @r#"{"version":4,"agency":"KDN.PDRM.D11","channel":"webhook","url":"https://other.kdn.example.my/","types":[],"status":"active","failures":0,"nextNumber":0,"availableActions":["change","pause","rotate","test","replay","redeliver","end"]}"#);

    admin.act_anyhow(&it, "end", &json!({})).await.is(200);
    for action in ["pause", "resume", "rotate", "end"] {
        admin.act_anyhow(&it, action, &json!({})).await.is_problem(409, "not-now");
    }
    let listed = admin.get(SUBSCRIPTIONS).await;
    assert_eq!((listed.items().len(), listed.items()[0]["status"].clone()), (1, json!("ended")));
}

#[actix_web::test]
async fn it_is_its_own_agencys_administrators_alone() {
    let app = TestApp::start().await;
    let (admin, other) = (app.administrator(POLICE).await, app.administrator(SCHOOL).await);
    let it = admin.post(SUBSCRIPTIONS, &webhook()).await.reference();
    for (who, status, slug) in [
        (&other, 404, "not-found"),
        (&app.supervisor(POLICE).await, 403, "not-yours-to-do"),
        (&app.client(POLICE).await, 403, "not-yours-to-do"),
        (&app.auditor(POLICE).await, 403, "not-yours-to-do"),
    ] {
        for path in ["", "/secrets", "/deliveries"] {
            who.get(&format!("{}{path}", it.path)).await.is_problem(status, slug);
        }
        for action in ["pause", "rotate", "test", "end"] {
            who.post(&format!("{}/{action}", it.path), &json!({})).await.is_problem(status, slug);
        }
        who.post(&format!("{}/replay", it.path), &json!({ "fromNumber": 0 })).await.is_problem(status, slug);
    }
    assert_eq!(other.get(SUBSCRIPTIONS).await.items().len(), 0);
    assert_eq!(admin.get(SUBSCRIPTIONS).await.items().len(), 1);
}

#[actix_web::test]
async fn what_cannot_be_is_refused_by_its_field() {
    let app = TestApp::start_public().await;
    let admin = app.administrator(POLICE).await;
    let with = |changes: Value| {
        let mut body = webhook();
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body.as_object_mut().unwrap().retain(|_, it| !it.is_null());
        body
    };
    let email = |address: &str| json!({ "channel": "email", "address": address });
    for (body, field, code) in [
        (with(json!({ "url": null })), "url", "required"),
        (with(json!({ "url": "http://hooks.example.my/" })), "url", "not-https"),
        (with(json!({ "url": "https://127.1/" })), "url", "not-public"),
        (with(json!({ "url": "https://[::ffff:10.0.0.1]/" })), "url", "not-public"),
        (with(json!({ "url": "https://2852039166/latest/meta-data" })), "url", "not-public"),
        (with(json!({ "url": "https://a:b@hooks.example.my/" })), "url", "user-info"),
        (with(json!({ "url": "/hook" })), "url", "format"),
        (with(json!({ "address": "a@example.my" })), "address", "other-channel"),
        (with(json!({ "language": "ms" })), "language", "other-channel"),
        (with(json!({ "fromNumber": 1, "from": "2026-11-24T00:00:00Z" })), "from", "one-of"),
        (with(json!({ "fromNumber": 1000 })), "fromNumber", "ahead"),
        (with(json!({ "fromNumber": -1 })), "fromNumber", "range"),
        (json!({ "channel": "email" }), "address", "required"),
        (email("nobody"), "address", "email"),
        (email("a@example.my\r\nBcc: b@example.my"), "address", "email"),
        (email("Aminah <a@example.my>"), "address", "email"),
    ] {
        admin.post(SUBSCRIPTIONS, &body).await.is_problem(422, "invalid").about(field, code);
    }
    let wrong = admin.post(SUBSCRIPTIONS, &with(json!({ "types": ["my.gov.lindung.none"] }))).await;
    wrong.is_problem(400, "malformed").about("types[0]", "format");
    let unknown = admin.post(SUBSCRIPTIONS, &with(json!({ "secret": "mine" }))).await;
    unknown.is_problem(400, "malformed");
}

#[actix_web::test]
async fn there_are_no_more_than_twenty() {
    let app = TestApp::start().await;
    let admin = app.administrator(POLICE).await;
    let mut last = None;
    for _ in 0..20 {
        last = Some(admin.post(SUBSCRIPTIONS, &webhook()).await.reference());
    }
    admin.post(SUBSCRIPTIONS, &webhook()).await.is_problem(409, "not-now");
    admin.act_anyhow(&last.unwrap(), "end", &json!({})).await.is(200);
    admin.post(SUBSCRIPTIONS, &webhook()).await.is(201);
}

async fn secrets(admin: &Session, path: &str) -> Vec<String> {
    let answer = admin.get(&format!("{path}/secrets")).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.items().iter().map(|it| it["secret"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_former_secret_is_good_for_a_day_and_none_is_kept() {
    let app = TestApp::start().await;
    let admin = app.administrator(POLICE).await;
    let made = admin.post(SUBSCRIPTIONS, &webhook()).await.reference();
    assert!(!made.body.to_string().contains("whsec_"));
    let first = secrets(&admin, &made.path).await;
    assert!(first.len() == 1 && first[0].starts_with("whsec_"));
    admin.act_anyhow(&made, "rotate", &json!({})).await.is(200);
    let second = secrets(&admin, &made.path).await;
    assert_eq!((second.len(), &second[1]), (2, &first[0]));
    admin.act_anyhow(&made, "rotate", &json!({})).await.is_problem(409, "not-now");
    admin.act_anyhow(&made, "rotate", &json!({ "immediately": true })).await.is(200);
    let third = secrets(&admin, &made.path).await;
    assert!(third.len() == 1 && !second.contains(&third[0]));
    admin.act_anyhow(&made, "rotate", &json!({})).await.is(200);
    app.wait(chrono::Duration::hours(25));
    let admin = app.administrator(POLICE).await;
    assert_eq!(secrets(&admin, &made.path).await.len(), 1, "the former one has ended");
    let kept = app.database.rows("select to_jsonb(s)::text || coalesce((select string_agg(k::text, ' ') from idempotency_keys k), '') as all from subscriptions s");
    assert!(!kept[0]["all"].as_str().unwrap().contains("whsec_"));
    let mail = admin.post(SUBSCRIPTIONS, &json!({ "channel": "email", "address": "d11@example.my" })).await.reference();
    admin.get(&format!("{}/secrets", mail.path)).await.is_problem(404, "not-found");
    admin.act_anyhow(&mail, "rotate", &json!({})).await.is_problem(409, "not-now");
    assert_eq!(admin.get(&mail.path).await.body["language"], "ms");
}

#[actix_web::test]
async fn it_begins_with_the_next_event_or_where_one_says_and_a_replay_goes_back() {
    let app = TestApp::start().await;
    let (school, police, admin) =
        (app.officer(SCHOOL).await, app.officer(POLICE).await, app.administrator(POLICE).await);
    let case = school.opens_case().await;
    school.refers(&case, &police).await;
    app.wait(chrono::Duration::minutes(5));
    let later = app.now();
    school.refers(&case, &police).await;
    app.sequence();
    let begins = |changes: Value| {
        let (mut body, admin) = (webhook(), admin.clone());
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        async move {
            let made = admin.post(SUBSCRIPTIONS, &body).await.reference();
            (admin.get(&made.path).await.body["nextNumber"].as_i64().unwrap(), made)
        }
    };
    let (head, it) = begins(json!({})).await;
    assert_eq!(head, 3);
    assert_eq!(begins(json!({ "fromNumber": 1 })).await.0, 1);
    assert_eq!(begins(json!({ "from": later })).await.0, 2);
    assert_eq!(begins(json!({ "from": later + chrono::Duration::hours(1) })).await.0, 3);

    let again = admin.act_anyhow(&it, "replay", &json!({ "fromNumber": 1 })).await.is(202);
    assert_eq!(again.body["version"], 2);
    let row =
        &app.database.rows(&format!("select next_number, replaying from subscriptions where id = '{}'", it.id))[0];
    assert_eq!(*row, json!({ "next_number": 1, "replaying": 3 }));
    admin.act_anyhow(&it, "replay", &json!({})).await.is_problem(422, "invalid").about("fromNumber", "required");
    admin
        .act_anyhow(&it, "replay", &json!({ "fromNumber": 9 }))
        .await
        .is_problem(422, "invalid")
        .about("fromNumber", "ahead");
}

#[actix_web::test]
async fn a_request_that_is_repeated_is_done_once() {
    let app = TestApp::start().await;
    let admin = app.administrator(POLICE).await;
    let once = |body: Value| {
        let admin = admin.clone();
        async move { admin.send("POST", SUBSCRIPTIONS, &[("idempotency-key", "once")], Some(&body)).await }
    };
    let (first, again) = (once(webhook()).await.is(201), once(webhook()).await.is(201));
    assert_eq!((first.body.clone(), again.header("idempotency-replayed")), (again.body.clone(), Some("true")));
    once(json!({ "channel": "email", "address": "d11@example.my" })).await.is(422);
    assert_eq!(app.database.count("subscriptions"), 1);
    let tested = |key: &'static str| {
        let (admin, path) = (admin.clone(), format!("{}/test", first.body["links"]["self"].as_str().unwrap()));
        async move { admin.send("POST", &path, &[("idempotency-key", key)], Some(&json!({}))).await.is(202) }
    };
    tested("test").await;
    let delivery = tested("test").await;
    assert_eq!(app.database.count("deliveries"), 1);
    let path = delivery.body["links"]["self"].as_str().unwrap();
    let found = admin.get(path).await.is(200);
    assert_eq!(
        (found.body["kind"].clone(), found.body["status"].clone(), found.body["attempts"].clone()),
        (json!("test"), json!("pending"), json!([]))
    );
    admin.post(&format!("{path}/redeliver"), &json!({})).await.is_problem(409, "not-now");
}
