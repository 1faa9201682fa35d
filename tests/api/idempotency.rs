//! Idempotency-Key: a POST sent twice is done once and answered alike.

mod kept;

use chrono::Duration;
use insta::assert_snapshot;
use lindung_tests::{Answered, Session, TestApp, case_body, referral_body};
use serde_json::{Value, json};

async fn keyed(who: &Session, path: &str, key: &str, body: &Value) -> Answered {
    who.send("POST", path, &[("idempotency-key", key)], Some(body)).await
}

fn replayed(answer: &Answered) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

/// What a client sees of an answer.
fn seen(answer: &Answered) -> (u16, Value, Option<String>, Option<String>) {
    let header = |name| answer.header(name).map(str::to_owned);
    (answer.status, answer.body.clone(), header("location"), header("etag"))
}

#[actix_web::test]
async fn the_same_request_is_done_once_and_answered_alike() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let first = keyed(&school, "/v1/cases", "k-1", &case_body()).await.is(201);
    let again = keyed(&school, "/v1/cases", "k-1", &case_body()).await.is(201);
    assert!(!replayed(&first) && replayed(&again));
    assert_eq!(seen(&first), seen(&again));
    let case = first.reference();

    for (what, body) in [("children", json!({ "sections": {} })), ("referrals", referral_body("KDN.PDRM.D11"))] {
        let path = format!("{}/{what}", case.path);
        let first = keyed(&school, &path, what, &body).await.is(201);
        assert!(first.header("location").is_some() && first.header("etag").is_some());
        let again = keyed(&school, &path, what, &body).await;
        assert!(!replayed(&first) && replayed(&again));
        assert_eq!(seen(&first), seen(&again));
    }
    let counts = ["cases", "children", "referrals", "events"].map(|it| app.database.count(it));
    assert_eq!(counts, [1, 2, 1, 3]);
    let mut lines: Vec<String> = app.access_log(&case.id).await.lines().map(str::to_owned).collect();
    lines.iter_mut().for_each(|it| *it = it.replacen("KPM.SEKOLAH.WBA0001 officer.one ", "", 1));
    assert_snapshot!(lines.join("\n"), @"
    create_case permitted own summary,narrative,digital-evidence,identity,risk
    create_case replayed lead
    add_child permitted lead
    add_child replayed lead
    create_referral permitted lead
    create_referral replayed lead
    ");
}

#[actix_web::test]
async fn a_key_belongs_to_one_request_of_one_officer_for_one_purpose() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = keyed(&school, "/v1/cases", "k-1", &case_body()).await.is(201).reference();
    let mut other = case_body();
    other["priority"] = json!("routine");
    keyed(&school, "/v1/cases", "k-1", &other).await.is_problem(422, "idempotency-key-reused");
    let children = format!("{}/children", case.path);
    keyed(&school, &children, "k-1", &case_body()).await.is(400);
    keyed(&school, &children, "k-1", &json!({})).await.is_problem(422, "idempotency-key-reused");

    let colleague = app.person("KPM.SEKOLAH.WBA0001", "officer.two", &["officer"], Some("protection")).await;
    let elsewhere = app.person("KPM.SEKOLAH.WBA0001", "officer.one", &["officer"], Some("protection")).await;
    let another = app.officer("KDN.PDRM.D11").await;
    for who in [&colleague, &elsewhere, &another] {
        let answer = keyed(who, "/v1/cases", "k-1", &case_body()).await.is(201);
        assert!(!replayed(&answer));
    }
    assert_eq!(app.database.count("cases"), 4);
}

#[actix_web::test]
async fn creating_needs_a_key_and_a_key_has_1_to_255_characters() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let (children, referrals) = (format!("{}/children", case.path), format!("{}/referrals", case.path));
    for (path, body) in
        [("/v1/cases", case_body()), (&children, json!({})), (&referrals, referral_body("KDN.PDRM.D11"))]
    {
        school.send("POST", path, &[], Some(&body)).await.is_problem(400, "idempotency-key-required");
        for wrong in ["", "\"\"", &"k".repeat(256), "a\tb"] {
            keyed(&school, path, wrong, &body).await.is_problem(400, "malformed").about("Idempotency-Key", "length");
        }
        let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
        school.send("POST", path, &twice, Some(&body)).await.is_problem(400, "malformed");
    }
    keyed(&school, "/v1/cases", &"k".repeat(255), &case_body()).await.is(201);
    // A quoted string and a bare token are the same key.
    keyed(&school, "/v1/cases", "\"quoted\"", &case_body()).await.is(201);
    assert!(replayed(&keyed(&school, "/v1/cases", "quoted", &case_body()).await));
}

