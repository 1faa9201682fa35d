//! Notifications: who hears of what, how they mark it, and what hides it.

mod making;
mod many;
mod rules;

use chrono::Duration;
use insta::assert_snapshot;
use lindung_tests::{Answered, Ref, Session, TestApp, action_body};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const POLICE: &str = "KDN.PDRM.D11";
const INBOX: &str = "/v1/notifications";

fn kind(item: &Value) -> &str {
    item["type"].as_str().unwrap().trim_start_matches("my.gov.lindung.")
}

fn kinds(page: &Answered) -> String {
    page.items().iter().map(kind).collect::<Vec<_>>().join(" ")
}

/// What somebody hears of, newest first.
async fn heard(who: &Session) -> String {
    kinds(&who.get(INBOX).await)
}

/// The inspector of the police to whom referrals are assigned.
async fn inspector(app: &TestApp) -> Session {
    app.person(POLICE, "insp.one", &["officer"], Some("investigation")).await
}

/// A referral that the police took on, assigned to the inspector.
async fn assigned(app: &TestApp) -> (Session, Session, Ref) {
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let sent = school.refers(&school.opens_case().await, &police).await;
    let accepted = police.does(&sent, "accept", json!({ "assignee": "insp.one" })).await;
    (school, police, accepted)
}

