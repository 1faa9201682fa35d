//! The children of a case.

use lindung_persistence::Db;
use lindung_tests::{TestApp, case_body, referral_body};
use serde_json::{Value, json};

#[actix_web::test]
async fn the_lead_adds_children_and_a_case_has_fifty_at_most() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let mut body = case_body();
    body["children"] = Value::from_iter((0..48).map(|_| json!({})));
    let case = school.post("/v1/cases", &body).await.is(201).reference();
    let children = format!("{}/children", case.path);
    let child = json!({ "sections": { "identity": { "names": ["Kedua"] }, "health": { "text": "Well." } } });

    police.post(&children, &child).await.is_problem(404, "not-found");
    let added = school.post(&children, &child).await.is(201);
    assert_eq!((added.header("etag"), &added.body["version"]), (Some("\"2\""), &json!(2)));
    assert!(!added.body.to_string().contains("Kedua"));
    let path = added.header("location").unwrap().to_owned();
    let seen = school.get(&path).await.is(200);
    assert_eq!(seen.body["readableSections"], seen.body["writableSections"]);
    assert_eq!(seen.body["readableSections"].as_array().unwrap().len(), 6);
    assert_eq!(school.get(&format!("{path}/sections/health")).await.body["content"]["text"], "Well.");
    let empty = school.get(&format!("{path}/sections/risk")).await.is(200);
    assert_eq!(json!([empty.body["version"], empty.body["content"]]), json!([0, null]));

    school.post(&children, &json!({})).await.is(201);
    school.post(&children, &json!({})).await.is_problem(409, "not-now");
    assert_eq!(school.get(&children).await.items().len(), 50);
    assert_eq!(school.get(&case.path).await.body["version"], 3);
    let wrong = json!({ "sections": { "narrative": { "text": "x" } } });
    school.post(&children, &wrong).await.is_problem(400, "malformed").about("sections.narrative", "unknown");
}

#[actix_web::test]
async fn a_child_is_found_under_its_own_case_only() {
    let app = TestApp::start().await;
    let (school, police) = (app.officer("KPM.SEKOLAH.WBA0001").await, app.officer("KDN.PDRM.D11").await);
    let (one, two) = (school.opens_case().await, school.opens_case().await);
    for child in [one.child_id(0), &Db::new_id().to_string()] {
        let path = format!("{}/children/{child}", two.path);
        school.get(&path).await.is_problem(404, "not-found");
        let section = format!("{path}/sections/risk");
        school.get(&section).await.is_problem(404, "not-found");
        school.put(&section, 0, &json!({ "text": "x" })).await.is_problem(404, "not-found");
        let mut terms = referral_body("KDN.PDRM.D11");
        terms["children"] = json!([child]);
        let refused = school.post(&format!("{}/referrals", two.path), &terms).await;
        refused.is_problem(422, "invalid").about("children[0]", "unknown-child");
    }
    for path in [one.child(0), &format!("{}/children", one.path), &format!("{}/sections/risk", one.child(0))] {
        police.get(path).await.is_problem(404, "not-found");
    }
    app.coordinator().await.get(one.child(0)).await.is_problem(404, "not-found");
    // One row for each try, which tells of that child alone.
    app.database.execute("truncate access_log");
    school.get(one.child(0)).await.is(200);
    school.get(&format!("{}/children/{}", two.path, one.child_id(0))).await.is(404);
    let rows = "select outcome, child_ids from access_log order by xid";
    let row = |outcome: &str, children: serde_json::Value| json!({ "outcome": outcome, "child_ids": children });
    assert_eq!(app.database.rows(rows), [row("permitted", json!([one.child_id(0)])), row("not-found", json!([]))]);
}