#[actix_web::test]
async fn a_retried_action_is_replayed_and_not_stale() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let client = app.client("KDN.PDRM.D11").await;
    let case = school.opens_case().await;
    let sent = school.refers(&case, &police).await;
    let act = async |who: &Session, action: &str, version: &str, key: &str, body: Value| {
        let headers = [("if-match", version), ("idempotency-key", key)];
        who.send("POST", &format!("{}/{action}", sent.path), &headers, Some(&body)).await
    };
    let received = act(&client, "receive", "\"1\"", "r", json!({})).await.is(200);
    assert_eq!(seen(&received), seen(&act(&client, "receive", "\"1\"", "r", json!({})).await));

    // What was refused is not kept: the corrected retry under the same key works.
    act(&police, "accept", "\"1\"", "a", json!({})).await.is_problem(412, "stale");
    act(&police, "accept", "\"2\"", "a", json!({ "dueAt": "2020-01-01T00:00:00Z" })).await.is_problem(422, "invalid");
    act(&police, "complete", "\"2\"", "a", json!({ "outcome": "charged", "summary": "x" }))
        .await
        .is_problem(409, "not-now");
    act(&school, "accept", "\"2\"", "a", json!({})).await.is_problem(403, "not-yours-to-do");
    let accepted = act(&police, "accept", "\"2\"", "a", json!({})).await.is(200);
    let again = act(&police, "accept", "\"2\"", "a", json!({})).await;
    assert!(replayed(&again));
    assert_eq!(seen(&accepted), seen(&again));
    // Even after it has moved on, the answer is that of then.
    act(&police, "start", "\"3\"", "s", json!({})).await.is(200);
    assert_eq!(seen(&accepted), seen(&act(&police, "accept", "\"2\"", "a", json!({})).await));
    let note = json!({ "text": "Once." });
    for _ in 0..2 {
        keyed(&school, &format!("{}/note", sent.path), "n", &note).await.is(200);
    }
    assert_eq!(app.database.count("messages"), 1);

    let head = app.supervisor("KPM.SEKOLAH.WBA0001").await;
    act(&police, "complete", "\"4\"", "c", json!({ "outcome": "charged", "summary": "x" })).await.is(200);
    for _ in 0..2 {
        let headers = [("if-match", "\"1\""), ("idempotency-key", "close")];
        let closed =
            head.send("POST", &format!("{}/close", case.path), &headers, Some(&json!({ "outcome": "charged" }))).await;
        assert_eq!(closed.is(200).body["version"], 2);
    }
}

#[actix_web::test]
async fn a_replay_needs_the_right_still() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let (police, welfare) = (app.officer("KDN.PDRM.D11").await, app.officer("KPWKM.JKM").await);
    let case = school.opens_case().await;
    let open = school.refers_openly(&case, &[&police, &welfare]).await;
    let decline = format!("{}/decline", open.path);
    let headers = [("if-match", "\"1\""), ("idempotency-key", "d")];
    let body = json!({ "reason": "no-capacity" });
    welfare.send("POST", &decline, &headers, Some(&body)).await.is(200);
    // Who declined has the referral no longer.
    welfare.send("POST", &decline, &headers, Some(&body)).await.is_problem(404, "not-found");

    // Who shared onward while it could is told nothing of it when it cannot see the case; its own record it keeps.
    let mut terms = referral_body("KDN.PDRM.D11");
    terms["contributes"] = json!(["narrative"]);
    terms["onward"] = json!(true);
    let accepted = police.does(&school.refers_in(&case, &terms).await, "accept", json!({})).await;
    let path = format!("{}/referrals", case.path);
    keyed(&police, &path, "o", &referral_body("KPWKM.JKM")).await.is(201);
    police.does(&accepted, "complete", json!({ "outcome": "charged", "summary": "x" })).await;
    assert!(replayed(&keyed(&police, &path, "o", &referral_body("KPWKM.JKM")).await.is(201)));

    // A case that another now leads: as if it had never been.
    let made = keyed(&school, "/v1/cases", "c", &case_body()).await.is(201).reference();
    app.database.execute(&format!("update grants set agency = 'KPWKM.JKM' where case_id = '{}'", made.id));
    keyed(&school, "/v1/cases", "c", &case_body()).await.is_problem(404, "not-found");
    assert_eq!(app.database.count("cases"), 2);
    let last = app.database.rows("select action, outcome from access_log order by xid desc, id desc limit 1");
    assert_eq!(last, [json!({ "action": "create_case", "outcome": "not-found" })]);
}

#[actix_web::test]
async fn a_key_is_forgotten_after_24_hours() {
    let app = TestApp::start().await;
    let post = async |school: &Session| keyed(school, "/v1/cases", "k", &case_body()).await.is(201);
    let first = post(&app.officer("KPM.SEKOLAH.WBA0001").await).await;
    app.wait(Duration::hours(24) - Duration::microseconds(1));
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    assert_eq!(seen(&post(&school).await), seen(&first));
    app.wait(Duration::microseconds(1));
    let anew = post(&school).await;
    assert!(!replayed(&anew) && anew.body["id"] != first.body["id"]);
    assert_eq!(seen(&post(&school).await), seen(&anew));
    assert_eq!(app.database.count("cases"), 2);

    app.wait(Duration::hours(25));
    app.database.db().forget_expired(app.now()).unwrap();
    assert_eq!(app.database.count("idempotency_keys"), 0);
}
