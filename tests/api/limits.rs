//! How often one may ask, and of how many children in a day without an alarm.

use chrono::Duration;
use lindung_client::Speaker;
use lindung_http::limits::Rates;
use lindung_persistence::OverBudget;
use lindung_tests::{Database, Raw, Session, TestApp, case_body};
use serde_json::json;

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const PATH: &str = "/v1/code-lists";

/// How many requests are answered before one is too many; that one, too, is looked at.
async fn answered(session: &Session) -> usize {
    for count in 0.. {
        let answer = session.get(PATH).await;
        if answer.status != 200 {
            let refused = answer.is_problem(429, "too-many-requests");
            assert_eq!(refused.header("retry-after"), Some("1"));
            return count;
        }
    }
    unreachable!("never too many")
}

#[actix_web::test]
async fn an_officer_who_asks_too_often_has_to_wait() {
    let app = TestApp::start_limiting(Rates { officer: 2, ..Rates::NONE }).await;
    let (aida, other) = (app.officer(SCHOOL).await, app.supervisor(SCHOOL).await);
    assert_eq!(answered(&aida).await, 10, "five seconds' worth");
    let last = "select officer, action, outcome, count from access_log order by xid desc, id desc limit 1";
    let throttled =
        json!({ "officer": "officer.one", "action": "list_code_lists", "outcome": "throttled", "count": 0 });
    assert_eq!(app.database.rows(last), [throttled]);

    assert_eq!(answered(&other).await, 10, "another officer is another's affair");
    app.officer("KDN.PDRM.D11").await.get(PATH).await.is(200);
    app.wait(Duration::seconds(1));
    assert_eq!(answered(&aida).await, 2);
    app.upkeep(0).run().await;
    assert_eq!(answered(&aida).await, 0, "what counts is not forgotten");
}

/// What is refused for its number tells nothing of what it was about.
#[actix_web::test]
async fn too_many_is_too_many_whatever_is_there() {
    let app = TestApp::start_limiting(Rates { officer: 1, ..Rates::NONE }).await;
    let (aida, police) = (app.officer(SCHOOL).await, app.officer("KDN.PDRM.D11").await);
    let case = aida.opens_case().await;
    answered(&police).await;
    let unknown = "/v1/cases/0193b5f4-7a00-7c3e-9d55-0d8f6c2b1a01";
    let mut seen = Vec::new();
    for path in [case.path.as_str(), unknown] {
        let refused = police.get(path).await.is_problem(429, "too-many-requests");
        let mut headers = refused.headers.clone();
        headers.remove("x-request-id");
        headers.remove("date");
        seen.push((refused.body.clone(), headers));
    }
    assert_eq!(seen[0], seen[1]);
}

#[actix_web::test]
async fn a_client_has_a_limit_of_its_own_and_asks_for_no_more_tokens_either() {
    let app = TestApp::start_limiting(Rates { client: 1, ..Rates::NONE }).await;
    let (client, officer) = (app.client(SCHOOL).await, app.officer(SCHOOL).await);
    assert_eq!(answered(&client).await, 3, "two tokens count");
    assert_eq!(answered(&officer).await, 0);
    let credentials = app.credentials(SCHOOL);
    let speaker = Speaker::client(SCHOOL);
    let refused = app.api.token_at(credentials, &speaker, app.now()).await.unwrap_err();
    assert!(refused.to_string().contains("429"), "{refused}");
    app.officer("KDN.PDRM.D11").await.get(PATH).await.is(200);
    app.wait(Duration::seconds(1));
    app.api.token_at(credentials, &speaker, app.now()).await.unwrap();
}

/// Whoever only says that they are a client uses nothing of it up.
#[actix_web::test]
async fn nobody_locks_another_out() {
    let app = TestApp::start_limiting(Rates { client: 1, officer: 1, ..Rates::NONE }).await;
    let token = app.officer(SCHOOL).await.token;
    let mut liar = app.credentials("KDN.PDRM.D11").clone();
    liar.client_id = app.credentials(SCHOOL).client_id.clone();
    for _ in 0..20 {
        let refused = app.api.token_at(&liar, &Speaker::client(SCHOOL), app.now()).await.unwrap_err();
        assert!(refused.to_string().contains("invalid_client"), "{refused}");
        let forged = format!("Bearer {token}x");
        assert_eq!(app.raw("GET", PATH, &[("authorization", &forged)], None).await.status, 401);
    }
    app.officer(SCHOOL).await.get(PATH).await.is(200);
}

/// Opens cases with two children each; gives their paths.
async fn opens(school: &Session, cases: usize) -> Vec<String> {
    let mut body = case_body();
    body["children"].as_array_mut().unwrap().push(json!({ "sections": {} }));
    let mut paths = Vec::new();
    for _ in 0..cases {
        paths.push(school.post("/v1/cases", &body).await.is(201).reference().path);
    }
    paths
}

#[actix_web::test]
async fn an_officer_over_the_days_budget_of_children_is_found() {
    let app = TestApp::over(Database::new()).await;
    let (school, db, morning) = (app.officer(SCHOOL).await, app.database.db(), app.now());
    let paths = opens(&school, 2).await;
    let over = |children| OverBudget { agency: SCHOOL.to_owned(), officer: "officer.one".to_owned(), children };
    assert_eq!(db.over_budget(morning, 3).unwrap(), [over(4)]);
    for path in &paths {
        school.get(path).await.is(200);
    }
    assert_eq!(db.over_budget(morning, 3).unwrap(), [over(4)], "each child counts once");
    assert_eq!(db.over_budget(morning, 4).unwrap(), []);
    app.client(SCHOOL).await.get(PATH).await.is(200);
    app.officer("KDN.PDRM.D11").await.get(&paths[0]).await.is(404);
    assert_eq!(db.over_budget(morning, 0).unwrap(), [over(4)], "who saw nobody is not over it");
    assert_eq!(db.over_budget(morning + Duration::seconds(1), 0).unwrap(), [], "another day begins anew");
}

#[actix_web::test]
async fn whoever_is_over_the_budget_is_measured_until_midnight_in_kuala_lumpur() {
    let app = TestApp::start().await;
    opens(&app.officer(SCHOOL).await, 1).await;
    let mut upkeep = app.upkeep(1);
    let mut measured = async || {
        upkeep.run().await;
        let wire = app.answers(&Raw::new("GET", "/metrics")).await;
        assert!(!wire.body.contains("officer.one") && !wire.body.contains(SCHOOL));
        let line = wire.body.lines().find(|it| it.starts_with("officers_over_budget ")).map(str::to_owned);
        line.expect("a gauge")
    };
    assert_eq!(measured().await, "officers_over_budget 1");
    app.wait(Duration::hours(13));
    assert_eq!(measured().await, "officers_over_budget 1", "21:00 or so");
    app.wait(Duration::hours(4));
    assert_eq!(measured().await, "officers_over_budget 0");
}