#[actix_web::test]
async fn each_hears_of_what_is_for_their_role_or_for_them() {
    let app = TestApp::start().await;
    let (school, police, referral) = assigned(&app).await;
    let asked = police.does(&referral, "ask", action_body("ask")).await;
    school.does(&asked, "answer", action_body("answer")).await;
    app.notify();
    let mut table = String::new();
    for (who, session) in [
        ("school officer", school),
        ("school supervisor", app.supervisor(SCHOOL).await),
        ("police officer", police),
        ("police inspector", inspector(&app).await),
        ("police supervisor", app.supervisor(POLICE).await),
        ("police both", app.person(POLICE, "chief", &["officer", "supervisor"], Some("investigation")).await),
        ("coordinator", app.coordinator().await),
        ("police auditor", app.auditor(POLICE).await),
        ("police administrator", app.administrator(POLICE).await),
        ("another agency", app.officer("KPWKM.JKM").await),
    ] {
        table += format!("{who:<22}{}", heard(&session).await).trim_end();
        table += "\n";
    }
    assert_snapshot!(table, @"
    school officer        referral.asked referral.accepted
    school supervisor
    police officer        referral.requested
    police inspector      referral.answered referral.accepted referral.requested
    police supervisor     referral.requested
    police both           referral.requested
    coordinator
    police auditor
    police administrator
    another agency
    ");
    app.client(POLICE).await.get(INBOX).await.is_problem(403, "not-yours-to-do");
}

#[actix_web::test]
async fn a_notification_tells_what_and_where_in_two_languages() {
    let app = TestApp::start().await;
    let (_, _, referral) = assigned(&app).await;
    app.notify();
    let inspector = inspector(&app).await;
    let told = inspector.send("GET", INBOX, &[("accept-language", "en")], None).await.is(200);
    assert_eq!(told.header("content-language"), Some("en"));
    let mut item = told.items()[0].clone();
    let path = item["links"]["self"].as_str().unwrap().to_owned();
    let shown = inspector.send("GET", &path, &[("accept-language", "en")], None).await.is(200);
    assert_eq!(shown.body, item);
    assert_eq!(inspector.get(&path).await.body["label"], "Rujukan diterima");
    assert_eq!(item["subject"], format!("referrals/{}", referral.id));
    let links = item["links"].take();
    assert_eq!(inspector.get(links["subject"].as_str().unwrap()).await.is(200).body["id"], referral.id);
    for field in ["id", "links", "subject", "caseId", "eventId"] {
        assert!(item.as_object_mut().unwrap().remove(field).is_some(), "{field}");
    }
    assert_snapshot!(item, @r#"{"language":"en","type":"my.gov.lindung.referral.accepted","label":"Referral accepted","acknowledgedAt":null,"priority":"urgent","agency":"KDN.PDRM.D11","at":"2026-11-24T02:00:00Z","toldAt":"2026-11-24T02:00:00Z","acknowledgedBy":null,"roles":[],"officer":"insp.one","readAt":null}"#);
    let log = "select action, count, cardinality(case_ids) as cases from access_log where officer = 'insp.one' and action ~ 'notification' order by xid, id";
    let row = |(action, count): (&str, i32)| json!({ "action": action, "count": count, "cases": 1 });
    let reads = [("list_notifications", 2), ("get_notification", 1), ("get_notification", 1)].map(row);
    assert_eq!(app.database.rows(log), reads, "each is an access that names the case");
}

/// What is for somebody by name is for their work with children, not for whatever else they do.
#[actix_web::test]
async fn whoever_audits_or_administers_too_hears_of_their_work_at_work_only() {
    let app = TestApp::start().await;
    let (_, police, _) = assigned(&app).await;
    app.notify();
    let both = ["officer", "auditor", "administrator"];
    let at_work = app.person(POLICE, "insp.one", &both, Some("investigation")).await;
    assert_eq!(heard(&at_work).await, "referral.accepted referral.requested");
    let by_name = at_work.get(INBOX).await.items()[0]["links"]["self"].as_str().unwrap().to_owned();
    at_work.get(&by_name).await.is(200);
    for purpose in [Some("audit"), None] {
        let otherwise = app.person(POLICE, "insp.one", &both, purpose).await;
        assert_eq!(heard(&otherwise).await, "");
        otherwise.get(&by_name).await.is_problem(404, "not-found");
        otherwise.post(&format!("{by_name}/read"), &json!({})).await.is_problem(404, "not-found");
    }
    assert_eq!(heard(&police).await, "referral.requested");
}

#[actix_web::test]
async fn reading_is_each_ones_own_and_taking_note_is_once_for_all() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    for _ in 0..3 {
        school.refers(&case, &police).await;
    }
    app.notify();
    let colleague = app.person(POLICE, "officer.two", &["officer"], Some("investigation")).await;
    let counts = async |who: &Session| {
        let answered = who.get(&format!("{INBOX}/counts")).await.is(200);
        let body = &answered.body;
        format!("{} {} {}", body["unread"]["total"], body["unacknowledged"]["urgent"], body["more"])
    };
    assert_eq!((counts(&police).await, counts(&colleague).await), ("3 3 false".to_owned(), "3 3 false".to_owned()));
    let paths: Vec<String> =
        police.get(INBOX).await.items().iter().map(|it| it["links"]["self"].as_str().unwrap().to_owned()).collect();
    let read = police.post(&format!("{}/read", paths[0]), &json!({})).await.is(200);
    assert_eq!((read.body["marked"].clone(), read.body["readAt"].clone()), (json!(1), json!("2026-11-24T02:00:00Z")));
    let again = police.post(&format!("{}/read", paths[0]), &json!({})).await.is(200);
    assert_eq!(again.body["marked"], 0);
    assert_eq!((counts(&police).await, counts(&colleague).await), ("2 3 false".to_owned(), "3 3 false".to_owned()));

    let noted = colleague.post(&format!("{}/acknowledge", paths[1]), &json!({})).await.is(200);
    assert_eq!(noted.body["acknowledgedBy"], "officer.two");
    let late = police.post(&format!("{}/acknowledge", paths[1]), &json!({})).await.is(200);
    assert_eq!(late.body["acknowledgedBy"], "officer.two", "whoever was first stays");
    assert_eq!((counts(&police).await, counts(&colleague).await), ("1 2 false".to_owned(), "2 2 false".to_owned()));
    let listed = async |filter: &str| police.get(&format!("{INBOX}?{filter}")).await.items().len();
    assert_eq!((listed("unread=true").await, listed("unread=false").await), (1, 2));
    assert_eq!((listed("acknowledged=true").await, listed("acknowledged=false").await), (1, 2));

    let older = colleague.post(&format!("{}/read", paths[0]), &json!({ "older": true })).await.is(200);
    assert_eq!((older.body["marked"].clone(), older.body.get("next")), (json!(2), None));
    assert_eq!(counts(&colleague).await, "0 2 false");
}

#[actix_web::test]
async fn what_is_wanted_can_be_told_and_is_walked_page_by_page() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let (case, other) = (school.opens_case().await, school.opens_case().await);
    for case in [&case, &case, &other] {
        school.refers(case, &police).await;
        app.notify();
        app.wait(Duration::seconds(1));
    }
    let listed = async |filter: &str| police.get(&format!("{INBOX}?{filter}")).await.is(200).items().len();
    assert_eq!(listed(&format!("case={}", case.id)).await, 2);
    assert_eq!((listed("priority=urgent").await, listed("priority=immediate").await), (3, 0));
    assert_eq!(
        (listed("type=my.gov.lindung.referral.*").await, listed("type=my.gov.lindung.case.closed").await),
        (3, 0)
    );
    assert_eq!((listed("mine=true").await, listed("mine=false").await), (0, 3));
    let types = "type=my.gov.lindung.subscription.disabled,my.gov.lindung.subscription.*,my.gov.lindung.case.closed";
    assert_eq!((listed(types).await, listed("type=my.gov.lindung.*").await), (0, 3));
    police
        .get(&format!("{INBOX}?type=my.gov.lindung.subs*"))
        .await
        .is_problem(400, "malformed")
        .about("type", "unknown-type");
    police
        .get(&format!("{INBOX}?type=referral.requested"))
        .await
        .is_problem(400, "malformed")
        .about("type", "unknown-type");
    let (mut seen, mut next) = (Vec::new(), Some(format!("{INBOX}?limit=1")));
    while let Some(path) = next {
        let page = police.get(&path).await.is(200);
        seen.extend(page.items().iter().map(|it| it["id"].clone()));
        next = page.body["next"].as_str().map(|it| format!("{INBOX}?limit=1&cursor={it}"));
    }
    let all: Vec<Value> = police.get(INBOX).await.items().iter().map(|it| it["id"].clone()).collect();
    assert_eq!((seen.len(), seen), (3, all));
}

