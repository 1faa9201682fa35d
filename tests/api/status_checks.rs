//! Status checks: whether a child is known, told to those who may be told, and to all others as if nobody knew.

use chrono::Duration;
use lindung_http::limits::Rates;
use lindung_tests::{Answered, Ref, Session, TestApp, case_body};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const HOSPITAL: &str = "KKM.OSCC.HKL";

/// Asks about the child that [`case_body`] tells of, or about another.
async fn asks(who: &Session, value: &str, scheduled: bool) -> Answered {
    let body = json!({ "identifier": { "system": "mykid", "value": value }, "careScheduled": scheduled });
    who.post("/v1/status-checks", &body).await
}

fn known_value() -> String {
    let body = case_body();
    let identifier = &body["children"][0]["sections"]["identity"]["identifiers"][0];
    assert_eq!(identifier["system"], "mykid");
    identifier["value"].as_str().unwrap().to_owned()
}

async fn opened(app: &TestApp) -> (Session, Session, Ref) {
    let (school, doctor) = (app.supervisor(SCHOOL).await, app.officer(HOSPITAL).await);
    let case = school.opens_case().await;
    (school, doctor, case)
}

/// What an answer tells: status, body and header fields, but for what differs for every request.
fn told(answer: &Answered) -> (u16, Value, Vec<String>) {
    let fields = ["content-type", "content-language", "cache-control", "etag", "content-length", "vary"];
    let of = |name: &&str| format!("{name}: {}", answer.header(name).unwrap_or("-"));
    (answer.status, answer.body.clone(), fields.iter().map(of).collect())
}

#[actix_web::test]
async fn whoever_asks_learns_whom_to_call_and_the_lead_hears_of_it() {
    let app = TestApp::start().await;
    let (school, doctor, case) = opened(&app).await;
    let seen = asks(&doctor, &known_value(), true).await.is(200);
    assert_eq!(
        json!([seen.body["known"], seen.body["lead"]["agency"], seen.body["protectionCaseOpen"]]),
        json!([true, SCHOOL, true])
    );
    assert!(seen.body["lead"]["telephone"].is_string() && seen.body["lead"]["desk"].is_string(), "{}", seen.body);
    assert_eq!(seen.body["recentChecks"], json!([]), "not the one at hand");
    assert!(!seen.body.to_string().contains(&case.id), "nothing leads to the case");
    assert_eq!(app.database.count("events where kind like '%status-check.made'"), 0, "it was scheduled");

    let again = asks(&doctor, &known_value(), false).await.is(200);
    assert_eq!(again.body["recentChecks"], json!([{ "at": app.now(), "agency": HOSPITAL, "careScheduled": true }]));
    let rows = app.database.rows("select recipients, data from events where kind like '%status-check.made'");
    assert_eq!(rows[0]["recipients"], json!([SCHOOL]));
    assert!(!rows[0].to_string().contains(&known_value()));
    let timeline = school.get(&format!("{}/timeline", case.path)).await;
    assert_eq!(timeline.items().last().unwrap()["type"], "my.gov.lindung.status-check.made");
    doctor.get(&case.path).await.is_problem(404, "not-found");
}

