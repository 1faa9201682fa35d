//! A child is erased: what accesses tell of it goes, and every proof stays.

use chrono::Duration;
use diesel::connection::SimpleConnection;
use lindung_ledger::leaf::Leaf;
use lindung_tests::{TestApp, case_body};
use serde_json::{Value, json};

use super::{SCHOOL, leaf, lines, opening, started};

#[actix_web::test]
async fn nothing_tells_any_more_of_an_erased_child_and_the_root_is_the_same() {
    let (app, notary) = started().await;
    let school = app.officer(SCHOOL).await;
    let (case, other) = (school.opens_case().await, school.opens_case().await);
    school.get(case.child(0)).await.is(200);
    school.get(&other.path).await.is(200);
    app.sequence();
    let auditor = app.auditor("PP").await;
    let before = lines(&auditor.get("/v1/access-log/openings").await.is(200));
    let root = notary.seals(&app.database, 5);
    let proposal = app.erases(SCHOOL, &case).await;
    let done = app.sequence();
    assert_eq!(done.erasures, 1);
    assert_eq!(app.sequence().erasures, 0, "once");
    notary.seals(&app.database, 5);

    let after = lines(&app.auditor("KPWKM.JKM").await.get("/v1/access-log/openings").await.is(200));
    let Leaf::Erasure(erasure) = leaf(after.last().unwrap()) else { panic!("every auditor learns of an erasure") };
    assert_eq!(erasure.proposal.to_string(), proposal);
    assert_eq!(
        json!(erasure.approvers.clone().map(|it| [it.agency, it.officer])),
        json!([[SCHOOL, "supervisor.one"], [SCHOOL, "supervisor.two"]])
    );
    let after = lines(&auditor.get("/v1/access-log/openings").await.is(200));
    assert!(u64::try_from(before.len()).unwrap() == root);
    for (was, is) in before.iter().zip(&after) {
        assert_eq!(was["leaf"], is["leaf"]);
        let number = was["number"].as_u64().unwrap();
        let told = was["detail"].as_str().unwrap().contains(case.child_id(0));
        assert_eq!(erasure.names(number), told, "{was}");
        assert_eq!(is["detail"] == Value::Null, told, "{is}");
        assert_eq!(opening(is).is_some(), !told);
    }
    // The log itself names the child only where it was asked for since.
    let child = case.child_id(0);
    let named = format!("access_log where child_ids @> array['{child}'::uuid] or target like '%{child}%'");
    assert_eq!(app.database.count(&named), 0);
    assert_eq!(app.database.count(&format!("access_openings where convert_from(detail, 'UTF8') like '%{child}%'")), 0);
    let path = format!("/v1/access-log/consistency?from={}&to={}", before.len(), after.len());
    assert_eq!(app.raw("GET", &path, &[], None).await.status, 200);

    assert_eq!(app.database.count("access_erasures"), 0, "something may still come");
    app.wait(Duration::hours(2));
    assert_eq!(app.sequence().erasures, 0);
    assert_eq!(app.database.count("access_erasures"), 1, "nothing comes any more");
}

#[actix_web::test]
async fn other_children_of_the_case_stay() {
    let (app, _) = started().await;
    let school = app.officer(SCHOOL).await;
    let mut body = case_body();
    let one = body["children"][0].clone();
    body["children"].as_array_mut().unwrap().push(one);
    let case = school.post("/v1/cases", &body).await.is(201).reference();
    school.get(case.child(0)).await.is(200);
    school.get(case.child(1)).await.is(200);
    app.erases(SCHOOL, &case).await;
    app.sequence();
    let child = case.child_id(1);
    assert_eq!(app.database.count(&format!("access_log where child_ids = array['{child}'::uuid]")), 1);
    assert_eq!(app.database.count(&format!("access_openings where convert_from(detail, 'UTF8') like '%{child}%'")), 1);
}

#[actix_web::test]
async fn what_was_still_being_written_is_erased_too() {
    let app = TestApp::start().await;
    let school = app.officer(SCHOOL).await;
    let case = school.opens_case().await;
    let mut slow = app.database.connection();
    slow.batch_execute(&format!(
        "begin; insert into access_log (id, at, request_id, roles, action, outcome, case_ids, child_ids, sections, count) \
         values (gen_random_uuid(), '{}', gen_random_uuid(), '{{}}', 'get_child', 'permitted', array['{}'::uuid], array['{}'::uuid], '{{}}', 1)",
        app.now().to_rfc3339(),
        case.id,
        case.child_id(0)
    ))
    .unwrap();
    app.erases(SCHOOL, &case).await;
    assert_eq!(app.sequence().erasures, 1);
    slow.batch_execute("commit").unwrap();
    assert_eq!(app.sequence().erasures, 1);
    assert_eq!(
        app.database
            .count(&format!("access_openings where convert_from(detail, 'UTF8') like '%{}%'", case.child_id(0))),
        0
    );
}
