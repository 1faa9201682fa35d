//! Fifty at once: one wins, and nothing is lost, doubled or left with a hole.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use lindung_tests::{Answered, Session, TestApp, case_body, referral_body};
use serde_json::{Value, json};

const MANY: usize = 50;

fn tally(answers: &[Answered]) -> BTreeMap<u16, usize> {
    answers.iter().fold(BTreeMap::new(), |mut counts, it| {
        *counts.entry(it.status).or_default() += 1;
        counts
    })
}

/// The events of every case are numbered without a hole, and the case counts them.
fn assert_dense(app: &TestApp) {
    let holes = app.database.rows(
        "select c.id from cases c join events e on e.case_id = c.id group by c.id \
         having min(e.case_version) <> 1 or max(e.case_version) <> count(*) or c.event_count <> count(*)",
    );
    assert!(holes.is_empty(), "{holes:?}");
}

/// So many officers of an agency.
async fn officers(app: &TestApp, agency: &str, count: usize) -> Vec<Session> {
    let named = (0..count).map(|at| format!("officer.{at}"));
    let officer = async |id: String| app.person(agency, &id, &["officer"], Some("protection")).await;
    join_all(named.map(officer)).await
}

#[actix_web::test]
async fn of_fifty_accepts_one_wins_and_the_others_are_stale() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let crowd = officers(&app, "KDN.PDRM.D11", MANY).await;
    let case = school.opens_case().await;
    let referral = school.refers(&case, &crowd[0]).await;
    let body = json!({});
    let answers = join_all(crowd.iter().map(|it| it.act(&referral, "accept", &body))).await;
    assert_eq!(tally(&answers), BTreeMap::from([(200, 1), (412, MANY - 1)]));
    assert_eq!(app.database.count("events where kind like '%referral.accepted'"), 1);
    assert_eq!(app.database.count("grants where source = 'referral' and until is null"), 1);
    let granted = "access_log where action = 'accept_referral' and outcome = ";
    assert_eq!(app.database.count(&format!("{granted}'permitted'")), 1);
    assert_eq!(app.database.count(&format!("{granted}'stale'")), MANY as i64 - 1);
    assert_dense(&app);
}

#[actix_web::test]
async fn of_fifty_claims_by_several_agencies_one_wins() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let mut crowd = Vec::new();
    for (agency, count) in [("KDN.PDRM.D11", 17), ("KPWKM.JKM", 17), ("KK.MCMC", 16)] {
        crowd.extend(officers(&app, agency, count).await);
    }
    let case = school.opens_case().await;
    let referral = school.refers_openly(&case, &[&crowd[0], &crowd[17], &crowd[34]]).await;
    let body = json!({});
    let answers = join_all(crowd.iter().map(|it| it.act(&referral, "claim", &body))).await;
    let won = answers.iter().position(|it| it.status == 200).unwrap();
    for (who, answer) in crowd.iter().zip(&answers) {
        let expected = if who.agency == crowd[won].agency { 412 } else { 404 };
        assert!(answer.status == expected || std::ptr::eq(answer, &answers[won]), "{}: {}", who.agency, answer.body);
    }
    assert_eq!(answers.iter().filter(|it| it.status == 200).count(), 1);
    let live = app.database.rows("select agency from grants where source = 'referral' and until is null");
    assert_eq!(live, [json!({ "agency": crowd[won].agency })]);
    assert_eq!(app.database.count("referral_listings"), 0);
    assert_eq!(app.database.count("events where kind like '%referral.claimed'"), 1);
    assert_dense(&app);
}

#[actix_web::test]
async fn fifty_cases_have_fifty_references() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let body = case_body();
    let answers = join_all((0..MANY).map(|_| school.post("/v1/cases", &body))).await;
    assert_eq!(tally(&answers), BTreeMap::from([(201, MANY)]));
    let references: BTreeSet<&str> = answers.iter().filter_map(|it| it.body["reference"].as_str()).collect();
    assert_eq!(references.len(), MANY);
    assert!(references.iter().all(|it| it.starts_with("LDG-2026-")));
    assert_dense(&app);
}

#[actix_web::test]
async fn of_many_writers_from_one_version_one_wins() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let case = school.opens_case().await;
    let paths = ["narrative", "plan"].map(|it| format!("{}/sections/{it}", case.path));
    let bodies: Vec<Value> = (0..MANY).map(|at| json!({ "text": format!("By {at}.") })).collect();
    let writers = bodies.iter().enumerate().map(|(at, body)| school.put(&paths[at % 2], 1 - (at as i64 % 2), body));
    let answers = join_all(writers).await;
    assert_eq!(tally(&answers), BTreeMap::from([(200, 2), (412, MANY - 2)]));
    for (at, path) in paths.iter().enumerate() {
        let won = (0..MANY).find(|it| it % 2 == at && answers[*it].status == 200).unwrap();
        let seen = school.get(path).await;
        assert_eq!((&seen.body["version"], &seen.body["content"]), (&json!(2 - at), &bodies[won]));
    }
    assert_dense(&app);
}