#[actix_web::test]
async fn what_is_hidden_later_is_gone_and_others_never_had_it() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    school.refers(&case, &police).await;
    app.notify();
    let path = police.get(INBOX).await.items()[0]["links"]["self"].as_str().unwrap().to_owned();
    let (other, client) = (app.officer("KPWKM.JKM").await, app.client(POLICE).await);
    for act in ["", "/read", "/acknowledge"] {
        let (path, empty) = (format!("{path}{act}"), json!({}));
        let tries = async |who: &Session| match act {
            "" => who.get(&path).await,
            _ => who.post(&path, &empty).await,
        };
        tries(&other).await.is_problem(404, "not-found");
        tries(&school).await.is_problem(404, "not-found");
        tries(&client).await.is_problem(403, "not-yours-to-do");
    }
    let supervisor = app.supervisor(SCHOOL).await;
    let acknowledge = format!("{path}/acknowledge");
    let repeated = async || police.send("POST", &acknowledge, &[("idempotency-key", "1")], Some(&json!({}))).await;
    repeated().await.is(200);
    supervisor.shields(&case.path, &[SCHOOL]).await.is(200);
    repeated().await.is_problem(404, "not-found");
    police.get(&path).await.is_problem(404, "not-found");
    police.post(&format!("{path}/acknowledge"), &json!({})).await.is_problem(404, "not-found");
    assert_eq!(heard(&police).await, "");
    assert_eq!(police.get(&format!("{INBOX}/counts")).await.body["unread"]["total"], 0);
}

#[actix_web::test]
async fn what_was_noted_is_forgotten_after_its_time_and_what_was_not_much_later() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer(SCHOOL).await, app.officer(POLICE).await);
    let case = school.opens_case().await;
    for _ in 0..2 {
        school.refers(&case, &police).await;
    }
    app.notify();
    let first = police.get(INBOX).await.items()[0]["links"]["self"].as_str().unwrap().to_owned();
    police.post(&format!("{first}/acknowledge"), &json!({})).await.is(200);
    let left = |days| {
        app.database.db().forget_expired(app.now() + Duration::days(days)).unwrap();
        app.database.count("notifications where agency = 'KDN.PDRM.D11'")
    };
    assert_eq!([left(90), left(91), left(366), left(367)], [2, 1, 1, 0]);
    assert_eq!(app.database.count("notification_marks"), 0);
}
