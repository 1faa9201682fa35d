//! Search over what one may see: cases by their header, children by exactly their identifier.

use std::collections::BTreeSet;

use lindung_tests::{Ref, Session, TestApp, case_body, referral_body};
use serde_json::{Value, json};

const SCHOOL: &str = "KPM.SEKOLAH.WBA0001";
const POLICE: &str = "KDN.PDRM.D11";

async fn opens(who: &Session, priority: &str, techniques: &[&str]) -> Ref {
    let mut body = case_body();
    body["priority"] = json!(priority);
    body["techniques"] = json!(techniques);
    who.post("/v1/cases", &body).await.is(201).reference()
}

async fn found(who: &Session, query: &str) -> BTreeSet<String> {
    let page = who.get(&format!("/v1/cases?{query}")).await;
    page.items().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

fn ids(cases: &[&Ref]) -> BTreeSet<String> {
    cases.iter().map(|it| it.id.clone()).collect()
}

#[actix_web::test]
async fn cases_are_found_by_what_their_header_says_and_only_those_in_sight() {
    let app = TestApp::start().await;
    let (school, police) = (app.supervisor(SCHOOL).await, app.officer(POLICE).await);
    let first = opens(&school, "urgent", &["grooming"]).await;
    app.wait(chrono::Duration::minutes(4));
    let second = opens(&school, "routine", &["deepfake", "vpn"]).await;
    let shared = opens(&school, "immediate", &["deepfake"]).await;
    let foreign = opens(&police, "immediate", &["deepfake"]).await;
    let sent = school.refers(&shared, &police).await;
    police.does(&sent, "accept", json!({})).await;

    assert_eq!(found(&school, "").await, ids(&[&first, &second, &shared]));
    assert_eq!(found(&police, "").await, ids(&[&shared, &foreign]));
    assert_eq!(found(&school, "technique=deepfake").await, ids(&[&second, &shared]));
    assert_eq!(found(&police, "technique=deepfake").await, ids(&[&shared, &foreign]));
    assert_eq!(found(&police, "priority=immediate&lead=KDN.PDRM.D11").await, ids(&[&foreign]));
    assert_eq!(found(&school, "party=KDN.PDRM.D11").await, ids(&[&shared]));
    let reference = first.body["reference"].as_str().unwrap();
    assert_eq!(found(&school, &format!("reference={reference}")).await, ids(&[&first]));
    assert_eq!(found(&police, &format!("reference={reference}")).await, ids(&[]), "out of sight");
    let from = (app.now() - chrono::Duration::minutes(2)).format("%Y-%m-%dT%H:%M:%SZ");
    assert_eq!(found(&school, &format!("openedUntil={from}")).await, ids(&[&first]));
    assert_eq!(found(&school, &format!("openedFrom={from}")).await, ids(&[&second, &shared]));
    school.act_anyhow(&first, "close", &json!({ "outcome": "charged" })).await.is(200);
    assert_eq!(found(&school, "status=closed").await, ids(&[&first]));
    assert_eq!(found(&school, "offence=A792.15B&priority=urgent").await, ids(&[&first]));
}

#[actix_web::test]
async fn nobody_filters_by_what_they_may_not_read() {
    let app = TestApp::start().await;
    let (school, coordinator) = (app.officer(SCHOOL).await, app.coordinator().await);
    let case = opens(&school, "urgent", &["grooming"]).await;
    assert_eq!(found(&coordinator, "priority=urgent").await, ids(&[&case]));
    for (field, query) in
        [("technique", "technique=grooming"), ("offence", "offence=A792.15B"), ("ground", "ground=A611.17.1.a")]
    {
        let refused = coordinator.get(&format!("/v1/cases?{query}")).await;
        refused.is_problem(422, "invalid").about(field, "not-readable");
    }
    school.get("/v1/cases?sort=priority").await.is_problem(400, "malformed").about("sort", "unknown");
}

#[actix_web::test]
async fn pages_are_complete_and_an_ended_grant_ends_an_open_cursor() {
    let app = TestApp::start().await;
    let (school, police) = (app.supervisor(SCHOOL).await, app.officer(POLICE).await);
    let mut cases = Vec::new();
    for n in 0..7 {
        let case = opens(&school, if n % 2 == 0 { "urgent" } else { "routine" }, &[]).await;
        let sent = school.refers(&case, &police).await;
        cases.push((police.does(&sent, "accept", json!({})).await, case));
    }
    let (mut seen, mut next) = (Vec::new(), Some("/v1/cases?priority=urgent&limit=2".to_owned()));
    while let Some(path) = next {
        let page = police.get(&path).await.is(200);
        seen.extend(page.items().iter().map(|it| it["id"].as_str().unwrap().to_owned()));
        next = page.body["next"].as_str().map(|it| format!("/v1/cases?priority=urgent&limit=2&cursor={it}"));
    }
    let wanted: Vec<String> = cases.iter().rev().map(|it| it.1.id.clone()).step_by(2).collect();
    assert_eq!(seen, wanted, "each once, the newest activity first");

    let page = police.get("/v1/cases?limit=3").await.is(200);
    let next = format!("/v1/cases?limit=3&cursor={}", page.body["next"].as_str().unwrap());
    let grants = school.get(&format!("{}/grants?live=true", cases[0].1.path)).await;
    let grant = grants.items().iter().find(|it| it["agency"] == POLICE).unwrap()["id"].as_str().unwrap().to_owned();
    school.post(&format!("/v1/grants/{grant}/end"), &json!({ "reason": "Over." })).await.is(200);
    let rest: Vec<Value> = police.get(&next).await.items().clone();
    assert!(rest.iter().all(|it| it["id"] != cases[0].1.id), "{rest:?}");
}

/// Searches for the child that [`case_body`] tells of.
async fn children(who: &Session, value: &str) -> Vec<Value> {
    let body = json!({ "identifier": { "system": "mykid", "value": value } });
    who.post("/v1/children/search", &body).await.items().clone()
}

#[actix_web::test]
async fn a_child_is_found_by_exactly_its_identifier_where_its_identity_may_be_read() {
    let app = TestApp::start().await;
    let (school, police, welfare) =
        (app.supervisor(SCHOOL).await, app.officer(POLICE).await, app.officer("KPWKM.JKM").await);
    let case = school.opens_case().await;
    let body = case_body();
    let value = body["children"][0]["sections"]["identity"]["identifiers"][0]["value"].as_str().unwrap().to_owned();
    let mine = children(&school, &value).await;
    assert_eq!(json!([mine[0]["childId"], mine[0]["caseId"]]), json!([case.child_id(0), case.id]));
    assert_eq!(children(&school, &value[..value.len() - 1]).await, Vec::<Value>::new(), "no prefix");
    assert_eq!(children(&police, &value).await, Vec::<Value>::new());
    // A grant that does not show the identity finds nobody by it.
    let mut terms = referral_body("KPWKM.JKM");
    terms["shares"] = json!([]);
    welfare.does(&school.refers_in(&case, &terms).await, "accept", json!({})).await;
    assert_eq!(children(&welfare, &value).await, Vec::<Value>::new());
    terms["recipient"] = json!(POLICE);
    terms["shares"] =
        json!([{ "section": "identity", "basis": { "kind": "mandated-duty", "provision": "Act 792 s.19" } }]);
    police.does(&school.refers_in(&case, &terms).await, "accept", json!({})).await;
    assert_eq!(children(&police, &value).await.len(), 1);
    let logged = "select sections, child_ids from access_log where action = 'search_children' and agency = 'KDN.PDRM.D11' order by xid desc limit 1";
    assert_eq!(app.database.rows(logged), [json!({ "sections": ["identity"], "child_ids": [case.child_id(0)] })]);
    school.shields(case.child(0), &[SCHOOL]).await.is(200);
    assert_eq!(children(&police, &value).await, Vec::<Value>::new(), "shielded");
    assert_eq!(children(&school, &value).await.len(), 1);
}