#[actix_web::test]
async fn a_case_never_closes_over_an_open_referral() {
    let app = TestApp::start().await;
    let (school, head) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.supervisor("KPM.SEKOLAH.WBA0001").await);
    let mut cases = Vec::new();
    for _ in 0..25 {
        cases.push(school.opens_case().await);
    }
    let (close, refer) = (json!({ "outcome": "referred-on" }), referral_body("KDN.PDRM.D11"));
    let both = async |at: usize| {
        let path = format!("{}/referrals", cases[at].path);
        let (closing, referring) = (head.act(&cases[at], "close", &close), school.post(&path, &refer));
        // Both orders of arrival, as far as they can be had.
        if at.is_multiple_of(2) {
            futures::join!(closing, referring)
        } else {
            let (referred, closed) = futures::join!(referring, closing);
            (closed, referred)
        }
    };
    for (closed, referred) in join_all((0..cases.len()).map(both)).await {
        let outcomes = (closed.status, referred.status);
        assert!([(200, 409), (409, 201)].contains(&outcomes), "{outcomes:?}: {} {}", closed.body, referred.body);
        if closed.status == 409 {
            assert_eq!(closed.body["openReferrals"], json!([referred.body["id"]]));
        }
    }
    let open = "cases c join referrals r on r.case_id = c.id where c.status = 'closed' and r.status = 'requested'";
    assert_eq!(app.database.count(open), 0);
    assert_dense(&app);
}

#[actix_web::test]
async fn a_key_used_fifty_times_at_once_works_once() {
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let (body, headers) = (case_body(), [("idempotency-key", "one-and-the-same")]);
    let answers = join_all((0..MANY).map(|_| school.send("POST", "/v1/cases", &headers, Some(&body)))).await;
    let (mut made, mut fresh) = (BTreeSet::new(), 0);
    for answer in answers {
        if answer.status == 201 {
            made.insert(answer.body["id"].to_string());
            fresh += usize::from(answer.header("idempotency-replayed").is_none());
        } else {
            let busy = answer.is_problem(409, "idempotency-key-busy");
            assert_eq!(busy.header("retry-after"), Some("1"));
        }
    }
    assert_eq!((made.len(), fresh), (1, 1));
    let counts = ["cases", "children", "events", "idempotency_keys"].map(|it| app.database.count(it));
    assert_eq!(counts, [1, 1, 1, 1]);
    assert_eq!(app.database.count("access_log where action = 'create_case' and outcome = 'permitted'"), 1);
}

#[actix_web::test]
async fn a_crowd_on_one_case_leaves_no_hole() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let case = school.opens_case().await;
    let accepted = police.does(&school.refers(&case, &police).await, "accept", json!({})).await;
    let (note, child, refer) = (json!({ "text": "Seen." }), json!({}), referral_body("KPWKM.JKM"));
    let (children, referrals) = (format!("{}/children", case.path), format!("{}/referrals", case.path));
    let crowd = async |at: usize| match at % 4 {
        0 => police.act_anyhow(&accepted, "note", &note).await.is(200),
        1 => school.act_anyhow(&accepted, "note", &note).await.is(200),
        2 => school.post(&children, &child).await.is(201),
        _ => school.post(&referrals, &refer).await.is(201),
    };
    join_all((0..MANY).map(crowd)).await;
    let met = "events where kind like '%clock.met'";
    assert_eq!(app.database.count(met), 2, "acceptance met two clocks");
    assert_eq!(app.database.count("events"), 3 + 2 + MANY as i64);
    assert_eq!(app.database.count("messages"), 26);
    assert_dense(&app);
}

#[actix_web::test]
async fn a_key_that_another_transaction_keeps_meanwhile_undoes_the_work() {
    use diesel::connection::SimpleConnection;
    let app = TestApp::start().await;
    let school = app.officer("KPM.SEKOLAH.WBA0001").await;
    let mut other = app.database.connection();
    let columns = "client_id, officer, purpose, key, route, digest, status, response, created_at";
    let kept = format!(
        "begin; insert into idempotency_keys ({columns}) values ('kpm-system', 'officer.one', \
         'education-safeguarding', 'k', 'r', '', 201, '{{}}', '{}')",
        app.now().to_rfc3339()
    );
    other.batch_execute(&kept).unwrap();
    let (body, headers) = (case_body(), [("idempotency-key", "k")]);
    let asked = school.send("POST", "/v1/cases", &headers, Some(&body));
    let committed = async {
        // Once the service waits for it, and has looked for the key in vain.
        let waiting =
            "pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database()";
        while app.database.count(waiting) == 0 {
            tokio::task::yield_now().await;
        }
        other.batch_execute("commit").unwrap();
    };
    let (answer, ()) = futures::join!(asked, committed);
    answer.is_problem(409, "idempotency-key-busy");
    assert_eq!(app.database.count("cases"), 0);
}