#[actix_web::test]
async fn unknown_shielded_and_erased_are_one_answer() {
    let app = TestApp::start().await;
    let (school, doctor, case) = opened(&app).await;
    let (colleague, value) =
        (app.person(SCHOOL, "guru.two", &["supervisor"], Some("education-safeguarding")).await, known_value());
    let unknown = asks(&doctor, "none-such", false).await.is(200);
    assert_eq!(unknown.body, json!({ "known": false }));
    let row = || {
        let mut rows = app.database.rows(
            "select action, outcome, rule, target, case_ids, child_ids, sections, count from access_log \
             where action = 'check_status' order by xid desc, id desc limit 1",
        );
        rows.remove(0)
    };
    let logged = row();

    school.shields(&case.path, &[SCHOOL]).await.is(200);
    let shielded = asks(&doctor, &value, false).await;
    assert_eq!((told(&shielded), row()), (told(&unknown), logged.clone()));
    assert_eq!(asks(&school, &value, true).await.body["known"], true, "the shield admits the school");
    let lift = json!({ "kind": "unshield", "reason": "It is over." });
    let proposal = school.post(&format!("{}/proposals", case.path), &lift).await.is(201).reference();
    colleague.post(&format!("/v1/proposals/{}/confirm", proposal.id), &json!({})).await.is(200);

    school.shields(case.child(0), &[SCHOOL]).await.is(200);
    let hidden = asks(&doctor, &value, false).await;
    assert_eq!((told(&hidden), row()), (told(&unknown), logged.clone()));

    let erase = json!({ "kind": "erase-child", "child": case.child_id(0), "reason": "By order of the court." });
    let proposal = school.post(&format!("{}/proposals", case.path), &erase).await.is(201).reference();
    colleague.post(&format!("/v1/proposals/{}/confirm", proposal.id), &json!({})).await.is(200);
    let erased = asks(&school, &value, false).await;
    assert_eq!((erased.status, &erased.body), (200, &unknown.body));
    assert_eq!(
        app.database.count("events where kind like '%status-check.made'"),
        0,
        "nobody is told of what is hidden"
    );
}

#[actix_web::test]
async fn an_open_case_is_told_of_before_a_closed_one() {
    let app = TestApp::start().await;
    let (school, doctor, case) = opened(&app).await;
    school.act_anyhow(&case, "close", &json!({ "outcome": "charged" })).await.is(200);
    assert_eq!(asks(&doctor, &known_value(), true).await.body["protectionCaseOpen"], false);
    let police = app.officer("KDN.PDRM.D11").await;
    police.opens_case().await;
    let seen = asks(&doctor, &known_value(), true).await;
    assert_eq!(json!([seen.body["protectionCaseOpen"], seen.body["lead"]["agency"]]), json!([true, "KDN.PDRM.D11"]));
}

#[actix_web::test]
async fn the_latest_twenty_five_checks_are_told_and_all_are_kept_without_the_identifier() {
    let app = TestApp::start().await;
    let (_, doctor, _) = opened(&app).await;
    for n in 0..27 {
        app.wait(Duration::seconds(n));
        asks(&doctor, &known_value(), true).await.is(200);
    }
    let seen = asks(&doctor, &known_value(), true).await;
    assert_eq!(seen.body["recentChecks"].as_array().unwrap().len(), 25);
    asks(&doctor, "none-such", true).await.is(200);
    assert_eq!(app.database.count("status_checks"), 29);
    assert_eq!(app.database.count("status_checks where case_id is null"), 1);
    let everything =
        app.database.rows("select s::text as row from status_checks s union all select a::text from access_log a");
    assert!(everything.iter().all(|it| !it.to_string().contains(&known_value())));
}

#[actix_web::test]
async fn only_officers_at_work_ask_and_their_client_so_often_a_day() {
    let app = TestApp::start_limiting(Rates { status_checks_per_day: 2, ..Rates::NONE }).await;
    let (_, doctor, _) = opened(&app).await;
    for who in [app.coordinator().await, app.auditor("KPM").await, app.client(HOSPITAL).await] {
        asks(&who, &known_value(), true).await.is_problem(403, "not-yours-to-do");
    }
    asks(&doctor, &known_value(), true).await.is(200);
    asks(&doctor, "none-such", true).await.is(200);
    for value in [known_value(), "none-such".to_owned()] {
        let spent = asks(&doctor, &value, true).await.is_problem(429, "too-many-requests");
        assert!(spent.header("retry-after").unwrap().parse::<u64>().unwrap() <= 86_400);
    }
    assert_eq!(app.database.count("status_checks"), 2);
    asks(&app.officer("KDN.PDRM.D11").await, &known_value(), true).await.is(200);
    let body = json!({ "identifier": { "system": "MyKid", "value": "x" }, "careScheduled": true });
    doctor.post("/v1/status-checks", &body).await.is_problem(422, "invalid").about("identifier.system", "pattern");
}
